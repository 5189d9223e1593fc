//! Reactions, wherever they stand.

use super::{Call, Outcome, number, text_of};
use crate::sandbox::acts::comments::{Reacted, ReactionTarget};
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::issues::reaction;

impl Call<'_> {
    /// The operations below `/reactions` of an issue or a comment.
    pub(super) fn reaction_routes(&mut self, repo: RepoId, target: ReactionTarget, rest: &[&str]) -> Outcome {
        let kinds = ["issues", "pull_requests"];
        let reads = kinds.map(|kind| (kind, Access::Read));
        let writes = kinds.map(|kind| (kind, Access::Write));
        match (self.request.method.as_str(), rest) {
            ("GET", []) => {
                self.need(repo, &reads)?;
                let wanted = self.request.param("content");
                let found = self.world.reactions_on(target)?.iter();
                let found = found.filter(|found| wanted.is_none_or(|wanted| found.content == wanted));
                let all = found.map(|found| reaction(self.world, found)).collect();
                Ok(self.page(all))
            }
            ("POST", []) => {
                let actor = self.need(repo, &writes)?;
                let body = self.request.json()?;
                let content = text_of(&body, "content")?.ok_or_else(|| Refusal::not_supplied("content"))?;
                let (status, id) = match self.world.react(actor, target, content)? {
                    Reacted::New(id) => (201, id),
                    Reacted::Existing(id) => (200, id),
                };
                let found = self.world.reactions_on(target)?.iter().find(|found| found.id == id);
                let found = found.ok_or_else(Refusal::not_found)?;
                Ok(Answer::new(status, reaction(self.world, found)))
            }
            ("DELETE", [id]) => {
                let actor = self.need(repo, &writes)?;
                self.world.unreact(actor, target, ReactionId(number(id)?))?;
                Ok(Answer::empty(204))
            }
            _ => Err(Refusal::not_found()),
        }
    }
}
