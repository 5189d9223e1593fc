//! How a world is set up before anybody acts in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::clock::{Clock, machine_clock};
use super::courier::Delivery;
use super::hooks::{Hook, HookKind};
use super::ids::*;
use super::model::*;
use super::{Sandbox, Shared};

/// What the App may do unless the builder says otherwise.
const PERMISSIONS: [(&str, Access); 8] = [
    ("checks", Access::Write),
    ("contents", Access::Read),
    ("discussions", Access::Write),
    ("issues", Access::Write),
    ("members", Access::Read),
    ("metadata", Access::Read),
    ("pull_requests", Access::Write),
    ("statuses", Access::Read),
];

/// What the App subscribes to unless the builder says otherwise.
const EVENTS: [&str; 12] = [
    "check_run",
    "check_suite",
    "discussion",
    "discussion_comment",
    "issues",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "repository",
    "status",
];

#[derive(Debug, Clone)]
struct RepoPlan {
    full_name: String,
    visibility: Visibility,
    files: Vec<(String, String)>,
    entries: Vec<(String, Entry)>,
}

/// Sets up a sandbox. What is not said has a default that works: an organisation `acme` with a public repository
/// `acme/app`, an App `countersign` installed there, webhooks delivered by hand.
#[derive(Clone)]
pub struct Builder {
    clock: Clock,
    site: Option<String>,
    repos: Vec<RepoPlan>,
    people: Vec<(String, Role)>,
    strangers: Vec<String>,
    bots: Vec<String>,
    members: Vec<String>,
    teams: Vec<(String, Vec<String>)>,
    app_id: u64,
    app_slug: String,
    permissions: Permissions,
    events: Vec<String>,
    secret: String,
    target: Option<String>,
    delivery: Delivery,
    missing: BTreeSet<Feature>,
    listen: String,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: machine_clock(),
            site: None,
            repos: Vec::new(),
            people: Vec::new(),
            strangers: Vec::new(),
            bots: Vec::new(),
            members: Vec::new(),
            teams: Vec::new(),
            app_id: 4_242,
            app_slug: "countersign".to_owned(),
            permissions: PERMISSIONS.map(|(name, access)| (name.to_owned(), access)).into(),
            events: EVENTS.map(str::to_owned).into(),
            secret: "sandbox-webhook-secret-of-40-characters!".to_owned(),
            target: None,
            delivery: Delivery::Manual,
            missing: BTreeSet::new(),
            listen: "127.0.0.1:0".to_owned(),
        }
    }
}

