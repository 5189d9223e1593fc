//! `POST /webhook`: check, keep, answer. Everything else happens later.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use super::{Backend, DeliveryRequest, Shared};
use crate::figures;
use crate::inbox::signature::{SIGNATURE_HEADER, SecretName};
use crate::workflow::ids::DeliveryId;

/// GitHub caps a payload at 25 MB (<https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap>).
pub const BODY_LIMIT: usize = 25 * 1024 * 1024;

/// GitHub counts an answer after 10 s as a failure
/// (<https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries>); this leaves the network 2 s.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// What is answered. Each is counted under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Accepted,
    TooLarge,
    Unreadable,
    BadSignature,
    Unnamed,
    NotStored,
    Late,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::BadSignature => "bad_signature",
            Self::Unnamed => "unnamed",
            Self::NotStored => "not_stored",
            Self::Late => "late",
        }
    }

    fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Accepted => (StatusCode::ACCEPTED, "accepted\n"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is over 25 MB\n"),
            Self::Unreadable => (StatusCode::BAD_REQUEST, "the body could not be read\n"),
            Self::BadSignature => (StatusCode::UNAUTHORIZED, "the signature does not hold\n"),
            Self::Unnamed => (
                StatusCode::BAD_REQUEST,
                "X-GitHub-Delivery and X-GitHub-Event are needed and must be text\n",
            ),
            Self::NotStored | Self::Late => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the delivery could not be stored: deliver it again\n",
            ),
        }
    }
}

/// Answers 202 once the delivery is kept, and whatever else the request deserves, within the time that GitHub waits.
pub(super) async fn receive<B: Backend>(State(shared): State<Arc<Shared<B>>>, request: Request) -> Response {
    let answer_within = shared.answer_within;
    let outcome = tokio::time::timeout(answer_within, take(shared, request))
        .await
        .unwrap_or(Outcome::Late);
    figures::delivery(outcome.name());
    match outcome {
        Outcome::Accepted | Outcome::NotStored => {}
        // Never the body, nor a header: whoever has no secret does not write into the log.
        _ => tracing::warn!(outcome = outcome.name(), "a request to the webhook was refused"),
    }
    outcome.answer().into_response()
}

async fn take<B: Backend>(shared: Arc<Shared<B>>, mut request: Request) -> Outcome {
    let headers = std::mem::take(request.headers_mut());
    if announced(&headers).is_some_and(|length| length > BODY_LIMIT as u64) {
        return Outcome::TooLarge;
    }
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refusal) if refusal.status() == StatusCode::PAYLOAD_TOO_LARGE => return Outcome::TooLarge,
        Err(_) => return Outcome::Unreadable,
    };
    let Ok(signed_with) = shared.secrets.verify(text(&headers, SIGNATURE_HEADER), &body) else {
        return Outcome::BadSignature;
    };
    let Some(delivery) = read(&headers, signed_with, body) else {
        return Outcome::Unnamed;
    };
    keep(shared, delivery).await
}

fn read(headers: &HeaderMap, signed_with: SecretName, body: Bytes) -> Option<DeliveryRequest> {
    let present = |name| text(headers, name).filter(|value| !value.trim().is_empty());
    let owned = |name| present(name).map(str::to_owned);
    Some(DeliveryRequest {
        id: DeliveryId::from(present("x-github-delivery")?),
        event: owned("x-github-event")?,
        hook_id: owned("x-github-hook-id"),
        target_type: owned("x-github-hook-installation-target-type"),
        target_id: owned("x-github-hook-installation-target-id"),
        content_type: owned(header::CONTENT_TYPE.as_str()),
        signed_with,
        body,
    })
}

/// In a task of its own: a sender that hangs up, or our own time limit, must not cut the writing short.
async fn keep<B: Backend>(shared: Arc<Shared<B>>, delivery: DeliveryRequest) -> Outcome {
    let (id, event) = (delivery.id.clone(), delivery.event.clone());
    let task = tokio::spawn(async move { shared.backend.accept(delivery).await });
    match task.await {
        Ok(Ok(())) => Outcome::Accepted,
        Ok(Err(error)) => {
            tracing::error!(delivery = %id, event, %error, "a delivery could not be stored");
            Outcome::NotStored
        }
        Err(error) => {
            tracing::error!(delivery = %id, event, %error, "a delivery could not be stored");
            Outcome::NotStored
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH.as_str())?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
