//! The commands that go on from where a project's workflow stands.

use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::state::{Pending, PhaseStatus, State, Why};
use crate::workflow::unanswered::{OpenPrompt, name_of};

/// How the next commands are written.
pub(super) struct Calls<'a> {
    suffix: &'a str,
    id: Option<&'a WorkflowId>,
}

impl<'a> Calls<'a> {
    pub(super) fn new(suffix: &'a str, id: Option<&'a WorkflowId>) -> Self {
        Self { suffix, id }
    }

    fn call(&self, words: &str) -> String {
        let id = self.id.map(|id| format!(" {id}")).unwrap_or_default();
        format!("countersign {words}{id}{}", self.suffix)
    }

    fn call_of(&self, words: &str, phase: &str) -> String {
        let id = self.id.map(|id| format!(" {id}")).unwrap_or_default();
        format!("countersign {words}{id} {phase}{}", self.suffix)
    }
}

/// The commands that would be taken now, most likely first.
pub(super) fn next(state: &State, waiting: &[OpenPrompt], calls: &Calls<'_>) -> Vec<String> {
    if !state.is_open() {
        return Vec::new();
    }
    if state.hold.is_some() {
        return vec![calls.call("unhold")];
    }
    if let Some((phase, _, pending)) = state.open_gate() {
        return at_gate(state, (phase, pending), calls);
    }
    if let Some(phase) = state.asking() {
        let open = state.at(phase).open_questions();
        let mut next: Vec<String> = open
            .map(|(number, _)| calls.call(&format!("answer {number} TEXT")))
            .collect();
        next.push(calls.call("skip"));
        return next;
    }
    if !waiting.is_empty() {
        return by_hand(state, waiting, calls);
    }
    match state.first_at(&[PhaseStatus::Rejected, PhaseStatus::Error, PhaseStatus::WaitingForHuman]) {
        Some(phase) if state.at(phase).status == PhaseStatus::Rejected => {
            let mut next = Vec::new();
            if state.has_round_left(phase) {
                next.extend([calls.call("revise --feedback TEXT"), calls.call("retry")]);
            }
            next.push(calls.call("cancel"));
            next
        }
        Some(_) => vec![calls.call("retry"), calls.call("cancel")],
        None => Vec::new(),
    }
}

fn at_gate(state: &State, (phase, pending): (&PhaseId, &Pending), calls: &Calls<'_>) -> Vec<String> {
    if !state.choices(phase).is_empty() && pending.stage == Stage::Response {
        let letter = [
            "approve --choose LETTER",
            "retry --variant LETTER",
            "reject --feedback TEXT",
        ];
        return letter.iter().map(|words| calls.call(words)).collect();
    }
    if !state.people_may_approve(phase) {
        let revise = state
            .has_round_left(phase)
            .then(|| calls.call("revise --feedback TEXT"));
        return revise.into_iter().chain([calls.call("cancel")]).collect();
    }
    if pending.stage == Stage::Prompt {
        return vec![calls.call("approve")];
    }
    let back = state.definition.phase(phase).and_then(|phase| phase.on_fail.as_ref());
    let goes_back = back.map(|to| state.has_round_left(to));
    let mut next = Vec::new();
    if goes_back != Some(false) || pending.verdict != Some(ReviewVerdict::Fail) {
        next.push(calls.call("approve"));
    }
    next.extend(goes_back.map(|_| calls.call("approve complete")));
    next.extend(goes_back.filter(|has| *has).map(|_| calls.call("approve revise")));
    next.push(calls.call("reject --feedback TEXT"));
    next
}

fn by_hand(state: &State, waiting: &[OpenPrompt], calls: &Calls<'_>) -> Vec<String> {
    let mut next = Vec::new();
    if waiting
        .iter()
        .any(|one| state.at(&one.phase).why != Some(Why::ManualProvider))
    {
        next.push(calls.call("retry"));
    }
    next.push(calls.call("approve"));
    match waiting {
        [_] => next.extend([calls.call("respond --file FILE"), calls.call("prompt")]),
        several => next.extend(several.iter().flat_map(|one| {
            let name = name_of(&state.definition, &one.phase);
            [
                calls.call_of("respond --file FILE", &name),
                calls.call_of("prompt", &name),
            ]
        })),
    }
    next
}
