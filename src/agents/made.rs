//! Agents that definitions make: a prompt template, and one of the schemas here with its host-side checks.

pub mod files;
#[cfg(test)]
mod files_tests;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::inputs::{Handed, Inputs, Material};
use super::prompt::Brief;
use super::scan::scan;
use super::{Agent, Amendment, Draft, InputKind, Problem, ProblemKind, WrongInputs, answer};
use crate::text::clean::clean;

/// What an artifact may be, for agents that definitions make.
#[derive(Debug)]
pub struct Schema {
    /// Its name, with a version.
    pub name: &'static str,
    /// The JSON schema.
    pub json: &'static str,
    /// What the host holds an answer to beyond the schema; it may put its own findings into it.
    check: fn(Value, &Inputs) -> Result<Draft, Vec<Problem>>,
}

/// Every schema that a definition's prompt may ask for.
pub const SCHEMAS: &[Schema] = &[
    Schema {
        name: "document.v1",
        json: include_str!("made/document.v1.json"),
        check: plain,
    },
    Schema {
        name: "plan.v1",
        json: include_str!("made/plan.v1.json"),
        check: plain,
    },
    Schema {
        name: files::SCHEMA,
        json: include_str!("made/files.v1.json"),
        check: written,
    },
    Schema {
        name: "review.v1",
        json: include_str!("made/review.v1.json"),
        check: review,
    },
    Schema {
        name: "handoff.v1",
        json: include_str!("made/handoff.v1.json"),
        check: handoff,
    },
    Schema {
        name: "questions.v1",
        json: include_str!("made/questions.v1.json"),
        check: questions,
    },
    Schema {
        name: "solution.v1",
        json: include_str!("made/solution.v1.json"),
        check: plain,
    },
];

/// Characters of a note that one role leaves the next.
const NOTE: usize = 500;
/// Questions of one round.
const QUESTIONS: usize = 8;

/// The agent of a prompt template, by its name and text, and a schema, if there is that schema.
pub fn agent(name: &str, template: Cow<'static, str>, schema: &str) -> Option<Agent> {
    let schema = SCHEMAS.iter().find(|known| known.name == schema)?;
    Some(Agent {
        name: Cow::Owned(name.to_owned()),
        schema_name: Cow::Borrowed(schema.name),
        schema: Cow::Borrowed(schema.json),
        role: Cow::Borrowed(""),
        standards: None,
        prompt_template: template,
        works_from: InputKind::Material,
        brief,
        check: schema.check,
        amend,
    })
}

fn material(inputs: &Inputs) -> Result<&Material, WrongInputs> {
    match inputs {
        Inputs::Material(material) => Ok(material),
        other => Err(WrongInputs {
            agent: "of a definition".to_owned(),
            wanted: "material",
            given: other.kind(),
        }),
    }
}

pub(super) fn brief(inputs: &Inputs) -> Result<Brief, WrongInputs> {
    let material = material(inputs)?;
    let thread = &material.thread;
    let data = thread.visible().into_iter().map(|entry| {
        json!({
            "id": entry.comment_id,
            "author": entry.author,
            "created_at": entry.created_at.to_rfc3339(),
            "text": entry.text,
        })
    });
    let artifacts: Vec<Value> = material
        .artifacts
        .iter()
        .map(|handed| {
            json!({
                "phase": handed.phase,
                "iteration": handed.iteration,
                "schema": handed.schema,
                "artifact": handed.artifact,
            })
        })
        .collect();
    Ok(Brief {
        facts: json!({
            "repository": thread.repository,
            "title": clean(&thread.title),
            "today": thread.today,
            "given": material.given,
            "files": material.files,
            "artifacts": artifacts,
            "wishes": thread.steer.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        }),
        data: Value::Array(data.collect()),
        guide: material.guide.clone(),
    })
}

