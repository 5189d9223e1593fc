//! Anthropic's messages (<https://docs.anthropic.com/en/api/messages>).

use serde_json::{Map, Value, json};

use super::asked::{self, Asked, Headers, Mode, Refusal, list, name, not_streaming, object, positive, schema, string};
use super::serve::Said;
use super::{Dialect, MODEL, reply};

const KEYS: &[&str] = &[
    "model",
    "max_tokens",
    "messages",
    "system",
    "stream",
    "output_config",
    "tools",
    "tool_choice",
];

pub(super) fn read(headers: &Headers, body: &Value, key: Option<&str>) -> Result<Asked, Refusal> {
    match (key, headers.get("x-api-key")) {
        (None, _) => {}
        (Some(key), Some(given)) if given == key => {}
        (Some(_), Some(given)) => return Err(Refusal::new(401, format!("invalid x-api-key: {given}"))),
        (Some(_), None) => return Err(Refusal::new(401, "x-api-key header is required")),
    }
    if headers.get("anthropic-version").map(String::as_str) != Some("2023-06-01") {
        Err("anthropic-version: header is required and must be 2023-06-01".to_owned())?;
    }
    let map = object(body, "body", KEYS)?;
    positive(map, "max_tokens")?;
    not_streaming(map)?;
    let (_, (user_turns, assistant_turns)) = asked::messages(map, false)?;
    let system = match map.get("system") {
        None => "",
        Some(_) => string(map, "system")?,
    };
    let (mode, schema_name, schema) = form(map)?;
    asked::model(string(map, "model")?, |name| format!("model: {name}"))?;
    Ok(Asked {
        dialect: Dialect::Anthropic,
        mode,
        system: system.to_owned(),
        user_turns,
        assistant_turns,
        schema_name,
        schema,
    })
}

type Form = (Mode, Option<String>, Option<Value>);

fn form(map: &Map<String, Value>) -> Result<Form, String> {
    if map.contains_key("tools") {
        let [tool] = list(map, "tools")? else {
            return Err("tools: this script takes one".to_owned());
        };
        let tool = object(tool, "tools", &["name", "description", "input_schema", "strict"])?;
        let tool_name = name(tool)?;
        if map.get("tool_choice") != Some(&json!({ "type": "tool", "name": tool_name })) {
            return Err("tool_choice: this script takes the one tool, forced".to_owned());
        }
        let schema = schema(tool, "input_schema")?;
        return Ok((Mode::Tool, Some(tool_name.to_owned()), Some(schema)));
    }
    if map.contains_key("tool_choice") {
        return Err("tool_choice: may only be specified while providing tools".to_owned());
    }
    let Some(config) = map.get("output_config") else {
        return Ok((Mode::Prompt, None, None));
    };
    let config = object(config, "output_config", &["format"])?;
    let format = config.get("format").unwrap_or(&Value::Null);
    let format = object(format, "output_config.format", &["type", "schema"])?;
    if string(format, "type")? != "json_schema" {
        return Err("output_config.format.type: must be json_schema".to_owned());
    }
    Ok((Mode::Schema, None, Some(schema(format, "schema")?)))
}

pub(super) fn answer(asked: &Asked, said: &Said) -> Value {
    // The input of a tool is an object; where the text is none, the model is one that did not call.
    let input = || serde_json::from_str::<Value>(&said.text).ok().filter(Value::is_object);
    let call = asked
        .schema_name
        .as_ref()
        .filter(|_| asked.mode == Mode::Tool)
        .zip(input());
    let (content, reason) = match (&said.end, call) {
        (reply::End::Refuses(words), _) => (json!([{ "type": "text", "text": words }]), "refusal"),
        (reply::End::Limit, _) => (json!([{ "type": "text", "text": said.text }]), "max_tokens"),
        (reply::End::Said, Some((name, input))) => (
            json!([{ "type": "tool_use", "id": "toolu_1", "name": name, "input": input }]),
            "tool_use",
        ),
        (reply::End::Said, None) if said.text.is_empty() => (json!([]), "end_turn"),
        (reply::End::Said, None) => (json!([{ "type": "text", "text": said.text }]), "end_turn"),
    };
    let mut answer = json!({
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": null,
    });
    if let Some(counts) = said.counts {
        answer["usage"] = json!({
            "input_tokens": counts.input - counts.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": counts.cached,
            "output_tokens": counts.output,
        });
    }
    answer
}

pub(super) fn error(refusal: &Refusal) -> Value {
    let kind = match refusal.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": refusal.message }, "request_id": "req_1" })
}

/// The path of this dialect.
pub(super) fn is_path(path: &str) -> bool {
    path == "/v1/messages"
}
