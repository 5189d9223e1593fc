//! What a person asked for, as a value. Nothing here knows who asked, or whether they may.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chat::args::ArgumentProblem;
use crate::text::arguments::quoted;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::ids::Digest;
use crate::workflow::variants::Letter;

/// One command of a comment, understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// The verbs, or one of them, explained.
    Help {
        /// As typed, in lower case and without its slash; not checked.
        verb: Option<String>,
    },
    /// Start the workflow.
    Deliver,
    /// Extract tasks and show them, nothing else.
    Tasks,
    /// The card's content now.
    Status,
    /// Who may do what here.
    Who,
    /// Why something was or was not done.
    Explain {
        /// A comment's id.
        about: Option<u64>,
    },
    /// Start a workflow of a definition.
    Run {
        /// Its name.
        definition: String,
        /// What it is given: name and value.
        given: Vec<(String, String)>,
    },
    /// Approve what is shown.
    Approve {
        /// The digest it was shown with; without one, the digest on the card is meant.
        digest: Option<DigestPrefix>,
        /// The person's words.
        reason: Option<String>,
        /// Whether a review is to count as passed or failed, whatever it says.
        verdict: Option<ReviewVerdict>,
    },
    /// Choose a variant.
    Choose {
        /// Which.
        variant: Letter,
        /// The digest that the comparison was shown with; without one, the digest on the card is meant.
        digest: Option<DigestPrefix>,
        /// The person's words.
        reason: Option<String>,
    },
    /// Take an approval back.
    Unapprove {
        /// Whose; the person's own if nobody is named.
        of: Option<Login>,
    },
    /// Refuse what is shown.
    Reject {
        /// Never empty.
        reason: String,
    },
    /// Have it made again.
    Revise {
        /// What shall be different; never empty.
        text: String,
    },
    /// Change what is shown.
    Edit {
        /// The part that changes, such as one task; the whole if absent.
        item: Option<ItemKey>,
        /// Never empty unless there is a replacement.
        changes: Vec<FieldChange>,
        /// The whole artifact's new text; only without an item.
        replacement: Option<String>,
    },
    /// Add a task.
    Task {
        /// Has a title.
        fields: Vec<FieldChange>,
    },
    /// Answer a question.
    Answer {
        /// Its number, from 1.
        question: u32,
        /// Never empty.
        text: String,
    },
    /// Go on without answers.
    Skip {
        /// The person's words.
        reason: Option<String>,
    },
    /// Stop until released.
    Hold {
        /// The person's words.
        reason: Option<String>,
    },
    /// Release.
    Unhold,
    /// Try again what failed, or make one variant anew.
    Retry {
        /// Which variant, where one is meant.
        variant: Option<Letter>,
    },
    /// End the workflow.
    Cancel {
        /// The person's words.
        reason: Option<String>,
    },
    /// Show a prompt that waits for an answer.
    Prompt {
        /// The phase or variant, where one is named.
        #[serde(default)]
        of: Option<String>,
    },
    /// Give an agent's answer by hand.
    Respond {
        /// The phase or variant that it is for, where one is named.
        #[serde(default)]
        of: Option<String>,
        /// The prompt that it is for, where one is named.
        #[serde(default)]
        prompt: Option<DigestPrefix>,
        /// The answer; never blank.
        text: String,
    },
}

