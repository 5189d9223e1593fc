//! What each thing that a person may ask is answered, at every status, running normally, held and over.

use chrono::TimeDelta;

use super::super::command::{Ask, Command, Named};
use super::super::right::Right;
use super::super::state::PhaseStatus;
use super::super::variants::Letter;
use super::{Condition, Place, Run, Table, at, authority, cell, prefix, versions_of};

/// The column of a status. A new status does not compile until it has one.
pub(super) fn place(status: PhaseStatus) -> Place {
    match status {
        PhaseStatus::Blocked => Place::Blocked,
        PhaseStatus::Running => Place::Running,
        PhaseStatus::WaitingForHuman => Place::WaitingForHuman,
        PhaseStatus::ReadyForReview => Place::ReadyForReview,
        PhaseStatus::Approved => Place::Approved,
        PhaseStatus::Rejected => Place::Rejected,
        PhaseStatus::Error => Place::Error,
        PhaseStatus::Completed => Place::Completed,
        PhaseStatus::Draft => Place::Draft,
    }
}

/// Every row, from [`rows_of`] each variant.
const ROWS: [&str; 24] = [
    "approve, right prefix",
    "approve, wrong prefix",
    "approve, void prefix",
    "approve, bare settled",
    "approve, bare 9 s",
    "unapprove own",
    "unapprove other's",
    "unapprove, maintainer",
    "unapprove, not theirs",
    "reject",
    "revise",
    "amend",
    "amend, stale base",
    "amend, no change",
    "respond",
    "hold",
    "unhold",
    "retry",
    "cancel",
    "answer",
    "answer, no such question",
    "skip",
    "choose",
    "retry, a variant",
];

/// The rows of a variant. A new variant does not compile until it has some, and they must be in [`ROWS`].
fn rows_of(ask: &Ask) -> &'static [&'static str] {
    match ask {
        Ask::Approve { .. } => &ROWS[0..5],
        Ask::Unapprove { .. } => &ROWS[5..9],
        Ask::Reject { .. } => &ROWS[9..10],
        Ask::Revise { .. } => &ROWS[10..11],
        Ask::Amend { .. } => &ROWS[11..14],
        Ask::Respond { .. } => &ROWS[14..15],
        Ask::Hold { .. } => &ROWS[15..16],
        Ask::Unhold => &ROWS[16..17],
        Ask::Retry { variant: None } => &ROWS[17..18],
        Ask::Retry { variant: Some(_) } => &ROWS[23..24],
        Ask::Choose { .. } => &ROWS[22..23],
        Ask::Cancel { .. } => &ROWS[18..19],
        Ask::Answer { .. } => &ROWS[19..21],
        Ask::Skip { .. } => &ROWS[21..22],
    }
}

