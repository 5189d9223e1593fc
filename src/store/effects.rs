//! The outbox: `ready → inflight → done | failed | cancelled`, one in flight in a lane, in order.

use chrono::TimeDelta;

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError, Write};
use crate::traces::TraceParent;
use crate::values;
use crate::workflow::ids::{EffectId, InstallationId, PhaseId, RepositoryId, WorkflowId};
use crate::workflow::state::Timestamp;

/// What GitHub's limits count an effect as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Not a write to GitHub.
    Free,
    /// A write.
    Write,
    /// A write that notifies people.
    Notifies,
}

/// How urgent an effect is. Smaller goes first across lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// An answer to somebody who waits for it.
    Answer,
    /// A step of a workflow.
    Step,
    /// Whatever has time.
    Background,
}

/// A row to be.
#[derive(Debug, Clone)]
pub struct NewEffect {
    /// Derived from its cause, so that planning it again gives the same row.
    pub id: EffectId,
    /// The workflow that it belongs to.
    pub workflow: Option<WorkflowId>,
    /// The installation that it acts for.
    pub installation: InstallationId,
    /// The repository that it acts on.
    pub repository: RepositoryId,
    /// One in flight, in order.
    pub lane: String,
    /// For metrics, lists and `CancelPlanned`.
    pub kind: &'static str,
    /// What is to be done, as JSON.
    pub payload: String,
    /// How urgent it is.
    pub priority: Priority,
    /// What GitHub's limits count it as.
    pub pace: Pace,
    /// Not before this.
    pub run_at: Timestamp,
    /// Where in a trace it was planned, where traces are kept.
    pub trace: Option<TraceParent>,
}

/// An effect that this process carries out now. Only a claim makes one.
#[derive(Debug, Clone)]
pub struct LeasedEffect {
    /// Its position in the order of planning.
    pub seq: i64,
    /// Its id.
    pub id: EffectId,
    /// The workflow that it belongs to.
    pub workflow: Option<WorkflowId>,
    /// The installation that it acts for.
    pub installation: InstallationId,
    /// The repository that it acts on.
    pub repository: RepositoryId,
    /// Its kind.
    pub kind: String,
    /// What is to be done, as JSON.
    pub payload: String,
    /// How many times it was claimed, this one included.
    pub attempt: u32,
    /// Whether an earlier attempt may have reached the outside.
    pub doubt: bool,
    /// When it was first claimed.
    pub first_sent_at: Timestamp,
    /// Until when it is ours.
    pub lease_until: Timestamp,
    /// Where in a trace it was planned.
    pub trace: Option<TraceParent>,
    fence: i64,
}

/// An effect that waits or was given up, as the lists show it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EffectSummary {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The workflow that it belongs to.
    pub workflow: Option<String>,
    /// The repository's id.
    pub repository_id: u64,
    /// `ready`, `inflight` or `failed`.
    pub state: String,
    /// How many times it was claimed.
    pub attempt: i64,
    /// Whether an attempt may have reached the outside.
    pub doubt: bool,
    /// Not before this.
    pub run_at: Timestamp,
    /// Why the last attempt was put off, or why it was given up.
    pub last_error: Option<String>,
    /// When it was given up.
    pub ended_at: Option<Timestamp>,
}

impl EffectSummary {
    /// Whether the end of it was told to its workflow, which then waits for a person's `/retry`. Nobody else may have it
    /// done again.
    pub fn is_the_workflows(&self) -> bool {
        THE_WORKFLOWS.contains(&self.kind.as_str())
    }
}

/// The kind of the effects by which others than GitHub are told: the queries of stuck workflows and of queues know it.
pub const NOTIFY: &str = "notify";

/// The kind of the effects that set labels which mirror where a workflow stands.
pub const LABELS: &str = "labels";

/// The kinds whose failure is an event of their workflow.
const THE_WORKFLOWS: [&str; 4] = ["act", "run_agent", "start_child", "ask_approver"];

/// Which effects a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are to be done.
    Open,
    /// Those that were given up.
    Failed,
}

