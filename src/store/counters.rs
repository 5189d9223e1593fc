//! Counts that are kept over restarts.

use super::deliveries::first;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// Something that is counted by the hour (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hourly {
    what: String,
    hour: i64,
}

const HOUR: i64 = 3600;

impl Hourly {
    /// In the hour of this moment. `what` names what is counted and whose it is.
    pub fn at(what: impl Into<String>, now: Timestamp) -> Self {
        Self {
            what: what.into(),
            hour: now.timestamp().div_euclid(HOUR),
        }
    }

    /// When it is counted anew.
    pub fn ends(&self) -> Timestamp {
        Timestamp::from_timestamp((self.hour + 1) * HOUR, 0).unwrap_or(Timestamp::MAX_UTC)
    }

    fn name(&self) -> String {
        format!("hourly:{}:{}", self.hour, self.what)
    }

    /// The statements that count one more. Those of the hours before are forgotten.
    pub fn one_more(&self) -> Write {
        let add = Statement::new(
            "INSERT INTO counters (name, value) VALUES ($1, 1)
            ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
            values![self.name()],
        );
        let forget = Statement::new(
            "DELETE FROM counters WHERE name LIKE 'hourly:%' AND name < $1",
            values![format!("hourly:{}:", self.hour)],
        );
        Write::of(add).then(forget)
    }
}

impl Store {
    /// Adds to a counter, and tells its new value.
    pub async fn count(&self, name: &str, by: i64) -> Result<i64, StoreError> {
        let add = Statement::new(
            "INSERT INTO counters (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = counters.value + $2 RETURNING value",
            values![name, by],
        );
        let rows = self.write(Write::of(add)).await?;
        first(&rows[0])?.int("value")
    }

    /// How often it was counted in its hour.
    pub async fn counted(&self, hourly: &Hourly) -> Result<u32, StoreError> {
        let value = self.counter(&hourly.name()).await?;
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// A counter's value; 0 before it was first added to.
    pub async fn counter(&self, name: &str) -> Result<i64, StoreError> {
        let rows = self
            .read("SELECT value FROM counters WHERE name = $1", values![name])
            .await?;
        rows.first().map_or(Ok(0), |row| row.int("value"))
    }
}
