//! Issues, comments, reactions and histories as JSON.

use serde_json::{Value, json};

use super::Dialect;
use super::repos::{app_reference, extend, label, repo_page, repo_url, user};
use crate::sandbox::clock::{stamp, stamp_or_null};
use crate::sandbox::ids::*;
use crate::sandbox::model::*;

/// GitHub's eight reactions.
pub const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// An issue's place in the API.
pub fn issue_url(world: &World, repo: &Repo, issue: &Issue) -> String {
    format!("{}/issues/{}", repo_url(world, repo), issue.number)
}

/// An issue's or pull request's page.
pub fn issue_page(world: &World, repo: &Repo, issue: &Issue) -> String {
    let kind = match issue.sort {
        Sort::Issue => "issues",
        Sort::Pull(_) => "pull",
        Sort::Discussion => "discussions",
    };
    format!("{}/{kind}/{}", repo_page(world, repo), issue.number)
}

fn via_app(world: &World, means: Means) -> Value {
    match means {
        Means::App => app_reference(world),
        Means::Site => Value::Null,
    }
}

pub(super) fn rollup(url: &str, reactions: &[Reaction]) -> Value {
    let mut value = json!({ "url": format!("{url}/reactions"), "total_count": reactions.len() });
    for name in REACTIONS {
        let count = reactions.iter().filter(|reaction| reaction.content == name).count();
        extend(&mut value, json!({ name: count }));
    }
    value
}

/// The labels that something bears.
pub fn labels_of(world: &World, repo: &Repo, issue: &Issue) -> Vec<Value> {
    let known = |id: &LabelId| repo.labels.iter().find(|label| label.id == *id);
    let labels = issue.labels.iter().filter_map(known);
    labels.map(|found| label(world, repo, found)).collect()
}

/// An issue or a pull request in its form as an issue.
pub fn issue(world: &World, repo: &Repo, issue: &Issue, dialect: Dialect) -> Value {
    let url = issue_url(world, repo, issue);
    let labels = labels_of(world, repo, issue);
    let (state, reason, closed_at, closed_by) = match &issue.state {
        State::Open { reason } => ("open", reason.map(str::to_owned), None, None),
        State::Closed { reason, at, by } => ("closed", Some(reason.clone()), Some(*at), Some(*by)),
    };
    let (locked, lock_reason) = match issue.lock {
        Lock::Unlocked => (false, None),
        Lock::Locked(reason) => (true, reason),
    };
    let assignees: Vec<Value> = issue.assignees.iter().map(|id| user(world, *id)).collect();
    let mut value = json!({
        "url": url,
        "repository_url": repo_url(world, repo),
        "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"),
        "html_url": issue_page(world, repo, issue),
        "id": issue.id,
        "node_id": node_id(if issue.pull().is_some() { "PR" } else { "I" }, issue.id.0),
        "number": issue.number,
        "title": issue.title,
        "user": user(world, issue.author),
        "labels": labels,
        "state": state,
        "locked": locked,
        "assignee": assignees.first(),
        "assignees": assignees,
        "milestone": null,
        "comments": world.comments_of(issue.id).count(),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp_or_null(closed_at),
        "author_association": world.association(repo, issue.author),
        "active_lock_reason": lock_reason,
        "body": body_or_null(&issue.text),
        "reactions": rollup(&url, &issue.reactions),
        "timeline_url": format!("{url}/timeline"),
        "performed_via_github_app": via_app(world, issue.means),
        "state_reason": reason,
    });
    if let Some(pull) = issue.pull() {
        let page = issue_page(world, repo, issue);
        extend(
            &mut value,
            json!({
                "draft": false,
                "pull_request": {
                    "url": format!("{}/pulls/{}", repo_url(world, repo), issue.number),
                    "html_url": page,
                    "diff_url": format!("{page}.diff"),
                    "patch_url": format!("{page}.patch"),
                    "merged_at": stamp_or_null(pull.merged.map(|merge| merge.at)),
                },
            }),
        );
    }
    if dialect == Dialect::Rest {
        extend(
            &mut value,
            json!({ "closed_by": closed_by.map(|by| user(world, by)), "type": null }),
        );
        summaries(world, issue, &mut value);
    }
    value
}

fn body_or_null(text: &Text) -> Option<&str> {
    (!text.body.is_empty()).then_some(text.body.as_str())
}

fn summaries(world: &World, issue: &Issue, value: &mut Value) {
    if world.has(Feature::SubIssues) {
        let children: Vec<&Issue> = issue
            .children
            .iter()
            .filter_map(|id| world.issues.get(id))
            .filter(|child| child.is_present())
            .collect();
        let completed = children.iter().filter(|child| !child.is_open()).count();
        let percent = (completed * 100).checked_div(children.len()).unwrap_or(0);
        extend(
            value,
            json!({ "sub_issues_summary":
                { "total": children.len(), "completed": completed, "percent_completed": percent } }),
        );
        let parent = issue.parent.and_then(|id| world.issues.get(&id));
        if let Some((parent, repo)) = parent.and_then(|parent| Some((parent, world.repos.get(&parent.repo)?))) {
            extend(value, json!({ "parent_issue_url": issue_url(world, repo, parent) }));
        }
    }
    if world.has(Feature::Dependencies) {
        let blockers: Vec<&Issue> = issue
            .blocked_by
            .iter()
            .filter_map(|id| world.issues.get(id))
            .filter(|other| other.is_present())
            .collect();
        let blocked: Vec<&Issue> = world.blocking(issue.id).collect();
        extend(
            value,
            json!({ "issue_dependencies_summary": {
                "blocked_by": blockers.iter().filter(|other| other.is_open()).count(),
                "total_blocked_by": blockers.len(),
                "blocking": blocked.iter().filter(|other| other.is_open()).count(),
                "total_blocking": blocked.len(),
            } }),
        );
    }
}

