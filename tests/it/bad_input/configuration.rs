//! A repository's configuration that is broken, and what its limits refuse; answers that break their schema.

use countersign::store::Write;
use countersign::store::repositories::note_config;

use super::{TASKS, asked, holds};
use crate::world::{CONFIG_PATH, Setup};

const BROKEN: &str = "version: 1\nmail:\n  to: stakeholders@acme.example\n";
const GOOD: &str = "version: 1\nmail:\n  to: [stakeholders@acme.example]\naliases:\n  ship: deliver\n";

#[tokio::test]
async fn a_broken_configuration_is_named_by_line_once_on_a_subject_and_mended_by_a_push() {
    let world = Setup::new().config(BROKEN).start().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/status").await;
    let heard = world.hear(issue);
    assert_eq!(heard.len(), 2, "{heard:#?}");
    holds(
        &heard[0],
        &[
            "`.github/countersign.yml` cannot be used",
            "line 3, column 7",
            "mail.to",
        ],
    );
    world.say("alice", issue, "/status").await;
    assert!(!world.answer(issue).contains("cannot be used"));
    // Whoever speaks elsewhere has not read it.
    let other = world.issue("Search is slow", TASKS);
    world.say("alice", other, "/status").await;
    let heard = world.hear(other);
    holds(&heard[0], &["line 3, column 7"]);
    world.github.as_("alice").set_file(CONFIG_PATH, GOOD).unwrap();
    world.settle().await;
    let third = world.issue("Login is slow", TASKS);
    world.say("alice", third, "/ship").await;
    holds(&world.card(third), &["waiting for approval"]);
    assert!(!world.hear(third).iter().any(|said| said.contains("cannot be used")));
    world.end().await;
}

#[tokio::test]
async fn the_last_good_configuration_stays_in_force() {
    let world = Setup::new().config(GOOD).start().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/help ship").await;
    world.answer(issue);
    world
        .github
        .as_("alice")
        .set_file(CONFIG_PATH, "version: 1\naliases: [\n")
        .unwrap();
    world.settle().await;
    world.say("alice", issue, "/ship").await;
    let heard = world.hear(issue);
    holds(
        &heard.join("\n"),
        &["cannot be used", "The last good configuration stays in force", "line "],
    );
    holds(&world.card(issue), &["waiting for approval"]);
    // It outlives the moment after which a configuration is read anew.
    world.wait(3600).await;
    world.say("alice", issue, "/help ship").await;
    holds(&world.answer(issue), &["/deliver"]);
    world.end().await;
}

