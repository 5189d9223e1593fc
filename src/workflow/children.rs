//! Children: the workflows of a phase with `for_each`, as their parent sees them, and the parent as they see it.
//!
//! A parent knows its children by ids that follow from its own, the phase, the iteration, the item and the try, so that
//! starting one again is the same workflow. What becomes of a child is reported to it; hold and cancel are reported to
//! the child. Each of the two records in its own history what it heard.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::command::Refusal;
use super::decide::done;
use super::definition::{ForEach, Phase, Wait};
use super::event::{Event, HoldCause};
use super::ids::{IssueNumber, PhaseId, WorkflowId};
use super::plan::Intent;
use super::right::Person;
use super::state::{ActOutcome, Ending, PhaseState, PhaseStatus, State, Status};
use super::why::Why;
use super::words::Words;

/// The workflow that a child belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub workflow: WorkflowId,
    /// What it is anchored to, in the same repository.
    pub subject: IssueNumber,
    /// The phase whose child this is.
    pub phase: PhaseId,
    /// The act that opened the child's issue.
    pub key: ActKey,
    /// The workflows above the parent, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<WorkflowId>,
}

impl Parent {
    /// Every workflow above the child, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &WorkflowId> {
        std::iter::once(&self.workflow).chain(&self.above)
    }
}

/// A child as its parent knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its issue.
    pub issue: IssueNumber,
    /// The issue's page.
    pub url: String,
    /// The issue's title.
    pub title: String,
    /// Which try of this item it is, from 1.
    pub tries: u32,
    /// How it stands.
    pub standing: ChildStanding,
}

/// How a child stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum ChildStanding {
    /// It is to be started.
    Planned,
    /// It goes on.
    Open,
    /// It is held.
    Held,
    /// A phase of it failed or was rejected, and waits for somebody.
    Stopped {
        /// The phase's title.
        phase: String,
    },
    /// It is complete.
    Completed,
    /// It was ended.
    Cancelled {
        /// Why.
        reason: Words,
    },
    /// It could not be started.
    Refused {
        /// Why, for people.
        why: String,
    },
    /// There are more items than children are allowed, and it is one of those beyond.
    LeftOut,
}

impl ChildStanding {
    /// How a workflow stands, as its parent is told.
    pub fn of(state: &State) -> Self {
        match &state.status {
            Status::Completed => return Self::Completed,
            Status::Cancelled { reason, .. } => return Self::Cancelled { reason: reason.clone() },
            Status::Open if state.hold.is_some() => return Self::Held,
            Status::Open => {}
        }
        let stopped = state.first_at(&[PhaseStatus::Error, PhaseStatus::Rejected]);
        let phase = stopped.and_then(|id| state.definition.phase(id));
        phase.map_or(Self::Open, |phase| Self::Stopped {
            phase: phase.title.clone(),
        })
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Completed | Self::Cancelled { .. } | Self::Refused { .. } | Self::LeftOut => true,
            Self::Planned | Self::Open | Self::Held | Self::Stopped { .. } => false,
        }
    }

    /// Whether another try of it can be made.
    fn can_be_retried(&self) -> bool {
        matches!(self, Self::Cancelled { .. } | Self::Refused { .. })
    }
}

/// What a parent tells its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Above {
    /// It is held.
    Held {
        /// Who; nobody for the bot.
        by: Option<Person>,
        /// Why.
        reason: Words,
    },
    /// It goes on.
    GoesOn {
        /// Who let it go on.
        by: Person,
    },
    /// It was ended.
    Cancelled {
        /// Who; nobody for the bot.
        by: Option<Person>,
        /// Why.
        reason: Words,
    },
}

impl Above {
    /// What a workflow's children must know of it now; nothing where it went on all along.
    pub fn of(state: &State) -> Option<Self> {
        if let Status::Cancelled { by, reason } = &state.status {
            let (by, reason) = (by.clone(), reason.clone());
            return Some(Self::Cancelled { by, reason });
        }
        if !state.is_open() {
            return None;
        }
        if let Some(hold) = &state.hold {
            let (by, reason) = (hold.by.clone(), hold.reason.clone());
            return Some(Self::Held { by, reason });
        }
        let unheld = |entry: &&super::state::Entry| entry.what == super::state::What::Unheld;
        let by = state.record.iter().rev().find(unheld)?.by.clone()?;
        Some(Self::GoesOn { by })
    }
}

