//! Forks from places that chance seldom finds.

use std::collections::BTreeMap;

use super::super::fork::{CannotFork, Request, fork};
use super::super::state::PhaseStatus;
use super::*;

fn forked(run: &Run, after: usize, proposals: &[Proposal]) -> Result<(State, Vec<Intent>), CannotFork> {
    let request = Request {
        origin: &"w1".into(),
        history: &run.history,
        after,
        hash: Digest::of_bytes(b"the last event"),
        into: &"w2".into(),
    };
    let kept: BTreeMap<Digest, Proposal> = proposals.iter().map(|of| (of.digest(), of.clone())).collect();
    let made = fork(request, &kept, run.now)?;
    let before = made.state;
    let mut state = before.clone();
    for event in &made.events {
        apply(&mut state, event, run.now);
    }
    let intents = plan(Some(&before), &state, &made.events, run.now);
    Ok((state, intents))
}

#[test]
fn a_prompt_that_was_approved_waits_at_its_gate_again_and_is_not_sent() {
    let mut run = at_its_prompt();
    let [_, second, _] = versions(1).map(prompt);
    let ask = Ask::Approve {
        named: prefix(second.digest()),
        reason: None,
        verdict: None,
    };
    run.asks("bob", Right::Admin, ask);
    assert_eq!(run.status("work"), PhaseStatus::Running);
    let (state, intents) = forked(&run, run.history.len(), std::slice::from_ref(&second)).unwrap();
    let work = state.at(&"work".into());
    assert_eq!((work.status, work.prompt), (PhaseStatus::Draft, None));
    let pending = work.pending.as_ref().unwrap();
    let theirs = Proposal {
        workflow: "w2".into(),
        ..second.clone()
    };
    assert_eq!((pending.digest, pending.stage), (theirs.digest(), Stage::Prompt));
    assert!(work.void.contains(&second.digest()));
    assert_eq!(intents, [Intent::Card]);
}

#[test]
fn there_is_no_fork_without_what_would_be_shown_nor_from_beyond_the_history() {
    let run = at_its_prompt();
    let [_, second, _] = versions(1).map(prompt);
    let count = run.history.len();
    assert_eq!(
        forked(&run, count, &[]).unwrap_err(),
        CannotFork::Missing(second.digest())
    );
    for after in [0, count + 1] {
        let refused = forked(&run, after, &[]).unwrap_err();
        assert_eq!(refused, CannotFork::NoSuchEvent { after, last: count });
    }
}
