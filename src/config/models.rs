//! Model endpoints, as rows of the server's file: what each speaks, what it costs, and how much may be spent.

use std::fmt;
use std::time::Duration;

use url::Url;

use super::secret::ApiKey;
use crate::workflow::budget::{Caps, Price};

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

/// The name of an endpoint, as `http:NAME` refers to it: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EndpointName(pub(super) String);

impl EndpointName {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// How an endpoint is made to answer in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StructuredOutput {
    /// It is given the JSON schema and holds to it.
    Schema,
    /// It answers with some JSON object; the prompt says which.
    Object,
    /// It is made to call one tool whose arguments have the schema.
    Tool,
    /// Only the prompt asks for JSON.
    Prompt,
}

impl Models {
    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name.as_str() == name)
    }
}

impl Endpoint {
    /// Whether a repository (`owner/name`) may use it. GitHub compares both without case.
    pub fn allows(&self, repository: &str) -> bool {
        let owner = repository.split('/').next().unwrap_or_default();
        self.repositories.is_empty()
            || self
                .repositories
                .iter()
                .any(|pattern| match pattern.strip_suffix("/*") {
                    Some(allowed) => allowed.eq_ignore_ascii_case(owner),
                    None => pattern.eq_ignore_ascii_case(repository),
                })
    }
}
