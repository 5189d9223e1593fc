//! One file that holds the whole database, and the way back from it.

use std::path::{Path, PathBuf};

use chrono::SubsecRound as _;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::open::{self, OpenError, Schema};
use super::run;
use crate::store::restored::in_doubt;
use crate::workflow::state::Timestamp;

/// Why there is no backup, or why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database, or the one that is to be replaced.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is a file of that name already.
    #[error("{} exists already: name a new file, or move that one away", .0.display())]
    Exists(PathBuf),
    /// The backup is no database of this program, or is damaged.
    #[error("{} is no backup that can be restored ({reason}): nothing was changed", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system does not let us.
    #[error("{} cannot be written ({reason}): nothing was changed", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where the database is that was there before.
    pub former: Option<PathBuf>,
    /// Writes to the outside that were open, each of which is now looked for before it is sent.
    pub in_doubt: usize,
}

/// Writes the database as it is at one moment into a new file of its own, readable by its owner alone. A server may go on
/// writing meanwhile. The file is checked and on disk when this returns.
pub(super) fn back_up(database: &Path, into: &Path) -> Result<(), BackupError> {
    let connection = open::read_only(database)?;
    let unwritable = |reason: &dyn ToString| BackupError::Unwritable {
        path: into.to_owned(),
        reason: reason.to_string(),
    };
    if into.exists() {
        return Err(BackupError::Exists(into.to_owned()));
    }
    // Under a name of its own until it is whole, so that nobody takes half a backup for one.
    let directory = tempfile::Builder::new()
        .prefix(".countersign-backup-")
        .tempdir_in(directory_of(into))
        .map_err(|error| unwritable(&error))?;
    let half = directory.path().join("backup.sqlite");
    let name = half.to_str().ok_or_else(|| unwritable(&"its name is no UTF-8"))?;
    connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| unwritable(&error))?;
    check(&half)?;
    private(&half)
        .and_then(|()| std::fs::File::open(&half)?.sync_all())
        .map_err(|error| unwritable(&error))?;
    // Unlike a rename, a link does not replace what came in between.
    std::fs::hard_link(&half, into).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Exists(into.to_owned()),
        _ => unwritable(&error),
    })?;
    sync_directory(into).map_err(|error| unwritable(&error))
}

/// Puts a backup in the database's place. What was there is kept beside it.
pub(super) fn restore(database: &Path, from: &Path, now: Timestamp) -> Result<Restored, BackupError> {
    check(from)?;
    open::create_directory(database)?;
    let _lock = open::lock(database)?;
    let unwritable = |error: &std::io::Error| BackupError::Unwritable {
        path: database.to_owned(),
        reason: error.to_string(),
    };
    let new = beside(database, "restoring");
    std::fs::copy(from, &new)
        .and_then(|_| private(&new))
        .map_err(|error| unwritable(&error))?;
    let in_doubt = prepared(&new)?;
    let former = database.exists().then(|| {
        let at = now.trunc_subsecs(0).format("%Y%m%dT%H%M%SZ");
        beside(database, &format!("before-{at}"))
    });
    if let Some(former) = &former {
        settled(database);
        std::fs::rename(database, former).map_err(|error| unwritable(&error))?;
    }
    for leftover in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(leftover);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(&error)),
            _ => {}
        }
    }
    std::fs::rename(&new, database)
        .and_then(|()| sync_directory(database))
        .map_err(|error| unwritable(&error))?;
    Ok(Restored { former, in_doubt })
}

/// What the restored file must say before a server sees it; how many effects are in doubt in it.
fn prepared(new: &Path) -> Result<usize, BackupError> {
    let mut connection = open::create(new)?;
    Schema::embedded().migrate(new, &mut connection)?;
    let broken = |error: &dyn ToString| BackupError::Unusable {
        path: new.to_owned(),
        reason: error.to_string(),
    };
    let mut told = 0;
    for statement in in_doubt() {
        let (rows, _) =
            run::statement(&connection, statement.sql, &statement.values).map_err(|error| broken(&error))?;
        told += rows.len();
    }
    connection.close().map_err(|(_, error)| broken(&error))?;
    Ok(told)
}

/// Takes what is only in the log into the file, where that can be: the file is moved, and its log is not.
fn settled(database: &Path) {
    let taken = open::existing(database)
        .map_err(|error| error.to_string())
        .and_then(|connection| {
            connection
                .pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
                .map_err(|error| error.to_string())
        });
    if let Err(error) = taken {
        tracing::warn!(%error, "the database that is replaced was not closed whole; what its log held is lost with it");
    }
}

/// Whether a file is a database of this program or of an earlier version of it, and whole.
fn check(path: &Path) -> Result<(), BackupError> {
    let connection = open::read_only(path)?;
    let unusable = |reason: &dyn ToString| BackupError::Unusable {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    match Schema::embedded().check(path, &connection) {
        Ok(()) => {}
        Err(OpenError::Older { found, .. }) if found > 0 => {}
        Err(OpenError::Older { .. }) => return Err(unusable(&"it is no database of this program")),
        Err(error) => return Err(error.into()),
    }
    intact(&connection).map_err(|reason| unusable(&reason))
}

fn intact(connection: &Connection) -> Result<(), String> {
    // A damaged schema must not be trusted while it is looked at (https://www.sqlite.org/security.html).
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(|error| error.to_string())?;
    let answer: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|error| error.to_string())?;
    match answer.as_str() {
        "ok" => Ok(()),
        found => Err(format!("it is damaged: {found}")),
    }
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(directory_of(path))?.sync_all()
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
