//! Requests and answers of GitHub's REST API, held to its description.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exceptions;
use super::schema::{self, Strictness};

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let raw: RawDescription =
        serde_json::from_str(include_str!("../../data/github-openapi.json")).expect("tests/data/github-openapi.json");
    Description::new(raw)
});

/// Holds a request to the description and answers the operation's id.
///
/// `path` is as it was sent (percent-encoded, without a prefix), `query` without its `?`. An error names every fault:
/// a path, a query parameter or a field of the body (nested ones too) that is not documented, one that is missing, or
/// a value of another type. The exceptions are in `exceptions.rs`.
pub fn check_request(method: &str, path: &str, query: &str, body: Option<&Value>) -> Result<&'static str, String> {
    let request = format!("{method} {path}");
    if let Some(exception) = exceptions::find(method, path) {
        let checked = (exception.body)(body.unwrap_or(&Value::Null));
        return checked
            .map(|()| exception.operation)
            .map_err(|fault| format!("{request}\n{fault}"));
    }
    let (operation, values) = DESCRIPTION.find(method, path)?;
    let mut faults = operation.path_faults(&values);
    faults.extend(operation.query_faults(query));
    faults.extend(operation.body_faults(body));
    if faults.is_empty() {
        Ok(operation.id.as_str())
    } else {
        Err(format!("{request} ({})\n{}", operation.id, faults.join("\n")))
    }
}

/// Holds a whole answer to the description: every field that GitHub's schema requires is there, with its type.
///
/// `body` is `null` where there is none.
pub fn check_answer(method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
    answer(method, path, status, body, Strictness::Whole)
}

/// Holds an answer that was cut down to the description: what is there is documented and has its type.
///
/// This covers all that a reader can read of it, and nothing that it would miss.
pub fn check_answer_fields(method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
    answer(method, path, status, body, Strictness::Part)
}

fn answer(method: &str, path: &str, status: u16, body: &Value, strictness: Strictness) -> Result<(), String> {
    let answered = format!("{status} to {method} {path}");
    if let Some(exception) = exceptions::find(method, path) {
        // GraphQL says its errors in a 200, GitHub's front door says its own as everywhere.
        let fits = body.is_object() && (status >= 400 || body.get("data").is_some() || body.get("errors").is_some());
        return if fits {
            Ok(())
        } else {
            Err(format!("{answered}\n{} answers data or errors", exception.operation))
        };
    }
    let (operation, _) = DESCRIPTION.find(method, path)?;
    operation
        .answer_fault(status, &exceptions::without_permissions(body), strictness)
        .map_err(|fault| format!("{answered} ({})\n{fault}", operation.id))
}

#[derive(Deserialize)]
struct RawDescription {
    paths: BTreeMap<String, BTreeMap<String, RawOperation>>,
    components: RawComponents,
}

#[derive(Deserialize)]
struct RawComponents {
    schemas: Value,
    parameters: HashMap<String, RawParameter>,
    responses: HashMap<String, RawResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOperation {
    operation_id: String,
    parameters: Vec<RawOr<RawParameter>>,
    request_body: Option<RawBody>,
    responses: BTreeMap<String, RawOr<RawResponse>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawOr<T> {
    Reference {
        #[serde(rename = "$ref")]
        reference: String,
    },
    Here(T),
}

impl<T: Clone> RawOr<T> {
    fn resolve(&self, named: &HashMap<String, T>) -> T {
        match self {
            RawOr::Here(here) => here.clone(),
            RawOr::Reference { reference } => {
                let name = reference.rsplit('/').next().unwrap_or_default();
                named
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| panic!("{reference} points at nothing"))
            }
        }
    }
}

#[derive(Clone, Deserialize)]
struct RawParameter {
    name: String,
    #[serde(rename = "in")]
    place: Place,
    schema: Value,
    #[serde(default)]
    required: bool,
    #[serde(default, rename = "x-multi-segment")]
    multi_segment: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Path,
    Query,
    Header,
}

#[derive(Clone, Deserialize)]
struct RawBody {
    required: bool,
    content: RawContent,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct RawResponse {
    content: Option<RawContent>,
}

#[derive(Clone, Deserialize)]
struct RawContent {
    #[serde(rename = "application/json")]
    json: RawMedia,
}

#[derive(Clone, Deserialize)]
struct RawMedia {
    schema: Value,
}

struct Description {
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    id: String,
    segments: Vec<Segment>,
    query: Vec<RawParameter>,
    body: Option<RawBody>,
    responses: BTreeMap<u16, Option<Value>>,
    schemas: Arc<Value>,
    compiled: Mutex<HashMap<(Part, Strictness), Arc<Validator>>>,
}

/// The parts of an operation that have a schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Body,
    Parameter(String),
    Answer(u16),
}

enum Segment {
    Literal(String),
    Value(RawParameter),
}

impl Description {
    fn new(raw: RawDescription) -> Self {
        let schemas = Arc::new(raw.components.schemas.clone());
        let mut operations = Vec::new();
        for (template, methods) in raw.paths {
            for (method, operation) in methods {
                let parameters: Vec<RawParameter> = operation
                    .parameters
                    .iter()
                    .map(|parameter| parameter.resolve(&raw.components.parameters))
                    .collect();
                let responses = operation.responses.iter().map(|(status, response)| {
                    let status = status.parse().expect("a response's key is its status");
                    let response = response.resolve(&raw.components.responses);
                    (status, response.content.map(|content| content.json.schema))
                });
                operations.push(Operation {
                    method: method.to_uppercase(),
                    segments: segments(&template, &parameters),
                    id: operation.operation_id,
                    responses: responses.collect(),
                    query: parameters
                        .into_iter()
                        .filter(|parameter| parameter.place == Place::Query)
                        .collect(),
                    body: operation.request_body,
                    schemas: Arc::clone(&schemas),
                    compiled: Mutex::default(),
                });
            }
        }
        Description { operations }
    }