impl Request {
    /// The name of the verb that makes such a request.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Help { .. } => "help",
            Self::Deliver => "deliver",
            Self::Tasks => "tasks",
            Self::Status => "status",
            Self::Who => "who",
            Self::Explain { .. } => "explain",
            Self::Run { .. } => "run",
            Self::Approve { .. } => "approve",
            Self::Choose { .. } => "choose",
            Self::Unapprove { .. } => "unapprove",
            Self::Reject { .. } => "reject",
            Self::Revise { .. } => "revise",
            Self::Edit { .. } => "edit",
            Self::Task { .. } => "task",
            Self::Answer { .. } => "answer",
            Self::Skip { .. } => "skip",
            Self::Hold { .. } => "hold",
            Self::Unhold => "unhold",
            Self::Retry { .. } => "retry",
            Self::Cancel { .. } => "cancel",
            Self::Prompt { .. } => "prompt",
            Self::Respond { .. } => "respond",
        }
    }

    /// The comment that makes this request: what a card or an answer offers to copy. Reading it gives the request
    /// back, unless a free text in it holds commands or Markdown of its own.
    pub fn hint(&self) -> String {
        let verb = self.verb();
        match self {
            Self::Deliver | Self::Tasks | Self::Status | Self::Who | Self::Unhold => format!("/{verb}"),
            Self::Prompt { of } => line(verb, of.iter()),
            Self::Retry { variant } => line(verb, variant.iter()),
            Self::Choose {
                variant,
                digest,
                reason,
            } => {
                let digest = digest.iter().map(ToString::to_string);
                with_text(
                    line(verb, std::iter::once(variant.to_string()).chain(digest)),
                    reason.as_deref(),
                )
            }
            Self::Help { verb: about } => line(verb, about.iter()),
            Self::Explain { about } => line(verb, about.iter()),
            Self::Run { definition, given } => {
                let given = given.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
                line(verb, std::iter::once(definition.clone()).chain(given))
            }
            Self::Unapprove { of } => line(verb, of.iter().map(|login| format!("@{login}"))),
            Self::Approve {
                digest,
                reason,
                verdict,
            } => {
                let digest = digest.iter().map(ToString::to_string);
                let verdict = verdict
                    .iter()
                    .map(|verdict| crate::chat::verbs::verdict_word(*verdict).to_owned());
                with_text(line(verb, digest.chain(verdict)), reason.as_deref())
            }
            Self::Answer { question, text } => format!("/{verb} {question} {text}"),
            Self::Skip { reason } | Self::Hold { reason } | Self::Cancel { reason } => {
                with_text(format!("/{verb}"), reason.as_deref())
            }
            Self::Reject { reason: text } | Self::Revise { text } => format!("/{verb} {text}"),
            Self::Task { fields } => line(verb, fields.iter()),
            Self::Edit {
                item,
                changes,
                replacement,
            } => {
                let parts = item
                    .iter()
                    .map(ToString::to_string)
                    .chain(changes.iter().map(ToString::to_string));
                match replacement {
                    Some(text) => format!("{}\n{}", line(verb, parts), fence(text)),
                    None => line(verb, parts),
                }
            }
            Self::Respond { of, prompt, text } => {
                let named = of.iter().cloned().chain(prompt.iter().map(ToString::to_string));
                format!("{}\n{}", line(verb, named), fence(text))
            }
        }
    }
}

fn line(verb: &str, arguments: impl Iterator<Item = impl fmt::Display>) -> String {
    arguments.fold(format!("/{verb}"), |line, argument| format!("{line} {argument}"))
}

/// On a line of its own, so that no word of it can be taken for an argument.
fn with_text(line: String, text: Option<&str>) -> String {
    match text {
        Some(text) => format!("{line}\n{text}"),
        None => line,
    }
}

fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{text}\n{fence}")
}

/// The beginning of a digest as people name it: 12 to 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestPrefix(String);

impl DigestPrefix {
    /// Takes 12 to 64 hex digits in either case.
    ///
    /// # Errors
    /// A sentence that says what a digest is.
    pub fn new(typed: &str) -> Result<Self, ArgumentProblem> {
        let is_digest =
            (Digest::SHORT..=64).contains(&typed.len()) && typed.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_digest {
            let expected = "12 to 64 hex digits, as they stand on the card";
            return Err(ArgumentProblem::BadValue {
                what: "digest",
                value: typed.to_owned(),
                expected,
            });
        }
        Ok(Self(typed.to_ascii_lowercase()))
    }

    /// The digits, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the digest begins with these digits.
    pub fn matches(&self, digest: &Digest) -> bool {
        digest.to_string().starts_with(&self.0)
    }
}

impl From<&Digest> for DigestPrefix {
    /// What a card shows of a digest.
    fn from(digest: &Digest) -> Self {
        Self(digest.short())
    }
}

impl TryFrom<String> for DigestPrefix {
    type Error = ArgumentProblem;

    fn try_from(typed: String) -> Result<Self, ArgumentProblem> {
        Self::new(&typed)
    }
}

