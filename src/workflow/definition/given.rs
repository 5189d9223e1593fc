//! What is given when a workflow starts, held against what its definition asks for.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Definition;

/// Something that is given when a workflow starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What it is, for people.
    pub title: String,
    /// What kind of value it is: `text`, `integer`, `boolean` (`true` or `false`), or `file`, a path of a file that must
    /// exist in the repository, and whose text the agents are given.
    #[serde(default, rename = "type", skip_serializing_if = "InputType::is_text")]
    pub kind: InputType,
    /// Whether a workflow cannot start without it.
    #[serde(default)]
    pub required: bool,
    /// The values that it may have; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    #[schemars(with = "Vec<String>", extend("items" = {"type": ["string", "integer"]}))]
    pub choices: Vec<String>,
    /// What it is when nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "word")]
    #[schemars(with = "String", extend("type" = ["string", "integer", "boolean"]))]
    pub default: Option<String>,
    /// Another way to write `type: file`.
    #[serde(default)]
    pub file: bool,
}

impl Input {
    /// Whether it is a path of a file that must exist, and whose text the agents are given.
    pub fn is_file(&self) -> bool {
        self.file || self.kind == InputType::File
    }
}

/// What kind of value an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Any text.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A path of a file.
    File,
}

impl InputType {
    // serde hands it a reference.
    fn is_text(&self) -> bool {
        *self == Self::Text
    }

    /// Whether a value is of this kind, as far as its text shows.
    pub fn takes(self, value: &str) -> bool {
        match self {
            Self::Text | Self::File => true,
            Self::Integer => value.trim().parse::<i64>().is_ok(),
            Self::Boolean => matches!(value.trim(), "true" | "false"),
        }
    }

    /// What a value of this kind is, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::File => "a path of a file",
        }
    }
}

/// Written by hand: of an enum of words with descriptions the derive makes a schema whose errors name no word.
impl JsonSchema for InputType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "InputType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What kind of value an input is.",
            "type": "string",
            "enum": ["text", "integer", "boolean", "file"],
        })
    }
}

/// A value as a file may write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
        }
    }
}

fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let word = Option::<Word>::deserialize(deserializer)?;
    Ok(word.map(|word| word.to_string()))
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<Word>::deserialize(deserializer)?;
    Ok(words.iter().map(ToString::to_string).collect())
}

/// What is wrong with one thing that was given, or is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misgiven {
    /// The definition asks for nothing of that name.
    Unknown {
        /// What was given.
        name: String,
    },
    /// It is required and was not given.
    Missing {
        /// Its name.
        name: String,
        /// What it is.
        title: String,
    },
    /// It names a file that the repository does not have.
    NoFile {
        /// Its name.
        name: String,
        /// The path that was given.
        path: String,
    },
    /// It names no place in the repository where a file could be.
    NoPath {
        /// Its name.
        name: String,
        /// The path that was given.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is not of its kind.
    NotOfType {
        /// Its name.
        name: String,
        /// What was given.
        value: String,
        /// What it must be.
        kind: InputType,
    },
    /// It is none of its choices.
    NoChoice {
        /// Its name.
        name: String,
        /// What was given.
        value: String,
        /// What may be given.
        choices: Vec<String>,
    },
}

impl Definition {
    /// What a workflow starts with: what was given, and the defaults of the rest.
    ///
    /// # Errors
    /// Everything that is wrong at once.
    pub fn resolve(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Vec<Misgiven>> {
        let (resolved, wrong) = self.sorted_out(given);
        if wrong.is_empty() { Ok(resolved) } else { Err(wrong) }
    }

    /// What of it a workflow can start with, defaults included, and everything that is wrong with the rest.
    pub fn sorted_out(&self, given: &BTreeMap<String, String>) -> (BTreeMap<String, String>, Vec<Misgiven>) {
        let mut wrong: Vec<Misgiven> = given
            .keys()
            .filter(|name| !self.inputs.contains_key(*name))
            .map(|name| Misgiven::Unknown { name: name.clone() })
            .collect();
        let mut resolved = BTreeMap::new();
        for (name, input) in &self.inputs {
            let value = given.get(name).filter(|value| !value.trim().is_empty());
            match value.or(input.default.as_ref()) {
                None if input.required => wrong.push(Misgiven::Missing {
                    name: name.clone(),
                    title: input.title.clone(),
                }),
                None => {}
                Some(value) => match input.misfit(name, value) {
                    Some(misfit) => wrong.push(misfit),
                    None => {
                        resolved.insert(name.clone(), value.clone());
                    }
                },
            }
        }
        (resolved, wrong)
    }

    /// The files among what a workflow starts with: the input's name, and the path.
    pub fn files_among<'a>(&self, given: &'a BTreeMap<String, String>) -> Vec<(&'a String, &'a String)> {
        let is_file = |name: &String| self.inputs.get(name).is_some_and(Input::is_file);
        given.iter().filter(|(name, _)| is_file(name)).collect()
    }
}

