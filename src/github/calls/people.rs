//! Who may do what, asked of GitHub and never taken from a payload.

use serde::Deserialize;

use crate::github::client::{Answer, Cap, Installation, Repo, missing};
use crate::github::error::GithubError;
use crate::github::operation::Operation;
use crate::github::types::Account;
use crate::github::wire::WireAccount;
use crate::workflow::ids::UserId;
use crate::workflow::right::Right;

/// Somebody's right on a repository, as GitHub told it just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The right.
    pub right: Right,
    /// Whose it is. Must equal the id of the person who was meant: a login can change hands.
    pub user_id: UserId,
    /// The role's name, which may be a custom role's.
    pub role_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePermission {
    permission: Option<String>,
    role_name: Option<String>,
    user: Option<WireCollaborator>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCollaborator {
    #[serde(flatten)]
    account: WireAccount,
    permissions: Option<WirePermissions>,
    role_name: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct WirePermissions {
    pull: Option<bool>,
    triage: Option<bool>,
    push: Option<bool>,
    maintain: Option<bool>,
    admin: Option<bool>,
}

impl WirePermissions {
    fn right(self) -> Right {
        let ladder = [
            (self.admin, Right::Admin),
            (self.maintain, Right::Maintain),
            (self.push, Right::Write),
            (self.triage, Right::Triage),
            (self.pull, Right::Read),
        ];
        let held = ladder.into_iter().find(|(has, _)| *has == Some(true));
        held.map_or(Right::None, |(_, right)| right)
    }
}

/// The legacy `permission` knows four levels: it gives *maintain* as `write` and *triage* as `read`, and a custom role
/// as the level that it inherits from
/// (<https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user>).
/// The built-in role's name raises it, but only from the level that this role has there.
fn right_of(permission: Option<&str>, role_name: Option<&str>, permissions: Option<WirePermissions>) -> Right {
    let told = match (permission, role_name) {
        (Some("admin"), _) => Right::Admin,
        (Some("write"), Some("maintain")) => Right::Maintain,
        (Some("write"), _) => Right::Write,
        (Some("read"), Some("triage")) => Right::Triage,
        (Some("read"), _) => Right::Read,
        _ => Right::None,
    };
    told.max(permissions.map_or(Right::None, WirePermissions::right))
}

impl Repo {
    /// Somebody's right. A stranger has `Read` on a public repository and `None` on a private one.
    ///
    /// # Errors
    /// `NotFound` when there is no such account; anything else means that it could not be checked.
    pub async fn permission(&self, login: &str) -> Result<Permission, GithubError> {
        let route = self.at(Operation::Permission, &[&login])?;
        let wire: WirePermission = self.caller.get(&route).await?.json()?;
        let user = wire.user.ok_or_else(|| missing("user"))?;
        let user_id = UserId(user.account.id.ok_or_else(|| missing("user.id"))?);
        if wire.permission.is_none() {
            return Err(missing("permission"));
        }
        Ok(Permission {
            right: right_of(wire.permission.as_deref(), wire.role_name.as_deref(), user.permissions),
            user_id,
            role_name: wire.role_name,
        })
    }

    /// People with at least this right, at most `cap` of them, in GitHub's order: who can, when somebody else may not.
    /// A hint for people: of several thousand collaborators only the first thousand are looked at.
    pub async fn people_with(&self, right: Right, cap: usize) -> Result<Vec<Account>, GithubError> {
        let route = self.at(Operation::Collaborators, &[])?;
        let cap = Cap { items: cap, pages: 10 };
        let people = self.caller.list(route, cap, |wire: WireCollaborator| {
            // A list names only the role; a custom role without `permissions` counts as nothing.
            let named = match wire.role_name.as_deref() {
                Some("admin") => Right::Admin,
                Some("maintain") => Right::Maintain,
                Some("write") => Right::Write,
                Some("triage") => Right::Triage,
                Some("read") => Right::Read,
                _ => Right::None,
            };
            let held = wire.permissions.map_or(named, WirePermissions::right);
            Ok((held >= right).then_some(wire.account).and_then(WireAccount::read))
        });
        Ok(people.await?.items)
    }

    /// The account of an id under its present login, or `None` when it is gone.
    pub async fn account_of(&self, id: UserId) -> Result<Option<Account>, GithubError> {
        found(self.caller.get(&Operation::AccountById.at(&[&id])?).await)
    }

    /// Whether an issue here can be assigned to this login.
    pub async fn assignable(&self, login: &str) -> Result<bool, GithubError> {
        let route = self.at(Operation::Assignable, &[&login])?;
        match self.caller.get(&route).await {
            Ok(_) => Ok(true),
            Err(GithubError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Installation {
    /// An account by its login, or `None`. An App's own account is `slug[bot]`; the App itself cannot ask for it,
    /// because GitHub takes its web token only on the App's own paths.
    pub async fn account(&self, login: &str) -> Result<Option<Account>, GithubError> {
        found(self.0.get(&Operation::AccountByLogin.at(&[&login])?).await)
    }
}

fn found(answer: Result<Answer, GithubError>) -> Result<Option<Account>, GithubError> {
    match answer {
        Ok(answer) => {
            let account: WireAccount = answer.json()?;
            account.read().map(Some).ok_or_else(|| missing("id"))
        }
        Err(GithubError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(json: &str) -> Option<WirePermissions> {
        Some(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_custom_role_counts_as_its_base_raised_by_permissions() {
        let table = [
            (Some("admin"), Some("admin"), None, Right::Admin),
            (Some("write"), Some("maintain"), None, Right::Maintain),
            (Some("write"), Some("write"), None, Right::Write),
            (Some("read"), Some("triage"), None, Right::Triage),
            (Some("read"), Some("read"), None, Right::Read),
            (Some("none"), Some("none"), None, Right::None),
            (Some("write"), Some("release manager"), None, Right::Write),
            (Some("read"), Some("security"), None, Right::Read),
            // A role's name alone gives nothing that its base does not have.
            (Some("read"), Some("maintain"), None, Right::Read),
            (Some("none"), Some("admin"), None, Right::None),
            (Some("write"), Some("triage"), None, Right::Write),
            (Some("owner"), None, None, Right::None),
            (None, Some("admin"), None, Right::None),
            (
                Some("read"),
                Some("helper"),
                permissions(r#"{"pull":true,"triage":true,"push":false}"#),
                Right::Triage,
            ),
            (
                Some("write"),
                Some("lead"),
                permissions(r#"{"maintain":true,"push":true,"admin":null}"#),
                Right::Maintain,
            ),
            (
                Some("write"),
                Some("write"),
                permissions(r#"{"pull":true}"#),
                Right::Write,
            ),
        ];
        for (permission, role, raised, right) in table {
            assert_eq!(right_of(permission, role, raised), right, "{permission:?} {role:?}");
        }
    }
}
