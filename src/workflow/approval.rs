//! Whether a gate of people is open: one pure function from the approvals and what GitHub says of those who gave them to
//! a tree that says yes, no or unknown at each rule, and why.
//!
//! Unknown is never yes. A rule with a part that says no is no; otherwise a part that could not be checked makes it
//! unknown.

mod parts;
mod prospect;

use std::collections::{BTreeMap, BTreeSet};

use super::definition::PeopleGate;
use super::gate::{Candidate, Excluded, Quorum, Team};
use super::ids::{Digest, PhaseId, UserId};
use super::judging::{Judged, Reading};
use super::right::{Person, Right};
use super::state::{Approval, State, What};
use super::variants::Letter;
use super::words::Words;
pub use parts::{checks_hold, evaluate_gate};
pub use prospect::{Candidates, Prospect, prospect};

/// Something that GitHub was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// GitHub's answer.
    Known(T),
    /// There was none; why, for people.
    CouldNotCheck(String),
}

impl<T> Fact<T> {
    fn as_ref(&self) -> Result<&T, &str> {
        match self {
            Self::Known(known) => Ok(known),
            Self::CouldNotCheck(why) => Err(why),
        }
    }
}

/// What kind of account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person's.
    Human,
    /// A bot's, an organisation's, or none that is known: it never counts.
    Other,
}

/// What GitHub says of one voter now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What kind of account it is.
    pub kind: Kind,
    /// Their present login.
    pub login: String,
    /// Their right on the repository.
    pub right: Fact<Right>,
    /// Whether they are in each team that was asked for.
    pub teams: BTreeMap<Team, Fact<bool>>,
}

/// A path that a proposal touches, with those who own it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The path, from the repository's root.
    pub path: String,
    /// Its owners; nobody where none is named.
    pub owners: Vec<Candidate>,
}

/// What GitHub says at one moment of all that a gate asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Those who approved, by account.
    pub people: BTreeMap<UserId, Standing>,
    /// Who opened the issue or pull request.
    pub author: Fact<UserId>,
    /// The owners of what the proposal touches.
    pub owned: Fact<Vec<Owned>>,
    /// The checks that the gate asks for.
    pub checks: Fact<Reading>,
}

impl Default for Live {
    /// Nothing was asked.
    fn default() -> Self {
        Self {
            people: BTreeMap::new(),
            author: Fact::CouldNotCheck(NOT_ASKED.to_owned()),
            owned: Fact::CouldNotCheck(NOT_ASKED.to_owned()),
            checks: Fact::CouldNotCheck(NOT_ASKED.to_owned()),
        }
    }
}

const NOT_ASKED: &str = "GitHub was not asked";

/// All that an evaluation rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The approvals that were given and not taken back.
    pub votes: Vec<&'a Approval>,
    /// The variant that they must choose to count; nothing where there is no choice.
    pub choice: Option<Letter>,
    /// What GitHub says now.
    pub live: &'a Live,
    /// Who started the workflow.
    pub starter: UserId,
    /// Whoever shaped the proposal.
    pub steerers: BTreeSet<UserId>,
    /// What the gate's approver said, and what was read of its checks before.
    pub judged: &'a Judged,
}

/// Where nothing waits at a gate.
static UNJUDGED: Judged = Judged {
    asked: 0,
    ruling: None,
    reading: None,
    readings: 0,
};

impl<'a> Facts<'a> {
    /// The facts of a phase's gate, with the approvals that it holds. Those count that chose what opened it or, while it
    /// is open, what most of them did.
    pub fn of(state: &'a State, phase: &PhaseId, live: &'a Live) -> Self {
        let at = state.at(phase);
        let votes: Vec<&Approval> = at.votes().collect();
        let count = |choice: &Option<Letter>| votes.iter().filter(|vote| vote.choice == *choice).count();
        let leading = || votes.iter().map(|vote| vote.choice).max_by_key(count).flatten();
        Self {
            choice: at.approval.as_ref().map_or_else(leading, |approval| approval.choice),
            votes,
            live,
            starter: state.starter.id,
            steerers: steerers(state, phase),
            judged: state
                .at(phase)
                .pending
                .as_ref()
                .map_or(&UNJUDGED, |pending| &pending.judged),
        }
    }

