//! Subjects that are closed, deleted or somewhere else, of which nothing was told.

use chrono::TimeDelta;

use super::{changes_nothing_more, open};
use crate::bad_input::{TASKS, approve, asked, holds};
use crate::world::{Setup, World};

/// Compared as often as it takes to believe that something is gone.
async fn looked_for(world: &World) {
    assert!(world.github.drop_all() > 0, "something would have told of it");
    world.reconcile().await;
    assert_eq!(open(world).await.len(), 1, "GitHub's 404 may pass");
    world.wait(301).await;
    world.wait(301).await;
}

#[tokio::test]
async fn a_closed_subject_holds_its_workflow_once() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("alice").close(issue).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    holds(&world.answer(issue), &["`alice` closed this", "on hold"]);
    assert!(open(&world).await[0].held);
    changes_nothing_more(&world, issue).await;
    // Whoever lets it go on although it is closed knows what they do.
    world.say("alice", issue, "/unhold").await;
    world.hear(issue);
    world.reconcile().await;
    assert!(!open(&world).await[0].held);
    changes_nothing_more(&world, issue).await;
    // Closed anew it is held anew.
    world.github.as_("alice").reopen(issue).unwrap();
    world.clock.advance(TimeDelta::minutes(20));
    world.github.as_("bob").close(issue).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    holds(&world.answer(issue), &["`bob` closed this"]);
    world.end().await;
}

#[tokio::test]
async fn a_locked_or_reopened_subject_changes_nothing() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").lock(issue).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    changes_nothing_more(&world, issue).await;
    world.github.as_("alice").close(issue).unwrap();
    world.settle().await;
    world.hear(issue);
    world.github.as_("alice").reopen(issue).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    changes_nothing_more(&world, issue).await;
    assert!(open(&world).await[0].held, "only people let it go on");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_subject_ends_its_workflow() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").delete_issue(issue).unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_transferred_subject_ends_its_workflow() {
    let world = Setup::new().github(|github| github.repo("acme/site")).start().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").transfer_issue(issue, "acme/site").unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_renamed_repository_is_known_by_its_new_name() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").rename_repo("store").unwrap();
    world.github.drop_all();
    world.reconcile().await;
    let store = world.house().engine.store();
    let stored = store
        .workflow(&open(&world).await[0].id.as_str().into())
        .await
        .unwrap()
        .unwrap();
    let known = store
        .repository(stored.state.subject.repository)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.name, "store");
    changes_nothing_more(&world, issue).await;
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_renamed_repository_whose_old_name_was_taken_is_found() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").rename_repo("store").unwrap();
    world
        .github
        .add_repo("acme/shop", countersign::sandbox::Visibility::Private);
    world.github.drop_all();
    world.reconcile().await;
    let workflow = open(&world).await.remove(0);
    let store = world.house().engine.store();
    let stored = store.workflow(&workflow.id.as_str().into()).await.unwrap().unwrap();
    let known = store
        .repository(stored.state.subject.repository)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.name, "store");
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_repository_that_changed_hands_is_reached_through_its_new_owners_installation() {
    let world = Setup::new().github(|github| github.repo("globex/site")).start().await;
    let issue = asked(&world, TASKS).await;
    world.github.as_("ada").transfer_repo("globex").unwrap();
    world.github.drop_all();
    world.reconcile().await;
    assert_eq!(open(&world).await.len(), 1);
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn a_repository_that_went_to_somebody_without_the_app_ends_its_workflow() {
    let world = World::new().await;
    asked(&world, TASKS).await;
    world.github.as_("ada").transfer_repo("initech").unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_deleted_repository_ends_its_workflow() {
    let world = World::new().await;
    asked(&world, TASKS).await;
    world.github.as_("ada").delete_repo().unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn an_app_that_was_taken_off_ends_its_workflow() {
    let world = World::new().await;
    asked(&world, TASKS).await;
    world.github.uninstall();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn an_app_that_was_taken_off_and_came_back_goes_on() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.uninstall();
    world.github.install();
    world.github.drop_all();
    world.reconcile().await;
    assert_eq!(open(&world).await.len(), 1);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}
