//! Where log lines go and how they look.
//!
//! Lines go to standard error: what a command answers stands alone on standard output. Every line bears the fields of
//! the spans around it (delivery, installation, repository, subject, workflow).

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::traces::Exporter;

/// Our own lines, and what others find worth a warning: the libraries below it print requests.
pub const DEFAULT_FILTER: &str = "warn,countersign=info";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error("the log filter `{filter}` cannot be read ({reason}): write it like `{DEFAULT_FILTER}`")]
    Filter {
        /// As it was given.
        filter: String,
        /// Why not.
        reason: String,
    },
    /// A second set-up in one process.
    #[error("the log is set up already")]
    Twice,
}

/// A log that has not begun.
#[derive(Debug)]
pub struct Log {
    format: Format,
    filter: EnvFilter,
}

impl Log {
    /// `filter` is in the notation of `RUST_LOG`.
    ///
    /// # Errors
    /// [`LoggingError::Filter`].
    pub fn new(format: Format, filter: &str) -> Result<Self, LoggingError> {
        let filter = parse(filter)?;
        Ok(Self { format, filter })
    }

    /// Sets up the log of this process, once, and beside it the traces where some are kept. The filter is of the lines
    /// alone: traces are whole whatever is logged.
    ///
    /// # Errors
    /// [`LoggingError::Twice`].
    pub fn begin(self, traces: Option<&Exporter>) -> Result<(), LoggingError> {
        let Self { format, filter } = self;
        let colour = Colour::from(std::io::stderr().is_terminal());
        let begun = match traces {
            None => set_global_default(subscriber(format, filter, colour, std::io::stderr)),
            Some(traces) => set_global_default(
                tracing_subscriber::registry()
                    .with(lines(format, colour, std::io::stderr).with_filter(filter))
                    .with(traces.layer()),
            ),
        };
        begun.map_err(|_| LoggingError::Twice)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    On,
    Off,
}

impl From<bool> for Colour {
    fn from(terminal: bool) -> Self {
        if terminal { Self::On } else { Self::Off }
    }
}

fn parse(filter: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::try_new(filter).map_err(|error| LoggingError::Filter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })
}

fn subscriber<W>(format: Format, filter: EnvFilter, colour: Colour, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(format, colour, writer))
}

fn lines<S, W>(format: Format, colour: Colour, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Pretty => lines.with_ansi(colour == Colour::On).boxed(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = subscriber(format, parse(filter).unwrap(), Colour::Off, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let delivery = tracing::info_span!("delivery", delivery = "72d3162e", repository = 42);
            let _in_delivery = delivery.enter();
            let command = tracing::info_span!("command", workflow = "w1");
            let _in_command = command.enter();
            tracing::info!(verb = "approve", "decided");
            tracing::info!(target: "hyper", "a library talks");
            tracing::debug!("detail");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_bears_the_fields_of_every_span_around_it() {
        let page = logged(Format::Json, DEFAULT_FILTER);
        assert_eq!(page.lines().count(), 1, "{page}");
        let line: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(line["message"], "decided");
        assert_eq!(line["verb"], "approve");
        assert_eq!(line["spans"][0]["delivery"], "72d3162e");
        assert_eq!(line["spans"][0]["repository"], 42);
        assert_eq!(line["spans"][1]["workflow"], "w1");
    }

    #[test]
    fn a_line_for_people_bears_them_too_and_the_filter_holds() {
        let page = logged(Format::Pretty, DEFAULT_FILTER);
        for part in [
            "decided",
            "delivery=\"72d3162e\"",
            "workflow=\"w1\"",
            "verb=\"approve\"",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert_eq!(page.lines().count(), 1, "{page}");
        assert_eq!(logged(Format::Pretty, "debug").lines().count(), 3);
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let refused = parse("countersign=loud").unwrap_err().to_string();
        assert!(refused.contains("`countersign=loud`"), "{refused}");
    }
}
