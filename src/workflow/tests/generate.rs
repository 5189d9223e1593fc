//! `generate`: two gates a phase, a verdict that goes back, and the counters of iterations and of retries.

use serde_json::json;

use super::super::artifact::{Proposal, ReviewVerdict};
use super::super::command::{Ask, Command, Named, Refusal, Report, RunResult};
use super::super::definition::{Definition, Known};
use super::super::ids::PhaseId;
use super::super::right::Right;
use super::super::state::{Ending, PhaseStatus, Status};
use super::{Run, Table, authority, cell, prefix, prompt, proposal};

fn generate() -> Definition {
    let known = Known {
        agents: &[],
        prompts: &[
            "generate/plan",
            "generate/generate",
            "generate/revise",
            "generate/review",
        ],
        schemas: &["plan.v1", "files.v1", "review.v1"],
        ..Known::default()
    };
    Definition::parse(include_str!("../../../workflows/generate.yml"), &known).expect("valid")
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Pass,
    Fail,
}

fn iteration(run: &Run, phase: &str) -> u32 {
    run.state.at(&phase.into()).iteration
}

/// A prompt is written, and stands on GitHub.
fn prompted(run: &mut Run, phase: &str) {
    let proposal = prompt(proposal(phase, iteration(run, phase), "the prompt", &[]));
    let digest = proposal.digest();
    let proposal = Box::new(proposal);
    assert_eq!(run.ran(phase, RunResult::Prompted { proposal }), "proposed");
    assert_eq!(run.shown(phase, digest), "shown");
}

/// What is answered in this try.
fn answer(run: &Run, phase: &str, says: Says) -> Proposal {
    let attempt = run.state.at(&phase.into()).attempt;
    let mut made = proposal(phase, iteration(run, phase), &format!("answer {attempt}"), &[]);
    if phase == "review" {
        let verdict = if says == Says::Pass { "pass" } else { "fail" };
        made.artifact = json!({ "verdict": verdict, "attempt": attempt });
    }
    made
}

/// The prompt that was approved is answered, and the answer stands on GitHub.
fn answered(run: &mut Run, phase: &str, says: Says) {
    let answer = answer(run, phase, says);
    assert_eq!(run.proposes(&answer), "proposed");
    assert_eq!(run.shown(phase, answer.digest()), "shown");
}

fn approval(run: &Run, verdict: Option<ReviewVerdict>) -> Ask {
    let (_, _, pending) = run.state.open_gate().expect("an open gate");
    Ask::Approve {
        named: prefix(pending.digest),
        reason: None,
        verdict,
    }
}

fn approve(run: &mut Run) -> String {
    let ask = approval(run, None);
    run.asks("bob", Right::Write, ask)
}

/// Through both gates of a phase.
fn through(run: &mut Run, phase: &str, says: Says) -> String {
    prompted(run, phase);
    assert_eq!(approve(run), "approved");
    answered(run, phase, says);
    approve(run)
}

/// A workflow at the prompt's or the response's gate of a phase, as `PLAN[P]` or `REVIEW[R] fail` name it.
fn at(place: &str) -> Run {
    let mut run = Run::start(&generate());
    let (phase, stage) = place.split_once('[').expect("a phase and a stage");
    let before: &[&str] = match phase {
        "PLAN" => &[],
        "GENERATE" => &["plan"],
        "REVIEW" => &["plan", "generate"],
        _ => &["plan", "generate", "review"],
    };
    for done in before {
        through(&mut run, done, Says::Fail);
    }
    let phase = phase.to_lowercase();
    prompted(&mut run, &phase);
    if stage.starts_with('R') {
        approve(&mut run);
        let says = if stage.ends_with("pass") {
            Says::Pass
        } else {
            Says::Fail
        };
        answered(&mut run, &phase, says);
    }
    run
}

/// Where a workflow stands: the phase and the stage that it is in, the iteration where it is not the first.
fn standing(run: &Run) -> String {
    match &run.state.status {
        Status::Completed => return "COMPLETE".to_owned(),
        Status::Cancelled { .. } => return "CANCELLED".to_owned(),
        Status::Open => {}
    }
    let at_work = [
        PhaseStatus::Draft,
        PhaseStatus::Running,
        PhaseStatus::ReadyForReview,
        PhaseStatus::Rejected,
    ];
    let phase = run.state.first_at(&at_work).expect("an open workflow is somewhere");
    let at = run.state.at(phase);
    // A prompt that is still to be written belongs to the prompt's stage.
    let stage = match (at.status, &at.prompt) {
        (PhaseStatus::Draft, _) | (PhaseStatus::Running, None) => "P",
        _ => "R",
    };
    let again = match (at.iteration, at.attempt) {
        (1, 1) => String::new(),
        (1, attempt) => format!(" try {attempt}"),
        (iteration, _) => format!(" #{iteration}"),
    };
    format!("{}[{stage}]{again}", phase.as_str().to_uppercase())
}

