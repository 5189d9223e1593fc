//! The engine: takes deliveries and effects one lane at a time, asks GitHub for the facts, lets the core decide, and
//! keeps events, state and effects in one transaction.
//!
//! Everything waits in the database, so a process can stop at any instant. What was in flight then is in doubt and is
//! looked for before it is done again. Nothing here sleeps in order to know something: the clock is handed in, and
//! [`Engine::pump`] does all that is due, which is how tests drive it; [`Engine::run`] pumps whenever it is woken.

mod acts;
mod agent_run;
mod answers;
mod approvals;
mod approver;
mod asks;
mod authority;
mod boxes;
mod by_hand;
mod card;
mod change;
mod checks;
mod children;
mod commands;
mod comparison;
mod definitions;
mod deliveries;
mod effects;
mod estimate;
mod explain;
mod folder;
mod fork;
mod guidelines;
mod labels;
mod limits;
mod mirror;
mod model;
mod notify;
mod proposed;
mod queries;
mod questions;
mod readers;
mod repair;
mod roles;
mod rosters;
mod settings;
mod site;
mod start;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chat::reader::BotName;
use crate::config::{ConfigError, Models};
use crate::github::{GithubError, Repo, Topic};
use crate::mail::Mailer;
use crate::notify::Notifier;
use crate::providers::http::Client as ModelClient;
use crate::store::deliveries::LeasedDelivery;
use crate::store::effects::{LeasedEffect, Sent};
use crate::store::{Store, StoreError};
use crate::workflow::definition::{Definition, Invalid};
use crate::workflow::ids::{InstallationId, UserId};
use crate::workflow::state::{State, Timestamp};

pub use by_hand::{HandIn, WholeRequest, astray_words, expected, unanswered_in, whole_request};
pub(crate) use change::waits_for;
pub use definitions::embedded_definitions;
pub use deliveries::NotStored;
pub use estimate::{call_at_most, shortest_prompt, speaker};
pub use folder::{Folder, Not, NotWritten, Order, Paper, STATE_FOLDER, Standing, WrittenFile, approved_files};
pub use fork::{ForkRequest, fork_of};
pub use roles::provider_of;
pub use rosters::Rosters;
pub use settings::{Policy, check_repository_config, read_repository_config};
pub use site::Site;

/// The clock of everything: the system's, or a test's.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long an effect or delivery is ours before somebody else may take it.
const LEASE: TimeDelta = TimeDelta::seconds(90);

/// How long a failed attempt rests at first; it doubles up to [`LONGEST_REST`].
const FIRST_REST: TimeDelta = TimeDelta::seconds(5);

/// The longest rest between two attempts.
const LONGEST_REST: TimeDelta = TimeDelta::minutes(10);

/// How long an ambiguous write rests before it is looked for: GitHub's lists may lag behind its writes.
const REST_IN_DOUBT: TimeDelta = TimeDelta::seconds(60);

/// A clock that goes back by more was set. Less is what clocks are corrected by.
const A_STEP_BACK: TimeDelta = TimeDelta::seconds(5);

/// How many attempts an effect or a delivery gets before a person must look at it.
const MOST_ATTEMPTS: u32 = 30;

/// How many effects, and how many deliveries, are claimed at once.
const CLAIMED_AT_ONCE: u32 = 16;

/// How much may be claimed.
#[derive(Clone, Copy)]
struct Room {
    deliveries: u32,
    effects: u32,
}

impl Room {
    /// For what is done before anything else is claimed: deliveries one after another, as they came.
    const OF_A_PUMP: Self = Self {
        deliveries: 1,
        effects: CLAIMED_AT_ONCE,
    };

    /// For so many pieces of work side by side.
    fn of(pieces: usize) -> Self {
        let pieces = u32::try_from(pieces).unwrap_or(CLAIMED_AT_ONCE).min(CLAIMED_AT_ONCE);
        Self {
            deliveries: pieces,
            effects: pieces,
        }
    }
}

/// How often something is decided anew when its workflow changed meanwhile.
const TRIES: usize = 8;

/// How much is under way at once.
const AT_ONCE: usize = 64;

/// The shortest nap, when something is due that cannot be taken.
const SHORTEST_NAP: Duration = Duration::from_millis(250);

