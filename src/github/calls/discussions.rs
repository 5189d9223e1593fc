//! Discussions, which only GraphQL has: read, answered, looked for
//! (<https://docs.github.com/graphql/guides/using-the-graphql-api-for-discussions>).
//!
//! A discussion has comments, and each of those has replies; a reply has none.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::comments::{Created, Reaction, ours};
use super::graphql::{Absent, read};
use super::labels::Removal;
use crate::github::client::{Answer, Listing, Repo, missing};
use crate::github::error::{GithubError, Refusal};
use crate::github::marker::Marker;
use crate::github::operation::Operation;
use crate::github::types::{
    Account, AccountKind, CommentKind, CommentRef, Issue, SubjectState, ThreadComment, TopicKind,
};
use crate::workflow::ids::{CommentId, IssueNumber, UserId};

/// What the App needs for all of this, as GitHub names it elsewhere.
const PERMISSION: &str = "discussions=write";

/// How many pages of comments are read; each has up to a hundred replies to each of its comments.
const MOST_PAGES: usize = 40;

/// An operation, and what follows its name in the document.
type Asked = (Operation, &'static str);

/// Who wrote it. GraphQL has no numeric id for actors in general, so each kind is asked for its own.
macro_rules! with_actor {
    ($query:literal) => {
        concat!(
            $query,
            " fragment Actor on Actor { __typename login ... on User { databaseId } ... on Bot { databaseId } \
              ... on Organization { databaseId } ... on Mannequin { databaseId } }"
        )
    };
}

/// A comment with all that is read of it.
macro_rules! with_comment {
    ($query:literal) => {
        concat!(
            with_actor!($query),
            " fragment Said on DiscussionComment { id databaseId body url createdAt updatedAt deletedAt \
              author { ...Actor } replyTo { databaseId } }"
        )
    };
}

const SUBJECT: Asked = (
    Operation::Discussion,
    with_actor!(
        "($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) { nameWithOwner \
     discussion(number: $number) { id number title body url closed closedAt locked createdAt updatedAt author { ...Actor } \
     labels(first: 100) { nodes { name } } } } }"
    ),
);
const SAID: Asked = (
    Operation::DiscussionComments,
    with_comment!(
        "($owner: String!, $name: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $name) { \
     discussion(number: $number) { comments(first: 50, after: $after) { totalCount pageInfo { hasNextPage endCursor } \
     nodes { ...Said replies(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { ...Said } } } } } } }"
    ),
);
const REPLIES: Asked = (
    Operation::DiscussionReplies,
    with_comment!(
        "($id: ID!, $after: String) { node(id: $id) { ... on DiscussionComment { replies(first: 100, after: $after) { \
     totalCount pageInfo { hasNextPage endCursor } nodes { ...Said } } } } }"
    ),
);
const NEWEST: Asked = (
    Operation::NewestDiscussionComments,
    with_comment!(
        "($owner: String!, $name: String!, $number: Int!, $before: String) { repository(owner: $owner, name: $name) { \
     discussion(number: $number) { comments(last: 50, before: $before) { totalCount \
     pageInfo { hasPreviousPage startCursor } nodes { ...Said } } } } }"
    ),
);
const COMMENT: Asked = (
    Operation::DiscussionComment,
    with_comment!("($id: ID!) { node(id: $id) { ...Said } }"),
);
const ROOT: Asked = (
    Operation::DiscussionThread,
    "($id: ID!) { node(id: $id) { id ... on DiscussionComment { replyTo { id } } } }",
);
const NODES: Asked = (
    Operation::DiscussionIds,
    "($owner: String!, $name: String!, $number: Int!, $label: String!) { \
     repository(owner: $owner, name: $name) { discussion(number: $number) { id } label(name: $label) { id } } }",
);
const ADD: Asked = (
    Operation::AddDiscussionComment,
    with_comment!(
        "($discussion: ID!, $to: ID, $body: String!) { \
     addDiscussionComment(input: { discussionId: $discussion, replyToId: $to, body: $body }) { comment { ...Said } } }"
    ),
);
const UPDATE: Asked = (
    Operation::UpdateDiscussionComment,
    "($id: ID!, $body: String!) { \
     updateDiscussionComment(input: { commentId: $id, body: $body }) { comment { updatedAt } } }",
);
const DELETE: Asked = (
    Operation::DeleteDiscussionComment,
    "($id: ID!) { deleteDiscussionComment(input: { id: $id }) { clientMutationId } }",
);
const REACT: Asked = (
    Operation::ReactInDiscussion,
    "($id: ID!, $content: ReactionContent!) { \
     addReaction(input: { subjectId: $id, content: $content }) { reaction { content } } }",
);
const LABEL: Asked = (
    Operation::LabelDiscussion,
    "($id: ID!, $labels: [ID!]!) { \
     addLabelsToLabelable(input: { labelableId: $id, labelIds: $labels }) { clientMutationId } }",
);
const UNLABEL: Asked = (
    Operation::UnlabelDiscussion,
    "($id: ID!, $labels: [ID!]!) { \
     removeLabelsFromLabelable(input: { labelableId: $id, labelIds: $labels }) { clientMutationId } }",
);

#[derive(Deserialize)]
struct InRepository<T> {
    repository: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name_with_owner: Option<String>,
    discussion: Option<WireDiscussion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDiscussion {
    id: Option<String>,
    number: Option<u64>,
    title: Option<String>,
    body: Option<String>,
    url: Option<String>,
    closed: Option<bool>,
    closed_at: Option<DateTime<Utc>>,
    locked: Option<bool>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    author: Option<WireActor>,
    labels: Option<Connection<WireName>>,
}

#[derive(Deserialize)]
struct WireName {
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireId {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireActor {
    #[serde(rename = "__typename")]
    kind: Option<String>,
    login: Option<String>,
    database_id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection<T> {
    #[serde(default)]
    total_count: Option<u64>,
    #[serde(default)]
    page_info: PageInfo,
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
    has_previous_page: bool,
    start_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSaid {
    id: Option<String>,
    database_id: Option<u64>,
    body: Option<String>,
    url: Option<String>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    author: Option<WireActor>,
    reply_to: Option<WireNumber>,
    replies: Option<Connection<WireSaid>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNumber {
    database_id: Option<u64>,
}

#[derive(Deserialize)]
struct Comments {
    discussion: Option<Talk>,
}

#[derive(Deserialize)]
struct Talk {
    comments: Connection<WireSaid>,
}

#[derive(Deserialize)]
struct Ids {
    discussion: Option<WireId>,
    label: Option<WireId>,
}

#[derive(Deserialize)]
struct InNode<T> {
    node: Option<T>,
}

#[derive(Deserialize)]
struct WithReplies {
    replies: Option<Connection<WireSaid>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Root {
    id: String,
    reply_to: Option<WireId>,
}

impl WireActor {
    /// GraphQL names a bot by its slug alone; everywhere else its login ends in `[bot]`.
    fn read(self) -> Option<Account> {
        let (kind, end) = match self.kind.as_deref() {
            Some("User") => (AccountKind::User, ""),
            Some("Bot") => (AccountKind::Bot, "[bot]"),
            Some("Organization") => (AccountKind::Organization, ""),
            _ => (AccountKind::Other, ""),
        };
        let login = self.login?;
        Some(Account {
            id: UserId(self.database_id?),
            login: format!("{}{end}", login.trim_end_matches("[bot]")),
            kind,
        })
    }
}

fn author(actor: Option<WireActor>) -> Account {
    actor.and_then(WireActor::read).unwrap_or_else(Account::ghost)
}

impl WireSaid {
    /// `None` for what is left of a comment that was deleted while it had replies.
    fn read(self) -> Result<Option<ThreadComment>, GithubError> {
        if self.deleted_at.is_some() {
            return Ok(None);
        }
        let created_at = self.created_at.ok_or_else(|| missing("createdAt"))?;
        Ok(Some(ThreadComment {
            kind: CommentKind::Discussion,
            id: CommentId(self.database_id.ok_or_else(|| missing("databaseId"))?),
            node_id: self.id.ok_or_else(|| missing("id"))?,
            author: author(self.author),
            via_app: None,
            body: self.body.unwrap_or_default(),
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
            html_url: self.url.unwrap_or_default(),
            in_reply_to: self.reply_to.and_then(|to| to.database_id).map(CommentId),
        }))
    }
}

impl Reaction {
    /// GraphQL's word for it (`ReactionContent`).
    fn name(self) -> &'static str {
        match self {
            Self::PlusOne => "THUMBS_UP",
            Self::MinusOne => "THUMBS_DOWN",
            Self::Laugh => "LAUGH",
            Self::Confused => "CONFUSED",
            Self::Heart => "HEART",
            Self::Hooray => "HOORAY",
            Self::Rocket => "ROCKET",
            Self::Eyes => "EYES",
        }
    }
}

impl Repo {
    async fn ask<T: DeserializeOwned>(&self, (operation, rest): Asked, variables: Value) -> Result<T, GithubError> {
        answered(&self.caller.graphql(operation, rest, variables).await?)
    }

    /// The variables of a query about one discussion.
    fn discussion_at(&self, number: IssueNumber, more: Value) -> Value {
        let reference = self.reference();
        let mut variables = json!({ "owner": reference.owner, "name": reference.name, "number": number });
        if let (Some(variables), Value::Object(more)) = (variables.as_object_mut(), more) {
            variables.extend(more);
        }
        variables
    }

    /// A discussion as it is now. One that was transferred is not found under its former number.
    pub(super) async fn discussion(&self, number: IssueNumber) -> Result<Issue, GithubError> {
        let found: InRepository<Named> = self.ask(SUBJECT, self.discussion_at(number, Value::Null)).await?;
        let repository = found.repository.ok_or_else(|| missing("repository"))?;
        let wire = repository.discussion.ok_or_else(|| missing("discussion"))?;
        let labels = wire.labels.map(|labels| labels.nodes).unwrap_or_default();
        Ok(Issue {
            id: None,
            number: IssueNumber(wire.number.ok_or_else(|| missing("number"))?),
            node_id: wire.id.unwrap_or_default(),
            kind: TopicKind::Discussion,
            title: wire.title.unwrap_or_default(),
            body: wire.body.unwrap_or_default(),
            state: match wire.closed {
                Some(true) => SubjectState::Closed,
                _ => SubjectState::Open,
            },
            locked: wire.locked.unwrap_or(false),
            author: author(wire.author),
            assignees: Vec::new(),
            labels: labels.into_iter().flatten().filter_map(|label| label.name).collect(),
            html_url: wire.url.unwrap_or_default(),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
            repository: repository.name_with_owner,
            comments: None,
            closed_at: wire.closed_at,
            closed_by: None,
        })
    }

    /// The comments of a discussion and their replies, oldest first, at most `cap`.
    pub(super) async fn discussion_said(
        &self,
        number: IssueNumber,
        cap: usize,
    ) -> Result<Listing<ThreadComment>, GithubError> {
        let mut items = Vec::new();
        let (mut after, mut first, mut total) = (None, 0, 0);
        for _ in 0..MOST_PAGES {
            let variables = self.discussion_at(number, json!({ "after": after }));
            let page = talk(self.ask(SAID, variables).await?)?;
            total = page.total_count.unwrap_or(0);
            for mut said in page.nodes.into_iter().flatten() {
                first += 1;
                let (id, replies) = (said.id.clone(), said.replies.take());
                items.extend(said.read()?);
                if let (Some(id), Some(replies)) = (id, replies) {
                    self.replies_of(&id, replies, &mut items).await?;
                }
            }
            after = page.page_info.end_cursor;
            if !page.page_info.has_next_page {
                break;
            }
        }
        items.sort_by_key(|said: &ThreadComment| (said.created_at, said.id));
        let cut = items.len().saturating_sub(cap);
        items.truncate(cap);
        let left_out = u64::try_from(cut).unwrap_or(u64::MAX) + total.saturating_sub(first);
        Ok(Listing { items, left_out })
    }

    /// All replies to one comment, of which the first page is there.
    async fn replies_of(
        &self,
        id: &str,
        mut page: Connection<WireSaid>,
        items: &mut Vec<ThreadComment>,
    ) -> Result<(), GithubError> {
        loop {
            for reply in page.nodes.into_iter().flatten() {
                items.extend(reply.read()?);
            }
            if !page.page_info.has_next_page {
                return Ok(());
            }
            let variables = json!({ "id": id, "after": page.page_info.end_cursor });
            let found: InNode<WithReplies> = self.ask(REPLIES, variables).await?;
            let Some(next) = found.node.and_then(|node| node.replies) else {
                return Ok(());
            };
            page = next;
        }
    }

    /// One comment or reply, or `None` when it was deleted.
    pub(super) async fn discussion_comment(&self, at: &CommentRef) -> Result<Option<ThreadComment>, GithubError> {
        let found: InNode<WireSaid> = match self.ask(COMMENT, json!({ "id": at.node_id })).await {
            Ok(found) => found,
            Err(GithubError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        found.node.map_or(Ok(None), WireSaid::read)
    }

    /// Writes a comment, or a reply to the first comment of a thread.
    pub(super) async fn add_discussion_comment(
        &self,
        number: IssueNumber,
        to: Option<&str>,
        body: &str,
    ) -> Result<Created, GithubError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Added {
            add_discussion_comment: Option<Payload>,
        }
        #[derive(Deserialize)]
        struct Payload {
            comment: Option<WireSaid>,
        }
        let discussion = self.discussion_ids(number, "").await?.discussion;
        let discussion = discussion.ok_or_else(|| missing("discussion"))?.id;
        let variables = json!({ "discussion": discussion, "to": to, "body": body });
        let added: Added = self.ask(ADD, variables).await?;
        let said = added.add_discussion_comment.and_then(|payload| payload.comment);
        let said = said.map(WireSaid::read).transpose()?.flatten();
        said.map(Created::from).ok_or_else(|| missing("comment"))
    }

    /// The node id of the first comment in the thread of a comment, which is the one that can be answered.
    pub(super) async fn root_of(&self, at: &CommentRef) -> Result<String, GithubError> {
        let found: InNode<Root> = self.ask(ROOT, json!({ "id": at.node_id })).await?;
        let root = found
            .node
            .ok_or_else(|| GithubError::NotFound("the comment".to_owned()))?;
        Ok(root.reply_to.map_or(root.id, |to| to.id))
    }

    /// Replaces the text of a comment; gives GitHub's time of it.
    pub(super) async fn update_discussion_comment(
        &self,
        at: &CommentRef,
        body: &str,
    ) -> Result<DateTime<Utc>, GithubError> {
        let updated: Value = self.ask(UPDATE, json!({ "id": at.node_id, "body": body })).await?;
        let time = updated["updateDiscussionComment"]["comment"]["updatedAt"].clone();
        serde_json::from_value(time).map_err(|_| missing("updatedAt"))
    }

    /// Deletes a comment.
    pub(super) async fn delete_discussion_comment(&self, at: &CommentRef) -> Result<Removal, GithubError> {
        Removal::of(self.ask::<Value>(DELETE, json!({ "id": at.node_id })).await)
    }

    /// Puts a reaction on a comment. Doing it again changes nothing.
    pub(super) async fn react_in_discussion(&self, to: &CommentRef, reaction: Reaction) -> Result<(), GithubError> {
        let variables = json!({ "id": to.node_id, "content": reaction.name() });
        self.ask::<Value>(REACT, variables).await.map(drop)
    }

    /// Puts labels on a discussion.
    pub(super) async fn label_discussion(&self, number: IssueNumber, names: &[&str]) -> Result<(), GithubError> {
        let mut labels = Vec::new();
        let mut discussion = None;
        for name in names {
            let ids = self.discussion_ids(number, name).await?;
            let label = ids
                .label
                .ok_or_else(|| GithubError::NotFound(format!("the label `{name}`")))?;
            labels.push(label.id);
            discussion = ids.discussion;
        }
        let discussion = discussion.ok_or_else(|| missing("discussion"))?;
        let variables = json!({ "id": discussion.id, "labels": labels });
        self.ask::<Value>(LABEL, variables).await.map(drop)
    }

    /// Takes a label off a discussion.
    pub(super) async fn unlabel_discussion(&self, number: IssueNumber, label: &str) -> Result<Removal, GithubError> {
        let ids = self.discussion_ids(number, label).await?;
        let (Some(discussion), Some(label)) = (ids.discussion, ids.label) else {
            return Ok(Removal::WasGone);
        };
        let variables = json!({ "id": discussion.id, "labels": [label.id] });
        self.ask::<Value>(UNLABEL, variables).await.map(|_| Removal::Done)
    }

    async fn discussion_ids(&self, number: IssueNumber, label: &str) -> Result<Ids, GithubError> {
        let variables = self.discussion_at(number, json!({ "label": label }));
        let found: InRepository<Ids> = self.ask(NODES, variables).await?;
        found.repository.ok_or_else(|| missing("repository"))
    }

    /// The comments of a discussion, replies not among them, that carry a marker and are our own account's, lowest id
    /// first. They are read from the newest back to `after`.
    pub(super) async fn find_discussion_comment(
        &self,
        number: IssueNumber,
        marker: &Marker,
        own: UserId,
        after: DateTime<Utc>,
    ) -> Result<Vec<Created>, GithubError> {
        let mut said = Vec::new();
        let mut before = None;
        loop {
            let variables = self.discussion_at(number, json!({ "before": before }));
            let page = talk(self.ask(NEWEST, variables).await?)?;
            let mut older = page.nodes.is_empty();
            for node in page.nodes.into_iter().flatten() {
                older |= node.created_at.is_some_and(|at| at < after);
                said.extend(node.read()?);
            }
            before = page.page_info.start_cursor;
            if older || !page.page_info.has_previous_page {
                return Ok(ours(said, marker, own));
            }
        }
    }

    /// The same among the replies to the first comment of a thread.
    pub(super) async fn find_discussion_reply(
        &self,
        root: &str,
        marker: &Marker,
        own: UserId,
    ) -> Result<Vec<Created>, GithubError> {
        let found: InNode<WithReplies> = self.ask(REPLIES, json!({ "id": root, "after": null })).await?;
        let mut said = Vec::new();
        if let Some(first) = found.node.and_then(|node| node.replies) {
            self.replies_of(root, first, &mut said).await?;
        }
        Ok(ours(said, marker, own))
    }
}

/// What GitHub answered about a discussion.
fn answered<T: DeserializeOwned>(answer: &Answer) -> Result<T, GithubError> {
    let read = read(answer.json()?, Absent::Told);
    read.map_err(|error| match error {
        GithubError::Forbidden {
            message,
            reason: Refusal::MissingPermission { needed: None },
        } => GithubError::Forbidden {
            message,
            reason: Refusal::MissingPermission {
                needed: Some(PERMISSION.to_owned()),
            },
        },
        other => other,
    })
}

fn talk(found: InRepository<Comments>) -> Result<Connection<WireSaid>, GithubError> {
    let discussion = found.repository.and_then(|repository| repository.discussion);
    Ok(discussion.ok_or_else(|| missing("discussion"))?.comments)
}
