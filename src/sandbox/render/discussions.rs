//! Discussions and their comments as webhooks tell them. REST has neither.

use serde_json::{Value, json};

use super::issues::{issue_page, labels_of, rollup};
use super::repos::{repo_url, user};
use crate::sandbox::clock::stamp;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;

/// Where it would be if REST had it.
fn discussion_url(world: &World, repo: &Repo, issue: &Issue) -> String {
    format!("{}/discussions/{}", repo_url(world, repo), issue.number)
}

/// A comment's place on its page.
pub fn comment_page(world: &World, repo: &Repo, on: &Issue, comment: CommentId) -> String {
    format!("{}#discussioncomment-{comment}", issue_page(world, repo, on))
}

/// A discussion. All are in one category, which takes no answer.
pub fn discussion(world: &World, repo: &Repo, issue: &Issue) -> Value {
    let url = discussion_url(world, repo, issue);
    let labels = labels_of(world, repo, issue);
    let (locked, lock_reason) = match issue.lock {
        Lock::Unlocked => (false, None),
        Lock::Locked(reason) => (true, reason),
    };
    let (state, reason) = match &issue.state {
        State::Closed { .. } => ("closed", Some("resolved")),
        State::Open { .. } if locked => ("locked", None),
        State::Open { reason } => ("open", *reason),
    };
    json!({
        "repository_url": repo_url(world, repo),
        "category": {
            "id": 41_000_001,
            "node_id": node_id("DIC", 41_000_001),
            "repository_id": repo.id,
            "emoji": ":speech_balloon:",
            "name": "General",
            "description": "Chat about anything and everything here",
            "created_at": stamp(repo.created_at),
            "updated_at": stamp(repo.created_at),
            "slug": "general",
            "is_answerable": false,
        },
        "answer_html_url": null,
        "answer_chosen_at": null,
        "answer_chosen_by": null,
        "html_url": issue_page(world, repo, issue),
        "id": issue.id,
        "node_id": node_id("D", issue.id.0),
        "number": issue.number,
        "title": issue.title,
        "user": user(world, issue.author),
        "labels": labels,
        "state": state,
        "state_reason": reason,
        "locked": locked,
        "comments": world.comments_of(issue.id).count(),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "author_association": world.association(repo, issue.author),
        "active_lock_reason": lock_reason,
        "body": issue.text.body,
        "reactions": rollup(&url, &issue.reactions),
        "timeline_url": format!("{url}/timeline"),
    })
}

/// A comment or a reply. It does not say by which App it was written.
pub fn comment(world: &World, repo: &Repo, on: &Issue, comment: &Comment) -> Value {
    let parent = match comment.place {
        Place::Reply(to) => Some(to),
        Place::Thread | Place::Line(_) => None,
    };
    let url = format!("{}/comments/{}", discussion_url(world, repo, on), comment.id);
    json!({
        "id": comment.id,
        "node_id": node_id("DC", comment.id.0),
        "html_url": comment_page(world, repo, on, comment.id),
        "parent_id": parent,
        "child_comment_count": world.replies_to(comment.id).count(),
        // As GitHub writes it here, other than everywhere else.
        "repository_url": world.full_name(repo),
        "discussion_id": on.id,
        "author_association": world.association(repo, comment.author),
        "user": user(world, comment.author),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "body": comment.text.body,
        "reactions": rollup(&url, &comment.reactions),
    })
}
