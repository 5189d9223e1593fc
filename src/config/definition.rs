//! Definitions of workflows as files: held to the schema of the type, then to what no schema can say, every mistake at its
//! line and column.

use std::sync::LazyLock;

use super::document::{ConfigError, Document, Schema, Size, suggest};
use crate::agents::Names;
use crate::workflow::definition::{Definition, Mistake};

/// A graph of some hundred phases, or some templates, and no more than that.
const SIZE: Size = Size {
    bytes: 256 * 1024,
    values: 60_000,
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of::<Definition>().with_parts(PARTS));

/// A mistake of form in one of these leaves the rest of a definition to be checked for meaning.
const PARTS: &[&[&str]] = &[
    &["phases", "*", "label"],
    &["phases", "*", "limits", "*"],
    &["phases", "*", "gate", "ai", "*"],
    &["phases", "*", "gate", "people", "*"],
    &["phases", "*", "prompt_gate", "ai", "*"],
    &["phases", "*", "prompt_gate", "people", "*"],
];

/// The JSON Schema of a definition, for editors.
pub fn definition_schema() -> serde_json::Value {
    SCHEMA.json().clone()
}

/// A definition's file as a document.
pub(super) fn document(text: &str) -> Result<Document, ConfigError> {
    Document::parse_within(text, &SIZE)
}

/// Reads a definition and checks it against the names that exist. `taken` are the names of other definitions.
///
/// # Errors
/// Every mistake with its line and column, in the file's order.
pub fn read(text: &str, names: &Names, taken: &[&str]) -> Result<Definition, Vec<ConfigError>> {
    read_with(text, names, taken, None)
}

/// The same, and its children must be among these definitions.
///
/// # Errors
/// Every mistake with its line and column, in the file's order.
pub fn read_among(
    text: &str,
    names: &Names,
    taken: &[&str],
    others: &[Definition],
) -> Result<Definition, Vec<ConfigError>> {
    read_with(text, names, taken, Some(others))
}

fn read_with(
    text: &str,
    names: &Names,
    taken: &[&str],
    others: Option<&[Definition]>,
) -> Result<Definition, Vec<ConfigError>> {
    let document = document(text).map_err(|error| vec![error])?;
    let (definition, mut mistakes) = document.fill::<Definition>(&SCHEMA);
    let Some(definition) = definition else {
        return Err(mistakes);
    };
    let part = Part {
        document: &document,
        path: &[],
        strangers: &document.strangers(&SCHEMA),
    };
    mistakes.extend(part.mistakes(&definition, names, taken));
    if let (Some(others), true) = (others, mistakes.is_empty()) {
        mistakes.extend(part.childless(&definition, others));
    }
    mistakes.sort();
    mistakes.dedup();
    match mistakes.is_empty() {
        true => Ok(definition),
        false => Err(mistakes),
    }
}

/// Where a definition stands: a whole document, or a part of one.
pub(super) struct Part<'a> {
    /// The document.
    pub document: &'a Document,
    /// What leads to the definition.
    pub path: &'a [&'a str],
    /// The keys of the document that nobody knows, each with what leads to it.
    pub strangers: &'a [Vec<String>],
}

