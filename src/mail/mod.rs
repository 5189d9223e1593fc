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
use tracing::Instrument as _;

pub use message::{MessageId, NotAMessageId};

use crate::config::{InDoubt, MailUrl, Mailbox};
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

/// A mail as it goes out: the bytes, and who gets them. Only [`Mailer::write`] makes one.
#[derive(Debug, Clone)]
pub struct Letter {
    message_id: MessageId,
    envelope: lettre::address::Envelope,
    raw: Vec<u8>,
}

impl Letter {
    /// Its id.
    pub fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// The bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(&self.raw)
    }

    /// The same to the same people in the bytes of an earlier attempt: a repeat that another version of this program
    /// sends is no other mail.
    pub fn as_written(self, raw: Vec<u8>) -> Self {
        Self { raw, ..self }
    }
}

/// What it means for the others when a recipient is refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The mail waits for that recipient: a later attempt that reaches the others twice would be worse.
    Everybody,
    /// That recipient has been waited for long enough and counts as refused.
    WhoIsTaken,
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

impl MailFailure {
    /// What happened, without what it means for a mail.
    fn reason(self) -> String {
        match self {
            Self::Permanent(reason) | Self::Transient(reason) | Self::Doubt(reason) => reason,
        }
    }
}

/// A mailer that cannot be set up, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailerSetup(String);

/// Sends mail as one sender, to files or to a server.
pub struct Mailer {
    from: Mailbox,
    transport: Transport,
    in_doubt: InDoubt,
}

/// What a mail that may have been sent already is to the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it again leaves one mail: a file is replaced.
    Harmless,
    /// It may reach people twice, and the settings prefer that to its not reaching them.
    MayDouble,
    /// It is not sent again. A server cannot be asked what it took.
    Never,
}

/// Goes as far as a mail goes before it is begun: looks at the directory, or connects and logs in. Makes and sends nothing,
/// and says what was tried.
///
/// # Errors
/// What stands in the way, as a sentence.
pub async fn probe(url: &MailUrl, from: &Mailbox) -> Result<String, String> {
    message::check_sender(from).map_err(|error| error.to_string())?;
    match url {
        MailUrl::File(path) => file::look(path),
        MailUrl::Smtp(url) => {
            let server = smtp::Server::new(url, smtp::Patience::default(), None).map_err(|error| error.to_string())?;
            server.probe().await.map_err(MailFailure::reason)
        }
    }
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
        Ok(Self {
            from,
            transport,
            in_doubt: InDoubt::Leave,
        })
    }

    /// The same, with what the settings say of a mail in doubt.
    pub fn in_doubt(self, in_doubt: InDoubt) -> Self {
        Self { in_doubt, ..self }
    }

    /// The Message-ID for a name that the caller chose, at the sender's host. The same name gives the same id.
    pub fn message_id(&self, name: &str) -> MessageId {
        MessageId::new(name, self.from.host())
    }

    /// What sending a mail again means that may have been sent already.
    pub fn repeat(&self) -> Repeat {
        match (&self.transport, self.in_doubt) {
            (Transport::File(_), _) => Repeat::Harmless,
            (Transport::Smtp(_), InDoubt::SendAgain) => Repeat::MayDouble,
            (Transport::Smtp(_), InDoubt::Leave) => Repeat::Never,
        }
    }

    /// Writes a mail down. The same mail gives the same bytes.
    ///
    /// # Errors
    /// [`MailFailure::Permanent`] when there is nobody to send it to or an address is none.
    pub fn write(&self, mail: &OutgoingMail) -> Result<Letter, MailFailure> {
        let message = message::render(&self.from, mail)?;
        Ok(Letter {
            message_id: mail.message_id.clone(),
            envelope: message.envelope().clone(),
            raw: message.formatted(),
        })
    }

    /// Sends one mail and waits for the answer. Tells the recipients that the server refused while it took the mail for
    /// others. With files, a repeat of the same mail replaces its file.
    ///
    /// # Errors
    /// See [`MailFailure`]; only [`MailFailure::Doubt`] leaves it open whether the mail went out.
    pub async fn send(&self, letter: &Letter, reach: Reach) -> Result<Vec<Refused>, MailFailure> {
        match &self.transport {
            Transport::File(directory) => {
                directory.write(&letter.message_id, &letter.raw).await?;
                Ok(Vec::new())
            }
            Transport::Smtp(server) => {
                let span = tracing::debug_span!("mail", otel.kind = "client");
                server.send(&letter.envelope, &letter.raw, reach).instrument(span).await
            }
        }
    }
}