    /// The operation behind a request, with the values of its path parameters.
    fn find<'a>(&'static self, method: &str, path: &'a str) -> Result<(&'static Operation, Vec<&'a str>), String> {
        let documented = described_path(path);
        let fitting = |operation: &'static Operation| {
            let values = operation.values(documented.segments()?)?;
            Some((operation, values))
        };
        let mut found: Vec<_> = self.operations.iter().filter_map(fitting).collect();
        // A literal is meant before a parameter: /issues/comments/{comment_id} before /issues/{issue_number}/comments.
        found.sort_by_key(|(operation, _)| operation.values_count());
        let methods: Vec<&str> = found.iter().map(|(operation, _)| operation.method.as_str()).collect();
        if let Some(at) = methods.iter().position(|known| *known == method) {
            return Ok(found.swap_remove(at));
        }
        let known = if methods.is_empty() {
            "no operation".to_owned()
        } else {
            format!("only {}", methods.join(", "))
        };
        Err(format!(
            "{method} {path}: {known} on this path in tests/data/github-openapi.json. If GitHub documents it, add it \
             to scripts/github-operations.txt and run `node scripts/trim-openapi.mjs`"
        ))
    }
}

/// A request path as the description spells it.
struct DescribedPath<'a> {
    by_id: bool,
    rest: &'a str,
}

/// GitHub redirects a request for a renamed repository to `/repositories/{id}`, which the description lacks: what
/// follows is read as below `/repos/{owner}/{repo}`.
fn described_path(path: &str) -> DescribedPath<'_> {
    if let Some(rest) = path.strip_prefix("/repositories/") {
        let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
            return DescribedPath { by_id: true, rest };
        }
    }
    DescribedPath {
        by_id: false,
        rest: path,
    }
}

impl<'a> DescribedPath<'a> {
    /// `None` for what is no path of the API: a missing first slash.
    fn segments(&self) -> Option<Vec<&'a str>> {
        if self.by_id {
            let below = if self.rest.is_empty() {
                Vec::new()
            } else {
                self.rest.split('/').collect()
            };
            return Some([vec!["repos", "owner", "repository"], below].concat());
        }
        Some(self.rest.strip_prefix('/')?.split('/').collect())
    }
}

fn segments(template: &str, parameters: &[RawParameter]) -> Vec<Segment> {
    let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        None => Segment::Literal(text.to_owned()),
        Some(name) => {
            let of_path = |parameter: &&RawParameter| parameter.place == Place::Path && parameter.name == name;
            let parameter = parameters.iter().find(of_path);
            Segment::Value(
                parameter
                    .unwrap_or_else(|| panic!("{template} does not describe {name}"))
                    .clone(),
            )
        }
    };
    template.trim_start_matches('/').split('/').map(segment).collect()
}

