//! Comments: read, written, answered with a reaction, looked for.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::issues::since;
use super::labels::Removal;
use crate::github::client::{Answer, Listing, Repo, missing};
use crate::github::error::GithubError;
use crate::github::marker::Marker;
use crate::github::operation::Operation;
use crate::github::types::{CommentKind, CommentRef, ThreadComment};
use crate::github::wire::WireComment;
use crate::workflow::ids::{CommentId, IssueNumber, UserId};

/// A comment that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Which of GitHub's comments it is.
    pub kind: CommentKind,
    /// Its id.
    pub id: CommentId,
    /// For GraphQL.
    pub node_id: String,
    /// Its place on the page.
    pub html_url: String,
    /// When GitHub took it.
    pub created_at: DateTime<Utc>,
}

impl From<ThreadComment> for Created {
    fn from(comment: ThreadComment) -> Self {
        Self {
            kind: comment.kind,
            id: comment.id,
            node_id: comment.node_id,
            html_url: comment.html_url,
            created_at: comment.created_at,
        }
    }
}

impl Created {
    /// By what GitHub can be asked for it.
    pub fn at(&self) -> CommentRef {
        CommentRef {
            kind: self.kind,
            id: self.id,
            node_id: self.node_id.clone(),
        }
    }
}

/// GitHub's reactions (<https://docs.github.com/rest/reactions/reactions#about-reactions>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// 👍
    PlusOne,
    /// 👎
    MinusOne,
    /// 😄
    Laugh,
    /// 😕
    Confused,
    /// ❤️
    Heart,
    /// 🎉
    Hooray,
    /// 🚀
    Rocket,
    /// 👀
    Eyes,
}

impl Reaction {
    /// GitHub's word for it.
    pub fn content(self) -> &'static str {
        match self {
            Self::PlusOne => "+1",
            Self::MinusOne => "-1",
            Self::Laugh => "laugh",
            Self::Confused => "confused",
            Self::Heart => "heart",
            Self::Hooray => "hooray",
            Self::Rocket => "rocket",
            Self::Eyes => "eyes",
        }
    }
}

impl Repo {
    /// The conversation of an issue or pull request, oldest first; with `after`, only what was touched since.
    pub async fn comments(
        &self,
        number: IssueNumber,
        after: Option<DateTime<Utc>>,
        cap: usize,
    ) -> Result<Listing<ThreadComment>, GithubError> {
        let mut route = self.at(Operation::Comments, &[&number])?;
        if let Some(time) = after {
            route = route.with("since", since(time));
        }
        self.caller
            .list(route, cap, |wire: WireComment| wire.read(CommentKind::Issue).map(Some))
            .await
    }

    /// The submitted reviews of a pull request that have a text, oldest first.
    pub async fn reviews(&self, number: IssueNumber, cap: usize) -> Result<Listing<ThreadComment>, GithubError> {
        let route = self.at(Operation::Reviews, &[&number])?;
        let read = |wire: WireComment| {
            let unsaid = wire.body.as_deref().unwrap_or_default().trim().is_empty();
            // A pending review has no time and is nobody's business yet.
            if unsaid || wire.state.as_deref() == Some("PENDING") {
                return Ok(None);
            }
            wire.read(CommentKind::Review).map(Some)
        };
        self.caller.list(route, cap, read).await
    }

    /// The comments on lines of a pull request, oldest first; with `after`, only what was touched since.
    pub async fn line_comments(
        &self,
        number: IssueNumber,
        after: Option<DateTime<Utc>>,
        cap: usize,
    ) -> Result<Listing<ThreadComment>, GithubError> {
        let mut route = self.at(Operation::LineComments, &[&number])?;
        route = route.with("sort", "created").with("direction", "asc");
        if let Some(time) = after {
            route = route.with("since", since(time));
        }
        self.caller
            .list(route, cap, |wire: WireComment| wire.read(CommentKind::Line).map(Some))
            .await
    }

