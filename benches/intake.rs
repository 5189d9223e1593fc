//! Intake: signed deliveries of 10 kB over loopback HTTP into the whole server, each on disk before it is answered,
//! beside a bare handler that only checks the signature.
//!
//! The two alternate within one run on the same machine, so that the ratio says something where the rates do not.
//! `cargo bench --bench intake`; it ends within two minutes.

use std::path::Path;
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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret for the bench alone, 42 characters";
const BODY: usize = 10_000;
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Each of the two runs this often, in turns.
const ROUNDS: usize = 5;
/// A round ends at whichever comes first.
const ROUND: Duration = Duration::from_secs(3);
const DELIVERIES: u64 = 20_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A house as `serve` opens it. Its GitHub is never asked: the deliveries hold no command.
async fn house(directory: &Path, figures: &PrometheusHandle) -> Result<House, Failure> {
    let settings = [
        (
            "COUNTERSIGN_DATABASE_URL",
            format!("sqlite:{}", directory.join("intake.sqlite").display()),
        ),
        ("COUNTERSIGN_MAIL_URL", format!("file:{}", directory.display())),
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
struct Round {
    accepted: u64,
    per_second: f64,
    /// Sorted.
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
    latencies.sort_unstable();
    let accepted = latencies.len() as u64;
    Ok(Round {
        accepted,
        per_second: accepted as f64 / took.as_secs_f64(),
        latencies,
    })
}

/// One request on a connection that is kept; anything but 202 is a failure of the bench.
async fn deliver(connection: &mut TcpStream, number: u64, signature: &str, body: &str) -> Result<(), Failure> {
    let request = format!(
        "POST /webhook HTTP/1.1\r\nHost: localhost\r\nUser-Agent: GitHub-Hookshot/bench\r\n\
         Content-Type: application/json\r\nX-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: bench-{number}\r\n\
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

/// A comment as long as a long one, as GitHub tells it: of an installation, on an issue, without a command.
fn payload() -> String {
    let account = |id: u64, login: &str| serde_json::json!({"id": id, "login": login, "type": "User"});
    let payload = |text: &str| {
        serde_json::json!({
            "action": "created",
            "installation": {"id": 1},
            "repository": {"id": 2, "name": "shop", "full_name": "acme/shop", "owner": account(3, "acme")},
            "sender": account(4, "alice"),
            "issue": {
                "id": 5, "number": 6, "title": "Checkout is slow", "body": "It is.", "state": "open",
                "node_id": "I_5", "user": account(4, "alice"), "html_url": "https://github.example/acme/shop/issues/6",
                "created_at": "2026-11-20T09:00:00Z", "updated_at": "2026-11-20T09:00:00Z",
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

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn describe(name: &str, rounds: &[Round]) -> f64 {
    let rate = median(rounds.iter().map(|round| round.per_second).collect());
    // Of the round in the middle of the run; the rates of all are in the median.
    let latencies = &rounds[rounds.len() / 2].latencies;
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!(
        "  {name:<12} {rate:>9.0}/s   p50 {:>9.1?}   p99 {:>9.1?}",
        at(0.50),
        at(0.99)
    );
    rate
}

/// Alternates the two and prints what they did; returns ours through bare.
async fn compare(directory: &Path, figures: &PrometheusHandle, connections: usize) -> Result<f64, Failure> {
    let secrets = Secrets::new(SECRET, None).map_err(|weak| format!("{weak:?}"))?;
    let (mut plain, mut kept) = (Vec::new(), Vec::new());
    let (mut commits, mut accepted) = (0, 0);
    for at in 0..ROUNDS {
        plain.push(round(bare(secrets.clone()), &secrets, connections).await?);
        // A file of its own for each round: a growing one would make the later rounds slower.
        let directory = directory.join(format!("{connections}-{at}"));
        let house = house(&directory, figures).await?;
        let store = house.engine.store().clone();
        let stop = CancellationToken::new();
        let works = tokio::spawn({
            let (engine, stop) = (house.engine.clone(), stop.clone());
            async move { engine.run(stop).await }
        });
        let measured = round(house.router.clone(), &secrets, connections).await?;
        stop.cancel();
        works.await?;
        let stored = count(&store).await?;
        if u64::try_from(stored)? != measured.accepted {
            return Err(format!("{} were answered 202 and {stored} are stored", measured.accepted).into());
        }
        commits += store.commits();
        accepted += measured.accepted;
        kept.push(measured);
        store.close().await;
        std::fs::remove_dir_all(directory)?;
    }
    println!("{connections} connections");
    let plain = describe("bare", &plain);
    let kept = describe("countersign", &kept);
    let ratio = kept / plain;
    println!(
        "  ratio        {ratio:>9.2}     deliveries per commit {:.1}",
        accepted as f64 / commits as f64
    );
    Ok(ratio)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    // On the disk of the build: a directory in memory would make syncing free.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("intake of {BODY}-byte deliveries, median of {ROUNDS} rounds each, in turns");
    let mut ratios = Vec::new();
    for connections in CONNECTIONS {
        let ratio = compare(directory.path(), &figures, connections).await?;
        ratios.push(format!("{connections}: {ratio:.2}"));
    }
    println!("through bare at {}", ratios.join(", "));
    Ok(())
}