/// How long work that has begun may still take once the engine is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The longest nap of an idle engine: signals wake it at once, this is the poll behind them.
const NAP: Duration = Duration::from_secs(2);

/// How writes to GitHub are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// One at a time for each installation, a second apart.
    AsGithubAsks,
    /// Not at all: for a GitHub on this machine.
    Off,
}

/// How much is answered in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Commands of one person.
    pub commands: u32,
    /// Answers to strangers in one repository.
    pub stranger_answers: u32,
}

/// What an engine is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Where its workflows live.
    pub site: Site,
    /// The way out for mail.
    pub mailer: Mailer,
    /// The way out for notifications.
    pub notifier: Notifier,
    /// The clock.
    pub clock: Clock,
    /// The way out to models.
    pub model_client: ModelClient,
    /// The pace of writes.
    pub pacing: Pacing,
    /// The model endpoints, and how much may be spent on them.
    pub models: Arc<Models>,
    /// What holds in all repositories.
    pub policy: Option<Arc<Policy>>,
    /// How much is answered in an hour.
    pub allowance: Allowance,
    /// The most bytes of a repository's guidelines that a prompt is made with; 0 for none.
    pub guidelines_bytes: u32,
    /// How far back this GitHub can be asked for deliveries.
    pub deliveries_kept: TimeDelta,
    /// What this process is called in leases: fresh for every start.
    pub owner: String,
}

/// The engine. A clone is the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    parts: Parts,
    definitions: Vec<Definition>,
    bot: OnceCell<Bot>,
    wake: Notify,
    leaving: AtomicBool,
    /// When work was last looked for, by the clock, in microseconds.
    looked: AtomicI64,
}

/// A piece of work that this process holds the lease of.
enum Work {
    Delivery(Box<LeasedDelivery>),
    Effect(Box<LeasedEffect>),
}

/// Who the App is on GitHub.
#[derive(Debug, Clone)]
struct Bot {
    name: BotName,
    login: String,
    id: UserId,
}

