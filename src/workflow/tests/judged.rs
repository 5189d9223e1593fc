//! Gates with an approver that is a model, with checks, and an expiry that goes back to a phase.

use proptest::prelude::*;

use super::super::approval::{Fact, Facts as GateFacts, Kind, Live, Outcome, Standing, evaluate_gate};
use super::super::artifact::{Proposal, Stage};
use super::super::command::{Ask, Command, Refusal, Report, RulingResult, Verdict};
use super::super::decide::Facts;
use super::super::definition::{Definition, Known};
use super::super::ids::{Digest, PhaseId};
use super::super::judging::{Check, CheckState, Decision, Reading, Ruling};
use super::super::plan::Intent;
use super::super::right::Right;
use super::super::state::{Awaited, PhaseStatus};
use super::super::why::Why;
use super::story::planned;
use super::{Run, TimeDelta, authority, opened, person, prefix, proposal};

fn known() -> Known<'static> {
    Known {
        agents: &["writer"],
        prompts: &["plan", "approve"],
        schemas: &["plan.v1", "files.v1"],
        acting: &["files.v1"],
    }
}

fn definition(phases: &str) -> Definition {
    let yaml = format!("name: d\nversion: 1\ntitle: t\nphases:\n{phases}");
    Definition::parse(&yaml, &known()).unwrap_or_else(|invalid| panic!("{invalid}\n{yaml}"))
}

fn mistakes(phases: &str) -> String {
    let yaml = format!("name: d\nversion: 1\ntitle: t\nphases:\n{phases}");
    match Definition::parse(&yaml, &known()) {
        Ok(_) => String::new(),
        Err(invalid) => invalid.to_string(),
    }
}

/// One phase `work` with this gate and more keys, and one after it.
fn work(gate: &str, more: &str) -> Definition {
    definition(&format!(
        "  - {{id: work, title: Work, prompt: plan, schema: plan.v1, {gate}{more}}}\n  - {{id: after, title: After, needs: \
         [work], agent: writer}}"
    ))
}

fn phase() -> PhaseId {
    "work".into()
}

fn made(text: &str) -> Proposal {
    proposal("work", 1, text, &[])
}

fn prompt(text: &str) -> Proposal {
    Proposal {
        stage: Stage::Prompt,
        ..made(text)
    }
}

fn ruling(decision: Decision, of: Digest) -> Ruling {
    Ruling {
        decision,
        feedback: "it names no tests".into(),
        by: "http:judge".into(),
        of,
        answer: Digest::of_bytes(b"answer"),
        at: super::noon(),
        cut: Vec::new(),
    }
}

fn said(run: &Run, result: RulingResult) -> Report {
    let judged = &run.state.at(&phase()).pending.as_ref().expect("something at the gate");
    Report::Ruled {
        phase: phase(),
        digest: judged.digest,
        attempt: judged.judged.asked,
        result,
    }
}

fn rules(run: &mut Run, decision: Decision) -> String {
    let digest = run.state.at(&phase()).pending.as_ref().unwrap().digest;
    let result = RulingResult::Ruled {
        ruling: ruling(decision, digest),
        rewrite: None,
    };
    let report = said(run, result);
    run.reports(report)
}

fn reading(head: &str, build: CheckState) -> Reading {
    let check = |name: &str, state: CheckState| Check {
        name: name.to_owned(),
        state,
    };
    Reading {
        head: Some(head.to_owned()),
        host: vec![check("secrets", CheckState::Success)],
        commit: vec![check("build", build)],
    }
}

fn read(run: &Run, reading: Reading) -> Report {
    Report::Checked {
        phase: phase(),
        digest: run.state.at(&phase()).pending.as_ref().unwrap().digest,
        reading,
    }
}

