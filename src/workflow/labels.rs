//! Labels that mirror where a workflow stands: which of them its subject should have, by its state alone.
//!
//! A definition names them at its phases. They are for people and their searches; nothing is decided by them, and whoever
//! sets one by hand starts nothing. What stands on the subject beside them is other people's and is left alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::definition::{Definition, Phase};
use super::event::Event;
use super::state::{PhaseStatus, State, Status, SubjectKind};

/// The longest name of a label that GitHub takes, in characters.
pub const LONGEST: usize = 50;

/// The most labels of one definition: GitHub lets a subject have 100, and people want some.
pub const MOST: usize = 50;

/// The beginning of the names of labels by which people speak to the bot: none of them mirrors anything.
pub const SPOKEN: &str = "countersign:";

/// Whether people speak by setting a label of this name.
pub fn is_spoken(name: &str) -> bool {
    folded(name).starts_with(SPOKEN)
}

/// The labels of a phase, as its definition names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// One, while the phase is under way: it has begun, is not done, and has not failed.
    UnderWay(String),
    /// One for each of these statuses. That of `completed` stays when the workflow is complete.
    At(BTreeMap<PhaseStatus, String>),
}

impl Label {
    /// The label of a status.
    pub fn at(&self, status: PhaseStatus) -> Option<&str> {
        match self {
            Self::UnderWay(name) => is_under_way(status).then_some(name.as_str()),
            Self::At(names) => names.get(&status).map(String::as_str),
        }
    }

    /// Every label that it names, each with the status that it is for, where it is for one.
    pub fn names(&self) -> impl Iterator<Item = (Option<PhaseStatus>, &str)> {
        let (one, each) = match self {
            Self::UnderWay(name) => (Some((None, name.as_str())), None),
            Self::At(names) => (None, Some(names)),
        };
        let each = each.into_iter().flatten();
        one.into_iter()
            .chain(each.map(|(status, name)| (Some(*status), name.as_str())))
    }
}

/// Whether a phase has begun and is not over. One that carries out acts is at work until the last of them has ended.
fn is_under_way(status: PhaseStatus) -> bool {
    match status {
        PhaseStatus::Running
        | PhaseStatus::WaitingForHuman
        | PhaseStatus::ReadyForReview
        | PhaseStatus::Rejected
        | PhaseStatus::Approved => true,
        PhaseStatus::Blocked | PhaseStatus::Draft | PhaseStatus::Error | PhaseStatus::Completed => false,
    }
}

/// When a label of this status stands, for whoever writes one.
fn when(status: PhaseStatus) -> &'static str {
    match status {
        PhaseStatus::Blocked => "While it waits for the phases that it needs.",
        PhaseStatus::Draft => "While its prompt waits at its gate.",
        PhaseStatus::Running => "While its agent, or a child, is at work.",
        PhaseStatus::WaitingForHuman => "While a person must answer.",
        PhaseStatus::ReadyForReview => "While what it made waits at its gate.",
        PhaseStatus::Approved => "While what was approved is carried out.",
        PhaseStatus::Rejected => "After somebody said no, until it goes on.",
        PhaseStatus::Error => "After it failed, until somebody has it tried again.",
        PhaseStatus::Completed => "Once it is done; it stays when the workflow is complete.",
    }
}

/// Written by hand: what the derive makes of an untagged enum tells whoever mistyped a status nothing.
impl JsonSchema for Label {
    fn schema_name() -> Cow<'static, str> {
        "Label".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let label = |when: &str| serde_json::json!({ "description": when, "type": "string", "minLength": 1, "maxLength": LONGEST });
        let statuses: serde_json::Map<String, serde_json::Value> = PhaseStatus::ALL
            .iter()
            .filter_map(|status| {
                Some((
                    serde_json::to_value(status).ok()?.as_str()?.to_owned(),
                    label(when(*status)),
                ))
            })
            .collect();
        schemars::json_schema!({
            "description": "A label that the subject has while this phase is under way, or one for each of some statuses.",
            "type": ["string", "object"],
            "minLength": 1,
            "maxLength": LONGEST,
            "properties": statuses,
            "additionalProperties": false,
            "minProperties": 1,
            "$comment": "name a label at one status at least",
        })
    }
}

