//! The comment that holds a phase's questions, and the call to it.

use super::people::mentions;
use crate::chat::say::markup::{code, count, full_stop, link, list, login, paragraphs, when};
use crate::chat::say::phrases::{because, title};
use crate::text::harmless::literal;
use crate::workflow::asking::Reply;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::State;

/// Characters of a question, of its reason and of each of its options.
const LONGEST: usize = 500;
/// Options that are shown.
const OPTIONS: usize = 10;

/// A question as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What is asked.
    pub question: String,
    /// Why.
    pub why: String,
    /// What may be chosen from; empty for none.
    pub options: Vec<String>,
    /// What is assumed where nobody answers.
    pub assumed: Option<String>,
    /// How it was settled.
    pub reply: Option<&'a Reply>,
}

/// The one comment of a phase's questions, as it stands now. People whose login is well-formed are mentioned.
pub fn questions(people: &[String], state: &State, phase: &PhaseId, asked: &[Asked<'_>]) -> String {
    let what = title(state, phase);
    let head = match mentions(people).as_str() {
        "" => format!("*{what}*: this has to be known before it goes on."),
        mentions => format!("{mentions}: *{what}*: this has to be known before it goes on."),
    };
    let lines: Vec<String> = (1..).zip(asked).map(|(number, asked)| line(number, asked)).collect();
    paragraphs(&[head, lines.join("\n"), onwards(state, phase)])
}

fn line(number: usize, asked: &Asked<'_>) -> String {
    let question = literal::inline(&asked.question, LONGEST);
    if let Some(reply) = asked.reply {
        let by = login(&reply.by.login);
        let how = if reply.skipped { "skipped" } else { "answered" };
        let settled = format!(
            "{number}. ~~{question}~~ {how} by {by} on {}{}",
            when(reply.at),
            because(reply.text.as_str())
        );
        return match &asked.assumed {
            Some(assumed) if reply.skipped => {
                format!("{} Assumed: {}", full_stop(settled), literal::inline(assumed, LONGEST))
            }
            _ => settled,
        };
    }
    let mut parts = vec![format!("{number}. {question}")];
    if !asked.why.trim().is_empty() {
        parts.push(format!("Why: {}", literal::inline(&asked.why, LONGEST)));
    }
    if !asked.options.is_empty() {
        let options = asked.options.iter().take(OPTIONS);
        let options: Vec<String> = options.map(|option| literal::inline(option, LONGEST)).collect();
        parts.push(format!("Options: {}", options.join(" · ")));
    }
    if let Some(assumed) = &asked.assumed {
        parts.push(format!("If skipped: {}", literal::inline(assumed, LONGEST)));
    }
    parts.join("\n   ")
}

fn onwards(state: &State, phase: &PhaseId) -> String {
    let at = state.at(phase);
    let open: Vec<String> = at.open_questions().map(|(number, _)| number.to_string()).collect();
    let Some(first) = open.first() else {
        return "Nothing is open here.".to_owned();
    };
    if !state.is_open() {
        return "The workflow has ended; nothing of this is answered any more.".to_owned();
    }
    format!(
        "Open: {}. To answer one: {} — to go on without answers: {}",
        list(&open, "and"),
        code(&format!("/answer {first} …")),
        code("/skip")
    )
}

/// More is asked than before: the comment was edited, which notifies nobody.
pub fn asked_more(people: &[String], state: &State, phase: &PhaseId, url: &str) -> String {
    let called = match mentions(people).as_str() {
        "" => String::new(),
        mentions => format!("{mentions}: "),
    };
    let at = state.at(phase);
    let next = at.open_questions().next().map_or(1, |(number, _)| number);
    format!(
        "{called}*{}* asks {} more, see {}. To answer one: {}",
        title(state, phase),
        count(at.open_questions().count(), "question", "questions"),
        link("the questions", url),
        code(&format!("/answer {next} …"))
    )
}

/// Somebody quoted several questions above one answer.
pub fn quoted_several(numbers: &[u32]) -> String {
    let quoted: Vec<String> = numbers.iter().map(u32::to_string).collect();
    let first = numbers.first().copied().unwrap_or(1);
    format!(
        "You quote the questions {}, and I cannot know which of them this answers. Nothing has changed. Quote one, or write: {}",
        list(&quoted, "and"),
        code(&format!("/answer {first} …"))
    )
}

/// An agent asked more than the definition allows: the first of its questions are asked, the others are not.
pub fn questions_dropped(dropped: usize, most: u32) -> String {
    format!(
        "{} not asked: the most that this phase asks is {most} (`limits.questions`).",
        match dropped {
            1 => "1 question was".to_owned(),
            many => format!("{many} questions were"),
        }
    )
}
