//! What can be selected, and its fields.

use serde_json::{Value, json};

use super::mutations;
use super::run::{Arguments, Trouble};
use crate::sandbox::clock::{stamp, stamp_or_null};
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::discussions::comment_page;
use crate::sandbox::render::issues::issue_page;
use crate::sandbox::rest::Call;

/// The most that GitHub gives in a page.
const PAGE: u64 = 100;

/// Something that fields are selected of.
#[derive(Debug, Clone)]
pub(super) enum Object {
    Query,
    Mutation,
    Repository(RepoId),
    /// An issue, a pull request or a discussion, with the name of its type.
    Topic(&'static str, IssueId),
    /// With the name of its type.
    Comment(&'static str, CommentId),
    /// With the name of its type.
    Account(&'static str, AccountId),
    Label(RepoId, LabelId),
    Connection(&'static str, Slice),
    PageInfo(Slice),
    /// What a mutation gives back, by its fields.
    Payload(&'static str, Vec<(&'static str, Object)>),
    /// A reaction as it was set.
    Reaction(String),
}

/// A page of a connection.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    nodes: Vec<Object>,
    total: usize,
    start: usize,
}

impl Slice {
    /// The page that `first` and `after`, or `last` and `before` ask for.
    fn of(all: Vec<Object>, arguments: &Arguments) -> Result<Self, Trouble> {
        let (last, first) = (arguments.get("last").as_u64(), arguments.get("first").as_u64());
        let Some(first) = first.or(last) else {
            let message = "You must provide a `first` or `last` value to properly paginate the connection.";
            return Err(Trouble::Refused("MISSING_PAGINATION_BOUNDARIES", message.to_owned()));
        };
        if first > PAGE {
            let message =
                format!("Requesting {first} records on the connection exceeds the `first` limit of {PAGE} records.");
            return Err(Trouble::Refused("EXCESSIVE_PAGINATION", message));
        }
        let cursor = |name: &str| -> Option<usize> { arguments.text(name)?.strip_prefix("sbx:")?.parse().ok() };
        let (total, size) = (all.len(), usize::try_from(first).unwrap_or(0));
        let (start, end) = match last {
            Some(_) => {
                let end = cursor("before").map_or(total, |at| at.saturating_sub(1));
                (end.saturating_sub(size), end)
            }
            None => {
                let start = cursor("after").unwrap_or(0);
                (start, start.saturating_add(size))
            }
        };
        Ok(Self {
            nodes: all.into_iter().take(end).skip(start).collect(),
            total,
            start,
        })
    }

    fn end(&self) -> usize {
        self.start + self.nodes.len()
    }
}

/// What a field holds.
pub(super) enum Found {
    Plain(Value),
    One(Option<Object>),
    /// Each of them, or why it is not there.
    Many(Vec<Result<Object, String>>),
}

impl From<Value> for Found {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

/// An issue, a pull request or a discussion that is there.
fn topic(world: &World, id: IssueId) -> Result<Object, Refusal> {
    let name = match world.live_issue(id)?.sort {
        Sort::Issue => "Issue",
        Sort::Pull(_) => "PullRequest",
        Sort::Discussion => "Discussion",
    };
    Ok(Object::Topic(name, id))
}

/// A comment of any kind that is there.
pub(super) fn comment(world: &World, id: CommentId) -> Result<Object, Refusal> {
    let comment = world.live_comment(id)?;
    let name = match (&comment.place, world.live_issue(comment.issue)?.is_discussion()) {
        (Place::Line(_), _) => "PullRequestReviewComment",
        (_, true) => "DiscussionComment",
        (_, false) => "IssueComment",
    };
    Ok(Object::Comment(name, id))
}

/// What a node id stands for. A prefix that is another kind's names nothing.
pub(super) fn node(world: &World, id: &str) -> Result<Object, Trouble> {
    let none = || Trouble::no_node(id);
    let (prefix, number) = parse_node_id(id).ok_or_else(none)?;
    let found = match prefix {
        "I" | "PR" | "D" => topic(world, IssueId(number)),
        "IC" | "PRRC" | "DC" => comment(world, CommentId(number)),
        _ => return Err(none()),
    };
    let found = found.map_err(|_| none())?;
    if found.node_id().as_deref() == Some(id) {
        Ok(found)
    } else {
        Err(none())
    }
}

/// Whose an account is; nobody's when it was removed.
fn account(world: &World, id: AccountId) -> Option<Object> {
    let account = world.accounts.get(&id)?;
    let name = match account.kind {
        AccountKind::User => "User",
        AccountKind::Organization => "Organization",
        AccountKind::Bot => "Bot",
    };
    (account.presence == Presence::Present).then_some(Object::Account(name, id))
}

/// The permissions of which one lets the App read what stands on this, or write it.
pub(super) fn permissions(type_name: &str, access: Access) -> Vec<(&'static str, Access)> {
    match type_name {
        "Discussion" | "DiscussionComment" => vec![("discussions", access)],
        _ => vec![("issues", access), ("pull_requests", access)],
    }
}

impl Object {
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Mutation => "Mutation",
            Self::Repository(_) => "Repository",
            Self::Label(..) => "Label",
            Self::PageInfo(_) => "PageInfo",
            Self::Reaction(_) => "Reaction",
            Self::Topic(name, _) | Self::Comment(name, _) | Self::Account(name, _) => name,
            Self::Connection(name, _) | Self::Payload(name, _) => name,
        }
    }

    /// Whether a fragment on this type or interface is meant for it.
    pub fn is_a(&self, name: &str) -> bool {
        name == self.type_name()
            || match self {
                Self::Topic(..) | Self::Comment(..) => {
                    let minimizable = matches!(self, Self::Comment(..)) && name == "Minimizable";
                    minimizable
                        || matches!(
                            name,
                            "Node" | "Comment" | "Reactable" | "Updatable" | "Labelable" | "Lockable"
                        )
                }
                Self::Account(..) => matches!(name, "Node" | "Actor"),
                Self::Repository(_) | Self::Label(..) => name == "Node",
                _ => false,
            }
    }

    /// Its global id, where it has one.
    fn node_id(&self) -> Option<String> {
        let (prefix, id) = match self {
            Self::Topic("Discussion", id) => ("D", id.0),
            Self::Topic("PullRequest", id) => ("PR", id.0),
            Self::Topic(_, id) => ("I", id.0),
            Self::Comment("DiscussionComment", id) => ("DC", id.0),
            Self::Comment("PullRequestReviewComment", id) => ("PRRC", id.0),
            Self::Comment(_, id) => ("IC", id.0),
            Self::Account("Bot", id) => ("BOT", id.0),
            Self::Account("Organization", id) => ("O", id.0),
            Self::Account(_, id) => ("U", id.0),
            Self::Repository(id) => ("R", id.0),
            Self::Label(_, id) => ("LA", id.0),
            _ => return None,
        };
        Some(node_id(prefix, id))
    }

    /// One of its fields.
    pub fn field(&self, call: &mut Call<'_>, name: &str, arguments: &Arguments) -> Result<Found, Trouble> {
        if name == "__typename" {
            return Ok(Value::from(self.type_name()).into());
        }
        if name == "id"
            && let Some(id) = self.node_id()
        {
            return Ok(Value::from(id).into());
        }
        match self {
            Self::Query => query(call, name, arguments),
            Self::Mutation => mutations::carry_out(call, name, &arguments.input()),
            Self::Repository(id) => repository(call, *id, name, arguments),
            Self::Topic(_, id) => self.topic_field(call.world, *id, name, arguments),
            Self::Comment(_, id) => self.comment_field(call.world, *id, name, arguments),
            Self::Account(_, id) => account_field(call.world, *id, name),
            Self::Label(repo, id) => label_field(call.world, *repo, *id, name),
            Self::Connection(_, slice) => slice.field(name),
            Self::PageInfo(slice) => slice.page_info(name),
            Self::Reaction(content) if name == "content" => Ok(Value::from(content.as_str()).into()),
            Self::Reaction(_) => Err(Trouble::NoSuchField),
            Self::Payload(_, fields) => match fields.iter().find(|(known, _)| *known == name) {
                Some((_, object)) => Ok(Found::One(Some(object.clone()))),
                None if name == "clientMutationId" => Ok(Value::Null.into()),
                None => Err(Trouble::NoSuchField),
            },
        }
    }

    fn topic_field(&self, world: &World, id: IssueId, name: &str, arguments: &Arguments) -> Result<Found, Trouble> {
        let issue = world.live_issue(id)?;
        let repo = world.live_repo(issue.repo)?;
        if let Some(found) = written(world, &issue.text, issue.author, name) {
            return Ok(found);
        }
        let plain: Value = match name {
            "number" => json!(issue.number),
            "databaseId" => json!(issue.id),
            "title" => json!(issue.title),
            "url" => json!(issue_page(world, repo, issue)),
            "closed" => json!(!issue.is_open()),
            "closedAt" => stamp_or_null(match &issue.state {
                State::Closed { at, .. } => Some(*at),
                State::Open { .. } => None,
            }),
            "locked" => json!(issue.lock != Lock::Unlocked),
            "createdAt" => stamp(issue.created_at).into(),
            "updatedAt" => stamp(issue.updated_at).into(),
            "repository" => return Ok(Found::One(Some(Object::Repository(issue.repo)))),
            "labels" => {
                let labels = issue.labels.iter().map(|id| Object::Label(issue.repo, *id)).collect();
                let slice = Slice::of(labels, arguments)?;
                return Ok(Found::One(Some(Object::Connection("LabelConnection", slice))));
            }
            "comments" if issue.is_discussion() => {
                let first = world.comments.values().filter(|comment| {
                    let stands = comment.presence == Presence::Present || world.replies_to(comment.id).next().is_some();
                    comment.issue == id && stands && matches!(comment.place, Place::Thread)
                });
                return connection(first, arguments);
            }
            _ => return Err(Trouble::NoSuchField),
        };
        Ok(plain.into())
    }

    fn comment_field(&self, world: &World, id: CommentId, name: &str, arguments: &Arguments) -> Result<Found, Trouble> {
        let comment = world.comments.get(&id).ok_or_else(Refusal::not_found)?;
        let issue = world.live_issue(comment.issue)?;
        let repo = world.live_repo(issue.repo)?;
        // Of a comment that was deleted while it has replies, its place is left.
        let gone = comment.presence == Presence::Removed;
        let text = if gone { &Text::new("") } else { &comment.text };
        match name {
            "author" if gone => return Ok(Found::One(None)),
            _ => {
                if let Some(found) = written(world, text, comment.author, name) {
                    return Ok(found);
                }
            }
        }
        let in_discussion = issue.is_discussion();
        let plain: Value = match name {
            "databaseId" => json!(comment.id),
            "fullDatabaseId" if !in_discussion => json!(comment.id.to_string()),
            "url" if in_discussion => json!(comment_page(world, repo, issue, id)),
            "createdAt" => stamp(comment.created_at).into(),
            "updatedAt" => stamp(comment.updated_at).into(),
            "isMinimized" => json!(comment.minimized.is_some()),
            "minimizedReason" => json!(comment.minimized),
            "deletedAt" if in_discussion => stamp_or_null(gone.then_some(comment.updated_at)),
            "discussion" if in_discussion => return Ok(Found::One(Some(topic(world, comment.issue)?))),
            "replyTo" if in_discussion => {
                let parent = match comment.place {
                    Place::Reply(to) => Some(Object::Comment("DiscussionComment", to)),
                    Place::Thread | Place::Line(_) => None,
                };
                return Ok(Found::One(parent));
            }
            "replies" if in_discussion => return connection(world.replies_to(id), arguments),
            _ => return Err(Trouble::NoSuchField),
        };
        Ok(plain.into())
    }
}

/// The fields of whatever somebody wrote.
fn written(world: &World, text: &Text, author: AccountId, name: &str) -> Option<Found> {
    Some(match name {
        "author" => Found::One(account(world, author)),
        "editor" => Found::One(text.edited.and_then(|edit| account(world, edit.by))),
        "body" => Value::from(text.body.as_str()).into(),
        "lastEditedAt" => stamp_or_null(text.edited.map(|edit| edit.at)).into(),
        "includesCreatedEdit" => Value::from(text.edited.is_some()).into(),
        _ => return None,
    })
}

fn connection<'w>(all: impl Iterator<Item = &'w Comment>, arguments: &Arguments) -> Result<Found, Trouble> {
    let all = all
        .map(|comment| Object::Comment("DiscussionComment", comment.id))
        .collect();
    let slice = Slice::of(all, arguments)?;
    Ok(Found::One(Some(Object::Connection(
        "DiscussionCommentConnection",
        slice,
    ))))
}

