//! A definition: a directed acyclic graph of phases, as data, validated when it is loaded.

mod each;
mod gates;
mod given;
mod graph;
mod judges;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::{Candidate, Excluded, Quorum};
use super::ids::PhaseId;
use super::labels::Label;
use super::right::Right;
use super::variants::{Criterion, Variant, Variants};
pub use each::{ForEach, ItemField, Wait};
pub use gates::Gate;
pub use given::{Input, InputType, Misgiven};
pub use validate::nearest;

/// A definition as its file holds it. The whole of it is stored in a workflow's first event, so a workflow in flight
/// keeps the definition that it started with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What `/…` and the lists call it.
    pub name: String,
    /// Raised by hand when the graph changes.
    #[schemars(range(min = 1, max = u32::MAX))]
    pub version: u32,
    /// One line for people.
    pub title: String,
    /// What is given when a workflow starts: name to what may stand there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Input>,
    /// In whose name agents speak: name to role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// What answers are held to, the name of a template: prompts show it with `{{ standards.text }}`, and its SHA-256
    /// with `{{ standards.sha256 }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub standards: Option<String>,
    /// Files of the repository that say how work is done in it, such as `[AGENTS.md, CLAUDE.md]`: the first that is there
    /// on the default branch stands in a section of its own in each prompt that asks for something to be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_GUIDELINES))]
    pub guidelines: Vec<String>,
    /// Prompt templates of its own, looked for before the program's: name to text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// The nodes, in the order in which a card lists them.
    pub phases: Vec<Phase>,
    /// The definitions of the children of its phases, by name: put there when a workflow starts, never in a file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub children: BTreeMap<String, Definition>,
    /// The texts of the program's templates that it uses, as they were when a workflow started: put there then, never in
    /// a file, so that another version of the program changes nothing of what runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub templates: BTreeMap<String, String>,
}

/// In whose name an agent speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What people call it.
    pub title: String,
    /// What it is told before every prompt: the name of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub prompt: Option<String>,
    /// Where its text comes from, unless the repository says otherwise: `rules`, `manual` or `http:NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub provider: Option<String>,
}

/// The schema of files that are written whole.
const FILES: &str = "files.v1";

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name within the definition.
    pub id: PhaseId,
    /// What a card calls it.
    pub title: String,
    /// A label that mirrors on the subject where this phase stands: while it is under way, or status to label. One of
    /// `completed` stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Label")]
    pub label: Option<Label>,
    /// Phases that must be complete before this one starts.
    #[serde(default)]
    pub needs: Vec<PhaseId>,
    /// One of the program's own agents, which proposes an artifact.
    #[serde(default)]
    #[schemars(with = "String")]
    pub agent: Option<String>,
    /// The prompt template of an agent that the definition makes: it proposes an artifact by `schema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub prompt: Option<String>,
    /// The schema of what is proposed for `prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub schema: Option<String>,
    /// The role in whose name the agent speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub role: Option<String>,
    /// Where the agent's text comes from, whatever the repository says: a phase of a person is `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub provider: Option<String>,
    /// Whether its prompt holds the guidelines that the definition names, where it has a `prompt` and a `schema`.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub guidelines: bool,
    /// Phases whose artifacts and outcomes the agent is given.
    #[serde(default)]
    pub inputs: Vec<PhaseId>,
    /// Whether people answer the questions that it proposes, and it runs again with the answers until it knows enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// What must hold before the prompt is sent.
    #[serde(default, skip_serializing_if = "Gate::is_none")]
    pub prompt_gate: Gate,
    /// What must hold before the artifact counts.
    #[serde(default)]
    pub gate: Gate,
    /// Where a verdict of *fail* goes back to. The phases from there to here are run again, each in its next iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub on_fail: Option<PhaseId>,
    /// Begins only when a verdict goes back to it. Until then whoever needs it does not wait for it. Where it makes
    /// `files.v1`, its files lie over those of the phases that it needs and of its own earlier rounds: what it does not
    /// write stays, and whoever takes from both is given each file as it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_demand: bool,
    /// Makes it several times side by side, in as many ways: a number, or a list that says how each differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Variants")]
    pub variants: Option<Variants>,
    /// The phase among whose variants a person chooses here, by `/choose`. A `prompt` beside it asks for scores by model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub chooses: Option<PhaseId>,
    /// What the variants are compared by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rubric: Vec<Criterion>,
    /// What it is a variant of: set when a definition is made ready to run, and in no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub variant: Option<Variant>,
    /// The phase whose approved acts this one carries out; its own name means its own.
    #[serde(default)]
    #[schemars(with = "String")]
    pub executes: Option<PhaseId>,
    /// One child workflow for each issue that a phase opened, with phases and caps of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ForEach")]
    pub for_each: Option<ForEach>,
    /// Caps of this phase.
    #[serde(default)]
    pub limits: Limits,
}

