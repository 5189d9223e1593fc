//! The clock of a server's machine steps an hour, either way, while GitHub's and the database's go on.

use std::time::Duration;

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule};

use crate::clock::SteppedClock;
use crate::kill::Progress;
use crate::program::Program;
use crate::servers::Servers;
use crate::stage::{Base, Size, Stage};

/// A server on a machine with a clock of its own.
fn server(stage: &Stage, clock: &SteppedClock) -> Program {
    let environment = clock.environment();
    environment
        .iter()
        .fold(stage.server(0), |server, (name, value)| server.set(name, value))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_forwards_and_back_on_sqlite() {
    let stage = Stage::new(Base::Sqlite, Size::short(0, 0).patience).await;
    let clock = stage.machine();
    let mut servers = Servers::of(&stage, vec![server(&stage, &clock)]).await;
    let first = stage.people.story().await;
    let stories = stage.stories(4);
    let mut progress = Progress::of(&stage.github);
    // Forwards, back, further back, and to where it belongs.
    for hours in [1, -1, -1, 1] {
        let _ = tokio::time::timeout(Duration::from_secs(2), progress.more(12)).await;
        clock.step(TimeDelta::hours(hours));
    }
    let _ = tokio::time::timeout(Duration::from_secs(2), progress.more(12)).await;
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    stage.count(first, &others).await;
    servers.stop().await;
}

/// What may have been written is looked for by GitHub's clock, not by ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_in_doubt_is_found_by_a_clock_that_is_an_hour_ahead() {
    let stage = Stage::new(Base::Sqlite, Size::short(0, 0).patience).await;
    let clock = stage.machine();
    clock.step(TimeDelta::hours(1));
    let mut servers = Servers::of(&stage, vec![server(&stage, &clock)]).await;
    let cut_off = |method: &str, path: &str| method == "POST" && path.ends_with("/comments");
    stage
        .github
        .fault(FaultRule::when(cut_off, FaultKind::ExecuteThenReset).times(1));
    let opened = |method: &str, path: &str| method == "POST" && path.ends_with("/issues");
    stage
        .github
        .fault(FaultRule::when(opened, FaultKind::ExecuteThenReset).times(1));
    let people = stage.people.clone();
    let mut story = tokio::spawn(async move { people.story().await });
    // A write in doubt rests for a minute.
    let first = loop {
        match tokio::time::timeout(Duration::from_secs(3), &mut story).await {
            Ok(first) => break first.unwrap(),
            Err(_) => clock.step(TimeDelta::seconds(61)),
        }
    };
    servers.settle().await;
    stage.count(first, &[]).await;
    servers.stop().await;
}

/// Leases are times of the servers' clocks: one that is wrong must not take work from others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_postgres_whose_clock_is_wrong_takes_no_work_and_stores_what_comes() {
    let stage = Stage::new(Base::Postgres, Size::short(0, 0).patience).await;
    let clock = stage.machine();
    let mut servers = Servers::of(&stage, vec![server(&stage, &clock)]).await;
    let first = stage.people.story().await;
    for hours in [1, -1] {
        servers.settle().await;
        let before = Progress::of(&stage.github).writes;
        clock.step(TimeDelta::hours(hours));
        let asked = stage.github.as_("rita").comment(first, "/status").unwrap();
        stage.github.settled().await;
        // Longer than an idle server naps between two looks for work.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(Progress::of(&stage.github).writes, before, "it wrote by a wrong clock");
        clock.step(TimeDelta::hours(-hours));
        let heard = stage.people.see("what was stored meanwhile is answered", |github| {
            let mut signs = github.reactions(asked).into_iter();
            signs.find(|sign| sign.content == "rocket")
        });
        heard.await;
    }
    let (comments, _) = stage.nothing_twice();
    assert!(comments > 0);
    // Who starts by a wrong clock is told so.
    clock.step(TimeDelta::hours(1));
    servers.stop().await;
    crate::program::one(&server(&stage, &clock).refuse().await, &["clock", "ahead of"]);
}
