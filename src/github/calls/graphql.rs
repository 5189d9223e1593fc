//! What only GraphQL gives beside discussions: when a text was edited, and hiding a comment; and how its answers are read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::github::client::{Installation, Repo};
use crate::github::error::{GithubError, Refusal, UNSPECIFIED_WAIT};
use crate::github::operation::Operation;

/// The most nodes that one query may name (<https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
const NODES: usize = 100;

const EDIT_TIMES: &str =
    "($ids: [ID!]!) { nodes(ids: $ids) { id ... on Comment { lastEditedAt editor { __typename login } } } }";
const MINIMIZE: &str = "($id: ID!, $classifier: ReportedContentClassifiers!) \
     { minimizeComment(input: { subjectId: $id, classifier: $classifier }) { minimizedComment { isMinimized } } }";

/// When somebody last changed a text. REST's `updated_at` moves for other reasons too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditTime {
    /// `None`: the text is as it was first written.
    pub last_edited_at: Option<DateTime<Utc>>,
    /// Who did; a deleted account is nobody.
    pub editor: Option<Editor>,
}

/// Who changed a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// The login. That of an App's bot is the App's slug alone, which its owner may have as a login, too.
    pub login: String,
    /// Whether it is the bot of an App.
    pub is_bot: bool,
}

impl Editor {
    /// Whether it is this account of an App, as REST names it: `slug[bot]`.
    pub fn is_app(&self, bot: &str) -> bool {
        self.is_bot && bot.strip_suffix("[bot]") == Some(self.login.as_str())
    }
}

/// Why edit times are not known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditTimesUnavailable {
    /// This GitHub has no GraphQL: they are to be taken from stored `edited` deliveries.
    #[error("this GitHub offers no GraphQL")]
    NotOffered,
    /// They could not be asked for just now.
    #[error(transparent)]
    Failed(#[from] GithubError),
}

/// Why a comment is hidden (`ReportedContentClassifiers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classifier {
    /// What it said is no longer true.
    Outdated,
    /// What it asked for was done.
    Resolved,
    /// It is said elsewhere too.
    Duplicate,
}

impl Classifier {
    fn name(self) -> &'static str {
        match self {
            Self::Outdated => "OUTDATED",
            Self::Resolved => "RESOLVED",
            Self::Duplicate => "DUPLICATE",
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Reply<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Option<Vec<WireError>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireError {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    extensions: Option<Value>,
}

#[derive(Deserialize)]
struct Nodes {
    #[serde(default)]
    nodes: Vec<Option<Node>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Node {
    id: Option<String>,
    last_edited_at: Option<DateTime<Utc>>,
    editor: Option<Actor>,
}

/// <https://docs.github.com/graphql/reference/interfaces#actor>
#[derive(Deserialize, Default)]
#[serde(default)]
struct Actor {
    #[serde(rename = "__typename")]
    kind: String,
    login: Option<String>,
}

impl Repo {
    /// When the texts behind these node ids were last edited. A text that was deleted is not in the map.
    pub async fn edit_times(&self, node_ids: &[String]) -> Result<BTreeMap<String, EditTime>, EditTimesUnavailable> {
        let mut times = BTreeMap::new();
        for ids in node_ids.chunks(NODES) {
            let variables = json!({ "ids": ids });
            let answer = match self.caller.graphql(Operation::EditTimes, EDIT_TIMES, variables).await {
                Ok(answer) => answer,
                Err(GithubError::NotFound(_)) => return Err(EditTimesUnavailable::NotOffered),
                Err(error) => return Err(error.into()),
            };
            let found: Nodes = read(answer.json()?, Absent::Skipped)?;
            for node in found.nodes.into_iter().flatten() {
                let Some(id) = node.id else { continue };
                let editor = node.editor.and_then(|actor| {
                    Some(Editor {
                        is_bot: actor.kind == "Bot",
                        login: actor.login?,
                    })
                });
                let time = EditTime {
                    last_edited_at: node.last_edited_at,
                    editor,
                };
                times.insert(id, time);
            }
        }
        Ok(times)
    }
}

impl Installation {
    /// Folds a comment away on the page. `NotFound` where there is no GraphQL or no such comment.
    pub async fn minimize_comment(&self, node_id: &str, classifier: Classifier) -> Result<(), GithubError> {
        let variables = json!({ "id": node_id, "classifier": classifier.name() });
        let operation = Operation::MinimizeComment;
        let answer = self.0.graphql(operation, MINIMIZE, variables).await?;
        read::<Value>(answer.json()?, Absent::Told).map(drop)
    }
}

/// What a node that does not exist means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    Skipped,
    Told,
}

/// GraphQL answers 200 and puts its errors into the body
/// (<https://docs.github.com/graphql/guides/forming-calls-with-graphql>). An error with neither a type nor a code is
/// GitHub's own ("Something went wrong while executing your query"): what was to be written may have been.
pub(super) fn read<T: DeserializeOwned>(reply: Reply<T>, absent: Absent) -> Result<T, GithubError> {
    let errors = reply.errors.unwrap_or_default();
    let kind = |error: &WireError| error.kind.clone().unwrap_or_default();
    let real = errors
        .iter()
        .find(|error| absent == Absent::Told || kind(error) != "NOT_FOUND");
    if let Some(error) = real {
        let message = error.message.clone().unwrap_or_else(|| "no message".to_owned());
        return Err(match kind(error).as_str() {
            "RATE_LIMITED" => GithubError::RateLimited {
                retry_after: UNSPECIFIED_WAIT,
                secondary: false,
            },
            _ if message.contains("secondary rate limit") => GithubError::RateLimited {
                retry_after: UNSPECIFIED_WAIT,
                secondary: true,
            },
            "NOT_FOUND" => GithubError::NotFound(message),
            "FORBIDDEN" if message.contains("not accessible by integration") => GithubError::Forbidden {
                message,
                reason: Refusal::MissingPermission { needed: None },
            },
            "FORBIDDEN" if message.contains("locked") => GithubError::Forbidden {
                message,
                reason: Refusal::Locked,
            },
            "FORBIDDEN" => GithubError::Forbidden {
                message,
                reason: Refusal::Other,
            },
            "" if error.extensions.is_none() => GithubError::Ambiguous(message),
            _ => GithubError::Validation {
                message,
                errors: Vec::new(),
            },
        });
    }
    reply
        .data
        .ok_or_else(|| GithubError::Malformed("it has neither data nor errors".to_owned()))
}
