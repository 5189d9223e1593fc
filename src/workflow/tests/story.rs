//! The built-in definitions from start to end: what happens, and what is planned at each step.

use chrono::TimeDelta;

use super::super::artifact::Proposal;
use super::super::command::{Ask, Command, Named, Refusal, Report, RunResult, Verdict};
use super::super::definition::{Definition, Known};
use super::super::ids::Digest;
use super::super::plan::{CalledTo, Intent, Notice};
use super::super::right::Right;
use super::super::state::{ActOutcome, Ending, PhaseStatus, Status, Surface, What, Why};
use super::{Run, authority, key, opened, person, prefix, proposal};

pub(super) fn built_in(yaml: &str) -> Definition {
    Definition::parse(
        yaml,
        &Known {
            agents: &["extract", "email"],
            ..Known::default()
        },
    )
    .expect("a built-in definition is valid")
}

pub(super) fn deliver() -> Run {
    Run::start(&built_in(include_str!("../../../workflows/deliver.yml")))
}

/// The definition with other settings: each a text of the file and what stands in its place.
pub(super) fn deliver_with(changes: &[(&str, &str)]) -> Run {
    let mut yaml = include_str!("../../../workflows/deliver.yml").to_owned();
    for (from, to) in changes {
        assert!(yaml.contains(from), "deliver.yml has {from}");
        yaml = yaml.replacen(from, to, 1);
    }
    Run::start(&built_in(&yaml))
}

/// What is planned, in few words.
pub(super) fn planned(run: &Run) -> Vec<String> {
    let said = |intent: &Intent| match intent {
        Intent::RunAgent {
            phase,
            iteration,
            attempt,
        } => format!("run {phase} {iteration}.{attempt}"),
        Intent::Act { phase, key, .. } => format!("act {phase} {key}"),
        Intent::Card => "card".into(),
        Intent::Questions { phase } => format!("questions of {phase}"),
        Intent::CallPeople { phase, .. } => format!("call for {phase}"),
        Intent::DismissCall {
            phase,
            to: CalledTo::Gate,
        } => format!("dismiss call for {phase}"),
        Intent::DismissCall {
            phase,
            to: CalledTo::Stop,
        } => format!("dismiss {phase}'s stop"),
        Intent::ExpireGate {
            phase, reminders, at, ..
        } => format!("expire {phase} {reminders} in {} h", (*at - run.now).num_hours()),
        Intent::AskApprover { phase, attempt, .. } => format!("ask the approver of {phase} {attempt}"),
        Intent::ReadChecks { phase, at, .. } => {
            format!("read the checks of {phase} in {} min", (*at - run.now).num_minutes())
        }
        Intent::EndTimers { phase } => format!("end the timers of {phase}"),
        Intent::Tell { notice } => match notice {
            Notice::Completed => "tell of the completion".into(),
            Notice::Stopped { phase } => format!("tell of {phase}'s stop"),
            Notice::AskedMore { phase } => format!("tell of more questions of {phase}"),
            Notice::ApprovalLost { phase, .. } => format!("tell of {phase}'s lost approval"),
            Notice::VoteLost { phase, of, .. } => format!("tell of {}'s lost approval of {phase}", of.login),
            Notice::Expired { phase } => format!("tell of {phase}'s expiry"),
            Notice::Escalated { phase, .. } => format!("tell of {phase}'s escalation"),
            Notice::Closed => "tell of the closing".into(),
        },
        Intent::StartChild { phase, key, .. } => format!("start {key} of {phase}"),
        Intent::TellChild { child } => format!("tell {child}"),
        Intent::TellParent => "tell the parent".into(),
        Intent::CancelPlanned => "cancel planned".into(),
        Intent::Labels => "labels".into(),
    };
    let shown = run
        .intents
        .iter()
        .filter(|intent| !matches!(intent, Intent::EndTimers { .. }));
    shown.map(said).collect()
}

const ACTS: [&str; 3] = ["label", "issue:1", "issue:2"];

pub(super) fn tasks(text: &str) -> Proposal {
    proposal("extract", 1, text, &ACTS)
}

