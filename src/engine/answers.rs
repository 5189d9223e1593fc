//! Comments of a workflow that are not its card.

use crate::chat::say::replies as say;
use crate::workflow::act::ActKey;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{ActOutcome, State};

/// The comment that lists opened issues which could not be linked; `None` when all were.
pub(super) fn unlinked(state: &State, phase: &PhaseId) -> Option<String> {
    let outcomes = &state.at(phase).outcomes;
    let opened = outcomes.iter().filter_map(|(key, outcome)| match outcome {
        ActOutcome::IssueOpened { number, title, .. } => Some((key, *number, title)),
        _ => None,
    });
    let unlinked: Vec<say::Unlinked> = opened
        .filter_map(|(key, number, title)| {
            let link = ActKey(key.0.replacen("issue:", "link:", 1));
            match outcomes.get(&link)? {
                ActOutcome::NotLinked { reason } => Some(say::Unlinked {
                    number,
                    title: title.clone(),
                    reason: Some(reason.clone()),
                }),
                _ => None,
            }
        })
        .collect();
    (!unlinked.is_empty()).then(|| say::unlinked_issues(&unlinked))
}
