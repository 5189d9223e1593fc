//! The section `models` of the server's file: as it is written, and the checks that no schema can express.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::caps_file::{Amounts, MOST_MONEY, ServerCaps};
use super::document::{ConfigError, Document, suggest};
use super::github_api::is_loopback;
use super::models::{DEFAULT_CURRENCY, Dialect, Endpoint, EndpointName, Models, StructuredOutput, WORD_LENGTH};
use super::secret::ApiKey;
use crate::workflow::budget::Price;

/// What of this section can be left out alone when it has a mistake.
pub(super) const PARTS: &[&[&str]] = &[
    &["models", "*"],
    &["models", "caps", "*", "*"],
    &["models", "endpoints", "*"],
    &["models", "endpoints", "*", "*"],
];

const DEFAULT_MAX_OUTPUT_TOKENS: u32 = 8000;
const DEFAULT_TIMEOUT_SECONDS: u64 = 120;
const DEFAULT_CONCURRENCY: u32 = 4;

// The text on the fields is what editors show from the schema. All are options, so that one mistake hides no other;
// the schema asks for those that are needed.

/// Model endpoints, and how much may be spent on them. In the file only.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileModels {
    /// What prices and caps are counted in; it is only shown. Default: USD
    #[serde(default)]
    #[schemars(with = "String")]
    currency: Option<String>,
    #[serde(default)]
    caps: ServerCaps,
    /// Endpoints by name. A repository chooses one as http:NAME.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    endpoints: BTreeMap<String, FileEndpoint>,
}

/// One model behind one address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["dialect", "model", "context_tokens"]))]
struct FileEndpoint {
    /// What it speaks: openai is spoken by vLLM, LM Studio, LiteLLM, OpenRouter, DeepSeek and many others.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["openai", "anthropic", "gemini", "ollama"]))]
    dialect: Option<Dialect>,
    /// Where it is, without the dialect's own path. Needed for openai (https://HOST/v1); the others have their vendor's.
    #[serde(default)]
    #[schemars(with = "String")]
    base_url: Option<String>,
    /// The model's name as the endpoint knows it.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 200))]
    model: Option<String>,
    /// The name of the environment variable that holds the key, never the key itself. Left out: no key is sent.
    #[serde(default)]
    #[schemars(with = "String")]
    key_env: Option<String>,
    /// How it is made to answer in JSON: schema (it holds to one), object (some JSON), tool (a tool's arguments),
    /// prompt (only asked to). Default: schema
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["schema", "object", "tool", "prompt"]))]
    structured_output: Option<StructuredOutput>,
    /// The most that it may write in one answer. Default: 8000
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 10_000_000))]
    max_output_tokens: Option<u32>,
    /// How long one call may take. Default: 120
    #[serde(default)]
    #[schemars(with = "u64", range(min = 1, max = 3600))]
    timeout_seconds: Option<u64>,
    /// How many tokens it can be given, its answer included.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 2, max = 100_000_000))]
    context_tokens: Option<u32>,
    /// How many calls may be under way at once. Default: 4
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    concurrency: Option<u32>,
    /// What a million tokens cost. Left out: money is unknown, and only caps in tokens hold.
    #[serde(default)]
    #[schemars(with = "FilePrice")]
    price: Option<FilePrice>,
    /// Endpoints that may be asked in its place, in this order.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 20))]
    failover: Vec<String>,
    /// Repositories that may use it: owner/name or owner/*. Left out: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 500))]
    repositories: Option<Vec<String>>,
}

/// What a million tokens cost, with at most six decimals.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilePrice {
    /// Of what it is given.
    #[schemars(extend("minimum" = 0, "maximum" = MOST_MONEY))]
    input: f64,
    /// Of the part of what it is given that it had kept from before. Default: as input
    #[serde(default)]
    #[schemars(with = "f64", extend("minimum" = 0, "maximum" = MOST_MONEY))]
    cached: Option<f64>,
    /// Of what it writes.
    #[schemars(extend("minimum" = 0, "maximum" = MOST_MONEY))]
    output: f64,
}

