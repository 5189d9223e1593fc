//! What is told of a workflow outside of GitHub: each thing once, and nobody's words.

use serde_json::Value;

use super::super::awaits::Awaits;
use super::super::command::{Ask, Report, RunResult};
use super::super::event::Event;
use super::super::notification::{Kind, Notification, Standing, notifications, stuck};
use super::super::right::Right;
use super::super::state::{ActOutcome, PhaseStatus, Why};
use super::super::why::WhyKind;
use super::story::{approve, at_the_gate, deliver, deliver_with, expire, lost, mail, tasks};
use super::{Run, key, opened, questions};

/// What is told of a step.
fn told(run: &mut Run, step: impl FnOnce(&mut Run)) -> Vec<Notification> {
    let before = run.history.len();
    step(run);
    let events: Vec<Event> = run.history[before..].iter().map(|(event, _)| event.clone()).collect();
    notifications(&run.state, &events, &run.intents, run.now)
}

/// The same in few words.
fn words(told: &[Notification]) -> Vec<String> {
    let word = |one: &Notification| match &one.phase {
        Some(phase) => format!("{} {}", one.kind.as_str(), phase.id),
        None => one.kind.as_str().to_owned(),
    };
    told.iter().map(word).collect()
}

/// The one thing that is told of a step.
fn one(run: &mut Run, step: impl FnOnce(&mut Run)) -> Notification {
    let mut told = told(run, step);
    assert_eq!(told.len(), 1, "{:?}", words(&told));
    told.remove(0)
}

fn amend(run: &mut Run, base: &str, next: &str) {
    let amend = Ask::Amend {
        base: tasks(base).digest(),
        proposal: tasks(next),
        change: next.into(),
    };
    run.asks("alice", Right::Write, amend);
}

#[test]
fn from_the_start_to_the_end_each_turn_of_people_is_told() {
    let mut run = deliver();
    let events: Vec<Event> = run.history.iter().map(|(event, _)| event.clone()).collect();
    let begun = notifications(&run.state, &events, &run.intents, run.now);
    assert_eq!(words(&begun), ["started"]);
    assert_eq!((begun[0].standing, &begun[0].waits_for), (Standing::Open, &None));

    let made = told(&mut run, |run| drop(run.proposes(&tasks("a"))));
    assert!(
        words(&made).is_empty(),
        "nobody can act on what is not shown: {:?}",
        words(&made)
    );
    let waiting = one(&mut run, |run| drop(run.shown("extract", tasks("a").digest())));
    assert_eq!(waiting.kind, Kind::Waiting);
    let phase = waiting.phase.unwrap();
    assert_eq!(phase.digest, Some(tasks("a").digest().short()));
    assert_eq!((phase.status, phase.iteration), (PhaseStatus::ReadyForReview, 1));
    let Some(Awaits::Approval { phase, right, .. }) = waiting.waits_for else {
        panic!("{:?}", waiting.waits_for)
    };
    assert_eq!((phase.as_str(), right), ("extract", Right::Write));

    run.later(chrono::TimeDelta::seconds(30));
    let approved = told(&mut run, |run| {
        run.asks("bob", Right::Write, approve(&tasks("a")));
    });
    assert_eq!(words(&approved), ["approved extract"]);
    assert_eq!(
        approved[0].phase.as_ref().unwrap().digest,
        Some(tasks("a").digest().short())
    );
    for (name, outcome) in [
        ("label", ActOutcome::LabelReady),
        ("issue:1", opened(8)),
        ("issue:2", opened(9)),
    ] {
        let done = told(&mut run, |run| drop(run.act_ended("tickets", name, outcome)));
        assert!(words(&done).is_empty(), "an act is no news: {:?}", words(&done));
    }
    run.proposes(&mail());
    let waiting = one(&mut run, |run| drop(run.shown("email", mail().digest())));
    assert_eq!(waiting.phase.unwrap().id.as_str(), "email");
    run.later(chrono::TimeDelta::seconds(30));
    run.asks("bob", Right::Write, approve(&mail()));
    let ended = told(&mut run, |run| {
        let outcome = ActOutcome::MailInDoubt {
            message_id: "<1@localhost>".into(),
            reason: "the line went dead".into(),
            sent: None,
        };
        run.act_ended("email", "mail", outcome);
    });
    assert_eq!(words(&ended), ["doubt email", "completed"]);
    assert!(ended.iter().all(|told| told.standing == Standing::Completed));
}

