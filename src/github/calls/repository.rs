//! The repository itself and its files.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;

use crate::github::client::{Installation, Repo, missing};
use crate::github::codeowners::{self, CodeOwners};
use crate::github::error::{GithubError, Refusal};
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

/// What stands at a path on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPath {
    /// A text file, or a link to one that GitHub followed.
    File(RepoFile),
    /// A folder.
    Folder,
    /// A symbolic link that leads to no file of the repository: those that do, GitHub follows
    /// (<https://docs.github.com/rest/repos/contents#get-repository-content>).
    Link,
    /// A submodule.
    Submodule,
    /// A file over 1 MB, of which GitHub gives no content.
    TooLarge,
    /// A file that is not UTF-8.
    NotText,
}

impl AtPath {
    /// The file; else what is to be said of it.
    fn file(self, path: &str) -> Result<RepoFile, GithubError> {
        let what = match self {
            Self::File(file) => return Ok(file),
            Self::Folder | Self::Link | Self::Submodule | Self::TooLarge => "is no file of at most 1 MB",
            Self::NotText => "is not UTF-8",
        };
        Err(GithubError::Unusable(format!("{path} {what}")))
    }
}

/// A commit, as far as it is read.
#[derive(Deserialize)]
struct WireCommit {
    sha: Option<String>,
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
        let found = self.found(path, route).await?;
        found.map(|found| found.file(path)).transpose()
    }

    /// What stands at a path on a commit; `None` where nothing does.
    pub async fn at_path(&self, path: &str, sha: &str) -> Result<Option<AtPath>, GithubError> {
        self.found(path, self.at(Operation::Contents, &[&path])?.with("ref", sha))
            .await
    }

    async fn found(&self, path: &str, route: Route) -> Result<Option<AtPath>, GithubError> {
        let found: Value = match self.caller.get(&route).await {
            Ok(answer) => answer.json()?,
            Err(GithubError::NotFound(_)) => return Ok(None),
            // Over 100 MB the whole call is refused.
            Err(GithubError::Forbidden {
                reason: Refusal::TooLarge,
                ..
            }) => return Ok(Some(AtPath::TooLarge)),
            Err(error) => return Err(error),
        };
        let malformed = |reason: &str| GithubError::Malformed(format!("{path} {reason}"));
        let part = |name: &str| found.get(name).and_then(Value::as_str);
        match (found.is_array(), part("type"), part("encoding")) {
            (true, ..) => return Ok(Some(AtPath::Folder)),
            (false, Some("symlink"), _) => return Ok(Some(AtPath::Link)),
            (false, Some("submodule"), _) => return Ok(Some(AtPath::Submodule)),
            (false, _, Some("base64")) => {}
            (false, Some(_), _) => return Ok(Some(AtPath::TooLarge)),
            (false, None, _) => return Err(malformed("is neither a file nor a folder")),
        }
        let content: String = part("content").unwrap_or_default().split_whitespace().collect();
        let bytes = BASE64
            .decode(content.as_bytes())
            .map_err(|_| malformed("is no base64"))?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Ok(Some(AtPath::NotText));
        };
        Ok(Some(AtPath::File(RepoFile {
            text,
            sha: part("sha").ok_or_else(|| missing("sha"))?.to_owned(),
        })))
    }

    /// The commit at the end of the default branch; `None` where the repository has none yet.
    pub async fn last_commit(&self) -> Result<Option<String>, GithubError> {
        // Without `sha` GitHub lists the default branch.
        let answer = match self
            .caller
            .get(&self.at(Operation::Commits, &[])?.with("per_page", 1))
            .await
        {
            Ok(answer) => answer,
            // "Git Repository is empty."
            Err(GithubError::Conflict(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let commits: Vec<WireCommit> = answer.json()?;
        let first = commits.into_iter().next();
        let commit = first.map(|commit| commit.sha.ok_or_else(|| missing("sha")));
        commit.transpose()
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
