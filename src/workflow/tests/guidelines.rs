//! Guidelines of the repository: what is recorded of them with each prompt, and when another text than before is told.

use serde_json::json;

use super::super::apply::fold;
use super::super::artifact::Stage;
use super::super::command::{Ask, Report, RunResult};
use super::super::definition::{Definition, Known};
use super::super::event::Event;
use super::super::guidelines::{Former, Found, Guidelines, Text, Unfit};
use super::super::ids::Digest;
use super::super::right::Right;
use super::super::state::Why;
use super::{Run, prefix, prompt, proposal};

/// Two phases whose prompts wait, and one without guidelines.
fn definition() -> Definition {
    let phase = |id: &str, needs: &str, more: &str| {
        format!(
            "  - {{id: {id}, title: T, prompt: p, schema: s, needs: [{needs}], prompt_gate: {{people: {{}}}}, gate: {{people: \
             {{}}}}{more}}}\n"
        )
    };
    let yaml = format!(
        "name: d\nversion: 1\ntitle: t\nguidelines: [AGENTS.md]\nphases:\n{}{}{}",
        phase("a", "", ""),
        phase("b", "a", ""),
        phase("c", "b", ", guidelines: false")
    );
    let known = Known {
        prompts: &["p"],
        schemas: &["s"],
        ..Known::default()
    };
    Definition::parse(&yaml, &known).expect("valid")
}

fn given(path: &str, text: &str) -> Guidelines {
    Guidelines {
        path: path.to_owned(),
        commit: Some("c".repeat(40)),
        found: Found::Given(Text {
            sha256: Digest::of_bytes(text.as_bytes()),
            bytes: text.len() as u64,
            cut_at: None,
            blob: None,
        }),
        instead_of: None,
    }
}

fn left_out(why: Unfit) -> Guidelines {
    Guidelines {
        found: Found::LeftOut(why),
        ..given("AGENTS.md", "")
    }
}

fn former(path: &str, text: &str) -> Option<Former> {
    Some(Former {
        path: path.to_owned(),
        sha256: Digest::of_bytes(text.as_bytes()),
    })
}

/// A run of a phase ends, its prompt made with these.
fn ran(run: &mut Run, phase: &str, result: RunResult, guidelines: Option<Guidelines>) {
    let at = run.state.at(&phase.into());
    let (iteration, attempt) = (at.iteration, at.attempt);
    run.reports(Report::Ran {
        phase: phase.into(),
        iteration,
        attempt,
        result,
        guidelines,
    });
}

/// A prompt is made, shown and approved.
fn prompted(run: &mut Run, phase: &str, guidelines: Option<Guidelines>) {
    let iteration = run.state.at(&phase.into()).iteration;
    let made = prompt(proposal(phase, iteration, "the prompt", &[]));
    let digest = made.digest();
    let proposal = Box::new(made);
    ran(run, phase, RunResult::Prompted { proposal }, guidelines);
    run.shown(phase, digest);
    let named = prefix(digest);
    let approve = Ask::Approve {
        named,
        reason: None,
        verdict: None,
    };
    run.asks("bob", Right::Write, approve);
}

/// A model answers, and the answer is approved.
fn answered(run: &mut Run, phase: &str, guidelines: Option<Guidelines>) {
    let iteration = run.state.at(&phase.into()).iteration;
    let made = proposal(phase, iteration, "the answer", &[]);
    let digest = made.digest();
    let result = RunResult::Proposed {
        proposal: Box::new(made),
        provider: "http:local".into(),
    };
    ran(run, phase, result, guidelines);
    run.shown(phase, digest);
    let named = prefix(digest);
    let approve = Ask::Approve {
        named,
        reason: None,
        verdict: None,
    };
    run.asks("bob", Right::Write, approve);
}

fn of(run: &Run, phase: &str) -> Option<Guidelines> {
    run.state.at(&phase.into()).guidelines.clone()
}

fn is_the_fold(run: &Run) {
    let folded = fold(run.history.iter().map(|(event, at)| (event, *at))).unwrap();
    assert_eq!(folded, run.state);
}

