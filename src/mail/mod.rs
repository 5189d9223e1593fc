//! Sending mail. The only room that knows lettre.
//!
//! A mail is rendered the same way every time: its Message-ID, its date and its MIME boundary come from the caller or
//! from them, so the bytes of a repeat equal those of the first attempt and both can be recognised as one.

mod file;
mod message;
mod smtp;

#[cfg(test)]
mod eml;

use chrono::{DateTime, Utc};

pub use message::{MessageId, NotAMessageId};

use crate::config::{MailUrl, Mailbox};
use crate::workflow::act::Mail;
use crate::workflow::ids::Digest;

/// A mail on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Its own id, from [`Mailer::message_id`]; the same for every attempt.
    pub message_id: MessageId,
    /// The mail that this one continues.
    pub in_reply_to: Option<MessageId>,
    /// The thread so far, oldest first (RFC 5322, 3.6.4).
    pub references: Vec<MessageId>,
    /// What was approved.
    pub mail: Mail,
    /// When the mail was due; the same for every attempt.
    pub date: DateTime<Utc>,
}

/// A mail that the server took, or that stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub message_id: MessageId,
    /// SHA-256 of the bytes as they went out.
    pub digest: Digest,
    /// Recipients that the server refused for good while it took the mail for others, each with its answer.
    pub refused: Vec<Refused>,
}

/// A recipient that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The address without its display name.
    pub address: String,
    /// What the server said.
    pub answer: String,
}

/// Why a mail did not go out, or may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFailure {
    /// Not accepted, and it will not be: a 5xx answer, or a mail that cannot be written down.
    #[error("the mail was refused: {0}")]
    Permanent(String),
    /// Definitely not accepted; worth another attempt.
    #[error("the mail could not be sent yet: {0}")]
    Transient(String),
    /// The whole mail was handed over and no answer came: it may have been accepted.
    #[error("the mail may have been sent: {0}")]
    Doubt(String),
}

/// A mailer that cannot be set up, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailerSetup(String);

/// Sends mail as one sender, to files or to a server.
pub struct Mailer {
    from: Mailbox,
    transport: Transport,
}

enum Transport {
    File(file::Directory),
    Smtp(Box<smtp::Server>),
}

impl Mailer {
    /// Prepares the transport. Nothing is sent and no connection is opened; a mail directory is created.
    ///
    /// # Errors
    /// A directory that cannot be written, a sender that no mail can carry, or TLS that cannot be set up.
    pub fn new(url: &MailUrl, from: Mailbox) -> Result<Self, MailerSetup> {
        message::check_sender(&from)?;
        let transport = match url {
            MailUrl::File(path) => Transport::File(file::Directory::open(path)?),
            MailUrl::Smtp(url) => Transport::Smtp(Box::new(smtp::Server::new(url, smtp::Patience::default(), None)?)),
        };
        Ok(Self { from, transport })
    }

    /// The Message-ID for a name that the caller chose, at the sender's host. The same name gives the same id.
    pub fn message_id(&self, name: &str) -> MessageId {
        MessageId::new(name, self.from.host())
    }

    /// Whether sending the same mail twice leaves one mail: a file is replaced, a server cannot be asked what it took.
    pub fn repeats_harmlessly(&self) -> bool {
        matches!(self.transport, Transport::File(_))
    }

    /// Goes as far as a mail goes before it is begun: writes and takes away a file, or connects and logs in. Says what was
    /// tried.
    ///
    /// # Errors
    /// See [`MailFailure`]; never [`MailFailure::Doubt`].
    pub async fn probe(&self) -> Result<String, MailFailure> {
        match &self.transport {
            // It was tried when it was opened.
            Transport::File(directory) => Ok(format!("it is written to {}", directory.path().display())),
            Transport::Smtp(server) => server.probe().await,
        }
    }

    /// Sends one mail and waits for the answer.
    ///
    /// With files, a repeat of the same mail replaces its file. With a server, recipients that it refuses for good are
    /// listed and the others get the mail.
    ///
    /// # Errors
    /// See [`MailFailure`]; only [`MailFailure::Doubt`] leaves it open whether the mail went out.
    pub async fn send(&self, mail: &OutgoingMail) -> Result<Sent, MailFailure> {
        let message = message::render(&self.from, mail)?;
        let raw = message.formatted();
        let refused = match &self.transport {
            Transport::File(directory) => {
                directory.write(&mail.message_id, &raw).await?;
                Vec::new()
            }
            Transport::Smtp(server) => server.send(message.envelope(), &raw).await?,
        };
        Ok(Sent {
            message_id: mail.message_id.clone(),
            digest: Digest::of_bytes(&raw),
            refused,
        })
    }
}
