//! Teams of an organisation and who is in them.

use serde_json::json;

use super::{Call, Outcome};
use crate::sandbox::answer::Answer;
use crate::sandbox::auth::token_of;
use crate::sandbox::ids::AccountId;
use crate::sandbox::journal::Credential;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos as render;

impl Call<'_> {
    pub(super) fn org_routes(&mut self, org: &str, rest: &[&str]) -> Outcome {
        let org = self.world.account_named(org);
        let org = org.filter(|account| account.kind == AccountKind::Organization);
        let org = org.map(|account| account.id).ok_or_else(Refusal::not_found)?;
        match (self.request.method.as_str(), rest) {
            ("GET", ["teams", slug, "members"]) => {
                self.need_members(org)?;
                let people = self.team(org, slug)?;
                let shown = people.iter().map(|id| render::user(self.world, *id)).collect();
                Ok(self.page(shown))
            }
            ("GET", ["teams", slug, "memberships", login]) => {
                self.need_members(org)?;
                let people = self.team(org, slug)?;
                let account = self.world.account_named(login).ok_or_else(Refusal::not_found)?;
                if !people.contains(&account.id) {
                    return Err(Refusal::not_found());
                }
                Ok(Answer::ok(json!({
                    "url": format!("{}/organizations/{org}/team/{slug}/memberships/{}", self.world.base, account.login),
                    "role": "member",
                    "state": "active",
                })))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// Those of a team who are there.
    fn team(&self, org: AccountId, slug: &str) -> Result<Vec<AccountId>, Refusal> {
        let team = self.world.teams.get(&(org, slug.to_lowercase()));
        let present = |id: &&AccountId| {
            let account = self.world.accounts.get(id);
            account.is_some_and(|account| account.presence == Presence::Present)
        };
        let team = team.ok_or_else(Refusal::not_found)?;
        Ok(team.iter().filter(present).copied().collect())
    }

    /// An installation on this organisation that may read its members.
    fn need_members(&mut self, org: AccountId) -> Result<(), Refusal> {
        self.accepted = Some("members=read".to_owned());
        let Credential::Installation(id) = self.credential else {
            return Err(Refusal::new(401, "Requires authentication"));
        };
        let installation = self.world.installations.get(&id).filter(|found| found.account == org);
        let installation = installation.ok_or_else(Refusal::not_found)?;
        let reads = Some(&Access::Read);
        let token = token_of(self.world, self.request);
        let granted = installation.permissions.get("members") >= reads
            && token.and_then(|token| token.permissions.get("members")) >= reads;
        if granted { Ok(()) } else { Err(super::inaccessible()) }
    }
}
