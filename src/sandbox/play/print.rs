//! The conversation as it happens, for a person who reads along.

use std::io::{self, Write};

use super::golden::{Difference, differences, visible};
use super::mail::Mail;
use super::observe::Change;
use crate::sandbox::CommentView;

/// A text of which more lines changed is shown anew: a longer difference is harder to read.
const MOST_CHANGED: usize = 16;

/// Whether the reader's screen shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    On,
    Off,
}

#[derive(Debug, Clone, Copy)]
enum Ink {
    Name,
    Faint,
    Good,
    Bad,
}

/// Writes the conversation.
pub(super) struct Printer<'a> {
    out: &'a mut (dyn Write + Send),
    colour: Colour,
    bot: String,
}

impl<'a> Printer<'a> {
    pub fn new(out: &'a mut (dyn Write + Send), colour: Colour, bot: String) -> Self {
        Self { out, colour, bot }
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Name => "1",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Bad => "31",
        };
        match self.colour {
            Colour::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::Off => text.to_owned(),
        }
    }

    fn name(&self, login: &str) -> String {
        self.ink(Ink::Name, login.strip_suffix("[bot]").unwrap_or(login))
    }

    fn block(&mut self, text: &str) -> io::Result<()> {
        let bar = self.ink(Ink::Faint, "│");
        for line in visible(text) {
            writeln!(self.out, "{}", format!("  {bar} {line}").trim_end())?;
        }
        Ok(())
    }

    pub fn title(&mut self, title: &str, world: &str) -> io::Result<()> {
        let title = self.ink(Ink::Name, title);
        let world = self.ink(Ink::Faint, world);
        writeln!(self.out, "{title}\n{world}")
    }

    pub fn note(&mut self, text: &str) -> io::Result<()> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = self.ink(Ink::Faint, &format!("— {text}"));
        writeln!(self.out, "\n{text}")
    }

    /// Somebody does something, with the text that belongs to it.
    pub fn act(&mut self, who: &str, does: &str, text: &str) -> io::Result<()> {
        let who = self.name(who);
        writeln!(self.out, "\n{who} {does}")?;
        self.block(text)
    }

    /// Something that nobody of the conversation did.
    pub fn event(&mut self, what: &str) -> io::Result<()> {
        let what = self.ink(Ink::Faint, &format!("({what})"));
        writeln!(self.out, "\n{what}")
    }

    /// A model was asked and answered this status.
    pub fn question(&mut self, status: u16) -> io::Result<()> {
        let answers = match status {
            200 => "answers".to_owned(),
            0 => "hangs up".to_owned(),
            status => format!("answers {status}"),
        };
        let bot = self.bot.clone();
        self.line(&bot, &format!("asks the model, which {answers}"))
    }

    pub fn change(&mut self, change: &Change) -> io::Result<()> {
        match change {
            Change::Reacted(reactions) => {
                for reaction in reactions {
                    let who = self.name(&reaction.author);
                    writeln!(self.out, "  {} {who}", emoji(&reaction.content))?;
                }
                Ok(())
            }
            Change::Commented(number, comment) => self.comment(&format!("writes in #{number}"), comment),
            Change::Rewritten(before, after) => self.rewritten(before, after),
            Change::Hidden(number, comment, reason) => {
                let bot = self.bot.clone();
                let about = first_line(&comment.body);
                self.line(
                    &bot,
                    &format!("hides in #{number} as {}: {about}", reason.to_lowercase()),
                )
            }
            Change::CommentGone(number, comment) => {
                let about = first_line(&comment.body);
                self.event(&format!(
                    "a comment of {} in #{number} is gone: {about}",
                    comment.author
                ))
            }
            Change::Opened(issue) => {
                let mut facts = Vec::new();
                if !issue.assignees.is_empty() {
                    facts.push(format!("assigned to {}", issue.assignees.join(", ")));
                }
                if !issue.labels.is_empty() {
                    facts.push(format!("labels {}", issue.labels.join(", ")));
                }
                let facts = if facts.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", facts.join("; "))
                };
                let author = issue.author.clone();
                self.act(
                    &author,
                    &format!("opens #{} “{}”{facts}", issue.number, issue.title),
                    &issue.body,
                )
            }
            Change::Became(number, what) => {
                let text = self.ink(Ink::Faint, &format!("  #{number} {what}"));
                writeln!(self.out, "{text}")
            }
        }
    }

    fn line(&mut self, who: &str, does: &str) -> io::Result<()> {
        let who = self.name(who);
        writeln!(self.out, "\n{who} {does}")
    }

    fn comment(&mut self, does: &str, comment: &CommentView) -> io::Result<()> {
        let author = comment.author.clone();
        self.act(&author, does, &comment.body)
    }

    fn rewritten(&mut self, before: &CommentView, after: &CommentView) -> io::Result<()> {
        let author = after.edited.as_ref().map_or(&after.author, |(_, by)| by).clone();
        let does = format!("changes “{}”", heading(&after.body));
        let text = after.body.clone();
        let (before, after) = (visible(&before.body), visible(&text));
        let all = differences(&before, &after, |old, new| old == new);
        let changed: Vec<Difference> = all
            .into_iter()
            .filter(|line| !matches!(line, Difference::Same(_)))
            .filter(|line| !matches!(line, Difference::Missing(text) | Difference::Unexpected(text) if text.is_empty()))
            .collect();
        if changed.len() > MOST_CHANGED {
            return self.act(&author, &does, &text);
        }
        self.line(&author, &does)?;
        self.difference(&changed)
    }

    fn difference(&mut self, lines: &[Difference]) -> io::Result<()> {
        for line in lines {
            let text = match line {
                Difference::Same(text) => format!("    {text}"),
                Difference::Missing(text) => self.ink(Ink::Bad, &format!("  - {text}")),
                Difference::Unexpected(text) => self.ink(Ink::Good, &format!("  + {text}")),
            };
            writeln!(self.out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    pub fn mail(&mut self, mail: &Mail) -> io::Result<()> {
        let mut to = mail.to.join(", ");
        if !mail.cc.is_empty() {
            to = format!("{to}, cc {}", mail.cc.join(", "));
        }
        let subject = self.ink(Ink::Name, &mail.subject);
        writeln!(self.out, "\n✉ to {to}: {subject}")?;
        self.block(&mail.text)
    }

    pub fn met(&mut self, what: &str) -> io::Result<()> {
        let mark = self.ink(Ink::Good, "✓");
        let what = self.ink(Ink::Faint, what);
        writeln!(self.out, "  {mark} {what}")
    }

    /// What was expected and is not so. Lines with `-` were expected, lines with `+` are there.
    pub fn missed(&mut self, line: u64, what: &str, difference: &[Difference]) -> io::Result<()> {
        let mark = self.ink(Ink::Bad, "✗");
        writeln!(self.out, "\n{mark} line {line}: {what}")?;
        if !difference.is_empty() {
            writeln!(self.out, "  (- expected, + found)")?;
        }
        self.difference(difference)
    }

    pub fn end(&mut self, expectations: usize) -> io::Result<()> {
        let mark = self.ink(Ink::Good, "✓");
        writeln!(
            self.out,
            "\n{mark} {expectations} expectations met, and the bot said nothing else."
        )
    }
}

fn first_line(text: &str) -> &str {
    visible(text).first().copied().unwrap_or_default()
}

fn heading(text: &str) -> &str {
    first_line(text).trim_start_matches('#').trim()
}

/// A reaction's name in GitHub's API as one sees it.
pub(super) fn emoji(content: &str) -> &str {
    match content {
        "eyes" => "👀",
        "rocket" => "🚀",
        "-1" => "👎",
        "+1" => "👍",
        "heart" => "❤️",
        "hooray" => "🎉",
        "laugh" => "😄",
        "confused" => "😕",
        other => other,
    }
}
