//! The database goes away under load, comes back, and for a while takes no writes.

use std::time::{Duration, Instant};

use rand::RngExt as _;

use crate::kill::{Progress, seeded};
use crate::program::Running;
use crate::servers::Servers;
use crate::stage::{Base, Size, Stage};

async fn stopped_at_once(size: Size) {
    let began = Instant::now();
    let mut random = seeded(20_261_203);
    let stage = Stage::new(Base::Postgres, size.patience).await;
    let mut servers = Servers::start(&stage, 2).await;
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    let cluster = stage.cluster.as_ref().unwrap();
    for _ in 0..size.blows {
        let _ = tokio::time::timeout(Duration::from_secs(3), progress.more(random.random_range(1..=30))).await;
        tokio::time::sleep(Duration::from_micros(random.random_range(0..8_000))).await;
        tokio::task::block_in_place(|| cluster.crash());
        tokio::time::sleep(Duration::from_millis(random.random_range(0..1_500))).await;
        tokio::task::block_in_place(|| cluster.start());
    }
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    let counted = stage.count(first, &others).await;
    servers.stop().await;
    println!(
        "PostgreSQL stopped with -m immediate {} times: {counted}, in {:?}",
        size.blows,
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_crashes_under_load() {
    stopped_at_once(Size::short(5, 4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_postgres_crashes_under_load() {
    stopped_at_once(Size::long(60, 30)).await;
}

/// Waits until a server says whether it can store a delivery: connections end a while after they are told to.
async fn ready(running: &Running, status: u16) {
    let asking = async {
        while running.get("/readyz").await.0 != status {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), asking).await;
    assert!(in_time.is_ok(), "/readyz never came to {status}");
}

/// As after a failover, when the server still talks to the former primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_takes_no_deliveries_and_loses_none() {
    let stage = Stage::new(Base::Postgres, Size::short(0, 0).patience).await;
    let mut servers = Servers::start(&stage, 1).await;
    let first = stage.people.story().await;
    servers.settle().await;
    let running = servers.at(0);
    let database = stage.postgres();
    let turn = |state: &str| {
        let name = database.ask("SELECT current_database()");
        let set = format!(
            "ALTER DATABASE {} SET default_transaction_read_only = {state}",
            name.trim()
        );
        database.ask(&format!("BEGIN READ WRITE; {set}; COMMIT"));
        database
            .ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'countersign%'");
    };
    turn("on");
    ready(running, 503).await;
    let asked = stage.github.as_("rita").comment(first, "/status").unwrap();
    stage.github.settled().await;
    assert_eq!(stage.github.reactions(asked), [], "it was not heard");
    assert_eq!(running.get("/livez").await.0, 200);
    turn("off");
    ready(running, 200).await;
    // The sweep asks for what was answered 503.
    servers.settle().await;
    stage.was_answered(asked);
    stage.nothing_twice();
    servers.stop().await;
}
