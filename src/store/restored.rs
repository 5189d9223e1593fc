//! A database that was brought back from a backup: what it has still to do may have been done since.

use super::deliveries::micros;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// The counter that holds the number of the newest effect of the backup.
pub(super) const NEWEST_RESTORED: &str = "newest_restored_effect";

/// The statements that put every open effect in doubt, and tell of each: it is looked for before it is sent. That what was
/// sent is not in the database says nothing for these.
pub(super) fn in_doubt() -> [Statement; 2] {
    [
        Statement::new(
            "UPDATE effects SET doubt = 1, first_sent_at = COALESCE(first_sent_at, created_at)
            WHERE state IN ('ready', 'inflight') RETURNING seq",
            values![],
        ),
        Statement::new(
            "INSERT INTO counters (name, value) SELECT $1, COALESCE(MAX(seq), 0) FROM effects WHERE true
            ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![NEWEST_RESTORED],
        ),
    ]
}

impl Store {
    /// Puts every open effect in doubt, and tells how many there are. For a database that was brought back by its own
    /// tools. `None`, and nothing is done, while a server is connected or holds a lease.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn doubt_open_effects(&self, now: Timestamp) -> Result<Option<usize>, StoreError> {
        const AT_WORK: &str = "SELECT 1 FROM effects WHERE state = 'inflight' AND lease_until > $1
            UNION ALL SELECT 1 FROM deliveries WHERE state = 'leased' AND lease_until > $1 LIMIT 1";
        if self.is_served().await? || !self.read(AT_WORK, values![micros(now)]).await?.is_empty() {
            return Ok(None);
        }
        let [doubt, newest] = in_doubt();
        let rows = self.write(Write::of(doubt).then(newest)).await?;
        Ok(Some(rows[0].len()))
    }
}
