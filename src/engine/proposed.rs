//! What a pull request proposes for the configuration: judged and shown on its head, never put in force. The files are
//! data here: they are parsed, and nothing in them is followed.

use super::change::{Payload, Spot};
use super::definitions::is_definition_path;
use super::effects::{Ended, Work};
use super::settings::{CONFIG_PATH, parse_repository_config};
use super::{Engine, Trouble};
use crate::agents;
use crate::chat::say::replies as say;
use crate::config::ConfigError;
use crate::config::definition;
use crate::github::{Annotation, FinishedCheck, GithubError, Repo};
use crate::store::Write;
use crate::store::definitions::KeptDefinition;
use crate::store::repositories::Repository;
use crate::workflow::definition::Definition;
use crate::workflow::ids::IssueNumber;

/// The name of the check run.
const NAME: &str = "Countersign configuration";

/// How many definitions of one pull request are read.
const MOST_FILES: usize = 50;

/// A mistake of a proposed file.
struct Found {
    path: String,
    mistake: ConfigError,
}

impl Engine {
    /// Plans the check run where a pull request touches the configuration.
    pub(super) async fn look_at_proposal(
        &self,
        spot: Spot,
        known: &Repository,
        number: IssueNumber,
    ) -> Result<(), Trouble> {
        let repo = self.repo_of(known)?;
        let read = async {
            let touched = touched(&repo, number).await?;
            match touched.is_empty() {
                true => Ok(None),
                false => repo.pull_head(number).await.map(Some),
            }
        };
        let head = match read.await {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(()),
            Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
            // The check is a courtesy: what else the event means is not held up by it.
            Err(error) => {
                tracing::warn!(%error, pull = %number, "what a pull request proposes could not be read");
                return Ok(());
            }
        };
        let id = format!("configuration:{}:{number}:{}", spot.repository, head.sha);
        let check = Payload::CheckConfiguration { number, sha: head.sha };
        self.store()
            .write(Write::of(self.background(spot, &id, &check)?))
            .await?;
        self.wake();
        Ok(())
    }

    /// Judges what a head proposes, and shows it there once.
    pub(super) async fn check_proposal(
        &self,
        work: &Work<'_>,
        known: &Repository,
        number: IssueNumber,
        sha: &str,
    ) -> Result<Ended, Trouble> {
        let (effect, repo) = (work.effect, &work.repo);
        let id = effect.id.to_string();
        let failed = |error: GithubError| self.failed(&error, effect);
        if effect.doubt && repo.has_check(sha, NAME, &id).await.map_err(failed)? {
            return Ok(Ended::done("was there"));
        }
        if repo.pull_head(number).await.map_err(failed)?.sha != sha {
            return Ok(Ended::done("the pull request has another head by now"));
        }
        let paths = touched(repo, number).await.map_err(failed)?;
        let found = self.judge_proposal(repo, known, sha, &paths).await?;
        let annotations: Vec<Annotation> = found
            .iter()
            .map(|found| Annotation {
                path: found.path.clone(),
                line: found.mistake.line,
                column: found.mistake.column,
                message: found.mistake.message.clone(),
            })
            .collect();
        let mistakes: Vec<(&str, String)> = found
            .iter()
            .map(|found| (found.path.as_str(), found.mistake.to_string()))
            .collect();
        let (title, summary) = say::proposed_configuration(&paths, &mistakes);
        let check = FinishedCheck {
            name: NAME,
            sha,
            external_id: &id,
            passed: found.is_empty(),
            title: &title,
            summary: &summary,
            annotations: &annotations,
        };
        match repo.create_check(&check).await {
            Ok(()) => Ok(Ended::done(title)),
            // Installations from before the App asked for `checks: write` may not have it.
            Err(error @ GithubError::Forbidden { .. }) => {
                tracing::warn!(%error, "the check run of a proposed configuration cannot be shown");
                Ok(Ended::done(error.to_string()))
            }
            Err(error) => Err(self.failed(&error, effect)),
        }
    }

    async fn judge_proposal(
        &self,
        repo: &Repo,
        known: &Repository,
        sha: &str,
        paths: &[String],
    ) -> Result<Vec<Found>, Trouble> {
        let mut found = Vec::new();
        let configuration = self.proposed(repo, CONFIG_PATH, sha, &mut found).await?;
        let mut there: Vec<KeptDefinition> = self.store().definitions_of(known.id).await?;
        there.retain(|kept| !paths.contains(&kept.path));
        let names = agents::names();
        let mut read: Vec<(String, String, Definition)> = Vec::new();
        for path in paths.iter().filter(|path| is_definition_path(path)).take(MOST_FILES) {
            let Some(text) = self.proposed(repo, path, sha, &mut found).await? else {
                continue;
            };
            match definition::read(&text, &names, &self.names_in_files(&there)) {
                Ok(definition) => {
                    there.push(KeptDefinition {
                        path: path.clone(),
                        good: Some((definition.name.clone(), text.clone())),
                        sha: String::new(),
                        error: None,
                    });
                    read.push((path.clone(), text, definition));
                }
                Err(mistakes) => found.extend(mistakes.into_iter().map(|mistake| Found {
                    path: path.clone(),
                    mistake,
                })),
            }
        }
        let in_files = self.definitions_in_files(&there);
        let own = configuration
            .as_deref()
            .and_then(|text| parse_repository_config(text, None, None).ok());
        let own = own.map(|config| config.definitions).unwrap_or_default();
        let all = [in_files.as_slice(), &own].concat();
        for (path, text, definition) in &read {
            if !definition.has_children() {
                continue;
            }
            if let Err(mistakes) = definition::read_among(text, &names, &[], &all) {
                found.extend(mistakes.into_iter().map(|mistake| Found {
                    path: path.clone(),
                    mistake,
                }));
            }
        }
        if let Some(text) = configuration
            && let Err(mistakes) = self.parse(&text, known, &there, Some(&in_files))
        {
            found.extend(mistakes.into_iter().map(|mistake| Found {
                path: CONFIG_PATH.to_owned(),
                mistake,
            }));
        }
        Ok(found)
    }

    /// A file as the head has it. What is no text at all is a mistake of its first line.
    async fn proposed(
        &self,
        repo: &Repo,
        path: &str,
        sha: &str,
        found: &mut Vec<Found>,
    ) -> Result<Option<String>, Trouble> {
        match repo.file_at(path, sha).await {
            Ok(file) => Ok(file.map(|file| file.text)),
            Err(GithubError::Unusable(message)) => {
                found.push(Found {
                    path: path.to_owned(),
                    mistake: ConfigError {
                        line: 1,
                        column: 1,
                        message,
                    },
                });
                Ok(None)
            }
            Err(error) => Err(self.trouble(&error, 1)),
        }
    }
}

/// The files of the configuration that a pull request touches.
async fn touched(repo: &Repo, number: IssueNumber) -> Result<Vec<String>, GithubError> {
    let mut files = repo.pull_files(number).await?;
    files.retain(|path| path == CONFIG_PATH || is_definition_path(path));
    Ok(files)
}
