//! Where the store is.

use std::path::{Path, PathBuf};

/// `COUNTERSIGN_DATABASE_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file. A relative path starts at the working directory.
    Sqlite(PathBuf),
}

impl DatabaseUrl {
    /// The SQLite file's path.
    pub fn sqlite_path(&self) -> &Path {
        match self {
            Self::Sqlite(path) => path,
        }
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once(':')
            .ok_or("has no scheme; write sqlite:PATH, for example sqlite:countersign.sqlite")?;
        match scheme {
            "sqlite" => {}
            // The whole URL is not repeated: it may hold a password.
            other => {
                return Err(format!(
                    "names the database {other}, which this version cannot use; write sqlite:PATH"
                ));
            }
        }
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
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
            assert_eq!(url.sqlite_path(), Path::new(path), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url));
        }
        for (text, wanted) in [
            ("countersign.sqlite", "has no scheme"),
            (
                "postgres://user:hunter2@db/x",
                "the database postgres, which this version cannot use",
            ),
            ("sqlite:", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite::memory:", "keeps nothing"),
            ("sqlite:a.sqlite?mode=rwc", "parameters"),
        ] {
            let sentence = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(
                sentence.contains(wanted) && !sentence.contains("hunter2"),
                "{text}: {sentence}"
            );
        }
    }
}
