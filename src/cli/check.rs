//! `countersign check FILE`: every mistake of a repository's configuration, where it stands.

use std::path::PathBuf;

use super::answer::{Answer, Refusal};
use crate::engine::check_repository_config;

/// Which file.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// A repository's configuration, such as .github/countersign.yml
    file: PathBuf,
}

impl Check {
    /// Answers that the file is good, or with its mistakes.
    pub(super) fn run(self) -> Result<Answer, Refusal> {
        let file = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Refusal::failed(format!("{file} cannot be read: {error}")))?;
        let checked = check_repository_config(&text).map_err(Refusal::failed)?;
        match checked {
            Ok(_) => Ok(Answer::new(
                serde_json::json!({ "file": file.to_string(), "mistakes": [] }),
                format!("{file} is good.\n"),
            )),
            Err(mistakes) => {
                let sentences = mistakes
                    .iter()
                    .map(|mistake| format!("{file}:{}:{}: {}", mistake.line, mistake.column, mistake.message))
                    .collect();
                let data = serde_json::json!({ "file": file.to_string(), "mistakes": mistakes });
                Err(Refusal::mistakes(sentences, data))
            }
        }
    }
}
