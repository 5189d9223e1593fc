//! A phase that asks people: rounds, caps, answers that stay, and what skipping means.

use proptest::prelude::*;
use serde_json::json;

use super::super::apply::fold;
use super::super::artifact::Proposal;
use super::super::command::{Ask, Refusal, RunResult};
use super::super::definition::{Definition, Known};
use super::super::plan::Intent;
use super::super::right::Right;
use super::super::state::{PhaseStatus, Status, Why};
use super::story::planned;
use super::{Run, proposal};

const ASKING: &str = "
name: asking
version: 1
title: Questions before the work
phases:
  - {id: work, title: Work, prompt: ask, schema: questions.v1, asks: true, limits: {questions: 4, iterations: 3}}
  - {id: after, title: After, needs: [work], agent: writer}
";

pub(super) fn asking_line() -> Definition {
    let known = Known {
        agents: &["writer"],
        prompts: &["ask"],
        schemas: &["questions.v1", "plan.v1"],
        acting: &[],
    };
    Definition::parse(ASKING, &known).expect("valid")
}

fn questions(run: &Run, count: usize) -> Proposal {
    let iteration = run.state.at(&"work".into()).iteration;
    let all: Vec<_> = (0..count)
        .map(|at| json!({"id": at.to_string(), "question": "?"}))
        .collect();
    Proposal {
        artifact: json!({"enough_information": count == 0, "questions": all, "assumptions": []}),
        ..proposal("work", iteration, "questions", &[])
    }
}

fn asks(run: &mut Run, count: usize) -> String {
    let asked = questions(run, count);
    run.proposes(&asked)
}

pub(super) fn at_two_questions() -> Run {
    let mut run = Run::start(&asking_line());
    assert_eq!(asks(&mut run, 2), "proposed+asked");
    run
}

fn answer(question: u32) -> Ask {
    Ask::Answer {
        question,
        text: format!("answer {question}"),
    }
}

#[test]
fn it_asks_until_it_knows_enough_and_hands_on() {
    let mut run = at_two_questions();
    let work = run.state.at(&"work".into());
    assert_eq!(
        (work.status, &work.why),
        (PhaseStatus::WaitingForHuman, &Some(Why::Questions))
    );
    assert_eq!(planned(&run), ["card", "questions of work"]);
    assert_eq!(run.asks("alice", Right::Read, answer(2)), "answered");
    assert_eq!(planned(&run), ["card", "questions of work"]);
    assert_eq!(run.asks("bob", Right::Write, answer(1)), "answered+phase_started");
    assert_eq!(planned(&run), ["card", "questions of work", "run work 2.1"]);
    assert_eq!(asks(&mut run, 1), "proposed+asked");
    assert_eq!(
        planned(&run),
        ["card", "questions of work", "tell of more questions of work"]
    );
    assert_eq!(run.asks("alice", Right::Read, answer(3)), "answered+phase_started");
    assert_eq!(asks(&mut run, 0), "proposed+phase_completed+phase_started");
    assert_eq!(planned(&run), ["card", "run after 1.1"]);
    let done = proposal("after", 1, "done", &[]);
    assert_eq!(run.proposes(&done), "proposed+phase_completed+completed");
    assert_eq!(run.state.status, Status::Completed);
}

#[test]
fn an_answer_stays_and_says_whose_it_is() {
    let mut run = at_two_questions();
    run.asks("alice", Right::Read, answer(1));
    for late in [false, true] {
        let Refusal::AnsweredBefore { question: 1, reply } = run.refused("bob", Right::Write, answer(1)) else {
            panic!("it was answered")
        };
        assert_eq!((reply.by.login.as_str(), reply.text.as_str()), ("alice", "answer 1"));
        assert!(!reply.skipped);
        if !late {
            run.asks("bob", Right::Write, Ask::Skip { reason: String::new() });
        }
    }
    let Refusal::AnsweredBefore { reply, .. } = run.refused("alice", Right::Read, answer(2)) else {
        panic!("it was skipped")
    };
    assert!(reply.skipped);
    let none = Refusal::NoSuchQuestion { question: 0, asked: 2 };
    assert_eq!(at_two_questions().refused("alice", Right::Read, answer(0)), none);
}

#[test]
fn nothing_more_is_asked_after_a_skip_or_at_a_cap() {
    let mut run = at_two_questions();
    run.asks("alice", Right::Read, answer(1));
    let skipped = run.asks("bob", Right::Write, Ask::Skip { reason: "late".into() });
    assert_eq!(skipped, "skipped+phase_completed+phase_started");
    // Four questions in all: of the second round's nine only two are asked.
    let mut run = at_two_questions();
    run.asks("alice", Right::Read, answer(1));
    run.asks("alice", Right::Read, answer(2));
    assert_eq!(asks(&mut run, 9), "proposed+asked");
    assert_eq!(run.state.at(&"work".into()).questions.len(), 4);
    run.asks("alice", Right::Read, answer(3));
    assert_eq!(
        run.asks("alice", Right::Read, answer(4)),
        "answered+phase_completed+phase_started"
    );
    // Three rounds in all.
    let mut run = Run::start(&asking_line());
    for round in 1..=3_u32 {
        asks(&mut run, 1);
        let said = run.asks("alice", Right::Read, answer(round));
        let expected = if round < 3 {
            "answered+phase_started"
        } else {
            "answered+phase_completed+phase_started"
        };
        assert_eq!(said, expected, "round {round}");
    }
}

