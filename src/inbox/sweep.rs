//! Deliveries that GitHub could not deliver: it does not try again by itself, so they are listed and asked for
//! (<https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries>).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::github::{App, AttemptId, Cursor, GithubError};
use crate::store::{Store, StoreError};
use crate::workflow::ids::DeliveryId;
use crate::workflow::state::Timestamp;

/// How far back GitHub keeps deliveries that can be asked for again.
pub const KEPT: TimeDelta = TimeDelta::days(3);

/// How far back a sweep looks once a first one looked back over all that is kept.
pub const LATELY: TimeDelta = TimeDelta::hours(2);

/// How many deliveries one sweep asks for.
const ASKED_AT_MOST: usize = 60;

/// After so many attempts a delivery is left to a person: something is wrong that repeating does not mend.
const ATTEMPTS: usize = 6;

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deliveries that never came.
    pub missing: usize,
    /// Those that GitHub was asked for.
    pub asked: usize,
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

/// Lists what GitHub tried to deliver since a moment, and asks again for what neither arrived nor is stored.
///
/// # Errors
/// [`SweepError`]; what was asked for until then stays asked for.
pub async fn sweep(app: &App, store: &Store, since: Timestamp) -> Result<Swept, SweepError> {
    let mut swept = Swept::default();
    for (guid, attempts) in failed(app, since).await? {
        if !store.lacks_delivery(&guid).await? {
            continue;
        }
        swept.missing += 1;
        if swept.asked < ASKED_AT_MOST && attempts.len() < ATTEMPTS {
            app.redeliver(attempts[0]).await?;
            swept.asked += 1;
        }
    }
    Ok(swept)
}

/// Deliveries none of whose attempts arrived, oldest first, each with its attempts, newest first.
async fn failed(app: &App, since: Timestamp) -> Result<Vec<(DeliveryId, Vec<AttemptId>)>, GithubError> {
    let mut attempts: BTreeMap<DeliveryId, (Timestamp, Vec<AttemptId>, bool)> = BTreeMap::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = app.deliveries(cursor.as_ref()).await?;
        let mut older = page.deliveries.is_empty();
        for delivery in &page.deliveries {
            if delivery.delivered_at < since {
                older = true;
                continue;
            }
            let known = attempts
                .entry(delivery.guid.clone())
                .or_insert((delivery.delivered_at, Vec::new(), false));
            known.0 = known.0.min(delivery.delivered_at);
            known.1.push(delivery.id);
            known.2 |= delivery.arrived();
        }
        cursor = page.next;
        if older || cursor.is_none() {
            break;
        }
    }
    let mut failed: Vec<_> = attempts.into_iter().filter(|(_, (_, _, arrived))| !arrived).collect();
    failed.sort_by_key(|(_, (at, ..))| *at);
    Ok(failed
        .into_iter()
        .map(|(guid, (_, attempts, _))| (guid, attempts))
        .collect())
}