pub(super) fn mail() -> Proposal {
    proposal("email", 1, "mail", &["mail"])
}

pub(super) fn approve(proposal: &Proposal) -> Ask {
    Ask::Approve {
        verdict: None,
        named: prefix(proposal.digest()),
        reason: None,
    }
}

fn reject() -> Ask {
    Ask::Reject { reason: "no".into() }
}

fn hold() -> Ask {
    Ask::Hold { reason: "wait".into() }
}

pub(super) fn lost(phase: &str, digest: Digest) -> Report {
    Report::ApprovalLost {
        phase: phase.into(),
        digest,
        why: "bob may not write any more".into(),
    }
}

pub(super) fn expire(run: &Run, reminders: u32) -> Report {
    let (phase, _, pending) = run.state.open_gate().expect("a gate is open");
    Report::GateExpired {
        phase: phase.clone(),
        digest: pending.digest,
        reminders,
    }
}

/// Up to the first gate, shown for long enough.
pub(super) fn at_the_gate(mut run: Run) -> Run {
    run.proposes(&tasks("a"));
    run.shown("extract", tasks("a").digest());
    run.later(TimeDelta::seconds(30));
    run
}

/// Approved by Bob, the first act planned.
fn acting() -> Run {
    let mut run = at_the_gate(deliver());
    run.asks("bob", Right::Write, approve(&tasks("a")));
    run
}

#[test]
fn a_discussion_becomes_issues_and_a_mail() {
    let mut run = deliver();
    assert_eq!(planned(&run), ["card", "run extract 1.1"]);

    assert_eq!(run.proposes(&tasks("a")), "proposed");
    assert_eq!(planned(&run), ["card"]);
    assert_eq!(run.shown("extract", tasks("a").digest()), "shown");
    assert_eq!(planned(&run), ["call for extract", "expire extract 0 in 168 h"]);

    let amend = Ask::Amend {
        base: tasks("a").digest(),
        proposal: tasks("b"),
        change: "unticked a task".into(),
    };
    run.later(TimeDelta::minutes(1));
    assert_eq!(run.asks("alice", Right::Write, amend), "proposed");
    assert_eq!(planned(&run), ["card"]);
    let wrong = |run: &Run, given: Digest| Refusal::WrongDigest {
        choice: None,
        given: given.short(),
        current: tasks("b").digest(),
        void: run.state.at(&"extract".into()).void.contains(&given),
    };
    let unshown = run.refused("bob", Right::Write, approve(&tasks("b")));
    assert_eq!(unshown, Refusal::NotShownYet);
    run.shown("extract", tasks("b").digest());
    assert_eq!(planned(&run), ["call for extract", "expire extract 0 in 168 h"]);

    let old = run.refused("bob", Right::Write, approve(&tasks("a")));
    assert_eq!(old, wrong(&run, tasks("a").digest()));
    assert!(matches!(old, Refusal::WrongDigest { void: true, .. }));
    let never = run.refused("bob", Right::Write, approve(&tasks("never shown")));
    assert!(matches!(never, Refusal::WrongDigest { void: false, .. }));

    assert_eq!(
        run.asks("bob", Right::Write, approve(&tasks("b"))),
        "approved+phase_completed+acts_started"
    );
    assert_eq!(planned(&run), ["dismiss call for extract", "act tickets label"]);
    assert_eq!(run.act_ended("tickets", "label", ActOutcome::LabelReady), "act_ended");
    assert_eq!(planned(&run), ["act tickets issue:1"]);
    assert_eq!(run.act_ended("tickets", "issue:1", opened(8)), "act_ended");
    assert_eq!(planned(&run), ["act tickets issue:2"]);
    assert_eq!(
        run.act_ended("tickets", "issue:2", opened(9)),
        "act_ended+phase_completed+phase_started"
    );
    assert_eq!(planned(&run), ["card", "run email 1.1"]);

    run.proposes(&mail());
    run.shown("email", mail().digest());
    assert_eq!(planned(&run), ["call for email", "expire email 0 in 168 h"]);
    run.later(TimeDelta::seconds(10));
    let mut by = authority("carol", Right::Write, run.now);
    by.surface = Surface::Label {
        name: "countersign:approve".into(),
        event: Some(5),
    };
    let label = Ask::Approve {
        verdict: None,
        named: Named::OnTheCard(run.now),
        reason: None,
    };
    let verdict = run.step(&Command::Person(by.clone(), label));
    assert!(matches!(verdict, Verdict::Events(_)), "{verdict:?}");
    assert_eq!(planned(&run), ["dismiss call for email", "act email mail"]);
    let mailed = ActOutcome::Mailed {
        message_id: "<1@countersign.test>".into(),
        refused: Vec::new(),
        sent: None,
        again: false,
    };
    assert_eq!(
        run.act_ended("email", "mail", mailed),
        "act_ended+phase_completed+completed"
    );
    assert_eq!(planned(&run), ["card", "tell of the completion"]);
    assert_eq!(run.state.status, Status::Completed);

    let approvals: Vec<_> = run
        .state
        .record
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Approved(phase, digest, surface) => Some((
                entry.by.clone().map(|by| by.login),
                phase.to_string(),
                *digest,
                surface.clone(),
            )),
            _ => None,
        })
        .collect();
    let comment = authority("bob", Right::Write, run.now).surface;
    assert_eq!(
        approvals,
        [
            (Some("bob".into()), "extract".into(), tasks("b").digest(), comment),
            (Some("carol".into()), "email".into(), mail().digest(), by.surface),
        ]
    );
}

