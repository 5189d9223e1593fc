//! What the App asks as itself: who it is, where it is installed, which deliveries failed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::github::client::{App, Cap, missing, query_of};
use crate::github::error::GithubError;
use crate::github::operation::{Operation, Route};
use crate::github::types::{Account, InstallationInfo};
use crate::github::wire::{WireAccount, WireInstallation};
use crate::workflow::ids::{DeliveryId, InstallationId, RepositoryId};

/// Who the App is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppIdentity {
    /// The App's id.
    pub id: u64,
    /// The name in addresses.
    pub slug: String,
    /// The login of its account: `slug[bot]`. Its id: [`Installation::account`](crate::github::Installation::account).
    pub login: String,
    /// The name that people see.
    pub name: String,
    /// The permissions that it asks for; an installation may have accepted fewer.
    pub permissions: BTreeMap<String, String>,
    /// The events that it subscribes to.
    pub events: Vec<String>,
    /// Whose App it is.
    pub owner: Option<Account>,
    /// GitHub's clock when it answered, in whole seconds (the header `Date`).
    pub answered_at: Option<DateTime<Utc>>,
}

/// GitHub's number for one attempt to deliver; the delivery's own id is [`DeliveryId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

/// One attempt to deliver to the App's webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDelivery {
    /// Names the attempt when it is to be repeated.
    pub id: AttemptId,
    /// The same for every attempt of one delivery.
    pub guid: DeliveryId,
    /// When it was tried.
    pub delivered_at: DateTime<Utc>,
    /// Whether it was a repetition.
    pub redelivery: bool,
    /// What the receiver answered; 0 when it did not.
    pub status_code: u16,
    /// The event's name.
    pub event: String,
    /// The event's action.
    pub action: Option<String>,
    /// The installation concerned.
    pub installation: Option<InstallationId>,
    /// The repository concerned.
    pub repository: Option<RepositoryId>,
}

