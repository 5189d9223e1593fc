//! Deliveries that GitHub could not deliver: it does not try again by itself, so they are listed and asked for
//! (<https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries>).
//!
//! The database holds how far back they are accounted for, and those that are missing. So a restart or another server
//! looks back just as far as is needed, and what was asked for in vain is asked for again later.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::github::{App, AttemptId, Cursor, GithubError};
use crate::store::duties::{Duty, Gap, LeasedDuty};
use crate::store::missed::{LATE_AFTER, Missed, forget_arrived, forget_lost_before, lose_before};
use crate::store::{Store, StoreError, Write};
use crate::workflow::ids::DeliveryId;
use crate::workflow::state::Timestamp;

/// How often they are looked for.
pub const EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long one look may take before another server may do it.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// How far the lists overlap: an attempt is listed only when it has ended.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// How many deliveries one sweep asks for.
const ASKED_AT_MOST: u32 = 60;

/// How long a delivery rests after each time that it was asked for; the last one holds from then on.
const RESTS: [TimeDelta; 6] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
    TimeDelta::hours(3),
    TimeDelta::hours(6),
];

/// How long a delivery that cannot be had any more is still told of.
const TOLD_OF: TimeDelta = TimeDelta::days(30);

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deliveries that never came and can still be had.
    pub missing: usize,
    /// Those that GitHub was asked for.
    pub asked: usize,
    /// Those that were asked for so often now that somebody should look.
    pub late: usize,
    /// Those that cannot be had any more since now.
    pub lost: usize,
    /// A time of which nothing is known: what GitHub tried then it does not keep any more.
    pub gap: Option<Gap>,
}

/// Why a sweep stopped early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// GitHub did not answer as it should.
    #[error(transparent)]
    GitHub(#[from] GithubError),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a sweep works with.
pub struct Sweep<'a> {
    /// GitHub, asked as the App.
    pub app: &'a App,
    /// The database.
    pub store: &'a Store,
    /// What this process is called in leases.
    pub owner: &'a str,
    /// How far back this GitHub keeps deliveries that can be asked for again.
    pub kept: TimeDelta,
    /// The moment.
    pub now: Timestamp,
}

impl Sweep<'_> {
    /// Lists what GitHub tried to deliver since that was last accounted for, and asks again for what neither arrived nor is
    /// stored. `None` when it was done lately, or another server does it.
    ///
    /// # Errors
    /// [`SweepError`]; what was asked for until then stays asked for, and the next sweep looks back as far as this one.
    pub async fn run(&self) -> Result<Option<Swept>, SweepError> {
        let until = self.now + LEASE;
        let claimed = self.store.claim_duty(Duty::Sweep, self.owner, self.now, until).await?;
        let Some(duty) = claimed else {
            return Ok(None);
        };
        let swept = self.look(&duty).await;
        let next = self.now + EVERY;
        let end = match &swept {
            Ok(swept) => duty.done(next, Some(self.now), swept.gap),
            Err(_) => duty.done(next, None, None),
        };
        match self.store.write(Write::of(end)).await {
            // Another server has it now, and looks back as far as this one did.
            Ok(_) | Err(StoreError::Missed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        swept.map(Some)
    }

    async fn look(&self, duty: &LeasedDuty) -> Result<Swept, SweepError> {
        let horizon = self.now - self.kept;
        let since = duty.done_until.map_or(horizon, |until| horizon.max(until - OVERLAP));
        let mut swept = Swept {
            gap: duty
                .done_until
                .filter(|until| *until < horizon)
                .map(|from| Gap { from, until: horizon }),
            ..Swept::default()
        };
        let mut write = Write::new();
        for failed in self.failed(since).await? {
            if self.store.lacks_delivery(&failed.delivery).await? {
                write.push(failed.noted(self.now));
            }
        }
        write.push(forget_arrived());
        write.push(forget_lost_before(self.now - TOLD_OF));
        let lost = write.push(lose_before(horizon, self.now));
        swept.lost = self.store.write(write).await?[lost].len();
        swept.missing = usize::try_from(self.store.missed_count().await?.waiting).unwrap_or(usize::MAX);
        for missed in self.store.missed_due(self.now, ASKED_AT_MOST).await? {
            let noted = match self.app.redeliver(AttemptId(missed.attempt)).await {
                Ok(()) => {
                    swept.asked += 1;
                    swept.late += usize::from(missed.asked + 1 == LATE_AFTER);
                    let rest = RESTS[(missed.asked as usize).min(RESTS.len() - 1)];
                    missed.asked_for(self.now + rest)
                }
                Err(GithubError::NotFound(_)) => {
                    swept.lost += 1;
                    missed.lost(self.now)
                }
                Err(error) => return Err(error.into()),
            };
            self.store.write(Write::of(noted)).await?;
        }
        Ok(swept)
    }

    /// Deliveries none of whose attempts arrived, oldest first.
    async fn failed(&self, since: Timestamp) -> Result<Vec<Missed>, GithubError> {
        let mut tried: BTreeMap<DeliveryId, (Missed, bool)> = BTreeMap::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = self.app.deliveries(cursor.as_ref()).await?;
            let mut older = page.deliveries.is_empty();
            for attempt in page.deliveries {
                if attempt.delivered_at < since {
                    older = true;
                    continue;
                }
                let arrived = attempt.arrived();
                let missed = Missed {
                    delivery: attempt.guid,
                    attempt: attempt.id.0,
                    event: attempt.event,
                    first_at: attempt.delivered_at,
                    asked: 0,
                    lost: false,
                };
                // Newest first: the first that is seen of a delivery is its newest attempt.
                let known = tried
                    .entry(missed.delivery.clone())
                    .or_insert_with(|| (missed.clone(), false));
                known.0.first_at = known.0.first_at.min(missed.first_at);
                known.1 |= arrived;
            }
            cursor = page.next;
            if older || cursor.is_none() {
                break;
            }
        }
        let failed = tried.into_values().filter(|(_, arrived)| !arrived);
        let mut failed: Vec<Missed> = failed.map(|(missed, _)| missed).collect();
        failed.sort_by(|one, other| (one.first_at, &one.delivery).cmp(&(other.first_at, &other.delivery)));
        Ok(failed)
    }
}
