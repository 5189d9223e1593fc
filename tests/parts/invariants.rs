//! What holds of every database at every moment: histories are whole and chained, folds are what is stored, and nobody is
//! stuck.

use countersign::store::Store;
use countersign::store::history::first_broken;
use countersign::workflow::apply::fold;

/// Holds a database to it, and tells how many workflows it has.
pub async fn hold(store: &Store) -> usize {
    let workflows = store.workflow_ids().await.unwrap();
    for id in &workflows {
        let history = store.history(id).await.unwrap();
        assert_eq!(first_broken(&history), None, "the chain of {id}");
        let events = history.iter().map(|stored| (&stored.event, stored.at));
        let stored = store.workflow(id).await.unwrap().unwrap();
        assert_eq!(fold(events).as_ref(), Some(&stored.state), "the fold of {id}");
    }
    assert_eq!(store.stuck_workflows().await.unwrap(), Vec::<String>::new());
    workflows.len()
}