#[test]
fn a_person_may_ask_in_the_agents_place_in_every_round() {
    let mut run = Run::start(&asking_line());
    for round in 1..=2_u32 {
        run.ran("work", RunResult::NeedsPerson(Why::ManualProvider));
        let proposal = questions(&run, 1);
        assert_eq!(
            run.asks("bob", Right::Write, Ask::Respond { proposal }),
            "proposed+asked"
        );
        run.asks("alice", Right::Read, answer(round));
    }
    assert_eq!(run.state.at(&"work".into()).iteration, 3);
}

#[test]
fn a_held_or_ended_workflow_takes_no_answer_and_a_cancelled_one_says_so_in_its_questions() {
    let mut run = at_two_questions();
    run.asks("bob", Right::Write, Ask::Hold { reason: String::new() });
    assert!(matches!(run.refused("alice", Right::Read, answer(1)), Refusal::Held(_)));
    run.asks("bob", Right::Write, Ask::Unhold);
    run.asks("bob", Right::Write, Ask::Cancel { reason: String::new() });
    assert!(run.intents.contains(&Intent::Questions { phase: "work".into() }));
    assert_eq!(run.refused("alice", Right::Read, answer(1)), Refusal::Over);
}

#[test]
fn a_definition_that_asks_proposes_questions_and_has_no_gate() {
    let known = Known {
        agents: &["writer"],
        prompts: &["ask"],
        schemas: &["questions.v1", "plan.v1"],
        acting: &[],
    };
    for (from, to, expected) in [
        (
            "questions.v1",
            "plan.v1",
            "phase work: it asks people, so its schema must be questions.v1",
        ),
        (
            "asks: true",
            "asks: true, gate: {people: {}}",
            "so `gate` has no meaning",
        ),
        ("questions: 4", "questions: 0", "limits.questions must be from 1 to 20"),
        ("questions: 4", "questions: 21", "limits.questions must be from 1 to 20"),
        (
            "prompt: ask, schema: questions.v1",
            "agent: writer",
            "its schema must be questions.v1",
        ),
    ] {
        let mistakes = Definition::parse(&ASKING.replace(from, to), &known)
            .unwrap_err()
            .to_string();
        assert!(mistakes.contains(expected), "{to}: {mistakes}");
    }
}

#[derive(Debug, Clone)]
enum Move {
    Asks(usize),
    Fails,
    Answers(u32),
    Skips,
    Holds,
    Unholds,
    Retries,
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..6_usize).prop_map(Move::Asks),
        1 => Just(Move::Fails),
        8 => (0..6_u32).prop_map(Move::Answers),
        1 => Just(Move::Skips),
        1 => Just(Move::Holds),
        2 => Just(Move::Unholds),
        1 => Just(Move::Retries),
    ]
}

proptest! {
    /// Whatever is said in whatever order: the history folds to the state, no cap is passed, a reply stays, and the
    /// phase never waits for answers without a question that is open.
    #[test]
    fn questions_are_settled_once_and_within_their_caps(moves in prop::collection::vec(a_move(), 0..60)) {
        let mut run = Run::start(&asking_line());
        for a_move in moves {
            let before = run.state.at(&"work".into()).questions.clone();
            let running = run.status("work") == PhaseStatus::Running;
            let verdict = match a_move {
                Move::Asks(count) if running => { asks(&mut run, count); None }
                Move::Fails if running => { run.ran("work", RunResult::Failed(Why::Failed("x".into()))); None }
                Move::Asks(_) | Move::Fails => None,
                Move::Answers(question) => Some(answer(question)),
                Move::Skips => Some(Ask::Skip { reason: String::new() }),
                Move::Holds => Some(Ask::Hold { reason: String::new() }),
                Move::Unholds => Some(Ask::Unhold),
                Move::Retries => Some(Ask::Retry { variant: None }),
            };
            if let Some(ask) = verdict {
                let by = super::authority("bob", Right::Write, run.now);
                run.step(&super::super::command::Command::Person(by, ask));
            }
            let folded = fold(run.history.iter().map(|(event, at)| (event, *at)));
            prop_assert_eq!(folded.as_ref(), Some(&run.state));
            let work = run.state.at(&"work".into());
            prop_assert!(work.questions.len() <= 4 && work.iteration <= 3);
            for (old, new) in before.iter().zip(&work.questions) {
                prop_assert!(old.reply.is_none() || old == new);
            }
            prop_assert!(!work.is_asking() || work.open_questions().next().is_some());
        }
    }
}
