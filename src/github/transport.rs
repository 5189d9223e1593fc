//! The service under octocrab: headers, time-outs, redirects, renewal after a 401, ETags, and what they tell of the rate.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use octocrab::OctoBody;
use tracing::Instrument as _;
use url::Url;

use super::auth::{Granted, Identity, Signer, Token, Vault};
use super::cache::{Cache, Key};
use super::error::{GithubError, Refusal, classify, text};
use super::operation::Operation;
use crate::outgoing::{self, Way};
use crate::workflow::ids::InstallationId;

/// GitHub asks for a name (<https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent>).
const AGENT: HeaderValue = HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");
const VERSION: HeaderValue = HeaderValue::from_static("2022-11-28");
const API_VERSION: &str = "x-github-api-version";
/// A rename and a transfer make two.
const HOPS: usize = 3;

/// What one call may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte sent (or the token asked for) to the last byte read, repetition after a 401 included.
    /// Well below the lease of an effect.
    pub total: Duration,
    /// The largest answer that is read, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(20),
            answer: 16 * 1024 * 1024,
        }
    }
}

/// The hourly budget of an installation or the App, as its last answer told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls left.
    pub remaining: u64,
    /// Calls in an hour.
    pub limit: Option<u64>,
    /// When the budget is full again.
    pub resets_at: Option<DateTime<Utc>>,
}

pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    graphql: Url,
    pub signer: Signer,
    vault: Vault,
    cache: Cache,
    rates: Mutex<HashMap<Identity, Rate>>,
    limits: Limits,
}

/// A request of which another copy can be sent.
#[derive(Clone)]
struct Outgoing {
    method: Method,
    url: Url,
    body: Option<Bytes>,
    content_type: Option<HeaderValue>,
}

