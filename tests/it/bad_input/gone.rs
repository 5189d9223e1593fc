//! What is deleted in the middle of something.

use super::{TASKS, approve, asked, holds, opened};
use crate::world::{Setup, World};
use countersign::sandbox::{FaultKind, FaultRule};

#[tokio::test]
async fn a_card_that_was_deleted_is_posted_anew() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    world.settle().await;
    assert_ne!(world.card_comment(issue).unwrap().id, card);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_was_deleted_and_whose_new_post_is_in_doubt_is_posted_once() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    while world.github.lose_next().is_some() {}
    let posts = |method: &str, path: &str| method == "POST" && path.ends_with("/comments");
    let lost = FaultRule::when(posts, FaultKind::ExecuteThenReset).times(1);
    world.github.fault(lost);
    world.say("alice", issue, "/edit t1 title=\"Write it down\"").await;
    world.wait(90).await;
    let bot = world.github.bot_login();
    let cards = world.github.comments(issue).into_iter();
    let cards = cards.filter(|comment| comment.author == bot && comment.body.contains("### Deliver"));
    assert_eq!(cards.count(), 1);
    approve(&world, issue).await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_command_that_was_deleted_before_it_was_heard_is_carried_out_and_harms_nothing() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let typed = world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.as_("alice").delete_comment(typed).unwrap();
    world.settle().await;
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_source_that_was_deleted_after_it_was_shown_can_still_be_approved() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "See below.");
    let source = world.github.as_("bob").comment(issue, TASKS).unwrap();
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    world.github.as_("bob").delete_comment(source).unwrap();
    world.settle().await;
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_deleted_issue_ends_its_workflow() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").delete_issue(issue).unwrap();
    world.settle().await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(world.opened(), []);
    world.end().await;
}

#[tokio::test]
async fn an_issue_deleted_while_its_tasks_are_opened_stops_the_rest_and_loses_none() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.as_("ada").delete_issue(issue).unwrap();
    world.settle().await;
    world.wait(3600).await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_label_deleted_while_it_is_set_is_heard_once_and_made_again_for_nobody() {
    let world = World::new().await;
    let issue = opened(&world, TASKS).await;
    world.wait(20).await;
    world.github.as_("bob").label(issue, "countersign:approve").unwrap();
    // Deleting a label takes it off everywhere; here it is gone before the bot comes to take it off.
    world.github.as_("ada").unlabel(issue, "countersign:approve").unwrap();
    world.settle().await;
    world.hear(issue);
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    assert_eq!(world.github.labels(issue), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn what_an_account_wrote_that_is_gone_is_still_read() {
    let world = World::new().await;
    let issue = world
        .github
        .as_("rita")
        .open_issue("Checkout is slow", "- [ ] Measure the checkout")
        .unwrap();
    world
        .github
        .as_("mallory")
        .comment(issue, "TODO: add an index to orders")
        .unwrap();
    world.settle().await;
    world.github.remove_account("rita");
    world.github.remove_account("mallory");
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &["2 tasks", "ghost"]);
    world.hear(issue);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn an_approver_whose_account_is_gone_approved_nothing_that_is_not_done_yet() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.deliver_all().await;
    world.github.remove_account("bob");
    world.settle().await;
    let said = world.hear(issue).join("\n");
    assert_eq!(world.opened(), []);
    assert!(!said.is_empty());
    // Somebody else can.
    let line = format!("/approve {}", world.digest(issue));
    world.say("mona", issue, &line).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn an_assignee_whose_account_is_gone_is_dropped_with_a_word() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "See below.");
    world.say("bob", issue, "Action: @carol will write the runbook").await;
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    holds(&world.card(issue), &["carol"]);
    world.github.remove_account("carol");
    approve(&world, issue).await;
    world.hear(issue);
    holds(&world.card(issue), &["GitHub would not take the assignee carol"]);
    assert_eq!(world.opened()[0].assignees, Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn a_deleted_repository_ends_its_workflows() {
    let world = World::new().await;
    asked(&world, TASKS).await;
    world.github.as_("ada").delete_repo().unwrap();
    world.settle().await;
    world.wait(3600).await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.end().await;
}

#[tokio::test]
async fn an_app_that_is_taken_off_ends_its_workflows_and_can_come_back() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.uninstall();
    world.settle().await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.wait(3600).await;
    world.github.install();
    world.settle().await;
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_repository_that_is_unselected_ends_its_workflows_and_can_come_back() {
    let world = Setup::new().start().await;
    let issue = asked(&world, TASKS).await;
    world.github.unselect();
    world.settle().await;
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.github.select();
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    world.end().await;
}
