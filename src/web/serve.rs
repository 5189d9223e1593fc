//! From a listener to a stopped server.

use std::future::IntoFuture as _;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests that have begun may still take once the server is told to stop: longer than any answer.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `stop`; then takes no new connection, finishes what has begun, and returns after [`DRAIN`] at the latest.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    serve_and_drain(listener, router, stop, DRAIN).await
}

pub(super) async fn serve_and_drain(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Small answers must not wait for more. Where it cannot be set they are only slower.
        let _ = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        outcome = serving => outcome,
        () = overdue => {
            tracing::warn!(?drain, "requests that did not end in time were cut off");
            Ok(())
        }
    }
}

/// Returns when the process is asked to stop: `SIGTERM` or `SIGINT`.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn shutdown_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
