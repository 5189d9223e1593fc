//! Inputs for tests.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::{Entry, Limits, Mailing, OpenedTask, Thread};
use crate::workflow::state::SubjectKind;

/// A Friday.
pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

fn noon() -> DateTime<Utc> {
    today().and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// A thread of `alice/shop#7` in which these people wrote these texts; the first is the issue's own.
pub fn thread(entries: &[(&str, &str)]) -> Thread {
    let entries: Vec<Entry> = entries
        .iter()
        .enumerate()
        .map(|(at, (author, text))| Entry {
            comment_id: at as u64 * 100,
            author: (*author).to_owned(),
            url: format!("https://github.test/alice/shop/issues/7#c{}", at * 100),
            created_at: noon(),
            text: (*text).to_owned(),
        })
        .collect();
    Thread {
        repository: "alice/shop".into(),
        kind: SubjectKind::Issue,
        number: 7,
        title: "Login is slow".into(),
        url: "https://github.test/alice/shop/issues/7".into(),
        private: false,
        entries,
        left_out: Vec::new(),
        participants: vec!["alice".into(), "bob".into(), "Carol".into()],
        assignable: Some(["alice".to_owned(), "dave".to_owned()].into()),
        labels: vec!["bug".into(), "Docs".into(), "countersign:approve".into()],
        today: today(),
        earlier: Vec::new(),
        steer: Vec::new(),
        limits: Limits { tasks: 50 },
        notes: Vec::new(),
    }
}

/// One task of an answer, quoting `quote` out of comment 0.
pub fn proposed(key: &str, title: &str, quote: &str) -> Value {
    json!({
        "key": key, "title": title, "body": "", "acceptance_criteria": [], "assignee": null, "labels": [],
        "priority": null, "estimate": null, "due_date": null, "depends_on": [],
        "sources": [{"comment_id": 0, "quote": quote}], "confidence": "high",
    })
}

/// An answer with these tasks.
pub fn answer(tasks: &[Value]) -> String {
    json!({"tasks": tasks, "rejected": [], "questions": []}).to_string()
}

/// A mailing about two opened issues.
pub fn mailing() -> Mailing {
    let opened = |key: &str, title: &str, number| OpenedTask {
        key: key.into(),
        title: title.into(),
        number,
        url: format!("https://github.test/alice/shop/issues/{number}"),
        assignee: None,
        due_date: None,
        priority: None,
    };
    Mailing {
        repository: "alice/shop".into(),
        number: 7,
        title: "Login is slow".into(),
        url: "https://github.test/alice/shop/issues/7".into(),
        tasks: vec![
            OpenedTask {
                assignee: Some("bob".into()),
                due_date: Some(today()),
                ..opened("t1", "Write the runbook", 8)
            },
            opened("t3", "Limit <b>logins</b> & retries", 9),
        ],
        to: vec!["team@example.org".into()],
        cc: Vec::new(),
        steer: Vec::new(),
        today: today(),
        private: false,
        notes: Vec::new(),
    }
}
