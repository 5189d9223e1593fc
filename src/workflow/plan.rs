//! What an event asks of the outside.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::children::{self, ChildStanding};
use super::decide::partly_done;
use super::definition::{Gate, OnExpiry, Phase};
use super::event::{Event, HoldCause};
use super::ids::{Digest, PhaseId, WorkflowId};
use super::labels;
use super::right::Person;
use super::state::{Awaited, Maker, Pending, PhaseStatus, State, Timestamp};

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
    /// Start a child.
    StartChild {
        /// The phase whose child it is.
        phase: PhaseId,
        /// The act that opened its issue.
        key: ActKey,
        /// The child.
        child: WorkflowId,
    },
    /// Tell a child how this workflow stands.
    TellChild {
        /// The child.
        child: WorkflowId,
    },
    /// Tell the parent how this workflow stands.
    TellParent,
    /// Bring the card up to date.
    Card,
    /// Bring the labels up to date that mirror on the subject where the workflow stands.
    Labels,
    /// Bring the comment up to date in which a phase's questions stand.
    Questions {
        /// The phase.
        phase: PhaseId,
    },
    /// Say in one short comment that people are asked, and name them.
    CallPeople {
        /// The phase whose gate opened.
        phase: PhaseId,
        /// What they are asked to approve.
        digest: Digest,
    },
    /// Tidy a comment that called people away, since it was answered.
    DismissCall {
        /// The phase.
        phase: PhaseId,
        /// What they were called to.
        #[serde(default)]
        to: CalledTo,
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
    /// Ask the approver of a phase's gate.
    AskApprover {
        /// The phase.
        phase: PhaseId,
        /// What it is shown.
        digest: Digest,
        /// Which time it is.
        attempt: u32,
    },
    /// Read the checks of a phase's gate, not before a moment.
    ReadChecks {
        /// The phase.
        phase: PhaseId,
        /// What waits there.
        digest: Digest,
        /// How many readings differed so far: a later one plans its own.
        readings: u32,
        /// When.
        at: Timestamp,
        /// Why.
        because: Look,
    },
    /// Drop what was planned for a phase's gate, which closed or shows something else: timers, and the call of its
    /// approver.
    EndTimers {
        /// The phase.
        phase: PhaseId,
    },
    /// Say something that people should be told of: an edited card notifies nobody.
    Tell {
        /// What.
        notice: Notice,
    },
    /// Drop what was planned and not begun. What still counts is named anew, here or when the hold is lifted; what is
    /// under way then is the same run or act and is not begun twice.
    CancelPlanned,
}

/// What people were called to in a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalledTo {
    /// A gate that opened.
    #[default]
    Gate,
    /// A phase that stopped: it failed, or needs an answer.
    Stop,
}

/// Why checks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// It is time to. Where nothing has changed, the same look is taken again later.
    Due,
    /// GitHub told of a change. Where nothing has changed, that was all.
    Told,
}

/// What a workflow tells of itself in a short comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// It is complete, and what it was for has left, or people were asked on the way to it.
    Completed,
    /// A phase waits for a person's answer, or failed.
    Stopped {
        /// The phase.
        phase: PhaseId,
    },
    /// A phase asks more than it did: the comment that holds its questions is edited, which notifies nobody.
    AskedMore {
        /// The phase.
        phase: PhaseId,
    },
    /// An approval does not count any more.
    ApprovalLost {
        /// The phase.
        phase: PhaseId,
        /// Why, for people.
        reason: String,
    },
    /// Somebody's approval does not count any more, where more of them were needed.
    VoteLost {
        /// The phase.
        phase: PhaseId,
        /// Whose it was.
        of: Person,
        /// Why, for people.
        reason: String,
    },
    /// The time of a gate ran out before enough people approved, and that rejected it.
    Expired {
        /// The phase.
        phase: PhaseId,
    },
    /// The same, and it went back to another phase.
    Escalated {
        /// The phase whose gate it was.
        phase: PhaseId,
        /// The phase that is done again.
        to: PhaseId,
    },
    /// The subject was closed, and that held it.
    Closed,
}

/// How many acts of a phase one edit of the card shows: about as many as GitHub lets one carry out in a minute. What they
/// open is seen below the subject before that.
const SHOWN_EVERY: usize = 50;

