//! Steps of workflows: *start, two effects, signal, two effects*, over the real store and the real core, with an
//! outside that answers at once.
//!
//! What is measured is the engine's protocol: every decision is one fenced write of events, state and effects; every
//! effect is claimed in one commit and ended in another together with the events that follow. Each is on disk before it
//! counts. `cargo bench --bench steps` measures all and ends within ten minutes; parts can be named behind `--`:
//! `sqlite`, `postgres`, `rates`, `million` (the rates again beside a million stored workflows), `short` (one round).

mod flow;
mod run;
#[path = "../shared/mod.rs"]
mod shared;
mod stored;

use std::time::{Duration, Instant};

use countersign::store::Store;

use run::{Round, STEPS, round};
use shared::ground::{Base, Ground, Place};
use shared::{Failure, Parts, head, line, median, milliseconds};

const CLIENTS: [usize; 2] = [1, 16];
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(5);
/// Workflows that are stored for the second part.
const STORED: u64 = 1_000_000;

/// Commits a second of the same disk that do nothing else: what a step can be at best without sharing.
async fn bare(place: &Place) -> Result<f64, Failure> {
    let store = Store::open(&place.url()?).await?;
    let began = Instant::now();
    let mut commits = 0_u64;
    while began.elapsed() < ROUND / 2 {
        store.count("bench", 1).await?;
        commits += 1;
    }
    let rate = commits as f64 / began.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

/// What the rounds of one number of clients showed, each figure the one in the middle.
struct Shown {
    rate: f64,
    per_commit: f64,
    half: Duration,
    most: Duration,
}

impl Shown {
    fn of(rounds: &[Round]) -> Self {
        let middle = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of).collect());
        let time = |of: &dyn Fn(&Round) -> Duration| Duration::from_secs_f64(middle(&|round| of(round).as_secs_f64()));
        Self {
            rate: middle(&|round| round.per_second),
            per_commit: middle(&|round| round.per_commit),
            half: time(&|round| round.half),
            most: time(&|round| round.most),
        }
    }

    fn print(&self, name: &str, clients: usize, against: f64) {
        line([
            name,
            &clients.to_string(),
            &format!("{:.0}/s", self.rate),
            &format!("{:.2}", self.per_commit),
            &milliseconds(self.half),
            &milliseconds(self.most),
            &format!("{against:.2}"),
        ]);
    }
}

/// What a table of rates tells, the last of it what they are held against.
fn columns(against: &'static str) -> [&'static str; 7] {
    [
        "database",
        "clients",
        "steps",
        "steps a commit",
        "signal to next effect p50",
        "p99",
        against,
    ]
}

/// The rates on an empty database, a fresh one for each round.
async fn rates(ground: &Ground, bases: &[Base], rounds: usize) -> Result<(), Failure> {
    println!("\nSteps of start, two effects, signal, two effects ({STEPS} a workflow), median of {rounds} rounds:\n");
    head(columns("of bare commits"));
    for &base in bases {
        let (mut bares, mut shown) = (Vec::new(), CLIENTS.map(|_| Vec::new()));
        for _ in 0..rounds {
            bares.push(bare(&ground.fresh(base)?).await?);
            for (clients, shown) in CLIENTS.into_iter().zip(&mut shown) {
                let place = ground.fresh(base)?;
                shown.push(round(&place, clients, ROUND).await?);
            }
        }
        let bare = median(bares);
        for (clients, rounds) in CLIENTS.into_iter().zip(&shown) {
            let shown = Shown::of(rounds);
            shown.print(base.name(), clients, shown.rate / bare);
        }
        line([base.name(), "bare commits", &format!("{bare:.0}/s"), "", "", "", ""]);
    }
    Ok(())
}

/// The rates beside stored workflows, in turns with those on a small database.
async fn beside_stored(ground: &Ground, bases: &[Base], rounds: usize) -> Result<(), Failure> {
    println!("\nThe same beside {STORED} stored workflows, and how much longer a step takes there:\n");
    head(columns("growth"));
    for &base in bases {
        let full = ground.fresh(base)?;
        let began = Instant::now();
        let template = stored::fill(&full, STORED).await?;
        full.settle();
        let (took, bytes) = (began.elapsed(), full.bytes()?);
        for clients in CLIENTS {
            let (mut empty, mut filled) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let small = ground.fresh(base)?;
                empty.push(round(&small, clients, ROUND).await?);
                filled.push(round(&full, clients, ROUND).await?);
            }
            let (empty, filled) = (Shown::of(&empty), Shown::of(&filled));
            filled.print(base.name(), clients, empty.rate / filled.rate);
        }
        println!(
            "\n{}: {} bytes a workflow ({template} rows each, {:.1} GB in all, filled in {:.0} s).\n",
            base.name(),
            bytes / STORED,
            bytes as f64 / 1e9,
            took.as_secs_f64()
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if Ground::watched() {
        return Ok(());
    }
    let parts = Parts::of(&["sqlite", "postgres", "rates", "million", "short"])?;
    let bases = parts.among(&Base::ALL);
    let rounds = if parts.named("short") { 1 } else { ROUNDS };
    let ground = Ground::new(&bases)?;
    for part in parts.among(&[("rates", "rates"), ("million", "million")]) {
        match part {
            "rates" => rates(&ground, &bases, rounds).await?,
            _ => beside_stored(&ground, &bases, rounds).await?,
        }
    }
    Ok(())
}