/// Who asks what in a row. Bob approved where something is approved.
fn asked(row: &str, run: &Run) -> Command {
    let [first, second, third] = versions_of(run);
    let shown_at = run
        .state
        .at(&"work".into())
        .pending
        .as_ref()
        .and_then(|pending| pending.shown_at);
    let amend = |base, proposal| Ask::Amend {
        base,
        proposal,
        change: "the third version".into(),
    };
    let approve = |named| Ask::Approve {
        named,
        reason: None,
        verdict: None,
    };
    let bare = |seconds| Named::OnTheCard(shown_at.unwrap_or(run.now) + TimeDelta::seconds(seconds));
    let text = || "because".to_owned();
    let of = |login: &str| Ask::Unapprove {
        of: Some(login.to_owned()),
    };
    let answer = |question| Ask::Answer { question, text: text() };
    let (login, right, ask) = match row {
        "approve, right prefix" => ("bob", Right::Write, approve(prefix(second.digest()))),
        "approve, wrong prefix" => ("bob", Right::Write, approve(Named::Prefix("0123456789ab".into()))),
        "approve, void prefix" => ("bob", Right::Write, approve(prefix(first.digest()))),
        "approve, bare settled" => ("bob", Right::Write, approve(bare(10))),
        "approve, bare 9 s" => ("bob", Right::Write, approve(bare(9))),
        "unapprove own" => ("bob", Right::Write, Ask::Unapprove { of: None }),
        "unapprove other's" => ("carol", Right::Write, Ask::Unapprove { of: None }),
        "unapprove, maintainer" => ("mia", Right::Maintain, of("Bob")),
        "unapprove, not theirs" => ("bob", Right::Write, of("carol")),
        "reject" => ("bob", Right::Write, Ask::Reject { reason: text() }),
        "revise" => ("bob", Right::Write, Ask::Revise { text: text() }),
        "amend" => ("bob", Right::Write, amend(second.digest(), third)),
        "amend, stale base" => ("bob", Right::Write, amend(first.digest(), third)),
        "amend, no change" => ("bob", Right::Write, amend(second.digest(), second)),
        "respond" => ("bob", Right::Write, Ask::Respond { proposal: third }),
        "hold" => ("bob", Right::Write, Ask::Hold { reason: text() }),
        "unhold" => ("bob", Right::Write, Ask::Unhold),
        "retry" => ("bob", Right::Write, Ask::Retry { variant: None }),
        "cancel" => ("bob", Right::Write, Ask::Cancel { reason: text() }),
        "answer" => ("bob", Right::Write, answer(1)),
        "answer, no such question" => ("bob", Right::Write, answer(9)),
        "skip" => ("bob", Right::Write, Ask::Skip { reason: text() }),
        "choose" => {
            let variant = Letter::read("B").expect("a letter");
            let named = prefix(second.digest());
            let reason = None;
            ("bob", Right::Write, Ask::Choose { variant, named, reason })
        }
        "retry, a variant" => (
            "bob",
            Right::Write,
            Ask::Retry {
                variant: Letter::read("B"),
            },
        ),
        other => panic!("no such row: {other}"),
    };
    assert!(rows_of(&ask).contains(&row), "{row} is a row of what it asks");
    Command::Person(authority(login, right, run.now), ask)
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
        let run = &runs[column];
        cell(&run.verdict(&asked(row, run)))
    });
}

#[test]
fn a_place_is_at_the_status_that_it_is_named_after() {
    for status in PhaseStatus::ALL {
        assert_eq!(at(place(status)).status("work"), status);
    }
    let named: std::collections::BTreeSet<String> =
        PhaseStatus::ALL.iter().map(|status| format!("{status:?}")).collect();
    assert_eq!(named.len(), 9, "each status once");
}

#[test]
fn every_status_and_every_ask() {
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
    use Place::{ActFailed, ActInFlight, AtTheCap, HalfDone, PartlyDone, Unshown};
    check(Condition::Open, &[Unshown, PartlyDone, AtTheCap], SPECIAL_GATES);
    check(Condition::Open, &[ActInFlight, HalfDone, ActFailed], SPECIAL_ACTS);
    check(Condition::Open, &[Place::Asking], ASKING);
}

const OPEN_EARLY: &str = "
                      | Blocked         | Running         | WaitingForHuman       | ReadyForReview
