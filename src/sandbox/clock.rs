//! What time it is: always asked of the clock that the sandbox was given, never of the machine.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

/// A source of the present instant, injected so that tests decide what time it is.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
pub fn machine_clock() -> Clock {
    Arc::new(Utc::now)
}

/// An instant as GitHub writes it in JSON: whole seconds, `Z`.
pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An optional instant as GitHub writes it in JSON.
pub(super) fn stamp_or_null(at: Option<DateTime<Utc>>) -> serde_json::Value {
    at.map_or(serde_json::Value::Null, |at| stamp(at).into())
}
