//! Intake: signed deliveries of 10 kB over loopback HTTP into the whole server, each on disk before it is answered,
//! beside a bare handler that only checks the signature.
//!
//! The two alternate within one run on the same machine, so that the ratio says something where the rates do not.
//! `cargo bench --bench intake`; it ends within three minutes. Parts behind `--`: `sqlite`, `postgres`, `1`, `16`, `64`
//! (connections), `short` (one round).

#[path = "shared/mod.rs"]
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use countersign::cli::house::{House, machine_clock};
use countersign::config::{Overrides, ServerConfig, Sources};
use countersign::inbox::signature::{SIGNATURE_HEADER, Secrets};
use countersign::sandbox::APP_PRIVATE_KEY;
use countersign::store::Store;
use countersign::values;
use countersign::web;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::ground::{Base, Ground, Place};
use shared::{Failure, Parts, head, line, median, milliseconds, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret for the bench alone, 42 characters";
const BODY: usize = 10_000;
const CONNECTIONS: [(&str, usize); 3] = [("1", 1), ("16", 16), ("64", 64)];
/// Each of them runs this often, in turns.
const ROUNDS: usize = 5;
/// A round ends at whichever comes first.
const ROUND: Duration = Duration::from_secs(3);
const DELIVERIES: u64 = 20_000;

/// A house as `serve` opens it. Its GitHub is never asked: the deliveries hold no command.
async fn house(place: &Place, figures: &PrometheusHandle) -> Result<House, Failure> {
    let settings = [
        ("COUNTERSIGN_DATABASE_URL", place.setting()),
        (
            "COUNTERSIGN_MAIL_URL",
            concat!("file:", env!("CARGO_TARGET_TMPDIR"), "/mail").to_owned(),
        ),
        ("COUNTERSIGN_GITHUB_API_URL", "http://127.0.0.1:9".to_owned()),
        ("COUNTERSIGN_GITHUB_APP_ID", "1".to_owned()),
        ("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY.to_owned()),
        ("COUNTERSIGN_WEBHOOK_SECRET", SECRET.to_owned()),
    ];
    let lookup = |name: &str| {
        let found = settings.iter().find(|(setting, _)| *setting == name);
        found.map(|(_, value)| value.clone())
    };
    let sources = Sources {
        overrides: &Overrides::default(),
        environment: &lookup,
        check_key: None,
    };
    let config = ServerConfig::load(&sources).map_err(|mistakes| format!("{mistakes:?}"))?;
    let house = House::open(&config, machine_clock(), figures.clone()).await;
    house.map_err(|problems| problems.join("; ").into())
}

async fn count(store: &Store) -> Result<i64, Failure> {
    let rows = store.read("SELECT count(*) FROM deliveries", values![]).await?;
    Ok(rows[0].int(0)?)
}

/// The handler to compare with: reads the body, checks the signature, answers.
fn bare(secrets: Secrets) -> Router {
    async fn check(State(secrets): State<Arc<Secrets>>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        match secrets.verify(signature, &body) {
            Ok(_) => StatusCode::ACCEPTED,
            Err(_) => StatusCode::UNAUTHORIZED,
        }
    }
    Router::new()
        .route("/webhook", post(check))
        .with_state(Arc::new(secrets))
}

/// What one round showed.
#[derive(Clone)]
struct Round {
    accepted: u64,
    per_second: f64,
    latencies: Vec<Duration>,
}

/// Sends signed deliveries to a router over this many connections until the round is over.
async fn round(router: Router, secrets: &Secrets, connections: usize) -> Result<Round, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, router, stop.clone()));

    let body: Arc<str> = payload().into();
    let signature: Arc<str> = secrets.sign(body.as_bytes()).into();
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (body, signature, next) = (Arc::clone(&body), Arc::clone(&signature), Arc::clone(&next));
            tokio::spawn(async move {
                let mut connection = TcpStream::connect(address).await?;
                connection.set_nodelay(true)?;
                let mut latencies = Vec::new();
                while begin.elapsed() < ROUND {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= DELIVERIES {
                        break;
                    }
                    let sent = Instant::now();
                    deliver(&mut connection, number, &signature, &body).await?;
                    latencies.push(sent.elapsed());
                }
                Ok::<_, Failure>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.append(&mut client.await??);
    }
    let took = begin.elapsed();
    stop.cancel();
    server.await??;
    let accepted = latencies.len() as u64;
    Ok(Round {
        accepted,
        per_second: accepted as f64 / took.as_secs_f64(),
        latencies,
    })
}

