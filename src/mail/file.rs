//! Mail as files: one `.eml` a message.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::message::MessageId;
use super::{MailFailure, MailerSetup};

/// A directory that mail is written to.
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Creates the directory and tries it.
    pub fn open(path: &Path) -> Result<Self, MailerSetup> {
        let refuse = |error: io::Error| {
            MailerSetup(format!(
                "COUNTERSIGN_MAIL_URL: mail cannot be written to {} ({error}); check the path and who may write there",
                path.display()
            ))
        };
        fs::create_dir_all(path).map_err(refuse)?;
        tempfile::Builder::new()
            .prefix(".try-")
            .tempfile_in(path)
            .map_err(refuse)?;
        Ok(Self(path.to_owned()))
    }

    /// Writes a message under a name made from its id: whole or not at all, on disk when this returns, and a repeat of
    /// the same message replaces its file.
    pub async fn write(&self, id: &MessageId, raw: &[u8]) -> Result<(), MailFailure> {
        let directory = self.0.clone();
        let target = directory.join(format!("{}.eml", id.file_stem()));
        let raw = raw.to_owned();
        tokio::task::spawn_blocking(move || replace(&directory, &target, &raw))
            .await
            .map_err(|error| MailFailure::Doubt(error.to_string()))?
            // A file that was half written has no name yet, and one that was renamed is replaced by the next attempt.
            .map_err(|error| MailFailure::Transient(format!("{}: {error}", self.0.display())))
    }
}

fn replace(directory: &Path, target: &Path, raw: &[u8]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().prefix(".mail-").tempfile_in(directory)?;
    file.write_all(raw)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}
