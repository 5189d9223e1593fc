//! What was planned by a clock that was wrong.

use chrono::TimeDelta;

use super::deliveries::micros;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// How far ahead a pace may be: GitHub asks for no longer rest.
const LONGEST_PACE: TimeDelta = TimeDelta::hours(1);

impl Store {
    /// Mends what a clock that was ahead left behind: without this it would wait until that time has come.
    ///
    /// What was planned in the future is due as long after now as it was to be after its planning. Nothing that was
    /// tried rests longer than `rest`, and nobody holds anything longer than `lease`.
    pub async fn clock_went_back(&self, now: Timestamp, rest: TimeDelta, lease: TimeDelta) -> Result<(), StoreError> {
        const PLANNED: &str = "UPDATE effects SET run_at = run_at - created_at + $1, created_at = $1
            WHERE state IN ('ready', 'inflight') AND created_at > $1";
        const TRIED: &str = "UPDATE effects SET run_at = $1 WHERE state = 'ready' AND attempt > 0 AND run_at > $1";
        const HELD: &str = "UPDATE effects SET lease_until = $1 WHERE state = 'inflight' AND lease_until > $1";
        const ARRIVED: &str = "UPDATE deliveries SET run_at = $1, received_at = $1
            WHERE state IN ('new', 'leased') AND received_at > $1";
        const PUT_OFF: &str = "UPDATE deliveries SET run_at = $1 WHERE state IN ('new', 'leased') AND run_at > $1";
        const HANDLED: &str = "UPDATE deliveries SET lease_until = $1 WHERE state = 'leased' AND lease_until > $1";
        const PACE: &str = "UPDATE pace SET next_at = CASE WHEN next_at > $2 THEN $2 ELSE next_at END,
                hour_from = CASE WHEN hour_from > $1 THEN $1 ELSE hour_from END
            WHERE next_at > $2 OR hour_from > $1";
        let (now, rest, lease, pace) = (
            micros(now),
            micros(now + rest),
            micros(now + lease),
            micros(now + LONGEST_PACE),
        );
        let write = Write::new()
            .then(Statement::new(PLANNED, values![now]))
            .then(Statement::new(TRIED, values![rest]))
            .then(Statement::new(HELD, values![lease]))
            .then(Statement::new(ARRIVED, values![now]))
            .then(Statement::new(PUT_OFF, values![rest]))
            .then(Statement::new(HANDLED, values![lease]))
            .then(Statement::new(PACE, values![now, pace]));
        self.write(write).await.map(drop)
    }
}
