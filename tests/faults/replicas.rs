//! Three equal servers on one PostgreSQL: each is killed in turn, and all at once.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::task::JoinHandle;

use crate::kill::{Progress, seeded};
use crate::program::{Program, Running};
use crate::stage::{Base, Size, Stage};

/// How long a survivor has to go on before the next blow falls anyway: it may wait for what a dead one holds.
const STILL: Duration = Duration::from_secs(2);

/// Servers of one stage, by number.
pub struct Replicas<'a> {
    stage: &'a Stage,
    programs: Vec<Program>,
    running: Vec<Running>,
}

impl<'a> Replicas<'a> {
    pub async fn start(stage: &'a Stage, count: u8) -> Self {
        let programs: Vec<_> = (0..count).map(|number| stage.server(number)).collect();
        let mut running = Vec::new();
        for program in &programs {
            running.push(stage.start(program).await);
        }
        Self {
            stage,
            programs,
            running,
        }
    }

    /// Has webhooks sent to one of them, as a load balancer does.
    fn aim(&self, random: &mut StdRng, not_at: usize) {
        let others = self.running.len() - 1;
        let at = (not_at + random.random_range(1..=others)) % self.running.len();
        self.stage.github.set_hook_target(&self.running[at].webhook());
    }

    /// Kills one and starts it again. The others take its work over when its leases have ended.
    async fn kill(&mut self, victim: usize, random: &mut StdRng) {
        self.aim(random, victim);
        let place = self.running.remove(victim);
        place.kill();
        let again = self.programs[victim].start().await;
        self.running.insert(victim, again);
    }

    /// Freezes one for so long; the others go on.
    pub async fn freeze(&self, sleeper: usize, long: Duration) {
        let other = (sleeper + 1) % self.running.len();
        self.stage.github.set_hook_target(&self.running[other].webhook());
        self.running[sleeper].signal("-STOP");
        tokio::time::sleep(long).await;
        self.running[sleeper].signal("-CONT");
    }

    /// Kills all of them; leases end before the first is started again.
    pub async fn power_cut(&mut self) {
        for running in self.running.drain(..) {
            running.kill();
        }
        self.stage.let_leases_end();
        for program in &self.programs {
            self.running.push(self.stage.start(program).await);
        }
    }

    /// Lets the stories end, however much is held by servers that died.
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

    /// Ends them in order.
    pub async fn stop(self) {
        for running in self.running {
            running.stop().await;
        }
    }
}

async fn killed_in_turn(size: Size) {
    let began = Instant::now();
    let mut random = seeded(20_261_201);
    let stage = Stage::new(Base::Postgres, size.patience).await;
    let mut replicas = Replicas::start(&stage, 3).await;
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    let mut kills = 0;
    while kills < size.blows {
        for victim in 0..3 {
            let _ = tokio::time::timeout(STILL, progress.more(random.random_range(1..=20))).await;
            tokio::time::sleep(Duration::from_micros(random.random_range(0..8_000))).await;
            replicas.kill(victim, &mut random).await;
            kills += 1;
        }
        replicas.power_cut().await;
        kills += 3;
    }
    let others = replicas.until_the_end(stories).await;
    let counted = stage.count(first, &others).await;
    replicas.stop().await;
    println!("three servers, {kills} kills: {counted}, in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_are_killed_in_turn() {
    killed_in_turn(Size::short(8, 12)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_three_servers_are_killed_in_turn() {
    killed_in_turn(Size::long(60, 60)).await;
}
