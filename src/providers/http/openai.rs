//! The dialect of OpenAI's chat completions (<https://platform.openai.com/docs/api-reference/chat/create>) and of all
//! who speak it.

use serde_json::{Value, json};
use url::Url;

use super::{Completion, Failure, Finish, Question, TOOL_PURPOSE, Turn, count, failure, plain_name, text};
use crate::config::{Endpoint, StructuredOutput};
use crate::workflow::budget::Usage;

pub(super) const PATH: &[&str] = &["chat", "completions"];

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
    });
    body[most_tokens(&endpoint.base_url)] = json!(endpoint.max_output_tokens);
    let name = plain_name(question.schema_name);
    match endpoint.structured_output {
        StructuredOutput::Schema => {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": name, "strict": true, "schema": question.schema },
            });
        }
        StructuredOutput::Object => body["response_format"] = json!({ "type": "json_object" }),
        // Without `strict`: those who need this mode do not all know it, and the answer is checked in any case.
        StructuredOutput::Tool => {
            body["tools"] = json!([{
                "type": "function",
                "function": { "name": name, "description": TOOL_PURPOSE, "parameters": question.schema },
            }]);
            body["tool_choice"] = json!({ "type": "function", "function": { "name": name } });
        }
        StructuredOutput::Prompt => {}
    }
    body
}

/// How the limit of an answer is named. OpenAI calls `max_tokens` deprecated and its reasoning models refuse it; DeepSeek,
/// older vLLM and most others document only `max_tokens`. Nobody documents both for all models, so the host decides.
fn most_tokens(base: &Url) -> &'static str {
    let host = base.host_str().unwrap_or_default();
    let is = |domain: &str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if is("api.openai.com") || is("openai.azure.com") {
        "max_completion_tokens"
    } else {
        "max_tokens"
    }
}

pub(super) fn read(mode: StructuredOutput, answer: &Value) -> Result<Completion, Failure> {
    let choice = answer
        .pointer("/choices/0")
        .ok_or_else(|| failure::another_shape("`choices`"))?;
    // OpenRouter reports what went wrong behind it here (https://openrouter.ai/docs/api-reference/errors).
    if let Some(failed) = failure::inside(choice) {
        return Err(failed);
    }
    let message = choice
        .get("message")
        .filter(|message| message.is_object())
        .ok_or_else(|| failure::another_shape("`choices[0].message`"))?;
    let arguments = message
        .pointer("/tool_calls/0/function/arguments")
        .filter(|_| mode == StructuredOutput::Tool);
    let text_given = match arguments {
        Some(Value::String(arguments)) => arguments.clone(),
        Some(arguments) => arguments.to_string(),
        None => content(message),
    };
    let finish = match (refusal(message), text(choice, "/finish_reason")) {
        (Some(words), _) => Finish::Refused(words),
        (None, Some("content_filter")) => Finish::Refused(String::new()),
        (None, Some("length")) => Finish::Truncated,
        // DeepSeek stops so when it has too much to do (https://api-docs.deepseek.com/api/create-chat-completion).
        (None, Some(reason @ "insufficient_system_resource")) => {
            return Err(Failure::Busy {
                status: 200,
                retry_after: None,
                said: reason.to_owned(),
            });
        }
        (None, _) => Finish::Complete,
    };
    Ok(Completion {
        text: text_given,
        finish,
        usage: usage(answer),
        model: text(answer, "/model").map(str::to_owned),
    })
}

/// Content is a text, nothing, or a list of parts.
fn content(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| text(part, "/text")).collect(),
        _ => String::new(),
    }
}

fn refusal(message: &Value) -> Option<String> {
    let own = text(message, "/refusal");
    let parts = message.get("content").and_then(Value::as_array);
    let in_parts = || parts?.iter().find_map(|part| text(part, "/refusal"));
    own.or_else(in_parts)
        .filter(|words| !words.is_empty())
        .map(str::to_owned)
}

fn usage(answer: &Value) -> Option<Usage> {
    let cached = count(answer, "/usage/prompt_tokens_details/cached_tokens")
        // DeepSeek's name for it.
        .or_else(|| count(answer, "/usage/prompt_cache_hit_tokens"));
    Some(Usage {
        input: count(answer, "/usage/prompt_tokens")?,
        cached: cached.unwrap_or(0),
        output: count(answer, "/usage/completion_tokens")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_has_the_name_that_the_host_documents() {
        for (base, name) in [
            ("https://api.openai.com/v1", "max_completion_tokens"),
            ("https://eu.api.openai.com/v1", "max_completion_tokens"),
            ("https://acme.openai.azure.com/openai/v1", "max_completion_tokens"),
            ("https://api.deepseek.com", "max_tokens"),
            ("https://notapi.openai.com.example/v1", "max_tokens"),
            ("http://127.0.0.1:8000/v1", "max_tokens"),
        ] {
            assert_eq!(most_tokens(&base.parse().unwrap()), name, "{base}");
        }
    }

    #[test]
    fn content_in_parts_is_one_text_and_a_part_may_refuse() {
        let answer = |message: Value| json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
        let parts = json!({ "content": [{ "type": "text", "text": "{" }, { "type": "text", "text": "}" }] });
        let read_one = |message| read(StructuredOutput::Schema, &answer(message)).unwrap();
        assert_eq!(read_one(parts).text, "{}");
        let refusing = json!({ "content": [{ "type": "refusal", "refusal": "No." }] });
        assert_eq!(read_one(refusing).finish, Finish::Refused("No.".into()));
        assert_eq!(
            read_one(json!({ "content": null, "refusal": null })).finish,
            Finish::Complete
        );
    }

    #[test]
    fn deepseek_counts_and_stops_in_its_own_words() {
        let answer = |reason: &str| {
            json!({
                "choices": [{ "message": { "content": "{}" }, "finish_reason": reason }],
                "usage": { "prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "completion_tokens": 2 },
            })
        };
        let completion = read(StructuredOutput::Object, &answer("stop")).unwrap();
        let counted = Usage {
            input: 9,
            cached: 4,
            output: 2,
        };
        assert_eq!(completion.usage, Some(counted));
        let stopped = read(StructuredOutput::Object, &answer("insufficient_system_resource"));
        assert!(matches!(stopped, Err(Failure::Busy { status: 200, .. })));
    }

    #[test]
    fn an_error_inside_a_choice_is_that_error() {
        let answer = json!({ "choices": [{
            "finish_reason": "error",
            "message": { "content": "" },
            "error": { "code": 502, "message": "the provider is away" },
        }] });
        let failed = read(StructuredOutput::Prompt, &answer).unwrap_err();
        assert_eq!(
            failed,
            Failure::Busy {
                status: 502,
                retry_after: None,
                said: "the provider is away".into()
            }
        );
    }
}
