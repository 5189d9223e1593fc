use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::TimeDelta;
use futures::FutureExt as _;

use super::open::Schema;
use super::*;
use crate::store::conformance::{Cluster, Database, Ground};
use crate::store::deliveries::NewDelivery;
use crate::store::effects::{NewEffect, Pace, Priority, cancel_planned, no_act_under_way};
use crate::store::{Statement, Store};
use crate::values;
use crate::workflow::ids::{InstallationId, IssueNumber, RepositoryId, WorkflowId};
use crate::workflow::state::Timestamp;

const TABLE: &str = "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, seen BIGINT NOT NULL);";

impl Postgres {
    pub(in crate::store) async fn serve_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::serve_schema(url, &Schema::of(steps)).await.unwrap()
    }

    pub(in crate::store) async fn read_only_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::read_only_schema(url, &Schema::of(steps)).await.unwrap()
    }

    pub(in crate::store) async fn outside_writer_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::outside_writer_schema(url, &Schema::of(steps)).await.unwrap()
    }
}

fn url(database: &Database) -> PostgresUrl {
    let crate::config::DatabaseUrl::Postgres(url) = database.url().parse().unwrap() else {
        panic!("it is PostgreSQL's");
    };
    url
}

fn insert(id: impl Into<Value>) -> Statement {
    let sql = "INSERT INTO notes (id, body, seen) VALUES ($1, 'text', 0)";
    Statement::new(sql, vec![id.into()]).exactly(1)
}

fn touch(id: &str) -> Statement {
    Statement::new("UPDATE notes SET seen = seen + 1 WHERE id = $1", values![id]).exactly(1)
}

async fn ids(store: &Postgres) -> BTreeSet<String> {
    let rows = store.read("SELECT id FROM notes", Vec::new()).await.unwrap();
    rows.iter().map(|row| row.text("id").unwrap().to_owned()).collect()
}

