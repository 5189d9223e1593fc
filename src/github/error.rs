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
    /// Certainly not executed: the time in which nobody else may make this write is nearly over, so it was not sent.
    #[error("too little of the lease is left to write to GitHub; nothing was sent")]
    TooLate,
    /// Certainly not executed: the request never reached GitHub.
    #[error("GitHub could not be reached: {0}")]
    Unreachable(String),
    /// GitHub answered with success and we cannot read the answer; a write has been executed.
    #[error("GitHub's answer could not be read: {0}")]
    Malformed(String),
    /// What was asked for is there and is no text that we could use; only somebody who changes it can help.
    #[error("it is there, and is not what it should be: {0}")]
    Unusable(String),
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
    /// The file is larger than what is given at all.
    TooLarge,
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
            | Self::TooLate
            | Self::Unreachable(_)
            | Self::Unusable(_)
            | Self::Other { .. } => Certainty::DefinitelyNot,
        }
    }

    /// Whether asking again later may help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Ambiguous(_) | Self::TooLate | Self::Unreachable(_) | Self::Malformed(_)
        )
    }

    /// Whether it is a 422 that names this field.
    pub fn blames(&self, field: &str) -> bool {
        matches!(self, Self::Validation { errors, .. } if errors.iter().any(|error| error.field == field))
    }

    /// Whether GitHub refused to create what is there already.
    pub fn says_already_exists(&self) -> bool {
        matches!(self, Self::Validation { errors, .. } if errors.iter().any(|error| error.code == "already_exists"))
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
    } else if said.contains("too large to fetch") {
        Some(Refusal::TooLarge)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn classified(status: u16, headers: &[(&'static str, &str)], body: &str) -> GithubError {
        let headers = headers.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                value.parse::<http::HeaderValue>().unwrap(),
            )
        });
        let headers = HeaderMap::from_iter(headers);
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        classify(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), now)
    }

    fn limited(seconds: u64, secondary: bool) -> GithubError {
        GithubError::RateLimited {
            retry_after: Duration::from_secs(seconds),
            secondary,
        }
    }

    fn forbidden(message: &str, reason: Refusal) -> GithubError {
        GithubError::Forbidden {
            message: message.to_owned(),
            reason,
        }
    }

    const SECONDARY: &str = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
    const ABUSE: &str = r#"{"message":"You have triggered an abuse detection mechanism."}"#;
    const PRIMARY: &str = r#"{"message":"API rate limit exceeded for installation ID 7."}"#;
    const INTEGRATION: &str = r#"{"message":"Resource not accessible by integration"}"#;
    const LINKED: &str = r#"{"message":"Slow down","documentation_url":"https://docs.github.com/rest/overview#about-secondary-rate-limits"}"#;

    #[test]
    fn limits_are_told_from_refusals() {
        let reset = (NOW + 600).to_string();
        let past = (NOW - 5).to_string();
        type Row<'a> = (u16, &'a [(&'static str, &'a str)], &'a str, GithubError);
        let table: &[Row<'_>] = &[
            (429, &[("retry-after", "7")], "", limited(7, true)),
            (429, &[], "", limited(60, true)),
            (403, &[("retry-after", "7")], SECONDARY, limited(7, true)),
            (
                403,
                &[("retry-after", "Fri, 15 Jan 2027 08:00:09 GMT")],
                SECONDARY,
                limited(9, true),
            ),
            (403, &[], SECONDARY, limited(60, true)),
            (403, &[], ABUSE, limited(60, true)),
            (403, &[], LINKED, limited(60, true)),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)],
                PRIMARY,
                limited(601, false),
            ),
            (
                429,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)],
                PRIMARY,
                limited(601, false),
            ),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &past)],
                PRIMARY,
                limited(1, false),
            ),
            (403, &[("x-ratelimit-remaining", "0")], PRIMARY, limited(60, false)),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("retry-after", "3")],
                PRIMARY,
                limited(3, false),
            ),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)],
                SECONDARY,
                limited(60, true),
            ),
            (403, &[("x-ratelimit-remaining", "12")], PRIMARY, limited(60, true)),
            (
                422,
                &[],
                r#"{"message":"Validation Failed","errors":[{"resource":"Issue","code":"custom","message":"was submitted too quickly"}]}"#,
                limited(60, true),
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-accepted-github-permissions", "issues=write"),
                ],
                INTEGRATION,
                forbidden(
                    "Resource not accessible by integration",
                    Refusal::MissingPermission {
                        needed: Some("issues=write".to_owned()),
                    },
                ),
            ),
            (
                403,
                &[],
                r#"{"message":"Unable to create comment because issue is locked."}"#,
                forbidden("Unable to create comment because issue is locked.", Refusal::Locked),
            ),
            (
                403,
                &[],
                r#"{"message":"Repository was archived so is read-only."}"#,
                forbidden("Repository was archived so is read-only.", Refusal::Archived),
            ),
            (
                403,
                &[],
                r#"{"message":"This installation has been suspended"}"#,
                forbidden("This installation has been suspended", Refusal::Suspended),
            ),
            (403, &[], r#"{"message":"No"}"#, forbidden("No", Refusal::Other)),
        ];
        for (status, headers, body, expected) in table {
            assert_eq!(
                &classified(*status, headers, body),
                expected,
                "{status} {headers:?} {body}"
            );
            assert_eq!(expected.certainty(), Certainty::DefinitelyNot);
        }
    }

    #[test]
    fn the_other_statuses() {
        let said = |text: &str| text.to_owned();
        let message = r#"{"message":"m"}"#;
        let table = [
            (
                401,
                message,
                GithubError::Unauthorized(said("m")),
                Certainty::DefinitelyNot,
            ),
            (404, message, GithubError::NotFound(said("m")), Certainty::DefinitelyNot),
            (409, message, GithubError::Conflict(said("m")), Certainty::DefinitelyNot),
            (410, message, GithubError::Gone(said("m")), Certainty::DefinitelyNot),
            (500, message, GithubError::Ambiguous(said("500 m")), Certainty::Maybe),
            (
                502,
                "<h1>Bad\n gateway</h1>",
                GithubError::Ambiguous(said("502 <h1>Bad gateway</h1>")),
                Certainty::Maybe,
            ),
            (
                503,
                "",
                GithubError::Ambiguous(said("503 no message")),
                Certainty::Maybe,
            ),
            (
                408,
                "",
                GithubError::Ambiguous(said("408 no message")),
                Certainty::Maybe,
            ),
            (
                451,
                message,
                GithubError::Other {
                    status: 451,
                    message: said("m"),
                },
                Certainty::DefinitelyNot,
            ),
        ];
        for (status, body, expected, certainty) in table {
            assert_eq!(classified(status, &[], body), expected);
            assert_eq!(expected.certainty(), certainty, "{status}");
        }
    }

    #[test]
    fn a_422_names_its_fields_in_whatever_shape_github_sends_them() {
        let body = r#"{"message":"Validation Failed","errors":[
            {"value":"nobody","resource":"Issue","field":"assignees","code":"invalid"}, "a sentence", 7]}"#;
        let error = classified(422, &[], body);
        assert!(error.blames("assignees") && !error.blames("labels"));
        assert_eq!(
            error.to_string(),
            "GitHub found the request invalid: Validation Failed; Issue assignees invalid; a sentence; "
        );
        for body in [
            r#"{"message":"m","errors":"one sentence"}"#,
            r#"{"message":"m","errors":null}"#,
            r#"{"message":"m"}"#,
        ] {
            assert!(matches!(classified(422, &[], body), GithubError::Validation { message, .. } if message == "m"));
        }
    }
}
