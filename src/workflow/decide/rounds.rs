//! Another round of a phase: a revision, or another try of the same.

use super::gates::{gate_untouched, no_open_gate};
use super::{Decision, choice};
use crate::workflow::children;
use crate::workflow::command::{Authority, Refusal};
use crate::workflow::definition::Phase;
use crate::workflow::event::Event;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{PhaseStatus, State};

pub(super) fn revise(state: &State, authority: &Authority, text: &str) -> Decision {
    let phase = another_round(state)?;
    let by = authority.person.clone();
    let revised = Event::Revised {
        surface: None,
        phase: phase.clone(),
        by,
        text: text.into(),
        said_at: authority.said_at,
    };
    Ok(vec![revised, next_iteration(state, phase)?])
}

/// The phase that a revision is of.
fn another_round(state: &State) -> Result<&PhaseId, Refusal> {
    let phase = match state.open_gate() {
        Some(_) => gate_untouched(state)?.0,
        None => {
            let stopped = [PhaseStatus::Rejected, PhaseStatus::WaitingForHuman, PhaseStatus::Error];
            let has_agent = |id: &PhaseId| state.definition.phase(id).is_some_and(Phase::has_agent);
            state
                .first_at(&stopped)
                .filter(|id| has_agent(id) && state.at(id).approval.is_none() && !state.at(id).is_asking())
                .ok_or_else(|| no_open_gate(state))?
        }
    };
    choice::revisable(state, phase)?;
    Ok(phase)
}

pub(super) fn next_iteration(state: &State, phase: &PhaseId) -> Result<Event, Refusal> {
    if !state.has_round_left(phase) {
        return Err(Refusal::CapReached {
            phase: phase.clone(),
            iterations: state.rounds_allowed(phase),
        });
    }
    Ok(Event::PhaseStarted {
        phase: phase.clone(),
        iteration: state.at(phase).iteration + 1,
        attempt: 1,
    })
}

impl State {
    /// How many iterations the definition lets a phase have.
    pub fn rounds_allowed(&self, phase: &PhaseId) -> u32 {
        self.definition.phase(phase).map_or(1, |phase| phase.limits.iterations)
    }

    /// Whether a phase may have another iteration.
    pub fn has_round_left(&self, phase: &PhaseId) -> bool {
        self.at(phase).iteration < self.rounds_allowed(phase)
    }

    /// Whether `/revise` would begin another round now.
    pub fn can_be_revised(&self) -> bool {
        another_round(self).is_ok_and(|phase| self.has_round_left(phase))
    }

    /// Whether `/retry` would begin something now.
    pub fn can_be_retried(&self) -> bool {
        another_try(self).is_ok()
    }
}

pub(super) fn retry(state: &State, authority: &Authority) -> Decision {
    let (phase, again) = another_try(state)?;
    let retried = Event::Retried {
        surface: None,
        phase,
        by: authority.person.clone(),
        said_at: authority.said_at,
    };
    Ok(std::iter::once(retried).chain(again).collect())
}

/// The phase that another try is of, the first that may have one, and what it begins with.
fn another_try(state: &State) -> Result<(PhaseId, Vec<Event>), Refusal> {
    let stopped = [PhaseStatus::Error, PhaseStatus::WaitingForHuman, PhaseStatus::Rejected];
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    let phases = phases
        .filter(|id| !state.at(id).is_asking() && !state.is_passed_over(id))
        .filter(|id| stopped.contains(&state.at(id).status));
    let mut refused = Refusal::NothingToRetry;
    for phase in phases {
        match try_again(state, phase) {
            Ok(events) => return Ok((phase.clone(), events)),
            Err(refusal) if refused == Refusal::NothingToRetry => refused = refusal,
            Err(_) => {}
        }
    }
    Err(refused)
}

/// What another try of a phase that stopped begins with.
fn try_again(state: &State, phase: &PhaseId) -> Decision {
    if let Some(all) = choice::all_anew(state, phase) {
        return all;
    }
    let at = state.at(phase);
    let defined = state.definition.phase(phase);
    let each = defined.and_then(|phase| Some((phase, phase.for_each.as_ref()?)));
    let again = match at.status {
        _ if let Some((phase, each)) = each => children::again(state, phase, each),
        PhaseStatus::Rejected => next_iteration(state, phase)?,
        _ if at.status == PhaseStatus::Error && awaits_approver(state, phase) => {
            let pending = at
                .pending
                .as_ref()
                .expect("a gate's approver is asked about what waits there");
            Event::ApproverAsked {
                phase: phase.clone(),
                digest: pending.digest,
                attempt: pending.judged.asked + 1,
            }
        }
        _ if carries_out(state, phase) => Event::ActsStarted { phase: phase.clone() },
        _ => Event::PhaseStarted {
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt + 1,
        },
    };
    Ok(vec![again])
}

/// Whether what a phase made waits for an approver that could not be asked.
fn awaits_approver(state: &State, phase: &PhaseId) -> bool {
    let asked = state
        .at(phase)
        .pending
        .as_ref()
        .is_some_and(|pending| pending.judged.asked > 0);
    let approver = state.gate_of(phase).is_some_and(|gate| gate.ai.is_some());
    asked && approver && state.at(phase).approval.is_none()
}

/// Whether a phase has something approved to carry out.
fn carries_out(state: &State, phase: &PhaseId) -> bool {
    let source = state.definition.phase(phase).and_then(|phase| phase.executes.as_ref());
    source.is_some_and(|source| state.at(source).approval.is_some())
}
