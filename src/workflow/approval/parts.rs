//! The parts of a gate that are no people: checks, and an approver that is a model.

use super::{Fact, Facts, Node, Outcome, Rule, Why, every};
use crate::workflow::definition::{Gate, PeopleGate};
use crate::workflow::ids::Digest;
use crate::workflow::judging::{Check, CheckState, ChecksGate, Decision, Judged, Reading};

/// Whether a gate is open for a digest, as a tree: its checks, its approver, and its people.
///
/// Where an approver that may be overruled said no, people are asked in its place.
pub fn evaluate_gate(gate: &Gate, facts: &Facts<'_>, digest: Digest) -> Node {
    let mut children = Vec::new();
    if let Some(checks) = &gate.checks {
        children.push(checks_node(checks, facts));
    }
    if gate.ai.is_some() {
        children.push(approver_node(gate, facts, digest));
    }
    if let Some(people) = people_of(gate, facts.judged) {
        children.extend(super::evaluate(people, facts, digest).children);
    }
    Node {
        // A gate that asks for nothing is never reached; it would be no yes either.
        outcome: match children.is_empty() {
            true => Outcome::No,
            false => every(children.iter().map(|child| child.outcome)),
        },
        rule: Rule::Gate,
        why: Why::Parts,
        children,
    }
}

/// The people of a gate whose approvals count.
fn people_of<'a>(gate: &'a Gate, judged: &Judged) -> Option<&'a PeopleGate> {
    let overruled = gate.may_be_overruled() && judged.decision() == Some(Decision::Rejected);
    gate.people.as_ref().or_else(|| gate.asked().filter(|_| overruled))
}

fn approver_node(gate: &Gate, facts: &Facts<'_>, digest: Digest) -> Node {
    let (outcome, why) = match &facts.judged.ruling {
        None => (Outcome::No, Why::NotDecided),
        Some(ruling) if ruling.of != digest => (Outcome::No, Why::OtherDigest),
        Some(ruling) => match ruling.decision {
            Decision::Approved => (Outcome::Yes, Why::Counts),
            Decision::Rejected if gate.may_be_overruled() => {
                (Outcome::Yes, Why::MayBeOverruled(ruling.feedback.clone()))
            }
            Decision::Rejected => (Outcome::No, Why::SaidNo(ruling.feedback.clone())),
        },
    };
    let by = facts.judged.ruling.as_ref().map(|ruling| ruling.by.clone());
    Node::leaf(Rule::Approver(by), (outcome, why))
}

fn checks_node(checks: &ChecksGate, facts: &Facts<'_>) -> Node {
    let seen = facts.judged.reading.as_ref();
    let reading = match &facts.live.checks {
        Fact::Known(reading) => reading,
        Fact::CouldNotCheck(why) => {
            return Node::leaf(Rule::Checks, (Outcome::Unknown, Why::CouldNotCheck(why.clone())));
        }
    };
    match seen {
        None => Node::leaf(Rule::Checks, (Outcome::No, Why::NotRead)),
        Some(seen) if seen.head != reading.head => Node::leaf(Rule::Checks, (Outcome::No, Why::Pushed)),
        Some(_) => read(checks, reading),
    }
}

/// Whether the checks hold by what was read last.
pub fn checks_hold(checks: &ChecksGate, judged: &Judged) -> bool {
    let reading = judged.reading.as_ref();
    reading.is_some_and(|reading| read(checks, reading).outcome == Outcome::Yes)
}

/// Each check that a gate asks for, by a reading. Only a success is a yes.
fn read(checks: &ChecksGate, reading: &Reading) -> Node {
    let mut children = Vec::new();
    for host in &checks.host {
        children.push(named(host.name(), &reading.host));
    }
    for name in &checks.named {
        children.push(named(name, &reading.commit));
    }
    if checks.all {
        let others = reading
            .commit
            .iter()
            .filter(|check| !checks.named.contains(&check.name));
        children.extend(others.map(|check| Node::leaf(Rule::Check(check.name.clone()), comes_to(&check.state))));
        if reading.commit.is_empty() {
            children.push(Node::leaf(
                Rule::Check("any check".to_owned()),
                (Outcome::No, Why::NoSuchCheck),
            ));
        }
    }
    Node {
        outcome: match children.is_empty() {
            true => Outcome::No,
            false => every(children.iter().map(|child| child.outcome)),
        },
        rule: Rule::Checks,
        why: Why::Parts,
        children,
    }
}

/// A check by its name. Where several bear it, all must have succeeded.
fn named(name: &str, among: &[Check]) -> Node {
    let rule = Rule::Check(name.to_owned());
    let states: Vec<(Outcome, Why)> = among
        .iter()
        .filter(|check| check.name == name)
        .map(|check| comes_to(&check.state))
        .collect();
    let worst = states.iter().position(|(outcome, _)| *outcome != Outcome::Yes);
    let found = states.into_iter().nth(worst.unwrap_or(0));
    Node::leaf(rule, found.unwrap_or((Outcome::No, Why::NoSuchCheck)))
}

fn comes_to(state: &CheckState) -> (Outcome, Why) {
    match state {
        CheckState::Success => (Outcome::Yes, Why::Succeeded),
        CheckState::Pending => (Outcome::No, Why::NotEnded),
        CheckState::Other(found) => (Outcome::No, Why::Found(found.clone())),
    }
}