approve, right prefix | NoOpenGate      | NoOpenGate      | NoOpenGate            | approved
approve, wrong prefix | NoOpenGate      | NoOpenGate      | NoOpenGate            | WrongDigest
approve, void prefix  | NoOpenGate      | NoOpenGate      | NoOpenGate            | WrongDigest(void)
approve, bare settled | NoOpenGate      | NoOpenGate      | NoOpenGate            | approved
approve, bare 9 s     | NoOpenGate      | NoOpenGate      | NoOpenGate            | ChangedJustNow
unapprove own         | NothingApproved | NothingApproved | NothingApproved       | NothingApproved
unapprove other's     | NothingApproved | NothingApproved | NothingApproved       | NothingApproved
unapprove, maintainer | NothingApproved | NothingApproved | NothingApproved       | NothingApproved
unapprove, not theirs | NothingApproved | NothingApproved | NothingApproved       | NothingApproved
reject                | NoOpenGate      | NoOpenGate      | NoOpenGate            | rejected
revise                | NoOpenGate      | NoOpenGate      | revised+phase_started | revised+phase_started
amend                 | NoOpenGate      | NoOpenGate      | NoOpenGate            | proposed
amend, stale base     | NoOpenGate      | NoOpenGate      | NoOpenGate            | Stale
amend, no change      | NoOpenGate      | NoOpenGate      | NoOpenGate            | NoChange
respond               | NoAnswerAwaited | NoAnswerAwaited | proposed              | NoAnswerAwaited
hold                  | held            | held            | held                  | held
unhold                | NotHeld         | NotHeld         | NotHeld               | NotHeld
retry                 | NothingToRetry  | NothingToRetry  | retried+phase_started | NothingToRetry
cancel                | cancelled       | cancelled       | cancelled             | cancelled
answer                | NothingAsked    | NothingAsked    | NothingAsked          | NothingAsked
answer, no such question| NothingAsked    | NothingAsked    | NothingAsked          | NothingAsked
skip                  | NothingAsked    | NothingAsked    | NothingAsked          | NothingAsked
choose                | NothingToChoose | NothingToChoose | NothingToChoose | NothingToChoose
retry, a variant      | NoSuchVariant | NoSuchVariant | NoSuchVariant | NoSuchVariant
";
const OPEN_LATE: &str = "
                      | Approved        | Rejected              | Error                 | Completed
approve, right prefix | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
approve, wrong prefix | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
approve, void prefix  | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
approve, bare settled | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
approve, bare 9 s     | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
unapprove own         | unapproved      | NothingApproved       | NothingApproved       | NothingApproved
unapprove other's     | NotYours        | NothingApproved       | NothingApproved       | NothingApproved
unapprove, maintainer | unapproved      | NothingApproved       | NothingApproved       | NothingApproved
unapprove, not theirs | NothingApproved | NothingApproved       | NothingApproved       | NothingApproved
reject                | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
revise                | NoOpenGate      | revised+phase_started | revised+phase_started | NoOpenGate
amend                 | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
amend, stale base     | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
amend, no change      | NoOpenGate      | NoOpenGate            | NoOpenGate            | NoOpenGate
respond               | NoAnswerAwaited | NoAnswerAwaited       | proposed              | NoAnswerAwaited
hold                  | held            | held                  | held                  | held
unhold                | NotHeld         | NotHeld               | NotHeld               | NotHeld
retry                 | NothingToRetry  | retried+phase_started | retried+phase_started | NothingToRetry
cancel                | cancelled       | cancelled             | cancelled             | cancelled
answer                | NothingAsked    | NothingAsked          | NothingAsked          | NothingAsked
answer, no such question| NothingAsked    | NothingAsked          | NothingAsked          | NothingAsked
skip                  | NothingAsked    | NothingAsked          | NothingAsked          | NothingAsked
choose                | NothingToChoose | NothingToChoose | NothingToChoose | NothingToChoose
retry, a variant      | NoSuchVariant | NoSuchVariant | NoSuchVariant | NoSuchVariant
";
const HELD_EARLY: &str = "
                      | Blocked         | Running         | WaitingForHuman | ReadyForReview