#[test]
fn tasks_are_shown_and_nothing_leaves() {
    let mut run = Run::start(&built_in(include_str!("../../../workflows/tasks.yml")));
    assert_eq!(planned(&run), ["card", "run extract 1.1"]);
    assert_eq!(run.proposes(&tasks("a")), "proposed+phase_completed+completed");
    assert_eq!(planned(&run), ["card"], "acts are proposed and nobody carries them out");
    let shown = Report::Shown {
        phase: "extract".into(),
        digest: tasks("a").digest(),
        at: run.now,
    };
    let verdict = run.verdict(&Command::System(shown));
    assert!(matches!(verdict, Verdict::Obsolete(_)), "nobody is called: {verdict:?}");
}

#[test]
fn a_prefix_names_a_digest_by_twelve_digits_or_more_in_either_case() {
    let run = at_the_gate(deliver());
    let digest = tasks("a").digest().to_string();
    let long = digest.clone() + "0";
    for (given, named) in [
        (&digest[..12], true),
        (&digest[..12].to_uppercase(), true),
        (&digest[..], true),
        (&digest[..11], false),
        ("", false),
        (&long, false),
    ] {
        let ask = Ask::Approve {
            verdict: None,
            named: Named::Prefix(given.into()),
            reason: None,
        };
        let verdict = run.verdict(&Command::Person(authority("bob", Right::Write, run.now), ask));
        assert_eq!(matches!(verdict, Verdict::Events(_)), named, "{given}: {verdict:?}");
    }
}

#[test]
fn an_approval_is_taken_back_in_time_and_not_later() {
    let mut run = acting();
    run.facts.act_in_flight = true;
    let unapprove = Ask::Unapprove { of: None };
    assert_eq!(run.refused("bob", Right::Write, unapprove.clone()), Refusal::TooLate);
    run.facts.act_in_flight = false;
    assert_eq!(
        run.refused("carol", Right::Write, unapprove.clone()),
        Refusal::NotYours {
            of: person("bob"),
            needs: Right::Maintain
        }
    );
    assert_eq!(run.asks("bob", Right::Write, unapprove.clone()), "unapproved");
    assert_eq!(
        planned(&run),
        [
            "cancel planned",
            "card",
            "call for extract",
            "expire extract 0 in 168 h"
        ]
    );
    assert_eq!(run.status("extract"), PhaseStatus::ReadyForReview);
    assert_eq!(run.status("tickets"), PhaseStatus::Blocked);

    run.asks("carol", Right::Write, approve(&tasks("a")));
    run.act_ended("tickets", "label", ActOutcome::LabelReady);
    assert_eq!(run.refused("carol", Right::Write, unapprove), Refusal::TooLate);
}

