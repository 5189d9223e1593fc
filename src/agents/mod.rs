//! Agents: one file each, with what it reads, its prompt, its schema and the host's own checks.
//!
//! An agent holds no credential and does nothing outside: it is a set of pure functions from facts that the engine
//! gathered to a proposal that people may approve. Its text comes from a provider; whichever that is, the same checks
//! judge it.

mod amend;
mod answer;
pub mod email;
pub mod extract;
mod inputs;
mod outbound;
mod prompt;
pub mod scan;
pub mod tickets;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use amend::Amendment;
pub use answer::value as json_in;
pub use inputs::{Earlier, Entry, Inputs, LeftOut, Limits, Mailing, OpenedTask, Thread};
pub use outbound::{outbound, refused};
pub use prompt::Prompt;

use crate::text::harmless::attempts::Attempts;
use crate::workflow::act::Act;

/// What an agent works from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A discussion.
    Thread,
    /// Opened issues and recipients.
    Mailing,
}

/// Every agent. A definition names them; adding one is adding a file and a line here.
pub const AGENTS: &[&Agent] = &[&extract::AGENT, &email::AGENT];

/// An agent: a role that turns inputs into a proposal.
#[derive(Debug)]
pub struct Agent {
    /// How a definition names it.
    pub name: &'static str,
    /// The name of its output's schema, with a version.
    pub schema_name: &'static str,
    /// The JSON schema of a provider's answer, in the subset that every model's strict mode takes.
    pub schema: &'static str,
    /// The prompt, a minijinja template in two parts. Untrusted text reaches only the second, as an encoded data block.
    pub prompt_template: &'static str,
    /// What it works from.
    pub works_from: InputKind,
    brief: fn(&Inputs) -> Result<prompt::Brief, WrongInputs>,
    check: fn(Value, &Inputs) -> Result<Draft, Vec<Problem>>,
    amend: fn(&Value, &Amendment, &Inputs) -> Result<Draft, String>,
}

impl Agent {
    /// The schema of its answers, as JSON.
    pub fn schema_value(&self) -> Value {
        serde_json::from_str(self.schema).expect("the embedded schemas are JSON; a test reads them all")
    }
}

/// The agent of that name.
pub fn find(name: &str) -> Option<&'static Agent> {
    AGENTS.iter().copied().find(|agent| agent.name == name)
}

/// What an agent proposes once the host has checked it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The host's own typed artifact, as JSON.
    pub artifact: Value,
    /// What an approval sets off, in order.
    pub acts: Vec<Act>,
    /// What people should know of an agent's answer: what was dropped or changed, and why. They stay when people edit it.
    pub notes: Vec<String>,
    /// What the acts leave out, and why; said anew with every change.
    pub planned: Vec<String>,
}

/// An agent was given inputs of another kind: a definition joins what does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent `{agent}` works from a {wanted}, and was given a {given}")]
pub struct WrongInputs {
    agent: &'static str,
    wanted: &'static str,
    given: &'static str,
}

/// Why a prompt could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The inputs are of another kind.
    #[error(transparent)]
    Inputs(#[from] WrongInputs),
    /// The template failed.
    #[error("the prompt template of `{agent}` failed")]
    Template {
        /// Whose template.
        agent: &'static str,
        /// What it failed with.
        source: minijinja::Error,
    },
}

/// Why an answer was not taken. The answer itself is kept with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What to do about it.
    pub kind: ProblemKind,
    /// A JSON pointer into the answer; empty for the whole.
    pub at: String,
    /// A sentence.
    pub text: String,
}

/// What a problem asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The answer is not JSON of the schema: asking again may help.
    Shape,
    /// The answer breaks a rule of the host: asking again may help.
    Rule,
    /// A limit of the repository's configuration must be raised first.
    Limit,
    /// It must not leave: a person has to look.
    Withheld,
}

impl Problem {
    /// Whether a model that is told of it may do better.
    pub fn is_repairable(&self) -> bool {
        matches!(self.kind, ProblemKind::Shape | ProblemKind::Rule)
    }

    fn new(kind: ProblemKind, at: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            kind,
            at: at.into(),
            text: text.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.text),
            at => write!(f, "at {at}: {}", self.text),
        }
    }
}

/// The prompt: the program's words, and apart from them the data.
pub fn prompt(agent: &Agent, inputs: &Inputs) -> Result<Prompt, PromptError> {
    prompt::write(agent, inputs)
}

/// What a model is told when its answer could not be used: the problems, and what to do.
pub fn repair(agent: &Agent, problems: &[Problem]) -> Result<String, PromptError> {
    prompt::repair(agent, problems)
}

/// Judges a provider's answer: JSON, schema, the host's checks. Every provider goes through here.
///
/// # Errors
/// All problems that were found, worst kind first to be read as sentences.
pub fn judge(agent: &Agent, answer: &str, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let value = answer::value(answer).map_err(|problem| vec![problem])?;
    answer::validate(agent, &value)?;
    let attempted = attempted(&value);
    let mut draft = (agent.check)(value, inputs)?;
    draft.notes.extend(attempted);
    Ok(draft)
}

/// Members of an answer that repeat or name what the host handed out: they do nothing by themselves.
const REPEATING: [&str; 6] = ["quote", "assignee", "key", "ref", "depends_on", "due_date"];

/// For people: what an answer's texts would have done if the checks had let them.
fn attempted(answer: &Value) -> Option<String> {
    let mut texts = Vec::new();
    strings(answer, &REPEATING, &mut texts);
    let mut all = Attempts::default();
    for text in texts {
        all += Attempts::of(text);
    }
    let words = all.words();
    (!words.is_empty()).then(|| format!("The answer held {words}; none of it has an effect."))
}

/// Every string of a JSON value but those of the members named.
fn strings<'v>(value: &'v Value, but: &[&str], into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, but, into)),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !but.contains(&name.as_str()))
            .for_each(|(_, value)| strings(value, but, into)),
        _ => {}
    }
}

/// A person's edit of a proposal, before it is approved.
///
/// # Errors
/// A sentence for the person.
pub fn amend(agent: &Agent, artifact: &Value, amendment: &Amendment, inputs: &Inputs) -> Result<Draft, String> {
    (agent.amend)(artifact, amendment, inputs)
}

/// ``; did you mean `x`?`` or nothing.
fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_lowercase();
    known
        .map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
