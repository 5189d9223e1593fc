//! What every back end promises, held on both databases.

use tempfile::TempDir;

use super::deliveries::{Accepted, NewDelivery};
use super::effects::{NewEffect, Pace, Priority};
use super::{Postgres, Row, Sqlite, Statement, Store, StoreError, Value, Write};
use crate::config::DatabaseUrl;
use crate::values;
use crate::workflow::ids::{InstallationId, RepositoryId};
#[path = "../../tests/postgres/cluster.rs"]
mod cluster;
pub(super) use cluster::{Cluster, Database};

const TABLE: &str = "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, seen BIGINT NOT NULL);";
const INSERT: &str = "INSERT INTO notes (id, body, seen) VALUES ($1, $2, 0)";
const TOUCH: &str = "UPDATE notes SET seen = seen + 1 WHERE id = $1";

/// Where a test's database lies; it lives as long as the test.
pub(super) enum Ground {
    Sqlite(TempDir),
    Postgres(Database),
}

impl Ground {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(super) fn postgres() -> Self {
        Self::Postgres(Cluster::shared().database())
    }

    pub(super) fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(directory) => DatabaseUrl::Sqlite(directory.path().join("deeper/notes.sqlite")),
            Self::Postgres(database) => database.url().parse().unwrap(),
        }
    }

    /// The store of a server, with the program's schema.
    pub(super) async fn store(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }

    /// The store of a server, with a table of notes.
    async fn serve(&self) -> Store {
        match self.url() {
            DatabaseUrl::Sqlite(path) => Sqlite::serve_with(&path, &[TABLE]).into(),
            DatabaseUrl::Postgres(url) => Postgres::serve_with(&url, &[TABLE]).await.into(),
        }
    }

    async fn read_only(&self) -> Store {
        match self.url() {
            DatabaseUrl::Sqlite(path) => Sqlite::read_only_with(&path, &[TABLE]).into(),
            DatabaseUrl::Postgres(url) => Postgres::read_only_with(&url, &[TABLE]).await.into(),
        }
    }

    async fn outside_writer(&self) -> Store {
        match self.url() {
            DatabaseUrl::Sqlite(path) => Sqlite::outside_writer_with(&path, &[TABLE]).into(),
            DatabaseUrl::Postgres(url) => Postgres::outside_writer_with(&url, &[TABLE]).await.into(),
        }
    }
}

/// Makes a test of each function, once for each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::conformance::Ground::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::conformance::Ground::postgres()).await;
            })+
        }
    };
}
pub(super) use on_both;

on_both! {
    what_was_written_is_read_and_survives_a_restart,
    placeholders_mean_their_number_and_not_their_place,
    a_statement_takes_exactly_the_values_it_names,
    waiters_share_commits,
    a_missed_count_undoes_the_write_and_names_the_statement,
    a_write_that_changes_nothing_is_no_commit,
    nothing_is_written_past_the_crash_point,
    closing_finishes_the_queue_and_refuses_what_comes_after,
    a_write_is_done_though_nobody_waits_for_it,
    a_reader_beside_the_server_cannot_write,
    a_command_writes_beside_the_server_and_both_see_it,
    every_value_comes_back,
    what_cannot_be_done_is_told_apart,
    each_of_many_deliveries_that_come_at_once_gets_its_own_answer,
    what_one_write_plans_is_numbered_in_its_order,
}

fn insert(id: impl Into<Value>) -> Statement {
    Statement::new(INSERT, vec![id.into(), "text".into()]).exactly(1)
}

fn touch(id: &str) -> Statement {
    Statement::new(TOUCH, values![id])
}

async fn ids(store: &Store) -> Vec<String> {
    let rows = store
        .read("SELECT id FROM notes ORDER BY id", Vec::new())
        .await
        .unwrap();
    rows.iter().map(|row| row.text("id").unwrap().to_owned()).collect()
}