/// How sure it is that an attempt that failed did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It did nothing.
    No,
    /// It may have been carried out.
    Maybe,
}

/// Writes that notify people, in one hour, for one installation (GitHub's secondary limit is about 500).
const NOTIFICATIONS_AN_HOUR: i64 = 400;

/// Between two writes of one installation.
const BETWEEN_WRITES: TimeDelta = TimeDelta::seconds(1);

/// An effect is due when it is the first of its lane that is not ended.
const CLAIM_FREE: &str = "WITH due AS MATERIALIZED (SELECT e.seq FROM effects e
        WHERE e.state IN ('ready', 'inflight') AND e.run_at <= $3 AND e.lease_until <= $3 AND e.paced = 0
        AND NOT EXISTS (SELECT 1 FROM effects x
            WHERE x.lane = e.lane AND x.seq < e.seq AND x.state IN ('ready', 'inflight'))
        ORDER BY e.priority, e.run_at, e.seq LIMIT $4 /* postgres: FOR UPDATE SKIP LOCKED */)
    UPDATE effects
    SET doubt = CASE WHEN state = 'inflight' THEN 1 ELSE doubt END, state = 'inflight', attempt = attempt + 1,
        fence = fence + 1, lease_owner = $1, lease_until = $2, first_sent_at = COALESCE(first_sent_at, $3)
    WHERE seq IN (SELECT seq FROM due)
    RETURNING seq, id, workflow_id, installation_id, repository_id, kind, payload, attempt, doubt, first_sent_at,
        lease_until, trace, fence";

const NEXT_PACED: &str = "SELECT e.seq, e.fence, e.paced, e.installation_id FROM effects e
    LEFT JOIN pace p ON p.installation_id = e.installation_id
    WHERE e.state IN ('ready', 'inflight') AND e.run_at <= $1 AND e.lease_until <= $1 AND e.paced > 0
    AND COALESCE(p.next_at, 0) <= $1
    AND NOT EXISTS (SELECT 1 FROM effects i WHERE i.installation_id = e.installation_id AND i.paced > 0
        AND i.state = 'inflight' AND i.lease_until > $1)
    AND (e.paced < 2 OR p.installation_id IS NULL OR p.hour_from <= $2 OR p.hour_count < $3)
    AND NOT EXISTS (SELECT 1 FROM effects x
        WHERE x.lane = e.lane AND x.seq < e.seq AND x.state IN ('ready', 'inflight'))
    ORDER BY e.priority, e.run_at, e.seq LIMIT 1";

const CLAIM_PACED: &str = "UPDATE effects
    SET doubt = CASE WHEN state = 'inflight' THEN 1 ELSE doubt END, state = 'inflight', attempt = attempt + 1,
        fence = fence + 1, lease_owner = $1, lease_until = $2, first_sent_at = COALESCE(first_sent_at, $3)
    WHERE seq = $4 AND fence = $5 AND state IN ('ready', 'inflight') AND lease_until <= $3
    RETURNING seq, id, workflow_id, installation_id, repository_id, kind, payload, attempt, doubt, first_sent_at,
        lease_until, trace, fence";

const STEP_PACE: &str = "INSERT INTO pace (installation_id, next_at, hour_from, hour_count) VALUES ($1, $2, $3, $4)
    ON CONFLICT (installation_id) DO UPDATE SET next_at = $2,
        hour_count = CASE WHEN pace.hour_from <= $5 THEN $4 ELSE pace.hour_count + $4 END,
        hour_from = CASE WHEN pace.hour_from <= $5 THEN $3 ELSE pace.hour_from END
    WHERE pace.next_at <= $3 RETURNING installation_id";

