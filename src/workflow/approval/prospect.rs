//! What a gate of people could still come to: who brings it on, and whether it can open at all.

use std::collections::BTreeSet;

use super::{Facts, Node, Outcome, Rule, Why, evaluate};
use crate::workflow::definition::PeopleGate;
use crate::workflow::ids::{Digest, UserId};
use crate::workflow::right::Person;
use crate::workflow::state::{Approval, Surface, Timestamp};

/// What a gate of people could still come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// As it stands.
    pub now: Node,
    /// If everybody approved who has its right; nothing where not all of them are known.
    pub best: Option<Node>,
    /// Those whose approval would bring it on.
    pub can: Vec<Person>,
}

/// Those who have the right that a gate asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// All of them.
    All(Vec<Person>),
    /// Some of them, or none: GitHub does not list all of them to us.
    Some(Vec<Person>),
}

impl Prospect {
    /// Whether it cannot open, whoever of those approves who have the right now.
    pub fn is_stuck(&self) -> bool {
        self.best.as_ref().is_some_and(|best| best.outcome == Outcome::No)
    }

    /// Those who have the right and whose approval does not count all the same, with why.
    pub fn excluded(&self) -> Vec<(&Person, &Why)> {
        let mut seen = BTreeSet::new();
        let best = self.best.iter().flat_map(Node::all);
        let excluded = best.filter_map(|node| match (&node.rule, &node.why) {
            (Rule::Vote(by), why @ Why::Excluded(_)) => Some((by, why)),
            _ => None,
        });
        excluded.filter(|(by, _)| seen.insert(by.id)).collect()
    }
}

/// What a gate could come to: `facts` tell how it stands, and what is known of the candidates.
pub fn prospect(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest, candidates: &Candidates) -> Prospect {
    let (Candidates::All(people) | Candidates::Some(people)) = candidates;
    let now = evaluate(gate, facts, digest);
    let best = with_all(gate, facts, digest, people);
    let owners = wanted(&now, &best, Wanted::Owners);
    // Owners make up the quorum too, where there are enough of them.
    let is_owner = |person: &&Person| owners.contains(&person.id);
    let some: Vec<Person> = people.iter().filter(is_owner).cloned().collect();
    let suffices = !some.is_empty() && with_all(gate, facts, digest, &some).outcome == Outcome::Yes;
    let wanted = match suffices {
        true => owners,
        false => wanted(&now, &best, Wanted::Anybody),
    };
    // Where not all chose the same, whoever chose may choose again.
    let may_choose_again = facts.votes.iter().any(|vote| vote.choice != facts.choice);
    let gave = |person: &Person| {
        now.vote_of(person.id)
            .is_some_and(|(outcome, _)| outcome == Outcome::Yes)
    };
    let can = |person: &&Person| wanted.contains(&person.id) && (may_choose_again || !gave(person));
    Prospect {
        can: people.iter().filter(can).cloned().collect(),
        best: matches!(candidates, Candidates::All(_)).then_some(best),
        now,
    }
}

/// A gate as it would stand if these had approved what is shown.
fn with_all(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest, people: &[Person]) -> Node {
    let counts = |person: &Person| {
        let of = |vote: &&Approval| vote.by.id == person.id && vote.choice == facts.choice && vote.digest == digest;
        facts.votes.iter().any(of)
    };
    let votes: Vec<Approval> = people
        .iter()
        .filter(|person| !counts(person))
        .map(|person| Approval {
            by: person.clone(),
            right: gate.right,
            surface: Surface::System,
            digest,
            at: Timestamp::default(),
            reason: None,
            choice: facts.choice,
        })
        .collect();
    let mut facts = facts.clone();
    facts.votes.extend(&votes);
    evaluate(gate, &facts, digest)
}

/// Whose approvals are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that any rule asks for.
    Anybody,
    /// Those of owners of what is touched.
    Owners,
}

/// Whose approval counts, at best, in a rule that does not hold yet.
fn wanted(now: &Node, best: &Node, whose: Wanted) -> BTreeSet<UserId> {
    let parts = now.children.iter().zip(&best.children);
    match (&now.rule, whose) {
        _ if now.outcome == Outcome::Yes => BTreeSet::new(),
        (Rule::Quorum(_), Wanted::Owners) => BTreeSet::new(),
        (Rule::Quorum(_) | Rule::Path(_), _) => {
            let votes = best.children.iter().filter(|vote| vote.outcome == Outcome::Yes);
            let of = votes.filter_map(|vote| match &vote.rule {
                Rule::Vote(by) => Some(by.id),
                _ => None,
            });
            of.collect()
        }
        _ => parts.flat_map(|(now, best)| wanted(now, best, whose)).collect(),
    }
}