/// A comment's place in the API.
pub fn comment_url(world: &World, repo: &Repo, comment: &Comment) -> String {
    let family = match comment.place {
        Place::Thread | Place::Reply(_) => "issues",
        Place::Line(_) => "pulls",
    };
    format!("{}/{family}/comments/{}", repo_url(world, repo), comment.id)
}

/// A comment in the thread of an issue or pull request.
pub fn comment(world: &World, repo: &Repo, on: &Issue, comment: &Comment, dialect: Dialect) -> Value {
    let url = comment_url(world, repo, comment);
    let mut value = json!({
        "url": url,
        "html_url": format!("{}#issuecomment-{}", issue_page(world, repo, on), comment.id),
        "issue_url": issue_url(world, repo, on),
        "id": comment.id,
        "node_id": node_id("IC", comment.id.0),
        "user": user(world, comment.author),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": world.association(repo, comment.author),
        "body": comment.text.body,
        "reactions": rollup(&url, &comment.reactions),
        "performed_via_github_app": via_app(world, comment.means),
    });
    if dialect == Dialect::Rest {
        let minimized = comment.minimized.as_ref().map(|reason| json!({ "reason": reason }));
        extend(&mut value, json!({ "minimized": minimized }));
    }
    value
}

/// One person's reaction.
pub fn reaction(world: &World, reaction: &Reaction) -> Value {
    json!({
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id.0),
        "user": user(world, reaction.author),
        "content": reaction.content,
        "created_at": stamp(reaction.at),
    })
}

/// The name that GitHub gives to an entry of the history.
pub fn happened_name(what: &Happened) -> &'static str {
    match what {
        Happened::Labeled { .. } => "labeled",
        Happened::Unlabeled { .. } => "unlabeled",
        Happened::Assigned(_) => "assigned",
        Happened::Unassigned(_) => "unassigned",
        Happened::Closed => "closed",
        Happened::Reopened => "reopened",
        Happened::Renamed { .. } => "renamed",
        Happened::Locked(_) => "locked",
        Happened::Unlocked => "unlocked",
        Happened::Transferred => "transferred",
        Happened::CommentDeleted => "comment_deleted",
        Happened::SubIssueAdded => "sub_issue_added",
        Happened::SubIssueRemoved => "sub_issue_removed",
        Happened::ParentAdded(_) => "parent_issue_added",
        Happened::ParentRemoved(_) => "parent_issue_removed",
        Happened::BlockedByAdded(_) => "blocked_by_added",
        Happened::BlockedByRemoved(_) => "blocked_by_removed",
        Happened::BlockingAdded(_) => "blocking_added",
        Happened::BlockingRemoved(_) => "blocking_removed",
        Happened::Merged => "merged",
    }
}

/// One entry of an issue's history.
pub fn history_entry(world: &World, repo: &Repo, entry: &HistoryEntry) -> Value {
    let mut value = json!({
        "id": entry.id,
        "node_id": node_id("EV", entry.id.0),
        "url": format!("{}/issues/events/{}", repo_url(world, repo), entry.id),
        "actor": user(world, entry.actor.account),
        "event": happened_name(&entry.what),
        "commit_id": null,
        "commit_url": null,
        "created_at": stamp(entry.at),
        "performed_via_github_app": via_app(world, entry.actor.means),
    });
    let more = match &entry.what {
        Happened::Labeled { name, color } | Happened::Unlabeled { name, color } => {
            json!({ "label": { "name": name, "color": color } })
        }
        Happened::Assigned(who) | Happened::Unassigned(who) => {
            json!({ "assignee": user(world, *who), "assigner": user(world, entry.actor.account) })
        }
        Happened::Renamed { from, to } => json!({ "rename": { "from": from, "to": to } }),
        Happened::Locked(reason) => json!({ "lock_reason": reason }),
        // The description gives these events no field for the reason or the other issue.
        Happened::Closed | Happened::SubIssueAdded | Happened::SubIssueRemoved => json!({}),
        Happened::ParentAdded(id) | Happened::ParentRemoved(id) => json!({ "parent_issue": reference(world, *id) }),
        Happened::BlockedByAdded(id) | Happened::BlockedByRemoved(id) => {
            json!({ "blocked_by": reference(world, *id) })
        }
        Happened::BlockingAdded(id) | Happened::BlockingRemoved(id) => json!({ "blocking": reference(world, *id) }),
        Happened::Unlocked => json!({ "lock_reason": null }),
        Happened::Reopened | Happened::Transferred | Happened::CommentDeleted | Happened::Merged => json!({}),
    };
    extend(&mut value, more);
    value
}

/// A short reference to another issue, as the history holds it.
fn reference(world: &World, id: IssueId) -> Value {
    let found = world
        .issues
        .get(&id)
        .and_then(|issue| Some((issue, world.repos.get(&issue.repo)?)));
    match found {
        Some((issue, repo)) => json!({
            "id": issue.id,
            "node_id": node_id("I", issue.id.0),
            "number": issue.number,
            "title": issue.title,
            "state": if issue.is_open() { "open" } else { "closed" },
            "url": issue_url(world, repo, issue),
            "html_url": issue_page(world, repo, issue),
            "repository_url": repo_url(world, repo),
        }),
        None => Value::Null,
    }
}
