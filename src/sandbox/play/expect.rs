//! What a script expects, held against what there is.

use super::golden;
use super::model::{Asked, told};
use super::player::{Backstage, Missed, Outcome, Player};
use super::print::emoji;
use super::script::{Bot, Card, Issue, MailExpected, OneOrMore, Thread};
use crate::sandbox::{CommentView, IssueNumber};

impl<B: Backstage> Player<'_, B> {
    pub(super) fn expect_bot(&mut self, bot: &Bot) -> Outcome {
        if let Some(reacts) = &bot.reacts {
            self.expect_reactions(&reacts.0)?;
        }
        if bot.says.is_some() && bot.says_among_others.is_some() {
            return Err("one comment is read by `says` or by `says_among_others`, not by both".into());
        }
        if let Some(says) = &bot.says {
            let comment = self.next_comment()?;
            golden::whole(says, &comment.body, &mut self.captures).map_err(|difference| Missed {
                what: "the bot says something else".to_owned(),
                difference,
            })?;
            self.meets("the bot says this")?;
        }
        if let Some(lines) = &bot.says_among_others {
            let comment = self.next_comment()?;
            golden::among(&lines.0, &comment.body, &mut self.captures)
                .map_err(|line| format!("the bot does not say, or not here: {line}"))?;
            self.meets("the bot says this, among others")?;
        }
        match &bot.hides {
            Some(line) => self.expect_hidden(line),
            None => Ok(()),
        }
    }

    fn expect_reactions(&mut self, wanted: &[String]) -> Outcome {
        let said = self.said.ok_or("nobody has said anything that could be reacted to")?;
        let reactions = self.sandbox.reactions(said);
        let mut found: Vec<&str> = reactions
            .iter()
            .filter(|reaction| reaction.author == self.bot)
            .map(|reaction| reaction.content.as_str())
            .collect();
        let mut wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        let words = |names: &[&str]| match names {
            [] => "nothing".to_owned(),
            names => names.iter().map(|name| emoji(name)).collect::<Vec<_>>().join(" "),
        };
        if found != wanted {
            return Err(format!("the bot reacts with {}, not with {}", words(&found), words(&wanted)).into());
        }
        self.meets(&format!("the bot reacts with {}", words(&wanted)))
    }

    /// The oldest comment that was not looked at, as it stands now.
    fn next_comment(&mut self) -> Result<CommentView, Missed> {
        let (_, comment) = self.unread.comments.pop_front().ok_or("the bot says nothing")?;
        self.read.push(comment.id);
        Ok(self.sandbox.comment(comment.id).unwrap_or(comment))
    }

    fn expect_hidden(&mut self, line: &str) -> Outcome {
        let hidden = self.read.iter().filter_map(|id| self.sandbox.comment(*id));
        let hidden: Vec<CommentView> = hidden.filter(|comment| comment.minimized.is_some()).collect();
        let wanted = [line.to_owned()];
        let found = hidden
            .iter()
            .find_map(|comment| golden::among(&wanted, &comment.body, &mut self.captures).ok());
        found.ok_or_else(|| format!("no hidden comment of the bot says: {line}"))?;
        self.meets("the bot has hidden its comment")
    }

    pub(super) fn expect_card(&mut self, card: &Card) -> Outcome {
        let (number, id) = self.card_id(card.on)?;
        self.unread.cards.remove(&number);
        let comment = self.sandbox.comment(id).ok_or("the card is gone")?;
        if let Some(golden) = &card.golden {
            golden::whole(golden, &comment.body, &mut self.captures).map_err(|difference| Missed {
                what: "the card says something else".to_owned(),
                difference,
            })?;
            self.meets("the card says this")?;
        }
        golden::among(&card.shows, &comment.body, &mut self.captures)
            .map_err(|line| format!("the card does not show, or not here: {line}"))?;
        for line in &card.lacks {
            let wanted = [self.filled(line)?];
            if golden::among(&wanted, &comment.body, &mut self.captures.clone()).is_ok() {
                return Err(format!("the card should not show: {line}").into());
            }
        }
        match (card.shows.as_slice(), card.lacks.as_slice()) {
            ([], []) => Ok(()),
            ([], _) => self.meets("the card lacks that"),
            (shows, _) => self.meets(&format!("the card shows {}", shows.join(" / "))),
        }
    }

    pub(super) fn expect_issue(&mut self, wanted: &Issue) -> Outcome {
        let number = IssueNumber(wanted.number);
        let issue = self
            .sandbox
            .issue(number)
            .ok_or_else(|| format!("there is no #{number}"))?;
        self.unread.issues.remove(&number);
        if let Some(title) = &wanted.title {
            golden::whole(title, &issue.title, &mut self.captures).map_err(|difference| Missed {
                what: format!("#{number} has another title"),
                difference,
            })?;
        }
        golden::among(&wanted.body, &issue.body, &mut self.captures)
            .map_err(|line| format!("#{number} does not say, or not here: {line}"))?;
        let numbers = |numbers: Vec<IssueNumber>| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
        let lists = |of: &Option<Vec<u64>>| of.as_ref().map(|all| all.iter().map(ToString::to_string).collect());
        let parent = self.sandbox.parent(number);
        for (what, wanted, found) in [
            ("labels", wanted.labels.clone(), issue.labels),
            ("assignees", wanted.assignees.clone(), issue.assignees),
            (
                "blockers",
                lists(&wanted.blocked_by),
                numbers(self.sandbox.blocked_by(number)),
            ),
            (
                "sub-issues",
                lists(&wanted.sub_issues),
                numbers(self.sandbox.sub_issues(number)),
            ),
            (
                "parents",
                wanted.parent.map(|parent| vec![parent.to_string()]),
                numbers(parent.into_iter().collect()),
            ),
        ] {
            same(&format!("#{number} has other {what}"), wanted, found)?;
        }
        if wanted.open.is_some_and(|open| open != issue.open) {
            return Err(format!("#{number} is {}", if issue.open { "open" } else { "closed" }).into());
        }
        self.meets(&format!("#{number} is as it should be"))
    }

    pub(super) fn expect_mail(&mut self, wanted: &MailExpected) -> Outcome {
        let mail = self.unread.mails.pop_front().ok_or("no mail was sent")?;
        let list = |list: &Option<OneOrMore>| list.as_ref().map(|list| list.0.clone());
        same("the mail goes to others", list(&wanted.to), mail.to.clone())?;
        same("the mail has other copies", list(&wanted.cc), mail.cc.clone())?;
        if let Some(subject) = &wanted.subject {
            golden::whole(subject, &mail.subject, &mut self.captures).map_err(|difference| Missed {
                what: "the mail has another subject".to_owned(),
                difference,
            })?;
        }
        for (what, lines, text) in [("text", &wanted.text, &mail.text), ("HTML", &wanted.html, &mail.html)] {
            golden::among(lines, text, &mut self.captures)
                .map_err(|line| format!("the mail's {what} does not say, or not here: {line}"))?;
        }
        if let Some(thread) = wanted.thread {
            let answers = mail
                .header("In-Reply-To")
                .is_some_and(|to| self.threads.iter().any(|id| id == to));
            match (thread, answers) {
                (Thread::Continued, false) => return Err("the mail continues no earlier one".into()),
                (Thread::New, true) => return Err("the mail continues an earlier one".into()),
                (Thread::Continued, true) | (Thread::New, false) => {}
            }
        }
        self.threads.extend(mail.header("Message-ID").map(str::to_owned));
        self.meets(&format!("the mail “{}” is in the mailbox", mail.subject))
    }

    pub(super) fn expect_asked(&mut self, wanted: &Asked) -> Outcome {
        let question = self.unread.questions.pop_front().ok_or("no model was asked")?;
        let asked = told(&question);
        golden::among(&wanted.shows, &asked, &mut self.captures)
            .map_err(|line| format!("the model was not asked with this, or not here: {line}"))?;
        for line in &wanted.lacks {
            if asked.contains(&self.filled(line)?) {
                return Err(format!("the model should not have been told: {line}").into());
            }
        }
        let mut what = match wanted.shows.as_slice() {
            [] => "the model was asked".to_owned(),
            shows => format!("the model was asked with {}", shows.join(" / ")),
        };
        if !wanted.lacks.is_empty() {
            what.push_str(&format!(", and not told: {}", wanted.lacks.join(" / ")));
        }
        self.meets(&what)
    }
}

/// Two lists whose order does not matter.
fn same(what: &str, wanted: Option<Vec<String>>, mut found: Vec<String>) -> Outcome {
    let Some(mut wanted) = wanted else { return Ok(()) };
    wanted.sort();
    found.sort();
    if wanted == found {
        return Ok(());
    }
    let words = |list: &[String]| {
        if list.is_empty() {
            "none".to_owned()
        } else {
            list.join(", ")
        }
    };
    Err(format!("{what}: {}, not {}", words(&found), words(&wanted)).into())
}
