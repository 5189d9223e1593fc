//! Who we are to GitHub: the App's JSON web token and the installations' tokens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use octocrab::jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};

use super::error::GithubError;
use crate::workflow::ids::InstallationId;

/// Tells the time. Injected, so that tests decide it.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// As whom a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// The App, by a JSON web token. Only paths under `/app` and the looking up of installations take it.
    App,
    /// An installation, by its token.
    Installation(InstallationId),
}

/// GitHub takes a token for ten minutes at most
/// (<https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>).
const JWT_LIFE: TimeDelta = TimeDelta::minutes(9);
/// The same page asks for a minute of clock drift.
const JWT_BACKDATED: TimeDelta = TimeDelta::seconds(60);
/// Below this a different clock is no reason for a 401.
const SKEW_THAT_MATTERS: TimeDelta = TimeDelta::seconds(20);

/// Signs the App's JSON web tokens.
pub(super) struct Signer {
    app_id: u64,
    key: EncodingKey,
    clock: Clock,
    /// How far GitHub's clock is ahead of ours, in seconds, once a 401 made us look.
    skew: AtomicI64,
}

#[derive(Serialize)]
struct Claims {
    iss: u64,
    iat: i64,
    exp: i64,
}

/// Reads an RSA key, or says why it is none; the reason names no part of the key.
fn read_key(pem: &str) -> Result<EncodingKey, String> {
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|error| error.to_string())
}

/// Whether a text is an RSA key in PEM form; otherwise the end of a sentence that says so.
pub(super) fn check_key(pem: &str) -> Result<(), String> {
    read_key(pem).map(drop).map_err(|error| {
        format!("is no RSA key ({error}); use the .pem file that GitHub offers on the App's settings page")
    })
}

impl Signer {
    pub fn new(app_id: u64, pem: &str, clock: Clock) -> Result<Self, String> {
        let key = read_key(pem)?;
        Ok(Self {
            app_id,
            key,
            clock,
            skew: AtomicI64::new(0),
        })
    }

    /// GitHub's time, as far as we know it.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)() + TimeDelta::seconds(self.skew.load(Ordering::Relaxed))
    }

    pub fn bearer(&self) -> Result<HeaderValue, GithubError> {
        let now = self.now();
        let claims = Claims {
            iss: self.app_id,
            iat: (now - JWT_BACKDATED).timestamp(),
            exp: (now + JWT_LIFE).timestamp(),
        };
        let token = encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|error| GithubError::Unreachable(format!("the App's token could not be signed: {error}")))?;
        bearer(&token)
    }

    /// Takes GitHub's `Date` after a 401. True if our clock was so wrong that a new token may be accepted.
    pub fn correct(&self, date: Option<&str>) -> bool {
        let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else {
            return false;
        };
        let off = date.with_timezone(&Utc) - self.now();
        if off.abs() < SKEW_THAT_MATTERS {
            return false;
        }
        let skew = (date.with_timezone(&Utc) - (self.clock)()).num_seconds();
        self.skew.store(skew, Ordering::Relaxed);
        tracing::warn!(
            skew_seconds = skew,
            "this machine's clock differs from GitHub's; corrected for tokens"
        );
        true
    }
}

fn bearer(token: &str) -> Result<HeaderValue, GithubError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| GithubError::Unreachable("the token is no header value".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An installation's token. Of any length: GitHub gives out stateless ones of several hundred characters.
#[derive(Clone)]
pub(super) struct Token {
    /// Names this token among those of the process, so that a rejected one can be told from its successor.
    pub serial: u64,
    pub authorization: HeaderValue,
    expires_at: DateTime<Utc>,
}

/// What `POST /app/installations/{id}/access_tokens` answers.
#[derive(Deserialize)]
pub(super) struct Granted {
    token: String,
    expires_at: DateTime<Utc>,
}

/// Renewed this long before it expires: longer than any call may last.
const RENEWED_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// The installations' tokens, each asked for by one caller at a time.
#[derive(Default)]
pub(super) struct Vault {
    slots: Mutex<HashMap<InstallationId, Arc<Slot>>>,
    serial: AtomicU64,
}

#[derive(Default)]
struct Slot {
    /// Counts the finished attempts, so that whoever waited for one shares its failure.
    attempts: AtomicU64,
    kept: tokio::sync::Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    failure: Option<GithubError>,
}

impl Vault {
    /// A token that is good for five minutes more and is not the `rejected` one; asked for by `ask` if there is none.
    pub async fn token<F>(
        &self,
        id: InstallationId,
        now: DateTime<Utc>,
        rejected: Option<u64>,
        ask: F,
    ) -> Result<Token, GithubError>
    where
        F: AsyncFnOnce() -> Result<Granted, GithubError>,
    {
        let slot = self.slot(id);
        let attempts = slot.attempts.load(Ordering::Acquire);
        let mut kept = slot.kept.lock().await;
        if let Some(token) = &kept.token
            && token.expires_at - now > RENEWED_BEFORE
            && Some(token.serial) != rejected
        {
            return Ok(token.clone());
        }
        if slot.attempts.load(Ordering::Acquire) != attempts
            && let Some(failure) = &kept.failure
        {
            return Err(failure.clone());
        }
        let answer = ask().await.and_then(|granted| {
            Ok(Token {
                serial: self.serial.fetch_add(1, Ordering::Relaxed),
                authorization: bearer(&granted.token)?,
                expires_at: granted.expires_at,
            })
        });
        slot.attempts.fetch_add(1, Ordering::Release);
        kept.token = answer.as_ref().ok().cloned();
        kept.failure = answer.as_ref().err().cloned();
        answer
    }

    fn slot(&self, id: InstallationId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(id).or_default())
    }
}
