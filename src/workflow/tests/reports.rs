//! What each thing that the engine may report does, at every status, running normally, held and over; and that the
//! same report given twice does nothing the second time.

use chrono::TimeDelta;

use super::super::children::{Above, ChildStanding};
use super::super::command::{Command, Report, RulingResult, RunResult, Verdict};
use super::super::ids::{Digest, IssueNumber};
use super::super::judging::Reading;
use super::super::repair::{Duplicate, Fate, Repair};
use super::super::state::{ActOutcome, Ending, PhaseStatus, Why};
use super::{Condition, Place, Run, Table, at, cell, key, person, versions_of};

/// Every row, from [`rows_of`] each variant.
const ROWS: [&str; 28] = [
    "ran: proposed",
    "ran: needs a person",
    "ran: nothing to do",
    "ran: failed",
    "ran, stale iteration",
    "ran, stale attempt",
    "ran, another's proposal",
    "shown",
    "shown, void",
    "act ended",
    "act ended, done before",
    "act ended, unknown",
    "act failed",
    "act failed, out of turn",
    "approval lost",
    "approval lost, void",
    "gate expired",
    "gate expired, void",
    "gate expired, reminded",
    "subject closed",
    "subject gone",
    "child changed",
    "parent held",
    "ruled",
    "checked",
    "vote lost",
    "repaired",
    "duplicate repaired",
];

/// The rows of a variant. A new variant does not compile until it has some, and they must be in [`ROWS`].
fn rows_of(report: &Report) -> &'static [&'static str] {
    match report {
        Report::Ran { .. } => &ROWS[0..7],
        Report::Shown { .. } => &ROWS[7..9],
        Report::ActEnded { .. } => &ROWS[9..12],
        Report::ActFailed { .. } => &ROWS[12..14],
        Report::ApprovalLost { .. } => &ROWS[14..16],
        Report::GateExpired { .. } => &ROWS[16..19],
        Report::SubjectClosed { .. } => &ROWS[19..20],
        Report::SubjectGone { .. } => &ROWS[20..21],
        Report::Child { .. } => &ROWS[21..22],
        Report::Parent(_) => &ROWS[22..23],
        Report::Ruled { .. } => &ROWS[23..24],
        Report::Checked { .. } => &ROWS[24..25],
        Report::VoteLost { .. } => &ROWS[25..26],
        Report::Repaired(_) => &ROWS[26..27],
        Report::DuplicateRepaired { .. } => &ROWS[27..28],
    }
}

