//! What the bot asked of this GitHub, kept for the tests.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::faults::FaultKind;
use super::ids::InstallationId;

/// By what right a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    Anonymous,
    /// A JWT of the App.
    App,
    Installation(InstallationId),
    /// Something that was not accepted.
    Refused,
}

/// One request, and what it was answered.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    pub at: DateTime<Utc>,
    pub method: String,
    /// The path as it was sent, percent-encoded, without the query.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The headers, lower-case names, `authorization` left out.
    pub headers: Vec<(String, String)>,
    pub credential: Credential,
    /// The body when it was JSON.
    pub body: Option<Value>,
    /// What was answered, before a fault spoilt it; 0 when it was refused before it was carried out.
    pub status: u16,
    pub answer: Value,
    /// The fault that struck.
    pub fault: Option<FaultKind>,
}
