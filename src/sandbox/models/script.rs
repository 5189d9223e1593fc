//! What the server answers when nothing was prepared: fixed rules that read the data block of a prompt.
//!
//! The block stands in a user's turn between two equal lines of twelve hexadecimal digits. It is a row of JSON texts, of
//! which the first array is read.

use serde_json::{Value, json};

use super::Asked;

/// Characters of a title.
const TITLE: usize = 120;

pub(super) fn answer(asked: &Asked) -> String {
    let data = asked.user_turns.iter().find_map(|turn| block(turn)).unwrap_or_default();
    let answer = match kind(asked) {
        Kind::Tasks => tasks(&data),
        Kind::Mail => mail(&data),
        Kind::Connection => json!({ "works": true, "word": "countersign" }),
        Kind::Other => json!({}),
    };
    answer.to_string()
}

enum Kind {
    Tasks,
    Mail,
    /// The question whether a connection works.
    Connection,
    Other,
}

/// By the schema that was sent; where none was, by the name that the prompt gives.
fn kind(asked: &Asked) -> Kind {
    let (is_tasks, is_mail) = match &asked.schema {
        Some(schema) => {
            let has = |key: &str| schema["properties"].get(key).is_some();
            if has("works") && has("word") {
                return Kind::Connection;
            }
            (has("tasks"), has("subject") && has("items"))
        }
        None => {
            let named = |name: &str| {
                asked.system.contains(name) || asked.user_turns.iter().any(|turn| around(turn).contains(name))
            };
            (named("tasks.v1"), named("email.v1"))
        }
    };
    match (is_tasks, is_mail) {
        (true, _) => Kind::Tasks,
        (false, true) => Kind::Mail,
        (false, false) => Kind::Other,
    }
}

/// Where the data block stands in a turn.
fn bounds(turn: &str) -> Option<(usize, usize, usize)> {
    let lines: Vec<&str> = turn.lines().collect();
    let is_fence = |line: &str| line.len() == 12 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let first = lines.iter().position(|line| is_fence(line))?;
    let last = lines.iter().skip(first + 1).position(|line| *line == lines[first])?;
    Some((first, first + 1 + last, lines.len()))
}

fn block(turn: &str) -> Option<Vec<Value>> {
    let (first, last, _) = bounds(turn)?;
    let inside: Vec<&str> = turn.lines().take(last).skip(first + 1).collect();
    serde_json::Deserializer::from_str(&inside.join("\n"))
        .into_iter::<Value>()
        .map_while(Result::ok)
        .find_map(|value| match value {
            Value::Array(elements) => Some(elements),
            _ => None,
        })
}

/// A turn without its data block, which may name anything.
fn around(turn: &str) -> String {
    let Some((first, last, _)) = bounds(turn) else {
        return turn.to_owned();
    };
    let lines = turn.lines().enumerate();
    lines
        .filter(|(place, _)| *place < first || *place > last)
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}

fn tasks(data: &[Value]) -> Value {
    let mut tasks = Vec::new();
    for element in data {
        let text = element["text"].as_str().unwrap_or_default();
        for line in text.lines() {
            let Some(work) = work(line) else { continue };
            tasks.push(json!({
                "key": key(tasks.len()),
                "title": title(work),
                "body": "",
                "acceptance_criteria": [],
                "assignee": assignee(line, element["author"].as_str()),
                "labels": [],
                "priority": null,
                "estimate": null,
                "due_date": null,
                "depends_on": [],
                "sources": [{ "comment_id": element["id"], "quote": line }],
                "confidence": "high",
            }));
        }
    }
    json!({ "tasks": tasks, "rejected": [], "questions": [] })
}

/// What a line takes on, if anything.
fn work(line: &str) -> Option<&str> {
    let line = line.trim();
    let after_will = line.split_once(" will ").map(|(_, work)| work);
    let work = after_will
        .or_else(|| line.strip_prefix("I'll "))
        .or_else(|| line.strip_prefix("TODO").map(|work| work.trim_start_matches(':')))
        .or_else(|| line.strip_prefix("- [ ]"))?;
    Some(work.trim()).filter(|work| !work.is_empty())
}

/// The words up to the first period that ends a sentence, without brackets at their end, the first letter large.
fn title(work: &str) -> String {
    let sentence = work.split_once(". ").map_or(work, |(sentence, _)| sentence);
    let sentence = sentence.trim_end_matches('.');
    let sentence = match sentence.rsplit_once(" (") {
        Some((before, brackets)) if brackets.ends_with(')') => before,
        _ => sentence,
    };
    let sentence = sentence.replace('@', "");
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).take(TITLE).collect()
}

/// Who says that they will, or who is said to.
fn assignee<'a>(line: &'a str, author: Option<&'a str>) -> Option<&'a str> {
    let line = line.trim().trim_start_matches("- [ ]").trim_start();
    if line.starts_with("I will ") || line.starts_with("I'll ") {
        return author;
    }
    let (before, _) = line.split_once(" will ")?;
    before.split_whitespace().next_back()?.strip_prefix('@')
}

/// `a` to `z`, then `aa` and on.
fn key(place: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(place % 26).unwrap_or(0));
    match place / 26 {
        0 => letter.to_string(),
        more => format!("{}{letter}", key(more - 1)),
    }
}

fn mail(data: &[Value]) -> Value {
    let items: Vec<Value> = data
        .iter()
        .map(|element| json!({ "ref": element["ref"], "text": element["title"] }))
        .collect();
    let issues = if items.len() == 1 { "issue" } else { "issues" };
    json!({
        "subject": format!("What was decided: {} {issues}", items.len()),
        "intro": "A discussion came to an end. The work that it leads to is listed here.",
        "items": items,
        "decisions_needed": [],
        "withheld": [],
        "safe_to_send": true,
    })
}