/// sqlx 0.9.0 gives a connection back inside a transaction when the future of `begin` is dropped at the wrong moment, and
/// loses what is acknowledged on it later. Whoever asks the store may leave at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_leave_take_no_acknowledged_write_along() {
    let database = Cluster::shared().database();
    let store = Postgres::serve_with(&url(&database), &[TABLE]).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..300 {
        let left = format!("left-{round}");
        let mut leaving = Box::pin(store.write(Write::of(insert(left.as_str())).then(touch(&left))).fuse());
        let mut reading = Box::pin(store.read("SELECT COUNT(*) AS count FROM notes", Vec::new()).fuse());
        for _ in 0..round % 30 {
            let _ = futures::poll!(&mut leaving);
            let _ = futures::poll!(&mut reading);
            tokio::task::yield_now().await;
        }
        drop((leaving, reading));
        let id = format!("kept-{round}");
        store.write(Write::of(insert(id.as_str()))).await.unwrap();
        acknowledged.insert(id);
    }
    store.close().await;
    let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";
    assert_eq!(database.ask(open).trim(), "0");
    let store = Postgres::read_only_with(&url(&database), &[TABLE]).await;
    let lost: Vec<_> = acknowledged.difference(&ids(&store).await).cloned().collect();
    assert_eq!(lost, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_holds_however_often_the_database_crashes() {
    let cluster = Cluster::own();
    let database = cluster.only_database();
    let store = Arc::new(Postgres::serve_with(&url(&database), &[TABLE]).await);
    let (stop, kept_since) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let (store, stop, kept_since) = (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&kept_since));
            tokio::spawn(async move {
                let (mut kept, mut not, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let id = format!("{writer}-{number}");
                    match store.write(Write::of(insert(id.as_str())).then(touch(&id))).await {
                        Ok(_) => {
                            kept_since.fetch_add(1, Ordering::SeqCst);
                            kept.push(id);
                        }
                        Err(StoreError::Unavailable(why)) if why.contains("its outcome is not known") => {
                            unknown.push(id);
                        }
                        Err(StoreError::Unavailable(_)) => not.push(id),
                        Err(error) => panic!("{error}"),
                    }
                }
                (kept, not, unknown)
            })
        })
        .collect();
    let cluster = Arc::new(cluster);
    for _ in 0..6 {
        // So many are kept between two crashes.
        let enough = kept_since.load(Ordering::SeqCst) + 40;
        while kept_since.load(Ordering::SeqCst) < enough {
            tokio::task::yield_now().await;
        }
        let cluster = Arc::clone(&cluster);
        let crashed = tokio::task::spawn_blocking(move || {
            cluster.crash();
            cluster.start();
        });
        crashed.await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let (mut kept, mut not, mut unknown) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for writer in writers {
        let (its_kept, its_not, its_unknown) = writer.await.unwrap();
        kept.extend(its_kept);
        not.extend(its_not);
        unknown.extend(its_unknown);
    }
    let there = ids(&store).await;
    assert_eq!(kept.difference(&there).count(), 0, "what was acknowledged is there");
    assert_eq!(not.intersection(&there).count(), 0, "what was refused is not there");
    let others: Vec<_> = there.difference(&kept).filter(|id| !unknown.contains(*id)).collect();
    assert_eq!(others, Vec::<&String>::new());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_migrate_once() {
    let ground = Ground::postgres();
    let stores = futures::future::join_all((0..6).map(|_| ground.store())).await;
    for store in &stores {
        assert_eq!(store.counter("none").await, Ok(0));
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_added_and_a_newer_or_older_schema_is_named() {
    let database = Cluster::shared().database();
    let (url, place) = (url(&database), url(&database).to_string());
    let (short, long) = (
        Schema::of(&[TABLE]),
        Schema::of(&[TABLE, "ALTER TABLE notes ADD COLUMN extra TEXT;"]),
    );
    let wrong = Schema::of(&[
        TABLE,
        "CREATE TABLE more (id TEXT); ALTER TABLE absent ADD COLUMN x TEXT;",
    ]);
    let older = |found| OpenError::Older {
        place: place.clone(),
        found,
        known: 2,
    };
    assert_eq!(Postgres::read_only_schema(&url, &long).await.unwrap_err(), older(0));
    let store = Postgres::serve_schema(&url, &short).await.unwrap();
    assert_eq!(
        Postgres::outside_writer_schema(&url, &long).await.unwrap_err(),
        older(1)
    );
    let refused = Postgres::serve_schema(&url, &wrong).await.unwrap_err();
    assert!(matches!(refused, OpenError::Broken { .. }), "{refused:?}");
    assert_eq!(database.ask("SELECT to_regclass('more') IS NULL").trim(), "t");
    // The version before works on while a new one migrates, with statements that it had ready.
    store.write(Write::of(insert("a"))).await.unwrap();
    let all = || store.read("SELECT * FROM notes", Vec::new());
    assert_eq!(all().await.unwrap().len(), 1);
    Postgres::serve_schema(&url, &long).await.unwrap().close().await;
    store.write(Write::of(insert("b"))).await.unwrap();
    assert_eq!(all().await.unwrap().len(), 2);
    store.close().await;
    let newer = OpenError::Newer {
        place: place.clone(),
        found: 2,
        known: 1,
    };
    assert_eq!(Postgres::serve_schema(&url, &short).await.unwrap_err(), newer);
    assert_eq!(Postgres::read_only_schema(&url, &short).await.unwrap_err(), newer);
}

/// The two folders of migrations make the same tables.
#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_columns_and_indices() {
    const SQLITE: &str = "SELECT m.name || ' ' || c.name || ' ' ||
            CASE WHEN c.type = 'TEXT' OR c.type = 'BLOB' THEN c.type ELSE 'BIGINT' END || ' ' ||
            CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'NOT NULL' ELSE '' END AS line
        FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY line";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) || ' ' || column_name || ' ' ||
            CASE data_type WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' WHEN 'bigint' THEN 'BIGINT' END || ' ' ||
            CASE is_nullable WHEN 'NO' THEN 'NOT NULL' ELSE '' END COLLATE \"C\" AS line
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name NOT LIKE 'countersign%' ORDER BY line";
    const SQLITE_INDICES: &str = "SELECT name AS line FROM sqlite_schema
        WHERE type = 'index' AND name NOT LIKE 'sqlite%' ORDER BY name";
    const POSTGRES_INDICES: &str = "SELECT CAST(indexname AS TEXT) COLLATE \"C\" AS line FROM pg_indexes
        WHERE schemaname = current_schema() AND indexname NOT LIKE '%_key' AND indexname NOT LIKE '%_pkey' ORDER BY line";
    let (sqlite, postgres) = (Ground::sqlite(), Ground::postgres());
    let (one, other) = (sqlite.store().await, postgres.store().await);
    for (of_sqlite, of_postgres) in [(SQLITE, POSTGRES), (SQLITE_INDICES, POSTGRES_INDICES)] {
        let lines = async |store: &Store, sql| {
            let rows = store.read(sql, Vec::new()).await.unwrap();
            rows.iter()
                .map(|row| row.text("line").unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let (of_sqlite, of_postgres) = (lines(&one, of_sqlite).await, lines(&other, of_postgres).await);
        assert!(of_sqlite.len() > 10);
        assert_eq!(of_sqlite, of_postgres);
    }
    other.close().await;
}

fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn act(number: usize) -> NewEffect {
    NewEffect {
        id: format!("e{number}").as_str().into(),
        workflow: Some("w1".into()),
        installation: InstallationId(5),
        repository: RepositoryId(9),
        lane: format!("lane{number}"),
        kind: "act",
        payload: "{}".to_owned(),
        priority: Priority::Step,
        pace: Pace::Free,
        run_at: now(),
        trace: None,
    }
}

/// Replicas that claim at the same moment never get the same row, and pass nothing over.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_what_is_due() {
    const ALL: usize = 120;
    let ground = Ground::postgres();
    let stores = futures::future::join_all((0..3).map(|_| ground.store())).await;
    for number in 0..ALL {
        let delivery = NewDelivery {
            id: format!("d{number}").as_str().into(),
            event: "issues".to_owned(),
            action: None,
            installation: None,
            repository: Some(RepositoryId(9)),
            subject: Some(IssueNumber(number as u64)),
            body: Vec::new(),
            settled: None,
            trace: None,
        };
        stores[0].accept(delivery, now()).await.unwrap();
        stores[0].write(Write::of(act(number).planned(now()))).await.unwrap();
    }
    let claimers: Vec<_> = (0..9)
        .map(|number| {
            let store = stores[number % 3].clone();
            tokio::spawn(async move {
                let until = now() + TimeDelta::seconds(90);
                let mut got = Vec::new();
                loop {
                    let deliveries = store.claim_deliveries("us", now(), until, 3).await.unwrap();
                    let effects = store.claim_effects("us", now(), until, 4).await.unwrap();
                    if deliveries.is_empty() && effects.is_empty() {
                        return got;
                    }
                    got.extend(deliveries.iter().map(|delivery| delivery.id.as_str().to_owned()));
                    got.extend(effects.iter().map(|effect| effect.id.as_str().to_owned()));
                }
            })
        })
        .collect();
    let mut got = Vec::new();
    for claimer in claimers {
        got.extend(claimer.await.unwrap());
    }
    // Whoever found only locked rows has ended; what is left is there to be claimed.
    let until = now() + TimeDelta::seconds(90);
    let left = stores[0]
        .claim_deliveries("us", now(), until, ALL as u32)
        .await
        .unwrap();
    got.extend(left.iter().map(|delivery| delivery.id.as_str().to_owned()));
    let different: BTreeSet<_> = got.iter().collect();
    assert_eq!((got.len(), different.len()), (2 * ALL, 2 * ALL));
    for store in &stores {
        store.close().await;
    }
}

/// Either an act is claimed or what forbids it is written, whoever comes first; never both.
#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_not_claimed_while_it_is_forbidden() {
    let ground = Ground::postgres();
    let (one, other) = (ground.store().await, ground.store().await);
    let workflow = Statement::new(
        "INSERT INTO workflows (id, version, definition, status, held, waits_for, installation_id, repository_id,
            repository, subject, state, chain, started_at, updated_at)
        VALUES ('w1', 1, 'tasks', 'open', 0, '', 5, 9, 'acme/shop', 1, '{}', '', 0, 0)",
        values![],
    );
    one.write(Write::of(workflow)).await.unwrap();
    let id = WorkflowId::from("w1");
    let (mut claimed, mut forbidden) = (0, 0);
    for number in 0..60 {
        one.write(Write::of(act(number).planned(now()))).await.unwrap();
        let until = now() + TimeDelta::seconds(90);
        let claim = {
            let other = other.clone();
            tokio::spawn(async move { other.claim_effects("us", now(), until, 1).await.unwrap() })
        };
        if number % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let forbid = Write::of(no_act_under_way(&id)).then(cancel_planned(&id, now()));
        let forbade = one.write(forbid).await;
        match (claim.await.unwrap().first(), forbade) {
            (Some(effect), Err(StoreError::Missed { statement: 0 })) => {
                claimed += 1;
                one.write(Write::of(effect.done("done", now()))).await.unwrap();
            }
            (None, Ok(_)) => forbidden += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(claimed + forbidden, 60);
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_hears_that_there_may_be_work() {
    let ground = Ground::postgres();
    let (one, other) = (ground.store().await, ground.store().await);
    // It is told once that it listens.
    other.hinted().await;
    one.write(Write::of(act(1).planned(now()))).await.unwrap();
    other.hinted().await;
    one.close().await;
    other.close().await;
}

/// Two groups that lock the same rows in opposite orders end soon, and everything in them is done.
#[tokio::test(flavor = "multi_thread")]
async fn groups_that_wait_for_each_other_are_done_one_by_one() {
    let database = Cluster::shared().database();
    let store = Postgres::serve_with(&url(&database), &[TABLE]).await;
    for id in ["a", "b", "c"] {
        store.write(Write::of(insert(id))).await.unwrap();
    }
    let writes = (0..400).map(|number| {
        let order = [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]][number % 3];
        store.write(Write(order.map(touch).into()))
    });
    let answers = futures::future::join_all(writes).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let rows = store.read("SELECT seen FROM notes", Vec::new()).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|row| row.int("seen")).collect();
    assert_eq!(seen, [Ok(400), Ok(400), Ok(400)]);
    store.close().await;
}

/// Whoever shares a server with others may be let in no more.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_tried_again_and_lose_nothing() {
    let database = Cluster::shared().database();
    let role = format!("few_{}", std::process::id());
    database.ask(&format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO {role}"
    ));
    let text = database.url().replace("user=bot", &format!("user={role}"));
    let Ok(crate::config::DatabaseUrl::Postgres(url)) = text.parse() else {
        panic!("it is PostgreSQL's");
    };
    let store = Postgres::serve_with(&url, &[TABLE]).await;
    store.write(Write::of(insert("before"))).await.unwrap();
    let limit = |most: i32| database.ask(&format!("ALTER ROLE {role} CONNECTION LIMIT {most}"));
    let cut_off = || {
        database.ask(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
        ))
    };
    limit(0);
    cut_off();
    let names: Vec<String> = (0..20).map(|number| format!("meanwhile-{number}")).collect();
    let writes = names
        .iter()
        .map(|name| store.write(Write::of(insert(name.as_str())).then(touch(name))));
    let free = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limit(-1);
    };
    let (answers, ()) = tokio::join!(futures::future::join_all(writes), free);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");

    limit(0);
    cut_off();
    let refused = store.write(Write::of(insert("refused"))).await.unwrap_err();
    let said = refused.to_string();
    assert!(
        said.starts_with("the database cannot be used now: too many connections for role"),
        "{said}"
    );
    limit(-1);
    store.write(Write::of(insert("after"))).await.unwrap();
    let all = names.into_iter().chain(["before".to_owned(), "after".to_owned()]);
    assert_eq!(ids(&store).await, all.collect());
    store.close().await;
    database.ask(&format!(
        "REASSIGN OWNED BY {role} TO bot; DROP OWNED BY {role}; DROP ROLE {role}"
    ));
}
