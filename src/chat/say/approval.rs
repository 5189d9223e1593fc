//! A gate's result tree in words: who counts, who is missing, and why somebody does not count.

use super::markup::{code, count, list, login, logins, words};
use super::phrases::right;
use super::view::GateView;
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

/// How far a gate is that needs several approvals: `1 of 2 approvals: mona`; empty where none was given. Those are named
/// that count, and those that do not with the reason.
pub fn so_far(gate: &PeopleGate, at: &PhaseState, view: &GateView) -> String {
    let votes: Vec<&Approval> = at.votes().collect();
    if votes.is_empty() {
        return String::new();
    }
    let now = &view.prospect.now;
    let people: Vec<String> = now.counted().iter().map(|by| login(&by.login)).collect();
    let names = match people.is_empty() {
        true => String::new(),
        false => format!(": {}", list(&people, "and")),
    };
    let simple = gate.also.is_empty() && !gate.code_owners;
    let given = match chosen(&votes) {
        Some(chosen) => chosen,
        None if simple => format!("{} of {} approvals{names}.", people.len(), gate.quorum),
        None if people.is_empty() => String::new(),
        None => format!("Approved so far by {}.", list(&people, "and")),
    };
    let without = votes.iter().filter_map(|vote| {
        let (outcome, why) = now.vote_of(vote.by.id)?;
        let other = matches!(why, Why::OtherChoice(_));
        (outcome != Outcome::Yes && !other).then(|| {
            format!(
                "{} {}, so that approval does not count.",
                login(&vote.by.login),
                because(why)
            )
        })
    });
    let parts: Vec<String> = std::iter::once(given).chain(without).collect();
    parts.join(" ").trim().to_owned()
}

/// Who chose what; nothing where there is no choice.
fn chosen(votes: &[&Approval]) -> Option<String> {
    let chose: Vec<String> = votes
        .iter()
        .filter_map(|vote| Some(format!("{} by {}", vote.choice?, login(&vote.by.login))))
        .collect();
    let split = votes.iter().any(|vote| vote.choice != votes[0].choice);
    let agree = match split {
        true => " All must choose the same: whoever changes their mind chooses again.",
        false => "",
    };
    (!chose.is_empty()).then(|| format!("Chosen so far: {}.{agree}", list(&chose, "and")))
}

/// The files that wait for an owner's approval, with the owners; empty where none does.
pub fn owners(view: &GateView) -> String {
    let groups = by_owners(&view.prospect.now);
    let mut shown: Vec<String> = groups
        .iter()
        .take(GROUPS)
        .map(|(owners, paths)| format!("{} for {}", owners, files(paths)))
        .collect();
    if groups.len() > GROUPS {
        shown.push(format!("{} more", groups.len() - GROUPS));
    }
    match shown.is_empty() {
        true => String::new(),
        false => format!("Still missing of the owners: {}.", list(&shown, "and")),
    }
}

/// Owners and files that are named in one sentence.
const GROUPS: usize = 5;

/// The paths of a tree that do not have their owner's approval, those of the same owners together.
fn by_owners(tree: &Node) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for node in tree.all() {
        let Rule::Path(owned) = &node.rule else { continue };
        if node.outcome == Outcome::Yes {
            continue;
        }
        let owners: Vec<String> = owned.owners.iter().map(candidate).collect();
        let owners = list(&owners, "or");
        match groups.iter_mut().find(|(group, _)| *group == owners) {
            Some((_, paths)) => paths.push(&owned.path),
            None => groups.push((owners, vec![&owned.path])),
        }
    }
    groups
}

fn files(paths: &[&str]) -> String {
    let mut shown: Vec<String> = paths.iter().take(GROUPS).map(|path| code(path)).collect();
    if paths.len() > GROUPS {
        shown.push(format!("{} more", paths.len() - GROUPS));
    }
    list(&shown, "and")
}

/// Who can decide at a gate, in a sentence: that nobody can, and why, where it is so.
pub fn who_can(gate: &PeopleGate, view: &GateView) -> String {
    let can = view.can();
    match (stuck(gate, view), can.is_empty()) {
        (Some(stuck), _) => stuck,
        (None, false) => format!("Who can: {}.", list(&logins(&can), "and")),
        (None, true) => "I could not find out who can.".to_owned(),
    }
}

/// Those who have the right and whose approval would not count, with why: sentences, or nothing.
pub fn excluded(view: &GateView) -> String {
    let excluded = view.prospect.excluded();
    let each: Vec<String> = excluded
        .iter()
        .map(|(by, why)| format!("{} {}", login(&by.login), because(why)))
        .collect();
    match each.len() {
        0 => String::new(),
        1 => format!("{}, so that approval does not count.", each[0]),
        _ => format!("{}, so their approvals do not count.", list(&each, "and")),
    }
}

