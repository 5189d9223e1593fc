//! The sandbox driven as the bot drives it: over HTTP, with a JWT and tokens.

mod access;
mod api;
mod deliveries;
mod discussions;
mod trouble;

use chrono::{DateTime, Duration, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use rustls::SignatureScheme;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use super::*;

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct Watch(Arc<Mutex<DateTime<Utc>>>);

impl Watch {
    fn new() -> Self {
        let start = DateTime::parse_from_rfc3339("2026-11-20T09:00:00Z")
            .unwrap()
            .with_timezone(&Utc);
        Self(Arc::new(Mutex::new(start)))
    }

    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    fn clock(&self) -> Clock {
        let watch = self.clone();
        Arc::new(move || watch.now())
    }
}

/// A sandbox with the people of the story, and a client that has a token.
pub struct Scene {
    pub sandbox: Sandbox,
    pub watch: Watch,
    pub http: reqwest::Client,
    pub token: String,
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

pub fn story(watch: &Watch) -> Builder {
    Sandbox::builder()
        .clock(watch.clock())
        .repo("acme/app")
        .file("README.md", "# The app\n")
        .person("alice", Role::Write)
        .person("bob", Role::Write)
        .person("carol", Role::Triage)
        .person("ada", Role::Admin)
        .stranger("mallory")
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let watch = Watch::new();
        let sandbox = change(story(&watch)).start().await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut scene = Self {
            sandbox,
            watch,
            http,
            token: String::new(),
        };
        scene.renew().await;
        scene
    }

    pub async fn renew(&mut self) {
        let id = self.sandbox.installation().unwrap();
        let path = format!("/app/installations/{id}/access_tokens");
        let reply = self.ask_as(&self.jwt(), "POST", &path, None).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        self.token = reply.body["token"].as_str().unwrap().to_owned();
    }

    pub fn jwt(&self) -> String {
        let now = self.watch.now().timestamp();
        jwt(&json!({ "iat": now - 60, "exp": now + 500, "iss": self.sandbox.app_id() }))
    }

    pub async fn ask_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.try_ask(token, method, path, body, &[]).await.unwrap()
    }

    pub async fn try_ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.sandbox.base_url()),
        };
        let mut request = self.http.request(method.parse().unwrap(), url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        Ok(Reply {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            headers,
        })
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask_as(&self.token, "GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask_as(&self.token, "POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.ask_as(&self.token, "PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.ask_as(&self.token, "DELETE", path, None).await
    }
}

/// A JWT signed with the App's key.
pub fn jwt(claims: &Value) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!(
        "{}.{}",
        encode(&json!({ "alg": "RS256", "typ": "JWT" })),
        encode(claims)
    );
    let base64: String = APP_PRIVATE_KEY
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(BASE64.decode(base64.as_bytes()).unwrap()));
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).unwrap();
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap();
    format!(
        "{signed}.{}",
        BASE64URL_NOPAD.encode(&signer.sign(signed.as_bytes()).unwrap())
    )
}
