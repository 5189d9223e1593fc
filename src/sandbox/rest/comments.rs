//! Comments by their id.

use super::{Call, Outcome, number, text_of};
use crate::sandbox::acts::comments::ReactionTarget;
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::{Dialect, issues};

impl Call<'_> {
    /// The operations below `/issues/comments`.
    pub(super) fn comment_routes(&mut self, repo: RepoId, rest: &[&str]) -> Outcome {
        let kinds = ["issues", "pull_requests"];
        let reads = kinds.map(|kind| (kind, Access::Read));
        let writes = kinds.map(|kind| (kind, Access::Write));
        let [first, below @ ..] = rest else {
            return self.repository_comments(repo);
        };
        let id = CommentId(number(first)?);
        let comment = self.world.live_comment(id)?;
        let on = self.world.live_issue(comment.issue)?;
        if !matches!(comment.place, Place::Thread) || on.is_discussion() || on.repo != repo {
            return Err(Refusal::not_found());
        }
        match (self.request.method.as_str(), below) {
            ("GET", []) => {
                self.need(repo, &reads)?;
                self.shown_comment(id, 200)
            }
            ("PATCH", []) => {
                let actor = self.need(repo, &writes)?;
                let body = self.request.json()?;
                let text = text_of(&body, "body")?.ok_or_else(|| Refusal::not_supplied("body"))?;
                self.world.edit_comment(actor, id, text)?;
                self.shown_comment(id, 200)
            }
            ("DELETE", []) => {
                let actor = self.need(repo, &writes)?;
                self.world.delete_comment(actor, id)?;
                Ok(Answer::empty(204))
            }
            (_, ["reactions", rest @ ..]) => self.reaction_routes(repo, ReactionTarget::Comment(id), rest),
            _ => Err(Refusal::not_found()),
        }
    }

    /// All comments of a repository, by id unless another order is asked for.
    fn repository_comments(&mut self, repo: RepoId) -> Outcome {
        if self.request.method != "GET" {
            return Err(Refusal::not_found());
        }
        self.need(repo, &[("issues", Access::Read), ("pull_requests", Access::Read)])?;
        let since = self.since()?;
        let found = self.world.live_repo(repo)?;
        let issues = self
            .world
            .issues
            .values()
            .filter(|issue| issue.repo == repo && issue.is_present() && !issue.is_discussion());
        let mut comments: Vec<(&Issue, &Comment)> = issues
            .flat_map(|issue| self.world.comments_of(issue.id).map(move |comment| (issue, comment)))
            .filter(|(_, comment)| since.is_none_or(|since| comment.updated_at >= since))
            .collect();
        match self.request.param("sort") {
            Some("updated") => comments.sort_by_key(|(_, comment)| (comment.updated_at, comment.id)),
            _ => comments.sort_by_key(|(_, comment)| comment.id),
        }
        if self.request.param("sort").is_some() && self.request.param("direction") != Some("asc") {
            comments.reverse();
        }
        let shape = |(issue, comment)| issues::comment(self.world, found, issue, comment, Dialect::Rest);
        let all = comments.into_iter().map(shape).collect();
        Ok(self.page(all))
    }

    /// A comment of a thread as an answer.
    pub(super) fn shown_comment(&self, id: CommentId, status: u16) -> Outcome {
        let comment = self.world.live_comment(id)?;
        let issue = self.world.live_issue(comment.issue)?;
        let repo = self.world.live_repo(issue.repo)?;
        let shape = issues::comment(self.world, repo, issue, comment, Dialect::Rest);
        Ok(if status == 201 {
            Answer::created(shape)
        } else {
            Answer::new(status, shape)
        })
    }
}