/// Approves what is shown, with this read of the checks.
fn approve(run: &mut Run, login: &str, checks: Option<Reading>) -> Verdict {
    let live = Live {
        checks: checks.map_or_else(|| Live::default().checks, Fact::Known),
        ..Live::default()
    };
    let live: &'static Live = Box::leak(Box::new(live));
    let digest = run.state.at(&phase()).pending.as_ref().unwrap().digest;
    let ask = Ask::Approve {
        named: prefix(digest),
        reason: None,
        verdict: None,
    };
    run.facts = Facts {
        live: Some(live),
        ..Facts::default()
    };
    let verdict = run.step(&Command::Person(authority(login, Right::Write, run.now), ask));
    run.facts = Facts::default();
    verdict
}

#[test]
fn what_is_wrong_with_a_gate_is_named() {
    let work = |gate: &str| format!("  - {{id: work, title: W, prompt: plan, schema: plan.v1, {gate}}}");
    for (gate, expected) in [
        ("gate: ai+checks", "`ai+checks` is no gate"),
        ("gate: {ai: {provider: manual}}", "`manual` cannot be an approver"),
        ("gate: {ai: {prompt: aprove}}", "did you mean approve?"),
        ("gate: {ai: {role: judge}}", "there is no role judge"),
        (
            "gate: {ai: {rewrite: true}}, limits: {retries: 1}",
            "`rewrite` is for a prompt_gate",
        ),
        ("prompt_gate: {ai: {rewrite: true}}", "`rewrite` needs `limits.retries`"),
        ("gate: {checks: {}}", "it names no check"),
        ("gate: {checks: {host: [paths]}}", "nothing here writes files"),
        ("gate: {checks: {named: ['']}}", "a check's name has from 1 to"),
        ("gate: {people: {on_expiry: nowhere}}", "there is no phase nowhere"),
        (
            "gate: {people: {expires_after_hours: 1, on_expiry: work}}",
            "it goes back to work but does not need it",
        ),
        ("gate: ai, on_fail: work", "needs a gate of people"),
    ] {
        let said = mistakes(&work(gate));
        assert!(said.contains(expected), "{gate}: {said}");
    }
    for gate in [
        "ai",
        "{ai: {}}",
        "{checks: {host: [secrets]}}",
        "skip",
        "{ai: {}, checks: {all: true}}",
    ] {
        for leaves in [
            format!("  - {{id: a, title: A, prompt: plan, schema: files.v1, gate: {gate}, executes: a}}"),
            format!(
                "  - {{id: a, title: A, prompt: plan, schema: files.v1, gate: {gate}}}\n  - {{id: b, title: B, agent: writer, \
                 needs: [a]}}\n  - {{id: c, title: C, needs: [b], executes: a}}"
            ),
        ] {
            let said = mistakes(&leaves);
            assert!(said.contains("needs a gate of people"), "{gate}: {said}");
        }
    }
    let with_people = "  - {id: a, title: A, prompt: plan, schema: files.v1, gate: {ai: {}, people: {}}, executes: a}";
    assert_eq!(mistakes(with_people), "");
}

#[test]
fn an_approver_alone_opens_its_gate() {
    let mut run = Run::start(&work("gate: ai", ""));
    assert_eq!(run.proposes(&made("one")), "proposed+approver_asked");
    assert_eq!(planned(&run), ["card", "ask the approver of work 1"]);
    assert_eq!(
        rules(&mut run, Decision::Approved),
        "ruled+passed+phase_completed+phase_started"
    );
    assert!(
        planned(&run).contains(&"run after 1.1".to_owned()),
        "{:?}",
        planned(&run)
    );
    assert_eq!(run.state.at(&phase()).approval, None, "nobody approved it");
}

