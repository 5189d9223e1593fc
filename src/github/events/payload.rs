//! From GitHub's JSON to our own events.

use serde::Deserialize;
use serde_json::Value;

use super::{Comment, Event, EventKind, InstallationChange, Parsed, Push, RepositoryChange, Transfer};
use crate::github::types::{CommentKind, Issue, RepositoryRef};
use crate::github::wire::{Missing, WireAccount, WireComment, WireInstallation, WireIssue, WireLabel, WireRepository};
use crate::workflow::ids::{InstallationId, IssueId, IssueNumber, RepositoryId};

/// GitHub lists at most this many commits of a push
/// (<https://docs.github.com/webhooks/webhook-events-and-payloads#push>).
const LISTED_COMMITS: usize = 2048;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Payload {
    action: Option<String>,
    repository: Option<WireRepository>,
    installation: Option<WireInstallation>,
    sender: Option<WireAccount>,
    issue: Option<WireIssue>,
    pull_request: Option<WireIssue>,
    discussion: Option<WireIssue>,
    comment: Option<WireComment>,
    review: Option<WireComment>,
    label: Option<WireLabel>,
    changes: Value,
    before: Option<String>,
    after: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    deleted: Option<bool>,
    forced: Option<bool>,
    created: Option<bool>,
    commits: Option<Vec<Option<WireCommit>>>,
    repositories_added: Option<Vec<Option<Listed>>>,
    repositories_removed: Option<Vec<Option<Listed>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCommit {
    added: Option<Vec<String>>,
    removed: Option<Vec<String>>,
    modified: Option<Vec<String>>,
}

/// A repository as `installation_repositories` lists it: without its owner.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Listed {
    id: Option<u64>,
    full_name: Option<String>,
    private: Option<bool>,
}

impl Listed {
    fn read(self) -> Option<RepositoryRef> {
        let full_name = self.full_name?;
        let (owner, name) = full_name.split_once('/')?;
        Some(RepositoryRef {
            id: RepositoryId(self.id?),
            owner: owner.to_owned(),
            owner_id: None,
            name: name.to_owned(),
            private: self.private.unwrap_or(true),
        })
    }
}