async fn what_was_written_is_read_and_survives_a_restart(ground: Ground) {
    let store = ground.serve().await;
    let answer = store
        .write(Write::of(insert("a")).then(Statement::new(
            "UPDATE notes SET body = $2, seen = $3 WHERE id = $1 RETURNING id, seen",
            values!["a", "new", 7_i64],
        )))
        .await
        .unwrap();
    assert_eq!(answer[0], []);
    assert_eq!(answer[1][0].int("seen"), Ok(7));
    store.close().await;

    let store = ground.serve().await;
    let rows = store
        .read("SELECT body FROM notes WHERE id = $1", values!["a"])
        .await
        .unwrap();
    assert_eq!(rows[0].text("body"), Ok("new"));
}

async fn placeholders_mean_their_number_and_not_their_place(ground: Ground) {
    let store = ground.serve().await;
    let rows = store.read("SELECT $2 AS second, $1 AS first, $2 AS again", values!["one", 2_i64]);
    let rows = rows.await.unwrap();
    assert_eq!(rows[0].text("first"), Ok("one"));
    assert_eq!(rows[0].int("second"), Ok(2));
    assert_eq!(rows[0].int("again"), Ok(2));
}

async fn a_statement_takes_exactly_the_values_it_names(ground: Ground) {
    let store = ground.serve().await;
    for (sql, values) in [
        ("SELECT $1", values![]),
        ("SELECT $1", values![1_i64, 2_i64]),
        ("SELECT $2", values![1_i64]),
        ("SELECT $0", values![1_i64]),
        ("SELECT ?", values![1_i64]),
        ("SELECT :name", values![1_i64]),
    ] {
        let answer = store.read(sql, values).await;
        assert!(matches!(answer, Err(StoreError::Broken(_))), "{sql}: {answer:?}");
    }
}

async fn waiters_share_commits(ground: Ground) {
    let store = ground.serve().await;
    let waiters: Vec<_> = (0..64)
        .map(|waiter| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..8 {
                    let id = format!("{waiter}-{round}");
                    store.write(Write::of(insert(id))).await.unwrap();
                }
            })
        })
        .collect();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    let rows = store.read("SELECT count(*) FROM notes", Vec::new()).await.unwrap();
    assert_eq!(rows[0].int(0), Ok(512));
    assert!(store.commits() < 512, "{} commits", store.commits());
}

