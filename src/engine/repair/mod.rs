//! Repair: what no delivery told is found, what is otherwise than it should be is mended, and what stands still is told.
//!
//! Every open workflow has a timer by which it is compared with GitHub each hour, at the start of a server and when
//! somebody asks how it stands. A timer is a row like any other effect, so any server may run it and none is elected.
//! All of it changes nothing where nothing is wrong, and nothing twice.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `reconcile` | one workflow compared with GitHub, from its repository to what it opened |
//! | `whereabouts` | where its subject is now |
//! | `unheard` | what people said and nobody told |
//! | `repost` | comments of the bot that are gone |
//! | `verify` | what a write in doubt may have made twice |

mod reconcile;
mod repost;
mod unheard;
mod verify;
mod whereabouts;

use chrono::TimeDelta;

use super::Engine;
use super::change::{Payload, Spot};
use crate::chat::say::replies as say;
use crate::github::Topic;
use crate::store::duties::Duty;
use crate::store::repair::{OpenWorkflow, Stuck, reconcile_at, reconcile_id};
use crate::store::workflows::Stored;
use crate::store::{Statement, StoreError, Write};

pub(super) use verify::Verification;

/// How often a workflow is compared with GitHub.
pub(super) const EVERY: TimeDelta = TimeDelta::hours(1);

/// How long after a write in doubt its duplicates are looked for: what was on its way has arrived by then.
pub(super) const VERIFIED_AFTER: TimeDelta = TimeDelta::minutes(2);

/// How often the workflows as a whole are looked at.
const UPKEEP_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long that may take before another server may do it.
const UPKEEP_LEASE: TimeDelta = TimeDelta::minutes(2);

/// Between two workflows when all are compared with GitHub: answers go before that.
const SPACING: TimeDelta = TimeDelta::seconds(1);

/// What was found when all open workflows were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Those that stand still, which was said on their subject.
    pub stuck: Vec<Stuck>,
}

impl Engine {
    /// Sees to it that every open workflow is compared with GitHub now and then, and says of each that stands still that
    /// it does, once for each time. `None` when that was done lately, or another server does it.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn upkeep(&self) -> Result<Option<Upkeep>, StoreError> {
        let (store, now) = (self.store(), self.now());
        let owner = &self.parts().owner;
        let claimed = store.claim_duty(Duty::Upkeep, owner, now, now + UPKEEP_LEASE).await?;
        let Some(duty) = claimed else {
            return Ok(None);
        };
        self.plan_reconciles().await?;
        let stuck = store.stuck().await?;
        let mut write = Write::of(duty.done(now + UPKEEP_EVERY, None, None));
        for one in &stuck {
            tracing::error!(workflow = %one.id, "a workflow stands still: nothing is due and nobody is waited for");
            let Some(stored) = store.workflow(&one.id).await? else {
                continue;
            };
            let id = format!("stuck:{}:{}", one.id, one.version);
            write.push(self.said_on(&stored, &id, say::stands_still(&one.id))?);
            write.append(self.told_stuck(&stored)?);
        }
        match store.write(write).await {
            Ok(_) => {}
            // Another server has the duty now, and says the same.
            Err(StoreError::Missed { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        if !stuck.is_empty() {
            self.wake();
        }
        Ok(Some(Upkeep { stuck }))
    }

    /// Has every open workflow compared with GitHub soon, one after the other.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn reconcile_all(&self) -> Result<usize, StoreError> {
        self.plan_reconciles().await?;
        let count = self.store().reconcile_timers().await?;
        let spacing = match i32::try_from(count) {
            Ok(count) if count > 0 => SPACING.min(EVERY / count),
            _ => TimeDelta::zero(),
        };
        let brought = self.store().reconcile_all(self.now(), spacing).await?;
        self.wake();
        Ok(brought)
    }

    /// Has a workflow compared with GitHub now.
    pub(super) async fn reconcile_soon(&self, stored: &Stored) -> Result<(), StoreError> {
        let open = OpenWorkflow {
            id: stored.state.id.clone(),
            installation: stored.installation,
            repository: stored.state.subject.repository,
        };
        let write = Write::of(self.reconcile_timer(&open)?).then(reconcile_at(&open.id, self.now()));
        self.store().write(write).await.map(drop)
    }

    /// The statement that says something on a workflow's subject, once under this id.
    fn said_on(&self, stored: &Stored, id: &str, body: String) -> Result<Statement, StoreError> {
        let number = stored.state.subject.number;
        let spot = Spot {
            installation: stored.installation,
            repository: stored.state.subject.repository,
        };
        let said = Payload::Reply {
            number,
            on: Topic::of(&stored.state.subject)
                .map(|topic| topic.kind)
                .unwrap_or_default(),
            to: None,
            to_line: None,
            body,
        };
        self.answer(spot, number, id, &said)
    }

    /// Gives every open workflow that lacks one its timer.
    async fn plan_reconciles(&self) -> Result<(), StoreError> {
        let mut write = Write::new();
        for open in self.store().without_reconcile().await? {
            write.push(self.reconcile_timer(&open)?);
        }
        if !write.is_empty() {
            self.store().write(write).await?;
        }
        Ok(())
    }

    /// The statement that plans a workflow's timer. It bears no workflow, because it brings none on.
    fn reconcile_timer(&self, open: &OpenWorkflow) -> Result<Statement, StoreError> {
        let spot = Spot {
            installation: open.installation,
            repository: open.repository,
        };
        let payload = Payload::Reconcile {
            workflow: open.id.clone(),
        };
        let id = reconcile_id(&open.id);
        let lane = id.to_string();
        self.effect(id, None, spot, lane, &payload)
    }
}
