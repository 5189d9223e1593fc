//! What models took, call by call, for statistics.

use super::{Store, StoreError};
use crate::values;
use crate::workflow::budget::{Money, Spend};
use crate::workflow::ids::{PhaseId, WorkflowId};

/// What one call took that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The workflow that it was made for.
    pub workflow: WorkflowId,
    /// The phase; `None` where its run is not kept any more.
    pub phase: Option<PhaseId>,
    /// The endpoint's name.
    pub endpoint: String,
    /// What its money is counted in.
    pub currency: String,
    /// The day on whose books it is, `YYYY-MM-DD` in UTC.
    pub day: String,
    /// What it took.
    pub spend: Spend,
}

impl Store {
    /// What every call took that has ended, the oldest first.
    pub async fn spent(&self) -> Result<Vec<Spent>, StoreError> {
        const ENDED: &str = "SELECT c.workflow_id, r.phase, c.endpoint, c.currency, c.day, c.tokens, c.money
            FROM calls c LEFT JOIN runs r ON r.id = c.run_id WHERE c.state <> 'open' ORDER BY c.started_at, c.id";
        let rows = self.read(ENDED, values![]).await?;
        let spent = rows.iter().map(|row| {
            Ok(Spent {
                workflow: row.text("workflow_id")?.into(),
                phase: row.opt_text("phase")?.map(PhaseId::from),
                endpoint: row.text("endpoint")?.to_owned(),
                currency: row.text("currency")?.to_owned(),
                day: row.text("day")?.to_owned(),
                spend: Spend {
                    tokens: row.id("tokens")?,
                    money: row.opt_int("money")?.map(Money),
                },
            })
        });
        spent.collect()
    }
}
