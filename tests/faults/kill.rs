//! The process is killed in the middle of its work, again and again, while people go on.

use std::time::{Duration, Instant};

use countersign::sandbox::Sandbox;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::post::Post;
use crate::servers::{STILL, Servers};
use crate::stage::{Base, Size, Stage};

/// How many writes one story takes, about. Kills are spread over all of them by it.
const WRITES: usize = 24;

/// What the bot has written, as far as it was looked at.
pub struct Progress {
    github: Sandbox,
    seen: usize,
    pub writes: usize,
}

impl Progress {
    pub fn of(github: &Sandbox) -> Self {
        let mut progress = Self {
            github: github.clone(),
            seen: 0,
            writes: 0,
        };
        progress.look();
        progress
    }

    fn look(&mut self) {
        let new = self.github.requests_after(self.seen);
        self.seen += new.len();
        let writes = |path: &str| path.starts_with("/repos") || path.starts_with("/repositories");
        let written = new
            .iter()
            .filter(|request| request.method != "GET" && writes(&request.path));
        self.writes += written.count();
    }

    /// Waits until the bot has written so much more.
    pub async fn more(&mut self, writes: usize) {
        let wanted = self.writes + writes;
        let mut changes = self.github.changes();
        loop {
            changes.mark_unchanged();
            self.look();
            if self.writes >= wanted {
                return;
            }
            changes.changed().await.unwrap();
        }
    }
}

/// A seed, which is told, so that a run can be repeated: the test's own, or the one in `COUNTERSIGN_TEST_SEED`.
pub fn seeded(default: u64) -> StdRng {
    let given = std::env::var("COUNTERSIGN_TEST_SEED").ok();
    let seed = given.map_or(default, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// Mail goes to a folder beside the SQLite file, and to a mail server where there may be several servers.
async fn kill_loop(base: Base, size: Size) {
    let began = Instant::now();
    let mut random = seeded(20_261_130);
    let mut stage = Stage::new(base, size.patience).await;
    if base == Base::Postgres {
        stage.post = Post::server();
    }
    let mut servers = Servers::start(&stage, 1).await;
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    let between = (size.workflows - 1) * WRITES / size.blows;
    let mut kills = 0;
    while kills < size.blows && !stories.is_finished() {
        let more = random.random_range(1..=2 * between);
        let pause = Duration::from_micros(random.random_range(0..8_000));
        tokio::select! {
            () = progress.more(more) => {}
            () = tokio::time::sleep(STILL * 2) => {}
            () = until_finished(&stories) => break,
        }
        tokio::time::sleep(pause).await;
        servers.power_cut().await;
        kills += 1;
    }
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    assert_eq!(kills, size.blows, "the story was over before the last kill");
    let counted = stage.count(first, &others).await;
    servers.stop().await;
    println!("{kills} kills on {base:?}: {counted}, in {:?}", began.elapsed());
}

/// Waits until a task has ended, without taking what it returns.
async fn until_finished<T>(task: &tokio::task::JoinHandle<T>) {
    while !task.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_on_sqlite() {
    kill_loop(Base::Sqlite, Size::short(6, 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_on_postgres() {
    kill_loop(Base::Postgres, Size::short(6, 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_killed_a_hundred_and_twenty_times_on_sqlite() {
    kill_loop(Base::Sqlite, Size::long(200, 120)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_killed_a_hundred_and_twenty_times_on_postgres() {
    kill_loop(Base::Postgres, Size::long(200, 120)).await;
}
