//! `countersign doctor`: the real program, with a GitHub that answers and with much that is wrong.

use std::path::Path;

use countersign::sandbox::{APP_PRIVATE_KEY, Access, FaultKind, FaultRule, Sandbox};
use countersign::store::Store;

use crate::bad_input::Forged;
use crate::cli::{Ran, run_with};
use crate::mail::scripted::{Does, Script, When};
use crate::postgres::cluster::Cluster;
use crate::start::{NOBODY, Program, one};
use crate::world::{SECRET, World};

/// A GitHub by this machine's clock, whose App is installed.
async fn github() -> Sandbox {
    let builder = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .target("https://countersign.example/webhook");
    builder.start().await.unwrap()
}

/// The environment of a server on a fresh machine.
fn environment(api: &str, app: u64) -> Vec<(&'static str, String)> {
    vec![
        ("COUNTERSIGN_GITHUB_API_URL", api.to_owned()),
        ("COUNTERSIGN_GITHUB_APP_ID", app.to_string()),
        ("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY.to_owned()),
        ("COUNTERSIGN_WEBHOOK_SECRET", SECRET.to_owned()),
        ("COUNTERSIGN_DATABASE_URL", "sqlite:bot.sqlite".to_owned()),
        ("COUNTERSIGN_MAIL_URL", "file:post".to_owned()),
    ]
}

fn set(environment: &mut Vec<(&'static str, String)>, name: &'static str, value: &str) {
    environment.retain(|(known, _)| *known != name);
    environment.push((name, value.to_owned()));
}

async fn doctor(home: &Path, environment: Vec<(&'static str, String)>, arguments: &'static [&'static str]) -> Ran {
    let home = home.to_owned();
    // It asks a GitHub that this very process plays.
    let ran = tokio::task::spawn_blocking(move || {
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run_with(&home, &environment, &[&["doctor"], arguments].concat())
    });
    ran.await.unwrap()
}

/// The lines of an area, as `verdict: what is said`.
fn said(ran: &Ran, area: &str) -> Vec<String> {
    let findings = ran.envelope()["data"]["findings"].as_array().unwrap().clone();
    let of_area = findings.iter().filter(|finding| finding["area"] == area);
    of_area
        .map(|finding| {
            format!(
                "{}: {}",
                finding["verdict"].as_str().unwrap(),
                finding["said"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn a_fresh_machine_with_an_app() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let ran = doctor(home.path(), environment(&github.base_url(), 4711), &["--json"]).await;
    for (area, words) in [
        ("settings", "fine: complete"),
        ("database", "fine: sqlite:bot.sqlite is made by the next"),
        ("disk", "MiB free"),
        ("github", "the App is countersign"),
        ("app", "fine: it has the permissions and the events of app.yml"),
        ("installations", "fine: acme accepted every permission"),
        (
            "webhook",
            "fine: GitHub delivers to https://countersign.example/webhook",
        ),
        ("webhook", "doubtful: GitHub has delivered nothing"),
        ("secrets", "fine: one webhook secret"),
        ("traces", "fine: none are kept"),
        ("mail", "fine: it is written to post"),
        ("models", "fine: none is configured"),
        ("notifications", "fine: nobody is told but by GitHub and mail"),
    ] {
        let said = said(&ran, area).join("\n");
        assert!(said.contains(words), "{area}: {said}\n{}", ran.out);
    }
    // GitHub tells whole seconds, of which one may begin between its answer and the look at the clock.
    let clock = said(&ran, "clock").join("\n");
    assert!(
        [0, 1]
            .iter()
            .any(|apart| clock.contains(&format!("fine: this machine's clock is {apart} s from GitHub's"))),
        "{clock}"
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
    for secret in [SECRET, "PRIVATE KEY"] {
        assert!(!ran.out.contains(secret), "{}", ran.out);
    }
    let left = std::fs::read_dir(home.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "it made {left:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_what_helps() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let mut wrong = environment(&github.base_url(), 815);
    // A port of this machine at which nobody listens.
    set(&mut wrong, "COUNTERSIGN_MAIL_URL", "smtp://127.0.0.1:9");
    let ran = doctor(home.path(), wrong, &[]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for words in [
        "no    github        the App's credentials are refused",
        "compare COUNTERSIGN_GITHUB_APP_ID and the private key",
        "no    mail          127.0.0.1:9, connecting: ",
        "ok    database",
    ] {
        assert!(ran.out.contains(words), "{words} is not in\n{}", ran.out);
    }
    assert!(ran.err.contains("findings are wrong"), "{}", ran.err);
}

#[tokio::test]
async fn a_policy_is_looked_at() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let mut with = environment(&github.base_url(), 4711);
    set(&mut with, "COUNTERSIGN_POLICY_FILE", "policy.yml");
    let file = home.path().join("policy.yml");
    std::fs::write(&file, "version: 1\napproval: {quorum: 2}\n").unwrap();
    let ran = doctor(home.path(), with.clone(), &["--json"]).await;
    assert!(said(&ran, "policy")[0].starts_with("fine: "), "{}", ran.out);
    std::fs::write(&file, "version: 1\napproval: {quorum: two}\n").unwrap();
    let ran = doctor(home.path(), with, &["--json"]).await;
    let said = said(&ran, "policy");
    assert!(said[0].starts_with("wrong: policy.yml, line 2, column 20:"), "{said:?}");
    assert_eq!(ran.code, 1);
}

#[tokio::test]
async fn mistakes_of_the_settings_hide_nothing_else() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let mut wrong = environment(&github.base_url(), 4711);
    set(&mut wrong, "COUNTERSIGN_WEBHOOK_SECRET", "tooshort");
    let ran = doctor(home.path(), wrong, &["--json"]).await;
    assert_eq!(ran.code, 1);
    let settings = said(&ran, "settings");
    let named = settings[0].starts_with("wrong: ") && settings[0].contains("COUNTERSIGN_WEBHOOK_SECRET");
    assert!(named, "{settings:?}");
    assert!(!said(&ran, "database").is_empty());
    assert!(!ran.out.contains("tooshort"), "{}", ran.out);
}

#[tokio::test]
async fn open_work_is_told_beside_a_running_server() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    let ran = doctor(
        world.home(),
        environment(&world.github.base_url(), world.github.app_id()),
        &["--json"],
    )
    .await;
    let database = said(&ran, "database").join("\n");
    assert!(database.contains("is served by process"), "{database}");
    assert!(!ran.out.contains("UTC UTC"), "{}", ran.out);
    let work = said(&ran, "work").join("\n");
    assert!(work.contains("open workflows: 1"), "{work}");
    assert!(work.contains("approval of extract by somebody with write"), "{work}");
    world.end().await;
}

#[tokio::test]
async fn what_the_app_asks_for_beyond_its_manifest_is_named() {
    let builder = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .target("http://countersign.example/hooks")
        .app_permissions(&[
            ("checks", Access::Write),
            ("contents", Access::Write),
            ("issues", Access::Read),
            ("members", Access::Read),
            ("metadata", Access::Read),
            ("pull_requests", Access::Write),
            ("statuses", Access::Read),
            ("administration", Access::Read),
        ]);
    let (github, home) = (builder.start().await.unwrap(), tempfile::tempdir().unwrap());
    let ran = doctor(home.path(), environment(&github.base_url(), 4711), &["--json"]).await;
    let app = said(&ran, "app").join("\n");
    for words in [
        "wrong: it does not ask for discussions: write, issues: write",
        "doubtful: it asks for more than this program uses: administration: read, contents: write",
    ] {
        assert!(app.contains(words), "{words}: {app}");
    }
    let webhook = said(&ran, "webhook").join("\n");
    for words in [
        "doubtful: GitHub delivers to http://countersign.example/hooks and this server takes deliveries at /webhook",
        "doubtful: GitHub delivers to http://countersign.example/hooks without TLS",
    ] {
        assert!(webhook.contains(words), "{words}: {webhook}");
    }
    assert_eq!(ran.code, 1, "{}", ran.out);
    // Nothing that is not as it should be stands without what to do about it.
    let findings = ran.envelope()["data"]["findings"].as_array().unwrap().clone();
    for finding in findings {
        assert!(finding["verdict"] == "fine" || finding["then"].is_string(), "{finding}");
    }
}

#[tokio::test]
async fn secrets_that_others_may_read_and_one_that_should_be_gone_are_named() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let key = home.path().join("app.pem");
    std::fs::write(&key, APP_PRIVATE_KEY).unwrap();
    let readable = |mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut given = environment(&github.base_url(), 4711);
    given.retain(|(name, _)| *name != "COUNTERSIGN_GITHUB_PRIVATE_KEY");
    set(&mut given, "COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE", key.to_str().unwrap());
    readable(0o600);
    let ran = doctor(home.path(), given.clone(), &["--json"]).await;
    assert!(said(&ran, "secrets")[0].starts_with("fine: "), "{}", ran.out);
    readable(0o644);
    set(
        &mut given,
        "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS",
        "the secret before, of thirty-two characters",
    );
    let ran = doctor(home.path(), given, &["--json"]).await;
    let secrets = said(&ran, "secrets").join("\n");
    for words in ["former secret are still taken", "app.pem can be read by everybody"] {
        assert!(secrets.contains(words), "{words}: {secrets}");
    }
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn work_that_nobody_takes_and_work_that_was_given_up_are_named_with_what_helps() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.settle().await;
    // The comment behind the card is given up, one delivery cannot be read, and one is left lying.
    let comments = |method: &str, path: &str| method == "POST" && path.ends_with("/comments");
    world
        .github
        .fault(FaultRule::when(comments, FaultKind::Status(404)).after(1));
    world.say("alice", issue, "/deliver").await;
    world.github.heal();
    world.card(issue);
    Forged::signed("issue_comment", "broken", r#"{"action":"created"}"#)
        .post(&world)
        .await;
    world.settle().await;
    world.github.as_("alice").comment(issue, "/help").unwrap();
    world.github.deliver_all().await;
    let given = environment(&world.github.base_url(), world.github.app_id());
    let ran = doctor(world.home(), given, &["--json"]).await;
    let work = said(&ran, "work").join("\n");
    for words in [
        "doubtful: the delivery broken (issue_comment",
        "(call_people) was given up",
        "that nobody takes: ",
    ] {
        assert!(work.contains(words), "{words}: {work}");
    }
    let page = doctor(
        world.home(),
        environment(&world.github.base_url(), world.github.app_id()),
        &[],
    )
    .await
    .out;
    for words in [
        "`countersign deliveries retry broken`",
        "`countersign effects retry '",
        "start `countersign serve`",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    world.settle().await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn the_mail_server_is_asked_up_to_the_login_and_gets_no_mail() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let mut script = Script::new(When::Auth, Does::Answers("535 5.7.8 wrong password")).times(1);
    script.extensions = "250-AUTH PLAIN LOGIN\r\n";
    let mut given = environment(&github.base_url(), 4711);
    let url = format!("smtp://bot:hunter2@{}", script.start().await);
    set(&mut given, "COUNTERSIGN_MAIL_URL", &url);
    set(&mut given, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let ran = doctor(home.path(), given.clone(), &["--json"]).await;
    let mail = said(&ran, "mail").join("\n");
    assert!(mail.starts_with("wrong: ") && mail.contains("535"), "{mail}");
    let traces = said(&ran, "traces").join("\n");
    assert!(
        traces.starts_with("doubtful: http://127.0.0.1:9/v1/traces does not take them"),
        "{traces}"
    );
    let ran = doctor(home.path(), given, &["--json"]).await;
    let mail = said(&ran, "mail").join("\n");
    assert!(
        mail.starts_with("fine: ") && mail.ends_with("takes the login"),
        "{mail}"
    );
    assert!(!ran.out.contains("hunter2"), "{}", ran.out);
    assert!(script.taken().is_empty());
}

#[tokio::test]
async fn a_mail_server_that_does_not_begin_with_tls_is_told_so() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let place = Script::good().start().await;
    let mut given = environment(&github.base_url(), 4711);
    set(&mut given, "COUNTERSIGN_MAIL_URL", &format!("smtps://{place}"));
    let ran = doctor(home.path(), given, &["--json"]).await;
    let mail = said(&ran, "mail").join("\n");
    for words in ["wrong: ", "does not begin with TLS", &format!("write smtp://{place}")] {
        assert!(mail.contains(words), "{words}: {mail}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_wrong_unless_a_server_answers_there() {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    tokio::spawn(async move { while taken.accept().await.is_ok() {} });
    let mut given = environment(&github.base_url(), 4711);
    set(&mut given, "COUNTERSIGN_LISTEN", &address);
    let ran = doctor(home.path(), given.clone(), &["--json"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    let listen = said(&ran, "listen").join("\n");
    assert!(
        listen.starts_with("wrong: something else") && listen.contains(&address),
        "{listen}"
    );
    let running = Program::new(NOBODY).start().await;
    set(
        &mut given,
        "COUNTERSIGN_LISTEN",
        running.url.trim_start_matches("http://"),
    );
    let ran = doctor(home.path(), given, &["--json"]).await;
    let listen = said(&ran, "listen").join("\n");
    assert!(listen.starts_with("fine: a server answers at "), "{listen}");
    running.stop().await;
}

#[tokio::test]
async fn a_database_that_others_may_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let path = home.path().join("bot.sqlite");
    Store::serve(&path).unwrap().close().await;
    let readers = "bot.sqlite, which holds what people wrote, can be read by everybody";
    let given = environment(&github.base_url(), 4711);
    let ran = doctor(home.path(), given.clone(), &["--json"]).await;
    assert!(!ran.out.contains(readers), "{}", ran.out);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = doctor(home.path(), given, &["--json"]).await;
    assert!(said(&ran, "database").join("\n").contains(readers), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

/// What doctor says of a PostgreSQL, and how it ends.
async fn of_postgres(url: &str) -> (i32, String) {
    let (github, home) = (github().await, tempfile::tempdir().unwrap());
    let mut given = environment(&github.base_url(), 4711);
    set(&mut given, "COUNTERSIGN_DATABASE_URL", url);
    set(&mut given, "COUNTERSIGN_LISTEN", "127.0.0.1:0");
    let ran = doctor(home.path(), given, &[]).await;
    let of_database = ran.out.lines().filter(|line| line[6..].starts_with("database "));
    (ran.code, of_database.collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn a_postgres_that_the_next_server_migrates_is_fine() {
    let database = Cluster::shared().database();
    let (code, said) = of_postgres(&database.url()).await;
    assert_eq!(code, 0, "{said}");
    for words in ["can be served", "its tables are made by the next `countersign serve`"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let program = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", &database.url());
    program.start().await.stop().await;
    let (code, said) = of_postgres(&database.url()).await;
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("the next"), "{said}");
    database.ask("UPDATE countersign_schema SET version = version - 1");
    let (code, said) = of_postgres(&database.url()).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("it is migrated by the next `countersign serve`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_postgres_that_does_not_let_a_server_work_is_wrong_with_what_lets_it() {
    let database = Cluster::shared().database();
    let role = format!("guest_{}", std::process::id());
    database.ask(&format!(
        "CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    ));
    let url = database.url().replace("user=bot", &format!("user={role}"));
    let serve = |url: &str| Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", url);
    let refused_as = async |url: &str, words: [&str; 2]| {
        let (code, said) = of_postgres(url).await;
        assert_eq!(code, 1, "{said}");
        let refused = serve(url).refuse().await;
        one(&refused, &words);
        for words in words {
            assert!(said.starts_with("no  ") && said.contains(words), "{words}: {said}");
        }
        for never in ["restore a backup", "at line", "cannot be reached"] {
            assert!(!said.contains(never) && !refused.errors[0].contains(never), "{said}");
        }
    };
    let grant = format!("GRANT USAGE, CREATE ON SCHEMA public TO {role}");
    refused_as(&url, ["may not make tables in the schema public", &grant]).await;
    database.ask(&grant);
    let (code, said) = of_postgres(&url).await;
    assert_eq!(code, 0, "{said}");

    let owner = database.url();
    serve(&owner).start().await.stop().await;
    let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}");
    refused_as(&url, ["countersign_schema", &grant]).await;
    database.ask("GRANT SELECT ON countersign_schema TO PUBLIC");
    refused_as(&url, ["may not read and write the table artifacts", &grant]).await;
    database.ask(&grant);
    let (code, said) = of_postgres(&url).await;
    assert_eq!(code, 0, "{said}");
    serve(&url).start().await.stop().await;
    database.ask("UPDATE countersign_schema SET version = version - 1");
    refused_as(&url, ["its tables belong to bot", &format!("GRANT bot TO {role}")]).await;
    database.ask("UPDATE countersign_schema SET version = version + 1");

    let name = database.ask("SELECT current_database()");
    database.ask(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        name.trim()
    ));
    let off = format!("ALTER ROLE {role} SET default_transaction_read_only = off");
    refused_as(&url, ["default_transaction_read_only is on", &off]).await;
    database.ask(&format!(
        "BEGIN READ WRITE; DROP OWNED BY {role}; DROP ROLE {role}; COMMIT"
    ));
}