approve, right prefix | Held            | Held            | Held            | Held
approve, wrong prefix | Held            | Held            | Held            | Held
approve, void prefix  | Held            | Held            | Held            | Held
approve, bare settled | Held            | Held            | Held            | Held
approve, bare 9 s     | Held            | Held            | Held            | Held
unapprove own         | NothingApproved | NothingApproved | NothingApproved | NothingApproved
unapprove other's     | NothingApproved | NothingApproved | NothingApproved | NothingApproved
unapprove, maintainer | NothingApproved | NothingApproved | NothingApproved | NothingApproved
unapprove, not theirs | NothingApproved | NothingApproved | NothingApproved | NothingApproved
reject                | Held            | Held            | Held            | Held
revise                | Held            | Held            | Held            | Held
amend                 | Held            | Held            | Held            | Held
amend, stale base     | Held            | Held            | Held            | Held
amend, no change      | Held            | Held            | Held            | Held
respond               | Held            | Held            | Held            | Held
hold                  | Held            | Held            | Held            | Held
unhold                | unheld          | unheld          | unheld          | unheld
retry                 | Held            | Held            | Held            | Held
cancel                | cancelled       | cancelled       | cancelled       | cancelled
answer                | Held            | Held            | Held            | Held
answer, no such question| Held            | Held            | Held            | Held
skip                  | Held            | Held            | Held            | Held
choose                | Held | Held | Held | Held
retry, a variant      | Held | Held | Held | Held
";
const HELD_LATE: &str = "
                      | Approved        | Rejected        | Error           | Completed
approve, right prefix | Held            | Held            | Held            | Held
approve, wrong prefix | Held            | Held            | Held            | Held
approve, void prefix  | Held            | Held            | Held            | Held
approve, bare settled | Held            | Held            | Held            | Held
approve, bare 9 s     | Held            | Held            | Held            | Held
unapprove own         | unapproved      | NothingApproved | NothingApproved | NothingApproved
unapprove other's     | NotYours        | NothingApproved | NothingApproved | NothingApproved
unapprove, maintainer | unapproved      | NothingApproved | NothingApproved | NothingApproved
unapprove, not theirs | NothingApproved | NothingApproved | NothingApproved | NothingApproved
reject                | Held            | Held            | Held            | Held
revise                | Held            | Held            | Held            | Held
amend                 | Held            | Held            | Held            | Held
amend, stale base     | Held            | Held            | Held            | Held
amend, no change      | Held            | Held            | Held            | Held
respond               | Held            | Held            | Held            | Held
hold                  | Held            | Held            | Held            | Held
unhold                | unheld          | unheld          | unheld          | unheld
retry                 | Held            | Held            | Held            | Held
cancel                | cancelled       | cancelled       | cancelled       | cancelled
answer                | Held            | Held            | Held            | Held
answer, no such question| Held            | Held            | Held            | Held
skip                  | Held            | Held            | Held            | Held
choose                | Held | Held | Held | Held
retry, a variant      | Held | Held | Held | Held
";
const OVER_EARLY: &str = "
                      | Blocked | Running | WaitingForHuman | ReadyForReview
approve, right prefix | Over    | Over    | Over            | Over
approve, wrong prefix | Over    | Over    | Over            | Over
approve, void prefix  | Over    | Over    | Over            | Over
approve, bare settled | Over    | Over    | Over            | Over
approve, bare 9 s     | Over    | Over    | Over            | Over
unapprove own         | Over    | Over    | Over            | Over
unapprove other's     | Over    | Over    | Over            | Over
unapprove, maintainer | Over    | Over    | Over            | Over
unapprove, not theirs | Over    | Over    | Over            | Over
reject                | Over    | Over    | Over            | Over
revise                | Over    | Over    | Over            | Over
amend                 | Over    | Over    | Over            | Over
amend, stale base     | Over    | Over    | Over            | Over
amend, no change      | Over    | Over    | Over            | Over
respond               | Over    | Over    | Over            | Over
hold                  | Over    | Over    | Over            | Over
unhold                | Over    | Over    | Over            | Over
retry                 | Over    | Over    | Over            | Over
cancel                | Over    | Over    | Over            | Over
answer                | Over    | Over    | Over            | Over
answer, no such question| Over    | Over    | Over            | Over
skip                  | Over    | Over    | Over            | Over
choose                | Over | Over | Over | Over
retry, a variant      | Over | Over | Over | Over
";
const OVER_LATE: &str = "
                      | Approved | Rejected | Error | Completed
