//! The database, the disk that it lies on, and what stands in it.

use std::path::Path;

use super::findings::Findings;
use super::{missed, work};
use crate::config::DatabaseUrl;
use crate::store::{OpenError, SqliteError, Store};

/// Where the database should not lie with less.
const FREE_BYTES: u64 = 1 << 30;

/// Whether a server could use it; if it can be read, also what is open.
pub(super) async fn look(url: &DatabaseUrl, findings: &mut Findings) {
    const AREA: &str = "database";
    if let DatabaseUrl::Sqlite(path) = url {
        disk(directory_of(path), findings);
        if !path.exists() {
            return to_be_made(url, directory_of(path), findings);
        }
    }
    match Store::try_open(url).await {
        Ok(()) => findings.fine(AREA, format!("{url} can be served")),
        // A server that runs holds it; what it holds can be looked at all the same.
        Err(OpenError::Sqlite(SqliteError::InUse { process, .. })) => findings.fine(
            AREA,
            match process {
                Some(process) => format!("{url} is served by process {process}"),
                None => format!("{url} is served by another process"),
            },
        ),
        Err(error) => {
            findings.wrong(AREA, error, "the sentence says what helps");
            return;
        }
    }
    match Store::open_to_read(url).await {
        Ok(store) => {
            let looked = async {
                work::look(&store, findings).await?;
                missed::look(&store, findings).await
            };
            if let Err(error) = looked.await {
                findings.wrong(AREA, error, "see the server's log, then `countersign verify`");
            }
            store.close().await;
        }
        Err(OpenError::Sqlite(SqliteError::Older { .. })) => {
            findings.fine(AREA, "it is migrated by the next `countersign serve`");
        }
        Err(error) => findings.wrong(AREA, error, "the sentence says what helps"),
    }
}

fn directory_of(database: &Path) -> &Path {
    match database.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether a database that is not there yet can be made.
fn to_be_made(url: &DatabaseUrl, directory: &Path, findings: &mut Findings) {
    const AREA: &str = "database";
    // It has no name, so nothing is left of it.
    match tempfile::tempfile_in(directory) {
        Ok(_) => findings.fine(AREA, format!("{url} is made by the next `countersign serve`")),
        Err(error) => findings.wrong(
            AREA,
            format!("{url} cannot be made in {} ({error})", directory.display()),
            "make that a directory of this machine that this user may write to",
        ),
    }
}

fn disk(directory: &Path, findings: &mut Findings) {
    const AREA: &str = "disk";
    match rustix::fs::statvfs(directory) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let said = format!("{} MiB free where the database lies", free >> 20);
            if free < FREE_BYTES {
                findings.doubtful(
                    AREA,
                    said,
                    "make room: a full disk stops everything, though it loses nothing",
                );
            } else {
                findings.fine(AREA, said);
            }
        }
        Err(error) => findings.doubtful(
            AREA,
            format!("the free space cannot be told ({error})"),
            "look with `df`",
        ),
    }
}