/// What every answer is held to: it repeats no secret. Then `more`, which may change it and leave notes.
pub(super) fn checked(
    mut value: Value,
    more: impl FnOnce(&mut Value, &mut Vec<String>) -> Result<(), Problem>,
) -> Result<Draft, Vec<Problem>> {
    let mut strings = Vec::new();
    super::strings(&value, &[], &mut strings);
    if let Some(finding) = strings.iter().find_map(|text| scan(text)) {
        let text = format!("the answer holds {finding}, which must not be repeated");
        return Err(vec![Problem::new(ProblemKind::Withheld, "", text)]);
    }
    let mut notes = Vec::new();
    more(&mut value, &mut notes).map_err(|problem| vec![problem])?;
    Ok(Draft {
        artifact: value,
        acts: Vec::new(),
        notes,
        planned: Vec::new(),
    })
}

pub(super) fn plain(value: Value, _: &Inputs) -> Result<Draft, Vec<Problem>> {
    checked(value, |_, _| Ok(()))
}

/// Files as people may approve them. What is to be known of a path is said anew when people change it.
fn written(value: Value, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let mut draft = checked(value, |_, _| Ok(()))?;
    let written = files::of(&draft.artifact);
    draft.planned = files::check(&written)?;
    draft.planned.extend(files::beside_the_plan(&written, handed(inputs)));
    Ok(draft)
}

/// What earlier phases made, for an agent that is given it.
fn handed(inputs: &Inputs) -> &[Handed] {
    match inputs {
        Inputs::Material(material) => &material.artifacts,
        Inputs::Thread(_) | Inputs::Mailing(_) => &[],
    }
}

/// Any critical or major finding fails a review, whatever it says of itself.
fn review(value: Value, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    checked(value, |value, notes| {
        notes.extend(files::not_among(&value["findings"], handed(inputs)));
        let grave = |finding: &Value| matches!(finding["severity"].as_str(), Some("critical" | "major"));
        let findings = value["findings"].as_array();
        let counts = match findings.is_some_and(|findings| findings.iter().any(grave)) {
            true => "fail",
            false => "pass",
        };
        if value["verdict"] != counts {
            notes.push(format!(
                "The review calls itself a {}; by its findings it is a {counts}, which counts.",
                value["verdict"].as_str().unwrap_or_default()
            ));
            value["verdict"] = json!(counts);
        }
        Ok(())
    })
}

fn handoff(value: Value, _: &Inputs) -> Result<Draft, Vec<Problem>> {
    checked(value, |value, _| {
        let length = value["notes"].as_str().unwrap_or_default().chars().count();
        if length <= NOTE {
            return Ok(());
        }
        let text = format!("the notes have {length} characters; at most {NOTE} are handed over");
        Err(Problem::new(ProblemKind::Rule, "/notes", text))
    })
}

fn questions(value: Value, _: &Inputs) -> Result<Draft, Vec<Problem>> {
    checked(value, |value, _| {
        let count = value["questions"].as_array().map_or(0, Vec::len);
        if count <= QUESTIONS {
            return Ok(());
        }
        let text = format!("there are {count} questions; ask at most {QUESTIONS}, the most important first");
        Err(Problem::new(ProblemKind::Rule, "/questions", text))
    })
}

/// A person's edit: the whole artifact anew, or one of its texts.
pub(super) fn amend(agent: &Agent, artifact: &Value, amendment: &Amendment, inputs: &Inputs) -> Result<Draft, String> {
    if agent.schema_name == "solution.v1" {
        return Err("a solution stays as it was given; `/revise …` asks for another one".to_owned());
    }
    let mut next = artifact.clone();
    match amendment {
        Amendment::Replace(text) => next = answer::value(text).map_err(|problem| problem.to_string())?,
        Amendment::Change { key, fields } if key.is_empty() => {
            for (name, text) in fields {
                match next.get_mut(name) {
                    Some(Value::String(old)) => old.clone_from(text),
                    _ => {
                        return Err(format!(
                            "it has no text `{name}`; give the whole as JSON in a fenced block below `/edit`"
                        ));
                    }
                }
            }
        }
        _ => return Err("it has no parts to tick or add; `/edit` changes a text or replaces the whole".to_owned()),
    }
    let sentences = |problems: Vec<Problem>| {
        let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
        sentences.join("; ")
    };
    answer::validate(agent, &next).map_err(sentences)?;
    (agent.check)(next, inputs).map_err(sentences)
}
