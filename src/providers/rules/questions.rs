//! Questions of the rules: what an issue's form leaves empty, and what a report of a fault does not say.

use serde_json::{Value, json};

use crate::agents::Material;
use crate::text::clean::clean;

/// Questions of one round.
const MOST: usize = 8;
/// Characters of a heading that is repeated.
const HEADING: usize = 120;
/// What GitHub writes where a field of an issue form was left empty
/// (<https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms>).
const NO_RESPONSE: &str = "_no response_";

/// Words by which a text tells of a fault.
const FAULTS: &[&str] = &[
    "bug",
    "crash",
    "crashes",
    "crashed",
    "error",
    "exception",
    "panic",
    "broken",
    "fails",
    "failed",
    "regression",
    "hangs",
    "freezes",
];

/// What a report of a fault should say.
struct Fact {
    id: &'static str,
    question: &'static str,
    why: &'static str,
    assumed: Option<&'static str>,
    /// Any of these words says it, as does a heading that holds one.
    words: &'static [&'static str],
}

const FACTS: &[Fact] = &[
    Fact {
        id: "steps",
        question: "Which steps lead to it?",
        why: "Nobody can mend what they cannot see happen.",
        assumed: None,
        words: &["steps", "reproduce", "repro", "reproduction"],
    },
    Fact {
        id: "expected",
        question: "What did you expect to happen?",
        why: "It says when this is solved.",
        assumed: None,
        words: &["expected", "expect", "should"],
    },
    Fact {
        id: "actual",
        question: "What happens instead, word for word where there is a message?",
        why: "The message often names the place.",
        assumed: None,
        words: &["actual", "actually", "instead", "message", "happens", "happened"],
    },
    Fact {
        id: "version",
        question: "In which version does it happen?",
        why: "It may be mended already.",
        assumed: Some("the latest one"),
        words: &["version", "release", "commit"],
    },
];

/// The questions that are left, given the answers so far.
pub fn answer(material: &Material) -> Value {
    let settled = settled(material);
    let entries = material.thread.visible();
    let issue = entries.iter().find(|entry| entry.comment_id == 0);
    let issue = issue.map(|entry| entry.text.as_str()).unwrap_or_default();
    let mut asked = Vec::new();
    if issue.trim().is_empty() {
        let text = "What should be different when this is done, in a sentence or two?";
        asked.push(question("issue", text, "The issue has no text.", None));
    }
    let sections = sections(issue);
    for section in sections.iter().filter(|section| section.is_empty) {
        let text = format!("What belongs under “{}”?", section.heading);
        let id = format!("section:{}", section.heading.to_lowercase());
        asked.push(question(&id, &text, "The form's section is empty.", None));
    }
    let said: Vec<String> = std::iter::once(material.thread.title.clone())
        .chain(entries.iter().map(|entry| entry.text.clone()))
        .flat_map(|text| words(&clean(&text)))
        .collect();
    let says = |known: &[&str]| said.iter().any(|word| known.contains(&word.as_str()));
    if says(FAULTS) {
        for fact in FACTS.iter().filter(|fact| !says(fact.words)) {
            let numbered = fact.id == "version" && entries.iter().any(|entry| holds_a_version(&entry.text));
            if !numbered {
                asked.push(question(fact.id, fact.question, fact.why, fact.assumed));
            }
        }
    }
    asked.retain(|question| !settled.iter().any(|id| question["id"] == id.as_str()));
    asked.truncate(MOST);
    json!({ "enough_information": asked.is_empty(), "questions": asked, "assumptions": [] })
}

/// The ids of questions that were asked before, answered or skipped.
fn settled(material: &Material) -> Vec<String> {
    let answers = material.artifacts.iter().filter(|handed| handed.schema == "answers.v1");
    let questions = answers.filter_map(|handed| handed.artifact["questions"].as_array());
    let ids = questions.flatten().filter_map(|question| question["id"].as_str());
    ids.map(str::to_owned).collect()
}

