//! The client and its handles: the App, an installation, a repository.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

pub use super::auth::Clock;
use super::auth::{Identity, Signer};
use super::error::{GithubError, classify, text};
use super::operation::{self, Operation, Route};
use super::transport::Transport;
pub use super::transport::{Limits, Rate};
use super::types::RepositoryRef;
use super::wire::Missing;
use crate::workflow::ids::InstallationId;

/// The most that GitHub gives in a page.
const PER_PAGE: u64 = 100;
/// A list that is longer than this is no list that we should read.
const MOST_PAGES: u64 = 1000;

/// Where GitHub is and who we are.
pub struct Settings<'a> {
    /// `https://api.github.com`, or ending in `/api/v3` on an Enterprise Server.
    pub api_url: Url,
    /// `https://api.github.com/graphql`, or ending in `/api/graphql`.
    pub graphql_url: Url,
    /// The App's id.
    pub app_id: u64,
    /// The App's private key, PKCS#1 or PKCS#8.
    pub private_key_pem: &'a str,
    /// Tells the time.
    pub clock: Clock,
}

/// Why there is no client. The sentences name no part of the key.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The private key cannot be used.
    #[error("the App's private key is no RSA key in PEM form: {0}")]
    Key(String),
    /// The HTTP client could not be made; mostly the machine has no root certificates.
    #[error("the HTTP client could not be made: {0}")]
    Http(#[from] reqwest::Error),
}

/// GitHub. Cheap to clone. Needs a tokio runtime when a call is made, and always the same one.
#[derive(Clone)]
pub struct GitHub {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport>,
    /// octocrab starts a task for each client, so they are kept.
    clients: Mutex<HashMap<Identity, Octocrab>>,
}

impl GitHub {
    /// A client with the default limits. Sends nothing.
    pub fn new(settings: Settings<'_>) -> Result<Self, SetupError> {
        Self::with_limits(settings, Limits::default())
    }

    /// A client with limits of one's own. Sends nothing.
    pub fn with_limits(settings: Settings<'_>, limits: Limits) -> Result<Self, SetupError> {
        let signer = Signer::new(settings.app_id, settings.private_key_pem, settings.clock).map_err(SetupError::Key)?;
        let transport = Transport::new(settings.api_url, settings.graphql_url, signer, limits)?;
        Ok(Self {
            shared: Arc::new(Shared {
                transport: Arc::new(transport),
                clients: Mutex::default(),
            }),
        })
    }

    /// Calls as the App itself.
    pub fn app(&self) -> App {
        App(self.caller(Identity::App))
    }

    /// Calls as an installation.
    pub fn installation(&self, id: InstallationId) -> Installation {
        Installation(self.caller(Identity::Installation(id)))
    }

    fn caller(&self, identity: Identity) -> Caller {
        Caller {
            shared: Arc::clone(&self.shared),
            identity,
            guard: None,
        }
    }
}

/// Calls as the App itself; see [`calls::app`](super::calls::app).
#[derive(Clone)]
pub struct App(pub(super) Caller);

/// Calls as an installation.
#[derive(Clone)]
pub struct Installation(pub(super) Caller);

impl Installation {
    /// The same, whose writes are not sent any more once the guard says so: [`GithubError::TooLate`].
    #[must_use]
    pub fn guarded(mut self, guard: Guard) -> Self {
        self.0.guard = Some(guard);
        self
    }

    /// Calls on a repository of this installation.
    pub fn repository(&self, repository: &RepositoryRef) -> Repo {
        Repo {
            caller: self.0.clone(),
            repository: repository.clone(),
        }
    }

    /// The hourly budget as the last answer to this installation told it.
    pub fn rate(&self) -> Option<Rate> {
        self.0.shared.transport.rate(self.0.identity)
    }

    /// Calls left in this hour, as the last answer told it.
    pub fn remaining(&self) -> Option<u64> {
        Some(self.rate()?.remaining)
    }
}

/// Calls on one repository; see [`calls`](super::calls).
///
/// Paths hold the repository's name of the time; GitHub redirects from earlier names, and these redirects are
/// followed. Compare ids where it matters.
#[derive(Clone)]
pub struct Repo {
    pub(super) caller: Caller,
    repository: RepositoryRef,
}

