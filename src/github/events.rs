//! A webhook's body, as far as anybody here needs it.
//!
//! Lenient on purpose: GitHub adds fields, values and nulls at any time, and a strict model loses events. What is
//! unknown is skipped, what is not needed is [`Parsed::Ignored`] with a reason, and only what lacks a field without
//! which the event means nothing is [`Parsed::Broken`]. Nothing in a payload is a fact but its `sender`.

mod payload;
mod retold;

use chrono::{DateTime, Utc};

use super::types::{Account, CommentKind, CommentRef, Issue, RepositoryRef};
use crate::workflow::ids::{CommentId, InstallationId, IssueId, IssueNumber};
pub use retold::{Place, Retold};

/// What a body turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Something that may matter.
    Event(Box<Event>),
    /// A valid event that nobody here needs, and why not.
    Ignored(&'static str),
    /// No JSON, or without a field that it needs. Says which; holds nothing of the body beyond a short excerpt.
    Broken(String),
}

/// An event with what every event has.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where it happened. Always there for everything about a subject, a comment, a push or a repository.
    pub repository: Option<RepositoryRef>,
    /// By which installation it came; a repository's own hook has none.
    pub installation: Option<InstallationId>,
    /// Who did it. `None` is nobody that we know.
    pub sender: Option<Account>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// Somebody wrote a comment, a review or a line comment. The only event that may hold commands.
    Comment(Comment),
    /// A text was changed. Never runs a command; ticked boxes are the difference between `before` and the body.
    CommentEdited {
        /// As it is now.
        comment: Comment,
        /// The body as it was; `None` if GitHub did not say (it does so for edits of other things).
        before: Option<String>,
    },
    /// A comment was deleted.
    CommentDeleted {
        /// As it was.
        comment: Comment,
    },
    /// A label was set by the sender.
    Labeled {
        /// Issue or pull request.
        subject: Issue,
        /// The label's name.
        label: String,
        /// About when: the payload has no time of its own, this is the subject's last change.
        at: Option<DateTime<Utc>>,
    },
    /// A label was taken off by the sender.
    Unlabeled {
        /// Issue or pull request.
        subject: Issue,
        /// The label's name.
        label: String,
    },
    /// Closed, or merged.
    SubjectClosed {
        /// Issue or pull request.
        subject: Issue,
    },
    /// Open again.
    SubjectReopened {
        /// Issue or pull request.
        subject: Issue,
    },
    /// Title, body or base branch changed.
    SubjectEdited {
        /// As it is now.
        subject: Issue,
        /// The title as it was, if it changed.
        title_before: Option<String>,
        /// The body as it was, if it changed.
        body_before: Option<String>,
    },
    /// Gone for good.
    SubjectDeleted {
        /// As it was.
        subject: Issue,
    },
    /// Moved to another repository, where it has another id and number.
    SubjectTransferred {
        /// As it was.
        subject: Issue,
        /// Where it is now, if GitHub said.
        to: Option<Transfer>,
    },
    /// Only people with write access may comment.
    SubjectLocked {
        /// Issue or pull request.
        subject: Issue,
    },
    /// Everybody may comment again.
    SubjectUnlocked {
        /// Issue or pull request.
        subject: Issue,
    },
    /// A pull request was opened.
    PullOpened {
        /// The pull request.
        subject: Issue,
    },
    /// New commits on a pull request's branch.
    PullSynchronize {
        /// The pull request.
        subject: Issue,
        /// The head as it was.
        before: Option<String>,
        /// The head as it is.
        after: Option<String>,
    },
    /// A check run, a check suite or a commit status began, ended or was asked for again. Which, and how it stands, is
    /// read and not taken from the event.
    ChecksChanged,
    /// Something about the App's installation; its id is the event's.
    Installation(InstallationChange),
    /// Something about the repository itself, which the event shows as it is now.
    RepositoryChanged(RepositoryChange),
    /// Commits on a branch.
    Push(Push),
    /// GitHub tries the webhook.
    Ping,
}

/// A comment, review or line comment, and what it stands under.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Which of GitHub's comments it is.
    pub kind: CommentKind,
    /// Its id among those of its kind.
    pub id: CommentId,
    /// For GraphQL.
    pub node_id: String,
    /// The issue, pull request or discussion.
    pub subject: Issue,
    /// Who wrote it. An edit's or deletion's doer is the event's sender.
    pub author: Account,
    /// The slug of the App by which it was written, also where the author is a person.
    pub via_app: Option<String>,
    /// The Markdown; a review may have none.
    pub body: String,
    /// When it was written (a review: submitted).
    pub created_at: DateTime<Utc>,
    /// When it last changed, where the payload says it.
    pub updated_at: Option<DateTime<Utc>>,
    /// Its place on the page.
    pub html_url: String,
    /// The first comment of its thread, which is the one that can be answered: a line comment's, or a reply's in a
    /// discussion.
    pub in_reply_to: Option<CommentId>,
}

impl Comment {
    /// By what GitHub can be asked for it.
    pub fn at(&self) -> CommentRef {
        CommentRef {
            kind: self.kind,
            id: self.id,
            node_id: self.node_id.clone(),
        }
    }
}

/// Where a transferred issue went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The repository.
    pub repository: RepositoryRef,
    /// Its number there.
    pub number: IssueNumber,
    /// Its id there.
    pub id: Option<IssueId>,
}

/// What became of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationChange {
    /// Installed.
    Created,
    /// Uninstalled.
    Deleted,
    /// Suspended by an owner.
    Suspended,
    /// No longer suspended.
    Unsuspended,
    /// An owner accepted new permissions.
    PermissionsAccepted,
    /// It covers these repositories too.
    RepositoriesAdded(Vec<RepositoryRef>),
    /// It covers these repositories no longer.
    RepositoriesRemoved(Vec<RepositoryRef>),
    /// Its account has another login.
    AccountRenamed,
}

/// What became of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryChange {
    /// Another name.
    Renamed {
        /// The name before.
        from: Option<String>,
    },
    /// Another owner.
    Transferred {
        /// The owner's login before.
        from: Option<String>,
    },
    /// Gone for good.
    Deleted,
    /// Read-only.
    Archived,
    /// No longer read-only.
    Unarchived,
    /// No longer public.
    Privatized,
    /// Public.
    Publicized,
    /// Another default branch.
    DefaultBranch {
        /// The branch before.
        from: Option<String>,
    },
}

/// Commits on a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The branch's name.
    pub branch: String,
    /// Whether it is the repository's default branch.
    pub default_branch: bool,
    /// Paths that GitHub lists as added, changed or removed.
    pub touched: Vec<String>,
    /// Whether there may be more: GitHub lists a limited number of commits, and for a forced push only the new ones.
    pub may_touch_more: bool,
}

impl Push {
    /// Whether the push may have changed this path. Errs towards yes.
    pub fn touches(&self, path: &str) -> bool {
        self.may_touch_more || self.touched.iter().any(|touched| touched == path)
    }
}

/// Reads a webhook's body. `event` is the `X-GitHub-Event` header. Total: any bytes give an answer.
pub fn parse(event: &str, body: &[u8]) -> Parsed {
    parse_with_action(event, body).0
}

/// The same, and the payload's `action` where it has one, also of what nobody needs.
pub fn parse_with_action(event: &str, body: &[u8]) -> (Parsed, Option<String>) {
    payload::read(event, body)
}

#[cfg(test)]
mod tests;
