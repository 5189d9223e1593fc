//! Whom else than GitHub the server tells what happens: endpoints, as rows of the server's file.

use std::collections::BTreeSet;

use url::Url;

use super::models::{EndpointName, allowed};
use super::secret::{SecretUrl, SigningSecret};
use crate::workflow::notification::Kind;

/// Everything that the server says about notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// The endpoints, in the file's order, each name once. With none, nobody is told.
    pub endpoints: Vec<NotificationEndpoint>,
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationEndpoint {
    /// Its name.
    pub name: EndpointName,
    /// Where it is, and what it is sent there.
    pub channel: Channel,
    /// What it is told of; never empty.
    pub events: BTreeSet<Kind>,
    /// The repositories of which it is told: `owner/name` or `owner/*`. Empty means all.
    pub repositories: Vec<String>,
}

/// Where an endpoint is, and what it is sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Signed JSON, by Standard Webhooks (<https://www.standardwebhooks.com>).
    Standard {
        /// Where it is posted to.
        url: StandardUrl,
        /// What it is signed with.
        secret: SigningSecret,
        /// What it was signed with before: signed with both while the secret is changed.
        previous: Option<SigningSecret>,
    },
    /// A message for an incoming webhook of Slack, or of what takes Slack's form
    /// (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>). Who knows the address can write there.
    Slack(SecretUrl),
    /// A message for a webhook of Discord (<https://discord.com/developers/docs/resources/webhook#execute-webhook>). Who
    /// knows the address can write there.
    Discord(SecretUrl),
}

/// The address of a receiver that checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandardUrl {
    /// It stands in the file.
    Known(Url),
    /// It stands in an environment variable, and is a secret for that.
    Secret(SecretUrl),
}

impl Channel {
    /// As configuration names it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Standard { .. } => "standard",
            Self::Slack(_) => "slack",
            Self::Discord(_) => "discord",
        }
    }

    /// Where it is posted to. It may be a secret: whoever calls this must neither log nor store the answer.
    pub fn expose_url(&self) -> &Url {
        match self {
            Self::Standard {
                url: StandardUrl::Known(url),
                ..
            } => url,
            Self::Standard {
                url: StandardUrl::Secret(url),
                ..
            }
            | Self::Slack(url)
            | Self::Discord(url) => url.expose(),
        }
    }

    /// The host, where the address is no secret.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Standard {
                url: StandardUrl::Known(url),
                ..
            } => url.host_str(),
            _ => None,
        }
    }
}

impl NotificationEndpoint {
    /// Whether it is told of this in a repository (`owner/name`).
    pub fn wants(&self, kind: Kind, repository: &str) -> bool {
        self.events.contains(&kind) && allowed(&self.repositories, repository)
    }
}

impl Notifications {
    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&NotificationEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name.as_str() == name)
    }
}
