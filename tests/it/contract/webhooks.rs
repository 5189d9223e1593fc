//! Webhook payloads, held to GitHub's schemas.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::schema;

static WEBHOOKS: LazyLock<Webhooks> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/github-webhooks.json")).expect("tests/data/github-webhooks.json")
});

#[derive(Deserialize)]
struct Webhooks {
    /// JSON Schema draft-07.
    schemas: Source,
    /// OpenAPI 3.0, for what the first lacks.
    description: Source,
    #[serde(skip)]
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

#[derive(Deserialize)]
struct Source {
    events: BTreeMap<String, Value>,
    definitions: Value,
}

/// Holds a payload to GitHub's schema for its event (`X-GitHub-Event`) and `action`.
///
/// An error names every fault. An event or action without a schema is an error too: GitHub does not send it, or
/// `scripts/github-webhooks.txt` lacks it.
pub fn check_webhook(event: &str, payload: &Value) -> Result<(), String> {
    let name = match payload.get("action").and_then(Value::as_str) {
        Some(action) => format!("{event}.{action}"),
        None => event.to_owned(),
    };
    let validator = WEBHOOKS.validator(&name).ok_or_else(|| {
        format!(
            "{name}: not in tests/data/github-webhooks.json. If GitHub sends it, add it to scripts/github-webhooks.txt \
             and run `node scripts/trim-webhooks.mjs`"
        )
    })?;
    schema::validate(&validator, payload, &name)
}

/// The events (`event` or `event.action`) that have a schema.
pub fn known() -> impl Iterator<Item = &'static str> {
    WEBHOOKS
        .schemas
        .events
        .keys()
        .chain(WEBHOOKS.description.events.keys())
        .map(String::as_str)
}

impl Webhooks {
    fn validator(&self, name: &str) -> Option<Arc<Validator>> {
        let mut compiled = self.compiled.lock().expect("no compilation panicked");
        if let Some(validator) = compiled.get(name) {
            return Some(Arc::clone(validator));
        }
        let validator = if let Some(root) = self.schemas.events.get(name) {
            schema::compile_draft7(root, &self.schemas.definitions)
        } else {
            let root = self.description.events.get(name)?;
            schema::compile_openapi_definitions(root, &self.description.definitions)
        };
        Some(Arc::clone(
            compiled.entry(name.to_owned()).or_insert(Arc::new(validator)),
        ))
    }
}
