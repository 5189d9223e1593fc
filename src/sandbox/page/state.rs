//! All that the page shows, as JSON.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Door;
use super::markdown::render;
use crate::sandbox::clock::stamp;
use crate::sandbox::{CommentView, IssueNumber, IssueView, Sandbox};

/// How many deliveries are shown, the newest first.
const DELIVERIES: usize = 40;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// The issue whose thread is shown.
    issue: Option<IssueNumber>,
}

/// Answers 304 when the page shows all this already.
pub(super) async fn answer(State(door): State<Door>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let Some(sandbox) = door.sandbox() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (mailbox, workflows) = {
        let backstage = door.shared.backstage();
        (backstage.mailbox.clone(), backstage.workflows.clone())
    };
    let mails = mailbox.map(|mailbox| mailbox()).unwrap_or_default();
    let workflows = match workflows {
        Some(workflows) => workflows().await,
        None => Value::Null,
    };
    let repository = sandbox.full_name();
    let state = json!({
        "repository": repository,
        "bot": sandbox.bot_login(),
        "people": people(&sandbox),
        "teams": teams(&sandbox),
        "labels": sandbox.repo_labels(),
        "issues": sandbox.issues().iter().map(|issue| outline(&sandbox, issue)).collect::<Vec<_>>(),
        "files": files(&sandbox),
        "thread": wanted.issue.and_then(|number| thread(&sandbox, number, &repository)),
        "mails": mails,
        "workflows": workflows,
        "deliveries": deliveries(&sandbox),
    });
    let tag = format!("\"{}\"", version(&state.to_string()));
    if headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(ETAG, tag)], Json(state)).into_response()
}

/// A short name of a text's present form.
pub(super) fn version(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text)[..8])
}

fn people(sandbox: &Sandbox) -> Vec<Value> {
    let people = sandbox.people();
    people
        .into_iter()
        .map(|(login, role)| json!({ "login": login, "role": role }))
        .collect()
}

fn teams(sandbox: &Sandbox) -> Vec<Value> {
    let teams = sandbox.teams();
    teams
        .into_iter()
        .map(|(name, people)| json!({ "name": name, "people": people }))
        .collect()
}

fn files(sandbox: &Sandbox) -> Vec<Value> {
    let files = sandbox.files();
    files
        .iter()
        .map(|(path, text)| json!({ "path": path, "version": version(text), "text": text }))
        .collect()
}

fn outline(sandbox: &Sandbox, issue: &IssueView) -> Value {
    json!({
        "number": issue.number,
        "title": issue.title,
        "author": issue.author,
        "open": issue.open,
        "discussion": issue.is_discussion,
        "labels": issue.labels,
        "assignees": issue.assignees,
        "comments": sandbox.comments(issue.number).len(),
        "parent": sandbox.parent(issue.number),
    })
}

fn thread(sandbox: &Sandbox, number: IssueNumber, repository: &str) -> Option<Value> {
    let issue = sandbox.issue(number)?;
    let reactions = sandbox.issue_reactions(number);
    let comments = sandbox.comments(number);
    Some(json!({
        "number": issue.number,
        "title": issue.title,
        "author": issue.author,
        "at": stamp(issue.created_at),
        "body": issue.body,
        "html": render(&issue.body, repository),
        "version": version(&issue.body),
        "open": issue.open,
        "pull": issue.is_pull,
        "discussion": issue.is_discussion,
        "locked": issue.locked,
        "labels": issue.labels,
        "assignees": issue.assignees,
        "parent": sandbox.parent(number),
        "sub_issues": sandbox.sub_issues(number),
        "blocked_by": sandbox.blocked_by(number),
        "reactions": reactions.iter().map(|found| json!({ "by": found.author, "content": found.content })).collect::<Vec<_>>(),
        "comments": comments.iter().map(|comment| shown(sandbox, comment, repository)).collect::<Vec<_>>(),
    }))
}

fn shown(sandbox: &Sandbox, comment: &CommentView, repository: &str) -> Value {
    let edited: Option<(DateTime<Utc>, String)> = comment.edited.clone();
    let reactions = sandbox.reactions(comment.id);
    json!({
        "id": comment.id,
        "author": comment.author,
        "at": stamp(comment.created_at),
        "edited": edited.map(|(at, by)| json!({ "at": stamp(at), "by": by })),
        "hidden": comment.minimized,
        "reply_to": comment.reply_to,
        "body": comment.body,
        "html": render(&comment.body, repository),
        "version": version(&comment.body),
        "reactions": reactions.iter().map(|found| json!({ "by": found.author, "content": found.content })).collect::<Vec<_>>(),
    })
}

fn deliveries(sandbox: &Sandbox) -> Vec<Value> {
    let world = sandbox.shared.lock();
    let newest = world.attempts.iter().rev().take(DELIVERIES);
    newest
        .map(|attempt| {
            json!({
                "guid": attempt.packet.guid,
                "event": attempt.packet.event,
                "action": attempt.packet.action,
                "at": stamp(attempt.at),
                "status": attempt.outcome.code(),
            })
        })
        .collect()
}
