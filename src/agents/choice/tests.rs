use chrono::NaiveDate;
use serde_json::{Value, json};

use super::*;
use crate::agents::fixtures::thread;
use crate::agents::{judge, prompt};

fn inputs(made: &[(&str, Option<&str>)], criteria: Vec<Criterion>) -> Inputs {
    let mut talk = thread(&[("alice", "We need a way.")]);
    talk.today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let letters = Letter::first(made.len());
    let variants = letters.zip(made).map(|(letter, (title, text))| Compared {
        letter,
        title: (*title).to_owned(),
        phase: format!("draft-{letter}"),
        by: "rules".to_owned(),
        digest: text.map(|_| "d".repeat(64)),
        why: text.is_none().then(|| "the model gave nothing".to_owned()),
    });
    let variants: Vec<Compared> = variants.collect();
    let artifacts = variants.iter().zip(made).filter_map(|(variant, (_, text))| {
        Some(Handed {
            phase: variant.phase.clone(),
            iteration: 1,
            schema: "solution.v1".to_owned(),
            artifact: json!({"content": (*text)?}),
        })
    });
    Inputs::Material(Box::new(Material {
        thread: talk,
        given: [].into(),
        files: [].into(),
        artifacts: artifacts.collect(),
        choice: Some(Choice { criteria, variants }),
        guide: None,
    }))
}

fn criterion(title: &str, mentions: &[&str], most_words: Option<u32>) -> Criterion {
    Criterion {
        title: title.to_owned(),
        mentions: mentions.iter().map(|word| (*word).to_owned()).collect(),
        most_words,
    }
}

fn compared(inputs: &Inputs, answer: &Value) -> Value {
    let agent = agent(PROMPT, "Compare them.".into());
    judge(&agent, &answer.to_string(), inputs).unwrap().artifact
}

#[test]
fn rules_score_what_was_made_and_what_was_not_is_named() {
    let criteria = vec![
        criterion("Names the ways back", &["roll back", "Risk"], None),
        criterion("Short", &[], Some(4)),
        criterion("Clear", &[], None),
    ];
    let made = [
        ("Small", Some("Do it.\nThen roll back.")),
        ("Failed", None),
        ("Safe", Some("Do it.\nName each risk, roll back, and tell people.")),
    ];
    let comparison = compared(&inputs(&made, criteria), &unscored());
    let score = |row: usize| {
        (
            comparison["scores"][row]["by_rule"].clone(),
            comparison["scores"][row]["rule"].clone(),
        )
    };
    assert_eq!(score(0), (json!(5), json!("1 of 2, without Risk")));
    assert_eq!(score(1), (json!(10), json!("2 of 2")));
    assert_eq!(score(2), (json!(8), json!("5 words of at most 4")));
    assert_eq!(score(4), (json!(null), json!(null)), "nobody scores it");
    assert_eq!(
        comparison["not_made"],
        json!([{"variant": "B", "title": "Failed", "why": "the model gave nothing"}])
    );
    assert_eq!(
        comparison["differences"],
        json!([{"variant": "C", "against": "A", "lines": [
            "  Do it.", "- Then roll back.", "+ Name each risk, roll back, and tell people."]}])
    );
}

#[test]
fn a_model_scores_what_there_is_within_its_bounds() {
    let inputs = inputs(
        &[("One", Some("x")), ("Two", None)],
        vec![criterion("Clear", &[], None)],
    );
    let agent = agent(PROMPT, "Compare them.".into());
    let score = |variant: &str, criterion: &str, score: i64| {
        json!({"summary": "They differ.", "scores": [
            {"variant": variant, "criterion": criterion, "score": score, "reason": "It says so."}]})
    };
    let good = compared(&inputs, &score("A", "Clear", 7));
    assert_eq!(good["scores"][0]["by_model"], 7);
    assert_eq!(good["summary"], "They differ.");
    for bad in [
        score("B", "Clear", 7),
        score("A", "Cheap", 7),
        score("A", "Clear", 11),
        score("A", "Clear", -1),
    ] {
        let problems = judge(&agent, &bad.to_string(), &inputs).unwrap_err();
        assert!(problems[0].is_repairable(), "{bad}: {problems:?}");
    }
    let secret = json!({"summary": "The password=hunter2 stands there.", "scores": []});
    let problems = judge(&agent, &secret.to_string(), &inputs).unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::Withheld);
}

#[test]
fn a_model_is_told_the_letters_and_what_they_made() {
    let inputs = inputs(
        &[("One", Some("the first way")), ("Two", None)],
        vec![criterion("Clear", &[], None)],
    );
    let written = prompt(&agent(PROMPT, "Compare them.".into()), &inputs).unwrap();
    for part in ["\"variant\":\"A\"", "\"criteria\":[\"Clear\"]", "the first way"] {
        assert!(written.user.contains(part), "{part}: {}", written.user);
    }
    assert!(!written.user.contains("\"variant\":\"B\""), "{}", written.user);
}

#[test]
fn a_long_variant_is_cut_in_its_preview_only() {
    let long = "word ".repeat(12_000);
    let comparison = compared(
        &inputs(&[("Long", Some(&long)), ("Short", Some("x"))], Vec::new()),
        &unscored(),
    );
    let preview = comparison["variants"][0]["preview"].as_str().unwrap();
    assert!(
        preview.chars().count() <= PREVIEW + 1 && preview.ends_with('…'),
        "{preview}"
    );
    assert_eq!(comparison["variants"][0]["artifact"]["content"], long);
}
