//! The dialect of Anthropic's messages (<https://docs.anthropic.com/en/api/messages>).

use serde_json::{Value, json};

use super::{Completion, Failure, Finish, Question, TOOL_PURPOSE, Turn, count, failure, plain_name, text};
use crate::config::{Endpoint, StructuredOutput};
use crate::workflow::budget::Usage;

pub(super) const PATH: &[&str] = &["v1", "messages"];

/// The version of the API (<https://docs.anthropic.com/en/api/versioning>).
pub(super) const VERSION: &str = "2023-06-01";

pub(super) fn body(endpoint: &Endpoint, question: &Question<'_>) -> Value {
    let turns = question.turns.iter().map(|turn| match turn {
        Turn::User(text) => json!({ "role": "user", "content": text }),
        Turn::Assistant(text) => json!({ "role": "assistant", "content": text }),
    });
    let mut body = json!({
        "model": endpoint.model,
        "max_tokens": endpoint.max_output_tokens,
        "messages": turns.collect::<Vec<_>>(),
        "stream": false,
    });
    // A blank text is refused where a text may stand.
    if !question.system.is_empty() {
        body["system"] = json!(question.system);
    }
    match endpoint.structured_output {
        StructuredOutput::Schema => {
            body["output_config"] = json!({ "format": { "type": "json_schema", "schema": question.schema } });
        }
        // Without `strict`, which only some of the models know; the answer is checked in any case.
        StructuredOutput::Tool => {
            let name = plain_name(question.schema_name);
            body["tools"] = json!([{ "name": name, "description": TOOL_PURPOSE, "input_schema": question.schema }]);
            body["tool_choice"] = json!({ "type": "tool", "name": name });
        }
        // It has no mode for JSON of any shape.
        StructuredOutput::Object | StructuredOutput::Prompt => {}
    }
    body
}

pub(super) fn read(mode: StructuredOutput, answer: &Value) -> Result<Completion, Failure> {
    let blocks = answer
        .get("content")
        .and_then(Value::as_array)
        .ok_or_else(|| failure::another_shape("`content`"))?;
    let kind = |wanted: &'static str| blocks.iter().filter(move |block| text(block, "/type") == Some(wanted));
    let written: String = kind("text").filter_map(|block| text(block, "/text")).collect();
    let arguments = kind("tool_use")
        .find_map(|block| block.get("input"))
        .filter(|_| mode == StructuredOutput::Tool);
    let finish = match text(answer, "/stop_reason") {
        Some("max_tokens" | "model_context_window_exceeded") => Finish::Truncated,
        Some("refusal") => {
            let explained = text(answer, "/stop_details/explanation").filter(|words| !words.is_empty());
            Finish::Refused(explained.unwrap_or(&written).to_owned())
        }
        _ => Finish::Complete,
    };
    Ok(Completion {
        text: arguments.map_or(written, Value::to_string),
        finish,
        usage: usage(answer),
        model: text(answer, "/model").map(str::to_owned),
    })
}

/// What was read from the cache and what was written to it are not in `input_tokens`
/// (<https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>).
fn usage(answer: &Value) -> Option<Usage> {
    let cached = count(answer, "/usage/cache_read_input_tokens").unwrap_or(0);
    let created = count(answer, "/usage/cache_creation_input_tokens").unwrap_or(0);
    Some(Usage {
        input: count(answer, "/usage/input_tokens")?
            .saturating_add(cached)
            .saturating_add(created),
        cached,
        output: count(answer, "/usage/output_tokens")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_no_text_and_the_cache_is_counted_as_given() {
        let answer = json!({
            "content": [
                { "type": "thinking", "thinking": "hm", "signature": "x" },
                { "type": "text", "text": "{\"a\":" },
                { "type": "text", "text": "1}" },
            ],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 11, "output_tokens": 3,
            },
        });
        let completion = read(StructuredOutput::Schema, &answer).unwrap();
        assert_eq!(completion.text, "{\"a\":1}");
        let counted = Usage {
            input: 23,
            cached: 7,
            output: 3,
        };
        assert_eq!(completion.usage, Some(counted));
    }

    #[test]
    fn a_full_window_is_a_truncated_answer_and_a_refusal_keeps_its_words() {
        let stopped = |reason: &str| json!({ "content": [{ "type": "text", "text": "No." }], "stop_reason": reason });
        let finish = |reason| read(StructuredOutput::Prompt, &stopped(reason)).unwrap().finish;
        assert_eq!(finish("model_context_window_exceeded"), Finish::Truncated);
        assert_eq!(finish("refusal"), Finish::Refused("No.".into()));
        assert_eq!(finish("stop_sequence"), Finish::Complete);
    }
}