/// What a child makes of what its parent tells.
pub(super) fn heard(state: &State, above: &Above) -> Option<Vec<Event>> {
    state.parent.as_ref()?;
    let told = |what: &str, reason: &Words| -> Words {
        let reason = match reason.as_str().trim() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        format!("its parent {what}{reason}").into()
    };
    match above {
        // A hold of its own does not keep it when somebody lifts that one.
        Above::Held { by, reason } => (!held_with_parent(state)).then(|| {
            vec![Event::Held {
                surface: None,
                by: by.clone(),
                reason: told("was held", reason),
                cause: HoldCause::Parent,
            }]
        }),
        Above::GoesOn { by } => held_with_parent(state).then(|| {
            vec![Event::Unheld {
                surface: None,
                by: by.clone(),
            }]
        }),
        Above::Cancelled { by, reason } => Some(vec![Event::Cancelled {
            surface: None,
            by: by.clone(),
            reason: told("was cancelled", reason),
        }]),
    }
}

fn held_with_parent(state: &State) -> bool {
    state.hold.as_ref().is_some_and(|hold| hold.cause == HoldCause::Parent)
}

/// What a parent makes of what became of a child. It is recorded even when the parent has ended.
pub(super) fn told(
    state: &State,
    (phase, key): (&PhaseId, &ActKey),
    child: &WorkflowId,
    standing: &ChildStanding,
) -> Option<Vec<Event>> {
    let known = state.phases.get(phase)?.children.get(key)?;
    let news = known.workflow == *child && known.standing != *standing && !known.standing.is_over();
    news.then(|| {
        vec![Event::ChildChanged {
            phase: phase.clone(),
            key: key.clone(),
            child: child.clone(),
            standing: standing.clone(),
        }]
    })
}

/// What begins when a phase with children is unblocked.
pub(super) fn begins(state: &State, phase: &Phase, each: &ForEach) -> Event {
    let id = &phase.id;
    let iteration = state.at(id).iteration + 1;
    let items = items(state, each);
    let most = usize::try_from(each.max).unwrap_or(usize::MAX);
    if items.is_empty() {
        return Event::PhaseCompleted {
            phase: id.clone(),
            ending: Ending::Nothing {
                reason: "no issue was opened".to_owned(),
            },
        };
    }
    if items.len() > most && each.wait == Wait::All {
        return Event::Failed {
            phase: id.clone(),
            why: Why::TooManyItems {
                items: u32::try_from(items.len()).unwrap_or(u32::MAX),
                most: each.max,
            },
        };
    }
    let children = items.into_iter().enumerate().map(|(at, (key, (issue, url, title)))| {
        let child = Child {
            workflow: child_id(&state.id, id, iteration, key, 1),
            issue,
            url: url.to_owned(),
            title: title.to_owned(),
            tries: 1,
            standing: match at < most {
                true => ChildStanding::Planned,
                false => ChildStanding::LeftOut,
            },
        };
        (key.clone(), child)
    });
    Event::ChildrenStarted {
        phase: id.clone(),
        iteration,
        attempt: 1,
        children: children.collect(),
    }
}

/// The same cause, the same workflow.
fn child_id(parent: &WorkflowId, phase: &PhaseId, iteration: u32, key: &ActKey, tries: u32) -> WorkflowId {
    WorkflowId::derived(&format!("{parent}/{phase}/{iteration}/{key}/{tries}"))
}

/// The issues that the phase of the items opened, in the order of its acts.
fn items<'a>(state: &'a State, each: &ForEach) -> Vec<(&'a ActKey, (IssueNumber, &'a str, &'a str))> {
    let source = state
        .definition
        .phase(&each.items)
        .and_then(|items| items.executes.as_ref());
    let pending = source.and_then(|source| state.at(source).pending.as_ref());
    let outcomes = &state.at(&each.items).outcomes;
    let opened = |key: &'a ActKey| match outcomes.get(key)? {
        ActOutcome::IssueOpened { number, url, title, .. } => Some((key, (*number, url.as_str(), title.as_str()))),
        _ => None,
    };
    let tracking = ActKey::tracking();
    let acts = pending.into_iter().flat_map(|pending| &pending.acts);
    let acts = acts.filter(|key| **key != tracking);
    acts.filter_map(opened).collect()
}

/// Where a phase goes on whose children are at work; nothing while some are waited for.
pub(super) fn onwards(at: &PhaseState, phase: &Phase) -> Option<Event> {
    let each = phase.for_each.as_ref()?;
    let standings = || at.children.values().map(|child| &child.standing);
    let completed = standings()
        .filter(|standing| **standing == ChildStanding::Completed)
        .count();
    let over = standings().filter(|standing| standing.is_over()).count();
    let failed = || Event::Failed {
        phase: phase.id.clone(),
        why: Why::Children,
    };
    match each.wait {
        _ if completed == at.children.len() => Some(done(&phase.id)),
        Wait::All => (over > completed).then(failed),
        Wait::Done if over < at.children.len() => None,
        Wait::Done if completed > 0 => Some(done(&phase.id)),
        Wait::Done => Some(failed()),
    }
}

