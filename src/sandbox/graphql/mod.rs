//! What REST cannot do: discussions, when a text was last edited, hiding a comment. A query is parsed as GraphQL is,
//! and answered with what it selects and nothing else; a field that is not modelled here does not exist.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `run` | walks the selections of a query |
//! | `objects` | what can be selected, and its fields |
//! | `mutations` | what can be changed |

mod mutations;
mod objects;
mod run;

use graphql_parser::query::{Definition, Document, OperationDefinition, Selection, SelectionSet, parse_query};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::journal::Credential;
use super::model::*;
use super::refusal::Refusal;
use super::rest::{Call, Outcome};
use objects::Object;
use run::{Fragments, Run, Stop};

pub(super) fn answer(call: &mut Call<'_>) -> Outcome {
    if !call.world.has(Feature::GraphQl) {
        return Err(Refusal::not_found());
    }
    let Credential::Installation(_) = call.credential else {
        return Err(Refusal::new(401, "Bad credentials"));
    };
    let body = call.request.json()?;
    let Some(query) = body["query"].as_str() else {
        return Ok(errors("A query attribute must be specified and must be a string."));
    };
    let document = match parse_query::<&str>(query) {
        Ok(document) => document,
        Err(error) => return Ok(errors(&format!("Parse error: {error}"))),
    };
    let Some((root, _, set)) = operation_of(&document, body["operationName"].as_str()) else {
        return Ok(errors("No operation named in the request can be carried out"));
    };
    let none = Map::new();
    let mut run = Run {
        call,
        fragments: fragments_of(&document),
        variables: body["variables"].as_object().unwrap_or(&none),
        errors: Vec::new(),
    };
    let selected = run.select(&root, set, &mut Vec::new());
    let errors = run.errors;
    Ok(Answer::ok(match selected {
        Ok(data) if errors.is_empty() => json!({ "data": data }),
        Ok(data) => json!({ "data": data, "errors": errors }),
        Err(Stop(error)) => json!({ "errors": [error] }),
    }))
}

/// The operation that is meant: what it is selected of, its name, and what is selected.
fn operation_of<'d, 'q>(
    document: &'d Document<'q, &'q str>,
    name: Option<&str>,
) -> Option<(Object, Option<&'q str>, &'d SelectionSet<'q, &'q str>)> {
    document.definitions.iter().find_map(|definition| {
        let Definition::Operation(operation) = definition else {
            return None;
        };
        let (root, known, set) = match operation {
            OperationDefinition::SelectionSet(set) => (Object::Query, None, set),
            OperationDefinition::Query(query) => (Object::Query, query.name, &query.selection_set),
            OperationDefinition::Mutation(mutation) => (Object::Mutation, mutation.name, &mutation.selection_set),
            OperationDefinition::Subscription(_) => return None,
        };
        (name.is_none() || known == name).then_some((root, known, set))
    })
}

fn fragments_of<'d, 'q>(document: &'d Document<'q, &'q str>) -> Fragments<'d, 'q> {
    let definitions = document.definitions.iter();
    let fragments = definitions.filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name, fragment)),
        Definition::Operation(_) => None,
    });
    fragments.collect()
}

fn errors(message: &str) -> Answer {
    Answer::ok(json!({ "data": null, "errors": [{ "message": message }] }))
}

/// The name and the first field of a query, by which a fault can be meant for one operation among all those that share an
/// address.
pub(super) fn known_by(body: &[u8]) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let document = parse_query::<&str>(body["query"].as_str()?).ok()?;
    let (_, name, set) = operation_of(&document, body["operationName"].as_str())?;
    let first = set.items.iter().find_map(|item| match item {
        Selection::Field(field) => Some(field.name),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    Some(name.into_iter().chain(first).map(str::to_owned).collect())
}