async fn a_missed_count_undoes_the_write_and_names_the_statement(ground: Ground) {
    let store = ground.serve().await;
    store.write(Write::of(insert("a"))).await.unwrap();
    let write = Write::of(touch("a").exactly(1))
        .then(insert("b"))
        .then(touch("nobody").exactly(1));
    assert_eq!(store.write(write).await, Err(StoreError::Missed { statement: 2 }));
    assert_eq!(ids(&store).await, ["a"]);
    let again = store.write(Write::of(insert("a"))).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

async fn a_write_that_changes_nothing_is_no_commit(ground: Ground) {
    let store = ground.serve().await;
    store.write(Write::new()).await.unwrap();
    store.write(Write::of(touch("nobody"))).await.unwrap();
    assert_eq!(store.commits(), 0);
    store.write(Write::of(insert("a"))).await.unwrap();
    assert_eq!(store.commits(), 1);
}

async fn nothing_is_written_past_the_crash_point(ground: Ground) {
    let store = ground.serve().await;
    store.stop_after(2);
    store.write(Write::of(insert("a"))).await.unwrap();
    store.write(Write::of(insert("b"))).await.unwrap();
    for _ in 0..2 {
        let refused = store.write(Write::of(insert("c"))).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(store.commits(), 2);
    assert_eq!(ids(&store).await, ["a", "b"]);
    store.close().await;

    let store = ground.serve().await;
    assert_eq!(ids(&store).await, ["a", "b"]);
    store.write(Write::of(insert("c"))).await.unwrap();
}

async fn closing_finishes_the_queue_and_refuses_what_comes_after(ground: Ground) {
    let store = ground.serve().await;
    let writes = futures::future::join_all((0..100).map(|at| store.write(Write::of(insert(format!("{at:03}"))))));
    let (answers, ()) = tokio::join!(biased; writes, store.close());
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(matches!(
        store.write(Write::of(insert("late"))).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.read("SELECT 1", Vec::new()).await,
        Err(StoreError::Unavailable(_))
    ));
    store.close().await;

    let store = ground.read_only().await;
    assert_eq!(ids(&store).await.len(), 100);
}

async fn a_write_is_done_though_nobody_waits_for_it(ground: Ground) {
    let store = ground.serve().await;
    {
        let mut write = Box::pin(store.write(Write::of(insert("a"))));
        let polled = futures::poll!(&mut write);
        assert!(polled.is_pending() || matches!(polled, std::task::Poll::Ready(Ok(_))));
    }
    store.close().await;
    let store = ground.read_only().await;
    assert_eq!(ids(&store).await, ["a"]);
}

async fn a_reader_beside_the_server_cannot_write(ground: Ground) {
    let store = ground.serve().await;
    store.write(Write::of(insert("a"))).await.unwrap();
    let reader = ground.read_only().await;
    assert_eq!(ids(&reader).await, ["a"]);
    let refused = reader.write(Write::of(insert("b"))).await;
    assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
    // Nor by the reading door, of any opening.
    for door in [&reader, &store] {
        let refused = door.read("DELETE FROM notes", Vec::new()).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(ids(&store).await, ["a"]);
}

async fn a_command_writes_beside_the_server_and_both_see_it(ground: Ground) {
    let store = ground.serve().await;
    let command = ground.outside_writer().await;
    for id in ["a", "c"] {
        command.write(Write::of(insert(id))).await.unwrap();
        store.write(Write::of(touch(id).exactly(1))).await.unwrap();
    }
    assert_eq!(ids(&store).await, ["a", "c"]);
    store.close().await;
    command.write(Write::of(insert("without a server"))).await.unwrap();
}

async fn every_value_comes_back(ground: Ground) {
    let store = ground.serve().await;
    for (id, number) in [("", 0), ("a\0b\u{FDD0}\u{FDD1}", i64::MIN), ("\u{1F600}", i64::MAX)] {
        let write = Write::of(insert(id)).then(Statement::new(
            "UPDATE notes SET seen = $2 WHERE id = $1",
            values![id, number],
        ));
        store.write(write).await.unwrap();
        let rows = store.read(
            "SELECT id, seen, seen = $2 AS same FROM notes WHERE id = $1",
            values![id, number],
        );
        let rows: Vec<Row> = rows.await.unwrap();
        assert_eq!((rows[0].text("id"), rows[0].int("seen")), (Ok(id), Ok(number)));
        assert_eq!(rows[0].flag("same"), Ok(true));
    }
    let bytes = [0, 255, 10];
    let rows = store.read(
        "SELECT $1 AS bytes, CASE WHEN 1 = 0 THEN $2 END AS absent",
        values![bytes.as_slice(), "text"],
    );
    let rows = rows.await.unwrap();
    assert_eq!(
        (rows[0].blob("bytes"), rows[0].opt_text("absent")),
        (Ok(bytes.as_slice()), Ok(None))
    );
}

fn delivery(id: &str, body: Vec<u8>) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        event: "issues".to_owned(),
        action: None,
        installation: None,
        repository: Some(RepositoryId(u64::MAX)),
        subject: None,
        body,
        settled: None,
        trace: None,
    }
}

/// They come in groups, in which the same one may be twice.
async fn each_of_many_deliveries_that_come_at_once_gets_its_own_answer(ground: Ground) {
    const DIFFERENT: usize = 150;
    let store = ground.store().await;
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    for at in (0..DIFFERENT).step_by(3) {
        let known = delivery(&format!("d{at}"), vec![0, at as u8]);
        assert_eq!(store.accept(known, now).await, Ok(Accepted::New));
    }
    let before = store.commits();
    let at_once = (0..2 * DIFFERENT).map(|at| {
        let at = if at % 2 == 0 { at / 2 } else { DIFFERENT - 1 - at / 2 };
        let accepting = store.accept(delivery(&format!("d{at}"), vec![0, at as u8]), now);
        async move { (at, accepting.await.unwrap()) }
    });
    let mut told = vec![(0, 0); DIFFERENT];
    for (at, accepted) in futures::future::join_all(at_once).await {
        match accepted {
            Accepted::New => told[at].0 += 1,
            Accepted::Revived => told[at].1 += 1,
            Accepted::Again => panic!("none of them was handled"),
        }
    }
    for (at, told) in told.into_iter().enumerate() {
        let new = usize::from(at % 3 > 0);
        assert_eq!(told, (new, 2 - new), "d{at}");
    }
    let shared = store.commits() - before;
    assert!(shared < DIFFERENT as u64, "{shared} commits");
    let rows = store.read(
        "SELECT id, seen, body, action, repository_id FROM deliveries",
        Vec::new(),
    );
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), DIFFERENT);
    for row in rows {
        let at: usize = row.text("id").unwrap()[1..].parse().unwrap();
        assert_eq!(row.int("seen"), Ok(if at.is_multiple_of(3) { 3 } else { 2 }), "d{at}");
        assert_eq!(row.blob("body"), Ok([0, at as u8].as_slice()));
        assert_eq!(
            (row.opt_text("action"), row.id("repository_id")),
            (Ok(None), Ok(u64::MAX))
        );
    }
    store.close().await;
}

