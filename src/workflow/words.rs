//! What people wrote, kept so that it can be erased while the history still verifies.

use serde::{Deserialize, Serialize, Serializer};
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
pub struct WithoutWords<'a>(pub &'a Value);

impl Serialize for WithoutWords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let words = map.len() == 2 && map.contains_key("sha256") && map.contains_key("text");
                let kept = map.iter().filter(|(key, _)| !(words && *key == "text"));
                serializer.collect_map(kept.map(|(key, value)| (key, WithoutWords(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(WithoutWords)),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_sees_the_digest_and_not_the_text() {
        let without_words = |value| serde_json::to_value(WithoutWords(value)).unwrap();
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