fn question(id: &str, text: &str, why: &str, assumed: Option<&str>) -> Value {
    json!({
        "id": id,
        "question": text,
        "why": why,
        "kind": "text",
        "options": [],
        "default_answer": assumed,
        "blocks": "plan",
        "looked_in": ["the issue's text"],
    })
}

/// A section of an issue form as GitHub writes it.
struct Section {
    heading: String,
    is_empty: bool,
}

/// The sections of a form: what stands between headings of the third level, outside of code.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut fenced = false;
    for line in text.lines().map(str::trim) {
        let fence = line.starts_with("```") || line.starts_with("~~~");
        if let Some(heading) = line.strip_prefix("### ").filter(|_| !fenced) {
            let heading = heading.trim().trim_end_matches('#').trim();
            sections.push(Section {
                heading: heading.chars().take(HEADING).collect(),
                is_empty: true,
            });
        } else if let Some(section) = sections.last_mut() {
            let says = !line.is_empty() && !line.eq_ignore_ascii_case(NO_RESPONSE);
            section.is_empty &= !says;
        }
        fenced ^= fence;
    }
    sections
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Whether a text holds something like `1.4` or `v2.0.1`.
fn holds_a_version(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
        let number = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit()))
        };
        number(parts.next()) && number(parts.next())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::agents::{Handed, Inputs, Thread, fixtures};

    fn material(title: &str, body: &str) -> Material {
        let thread = Thread {
            title: title.to_owned(),
            ..fixtures::thread(&[("alice", body)])
        };
        Material {
            thread,
            given: BTreeMap::new(),
            files: BTreeMap::new(),
            artifacts: Vec::new(),
            choice: None,
            guide: None,
        }
    }

    fn ids(answer: &Value) -> Vec<&str> {
        let questions = answer["questions"].as_array().unwrap();
        questions
            .iter()
            .map(|question| question["id"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn what_is_missing_is_asked_and_nothing_else() {
        let form = "### What\n\nA client\n\n### Why\n\n_No response_\n\n### Where\n";
        let fault = "It crashes when I press Pay twice.";
        let whole = "It crashes in 1.4. Steps: press Pay twice. I expected one payment. The message is `oops`.";
        for (title, body, expected) in [
            ("A client", "We need a client for billing.", vec![]),
            ("A client", "  ", vec!["issue"]),
            ("A client", form, vec!["section:why", "section:where"]),
            ("Pay", fault, vec!["steps", "expected", "actual", "version"]),
            ("Bug in Pay", "It happens in v2.0.1 and should not", vec!["steps"]),
            ("Pay", whole, vec![]),
            (
                "Pay",
                "It crashes.\n\n### Version\n\n_No response_",
                vec!["section:version", "steps", "expected", "actual"],
            ),
            ("A client", "```\n### Why\n\n```\ntext", vec![]),
        ] {
            let answer = answer(&material(title, body));
            assert_eq!(ids(&answer), expected, "{title}: {body}");
            assert_eq!(answer["enough_information"], expected.is_empty(), "{title}: {body}");
        }
    }

    #[test]
    fn what_was_asked_is_not_asked_again() {
        let mut material = material("Pay", "It crashes when I press Pay twice.");
        material.artifacts.push(Handed {
            phase: "collect".into(),
            iteration: 1,
            schema: "answers.v1".into(),
            artifact: json!({"questions": [{"id": "steps"}, {"id": "expected"}], "assumptions": []}),
        });
        assert_eq!(ids(&answer(&material)), ["actual", "version"]);
    }

    #[test]
    fn there_are_at_most_eight_and_they_pass_the_checks() {
        let body: String = (0..20).map(|n| format!("### Field {n}\n\n_No response_\n\n")).collect();
        let material = material("A form", &body);
        let solve = crate::agents::names()
            .parse(include_str!("../../../workflows/solve.yml"))
            .unwrap();
        let agent = crate::agents::of_phase(&solve, &solve.phases[0]).unwrap();
        let inputs = Inputs::Material(Box::new(material));
        let answer = super::super::answer(&agent, &inputs).unwrap();
        let draft = crate::agents::judge(&agent, &answer, &inputs).unwrap();
        assert_eq!(ids(&draft.artifact).len(), 8);
    }
}
