//! Acts: what an approved proposal does outside, spelt out in full before anybody approves it.
//!
//! The acts are part of what the digest covers, so what is executed is exactly what was shown. An act that needs the
//! outcome of an earlier one (the number of an issue that it opened) names it by key.

use serde::{Deserialize, Serialize};

/// Names one act within its proposal, and its outcome for the acts after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActKey(pub String);

impl std::fmt::Display for ActKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ActKey {
    /// The act that opens the one issue which tracks a discussion: issues cannot stand under a discussion itself.
    pub fn tracking() -> Self {
        Self("tracking".to_owned())
    }
}

/// One act of a proposal. Acts are executed one after the other, in the proposal's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Unique within the proposal.
    pub key: ActKey,
    /// What is done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What an act does. Every one of them leaves the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Creates a label that the repository lacks.
    CreateLabel {
        /// The label's name.
        name: String,
        /// Six hex digits.
        color: String,
        /// At most 100 characters.
        description: String,
    },
    /// Opens an issue.
    OpenIssue {
        /// At most 256 characters (GitHub's limit).
        title: String,
        /// Markdown, as it will stand, without the bot's hidden marker.
        body: String,
        /// Labels that exist or are created by an earlier act.
        labels: Vec<String>,
        /// Logins; one that GitHub refuses is dropped and named.
        assignees: Vec<String>,
    },
    /// Puts an opened issue under another as a sub-issue.
    LinkSubIssue {
        /// The act that opened the issue.
        child: ActKey,
        /// The act that opened the issue above it; the subject where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<ActKey>,
    },
    /// Says that one opened issue waits for another.
    LinkBlockedBy {
        /// The act that opened the issue which waits.
        issue: ActKey,
        /// The act that opened the issue which is waited for.
        blocked_by: ActKey,
    },
    /// Lists, in one comment on the subject, the opened issues that could not be linked. Writes nothing when all were.
    ListUnlinked,
    /// Sends a mail.
    SendMail(Mail),
}

/// A mail as it was shown and will be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Addresses, from configuration only.
    pub to: Vec<String>,
    /// Addresses, from configuration only.
    pub cc: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}
