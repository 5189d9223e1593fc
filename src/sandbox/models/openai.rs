//! OpenAI's chat completions (<https://platform.openai.com/docs/api-reference/chat/create>), and the older names that
//! those who speak it know as well.

use serde_json::{Map, Value, json};

use super::asked::{self, Asked, Headers, Mode, Refusal, name, not_streaming, object, positive, schema, string};
use super::serve::Said;
use super::{Dialect, MODEL, reply};

const KEYS: &[&str] = &[
    "model",
    "messages",
    "stream",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "tools",
    "tool_choice",
];

pub(super) fn read(headers: &Headers, body: &Value, key: Option<&str>) -> Result<Asked, Refusal> {
    asked::bearer(headers, key)?;
    let map = object(body, "body", KEYS)?;
    let (system, (user_turns, assistant_turns)) = asked::messages(map, true)?;
    not_streaming(map)?;
    match (
        map.contains_key("max_tokens"),
        map.contains_key("max_completion_tokens"),
    ) {
        (true, true) => Err("max_tokens and max_completion_tokens cannot both be set".to_owned())?,
        (true, false) => positive(map, "max_tokens")?,
        (false, true) => positive(map, "max_completion_tokens")?,
        (false, false) => {}
    }
    let (mode, schema_name, schema) = form(map)?;
    // As documented: without the word the model may write blanks until its limit.
    let mentions_json = |text: &String| text.to_lowercase().contains("json");
    if mode == Mode::Object && !mentions_json(&system) && !user_turns.iter().any(mentions_json) {
        Err(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
                .to_owned(),
        )?;
    }
    asked::model(string(map, "model")?, |name| {
        format!("The model `{name}` does not exist or you do not have access to it.")
    })?;
    Ok(Asked {
        dialect: Dialect::OpenAi,
        mode,
        system,
        user_turns,
        assistant_turns,
        schema_name,
        schema,
    })
}

type Form = (Mode, Option<String>, Option<Value>);

fn form(map: &Map<String, Value>) -> Result<Form, String> {
    if map.contains_key("tools") {
        let (tool, schema) = asked::function_tool(map)?;
        let forced = json!({ "type": "function", "function": { "name": tool } });
        if map.get("tool_choice") != Some(&forced) {
            return Err("tool_choice: this script takes the one tool, forced".to_owned());
        }
        return Ok((Mode::Tool, Some(tool), Some(schema)));
    }
    if map.contains_key("tool_choice") {
        return Err("tool_choice: is only allowed when tools are specified".to_owned());
    }
    let Some(format) = map.get("response_format") else {
        return Ok((Mode::Prompt, None, None));
    };
    match format.get("type").and_then(Value::as_str) {
        Some("json_object") => {
            object(format, "response_format", &["type"])?;
            Ok((Mode::Object, None, None))
        }
        Some("json_schema") => {
            let format = object(format, "response_format", &["type", "json_schema"])?;
            let inner = format.get("json_schema").unwrap_or(&Value::Null);
            let inner = object(inner, "json_schema", &["name", "description", "strict", "schema"])?;
            let schema = schema(inner, "schema")?;
            match inner.get("strict") {
                Some(Value::Bool(true)) => strict(&schema)?,
                None | Some(Value::Bool(false)) => {}
                Some(_) => return Err("strict: must be a boolean".to_owned()),
            }
            Ok((Mode::Schema, Some(name(inner)?.to_owned()), Some(schema)))
        }
        _ => Err("response_format: unknown type".to_owned()),
    }
}

/// The subset of strict mode: every object closed, every property required.
fn strict(schema: &Value) -> Result<(), String> {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |key: &String| required.is_some_and(|list| list.contains(&json!(key)));
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) || !properties.keys().all(is_required) {
            return Err("schema: in strict mode additionalProperties must be false and every key required".to_owned());
        }
        properties.values().try_for_each(strict)?;
    }
    schema.get("items").map_or(Ok(()), strict)
}

pub(super) fn answer(asked: &Asked, said: &Said) -> Value {
    let mut message = json!({ "role": "assistant", "content": said.text, "refusal": null });
    let mut reason = "stop";
    match &said.end {
        reply::End::Refuses(words) => {
            message["content"] = Value::Null;
            message["refusal"] = json!(words);
        }
        end => {
            if let (Mode::Tool, Some(name)) = (asked.mode, &asked.schema_name) {
                message["content"] = Value::Null;
                message["tool_calls"] = json!([{
                    "id": "call_1", "type": "function", "function": { "name": name, "arguments": said.text },
                }]);
            }
            if *end == reply::End::Limit {
                reason = "length";
            }
        }
    }
    let mut answer = json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
    });
    if let Some(counts) = said.counts {
        answer["usage"] = json!({
            "prompt_tokens": counts.input,
            "completion_tokens": counts.output,
            "total_tokens": counts.input + counts.output,
            "prompt_tokens_details": { "cached_tokens": counts.cached },
        });
    }
    answer
}

pub(super) fn error(refusal: &Refusal) -> Value {
    let (kind, code) = match refusal.status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({ "error": { "message": refusal.message, "type": kind, "param": null, "code": code } })
}

/// The path of this dialect.
pub(super) fn is_path(path: &str) -> bool {
    path == "/v1/chat/completions"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_mode_takes_closed_objects_only() {
        let closed = json!({ "type": "object", "additionalProperties": false, "required": ["a"],
            "properties": { "a": { "type": "array", "items": { "type": "string" } } } });
        assert_eq!(strict(&closed), Ok(()));
        let mut open = closed.clone();
        open["properties"]["a"]["items"] = json!({ "type": "object", "properties": { "b": { "type": "string" } } });
        assert!(strict(&open).is_err());
        let mut optional = closed;
        optional["required"] = json!([]);
        assert!(strict(&optional).is_err());
    }
}
