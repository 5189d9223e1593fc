//! A server sleeps for longer than its leases, in the middle of a call, and wakes when another has done its work.

use std::time::{Duration, Instant};

use countersign::sandbox::{FaultKind, FaultRule};
use rand::RngExt as _;

use crate::kill::{Progress, seeded};
use crate::servers::Servers;
use crate::stage::{Base, Size, Stage};

/// A call in whose middle the server is frozen.
struct Moment {
    name: &'static str,
    is: fn(&str, &str) -> bool,
}

/// Before a write that was checked already, and behind each kind of write that must not be made twice.
const MOMENTS: [Moment; 5] = [
    Moment {
        name: "while it asks for a permission",
        is: |_, path| path.ends_with("/permission"),
    },
    Moment {
        name: "while it waits for the answer to a comment",
        is: |method, path| method == "POST" && path.ends_with("/comments"),
    },
    Moment {
        name: "while it waits for the answer to a new issue",
        is: |method, path| method == "POST" && path.ends_with("/issues"),
    },
    Moment {
        name: "while it waits for the answer to a link",
        is: |method, path| method == "POST" && path.ends_with("/sub_issues"),
    },
    Moment {
        name: "while it waits for the answer to a card",
        is: |method, path| method == "PATCH" && path.contains("/issues/comments/"),
    },
];

/// How late the answer comes: the server is frozen by then.
const LATE: Duration = Duration::from_millis(400);

/// Waits until a call of this kind is under way.
async fn under_way(stage: &Stage, moment: &Moment) {
    let (before, is) = (stage.github.requests().len(), moment.is);
    stage
        .github
        .fault(FaultRule::when(is, FaultKind::SlowThenOk(LATE)).times(1));
    let struck = stage.people.see(moment.name, |github| {
        let new = github.requests_after(before);
        new.iter().any(|request| request.fault.is_some()).then_some(())
    });
    struck.await;
}

/// One server, which finds its own work taken from itself when it wakes.
async fn alone() {
    let stage = Stage::new(Base::Sqlite, Size::short(0, 0).patience).await;
    let mut servers = Servers::start(&stage, 1).await;
    let first = stage.people.story().await;
    let stories = stage.stories(2);
    for moment in &MOMENTS {
        under_way(&stage, moment).await;
        let running = servers.at(0);
        running.signal("-STOP");
        stage.let_leases_end();
        // The answer is there when it wakes.
        tokio::time::sleep(LATE).await;
        running.signal("-CONT");
    }
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    stage.count(first, &others).await;
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_sleeps_through_its_lease_does_nothing_twice() {
    alone().await;
}

/// Two servers; the one that is frozen wakes when the other has taken its work over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_that_sleeps_through_its_lease_does_nothing_twice() {
    let stage = Stage::new(Base::Postgres, Size::short(0, 0).patience).await;
    let (sleeper, other) = (stage.server(0), stage.server(1));
    let mut running = stage.start(&sleeper).await;
    let first = stage.people.story().await;
    let stories = stage.stories(2);
    let mut progress = Progress::of(&stage.github);
    for moment in &MOMENTS {
        under_way(&stage, moment).await;
        running.signal("-STOP");
        stage.let_leases_end();
        let awake = stage.start(&other).await;
        let _ = tokio::time::timeout(Duration::from_secs(2), progress.more(3)).await;
        running.signal("-CONT");
        // It finds out what happened while it slept, and that its clock was set meanwhile.
        let _ = tokio::time::timeout(Duration::from_millis(500), progress.more(1)).await;
        awake.kill();
        stage.let_leases_end();
        running.kill();
        running = stage.start(&sleeper).await;
    }
    running.kill();
    let mut servers = Servers::start(&stage, 2).await;
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    stage.count(first, &others).await;
    servers.stop().await;
}

/// At random, and for as long as a lease really lasts. A process that is frozen between its last look at the clock and
/// the byte that it sends next cannot be held back by anybody: what that made twice is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour: docs/reliability.md"]
async fn long_frozen_at_random() {
    let began = Instant::now();
    let size = Size::long(40, 6);
    let mut random = seeded(20_261_202);
    let stage = Stage::new(Base::Postgres, size.patience).await;
    let mut servers = Servers::start(&stage, 2).await;
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    for blow in 0..size.blows {
        let _ = tokio::time::timeout(Duration::from_secs(20), progress.more(random.random_range(1..=60))).await;
        tokio::time::sleep(Duration::from_micros(random.random_range(0..8_000))).await;
        servers.freeze(blow % 2, Duration::from_secs(100)).await;
    }
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    let counted = stage.count(first, &others).await;
    servers.stop().await;
    println!("{} freezes of 100 s: {counted}, in {:?}", size.blows, began.elapsed());
}
