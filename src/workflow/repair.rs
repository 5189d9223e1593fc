//! What was found otherwise than it should be, and mended: part of the history, so that it can be told later why
//! something happened that no delivery told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::command::Report;
use super::event::Event;
use super::ids::{CommentId, IssueNumber, PhaseId};
use super::right::Person;
use super::state::{ActOutcome, State, Timestamp, What};

/// What became of an issue that a workflow opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is open, as it was opened.
    Open,
    /// Somebody closed it.
    Closed,
    /// Somebody deleted it.
    Deleted,
    /// Somebody moved it to another repository, where it has another number.
    Transferred,
}

impl Fate {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Deleted => "deleted",
            Self::Transferred => "transferred",
        }
    }
}

/// What was found and mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "repair", rename_all = "snake_case")]
pub enum Repair {
    /// People spoke, and GitHub's deliveries of it can not be had any more. It was read and is acted on.
    Unheard {
        /// Their comments.
        comments: BTreeSet<CommentId>,
        /// The labels that they set.
        labels: BTreeSet<String>,
        /// When the oldest of it was said, by GitHub's clock.
        since: Timestamp,
    },
    /// The card was gone and is posted anew.
    CardGone {
        /// The comment that it was.
        comment: CommentId,
    },
    /// The card said something else than the bot wrote and is restored.
    CardChanged {
        /// The comment that it is.
        comment: CommentId,
        /// Whose login changed it, where GitHub says so.
        by: Option<String>,
        /// When it was changed, by GitHub's clock.
        at: Timestamp,
    },
    /// Labels that mirror where it stands were not there, or were and should not; they are set right.
    Labels {
        /// Those that were missing.
        missing: BTreeSet<String>,
        /// Those that stood there and should not.
        stray: BTreeSet<String>,
    },
    /// Issues that it opened are not as they were.
    Opened {
        /// What became of each.
        fates: Vec<(IssueNumber, Fate)>,
    },
}

/// What was there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// A comment; the later ones were deleted.
    Comment,
    /// An issue; the later ones were closed.
    Issue,
}

/// The issues that a workflow opened, in order.
pub fn opened(state: &State) -> impl Iterator<Item = IssueNumber> {
    let outcomes = state.phases.values().flat_map(|phase| phase.outcomes.values());
    outcomes.filter_map(|outcome| match outcome {
        ActOutcome::IssueOpened { number, .. } => Some(*number),
        _ => None,
    })
}

/// What became of an issue that a workflow opened, as far as its history knows.
pub fn fate(state: &State, issue: IssueNumber) -> Fate {
    state.fates.get(&issue).copied().unwrap_or(Fate::Open)
}

/// What a report of a repair adds to the history; nothing where that knows it already.
pub(super) fn reported(state: &State, report: &Report) -> Option<Vec<Event>> {
    match report {
        Report::Repaired(Repair::Opened { fates }) => {
            let mut news = fates.clone();
            news.retain(|(issue, found)| fate(state, *issue) != *found);
            (!news.is_empty()).then(|| {
                vec![Event::Repaired {
                    repair: Repair::Opened { fates: news },
                }]
            })
        }
        // They may be found so again, and are told of each time.
        Report::Repaired(repair @ Repair::Labels { .. }) => Some(vec![Event::Repaired { repair: repair.clone() }]),
        Report::Repaired(repair) => {
            unknown(state, &What::Repaired(repair.clone())).then(|| vec![Event::Repaired { repair: repair.clone() }])
        }
        Report::DuplicateRepaired {
            duplicate,
            kept,
            removed,
        } => unknown(state, &What::DuplicateRepaired(*duplicate, *kept, removed.clone())).then(|| {
            vec![Event::DuplicateRepaired {
                duplicate: *duplicate,
                kept: *kept,
                removed: removed.clone(),
            }]
        }),
        Report::VoteLost { phase, of, why } => {
            let votes = &state.phases.get(phase)?.votes;
            votes.iter().any(|vote| vote.by.id == of.id).then(|| {
                vec![Event::VoteLost {
                    phase: phase.clone(),
                    of: of.clone(),
                    reason: why.clone(),
                }]
            })
        }
        _ => None,
    }
}

/// Whether the record does not say it yet.
fn unknown(state: &State, what: &What) -> bool {
    state.record.iter().all(|entry| entry.what != *what)
}

/// The votes that wait for more of them at the gate that is open.
pub fn pending_votes(state: &State) -> Vec<(&PhaseId, &Person)> {
    let Some((phase, ..)) = state.open_gate() else {
        return Vec::new();
    };
    let votes = &state.at(phase).votes;
    votes.iter().map(|vote| (phase, &vote.by)).collect()
}
