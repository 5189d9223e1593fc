//! The world: what exists on this GitHub. Data and look-ups only; what changes it stands in `acts`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::answer::Request;
use super::clock::Clock;
use super::faults::FaultRule;
use super::hooks::{Attempt, Hook, Packet, SentWebhook};
use super::ids::*;
use super::journal::RequestRecord;
pub(super) use super::roles::{Level, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountKind {
    User,
    Organization,
    Bot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Removed,
}

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub id: AccountId,
    pub login: String,
    pub kind: AccountKind,
    pub presence: Presence,
    pub created_at: DateTime<Utc>,
}

/// Who does something, and through what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub account: AccountId,
    pub means: Means,
}

/// Through what something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// A person on the site.
    Site,
    /// The App with an installation token.
    App,
}

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    Public,
    Private,
}

#[derive(Debug, Clone)]
pub(super) struct Repo {
    pub id: RepoId,
    pub owner: AccountId,
    pub name: String,
    pub visibility: Visibility,
    pub archived: bool,
    pub presence: Presence,
    pub default_branch: String,
    pub head: String,
    pub files: BTreeMap<String, String>,
    /// What the default branch holds that is no text.
    pub entries: BTreeMap<String, Entry>,
    /// The commits of the default branch, the newest last. None before anything was pushed.
    pub commits: Vec<Commit>,
    /// What stood there at each commit but the newest.
    pub past: BTreeMap<String, Tree>,
    pub roles: BTreeMap<AccountId, Role>,
    pub labels: Vec<Label>,
    pub last_number: u64,
    /// Earlier `owner/name`, lower case; GitHub redirects from them.
    pub old_names: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Repo {
    /// The role of an account, which may be none.
    pub fn role(&self, account: AccountId) -> Role {
        if account == self.owner {
            return Role::Admin;
        }
        self.roles.get(&account).cloned().unwrap_or(Role::None)
    }

    /// What an account may do: everybody may read what is public.
    pub fn level(&self, account: AccountId) -> Level {
        let own = self.role(account).effective();
        match self.visibility {
            Visibility::Public => own.max(Level::Read),
            Visibility::Private => own,
        }
    }

    /// What stands at a commit of the default branch, or on the branch by its name.
    pub fn tree(&self, reference: Option<&str>) -> Option<Tree> {
        let now = || Tree {
            files: self.files.clone(),
            entries: self.entries.clone(),
        };
        let Some(reference) = reference else { return Some(now()) };
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        let newest = branch == self.default_branch || reference == self.head || reference == "HEAD";
        match newest {
            true => Some(now()),
            false => self.past.get(reference).cloned(),
        }
    }

    pub fn label_named(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name))
    }
}

/// What a path holds that is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A symbolic link to this path.
    Link(String),
    /// A submodule of this address.
    Submodule(String),
    /// A file of these bytes.
    Bytes(Vec<u8>),
}

/// What a commit holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub files: BTreeMap<String, String>,
    pub entries: BTreeMap<String, Entry>,
}

/// A commit of the default branch.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub sha: String,
    pub message: String,
    /// What it changed; nothing for the first, which brought everything.
    pub path: Option<String>,
    pub author: AccountId,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub id: LabelId,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
}

/// What became of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Present,
    Deleted,
    TransferredTo(IssueId),
}

/// Whether an issue is closed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Open {
        reason: Option<&'static str>,
    },
    Closed {
        reason: String,
        at: DateTime<Utc>,
        by: AccountId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Unlocked,
    Locked(Option<&'static str>),
}

/// A text that people can change, with GitHub's memory of it.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub body: String,
    pub edited: Option<Edit>,
}

impl Text {
    pub fn new(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            edited: None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Edit {
    pub at: DateTime<Utc>,
    pub by: AccountId,
}

#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub id: IssueId,
    pub repo: RepoId,
    pub number: IssueNumber,
    pub title: String,
    pub text: Text,
    pub author: AccountId,
    pub means: Means,
    pub state: State,
    pub lock: Lock,
    pub labels: Vec<LabelId>,
    pub assignees: Vec<AccountId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub fate: Fate,
    pub parent: Option<IssueId>,
    pub children: Vec<IssueId>,
    pub blocked_by: Vec<IssueId>,
    pub reactions: Vec<Reaction>,
    pub history: Vec<HistoryEntry>,
    pub sort: Sort,
}

/// What is talked about under one number of a repository. All sorts share the sequence of numbers; a discussion's
/// database id is of a sequence of its own.
#[derive(Debug, Clone)]
pub(super) enum Sort {
    Issue,
    Pull(Box<Pull>),
    Discussion,
}

impl Issue {
    pub fn pull(&self) -> Option<&Pull> {
        match &self.sort {
            Sort::Pull(pull) => Some(pull),
            Sort::Issue | Sort::Discussion => None,
        }
    }

    pub fn pull_mut(&mut self) -> Option<&mut Pull> {
        match &mut self.sort {
            Sort::Pull(pull) => Some(pull),
            Sort::Issue | Sort::Discussion => None,
        }
    }

