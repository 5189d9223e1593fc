//! What a gate asks besides people: an approver that is a model, and checks that the host verifies itself.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Digest;
use super::state::Timestamp;
use super::words::Words;

/// A model that says yes or no to what a phase made. Its yes is never enough in front of what leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AiGate {
    /// The endpoint that is asked, `http:NAME`; where none is named, the one of the role, and then the repository's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^http:.+$", "$comment" = "an approver is one of the server's endpoints, `http:NAME`"))]
    pub provider: Option<String>,
    /// The template of what it is told to look for; the program's `approve` where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub prompt: Option<String>,
    /// The role in whose name it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub role: Option<String>,
    /// Whether a prompt that it rejects is put in the words that it suggests, which meet this gate anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rewrite: bool,
    /// Whether people may approve what it rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overrule: bool,
}

/// Checks that the host makes or reads itself. Only a success is a yes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecksGate {
    /// Facts of what was made, which the host finds out by itself: `paths`, `schema`, `secrets`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "enum": ["paths", "schema", "secrets"]}))]
    pub host: BTreeSet<HostCheck>,
    /// Check runs and commit statuses on the pull request's head, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// Every check run and commit status on the pull request's head, and at least one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl ChecksGate {
    /// Whether it looks at a pull request's head.
    pub fn of_a_commit(&self) -> bool {
        self.all || !self.named.is_empty()
    }
}

/// A fact of an artifact that the host finds out by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostCheck {
    /// Every path that it writes is one that may be written.
    Paths,
    /// It is JSON of its schema.
    Schema,
    /// It holds no secret.
    Secrets,
}

impl HostCheck {
    /// As a definition writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paths => "paths",
            Self::Schema => "schema",
            Self::Secrets => "secrets",
        }
    }
}

/// What an approver decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may go on.
    Approved,
    /// It may not; also whatever could not be read as either.
    Rejected,
}

/// An approver's word on one proposal. An edit makes another proposal, of which it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// What it decided.
    pub decision: Decision,
    /// Why; never blank where it rejected.
    pub feedback: Words,
    /// The provider that answered.
    pub by: String,
    /// The digest of what it was shown.
    pub of: Digest,
    /// SHA-256 of its answer as it came.
    pub answer: Digest,
    /// When.
    pub at: Timestamp,
    /// What it was not shown, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
}

/// How one check stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It succeeded.
    Success,
    /// It has not ended.
    Pending,
    /// It ended otherwise: its conclusion, or what was found. Neutral and skipped are here: neither has looked.
    Other(String),
}

/// One check as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: CheckState,
}

/// What was read of all that a gate's checks ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The head of the pull request, where its checks were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// What the host found out by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<Check>,
    /// The check runs and commit statuses on the head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commit: Vec<Check>,
}

/// What is known of a proposal at its gate besides what people say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// How many times the approver was asked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The checks as they were last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// How many readings differed from the one before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub readings: u32,
}

// serde hands it a reference.
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Judged {
    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the approver decided, where it did.
    pub fn decision(&self) -> Option<Decision> {
        self.ruling.as_ref().map(|ruling| ruling.decision)
    }
}
