//! A receiver of notifications on this machine: it keeps what it gets, and answers as it was told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;

/// The secret of every receiver that checks signatures.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What stands in the path of every receiver's address, as the token of an incoming webhook does.
pub const TOKEN: &str = "T024-token-of-the-address";

/// What it does with a request.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Answers with this status.
    Status(u16),
    /// The same, and asks to be let alone for so many seconds.
    RetryAfter(u16, u32),
    /// Sends whoever asks to another path of itself.
    Redirects,
    /// Says nothing until the test ends.
    Hangs,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Taken {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Taken {
    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {:?}", self.headers));
        value.to_str().unwrap()
    }

    /// The id by which repeats are known.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What happened.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is by this secret, over what came, by this test's own reading of Standard Webhooks.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = BASE64
            .decode(secret.strip_prefix("whsec_").unwrap().as_bytes())
            .unwrap();
        let mut signed = format!("{}.{}.", self.id(), self.header("webhook-timestamp")).into_bytes();
        signed.extend_from_slice(&self.body);
        self.header("webhook-signature").split(' ').any(|signature| {
            let signature = signature.strip_prefix("v1,").expect("the version of HMAC-SHA256");
            let signature = BASE64.decode(signature.as_bytes()).unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&signed);
            mac.verify_slice(&signature).is_ok()
        })
    }
}

type Hook = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Inner {
    taken: Mutex<Vec<Taken>>,
    script: Mutex<VecDeque<Does>>,
    for_ever: Mutex<Option<Does>>,
    on_request: Mutex<Option<Hook>>,
}

/// It listens until the test ends.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
    came: watch::Sender<usize>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/{TOKEN}", listener.local_addr().unwrap()),
            inner: Arc::default(),
            came: watch::channel(0).0,
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// What it does with the next requests; after these it takes everything.
    pub fn next(&self, script: impl IntoIterator<Item = Does>) {
        self.inner.script.lock().unwrap().extend(script);
    }

    /// What it does with every request from now on.
    pub fn always(&self, does: Option<Does>) {
        *self.inner.for_ever.lock().unwrap() = does;
    }

    /// Done with each request before it is answered.
    pub fn on_request(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.inner.on_request.lock().unwrap() = Some(Box::new(hook));
    }

    /// What came since the test last looked.
    pub fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut self.inner.taken.lock().unwrap())
    }

    /// The kinds of what came since the test last looked.
    pub fn kinds(&self) -> Vec<String> {
        self.taken().iter().map(Taken::kind).collect()
    }

    /// Waits until so many requests came, ever.
    pub async fn until(&self, count: usize) {
        let mut came = self.came.subscribe();
        let waiting = async {
            while *came.borrow_and_update() < count {
                came.changed().await.unwrap();
            }
        };
        let in_time = tokio::time::timeout(crate::start::PATIENCE, waiting).await;
        assert!(in_time.is_ok(), "fewer than {count} came");
    }
}

async fn take(
    State(receiver): State<Receiver>,
    method: Method,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    assert_eq!(method, Method::POST);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    let path = uri.path().to_owned();
    receiver.inner.taken.lock().unwrap().push(Taken { path, headers, body });
    if let Some(hook) = &*receiver.inner.on_request.lock().unwrap() {
        hook();
    }
    receiver.came.send_modify(|count| *count += 1);
    let next = receiver.inner.script.lock().unwrap().pop_front();
    let always = *receiver.inner.for_ever.lock().unwrap();
    // What it says is read by nobody.
    const SAID: &str = "the-words-of-the-receiver";
    match next.or(always) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Does::Status(status)) => (StatusCode::from_u16(status).unwrap(), SAID).into_response(),
        Some(Does::RetryAfter(status, seconds)) => {
            let asked = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::from_u16(status).unwrap(), asked, SAID).into_response()
        }
        Some(Does::Redirects) => {
            let to = [(header::LOCATION, "/elsewhere")];
            (StatusCode::TEMPORARY_REDIRECT, to).into_response()
        }
        Some(Does::Hangs) => std::future::pending().await,
    }
}
