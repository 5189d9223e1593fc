//! What is answered while the database is waited for: the process lives, and everything else comes again later.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::health;
use super::serve::serve_and_drain;

/// How long a request that has begun may still take when the listener is handed over.
const BEGUN: Duration = Duration::from_secs(1);

/// Listens, and answers 503 to all but `/livez`, until whoever serves takes the listener.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    waiting: JoinHandle<io::Result<()>>,
    until: DropGuard,
}

impl Listening {
    /// Begins at once. What connects is answered by this or by whoever comes after it, and by nobody else.
    ///
    /// # Errors
    /// When the system gives no second hand on the listener.
    pub fn at(listener: TcpListener) -> io::Result<Self> {
        let listener = listener.into_std()?;
        let waiting = TcpListener::from_std(listener.try_clone()?)?;
        let stop = CancellationToken::new();
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            waiting: tokio::spawn(serve_and_drain(waiting, router(), stop.clone(), BEGUN)),
            until: stop.drop_guard(),
        })
    }

    /// The listener, once nobody else accepts on it: whoever connects now is answered by whoever has it.
    pub async fn listener(self) -> TcpListener {
        drop(self.until);
        if let Ok(Err(error)) = self.waiting.await {
            tracing::warn!(%error, "what was asked while the database was waited for was not answered");
        }
        self.listener
    }
}

fn router() -> Router {
    Router::new().route("/livez", get(health::livez)).fallback(not_yet)
}

async fn not_yet(request: Request) -> impl IntoResponse {
    /// More than a delivery usually has.
    const READ: usize = 1 << 20;
    // Whoever is answered before all was read may not read the answer.
    let _ = axum::body::to_bytes(request.into_body(), READ).await;
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::RETRY_AFTER, "5"), (header::CONNECTION, "close")],
        "the database is waited for\n",
    )
}
