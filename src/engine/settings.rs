//! What a repository asks for: its configuration from the default branch, the last good one while the newest is
//! broken; and the definitions that come with the program.

use chrono::TimeDelta;
use rust_embed::RustEmbed;

use super::{Engine, Trouble};
use crate::chat::verbs::{Dialect, VERBS};
use crate::config::{ConfigError, Offer, RepositoryConfig, Vocabulary};
use crate::github::Repo;
use crate::store::Write;
use crate::store::repositories::{Repository, note_config};
use crate::workflow::definition::{Definition, Invalid};

/// Where a repository's configuration stands.
pub(super) const CONFIG_PATH: &str = ".github/countersign.yml";

/// How long a configuration that was read is taken as it is. A push to the default branch has it read at once.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(5);

#[derive(RustEmbed)]
#[folder = "workflows/"]
struct Workflows;

/// The definitions that come with the program.
pub(super) fn embedded_definitions() -> Result<Vec<Definition>, Invalid> {
    let names = crate::agents::names();
    Workflows::iter()
        .filter_map(|path| Workflows::get(&path))
        .map(|file| names.parse(&String::from_utf8_lossy(&file.data)))
        .collect()
}

/// A repository's configuration in force, and what is wrong with a newer one.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) config: RepositoryConfig,
    /// A sentence with line and column.
    pub(super) broken: Option<String>,
    /// The file that the configuration was read from.
    pub(super) text: Option<String>,
}

impl Engine {
    /// The configuration in force. Read anew when it is not fresh; while GitHub does not answer, the one that was read
    /// before stays, and the first one has to be waited for.
    pub(super) async fn settings(&self, repo: &Repo, known: &Repository) -> Result<Settings, Trouble> {
        let now = self.now();
        let fresh = known
            .config_checked
            .is_some_and(|checked| now - checked < FRESH_FOR && checked <= now);
        if fresh {
            return Ok(self.in_force(known, known.config.as_deref(), known.config_error.clone()));
        }
        let newest = match repo.file(CONFIG_PATH).await {
            Ok(file) => file.map(|file| file.text),
            Err(error) if known.config_checked.is_some() => {
                tracing::warn!(%error, repository = %known.id, "the configuration could not be read; the last one stays");
                return Ok(self.in_force(known, known.config.as_deref(), known.config_error.clone()));
            }
            Err(error) => return Err(self.trouble(&error, 1)),
        };
        let broken = newest
            .as_deref()
            .and_then(|text| self.parse(text, known).err())
            .map(|errors| sentence(&errors));
        let good = if broken.is_some() { known.config.clone() } else { newest };
        self.store()
            .write(Write::of(note_config(
                known.id,
                good.as_deref(),
                broken.as_deref(),
                now,
            )))
            .await?;
        Ok(self.in_force(known, good.as_deref(), broken))
    }

    fn in_force(&self, known: &Repository, good: Option<&str>, broken: Option<String>) -> Settings {
        let Some(text) = good else {
            return Settings {
                config: RepositoryConfig::default(),
                broken,
                text: None,
            };
        };
        match self.parse(text, known) {
            Ok(config) => Settings {
                config,
                broken,
                text: Some(text.to_owned()),
            },
            // It was good when it was read: for an older version of this program, or while the server offered an
            // endpoint that it names. A server's change must not take away what else the file says, such as rights.
            Err(errors) => Settings {
                config: self.parse_with(text, None).unwrap_or_default(),
                broken: broken.or_else(|| Some(sentence(&errors))),
                text: Some(text.to_owned()),
            },
        }
    }

    fn parse(&self, text: &str, known: &Repository) -> Result<RepositoryConfig, Vec<ConfigError>> {
        let repository = format!("{}/{}", known.owner, known.name);
        let offer = Offer {
            models: &self.parts().models,
            repository: Some(&repository),
        };
        self.parse_with(text, Some(offer))
    }

    fn parse_with(&self, text: &str, offer: Option<Offer<'_>>) -> Result<RepositoryConfig, Vec<ConfigError>> {
        let definitions: Vec<&str> = self
            .0
            .definitions
            .iter()
            .map(|definition| definition.name.as_str())
            .collect();
        parse_repository_config(text, &definitions, offer)
    }

    /// The definitions that can be started.
    pub(super) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.0.definitions.iter()
    }

    /// The definition of that name.
    pub(super) fn definition(&self, name: &str) -> Option<&Definition> {
        self.0.definitions.iter().find(|definition| definition.name == name)
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

/// Reads a repository's configuration with the verbs of this program, these definitions, and what the server offers.
///
/// # Errors
/// Every mistake with its line and column.
pub fn parse_repository_config(
    text: &str,
    definitions: &[&str],
    offer: Option<Offer<'_>>,
) -> Result<RepositoryConfig, Vec<ConfigError>> {
    let verbs: Vec<_> = VERBS.iter().map(|verb| (verb.name, verb.requirement.right)).collect();
    let taken: Vec<&str> = VERBS.iter().flat_map(|verb| verb.aliases.iter().copied()).collect();
    RepositoryConfig::parse(
        text,
        Vocabulary {
            verbs: &verbs,
            taken: &taken,
            definitions,
            offer,
        },
    )
}

/// Reads a repository's configuration as a server with this program's definitions would. Without an offer, endpoints
/// are not checked.
///
/// # Errors
/// When a definition of this program is invalid, which a test rules out; within, every mistake of the file.
pub fn check_repository_config(
    text: &str,
    offer: Option<Offer<'_>>,
) -> Result<Result<RepositoryConfig, Vec<ConfigError>>, Invalid> {
    let definitions = embedded_definitions()?;
    let names: Vec<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    Ok(parse_repository_config(text, &names, offer))
}

fn sentence(errors: &[ConfigError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}