    /// The same with one approval more, in place of an earlier one of the same person: those count that chose the same.
    pub fn with(mut self, vote: &'a Approval) -> Self {
        self.votes.retain(|other| other.by.id != vote.by.id);
        self.votes.push(vote);
        self.choice = vote.choice;
        self
    }
}

/// Whoever shaped what a phase proposes: by `/revise`, an edit or tick, an answer in the agent's place, or, where what is
/// rejected is tried again with the reason, by `/reject`. Those of earlier iterations count too, because what they said
/// is part of what the agent is told. Whoever shaped a variant shaped the comparison.
pub fn steerers(state: &State, phase: &PhaseId) -> BTreeSet<UserId> {
    let retries = state.definition.phase(phase).map_or(0, |phase| phase.limits.retries);
    let chosen = state.definition.phase(phase).and_then(|phase| phase.chooses.as_ref());
    let varies = |of: &PhaseId| {
        let variant = state.definition.phase(of).and_then(|phase| phase.variant.as_ref());
        chosen.is_some() && variant.map(|variant| &variant.of) == chosen
    };
    let shaped = state.record.iter().filter(|entry| match &entry.what {
        What::Revised(of, _) | What::Amended(of, ..) | What::Responded(of, _) => of == phase || varies(of),
        What::Rejected(of, _) => of == phase && retries > 0,
        _ => false,
    });
    shaped.filter_map(|entry| entry.by.as_ref()).map(|by| by.id).collect()
}

/// What a rule comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It could not be checked.
    Unknown,
}

/// What a node of the tree stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The whole gate: every part must hold.
    Gate,
    /// So many approvals of different people.
    Quorum(Quorum),
    /// One approval.
    Vote(Person),
    /// The owners of all touched paths.
    CodeOwners,
    /// The owners of one touched path: one of them must be among those who approved.
    Path(Owned),
    /// All checks.
    Checks,
    /// One check, by its name.
    Check(String),
    /// An approver that is a model, by the provider that answered.
    Approver(Option<String>),
}

/// Why a node says what it says. Chat words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its parts say it.
    Parts,
    /// So many approvals count, of so many that are needed.
    Count {
        /// Approvals that count.
        have: u32,
        /// How many are needed.
        need: u32,
    },
    /// It counts.
    Counts,
    /// It is an approval of something else.
    OtherDigest,
    /// It chose this variant, and another is counted.
    OtherChoice(Letter),
    /// It is no person's account.
    NotAPerson,
    /// The person has this right and needs more.
    Right {
        /// What they have.
        has: Right,
        /// What is needed.
        needs: Right,
    },
    /// The person is none of those whose approval counts.
    NotAmong,
    /// The person is excluded.
    Excluded(Excluded),
    /// Nobody owns it, so nobody is asked.
    NobodyOwns,
    /// GitHub gave no answer.
    CouldNotCheck(String),
    /// The approver has not answered yet.
    NotDecided,
    /// The approver rejected it, with these words.
    SaidNo(Words),
    /// The same, and people may approve it all the same.
    MayBeOverruled(Words),
    /// The check succeeded.
    Succeeded,
    /// The check has not ended.
    NotEnded,
    /// The check ended otherwise, or found this.
    Found(String),
    /// There is no such check.
    NoSuchCheck,
    /// The checks were not read yet.
    NotRead,
    /// The pull request has another head than when its checks were read.
    Pushed,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it stands for.
    pub rule: Rule,
    /// What it comes to.
    pub outcome: Outcome,
    /// Why.
    pub why: Why,
    /// Its parts.
    pub children: Vec<Node>,
}

impl Node {
    fn leaf(rule: Rule, (outcome, why): (Outcome, Why)) -> Self {
        Self {
            rule,
            outcome,
            why,
            children: Vec::new(),
        }
    }

    /// This node and all below it, each before its parts.
    pub fn all(&self) -> Vec<&Self> {
        std::iter::once(self)
            .chain(self.children.iter().flat_map(Self::all))
            .collect()
    }

