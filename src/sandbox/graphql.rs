//! The two things that REST cannot do: when a text was last edited, and hiding a comment.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::clock::stamp_or_null;
use super::ids::{CommentId, IssueId, node_id, parse_node_id};
use super::journal::Credential;
use super::model::*;
use super::refusal::Refusal;
use super::rest::{Call, Outcome};

/// The reasons that GitHub knows for hiding a comment.
const CLASSIFIERS: [&str; 7] = [
    "ABUSE",
    "DUPLICATE",
    "LOW_QUALITY",
    "OFF_TOPIC",
    "OUTDATED",
    "RESOLVED",
    "SPAM",
];

/// Reads a query leniently: what is asked is told by a word in it, the subjects by its variables or its literals.
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
    let none = Map::new();
    let variables = body["variables"].as_object().unwrap_or(&none);
    if query.contains("minimizeComment") {
        return minimize(call, query, variables);
    }
    if query.contains("lastEditedAt") {
        return edits(call, query, variables);
    }
    Ok(errors("This sandbox answers only lastEditedAt and minimizeComment."))
}

fn errors(message: &str) -> Answer {
    Answer::ok(json!({ "data": null, "errors": [{ "message": message }] }))
}

/// The node ids in the variables, then those written into the query itself.
fn subjects(query: &str, variables: &Map<String, Value>) -> Vec<String> {
    let mut ids = Vec::new();
    for value in variables.values() {
        collect(value, &mut ids);
    }
    for literal in query.split('"').skip(1).step_by(2) {
        if parse_node_id(literal).is_some() {
            ids.push(literal.to_owned());
        }
    }
    ids
}

fn collect(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::String(text) if parse_node_id(text).is_some() => ids.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => members.values().for_each(|member| collect(member, ids)),
        _ => {}
    }
}

fn minimize(call: &mut Call<'_>, query: &str, variables: &Map<String, Value>) -> Outcome {
    let subject = subjects(query, variables).into_iter().next();
    let Some(subject) = subject else {
        return Ok(errors("Variable $subjectId was not provided"));
    };
    let classifier = variables
        .values()
        .flat_map(|value| match value {
            Value::Object(members) => members.values().collect::<Vec<_>>(),
            other => vec![other],
        })
        .filter_map(Value::as_str)
        .chain(query.split(|c: char| !c.is_ascii_uppercase() && c != '_'))
        .find(|word| CLASSIFIERS.contains(word))
        .map(str::to_owned);
    let Some(classifier) = classifier else {
        return Ok(errors("Variable $classifier was not provided"));
    };
    let comment = match parse_node_id(&subject) {
        Some(("IC" | "PRRC", id)) => call.world.live_comment(CommentId(id)).ok(),
        _ => None,
    };
    let Some(comment) = comment else {
        return Ok(not_resolved(&subject));
    };
    let id = comment.id;
    let repo = call.world.live_issue(comment.issue)?.repo;
    if call
        .need(repo, &[("issues", Access::Write), ("pull_requests", Access::Write)])
        .is_err()
    {
        return Ok(Answer::ok(json!({
            "data": { "minimizeComment": null },
            "errors": [{ "type": "FORBIDDEN", "path": ["minimizeComment"],
                         "message": "Resource not accessible by integration" }],
        })));
    }
    call.world.minimize_comment(id, &classifier)?;
    Ok(Answer::ok(json!({ "data": { "minimizeComment": {
        "clientMutationId": null,
        "minimizedComment": { "isMinimized": true, "minimizedReason": classifier.to_lowercase() },
    } } })))
}

fn not_resolved(id: &str) -> Answer {
    Answer::ok(json!({
        "data": null,
        "errors": [{ "type": "NOT_FOUND", "message": format!("Could not resolve to a node with the global id of '{id}'.") }],
    }))
}

