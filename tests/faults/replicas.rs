//! Three equal servers on one PostgreSQL: each is killed in turn, and all at once.

use std::time::{Duration, Instant};

use rand::RngExt as _;

use crate::kill::{Progress, seeded};
use crate::servers::{STILL, Servers};
use crate::stage::{Base, Size, Stage};

async fn killed_in_turn(size: Size) {
    let began = Instant::now();
    let mut random = seeded(20_261_201);
    let stage = Stage::new(Base::Postgres, size.patience).await;
    let mut servers = Servers::start(&stage, 3).await;
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    let mut kills = 0;
    while kills < size.blows {
        for victim in 0..3 {
            let _ = tokio::time::timeout(STILL, progress.more(random.random_range(1..=20))).await;
            tokio::time::sleep(Duration::from_micros(random.random_range(0..8_000))).await;
            let heir = (victim + random.random_range(1..3)) % 3;
            servers.kill(victim, heir).await;
            kills += 1;
        }
        servers.power_cut().await;
        kills += 3;
    }
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    let counted = stage.count(first, &others).await;
    servers.stop().await;
    println!("three servers, {kills} kills: {counted}, in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_are_killed_in_turn() {
    killed_in_turn(Size::short(5, 12)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_three_servers_are_killed_in_turn() {
    killed_in_turn(Size::long(60, 60)).await;
}
