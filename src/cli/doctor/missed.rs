//! Deliveries that GitHub could not deliver and that did not come when they were asked for.

use chrono::{TimeDelta, Utc};

use super::findings::Findings;
use crate::store::missed::Missed;
use crate::store::{Store, StoreError};

/// How long a time in which nobody looked for deliveries is still told of.
const RECENT: TimeDelta = TimeDelta::days(30);

/// Deliveries that did not arrive, and the last time in which nobody looked for them.
pub(super) async fn look(store: &Store, findings: &mut Findings) -> Result<(), StoreError> {
    const AREA: &str = "missed";
    const SHOWN: usize = 10;
    let count = store.missed_count().await?;
    if count.waiting > 0 {
        findings.fine(
            AREA,
            format!("deliveries that did not arrive and are asked for: {}", count.waiting),
        );
    }
    for missed in store.missed_in_vain().await?.iter().take(SHOWN) {
        let Missed {
            delivery,
            event,
            first_at,
            asked,
            lost,
            ..
        } = missed;
        let said = format!("the delivery {delivery} ({event}, {first_at}) did not come, asked for {asked} times");
        match lost {
            true => findings.doubtful(
                AREA,
                format!("{said}; GitHub does not keep it any more"),
                "what it told of open workflows was read from GitHub instead; anything else has to be said again",
            ),
            false => findings.wrong(
                AREA,
                said,
                "look at what GitHub got for an answer (the App's settings, *Advanced*) and at the server's log",
            ),
        }
    }
    if let Some(gap) = store.gap().await?.filter(|gap| Utc::now() - gap.until < RECENT) {
        findings.doubtful(
            AREA,
            format!(
                "from {} until {} nobody looked for deliveries, and GitHub does not keep them any more",
                gap.from, gap.until
            ),
            "open workflows were compared with GitHub instead; what was asked for elsewhere has to be said again",
        );
    }
    Ok(())
}
