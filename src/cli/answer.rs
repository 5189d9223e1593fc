//! What a command that ends answers: a page for people, or an envelope for programs.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::exit;
use super::page::harmless;

/// Raised when the envelope, or what a command puts into it, changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// A command's answer.
#[derive(Debug)]
pub(super) struct Answer {
    data: Value,
    page: String,
}

impl Answer {
    /// The same for programs and for people.
    pub(super) fn new(data: impl Serialize, page: impl Into<String>) -> Self {
        Self {
            data: json(data),
            page: page.into(),
        }
    }
}

/// Our own types are JSON; where one is not, a program must see that nothing is there.
fn json(data: impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or(Value::Null)
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    reason: Reason,
    messages: Vec<String>,
    data: Option<Value>,
    /// What people read before the messages.
    page: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Failed,
    /// A file has mistakes; each message begins with the place, as editors and compilers write it.
    Mistakes,
    Usage,
    Configuration,
}

impl Reason {
    fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Mistakes => exit::FAILED,
            Self::Usage => exit::USAGE,
            Self::Configuration => exit::CONFIGURATION,
        }
    }
}

impl Refusal {
    fn new(reason: Reason, messages: Vec<String>) -> Self {
        Self {
            reason,
            messages,
            data: None,
            page: String::new(),
        }
    }

    /// It did not work.
    pub(super) fn failed(message: impl ToString) -> Self {
        Self::new(Reason::Failed, vec![message.to_string()])
    }

    /// It did not work, for several reasons.
    pub(super) fn failed_for(messages: Vec<String>) -> Self {
        Self::new(Reason::Failed, messages)
    }

    /// A file has these mistakes, each with its place.
    pub(super) fn mistakes(messages: Vec<String>, data: impl Serialize) -> Self {
        Self::new(Reason::Mistakes, messages).with(data)
    }

    /// The command line asks for what cannot be.
    pub(super) fn usage(message: impl ToString) -> Self {
        Self::new(Reason::Usage, vec![message.to_string()])
    }

    /// Settings or set-up cannot be used, for these reasons.
    pub(super) fn configuration(messages: Vec<String>) -> Self {
        Self::new(Reason::Configuration, messages)
    }

    /// What people read before the reasons.
    pub(super) fn after(mut self, page: String) -> Self {
        self.page = page;
        self
    }

    /// What programs get beside the reason.
    pub(super) fn with(mut self, data: impl Serialize) -> Self {
        self.data = Some(json(data));
        self
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        Self::failed(error)
    }
}

/// Whom a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// People: the answer on standard output, what is wrong on standard error.
    Page,
    /// Programs: an envelope on standard output.
    Json,
}

#[derive(Serialize)]
struct Envelope<'a> {
    schema_version: u32,
    command: Option<&'a str>,
    exit_code: u8,
    error: Option<Fault<'a>>,
    data: Option<Value>,
}

#[derive(Serialize)]
struct Fault<'a> {
    reason: Reason,
    messages: &'a [String],
}

impl Form {
    /// `--json` or not.
    pub(super) fn from_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Page }
    }

    /// Prints the outcome of a command and tells the exit code. `command` is none where the command line was not
    /// understood.
    pub(super) fn give(self, command: Option<&str>, outcome: Result<Answer, Refusal>) -> ExitCode {
        let exit_code = match &outcome {
            Ok(_) => exit::DONE,
            Err(refusal) => refusal.reason.exit_code(),
        };
        match self {
            Self::Json => print(&envelope(command, exit_code, outcome)),
            Self::Page => match outcome {
                Ok(answer) => print(&answer.page),
                Err(refusal) => {
                    print(&refusal.page);
                    let lead = match refusal.reason {
                        Reason::Mistakes => "",
                        Reason::Failed | Reason::Usage | Reason::Configuration => "error: ",
                    };
                    for message in refusal.messages {
                        eprintln!("{lead}{}", harmless(&message));
                    }
                }
            },
        }
        ExitCode::from(exit_code)
    }
}

fn envelope(command: Option<&str>, exit_code: u8, outcome: Result<Answer, Refusal>) -> String {
    let (error, data) = match &outcome {
        Ok(answer) => (None, Some(answer.data.clone())),
        Err(refusal) => {
            let fault = Fault {
                reason: refusal.reason,
                messages: &refusal.messages,
            };
            (Some(fault), refusal.data.clone())
        }
    };
    let envelope = Envelope {
        schema_version: SCHEMA_VERSION,
        command,
        exit_code,
        error,
        data,
    };
    format!("{:#}\n", json(envelope))
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe (`| head`) has read enough.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
