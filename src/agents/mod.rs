//! Agents: one file each, with what it reads, its prompt, its schema and the host's own checks.
//!
//! An agent holds no credential and does nothing outside: it is a set of pure functions from facts that the engine
//! gathered to a proposal that people may approve. Its text comes from a provider; whichever that is, the same checks
//! judge it.

mod amend;
mod answer;
pub mod approver;
pub mod choice;
mod definitions;
pub mod email;
pub mod extract;
mod facts;
mod inputs;
pub mod made;
mod outbound;
mod prompt;
pub mod scan;
mod template;
pub mod tickets;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use amend::Amendment;
pub use answer::value as json_in;
pub use definitions::{Names, RULED_PROMPTS, has_rules, has_verdict, names, whole};
pub use facts::{misshapen, secret_in, touched, unsafe_path};
pub use inputs::{Earlier, Entry, Guide, Handed, Inputs, LeftOut, Limits, Mailing, Material, OpenedTask, Thread};
pub use outbound::{outbound, outbound_guide, refused};
pub use prompt::{PROMPT_SCHEMA, Prompt};

use crate::text::harmless::attempts::Attempts;
use crate::workflow::act::Act;
use crate::workflow::definition::{Definition, Phase};
use crate::workflow::ids::Digest;

/// What an agent works from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A discussion.
    Thread,
    /// Opened issues and recipients.
    Mailing,
    /// A discussion, what was given at the start, and what earlier phases made.
    Material,
}

/// Every agent. A definition names them; adding one is adding a file and a line here.
pub const AGENTS: &[&Agent] = &[&extract::AGENT, &email::AGENT];

/// An agent: a role that turns inputs into a proposal.
#[derive(Debug, Clone)]
pub struct Agent {
    /// How a definition names it: one of the program's own by its name, one of a definition by its prompt's.
    pub name: Cow<'static, str>,
    /// The name of its output's schema, with a version.
    pub schema_name: Cow<'static, str>,
    /// The JSON schema of a provider's answer, in the subset that every model's strict mode takes.
    pub schema: Cow<'static, str>,
    /// What it is told of its role before the prompt; empty for none.
    pub role: Cow<'static, str>,
    /// What every prompt of the definition holds its answers to.
    pub standards: Option<Standards>,
    /// The prompt, a minijinja template in two parts. Untrusted text reaches only the second, as an encoded data block.
    pub prompt_template: Cow<'static, str>,
    /// What it works from.
    pub works_from: InputKind,
    brief: fn(&Inputs) -> Result<prompt::Brief, WrongInputs>,
    check: fn(Value, &Inputs) -> Result<Draft, Vec<Problem>>,
    amend: fn(&Agent, &Value, &Amendment, &Inputs) -> Result<Draft, String>,
}

/// Standards that a definition names: a text that its prompts can show, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standards {
    /// The template's name.
    pub name: String,
    /// The text.
    pub text: Cow<'static, str>,
}

impl Standards {
    /// SHA-256 of the text: which standards an answer was held to.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(self.text.as_bytes())
    }

    /// For people: which standards a prompt has.
    pub fn note(&self) -> String {
        format!("Standards `{}`, SHA-256 `{}`.", self.name, self.digest())
    }
}

impl Agent {
    /// The schema of its answers, as JSON.
    pub fn schema_value(&self) -> Value {
        serde_json::from_str(&self.schema).expect("the embedded schemas are JSON; a test reads them all")
    }
}

/// The agent of that name.
pub fn find(name: &str) -> Option<&'static Agent> {
    AGENTS.iter().copied().find(|agent| agent.name == name)
}

/// The agent of a definition's phase: one of the program's own, or the one that the definition makes of a prompt and a
/// schema, in the name of the phase's role.
pub fn of_phase(definition: &Definition, phase: &Phase) -> Option<Agent> {
    let agent = match (&phase.agent, &phase.prompt, &phase.schema) {
        (Some(name), _, _) => of_the_program(definition, name)?,
        (None, Some(prompt), Some(schema)) => made::agent(prompt, template_of(definition, prompt)?, schema)?,
        (None, prompt, None) if phase.chooses.is_some() => {
            let name = prompt.as_deref().unwrap_or(choice::PROMPT);
            choice::agent(name, template_of(definition, name)?)
        }
        _ => return None,
    };
    let role = phase.role.as_ref().and_then(|role| definition.roles.get(role));
    let told = role.and_then(|role| role.prompt.as_deref());
    Some(Agent {
        role: with_instruction(
            told.and_then(|name| template_of(definition, name)).unwrap_or_default(),
            phase,
        ),
        standards: standards_of(definition),
        ..agent
    })
}

/// What an agent is told of its role, and of the variant that it makes.
fn with_instruction(role: Cow<'static, str>, phase: &Phase) -> Cow<'static, str> {
    let Some(variant) = &phase.variant else { return role };
    let told = match (&variant.title, &variant.instruction) {
        (None, None) => return role,
        (Some(title), None) => format!("You make one of several variants of this: {title}."),
        (None, Some(instruction)) => format!("You make one of several variants of this. {instruction}"),
        (Some(title), Some(instruction)) => {
            format!("You make one of several variants of this: {title}. {instruction}")
        }
    };
    match role.trim() {
        "" => Cow::Owned(told),
        role => Cow::Owned(format!("{role}\n\n{told}")),
    }
}

/// One of the program's own agents, with the template that the workflow started with.
fn of_the_program(definition: &Definition, name: &str) -> Option<Agent> {
    let agent = find(name)?.clone();
    Some(match definition.templates.get(name).cloned() {
        Some(kept) => Agent {
            prompt_template: Cow::Owned(kept),
            ..agent
        },
        None => agent,
    })
}

/// A template by its name: the definition's own before the program's, and the program's as it was when the workflow
/// started before the program's as it is.
fn template_of(definition: &Definition, name: &str) -> Option<Cow<'static, str>> {
    let own = definition.prompts.get(name).or_else(|| definition.templates.get(name));
    own.cloned().map(Cow::Owned).or_else(|| prompt::template(name))
}

/// The standards that a definition names.
fn standards_of(definition: &Definition) -> Option<Standards> {
    let name = definition.standards.clone()?;
    let text = template_of(definition, &name)?;
    Some(Standards { name, text })
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
    agent: String,
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
    #[error("the prompt template `{agent}` failed: {source}")]
    Template {
        /// Whose template.
        agent: String,
        /// How many lines of it stand above the part that failed.
        above: usize,
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

/// The prompt with nothing to work from: every real one is longer. Nothing where the template fails.
pub fn shortest_prompt(agent: &Agent) -> Option<Prompt> {
    prompt::trial(agent).ok()
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

/// Members of an answer that repeat or name what the host handed out, and the text of files, in which an annotation is
/// no mention: they do nothing by themselves.
const REPEATING: [&str; 7] = ["quote", "assignee", "key", "ref", "depends_on", "due_date", "writes"];

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
    (agent.amend)(agent, artifact, amendment, inputs)
}

/// A person's edit of a prompt before it is sent: the program's words may be put differently, the data stays.
///
/// # Errors
/// A sentence for the person.
pub fn amend_prompt(prompt: &Value, amendment: &Amendment) -> Result<Draft, String> {
    let Amendment::Replace(text) = amendment else {
        return Err(
            "a prompt is changed as a whole: put its new instructions in a fenced block below `/edit`".to_owned(),
        );
    };
    let mut prompt: Prompt = serde_json::from_value(prompt.clone())
        .map_err(|error| format!("the prompt on record cannot be read: {error}"))?;
    prompt.system.clone_from(text);
    Ok(prompt.draft())
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
