//! What stands at a gate beside people: its checks, and an approver that is a model.

use super::approval;
use super::markup::{code, paragraphs, sentence, words};
use super::phrases::title;
use crate::workflow::approval::{Fact, Facts, Live, Rule, evaluate_gate};
use crate::workflow::ids::PhaseId;
use crate::workflow::judging::Decision;
use crate::workflow::state::{Awaited, State};

/// What a workflow waits for at this gate, in a headline.
pub fn headline(state: &State, phase: &PhaseId) -> &'static str {
    match (state.gate_waits_for(phase), state.is_peoples_turn(phase)) {
        (Some(Awaited::Checks), _) => "waiting for checks",
        (Some(Awaited::Approver), _) => "waiting for the approver",
        (_, true) if state.people_may_approve(phase) => "waiting for approval",
        (_, true) => "rejected by the approver",
        _ => "at work",
    }
}

/// Who is waited for, where that is not people.
pub fn waits_for(state: &State, phase: &PhaseId, since: &str) -> Option<String> {
    let whom = match state.gate_waits_for(phase)? {
        Awaited::Checks => "the checks",
        Awaited::Approver => "the approver",
        Awaited::People => return None,
    };
    Some(format!(
        "Waiting for {whom} at *{}* since {since}.",
        title(state, phase)
    ))
}

/// What the checks and the approver of an open gate say, for the card; empty where it has neither.
pub fn at_the_gate(state: &State, phase: &PhaseId) -> String {
    let Some((gate, pending)) = state.gate_at(phase) else {
        return String::new();
    };
    if gate.checks.is_none() && gate.ai.is_none() {
        return String::new();
    }
    // As they were last read: what is read for an approval is read then.
    let checks = match &pending.judged.reading {
        Some(reading) => Fact::Known(reading.clone()),
        None => Fact::CouldNotCheck("they are being read".to_owned()),
    };
    let live = Live {
        checks,
        ..Live::default()
    };
    let mut tree = evaluate_gate(gate, &Facts::of(state, phase, &live), pending.digest);
    tree.children
        .retain(|part| matches!(part.rule, Rule::Checks | Rule::Approver(_)));
    let ruling = pending.judged.ruling.as_ref();
    let said = ruling.map(|ruling| {
        let feedback = ruling.feedback.as_str().trim();
        let verb = match ruling.decision {
            Decision::Approved => "approves this",
            Decision::Rejected => "rejects this",
        };
        let why = match feedback.is_empty() {
            true => ".".to_owned(),
            false => format!(": {}", sentence(&words(feedback))),
        };
        format!("The approver {} {verb}{why}", code(&ruling.by))
    });
    let cut: Vec<String> = ruling.map(|ruling| ruling.cut.clone()).unwrap_or_default();
    let cut = match cut.is_empty() {
        true => String::new(),
        false => format!("It was not shown everything: {}.", words(&cut.join("; "))),
    };
    let next = match ruling.map(|ruling| ruling.decision) {
        Some(Decision::Rejected) if gate.may_be_overruled() => {
            "People may approve it all the same; that is recorded as theirs.".to_owned()
        }
        Some(Decision::Rejected) => {
            let round = match state.can_be_revised() {
                true => ", `/revise …` asks for another round",
                false => "",
            };
            format!("So it cannot be approved as it stands: `/edit` changes it and the approver is asked anew{round}.")
        }
        Some(Decision::Approved) if gate.people.is_some() => {
            "Its yes is needed and is not enough: people decide.".to_owned()
        }
        _ => String::new(),
    };
    paragraphs(&[
        format!("This gate has:\n\n{}", approval::tree(&tree)),
        said.unwrap_or_default(),
        cut,
        next,
    ])
}