impl NewEffect {
    /// The statement that plans it. Planning it again does nothing while it waits or is done, and revives it when it was
    /// dropped or given up: its doubt stays, so what may have been sent is looked for first.
    pub fn planned(&self, now: Timestamp) -> Statement {
        Statement::new(
            "INSERT INTO effects (id, workflow_id, installation_id, repository_id, lane, kind, payload, state, priority,
                paced, run_at, created_at, trace)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', $8, $9, $10, $11, $12)
            ON CONFLICT (id) DO UPDATE SET state = 'ready', run_at = excluded.run_at, attempt = 0, lease_until = 0,
                ended_at = NULL, trace = excluded.trace
                WHERE effects.state IN ('failed', 'cancelled')",
            values![
                &self.id,
                self.workflow.as_ref().map(WorkflowId::as_str),
                self.installation,
                self.repository,
                &self.lane,
                self.kind,
                &self.payload,
                self.priority as i64,
                self.pace as i64,
                micros(self.run_at),
                micros(now),
                self.trace.as_ref().map(TraceParent::as_str),
            ],
        )
    }
}

/// The end of every lease.
pub(super) fn taken_over() -> Write {
    let effects = Statement::new("UPDATE effects SET lease_until = 0 WHERE state = 'inflight'", values![]);
    let deliveries = Statement::new(
        "UPDATE deliveries SET lease_until = 0 WHERE state = 'leased'",
        values![],
    );
    let duties = Statement::new("UPDATE duties SET lease_until = 0", values![]);
    Write::of(effects).then(deliveries).then(duties)
}

