//! What tests and the page read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Sandbox;
use super::acts::comments::ReactionTarget;
use super::hooks::SentWebhook;
use super::ids::*;
use super::journal::RequestRecord;
use super::model::*;

/// A comment as one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    pub id: CommentId,
    pub author: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When its text was last changed, and by whom.
    pub edited: Option<(DateTime<Utc>, String)>,
    /// The reason, when it is hidden.
    pub minimized: Option<String>,
    /// In a discussion, the comment below which it stands.
    pub reply_to: Option<CommentId>,
}

/// A check run as one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckView {
    pub name: String,
    /// The commit.
    pub commit: String,
    /// GitHub's word; none while it runs.
    pub conclusion: Option<String>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub annotations: Vec<Annotation>,
}

/// One account's reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionView {
    pub author: String,
    pub content: String,
}

/// An issue, a pull request or a discussion as one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueView {
    pub id: IssueId,
    pub number: IssueNumber,
    pub title: String,
    pub body: String,
    pub author: String,
    pub open: bool,
    pub locked: bool,
    pub is_pull: bool,
    pub is_discussion: bool,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub created_at: DateTime<Utc>,
}

impl World {
    fn comment_view(&self, comment: &Comment) -> CommentView {
        CommentView {
            id: comment.id,
            author: self.login(comment.author).to_owned(),
            body: comment.text.body.clone(),
            created_at: comment.created_at,
            updated_at: comment.updated_at,
            edited: comment
                .text
                .edited
                .map(|edit| (edit.at, self.login(edit.by).to_owned())),
            minimized: comment.minimized.clone(),
            reply_to: match comment.place {
                Place::Reply(to) => Some(to),
                Place::Thread | Place::Line(_) => None,
            },
        }
    }

    fn issue_view(&self, issue: &Issue) -> IssueView {
        IssueView {
            id: issue.id,
            number: issue.number,
            title: issue.title.clone(),
            body: issue.text.body.clone(),
            author: self.login(issue.author).to_owned(),
            open: issue.is_open(),
            locked: issue.lock != Lock::Unlocked,
            is_pull: issue.pull().is_some(),
            is_discussion: issue.is_discussion(),
            labels: self.label_names(issue),
            assignees: issue.assignees.iter().map(|id| self.login(*id).to_owned()).collect(),
            created_at: issue.created_at,
        }
    }
}

impl Sandbox {
    fn on_issue<T: Default>(&self, n: IssueNumber, look: impl FnOnce(&World, &Issue) -> T) -> T {
        let world = self.shared.lock();
        let found = world.issue_numbered(self.focus, n).filter(|issue| issue.is_present());
        found.map(|issue| look(&world, issue)).unwrap_or_default()
    }

    /// The check runs on any head that a pull request had, the newest last.
    pub fn checks(&self, n: IssueNumber) -> Vec<CheckView> {
        self.on_issue(n, |_, issue| {
            let runs = issue.pull().into_iter().flat_map(|pull| &pull.checks);
            runs.map(|run| CheckView {
                name: run.name.clone(),
                commit: run.commit.clone(),
                conclusion: run.conclusion.clone(),
                title: run.title.clone(),
                summary: run.summary.clone(),
                annotations: run.annotations.clone(),
            })
            .collect()
        })
    }

    /// The teams, as `org/slug`, and the logins of who is in them.
    pub fn teams(&self) -> Vec<(String, Vec<String>)> {
        let world = self.shared.lock();
        let teams = world.teams.iter().map(|((org, slug), people)| {
            let people = people.iter().map(|id| world.login(*id).to_owned()).collect();
            (format!("{}/{slug}", world.login(*org)), people)
        });
        teams.collect()
    }

    /// The comments of an issue or pull request in their order; none when there is no such issue.
    pub fn comments(&self, n: IssueNumber) -> Vec<CommentView> {
        self.on_issue(n, |world, issue| {
            world
                .comments_of(issue.id)
                .map(|comment| world.comment_view(comment))
                .collect()
        })
    }

    /// The comments on lines of a pull request, in their order.
    pub fn line_comments(&self, n: IssueNumber) -> Vec<CommentView> {
        self.on_issue(n, |world, issue| {
            world
                .line_comments_of(issue.id)
                .map(|(comment, _)| world.comment_view(comment))
                .collect()
        })
    }

    /// A comment that stands.
    pub fn comment(&self, id: CommentId) -> Option<CommentView> {
        let world = self.shared.lock();
        world.live_comment(id).ok().map(|comment| world.comment_view(comment))
    }

    /// The reactions on a comment, in their order.
    pub fn reactions(&self, id: CommentId) -> Vec<ReactionView> {
        self.reactions_at(ReactionTarget::Comment(id))
    }

