//! A scripted model over real HTTP: no model, but a server that speaks four dialects to the letter and answers what it
//! was told to answer, or what a small fixed script makes of the prompt.
//!
//! It refuses whatever its dialect's documentation does not know, so that a client that it understands is one that the
//! real endpoints understand. Where a documentation is lenient (unknown keys, two turns of one role in a row) it is not.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `serve` | requests in, answers and faults out |
//! | `openai`, `anthropic`, `gemini`, `ollama` | the dialects: what a request must be, how answers and errors are written |
//! | `asked` | what was asked, whatever the dialect, and the checks that all share |
//! | `reply` | what the next answers are, and what goes wrong |
//! | `script` | what it answers when nothing was prepared |

mod anthropic;
mod asked;
mod gemini;
mod ollama;
mod openai;
mod reply;
mod script;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use asked::{Asked, Mode};
pub use reply::{Fault, Gate, Reply, Wait};

/// The name of the only model that it has.
pub const MODEL: &str = "script";

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Chat completions.
    OpenAi,
    /// Messages.
    Anthropic,
    /// generateContent.
    Gemini,
    /// Chat.
    Ollama,
}

impl Dialect {
    /// All four.
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::Anthropic, Self::Gemini, Self::Ollama];
}

/// Makes an answer out of what was asked.
pub type Role = Arc<dyn Fn(&Asked) -> String + Send + Sync>;

/// A request as it came, without the key.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// By its path; `None` where no dialect has that path.
    pub dialect: Option<Dialect>,
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The headers, their names in lower case. Of one that holds a key only `(key)` is kept.
    pub headers: BTreeMap<String, String>,
    /// The body; null where it is not JSON.
    pub body: Value,
    /// What it was answered; 0 where it was not.
    pub status: u16,
}

struct Inner {
    state: Mutex<State>,
    stop: CancellationToken,
    ended: CancellationToken,
}

struct State {
    key: Option<String>,
    role: Role,
    replies: VecDeque<Reply>,
    requests: Vec<ModelRequest>,
}

impl Inner {
    // A panic while the lock was held is a failed test already; hiding it behind a second one helps nobody.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Copies are the same one; it stops when the last copy is dropped or on [`ModelServer::shutdown`].
#[derive(Clone)]
pub struct ModelServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    _stop_on_drop: Arc<DropGuard>,
}

impl fmt::Debug for ModelServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelServer").field("address", &self.address).finish()
    }
}

impl ModelServer {
    /// Starts it at this address (`127.0.0.1:8090`), or at a free port of this machine.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub async fn start(listen: Option<&str>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.unwrap_or("127.0.0.1:0")).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let inner = Arc::new(Inner {
            state: Mutex::new(State {
                key: None,
                role: Arc::new(script::answer),
                replies: VecDeque::new(),
                requests: Vec::new(),
            }),
            stop: stop.clone(),
            ended: CancellationToken::new(),
        });
        serve::spawn(Arc::clone(&inner), listener);
        Ok(Self {
            inner,
            address,
            _stop_on_drop: Arc::new(stop.drop_guard()),
        })
    }

    /// The base URL of a dialect, as an endpoint's row has it, without a slash at its end.
    pub fn base_url(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::OpenAi => format!("http://{}/v1", self.address),
            Dialect::Anthropic | Dialect::Gemini | Dialect::Ollama => format!("http://{}", self.address),
        }
    }

    /// From now on only this key is taken; without one, every key and none.
    pub fn set_key(&self, key: Option<&str>) {
        self.inner.lock().key = key.map(str::to_owned);
    }

    /// From now on this makes the answers for which nothing was prepared.
    pub fn set_role(&self, role: Role) {
        self.inner.lock().role = role;
    }

    /// Prepares the next answer, after those that wait already. Only a request that is right uses one up.
    pub fn prepare(&self, reply: Reply) {
        self.inner.lock().replies.push_back(reply);
    }

    /// How many answers still wait.
    pub fn prepared(&self) -> usize {
        self.inner.lock().replies.len()
    }

    /// Every request so far, the oldest first.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.inner.lock().requests.clone()
    }

    /// Stops it, whatever other copies of the handle there are. Requests that wait at a gate are cut off.
    pub fn shutdown(&self) {
        self.inner.stop.cancel();
    }

    /// Waits until it has ended: after [`ModelServer::shutdown`].
    pub async fn stopped(&self) {
        self.inner.ended.cancelled().await;
    }
}
