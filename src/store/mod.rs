//! The one door to the database, and the only room that holds SQL.
//!
//! Operations say what they mean as a [`Write`] (statements with values and the rows that they must hit) or as one
//! reading statement; the back end keeps a write whole or not at all. A second database is a second back end under the
//! same operations.

mod begun;
pub mod calls;
pub mod change;
mod counters;
pub mod definitions;
pub mod deliveries;
pub mod effects;
pub mod fork;
pub mod history;
pub mod kept;
pub mod repositories;
mod restored;
pub mod runs;
mod sqlite;
pub mod workflows;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::workflow::state::Timestamp;

pub use sqlite::{BackupError, OpenError, Restored, Sqlite};
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
}

impl From<Sqlite> for Store {
    fn from(sqlite: Sqlite) -> Self {
        Self {
            backend: Backend::Sqlite(Arc::new(sqlite)),
            begun: Arc::default(),
        }
    }
}

impl Store {
    /// The store of the one server: see [`Sqlite::serve`].
    pub fn serve(path: &Path) -> Result<Self, OpenError> {
        Sqlite::serve(path).map(Self::from)
    }
    /// Whether the server could be started on it: takes the lock, looks, migrates nothing and lets go.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn try_serve(path: &Path) -> Result<(), OpenError> {
        Sqlite::try_serve(path)
    }

    /// Writes a SQLite database into a new file, whole and as it is at one moment, while a server may go on writing.
    ///
    /// # Errors
    /// See [`BackupError`]; no file is left then.
    pub fn back_up(path: &Path, into: &Path) -> Result<(), BackupError> {
        Sqlite::back_up(path, into)
    }

    /// Puts a backup in a SQLite database's place, with every open effect in doubt.
    ///
    /// # Errors
    /// See [`BackupError`]; a database that a server has open is [`OpenError::InUse`].
    pub fn restore(path: &Path, from: &Path, now: Timestamp) -> Result<Restored, BackupError> {
        Sqlite::restore(path, from, now)
    }

    /// A store that only reads: see [`Sqlite::read_only`].
    pub fn read_only(path: &Path) -> Result<Self, OpenError> {
        Sqlite::read_only(path).map(Self::from)
    }

    /// The store of a command beside the server: see [`Sqlite::outside_writer`].
    pub fn outside_writer(path: &Path) -> Result<Self, OpenError> {
        Sqlite::outside_writer(path).map(Self::from)
    }

    /// Does all of the write or nothing of it, and answers when it is on disk: the rows that each statement returned.
    ///
    /// Dropping the future does not call the write back: once it is queued it is done. Whoever must know the outcome
    /// awaits it in a task of its own.
    ///
    /// # Errors
    /// Every [`StoreError`]; in each case nothing of the write was kept, and no other write was touched.
    pub async fn write(&self, write: Write) -> Result<Vec<Vec<Row>>, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(write).await,
        }
    }

    /// Answers one reading statement. What was written before it was asked is seen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Broken`].
    pub async fn read(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(sql, values).await,
        }
    }

    /// How many commits changed something since this store was opened.
    pub fn commits(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.commits(),
        }
    }

    /// Crash point for tests: see [`Sqlite::stop_after`].
    pub fn stop_after(&self, commits: u64) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.stop_after(commits),
        }
    }

    /// Finishes what is queued, gives the lock back and refuses everything after. Asking twice is no harm.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}
