//! Finds the commands in a comment.
//!
//! A command is a line of ordinary text that begins with `/word` or `@bot word`, as a reader of the rendered page
//! sees it. Everything that somebody else may have said, or that only shows how a command looks, is left alone:
//! block quotes, code, HTML, links, headings, tables, footnotes, struck-out text and lists. Lists, because an item's
//! line begins with its bullet, and because lists are where people write *about* commands ("1. comment `/approve`").
//!
//! The caller decides which comments are read at all: only new ones, never those of bots.

mod page;
mod quoted;

use std::ops::Range;

use crate::text::visible::is_blank;

use page::Page;
pub use quoted::{Quoted, quoted};

/// The bot's login without `@` and `[bot]`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotName(String);

impl BotName {
    /// Takes a login in any of its forms: `countersign`, `@Countersign`, `countersign[bot]`.
    pub fn new(login: &str) -> Self {
        let login = login.trim().trim_start_matches('@').to_lowercase();
        Self(login.strip_suffix("[bot]").unwrap_or(&login).to_owned())
    }

    /// The name as people type it after `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the name in a text that begins with it; the text itself comes without its `@`.
    fn strip_from<'t>(&self, text: &'t str) -> Option<&'t str> {
        let named = text.get(..self.0.len())?;
        if self.0.is_empty() || !named.eq_ignore_ascii_case(&self.0) {
            return None;
        }
        let tail = &text[self.0.len()..];
        let tail = match tail.get(..5) {
            Some(suffix) if suffix.eq_ignore_ascii_case("[bot]") => &tail[5..],
            _ => tail,
        };
        let tail = tail.strip_prefix([':', ',']).unwrap_or(tail);
        (tail.is_empty() || tail.starts_with(char::is_whitespace)).then_some(tail)
    }
}

/// How the bot was addressed. Other bots share the slash, nobody shares the mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `/word`
    Slash,
    /// `@bot word`
    Mention,
}

/// A line that addresses the bot, or another bot that reads slash commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The line's place among the addressed lines of its comment, from 0. It depends on the comment alone, never on
    /// configuration, so that (comment id, index) names a command for good.
    pub index: usize,
    /// How the bot was addressed.
    pub form: Form,
    /// The first word in lower case. Sentence punctuation typed right after it is kept, so that `/approve!` names no
    /// verb but can be answered. Empty if no word follows the mention.
    pub word: String,
    /// The rest of the line as typed, without hidden characters and HTML comments.
    pub rest: String,
    /// The text of the lines below, up to the next command, as typed: a reason or a body. Quotes (other people's
    /// words), HTML comments and hidden characters are left out.
    pub following: String,
    /// The content of the first fenced code block below, untouched. Nothing in it is ever read as a command.
    pub fenced: Option<String>,
}

/// The commands of a comment, in order. Total: every text has an answer.
pub fn read(body: &str, bot: &BotName) -> Vec<Addressed> {
    let source = body.replace("\r\n", "\n").replace('\r', "\n");
    let page = Page::parse(&source);
    if let Some(pasted) = page.pasted() {
        let head = Head::parse(&page.visible(pasted), bot);
        return head
            .map(|head| head.addressed(0, String::new(), None))
            .into_iter()
            .collect();
    }
    let heads: Vec<(Range<usize>, Head)> = page
        .open_lines()
        .filter_map(|line| {
            let head = Head::parse(&page.visible(line.clone()), bot)?;
            Some((line, head))
        })
        .collect();
    let ends: Vec<usize> = heads
        .iter()
        .skip(1)
        .map(|(line, _)| line.start)
        .chain([source.len()])
        .collect();
    heads
        .into_iter()
        .zip(ends)
        .enumerate()
        .map(|(index, ((line, head), end))| {
            let below = line.end..end;
            let fenced = page.first_fence(&below);
            head.addressed(index, page.visible(below).trim().to_owned(), fenced)
        })
        .collect()
}

/// The first line of a command.
struct Head {
    form: Form,
    word: String,
    rest: String,
}

impl Head {
    fn parse(line: &str, bot: &BotName) -> Option<Self> {
        let line = line.trim_matches(is_blank);
        if let Some(tail) = line.strip_prefix('/') {
            let (token, rest) = split_token(tail);
            return Some(Self {
                form: Form::Slash,
                word: word(token)?,
                rest: rest.to_owned(),
            });
        }
        let tail = bot.strip_from(line.strip_prefix('@')?)?.trim_start();
        // `@bot /approve` is what people write who know both forms.
        let (token, rest) = split_token(tail.strip_prefix('/').unwrap_or(tail));
        let (word, rest) = match word(token) {
            Some(word) => (word, rest),
            None => (String::new(), tail),
        };
        Some(Self {
            form: Form::Mention,
            word,
            rest: rest.to_owned(),
        })
    }

    fn addressed(self, index: usize, following: String, fenced: Option<String>) -> Addressed {
        Addressed {
            index,
            form: self.form,
            word: self.word,
            rest: self.rest,
            following,
            fenced,
        }
    }
}

fn split_token(text: &str) -> (&str, &str) {
    let (token, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (token, rest.trim_matches(is_blank))
}

/// The word in lower case if the token is one: `[a-z][a-z0-9_-]*`, perhaps with sentence punctuation after it.
fn word(token: &str) -> Option<String> {
    let token = token.trim_matches(is_blank);
    let stem = token.trim_end_matches(['.', ',', ':', ';', '!', '?']);
    let mut letters = stem.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    let goes_on = letters.all(|next| next.is_ascii_alphanumeric() || next == '_' || next == '-');
    (begins && goes_on).then(|| token.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
