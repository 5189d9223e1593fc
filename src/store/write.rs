//! A write is data: a list of statements with their values and the number of rows that each must hit.
//!
//! The same list runs inside a group on SQLite's one writer thread and in a transaction on PostgreSQL; so the two
//! databases cannot drift apart in what an operation means. The text of a statement is written once: placeholders are
//! `$1`, `$2` …, every value given is named by the text, types are `BIGINT`, `TEXT` and `BLOB`, a sum is cast to `BIGINT`,
//! a subquery in `FROM` has a name, and a column's name says the same everywhere.
//!
//! Words that only PostgreSQL knows stand in a comment that only its back end reads: `/* postgres: FOR UPDATE */`. They
//! lock rows, which SQLite, where one writes at a time, has no need of.
//!
//! PostgreSQL may do several statements of one text as one, in a form that is made from the text: an `INSERT` of one row of
//! values, whose `DO UPDATE` says `excluded.column` and not `$1` again, and whose `RETURNING` has the key. `RETURNING` costs
//! SQLite a journal of its own for the statement; where a count says the same, it is cheaper.

use std::sync::Arc;

use crate::workflow::ids::{
    CommentId, DeliveryId, Digest, EffectId, InstallationId, IssueId, IssueNumber, PhaseId, RepositoryId, UserId,
    WorkflowId,
};

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`.
    Text(String),
    /// `BLOB`.
    Blob(Vec<u8>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Int(_) => "a number",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

/// Bit for bit, so that no two ids can meet and none is refused; [`Row::id`] is the way back.
impl From<u64> for Value {
    fn from(id: u64) -> Self {
        Self::Int(id.cast_signed())
    }
}

/// `1` or `0`: both databases keep flags as `BIGINT`.
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_ids {
    (number: $($number:ident),+; text: $($text:ident),+) => {
        $(impl From<$number> for Value {
            fn from(id: $number) -> Self {
                Self::from(id.0)
            }
        })+
        $(impl From<&$text> for Value {
            fn from(id: &$text) -> Self {
                Self::from(id.as_str())
            }
        })+
    };
}

from_ids! {
    number: RepositoryId, UserId, InstallationId, CommentId, IssueNumber, IssueId;
    text: WorkflowId, PhaseId, DeliveryId, EffectId
}

/// As 64 hex digits.
impl From<&Digest> for Value {
    fn from(digest: &Digest) -> Self {
        Self::Text(digest.to_string())
    }
}

/// A list of [`Value`]s from whatever becomes one: `values![id, "new", None::<i64>]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::Value::from($value)),*] };
}

/// How many rows a statement must hit. For one that returns rows, the rows returned count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hits {
    /// Whatever it hits is right.
    Any,
    /// Any other number means that the world has moved: the whole write is undone ([`StoreError::Missed`]).
    Exactly(usize),
}

/// One statement of a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, the same for every database.
    pub sql: &'static str,
    /// `$1` is the first.
    pub values: Vec<Value>,
    /// What must be hit for the write to stand.
    pub hits: Hits,
}

impl Statement {
    /// A statement that may hit any number of rows.
    pub fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self {
            sql,
            values,
            hits: Hits::Any,
        }
    }

    /// The same, which must hit exactly this many rows.
    pub fn exactly(mut self, rows: usize) -> Self {
        self.hits = Hits::Exactly(rows);
        self
    }
}

/// Statements that hold together: all of them are kept, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write(pub Vec<Statement>);

impl Write {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One statement alone.
    pub fn of(statement: Statement) -> Self {
        Self(vec![statement])
    }

    /// This, then that.
    #[must_use]
    pub fn then(mut self, statement: Statement) -> Self {
        self.0.push(statement);
        self
    }

    /// Adds a statement and tells its position, by which its rows and its miss are found.
    pub fn push(&mut self, statement: Statement) -> usize {
        self.0.push(statement);
        self.0.len() - 1
    }

    /// Adds all of another write behind this one.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The statement, where there is one alone.
    pub(super) fn only(&self) -> Option<&Statement> {
        match self.0.as_slice() {
            [statement] => Some(statement),
            _ => None,
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why the store did not do what was asked. Nothing of the write was kept, but for what [`Self::Unavailable`] tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A statement hit another number of rows than it had to: read again and decide again.
    #[error("statement {statement} of the write hit another number of rows than it had to")]
    Missed {
        /// Its position in the write, from 0.
        statement: usize,
    },
    /// A row with the same key exists.
    #[error("a row with the same key exists: {0}")]
    Conflict(String),
    /// The database cannot be used now (busy, full, closed, away): the same write may succeed later. When the connection
    /// to a PostgreSQL server was lost before the answer came, the write may have been kept nevertheless: every write is
    /// made so that whoever tries it again, or finds its lease ended, does no harm.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// A mistake of ours, or a damaged file: trying again will not help.
    #[error("the database refused: {0}")]
    Broken(String),
}

/// A value of ours that cannot be written as JSON, or stored JSON that cannot be read.
impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

/// What names a column: its position from 0, or its name.
pub trait Column: Copy + std::fmt::Display {
    /// The position among these names.
    fn position(self, columns: &[String]) -> Option<usize>;
}

impl Column for usize {
    fn position(self, columns: &[String]) -> Option<usize> {
        (self < columns.len()).then_some(self)
    }
}

impl Column for &str {
    fn position(self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|name| name == self)
    }
}

impl Row {
    /// A row with as many values as columns.
    pub(super) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        debug_assert_eq!(columns.len(), values.len());
        Self { columns, values }
    }

