//! The mail of the rules: what was opened, in plain sentences; the host adds the table.

use serde_json::{Value, json};

use crate::agents::Mailing;

pub fn answer(mailing: &Mailing) -> Value {
    let opened = match mailing.tasks.len() {
        1 => "1 issue".to_owned(),
        count => format!("{count} issues"),
    };
    let items: Vec<Value> = mailing
        .tasks
        .iter()
        .map(|task| json!({"text": task.title, "ref": task.key}))
        .collect();
    let unassigned: Vec<Value> = mailing
        .tasks
        .iter()
        .filter(|task| task.assignee.is_none())
        .map(|task| json!({"text": format!("Who takes “{}”?", task.title), "ref": task.key}))
        .collect();
    let next = mailing.tasks.iter().filter_map(|task| task.due_date).min();
    let mut intro = format!(
        "{opened} came out of the discussion “{}” in {}, approved by people there.",
        mailing.title, mailing.repository
    );
    if let Some(next) = next {
        intro.push_str(&format!(" The first is due on {next}."));
    }
    json!({
        "subject": format!("{opened} opened from “{}”", mailing.title),
        "intro": intro,
        "items": items,
        "decisions_needed": unassigned,
        "withheld": [],
        "safe_to_send": true,
    })
}
