//! Walks the selections of a query.

use std::collections::BTreeMap;

use graphql_parser::query::{Field, FragmentDefinition, Selection, SelectionSet, TypeCondition, Value as Written};
use serde_json::{Map, Value, json};

use super::objects::{Found, Object};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::rest::Call;

/// The fragments of a query by their names.
pub(super) type Fragments<'d, 'q> = BTreeMap<&'q str, &'d FragmentDefinition<'q, &'q str>>;

/// One query at work.
pub(super) struct Run<'c, 'w, 'd, 'q> {
    pub call: &'c mut Call<'w>,
    pub fragments: Fragments<'d, 'q>,
    pub variables: &'d Map<String, Value>,
    /// What could not be given, each beside a null in the data.
    pub errors: Vec<Value>,
}

/// The query cannot be answered at all: nothing was carried out, and there is no data.
#[derive(Debug)]
pub(super) struct Stop(pub Value);

/// The arguments of one field, with the variables put in.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// The `input` of a mutation.
    pub fn input(&self) -> Self {
        Self(self.get("input").as_object().cloned().unwrap_or_default())
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(one) => vec![one.clone()],
            _ => Vec::new(),
        }
    }
}

/// Why a field is null.
pub(super) enum Trouble {
    /// The type has no such field.
    NoSuchField,
    /// GitHub refuses it: the error's type, and its words.
    Refused(&'static str, String),
}

impl Trouble {
    pub fn no_node(id: &str) -> Self {
        let message = format!("Could not resolve to a node with the global id of '{id}'.");
        Self::Refused("NOT_FOUND", message)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.status {
            401 | 403 => "FORBIDDEN",
            404 | 410 => "NOT_FOUND",
            _ => "UNPROCESSABLE",
        };
        Self::Refused(kind, refusal.to_string())
    }
}

impl<'q> Run<'_, '_, '_, 'q> {
    /// What a selection takes of an object.
    pub fn select(
        &mut self,
        object: &Object,
        set: &SelectionSet<'q, &'q str>,
        path: &mut Vec<Value>,
    ) -> Result<Value, Stop> {
        let mut taken = Map::new();
        self.take(object, set, path, &mut taken)?;
        Ok(Value::Object(taken))
    }

    fn take(
        &mut self,
        object: &Object,
        set: &SelectionSet<'q, &'q str>,
        path: &mut Vec<Value>,
        taken: &mut Map<String, Value>,
    ) -> Result<(), Stop> {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let key = field.alias.unwrap_or(field.name);
                    path.push(key.into());
                    let value = self.field(object, field, path)?;
                    path.pop();
                    taken.insert(key.to_owned(), value);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.type_condition.as_ref();
                    if on.is_none_or(|TypeCondition::On(on)| object.is_a(on)) {
                        self.take(object, &fragment.selection_set, path, taken)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name;
                    let Some(fragment) = self.fragments.get(name).copied() else {
                        return Err(Stop(
                            json!({ "message": format!("Fragment {name} was used, but not defined") }),
                        ));
                    };
                    let TypeCondition::On(on) = &fragment.type_condition;
                    if object.is_a(on) {
                        self.take(object, &fragment.selection_set, path, taken)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, object: &Object, field: &Field<'q, &'q str>, path: &mut Vec<Value>) -> Result<Value, Stop> {
        let name = field.name;
        let arguments = self.arguments(field);
        let locations = json!([{ "line": field.position.line, "column": field.position.column }]);
        let found = match object.field(self.call, name, &arguments) {
            Ok(found) => found,
            Err(Trouble::NoSuchField) => {
                let type_name = object.type_name();
                let whole: Vec<Value> = std::iter::once("query".into()).chain(path.iter().cloned()).collect();
                return Err(Stop(json!({
                    "path": whole,
                    "extensions": { "code": "undefinedField", "typeName": type_name, "fieldName": name },
                    "locations": locations,
                    "message": format!("Field '{name}' doesn't exist on type '{type_name}'"),
                })));
            }
            Err(Trouble::Refused(kind, message)) => {
                self.errors
                    .push(json!({ "type": kind, "path": path, "locations": locations, "message": message }));
                return Ok(Value::Null);
            }
        };
        let set = &field.selection_set;
        match found {
            Found::Plain(value) => Ok(value),
            Found::One(None) => Ok(Value::Null),
            Found::One(Some(object)) => self.select(&object, set, path),
            Found::Many(objects) => {
                let mut all = Vec::new();
                for object in objects {
                    all.push(match object {
                        Ok(object) => self.select(&object, set, path)?,
                        Err(missing) => {
                            self.errors
                                .push(json!({ "type": "NOT_FOUND", "path": path, "locations": locations, "message": missing }));
                            Value::Null
                        }
                    });
                }
                Ok(Value::Array(all))
            }
        }
    }

    fn arguments(&self, field: &Field<'q, &'q str>) -> Arguments {
        let arguments = field.arguments.iter();
        Arguments(
            arguments
                .map(|(name, value)| ((*name).to_owned(), self.value(value)))
                .collect(),
        )
    }

    /// A value as JSON, with the variables put in.
    fn value(&self, written: &Written<'q, &'q str>) -> Value {
        match written {
            Written::Variable(name) => self.variables.get(*name).cloned().unwrap_or_default(),
            Written::Int(number) => json!(number.as_i64()),
            Written::Float(number) => json!(number),
            Written::String(text) => json!(text),
            Written::Boolean(truth) => json!(truth),
            Written::Null => Value::Null,
            Written::Enum(name) => json!(name),
            Written::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Written::Object(members) => {
                let members = members.iter();
                members
                    .map(|(name, value)| ((*name).to_owned(), self.value(value)))
                    .collect()
            }
        }
    }
}
