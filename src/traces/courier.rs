//! The way of spans to the collector, over the HTTP client that the rest of the program uses.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::config::TracesUrl;
use crate::outgoing::{self, Way};

/// How long a batch may take, the default of `OTEL_EXPORTER_OTLP_TIMEOUT`.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes batches from the thread that gathers them into the runtime, where HTTP is spoken.
#[derive(Debug)]
pub(super) struct Courier {
    client: reqwest::Client,
    runtime: Handle,
    to: String,
    /// Whether the last batch failed: what goes on failing is said once.
    failing: AtomicBool,
}

impl Courier {
    /// Must be made within the runtime.
    pub(super) fn new(url: &TracesUrl) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: outgoing::client(Way::to(url.url())).timeout(PATIENCE).build()?,
            runtime: Handle::current(),
            to: url.to_string(),
            failing: AtomicBool::new(false),
        })
    }

    /// An empty request is a valid one: it holds no spans.
    pub(super) async fn probe(&self, url: &TracesUrl) -> Result<(), String> {
        let request = self
            .client
            .post(url.as_str())
            .header(reqwest::header::CONTENT_TYPE, "application/x-protobuf");
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answers {status}")),
        }
    }

    fn note(&self, failure: Option<&dyn Display>) {
        let failed_before = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        match (failure, failed_before) {
            (Some(why), false) => {
                tracing::warn!(to = self.to, %why, "traces cannot be handed over and are lost meanwhile");
            }
            (None, true) => tracing::info!(to = self.to, "traces are handed over again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        });
        match sent.await.map_err(HttpError::from).and_then(|sent| sent) {
            Ok(response) => {
                let status = response.status();
                match status.is_success() {
                    true => self.note(None),
                    false => self.note(Some(&format!("it answers {status}"))),
                }
                Ok(response)
            }
            Err(error) => {
                self.note(Some(&error));
                Err(error)
            }
        }
    }
}
