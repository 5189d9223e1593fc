//! A world: a GitHub in memory, the real server over real HTTP, a database and a mailbox of its own, and one clock.
//!
//! A test says what people do and reads what the bot says. **It fails if the bot said anything that the test did not
//! read**, if GitHub was asked something that its description does not know, or if a webhook that the sandbox sent is
//! not GitHub's: call [`World::end`] last.

#[path = "../../parts/invariants.rs"]
mod invariants;
pub mod whole_story;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use countersign::cli::house::{House, figures};
use countersign::config::{Overrides, ServerConfig, Sources};
use countersign::engine::Clock;
use countersign::github::Limits;
use countersign::inbox::sweep;
use countersign::sandbox::{APP_PRIVATE_KEY, Builder, CommentId, CommentView, IssueNumber, Role, Sandbox};
use countersign::store::StoreError;
use countersign::web;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::contract;
use crate::postgres::cluster::{Cluster, Database};

/// What stands on a card before the digest that it offers.
const OFFERED: &str = "**Approve exactly this:** `/approve ";

/// The webhook secret of every world.
pub use crate::start::SECRET;

/// The configuration that most worlds begin with.
pub const CONFIG: &str = "version: 1\nmail:\n  to: [stakeholders@acme.example]\n";

/// Where the bot's configuration stands.
pub const CONFIG_PATH: &str = ".github/countersign.yml";

/// A clock that only the test moves. It is as fine as a machine's, finer than what the database keeps.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        let start: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        Self(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    fn hand(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || {
            DateTime::from_timestamp_micros(now.load(Ordering::SeqCst)).unwrap() + TimeDelta::nanoseconds(789)
        })
    }

    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        (self.hand())()
    }

    /// Moves it on.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

/// What keeps a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Sqlite,
    Postgres,
}

/// How a world is made.
pub struct Setup {
    base: Base,
    github: Builder,
    config: Option<String>,
    environment: Vec<(String, String)>,
    server_file: Option<String>,
    limits: Limits,
}

impl Setup {
    /// People: alice and bob may write, carol may triage, rita may read, mona maintains, ada administrates, mallory is a
    /// stranger; a bot called renovate.
    pub fn new() -> Self {
        let github = Sandbox::builder()
            .repo("acme/shop")
            .app(4711, "countersign")
            .secret(SECRET)
            .person("alice", Role::Write)
            .person("bob", Role::Write)
            .person("carol", Role::Triage)
            .person("rita", Role::Read)
            .person("mona", Role::Maintain)
            .person("ada", Role::Admin)
            .stranger("mallory")
            .bot("renovate[bot]");
        let asked = std::env::var_os("COUNTERSIGN_TEST_DATABASE").is_some_and(|asked| asked == "postgres");
        Self {
            base: if asked { Base::Postgres } else { Base::Sqlite },
            github,
            config: Some(CONFIG.to_owned()),
            environment: Vec::new(),
            server_file: None,
            limits: Limits::default(),
        }
    }

