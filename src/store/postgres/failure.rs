//! What an error of PostgreSQL, or of the way to it, means to who asked.

use super::run::Failure;
use crate::store::write::StoreError;

/// What can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing: this is the answer.
    Final(StoreError),
    /// The same may succeed at once: another transaction was in the way.
    Again(StoreError),
    /// The same may succeed on another connection: this one is of no use any more.
    Reconnect(StoreError),
}

impl Meaning {
    /// The answer, when nothing is done about it.
    pub(super) fn answer(self) -> StoreError {
        match self {
            Self::Final(error) | Self::Again(error) | Self::Reconnect(error) => error,
        }
    }

    pub(super) fn of(failure: Failure) -> Self {
        match failure {
            Failure::Ours(error) => Self::Final(error),
            Failure::Theirs(error) => Self::of_theirs(&error),
        }
    }

    /// Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub(super) fn of_theirs(error: &sqlx::Error) -> Self {
        let sqlx::Error::Database(said) = error else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Reconnect(StoreError::Unavailable(error.to_string())),
                _ => Self::Final(StoreError::Broken(error.to_string())),
            };
        };
        let code = said.code().unwrap_or_default().into_owned();
        let message = format!("{} ({code})", said.message());
        let unavailable = StoreError::Unavailable(message.clone());
        match code.as_str() {
            "23505" => Self::Final(StoreError::Conflict(message)),
            // A message that the server could not read is a mistake of ours.
            "08P01" => Self::Final(StoreError::Broken(message)),
            // Serialization failure, deadlock, a lock that was not given in time.
            "40001" | "40P01" | "55P03" => Self::Again(unavailable),
            // Read-only (after a failover this is the former primary), ended by an administrator, a crash or a timeout of
            // the session, no such prepared statement, a plan that does not fit a column that was added.
            "25006" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "26000" | "0A000" => {
                Self::Reconnect(unavailable)
            }
            // Cancelled by a timeout, input and output.
            "57014" | "58000" | "58030" => Self::Final(unavailable),
            _ => match code.get(..2) {
                // The connection, the password, the database's name.
                Some("08" | "28" | "3D") => Self::Reconnect(unavailable),
                // Too many connections, a full disk, no memory.
                Some("53") => match code.as_str() {
                    "53300" => Self::Reconnect(unavailable),
                    _ => Self::Final(unavailable),
                },
                _ => Self::Final(StoreError::Broken(message)),
            },
        }
    }
}
