//! Sends a question and reads the answer.

use reqwest::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::{Completion, Failure, Question, anthropic, failure, gemini, ollama, openai, retry_after};
use crate::config::{Dialect, Endpoint};
use crate::outgoing::{self, Way};

/// The most bytes of an answer that are read. The longest answer that an endpoint may be allowed is far shorter.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes of a refusal that are read; only a sentence of it is kept.
const MOST_OF_A_REFUSAL: usize = 64 * 1024;

/// Asks models. Copies share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    outward: reqwest::Client,
    direct: reqwest::Client,
}

impl Client {
    /// Prepares connections; none is opened yet.
    ///
    /// # Errors
    /// When the machine's certificates or its proxy settings cannot be read.
    pub fn new() -> Result<Self, reqwest::Error> {
        let to = |way| {
            outgoing::client(way)
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self {
            outward: to(Way::Outward)?,
            direct: to(Way::Direct)?,
        })
    }

    /// Asks once, within the endpoint's timeout. An endpoint that names a variable for its key and has no key is not
    /// to be asked: it would be asked without one.
    ///
    /// # Errors
    /// Why there is no answer; none of the sentences holds the key.
    pub async fn ask(&self, endpoint: &Endpoint, question: &Question<'_>) -> Result<Completion, Failure> {
        let key = endpoint.key.as_ref().map(|key| key.expose());
        match self.try_to_ask(endpoint, question, key).await {
            Ok(completion) => Ok(failure::discreet(completion, key)),
            Err(failed) => Err(failure::presentable(failed, key)),
        }
    }

    async fn try_to_ask(
        &self,
        endpoint: &Endpoint,
        question: &Question<'_>,
        key: Option<&str>,
    ) -> Result<Completion, Failure> {
        let http = match Way::to(&endpoint.base_url) {
            Way::Direct => &self.direct,
            Way::Outward => &self.outward,
        };
        let response = http
            .post(address(endpoint)?)
            .timeout(endpoint.timeout)
            .headers(headers(endpoint.dialect, key)?)
            .json(&body(endpoint, question))
            .send()
            .await
            .map_err(|error| unreachable(&error, endpoint))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            // What came of it before it broke off is enough: the status says what it is.
            let (content, _) = read_up_to(response, MOST_OF_A_REFUSAL).await;
            return Err(failure::of_status(status.as_u16(), &headers, &content, &endpoint.model));
        }
        if failure::is_page(&headers) {
            return Err(Failure::NotTheDialect(
                "it answered with a web page; check the endpoint's base URL".to_owned(),
            ));
        }
        let (content, end) = read_up_to(response, MOST_BYTES).await;
        match end {
            End::Whole => {}
            End::TooMuch => {
                return Err(Failure::NotTheDialect(format!(
                    "its answer is longer than {MOST_BYTES} bytes"
                )));
            }
            End::Broken(error) => return Err(unreachable(&error, endpoint)),
        }
        let answer = parsed(&content)?;
        let failed = match failure::inside(&answer) {
            Some(failed) => failed,
            None => match read(endpoint, &answer) {
                Ok(completion) => return Ok(completion),
                Err(failed) => failed,
            },
        };
        Err(match failed {
            Failure::Busy {
                status,
                retry_after: None,
                said,
            } => Failure::Busy {
                status,
                retry_after: retry_after::in_headers(&headers),
                said,
            },
            other => other,
        })
    }
}

/// What is sent to the endpoint for a question, without headers: never the key. For estimates and for the record.
pub fn body(endpoint: &Endpoint, question: &Question<'_>) -> Value {
    match endpoint.dialect {
        Dialect::OpenAi => openai::body(endpoint, question),
        Dialect::Anthropic => anthropic::body(endpoint, question),
        Dialect::Gemini => gemini::body(endpoint, question),
        Dialect::Ollama => ollama::body(endpoint, question),
    }
}

fn read(endpoint: &Endpoint, answer: &Value) -> Result<Completion, Failure> {
    let mode = endpoint.structured_output;
    match endpoint.dialect {
        Dialect::OpenAi => openai::read(mode, answer),
        Dialect::Anthropic => anthropic::read(mode, answer),
        Dialect::Gemini => gemini::read(mode, answer),
        Dialect::Ollama => ollama::read(mode, answer),
    }
}

/// The dialect's path under the base URL, whose own path and query stay.
fn address(endpoint: &Endpoint) -> Result<Url, Failure> {
    let mut url = endpoint.base_url.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty();
            match endpoint.dialect {
                Dialect::OpenAi => segments.extend(openai::PATH),
                Dialect::Anthropic => segments.extend(anthropic::PATH),
                Dialect::Gemini => segments.extend(gemini::path(&endpoint.model)),
                Dialect::Ollama => segments.extend(ollama::PATH),
            };
        }
        Err(()) => {
            return Err(Failure::NotTheDialect(
                "its base URL is not the address of a web server; set one that begins with https://".to_owned(),
            ));
        }
    }
    Ok(url)
}

fn headers(dialect: Dialect, key: Option<&str>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if dialect == Dialect::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static(anthropic::VERSION));
    }
    let Some(key) = key else {
        return Ok(headers);
    };
    let (name, value) = match dialect {
        Dialect::OpenAi | Dialect::Ollama => (AUTHORIZATION, format!("Bearer {key}")),
        Dialect::Anthropic => (HeaderName::from_static("x-api-key"), key.to_owned()),
        Dialect::Gemini => (HeaderName::from_static("x-goog-api-key"), key.to_owned()),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        Failure::NotTheDialect(
            "its key has characters that no header can carry, so it was not asked; copy the key again".to_owned(),
        )
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

enum End {
    Whole,
    TooMuch,
    Broken(reqwest::Error),
}

async fn read_up_to(mut response: Response, most: usize) -> (Vec<u8>, End) {
    let mut content = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if content.len() + chunk.len() > most => return (content, End::TooMuch),
            Ok(Some(chunk)) => content.extend_from_slice(&chunk),
            Ok(None) => return (content, End::Whole),
            Err(error) => return (content, End::Broken(error)),
        }
    }
}

/// The JSON of a whole answer. One that ends too early broke off behind the endpoint, as where a proxy or the model's
/// server gave up; blank lines alone are what DeepSeek sends while a question waits
/// (<https://api-docs.deepseek.com/quick_start/rate_limit>).
fn parsed(content: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(content).map_err(|error| {
        if error.is_eof() {
            Failure::BrokenOff("its answer ends in the middle".to_owned())
        } else {
            Failure::NotTheDialect(format!(
                "its answer is not one JSON text ({error}); check the endpoint's dialect and base URL"
            ))
        }
    })
}

/// What went wrong on the way, without the address, which the endpoint's name stands for.
fn unreachable(error: &reqwest::Error, endpoint: &Endpoint) -> Failure {
    if error.is_timeout() && !error.is_connect() {
        return Failure::BrokenOff(format!("no whole answer within {:?}", endpoint.timeout));
    }
    // The outermost error names the address and not the reason; the innermost is the reason.
    let mut reason: &dyn std::error::Error = error;
    while let Some(deeper) = reason.source() {
        reason = deeper;
    }
    let host = endpoint.base_url.host_str().unwrap_or("its host");
    if error.is_connect() {
        Failure::Unreachable(format!("no connection to {host}: {reason}"))
    } else {
        Failure::BrokenOff(format!("the connection to {host} broke: {reason}"))
    }
}