impl Input {
    fn misfit(&self, name: &str, value: &str) -> Option<Misgiven> {
        let (name, value) = (name.to_owned(), value.to_owned());
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            return Some(Misgiven::NoChoice {
                name,
                value,
                choices: self.choices.clone(),
            });
        }
        (!self.kind.takes(&value)).then_some(Misgiven::NotOfType {
            name,
            value,
            kind: self.kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Known;
    use super::*;

    fn definition() -> Definition {
        let yaml = "name: d\nversion: 1\ntitle: t\ninputs:\n  entity: {title: The entity, required: true}\n  scope: {title: \
                    How far, choices: [domain, vertical], default: domain}\n  note: {title: A note}\nphases:\n  - {id: a, \
                    title: A, agent: extract}\n";
        let known = Known {
            agents: &["extract"],
            ..Known::default()
        };
        Definition::parse(yaml, &known).unwrap()
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn defaults_fill_what_was_not_given() {
        let resolved = definition().resolve(&given(&[("entity", "Product")]));
        assert_eq!(resolved, Ok(given(&[("entity", "Product"), ("scope", "domain")])));
    }

    #[test]
    fn a_value_is_of_its_type() {
        let yaml = "name: d\nversion: 1\ntitle: t\ninputs:\n  count: {title: How many, type: integer, default: 3}\n  all: {title: \
                    All, type: boolean, default: false}\n  level: {title: Level, type: integer, choices: [1, 2]}\nphases:\n  - \
                    {id: a, title: A, agent: extract}\n";
        let known = Known {
            agents: &["extract"],
            ..Known::default()
        };
        let definition = Definition::parse(yaml, &known).unwrap();
        let resolved = definition.resolve(&given(&[("level", "2")]));
        assert_eq!(resolved, Ok(given(&[("all", "false"), ("count", "3"), ("level", "2")])));
        let wrong = definition.resolve(&given(&[("count", "many"), ("all", "yes"), ("level", "3")]));
        let kinds = |wrong: &Misgiven| match wrong {
            Misgiven::NotOfType { name, kind, .. } => format!("{name}: {}", kind.words()),
            Misgiven::NoChoice { name, .. } => format!("{name}: choice"),
            other => format!("{other:?}"),
        };
        let wrong: Vec<String> = wrong.unwrap_err().iter().map(kinds).collect();
        assert_eq!(wrong, ["all: true or false", "count: a whole number", "level: choice"]);
        // What is kept of it is what was written before there were types, where there is none.
        let kept = serde_json::to_value(&definition.inputs["count"]).unwrap();
        assert_eq!(kept["type"], "integer");
        let old: Input = serde_json::from_str(r#"{"title": "T", "required": true, "file": true}"#).unwrap();
        assert!(old.is_file());
        assert!(serde_json::to_value(&old).unwrap().get("type").is_none());
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = definition().resolve(&given(&[("scpoe", "x"), ("scope", "all"), ("entity", " ")]));
        let expected = vec![
            Misgiven::Unknown { name: "scpoe".into() },
            Misgiven::Missing {
                name: "entity".into(),
                title: "The entity".into(),
            },
            Misgiven::NoChoice {
                name: "scope".into(),
                value: "all".into(),
                choices: vec!["domain".into(), "vertical".into()],
            },
        ];
        assert_eq!(wrong, Err(expected));
    }
}