impl Builder {
    /// Whose time it is.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where the pages stand that `html_url` names; without it the server's own address.
    pub fn site(mut self, url: &str) -> Self {
        self.site = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Adds a public repository `owner/name`. The first one is what verbs act on unless told otherwise.
    pub fn repo(mut self, full_name: &str) -> Self {
        self.repos.push(RepoPlan {
            full_name: full_name.to_owned(),
            visibility: Visibility::Public,
            files: Vec::new(),
            entries: Vec::new(),
        });
        self
    }

    /// Makes the repository added last private.
    pub fn private(mut self) -> Self {
        if let Some(repo) = self.repos.last_mut() {
            repo.visibility = Visibility::Private;
        }
        self
    }

    /// Puts a file on the default branch of the repository added last.
    pub fn file(mut self, path: &str, text: &str) -> Self {
        if self.repos.is_empty() {
            self = self.repo("acme/app");
        }
        if let Some(repo) = self.repos.last_mut() {
            repo.files.push((path.to_owned(), text.to_owned()));
        }
        self
    }

    /// Puts something that is no text on the default branch of the repository added last.
    pub fn entry(mut self, path: &str, entry: Entry) -> Self {
        if self.repos.is_empty() {
            self = self.repo("acme/app");
        }
        if let Some(repo) = self.repos.last_mut() {
            repo.entries.push((path.to_owned(), entry));
        }
        self
    }

    /// A person with this role on every repository.
    pub fn person(mut self, login: &str, role: Role) -> Self {
        self.people.push((login.to_owned(), role));
        self
    }

    /// A person who has no role anywhere.
    pub fn stranger(mut self, login: &str) -> Self {
        self.strangers.push(login.to_owned());
        self
    }

    /// Another App's account; `[bot]` is added when it lacks it.
    pub fn bot(mut self, login: &str) -> Self {
        self.bots.push(login.trim_end_matches("[bot]").to_owned());
        self
    }

    /// Makes a person a member of the organisations that own the repositories.
    pub fn member(mut self, login: &str) -> Self {
        self.members.push(login.to_owned());
        self
    }

    /// A team `org/slug` of an organisation, with these people; who is in one is a member of the organisation.
    pub fn team(mut self, full_name: &str, logins: &[&str]) -> Self {
        let logins = logins.iter().map(|login| (*login).to_owned()).collect();
        self.teams.push((full_name.to_owned(), logins));
        self
    }

    /// The App's id and slug; its account is `slug[bot]`.
    pub fn app(mut self, id: u64, slug: &str) -> Self {
        self.app_id = id;
        slug.clone_into(&mut self.app_slug);
        self
    }

    /// What the App may do, replacing the default.
    pub fn app_permissions(mut self, permissions: &[(&str, Access)]) -> Self {
        self.permissions = permissions
            .iter()
            .map(|(name, access)| ((*name).to_owned(), *access))
            .collect();
        self
    }

    /// What the App subscribes to, replacing the default.
    pub fn app_events(mut self, events: &[&str]) -> Self {
        self.events = events.iter().map(|event| (*event).to_owned()).collect();
        self
    }

    /// The secret of the App's webhook.
    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// Where the App's webhook goes. It can be set later with [`Sandbox::set_hook_target`].
    pub fn target(mut self, url: &str) -> Self {
        self.target = Some(url.to_owned());
        self
    }

    /// When webhooks leave.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Takes a part of GitHub away.
    pub fn without(mut self, feature: Feature) -> Self {
        self.missing.insert(feature);
        self
    }

    /// The address to listen on; a free port of the loopback interface by default.
    pub fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let listener = tokio::net::TcpListener::bind(&self.listen).await?;
        let base = format!("http://{}", listener.local_addr()?);
        let delivery = self.delivery;
        let (world, focus) = self.world(base);
        let shared = Arc::new(Shared::new(world, delivery));
        Ok(Sandbox::run(shared, focus, listener))
    }

