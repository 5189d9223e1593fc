//! A gate's result tree in words: who counts, who is missing, and why somebody does not count.

use super::markup::{code, count, list, login, logins, words};
use super::phrases::right;
use crate::workflow::approval::{Node, Outcome, Rule, Why};
use crate::workflow::definition::PeopleGate;
use crate::workflow::gate::{Candidate, Excluded, Quorum};
use crate::workflow::ids::UserId;
use crate::workflow::state::{Approval, PhaseState};

/// What a gate asks for, where that is more than one person with the right; empty otherwise.
pub fn asks_for(gate: &PeopleGate) -> String {
    let mut parts: Vec<String> = gate
        .quorums()
        .filter(|quorum| quorum.quorum > 1 || !quorum.of.is_empty())
        .map(|quorum| wanted(&quorum))
        .collect();
    if gate.code_owners {
        parts.push("an owner of each file that is touched".to_owned());
    }
    let excluded: Vec<String> = gate.exclude.iter().map(|one| whoever(*one).to_owned()).collect();
    let excluded = match excluded.is_empty() {
        true => String::new(),
        false => format!("The approval of whoever {} does not count here.", list(&excluded, "or")),
    };
    match parts.is_empty() {
        true => excluded,
        false => format!("This needs {}. {excluded}", list(&parts, "and"))
            .trim_end()
            .to_owned(),
    }
}

/// How far a gate is that needs several approvals: `1 of 2 approvals: mona`; empty where one suffices or none was
/// given.
pub fn so_far(gate: &PeopleGate, at: &PhaseState) -> String {
    let votes: Vec<&Approval> = at.votes().collect();
    if votes.is_empty() {
        return String::new();
    }
    if votes.iter().any(|vote| vote.choice.is_some()) {
        let chose = votes
            .iter()
            .filter_map(|vote| Some(format!("{} by {}", vote.choice?, login(&vote.by.login))));
        return format!("Chosen so far: {}.", list(&chose.collect::<Vec<_>>(), "and"));
    }
    let people: Vec<String> = votes.iter().map(|vote| vote.by.login.clone()).collect();
    let people = list(&logins(&people), "and");
    match gate.also.is_empty() && !gate.code_owners {
        true => format!("{} of {} approvals: {people}.", votes.len(), gate.quorum),
        false => format!("Approved so far by {people}."),
    }
}

/// What is still missing: `1 of 2; one more of …`.
pub fn missing(tree: &Node) -> String {
    let parts: Vec<String> = tree.all().into_iter().filter_map(missing_of).collect();
    match parts.is_empty() {
        true => "nothing is missing".to_owned(),
        false => parts.join("; "),
    }
}

fn missing_of(node: &Node) -> Option<String> {
    if node.outcome == Outcome::Yes {
        return None;
    }
    match (&node.rule, &node.why) {
        (Rule::Checks, Why::Parts) => None,
        (Rule::Checks, why) => Some(format!("the checks {}", because(why))),
        (Rule::Check(name), why) => Some(format!("the check {} {}", code(name), because(why))),
        (Rule::Approver(by), why) => Some(format!("{} {}", approver(by.as_deref()), approver_says(why))),
        (Rule::Quorum(quorum), Why::Count { have, need }) => {
            let more = need - have;
            let more = if more == 1 {
                "one more".to_owned()
            } else {
                format!("{more} more")
            };
            let of = of(&quorum.of);
            Some(format!("{have} of {need}; {more}{of}"))
        }
        (Rule::Path(owned), _) => {
            let owners: Vec<String> = owned.owners.iter().map(candidate).collect();
            Some(format!("an owner of {}: {}", code(&owned.path), list(&owners, "or")))
        }
        (Rule::CodeOwners, Why::CouldNotCheck(why)) => Some(format!(
            "the owners of the touched files could not be found out ({})",
            words(why)
        )),
        _ => None,
    }
}

/// The approver that is a model.
fn approver(by: Option<&str>) -> String {
    by.map_or_else(|| "the approver".to_owned(), |by| format!("the approver {}", code(by)))
}

fn approver_says(why: &Why) -> String {
    match why {
        Why::Counts => "approved it".to_owned(),
        Why::OtherDigest => "decided about something else".to_owned(),
        why => because(why),
    }
}

/// Why no approval of a person opens a gate now: its checks, or its approver.
pub fn in_the_way(tree: &Node) -> String {
    let parts = tree.children.iter();
    let inhuman = parts.filter(|part| matches!(part.rule, Rule::Checks | Rule::Approver(_)));
    let all: Vec<String> = inhuman.flat_map(Node::all).filter_map(missing_of).collect();
    list(&all, "and")
}

/// Why the approval of the person spoken to does not count.
pub fn you_do_not_count(gate: &PeopleGate, tree: &Node, you: UserId) -> String {
    let why = tree.vote_of(you).map(|(_, why)| why);
    match why {
        Some(Why::Excluded(excluded)) => format!("You {}, so your approval does not count here.", whoever(*excluded)),
        Some(Why::NotAmong) => {
            let all: Vec<String> = gate
                .quorums()
                .filter(|one| !one.of.is_empty())
                .map(|one| wanted(&one))
                .collect();
            format!(
                "Your approval does not count here: this needs {}, and you are not one of them.",
                list(&all, "and")
            )
        }
        Some(Why::Right { has, needs }) => format!(
            "Your approval does not count here: it needs {}, and you have {}.",
            right(*needs),
            right(*has)
        ),
        Some(Why::NotAPerson) => "Only people approve.".to_owned(),
        _ => "Your approval does not count here.".to_owned(),
    }
}

