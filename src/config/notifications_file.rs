//! The section `notifications` of the server's file: as it is written, and the checks that no schema can express.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::document::{ConfigError, Document};
use super::github_api::is_loopback;
use super::models::{EndpointName, WORD_LENGTH};
use super::models_file::{is_repository_pattern, is_variable};
use super::notifications::{Channel, NotificationEndpoint, Notifications, StandardUrl};
use super::secret::{SecretUrl, SigningSecret};
use crate::workflow::notification::Kind;

/// What of this section can be left out alone when it has a mistake.
pub(super) const PARTS: &[&[&str]] = &[
    &["notifications", "*"],
    &["notifications", "endpoints", "*"],
    &["notifications", "endpoints", "*", "*"],
];

/// The most endpoints: each may have one notification under way.
const MOST_ENDPOINTS: usize = 20;

// The text on the fields is what editors show from the schema. All are options, so that one mistake hides no other.

/// Whom else than GitHub is told what happens to workflows, by ids and states: never what people or agents wrote. In the
/// file only.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileNotifications {
    /// Receivers by name.
    #[serde(default)]
    #[schemars(extend("maxProperties" = MOST_ENDPOINTS))]
    endpoints: BTreeMap<String, FileEndpoint>,
}

/// One receiver.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileEndpoint {
    /// What it is sent: standard (JSON, signed by Standard Webhooks), slack or discord (a message for an incoming webhook).
    /// Default: standard
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["standard", "slack", "discord"]))]
    format: Option<Format>,
    /// Where a standard receiver is: https, or http on this machine.
    #[serde(default)]
    #[schemars(with = "String")]
    url: Option<String>,
    /// The name of the environment variable that holds the address, in place of url. Needed for slack and discord, whose
    /// address is their secret.
    #[serde(default)]
    #[schemars(with = "String")]
    url_env: Option<String>,
    /// The name of the environment variable that holds the secret (whsec_…) that a standard receiver checks signatures
    /// with. Needed for standard.
    #[serde(default)]
    #[schemars(with = "String")]
    secret_env: Option<String>,
    /// The same for the secret before: both sign while the secret is changed.
    #[serde(default)]
    #[schemars(with = "String")]
    secret_previous_env: Option<String>,
    /// What it is told of. Left out: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = kinds()))]
    events: Option<Vec<Kind>>,
    /// Repositories of which it is told: owner/name or owner/*. Left out: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 500))]
    repositories: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Standard,
    Slack,
    Discord,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Slack => "slack",
            Self::Discord => "discord",
        }
    }
}

/// The schema of a [`Kind`].
pub(super) fn kinds() -> serde_json::Value {
    serde_json::json!({ "type": "string", "enum": Kind::ALL.map(Kind::as_str) })
}

impl FileNotifications {
    /// Checks the section of this document. What the variables hold is looked at: a server that could tell nobody would
    /// not be noticed.
    ///
    /// # Errors
    /// Every mistake that the schema does not find, in the file's order.
    pub(super) fn check(
        &self,
        document: &Document,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Notifications, Vec<ConfigError>> {
        let mut check = Check {
            document,
            environment,
            mistakes: Vec::new(),
        };
        let mut endpoints = Vec::new();
        for name in document.keys(&["notifications", "endpoints"]) {
            // Where it is not among the values, it was no mapping, which was told.
            let file = self.endpoints.get(name);
            endpoints.extend(file.and_then(|file| check.endpoint(name, file)));
        }
        if check.mistakes.is_empty() {
            Ok(Notifications { endpoints })
        } else {
            check.mistakes.sort();
            Err(check.mistakes)
        }
    }
}

struct Check<'a> {
    document: &'a Document,
    environment: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<ConfigError>,
}

