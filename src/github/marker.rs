//! The hidden marker: how a write that may have happened is found again.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::workflow::ids::EffectId;

const OPEN: &str = "<!-- countersign fx=";
const CLOSE: &str = " -->";
const LENGTH: usize = 20;

/// A hidden line in the text that an effect writes. Anybody can copy it, so only a text by our own account counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marker(String);

impl Marker {
    /// The marker of one effect: 100 bits of the SHA-256 of its id.
    ///
    /// # Panics
    /// If the id is empty: every text would then carry the same marker.
    pub fn of(effect: &EffectId) -> Self {
        assert!(!effect.as_str().trim().is_empty(), "an effect has an id");
        let hash = BASE32_NOPAD.encode(&Sha256::digest(effect.as_str().as_bytes()));
        Self(format!("{OPEN}{}{CLOSE}", hash[..LENGTH].to_ascii_lowercase()))
    }

    /// The text with the marker as its last line. Nothing is added to a text that ends with it already.
    pub fn append_to(&self, body: &str) -> String {
        let body = body.trim_end();
        if body.ends_with(&self.0) {
            return body.to_owned();
        }
        if body.is_empty() {
            return self.0.clone();
        }
        format!("{body}\n\n{}", self.0)
    }

    /// Whether the text carries this marker. GitHub may have changed the line ends around it.
    pub fn found_in(&self, body: &str) -> bool {
        body.contains(&self.0)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_has_one_marker_and_another_effect_another() {
        let marker = Marker::of(&"w1:card".into());
        assert_eq!(marker, Marker::of(&"w1:card".into()));
        assert_ne!(marker, Marker::of(&"w1:issue".into()));
        let text = marker.to_string();
        assert_eq!(text.len(), OPEN.len() + LENGTH + CLOSE.len());
        assert!(text.starts_with("<!-- countersign fx=") && text.ends_with(" -->"));
    }

    #[test]
    fn the_marker_is_the_last_line_and_is_written_once() {
        let marker = Marker::of(&"w1:card".into());
        let body = marker.append_to("Hello\n");
        assert_eq!(body, format!("Hello\n\n{marker}"));
        assert_eq!(marker.append_to(&body), body);
        assert_eq!(marker.append_to(""), marker.to_string());
        assert!(marker.found_in(&body.replace('\n', "\r\n")));
        assert!(!marker.found_in("Hello"));
    }

    #[test]
    #[should_panic(expected = "an effect has an id")]
    fn an_empty_id_has_no_marker() {
        let _ = Marker::of(&" ".into());
    }
}