    fn world(mut self, base: String) -> (World, RepoId) {
        if self.repos.is_empty() {
            self = self.repo("acme/app");
        }
        let now = (self.clock)();
        let mut world = World {
            site: self.site.clone().unwrap_or_else(|| base.clone()),
            base,
            clock: self.clock.clone(),
            counters: Counters::default(),
            accounts: BTreeMap::new(),
            members: BTreeSet::new(),
            teams: BTreeMap::new(),
            repos: BTreeMap::new(),
            issues: BTreeMap::new(),
            comments: BTreeMap::new(),
            app: App {
                id: self.app_id,
                slug: self.app_slug.clone(),
                name: self.app_slug.clone(),
                owner: AccountId(0),
                bot: AccountId(0),
                permissions: self.permissions.clone(),
                events: self.events.clone(),
                created_at: now,
            },
            installations: BTreeMap::new(),
            tokens: Vec::new(),
            missing: self.missing.clone(),
            hooks: Vec::new(),
            queue: VecDeque::new(),
            sent: Vec::new(),
            attempts: Vec::new(),
            faults: Vec::new(),
            late: Vec::new(),
            requests: Vec::new(),
        };
        world.app.bot = world.add_account(&format!("{}[bot]", self.app_slug), AccountKind::Bot);
        for bot in &self.bots {
            world.add_account(&format!("{bot}[bot]"), AccountKind::Bot);
        }
        let people: Vec<(AccountId, Role)> = self
            .people
            .iter()
            .map(|(login, role)| (world.add_account(login, AccountKind::User), role.clone()))
            .collect();
        for login in &self.strangers {
            world.add_account(login, AccountKind::User);
        }
        let mut repos = Vec::new();
        for plan in &self.repos {
            let (owner, name) = plan.full_name.split_once('/').unwrap_or(("acme", &plan.full_name));
            let owner = match world.account_named(owner) {
                Some(account) => account.id,
                None => world.add_account(owner, AccountKind::Organization),
            };
            let id = world.add_repo(owner, name, plan.visibility);
            if let Some(repo) = world.repos.get_mut(&id) {
                repo.files.extend(plan.files.iter().cloned());
                repo.entries.extend(plan.entries.iter().cloned());
                repo.begin();
                repo.roles.extend(people.iter().cloned());
            }
            repos.push((id, owner));
        }
        for login in &self.members {
            let id = world.account_or_new(login);
            for (_, owner) in &repos {
                world.members.insert((*owner, id));
            }
        }
        for (full_name, logins) in &self.teams {
            let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
            world.set_team(full_name, &logins);
        }
        let (focus, first_owner) = repos.first().copied().unwrap_or((RepoId(0), AccountId(0)));
        world.app.owner = first_owner;
        let owners: BTreeSet<AccountId> = repos.iter().map(|(_, owner)| *owner).collect();
        // The App is installed before its hook exists: a world that starts tells nobody of its beginning.
        for owner in owners {
            world.install(owner, owner, Reach::All);
        }
        world.hooks.push(Hook {
            id: HookId(world.counters.next("hook", 480_000_001)),
            kind: HookKind::App,
            url: self.target.clone(),
            secret: self.secret.clone(),
        });
        (world, focus)
    }
}

impl World {
    /// Makes an account.
    pub(super) fn add_account(&mut self, login: &str, kind: AccountKind) -> AccountId {
        let id = AccountId(self.counters.next("account", 21_000_001));
        let created_at = self.now();
        let account = Account {
            id,
            login: login.to_owned(),
            kind,
            presence: Presence::Present,
            created_at,
        };
        self.accounts.insert(id, account);
        id
    }

    /// The account of this login, made when there is none: a bot's if it ends in `[bot]`, else a person's.
    pub(super) fn account_or_new(&mut self, login: &str) -> AccountId {
        match self.account_named(login) {
            Some(account) => account.id,
            None if login.ends_with("[bot]") => self.add_account(login, AccountKind::Bot),
            None => self.add_account(login, AccountKind::User),
        }
    }

    /// Makes a team of exactly these people, who become members of its organisation.
    pub(super) fn set_team(&mut self, full_name: &str, logins: &[&str]) {
        let (org, slug) = full_name.split_once('/').unwrap_or(("acme", full_name));
        let org = match self.account_named(org) {
            Some(account) => account.id,
            None => self.add_account(org, AccountKind::Organization),
        };
        let people: BTreeSet<AccountId> = logins.iter().map(|login| self.account_or_new(login)).collect();
        self.members.extend(people.iter().map(|id| (org, *id)));
        self.teams.insert((org, slug.to_lowercase()), people);
    }

    /// Makes an empty repository.
    pub(super) fn add_repo(&mut self, owner: AccountId, name: &str, visibility: Visibility) -> RepoId {
        let id = RepoId(self.counters.next("repo", 730_000_001));
        let now = self.now();
        let repo = Repo {
            id,
            owner,
            name: name.to_owned(),
            visibility,
            archived: false,
            presence: Presence::Present,
            default_branch: "main".to_owned(),
            head: sha_of(&format!("first commit of {id}")),
            files: BTreeMap::new(),
            entries: BTreeMap::new(),
            commits: Vec::new(),
            past: BTreeMap::new(),
            roles: BTreeMap::new(),
            labels: Vec::new(),
            last_number: 0,
            old_names: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        self.repos.insert(id, repo);
        id
    }
}
