//! `countersign backup` and `countersign restore`: the whole database in one file, and back.

use std::path::{Path, PathBuf};

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::verify;
use crate::config::DatabaseUrl;
use crate::store::{BackupError, Doubted, OpenError, SqliteError, Store};

/// Where the backup is written.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The new file; one that exists is never written over
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// What is restored.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// A file that `countersign backup` wrote. None for PostgreSQL, which its own tools restore: then the writes that are
    /// open in it are put in doubt
    file: Option<PathBuf>,
    /// Restore a backup also where `verify` finds that something in it was touched, which is told then
    #[arg(long, requires = "file")]
    despite_findings: bool,
    #[command(flatten)]
    database: Database,
}

impl Backup {
    /// Writes the file. A server may run meanwhile.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let DatabaseUrl::Sqlite(database) = self.database.address()? else {
            return Err(Refusal::failed(
                "a PostgreSQL database is backed up by its own tools: `pg_dump`, or a copy of the cluster. After it was \
                 restored, run `countersign restore` without a file before a server starts",
            ));
        };
        let into = self.file;
        let written = tokio::task::spawn_blocking({
            let into = into.clone();
            move || Store::back_up(&database, &into)
        });
        written.await.map_err(Refusal::failed)?.map_err(refusal)?;
        let bytes = std::fs::metadata(&into).map(|file| file.len()).unwrap_or_default();
        Ok(Answer::new(
            serde_json::json!({ "file": into, "bytes": bytes }),
            format!(
                "Written to {} ({bytes} bytes), checked and on disk. It holds what people wrote and no key of the server: \
                 keep it as you keep the database.\n",
                into.display()
            ),
        ))
    }
}

impl Restore {
    /// Replaces the database. Refused while a server has it open.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match (self.database.address()?, self.file) {
            (DatabaseUrl::Sqlite(database), Some(from)) => {
                let accepted = match self.despite_findings {
                    true => Accepted::Anything,
                    false => Accepted::Untouched,
                };
                replace(database, from, accepted).await
            }
            (DatabaseUrl::Sqlite(_), None) => Err(Refusal::usage(
                "name the file to restore: one that `countersign backup` wrote",
            )),
            (DatabaseUrl::Postgres(_), Some(_)) => Err(Refusal::usage(
                "a PostgreSQL database is restored by its own tools (`pg_restore`, `psql`); then run this command without a \
                 file",
            )),
            (url @ DatabaseUrl::Postgres(_), None) => brought_back(&url).await,
        }
    }
}

/// Which backups are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepted {
    /// Those in which `verify` finds nothing.
    Untouched,
    /// All that can be read.
    Anything,
}

async fn replace(database: PathBuf, from: PathBuf, accepted: Accepted) -> Result<Answer, Refusal> {
    let (at, source) = (database.clone(), from.clone());
    let restoring = tokio::task::spawn_blocking(move || Store::restore(&at, &source));
    let restoring = restoring.await.map_err(Refusal::failed)?.map_err(refusal)?;
    let touched = {
        let copy = Store::read_only(restoring.copy()).map_err(Refusal::failed)?;
        let touched = verify::touched(&copy).await;
        copy.close().await;
        touched?
    };
    if !touched.is_empty() && accepted == Accepted::Untouched {
        return Err(touched_refusal(&from, touched));
    }
    let restored = tokio::task::spawn_blocking(move || restoring.replace(chrono::Utc::now()));
    let restored = restored.await.map_err(Refusal::failed)?.map_err(refusal)?;
    let former = match &restored.former {
        Some(former) => format!("The database that was there before is {}.\n", former.display()),
        None => String::new(),
    };
    let findings: String = touched.iter().map(|finding| format!("Touched: {finding}.\n")).collect();
    Ok(Answer::new(
        serde_json::json!({
            "database": database,
            "former": restored.former,
            "in_doubt": restored.in_doubt,
            "findings": touched,
        }),
        format!(
            "{} was restored from {}.\n{former}{findings}{}",
            database.display(),
            from.display(),
            what_now(restored.in_doubt)
        ),
    ))
}

fn touched_refusal(from: &Path, touched: Vec<String>) -> Refusal {
    let data = serde_json::json!({ "findings": touched });
    let lead = format!(
        "{} is not as it was written, so nothing was changed: restore an earlier backup, or this one with \
         --despite-findings",
        from.display()
    );
    Refusal::failed_for([vec![lead], touched].concat()).with(data)
}

/// For a database that its own tools have brought back.
async fn brought_back(url: &DatabaseUrl) -> Result<Answer, Refusal> {
    let configuration = |error: OpenError| Refusal::configuration(vec![error.to_string()]);
    let store = Store::open_to_ask(url).await.map_err(configuration)?;
    let in_doubt = store.doubt_open_effects(chrono::Utc::now()).await;
    store.close().await;
    match in_doubt? {
        Doubted::Effects(in_doubt) => Ok(Answer::new(
            serde_json::json!({ "in_doubt": in_doubt }),
            what_now(in_doubt),
        )),
        Doubted::Served => Err(Refusal::failed(
            "a server is at work on this database: stop every one of them, then run this command again",
        )),
        Doubted::Leased { what, until } => Err(Refusal::failed(format!(
            "no server is connected, but one that may still run holds the {what} until {}: run this command again then",
            until.format("%Y-%m-%d %H:%M:%S UTC")
        ))),
    }
}

fn what_now(in_doubt: usize) -> String {
    format!(
        "Writes that are open in it: {in_doubt}. The server looks for each on GitHub before it sends it; a mail among them \
         is not sent again.\nBefore you start the server, compare the open workflows (`countersign list`) with their cards \
         on GitHub: what was decided after the backup is not known here.\n"
    )
}

fn refusal(error: BackupError) -> Refusal {
    match error {
        BackupError::Open(SqliteError::InUse { .. }) | BackupError::Exists(_) | BackupError::Unusable { .. } => {
            Refusal::failed(error)
        }
        BackupError::Open(_) | BackupError::Unwritable { .. } => Refusal::configuration(vec![error.to_string()]),
    }
}