#[test]
fn a_failed_act_can_be_tried_again_or_its_approval_taken_back() {
    let mut run = acting();
    let failed = Report::ActFailed {
        phase: "tickets".into(),
        key: key("label"),
        why: "GitHub would not".into(),
    };
    assert_eq!(run.reports(failed.clone()), "failed");
    assert_eq!(planned(&run), ["card", "tell of tickets's stop"]);
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+acts_started"
    );
    assert_eq!(planned(&run), ["card", "dismiss tickets's stop", "act tickets label"]);
    run.reports(failed);
    run.asks("bob", Right::Write, Ask::Unapprove { of: None });
    assert_eq!(run.state.at(&"tickets".into()).why, None);
    assert_eq!(run.asks("bob", Right::Write, reject()), "rejected");
}

#[test]
fn an_approval_lost_midway_and_given_again_carries_out_the_rest_only() {
    let mut run = acting();
    run.act_ended("tickets", "label", ActOutcome::LabelReady);
    run.act_ended("tickets", "issue:1", opened(8));
    assert_eq!(run.reports(lost("extract", tasks("a").digest())), "approval_lost");
    assert_eq!(
        planned(&run),
        [
            "cancel planned",
            "card",
            "tell of extract's lost approval",
            "call for extract",
            "expire extract 0 in 168 h"
        ]
    );
    for ask in [
        reject(),
        Ask::Revise { text: "else".into() },
        Ask::Amend {
            base: tasks("a").digest(),
            proposal: tasks("b"),
            change: "else".into(),
        },
    ] {
        assert_eq!(run.refused("carol", Right::Write, ask), Refusal::PartlyDone);
    }
    run.asks("carol", Right::Write, approve(&tasks("a")));
    assert_eq!(planned(&run), ["dismiss call for extract", "act tickets issue:2"]);
    assert_eq!(
        run.act_ended("tickets", "issue:2", opened(9)),
        "act_ended+phase_completed+phase_started"
    );
}

#[test]
fn a_loss_of_approval_after_the_last_act_changes_nothing() {
    let mut run = acting();
    for (name, outcome) in ACTS.into_iter().zip([ActOutcome::LabelReady, opened(8), opened(9)]) {
        run.act_ended("tickets", name, outcome);
    }
    let verdict = run.verdict(&Command::System(lost("extract", tasks("a").digest())));
    assert!(matches!(verdict, Verdict::Obsolete(_)), "{verdict:?}");
}

#[test]
fn cancelling_keeps_the_outcome_of_the_act_under_way_and_plans_nothing_more() {
    let mut run = acting();
    run.act_ended("tickets", "label", ActOutcome::LabelReady);
    run.facts.act_in_flight = true;
    let cancel = Ask::Cancel {
        reason: "enough".into(),
    };
    assert_eq!(run.asks("alice", Right::Write, cancel), "cancelled");
    assert_eq!(planned(&run), ["cancel planned", "card"]);
    assert_eq!(run.act_ended("tickets", "issue:1", opened(8)), "act_ended");
    assert_eq!(planned(&run), ["card"]);
    assert_eq!(run.state.at(&"tickets".into()).outcomes.len(), 2);
    assert!(matches!(run.state.status, Status::Cancelled { .. }));
}

#[test]
fn cancelling_at_a_gate_tidies_the_call_away() {
    let mut run = at_the_gate(deliver());
    run.asks(
        "alice",
        Right::Write,
        Ask::Cancel {
            reason: "enough".into(),
        },
    );
    assert_eq!(planned(&run), ["cancel planned", "card", "dismiss call for extract"]);
}