impl FileModels {
    /// Checks the section of this document. Keys of endpoints are looked for in the environment; one that is not there
    /// is no mistake.
    ///
    /// # Errors
    /// Every mistake that the schema does not find, in the file's order.
    pub(super) fn check(
        &self,
        document: &Document,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Models, Vec<ConfigError>> {
        let mut mistakes = Vec::new();
        let caps = self.caps.read(
            Models::default().caps,
            &mut Amounts {
                document,
                mistakes: &mut mistakes,
            },
            &["models", "caps"],
        );
        let mut check = Check {
            document,
            environment,
            names: document.keys(&["models", "endpoints"]),
            mistakes,
        };
        let currency = check.currency(self.currency.as_deref());
        let mut endpoints = Vec::new();
        for name in check.names.clone() {
            // Where it is not among the values, it was no mapping, which was told.
            let file = self.endpoints.get(name);
            endpoints.extend(file.and_then(|file| check.endpoint(name, file)));
        }
        if check.mistakes.is_empty() {
            Ok(Models {
                currency,
                caps,
                endpoints,
            })
        } else {
            check.mistakes.sort();
            Err(check.mistakes)
        }
    }
}

struct Check<'a> {
    document: &'a Document,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// Every endpoint that the file names, in its order.
    names: Vec<&'a str>,
    mistakes: Vec<ConfigError>,
}

