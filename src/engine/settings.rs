//! What a repository asks for: its configuration from the default branch, the last good one while the newest is
//! broken.

use std::sync::LazyLock;

use chrono::TimeDelta;

use super::{Engine, Trouble, embedded_definitions, sentence};
use crate::agents::{self, Names};
use crate::chat::verbs::{Dialect, VERBS};
use crate::config::{ConfigError, Offer, RepositoryConfig, Vocabulary};
use crate::github::Repo;
use crate::store::definitions::KeptDefinition;
use crate::store::repositories::{Repository, note_config};
use crate::workflow::definition::{Definition, Invalid};

/// Where a repository's configuration stands.
pub(super) const CONFIG_PATH: &str = ".github/countersign.yml";

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
}

impl Engine {
    /// The configuration in force. Read anew when it is not fresh; while GitHub does not answer, the one that was read
    /// before stays, and the first one has to be waited for.
    pub(super) async fn settings(&self, repo: &Repo, known: &Repository) -> Result<Settings, Trouble> {
        let now = self.now();
        let kept = self.store().definitions_of(known.id).await?;
        let fresh = known
            .config_checked
            .is_some_and(|checked| now - checked < FRESH_FOR && checked <= now);
        let as_before = |kept| self.in_force(known, known.config.as_deref(), known.config_error.clone(), kept);
        if fresh {
            return Ok(as_before(kept));
        }
        let read = async {
            let newest = repo.file(CONFIG_PATH).await?.map(|file| file.text);
            let own = definitions_in(newest.as_deref(), known);
            let (definitions, write) = self.read_definitions(repo, known, (&kept, &own)).await?;
            Ok((newest, definitions, write))
        };
        let (newest, definitions, mut write) = match read.await {
            Ok(read) => read,
            Err(error) if known.config_checked.is_some() => {
                let error: crate::github::GithubError = error;
                tracing::warn!(%error, repository = %known.id, "the configuration could not be read; the last one stays");
                return Ok(as_before(kept));
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
        Ok(self.in_force(known, good.as_deref(), broken, definitions))
    }

    fn in_force(
        &self,
        known: &Repository,
        good: Option<&str>,
        broken: Option<String>,
        definitions: Vec<KeptDefinition>,
    ) -> Settings {
        let Some(text) = good else {
            return Settings {
                config: RepositoryConfig::default(),
                broken,
                definitions,
                text: None,
            };
        };
        match self.parse(text, known, &definitions, None) {
            Ok(config) => Settings {
                config,
                broken,
                definitions,
                text: Some(text.to_owned()),
            },
            // It was good when it was read: for an older version of this program, or while the server offered an
            // endpoint, or the repository had a definition, that it names. That must not take away what else the file
            // says, such as rights.
            Err(errors) => Settings {
                config: parse_repository_config(text, None, None).unwrap_or_default(),
                broken: broken.or_else(|| Some(sentence(&errors))),
                definitions,
                text: Some(text.to_owned()),
            },
        }
    }

    fn parse(
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
