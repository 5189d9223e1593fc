//! Telling others than GitHub what happened: signed JSON for systems, a short message for a channel of people.
//!
//! What is told is ids, states and links, and nobody's words. It is told at least once: whoever may have taken a
//! notification is sent it again under the same id, by which a standard receiver knows the repeat.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `body` | the JSON that a standard receiver gets, and its schema |
//! | `message` | what people read in Slack or Discord |
//! | `signature` | who sent this, by Standard Webhooks |
//!
//! The signature is twenty lines over `hmac`, which the webhook's own check uses. The crate `standardwebhooks` 1.0.1 would
//! bring a second HMAC, a second Base64 and `time`, signs with one secret at a time, and ends where the work begins: at
//! sending.

mod body;
mod message;
mod signature;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tracing::Instrument as _;

pub use body::{SCHEMA_VERSION, schema};

use crate::config::{Channel, NotificationEndpoint, Notifications};
use crate::outgoing::{self, Way};
use crate::workflow::ids::Digest;
use crate::workflow::notification::{Kind, Notification};

/// How long one request may take, from the connection to the answer's head. Standard Webhooks recommends 15 to 30 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a notification was not taken. No variant holds the address, or a word of the receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It will not be.
    #[error("{0}")]
    Refused(String),
    /// It was not, now.
    #[error("it answered {status}")]
    Busy {
        /// The status.
        status: u16,
        /// How long the receiver asks us to wait.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// It may have been.
    #[error("no answer: {0}")]
    BrokenOff(String),
}

/// What is told, and what goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What happened.
    pub notification: &'a Notification,
    /// The repository's `owner/name`.
    pub repository: &'a str,
    /// Where the workflow's card can be read, where it has one.
    pub card: Option<&'a str>,
}

/// The receivers of a server.
pub struct Notifier {
    receivers: Vec<Receiver>,
    site: String,
}

/// One of them.
pub struct Receiver {
    endpoint: NotificationEndpoint,
    client: reqwest::Client,
}

impl Notifier {
    /// Prepares connections; none is opened yet. `site` is where GitHub's pages are, such as `https://github.com`.
    ///
    /// # Errors
    /// When the machine's certificates or its proxy settings cannot be read.
    pub fn new(notifications: &Notifications, site: &str) -> Result<Self, reqwest::Error> {
        let receivers = notifications.endpoints.iter().map(Receiver::new);
        Ok(Self {
            receivers: receivers.collect::<Result<_, _>>()?,
            site: site.to_owned(),
        })
    }

    /// One that tells nobody.
    pub fn silent() -> Self {
        Self {
            receivers: Vec::new(),
            site: String::new(),
        }
    }

    /// Whether nobody is ever told.
    pub fn is_silent(&self) -> bool {
        self.receivers.is_empty()
    }

    /// The names of those that are told of this in a repository (`owner/name`).
    pub fn wanting(&self, kind: Kind, repository: &str) -> impl Iterator<Item = &str> {
        let wanting = self
            .receivers
            .iter()
            .filter(move |receiver| receiver.endpoint.wants(kind, repository));
        wanting.map(|receiver| receiver.endpoint.name.as_str())
    }

    /// The receiver of that name, where it is told of this; the name of one that is not there any more is nobody's.
    pub fn receiver(&self, name: &str, kind: Kind, repository: &str) -> Option<&Receiver> {
        let mut receivers = self.receivers.iter();
        let receiver = receivers.find(|receiver| receiver.endpoint.name.as_str() == name)?;
        receiver.endpoint.wants(kind, repository).then_some(receiver)
    }

    /// Tells a receiver once, and waits for the answer. Each attempt bears its own time and the same id.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn tell(&self, receiver: &Receiver, told: Told<'_>, now: DateTime<Utc>) -> Result<(), Failure> {
        let span = tracing::debug_span!(
            "notification",
            otel.kind = "client",
            endpoint = receiver.endpoint.name.as_str(),
            kind = told.notification.kind.as_str(),
            status = tracing::field::Empty
        );
        let body = match &receiver.endpoint.channel {
            Channel::Standard { .. } => body::of(&told, &self.site),
            Channel::Slack(_) => message::slack(&told, &self.site),
            Channel::Discord(_) => message::discord(&told, &self.site),
        };
        let id = id_of(told.notification);
        receiver.send(&id, body, now).instrument(span).await
    }
}

