//! The dialect of Ollama's chat (<https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>).

use serde_json::{Value, json};

use super::{Completion, Failure, Finish, Question, TOOL_PURPOSE, Turn, count, failure, plain_name, text};
use crate::config::{Endpoint, StructuredOutput};
use crate::workflow::budget::Usage;

pub(super) const PATH: &[&str] = &["api", "chat"];

pub(super) fn body(endpoint: &Endpoint, question: &Question<'_>) -> Value {
    let system = (!question.system.is_empty()).then(|| json!({ "role": "system", "content": question.system }));
    let turns = question.turns.iter().map(|turn| match turn {
        Turn::User(text) => json!({ "role": "user", "content": text }),
        Turn::Assistant(text) => json!({ "role": "assistant", "content": text }),
    });
    let mut body = json!({
        "model": endpoint.model,
        "messages": system.into_iter().chain(turns).collect::<Vec<_>>(),
        "stream": false,
        // Of a prompt that is longer than `num_ctx`, which is small unless set, it drops the beginning without a word.
        "options": { "num_predict": endpoint.max_output_tokens, "num_ctx": endpoint.context_tokens },
    });
    match endpoint.structured_output {
        StructuredOutput::Schema => body["format"] = question.schema.clone(),
        StructuredOutput::Object => body["format"] = json!("json"),
        // It knows no way to force the call, so an answer without one is read as text.
        StructuredOutput::Tool => {
            body["tools"] = json!([{
                "type": "function",
                "function": {
                    "name": plain_name(question.schema_name),
                    "description": TOOL_PURPOSE,
                    "parameters": question.schema,
                },
            }]);
        }
        StructuredOutput::Prompt => {}
    }
    body
}

pub(super) fn read(mode: StructuredOutput, answer: &Value) -> Result<Completion, Failure> {
    let message = answer
        .get("message")
        .filter(|message| message.is_object())
        .ok_or_else(|| failure::another_shape("`message`"))?;
    let arguments = message
        .pointer("/tool_calls/0/function/arguments")
        .filter(|_| mode == StructuredOutput::Tool);
    let finish = match text(answer, "/done_reason") {
        Some("length") => Finish::Truncated,
        _ => Finish::Complete,
    };
    Ok(Completion {
        // What it thought stands in `thinking`, apart.
        text: match arguments {
            Some(arguments) => arguments.to_string(),
            None => text(message, "/content").unwrap_or_default().to_owned(),
        },
        finish,
        usage: usage(answer),
        model: text(answer, "/model").map(str::to_owned),
    })
}

fn usage(answer: &Value) -> Option<Usage> {
    Some(Usage {
        input: count(answer, "/prompt_eval_count")?,
        cached: 0,
        output: count(answer, "/eval_count")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_was_not_called_leaves_the_text() {
        let called = json!({ "message": {
            "content": "", "thinking": "hm", "tool_calls": [{ "function": { "name": "x", "arguments": { "a": 1 } } }],
        } });
        let not_called = json!({ "message": { "content": "{\"a\":2}", "thinking": "hm" } });
        let read_text = |answer| read(StructuredOutput::Tool, answer).unwrap().text;
        assert_eq!(read_text(&called), "{\"a\":1}");
        assert_eq!(read_text(&not_called), "{\"a\":2}");
    }
}
