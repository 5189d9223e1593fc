//! How long an answer asks us to wait.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::HeaderMap;

/// What the headers ask for: `retry-after-ms` where OpenAI sends it, else `retry-after` in seconds or as a date
/// (RFC 9110, 10.2.3). A date is measured from the answer's own `date`, since our clock may differ from theirs; without
/// one it says nothing.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(wait) = value("retry-after-ms").and_then(|milliseconds| seconds(milliseconds, 1_000.0)) {
        return Some(wait);
    }
    let asked = value("retry-after")?;
    if let Some(wait) = seconds(asked, 1.0) {
        return Some(wait);
    }
    let (until, now) = (date(asked)?, date(value("date")?)?);
    Some((until - now).to_std().unwrap_or_default())
}

/// So many parts of a second; nothing where it is no number, or none that can be waited.
pub fn seconds(number: &str, parts: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? / parts).ok()
}

/// All three forms of RFC 9110, 5.6.7.
fn date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static str, &'static str);

    fn headers(pairs: &[Pair]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn every_form_is_read_and_nonsense_is_nothing() {
        const NOW: Pair = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let table: &[(&[Pair], Option<u64>)] = &[
            (&[], None),
            (&[("retry-after", "7")], Some(7_000)),
            (&[("retry-after", " 0 ")], Some(0)),
            (&[("retry-after", "1.5")], Some(1_500)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after-ms", "250"), ("retry-after", "1")], Some(250)),
            (&[("retry-after-ms", "x"), ("retry-after", "1")], Some(1_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), NOW], Some(30_000)),
            (&[("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT"), NOW], Some(30_000)),
            (&[("retry-after", "Sun Nov  6 08:50:07 1994"), NOW], Some(30_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), NOW], Some(0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
        ];
        for (pairs, milliseconds) in table {
            let wanted = milliseconds.map(Duration::from_millis);
            assert_eq!(retry_after(&headers(pairs)), wanted, "{pairs:?}");
        }
    }
}
