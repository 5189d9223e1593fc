//! Deliveries: `new → leased → done | failed | dead`.

use super::packed::{self, unpacked};
use super::{Row, Statement, Store, StoreError, Write};
use crate::traces::TraceParent;
use crate::values;
use crate::workflow::ids::{DeliveryId, InstallationId, IssueNumber, RepositoryId};
use crate::workflow::state::Timestamp;

/// A delivery as it came, with what was read of it to find its lane.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// `X-GitHub-Delivery`.
    pub id: DeliveryId,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The installation that it came from.
    pub installation: Option<InstallationId>,
    /// The repository that it is about.
    pub repository: Option<RepositoryId>,
    /// The issue or pull request that it is about.
    pub subject: Option<IssueNumber>,
    /// The raw bytes.
    pub body: Vec<u8>,
    /// What can be said of it at once: nothing has to be done, for this reason.
    pub settled: Option<String>,
    /// Where in a trace it came, where traces are kept.
    pub trace: Option<TraceParent>,
}

/// What became of a delivery when it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is there for the first time.
    New,
    /// It was there and is not done again.
    Again,
    /// It had failed and is tried anew.
    Revived,
}

/// A delivery that this process handles now. Only [`Store::claim_deliveries`] makes one.
#[derive(Debug, Clone)]
pub struct LeasedDelivery {
    /// Its position in the order of arrival.
    pub seq: i64,
    /// Its id.
    pub id: DeliveryId,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The raw bytes.
    pub body: Vec<u8>,
    /// The installation that it came from.
    pub installation: Option<InstallationId>,
    /// When it was stored.
    pub received_at: Timestamp,
    /// How many times it was claimed, this one included.
    pub attempt: u32,
    /// Where in a trace it came.
    pub trace: Option<TraceParent>,
    fence: i64,
}

/// A delivery as the lists show it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DeliverySummary {
    /// Its id.
    pub id: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The repository's id.
    pub repository_id: Option<u64>,
    /// The number of the issue or pull request.
    pub subject: Option<u64>,
    /// When it was stored.
    pub received_at: Timestamp,
    /// `new`, `leased`, `done`, `failed` or `dead`.
    pub state: String,
    /// What became of it.
    pub outcome: Option<String>,
    /// How many times it was claimed.
    pub attempt: i64,
    /// How many times GitHub sent it.
    pub seen: i64,
}

/// Microseconds since 1970.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// The way back. A number out of range becomes the start of 1970.
pub(super) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}

/// A delivery is due when it is the first of its lane that is not ended.
const CLAIM: &str = "WITH due AS MATERIALIZED (SELECT d.seq FROM deliveries d
        WHERE d.state IN ('new', 'leased') AND d.run_at <= $3 AND d.lease_until <= $3
        AND NOT EXISTS (SELECT 1 FROM deliveries e
            WHERE e.lane = d.lane AND e.seq < d.seq AND e.state IN ('new', 'leased'))
        ORDER BY d.run_at, d.seq LIMIT $4 /* postgres: FOR UPDATE SKIP LOCKED */)
    UPDATE deliveries
    SET state = 'leased', attempt = attempt + 1, fence = fence + 1, lease_owner = $1, lease_until = $2
    WHERE seq IN (SELECT seq FROM due)
    RETURNING seq, id, event, body, installation_id, received_at, attempt, trace, fence";

