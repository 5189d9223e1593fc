//! What both events and calls speak of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::workflow::ids::{CommentId, InstallationId, IssueId, IssueNumber, RepositoryId, UserId};
use crate::workflow::state::{Subject, SubjectKind};

/// What sort of account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A person.
    User,
    /// A GitHub App's own account.
    Bot,
    /// An organisation.
    Organization,
    /// What GitHub says beyond these (`Mannequin`, `EnterpriseUserAccount`, or nothing).
    Other,
}

/// An account. The id counts, the login is for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Survives renames.
    pub id: UserId,
    /// The login at the time; a bot's ends in `[bot]`.
    pub login: String,
    /// What sort of account it is.
    pub kind: AccountKind,
}

impl Account {
    /// GitHub's stand-in for an account that was deleted (<https://github.com/ghost>). Nobody can act as it.
    pub fn ghost() -> Self {
        Self {
            id: UserId(10137),
            login: "ghost".to_owned(),
            kind: AccountKind::User,
        }
    }
}

/// A repository as an event or a link names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRef {
    /// Survives renames and transfers.
    pub id: RepositoryId,
    /// The owner's login at the time.
    pub owner: String,
    /// The owner's account id, when it was told.
    pub owner_id: Option<UserId>,
    /// The name at the time.
    pub name: String,
    /// Whether only members see it.
    pub private: bool,
}

impl RepositoryRef {
    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// An installation as GitHub describes it to the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationInfo {
    /// The installation.
    pub id: InstallationId,
    /// On whose account it is installed.
    pub account: Option<Account>,
    /// Such as `issues` → `write`.
    pub permissions: std::collections::BTreeMap<String, String>,
    /// The subscribed events.
    pub events: Vec<String>,
    /// Whether an owner suspended it.
    pub suspended: bool,
    /// Where an owner looks after it and accepts new permissions.
    pub html_url: String,
}

/// What people talk about on GitHub. All three share one sequence of numbers in their repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicKind {
    /// An issue.
    #[default]
    Issue,
    /// A pull request.
    Pull,
    /// A discussion.
    Discussion,
}

impl From<TopicKind> for SubjectKind {
    fn from(kind: TopicKind) -> Self {
        match kind {
            TopicKind::Issue => Self::Issue,
            TopicKind::Pull => Self::PullRequest,
            TopicKind::Discussion => Self::Discussion,
        }
    }
}

/// One of them: the place where it is talked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic {
    /// What it is.
    pub kind: TopicKind,
    /// The number within its repository.
    pub number: IssueNumber,
}

impl Topic {
    /// Where a workflow's subject is talked about; a folder is talked about nowhere.
    pub fn of(subject: &Subject) -> Option<Self> {
        let kind = match subject.kind {
            SubjectKind::Issue => TopicKind::Issue,
            SubjectKind::PullRequest => TopicKind::Pull,
            SubjectKind::Discussion => TopicKind::Discussion,
            SubjectKind::Folder => return None,
        };
        Some(Self {
            kind,
            number: subject.number,
        })
    }

    /// A comment in its conversation.
    pub fn comment(self, id: CommentId, node_id: &str) -> CommentRef {
        let kind = match self.kind {
            TopicKind::Issue | TopicKind::Pull => CommentKind::Issue,
            TopicKind::Discussion => CommentKind::Discussion,
        };
        CommentRef {
            kind,
            id,
            node_id: node_id.to_owned(),
        }
    }
}

/// Which of GitHub's comments it is. Their ids are numbered apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentKind {
    /// A comment in the conversation of an issue or a pull request.
    Issue,
    /// The text of a pull request's review.
    Review,
    /// A comment on a line of a pull request's diff.
    Line,
    /// A comment in a discussion, or a reply to one.
    Discussion,
}

/// A comment by all that GitHub can be asked for it with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRef {
    /// Which of GitHub's comments it is.
    pub kind: CommentKind,
    /// Its id among those of its kind.
    pub id: CommentId,
    /// For GraphQL; empty where it was not noted.
    #[serde(default)]
    pub node_id: String,
}

/// Open or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectState {
    /// Open, or a state that we do not know.
    Open,
    /// Closed (a pull request: closed or merged).
    Closed,
}

/// An issue, a pull request or a discussion as GitHub showed it at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The issue's database id. Unknown (`None`) where GitHub describes a pull request as such, and of a discussion:
    /// their own ids are others.
    pub id: Option<IssueId>,
    /// The number within its repository.
    pub number: IssueNumber,
    /// For GraphQL.
    pub node_id: String,
    /// What it is.
    pub kind: TopicKind,
    /// The title.
    pub title: String,
    /// The text, empty when there is none.
    pub body: String,
    /// Open or closed.
    pub state: SubjectState,
    /// Whether only people with write access may comment.
    pub locked: bool,
    /// Who opened it.
    pub author: Account,
    /// Who is assigned.
    pub assignees: Vec<Account>,
    /// The labels' names.
    pub labels: Vec<String>,
    /// The page.
    pub html_url: String,
    /// When it was opened.
    pub created_at: Option<DateTime<Utc>>,
    /// When GitHub last touched it, for whatever reason.
    pub updated_at: Option<DateTime<Utc>>,
    /// `owner/name` of the repository that it is in now, when told: differs after a transfer or a rename.
    pub repository: Option<String>,
    /// How many conversation comments it has, when told.
    pub comments: Option<u64>,
    /// When it was closed, if it is.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it, when told.
    pub closed_by: Option<Account>,
}

impl Issue {
    /// The place where it is talked about.
    pub fn topic(&self) -> Topic {
        Topic {
            kind: self.kind,
            number: self.number,
        }
    }
}

/// A comment in a thread, of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadComment {
    /// Which of GitHub's comments it is.
    pub kind: CommentKind,
    /// Its id among those of its kind.
    pub id: CommentId,
    /// For GraphQL.
    pub node_id: String,
    /// Who wrote it.
    pub author: Account,
    /// The slug of the App by which a person wrote it, or that is its author.
    pub via_app: Option<String>,
    /// The Markdown, empty when there is none.
    pub body: String,
    /// When it was written (a review: submitted).
    pub created_at: DateTime<Utc>,
    /// When GitHub last touched it; moves for other reasons than edits.
    pub updated_at: DateTime<Utc>,
    /// The comment's place on the page.
    pub html_url: String,
    /// The first comment of the thread that it stands in: a line comment's, or the one that a reply in a discussion is to.
    pub in_reply_to: Option<CommentId>,
}
