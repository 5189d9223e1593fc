use tempfile::TempDir;

use super::open::Schema;
use super::*;
use crate::store::{Statement, Store};
use crate::values;

const TABLE: &str = "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, seen BIGINT NOT NULL);";
const INSERT: &str = "INSERT INTO notes (id, body, seen) VALUES ($1, $2, 0)";
const TOUCH: &str = "UPDATE notes SET seen = seen + 1 WHERE id = $1";

fn schema() -> Schema {
    Schema::of(&[TABLE])
}

/// A fresh database; the directory lives as long as the test.
fn fresh() -> (TempDir, PathBuf, Sqlite) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deeper/notes.sqlite");
    let store = Sqlite::serve_schema(&path, &schema()).unwrap();
    (directory, path, store)
}

fn insert(id: impl Into<Value>) -> Statement {
    Statement::new(INSERT, vec![id.into(), "text".into()]).exactly(1)
}

fn touch(id: &str) -> Statement {
    Statement::new(TOUCH, values![id])
}

async fn ids(store: &Sqlite) -> Vec<String> {
    let rows = store
        .read("SELECT id FROM notes ORDER BY id", Vec::new())
        .await
        .unwrap();
    rows.iter().map(|row| row.text("id").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_written_is_read_and_survives_a_restart() {
    let (_directory, path, store) = fresh();
    let answer = store
        .write(Write::of(insert("a")).then(Statement::new(
            "UPDATE notes SET body = $2, seen = $3 WHERE id = $1 RETURNING id, seen",
            values!["a", "new", 7_i64],
        )))
        .await
        .unwrap();
    assert_eq!(answer[0], []);
    assert_eq!(answer[1][0].int("seen"), Ok(7));
    drop(store);

    let store = Sqlite::serve_schema(&path, &schema()).unwrap();
    let rows = store
        .read("SELECT body FROM notes WHERE id = $1", values!["a"])
        .await
        .unwrap();
    assert_eq!(rows[0].text("body"), Ok("new"));
}

#[tokio::test]
async fn placeholders_mean_their_number_and_not_their_place() {
    let (_directory, _path, store) = fresh();
    let rows = store.read("SELECT $2 AS second, $1 AS first, $2 AS again", values!["one", 2_i64]);
    let rows = rows.await.unwrap();
    assert_eq!(rows[0].text("first"), Ok("one"));
    assert_eq!(rows[0].int("second"), Ok(2));
    assert_eq!(rows[0].int("again"), Ok(2));
}

#[tokio::test]
async fn a_statement_takes_exactly_the_values_it_names() {
    let (_directory, _path, store) = fresh();
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

#[tokio::test(flavor = "multi_thread")]
async fn waiters_share_commits() {
    let (_directory, _path, store) = fresh();
    let store = Store::from(store);
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

#[tokio::test]
async fn a_missed_count_undoes_the_write_and_names_the_statement() {
    let (_directory, _path, store) = fresh();
    store.write(Write::of(insert("a"))).await.unwrap();
    let write = Write::of(touch("a").exactly(1))
        .then(insert("b"))
        .then(touch("nobody").exactly(1));
    assert_eq!(store.write(write).await, Err(StoreError::Missed { statement: 2 }));
    assert_eq!(ids(&store).await, ["a"]);
    let again = store.write(Write::of(insert("a"))).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_no_commit() {
    let (_directory, _path, store) = fresh();
    store.write(Write::new()).await.unwrap();
    store.write(Write::of(touch("nobody"))).await.unwrap();
    assert_eq!(store.commits(), 0);
    store.write(Write::of(insert("a"))).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[tokio::test]
async fn nothing_is_written_past_the_crash_point() {
    let (_directory, path, store) = fresh();
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

    let store = Sqlite::serve_schema(&path, &schema()).unwrap();
    assert_eq!(ids(&store).await, ["a", "b"]);
    store.write(Write::of(insert("c"))).await.unwrap();
}

#[tokio::test]
async fn one_server_at_a_time() {
    let (_directory, path, store) = fresh();
    let second = Sqlite::serve_schema(&path, &schema()).unwrap_err();
    assert_eq!(
        second,
        OpenError::InUse {
            path: path.clone(),
            process: Some(std::process::id().to_string())
        }
    );
    assert!(second.to_string().contains(path.to_str().unwrap()), "{second}");
    store.close().await;
    Sqlite::serve_schema(&path, &schema()).unwrap();
}

#[tokio::test]
async fn closing_finishes_the_queue_and_refuses_what_comes_after() {
    let (_directory, path, store) = fresh();
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

    let store = Sqlite::read_only_schema(&path, &schema()).unwrap();
    assert_eq!(ids(&store).await.len(), 100);
}

#[tokio::test]
async fn a_write_is_done_though_nobody_waits_for_it() {
    let (_directory, path, store) = fresh();
    {
        let mut write = Box::pin(store.write(Write::of(insert("a"))));
        let polled = futures::poll!(&mut write);
        assert!(polled.is_pending() || matches!(polled, std::task::Poll::Ready(Ok(_))));
    }
    drop(store);
    let store = Sqlite::read_only_schema(&path, &schema()).unwrap();
    assert_eq!(ids(&store).await, ["a"]);
}

#[tokio::test]
async fn a_reader_beside_the_server_cannot_write() {
    let (_directory, path, store) = fresh();
    store.write(Write::of(insert("a"))).await.unwrap();
    let reader = Sqlite::read_only_schema(&path, &schema()).unwrap();
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

#[tokio::test]
async fn a_command_writes_beside_the_server_and_both_see_it() {
    let (_directory, path, store) = fresh();
    let command = Sqlite::outside_writer_schema(&path, &schema()).unwrap();
    for id in ["a", "c"] {
        command.write(Write::of(insert(id))).await.unwrap();
        store.write(Write::of(touch(id).exactly(1))).await.unwrap();
    }
    assert_eq!(ids(&store).await, ["a", "c"]);
    drop(store);
    command.write(Write::of(insert("without a server"))).await.unwrap();
}

#[test]
fn steps_are_added_and_a_newer_or_older_schema_is_named() {
    let (_directory, path, store) = fresh();
    drop(store);
    let longer = Schema::of(&[TABLE, "ALTER TABLE notes ADD COLUMN extra TEXT;"]);
    let older = OpenError::Older {
        path: path.clone(),
        found: 1,
        known: 2,
    };
    assert_eq!(Sqlite::read_only_schema(&path, &longer).unwrap_err(), older);
    assert_eq!(Sqlite::outside_writer_schema(&path, &longer).unwrap_err(), older);
    drop(Sqlite::serve_schema(&path, &longer).unwrap());
    drop(Sqlite::read_only_schema(&path, &longer).unwrap());

    let newer = OpenError::Newer {
        path: path.clone(),
        found: 2,
        known: 1,
    };
    assert_eq!(Sqlite::serve_schema(&path, &schema()).unwrap_err(), newer);
    assert_eq!(Sqlite::read_only_schema(&path, &schema()).unwrap_err(), newer);
    assert_eq!(Sqlite::outside_writer_schema(&path, &schema()).unwrap_err(), newer);
}

#[test]
fn a_step_that_fails_leaves_the_database_as_it_was() {
    let (_directory, path, store) = fresh();
    drop(store);
    let wrong = Schema::of(&[
        TABLE,
        "CREATE TABLE more (id TEXT); ALTER TABLE absent ADD COLUMN x TEXT;",
    ]);
    let refused = Sqlite::serve_schema(&path, &wrong).unwrap_err();
    assert!(matches!(refused, OpenError::Broken { .. }), "{refused:?}");
    drop(Sqlite::serve_schema(&path, &schema()).unwrap());
}

#[test]
fn another_program_s_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("theirs.sqlite");
    let theirs = Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(theirs);
    let refused = Sqlite::serve_schema(&path, &schema()).unwrap_err().to_string();
    assert!(refused.contains("another program"), "{refused}");
    let theirs = Connection::open(&path).unwrap();
    assert!(!theirs.table_exists(None, "notes").unwrap());
}

#[test]
fn what_stands_in_the_way_is_said_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(
        &file,
        "this is no database, and long enough to be looked at as one".repeat(20),
    )
    .unwrap();
    let absent = directory.path().join("absent.sqlite");

    let refusals = [
        // A file stands where a directory has to.
        (
            Sqlite::serve_schema(&file.join("below.sqlite"), &schema()),
            "cannot be opened",
        ),
        (Sqlite::serve_schema(directory.path(), &schema()), "cannot be opened"),
        (Sqlite::serve_schema(&file, &schema()), "cannot be used"),
        (Sqlite::read_only_schema(&absent, &schema()), "there is no database"),
        (
            Sqlite::outside_writer_schema(&absent, &schema()),
            "there is no database",
        ),
    ];
    for (outcome, words) in refusals {
        let sentence = outcome.unwrap_err().to_string();
        assert!(sentence.contains(words), "{sentence}");
        assert!(sentence.contains(directory.path().to_str().unwrap()), "{sentence}");
        assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{sentence}");
    }
    assert!(!absent.exists());
}

#[tokio::test]
async fn the_writer_syncs_every_commit() {
    let (_directory, _path, store) = fresh();
    let asked = |sql| Write::of(Statement::new(sql, Vec::new()).exactly(1));
    for (sql, wanted) in [
        ("SELECT synchronous FROM pragma_synchronous", 2),
        ("SELECT foreign_keys FROM pragma_foreign_keys", 1),
    ] {
        let answer = store.write(asked(sql)).await.unwrap();
        assert_eq!(answer[0][0].int(0), Ok(wanted), "{sql}");
    }
    let answer = store.write(asked("SELECT journal_mode FROM pragma_journal_mode")).await;
    assert_eq!(answer.unwrap()[0][0].text(0), Ok("wal"));
}
