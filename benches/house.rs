//! The server as a process: how soon it is ready, and what memory it takes while it has nothing to do.
//!
//! `cargo bench --bench house`; it ends within a minute. Parts behind `--`: `sqlite`, `postgres`.

#[path = "shared/mod.rs"]
mod shared;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign::sandbox::APP_PRIVATE_KEY;
use shared::ground::{Base, Ground, Place};
use shared::{Failure, Parts, head, line, median};

/// Starts on a database that exists, after the first one, which makes it.
const STARTS: usize = 7;

/// How long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// A server that is stopped with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the server and tells how long it took until it could store a delivery.
fn start(place: &Place, address: SocketAddr) -> Result<(Server, Duration), Failure> {
    let began = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("serve")
        .env("COUNTERSIGN_DATABASE_URL", place.setting())
        .env("COUNTERSIGN_LISTEN", address.to_string())
        .env(
            "COUNTERSIGN_MAIL_URL",
            concat!("file:", env!("CARGO_TARGET_TMPDIR"), "/mail"),
        )
        .env("COUNTERSIGN_GITHUB_API_URL", "http://127.0.0.1:9")
        .env("COUNTERSIGN_GITHUB_APP_ID", "1")
        .env("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY)
        .env(
            "COUNTERSIGN_WEBHOOK_SECRET",
            "a secret for the bench alone, 42 characters",
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let server = Server(child);
    while !is_ready(address) {
        if began.elapsed() > Duration::from_secs(30) {
            return Err("the server did not become ready".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((server, began.elapsed()))
}

fn is_ready(address: SocketAddr) -> bool {
    let asked = || {
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).map(|_| answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// What the process holds, in megabytes: all of it, and what is its own and no page of a file.
fn memory(server: &Server) -> Result<(f64, f64), Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id()))?;
    let of = |name: &str| -> Result<f64, Failure> {
        let found = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        Ok(found.ok_or("the system does not tell")?.parse::<f64>()? * 1024.0 / 1e6)
    };
    Ok((of("VmRSS:")?, of("RssAnon:")?))
}

fn main() -> Result<(), Failure> {
    if Ground::watched() {
        return Ok(());
    }
    let bases = Parts::of(&["sqlite", "postgres"])?.among(&Base::ALL);
    let ground = Ground::new(&bases)?;
    println!("\nThe server as a process, median of {STARTS} starts:\n");
    head(["database", "first start", "ready", "idle memory", "of it its own"]);
    for base in bases {
        let place = ground.fresh(base)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (_, first) = start(&place, address)?;
        let (mut ready, mut all, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..STARTS {
            let (server, took) = start(&place, address)?;
            ready.push(took.as_secs_f64() * 1_000.0);
            if at % 3 == 0 {
                std::thread::sleep(IDLE);
                let (whole, its) = memory(&server)?;
                all.push(whole);
                own.push(its);
            }
        }
        line([
            base.name(),
            &format!("{:.0} ms", first.as_secs_f64() * 1_000.0),
            &format!("{:.0} ms", median(ready)),
            &format!("{:.1} MB", median(all)),
            &format!("{:.1} MB", median(own)),
        ]);
    }
    Ok(())
}
