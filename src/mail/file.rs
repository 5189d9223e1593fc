//! Mail as files: one `.eml` a message.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::message::MessageId;
use super::{MailFailure, MailerSetup};

/// Whether mail can be written to a directory, or the directory be made; makes and writes nothing.
pub(super) fn look(path: &Path) -> Result<String, String> {
    use rustix::fs::{Access, access};
    let there = path.ancestors().find(|place| place.exists()).unwrap_or(Path::new("."));
    let refuse = |why: &dyn std::fmt::Display| format!("mail cannot be written to {} ({why})", path.display());
    if !there.is_dir() {
        return Err(refuse(&format!("{} is no directory", there.display())));
    }
    access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| refuse(&io::Error::from(error)))?;
    Ok(match there == path {
        true => format!("it is written to {}", path.display()),
        false => format!(
            "it is written to {}, which the next `countersign serve` makes",
            path.display()
        ),
    })
}

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

#[cfg(test)]
mod tests {
    use super::super::eml::{Eml, outgoing, post};
    use super::super::{Mailer, MessageId};
    use super::*;
    use crate::config::MailUrl;

    fn mailer(path: &Path) -> Mailer {
        Mailer::new(
            &MailUrl::File(path.to_owned()),
            "Bot <bot@example.org>".parse().unwrap(),
        )
        .unwrap()
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn one_file_a_message_and_a_repeat_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not/yet/there");
        let mailer = mailer(&path);
        assert_eq!(names(&path), Vec::<String>::new());
        let mail = outgoing(&mailer, "wf-1-email-1");
        let first = post(&mailer, &mail).await.unwrap();
        let second = post(&mailer, &mail).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(names(&path), ["wf-1-email-1.eml"]);
        post(&mailer, &outgoing(&mailer, "wf-1-email-2")).await.unwrap();
        assert_eq!(names(&path), ["wf-1-email-1.eml", "wf-1-email-2.eml"]);
        let raw = fs::read(path.join("wf-1-email-1.eml")).unwrap();
        assert_eq!(crate::workflow::ids::Digest::of_bytes(&raw), first.digest);
        assert_eq!(Eml::parse(&raw).header("Message-ID"), "<wf-1-email-1@example.org>");
    }

    #[tokio::test]
    async fn a_stored_id_cannot_leave_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mail");
        let mailer = mailer(&path);
        let mut mail = outgoing(&mailer, "x");
        mail.message_id = "<../../evil@example.org>".parse::<MessageId>().unwrap();
        post(&mailer, &mail).await.unwrap();
        assert_eq!(names(directory.path()), ["mail"]);
        assert_eq!(names(&path).len(), 1);
    }

    #[tokio::test]
    async fn a_directory_that_vanished_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mail");
        let mailer = mailer(&path);
        fs::remove_dir(&path).unwrap();
        post(&mailer, &outgoing(&mailer, "x")).await.unwrap();
        assert_eq!(names(&path), ["x.eml"]);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "").unwrap();
        let from = || "bot@example.org".parse().unwrap();
        let setup = Mailer::new(&MailUrl::File(path.clone()), from())
            .err()
            .unwrap()
            .to_string();
        assert!(
            setup.starts_with("COUNTERSIGN_MAIL_URL: mail cannot be written to "),
            "{setup}"
        );
        fs::remove_file(&path).unwrap();
        let mailer = Mailer::new(&MailUrl::File(path.clone()), from()).unwrap();
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "").unwrap();
        let failure = post(&mailer, &outgoing(&mailer, "x")).await.unwrap_err();
        assert!(matches!(failure, MailFailure::Transient(_)), "{failure}");
    }
}
