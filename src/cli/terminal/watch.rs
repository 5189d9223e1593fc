//! Tells whoever waits at a terminal which model is being asked.

use std::time::Duration;

use super::super::page::harmless;
use crate::store::Store;
use crate::store::calls::CallEnd;
use crate::workflow::ids::WorkflowId;

/// What takes no longer needs no word.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Does this work, and tells on standard error of each model that is asked meanwhile.
pub(super) async fn watched<T>(store: &Store, id: &WorkflowId, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    let mut told = None;
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(A_MOMENT) => {}
        }
        let calls = store.calls_of_workflow(id).await.unwrap_or_default();
        let open = calls.last().filter(|call| call.end == CallEnd::Open);
        if let Some(call) = open.filter(|call| told.as_ref() != Some(&call.id)) {
            eprintln!("http:{} is asked; it may take minutes", harmless(&call.endpoint));
            told = Some(call.id.clone());
        }
    }
}
