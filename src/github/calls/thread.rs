//! The thread of a subject: one type for the place where it is talked about, whatever GitHub calls that place.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::comments::{Created, Reaction};
use super::labels::Removal;
use crate::github::client::{Listing, Repo};
use crate::github::error::GithubError;
use crate::github::marker::Marker;
use crate::github::operation::Operation;
use crate::github::types::{CommentKind, CommentRef, Issue, ThreadComment, Topic, TopicKind};
use crate::workflow::ids::UserId;

/// What is said about one subject, and what can be said there.
#[derive(Clone, Copy)]
pub struct Thread<'a> {
    repo: &'a Repo,
    topic: Topic,
}

impl Repo {
    /// Where a subject is talked about. Asks nothing.
    pub fn thread(&self, topic: Topic) -> Thread<'_> {
        Thread { repo: self, topic }
    }

    /// Puts a reaction on a comment. Doing it again changes nothing. A review takes none.
    pub async fn react(&self, to: &CommentRef, reaction: Reaction) -> Result<(), GithubError> {
        let route = match to.kind {
            CommentKind::Issue => self.at(Operation::React, &[&to.id])?,
            CommentKind::Line => self.at(Operation::ReactToLine, &[&to.id])?,
            CommentKind::Review => return Ok(()),
            CommentKind::Discussion => return self.react_in_discussion(to, reaction).await,
        };
        let body = json!({ "content": reaction.content() });
        self.caller.send(&route, &body).await.map(drop)
    }
}

impl Thread<'_> {
    /// The subject itself as it is now. After a transfer GitHub answers with an issue in its new place: see
    /// [`Issue::repository`].
    pub async fn subject(&self) -> Result<Issue, GithubError> {
        match self.topic.kind {
            TopicKind::Issue | TopicKind::Pull => self.repo.issue(self.topic.number).await,
            TopicKind::Discussion => self.repo.discussion(self.topic.number).await,
        }
    }

    /// Everything that was said, of every kind, oldest first, at most `cap`. The subject's own text is not among it.
    pub async fn said(&self, cap: usize) -> Result<Listing<ThreadComment>, GithubError> {
        match self.topic.kind {
            TopicKind::Issue => self.repo.comments(self.topic.number, None, cap).await,
            TopicKind::Pull => self.repo.pull_thread(self.topic.number, cap).await,
            TopicKind::Discussion => self.repo.discussion_said(self.topic.number, cap).await,
        }
    }

    /// One comment of the conversation, or `None` when it was deleted. Reviews and comments on lines are read with all that
    /// was [said](Self::said).
    pub async fn comment(&self, at: &CommentRef) -> Result<Option<ThreadComment>, GithubError> {
        match at.kind {
            CommentKind::Discussion => self.repo.discussion_comment(at).await,
            CommentKind::Issue => self.repo.comment(at.id).await,
            CommentKind::Line | CommentKind::Review => Err(GithubError::invalid("it is not of the conversation")),
        }
    }

    /// Writes a comment into the conversation.
    pub async fn post(&self, body: &str) -> Result<Created, GithubError> {
        match self.topic.kind {
            TopicKind::Issue | TopicKind::Pull => self.repo.create_comment(self.topic.number, body).await,
            TopicKind::Discussion => self.repo.add_discussion_comment(self.topic.number, None, body).await,
        }
    }

    /// Replaces the text of a comment; gives GitHub's time of it.
    pub async fn rewrite(&self, at: &CommentRef, body: &str) -> Result<DateTime<Utc>, GithubError> {
        match at.kind {
            CommentKind::Discussion => self.repo.update_discussion_comment(at, body).await,
            _ => self.repo.update_comment(at.id, body).await,
        }
    }

    /// Answers a comment in its thread: a line's, or a discussion's. Where the thread is gone, the answer stands in the
    /// conversation.
    pub async fn reply(&self, to: &CommentRef, body: &str) -> Result<Created, GithubError> {
        if to.kind != CommentKind::Discussion {
            return self.repo.reply_to_line_comment(self.topic.number, to.id, body).await;
        }
        match self.repo.root_of(to).await {
            Ok(root) => {
                let number = self.topic.number;
                self.repo.add_discussion_comment(number, Some(&root), body).await
            }
            Err(GithubError::NotFound(_)) => self.post(body).await,
            Err(error) => Err(error),
        }
    }

    /// The comments of the conversation that carry a marker and are our own account's, lowest id first. More than one
    /// is a duplicate. A copy of the marker by anybody else does not count.
    pub async fn find(&self, marker: &Marker, own: UserId, after: DateTime<Utc>) -> Result<Vec<Created>, GithubError> {
        let number = self.topic.number;
        match self.topic.kind {
            TopicKind::Issue | TopicKind::Pull => self.repo.find_comment(number, marker, own, after).await,
            TopicKind::Discussion => self.repo.find_discussion_comment(number, marker, own, after).await,
        }
    }

    /// The same among what [`Thread::reply`] writes.
    pub async fn find_reply(
        &self,
        to: &CommentRef,
        marker: &Marker,
        own: UserId,
        after: DateTime<Utc>,
    ) -> Result<Vec<Created>, GithubError> {
        if to.kind == CommentKind::Discussion {
            return match self.repo.root_of(to).await {
                Ok(root) => self.repo.find_discussion_reply(&root, marker, own).await,
                Err(GithubError::NotFound(_)) => self.find(marker, own, after).await,
                Err(error) => Err(error),
            };
        }
        self.repo.find_line_comment(self.topic.number, marker, own, after).await
    }

    /// Deletes a comment.
    pub async fn delete(&self, at: &CommentRef) -> Result<Removal, GithubError> {
        match at.kind {
            CommentKind::Issue => self.repo.delete_comment(at.id).await,
            CommentKind::Line => self.repo.delete_line_comment(at.id).await,
            CommentKind::Discussion => self.repo.delete_discussion_comment(at).await,
            CommentKind::Review => Err(GithubError::invalid("a review cannot be deleted".to_owned())),
        }
    }

    /// Puts labels on the subject, beside those that are there. The repository should have each: GitHub makes one that it
    /// lacks on an issue, in a colour of its own, and refuses it on a discussion.
    ///
    /// # Errors
    /// Whatever GitHub says.
    pub async fn put_labels_on(&self, names: &[&str]) -> Result<(), GithubError> {
        match self.topic.kind {
            TopicKind::Issue | TopicKind::Pull => self.repo.add_labels(self.topic.number, names).await,
            TopicKind::Discussion => self.repo.label_discussion(self.topic.number, names).await,
        }
    }

    /// Takes a label off the subject.
    pub async fn take_label_off(&self, name: &str) -> Result<Removal, GithubError> {
        match self.topic.kind {
            TopicKind::Issue | TopicKind::Pull => self.repo.remove_label(self.topic.number, name).await,
            TopicKind::Discussion => self.repo.unlabel_discussion(self.topic.number, name).await,
        }
    }
}
