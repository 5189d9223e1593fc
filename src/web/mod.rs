//! The router: the webhook, health, figures.
//!
//! It asks what is behind it through [`Backend`], so it can be driven with the engine, with a plain insert (the benches)
//! or with a stand-in (its tests).

mod backend;
mod health;
mod serve;
mod waiting;
mod webhook;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::figures::{Amiss, Queue};
use crate::inbox::signature::{SecretName, Secrets};
use crate::workflow::ids::DeliveryId;

pub use serve::{DRAIN, StopSignals, serve};
pub use waiting::Listening;
pub use webhook::{ANSWER_WITHIN, BODY_LIMIT};

/// A signed delivery as it arrived. Nothing of its body was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRequest {
    /// `X-GitHub-Delivery`.
    pub id: DeliveryId,
    /// `X-GitHub-Event`, whether we know it or not.
    pub event: String,
    /// `X-GitHub-Hook-ID`: the same thing reported through two hooks differs here.
    pub hook_id: Option<String>,
    /// `X-GitHub-Hook-Installation-Target-Type`: `integration`, `repository` …
    pub target_type: Option<String>,
    /// `X-GitHub-Hook-Installation-Target-ID`.
    pub target_id: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Which secret it was signed with.
    pub signed_with: SecretName,
    /// The raw bytes that were signed.
    pub body: Bytes,
}

/// Why a delivery could not be kept; logged, never told to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAccepted(pub String);

/// What `/readyz` tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// Whether a delivery could be stored now, and what stands in the way. It alone decides the status.
    pub store: Result<(), String>,
    /// How GitHub answers. For people: a GitHub that stumbles must not take the receiver out.
    pub github: serde_json::Value,
}

/// What stands behind the router.
pub trait Backend: Send + Sync + 'static {
    /// Keeps a delivery: when this has returned `Ok`, it is on disk. One that is known already is kept once and is `Ok`.
    fn accept(&self, delivery: DeliveryRequest) -> impl Future<Output = Result<(), NotAccepted>> + Send;

    /// Tries a write, and tells what is known of GitHub without asking it.
    fn readiness(&self) -> impl Future<Output = Readiness> + Send;

    /// How the queues stand, all of them, empty ones too. `None` when that could not be read.
    fn queues(&self) -> impl Future<Output = Option<Vec<Queue>>> + Send;

    /// What is not as it should be. `None` when that could not be read, or nothing can be.
    fn amiss(&self) -> impl Future<Output = Option<Amiss>> + Send {
        async { None }
    }
}

/// What the handlers share.
struct Shared<B> {
    backend: B,
    secrets: Secrets,
    figures: PrometheusHandle,
    answer_within: Duration,
}

/// The router over a back end. `figures` is the handle of the installed recorder.
pub fn router<B: Backend>(backend: B, secrets: Secrets, figures: PrometheusHandle) -> Router {
    route(Shared {
        backend,
        secrets,
        figures,
        answer_within: ANSWER_WITHIN,
    })
}

fn route<B: Backend>(shared: Shared<B>) -> Router {
    let late = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, shared.answer_within);
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz::<B>))
        .route("/metrics", get(health::metrics::<B>))
        .route_layer(late)
        // It keeps its own time, because it counts what was late.
        .route("/webhook", post(webhook::receive::<B>))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::new())
        .with_state(Arc::new(shared))
}
