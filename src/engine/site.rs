//! Where an engine's workflows live: on GitHub, or in a project's folder. Everything that is asked of the one or the
//! other on behalf of an agent goes through here.

use super::folder::Folder;
use super::readers::Readers;
use super::{Engine, LONGEST_REST, Trouble};
use crate::agents::Thread;
use crate::config::RepositoryConfig;
use crate::github::{GitHub, Repo};
use crate::store::Write;
use crate::store::effects::LeasedEffect;
use crate::store::workflows::Stored;
use crate::workflow::ids::PhaseId;

/// Where an engine's workflows live.
pub enum Site {
    /// On GitHub: issues and pull requests of the App's installations.
    GitHub(GitHub),
    /// In one project's folder, for the operator's terminal.
    Folder(Folder),
}

/// Where the facts of an agent's run come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A repository on GitHub.
    Repository(&'a Repo),
    /// A project's folder.
    Folder(&'a Folder),
}

/// What a run of an agent works with.
pub(super) struct Job<'a> {
    pub(super) effect: &'a LeasedEffect,
    pub(super) source: Source<'a>,
    /// `owner/name`, or the folder's name.
    pub(super) full_name: &'a str,
}

impl Engine {
    /// GitHub, where this engine's workflows live there.
    pub(super) fn github(&self) -> Result<&GitHub, Trouble> {
        match &self.parts().site {
            Site::GitHub(github) => Ok(github),
            Site::Folder(_) => Err(Trouble::Never("this is a folder: there is no GitHub here".to_owned())),
        }
    }

    /// The settings under which an agent runs.
    pub(super) async fn config_for(&self, job: &Job<'_>) -> Result<RepositoryConfig, Trouble> {
        match job.source {
            Source::Repository(repo) => {
                let (_, known) = self.repo(job.effect.repository).await?;
                match self.settings(repo, &known).await {
                    Ok(settings) => Ok(settings.config),
                    // It can be mended, and the run goes on then.
                    Err(Trouble::Never(why)) => Err(Trouble::Parked {
                        until: self.now() + LONGEST_REST,
                        why,
                        beside: Write::new(),
                    }),
                    Err(trouble) => Err(trouble),
                }
            }
            // What the operator chose stands in the workflow's definition since it started.
            Source::Folder(_) => Ok(RepositoryConfig::default()),
        }
    }

    /// What people wrote, as an agent may read it.
    pub(super) async fn thread_for(
        &self,
        source: Source<'_>,
        stored: &Stored,
        phase: &PhaseId,
        (config, readers): (&RepositoryConfig, Readers),
    ) -> Result<Thread, Trouble> {
        match source {
            Source::Repository(repo) => self.gather_thread(repo, stored, phase, config, readers).await,
            Source::Folder(folder) => self.thread_in(folder, &stored.state, phase),
        }
    }

    /// The text of a file of the repository or the project; `None` where there is none.
    pub(super) async fn text_at(&self, source: Source<'_>, path: &str) -> Result<Option<String>, Trouble> {
        match source {
            Source::Repository(repo) => {
                let file = repo.file(path).await.map_err(|error| self.trouble(&error, 1))?;
                Ok(file.map(|file| file.text))
            }
            Source::Folder(folder) => folder.text_of(path).map_err(Trouble::Never),
        }
    }
}
