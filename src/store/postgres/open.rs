//! Opening: the way there, the server's version, the schema, the clock; and a sentence for whatever stands in the way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::failure::Meaning;
use super::rights;
use crate::config::PostgresUrl;
use crate::store::write::StoreError;

/// The oldest version that the statements are written for.
const OLDEST: u32 = 15;

/// What the connections of a server are called in the database.
pub(super) const SERVER: &str = "countersign serve";

/// Statements kept ready per connection; the store has fewer.
const STATEMENTS: usize = 192;

/// How long one connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);

/// How far this machine's clock may be from the database's. Leases are times of our clocks and last 90 seconds, of which
/// half must be left for an act: with this much there is no doubt whose they are.
pub(super) const CLOCKS_APART: Duration = Duration::from_secs(5);

/// Keeps replicas that start at once from migrating at once. Any number, as long as it is always the same.
const MIGRATION_LOCK: i64 = 0x636f_756e_7465_7273;

/// Why a database was not opened: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers there, or not yet.
    #[error("the database {place} cannot be reached ({reason}): start it, or correct COUNTERSIGN_DATABASE_URL")]
    Unreachable {
        /// The database, without its password.
        place: String,
        /// What was said.
        reason: String,
    },
    /// It does not let us in.
    #[error("the database {place} refuses us ({reason}): correct COUNTERSIGN_DATABASE_URL, or create what is missing")]
    Refused {
        /// The database, without its password.
        place: String,
        /// What was said.
        reason: String,
    },
    /// The server is too old.
    #[error("the database {place} is PostgreSQL {found}, and 15 or later is needed: upgrade it")]
    TooOld {
        /// The database, without its password.
        place: String,
        /// Its version.
        found: u32,
    },
    /// A newer program has migrated it.
    #[error(
        "the database {place} has schema {found} and this program knows only {known}: use the newer program, or restore \
         a backup from before it ran"
    )]
    Newer {
        /// The database, without its password.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The server of this program has not run on it yet.
    #[error(
        "the database {place} has schema {found} and this program needs {known}: start its `countersign serve` once, \
         which migrates it"
    )]
    Older {
        /// The database, without its password.
        place: String,
        /// Its schema; 0 when it is empty.
        found: i64,
        /// The one that this program needs.
        known: i64,
    },
    /// The user may not do what a server does.
    #[error(
        "the database {place} does not let its user work ({reason}): as the owner of what is in it run `{grant}`, or name \
         a user that owns it"
    )]
    Denied {
        /// The database, without its password.
        place: String,
        /// What the user may not do.
        reason: String,
        /// What lets it.
        grant: String,
    },
    /// It is set to take no writes.
    #[error(
        "the database {place} takes no writes, because default_transaction_read_only is on: run `ALTER ROLE {user} SET \
         default_transaction_read_only = off`, or name another database"
    )]
    ReadOnly {
        /// The database, without its password.
        place: String,
        /// Its user, as SQL names it.
        user: String,
    },
    /// It follows another one.
    #[error(
        "the database {place} takes no writes, because it is a standby: name the primary in COUNTERSIGN_DATABASE_URL, or \
         promote this one"
    )]
    Standby {
        /// The database, without its password.
        place: String,
    },
    /// The clocks disagree.
    #[error(
        "this machine's clock is {seconds} s {} that of the database {place}: set it right, leases depend on it",
        if *.seconds < 0 { "behind" } else { "ahead of" }
    )]
    Clocks {
        /// The database, without its password.
        place: String,
        /// How many seconds ours is ahead.
        seconds: i64,
    },
    /// It is not what it should be.
    #[error("the database {place} cannot be used ({reason}): restore a backup, or name another database")]
    Broken {
        /// The database, without its password.
        place: String,
        /// What PostgreSQL said.
        reason: String,
    },
}

impl OpenError {
    /// Whether the same may go well in a while, without anybody doing anything.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Standby { .. })
    }
}

/// The way to one database.
#[derive(Debug, Clone)]
pub(super) struct Way {
    place: String,
    options: PgConnectOptions,
}

