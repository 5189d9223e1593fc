//! One file that holds the whole database, and the way back from it.

use std::fs::File;
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
    #[error(
        "{} is no backup that can be restored ({reason}). Nothing was changed: name a file that `countersign backup` wrote",
        .path.display()
    )]
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
    check(&half).map_err(|reason| OpenError::broken(database, &format!("its copy is not whole: {reason}")))?;
    private(&half)
        .and_then(|()| File::open(&half)?.sync_all())
        .map_err(|error| unwritable(&error))?;
    // Unlike a rename, a link does not replace what came in between.
    std::fs::hard_link(&half, into).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Exists(into.to_owned()),
        _ => unwritable(&error),
    })?;
    sync_directory(into).map_err(|error| unwritable(&error))
}

/// A backup that is about to take a database's place: a copy beside it, migrated, with every open effect in doubt. The
/// database is held, and nothing has changed until [`Restoring::replace`].
#[derive(Debug)]
pub struct Restoring {
    database: PathBuf,
    copy: PathBuf,
    in_doubt: usize,
    _lock: File,
}

impl Restoring {
    pub(super) fn of(database: &Path, from: &Path) -> Result<Self, BackupError> {
        let unusable = |reason: String| BackupError::Unusable {
            path: from.to_owned(),
            reason,
        };
        if is_same(database, from) {
            return Err(unusable("it is the database that would be replaced".to_owned()));
        }
        check(from).map_err(unusable)?;
        open::create_directory(database)?;
        let lock = open::lock(database)?;
        let mut restoring = Self {
            database: database.to_owned(),
            copy: beside(database, "restoring"),
            in_doubt: 0,
            _lock: lock,
        };
        // What one that was stopped left behind is no log of this one.
        restoring.clear().map_err(|error| restoring.unwritable(&error))?;
        std::fs::copy(from, &restoring.copy)
            .and_then(|_| private(&restoring.copy))
            .map_err(|error| restoring.unwritable(&error))?;
        restoring.in_doubt = prepared(&restoring.copy).map_err(unusable)?;
        Ok(restoring)
    }

    /// The copy, to be looked at.
    pub fn copy(&self) -> &Path {
        &self.copy
    }

    /// Puts it in the database's place. What was there is kept beside it, under a name that nothing has yet.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn replace(self, now: Timestamp) -> Result<Restored, BackupError> {
        let unwritable = |error: std::io::Error| self.unwritable(&error);
        let former = match self.database.exists() {
            true => {
                settled(&self.database);
                Some(kept(&self.database, now).map_err(unwritable)?)
            }
            false => None,
        };
        cleared(&self.database, &["-wal", "-shm"]).map_err(unwritable)?;
        std::fs::rename(&self.copy, &self.database)
            .and_then(|()| sync_directory(&self.database))
            .map_err(unwritable)?;
        Ok(Restored {
            former,
            in_doubt: self.in_doubt,
        })
    }

    fn clear(&self) -> std::io::Result<()> {
        cleared(&self.copy, &["", "-wal", "-shm"])
    }

    fn unwritable(&self, error: &std::io::Error) -> BackupError {
        BackupError::Unwritable {
            path: self.database.clone(),
            reason: error.to_string(),
        }
    }
}

impl Drop for Restoring {
    /// Whatever was not put in place goes.
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "{} is left behind", self.copy.display());
        }
    }
}

/// Gives the database a second name, which nothing had.
fn kept(database: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let at = now.trunc_subsecs(0).format("%Y%m%dT%H%M%SZ").to_string();
    let names = (1_u32..).map(|number| match number {
        1 => beside(database, &format!("before-{at}")),
        again => beside(database, &format!("before-{at}-{again}")),
    });
    for name in names {
        // Unlike a rename, a link does not replace what is there.
        match std::fs::hard_link(database, &name) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            linked => return linked.map(|()| name),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Removes what has this name with one of these endings, where it is there.
fn cleared(path: &Path, endings: &[&str]) -> std::io::Result<()> {
    for ending in endings {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// What the restored file must say before a server sees it; how many effects are in doubt in it.
fn prepared(new: &Path) -> Result<usize, String> {
    let said = |error: rusqlite::Error| error.to_string();
    let mut connection = open::create(new).map_err(|error| error.to_string())?;
    Schema::embedded()
        .migrate(new, &mut connection)
        .map_err(|error| error.to_string())?;
    let mut told = 0;
    for statement in in_doubt() {
        let (rows, _) =
            run::statement(&connection, statement.sql, &statement.values).map_err(|error| error.to_string())?;
        told += rows.len();
    }
    connection.close().map_err(|(_, error)| said(error))?;
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

/// Whether a file is a database of this program or of an earlier version of it, and whole; else what it is.
fn check(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return Err("it is a directory".to_owned());
    }
    let connection = open::read_only(path).map_err(unfit)?;
    match Schema::embedded().check(path, &connection) {
        Ok(()) | Err(OpenError::Older { found: 1.., .. }) => intact(&connection),
        Err(error) => Err(unfit(error)),
    }
}

/// The same of a file that is no database of ours, but should be a backup.
fn unfit(error: OpenError) -> String {
    match error {
        OpenError::Missing { .. } => "there is no such file".to_owned(),
        OpenError::Older { .. } => "it is no database of this program".to_owned(),
        OpenError::Newer { found, known, .. } => {
            format!("it has schema {found} and this program knows only {known}: use the newer program")
        }
        OpenError::Unwritable { reason, .. } | OpenError::Broken { reason, .. } => {
            format!("it cannot be read: {reason}")
        }
        error @ OpenError::InUse { .. } => error.to_string(),
    }
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
    File::open(directory_of(path))?.sync_all()
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
