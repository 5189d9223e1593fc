//! The sandbox's own numbers and names. Every kind counts from its own start, so that two runs give the same ids and a
//! mix-up of two kinds shows.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

number! {
    /// A person's, organisation's or bot's id.
    AccountId,
    /// A repository's id.
    RepoId,
    /// An issue's database id, which is not its number.
    IssueId,
    /// An issue's or pull request's number inside its repository.
    IssueNumber,
    /// The id of a comment on an issue or pull request.
    CommentId,
    /// The id of a pull request's review.
    ReviewId,
    /// A label's id.
    LabelId,
    /// A reaction's id.
    ReactionId,
    /// The id of one entry in an issue's history.
    EventId,
    /// The id of an App's installation on an account.
    InstallationId,
    /// The id of a webhook's configuration.
    HookId,
    /// The id of one attempt to deliver; attempts of one delivery share a guid.
    AttemptId,
}

/// Where each kind's numbers start, and how many were given out. Comments start beyond 32 bits, as GitHub's will.
#[derive(Debug, Default)]
pub(super) struct Counters {
    given: std::collections::BTreeMap<&'static str, u64>,
}

impl Counters {
    /// The next number of a kind, the first being `start`.
    pub fn next(&mut self, kind: &'static str, start: u64) -> u64 {
        let given = self.given.entry(kind).or_insert(0);
        *given += 1;
        start + *given - 1
    }
}

/// A global node id as GraphQL uses it: the kind's prefix and the database id.
pub(super) fn node_id(prefix: &str, id: u64) -> String {
    format!("{prefix}_sbx{id:010x}")
}

/// Takes a node id apart again.
pub(super) fn parse_node_id(text: &str) -> Option<(&str, u64)> {
    let (prefix, hex) = text.split_once("_sbx")?;
    Some((prefix, u64::from_str_radix(hex, 16).ok()?))
}
