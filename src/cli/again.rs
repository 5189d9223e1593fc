//! What is to be tried again: one thing by its id, or all that was given up.

use super::database::Database;

/// The arguments of `deliveries retry` and of `effects retry`.
#[derive(Debug, clap::Args)]
pub(super) struct Again {
    /// The id, as the list shows it
    #[arg(required_unless_present = "all")]
    pub(super) id: Option<String>,
    /// All that was given up
    #[arg(long, conflicts_with = "id")]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) database: Database,
}

/// That a request was left with the server, and when it is done.
pub(super) fn asked(what: impl std::fmt::Display) -> String {
    format!(
        "The server was asked to try {what} again: one that runs does so within seconds, else the next one that starts."
    )
}
