//! The App, its installations and their tokens.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Outcome, number};
use crate::sandbox::answer::Answer;
use crate::sandbox::auth::mint;
use crate::sandbox::ids::*;
use crate::sandbox::journal::Credential;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos as render;

impl Call<'_> {
    pub(super) fn app(&mut self, rest: &[&str]) -> Outcome {
        self.need_app()?;
        match (self.request.method.as_str(), rest) {
            ("GET", []) => {
                let mut app = render::app(self.world);
                let count = self
                    .world
                    .installations
                    .values()
                    .filter(|found| found.presence == Presence::Present);
                app["installations_count"] = count.count().into();
                Ok(Answer::ok(app))
            }
            ("GET", ["installations"]) => {
                let present = self
                    .world
                    .installations
                    .values()
                    .filter(|found| found.presence == Presence::Present);
                let all = present.map(|found| render::installation(self.world, found)).collect();
                Ok(self.page(all))
            }
            ("GET", ["installations", id]) => {
                let found = self.installation(number(id)?)?;
                Ok(Answer::ok(render::installation(self.world, found)))
            }
            ("POST", ["installations", id, "access_tokens"]) => self.access_token(number(id)?),
            ("GET", ["hook", "config"]) => Ok(Answer::ok(self.hook_config())),
            (_, ["hook", "deliveries", rest @ ..]) => self.deliveries(rest),
            _ => Err(Refusal::not_found()),
        }
    }

    fn installation(&self, id: u64) -> Result<&Installation, Refusal> {
        let found = self.world.installations.get(&InstallationId(id));
        found
            .filter(|found| found.presence == Presence::Present)
            .ok_or_else(Refusal::not_found)
    }

    fn access_token(&mut self, id: u64) -> Outcome {
        let body = self.request.json()?;
        let installation = self.installation(id)?.clone();
        let mut permissions = installation.permissions.clone();
        if let Some(asked) = body["permissions"].as_object() {
            permissions.clear();
            for (name, access) in asked {
                let access = if access == "write" { Access::Write } else { Access::Read };
                if installation.permissions.get(name) < Some(&access) {
                    return Err(Refusal::new(
                        422,
                        "The permissions requested are not granted to this installation.",
                    ));
                }
                permissions.insert(name.clone(), access);
            }
        }
        let chosen = self.chosen_repositories(&installation, &body)?;
        let token = mint(self.world, installation.id, permissions, chosen);
        Ok(Answer::new(201, render::token(self.world, &token)))
    }

    fn chosen_repositories(
        &self,
        installation: &Installation,
        body: &Value,
    ) -> Result<Option<BTreeSet<RepoId>>, Refusal> {
        let missing = || {
            Refusal::new(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            )
        };
        let mut chosen = BTreeSet::new();
        for id in body["repository_ids"].as_array().into_iter().flatten() {
            let id = RepoId(id.as_u64().ok_or_else(missing)?);
            let found = self.world.reachable(installation).find(|repo| repo.id == id);
            chosen.insert(found.ok_or_else(missing)?.id);
        }
        for name in body["repositories"].as_array().into_iter().flatten() {
            let name = name.as_str().ok_or_else(missing)?;
            let found = self
                .world
                .reachable(installation)
                .find(|repo| repo.name.eq_ignore_ascii_case(name));
            chosen.insert(found.ok_or_else(missing)?.id);
        }
        Ok((!chosen.is_empty()).then_some(chosen))
    }

    pub(super) fn installation_repositories(&mut self) -> Outcome {
        let Credential::Installation(id) = self.credential else {
            return Err(Refusal::new(401, "Requires authentication"));
        };
        let installation = self.installation(id.0)?;
        let reached: Vec<&Repo> = self
            .world
            .reachable(installation)
            .filter(|repo| self.reached(id, repo))
            .collect();
        let shown: Vec<Value> = reached
            .iter()
            .map(|repo| render::repository(self.world, repo))
            .collect();
        let selection = render::selection(installation);
        let answer = self.page(shown);
        let body = json!({ "total_count": reached.len(), "repository_selection": selection,
                           "repositories": answer.body });
        Ok(Answer { body, ..answer })
    }

    pub(super) fn rate_limit(&self) -> Outcome {
        let rate = match self.credential {
            Credential::Installation(id) => self.installation(id.0)?.rate,
            _ => Rate {
                limit: 60,
                used: 0,
                resets_at: self.world.now() + chrono::Duration::hours(1),
            },
        };
        let core = json!({
            "limit": rate.limit,
            "used": rate.used,
            "remaining": rate.limit.saturating_sub(rate.used),
            "reset": rate.resets_at.timestamp(),
        });
        let search = json!({ "limit": 30, "used": 0, "remaining": 30, "reset": rate.resets_at.timestamp() });
        Ok(Answer::ok(json!({
            "resources": { "core": core, "search": search, "graphql": core },
            "rate": core,
        })))
    }
}
