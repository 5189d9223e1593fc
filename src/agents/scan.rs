//! Deterministic search for what must not leave: credentials of known shapes and e-mail addresses.
//!
//! It fails closed: a hit keeps the whole text in. It names the kind, never the find.

use std::fmt;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// A GitHub token (<https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>).
    GithubToken,
    /// A cloud provider's access key.
    CloudKey,
    /// A token of another service with a known prefix.
    ServiceToken,
    /// A PEM block with a private key.
    PrivateKey,
    /// A signed JSON Web Token (RFC 7519).
    WebToken,
    /// A password or key after its name, or inside a URL.
    Password,
    /// Somebody's e-mail address.
    EmailAddress,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GithubToken => "a GitHub token",
            Self::CloudKey => "a cloud access key",
            Self::ServiceToken => "a service token",
            Self::PrivateKey => "a private key",
            Self::WebToken => "a signed web token",
            Self::Password => "a password or key",
            Self::EmailAddress => "an e-mail address",
        })
    }
}

/// The first thing in `text` that must not leave.
pub fn scan(text: &str) -> Option<Finding> {
    let text = crate::text::visible::visible_characters(text);
    // Markdown lets a backslash stand before any punctuation without showing it.
    let shown = text.replace('\\', "");
    look(&text).or_else(|| look(&shown).filter(|_| shown != text))
}

fn look(text: &str) -> Option<Finding> {
    private_key(text)
        .or_else(|| text.split(delimits).find_map(token))
        .or_else(|| named_value(text))
        .or_else(|| url_password(text))
        .or_else(|| {
            text.split(|c: char| c.is_whitespace() || "<>()[]{}\"'`,;:|*".contains(c))
                .find_map(address)
        })
}

/// How many characters behind a name or a prefix are looked at: more than any credential needs to be recognised.
const LOOKED_AT: usize = 120;

fn delimits(c: char) -> bool {
    c.is_whitespace() || "\"'`<>()[]{},;=:|*/\\@&?!".contains(c)
}

fn private_key(text: &str) -> Option<Finding> {
    let text = crate::text::clean::fold(text).to_ascii_uppercase();
    text.split("-----BEGIN ")
        .skip(1)
        .any(|after| {
            after
                .split("-----")
                .next()
                .is_some_and(|name| name.contains("PRIVATE KEY"))
        })
        .then_some(Finding::PrivateKey)
}

/// Prefixes that name their service, with the least length of what follows.
const PREFIXES: &[(&str, usize, Finding)] = &[
    ("ghp_", 20, Finding::GithubToken),
    ("gho_", 20, Finding::GithubToken),
    ("ghu_", 20, Finding::GithubToken),
    ("ghs_", 20, Finding::GithubToken),
    ("ghr_", 20, Finding::GithubToken),
    ("github_pat_", 20, Finding::GithubToken),
    ("AKIA", 16, Finding::CloudKey),
    ("ASIA", 16, Finding::CloudKey),
    ("AIza", 30, Finding::CloudKey),
    ("xoxa-", 10, Finding::ServiceToken),
    ("xoxb-", 10, Finding::ServiceToken),
    ("xoxe-", 10, Finding::ServiceToken),
    ("xoxp-", 10, Finding::ServiceToken),
    ("xoxr-", 10, Finding::ServiceToken),
    ("xoxs-", 10, Finding::ServiceToken),
    ("xapp-", 10, Finding::ServiceToken),
    ("glpat-", 20, Finding::ServiceToken),
    ("npm_", 30, Finding::ServiceToken),
    ("hf_", 30, Finding::ServiceToken),
    ("sk_live_", 16, Finding::ServiceToken),
    ("rk_live_", 16, Finding::ServiceToken),
    ("sk-", 20, Finding::ServiceToken),
    ("pypi-", 40, Finding::ServiceToken),
    ("SG.", 40, Finding::ServiceToken),
];

fn token(word: &str) -> Option<Finding> {
    for (prefix, least, finding) in PREFIXES {
        // The prefix may stand behind something (`x-ghp_…`); what follows decides.
        for (at, _) in word.match_indices(prefix) {
            let tail: String = word[at + prefix.len()..]
                .chars()
                .take(LOOKED_AT)
                .take_while(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c))
                .collect();
            let starts = !word[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let looks = match *prefix {
                "AKIA" | "ASIA" => tail
                    .chars()
                    .take(16)
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()),
                // A sentence with hyphens (`sk-learn-something-something`) has no digits.
                "sk-" | "pypi-" => tail.chars().any(|c| c.is_ascii_digit()),
                _ => true,
            };
            if starts && looks && tail.len() >= *least {
                return Some(*finding);
            }
        }
    }
    let parts: Vec<&str> = word.split('.').collect();
    let base64 = |part: &str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    (parts.len() >= 3 && parts[0].starts_with("eyJ") && parts[..3].iter().all(|part| base64(part)))
        .then_some(Finding::WebToken)
}