    /// What somebody's approval comes to here: the best that any rule says of it. `None` when they gave none.
    pub fn vote_of(&self, person: UserId) -> Option<(Outcome, &Why)> {
        let rank = |outcome: Outcome| match outcome {
            Outcome::Yes => 0,
            Outcome::Unknown => 1,
            Outcome::No => 2,
        };
        self.all()
            .into_iter()
            .filter(|node| matches!(&node.rule, Rule::Vote(by) if by.id == person))
            .map(|node| (node.outcome, &node.why))
            .min_by_key(|(outcome, _)| rank(*outcome))
    }

    /// Whether a part that no person stands for is in the way: checks, or an approver.
    pub fn is_blocked(&self) -> bool {
        let parts = self.children.iter();
        let mut inhuman = parts.filter(|part| matches!(part.rule, Rule::Checks | Rule::Approver(_)));
        inhuman.any(|part| part.outcome == Outcome::No)
    }

    /// Why the checks could not be read, if they could not.
    pub fn unread_checks(&self) -> Option<&str> {
        self.children.iter().find_map(|part| match (&part.rule, &part.why) {
            (Rule::Checks, Why::CouldNotCheck(why)) => Some(why.as_str()),
            _ => None,
        })
    }

    /// The first thing that could not be checked.
    pub fn unchecked(&self) -> Option<&str> {
        self.all().into_iter().find_map(|node| match &node.why {
            Why::CouldNotCheck(why) => Some(why.as_str()),
            _ => None,
        })
    }

    /// Those who approved this and whose approval counts nowhere.
    pub fn uncounted(&self) -> Vec<UserId> {
        let voters: BTreeSet<UserId> = self
            .all()
            .into_iter()
            .filter_map(|node| match &node.rule {
                Rule::Vote(by) => Some(by.id),
                _ => None,
            })
            .collect();
        let counts_nowhere = |id: &UserId| {
            let of = self.vote_of(*id);
            of.is_some_and(|(outcome, why)| outcome != Outcome::Yes && !matches!(why, Why::OtherChoice(_)))
        };
        voters.into_iter().filter(counts_nowhere).collect()
    }

    /// The people whose approvals count somewhere, each once.
    pub fn counted(&self) -> Vec<&Person> {
        let mut seen = BTreeSet::new();
        let votes = self.all().into_iter().filter(|node| node.outcome == Outcome::Yes);
        votes
            .filter_map(|node| match &node.rule {
                Rule::Vote(by) => Some(by),
                _ => None,
            })
            .filter(|by| seen.insert(by.id))
            .collect()
    }
}

/// Whether a gate is open for a digest, as a tree.
///
/// A bot never counts, a person counts once in each rule, and whoever is excluded or lacks the right counts in none.
pub fn evaluate(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest) -> Node {
    let mut children: Vec<Node> = gate
        .quorums()
        .map(|quorum| {
            let votes = votes(gate, facts, digest, &quorum.of);
            quorum_node(quorum, votes)
        })
        .collect();
    if gate.code_owners {
        children.push(code_owners(gate, facts, digest));
    }
    Node {
        outcome: every(children.iter().map(|child| child.outcome)),
        rule: Rule::Gate,
        why: Why::Parts,
        children,
    }
}

/// What many rules that must all hold come to.
fn every(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let mut all = Outcome::Yes;
    for outcome in outcomes {
        match outcome {
            Outcome::No => return Outcome::No,
            Outcome::Unknown => all = Outcome::Unknown,
            Outcome::Yes => {}
        }
    }
    all
}

fn quorum_node(quorum: Quorum, children: Vec<Node>) -> Node {
    let count = |outcome| {
        let these = children.iter().filter(|vote| vote.outcome == outcome);
        u32::try_from(these.count()).unwrap_or(u32::MAX)
    };
    let (have, unknown) = (count(Outcome::Yes), count(Outcome::Unknown));
    // A file is checked before it is used; here nothing may open a gate without anybody.
    let need = quorum.quorum.max(1);
    Node {
        outcome: if have >= need {
            Outcome::Yes
        } else if have.saturating_add(unknown) >= need {
            Outcome::Unknown
        } else {
            Outcome::No
        },
        why: Why::Count { have, need },
        rule: Rule::Quorum(quorum),
        children,
    }
}

