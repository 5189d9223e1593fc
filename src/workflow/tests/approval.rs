//! Gates of people: the tree's rules one by one, the votes of a workflow, and that nothing is carried out without a live
//! quorum, whatever happens in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::apply::fold;
use super::super::approval::{
    Candidates, Fact, Facts, Kind, Live, Node, Outcome, Owned, Prospect, Standing, Why, evaluate, prospect,
};
use super::super::command::{Ask, Command, Refusal, Report, Verdict};
use super::super::decide::{Facts as Order, decide};
use super::super::definition::{Definition, Known, PeopleGate};
use super::super::event::Event;
use super::super::gate::{Candidate, Excluded, Team};
use super::super::ids::{Digest, UserId};
use super::super::judging::Judged;
use super::super::plan::{Intent, plan};
use super::super::right::Right;
use super::super::state::{Approval, PhaseStatus, Surface};
use super::{Run, authority, names, noon, person, prefix, proposal};

fn security() -> Team {
    Team {
        org: "acme".into(),
        slug: "security".into(),
    }
}

fn standing(login: &str, right: Right, member: bool) -> Standing {
    Standing {
        kind: Kind::Human,
        login: login.into(),
        right: Fact::Known(right),
        teams: BTreeMap::from([(security(), Fact::Known(member))]),
    }
}

fn live(people: &[(&str, Right, bool)]) -> Live {
    Live {
        people: people
            .iter()
            .map(|(login, right, member)| (person(login).id, standing(login, *right, *member)))
            .collect(),
        author: Fact::Known(person("olga").id),
        owned: Fact::Known(Vec::new()),
        checks: Live::default().checks,
    }
}

fn vote(login: &str, digest: Digest) -> Approval {
    Approval {
        by: person(login),
        right: Right::Admin,
        surface: Surface::Box,
        digest,
        at: noon(),
        reason: None,
        choice: None,
    }
}