impl HookDelivery {
    /// Whether the receiver took it.
    pub fn arrived(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

/// Where the list of deliveries goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// A page of attempts, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    /// The attempts.
    pub deliveries: Vec<HookDelivery>,
    /// Where older ones are.
    pub next: Option<Cursor>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireApp {
    id: Option<u64>,
    slug: Option<String>,
    name: Option<String>,
    owner: Option<WireAccount>,
    permissions: Option<BTreeMap<String, Option<String>>>,
    events: Option<Vec<String>>,
}

/// How deliveries are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSettings {
    /// The address; none where no webhook is set up.
    pub url: Option<String>,
    /// `json` or `form`.
    pub content_type: String,
    /// Whether GitHub checks the certificate there.
    pub verifies_tls: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireHook {
    url: Option<String>,
    content_type: Option<String>,
    insecure_ssl: Option<Insecure>,
}

/// GitHub writes it either way.
#[derive(Deserialize)]
#[serde(untagged)]
enum Insecure {
    Text(String),
    Number(u8),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireDelivery {
    id: Option<u64>,
    guid: Option<String>,
    delivered_at: Option<DateTime<Utc>>,
    redelivery: Option<bool>,
    status_code: Option<u16>,
    event: Option<String>,
    action: Option<String>,
    installation_id: Option<u64>,
    repository_id: Option<u64>,
}

impl App {
    /// Who the App is (`GET /app`).
    pub async fn identity(&self) -> Result<AppIdentity, GithubError> {
        let answer = self.0.get(&Operation::App.at(&[])?).await?;
        let app: WireApp = answer.json()?;
        let slug = app.slug.ok_or_else(|| missing("slug"))?;
        let permissions = app.permissions.unwrap_or_default();
        Ok(AppIdentity {
            id: app.id.ok_or_else(|| missing("id"))?,
            login: format!("{slug}[bot]"),
            name: app.name.unwrap_or_else(|| slug.clone()),
            slug,
            permissions: permissions
                .into_iter()
                .filter_map(|(name, level)| Some((name, level?)))
                .collect(),
            events: app.events.unwrap_or_default(),
            owner: app.owner.and_then(WireAccount::read),
            answered_at: answer.date(),
        })
    }

    /// The installation that covers a repository, or `None` where the App is not installed.
    pub async fn installation_of(&self, owner: &str, name: &str) -> Result<Option<InstallationInfo>, GithubError> {
        let route = Operation::InstallationOf.at(&[&owner, &name])?;
        self.installation_at(&route).await
    }

    /// An installation with the permissions that it has accepted, or `None` when it is gone.
    pub async fn installation(&self, id: InstallationId) -> Result<Option<InstallationInfo>, GithubError> {
        self.installation_at(&Operation::Installation.at(&[&id])?).await
    }

    async fn installation_at(&self, route: &Route) -> Result<Option<InstallationInfo>, GithubError> {
        match self.0.get(route).await {
            Ok(answer) => answer.json::<WireInstallation>()?.read().map(Some).map_err(missing),
            Err(GithubError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every installation.
    pub async fn installations(&self) -> Result<Vec<InstallationInfo>, GithubError> {
        let read = |wire: WireInstallation| wire.read().map(Some);
        let route = Operation::Installations.at(&[])?;
        self.0.list(route, Cap::NONE, read).await?.whole()
    }

    /// Where the App's webhook goes (`GET /app/hook/config`).
    pub async fn hook(&self) -> Result<HookSettings, GithubError> {
        let answer = self.0.get(&Operation::HookConfig.at(&[])?).await?;
        let hook: WireHook = answer.json()?;
        if hook.url.is_none() && hook.content_type.is_none() && hook.insecure_ssl.is_none() {
            return Err(missing("content_type"));
        }
        Ok(HookSettings {
            url: hook.url.filter(|url| !url.is_empty()),
            content_type: hook.content_type.unwrap_or_else(|| "form".to_owned()),
            verifies_tls: match hook.insecure_ssl {
                None => true,
                Some(Insecure::Text(text)) => text == "0",
                Some(Insecure::Number(number)) => number == 0,
            },
        })
    }

    /// Attempts to deliver, newest first. GitHub keeps three days of them (an Enterprise Server seven).
    pub async fn deliveries(&self, from: Option<&Cursor>) -> Result<DeliveryPage, GithubError> {
        let mut route = Operation::Deliveries.at(&[])?.with("per_page", 100);
        if let Some(Cursor(cursor)) = from {
            route = route.with("cursor", cursor);
        }
        let answer = self.0.get(&route).await?;
        let deliveries: Vec<WireDelivery> = answer.json()?;
        Ok(DeliveryPage {
            deliveries: deliveries.into_iter().map(read_delivery).collect::<Result<_, _>>()?,
            next: answer
                .link("next")
                .and_then(|next| query_of(&next, "cursor"))
                .map(Cursor),
        })
    }

    /// Asks GitHub to deliver again. It keeps the delivery's id.
    pub async fn redeliver(&self, attempt: AttemptId) -> Result<(), GithubError> {
        let route = Operation::Redeliver.at(&[&attempt.0])?;
        self.0.send_empty(&route).await.map(drop)
    }
}

fn read_delivery(wire: WireDelivery) -> Result<HookDelivery, GithubError> {
    Ok(HookDelivery {
        id: AttemptId(wire.id.ok_or_else(|| missing("id"))?),
        guid: DeliveryId(wire.guid.ok_or_else(|| missing("guid"))?),
        delivered_at: wire.delivered_at.ok_or_else(|| missing("delivered_at"))?,
        redelivery: wire.redelivery.unwrap_or(false),
        status_code: wire.status_code.unwrap_or(0),
        event: wire.event.unwrap_or_default(),
        action: wire.action,
        installation: wire.installation_id.map(InstallationId),
        repository: wire.repository_id.map(RepositoryId),
    })
}
