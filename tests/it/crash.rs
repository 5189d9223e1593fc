//! Stopped between any two commits of its database, or around any call to GitHub, and started again, the bot ends where
//! it would have ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use countersign::sandbox::{FaultKind, FaultRule, RequestRecord};

use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
use crate::world::{Base, World};

/// Stops the process once, after so many commits, and starts it again on the same database.
struct Stopped {
    after: Option<u64>,
}

impl Course for Stopped {
    async fn settle(&mut self, world: &mut World) {
        let store = world.house().engine.store().clone();
        if let Some(commits) = self.after {
            store.stop_after(commits);
        }
        if world.settle_unless_stopped().await.is_ok() {
            return;
        }
        assert_eq!(
            self.after.take(),
            Some(store.commits()),
            "only the crash point stops the database"
        );
        drop(store);
        world.restart().await;
        world.sweep().await;
        world.settle().await;
    }
}

/// The plain run: its end, and how many commits it took.
async fn plain(base: Base) -> (Outcome, u64) {
    let mut world = setup().on(base).start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    let commits = world.house().engine.store().commits();
    world.close().await;
    (outcome, commits)
}

/// Every `of`-th crash point, beginning with the `first`.
pub async fn sweep(base: Base, first: u64, of: usize) {
    let began = Instant::now();
    let (expected, commits) = plain(base).await;
    assert!(commits > 50, "the story takes {commits} commits");
    for after in (first..=commits).step_by(of) {
        let mut world = setup().on(base).start().await;
        let mut course = Stopped { after: Some(after) };
        let outcome = tell(&mut world, &mut course).await;
        // What is done at the same time shares commits by chance, so that a run may need a few less.
        let late = after + 8 > commits;
        assert!(
            course.after.is_none() || late,
            "the run ended before commit {after} of {commits}"
        );
        outcome.assert_is(&expected, &format!("stopped after commit {after} of {commits}"));
        world.close().await;
    }
    println!("every {of}th of {commits} commits in {:?}", began.elapsed());
}

/// The sweep is cut into so many tests, which run beside each other.
const PARTS: usize = 8;

macro_rules! sweeps {
    ($($name:ident: $first:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            sweep(Base::Sqlite, $first, PARTS).await;
        })+
    };
}

sweeps! {
    stopped_after_commits_1_9_and_so_on: 1,
    stopped_after_commits_2_10_and_so_on: 2,
    stopped_after_commits_3_11_and_so_on: 3,
    stopped_after_commits_4_12_and_so_on: 4,
    stopped_after_commits_5_13_and_so_on: 5,
    stopped_after_commits_6_14_and_so_on: 6,
    stopped_after_commits_7_15_and_so_on: 7,
    stopped_after_commits_8_16_and_so_on: 8,
}

/// A side of a call to GitHub.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// The intent is kept, and the call is not made.
    Before,
    /// The call was carried out, and nothing of it is kept.
    Behind,
}

/// Writes to GitHub, but for the token that each of them needs.
fn writes(method: &str, path: &str) -> bool {
    method != "GET" && !path.ends_with("/access_tokens")
}

/// Stops the process on one side of a write to GitHub, and starts it again.
pub struct StoppedAround {
    /// Whether that write was made.
    pub stopped: bool,
}

impl StoppedAround {
    /// Of these writes the one with this number, from 1.
    pub fn write(world: &World, of: fn(&str, &str) -> bool, number: usize, side: Side) -> Self {
        let (store, seen) = (world.house().engine.store().clone(), AtomicUsize::new(0));
        let now = move |method: &str, path: &str| {
            let strikes = of(method, path) && seen.fetch_add(1, Ordering::SeqCst) + 1 == number;
            if strikes {
                store.stop_after(0);
            }
            strikes
        };
        let kind = match side {
            Side::Before => FaultKind::Refuse,
            Side::Behind => FaultKind::ExecuteThenReset,
        };
        world.github.fault(FaultRule::when(now, kind).times(1));
        Self { stopped: false }
    }
}

impl Course for StoppedAround {
    async fn settle(&mut self, world: &mut World) {
        if world.settle_unless_stopped().await.is_ok() {
            return;
        }
        assert!(!self.stopped, "only the crash point stops the database, once");
        self.stopped = true;
        world.restart().await;
        world.sweep().await;
        world.settle().await;
    }
}

/// Every `of`-th write to GitHub, beginning with the `first`.
pub async fn sweep_writes(base: Base, side: Side, first: usize, of: usize) {
    let mut world = setup().on(base).start().await;
    let expected = tell(&mut world, &mut Plain).await;
    let requests = world.github.requests();
    let made = |request: &&RequestRecord| writes(&request.method, &request.path);
    let count = requests.iter().filter(made).count();
    world.close().await;
    assert!(count > 30, "the story takes {count} writes");
    for number in (first..=count).step_by(of) {
        let mut world = setup().on(base).start().await;
        let mut course = StoppedAround::write(&world, writes, number, side);
        let outcome = tell(&mut world, &mut course).await;
        assert!(course.stopped, "write {number} of {count} was not made");
        outcome.assert_is(&expected, &format!("stopped {side:?} write {number} of {count}"));
        world.close().await;
    }
}

#[tokio::test]
async fn stopped_before_every_fifth_write_to_github() {
    sweep_writes(Base::Sqlite, Side::Before, 1, 5).await;
}

#[tokio::test]
async fn stopped_behind_every_fifth_write_to_github() {
    sweep_writes(Base::Sqlite, Side::Behind, 3, 5).await;
}

#[tokio::test]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_stopped_around_every_write_to_github() {
    for base in [Base::Sqlite, Base::Postgres] {
        for side in [Side::Before, Side::Behind] {
            sweep_writes(base, side, 1, 1).await;
        }
    }
}

#[tokio::test]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_stopped_after_every_commit_on_postgres() {
    sweep(Base::Postgres, 1, 1).await;
}
