//! A model behind an HTTP API. One question, one answer: what a run is, what it may cost and what is done about a
//! failure is the engine's business.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `client` | sends a question, reads at most so much of an answer |
//! | `openai`, `anthropic`, `gemini`, `ollama` | the dialects: where a question goes, how it and its answer are written |
//! | `failure` | which failure an answer is, and what of the endpoint's words may be shown |
//! | `retry_after` | how long an endpoint asks us to wait |
//!
//! It is a client of our own because the crate for the same four dialects, genai 0.7.2, adds 27 crates to our 307 and 65
//! seconds of processor time to 165, and then drops the schema for Ollama, rewrites it for OpenAI and reads answers of any
//! length. What would remain to be done, the kinds of failure and how long to wait, is most of the work either way.

mod anthropic;
mod client;
mod failure;
mod gemini;
mod ollama;
mod openai;
mod retry_after;

use std::time::Duration;

use serde_json::Value;

use crate::workflow::budget::Usage;

pub use client::{Client, MOST_BYTES, body};

/// What a model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who it is and what it must do: the program's own words and nobody else's.
    pub system: &'a str,
    /// What was said so far; the first turn is the user's, and so is the last.
    pub turns: &'a [Turn],
    /// The name of the answer's schema, such as `tasks.v1`.
    pub schema_name: &'a str,
    /// The answer's JSON schema.
    pub schema: &'a Value,
}

/// One turn of a conversation with a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// What it was given.
    User(String),
    /// What it answered.
    Assistant(String),
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text, or the arguments of the tool that it was made to call. Empty where it gave none.
    pub text: String,
    /// Why it stopped.
    pub finish: Finish,
    /// What the endpoint counted; `None` where it does not say.
    pub usage: Option<Usage>,
    /// The model that the endpoint says answered.
    pub model: Option<String>,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It had said everything.
    Complete,
    /// It reached the most that it may write.
    Truncated,
    /// It, or a filter before it, would not answer; in its words where it gave any.
    Refused(String),
}

/// Why there is no answer. No variant holds the key, even where an endpoint repeats it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It cannot answer now (408, 409, 429, 5xx, 529).
    #[error("it answered {status}: {said}")]
    Busy {
        /// The status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// Its words, shortened.
        said: String,
    },
    /// It was not reached: nothing was asked.
    #[error("{0}")]
    Unreachable(String),
    /// It broke off, or took longer than the timeout. The call may have been paid for.
    #[error("{0}")]
    BrokenOff(String),
    /// It does not take the key (401, 403, and Gemini's 400 that says so).
    #[error("it refused the key with {status}: {said}")]
    KeyRefused {
        /// The status.
        status: u16,
        /// Its words, shortened.
        said: String,
    },
    /// It has no such model, or the address is wrong (404, or 400 that says so of the model).
    #[error("it has no such model or no such address: {said}")]
    NotThere {
        /// Its words, shortened.
        said: String,
    },
    /// It does not take the request as it is (other 4xx).
    #[error("it refused the request with {status}: {said}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, shortened.
        said: String,
    },
    /// What answers there does not speak the dialect (HTML, another JSON, a redirect).
    #[error("{0}")]
    NotTheDialect(String),
}

/// The name that a schema has where only letters, digits, `_` and `-` may stand, at most 64 of them, and a digit may not
/// begin it (<https://platform.openai.com/docs/api-reference/chat/create>, `response_format`; Gemini's function names).
fn plain_name(schema_name: &str) -> String {
    let mut name: String = schema_name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name.truncate(64);
    name
}

/// What the one tool is said to be for.
const TOOL_PURPOSE: &str = "Takes the whole answer.";

/// A number at this place (a JSON pointer) of an answer.
fn count(answer: &Value, pointer: &str) -> Option<u64> {
    answer.pointer(pointer)?.as_u64()
}

/// A text at this place (a JSON pointer) of an answer.
fn text<'a>(answer: &'a Value, pointer: &str) -> Option<&'a str> {
    answer.pointer(pointer)?.as_str()
}
