//! Writing prompts.
//!
//! Everything that people wrote reaches the template as one JSON text between two lines that carry a digest of it.
//! JSON keeps it on lines of its own making (a line break in a text is `\n`), so that no text can end its block, and
//! `<`, `>`, `&` and the backtick are written as escapes, so that it cannot end a fence or open a tag where it is shown.

use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::{Agent, Inputs, PromptError};
use crate::workflow::ids::Digest;

/// Instructions that a template may use up: far beyond what ours need, far below what a loop of a changed one takes.
const FUEL: u64 = 200_000;

/// What a prompt is written from.
#[derive(Debug)]
pub struct Brief {
    /// What the host knows: days, names, limits.
    pub facts: serde_json::Value,
    /// What people wrote.
    pub data: serde_json::Value,
}

pub fn write(agent: &Agent, inputs: &Inputs) -> Result<String, PromptError> {
    let brief = (agent.brief)(inputs)?;
    let data = encoded(&brief.data);
    let fence = Digest::of_bytes(data.as_bytes()).short();
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
        .render_named_str(
            agent.name,
            agent.prompt_template,
            context! {
                facts => Value::from(encoded(&brief.facts)),
                data => Value::from(data),
                fence => Value::from(fence),
                schema_name => Value::from(agent.schema_name),
                schema => Value::from(agent.schema.trim()),
            },
        )
        .map_err(|source| PromptError::Template {
            agent: agent.name,
            source,
        })
}

/// JSON, an array's elements on lines of their own, without a character that could mean something around it.
fn encoded(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
            format!("[\n{}\n]", lines.join(",\n"))
        }
        other => other.to_string(),
    };
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        // These occur in JSON only inside strings, where an escape means the same.
        match c {
            '<' | '>' | '&' | '`' => encoded.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => encoded.push(c),
        }
    }
    encoded
}
