//! Deliveries storm in while the server is killed again and again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::sandbox::{Delivery, Packet};
use rand::RngExt as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::kill::seeded;
use crate::servers::Servers;
use crate::stage::{Base, Size, Stage};

/// Connections that bring deliveries at the same time.
const SENDERS: usize = 16;

/// One comment of so many is a command.
const COMMANDS: usize = 40;

/// How long a sender rests after a delivery was not taken: GitHub does not press on either.
const REST: Duration = Duration::from_secs(1);

async fn storm(base: Base, deliveries: usize, kills: usize, size: Size) {
    let began = Instant::now();
    let mut random = seeded(20_261_204);
    let stage = Stage::new(base, size.patience).await;
    let mut servers = Servers::start(&stage, 1).await;
    let first = stage.people.story().await;
    servers.settle().await;
    let (before, _) = stage.nothing_twice();

    stage.github.set_delivery(Delivery::Manual);
    let subjects: Vec<_> = (0..20)
        .map(|_| stage.github.as_("bob").open_issue("A talk", "Text").unwrap())
        .collect();
    for at in subjects.len()..deliveries {
        let subject = subjects[at % subjects.len()];
        let text = if at % COMMANDS == 0 {
            "/status"
        } else {
            "I think so, too."
        };
        stage.github.as_("carol").comment(subject, text).unwrap();
    }
    let queue: VecDeque<Packet> = std::iter::from_fn(|| stage.github.take_next()).collect();
    assert!(queue.len() >= deliveries, "{} deliveries", queue.len());
    let (queue, sent) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicUsize::new(0)));
    // What the bot itself causes leaves by itself.
    stage.github.set_delivery(Delivery::Automatic);
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (github, queue, sent) = (stage.github.clone(), Arc::clone(&queue), Arc::clone(&sent));
        senders.spawn(async move {
            loop {
                let Some(packet) = queue.lock().await.pop_front() else {
                    return;
                };
                let twice = sent.fetch_add(1, Ordering::SeqCst).is_multiple_of(10);
                let again = twice.then(|| packet.clone());
                if github.deliver(packet).await.status != 202 {
                    tokio::time::sleep(REST).await;
                }
                if let Some(packet) = again {
                    github.deliver(packet).await;
                }
            }
        });
    }
    for kill in 1..=kills {
        let until = deliveries * kill / (kills + 1) + random.random_range(0..20);
        while sent.load(Ordering::SeqCst) < until.min(deliveries) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        servers.power_cut().await;
    }
    senders.join_all().await;
    let stored = began.elapsed();
    servers.settle().await;
    let (after, _) = stage.nothing_twice();
    let asked = (subjects.len()..deliveries).filter(|at| at % COMMANDS == 0).count();
    assert_eq!(after - before, asked, "answers");
    stage
        .people
        .see("the first workflow stands", |_| stage.people.card(first))
        .await;
    servers.stop().await;
    println!(
        "{deliveries} deliveries, a tenth of them twice, {kills} kills on {base:?}: all in the inbox, {asked} answers, none \
         twice; sent in {stored:?}, done in {:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_deliveries_and_five_kills_on_sqlite() {
    storm(Base::Sqlite, 1_000, 5, Size::short(0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_deliveries_and_five_kills_on_postgres() {
    storm(Base::Postgres, 1_000, 5, Size::short(0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_ten_thousand_deliveries_and_twenty_kills_on_sqlite() {
    storm(Base::Sqlite, 10_000, 20, Size::long(0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_ten_thousand_deliveries_and_twenty_kills_on_postgres() {
    storm(Base::Postgres, 10_000, 20, Size::long(0, 0)).await;
}
