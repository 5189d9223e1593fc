//! When each open workflow is compared with GitHub next, how far its people were heard, and what stands still.

use chrono::TimeDelta;

use super::deliveries::{micros, moment};
use super::packed::unpacked;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::ids::{CommentId, EffectId, InstallationId, IssueNumber, RepositoryId, WorkflowId};
use crate::workflow::state::Timestamp;

/// The kind of the timers by which workflows are compared with GitHub.
pub const RECONCILE: &str = "reconcile";

/// An open workflow, as far as a timer of it needs.
#[derive(Debug, Clone)]
pub struct OpenWorkflow {
    /// Its id.
    pub id: WorkflowId,
    /// The installation that it acts through.
    pub installation: InstallationId,
    /// The repository of its subject.
    pub repository: RepositoryId,
}

/// An open workflow that breaks the invariant: nothing of it is due, no timer runs and nobody is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Its id.
    pub id: WorkflowId,
    /// How many events it has: while that stays, it is the same violation.
    pub version: u64,
}

/// The id of the timer by which a workflow is compared with GitHub: one row for each, however often it runs.
pub fn reconcile_id(workflow: &WorkflowId) -> EffectId {
    EffectId::from(format!("{workflow}:{RECONCILE}"))
}

/// The statement that has a workflow compared with GitHub at this moment, if that was not due before.
pub fn reconcile_at(workflow: &WorkflowId, at: Timestamp) -> Statement {
    brought_forward(reconcile_id(workflow).as_str(), at)
}

fn brought_forward(timer: &str, at: Timestamp) -> Statement {
    Statement::new(
        "UPDATE effects SET run_at = $2 WHERE id = $1 AND state = 'ready' AND run_at > $2",
        values![timer, micros(at)],
    )
}

/// The statement that keeps how far a workflow's people were heard. It never goes back.
pub fn keep_heard(workflow: &WorkflowId, repository: RepositoryId, until: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO heard (workflow_id, repository_id, heard_until) VALUES ($1, $2, $3)
        ON CONFLICT (workflow_id) DO UPDATE SET heard_until = $3 WHERE heard.heard_until < $3",
        values![workflow, repository, micros(until)],
    )
}

/// Open workflows that break the invariant. One that waits for its children waits for an open one of them, of which the
/// same is asked; checks and approvers that are models are nobody, so something must be due for them. To compare a workflow
/// with GitHub, to look for a duplicate, to set labels, or to tell somebody of it, brings none on.
const STUCK: &str = "SELECT w.id, w.version FROM workflows w
    WHERE w.status = 'open' AND w.held = 0
    AND (w.waits_for = '' OR w.waits_for LIKE 'the checks of %' OR w.waits_for LIKE 'the approver of %'
        OR w.waits_for LIKE 'the children of %' AND NOT EXISTS (SELECT 1 FROM links l
            JOIN workflows c ON c.id = l.detail
            WHERE l.workflow_id = w.id AND l.role = 'child' AND c.status = 'open'))
    AND NOT EXISTS (SELECT 1 FROM effects e
        WHERE e.workflow_id = w.id AND e.state IN ('ready', 'inflight') AND e.kind NOT IN ('labels', 'notify'))
    ORDER BY w.id";

impl Store {
    /// Open workflows that break the invariant.
    pub async fn stuck(&self) -> Result<Vec<Stuck>, StoreError> {
        let rows = self.read(STUCK, values![]).await?;
        rows.iter()
            .map(|row| {
                Ok(Stuck {
                    id: row.text("id")?.into(),
                    version: row.id("version")?,
                })
            })
            .collect()
    }

    /// The ids of [`Store::stuck`].
    pub async fn stuck_workflows(&self) -> Result<Vec<String>, StoreError> {
        Ok(self
            .stuck()
            .await?
            .into_iter()
            .map(|stuck| stuck.id.to_string())
            .collect())
    }

    /// Open workflows without a timer by which they are compared with GitHub.
    pub async fn without_reconcile(&self) -> Result<Vec<OpenWorkflow>, StoreError> {
        const WITHOUT: &str = "SELECT w.id, w.installation_id, w.repository_id FROM workflows w
            WHERE w.status = 'open' AND NOT EXISTS (SELECT 1 FROM effects e
                WHERE e.id = w.id || ':reconcile' AND e.state IN ('ready', 'inflight'))
            ORDER BY w.id";
        let rows = self.read(WITHOUT, values![]).await?;
        rows.iter()
            .map(|row| {
                Ok(OpenWorkflow {
                    id: row.text("id")?.into(),
                    installation: InstallationId(row.id("installation_id")?),
                    repository: RepositoryId(row.id("repository_id")?),
                })
            })
            .collect()
    }

