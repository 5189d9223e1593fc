//! How long an endpoint asks us to wait.

use std::time::Duration;

use serde_json::Value;

pub(super) use crate::outgoing::retry_after as in_headers;
use crate::outgoing::seconds;

/// What the body asks for: Gemini sends no header but a `RetryInfo` (<https://google.aip.dev/193>).
pub(super) fn in_body(error: &Value) -> Option<Duration> {
    let details = error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    seconds(delay.strip_suffix('s')?, 1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn gemini_says_it_in_the_body() {
        let error = json!({ "details": [
            { "@type": "type.googleapis.com/google.rpc.Help" },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s" },
        ] });
        assert_eq!(in_body(&error), Some(Duration::from_millis(34_500)));
        assert_eq!(in_body(&json!({ "details": [{ "retryDelay": 3 }] })), None);
    }
}
