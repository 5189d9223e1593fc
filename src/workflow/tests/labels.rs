//! Which labels mirror where a workflow stands.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::command::RunResult;
use super::super::definition::Definition;
use super::super::labels::{Difference, Label, folded, shown};
use super::super::plan::Intent;
use super::super::state::{Hold, PhaseStatus, State, Status, SubjectKind, Why};
use super::*;

/// Two phases side by side and one after both. The label of the first is for while it is under way, that of the second for
/// some statuses.
const PARALLEL: &str = "
name: parallel
version: 1
title: Two side by side
phases:
  - {id: a, title: A, agent: writer, label: wf:a, gate: {people: {}}}
  - {id: b, title: B, agent: writer, gate: {people: {}}, label: {running: wf:b, error: wf:failed, completed: wf:b-done}}
  - {id: c, title: C, needs: [a, b], agent: writer, label: {blocked: wf:waits, running: wf:c, completed: wf:done}}
";

fn parallel() -> Definition {
    let known = Known {
        agents: &["writer"],
        ..Known::default()
    };
    Definition::parse(PARALLEL, &known).expect("valid")
}

fn labels(state: &State) -> Vec<&str> {
    shown(state).into_iter().collect()
}

/// The first phase of [`PARALLEL`] stands at this status; the others are blocked.
fn at(label: Label, status: PhaseStatus) -> State {
    let mut state = Run::start(&parallel()).state;
    let definition = std::sync::Arc::make_mut(&mut state.definition);
    for phase in &mut definition.phases {
        phase.label = None;
    }
    definition.phases[0].label = Some(label);
    for (id, phase) in &mut state.phases {
        phase.status = match id.as_str() {
            "a" => status,
            _ => PhaseStatus::Blocked,
        };
    }
    state
}

#[test]
fn a_label_stands_by_the_status_of_its_phase_and_of_the_workflow() {
    use PhaseStatus::*;
    let under_way = Label::UnderWay("wf:a".to_owned());
    let each = Label::At(
        PhaseStatus::ALL
            .map(|status| (status, format!("wf:{status:?}")))
            .into_iter()
            .collect(),
    );
    let mut seen = 0;
    for (status, shown_under_way) in [
        (Blocked, false),
        (Draft, false),
        (Running, true),
        (WaitingForHuman, true),
        (ReadyForReview, true),
        (Rejected, true),
        (Approved, true),
        (Error, false),
        (Completed, false),
    ] {
        seen += 1;
        let own = format!("wf:{status:?}");
        for (label, expected) in [
            (&under_way, shown_under_way.then_some("wf:a")),
            (&each, Some(own.as_str())),
        ] {
            let mut state = at(label.clone(), status);
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(labels(&state), expected, "{status:?}");
            state.hold = Some(Hold {
                by: None,
                reason: "wait".into(),
                since: noon(),
                cause: Default::default(),
                own: None,
            });
            assert_eq!(labels(&state), expected, "held, {status:?}");
            state.status = Status::Cancelled {
                by: None,
                reason: "enough".into(),
            };
            assert_eq!(labels(&state), [""; 0], "cancelled, {status:?}");
            state.status = Status::Completed;
            let stays = status == Completed && *label == each;
            let expected: Vec<&str> = stays.then_some("wf:Completed").into_iter().collect();
            assert_eq!(labels(&state), expected, "completed, {status:?}");
            state.status = Status::Open;
            state.subject.kind = SubjectKind::Folder;
            assert_eq!(labels(&state), [""; 0], "a folder has no labels");
        }
    }
    assert_eq!(seen, PhaseStatus::ALL.len());
}

