//! What was asked, whatever the dialect, and the checks that all dialects share.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Dialect, MODEL};

/// What a model was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// In which dialect.
    pub dialect: Dialect,
    /// How it was asked for JSON.
    pub mode: Mode,
    /// What it was told to be.
    pub system: String,
    /// What the user said, turn by turn.
    pub user_turns: Vec<String>,
    /// What it answered before, turn by turn.
    pub assistant_turns: Vec<String>,
    /// The name of the answer's schema or tool, where the dialect has a place for it.
    pub schema_name: Option<String>,
    /// The schema, where it was sent beside the prompt.
    pub schema: Option<Value>,
}

/// How an answer in JSON is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By a schema.
    Schema,
    /// As some object.
    Object,
    /// By a tool.
    Tool,
    /// By the prompt alone.
    Prompt,
}

impl Asked {
    /// The prompt's bytes by 3.5, rounded up.
    pub fn estimated_tokens(&self) -> u64 {
        let turns = self.user_turns.iter().chain(&self.assistant_turns);
        estimate(self.system.len() + turns.map(String::len).sum::<usize>())
    }
}

pub(super) fn estimate(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(2).div_ceil(7)
}

/// A request that is not taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub status: u16,
    pub message: String,
    /// Gemini's `details`.
    pub details: Option<Value>,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: None,
        }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::new(400, message)
    }
}

/// The headers, their names in lower case.
pub(super) type Headers = BTreeMap<String, String>;

/// An object with no other keys than these.
pub(super) fn object<'a>(value: &'a Value, at: &str, keys: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let map = value.as_object().ok_or_else(|| format!("{at}: must be an object"))?;
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(unknown) => Err(format!("{at}: unknown key {unknown}")),
        None => Ok(map),
    }
}

pub(super) fn list<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], String> {
    match map.get(key).and_then(Value::as_array) {
        Some(list) if !list.is_empty() => Ok(list),
        _ => Err(format!("{key}: must be a list that is not empty")),
    }
}

pub(super) fn string<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    match map.get(key).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("{key}: must be a text that is not empty")),
    }
}

pub(super) fn positive(map: &Map<String, Value>, key: &str) -> Result<(), String> {
    match map.get(key).and_then(Value::as_u64) {
        Some(1..) => Ok(()),
        _ => Err(format!("{key}: must be a whole number above 0")),
    }
}

/// It does not stream: the key is missing or false.
pub(super) fn not_streaming(map: &Map<String, Value>) -> Result<(), String> {
    match map.get("stream") {
        None | Some(Value::Bool(false)) => Ok(()),
        Some(_) => Err("stream: this script does not stream".to_owned()),
    }
}

pub(super) fn model(name: &str, refusal: impl FnOnce(&str) -> String) -> Result<(), Refusal> {
    if name == MODEL {
        Ok(())
    } else {
        Err(Refusal::new(404, refusal(name)))
    }
}

/// A name as schemas, tools and functions may have it.
pub(super) fn name(map: &Map<String, Value>) -> Result<&str, String> {
    let name = string(map, "name")?;
    let fits = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    fits.then_some(name)
        .ok_or_else(|| format!("name: {name} does not match ^[a-zA-Z0-9_-]{{1,64}}$"))
}

/// A JSON schema of an object.
pub(super) fn schema(map: &Map<String, Value>, key: &str) -> Result<Value, String> {
    match map.get(key) {
        Some(schema) if schema.get("type") == Some(&Value::from("object")) => Ok(schema.clone()),
        _ => Err(format!("{key}: must be a JSON schema of an object")),
    }
}

/// Turns of two roles in turn, the user's first and last.
pub(super) fn alternating(turns: Vec<(&str, String)>, model: &str) -> Result<(Vec<String>, Vec<String>), String> {
    if turns.len().is_multiple_of(2) {
        return Err("the first and the last turn must be the user's".to_owned());
    }
    let (mut user_turns, mut assistant_turns) = (Vec::new(), Vec::new());
    for (place, (role, text)) in turns.into_iter().enumerate() {
        match place % 2 {
            0 if role == "user" => user_turns.push(text),
            1 if role == model => assistant_turns.push(text),
            _ => return Err(format!("turn {place}: roles must alternate between user and {model}")),
        }
    }
    Ok((user_turns, assistant_turns))
}

/// The turns of `messages`, and the system's text where the dialect puts it there.
pub(super) fn messages(map: &Map<String, Value>, with_system: bool) -> Result<(String, Turns), String> {
    let mut system = String::new();
    let mut turns = Vec::new();
    for (place, message) in list(map, "messages")?.iter().enumerate() {
        let message = object(message, "messages", &["role", "content"])?;
        let (role, content) = (string(message, "role")?, string(message, "content")?);
        if place == 0 && with_system && role == "system" {
            system = content.to_owned();
        } else {
            turns.push((role, content.to_owned()));
        }
    }
    Ok((system, alternating(turns, "assistant")?))
}

/// The user's turns and the assistant's.
pub(super) type Turns = (Vec<String>, Vec<String>);

/// The one tool of a list, as OpenAI and Ollama write it: its name and its schema.
pub(super) fn function_tool(map: &Map<String, Value>) -> Result<(String, Value), String> {
    let [tool] = list(map, "tools")? else {
        return Err("tools: this script takes one".to_owned());
    };
    let tool = object(tool, "tools", &["type", "function"])?;
    if string(tool, "type")? != "function" {
        return Err("tools: type must be function".to_owned());
    }
    let function = tool.get("function").unwrap_or(&Value::Null);
    let function = object(function, "function", &["name", "description", "parameters", "strict"])?;
    Ok((name(function)?.to_owned(), schema(function, "parameters")?))
}

/// Whether a bearer's key is the right one.
pub(super) fn bearer(headers: &Headers, key: Option<&str>) -> Result<(), Refusal> {
    let Some(key) = key else {
        return Ok(());
    };
    match headers.get("authorization") {
        Some(given) if given.strip_prefix("Bearer ") == Some(key) => Ok(()),
        Some(given) => Err(Refusal::new(401, format!("Incorrect API key provided: {given}."))),
        None => Err(Refusal::new(
            401,
            "No API key was provided in the header Authorization.",
        )),
    }
}
