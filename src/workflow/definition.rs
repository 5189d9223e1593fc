//! A definition: a directed acyclic graph of phases, as data, validated when it is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::gate::{Candidate, Excluded, Quorum};
use super::ids::PhaseId;
use super::right::Right;

/// A definition as its file holds it. The whole of it is stored in a workflow's first event, so a workflow in flight
/// keeps the definition that it started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What `/…` and the lists call it.
    pub name: String,
    /// Raised by hand when the graph changes.
    pub version: u32,
    /// One line for people.
    pub title: String,
    /// The nodes, in the order in which a card lists them.
    pub phases: Vec<Phase>,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name within the definition.
    pub id: PhaseId,
    /// What a card calls it.
    pub title: String,
    /// Phases that must be complete before this one starts.
    #[serde(default)]
    pub needs: Vec<PhaseId>,
    /// The agent that proposes an artifact.
    #[serde(default)]
    pub agent: Option<String>,
    /// Phases whose artifacts and outcomes the agent is given.
    #[serde(default)]
    pub inputs: Vec<PhaseId>,
    /// What must hold before the artifact counts.
    #[serde(default)]
    pub gate: Gate,
    /// The phase whose approved acts this one carries out; its own name means its own.
    #[serde(default)]
    pub executes: Option<PhaseId>,
    /// Caps of this phase.
    #[serde(default)]
    pub limits: Limits,
}

/// What must hold before a workflow goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Gate {
    /// Nothing.
    #[default]
    None,
    /// A person with the right approves exactly what was shown.
    People(PeopleGate),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExpiry {
    /// The people are named once more, and the time starts anew.
    #[default]
    Remind,
    /// The proposal is rejected.
    Reject,
}

/// Caps of a phase. Reaching one is a state, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How many iterations (first run and revisions) there may be.
    #[serde(default = "ten")]
    pub iterations: u32,
    /// How many times one gate reminds.
    #[serde(default = "three")]
    pub reminders: u32,
    /// How many minutes one run of the agent may take, with all that is tried again.
    #[serde(default = "an_hour")]
    pub minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            iterations: ten(),
            reminders: three(),
            minutes: an_hour(),
        }
    }
}

fn ten() -> u32 {
    10
}

fn three() -> u32 {
    3
}

fn an_hour() -> u32 {
    60
}

/// The longest that a gate may wait: far from where adding it to a time would overflow.
const HOURS_OF_A_YEAR: u32 = 8760;

/// Why a definition cannot be used, one sentence a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Invalid {}

impl Definition {
    /// Reads a definition from YAML and validates it; `agents` are the names that exist.
    ///
    /// # Errors
    /// Every mistake at once, each a sentence.
    pub fn parse(yaml: &str, agents: &[&str]) -> Result<Self, Invalid> {
        let definition: Self = serde_saphyr::from_str(yaml).map_err(|error| Invalid(vec![error.to_string()]))?;
        let mistakes = definition.mistakes(agents);
        if mistakes.is_empty() {
            Ok(definition)
        } else {
            Err(Invalid(mistakes))
        }
    }

    /// The phase of that name.
    pub fn phase(&self, id: &PhaseId) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == *id)
    }

    fn mistakes(&self, agents: &[&str]) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.phases.is_empty() {
            mistakes.push(format!("{}: there are no phases", self.name));
        }
        let mut seen = BTreeSet::new();
        for phase in &self.phases {
            let id = &phase.id;
            if !seen.insert(id.clone()) {
                mistakes.push(format!("phase {id}: the name is used twice"));
            }
            for other in phase.needs.iter().chain(&phase.inputs).chain(&phase.executes) {
                if self.phase(other).is_none() {
                    mistakes.push(format!("phase {id}: there is no phase {other}"));
                }
            }
            match &phase.agent {
                Some(agent) if !agents.contains(&agent.as_str()) => {
                    mistakes.push(format!(
                        "phase {id}: there is no agent {agent} (there are {})",
                        agents.join(", ")
                    ));
                }
                None if phase.executes.is_none() => {
                    mistakes.push(format!("phase {id}: it has neither an agent nor anything to execute"));
                }
                _ => {}
            }
            let hours = match &phase.gate {
                Gate::People(gate) => {
                    mistakes.extend(
                        gate.mistakes()
                            .into_iter()
                            .map(|mistake| format!("phase {id}: {mistake}")),
                    );
                    gate.expires_after_hours
                }
                Gate::None => None,
            };
            if hours.is_some_and(|hours| !(1..=HOURS_OF_A_YEAR).contains(&hours)) {
                mistakes.push(format!(
                    "phase {id}: expires_after_hours must be from 1 to {HOURS_OF_A_YEAR}"
                ));
            }
            if phase.limits.iterations == 0 {
                mistakes.push(format!("phase {id}: limits.iterations must be at least 1"));
            }
        }
        if mistakes.is_empty() {
            mistakes.extend(self.mistakes_of_order());
        }
        mistakes
    }

    /// Mistakes that can be looked for once every name is known to exist.
    fn mistakes_of_order(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let before = match self.ancestors() {
            Ok(before) => before,
            Err(cycle) => return vec![format!("phase {cycle}: it needs itself, directly or through others")],
        };
        for phase in &self.phases {
            let id = &phase.id;
            for input in &phase.inputs {
                if !before[id].contains(input) {
                    mistakes.push(format!("phase {id}: it takes from {input} but does not need it"));
                }
            }
            let Some(source) = &phase.executes else { continue };
            let mut earlier = self.phases.iter().take_while(|other| other.id != *id);
            if let Some(other) = earlier.find(|other| other.executes.as_ref() == Some(source)) {
                mistakes.push(format!(
                    "phase {id}: {} carries out what {source} proposed already",
                    other.id
                ));
            }
            let proposer = self.phase(source).expect("checked to exist");
            if proposer.agent.is_none() {
                mistakes.push(format!("phase {id}: it executes {source}, which proposes nothing"));
            } else if !matches!(proposer.gate, Gate::People(_)) {
                mistakes.push(format!(
                    "phase {id}: what it executes leaves, so {source} needs a gate of people"
                ));
            }
            if source != id {
                if !before[id].contains(source) {
                    mistakes.push(format!("phase {id}: it executes {source} but does not need it"));
                }
                if phase.agent.is_some() {
                    mistakes.push(format!(
                        "phase {id}: it has an agent and executes what {source} proposed; make two"
                    ));
                }
            }
        }
        mistakes
    }

    /// All that lies before each phase, or a phase on a cycle.
    fn ancestors(&self) -> Result<BTreeMap<&PhaseId, BTreeSet<&PhaseId>>, &PhaseId> {
        let mut before: BTreeMap<&PhaseId, BTreeSet<&PhaseId>> = BTreeMap::new();
        let mut open: Vec<&Phase> = self.phases.iter().collect();
        while !open.is_empty() {
            let (ready, waiting): (Vec<&Phase>, Vec<&Phase>) = open
                .iter()
                .partition(|phase| phase.needs.iter().all(|need| before.contains_key(need)));
            if ready.is_empty() {
                return Err(&waiting[0].id);
            }
            for phase in ready {
                let mut all: BTreeSet<&PhaseId> = phase.needs.iter().collect();
                for need in &phase.needs {
                    all.extend(before[need].iter().copied());
                }
                before.insert(&phase.id, all);
            }
            open = waiting;
        }
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENTS: &[&str] = &["extract", "email"];

    fn mistakes(phases: &str) -> String {
        let yaml = format!("name: d\nversion: 1\ntitle: t\nphases:\n{phases}");
        Definition::parse(&yaml, AGENTS)
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
                "at least 1",
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
}
