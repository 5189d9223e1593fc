//! What a comparison of variants is made from.

use crate::agents::choice::{Choice, Compared};
use crate::chat::say::why::why_words;
use crate::workflow::definition::Phase;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Ending, Maker, State};
use crate::workflow::variants::Variant;

/// The variants that a phase chooses among; nothing for a phase that does not.
pub(super) fn choice(state: &State, phase: &PhaseId) -> Option<Choice> {
    let phase = state.definition.phase(phase)?;
    let variants = state.definition.variants_of(phase.chooses.as_ref()?);
    Some(Choice {
        criteria: phase.rubric.clone(),
        variants: variants
            .map(|(phase, variant)| compared(state, phase, variant))
            .collect(),
    })
}

fn compared(state: &State, phase: &Phase, variant: &Variant) -> Compared {
    let at = state.at(&phase.id);
    let made = at.output.filter(|_| at.was_made());
    let by = at
        .pending
        .as_ref()
        .filter(|_| made.is_some())
        .map(|pending| match &pending.by {
            Maker::Agent { provider } => provider.clone(),
            Maker::Person(person) => person.login.clone(),
        });
    let why = match (&at.why, &at.ending) {
        (Some(why), _) => why_words(why),
        (None, Some(Ending::Nothing { reason })) => reason.clone(),
        _ => "nobody answered its prompt".to_owned(),
    };
    Compared {
        letter: variant.letter,
        title: phase.title.clone(),
        phase: phase.id.as_str().to_owned(),
        by: by.unwrap_or_default(),
        digest: made.map(|digest| digest.to_string()),
        why: made.is_none().then_some(why),
    }
}