#[test]
fn each_prompt_and_its_answer_have_them_and_a_change_is_told_once() {
    let mut run = Run::start(&definition());
    let first = given("AGENTS.md", "one");
    prompted(&mut run, "a", Some(first.clone()));
    assert_eq!(of(&run, "a"), Some(first.clone()), "nothing was before");
    answered(&mut run, "a", Some(first.clone()));
    assert_eq!(of(&run, "a"), Some(first), "still");

    let second = given("AGENTS.md", "two");
    prompted(&mut run, "b", Some(second.clone()));
    let told = of(&run, "b").unwrap();
    assert_eq!(told.instead_of, former("AGENTS.md", "one"));
    answered(&mut run, "b", Some(second));
    assert_eq!(of(&run, "b"), Some(told), "said of the prompt, and again of its answer");

    prompted(&mut run, "c", None);
    assert_eq!(of(&run, "c"), None);
    is_the_fold(&run);
    let stages = run.history.iter().filter_map(|(event, _)| match event {
        Event::Proposed { stage, guidelines, .. } => Some((*stage, guidelines.is_some())),
        _ => None,
    });
    let stages: Vec<_> = stages.collect();
    let (asked, made) = (Stage::Prompt, Stage::Response);
    assert_eq!(
        stages,
        [(asked, true), (made, true), (asked, true), (made, true), (asked, false)]
    );
}

#[test]
fn another_file_and_none_any_more_are_changes_and_the_same_text_is_none() {
    let mut run = Run::start(&definition());
    prompted(&mut run, "a", Some(given("CLAUDE.md", "one")));
    for (next, before) in [
        (given("CLAUDE.md", "one"), None),
        (given("AGENTS.md", "one"), former("CLAUDE.md", "one")),
        (left_out(Unfit::Missing), former("AGENTS.md", "one")),
        (left_out(Unfit::Missing), None),
        (given("AGENTS.md", "one"), None),
        (left_out(Unfit::Off), former("AGENTS.md", "one")),
    ] {
        let why = Why::Unusable(Vec::new());
        ran(&mut run, "a", RunResult::NeedsPerson(why), Some(next.clone()));
        let told = of(&run, "a").unwrap();
        assert_eq!((&told.found, &told.instead_of), (&next.found, &before), "{next:?}");
        run.asks("bob", Right::Write, Ask::Retry { variant: None });
        assert_eq!(of(&run, "a"), None, "what the next try is made with is not known yet");
    }
    is_the_fold(&run);
}

/// What was written before there were guidelines is read and written as it was.
#[test]
fn what_has_none_has_no_word_of_them() {
    let mut run = Run::start(&definition());
    prompted(&mut run, "a", None);
    let event = run
        .history
        .iter()
        .find(|(event, _)| event.name() == "proposed")
        .unwrap();
    let text = serde_json::to_string(&event.0).unwrap();
    assert!(!text.contains("guidelines"), "{text}");
    assert!(!serde_json::to_string(&run.state).unwrap().contains("guidelines"));
    let waits: Event =
        serde_json::from_value(json!({"type": "waits_for_human", "phase": "a", "why": "manual_provider"})).unwrap();
    assert_eq!(waits.guidelines(), None);
    let plain = Definition {
        guidelines: Vec::new(),
        ..definition()
    };
    let stored = serde_json::to_value(&plain).unwrap();
    assert!(stored.get("guidelines").is_none());
    assert!(stored["phases"][0].get("guidelines").is_none());
    assert_eq!(serde_json::from_value::<Definition>(stored).unwrap(), plain);
}

#[test]
fn whoever_writes_by_a_prompt_takes_them() {
    let definition = definition();
    let takes = |phase: &str| !definition.guidelines_of(&phase.into()).is_empty();
    assert_eq!((takes("a"), takes("c"), takes("nowhere")), (true, false, false));
    let mut agents = definition.clone();
    agents.phases[0].prompt = None;
    agents.phases[1].chooses = Some("a".into());
    assert!(agents.guidelines_of(&"a".into()).is_empty() && agents.guidelines_of(&"b".into()).is_empty());
}
