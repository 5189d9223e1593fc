//! `/livez`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::{Backend, Readiness, Shared};
use crate::figures;

/// The process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// 200 while a delivery can be stored, else 503. GitHub's state stands in the body and never changes the status.
pub(super) async fn readyz<B: Backend>(State(shared): State<Arc<Shared<B>>>) -> impl IntoResponse {
    let Readiness { store, github } = shared.backend.readiness().await;
    let status = match store {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = serde_json::json!({
        "ready": store.is_ok(),
        "store": store.err().unwrap_or_else(|| "ok".to_owned()),
        "github": github,
    });
    (status, Json(body))
}

/// The figures in Prometheus' text format
/// (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
pub(super) async fn metrics<B: Backend>(State(shared): State<Arc<Shared<B>>>) -> impl IntoResponse {
    // When the queues cannot be read the gauges keep their last values; the rest is shown all the same.
    for queue in shared.backend.queues().await.into_iter().flatten() {
        figures::queue(queue);
    }
    if let Some(amiss) = shared.backend.amiss().await {
        figures::amiss(amiss);
    }
    shared.figures.run_upkeep();
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, shared.figures.render())
}
