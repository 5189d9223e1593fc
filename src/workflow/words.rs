//! What people wrote, kept so that it can be erased while the history still verifies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::Digest;

/// A person's own text within an event. The hash chain covers its digest and not the text itself, so erasing the text
/// breaks no chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    sha256: Digest,
    text: Option<String>,
}

impl Words {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            sha256: Digest::of_bytes(text.as_bytes()),
            text: Some(text),
        }
    }

    /// The text, or a word that says it was erased.
    pub fn as_str(&self) -> &str {
        self.text.as_deref().unwrap_or("(erased)")
    }
}

impl<T: Into<String>> From<T> for Words {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// An event's JSON as the hash chain sees it: every text of a person replaced by nothing, its digest kept.
pub fn without_words(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let words = map.len() == 2 && map.contains_key("sha256") && map.contains_key("text");
            Value::Object(
                map.iter()
                    .filter(|(key, _)| !(words && *key == "text"))
                    .map(|(key, value)| (key.clone(), without_words(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(without_words).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_sees_the_digest_and_not_the_text() {
        let kept = serde_json::to_value(Words::new("my phone is 555")).unwrap();
        let mut erased = kept.clone();
        erased["text"] = Value::Null;
        assert_ne!(kept, erased);
        assert_eq!(without_words(&kept), without_words(&erased));
        assert_ne!(
            without_words(&kept),
            without_words(&serde_json::to_value(Words::new("other")).unwrap())
        );
    }
}
