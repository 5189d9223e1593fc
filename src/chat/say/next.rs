//! What can be done now: the commands that a workflow would take, most likely first.

use crate::chat::verbs::verdict_word;
use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::children::waiting;
use crate::workflow::decide::{awaits_answer, partly_done};
use crate::workflow::definition::{Definition, Wait};
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{PhaseStatus, State, Why};
use crate::workflow::unanswered::name_of;
use crate::workflow::variants::Letter;

/// The definitions that have a command of their own.
const OF_THEIR_OWN: [&str; 2] = ["deliver", "tasks"];

/// A command and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// As it is typed, with `…` where something has to be filled in.
    pub command: String,
    /// What it does, as the end of "to …".
    pub does: &'static str,
}

fn step(command: impl Into<String>, does: &'static str) -> Next {
    Next {
        command: command.into(),
        does,
    }
}

/// The commands that move this workflow on from where it stands. Never empty.
pub fn steps(state: &State) -> Vec<Next> {
    if !state.is_open() {
        return vec![step(start(&state.definition), "start a new one")];
    }
    if state.hold.is_some() {
        return vec![step("/unhold", "let it go on"), step("/cancel …", "end it")];
    }
    let mut steps = gate_steps(state).unwrap_or_else(|| between_gates(state));
    steps.extend(ends());
    steps
}

/// The command that starts a workflow of this definition.
pub fn start(definition: &Definition) -> String {
    if OF_THEIR_OWN.contains(&definition.name.as_str()) {
        return format!("/{}", definition.name);
    }
    let inputs = definition.inputs.iter().filter(|(_, input)| input.required);
    let inputs: String = inputs.map(|(name, _)| format!(" {name}=…")).collect();
    format!("/run {}{inputs}", definition.name)
}

fn gate_steps(state: &State) -> Option<Vec<Next>> {
    let (phase, _, pending) = state.open_gate()?;
    if let Some(choose) = choice(state) {
        let shown = pending.shown_at.map(|_| choose);
        let steps = shown.into_iter().chain(anew(state));
        return Some(steps.chain([step("/reject …", "say no to all")]).collect());
    }
    let approval = approval(state).filter(|_| pending.shown_at.is_some());
    let mut steps: Vec<Next> = approval.into_iter().collect();
    if state.can_be_revised() {
        steps.push(step("/revise …", "ask for another round"));
    }
    // A prompt is changed and not rejected.
    if !partly_done(state, phase) && pending.stage == Stage::Response {
        steps.push(step("/reject …", "say no"));
    }
    Some(steps)
}

/// The approval of what is at the open gate, where one would be taken once all of it is shown.
pub fn approval(state: &State) -> Option<Next> {
    let (phase, gate, pending) = state.open_gate()?;
    if !state.people_may_approve(phase) {
        return None;
    }
    let command = format!("/approve {}", pending.digest.short());
    match way_back_is_used_up(state, phase) {
        None => Some(step(command, "approve exactly this")),
        // One of several cannot override a verdict.
        Some(_) if gate.quorum > 1 || !gate.also.is_empty() => None,
        Some(_) => Some(step(
            format!("{command} {}", verdict_word(ReviewVerdict::Pass)),
            "approve exactly this, and go on although its verdict is *fail*",
        )),
    }
}

/// Where a verdict of *fail* would send a review back to, if that phase has had all of its rounds.
pub fn way_back_is_used_up<'a>(state: &'a State, phase: &PhaseId) -> Option<&'a PhaseId> {
    let pending = state.at(phase).pending.as_ref()?;
    let failed = pending.verdict == Some(ReviewVerdict::Fail);
    way_back(state, phase).filter(|to| failed && !state.has_round_left(to))
}

/// The phase that a review at its gate may be sent back to.
pub fn way_back<'a>(state: &'a State, phase: &PhaseId) -> Option<&'a PhaseId> {
    let pending = state.at(phase).pending.as_ref()?;
    let to = state.definition.phase(phase)?.on_fail.as_ref();
    to.filter(|_| pending.stage == Stage::Response)
}

/// The choice among variants, where that is what waits: the command for the first that was made.
pub fn choice(state: &State) -> Option<Next> {
    let (phase, ..) = state.open_gate()?;
    let choices = state.choices(phase);
    choice_of(state, choices.first()?.0)
}