impl Store {
    /// Stores a delivery; one commit. A delivery that failed or died is tried anew when GitHub sends it again; one that
    /// is done or under way is counted.
    ///
    /// # Errors
    /// Whatever the store says: then GitHub must be told that it was not taken.
    pub async fn accept(&self, delivery: NewDelivery, now: Timestamp) -> Result<Accepted, StoreError> {
        let lane = match (delivery.repository, delivery.subject) {
            (Some(repository), Some(subject)) => format!("{repository}#{subject}"),
            (Some(repository), None) => repository.to_string(),
            (None, _) => "app".to_owned(),
        };
        let (state, outcome, body) = match delivery.settled {
            Some(why) => ("done", Some(why), packed::packed(delivery.body)?),
            None => ("new", None, packed::plain(delivery.body)?),
        };
        let insert = Statement::new(
            "INSERT INTO deliveries (id, event, action, installation_id, repository_id, subject, lane, body,
                received_at, state, outcome, run_at, trace)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $9, $12) ON CONFLICT (id) DO NOTHING",
            values![
                &delivery.id,
                delivery.event,
                delivery.action,
                delivery.installation,
                delivery.repository,
                delivery.subject,
                lane,
                body,
                micros(now),
                state,
                outcome,
                delivery.trace.as_ref().map(TraceParent::as_str),
            ],
        )
        .exactly(1);
        // Nearly all are new: only those that are not need a second statement.
        match self.write(Write::of(insert)).await {
            Err(StoreError::Missed { .. }) => self.accept_again(&delivery.id, delivery.trace.as_ref(), now).await,
            written => written.map(|_| Accepted::New),
        }
    }

    /// Counts a delivery that is there.
    async fn accept_again(
        &self,
        id: &DeliveryId,
        trace: Option<&TraceParent>,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let again = Statement::new(
            "UPDATE deliveries SET seen = seen + 1,
                trace = CASE WHEN state IN ('failed', 'dead') THEN $3 ELSE trace END,
                attempt = CASE WHEN state IN ('failed', 'dead') THEN 0 ELSE attempt END,
                run_at = CASE WHEN state IN ('failed', 'dead') THEN $2 ELSE run_at END,
                state = CASE WHEN state IN ('failed', 'dead') THEN 'new' ELSE state END
            WHERE id = $1 RETURNING state",
            values![id, micros(now), trace.map(TraceParent::as_str)],
        );
        let rows = self.write(Write::of(again)).await?;
        let row = rows[0].first().ok_or_else(|| {
            StoreError::Unavailable(
                "the delivery was there and was forgotten this instant: it must come again".to_owned(),
            )
        })?;
        Ok(match row.text("state")? {
            "new" => Accepted::Revived,
            _ => Accepted::Again,
        })
    }

    /// Takes up to `limit` deliveries that are due, at most one of each lane, in the order in which they came. A lease that
    /// ran out counts as due.
    pub async fn claim_deliveries(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedDelivery>, StoreError> {
        self.may_claim()?;
        let claim = Statement::new(CLAIM, values![owner, micros(until), micros(now), limit]);
        let rows = self.write(Write::of(claim)).await?;
        let mut claimed: Vec<_> = rows[0].iter().map(leased).collect::<Result<_, _>>()?;
        claimed.sort_by_key(|delivery| delivery.seq);
        Ok(claimed)
    }

    /// Newest first; with `open`, only those that are not done.
    pub async fn deliveries(&self, open: bool, limit: u32) -> Result<Vec<DeliverySummary>, StoreError> {
        const ALL: &str = "SELECT id, event, action, repository_id, subject, received_at, state, outcome, attempt, seen
            FROM deliveries ORDER BY seq DESC LIMIT $1";
        const OPEN: &str =
            "SELECT id, event, action, repository_id, subject, received_at, state, outcome, attempt, seen
            FROM deliveries WHERE state <> 'done' ORDER BY seq DESC LIMIT $1";
        let rows = self.read(if open { OPEN } else { ALL }, values![limit]).await?;
        rows.iter().map(summary).collect()
    }

    /// Those that were given up, newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn deliveries_given_up(&self, limit: u32) -> Result<Vec<DeliverySummary>, StoreError> {
        const GIVEN_UP: &str =
            "SELECT id, event, action, repository_id, subject, received_at, state, outcome, attempt, seen
            FROM deliveries WHERE state IN ('failed', 'dead') ORDER BY seq DESC LIMIT $1";
        let rows = self.read(GIVEN_UP, values![limit]).await?;
        rows.iter().map(summary).collect()
    }

    /// What was delivered about one issue or pull request, newest first.
    pub async fn deliveries_about(
        &self,
        repository: RepositoryId,
        subject: IssueNumber,
        limit: u32,
    ) -> Result<Vec<DeliverySummary>, StoreError> {
        const ABOUT: &str =
            "SELECT id, event, action, repository_id, subject, received_at, state, outcome, attempt, seen
            FROM deliveries WHERE repository_id = $1 AND subject = $2 ORDER BY seq DESC LIMIT $3";
        let rows = self.read(ABOUT, values![repository, subject, limit]).await?;
        rows.iter().map(summary).collect()
    }

    /// One delivery with its body.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<(DeliverySummary, Vec<u8>)>, StoreError> {
        const ONE: &str = "SELECT id, event, action, repository_id, subject, received_at, state, outcome, attempt,
            seen, body FROM deliveries WHERE id = $1";
        let rows = self.read(ONE, values![id]).await?;
        rows.first()
            .map(|row| Ok((summary(row)?, unpacked(row.blob("body")?)?)))
            .transpose()
    }

    /// The bodies of `issue_comment` deliveries with action `edited` about one subject: when an edit time cannot be
    /// asked for, these tell it.
    pub async fn edits_seen(&self, repository: RepositoryId, subject: IssueNumber) -> Result<Vec<Vec<u8>>, StoreError> {
        const EDITS: &str = "SELECT body FROM deliveries
            WHERE repository_id = $1 AND subject = $2 AND action = 'edited' ORDER BY seq";
        let rows = self.read(EDITS, values![repository, subject]).await?;
        rows.iter().map(|row| unpacked(row.blob("body")?)).collect()
    }

    /// Which of these deliveries are not stored or not done for good: `true` means that GitHub should send it again.
    pub async fn lacks_delivery(&self, id: &DeliveryId) -> Result<bool, StoreError> {
        let rows = self
            .read("SELECT state FROM deliveries WHERE id = $1", values![id])
            .await?;
        Ok(rows.is_empty())
    }

    /// Tries a failed or dead delivery anew; `false` when there is none of that id.
    pub async fn retry_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        let retry = Statement::new(
            "UPDATE deliveries SET state = 'new', attempt = 0, run_at = $2, lease_until = 0, outcome = NULL
            WHERE id = $1 AND state IN ('failed', 'dead', 'new') RETURNING seq",
            values![id, micros(now)],
        );
        Ok(!self.write(Write::of(retry)).await?[0].is_empty())
    }
}

