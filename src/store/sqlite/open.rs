//! Opening the file: lock, settings, schema; and a sentence for everything that stands in the way.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

/// Statements kept ready per connection; the store has fewer.
const STATEMENTS: usize = 128;

/// The log is cut back to this after a checkpoint, so that one night of large deliveries does not keep the space.
const LOG_KEPT: i64 = 64 * 1024 * 1024;

/// Pages of the log after which it is written back into the database. What changes all the time, such as the leaves of
/// indices, is written back once for all of them.
const WRITTEN_BACK: i64 = 4_000;

/// What the writer keeps of the database in memory, in KiB: the inner pages of every index of some million workflows.
const WRITER_KEEPS: i64 = 16_000;

/// How long one process waits for another's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// Why a database was not opened: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file's lock is held.
    #[error(
        "another countersign process{} uses the database {}: stop it first, or give this one a database of its own",
        .process.as_ref().map(|id| format!(" ({id})")).unwrap_or_default(),
        .path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// The other process's id, where it could be read.
        process: Option<String>,
    },
    /// A newer program has migrated it.
    #[error(
        "the database {} has schema {found} and this program knows only {known}: use the newer program, or restore a \
         backup from before it ran",
        .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The server of this program has not run on it yet.
    #[error(
        "the database {} has schema {found} and this program needs {known}: start its `countersign serve` once, which \
         migrates it",
        .path.display()
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The one that this program needs.
        known: i64,
    },
    /// There is no such file.
    #[error("there is no database {}: give the path that `countersign serve` uses, or start it once", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file system does not let us.
    #[error(
        "the database {} cannot be opened ({reason}): make its directory a local one that this user may write to",
        .path.display()
    )]
    Unwritable {
        /// The database.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not what it should be.
    #[error("the database {} cannot be used ({reason}): restore a backup, or move the file away", .path.display())]
    Broken {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn unwritable(path: &Path, reason: &impl ToString) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn broken(path: &Path, reason: &impl ToString) -> Self {
        Self::Broken {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
        match error.sqlite_error_code() {
            Some(CannotOpen | DiskFull | PermissionDenied | ReadOnly | SystemIoFailure) => {
                Self::unwritable(path, error)
            }
            _ => Self::broken(path, error),
        }
    }
}

pub(super) fn create_directory(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent).map_err(|error| OpenError::unwritable(path, &error)),
        None => Ok(()),
    }
}

/// Takes the lock beside the database; it is held while the file lives, and dies with the process.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let unwritable = |error: std::io::Error| OpenError::unwritable(path, &error);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(lock_of(path))
        .map_err(unwritable)?;
    let mut file = taken(path, file)?;
    file.set_len(0).map_err(unwritable)?;
    file.rewind().map_err(unwritable)?;
    write!(file, "{}", std::process::id()).map_err(unwritable)?;
    Ok(file)
}

/// Whether the lock could be taken; where there is none yet, none is made.
pub(super) fn try_lock(path: &Path) -> Result<(), OpenError> {
    match File::open(lock_of(path)) {
        Ok(file) => taken(path, file).map(drop),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpenError::unwritable(path, &error)),
    }
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    PathBuf::from(name)
}

fn taken(path: &Path, mut file: File) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let known = file.read_to_string(&mut process).is_ok() && !process.is_empty();
            Err(OpenError::InUse {
                path: path.to_owned(),
                process: known.then_some(process),
            })
        }
        Err(TryLockError::Error(error)) => Err(OpenError::unwritable(path, &error)),
    }
}

/// Whether this user may write the file and beside it, or make both where they are not there yet.
pub(super) fn may_write(path: &Path) -> Result<(), OpenError> {
    use rustix::fs::{Access, access};
    let unwritable = |reason: &dyn ToString| OpenError::unwritable(path, &reason.to_string());
    if path.exists() {
        access(path, Access::WRITE_OK).map_err(|error| unwritable(&std::io::Error::from(error)))?;
    }
    let above = nearest_directory(path);
    if !above.is_dir() {
        return Err(unwritable(&format!("{} is no directory", above.display())));
    }
    access(above, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| unwritable(&std::io::Error::from(error)))
}

