//! The real program: when it refuses to start, and how it starts, stops and takes over.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use countersign::sandbox::{APP_PRIVATE_KEY, Delivery, FaultKind, FaultRule, IssueNumber, Role, Sandbox};
use countersign::store::Store;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::bad_input::{Answer, Forged};
use crate::world::SECRET;

/// Nothing that these tests wait for takes so long; it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Somewhere on this machine where nobody listens.
pub const NOBODY: &str = "http://127.0.0.1:9";

/// The program with its settings, before it starts.
pub struct Program {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a program that did not go on left behind.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub errors: Vec<String>,
}

impl Program {
    pub fn new(api: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let program = Self {
            environment: Vec::new(),
            home,
        };
        program
            .set("COUNTERSIGN_LISTEN", "127.0.0.1:0")
            .set("COUNTERSIGN_GITHUB_API_URL", api)
            .set("COUNTERSIGN_GITHUB_APP_ID", "4711")
            .set("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY)
            .set("COUNTERSIGN_WEBHOOK_SECRET", SECRET)
            .set("COUNTERSIGN_GITHUB_PACE", "off")
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(set, _)| set != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn database(&self) -> PathBuf {
        self.home.path().join("countersign.sqlite")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .arg("serve")
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it where it must refuse.
    pub async fn refuse(&self) -> Refused {
        let child = self.command().spawn().unwrap();
        let id = child.id();
        let output = finished(move || child.wait_with_output().unwrap()).await;
        let output: Output = output.unwrap_or_else(|| {
            signal(id, "-KILL");
            panic!("it did not refuse, it runs")
        });
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.stdout.is_empty(),
            "{:?}",
            String::from_utf8_lossy(&output.stdout)
        );
        for (name, value) in &self.environment {
            let secret = name.contains("SECRET") || name == "COUNTERSIGN_GITHUB_PRIVATE_KEY" || name.contains("MAIL");
            let tells = secret && !value.trim().is_empty() && said.contains(value.trim());
            assert!(!tells, "the value of {name} was printed:\n{said}");
        }
        Refused {
            code: output.status.code(),
            errors: said
                .lines()
                .map(|line| {
                    line.strip_prefix("error: ")
                        .unwrap_or_else(|| panic!("not an error: {line}"))
                        .to_owned()
                })
                .collect(),
        }
    }

    /// Starts it, whatever comes of it.
    pub fn spawn(&self) -> Running {
        let mut child = self.command().spawn().unwrap();
        let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::unbounded_channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running {
            url: String::new(),
            child: Some(child),
            log,
        }
    }

    /// Starts it and waits until it listens.
    pub async fn start(&self) -> Running {
        let mut running = self.spawn();
        let mut said = Vec::new();
        while let Some(line) = running.line().await {
            if let Some((_, rest)) = line.split_once("listen=") {
                running.url = format!("http://{}", rest.split_whitespace().next().unwrap());
                return running;
            }
            said.push(line);
        }
        panic!("it did not start: {said:#?}");
    }
}

/// The result of what blocks, unless it takes longer than anything here should.
async fn finished<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread of its own, which the end of a test does not wait for.
    std::thread::spawn(move || sender.send(work()).is_ok());
    tokio::time::timeout(PATIENCE, receiver).await.ok()?.ok()
}

fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// The program as it runs. It does not outlive the test.
pub struct Running {
    url: String,
    child: Option<Child>,
    log: mpsc::UnboundedReceiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
    }
}

impl Running {
    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until it logs this.
    pub async fn says(&mut self, words: &str) {
        let mut said = Vec::new();
        while let Some(line) = self.line().await {
            if line.contains(words) {
                return;
            }
            said.push(line);
        }
        panic!("it ended without saying `{words}`: {said:#?}");
    }

    /// The next line of its log; nothing when it has ended.
    async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.log.recv())
            .await
            .expect("it says nothing and does not end")
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn post(&self, forged: Forged<'_>) -> Answer {
        forged.post_to(&format!("{}/webhook", self.url)).await
    }

    fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits for its end, and tells its exit code and what it had still to say.
    pub async fn end(mut self) -> (Option<i32>, String) {
        let mut child = self.child.take().expect("it runs");
        let status = finished(move || child.wait().unwrap())
            .await
            .expect("it did not end in time");
        let mut rest = String::new();
        while let Some(line) = self.line().await {
            rest.push_str(&line);
            rest.push('\n');
        }
        (status.code(), rest)
    }
}

pub fn one(refused: &Refused, parts: &[&str]) {
    assert_eq!((refused.code, refused.errors.len()), (Some(3), 1), "{refused:#?}");
    for part in parts {
        assert!(
            refused.errors[0].contains(part),
            "`{part}` is not in {}",
            refused.errors[0]
        );
    }
}

