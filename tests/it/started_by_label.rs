//! Labels that start a definition: with whose right, what else they are answered, and that each acts once.

use chrono::TimeDelta;
use countersign::sandbox::IssueNumber;
use countersign::store::workflows::WorkflowSummary;

use crate::bad_input::holds;
use crate::world::{CONFIG, SECRET, Setup, World};

const FAULT: &str = "It crashes when I press Pay twice.";

/// A definition of the repository's own that asks for nothing.
const SORT: &str = "name: sort
version: 1
title: Sort it
prompts: {ask: Ask}
phases:
  - {id: sort, title: Class, prompt: ask, schema: document.v1, provider: manual}
";

fn sorting() -> Setup {
    Setup::new().github(|github| github.file(".github/countersign/sort.yml", SORT))
}

/// All workflows that there ever were.
async fn workflows(world: &World) -> Vec<WorkflowSummary> {
    world.house().engine.store().list_workflows(false, 100).await.unwrap()
}

/// Somebody sets a label, and there is one answer. The label is taken off again.
async fn answered(world: &World, who: &str, issue: IssueNumber, label: &str) -> String {
    world.label(who, issue, label).await;
    let set = world.github.labels(issue);
    assert!(!set.iter().any(|set| set.eq_ignore_ascii_case(label)), "{set:?}");
    world.answer(issue)
}

