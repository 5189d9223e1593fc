//! What is missed is found, what differs is mended, and nothing of it happens twice.

mod invariant;
mod mended;
mod missed;
mod moved;
mod unheard;
mod verify;

use countersign::sandbox::IssueNumber;
use countersign::store::history::StoredEvent;
use countersign::store::workflows::WorkflowSummary;

use crate::cli::run_with;
use crate::world::World;

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
