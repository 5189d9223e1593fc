//! The HTTP side: a listener whose connections can be cut, the journal, the faults, ETags and rate limits.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State as AxumState};
use axum::response::Response;
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::answer::{Answer, Request};
use super::auth::credential;
use super::faults::{FaultKind, strike};
use super::graphql;
use super::journal::{Credential, RequestRecord};
use super::model::World;
use super::refusal::Refusal;
use super::rest;

/// How long an unanswered connection is kept when the client does not give up.
const HANG_BOUND: Duration = Duration::from_secs(120);
/// What GitHub takes in one request body is not published; this keeps a mistake from filling the memory.
const BODY_BOUND: usize = 25 * 1024 * 1024;

/// A switch that cuts one connection: nothing more is read or written.
#[derive(Debug, Clone, Default)]
pub(super) struct Line(Arc<AtomicBool>);

impl Line {
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(())
        }
    }
}

/// A listener whose connections can be cut from inside a handler.
pub(super) struct CutListener(pub TcpListener);

/// A connection with its switch.
pub(super) struct CutStream {
    stream: TcpStream,
    line: Line,
}

impl Listener for CutListener {
    type Io = CutStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CutStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (
            CutStream {
                stream,
                line: Line::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CutListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, CutListener>) -> Self {
        stream.io().line.clone()
    }
}

impl AsyncRead for CutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The whole API behind one handler. Repositories by id are named, since the page would take them for an owner's.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/repositories/{id}/{*rest}", any(serve))
        .fallback(serve)
        .with_state(shared)
}

async fn serve(
    AxumState(shared): AxumState<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match http_body_util::Limited::new(body, BODY_BOUND).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => return respond(Answer::from(Refusal::new(413, "Payload too large")), &[]),
    };
    let request = take_apart(&parts, &body);
    let (answer, limits, fault) = shared.with(|world| handle(world, &request));
    match fault {
        None | Some(FaultKind::TooManyRequests { .. } | FaultKind::Secondary403 { .. } | FaultKind::Status(_)) => {}
        Some(FaultKind::Error500AfterExecute) => {
            return respond(Answer::from(Refusal::new(500, "Server Error")), &limits);
        }
        // What was refused is answered as it would have been.
        Some(FaultKind::WrongJson) if answer.status >= 400 => {}
        Some(FaultKind::WrongJson) => {
            return respond(Answer::new(answer.status, json!({ "unexpected": true })), &limits);
        }
        Some(FaultKind::Refuse | FaultKind::ExecuteThenReset | FaultKind::ExecuteLate) => line.cut(),
        Some(FaultKind::ExecuteThenTimeout) => {
            tokio::select! {
                () = tokio::time::sleep(HANG_BOUND) => {}
                () = shared.stop.cancelled() => {}
            }
            line.cut();
        }
        Some(FaultKind::SlowThenOk(wait)) => tokio::time::sleep(wait).await,
    }
    respond(answer, &limits)
}