approve, right prefix | Over     | Over     | Over  | Over
approve, wrong prefix | Over     | Over     | Over  | Over
approve, void prefix  | Over     | Over     | Over  | Over
approve, bare settled | Over     | Over     | Over  | Over
approve, bare 9 s     | Over     | Over     | Over  | Over
unapprove own         | Over     | Over     | Over  | Over
unapprove other's     | Over     | Over     | Over  | Over
unapprove, maintainer | Over     | Over     | Over  | Over
unapprove, not theirs | Over     | Over     | Over  | Over
reject                | Over     | Over     | Over  | Over
revise                | Over     | Over     | Over  | Over
amend                 | Over     | Over     | Over  | Over
amend, stale base     | Over     | Over     | Over  | Over
amend, no change      | Over     | Over     | Over  | Over
respond               | Over     | Over     | Over  | Over
hold                  | Over     | Over     | Over  | Over
unhold                | Over     | Over     | Over  | Over
retry                 | Over     | Over     | Over  | Over
cancel                | Over     | Over     | Over  | Over
answer                | Over     | Over     | Over  | Over
answer, no such question| Over     | Over     | Over  | Over
skip                  | Over     | Over     | Over  | Over
choose                | Over | Over | Over | Over
retry, a variant      | Over | Over | Over | Over
";
const OPEN_DRAFT: &str = "
                      | Draft
approve, right prefix | approved
approve, wrong prefix | WrongDigest
approve, void prefix  | WrongDigest(void)
approve, bare settled | approved
approve, bare 9 s     | ChangedJustNow
unapprove own         | NothingApproved
unapprove other's     | NothingApproved
unapprove, maintainer | NothingApproved
unapprove, not theirs | NothingApproved
reject                | PromptAtTheGate
revise                | revised+phase_started
amend                 | proposed
amend, stale base     | Stale
amend, no change      | NoChange
respond               | NoAnswerAwaited
hold                  | held
unhold                | NotHeld
retry                 | NothingToRetry
cancel                | cancelled
answer                | NothingAsked
answer, no such question| NothingAsked
skip                  | NothingAsked
choose                | NothingToChoose
retry, a variant      | NoSuchVariant
";
const HELD_DRAFT: &str = "
                      | Draft
approve, right prefix | Held
approve, wrong prefix | Held
approve, void prefix  | Held
approve, bare settled | Held
approve, bare 9 s     | Held
unapprove own         | NothingApproved
unapprove other's     | NothingApproved
unapprove, maintainer | NothingApproved
unapprove, not theirs | NothingApproved
reject                | Held
revise                | Held
amend                 | Held
amend, stale base     | Held
amend, no change      | Held
respond               | Held
hold                  | Held
unhold                | unheld
retry                 | Held
cancel                | cancelled
answer                | Held
answer, no such question| Held
skip                  | Held
choose                | Held
retry, a variant      | Held
";
const OVER_DRAFT: &str = "
                      | Draft
approve, right prefix | Over
approve, wrong prefix | Over
approve, void prefix  | Over
approve, bare settled | Over
approve, bare 9 s     | Over
unapprove own         | Over
unapprove other's     | Over
unapprove, maintainer | Over
unapprove, not theirs | Over
reject                | Over
revise                | Over
amend                 | Over
amend, stale base     | Over
amend, no change      | Over
respond               | Over
hold                  | Over
unhold                | Over
retry                 | Over
cancel                | Over
answer                | Over
answer, no such question| Over
skip                  | Over
choose                | Over
retry, a variant      | Over
";
const SPECIAL_GATES: &str = "
                      | Unshown               | PartlyDone        | AtTheCap
