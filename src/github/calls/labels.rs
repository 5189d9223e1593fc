//! Labels, and who set them when.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::github::client::{Listing, Repo, missing};
use crate::github::error::GithubError;
use crate::github::operation::Operation;
use crate::github::types::Account;
use crate::github::wire::{WireAccount, WireLabel};
use crate::workflow::ids::IssueNumber;

/// A label of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name; GitHub takes names that differ only in case as one.
    pub name: String,
    /// Six hex digits.
    pub color: String,
    /// At most 100 characters.
    pub description: String,
}

/// The id of an issue event, by which a label's act is told from a later one with the same label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueEventId(pub u64);

/// A label was set or taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelEvent {
    /// The event.
    pub id: IssueEventId,
    /// Who did it.
    pub actor: Account,
    /// The label's name.
    pub label: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Set or taken off.
    pub change: LabelChange,
}

/// A title was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming {
    /// What it was.
    pub from: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What happened to a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelChange {
    /// It was set.
    Added,
    /// It was taken off.
    Removed,
}

/// What a removal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It was there and is gone.
    Done,
    /// It was gone already.
    WasGone,
}

impl Removal {
    pub(super) fn of<T>(result: Result<T, GithubError>) -> Result<Self, GithubError> {
        match result {
            Ok(_) => Ok(Self::Done),
            Err(GithubError::NotFound(_) | GithubError::Gone(_)) => Ok(Self::WasGone),
            Err(error) => Err(error),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireIssueEvent {
    id: Option<u64>,
    event: Option<String>,
    actor: Option<WireAccount>,
    label: Option<WireLabel>,
    rename: Option<WireRename>,
    created_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct WireRename {
    from: Option<String>,
}

/// How many labels of a repository are read.
const MOST_LABELS: usize = 1000;

impl Repo {
    /// The names of the repository's labels.
    ///
    /// # Errors
    /// Whatever GitHub says.
    pub async fn labels(&self) -> Result<Vec<String>, GithubError> {
        let route = self.at(Operation::Labels, &[])?;
        let listing = self
            .caller
            .list(route, MOST_LABELS, |wire: WireLabel| Ok(wire.name))
            .await?;
        Ok(listing.items)
    }

    /// A label of the repository, or `None`.
    pub async fn label(&self, name: &str) -> Result<Option<Label>, GithubError> {
        let route = self.at(Operation::Label, &[&name])?;
        let wire: WireLabel = match self.caller.get(&route).await {
            Ok(answer) => answer.json()?,
            Err(GithubError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Label {
            name: wire.name.ok_or_else(|| missing("name"))?,
            color: wire.color.unwrap_or_default(),
            description: wire.description.unwrap_or_default(),
        }))
    }

    /// Creates a label. One of this name that exists is a `Validation` error with the code `already_exists`.
    pub async fn create_label(&self, label: &Label) -> Result<(), GithubError> {
        let body = json!({ "name": label.name, "color": label.color, "description": label.description });
        let route = self.at(Operation::CreateLabel, &[])?;
        self.caller.send(&route, &body).await.map(drop)
    }

    /// Puts labels on an issue or pull request.
    pub(super) async fn add_labels(&self, number: IssueNumber, names: &[&str]) -> Result<(), GithubError> {
        let route = self.at(Operation::AddLabels, &[&number])?;
        self.caller.send(&route, &json!({ "labels": names })).await.map(drop)
    }

    /// Takes a label off an issue or pull request.
    pub async fn remove_label(&self, number: IssueNumber, name: &str) -> Result<Removal, GithubError> {
        let route = self.at(Operation::RemoveLabel, &[&number, &name])?;
        Removal::of(self.caller.send_empty(&route).await)
    }

    /// Who set and took off labels, oldest first; at most `cap` of them.
    pub async fn label_events(&self, number: IssueNumber, cap: usize) -> Result<Listing<LabelEvent>, GithubError> {
        let route = self.at(Operation::IssueEvents, &[&number])?;
        let read = |wire: WireIssueEvent| {
            let change = match wire.event.as_deref() {
                Some("labeled") => LabelChange::Added,
                Some("unlabeled") => LabelChange::Removed,
                _ => return Ok(None),
            };
            Ok(Some(LabelEvent {
                id: IssueEventId(wire.id.ok_or("id")?),
                actor: wire.actor.and_then(WireAccount::read).unwrap_or_else(Account::ghost),
                label: wire.label.and_then(|label| label.name).ok_or("label.name")?,
                created_at: wire.created_at.ok_or("created_at")?,
                change,
            }))
        };
        self.caller.list(route, cap, read).await
    }

    /// How the title of an issue or pull request was changed, oldest first; at most `cap` times.
    ///
    /// # Errors
    /// Whatever GitHub says.
    pub async fn renamings(&self, number: IssueNumber, cap: usize) -> Result<Listing<Renaming>, GithubError> {
        let route = self.at(Operation::IssueEvents, &[&number])?;
        let read = |wire: WireIssueEvent| {
            let Some(rename) = wire.rename.filter(|_| wire.event.as_deref() == Some("renamed")) else {
                return Ok(None);
            };
            Ok(Some(Renaming {
                from: rename.from.ok_or("rename.from")?,
                at: wire.created_at.ok_or("created_at")?,
            }))
        };
        self.caller.list(route, cap, read).await
    }
}
