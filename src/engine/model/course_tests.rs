//! The course of a run as a table: calls so far, and what is done next.

use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::agents::ProblemKind;
use crate::config::{Dialect, EndpointName, StructuredOutput};
use crate::store::calls::CountedBy;
use crate::workflow::budget::{Spend, Usage};

/// Seconds after the run began, of an hour that it has.
fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    start + TimeDelta::seconds(seconds)
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: EndpointName::parse(name).unwrap(),
        dialect: Dialect::OpenAi,
        base_url: "http://127.0.0.1:9/v1".parse().unwrap(),
        model: "m".to_owned(),
        key_env: Some("THE_KEY".to_owned()),
        key: None,
        structured_output: StructuredOutput::Schema,
        max_output_tokens: 4_000,
        timeout: Duration::from_secs(60),
        price: None,
        context_tokens: 100_000,
        concurrency: 4,
        failover: Vec::new(),
        repositories: Vec::new(),
    }
}

fn call(endpoint: &str, turn: Turn, end: CallEnd) -> Call {
    Call {
        above: Vec::new(),
        id: String::new(),
        run: String::new(),
        number: 1,
        workflow: String::new(),
        repository: 7,
        person: 3,
        day: "2026-11-20".to_owned(),
        endpoint: endpoint.to_owned(),
        model: "m".to_owned(),
        currency: "USD".to_owned(),
        turn,
        asked: String::new(),
        end,
        reserved: Spend::default(),
        spent: Spend::default(),
        started_at: at(0),
        ended_at: Some(at(0)),
    }
}

/// One call in words: `one busy 60` (may be asked again at 60 seconds), `one key`, `one lost`, `one says good`,
/// `one cut`, `one declines`; `repair` in front for the second turn.
fn read(words: &str) -> Call {
    let (turn, words) = match words.strip_prefix("repair ") {
        Some(rest) => (Turn::Repair, rest),
        None => (Turn::First, words),
    };
    let (name, what) = words.split_once(' ').unwrap();
    let failed = |kind, seconds| {
        CallEnd::Failed(Failed {
            kind,
            said: "its words".to_owned(),
            retry_at: at(seconds),
        })
    };
    let answered = |text: &str, finish| {
        CallEnd::Answered(Answered {
            text: text.to_owned(),
            finish,
            declined: String::new(),
            usage: Usage::default(),
            counted_by: CountedBy::Us,
            model: None,
        })
    };
    let end = match what.split_once(' ').unwrap_or((what, "")) {
        ("busy", seconds) => failed(FailureKind::Busy, seconds.parse().unwrap()),
        ("key", _) => failed(FailureKind::KeyRefused, 5),
        ("gone", _) => failed(FailureKind::NotThere, 5),
        ("refused", _) => failed(FailureKind::RequestRefused, 5),
        ("page", _) => failed(FailureKind::NotTheDialect, 5),
        ("lost", _) => CallEnd::Lost,
        ("cut", _) => answered("good", Finish::Truncated),
        ("declines", _) => answered("good", Finish::Declined),
        ("says", text) => answered(text, Finish::Complete),
        other => panic!("{other:?}"),
    };
    call(name, turn, end)
}

/// An answer is what it is called.
fn judge(text: &str) -> Result<Draft, Vec<Problem>> {
    let kinds: &[ProblemKind] = match text {
        "good" => {
            return Ok(Draft {
                artifact: serde_json::Value::Null,
                acts: Vec::new(),
                notes: Vec::new(),
                planned: Vec::new(),
            });
        }
        "rule" => &[ProblemKind::Rule],
        "limit" => &[ProblemKind::Rule, ProblemKind::Limit],
        "withheld" => &[ProblemKind::Withheld, ProblemKind::Shape],
        _ => &[ProblemKind::Shape],
    };
    let problem = |kind: &ProblemKind| Problem {
        kind: *kind,
        at: String::new(),
        text: format!("a {kind:?} problem"),
    };
    Err(kinds.iter().map(problem).collect())
}