    /// On this database. Otherwise it is SQLite, or what `COUNTERSIGN_TEST_DATABASE` asks for.
    pub fn on(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// The server's file.
    pub fn server_file(mut self, text: &str) -> Self {
        self.server_file = Some(text.to_owned());
        self
    }

    /// Changes the sandbox before it starts.
    pub fn github(mut self, change: impl FnOnce(Builder) -> Builder) -> Self {
        self.github = change(self.github);
        self
    }

    /// Another configuration of the repository.
    pub fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    /// No configuration file.
    pub fn without_config(mut self) -> Self {
        self.config = None;
        self
    }

    /// A setting of the server.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long a call to GitHub may take.
    pub fn patience(mut self, total: std::time::Duration) -> Self {
        self.limits.total = total;
        self
    }

    /// Starts it.
    pub async fn start(self) -> World {
        countersign::outgoing::choose_tls();
        let clock = TestClock::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = format!("http://{}/webhook", listener.local_addr().unwrap());
        let mut builder = self.github.clock(clock.hand()).target(&webhook);
        if let Some(config) = &self.config {
            builder = builder.file(CONFIG_PATH, config);
        }
        let github = builder.start().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let database = match self.base {
            Base::Sqlite => None,
            Base::Postgres => Some(Cluster::shared().database()),
        };
        let mut environment = self.environment;
        if let Some(database) = &database {
            environment.insert(0, ("COUNTERSIGN_DATABASE_URL".to_owned(), database.url()));
        }
        if let Some(text) = &self.server_file {
            let file = home.path().join("server.yml");
            std::fs::write(&file, text).unwrap();
            environment.push(("COUNTERSIGN_CONFIG".to_owned(), file.display().to_string()));
        }
        let ways = Ways {
            environment,
            limits: self.limits,
        };
        let server = Server::start(&github, &clock, home.path(), &ways, Some(listener)).await;
        World {
            github,
            clock,
            home,
            ways,
            webhook,
            server: Some(server),
            read: Mutex::default(),
            database,
        }
    }
}

/// How the server is started, each time.
struct Ways {
    environment: Vec<(String, String)>,
    limits: Limits,
}

/// The server as it runs, and its end.
struct Server {
    house: Arc<House>,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(
        github: &Sandbox,
        clock: &TestClock,
        home: &Path,
        ways: &Ways,
        listener: Option<TcpListener>,
    ) -> Self {
        let config = config(github, home, &ways.environment);
        let house = House::open_within(&config, clock.hand(), figures(), ways.limits).await;
        let house = Arc::new(house.unwrap());
        let listener = match listener {
            Some(listener) => listener,
            None => TcpListener::bind("127.0.0.1:0").await.unwrap(),
        };
        github.set_hook_target(&format!("http://{}/webhook", listener.local_addr().unwrap()));
        let stop = CancellationToken::new();
        let (router, until) = (house.router.clone(), stop.clone());
        let ended = tokio::spawn(async move { web::serve(listener, router, until).await.unwrap() });
        Self { house, stop, ended }
    }
}

/// The server's settings in a world.
fn config(github: &Sandbox, home: &Path, environment: &[(String, String)]) -> ServerConfig {
    let defaults = [
        (
            "COUNTERSIGN_DATABASE_URL",
            format!("sqlite:{}", home.join("bot.sqlite").display()),
        ),
        ("COUNTERSIGN_MAIL_URL", format!("file:{}", home.join("mail").display())),
        ("COUNTERSIGN_GITHUB_API_URL", github.base_url()),
        ("COUNTERSIGN_GITHUB_APP_ID", github.app_id().to_string()),
        ("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY.to_owned()),
        ("COUNTERSIGN_WEBHOOK_SECRET", SECRET.to_owned()),
        ("COUNTERSIGN_GITHUB_PACE", "off".to_owned()),
        // Whoever tests a limit sets it.
        ("COUNTERSIGN_COMMANDS_PER_HOUR", "100000".to_owned()),
        ("COUNTERSIGN_STRANGER_ANSWERS_PER_HOUR", "100000".to_owned()),
    ];
    let lookup = |name: &str| {
        let given = environment
            .iter()
            .rev()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.clone());
        given.or_else(|| {
            defaults
                .iter()
                .find(|(default, _)| *default == name)
                .map(|(_, value)| value.clone())
        })
    };
    let sources = Sources {
        overrides: &Overrides::default(),
        environment: &lookup,
        check_key: None,
    };
    ServerConfig::load(&sources).unwrap()
}

/// A mail as it lies in the mailbox.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The file as it is.
    pub raw: String,
}

impl Letter {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let unfolded = self.raw.replace("\r\n ", " ").replace("\r\n\t", " ");
        let head = unfolded.split("\r\n\r\n").next().unwrap_or_default().to_owned();
        let start = format!("{}:", name.to_lowercase());
        head.lines()
            .find(|line| line.to_lowercase().starts_with(&start))
            .map(|line| line[start.len()..].trim().to_owned())
    }
}

/// Everything that there is.
pub struct World {
    pub github: Sandbox,
    pub clock: TestClock,
    home: TempDir,
    ways: Ways,
    webhook: String,
    server: Option<Server>,
    read: Mutex<BTreeSet<CommentId>>,
    database: Option<Database>,
}

impl World {
    /// The usual one.
    pub async fn new() -> Self {
        Setup::new().start().await
    }

    /// The server's parts.
    pub fn house(&self) -> &House {
        &self.server.as_ref().expect("the server runs").house
    }

    /// Where webhooks go.
    pub fn webhook_url(&self) -> &str {
        &self.webhook
    }