    /// Everything said on a pull request, of all three kinds, oldest first, at most `cap`.
    pub async fn pull_thread(&self, number: IssueNumber, cap: usize) -> Result<Listing<ThreadComment>, GithubError> {
        let mut thread = self.comments(number, None, cap).await?;
        for more in [
            self.reviews(number, cap).await?,
            self.line_comments(number, None, cap).await?,
        ] {
            thread.items.extend(more.items);
            thread.left_out += more.left_out;
        }
        thread
            .items
            .sort_by_key(|comment| (comment.created_at, comment.kind, comment.id));
        let cut = thread.items.len().saturating_sub(cap);
        thread.items.truncate(cap);
        thread.left_out += u64::try_from(cut).unwrap_or(u64::MAX);
        Ok(thread)
    }

    /// One comment of a conversation, or `None` when it was deleted.
    pub async fn comment(&self, id: CommentId) -> Result<Option<ThreadComment>, GithubError> {
        match self.caller.get(&self.at(Operation::Comment, &[&id])?).await {
            Ok(answer) => read(&answer, CommentKind::Issue).map(Some),
            Err(GithubError::NotFound(_) | GithubError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a comment into the conversation of an issue or pull request.
    pub async fn create_comment(&self, number: IssueNumber, body: &str) -> Result<Created, GithubError> {
        let route = self.at(Operation::CreateComment, &[&number])?;
        let answer = self.caller.send(&route, &json!({ "body": body })).await?;
        read(&answer, CommentKind::Issue).map(Created::from)
    }

    /// Replaces the text of a comment in a conversation; gives GitHub's time of it. By PATCH: octocrab's own call sends
    /// a POST, which GitHub does not document.
    pub async fn update_comment(&self, id: CommentId, body: &str) -> Result<DateTime<Utc>, GithubError> {
        let route = self.at(Operation::UpdateComment, &[&id])?;
        let answer = self.caller.send(&route, &json!({ "body": body })).await?;
        Ok(read(&answer, CommentKind::Issue)?.updated_at)
    }

    /// Deletes a comment of a conversation.
    pub async fn delete_comment(&self, id: CommentId) -> Result<Removal, GithubError> {
        let route = self.at(Operation::DeleteComment, &[&id])?;
        Removal::of(self.caller.send_empty(&route).await)
    }

    /// Deletes a comment on a line of a diff.
    pub async fn delete_line_comment(&self, id: CommentId) -> Result<Removal, GithubError> {
        let route = self.at(Operation::DeleteLineComment, &[&id])?;
        Removal::of(self.caller.send_empty(&route).await)
    }

    /// Answers a comment on a line of a diff, in its thread. `to` must be the first comment of the thread.
    pub async fn reply_to_line_comment(
        &self,
        number: IssueNumber,
        to: CommentId,
        body: &str,
    ) -> Result<Created, GithubError> {
        let route = self.at(Operation::ReplyToLine, &[&number, &to])?;
        let answer = self.caller.send(&route, &json!({ "body": body })).await?;
        read(&answer, CommentKind::Line).map(Created::from)
    }

    /// The comments of a conversation that carry a marker and are our own account's, lowest id first. More than one is
    /// a duplicate. A copy of the marker by anybody else does not count.
    pub async fn find_comment(
        &self,
        number: IssueNumber,
        marker: &Marker,
        own: UserId,
        after: DateTime<Utc>,
    ) -> Result<Vec<Created>, GithubError> {
        let comments = self.comments(number, Some(after), usize::MAX).await?.whole()?;
        Ok(ours(comments, marker, own))
    }

    /// The same for comments on lines.
    pub async fn find_line_comment(
        &self,
        number: IssueNumber,
        marker: &Marker,
        own: UserId,
        after: DateTime<Utc>,
    ) -> Result<Vec<Created>, GithubError> {
        let comments = self.line_comments(number, Some(after), usize::MAX).await?.whole()?;
        Ok(ours(comments, marker, own))
    }
}

/// Those of the comments that carry a marker and are this account's, lowest id first.
pub(super) fn ours(comments: Vec<ThreadComment>, marker: &Marker, own: UserId) -> Vec<Created> {
    let ours = comments
        .into_iter()
        .filter(|comment| comment.author.id == own && marker.found_in(&comment.body));
    let mut found: Vec<Created> = ours.map(Created::from).collect();
    found.sort_by_key(|comment| comment.id);
    found
}

fn read(answer: &Answer, kind: CommentKind) -> Result<ThreadComment, GithubError> {
    answer.json::<WireComment>()?.read(kind).map_err(missing)
}