#[test]
fn a_hold_between_acts_plans_nothing_and_lifting_it_goes_on_where_it_was() {
    let mut run = acting();
    run.act_ended("tickets", "label", ActOutcome::LabelReady);
    assert_eq!(run.asks("alice", Right::Triage, hold()), "held");
    assert_eq!(planned(&run), ["cancel planned", "card"]);
    assert_eq!(run.act_ended("tickets", "issue:1", opened(8)), "act_ended");
    assert_eq!(planned(&run), ["card"]);
    assert_eq!(run.asks("bob", Right::Write, Ask::Unhold), "unheld");
    assert_eq!(planned(&run), ["card", "act tickets issue:2"]);

    run.asks("alice", Right::Triage, hold());
    assert_eq!(run.act_ended("tickets", "issue:2", opened(9)), "act_ended");
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Unhold),
        "unheld+phase_completed+phase_started"
    );
    assert_eq!(planned(&run), ["card", "run email 1.1"], "one run and no second");
}

#[test]
fn a_hold_at_a_gate_stops_its_time_and_its_call() {
    let mut run = at_the_gate(deliver());
    run.asks("alice", Right::Write, hold());
    assert_eq!(planned(&run), ["cancel planned", "card", "dismiss call for extract"]);
    run.later(TimeDelta::hours(200));
    let verdict = run.verdict(&Command::System(expire(&run, 0)));
    assert!(matches!(verdict, Verdict::Obsolete(_)), "{verdict:?}");
    run.asks("bob", Right::Write, Ask::Unhold);
    assert_eq!(planned(&run), ["card", "call for extract", "expire extract 0 in 168 h"]);
}

#[test]
fn a_closed_subject_holds_the_workflow_and_its_people_are_told() {
    let mut run = at_the_gate(deliver());
    let closed = || Report::SubjectClosed {
        by: Some(person("alice")),
    };
    assert_eq!(run.reports(closed()), "held");
    assert_eq!(
        planned(&run),
        [
            "cancel planned",
            "card",
            "tell of the closing",
            "dismiss call for extract"
        ]
    );
    let again = run.verdict(&Command::System(closed()));
    assert!(matches!(again, Verdict::Obsolete(_)), "{again:?}");
}

#[test]
fn what_is_shown_during_a_hold_calls_people_when_it_is_lifted() {
    let mut run = deliver();
    run.asks("alice", Right::Write, hold());
    assert_eq!(planned(&run), ["cancel planned", "card"]);
    assert_eq!(run.proposes(&tasks("a")), "proposed");
    run.shown("extract", tasks("a").digest());
    assert_eq!(planned(&run), Vec::<String>::new());
    run.asks("bob", Right::Write, Ask::Unhold);
    assert_eq!(planned(&run), ["card", "call for extract", "expire extract 0 in 168 h"]);
}

#[test]
fn a_run_that_a_hold_dropped_is_asked_for_again() {
    let mut run = deliver();
    run.asks("alice", Right::Write, hold());
    run.asks("bob", Right::Write, Ask::Unhold);
    assert_eq!(planned(&run), ["card", "run extract 1.1"]);
}

#[test]
fn a_rejected_proposal_is_revised_or_tried_again_up_to_the_cap() {
    let mut run = deliver_with(&[("agent: extract\n", "agent: extract\n    limits: {iterations: 3}\n")]);
    run = at_the_gate(run);
    assert_eq!(run.asks("bob", Right::Write, reject()), "rejected");
    assert_eq!(planned(&run), ["card", "dismiss call for extract"]);
    let refused = run.refused("bob", Right::Write, approve(&tasks("a")));
    assert!(matches!(refused, Refusal::NoOpenGate(Some((_, PhaseStatus::Rejected)))));

    let said_at = run.now;
    let revise = Ask::Revise { text: "shorter".into() };
    assert_eq!(run.asks("bob", Right::Write, revise.clone()), "revised+phase_started");
    assert_eq!(
        planned(&run),
        [
            "card",
            "dismiss extract's stop",
            "dismiss call for extract",
            "run extract 2.1"
        ]
    );
    assert_eq!(run.state.heard_at, said_at);
    assert_eq!(
        run.state.at(&"extract".into()).steer.last().unwrap().as_str(),
        "shorter"
    );

    assert_eq!(
        run.ran("extract", RunResult::Failed(Why::Failed("broken".into()))),
        "failed"
    );
    assert_eq!(planned(&run), ["card", "tell of extract's stop"]);
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    assert_eq!(planned(&run), ["card", "dismiss extract's stop", "run extract 2.2"]);
    run.proposes(&proposal("extract", 2, "b", &ACTS));
    run.asks("bob", Right::Write, reject());
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    assert_eq!(planned(&run), ["card", "dismiss extract's stop", "run extract 3.1"]);

    let last = proposal("extract", 3, "c", &ACTS);
    run.proposes(&last);
    run.shown("extract", last.digest());
    let capped = Refusal::CapReached {
        phase: "extract".into(),
        iterations: 3,
    };
    assert_eq!(run.refused("bob", Right::Write, revise), capped);
    run.asks("bob", Right::Write, approve(&last));
    assert_eq!(
        run.status("tickets"),
        PhaseStatus::Approved,
        "the last one can be approved"
    );
}

