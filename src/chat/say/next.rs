//! What can be done now: the commands that a workflow would take, most likely first.

use crate::workflow::artifact::Stage;
use crate::workflow::children::waiting;
use crate::workflow::decide::awaits_answer;
use crate::workflow::definition::{Definition, Phase, Wait};
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{PhaseStatus, State, Why};
use crate::workflow::unanswered::name_of;

/// The commands that move it on from a phase that needs a person, where they are not those of [`steps`].
pub fn steps_at(state: &State, phase: &PhaseId) -> Vec<Next> {
    let elsewhere = !state.is_open() || state.hold.is_some() || state.open_gate().is_some();
    if elsewhere || !awaits_answer(state, phase) {
        return steps(state);
    }
    let mut steps = stopped_steps(state, phase);
    steps.extend(ends());
    steps
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
fn start(definition: &Definition) -> String {
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
        let anew = step("/retry A", "have a variant made anew, by its letter");
        return Some(
            shown
                .into_iter()
                .chain([anew, step("/reject …", "say no to all")])
                .collect(),
        );
    }
    let mut steps = Vec::new();
    if pending.shown_at.is_some() && super::judges::people_may_approve(state, phase) {
        steps.push(step(
            format!("/approve {}", pending.digest.short()),
            "approve exactly this",
        ));
    }
    let begun = state
        .executors_of(phase)
        .any(|executor| !state.at(executor).outcomes.is_empty());
    if !begun {
        steps.push(step("/revise …", "ask for another round"));
        // A prompt is changed and not rejected.
        if pending.stage == Stage::Response {
            steps.push(step("/reject …", "say no"));
        }
    }
    Some(steps)
}

/// The choice among variants, where that is what waits: the command for the first that was made.
pub fn choice(state: &State) -> Option<Next> {
    let (phase, _, pending) = state.open_gate()?;
    let choices = state.choices(phase);
    let (letter, _) = choices.first().filter(|_| pending.stage == Stage::Response)?;
    let command = format!("/choose {letter} {}", pending.digest.short());
    Some(step(command, "choose this variant, or another by its letter"))
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
    let mut again = vec![step("/retry", "try again")];
    let has_agent = state.definition.phase(phase).is_some_and(Phase::has_agent);
    if has_agent && state.at(phase).approval.is_none() {
        again.push(step("/revise …", "ask for another round"));
    }
    // An answer is what a manual agent waits for; elsewhere it is the way out when trying again does not help.
    if state.at(phase).why == Some(Why::ManualProvider) {
        answer.into_iter().chain(again).collect()
    } else {
        again.into_iter().chain(answer).collect()
    }
}