/// What follows from events that led from `before` to `state`, in order; a workflow that begins has no state before. The
/// card comes first, so that what it shows is there before anybody is called to look at it, and what happened before
/// anybody is asked to do something about it. Nobody waits for labels: they come last.
pub fn plan(before: Option<&State>, state: &State, events: &[Event], now: Timestamp) -> Vec<Intent> {
    let mut intents = Vec::new();
    if events.iter().any(ends_planned) {
        intents.push(Intent::CancelPlanned);
    }
    if worth_showing(state, events) {
        intents.push(Intent::Card);
    }
    intents.extend(questions(state, events));
    intents.extend(events.iter().filter_map(|event| {
        Some(Intent::Tell {
            notice: notice(state, event)?,
        })
    }));
    intents.extend(answered_stops(state, events));
    intents.extend(family(state, events));
    let started: Vec<&PhaseId> = events.iter().filter_map(starts_run).collect();
    let asked: Vec<&PhaseId> = events.iter().filter_map(asks_approver).collect();
    for event in events {
        match event {
            Event::PhaseStarted { phase, .. } => {
                intents.extend(voided(state, phase));
                intents.extend(run(state, phase));
            }
            // A prompt that was approved is sent.
            Event::Approved { phase, .. } if state.at(phase).status == PhaseStatus::Running => {
                intents.push(dismissed(phase, CalledTo::Gate));
                intents.extend(run(state, phase));
            }
            Event::Shown { phase, .. } | Event::Reminded { phase } => intents.extend(opened(state, phase, now)),
            Event::ApproverAsked { phase, .. } => intents.extend(judging(state, phase, now)),
            Event::Proposed { phase, .. } => {
                // What it takes the place of may come back, and with it all that waits for it.
                if !state.at(phase).void.is_empty() && is_timed_at(state, phase) {
                    intents.push(Intent::EndTimers { phase: phase.clone() });
                }
                // Somebody may have made a variant in its agent's place.
                intents.extend(voided(state, phase));
                if !asked.contains(&phase) {
                    intents.extend(judging(state, phase, now));
                }
            }
            Event::Ruled { phase, .. } => {
                intents.extend(opened(state, phase, now));
                intents.extend(reread(state, phase, now));
            }
            Event::Checked { phase, .. } => {
                intents.extend(opened(state, phase, now));
                intents.extend(look_again(state, phase, now));
                // Its call may have been dropped by a hold while the checks did not hold.
                if !asked.contains(&phase) && state.gate_waits_for(phase) == Some(Awaited::Approver) {
                    intents.extend(judging(state, phase, now));
                }
            }
            Event::Passed { phase, .. } => intents.extend(run(state, phase)),
            Event::Approved { phase, .. }
            | Event::Rejected { phase, .. }
            | Event::Revised { phase, .. }
            | Event::Escalated { phase, .. } => {
                intents.push(dismissed(phase, CalledTo::Gate));
            }
            Event::Held { .. } | Event::Cancelled { .. } => {
                let called = state.definition.phases.iter().map(|phase| &phase.id);
                intents.extend(
                    called
                        .filter(|phase| waits_at_gate(state, phase))
                        .map(|phase| dismissed(phase, CalledTo::Gate)),
                );
            }
            // These dropped what was planned, so all that still counts is named anew.
            Event::Unheld { .. } | Event::Unapproved { .. } | Event::ApprovalLost { .. } | Event::Forked { .. } => {
                for phase in state.definition.phases.iter().map(|phase| &phase.id) {
                    if !started.contains(&phase) {
                        intents.extend(run(state, phase));
                    }
                    intents.extend(opened(state, phase, now));
                    if !asked.contains(&phase) {
                        intents.extend(judging(state, phase, now));
                    }
                }
            }
            _ => {}
        }
    }
    intents.extend(ended(state, events));
    let acting = state.definition.phases.iter().map(|phase| &phase.id);
    let acting = acting.filter(|phase| events.iter().any(|event| lets_act(event, phase)));
    intents.extend(acting.filter_map(|phase| next_act(state, phase)));
    intents.extend(labels::asked_for(before, state, events).then_some(Intent::Labels));
    intents
}

fn dismissed(phase: &PhaseId, to: CalledTo) -> Intent {
    Intent::DismissCall {
        phase: phase.clone(),
        to,
    }
}