approve, right prefix | NotShownYet           | approved          | NoOpenGate
approve, wrong prefix | WrongDigest           | WrongDigest       | NoOpenGate
approve, void prefix  | WrongDigest(void)     | WrongDigest(void) | NoOpenGate
approve, bare settled | NotShownYet           | approved          | NoOpenGate
approve, bare 9 s     | NotShownYet           | ChangedJustNow    | NoOpenGate
unapprove own         | NothingApproved       | NothingApproved   | NothingApproved
unapprove other's     | NothingApproved       | NothingApproved   | NothingApproved
unapprove, maintainer | NothingApproved       | NothingApproved   | NothingApproved
unapprove, not theirs | NothingApproved       | NothingApproved   | NothingApproved
reject                | rejected              | PartlyDone        | NoOpenGate
revise                | revised+phase_started | PartlyDone        | CapReached
amend                 | proposed              | PartlyDone        | NoOpenGate
amend, stale base     | Stale                 | PartlyDone        | NoOpenGate
amend, no change      | NoChange              | PartlyDone        | NoOpenGate
respond               | NoAnswerAwaited       | NoAnswerAwaited   | NoAnswerAwaited
hold                  | held                  | held              | held
unhold                | NotHeld               | NotHeld           | NotHeld
retry                 | NothingToRetry        | NothingToRetry    | CapReached
cancel                | cancelled             | cancelled         | cancelled
answer                | NothingAsked          | NothingAsked      | NothingAsked
answer, no such question| NothingAsked          | NothingAsked      | NothingAsked
skip                  | NothingAsked          | NothingAsked      | NothingAsked
choose                | NothingToChoose | NothingToChoose | NothingToChoose
retry, a variant      | NoSuchVariant | NoSuchVariant | NoSuchVariant
";
const SPECIAL_ACTS: &str = "
                      | ActInFlight     | HalfDone        | ActFailed
approve, right prefix | NoOpenGate      | NoOpenGate      | NoOpenGate
approve, wrong prefix | NoOpenGate      | NoOpenGate      | NoOpenGate
approve, void prefix  | NoOpenGate      | NoOpenGate      | NoOpenGate
approve, bare settled | NoOpenGate      | NoOpenGate      | NoOpenGate
approve, bare 9 s     | NoOpenGate      | NoOpenGate      | NoOpenGate
unapprove own         | TooLate         | TooLate         | unapproved
unapprove other's     | NotYours        | NotYours        | NotYours
unapprove, maintainer | TooLate         | TooLate         | unapproved
unapprove, not theirs | NothingApproved | NothingApproved | NothingApproved
reject                | NoOpenGate      | NoOpenGate      | NoOpenGate
revise                | NoOpenGate      | NoOpenGate      | NoOpenGate
amend                 | NoOpenGate      | NoOpenGate      | NoOpenGate
amend, stale base     | NoOpenGate      | NoOpenGate      | NoOpenGate
amend, no change      | NoOpenGate      | NoOpenGate      | NoOpenGate
respond               | NoAnswerAwaited | NoAnswerAwaited | NoAnswerAwaited
hold                  | held            | held            | held
unhold                | NotHeld         | NotHeld         | NotHeld
retry                 | NothingToRetry  | NothingToRetry  | retried+acts_started
cancel                | cancelled       | cancelled       | cancelled
answer                | NothingAsked    | NothingAsked    | NothingAsked
answer, no such question| NothingAsked    | NothingAsked    | NothingAsked
skip                  | NothingAsked    | NothingAsked    | NothingAsked
choose                | NothingToChoose | NothingToChoose | NothingToChoose
retry, a variant      | NoSuchVariant | NoSuchVariant | NoSuchVariant
";
const ASKING: &str = "
                      | Asking
approve, right prefix | NoOpenGate
approve, wrong prefix | NoOpenGate
approve, void prefix  | NoOpenGate
approve, bare settled | NoOpenGate
approve, bare 9 s     | NoOpenGate
unapprove own         | NothingApproved
unapprove other's     | NothingApproved
unapprove, maintainer | NothingApproved
unapprove, not theirs | NothingApproved
reject                | NoOpenGate
revise                | NoOpenGate
amend                 | NoOpenGate
amend, stale base     | NoOpenGate
amend, no change      | NoOpenGate
respond               | NoAnswerAwaited
hold                  | held
unhold                | NotHeld
retry                 | NothingToRetry
cancel                | cancelled
answer                | answered
answer, no such question | NoSuchQuestion
skip                  | skipped+phase_completed+phase_started
choose                | NothingToChoose
retry, a variant      | NoSuchVariant
";
