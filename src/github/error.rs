//! One table from an answer to an error, and how sure we are that a write did not happen.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// How long to wait when GitHub limits us without saying for how long ("wait for at least one minute":
/// <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub const UNSPECIFIED_WAIT: Duration = Duration::from_secs(60);

/// Why a call to GitHub gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GithubError {
    /// Nothing was done; ask again after the given time.
    #[error("GitHub limits our rate; asked to wait {} s", .retry_after.as_secs())]
    RateLimited {
        /// From now; a minute when GitHub did not say.
        retry_after: Duration,
        /// A limit on how fast we go, as against the hourly budget.
        secondary: bool,
    },
    /// 404: it does not exist, or we may not know that it exists.
    #[error("GitHub does not know it: {0}")]
    NotFound(String),
    /// 410: it was deleted, or the feature is turned off.
    #[error("GitHub says that it is gone: {0}")]
    Gone(String),
    /// 403 for a reason other than the rate.
    #[error("GitHub refused: {message}")]
    Forbidden {
        /// GitHub's sentence.
        message: String,
        /// What kind of refusal it is.
        reason: Refusal,
    },
    /// 401, also with a renewed token.
    #[error("GitHub did not accept our credentials: {0}")]
    Unauthorized(String),
    /// The App is not installed there any more: no token is given for this installation.
    #[error("the App is not installed there: {0}")]
    NotInstalled(String),
    /// 422, or a request that cannot be put as one.
    #[error("GitHub found the request invalid: {message}{}", FieldError::list(.errors))]
    Validation {
        /// GitHub's sentence.
        message: String,
        /// One for each field that GitHub names.
        errors: Vec<FieldError>,
    },
    /// 409.
    #[error("GitHub reports a conflict: {0}")]
    Conflict(String),
    /// Sent, and perhaps executed: no answer in time, a connection that broke, or a 5xx.
    #[error("GitHub gave no usable answer: {0}")]
    Ambiguous(String),
    /// Certainly not executed: the request never reached GitHub.
    #[error("GitHub could not be reached: {0}")]
    Unreachable(String),
    /// GitHub answered with success and we cannot read the answer; a write has been executed.
    #[error("GitHub's answer could not be read: {0}")]
    Malformed(String),
    /// Any other status.
    #[error("GitHub answered {status}: {message}")]
    Other {
        /// The HTTP status.
        status: u16,
        /// GitHub's sentence.
        message: String,
    },
}

/// Why GitHub forbids it, as far as its sentence tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The App's installation lacks a permission ("Resource not accessible by integration").
    MissingPermission {
        /// What `X-Accepted-GitHub-Permissions` names, such as `issues=write`, when GitHub sent it.
        needed: Option<String>,
    },
    /// The issue or pull request is locked.
    Locked,
    /// The repository is archived and therefore read-only.
    Archived,
    /// The installation is suspended.
    Suspended,
    /// Another reason; see the message.
    Other,
}

/// One field that GitHub found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldError {
    /// Such as `Issue`.
    pub resource: String,
    /// Such as `assignees`.
    pub field: String,
    /// Such as `invalid`, `missing_field`, `already_exists`, `custom`.
    pub code: String,
    /// GitHub's sentence about it, often empty.
    pub message: String,
}

impl FieldError {
    fn list(errors: &[Self]) -> String {
        errors.iter().map(|error| format!("; {error}")).collect()
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [&self.resource, &self.field, &self.code, &self.message];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&parts.join(" "))
    }
}

/// How sure we are that a failed write was not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It may be sent again.
    DefinitelyNot,
    /// It must be looked for before it is sent again.
    Maybe,
}

