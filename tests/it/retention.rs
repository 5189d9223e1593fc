//! What is older than the settings keep is forgotten; what is still needed is not.

use crate::world::{Base, Setup, World};

/// A day, in the clock's seconds.
const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_and_what_is_open_is_whole() {
    forgotten_on(Base::Sqlite).await;
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_on_postgres_too() {
    forgotten_on(Base::Postgres).await;
}

async fn forgotten_on(base: Base) {
    let setup = Setup::new().on(base).set("COUNTERSIGN_RETENTION_DAYS", "30");
    let world = setup.start().await;
    let ended = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", ended, "/deliver").await;
    world.say("alice", ended, "/cancel not now").await;
    world.hear(ended);
    let open = world.issue("The shop is slow, too", "- [ ] Measure the shop\n");
    world.say("alice", open, "/deliver").await;
    world.card(open);
    world.hear(open);
    world.wait(29 * DAY).await;
    world.hear(open);
    let early = world.house().forget_once().await.unwrap();
    assert_eq!(early.workflows, 0, "{early:?}");

    world.wait(2 * DAY).await;
    world.hear(open);
    let forgotten = world.house().forget_once().await.unwrap();
    assert_eq!(forgotten.workflows, 1);
    assert!(forgotten.deliveries > 0, "{forgotten:?}");
    let store = world.house().engine.store();
    let left = store.list_workflows(false, u32::MAX).await.unwrap();
    assert_eq!(left.iter().map(|one| one.subject).collect::<Vec<_>>(), [open.0]);
    let deliveries = store.deliveries(false, u32::MAX).await.unwrap();
    assert!(
        deliveries.iter().any(|one| one.subject == Some(open.0)),
        "{deliveries:?}"
    );
    assert!(
        deliveries.iter().all(|one| one.subject != Some(ended.0)),
        "{deliveries:?}"
    );
    assert!(world.house().forget_once().await.unwrap().is_nothing());

    let digest = world.digest(open);
    world.say("alice", open, &format!("/approve {digest}")).await;
    assert_eq!(world.opened().len(), 1);
    world.close().await;
}

#[tokio::test]
async fn a_comment_that_was_forgotten_does_not_act_again() {
    let world = Setup::new().set("COUNTERSIGN_RETENTION_DAYS", "30").start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.settle().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    let delivery = world.github.take_next().unwrap();
    world.github.deliver(delivery.clone()).await;
    world.settle().await;
    world.say("alice", issue, "/cancel not now").await;
    world.hear(issue);
    world.wait(31 * DAY).await;
    assert_eq!(world.house().forget_once().await.unwrap().workflows, 1);
    assert_eq!(world.github.deliver(delivery).await.status, 202);
    world.settle().await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert!(
        world
            .house()
            .engine
            .store()
            .list_workflows(false, 9)
            .await
            .unwrap()
            .is_empty()
    );
    world.close().await;
}

#[tokio::test]
async fn without_the_setting_everything_is_kept() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.say("alice", issue, "/cancel not now").await;
    world.hear(issue);
    world.wait(4000 * DAY).await;
    assert!(world.house().forget_once().await.unwrap().is_nothing());
    world.close().await;
}
