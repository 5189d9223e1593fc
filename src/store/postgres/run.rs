//! One statement on one connection.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::TryStreamExt as _;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Decode, Either, Encode, Executor as _, Postgres, Row as _, Type,
    TypeInfo as _, ValueRef as _,
};

use super::many::{Joined, Many};
use super::text;
use crate::store::write::{Hits, Row, Statement, StoreError, Value};

/// What begins a word that only PostgreSQL reads.
const ONLY_HERE: &str = "/* postgres: ";

/// A statement's text as PostgreSQL reads it.
#[derive(Debug)]
pub(super) struct Text {
    sql: Arc<str>,
    /// The values that it names, from 1.
    named: BTreeSet<usize>,
    /// Whether it only reads.
    reads: bool,
    /// Its form for many, where it has one.
    many: Option<Many>,
}

/// Every text that was run, each made ready once.
#[derive(Debug, Default)]
pub(super) struct Texts(RwLock<HashMap<&'static str, Arc<Text>>>);

impl Texts {
    pub(super) fn of(&self, sql: &'static str) -> Arc<Text> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        known.unwrap_or_else(|| {
            let text = Arc::new(Text::of(sql));
            let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(texts.entry(sql).or_insert(text))
        })
    }
}

impl Text {
    fn of(sql: &str) -> Self {
        let mut read = String::with_capacity(sql.len());
        let mut rest = sql;
        while let Some((before, behind)) = rest.split_once(ONLY_HERE) {
            let (words, behind) = behind.split_once("*/").unwrap_or((behind, ""));
            read.push_str(before);
            read.push_str(words.trim_end());
            rest = behind;
        }
        read.push_str(rest);
        Self {
            named: read
                .split('$')
                .skip(1)
                .filter_map(|behind| {
                    let digits = behind.find(|next: char| !next.is_ascii_digit()).unwrap_or(behind.len());
                    behind[..digits].parse().ok()
                })
                .collect(),
            reads: read.trim_start().starts_with("SELECT"),
            many: Many::of(&read),
            sql: read.into(),
        }
    }

    /// The text itself.
    pub(super) fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// Whether the statement can be a transaction by itself: when it hits what it must not, there is nothing to undo.
    pub(super) fn stands_alone(&self, statement: &Statement) -> bool {
        match statement.hits {
            Hits::Any => true,
            // It inserts one row, or none because that is there.
            Hits::Exactly(wanted) => wanted == 1 && self.many.as_ref().is_some_and(Many::finds),
        }
    }

    /// Whether these are done as one: more than one, of a text that has a form for many.
    pub(super) fn joins(&self, statements: &[&Statement]) -> bool {
        statements.len() > 1 && self.many.as_ref().is_some_and(|many| many.takes(statements))
    }

    /// Whether these are the values that it names, all of them and no other.
    fn takes(&self, values: usize) -> Result<(), StoreError> {
        if self.named.len() == values && self.named.iter().copied().eq(1..=values) {
            return Ok(());
        }
        let named: Vec<String> = self.named.iter().map(|number| format!("${number}")).collect();
        Err(StoreError::Broken(format!(
            "the statement names the values {} and was given {values}",
            named.join(", ")
        )))
    }
}

/// What a statement did.
#[derive(Debug)]
pub(super) struct Done {
    /// The rows that it returned.
    pub(super) rows: Vec<Row>,
    /// How many it returned or changed.
    pub(super) hits: usize,
    /// How many it changed.
    pub(super) changed: usize,
}

/// Why a statement was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The statement is wrong: nothing was sent.
    Ours(StoreError),
    /// The database, or the way to it.
    Theirs(sqlx::Error),
}

/// How long an answer is waited for. The server gives a statement up before: past this the way is lost without a word.
const SILENCE: Duration = Duration::from_secs(35);

