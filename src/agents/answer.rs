//! From a provider's text to JSON that satisfies the agent's schema.

use serde_json::Value;

use super::{Agent, Problem, ProblemKind};

/// How long an answer may be, in bytes.
const LONGEST: usize = 2_000_000;
/// How many of the validator's sentences are shown.
const SENTENCES: usize = 10;

/// The JSON object in an answer: the whole text, or its one fenced block, or what stands between the outer braces.
pub fn value(answer: &str) -> Result<Value, Problem> {
    if answer.len() > LONGEST {
        return Err(shape(format!("the answer is longer than {LONGEST} bytes")));
    }
    let text = answer.trim().trim_start_matches('\u{FEFF}');
    let first = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let blocks: Vec<&str> = fenced(text);
    match blocks.as_slice() {
        [] => match (text.find('{'), text.rfind('}')) {
            (Some(open), Some(close)) if open < close => serde_json::from_str(&text[open..=close])
                .map_err(|error| shape(format!("the answer is not JSON: {error}"))),
            (None, _) => Err(shape(
                "the answer holds no JSON object: it stands alone, or between two lines of three backticks".to_owned(),
            )),
            (Some(_), _) => Err(shape(format!("the answer holds no JSON object that is whole: {first}"))),
        },
        [block] => serde_json::from_str(block).map_err(|error| shape(format!("the fenced block is not JSON: {error}"))),
        _ => Err(shape(format!(
            "the answer has {} fenced blocks; give exactly one, with the JSON object",
            blocks.len()
        ))),
    }
}

/// The contents of fenced code blocks.
fn fenced(text: &str) -> Vec<&str> {
    use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
    let mut blocks = Vec::new();
    let mut open: Option<Option<(usize, usize)>> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => open = Some(None),
            Event::Text(_) => {
                if let Some(block) = &mut open {
                    let start = block.map_or(range.start, |(start, _)| start);
                    *block = Some((start, range.end));
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(Some((start, end))) = open.take() {
                    blocks.push(&text[start..end]);
                }
            }
            _ => {}
        }
    }
    blocks
}

/// Holds an answer to the agent's schema. The sentences are the validator's, with values masked: an answer can hold
/// what must not be repeated.
pub fn validate(agent: &Agent, value: &Value) -> Result<(), Vec<Problem>> {
    let validator = jsonschema::validator_for(&agent.schema_value())
        .expect("the embedded schemas are schemas; a test builds them all");
    let mut errors = validator.iter_errors(value);
    let mut problems: Vec<Problem> = errors
        .by_ref()
        .take(SENTENCES)
        .map(|error| {
            Problem::new(
                ProblemKind::Shape,
                error.instance_path().to_string(),
                format!("{} ({})", error.masked(), agent.schema_name),
            )
        })
        .collect();
    let more = errors.count();
    if more > 0 {
        problems.push(shape(format!("{more} more of this kind ({})", agent.schema_name)));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn shape(text: String) -> Problem {
    Problem::new(ProblemKind::Shape, "", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_where_people_and_models_put_it() {
        for text in [
            "{\"a\":1}",
            "\u{FEFF} {\"a\":1}\n",
            "Here you are:\n\n```json\n{\"a\":\n1}\n```\nBye.",
            "```\n{\"a\":1}\n```",
            "> ~~~\n> {\"a\":1}\n> ~~~",
            "Sure! {\"a\":1} done",
        ] {
            assert_eq!(value(text), Ok(serde_json::json!({"a": 1})), "{text}");
        }
    }

    #[test]
    fn what_is_no_single_json_object_is_refused_with_a_sentence() {
        for (text, start) in [
            ("", "the answer holds no JSON object"),
            ("no idea", "the answer holds no JSON object"),
            ("{\"a\":", "the answer holds no JSON object that is whole"),
            ("```json\n{\"a\":\n```", "the fenced block is not JSON"),
            ("x {\"a\": nope} y", "the answer is not JSON"),
            ("```\n{}\n```\n\n```\n{}\n```", "the answer has 2 fenced blocks"),
        ] {
            let problem = value(text).unwrap_err();
            assert!(problem.text.starts_with(start), "{text}: {problem}");
        }
        let long = value(&" ".repeat(LONGEST + 1)).unwrap_err();
        assert!(long.text.contains("longer"), "{long}");
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let agent = crate::agents::made::agent("plan", "".into(), "plan.v1").unwrap();
        let problems = validate(&agent, &serde_json::json!({})).unwrap_err();
        assert_eq!(problems.len(), SENTENCES + 1, "{problems:?}");
        let last = problems[SENTENCES].to_string();
        assert!(last.ends_with("more of this kind (plan.v1)"), "{last}");
    }
}
