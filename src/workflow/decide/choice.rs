//! The choice among variants: when it is offered, what may be chosen, and how variants are made anew.

use super::Decision;
use super::gates::no_open_gate;
use super::rounds::next_iteration;
use crate::workflow::artifact::Stage;
use crate::workflow::command::{Authority, Refusal};
use crate::workflow::definition::Phase;
use crate::workflow::event::Event;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Pending, PhaseStatus, State, Why};
use crate::workflow::variants::{Letter, Standing, Variant};

/// What follows of itself for a phase that chooses and has not begun: it compares what was made, or has failed with all
/// of its variants.
pub(super) fn onwards(state: &State, phase: &Phase) -> Option<Event> {
    let of = phase.chooses.as_ref()?;
    let is_variant = |need: &Phase| need.variant.as_ref().is_some_and(|variant| variant.of == *of);
    let settled = |need: &PhaseId| {
        let need = state.definition.phase(need);
        need.is_some_and(|need| is_variant(need) || state.is_settled(need))
    };
    if !phase.needs.iter().all(settled) {
        return None;
    }
    match state.variants_stand(of) {
        Standing::AtWork => None,
        Standing::Made => Some(Event::PhaseStarted {
            phase: phase.id.clone(),
            iteration: state.at(&phase.id).iteration + 1,
            attempt: 1,
        }),
        Standing::AllFailed => Some(Event::Failed {
            phase: phase.id.clone(),
            why: Why::Failed("none of its variants was made, so there is nothing to choose from".to_owned()),
        }),
    }
}

/// Whether a choice is awaited at all, where somebody makes one.
pub(super) fn awaited(state: &State, choice: Option<Letter>) -> Result<(), Refusal> {
    match (choice, state.open_gate()) {
        (Some(_), None) => Err(nothing_to_choose(state)),
        (Some(_), Some((phase, _, pending))) if !chooses(state, phase, pending) => Err(nothing_to_choose(state)),
        _ => Ok(()),
    }
}

/// Whether an approval says what it must at this gate: which variant where there is a choice.
pub(super) fn among(
    state: &State,
    (phase, pending): (&PhaseId, &Pending),
    choice: Option<Letter>,
) -> Result<(), Refusal> {
    if !chooses(state, phase, pending) {
        return Ok(());
    }
    let choices = made(state, phase);
    let Some(variant) = choice else {
        return Err(Refusal::ChooseOne {
            variants: choices,
            current: pending.digest,
        });
    };
    if choices.contains(&variant) {
        return Ok(());
    }
    let of = state.definition.phase(phase).and_then(|phase| phase.chooses.as_ref());
    let there = of.is_some_and(|of| state.definition.variants_of(of).any(|(_, one)| one.letter == variant));
    Err(match there {
        true => Refusal::NotMade {
            variant,
            variants: choices,
        },
        false => Refusal::NoSuchVariant {
            variant,
            variants: choices,
        },
    })
}

/// Whether what waits at the open gate is a comparison, and not the prompt for its scores.
fn chooses(state: &State, phase: &PhaseId, pending: &Pending) -> bool {
    let defined = state.definition.phase(phase);
    defined.is_some_and(|phase| phase.chooses.is_some()) && pending.stage == Stage::Response
}

fn made(state: &State, chooser: &PhaseId) -> Vec<Letter> {
    state.choices(chooser).into_iter().map(|(letter, _)| letter).collect()
}

fn nothing_to_choose(state: &State) -> Refusal {
    let open = state.open_gate().map(|(phase, ..)| phase.clone());
    let at = open.map(|phase| {
        let status = state.at(&phase).status;
        (phase, status)
    });
    let at = at.or_else(|| match no_open_gate(state) {
        Refusal::NoOpenGate(at) => at,
        _ => None,
    });
    Refusal::NothingToChoose(at)
}

/// A comparison is no work of an agent that could be revised.
pub(super) fn revisable(state: &State, phase: &PhaseId) -> Result<(), Refusal> {
    let defined = state.definition.phase(phase);
    match defined.is_some_and(|phase| phase.chooses.is_some()) {
        true => Err(Refusal::NotRevised {
            variants: made(state, phase),
        }),
        false => Ok(()),
    }
}

/// The variants that somebody may have made anew now: those that began and among which nobody chose yet.
fn open_variants(state: &State) -> Vec<(&Phase, &Variant)> {
    let phases = state.definition.phases.iter();
    let variants = phases.filter_map(|phase| Some((phase, phase.variant.as_ref()?)));
    let open = |(phase, _): &(&Phase, &Variant)| {
        state.at(&phase.id).status != PhaseStatus::Blocked && !state.is_passed_over(&phase.id)
    };
    variants.filter(open).collect()
}

/// One variant is made anew, as it is specified.
pub(super) fn retry_one(state: &State, authority: &Authority, variant: Letter) -> Decision {
    let open = open_variants(state);
    let Some((phase, _)) = open.iter().find(|(_, one)| one.letter == variant) else {
        return Err(Refusal::NoSuchVariant {
            variant,
            variants: open.iter().map(|(_, one)| one.letter).collect(),
        });
    };
    Ok(vec![
        Event::Retried {
            surface: None,
            phase: phase.id.clone(),
            by: authority.person.clone(),
            said_at: authority.said_at,
        },
        again(state, &phase.id)?,
    ])
}

impl State {
    /// The variants that somebody may have made anew now: those that were not made first.
    pub fn variants_to_make_anew(&self) -> Vec<Letter> {
        let mut open = open_variants(self);
        open.retain(|(phase, _)| again(self, &phase.id).is_ok());
        open.sort_by_key(|(phase, _)| self.at(&phase.id).was_made());
        open.into_iter().map(|(_, variant)| variant.letter).collect()
    }
}

/// When the comparison itself was rejected, or nothing was made that could be compared, every variant is made anew that
/// may be.
pub(super) fn all_anew(state: &State, phase: &PhaseId) -> Option<Decision> {
    let of = state.definition.phase(phase)?.chooses.as_ref()?;
    if state.at(phase).status != PhaseStatus::Rejected && !state.choices(phase).is_empty() {
        return None;
    }
    let variants = state.definition.variants_of(of);
    let (anew, refused): (Vec<_>, Vec<_>) = variants
        .map(|(variant, _)| again(state, &variant.id))
        .partition(Result::is_ok);
    match anew.is_empty() {
        true => refused
            .into_iter()
            .next()
            .map(|refused| refused.map(|event| vec![event])),
        false => Some(anew.into_iter().collect()),
    }
}

/// What was made is made once more in the next iteration; what failed is tried again.
fn again(state: &State, variant: &PhaseId) -> Result<Event, Refusal> {
    let at = state.at(variant);
    match at.status {
        PhaseStatus::Completed | PhaseStatus::Rejected => next_iteration(state, variant),
        PhaseStatus::Error | PhaseStatus::WaitingForHuman => Ok(Event::PhaseStarted {
            phase: variant.clone(),
            iteration: at.iteration,
            attempt: at.attempt + 1,
        }),
        status => Err(Refusal::VariantAtWork {
            phase: variant.clone(),
            status,
        }),
    }
}
