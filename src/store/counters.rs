//! Counts that are kept over restarts.

use super::deliveries::first;
use super::{Statement, Store, StoreError, Write};
use crate::values;

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

    /// A counter's value; 0 before it was first added to.
    pub async fn counter(&self, name: &str) -> Result<i64, StoreError> {
        let rows = self
            .read("SELECT value FROM counters WHERE name = $1", values![name])
            .await?;
        rows.first().map_or(Ok(0), |row| row.int("value"))
    }
}
