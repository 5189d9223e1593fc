//! Gemini's generateContent (<https://ai.google.dev/api/generate-content>).

use serde_json::{Map, Value, json};

use super::asked::{self, Asked, Headers, Mode, Refusal, list, name, object, positive, schema, string};
use super::serve::Said;
use super::{Dialect, MODEL, reply};

const KEYS: &[&str] = &[
    "contents",
    "systemInstruction",
    "generationConfig",
    "tools",
    "toolConfig",
];

pub(super) fn read(path: &str, headers: &Headers, body: &Value, key: Option<&str>) -> Result<Asked, Refusal> {
    match (key, headers.get("x-goog-api-key")) {
        (None, _) => {}
        (Some(key), Some(given)) if given == key => {}
        (Some(_), Some(given)) => {
            // It says 400 of a wrong key and 403 of none.
            return Err(Refusal {
                status: 400,
                message: format!("API key not valid: {given}. Please pass a valid API key."),
                details: Some(json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                }])),
            });
        }
        (Some(_), None) => {
            return Err(Refusal::new(403, "Method doesn't allow unregistered callers."));
        }
    }
    let map = object(body, "body", KEYS)?;
    let mut turns = Vec::new();
    for content in list(map, "contents")? {
        let content = object(content, "contents", &["role", "parts"])?;
        turns.push((string(content, "role")?, parts(content)?));
    }
    let (user_turns, assistant_turns) = asked::alternating(turns, "model")?;
    let system = match map.get("systemInstruction") {
        None => String::new(),
        Some(system) => parts(object(system, "systemInstruction", &["role", "parts"])?)?,
    };
    let (mode, schema_name, schema) = form(map)?;
    let model = path.trim_start_matches("/v1beta/models/").trim_end_matches(CALL);
    asked::model(model, |name| {
        format!("models/{name} is not found for API version v1beta, or is not supported for generateContent.")
    })?;
    Ok(Asked {
        dialect: Dialect::Gemini,
        mode,
        system,
        user_turns,
        assistant_turns,
        schema_name,
        schema,
    })
}

fn parts(content: &Map<String, Value>) -> Result<String, String> {
    let mut text = String::new();
    for part in list(content, "parts")? {
        text.push_str(string(object(part, "parts", &["text"])?, "text")?);
    }
    Ok(text)
}

type Form = (Mode, Option<String>, Option<Value>);

fn form(map: &Map<String, Value>) -> Result<Form, String> {
    const CONFIG: &[&str] = &["maxOutputTokens", "responseMimeType", "responseJsonSchema"];
    let none = json!({});
    let config = object(map.get("generationConfig").unwrap_or(&none), "generationConfig", CONFIG)?;
    if config.contains_key("maxOutputTokens") {
        positive(config, "maxOutputTokens")?;
    }
    let json = match config.get("responseMimeType").map(Value::as_str) {
        None | Some(Some("text/plain")) => false,
        Some(Some("application/json")) => true,
        Some(_) => return Err("responseMimeType: must be text/plain or application/json".to_owned()),
    };
    if map.contains_key("tools") {
        if json {
            return Err("Function calling with a response mime type: 'application/json' is unsupported".to_owned());
        }
        return tool(map);
    }
    if map.contains_key("toolConfig") {
        return Err("toolConfig: must not be set without tools".to_owned());
    }
    match (json, config.contains_key("responseJsonSchema")) {
        (true, true) => Ok((Mode::Schema, None, Some(schema(config, "responseJsonSchema")?))),
        (true, false) => Ok((Mode::Object, None, None)),
        (false, true) => Err("responseJsonSchema: needs the responseMimeType application/json".to_owned()),
        (false, false) => Ok((Mode::Prompt, None, None)),
    }
}

fn tool(map: &Map<String, Value>) -> Result<Form, String> {
    let [tool] = list(map, "tools")? else {
        return Err("tools: this script takes one".to_owned());
    };
    let [function] = list(
        object(tool, "tools", &["functionDeclarations"])?,
        "functionDeclarations",
    )?
    else {
        return Err("functionDeclarations: this script takes one".to_owned());
    };
    let function = object(
        function,
        "functionDeclarations",
        &["name", "description", "parametersJsonSchema"],
    )?;
    let function_name = name(function)?;
    if !function_name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err("name: must start with a letter or an underscore".to_owned());
    }
    string(function, "description")?;
    let forced = json!({ "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": [function_name] } });
    if map.get("toolConfig") != Some(&forced) {
        return Err("toolConfig: this script takes the one function, forced".to_owned());
    }
    let schema = schema(function, "parametersJsonSchema")?;
    Ok((Mode::Tool, Some(function_name.to_owned()), Some(schema)))
}

pub(super) fn answer(asked: &Asked, said: &Said) -> Value {
    // The arguments of a call are an object; where the text is none, the model is one that did not call.
    let args = || serde_json::from_str::<Value>(&said.text).ok().filter(Value::is_object);
    let call = asked
        .schema_name
        .as_ref()
        .filter(|_| asked.mode == Mode::Tool)
        .zip(args());
    let mut answer = match (&said.end, call) {
        (reply::End::Refuses(_), _) => json!({ "promptFeedback": { "blockReason": "SAFETY" } }),
        (reply::End::Said, Some((name, args))) => candidate(
            json!({ "role": "model", "parts": [{ "functionCall": { "name": name, "args": args } }] }),
            "STOP",
        ),
        (end, _) => {
            let reason = if *end == reply::End::Limit {
                "MAX_TOKENS"
            } else {
                "STOP"
            };
            let content = if said.text.is_empty() {
                json!({ "role": "model" })
            } else {
                json!({ "role": "model", "parts": [{ "text": said.text }] })
            };
            candidate(content, reason)
        }
    };
    answer["modelVersion"] = json!(MODEL);
    if let Some(counts) = said.counts {
        answer["usageMetadata"] = json!({
            "promptTokenCount": counts.input,
            "cachedContentTokenCount": counts.cached,
            "candidatesTokenCount": counts.output,
            "totalTokenCount": counts.input + counts.output,
        });
    }
    answer
}

fn candidate(content: Value, reason: &str) -> Value {
    json!({ "candidates": [{ "content": content, "finishReason": reason, "index": 0 }] })
}

pub(super) fn error(refusal: &Refusal) -> Value {
    let status = match refusal.status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "FAILED_PRECONDITION",
    };
    let mut error = json!({ "code": refusal.status, "message": refusal.message, "status": status });
    if let Some(details) = &refusal.details {
        error["details"] = details.clone();
    }
    json!({ "error": error })
}

const CALL: &str = ":generateContent";

/// The paths of this dialect.
pub(super) fn is_path(path: &str) -> bool {
    path.strip_prefix("/v1beta/models/")
        .and_then(|rest| rest.strip_suffix(CALL))
        .is_some_and(|model| !model.is_empty() && !model.contains('/'))
}
