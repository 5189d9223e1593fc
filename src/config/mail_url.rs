//! Where mail goes: files in a directory, or a server.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::github_api::is_loopback_name;
use super::secret::MailPassword;

/// `COUNTERSIGN_MAIL_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailUrl {
    /// One `.eml` file a message in this directory.
    File(PathBuf),
    /// A mail server.
    Smtp(SmtpUrl),
}

/// A mail server and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What protects the connection.
    pub security: Security,
    /// Whom to log in as; nobody when absent.
    pub credentials: Option<Credentials>,
}

/// What protects a connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (`smtps:`, RFC 8314).
    ImplicitTls,
    /// STARTTLS (RFC 3207); a server that does not offer it gets no mail.
    StartTls,
    /// Nothing: a server on this machine, or `?tls=none`.
    Plain,
}

/// An account on a mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub user: String,
    /// Its password.
    pub password: MailPassword,
}

/// `COUNTERSIGN_MAIL_RESEND_IN_DOUBT`: what becomes of a mail of which nobody knows whether the server took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InDoubt {
    /// It is left so, and people are told.
    Leave,
    /// It is sent again under the same Message-ID; some servers then show one of the two.
    SendAgain,
}

impl std::str::FromStr for InDoubt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "false" => Ok(Self::Leave),
            "true" => Ok(Self::SendAgain),
            _ => Err("is neither true nor false".to_owned()),
        }
    }
}

impl MailUrl {
    /// Whether the URL holds a password.
    pub(super) fn holds_password(&self) -> bool {
        matches!(
            self,
            Self::Smtp(SmtpUrl {
                credentials: Some(_),
                ..
            })
        )
    }
}

impl std::str::FromStr for MailUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write file:DIR, smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT";
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(|| format!("has no scheme; {FORM}"))?;
        match scheme {
            "file" => {
                // file:///a/b as well as file:/a/b and file:a/b
                let path = match rest.strip_prefix("//") {
                    Some(path) if path.starts_with('/') => path,
                    Some(_) => return Err("names a host; write file:DIR".to_owned()),
                    None => rest,
                };
                if path.is_empty() {
                    return Err("names no directory; write file:DIR, for example file:mail".to_owned());
                }
                Ok(Self::File(PathBuf::from(path)))
            }
            // The URL is never repeated: it may hold a password.
            "smtp" | "smtps" => smtp(text, scheme == "smtps").map(Self::Smtp),
            other => Err(format!("has the scheme {other}; {FORM}")),
        }
    }
}

fn smtp(text: &str, implicit: bool) -> Result<SmtpUrl, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("is not a URL ({error}); special characters in user and password are written as %40 for @ and so on")
    })?;
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or("names no host; write smtp://HOST:PORT")?
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("goes on after the port; write smtp://HOST:PORT".to_owned());
    }
    let loopback = is_loopback_name(&host);
    let mut security = match (implicit, loopback) {
        (true, _) => Security::ImplicitTls,
        (false, true) => Security::Plain,
        (false, false) => Security::StartTls,
    };
    for (name, value) in url.query_pairs() {
        security = match (name.as_ref(), value.as_ref(), implicit) {
            ("tls", _, true) => return Err("has ?tls= although smtps: is always TLS; remove one of them".to_owned()),
            ("tls", "required", false) => Security::StartTls,
            ("tls", "none", false) => Security::Plain,
            ("tls", ..) => return Err("has a ?tls= that is neither required nor none".to_owned()),
            _ => {
                return Err(format!(
                    "has the parameter {name}, which is not known; there is only tls"
                ));
            }
        };
    }
    let credentials = credentials(&url)?;
    if credentials.is_some() && security == Security::Plain && !loopback {
        return Err("would send the password unencrypted; remove ?tls=none, or the user and password".to_owned());
    }
    let port = url.port().unwrap_or(match security {
        Security::ImplicitTls => 465,
        Security::StartTls => 587,
        Security::Plain => 25,
    });
    Ok(SmtpUrl {
        host,
        port,
        security,
        credentials,
    })
}

fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let decode = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| "has a user or password that is not UTF-8 once decoded".to_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("has a password but no user; write smtp://USER:PASSWORD@HOST:PORT".to_owned()),
        (_, None | Some("")) => Err("has a user but no password; write smtp://USER:PASSWORD@HOST:PORT".to_owned()),
        (user, Some(password)) => Ok(Some(Credentials {
            user: decode(user)?,
            password: MailPassword::new(decode(password)?),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> SmtpUrl {
        match text.parse() {
            Ok(MailUrl::Smtp(url)) => url,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn files() {
        for (text, path) in [
            ("file:mail", "mail"),
            ("file:/var/mail", "/var/mail"),
            ("file:///var/mail", "/var/mail"),
            ("file:./m", "./m"),
        ] {
            assert_eq!(text.parse(), Ok(MailUrl::File(PathBuf::from(path))), "{text}");
        }
    }

    #[test]
    fn servers() {
        for (text, host, port, security) in [
            ("smtp://mx.example", "mx.example", 587, Security::StartTls),
            ("smtp://mx.example:2525", "mx.example", 2525, Security::StartTls),
            ("smtps://mx.example", "mx.example", 465, Security::ImplicitTls),
            ("smtp://mx.example?tls=none", "mx.example", 25, Security::Plain),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Security::Plain),
            ("smtp://localhost", "localhost", 25, Security::Plain),
            ("smtp://[::1]:1025", "::1", 1025, Security::Plain),
            ("smtp://localhost?tls=required", "localhost", 587, Security::StartTls),
        ] {
            let url = server(text);
            assert_eq!(
                (url.host.as_str(), url.port, url.security),
                (host, port, security),
                "{text}"
            );
            assert_eq!(url.credentials, None);
        }
    }

    #[test]
    fn account_is_decoded_and_never_printed() {
        let url = server("smtps://bot%40example.org:p%40ss%2Fw+rd@mx.example");
        let account = url.credentials.clone().unwrap();
        assert_eq!(account.user, "bot@example.org");
        assert_eq!(account.password.expose(), "p@ss/w+rd");
        assert!(!format!("{url:?}").contains("p@ss"));
    }

    #[test]
    fn refusals_never_repeat_the_password() {
        for (text, wanted) in [
            ("mail", "has no scheme"),
            ("file:", "names no directory"),
            ("file://host/dir", "names a host"),
            ("http://mx.example", "scheme http"),
            ("smtp://", "host"),
            ("smtp://u:hunter2@mx.example/path", "goes on after the port"),
            ("smtp://u:hunter2@mx.example:99999", "is not a URL"),
            ("smtp://u:hunter2@mx.example?tls=none", "unencrypted"),
            ("smtp://u:hunter2@mx.example?tls=maybe", "neither required nor none"),
            ("smtp://u:hunter2@mx.example?ssl=1", "parameter ssl"),
            ("smtps://u:hunter2@mx.example?tls=none", "always TLS"),
            ("smtp://u@mx.example", "no password"),
            ("smtp://:hunter2@mx.example", "no user"),
        ] {
            let sentence = text.parse::<MailUrl>().unwrap_err();
            assert!(
                sentence.contains(wanted) && !sentence.contains("hunter2"),
                "{text}: {sentence}"
            );
        }
    }

    #[test]
    fn an_account_on_this_machine_may_be_plain() {
        assert!(server("smtp://u:p@127.0.0.1:1025").credentials.is_some());
    }
}
