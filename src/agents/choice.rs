//! What people choose variants by: a comparison that the host makes.
//!
//! The host computes what can be computed: scores by rule, what differs, what was not made. A model is asked for scores
//! and a summary only, and where none is, the rest stands without them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inputs::{Handed, Inputs, Material};
use super::prompt::Brief;
use super::{Agent, Amendment, Draft, InputKind, Problem, ProblemKind, WrongInputs, made};
use crate::text::diff;
use crate::workflow::variants::{Criterion, Letter};

/// The schema of a comparison.
pub const SCHEMA: &str = "comparison.v1";
/// The prompt of a definition that names none; without a model nobody is asked by it.
pub const PROMPT: &str = "choice/compare";

/// The best score; the worst is 0.
const BEST: usize = 10;
/// Characters of a variant that stand on a card in any case.
pub const PREVIEW: usize = 600;
/// Lines of what differs from the first variant. The variants stand there in full.
const LINES: usize = 200;

/// What a comparison is made from, beside what the variants made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What they are compared by.
    pub criteria: Vec<Criterion>,
    /// The variants, in order.
    pub variants: Vec<Compared>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What people call it.
    pub letter: Letter,
    /// Its title.
    pub title: String,
    /// Its phase.
    pub phase: String,
    /// The provider or person whose words it is; empty where it was not made.
    pub by: String,
    /// The digest of what it made.
    pub digest: Option<String>,
    /// Why it was not made.
    pub why: Option<String>,
}

/// The agent of a phase that chooses, with the prompt that asks for scores.
pub fn agent(name: &str, template: Cow<'static, str>) -> Agent {
    Agent {
        name: Cow::Owned(name.to_owned()),
        schema_name: Cow::Borrowed(SCHEMA),
        schema: Cow::Borrowed(include_str!("choice/scores.v1.json")),
        role: Cow::Borrowed(""),
        standards: None,
        prompt_template: template,
        works_from: InputKind::Material,
        brief,
        check,
        amend,
    }
}

/// The answer where no model is asked: no score and no summary.
pub fn unscored() -> Value {
    json!({"summary": "", "scores": []})
}

fn parts(inputs: &Inputs) -> Result<(&Material, &Choice), WrongInputs> {
    let wrong = || WrongInputs {
        agent: "that compares variants".to_owned(),
        wanted: "choice",
        given: inputs.kind(),
    };
    match inputs {
        Inputs::Material(material) => Ok((material, material.choice.as_ref().ok_or_else(wrong)?)),
        _ => Err(wrong()),
    }
}

fn brief(inputs: &Inputs) -> Result<Brief, WrongInputs> {
    let (_, choice) = parts(inputs)?;
    let mut brief = made::brief(inputs)?;
    let made = choice.variants.iter().filter(|variant| variant.digest.is_some());
    let variants: Vec<Value> = made
        .map(|variant| json!({"variant": variant.letter, "title": variant.title, "phase": variant.phase}))
        .collect();
    let criteria: Vec<&str> = choice.criteria.iter().map(|one| one.title.as_str()).collect();
    brief.facts["choice"] = json!({"variants": variants, "criteria": criteria});
    Ok(brief)
}

/// A score that a model gave.
#[derive(Debug, Deserialize)]
struct Given {
    variant: String,
    criterion: String,
    score: i64,
    reason: String,
}

