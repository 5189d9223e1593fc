//! Every call that this program can make to GitHub, in one list.
//!
//! A call takes a [`Route`], and only an [`Operation`] makes one, so there is no call beside the list. A test that goes
//! through [`Operation::ALL`] therefore goes through everything that the program asks of GitHub, what is added later
//! included.

use std::fmt::Display;

use http::Method;

use super::client::{encode, segment};
use super::error::GithubError;

/// What stands in a place of a path.
pub(super) type Value<'a> = &'a (dyn Display + Sync);

/// How an operation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// REST: a method, and a path as RFC 6570 writes it. `{+path}` is the only place whose value may hold a slash.
    Rest(&'static str, &'static str),
    /// A query of GraphQL under this name; it changes nothing.
    Query(&'static str),
    /// A mutation of GraphQL under this name.
    Mutation(&'static str),
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $kind:ident $(, $path:literal)?;)+) => {
        /// A call that this program can make to GitHub.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)+
        }

        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// How it is asked for.
            pub fn kind(self) -> Kind {
                match self {
                    $(Self::$name => operations!(@kind $name, $kind $(, $path)?),)+
                }
            }
        }
    };
    (@kind $name:ident, QUERY) => { Kind::Query(stringify!($name)) };
    (@kind $name:ident, MUTATION) => { Kind::Mutation(stringify!($name)) };
    (@kind $name:ident, $method:ident, $path:literal) => { Kind::Rest(stringify!($method), $path) };
}

operations! {
    /// Who the App is.
    App: GET, "/app";
    /// A token for an installation.
    AccessToken: POST, "/app/installations/{installation}/access_tokens";
    /// Every installation.
    Installations: GET, "/app/installations";
    /// One installation.
    Installation: GET, "/app/installations/{installation}";
    /// The installation that covers a repository.
    InstallationOf: GET, "/repos/{owner}/{repo}/installation";
    /// Where the App's webhook goes.
    HookConfig: GET, "/app/hook/config";
    /// Attempts to deliver.
    Deliveries: GET, "/app/hook/deliveries";
    /// Delivers again.
    Redeliver: POST, "/app/hook/deliveries/{attempt}/attempts";

    /// The repositories that an installation reaches.
    Repositories: GET, "/installation/repositories";
    /// An account by its login.
    AccountByLogin: GET, "/users/{login}";
    /// An account by its id.
    AccountById: GET, "/user/{id}";

    /// A repository.
    Repository: GET, "/repos/{owner}/{repo}";
    /// A file, or the files of a folder.
    Contents: GET, "/repos/{owner}/{repo}/contents/{+path}";
    /// The commits of the default branch.
    Commits: GET, "/repos/{owner}/{repo}/commits";
    /// Somebody's right.
    Permission: GET, "/repos/{owner}/{repo}/collaborators/{login}/permission";
    /// The people of a repository.
    Collaborators: GET, "/repos/{owner}/{repo}/collaborators";
    /// Whether somebody can be assigned.
    Assignable: GET, "/repos/{owner}/{repo}/assignees/{login}";
    /// Who is in a team.
    TeamMembers: GET, "/orgs/{org}/teams/{team}/members";
    /// Whether somebody is in a team.
    TeamMembership: GET, "/orgs/{org}/teams/{team}/memberships/{login}";

    /// An issue or pull request.
    Issue: GET, "/repos/{owner}/{repo}/issues/{number}";
    /// The issues of somebody.
    Issues: GET, "/repos/{owner}/{repo}/issues";
    /// Opens an issue.
    CreateIssue: POST, "/repos/{owner}/{repo}/issues";
    /// Closes an issue.
    UpdateIssue: PATCH, "/repos/{owner}/{repo}/issues/{number}";
    /// What happened to an issue.
    IssueEvents: GET, "/repos/{owner}/{repo}/issues/{number}/events";
    /// The sub-issues of an issue.
    SubIssues: GET, "/repos/{owner}/{repo}/issues/{number}/sub_issues";
    /// Puts an issue under another.
    AddSubIssue: POST, "/repos/{owner}/{repo}/issues/{number}/sub_issues";
    /// What an issue waits for.
    BlockedBy: GET, "/repos/{owner}/{repo}/issues/{number}/dependencies/blocked_by";
    /// Has an issue wait for another.
    AddBlockedBy: POST, "/repos/{owner}/{repo}/issues/{number}/dependencies/blocked_by";

    /// The names of a repository's labels.
    Labels: GET, "/repos/{owner}/{repo}/labels";
    /// One of a repository's labels.
    Label: GET, "/repos/{owner}/{repo}/labels/{label}";
    /// Creates a label.
    CreateLabel: POST, "/repos/{owner}/{repo}/labels";
    /// Puts labels on.
    AddLabels: POST, "/repos/{owner}/{repo}/issues/{number}/labels";
    /// Takes a label off.
    RemoveLabel: DELETE, "/repos/{owner}/{repo}/issues/{number}/labels/{label}";

    /// The comments of a conversation.
    Comments: GET, "/repos/{owner}/{repo}/issues/{number}/comments";
    /// One of them.
    Comment: GET, "/repos/{owner}/{repo}/issues/comments/{id}";
    /// Writes one.
    CreateComment: POST, "/repos/{owner}/{repo}/issues/{number}/comments";
    /// Replaces the text of one.
    UpdateComment: PATCH, "/repos/{owner}/{repo}/issues/comments/{id}";
    /// Deletes one.
    DeleteComment: DELETE, "/repos/{owner}/{repo}/issues/comments/{id}";
    /// Puts a reaction on one.
    React: POST, "/repos/{owner}/{repo}/issues/comments/{id}/reactions";

    /// A pull request's branch.
    Pull: GET, "/repos/{owner}/{repo}/pulls/{number}";
    /// The files that it changes.
    PullFiles: GET, "/repos/{owner}/{repo}/pulls/{number}/files";
    /// Its reviews.
    Reviews: GET, "/repos/{owner}/{repo}/pulls/{number}/reviews";
    /// The comments on its lines.
    LineComments: GET, "/repos/{owner}/{repo}/pulls/{number}/comments";
    /// Answers one in its thread.
    ReplyToLine: POST, "/repos/{owner}/{repo}/pulls/{number}/comments/{id}/replies";
    /// Deletes one.
    DeleteLineComment: DELETE, "/repos/{owner}/{repo}/pulls/comments/{id}";
    /// Puts a reaction on one.
    ReactToLine: POST, "/repos/{owner}/{repo}/pulls/comments/{id}/reactions";

    /// The check runs of a commit.
    CheckRuns: GET, "/repos/{owner}/{repo}/commits/{sha}/check-runs";
    /// Its commit statuses.
    CommitStatus: GET, "/repos/{owner}/{repo}/commits/{sha}/status";
    /// Creates a check run.
    CreateCheckRun: POST, "/repos/{owner}/{repo}/check-runs";

    /// When texts were last edited.
    EditTimes: QUERY;
    /// Folds a comment away.
    MinimizeComment: MUTATION;

    /// A discussion.
    Discussion: QUERY;
    /// The node ids of a discussion and of a label.
    DiscussionIds: QUERY;
    /// The comments of a discussion with their replies, oldest first.
    DiscussionComments: QUERY;
    /// Its newest comments.
    NewestDiscussionComments: QUERY;
    /// More replies to a comment.
    DiscussionReplies: QUERY;
    /// One comment.
    DiscussionComment: QUERY;
    /// The first comment of a comment's thread.
    DiscussionThread: QUERY;
    /// Writes a comment or a reply.
    AddDiscussionComment: MUTATION;
    /// Replaces the text of a comment.
    UpdateDiscussionComment: MUTATION;
    /// Deletes a comment.
    DeleteDiscussionComment: MUTATION;
    /// Puts a reaction on a comment.
    ReactInDiscussion: MUTATION;
    /// Puts labels on a discussion.
    LabelDiscussion: MUTATION;
    /// Takes a label off a discussion.
    UnlabelDiscussion: MUTATION;
}

