//! The whole job on PostgreSQL: the same story with the same end, stopped, cut off and shared by several servers.

#[path = "../postgres/cluster.rs"]
pub mod cluster;

use countersign::cli::house::House;
use countersign::store::Store;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::bad_input::Forged;
use crate::cli::run_with;
use crate::crash::{self, Side};
use crate::faults::Patient;
use crate::start::{NOBODY, Program, one};
use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
use crate::world::{Base, World};
use cluster::Cluster;

/// How it ends on a SQLite file of its own, where nothing goes wrong.
async fn plain() -> Outcome {
    let mut world = setup().on(Base::Sqlite).start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    world.close().await;
    outcome
}

#[tokio::test]
async fn the_whole_story_ends_as_on_sqlite() {
    let mut world = setup().on(Base::Postgres).start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    outcome.assert_is(&plain().await, "on PostgreSQL");
    world.close().await;
}

#[tokio::test]
async fn stopped_between_two_commits() {
    crash::sweep(Base::Postgres, 3, 47).await;
}

#[tokio::test]
async fn stopped_around_a_write_to_github() {
    crash::sweep_writes(Base::Postgres, Side::Before, 4, 19).await;
    crash::sweep_writes(Base::Postgres, Side::Behind, 9, 19).await;
}

/// Three servers on one database. Whoever works is chosen at random, and now and then one is killed in the middle of its
/// work and another takes its place.
struct Replicas {
    random: StdRng,
    houses: Vec<House>,
    killed: u32,
}

impl Replicas {
    async fn of(world: &World, seed: u64) -> Self {
        let mut houses = Vec::new();
        for _ in 0..3 {
            houses.push(world.another_house().await);
        }
        Self {
            random: StdRng::seed_from_u64(seed),
            houses,
            killed: 0,
        }
    }

    /// Lets one of them work. Tells whether it did anything.
    async fn work(&mut self, world: &World) -> bool {
        let at = self.random.random_range(0..self.houses.len());
        let house = &self.houses[at];
        if self.random.random_bool(0.2) {
            let store = house.engine.store();
            store.stop_after(store.commits() + self.random.random_range(0..6));
        }
        match house.engine.pump().await {
            Ok(worked) => worked > 0,
            Err(_) => {
                self.killed += 1;
                house.engine.store().close().await;
                self.houses[at] = world.another_house().await;
                true
            }
        }
    }
}

impl Course for Replicas {
    async fn settle(&mut self, world: &mut World) {
        loop {
            world.github.deliver_all().await;
            let mut worked = false;
            for _ in 0..6 {
                worked |= self.work(world).await;
            }
            if worked {
                continue;
            }
            // What a killed one held is free when its leases have ended; this one is never killed.
            Patient.settle(world).await;
            return;
        }
    }
}

#[tokio::test]
async fn three_servers_share_one_database_and_are_killed_in_turn() {
    let expected = plain().await;
    let mut killed = 0;
    for seed in 0..2 {
        let mut world = setup().on(Base::Postgres).start().await;
        let mut replicas = Replicas::of(&world, seed).await;
        let outcome = tell(&mut world, &mut replicas).await;
        outcome.assert_is(&expected, &format!("with three servers, seed {seed}"));
        killed += replicas.killed;
        for house in &replicas.houses {
            house.engine.store().close().await;
        }
        world.close().await;
    }
    assert!(killed > 3, "{killed} were killed");
}

#[tokio::test]
async fn the_program_serves_and_its_commands_look_in_beside_it() {
    let database = Cluster::shared().database();
    let program = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", &database.url());
    let running = program.start().await;
    let (status, body) = running.get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    let ping = Forged::signed("ping", "d-1", r#"{"zen":"Keep it logically awesome."}"#);
    assert_eq!(ping.post_to(&running.webhook()).await.status, 202);

    let home = tempfile::tempdir().unwrap();
    let url = database.url();
    let ask = |arguments: &[&str]| run_with(home.path(), &[("COUNTERSIGN_DATABASE_URL", &url)], arguments);
    let listed = ask(&["deliveries", "list", "--json"]).envelope();
    assert_eq!(listed["data"]["deliveries"][0]["id"], "d-1", "{listed}");
    assert_eq!(
        ask(&["list", "--all", "--json"]).envelope()["data"]["workflows"],
        serde_json::json!([])
    );
    let none = ask(&["status", "nobody"]);
    assert!(none.code != 0 && none.err.contains("nobody"), "{}", none.err);

    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    // What was answered 202 is there.
    let store = Store::open_to_read(&url.parse().unwrap()).await.unwrap();
    assert_eq!(store.deliveries(false, 10).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn a_database_that_comes_later_is_waited_for() {
    let cluster = Cluster::own();
    let database = cluster.only_database();
    cluster.crash();
    let program = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", &database.url());
    let waiting = tokio::spawn(async move { program.start().await });
    cluster.start();
    let running = waiting.await.unwrap();
    assert_eq!(running.get("/readyz").await.0, 200);
    running.signal("-TERM");
    assert_eq!(running.end().await.0, Some(0));
}

#[tokio::test]
async fn what_stands_in_the_way_of_the_database_is_one_sentence() {
    let database = Cluster::shared().database();
    let serve = |url: &str| Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", url);
    let other = database.url().replace("/test_", "/no_such_");
    one(
        &serve(&other).refuse().await,
        &["refuses us", "no_such_", "COUNTERSIGN_DATABASE_URL"],
    );
    let unknown = serve("mysql://bot:hunter2@localhost/bot").refuse().await;
    one(&unknown, &["names the database mysql", "postgres://"]);

    database.ask("CREATE TABLE bookmarks (url TEXT)");
    one(&serve(&database.url()).refuse().await, &["another program"]);
    database.ask("DROP TABLE bookmarks; CREATE TABLE countersign_schema (version BIGINT NOT NULL)");
    database.ask("INSERT INTO countersign_schema (version) VALUES (999)");
    one(
        &serve(&database.url()).refuse().await,
        &["schema 999", "use the newer program"],
    );

    let home = tempfile::tempdir().unwrap();
    let gone = "postgres://bot:hunter2@127.0.0.1:9/countersign";
    let listed = run_with(home.path(), &[("COUNTERSIGN_DATABASE_URL", gone)], &["list"]);
    assert!(
        listed
            .err
            .contains("postgres://bot@127.0.0.1:9/countersign cannot be reached"),
        "{}",
        listed.err
    );
    assert!(!listed.err.contains("hunter2"), "{}", listed.err);
}
