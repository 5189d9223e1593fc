//! Old and new: a database of a former schema is opened and its workflows go on, and what a former program needs of the
//! schema is still there while it works beside a new one.
//!
//! No former program is built here. The rows are written by the present one, in the middle of its work, and moved into
//! the schema that a former migration made, which knows only a part of them. That former events still fold is held by
//! the histories in `tests/golden`. `long_two_versions_share_one_database` runs a real former program, where one is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::kill::Progress;
use crate::servers::{STILL, Servers};
use crate::stage::{Base, Size, Stage};

/// The steps to the present schema, in order.
fn steps(base: Base) -> Vec<String> {
    let folder = match base {
        Base::Sqlite => "migrations/sqlite",
        Base::Postgres => "migrations/postgres",
    };
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "sql"));
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

/// A column, and whether a row may be written without naming it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    kind: String,
    may_be_left_out: bool,
}

/// The columns of every table, by `table.column`.
type Columns = BTreeMap<String, Column>;

fn of_sqlite(connection: &Connection, schema: &str) -> Columns {
    let sql = format!(
        "SELECT t.name || '.' || c.name, c.type, c.pk > 0 OR c.\"notnull\" = 0 OR c.dflt_value IS NOT NULL
         FROM {schema}.sqlite_master t, pragma_table_info(t.name, '{schema}') c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
    );
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| {
        let column = Column {
            kind: row.get(1)?,
            may_be_left_out: row.get(2)?,
        };
        Ok((row.get(0)?, column))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn of_postgres(stage: &Stage, schema: &str) -> Columns {
    let sql = format!(
        "SELECT table_name || '.' || column_name || '|' || data_type || '|'
            || (is_nullable = 'YES' OR is_identity = 'YES' OR column_default IS NOT NULL)
         FROM information_schema.columns
         WHERE table_schema = '{schema}' AND table_name NOT LIKE 'countersign_%'"
    );
    let answer = stage.postgres().ask(&sql);
    let columns = answer.lines().map(|line| {
        let mut parts = line.split('|');
        let mut part = || parts.next().unwrap().to_owned();
        let (name, kind) = (part(), part());
        let may_be_left_out = part() == "true";
        (name, Column { kind, may_be_left_out })
    });
    columns.collect()
}

/// For each table of the former schema, the columns that both have.
fn shared(former: &Columns, later: &Columns) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in former.keys().filter(|name| later.contains_key(*name)) {
        let (table, column) = name.split_once('.').unwrap();
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    tables
}

/// Moves what is kept into the schema of a former version.
fn put_back(stage: &Stage, version: usize) {
    match stage.base {
        Base::Sqlite => put_back_sqlite(&stage.home().join("bot.sqlite"), version),
        Base::Postgres => put_back_postgres(stage, version),
    }
}

fn put_back_sqlite(file: &Path, version: usize) {
    let beside = file.with_extension("former");
    let connection = Connection::open(&beside).unwrap();
    for step in &steps(Base::Sqlite)[..version] {
        connection.execute_batch(step).unwrap();
    }
    connection
        .execute("ATTACH $1 AS later", [file.to_str().unwrap()])
        .unwrap();
    let tables = shared(&of_sqlite(&connection, "main"), &of_sqlite(&connection, "later"));
    for (table, columns) in tables {
        let columns = columns.join(", ");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM later.{table}");
        connection.execute(&copy, []).unwrap();
    }
    connection
        .pragma_update(None, "user_version", i64::try_from(version).unwrap())
        .unwrap();
    connection.execute_batch("DETACH later").unwrap();
    drop(connection);
    std::fs::rename(&beside, file).unwrap();
    for end in ["-wal", "-shm"] {
        let mut left = file.as_os_str().to_owned();
        left.push(end);
        let _ = std::fs::remove_file(left);
    }
}

fn put_back_postgres(stage: &Stage, version: usize) {
    let database = stage.postgres();
    database.ask("ALTER SCHEMA public RENAME TO later; CREATE SCHEMA public");
    database.ask(&steps(Base::Postgres)[..version].join("\n"));
    let mut sql = String::from(
        "ALTER TABLE later.countersign_schema SET SCHEMA public;
         ALTER TABLE later.countersign_writers SET SCHEMA public;",
    );
    sql.push_str(&format!("UPDATE countersign_schema SET version = {version};"));
    for (table, columns) in shared(&of_postgres(stage, "public"), &of_postgres(stage, "later")) {
        let numbered = columns.iter().any(|column| column == "seq") && table != "events";
        let columns = columns.join(", ");
        sql.push_str(&format!(
            "INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM later.{table};"
        ));
        if numbered {
            sql.push_str(&format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'seq'), (SELECT COALESCE(MAX(seq), 0) + 1 FROM {table}));"
            ));
        }
    }
    database.ask(&format!("{sql} DROP SCHEMA later CASCADE"));
}

