//! Sub-issues and dependencies. Both name the other issue by its id, never by its number.
//!
//! Where a GitHub does not offer them, they answer `NotFound` or `Gone` although the issue itself can be read.

use serde_json::json;

use crate::github::client::{Cap, Repo};
use crate::github::error::GithubError;
use crate::github::operation::{Operation, Route};
use crate::github::types::Issue;
use crate::github::wire::WireIssue;
use crate::workflow::ids::{IssueId, IssueNumber};

/// GitHub's limit for the sub-issues of one parent, closed ones included
/// (<https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues>).
pub const MOST_SUB_ISSUES: usize = 100;

impl Repo {
    /// The sub-issues of an issue.
    pub async fn sub_issues(&self, parent: IssueNumber) -> Result<Vec<Issue>, GithubError> {
        self.linked(self.at(Operation::SubIssues, &[&parent])?).await
    }

    /// Puts an issue under another. A `Validation` error concerns this one link.
    pub async fn add_sub_issue(&self, parent: IssueNumber, child: IssueId) -> Result<(), GithubError> {
        let route = self.at(Operation::AddSubIssue, &[&parent])?;
        self.caller
            .send(&route, &json!({ "sub_issue_id": child }))
            .await
            .map(drop)
    }

    /// The issues that this one waits for.
    pub async fn blocked_by(&self, number: IssueNumber) -> Result<Vec<Issue>, GithubError> {
        self.linked(self.at(Operation::BlockedBy, &[&number])?).await
    }

    /// Says that an issue waits for another. A `Validation` error concerns this one link.
    pub async fn add_blocked_by(&self, number: IssueNumber, blocker: IssueId) -> Result<(), GithubError> {
        let route = self.at(Operation::AddBlockedBy, &[&number])?;
        self.caller
            .send(&route, &json!({ "issue_id": blocker }))
            .await
            .map(drop)
    }

    async fn linked(&self, route: Route) -> Result<Vec<Issue>, GithubError> {
        let read = |wire: WireIssue| wire.read().map(Some);
        self.caller.list(route, Cap::NONE, read).await?.whole()
    }
}