/// What a row reports of `work`.
fn reported(row: &str, run: &Run) -> Report {
    let work = || "work".into();
    let state = run.state.at(&work());
    let iteration = state.iteration.max(1);
    let [first, second, third] = versions_of(run);
    let ran = |iteration, attempt, result| Report::Ran {
        phase: work(),
        iteration,
        attempt,
        result,
        guidelines: None,
    };
    let with = |proposal| RunResult::Proposed {
        proposal: Box::new(proposal),
        provider: "rules".into(),
    };
    let why = || "because".to_owned();
    let attempt = state.attempt;
    let shown = |digest: Digest| Report::Shown {
        phase: work(),
        digest,
        at: run.now,
    };
    let ended = |name| Report::ActEnded {
        phase: work(),
        key: key(name),
        outcome: ActOutcome::NotNeeded,
    };
    let failed = |name| Report::ActFailed {
        phase: work(),
        key: key(name),
        why: why(),
    };
    let lost = |digest| Report::ApprovalLost {
        phase: work(),
        digest,
        why: why(),
    };
    let expired = |digest, reminders| Report::GateExpired {
        phase: work(),
        digest,
        reminders,
    };
    let report = match row {
        "ran: proposed" => ran(iteration, attempt, with(third)),
        "ran: needs a person" => ran(iteration, attempt, RunResult::NeedsPerson(Why::ManualProvider)),
        "ran: nothing to do" => ran(iteration, attempt, RunResult::Ended(Ending::Nothing { reason: why() })),
        "ran: failed" => ran(iteration, attempt, RunResult::Failed(Why::Failed(why()))),
        "ran, stale iteration" => ran(iteration - 1, attempt, with(third)),
        "ran, stale attempt" => ran(iteration, attempt.wrapping_sub(1), with(third)),
        "ran, another's proposal" => {
            let mut other = third;
            other.workflow = "w2".into();
            ran(iteration, attempt, with(other))
        }
        "shown" => shown(second.digest()),
        "shown, void" => shown(first.digest()),
        "act ended" => ended("two"),
        "act ended, done before" => ended("one"),
        "act ended, unknown" => ended("three"),
        "act failed" => failed(if state.outcomes.is_empty() { "one" } else { "two" }),
        "act failed, out of turn" => failed(if state.outcomes.is_empty() { "two" } else { "one" }),
        "approval lost" => lost(second.digest()),
        "approval lost, void" => lost(first.digest()),
        "gate expired" => expired(second.digest(), state.reminders),
        "gate expired, void" => expired(first.digest(), state.reminders),
        "gate expired, reminded" => expired(second.digest(), state.reminders + 1),
        "subject closed" => Report::SubjectClosed {
            by: Some(person("alice")),
        },
        "child changed" => Report::Child {
            phase: work(),
            key: key("one"),
            child: "w2".into(),
            standing: ChildStanding::Completed,
        },
        "parent held" => Report::Parent(Above::Held {
            by: Some(person("alice")),
            reason: "because".into(),
        }),
        "subject gone" => Report::SubjectGone { why: why() },
        "ruled" => Report::Ruled {
            phase: work(),
            digest: second.digest(),
            attempt: 1,
            result: RulingResult::Failed(Why::Failed(why())),
        },
        "checked" => Report::Checked {
            phase: work(),
            digest: second.digest(),
            reading: Reading::default(),
        },
        // Nobody has voted there.
        "vote lost" => Report::VoteLost {
            phase: work(),
            of: person("alice"),
            why: why(),
        },
        "repaired" => Report::Repaired(Repair::Opened {
            fates: vec![(IssueNumber(12), Fate::Deleted)],
        }),
        "duplicate repaired" => Report::DuplicateRepaired {
            duplicate: Duplicate::Issue,
            kept: 12,
            removed: vec![13],
        },
        other => panic!("no such row: {other}"),
    };
    assert!(rows_of(&report).contains(&row), "{row} is a row of what it reports");
    report
}

