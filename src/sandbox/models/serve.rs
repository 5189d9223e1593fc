//! Requests in, answers and faults out.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State as AxumState};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::asked::{Asked, Headers, Refusal, estimate};
use super::reply::{Counts, End, Fault, Gate, Reply, Wait};
use super::{Dialect, Inner, ModelRequest, anthropic, gemini, ollama, openai};
use crate::sandbox::server::{CutListener, Line};

/// What endpoints take differs; this keeps a mistake from filling the memory.
const BODY_BOUND: usize = 32 * 1024 * 1024;

const WELCOME: &str = "This is a script and no model: it answers with what a test prepared, or with what fixed rules find \
                       in the prompt. It speaks four dialects: POST /v1/chat/completions, /v1/messages, \
                       /v1beta/models/script:generateContent and /api/chat.\n";

/// What the model says, whatever the dialect.
pub(super) struct Said {
    pub text: String,
    pub end: End,
    pub counts: Option<Tokens>,
}

#[derive(Clone, Copy)]
pub(super) struct Tokens {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
}

pub(super) fn spawn(inner: Arc<Inner>, listener: TcpListener) {
    let app = Router::new()
        .fallback(serve)
        .with_state(Arc::clone(&inner))
        .into_make_service_with_connect_info::<Line>();
    tokio::spawn(async move {
        let server = axum::serve(CutListener(listener), app);
        // The loop ends only when told to stop; it has no error of its own.
        server
            .with_graceful_shutdown(inner.stop.clone().cancelled_owned())
            .await
            .ok();
        inner.ended.cancel();
    });
}

async fn serve(
    AxumState(inner): AxumState<Arc<Inner>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if parts.method == http::Method::GET && path == "/" {
        return Ok(respond(200, "text/plain; charset=utf-8", WELCOME.into()));
    }
    let body = match http_body_util::Limited::new(body, BODY_BOUND).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => return Ok(respond_json(413, &json!({ "error": "the request is too large" }))),
    };
    let headers: Headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let request = Incoming {
        dialect: dialect(&path),
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        path,
        body: serde_json::from_slice(&body).ok(),
        headers,
    };
    Ok(match request.dialect {
        Some(dialect) => answer(&inner, &line, dialect, &request).await,
        None => {
            request.record(&inner, 404);
            respond_json(404, &json!({ "error": format!("there is no {}", request.path) }))
        }
    })
}

struct Incoming {
    dialect: Option<Dialect>,
    method: String,
    path: String,
    uri: String,
    headers: Headers,
    body: Option<Value>,
}

impl Incoming {
    fn check(&self, dialect: Dialect, key: Option<&str>) -> Result<Asked, Refusal> {
        if self.method != "POST" {
            return Err(Refusal::new(
                405,
                format!("{} is not allowed here, use POST", self.method),
            ));
        }
        let kind = self.headers.get("content-type").map(String::as_str).unwrap_or_default();
        let body = match &self.body {
            Some(body) if kind.starts_with("application/json") => body,
            Some(_) => return Err(Refusal::new(415, "content-type: must be application/json")),
            None => return Err(Refusal::new(400, "the body is not JSON")),
        };
        match dialect {
            Dialect::OpenAi => openai::read(&self.headers, body, key),
            Dialect::Anthropic => anthropic::read(&self.headers, body, key),
            Dialect::Gemini => gemini::read(&self.path, &self.headers, body, key),
            Dialect::Ollama => ollama::read(&self.headers, body, key),
        }
    }

    fn record(&self, inner: &Inner, status: u16) {
        let headers = self.headers.iter().map(|(name, value)| {
            let shown = match name.as_str() {
                "authorization" if value.starts_with("Bearer ") => "Bearer (key)".to_owned(),
                "authorization" | "x-api-key" | "x-goog-api-key" => "(key)".to_owned(),
                _ => value.clone(),
            };
            (name.clone(), shown)
        });
        inner.lock().requests.push(ModelRequest {
            dialect: self.dialect,
            method: self.method.clone(),
            path: self.uri.clone(),
            headers: headers.collect(),
            body: self.body.clone().unwrap_or_default(),
            status,
        });
    }

    /// The key that came, whatever header it came in.
    fn key(&self) -> &str {
        ["authorization", "x-api-key", "x-goog-api-key"]
            .iter()
            .find_map(|name| self.headers.get(*name))
            .map_or("", |value| value.trim_start_matches("Bearer "))
    }
}

fn dialect(path: &str) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| match dialect {
        Dialect::OpenAi => openai::is_path(path),
        Dialect::Anthropic => anthropic::is_path(path),
        Dialect::Gemini => gemini::is_path(path),
        Dialect::Ollama => ollama::is_path(path),
    })
}

