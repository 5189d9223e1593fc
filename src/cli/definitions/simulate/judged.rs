//! Steps of a script that no person takes: what an approver says, and how checks stand.

use serde::Deserialize;

use super::Walk;
use crate::workflow::approval::{Fact, Live};
use crate::workflow::artifact::{Proposal, Stage};
use crate::workflow::command::{Command, Report, RulingResult};
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::judging::{Check, CheckState, ChecksGate, Decision, Reading, Ruling};
use crate::workflow::state::{Pending, State};
use crate::workflow::why::Why;

/// What an approver says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ruled {
    pub(super) phase: Option<PhaseId>,
    result: Word,
    feedback: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    #[default]
    Approved,
    Rejected,
    /// It rejects a prompt and suggests another.
    Rewritten,
    /// It could not be asked.
    Failed,
}

/// How the checks of a gate stand.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Checked {
    pub(super) phase: Option<PhaseId>,
    result: Light,
    /// The pull request's head; another one is a push.
    head: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Light {
    #[default]
    Green,
    Red,
    Pending,
}

/// What is known at the open gate, as it was last read.
pub(super) fn live(state: &State) -> Live {
    let reading = state
        .open_gate()
        .and_then(|(_, _, pending)| pending.judged.reading.clone());
    Live {
        checks: Fact::Known(reading.unwrap_or_default()),
        ..Live::default()
    }
}

impl Walk {
    /// The phase that was named, or the first at a gate that has what is meant.
    fn at_gate(&self, named: Option<&PhaseId>, has: impl Fn(&PhaseId) -> bool) -> Result<(PhaseId, Pending), String> {
        let mut phases = self.state.definition.phases.iter().map(|phase| &phase.id);
        let found = phases.find(|phase| named.is_none_or(|named| named == *phase) && has(phase));
        let at = found.and_then(|phase| Some((phase.clone(), self.state.gate_at(phase)?.1.clone())));
        at.ok_or_else(|| "nothing waits for that at a gate".to_owned())
    }

    pub(super) fn ruled(&mut self, ruled: &Ruled) -> (String, Result<Command, String>) {
        let word = match ruled.result {
            Word::Approved => "approves",
            Word::Rejected => "rejects",
            Word::Rewritten => "rejects, and suggests other words",
            Word::Failed => "cannot be asked",
        };
        let asked = |phase: &PhaseId| {
            let gate = self.state.gate_at(phase);
            gate.is_some_and(|(gate, pending)| gate.ai.is_some() && pending.judged.asked > 0)
        };
        let (phase, pending) = match self.at_gate(ruled.phase.as_ref(), asked) {
            Ok(found) => found,
            Err(why) => return (format!("an approver {word}"), Err(why)),
        };
        let words = format!("the approver of {phase} {word}");
        let ruling = |decision| Ruling {
            decision,
            feedback: ruled
                .feedback
                .clone()
                .unwrap_or_else(|| "the script says so".to_owned())
                .into(),
            by: "script".to_owned(),
            of: pending.digest,
            answer: Digest::of_bytes(words.as_bytes()),
            at: self.now,
            cut: Vec::new(),
        };
        let (approved, rejected) = (ruling(Decision::Approved), ruling(Decision::Rejected));
        let result = match ruled.result {
            Word::Approved => RulingResult::Ruled {
                ruling: approved,
                rewrite: None,
            },
            Word::Rejected => RulingResult::Ruled {
                ruling: rejected,
                rewrite: None,
            },
            Word::Rewritten => {
                let rewrite: Proposal = self.proposal(&phase, Stage::Prompt, None, Some(0));
                RulingResult::Ruled {
                    ruling: rejected,
                    rewrite: Some(Box::new(rewrite)),
                }
            }
            Word::Failed => RulingResult::Failed(Why::Failed("the script says so".to_owned())),
        };
        let report = Report::Ruled {
            phase,
            digest: pending.digest,
            attempt: pending.judged.asked,
            result,
        };
        (words, Ok(Command::System(report)))
    }

    pub(super) fn checked(&self, checked: &Checked) -> (String, Result<Command, String>) {
        let (word, state) = match checked.result {
            Light::Green => ("succeed", CheckState::Success),
            Light::Red => ("fail", CheckState::Other("failure".to_owned())),
            Light::Pending => ("have not ended", CheckState::Pending),
        };
        let has = |phase: &PhaseId| self.state.gate_at(phase).is_some_and(|(gate, _)| gate.checks.is_some());
        let (phase, pending) = match self.at_gate(checked.phase.as_ref(), has) {
            Ok(found) => found,
            Err(why) => return (format!("checks {word}"), Err(why)),
        };
        let gate = self.state.gate_at(&phase).and_then(|(gate, _)| gate.checks.clone());
        let reading = reading(&gate.unwrap_or_default(), &state, checked.head.as_deref());
        let report = Report::Checked {
            phase: phase.clone(),
            digest: pending.digest,
            reading,
        };
        (format!("the checks of {phase} {word}"), Ok(Command::System(report)))
    }
}

/// All that a gate asks for, standing like this.
fn reading(gate: &ChecksGate, state: &CheckState, head: Option<&str>) -> Reading {
    let check = |name: &str| Check {
        name: name.to_owned(),
        state: state.clone(),
    };
    let mut commit: Vec<Check> = gate.named.iter().map(|name| check(name)).collect();
    if gate.all && commit.is_empty() {
        commit.push(check("build"));
    }
    Reading {
        head: gate.of_a_commit().then(|| head.unwrap_or("simulated").to_owned()),
        host: gate.host.iter().map(|host| check(host.name())).collect(),
        commit,
    }
}