    pub fn is_discussion(&self) -> bool {
        matches!(self.sort, Sort::Discussion)
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    pub fn is_present(&self) -> bool {
        self.fate == Fate::Present
    }
}

/// What a pull request has beside what an issue has.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub head_branch: String,
    pub head_sha: String,
    pub base_sha: String,
    pub merged: Option<Edit>,
    pub reviews: Vec<Review>,
    /// The paths that it changes.
    pub files: Vec<String>,
    /// What the branch holds at these paths, where that is modelled; none for a file that it deletes.
    pub contents: std::collections::BTreeMap<String, Option<String>>,
    /// Check runs on any head that it had, the newest last.
    pub checks: Vec<CheckRun>,
    /// Commit statuses on any head that it had, the newest last.
    pub statuses: Vec<CommitStatus>,
}

/// A check run on a commit.
#[derive(Debug, Clone)]
pub(super) struct CheckRun {
    pub id: u64,
    pub name: String,
    pub commit: String,
    /// GitHub's word; none while it runs.
    pub conclusion: Option<String>,
    pub at: DateTime<Utc>,
    pub external_id: String,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub annotations: Vec<Annotation>,
}

/// What a check run says beside a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    pub path: String,
    pub line: u64,
    pub message: String,
}

/// A commit status: what a service outside GitHub says of a commit, the newest of each context.
#[derive(Debug, Clone)]
pub(super) struct CommitStatus {
    pub id: u64,
    pub context: String,
    pub commit: String,
    /// GitHub's word.
    pub state: String,
    pub creator: AccountId,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Review {
    pub id: ReviewId,
    pub author: AccountId,
    pub state: ReviewState,
    pub body: String,
    pub commit: String,
    pub at: DateTime<Utc>,
}

/// What a review says about the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
}

impl ReviewState {
    /// GitHub's name for it in REST answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Commented => "COMMENTED",
        }
    }
}

/// Where a comment stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Thread,
    /// Below a comment of a discussion.
    Reply(CommentId),
    Line(LinePlace),
}

impl Place {
    /// Whether it is in the conversation, as against the diff.
    pub fn is_in_thread(&self) -> bool {
        matches!(self, Self::Thread | Self::Reply(_))
    }
}

#[derive(Debug, Clone)]
pub(super) struct LinePlace {
    pub review: ReviewId,
    pub path: String,
    pub line: u64,
    pub commit: String,
    pub reply_to: Option<CommentId>,
}

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub id: CommentId,
    pub issue: IssueId,
    pub author: AccountId,
    pub means: Means,
    pub text: Text,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub minimized: Option<String>,
    pub reactions: Vec<Reaction>,
    pub presence: Presence,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub(super) struct Reaction {
    pub id: ReactionId,
    pub author: AccountId,
    pub content: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct HistoryEntry {
    pub id: EventId,
    pub actor: Actor,
    pub at: DateTime<Utc>,
    pub what: Happened,
}

/// An entry in an issue's history.
#[derive(Debug, Clone)]
pub(super) enum Happened {
    Labeled { name: String, color: String },
    Unlabeled { name: String, color: String },
    Assigned(AccountId),
    Unassigned(AccountId),
    Closed,
    Reopened,
    Renamed { from: String, to: String },
    Locked(Option<&'static str>),
    Unlocked,
    Transferred,
    CommentDeleted,
    SubIssueAdded,
    SubIssueRemoved,
    ParentAdded(IssueId),
    ParentRemoved(IssueId),
    BlockedByAdded(IssueId),
    BlockedByRemoved(IssueId),
    BlockingAdded(IssueId),
    BlockingRemoved(IssueId),
    Merged,
}

/// What an App may do with one kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    Write,
}

impl Access {
    /// GitHub's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

pub(super) type Permissions = BTreeMap<String, Access>;

#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: u64,
    pub slug: String,
    pub name: String,
    pub owner: AccountId,
    pub bot: AccountId,
    pub permissions: Permissions,
    pub events: Vec<String>,
    pub created_at: DateTime<Utc>,
}

/// Which repositories an installation reaches.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    All,
    Selected(BTreeSet<RepoId>),
}

#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub id: InstallationId,
    pub account: AccountId,
    pub permissions: Permissions,
    pub reach: Reach,
    pub presence: Presence,
    pub created_at: DateTime<Utc>,
    pub rate: Rate,
}

/// The hourly budget of one installation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub limit: u64,
    pub used: u64,
    pub resets_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub text: String,
    pub installation: InstallationId,
    pub expires_at: DateTime<Utc>,
    pub permissions: Permissions,
    pub repositories: Option<BTreeSet<RepoId>>,
}

/// A part of GitHub that some servers do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    SubIssues,
    Dependencies,
    GraphQl,
}