#[test]
fn a_rejected_answer_is_tried_again_with_the_feedback_and_then_waits_for_a_person() {
    let mut run = Run::start(&work("gate: ai", ", limits: {retries: 1}"));
    run.proposes(&made("one"));
    let first = made("one").digest();
    assert_eq!(rules(&mut run, Decision::Rejected), "ruled+phase_started");
    let at = run.state.at(&phase());
    assert_eq!((at.attempt, at.rejections, at.status), (2, 1, PhaseStatus::Running));
    assert_eq!(at.steer.last().map(|said| said.as_str()), Some("it names no tests"));
    assert_eq!(at.void, [first]);
    run.proposes(&made("two"));
    assert_eq!(rules(&mut run, Decision::Rejected), "ruled", "the limit is reached");
    assert!(run.state.is_peoples_turn(&phase()));
    assert_eq!(planned(&run), ["card"], "it is not shown yet");
    run.shown("work", made("two").digest());
    assert_eq!(planned(&run), ["call for work"]);
    assert!(matches!(
        approve(&mut run, "bob", None),
        Verdict::Refused(Refusal::GateSaysNo { .. })
    ));
    let revise = Ask::Revise {
        text: "with tests".into(),
    };
    assert_eq!(run.asks("bob", Right::Write, revise), "revised+phase_started");
    assert_eq!(run.state.at(&phase()).rejections, 0, "the count starts anew");
}

#[test]
fn people_overrule_an_approver_only_where_the_definition_lets_them() {
    for (gate, may) in [
        ("gate: {ai: {}, people: {}}", false),
        ("gate: {ai: {overrule: true}, people: {}}", true),
        ("gate: {ai: {overrule: true}}", true),
    ] {
        let mut run = Run::start(&work(gate, ""));
        run.proposes(&made("one"));
        run.shown("work", made("one").digest());
        rules(&mut run, Decision::Rejected);
        match (approve(&mut run, "bob", None), may) {
            (Verdict::Events(events), true) => assert_eq!(events[0].name(), "approved", "{gate}"),
            (Verdict::Refused(Refusal::GateSaysNo { tree }), false) => {
                assert_eq!(tree.outcome, Outcome::No);
            }
            (other, _) => panic!("{gate}: {other:?}"),
        }
    }
}

#[test]
fn its_yes_is_needed_beside_people_and_never_enough() {
    let mut run = Run::start(&work("gate: {ai: {}, people: {}}", ""));
    run.proposes(&made("one"));
    run.shown("work", made("one").digest());
    assert_eq!(
        planned(&run),
        Vec::<String>::new(),
        "nobody is called before it has decided"
    );
    assert!(matches!(
        approve(&mut run, "bob", None),
        Verdict::Refused(Refusal::GateSaysNo { .. })
    ));
    assert_eq!(rules(&mut run, Decision::Approved), "ruled");
    assert_eq!(planned(&run), ["card", "call for work"]);
    // An edit voids it.
    let edit = Ask::Amend {
        base: made("one").digest(),
        proposal: made("two"),
        change: "better".into(),
    };
    assert_eq!(run.asks("bob", Right::Write, edit), "proposed+approver_asked");
    run.shown("work", made("two").digest());
    assert!(matches!(
        approve(&mut run, "bob", None),
        Verdict::Refused(Refusal::GateSaysNo { .. })
    ));
    let of_before = Report::Ruled {
        phase: phase(),
        digest: made("one").digest(),
        attempt: 1,
        result: RulingResult::Ruled {
            ruling: ruling(Decision::Approved, made("one").digest()),
            rewrite: None,
        },
    };
    assert!(matches!(run.step(&Command::System(of_before)), Verdict::Obsolete(_)));
    rules(&mut run, Decision::Approved);
    assert!(matches!(approve(&mut run, "bob", None), Verdict::Events(_)));
}

#[test]
fn an_approver_that_cannot_be_asked_is_a_state_with_a_retry() {
    let mut run = Run::start(&work("gate: ai", ""));
    run.proposes(&made("one"));
    let report = said(&run, RulingResult::Failed(Why::Failed("down".into())));
    assert_eq!(run.reports(report.clone()), "failed");
    assert_eq!(run.status("work"), PhaseStatus::Error);
    assert!(matches!(run.step(&Command::System(report)), Verdict::Obsolete(_)));
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+approver_asked"
    );
    assert_eq!(
        planned(&run),
        ["card", "dismiss work's stop", "ask the approver of work 2"]
    );
    assert_eq!(run.status("work"), PhaseStatus::ReadyForReview);
    rules(&mut run, Decision::Approved);
    assert_eq!(run.status("work"), PhaseStatus::Completed);
}

