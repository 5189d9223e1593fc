//! What a repository asks of whoever works in it: read from its default branch at one commit, or from the project's folder,
//! when a prompt is made. The text goes into the prompt, the fact into the history.

use super::agent_run::Task;
use super::site::Source;
use super::{Engine, Trouble};
use crate::agents::Guide;
use crate::config::{GuidelinesFile, ProviderName};
use crate::github::AtPath;
use crate::workflow::guidelines::Unfit;

/// What stands at a path, wherever that is.
pub(super) enum There {
    /// A text, with Git's name of its blob where it has one.
    Text(String, Option<String>),
    /// Something that cannot be given.
    Unfit(Unfit),
}

impl From<AtPath> for There {
    fn from(found: AtPath) -> Self {
        match found {
            AtPath::File(file) => Self::Text(file.text, Some(file.sha)),
            AtPath::Folder => Self::Unfit(Unfit::Folder),
            AtPath::Link => Self::Unfit(Unfit::Link),
            AtPath::Submodule => Self::Unfit(Unfit::Submodule),
            AtPath::TooLarge => Self::Unfit(Unfit::TooLarge),
            AtPath::NotText => Self::Unfit(Unfit::NotText),
        }
    }
}

impl Engine {
    /// The guidelines that a phase's prompt is made with now: of the first file that is there. Nothing where the phase takes
    /// none, where nobody reads them, or where there are none and nobody expects any. What is left out is told in them.
    ///
    /// # Errors
    /// That it could not be checked: the prompt is made later then, and never without what could not be read.
    pub(super) async fn guide_for(&self, task: &Task<'_>) -> Result<Option<Guide>, Trouble> {
        let state = &task.stored.state;
        let named = state.definition.guidelines_of(task.phase);
        // Fixed rules read no prompt.
        if named.is_empty() || task.provider == ProviderName::Rules {
            return Ok(None);
        }
        // What an earlier prompt was made with is missed.
        let former = state.guidelines.as_ref().filter(|last| last.text().is_some());
        let most = task.config.limits.guidelines.min(self.parts().guidelines_bytes);
        let at = match &task.config.guidelines {
            _ if most == 0 => None,
            GuidelinesFile::Off => None,
            GuidelinesFile::At(path) => Some(std::slice::from_ref(path)),
            GuidelinesFile::AsDefined => Some(named),
        };
        let Some(paths) = at else {
            return Ok(former.map(|former| Guide::left_out(&former.path, None, Unfit::Off)));
        };
        let source = task.job.source;
        let commit = self.commit_of(source).await?;
        for path in paths {
            let there = match &commit {
                Pinned::Nowhere => None,
                Pinned::At(commit) => self.there_at(source, path, commit.as_deref()).await?,
            };
            let commit = commit.name();
            match there {
                Some(There::Text(text, blob)) => {
                    let read = (text.as_str(), blob.as_deref());
                    return Ok(Some(Guide::read(path, commit, read, most.into())));
                }
                Some(There::Unfit(why)) => return Ok(Some(Guide::left_out(path, commit, why))),
                None => {}
            }
        }
        let expected = match &task.config.guidelines {
            GuidelinesFile::At(path) => Some(path),
            GuidelinesFile::AsDefined | GuidelinesFile::Off => former.map(|former| &former.path),
        };
        Ok(expected.map(|path| Guide::left_out(path, commit.name(), Unfit::Missing)))
    }

    /// The commit that everything is read at.
    async fn commit_of(&self, source: Source<'_>) -> Result<Pinned, Trouble> {
        match source {
            Source::Repository(repo) => {
                let commit = repo.last_commit().await.map_err(|error| self.trouble(&error, 1))?;
                Ok(commit.map_or(Pinned::Nowhere, |commit| Pinned::At(Some(commit))))
            }
            Source::Folder(_) => Ok(Pinned::At(None)),
        }
    }

    async fn there_at(&self, source: Source<'_>, path: &str, commit: Option<&str>) -> Result<Option<There>, Trouble> {
        match (source, commit) {
            (Source::Repository(repo), Some(commit)) => {
                let found = repo.at_path(path, commit).await;
                let found = found.map_err(|error| self.trouble(&error, 1))?;
                Ok(found.map(There::from))
            }
            (Source::Folder(folder), _) => folder.there(path).map_err(Trouble::Never),
            (Source::Repository(_), None) => Ok(None),
        }
    }
}

/// Where something is read.
enum Pinned {
    /// At this commit, or in a folder, which has none.
    At(Option<String>),
    /// There is no commit yet.
    Nowhere,
}

impl Pinned {
    fn name(&self) -> Option<&str> {
        match self {
            Self::At(commit) => commit.as_deref(),
            Self::Nowhere => None,
        }
    }
}