/// What each command does at each stage of each phase. Where the response's gate of the former table stood still after
/// a rejection, it is tried once more here (`retries: 1`); the rest is its table, cell by cell.
const TRANSITIONS: &str = "
                | PLAN[P]         | PLAN[R]       | GENERATE[P]     | GENERATE[R]       | REVIEW[P]       | REVIEW[R] pass  | REVIEW[R] fail  | REVISE[P]       | REVISE[R]
approve         | PLAN[R]         | GENERATE[P]   | GENERATE[R]     | REVIEW[P]         | REVIEW[R]       | COMPLETE        | REVISE[P]       | REVISE[R]       | REVIEW[P] #2
approve complete | NoVerdict      | NoVerdict     | NoVerdict       | NoVerdict         | NoVerdict       | COMPLETE        | COMPLETE        | NoVerdict       | NoVerdict
approve revise  | NoVerdict       | NoVerdict     | NoVerdict       | NoVerdict         | NoVerdict       | REVISE[P]       | REVISE[P]       | NoVerdict       | NoVerdict
reject          | PromptAtTheGate | PLAN[R] try 2 | PromptAtTheGate | GENERATE[R] try 2 | PromptAtTheGate | REVIEW[R] try 2 | REVIEW[R] try 2 | PromptAtTheGate | REVISE[R] try 2
revise          | PLAN[P] #2      | PLAN[P] #2    | GENERATE[P] #2  | GENERATE[P] #2    | REVIEW[P] #2    | REVIEW[P] #2    | REVIEW[P] #2    | REVISE[P] #2    | REVISE[P] #2
cancel          | CANCELLED       | CANCELLED     | CANCELLED       | CANCELLED         | CANCELLED       | CANCELLED       | CANCELLED       | CANCELLED       | CANCELLED
retry           | NothingToRetry  | NothingToRetry | NothingToRetry | NothingToRetry    | NothingToRetry  | NothingToRetry  | NothingToRetry  | NothingToRetry  | NothingToRetry
";

#[test]
fn every_stage_answers_every_command() {
    let table = Table::parse(TRANSITIONS);
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let rows: Vec<&str> = table.rows.iter().map(|(row, _)| row.as_str()).collect();
    table.check(&rows, &columns, |row, column| {
        let mut run = at(columns[column]);
        let before = run.state.clone();
        let reason = "because".to_owned();
        let ask = match row {
            "approve" => approval(&run, None),
            "approve complete" => approval(&run, Some(ReviewVerdict::Pass)),
            "approve revise" => approval(&run, Some(ReviewVerdict::Fail)),
            "reject" => Ask::Reject { reason },
            "revise" => Ask::Revise { text: reason },
            "cancel" => Ask::Cancel { reason },
            "retry" => Ask::Retry { variant: None },
            other => panic!("no such row: {other}"),
        };
        let verdict = run.step(&Command::Person(authority("bob", Right::Write, run.now), ask));
        if matches!(verdict, super::Verdict::Events(_)) {
            standing(&run)
        } else {
            assert_eq!(run.state, before, "a refusal changes nothing");
            cell(&verdict)
        }
    });
}

/// From a failed review through a revision to the next review, as far as its answer.
fn revised(run: &mut Run) {
    assert_eq!(approve(run), "approved+sent_back+phase_started");
    assert_eq!(
        through(run, "revise", Says::Pass),
        "approved+phase_completed+phase_started"
    );
    prompted(run, "review");
    approve(run);
    answered(run, "review", Says::Fail);
}

#[test]
fn each_round_counts_until_no_other_may_be_and_then_only_people_end_it() {
    let mut run = at("REVIEW[R] fail");
    for round in 1..=3 {
        assert_eq!(
            (iteration(&run, "revise"), iteration(&run, "review")),
            (round - 1, round)
        );
        revised(&mut run);
    }
    let before = run.state.clone();
    let another = approval(&run, None);
    let refusal = run.refused("bob", Right::Write, another);
    let cap = Refusal::CapReached {
        phase: "revise".into(),
        iterations: 3,
    };
    assert_eq!(refusal, cap, "it names the phase that has no round left");
    assert_eq!(run.state, before);
    let overriding = approval(&run, Some(ReviewVerdict::Fail));
    assert_eq!(run.refused("bob", Right::Write, overriding), cap);
    let overriding = approval(&run, Some(ReviewVerdict::Pass));
    let events = run.asks("bob", Right::Write, overriding);
    assert_eq!(events, "approved+phase_completed+completed");
    assert_eq!(run.state.at(&"review".into()).verdict, Some(ReviewVerdict::Pass));
}

