//! Labels of a repository.

use serde_json::Value;

use super::{Call, Outcome, text_of};
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::label;

impl Call<'_> {
    pub(super) fn label_routes(&mut self, id: RepoId, rest: &[&str]) -> Outcome {
        let read = [("issues", Access::Read), ("pull_requests", Access::Read)];
        let write = [("issues", Access::Write), ("pull_requests", Access::Write)];
        match (self.request.method.as_str(), rest) {
            ("GET", ["labels"]) => {
                self.need(id, &read)?;
                let repo = self.world.live_repo(id)?;
                let all = repo.labels.iter().map(|found| label(self.world, repo, found)).collect();
                Ok(self.page(all))
            }
            ("GET", ["labels", name]) => {
                self.need(id, &read)?;
                let repo = self.world.live_repo(id)?;
                let found = repo.label_named(name).ok_or_else(Refusal::not_found)?;
                Ok(Answer::ok(label(self.world, repo, found)))
            }
            ("POST", ["labels"]) => {
                self.need(id, &write)?;
                let body = self.request.json()?;
                let name = text_of(&body, "name")?.ok_or_else(|| Refusal::not_supplied("name"))?;
                let made =
                    self.world
                        .create_label(id, name, text_of(&body, "color")?, text_of(&body, "description")?)?;
                let repo = self.world.live_repo(id)?;
                let shape = repo
                    .labels
                    .iter()
                    .find(|found| found.id == made)
                    .map(|found| label(self.world, repo, found));
                Ok(Answer::created(shape.unwrap_or(Value::Null)))
            }
            _ => Err(Refusal::not_found()),
        }
    }
}
