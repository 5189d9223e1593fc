//! What a repository asks for: its configuration from the default branch, the last good one while the newest is
//! broken.

use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;

use super::{Engine, Trouble, embedded_definitions, sentence};
use crate::agents::{self, Names};
use crate::chat::say::replies::configuration_is_unreadable;
use crate::chat::verbs::{Dialect, VERBS};
use crate::config::{
    ConfigError, Joined, Level, Levels, Models, Offer, Origin, ProviderName, RepositoryConfig, Setter, Usable,
    Vocabulary, join,
};
use crate::github::{GithubError, Repo, RepositoryRef};
use crate::store::definitions::KeptDefinition;
use crate::store::repositories::{Repository, note_config};
use crate::workflow::definition::{Definition, Invalid};
use crate::workflow::gate::Tightening;
use crate::workflow::ids::RepositoryId;

/// Where a repository's configuration stands.
pub(super) const CONFIG_PATH: &str = ".github/countersign.yml";

/// The repository whose file holds for all of its owner's.
pub(super) const OWNERS: &str = ".github";

/// How long a configuration that was read is taken as it is. A push to the default branch has it read at once.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(5);

/// A repository's configuration in force, and what is wrong with a newer one.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) config: RepositoryConfig,
    /// A sentence with line and column.
    pub(super) broken: Option<String>,
    /// The files with definitions of its own: the last good one of each, and what is wrong with a newer one.
    pub(super) definitions: Vec<KeptDefinition>,
    /// The file that the configuration was read from.
    pub(super) text: Option<String>,
    /// What the server asks of all repositories, where it does.
    pub(super) policy: Option<Arc<Policy>>,
    /// What the owner asks of all its repositories, where it does.
    pub(super) owner: Option<OwnersLevel>,
    /// Which level set what.
    pub(super) origins: Vec<Origin>,
}

/// The level of the owner, as its `.github` repository has it.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnersLevel {
    /// `owner/.github`.
    pub(super) name: String,
    /// What is wrong with a newer one.
    pub(super) broken: Option<String>,
    /// The file.
    pub(super) text: String,
    pub(super) level: Level,
}

/// What the server's operator asks of all repositories: a file in the language of a repository's.
#[derive(Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) text: String,
    pub(super) level: Level,
}

impl Policy {
    /// Reads the file, given what the server offers.
    ///
    /// # Errors
    /// When a definition of this program is invalid, which a test rules out; within, every mistake of the file.
    pub fn read(text: String, models: &Models) -> Result<Result<Self, Vec<ConfigError>>, Invalid> {
        let offer = Offer {
            models,
            repository: None,
        };
        let config = check_repository_config(&text, &[], Some(offer))?;
        let level = config.and_then(|config| Level::of_server(config, &text));
        Ok(level.map(|level| Self { text, level }))
    }
}

impl Settings {
    /// What each level asks of every approval.
    pub(super) fn approvals(&self) -> impl Iterator<Item = &Tightening> {
        let policy = self.policy.as_ref().map(|policy| &policy.level.config.approval);
        let owner = self.owner.as_ref().map(|owner| &owner.level.config.approval);
        policy.into_iter().chain(owner).chain([&self.config.approval])
    }
}

impl Engine {
    /// The configuration in force: the repository's own under its owner's and the server's. Read anew when it is not fresh; while GitHub
    /// does not answer, the one that was read before stays, and the first one has to be waited for.
    pub(super) async fn settings(&self, repo: &Repo, known: &Repository) -> Result<Settings, Trouble> {
        let owner = self.owners_level(known).await?;
        let own = self.own_settings(repo, known).await?;
        Ok(self.joined(known, own, owner))
    }

    /// The configuration in force as it was read last: GitHub is not asked.
    pub(super) async fn settings_as_kept(&self, known: &Repository) -> Result<Settings, Trouble> {
        let owners = match known.name.eq_ignore_ascii_case(OWNERS) {
            true => None,
            false => self.store().owners_repository(known.installation, &known.owner).await?,
        };
        let owner = match &owners {
            Some(owners) => level_of(owners, self.own_as_kept(owners).await?),
            None => None,
        };
        let own = self.own_as_kept(known).await?;
        Ok(self.joined(known, own, owner))
    }

    async fn own_as_kept(&self, known: &Repository) -> Result<Settings, Trouble> {
        let kept = self.store().definitions_of(known.id).await?;
        self.in_force(known, known.config.as_deref(), known.config_error.clone(), kept)
    }

    /// What the owner's `.github` repository says for all of them; nothing where the App does not reach one.
    async fn owners_level(&self, known: &Repository) -> Result<Option<OwnersLevel>, Trouble> {
        if known.name.eq_ignore_ascii_case(OWNERS) {
            return Ok(None);
        }
        let found = match self.store().owners_repository(known.installation, &known.owner).await? {
            None if self.is_fresh(known) => None,
            None => self.look_for_owners(known).await?,
            found => found,
        };
        let Some(owners) = found else { return Ok(None) };
        let own = self.own_settings(&self.repo_of(&owners)?, &owners).await?;
        Ok(level_of(&owners, own))
    }

