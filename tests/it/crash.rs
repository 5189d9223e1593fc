//! Stopped between any two commits of its database and started again, the bot ends where it would have ended.

use std::time::Instant;

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