#[test]
fn a_person_answers_in_the_place_of_the_manual_provider() {
    let mut run = deliver();
    run.ran("extract", RunResult::NeedsPerson(Why::ManualProvider));
    assert_eq!(planned(&run), ["card", "tell of extract's stop"]);
    let respond = |proposal| Ask::Respond { proposal };
    for other in [
        proposal("extract", 2, "later", &ACTS),
        proposal("email", 1, "elsewhere", &ACTS),
        proposal("nowhere", 1, "elsewhere", &ACTS),
    ] {
        assert_eq!(
            run.refused("bob", Right::Write, respond(other)),
            Refusal::NoAnswerAwaited
        );
    }
    assert_eq!(run.asks("bob", Right::Write, respond(tasks("a"))), "proposed");
    assert_eq!(run.state.at(&"extract".into()).why, None);
    assert_eq!(planned(&run), ["card", "dismiss extract's stop"]);
    run.shown("extract", tasks("a").digest());
    assert_eq!(
        run.asks("bob", Right::Write, approve(&tasks("a"))),
        "approved+phase_completed+acts_started"
    );
}

#[test]
fn an_answer_that_belongs_elsewhere_is_not_taken() {
    let mut of_workflow = tasks("b");
    of_workflow.workflow = "w2".into();
    let mut of_phase = tasks("b");
    of_phase.phase = "email".into();
    let of_iteration = proposal("extract", 2, "b", &ACTS);
    for other in [of_workflow, of_phase, of_iteration] {
        let mut run = deliver();
        let result = RunResult::Proposed {
            proposal: Box::new(other.clone()),
            provider: "rules".into(),
        };
        assert_eq!(run.ran("extract", result), "failed");
        let refused = run.refused(
            "bob",
            Right::Write,
            Ask::Respond {
                proposal: other.clone(),
            },
        );
        assert_eq!(refused, Refusal::NoAnswerAwaited);

        let mut run = at_the_gate(deliver());
        let current = tasks("a").digest();
        let amend = Ask::Amend {
            base: current,
            proposal: other,
            change: "else".into(),
        };
        assert_eq!(run.refused("alice", Right::Write, amend), Refusal::Stale { current });
    }
}

#[test]
fn with_nobody_to_write_to_the_mail_ends_as_not_configured_and_the_workflow_completes() {
    let mut run = acting();
    for (name, outcome) in ACTS.into_iter().zip([ActOutcome::LabelReady, opened(8), opened(9)]) {
        run.act_ended("tickets", name, outcome);
    }
    let ending = Ending::NotConfigured { key: "mail.to".into() };
    assert_eq!(
        run.ran("email", RunResult::Ended(ending.clone())),
        "phase_completed+completed"
    );
    assert_eq!(planned(&run), ["card", "tell of the completion"]);
    assert_eq!(run.state.at(&"email".into()).ending, Some(ending));
}

#[test]
fn with_nothing_to_propose_nothing_is_carried_out() {
    let mut run = deliver();
    let nothing = Ending::Nothing {
        reason: "no tasks".into(),
    };
    assert_eq!(
        run.ran("extract", RunResult::Ended(nothing)),
        "phase_completed+acts_started+phase_completed+phase_started"
    );
    assert_eq!(planned(&run), ["card", "run email 1.1"]);
}