fn code_owners(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest) -> Node {
    let owned = match facts.live.owned.as_ref() {
        Ok(owned) => owned,
        Err(why) => return Node::leaf(Rule::CodeOwners, (Outcome::Unknown, Why::CouldNotCheck(why.to_owned()))),
    };
    let paths: Vec<Node> = owned
        .iter()
        .map(|path| {
            let rule = Rule::Path(path.clone());
            if path.owners.is_empty() {
                return Node::leaf(rule, (Outcome::Yes, Why::NobodyOwns));
            }
            let one = Quorum {
                quorum: 1,
                of: path.owners.clone(),
            };
            Node {
                rule,
                ..quorum_node(one, votes(gate, facts, digest, &path.owners))
            }
        })
        .collect();
    Node {
        outcome: every(paths.iter().map(|path| path.outcome)),
        rule: Rule::CodeOwners,
        why: if paths.is_empty() { Why::NobodyOwns } else { Why::Parts },
        children: paths,
    }
}

/// A node for each person who approved, the latest of theirs.
fn votes(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest, of: &[Candidate]) -> Vec<Node> {
    let mut latest: Vec<&Approval> = Vec::new();
    for vote in &facts.votes {
        latest.retain(|other| other.by.id != vote.by.id);
        latest.push(vote);
    }
    latest
        .into_iter()
        .map(|vote| Node::leaf(Rule::Vote(vote.by.clone()), counts(gate, facts, digest, of, vote)))
        .collect()
}

/// Whether one approval counts for a rule whose people are these.
fn counts(gate: &PeopleGate, facts: &Facts<'_>, digest: Digest, of: &[Candidate], vote: &Approval) -> (Outcome, Why) {
    if vote.digest != digest {
        return (Outcome::No, Why::OtherDigest);
    }
    if let Some(other) = vote.choice.filter(|_| vote.choice != facts.choice) {
        return (Outcome::No, Why::OtherChoice(other));
    }
    let unknown = |why: &str| (Outcome::Unknown, Why::CouldNotCheck(why.to_owned()));
    let Some(standing) = facts.live.people.get(&vote.by.id) else {
        return unknown(NOT_ASKED);
    };
    if standing.kind != Kind::Human {
        return (Outcome::No, Why::NotAPerson);
    }
    let mut doubts = Vec::new();
    for excluded in &gate.exclude {
        let is = match excluded {
            Excluded::Starter => vote.by.id == facts.starter,
            Excluded::Steerers => facts.steerers.contains(&vote.by.id),
            Excluded::Author => match facts.live.author.as_ref() {
                Ok(author) => vote.by.id == *author,
                Err(why) => {
                    doubts.push(why);
                    false
                }
            },
        };
        if is {
            return (Outcome::No, Why::Excluded(*excluded));
        }
    }
    match standing.right.as_ref() {
        Ok(has) if *has < gate.right => {
            let (has, needs) = (*has, gate.right);
            return (Outcome::No, Why::Right { has, needs });
        }
        Ok(_) => {}
        Err(why) => doubts.push(why),
    }
    if !of.is_empty() {
        let mut unsure = None;
        let among = of.iter().any(|candidate| match candidate {
            Candidate::Person(login) => standing.login.eq_ignore_ascii_case(login),
            Candidate::Team(team) => match standing.teams.get(team).map(Fact::as_ref) {
                Some(Ok(is)) => *is,
                Some(Err(why)) => {
                    unsure = Some(why);
                    false
                }
                None => {
                    unsure = Some(NOT_ASKED);
                    false
                }
            },
        });
        match (among, unsure) {
            (true, _) => {}
            (false, Some(why)) => doubts.push(why),
            (false, None) => return (Outcome::No, Why::NotAmong),
        }
    }
    match doubts.first() {
        Some(why) => unknown(why),
        None => (Outcome::Yes, Why::Counts),
    }
}
