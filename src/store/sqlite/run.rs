//! One statement on one connection.

use std::sync::Arc;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ffi};

use crate::store::write::{Row, StoreError, Value};

/// Runs a statement; tells the rows that it returned, and how many it returned or changed.
pub(super) fn statement(
    connection: &Connection,
    sql: &'static str,
    values: &[Value],
) -> Result<(Vec<Row>, usize), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(store_error)?;
    bind(&mut statement, values)?;
    if statement.column_count() == 0 {
        let changed = statement.raw_execute().map_err(store_error)?;
        return Ok((Vec::new(), changed));
    }
    let columns: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut answer = statement.raw_query();
    while let Some(row) = answer.next().map_err(store_error)? {
        let values = (0..columns.len())
            .map(|at| stored(&columns[at], row.get_ref(at).map_err(store_error)?))
            .collect::<Result<_, _>>()?;
        rows.push(Row::new(Arc::clone(&columns), values));
    }
    let hits = rows.len();
    Ok((rows, hits))
}

/// SQLite numbers `$2` by where it first stands, PostgreSQL by what it says: what it says counts.
fn bind(statement: &mut CachedStatement<'_>, values: &[Value]) -> Result<(), StoreError> {
    let named = statement.parameter_count();
    if named != values.len() {
        return Err(StoreError::Broken(format!(
            "the statement names {named} values and was given {}",
            values.len()
        )));
    }
    for at in 1..=named {
        let name = statement.parameter_name(at).unwrap_or("?");
        let value = name
            .strip_prefix('$')
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| values.get(number.checked_sub(1)?))
            .ok_or_else(|| StoreError::Broken(format!("the statement names the value {name}, which was not given")))?;
        statement.raw_bind_parameter(at, value).map_err(store_error)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn stored(column: &str, value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map(Value::from)
            .map_err(|_| StoreError::Broken(format!("column {column} holds text that is no UTF-8"))),
        ValueRef::Blob(bytes) => Ok(Value::from(bytes)),
        ValueRef::Real(_) => Err(StoreError::Broken(format!("column {column} holds a fraction"))),
    }
}

/// What an error of SQLite means to who asked. Extended codes: <https://www.sqlite.org/rescode.html>.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error() else {
        return StoreError::Broken(error.to_string());
    };
    match (code.code, code.extended_code) {
        (
            ErrorCode::ConstraintViolation,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => StoreError::Conflict(error.to_string()),
        (
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed,
            _,
        ) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Broken(error.to_string()),
    }
}