/// Why something could not be finished now.
#[derive(Debug)]
enum Trouble {
    /// It may work later, not before this moment; the sentence is for people and the log.
    Later { at: Timestamp, sent: Sent, why: String },
    /// GitHub limits our rate and did nothing; until this moment nothing more should be asked of it.
    Limited { until: Timestamp, why: String },
    /// Something that is not GitHub has no time for it now, and nothing was done. That is no failed attempt.
    Parked {
        until: Timestamp,
        why: String,
        /// What is kept in the same transaction.
        beside: crate::store::Write,
    },
    /// Trying again will not help; the sentence is for people.
    Never(String),
    /// The App's installation lacks a permission (named where GitHub names it): an owner can accept it.
    Lacks(String),
    /// The repository, the subject or the installation is not there any more.
    Gone(String),
    /// The database did not do it.
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Engine {
    /// An engine over these parts.
    ///
    /// # Errors
    /// When one of the definitions that come with the program is invalid, which a test rules out.
    pub fn new(parts: Parts) -> Result<Self, Invalid> {
        let shared = Shared {
            parts,
            definitions: embedded_definitions()?,
            bot: OnceCell::new(),
            wake: Notify::new(),
            leaving: AtomicBool::new(false),
            looked: AtomicI64::new(i64::MAX),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The moment, by the engine's clock, in whole microseconds: finer ones do not come back from the database, and a
    /// state that was kept with them would not be what its events lead to.
    pub fn now(&self) -> Timestamp {
        (self.0.parts.clock)().trunc_subsecs(6)
    }

    fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// What is known of GitHub, for the readiness page: whether it ever told who the App is.
    pub fn github_state(&self) -> serde_json::Value {
        serde_json::json!({ "app": self.0.bot.get().map(|bot| &bot.login) })
    }

    /// Tells the engine that there may be something to do.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Takes over what a dead process of this database held, where this one holds the database alone.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn take_over(&self) -> Result<(), StoreError> {
        self.store().take_over().await
    }

    /// Does everything that is due now, and what follows from it at once. Tells how much it did.
    ///
    /// # Errors
    /// Whatever the store says about a claim; what goes wrong within one piece of work stays with that piece.
    pub async fn pump(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        loop {
            let handled = self.pump_once().await?;
            if handled == 0 {
                return Ok(done);
            }
            done += handled;
        }
    }

    async fn pump_once(&self) -> Result<usize, StoreError> {
        let due = self.claim(Room::OF_A_PUMP).await?;
        let handled = due.len();
        futures::future::join_all(due.into_iter().map(|work| self.handle(work))).await;
        Ok(handled)
    }

    /// Says that this server is about to stop, for the readiness page: nothing more should be sent to it.
    pub fn leave(&self) {
        self.0.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether this server is about to stop.
    pub fn is_leaving(&self) -> bool {
        self.0.leaving.load(Ordering::Relaxed)
    }

    /// Works until it is told to stop, then finishes what it has begun. What takes too long is cut off, and its lease is
    /// given back: whoever takes it up looks for what may have been done. Pieces of work run side by side, so that a slow
    /// answer holds up its own lane and nothing else.
    pub async fn run(&self, stop: CancellationToken) {
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            let nap = match self.begin_due(&mut under_way).await {
                Ok(0) => self.nap().await,
                Ok(_) => continue,
                Err(error) => {
                    tracing::error!(%error, "the database could not be used; trying again");
                    NAP
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.0.wake.notified() => {}
                () = self.store().hinted() => {}
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
        let ending = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, ending).await.is_err() {
            tracing::warn!(
                left = under_way.len(),
                "work that did not end in time is left to whoever takes it up"
            );
            under_way.shutdown().await;
        }
        if let Err(error) = self.store().give_back(&self.parts().owner).await {
            tracing::warn!(%error, "leases could not be given back; they end by themselves");
        }
    }

    /// Begins what is due, as far as there is room. Tells how much it began.
    async fn begin_due(&self, under_way: &mut JoinSet<()>) -> Result<usize, StoreError> {
        while under_way.try_join_next().is_some() {}
        let room = AT_ONCE.saturating_sub(under_way.len());
        if room == 0 {
            return Ok(0);
        }
        let due = self.claim(Room::of(room)).await?;
        let begun = due.len();
        for work in due {
            let engine = self.clone();
            under_way.spawn(async move { engine.handle(work).await });
        }
        Ok(begun)
    }

    /// Takes what is due now: deliveries, one write that GitHub's limits count, and other effects.
    async fn claim(&self, room: Room) -> Result<Vec<Work>, StoreError> {
        let now = self.now();
        self.mend_after_a_step(now).await?;
        let until = now + LEASE;
        let owner = &self.parts().owner;
        let mut due = Vec::new();
        let deliveries = self
            .store()
            .claim_deliveries(owner, now, until, room.deliveries)
            .await?;
        due.extend(
            deliveries
                .into_iter()
                .map(|delivery| Work::Delivery(Box::new(delivery))),
        );
        let effects = self.store().claim_effects(owner, now, until, room.effects).await?;
        due.extend(effects.into_iter().map(|effect| Work::Effect(Box::new(effect))));
        due.extend(
            self.store()
                .claim_paced(owner, now, until)
                .await?
                .map(|effect| Work::Effect(Box::new(effect))),
        );
        Ok(due)
    }

    /// Mends what was planned by a clock that was ahead: at the start, and whenever the clock went back.
    async fn mend_after_a_step(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = self.0.looked.swap(now.timestamp_micros(), Ordering::SeqCst);
        if (now + A_STEP_BACK).timestamp_micros() >= before {
            return Ok(());
        }
        let mending = async {
            self.store().may_claim()?;
            self.store().clock_went_back(now, LONGEST_REST, LEASE).await
        };
        let mended = mending.await;
        if mended.is_err() {
            self.0.looked.store(i64::MAX, Ordering::SeqCst);
        }
        mended
    }

    async fn handle(&self, work: Work) {
        match work {
            Work::Delivery(delivery) => self.handle_delivery(*delivery).await,
            Work::Effect(effect) => self.run_effect(*effect).await,
        }
    }

    /// Until the next thing is due, or the poll.
    async fn nap(&self) -> Duration {
        let due = self.store().next_due().await.ok().flatten();
        match due.map(|due| (due - self.now()).to_std()) {
            Some(Ok(wait)) => wait.clamp(SHORTEST_NAP, NAP),
            // Due, and yet it could not be taken: the budget of the hour is used up, or another process has it.
            Some(Err(_)) => SHORTEST_NAP,
            None => NAP,
        }
    }

    /// Who the App is; asked of GitHub once.
    async fn bot(&self, installation: InstallationId) -> Result<&Bot, Trouble> {
        let github = self.github()?;
        self.0
            .bot
            .get_or_try_init(|| async {
                let identity = github.app().identity().await?;
                let account = github.installation(installation).account(&identity.login).await?;
                let account =
                    account.ok_or_else(|| GithubError::NotFound(format!("the account {}", identity.login)))?;
                Ok(Bot {
                    name: BotName::new(&identity.slug),
                    login: account.login,
                    id: account.id,
                })
            })
            .await
            .map_err(|error: GithubError| self.trouble(&error, 1))
    }

    /// What an error of a reading call means for the work that met it, at its `attempt`-th attempt: nothing was sent
    /// that could be in doubt.
    fn trouble(&self, error: &GithubError, attempt: u32) -> Trouble {
        let why = error.to_string();
        match error {
            GithubError::RateLimited { retry_after, .. } => Trouble::Limited {
                until: self.now() + TimeDelta::from_std(*retry_after).unwrap_or(LONGEST_REST),
                why,
            },
            GithubError::Ambiguous(_)
            | GithubError::Malformed(_)
            | GithubError::TooLate
            | GithubError::Unreachable(_)
            | GithubError::Unauthorized(_)
            | GithubError::Conflict(_) => Trouble::Later {
                at: self.now() + rest(attempt),
                sent: Sent::No,
                why,
            },
            GithubError::NotInstalled(_) | GithubError::Gone(_) | GithubError::NotFound(_) => Trouble::Gone(why),
            GithubError::Forbidden {
                reason: crate::github::Refusal::MissingPermission { needed },
                ..
            } => Trouble::Lacks(needed.clone().unwrap_or_default()),
            GithubError::Forbidden { .. }
            | GithubError::Validation { .. }
            | GithubError::Unusable(_)
            | GithubError::Other { .. } => Trouble::Never(why),
        }
    }

    /// Where an owner accepts permissions for an installation; empty when GitHub does not say. It is waited for while GitHub
    /// does not answer.
    async fn accept_url(&self, installation: InstallationId) -> Result<String, Trouble> {
        match self.github()?.app().installation(installation).await {
            Ok(found) => Ok(found.map(|found| found.html_url).unwrap_or_default()),
            Err(error) if error.is_transient() => Err(self.trouble(&error, 1)),
            Err(_) => Ok(String::new()),
        }
    }

    /// The sentence for a permission that the App's installation lacks: which, and where an owner accepts it.
    /// `again` is the verb by which it is tried again then.
    async fn lacks(&self, installation: InstallationId, permission: &str, again: &str) -> Result<String, Trouble> {
        let accept_url = self.accept_url(installation).await?;
        let lacks = crate::chat::say::replies::Lacks {
            to: "do that",
            permission,
            accept_url: &accept_url,
            again,
        };
        Ok(crate::chat::say::replies::app_lacks(&lacks))
    }

    /// The handle of a repository that is known.
    async fn repo(
        &self,
        id: crate::workflow::ids::RepositoryId,
    ) -> Result<(Repo, crate::store::repositories::Repository), Trouble> {
        let known = self.store().repository(id).await?;
        let known = known.ok_or_else(|| Trouble::Gone(format!("repository {id} is not known")))?;
        Ok((self.repo_of(&known)?, known))
    }

    fn repo_of(&self, known: &crate::store::repositories::Repository) -> Result<Repo, Trouble> {
        let reference = crate::github::RepositoryRef {
            id: known.id,
            owner: known.owner.clone(),
            owner_id: None,
            name: known.name.clone(),
            private: false,
        };
        let github = self.github()?;
        Ok(github.installation(known.installation).repository(&reference))
    }
}

/// Where a workflow's subject is talked about.
fn topic_of(state: &State) -> Result<Topic, Trouble> {
    let none = || Trouble::Never("a folder's workflow has no discussion on GitHub".to_owned());
    Topic::of(&state.subject).ok_or_else(none)
}

/// How long to rest after the `attempt`-th attempt.
fn rest(attempt: u32) -> TimeDelta {
    let doubled = FIRST_REST * 2_i32.saturating_pow(attempt.saturating_sub(1).min(16));
    doubled.min(LONGEST_REST)
}

/// Mistakes of a file in one line.
fn sentence(errors: &[ConfigError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}