#[test]
fn a_rejected_prompt_is_rewritten_only_where_the_definition_lets_it() {
    for (gate, expected) in [
        ("prompt_gate: {ai: {rewrite: true}}", "ruled+proposed+approver_asked"),
        ("prompt_gate: {ai: {}}", "ruled"),
    ] {
        let mut run = Run::start(&work(gate, ", limits: {retries: 1}"));
        let said_prompt = prompted(&prompt("one"));
        run.ran("work", said_prompt);
        let result = |text: &str, of: &str| RulingResult::Ruled {
            ruling: ruling(Decision::Rejected, prompt(of).digest()),
            rewrite: Some(Box::new(prompt(text))),
        };
        let report = said(&run, result("two", "one"));
        assert_eq!(run.reports(report), expected, "{gate}");
        if expected == "ruled" {
            assert!(run.state.is_peoples_turn(&phase()));
            continue;
        }
        assert_eq!(run.state.at(&phase()).void, [prompt("one").digest()]);
        let report = said(&run, result("three", "two"));
        assert_eq!(run.reports(report), "ruled", "no more than the limit");
        let edit = Ask::Amend {
            base: prompt("two").digest(),
            proposal: prompt("four"),
            change: "by hand".into(),
        };
        assert_eq!(run.asks("bob", Right::Write, edit), "proposed+approver_asked");
        assert_eq!(rules(&mut run, Decision::Approved), "ruled+passed");
        assert_eq!(run.state.at(&phase()).prompt, Some(prompt("four").digest()));
        assert_eq!(run.state.at(&phase()).rejections, 0, "the stage has changed");
        assert_eq!(planned(&run), ["card", "run work 1.1"]);
    }
}

fn prompted(prompt: &Proposal) -> super::RunResult {
    super::RunResult::Prompted {
        proposal: Box::new(prompt.clone()),
    }
}

const CHECKS: &str = "gate: {checks: {host: [secrets], named: [build]}";

#[test]
fn checks_alone_open_their_gate_and_only_a_success_is_a_yes() {
    for (state, opens) in [
        (CheckState::Success, true),
        (CheckState::Pending, false),
        (CheckState::Other("neutral".into()), false),
        (CheckState::Other("skipped".into()), false),
        (CheckState::Other("failure".into()), false),
    ] {
        let mut run = Run::start(&work(&format!("{CHECKS}}}"), ""));
        assert_eq!(run.proposes(&made("one")), "proposed");
        assert_eq!(planned(&run), ["card", "read the checks of work in 0 min"]);
        let report = read(&run, reading("a", state.clone()));
        let events = run.reports(report);
        let expected = if opens {
            "checked+passed+phase_completed+phase_started"
        } else {
            "checked"
        };
        assert_eq!(events, expected, "{state:?}");
        if !opens {
            assert_eq!(planned(&run), ["card", "read the checks of work in 5 min"]);
        }
    }
}

#[test]
fn a_check_that_is_missing_or_fails_beside_one_that_succeeds_is_no_yes() {
    let mut run = Run::start(&work(&format!("{CHECKS}}}"), ""));
    run.proposes(&made("one"));
    let mut none = reading("a", CheckState::Success);
    none.commit.clear();
    let report = read(&run, none);
    assert_eq!(run.reports(report), "checked");
    let mut two = reading("a", CheckState::Success);
    two.commit
        .extend(reading("a", CheckState::Other("failure".into())).commit);
    let report = read(&run, two);
    assert_eq!(run.reports(report), "checked");
}