#[test]
fn what_people_change_at_a_gate_opens_it_no_second_time() {
    let mut run = deliver();
    run.proposes(&tasks("a"));
    let first = one(&mut run, |run| drop(run.shown("extract", tasks("a").digest())));
    let edited = told(&mut run, |run| amend(run, "a", "b"));
    assert!(words(&edited).is_empty());
    let again = one(&mut run, |run| drop(run.shown("extract", tasks("b").digest())));
    assert_eq!(first.key, again.key, "the same row of the outbox");

    // What was changed before it was ever shown is told when it is.
    let mut quick = deliver();
    quick.proposes(&tasks("a"));
    amend(&mut quick, "a", "b");
    let shown = one(&mut quick, |run| drop(run.shown("extract", tasks("b").digest())));
    assert_eq!(shown.key, first.key);
}

#[test]
fn a_gate_that_opens_again_and_each_reminder_is_told_anew() {
    let mut keys = std::collections::BTreeSet::new();
    let mut new = |notification: Notification| {
        assert_eq!(notification.kind, Kind::Waiting);
        assert!(
            keys.insert(notification.key.clone()),
            "{} came before",
            notification.key
        );
        notification
    };
    let mut run = deliver();
    run.proposes(&tasks("a"));
    new(one(&mut run, |run| drop(run.shown("extract", tasks("a").digest()))));
    run.later(chrono::TimeDelta::hours(168));
    let reminded = new(one(&mut run, |run| drop(run.reports(expire(run, 0)))));
    assert_eq!(reminded.phase.unwrap().reminders, 1);
    // Reminders begin anew with what people changed, and so does what is told of them.
    amend(&mut run, "a", "b");
    run.shown("extract", tasks("b").digest());
    run.later(chrono::TimeDelta::hours(168));
    new(one(&mut run, |run| drop(run.reports(expire(run, 0)))));

    run.later(chrono::TimeDelta::seconds(30));
    run.asks("bob", Right::Write, approve(&tasks("b")));
    new(one(&mut run, |run| {
        run.asks("bob", Right::Write, Ask::Unapprove { of: None });
    }));
    run.asks("bob", Right::Write, approve(&tasks("b")));
    new(one(&mut run, |run| {
        run.reports(lost("extract", tasks("b").digest()));
    }));
    let reason = "wait".to_owned();
    run.asks("bob", Right::Write, Ask::Hold { reason });
    let unheld = told(&mut run, |run| drop(run.asks("bob", Right::Write, Ask::Unhold)));
    assert_eq!(words(&unheld), ["unheld", "waiting extract"]);
    new(unheld.into_iter().next_back().unwrap());
    assert_eq!(keys.len(), 6);
}

#[test]
fn a_hold_a_rejection_a_stop_and_the_end_are_told_with_what_is_waited_for() {
    let mut run = at_the_gate(deliver());
    let reason = "wait".to_owned();
    let held = one(&mut run, |run| {
        run.asks("bob", Right::Write, Ask::Hold { reason });
    });
    assert_eq!(
        (held.kind, held.standing, held.waits_for),
        (Kind::Held, Standing::Held, Some(Awaits::Unhold))
    );
    run.asks("bob", Right::Write, Ask::Unhold);

    let reason = "no".to_owned();
    let rejected = one(&mut run, |run| {
        run.asks("bob", Right::Write, Ask::Reject { reason });
    });
    let phase = rejected.phase.unwrap();
    assert_eq!(rejected.kind, Kind::Rejected);
    assert_eq!(
        (phase.status, phase.digest),
        (PhaseStatus::Rejected, Some(tasks("a").digest().short())),
        "what was rejected, not what waits"
    );
    assert_eq!(
        rejected.waits_for,
        Some(Awaits::Revision {
            phase: "extract".into()
        })
    );

    run.asks("bob", Right::Write, Ask::Retry { variant: None });
    let manual = one(&mut run, |run| {
        run.ran("extract", RunResult::NeedsPerson(Why::ManualProvider));
    });
    assert_eq!(
        (manual.kind, manual.phase.unwrap().why),
        (Kind::Waiting, Some(WhyKind::ManualProvider))
    );
    assert_eq!(
        manual.waits_for,
        Some(Awaits::Answer {
            phases: vec!["extract".into()]
        })
    );

    run.asks("bob", Right::Write, Ask::Retry { variant: None });
    let failed = one(&mut run, |run| {
        run.ran("extract", RunResult::Failed(Why::Failed("broken".into())));
    });
    assert_eq!(
        (failed.kind, failed.phase.unwrap().why),
        (Kind::Failed, Some(WhyKind::Failed))
    );
    assert_eq!(
        failed.waits_for,
        Some(Awaits::Retry {
            phase: "extract".into()
        })
    );

    let still = stuck(&run.state, run.now);
    assert_eq!((still.kind, still.phase), (Kind::Stuck, None));
    let reason = "enough".to_owned();
    let cancelled = one(&mut run, |run| {
        run.asks("alice", Right::Write, Ask::Cancel { reason });
    });
    assert_eq!(
        (cancelled.kind, cancelled.standing, cancelled.waits_for),
        (Kind::Cancelled, Standing::Cancelled, None)
    );
}