#[tokio::test]
async fn a_blank_or_short_secret_refuses_to_start() {
    let blank = Program::new(NOBODY).set("COUNTERSIGN_WEBHOOK_SECRET", "  ");
    one(&blank.refuse().await, &["COUNTERSIGN_WEBHOOK_SECRET is blank"]);
    let short = Program::new(NOBODY).set("COUNTERSIGN_WEBHOOK_SECRET", "thirty-one characters are short");
    one(&short.refuse().await, &["COUNTERSIGN_WEBHOOK_SECRET", "32"]);
    let previous = Program::new(NOBODY).set(
        "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS",
        "thirty-one characters, once more",
    );
    let previous = previous.set("COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS", "an old short one");
    one(&previous.refuse().await, &["COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS", "32"]);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_refuses_to_start() {
    let damaged = APP_PRIVATE_KEY.replace("MII", "M!!");
    let damaged = Program::new(NOBODY).set("COUNTERSIGN_GITHUB_PRIVATE_KEY", &damaged);
    one(&damaged.refuse().await, &["COUNTERSIGN_GITHUB_PRIVATE_KEY"]);
    let mut missing = Program::new(NOBODY).set("COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE", "no-such.pem");
    missing
        .environment
        .retain(|(name, _)| name != "COUNTERSIGN_GITHUB_PRIVATE_KEY");
    one(
        &missing.refuse().await,
        &["COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE", "no-such.pem", "cannot be read"],
    );
    let file = "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----\n";
    std::fs::write(missing.home.path().join("no-such.pem"), file).unwrap();
    one(&missing.refuse().await, &["COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_refuses_to_start() {
    // A file where a directory should be: this holds for root too.
    let program = Program::new(NOBODY);
    std::fs::write(program.home.path().join("data"), "").unwrap();
    let program = program.set("COUNTERSIGN_DATABASE_URL", "sqlite:data/countersign.sqlite");
    one(
        &program.refuse().await,
        &["data/countersign.sqlite", "cannot be opened"],
    );
    let directory = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", "sqlite:home");
    std::fs::create_dir(directory.home.path().join("home")).unwrap();
    one(&directory.refuse().await, &["the database home"]);
    let text = Program::new(NOBODY);
    std::fs::write(text.database(), "a text of more than a hundred characters ".repeat(40)).unwrap();
    one(
        &text.refuse().await,
        &["countersign.sqlite", "restore a backup, or move the file away"],
    );
}

#[tokio::test]
async fn a_second_process_on_the_same_file_refuses_to_start() {
    let program = Program::new(NOBODY);
    let first = program.start().await;
    let process = first.id().to_string();
    let refused = program.refuse().await;
    one(
        &refused,
        &[
            "another countersign process",
            &process,
            "countersign.sqlite",
            "stop it first",
        ],
    );
    first.signal("-TERM");
    assert_eq!(first.end().await.0, Some(0));
}

#[tokio::test]
async fn a_newer_schema_refuses_to_start() {
    let program = Program::new(NOBODY);
    newer(&program.database());
    one(&program.refuse().await, &["has schema 99", "use the newer program"]);
    // It was left as it was.
    let version = rusqlite::Connection::open(program.database()).unwrap();
    let version: i64 = version
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

fn newer(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("CREATE TABLE t (a); PRAGMA user_version = 99;")
        .unwrap();
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let program = Program::new("http://github.example")
        .set("COUNTERSIGN_WEBHOOK_SECRET", "short but secret")
        .set("COUNTERSIGN_GITHUB_PRIVATE_KEY", "no key but secret")
        .set("COUNTERSIGN_GITHUB_APP_ID", "countersign")
        .set("COUNTERSIGN_LISTEN", "everywhere")
        .set("COUNTERSIGN_MAIL_URL", "smtp://user:a-secret-password@")
        .set("COUNTERSIGN_MAIL_FROM", "nobody");
    newer(&program.database());
    let refused = program.refuse().await;
    assert_eq!(refused.code, Some(3));
    for name in [
        "COUNTERSIGN_WEBHOOK_SECRET",
        "COUNTERSIGN_GITHUB_PRIVATE_KEY",
        "COUNTERSIGN_GITHUB_APP_ID",
        "COUNTERSIGN_LISTEN",
        "COUNTERSIGN_MAIL_URL",
        "COUNTERSIGN_MAIL_FROM",
        "has schema 99",
    ] {
        let told = refused.errors.iter().filter(|error| error.contains(name)).count();
        assert_eq!(told, 1, "{name}: {refused:#?}");
    }
    let said = refused.errors.join("\n");
    assert!(
        !said.contains("secret-password") && !said.contains("but secret"),
        "{said}"
    );
}

#[tokio::test]
async fn a_port_in_use_and_a_database_in_use_are_told_at_once() {
    let program = Program::new(NOBODY);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let held = Store::serve(&program.database()).unwrap();
    let program = program.set("COUNTERSIGN_LISTEN", &address);
    let refused = program.refuse().await;
    assert_eq!((refused.code, refused.errors.len()), (Some(3), 2), "{refused:#?}");
    assert!(
        refused.errors[0].contains("another countersign process"),
        "{refused:#?}"
    );
    assert!(refused.errors[1].contains(&address), "{refused:#?}");
    held.close().await;
}

#[tokio::test]
async fn a_github_that_cannot_be_reached_does_not_keep_it_from_starting() {
    let program = Program::new(NOBODY);
    let running = program.start().await;
    assert_eq!(running.get("/livez").await.0, 200);
    let (status, body) = running.get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        running
            .post(Forged::signed("ping", "d-1", r#"{"zen":"Keep it logically awesome."}"#))
            .await
            .status,
        202
    );
    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    for never in [SECRET, "PRIVATE KEY", "Keep it logically"] {
        assert!(!log.contains(never), "{never} was logged:\n{log}");
    }
    // What was answered 202 is on disk.
    let store = Store::read_only(&program.database()).unwrap();
    assert_eq!(store.deliveries(false, 10).await.unwrap().len(), 1);
}

/// A GitHub where one issue is open and webhooks leave by themselves.
async fn github() -> (Sandbox, IssueNumber) {
    let github = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .person("alice", Role::Write)
        .delivery(Delivery::Automatic)
        .start()
        .await
        .unwrap();
    let issue = github
        .as_("alice")
        .open_issue("Checkout is slow", "- [ ] Measure it")
        .unwrap();
    (github, issue)
}

/// Waits until something is true of GitHub.
pub async fn until(github: &Sandbox, what: &str, holds: impl Fn(&Sandbox) -> bool) {
    let mut changes = github.changes();
    let waiting = async {
        while !holds(github) {
            changes.changed().await.unwrap();
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(in_time.is_ok(), "it never came to this: {what}");
}

#[tokio::test]
async fn sigterm_finishes_what_was_begun_and_ends_with_0() {
    let (github, issue) = github().await;
    let program = Program::new(&github.base_url());
    let running = program.start().await;
    github.set_hook_target(&format!("{}/webhook", running.url));
    // The answer is under way, slowly, when the signal comes.
    let slow = FaultKind::SlowThenOk(Duration::from_millis(700));
    github.fault(FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        slow,
    ));
    github.as_("alice").comment(issue, "/help").unwrap();
    until(&github, "the answer is posted", |github| {
        github.comments(issue).len() == 2
    })
    .await;
    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    github.heal();
    // Its end was kept too: the next start finds nothing to do again.
    let again = program.start().await;
    github.set_hook_target(&format!("{}/webhook", again.url));
    github.as_("alice").comment(issue, "/status").unwrap();
    until(&github, "the second answer is posted", |github| {
        github.comments(issue).len() == 4
    })
    .await;
    again.signal("-TERM");
    assert_eq!(again.end().await.0, Some(0));
    assert_eq!(github.comments(issue).len(), 4);
}

#[tokio::test]
async fn whoever_starts_after_a_crash_takes_over_and_posts_nothing_twice() {
    let (github, issue) = github().await;
    let program = Program::new(&github.base_url());
    let killed = program.start().await;
    github.set_hook_target(&format!("{}/webhook", killed.url));
    // GitHub takes the card and never says so; then the power is cut.
    let silent = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        FaultKind::ExecuteThenTimeout,
    );
    github.fault(silent.times(1));
    github.as_("alice").comment(issue, "/deliver").unwrap();
    until(&github, "the card is posted", |github| {
        github.comments(issue).len() == 2
    })
    .await;
    killed.signal("-KILL");
    assert_eq!(killed.end().await.0, None);
    github.heal();
    // No lease has to run out: who gets the file's lock knows that the other is dead.
    let heir = program.start().await;
    github.set_hook_target(&format!("{}/webhook", heir.url));
    until(&github, "the card offers something to approve", |github| {
        github
            .comments(issue)
            .iter()
            .any(|comment| comment.body.contains("`/approve "))
    })
    .await;
    until(&github, "the command is marked as done", |github| {
        let asked = github.comments(issue)[0].id;
        github
            .reactions(asked)
            .iter()
            .any(|reaction| reaction.content == "rocket")
    })
    .await;
    github.as_("alice").comment(issue, "/status").unwrap();
    until(&github, "it answers", |github| {
        said(github, issue, "@alice: *Tasks* waits for you.") == 1
    })
    .await;
    heir.signal("-TERM");
    assert_eq!(heir.end().await.0, Some(0));
    assert_eq!(
        said(&github, issue, "### Deliver what was discussed"),
        1,
        "{:#?}",
        github.comments(issue)
    );
}

/// How many comments begin with this.
fn said(github: &Sandbox, issue: IssueNumber, words: &str) -> usize {
    github
        .comments(issue)
        .iter()
        .filter(|comment| comment.body.starts_with(words))
        .count()
}
