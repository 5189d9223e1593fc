//! What people wrote, kept so that it can be erased while the history still verifies.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

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

/// Whether a JSON object is a person's text.
fn is_words(map: &Map<String, Value>) -> bool {
    map.len() == 2 && map.contains_key("sha256") && map.contains_key("text")
}

/// The first place in an event's or a state's JSON where a person's text is not the one whose digest was kept; its keys,
/// with a point between. A text that was erased is none.
pub fn altered(value: &Value) -> Option<String> {
    let mut path = Vec::new();
    is_altered(value, &mut path).then(|| path.join("."))
}

fn is_altered(value: &Value, path: &mut Vec<String>) -> bool {
    match value {
        Value::Object(map) if is_words(map) => match &map["text"] {
            Value::Null => false,
            Value::String(text) => map["sha256"] != Digest::of_bytes(text.as_bytes()).to_string(),
            _ => true,
        },
        Value::Object(map) => map.iter().any(|(key, value)| is_altered_at(key.clone(), value, path)),
        Value::Array(items) => (0..)
            .zip(items)
            .any(|(at, value): (usize, _)| is_altered_at(at.to_string(), value, path)),
        _ => false,
    }
}

fn is_altered_at(key: String, value: &Value, path: &mut Vec<String>) -> bool {
    path.push(key);
    let altered = is_altered(value, path);
    if !altered {
        path.pop();
    }
    altered
}

/// An event's JSON as the hash chain sees it: every text of a person replaced by nothing, its digest kept.
pub struct WithoutWords<'a>(pub &'a Value);

impl Serialize for WithoutWords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let words = is_words(map);
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
    use serde_json::json;

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

    #[test]
    fn a_text_of_another_digest_is_found_where_it_stands() {
        let with = |words: Value| json!({"type": "answered", "phases": [{"reason": "no"}, {"text": words}]});
        let mut kept = serde_json::to_value(Words::new("No step.")).unwrap();
        assert_eq!(altered(&with(kept.clone())), None);
        for other in [json!("No stop."), json!(""), json!(7)] {
            kept["text"] = other;
            assert_eq!(altered(&with(kept.clone())).as_deref(), Some("phases.1.text"));
        }
        kept["text"] = Value::Null;
        assert_eq!(altered(&with(kept.clone())), None, "it was erased");
        kept["more"] = json!("not a person's text");
        assert_eq!(altered(&with(kept)), None);
    }
}
