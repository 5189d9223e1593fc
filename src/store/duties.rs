//! What one of the servers does for all of them, now and then: each duty is a row that is claimed with a lease, so that
//! none of them is a leader.

use chrono::TimeDelta;

use super::deliveries::{micros, moment};
use super::{Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::state::Timestamp;

/// A duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Look for deliveries that never came.
    Sweep,
    /// See to it that every open workflow is compared with GitHub now and then, and that none stands still.
    Upkeep,
}

impl Duty {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Upkeep => "upkeep",
        }
    }
}

/// A time in which deliveries may have been lost: GitHub kept them no longer when they were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Gap {
    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.until - self.from
    }
}

/// A duty that this process does now. Only [`Store::claim_duty`] makes one.
#[derive(Debug, Clone)]
pub struct LeasedDuty {
    /// What everything before is accounted for.
    pub done_until: Option<Timestamp>,
    duty: Duty,
    fence: i64,
}

impl Store {
    /// Takes a duty if it is due and nobody has it.
    pub async fn claim_duty(
        &self,
        duty: Duty,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LeasedDuty>, StoreError> {
        self.may_claim()?;
        let claim = Statement::new(
            "INSERT INTO duties (name, next_at, fence, lease_owner, lease_until) VALUES ($1, 0, 1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET lease_owner = $2, lease_until = $3, fence = duties.fence + 1
                WHERE duties.next_at <= $4 AND duties.lease_until <= $4
            RETURNING done_until, fence",
            values![duty.as_str(), owner, micros(until), micros(now)],
        );
        let rows = self.write(Write::of(claim)).await?;
        rows[0]
            .first()
            .map(|row| {
                Ok(LeasedDuty {
                    done_until: row.opt_int("done_until")?.map(moment),
                    duty,
                    fence: row.int("fence")?,
                })
            })
            .transpose()
    }

    /// The last time in which deliveries may have been lost, if there ever was one.
    pub async fn gap(&self) -> Result<Option<Gap>, StoreError> {
        const GAP: &str = "SELECT gap_from, gap_until FROM duties
            WHERE name = 'sweep' AND gap_from IS NOT NULL AND gap_until IS NOT NULL";
        let rows = self.read(GAP, values![]).await?;
        rows.first()
            .map(|row| {
                Ok(Gap {
                    from: moment(row.int("gap_from")?),
                    until: moment(row.int("gap_until")?),
                })
            })
            .transpose()
    }
}

impl LeasedDuty {
    /// The statement that ends it for this time. What is told of `done_until` and of a gap is kept, the rest stays.
    pub fn done(&self, next_at: Timestamp, done_until: Option<Timestamp>, gap: Option<Gap>) -> Statement {
        Statement::new(
            "UPDATE duties SET next_at = $3, lease_until = 0, done_until = COALESCE($4, done_until),
                gap_from = COALESCE($5, gap_from), gap_until = COALESCE($6, gap_until)
            WHERE name = $1 AND fence = $2",
            values![
                self.duty.as_str(),
                self.fence,
                micros(next_at),
                done_until.map(micros),
                gap.map(|gap| micros(gap.from)),
                gap.map(|gap| micros(gap.until)),
            ],
        )
        .exactly(1)
    }
}