/// Names behind which a value is a secret whatever it looks like.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "passwort"];
/// Names behind which a long random value is a secret.
const KEYS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "accesskey",
    "access_key",
    "access-key",
    "access key",
    "privatekey",
    "private_key",
    "client_secret",
    "credential",
    "credentials",
    "bearer",
    "auth",
    "key",
];

fn named_value(text: &str) -> Option<Finding> {
    // ASCII lower case keeps every byte where it is.
    let lower = text.to_ascii_lowercase();
    let hit = |name: &str, secret: fn(&str, Joint) -> bool| {
        lower.match_indices(name).any(|(at, _)| {
            let after = &text[at + name.len()..];
            let end = after.char_indices().nth(LOOKED_AT).map_or(after.len(), |(end, _)| end);
            joint(&after[..end]).is_some_and(|(joint, value)| secret(value, joint))
        })
    };
    let password = PASSWORDS.iter().any(|name| hit(name, password_value));
    let key = KEYS.iter().any(|name| hit(name, |value, _| random(value)));
    (password || key).then_some(Finding::Password)
}

/// How a value hangs on its name.
#[derive(Clone, Copy)]
enum Joint {
    /// `name=value`
    Equals,
    /// `name: value`
    Colon,
    /// `name is value`, `Bearer value`
    Word,
}

fn joint(after: &str) -> Option<(Joint, &str)> {
    let after = after.trim_start_matches(|c: char| "\"'`*_".contains(c));
    let trimmed = after.trim_start();
    let (joint, rest) = if let Some(rest) = trimmed.strip_prefix(":=").or_else(|| trimmed.strip_prefix("=>")) {
        (Joint::Equals, rest)
    } else if let Some(rest) = trimmed.strip_prefix('=') {
        (Joint::Equals, rest)
    } else if let Some(rest) = trimmed.strip_prefix(':') {
        (Joint::Colon, rest)
    } else if let Some(rest) = trimmed.strip_prefix("is ") {
        (Joint::Word, rest)
    } else if after.len() != trimmed.len() {
        (Joint::Word, trimmed)
    } else {
        return None;
    };
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"'`*".contains(c));
    let value = rest
        .split(|c: char| c.is_whitespace() || "\"'`,;<>".contains(c))
        .next()?;
    Some((joint, value.trim_end_matches(['.', ')', ']', '}', '*'])))
}

fn password_value(value: &str, joint: Joint) -> bool {
    let placeholder = value.starts_with(['$', '<', '*', '{', '%', '.', '…'])
        || [
            "null",
            "none",
            "nil",
            "true",
            "false",
            "undefined",
            "xxx",
            "changeme",
            "string",
        ]
        .contains(&value.to_ascii_lowercase().as_str());
    let digit = value.chars().any(|c| c.is_ascii_digit());
    let letter = value.chars().any(char::is_alphabetic);
    match joint {
        _ if placeholder => false,
        Joint::Equals => value.chars().count() >= 4,
        Joint::Colon | Joint::Word => value.chars().count() >= 6 && digit && letter,
    }
}

/// Whether a value looks drawn at random: long, letters and digits, many different characters.
fn random(value: &str) -> bool {
    let value = value.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+/=_-.~".contains(c);
    value.len() >= 16
        && value.chars().all(allowed)
        && value.chars().any(|c| c.is_ascii_digit())
        && value.chars().any(|c| c.is_ascii_alphabetic())
        && !value.contains("//")
        && bits_per_character(value) >= 3.0
}