fn query(call: &mut Call<'_>, name: &str, arguments: &Arguments) -> Result<Found, Trouble> {
    match name {
        "repository" => {
            let (owner, repo) = (arguments.text("owner"), arguments.text("name"));
            let (owner, repo) = (owner.unwrap_or_default(), repo.unwrap_or_default());
            // GitHub follows renames here, too.
            let found = call
                .world
                .repo_named(owner, repo)
                .or_else(|| call.world.repo_once_named(owner, repo));
            let Some(id) = found.filter(|repo| call.sees(repo)).map(|repo| repo.id) else {
                let message = format!("Could not resolve to a Repository with the name '{owner}/{repo}'.");
                return Err(Trouble::Refused("NOT_FOUND", message));
            };
            Ok(Found::One(Some(Object::Repository(id))))
        }
        "node" => {
            let id = arguments.text("id").unwrap_or_default();
            let found = readable(call, node(call.world, id)?)?;
            Ok(Found::One(Some(found)))
        }
        "nodes" => {
            let found = arguments.texts("ids").into_iter().map(|id| {
                let found = node(call.world, &id).and_then(|found| readable(call, found));
                found.map_err(|_| format!("Could not resolve to a node with the global id of '{id}'."))
            });
            Ok(Found::Many(found.collect()))
        }
        _ => Err(Trouble::NoSuchField),
    }
}