impl From<DigestPrefix> for String {
    fn from(prefix: DigestPrefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A login as somebody typed it, in lower case and without `@`. A name, not an identity: the account behind it is
/// looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// Takes a login with or without `@`.
    ///
    /// # Errors
    /// What could not be a login on GitHub (letters, digits, `-`, and `_` for managed users; at most 39 and a suffix).
    pub fn new(typed: &str) -> Result<Self, ArgumentProblem> {
        let login = typed.strip_prefix('@').unwrap_or(typed);
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if login.is_empty() || login.len() > 60 || !login.chars().all(letters) {
            let expected = "one person's GitHub name, such as @octocat";
            return Err(ArgumentProblem::BadValue {
                what: "login",
                value: typed.to_owned(),
                expected,
            });
        }
        Ok(Self(login.to_ascii_lowercase()))
    }

    /// The login without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an item is called on the card: `t2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemKey(String);

impl ItemKey {
    /// Takes a key in either case.
    ///
    /// # Errors
    /// What no card calls an item.
    pub fn new(typed: &str) -> Result<Self, ArgumentProblem> {
        let mut letters = typed.chars();
        let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
        let goes_on = letters.all(|next| next.is_ascii_alphanumeric() || next == '-' || next == '_');
        if !begins || !goes_on || typed.len() > 40 {
            let expected = "as the card shows it, such as t2";
            return Err(ArgumentProblem::BadValue {
                what: "item",
                value: typed.to_owned(),
                expected,
            });
        }
        Ok(Self(typed.to_ascii_lowercase()))
    }

    /// Whether a word looks like an item (`t2`) rather than like the beginning of a sentence.
    pub fn is_meant_by(word: &str) -> bool {
        let number = word.strip_prefix(['t', 'T']).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    }

    /// The key, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How urgent a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Some day.
    Low,
    /// As usual.
    Medium,
    /// Before others.
    High,
    /// Now.
    Critical,
}

/// How big a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Estimate {
    /// Extra small.
    Xs,
    /// Small.
    S,
    /// Medium.
    M,
    /// Large.
    L,
    /// Extra large.
    Xl,
}

/// A field's new value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "field", content = "value", rename_all = "snake_case")]
pub enum FieldChange {
    /// One line, never blank, at most 256 characters (GitHub's limit for an issue's title).
    Title(String),
    /// Markdown.
    Body(String),
    /// Nobody if absent.
    Assignee(Option<Login>),
    /// All labels.
    Labels(Vec<String>),
    /// None if absent.
    Priority(Option<Priority>),
    /// None if absent.
    Estimate(Option<Estimate>),
    /// None if absent.
    Due(Option<NaiveDate>),
    /// The items that have to be done before.
    Depends(Vec<ItemKey>),
    /// Acceptance criteria.
    Criteria(Vec<String>),
    /// A mail's subject: one line, never blank.
    Subject(String),
    /// A mail's text.
    Text(String),
}

/// The longest title that GitHub takes for an issue.
const TITLE_LIMIT: usize = 256;

/// The names of fields, the first of each being the usual one.
const FIELDS: &[&[&str]] = &[
    &["title"],
    &["body", "description"],
    &["assign", "assignee"],
    &["labels", "label"],
    &["priority"],
    &["est", "estimate"],
    &["due"],
    &["depends"],
    &["criteria"],
    &["subject"],
    &["text"],
];

impl FieldChange {
    /// Reads `key=value`. An empty value or `none` clears what can be cleared.
    ///
    /// # Errors
    /// An unknown field (with the closest one), or a value that the field does not take.
    pub fn parse(key: &str, value: &str) -> Result<Self, ArgumentProblem> {
        let value = value.trim();
        let Some(names) = FIELDS.iter().find(|names| names.contains(&key)) else {
            return Err(ArgumentProblem::UnknownField {
                key: key.to_owned(),
                suggestion: closest_field(key),
            });
        };
        Ok(match names[0] {
            "title" => Self::Title(one_line("title", value)?),
            "body" => Self::Body(value.to_owned()),
            "assign" => Self::Assignee(unless_cleared(value, Login::new)?),
            "labels" => Self::Labels(list(value, &[','])),
            "priority" => Self::Priority(unless_cleared(value, priority)?),
            "est" => Self::Estimate(unless_cleared(value, estimate)?),
            "due" => Self::Due(unless_cleared(value, date)?),
            "depends" => {
                let keys = list(value, &[',', ' ']);
                Self::Depends(keys.iter().map(|key| ItemKey::new(key)).collect::<Result<_, _>>()?)
            }
            "criteria" => Self::Criteria(list(value, &[';', '\n'])),
            "subject" => Self::Subject(one_line("subject", value)?),
            _ => Self::Text(value.to_owned()),
        })
    }