impl Part<'_> {
    /// What no schema can say of the definition that was read from here. `taken` are the names of other definitions.
    pub fn mistakes(&self, definition: &Definition, names: &Names, taken: &[&str]) -> Vec<ConfigError> {
        let mut mistakes = Vec::new();
        if taken.contains(&definition.name.as_str()) {
            let text = format!(
                "the name {} is taken by another definition; choose another",
                definition.name
            );
            mistakes.push(self.placed(&Mistake::at(&["name"], text)));
        }
        let mut found = names.mistakes(definition);
        // What is misspelt may be what a template is for.
        if self.strangers.is_empty() {
            found.extend(names.unused_templates(definition));
        }
        found.extend(self.uncapped(definition));
        found.extend(self.gates(definition));
        let found = found.iter().filter(|mistake| !self.may_be_misspelt(mistake));
        mistakes.extend(found.map(|mistake| self.placed(mistake)));
        mistakes
    }

    /// The children that cannot be, when they must be among these definitions.
    pub fn childless(&self, definition: &Definition, others: &[Definition]) -> Vec<ConfigError> {
        let found = childless(definition, others);
        found.iter().map(|mistake| self.placed(mistake)).collect()
    }

    fn within<'b>(&'b self, path: &[&'b str]) -> Vec<&'b str> {
        self.path.iter().chain(path).copied().collect()
    }

    fn placed(&self, mistake: &Mistake) -> ConfigError {
        let path: Vec<&str> = mistake.path.iter().map(String::as_str).collect();
        let path = self.within(&path);
        let at = match mistake.line {
            Some(line) => self.document.line_at(&path, line),
            None => self.document.at(&path),
        };
        at.error(mistake.text.clone())
    }

    /// Whether a mistake is of a key that the file does not have where it has one that nobody knows: that one is named,
    /// and may be what is missed.
    fn may_be_misspelt(&self, mistake: &Mistake) -> bool {
        let path: Vec<&str> = mistake.path.iter().map(String::as_str).collect();
        let path = self.within(&path);
        let depth = self.document.depth(&path);
        depth < path.len() && self.has_stranger(&path[..depth])
    }

    /// Whether a key that nobody knows stands in this mapping.
    fn has_stranger(&self, mapping: &[&str]) -> bool {
        let within = |stranger: &Vec<String>| stranger.split_last().is_some_and(|(_, above)| above == mapping);
        self.strangers.iter().any(within)
    }

    /// What gates of people say that comes to nothing, or twice.
    fn gates(&self, definition: &Definition) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (index, phase) in definition.phases.iter().enumerate() {
            let index = index.to_string();
            for gate in ["gate", "prompt_gate"] {
                let people = ["phases", index.as_str(), gate, "people"];
                let below = |key| [people.as_slice(), &[key]].concat();
                let written = self.document.keys(&self.within(&people));
                let expires = written.contains(&"expires_after_hours") || self.has_stranger(&self.within(&people));
                if written.contains(&"on_expiry") && !expires {
                    let text = format!(
                        "phase {}: nothing expires here, so `on_expiry` has no meaning; write after how many hours in \
                         `expires_after_hours`",
                        phase.id
                    );
                    mistakes.push(Mistake::at(&below("on_expiry"), text));
                }
                let quorum = self.document.text(&self.within(&below("quorum")));
                if written.contains(&"of") && quorum.is_some_and(|quorum| quorum.contains(" of ")) {
                    let text = format!(
                        "phase {}: `quorum` says of whom already; name all of them there, or give it a number alone",
                        phase.id
                    );
                    mistakes.push(Mistake::at(&below("of"), text));
                }
            }
        }
        mistakes
    }

    /// The loops whose cap the file does not say: whoever writes one says how often it may turn.
    fn uncapped(&self, definition: &Definition) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (index, phase) in definition.phases.iter().enumerate() {
            let Some(to) = &phase.on_fail else { continue };
            let Some(target) = definition.phases.iter().position(|other| other.id == *to) else {
                continue;
            };
            let target = target.to_string();
            let written = self.document.keys(&self.within(&["phases", &target, "limits"]));
            if !written.contains(&"iterations") {
                let text = format!(
                    "phase {}: the loop back to {to} has no cap; write `limits: {{iterations: NUMBER}}` at {to}",
                    phase.id
                );
                mistakes.push(Mistake::at(&["phases", &index.to_string(), "on_fail"], text));
            }
        }
        mistakes
    }
}

/// The children that cannot be, with the nearest name for a definition that there is not.
fn childless(definition: &Definition, others: &[Definition]) -> Vec<Mistake> {
    let find = |name: &str| others.iter().find(|other| other.name == name).cloned();
    let mut mistakes = definition.with_children(&find).err().unwrap_or_default();
    let names = others.iter().map(|other| other.name.as_str());
    for mistake in &mut mistakes {
        if let Some((_, name)) = mistake.text.rsplit_once("there is no definition ") {
            let instead = suggest(name, names.clone());
            mistake.text = format!("{}; {instead}", mistake.text);
        }
    }
    mistakes
}

/// The nearest of these names, where one is near, and all of them: what to say to somebody who named none.
pub fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let all: Vec<String> = known.clone().map(|known| format!("`{known}`")).collect();
    let nearest = suggest(name, known);
    match (nearest.ends_with('?'), all.is_empty()) {
        (true, _) => format!("{nearest} There are {}", all.join(", ")),
        (false, false) => format!("there are {}", all.join(", ")),
        (false, true) => nearest,
    }
}

#[cfg(test)]
#[path = "definition_tests.rs"]
mod tests;