impl Operation {
    /// Whether it changes something on GitHub.
    pub fn writes(self) -> bool {
        match self.kind() {
            Kind::Rest(method, _) => method != "GET" && self != Self::AccessToken,
            Kind::Query(_) => false,
            Kind::Mutation(_) => true,
        }
    }

    /// Where it is asked for, with these values in the places of its path, in their order.
    ///
    /// # Errors
    /// `Validation` for a value that cannot be a name in an address.
    pub(super) fn at(self, values: &[Value<'_>]) -> Result<Route, GithubError> {
        let Kind::Rest(method, path) = self.kind() else {
            return Err(GithubError::invalid(format!("{self:?} is an operation of GraphQL")));
        };
        let mut address = String::new();
        let mut values = values.iter();
        for part in path.split('/').skip(1) {
            address.push('/');
            if !part.starts_with('{') {
                address.push_str(part);
                continue;
            }
            let value = values.next().map(ToString::to_string).unwrap_or_default();
            if part.starts_with("{+") {
                let names: Vec<String> = value.split('/').map(segment).collect::<Result<_, _>>()?;
                address.push_str(&names.join("/"));
            } else {
                address.push_str(&segment(&value)?);
            }
        }
        debug_assert!(values.next().is_none(), "{self:?} has fewer places");
        Ok(Route { method, address })
    }

    /// What GraphQL is asked: `rest` is all that follows the operation's name.
    pub(super) fn document(self, rest: &str) -> Result<String, GithubError> {
        match self.kind() {
            Kind::Query(name) => Ok(format!("query {name}{rest}")),
            Kind::Mutation(name) => Ok(format!("mutation {name}{rest}")),
            Kind::Rest(..) => Err(GithubError::invalid(format!("{self:?} is an operation of REST"))),
        }
    }
}

/// Where one REST operation is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    method: &'static str,
    address: String,
}

impl Route {
    /// The same with one more pair in its query.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.address.push(if self.address.contains('?') { '&' } else { '?' });
        self.address.push_str(&format!("{name}={}", encode(&value.to_string())));
        self
    }

    /// Where a list of it goes on, as GitHub told.
    pub fn next(&self, address: String) -> Self {
        Self { address, ..*self }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method.parse().unwrap_or_default()
    }

    /// The path with its query, or a whole address.
    pub fn address(&self) -> &str {
        &self.address
    }
}
