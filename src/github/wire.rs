//! GitHub's JSON, as little of it as is read. Every field may be missing or null, and what is unknown is skipped.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::types::{
    Account, AccountKind, CommentKind, InstallationInfo, Issue, RepositoryRef, SubjectState, ThreadComment, TopicKind,
};
use crate::workflow::ids::{CommentId, InstallationId, IssueId, IssueNumber, RepositoryId, UserId};

/// The name of a field that is needed and was not there.
pub(super) type Missing = &'static str;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireAccount {
    pub id: Option<u64>,
    pub login: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

impl WireAccount {
    pub fn read(self) -> Option<Account> {
        let kind = match self.kind.as_deref() {
            Some("User") => AccountKind::User,
            Some("Bot") => AccountKind::Bot,
            Some("Organization") => AccountKind::Organization,
            _ => AccountKind::Other,
        };
        Some(Account {
            id: UserId(self.id?),
            login: self.login?,
            kind,
        })
    }
}

/// Whoever wrote something: GitHub sends null for an account that was deleted.
fn author(account: Option<WireAccount>) -> Account {
    account.and_then(WireAccount::read).unwrap_or_else(Account::ghost)
}

fn accounts(list: Option<Vec<Option<WireAccount>>>) -> Vec<Account> {
    let list = list.unwrap_or_default();
    list.into_iter().flatten().filter_map(WireAccount::read).collect()
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireRepository {
    pub id: Option<u64>,
    pub name: Option<String>,
    pub owner: Option<WireAccount>,
    pub private: Option<bool>,
    pub default_branch: Option<String>,
    pub archived: Option<bool>,
}

impl WireRepository {
    pub fn read(self) -> Result<RepositoryRef, Missing> {
        let owner = self.owner.unwrap_or_default();
        Ok(RepositoryRef {
            id: RepositoryId(self.id.ok_or("repository.id")?),
            owner: owner.login.ok_or("repository.owner.login")?,
            owner_id: owner.id.map(UserId),
            name: self.name.ok_or("repository.name")?,
            // What is not said is taken to be private: the careful side.
            private: self.private.unwrap_or(true),
        })
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireInstallation {
    pub id: Option<u64>,
    pub account: Option<WireAccount>,
    pub permissions: Option<BTreeMap<String, Option<String>>>,
    pub events: Option<Vec<String>>,
    pub suspended_at: Option<String>,
    pub html_url: Option<String>,
}

impl WireInstallation {
    pub fn read(self) -> Result<InstallationInfo, Missing> {
        let permissions = self.permissions.unwrap_or_default();
        Ok(InstallationInfo {
            id: InstallationId(self.id.ok_or("id")?),
            account: self.account.and_then(WireAccount::read),
            permissions: permissions
                .into_iter()
                .filter_map(|(name, level)| Some((name, level?)))
                .collect(),
            events: self.events.unwrap_or_default(),
            suspended: self.suspended_at.is_some(),
            html_url: self.html_url.unwrap_or_default(),
        })
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireLabel {
    pub name: Option<String>,
    pub color: Option<String>,
    pub description: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireIssue {
    pub id: Option<u64>,
    pub node_id: Option<String>,
    pub number: Option<u64>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub state: Option<String>,
    pub locked: Option<bool>,
    pub user: Option<WireAccount>,
    pub assignees: Option<Vec<Option<WireAccount>>>,
    pub labels: Option<Vec<Option<WireLabel>>>,
    pub html_url: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub pull_request: Option<serde::de::IgnoredAny>,
    pub repository_url: Option<String>,
    pub comments: Option<u64>,
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<WireAccount>,
}

impl WireIssue {
    /// An object of the `issues` API.
    pub fn read(self) -> Result<Issue, Missing> {
        let kind = match self.pull_request {
            Some(_) => TopicKind::Pull,
            None => TopicKind::Issue,
        };
        self.read_as(kind)
    }

    /// An object of the `pulls` API, whose `id` is not the issue's.
    pub fn read_pull(mut self) -> Result<Issue, Missing> {
        self.id = None;
        self.read_as(TopicKind::Pull)
    }

    /// A discussion, whose `id` is no issue's.
    pub fn read_discussion(mut self) -> Result<Issue, Missing> {
        self.id = None;
        self.read_as(TopicKind::Discussion)
    }

    fn read_as(self, kind: TopicKind) -> Result<Issue, Missing> {
        let labels = self.labels.unwrap_or_default();
        let repository = self.repository_url.and_then(|url| {
            let (rest, name) = url.rsplit_once('/')?;
            let (_, owner) = rest.rsplit_once('/')?;
            Some(format!("{owner}/{name}"))
        });
        Ok(Issue {
            id: self.id.map(IssueId),
            number: IssueNumber(self.number.ok_or("number")?),
            node_id: self.node_id.unwrap_or_default(),
            kind,
            title: self.title.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
            state: match self.state.as_deref() {
                Some("closed") => SubjectState::Closed,
                _ => SubjectState::Open,
            },
            locked: self.locked.unwrap_or(false),
            author: author(self.user),
            assignees: accounts(self.assignees),
            labels: labels.into_iter().flatten().filter_map(|label| label.name).collect(),
            html_url: self.html_url.unwrap_or_default(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            repository,
            comments: self.comments,
            closed_at: self.closed_at,
            closed_by: self.closed_by.and_then(WireAccount::read),
        })
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireApp {
    pub slug: Option<String>,
}

/// A comment of any kind: their fields differ only in the dates, and in how they name their thread.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireComment {
    pub id: Option<u64>,
    pub node_id: Option<String>,
    pub user: Option<WireAccount>,
    pub body: Option<String>,
    pub state: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub html_url: Option<String>,
    pub performed_via_github_app: Option<WireApp>,
    pub in_reply_to_id: Option<u64>,
    pub parent_id: Option<u64>,
}

impl WireComment {
    pub fn read(self, kind: CommentKind) -> Result<ThreadComment, Missing> {
        let created_at = self.created_at.or(self.submitted_at).ok_or("comment.created_at")?;
        Ok(ThreadComment {
            kind,
            id: CommentId(self.id.ok_or("comment.id")?),
            node_id: self.node_id.unwrap_or_default(),
            author: author(self.user),
            via_app: self.performed_via_github_app.and_then(|app| app.slug),
            body: self.body.unwrap_or_default(),
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
            html_url: self.html_url.unwrap_or_default(),
            in_reply_to: self.in_reply_to_id.or(self.parent_id).map(CommentId),
        })
    }
}
