//! Pull requests, reviews and line comments as JSON.

use serde_json::{Value, json};

use super::issues::{comment_url, issue_page, issue_url};
use super::repos::{app_reference, extend, repo_page, repo_url, repository, user};
use super::{Dialect, issues};
use crate::sandbox::clock::{stamp, stamp_or_null};
use crate::sandbox::ids::*;
use crate::sandbox::model::*;

/// How much of a pull request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// As reviews' webhooks carry it.
    Simple,
    /// With merge state and counts.
    Full,
}

fn end(world: &World, repo: &Repo, branch: &str, sha: &str) -> Value {
    json!({
        "label": format!("{}:{branch}", world.login(repo.owner)),
        "ref": branch,
        "sha": sha,
        "user": user(world, repo.owner),
        "repo": repository(world, repo),
    })
}

/// A pull request as the REST API gives it: only webhooks name the custom properties of its repositories.
pub fn answered(world: &World, repo: &Repo, issue: &Issue, found: &Pull, detail: Detail) -> Value {
    let mut value = pull(world, repo, issue, found, detail);
    for end in ["head", "base"] {
        if let Some(repo) = value[end]["repo"].as_object_mut() {
            repo.remove("custom_properties");
        }
    }
    value
}

fn href(url: String) -> Value {
    json!({ "href": url })
}

/// A pull request.
pub fn pull(world: &World, repo: &Repo, issue: &Issue, pull: &Pull, detail: Detail) -> Value {
    let url = format!("{}/pulls/{}", repo_url(world, repo), issue.number);
    let as_issue = issue_url(world, repo, issue);
    let page = issue_page(world, repo, issue);
    let shared = issues::issue(world, repo, issue, Dialect::Webhook);
    let mut value = json!({
        "url": url,
        "id": issue.id,
        "node_id": node_id("PR", issue.id.0),
        "html_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "issue_url": as_issue,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{}/pulls/comments{{/number}}", repo_url(world, repo)),
        "comments_url": format!("{as_issue}/comments"),
        "statuses_url": format!("{}/statuses/{}", repo_url(world, repo), pull.head_sha),
        "merged_at": stamp_or_null(pull.merged.map(|merge| merge.at)),
        "merge_commit_sha": pull.merged.map(|_| sha_of(&format!("merge {} {}", issue.id, pull.head_sha))),
        "requested_reviewers": [],
        "requested_teams": [],
        "head": end(world, repo, &pull.head_branch, &pull.head_sha),
        "base": end(world, repo, &repo.default_branch, &pull.base_sha),
        "_links": {
            "self": href(url.clone()),
            "html": href(page.clone()),
            "issue": href(as_issue.clone()),
            "comments": href(format!("{as_issue}/comments")),
            "review_comments": href(format!("{url}/comments")),
            "review_comment": href(format!("{}/pulls/comments{{/number}}", repo_url(world, repo))),
            "commits": href(format!("{url}/commits")),
            "statuses": href(format!("{}/statuses/{}", repo_url(world, repo), pull.head_sha)),
        },
        "auto_merge": null,
        "draft": false,
    });
    for key in [
        "number",
        "state",
        "locked",
        "title",
        "user",
        "body",
        "created_at",
        "updated_at",
        "closed_at",
        "assignee",
        "assignees",
        "labels",
        "milestone",
        "author_association",
        "active_lock_reason",
    ] {
        extend(&mut value, json!({ key: shared[key] }));
    }
    if detail == Detail::Full {
        let line_comments = world.line_comments_of(issue.id).count();
        let mergeable = pull.merged.is_none() && issue.is_open();
        extend(
            &mut value,
            json!({
                "merged": pull.merged.is_some(),
                "mergeable": mergeable.then_some(true),
                "rebaseable": mergeable.then_some(true),
                "mergeable_state": if mergeable { "clean" } else { "unknown" },
                "merged_by": pull.merged.map(|merge| user(world, merge.by)),
                "comments": shared["comments"],
                "review_comments": line_comments,
                "maintainer_can_modify": false,
                "commits": 1,
                "additions": 1,
                "deletions": 0,
                "changed_files": 1,
            }),
        );
    }
    value
}

