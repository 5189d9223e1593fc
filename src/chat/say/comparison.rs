//! A comparison of variants: the scores and what was not made first, then every variant in full, then what differs.

use serde_json::Value;

use super::document::{self, verbatim};
use super::markup::{name, table, words};
use super::view::{DocumentView, PartForm, PartView};

/// The schema of a comparison.
pub const SCHEMA: &str = "comparison.v1";
/// Characters of a title or a reason in a table's cell.
const CELL: usize = 200;

/// A comparison as people read it. What fits no card leaves the scores and the beginning of each variant on it.
pub fn view(comparison: &Value) -> DocumentView {
    let list = |name: &str| comparison[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let (variants, not_made) = (list("variants"), list("not_made"));
    let mut first = Vec::new();
    if let Some(summary) = comparison["summary"]
        .as_str()
        .filter(|summary| !summary.trim().is_empty())
    {
        first.push(part("What sets them apart", summary, PartForm::Words));
    }
    first.push(part(
        "Scores, from 0 to 10",
        &scores(variants, list("scores")),
        PartForm::Markup,
    ));
    if !not_made.is_empty() {
        let lines: Vec<String> = not_made
            .iter()
            .map(|one| format!("- {}: {}", letter(one), short(text(one, "why"))))
            .collect();
        first.push(part("Not made", &lines.join("\n"), PartForm::Markup));
    }
    let mut brief = first.clone();
    brief.extend(variants.iter().map(|one| {
        let heading = format!("{}, as it begins", heading(one));
        part(&heading, text(one, "preview"), PartForm::Words)
    }));
    let mut parts = first;
    for one in variants {
        let mut whole = document::view(text(one, "schema"), &one["artifact"]).parts;
        for inner in &mut whole {
            inner.heading = format!("{} · {}", letter(one), inner.heading);
        }
        parts.push(part(&heading(one), &made(one), PartForm::Markup));
        parts.extend(whole);
    }
    for one in list("differences") {
        let lines: Vec<&str> = one["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let heading = format!("What {} changes of {}", letter(one), text(one, "against"));
        parts.push(verbatim(&heading, &lines.join("\n")));
    }
    DocumentView {
        kind: "comparison".to_owned(),
        parts,
        brief,
    }
}

fn part(heading: &str, text: &str, form: PartForm) -> PartView {
    PartView {
        heading: heading.to_owned(),
        text: text.to_owned(),
        form,
    }
}

fn text<'v>(of: &'v Value, member: &str) -> &'v str {
    of[member].as_str().unwrap_or_default()
}

fn letter(of: &Value) -> String {
    text(of, "variant").chars().take(1).collect()
}

fn heading(variant: &Value) -> String {
    format!("Variant {}: {}", letter(variant), text(variant, "title"))
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(CELL).collect();
    words(&cut).replace('|', "\\|")
}

/// Who made a variant, how long it is, and the digest of what it is.
fn made(variant: &Value) -> String {
    let digest: String = text(variant, "digest").chars().take(12).collect();
    let round = match variant["iteration"].as_u64() {
        Some(round) if round > 1 => format!(", round {round}"),
        _ => String::new(),
    };
    format!(
        "By {}{round}: {} words, {}.",
        name(text(variant, "by")),
        variant["words"],
        name(&digest)
    )
}

/// A row for each criterion, a column for each variant: the score by rule, and by model where one gave it.
fn scores(variants: &[Value], scores: &[Value]) -> String {
    let mut head = vec!["Criterion".to_owned()];
    head.extend(variants.iter().map(letter));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut criteria: Vec<&str> = Vec::new();
    for score in scores {
        let criterion = text(score, "criterion");
        if !criteria.contains(&criterion) {
            criteria.push(criterion);
        }
    }
    for criterion in criteria {
        let mut row = vec![short(criterion)];
        for variant in variants {
            let of = |score: &&Value| text(score, "criterion") == criterion && score["variant"] == variant["variant"];
            row.push(scores.iter().find(of).map(cell).unwrap_or_default());
        }
        rows.push(row);
    }
    let mut length = vec!["Words".to_owned()];
    length.extend(variants.iter().map(|variant| variant["words"].to_string()));
    rows.push(length);
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&head, &rows)
}

fn cell(score: &Value) -> String {
    let one = |score: &Value, by: &str, why: &str| {
        let why = match why {
            "" => String::new(),
            why => format!(" ({})", short(why)),
        };
        score.as_i64().map(|score| format!("**{score}** by {by}{why}"))
    };
    let by_rule = one(&score["by_rule"], "rule", text(score, "rule"));
    let by_model = one(&score["by_model"], "model", text(score, "reason"));
    match (by_rule, by_model) {
        (None, None) => "not scored".to_owned(),
        (one, other) => one.into_iter().chain(other).collect::<Vec<_>>().join("; "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn comparison() -> Value {
        let long = "word ".repeat(20_000);
        json!({
            "summary": "",
            "variants": [
                {"variant": "A", "title": "Draft A: Small", "by": "rules", "digest": "ab".repeat(32), "iteration": 1,
                    "words": 2, "preview": "Do it | @alice", "schema": "solution.v1", "artifact": {"content": "Do it | @alice"}},
                {"variant": "C", "title": "Draft C: Safe", "by": "http:local", "digest": "cd".repeat(32), "iteration": 2,
                    "words": 20_000, "preview": "word…", "schema": "solution.v1", "artifact": {"content": long}},
            ],
            "not_made": [{"variant": "B", "title": "Draft B", "why": "the model /approve gave nothing | <b>"}],
            "scores": [
                {"criterion": "Risk | cost", "variant": "A", "by_rule": 5, "rule": "1 of 2, without risk", "by_model": null, "reason": null},
                {"criterion": "Risk | cost", "variant": "C", "by_rule": 10, "rule": "2 of 2", "by_model": 7, "reason": "It is @bob."},
            ],
            "differences": [{"variant": "C", "against": "A", "lines": ["- Do it", "+ word"]}],
        })
    }

    #[test]
    fn scores_failures_wholes_and_differences_are_shown_and_nothing_of_them_acts() {
        let view = view(&comparison());
        let shown = document::full(&view);
        for part in [
            "| Criterion | A | C |",
            "**5** by rule (1 of 2, without risk)",
            "**10** by rule (2 of 2); **7** by model",
            "| Words | 2 | 20000 |",
            "##### Not made\n\n- B: the model",
            "##### Variant A: Draft A: Small",
            "By `http:local`, round 2: 20000 words, `cdcdcdcdcdcd`.",
            "##### What C changes of A",
        ] {
            assert!(shown.contains(part), "{part}: {}", &shown[..3000]);
        }
        assert!(
            !shown.contains("@bob") && !shown.contains("@alice") && !shown.contains("<b>"),
            "{}",
            &shown[..3000]
        );
    }

    #[test]
    fn what_fits_no_card_leaves_the_scores_and_beginnings_on_it_and_stands_in_full_on_pages() {
        let view = view(&comparison());
        let card = document::index(&view, 5_000);
        for part in [
            "| Criterion | A | C |",
            "Variant C: Draft C: Safe, as it begins",
            "word…",
            "- B: the model",
        ] {
            assert!(card.contains(part), "{part}: {card}");
        }
        let pages: usize = document::entries(&view)
            .iter()
            .map(|entry| entry.parts.concat().len())
            .sum();
        assert!(pages > 100_000, "{pages}");
    }
}