async fn what_one_write_plans_is_numbered_in_its_order(ground: Ground) {
    let store = ground.store().await;
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let ids: Vec<String> = (0..40).map(|at| format!("e{}", at * 7 % 40)).collect();
    let planned = ids.iter().map(|id| {
        let effect = NewEffect {
            id: id.as_str().into(),
            workflow: None,
            installation: InstallationId(5),
            repository: RepositoryId(9),
            lane: "lane".to_owned(),
            kind: "act",
            payload: "{}".to_owned(),
            priority: Priority::Step,
            pace: Pace::Free,
            run_at: now,
            trace: None,
        };
        effect.planned(now)
    });
    store.write(Write(planned.collect())).await.unwrap();
    let rows = store
        .read("SELECT id FROM effects ORDER BY seq", Vec::new())
        .await
        .unwrap();
    let kept: Vec<_> = rows.iter().map(|row| row.text("id").unwrap().to_owned()).collect();
    assert_eq!(kept, ids);
    store.close().await;
}

async fn what_cannot_be_done_is_told_apart(ground: Ground) {
    let store = ground.serve().await;
    store.write(Write::of(insert("a"))).await.unwrap();
    for (write, is) in [
        (Write::of(insert("a")), "conflict"),
        (Write::of(insert("b")).then(insert("a")), "conflict"),
        (Write::of(insert("b")).then(insert(None::<&str>)), "broken"),
        (
            Write::of(insert("b")).then(Statement::new("SELECT nonsense", values![])),
            "broken",
        ),
        (Write::of(Statement::new("SELECT nonsense", values![])), "broken"),
        (Write::of(insert("b")).then(touch("nobody").exactly(1)), "missed"),
    ] {
        let found = match store.write(write.clone()).await {
            Err(StoreError::Conflict(_)) => "conflict",
            Err(StoreError::Broken(_)) => "broken",
            Err(StoreError::Missed { .. }) => "missed",
            other => panic!("{write:?}: {other:?}"),
        };
        assert_eq!(found, is, "{write:?}");
        assert_eq!(ids(&store).await, ["a"]);
    }
    // Among others in one group, whichever way it is cut.
    let writes = (0..40).map(|at| match at % 4 {
        0 => store.write(Write::of(insert("a"))),
        1 => store.write(Write::of(insert(format!("{at}"))).then(touch("nobody").exactly(1))),
        _ => store.write(Write::of(insert(format!("{at}"))).then(touch("a").exactly(1))),
    });
    let answers = futures::future::join_all(writes).await;
    for (at, answer) in answers.iter().enumerate() {
        match at % 4 {
            0 => assert!(matches!(answer, Err(StoreError::Conflict(_))), "{at}: {answer:?}"),
            1 => assert_eq!(answer, &Err(StoreError::Missed { statement: 1 }), "{at}"),
            _ => assert!(answer.is_ok(), "{at}: {answer:?}"),
        }
    }
    assert_eq!(ids(&store).await.len(), 21);
    let rows = store
        .read("SELECT seen FROM notes WHERE id = $1", values!["a"])
        .await
        .unwrap();
    assert_eq!(rows[0].int("seen"), Ok(20));
}
