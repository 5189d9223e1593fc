//! What follows of itself: phases that become unblocked, that are done, and the end of the workflow.

use super::{choice, judged};
use crate::workflow::apply::apply;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::asking;
use crate::workflow::children;
use crate::workflow::event::Event;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Ending, PhaseStatus, State, Status, Timestamp};

/// The first events and all that follows from them at once.
pub(in crate::workflow) fn with_consequences(mut state: State, first: Vec<Event>, now: Timestamp) -> Vec<Event> {
    for event in &first {
        apply(&mut state, event, now);
    }
    let mut events = first;
    events.extend(consequences(state, now));
    events
}

pub(super) fn consequences(mut state: State, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = consequence(&state) {
        apply(&mut state, &event, now);
        events.push(event);
    }
    events
}

/// The next thing that follows of itself, if any. Each makes a step forward, so their chain ends.
fn consequence(state: &State) -> Option<Event> {
    if !state.is_open() || state.hold.is_some() {
        return None;
    }
    let of_a_phase = state.definition.phases.iter().find_map(|phase| {
        let id = &phase.id;
        let at = state.at(id);
        match at.status {
            PhaseStatus::Blocked if phase.chooses.is_some() => choice::onwards(state, phase),
            PhaseStatus::Blocked => {
                // What it carries out may be needed through others only, and its approval taken back meanwhile.
                let settled = |need: &PhaseId| state.definition.phase(need).is_some_and(|need| state.is_settled(need));
                let executed = phase.executes.iter().filter(|source| *source != id);
                let unblocked = phase.needs.iter().chain(executed).all(settled);
                let wanted = !phase.on_demand || at.called;
                (unblocked && wanted).then(|| match (&phase.for_each, phase.has_agent()) {
                    (Some(each), _) => children::begins(state, phase, each),
                    (None, true) => Event::PhaseStarted {
                        phase: id.clone(),
                        iteration: at.iteration + 1,
                        attempt: 1,
                    },
                    (None, false) => Event::ActsStarted { phase: id.clone() },
                })
            }
            // With no gate an artifact counts as soon as it is made.
            PhaseStatus::ReadyForReview if phase.gate.is_none() => Some(done(id)),
            PhaseStatus::Draft | PhaseStatus::ReadyForReview => judged::onwards(state, id),
            PhaseStatus::Running => children::onwards(at, phase),
            PhaseStatus::WaitingForHuman => asking::onwards(at, phase),
            PhaseStatus::Approved => {
                let acting = phase.executes.is_some() && state.next_act(id).is_some();
                match (&phase.on_fail, at.verdict) {
                    _ if acting => None,
                    (Some(to), Some(ReviewVerdict::Fail)) => Some(Event::SentBack {
                        phase: id.clone(),
                        to: to.clone(),
                    }),
                    _ => Some(done(id)),
                }
            }
            _ => None,
        }
    });
    of_a_phase.or_else(|| {
        let complete = state.definition.phases.iter().all(|phase| state.is_settled(phase));
        (complete && state.status == Status::Open).then_some(Event::Completed)
    })
}

pub(in crate::workflow) fn done(phase: &PhaseId) -> Event {
    Event::PhaseCompleted {
        phase: phase.clone(),
        ending: Ending::Done,
    }
}
