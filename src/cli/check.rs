//! `countersign check FILE`: every mistake of a repository's configuration, where it stands.

use std::path::{Path, PathBuf};

use super::answer::{Answer, Refusal};
use super::providers::server_models;
use super::quorums::{Against, Looked};
use crate::config::{ConfigError, EndpointName, Models, Offer, RepositoryConfig, definition, quorums};
use crate::engine::check_repository_config;
use crate::workflow::definition::Definition;

/// Which file.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// A repository's configuration, such as .github/countersign.yml
    file: PathBuf,
    #[command(flatten)]
    against: Against,
}

impl Check {
    /// Answers that the file is good, or with its mistakes.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        self.against.usable()?;
        let file = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Refusal::failed(format!("{file} cannot be read: {error}")))?;
        let server = self.server()?;
        let offer = server.as_ref().ok().map(|models| Offer {
            models,
            repository: self.against.repository.as_deref(),
        });
        let checked = check_repository_config(&text, &self.definitions_beside(), offer).map_err(Refusal::failed)?;
        let config = checked.map_err(|mistakes| mistaken(&self.file, &mistakes))?;
        let teams = match self.against.look(&quorums::in_configuration(&text, &config)).await {
            Looked::Good => None,
            Looked::NotChecked(note) => Some(note),
            Looked::Wrong(mistakes) => return Err(mistaken(&self.file, &mistakes)),
        };
        let notes = [self.unchecked(&config, &server), teams];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        let page = match &note {
            None => format!("{file} is good.\n"),
            Some(note) => format!("{file} is good. {note}\n"),
        };
        let data = serde_json::json!({ "file": file.to_string(), "mistakes": [], "unchecked": note });
        Ok(Answer::new(data, page))
    }

    /// The definitions in the folder beside the file, as far as they can be read: `definitions check` tells
    /// what is wrong with one.
    fn definitions_beside(&self) -> Vec<Definition> {
        let folder = self.file.with_file_name("countersign");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
        let names = crate::agents::names();
        texts
            .filter_map(|text| definition::read(&text, &names, &[]).ok())
            .collect()
    }

    /// What the server offers, or why that is not known. A file of the server's that this user may not read is no
    /// mistake of the repository's file: it holds secrets.
    fn server(&self) -> Result<Result<Models, String>, Refusal> {
        match &self.against.config {
            None => Ok(Err(
                "no server configuration is named (--config or COUNTERSIGN_CONFIG)".to_owned()
            )),
            Some(path) => match std::fs::File::open(path) {
                Ok(_) => server_models(self.against.config.clone()).map(Ok),
                Err(error) => Ok(Err(format!("{} cannot be read ({error})", path.display()))),
            },
        }
    }

    /// What of a good file could not be checked.
    fn unchecked(&self, config: &RepositoryConfig, server: &Result<Models, String>) -> Option<String> {
        let providers = &config.providers;
        let mut chosen: Vec<&EndpointName> = Vec::new();
        for provider in [&providers.extract, &providers.email, &providers.default]
            .into_iter()
            .chain(providers.roles.values())
        {
            chosen.extend(provider.endpoint().filter(|name| !chosen.contains(name)));
        }
        let named = |names: &[&EndpointName]| {
            let names: Vec<_> = names.iter().map(|name| format!("`http:{name}`")).collect();
            names.join(" and ")
        };
        match server {
            _ if chosen.is_empty() => None,
            Err(why) => Some(format!(
                "Whether a server offers {} was not checked: {why}.",
                named(&chosen)
            )),
            Ok(models) => {
                chosen.retain(|name| {
                    let endpoint = models.endpoint(name.as_str());
                    endpoint.is_some_and(|endpoint| !endpoint.repositories.is_empty())
                });
                (self.against.repository.is_none() && !chosen.is_empty()).then(|| {
                    format!(
                        "{} is for some repositories only; whether for this one was not checked: name it with --repository.",
                        named(&chosen)
                    )
                })
            }
        }
    }
}

/// A file's mistakes, each with its place.
pub(super) fn mistaken(file: &Path, mistakes: &[ConfigError]) -> Refusal {
    let file = file.display();
    let place = |mistake: &ConfigError| format!("{file}:{}:{}: {}", mistake.line, mistake.column, mistake.message);
    let data = serde_json::json!({ "file": file.to_string(), "mistakes": mistakes });
    Refusal::mistakes(mistakes.iter().map(place).collect(), data)
}
