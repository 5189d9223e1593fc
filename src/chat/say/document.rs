//! What agents of definitions make, and prompts: on the card and on its pages, letter by letter.

use serde_json::{Map, Value};

use super::comparison;
use super::markup::{fenced, paragraphs, pieces};
use super::pages::{Entry, PIECE};
use super::view::{DocumentView, PartForm, PartView};
use crate::text::harmless::literal;

/// Characters of a heading.
const HEADING: usize = 200;

/// The whole.
pub fn full(view: &DocumentView) -> String {
    let parts: Vec<String> = view
        .parts
        .iter()
        .map(|part| paragraphs(&[heading(part), text(part)]))
        .collect();
    paragraphs(&parts)
}

/// What stands on the card in any case, and the headings; the texts stand on the pages.
pub fn index(view: &DocumentView, room: usize) -> String {
    let brief: Vec<String> = view
        .brief
        .iter()
        .map(|part| paragraphs(&[heading(part), text(part)]))
        .collect();
    let mut index = paragraphs(&brief);
    if index.len() > room / 2 {
        index.clear();
    }
    if !index.is_empty() {
        index.push_str("\n\nAll of it:\n\n");
    }
    for (shown, part) in view.parts.iter().enumerate() {
        let line = format!("- {}\n", literal::inline(&part.heading, HEADING));
        if index.len() + line.len() > room {
            let more = view.parts.len() - shown;
            index.push_str(&format!("- and {more} more\n"));
            break;
        }
        index.push_str(&line);
    }
    index
}

/// The same for pages.
pub fn entries(view: &DocumentView) -> Vec<Entry> {
    let entry = |part: &PartView| Entry {
        heading: heading(part),
        parts: pieces(&part.text, PIECE)
            .into_iter()
            .map(|piece| {
                let piece = PartView {
                    text: piece.strip_suffix('\n').unwrap_or(piece).to_owned(),
                    ..part.clone()
                };
                text(&piece)
            })
            .collect(),
    };
    view.parts.iter().map(entry).collect()
}

fn heading(part: &PartView) -> String {
    format!("##### {}", literal::inline(&part.heading, HEADING))
}

fn text(part: &PartView) -> String {
    match part.form {
        PartForm::Words => literal::block(&part.text),
        PartForm::Markup => part.text.clone(),
        PartForm::Verbatim => fenced(&part.text, "text"),
    }
}

/// An artifact as people read it. What a schema is not known to need in a form of its own is told member by member, so
/// that nothing of an artifact stays unshown.
pub fn view(schema: &str, artifact: &Value) -> DocumentView {
    if schema == comparison::SCHEMA {
        return comparison::view(artifact);
    }
    let members = match artifact {
        Value::Object(members) => members.clone(),
        other => Map::from_iter([("value".to_owned(), other.clone())]),
    };
    let mut parts = Vec::new();
    for (name, value) in in_order(&members) {
        match (schema, name.as_str(), value) {
            ("prompt.v1", "system", Value::String(text)) => parts.push(verbatim("The instructions", text)),
            ("prompt.v1", "user", Value::String(text)) => parts.push(verbatim("The data", text)),
            ("files.v1", "writes", Value::Array(writes)) => parts.extend(writes.iter().map(file)),
            ("document.v1", "sections", Value::Array(sections)) => parts.extend(sections.iter().map(section)),
            _ => parts.extend(member(name, value)),
        }
    }
    DocumentView {
        kind: schema.split('.').next().unwrap_or(schema).to_owned(),
        parts,
        brief: Vec::new(),
    }
}

/// Members that say what the rest is about.
const FIRST: [&str; 8] = [
    "title", "summary", "verdict", "content", "id", "severity", "path", "message",
];

/// What a reader wants to know first, then the rest by name.
fn in_order(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let first = FIRST.iter().filter_map(|name| members.get_key_value(*name));
    let rest = members.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    first.chain(rest)
}

pub(super) fn verbatim(heading: &str, text: &str) -> PartView {
    PartView {
        heading: heading.to_owned(),
        text: text.to_owned(),
        form: PartForm::Verbatim,
    }
}

fn section(section: &Value) -> PartView {
    let text = |name: &str| section[name].as_str().unwrap_or_default().to_owned();
    PartView {
        heading: text("heading"),
        text: text("text"),
        form: PartForm::Words,
    }
}

fn file(write: &Value) -> PartView {
    let text = |name: &str| write[name].as_str().unwrap_or_default();
    let bytes = text("content").len();
    verbatim(&format!("{} ({bytes} bytes)", text("path")), text("content"))
}

/// A member that says nothing is left out.
fn member(name: &str, value: &Value) -> Option<PartView> {
    let text = match value {
        Value::Null => return None,
        Value::Array(items) if items.is_empty() => return None,
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        other => plain(other),
    };
    Some(PartView {
        heading: title(name),
        text,
        form: PartForm::Words,
    })
}

/// One of a list, on one line.
fn item(value: &Value) -> String {
    let Value::Object(members) = value else {
        return format!("- {}", plain(value).replace('\n', " "));
    };
    let told = in_order(members).filter(|(_, value)| !is_empty(value));
    let parts: Vec<String> = told
        .map(|(name, value)| format!("{}: {}", name.replace('_', " "), plain(value).replace('\n', " ")))
        .collect();
    format!("- {}", parts.join("; "))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    }
}

/// `files_to_create` as a heading: `Files to create`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_member_that_says_something_is_shown() {
        let plan = json!({
            "summary": "Do it",
            "steps": [{"id": "s1", "title": "First", "files": ["a", "b"], "verify": ""}],
            "open_questions": [],
            "risk": 3,
        });
        let shown = full(&view("plan.v1", &plan));
        for part in [
            "##### Summary\n\nDo it",
            "##### Steps\n\n",
            "id: s1",
            "files: a, b",
            "##### Risk\n\n3",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("Open questions"), "{shown}");
    }

    #[test]
    fn files_and_prompts_are_shown_letter_by_letter() {
        let files = json!({"summary": "", "writes": [{"path": "src/a.rs", "content": "fn a() {}\n\n    // @alice\n"}]});
        let shown = full(&view("files.v1", &files));
        assert!(
            shown.contains("src/a.rs (25 bytes)") && shown.contains("fn a() {}"),
            "{shown}"
        );
        let prompt = view("prompt.v1", &json!({"system": "# Task", "user": "<b>data</b>"}));
        assert_eq!(prompt.parts.len(), 2);
        assert!(full(&prompt).contains("<b>data</b>"));
        assert_eq!(entries(&prompt).len(), 2);
    }
}