/// Whether a write may still be sent.
pub type Guard = Arc<dyn Fn() -> bool + Send + Sync>;

impl Repo {
    /// The same, whose writes are not sent any more once the guard says so: [`GithubError::TooLate`].
    #[must_use]
    pub fn guarded(mut self, guard: Guard) -> Self {
        self.caller.guard = Some(guard);
        self
    }

    /// As it was named when the handle was made.
    pub fn reference(&self) -> &RepositoryRef {
        &self.repository
    }

    /// An operation on this repository, whose owner and name are the first places of the path.
    pub(super) fn at(&self, operation: Operation, values: &[operation::Value<'_>]) -> Result<Route, GithubError> {
        let repository: [operation::Value<'_>; 2] = [&self.repository.owner, &self.repository.name];
        operation.at(&[&repository, values].concat())
    }
}

/// A list, and how much of it was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was read, in GitHub's order.
    pub items: Vec<T>,
    /// 0 when everything is here; otherwise at least so many more there are.
    pub left_out: u64,
}

impl<T> Listing<T> {
    /// The items, where a part of them would mislead.
    pub fn whole(self) -> Result<Vec<T>, GithubError> {
        if self.left_out > 0 {
            return Err(GithubError::Malformed("the list is too long to be read".to_owned()));
        }
        Ok(self.items)
    }
}

/// Where reading a list ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    /// When so many items are there.
    pub items: usize,
    /// After so many pages, which counts where most items are passed over.
    pub pages: u64,
}

impl Cap {
    /// All that there is, within reason.
    pub const NONE: Self = Self {
        items: usize::MAX,
        pages: MOST_PAGES,
    };
}

impl From<usize> for Cap {
    fn from(items: usize) -> Self {
        Self { items, ..Self::NONE }
    }
}

/// Sends as somebody.
#[derive(Clone)]
pub(super) struct Caller {
    shared: Arc<Shared>,
    identity: Identity,
    guard: Option<Guard>,
}

/// An answer with a success status.
pub(super) struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Raw = octocrab::Result<http::Response<http_body_util::combinators::BoxBody<Bytes, octocrab::Error>>>;

impl Caller {
    fn in_time(&self) -> Result<(), GithubError> {
        match self.guard.as_ref().is_none_or(|guard| guard()) {
            true => Ok(()),
            false => Err(GithubError::TooLate),
        }
    }

    /// Asks for what a route reads.
    pub async fn get(&self, route: &Route) -> Result<Answer, GithubError> {
        debug_assert_eq!(route.method(), Method::GET, "{route:?} writes");
        let response = self.octocrab()._get(route.address()).await;
        self.answer(response).await
    }

    /// Writes what a route writes.
    pub async fn send<B: Serialize + ?Sized>(&self, route: &Route, body: &B) -> Result<Answer, GithubError> {
        self.send_with(route, Some(body)).await
    }

    /// The same where nothing is to be said beside the route.
    pub async fn send_empty(&self, route: &Route) -> Result<Answer, GithubError> {
        self.send_with(route, None::<&()>).await
    }

    async fn send_with<B: Serialize + ?Sized>(&self, route: &Route, body: Option<&B>) -> Result<Answer, GithubError> {
        self.in_time()?;
        let (octocrab, address) = (self.octocrab(), route.address());
        let response = match route.method() {
            Method::PATCH => octocrab._patch(address, body).await,
            Method::DELETE => octocrab._delete(address, body).await,
            method => {
                debug_assert_eq!(
                    method,
                    Method::POST,
                    "{route:?} is written in no way that is known here"
                );
                octocrab._post(address, body).await
            }
        };
        self.answer(response).await
    }

    /// An operation of GraphQL: `rest` is what follows its name.
    pub async fn graphql(&self, operation: Operation, rest: &str, variables: Value) -> Result<Answer, GithubError> {
        if operation.writes() {
            self.in_time()?;
        }
        let body = json!({ "query": operation.document(rest)?, "variables": variables });
        let url = self.shared.transport.graphql_url().to_string();
        let response = self.octocrab()._post(&url, Some(&body)).await;
        self.answer(response).await
    }

