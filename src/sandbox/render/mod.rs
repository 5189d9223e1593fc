//! The model as GitHub's JSON.

pub(super) mod discussions;
pub(super) mod issues;
pub(super) mod pulls;
pub(super) mod repos;

/// Which of GitHub's two dialects is spoken: webhook payloads leave out some of what REST answers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Rest,
    Webhook,
}
