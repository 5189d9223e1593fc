//! What people said and nobody told: deliveries that are lost for good.

use chrono::TimeDelta;
use countersign::sandbox::Feature;

use super::{changes_nothing_more, happened, history, open};
use crate::bad_input::{TASKS, asked, holds, opened};
use crate::world::World;

#[tokio::test]
async fn a_command_is_acted_on_once_as_if_it_had_been_told() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    let typed = world.github.as_("bob").comment(issue, &line).unwrap();
    assert_eq!(world.github.drop_all(), 1);
    // What is that young is probably on its way.
    world.reconcile().await;
    assert_eq!(world.opened(), []);
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    assert_eq!(world.reactions(typed), ["eyes", "rocket"]);
    holds(&world.card(issue), &["`bob`", "**approved**"]);
    assert_eq!(happened(&world, "approved").await, 1);
    assert_eq!(
        happened(&world, "repaired").await,
        0,
        "GitHub still keeps what is that young"
    );
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_command_that_is_told_after_it_was_found_acts_no_second_time() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    let packet = world.github.take_next().unwrap();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.github.deliver(packet).await;
    world.settle().await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(happened(&world, "approved").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_command_that_was_told_and_waits_is_left_alone() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::minutes(2));
    // Stored, and not handled yet, when everything is compared.
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    let store = world.house().engine.store();
    let deliveries = store.deliveries(false, 1000).await.unwrap();
    assert!(deliveries.iter().all(|delivery| !delivery.id.starts_with("found:")));
    world.end().await;
}

#[tokio::test]
async fn strangers_bots_and_talk_get_what_they_would_have_got() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let digest = world.digest(issue);
    world.clock.advance(TimeDelta::seconds(5));
    world
        .github
        .as_("mallory")
        .comment(issue, &format!("/approve {digest}"))
        .unwrap();
    world
        .github
        .as_("renovate[bot]")
        .comment(issue, &format!("/approve {digest}"))
        .unwrap();
    world
        .github
        .as_("rita")
        .comment(issue, "I would not approve it.")
        .unwrap();
    world
        .github
        .as_("rita")
        .comment(issue, "/frobnicate the orders")
        .unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    let heard = world.hear(issue).join("\n");
    holds(&heard, &["write"]);
    assert_eq!(world.opened(), []);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_comment_that_was_edited_meanwhile_runs_nothing_and_is_told_of() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    let typed = world.github.as_("bob").comment(issue, "Looks good.").unwrap();
    world.clock.advance(TimeDelta::seconds(30));
    world.github.as_("bob").edit_comment(typed, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    holds(&world.answer(issue), &["edited since", "nothing was done"]);
    assert_eq!(world.opened(), []);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_comment_that_was_told_and_edited_into_a_command_later_is_nothing() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    let typed = world.say("bob", issue, "Looks good.").await;
    world.clock.advance(TimeDelta::seconds(30));
    world.github.as_("bob").edit_comment(typed, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(world.opened(), []);
    world.end().await;
}

#[tokio::test]
async fn where_no_edit_times_are_told_an_untouched_comment_counts() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.switch_off(Feature::GraphQl);
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
async fn a_label_acts_for_whoever_set_it_and_is_taken_off() {
    let world = World::new().await;
    let issue = opened(&world, TASKS).await;
    world.wait(20).await;
    world.github.as_("bob").label(issue, "countersign:approve").unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    assert_eq!(world.github.labels(issue), Vec::<String>::new());
    let approved = history(&world).await;
    let by = approved.iter().rev().find(|stored| stored.event.name() == "approved");
    assert_eq!(by.unwrap().event.actor().unwrap().login, "bob");
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_label_of_somebody_without_the_right_is_refused_and_taken_off() {
    let world = World::new().await;
    let issue = opened(&world, TASKS).await;
    world.wait(20).await;
    world.github.as_("carol").label(issue, "countersign:approve").unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    holds(&world.answer(issue), &["carol", "write"]);
    assert_eq!(world.mails().len(), 0);
    assert_eq!(world.github.labels(issue), Vec::<String>::new());
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn what_was_said_is_acted_on_in_its_order() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let digest = world.digest(issue);
    world
        .github
        .as_("bob")
        .comment(issue, &format!("/approve {digest}"))
        .unwrap();
    world.clock.advance(TimeDelta::seconds(5));
    world
        .github
        .as_("alice")
        .comment(issue, "/cancel It is not needed.")
        .unwrap();
    world.clock.advance(TimeDelta::seconds(5));
    world.github.as_("alice").close(issue).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    world.hear(issue);
    let names: Vec<&str> = history(&world).await.iter().map(|stored| stored.event.name()).collect();
    let at = |name: &str| names.iter().position(|found| *found == name);
    assert!(
        at("approved") < at("cancelled") && at("approved").is_some(),
        "{names:?}"
    );
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn asking_how_it_stands_compares_that_workflow_at_once() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.say("rita", issue, "/status").await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn every_open_workflow_is_compared_each_hour() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.house().engine.upkeep().await.unwrap().unwrap();
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.drop_all();
    world.wait(3599).await;
    assert_eq!(world.opened(), []);
    world.wait(1).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    // The same timer runs again.
    world.wait(20).await;
    world.github.as_("bob").label(issue, "countersign:approve").unwrap();
    world.github.drop_all();
    world.wait(3600).await;
    world.hear(issue);
    assert_eq!(world.mails().len(), 1);
    world.end().await;
}
