//! What is answered while the database is waited for: the process lives, and everything else comes again later.

use std::io;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{health, serve};

/// Listens, and answers 503 to all but `/livez`, until whoever serves takes the listener.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    _until: DropGuard,
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
        tokio::spawn(serve(waiting, router(), stop.clone()));
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            _until: stop.drop_guard(),
        })
    }

    /// The listener, on which nothing is answered any more but what has begun.
    pub fn listener(self) -> TcpListener {
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