/// The same for one of them.
pub fn choice_of(state: &State, letter: Letter) -> Option<Next> {
    let (phase, _, pending) = state.open_gate()?;
    let choices = state.choices(phase);
    choices
        .iter()
        .find(|(one, _)| *one == letter && pending.stage == Stage::Response)?;
    let command = format!("/choose {letter} {}", pending.digest.short());
    Some(step(command, "choose this variant, or another by its letter"))
}

/// A variant that is made anew: one that was not made, where there is one.
pub fn anew(state: &State) -> Option<Next> {
    let letters = state.variants_to_make_anew();
    letters.first().map(|letter| anew_of(*letter))
}

fn anew_of(letter: Letter) -> Next {
    step(
        format!("/retry {letter}"),
        "have this variant made anew, or another by its letter",
    )
}

/// The commands that move on what stopped at a phase: those that are for it alone, where it is answered by hand or is one of
/// several variants, and those of the workflow.
pub fn steps_at(state: &State, phase: &PhaseId) -> Vec<Next> {
    let goes_on = state.is_open() && state.hold.is_none() && state.open_gate().is_none();
    if goes_on && awaits_answer(state, phase) {
        return stopped_steps(state, phase).into_iter().chain(ends()).collect();
    }
    let variant = state.definition.phase(phase).and_then(|phase| phase.variant.as_ref());
    let steps = steps(state);
    let Some(letter) = variant.map(|variant| variant.letter) else {
        return steps;
    };
    if !state.variants_to_make_anew().contains(&letter) {
        return steps;
    }
    let others = steps.into_iter().filter(|step| !step.command.starts_with("/retry"));
    std::iter::once(anew_of(letter)).chain(others).collect()
}

fn ends() -> [Next; 2] {
    [step("/hold …", "pause it"), step("/cancel …", "end it")]
}

/// The commands that answer a phase's prompt by hand. They name it: another may wait when they are used.
fn answer_steps(state: &State, phase: &PhaseId) -> Vec<Next> {
    if !awaits_answer(state, phase) {
        return Vec::new();
    }
    let name = name_of(&state.definition, phase);
    let respond = format!("/respond {name}");
    let mut others = state.definition.phases.iter().filter(|other| other.id != *phase);
    match others.any(|other| awaits_answer(state, &other.id)) {
        false => vec![
            step("/prompt", "see what is asked"),
            step(respond, "answer it in a fenced block"),
        ],
        true => vec![
            step(format!("/prompt {name}"), "see what this one is asked"),
            step(respond, "answer this one in a fenced block"),
        ],
    }
}

fn between_gates(state: &State) -> Vec<Next> {
    let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Error, PhaseStatus::Rejected];
    if let Some(phase) = state.first_at(&stopped) {
        return stopped_steps(state, phase);
    }
    let approved_not_begun = state.definition.phases.iter().any(|phase| {
        state.at(&phase.id).approval.is_some()
            && state.executors_of(&phase.id).any(|executor| {
                let executor = state.at(executor);
                executor.status == PhaseStatus::Approved && executor.outcomes.is_empty()
            })
    });
    if let Some((_, each)) = waiting(state)
        && each.wait == Wait::Done
    {
        return vec![step("/skip …", "go on with the children that are done")];
    }
    if approved_not_begun {
        vec![step("/unapprove", "take the approval back")]
    } else {
        Vec::new()
    }
}

fn stopped_steps(state: &State, phase: &PhaseId) -> Vec<Next> {
    if let Some(each) = state.definition.phase(phase).and_then(|phase| phase.for_each.as_ref()) {
        let mut steps = vec![step(
            "/retry",
            "start anew the children that ended without being complete",
        )];
        steps.extend((each.wait == Wait::Done).then(|| step("/skip …", "go on with those that are done")));
        return steps;
    }
    if let Some((number, _)) = state.at(phase).open_questions().next()
        && state.at(phase).is_asking()
    {
        return vec![
            step(format!("/answer {number} …"), "answer a question"),
            step("/skip …", "go on without answers"),
        ];
    }
    let answer = answer_steps(state, phase);
    // Whoever is asked in the agent's place would only be asked the same again.
    if state.at(phase).why == Some(Why::ManualProvider) {
        return answer;
    }
    let retry = state.can_be_retried().then(|| step("/retry", "try again"));
    let revise = state
        .can_be_revised()
        .then(|| step("/revise …", "ask for another round"));
    // An answer of a person is the way out when trying again does not help.
    retry.into_iter().chain(revise).chain(answer).collect()
}
