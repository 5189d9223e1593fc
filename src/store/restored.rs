//! A database that was brought back from a backup: what it has still to do may have been done since.

use super::{Statement, Store, StoreError, Write};
use crate::values;

/// The statement that puts every open effect in doubt: each is looked for before it is sent.
pub(super) fn in_doubt() -> Statement {
    Statement::new(
        "UPDATE effects SET doubt = 1, first_sent_at = COALESCE(first_sent_at, created_at)
        WHERE state IN ('ready', 'inflight')",
        values![],
    )
}

impl Store {
    /// Puts every open effect in doubt. For a database that was brought back by its own tools.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn doubt_open_effects(&self) -> Result<(), StoreError> {
        self.write(Write::of(in_doubt())).await.map(drop)
    }
}
