//! The repository itself and its files.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;

use crate::github::client::{Installation, Repo, missing};
use crate::github::codeowners::{self, CodeOwners};
use crate::github::error::GithubError;
use crate::github::operation::{Operation, Route};
use crate::github::types::RepositoryRef;
use crate::github::wire::WireRepository;

/// A repository as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryInfo {
    /// Its id and present name.
    pub reference: RepositoryRef,
    /// The branch that configuration is read from.
    pub default_branch: String,
    /// Whether it is read-only.
    pub archived: bool,
}

/// A text file as it stands on the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// The text.
    pub text: String,
    /// Git's SHA of the blob.
    pub sha: String,
}

/// A file of a folder, as the folder lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// The whole path.
    pub path: String,
    /// Git's SHA of the blob.
    pub sha: String,
}

/// A page of an installation's repositories.
#[derive(Debug, Clone, Deserialize)]
struct WireReached {
    repositories: Option<Vec<WireRepository>>,
}

/// How many pages of repositories are read: an installation of ten thousand is read whole.
const PAGES: u32 = 100;

impl Installation {
    /// Every repository that the installation reaches, by its present name.
    pub async fn repositories(&self) -> Result<Vec<RepositoryRef>, GithubError> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let route = Operation::Repositories.at(&[])?.with("per_page", 100);
            let answer = self.0.get(&route.with("page", page)).await?;
            let reached: WireReached = answer.json()?;
            for wire in reached.repositories.ok_or_else(|| missing("repositories"))? {
                all.push(wire.read().map_err(missing)?);
            }
            if answer.link("next").is_none() {
                return Ok(all);
            }
        }
        Err(GithubError::Malformed(
            "the list of repositories is too long to be read".to_owned(),
        ))
    }
}

impl Repo {
    /// The repository as it is now. Its id may differ from the handle's: the old name may belong to another.
    pub async fn repository(&self) -> Result<RepositoryInfo, GithubError> {
        let mut wire: WireRepository = self.caller.get(&self.at(Operation::Repository, &[])?).await?.json()?;
        Ok(RepositoryInfo {
            default_branch: wire.default_branch.take().ok_or_else(|| missing("default_branch"))?,
            archived: wire.archived.unwrap_or(false),
            reference: wire.read().map_err(missing)?,
        })
    }

    /// A text file on the default branch, or `None` where there is none.
    ///
    /// # Errors
    /// `Unusable` for a directory, for a file over 1 MB (GitHub gives no content) and for one that is not UTF-8.
    pub async fn file(&self, path: &str) -> Result<Option<RepoFile>, GithubError> {
        self.file_by(path, self.at(Operation::Contents, &[&path])?).await
    }

    /// The same on a commit.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub async fn file_at(&self, path: &str, sha: &str) -> Result<Option<RepoFile>, GithubError> {
        self.file_by(path, self.at(Operation::Contents, &[&path])?.with("ref", sha))
            .await
    }

    async fn file_by(&self, path: &str, route: Route) -> Result<Option<RepoFile>, GithubError> {
        let file: Value = match self.caller.get(&route).await {
            Ok(answer) => answer.json()?,
            Err(GithubError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let malformed = |reason: &str| GithubError::Malformed(format!("{path} {reason}"));
        let unusable = |reason: &str| GithubError::Unusable(format!("{path} {reason}"));
        let part = |name: &str| file.get(name).and_then(Value::as_str);
        if part("encoding") != Some("base64") {
            // A folder is listed, and all else has a type.
            return Err(match file.is_array() || part("type").is_some() {
                true => unusable("is no file of at most 1 MB"),
                false => malformed("is neither a file nor a folder"),
            });
        }
        let content: String = part("content").unwrap_or_default().split_whitespace().collect();
        let bytes = BASE64
            .decode(content.as_bytes())
            .map_err(|_| malformed("is no base64"))?;
        Ok(Some(RepoFile {
            text: String::from_utf8(bytes).map_err(|_| unusable("is not UTF-8"))?,
            sha: part("sha").ok_or_else(|| missing("sha"))?.to_owned(),
        }))
    }

    /// The files of a folder on the default branch, without those of folders below it; none where there is no folder.
    /// GitHub lists at most 1,000.
    pub async fn files_in(&self, path: &str) -> Result<Vec<ListedFile>, GithubError> {
        let route = self.at(Operation::Contents, &[&path])?;
        let listed: Value = match self.caller.get(&route).await {
            Ok(answer) => answer.json()?,
            Err(GithubError::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let entries = match listed {
            Value::Array(entries) => entries,
            // Under this name there is a file, a link or another repository.
            Value::Object(other) if other.contains_key("type") => return Ok(Vec::new()),
            _ => return Err(GithubError::Malformed(format!("{path} is neither a folder nor a file"))),
        };
        let files = entries.iter().filter(|entry| entry["type"] == "file");
        files
            .map(|entry| {
                let part = |name: &'static str| {
                    let text = entry.get(name).and_then(Value::as_str);
                    text.map(str::to_owned).ok_or_else(|| missing(name))
                };
                Ok(ListedFile {
                    path: part("path")?,
                    sha: part("sha")?,
                })
            })
            .collect()
    }

    /// The CODEOWNERS of the default branch, from the first place that has one; `None` where none does.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub async fn code_owners(&self) -> Result<Option<CodeOwners>, GithubError> {
        for path in codeowners::PATHS {
            if let Some(file) = self.file(path).await? {
                return Ok(Some(CodeOwners::parse(&file.text)));
            }
        }
        Ok(None)
    }
}
