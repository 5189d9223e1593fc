//! What is missed is found, what differs is mended, and nothing of it happens twice.

mod discussions;
mod invariant;
mod mended;
mod missed;
mod moved;
mod unheard;
mod verify;

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule, IssueNumber, Role};
use countersign::store::history::StoredEvent;
use countersign::store::workflows::WorkflowSummary;

use crate::bad_input::TASKS;
use crate::cli::run_with;
use crate::world::{CONFIG, Setup, World};

/// A story in which much is found otherwise than it should be: a card is there twice, then gone, then changed; a vote is
/// lost; a command and a label were never told; an opened issue is deleted.
pub async fn played() -> World {
    let config = format!("{CONFIG}approval:\n  quorum: 2\n");
    let world = Setup::new().config(&config).start().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let card = |method: &str, path: &str| method == "POST" && path.ends_with("/issues/1/comments");
    world
        .github
        .fault(FaultRule::when(card, FaultKind::ExecuteLate).times(1));
    world.say("alice", issue, "/deliver").await;
    world.wait(61).await;
    world.github.carry_out_late();
    world.wait(121).await;
    let line = format!("/approve {}", world.digest(issue));
    world.say("bob", issue, &line).await;
    world.github.set_role("bob", Role::Read);
    world.reconcile().await;
    let there = world.card_comment(issue).unwrap();
    world.github.as_("ada").delete_comment(there.id).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    let there = world.card_comment(issue).unwrap();
    let changed = there.body.replace("Measure the checkout", "Sell the checkout");
    world.github.as_("mona").edit_comment(there.id, &changed).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    for who in ["mona", "alice"] {
        world.github.as_(who).comment(issue, &line).unwrap();
        world.github.drop_all();
        world.clock.advance(TimeDelta::days(4));
        world.reconcile().await;
    }
    let opened = world.opened()[0].number;
    world.github.as_("ada").delete_issue(opened).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    world
}

/// The open workflows.
async fn open(world: &World) -> Vec<WorkflowSummary> {
    world.house().engine.store().list_workflows(true, 100).await.unwrap()
}

/// The history of the only workflow there ever was.
async fn history(world: &World) -> Vec<StoredEvent> {
    let store = world.house().engine.store();
    let all = store.list_workflows(false, 100).await.unwrap();
    assert_eq!(all.len(), 1, "{all:#?}");
    store.history(&all[0].id.as_str().into()).await.unwrap()
}

/// What `countersign doctor` finds in the database of the server, which is started again then. Nothing where other servers
/// could serve it: the program would need its address.
async fn doctor(world: &mut World) -> Option<String> {
    if !world.house().engine.store().alone() {
        return None;
    }
    let home = world.home().to_owned();
    world.stop().await;
    let ran = tokio::task::spawn_blocking(move || {
        run_with(&home, &[("COUNTERSIGN_DATABASE_URL", "sqlite:bot.sqlite")], &["doctor"])
    });
    let ran = ran.await.unwrap();
    world.restart().await;
    Some(ran.out)
}

/// How often an event of this name is in the history.
async fn happened(world: &World, name: &str) -> usize {
    let history = history(world).await;
    history.iter().filter(|stored| stored.event.name() == name).count()
}

/// Everything of a world that must not change when nothing is wrong: what stands on GitHub, and the histories.
async fn picture(world: &World, issue: IssueNumber) -> String {
    let mut events = Vec::new();
    for workflow in world.house().engine.store().list_workflows(false, 100).await.unwrap() {
        let history = world.house().engine.store().history(&workflow.id.as_str().into()).await;
        events.push((workflow.id, history.unwrap().len()));
    }
    let comments = world.github.comments(issue);
    let comments: Vec<_> = comments.iter().map(|comment| (comment.id, &comment.body)).collect();
    format!(
        "{events:?} {comments:#?} {:?} {:?} {}",
        world.github.labels(issue),
        world.opened(),
        world.mails().len()
    )
}

/// Comparing twice more changes nothing, an hour apart.
async fn changes_nothing_more(world: &World, issue: IssueNumber) {
    let before = picture(world, issue).await;
    world.reconcile().await;
    world.wait(3600).await;
    world.reconcile().await;
    assert_eq!(picture(world, issue).await, before);
}