/// What is done next at so many seconds, in words.
fn after(seconds: i64, calls: &[&str], candidates: &[Candidate<'_>]) -> String {
    let calls: Vec<Call> = calls.iter().map(|words| read(words)).collect();
    let times = Times {
        now: at(seconds),
        deadline: at(3_600),
    };
    match next(&calls, candidates, times, judge) {
        Next::Take(_) => "take".to_owned(),
        Next::Ask { endpoint, turn } => match turn {
            NextTurn::First => format!("ask {}", endpoint.name),
            NextTurn::Repair { answer, problems } => {
                format!("repair {} of {answer:?}, {} wrong", endpoint.name, problems.len())
            }
        },
        Next::Wait { until, why } => {
            assert!(why.ends_with(": its words"), "{why}");
            format!("wait to {}", (until - at(0)).num_seconds())
        }
        Next::NeedsPerson(Why::Unusable(sentences)) => format!("person: {}", sentences.join(", ")),
        Next::NeedsPerson(Why::Model { endpoint, trouble }) => {
            let word = match trouble {
                ModelTrouble::NotOffered => "not offered".to_owned(),
                ModelTrouble::KeyMissing { variable } => format!("no {variable}"),
                ModelTrouble::KeyRefused { variable, .. } => format!("refuses {}", variable.unwrap()),
                ModelTrouble::NotThere { model, .. } => format!("no model {model}"),
                ModelTrouble::NotTheDialect { .. } => "no dialect".to_owned(),
                ModelTrouble::RequestRefused { .. } => "refused".to_owned(),
                ModelTrouble::Declined { .. } => "declined".to_owned(),
                ModelTrouble::Truncated { most } => format!("cut at {most}"),
                ModelTrouble::GaveUp { calls, said } => format!("gave up after {calls}: {said}"),
                ModelTrouble::ContextTooSmall { .. } => "too small".to_owned(),
            };
            format!("person: {endpoint} {word}")
        }
        Next::NeedsPerson(why) => panic!("{why:?}"),
    }
}

type Row = (i64, &'static [&'static str], &'static str);

fn hold(rows: &[Row], candidates: &[Candidate<'_>]) {
    for (seconds, calls, expected) in rows {
        assert_eq!(
            &after(*seconds, calls, candidates),
            expected,
            "at {seconds} after {calls:?}"
        );
    }
}

#[test]
fn one_endpoint_alone() {
    let one = endpoint("one");
    let candidates = [Candidate {
        name: "one",
        endpoint: Ok(&one),
    }];
    let rows: &[Row] = &[
        (0, &[], "ask one"),
        // The first call is made however late it is: nothing was tried yet.
        (9_000, &[], "ask one"),
        (0, &["one busy 60"], "wait to 60"),
        (60, &["one busy 60"], "ask one"),
        (60, &["one busy 3600"], "wait to 3600"),
        (60, &["one busy 3601"], "person: one gave up after 1: its words"),
        (3_601, &["one busy 60"], "person: one gave up after 1: its words"),
        (60, &["one busy 5", "one busy 70"], "wait to 70"),
        (70, &["one busy 5", "one busy 20", "one busy 70"], "ask one"),
        (1, &["one key"], "person: one refuses THE_KEY"),
        (1, &["one gone"], "person: one no model m"),
        (1, &["one refused"], "person: one refused"),
        (1, &["one page"], "person: one no dialect"),
        (1, &["one lost"], "ask one"),
        (1, &["one lost", "one lost", "one lost"], "ask one"),
        (1, &["one busy 60", "one lost"], "wait to 60"),
        (
            3_601,
            &["one lost"],
            "person: one gave up after 1: the time for this run is over",
        ),
        (1, &["one says good"], "take"),
        // What was paid for is taken, however late.
        (9_000, &["one busy 5", "one says good"], "take"),
        (1, &["one says shape"], "repair one of \"shape\", 1 wrong"),
        (1, &["one says rule"], "repair one of \"rule\", 1 wrong"),
        (1, &["one says "], "repair one of \"\", 1 wrong"),
        (1, &["one says limit"], "person: a Rule problem, a Limit problem"),
        (1, &["one says withheld"], "person: a Withheld problem, a Shape problem"),
        (1, &["one cut"], "person: one cut at 4000"),
        (1, &["one declines"], "person: one declined"),
        (1, &["one says shape", "repair one says good"], "take"),
        (1, &["one says shape", "repair one says rule"], "person: a Rule problem"),
        (1, &["one says shape", "repair one cut"], "person: one cut at 4000"),
        (1, &["one says shape", "repair one declines"], "person: one declined"),
        (1, &["one says shape", "repair one busy 60"], "wait to 60"),
        (
            60,
            &["one says shape", "repair one busy 60"],
            "repair one of \"shape\", 1 wrong",
        ),
        (
            60,
            &["one says shape", "repair one lost"],
            "repair one of \"shape\", 1 wrong",
        ),
        (60, &["one says shape", "repair one key"], "person: one refuses THE_KEY"),
        (
            4_000,
            &["one says shape"],
            "person: one gave up after 1: the time for this run is over",
        ),
    ];
    hold(rows, &candidates);
}

#[test]
fn another_endpoint_that_is_listed_for_it() {
    let (one, two) = (endpoint("one"), endpoint("two"));
    let candidates = [
        Candidate {
            name: "one",
            endpoint: Ok(&one),
        },
        Candidate {
            name: "two",
            endpoint: Ok(&two),
        },
    ];
    let rows: &[Row] = &[
        (0, &[], "ask one"),
        (1, &["one busy 60"], "wait to 60"),
        (1, &["one busy 60", "one busy 90"], "ask two"),
        // A limit that outlasts the run leaves no second try to wait for.
        (1, &["one busy 7200"], "ask two"),
        (1, &["one busy 7200", "two busy 60"], "wait to 60"),
        (60, &["one busy 7200", "two busy 60"], "ask two"),
        (60, &["one busy 7200", "two busy 5", "two busy 60"], "ask two"),
        (
            1,
            &["one busy 7200", "two busy 7200"],
            "person: one gave up after 2: its words",
        ),
        (1, &["one lost", "one lost"], "ask one"),
        (1, &["one key"], "ask two"),
        (1, &["one gone", "two busy 60"], "wait to 60"),
        (1, &["one gone", "two page"], "person: one no model m"),
        (1, &["one busy 9", "one busy 9", "two key"], "wait to 9"),
        (9, &["one busy 9", "one busy 9", "two key"], "ask one"),
        (
            30,
            &["one busy 9", "one busy 9", "two busy 9", "two busy 9", "one busy 99"],
            "ask two",
        ),
        (1, &["one gone", "two says good"], "take"),
        // Who answered is asked to correct it, and what was wrong for good before stays wrong.
        (1, &["one gone", "two says rule"], "repair two of \"rule\", 1 wrong"),
        (
            1,
            &["one busy 9", "one busy 9", "two says rule"],
            "repair two of \"rule\", 1 wrong",
        ),
        (
            9,
            &[
                "one busy 9",
                "one busy 9",
                "two says rule",
                "repair two busy 9",
                "repair two busy 9",
            ],
            "repair one of \"rule\", 1 wrong",
        ),
        (
            9,
            &["one gone", "two says rule", "repair two busy 9", "repair two busy 9"],
            "repair two of \"rule\", 1 wrong",
        ),
        (
            1,
            &["one says rule", "repair one key"],
            "repair two of \"rule\", 1 wrong",
        ),
        (1, &["one says rule", "repair one key", "repair two says good"], "take"),
    ];
    hold(rows, &candidates);
}

#[test]
fn endpoints_that_cannot_be_asked_at_all() {
    let two = endpoint("two");
    let missing = || {
        Err(ModelTrouble::KeyMissing {
            variable: "THE_KEY".to_owned(),
        })
    };
    let first = Candidate {
        name: "one",
        endpoint: missing(),
    };
    let second = Candidate {
        name: "two",
        endpoint: Err(ModelTrouble::NotOffered),
    };
    // The one that the repository names is the one that people are told of.
    assert_eq!(after(0, &[], &[first, second]), "person: one no THE_KEY");
    let candidates = [
        Candidate {
            name: "one",
            endpoint: missing(),
        },
        Candidate {
            name: "two",
            endpoint: Ok(&two),
        },
    ];
    hold(
        &[(0, &[], "ask two"), (1, &["two page"], "person: one no THE_KEY")],
        &candidates,
    );
    assert_eq!(
        next(
            &[],
            &[],
            Times {
                now: at(0),
                deadline: at(1)
            },
            judge
        ),
        Next::NeedsPerson(Why::Failed("no model endpoint is configured".to_owned()))
    );
}