#[tokio::test]
async fn a_configuration_that_first_appears_creates_the_labels() {
    let world = Setup::new().without_config().start().await;
    assert!(
        world
            .github
            .repo_labels()
            .iter()
            .all(|label| !label.starts_with("countersign:"))
    );
    world.github.as_("alice").set_file("README.md", "# Shop").unwrap();
    world.settle().await;
    assert!(
        world
            .github
            .repo_labels()
            .iter()
            .all(|label| !label.starts_with("countersign:"))
    );
    world.github.as_("alice").set_file(CONFIG_PATH, GOOD).unwrap();
    world.settle().await;
    let mut labels = world.github.repo_labels();
    labels.retain(|label| label.starts_with("countersign:"));
    labels.sort();
    assert_eq!(
        labels,
        [
            "countersign:approve",
            "countersign:deliver",
            "countersign:hold",
            "countersign:reject"
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn a_broken_configuration_creates_no_labels_and_a_deleted_one_is_no_mistake() {
    let world = Setup::new().without_config().start().await;
    world.github.as_("alice").set_file(CONFIG_PATH, BROKEN).unwrap();
    world.settle().await;
    assert!(
        world
            .github
            .repo_labels()
            .iter()
            .all(|label| !label.starts_with("countersign:"))
    );
    world.github.as_("alice").delete_file(CONFIG_PATH).unwrap();
    world.settle().await;
    let issue = asked(&world, TASKS).await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.end().await;
}

#[tokio::test]
async fn more_than_fifty_tasks_need_the_limit_to_be_raised_first() {
    let world = Setup::new().start().await;
    let body: String = (1..=51).map(|n| format!("- [ ] Repair part {n}\n")).collect();
    let issue = world.issue("Everything is broken", &body);
    world.say("alice", issue, "/deliver").await;
    holds(
        &world.hear(issue).join("\n"),
        &["51 tasks", "at most 50", "`limits.tasks`", "/retry"],
    );
    let raised = "version: 1\nlimits:\n  tasks: 60\n";
    world.github.as_("alice").set_file(CONFIG_PATH, raised).unwrap();
    world.settle().await;
    world.say("alice", issue, "/retry").await;
    holds(&world.card(issue), &["51 tasks"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_breaks_the_schema_is_refused_with_the_validator_s_sentence_and_nothing_is_lost() {
    let world = Setup::new()
        .config("version: 1\nproviders:\n  extract: manual\n")
        .start()
        .await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/deliver").await;
    let called = world.hear(issue).join("\n");
    holds(&called, &["/prompt", "/respond"]);
    world.say("alice", issue, "/prompt").await;
    holds(&world.hear(issue).join("\n"), &["Measure the checkout", "tasks.v1"]);
    let respond = |json: &str| format!("/respond\n```json\n{json}\n```");
    for (answer, part) in [
        ("{\"tasks\": [", "JSON"),
        ("[]", "object"),
        ("{\"tasks\": 7, \"rejected\": [], \"questions\": []}", "/tasks"),
        (
            "{\"tasks\": [{\"key\": \"a\"}], \"rejected\": [], \"questions\": []}",
            "/tasks/0",
        ),
        (
            "{\"tasks\": [], \"rejected\": [], \"questions\": [], \"tools\": []}",
            "tools",
        ),
    ] {
        let typed = world.say("alice", issue, &respond(answer)).await;
        holds(&world.answer(issue), &["Nothing is lost", part, "/respond"]);
        assert_eq!(world.reactions(typed), ["-1", "eyes"]);
    }
    let answer = r#"{"tasks": [{"key": "a", "title": "Measure the checkout", "body": "With a profiler.",
        "acceptance_criteria": ["There are figures"], "assignee": null, "labels": [], "priority": null, "estimate": null,
        "due_date": null, "depends_on": [], "sources": [{"comment_id": 0, "quote": "Measure the checkout"}],
        "confidence": "high"}], "rejected": [], "questions": []}"#;
    world.say("alice", issue, &respond(answer)).await;
    holds(
        &world.card(issue),
        &["waiting for approval", "Measure the checkout", "With a profiler."],
    );
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_the_server_does_not_offer_is_named_by_line() {
    let config = "version: 1\nproviders:\n  extract: http:local\n";
    let world = Setup::new().config(config).start().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/status").await;
    holds(
        &world.hear(issue)[0],
        &[
            "cannot be used",
            "line 3, column 12",
            "`http:local` is no provider here",
            "The server offers `rules`, `manual`",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn when_an_endpoint_is_taken_away_the_rest_of_the_file_stays_in_force() {
    let server = tempfile::tempdir().unwrap();
    let file = server.path().join("server.yml");
    let endpoints =
        "models: {endpoints: {local: {dialect: ollama, model: m, context_tokens: 9000, repositories: [acme/shop]}}}\n";
    std::fs::write(&file, endpoints).unwrap();
    let config =
        "version: 1\naliases:\n  ship: deliver\npermissions:\n  approve: maintain\nproviders:\n  email: http:local\n";
    let mut world = Setup::new()
        .config(config)
        .set("COUNTERSIGN_CONFIG", file.to_str().unwrap())
        .start()
        .await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/ship").await;
    holds(&world.card(issue), &["waiting for approval"]);
    assert!(!world.hear(issue).iter().any(|said| said.contains("cannot be used")));

    std::fs::write(&file, "models: {endpoints: {}}\n").unwrap();
    world.restart().await;
    // At once, and when the file is read anew.
    for seconds in [0, 3600] {
        world.wait(seconds).await;
        let issue = world.issue("Search is slow", TASKS);
        world.say("alice", issue, "/ship").await;
        let heard = world.hear(issue).join("\n");
        holds(&heard, &["line 7, column 10", "`http:local` is no provider here"]);
        world.say("alice", issue, "/approve").await;
        holds(&world.answer(issue), &["maintain"]);
    }
    world.end().await;
}

/// A later program may not read what an earlier one took. What it asked for is not known then, and nothing is done under
/// the defaults, which may be less.
#[tokio::test]
async fn a_configuration_in_force_that_cannot_be_read_any_more_stops_what_it_may_have_forbidden() {
    let world = Setup::new()
        .config("version: 1\npermissions:\n  approve: maintain\nproviders:\n  extract: manual\n")
        .start()
        .await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    // As an earlier version wrote it: what stands on GitHub now is broken as well.
    let unreadable = "version: 1\npermissions:\n  approve: {at_least: maintain}\n";
    let house = world.house();
    let store = house.engine.store();
    let id = store.workflow_ids().await.unwrap().remove(0);
    let repository = store.workflow(&id).await.unwrap().unwrap().state.subject.repository;
    world.github.as_("alice").set_file(CONFIG_PATH, unreadable).unwrap();
    world.settle().await;
    let kept = note_config(repository, Some(unreadable), None, world.clock.now());
    store.write(Write::of(kept)).await.unwrap();

    for (who, command) in [
        ("alice", "/deliver"),
        ("bob", "/approve"),
        ("bob", "/cancel never mind"),
    ] {
        world.say(who, issue, command).await;
        let heard = world.hear(issue).join("\n");
        holds(
            &heard,
            &[
                "this version of me cannot read",
                "`.github/countersign.yml`",
                "line 3, column 12",
            ],
        );
    }
    world.say("alice", issue, "/hold until it is mended").await;
    holds(&world.card(issue), &["on hold"]);
    world.hear(issue);
    world.github.as_("alice").set_file(CONFIG_PATH, GOOD).unwrap();
    world.settle().await;
    world.say("alice", issue, "/unhold").await;
    world.hear(issue);
    holds(&world.card(issue), &["needs a person"]);
    world.end().await;
}
