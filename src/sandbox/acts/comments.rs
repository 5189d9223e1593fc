//! Comments and reactions.

use serde_json::{Value, json};

use super::BODY_LIMIT;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::extend;
use crate::sandbox::render::{Dialect, discussions, issues, pulls};

/// What a reaction is set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionTarget {
    Issue(IssueId),
    Comment(CommentId),
}

/// Whether a reaction was made or was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reacted {
    New(ReactionId),
    Existing(ReactionId),
}

fn check_body(body: &str) -> Result<(), Refusal> {
    let refuse = |message: &str| {
        Err(Refusal::invalid(
            json!({ "resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message }),
        ))
    };
    if body.trim().is_empty() {
        return refuse("Body cannot be blank");
    }
    if body.chars().count() > BODY_LIMIT {
        return refuse("Body is too long (maximum is 65536 characters)");
    }
    Ok(())
}

impl World {
    fn emit_comment(&mut self, id: CommentId, action: &str, sender: AccountId, more: Value) {
        let Some(comment) = self.comments.get(&id) else { return };
        let Some(issue) = self.issues.get(&comment.issue) else {
            return;
        };
        let Some(repo) = self.repos.get(&issue.repo) else {
            return;
        };
        let (repo_id, event, mut payload) = match (&comment.place, &issue.sort) {
            (_, Sort::Discussion) => (
                repo.id,
                "discussion_comment",
                json!({
                    "comment": discussions::comment(self, repo, issue, comment),
                    "discussion": discussions::discussion(self, repo, issue),
                }),
            ),
            (Place::Line(place), Sort::Pull(pull)) => (
                repo.id,
                "pull_request_review_comment",
                json!({
                    "comment": pulls::line_comment(self, repo, issue, comment, place),
                    "pull_request": pulls::pull(self, repo, issue, pull, pulls::Detail::Simple),
                }),
            ),
            _ => (
                repo.id,
                "issue_comment",
                json!({
                    "comment": issues::comment(self, repo, issue, comment, Dialect::Webhook),
                    "issue": issues::issue(self, repo, issue, Dialect::Webhook),
                }),
            ),
        };
        extend(&mut payload, more);
        self.emit(repo_id, event, Some(action), sender, payload);
    }

    /// The id of the next comment. Those of discussions are numbered apart.
    pub fn next_comment_id(&mut self, of_a_discussion: bool) -> CommentId {
        CommentId(match of_a_discussion {
            true => self.counters.next("discussion comment", 14_300_001),
            false => self.counters.next("comment", 8_500_000_001),
        })
    }

    /// Replies to a comment of a discussion, which is one of its threads' first: GitHub has no deeper level.
    pub fn reply_in_discussion(&mut self, actor: Actor, to: CommentId, body: &str) -> Result<CommentId, Refusal> {
        let parent = self.live_comment(to)?;
        let issue = parent.issue;
        match parent.place {
            Place::Thread if self.live_issue(issue)?.is_discussion() => {
                self.insert_comment(actor, issue, body, Place::Reply(to))
            }
            Place::Reply(_) => Err(Refusal::new(
                422,
                "Parent comment is already in a thread, cannot reply to it",
            )),
            Place::Thread | Place::Line(_) => Err(Refusal::not_found()),
        }
    }

    /// Comments on an issue. On a locked one only those with write access may, and the App with its permission.
    pub fn add_comment(&mut self, actor: Actor, issue: IssueId, body: &str) -> Result<CommentId, Refusal> {
        self.insert_comment(actor, issue, body, Place::Thread)
    }

    /// Puts a comment at its place and tells the hooks.
    pub fn insert_comment(
        &mut self,
        actor: Actor,
        issue: IssueId,
        body: &str,
        place: Place,
    ) -> Result<CommentId, Refusal> {
        let found = self.live_issue(issue)?;
        self.writable_repo(found.repo)?;
        self.must(actor, found.repo, Level::Read, "comment")?;
        if found.lock != Lock::Unlocked && self.must(actor, found.repo, Level::Write, "comment").is_err() {
            let what = if found.is_discussion() { "discussion" } else { "issue" };
            return Err(Refusal::forbidden(&format!(
                "Unable to create comment because {what} is locked."
            )));
        }
        check_body(body)?;
        let of_a_discussion = found.is_discussion();
        let id = self.next_comment_id(of_a_discussion);
        let now = self.now();
        let comment = Comment {
            id,
            issue,
            author: actor.account,
            means: actor.means,
            text: Text::new(body),
            created_at: now,
            updated_at: now,
            minimized: None,
            reactions: Vec::new(),
            presence: Presence::Present,
            place,
        };
        self.comments.insert(id, comment);
        self.live_issue_mut(issue)?.updated_at = now;
        self.emit_comment(id, "created", actor.account, json!({}));
        Ok(id)
    }

    /// Authors, and who has write access, may change a comment; the App's permission was checked before.
    fn must_own_comment(&self, actor: Actor, id: CommentId, what: &str) -> Result<(), Refusal> {
        let comment = self.live_comment(id)?;
        let repo = self.live_issue(comment.issue)?.repo;
        self.writable_repo(repo)?;
        if comment.author == actor.account {
            Ok(())
        } else {
            self.must(actor, repo, Level::Write, what)
        }
    }

    /// Changes a comment's text; the same text changes nothing.
    pub fn edit_comment(&mut self, actor: Actor, id: CommentId, body: &str) -> Result<(), Refusal> {
        self.must_own_comment(actor, id, "edit this comment")?;
        check_body(body)?;
        let now = self.now();
        let comment = self.live_comment_mut(id)?;
        if comment.text.body == body {
            return Ok(());
        }
        let from = std::mem::replace(&mut comment.text.body, body.to_owned());
        comment.text.edited = Some(Edit {
            at: now,
            by: actor.account,
        });
        comment.updated_at = now;
        self.emit_comment(
            id,
            "edited",
            actor.account,
            json!({ "changes": { "body": { "from": from } } }),
        );
        Ok(())
    }

    /// Deletes a comment.
    pub fn delete_comment(&mut self, actor: Actor, id: CommentId) -> Result<(), Refusal> {
        self.must_own_comment(actor, id, "delete this comment")?;
        let comment = self.live_comment(id)?;
        let (issue, author, in_thread) = (comment.issue, comment.author, comment.place.is_in_thread());
        self.emit_comment(id, "deleted", actor.account, json!({}));
        self.live_comment_mut(id)?.presence = Presence::Removed;
        if in_thread && author != actor.account {
            self.remember(issue, actor, Happened::CommentDeleted);
        }
        Ok(())
    }

    /// Hides a comment, for which GitHub gives a reason. `updated_at` moves, the time of the last edit does not.
    pub fn minimize_comment(&mut self, id: CommentId, reason: &str) -> Result<(), Refusal> {
        let now = self.now();
        let comment = self.live_comment_mut(id)?;
        comment.minimized = Some(reason.to_lowercase());
        comment.updated_at = now;
        Ok(())
    }

    fn reactions_mut(&mut self, target: ReactionTarget) -> Result<&mut Vec<Reaction>, Refusal> {
        match target {
            ReactionTarget::Issue(id) => Ok(&mut self.live_issue_mut(id)?.reactions),
            ReactionTarget::Comment(id) => Ok(&mut self.live_comment_mut(id)?.reactions),
        }
    }

    /// The reactions on something.
    pub fn reactions_on(&self, target: ReactionTarget) -> Result<&[Reaction], Refusal> {
        match target {
            ReactionTarget::Issue(id) => Ok(&self.live_issue(id)?.reactions),
            ReactionTarget::Comment(id) => Ok(&self.live_comment(id)?.reactions),
        }
    }

    /// Sets a reaction; the same one by the same account is there only once. No webhook tells of it.
    pub fn react(&mut self, actor: Actor, target: ReactionTarget, content: &str) -> Result<Reacted, Refusal> {
        if !issues::REACTIONS.contains(&content) {
            return Err(Refusal::field("Reaction", "content", "invalid"));
        }
        let at = self.now();
        let present = self
            .reactions_on(target)?
            .iter()
            .find(|reaction| reaction.author == actor.account && reaction.content == content);
        if let Some(reaction) = present {
            return Ok(Reacted::Existing(reaction.id));
        }
        let id = ReactionId(self.counters.next("reaction", 310_000_001));
        let reaction = Reaction {
            id,
            author: actor.account,
            content: content.to_owned(),
            at,
        };
        self.reactions_mut(target)?.push(reaction);
        Ok(Reacted::New(id))
    }

    /// Takes a reaction away; only its author may.
    pub fn unreact(&mut self, actor: Actor, target: ReactionTarget, id: ReactionId) -> Result<(), Refusal> {
        let reactions = self.reactions_mut(target)?;
        let found = reactions
            .iter()
            .find(|reaction| reaction.id == id)
            .ok_or_else(Refusal::not_found)?;
        if found.author != actor.account {
            return Err(Refusal::forbidden("Resource not accessible by integration"));
        }
        reactions.retain(|reaction| reaction.id != id);
        Ok(())
    }
}