/// One request on a connection that is kept; anything but 202 is a failure of the bench.
async fn deliver(connection: &mut TcpStream, number: u64, signature: &str, body: &str) -> Result<(), Failure> {
    // GitHub's ids come in no order.
    let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let request = format!(
        "POST /webhook HTTP/1.1\r\nHost: localhost\r\nUser-Agent: GitHub-Hookshot/bench\r\n\
         Content-Type: application/json\r\nX-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: {id:016x}-7f4a7c15\r\n\
         X-Hub-Signature-256: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(512);
    loop {
        if connection.read_buf(&mut answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let text = std::str::from_utf8(&answer)?;
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.parse())?;
        if rest.len() >= length {
            let accepted = head.starts_with("HTTP/1.1 202");
            return if accepted { Ok(()) } else { Err(text.into()) };
        }
    }
}

/// An account as every payload has several of: names and a dozen addresses.
fn account(id: u64, login: &str) -> serde_json::Value {
    let api = format!("https://api.github.example/users/{login}");
    serde_json::json!({
        "login": login, "id": id, "node_id": format!("MDQ6VXNlcj{id}"), "gravatar_id": "", "url": api,
        "avatar_url": format!("https://avatars.github.example/u/{id}?v=4"),
        "html_url": format!("https://github.example/{login}"), "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"), "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"), "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"), "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"), "received_events_url": format!("{api}/received_events"),
        "type": "User", "user_view_type": "public", "site_admin": false,
    })
}

/// A comment as GitHub tells it: mostly addresses, of an installation, on an issue, without a command.
fn payload() -> String {
    let api = "https://api.github.example/repos/acme/shop";
    let mut repository = serde_json::json!({
        "id": 2, "node_id": "R_2", "name": "shop", "full_name": "acme/shop", "private": true, "owner": account(3, "acme"),
        "html_url": "https://github.example/acme/shop", "description": "Where things are sold", "fork": false,
        "url": api, "created_at": "2024-02-03T04:05:06Z", "updated_at": "2026-11-19T08:07:06Z", "size": 108,
        "stargazers_count": 80, "watchers_count": 80, "language": "Rust", "has_issues": true, "forks_count": 9,
        "open_issues_count": 14, "default_branch": "main", "visibility": "private", "topics": ["shop", "orders"],
    });
    for name in [
        "forks",
        "keys",
        "collaborators",
        "teams",
        "hooks",
        "issue_events",
        "events",
        "assignees",
        "branches",
        "tags",
        "blobs",
        "git_tags",
        "git_refs",
        "trees",
        "statuses",
        "languages",
        "stargazers",
        "contributors",
        "subscribers",
        "subscription",
        "commits",
        "git_commits",
        "comments",
        "issue_comment",
        "contents",
        "compare",
        "merges",
        "archive",
        "downloads",
        "issues",
        "pulls",
        "milestones",
        "notifications",
        "labels",
        "releases",
        "deployments",
    ] {
        repository[format!("{name}_url")] = format!("{api}/{name}{{/number}}").into();
    }
    let payload = |text: &str| {
        serde_json::json!({
            "action": "created",
            "installation": {"id": 1, "node_id": "MDIzOk"},
            "repository": repository,
            "sender": account(4, "alice"),
            "issue": {
                "id": 5, "number": 6, "title": "Checkout is slow", "body": "It is.", "state": "open",
                "node_id": "I_5", "user": account(4, "alice"), "html_url": "https://github.example/acme/shop/issues/6",
                "url": format!("{api}/issues/6"), "labels_url": format!("{api}/issues/6/labels{{/name}}"), "labels": [],
                "created_at": "2026-11-20T09:00:00Z", "updated_at": "2026-11-20T09:00:00Z", "assignees": [],
            },
            "comment": {
                "id": 7, "node_id": "IC_7", "user": account(4, "alice"), "body": text,
                "html_url": "https://github.example/acme/shop/issues/6#issuecomment-7",
                "created_at": "2026-11-20T09:00:00Z", "updated_at": "2026-11-20T09:00:00Z",
            },
        })
        .to_string()
    };
    let words = "Action: bob will write the runbook. ".repeat(BODY);
    payload(&words[..BODY - payload("").len()])
}