impl Store {
    /// Takes up to `limit` effects that are due and that GitHub's limits do not count, at most one of each lane.
    pub async fn claim_effects(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedEffect>, StoreError> {
        self.may_claim()?;
        let claim = Statement::new(CLAIM_FREE, values![owner, micros(until), micros(now), limit]);
        match self.write(Write::of(claim)).await {
            Ok(rows) => rows[0].iter().map(leased).collect(),
            // Another process took the head of a lane at the same moment: the next look finds what is due then.
            Err(StoreError::Conflict(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Takes the next write to GitHub that is due and that its installation's pace allows.
    pub async fn claim_paced(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LeasedEffect>, StoreError> {
        self.may_claim()?;
        let hour_ago = micros(now - TimeDelta::hours(1));
        let next = self
            .read(NEXT_PACED, values![micros(now), hour_ago, NOTIFICATIONS_AN_HOUR])
            .await?;
        let Some(next) = next.first() else { return Ok(None) };
        let notifies = i64::from(next.int("paced")? == Pace::Notifies as i64);
        let (seq, fence, installation) = (next.int("seq")?, next.int("fence")?, next.int("installation_id")?);
        let claim =
            Write::of(Statement::new(CLAIM_PACED, values![owner, micros(until), micros(now), seq, fence]).exactly(1))
                .then(
                    Statement::new(
                        STEP_PACE,
                        values![
                            installation,
                            micros(now + BETWEEN_WRITES),
                            micros(now),
                            notifies,
                            hour_ago
                        ],
                    )
                    .exactly(1),
                );
        match self.write(claim).await {
            Ok(rows) => rows[0].first().map(leased).transpose(),
            // Somebody else was faster, or the lane is taken: the next look finds what is due then.
            Err(StoreError::Missed { .. } | StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When the next delivery or effect can be due, for a process that has nothing to do now.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        const DUE: &str = "SELECT MIN(due) AS due FROM (
            SELECT MIN(CASE WHEN e.run_at > e.lease_until THEN
                    CASE WHEN e.paced > 0 AND p.next_at > e.run_at THEN p.next_at ELSE e.run_at END
                    ELSE e.lease_until END) AS due
                FROM effects e LEFT JOIN pace p ON p.installation_id = e.installation_id
                WHERE e.state IN ('ready', 'inflight') AND NOT EXISTS (SELECT 1 FROM effects x
                    WHERE x.lane = e.lane AND x.seq < e.seq AND x.state IN ('ready', 'inflight'))
            UNION ALL SELECT MIN(CASE WHEN run_at > lease_until THEN run_at ELSE lease_until END) AS due
                FROM deliveries d WHERE d.state IN ('new', 'leased') AND NOT EXISTS (SELECT 1 FROM deliveries y
                    WHERE y.lane = d.lane AND y.seq < d.seq AND y.state IN ('new', 'leased'))) AS heads";
        let rows = self.read(DUE, values![]).await?;
        Ok(rows
            .first()
            .map(|row| row.opt_int("due"))
            .transpose()?
            .flatten()
            .map(moment))
    }

    /// Gives back what a dead process of this database held: whoever holds the file's lock may do that at once. Effects
    /// that were in flight will be in doubt. Where several processes serve one database nobody knows who is dead, and what
    /// one held is free when its leases have ended.
    pub async fn take_over(&self) -> Result<(), StoreError> {
        if !self.alone() {
            return Ok(());
        }
        self.write(taken_over()).await.map(drop)
    }

    /// Gives back what this process holds, which does not go on with it: nobody has to wait for its leases to end. An
    /// effect among it will be in doubt.
    ///
    /// # Errors
    /// Whatever the database says; then the leases end by themselves.
    pub async fn give_back(&self, owner: &str) -> Result<(), StoreError> {
        let write = Write::of(Statement::new(
            "UPDATE effects SET lease_until = 0 WHERE state = 'inflight' AND lease_owner = $1",
            values![owner],
        ))
        .then(Statement::new(
            "UPDATE deliveries SET lease_until = 0 WHERE state = 'leased' AND lease_owner = $1",
            values![owner],
        ));
        self.write(write).await.map(drop)
    }

    /// Whether an act of this workflow is under way, or may have been carried out without our knowing.
    pub async fn act_in_flight(&self, workflow: &WorkflowId) -> Result<bool, StoreError> {
        const ACT: &str = "SELECT seq FROM effects WHERE workflow_id = $1 AND kind = 'act' 
            AND (state = 'inflight' OR state = 'ready' AND doubt = 1) LIMIT 1";
        Ok(!self.read(ACT, values![workflow]).await?.is_empty())
    }

    /// Whether the card of this workflow is being written, and was not being written by a process or a database that is
    /// gone.
    pub async fn card_in_flight(&self, workflow: &WorkflowId) -> Result<bool, StoreError> {
        const CARD: &str = "SELECT seq FROM effects WHERE workflow_id = $1 AND kind = 'card'
            AND state = 'inflight' AND doubt = 0 LIMIT 1";
        Ok(!self.read(CARD, values![workflow]).await?.is_empty())
    }

    /// Whether an effect failed for good.
    pub async fn has_failed(&self, id: &EffectId) -> Result<bool, StoreError> {
        const FAILED: &str = "SELECT id FROM effects WHERE id = $1 AND state = 'failed'";
        Ok(!self.read(FAILED, values![id]).await?.is_empty())
    }

    /// What an effect was to do, where it is kept.
    pub async fn payload_of(&self, id: &EffectId) -> Result<Option<String>, StoreError> {
        let rows = self
            .read("SELECT payload FROM effects WHERE id = $1", values![id])
            .await?;
        rows.first().map(|row| Ok(row.text("payload")?.to_owned())).transpose()
    }

    /// Whether an effect is over, however it ended. One that was never planned is.
    pub async fn has_ended(&self, id: &EffectId) -> Result<bool, StoreError> {
        const OPEN: &str = "SELECT id FROM effects WHERE id = $1 AND state IN ('ready', 'inflight')";
        Ok(self.read(OPEN, values![id]).await?.is_empty())
    }

    /// What a workflow still has to do, in order.
    pub async fn open_effects(&self, workflow: &WorkflowId) -> Result<Vec<EffectSummary>, StoreError> {
        const OPEN: &str =
            "SELECT id, kind, workflow_id, repository_id, state, attempt, doubt, run_at, last_error, result,
                ended_at FROM effects WHERE workflow_id = $1 AND state IN ('ready', 'inflight') ORDER BY seq";
        let rows = self.read(OPEN, values![workflow]).await?;
        rows.iter().map(summary).collect()
    }

    /// Effects of every workflow and of none, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn effects(&self, which: Which, limit: u32) -> Result<Vec<EffectSummary>, StoreError> {
        const OPEN: &str =
            "SELECT id, kind, workflow_id, repository_id, state, attempt, doubt, run_at, last_error, result,
                ended_at FROM effects WHERE state IN ('ready', 'inflight') ORDER BY seq DESC LIMIT $1";
        const FAILED: &str = "SELECT id, kind, workflow_id, repository_id, state, attempt, doubt, run_at, last_error,
                result, ended_at FROM effects WHERE state = 'failed' ORDER BY ended_at DESC, seq DESC LIMIT $1";
        let sql = match which {
            Which::Open => OPEN,
            Which::Failed => FAILED,
        };
        let rows = self.read(sql, values![limit]).await?;
        rows.iter().map(summary).collect()
    }

    /// One effect.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn effect_summary(&self, id: &EffectId) -> Result<Option<EffectSummary>, StoreError> {
        const ONE: &str =
            "SELECT id, kind, workflow_id, repository_id, state, attempt, doubt, run_at, last_error, result,
                ended_at FROM effects WHERE id = $1";
        let rows = self.read(ONE, values![id]).await?;
        rows.first().map(summary).transpose()
    }

    /// Has an effect done again that was given up; `false` where there is none of that id, or where only its workflow's
    /// `/retry` may. Its doubt stays: what may have been sent is looked for first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn retry_effect(&self, id: &EffectId, now: Timestamp) -> Result<bool, StoreError> {
        let retry = Statement::new(
            "UPDATE effects SET state = 'ready', attempt = 0, run_at = $2, lease_until = 0, ended_at = NULL, result = NULL
            WHERE id = $1 AND state = 'failed' AND kind NOT IN ('act', 'run_agent', 'start_child', 'ask_approver')
            RETURNING seq",
            values![id, micros(now)],
        );
        Ok(!self.write(Write::of(retry)).await?[0].is_empty())
    }

    /// What has been due since before a moment and is in nobody's hands, although nothing stands in its way: how many
    /// pieces of work, and since when the oldest. Where a server works there is none, or only what came just now.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn untaken(&self, before: Timestamp) -> Result<(i64, Option<Timestamp>), StoreError> {
        const UNTAKEN: &str = "SELECT COUNT(*) AS depth, MIN(due) AS oldest FROM (
            SELECT e.run_at AS due FROM effects e LEFT JOIN pace p ON p.installation_id = e.installation_id
                WHERE e.state IN ('ready', 'inflight') AND e.run_at <= $1 AND e.lease_until <= $1
                AND (e.paced = 0 OR COALESCE(p.next_at, 0) <= $1)
                AND (e.paced < 2 OR p.installation_id IS NULL OR p.hour_from <= $2 OR p.hour_count < $3)
                AND NOT EXISTS (SELECT 1 FROM effects x
                    WHERE x.lane = e.lane AND x.seq < e.seq AND x.state IN ('ready', 'inflight'))
            UNION ALL SELECT d.run_at AS due FROM deliveries d
                WHERE d.state IN ('new', 'leased') AND d.run_at <= $1 AND d.lease_until <= $1
                AND NOT EXISTS (SELECT 1 FROM deliveries y
                    WHERE y.lane = d.lane AND y.seq < d.seq AND y.state IN ('new', 'leased'))) AS heads";
        let hour_ago = micros(before - TimeDelta::hours(1));
        let rows = self
            .read(UNTAKEN, values![micros(before), hour_ago, NOTIFICATIONS_AN_HOUR])
            .await?;
        let Some(row) = rows.first() else { return Ok((0, None)) };
        Ok((row.int("depth")?, row.opt_int("oldest")?.map(moment)))
    }

    /// How many effects, notifications and deliveries wait, and since when the oldest of each does: for the metrics.
    pub async fn queues(&self) -> Result<[(&'static str, i64, Option<Timestamp>); 3], StoreError> {
        const EFFECTS: &str = "SELECT COUNT(*) AS depth, MIN(created_at) AS oldest FROM effects
            WHERE state IN ('ready', 'inflight') AND kind NOT IN ('expire_gate', 'reconcile', 'verify', 'notify')";
        const NOTIFICATIONS: &str = "SELECT COUNT(*) AS depth, MIN(created_at) AS oldest FROM effects
            WHERE state IN ('ready', 'inflight') AND kind = 'notify'";
        const DELIVERIES: &str =
            "SELECT COUNT(*) AS depth, MIN(received_at) AS oldest FROM deliveries WHERE state IN ('new', 'leased')";
        let mut queues = [
            ("effects", 0, None),
            ("notifications", 0, None),
            ("deliveries", 0, None),
        ];
        for (queue, sql) in queues.iter_mut().zip([EFFECTS, NOTIFICATIONS, DELIVERIES]) {
            if let Some(row) = self.read(sql, values![]).await?.first() {
                queue.1 = row.int("depth")?;
                queue.2 = row.opt_int("oldest")?.map(moment);
            }
        }
        Ok(queues)
    }
}

/// The statement that parks an installation's writes until a moment that GitHub named.
pub fn park_installation(installation: InstallationId, until: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO pace (installation_id, next_at, hour_from, hour_count) VALUES ($1, $2, 0, 0)
        ON CONFLICT (installation_id) DO UPDATE SET next_at = $2 WHERE pace.next_at < $2",
        values![installation, micros(until)],
    )
}

/// The statement that refuses a write while an act of the workflow is under way or in doubt. Nobody claims one while the
/// write lasts.
pub fn no_act_under_way(workflow: &WorkflowId) -> Statement {
    Statement::new(
        "WITH acts AS MATERIALIZED (SELECT e.state, e.doubt FROM effects e
            WHERE e.workflow_id = $1 AND e.kind = 'act' AND e.state IN ('ready', 'inflight')
            /* postgres: FOR UPDATE */)
        UPDATE workflows SET updated_at = updated_at WHERE id = $1
            AND NOT EXISTS (SELECT 1 FROM acts WHERE state = 'inflight' OR doubt = 1)",
        values![workflow],
    )
    .exactly(1)
}

/// The statement that drops what was planned for a workflow and has not begun. What may have been carried out stays: it
/// is looked for, so that the record tells what happened.
pub fn cancel_planned(workflow: &WorkflowId, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE effects SET state = 'cancelled', ended_at = $2
        WHERE workflow_id = $1 AND state = 'ready' AND doubt = 0
            AND kind IN ('run_agent', 'act', 'expire_gate', 'start_child', 'ask_approver', 'read_checks')",
        values![workflow, micros(now)],
    )
}

