//! Deliveries that did not arrive, until they do or GitHub does not keep them any more.

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError};
use crate::values;
use crate::workflow::ids::DeliveryId;
use crate::workflow::state::Timestamp;

/// After so many requests for it a delivery is late: somebody should look why it does not arrive.
pub const LATE_AFTER: u32 = 6;

/// A delivery that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Its id.
    pub delivery: DeliveryId,
    /// GitHub's number of the newest attempt, by which it is asked for.
    pub attempt: u64,
    /// The event's name.
    pub event: String,
    /// When GitHub first tried.
    pub first_at: Timestamp,
    /// How many times it was asked for.
    pub asked: u32,
    /// Whether GitHub does not keep it any more.
    pub lost: bool,
}

/// How many deliveries did not arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MissedCount {
    /// Asked for, or about to be.
    pub waiting: u64,
    /// Of those, asked for [`LATE_AFTER`] times or more.
    pub late: u64,
    /// Not to be had any more.
    pub lost: u64,
}

const IN_VAIN: &str = "SELECT delivery_id, attempt_id, event, first_at, asked, lost_at FROM missed
    WHERE lost_at IS NOT NULL OR asked >= $1 ORDER BY first_at, delivery_id";

const DUE: &str = "SELECT delivery_id, attempt_id, event, first_at, asked, lost_at FROM missed
    WHERE lost_at IS NULL AND next_at <= $1 ORDER BY first_at, delivery_id LIMIT $2";

impl Missed {
    /// The statement that notes it. What is known of it stays, but for a newer attempt.
    pub fn noted(&self, now: Timestamp) -> Statement {
        Statement::new(
            "INSERT INTO missed (delivery_id, attempt_id, event, first_at, next_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (delivery_id) DO UPDATE SET
                attempt_id = CASE WHEN missed.attempt_id < $2 THEN $2 ELSE missed.attempt_id END",
            values![
                &self.delivery,
                self.attempt,
                &self.event,
                micros(self.first_at),
                micros(now)
            ],
        )
    }

    /// The statement that notes that it was asked for, and when it may be again.
    pub fn asked_for(&self, next_at: Timestamp) -> Statement {
        Statement::new(
            "UPDATE missed SET asked = asked + 1, next_at = $2 WHERE delivery_id = $1",
            values![&self.delivery, micros(next_at)],
        )
    }

    /// The statement that notes that GitHub does not keep it any more.
    pub fn lost(&self, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE missed SET lost_at = $2 WHERE delivery_id = $1 AND lost_at IS NULL",
            values![&self.delivery, micros(now)],
        )
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            delivery: row.text("delivery_id")?.into(),
            attempt: row.id("attempt_id")?,
            event: row.text("event")?.to_owned(),
            first_at: moment(row.int("first_at")?),
            asked: u32::try_from(row.int("asked")?).unwrap_or(u32::MAX),
            lost: row.opt_int("lost_at")?.is_some(),
        })
    }
}

/// The statement that forgets those that have arrived.
pub fn forget_arrived() -> Statement {
    Statement::new(
        "DELETE FROM missed WHERE delivery_id IN (SELECT m.delivery_id FROM missed m
            JOIN deliveries d ON d.id = m.delivery_id)",
        values![],
    )
}

/// The statement that gives up those that GitHub first tried before `horizon`, and tells them.
pub fn lose_before(horizon: Timestamp, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE missed SET lost_at = $2 WHERE lost_at IS NULL AND first_at < $1 RETURNING delivery_id",
        values![micros(horizon), micros(now)],
    )
}

/// The statement that forgets those that were lost before a moment: whoever wanted to look has looked.
pub fn forget_lost_before(moment: Timestamp) -> Statement {
    Statement::new("DELETE FROM missed WHERE lost_at < $1", values![micros(moment)])
}

impl Store {
    /// Those that may be asked for now, oldest first.
    pub async fn missed_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Missed>, StoreError> {
        let rows = self.read(DUE, values![micros(now), limit]).await?;
        rows.iter().map(Missed::read).collect()
    }

    /// Those that somebody should look at: asked for in vain, or lost; oldest first.
    pub async fn missed_in_vain(&self) -> Result<Vec<Missed>, StoreError> {
        let rows = self.read(IN_VAIN, values![LATE_AFTER]).await?;
        rows.iter().map(Missed::read).collect()
    }

    /// How many there are.
    pub async fn missed_count(&self) -> Result<MissedCount, StoreError> {
        const COUNT: &str =
            "SELECT COALESCE(CAST(SUM(CASE WHEN lost_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), 0) AS waiting,
            COALESCE(CAST(SUM(CASE WHEN lost_at IS NULL AND asked >= $1 THEN 1 ELSE 0 END) AS BIGINT), 0) AS late,
            COALESCE(CAST(SUM(CASE WHEN lost_at IS NULL THEN 0 ELSE 1 END) AS BIGINT), 0) AS lost FROM missed";
        let rows = self.read(COUNT, values![LATE_AFTER]).await?;
        let Some(row) = rows.first() else {
            return Ok(MissedCount::default());
        };
        let number = |column| row.int(column).map(|number| u64::try_from(number).unwrap_or_default());
        Ok(MissedCount {
            waiting: number("waiting")?,
            late: number("late")?,
            lost: number("lost")?,
        })
    }
}