impl Phase {
    /// Whether an agent, of the program's or the definition's own, proposes an artifact here. What people choose by is
    /// such an artifact.
    pub fn has_agent(&self) -> bool {
        self.agent.is_some() || self.prompt.is_some() || self.chooses.is_some()
    }

    /// Whether its artifact is files.
    pub fn makes_files(&self) -> bool {
        self.schema.as_deref() == Some(FILES)
    }

    /// Whether it mends the files of `other`, which it needs, or its own of an earlier round: what it writes lies over
    /// them, and what it does not write stays as it was.
    pub fn revises(&self, other: &PhaseId) -> bool {
        self.makes_files() && self.on_demand && (self.id == *other || self.needs.contains(other))
    }
}

/// A gate of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "super::gate::GateFile")]
pub struct PeopleGate {
    /// The least right that an approval needs.
    pub right: Right,
    /// How many different people must approve.
    #[serde(skip_serializing_if = "is_one")]
    pub quorum: u32,
    /// Whose approval counts; everybody's with the right when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<Candidate>,
    /// Further quorums, each to be met too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Quorum>,
    /// Whether an owner of each touched path that has owners must be among those who approved.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub code_owners: bool,
    /// Who does not count.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub exclude: BTreeSet<Excluded>,
    /// After how many hours without an answer something happens.
    pub expires_after_hours: Option<u32>,
    /// What happens then. Silence is never consent.
    pub on_expiry: OnExpiry,
}

fn is_one(quorum: &u32) -> bool {
    *quorum == 1
}

/// What happens when nobody answered in time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OnExpiry {
    /// The people are named once more, and the time starts anew.
    #[default]
    Remind,
    /// The proposal is rejected.
    Reject,
    /// It goes back to this phase, which begins its next iteration. Nothing of what waited is approved.
    Phase(PhaseId),
}

impl From<String> for OnExpiry {
    fn from(word: String) -> Self {
        match word.as_str() {
            "remind" => Self::Remind,
            "reject" => Self::Reject,
            phase => Self::Phase(phase.into()),
        }
    }
}

impl From<OnExpiry> for String {
    fn from(what: OnExpiry) -> Self {
        match what {
            OnExpiry::Remind => "remind".to_owned(),
            OnExpiry::Reject => "reject".to_owned(),
            OnExpiry::Phase(phase) => phase.as_str().to_owned(),
        }
    }
}

impl Phase {
    /// Where an expiry of either of its gates goes back to, with the gate's key.
    pub fn on_expiry(&self) -> impl Iterator<Item = (&'static str, &PhaseId)> {
        let gates = [("gate", &self.gate), ("prompt_gate", &self.prompt_gate)];
        gates
            .into_iter()
            .filter_map(|(key, gate)| match &gate.people()?.on_expiry {
                OnExpiry::Phase(phase) => Some((key, phase)),
                OnExpiry::Remind | OnExpiry::Reject => None,
            })
    }
}

/// Caps of a phase. Reaching one is a state, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How many iterations (first run and revisions) there may be.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = MOST_ITERATIONS))]
    pub iterations: u32,
    /// How many times one gate reminds.
    #[serde(default = "three")]
    pub reminders: u32,
    /// How often a response that people reject is tried again with what they said, before it waits for a person.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = MOST_RETRIES))]
    pub retries: u32,
    /// How many questions a phase that `asks` may ask in all its rounds.
    #[serde(default = "eight", skip_serializing_if = "is_eight")]
    #[schemars(range(min = 1, max = MOST_QUESTIONS))]
    pub questions: u32,
    /// How many minutes one run of the agent may take, with all that is tried again.
    #[serde(default = "an_hour")]
    #[schemars(range(min = 1, max = MINUTES_OF_A_DAY))]
    pub minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            iterations: ten(),
            reminders: three(),
            retries: 0,
            questions: eight(),
            minutes: an_hour(),
        }
    }
}

fn yes() -> bool {
    true
}

// serde hands it a reference.
fn is_yes(given: &bool) -> bool {
    *given
}

fn ten() -> u32 {
    10
}

fn three() -> u32 {
    3
}

fn eight() -> u32 {
    8
}

// serde hands it a reference.
fn is_eight(number: &u32) -> bool {
    *number == eight()
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn an_hour() -> u32 {
    60
}

/// The longest that a gate may wait: far from where adding it to a time would overflow.
pub(super) const HOURS_OF_A_YEAR: u32 = 8760;

/// The most files that guidelines are looked for in: each that is not there costs a call to GitHub.
pub const MOST_GUIDELINES: usize = 5;

/// The most iterations of a phase: a loop that has not ended by then is one that people must look at.
const MOST_ITERATIONS: u32 = 100;

/// The most times that an answer is tried again by itself.
pub const MOST_RETRIES: u32 = 10;

/// More than fit one comment that people read to its end.
const MOST_QUESTIONS: u32 = 20;

/// The longest that one run of an agent may take, in minutes: a day.
const MINUTES_OF_A_DAY: u32 = 1440;

/// The names that a definition may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The program's own agents.
    pub agents: &'a [&'a str],
    /// Prompt templates.
    pub prompts: &'a [&'a str],
    /// Schemas of artifacts.
    pub schemas: &'a [&'a str],
    /// Those of the schemas whose artifacts say what is done outside.
    pub acting: &'a [&'a str],
}

