//! The *email* agent: tells the stakeholders what was opened.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inputs::{Inputs, Mailing};
use super::prompt::Brief;
use super::scan::scan;
use super::{Agent, Amendment, Draft, Problem, ProblemKind, WrongInputs, answer, did_you_mean};
use crate::text::clean::{clean, fold};
use crate::text::harmless::markdown::{Voice, line};
use crate::text::harmless::names::parted;
use crate::workflow::act::{Act, ActKey, Deed, Mail};

mod render;

/// Writes a mail about opened issues.
pub static AGENT: Agent = Agent {
    works_from: super::InputKind::Mailing,
    name: Cow::Borrowed("email"),
    schema_name: Cow::Borrowed("email.v1"),
    schema: Cow::Borrowed(include_str!("email/email.v1.json")),
    role: Cow::Borrowed(""),
    standards: None,
    prompt_template: Cow::Borrowed(include_str!("../../templates/prompts/email.md")),
    brief,
    check,
    amend: amend_value,
};

/// Characters of a subject.
const SUBJECT: usize = 150;
/// Characters of one paragraph of the introduction, and how many.
const PARAGRAPH: usize = 1_000;
const PARAGRAPHS: usize = 20;
/// Characters of one line of a list.
const ITEM: usize = 300;

/// `email.v1`, as a provider answers it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    subject: String,
    intro: String,
    items: Vec<Referring>,
    decisions_needed: Vec<Referring>,
    withheld: Vec<Withheld>,
    safe_to_send: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Referring {
    text: String,
    #[serde(rename = "ref")]
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    kind: WithheldKind,
    #[serde(rename = "where")]
    place: String,
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WithheldKind {
    Credential,
    PersonalData,
    CustomerData,
    SecurityDetail,
}

impl WithheldKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "a credential",
            Self::PersonalData => "personal data",
            Self::CustomerData => "customer data",
            Self::SecurityDetail => "a security detail",
        }
    }
}

/// The artifact: what people wrote or an agent proposed. Numbers, links, people and days come from the host when it is
/// rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// One line of at most 150 characters.
    pub subject: String,
    /// Plain paragraphs, separated by empty lines.
    pub intro: String,
    /// One line for each opened issue.
    pub items: Vec<Item>,
    /// What somebody must decide.
    pub decisions: Vec<Item>,
}

/// A line about an opened issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The key of the task that was opened.
    pub key: String,
    /// One plain line.
    pub text: String,
}

fn mailing(inputs: &Inputs) -> Result<&Mailing, WrongInputs> {
    match inputs {
        Inputs::Mailing(mailing) => Ok(mailing),
        other => Err(WrongInputs {
            agent: AGENT.name.to_string(),
            wanted: "mailing",
            given: other.kind(),
        }),
    }
}

fn brief(inputs: &Inputs) -> Result<Brief, WrongInputs> {
    let mailing = mailing(inputs)?;
    let data = mailing
        .tasks
        .iter()
        .map(|task| {
            json!({
                "ref": task.key,
                "title": clean(&task.title),
                "assignee": task.assignee,
                "due_date": task.due_date,
                "priority": task.priority,
            })
        })
        .collect();
    Ok(Brief {
        facts: json!({
            "repository": mailing.repository,
            "discussion": clean(&mailing.title),
            "today": mailing.today,
            "private": mailing.private,
            "wishes": mailing.steer.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        }),
        data: Value::Array(data),
        guide: None,
    })
}

fn check(value: Value, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let one = |kind, at: &str, text: String| vec![Problem::new(kind, at, text)];
    let mailing = mailing(inputs).map_err(|wrong| one(ProblemKind::Rule, "", wrong.to_string()))?;
    let answer: Answer = serde_json::from_value(value)
        .map_err(|error| one(ProblemKind::Shape, "", format!("{error} ({})", AGENT.schema_name)))?;
    let notes: Vec<String> = answer.withheld.iter().map(withheld).collect();
    if !answer.safe_to_send {
        let mut text = "the agent says that this mail is not safe to send".to_owned();
        for note in &notes {
            text.push_str("; ");
            text.push_str(note);
        }
        return Err(one(ProblemKind::Withheld, "/safe_to_send", text));
    }
    let items = resolved("items", &answer.items, mailing);
    let decisions = resolved("decisions_needed", &answer.decisions_needed, mailing);
    let (items, decisions) = match (items, decisions) {
        (Ok(items), Ok(decisions)) => (items, decisions),
        (items, decisions) => {
            return Err([items.err(), decisions.err()].into_iter().flatten().flatten().collect());
        }
    };
    let letter = Letter {
        subject: plain(&answer.subject, SUBJECT),
        intro: parted(&paragraphs(&answer.intro, Voice::Agent)),
        items: complete(items, mailing),
        decisions,
    };
    if letter.subject.is_empty() {
        return Err(one(ProblemKind::Rule, "/subject", "a mail needs a subject".to_owned()));
    }
    draft(&letter, mailing, notes).map_err(|sentence| one(ProblemKind::Withheld, "", sentence))
}

/// A line of an agent's, in which nothing links in a mail either.
fn plain(text: &str, limit: usize) -> String {
    parted(&line(text, Voice::Agent, limit))
}

fn withheld(withheld: &Withheld) -> String {
    let about = [&withheld.place, &withheld.reason]
        .map(|text| {
            if scan(text).is_some() {
                "(not shown)".to_owned()
            } else {
                line(text, Voice::Agent, ITEM)
            }
        })
        .join(": ");
    format!("Withheld {}: {about}", withheld.kind.as_str())
}

