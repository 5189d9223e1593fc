//! Every payload that GitHub published as an example goes through the front door.

use crate::bad_input::{Forged, delivery};
use crate::contract::webhook_examples;
use crate::world::Setup;

#[tokio::test]
async fn every_published_payload_is_taken_and_none_is_left_undone() {
    let world = Setup::new().start().await;
    let examples = webhook_examples();
    for (at, (event, payload)) in examples.iter().enumerate() {
        let id = format!("example-{at}");
        let answer = Forged::signed(event, &id, payload.to_string()).post(&world).await;
        assert_eq!(answer.status, 202, "{event} ({id}): {answer:?}");
    }
    // GitHub knows none of those repositories; what is put off is tried until it is given up.
    world.settle().await;
    for _ in 0..60 {
        if world
            .house()
            .engine
            .store()
            .deliveries(true, 10)
            .await
            .unwrap()
            .is_empty()
        {
            break;
        }
        world.wait(600).await;
    }
    for (at, (event, payload)) in examples.iter().enumerate() {
        let kept = delivery(&world, &format!("example-{at}")).await.unwrap();
        // Each can be read: what it asks for cannot be reached, or is nobody's business.
        assert_eq!(kept.state, "done", "{event}: {kept:#?}\n{payload}");
        assert!(kept.outcome.is_some_and(|outcome| !outcome.is_empty()), "{event}");
    }
    world.end().await;
}
