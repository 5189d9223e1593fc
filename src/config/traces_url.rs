//! Where traces go: a collector that speaks OTLP over HTTP.

use url::Url;

/// Where spans are posted to, whole: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracesUrl(Url);

impl TracesUrl {
    /// From the address of a collector, below which traces have a path of their own; it may be there already.
    pub(super) fn below(text: &str) -> Result<Self, String> {
        const OF_TRACES: &str = "/v1/traces";
        let mut url = Self::exactly(text)?;
        let path = url.0.path().trim_end_matches('/');
        let collector = path.strip_suffix(OF_TRACES).unwrap_or(path);
        let path = format!("{collector}{OF_TRACES}");
        url.0.set_path(&path);
        Ok(url)
    }

    /// From the address as it is used.
    pub(super) fn exactly(text: &str) -> Result<Self, String> {
        const FORM: &str = "write http://HOST:4318 or https://HOST";
        let url: Url = text
            .trim()
            .parse()
            .map_err(|error| format!("is not a URL ({error}); {FORM}"))?;
        match url.scheme() {
            "http" | "https" if url.host_str().is_some() => {}
            other => return Err(format!("has the scheme {other}; {FORM}")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds an account; give what the collector asks for in OTEL_EXPORTER_OTLP_HEADERS".to_owned());
        }
        Ok(Self(url))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl std::fmt::Display for TracesUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A query may hold a key.
        let mut shown = self.0.clone();
        shown.set_query(None);
        f.write_str(shown.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_spans_are_posted_to() {
        for (text, whole) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (" https://otel.example/ ", "https://otel.example/v1/traces"),
            ("https://otel.example/in/", "https://otel.example/in/v1/traces"),
            ("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"),
            (
                "http://127.0.0.1:4318/in/v1/traces/",
                "http://127.0.0.1:4318/in/v1/traces",
            ),
        ] {
            assert_eq!(TracesUrl::below(text).unwrap().as_str(), whole);
        }
        assert_eq!(
            TracesUrl::exactly("https://otel.example/spans").unwrap().as_str(),
            "https://otel.example/spans"
        );
    }

    #[test]
    fn what_cannot_be_posted_to_is_refused_and_no_password_repeated() {
        for (text, wanted) in [
            ("otel.example:4318", "scheme otel.example"),
            ("grpc://otel.example", "scheme grpc"),
            ("https://", "is not a URL"),
            ("https://bot:hunter2@otel.example", "OTEL_EXPORTER_OTLP_HEADERS"),
        ] {
            let sentence = TracesUrl::below(text).unwrap_err();
            assert!(
                sentence.contains(wanted) && !sentence.contains("hunter2"),
                "{text}: {sentence}"
            );
        }
    }
}
