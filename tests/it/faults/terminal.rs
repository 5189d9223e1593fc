//! What an operator types while GitHub answers otherwise than it should: it ends, and says what was not found out.

use std::collections::BTreeSet;
use std::path::Path;

use countersign::github::Operation;
use countersign::sandbox::{APP_PRIVATE_KEY, FaultKind, FaultRule, Role, Sandbox};

use super::calls::Call;
use super::matrix::KINDS;
use crate::cli::{Ran, run_with};
use crate::world::SECRET;

const CONFIG: &str = "version: 1\napproval:\n  quorum: 1 of @acme/security\n";
const DOCTOR: &[&str] = &["doctor", "--json"];
const CHECK: &[&str] = &["check", "countersign.yml", "--repository", "acme/shop"];

/// A GitHub by this machine's clock, whose App is installed.
async fn github() -> Sandbox {
    let builder = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .target("https://countersign.example/webhook")
        .person("bob", Role::Write)
        .team("acme/security", &["bob"]);
    builder.start().await.unwrap()
}

async fn run(home: &Path, github: &Sandbox, arguments: &'static [&'static str]) -> Ran {
    let (home, url) = (home.to_owned(), github.base_url());
    // It asks a GitHub that this very process plays.
    let ran = tokio::task::spawn_blocking(move || {
        let environment = [
            ("COUNTERSIGN_GITHUB_API_URL", url.as_str()),
            ("COUNTERSIGN_GITHUB_APP_ID", "4711"),
            ("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY),
            ("COUNTERSIGN_WEBHOOK_SECRET", SECRET),
            ("COUNTERSIGN_DATABASE_URL", "sqlite:bot.sqlite"),
            ("COUNTERSIGN_MAIL_URL", "file:post"),
        ];
        run_with(&home, &environment, arguments)
    });
    ran.await.unwrap()
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("countersign.yml"), CONFIG).unwrap();
    home
}

/// What the commands of the terminal ask of GitHub.
pub async fn operations() -> BTreeSet<Operation> {
    let (github, home) = (github().await, home());
    run(home.path(), &github, DOCTOR).await;
    run(home.path(), &github, CHECK).await;
    let requests = github.requests();
    requests.iter().map(|request| Call::made(request).operation).collect()
}

/// What was said, but for how much of the disk is free.
fn said(ran: &Ran, arguments: &[&str]) -> String {
    if arguments != DOCTOR {
        return format!("{}{}", ran.out, ran.err);
    }
    let findings = ran.envelope()["data"]["findings"].as_array().unwrap().clone();
    let others = findings.iter().filter(|finding| finding["area"] != "disk");
    others.map(|finding| format!("{finding:#}\n")).collect()
}

/// How it is said that GitHub did not answer as it should.
const NO_ANSWER: [&str; 4] = [
    "gave no usable answer",
    "limits our rate",
    "answer could not be read",
    "could not be reached",
];

#[tokio::test]
async fn each_call_by_each_fault() {
    let (github, home) = (github().await, home());
    for (arguments, operations) in [
        (
            DOCTOR,
            &[
                Operation::App,
                Operation::Installations,
                Operation::HookConfig,
                Operation::Deliveries,
            ][..],
        ),
        (
            CHECK,
            &[
                Operation::InstallationOf,
                Operation::AccessToken,
                Operation::TeamMembers,
            ][..],
        ),
    ] {
        let tells = |said: &str| NO_ANSWER.iter().any(|words| said.contains(words));
        let expected = said(&run(home.path(), &github, arguments).await, arguments);
        assert!(!tells(&expected), "{expected}");
        for operation in operations.iter().copied() {
            for kind in KINDS {
                // It waits for as long as a server would, which is twenty seconds.
                if kind == FaultKind::ExecuteThenTimeout {
                    continue;
                }
                let is = move |method: &str, path: &str| {
                    Call::of(method, path).is_some_and(|call| call.operation == operation)
                };
                github.fault(FaultRule::when(is, kind));
                let said = said(&run(home.path(), &github, arguments).await, arguments);
                github.heal();
                match kind {
                    FaultKind::SlowThenOk(_) => assert_eq!(said, expected, "{operation:?} by {kind:?}"),
                    _ => assert!(tells(&said), "{operation:?} by {kind:?}: {said}"),
                }
            }
        }
    }
}
