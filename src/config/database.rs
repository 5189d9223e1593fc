//! Where the store is.

use std::path::PathBuf;

use url::Url;

use super::document::suggest;

/// `COUNTERSIGN_DATABASE_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file. A relative path starts at the working directory.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which several servers may share.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>). It may
/// hold a password: what is printed of it does not.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    /// The whole URL. Whoever calls this must neither log nor store the answer.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    fn holds_password(&self) -> bool {
        self.0.password().is_some() || self.0.query_pairs().any(|(key, _)| key == "password")
    }
}

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

/// Whom, where and which database; of the parameters only the place of a socket.
impl std::fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = self.0.clone();
        // A URL with a host takes both; one without has no password.
        let _ = shown.set_password(None);
        shown.set_query(None);
        f.write_str(shown.as_str())?;
        match self.0.query_pairs().find(|(key, _)| key == "host") {
            Some((_, host)) => write!(f, "?host={host}"),
            None => Ok(()),
        }
    }
}

/// What is advised to whoever names no database that is known here.
const WRITE: &str =
    "write sqlite:PATH, for example sqlite:countersign.sqlite, or postgres://USER:PASSWORD@HOST/DATABASE";

impl DatabaseUrl {
    /// Whether the URL holds a password.
    pub(super) fn holds_password(&self) -> bool {
        matches!(self, Self::Postgres(url) if url.holds_password())
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(|| format!("has no scheme; {WRITE}"))?;
        match scheme {
            "sqlite" => sqlite(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => postgres(text).map(Self::Postgres),
            // The whole URL is not repeated: it may hold a password.
            other => Err(format!(
                "names the database {other}, which this version cannot use; {WRITE}"
            )),
        }
    }
}

fn sqlite(rest: &str) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err("names no file; write sqlite:PATH, for example sqlite:countersign.sqlite".to_owned());
    }
    if path.contains(":memory:") {
        return Err("keeps nothing after a restart; write sqlite:PATH with a file".to_owned());
    }
    if path.contains('?') {
        return Err("has parameters after ?, which are not known here; write sqlite:PATH alone".to_owned());
    }
    Ok(PathBuf::from(path))
}

fn postgres(text: &str) -> Result<PostgresUrl, String> {
    // The parser's errors do not repeat the text.
    let url: Url = text.parse().map_err(|error| {
        format!(
            "cannot be read ({error}); write postgres://USER:PASSWORD@HOST/DATABASE, with what is no letter or digit in \
             the password percent-encoded"
        )
    })?;
    let named = |key: &str| url.query_pairs().any(|(found, _)| found == key);
    if url.host_str().unwrap_or_default().is_empty() && !named("host") {
        return Err("names no host; write postgres://USER:PASSWORD@HOST/DATABASE".to_owned());
    }
    if url.path().trim_start_matches('/').is_empty() && !named("dbname") {
        return Err("names no database; write postgres://USER:PASSWORD@HOST/DATABASE".to_owned());
    }
    // Nothing else is heard by the client, and what is written in vain may be meant to protect.
    if let Some((unknown, _)) = url.query_pairs().find(|(key, _)| !is_parameter(key)) {
        return Err(format!(
            "has the parameter {unknown}, which is not known; {}",
            suggest(&unknown, PARAMETERS.into_iter())
        ));
    }
    Ok(PostgresUrl(url))
}

/// What can be said behind the `?` of a PostgreSQL database's URL.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

fn is_parameter(key: &str) -> bool {
    PARAMETERS.contains(&key) || key.starts_with("options[")
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (text, path) in [
            ("sqlite:countersign.sqlite", "countersign.sqlite"),
            ("sqlite:/var/lib/cs.sqlite", "/var/lib/cs.sqlite"),
            ("sqlite:///var/lib/cs.sqlite", "/var/lib/cs.sqlite"),
            ("sqlite://cs.sqlite", "cs.sqlite"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url, DatabaseUrl::Sqlite(path.into()), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url));
        }
        for (text, wanted) in [
            ("countersign.sqlite", "has no scheme"),
            (
                "mysql://user:hunter2@db/x",
                "the database mysql, which this version cannot use",
            ),
            ("sqlite:", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite::memory:", "keeps nothing"),
            ("sqlite:a.sqlite?mode=rwc", "parameters"),
            ("postgres:cs", "names no host"),
            ("postgres:///cs", "names no host"),
            ("postgres://user:hunter2@db", "names no database"),
            ("postgres://user:hunter2@db:port/cs", "invalid port number"),
            (
                "postgres://user:hunter2@db/cs?ssl_mode=verify-full",
                "the parameter ssl_mode, which is not known; did you mean `sslmode`?",
            ),
            (
                "postgres://user:hunter2@db/cs?foo=bar",
                "the parameter foo, which is not known",
            ),
        ] {
            let sentence = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(
                sentence.contains(wanted) && !sentence.contains("hunter2"),
                "{text}: {sentence}"
            );
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://bot:hunter2@db/cs", "postgres://bot@db/cs"),
            (
                "postgresql://bot:hunter2@db:5433/cs?sslmode=require",
                "postgresql://bot@db:5433/cs",
            ),
            ("postgres://db/cs?user=bot&password=hunter2", "postgres://db/cs"),
            (
                "postgres:///cs?host=/run/postgresql",
                "postgres:///cs?host=/run/postgresql",
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("hunter2"), "{url:?}");
            assert_eq!(url.holds_password(), text.contains("hunter2"), "{text}");
        }
    }
}