#[test]
fn questions_are_told_by_their_numbers() {
    let mut run = questions::at_two_questions();
    let events: Vec<Event> = run.history.iter().map(|(event, _)| event.clone()).collect();
    let all = notifications(&run.state, &events, &run.intents, run.now);
    assert_eq!(words(&all), ["started", "waiting work"]);
    assert_eq!(
        all[1].waits_for,
        Some(Awaits::Answers {
            phase: "work".into(),
            questions: vec![1, 2]
        })
    );
    let answer = Ask::Answer {
        question: 1,
        text: "one".into(),
    };
    let answered = told(&mut run, |run| drop(run.asks("alice", Right::Write, answer)));
    assert!(words(&answered).is_empty(), "whoever answers knows the others");
}

#[test]
fn an_expiry_that_rejects_is_told_as_a_rejection() {
    let mut run = at_the_gate(deliver_with(&[("on_expiry: remind", "on_expiry: reject")]));
    run.later(chrono::TimeDelta::hours(168));
    let rejected = one(&mut run, |run| drop(run.reports(expire(run, 0))));
    assert_eq!(rejected.kind, Kind::Rejected);
}

/// Words of people, of agents and of servers in each place that takes some.
#[test]
fn nobodys_words_are_told() {
    const WORDS: &str = "pay-the-attacker";
    let mut all = Vec::new();
    let mut run = at_the_gate(deliver());
    let reason = || WORDS.to_owned();
    let say = |run: &mut Run, ask: Ask| told(run, |run| drop(run.asks("bob", Right::Write, ask)));
    all.extend(say(&mut run, Ask::Hold { reason: reason() }));
    all.extend(say(&mut run, Ask::Unhold));
    let named = super::prefix(tasks("a").digest());
    all.extend(say(
        &mut run,
        Ask::Approve {
            named,
            reason: Some(reason()),
            verdict: None,
        },
    ));
    all.extend(told(&mut run, |run| {
        run.reports(Report::ActFailed {
            phase: "tickets".into(),
            key: key("label"),
            why: reason(),
        });
    }));
    all.extend(say(&mut run, Ask::Retry { variant: None }));
    all.extend(told(&mut run, |run| {
        run.reports(Report::ApprovalLost {
            phase: "extract".into(),
            digest: tasks("a").digest(),
            why: reason(),
        });
    }));
    all.extend(say(&mut run, Ask::Reject { reason: reason() }));
    all.extend(say(&mut run, Ask::Retry { variant: None }));
    all.extend(told(&mut run, |run| {
        run.ran("extract", RunResult::NeedsPerson(Why::Unusable(vec![reason()])));
    }));
    all.extend(say(&mut run, Ask::Cancel { reason: reason() }));
    assert_eq!(
        words(&all),
        [
            "held",
            "unheld",
            "waiting extract",
            "approved extract",
            "failed tickets",
            "waiting extract",
            "rejected extract",
            "waiting extract",
            "cancelled"
        ]
    );
    let told = serde_json::to_string(&all).unwrap();
    for never in [WORDS, "bob", "alice", "Issue 8"] {
        assert!(!told.contains(never), "{never}: {told}");
    }
}

#[test]
fn a_kind_is_called_as_it_is_kept() {
    for kind in Kind::ALL {
        assert_eq!(
            serde_json::to_value(kind).unwrap(),
            Value::String(kind.as_str().to_owned())
        );
    }
}