struct Incoming {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Transport {
    pub fn new(base: Url, graphql: Url, signer: Signer, limits: Limits) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: outgoing::client(Way::to(&base)).build()?,
            base,
            graphql,
            signer,
            vault: Vault::default(),
            cache: Cache::default(),
            rates: Mutex::default(),
            limits,
        })
    }

    pub fn graphql_url(&self) -> &Url {
        &self.graphql
    }

    pub fn rate(&self, identity: Identity) -> Option<Rate> {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.get(&identity).copied()
    }

    /// What octocrab's service does with a request. An error tells whether the request may have been executed.
    pub async fn serve(
        self: Arc<Self>,
        identity: Identity,
        request: Request<OctoBody>,
    ) -> Result<Response<Full<Bytes>>, GithubError> {
        let outgoing = self.outgoing(request).await?;
        let sent = AtomicBool::new(false);
        let total = self.limits.total;
        // Never the path: it may hold a label's name.
        let span = tracing::debug_span!(
            "github", otel.kind = "client", http.request.method = %outgoing.method,
            http.response.status_code = tracing::field::Empty
        );
        let answered = tokio::time::timeout(total, self.authorized(identity, outgoing, &sent))
            .instrument(span.clone())
            .await;
        let incoming = match answered {
            Ok(incoming) => {
                let incoming = incoming?;
                span.record("http.response.status_code", incoming.status.as_u16());
                incoming
            }
            Err(_) if sent.load(Ordering::Relaxed) => {
                return Err(GithubError::Ambiguous(format!("no answer within {total:?}")));
            }
            Err(_) => return Err(GithubError::Unreachable(format!("no token within {total:?}"))),
        };
        let mut response = Response::new(Full::new(incoming.body));
        *response.status_mut() = incoming.status;
        *response.headers_mut() = incoming.headers;
        Ok(response)
    }

    async fn outgoing(&self, request: Request<OctoBody>) -> Result<Outgoing, GithubError> {
        let (parts, body) = request.into_parts();
        let url = if parts.uri.authority().is_some() {
            parts.uri.to_string()
        } else {
            format!("{}{}", self.base.as_str().trim_end_matches('/'), parts.uri)
        };
        let url = Url::parse(&url).map_err(|error| GithubError::invalid(format!("{url} is no address: {error}")))?;
        if !self.is_ours(&url) {
            return Err(GithubError::invalid(format!(
                "{} is not GitHub's address here",
                authority(&url)
            )));
        }
        let body = body
            .collect()
            .await
            .map_err(|error| GithubError::invalid(error.to_string()))?
            .to_bytes();
        Ok(Outgoing {
            method: parts.method,
            url,
            body: (!body.is_empty()).then_some(body),
            content_type: parts.headers.get(CONTENT_TYPE).cloned(),
        })
    }

    /// Our credentials go nowhere else.
    fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin() || url.origin() == self.graphql.origin()
    }

    async fn authorized(
        &self,
        identity: Identity,
        outgoing: Outgoing,
        sent: &AtomicBool,
    ) -> Result<Incoming, GithubError> {
        let (authorization, serial) = self.credential(identity, None).await?;
        sent.store(true, Ordering::Relaxed);
        let incoming = self.conditional(identity, &outgoing, authorization).await?;
        if incoming.status != StatusCode::UNAUTHORIZED && !self.lacks_permission(&incoming) {
            return Ok(incoming);
        }
        // What was not accepted was not executed: it is as good as not sent.
        sent.store(false, Ordering::Relaxed);
        if identity == Identity::App && incoming.status == StatusCode::FORBIDDEN {
            return Ok(incoming);
        }
        if identity == Identity::App && !self.signer.correct(text(&incoming.headers, DATE.as_str())) {
            return Ok(incoming);
        }
        let (authorization, _) = self.credential(identity, serial).await?;
        sent.store(true, Ordering::Relaxed);
        self.conditional(identity, &outgoing, authorization).await
    }

    /// A token keeps the permissions that it was made with: an owner may have accepted more since.
    fn lacks_permission(&self, incoming: &Incoming) -> bool {
        incoming.status == StatusCode::FORBIDDEN
            && matches!(
                classify(incoming.status, &incoming.headers, &incoming.body, self.signer.now()),
                GithubError::Forbidden {
                    reason: Refusal::MissingPermission { .. },
                    ..
                }
            )
    }

    async fn credential(
        &self,
        identity: Identity,
        rejected: Option<u64>,
    ) -> Result<(HeaderValue, Option<u64>), GithubError> {
        match identity {
            Identity::App => Ok((self.signer.bearer()?, None)),
            Identity::Installation(id) => {
                let now = self.signer.now();
                let token: Token = self
                    .vault
                    .token(id, now, rejected, async || self.ask_token(id).await)
                    .await?;
                Ok((token.authorization, Some(token.serial)))
            }
        }
    }

    async fn ask_token(&self, id: InstallationId) -> Result<Granted, GithubError> {
        let base = self.base.as_str().trim_end_matches('/');
        let route = Operation::AccessToken.at(&[&id])?;
        let url = format!("{base}{}", route.address());
        let outgoing = Outgoing {
            method: route.method(),
            url: Url::parse(&url).map_err(|error| GithubError::invalid(error.to_string()))?,
            body: None,
            content_type: None,
        };
        let mut incoming = self
            .exchange(&outgoing, self.signer.bearer()?, None)
            .await
            .map_err(before_the_call)?;
        if incoming.status == StatusCode::UNAUTHORIZED && self.signer.correct(text(&incoming.headers, DATE.as_str())) {
            incoming = self
                .exchange(&outgoing, self.signer.bearer()?, None)
                .await
                .map_err(before_the_call)?;
        }
        if !incoming.status.is_success() {
            let error = classify(incoming.status, &incoming.headers, &incoming.body, self.signer.now());
            return Err(before_the_call(error));
        }
        serde_json::from_slice(&incoming.body)
            .map_err(|error| GithubError::Unreachable(format!("GitHub's token could not be read: {error}")))
    }

    /// Sends a GET with the ETag of the answer that we have, and gives that answer for a 304.
    async fn conditional(
        &self,
        identity: Identity,
        outgoing: &Outgoing,
        authorization: HeaderValue,
    ) -> Result<Incoming, GithubError> {
        let key: Option<Key> = (outgoing.method == Method::GET).then(|| (identity, outgoing.url.to_string()));
        let kept = key.as_ref().and_then(|key| self.cache.get(key));
        let etag = kept.as_ref().map(|kept| kept.etag.clone());
        let incoming = self.exchange(outgoing, authorization, etag).await?;
        self.note_rate(identity, &incoming.headers);
        match (incoming.status, key, kept) {
            (StatusCode::NOT_MODIFIED, _, Some(kept)) => Ok(Incoming {
                status: StatusCode::OK,
                headers: kept.headers,
                body: kept.body,
            }),
            (StatusCode::OK, Some(key), _) => {
                self.cache.put(key, &incoming.headers, &incoming.body);
                Ok(incoming)
            }
            _ => Ok(incoming),
        }
    }

    /// One request and its answer, across redirects within GitHub: a renamed repository answers with one
    /// (<https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects>).
    async fn exchange(
        &self,
        outgoing: &Outgoing,
        authorization: HeaderValue,
        etag: Option<HeaderValue>,
    ) -> Result<Incoming, GithubError> {
        let mut outgoing = outgoing.clone();
        let mut hops = 0;
        loop {
            let incoming = self.send(&outgoing, &authorization, etag.as_ref()).await?;
            let status = incoming.status.as_u16();
            if !matches!(status, 301 | 302 | 307 | 308) {
                return Ok(incoming);
            }
            let refused = |message: String| Err(GithubError::Other { status, message });
            let target = text(&incoming.headers, LOCATION.as_str()).and_then(|to| outgoing.url.join(to).ok());
            let Some(target) = target else {
                return refused("it redirects to no address".to_owned());
            };
            if !self.is_ours(&target) {
                return refused(format!("it redirects to another host, {}", authority(&target)));
            }
            if hops == HOPS {
                return refused(format!("it redirects more than {HOPS} times"));
            }
            hops += 1;
            outgoing.url = target;
        }
    }

    async fn send(
        &self,
        outgoing: &Outgoing,
        authorization: &HeaderValue,
        etag: Option<&HeaderValue>,
    ) -> Result<Incoming, GithubError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, AGENT);
        headers.insert(ACCEPT, JSON);
        headers.insert(API_VERSION, VERSION);
        headers.insert(AUTHORIZATION, authorization.clone());
        if let Some(content_type) = &outgoing.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        if let Some(etag) = etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        let mut request = self
            .http
            .request(outgoing.method.clone(), outgoing.url.clone())
            .headers(headers);
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| {
            let story = story(&error);
            if error.is_connect() || error.is_builder() {
                GithubError::Unreachable(story)
            } else {
                GithubError::Ambiguous(story)
            }
        })?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        tracing::debug!(
            method = %outgoing.method,
            path = outgoing.url.path(),
            status = status.as_u16(),
            request_id = text(&headers, "x-github-request-id"),
            "GitHub answered"
        );
        let body = self.read(response).await?;
        Ok(Incoming { status, headers, body })
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Bytes, GithubError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| GithubError::Ambiguous(story(&error)))?
        {
            if body.len() + chunk.len() > self.limits.answer {
                let message = format!("it is larger than {} bytes", self.limits.answer);
                return Err(GithubError::Malformed(message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn note_rate(&self, identity: Identity, headers: &HeaderMap) {
        // Searching, GraphQL and others have budgets of their own.
        if !matches!(text(headers, "x-ratelimit-resource"), None | Some("core")) {
            return;
        }
        let number = |name| text(headers, name).and_then(|value| value.parse::<u64>().ok());
        let Some(remaining) = number("x-ratelimit-remaining") else {
            return;
        };
        let reset = number("x-ratelimit-reset").and_then(|seconds| i64::try_from(seconds).ok());
        let rate = Rate {
            remaining,
            limit: number("x-ratelimit-limit"),
            resets_at: reset.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        };
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.insert(identity, rate);
    }
}

/// An error of asking for a token, as an error of the call that was therefore never sent.
fn before_the_call(error: GithubError) -> GithubError {
    match error {
        GithubError::Ambiguous(message) | GithubError::Malformed(message) => {
            GithubError::Unreachable(format!("no token for the installation: {message}"))
        }
        GithubError::NotFound(message) | GithubError::Gone(message) => GithubError::NotInstalled(message),
        other => other,
    }
}

fn authority(url: &Url) -> &str {
    url.host_str().unwrap_or("an address without a host")
}

/// The error with its causes: reqwest's own sentence leaves out what went wrong.
fn story(error: &reqwest::Error) -> String {
    let mut story = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        story.push_str(": ");
        story.push_str(&next.to_string());
        cause = next.source();
    }
    story
}
