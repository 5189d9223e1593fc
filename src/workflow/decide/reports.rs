//! What the bot itself reports: how runs and acts ended, what was shown, what was lost.

use super::gates::{expired, still_counts};
use super::{PROMPT, belongs, judged, proposed};
use crate::workflow::asking;
use crate::workflow::children;
use crate::workflow::command::{Report, RunResult};
use crate::workflow::event::{Event, HoldCause};
use crate::workflow::ids::PhaseId;
use crate::workflow::repair;
use crate::workflow::state::{Maker, PhaseStatus, State, Timestamp, Why};

pub(super) fn reported(state: &State, report: &Report, now: Timestamp) -> Option<Vec<Event>> {
    match report {
        Report::ActEnded { phase, key, outcome } => {
            // What happened outside is recorded even when the workflow was ended, or the approval lost, meanwhile.
            let source = state.definition.phase(phase)?.executes.as_ref()?;
            let proposed = state.at(source).pending.as_ref()?.acts.contains(key);
            (proposed && !state.at(phase).outcomes.contains_key(key)).then(|| {
                vec![Event::ActEnded {
                    phase: phase.clone(),
                    key: key.clone(),
                    outcome: outcome.clone(),
                }]
            })
        }
        Report::Child {
            phase,
            key,
            child,
            standing,
        } => children::told(state, (phase, key), child, standing),
        // So is what was tidied up behind it.
        Report::DuplicateRepaired { .. } => repair::reported(state, report),
        _ if !state.is_open() => None,
        Report::Repaired(_) | Report::VoteLost { .. } => repair::reported(state, report),
        Report::Parent(above) => children::heard(state, above),
        Report::Shown { phase, digest, at } => {
            let shown = state.phases.get(phase)?;
            let pending = shown.pending.as_ref()?;
            let at_a_gate = matches!(shown.status, PhaseStatus::Draft | PhaseStatus::ReadyForReview);
            let awaited = at_a_gate && pending.shown_at.is_none();
            (awaited && pending.digest == *digest).then(|| {
                vec![Event::Shown {
                    phase: phase.clone(),
                    digest: *digest,
                    at: *at,
                }]
            })
        }
        Report::Ran {
            phase,
            iteration,
            attempt,
            result,
            guidelines,
        } => {
            let at = state.phases.get(phase)?;
            let current = at.status == PhaseStatus::Running && at.iteration == *iteration && at.attempt == *attempt;
            let guided = || guidelines.as_ref().map(|by| state.guided(phase, by));
            current.then(|| match (ran(state, phase, result).made_with(guided()), result) {
                (proposed @ Event::Proposed { .. }, RunResult::Proposed { proposal, .. }) => {
                    asking::with_questions(state, proposal, proposed)
                }
                (event, _) => vec![event],
            })
        }
        Report::ActFailed { phase, key, why } => {
            let due = state.next_act(phase).is_some_and(|(next, _)| next == key);
            (due && state.at(phase).status == PhaseStatus::Approved).then(|| {
                vec![Event::Failed {
                    phase: phase.clone(),
                    why: Why::Failed(why.clone()),
                }]
            })
        }
        Report::ApprovalLost { phase, digest, why } => {
            let approval = state.phases.get(phase)?.approval.as_ref()?;
            (approval.digest == *digest && still_counts(state, phase)).then(|| {
                vec![Event::ApprovalLost {
                    phase: phase.clone(),
                    reason: why.clone(),
                }]
            })
        }
        Report::Ruled {
            phase,
            digest,
            attempt,
            result,
        } => judged::ruled(state, (phase, digest, *attempt), result),
        Report::Checked { phase, digest, reading } => judged::checked(state, (phase, digest), reading),
        Report::GateExpired {
            phase,
            digest,
            reminders,
        } => expired(state, (phase, digest, *reminders), now),
        Report::SubjectClosed { by } => state.hold.is_none().then(|| {
            vec![Event::Held {
                surface: None,
                by: by.clone(),
                reason: "the issue or pull request was closed".into(),
                cause: HoldCause::SubjectClosed,
            }]
        }),
        Report::SubjectGone { why } => Some(vec![Event::Cancelled {
            surface: None,
            by: None,
            reason: why.as_str().into(),
        }]),
    }
}

fn ran(state: &State, phase: &PhaseId, result: &RunResult) -> Event {
    let astray = match result {
        RunResult::Proposed { proposal, .. } | RunResult::Prompted { proposal } => !belongs(state, phase, proposal),
        _ => false,
    };
    let phase = phase.clone();
    match result {
        _ if astray => Event::Failed {
            phase,
            why: Why::Failed("the answer belongs to another run; /retry asks anew".into()),
        },
        RunResult::Proposed { proposal, provider } => proposed(
            proposal,
            Maker::Agent {
                provider: provider.clone(),
            },
            None,
        ),
        RunResult::Prompted { proposal } => proposed(
            proposal,
            Maker::Agent {
                provider: PROMPT.to_owned(),
            },
            None,
        ),
        RunResult::NeedsPerson(why) => Event::WaitsForHuman {
            phase,
            why: why.clone(),
            guidelines: None,
        },
        RunResult::Ended(ending) => Event::PhaseCompleted {
            phase,
            ending: ending.clone(),
        },
        RunResult::Failed(why) => Event::Failed {
            phase,
            why: why.clone(),
        },
    }
}
