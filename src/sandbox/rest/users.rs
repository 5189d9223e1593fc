//! Accounts.

use super::{Call, Outcome};
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::AccountId;
use crate::sandbox::model::Presence;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::public_user;

impl Call<'_> {
    pub(super) fn user(&self, login: &str) -> Outcome {
        let account = self.world.account_named(login).ok_or_else(Refusal::not_found)?;
        Ok(Answer::ok(public_user(self.world, account)))
    }

    pub(super) fn user_by_id(&self, id: AccountId) -> Outcome {
        let account = self.world.accounts.get(&id);
        let present = account.filter(|account| account.presence == Presence::Present);
        let account = present.ok_or_else(Refusal::not_found)?;
        Ok(Answer::ok(public_user(self.world, account)))
    }
}
