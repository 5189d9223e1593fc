//! Model endpoints, as rows of the server's file: what each speaks, what it costs, and how much may be spent.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::secret::ApiKey;
use crate::workflow::budget::{Cap, Caps, Price};

/// Everything that the server says about models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// What prices and caps are counted in, such as `USD`. It is only shown.
    pub currency: String,
    /// The most that may be spent. A repository can only lower it.
    pub caps: Caps,
    /// The endpoints, in the file's order, each name once.
    pub endpoints: Vec<Endpoint>,
}

/// The currency when the file does not say.
pub(super) const DEFAULT_CURRENCY: &str = "USD";

/// The token caps when the file does not say; there are no money caps then.
const DEFAULT_CAPS: Caps = {
    const fn tokens(tokens: u64) -> Cap {
        Cap {
            tokens: Some(tokens),
            money: None,
        }
    }
    Caps {
        run: tokens(200_000),
        workflow: tokens(1_000_000),
        repository: tokens(5_000_000),
        person: tokens(2_000_000),
        day: tokens(10_000_000),
    }
};

/// What holds on a server that says nothing of models: no endpoint, and caps on tokens.
impl Default for Models {
    fn default() -> Self {
        Self {
            currency: DEFAULT_CURRENCY.to_owned(),
            caps: DEFAULT_CAPS,
            endpoints: Vec::new(),
        }
    }
}

/// The name of an endpoint, of a model (`http:NAME` refers to it) or of a receiver of notifications: lower-case letters, digits
/// and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointName(String);

/// The longest name of a command or an endpoint.
pub(super) const WORD_LENGTH: usize = 32;

/// Whether it is lower-case letters, digits and hyphens, a letter first, and not too long.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= WORD_LENGTH
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl EndpointName {
    /// A name; `None` for what cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_word(text).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One model behind one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub name: EndpointName,
    /// What it speaks.
    pub dialect: Dialect,
    /// Where it is, without the dialect's own path (`https://api.openai.com/v1`, `https://api.anthropic.com`,
    /// `https://generativelanguage.googleapis.com`, `http://127.0.0.1:11434`).
    pub base_url: Url,
    /// The model's name as the endpoint knows it.
    pub model: String,
    /// The environment variable that holds the key; `None` for an endpoint that asks for none.
    pub key_env: Option<String>,
    /// The key itself; `None` where the variable is not set.
    pub key: Option<ApiKey>,
    /// How it is made to answer in JSON.
    pub structured_output: StructuredOutput,
    /// The most that it may write in one answer.
    pub max_output_tokens: u32,
    /// How long one call may take, from the first byte sent to the last one read.
    pub timeout: Duration,
    /// What it costs; `None` where that is not known.
    pub price: Option<Price>,
    /// How many tokens it can be given, its answer included.
    pub context_tokens: u32,
    /// How many calls may be under way at once.
    pub concurrency: u32,
    /// Endpoints that may be asked in its place, in this order.
    pub failover: Vec<EndpointName>,
    /// Repositories that may use it: `owner/name` or `owner/*`. Empty means all.
    pub repositories: Vec<String>,
}

/// The protocol of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `POST {base}/chat/completions` (<https://platform.openai.com/docs/api-reference/chat>): OpenAI, vLLM, LM Studio,
    /// LiteLLM, OpenRouter, DeepSeek and others.
    OpenAi,
    /// `POST {base}/v1/messages` (<https://docs.anthropic.com/en/api/messages>).
    Anthropic,
    /// `POST {base}/v1beta/models/{model}:generateContent` (<https://ai.google.dev/api/generate-content>).
    Gemini,
    /// `POST {base}/api/chat` (<https://github.com/ollama/ollama/blob/main/docs/api.md>).
    Ollama,
}

impl Dialect {
    /// As configuration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// Where its vendor answers; `None` where too many speak it.
    pub(super) fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => None,
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com"),
            Self::Ollama => Some("http://127.0.0.1:11434"),
        }
    }
}

/// How an endpoint is made to answer in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StructuredOutput {
    /// It is given the JSON schema and holds to it.
    #[default]
    Schema,
    /// It answers with some JSON object; the prompt says which.
    Object,
    /// It is made to call one tool whose arguments have the schema.
    Tool,
    /// Only the prompt asks for JSON.
    Prompt,
}

impl StructuredOutput {
    /// As configuration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Object => "object",
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        }
    }
}

impl Models {
    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name.as_str() == name)
    }
}

impl Endpoint {
    /// The variable that should hold its key and is not set.
    pub fn missing_key(&self) -> Option<&str> {
        self.key_env.as_deref().filter(|_| self.key.is_none())
    }

    /// Why it cannot be asked, as far as the configuration tells. It names the key's variable, never the key.
    pub fn obstacle(&self) -> Option<String> {
        if let Some(variable) = self.missing_key() {
            return Some(format!("{variable} is not set"));
        }
        let (variable, key) = (self.key_env.as_deref()?, self.key.as_ref()?);
        // What no HTTP header can carry was pasted wrongly.
        let is_key = key.expose().bytes().all(|byte| byte.is_ascii_graphic());
        (!is_key).then(|| format!("{variable} holds white space or characters that no key has; set it anew"))
    }

    /// Whether a repository (`owner/name`) may use it.
    pub fn allows(&self, repository: &str) -> bool {
        allowed(&self.repositories, repository)
    }
}

/// Whether a repository (`owner/name`) is among these: `owner/name` or `owner/*`, all where there is none. GitHub compares
/// both without case.
pub(super) fn allowed(repositories: &[String], repository: &str) -> bool {
    let owner = repository.split('/').next().unwrap_or_default();
    repositories.is_empty()
        || repositories.iter().any(|pattern| match pattern.strip_suffix("/*") {
            Some(allowed) => allowed.eq_ignore_ascii_case(owner),
            None => pattern.eq_ignore_ascii_case(repository),
        })
}
