//! Deliveries that never came.

use super::{TASKS, holds};
use crate::world::World;

#[tokio::test]
async fn a_delivery_that_was_lost_is_asked_for_again_and_handled_once() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.lose_next().unwrap();
    world.settle().await;
    assert!(world.card_comment(issue).is_none());
    let swept = world.sweep().await;
    assert_eq!((swept.missing, swept.asked), (1, 1));
    world.settle().await;
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    let swept = world.sweep().await;
    assert_eq!((swept.missing, swept.asked), (0, 0));
    world.settle().await;
    let all = world.house().engine.store().list_workflows(false, 10).await.unwrap();
    assert_eq!(all.len(), 1, "{all:#?}");
    world.end().await;
}

#[tokio::test]
async fn what_github_believes_lost_and_we_have_is_not_asked_for() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    world.github.as_("alice").comment(issue, "/help").unwrap();
    let packet = world.github.take_next().unwrap();
    // It arrived, and GitHub did not hear that it did.
    world.github.deliver(packet.clone()).await;
    world.github.lose(packet);
    world.settle().await;
    world.answer(issue);
    let swept = world.sweep().await;
    assert_eq!((swept.missing, swept.asked), (0, 0));
    world.end().await;
}

#[tokio::test]
async fn a_sweep_asks_for_sixty_at_most_and_the_next_for_the_rest() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    for n in 0..130 {
        world
            .github
            .as_("bob")
            .comment(issue, &format!("I have seen it {n} times."))
            .unwrap();
        world.github.lose_next().unwrap();
    }
    for (missing, asked) in [(130, 60), (70, 60), (10, 10), (0, 0)] {
        let swept = world.sweep().await;
        assert_eq!((swept.missing, swept.asked), (missing, asked));
        world.settle().await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_receiver_that_was_down_for_a_day_misses_nothing() {
    let mut world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    world.stop().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.deliver_all().await;
    world.clock.advance(chrono::TimeDelta::hours(24));
    world.restart().await;
    // The database tells how far back it has to look.
    assert_eq!(world.sweep().await.asked, 1);
    world.settle().await;
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    world.end().await;
}
