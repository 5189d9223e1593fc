//! Where GitHub's API is, and how fast the bot may write there.

use std::fmt;

use chrono::TimeDelta;
use url::Url;

/// The base of GitHub's REST API, without a slash at its end.
///
/// GitHub.com: `https://api.github.com`. GitHub Enterprise Server: `https://HOST/api/v3`
/// (<https://docs.github.com/enterprise-server@latest/rest/enterprise-admin>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubApiUrl(Url);

impl GithubApiUrl {
    /// The base as text, without a slash at its end: append a route that begins with one.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The base as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Where GraphQL answers: `/graphql`, on Enterprise Server `/api/graphql` beside `/api/v3`.
    pub fn graphql_url(&self) -> String {
        let base = self.as_str();
        let base = base
            .strip_suffix("/v3")
            .filter(|api| api.ends_with("/api"))
            .unwrap_or(base);
        format!("{base}/graphql")
    }

    /// Where GitHub's pages are, without a slash at the end: `https://github.com`, on an Enterprise Server the host of the
    /// API, on GHE.com the host without `api.` (<https://docs.github.com/enterprise-cloud@latest/admin/data-residency>).
    pub fn site(&self) -> String {
        let base = self.as_str();
        let of_a_server = base.strip_suffix("/api/v3").unwrap_or(base);
        let host = of_a_server.strip_prefix("https://api.");
        match host.filter(|host| *host == "github.com" || host.ends_with(".ghe.com")) {
            Some(host) => format!("https://{host}"),
            None => of_a_server.to_owned(),
        }
    }

    /// How far back deliveries are kept there and can be asked for again: three days, on an Enterprise Server seven
    /// (<https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>).
    pub fn keeps_deliveries(&self) -> TimeDelta {
        match self.as_str().ends_with("/api/v3") {
            true => TimeDelta::days(7),
            false => TimeDelta::days(3),
        }
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

/// Whether a URL's host is `localhost`, a name below it, or a loopback address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => is_loopback_name(name),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The same for a host that stands alone. URLs of schemes that the URL standard does not know keep an IPv4 address as
/// a name.
pub(super) fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let lower = name.to_ascii_lowercase();
    lower == "localhost"
        || lower.ends_with(".localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for GithubApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for GithubApiUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server";
        let url = Url::parse(text.trim()).map_err(|error| format!("is not a URL ({error}); {FORM}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("holds a user or password; {FORM}"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("has something after ? or #; {FORM}"));
        }
        match (url.scheme(), url.host_str()) {
            (_, None) => return Err(format!("has no host; {FORM}")),
            ("https", Some("github.com" | "www.github.com")) => {
                return Err("is GitHub's site, not its API; write https://api.github.com".to_owned());
            }
            ("https", _) => {}
            ("http", _) if is_loopback(&url) => {}
            ("http", _) => {
                return Err(
                    "would send tokens unencrypted; use https (http is for this machine's own addresses only)"
                        .to_owned(),
                );
            }
            (other, _) => return Err(format!("has the scheme {other}; {FORM}")),
        }
        Ok(Self(url))
    }
}

/// `COUNTERSIGN_GITHUB_PACE`: how fast the bot writes to GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As GitHub asks: one write a second for each installation, and the hourly budget.
    #[default]
    Default,
    /// No waiting. Only where the API is on this machine.
    Off,
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "default" => Ok(Self::Default),
            "off" => Ok(Self::Off),
            _ => Err("is neither default nor off".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_and_graphql() {
        for (text, rest, graphql) in [
            (
                "https://api.github.com",
                "https://api.github.com",
                "https://api.github.com/graphql",
            ),
            (
                "https://api.github.com/",
                "https://api.github.com",
                "https://api.github.com/graphql",
            ),
            (
                "https://ghe.example/api/v3",
                "https://ghe.example/api/v3",
                "https://ghe.example/api/graphql",
            ),
            (
                "https://ghe.example/api/v3/",
                "https://ghe.example/api/v3",
                "https://ghe.example/api/graphql",
            ),
            (
                "https://api.acme.ghe.com",
                "https://api.acme.ghe.com",
                "https://api.acme.ghe.com/graphql",
            ),
            (
                "http://127.0.0.1:9000",
                "http://127.0.0.1:9000",
                "http://127.0.0.1:9000/graphql",
            ),
            (
                "http://[::1]:9000/api/v3",
                "http://[::1]:9000/api/v3",
                "http://[::1]:9000/api/graphql",
            ),
            (
                "http://localhost:9000",
                "http://localhost:9000",
                "http://localhost:9000/graphql",
            ),
        ] {
            let url: GithubApiUrl = text.parse().unwrap();
            assert_eq!(url.as_str(), rest, "{text}");
            assert_eq!(url.graphql_url(), graphql, "{text}");
        }
    }

    #[test]
    fn pages() {
        for (text, site) in [
            ("https://api.github.com", "https://github.com"),
            ("https://ghe.example/api/v3/", "https://ghe.example"),
            ("https://api.ghe.example/api/v3", "https://api.ghe.example"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(text.parse::<GithubApiUrl>().unwrap().site(), site, "{text}");
        }
    }

    #[test]
    fn refusals() {
        for (text, wanted) in [
            ("api.github.com", "is not a URL"),
            ("https://github.com", "not its API"),
            ("http://api.github.com", "unencrypted"),
            ("http://127.0.0.1.example.org", "unencrypted"),
            ("ftp://api.github.com", "scheme ftp"),
            ("https://u:hunter2@api.github.com", "user or password"),
            ("https://api.github.com?x=1", "after ?"),
            ("file:///etc", "has no host"),
        ] {
            let sentence = text.parse::<GithubApiUrl>().unwrap_err();
            assert!(
                sentence.contains(wanted) && !sentence.contains("hunter2"),
                "{text}: {sentence}"
            );
        }
    }

    #[test]
    fn loopback() {
        for (text, wanted) in [
            ("http://localhost", true),
            ("http://github.localhost:80", true),
            ("http://127.9.9.9", true),
            ("http://[::1]", true),
            ("https://api.github.com", false),
            ("https://localhost.example.org", false),
        ] {
            assert_eq!(text.parse::<GithubApiUrl>().unwrap().is_loopback(), wanted, "{text}");
        }
    }
}
