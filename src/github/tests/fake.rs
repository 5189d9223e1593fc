//! A server that answers as a closure tells it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use url::Url;

use crate::github::client::{GitHub, Limits, Repo, Settings};
use crate::github::types::RepositoryRef;
use crate::workflow::ids::{InstallationId, RepositoryId};

/// Made for these tests; it opens nothing.
pub const KEY: &str = include_str!("../test-key.pem");
/// 20 November 2026, 12:00:00 UTC.
pub const NOON: i64 = 1_795_176_000;
pub const INSTALLATION: InstallationId = InstallationId(7);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The request in one line: method, target and body.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.body)
            .trim_end()
            .to_owned()
    }

    pub fn asks_for_token(&self) -> bool {
        self.target.ends_with("/access_tokens")
    }
}

/// An answer before it is one.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    hangs: bool,
}

pub fn reply(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: if body.is_null() {
            String::new()
        } else {
            body.to_string()
        },
        hangs: false,
    }
}

/// An answer that never comes.
pub fn silence() -> Reply {
    Reply {
        hangs: true,
        ..reply(200, &Value::Null)
    }
}

impl Reply {
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What GitHub answers when it gives a token that is good for an hour.
pub fn granted(token: &str, now: i64) -> Reply {
    let expires_at = DateTime::from_timestamp(now + 3600, 0).unwrap();
    reply(
        201,
        &json!({ "token": token, "expires_at": expires_at, "permissions": {} }),
    )
}

#[derive(Clone)]
pub struct Fake {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    now: Arc<AtomicI64>,
}

impl Fake {
    /// `answer` gets the server's own address, the request and how many like it (method and path) came before.
    pub async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Url, &Seen, usize) -> Reply + Send + Sync + 'static,
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let fake = Self {
            url: url.clone(),
            seen: Arc::default(),
            now: Arc::new(AtomicI64::new(NOON)),
        };
        let seen = Arc::clone(&fake.seen);
        let answer = Arc::new(answer);
        let router = axum::Router::new().fallback(move |request: Request| {
            let (seen, answer, url) = (Arc::clone(&seen), Arc::clone(&answer), url.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let request = Seen {
                    method: parts.method,
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                let before = {
                    let mut seen = seen.lock().unwrap();
                    let path = |target: &str| target.split('?').next().unwrap().to_owned();
                    let like =
                        |other: &&Seen| other.method == request.method && path(&other.target) == path(&request.target);
                    let before = seen.iter().filter(like).count();
                    seen.push(request.clone());
                    before
                };
                let reply = answer(&url, &request, before);
                if reply.hangs {
                    std::future::pending::<()>().await;
                }
                let mut response = Response::builder().status(reply.status);
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Gives a token for every installation and answers everything else by `answer`.
    pub async fn with_tokens<F>(answer: F) -> Self
    where
        F: Fn(&Url, &Seen, usize) -> Reply + Send + Sync + 'static,
    {
        Self::start(move |url, seen, before| {
            if seen.asks_for_token() {
                granted(&format!("token-{before}"), NOON)
            } else {
                answer(url, seen, before)
            }
        })
        .await
    }

    pub fn github(&self) -> GitHub {
        self.github_at("", Limits::default())
    }

    pub fn github_at(&self, base: &str, limits: Limits) -> GitHub {
        let now = Arc::clone(&self.now);
        let settings = Settings {
            api_url: self.url.join(base).unwrap(),
            graphql_url: self.url.join("/api/graphql").unwrap(),
            app_id: 42,
            private_key_pem: KEY,
            clock: Arc::new(move || instant(now.load(Ordering::Relaxed))),
        };
        GitHub::with_limits(settings, limits).unwrap()
    }

    pub fn repo(&self) -> Repo {
        self.github().installation(INSTALLATION).repository(&repository())
    }

    pub fn pass(&self, time: Duration) {
        self.now
            .fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::Relaxed);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn tokens_asked(&self) -> usize {
        self.seen().iter().filter(|seen| seen.asks_for_token()).count()
    }

    /// All but the requests for tokens.
    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.asks_for_token()).collect()
    }
}

pub fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

pub fn repository() -> RepositoryRef {
    RepositoryRef {
        id: RepositoryId(1),
        owner: "acme".to_owned(),
        owner_id: None,
        name: "rocket".to_owned(),
        private: false,
    }
}

/// A comment as GitHub sends it, with as little as is needed.
pub fn comment(id: u64, author: u64, body: &str) -> Value {
    json!({
        "id": id, "node_id": format!("IC_{id}"), "html_url": format!("https://github.test/c/{id}"),
        "user": { "id": author, "login": format!("user{author}"), "type": "User" },
        "body": body, "created_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:30:00Z",
    })
}

/// An issue as GitHub sends it, with as little as is needed.
pub fn issue(number: u64, body: &str) -> Value {
    json!({
        "id": 9000 + number, "node_id": format!("I_{number}"), "number": number, "title": "Title", "body": body,
        "state": "open", "user": { "id": 77, "login": "countersign[bot]", "type": "Bot" },
        "html_url": format!("https://github.test/acme/rocket/issues/{number}"),
        "repository_url": "https://api.github.test/repos/acme/rocket",
    })
}
