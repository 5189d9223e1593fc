//! The database, the disk that it lies on, and what stands in it.

use std::path::Path;

use super::findings::Findings;
use super::secrets::others_may_read;
use super::{missed, work};
use crate::config::DatabaseUrl;
use crate::store::{OpenError, SqliteError, Store};

const AREA: &str = "database";

/// Where the database should not lie with less.
const FREE_BYTES: u64 = 1 << 30;

/// Whether a server could use it; if it can be read, also what is open.
pub(super) async fn look(url: &DatabaseUrl, findings: &mut Findings) {
    if let DatabaseUrl::Sqlite(path) = url {
        disk(nearest_directory(path), findings);
        readers(path, findings);
    }
    match Store::try_open(url).await {
        Ok(()) => match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => {
                return findings.fine(AREA, format!("{url} is made by the next `countersign serve`"));
            }
            _ => findings.fine(AREA, format!("{url} can be served")),
        },
        // A server that runs holds it; what it holds can be looked at all the same.
        Err(OpenError::Sqlite(SqliteError::InUse { process, .. })) => findings.fine(
            AREA,
            match process {
                Some(process) => format!("{url} is served by process {process}"),
                None => format!("{url} is served by another process"),
            },
        ),
        Err(error) => return findings.wrong_as_told(AREA, error),
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
        Err(error) => match error.older_schema() {
            Some(0) => findings.fine(AREA, "its tables are made by the next `countersign serve`"),
            Some(_) => findings.fine(AREA, "it is migrated by the next `countersign serve`"),
            None => findings.wrong_as_told(AREA, error),
        },
    }
}

/// What is there already of the way to the database.
fn nearest_directory(database: &Path) -> &Path {
    let above = database.ancestors().skip(1).find(|place| place.exists());
    above.unwrap_or(Path::new("."))
}

/// Whether anybody but its owner may read what people wrote.
fn readers(database: &Path, findings: &mut Findings) {
    for ending in ["", "-wal"] {
        let path = format!("{}{ending}", database.display());
        if let Some(who) = others_may_read(Path::new(&path)) {
            findings.doubtful(
                AREA,
                format!("{path}, which holds what people wrote, can be read by {who}"),
                format!("chmod 600 {path}"),
            );
        }
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
