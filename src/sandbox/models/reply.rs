//! What the next answers are, and what goes wrong with them.

use std::sync::Arc;

use tokio::sync::watch;

/// One answer. Unless told otherwise it is the role's text, complete, and counted.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub(super) text: Option<String>,
    pub(super) end: End,
    pub(super) usage: Counts,
    pub(super) fault: Option<Fault>,
}

/// Why the model stops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Said,
    Limit,
    Refuses(String),
}

/// What is said of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Counts {
    /// Bytes by 3.5, rounded up, of prompt and answer.
    #[default]
    Estimated,
    Given {
        input: u64,
        cached: u64,
        output: u64,
    },
    Missing,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// 429, with what it asks to wait, if anything.
    RateLimited(Option<Wait>),
    /// This status, with an error as the dialect writes it.
    Status(u16),
    /// This status, with an error that repeats the key that was sent.
    Repeating(u16),
    /// 404: the model is not known.
    UnknownModel,
    /// 200, and an error with this code in it, as proxies answer that have begun already.
    Inside(u16),
    /// 307 to this address.
    Redirect(String),
    /// 200, and a web page.
    Page,
    /// The connection closes before anything was answered.
    ResetBeforeStatus,
    /// The connection closes after the status line, the headers and half of the body.
    ResetAfterStatus,
    /// Nothing is answered until the gate opens.
    SlowFirstByte(Gate),
    /// Half of the body, and the rest when the gate opens.
    SlowBody(Gate),
    /// A whole HTTP answer whose JSON ends in the middle.
    HalfJson,
    /// Another JSON than the dialect's.
    OtherJson,
}

/// How long a limited client is asked to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// `retry-after: 7`.
    Seconds(u64),
    /// `retry-after-ms: 250`.
    Milliseconds(u64),
    /// `retry-after` as a date, and the answer's own `date`, both as RFC 9110 writes them.
    Until {
        /// The answer's date.
        now: String,
        /// The date until which to wait.
        until: String,
    },
}

impl Reply {
    /// An answer of this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// An answer of this text in a Markdown fence.
    pub fn fenced(json: &str) -> Self {
        Self::text(format!("```json\n{json}\n```"))
    }

    /// An answer of this text with sentences around it.
    pub fn in_prose(json: &str) -> Self {
        Self::text(format!(
            "Here is the answer that you asked for:\n\n{json}\n\nTell me if it helps."
        ))
    }

    /// An answer that stops at the limit in the middle of this text.
    pub fn truncated(text: impl Into<String>) -> Self {
        Self {
            end: End::Limit,
            ..Self::text(text)
        }
    }

    /// No answer but a refusal. Ollama knows none: its model says the words as its answer.
    pub fn refusal(words: impl Into<String>) -> Self {
        Self {
            end: End::Refuses(words.into()),
            ..Self::default()
        }
    }

    /// An answer that goes wrong.
    pub fn fault(fault: Fault) -> Self {
        Self::default().with_fault(fault)
    }

    /// This answer, going wrong.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// This answer, with these counts. `input` is whole, the cached part included.
    #[must_use]
    pub fn with_usage(self, input: u64, cached: u64, output: u64) -> Self {
        Self {
            usage: Counts::Given { input, cached, output },
            ..self
        }
    }

    /// This answer, with no count of tokens.
    #[must_use]
    pub fn without_usage(self) -> Self {
        Self {
            usage: Counts::Missing,
            ..self
        }
    }
}

/// Where an answer waits until a test lets it go. Copies are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<Passage>>);

#[derive(Debug, Clone, Copy, Default)]
struct Passage {
    reached: bool,
    open: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Passage::default())))
    }
}

impl Gate {
    /// Lets every answer through, those that come later too.
    pub fn open(&self) {
        self.0.send_modify(|passage| passage.open = true);
    }

    /// Waits until an answer stands at the gate.
    pub async fn reached(&self) {
        self.until(|passage| passage.reached).await;
    }

    pub(super) async fn pass(&self) {
        self.0.send_modify(|passage| passage.reached = true);
        self.until(|passage| passage.open).await;
    }

    async fn until(&self, met: impl FnMut(&Passage) -> bool) {
        // It cannot fail: the sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(met).await;
    }
}
