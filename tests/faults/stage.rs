//! A stage: a GitHub with people, a clock, a database and a mailbox, on which real servers come and go.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use countersign::sandbox::{Delivery, IssueNumber, Role, Sandbox};
use countersign::store::Store;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::clock::SteppedClock;
use crate::cluster::{Cluster, Database};
use crate::people::People;
use crate::post::Post;
use crate::program::{Program, Running, SECRET};

/// Longer than a lease, and than the rest of a write in doubt.
pub const LONGER_THAN_A_LEASE: TimeDelta = TimeDelta::seconds(91);

/// How many workflows people have under way at once.
const AT_ONCE: usize = 12;

/// What keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Sqlite,
    Postgres,
}

/// How much is done: what every run of the tests takes, or what takes minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub workflows: usize,
    pub blows: usize,
    /// How long somebody waits for one thing to happen.
    pub patience: Duration,
}

impl Size {
    pub const fn short(workflows: usize, blows: usize) -> Self {
        Self {
            workflows,
            blows,
            patience: Duration::from_secs(120),
        }
    }

    pub const fn long(workflows: usize, blows: usize) -> Self {
        Self {
            workflows,
            blows,
            patience: Duration::from_secs(900),
        }
    }
}

pub struct Stage {
    pub github: Sandbox,
    pub clock: SteppedClock,
    /// Clocks of machines that have one of their own.
    machines: Mutex<Vec<Arc<SteppedClock>>>,
    pub people: People,
    pub base: Base,
    /// Goes before its cluster.
    database: Option<Database>,
    pub cluster: Option<Cluster>,
    /// Where servers listen, by number.
    network: [u8; 3],
    home: TempDir,
    pub post: Post,
    settings: Vec<(String, String)>,
}

impl Stage {
    pub async fn new(base: Base, patience: Duration) -> Self {
        static STAGES: AtomicU32 = AtomicU32::new(0);
        let clock = SteppedClock::new();
        let github = Sandbox::builder()
            .repo("acme/shop")
            .file(
                ".github/countersign.yml",
                "version: 1\nmail:\n  to: [stakeholders@acme.example]\n",
            )
            .app(4711, "countersign")
            .secret(SECRET)
            .person("alice", Role::Write)
            .person("bob", Role::Write)
            .person("carol", Role::Triage)
            .person("rita", Role::Read)
            .stranger("mallory")
            .clock(clock.hand())
            .delivery(Delivery::Automatic)
            .start()
            .await
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let cluster = (base == Base::Postgres).then(|| Cluster::own_with(clock.environment()));
        let database = cluster.as_ref().map(Cluster::only_database);
        let [.., high, low] = std::process::id().to_be_bytes();
        let number = STAGES.fetch_add(1, Ordering::SeqCst).to_le_bytes()[0];
        Self {
            people: People::at(&github, patience),
            github,
            clock,
            machines: Mutex::default(),
            base,
            database,
            cluster,
            network: [100 + number % 100, high, low],
            post: Post::folder(&home.path().join("mail")),
            home,
            settings: Vec::new(),
        }
    }

    /// A setting of every server.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The database's URL.
    pub fn url(&self) -> String {
        match &self.database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", self.home().join("bot.sqlite").display()),
        }
    }

    /// The PostgreSQL database.
    pub fn postgres(&self) -> &Database {
        self.database.as_ref().expect("it is on PostgreSQL")
    }

    /// Where a server listens: an address of this machine that no other process of the tests has, so that it is free
    /// again at once when its server is killed.
    fn address(&self, number: u8) -> SocketAddr {
        let [a, b, c] = self.network;
        ([127, a, b, c], 8100 + u16::from(number)).into()
    }

    /// A server of this stage, not started.
    pub fn server(&self, number: u8) -> Program {
        let mut program = Program::new(&self.github.base_url())
            .set("COUNTERSIGN_LISTEN", &self.address(number).to_string())
            .set("COUNTERSIGN_DATABASE_URL", &self.url())
            .set("COUNTERSIGN_MAIL_URL", &self.post.url())
            // Whoever tests a limit sets it.
            .set("COUNTERSIGN_COMMANDS_PER_HOUR", "100000")
            .set("COUNTERSIGN_STRANGER_ANSWERS_PER_HOUR", "100000");
        for (name, value) in self.clock.environment().iter().chain(&self.settings) {
            program = program.set(name, value);
        }
        program
    }

    /// Starts a server, and has webhooks sent to it.
    pub async fn start(&self, server: &Program) -> Running {
        let running = server.start().await;
        self.github.set_hook_target(&running.webhook());
        running
    }

    /// The database, to look into it.
    pub async fn store(&self) -> Store {
        Store::open_to_read(&self.url().parse().unwrap()).await.unwrap()
    }

    /// People tell the story so many times, several at once. The subjects, when all have ended.
    pub fn stories(&self, count: usize) -> tokio::task::JoinHandle<Vec<IssueNumber>> {
        let people = self.people.clone();
        tokio::spawn(async move {
            let (mut under_way, mut told) = (JoinSet::new(), Vec::new());
            for _ in 0..count {
                if under_way.len() == AT_ONCE {
                    told.push(under_way.join_next().await.unwrap().unwrap());
                }
                let people = people.clone();
                under_way.spawn(async move { people.story().await });
            }
            told.extend(under_way.join_all().await);
            told
        })
    }

    /// The clock of a machine of its own: time passes for it as for everybody, and it can be set.
    pub fn machine(&self) -> Arc<SteppedClock> {
        let machine = Arc::new(SteppedClock::new());
        self.machines.lock().unwrap().push(Arc::clone(&machine));
        machine
    }

    /// Time passes, enough for whoever is dead to lose what it held. Where a server runs, it takes no work until it has
    /// compared its clock again: up to ten seconds on PostgreSQL.
    pub fn let_leases_end(&self) {
        self.clock.step(LONGER_THAN_A_LEASE);
        for machine in self.machines.lock().unwrap().iter() {
            machine.step(LONGER_THAN_A_LEASE);
        }
    }
}
