//! GitHub, as the house sees it: events, facts and calls. The only room that knows octocrab.
//!
//! No decision about a workflow is made here, nothing is stored, and nothing is paced: a call answers with a small
//! struct or with a [`GithubError`], and the error says whether the write may have been executed.
//!
//! | file | what it is for |
//! | --- | --- |
//! | [`events`] | a webhook's body becomes an [`Event`](events::Event); lenient, never GitHub's whole model |
//! | [`client`] | [`GitHub`], its handles, paging |
//! | `transport` | the service under octocrab: headers, time-outs, redirects, renewal after a 401, ETags |
//! | `auth` | the App's JSON web token and the installations' tokens |
//! | [`error`] | one table from an answer to an error |
//! | [`marker`] | the hidden marker that finds a write again |
//! | [`operation`] | every call that can be made, in one list |
//! | [`calls`] | one file per family of calls |

mod auth;
mod cache;
pub mod calls;
pub mod client;
pub mod codeowners;
pub mod error;
pub mod events;
pub mod marker;
pub mod operation;
mod transport;
pub mod types;
mod wire;

#[cfg(test)]
mod tests;

pub use calls::app::{AppIdentity, AttemptId, Cursor, HookDelivery, HookSettings};
pub use calls::checks::{Annotation, FinishedCheck, PullHead};
pub use calls::comments::{Created, Reaction};
pub use calls::graphql::{Classifier, EditTimesUnavailable};
pub use calls::issues::{CreatedIssue, NewIssue};
pub use calls::labels::{IssueEventId, Label, LabelChange, LabelEvent, Renaming};
pub use calls::repository::AtPath;
pub use calls::teams::Members;
pub use calls::thread::Thread;
pub use client::{App, GitHub, Guard, Installation, Limits, Repo, Settings};
pub use codeowners::CodeOwners;
pub use error::{Certainty, FieldError, GithubError, Refusal};
pub use events::{
    Comment, Event, EventKind, InstallationChange, Parsed, Place, Push, RepositoryChange, Retold, parse,
    parse_with_action,
};
pub use marker::Marker;
pub use operation::Operation;
pub use types::{
    Account, AccountKind, CommentKind, CommentRef, InstallationInfo, Issue, RepositoryRef, SubjectState, ThreadComment,
    Topic, TopicKind,
};

/// Whether a text is a private key that can sign for an App.
///
/// # Errors
/// The end of a sentence that names the setting.
pub fn check_private_key(pem: &str) -> Result<(), String> {
    auth::check_key(pem)
}
