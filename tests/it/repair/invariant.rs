//! Every open workflow has something that is due, a timer, or somebody whom it waits for.

use chrono::TimeDelta;
use countersign::store::{Statement, Store, Write};
use countersign::values;

use super::{doctor, open};
use crate::bad_input::{TASKS, asked, figure, holds};
use crate::world::World;

const STUCK: &str = "countersign_workflows_stuck";

/// Breaks it by hand: as if a mistake of the program had lost what the workflow waits for.
async fn strand(store: &Store) {
    let strand = Statement::new("UPDATE workflows SET waits_for = '' WHERE status = 'open'", values![]);
    let lose = Statement::new(
        "UPDATE effects SET state = 'cancelled' WHERE workflow_id IS NOT NULL AND state = 'ready'",
        values![],
    );
    store.write(Write::of(strand).then(lose)).await.unwrap();
}

#[tokio::test]
async fn a_workflow_that_stands_still_is_a_figure_a_line_a_finding_and_a_comment() {
    let mut world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let id = open(&world).await.remove(0).id;
    let upkeep = world.house().engine.upkeep().await.unwrap().unwrap();
    assert_eq!(upkeep.stuck, []);
    assert_eq!(figure(&world, STUCK).await, 0.0);

    strand(world.house().engine.store()).await;
    // The timer by which it is compared with GitHub brings it on no further.
    assert_eq!(
        world.house().engine.store().stuck_workflows().await.unwrap(),
        std::slice::from_ref(&id)
    );
    assert_eq!(figure(&world, STUCK).await, 1.0);
    for _ in 0..3 {
        world.clock.advance(TimeDelta::minutes(1));
        let upkeep = world.house().engine.upkeep().await.unwrap().unwrap();
        assert_eq!(upkeep.stuck.len(), 1);
        world.settle().await;
    }
    holds(&world.answer(issue), &["stands still", &id, "/retry", "/cancel"]);

    if let Some(found) = doctor(&mut world).await {
        holds(&found, &[&format!("{id} is open and nothing is due")]);
    }
    // A person ends it, and all is well again.
    world.say("alice", issue, "/cancel It stands still.").await;
    world.hear(issue);
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.house().engine.upkeep().await.unwrap().unwrap().stuck, []);
    world.end().await;
}