impl Operation {
    fn values_count(&self) -> usize {
        self.segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Value(_)))
            .count()
    }

    /// The values of the path parameters if this operation's path fits. A multi-segment one takes all that the segments
    /// behind it leave.
    fn values<'a>(&self, path: Vec<&'a str>) -> Option<Vec<&'a str>> {
        let mut values = Vec::new();
        let mut path = path.into_iter();
        for (at, segment) in self.segments.iter().enumerate() {
            let given = path.next().filter(|given| !given.is_empty())?;
            match segment {
                Segment::Literal(text) if text == given => {}
                Segment::Literal(_) => return None,
                Segment::Value(parameter) => {
                    values.push(given);
                    let behind = self.segments.len() - at - 1;
                    while parameter.multi_segment && path.len() > behind {
                        path.next().filter(|rest| !rest.is_empty())?;
                    }
                }
            }
        }
        path.next().is_none().then_some(values)
    }

    fn path_faults(&self, values: &[&str]) -> Vec<String> {
        let parameters = self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Value(parameter) => Some(parameter),
        });
        parameters
            .zip(values)
            .filter_map(|(parameter, value)| self.parameter_fault(parameter, value))
            .collect()
    }

    fn query_faults(&self, query: &str) -> Vec<String> {
        let given: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut faults = Vec::new();
        for (at, (name, value)) in given.iter().enumerate() {
            if given[..at].iter().any(|(earlier, _)| earlier == name) {
                faults.push(format!("query/{name}: given twice"));
            } else if let Some(parameter) = self.query.iter().find(|parameter| parameter.name == *name) {
                faults.extend(self.parameter_fault(parameter, value));
            } else {
                faults.push(format!("query/{name}: not documented"));
            }
        }
        let missing = self
            .query
            .iter()
            .filter(|known| known.required && given.iter().all(|(name, _)| *name != known.name));
        faults.extend(missing.map(|parameter| format!("query/{}: missing", parameter.name)));
        faults
    }

    /// A parameter is text on the wire: it fits if it fits as text or as the number or truth value that it spells.
    fn parameter_fault(&self, parameter: &RawParameter, value: &str) -> Option<String> {
        let validator = self.validator(
            Part::Parameter(parameter.name.clone()),
            &parameter.schema,
            Strictness::Exact,
        );
        let spelled = serde_json::from_str(value)
            .ok()
            .filter(|value: &Value| value.is_number() || value.is_boolean());
        if spelled.is_some_and(|value| validator.is_valid(&value)) {
            return None;
        }
        schema::validate(&validator, &json!(value), &format!("parameter {}", parameter.name)).err()
    }

    fn body_faults(&self, body: Option<&Value>) -> Option<String> {
        match (body, &self.body) {
            (None, None) => None,
            (Some(_), None) => Some("body: this operation documents none".into()),
            (None, Some(known)) => known.required.then(|| "body: missing".into()),
            (Some(body), Some(known)) => {
                let validator = self.validator(Part::Body, &known.content.json.schema, Strictness::Exact);
                schema::validate(&validator, body, "body").err()
            }
        }
    }

    fn answer_fault(&self, status: u16, body: &Value, strictness: Strictness) -> Result<(), String> {
        match self.responses.get(&status) {
            Some(None) if body.is_null() => Ok(()),
            Some(None) => Err("body: none is documented".into()),
            Some(Some(schema)) => {
                let validator = self.validator(Part::Answer(status), schema, strictness);
                schema::validate(&validator, &without_own_status(status, body), "body")
            }
            None => undocumented_status(status, body),
        }
    }

    fn validator(&self, part: Part, schema: &Value, strictness: Strictness) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().expect("no compilation panicked");
        let entry = compiled.entry((part, strictness));
        Arc::clone(entry.or_insert_with(|| Arc::new(schema::compile_openapi(schema, &self.schemas, strictness))))
    }
}

/// GitHub's errors repeat their status; of the schemas for them only `basic-error` says so.
fn without_own_status(status: u16, body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut().filter(|_| status >= 400)
        && fields.get("status").and_then(Value::as_str) == Some(status.to_string().as_str())
    {
        fields.remove("status");
    }
    body
}

/// Every operation may be answered by what stands in front of it: redirects, authentication, limits, an outage.
fn undocumented_status(status: u16, body: &Value) -> Result<(), String> {
    let says_why = body.get("message").is_some_and(Value::is_string);
    match status {
        304 if body.is_null() => Ok(()),
        301 | 302 | 307 | 308 | 401 | 403 | 404 | 413 | 429 if says_why => Ok(()),
        500..=599 => Ok(()),
        301 | 302 | 307 | 308 | 401 | 403 | 404 | 413 | 429 => Err("body: an error of GitHub has a message".into()),
        304 => Err("body: 304 has none".into()),
        _ => Err(format!("{status} is not documented for this operation")),
    }
}