fn gate(yaml: &str) -> PeopleGate {
    serde_saphyr::from_str(yaml).unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

/// The tree of a gate when these approved, of whom these are steerers; Alice started it.
fn tree(gate: &PeopleGate, live: &Live, voters: &[&str], steerers: &[&str]) -> Node {
    let votes: Vec<Approval> = voters.iter().map(|login| vote(login, digest("this"))).collect();
    let facts = Facts {
        votes: votes.iter().collect(),
        choice: None,
        live,
        starter: person("alice").id,
        steerers: steerers.iter().map(|login| person(login).id).collect(),
        judged: &Judged::default(),
    };
    evaluate(gate, &facts, digest("this"))
}

#[test]
fn each_rule_by_itself() {
    let everybody = live(&[
        ("alice", Right::Write, true),
        ("bob", Right::Write, true),
        ("mona", Right::Maintain, true),
        ("carol", Right::Triage, true),
        ("dave", Right::Write, false),
        ("olga", Right::Write, true),
    ]);
    let two = "{quorum: 2 of @acme/security}";
    for (gate_yaml, voters, steerers, outcome) in [
        ("{}", &["bob"] as &[&str], &[] as &[&str], Outcome::Yes),
        ("{}", &[], &[], Outcome::No),
        ("{}", &["carol"], &[], Outcome::No),
        ("{quorum: 2}", &["bob"], &[], Outcome::No),
        ("{quorum: 2}", &["bob", "bob"], &[], Outcome::No),
        ("{quorum: 2}", &["bob", "dave"], &[], Outcome::Yes),
        (two, &["bob", "dave"], &[], Outcome::No),
        (two, &["bob", "mona"], &[], Outcome::Yes),
        (two, &["bob", "carol"], &[], Outcome::No),
        ("{of: ['@DAVE']}", &["dave"], &[], Outcome::Yes),
        ("{of: ['@dave']}", &["bob"], &[], Outcome::No),
        ("{exclude: [starter]}", &["alice"], &[], Outcome::No),
        ("{exclude: [author]}", &["olga"], &[], Outcome::No),
        ("{exclude: [author]}", &["bob"], &[], Outcome::Yes),
        ("{exclude: [steerers]}", &["bob"], &["bob"], Outcome::No),
        ("{exclude: [steerers]}", &["bob", "mona"], &["bob"], Outcome::Yes),
        ("{also: [{quorum: 2, of: []}]}", &["bob"], &[], Outcome::No),
        ("{also: [{quorum: 2, of: []}]}", &["bob", "dave"], &[], Outcome::Yes),
        ("{code_owners: true}", &["bob"], &[], Outcome::Yes),
    ] {
        let said = tree(&gate(gate_yaml), &everybody, voters, steerers);
        assert_eq!(said.outcome, outcome, "{gate_yaml} {voters:?}: {said:#?}");
    }
}

/// What a gate could come to, with these approvals, of those who may write; Alice started it.
fn could(gate: &PeopleGate, live: &Live, voters: &[&str], steerers: &[&str]) -> Prospect {
    let votes: Vec<Approval> = voters.iter().map(|login| vote(login, digest("this"))).collect();
    let facts = Facts {
        votes: votes.iter().collect(),
        choice: None,
        live,
        starter: person("alice").id,
        steerers: steerers.iter().map(|login| person(login).id).collect(),
        judged: &Judged::default(),
    };
    let may_write = |one: &&Standing| matches!(one.right, Fact::Known(right) if right >= Right::Write);
    let writers = live.people.values().filter(may_write);
    let writers = writers.map(|one| person(&one.login)).collect();
    prospect(gate, &facts, digest("this"), &Candidates::All(writers))
}

#[test]
fn who_brings_a_gate_on_and_whether_anybody_can() {
    let mut github = live(&[
        ("alice", Right::Write, true),
        ("bob", Right::Write, true),
        ("mona", Right::Maintain, false),
        ("carol", Right::Triage, true),
    ]);
    github.owned = Fact::Known(vec![
        Owned {
            path: "src/a".into(),
            owners: vec![Candidate::Person("mona".into())],
        },
        Owned {
            path: "docs/b".into(),
            owners: Vec::new(),
        },
    ]);
    let none: &[&str] = &[];
    for (gate_yaml, voters, steerers, can, stuck) in [
        ("{}", none, none, &["alice", "bob", "mona"] as &[&str], false),
        ("{exclude: [starter]}", none, none, &["bob", "mona"], false),
        ("{exclude: [starter], of: ['@alice', '@carol']}", none, none, none, true),
        ("{exclude: [starter, steerers]}", none, &["bob", "mona"], none, true),
        ("{right: maintain, exclude: [steerers]}", none, &["mona"], none, true),
        ("{quorum: 3}", &["bob"], none, &["alice", "mona"], false),
        ("{quorum: 3, exclude: [starter]}", &["bob"], none, &["mona"], true),
        ("{quorum: 4}", none, none, &["alice", "bob", "mona"], true),
        ("{quorum: 2 of @acme/security}", &["bob"], none, &["alice"], false),
        ("{quorum: 3 of @acme/security}", none, none, &["alice", "bob"], true),
        // Whoever owns it makes up the quorum too.
        ("{code_owners: true}", none, none, &["mona"], false),
        (
            "{code_owners: true, quorum: 2}",
            none,
            none,
            &["alice", "bob", "mona"],
            false,
        ),
        ("{code_owners: true, quorum: 2}", &["alice"], none, &["mona"], false),
        (
            "{code_owners: true, exclude: [steerers]}",
            none,
            &["mona"],
            &["alice", "bob"],
            true,
        ),
    ] {
        let prospect = could(&gate(gate_yaml), &github, voters, steerers);
        let mut names: Vec<&str> = prospect.can.iter().map(|one| one.login.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            (names.as_slice(), prospect.is_stuck()),
            (can, stuck),
            "{gate_yaml} {voters:?}"
        );
    }
    // A team that cannot be asked about is neither.
    let bob = github.people.get_mut(&person("bob").id).unwrap();
    bob.teams
        .insert(security(), Fact::CouldNotCheck("GitHub did not answer".to_owned()));
    let unsure = could(&gate("{quorum: 2 of @acme/security}"), &github, none, none);
    assert!(!unsure.is_stuck() && unsure.can.iter().all(|one| one.login == "alice"));
}

#[test]
fn what_could_not_be_checked_is_never_yes_and_a_certain_no_stays_no() {
    fn unknown<T>() -> Fact<T> {
        Fact::CouldNotCheck("GitHub did not answer".to_owned())
    }
    let mut facts = live(&[("bob", Right::Write, true), ("mona", Right::Write, true)]);
    facts.people.get_mut(&person("bob").id).unwrap().right = unknown();
    assert_eq!(tree(&gate("{}"), &facts, &["bob"], &[]).outcome, Outcome::Unknown);
    assert_eq!(tree(&gate("{}"), &facts, &["bob", "mona"], &[]).outcome, Outcome::Yes);
    assert_eq!(
        tree(&gate("{quorum: 3}"), &facts, &["bob", "mona"], &[]).outcome,
        Outcome::No
    );
    let excluded = tree(&gate("{exclude: [steerers]}"), &facts, &["bob"], &["bob"]);
    assert_eq!(excluded.outcome, Outcome::No);
    let mona = facts.people.get_mut(&person("mona").id).unwrap();
    mona.teams.insert(security(), unknown());
    let of_team = tree(&gate("{of: ['@acme/security']}"), &facts, &["mona"], &[]);
    assert_eq!(
        (of_team.outcome, of_team.unchecked()),
        (Outcome::Unknown, Some("GitHub did not answer"))
    );
    // Somebody of whom nothing was asked, and a team of which nothing was asked.
    assert_eq!(tree(&gate("{}"), &facts, &["dave"], &[]).outcome, Outcome::Unknown);
    assert_eq!(
        tree(&gate("{of: ['@acme/other']}"), &facts, &["mona"], &[]).outcome,
        Outcome::Unknown
    );
    facts.author = unknown();
    assert_eq!(
        tree(&gate("{exclude: [author]}"), &facts, &["mona"], &[]).outcome,
        Outcome::Unknown
    );
    facts.owned = unknown();
    assert_eq!(
        tree(&gate("{code_owners: true}"), &facts, &["mona"], &[]).outcome,
        Outcome::Unknown
    );
}

#[test]
fn bots_and_approvals_of_something_else_never_count() {
    let mut facts = live(&[("bob", Right::Admin, true)]);
    let other = vote("bob", digest("that"));
    let gate = gate("{}");
    let of_other = Facts {
        votes: vec![&other],
        choice: None,
        live: &facts,
        starter: UserId(1),
        steerers: BTreeSet::new(),
        judged: &Judged::default(),
    };
    let said = evaluate(&gate, &of_other, digest("this"));
    assert_eq!(
        (said.outcome, said.vote_of(other.by.id)),
        (Outcome::No, Some((Outcome::No, &Why::OtherDigest)))
    );
    facts.people.get_mut(&person("bob").id).unwrap().kind = Kind::Other;
    assert_eq!(tree(&gate, &facts, &["bob"], &[]).outcome, Outcome::No);
}

#[test]
fn each_touched_path_with_owners_needs_one_of_them() {
    let mut facts = live(&[("bob", Right::Write, true), ("dave", Right::Write, false)]);
    let owned = |path: &str, owners: Vec<Candidate>| Owned {
        path: path.into(),
        owners,
    };
    facts.owned = Fact::Known(vec![
        owned("a", vec![Candidate::Team(security())]),
        owned("b", vec![Candidate::Person("dave".into())]),
        owned("c", Vec::new()),
    ]);
    let gate = gate("{code_owners: true}");
    assert_eq!(tree(&gate, &facts, &["bob"], &[]).outcome, Outcome::No);
    assert_eq!(tree(&gate, &facts, &["dave"], &[]).outcome, Outcome::No);
    assert_eq!(tree(&gate, &facts, &["bob", "dave"], &[]).outcome, Outcome::Yes);
}

/// One gate before its own acts.
fn one_gate(gate: &str) -> Definition {
    let yaml = format!(
        "name: one\nversion: 1\ntitle: One\nphases:\n  - {{id: work, title: Work, agent: writer, gate: {{people: {gate}}}, executes: work, limits: {{iterations: 50}}}}\n"
    );
    let known = Known {
        agents: &["writer"],
        ..Known::default()
    };
    Definition::parse(&yaml, &known).unwrap()
}

impl Run {
    fn votes(&mut self, login: &str, live: &Live) -> Verdict {
        let current = self.state.at(&"work".into()).pending.as_ref().unwrap().digest;
        self.votes_for(login, current, live)
    }

    fn votes_for(&mut self, login: &str, digest: Digest, live: &Live) -> Verdict {
        let right = live
            .people
            .get(&person(login).id)
            .map_or(Right::None, |standing| match standing.right {
                Fact::Known(right) => right,
                Fact::CouldNotCheck(_) => Right::Admin,
            });
        let ask = Ask::Approve {
            named: prefix(digest),
            reason: None,
            verdict: None,
        };
        let command = Command::Person(authority(login, right, self.now), ask);
        let facts = Order {
            live: Some(live),
            ..Order::default()
        };
        let verdict = decide(Some(&self.state), &command, facts, self.now);
        if let Verdict::Events(events) = &verdict {
            self.happens(events);
        }
        verdict
    }

    fn happens(&mut self, events: &[Event]) {
        let before = self.state.clone();
        for event in events {
            super::apply(&mut self.state, event, self.now);
            self.history.push((event.clone(), self.now));
        }
        self.intents = plan(Some(&before), &self.state, events, self.now);
    }

    fn at_the_gate(gate: &str, acts: &[&str]) -> Self {
        let mut run = Self::start(&one_gate(gate));
        let made = proposal("work", 1, "first", acts);
        run.proposes(&made);
        run.shown("work", made.digest());
        run
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Events(events) => names(events),
        Verdict::Refused(_) => super::cell(verdict),
        Verdict::Obsolete(_) => "obsolete".into(),
    }
}

const TWO: &str = "{quorum: 2 of @acme/security, exclude: [steerers]}";

#[test]
fn a_gate_opens_with_the_last_approval_that_it_needs() {
    let mut run = Run::at_the_gate(TWO, &["one"]);
    let facts = live(&[
        ("bob", Right::Write, true),
        ("mona", Right::Maintain, true),
        ("dave", Right::Admin, false),
    ]);
    assert_eq!(said(&run.votes("bob", &facts)), "voted");
    assert_eq!(run.intents, [Intent::Card]);
    assert_eq!(said(&run.votes("bob", &facts)), "VotedBefore");
    assert_eq!(said(&run.votes("dave", &facts)), "DoesNotCount");
    assert_eq!(run.status("work"), PhaseStatus::ReadyForReview);
    assert_eq!(said(&run.votes("mona", &facts)), "approved");
    assert!(run.intents.iter().any(|intent| matches!(intent, Intent::Act { .. })));
    assert_eq!(run.state.at(&"work".into()).votes().count(), 2);
}

#[test]
fn a_vote_can_be_taken_back_before_and_after_the_gate_opens() {
    let mut run = Run::at_the_gate(TWO, &["one"]);
    let facts = live(&[("bob", Right::Write, true), ("mona", Right::Maintain, true)]);
    run.votes("bob", &facts);
    let unapprove = || Ask::Unapprove { of: None };
    assert!(
        matches!(run.refused("dave", Right::Write, unapprove()), Refusal::NotYours { of, .. } if of == person("bob"))
    );
    assert_eq!(run.asks("bob", Right::Write, unapprove()), "vote_withdrawn");
    assert_eq!(run.refused("bob", Right::Write, unapprove()), Refusal::NothingApproved);
    run.votes("bob", &facts);
    run.votes("mona", &facts);
    assert_eq!(run.asks("bob", Right::Write, unapprove()), "unapproved");
    let at = run.state.at(&"work".into());
    let left: Vec<&str> = at.votes().map(|vote| vote.by.login.as_str()).collect();
    assert_eq!((at.status, left), (PhaseStatus::ReadyForReview, vec!["mona"]));
    assert_eq!(said(&run.votes("bob", &facts)), "approved");
}

#[test]
fn an_edit_voids_all_votes_and_whoever_made_it_does_not_count() {
    let mut run = Run::at_the_gate(TWO, &["one"]);
    let facts = live(&[("bob", Right::Write, true), ("mona", Right::Maintain, true)]);
    run.votes("bob", &facts);
    let base = run.state.at(&"work".into()).pending.as_ref().unwrap().digest;
    let changed = proposal("work", 1, "second", &["one"]);
    let edit = Ask::Amend {
        base,
        proposal: changed.clone(),
        change: "more".into(),
    };
    run.asks("mona", Right::Write, edit);
    run.shown("work", changed.digest());
    assert_eq!(run.state.at(&"work".into()).votes().count(), 0);
    let verdict = run.votes("mona", &facts);
    let Verdict::Refused(Refusal::DoesNotCount { by, tree }) = verdict else {
        panic!("{verdict:?}");
    };
    let why = tree.vote_of(by.id);
    assert_eq!(why, Some((Outcome::No, &Why::Excluded(Excluded::Steerers))));
}

#[test]
fn whoever_had_it_made_again_by_a_rejection_does_not_count() {
    let mut definition = one_gate("{exclude: [steerers]}");
    definition.phases[0].limits.retries = 1;
    let mut run = Run::start(&definition);
    let facts = live(&[("bob", Right::Write, true), ("mona", Right::Maintain, true)]);
    for content in ["first", "second"] {
        let made = proposal("work", 1, content, &["one"]);
        run.proposes(&made);
        run.shown("work", made.digest());
        if content == "first" {
            let reason = "do this instead".to_owned();
            assert_eq!(
                run.asks("mona", Right::Maintain, Ask::Reject { reason }),
                "rejected+phase_started"
            );
        }
    }
    assert_eq!(said(&run.votes("mona", &facts)), "DoesNotCount");
    assert_eq!(said(&run.votes("bob", &facts)), "approved");
}

#[test]
fn a_lost_approval_takes_all_votes_with_it() {
    let mut run = Run::at_the_gate(TWO, &["one"]);
    let facts = live(&[("bob", Right::Write, true), ("mona", Right::Maintain, true)]);
    run.votes("bob", &facts);
    run.votes("mona", &facts);
    let digest = run.state.at(&"work".into()).pending.as_ref().unwrap().digest;
    run.reports(Report::ApprovalLost {
        phase: "work".into(),
        digest,
        why: "bob left".into(),
    });
    let at = run.state.at(&"work".into());
    assert_eq!((at.status, at.votes().count()), (PhaseStatus::ReadyForReview, 0));
}

#[test]
fn a_gate_that_nobody_could_open_is_a_mistake_of_the_definition() {
    let mistakes = |gate: &str| {
        let phases = format!("[{{id: a, title: A, agent: writer, gate: {{people: {gate}}}}}]");
        let yaml = format!("{{name: d, version: 1, title: D, phases: {phases}}}");
        let known = Known {
            agents: &["writer"],
            ..Known::default()
        };
        Definition::parse(&yaml, &known)
            .map(|_| ())
            .map_err(|invalid| invalid.to_string())
    };
    assert!(
        mistakes("{quorum: 3, of: ['@bob', '@mona']}")
            .unwrap_err()
            .contains("cannot be met")
    );
    assert!(mistakes("{quorum: 0}").unwrap_err().contains("at least 1"));
    assert!(mistakes("{quorum: two}").is_err());
    assert_eq!(mistakes("{quorum: 2 of @acme/security}"), Ok(()));
}

#[test]
fn what_could_not_be_checked_takes_nothing_down() {
    let mut run = Run::at_the_gate(TWO, &["one"]);
    let mut facts = live(&[("bob", Right::Write, true)]);
    let bob = facts.people.get_mut(&person("bob").id).unwrap();
    bob.teams.insert(security(), Fact::CouldNotCheck("no answer".into()));
    let verdict = run.votes("bob", &facts);
    assert_eq!(
        verdict,
        Verdict::Refused(Refusal::CouldNotCheck {
            why: "no answer".into()
        })
    );
}

/// Events as they were stored before there were votes.
#[test]
fn yesterdays_events_fold_to_the_same() {
    let mut run = Run::at_the_gate("{}", &["one"]);
    let digest = run.state.at(&"work".into()).pending.as_ref().unwrap().digest;
    let by = r#"{"id":7,"login":"bob"}"#;
    let approved = format!(
        r#"{{"type":"approved","phase":"work","approval":{{"by":{by},"right":"write","surface":"box","digest":"{digest}","at":"2026-11-20T09:00:00Z","reason":null}}}}"#
    );
    let approved: Event = serde_json::from_str(&approved).unwrap();
    run.happens(&[approved]);
    assert_eq!(run.status("work"), PhaseStatus::Approved);
    assert!(run.intents.iter().any(|intent| matches!(intent, Intent::Act { .. })));
    let unapproved = format!(r#"{{"type":"unapproved","phase":"work","by":{by}}}"#);
    let event: Event = serde_json::from_str(&unapproved).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), unapproved);
    run.happens(&[event]);
    let at = run.state.at(&"work".into());
    assert_eq!((at.status, at.votes().count()), (PhaseStatus::ReadyForReview, 0));
    let state = serde_json::to_value(&run.state).unwrap();
    assert!(
        state["phases"]["work"].get("votes").is_none(),
        "nothing is added to what was stored"
    );
}

