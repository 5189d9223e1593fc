//! A database that was brought back from a backup: what it has still to do may have been done since.

use super::deliveries::{micros, moment};
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

/// What became of the word that a database was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubted {
    /// So many effects are in doubt now.
    Effects(usize),
    /// Nothing was done: a server is connected.
    Served,
    /// Nothing was done: somebody holds this until then.
    Leased {
        /// The delivery or the effect.
        what: String,
        /// When the last of the leases ends.
        until: Timestamp,
    },
}

impl Store {
    /// Puts all open effects in doubt. For a database that was brought back by its own tools. Nothing is done while a
    /// server is connected or holds a lease.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn doubt_open_effects(&self, now: Timestamp) -> Result<Doubted, StoreError> {
        const LEASED: &str = "SELECT 'effect ' || id AS what, lease_until FROM effects
                WHERE state = 'inflight' AND lease_until > $1
            UNION ALL SELECT 'delivery ' || id AS what, lease_until FROM deliveries
                WHERE state = 'leased' AND lease_until > $1
            ORDER BY lease_until DESC LIMIT 1";
        if self.is_served().await? {
            return Ok(Doubted::Served);
        }
        if let Some(leased) = self.read(LEASED, values![micros(now)]).await?.first() {
            return Ok(Doubted::Leased {
                what: leased.text("what")?.to_owned(),
                until: moment(leased.int("lease_until")?),
            });
        }
        let [doubt, newest] = in_doubt();
        let rows = self.write(Write::of(doubt).then(newest)).await?;
        Ok(Doubted::Effects(rows[0].len()))
    }
}
