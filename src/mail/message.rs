//! From what was approved to the bytes of a message.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox as LettreMailbox, Message, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};

use super::{MailFailure, MailerSetup, OutgoingMail};
use crate::config::Mailbox;
use crate::workflow::ids::Digest;

/// The longest name that is taken into a Message-ID as it is; it also names a file.
const MAX_NAME: usize = 100;

/// A Message-ID (RFC 5322, 3.6.4) with its angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

/// A text that is no Message-ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Message-ID of the form <name@host>")]
pub struct NotAMessageId(String);

impl MessageId {
    pub(super) fn new(name: &str, host: &str) -> Self {
        Self(format!("<{}@{host}>", safe_name(name)))
    }

    /// The id with its angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A file name without directories that no other id has.
    pub(super) fn file_stem(&self) -> String {
        let inner = self.0.trim_start_matches('<').trim_end_matches('>');
        safe_name(inner.rsplit_once('@').map_or(inner, |(name, _)| name))
    }
}

/// The name itself where it is fit for a Message-ID and for a file on every system; else what is fit of it and a part
/// of its digest, so that two names never meet.
fn safe_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(fits) && !dotted {
        return name.to_owned();
    }
    let digest = Digest::of_bytes(name.as_bytes()).short();
    let kept: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(MAX_NAME / 2)
        .collect();
    if kept.is_empty() {
        digest
    } else {
        format!("{kept}-{digest}")
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MessageId {
    type Err = NotAMessageId;

    fn from_str(text: &str) -> Result<Self, NotAMessageId> {
        text.strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .filter(|inner| inner.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')))
            .and_then(|inner| inner.rsplit_once('@'))
            .filter(|(name, host)| !name.is_empty() && !host.is_empty())
            .map(|_| Self(text.to_owned()))
            .ok_or_else(|| NotAMessageId(text.to_owned()))
    }
}

impl TryFrom<String> for MessageId {
    type Error = NotAMessageId;

    fn try_from(text: String) -> Result<Self, NotAMessageId> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

/// Whether mail can be sent as this sender.
pub(super) fn check_sender(from: &Mailbox) -> Result<(), MailerSetup> {
    lettre_mailbox(from)
        .map(|_| ())
        .map_err(|why| MailerSetup(format!("COUNTERSIGN_MAIL_FROM: {why}; write Name <name@host>")))
}

/// Writes a mail down. The same mail gives the same bytes.
///
/// # Errors
/// [`MailFailure::Permanent`] when there is nobody to send it to or an address is none.
pub(super) fn render(from: &Mailbox, outgoing: &OutgoingMail) -> Result<Message, MailFailure> {
    let OutgoingMail {
        message_id,
        in_reply_to,
        references,
        mail,
        date,
    } = outgoing;
    if mail.to.is_empty() && mail.cc.is_empty() {
        return Err(MailFailure::Permanent("it has no recipient".to_owned()));
    }
    let unsubscribe = format!("<mailto:{}?subject=unsubscribe>", from.address());
    let mut builder = Message::builder()
        .from(lettre_mailbox(from).map_err(MailFailure::Permanent)?)
        .message_id(Some(message_id.to_string()))
        .date(SystemTime::from(*date))
        .subject(one_line(&mail.subject))
        // RFC 3834: out-of-office programs stay silent.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        // RFC 2369.
        .raw_header(header("List-Unsubscribe", unsubscribe));
    for address in &mail.to {
        builder = builder.to(recipient(address)?);
    }
    for address in &mail.cc {
        builder = builder.cc(recipient(address)?);
    }
    if let Some(parent) = in_reply_to {
        builder = builder.in_reply_to(parent.to_string());
    }
    if !references.is_empty() {
        let ids: Vec<_> = references.iter().map(MessageId::as_str).collect();
        builder = builder.references(ids.join(" "));
    }
    let parts = MultiPart::alternative()
        .boundary(boundary(outgoing))
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html));
    builder
        .multipart(parts)
        .map_err(|error| MailFailure::Permanent(error.to_string()))
}

/// What stands between the parts. Made from the parts themselves, so that no text can hold its own.
fn boundary(outgoing: &OutgoingMail) -> String {
    let OutgoingMail { message_id, mail, .. } = outgoing;
    let digest = Digest::of(&(message_id, &mail.text, &mail.html)).to_string();
    // RFC 2046, 5.1.1 allows 70 characters; 128 bits are enough.
    format!("countersign-{}", &digest[..32])
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(plain_lines(text))
}

fn recipient(text: &str) -> Result<LettreMailbox, MailFailure> {
    let mailbox: Mailbox = text
        .parse()
        .map_err(|mistake| MailFailure::Permanent(format!("the recipient {text:?} {mistake}")))?;
    lettre_mailbox(&mailbox).map_err(MailFailure::Permanent)
}

fn lettre_mailbox(mailbox: &Mailbox) -> Result<LettreMailbox, String> {
    let address = mailbox.address();
    let address: Address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
    // lettre panics at a line break in a display name.
    Ok(LettreMailbox::new(mailbox.name().map(one_line), address))
}

/// Every kind of line break becomes one and other control characters go: a lone CR is left alone by lettre, and some
/// servers take it for the end of a line.
fn plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// White space and control characters become single spaces.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