/// Something that may happen at any moment.
#[derive(Debug, Clone)]
enum Move {
    Approve {
        who: usize,
        stale: bool,
    },
    Unapprove {
        who: usize,
        of: Option<usize>,
    },
    Amend {
        who: usize,
        text: usize,
    },
    Revise {
        who: usize,
    },
    Reject,
    Retry,
    Hold,
    Unhold,
    SetRight {
        who: usize,
        right: usize,
    },
    SetTeam {
        who: usize,
        member: Option<bool>,
    },
    SetSilent {
        who: usize,
    },
    /// The engine is about to carry out the act that is planned.
    Execute {
        ends: bool,
    },
}

const PEOPLE: [&str; 5] = ["alice", "bob", "mona", "dave", "olga"];
const RIGHTS: [Right; 4] = [Right::Read, Right::Triage, Right::Write, Right::Admin];

fn a_move() -> impl Strategy<Value = Move> {
    let who = || 0..PEOPLE.len();
    prop_oneof![
        24 => (who(), prop::bool::weighted(0.1)).prop_map(|(who, stale)| Move::Approve { who, stale }),
        4 => (who(), prop::option::of(who())).prop_map(|(who, of)| Move::Unapprove { who, of }),
        3 => (who(), 0..4_usize).prop_map(|(who, text)| Move::Amend { who, text }),
        1 => who().prop_map(|who| Move::Revise { who }),
        1 => Just(Move::Reject),
        2 => Just(Move::Retry),
        1 => Just(Move::Hold),
        2 => Just(Move::Unhold),
        3 => (who(), 0..RIGHTS.len()).prop_map(|(who, right)| Move::SetRight { who, right }),
        3 => (who(), prop::option::of(any::<bool>())).prop_map(|(who, member)| Move::SetTeam { who, member }),
        1 => who().prop_map(|who| Move::SetSilent { who }),
        16 => any::<bool>().prop_map(|ends| Move::Execute { ends }),
    ]
}