#[test]
fn what_went_back_is_given_what_was_made_before_and_what_was_found() {
    let mut run = at("REVIEW[R] fail");
    let found = run.state.at(&"review".into()).pending.as_ref().unwrap().digest;
    let made = run.state.at(&"generate".into()).output.unwrap();
    let planned = run.state.at(&"plan".into()).output.unwrap();
    approve(&mut run);
    let revise = run.state.definition.phase(&"revise".into()).unwrap();
    let handed: Vec<_> = run
        .state
        .handed(revise)
        .map(|(id, digest)| (id.as_str(), digest))
        .collect();
    assert_eq!(handed, [("plan", planned), ("generate", made), ("review", found)]);
    assert_eq!(run.state.progress(), (2, 4), "what was called counts from then on");
}

#[test]
fn each_round_of_a_revision_lies_over_those_before_it() {
    let mut run = at("REVIEW[R] fail");
    let generated = run.state.at(&"generate".into()).output.unwrap();
    let mut rounds = Vec::new();
    for _ in 1..=2 {
        revised(&mut run);
        rounds.push(run.state.at(&"revise".into()).output.unwrap());
    }
    let handed = |run: &Run, to: &str| {
        let phase = run.state.definition.phase(&to.into()).unwrap().clone();
        let handed: Vec<_> = run.state.handed(&phase).map(|(_, digest)| digest).collect();
        handed
    };
    assert_eq!(handed(&run, "review")[1..], [generated, rounds[0], rounds[1]]);
    approve(&mut run);
    assert_eq!(
        handed(&run, "revise")[1..4],
        [generated, rounds[0], rounds[1]],
        "the next round begins there"
    );

    // Files that are made anew have no revision yet.
    let completed = super::Event::PhaseCompleted {
        phase: "generate".into(),
        ending: Ending::Done,
    };
    super::apply(&mut run.state, &completed, run.now);
    let rounds = run.state.at(&"revise".into()).rounds.as_ref().unwrap();
    assert!(rounds.is_empty(), "{rounds:?}");
}

fn reject(run: &mut Run) -> String {
    let reason = "not yet".to_owned();
    run.asks("alice", Right::Write, Ask::Reject { reason })
}

#[test]
fn a_rejected_answer_is_tried_again_as_often_as_the_definition_says_and_then_waits_for_a_person() {
    let mut run = at("GENERATE[R]");
    let prompt = run.state.at(&"generate".into()).prompt;
    assert_eq!(reject(&mut run), "rejected+phase_started");
    assert_eq!(standing(&run), "GENERATE[R] try 2");
    answered(&mut run, "generate", Says::Pass);
    assert_eq!(reject(&mut run), "rejected", "its one retry is used up");
    let generate = PhaseId::from("generate");
    let at = run.state.at(&generate);
    assert_eq!((at.status, at.rejections), (PhaseStatus::Rejected, 2));
    assert_eq!(at.prompt, prompt, "the prompt that was approved still is");
    assert_eq!(at.steer.len(), 2, "both reasons are kept for the next try");

    // A new iteration, with a prompt of its own and a count of its own.
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    let at = run.state.at(&generate);
    assert_eq!((at.iteration, at.attempt, at.rejections, at.prompt), (2, 1, 0, None));
    prompted(&mut run, "generate");
    approve(&mut run);
    answered(&mut run, "generate", Says::Pass);
    assert_eq!(reject(&mut run), "rejected+phase_started", "it may be tried again anew");
}

#[test]
fn the_count_of_retries_of_one_phase_says_nothing_about_another() {
    let mut run = at("PLAN[R]");
    reject(&mut run);
    answered(&mut run, "plan", Says::Pass);
    approve(&mut run);
    prompted(&mut run, "generate");
    approve(&mut run);
    answered(&mut run, "generate", Says::Pass);
    assert_eq!(run.state.at(&"generate".into()).rejections, 0);
    assert_eq!(reject(&mut run), "rejected+phase_started");
}

#[test]
fn a_bare_approval_of_a_prompt_is_one_of_what_stood_there_long_enough() {
    let mut run = at("PLAN[P]");
    let bare = Ask::Approve {
        named: Named::OnTheCard(run.now),
        reason: None,
        verdict: None,
    };
    let refusal = run.refused("bob", Right::Write, bare);
    assert!(matches!(refusal, Refusal::ChangedJustNow { .. }), "{refusal:?}");
}

#[test]
fn an_answer_that_nobody_asked_for_passes_no_gate() {
    let mut run = at("PLAN[P]");
    let answer = answer(&run, "plan", Says::Pass);
    let at = run.state.at(&"plan".into());
    let report = Report::Ran {
        phase: "plan".into(),
        iteration: at.iteration,
        attempt: at.attempt,
        result: RunResult::Proposed {
            proposal: Box::new(answer),
            provider: "http:late".into(),
        },
        guidelines: None,
    };
    let verdict = run.step(&Command::System(report));
    assert_eq!(cell(&verdict), "obsolete", "its prompt is not approved");
}