    /// The value as it is.
    ///
    /// # Errors
    /// [`StoreError::Broken`], as of all getters, names the column that is missing or holds something else.
    pub fn value(&self, column: impl Column) -> Result<&Value, StoreError> {
        column
            .position(&self.columns)
            .and_then(|at| self.values.get(at))
            .ok_or_else(|| StoreError::Broken(format!("the answer has no column {column}")))
    }

    /// A number.
    pub fn int(&self, column: impl Column) -> Result<i64, StoreError> {
        self.opt_int(column)?
            .ok_or_else(|| unexpected(column, "a number", &Value::Null))
    }

    /// A number, or nothing.
    pub fn opt_int(&self, column: impl Column) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Int(number) => Ok(Some(*number)),
            Value::Null => Ok(None),
            other => Err(unexpected(column, "a number", other)),
        }
    }

    /// An id that was stored from a `u64`.
    pub fn id(&self, column: impl Column) -> Result<u64, StoreError> {
        self.int(column).map(i64::cast_unsigned)
    }

    /// An id that was stored from a `u64`, or nothing.
    pub fn opt_id(&self, column: impl Column) -> Result<Option<u64>, StoreError> {
        Ok(self.opt_int(column)?.map(i64::cast_unsigned))
    }

    /// A flag: `0` or `1`.
    pub fn flag(&self, column: impl Column) -> Result<bool, StoreError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(StoreError::Broken(format!("column {column} holds {other}, not a flag"))),
        }
    }

    /// Text.
    pub fn text(&self, column: impl Column) -> Result<&str, StoreError> {
        self.opt_text(column)?
            .ok_or_else(|| unexpected(column, "text", &Value::Null))
    }

    /// Text, or nothing.
    pub fn opt_text(&self, column: impl Column) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            other => Err(unexpected(column, "text", other)),
        }
    }

    /// Text read as a type of ours: a newtype, a digest, a state's name.
    pub fn parsed<T>(&self, column: impl Column) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|error| StoreError::Broken(format!("column {column} cannot be read: {error}")))
    }

    /// Text read as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: impl Column) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?)
            .map_err(|error| StoreError::Broken(format!("column {column} cannot be read: {error}")))
    }

    /// Bytes.
    pub fn blob(&self, column: impl Column) -> Result<&[u8], StoreError> {
        self.opt_blob(column)?
            .ok_or_else(|| unexpected(column, "bytes", &Value::Null))
    }

    /// Bytes, or nothing.
    pub fn opt_blob(&self, column: impl Column) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            Value::Blob(bytes) => Ok(Some(bytes)),
            Value::Null => Ok(None),
            other => Err(unexpected(column, "bytes", other)),
        }
    }
}

/// The value is not named: it may be a person's text, and errors are logged.
fn unexpected(column: impl Column, wanted: &str, found: &Value) -> StoreError {
    StoreError::Broken(format!("column {column} holds {}, not {wanted}", found.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::new(
            ["id", "name", "body", "gone"].map(str::to_owned).into(),
            values![u64::MAX, "card", b"\x00\xff".as_slice(), None::<i64>],
        )
    }

    #[test]
    fn columns_are_read_by_name_and_by_position() {
        let row = row();
        assert_eq!(row.id("id"), Ok(u64::MAX));
        assert_eq!(row.text("name"), Ok("card"));
        assert_eq!(row.text(1), Ok("card"));
        assert_eq!(row.blob("body"), Ok(b"\x00\xff".as_slice()));
        assert_eq!(row.opt_text("gone"), Ok(None));
        assert_eq!(row.opt_int(3), Ok(None));
    }

    #[test]
    fn a_column_that_holds_something_else_is_named_without_its_value() {
        let row = row();
        assert_eq!(
            row.int("name"),
            Err(StoreError::Broken("column name holds text, not a number".to_owned()))
        );
        assert_eq!(
            row.text("gone"),
            Err(StoreError::Broken("column gone holds nothing, not text".to_owned()))
        );
        assert_eq!(
            row.text("nmae"),
            Err(StoreError::Broken("the answer has no column nmae".to_owned()))
        );
        assert_eq!(
            row.blob(9),
            Err(StoreError::Broken("the answer has no column 9".to_owned()))
        );
        assert_eq!(
            row.flag("id"),
            Err(StoreError::Broken("column id holds -1, not a flag".to_owned()))
        );
    }
}
