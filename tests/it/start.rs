//! The real program: when it refuses to start, and how it starts, stops and takes over.

#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../parts/program.rs"]
mod program;

use std::path::Path;
use std::time::Duration;

use countersign::sandbox::{APP_PRIVATE_KEY, Delivery, FaultKind, FaultRule, IssueNumber, Role, Sandbox};
use countersign::store::Store;

use crate::bad_input::Forged;
pub use program::{PATIENCE, Program, Running, SECRET, one};

/// Somewhere on this machine where nobody listens.
pub const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn a_blank_or_short_secret_refuses_to_start() {
    let blank = Program::new(NOBODY).set("COUNTERSIGN_WEBHOOK_SECRET", "  ");
    one(&blank.refuse().await, &["COUNTERSIGN_WEBHOOK_SECRET is blank"]);
    let short = Program::new(NOBODY).set("COUNTERSIGN_WEBHOOK_SECRET", "thirty-one characters are short");
    one(&short.refuse().await, &["COUNTERSIGN_WEBHOOK_SECRET", "32"]);
    let left = std::fs::read_dir(short.home()).unwrap().count();
    assert_eq!(left, 0, "whoever refuses its settings makes nothing");
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
    let missing = Program::new(NOBODY)
        .set("COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE", "no-such.pem")
        .without("COUNTERSIGN_GITHUB_PRIVATE_KEY");
    one(
        &missing.refuse().await,
        &["COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE", "no-such.pem", "cannot be read"],
    );
    let file = "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----\n";
    std::fs::write(missing.home().join("no-such.pem"), file).unwrap();
    one(&missing.refuse().await, &["COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_refuses_to_start() {
    // A file where a directory should be: this holds for root too.
    let program = Program::new(NOBODY);
    std::fs::write(program.home().join("data"), "").unwrap();
    let program = program.set("COUNTERSIGN_DATABASE_URL", "sqlite:data/countersign.sqlite");
    one(
        &program.refuse().await,
        &["data/countersign.sqlite", "cannot be opened"],
    );
    let directory = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", "sqlite:home");
    std::fs::create_dir(directory.home().join("home")).unwrap();
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
async fn a_policy_with_mistakes_keeps_it_from_starting() {
    let program = Program::new(NOBODY);
    let file = program.home().join("policy.yml");
    let program = program.set("COUNTERSIGN_POLICY_FILE", &file.display().to_string());
    one(
        &program.refuse().await,
        &["COUNTERSIGN_POLICY_FILE names", "which cannot be read"],
    );
    std::fs::write(&file, "version: 1\npermissions:\n  approve: everybody\n").unwrap();
    one(
        &program.refuse().await,
        &["policy.yml, line 3, column 12:", "must be one of"],
    );
    let definition = "version: 1\ndefinitions:\n  - name: notes\n    version: 1\n    title: Notes\n    prompts: {write: \"{{ schema }}\"}\n    \
                      phases:\n      - {id: notes, title: Notes, prompt: write, schema: document.v1, gate: {people: {right: write}}}\n";
    std::fs::write(&file, definition).unwrap();
    one(
        &program.refuse().await,
        &["policy.yml, line 2, column 1:", "a definition belongs to a repository"],
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
        Forged::signed("ping", "d-1", r#"{"zen":"Keep it logically awesome."}"#)
            .post_to(&running.webhook())
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
    github.set_hook_target(&running.webhook());
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
    github.set_hook_target(&again.webhook());
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
    github.set_hook_target(&killed.webhook());
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
    killed.kill();
    github.heal();
    // No lease has to run out: who gets the file's lock knows that the other is dead.
    let heir = program.start().await;
    github.set_hook_target(&heir.webhook());
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
