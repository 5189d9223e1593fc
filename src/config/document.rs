//! A YAML document whose every value knows where it stands, held to the JSON Schema of a type.
//!
//! serde alone stops at the first mistake. Here the text becomes a tree with positions, the schema that the type itself
//! generates finds all structural mistakes at once, and the type is filled from the same tree: type, schema and
//! checks cannot drift apart.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_saphyr::{MessageFormatter as _, Spanned, UserMessageFormatter};

/// A mistake in a configuration file and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ConfigError {
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// What is wrong there and what to do.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Far above any sensible file, far below what costs time: a file is written by people.
const SETTINGS: Size = Size {
    bytes: 64 * 1024,
    values: 10_000,
};
const MAX_DEPTH: usize = 16;
const MAX_ALIASES: usize = 100;

/// How large a file may be.
pub(super) struct Size {
    /// Its text.
    pub bytes: usize,
    /// Its keys and values.
    pub values: usize,
}

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub line: u64,
    pub column: u64,
}

impl Position {
    const START: Self = Self { line: 1, column: 1 };

    /// A mistake at this place.
    pub fn error(self, message: impl Into<String>) -> ConfigError {
        ConfigError {
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

impl From<serde_saphyr::Location> for Position {
    fn from(location: serde_saphyr::Location) -> Self {
        Self {
            line: location.line().max(1),
            column: location.column().max(1),
        }
    }
}

// No Debug on these: the server's file holds secrets.
struct Node {
    at: Position,
    kind: Kind,
}

enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

struct Entry {
    at: Position,
    key: String,
    value: Node,
}

/// A parsed file.
pub(super) struct Document {
    root: Node,
    text: String,
}

impl Document {
    /// Reads YAML.
    ///
    /// # Errors
    /// Text that is not YAML, a key that stands twice, more than one document, and a file that is too large, too deep
    /// or grows too large by its aliases.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_within(text, &SETTINGS)
    }

    /// The same, for a file that may be as large as this.
    ///
    /// # Errors
    /// See [`Document::parse`].
    pub fn parse_within(text: &str, size: &Size) -> Result<Self, ConfigError> {
        let &Size { bytes, values } = size;
        if text.len() > bytes {
            return Err(Position::START.error(format!("the file is larger than {} KiB; shorten it", bytes / 1024)));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_events: values,
                max_nodes: values,
                max_aliases: MAX_ALIASES,
                max_depth: MAX_DEPTH,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: values,
                max_replay_stack_depth: MAX_DEPTH,
            },
            // `on` and `no` are words here, as YAML 1.2 has it.
            strict_booleans: true,
            with_snippet: false,
        };
        let root = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let at = error.location().map_or(Position::START, Position::from);
            at.error(match error.without_snippet() {
                serde_saphyr::Error::Budget { .. }
                | serde_saphyr::Error::AliasReplayLimitExceeded { .. }
                | serde_saphyr::Error::AliasReplayStackDepthExceeded { .. } => {
                    "the file is too large, too deep, or has too many aliases (*name); write it out plainly".to_owned()
                }
                plain => format!("not valid YAML: {}", UserMessageFormatter.format_message(plain)),
            })
        })?;
        Ok(Self {
            root,
            text: text.to_owned(),
        })
    }

    /// Fills a type, held to the schema that the type generated.
    ///
    /// The second answer is all mistakes, in the order of the file. Keys that are not known, and the parts of the schema
    /// ([`Schema::with_parts`]) or else top-level keys that hold other mistakes, count as absent, so that the rest can be
    /// checked further; there is no value when nothing sensible remains.
    pub fn fill<T: DeserializeOwned>(&self, schema: &Schema) -> (Option<T>, Vec<ConfigError>) {
        let mut value = match self.root.to_json() {
            Value::Null => Value::Object(serde_json::Map::new()),
            value => value,
        };
        let mut mistakes = Vec::new();
        let mut unusable = Vec::new();
        for error in schema
            .validator
            .iter_errors(&value)
            .filter(|error| !follows_from_type(error))
        {
            mistakes.extend(self.explain(&error, &schema.json));
            unusable.extend(schema.unusable(&error));
        }
        for path in unusable {
            remove(&mut value, &path);
        }
        let filled = match serde_json::from_value(value) {
            Ok(filled) => Some(filled),
            Err(error) if mistakes.is_empty() => {
                mistakes.push(self.root.at.error(error.to_string()));
                None
            }
            Err(_) => None,
        };
        mistakes.sort();
        mistakes.dedup();
        (filled, mistakes)
    }

    /// Where the value with this path stands; a path that the file does not have gives the place of its nearest
    /// ancestor.
    pub fn at(&self, path: &[&str]) -> Position {
        self.walk(path).1
    }

    /// Where a line of the text with this path stands, from 1. Only a block (`|`) keeps its lines; any other text stands
    /// where it begins.
    pub fn line_at(&self, path: &[&str], line: usize) -> Position {
        let at = self.at(path);
        let above = usize::try_from(at.line).ok().and_then(|line| line.checked_sub(2));
        let head = above.and_then(|above| self.text.lines().nth(above));
        let below = u64::try_from(line.saturating_sub(1)).unwrap_or_default();
        match head.is_some_and(begins_a_block) {
            true => Position {
                line: at.line + below,
                column: at.column,
            },
            false => at,
        }
    }

    /// How many steps of this path the file has.
    pub fn depth(&self, path: &[&str]) -> usize {
        let mut node = Some(&self.root);
        path.iter()
            .take_while(|step| {
                node = node.and_then(|node| node.entry(step));
                node.is_some()
            })
            .count()
    }

    /// The keys that the schema does not know, each with what leads to it.
    pub fn strangers(&self, schema: &Schema) -> Vec<Vec<String>> {
        let value = self.root.to_json();
        let errors = schema.validator.iter_errors(&value);
        let unknown =
            |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. });
        errors
            .filter(unknown)
            .flat_map(|error| schema.unusable(&error))
            .collect()
    }

    /// Where the key of the value with this path stands.
    pub fn key_at(&self, path: &[&str]) -> Position {
        self.walk(path).0
    }

    fn walk(&self, path: &[&str]) -> (Position, Position) {
        let mut node = &self.root;
        let mut key_at = node.at;
        for step in path {
            match &node.kind {
                Kind::Map(entries) => match entries.iter().find(|entry| entry.key == *step) {
                    Some(entry) => {
                        key_at = entry.at;
                        node = &entry.value;
                    }
                    None => break,
                },
                Kind::List(items) => match step.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    Some(item) => {
                        key_at = item.at;
                        node = item;
                    }
                    None => break,
                },
                Kind::Scalar(_) => break,
            }
        }
        (key_at, node.at)
    }

    /// The keys of the mapping with this path, in the order of the file; none where there is no mapping. A key without
    /// a value counts as absent.
    pub fn keys(&self, path: &[&str]) -> Vec<&str> {
        let mut node = Some(&self.root);
        for step in path {
            node = node.and_then(|node| node.entry(step));
        }
        match node.map(|node| &node.kind) {
            Some(Kind::Map(entries)) => entries
                .iter()
                .filter(|entry| !matches!(entry.value.kind, Kind::Scalar(Value::Null)))
                .map(|entry| entry.key.as_str())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The text with this path.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let mut node = Some(&self.root);
        for step in path {
            node = node.and_then(|node| node.entry(step));
        }
        match &node?.kind {
            Kind::Scalar(value) => value.as_str(),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    fn explain(&self, error: &ValidationError<'_>, schema: &Value) -> Vec<ConfigError> {
        let steps = steps(error);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let name = if steps.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{}`", steps.join("."))
        };
        let at = self.at(&steps);
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            let parent = error.schema_path().as_str();
            let parent = parent.strip_suffix("/additionalProperties").unwrap_or(parent);
            let known: Vec<&str> = schema
                .pointer(&format!("{parent}/properties"))
                .and_then(Value::as_object)
                .map(|properties| properties.keys().map(String::as_str).collect())
                .unwrap_or_default();
            return unexpected
                .iter()
                .map(|key| {
                    let path: Vec<&str> = steps.iter().copied().chain([key.as_str()]).collect();
                    let place = if steps.is_empty() {
                        String::new()
                    } else {
                        format!(" in {name}")
                    };
                    self.key_at(&path).error(format!(
                        "`{key}` is not known{place}; {}",
                        suggest(key, known.iter().copied())
                    ))
                })
                .collect();
        }
        let mut sentence = sentence(&name, error);
        if let Some(advice) = advice(error, schema) {
            sentence = format!("{sentence}; {advice}");
        }
        vec![at.error(sentence)]
    }
}

/// Whether a text that keeps its lines begins below this line.
fn begins_a_block(line: &str) -> bool {
    let head = line.split_once(" #").map_or(line, |(head, _)| head).trim_end();
    let head = head.trim_end_matches(|c: char| c == '+' || c == '-' || c.is_ascii_digit());
    head.ends_with(": |") || head.ends_with("- |")
}

/// The keys and indices that lead to the value.
fn steps(error: &ValidationError<'_>) -> Vec<String> {
    let pointer = error.instance_path().as_str();
    let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(unescaped).collect()
}

/// What to do about a number out of its range, or a form that is not known, where the schema says more: its `$comment`,
/// and the nearest of its `examples`.
fn advice(error: &ValidationError<'_>, schema: &Value) -> Option<String> {
    let near = |typed: &str, words: &[Value]| {
        let said = suggest(typed, words.iter().filter_map(Value::as_str));
        said.starts_with("did you mean").then_some(said)
    };
    if let ValidationErrorKind::Enum { options } = error.kind() {
        return near(error.instance().as_str()?, options.as_array()?);
    }
    if !matches!(
        error.kind(),
        ValidationErrorKind::Minimum { .. }
            | ValidationErrorKind::ExclusiveMinimum { .. }
            | ValidationErrorKind::MinProperties { .. }
            | ValidationErrorKind::Pattern { .. }
    ) {
        return None;
    }
    let (of, _) = error.schema_path().as_str().rsplit_once('/')?;
    let schema = schema.pointer(of)?;
    let comment = schema.get("$comment")?.as_str()?;
    let words = schema.get("examples").and_then(Value::as_array);
    let near = words.and_then(|words| near(error.instance().as_str()?, words));
    Some(match near {
        Some(near) => format!("{comment}; {near}"),
        None => comment.to_owned(),
    })
}

/// Removes the value with this path, where there is one.
fn remove(value: &mut Value, path: &[String]) {
    let Some((last, above)) = path.split_last() else { return };
    let mut value = Some(value);
    for step in above {
        value = value.and_then(|value| match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            value => value.get_mut(step),
        });
    }
    if let Some(map) = value.and_then(Value::as_object_mut) {
        map.remove(last);
    }
}

/// Whether a value of the wrong type also breaks the rule on its values: one mistake, said once.
fn follows_from_type(error: &ValidationError<'_>) -> bool {
    let allowed = match error.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(&**expected_value),
        ValidationErrorKind::Enum { options } => options.get(0),
        _ => None,
    };
    allowed.is_some_and(|allowed| std::mem::discriminant(allowed) != std::mem::discriminant(error.instance()))
}

/// What one structural mistake is called. Values are never repeated: they may be secret.
fn sentence(name: &str, error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("{name} lacks `{}`; add it", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::Type { kind } => format!("{name} must be {}", type_name(kind)),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<_> = options
                .as_array()
                .map(|options| options.iter().map(|option| format!("`{}`", plain(option))).collect())
                .unwrap_or_default();
            format!("{name} must be one of {}", options.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => format!("{name} must be {}", plain(expected_value)),
        ValidationErrorKind::Minimum { limit } => format!("{name} must be at least {}", plain(limit)),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("{name} must be more than {}", plain(limit)),
        ValidationErrorKind::Maximum { limit } => format!("{name} must be at most {}", plain(limit)),
        ValidationErrorKind::MaxItems { limit } => format!("{name} must hold at most {limit} items"),
        ValidationErrorKind::MaxProperties { limit } => format!("{name} must hold at most {limit} entries"),
        ValidationErrorKind::MaxLength { limit } => format!("{name} must be at most {limit} characters long"),
        ValidationErrorKind::MinLength { .. } => format!("{name} must not be empty"),
        ValidationErrorKind::MinProperties { .. } => format!("{name} must not be empty"),
        ValidationErrorKind::Pattern { .. } => format!("{name} does not have the form that is asked for"),
        ValidationErrorKind::PropertyNames { .. } => format!("{name} has a key that is not allowed"),
        _ => format!("{name}: {}", error.masked()),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_name(kind: &TypeKind) -> String {
    let words = |name: &str| match name {
        "object" => "a mapping (key: value)".to_owned(),
        "array" => "a list ([a, b])".to_owned(),
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => format!("a {other}"),
    };
    match kind {
        TypeKind::Single(one) => words(&one.to_string()),
        TypeKind::Multiple(set) => set
            .iter()
            .map(|one| words(&one.to_string()))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// The nearest known word, or all of them.
pub(super) fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = known
        .clone()
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), candidate), candidate))
        .min();
    match nearest {
        Some((distance, candidate)) if distance <= 1 + candidate.len() / 4 => format!("did you mean `{candidate}`?"),
        Some(_) => {
            let all: Vec<_> = known.map(|candidate| format!("`{candidate}`")).collect();
            format!("known: {}", all.join(", "))
        }
        None => "remove it".to_owned(),
    }
}

/// The JSON Schema that a type generates, ready to be used.
pub(super) struct Schema {
    json: Value,
    validator: jsonschema::Validator,
    parts: Vec<&'static [&'static str]>,
}

impl Schema {
    /// The schema of a type.
    ///
    /// # Panics
    /// If a type of ours generates something that is no schema; the tests generate all of them.
    pub fn of<T: schemars::JsonSchema>() -> Self {
        let mut json = schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<T>()
            .to_value();
        bound(&mut json);
        let validator = jsonschema::validator_for(&json).expect("a generated schema is a schema");
        Self {
            json,
            validator,
            parts: Vec::new(),
        }
    }

    /// Paths of values that can be left out alone, `*` standing for any key: a mistake in one of them leaves its
    /// neighbours to be checked. What holds such values must be readable without a key that the schema asks for.
    pub fn with_parts(mut self, parts: &'static [&'static [&'static str]]) -> Self {
        self.parts.extend(parts);
        self
    }

    /// The paths of what a mistake makes unusable.
    fn unusable(&self, error: &ValidationError<'_>) -> Vec<Vec<String>> {
        let steps = steps(error);
        let leads = |part: &[&str]| part.iter().zip(&steps).all(|(part, step)| *part == "*" || part == step);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|key| steps.iter().chain([key]).cloned().collect())
                .collect(),
            ValidationErrorKind::Required { .. }
                if self.parts.iter().any(|part| part.len() > steps.len() && leads(part)) =>
            {
                Vec::new()
            }
            _ => {
                let parts = self
                    .parts
                    .iter()
                    .filter(|part| part.len() <= steps.len() && leads(part));
                let depth = parts.map(|part| part.len()).max().unwrap_or(1);
                vec![steps.into_iter().take(depth).collect()]
            }
        }
    }

    /// The schema itself.
    pub fn json(&self) -> &Value {
        &self.json
    }
}

/// Says of each number the most that its type holds, where the schema says nothing less: what is more would be told by
/// the type, which knows no place.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let most = match members.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u32::from(u8::MAX)),
                Some("uint16") => Some(u32::from(u16::MAX)),
                Some("uint32") => Some(u32::MAX),
                _ => None,
            };
            if let Some(most) = most {
                members.entry("maximum").or_insert_with(|| most.into());
            }
            members.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

impl Node {
    fn entry(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            Kind::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            Kind::Scalar(_) => None,
        }
    }

    /// A key without a value counts as absent: the lines below it are commented out.
    fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .filter(|(_, value)| !value.is_null())
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self {
            at: spanned.referenced.into(),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KindVisitor;

        impl<'de> Visitor<'de> for KindVisitor {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
                Ok(Kind::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
                Ok(Kind::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
                Ok(Kind::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
                // JSON Schema counts 1.0 as a whole number, serde does not.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                Ok(Kind::Scalar(if value.fract() == 0.0 && value.abs() < EXACT {
                    (value as i64).into()
                } else {
                    value.into()
                }))
            }

            fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
                Ok(Kind::Scalar(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Kind, E> {
                Ok(Kind::Scalar(Value::Null))
            }

            fn visit_none<E>(self) -> Result<Kind, E> {
                Ok(Kind::Scalar(Value::Null))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
                Kind::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Kind::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
                let mut map = Vec::new();
                while let Some((key, value)) = entries.next_entry::<Spanned<String>, Node>()? {
                    map.push(Entry {
                        at: key.referenced.into(),
                        key: key.value,
                        value,
                    });
                }
                Ok(Kind::Map(map))
            }
        }

        deserializer.deserialize_any(KindVisitor)
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