    /// The folder with the database and the mail.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the database is, for a program that looks in beside the server.
    pub fn database_url(&self) -> String {
        match &self.database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", self.home.path().join("bot.sqlite").display()),
        }
    }

    /// Delivers what waits and lets the bot work, until nothing is left to do at this moment.
    pub async fn settle(&self) {
        self.settle_unless_stopped().await.unwrap();
    }

    /// The same for a server that may be stopped by its database meanwhile.
    pub async fn settle_unless_stopped(&self) -> Result<(), StoreError> {
        for _ in 0..500 {
            let delivered = self.github.deliver_all().await.len();
            let worked = self.house().engine.pump().await?;
            if delivered == 0 && worked == 0 {
                return Ok(());
            }
        }
        panic!("the bot and GitHub keep each other busy");
    }

    /// A minute later the server asks GitHub for the deliveries that did not arrive.
    pub async fn sweep(&self) -> sweep::Swept {
        self.clock.advance(sweep::EVERY);
        self.house().sweep_once().await.unwrap().expect("a minute has passed")
    }

    /// Every open workflow is compared with GitHub, and what follows is done.
    pub async fn reconcile(&self) {
        let all = self.house().engine.reconcile_all().await.unwrap();
        for _ in 0..all.max(1) {
            self.settle().await;
            self.clock.advance(TimeDelta::seconds(1));
        }
        self.settle().await;
        // What put it off tells why a test fails.
        const PUT_OFF: &str = "SELECT id, last_error FROM effects WHERE kind = 'reconcile' AND last_error IS NOT NULL";
        for row in self.house().engine.store().read(PUT_OFF, Vec::new()).await.unwrap() {
            println!("{}: {}", row.text("id").unwrap(), row.text("last_error").unwrap());
        }
    }

    /// Time passes, and what becomes due is done.
    pub async fn wait(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
        self.settle().await;
    }

    /// Another server on the same database and the same clock, which no webhook reaches.
    pub async fn another_house(&self) -> House {
        let config = config(&self.github, self.home.path(), &self.ways.environment);
        let opened = House::open_within(&config, self.clock.hand(), figures(), self.ways.limits).await;
        opened.unwrap()
    }

    /// Stops the server as a power cut would, and starts it again on the same database. Where others could serve that,
    /// what it held is free when its leases have ended.
    pub async fn restart(&mut self) {
        self.stop().await;
        if self.database.is_some() {
            self.clock.advance(TimeDelta::seconds(91));
        }
        let server = Server::start(&self.github, &self.clock, self.home.path(), &self.ways, None).await;
        self.server = Some(server);
    }

    /// Another server's file, for the next start.
    pub fn change_server_file(&self, text: &str) {
        std::fs::write(self.home.path().join("server.yml"), text).unwrap();
    }

    /// Another variable of the server's environment, for the next start.
    pub fn change_environment(&mut self, name: &str, value: &str) {
        self.ways.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Stops the server.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop.cancel();
            server.ended.await.unwrap();
            server.house.engine.store().close().await;
        }
    }

    /// Alice opens an issue.
    pub fn issue(&self, title: &str, body: &str) -> IssueNumber {
        self.github.as_("alice").open_issue(title, body).unwrap()
    }

    /// Somebody comments, a second after what was before; then everything settles.
    pub async fn say(&self, who: &str, issue: IssueNumber, text: &str) -> CommentId {
        self.clock.advance(TimeDelta::seconds(1));
        let id = self.github.as_(who).comment(issue, text).unwrap();
        self.settle().await;
        id
    }

    /// Somebody sets a label; then everything settles.
    pub async fn label(&self, who: &str, issue: IssueNumber, name: &str) {
        self.clock.advance(TimeDelta::seconds(1));
        self.github.as_(who).label(issue, name).unwrap();
        self.settle().await;
    }

    /// What the bot said on an issue and the test did not read yet, oldest first. The card is not among it.
    pub fn hear(&self, issue: IssueNumber) -> Vec<String> {
        let card = self.card_comment(issue).map(|card| card.id);
        let mut read = self.read.lock().unwrap();
        let bot = self.github.bot_login();
        self.github
            .comments(issue)
            .into_iter()
            .filter(|comment| comment.author == bot && Some(comment.id) != card && read.insert(comment.id))
            .map(|comment| visible(&comment.body))
            .collect()
    }

    /// The one thing that the bot said on an issue since the test last listened.
    pub fn answer(&self, issue: IssueNumber) -> String {
        let mut heard = self.hear(issue);
        assert_eq!(heard.len(), 1, "one answer was expected: {heard:#?}");
        heard.remove(0)
    }

    /// The newest card on an issue.
    pub fn card(&self, issue: IssueNumber) -> String {
        let card = self
            .card_comment(issue)
            .unwrap_or_else(|| panic!("there is no card: {:#?}", self.github.comments(issue)));
        visible(&card.body)
    }

    /// The newest card's comment.
    pub fn card_comment(&self, issue: IssueNumber) -> Option<CommentView> {
        let bot = self.github.bot_login();
        let card = self.github.comments(issue).into_iter().rfind(|comment| {
            comment.author == bot && comment.body.contains("<!-- countersign fx=") && is_card(&comment.body)
        });
        if let Some(card) = &card {
            self.read.lock().unwrap().insert(card.id);
        }
        card
    }

    /// The digest that the card offers for approval.
    pub fn digest(&self, issue: IssueNumber) -> String {
        let card = self.card(issue);
        let at = card
            .find(OFFERED)
            .unwrap_or_else(|| panic!("the card offers nothing to approve:\n{card}"));
        let digest = at + OFFERED.len();
        card[digest..digest + 12].to_owned()
    }

    /// The reactions of the bot to a comment.
    pub fn reactions(&self, comment: CommentId) -> Vec<String> {
        let bot = self.github.bot_login();
        let mut reactions: Vec<String> = self
            .github
            .reactions(comment)
            .into_iter()
            .filter(|reaction| reaction.author == bot)
            .map(|reaction| reaction.content)
            .collect();
        reactions.sort();
        reactions
    }

    /// The mailbox, by name of file.
    pub fn mails(&self) -> Vec<Letter> {
        let Ok(files) = std::fs::read_dir(self.home.path().join("mail")) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        paths.sort();
        paths
            .into_iter()
            .map(|path| Letter {
                raw: std::fs::read_to_string(path).unwrap(),
            })
            .collect()
    }

    /// What the bot opened, oldest first.
    pub fn opened(&self) -> Vec<countersign::sandbox::IssueView> {
        let bot = self.github.bot_login();
        let mut opened: Vec<_> = self
            .github
            .issues()
            .into_iter()
            .filter(|issue| issue.author == bot)
            .collect();
        opened.sort_by_key(|issue| issue.number);
        opened
    }

    /// Nothing was said that nobody read, and all that was exchanged is GitHub's own.
    pub async fn end(mut self) {
        self.settle().await;
        let bot = self.github.bot_login();
        let read = self.read.lock().unwrap().clone();
        for issue in self.github.issues() {
            for comment in self.github.comments(issue.number) {
                let unread = comment.author == bot && !read.contains(&comment.id);
                assert!(
                    !unread,
                    "on #{} the bot said, and nobody read:\n{}",
                    issue.number, comment.body
                );
            }
        }
        self.hold_to_contract();
        invariants::hold(self.house().engine.store()).await;
        self.stop().await;
    }

    /// Ends a world of which many are made, and whose outcome the test compares as a whole.
    pub async fn close(mut self) {
        invariants::hold(self.house().engine.store()).await;
        self.stop().await;
    }

    /// Holds every request to GitHub's description, and every webhook to GitHub's schemas.
    fn hold_to_contract(&self) {
        for request in self.github.requests() {
            let query: Vec<String> = request
                .query
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let path = request.path.as_str();
            if let Err(fault) = contract::check_request(&request.method, path, &query.join("&"), request.body.as_ref())
            {
                panic!("{} {path}: {fault}", request.method);
            }
            if request.fault.is_none()
                && let Err(fault) =
                    contract::check_answer_fields(&request.method, path, request.status, &request.answer)
            {
                panic!("the sandbox's answer to {} {path}: {fault}", request.method);
            }
        }
        for webhook in self.github.webhooks_sent() {
            if let Err(fault) = contract::check_webhook(&webhook.event, &webhook.payload) {
                panic!("the sandbox sent {} {:?}: {fault}", webhook.event, webhook.action);
            }
        }
    }
}

/// A comment as people see it: without the hidden marker.
fn visible(body: &str) -> String {
    body.split("<!-- countersign fx=")
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

fn is_card(body: &str) -> bool {
    body.starts_with("### ") && body.contains("\nWorkflow `")
}
