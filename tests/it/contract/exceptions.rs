//! Requests that GitHub's REST description does not hold and that are right all the same.

use serde_json::Value;

/// A request outside the description, and why it is allowed.
pub struct Exception {
    pub method: &'static str,
    pub path: &'static str,
    /// What stands in for the operation's id.
    pub operation: &'static str,
    pub reason: &'static str,
    pub body: fn(&Value) -> Result<(), String>,
}

/// All of them. Paths below `/repositories/{id}` need none: `openapi::described_path` reads them as documented ones.
pub const EXCEPTIONS: &[Exception] = &[Exception {
    method: "POST",
    path: "/graphql",
    operation: "graphql",
    reason: "REST has neither a comment's lastEditedAt nor minimizeComment; GraphQL has a schema of its own",
    body: graphql_body,
}];

pub fn find(method: &str, path: &str) -> Option<&'static Exception> {
    EXCEPTIONS
        .iter()
        .find(|exception| exception.method == method && exception.path == path)
}

/// The shape of a GraphQL request over HTTP: <https://graphql.org/learn/serving-over-http/>.
fn graphql_body(body: &Value) -> Result<(), String> {
    let fields = body.as_object().ok_or("body: a GraphQL request is an object")?;
    if !fields.get("query").is_some_and(Value::is_string) {
        return Err("body/query: a GraphQL request needs a query, as text".into());
    }
    for (name, value) in fields {
        let fits = match name.as_str() {
            "query" | "operationName" => value.is_string(),
            "variables" => value.is_object(),
            _ => return Err(format!("body/{name}: not a field of a GraphQL request")),
        };
        if !fits {
            return Err(format!("body/{name}: of the wrong type"));
        }
    }
    Ok(())
}
