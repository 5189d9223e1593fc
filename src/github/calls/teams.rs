//! Teams of organisations: who is in one. Needs the organisation permission `members: read`.

use serde::Deserialize;

use crate::github::client::{Cap, Repo, missing};
use crate::github::error::GithubError;
use crate::github::operation::Operation;
use crate::github::types::Account;
use crate::github::wire::WireAccount;
use crate::workflow::gate::Team;
use crate::workflow::ids::UserId;

/// How many members of a team are listed; whoever is not among them is asked for by login.
const LISTED: Cap = Cap { items: 1000, pages: 10 };

/// Who is in a team, as GitHub told it just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// Members, those of child teams included; of a very large team not all.
    pub known: Vec<Account>,
    /// Whether there may be more.
    pub more: bool,
}

impl Members {
    /// Whether an account is listed, by its id.
    pub fn has(&self, id: UserId) -> bool {
        self.known.iter().any(|account| account.id == id)
    }
}

#[derive(Deserialize)]
struct WireMembership {
    state: Option<String>,
}

impl Repo {
    /// The members of a team, or `None` where there is none that the App may see
    /// (<https://docs.github.com/rest/teams/members#list-team-members>). Invited people are no members yet.
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn team_members(&self, team: &Team) -> Result<Option<Members>, GithubError> {
        let route = Operation::TeamMembers.at(&[&team.org, &team.slug])?;
        match self
            .caller
            .list(route, LISTED, |wire: WireAccount| Ok(wire.read()))
            .await
        {
            Ok(listing) => Ok(Some(Members {
                more: listing.left_out > 0 || listing.items.len() >= LISTED.items,
                known: listing.items,
            })),
            Err(GithubError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a login is an active member of a team
    /// (<https://docs.github.com/rest/teams/members#get-team-membership-for-a-user>). The answer names no account's id,
    /// so the login must be known to be the one that is meant.
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn in_team(&self, team: &Team, login: &str) -> Result<bool, GithubError> {
        let route = Operation::TeamMembership.at(&[&team.org, &team.slug, &login])?;
        match self.caller.get(&route).await {
            Ok(answer) => {
                let wire: WireMembership = answer.json()?;
                let state = wire.state.ok_or_else(|| missing("state"))?;
                Ok(state == "active")
            }
            Err(GithubError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
