//! The one door to the database, and the only room that holds SQL.
//!
//! Operations say what they mean as a [`Write`] (statements with values and the rows that they must hit) or as one
//! reading statement; the back end keeps a write whole or not at all. SQLite and PostgreSQL are two back ends under the
//! same operations and the same statements.

mod begun;
pub mod calls;
pub mod change;
mod clocks;
#[cfg(test)]
mod conformance;
pub mod counters;
pub mod definitions;
pub mod deliveries;
#[cfg(test)]
mod differential;
pub mod duties;
pub mod effects;
pub mod fork;
pub mod history;
pub mod kept;
pub mod mails;
pub mod missed;
mod packed;
mod postgres;
mod progress;
pub mod repair;
pub mod repositories;
mod restored;
pub mod retention;
pub mod runs;
pub mod spent;
mod sqlite;
pub mod workflows;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::config::DatabaseUrl;
pub use postgres::{OpenError as PostgresError, Postgres};
pub use restored::Doubted;
pub use sqlite::{BackupError, OpenError as SqliteError, Restored, Restoring, Sqlite};
pub use write::{Column, Hits, Row, Statement, StoreError, Value, Write};

/// The database, shared by everything that needs it. A clone is the same store.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    begun: Arc<begun::Begun>,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

/// Why a database was not opened: one sentence that says what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A SQLite file.
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    /// A PostgreSQL database.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl OpenError {
    /// The schema of a database that the next server migrates; 0 where it has none yet.
    pub fn older_schema(&self) -> Option<i64> {
        match self {
            Self::Sqlite(SqliteError::Older { found, .. }) | Self::Postgres(PostgresError::Older { found, .. }) => {
                Some(*found)
            }
            _ => None,
        }
    }
}

impl From<Sqlite> for Store {
    fn from(sqlite: Sqlite) -> Self {
        Self {
            backend: Backend::Sqlite(Arc::new(sqlite)),
            begun: Arc::default(),
        }
    }
}

impl From<Postgres> for Store {
    fn from(postgres: Postgres) -> Self {
        Self {
            backend: Backend::Postgres(Arc::new(postgres)),
            begun: Arc::default(),
        }
    }
}

impl Store {
    /// The store of a server: see [`Sqlite::serve`] and [`Postgres::serve`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Sqlite::serve(path)?.into(),
            DatabaseUrl::Postgres(url) => Postgres::serve(url).await?.into(),
        })
    }

    /// Writes a SQLite database into a new file, whole and as it is at one moment, while a server may go on writing.
    ///
    /// # Errors
    /// See [`BackupError`]; no file is left then.
    pub fn back_up(path: &Path, into: &Path) -> Result<(), BackupError> {
        Sqlite::back_up(path, into)
    }

    /// Makes a backup ready to be put in a SQLite database's place, with every open effect in doubt.
    ///
    /// # Errors
    /// See [`BackupError`]; a database that a server has open is [`OpenError::InUse`].
    pub fn restore(path: &Path, from: &Path) -> Result<Restoring, BackupError> {
        Sqlite::restore(path, from)
    }

    /// Whether the server could be started on it: looks, makes and migrates nothing, and lets go.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn try_open(url: &DatabaseUrl) -> Result<(), OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => Sqlite::try_serve(path)?,
            DatabaseUrl::Postgres(url) => Postgres::try_serve(url).await?,
        }
        Ok(())
    }

    /// A store that only reads, beside servers or without one: see [`Sqlite::read_only`] and [`Postgres::read_only`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_to_read(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Sqlite::read_only(path)?.into(),
            DatabaseUrl::Postgres(url) => Postgres::read_only(url).await?.into(),
        })
    }

    /// The store of a command beside the server: see [`Sqlite::outside_writer`] and [`Postgres::outside_writer`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_to_ask(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Sqlite::outside_writer(path)?.into(),
            DatabaseUrl::Postgres(url) => Postgres::outside_writer(url).await?.into(),
        })
    }

    /// The store of the one server of a SQLite file: see [`Sqlite::serve`].
    ///
    /// # Errors
    /// See [`SqliteError`].
    pub fn serve(path: &Path) -> Result<Self, SqliteError> {
        Sqlite::serve(path).map(Self::from)
    }

    /// A store that only reads a SQLite file: see [`Sqlite::read_only`].
    ///
    /// # Errors
    /// See [`SqliteError`].
    pub fn read_only(path: &Path) -> Result<Self, SqliteError> {
        Sqlite::read_only(path).map(Self::from)
    }

    /// Whether this process alone serves the database: what a dead one held is free at once then, and with others only
    /// when its leases have ended.
    pub fn alone(&self) -> bool {
        matches!(self.backend, Backend::Sqlite(_))
    }

    /// Whether a server is connected to a database that several may use. A file's one server is known by its lock.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn is_served(&self) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(false),
            Backend::Postgres(postgres) => postgres.is_served().await,
        }
    }

    /// Whether work may be taken now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while this machine's clock disagrees with the one of a database that others use, too.
    pub fn may_claim(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => postgres.may_claim(),
        }
    }

    /// Waits until another process on the same database says that there may be work. It may be wrong, and it may be
    /// missed: whoever waits looks for itself, too. On a database that no other server uses it waits for ever.
    pub async fn hinted(&self) {
        match &self.backend {
            Backend::Sqlite(_) => std::future::pending().await,
            Backend::Postgres(postgres) => postgres.hinted().await,
        }
    }

    /// Does all of the write or nothing of it, and answers when it is on disk: the rows that each statement returned.
    ///
    /// Dropping the future does not call the write back: once it is queued it is done. Whoever must know the outcome
    /// awaits it in a task of its own.
    ///
    /// # Errors
    /// Every [`StoreError`]; in each case nothing of the write was kept, and no other write was touched. The one exception
    /// is told in [`StoreError::Unavailable`].
    pub async fn write(&self, write: Write) -> Result<Vec<Vec<Row>>, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(write).await,
            Backend::Postgres(postgres) => postgres.write(write).await,
        }
    }

    /// Answers one reading statement. What was written before it was asked is seen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Broken`].
    pub async fn read(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(sql, values).await,
            Backend::Postgres(postgres) => postgres.read(sql, values).await,
        }
    }

    /// How many commits changed something since this store was opened.
    pub fn commits(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.commits(),
            Backend::Postgres(postgres) => postgres.commits(),
        }
    }

    /// Crash point for tests: see [`Sqlite::stop_after`].
    pub fn stop_after(&self, commits: u64) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.stop_after(commits),
            Backend::Postgres(postgres) => postgres.stop_after(commits),
        }
    }

    /// Finishes what is queued, gives the database back and refuses everything after. Asking twice is no harm.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