    /// Brings forward the timers that are not due yet: one each `spacing`, from now on. Tells how many.
    pub async fn reconcile_all(&self, now: Timestamp, spacing: TimeDelta) -> Result<usize, StoreError> {
        const LATER: &str =
            // With the states of the index of open rows: SQLite reads every effect otherwise.
            "SELECT id FROM effects WHERE state IN ('ready', 'inflight') AND state = 'ready' AND kind = 'reconcile'
                AND run_at > $1 ORDER BY run_at, seq";
        let rows = self.read(LATER, values![micros(now)]).await?;
        let mut write = Write::new();
        let mut at = now;
        for row in &rows {
            write.push(brought_forward(row.text("id")?, at));
            at += spacing;
        }
        if !write.is_empty() {
            self.write(write).await?;
        }
        Ok(rows.len())
    }

    /// How many workflows are compared with GitHub now and then.
    pub async fn reconcile_timers(&self) -> Result<usize, StoreError> {
        const ALL: &str = "SELECT COUNT(*) AS number FROM effects
            WHERE kind = 'reconcile' AND state IN ('ready', 'inflight')";
        let rows = self.read(ALL, values![]).await?;
        let number = rows.first().map_or(Ok(0), |row| row.int("number"))?;
        Ok(usize::try_from(number).unwrap_or_default())
    }

    /// How far a workflow's people were heard, if that was ever looked at.
    pub async fn heard_until(&self, workflow: &WorkflowId) -> Result<Option<Timestamp>, StoreError> {
        const UNTIL: &str = "SELECT heard_until FROM heard WHERE workflow_id = $1";
        let rows = self.read(UNTIL, values![workflow]).await?;
        rows.first().map(|row| row.int("heard_until").map(moment)).transpose()
    }

    /// Whether anything was acted on whose meaning begins so.
    pub async fn was_acted_on_within(&self, begin: &str) -> Result<bool, StoreError> {
        const WITHIN: &str = "SELECT key FROM meanings WHERE key >= $1 AND key < $2 LIMIT 1";
        // `;` is the character after `:`.
        let (first, last) = (format!("{begin}:"), format!("{begin};"));
        Ok(!self.read(WITHIN, values![first, last]).await?.is_empty())
    }

    /// What was acted on whose meaning begins so: each whole meaning, with what came of it.
    pub async fn acted_on_within(&self, begin: &str) -> Result<Vec<(String, String)>, StoreError> {
        const WITHIN: &str = "SELECT key, outcome FROM meanings WHERE key >= $1 AND key < $2 ORDER BY key";
        let (first, last) = (format!("{begin}:"), format!("{begin};"));
        let rows = self.read(WITHIN, values![first, last]).await?;
        rows.iter()
            .map(|row| Ok((row.text("key")?.to_owned(), row.text("outcome")?.to_owned())))
            .collect()
    }

    /// What was delivered about a subject since a moment: event, body and when.
    pub async fn told_since(
        &self,
        repository: RepositoryId,
        subject: IssueNumber,
        since: Timestamp,
    ) -> Result<Vec<(String, Vec<u8>, Timestamp)>, StoreError> {
        const TOLD: &str = "SELECT event, body, received_at FROM deliveries
            WHERE repository_id = $1 AND subject = $2 AND received_at >= $3 ORDER BY seq";
        let rows = self.read(TOLD, values![repository, subject, micros(since)]).await?;
        rows.iter()
            .map(|row| {
                let received_at = moment(row.int("received_at")?);
                Ok((row.text("event")?.to_owned(), unpacked(row.blob("body")?)?, received_at))
            })
            .collect()
    }

    /// Whether a workflow's card is about to be written.
    pub async fn card_is_due(&self, workflow: &WorkflowId) -> Result<bool, StoreError> {
        const DUE: &str = "SELECT seq FROM effects
            WHERE workflow_id = $1 AND kind = 'card' AND state IN ('ready', 'inflight') LIMIT 1";
        Ok(!self.read(DUE, values![workflow]).await?.is_empty())
    }

    /// Whether the labels of this workflow are to be set, or are being set.
    pub async fn labels_are_due(&self, workflow: &WorkflowId) -> Result<bool, StoreError> {
        const DUE: &str = "SELECT seq FROM effects
            WHERE workflow_id = $1 AND kind = 'labels' AND state IN ('ready', 'inflight') LIMIT 1";
        Ok(!self.read(DUE, values![workflow]).await?.is_empty())
    }

    /// The first of these comments that a workflow knows as its own.
    pub async fn known_comment(
        &self,
        workflow: &WorkflowId,
        comments: &[CommentId],
    ) -> Result<Option<CommentId>, StoreError> {
        const KNOWN: &str = "SELECT number FROM links WHERE workflow_id = $1 AND number = $2
                AND kind IN ('comment', 'discussion_comment')
            UNION ALL SELECT comment_id AS number FROM cards WHERE workflow_id = $1 AND comment_id = $2 LIMIT 1";
        for comment in comments {
            if !self.read(KNOWN, values![workflow, *comment]).await?.is_empty() {
                return Ok(Some(*comment));
            }
        }
        Ok(None)
    }
}