impl Check<'_> {
    /// A mistake in one value of an endpoint; the sentence begins with the value's path.
    fn wrong(&mut self, endpoint: &str, below: &[&str], sentence: impl AsRef<str>) {
        let path: Vec<&str> = ["models", "endpoints", endpoint]
            .into_iter()
            .chain(below.iter().copied())
            .collect();
        let sentence = format!("`{}` {}", path.join("."), sentence.as_ref());
        self.mistakes.push(self.document.at(&path).error(sentence));
    }

    fn currency(&mut self, currency: Option<&str>) -> String {
        let currency = currency.unwrap_or(DEFAULT_CURRENCY);
        if !(1..=10).contains(&currency.len()) || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let at = self.document.at(&["models", "currency"]);
            self.mistakes
                .push(at.error("`models.currency` must be up to ten letters, such as USD"));
        }
        currency.to_owned()
    }

    /// The endpoint as far as it is whole.
    fn endpoint(&mut self, name: &str, file: &FileEndpoint) -> Option<Endpoint> {
        let parsed = EndpointName::parse(name);
        if parsed.is_none() {
            let at = self.document.key_at(&["models", "endpoints", name]);
            self.mistakes.push(at.error(format!(
                "{name:?} cannot be an endpoint's name; use up to {WORD_LENGTH} lower-case letters, digits and hyphens, a letter first"
            )));
        }
        let key_env = self.key_env(name, file.key_env.as_deref());
        let base_url = self.base_url(name, file);
        let model = file
            .model
            .as_deref()
            .and_then(|model| self.model(name, file.dialect, model));
        let max_output_tokens = file.max_output_tokens.unwrap_or(DEFAULT_MAX_OUTPUT_TOKENS);
        if let Some(context) = file.context_tokens.filter(|context| max_output_tokens >= *context) {
            let (at, said) = match file.max_output_tokens {
                Some(_) => ("max_output_tokens", String::new()),
                None => (
                    "context_tokens",
                    format!(" (`max_output_tokens` is {DEFAULT_MAX_OUTPUT_TOKENS} unless it is given)"),
                ),
            };
            self.wrong(
                name,
                &[at],
                format!(
                    "leaves no room for the question: the answer alone may take all of the {context} tokens of context{said}; \
                     lower `max_output_tokens`, or correct `context_tokens`"
                ),
            );
        }
        let price = self.price(name, file.price.as_ref());
        let failover = self.failover(name, &file.failover);
        let repositories = self.repositories(name, file.repositories.as_deref());
        Some(Endpoint {
            name: parsed?,
            dialect: file.dialect?,
            base_url: base_url?,
            model: model?,
            key: key_env
                .as_deref()
                .and_then(self.environment)
                .and_then(|key| ApiKey::parse(&key)),
            key_env,
            structured_output: file.structured_output.unwrap_or_default(),
            max_output_tokens,
            timeout: Duration::from_secs(file.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS)),
            price,
            context_tokens: file.context_tokens?,
            concurrency: file.concurrency.unwrap_or(DEFAULT_CONCURRENCY),
            failover,
            repositories,
        })
    }

    fn key_env(&mut self, name: &str, key_env: Option<&str>) -> Option<String> {
        let key_env = key_env?;
        if is_variable(key_env) {
            return Some(key_env.to_owned());
        }
        // What stands there may be a key: it is not repeated.
        self.wrong(
            name,
            &["key_env"],
            "must be the name of an environment variable (letters, digits and _, such as MODEL_KEY), not a key; \
             put the key into that variable, and replace a key that has stood in this file",
        );
        None
    }

    fn base_url(&mut self, name: &str, file: &FileEndpoint) -> Option<Url> {
        let given = self.document.keys(&["models", "endpoints", name]).contains(&"base_url");
        let text = match (&file.base_url, file.dialect) {
            (Some(text), _) => text.as_str(),
            (None, None) => return None,
            (None, Some(dialect)) => match dialect.default_base_url() {
                Some(default) => default,
                None => {
                    // Given and of the wrong type: that was told.
                    if !given {
                        self.wrong(
                            name,
                            &[],
                            "lacks `base_url`; add the address of the server that speaks openai, such as https://api.openai.com/v1",
                        );
                    }
                    return None;
                }
            },
        };
        let checked = base_url(text, file.dialect, file.key_env.is_some());
        checked
            .map_err(|sentence| self.wrong(name, &["base_url"], sentence))
            .ok()
    }

    fn model(&mut self, name: &str, dialect: Option<Dialect>, model: &str) -> Option<String> {
        let model = model.trim();
        if model.is_empty() || model.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.wrong(name, &["model"], "must be a model's name, without white space");
            return None;
        }
        let in_a_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if dialect == Some(Dialect::Gemini) && !model.chars().all(in_a_path) {
            self.wrong(
                name,
                &["model"],
                "must be letters, digits, `.`, `_` and `-`; leave out `models/`, the dialect adds it",
            );
            return None;
        }
        Some(model.to_owned())
    }

    fn price(&mut self, name: &str, price: Option<&FilePrice>) -> Option<Price> {
        let price = price?;
        let mut read = |key, written| {
            Amounts {
                document: self.document,
                mistakes: &mut self.mistakes,
            }
            .money(written, &["models", "endpoints", name, "price", key])
        };
        let input = read("input", price.input);
        let cached = match price.cached {
            Some(cached) => read("cached", cached),
            None => input,
        };
        let output = read("output", price.output);
        Some(Price {
            input: input?,
            cached: cached?,
            output: output?,
        })
    }

    fn failover(&mut self, name: &str, others: &[String]) -> Vec<EndpointName> {
        let mut seen: Vec<EndpointName> = Vec::new();
        for (index, other) in others.iter().enumerate() {
            let index = index.to_string();
            let path = ["failover", index.as_str()];
            if other == name {
                self.wrong(name, &path, "is the endpoint itself; name another, or remove it");
            } else if !self.names.contains(&other.as_str()) {
                let known = self.names.iter().copied().filter(|known| *known != name);
                let advice = suggest(other, known);
                self.wrong(name, &path, format!("is no endpoint of this file; {advice}"));
            } else if seen.iter().any(|seen| seen.as_str() == other) {
                self.wrong(
                    name,
                    &path,
                    format!("names {other} for the second time; keep one of them"),
                );
            } else {
                // One that cannot be a name is told where it is defined.
                seen.extend(EndpointName::parse(other));
            }
        }
        seen
    }

    fn repositories(&mut self, name: &str, repositories: Option<&[String]>) -> Vec<String> {
        let Some(repositories) = repositories else {
            return Vec::new();
        };
        if repositories.is_empty() {
            self.wrong(
                name,
                &["repositories"],
                "allows no repository; name some (owner/name or owner/*), or remove it to allow all",
            );
        }
        for (index, pattern) in repositories.iter().enumerate() {
            if !is_repository_pattern(pattern) {
                let index = index.to_string();
                self.wrong(
                    name,
                    &["repositories", &index],
                    "must be owner/name, or owner/* for all of an owner's; to allow all repositories, remove `repositories`",
                );
            }
        }
        repositories.to_vec()
    }
}