/// What comes of it, or an error when nothing does.
pub(super) async fn in_time<T>(doing: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let done = tokio::time::timeout(SILENCE, doing).await;
    done.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

/// Runs a statement.
pub(super) async fn statement(connection: &mut PgConnection, text: &Text, values: &[Value]) -> Result<Done, Failure> {
    text.takes(values.len()).map_err(Failure::Ours)?;
    let arguments = arguments(values).map_err(Failure::Ours)?;
    let mut done = query(connection, Arc::clone(&text.sql), arguments).await?;
    if text.reads {
        done.changed = 0;
    }
    Ok(done)
}

/// Runs statements of one text as one.
pub(super) async fn joined(
    connection: &mut PgConnection,
    text: &Text,
    statements: &[&Statement],
) -> Result<Joined, Failure> {
    match &text.many {
        Some(many) => many.run(connection, text, statements).await,
        None => Err(Failure::Ours(StoreError::Broken(
            "the text has no form for many".to_owned(),
        ))),
    }
}

/// Runs a text with its values.
pub(super) async fn query(
    connection: &mut PgConnection,
    sql: Arc<str>,
    arguments: PgArguments,
) -> Result<Done, Failure> {
    let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
    let mut answer = connection.fetch_many(query);
    let (mut rows, mut columns, mut hits) = (Vec::new(), None, 0);
    while let Some(part) = in_time(answer.try_next()).await.map_err(Failure::Theirs)? {
        match part {
            Either::Left(done) => hits += usize::try_from(done.rows_affected()).unwrap_or(usize::MAX),
            Either::Right(row) => {
                let columns = columns.get_or_insert_with(|| Columns::of(&row));
                rows.push(columns.read(&row).map_err(Failure::Ours)?);
            }
        }
    }
    Ok(Done {
        rows,
        hits,
        changed: hits,
    })
}

fn arguments(values: &[Value]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Null => arguments.add(Nothing),
            Value::Int(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text::written(text)),
            Value::Blob(bytes) => arguments.add(bytes.as_slice()),
        }
        .map_err(|error| StoreError::Broken(format!("a value cannot be sent: {error}")))?;
    }
    Ok(arguments)
}

/// No value, of whatever type its place has.
struct Nothing;

impl Type<Postgres> for Nothing {
    fn type_info() -> PgTypeInfo {
        // "Placing a zero here is equivalent to leaving the type unspecified":
        // <https://www.postgresql.org/docs/current/protocol-message-formats.html>, Parse.
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Nothing {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// How a column's values are read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Wide,
    Narrow,
    Flag,
    Text,
    Bytes,
    Other,
}

struct Columns {
    names: Arc<[String]>,
    kinds: Vec<Kind>,
}

impl Columns {
    fn of(row: &PgRow) -> Self {
        let columns = row.columns();
        Self {
            names: columns.iter().map(|column| column.name().to_owned()).collect(),
            kinds: columns
                .iter()
                .map(|column| match column.type_info().name() {
                    "INT8" => Kind::Wide,
                    "INT4" => Kind::Narrow,
                    "BOOL" => Kind::Flag,
                    "TEXT" | "VARCHAR" | "NAME" => Kind::Text,
                    "BYTEA" => Kind::Bytes,
                    _ => Kind::Other,
                })
                .collect(),
        }
    }

    fn read(&self, row: &PgRow) -> Result<Row, StoreError> {
        let mut values = Vec::with_capacity(self.kinds.len());
        for (at, kind) in self.kinds.iter().enumerate() {
            let value = row.try_get_raw(at).map_err(unreadable)?;
            values.push(if value.is_null() {
                Value::Null
            } else {
                match kind {
                    Kind::Wide => Value::Int(decoded::<i64>(value)?),
                    Kind::Narrow => Value::Int(decoded::<i32>(value)?.into()),
                    // A comparison, which SQLite answers with 0 or 1.
                    Kind::Flag => Value::from(decoded::<bool>(value)?),
                    Kind::Text => Value::Text(text::read(decoded::<String>(value)?)),
                    Kind::Bytes => Value::Blob(decoded::<Vec<u8>>(value)?),
                    Kind::Other => {
                        let (name, found) = (&self.names[at], value.type_info().to_string());
                        return Err(StoreError::Broken(format!("column {name} holds a {found}")));
                    }
                }
            });
        }
        Ok(Row::new(Arc::clone(&self.names), values))
    }
}

fn decoded<'r, T: Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, StoreError> {
    T::decode(value).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("an answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_postgresql_alone_are_read_here() {
        let text = Text::of("SELECT a FROM b LIMIT $2 /* postgres: FOR UPDATE SKIP LOCKED */ WHERE $1");
        assert_eq!(&*text.sql, "SELECT a FROM b LIMIT $2 FOR UPDATE SKIP LOCKED WHERE $1");
        assert_eq!(text.takes(2), Ok(()));
        assert!(text.reads);
    }

    #[test]
    fn a_statement_takes_exactly_the_values_it_names() {
        for (sql, values) in [
            ("SELECT $1", 0),
            ("SELECT $1", 2),
            ("SELECT $2", 1),
            ("SELECT $0", 1),
            ("SELECT 1", 1),
        ] {
            assert!(
                matches!(Text::of(sql).takes(values), Err(StoreError::Broken(_))),
                "{sql}"
            );
        }
        assert_eq!(
            Text::of("SELECT $10, $2, $3, $4, $5, $6, $7, $8, $9, $1").takes(10),
            Ok(())
        );
    }
}
