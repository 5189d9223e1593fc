//! Guidelines of a repository: which file a prompt was made with, and what came of reading it. The fact alone stands in
//! the history; the text lives with the run, so that it can be erased.

use serde::{Deserialize, Serialize};

use super::definition::{Definition, Phase};
use super::ids::{Digest, PhaseId};
use super::state::State;

/// The file that was read for a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guidelines {
    /// Its path, from the root of the repository or of the project.
    pub path: String,
    /// The commit of the default branch at which it was read; none in a project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What came of it.
    pub found: Found,
    /// What an earlier prompt of the workflow was made with, where that was another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Former>,
}

/// What came of reading a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The prompt holds its text.
    Given(Text),
    /// The prompt holds nothing of it.
    LeftOut(Unfit),
}

/// A text that a prompt holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// SHA-256 of the file, whole as it was read.
    pub sha256: Digest,
    /// How many bytes the file has.
    pub bytes: u64,
    /// How many of them, from its beginning, the prompt was made with, where not all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// Git's name of the blob, as GitHub tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// Why a file's text is not in a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// There is no such file: the repository names it, or an earlier prompt was made with it.
    Missing,
    /// A reader sees nothing in it.
    Empty,
    /// It is a folder.
    Folder,
    /// It is a symbolic link that leads to no file of the repository or project.
    Link,
    /// It is a submodule.
    Submodule,
    /// It is not text in UTF-8.
    NotText,
    /// It is larger than what can be read.
    TooLarge,
    /// It holds what must not leave.
    Withheld {
        /// What, by its kind.
        holds: String,
        /// In which line, from 1, where it is in one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
    },
    /// The configuration turns guidelines off.
    Off,
}

/// A text that an earlier prompt was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The path of its file.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

impl Guidelines {
    /// The text that the prompt holds, if it holds one.
    pub fn text(&self) -> Option<&Text> {
        match &self.found {
            Found::Given(text) => Some(text),
            Found::LeftOut(_) => None,
        }
    }

    /// The same, said against what the workflow's last prompt was made with.
    #[must_use]
    pub fn after(mut self, last: Option<&Self>) -> Self {
        let former = last.and_then(|last| {
            let sha256 = last.text()?.sha256;
            let path = last.path.clone();
            Some(Former { path, sha256 })
        });
        let same = |former: &Former| {
            let now = self.text().map(|text| text.sha256);
            now == Some(former.sha256) && former.path == self.path
        };
        self.instead_of = former.filter(|former| !same(former));
        self
    }

    fn is_like(&self, other: &Self) -> bool {
        (&self.path, &self.commit, &self.found) == (&other.path, &other.commit, &other.found)
    }
}

impl Phase {
    /// Whether its prompt is made with the guidelines that its definition names: it asks for something to be written.
    pub fn takes_guidelines(&self) -> bool {
        self.guidelines && self.prompt.is_some() && self.schema.is_some() && self.chooses.is_none()
    }
}

impl Definition {
    /// The files that a phase's guidelines are looked for in, the first that is there; none where it is given none.
    pub fn guidelines_of(&self, phase: &PhaseId) -> &[String] {
        match self.phase(phase) {
            Some(phase) if phase.takes_guidelines() => &self.guidelines,
            _ => &[],
        }
    }
}

impl State {
    /// What is recorded of the guidelines that a prompt of a phase was made with. What was said of them with the prompt is
    /// said again with its answer.
    pub(super) fn guided(&self, phase: &PhaseId, by: &Guidelines) -> Guidelines {
        match &self.at(phase).guidelines {
            Some(told) if told.is_like(by) => told.clone(),
            _ => by.clone().after(self.guidelines.as_ref()),
        }
    }
}