    /// The items of a list, page by page, up to the cap. `first` has its query, without the page size.
    pub async fn list<W, T, R>(&self, first: Route, cap: impl Into<Cap>, read: R) -> Result<Listing<T>, GithubError>
    where
        W: DeserializeOwned,
        R: Fn(W) -> Result<Option<T>, Missing>,
    {
        let cap = cap.into();
        let mut route = first.with("per_page", PER_PAGE);
        let mut items = Vec::new();
        let mut page = 1;
        loop {
            let answer = self.get(&route).await?;
            let mut left_out = 0;
            for wire in answer.json::<Vec<W>>()? {
                let Some(item) = read(wire).map_err(missing)? else {
                    continue;
                };
                if items.len() < cap.items {
                    items.push(item);
                } else {
                    left_out += 1;
                }
            }
            let Some(next) = answer.link("next") else {
                return Ok(Listing { items, left_out });
            };
            if items.len() >= cap.items || page == cap.pages {
                let last = answer.link("last").and_then(|last| page_of(&last)).unwrap_or(page + 1);
                // Full pages between this and the last, which has at least one.
                left_out += last.saturating_sub(page + 1) * PER_PAGE + 1;
                return Ok(Listing { items, left_out });
            }
            route = route.next(next);
            page += 1;
        }
    }

    async fn answer(&self, response: Raw) -> Result<Answer, GithubError> {
        let (parts, body) = response.map_err(own_error)?.into_parts();
        let body = body.collect().await.map_err(own_error)?.to_bytes();
        if !parts.status.is_success() {
            let now = self.shared.transport.signer.now();
            return Err(classify(parts.status, &parts.headers, &body, now));
        }
        Ok(Answer {
            headers: parts.headers,
            body,
        })
    }

    fn octocrab(&self) -> Octocrab {
        let mut clients = self.shared.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(self.identity).or_insert_with(|| {
            let transport = Arc::clone(&self.shared.transport);
            let identity = self.identity;
            let service = tower::service_fn(move |request| Arc::clone(&transport).serve(identity, request));
            let built = OctocrabBuilder::new_empty()
                .with_service(service)
                .with_auth(AuthState::None)
                .build();
            built.unwrap_or_else(|never: std::convert::Infallible| match never {})
        });
        client.clone()
    }
}

/// The service's error, out of octocrab's wrapping.
fn own_error(error: octocrab::Error) -> GithubError {
    match error {
        octocrab::Error::Service { source, .. } => match source.downcast::<GithubError>() {
            Ok(error) => *error,
            Err(other) => GithubError::Unreachable(other.to_string()),
        },
        // All that is left happens while the request is put together.
        other => GithubError::invalid(other.to_string()),
    }
}

pub(super) fn missing(field: Missing) -> GithubError {
    GithubError::Malformed(format!("`{field}` is missing"))
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, GithubError> {
        serde_json::from_slice(&self.body).map_err(|error| GithubError::Malformed(error.to_string()))
    }

    /// When it was made, by GitHub's clock (RFC 9110, 6.6.1).
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let date = DateTime::parse_from_rfc2822(text(&self.headers, "date")?).ok()?;
        Some(date.to_utc())
    }

    /// The address behind a relation in the `Link` header (RFC 8288).
    pub fn link(&self, relation: &str) -> Option<String> {
        let links = text(&self.headers, "link")?;
        let wanted = format!("rel=\"{relation}\"");
        links.split('<').skip(1).find_map(|link| {
            let (address, parameters) = link.split_once('>')?;
            parameters.contains(&wanted).then(|| address.to_owned())
        })
    }
}

fn page_of(address: &str) -> Option<u64> {
    query_of(address, "page")?.parse().ok()
}

/// The value of a parameter in an address.
pub(super) fn query_of(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let pair = url.query_pairs().find(|(key, _)| key == name)?;
    Some(pair.1.into_owned())
}

/// One segment of a path, percent-encoded (RFC 3986, 2.3: what is not unreserved).
///
/// `.` and `..` are refused: a URL parser would take them, encoded or not, as steps within the path.
pub(super) fn segment(text: &str) -> Result<String, GithubError> {
    if matches!(text, "" | "." | "..") {
        return Err(GithubError::invalid(format!("`{text}` cannot be a name in an address")));
    }
    Ok(encode(text))
}

/// A value in a query, percent-encoded.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
