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

/// `node(id)` and `nodes(ids)`; a node that is not there is null, with an error beside it.
fn edits(call: &mut Call<'_>, query: &str, variables: &Map<String, Value>) -> Outcome {
    let ids = subjects(query, variables);
    let mut problems = Vec::new();
    let nodes: Vec<Value> = ids
        .iter()
        .map(|id| {
            node(call, id).unwrap_or_else(|| {
                let message = format!("Could not resolve to a node with the global id of '{id}'.");
                problems.push(json!({ "type": "NOT_FOUND", "message": message }));
                Value::Null
            })
        })
        .collect();
    let data = if query.contains("nodes(") {
        json!({ "nodes": nodes })
    } else {
        let keys = keys_of(query);
        keys.into_iter().zip(nodes).collect::<Map<String, Value>>().into()
    };
    let mut body = json!({ "data": data });
    if !problems.is_empty() {
        body["errors"] = problems.into();
    }
    Ok(Answer::ok(body))
}

/// The key of each `node(` in the answer: its alias where it has one.
fn keys_of(query: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (at, _) in query.match_indices("node(") {
        let before = query[..at].trim_end();
        let alias = before.strip_suffix(':').map(|rest| {
            let name = rest.trim_end();
            let start = name
                .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map_or(0, |at| at + 1);
            name[start..].to_owned()
        });
        keys.push(alias.unwrap_or_else(|| "node".to_owned()));
    }
    keys
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
