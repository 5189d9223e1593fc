//! What an event asks of the outside.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::definition::{Gate, OnExpiry};
use super::event::Event;
use super::ids::{Digest, PhaseId};
use super::state::{PhaseStatus, State, Timestamp};

/// Something to be done outside, or later. The engine makes a row of the outbox of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// Run the phase's agent.
    RunAgent {
        /// The phase.
        phase: PhaseId,
        /// The iteration that the run is for.
        iteration: u32,
        /// The attempt that the run is for.
        attempt: u32,
    },
    /// Carry out one act of an approved proposal.
    Act {
        /// The phase that carries it out.
        phase: PhaseId,
        /// The phase that proposed it, whose approval must still count.
        source: PhaseId,
        /// The proposal.
        digest: Digest,
        /// The act.
        key: ActKey,
    },
    /// Bring the card up to date.
    Card,
    /// Say in one short comment that people are asked, and name them.
    CallPeople {
        /// The phase whose gate opened.
        phase: PhaseId,
        /// What they are asked to approve.
        digest: Digest,
    },
    /// Tidy that comment away, since it was answered.
    DismissCall {
        /// The phase.
        phase: PhaseId,
    },
    /// Wait until a moment, then report that the gate's time ran out.
    ExpireGate {
        /// The phase.
        phase: PhaseId,
        /// The digest that is shown.
        digest: Digest,
        /// Which time it is.
        reminders: u32,
        /// When.
        at: Timestamp,
    },
    /// Drop what was planned and not begun.
    CancelPlanned,
}

/// What follows from events that led to `state`, in order. The card comes first, so that what it shows is there before
/// anybody is called to look at it.
pub fn plan(state: &State, events: &[Event], now: Timestamp) -> Vec<Intent> {
    let mut intents = Vec::new();
    if events.iter().any(ends_planned) {
        intents.push(Intent::CancelPlanned);
    }
    let only_shown = events.iter().all(|event| matches!(event, Event::Shown { .. }));
    if !only_shown {
        intents.push(Intent::Card);
    }
    for event in events {
        match event {
            Event::PhaseStarted {
                phase,
                iteration,
                attempt,
            } => {
                intents.push(Intent::RunAgent {
                    phase: phase.clone(),
                    iteration: *iteration,
                    attempt: *attempt,
                });
            }
            Event::Shown { phase, digest, .. } => {
                intents.push(Intent::CallPeople {
                    phase: phase.clone(),
                    digest: *digest,
                });
                intents.extend(expiry(state, phase, now));
            }
            Event::Reminded { phase } => {
                let at = state.at(phase);
                if let Some(pending) = &at.pending {
                    intents.push(Intent::CallPeople {
                        phase: phase.clone(),
                        digest: pending.digest,
                    });
                }
                intents.extend(expiry(state, phase, now));
            }
            Event::Approved { phase, .. } | Event::Rejected { phase, .. } | Event::Revised { phase, .. } => {
                intents.push(Intent::DismissCall { phase: phase.clone() });
            }
            Event::Unheld { .. } => intents.extend(resumed(state, now)),
            Event::Cancelled { .. } => {
                let called = state
                    .definition
                    .phases
                    .iter()
                    .filter(|phase| state.at(&phase.id).pending.is_some());
                intents.extend(called.map(|phase| Intent::DismissCall {
                    phase: phase.id.clone(),
                }));
            }
            Event::Unapproved { phase, .. } | Event::ApprovalLost { phase, .. } => {
                if let Some(pending) = &state.at(phase).pending {
                    intents.push(Intent::CallPeople {
                        phase: phase.clone(),
                        digest: pending.digest,
                    });
                }
                intents.extend(expiry(state, phase, now));
            }
            _ => {}
        }
    }
    if events.iter().any(|event| {
        matches!(
            event,
            Event::ActsStarted { .. } | Event::ActEnded { .. } | Event::Approved { .. } | Event::Unheld { .. }
        )
    }) {
        intents.extend(next_acts(state));
    }
    intents
}

/// Whether an event makes what was planned before it pointless.
fn ends_planned(event: &Event) -> bool {
    matches!(
        event,
        Event::Cancelled { .. } | Event::Unapproved { .. } | Event::ApprovalLost { .. } | Event::Held { .. }
    )
}

/// The next act of every phase that carries out acts.
fn next_acts(state: &State) -> Vec<Intent> {
    if !state.is_open() || state.hold.is_some() {
        return Vec::new();
    }
    let acting = state
        .definition
        .phases
        .iter()
        .filter(|phase| state.at(&phase.id).status == PhaseStatus::Approved);
    acting
        .filter_map(|phase| {
            let (key, digest) = state.next_act(&phase.id)?;
            let source = phase.executes.clone()?;
            Some(Intent::Act {
                phase: phase.id.clone(),
                source,
                digest,
                key: key.clone(),
            })
        })
        .collect()
}

/// What a lifted hold starts anew: runs that it dropped and the time of the open gate.
fn resumed(state: &State, now: Timestamp) -> Vec<Intent> {
    let mut intents = Vec::new();
    for phase in &state.definition.phases {
        let at = state.at(&phase.id);
        if at.status == PhaseStatus::Running {
            intents.push(Intent::RunAgent {
                phase: phase.id.clone(),
                iteration: at.iteration,
                attempt: at.attempt,
            });
        }
        intents.extend(expiry(state, &phase.id, now));
    }
    intents
}

/// The timer of a phase's gate, if it is open and has one.
fn expiry(state: &State, phase: &PhaseId, now: Timestamp) -> Option<Intent> {
    let (open, gate, pending) = state.open_gate()?;
    let Gate::People(_) = &state.definition.phase(phase)?.gate else {
        return None;
    };
    let hours = gate
        .expires_after_hours
        .filter(|_| open == phase && pending.shown_at.is_some())?;
    let at = state.at(phase);
    let cap = state.definition.phase(phase)?.limits.reminders;
    if gate.on_expiry == OnExpiry::Remind && at.reminders >= cap {
        return None;
    }
    Some(Intent::ExpireGate {
        phase: phase.clone(),
        digest: pending.digest,
        reminders: at.reminders,
        at: now + TimeDelta::hours(i64::from(hours)),
    })
}
