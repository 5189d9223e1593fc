//! The events of a workflow, each chained to the one before it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deliveries::{micros, moment};
use super::{Store, StoreError};
use crate::values;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::state::Timestamp;
use crate::workflow::words::{WithoutWords, altered};

/// An event as it is stored.
#[derive(Debug, Clone, Serialize)]
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
    /// The fact as it was written. The chain covers this, so that it holds for events of older versions, too.
    #[serde(skip)]
    data: Value,
}

/// An event as it was written, read by nobody yet: what cannot be read any more has one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without a gap.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The delivery or effect that caused it.
    pub cause: String,
    /// The fact as it was written; a text where that is no JSON.
    pub event: Value,
    /// SHA-256 over the former hash and this event.
    pub hash: String,
}

impl Record {
    /// The fact.
    ///
    /// # Errors
    /// When this version cannot read it.
    pub fn read(&self) -> Result<Event, StoreError> {
        Ok(Event::deserialize(&self.event)?)
    }
}

impl Store {
    /// The history of a workflow.
    pub async fn history(&self, workflow: &WorkflowId) -> Result<Vec<StoredEvent>, StoreError> {
        let records = self.records(workflow).await?;
        records
            .into_iter()
            .map(|record| {
                Ok(StoredEvent {
                    event: record.read()?,
                    seq: record.seq,
                    at: record.at,
                    cause: record.cause,
                    hash: record.hash,
                    data: record.event,
                })
            })
            .collect()
    }

    /// The history of a workflow as it was written.
    pub async fn records(&self, workflow: &WorkflowId) -> Result<Vec<Record>, StoreError> {
        const ALL: &str = "SELECT seq, at, cause, data, hash FROM events WHERE workflow_id = $1 ORDER BY seq";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                let data = row.text("data")?;
                Ok(Record {
                    seq: row.int("seq")?,
                    at: moment(row.int("at")?),
                    cause: row.text("cause")?.to_owned(),
                    event: serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned())),
                    hash: row.text("hash")?.to_owned(),
                })
            })
            .collect()
    }
}

/// Hash of one event in its chain.
pub(super) fn chained(former: &str, event: &Event, at: Timestamp) -> Result<(String, String), StoreError> {
    let data = serde_json::to_value(event)?;
    Ok((data.to_string(), hash(former, &data, at)))
}

fn hash(former: &str, data: &Value, at: Timestamp) -> String {
    #[derive(Serialize)]
    struct Covered<'a> {
        former: &'a str,
        at: i64,
        event: WithoutWords<'a>,
    }
    let covered = Covered {
        former,
        at: micros(at),
        event: WithoutWords(data),
    };
    Digest::of(&covered).to_string()
}

/// An event that is not as it was written, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub seq: i64,
    /// What is wrong with it.
    pub wrong: String,
}

/// The first event that is not as it was written: its hash does not follow from the one before it, or a text in it is not
/// the one whose digest the hash covers. `None` when the history holds.
pub fn first_broken(history: &[StoredEvent]) -> Option<Broken> {
    let chain = history.iter().map(|of| (of.seq, of.at, &of.data, of.hash.as_str()));
    let chain = broken_at(chain).map(|seq| Broken {
        seq,
        wrong: "its hash does not follow from what is written".to_owned(),
    });
    let mut words = history.iter().filter_map(|of| {
        Some(Broken {
            seq: of.seq,
            wrong: wrong_words(&altered(&of.data)?),
        })
    });
    let words = words.next();
    chain.into_iter().chain(words).min_by_key(|broken| broken.seq)
}

/// What is wrong where a person's text is not the one that was written.
pub(super) fn wrong_words(place: &str) -> String {
    format!("what a person wrote was changed: its {place} has another digest now")
}

/// The first event, from 1, whose hash does not follow from the one before it; `None` when the chain holds.
pub fn first_broken_record(records: &[Record]) -> Option<i64> {
    let chain = records.iter().map(|of| (of.seq, of.at, &of.event, of.hash.as_str()));
    broken_at(chain)
}

fn broken_at<'a>(chain: impl Iterator<Item = (i64, Timestamp, &'a Value, &'a str)>) -> Option<i64> {
    let mut former = "";
    for ((seq, at, data, written), expected) in chain.zip(1..) {
        if seq != expected || hash(former, data, at) != written {
            return Some(expected);
        }
        former = written;
    }
    None
}
