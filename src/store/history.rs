//! The events of a workflow, each chained to the one before it.

use super::deliveries::{micros, moment};
use super::{Store, StoreError};
use crate::values;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::state::Timestamp;
use crate::workflow::words::without_words;

/// An event as it is stored.
#[derive(Debug, Clone, serde::Serialize)]
pub struct StoredEvent {
    /// From 1, without a gap.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The delivery or effect that caused it.
    pub cause: String,
    /// The fact.
    pub event: Event,
    /// SHA-256 over the former hash and this event.
    pub hash: String,
}

impl Store {
    /// The history of a workflow.
    pub async fn history(&self, workflow: &WorkflowId) -> Result<Vec<StoredEvent>, StoreError> {
        const ALL: &str = "SELECT seq, at, cause, data, hash FROM events WHERE workflow_id = $1 ORDER BY seq";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredEvent {
                    seq: row.int("seq")?,
                    at: moment(row.int("at")?),
                    cause: row.text("cause")?.to_owned(),
                    event: row.json("data")?,
                    hash: row.text("hash")?.to_owned(),
                })
            })
            .collect()
    }
}

/// Hash of one event in its chain.
pub(super) fn chained(former: &str, event: &Event, at: Timestamp) -> Result<(String, String), StoreError> {
    let data = serde_json::to_value(event)?;
    let covered = serde_json::json!({ "former": former, "at": micros(at), "event": without_words(&data) });
    Ok((data.to_string(), Digest::of(&covered).to_string()))
}

/// The first event, from 1, whose hash does not follow from the one before it; `None` when the chain holds.
pub fn first_broken(history: &[StoredEvent]) -> Option<i64> {
    let mut former = String::new();
    for (stored, expected) in history.iter().zip(1..) {
        let hash = chained(&former, &stored.event, stored.at).map(|(_, hash)| hash);
        if stored.seq != expected || hash.as_ref() != Ok(&stored.hash) {
            return Some(expected);
        }
        former.clone_from(&stored.hash);
    }
    None
}
