//! Whether people could ever meet the quorums of a file: asked of GitHub where the App's credentials are at hand, and
//! said aloud where they are not.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::answer::Refusal;
use super::house::{self, machine_clock};
use crate::config::quorums::Asked;
use crate::config::{ConfigError, Overrides};
use crate::engine::Rosters;
use crate::github::{Limits, Repo, RepositoryRef};
use crate::workflow::gate::Candidate;
use crate::workflow::ids::RepositoryId;

/// For which repository, and by which server's settings.
#[derive(Debug, clap::Args)]
pub(super) struct Against {
    /// The server's configuration file (YAML): the model endpoints that the file may name, and the App by which teams are
    /// looked up
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The repository that the file is for: whether the server offers it the endpoints is checked, too, and, with the App's
    /// credentials, its teams
    #[arg(long, value_name = "OWNER/NAME")]
    pub(super) repository: Option<String>,
}

/// What came of asking.
pub(super) enum Looked {
    /// Each can be met, or there is nothing to ask.
    Good,
    /// Why some cannot.
    Wrong(Vec<ConfigError>),
    /// What was not looked at, and why.
    NotChecked(String),
}

impl Against {
    /// Whether what was named can be looked at: a file that does not exist, or a repository that is none, is a slip.
    pub(super) fn usable(&self) -> Result<(), Refusal> {
        if let Some(config) = self.config.as_ref().filter(|config| !config.exists()) {
            return Err(Refusal::usage(format!(
                "{} (--config, or COUNTERSIGN_CONFIG): there is no such file",
                config.display()
            )));
        }
        let is_named = |named: &str| {
            let parts: Vec<&str> = named.split('/').collect();
            parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
        };
        match self.repository.as_deref().filter(|named| !is_named(named)) {
            Some(named) => Err(Refusal::usage(format!(
                "--repository {named}: write the owner and the name, such as acme/shop"
            ))),
            None => Ok(()),
        }
    }

    /// Asks GitHub whether each of these can be met.
    pub(super) async fn look(&self, all: &[Asked]) -> Looked {
        let teams = teams(all);
        if teams.is_empty() {
            return Looked::Good;
        }
        let repo = match self.repo().await {
            Ok(repo) => repo,
            Err(why) => return not_checked(&teams, &why),
        };
        let mut rosters = Rosters::default();
        let mut mistakes = Vec::new();
        for asked in all {
            match rosters.refusal(&repo, &asked.quorum).await {
                Ok(None) => {}
                Ok(Some(mistake)) => mistakes.push(asked.mistake(mistake)),
                Err(error) => return not_checked(&teams, &format!("GitHub could not be asked ({error})")),
            }
        }
        match mistakes.is_empty() {
            true => Looked::Good,
            false => Looked::Wrong(mistakes),
        }
    }

    /// The repository, as the App sees it.
    async fn repo(&self) -> Result<Repo, String> {
        let overrides = Overrides {
            config: self.config.clone(),
            ..Overrides::default()
        };
        let sources = house::sources(&overrides);
        let app = sources.app().map_err(|problems| problems.sentences().join("; "))?;
        let named = self.repository.as_deref();
        let (owner, name) = named
            .and_then(|named| named.split_once('/'))
            .ok_or("no repository is named (--repository OWNER/NAME)")?;
        let github = house::github(&app, machine_clock(), Limits::default())?;
        let found = github.app().installation_of(owner, name).await;
        let installation = found.map_err(|error| format!("GitHub could not be asked ({error})"))?;
        let installation = installation.ok_or_else(|| format!("the App is not installed on {owner}/{name}"))?;
        Ok(github.installation(installation.id).repository(&RepositoryRef {
            id: RepositoryId(0),
            owner: owner.to_owned(),
            owner_id: None,
            name: name.to_owned(),
            private: true,
        }))
    }
}

/// Every team that is named, as it is written.
fn teams(all: &[Asked]) -> BTreeSet<String> {
    let named = all.iter().flat_map(|asked| &asked.quorum.of);
    named
        .filter(|candidate| matches!(candidate, Candidate::Team(_)))
        .map(|team| format!("`{team}`"))
        .collect()
}

fn not_checked(teams: &BTreeSet<String>, why: &str) -> Looked {
    let teams: Vec<&str> = teams.iter().map(String::as_str).collect();
    Looked::NotChecked(format!(
        "Whether {} {} large enough was not checked: {}. A server asks GitHub when a workflow starts.",
        teams.join(" and "),
        if teams.len() == 1 {
            "exists and is"
        } else {
            "exist and are"
        },
        why.trim_end_matches('.')
    ))
}