#[test]
fn checks_come_first_and_are_read_once_more_for_an_approval_and_a_push_voids() {
    let mut run = Run::start(&work(&format!("{CHECKS}, people: {{quorum: 2}}}}"), ""));
    run.proposes(&made("one"));
    run.shown("work", made("one").digest());
    assert_eq!(
        planned(&run),
        Vec::<String>::new(),
        "nobody is called before the checks hold"
    );
    let green = || reading("a", CheckState::Success);
    assert!(matches!(
        approve(&mut run, "bob", Some(reading("a", CheckState::Pending))),
        Verdict::Refused(_)
    ));
    let report = read(&run, green());
    assert_eq!(run.reports(report), "checked");
    assert_eq!(planned(&run), ["card", "call for work"]);
    assert_eq!(run.state.gate_waits_for(&phase()), Some(Awaited::People));
    // What was green is read again: red, of another head, or not to be read at all.
    let red = reading("a", CheckState::Other("failure".into()));
    for (now, expected) in [
        (Some(red), "GateSaysNo"),
        (Some(reading("b", CheckState::Success)), "GateSaysNo"),
        (None, "CouldNotCheck"),
    ] {
        assert_eq!(super::cell(&approve(&mut run, "bob", now)), expected);
    }
    assert_eq!(super::cell(&approve(&mut run, "bob", Some(green()))), "voted");
    let pushed = read(&run, reading("b", CheckState::Success));
    run.reports(pushed);
    assert!(run.state.at(&phase()).votes.is_empty());
}

#[test]
fn a_held_workflow_opens_no_gate_and_reads_anew_when_it_goes_on() {
    let mut run = Run::start(&work(&format!("{CHECKS}}}"), ""));
    run.proposes(&made("one"));
    run.asks("bob", Right::Write, Ask::Hold { reason: "wait".into() });
    let report = read(&run, reading("a", CheckState::Success));
    assert_eq!(run.reports(report), "checked");
    run.asks("bob", Right::Write, Ask::Unhold);
    assert_eq!(planned(&run), ["card", "read the checks of work in 0 min"]);
    let report = read(&run, reading("a", CheckState::Success));
    assert_eq!(run.reports(report), "passed+phase_completed+phase_started");
}

#[test]
fn a_prompt_that_passed_during_a_hold_is_sent_once() {
    let mut run = Run::start(&work("prompt_gate: ai", ""));
    run.ran("work", prompted(&prompt("one")));
    run.asks("bob", Right::Write, Ask::Hold { reason: "wait".into() });
    assert_eq!(rules(&mut run, Decision::Approved), "ruled");
    assert_eq!(run.asks("bob", Right::Write, Ask::Unhold), "unheld+passed");
    assert_eq!(planned(&run), ["card", "run work 1.1"]);
}

const ESCALATES: &str =
    "  - {id: lead, title: Lead, prompt: plan, schema: plan.v1, on_demand: true, limits: {iterations: 1}}
  - {id: work, title: Work, prompt: plan, schema: plan.v1, needs: [lead], inputs: [lead],
     gate: {people: {expires_after_hours: 24, on_expiry: lead}}}";

#[test]
fn an_expiry_may_go_back_to_a_phase() {
    let mut run = Run::start(&definition(ESCALATES));
    assert_eq!(run.status("lead"), PhaseStatus::Blocked, "it begins on demand");
    run.proposes(&made("one"));
    run.shown("work", made("one").digest());
    assert_eq!(planned(&run), ["call for work", "expire work 0 in 24 h"]);
    run.later(TimeDelta::hours(25));
    let expired = |text: &Proposal| Report::GateExpired {
        phase: phase(),
        digest: text.digest(),
        reminders: 0,
    };
    assert_eq!(run.reports(expired(&made("one"))), "escalated+phase_started");
    assert!(
        run.intents.contains(&Intent::EndTimers { phase: phase() }),
        "{:?}",
        run.intents
    );
    assert_eq!(
        (run.status("lead"), run.status("work")),
        (PhaseStatus::Running, PhaseStatus::Blocked)
    );
    assert_eq!(
        run.state.at(&phase()).output,
        None,
        "nobody approved it, so nobody is given it"
    );
    run.proposes(&proposal("lead", 1, "advice", &[]));
    let again = proposal("work", 2, "again", &[]);
    run.proposes(&again);
    run.shown("work", again.digest());
    run.later(TimeDelta::hours(25));
    assert_eq!(
        run.reports(expired(&again)),
        "rejected",
        "the cap of what it goes back to is reached"
    );
}

// No order of approvals, edits, revocations, changes of rights, verdicts of an approver and results of checks carries out
// something that leaves without a living quorum for its digest, the approver's yes and green checks.

