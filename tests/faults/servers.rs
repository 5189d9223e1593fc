//! The servers of a stage as they run: one, or several equal ones.

use std::time::{Duration, Instant};

use countersign::store::Store;
use tokio::task::JoinHandle;

use crate::kill::Progress;
use crate::program::{Program, Running};
use crate::stage::Stage;

/// How long nothing may happen before the next blow falls anyway: what a dead server held waits until its leases have
/// ended, and what was not delivered until the next sweep.
pub const STILL: Duration = Duration::from_secs(2);

/// After so long a stage that does not come to rest never does.
const RESTLESS: Duration = Duration::from_secs(150);

pub struct Servers<'a> {
    stage: &'a Stage,
    programs: Vec<Program>,
    running: Vec<Running>,
}

impl<'a> Servers<'a> {
    /// So many equal ones.
    pub async fn start(stage: &'a Stage, count: u8) -> Self {
        Self::of(stage, (0..count).map(|number| stage.server(number)).collect()).await
    }

    /// These.
    pub async fn of(stage: &'a Stage, programs: Vec<Program>) -> Self {
        let mut servers = Self {
            stage,
            programs,
            running: Vec::new(),
        };
        servers.start_all().await;
        servers
    }

    async fn start_all(&mut self) {
        for program in &self.programs {
            self.running.push(self.stage.start(program).await);
        }
    }

    /// One of them.
    pub fn at(&self, number: usize) -> &Running {
        &self.running[number]
    }

    /// Kills one and starts it again, while the others take the webhooks. What it held is theirs when its leases have ended.
    pub async fn kill(&mut self, victim: usize, heir: usize) {
        self.stage.github.set_hook_target(&self.running[heir].webhook());
        self.running.remove(victim).kill();
        let again = self.programs[victim].start().await;
        self.running.insert(victim, again);
    }

    /// Kills all of them. Leases end before the first is started again.
    pub async fn power_cut(&mut self) {
        self.running.drain(..).for_each(Running::kill);
        self.stage.let_leases_end();
        self.start_all().await;
    }

    /// Freezes one for so long, while the others go on.
    pub async fn freeze(&self, sleeper: usize, long: Duration) {
        let other = (sleeper + 1) % self.running.len();
        self.stage.github.set_hook_target(&self.running[other].webhook());
        self.running[sleeper].signal("-STOP");
        tokio::time::sleep(long).await;
        self.running[sleeper].signal("-CONT");
    }

    /// Lets the stories end. Where nothing happens the power fails: time passes, and servers look for what they missed.
    pub async fn until_the_end<T>(&mut self, stories: JoinHandle<T>) -> T {
        let mut progress = Progress::of(&self.stage.github);
        while !stories.is_finished() {
            let went_on = tokio::time::timeout(STILL * 3, progress.more(1)).await.is_ok();
            if !went_on && !stories.is_finished() {
                self.power_cut().await;
            }
        }
        stories.await.unwrap()
    }

    /// Lets everything come to rest: the inbox is what GitHub sent, and all in it and in the outbox has ended.
    pub async fn settle(&mut self) {
        let stage = self.stage;
        self.settle_as(async || stage.store().await).await;
    }

    /// The same where the database is looked into otherwise.
    pub async fn settle_as(&mut self, look: impl AsyncFn() -> Store) {
        let began = Instant::now();
        loop {
            let waits = self.stage.waits(look().await).await;
            if waits.is_empty() {
                return;
            }
            assert!(began.elapsed() < RESTLESS, "it does not come to rest: {waits:#?}");
            let mut progress = Progress::of(&self.stage.github);
            if tokio::time::timeout(STILL * 2, progress.more(1)).await.is_err() {
                self.power_cut().await;
            }
        }
    }

    /// Ends them in order.
    pub async fn stop(self) {
        for running in self.running {
            running.stop().await;
        }
    }
}
