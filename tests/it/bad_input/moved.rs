//! What is renamed, moved, closed, locked or archived in the middle of something.

use super::{TASKS, approve, asked, holds};
use crate::world::{Setup, World};

#[tokio::test]
async fn a_renamed_repository_goes_on() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").rename_repo("store").unwrap();
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    world.hear(issue);
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    holds(&world.card(issue), &["done"]);
    world.end().await;
}

#[tokio::test]
async fn a_repository_renamed_while_nobody_was_told_is_found_under_its_new_name() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.as_("ada").rename_repo("store").unwrap();
    world.settle().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn a_repository_transferred_to_an_owner_with_the_app_goes_on() {
    let world = Setup::new().github(|github| github.repo("globex/site")).start().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").transfer_repo("globex").unwrap();
    world.settle().await;
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    assert_eq!(world.github.full_name(), "globex/shop");
    world.end().await;
}

#[tokio::test]
async fn a_repository_transferred_to_an_owner_without_the_app_ends_its_workflows() {
    let world = World::new().await;
    asked(&world, TASKS).await;
    world.github.as_("ada").transfer_repo("initech").unwrap();
    world.settle().await;
    world.wait(3600).await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_transferred_issue_ends_its_workflow_here_and_can_start_one_there() {
    let world = Setup::new().github(|github| github.repo("acme/site")).start().await;
    let issue = asked(&world, TASKS).await;
    let there = world.github.as_("ada").transfer_issue(issue, "acme/site").unwrap();
    world.settle().await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    let site = world.github.at("acme/site");
    site.as_("alice").comment(there, "/deliver").unwrap();
    world.settle().await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert_eq!(open.len(), 1, "{:#?}", site.comments(there));
    world.end().await;
}

#[tokio::test]
async fn a_closed_issue_holds_its_workflow_until_somebody_lets_it_go_on() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("alice").close(issue).unwrap();
    world.settle().await;
    holds(&world.answer(issue), &["`alice` closed this", "on hold", "/unhold"]);
    world.say("bob", issue, &line).await;
    holds(&world.answer(issue), &["on hold", "/unhold"]);
    world.github.as_("alice").reopen(issue).unwrap();
    world.say("alice", issue, "/unhold").await;
    world.hear(issue);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn nothing_starts_on_a_closed_issue() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.github.as_("alice").close(issue).unwrap();
    world.say("alice", issue, "/deliver").await;
    holds(&world.answer(issue), &["closed", "Reopen it", "`/deliver`"]);
    world.end().await;
}

#[tokio::test]
async fn on_a_locked_issue_the_bot_goes_on() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.github.as_("ada").lock(issue).unwrap();
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn in_an_archived_repository_acts_wait_for_a_person_and_nothing_is_lost() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.as_("ada").archive().unwrap();
    world.settle().await;
    world.wait(3600).await;
    assert_eq!(world.opened(), []);
    world.github.as_("ada").unarchive().unwrap();
    world.settle().await;
    world.say("alice", issue, "/status").await;
    holds(&world.hear(issue).join("\n"), &["failed", "archived", "/retry"]);
    world.say("alice", issue, "/retry").await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}