/// The repository on which something stands.
pub(super) fn repo_of(world: &World, object: &Object) -> Result<RepoId, Refusal> {
    match object {
        Object::Topic(_, id) => Ok(world.live_issue(*id)?.repo),
        Object::Comment(_, id) => Ok(world.live_issue(world.live_comment(*id)?.issue)?.repo),
        _ => Err(Refusal::not_found()),
    }
}

fn readable(call: &mut Call<'_>, object: Object) -> Result<Object, Trouble> {
    let repo = repo_of(call.world, &object)?;
    call.need(repo, &permissions(object.type_name(), Access::Read))?;
    Ok(object)
}

fn repository(call: &mut Call<'_>, id: RepoId, name: &str, arguments: &Arguments) -> Result<Found, Trouble> {
    let repo = call.world.live_repo(id)?;
    let plain: Value = match name {
        "databaseId" => json!(repo.id),
        "name" => json!(repo.name),
        "nameWithOwner" => json!(call.world.full_name(repo)),
        "discussion" => {
            let number = arguments.get("number").as_u64().unwrap_or(0);
            call.need(id, &permissions("Discussion", Access::Read))?;
            let found = call.world.issue_numbered(id, IssueNumber(number));
            let found = found.filter(|issue| issue.is_discussion() && issue.is_present());
            let Some(found) = found else {
                let message = format!("Could not resolve to a Discussion with the number of {number}.");
                return Err(Trouble::Refused("NOT_FOUND", message));
            };
            return Ok(Found::One(Some(Object::Topic("Discussion", found.id))));
        }
        "label" => {
            let label = repo.label_named(arguments.text("name").unwrap_or_default());
            return Ok(Found::One(label.map(|label| Object::Label(id, label.id))));
        }
        _ => return Err(Trouble::NoSuchField),
    };
    Ok(plain.into())
}