/// The statement that drops a workflow's labels effects that have not begun, where a later one takes their place: each does
/// what should be so by then.
pub fn drop_labels(workflow: &WorkflowId, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE effects SET state = 'cancelled', result = 'a later one does it', ended_at = $2
        WHERE workflow_id = $1 AND state = 'ready' AND doubt = 0 AND kind = 'labels'",
        values![workflow, micros(now)],
    )
}

/// How the ids of the timers of a phase's gate begin.
pub fn timers_of(workflow: &WorkflowId, phase: &PhaseId) -> String {
    format!("{workflow}:timer:{phase}:")
}

/// The statement that drops the timers of a phase's gate, which closed, but for the one by which it closed.
pub fn end_timers(workflow: &WorkflowId, phase: &PhaseId, by: &str, now: Timestamp) -> Statement {
    let begin = timers_of(workflow, phase);
    let length = u64::try_from(begin.chars().count()).unwrap_or(u64::MAX);
    Statement::new(
        "UPDATE effects SET state = 'cancelled', ended_at = $2
        WHERE workflow_id = $1 AND state = 'ready' AND substr(id, 1, CAST($4 AS INTEGER)) = $3 AND id <> $5",
        values![workflow, micros(now), begin, length, by],
    )
}

impl LeasedEffect {
    /// Part of the write that ends it well.
    pub fn done(&self, result: &str, now: Timestamp) -> Statement {
        self.end("done", result, now)
    }

