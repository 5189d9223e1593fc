//! Which database a command looks into: the one setting that it needs.

use std::path::{Path, PathBuf};

use super::answer::Refusal;
use super::house;
use crate::config::{DatabaseUrl, Overrides};
use crate::engine::Folder;
use crate::store::workflows::WorkflowSummary;
use crate::store::{OpenError, SqliteError, Store};
use crate::workflow::ids::WorkflowId;

/// The flags that name the database.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Database {
    /// The server's configuration file (YAML)
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The server's database, such as `sqlite:countersign.sqlite` [env: COUNTERSIGN_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A project whose workflows are run from a terminal: its `.countersign` is looked into [default: the current
    /// directory, where no database is configured]
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    project_dir: Option<PathBuf>,
}

/// Whose database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// A server's.
    Servers(DatabaseUrl),
    /// A project's: its folder.
    Projects(PathBuf),
}

impl Database {
    /// To read, beside a running server or without one.
    pub(super) async fn reader(self) -> Result<Store, Refusal> {
        let url = self.address()?;
        Store::open_to_read(&url).await.map_err(|error| self.unusable(&error))
    }

    /// To leave a request for the server.
    pub(super) async fn outside_writer(self) -> Result<Store, Refusal> {
        match self.whose()? {
            Whose::Servers(url) => Store::open_to_ask(&url).await.map_err(|error| self.unusable(&error)),
            Whose::Projects(root) => Err(Refusal::failed(format!(
                "{} has no server that could be asked: its workflows are run from a terminal",
                root.display()
            ))),
        }
    }

    /// The database's address, whoever's it is.
    pub(super) fn address(&self) -> Result<DatabaseUrl, Refusal> {
        Ok(match self.whose()? {
            Whose::Servers(url) => url,
            Whose::Projects(root) => DatabaseUrl::Sqlite(Folder::database(&root)),
        })
    }

    /// Whether a project is named, or is meant because nothing else is.
    pub(super) fn whose(&self) -> Result<Whose, Refusal> {
        if let Some(root) = &self.project_dir {
            return project(root).map(Whose::Projects);
        }
        let here = Path::new(".");
        if !self.is_configured() && Folder::database(here).exists() {
            return project(here).map(Whose::Projects);
        }
        self.url().map(Whose::Servers)
    }

    /// Whether somebody said where a server's database is.
    pub(super) fn is_configured(&self) -> bool {
        let said = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.database_url.is_some() || self.config.is_some() || said("COUNTERSIGN_DATABASE_URL")
    }

    /// The project's folder as it was named; none where it is the current one.
    pub(super) fn named_project(&self) -> Option<&Path> {
        self.project_dir.as_deref()
    }

    fn unusable(&self, error: &OpenError) -> Refusal {
        match error {
            OpenError::Sqlite(SqliteError::Missing { .. }) if self.project_dir.is_some() || !self.is_configured() => Refusal::configuration(vec![
                error.to_string(),
                "where workflows are run from a terminal, `countersign run DEFINITION --project-dir DIR` starts one and \
                 `--project-dir DIR` names the project"
                    .to_owned(),
            ]),
            _ => Refusal::configuration(vec![error.to_string()]),
        }
    }

    fn url(&self) -> Result<DatabaseUrl, Refusal> {
        let overrides = Overrides {
            config: self.config.clone(),
            database_url: self.database_url.clone(),
            ..Overrides::default()
        };
        let sources = house::sources(&overrides);
        let found = sources.database();
        found.map_err(|problems| Refusal::configuration(problems.sentences().to_vec()))
    }
}

/// A project's folder, whole.
pub(super) fn project(root: &Path) -> Result<PathBuf, Refusal> {
    let refused = |why: &str| {
        Refusal::configuration(vec![format!(
            "the project directory {} {why}: name one with --project-dir",
            root.display()
        )])
    };
    match root.canonicalize() {
        Ok(whole) if whole.is_dir() => Ok(whole),
        Ok(_) => Err(refused("is not a directory")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(refused("does not exist")),
        Err(error) => Err(refused(&format!("cannot be opened ({error})"))),
    }
}

/// The workflow that is meant: the one named, else the only open one, else, where `or_last`, the last that changed.
pub(super) async fn meant(store: &Store, named: Option<String>, or_last: bool) -> Result<WorkflowId, Refusal> {
    if let Some(named) = named {
        return Ok(WorkflowId::from(named));
    }
    let open = store.list_workflows(true, u32::MAX).await?;
    match open.as_slice() {
        [one] => Ok(WorkflowId::from(one.id.as_str())),
        [] => {
            let last = store.list_workflows(false, 1).await?;
            match last.first().filter(|_| or_last) {
                Some(last) => Ok(WorkflowId::from(last.id.as_str())),
                None => Err(Refusal::failed(
                    "no workflow is open: `countersign run DEFINITION` starts one, `countersign list --all` shows those \
                     that have ended",
                )),
            }
        }
        several => Err(Refusal::failed(format!(
            "{} workflows are open, so name one: {}",
            several.len(),
            several.iter().map(short).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn short(workflow: &WorkflowSummary) -> String {
    match workflow.repository.contains('/') {
        true => format!(
            "{} ({} on {}#{})",
            workflow.id, workflow.definition, workflow.repository, workflow.subject
        ),
        false => format!("{} ({})", workflow.id, workflow.definition),
    }
}
