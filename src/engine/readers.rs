//! Whose texts an agent reads.
//!
//! A model takes what it reads for what it is asked. So where a text can reach a model, only people who could steer the
//! agent by a command of their own are read, and the author of the subject, on which somebody with the right started
//! the run. Bots never are.

use std::collections::BTreeMap;

use super::{Engine, Trouble};
use crate::chat::verbs;
use crate::config::{ProviderName, RepositoryConfig};
use crate::github::{Account, AccountKind, Repo};
use crate::workflow::ids::UserId;
use crate::workflow::right::Right;

/// How many people of a repository are listed before the rest is asked for one by one.
const LISTED: usize = 500;

/// For whom a discussion is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Fixed rules: they obey nobody, so everybody is read.
    Anyone,
    /// A model, or a person who may hand the prompt to one.
    Model,
}

impl Readers {
    /// Who reads for a provider.
    pub(super) fn of(provider: &ProviderName) -> Self {
        match provider {
            ProviderName::Rules => Self::Anyone,
            ProviderName::Manual | ProviderName::Http(_) => Self::Model,
        }
    }
}

/// Why somebody's texts are not read; nobody is named, so that equal reasons can be told together.
pub(super) type Unread = String;

/// Who is read, as far as it was asked.
pub(super) struct Heard {
    readers: Readers,
    needed: Right,
    /// Whose right is not asked for: the author of the subject.
    opener: UserId,
    /// The bot, where the subject is an issue that it opened for a parent, under an approval.
    approved: Option<UserId>,
    /// People who may, or may not.
    known: BTreeMap<UserId, bool>,
}

impl Heard {
    /// The same where the bot's own text on the subject was approved before it was written.
    pub(super) fn and_what_was_approved(mut self, of_the_bot: Option<UserId>) -> Self {
        self.approved = of_the_bot;
        self
    }
}

impl Engine {
    /// Begins to ask whose texts may be read on a subject that `opener` opened. What GitHub lists is taken from there;
    /// the list may be cut, so nobody is missing from it for good.
    pub(super) async fn heard(
        &self,
        repo: &Repo,
        config: &RepositoryConfig,
        opener: UserId,
        readers: Readers,
    ) -> Result<Heard, Trouble> {
        let mut heard = Heard {
            readers,
            needed: needed(config),
            opener,
            approved: None,
            known: BTreeMap::new(),
        };
        if readers == Readers::Model {
            match repo.people_with(heard.needed, LISTED).await {
                Ok(people) => heard.known.extend(people.into_iter().map(|person| (person.id, true))),
                Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
                // GitHub does not list them to us: each is asked for.
                Err(_) => {}
            }
        }
        Ok(heard)
    }

    /// Why an author's texts are not read, if they are not. That GitHub could not be asked is an error and neither yes
    /// nor no.
    pub(super) async fn unread(
        &self,
        repo: &Repo,
        heard: &mut Heard,
        author: &Account,
    ) -> Result<Option<Unread>, Trouble> {
        if heard.readers == Readers::Anyone {
            return Ok(None);
        }
        // Its text was approved before it was written here.
        if heard.approved == Some(author.id) {
            return Ok(None);
        }
        if author.kind != AccountKind::User {
            return Ok(Some("agents do not read bots".to_owned()));
        }
        let may = match heard.known.get(&author.id) {
            _ if author.id == heard.opener => true,
            Some(may) => *may,
            None => self.right_of(repo, author).await? >= heard.needed,
        };
        heard.known.insert(author.id, may);
        Ok((!may).then(|| {
            format!(
                "its author may not steer agents here (that needs {} access)",
                heard.needed
            )
        }))
    }
}

/// The right that `/revise` needs in this repository.
fn needed(config: &RepositoryConfig) -> Right {
    let revise = verbs::by_name("revise").expect("the bot has this verb; a test of the verbs reads it");
    match config.permissions.get(revise.name) {
        Some(floor) => revise.requirement.raised_to(*floor).right,
        None => revise.requirement.right,
    }
}