fn resolved(list: &str, lines: &[Referring], mailing: &Mailing) -> Result<Vec<Item>, Vec<Problem>> {
    let unknown: Vec<Problem> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !mailing.tasks.iter().any(|task| task.key == line.key))
        .map(|(number, _)| {
            let keys: Vec<&str> = mailing.tasks.iter().map(|task| task.key.as_str()).collect();
            let text = format!("this names no opened issue; the references are {}", keys.join(", "));
            Problem::new(ProblemKind::Rule, format!("/{list}/{number}/ref"), text)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    Ok(lines
        .iter()
        .map(|referring| Item {
            key: referring.key.clone(),
            text: plain(&referring.text, ITEM),
        })
        .collect())
}

/// One line for every opened issue: those that the agent forgot stand with their title.
fn complete(mut items: Vec<Item>, mailing: &Mailing) -> Vec<Item> {
    for task in &mailing.tasks {
        if !items.iter().any(|item| item.key == task.key) {
            items.push(Item {
                key: task.key.clone(),
                text: plain(&task.title, ITEM),
            });
        }
    }
    items
}

fn paragraphs(text: &str, voice: Voice) -> String {
    let text = clean(text);
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = String::new();
    for text_line in text.lines().chain([""]) {
        if text_line.trim().is_empty() {
            let paragraph = line(&fold(&open), voice, PARAGRAPH);
            if !paragraph.is_empty() {
                paragraphs.push(paragraph);
            }
            open.clear();
        } else {
            open.push_str(text_line);
            open.push('\n');
        }
    }
    paragraphs.truncate(PARAGRAPHS);
    paragraphs.join("\n\n")
}

/// The proposal that follows from a letter: the mail exactly as it will be sent. Without recipients there is nothing
/// to approve.
///
/// # Errors
/// A sentence when the mail holds what must not leave.
pub fn draft(letter: &Letter, mailing: &Mailing, notes: Vec<String>) -> Result<Draft, String> {
    let (text, html) =
        render::parts(letter, mailing).map_err(|error| format!("the mail could not be written: {error:#}"))?;
    if let Some(finding) = scan(&format!("{}\n{text}", letter.subject)) {
        return Err(format!(
            "the mail holds {finding} and is not sent; `/edit` it or `/revise` it"
        ));
    }
    let mut planned = Vec::new();
    let acts = if mailing.to.is_empty() {
        planned.push("No recipient is configured: set `mail.to` in .github/countersign.yml.".to_owned());
        Vec::new()
    } else {
        vec![Act {
            key: ActKey("mail".to_owned()),
            deed: Deed::SendMail(Mail {
                to: mailing.to.clone(),
                cc: mailing.cc.clone(),
                subject: letter.subject.clone(),
                text,
                html,
            }),
        }]
    };
    Ok(Draft {
        artifact: serde_json::to_value(letter).expect("a letter is JSON: it has no maps"),
        acts,
        notes,
        planned,
    })
}

fn amend_value(_: &Agent, artifact: &Value, amendment: &Amendment, inputs: &Inputs) -> Result<Draft, String> {
    let mailing = mailing(inputs).map_err(|wrong| wrong.to_string())?;
    let letter: Letter = serde_json::from_value(artifact.clone())
        .map_err(|error| format!("the proposal on record is not a mail: {error}"))?;
    draft(&amend(&letter, amendment, mailing)?, mailing, Vec::new())
}

/// The letter as it stands after the edit.
///
/// # Errors
/// A sentence for the person who edits; the letter stays as it was.
pub fn amend(letter: &Letter, amendment: &Amendment, mailing: &Mailing) -> Result<Letter, String> {
    match amendment {
        Amendment::Change { fields, .. } if fields.is_empty() => {
            Err("nothing to change: name a field, as in `subject=\"…\"` or `intro=\"…\"`".to_owned())
        }
        Amendment::Change { fields, .. } => {
            let mut next = letter.clone();
            for (name, value) in fields {
                match name.trim().to_lowercase().as_str() {
                    "subject" => next.subject = subject(value)?,
                    "intro" | "text" => next.intro = paragraphs(value, Voice::Person),
                    other => {
                        let hint = did_you_mean(other, ["subject", "intro"].into_iter());
                        let word = line(&other.replace('`', "'"), Voice::Agent, 40);
                        return Err(format!(
                            "a mail has no field `{word}`{hint} (its fields are `subject` and `intro`)"
                        ));
                    }
                }
            }
            Ok(next)
        }
        Amendment::Add { .. } => Err("a task cannot be added here: the issues are opened already".to_owned()),
        Amendment::Select { .. } => Err("nothing can be ticked in a mail".to_owned()),
        Amendment::Replace(text) => {
            let value = answer::value(text).map_err(|problem| problem.to_string())?;
            let wanted: Letter =
                serde_json::from_value(value).map_err(|error| format!("that is not a mail: {error}"))?;
            let lines = |items: Vec<Item>| {
                items
                    .into_iter()
                    .map(|item| match mailing.tasks.iter().any(|task| task.key == item.key) {
                        true => Ok(Item {
                            text: line(&item.text, Voice::Person, ITEM),
                            ..item
                        }),
                        false => Err(format!(
                            "`{}` names no opened issue",
                            line(&item.key.replace('`', "'"), Voice::Agent, 40)
                        )),
                    })
                    .collect::<Result<Vec<Item>, String>>()
            };
            Ok(Letter {
                subject: subject(&wanted.subject)?,
                intro: paragraphs(&wanted.intro, Voice::Person),
                items: complete(lines(wanted.items)?, mailing),
                decisions: lines(wanted.decisions)?,
            })
        }
    }
}

fn subject(text: &str) -> Result<String, String> {
    match line(text, Voice::Person, SUBJECT) {
        subject if subject.is_empty() => Err("a mail needs a subject".to_owned()),
        subject => Ok(subject),
    }
}

#[cfg(test)]
mod tests;