impl Way {
    pub(super) fn to(url: &PostgresUrl) -> Result<Self, OpenError> {
        let place = url.to_string();
        let options: PgConnectOptions = url.expose().parse().map_err(|error: sqlx::Error| OpenError::Refused {
            place: place.clone(),
            reason: error.to_string(),
        })?;
        let options = options
            .application_name("countersign")
            .statement_cache_capacity(STATEMENTS)
            .options([
                ("statement_timeout", "30s"),
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "15s"),
            ])
            .disable_statement_logging();
        Ok(Self { place, options })
    }

    /// The way of a server: the others are commands beside it, which the database can tell by their name.
    pub(super) fn for_a_server(mut self) -> Self {
        self.options = self.options.application_name(SERVER);
        self
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// A connection of one's own.
    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let connecting = PgConnection::connect_with(&self.options);
        tokio::time::timeout(CONNECTING, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }

    /// The first connection: says what stands in the way, and makes sure that an answer means "on disk".
    pub(super) async fn enter(&mut self) -> Result<PgConnection, OpenError> {
        let mut connection = self.connect().await.map_err(|error| self.not_connected(&error))?;
        let found = connection.server_version_num().unwrap_or_default() / 10_000;
        if found < OLDEST {
            let place = self.place.clone();
            return Err(OpenError::TooOld { place, found });
        }
        let asked = sqlx::query("SELECT current_setting('synchronous_commit')").fetch_one(&mut connection);
        let synchronous: String = asked
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.failed(&error))?;
        if synchronous == "off" {
            // A role or a database may be set so; what we answer for is not its other users' business.
            self.options = self.options.clone().options([("synchronous_commit", "on")]);
            connection = self.connect().await.map_err(|error| self.not_connected(&error))?;
        }
        // Payloads and states are large enough to be compressed, which takes the older method several times as long.
        // A server may be built without the newer one.
        const QUICKER: &str = "SELECT EXISTS (SELECT 1 FROM pg_settings
            WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals))";
        let asked = sqlx::query(QUICKER).fetch_one(&mut connection).await;
        let quicker: bool = asked
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.failed(&error))?;
        if quicker {
            self.options = self.options.clone().options([("default_toast_compression", "lz4")]);
        }
        Ok(connection)
    }

    /// Refuses when the clocks disagree.
    pub(super) async fn compare_clocks(&self, connection: &mut PgConnection) -> Result<(), OpenError> {
        let ahead = ahead(connection).await.map_err(|error| self.failed(&error))?;
        let seconds = ahead / 1_000_000;
        if seconds.unsigned_abs() > CLOCKS_APART.as_secs() {
            let place = self.place.clone();
            return Err(OpenError::Clocks { place, seconds });
        }
        Ok(())
    }

    /// The database, without its password.
    pub(super) fn place(&self) -> String {
        self.place.clone()
    }

    fn not_connected(&self, error: &sqlx::Error) -> OpenError {
        let place = self.place.clone();
        let reason = match error {
            sqlx::Error::Database(said) => said.message().to_owned(),
            sqlx::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        let code = error.as_database_error().and_then(|said| said.code());
        match code.as_deref().and_then(|code| code.get(..2)) {
            // The name, the password, the database, the right to connect.
            Some("28" | "3D" | "42") => OpenError::Refused { place, reason },
            // It starts, it stops, it is full: or nobody is there.
            _ => OpenError::Unreachable { place, reason },
        }
    }

    fn of_another_program(&self) -> OpenError {
        OpenError::Broken {
            place: self.place.clone(),
            reason: "it belongs to another program".to_owned(),
        }
    }

    /// What the user has to be given to work with the tables of others.
    pub(super) fn tables_denied(&self, reason: String) -> OpenError {
        OpenError::Denied {
            place: self.place.clone(),
            reason,
            grant: format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
                self.user()
            ),
        }
    }

    /// The user that logs in, as SQL names it.
    pub(super) fn user(&self) -> String {
        identifier(self.options.get_username())
    }

    pub(super) fn failed(&self, error: &sqlx::Error) -> OpenError {
        let place = self.place.clone();
        if let Some(said) = error.as_database_error() {
            match said.code().as_deref() {
                Some("42501") => return self.tables_denied(said.message().to_owned()),
                Some("25006") => {
                    let user = self.user();
                    return OpenError::ReadOnly { place, user };
                }
                _ => {}
            }
        }
        match Meaning::of_theirs(error) {
            Meaning::Final(StoreError::Unavailable(reason)) | Meaning::Reconnect(StoreError::Unavailable(reason)) => {
                OpenError::Unreachable { place, reason }
            }
            other => OpenError::Broken {
                place,
                reason: other.answer().to_string(),
            },
        }
    }
}