    /// Part of the write that gives it up.
    pub fn failed(&self, why: &str, now: Timestamp) -> Statement {
        self.end("failed", why, now)
    }

    /// Part of the write that drops it: it is not needed any more.
    pub fn dropped(&self, why: &str, now: Timestamp) -> Statement {
        self.end("cancelled", why, now)
    }

    /// Part of the write that puts it off. Doubt, once there, stays until the effect ends.
    pub fn put_off(&self, until: Timestamp, sent: Sent, why: &str) -> Statement {
        Statement::new(
            "UPDATE effects SET state = 'ready', run_at = $3, lease_until = 0, last_error = $4,
                doubt = CASE WHEN $5 = 1 THEN 1 ELSE doubt END
            WHERE seq = $1 AND fence = $2 AND state = 'inflight'",
            values![self.seq, self.fence, micros(until), why, sent == Sent::Maybe],
        )
        .exactly(1)
    }

    /// Part of the write that puts it off because GitHub limits our rate: that is no failure, and the attempt does not
    /// count.
    pub fn parked(&self, until: Timestamp, why: &str) -> Statement {
        Statement::new(
            "UPDATE effects SET state = 'ready', run_at = $3, lease_until = 0, last_error = $4, attempt = attempt - 1
            WHERE seq = $1 AND fence = $2 AND state = 'inflight'",
            values![self.seq, self.fence, micros(until), why],
        )
        .exactly(1)
    }

