//! What happens when nobody answers an open gate.

use chrono::TimeDelta;

use super::super::command::{Ask, Command, Verdict};
use super::super::right::Right;
use super::super::state::{ActOutcome, What};
use super::story::{approve, at_the_gate, deliver, deliver_with, expire, lost, planned, tasks};

#[test]
fn an_open_gate_reminds_three_times_and_then_waits() {
    let mut run = at_the_gate(deliver());
    for reminder in 0..3 {
        run.later(TimeDelta::hours(168));
        assert_eq!(run.reports(expire(&run, reminder)), "reminded");
        let mut expected = vec!["card".to_owned(), "call for extract".to_owned()];
        if reminder < 2 {
            expected.push(format!("expire extract {} in 168 h", reminder + 1));
        }
        assert_eq!(planned(&run), expected);
    }
    run.asks("bob", Right::Write, approve(&tasks("a")));
    run.asks("bob", Right::Write, Ask::Unapprove { of: None });
    assert!(
        planned(&run).contains(&"expire extract 0 in 168 h".to_owned()),
        "a gate that opens again reminds anew: {:?}",
        planned(&run)
    );
}

#[test]
fn a_changed_proposal_reminds_anew() {
    let mut run = at_the_gate(deliver());
    run.later(TimeDelta::hours(168));
    run.reports(expire(&run, 0));
    let amend = Ask::Amend {
        base: tasks("a").digest(),
        proposal: tasks("b"),
        change: "b".into(),
    };
    run.asks("alice", Right::Write, amend);
    run.shown("extract", tasks("b").digest());
    assert_eq!(planned(&run), ["call for extract", "expire extract 0 in 168 h"]);
}

#[test]
fn a_gate_that_expires_into_a_rejection_says_that_nobody_answered() {
    let rejecting = || deliver_with(&[("on_expiry: remind", "on_expiry: reject")]);
    let mut run = at_the_gate(rejecting());
    run.later(TimeDelta::hours(168));
    assert_eq!(run.reports(expire(&run, 0)), "rejected");
    assert_eq!(
        planned(&run),
        ["card", "tell of extract's expiry", "dismiss call for extract"]
    );
    assert_eq!(run.state.record.last().unwrap().what, What::Expired("extract".into()));

    let mut run = at_the_gate(rejecting());
    run.asks("bob", Right::Write, approve(&tasks("a")));
    run.act_ended("tickets", "label", ActOutcome::LabelReady);
    run.reports(lost("extract", tasks("a").digest()));
    run.later(TimeDelta::hours(168));
    assert_eq!(run.reports(expire(&run, 0)), "reminded", "partly done is not rejected");
    assert_eq!(planned(&run), ["card", "call for extract", "expire extract 1 in 168 h"]);
    for reminder in [1, 2] {
        run.later(TimeDelta::hours(168));
        assert_eq!(run.reports(expire(&run, reminder)), "reminded");
    }
    assert_eq!(planned(&run), ["card", "call for extract"], "and not for ever");
}

#[test]
fn a_timer_of_what_was_changed_and_changed_back_does_not_count() {
    let mut run = at_the_gate(deliver_with(&[("on_expiry: remind", "on_expiry: reject")]));
    let old_timer = expire(&run, 0);
    run.later(TimeDelta::hours(167));
    for (base, next) in [("a", "b"), ("b", "a")] {
        let amend = Ask::Amend {
            base: tasks(base).digest(),
            proposal: tasks(next),
            change: next.into(),
        };
        run.asks("alice", Right::Write, amend);
        run.shown("extract", tasks(next).digest());
    }
    let void = &run.state.at(&"extract".into()).void;
    assert_eq!(*void, [tasks("b").digest()], "what is shown again is not void");
    run.later(TimeDelta::hours(1));
    let verdict = run.verdict(&Command::System(old_timer));
    assert!(matches!(verdict, Verdict::Obsolete(_)), "{verdict:?}");
    run.later(TimeDelta::hours(167));
    assert_eq!(run.reports(expire(&run, 0)), "rejected");
}