/// Another try of the children that did not complete.
pub(super) fn again(state: &State, phase: &Phase, each: &ForEach) -> Event {
    let at = state.at(&phase.id);
    if at.children.is_empty() {
        return begins(state, phase, each);
    }
    let retried = at.children.iter().filter(|(_, child)| child.standing.can_be_retried());
    let children: BTreeMap<ActKey, Child> = retried
        .map(|(key, child)| {
            let tries = child.tries + 1;
            let child = Child {
                workflow: child_id(&state.id, &phase.id, at.iteration, key, tries),
                tries,
                standing: ChildStanding::Planned,
                ..child.clone()
            };
            (key.clone(), child)
        })
        .collect();
    Event::ChildrenStarted {
        phase: phase.id.clone(),
        iteration: at.iteration,
        attempt: at.attempt + 1,
        children,
    }
}

/// The phase whose children are waited for, or did not all complete.
pub fn waiting(state: &State) -> Option<(&Phase, &ForEach)> {
    state.definition.phases.iter().find_map(|phase| {
        let at = state.at(&phase.id);
        let waits = matches!(at.status, PhaseStatus::Running | PhaseStatus::Error);
        let each = phase.for_each.as_ref().filter(|_| waits)?;
        Some((phase, each))
    })
}

/// Somebody wants to go on with the children that are done; nothing where none is waited for.
pub(super) fn skip(state: &State, by: &Person, reason: &str) -> Option<Result<Vec<Event>, Refusal>> {
    let (phase, each) = waiting(state)?;
    if each.wait == Wait::All {
        return Some(Err(Refusal::WaitsForAll {
            phase: phase.id.clone(),
        }));
    }
    Some(Ok(vec![
        Event::Skipped {
            surface: None,
            phase: phase.id.clone(),
            by: by.clone(),
            reason: reason.into(),
        },
        done(&phase.id),
    ]))
}

/// A child that is held because its parent is goes on with it only.
pub(super) fn held_above(state: &State) -> Option<Refusal> {
    let hold = state.hold.as_ref().filter(|hold| hold.cause == HoldCause::Parent)?;
    let parent = state.parent.as_ref()?;
    Some(Refusal::HeldAbove {
        parent: parent.subject,
        reason: hold.reason.clone(),
    })
}

/// Children that are to be started now.
pub(super) fn starts(state: &State) -> Vec<Intent> {
    let of = |phase: &Phase| {
        let children = state.at(&phase.id).children.iter();
        let planned = children.filter(|(_, child)| child.standing == ChildStanding::Planned);
        let intents: Vec<Intent> = planned
            .map(|(key, child)| Intent::StartChild {
                phase: phase.id.clone(),
                key: key.clone(),
                child: child.workflow.clone(),
            })
            .collect();
        intents
    };
    state.definition.phases.iter().flat_map(of).collect()
}

/// Every child that has not ended is told how its parent stands.
pub(super) fn tell_all(state: &State) -> Vec<Intent> {
    let all = state.phases.values().flat_map(|phase| phase.children.values());
    all.filter(|child| !child.standing.is_over())
        .map(|child| Intent::TellChild {
            child: child.workflow.clone(),
        })
        .collect()
}

/// Whether the parent may have to hear of it.
pub(super) fn concerns_parent(event: &Event) -> bool {
    matches!(
        event,
        Event::Failed { .. }
            | Event::Rejected { .. }
            | Event::Retried { .. }
            | Event::Revised { .. }
            | Event::Proposed { .. }
            | Event::Held { .. }
            | Event::Unheld { .. }
            | Event::Cancelled { .. }
            | Event::Completed
    )
}

/// What a fork records of the children of its origin: those that have not ended stay the origin's.
pub(super) fn left_to_the_origin(state: &State, origin: &WorkflowId) -> Vec<Event> {
    let mut events = Vec::new();
    for (phase, at) in &state.phases {
        for (key, child) in at.children.iter().filter(|(_, child)| !child.standing.is_over()) {
            events.push(Event::ChildChanged {
                phase: phase.clone(),
                key: key.clone(),
                child: child.workflow.clone(),
                standing: ChildStanding::Refused {
                    why: format!("it belongs to {origin}, and a fork starts no child anew by itself"),
                },
            });
        }
    }
    events
}
