//! Who somebody is and what they may do, asked of GitHub when a command is decided.

use super::{Engine, Trouble};
use crate::github::{Account, GithubError, Issue, Repo, Topic};
use crate::workflow::command::Authority;
use crate::workflow::decide::standings;
use crate::workflow::ids::UserId;
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
    /// What GitHub says of a speaker now. An account that is gone has no right; an answer about another account, or none
    /// at all, is "could not check".
    pub(super) async fn authority(
        &self,
        repo: &Repo,
        subject: Topic,
        speech: &Speech,
        requirement: Requirement,
    ) -> Result<Authority, Trouble> {
        let right = match requirement {
            Requirement::ANYONE => Right::None,
            _ => self.right_of(repo, &speech.by).await?,
        };
        let standings = if right < requirement.right && !requirement.or.is_empty() {
            let issue = self.subject(repo, subject).await?;
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

    /// Somebody's right on a repository, now. GitHub is asked by login, and logins change hands: where the answer is
    /// about nobody or somebody else, the account's id tells its present login, or that the account is gone.
    pub(super) async fn right_of(&self, repo: &Repo, account: &Account) -> Result<Right, Trouble> {
        Ok(self.right_and_login(repo, account).await?.0)
    }

    /// The same with the account's present login.
    pub(super) async fn right_and_login(&self, repo: &Repo, account: &Account) -> Result<(Right, String), Trouble> {
        if let Some(right) = self.right_by_login(repo, &account.login, account.id).await? {
            return Ok((right, account.login.clone()));
        }
        let present = repo.account_of(account.id).await;
        let Some(present) = present.map_err(|error| self.unchecked(&error))? else {
            return Ok((Right::None, account.login.clone()));
        };
        let renamed = !present.login.eq_ignore_ascii_case(&account.login);
        if renamed && let Some(right) = self.right_by_login(repo, &present.login, account.id).await? {
            return Ok((right, present.login));
        }
        Err(self.later(format!("GitHub gave no answer about {}", present.login)))
    }

    /// The right behind a login if it is this account's.
    async fn right_by_login(&self, repo: &Repo, login: &str, id: UserId) -> Result<Option<Right>, Trouble> {
        match repo.permission(login).await {
            Ok(permission) => Ok((permission.user_id == id).then_some(permission.right)),
            Err(GithubError::NotFound(_)) => Ok(None),
            Err(error) => Err(self.unchecked(&error)),
        }
    }

    /// An error in place of somebody's right is neither yes nor no, so it is asked again, whatever GitHub said.
    pub(super) fn unchecked(&self, error: &GithubError) -> Trouble {
        match self.trouble(error, 1) {
            Trouble::Never(why) => self.later(why),
            trouble => trouble,
        }
    }

    pub(super) fn later(&self, why: String) -> Trouble {
        Trouble::Later {
            at: self.now() + super::FIRST_REST,
            sent: crate::store::effects::Sent::No,
            why,
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

    /// A subject as it is now.
    pub(super) async fn subject(&self, repo: &Repo, topic: Topic) -> Result<Issue, Trouble> {
        let subject = repo.thread(topic).subject().await;
        subject.map_err(|error| self.trouble(&error, 1))
    }
}

/// An account as the record keeps it.
pub(super) fn person(account: &Account) -> Person {
    Person {
        id: account.id,
        login: account.login.clone(),
    }
}