/// A check run.
pub fn check_run(world: &World, repo: &Repo, issue: &Issue, run: &CheckRun, dialect: Dialect) -> Value {
    let url = format!("{}/check-runs/{}", repo_url(world, repo), run.id);
    let page = format!("{}/checks?check_run_id={}", issue_page(world, repo, issue), run.id);
    let status = if run.conclusion.is_some() {
        "completed"
    } else {
        "in_progress"
    };
    let suite_id = 41_000_000_000 + repo.id.0;
    let suite = match dialect {
        Dialect::Webhook => json!({
            "id": suite_id,
            "node_id": node_id("CS", suite_id),
            "head_branch": issue.pull().map(|pull| pull.head_branch.as_str()),
            "head_sha": run.commit,
            "status": status,
            // A suite is never skipped.
            "conclusion": run.conclusion.as_deref().map(|word| if word == "skipped" { "neutral" } else { word }),
            "url": format!("{}/check-suites/{suite_id}", repo_url(world, repo)),
            "before": null,
            "after": null,
            "pull_requests": [],
            "app": app_reference(world),
            "created_at": stamp(run.at),
            "updated_at": stamp(run.at),
        }),
        _ => json!({ "id": suite_id }),
    };
    json!({
        "id": run.id,
        "node_id": node_id("CR", run.id),
        "head_sha": run.commit,
        "external_id": run.external_id,
        "url": url,
        "html_url": page,
        "details_url": page,
        "status": status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.at),
        "completed_at": stamp_or_null(run.conclusion.as_ref().map(|_| run.at)),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": null,
            "annotations_count": run.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "name": run.name,
        "check_suite": suite,
        "app": app_reference(world),
        "pull_requests": [],
    })
}

/// One commit status.
pub fn status(world: &World, repo: &Repo, status: &CommitStatus) -> Value {
    json!({
        "url": format!("{}/statuses/{}", repo_url(world, repo), status.commit),
        "avatar_url": user(world, status.creator)["avatar_url"],
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "state": status.state,
        "description": null,
        "target_url": null,
        "context": status.context,
        "created_at": stamp(status.at),
        "updated_at": stamp(status.at),
    })
}

/// What the webhook `status` tells beside repository and sender
/// (<https://docs.github.com/webhooks/webhook-events-and-payloads#status>).
pub fn told_status(world: &World, repo: &Repo, pull: &Pull, status: &CommitStatus) -> Value {
    let commit = format!("{}/commits/{}", repo_url(world, repo), status.commit);
    let git = format!("{}/git", repo_url(world, repo));
    let tree = sha_of(&format!("tree {}", status.commit));
    let login = world.login(status.creator);
    let by = json!({
        "name": login,
        "email": format!("{login}@users.noreply.github.com"),
        "date": stamp(status.at),
    });
    json!({
        "id": status.id,
        "sha": status.commit,
        "name": world.full_name(repo),
        "state": status.state,
        "context": status.context,
        "description": null,
        "target_url": null,
        "avatar_url": user(world, status.creator)["avatar_url"],
        "commit": {
            "sha": status.commit,
            "node_id": node_id("C", status.id),
            "commit": {
                "author": by,
                "committer": by,
                "message": "A commit",
                "tree": { "sha": tree, "url": format!("{git}/trees/{tree}") },
                "url": format!("{git}/commits/{}", status.commit),
                "comment_count": 0,
                "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null },
            },
            "url": commit,
            "html_url": format!("{}/commit/{}", repo_page(world, repo), status.commit),
            "comments_url": format!("{commit}/comments"),
            "author": user(world, status.creator),
            "committer": user(world, status.creator),
            "parents": [],
        },
        "branches": [{ "name": pull.head_branch, "commit": { "sha": status.commit, "url": commit }, "protected": false }],
        "created_at": stamp(status.at),
        "updated_at": stamp(status.at),
    })
}