async fn answer(inner: &Arc<Inner>, line: &Line, dialect: Dialect, request: &Incoming) -> Response {
    let key = inner.lock().key.clone();
    let asked = match request.check(dialect, key.as_deref()) {
        Ok(asked) => asked,
        Err(refusal) => {
            request.record(inner, refusal.status);
            return respond_json(refusal.status, &error(dialect, &refusal));
        }
    };
    let (reply, role) = {
        let mut state = inner.lock();
        (state.replies.pop_front().unwrap_or_default(), Arc::clone(&state.role))
    };
    let Reply {
        text,
        end,
        usage,
        fault,
    } = reply;
    let text = text.unwrap_or_else(|| role(&asked));
    let said = Said {
        counts: counts(usage, &asked, &text),
        text,
        end,
    };
    let good = match dialect {
        Dialect::OpenAi => openai::answer(&asked, &said),
        Dialect::Anthropic => anthropic::answer(&asked, &said),
        Dialect::Gemini => gemini::answer(&asked, &said),
        Dialect::Ollama => ollama::answer(&asked, &said),
    };
    let status = fault.as_ref().map_or(200, status);
    request.record(inner, status);
    let refuse = |message: String| respond_json(status, &error(dialect, &Refusal::new(status, message)));
    match fault {
        None => respond_json(200, &good),
        Some(Fault::RateLimited(wait)) => limited(refuse("Rate limit reached, slow down.".into()), wait),
        Some(Fault::Status(_)) => refuse(format!("The script was told to answer {status}.")),
        Some(Fault::Repeating(_)) => refuse(format!("What is {}?", request.key())),
        Some(Fault::UnknownModel) => refuse("The model is not found.".into()),
        Some(Fault::Inside(code)) => {
            let error = json!({ "code": code, "message": "The script failed behind the proxy." });
            respond_json(200, &json!({ "error": error }))
        }
        Some(Fault::Redirect(to)) => {
            let mut response = respond(307, "text/plain", Bytes::new());
            if let Ok(to) = to.parse() {
                response.headers_mut().insert("location", to);
            }
            response
        }
        Some(Fault::Page) => {
            let page = "<!doctype html><title>Sign in</title><p>Sign in to go on.";
            respond(200, "text/html; charset=utf-8", page.into())
        }
        Some(Fault::ResetBeforeStatus) => {
            line.cut();
            respond_json(200, &good)
        }
        Some(Fault::ResetAfterStatus) => in_halves(&good, After::Cut(line.clone())),
        Some(Fault::SlowFirstByte(gate)) => {
            tokio::select! {
                () = gate.pass() => {}
                () = inner.stop.cancelled() => line.cut(),
            }
            respond_json(200, &good)
        }
        Some(Fault::SlowBody(gate)) => in_halves(&good, After::Gate(gate, Arc::clone(inner))),
        Some(Fault::HalfJson) => {
            let mut bytes = Bytes::from(good.to_string());
            bytes.truncate(bytes.len() / 2);
            respond(200, JSON, bytes)
        }
        Some(Fault::OtherJson) => respond_json(200, &json!({ "unexpected": true })),
    }
}

/// The status that is sent; 0 where none is.
fn status(fault: &Fault) -> u16 {
    match fault {
        Fault::RateLimited(_) => 429,
        Fault::Status(status) | Fault::Repeating(status) => *status,
        Fault::UnknownModel => 404,
        Fault::Redirect(_) => 307,
        Fault::ResetBeforeStatus => 0,
        Fault::Inside(_)
        | Fault::Page
        | Fault::ResetAfterStatus
        | Fault::SlowFirstByte(_)
        | Fault::SlowBody(_)
        | Fault::HalfJson
        | Fault::OtherJson => 200,
    }
}

fn counts(usage: Counts, asked: &Asked, text: &str) -> Option<Tokens> {
    match usage {
        Counts::Missing => None,
        Counts::Given { input, cached, output } => Some(Tokens {
            input,
            cached: cached.min(input),
            output,
        }),
        Counts::Estimated => Some(Tokens {
            input: asked.estimated_tokens(),
            cached: 0,
            output: estimate(text.len()),
        }),
    }
}

fn limited(mut response: Response, wait: Option<Wait>) -> Response {
    let pairs = match wait {
        None => vec![],
        Some(Wait::Seconds(seconds)) => vec![("retry-after", seconds.to_string())],
        Some(Wait::Milliseconds(milliseconds)) => vec![("retry-after-ms", milliseconds.to_string())],
        Some(Wait::Until { now, until }) => vec![("date", now), ("retry-after", until)],
    };
    for (name, value) in pairs {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn error(dialect: Dialect, refusal: &Refusal) -> Value {
    match dialect {
        Dialect::OpenAi => openai::error(refusal),
        Dialect::Anthropic => anthropic::error(refusal),
        Dialect::Gemini => gemini::error(refusal),
        Dialect::Ollama => ollama::error(refusal),
    }
}

/// What comes after the first half of a body.
enum After {
    Cut(Line),
    Gate(Gate, Arc<Inner>),
}

fn in_halves(good: &Value, after: After) -> Response {
    let mut first = Bytes::from(good.to_string());
    let length = first.len();
    let second = first.split_off(length / 2);
    let rest = async move {
        match after {
            After::Cut(line) => {
                // What was written goes out when the body has nothing more for the moment.
                tokio::task::yield_now().await;
                line.cut();
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            }
            After::Gate(gate, inner) => tokio::select! {
                () = gate.pass() => Ok(second),
                () = inner.stop.cancelled() => Err(io::ErrorKind::ConnectionAborted.into()),
            },
        }
    };
    let halves = stream::iter([Ok(first)]).chain(stream::once(rest));
    let mut response = Response::new(Body::from_stream(halves));
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static(JSON));
    headers.insert("content-length", length.into());
    response
}

const JSON: &str = "application/json";

fn respond_json(status: u16, body: &Value) -> Response {
    respond(status, JSON, body.to_string().into())
}

fn respond(status: u16, kind: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::OK);
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static(kind));
    response
}