/// What is there already of the way to a file that may not be.
fn nearest_directory(path: &Path) -> &Path {
    let above = path.ancestors().skip(1).find(|place| place.exists());
    // A path that names none begins at the working directory.
    above.unwrap_or(Path::new("."))
}

/// The file is its owner's alone, and SQLite gives its log the same mode.
pub(super) fn create(path: &Path) -> Result<Connection, OpenError> {
    let mut new = File::options();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    match new.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(OpenError::unwritable(path, &error));
        }
        _ => {}
    }
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

pub(super) fn existing(path: &Path) -> Result<Connection, OpenError> {
    must_exist(path)?;
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

pub(super) fn read_only(path: &Path) -> Result<Connection, OpenError> {
    must_exist(path)?;
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn must_exist(path: &Path) -> Result<(), OpenError> {
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::Missing { path: path.to_owned() }),
        Err(error) => Err(OpenError::unwritable(path, &error)),
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise a statement is planned anew for other values (https://www.sqlite.org/qpsg.html).
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(sqlite)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(sqlite)?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        // SQLite falls back to reading without a word where it may not write.
        if connection.is_readonly("main").map_err(sqlite)? {
            return Err(OpenError::unwritable(path, &"the file is read-only"));
        }
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(sqlite)?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(OpenError::unwritable(path, &"its file system has no shared memory"));
        }
        connection
            .pragma_update_and_check(None, "journal_size_limit", LOG_KEPT, |_| Ok(()))
            .map_err(sqlite)?;
        connection
            .pragma_update_and_check(None, "wal_autocheckpoint", WRITTEN_BACK, |_| Ok(()))
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "cache_size", -WRITER_KEEPS)
            .map_err(sqlite)?;
        // What a savepoint needs to undo is not worth a file.
        connection.pragma_update(None, "temp_store", "MEMORY").map_err(sqlite)?;
        // Only FULL syncs the log at every commit: an answer means "on disk".
        connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    }
    Ok(connection)
}

#[derive(rust_embed::Embed)]
#[folder = "migrations/sqlite"]
struct Files;

/// The steps to this program's schema, in order.
#[derive(Debug)]
pub(super) struct Schema(Vec<String>);

impl Schema {
    /// Those of `migrations/sqlite`.
    pub(super) fn embedded() -> Self {
        let mut names: Vec<_> = Files::iter().filter(|name| name.ends_with(".sql")).collect();
        names.sort();
        Self(
            names
                .iter()
                .filter_map(|name| Files::get(name))
                .map(|file| String::from_utf8_lossy(&file.data).into_owned())
                .collect(),
        )
    }

    /// Brings the database to this schema, or leaves it as it was.
    pub(super) fn migrate(&self, path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
        match self.check(path, connection) {
            Err(OpenError::Older { found: 0, .. }) if has_tables(path, connection)? => {
                Err(OpenError::broken(path, &"it belongs to another program"))
            }
            Err(OpenError::Older { .. }) => Migrations::new(self.0.iter().map(|sql| M::up(sql)).collect())
                .to_latest(connection)
                .map_err(|error| OpenError::broken(path, &format!("its migration failed: {error}"))),
            checked => checked,
        }
    }

    /// Whether the database has exactly this schema.
    pub(super) fn check(&self, path: &Path, connection: &Connection) -> Result<(), OpenError> {
        // rusqlite_migration counts in `user_version`.
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| OpenError::sqlite(path, &error))?;
        let known = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        let path = path.to_owned();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(OpenError::Newer { path, found, known }),
            std::cmp::Ordering::Less => Err(OpenError::Older { path, found, known }),
        }
    }

    #[cfg(test)]
    pub(super) fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(|&step| step.to_owned()).collect())
    }
}

fn has_tables(path: &Path, connection: &Connection) -> Result<bool, OpenError> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(|error| OpenError::sqlite(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_steps_are_numbered_from_one_without_gaps() {
        let mut names: Vec<_> = Files::iter().filter(|name| name.ends_with(".sql")).collect();
        names.sort();
        for (at, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", at + 1)), "{name} is out of order");
        }
    }
}