fn account_field(world: &World, id: AccountId, name: &str) -> Result<Found, Trouble> {
    Ok(match name {
        // GraphQL names a bot by its slug alone.
        "login" => Value::from(world.login(id).trim_end_matches("[bot]")).into(),
        "databaseId" => json!(id).into(),
        _ => return Err(Trouble::NoSuchField),
    })
}

fn label_field(world: &World, repo: RepoId, id: LabelId, name: &str) -> Result<Found, Trouble> {
    let label = world.live_repo(repo)?.labels.iter().find(|label| label.id == id);
    let label = label.ok_or(Trouble::NoSuchField)?;
    Ok(match name {
        "name" => json!(label.name).into(),
        "color" => json!(label.color).into(),
        "description" => json!(label.description).into(),
        _ => return Err(Trouble::NoSuchField),
    })
}

impl Slice {
    fn field(&self, name: &str) -> Result<Found, Trouble> {
        Ok(match name {
            "totalCount" => json!(self.total).into(),
            "nodes" => Found::Many(self.nodes.iter().cloned().map(Ok).collect()),
            "pageInfo" => Found::One(Some(Object::PageInfo(self.clone()))),
            _ => return Err(Trouble::NoSuchField),
        })
    }

    fn page_info(&self, name: &str) -> Result<Found, Trouble> {
        let cursor = |at: usize| (!self.nodes.is_empty()).then(|| format!("sbx:{at}"));
        Ok(match name {
            "hasNextPage" => json!(self.end() < self.total),
            "endCursor" => json!(cursor(self.end())),
            "hasPreviousPage" => json!(self.start > 0),
            "startCursor" => json!(cursor(self.start + 1)),
            _ => return Err(Trouble::NoSuchField),
        }
        .into())
    }
}
