//! Graphs that no built-in definition has yet, and definitions that are refused.

use super::super::command::{Ask, Command, Refusal, Report, Verdict};
use super::super::definition::{Definition, Invalid, Known};
use super::super::right::{Requirement, Right};
use super::super::state::{ActOutcome, PhaseStatus};
use super::story::{approve, at_the_gate, built_in, mail, planned, tasks};
use super::{Run, authority, proposal};

#[test]
fn what_is_executed_needs_its_approval_even_when_it_is_needed_through_others_only() {
    let yaml = "
name: chain
version: 1
title: A phase between a proposal and its acts
phases:
  - {id: extract, title: A, agent: extract, gate: {people: {}}}
  - {id: middle, title: B, agent: extract, needs: [extract]}
  - {id: tickets, title: C, needs: [middle], executes: extract}
";
    let mut run = at_the_gate(Run::start(&built_in(yaml)));
    run.asks("bob", Right::Write, approve(&tasks("a")));
    run.proposes(&proposal("middle", 1, "between", &[]));
    assert_eq!(planned(&run), ["card", "act tickets label"]);
    let shown = Report::Shown {
        phase: "middle".into(),
        digest: proposal("middle", 1, "between", &[]).digest(),
        at: run.now,
    };
    let verdict = run.verdict(&Command::System(shown));
    assert!(
        matches!(verdict, Verdict::Obsolete(_)),
        "nobody is called to look: {verdict:?}"
    );
    assert_eq!(run.asks("bob", Right::Write, Ask::Unapprove { of: None }), "unapproved");
    assert_eq!(run.status("tickets"), PhaseStatus::Blocked);
    assert!(!planned(&run).iter().any(|intent| intent.starts_with("act ")));
}

#[test]
fn phases_side_by_side_do_not_plan_each_others_acts_again() {
    let yaml = "
name: fork
version: 1
title: Two that act side by side
phases:
  - {id: extract, title: A, agent: extract, gate: {people: {}}, executes: extract}
  - {id: email, title: B, agent: email, gate: {people: {}}, executes: email}
";
    let mut run = at_the_gate(Run::start(&built_in(yaml)));
    run.asks("bob", Right::Write, approve(&tasks("a")));
    run.proposes(&mail());
    run.shown("email", mail().digest());
    run.asks("bob", Right::Write, approve(&mail()));
    assert_eq!(planned(&run), ["dismiss call for email", "act email mail"]);
    run.act_ended("extract", "label", ActOutcome::LabelReady);
    assert_eq!(planned(&run), ["act extract issue:1"]);
    run.reports(Report::ActFailed {
        phase: "email".into(),
        key: super::key("mail"),
        why: "refused".into(),
    });
    run.asks("bob", Right::Write, Ask::Unapprove { of: Some("bob".into()) });
    assert_eq!(
        run.state.at(&"email".into()).why,
        None,
        "what failed is not at its gate any more"
    );
    assert_eq!(
        planned(&run),
        ["cancel planned", "card", "call for email", "act extract issue:1"],
        "what the other does is planned anew"
    );
}

#[test]
fn what_needs_several_begins_when_the_last_of_them_is_done_whichever_that_is() {
    let yaml = "
name: diamond
version: 1
title: One, two side by side, one
phases:
  - {id: first, title: A, agent: extract}
  - {id: left, title: B, agent: extract, needs: [first]}
  - {id: right, title: C, agent: extract, needs: [first]}
  - {id: last, title: D, agent: extract, needs: [left, right]}
";
    for [earlier, later] in [["left", "right"], ["right", "left"]] {
        let mut run = Run::start(&built_in(yaml));
        run.proposes(&proposal("first", 1, "a", &[]));
        for side in ["left", "right"] {
            assert_eq!(run.status(side), PhaseStatus::Running, "both begin at once");
        }
        run.proposes(&proposal(earlier, 1, "b", &[]));
        assert_eq!(run.status(earlier), PhaseStatus::Completed);
        assert_eq!(run.status("last"), PhaseStatus::Blocked, "{later} is not done");
        run.proposes(&proposal(later, 1, "c", &[]));
        assert_eq!(
            run.status("last"),
            PhaseStatus::Running,
            "in the step that completes {later}"
        );
    }
}

#[test]
fn a_definition_in_which_two_would_carry_out_the_same_is_refused() {
    let people = "gate: {people: {}}";
    for (phases, expected) in [
        (
            format!(
                "  - {{id: a, title: A, agent: extract, {people}, executes: a}}\n  \
                 - {{id: b, title: B, needs: [a], executes: a}}"
            ),
            "phase b: a carries out what a proposed already",
        ),
        (
            "  - {id: a, title: A, agent: extract, gate: {people: {expires_after_hours: 0}}}".into(),
            "phase a: expires_after_hours must be from 1 to 8760",
        ),
        (
            "  - {id: a, title: A, agent: extract, gate: {people: {expires_after_hours: 4294967295}}}".into(),
            "phase a: expires_after_hours must be from 1 to 8760",
        ),
    ] {
        let yaml = format!("name: d\nversion: 1\ntitle: t\nphases:\n{phases}\n");
        let Err(Invalid(mistakes)) = Definition::parse(
            &yaml,
            &Known {
                agents: &["extract"],
                ..Known::default()
            },
        ) else {
            panic!("accepted:\n{yaml}");
        };
        assert!(
            mistakes.iter().any(|mistake| mistake.text.contains(expected)),
            "{mistakes:?}"
        );
    }
}

#[test]
fn somebody_without_the_right_starts_nothing() {
    let now = super::noon();
    let mut by = authority("mallory", Right::Read, now);
    by.requirement = Requirement::at_least(Right::Triage);
    let verdict = super::start("w1", built_in(include_str!("../../../workflows/deliver.yml")), by, now);
    let refusal = Refusal::NotAllowed {
        needs: Requirement::at_least(Right::Triage),
        has: Right::Read,
    };
    assert_eq!(verdict, Verdict::Refused(refusal));
}
