//! The engine behind the router.

use super::{Backend, DeliveryRequest, NotAccepted, Readiness};
use crate::engine::Engine;
use crate::figures::Queue;

impl Backend for Engine {
    async fn accept(&self, delivery: DeliveryRequest) -> Result<(), NotAccepted> {
        Engine::accept(self, delivery.id, &delivery.event, delivery.body.into())
            .await
            .map(drop)
            .map_err(|error| NotAccepted(error.to_string()))
    }

    async fn readiness(&self) -> Readiness {
        let store = self
            .store()
            .count("readiness", 1)
            .await
            .map(drop)
            .map_err(|error| error.to_string());
        Readiness {
            store,
            github: self.github_state(),
        }
    }

    async fn queues(&self) -> Option<Vec<Queue>> {
        let queues = self.store().queues().await.ok()?;
        let now = self.now();
        let queues = queues.into_iter().map(|(name, depth, oldest)| Queue {
            name,
            depth: u64::try_from(depth).unwrap_or_default(),
            oldest_seconds: oldest.map_or(0, |oldest| {
                u64::try_from((now - oldest).num_seconds()).unwrap_or_default()
            }),
        });
        Some(queues.collect())
    }
}