/// Why there is no event.
enum Nothing {
    Ignored(&'static str),
    Missing(Missing),
}

impl From<Missing> for Nothing {
    fn from(field: Missing) -> Self {
        Self::Missing(field)
    }
}

const ACTION: Nothing = Nothing::Ignored("nothing follows from this action");

/// What is read of an event that nobody handles.
#[derive(Deserialize)]
struct Other {
    #[serde(default)]
    action: Value,
}

pub(super) fn read(event: &str, body: &[u8]) -> (Parsed, Option<String>) {
    let unreadable = |error| Parsed::Broken(format!("`{event}` cannot be read: {error}"));
    match reader(event) {
        // Its fields may share a name with ours and nothing else: it matters only that it is JSON.
        None => match serde_json::from_slice::<Other>(body) {
            Ok(other) => (
                Parsed::Ignored("no one handles this event"),
                other.action.as_str().map(str::to_owned),
            ),
            Err(error) => (unreadable(error), None),
        },
        Some(read_kind) => match serde_json::from_slice::<Payload>(body) {
            Ok(payload) => {
                let action = payload.action.clone();
                (understood(event, payload, read_kind), action)
            }
            Err(error) => (unreadable(error), None),
        },
    }
}

fn understood(event: &str, mut payload: Payload, read_kind: Reader) -> Parsed {
    let kind = match read_kind(&mut payload) {
        Ok(kind) => kind,
        Err(Nothing::Ignored(reason)) => return Parsed::Ignored(reason),
        Err(Nothing::Missing(field)) => return broken(event, &payload, field),
    };
    let repository = match payload.repository.take().map(WireRepository::read).transpose() {
        Ok(repository) => repository,
        Err(field) => return broken(event, &payload, field),
    };
    let needs_repository = !matches!(kind, EventKind::Installation(_) | EventKind::Ping);
    if needs_repository && repository.is_none() {
        return broken(event, &payload, "repository");
    }
    let installation = payload
        .installation
        .and_then(|installation| installation.id)
        .map(InstallationId);
    if matches!(kind, EventKind::Installation(_)) && installation.is_none() {
        return Parsed::Broken(format!("`{event}` lacks `installation.id`"));
    }
    Parsed::Event(Box::new(Event {
        repository,
        installation,
        sender: payload.sender.and_then(WireAccount::read),
        kind,
    }))
}

fn broken(event: &str, payload: &Payload, field: Missing) -> Parsed {
    let action = payload
        .action
        .as_deref()
        .map(|action| format!(".{action}"))
        .unwrap_or_default();
    Parsed::Broken(format!("`{event}{action}` lacks `{field}`"))
}

type Reader = fn(&mut Payload) -> Result<EventKind, Nothing>;

fn reader(event: &str) -> Option<Reader> {
    Some(match event {
        "issue_comment" => |payload| {
            let subject = issue(payload)?;
            comment(CommentKind::Issue, subject, payload)
        },
        "pull_request_review" => |payload| {
            payload.comment = payload.review.take();
            let subject = pull(payload)?;
            comment(CommentKind::Review, subject, payload)
        },
        "pull_request_review_comment" => |payload| {
            let subject = pull(payload)?;
            comment(CommentKind::Line, subject, payload)
        },
        "discussion_comment" => |payload| {
            let subject = discussion(payload)?;
            comment(CommentKind::Discussion, subject, payload)
        },
        "discussion" => |payload| {
            let subject = discussion(payload)?;
            about_subject(subject, payload)
        },
        "issues" => |payload| {
            let subject = issue(payload)?;
            about_subject(subject, payload)
        },
        "pull_request" => |payload| {
            let subject = pull(payload)?;
            if payload.action.as_deref() == Some("opened") {
                return Ok(EventKind::PullOpened { subject });
            }
            about_subject(subject, payload)
        },
        "installation" => |payload| installation(payload).map(EventKind::Installation),
        "installation_repositories" => |payload| repositories(payload).map(EventKind::Installation),
        "installation_target" => |payload| match payload.action.as_deref() {
            Some("renamed") => Ok(EventKind::Installation(InstallationChange::AccountRenamed)),
            _ => Err(ACTION),
        },
        "repository" => |payload| repository(payload).map(EventKind::RepositoryChanged),
        // Another action of a suite or a run (`requested_action`) changes nothing that is read.
        "check_run" | "check_suite" | "status" => |_| Ok(EventKind::ChecksChanged),
        "push" => |payload| push(payload).map(EventKind::Push),
        "ping" => |_| Ok(EventKind::Ping),
        _ => return None,
    })
}

fn issue(payload: &mut Payload) -> Result<Issue, Missing> {
    let issue = payload.issue.take().ok_or("issue")?;
    issue.read().map_err(|_| "issue.number")
}

fn pull(payload: &mut Payload) -> Result<Issue, Missing> {
    let pull = payload.pull_request.take().ok_or("pull_request")?;
    pull.read_pull().map_err(|_| "pull_request.number")
}

fn discussion(payload: &mut Payload) -> Result<Issue, Missing> {
    let discussion = payload.discussion.take().ok_or("discussion")?;
    discussion.read_discussion().map_err(|_| "discussion.number")
}

fn comment(kind: CommentKind, subject: Issue, payload: &mut Payload) -> Result<EventKind, Nothing> {
    let action = payload.action.as_deref().ok_or("action")?;
    if !matches!(action, "created" | "submitted" | "edited" | "deleted") {
        return Err(ACTION);
    }
    let wire = payload.comment.take().ok_or("comment")?;
    let read = wire.read(kind)?;
    let comment = Comment {
        kind,
        id: read.id,
        node_id: read.node_id,
        subject,
        author: read.author,
        via_app: read.via_app,
        body: read.body,
        created_at: read.created_at,
        updated_at: Some(read.updated_at),
        html_url: read.html_url,
        in_reply_to: read.in_reply_to,
    };
    Ok(match action {
        "edited" => EventKind::CommentEdited {
            comment,
            before: from(&payload.changes, "body"),
        },
        "deleted" => EventKind::CommentDeleted { comment },
        _ => EventKind::Comment(comment),
    })
}

fn about_subject(subject: Issue, payload: &mut Payload) -> Result<EventKind, Nothing> {
    Ok(match payload.action.as_deref().ok_or("action")? {
        "labeled" => EventKind::Labeled {
            label: label(payload)?,
            at: subject.updated_at,
            subject,
        },
        "unlabeled" => EventKind::Unlabeled {
            label: label(payload)?,
            subject,
        },
        "closed" => EventKind::SubjectClosed { subject },
        "reopened" => EventKind::SubjectReopened { subject },
        "edited" => EventKind::SubjectEdited {
            subject,
            title_before: from(&payload.changes, "title"),
            body_before: from(&payload.changes, "body"),
        },
        "deleted" => EventKind::SubjectDeleted { subject },
        "transferred" => EventKind::SubjectTransferred {
            subject,
            to: transfer(&payload.changes),
        },
        "locked" => EventKind::SubjectLocked { subject },
        "unlocked" => EventKind::SubjectUnlocked { subject },
        "synchronize" => EventKind::PullSynchronize {
            subject,
            before: payload.before.take(),
            after: payload.after.take(),
        },
        _ => return Err(ACTION),
    })
}

fn label(payload: &mut Payload) -> Result<String, Missing> {
    payload.label.take().and_then(|label| label.name).ok_or("label.name")
}

/// `changes.{field}.from`.
fn from(changes: &Value, field: &str) -> Option<String> {
    changes.get(field)?.get("from")?.as_str().map(str::to_owned)
}

fn transfer(changes: &Value) -> Option<Transfer> {
    let repository: WireRepository = serde_json::from_value(changes.get("new_repository")?.clone()).ok()?;
    let issue = changes.get("new_issue").or_else(|| changes.get("new_discussion"))?;
    Some(Transfer {
        repository: repository.read().ok()?,
        number: IssueNumber(issue.get("number")?.as_u64()?),
        id: changes
            .get("new_issue")
            .and_then(|issue| issue.get("id")?.as_u64())
            .map(IssueId),
    })
}

fn installation(payload: &Payload) -> Result<InstallationChange, Nothing> {
    Ok(match payload.action.as_deref().ok_or("action")? {
        "created" => InstallationChange::Created,
        "deleted" => InstallationChange::Deleted,
        "suspend" => InstallationChange::Suspended,
        "unsuspend" => InstallationChange::Unsuspended,
        "new_permissions_accepted" => InstallationChange::PermissionsAccepted,
        _ => return Err(ACTION),
    })
}

fn repositories(payload: &mut Payload) -> Result<InstallationChange, Nothing> {
    let read = |list: Option<Vec<Option<Listed>>>| {
        let list = list.unwrap_or_default();
        list.into_iter().flatten().filter_map(Listed::read).collect()
    };
    Ok(match payload.action.as_deref().ok_or("action")? {
        "added" => InstallationChange::RepositoriesAdded(read(payload.repositories_added.take())),
        "removed" => InstallationChange::RepositoriesRemoved(read(payload.repositories_removed.take())),
        _ => return Err(ACTION),
    })
}

fn repository(payload: &Payload) -> Result<RepositoryChange, Nothing> {
    let changes = &payload.changes;
    let owner_before = || {
        let from = changes.get("owner")?.get("from")?;
        let owner = from.get("user").or_else(|| from.get("organization"))?;
        owner.get("login")?.as_str().map(str::to_owned)
    };
    Ok(match payload.action.as_deref().ok_or("action")? {
        "renamed" => RepositoryChange::Renamed {
            from: changes
                .get("repository")
                .and_then(|repository| from(repository, "name")),
        },
        "transferred" => RepositoryChange::Transferred { from: owner_before() },
        "deleted" => RepositoryChange::Deleted,
        "archived" => RepositoryChange::Archived,
        "unarchived" => RepositoryChange::Unarchived,
        "privatized" => RepositoryChange::Privatized,
        "publicized" => RepositoryChange::Publicized,
        "edited" if changes.get("default_branch").is_some() => RepositoryChange::DefaultBranch {
            from: from(changes, "default_branch"),
        },
        _ => return Err(ACTION),
    })
}

fn push(payload: &mut Payload) -> Result<Push, Nothing> {
    let reference = payload.reference.as_deref().ok_or("ref")?;
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        return Err(Nothing::Ignored("a push of something else than a branch"));
    };
    if payload.deleted == Some(true) {
        return Err(Nothing::Ignored("a branch was deleted"));
    }
    let default_branch = payload
        .repository
        .as_ref()
        .and_then(|repository| repository.default_branch.as_deref());
    let commits: Vec<WireCommit> = payload
        .commits
        .take()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect();
    let listed = commits.len();
    let mut touched: Vec<String> = commits
        .into_iter()
        .flat_map(|commit| [commit.added, commit.removed, commit.modified])
        .flatten()
        .flatten()
        .collect();
    touched.sort();
    touched.dedup();
    Ok(Push {
        branch: branch.to_owned(),
        default_branch: default_branch == Some(branch),
        touched,
        may_touch_more: payload.forced == Some(true)
            || payload.created == Some(true)
            || listed == 0
            || listed >= LISTED_COMMITS,
    })
}
