//! Databases on the disk of the build, both with commits that are synced.

use std::fs;
use std::path::PathBuf;

use countersign::config::DatabaseUrl;
use tempfile::TempDir;

use super::Failure;

#[path = "../../tests/postgres/cluster.rs"]
mod cluster;
use cluster::{Cluster, Database};

/// What keeps a bench's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Sqlite,
    Postgres,
}

impl Base {
    /// For the arguments.
    pub const ALL: [(&'static str, Self); 2] = [("sqlite", Self::Sqlite), ("postgres", Self::Postgres)];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Where databases are made.
pub struct Ground {
    /// On the disk of the build: a directory in memory would make syncing free.
    directory: TempDir,
    cluster: Option<Cluster>,
}

impl Ground {
    /// For these databases.
    pub fn new(bases: &[Base]) -> Result<Self, Failure> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let cluster = bases
            .contains(&Base::Postgres)
            .then(|| Cluster::synced(env!("CARGO_TARGET_TMPDIR").as_ref()));
        Ok(Self { directory, cluster })
    }

    /// Whether this process was started to look after another one's cluster; then that was all it had to do.
    pub fn watched() -> bool {
        cluster::watches()
    }

    /// An empty database.
    pub fn fresh(&self, base: Base) -> Result<Place, Failure> {
        Ok(match (base, &self.cluster) {
            (Base::Sqlite, _) => Place::Sqlite(tempfile::tempdir_in(self.directory.path())?),
            (Base::Postgres, Some(cluster)) => Place::Postgres(cluster.only_database()),
            (Base::Postgres, None) => return Err("no cluster was started".into()),
        })
    }
}

/// One database, which goes with this.
pub enum Place {
    Sqlite(TempDir),
    Postgres(Database),
}

impl Place {
    fn file(directory: &TempDir) -> PathBuf {
        directory.path().join("bench.sqlite")
    }

    /// As the server's settings name it.
    pub fn setting(&self) -> String {
        match self {
            Self::Sqlite(directory) => format!("sqlite:{}", Self::file(directory).display()),
            Self::Postgres(database) => database.url(),
        }
    }

    pub fn url(&self) -> Result<DatabaseUrl, Failure> {
        self.setting().parse().map_err(|wrong| format!("{wrong:?}").into())
    }

    /// What it takes on the disk, once its store is closed.
    pub fn bytes(&self) -> Result<u64, Failure> {
        Ok(match self {
            Self::Sqlite(directory) => fs::metadata(Self::file(directory))?.len(),
            Self::Postgres(database) => database
                .ask("SELECT pg_database_size(current_database())")
                .trim()
                .parse()?,
        })
    }

    /// Brings everything to rest, so that a measurement does not pay for what was before it.
    pub fn settle(&self) {
        if let Self::Postgres(database) = self {
            database.ask("VACUUM ANALYZE");
            database.ask("CHECKPOINT");
        }
    }
}