    /// The owner's `.github` repository, if the App reaches it. While GitHub does not answer, a repository that was
    /// read before is taken as it was, and one that was not has to wait.
    async fn look_for_owners(&self, known: &Repository) -> Result<Option<Repository>, Trouble> {
        let reference = RepositoryRef {
            id: RepositoryId(0),
            owner: known.owner.clone(),
            owner_id: None,
            name: OWNERS.to_owned(),
            private: true,
        };
        let handle = self.github()?.installation(known.installation).repository(&reference);
        let found = match handle.repository().await {
            Ok(found) => found.reference,
            Err(error) if known.config_checked.is_some() || !error.is_transient() => {
                tracing::debug!(%error, owner = %known.owner, "there is no level of the owner");
                return Ok(None);
            }
            Err(error) => return Err(self.trouble(&error, 1)),
        };
        if !found.owner.eq_ignore_ascii_case(&known.owner) {
            return Ok(None);
        }
        self.store()
            .note_repository(found.id, known.installation, &found.owner, &found.name)
            .await?;
        Ok(self.store().repository(found.id).await?)
    }

    /// The repository's own file under the owner's, and both under the server's.
    fn joined(&self, known: &Repository, own: Settings, owner: Option<OwnersLevel>) -> Settings {
        let repository = match &own.text {
            Some(text) => Level::of(Setter::Repository, own.config.clone(), text),
            None => Level::default(),
        };
        let policy = self.parts().policy.clone();
        let full_name = format!("{}/{}", known.owner, known.name);
        let names = self.definition_names(&own);
        let offer = Offer {
            models: &self.parts().models,
            repository: Some(&full_name),
        };
        let usable = Usable {
            definition: &|name| names.contains(&name),
            provider: &|name: &ProviderName| name.endpoint().is_none_or(|name| offer.refusal(name).is_none()),
        };
        let nothing = Level::default();
        let levels = Levels {
            server: policy.as_ref().map_or(&nothing, |policy| &policy.level),
            owner: owner.as_ref().map_or(&nothing, |owner| &owner.level),
            repository: &repository,
        };
        let Joined { config, origins } = join(levels, usable);
        Settings {
            config,
            policy,
            owner,
            origins,
            ..own
        }
    }

    fn is_fresh(&self, known: &Repository) -> bool {
        let now = self.now();
        known
            .config_checked
            .is_some_and(|checked| now - checked < FRESH_FOR && checked <= now)
    }

    /// What the repository's own file says.
    async fn own_settings(&self, repo: &Repo, known: &Repository) -> Result<Settings, Trouble> {
        let now = self.now();
        let kept = self.store().definitions_of(known.id).await?;
        let as_before = |kept| self.in_force(known, known.config.as_deref(), known.config_error.clone(), kept);
        if self.is_fresh(known) {
            return as_before(kept);
        }
        let read = async {
            let newest = repo.file(CONFIG_PATH).await?.map(|file| file.text);
            if newest.is_none() && known.config.is_some() {
                // GitHub hides what the App may not see: only where it sees the repository is the file really gone.
                repo.repository().await?;
            }
            let own = definitions_in(newest.as_deref(), known);
            let (definitions, write) = self.read_definitions(repo, known, (&kept, &own)).await?;
            Ok((newest, definitions, write))
        };
        let (newest, definitions, mut write) = match read.await {
            Ok(read) => read,
            Err(error) if known.config_checked.is_some() => {
                let error: GithubError = error;
                tracing::warn!(%error, repository = %known.id, "the configuration could not be read; the last one stays");
                return as_before(kept);
            }
            Err(error) => return Err(self.trouble(&error, 1)),
        };
        let broken = newest
            .as_deref()
            .and_then(|text| {
                let children = self.definitions_in_files(&definitions);
                self.parse(text, known, &definitions, Some(&children)).err()
            })
            .map(|errors| sentence(&errors));
        let good = if broken.is_some() { known.config.clone() } else { newest };
        write.push(note_config(known.id, good.as_deref(), broken.as_deref(), now));
        self.store().write(write).await?;
        self.in_force(known, good.as_deref(), broken, definitions)
    }