fn gates() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{}",
        "{right: maintain}",
        "{quorum: 2}",
        TWO,
        "{quorum: 3, exclude: [starter]}",
        "{quorum: 1 of @acme/security, also: [{quorum: 2, of: []}], exclude: [author, steerers]}",
    ])
}

/// Whether those who approved exactly this, as the history tells without any help of the code under test, are enough as
/// GitHub stands now. Written from the rules, not from the tree.
fn enough(run: &Run, live: &Live, digest: Digest) -> bool {
    let mut voters: BTreeSet<UserId> = BTreeSet::new();
    let mut steerers: BTreeSet<UserId> = BTreeSet::new();
    for (event, _) in &run.history {
        match event {
            Event::Voted { approval, .. } | Event::Approved { approval, .. } if approval.digest == digest => {
                voters.insert(approval.by.id);
            }
            Event::VoteWithdrawn { of, .. } | Event::Unapproved { of: Some(of), .. } => {
                voters.remove(&of.id);
            }
            Event::ApprovalLost { .. } | Event::Rejected { .. } => voters.clear(),
            Event::Proposed { by, .. } => {
                voters.clear();
                if let super::super::state::Maker::Person(by) = by {
                    steerers.insert(by.id);
                }
            }
            Event::Revised { by, .. } => {
                voters.clear();
                steerers.insert(by.id);
            }
            _ => {}
        }
    }
    let Some(gate) = &run.state.definition.phases[0].gate.people else {
        return false;
    };
    let author = person("olga").id;
    let entitled = |id: &UserId| {
        let standing = &live.people[id];
        standing.right == Fact::Known(Right::Admin)
            || (standing.right == Fact::Known(Right::Write) && gate.right == Right::Write)
    };
    let free = |id: &UserId| {
        gate.exclude.iter().all(|excluded| match excluded {
            Excluded::Starter => *id != person("alice").id,
            Excluded::Author => *id != author,
            Excluded::Steerers => !steerers.contains(id),
        })
    };
    gate.quorums().all(|quorum| {
        let among = |id: &UserId| quorum.of.is_empty() || live.people[id].teams[&security()] == Fact::Known(true);
        let count = voters.iter().filter(|id| entitled(id) && free(id) && among(id)).count();
        count >= quorum.quorum as usize
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_carried_out_without_a_live_quorum(gate in gates(), moves in prop::collection::vec(a_move(), 1..80)) {
        let mut run = Run::at_the_gate(gate, &["one", "two", "three"]);
        let mut github = live(&PEOPLE.map(|login| (login, Right::Write, login != "dave")));
        let mut planned: Vec<Intent> = Vec::new();
        for a_move in moves {
            run.later(TimeDelta::minutes(1));
            run.intents.clear();
            let phase = run.state.at(&"work".into()).clone();
            let pending = phase.pending.as_ref().map(|pending| pending.digest);
            let ask = |run: &mut Run, who: usize, ask: Ask| {
                let by = authority(PEOPLE[who], Right::Admin, run.now);
                run.step(&Command::Person(by, ask));
            };
            let because = || "because".to_owned();
            match a_move {
                Move::Approve { who, stale } => {
                    let digest = if stale { phase.void.last().copied() } else { pending };
                    if let Some(digest) = digest {
                        let verdict = run.votes_for(PEOPLE[who], digest, &github);
                        if said(&verdict).starts_with("approved") {
                            prop_assert!(enough(&run, &github, digest), "opened without a quorum");
                        }
                    }
                }
                Move::Unapprove { who, of } => {
                    ask(&mut run, who, Ask::Unapprove { of: of.map(|of| PEOPLE[of].to_owned()) });
                }
                Move::Amend { who, text } => {
                    if let Some(base) = pending {
                        let proposal = proposal("work", phase.iteration, &format!("text {text}"), &["one", "two", "three"]);
                        ask(&mut run, who, Ask::Amend { base, proposal, change: because() });
                    }
                }
                Move::Revise { who } => ask(&mut run, who, Ask::Revise { text: because() }),
                Move::Reject => ask(&mut run, 0, Ask::Reject { reason: because() }),
                Move::Retry => ask(&mut run, 0, Ask::Retry { variant: None }),
                Move::Hold => ask(&mut run, 0, Ask::Hold { reason: because() }),
                Move::Unhold => ask(&mut run, 0, Ask::Unhold),
                Move::SetRight { who, right } => {
                    github.people.get_mut(&person(PEOPLE[who]).id).unwrap().right = Fact::Known(RIGHTS[right]);
                }
                Move::SetTeam { who, member } => {
                    let is = member.map_or(Fact::CouldNotCheck("no answer".into()), Fact::Known);
                    github.people.get_mut(&person(PEOPLE[who]).id).unwrap().teams.insert(security(), is);
                }
                Move::SetSilent { who } => {
                    let silent = Fact::CouldNotCheck("no answer".into());
                    github.people.get_mut(&person(PEOPLE[who]).id).unwrap().right = silent;
                }
                Move::Execute { ends } => {
                    if let Some(Intent::Act { source, digest, key, .. }) = planned.first().cloned() {
                        // As the engine does it: the whole tree once more, with what GitHub says now.
                        let gate = run.state.definition.phases[0].gate.people().unwrap();
                        let tree = evaluate(gate, &Facts::of(&run.state, &source, &github), digest);
                        match tree.outcome {
                            Outcome::Yes => {
                                prop_assert!(enough(&run, &github, digest), "carried out without a quorum");
                                if ends {
                                    let outcome = super::ActOutcome::NotNeeded;
                                    run.step(&Command::System(Report::ActEnded { phase: source, key, outcome }));
                                }
                            }
                            Outcome::No => {
                                let why = because();
                                run.step(&Command::System(Report::ApprovalLost { phase: source, digest, why }));
                            }
                            Outcome::Unknown => {}
                        }
                    }
                }
            }
            collect(&mut planned, &run);
            // The agent and the card follow at once.
            if run.status("work") == PhaseStatus::Running {
                let iteration = run.state.at(&"work".into()).iteration;
                run.proposes(&proposal("work", iteration, "again", &["one", "two", "three"]));
                collect(&mut planned, &run);
            }
            let unshown = run.state.at(&"work".into()).pending.as_ref().filter(|pending| pending.shown_at.is_none());
            if let Some(digest) = unshown.map(|pending| pending.digest) {
                run.step(&Command::System(Report::Shown { phase: "work".into(), digest, at: run.now }));
                collect(&mut planned, &run);
                run.later(TimeDelta::minutes(1));
            }
            prop_assert!(planned.len() <= 1, "{planned:?}");
            let again = fold(run.history.iter().map(|(event, at)| (event, *at)));
            prop_assert_eq!(again.as_ref(), Some(&run.state));
        }
    }
}

/// What is planned and not carried out yet, after one step.
fn collect(planned: &mut Vec<Intent>, run: &Run) {
    if run.intents.contains(&Intent::CancelPlanned) {
        planned.clear();
    }
    // What ended, or was lost, is planned no more.
    planned.retain(|intent| match intent {
        Intent::Act {
            source, digest, key, ..
        } => {
            let next = run.state.next_act(source);
            next.is_some_and(|(next, of)| next == key && of == *digest)
        }
        _ => false,
    });
    let acts = run.intents.iter().filter(|intent| matches!(intent, Intent::Act { .. }));
    for act in acts {
        if !planned.contains(act) {
            planned.push(act.clone());
        }
    }
}