fn check(condition: Condition, places: &[Place], table: &str) {
    let names: Vec<String> = places.iter().map(|place| format!("{place:?}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let runs: Vec<Run> = places
        .iter()
        .map(|place| {
            let mut run = at(*place);
            condition.impose(&mut run);
            run
        })
        .collect();
    Table::parse(table).check(&ROWS, &names, |row, column| {
        let mut run = runs[column].clone();
        let command = Command::System(reported(row, &run));
        let verdict = run.step(&command);
        let again = run.step(&command);
        assert!(
            matches!(again, Verdict::Obsolete(_)),
            "{row} at {} given twice: {again:?}",
            names[column]
        );
        cell(&verdict)
    });
}

#[test]
fn every_status_and_every_report() {
    let place = super::asks::place;
    let (early, late) = PhaseStatus::ALL.split_at(4);
    let (late, draft) = late.split_at(4);
    let early: Vec<Place> = early.iter().copied().map(place).collect();
    let late: Vec<Place> = late.iter().copied().map(place).collect();
    let draft: Vec<Place> = draft.iter().copied().map(place).collect();
    for (condition, early_table, late_table, draft_table) in [
        (Condition::Open, OPEN_EARLY, OPEN_LATE, OPEN_DRAFT),
        (Condition::Held, HELD_EARLY, HELD_LATE, HELD_DRAFT),
        (Condition::Over, OVER_EARLY, OVER_LATE, OVER_DRAFT),
    ] {
        check(condition, &early, early_table);
        check(condition, &late, late_table);
        check(condition, &draft, draft_table);
    }
}

#[test]
fn ways_of_being_at_a_status_that_answer_differently() {
    use Place::{ActFailed, HalfDone, PartlyDone, Unshown};
    check(Condition::Open, &[Unshown, PartlyDone, HalfDone, ActFailed], SPECIAL);
}

#[test]
fn nobody_is_late_with_what_was_never_shown() {
    let mut run = at(Place::Unshown);
    run.later(TimeDelta::hours(1000));
    let verdict = run.verdict(&Command::System(reported("gate expired", &run)));
    assert!(matches!(verdict, Verdict::Obsolete(_)), "{verdict:?}");
}

#[test]
fn a_report_about_a_phase_that_does_not_exist_is_obsolete() {
    let run = at(Place::ReadyForReview);
    for row in ROWS {
        let mut report = reported(row, &run);
        match &mut report {
            Report::Ran { phase, .. }
            | Report::Shown { phase, .. }
            | Report::ActEnded { phase, .. }
            | Report::ActFailed { phase, .. }
            | Report::ApprovalLost { phase, .. }
            | Report::Child { phase, .. }
            | Report::Ruled { phase, .. }
            | Report::Checked { phase, .. }
            | Report::GateExpired { phase, .. } => *phase = "nowhere".into(),
            Report::VoteLost { phase, .. } => *phase = "nowhere".into(),
            Report::SubjectClosed { .. }
            | Report::SubjectGone { .. }
            | Report::Parent(_)
            | Report::Repaired(_)
            | Report::DuplicateRepaired { .. } => continue,
        }
        let verdict = run.verdict(&Command::System(report));
        assert!(matches!(verdict, Verdict::Obsolete(_)), "{row}: {verdict:?}");
    }
}

const OPEN_EARLY: &str = "
                        | Blocked            | Running                       | WaitingForHuman    | ReadyForReview
ran: proposed           | obsolete           | proposed                      | obsolete           | obsolete
ran: needs a person     | obsolete           | waits_for_human               | obsolete           | obsolete
ran: nothing to do      | obsolete           | phase_completed+phase_started | obsolete           | obsolete
ran: failed             | obsolete           | failed                        | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete                      | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete                      | obsolete           | obsolete
ran, another's proposal | obsolete           | failed                        | obsolete           | obsolete
shown                   | obsolete           | obsolete                      | obsolete           | obsolete
shown, void             | obsolete           | obsolete                      | obsolete           | obsolete
act ended               | obsolete           | obsolete                      | obsolete           | act_ended
act ended, done before  | obsolete           | obsolete                      | obsolete           | act_ended
act ended, unknown      | obsolete           | obsolete                      | obsolete           | obsolete
act failed              | obsolete           | obsolete                      | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete                      | obsolete           | obsolete
approval lost           | obsolete           | obsolete                      | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete                      | obsolete           | obsolete
gate expired            | obsolete           | obsolete                      | obsolete           | reminded
gate expired, void      | obsolete           | obsolete                      | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete                      | obsolete           | obsolete
subject closed          | held               | held                          | held               | held
subject gone            | cancelled          | cancelled                     | cancelled          | cancelled
child changed           | obsolete           | obsolete                      | obsolete           | obsolete
parent held             | obsolete           | obsolete                      | obsolete           | obsolete
ruled                   | obsolete           | obsolete                      | obsolete           | obsolete
checked                 | obsolete           | obsolete                      | obsolete           | obsolete
vote lost               | obsolete           | obsolete                      | obsolete           | obsolete
repaired                | repaired           | repaired                      | repaired           | repaired
duplicate repaired      | duplicate_repaired | duplicate_repaired            | duplicate_repaired | duplicate_repaired
";
const OPEN_LATE: &str = "
                        | Approved           | Rejected           | Error              | Completed
ran: proposed           | obsolete           | obsolete           | obsolete           | obsolete
ran: needs a person     | obsolete           | obsolete           | obsolete           | obsolete
ran: nothing to do      | obsolete           | obsolete           | obsolete           | obsolete
ran: failed             | obsolete           | obsolete           | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete           | obsolete
ran, another's proposal | obsolete           | obsolete           | obsolete           | obsolete
shown                   | obsolete           | obsolete           | obsolete           | obsolete
shown, void             | obsolete           | obsolete           | obsolete           | obsolete
act ended               | act_ended          | obsolete           | obsolete           | obsolete
act ended, done before  | act_ended          | obsolete           | obsolete           | obsolete
act ended, unknown      | obsolete           | obsolete           | obsolete           | obsolete
act failed              | failed             | obsolete           | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete           | obsolete
approval lost           | approval_lost      | obsolete           | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete           | obsolete           | obsolete
gate expired            | obsolete           | obsolete           | obsolete           | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete           | obsolete
subject closed          | held               | held               | held               | held
subject gone            | cancelled          | cancelled          | cancelled          | cancelled
child changed           | obsolete           | obsolete           | obsolete           | obsolete
parent held             | obsolete           | obsolete           | obsolete           | obsolete
ruled                   | obsolete           | obsolete           | obsolete           | obsolete
checked                 | obsolete           | obsolete           | obsolete           | obsolete
vote lost               | obsolete           | obsolete           | obsolete           | obsolete
repaired                | repaired           | repaired           | repaired           | repaired
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired | duplicate_repaired
";
const HELD_EARLY: &str = "
                        | Blocked            | Running            | WaitingForHuman    | ReadyForReview
ran: proposed           | obsolete           | proposed           | obsolete           | obsolete
ran: needs a person     | obsolete           | waits_for_human    | obsolete           | obsolete
ran: nothing to do      | obsolete           | phase_completed    | obsolete           | obsolete
ran: failed             | obsolete           | failed             | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete           | obsolete
ran, another's proposal | obsolete           | failed             | obsolete           | obsolete
shown                   | obsolete           | obsolete           | obsolete           | obsolete
shown, void             | obsolete           | obsolete           | obsolete           | obsolete
act ended               | obsolete           | obsolete           | obsolete           | act_ended
act ended, done before  | obsolete           | obsolete           | obsolete           | act_ended
act ended, unknown      | obsolete           | obsolete           | obsolete           | obsolete
act failed              | obsolete           | obsolete           | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete           | obsolete
approval lost           | obsolete           | obsolete           | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete           | obsolete           | obsolete
gate expired            | obsolete           | obsolete           | obsolete           | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete           | obsolete
subject closed          | obsolete           | obsolete           | obsolete           | obsolete
subject gone            | cancelled          | cancelled          | cancelled          | cancelled
child changed           | obsolete           | obsolete           | obsolete           | obsolete
parent held             | obsolete           | obsolete           | obsolete           | obsolete
ruled                   | obsolete           | obsolete           | obsolete           | obsolete
checked                 | obsolete           | obsolete           | obsolete           | obsolete
vote lost               | obsolete           | obsolete           | obsolete           | obsolete
repaired                | repaired           | repaired           | repaired           | repaired
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired | duplicate_repaired
";
const HELD_LATE: &str = "
                        | Approved           | Rejected           | Error              | Completed
ran: proposed           | obsolete           | obsolete           | obsolete           | obsolete
ran: needs a person     | obsolete           | obsolete           | obsolete           | obsolete
ran: nothing to do      | obsolete           | obsolete           | obsolete           | obsolete
ran: failed             | obsolete           | obsolete           | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete           | obsolete
ran, another's proposal | obsolete           | obsolete           | obsolete           | obsolete
shown                   | obsolete           | obsolete           | obsolete           | obsolete
shown, void             | obsolete           | obsolete           | obsolete           | obsolete
act ended               | act_ended          | obsolete           | obsolete           | obsolete
act ended, done before  | act_ended          | obsolete           | obsolete           | obsolete
act ended, unknown      | obsolete           | obsolete           | obsolete           | obsolete
act failed              | failed             | obsolete           | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete           | obsolete
approval lost           | approval_lost      | obsolete           | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete           | obsolete           | obsolete
gate expired            | obsolete           | obsolete           | obsolete           | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete           | obsolete
subject closed          | obsolete           | obsolete           | obsolete           | obsolete
subject gone            | cancelled          | cancelled          | cancelled          | cancelled
child changed           | obsolete           | obsolete           | obsolete           | obsolete
parent held             | obsolete           | obsolete           | obsolete           | obsolete
ruled                   | obsolete           | obsolete           | obsolete           | obsolete
checked                 | obsolete           | obsolete           | obsolete           | obsolete
vote lost               | obsolete           | obsolete           | obsolete           | obsolete
repaired                | repaired           | repaired           | repaired           | repaired
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired | duplicate_repaired
";
const OVER_EARLY: &str = "
                        | Blocked            | Running            | WaitingForHuman    | ReadyForReview
ran: proposed           | obsolete           | obsolete           | obsolete           | obsolete
ran: needs a person     | obsolete           | obsolete           | obsolete           | obsolete
ran: nothing to do      | obsolete           | obsolete           | obsolete           | obsolete
ran: failed             | obsolete           | obsolete           | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete           | obsolete
ran, another's proposal | obsolete           | obsolete           | obsolete           | obsolete
shown                   | obsolete           | obsolete           | obsolete           | obsolete
shown, void             | obsolete           | obsolete           | obsolete           | obsolete
act ended               | obsolete           | obsolete           | obsolete           | act_ended
act ended, done before  | obsolete           | obsolete           | obsolete           | act_ended
act ended, unknown      | obsolete           | obsolete           | obsolete           | obsolete
act failed              | obsolete           | obsolete           | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete           | obsolete
approval lost           | obsolete           | obsolete           | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete           | obsolete           | obsolete
gate expired            | obsolete           | obsolete           | obsolete           | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete           | obsolete
subject closed          | obsolete           | obsolete           | obsolete           | obsolete
subject gone            | obsolete           | obsolete           | obsolete           | obsolete
child changed           | obsolete           | obsolete           | obsolete           | obsolete
parent held             | obsolete           | obsolete           | obsolete           | obsolete
ruled                   | obsolete           | obsolete           | obsolete           | obsolete
checked                 | obsolete           | obsolete           | obsolete           | obsolete
vote lost               | obsolete           | obsolete           | obsolete           | obsolete
repaired                | obsolete           | obsolete           | obsolete           | obsolete
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired | duplicate_repaired
";
const OVER_LATE: &str = "
                        | Approved           | Rejected           | Error              | Completed
ran: proposed           | obsolete           | obsolete           | obsolete           | obsolete
ran: needs a person     | obsolete           | obsolete           | obsolete           | obsolete
ran: nothing to do      | obsolete           | obsolete           | obsolete           | obsolete
ran: failed             | obsolete           | obsolete           | obsolete           | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete           | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete           | obsolete
ran, another's proposal | obsolete           | obsolete           | obsolete           | obsolete
shown                   | obsolete           | obsolete           | obsolete           | obsolete
shown, void             | obsolete           | obsolete           | obsolete           | obsolete
act ended               | act_ended          | obsolete           | obsolete           | obsolete
act ended, done before  | act_ended          | obsolete           | obsolete           | obsolete
act ended, unknown      | obsolete           | obsolete           | obsolete           | obsolete
act failed              | obsolete           | obsolete           | obsolete           | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete           | obsolete
approval lost           | obsolete           | obsolete           | obsolete           | obsolete
approval lost, void     | obsolete           | obsolete           | obsolete           | obsolete
gate expired            | obsolete           | obsolete           | obsolete           | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete           | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete           | obsolete
subject closed          | obsolete           | obsolete           | obsolete           | obsolete
subject gone            | obsolete           | obsolete           | obsolete           | obsolete
child changed           | obsolete           | obsolete           | obsolete           | obsolete
parent held             | obsolete           | obsolete           | obsolete           | obsolete
ruled                   | obsolete           | obsolete           | obsolete           | obsolete
checked                 | obsolete           | obsolete           | obsolete           | obsolete
vote lost               | obsolete           | obsolete           | obsolete           | obsolete
repaired                | obsolete           | obsolete           | obsolete           | obsolete
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired | duplicate_repaired
";
const OPEN_DRAFT: &str = "
                        | Draft
ran: proposed           | obsolete
ran: needs a person     | obsolete
ran: nothing to do      | obsolete
ran: failed             | obsolete
ran, stale iteration    | obsolete
ran, stale attempt      | obsolete
ran, another's proposal | obsolete
shown                   | obsolete
shown, void             | obsolete
act ended               | obsolete
act ended, done before  | obsolete
act ended, unknown      | obsolete
act failed              | obsolete
act failed, out of turn | obsolete
approval lost           | obsolete
approval lost, void     | obsolete
gate expired            | reminded
gate expired, void      | obsolete
gate expired, reminded  | obsolete
subject closed          | held
subject gone            | cancelled
child changed           | obsolete
parent held             | obsolete
ruled                   | obsolete
checked                 | obsolete
vote lost               | obsolete
repaired                | repaired
duplicate repaired      | duplicate_repaired
";
const HELD_DRAFT: &str = "
                        | Draft
ran: proposed           | obsolete
ran: needs a person     | obsolete
ran: nothing to do      | obsolete
ran: failed             | obsolete
ran, stale iteration    | obsolete
ran, stale attempt      | obsolete
ran, another's proposal | obsolete
shown                   | obsolete
shown, void             | obsolete
act ended               | obsolete
act ended, done before  | obsolete
act ended, unknown      | obsolete
act failed              | obsolete
act failed, out of turn | obsolete
approval lost           | obsolete
approval lost, void     | obsolete
gate expired            | obsolete
gate expired, void      | obsolete
gate expired, reminded  | obsolete
subject closed          | obsolete
subject gone            | cancelled
child changed           | obsolete
parent held             | obsolete
ruled                   | obsolete
checked                 | obsolete
vote lost               | obsolete
repaired                | repaired
duplicate repaired      | duplicate_repaired
";
const OVER_DRAFT: &str = "
                        | Draft
ran: proposed           | obsolete
ran: needs a person     | obsolete
ran: nothing to do      | obsolete
ran: failed             | obsolete
ran, stale iteration    | obsolete
ran, stale attempt      | obsolete
ran, another's proposal | obsolete
shown                   | obsolete
shown, void             | obsolete
act ended               | obsolete
act ended, done before  | obsolete
act ended, unknown      | obsolete
act failed              | obsolete
act failed, out of turn | obsolete
approval lost           | obsolete
approval lost, void     | obsolete
gate expired            | obsolete
gate expired, void      | obsolete
gate expired, reminded  | obsolete
subject closed          | obsolete
subject gone            | obsolete
child changed           | obsolete
parent held             | obsolete
ruled                   | obsolete
checked                 | obsolete
vote lost               | obsolete
repaired                | obsolete
duplicate repaired      | duplicate_repaired
";
const SPECIAL: &str = "
                        | Unshown            | PartlyDone         | HalfDone                                | ActFailed
ran: proposed           | obsolete           | obsolete           | obsolete                                | obsolete
ran: needs a person     | obsolete           | obsolete           | obsolete                                | obsolete
ran: nothing to do      | obsolete           | obsolete           | obsolete                                | obsolete
ran: failed             | obsolete           | obsolete           | obsolete                                | obsolete
ran, stale iteration    | obsolete           | obsolete           | obsolete                                | obsolete
ran, stale attempt      | obsolete           | obsolete           | obsolete                                | obsolete
ran, another's proposal | obsolete           | obsolete           | obsolete                                | obsolete
shown                   | shown              | obsolete           | obsolete                                | obsolete
shown, void             | obsolete           | obsolete           | obsolete                                | obsolete
act ended               | act_ended          | act_ended          | act_ended+phase_completed+phase_started | act_ended
act ended, done before  | act_ended          | obsolete           | obsolete                                | act_ended
act ended, unknown      | obsolete           | obsolete           | obsolete                                | obsolete
act failed              | obsolete           | obsolete           | failed                                  | obsolete
act failed, out of turn | obsolete           | obsolete           | obsolete                                | obsolete
approval lost           | obsolete           | obsolete           | approval_lost                           | approval_lost
approval lost, void     | obsolete           | obsolete           | obsolete                                | obsolete
gate expired            | obsolete           | reminded           | obsolete                                | obsolete
gate expired, void      | obsolete           | obsolete           | obsolete                                | obsolete
gate expired, reminded  | obsolete           | obsolete           | obsolete                                | obsolete
subject closed          | held               | held               | held                                    | held
subject gone            | cancelled          | cancelled          | cancelled                               | cancelled
child changed           | obsolete           | obsolete           | obsolete                                | obsolete
parent held             | obsolete           | obsolete           | obsolete                                | obsolete
ruled                   | obsolete           | obsolete           | obsolete                                | obsolete
checked                 | obsolete           | obsolete           | obsolete                                | obsolete
vote lost               | obsolete           | obsolete           | obsolete                                | obsolete
repaired                | repaired           | repaired           | repaired                                | repaired
duplicate repaired      | duplicate_repaired | duplicate_repaired | duplicate_repaired                      | duplicate_repaired
";