    fn in_force(
        &self,
        known: &Repository,
        good: Option<&str>,
        broken: Option<String>,
        definitions: Vec<KeptDefinition>,
    ) -> Result<Settings, Trouble> {
        let Some(text) = good else {
            return Ok(Settings {
                config: RepositoryConfig::default(),
                broken,
                definitions,
                ..Settings::default()
            });
        };
        let (config, broken) = match self.parse(text, known, &definitions, None) {
            Ok(config) => (config, broken),
            // It was good when it was read: while the server offered an endpoint, or the repository had a definition,
            // that it names. That must not take away what else the file says, such as rights.
            Err(errors) => match parse_repository_config(text, None, None) {
                Ok(config) => (config, broken.or_else(|| Some(sentence(&errors)))),
                // An older version of this program took it. What it asks for is not known, and may be more than the
                // defaults: nothing is done under them.
                Err(errors) => {
                    let name = format!("{}/{}", known.owner, known.name);
                    tracing::error!(repository = %name, mistakes = %sentence(&errors), "the configuration in force cannot be read");
                    let unreadable = configuration_is_unreadable(&name, CONFIG_PATH, &sentence(&errors));
                    return Err(Trouble::Never(unreadable));
                }
            },
        };
        Ok(Settings {
            config,
            broken,
            definitions,
            text: Some(text.to_owned()),
            ..Settings::default()
        })
    }

    pub(super) fn parse(
        &self,
        text: &str,
        known: &Repository,
        definitions: &[KeptDefinition],
        children: Option<&[Definition]>,
    ) -> Result<RepositoryConfig, Vec<ConfigError>> {
        let repository = format!("{}/{}", known.owner, known.name);
        let offer = Offer {
            models: &self.parts().models,
            repository: Some(&repository),
        };
        let named = Named {
            taken: &self.names_in_files(definitions),
            children,
        };
        parse_repository_config(text, Some(named), Some(offer))
    }

    /// How this repository speaks to the bot.
    pub(super) fn dialect(&self, bot: &crate::chat::reader::BotName, settings: &Settings) -> Dialect {
        Dialect {
            bot: bot.clone(),
            aliases: settings.config.aliases.clone(),
            floors: settings.config.permissions.clone(),
        }
    }
}

/// The level that the file of the owner's repository is, where it has one.
fn level_of(owners: &Repository, own: Settings) -> Option<OwnersLevel> {
    own.text.map(|text| OwnersLevel {
        name: format!("{}/{}", owners.owner, owners.name),
        broken: own.broken,
        level: Level::of(Setter::Owner, own.config, &text),
        text,
    })
}

/// The definitions in the file, when it can be read; else those of the last good one. Whether their names are taken is
/// asked later.
fn definitions_in(newest: Option<&str>, known: &Repository) -> Vec<Definition> {
    let Some(newest) = newest else { return Vec::new() };
    let read = |text: &str| parse_repository_config(text, None, None).ok();
    let config = read(newest).or_else(|| read(known.config.as_deref()?));
    config.map(|config| config.definitions).unwrap_or_default()
}

/// The definitions that stand elsewhere than in a repository's configuration.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Their names: the configuration may choose one, and brings none of that name.
    pub taken: &'a [&'a str],
    /// They themselves, where the children of the configuration's own are to be looked for.
    pub children: Option<&'a [Definition]>,
}

/// What definitions may name. It is asked for at every delivery.
static NAMES: LazyLock<Names> = LazyLock::new(agents::names);

/// Reads a repository's configuration with the verbs of this program, these definitions, and what the server offers.
/// Without definitions or an offer, names of them are not checked.
///
/// # Errors
/// Every mistake with its line and column.
pub fn parse_repository_config(
    text: &str,
    definitions: Option<Named<'_>>,
    offer: Option<Offer<'_>>,
) -> Result<RepositoryConfig, Vec<ConfigError>> {
    let verbs: Vec<_> = VERBS.iter().map(|verb| (verb.name, verb.requirement.right)).collect();
    let taken: Vec<&str> = VERBS.iter().flat_map(|verb| verb.aliases.iter().copied()).collect();
    RepositoryConfig::parse(
        text,
        Vocabulary {
            verbs: &verbs,
            taken: &taken,
            definitions: definitions.map(|named| named.taken),
            offer,
            agents: Some(&NAMES),
            children: definitions.and_then(|named| named.children),
        },
    )
}

/// Reads a repository's configuration without asking whether the definitions and endpoints are there that it names.
///
/// # Errors
/// Every mistake with its line and column.
pub fn read_repository_config(text: &str) -> Result<RepositoryConfig, Vec<ConfigError>> {
    parse_repository_config(text, None, None)
}

/// Reads a repository's configuration as a server with this program's definitions, and these of the repository's own,
/// would. Without an offer, endpoints are not checked.
///
/// # Errors
/// When a definition of this program is invalid, which a test rules out; within, every mistake of the file.
pub fn check_repository_config(
    text: &str,
    own: &[Definition],
    offer: Option<Offer<'_>>,
) -> Result<Result<RepositoryConfig, Vec<ConfigError>>, Invalid> {
    let mut definitions = embedded_definitions()?;
    definitions.extend_from_slice(own);
    let names: Vec<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    let named = Named {
        taken: &names,
        children: Some(&definitions),
    };
    Ok(parse_repository_config(text, Some(named), offer))
}
