//! Ollama's chat (<https://github.com/ollama/ollama/blob/main/docs/api.md>).

use serde_json::{Map, Value, json};

use super::asked::{self, Asked, Headers, Mode, Refusal, object, positive, schema, string};
use super::serve::Said;
use super::{Dialect, MODEL, reply};

const KEYS: &[&str] = &["model", "messages", "stream", "format", "options", "tools"];

pub(super) fn read(headers: &Headers, body: &Value, key: Option<&str>) -> Result<Asked, Refusal> {
    asked::bearer(headers, key)?;
    let map = object(body, "body", KEYS)?;
    let (system, (user_turns, assistant_turns)) = asked::messages(map, true)?;
    // It streams unless told not to.
    if map.get("stream") != Some(&Value::Bool(false)) {
        Err("stream: must be false, this script does not stream".to_owned())?;
    }
    if let Some(options) = map.get("options") {
        let options = object(options, "options", &["num_ctx", "num_predict"])?;
        options.keys().try_for_each(|key| positive(options, key))?;
    }
    let (mode, schema_name, schema) = form(map)?;
    asked::model(string(map, "model")?, |name| format!("model '{name}' not found"))?;
    Ok(Asked {
        dialect: Dialect::Ollama,
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
    match (map.contains_key("tools"), map.get("format")) {
        (true, Some(_)) => Err("format: this script takes a format or a tool".to_owned()),
        (true, None) => {
            let (name, schema) = asked::function_tool(map)?;
            Ok((Mode::Tool, Some(name), Some(schema)))
        }
        (false, None) => Ok((Mode::Prompt, None, None)),
        (false, Some(Value::String(json))) if json == "json" => Ok((Mode::Object, None, None)),
        (false, Some(_)) => Ok((Mode::Schema, None, Some(schema(map, "format")?))),
    }
}

pub(super) fn answer(asked: &Asked, said: &Said) -> Value {
    // The arguments of a call are an object; where the text is none, the model is one that did not call.
    let arguments = || serde_json::from_str::<Value>(&said.text).ok().filter(Value::is_object);
    let call = asked
        .schema_name
        .as_ref()
        .filter(|_| asked.mode == Mode::Tool)
        .zip(arguments());
    let message = match (&said.end, call) {
        (reply::End::Refuses(words), _) => json!({ "role": "assistant", "content": words }),
        (reply::End::Said, Some((name, arguments))) => json!({
            "role": "assistant",
            "content": "",
            "tool_calls": [{ "function": { "name": name, "arguments": arguments } }],
        }),
        _ => json!({ "role": "assistant", "content": said.text }),
    };
    let reason = if said.end == reply::End::Limit {
        "length"
    } else {
        "stop"
    };
    let mut answer = json!({
        "model": MODEL,
        "created_at": "2023-11-14T22:13:20Z",
        "message": message,
        "done": true,
        "done_reason": reason,
        "total_duration": 1,
    });
    if let Some(counts) = said.counts {
        answer["prompt_eval_count"] = json!(counts.input);
        answer["eval_count"] = json!(counts.output);
    }
    answer
}

pub(super) fn error(refusal: &Refusal) -> Value {
    json!({ "error": refusal.message })
}

/// The path of this dialect.
pub(super) fn is_path(path: &str) -> bool {
    path == "/api/chat"
}
