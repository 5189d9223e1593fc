//! What people change in a proposal before they approve it.

use serde::{Deserialize, Serialize};

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    /// `/edit t2 title="…" due=2026-12-01`. The key is empty for an artifact with one part (the mail).
    Change {
        /// Which part.
        key: String,
        /// Field and new value, in the order they were written.
        fields: Vec<(String, String)>,
    },
    /// `/task title="…" assign=@x`.
    Add {
        /// Field and value.
        fields: Vec<(String, String)>,
        /// The login of who adds it.
        by: String,
    },
    /// A box was ticked or unticked.
    Select {
        /// Which part.
        key: String,
        /// Ticked.
        on: bool,
    },
    /// A fenced block with the whole artifact as JSON.
    Replace(String),
}