/// Why nobody can open a gate, and what ends that; nothing where somebody can, or it is not known.
pub fn stuck(gate: &PeopleGate, view: &GateView) -> Option<String> {
    let best = view.prospect.best.as_ref().filter(|_| view.prospect.is_stuck())?;
    let (mut why, mut until): (Vec<String>, Vec<String>) = best
        .children
        .iter()
        .filter(|rule| rule.outcome == Outcome::No)
        .filter_map(|rule| too_few(rule, view))
        .unzip();
    for (owners, paths) in by_owners(best) {
        let unseen = view.unseen.iter().find(|team| owners.contains(&team.to_string()));
        why.push(match unseen {
            Some(team) => format!(
                "{} belongs to {owners}, and I see no team {}",
                files(&paths),
                code(&team.to_string())
            ),
            None => format!(
                "{} belongs to {owners}, and nobody of them can approve it",
                files(&paths)
            ),
        });
    }
    if why.len() > until.len() {
        until.push("CODEOWNERS on the default branch names somebody who can".to_owned());
    }
    let anew = match gate.exclude.contains(&Excluded::Starter) {
        true => "starts it anew as somebody else",
        false => "starts it anew",
    };
    let excluded = match excluded(view) {
        none if none.is_empty() => none,
        some => format!(" {some}"),
    };
    Some(format!(
        "**Nobody can open this gate as things are**: {}.{excluded} It opens once {}. Or somebody ends it with {} and \
         {anew}.",
        why.join("; "),
        list(&until, "and"),
        code("/cancel …")
    ))
}

/// Why a quorum cannot be met, and what would have it met.
fn too_few(rule: &Node, view: &GateView) -> Option<(String, String)> {
    let (Rule::Quorum(quorum), Why::Count { need, .. }) = (&rule.rule, &rule.why) else {
        return None;
    };
    let right = right(view.right);
    let count = rule.counted();
    let names: Vec<String> = count.iter().map(|by| login(&by.login)).collect();
    let there = match names.len() {
        0 => format!("there is nobody with {right} whose approval would count"),
        1 => format!("only that of {} would count", names[0]),
        _ => format!("only those of {} would count", list(&names, "and")),
    };
    let more = match need.saturating_sub(u32::try_from(names.len()).unwrap_or(u32::MAX)) {
        1 => format!("one more person{} has", of(&quorum.of)),
        many => format!("{many} more people{} have", of(&quorum.of)),
    };
    let by = match view.admins.is_empty() {
        true => String::new(),
        false => format!(", which {} can give", list(&logins(&view.admins), "or")),
    };
    let until = format!("{more} {right}{by}");
    Some((format!("it needs {}, and {there}", wanted(quorum)), until))
}

/// What is still missing: `1 of 2; one more of …`. `can` are those who could give it, where that is known.
pub fn missing(tree: &Node, can: &[String]) -> String {
    let all = tree.all().into_iter();
    let parts: Vec<String> = all.filter_map(|node| missing_of(node, can)).collect();
    match parts.is_empty() {
        true => "nothing is missing".to_owned(),
        false => parts.join("; "),
    }
}

fn missing_of(node: &Node, can: &[String]) -> Option<String> {
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
            let of = of(&left(quorum, node, can));
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

/// Those of a quorum whose approval is not there yet and could be.
fn left(quorum: &Quorum, node: &Node, can: &[String]) -> Vec<Candidate> {
    let counted = node.counted();
    let is = |one: &str, login: &str| one.eq_ignore_ascii_case(login);
    let could = |candidate: &&Candidate| match candidate {
        Candidate::Team(_) => true,
        Candidate::Person(login) => {
            let gave = counted.iter().any(|by| is(&by.login, login));
            !gave && (can.is_empty() || can.iter().any(|one| is(one, login)))
        }
    };
    quorum.of.iter().filter(could).cloned().collect()
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
    let all: Vec<String> = inhuman
        .flat_map(Node::all)
        .filter_map(|node| missing_of(node, &[]))
        .collect();
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
        (Rule::Vote(by), Outcome::No) if !matches!(node.why, Why::OtherChoice(_)) => Some((by, &node.why)),
        _ => None,
    });
    match vote {
        // The login as it is: whoever repeats this makes it harmless.
        Some((by, why)) => format!("{} {}", by.login, because(why)),
        None => missing(tree, &[]),
    }
}

/// What to go on after a name: why somebody's approval counts or not.
fn because(why: &Why) -> String {
    match why {
        Why::Counts => "counts".to_owned(),
        Why::OtherDigest => "approved something else".to_owned(),
        Why::OtherChoice(other) => format!("chose {other}"),
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
        put(child, (0, &tree.rule), &mut lines);
    }
    lines.join("\n")
}

fn put(node: &Node, (depth, under): (usize, &Rule), lines: &mut Vec<String>) {
    let said = match &node.rule {
        Rule::Gate => String::new(),
        Rule::Quorum(quorum) => match &node.why {
            Why::Count { have, need } => format!("{}: {} of {need}", wanted(quorum), have.min(need)),
            _ => wanted(quorum),
        },
        Rule::Vote(by) if node.outcome == Outcome::Yes => format!("{}: counts", login(&by.login)),
        Rule::Vote(by) if matches!((under, &node.why), (Rule::Path(_), Why::NotAmong)) => {
            format!("{}: does not own it", login(&by.login))
        }
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
        put(child, (depth + 1, &node.rule), lines);
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
