//! The definitions that repositories bring.

use super::deliveries::micros;
use super::{Row, Statement, Store, StoreError};
use crate::values;
use crate::workflow::ids::RepositoryId;
use crate::workflow::state::Timestamp;

/// A file with a definition, as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDefinition {
    /// Where it lies on the default branch.
    pub path: String,
    /// The last good one: its name, and its text as it was written.
    pub good: Option<(String, String)>,
    /// Git's SHA of the newest one.
    pub sha: String,
    /// What is wrong with the newest one.
    pub error: Option<String>,
}

impl Store {
    /// The definitions that a repository brings, by path.
    pub async fn definitions_of(&self, repository: RepositoryId) -> Result<Vec<KeptDefinition>, StoreError> {
        const ALL: &str = "SELECT path, name, text, sha, error FROM definitions WHERE repository_id = $1 ORDER BY path";
        let rows = self.read(ALL, values![repository]).await?;
        rows.iter().map(kept).collect()
    }
}

/// The statement that keeps a file that was read.
pub fn keep_definition(repository: RepositoryId, file: &KeptDefinition, now: Timestamp) -> Statement {
    let name = file.good.as_ref().map(|(name, _)| name.as_str());
    let text = file.good.as_ref().map(|(_, text)| text.as_str());
    Statement::new(
        "INSERT INTO definitions (repository_id, path, name, text, sha, checked, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (repository_id, path) DO UPDATE SET name = $3, text = $4, sha = $5, checked = $6, error = $7",
        values![
            repository,
            file.path.as_str(),
            name,
            text,
            file.sha.as_str(),
            micros(now),
            file.error.as_deref()
        ],
    )
}

/// The statement that forgets a file that is no longer there.
pub fn forget_definition(repository: RepositoryId, path: &str) -> Statement {
    Statement::new(
        "DELETE FROM definitions WHERE repository_id = $1 AND path = $2",
        values![repository, path],
    )
}

fn kept(row: &Row) -> Result<KeptDefinition, StoreError> {
    let good = row.opt_text("name")?.zip(row.opt_text("text")?);
    Ok(KeptDefinition {
        path: row.text("path")?.to_owned(),
        good: good.map(|(name, text)| (name.to_owned(), text.to_owned())),
        sha: row.text("sha")?.to_owned(),
        error: row.opt_text("error")?.map(str::to_owned),
    })
}