/// A name as SQL writes it.
pub(super) fn identifier(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    match name.starts_with(plain) && name.chars().all(|letter| plain(letter) || letter.is_ascii_digit()) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// How many microseconds this machine's clock is ahead of the database's; nothing of it that the way may have taken.
pub(super) async fn ahead(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
    let before = machine_micros();
    let theirs: i64 = sqlx::query(NOW).fetch_one(connection).await?.try_get(0)?;
    let after = machine_micros();
    Ok(match theirs {
        theirs if theirs < before => before - theirs,
        theirs if theirs > after => after - theirs,
        _ => 0,
    })
}

fn machine_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[derive(rust_embed::Embed)]
#[folder = "migrations/postgres"]
struct Files;

/// What this back end keeps for itself: the schema's number, and for each writer its last transaction, so that it can be
/// told whether one was kept when the connection was lost during its commit.
const OWN_TABLES: &str = "
CREATE TABLE IF NOT EXISTS countersign_schema (version BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS countersign_writers (
    id   TEXT        NOT NULL PRIMARY KEY,
    last BIGINT      NOT NULL,
    used TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 10);
";

/// The steps to this program's schema, in order.
#[derive(Debug)]
pub(super) struct Schema(Vec<String>);

impl Schema {
    /// Those of `migrations/postgres`.
    pub(super) fn embedded() -> Self {
        let mut names: Vec<_> = Files::iter().filter(|name| name.ends_with(".sql")).collect();
        names.sort();
        let files = names.iter().filter_map(|name| Files::get(name));
        Self(
            files
                .map(|file| String::from_utf8_lossy(&file.data).into_owned())
                .collect(),
        )
    }

    #[cfg(test)]
    pub(super) fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(|&step| step.to_owned()).collect())
    }

    fn known(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// Clears what writers of processes that died left behind.
    pub(super) async fn clear(way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
        let old = sqlx::query("DELETE FROM countersign_writers WHERE used < now() - interval '7 days'");
        old.execute(connection)
            .await
            .map(drop)
            .map_err(|error| way.failed(&error))
    }

    /// Brings the database to this schema, or leaves it as it was. Whoever comes at the same time waits.
    pub(super) async fn migrate(&self, way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
        let failed = |error: sqlx::Error| way.failed(&error);
        // Dropped before its end, the connection goes with it, and nothing of this holds.
        let mut transaction = connection.begin().await.map_err(failed)?;
        // A step over many rows may take its time.
        sqlx::query("SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '0', true)")
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(MIGRATION_LOCK)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        match self.check(way, &mut transaction).await {
            Err(OpenError::Older { found, .. }) => {
                if found == 0 && has_tables(&mut transaction).await.map_err(failed)? {
                    return Err(way.of_another_program());
                }
                rights::to_migrate(way, &mut transaction).await?;
                self.steps(way, &mut transaction, found).await?;
                transaction.commit().await.map_err(failed)
            }
            checked => checked,
        }
    }

    async fn steps(&self, way: &Way, connection: &mut PgConnection, found: i64) -> Result<(), OpenError> {
        let mut sql = String::from(OWN_TABLES);
        for step in self.0.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
            sql.push_str(step);
            sql.push('\n');
        }
        sql.push_str("DELETE FROM countersign_schema;\n");
        sql.push_str(&format!(
            "INSERT INTO countersign_schema (version) VALUES ({});",
            self.known()
        ));
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
        done.map(drop).map_err(|error| match way.failed(&error) {
            OpenError::Broken { place, reason } => OpenError::Broken {
                place,
                reason: format!("its migration failed: {reason}"),
            },
            other => other,
        })
    }

    /// Whether a server could begin with it: as it is, or after a migration.
    pub(super) async fn try_out(&self, way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
        match self.check(way, connection).await {
            Err(OpenError::Older { found, .. }) => {
                if found == 0 && has_tables(connection).await.map_err(|error| way.failed(&error))? {
                    return Err(way.of_another_program());
                }
                rights::to_migrate(way, connection).await
            }
            checked => checked,
        }
    }

    /// Whether the database has exactly this schema.
    pub(super) async fn check(&self, way: &Way, connection: &mut PgConnection) -> Result<(), OpenError> {
        let (place, known) = (way.place.clone(), self.known());
        let found = version(connection).await.map_err(|error| way.failed(&error))?;
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(OpenError::Newer { place, found, known }),
            std::cmp::Ordering::Less => Err(OpenError::Older { place, found, known }),
        }
    }
}

/// The schema that the database has; 0 when it has none of ours.
async fn version(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let ours = sqlx::query("SELECT to_regclass('countersign_schema') IS NOT NULL");
    if !ours.fetch_one(&mut *connection).await?.try_get::<bool, _>(0)? {
        return Ok(0);
    }
    let version = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM countersign_schema");
    version.fetch_one(connection).await?.try_get(0)
}

async fn has_tables(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let any = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())");
    any.fetch_one(connection).await?.try_get(0)
}