#[test]
fn phases_side_by_side_have_their_labels_at_once() {
    let mut run = Run::start(&parallel());
    assert_eq!(labels(&run.state), ["wf:a", "wf:b", "wf:waits"]);
    assert!(run.intents.contains(&Intent::Labels), "it begins");
    run.proposes(&proposal("a", 1, "a", &[]));
    assert_eq!(labels(&run.state), ["wf:a", "wf:b", "wf:waits"]);
    assert!(!run.intents.contains(&Intent::Labels), "nothing changes");
    run.ran("b", RunResult::Failed(Why::Failed("no".into())));
    assert_eq!(labels(&run.state), ["wf:a", "wf:failed", "wf:waits"]);
    assert!(run.intents.contains(&Intent::Labels));
    run.asks("bob", Right::Admin, Ask::Hold { reason: "wait".into() });
    assert_eq!(labels(&run.state), ["wf:a", "wf:failed", "wf:waits"]);
    assert!(!run.intents.contains(&Intent::Labels), "held, it stands where it stood");
    run.asks("bob", Right::Admin, Ask::Cancel { reason: "no".into() });
    assert_eq!(labels(&run.state), [""; 0]);
    assert!(run.intents.contains(&Intent::Labels));
}

#[test]
fn a_workflow_that_begins_again_asks_for_its_labels_whatever_it_shows() {
    let mut definition = parallel();
    for phase in &mut definition.phases {
        phase.label = None;
    }
    assert!(!Run::start(&definition).intents.contains(&Intent::Labels));
    definition.phases[2].label = Some(Label::UnderWay("wf:c".to_owned()));
    let run = Run::start(&definition);
    assert_eq!(labels(&run.state), [""; 0]);
    assert!(
        run.intents.contains(&Intent::Labels),
        "an earlier one may have left a label"
    );
}

#[test]
fn what_a_later_workflow_names_is_its_own() {
    let state = Run::start(&parallel()).state;
    let mut later = parallel();
    later.phases.truncate(1);
    let present = ["WF:Waits".to_owned(), "bug".to_owned(), "wf:a".to_owned()];
    let difference = Difference::of(&state, &present, std::iter::empty());
    assert_eq!(difference.missing, BTreeSet::from(["wf:b".to_owned()]));
    assert_eq!(difference.stray, BTreeSet::new());
    let mut ended = state.clone();
    ended.status = Status::Completed;
    let difference = Difference::of(&ended, &present, std::iter::empty());
    assert_eq!(
        difference.stray,
        BTreeSet::from(["WF:Waits".to_owned(), "wf:a".to_owned()]),
        "as they are written there"
    );
    let difference = Difference::of(&ended, &present, std::iter::once(&later));
    assert_eq!(difference.stray, BTreeSet::from(["WF:Waits".to_owned()]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands there, what differs is all that is to be done, and people's labels are not among it.
    #[test]
    fn a_difference_that_is_carried_out_leaves_none(
        present in prop::collection::vec("(wf:|WF:)?[abc]|bug|wf:(done|waits|other)", 0..8),
        status in 0..9_usize,
        over in 0..3_usize,
    ) {
        let mut state = Run::start(&parallel()).state;
        state.phases.get_mut(&"c".into()).unwrap().status = PhaseStatus::ALL[status];
        state.status = match over {
            0 => Status::Open,
            1 => Status::Completed,
            _ => Status::Cancelled { by: None, reason: "enough".into() },
        };
        let difference = Difference::of(&state, &present, std::iter::empty());
        let mut after: Vec<String> = present.iter().filter(|name| !difference.stray.contains(*name)).cloned().collect();
        after.extend(difference.missing.clone());
        prop_assert!(Difference::of(&state, &after, std::iter::empty()).is_empty());
        let own: BTreeSet<String> = state.definition.labels().into_keys().map(folded).collect();
        let theirs = |names: &[String]| -> Vec<String> {
            names.iter().filter(|name| !own.contains(&folded(name))).cloned().collect()
        };
        prop_assert_eq!(theirs(&after), theirs(&present));
        let there: BTreeSet<String> = after.iter().map(|name| folded(name)).filter(|name| own.contains(name)).collect();
        let wanted: BTreeSet<String> = shown(&state).into_iter().map(folded).collect();
        prop_assert_eq!(there, wanted);
    }
}