    /// Part of a write beside one that ends this attempt: the next one finds this payload.
    pub fn with_payload(&self, payload: &str) -> Statement {
        Statement::new(
            "UPDATE effects SET payload = $2 WHERE seq = $1",
            values![self.seq, payload],
        )
        .exactly(1)
    }

    /// Part of the write that has it run again later, as if for the first time.
    pub fn again(&self, at: Timestamp) -> Statement {
        Statement::new(
            "UPDATE effects SET state = 'ready', run_at = $3, lease_until = 0, attempt = 0, doubt = 0, last_error = NULL
            WHERE seq = $1 AND fence = $2 AND state = 'inflight'",
            values![self.seq, self.fence, micros(at)],
        )
        .exactly(1)
    }

    /// Extends the lease of a long effect.
    pub fn heartbeat(&self, until: Timestamp) -> Statement {
        Statement::new(
            "UPDATE effects SET lease_until = $3 WHERE seq = $1 AND fence = $2 AND state = 'inflight'",
            values![self.seq, self.fence, micros(until)],
        )
        .exactly(1)
    }

    fn end(&self, state: &str, result: &str, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE effects SET state = $3, result = $4, ended_at = $5, lease_until = 0
            WHERE seq = $1 AND fence = $2 AND state = 'inflight'",
            values![self.seq, self.fence, state, result, micros(now)],
        )
        .exactly(1)
    }
}

fn leased(row: &Row) -> Result<LeasedEffect, StoreError> {
    Ok(LeasedEffect {
        seq: row.int("seq")?,
        id: row.text("id")?.into(),
        workflow: row.opt_text("workflow_id")?.map(Into::into),
        installation: InstallationId(row.id("installation_id")?),
        repository: RepositoryId(row.id("repository_id")?),
        kind: row.text("kind")?.to_owned(),
        payload: row.text("payload")?.to_owned(),
        attempt: u32::try_from(row.int("attempt")?).unwrap_or(u32::MAX),
        doubt: row.flag("doubt")?,
        first_sent_at: moment(row.int("first_sent_at")?),
        lease_until: moment(row.int("lease_until")?),
        trace: row.opt_text("trace")?.map(TraceParent::from),
        fence: row.int("fence")?,
    })
}

fn summary(row: &Row) -> Result<EffectSummary, StoreError> {
    let state = row.text("state")?;
    let why = match state {
        "failed" => row.opt_text("result")?,
        _ => row.opt_text("last_error")?,
    };
    Ok(EffectSummary {
        id: row.text("id")?.to_owned(),
        kind: row.text("kind")?.to_owned(),
        workflow: row.opt_text("workflow_id")?.map(str::to_owned),
        repository_id: row.id("repository_id")?,
        state: state.to_owned(),
        attempt: row.int("attempt")?,
        doubt: row.flag("doubt")?,
        run_at: moment(row.int("run_at")?),
        last_error: why.map(str::to_owned),
        ended_at: row.opt_int("ended_at")?.map(moment),
    })
}