pub(super) struct World {
    pub clock: Clock,
    pub base: String,
    pub site: String,
    pub counters: Counters,
    pub accounts: BTreeMap<AccountId, Account>,
    pub members: BTreeSet<(AccountId, AccountId)>,
    /// Teams by organisation and slug, with who is in them.
    pub teams: BTreeMap<(AccountId, String), BTreeSet<AccountId>>,
    pub repos: BTreeMap<RepoId, Repo>,
    pub issues: BTreeMap<IssueId, Issue>,
    pub comments: BTreeMap<CommentId, Comment>,
    pub app: App,
    pub installations: BTreeMap<InstallationId, Installation>,
    pub tokens: Vec<Token>,
    pub missing: BTreeSet<Feature>,
    pub hooks: Vec<Hook>,
    pub queue: VecDeque<Packet>,
    pub sent: Vec<SentWebhook>,
    pub attempts: Vec<Attempt>,
    pub faults: Vec<FaultRule>,
    /// What is still on its way.
    pub late: Vec<Request>,
    pub requests: Vec<RequestRecord>,
}

impl World {
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// The account of this login, the removed ones left out.
    pub fn account_named(&self, login: &str) -> Option<&Account> {
        self.accounts
            .values()
            .find(|account| account.presence == Presence::Present && account.login.eq_ignore_ascii_case(login))
    }

    /// The repository of this present name.
    pub fn repo_named(&self, owner: &str, name: &str) -> Option<&Repo> {
        self.repos.values().find(|repo| {
            repo.presence == Presence::Present
                && repo.name.eq_ignore_ascii_case(name)
                && self
                    .accounts
                    .get(&repo.owner)
                    .is_some_and(|account| account.login.eq_ignore_ascii_case(owner))
        })
    }

    /// The repository that once had this name.
    pub fn repo_once_named(&self, owner: &str, name: &str) -> Option<&Repo> {
        let wanted = format!("{owner}/{name}").to_lowercase();
        self.repos
            .values()
            .find(|repo| repo.presence == Presence::Present && repo.old_names.contains(&wanted))
    }

    pub fn full_name(&self, repo: &Repo) -> String {
        format!("{}/{}", self.login(repo.owner), repo.name)
    }

    pub fn login(&self, account: AccountId) -> &str {
        self.accounts.get(&account).map_or("ghost", |account| &account.login)
    }

    /// The issue of this number, whatever became of it.
    pub fn issue_numbered(&self, repo: RepoId, number: IssueNumber) -> Option<&Issue> {
        self.issues
            .values()
            .find(|issue| issue.repo == repo && issue.number == number)
    }

    /// The issue or pull request of this number: REST knows no discussions.
    pub fn rest_issue_numbered(&self, repo: RepoId, number: IssueNumber) -> Option<&Issue> {
        self.issue_numbered(repo, number).filter(|issue| !issue.is_discussion())
    }

    /// The comments of a conversation that stand, replies among them, in the order in which they were made.
    pub fn comments_of(&self, issue: IssueId) -> impl Iterator<Item = &Comment> {
        self.comments.values().filter(move |comment| {
            comment.issue == issue && comment.presence == Presence::Present && comment.place.is_in_thread()
        })
    }

    /// The replies to a comment of a discussion that stand.
    pub fn replies_to(&self, parent: CommentId) -> impl Iterator<Item = &Comment> {
        self.comments.values().filter(move |comment| {
            comment.presence == Presence::Present && matches!(comment.place, Place::Reply(to) if to == parent)
        })
    }

    /// The line comments of a pull request that stand.
    pub fn line_comments_of(&self, issue: IssueId) -> impl Iterator<Item = (&Comment, &LinePlace)> {
        self.comments.values().filter_map(move |comment| match &comment.place {
            Place::Line(place) if comment.issue == issue && comment.presence == Presence::Present => {
                Some((comment, place))
            }
            _ => None,
        })
    }

    /// The issues that this one holds up.
    pub fn blocking(&self, id: IssueId) -> impl Iterator<Item = &Issue> {
        self.issues
            .values()
            .filter(move |issue| issue.is_present() && issue.blocked_by.contains(&id))
    }

    /// The installation that reaches a repository.
    pub fn installation_of(&self, repo: &Repo) -> Option<&Installation> {
        self.installations
            .values()
            .find(|installation| installation.presence == Presence::Present && self.reaches(installation, repo))
    }

    pub fn reaches(&self, installation: &Installation, repo: &Repo) -> bool {
        installation.account == repo.owner
            && match &installation.reach {
                Reach::All => true,
                Reach::Selected(repos) => repos.contains(&repo.id),
            }
    }

    pub fn has(&self, feature: Feature) -> bool {
        !self.missing.contains(&feature)
    }

    /// How GitHub describes an author's relation to the repository.
    pub fn association(&self, repo: &Repo, account: AccountId) -> &'static str {
        if account == repo.owner {
            "OWNER"
        } else if self.members.contains(&(repo.owner, account)) {
            "MEMBER"
        } else if repo.roles.get(&account).is_some_and(|role| *role != Role::None) {
            "COLLABORATOR"
        } else {
            "NONE"
        }
    }
}

/// A commit or blob name that depends on nothing but what it stands for.
pub(super) fn sha_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    data_encoding::HEXLOWER.encode(&digest[..20])
}
