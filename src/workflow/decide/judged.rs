//! What an approver and checks come to at a gate: its opening where no people are asked, another try, or that people are.

use super::{belongs, proposed};
use crate::workflow::approval::checks_hold;
use crate::workflow::artifact::{Proposal, Stage};
use crate::workflow::command::RulingResult;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::judging::{Decision, Reading, Ruling};
use crate::workflow::state::{Awaited, Maker, State};

/// The next thing that follows of itself at the gate of a phase.
pub(super) fn onwards(state: &State, phase: &PhaseId) -> Option<Event> {
    let (gate, pending) = state.gate_at(phase)?;
    let phase = phase.clone();
    let digest = pending.digest;
    match state.gate_waits_for(&phase)? {
        Awaited::Approver if pending.judged.asked == 0 => Some(Event::ApproverAsked {
            phase,
            digest,
            attempt: 1,
        }),
        // Where there are checks too, they are read once more before it opens.
        Awaited::People if gate.people.is_none() && gate.checks.is_none() => {
            let approved = pending.judged.decision() == Some(Decision::Approved);
            approved.then_some(Event::Passed { phase, digest })
        }
        _ => None,
    }
}

/// An approver answered: of this phase, of this digest, asked for the time after so many others.
pub(super) fn ruled(
    state: &State,
    (phase, digest, attempt): (&PhaseId, &Digest, u32),
    result: &RulingResult,
) -> Option<Vec<Event>> {
    if !state.awaits_ruling(phase, *digest, attempt) {
        return None;
    }
    let (ruling, rewrite) = match result {
        RulingResult::Failed(why) => {
            return Some(vec![Event::Failed {
                phase: phase.clone(),
                why: why.clone(),
            }]);
        }
        RulingResult::Ruled { ruling, rewrite } => (ruling, rewrite.as_deref()),
    };
    if ruling.of != *digest {
        return None;
    }
    let said = Event::Ruled {
        phase: phase.clone(),
        ruling: ruling.clone(),
    };
    let next = match ruling.decision {
        Decision::Approved => None,
        Decision::Rejected => tried_again(state, phase, ruling, rewrite),
    };
    Some(std::iter::once(said).chain(next).collect())
}

/// What a rejection sets going, as long as the definition allows another try; afterwards people are asked.
fn tried_again(state: &State, phase: &PhaseId, ruling: &Ruling, rewrite: Option<&Proposal>) -> Option<Event> {
    let (at, defined) = (state.at(phase), state.definition.phase(phase)?);
    let (gate, pending) = state.gate_at(phase)?;
    if at.rejections >= defined.limits.retries {
        return None;
    }
    match pending.stage {
        Stage::Response => Some(Event::PhaseStarted {
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt + 1,
        }),
        Stage::Prompt => {
            let rewrite = rewrite.filter(|rewrite| belongs(state, phase, rewrite))?;
            let allowed = gate.ai.as_ref().is_some_and(|ai| ai.rewrite);
            let by = Maker::Agent {
                provider: ruling.by.clone(),
            };
            (allowed && rewrite.digest() != pending.digest)
                .then(|| proposed(rewrite, by, Some(&"rewritten by the approver".to_owned())))
        }
    }
}

/// The checks of a gate were read, with this digest waiting there.
pub(super) fn checked(state: &State, (phase, digest): (&PhaseId, &Digest), reading: &Reading) -> Option<Vec<Event>> {
    let (gate, pending) = state.gate_at(phase)?;
    let checks = gate.checks.as_ref()?;
    if pending.digest != *digest {
        return None;
    }
    let mut judged = pending.judged.clone();
    let changed = judged.reading.as_ref() != Some(reading);
    judged.reading = Some(reading.clone());
    let mut events = Vec::new();
    if changed {
        events.push(Event::Checked {
            phase: phase.clone(),
            digest: *digest,
            reading: reading.clone(),
        });
    }
    let approved = gate.ai.is_none() || judged.decision() == Some(Decision::Approved);
    if checks_hold(checks, &judged) && approved && gate.people.is_none() && state.hold.is_none() {
        events.push(Event::Passed {
            phase: phase.clone(),
            digest: *digest,
        });
    }
    (!events.is_empty()).then_some(events)
}
