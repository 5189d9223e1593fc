use serde_json::{Value, json};

use super::*;

fn asked(turn: &str, schema: Option<Value>) -> Asked {
    Asked {
        dialect: Dialect::OpenAi,
        mode: Mode::Prompt,
        system: String::new(),
        user_turns: vec![turn.to_owned()],
        assistant_turns: vec![],
        schema_name: None,
        schema,
    }
}

fn answered(turn: &str) -> Value {
    serde_json::from_str(&script::answer(&asked(turn, None))).unwrap()
}

fn prompt(data: &Value, schema_name: &str) -> String {
    format!("Read.\n\n0123456789ab\n{data}\n0123456789ab\n\nOne JSON object by this schema ({schema_name}):\n")
}

#[test]
fn the_script_takes_on_what_lines_promise() {
    let data = json!([
        { "id": 0, "author": "alice", "created_at": "2026-11-01", "text": "Hello.\nI will write the guide. Soon." },
        { "id": 7, "author": "bob", "text": "Well, @carol will ask @dave for v1.2 now.\nTODO: tidy up\n- [ ] send it\nI'll help." },
    ]);
    let answer = answered(&prompt(&data, "tasks.v1"));
    let tasks: Vec<_> = answer["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            json!([
                task["key"],
                task["title"],
                task["assignee"],
                task["sources"][0]["comment_id"]
            ])
        })
        .collect();
    assert_eq!(
        tasks,
        [
            json!(["a", "Write the guide", "alice", 0]),
            json!(["b", "Ask dave for v1.2 now", "carol", 7]),
            json!(["c", "Tidy up", null, 7]),
            json!(["d", "Send it", null, 7]),
            json!(["e", "Help", "bob", 7]),
        ]
    );
    assert_eq!(
        answer["tasks"][0]["sources"][0]["quote"],
        "I will write the guide. Soon."
    );
}

#[test]
fn the_script_lists_issues_for_a_mail_and_knows_nothing_else() {
    let data = json!([{ "ref": "r1", "title": "One (tasks.v1)", "assignee": null, "due_date": null }]);
    let answer = answered(&prompt(&data, "email.v1"));
    assert_eq!(answer["subject"], "What was decided: 1 issue");
    assert_eq!(answer["items"], json!([{ "ref": "r1", "text": "One (tasks.v1)" }]));
    assert_eq!(answered(&prompt(&data, "plan.v1")), json!({}));
    assert_eq!(answered("hello"), json!({}));
}

#[test]
fn a_schema_says_what_is_asked_before_any_word_does() {
    let schema = json!({ "type": "object", "properties": { "tasks": {} } });
    let answer = script::answer(&asked(&prompt(&json!([]), "email.v1"), Some(schema)));
    assert_eq!(
        answer,
        json!({ "tasks": [], "rejected": [], "questions": [] }).to_string()
    );
}