/// Why an approved gate is not open any more, without a sentence's beginning or end.
pub fn lost(tree: &Node) -> String {
    let all = tree.all();
    let vote = all.iter().find_map(|node| match (&node.rule, node.outcome) {
        (Rule::Vote(by), Outcome::No) => Some((by, &node.why)),
        _ => None,
    });
    match vote {
        // The login as it is: whoever repeats this makes it harmless.
        Some((by, why)) => format!("{} {}", by.login, because(why)),
        None => missing(tree),
    }
}

/// What to go on after a name: why somebody's approval counts or not.
fn because(why: &Why) -> String {
    match why {
        Why::Counts => "counts".to_owned(),
        Why::OtherDigest => "approved something else".to_owned(),
        Why::NotAPerson => "is no person".to_owned(),
        Why::Right { needs, .. } => format!("no longer has {}", right(*needs)),
        Why::NotAmong => "is none of those whose approval counts".to_owned(),
        Why::Excluded(excluded) => whoever(*excluded).to_owned(),
        Why::CouldNotCheck(why) => format!("could not be checked ({})", words(why)),
        Why::Parts | Why::Count { .. } | Why::NobodyOwns => "does not count".to_owned(),
        Why::NotDecided => "has not decided yet".to_owned(),
        Why::SaidNo(feedback) => format!("rejected it: {}", words(feedback.as_str())),
        Why::MayBeOverruled(feedback) => {
            format!(
                "rejected it, and people may approve it all the same: {}",
                words(feedback.as_str())
            )
        }
        Why::Succeeded => "succeeded".to_owned(),
        Why::NotEnded => "has not ended".to_owned(),
        Why::Found(found) => format!("is {}", words(found)),
        Why::NoSuchCheck => "was not found".to_owned(),
        Why::NotRead => "were not read yet".to_owned(),
        Why::Pushed => "are of an older head: something was pushed since they were read".to_owned(),
    }
}

/// The tree as a list for `/who` and `/explain`: each rule, and under it each person with what their approval comes to.
pub fn tree(tree: &Node) -> String {
    let mut lines = Vec::new();
    for child in &tree.children {
        put(child, 0, &mut lines);
    }
    lines.join("\n")
}

fn put(node: &Node, depth: usize, lines: &mut Vec<String>) {
    let said = match &node.rule {
        Rule::Gate => String::new(),
        Rule::Quorum(quorum) => match &node.why {
            Why::Count { have, need } => format!("{}: {have} of {need}", wanted(quorum)),
            _ => wanted(quorum),
        },
        Rule::Vote(by) if node.outcome == Outcome::Yes => format!("{}: counts", login(&by.login)),
        Rule::Vote(by) => format!(
            "{}: does not count, {} {}",
            login(&by.login),
            login(&by.login),
            because(&node.why)
        ),
        Rule::CodeOwners => match &node.why {
            Why::NobodyOwns => "owners of touched files: none is touched".to_owned(),
            Why::CouldNotCheck(why) => format!("owners of touched files: could not be checked ({})", words(why)),
            _ => "owners of touched files".to_owned(),
        },
        Rule::Checks => match &node.why {
            Why::Parts => "checks".to_owned(),
            why => format!("the checks {}", because(why)),
        },
        Rule::Check(name) => format!("{} {}", code(name), because(&node.why)),
        Rule::Approver(by) => format!("{} {}", approver(by.as_deref()), approver_says(&node.why)),
        Rule::Path(owned) if owned.owners.is_empty() => format!("{}: nobody owns it", code(&owned.path)),
        Rule::Path(owned) => {
            let owners: Vec<String> = owned.owners.iter().map(candidate).collect();
            format!("{}: {}", code(&owned.path), list(&owners, "or"))
        }
    };
    let outcome = match node.outcome {
        Outcome::Yes => "yes",
        Outcome::No => "no",
        Outcome::Unknown => "not known",
    };
    lines.push(format!("{}- {outcome}: {said}", "  ".repeat(depth)));
    for child in &node.children {
        put(child, depth + 1, lines);
    }
}

fn wanted(quorum: &Quorum) -> String {
    let approvals = match quorum.quorum {
        1 => "one approval".to_owned(),
        many => count(many as usize, "approval", "approvals"),
    };
    format!("{approvals}{}", of(&quorum.of))
}

fn of(of: &[Candidate]) -> String {
    let all: Vec<String> = of.iter().map(candidate).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" of {}", list(&all, "or")),
    }
}

/// A team or person; in code, so that nobody is notified.
fn candidate(candidate: &Candidate) -> String {
    match candidate {
        Candidate::Team(team) => code(&team.to_string()),
        Candidate::Person(name) => login(name),
    }
}

/// To go after "whoever" or "you".
fn whoever(excluded: Excluded) -> &'static str {
    match excluded {
        Excluded::Starter => "started this workflow",
        Excluded::Author => "opened this issue, pull request or discussion",
        Excluded::Steerers => "steered this draft",
    }
}