/// A name that a shell can export. What has the looks of a key is none: it would be shown wherever the name is.
pub(super) fn is_variable(text: &str) -> bool {
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.len() <= 64;
    let of_a_vendor = ["AIza", "gsk_", "hf_", "sk_", "r8_", "pplx_"]
        .iter()
        .any(|start| text.starts_with(start));
    let random = text.len() >= 20
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    named && !of_a_vendor && !random
}

/// `owner/name` or `owner/*`, of the characters that GitHub allows; owners on Enterprise may have `_`.
pub(super) fn is_repository_pattern(text: &str) -> bool {
    let part = |part: &str, more: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    text.split_once('/')
        .is_some_and(|(owner, name)| part(owner, "-_") && (name == "*" || part(name, "-_.")))
}

/// Reads the address of an endpoint. The sentence never holds the address: it may hold a password.
fn base_url(text: &str, dialect: Option<Dialect>, has_key: bool) -> Result<Url, String> {
    const FORM: &str = "write https://HOST with the path before the dialect's own";
    let url = Url::parse(text.trim()).map_err(|error| format!("is not a URL ({error}); {FORM}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("is neither http nor https; {FORM}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user or password; put the key into an environment variable and name it in `key_env`".to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("has something after ? or #; {FORM}"));
    }
    if url.scheme() == "http" && has_key && !is_near(&url) {
        return Err(
            "would send the key in clear over a public network; use https (http with a key is for this machine and \
             private networks only)"
                .to_owned(),
        );
    }
    if let Some(dialect) = dialect {
        without_the_dialect(url.path().trim_end_matches('/'), dialect)?;
    }
    Ok(url)
}

/// Refuses a path that goes on into what the dialect adds itself.
fn without_the_dialect(path: &str, dialect: Dialect) -> Result<(), String> {
    let added = match dialect {
        Dialect::OpenAi => &["/chat/completions"][..],
        Dialect::Anthropic => &["/v1/messages", "/v1"],
        Dialect::Gemini => &["/v1beta/models", "/v1beta"],
        Dialect::Ollama => &["/api/chat", "/api"],
    };
    if let Some(added) = added.iter().find(|added| path.ends_with(**added)) {
        return Err(format!(
            "ends in {added}, which the dialect {} adds itself; leave it out",
            dialect.as_str()
        ));
    }
    if dialect == Dialect::Ollama && path.ends_with("/v1") {
        return Err("ends in /v1, where Ollama speaks openai; leave it out, or choose the dialect openai".to_owned());
    }
    Ok(())
}

/// Whether the host is this machine or in a private network: addresses of RFC 1918, RFC 3927, RFC 4193 and link-local
/// ones, names without a dot, and the names kept for private use (RFC 6762, RFC 8375, and ICANN's `internal`).
fn is_near(url: &Url) -> bool {
    if is_loopback(url) {
        return true;
    }
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            !name.contains('.')
                || [".local", ".internal", ".home.arpa"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(address)) => address.is_private() || address.is_link_local(),
        Some(Host::Ipv6(address)) => {
            address.is_unique_local()
                || address.is_unicast_link_local()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|address| address.is_loopback() || address.is_private() || address.is_link_local())
        }
        None => false,
    }
}

#[cfg(test)]
#[path = "models_file_tests.rs"]
mod tests;
