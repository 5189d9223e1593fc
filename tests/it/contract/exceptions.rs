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

/// Permissions that an App may have and that the description's list of them does not name
/// (<https://docs.github.com/rest/authentication/permissions-required-for-github-apps>, "Discussions").
const PERMISSIONS: [&str; 1] = ["discussions"];

/// An answer as the description knows it: without the permissions that it does not name.
pub fn without_permissions(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let kept = members.iter().map(|(name, value)| {
                let mut value = without_permissions(value);
                if name == "permissions"
                    && let Some(permissions) = value.as_object_mut()
                {
                    permissions.retain(|name, _| !PERMISSIONS.contains(&name.as_str()));
                }
                (name.clone(), value)
            });
            kept.collect()
        }
        Value::Array(items) => items.iter().map(without_permissions).collect(),
        other => other.clone(),
    }
}

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
