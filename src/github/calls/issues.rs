//! Issues: read, opened, looked for.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::github::client::{Listing, Repo, missing};
use crate::github::error::GithubError;
use crate::github::marker::Marker;
use crate::github::operation::Operation;
use crate::github::types::Issue;
use crate::github::wire::WireIssue;
use crate::workflow::ids::{IssueId, IssueNumber, UserId};

/// An issue to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewIssue {
    /// At most 256 characters.
    pub title: String,
    /// Markdown, with its marker.
    pub body: String,
    /// Names; GitHub creates those that do not exist.
    pub labels: Vec<String>,
    /// Logins; one that cannot be assigned makes the whole call a `Validation` error.
    pub assignees: Vec<String>,
}

/// An issue that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedIssue {
    /// What sub-issues and dependencies ask for.
    pub id: IssueId,
    /// The number within its repository.
    pub number: IssueNumber,
    /// The page.
    pub html_url: String,
    /// For GraphQL.
    pub node_id: String,
}

impl CreatedIssue {
    fn read(issue: Issue) -> Result<Self, GithubError> {
        Ok(Self {
            id: issue.id.ok_or_else(|| missing("id"))?,
            number: issue.number,
            html_url: issue.html_url,
            node_id: issue.node_id,
        })
    }
}

/// How GitHub writes a time in a query.
pub(super) fn since(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Repo {
    /// An issue or pull request as it is now. After a transfer GitHub answers with the issue in its new place: see
    /// [`Issue::repository`].
    pub async fn issue(&self, number: IssueNumber) -> Result<Issue, GithubError> {
        let route = self.at(Operation::Issue, &[&number])?;
        self.caller
            .get(&route)
            .await?
            .json::<WireIssue>()?
            .read()
            .map_err(missing)
    }

    /// Opens an issue.
    pub async fn create_issue(&self, issue: &NewIssue) -> Result<CreatedIssue, GithubError> {
        let answer = self.caller.send(&self.at(Operation::CreateIssue, &[])?, issue).await?;
        CreatedIssue::read(answer.json::<WireIssue>()?.read().map_err(missing)?)
    }

    /// Closes an issue as a duplicate of another.
    pub async fn close_as_duplicate(&self, number: IssueNumber) -> Result<(), GithubError> {
        let route = self.at(Operation::UpdateIssue, &[&number])?;
        let body = serde_json::json!({ "state": "closed", "state_reason": "duplicate" });
        self.caller.send(&route, &body).await.map(drop)
    }

    /// Issues and pull requests that `creator` opened and that were touched since `time`, oldest first. A list, because the search
    /// lags behind. An App's own login is `slug[bot]`.
    pub async fn issues_by(
        &self,
        creator: &str,
        time: DateTime<Utc>,
        cap: usize,
    ) -> Result<Listing<Issue>, GithubError> {
        let route = self
            .at(Operation::Issues, &[])?
            .with("state", "all")
            .with("creator", creator)
            .with("since", since(time))
            .with("sort", "created")
            .with("direction", "asc");
        self.caller
            .list(route, cap, |wire: WireIssue| wire.read().map(Some))
            .await
    }

    /// The issues that carry a marker and were opened by `creator`, lowest id first. More than one is a duplicate.
    /// A copy of the marker by anybody else does not count: the author's id must be `creator_id`.
    pub async fn find_issue(
        &self,
        marker: &Marker,
        creator: &str,
        creator_id: UserId,
        time: DateTime<Utc>,
    ) -> Result<Vec<CreatedIssue>, GithubError> {
        let issues = self.issues_by(creator, time, usize::MAX).await?.whole()?;
        let ours = issues
            .into_iter()
            .filter(|issue| issue.author.id == creator_id && marker.found_in(&issue.body));
        let mut found: Vec<CreatedIssue> = ours.map(CreatedIssue::read).collect::<Result<_, _>>()?;
        found.sort_by_key(|issue| issue.id);
        Ok(found)
    }
}