fn describe(base: &str, connections: usize, rounds: &mut [Round], bare: Option<f64>, shared: f64) -> f64 {
    let rate = median(rounds.iter().map(|round| round.per_second).collect());
    let mut latencies: Vec<Duration> = rounds.iter_mut().flat_map(|round| round.latencies.drain(..)).collect();
    line([
        base,
        &connections.to_string(),
        &format!("{rate:.0}/s"),
        &milliseconds(within(&mut latencies, 0.50)),
        &milliseconds(within(&mut latencies, 0.99)),
        &format!("{shared:.1}"),
        &bare.map_or_else(String::new, |bare| format!("{:.2}", rate / bare)),
    ]);
    rate
}

/// Alternates the bare handler and the house on each database, and prints what they did.
async fn compare(
    ground: &Ground,
    bases: &[Base],
    connections: usize,
    rounds: usize,
    figures: &PrometheusHandle,
) -> Result<(), Failure> {
    let secrets = Secrets::new(SECRET, None).map_err(|weak| format!("{weak:?}"))?;
    let (mut plain, mut kept) = (Vec::new(), vec![Kept::default(); bases.len()]);
    for _ in 0..rounds {
        plain.push(round(bare(secrets.clone()), &secrets, connections).await?);
        for (base, kept) in bases.iter().zip(&mut kept) {
            kept.add(&ground.fresh(*base)?, &secrets, connections, figures).await?;
        }
    }
    let plain = describe("bare", connections, &mut plain, None, 0.0);
    for (base, kept) in bases.iter().zip(&mut kept) {
        let shared = kept.accepted as f64 / kept.commits as f64;
        describe(base.name(), connections, &mut kept.rounds, Some(plain), shared);
    }
    Ok(())
}

/// What the house did on one database.
#[derive(Default, Clone)]
struct Kept {
    rounds: Vec<Round>,
    accepted: u64,
    commits: u64,
}

impl Kept {
    /// One round more, on a database of its own: a growing one would make the later rounds slower.
    async fn add(
        &mut self,
        place: &Place,
        secrets: &Secrets,
        connections: usize,
        figures: &PrometheusHandle,
    ) -> Result<(), Failure> {
        let house = house(place, figures).await?;
        let store = house.engine.store().clone();
        let stop = CancellationToken::new();
        let works = tokio::spawn({
            let (engine, stop) = (house.engine.clone(), stop.clone());
            async move { engine.run(stop).await }
        });
        let measured = round(house.router.clone(), secrets, connections).await?;
        stop.cancel();
        works.await?;
        let stored = count(&store).await?;
        if u64::try_from(stored)? != measured.accepted {
            return Err(format!("{} were answered 202 and {stored} are stored", measured.accepted).into());
        }
        self.commits += store.commits();
        self.accepted += measured.accepted;
        self.rounds.push(measured);
        store.close().await;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if Ground::watched() {
        return Ok(());
    }
    let parts = Parts::of(&["sqlite", "postgres", "1", "16", "64", "short"])?;
    let bases = parts.among(&Base::ALL);
    let rounds = if parts.named("short") { 1 } else { ROUNDS };
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    let ground = Ground::new(&bases)?;
    println!("\nIntake of {BODY}-byte deliveries, median of {rounds} rounds each, in turns:\n");
    head([
        "",
        "connections",
        "deliveries",
        "p50",
        "p99",
        "deliveries a commit",
        "of bare",
    ]);
    for connections in parts.among(&CONNECTIONS) {
        compare(&ground, &bases, connections, rounds, &figures).await?;
    }
    Ok(())
}