    /// The usual name of the field in a command.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Title(_) => "title",
            Self::Body(_) => "body",
            Self::Assignee(_) => "assign",
            Self::Labels(_) => "labels",
            Self::Priority(_) => "priority",
            Self::Estimate(_) => "est",
            Self::Due(_) => "due",
            Self::Depends(_) => "depends",
            Self::Criteria(_) => "criteria",
            Self::Subject(_) => "subject",
            Self::Text(_) => "text",
        }
    }

    /// The new value as it is typed, without quotes; `none` where a field is cleared.
    pub fn value(&self) -> String {
        match self.patch().1 {
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                items.join(if matches!(self, Self::Criteria(_)) { "; " } else { "," })
            }
            Value::String(text) if matches!(self, Self::Assignee(_)) => format!("@{text}"),
            Value::String(text) => text,
            _ => "none".to_owned(),
        }
    }

    /// The property that changes in an artifact, and its new value.
    pub fn patch(&self) -> (&'static str, Value) {
        match self {
            Self::Title(text) => ("title", json!(text)),
            Self::Body(text) => ("body", json!(text)),
            Self::Assignee(login) => ("assignee", json!(login)),
            Self::Labels(labels) => ("labels", json!(labels)),
            Self::Priority(priority) => ("priority", json!(priority)),
            Self::Estimate(estimate) => ("estimate", json!(estimate)),
            Self::Due(date) => ("due_date", json!(date)),
            Self::Depends(keys) => ("depends_on", json!(keys)),
            Self::Criteria(criteria) => ("acceptance_criteria", json!(criteria)),
            Self::Subject(text) => ("subject", json!(text)),
            Self::Text(text) => ("text", json!(text)),
        }
    }
}

impl fmt::Display for FieldChange {
    /// As it is typed: `title="Write it"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name(), quoted(&self.value()))
    }
}

fn closest_field(key: &str) -> Option<&'static str> {
    let names = FIELDS.iter().flat_map(|names| names.iter().copied());
    let (distance, name) = names.map(|name| (strsim::osa_distance(key, name), name)).min()?;
    (distance <= 2 && distance < name.len()).then_some(name)
}

fn one_line(what: &'static str, value: &str) -> Result<String, ArgumentProblem> {
    if value.is_empty() || value.contains('\n') || value.chars().count() > TITLE_LIMIT {
        let expected = "one line of 1 to 256 characters";
        return Err(ArgumentProblem::BadValue {
            what,
            value: value.to_owned(),
            expected,
        });
    }
    Ok(value.to_owned())
}

fn list(value: &str, separators: &[char]) -> Vec<String> {
    if value.eq_ignore_ascii_case("none") {
        return Vec::new();
    }
    value
        .split(separators)
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn unless_cleared<T>(
    value: &str,
    parse: impl Fn(&str) -> Result<T, ArgumentProblem>,
) -> Result<Option<T>, ArgumentProblem> {
    if value.is_empty() || value.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    parse(value).map(Some)
}

fn priority(value: &str) -> Result<Priority, ArgumentProblem> {
    match value.to_ascii_lowercase().as_str() {
        "low" => Ok(Priority::Low),
        "medium" => Ok(Priority::Medium),
        "high" => Ok(Priority::High),
        "critical" => Ok(Priority::Critical),
        _ => Err(ArgumentProblem::BadValue {
            what: "priority",
            value: value.to_owned(),
            expected: "low, medium, high, critical or none",
        }),
    }
}

fn estimate(value: &str) -> Result<Estimate, ArgumentProblem> {
    match value.to_ascii_uppercase().as_str() {
        "XS" => Ok(Estimate::Xs),
        "S" => Ok(Estimate::S),
        "M" => Ok(Estimate::M),
        "L" => Ok(Estimate::L),
        "XL" => Ok(Estimate::Xl),
        _ => Err(ArgumentProblem::BadValue {
            what: "estimate",
            value: value.to_owned(),
            expected: "XS, S, M, L, XL or none",
        }),
    }
}

fn date(value: &str) -> Result<NaiveDate, ArgumentProblem> {
    NaiveDate::parse_from_str(value, "%Y-%m-%d").map_err(|_| ArgumentProblem::BadValue {
        what: "date",
        value: value.to_owned(),
        expected: "written as 2026-12-01, or none",
    })
}

#[cfg(test)]
mod tests;
