//! `countersign backup` and `countersign restore`: the whole database in one file, and back.

use std::path::PathBuf;

use super::answer::{Answer, Refusal};
use super::database::Database;
use crate::store::{BackupError, OpenError, Store};

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
    /// A file that `countersign backup` wrote
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

impl Backup {
    /// Writes the file. A server may run meanwhile.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let database = self.database.server_file()?;
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
        let database = self.database.server_file()?;
        let (at, from) = (database.clone(), self.file.clone());
        let restored = tokio::task::spawn_blocking(move || Store::restore(&at, &from, chrono::Utc::now()));
        let restored = restored.await.map_err(Refusal::failed)?.map_err(refusal)?;
        let former = match &restored.former {
            Some(former) => format!("The database that was there before is {}.\n", former.display()),
            None => String::new(),
        };
        Ok(Answer::new(
            serde_json::json!({
                "database": database,
                "former": restored.former,
                "in_doubt": restored.in_doubt,
            }),
            format!(
                "{} was restored from {}. Writes that were open in it: {}, each of which the server looks for on GitHub \
                 before it sends it; a mail among them is not sent again.\n{former}Before you start the server, compare the \
                 open workflows (`countersign list`) with their cards on GitHub: what was decided after the backup is not \
                 known here.\n",
                database.display(),
                self.file.display(),
                restored.in_doubt,
            ),
        ))
    }
}

fn refusal(error: BackupError) -> Refusal {
    match error {
        BackupError::Open(OpenError::InUse { .. }) | BackupError::Exists(_) | BackupError::Unusable { .. } => {
            Refusal::failed(error)
        }
        BackupError::Open(_) | BackupError::Unwritable { .. } => Refusal::configuration(vec![error.to_string()]),
    }
}
