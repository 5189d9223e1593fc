//! Whose requests are answered: those of this machine's own browser, from this page.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses a request that names another host (a name that somebody pointed at this machine) or comes from another
/// site's page.
pub(super) async fn at_home(request: Request, next: Next) -> Response {
    match strange(request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

fn strange(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let Some(host) = text(HOST.as_str()).filter(|host| loopback(host)) else {
        return Some("The sandbox answers at this machine's own addresses only, such as http://127.0.0.1.");
    };
    let elsewhere = "The sandbox takes this from its own page only.";
    match text(ORIGIN.as_str()) {
        Some(origin) if origin != format!("http://{host}") => return Some(elsewhere),
        _ => {}
    }
    // Sent by browsers with every request; `none` is an address that was typed in.
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => None,
        Some(_) if text("sec-fetch-mode") == Some("navigate") && headers.get(ORIGIN).is_none() => None,
        Some(_) => Some(elsewhere),
    }
}

fn loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        strange(&headers).is_some()
    }

    #[test]
    fn the_own_page_is_answered() {
        for host in [
            "127.0.0.1:8090",
            "localhost:8090",
            "[::1]:8090",
            "localhost",
            "127.0.0.2",
        ] {
            assert!(!refused(&[("host", host)]), "{host}");
        }
        assert!(!refused(&[
            ("host", "localhost:8090"),
            ("origin", "http://localhost:8090"),
            ("sec-fetch-site", "same-origin"),
        ]));
        // A link on another page that leads here.
        assert!(!refused(&[
            ("host", "localhost:8090"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ]));
    }

    #[test]
    fn other_names_and_other_pages_are_refused() {
        assert!(refused(&[]));
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "evil.example:8090",
            "192.0.2.1:8090",
            "[2001:db8::1]",
        ] {
            assert!(refused(&[("host", host)]), "{host}");
        }
        for origin in [
            "http://evil.example",
            "http://localhost:9999",
            "null",
            "https://localhost:8090",
        ] {
            assert!(refused(&[("host", "localhost:8090"), ("origin", origin)]), "{origin}");
        }
        assert!(refused(&[
            ("host", "localhost:8090"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "no-cors"),
        ]));
    }
}