impl Check<'_> {
    /// A mistake in one value of an endpoint; the sentence begins with the value's path.
    fn wrong(&mut self, endpoint: &str, below: &[&str], sentence: impl AsRef<str>) {
        let path: Vec<&str> = ["notifications", "endpoints", endpoint]
            .into_iter()
            .chain(below.iter().copied())
            .collect();
        let sentence = format!("`{}` {}", path.join("."), sentence.as_ref());
        self.mistakes.push(self.document.at(&path).error(sentence));
    }

    /// The endpoint as far as it is whole.
    fn endpoint(&mut self, name: &str, file: &FileEndpoint) -> Option<NotificationEndpoint> {
        let parsed = EndpointName::parse(name);
        if parsed.is_none() {
            let at = self.document.key_at(&["notifications", "endpoints", name]);
            self.mistakes.push(at.error(format!(
                "{name:?} cannot be an endpoint's name; use up to {WORD_LENGTH} lower-case letters, digits and hyphens, a letter first"
            )));
        }
        let channel = self.channel(name, file);
        let events = self.events(name, file.events.as_deref());
        let repositories = self.repositories(name, file.repositories.as_deref());
        Some(NotificationEndpoint {
            name: parsed?,
            channel: channel?,
            events,
            repositories,
        })
    }

    fn channel(&mut self, name: &str, file: &FileEndpoint) -> Option<Channel> {
        // Given and unknown: that was told.
        if file.format.is_none() && self.says(name, "format") {
            return None;
        }
        let format = file.format.unwrap_or_default();
        if format != Format::Standard {
            for (key, given) in [
                ("secret_env", &file.secret_env),
                ("secret_previous_env", &file.secret_previous_env),
            ] {
                if given.is_some() {
                    let sentence = format!(
                        "is for the format standard: {} checks no signature, its address is its secret; remove it",
                        format.as_str()
                    );
                    self.wrong(name, &[key], sentence);
                }
            }
        }
        let url = self.url(name, file, format);
        match format {
            Format::Standard => {
                let secret = match &file.secret_env {
                    Some(_) => self.secret(name, "secret_env", file.secret_env.as_deref()),
                    None => {
                        if !self.says(name, "secret_env") {
                            self.wrong(
                                name,
                                &[],
                                "lacks `secret_env`; name the environment variable that holds the secret (whsec_…) by which the receiver \
                                 knows that it is us",
                            );
                        }
                        None
                    }
                };
                let previous = self.secret(name, "secret_previous_env", file.secret_previous_env.as_deref());
                Some(Channel::Standard {
                    url: url?,
                    secret: secret?,
                    previous,
                })
            }
            Format::Slack => secret_url(url?).map(Channel::Slack),
            Format::Discord => secret_url(url?).map(Channel::Discord),
        }
    }

    fn url(&mut self, name: &str, file: &FileEndpoint, format: Format) -> Option<StandardUrl> {
        match (&file.url, &file.url_env) {
            (Some(_), Some(_)) => {
                self.wrong(name, &["url_env"], "and `url` both say where it is; remove one of them");
                None
            }
            (Some(_), None) if format != Format::Standard => {
                let sentence = format!(
                    "is the secret of {}, which does not stand in a file: put it into an environment variable and name that in \
                     `url_env`; replace an address that has stood in this file",
                    format.as_str()
                );
                self.wrong(name, &["url"], sentence);
                None
            }
            (Some(text), None) => {
                let url = address(text).map_err(|sentence| self.wrong(name, &["url"], sentence));
                url.ok().map(StandardUrl::Known)
            }
            (None, Some(variable)) => {
                let text = self.variable(name, "url_env", variable)?;
                match address(&text) {
                    Ok(url) => Some(StandardUrl::Secret(SecretUrl::new(url))),
                    Err(sentence) => {
                        self.wrong(name, &["url_env"], format!("names {variable}, which {sentence}"));
                        None
                    }
                }
            }
            (None, None) => {
                if !self.says(name, "url") && !self.says(name, "url_env") {
                    let sentence = match format {
                        Format::Standard => "lacks `url`; add the address of the receiver, https://HOST/PATH",
                        _ => "lacks `url_env`; name the environment variable that holds the address of the webhook",
                    };
                    self.wrong(name, &[], sentence);
                }
                None
            }
        }
    }

    fn secret(&mut self, name: &str, key: &str, variable: Option<&str>) -> Option<SigningSecret> {
        let variable = variable?;
        let text = self.variable(name, key, variable)?;
        let secret = SigningSecret::parse(&text);
        secret
            .map_err(|sentence| self.wrong(name, &[key], format!("names {variable}, which {sentence}")))
            .ok()
    }

    /// What an environment variable holds.
    fn variable(&mut self, name: &str, key: &str, variable: &str) -> Option<String> {
        if !is_variable(variable) {
            // What stands there may be the secret: it is not repeated.
            self.wrong(
                name,
                &[key],
                "must be the name of an environment variable (letters, digits and _, such as OPS_WEBHOOK), not what it holds; \
                 replace a secret that has stood in this file",
            );
            return None;
        }
        let text = (self.environment)(variable).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong(
                name,
                &[key],
                format!("names {variable}, which is not set; set it, or remove the endpoint"),
            );
        }
        text
    }

    fn events(&mut self, name: &str, events: Option<&[Kind]>) -> BTreeSet<Kind> {
        let Some(events) = events else {
            return Kind::ALL.into();
        };
        if events.is_empty() {
            self.wrong(
                name,
                &["events"],
                "asks for nothing; name some, or remove it to be told of all",
            );
        }
        events.iter().copied().collect()
    }

    fn repositories(&mut self, name: &str, repositories: Option<&[String]>) -> Vec<String> {
        let Some(repositories) = repositories else {
            return Vec::new();
        };
        if repositories.is_empty() {
            self.wrong(
                name,
                &["repositories"],
                "names no repository; name some (owner/name or owner/*), or remove it to be told of all",
            );
        }
        for (index, pattern) in repositories.iter().enumerate() {
            if !is_repository_pattern(pattern) {
                let index = index.to_string();
                self.wrong(
                    name,
                    &["repositories", &index],
                    "must be owner/name, or owner/* for all of an owner's; to be told of all repositories, remove `repositories`",
                );
            }
        }
        repositories.to_vec()
    }

    /// Whether the file gives an endpoint this key, whatever stands there.
    fn says(&self, name: &str, key: &str) -> bool {
        self.document.keys(&["notifications", "endpoints", name]).contains(&key)
    }
}

fn secret_url(url: StandardUrl) -> Option<SecretUrl> {
    match url {
        StandardUrl::Secret(url) => Some(url),
        StandardUrl::Known(_) => None,
    }
}

/// Reads the address of a receiver. The sentence never holds the address: it may be a secret.
fn address(text: &str) -> Result<Url, String> {
    const FORM: &str = "write https://HOST/PATH";
    let url = Url::parse(text.trim()).map_err(|error| format!("is not a URL ({error}); {FORM}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("holds a user or password, which is not sent; {FORM}"));
    }
    if url.fragment().is_some() {
        return Err(format!("has something after #, which is not sent; {FORM}"));
    }
    match (url.scheme(), url.host_str()) {
        (_, None) => Err(format!("has no host; {FORM}")),
        ("https", _) => Ok(url),
        ("http", _) if is_loopback(&url) => Ok(url),
        ("http", _) => Err(
            "would be told in clear over a network; use https (http is for this machine's own addresses only)"
                .to_owned(),
        ),
        _ => Err(format!("is neither https nor http; {FORM}")),
    }
}

#[cfg(test)]
#[path = "notifications_file_tests.rs"]
mod tests;