#[tokio::test]
async fn a_label_starts_the_definition_that_it_names_and_is_taken_off() {
    let world = sorting().start().await;
    let issue = world.issue("Pay", FAULT);
    let pull = world.github.as_("bob").open_pull("Faster", "Much.", "fast").unwrap();
    let talk = world
        .github
        .as_("alice")
        .start_discussion("Search", "Why so slow?")
        .unwrap();
    for (subject, label, title, left) in [
        (
            issue,
            "countersign:solve",
            "### Clarify, then solve",
            vec!["wf:collecting"],
        ),
        (pull, "countersign:sort", "### Sort it", vec![]),
        (talk, "countersign:tasks", "### Show the tasks of a discussion", vec![]),
    ] {
        world.label("carol", subject, label).await;
        assert_eq!(world.github.labels(subject), left, "{label}");
        let card = world.card(subject);
        holds(&card, &[title, "started by `carol`", &format!("label `{label}`")]);
        world.hear(subject);
    }
    assert_eq!(workflows(&world).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn names_are_compared_as_github_does() {
    let world = sorting().start().await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "Countersign:SORT").await;
    holds(&world.card(issue), &["### Sort it", "label `Countersign:SORT`"]);
    world.hear(issue);
    world.label("alice", issue, "COUNTERSIGN:Hold").await;
    holds(&world.card(issue), &["· on hold"]);
    assert_eq!(world.github.labels(issue), Vec::<String>::new());
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_a_label_cannot_give_is_asked_for_with_the_command() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    let said = answered(&world, "alice", issue, "countersign:generate").await;
    holds(
        &said,
        &[
            "To `alice` (label `countersign:generate`): Nothing was started:",
            "- `goal` is missing",
            "The command: `/run generate goal=\"…\"`",
        ],
    );
    assert_eq!(workflows(&world).await.len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_label_that_says_nothing_is_answered_once_with_what_was_meant() {
    let world = sorting().start().await;
    world.github.add_repository_hook(world.webhook_url(), SECRET);
    let issue = world.issue("Pay", FAULT);
    let said = answered(&world, "alice", issue, "countersign:solv").await;
    holds(
        &said,
        &[
            "To `alice` (label `countersign:solv`): The label `countersign:solv` says nothing to me.",
            "`countersign:sort`",
            "Did you mean: `countersign:solve`",
        ],
    );
    let said = answered(&world, "alice", issue, "countersign:Cancel").await;
    holds(&said, &["In a comment I know that word: `/cancel`"]);
    let said = answered(&world, "alice", issue, "countersign:weather").await;
    holds(&said, &["`countersign:approve`", "More: `/help run`"]);
    assert!(!said.contains("Did you mean"), "{said}");
    // Also while something runs, and what runs is not touched.
    world.label("alice", issue, "countersign:sort").await;
    world.hear(issue);
    let card = world.card(issue);
    let said = answered(&world, "alice", issue, "countersign:soort").await;
    holds(&said, &["Did you mean: `countersign:sort`"]);
    assert_eq!(world.card(issue), card);
    assert_eq!(workflows(&world).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_label_needs_the_right_that_run_needs() {
    let config = format!("{CONFIG}permissions:\n  run: write\n");
    let world = Setup::new().config(&config).start().await;
    let issue = world.issue("Pay", FAULT);
    let said = answered(&world, "carol", issue, "countersign:solve").await;
    holds(&said, &["You may not: `/run` needs write access"]);
    assert_eq!(workflows(&world).await.len(), 0);
    world.label("bob", issue, "countersign:solve").await;
    world.hear(issue);
    assert_eq!(workflows(&world).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn where_something_runs_or_all_is_closed_a_label_starts_nothing() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "countersign:solve").await;
    world.hear(issue);
    let said = answered(&world, "alice", issue, "countersign:tasks").await;
    holds(&said, &["is open here"]);
    let closed = world.issue("Search", FAULT);
    world.github.as_("alice").close(closed).unwrap();
    world.settle().await;
    let said = answered(&world, "alice", closed, "countersign:solve").await;
    holds(&said, &["This is closed", "Reopen it, then: `/run solve`"]);
    assert_eq!(workflows(&world).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn verbs_keep_their_meaning_whatever_a_definition_is_called() {
    let hold = SORT.replace("name: sort", "name: hold");
    let world = sorting()
        .github(|github| github.file(".github/countersign/hold.yml", &hold))
        .start()
        .await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "countersign:hold").await;
    holds(&world.answer(issue), &["No workflow is open here"]);
    world.label("alice", issue, "countersign:sort").await;
    world.hear(issue);
    world.label("carol", issue, "countersign:hold").await;
    holds(&world.card(issue), &["· on hold"]);
    world.hear(issue);
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.say("alice", issue, "/run hold").await;
    world.hear(issue);
    assert_eq!(workflows(&world).await.len(), 2);
    // What `/deliver` starts here is for the configuration to say.
    world.end().await;
}

#[tokio::test]
async fn a_definition_that_broke_is_told_of_where_a_label_asks_for_it() {
    let broken = SORT.replace("schema: document.v1", "schema: dokument.v1");
    let world = Setup::new()
        .github(|github| github.file(".github/countersign/sort.yml", &broken))
        .start()
        .await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "countersign:sort").await;
    let heard = world.hear(issue).join("\n");
    holds(
        &heard,
        &[
            "`.github/countersign/sort.yml` cannot be used: line 6",
            "The label `countersign:sort` says nothing to me.",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_label_of_which_nobody_told_is_heard_where_something_runs() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "countersign:solve").await;
    world.hear(issue);
    for label in ["countersign:tasks", "countersign:taks"] {
        world.github.as_("bob").label(issue, label).unwrap();
        world.github.drop_all();
    }
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    let heard = world.hear(issue).join("\n");
    holds(&heard, &["is open here", "Did you mean: `countersign:tasks`"]);
    assert_eq!(world.github.labels(issue), ["wf:collecting"]);
    world.reconcile().await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    // Of a discussion nobody knows who set it.
    let talk = world.github.as_("alice").start_discussion("Pay", FAULT).unwrap();
    world.label("alice", talk, "countersign:solve").await;
    world.hear(talk);
    world.github.as_("bob").label(talk, "countersign:tasks").unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::hours(2));
    world.reconcile().await;
    holds(&world.answer(talk), &["`countersign:tasks`", "by whom", "`/run tasks`"]);
    world.hear(issue);
    world.end().await;
}
