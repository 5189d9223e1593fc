use tempfile::TempDir;

use super::open::Schema;
use super::*;
use crate::store::Statement;

const TABLE: &str = "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, seen BIGINT NOT NULL);";

fn schema() -> Schema {
    Schema::of(&[TABLE])
}

impl Sqlite {
    pub(in crate::store) fn serve_with(path: &Path, steps: &[&str]) -> Self {
        Self::serve_schema(path, &Schema::of(steps)).unwrap()
    }

    pub(in crate::store) fn read_only_with(path: &Path, steps: &[&str]) -> Self {
        Self::read_only_schema(path, &Schema::of(steps)).unwrap()
    }

    pub(in crate::store) fn outside_writer_with(path: &Path, steps: &[&str]) -> Self {
        Self::outside_writer_schema(path, &Schema::of(steps)).unwrap()
    }
}

/// A fresh database; the directory lives as long as the test.
fn fresh() -> (TempDir, PathBuf, Sqlite) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deeper/notes.sqlite");
    let store = Sqlite::serve_schema(&path, &schema()).unwrap();
    (directory, path, store)
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

/// The database that is replaced is kept each time, also twice in one second.
#[test]
fn two_restores_in_one_second_keep_both_former_databases() {
    let directory = tempfile::tempdir().unwrap();
    let (path, backup) = (
        directory.path().join("bot.sqlite"),
        directory.path().join("kept.sqlite"),
    );
    drop(Sqlite::serve(&path).unwrap());
    Sqlite::back_up(&path, &backup).unwrap();
    // What a restore that was stopped left behind is no part of the next one.
    std::fs::write(directory.path().join("bot.sqlite.restoring"), "half").unwrap();
    std::fs::write(directory.path().join("bot.sqlite.restoring-wal"), "half").unwrap();
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let former: Vec<PathBuf> = (0..3)
        .map(|_| Sqlite::restore(&path, &backup).unwrap().replace(now).unwrap())
        .map(|restored| restored.former.unwrap())
        .collect();
    assert!(former.iter().all(|path| path.exists()), "{former:?}");
    assert_eq!(former.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    let left = std::fs::read_dir(directory.path()).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains("restoring")), "{left:?}");
    drop(Sqlite::serve(&path).unwrap());
}

/// What people wrote is for the database's owner, as in a backup.
#[cfg(unix)]
#[tokio::test]
async fn a_new_database_and_its_log_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, path, store) = fresh();
    let sql = "INSERT INTO notes (id, body, seen) VALUES ('a', 'text', 0)";
    store.write(Write::of(Statement::new(sql, Vec::new()))).await.unwrap();
    for ending in ["", "-wal", "-shm"] {
        let file = format!("{}{ending}", path.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

/// Whoever looks before a server starts makes nothing.
#[test]
fn looking_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/yet/bot.sqlite");
    assert_eq!(Sqlite::try_serve(&path), Ok(()));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    std::fs::write(directory.path().join("not"), "").unwrap();
    let refused = Sqlite::try_serve(&path).unwrap_err();
    assert!(matches!(refused, OpenError::Unwritable { .. }), "{refused}");
}
