//! A GitHub in memory, over real HTTP.
//!
//! It stands alone: it has types of its own and imports nothing of the house, so that it and the bot cannot share one
//! misunderstanding. [`Sandbox::builder`] sets up a world and starts a server; [`Sandbox::as_`] lets a person act;
//! the App acts through the REST API and the small part of GraphQL that it needs. Whatever happens causes the
//! webhooks that GitHub would send.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `builder` | how a world is set up |
//! | `model`, `roles`, `ids`, `clock` | what exists |
//! | `acts` | what can be done, by whom, and what it causes |
//! | `render` | the model as GitHub's JSON |
//! | `rest`, `graphql` | the API |
//! | `server`, `answer`, `auth`, `refusal` | requests, answers, credentials, errors |
//! | `hooks`, `courier` | webhooks and their deliveries |
//! | `faults`, `journal` | what goes wrong on demand, and what was asked |
//! | `page` | the page on which a person plays every role |
//! | `play` | scripts that are played without a person |
//! | `people`, `reads`, `ground` | what tests and the page call |
//! | `models` | a scripted model server, apart from the world |

mod acts;
mod answer;
mod auth;
mod builder;
mod clock;
mod courier;
mod faults;
mod graphql;
mod ground;
mod hooks;
mod ids;
mod journal;
mod model;
pub mod models;
pub mod page;
mod people;
pub mod play;
mod reads;
mod refusal;
mod render;
mod rest;
mod roles;
mod server;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use auth::APP_PRIVATE_KEY;
pub use builder::Builder;
pub use clock::{Clock, machine_clock};
pub use courier::Delivery;
pub use faults::{FaultKind, FaultRule};
pub use hooks::{DeliveryReport, Packet, SentWebhook, signature};
pub use ids::*;
pub use journal::{Credential, RequestRecord};
pub use model::{Access, Annotation, Entry, Feature, ReviewState, Visibility};
pub use people::{BoxRef, Done, Person, Tick};
pub use reads::{CheckView, CommentView, IssueView, ReactionView};
pub use refusal::Refusal;
pub use roles::{CustomRole, Level, Role};

use model::World;

/// What the server, the courier and the handles have in common.
struct Shared {
    world: Mutex<World>,
    delivery: Mutex<Delivery>,
    wake: Notify,
    /// Counts what may have changed the world.
    changes: watch::Sender<u64>,
    /// Told whenever the courier has nothing under way.
    quiet: Notify,
    under_way: AtomicBool,
    stop: CancellationToken,
    ended: CancellationToken,
    /// What the page shows of the bot's side.
    backstage: Mutex<page::Backstage>,
    client: reqwest::Client,
}

impl Shared {
    fn new(world: World, delivery: Delivery) -> Self {
        Self {
            world: Mutex::new(world),
            delivery: Mutex::new(delivery),
            wake: Notify::new(),
            changes: watch::Sender::new(0),
            quiet: Notify::new(),
            under_way: AtomicBool::new(false),
            ended: CancellationToken::new(),
            stop: CancellationToken::new(),
            backstage: Mutex::default(),
            client: reqwest::Client::builder().no_proxy().build().unwrap_or_default(),
        }
    }

    /// Looks at the world, or changes it; the courier is told afterwards.
    fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let result = look(&mut self.lock());
        self.wake.notify_one();
        self.changes.send_modify(|count| *count += 1);
        result
    }

    // A panic while the lock was held is a failed test already; hiding it behind a second one helps nobody.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivers_by_itself(&self) -> bool {
        *self.delivery.lock().unwrap_or_else(PoisonError::into_inner) == Delivery::Automatic
    }
}

/// A running sandbox. Copies are the same one; it stops when the last copy is dropped or [`Sandbox::shutdown`] is
/// called. Verbs and reads act on one repository, the first one unless [`Sandbox::at`] chose another.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    focus: RepoId,
    _stop_on_drop: Arc<DropGuard>,
}

impl Sandbox {
    /// Sets up a world.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn run(shared: Arc<Shared>, focus: RepoId, listener: TcpListener) -> Self {
        let _stop_on_drop = Arc::new(shared.stop.clone().drop_guard());
        let door = page::Door::new(&shared, focus, &_stop_on_drop);
        let app = server::router(Arc::clone(&shared))
            .merge(page::router(door))
            .into_make_service_with_connect_info::<server::Line>();
        let (stop, ended) = (shared.stop.clone(), shared.ended.clone());
        tokio::spawn(async move {
            let server = axum::serve(server::CutListener(listener), app);
            // The loop ends only when told to stop; it has no error of its own.
            server.with_graceful_shutdown(stop.cancelled_owned()).await.ok();
            ended.cancel();
        });
        tokio::spawn(courier::run(Arc::clone(&shared)));
        Self {
            shared,
            focus,
            _stop_on_drop,
        }
    }

    /// The API's address, without a slash at its end.
    pub fn base_url(&self) -> String {
        self.shared.lock().base.clone()
    }

    /// A number that grows whenever the world may have changed, for whoever waits for something to happen.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Stops the server and the courier, whatever other copies of the handle there are.
    pub fn shutdown(&self) {
        self.shared.stop.cancel();
    }

    /// Waits until the server has ended: after [`Sandbox::shutdown`], when open requests are answered.
    pub async fn stopped(&self) {
        self.shared.ended.cancelled().await;
    }

    /// Waits until no webhook is under way and, where they leave by themselves, none waits.
    pub async fn settled(&self) {
        loop {
            let quiet = self.shared.quiet.notified();
            tokio::pin!(quiet);
            // Listening begins before looking, so that what ends in between is not missed.
            quiet.as_mut().enable();
            let nothing_waits = self.shared.lock().queue.is_empty() || !self.shared.delivers_by_itself();
            if nothing_waits && !self.shared.under_way.load(Ordering::SeqCst) {
                return;
            }
            quiet.await;
        }
    }

    /// The same sandbox, with another repository to act on.
    ///
    /// # Panics
    /// When there is no such repository; a test that names one is wrong.
    #[must_use]
    pub fn at(&self, full_name: &str) -> Self {
        self.find(full_name)
            .unwrap_or_else(|| panic!("the sandbox has no repository {full_name}"))
    }

    /// Like [`Sandbox::at`], for names that may be wrong.
    pub fn find(&self, full_name: &str) -> Option<Self> {
        let (owner, name) = full_name.split_once('/')?;
        let focus = self.shared.lock().repo_named(owner, name)?.id;
        Some(Self { focus, ..self.clone() })
    }

    /// Lets a person or another bot act. The login need not exist yet: it becomes a stranger's.
    pub fn as_(&self, login: &str) -> Person {
        let account = self.shared.with(|world| world.account_or_new(login));
        Person::new(self.clone(), account)
    }
}