impl LeasedDelivery {
    /// Part of the write that ends it: it is done, for this reason.
    pub fn done(&self, outcome: &str) -> Statement {
        self.end("done", outcome)
    }

    /// Part of the write that gives it up; GitHub or an operator can have it tried anew.
    pub fn failed(&self, outcome: &str) -> Statement {
        self.end("failed", outcome)
    }

    /// Part of the write that buries it, after too many attempts.
    pub fn dead(&self, outcome: &str) -> Statement {
        self.end("dead", outcome)
    }

    /// Part of the write that puts it off.
    pub fn put_off(&self, until: Timestamp, why: &str) -> Statement {
        Statement::new(
            "UPDATE deliveries SET state = 'new', run_at = $3, lease_until = 0, outcome = $4
            WHERE seq = $1 AND fence = $2 AND state = 'leased'",
            values![self.seq, self.fence, micros(until), why],
        )
        .exactly(1)
    }

    /// Part of the write that puts it off because GitHub limits our rate: that is no failure, and the attempt does not
    /// count.
    pub fn parked(&self, until: Timestamp, why: &str) -> Statement {
        Statement::new(
            "UPDATE deliveries SET state = 'new', run_at = $3, lease_until = 0, outcome = $4, attempt = attempt - 1
            WHERE seq = $1 AND fence = $2 AND state = 'leased'",
            values![self.seq, self.fence, micros(until), why],
        )
        .exactly(1)
    }

    fn end(&self, state: &str, outcome: &str) -> Statement {
        Statement::new(
            "UPDATE deliveries SET state = $3, outcome = $4, lease_until = 0
            WHERE seq = $1 AND fence = $2 AND state = 'leased'",
            values![self.seq, self.fence, state, outcome],
        )
        .exactly(1)
    }
}

fn leased(row: &Row) -> Result<LeasedDelivery, StoreError> {
    Ok(LeasedDelivery {
        seq: row.int("seq")?,
        id: row.text("id")?.into(),
        event: row.text("event")?.to_owned(),
        body: unpacked(row.blob("body")?)?,
        installation: row.opt_id("installation_id")?.map(InstallationId),
        received_at: moment(row.int("received_at")?),
        attempt: u32::try_from(row.int("attempt")?).unwrap_or(u32::MAX),
        trace: row.opt_text("trace")?.map(TraceParent::from),
        fence: row.int("fence")?,
    })
}

fn summary(row: &Row) -> Result<DeliverySummary, StoreError> {
    Ok(DeliverySummary {
        id: row.text("id")?.to_owned(),
        event: row.text("event")?.to_owned(),
        action: row.opt_text("action")?.map(str::to_owned),
        repository_id: row.opt_id("repository_id")?,
        subject: row.opt_id("subject")?,
        received_at: moment(row.int("received_at")?),
        state: row.text("state")?.to_owned(),
        outcome: row.opt_text("outcome")?.map(str::to_owned),
        attempt: row.int("attempt")?,
        seen: row.int("seen")?,
    })
}

pub(super) fn first(rows: &[Row]) -> Result<&Row, StoreError> {
    rows.first()
        .ok_or_else(|| StoreError::Broken("a statement that returns a row returned none".to_owned()))
}