const LEAVES: &str = "  - {id: work, title: Work, agent: writer, executes: work, limits: {retries: 1, iterations: 20},
     gate: {checks: {host: [secrets], named: [build]}, ai: {}, people: {quorum: 2}}}";

#[derive(Debug, Clone)]
enum Move {
    Proposed(usize),
    Shown,
    Approve(usize),
    Unapprove(usize),
    Edit(usize),
    Reject,
    Revise,
    Retry,
    Ruled(Option<bool>),
    Checked,
    SetRight(usize, bool),
    SetBuild(usize),
    Push,
    Execute,
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (0..4_usize).prop_map(Move::Proposed),
        8 => Just(Move::Shown),
        16 => (0..3_usize).prop_map(Move::Approve),
        2 => (0..3_usize).prop_map(Move::Unapprove),
        3 => (0..4_usize).prop_map(Move::Edit),
        1 => Just(Move::Reject),
        2 => Just(Move::Revise),
        3 => Just(Move::Retry),
        10 => prop_oneof![6 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)].prop_map(Move::Ruled),
        10 => Just(Move::Checked),
        3 => (0..3_usize, prop::bool::weighted(0.7)).prop_map(|(who, may)| Move::SetRight(who, may)),
        3 => (0..4_usize).prop_map(Move::SetBuild),
        1 => Just(Move::Push),
        10 => Just(Move::Execute),
    ]
}

const PEOPLE: [&str; 3] = ["bob", "mona", "ada"];

/// What GitHub and the host say now.
struct World {
    may: [bool; 3],
    build: usize,
    head: u32,
}

impl World {
    fn live(&self) -> &'static Live {
        let states = [
            CheckState::Success,
            CheckState::Success,
            CheckState::Pending,
            CheckState::Other("skipped".into()),
        ];
        let people = PEOPLE.iter().zip(self.may).map(|(login, may)| {
            let standing = Standing {
                kind: Kind::Human,
                login: (*login).to_owned(),
                right: Fact::Known(if may { Right::Write } else { Right::Read }),
                teams: Default::default(),
            };
            (person(login).id, standing)
        });
        Box::leak(Box::new(Live {
            people: people.collect(),
            checks: Fact::Known(reading(&self.head.to_string(), states[self.build].clone())),
            ..Live::default()
        }))
    }

    fn reading(&self) -> Reading {
        match &self.live().checks {
            Fact::Known(reading) => reading.clone(),
            Fact::CouldNotCheck(_) => unreachable!("it is known"),
        }
    }
}

