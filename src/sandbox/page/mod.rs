//! The page on which one person plays every role: writes as anybody, ticks, labels, and sees what the bot answers, the
//! mailbox and the workflows beside it.
//!
//! It belongs to the machine that it runs on: a request that names another host, or comes from another site's page, is
//! refused.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `guard` | whose requests are answered |
//! | `state` | all that the page shows, as JSON |
//! | `acts` | what a person does on it |
//! | `markdown` | texts as GitHub would show them |
//! | `page.html`, `page.css`, `page.js` | the page |
//! | `guide.js` | what it suggests as the next step; `guide.test.mjs` holds it |

mod acts;
mod guard;
mod markdown;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, Weak};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio_util::sync::DropGuard;

use super::play::Mail;
use super::{RepoId, Sandbox, Shared};

/// Tells all mails, the oldest first.
pub type Mailbox = Arc<dyn Fn() -> Vec<Mail> + Send + Sync>;

/// Tells how the workflows stand: a list of `{"id", "title", "status", "subject", "phases": [{"title", "status",
/// "stands"}]}`, where `subject` is an issue's number, `status` gives the colour and `stands` the words. Anything else
/// is shown as it is.
pub type Workflows = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Value> + Send>> + Send + Sync>;

/// What the page shows of the bot's side.
#[derive(Default)]
pub(super) struct Backstage {
    mailbox: Option<Mailbox>,
    workflows: Option<Workflows>,
}

impl fmt::Debug for Backstage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backstage")
            .field("mailbox", &self.mailbox.is_some())
            .field("workflows", &self.workflows.is_some())
            .finish()
    }
}

impl Sandbox {
    /// What the page shows as the mailbox, from now on.
    pub fn set_mailbox(&self, mailbox: Mailbox) {
        self.shared.backstage().mailbox = Some(mailbox);
    }

    /// What the page shows as the state of the workflows, from now on.
    pub fn set_workflows(&self, workflows: Workflows) {
        self.shared.backstage().workflows = Some(workflows);
    }
}

impl Shared {
    fn backstage(&self) -> std::sync::MutexGuard<'_, Backstage> {
        self.backstage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the page comes to the sandbox without keeping it alive: it stops when the last handle outside is dropped.
#[derive(Clone)]
pub(super) struct Door {
    shared: Arc<Shared>,
    focus: RepoId,
    alive: Weak<DropGuard>,
}

impl Door {
    pub fn new(shared: &Arc<Shared>, focus: RepoId, alive: &Arc<DropGuard>) -> Self {
        Self {
            shared: Arc::clone(shared),
            focus,
            alive: Arc::downgrade(alive),
        }
    }

    /// The sandbox, while it is there.
    fn sandbox(&self) -> Option<Sandbox> {
        Some(Sandbox {
            shared: Arc::clone(&self.shared),
            focus: self.focus,
            _stop_on_drop: self.alive.upgrade()?,
        })
    }
}

/// The page, its parts, and what it asks for.
pub(super) fn router(door: Door) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/{owner}/{name}/issues/{number}", get(page))
        .route("/{owner}/{name}/discussions/{number}", get(page))
        .route("/sandbox/page.css", get(css))
        .route("/sandbox/page.js", get(js))
        .route("/sandbox/guide.js", get(guide))
        .route("/sandbox/state", get(state::answer))
        .route("/sandbox/mails/{nth}", get(mail))
        .route("/sandbox/acts", post(acts::answer))
        .layer(from_fn(guard::at_home))
        .with_state(door)
}

/// Nothing from elsewhere is loaded, and no text that somebody wrote can become a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// A mail is shown as a mail program shows it: with its styles, and with nothing that runs or is loaded.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
                           frame-ancestors 'self'; base-uri 'none'";

async fn page(State(_): State<Door>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, include_str!("page.html")).into_response()
}

/// The HTML of a mail, the oldest being 0.
async fn mail(State(door): State<Door>, Path(nth): Path<usize>) -> Response {
    let mailbox = door.shared.backstage().mailbox.clone();
    let mails = mailbox.map(|mailbox| mailbox()).unwrap_or_default();
    let Some(mail) = mails.get(nth).filter(|mail| !mail.html.is_empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    // A link of a mail opens in a tab of its own.
    (headers, format!("<base target=\"_blank\">{}", mail.html)).into_response()
}

async fn css() -> Response {
    asset("text/css; charset=utf-8", include_str!("page.css"))
}

async fn js() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("page.js"))
}

async fn guide() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("guide.js"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    // A newer program may listen at the same address a minute later.
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}
