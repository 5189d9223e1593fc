//! Models in a conversation: what is answered in the place of one, and what one must have been asked.

use serde::Deserialize;
use serde_json::Value;

use super::script::Wait;
use crate::sandbox::models::{self, Fault, ModelRequest, Reply};

/// What is answered in a model's place: a text, or a status that is no answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenAnswer")]
pub(super) enum ModelAnswer {
    Text(String),
    /// 429, and how long one is asked to wait.
    Limited(Option<Wait>),
    Status(u16),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    answer: Option<String>,
    fault: Option<u16>,
    retry_after: Option<Wait>,
}

impl TryFrom<WrittenAnswer> for ModelAnswer {
    type Error = &'static str;

    fn try_from(written: WrittenAnswer) -> Result<Self, Self::Error> {
        match (written.answer, written.fault, written.retry_after) {
            (Some(text), None, None) => Ok(Self::Text(text)),
            (None, Some(429), wait) => Ok(Self::Limited(wait)),
            (None, Some(status @ (400..=428 | 430..=599)), None) => Ok(Self::Status(status)),
            _ => Err(
                "a model answers one of these: `answer`, a text; `fault: 429`, with or without `retry_after`; or \
                 `fault` with another status from 400 to 599",
            ),
        }
    }
}

impl ModelAnswer {
    pub fn reply(&self) -> Reply {
        let fault = match self {
            Self::Text(text) => return Reply::text(text),
            Self::Limited(wait) => {
                let wait = wait.as_ref().map(|wait| models::Wait::Seconds(wait.time.as_secs()));
                Fault::RateLimited(wait)
            }
            Self::Status(status) => Fault::Status(*status),
        };
        Reply::fault(fault)
    }

    pub fn words(&self) -> String {
        match self {
            Self::Text(_) => "will answer this next".to_owned(),
            Self::Limited(None) => "will answer 429 next: too many requests".to_owned(),
            Self::Limited(Some(wait)) => {
                format!("will answer 429 next: too many requests, come back in {}", wait.words)
            }
            Self::Status(status) => format!("will answer {status} next"),
        }
    }
}

/// The oldest question to a model that was not looked at yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// It has these lines, in this order.
    #[serde(default)]
    pub shows: Vec<String>,
    /// This stands nowhere in it.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// All that a model was told in a question, whatever the dialect.
pub(super) fn told(question: &ModelRequest) -> String {
    let mut texts = Vec::new();
    texts_of(&question.body, &mut texts);
    texts.join("\n")
}

fn texts_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(all) => all.iter().for_each(|value| texts_of(value, texts)),
        Value::Object(all) => all.values().for_each(|value| texts_of(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
