//! Who somebody is and what they may do, asked of GitHub when a command is decided.

use super::{Engine, Trouble};
use crate::github::{Account, GithubError, Issue, Repo};
use crate::workflow::command::Authority;
use crate::workflow::decide::standings;
use crate::workflow::ids::IssueNumber;
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{Surface, Timestamp};

/// How many people an answer names at most.
const NAMED: usize = 20;

/// What somebody said, and where: all of it but what they may.
#[derive(Debug, Clone)]
pub(super) struct Speech {
    pub(super) by: Account,
    pub(super) surface: Surface,
    pub(super) said_at: Timestamp,
}

impl Engine {
    /// What GitHub says of a speaker now. An account that GitHub does not know has no right; an answer about another
    /// account, or none at all, is "could not check".
    pub(super) async fn authority(
        &self,
        repo: &Repo,
        subject: IssueNumber,
        speech: &Speech,
        requirement: Requirement,
    ) -> Result<Authority, Trouble> {
        let right = match requirement {
            Requirement::ANYONE => Right::None,
            _ => self.right_of(repo, &speech.by).await?,
        };
        let standings = if right < requirement.right && !requirement.or.is_empty() {
            let issue = self.issue(repo, subject).await?;
            let is_assignee = issue.assignees.iter().any(|assignee| assignee.id == speech.by.id);
            standings(issue.author.id == speech.by.id, is_assignee)
        } else {
            Vec::new()
        };
        Ok(Authority {
            person: person(&speech.by),
            right,
            standings,
            surface: speech.surface.clone(),
            said_at: speech.said_at,
            requirement,
        })
    }

    /// Somebody's right on a repository, now.
    pub(super) async fn right_of(&self, repo: &Repo, account: &Account) -> Result<Right, Trouble> {
        match repo.permission(&account.login).await {
            Ok(permission) if permission.user_id == account.id => Ok(permission.right),
            Ok(_) => Err(Trouble::Later {
                at: self.now() + super::FIRST_REST,
                sent: crate::store::effects::Sent::No,
                why: format!("GitHub answered about another account than {}", account.login),
            }),
            Err(GithubError::NotFound(_)) => Ok(Right::None),
            Err(error) => Err(self.trouble(&error, 1)),
        }
    }

    /// The logins of people who have at least this right; empty where GitHub does not list them to us.
    pub(super) async fn people_with(&self, repo: &Repo, right: Right) -> Result<Vec<String>, Trouble> {
        let people = match repo.people_with(right, NAMED).await {
            Ok(people) => people,
            Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
            Err(_) => Vec::new(),
        };
        let people = people
            .into_iter()
            .filter(|account| account.kind == crate::github::AccountKind::User);
        Ok(people.map(|account| account.login).collect())
    }

    /// The subject as it is now.
    pub(super) async fn issue(&self, repo: &Repo, number: IssueNumber) -> Result<Issue, Trouble> {
        repo.issue(number).await.map_err(|error| self.trouble(&error, 1))
    }
}

/// An account as the record keeps it.
pub(super) fn person(account: &Account) -> Person {
    Person {
        id: account.id,
        login: account.login.clone(),
    }
}
