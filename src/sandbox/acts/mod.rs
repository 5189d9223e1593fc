//! What can be done on this GitHub. Whoever does it, a person on the page or the App through the API, goes through
//! these functions, so that both cause the same history and the same webhooks.

pub(super) mod comments;
pub(super) mod issues;
pub(super) mod labels;
pub(super) mod links;
pub(super) mod pulls;
pub(super) mod repos;

use super::ids::*;
use super::model::*;
use super::refusal::Refusal;

/// GitHub's limit on the text of an issue or a comment, in characters.
pub(super) const BODY_LIMIT: usize = 65_536;

impl World {
    /// The issue if it is there; 410 when it was deleted, 404 when it never was. A transferred one counts as gone
    /// from here: the API redirects before it asks.
    pub fn live_issue(&self, id: IssueId) -> Result<&Issue, Refusal> {
        let issue = self.issues.get(&id).ok_or_else(Refusal::not_found)?;
        match issue.fate {
            Fate::Present => Ok(issue),
            Fate::Deleted => Err(Refusal::new(410, "This issue was deleted")),
            Fate::TransferredTo(_) => Err(Refusal::not_found()),
        }
    }

    pub fn live_issue_mut(&mut self, id: IssueId) -> Result<&mut Issue, Refusal> {
        self.live_issue(id)?;
        self.issues.get_mut(&id).ok_or_else(Refusal::not_found)
    }

    /// The comment if it stands.
    pub fn live_comment(&self, id: CommentId) -> Result<&Comment, Refusal> {
        let comment = self
            .comments
            .get(&id)
            .filter(|comment| comment.presence == Presence::Present);
        let comment = comment.ok_or_else(Refusal::not_found)?;
        self.live_issue(comment.issue).map_err(|_| Refusal::not_found())?;
        Ok(comment)
    }

    pub fn live_comment_mut(&mut self, id: CommentId) -> Result<&mut Comment, Refusal> {
        self.live_comment(id)?;
        self.comments.get_mut(&id).ok_or_else(Refusal::not_found)
    }

    pub fn live_repo(&self, id: RepoId) -> Result<&Repo, Refusal> {
        self.repos
            .get(&id)
            .filter(|repo| repo.presence == Presence::Present)
            .ok_or_else(Refusal::not_found)
    }

    pub fn live_repo_mut(&mut self, id: RepoId) -> Result<&mut Repo, Refusal> {
        self.live_repo(id)?;
        self.repos.get_mut(&id).ok_or_else(Refusal::not_found)
    }

    /// A repository that takes writes.
    pub fn writable_repo(&self, id: RepoId) -> Result<&Repo, Refusal> {
        let repo = self.live_repo(id)?;
        if repo.archived {
            Err(Refusal::archived())
        } else {
            Ok(repo)
        }
    }

    /// Whether a person may do what needs this level. The App's rights were checked against its token before.
    pub fn must(&self, actor: Actor, repo: RepoId, level: Level, what: &str) -> Result<(), Refusal> {
        let found = self.live_repo(repo)?;
        if actor.means == Means::App || found.level(actor.account) >= level {
            return Ok(());
        }
        if found.level(actor.account) < Level::Read {
            return Err(Refusal::not_found());
        }
        Err(Refusal::needs(self.login(actor.account), level.role_name(), what))
    }

    /// Adds an entry to the history of an issue and marks it as updated.
    pub fn remember(&mut self, id: IssueId, actor: Actor, what: Happened) {
        let at = self.now();
        let entry = HistoryEntry {
            id: EventId(self.counters.next("event", 5_000_000_001)),
            actor,
            at,
            what,
        };
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.history.push(entry);
            issue.updated_at = at;
        }
    }
}