fn take_apart(parts: &http::request::Parts, body: &Bytes) -> Request {
    let raw = parts.uri.path();
    // The prefixes of GitHub Enterprise Server, so that the same sandbox can stand for one.
    let path = match raw {
        "/api/graphql" => "/graphql",
        other => other
            .strip_prefix("/api/v3")
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(other),
    };
    let query = parts.uri.query().unwrap_or_default();
    Request {
        method: parts.method.as_str().to_owned(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_vec(),
    }
}

type Headers = Vec<(&'static str, String)>;

/// Carries out one request, faults that prevent it included, and writes it into the journal.
fn handle(world: &mut World, request: &Request) -> (Answer, Headers, Option<FaultKind>) {
    let mut paths = vec![request.path.clone()];
    if request.path == "/graphql" {
        let names = graphql::known_by(&request.body).unwrap_or_default();
        paths.extend(names.iter().map(|name| format!("/graphql/{name}")));
    }
    let fault = strike(&mut world.faults, (&request.method, &request.body), &paths);
    let prevented = fault.and_then(instead);
    let credential = credential(world, request);
    let seen = credential.as_ref().copied().unwrap_or(Credential::Refused);
    let (status, answer) = match prevented {
        Some(answer) => (answer.status, answer),
        None => {
            let answer = match credential.and_then(|credential| budget(world, request, credential)) {
                Ok(credential) => conditional(request, rest::answer(world, request, credential)),
                Err(refusal) => Answer::from(refusal),
            };
            (answer.status, answer)
        }
    };
    let carried_out = !matches!(fault, Some(FaultKind::Refuse | FaultKind::ExecuteLate));
    if fault == Some(FaultKind::ExecuteLate) {
        world.late.push(request.clone());
    }
    world.requests.push(RequestRecord {
        at: world.now(),
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request
            .headers
            .iter()
            .filter(|(name, _)| *name != "authorization")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        credential: seen,
        body: serde_json::from_slice(&request.body).ok(),
        status: if carried_out { status } else { 0 },
        answer: without_token(&answer.body),
        fault,
    });
    let limits = limits(world, seen);
    (answer, limits, fault)
}

/// Carries out a request whose sender has gone away.
pub(super) fn carry_out(world: &mut World, request: &Request) {
    if let Ok(credential) = credential(world, request) {
        rest::answer(world, request, credential);
    }
}

/// An answer for the journal: a token that was given out is not kept.
fn without_token(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(token) = body.get_mut("token") {
        *token = Value::from("ghs_***");
    }
    body
}

/// The answer of a fault that keeps the request from being carried out.
fn instead(fault: FaultKind) -> Option<Answer> {
    let limited = |status: u16, message: &str, retry_after: Option<u64>| {
        let answer = Answer::from(Refusal::new(status, message));
        match retry_after {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    };
    match fault {
        FaultKind::Refuse | FaultKind::ExecuteLate => Some(Answer::empty(502)),
        FaultKind::TooManyRequests { retry_after } => Some(limited(429, "Too Many Requests", retry_after)),
        FaultKind::Secondary403 { retry_after } => Some(limited(
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. \
             If you reach out to GitHub Support for help, please include the request ID",
            retry_after,
        )),
        FaultKind::Status(status) => Some(Answer::from(Refusal::new(status, "Fault of the sandbox"))),
        FaultKind::ExecuteThenTimeout
        | FaultKind::ExecuteThenReset
        | FaultKind::Error500AfterExecute
        | FaultKind::SlowThenOk(_)
        | FaultKind::WrongJson => None,
    }
}

/// Counts a request against its installation's hour.
fn budget(world: &mut World, request: &Request, credential: Credential) -> Result<Credential, Refusal> {
    let now = world.now();
    if let Credential::Installation(id) = credential
        && let Some(installation) = world.installations.get_mut(&id)
        && request.path != "/rate_limit"
    {
        let rate = &mut installation.rate;
        if now >= rate.resets_at {
            rate.used = 0;
            rate.resets_at = now + chrono::Duration::hours(1);
        }
        if rate.used >= rate.limit {
            return Err(Refusal::forbidden(&format!(
                "API rate limit exceeded for installation ID {id}."
            )));
        }
        rate.used += 1;
    }
    Ok(credential)
}

fn limits(world: &World, credential: Credential) -> Headers {
    let (limit, used, reset) = match credential {
        Credential::Installation(id) => match world.installations.get(&id) {
            Some(installation) => (
                installation.rate.limit,
                installation.rate.used,
                installation.rate.resets_at.timestamp(),
            ),
            None => (60, 0, world.now().timestamp() + 3600),
        },
        Credential::App => (5_000, 0, world.now().timestamp() + 3600),
        Credential::Anonymous | Credential::Refused => (60, 0, world.now().timestamp() + 3600),
    };
    let number = world.requests.len();
    vec![
        // By the same clock as everything else here: whoever compares clocks does it by this.
        ("date", world.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", limit.saturating_sub(used).to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        (
            "x-github-request-id",
            format!("5A4D:B0C5:{number:06X}:{:06X}:6900", number * 7),
        ),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-github-api-version-selected", "2022-11-28".to_owned()),
    ]
}

/// Gives a `GET` its ETag and answers 304 when the client has what would be sent.
fn conditional(request: &Request, answer: Answer) -> Answer {
    if request.method != "GET" || answer.status != 200 {
        return answer;
    }
    let link: String = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
    let digest = HEXLOWER.encode(&Sha256::digest(format!("{}{link}", answer.body)));
    let etag = format!("W/\"{digest}\"");
    let known = request.headers.get("if-none-match").is_some_and(|tags| {
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag.trim_start_matches("W/"))
    });
    let answer = if known {
        Answer {
            body: Value::Null,
            status: 304,
            ..answer
        }
    } else {
        answer
    };
    answer
        .with("etag", etag)
        .with("cache-control", "private, max-age=60, s-maxage=60".to_owned())
}

fn respond(answer: Answer, limits: &[(&'static str, String)]) -> Response {
    let mut response = http::Response::builder()
        .status(answer.status)
        .header("server", "github.com");
    for (name, value) in answer.headers.iter().chain(limits) {
        response = response.header(*name, value);
    }
    let body = if answer.body.is_null() {
        Body::empty()
    } else {
        response = response.header("content-type", "application/json; charset=utf-8");
        Body::from(answer.body.to_string())
    };
    response.body(body).unwrap_or_else(|_| {
        let mut broken = Response::new(Body::empty());
        *broken.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