impl Definition {
    /// Whether its workflows mirror where they stand.
    pub fn has_labels(&self) -> bool {
        self.phases.iter().any(|phase| phase.label.is_some())
    }

    /// Every label by which its workflows mirror where they stand, each with the phases that it is of.
    pub fn labels(&self) -> BTreeMap<&str, Vec<&Phase>> {
        let mut labels: BTreeMap<&str, Vec<&Phase>> = BTreeMap::new();
        for phase in &self.phases {
            for (_, name) in phase.label.iter().flat_map(Label::names) {
                let phases = labels.entry(name).or_default();
                if phases.last().is_none_or(|last| last.id != phase.id) {
                    phases.push(phase);
                }
            }
        }
        labels
    }
}

/// The labels that the subject of a workflow should have of those that its definition names. While it goes on, held or not,
/// they are those of its phases; when it is complete, those of what is completed; when it was ended, none. A variant that
/// somebody passed over counts for what it made, if it did.
pub fn shown(state: &State) -> BTreeSet<&str> {
    // A folder has no labels.
    if state.subject.kind == SubjectKind::Folder {
        return BTreeSet::new();
    }
    let counts = |phase: &&Phase| match (&state.status, state.at(&phase.id).status) {
        (Status::Cancelled { .. }, _) => false,
        (_, PhaseStatus::Completed) => true,
        (Status::Completed, _) => false,
        (Status::Open, _) => !state.is_passed_over(&phase.id),
    };
    let phases = state.definition.phases.iter().filter(counts);
    phases
        .filter_map(|phase| phase.label.as_ref()?.at(state.at(&phase.id).status))
        .collect()
}

/// Whether what happened asks for the labels to be looked at: others should stand than before, or a workflow begins, and
/// those of one that was there before it may have been left.
pub(super) fn asked_for(before: Option<&State>, after: &State, events: &[Event]) -> bool {
    if !after.definition.has_labels() || after.subject.kind == SubjectKind::Folder {
        return false;
    }
    let forks = events.iter().any(|event| matches!(event, Event::Forked { .. }));
    match before {
        Some(before) if !forks => shown(before) != shown(after),
        _ => true,
    }
}

/// How what stands on a subject differs from what should.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// What should stand there and does not.
    pub missing: BTreeSet<String>,
    /// What stands there and should not, as it is written there.
    pub stray: BTreeSet<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.stray.is_empty()
    }

    /// How the labels of a workflow's subject differ from what its state asks for. Only those that its definition names are
    /// looked at. `others` are the definitions of workflows that came to the subject since: what they name is theirs.
    pub fn of<'a>(state: &State, present: &[String], others: impl Iterator<Item = &'a Definition>) -> Self {
        let theirs: BTreeSet<String> = others
            .flat_map(|other| other.labels().into_keys().map(folded).collect::<Vec<_>>())
            .collect();
        let named = state.definition.labels();
        let own: BTreeSet<String> = named.keys().map(|name| folded(name)).collect();
        let own: BTreeSet<&String> = own.difference(&theirs).collect();
        let there: BTreeSet<String> = present.iter().map(|name| folded(name)).collect();
        let wanted: BTreeMap<String, &str> = shown(state).into_iter().map(|name| (folded(name), name)).collect();
        let missing = wanted
            .iter()
            .filter(|(name, _)| own.contains(name) && !there.contains(*name));
        let stray = present.iter().filter(|name| {
            let name = folded(name);
            own.contains(&name) && !wanted.contains_key(&name)
        });
        Self {
            missing: missing.map(|(_, name)| (*name).to_owned()).collect(),
            stray: stray.cloned().collect(),
        }
    }
}

/// A name as GitHub compares it: it takes names that differ only in case as one.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}
