//! The part `approval` of a repository's file: what every gate of people asks for beyond its definition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{ConfigError, Document};
use crate::workflow::gate::{Candidate, Excluded, Quorum, Tightening};

/// What every approval needs here beyond what the workflow asks for. It can only ask for more, never for less.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileApproval {
    /// How many different people must approve; or, in one line, of whom: 2 of @org/team.
    #[schemars(extend("examples" = [2, "2 of @org/team"]))]
    quorum: Option<FileQuorum>,
    /// Whose approval counts: teams (@org/team) and people (@login). Everybody's who may approve, when it is empty.
    #[schemars(length(max = 20))]
    of: Vec<String>,
    /// Whether an owner (CODEOWNERS) of each touched file must be among those who approve.
    code_owners: bool,
    /// Whose approval does not count.
    exclude: Vec<FileExcluded>,
    /// Whether people must approve too what a workflow leaves to a model (`ai`) or to checks alone.
    people: bool,
}

// Without text on its parts, so that a mistake is answered with the words that may stand there.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileExcluded {
    Starter,
    Author,
    Steerers,
}

impl From<FileExcluded> for Excluded {
    fn from(excluded: FileExcluded) -> Self {
        match excluded {
            FileExcluded::Starter => Self::Starter,
            FileExcluded::Author => Self::Author,
            FileExcluded::Steerers => Self::Steerers,
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FileQuorum {
    Count(u32),
    Words(String),
}

impl FileApproval {
    /// What it asks for. Each mistake is pushed with its place.
    pub fn read(&self, document: &Document, mistakes: &mut Vec<ConfigError>) -> Tightening {
        let at = |key: &str| document.at(&["approval", key]);
        let mut quorum = match &self.quorum {
            None => Quorum {
                quorum: 1,
                of: Vec::new(),
            },
            Some(FileQuorum::Count(quorum)) => Quorum {
                quorum: *quorum,
                of: Vec::new(),
            },
            Some(FileQuorum::Words(text)) => match Quorum::parse(text) {
                Ok(quorum) => quorum,
                Err(mistake) => {
                    mistakes.push(at("quorum").error(mistake));
                    return Tightening::default();
                }
            },
        };
        for (index, name) in self.of.iter().enumerate() {
            let index = index.to_string();
            match name.parse::<Candidate>() {
                Ok(candidate) if quorum.of.contains(&candidate) => mistakes.push(
                    document
                        .at(&["approval", "of", &index])
                        .error(format!("{candidate} stands here twice; keep one of them")),
                ),
                Ok(candidate) => quorum.of.push(candidate),
                Err(mistake) => mistakes.push(document.at(&["approval", "of", &index]).error(mistake)),
            }
        }
        if let Some(mistake) = quorum.mistake() {
            mistakes.push(at("quorum").error(mistake));
        }
        let asks = quorum.quorum > 1 || !quorum.of.is_empty();
        Tightening {
            quorum: asks.then_some(quorum),
            code_owners: self.code_owners,
            exclude: self.exclude.iter().copied().map(Excluded::from).collect(),
            people: self.people,
        }
    }
}
