//! Sub-issues, parents and dependencies.

use serde_json::Value;

use super::{Call, Outcome, number};
use crate::sandbox::acts::links::Adoption;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::Dialect;
use crate::sandbox::render::issues as render;

const READ: [(&str, Access); 1] = [("issues", Access::Read)];
const WRITE: [(&str, Access); 1] = [("issues", Access::Write)];

/// A database id from the body; a string is not one.
fn id_of(body: &Value, name: &str) -> Result<IssueId, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Err(Refusal::not_supplied(name)),
        Some(value) => value.as_u64().map(IssueId).ok_or_else(|| {
            Refusal::new(
                422,
                &format!("Invalid request.\n\nFor 'properties/{name}', {value} is not an integer."),
            )
        }),
    }
}

impl Call<'_> {
    pub(super) fn link_routes(&mut self, repo: RepoId, id: IssueId, rest: &[&str]) -> Outcome {
        let feature = if rest.first() == Some(&"dependencies") {
            Feature::Dependencies
        } else {
            Feature::SubIssues
        };
        if !self.world.has(feature) {
            return Err(Refusal::not_found());
        }
        match (self.request.method.as_str(), rest) {
            ("GET", ["sub_issues"]) => {
                self.need(repo, &READ)?;
                let children = self.world.live_issue(id)?.children.clone();
                self.listed(&children)
            }
            ("POST", ["sub_issues"]) => {
                let actor = self.need(repo, &WRITE)?;
                let body = self.request.json()?;
                let child = id_of(&body, "sub_issue_id")?;
                let adoption = match body.get("replace_parent") {
                    Some(Value::Bool(true)) => Adoption::ReplaceParent,
                    _ => Adoption::OnlyOrphans,
                };
                self.world.add_sub_issue(actor, id, child, adoption)?;
                self.shown_issue(id, 201)
            }
            ("DELETE", ["sub_issue"]) => {
                let actor = self.need(repo, &WRITE)?;
                let child = id_of(&self.request.json()?, "sub_issue_id")?;
                self.world.remove_sub_issue(actor, id, child)?;
                self.shown_issue(id, 200)
            }
            ("GET", ["parent"]) => {
                self.need(repo, &READ)?;
                let parent = self.world.live_issue(id)?.parent.ok_or_else(Refusal::not_found)?;
                self.shown_issue(parent, 200)
            }
            ("GET", ["dependencies", "blocked_by"]) => {
                self.need(repo, &READ)?;
                let blockers = self.world.live_issue(id)?.blocked_by.clone();
                self.listed(&blockers)
            }
            ("GET", ["dependencies", "blocking"]) => {
                self.need(repo, &READ)?;
                let blocked: Vec<IssueId> = self.world.blocking(id).map(|issue| issue.id).collect();
                self.listed(&blocked)
            }
            ("POST", ["dependencies", "blocked_by"]) => {
                let actor = self.need(repo, &WRITE)?;
                let blocker = id_of(&self.request.json()?, "issue_id")?;
                self.world.add_blocker(actor, id, blocker)?;
                self.shown_issue(blocker, 201)
            }
            ("DELETE", ["dependencies", "blocked_by", blocker]) => {
                let actor = self.need(repo, &WRITE)?;
                let blocker = IssueId(number(blocker)?);
                self.world.remove_blocker(actor, id, blocker)?;
                self.shown_issue(blocker, 200)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn listed(&self, ids: &[IssueId]) -> Outcome {
        let present = ids
            .iter()
            .filter_map(|id| self.world.issues.get(id))
            .filter(|issue| issue.is_present());
        let all = present
            .filter_map(|issue| Some((self.world.repos.get(&issue.repo)?, issue)))
            .map(|(repo, issue)| render::issue(self.world, repo, issue, Dialect::Rest))
            .collect();
        Ok(self.page(all))
    }
}