fn check(answer: Value, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let wrong = |text: String| vec![Problem::new(ProblemKind::Rule, "/scores", text)];
    let (material, choice) = parts(inputs).map_err(|error| wrong(error.to_string()))?;
    let given: Vec<Given> =
        serde_json::from_value(answer["scores"].clone()).map_err(|error| wrong(error.to_string()))?;
    for one in &given {
        let named = |variant: &Compared| variant.digest.is_some() && variant.letter.to_string() == one.variant;
        let known = choice.criteria.iter().any(|criterion| criterion.title == one.criterion);
        if !choice.variants.iter().any(named) || !known {
            return Err(wrong(
                "a score names a variant or a criterion that there is not".to_owned(),
            ));
        }
        if !(0..=10).contains(&one.score) {
            return Err(wrong(format!("a score is from 0 to {BEST}, not {}", one.score)));
        }
    }
    let handed = |variant: &Compared| material.artifacts.iter().find(|handed| handed.phase == variant.phase);
    let made: Vec<(&Compared, &Handed)> = choice
        .variants
        .iter()
        .filter_map(|variant| Some((variant, handed(variant).filter(|_| variant.digest.is_some())?)))
        .collect();
    let texts: Vec<String> = made.iter().map(|(_, handed)| text_of(&handed.artifact)).collect();
    let variants: Vec<Value> = made
        .iter()
        .zip(&texts)
        .map(|((variant, handed), text)| {
            json!({
                "variant": variant.letter,
                "title": variant.title,
                "by": variant.by,
                "digest": variant.digest,
                "iteration": handed.iteration,
                "words": words(text),
                "preview": preview(text),
                "schema": handed.schema,
                "artifact": handed.artifact,
            })
        })
        .collect();
    let not_made = choice.variants.iter().filter(|variant| variant.digest.is_none());
    let not_made: Vec<Value> = not_made
        .map(|variant| json!({"variant": variant.letter, "title": variant.title, "why": variant.why}))
        .collect();
    let scores: Vec<Value> = choice
        .criteria
        .iter()
        .flat_map(|criterion| {
            made.iter().zip(&texts).map(|((variant, _), text)| {
                let by_rule = by_rule(criterion, text);
                let letter = variant.letter.to_string();
                let by_model = given
                    .iter()
                    .rfind(|one| one.variant == letter && one.criterion == criterion.title);
                json!({
                    "criterion": criterion.title,
                    "variant": variant.letter,
                    "by_rule": by_rule.as_ref().map(|(score, _)| score),
                    "rule": by_rule.as_ref().map(|(_, why)| why),
                    "by_model": by_model.map(|one| one.score),
                    "reason": by_model.map(|one| one.reason.as_str()),
                })
            })
        })
        .collect();
    let differences: Vec<Value> = made
        .iter()
        .zip(&texts)
        .skip(1)
        .map(|((variant, _), text)| {
            json!({"variant": variant.letter, "against": made[0].0.letter, "lines": difference(&texts[0], text)})
        })
        .collect();
    let artifact = json!({
        "summary": answer["summary"],
        "variants": variants,
        "not_made": not_made,
        "scores": scores,
        "differences": differences,
    });
    // What a model said is held to what every answer is; the variants were when they came.
    made::plain(answer, inputs).map(|draft| Draft { artifact, ..draft })
}

/// What a rule comes to, and why.
fn by_rule(criterion: &Criterion, text: &str) -> Option<(usize, String)> {
    if let Some(most) = criterion.most_words {
        let (most, words) = (usize::try_from(most).unwrap_or(usize::MAX), words(text));
        let score = match words <= most {
            true => BEST,
            false => most.saturating_mul(BEST) / words,
        };
        return Some((score, format!("{words} words of at most {most}")));
    }
    if criterion.mentions.is_empty() {
        return None;
    }
    let text = text.to_lowercase();
    let missing: Vec<&str> = criterion
        .mentions
        .iter()
        .map(String::as_str)
        .filter(|word| !text.contains(&word.to_lowercase()))
        .collect();
    let all = criterion.mentions.len();
    let found = all - missing.len();
    let why = match missing.is_empty() {
        true => format!("{found} of {all}"),
        false => format!("{found} of {all}, without {}", missing.join(", ")),
    };
    Some((found * BEST / all, why))
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn preview(text: &str) -> String {
    match text.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn difference(first: &str, other: &str) -> Vec<String> {
    let Some(mut lines) = diff::lines(first, other) else {
        return vec!["They are too long to be compared line by line.".to_owned()];
    };
    if lines.is_empty() {
        return vec!["They say the same.".to_owned()];
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

/// An artifact as a text whose lines can be compared.
pub fn text_of(artifact: &Value) -> String {
    let mut lines = Vec::new();
    told("", artifact, &mut lines);
    lines.join("\n")
}

fn told(name: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| told(name, item, lines)),
        Value::Object(members) => members.iter().for_each(|(name, value)| told(name, value, lines)),
        Value::String(text) => lines.extend(text.lines().map(|line| line.trim_end().to_owned())),
        other => lines.push(format!("{}: {other}", name.replace('_', " "))),
    }
}

fn amend(_: &Agent, _: &Value, _: &Amendment, _: &Inputs) -> Result<Draft, String> {
    Err("a comparison is not edited: `/choose` one, or have one made anew with `/retry` and its letter".to_owned())
}

#[cfg(test)]
#[path = "choice/tests.rs"]
mod tests;