/// One mistake of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: the keys and positions that lead there; empty for the whole file.
    pub path: Vec<String>,
    /// The line of the text there, from 1, where that is what is wrong.
    pub line: Option<usize>,
    /// A sentence.
    pub text: String,
}

impl Mistake {
    /// A mistake at this path.
    pub fn at(path: &[&str], text: String) -> Self {
        Self {
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            line: None,
            text,
        }
    }
}

/// Why a definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<Mistake>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<&str> = self.0.iter().map(|mistake| mistake.text.as_str()).collect();
        f.write_str(&sentences.join("; "))
    }
}

impl std::error::Error for Invalid {}

impl Definition {
    /// Reads a definition from YAML and validates it against the names that exist.
    ///
    /// # Errors
    /// Every mistake at once, each a sentence.
    pub fn parse(yaml: &str, known: &Known<'_>) -> Result<Self, Invalid> {
        let definition: Self =
            serde_saphyr::from_str(yaml).map_err(|error| Invalid(vec![Mistake::at(&[], error.to_string())]))?;
        let mistakes = definition.mistakes(known);
        if mistakes.is_empty() {
            Ok(definition)
        } else {
            Err(Invalid(mistakes))
        }
    }

    /// What is wrong with it, given the names that exist; nothing for one that can be used.
    pub fn mistakes(&self, known: &Known<'_>) -> Vec<Mistake> {
        validate::mistakes(self, known)
    }

    /// The phase of that name.
    pub fn phase(&self, id: &PhaseId) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENTS: &[&str] = &["extract", "email"];

    fn mistakes(phases: &str) -> String {
        let yaml = format!("name: d\nversion: 1\ntitle: t\nphases:\n{phases}");
        let known = Known {
            agents: AGENTS,
            prompts: &["plan", "review", "revise"],
            schemas: &["document.v1", "review.v1"],
            acting: &[],
        };
        Definition::parse(&yaml, &known)
            .map(|_| String::new())
            .unwrap_or_else(|invalid| invalid.to_string())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let people = "gate: {people: {}}";
        for (phases, expected) in [
            ("  - {id: a, title: A}", "neither an agent"),
            ("  - {id: a, title: A, agent: nobody}", "no agent nobody"),
            ("  - {id: a, title: A, agent: extract, needs: [b]}", "no phase b"),
            ("  - {id: a, title: A, agent: extract, surprise: 1}", "surprise"),
            (
                "  - {id: a, title: A, agent: extract, executes: a}",
                "needs a gate of people",
            ),
            (
                "  - {id: a, title: A, agent: extract, needs: [b]}\n  - {id: b, title: B, agent: extract, needs: [a]}",
                "needs itself",
            ),
            (
                &format!("  - {{id: a, title: A, agent: extract, {people}}}\n  - {{id: b, title: B, executes: a}}"),
                "does not need it",
            ),
            (
                "  - {id: a, title: A, agent: extract}\n  - {id: a, title: A, agent: extract}",
                "used twice",
            ),
            (
                "  - {id: a, title: A, agent: extract}\n  - {id: b, title: B, agent: email, inputs: [a]}",
                "takes from a but does not need it",
            ),
            (
                "  - {id: a, title: A, agent: extract, limits: {iterations: 0}}",
                "from 1 to 100",
            ),
            (
                "  - {id: a, title: A, agent: extract}\nstandards: plam",
                "standards: there is no template plam; did you mean plan?",
            ),
        ] {
            let said = mistakes(phases);
            assert!(said.contains(expected), "{phases}\n{said}");
        }
        assert_eq!(
            mistakes(&format!(
                "  - {{id: a, title: A, agent: extract, {people}, executes: a}}"
            )),
            ""
        );
    }

    #[test]
    fn what_a_verdict_sends_back_may_take_from_what_sent_it_back() {
        let phases = |inputs: &str| {
            format!(
                "  - {{id: a, title: A, agent: extract, limits: {{iterations: 3}}}}\n  - {{id: b, title: B, agent: \
                 extract, needs: [a], inputs: [{inputs}]}}\n  - {{id: beside, title: X, agent: extract, needs: [a]}}\n  \
                 - {{id: c, title: C, prompt: review, schema: review.v1, needs: [b, beside], gate: {{people: {{}}}}, \
                 on_fail: a}}\n  - {{id: d, title: D, agent: extract, needs: [c]}}\n"
            )
        };
        assert_eq!(mistakes(&phases("a, b, c")), "");
        let said = mistakes(&phases("beside"));
        assert!(said.contains("takes from beside but does not need it"), "{said}");
        let said = mistakes(&phases("d"));
        assert!(said.contains("takes from d but does not need it"), "{said}");
    }
}