/// `node(id)` and `nodes(ids)`, as often as they stand in the query; a node that is not there is null, with an error
/// beside it.
fn edits(call: &mut Call<'_>, query: &str, variables: &Map<String, Value>) -> Outcome {
    let mut problems = Vec::new();
    let mut data = Map::new();
    for field in fields(query) {
        let ids = field.ids(variables);
        let mut found = ids.iter().map(|id| {
            node(call, id).unwrap_or_else(|| {
                let message = format!("Could not resolve to a node with the global id of '{id}'.");
                problems.push(json!({ "type": "NOT_FOUND", "path": [field.key], "message": message }));
                Value::Null
            })
        });
        let value = match field.kind {
            FieldKind::Node => found.next().unwrap_or(Value::Null),
            FieldKind::Nodes => found.collect(),
        };
        data.insert(field.key, value);
    }
    let mut body = json!({ "data": data });
    if !problems.is_empty() {
        body["errors"] = problems.into();
    }
    Ok(Answer::ok(body))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    Node,
    Nodes,
}

/// One `node(…)` or `nodes(…)` of a query.
struct Field<'a> {
    at: usize,
    /// Its name in the answer: the alias where it has one.
    key: String,
    kind: FieldKind,
    arguments: &'a str,
}

impl Field<'_> {
    /// The node ids that it asks for: of the variable that it names, else those written into it.
    fn ids(&self, variables: &Map<String, Value>) -> Vec<String> {
        let mut ids = Vec::new();
        for variable in self.arguments.split('$').skip(1) {
            let end = variable
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(variable.len());
            if let Some(value) = variables.get(&variable[..end]) {
                collect_any(value, &mut ids);
            }
        }
        ids.extend(self.arguments.split('"').skip(1).step_by(2).map(str::to_owned));
        ids
    }
}

/// Every text in a value, whether it looks like a node id or not: GitHub says of each that it cannot be resolved.
fn collect_any(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::String(text) => ids.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_any(item, ids)),
        _ => {}
    }
}

fn fields(query: &str) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    for (name, kind) in [("node", FieldKind::Node), ("nodes", FieldKind::Nodes)] {
        for (at, matched) in query.match_indices(&format!("{name}(")) {
            let before = query[..at].trim_end();
            let alias = before.strip_suffix(':').map(|rest| {
                let rest = rest.trim_end();
                let start = rest
                    .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .map_or(0, |at| at + 1);
                rest[start..].to_owned()
            });
            let after = &query[at + matched.len()..];
            let arguments = after.split_once(')').map_or(after, |(inside, _)| inside);
            found.push(Field {
                at,
                key: alias.unwrap_or_else(|| name.to_owned()),
                kind,
                arguments,
            });
        }
    }
    found.sort_by_key(|field| field.at);
    found
}

fn node(call: &mut Call<'_>, id: &str) -> Option<Value> {
    let (kind, number) = parse_node_id(id)?;
    let (kind, repo, text, updated_at) = match kind {
        "IC" | "PRRC" => {
            let comment = call.world.live_comment(CommentId(number)).ok()?;
            let repo = call.world.live_issue(comment.issue).ok()?.repo;
            let kind = if kind == "IC" {
                "IssueComment"
            } else {
                "PullRequestReviewComment"
            };
            (kind, repo, comment.text.clone(), comment.updated_at)
        }
        "I" | "PR" => {
            let issue = call.world.live_issue(IssueId(number)).ok()?;
            let kind = if kind == "I" { "Issue" } else { "PullRequest" };
            (kind, issue.repo, issue.text.clone(), issue.updated_at)
        }
        _ => return None,
    };
    call.need(repo, &[("issues", Access::Read), ("pull_requests", Access::Read)])
        .ok()?;
    let editor = text.edited.and_then(|edit| {
        let account = call
            .world
            .accounts
            .get(&edit.by)
            .filter(|account| account.presence == Presence::Present)?;
        let (prefix, kind) = match account.kind {
            AccountKind::User => ("U", "User"),
            AccountKind::Organization => ("O", "Organization"),
            AccountKind::Bot => ("BOT", "Bot"),
        };
        // GraphQL names a bot by its slug alone.
        let login = account.login.trim_end_matches("[bot]");
        Some(json!({ "__typename": kind, "login": login, "databaseId": account.id,
                     "id": node_id(prefix, account.id.0) }))
    });
    Some(json!({
        "__typename": kind,
        "id": id,
        "databaseId": number,
        "fullDatabaseId": number.to_string(),
        "lastEditedAt": stamp_or_null(text.edited.map(|edit| edit.at)),
        "updatedAt": super::clock::stamp(updated_at),
        "includesCreatedEdit": text.edited.is_some(),
        "body": text.body,
        "editor": editor,
    }))
}
