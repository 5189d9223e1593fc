//! GitHub's schemas (OpenAPI 3.0 and JSON Schema draft-07) as validators, and what a validator found as sentences.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// What becomes of a field that a schema asks for or does not know.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// What is asked for must be there, and nothing else may be: a request.
    Exact,
    /// What is asked for must be there, more may be: an answer as GitHub gives it.
    Whole,
    /// What is there must be known and of its type, but it need not be all: an answer cut down to what is read.
    Part,
}

/// Compiles one schema of an OpenAPI 3.0 document whose `components.schemas` are given.
///
/// Panics when the schema does not compile: the committed description is then broken.
pub fn compile_openapi(schema: &Value, components: &Value, strictness: Strictness) -> Validator {
    let components = reachable(schema, components);
    let document = json!({
        "allOf": [convert(schema, strictness, Position::Whole)],
        "components": { "schemas": convert_each(&components, strictness, Position::Whole) },
        "open": { "schemas": convert_each(&components, strictness, Position::Part) },
    });
    compile(&document, Draft::Draft202012)
}

/// Compiles one schema of a document that keeps its `definitions` at the root and is JSON Schema draft-07 already.
pub fn compile_draft7(schema: &Value, definitions: &Value) -> Validator {
    let document = json!({ "allOf": [schema], "definitions": reachable(schema, definitions) });
    compile(&document, Draft::Draft7)
}

/// The same for OpenAPI 3.0 schemas whose references were respelled to `#/definitions/`.
pub fn compile_openapi_definitions(schema: &Value, definitions: &Value) -> Validator {
    let document = json!({
        "allOf": [convert(schema, Strictness::Whole, Position::Whole)],
        "definitions": convert_each(&reachable(schema, definitions), Strictness::Whole, Position::Whole),
    });
    compile(&document, Draft::Draft202012)
}

/// Those of the `named` schemas that `schema` refers to, itself or through others: a validator of a few compiles fast.
fn reachable(schema: &Value, named: &Value) -> Value {
    let mut reached = Map::new();
    let mut waiting = vec![schema];
    while let Some(schema) = waiting.pop() {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let target = named
                .get(name)
                .unwrap_or_else(|| panic!("{reference} points at nothing"));
            if reached.insert(name.to_owned(), target.clone()).is_none() {
                waiting.push(target);
            }
        }
        match schema {
            Value::Object(fields) => waiting.extend(fields.values()),
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    Value::Object(reached)
}

fn compile(document: &Value, draft: Draft) -> Validator {
    jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(true)
        .build(document)
        .unwrap_or_else(|error| panic!("a schema in tests/data does not compile: {error}"))
}

/// Whether a schema describes all fields of its object, or shares the object with others under one `allOf`.
#[derive(Clone, Copy)]
enum Position {
    Whole,
    Part,
}

fn convert_each(schemas: &Value, strictness: Strictness, position: Position) -> Value {
    let schemas = schemas.as_object().expect("a map of schemas");
    schemas
        .iter()
        .map(|(name, schema)| (name.clone(), convert(schema, strictness, position)))
        .collect()
}

/// OpenAPI 3.0 to JSON Schema 2020-12: `nullable` becomes a type, and `strictness` is built in.
fn convert(schema: &Value, strictness: Strictness, position: Position) -> Value {
    let Value::Object(schema) = schema else {
        return schema.clone();
    };
    let lists_fields = schema
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|fields| !fields.is_empty());
    let composed = lists_fields || schema.contains_key("allOf");
    let mut converted = Map::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("nullable", _) => {}
            ("required", Value::Array(_)) if strictness == Strictness::Part => {}
            ("$ref", Value::String(reference)) => {
                let spelled = match position {
                    Position::Whole => reference.clone(),
                    Position::Part => reference.replace("#/components/", "#/open/"),
                };
                converted.insert(key.clone(), spelled.into());
            }
            ("properties", fields) => {
                converted.insert(key.clone(), convert_each(fields, strictness, Position::Whole));
            }
            ("allOf", Value::Array(parts)) => {
                converted.insert(key.clone(), convert_list(parts, strictness, Position::Part));
            }
            ("oneOf" | "anyOf", Value::Array(forms)) => {
                // With required fields left out, several forms fit one value.
                let key = if strictness == Strictness::Part { "anyOf" } else { key };
                let position = if composed { Position::Part } else { position };
                converted.insert(key.into(), convert_list(forms, strictness, position));
            }
            (_, Value::Object(_)) => {
                converted.insert(key.clone(), convert(value, strictness, Position::Whole));
            }
            _ => {
                converted.insert(key.clone(), value.clone());
            }
        }
    }
    let closed = strictness != Strictness::Whole && matches!(position, Position::Whole);
    if closed && composed && !schema.contains_key("additionalProperties") {
        converted.insert("unevaluatedProperties".into(), false.into());
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        nullable(converted)
    } else {
        Value::Object(converted)
    }
}

fn convert_list(schemas: &[Value], strictness: Strictness, position: Position) -> Value {
    schemas
        .iter()
        .map(|schema| convert(schema, strictness, position))
        .collect()
}

fn nullable(mut schema: Map<String, Value>) -> Value {
    let plain = !["$ref", "allOf", "anyOf", "oneOf"]
        .iter()
        .any(|key| schema.contains_key(*key));
    match schema.get("type") {
        Some(Value::String(name)) if plain => {
            let names = json!([name, "null"]);
            schema.insert("type".into(), names);
            if let Some(Value::Array(options)) = schema.get_mut("enum") {
                options.push(Value::Null);
            }
            Value::Object(schema)
        }
        _ => json!({ "anyOf": [{ "type": "null" }, schema] }),
    }
}

/// Validates `value`; the error says for every fault where in `what` it is.
pub fn validate(validator: &Validator, value: &Value, what: &str) -> Result<(), String> {
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|error| explain(&error, what))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n"))
    }
}

/// One fault as `what/path: sentence`. Where several forms are allowed, the one that came closest is explained.
fn explain(error: &ValidationError<'_>, what: &str) -> String {
    let place = format!("{what}{}", error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let closest = context
                .iter()
                .filter(|faults| !faults.is_empty())
                .min_by_key(|faults| distance(faults));
            match closest {
                Some(faults) => {
                    let faults: Vec<String> = faults.iter().map(|fault| explain(fault, what)).collect();
                    format!(
                        "{place}: fits none of {} allowed forms; the closest one says: {}",
                        context.len(),
                        faults.join("; ")
                    )
                }
                None => format!("{place}: {}", shortened(error)),
            }
        }
        _ => format!("{place}: {}", shortened(error)),
    }
}

/// How far a value is from a form: a value of the wrong type was never meant to be it; then fewer faults are closer.
fn distance(faults: &[ValidationError<'_>]) -> (bool, usize) {
    let shallowest = faults
        .iter()
        .map(|fault| fault.instance_path().as_str().len())
        .min()
        .unwrap_or(0);
    let other_type = faults.iter().any(|fault| {
        matches!(fault.kind(), ValidationErrorKind::Type { .. }) && fault.instance_path().as_str().len() == shallowest
    });
    (other_type, faults.len())
}

/// The validator's sentence. It quotes the whole value, which can be a payload: the end is what says what is wrong.
fn shortened(error: &ValidationError<'_>) -> String {
    const LONGEST: usize = 300;
    let sentence = error.to_string();
    if sentence.chars().count() <= LONGEST {
        sentence
    } else {
        error.masked().to_string()
    }
}