/// Shannon entropy of the characters.
fn bits_per_character(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

/// `scheme://user:password@host` (RFC 3986, 3.2.1).
fn url_password(text: &str) -> Option<Finding> {
    text.match_indices("://")
        .any(|(at, mark)| {
            let authority = text[at + mark.len()..]
                .split(|c: char| c.is_whitespace() || "/?#\"'`<>".contains(c))
                .next()
                .unwrap_or_default();
            authority
                .rsplit_once('@')
                .and_then(|(user, _)| user.split_once(':'))
                .is_some_and(|(_, password)| password.len() >= 3 && !password.starts_with(['$', '{', '*']))
        })
        .then_some(Finding::Password)
}

fn address(word: &str) -> Option<Finding> {
    let (local, domain) = word.rsplit_once('@')?;
    let local = local.trim_start_matches(|c: char| !c.is_alphanumeric());
    let domain = domain.trim_end_matches(|c: char| !c.is_alphanumeric());
    let (_, top) = domain.rsplit_once('.')?;
    let named = !local.is_empty()
        && !local.contains('@')
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
        && domain.chars().all(|c| c.is_alphanumeric() || ".-".contains(c));
    // `git@github.com` is how repositories are addressed over SSH, not a person.
    (named && local != "git").then_some(Finding::EmailAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test credentials are put together here so that scanners of this repository find none.
    fn joined(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn known_shapes_are_found() {
        let random = "a8Fk29dLq0ZmXv73TbNe51RwYc64GhJu";
        for (text, finding) in [
            (joined(&["use gh", "p_", random, random]), Finding::GithubToken),
            (joined(&["(gh", "s_", random, ")"]), Finding::GithubToken),
            (joined(&["github", "_pat_11", random]), Finding::GithubToken),
            (joined(&["AK", "IA", "IOSFODNN7ABCDEFG"]), Finding::CloudKey),
            (joined(&["it is AK", "IA", "IOSFODNN7ABCDEFG."]), Finding::CloudKey),
            (joined(&["gh", "p\\_", random]), Finding::GithubToken),
            ("carol\\@example.org".to_owned(), Finding::EmailAddress),
            (joined(&["xox", "b-123456789012-abcdef"]), Finding::ServiceToken),
            (joined(&["sk", "-proj-", random]), Finding::ServiceToken),
            (joined(&["gl", "pat-", random]), Finding::ServiceToken),
            (
                joined(&["-----BEGIN RSA PRIV", "ATE KEY-----\nMIIE"]),
                Finding::PrivateKey,
            ),
            (
                joined(&["-----BEGIN OPENSSH PRIV", "ATE\nKEY-----"]),
                Finding::PrivateKey,
            ),
            (
                joined(&["ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4"]),
                Finding::WebToken,
            ),
            ("password=hunter2".to_owned(), Finding::Password),
            ("PASSWORD = 'correct horse'".to_owned(), Finding::Password),
            ("the password is hunter2".to_owned(), Finding::Password),
            ("**Password:** tr0ub4dor".to_owned(), Finding::Password),
            (format!("api_key: {random}"), Finding::Password),
            (format!("Authorization: Bearer {random}"), Finding::Password),
            (format!("\"token\": \"{random}\""), Finding::Password),
            ("postgres://admin:s3cret@db.internal/x".to_owned(), Finding::Password),
            ("write to carol@example.org today".to_owned(), Finding::EmailAddress),
            ("<carol.x+y@mail.example.co.uk>".to_owned(), Finding::EmailAddress),
            ("car\u{200B}ol@exam\u{200B}ple.org".to_owned(), Finding::EmailAddress),
            ("mailto:carol@example.org.".to_owned(), Finding::EmailAddress),
        ] {
            assert_eq!(scan(&text), Some(finding), "{text}");
        }
    }

    #[test]
    fn long_hostile_texts_take_no_time() {
        for piece in [
            "key=",
            "sk-",
            "password ",
            "://",
            "://a:",
            "@",
            "eyJ.",
            "-----BEGIN ",
            "token is ",
        ] {
            assert_eq!(scan(&piece.repeat(65_000 / piece.len())), None, "{piece}");
        }
    }

    #[test]
    fn ordinary_talk_is_let_through() {
        for text in [
            "",
            "Rotate the API key and the token before Friday",
            "Password: reset form must check its length",
            "password reset is broken",
            "the password is wrong",
            "set password=$PASSWORD in the environment",
            "password=<your password>",
            "token: a short note",
            "@alice and @org/team please look",
            "install @octokit/openapi",
            "git clone git@github.com:o/r.git",
            "https://example.org/a/b?c=d",
            "commit 0123456789abcdef0123456789abcdef01234567 broke it",
            "scikit: sk-learn-compatible-estimators-everywhere",
            "the key: make it fast",
            "eyJ is how web tokens start",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "🔑 مفتاح",
        ] {
            assert_eq!(scan(text), None, "{text}");
        }
    }
}