    /// The reactions on an issue itself.
    pub fn issue_reactions(&self, n: IssueNumber) -> Vec<ReactionView> {
        let id = self.shared.lock().issue_numbered(self.focus, n).map(|issue| issue.id);
        id.map(|id| self.reactions_at(ReactionTarget::Issue(id)))
            .unwrap_or_default()
    }

    fn reactions_at(&self, target: ReactionTarget) -> Vec<ReactionView> {
        let world = self.shared.lock();
        let reactions = world.reactions_on(target).unwrap_or_default();
        let view = |reaction: &Reaction| ReactionView {
            author: world.login(reaction.author).to_owned(),
            content: reaction.content.clone(),
        };
        reactions.iter().map(view).collect()
    }

    /// The names of an issue's labels.
    pub fn labels(&self, n: IssueNumber) -> Vec<String> {
        self.on_issue(n, |world, issue| world.label_names(issue))
    }

    /// The names of the repository's labels.
    pub fn repo_labels(&self) -> Vec<String> {
        let world = self.shared.lock();
        world
            .repos
            .get(&self.focus)
            .map(|repo| repo.labels.iter().map(|label| label.name.clone()).collect())
            .unwrap_or_default()
    }

    /// An issue that is there.
    pub fn issue(&self, n: IssueNumber) -> Option<IssueView> {
        self.on_issue(n, |world, issue| Some(world.issue_view(issue)))
    }

    /// The issues, pull requests and discussions that are there, by number.
    pub fn issues(&self) -> Vec<IssueView> {
        let world = self.shared.lock();
        let mut issues: Vec<&Issue> = world
            .issues
            .values()
            .filter(|issue| issue.repo == self.focus && issue.is_present())
            .collect();
        issues.sort_by_key(|issue| issue.number);
        issues.into_iter().map(|issue| world.issue_view(issue)).collect()
    }

    /// The numbers of an issue's sub-issues, in their order.
    pub fn sub_issues(&self, n: IssueNumber) -> Vec<IssueNumber> {
        self.on_issue(n, |world, issue| numbers(world, &issue.children))
    }

    /// The number of the issue that this one stands under.
    pub fn parent(&self, n: IssueNumber) -> Option<IssueNumber> {
        self.on_issue(n, |world, issue| {
            numbers(world, issue.parent.as_slice()).first().copied()
        })
    }

    /// The numbers of the issues that this one waits for.
    pub fn blocked_by(&self, n: IssueNumber) -> Vec<IssueNumber> {
        self.on_issue(n, |world, issue| numbers(world, &issue.blocked_by))
    }

    /// The text of a file on the default branch.
    pub fn file(&self, path: &str) -> Option<String> {
        self.shared.lock().repos.get(&self.focus)?.files.get(path).cloned()
    }

    /// The files of the default branch by their paths.
    pub fn files(&self) -> BTreeMap<String, String> {
        let world = self.shared.lock();
        world
            .repos
            .get(&self.focus)
            .map(|repo| repo.files.clone())
            .unwrap_or_default()
    }

    /// The present `owner/name`.
    pub fn full_name(&self) -> String {
        let world = self.shared.lock();
        world
            .repos
            .get(&self.focus)
            .map(|repo| world.full_name(repo))
            .unwrap_or_default()
    }

    /// The repository's id.
    pub fn repo_id(&self) -> RepoId {
        self.focus
    }

    /// The names of all repositories.
    pub fn repos(&self) -> Vec<String> {
        let world = self.shared.lock();
        let present = world.repos.values().filter(|repo| repo.presence == Presence::Present);
        present.map(|repo| world.full_name(repo)).collect()
    }

    /// The people and their roles on this repository, by login.
    pub fn people(&self) -> Vec<(String, String)> {
        let world = self.shared.lock();
        let Some(repo) = world.repos.get(&self.focus) else {
            return Vec::new();
        };
        let mut people: Vec<(String, String)> = world
            .accounts
            .values()
            .filter(|account| account.presence == Presence::Present && account.kind == AccountKind::User)
            .map(|account| (account.login.clone(), repo.role(account.id).name().to_owned()))
            .collect();
        people.sort();
        people
    }

    /// Every request that was made, the oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().requests.clone()
    }

    /// The requests that came after the first so many.
    pub fn requests_after(&self, count: usize) -> Vec<RequestRecord> {
        self.shared.lock().requests.iter().skip(count).cloned().collect()
    }

    /// Every webhook that was queued, the oldest first.
    pub fn webhooks_sent(&self) -> Vec<SentWebhook> {
        self.shared.lock().sent.clone()
    }
}

fn numbers(world: &World, ids: &[IssueId]) -> Vec<IssueNumber> {
    let present = ids
        .iter()
        .filter_map(|id| world.issues.get(id))
        .filter(|issue| issue.is_present());
    present.map(|issue| issue.number).collect()
}