impl Receiver {
    fn new(endpoint: &NotificationEndpoint) -> Result<Self, reqwest::Error> {
        Self::within(endpoint, PATIENCE)
    }

    fn within(endpoint: &NotificationEndpoint, patience: Duration) -> Result<Self, reqwest::Error> {
        let client = outgoing::client(Way::to(endpoint.channel.expose_url()))
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .timeout(patience)
            .build()?;
        Ok(Self {
            endpoint: endpoint.clone(),
            client,
        })
    }

    async fn send(&self, id: &str, body: Vec<u8>, now: DateTime<Utc>) -> Result<(), Failure> {
        let channel = &self.endpoint.channel;
        let mut request = self.client.post(channel.expose_url().clone());
        request = request.header(CONTENT_TYPE, "application/json");
        if let Channel::Standard { secret, previous, .. } = channel {
            let secrets = std::iter::once(secret).chain(previous);
            for (name, value) in signature::headers(secrets, id, now.timestamp(), &body) {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body).send().await.map_err(|error| lost(&error))?;
        let status = answer.status().as_u16();
        tracing::Span::current().record("status", status);
        // What else it says is nothing to us, and is not read.
        judged(status, answer.headers())
    }
}

/// Tells an endpoint that this is a test: of no workflow, under an id of its own.
///
/// # Errors
/// See [`Failure`].
pub async fn test(endpoint: &NotificationEndpoint, now: DateTime<Utc>) -> Result<(), Failure> {
    let receiver = Receiver::new(endpoint).map_err(|error| Failure::Unreachable(error.without_url().to_string()))?;
    let body = match &endpoint.channel {
        Channel::Standard { .. } => body::of_a_test(now),
        Channel::Slack(_) => message::slack_test(),
        Channel::Discord(_) => message::discord_test(),
    };
    let id = format!("msg_{:032x}", rand::random::<u128>());
    receiver.send(&id, body, now).await
}

/// Whether whoever is at an endpoint answers: it is asked for nothing (`HEAD`) and told nothing.
///
/// # Errors
/// Why not, as the end of a sentence.
pub async fn probe(endpoint: &NotificationEndpoint) -> Result<(), String> {
    let receiver = Receiver::new(endpoint).map_err(|error| error.without_url().to_string())?;
    let request = receiver.client.head(endpoint.channel.expose_url().clone());
    let answered = request.send().await.map_err(|error| lost(&error).to_string());
    answered.map(drop)
}

/// The id of what is told, the same for every attempt and every receiver. It holds no character of its own meaning in
/// what is signed, whatever a definition calls its phases.
fn id_of(notification: &Notification) -> String {
    let Notification { workflow, key, at, .. } = notification;
    let digest = Digest::of_bytes(format!("{workflow} {key} {}", at.timestamp_micros()).as_bytes());
    format!("msg_{}", &digest.to_string()[..32])
}

/// What an answer means.
fn judged(status: u16, headers: &HeaderMap) -> Result<(), Failure> {
    match status {
        200..300 => Ok(()),
        300..400 => Err(Failure::Refused(format!(
            "it redirects with {status}, which is not followed: set its address to where it answers itself"
        ))),
        408 | 425 | 429 | 500.. => Err(Failure::Busy {
            status,
            retry_after: outgoing::retry_after(headers),
        }),
        410 => Err(Failure::Refused(
            "it answered 410, it wants no more: remove the endpoint, or correct its address".to_owned(),
        )),
        _ => Err(Failure::Refused(format!("it answered {status}"))),
    }
}

/// What went wrong on the way. The outermost error names the address, and is not repeated; the innermost is the reason.
fn lost(error: &reqwest::Error) -> Failure {
    let mut reason: &dyn Error = error;
    let mut deep = false;
    while let Some(deeper) = reason.source() {
        (reason, deep) = (deeper, true);
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Failure::Unreachable("it takes too long".to_owned()),
        (true, false) if deep => Failure::Unreachable(reason.to_string()),
        (true, false) => Failure::Unreachable("it cannot be reached".to_owned()),
        (false, true) => Failure::BrokenOff("it takes too long".to_owned()),
        (false, false) if deep => Failure::BrokenOff(reason.to_string()),
        (false, false) => Failure::BrokenOff("the connection broke".to_owned()),
    }
}
