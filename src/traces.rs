//! Traces (OpenTelemetry): what a delivery caused, from the request to the last effect, in any process that took part.
//! The only room that knows OpenTelemetry; every room may ask where it is in a trace.
//!
//! Where a delivery came and where an effect was planned is kept in its row ([`TraceParent`]), so a trace goes on when
//! another process takes the work over, at whichever attempt. Ids derived from a delivery's id would need no column, but
//! two attempts, or two copies of one delivery, would then claim to be one span.
//!
//! Without an endpoint nothing of this is set up: no span is kept, and [`here`] is nowhere.

mod courier;

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::config::TracesUrl;
use courier::Courier;

/// The header, and the key in a carrier (<https://www.w3.org/TR/trace-context/#traceparent-header>).
const TRACEPARENT: &str = "traceparent";

/// What the resource is called unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` says otherwise.
const SERVICE: &str = "countersign";

/// How long the last spans may take to be handed over when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A place in a trace, in the notation of the `traceparent` header. It holds two random numbers and nobody's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// The notation.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TraceParent {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Where in a trace the work at hand is; nowhere when no traces are kept, or not of this work.
pub fn here() -> Option<TraceParent> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT).map(TraceParent)
}

/// Makes a span that has not begun the continuation of what happened there, maybe long ago and in another process.
pub fn follow(span: &Span, there: Option<&TraceParent>) {
    let Some(TraceParent(there)) = there else { return };
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), there.clone())]);
    // Where no traces are kept there is nothing to continue.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}

/// Marks the span at hand as failed. Why stands in the log: a reason may repeat people's words.
pub fn failed() {
    Span::current().set_status(Status::error(""));
}

/// What hands spans to a collector, in batches, beside the work.
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Prepares it; connects to nothing. The standard variables say the rest: `OTEL_EXPORTER_OTLP_HEADERS`,
    /// `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and `OTEL_BSP_*`.
    ///
    /// # Errors
    /// What is wrong with one of them, or TLS that cannot be set up, as a sentence.
    pub fn to(url: &TracesUrl) -> Result<Self, String> {
        let unusable = |why: &dyn std::fmt::Display| format!("traces cannot be sent to {url}: {why}");
        let courier = Courier::new(url).map_err(|error| unusable(&error))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(url.as_str())
            .with_http_client(courier)
            .build()
            .map_err(|error| unusable(&error))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = || Resource::builder().with_attribute(version.clone());
        let given = resource().build();
        let is_named = given
            .get_ref(&Key::from_static_str("service.name"))
            .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
        let resource = match is_named {
            true => given,
            false => resource().with_service_name(SERVICE).build(),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    /// The layer that turns this program's spans into a trace's. Its log lines stay at home: they may repeat what people
    /// wrote.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(
                filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("countersign"))
                    .with_max_level_hint(LevelFilter::DEBUG),
            )
    }

    /// Hands over what is left. What cannot be handed over in time is lost, and nothing else is.
    pub async fn end(self) {
        let ending = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_WORDS));
        match ending.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans could not be handed over"),
            Err(error) => tracing::warn!(%error, "the last spans could not be handed over"),
        }
    }
}

/// Whether a collector takes traces: it is given none.
///
/// # Errors
/// Why not, as the end of a sentence.
pub async fn probe(url: &TracesUrl) -> Result<(), String> {
    let courier = Courier::new(url).map_err(|error| error.to_string())?;
    courier.probe(url).await
}