/// The comments that are settled which told that a phase stopped: it goes on, or nobody waits for it any more.
fn answered_stops(state: &State, events: &[Event]) -> Vec<Intent> {
    let asked = |event: &Event| matches!(event, Event::Retried { .. } | Event::Revised { .. });
    let again = events.iter().any(asked);
    let mut settled: Vec<&PhaseId> = Vec::new();
    for event in events {
        match event {
            Event::Retried { phase, .. } | Event::Revised { phase, .. } => settled.push(phase),
            Event::PhaseStarted { phase, .. } if again => settled.push(phase),
            // A person answered in the agent's place.
            Event::Proposed {
                phase,
                by: Maker::Person(_),
                change: None,
                ..
            } => settled.push(phase),
            Event::Approved { .. } | Event::Cancelled { .. } => {
                let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Error];
                let over = |phase: &&PhaseId| !state.is_open() || state.is_passed_over(phase);
                let phases = state.definition.phases.iter().map(|phase| &phase.id);
                settled.extend(phases.filter(|id| stopped.contains(&state.at(id).status)).filter(over));
            }
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    settled.retain(|phase| seen.insert(*phase));
    settled
        .into_iter()
        .map(|phase| dismissed(phase, CalledTo::Stop))
        .collect()
}

/// What children and the parent must hear, and the children that are started.
fn family(state: &State, events: &[Event]) -> Vec<Intent> {
    let mut intents = Vec::new();
    let replans = |event: &Event| {
        matches!(
            event,
            Event::ChildrenStarted { .. }
                | Event::Unheld { .. }
                | Event::Unapproved { .. }
                | Event::ApprovalLost { .. }
        )
    };
    let turns = |event: &Event| {
        matches!(
            event,
            Event::Held { .. } | Event::Unheld { .. } | Event::Cancelled { .. }
        )
    };
    if events.iter().any(turns) {
        intents.extend(children::tell_all(state));
    }
    if goes_on(state) && events.iter().any(replans) {
        intents.extend(children::starts(state));
    }
    if state.parent.is_some() && events.iter().any(children::concerns_parent) {
        intents.push(Intent::TellParent);
    }
    intents
}

/// Whether the card should say what happened. While a phase carries out one act after the other, the card is edited
/// once for [`SHOWN_EVERY`]: each edit costs a write of GitHub's limits, as an act does.
fn worth_showing(state: &State, events: &[Event]) -> bool {
    match events {
        [Event::ActEnded { phase, .. }] => {
            let goes_on = state.is_open() && state.hold.is_none() && state.next_act(phase).is_some();
            !goes_on || state.at(phase).outcomes.len().is_multiple_of(SHOWN_EVERY)
        }
        // Each edit of the card costs a write: the last of those that are started shows all.
        [
            Event::ChildChanged {
                phase,
                standing: ChildStanding::Open,
                ..
            },
        ] => {
            let mut children = state.at(phase).children.values();
            !children.any(|child| child.standing == ChildStanding::Planned)
        }
        _ => !events.iter().all(|event| matches!(event, Event::Shown { .. })) && !begins_few_acts(state, events),
    }
}

/// Whether all that happened is that something was approved and its acts begin, which are few: the edit at their end is
/// there soon, and shows both. Where one of them has to wait, the card is edited before that.
fn begins_few_acts(state: &State, events: &[Event]) -> bool {
    let approves = |event: &Event| {
        matches!(
            event,
            Event::Approved { .. } | Event::PhaseCompleted { .. } | Event::ActsStarted { .. }
        )
    };
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    let begun = phases.filter(|phase| events.iter().any(|event| lets_act(event, phase)));
    let acts: usize = begun.map(|phase| state.acts_to_come(phase).count()).sum();
    goes_on(state) && events.iter().all(approves) && (1..SHOWN_EVERY).contains(&acts)
}

/// The comment of questions, once, when anything in it changed or it will not be answered any more.
fn questions(state: &State, events: &[Event]) -> Option<Intent> {
    let of = events.iter().find_map(|event| match event {
        Event::Asked { phase, .. } | Event::Answered { phase, .. } | Event::Skipped { phase, .. } => Some(phase),
        Event::Cancelled { .. } | Event::Forked { .. } => state.asking(),
        _ => None,
    });
    of.map(|phase| Intent::Questions { phase: phase.clone() })
}

/// What people should be told of an event, where its card alone would not reach them.
fn notice(state: &State, event: &Event) -> Option<Notice> {
    match event {
        Event::WaitsForHuman { phase, .. } | Event::Failed { phase, .. } => {
            Some(Notice::Stopped { phase: phase.clone() })
        }
        Event::Asked { phase, digest, .. } => {
            let first = state.at(phase).questions.first();
            let again = first.is_some_and(|first| first.of != *digest);
            again.then(|| Notice::AskedMore { phase: phase.clone() })
        }
        Event::ApprovalLost { phase, reason } => Some(Notice::ApprovalLost {
            phase: phase.clone(),
            reason: reason.clone(),
        }),
        Event::VoteLost { phase, of, reason } => Some(Notice::VoteLost {
            phase: phase.clone(),
            of: of.clone(),
            reason: reason.clone(),
        }),
        Event::Rejected { phase, by: None, .. } => Some(Notice::Expired { phase: phase.clone() }),
        Event::Escalated { phase, to } => Some(Notice::Escalated {
            phase: phase.clone(),
            to: to.clone(),
        }),
        Event::Held {
            cause: HoldCause::SubjectClosed,
            ..
        } => Some(Notice::Closed),
        Event::Completed => {
            let mut phases = state.definition.phases.iter();
            let is_told = phases.any(|phase| phase.executes.is_some() || phase.asks);
            is_told.then_some(Notice::Completed)
        }
        _ => None,
    }
}

/// Whether an event makes what was planned before it pointless.
fn ends_planned(event: &Event) -> bool {
    matches!(
        event,
        Event::Cancelled { .. } | Event::Unapproved { .. } | Event::ApprovalLost { .. } | Event::Held { .. }
    )
}

/// Takes back the call to a choice whose comparison a variant made void. One that was never called needs nothing.
fn voided(state: &State, phase: &PhaseId) -> Option<Intent> {
    let variant = state.definition.phase(phase)?.variant.as_ref()?;
    let chooser = state.definition.chooser_of(&variant.of)?;
    let compared = state.at(&chooser.id).iteration > 0;
    compared.then(|| dismissed(&chooser.id, CalledTo::Gate))
}

/// The phase whose agent an event starts, or lets go on with a prompt that passed its gate.
fn starts_run(event: &Event) -> Option<&PhaseId> {
    match event {
        Event::PhaseStarted { phase, .. } | Event::Passed { phase, .. } => Some(phase),
        _ => None,
    }
}

/// The phase whose approver an event has asked.
fn asks_approver(event: &Event) -> Option<&PhaseId> {
    match event {
        Event::ApproverAsked { phase, .. } => Some(phase),
        _ => None,
    }
}

/// Whether a phase's next act may follow from an event. Acts of one phase are planned one at a time: another phase's
/// progress does not plan them again.
fn lets_act(event: &Event, of: &PhaseId) -> bool {
    match event {
        Event::ActsStarted { phase } | Event::ActEnded { phase, .. } | Event::Approved { phase, .. } => phase == of,
        Event::Unheld { .. } | Event::Unapproved { .. } | Event::ApprovalLost { .. } => true,
        _ => false,
    }
}

/// Whether things are begun now: the workflow goes on and is not held.
fn goes_on(state: &State) -> bool {
    state.is_open() && state.hold.is_none()
}

/// The run of a phase that is at work.
fn run(state: &State, phase: &PhaseId) -> Option<Intent> {
    let at = state.at(phase);
    let has_agent = state.definition.phase(phase).is_some_and(Phase::has_agent);
    (goes_on(state) && has_agent && at.status == PhaseStatus::Running).then(|| Intent::RunAgent {
        phase: phase.clone(),
        iteration: at.iteration,
        attempt: at.attempt,
    })
}

/// The next act of a phase that carries out acts, while the proposal is approved as it stands.
fn next_act(state: &State, phase: &PhaseId) -> Option<Intent> {
    if !goes_on(state) || state.at(phase).status != PhaseStatus::Approved {
        return None;
    }
    let (key, digest) = state.next_act(phase)?;
    let source = state.definition.phase(phase)?.executes.as_ref()?;
    let approved = state.at(source).approval.as_ref()?.digest;
    (approved == digest).then(|| Intent::Act {
        phase: phase.clone(),
        source: source.clone(),
        digest,
        key: key.clone(),
    })
}

/// Whether a phase waits for people at its gate, with all of its proposal readable on GitHub.
fn waits_at_gate(state: &State, phase: &PhaseId) -> bool {
    let at = state.at(phase);
    let shown = at.pending.as_ref().is_some_and(|pending| pending.shown_at.is_some());
    shown && state.is_peoples_turn(phase)
}

/// How long checks that do not hold rest until they are read again; GitHub tells of most changes before that.
const UNTIL_READ_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// What a gate's checks or approver need now.
fn judging(state: &State, phase: &PhaseId, now: Timestamp) -> Option<Intent> {
    if !goes_on(state) {
        return None;
    }
    let (_, pending) = state.gate_at(phase)?;
    match state.gate_waits_for(phase)? {
        Awaited::Checks => Some(read_checks(phase, pending, now)),
        Awaited::Approver => (pending.judged.asked > 0).then(|| Intent::AskApprover {
            phase: phase.clone(),
            digest: pending.digest,
            attempt: pending.judged.asked,
        }),
        Awaited::People => reread(state, phase, now),
    }
}

/// Where the checks held and the approver said yes, and no people are asked, the checks are read once more.
fn reread(state: &State, phase: &PhaseId, now: Timestamp) -> Option<Intent> {
    let (gate, pending) = state.gate_at(phase)?;
    let alone = gate.people.is_none() && gate.checks.is_some() && !state.is_peoples_turn(phase);
    let opens = alone && state.gate_waits_for(phase) == Some(Awaited::People);
    (opens && goes_on(state)).then(|| read_checks(phase, pending, now))
}

fn read_checks(phase: &PhaseId, pending: &Pending, at: Timestamp) -> Intent {
    Intent::ReadChecks {
        phase: phase.clone(),
        digest: pending.digest,
        readings: pending.judged.readings,
        at,
        because: Look::Due,
    }
}

/// The next look at checks that do not hold, of what GitHub may not have told us.
fn look_again(state: &State, phase: &PhaseId, now: Timestamp) -> Option<Intent> {
    let (_, pending) = state.gate_at(phase)?;
    let wanting = goes_on(state) && state.gate_waits_for(phase) == Some(Awaited::Checks);
    wanting.then(|| read_checks(phase, pending, now + UNTIL_READ_AGAIN))
}

/// Timers of gates that closed: nothing is left of them that could fire at another time.
fn ended(state: &State, events: &[Event]) -> Vec<Intent> {
    let mut closed: Vec<&PhaseId> = Vec::new();
    for event in events {
        let phase = match event {
            Event::Approved { phase, .. }
            | Event::Rejected { phase, .. }
            | Event::Revised { phase, .. }
            | Event::Passed { phase, .. }
            | Event::Escalated { phase, .. }
            | Event::SentBack { phase, .. } => phase,
            _ => continue,
        };
        if !closed.contains(&phase) && state.gate_at(phase).is_none() {
            closed.push(phase);
        }
    }
    let closed = closed.into_iter().filter(|phase| is_timed_at(state, phase));
    closed.map(|phase| Intent::EndTimers { phase: phase.clone() }).collect()
}

/// Whether something may be planned for a gate of this phase.
fn is_timed_at(state: &State, phase: &PhaseId) -> bool {
    let defined = state.definition.phase(phase);
    defined.is_some_and(|phase| [&phase.gate, &phase.prompt_gate].into_iter().any(is_timed))
}

fn is_timed(gate: &Gate) -> bool {
    gate.checks.is_some()
        || gate.ai.is_some()
        || gate.people().is_some_and(|people| people.expires_after_hours.is_some())
}

/// What a gate that people can open now asks for: that they are called, and its timer.
fn opened(state: &State, phase: &PhaseId, now: Timestamp) -> Vec<Intent> {
    if !goes_on(state) || !waits_at_gate(state, phase) {
        return Vec::new();
    }
    let pending = state.at(phase).pending.as_ref();
    let call = pending.map(|pending| Intent::CallPeople {
        phase: phase.clone(),
        digest: pending.digest,
    });
    call.into_iter().chain(expiry(state, phase, now)).collect()
}

/// The timer of a phase's gate, if it is open and has one.
fn expiry(state: &State, phase: &PhaseId, now: Timestamp) -> Option<Intent> {
    let (open, gate, pending) = state.open_gate()?;
    let hours = gate.expires_after_hours.filter(|_| open == phase)?;
    let at = state.at(phase);
    let reminds = gate.on_expiry == OnExpiry::Remind || partly_done(state, phase);
    if reminds && at.reminders >= state.definition.phase(phase)?.limits.reminders {
        return None;
    }
    Some(Intent::ExpireGate {
        phase: phase.clone(),
        digest: pending.digest,
        reminders: at.reminders,
        at: now + TimeDelta::hours(i64::from(hours)),
    })
}
