//! What is old enough is forgotten, a little at a time.

use super::deliveries::micros;
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// How much was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Deliveries.
    pub deliveries: usize,
    /// Workflows, each whole.
    pub workflows: usize,
}

impl Forgotten {
    /// Whether there was nothing to forget.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Deliveries of a subject whose workflow is open are still read: they tell which comments were edited.
const OLD_DELIVERIES: &str = "DELETE FROM deliveries WHERE seq IN (SELECT d.seq FROM deliveries d
        WHERE d.state IN ('done', 'failed', 'dead') AND d.received_at < $1
        AND NOT EXISTS (SELECT 1 FROM workflows w
            WHERE w.repository_id = d.repository_id AND w.subject = d.subject AND w.status = 'open')
        ORDER BY d.seq LIMIT $2)
    RETURNING seq";

/// Answers and reactions that belong to no workflow.
const OLD_ANSWERS: &str = "DELETE FROM effects WHERE seq IN (SELECT seq FROM effects
    WHERE workflow_id IS NULL AND ended_at < $1 ORDER BY seq LIMIT $2)";

/// A child stays as long as its parent is open, and nothing goes that has still something to do.
const OLD_WORKFLOWS: &str = "SELECT w.id FROM workflows w WHERE w.status <> 'open' AND w.updated_at < $1
    AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.workflow_id = w.id AND e.state IN ('ready', 'inflight'))
    AND NOT EXISTS (SELECT 1 FROM links l JOIN workflows p ON p.id = l.workflow_id
        WHERE l.repository_id = w.repository_id AND l.kind = 'issue' AND l.number = w.subject AND l.role = 'child'
        AND l.detail = w.id AND p.status = 'open')
    ORDER BY w.updated_at, w.id LIMIT $2";

/// Everything that bears a workflow's id, its own row last.
const OF_A_WORKFLOW: [&str; 11] = [
    "DELETE FROM mails WHERE workflow_id = $1",
    "DELETE FROM effects WHERE workflow_id = $1",
    "DELETE FROM calls WHERE workflow_id = $1",
    "DELETE FROM budgets WHERE account = 'workflow:' || $1",
    "DELETE FROM runs WHERE workflow_id = $1",
    "DELETE FROM artifacts WHERE workflow_id = $1",
    "DELETE FROM gates WHERE workflow_id = $1",
    "DELETE FROM cards WHERE workflow_id = $1",
    "DELETE FROM links WHERE workflow_id = $1",
    "DELETE FROM heard WHERE workflow_id = $1",
    "DELETE FROM events WHERE workflow_id = $1",
];

impl Store {
    /// Forgets what ended before a moment, at most so many deliveries and so many workflows. What was acted on, by meaning,
    /// stays: it is ids alone, and keeps a comment from acting twice.
    ///
    /// # Errors
    /// Whatever the database says; what was forgotten until then stays so.
    pub async fn forget_before(&self, before: Timestamp, at_most: u32) -> Result<Forgotten, StoreError> {
        let old = micros(before);
        let mut write = Write::of(Statement::new(OLD_DELIVERIES, values![old, at_most]));
        write.push(Statement::new(OLD_ANSWERS, values![old, at_most]));
        write.push(Statement::new(
            "DELETE FROM operator_commands WHERE done_at < $1",
            values![old],
        ));
        let deliveries = self.write(write).await?[0].len();
        let ended = self.read(OLD_WORKFLOWS, values![old, at_most]).await?;
        for row in &ended {
            let id = row.text("id")?;
            let mut write = Write::new();
            for sql in OF_A_WORKFLOW {
                write.push(Statement::new(sql, values![id]));
            }
            write.push(Statement::new(
                "DELETE FROM workflows WHERE id = $1 AND status <> 'open'",
                values![id],
            ));
            self.write(write).await?;
        }
        Ok(Forgotten {
            deliveries,
            workflows: ended.len(),
        })
    }
}