/// The combined status of a commit with one page of its statuses: a failure where one failed, pending where one is or
/// none is there (<https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference>).
pub fn combined_status(world: &World, repo: &Repo, sha: &str, all: &[&CommitStatus], page: Vec<Value>) -> Value {
    let commit = format!("{}/commits/{sha}", repo_url(world, repo));
    let any = |words: &[&str]| all.iter().any(|status| words.contains(&status.state.as_str()));
    let state = match () {
        () if any(&["failure", "error"]) => "failure",
        () if all.is_empty() || any(&["pending"]) => "pending",
        () => "success",
    };
    json!({
        "state": state,
        "statuses": page,
        "sha": sha,
        "total_count": all.len(),
        "repository": repository(world, repo),
        "commit_url": commit,
        "url": format!("{commit}/status"),
    })
}

/// A file that a pull request changes.
pub fn file(world: &World, repo: &Repo, pull: &Pull, path: &str) -> Value {
    let at = format!("{}/{}", pull.head_sha, path);
    json!({
        "sha": sha_of(&at),
        "filename": path,
        "status": "modified",
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "blob_url": format!("{}/blob/{at}", repo_url(world, repo)),
        "raw_url": format!("{}/raw/{at}", repo_url(world, repo)),
        "contents_url": format!("{}/contents/{path}?ref={}", repo_url(world, repo), pull.head_sha),
    })
}

/// A review. Webhooks write its state in lower case.
pub fn review(world: &World, repo: &Repo, issue: &Issue, review: &Review, dialect: Dialect) -> Value {
    let page = format!("{}#pullrequestreview-{}", issue_page(world, repo, issue), review.id);
    let pull_url = format!("{}/pulls/{}", repo_url(world, repo), issue.number);
    let mut value = json!({
        "id": review.id,
        "node_id": node_id("PRR", review.id.0),
        "user": user(world, review.author),
        "body": review.body,
        "commit_id": review.commit,
        "submitted_at": stamp(review.at),
        "state": match dialect {
            Dialect::Rest => review.state.name().to_owned(),
            Dialect::Webhook => review.state.name().to_lowercase(),
        },
        "html_url": page,
        "pull_request_url": pull_url,
        "author_association": world.association(repo, review.author),
        "_links": { "html": href(page.clone()), "pull_request": href(pull_url.clone()) },
    });
    if dialect == Dialect::Webhook && review.body.is_empty() {
        extend(&mut value, json!({ "body": null }));
    }
    value
}

/// A comment on a line of a pull request.
pub fn line_comment(world: &World, repo: &Repo, issue: &Issue, comment: &Comment, place: &LinePlace) -> Value {
    let url = comment_url(world, repo, comment);
    let page = format!("{}#discussion_r{}", issue_page(world, repo, issue), comment.id);
    let pull_url = format!("{}/pulls/{}", repo_url(world, repo), issue.number);
    let as_issue_comment = issues::comment(world, repo, issue, comment, Dialect::Webhook);
    let mut value = json!({
        "url": url,
        "pull_request_review_id": place.review,
        "id": comment.id,
        "node_id": node_id("PRRC", comment.id.0),
        "diff_hunk": format!("@@ -1 +{} @@", place.line),
        "path": place.path,
        "position": 1,
        "original_position": 1,
        "commit_id": place.commit,
        "original_commit_id": place.commit,
        "html_url": page,
        "pull_request_url": pull_url,
        "_links": { "self": href(url.clone()), "html": href(page.clone()), "pull_request": href(pull_url.clone()) },
        "start_line": null,
        "original_start_line": null,
        "start_side": null,
        "line": place.line,
        "original_line": place.line,
        "side": "RIGHT",
        "subject_type": "line",
    });
    for key in [
        "user",
        "body",
        "created_at",
        "updated_at",
        "author_association",
        "reactions",
    ] {
        extend(&mut value, json!({ key: as_issue_comment[key] }));
    }
    if let Some(parent) = place.reply_to {
        extend(&mut value, json!({ "in_reply_to_id": parent }));
    }
    value
}