fn play(moves: Vec<Move>) -> usize {
    let mut run = Run::start(&definition(LEAVES));
    let mut world = World {
        may: [true; 3],
        build: 0,
        head: 0,
    };
    let mut executed = 0;
    for a_move in moves {
        run.later(TimeDelta::seconds(11));
        let at = run.state.at(&phase()).clone();
        let pending = at.pending.clone();
        let text = |text: usize| proposal("work", at.iteration, &format!("text {text}"), &["one"]);
        let person = |who: usize, ask: Ask| {
            let right = if world.may[who] { Right::Write } else { Right::Read };
            Command::Person(authority(PEOPLE[who], right, run.now), ask)
        };
        let command = match (a_move, &pending) {
            (Move::Proposed(which), _) => Command::System(Report::Ran {
                phase: phase(),
                iteration: at.iteration,
                attempt: at.attempt,
                result: super::RunResult::Proposed {
                    proposal: Box::new(text(which)),
                    provider: "rules".into(),
                },
                guidelines: None,
            }),
            (Move::Shown, Some(pending)) => Command::System(Report::Shown {
                phase: phase(),
                digest: pending.digest,
                at: run.now,
            }),
            (Move::Approve(who), Some(pending)) => {
                let named = prefix(pending.digest);
                person(
                    who,
                    Ask::Approve {
                        named,
                        reason: None,
                        verdict: None,
                    },
                )
            }
            (Move::Unapprove(who), _) => person(who, Ask::Unapprove { of: None }),
            (Move::Edit(which), Some(pending)) => person(
                0,
                Ask::Amend {
                    base: pending.digest,
                    proposal: text(which),
                    change: "edit".into(),
                },
            ),
            (Move::Reject, _) => person(0, Ask::Reject { reason: "no".into() }),
            (Move::Revise, _) => person(0, Ask::Revise { text: "again".into() }),
            (Move::Retry, _) => person(0, Ask::Retry { variant: None }),
            (Move::Ruled(said), Some(pending)) => {
                let result = match said {
                    Some(yes) => RulingResult::Ruled {
                        ruling: ruling(
                            if yes { Decision::Approved } else { Decision::Rejected },
                            pending.digest,
                        ),
                        rewrite: None,
                    },
                    None => RulingResult::Failed(Why::Failed("down".into())),
                };
                Command::System(Report::Ruled {
                    phase: phase(),
                    digest: pending.digest,
                    attempt: pending.judged.asked,
                    result,
                })
            }
            (Move::Checked, Some(pending)) => Command::System(Report::Checked {
                phase: phase(),
                digest: pending.digest,
                reading: world.reading(),
            }),
            (Move::SetRight(who, may), _) => {
                world.may[who] = may;
                continue;
            }
            (Move::SetBuild(build), _) => {
                world.build = build;
                continue;
            }
            (Move::Push, _) => {
                world.head += 1;
                continue;
            }
            (Move::Execute, _) => {
                let act = run.state.next_act(&phase()).map(|(key, digest)| (key.clone(), digest));
                let Some((key, digest)) = act.filter(|_| run.status("work") == PhaseStatus::Approved) else {
                    continue;
                };
                // As the engine does it: the whole tree once more, with what is so now.
                let gate = run.state.definition.phases[0].gate.clone();
                let tree = evaluate_gate(&gate, &GateFacts::of(&run.state, &phase(), world.live()), digest);
                if tree.outcome == Outcome::Yes {
                    let votes = at.votes().filter(|vote| vote.digest == digest);
                    let may = |login: &str| {
                        PEOPLE
                            .iter()
                            .position(|one| *one == login)
                            .is_some_and(|who| world.may[who])
                    };
                    assert!(
                        votes.filter(|vote| may(&vote.by.login)).count() >= 2,
                        "without a quorum"
                    );
                    let judged = &pending.as_ref().expect("it was proposed").judged;
                    let ruled = judged.ruling.as_ref().expect("it was judged");
                    assert_eq!((ruled.of, ruled.decision), (digest, Decision::Approved));
                    assert!(world.build < 2, "with checks that are not green");
                    let seen = judged.reading.as_ref().and_then(|reading| reading.head.clone());
                    assert_eq!(seen, Some(world.head.to_string()), "of another head");
                    executed += 1;
                    Command::System(Report::ActEnded {
                        phase: phase(),
                        key,
                        outcome: opened(1),
                    })
                } else {
                    Command::System(Report::ApprovalLost {
                        phase: phase(),
                        digest,
                        why: "not any more".into(),
                    })
                }
            }
            (_, None) => continue,
        };
        run.facts = Facts {
            live: Some(world.live()),
            ..Facts::default()
        };
        run.step(&command);
        let leaves = run.intents.iter().any(|intent| matches!(intent, Intent::Act { .. }));
        assert!(!leaves || run.state.at(&phase()).approval.is_some());
    }
    executed
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_leaves_without_people_the_approver_and_the_checks(moves in prop::collection::vec(a_move(), 1..150)) {
        play(moves);
    }
}

#[test]
fn the_moves_of_the_property_carry_something_out() {
    let moves = vec![
        Move::Proposed(0),
        Move::Shown,
        Move::Checked,
        Move::Ruled(Some(true)),
        Move::Approve(0),
        Move::Approve(1),
        Move::Execute,
    ];
    assert_eq!(play(moves.clone()), 1);
    let pushed = moves.iter().take(6).cloned().chain([Move::Push, Move::Execute]);
    assert_eq!(play(pushed.collect()), 0);
}
