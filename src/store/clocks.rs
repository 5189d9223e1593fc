//! What was planned by a clock that was wrong.

use chrono::TimeDelta;

use super::deliveries::micros;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// How far ahead a pace may be: GitHub asks for no longer rest.
const LONGEST_PACE: TimeDelta = TimeDelta::hours(1);

const PLANNED: &str = "UPDATE effects SET run_at = run_at - created_at + $1, created_at = $1
    WHERE state IN ('ready', 'inflight') AND created_at > $1";
const TRIED: &str = "UPDATE effects SET run_at = $1
    WHERE state IN ('ready', 'inflight') AND state = 'ready' AND attempt > 0 AND run_at > $1";
const HELD: &str = "UPDATE effects SET lease_until = $1 WHERE state = 'inflight' AND lease_until > $1";
const ARRIVED: &str = "UPDATE deliveries SET run_at = $1, received_at = $1
    WHERE state IN ('new', 'leased') AND received_at > $1";
const PUT_OFF: &str = "UPDATE deliveries SET run_at = $1 WHERE state IN ('new', 'leased') AND run_at > $1";
const HANDLED: &str = "UPDATE deliveries SET lease_until = $1
    WHERE state IN ('new', 'leased') AND state = 'leased' AND lease_until > $1";
const PACE: &str = "UPDATE pace SET next_at = CASE WHEN next_at > $2 THEN $2 ELSE next_at END,
        hour_from = CASE WHEN hour_from > $1 THEN $1 ELSE hour_from END
    WHERE next_at > $2 OR hour_from > $1";

impl Store {
    /// Mends what a clock that was ahead left behind: without this it would wait until that time has come.
    ///
    /// What was planned in the future is due as long after now as it was to be after its planning. Nothing that was
    /// tried rests longer than `rest`, and nobody holds anything longer than `lease`.
    ///
    /// It runs at every start, so each statement names the states of the index of open rows: SQLite reads all that was
    /// ever stored otherwise.
    pub async fn clock_went_back(&self, now: Timestamp, rest: TimeDelta, lease: TimeDelta) -> Result<(), StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{Ground, on_both};
    use crate::store::effects::{NewEffect, Pace, Priority};
    use crate::workflow::ids::{InstallationId, RepositoryId};

    on_both! {
        what_was_planned_ahead_is_due_as_it_was_meant,
    }

    #[tokio::test]
    async fn of_what_was_stored_only_the_open_rows_are_read() {
        let ground = Ground::sqlite();
        let store = ground.store().await;
        for sql in [PLANNED, TRIED, HELD, ARRIVED, PUT_OFF, HANDLED] {
            let explained: &'static str = format!("EXPLAIN QUERY PLAN {sql}").leak();
            let plan = store.read(explained, values![1_i64]).await.unwrap();
            let steps: Vec<&str> = plan.iter().map(|step| step.text("detail").unwrap()).collect();
            assert!(
                steps.iter().all(|step| step.contains("USING INDEX")),
                "{sql}: {steps:?}"
            );
        }
        store.close().await;
    }

    const WORKED: &str = "one that is taken";

    fn effect(id: &str, run_at: Timestamp) -> NewEffect {
        NewEffect {
            id: id.into(),
            workflow: None,
            installation: InstallationId(1),
            repository: RepositoryId(1),
            lane: id.to_owned(),
            kind: "act",
            payload: "{}".to_owned(),
            priority: Priority::Step,
            pace: Pace::Free,
            run_at,
            trace: None,
        }
    }

    async fn what_was_planned_ahead_is_due_as_it_was_meant(ground: Ground) {
        let store = ground.store().await;
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let (rest, lease) = (TimeDelta::minutes(10), TimeDelta::seconds(90));
        let (ahead, week) = (now + TimeDelta::hours(1), TimeDelta::days(7));
        for (id, run_at) in [(WORKED, ahead), ("a timer", ahead + week)] {
            store.write(Write::of(effect(id, run_at).planned(ahead))).await.unwrap();
        }
        let claimed = store.claim_effects("before", ahead, ahead + lease, 9).await.unwrap();
        assert_eq!(claimed.len(), 1);
        let due = async |at| {
            let due = store.claim_effects("after", at, at + lease, 9).await.unwrap();
            due.into_iter()
                .map(|effect| effect.id.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(due(now + lease).await, Vec::<String>::new(), "it waits for that time");

        store.clock_went_back(now, rest, lease).await.unwrap();
        assert_eq!(due(now).await, Vec::<String>::new(), "it is held for a lease");
        assert_eq!(due(now + lease).await, [WORKED]);
        assert_eq!(due(now + week).await.len(), 2, "a timer keeps its distance");
        store.close().await;
    }
}