/// People go on while the server is stopped in the middle of its work, its database is put back into each former schema
/// in turn, and the server is started again.
async fn goes_on_from_every_former_schema(base: Base) {
    let stage = Stage::new(base, Size::short(0, 0).patience).await;
    let server = stage.server(0);
    let mut running = stage.start(&server).await;
    let first = stage.people.story().await;
    let stories = stage.stories(3);
    let mut progress = Progress::of(&stage.github);
    let known = steps(base).len();
    for version in 1..known {
        let _ = tokio::time::timeout(STILL, progress.more(90 / known)).await;
        running.kill();
        put_back(&stage, version);
        stage.let_leases_end();
        running = stage.start(&server).await;
    }
    running.kill();
    let mut servers = Servers::start(&stage, 1).await;
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    stage.count(first, &others).await;
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_go_on_from_every_former_schema_on_sqlite() {
    goes_on_from_every_former_schema(Base::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_go_on_from_every_former_schema_on_postgres() {
    goes_on_from_every_former_schema(Base::Postgres).await;
}

/// What a former program names is there, is what it was, and nothing is asked of its rows that it does not know: so it
/// works on beside a new one.
fn holds_for_former_programs(version: usize, former: &Columns, later: &Columns) {
    for (name, column) in former {
        let now = later.get(name);
        let kind = now.map(|column| &column.kind);
        assert_eq!(
            kind,
            Some(&column.kind),
            "{name} of schema {version} is not what it was"
        );
    }
    for (name, column) in later.iter().filter(|(name, _)| !former.contains_key(*name)) {
        let table = format!("{}.", name.split_once('.').unwrap().0);
        let is_former = former.keys().any(|known| known.starts_with(&table));
        assert!(
            !is_former || column.may_be_left_out,
            "{name} is newer than schema {version}, whose programs write rows without it: give it a default"
        );
    }
}

#[test]
fn migrations_take_nothing_from_a_former_program_on_sqlite() {
    let steps = steps(Base::Sqlite);
    let schema = |version: usize| {
        let connection = Connection::open_in_memory().unwrap();
        steps[..version]
            .iter()
            .for_each(|step| connection.execute_batch(step).unwrap());
        of_sqlite(&connection, "main")
    };
    for version in 1..steps.len() {
        holds_for_former_programs(version, &schema(version), &schema(steps.len()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_take_nothing_from_a_former_program_on_postgres() {
    let stage = Stage::new(Base::Postgres, Size::short(0, 0).patience).await;
    let steps = steps(Base::Postgres);
    let database = stage.postgres();
    let schema = |version: usize| {
        let steps = steps[..version].join("\n");
        database.ask(&format!(
            "CREATE SCHEMA s{version}; SET search_path = s{version}; {steps}"
        ));
        of_postgres(&stage, &format!("s{version}"))
    };
    let later = schema(steps.len());
    assert!(later.len() > 100, "{later:#?}");
    for version in 1..steps.len() {
        holds_for_former_programs(version, &schema(version), &later);
    }
}

/// Three servers of a former program are replaced one after another, while people go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a former program: docs/reliability.md"]
async fn long_two_versions_share_one_database() {
    let former = std::env::var("COUNTERSIGN_FORMER_PROGRAM")
        .expect("COUNTERSIGN_FORMER_PROGRAM names a program that was built from an earlier commit");
    let size = Size::long(30, 0);
    let stage = Stage::new(Base::Postgres, size.patience).await;
    let mut running = Vec::new();
    for number in 0..3 {
        let server = stage.server(number).of(Path::new(&former));
        running.push(stage.start(&server).await);
    }
    let first = stage.people.story().await;
    let stories = stage.stories(size.workflows - 1);
    let mut progress = Progress::of(&stage.github);
    for number in 0..3 {
        progress.more(100).await;
        let old = running.remove(0);
        let new = stage.start(&stage.server(number + 3)).await;
        // Both work for a while.
        progress.more(60).await;
        old.stop().await;
        running.push(new);
    }
    for server in running {
        server.stop().await;
    }
    let mut servers = Servers::start(&stage, 3).await;
    let others = servers.until_the_end(stories).await;
    servers.settle().await;
    let counted = stage.count(first, &others).await;
    println!("three servers of {former} replaced under load: {counted}");
    servers.stop().await;
}
