//! What a server must be let do in the database, asked before it is relied on.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::open::{OpenError, Way, identifier};

/// Whether the database takes writes at all.
pub(super) async fn to_write(way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
    const ASKED: &str =
        "SELECT pg_is_in_recovery() AS follows, current_setting('transaction_read_only') = 'on' AS reads";
    let row = sqlx::query(ASKED).fetch_one(connection).await;
    let (follows, reads) = row
        .and_then(|row| Ok((row.try_get("follows")?, row.try_get("reads")?)))
        .map_err(|error| way.failed(&error))?;
    let place = way.place();
    match (follows, reads) {
        (true, _) => Err(OpenError::Standby { place }),
        (false, true) => Err(OpenError::ReadOnly {
            place,
            user: way.user(),
        }),
        (false, false) => Ok(()),
    }
}

/// Whether the user may make tables, and change those that are there.
pub(super) async fn to_migrate(way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
    // There is none where the user may not even look into it.
    const SCHEMA: &str = "SELECT COALESCE(CAST(current_schema() AS TEXT), 'public') AS name,
        COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create";
    const OWNERS: &str = "SELECT CAST(tableowner AS TEXT) AS owner FROM pg_tables
        WHERE schemaname = current_schema() AND NOT pg_has_role(tableowner, 'USAGE') LIMIT 1";
    let denied = |reason: String, grant: String| OpenError::Denied {
        place: way.place(),
        reason,
        grant,
    };
    let user = way.user();
    let row = sqlx::query(SCHEMA).fetch_one(&mut *connection).await;
    let (schema, may_create): (String, bool) = row
        .and_then(|row| Ok((row.try_get("name")?, row.try_get("may_create")?)))
        .map_err(|error| way.failed(&error))?;
    if !may_create {
        return Err(denied(
            format!("{user} may not make tables in the schema {schema}"),
            format!("GRANT USAGE, CREATE ON SCHEMA {} TO {user}", identifier(&schema)),
        ));
    }
    let row = sqlx::query(OWNERS).fetch_optional(connection).await;
    let owner: Option<String> = row
        .and_then(|row| row.map(|row| row.try_get("owner")).transpose())
        .map_err(|error| way.failed(&error))?;
    match owner {
        Some(owner) => Err(denied(
            format!("its tables belong to {owner}, and {user} may not change them"),
            format!("GRANT {} TO {user}", identifier(&owner)),
        )),
        None => Ok(()),
    }
}

/// Whether the user may read and write every table.
pub(super) async fn to_work(way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
    const LOCKED: &str = "SELECT CAST(relname AS TEXT) AS name FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r'
        AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
        ORDER BY relname LIMIT 1";
    let row = sqlx::query(LOCKED).fetch_optional(connection).await;
    let locked: Option<String> = row
        .and_then(|row| row.map(|row| row.try_get("name")).transpose())
        .map_err(|error| way.failed(&error))?;
    match locked {
        Some(table) => Err(way.tables_denied(format!("{} may not read and write the table {table}", way.user()))),
        None => Ok(()),
    }
}