impl GithubError {
    /// Whether the write behind this error may have been executed.
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Ambiguous(_) | Self::Malformed(_) => Certainty::Maybe,
            Self::RateLimited { .. }
            | Self::NotFound(_)
            | Self::Gone(_)
            | Self::Forbidden { .. }
            | Self::Unauthorized(_)
            | Self::NotInstalled(_)
            | Self::Validation { .. }
            | Self::Conflict(_)
            | Self::Unreachable(_)
            | Self::Other { .. } => Certainty::DefinitelyNot,
        }
    }

    /// Whether asking again later may help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Ambiguous(_) | Self::Unreachable(_) | Self::Malformed(_)
        )
    }

    /// Whether it is a 422 that names this field.
    pub fn blames(&self, field: &str) -> bool {
        matches!(self, Self::Validation { errors, .. } if errors.iter().any(|error| error.field == field))
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Validation {
            message: message.into(),
            errors: Vec::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    message: Option<String>,
    errors: Value,
    documentation_url: Option<String>,
}

/// The error that an answer means. Call it for any status that is not a success.
///
/// Rules: <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api> and
/// <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api>.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> GithubError {
    let refused: Refused = serde_json::from_slice(body).unwrap_or_default();
    let message = refused.message.clone().unwrap_or_else(|| excerpt(body));
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return GithubError::Ambiguous(format!("{} {message}", status.as_u16()));
    }
    match status.as_u16() {
        401 => GithubError::Unauthorized(message),
        403 | 429 => limited_or_forbidden(status, headers, &refused, message, now),
        404 => GithubError::NotFound(message),
        409 => GithubError::Conflict(message),
        410 => GithubError::Gone(message),
        422 => validation(message, &refused.errors),
        status => GithubError::Other { status, message },
    }
}

fn limited_or_forbidden(
    status: StatusCode,
    headers: &HeaderMap,
    refused: &Refused,
    message: String,
    now: DateTime<Utc>,
) -> GithubError {
    let said = message.to_lowercase();
    let link = refused.documentation_url.as_deref().unwrap_or_default();
    let speaks_of_secondary =
        said.contains("secondary rate") || said.contains("abuse detection") || link.contains("secondary-rate-limits");
    let exhausted = text(headers, "x-ratelimit-remaining") == Some("0");
    if let Some(retry_after) = retry_after(headers, now) {
        return GithubError::RateLimited {
            retry_after,
            secondary: speaks_of_secondary || !exhausted,
        };
    }
    // The last call of the hour may be forbidden for its own reason: waiting would not help it.
    if let Some(reason) = refusal(&said, headers)
        && status == StatusCode::FORBIDDEN
    {
        return GithubError::Forbidden { message, reason };
    }
    if exhausted && !speaks_of_secondary {
        return GithubError::RateLimited {
            retry_after: until_reset(headers, now).unwrap_or(UNSPECIFIED_WAIT),
            secondary: false,
        };
    }
    if status == StatusCode::TOO_MANY_REQUESTS || speaks_of_secondary || said.contains("rate limit") {
        return GithubError::RateLimited {
            retry_after: UNSPECIFIED_WAIT,
            secondary: true,
        };
    }
    GithubError::Forbidden {
        message,
        reason: Refusal::Other,
    }
}

fn refusal(said: &str, headers: &HeaderMap) -> Option<Refusal> {
    if said.contains("not accessible by integration") {
        let needed = text(headers, "x-accepted-github-permissions").map(str::to_owned);
        Some(Refusal::MissingPermission { needed })
    } else if said.contains("is locked") {
        Some(Refusal::Locked)
    } else if said.contains("archived") {
        Some(Refusal::Archived)
    } else if said.contains("suspended") {
        Some(Refusal::Suspended)
    } else {
        None
    }
}

fn validation(message: String, errors: &Value) -> GithubError {
    let errors: Vec<FieldError> = match errors {
        Value::Array(errors) => errors.iter().map(field_error).collect(),
        Value::Null => Vec::new(),
        other => vec![field_error(other)],
    };
    // GitHub's brake on content that notifies people comes as a 422.
    if errors
        .iter()
        .any(|error| error.message.contains("submitted too quickly"))
    {
        return GithubError::RateLimited {
            retry_after: UNSPECIFIED_WAIT,
            secondary: true,
        };
    }
    GithubError::Validation { message, errors }
}

fn field_error(error: &Value) -> FieldError {
    let part = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match error {
        Value::String(message) => FieldError {
            message: message.clone(),
            ..FieldError::default()
        },
        _ => FieldError {
            resource: part("resource"),
            field: part("field"),
            code: part("code"),
            message: part("message"),
        },
    }
}

fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // RFC 9110, 10.2.3: a date is allowed too.
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

fn until_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let reset = DateTime::from_timestamp(text(headers, "x-ratelimit-reset")?.parse().ok()?, 0)?;
    // One second more: the reset is told in whole seconds.
    Some((reset - now).to_std().unwrap_or_default() + Duration::from_secs(1))
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The beginning of an answer that is no JSON: the page of a proxy, mostly.
fn excerpt(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return "no message".to_owned();
    }
    text.chars().take(LONGEST).collect()
}
