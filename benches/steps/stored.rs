//! A database that holds many workflows: one that really ran, copied by a few large statements.

use std::time::Duration;

use countersign::store::{Statement, Store, Write};
use countersign::values;

use crate::run::round;
use crate::shared::Failure;
use crate::shared::ground::Place;

/// Copies of one statement: few enough that each ends soon, many enough that their number costs nothing.
const AT_ONCE: u64 = 20_000;

/// The numbers of the copies, each with as many digits, so that their ids have the length of real ones.
const FIRST: u64 = 10_000_000;

/// The numbers from `$2` to `$3`.
macro_rules! copies {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE copies AS (SELECT CAST($2 AS BIGINT) AS n
                UNION ALL SELECT n + 1 FROM copies WHERE n < CAST($3 AS BIGINT)) ",
            $rest
        )
    };
}

/// Every table that a workflow has rows in, with what tells its rows apart made anew.
const COPIES: [&str; 6] = [
    copies!(
        "INSERT INTO workflows (id, version, definition, status, held, waits_for, installation_id, repository_id,
            repository, subject, state, chain, started_at, updated_at)
        SELECT replace(id, $1, 'stored' || n), version, definition, status, held, waits_for, installation_id,
            repository_id, repository, n, replace(state, $1, 'stored' || n), chain, started_at, updated_at
        FROM copies, workflows WHERE id = $1"
    ),
    copies!(
        "INSERT INTO events (workflow_id, seq, type, data, actor_id, cause, repository_id, at, hash)
        SELECT replace(workflow_id, $1, 'stored' || n), seq, type, replace(data, $1, 'stored' || n), actor_id, cause,
            repository_id, at, hash
        FROM copies, events WHERE workflow_id = $1"
    ),
    copies!(
        "INSERT INTO effects (id, workflow_id, installation_id, repository_id, lane, kind, payload, state, priority,
            paced, run_at, attempt, fence, doubt, first_sent_at, lease_owner, lease_until, result, created_at, ended_at)
        SELECT replace(id, $1, 'stored' || n), replace(workflow_id, $1, 'stored' || n), installation_id, repository_id,
            replace(lane, $1, 'stored' || n), kind, payload, state, priority, paced, run_at, attempt, fence, doubt,
            first_sent_at, lease_owner, lease_until, result, created_at, ended_at
        FROM copies, effects WHERE workflow_id = $1"
    ),
    copies!(
        "INSERT INTO artifacts (workflow_id, digest, repository_id, body, extra, at)
        SELECT replace(workflow_id, $1, 'stored' || n), digest, repository_id, body, extra, at
        FROM copies, artifacts WHERE workflow_id = $1"
    ),
    copies!(
        "INSERT INTO gates (workflow_id, phase, iteration, digest, repository_id, opened_at, answer, answered_by,
            answered_at)
        SELECT replace(workflow_id, $1, 'stored' || n), phase, iteration, digest, repository_id, opened_at, answer,
            answered_by, answered_at
        FROM copies, gates WHERE workflow_id = $1"
    ),
    copies!(
        "INSERT INTO links (repository_id, kind, number, role, workflow_id, detail)
        SELECT repository_id, kind, n, role, replace(workflow_id, $1, 'stored' || n), detail
        FROM copies, links WHERE workflow_id = $1"
    ),
];

/// Stores so many workflows that have ended; tells how many rows each has.
pub async fn fill(place: &Place, workflows: u64) -> Result<usize, Failure> {
    round(place, 1, Duration::from_millis(500)).await?;
    let store = Store::open(&place.url()?).await?;
    let ended = store.list_workflows(false, 100).await?;
    let ended = ended.iter().find(|summary| summary.status == "completed");
    let template = &ended.ok_or("no workflow came to its end")?.id;
    let mut rows = 0;
    let count = |from: u64, to: u64| {
        let statements = COPIES.map(|sql| Statement::new(sql, values![template, from, to]));
        Write(statements.into())
    };
    for from in (0..workflows).step_by(usize::try_from(AT_ONCE)?) {
        let to = (from + AT_ONCE).min(workflows) - 1;
        store.write(count(FIRST + from, FIRST + to)).await?;
    }
    for table in ["workflows", "events", "effects", "artifacts", "gates", "links"] {
        let sql: &'static str = match table {
            "workflows" => "SELECT COUNT(*) AS count FROM workflows WHERE id = $1",
            "events" => "SELECT COUNT(*) AS count FROM events WHERE workflow_id = $1",
            "effects" => "SELECT COUNT(*) AS count FROM effects WHERE workflow_id = $1",
            "artifacts" => "SELECT COUNT(*) AS count FROM artifacts WHERE workflow_id = $1",
            "gates" => "SELECT COUNT(*) AS count FROM gates WHERE workflow_id = $1",
            _ => "SELECT COUNT(*) AS count FROM links WHERE workflow_id = $1",
        };
        let counted = store.read(sql, values![template]).await?;
        rows += usize::try_from(counted[0].int("count")?)?;
    }
    store.close().await;
    Ok(rows)
}
