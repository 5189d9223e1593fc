//! `countersign providers test NAME`: one small call, and what came of it.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::page::facts;
use super::Server;
use crate::agents;
use crate::cli::terminal::models_from_here;
use crate::config::{Endpoint, EndpointName, Models, Offer, ProviderName};
use crate::providers::http::{Client, Completion, Failure, Finish, Question, Turn};
use crate::workflow::budget::{Spend, Usage, estimated_tokens};

/// What the endpoint may write: enough for a model that thinks first, and still little money.
const MOST_TOKENS: u32 = 4000;

const SYSTEM: &str = "You check that a connection works. Answer with one JSON object and nothing else.";

/// Which endpoint.
#[derive(Debug, clap::Args)]
pub(super) struct Trial {
    /// The endpoint's name, with or without `http:`
    name: String,
    #[command(flatten)]
    server: Server,
}

/// What came of the call, as programs get it.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    model: Option<String>,
    milliseconds: u64,
    tokens: u64,
    /// By the endpoint, or else by us.
    counted_by_endpoint: bool,
    /// A decimal in text; none where the price is not known.
    money: Option<String>,
    currency: String,
    schema_held: bool,
}

impl Trial {
    /// Asks once and tells what came of it.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let models = models_from_here(self.server.config)?;
        let endpoint = find(&models, &self.name)?;
        if let Some(obstacle) = endpoint.obstacle() {
            return Err(Refusal::failed(format!(
                "http:{} cannot be asked: {obstacle}",
                endpoint.name
            )));
        }
        let client = Client::new().map_err(|error| Refusal::failed(format!("no connection can be made: {error}")))?;
        let small = Endpoint {
            max_output_tokens: endpoint.max_output_tokens.min(MOST_TOKENS),
            ..endpoint.clone()
        };
        let schema = schema();
        let turns = [Turn::User(format!(
            "Answer with a JSON object of this schema, with `works` true and `word` \"countersign\":\n{schema}"
        ))];
        let question = Question {
            system: SYSTEM,
            turns: &turns,
            schema_name: "connection.v1",
            schema: &schema,
        };
        let begun = Instant::now();
        let asked = client.ask(&small, &question).await;
        let took = begun.elapsed();
        let completion = asked.map_err(|failure| {
            let sentence = format!("http:{}: {}", endpoint.name, advised(&failure, endpoint));
            Refusal::failed(sentence).with(json!({ "name": endpoint.name, "milliseconds": milliseconds(took) }))
        })?;
        report(&models, endpoint, &question, &completion, took)
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": { "works": { "type": "boolean" }, "word": { "type": "string" } },
        "required": ["works", "word"],
        "additionalProperties": false,
    })
}

fn find<'a>(models: &'a Models, name: &str) -> Result<&'a Endpoint, Refusal> {
    if matches!(name.parse(), Ok(ProviderName::Rules | ProviderName::Manual)) {
        return Err(Refusal::failed(format!(
            "{name} asks no model: there is nothing to test"
        )));
    }
    let bare = name.strip_prefix(ProviderName::HTTP).unwrap_or(name);
    let offer = Offer {
        models,
        repository: None,
    };
    models.endpoint(bare).ok_or_else(|| {
        let why = match EndpointName::parse(bare) {
            Some(name) => offer.refusal(&name),
            None => None,
        };
        Refusal::failed(
            why.unwrap_or_else(|| format!("{name:?} is no endpoint's name: `countersign providers` lists them")),
        )
    })
}

fn report(
    models: &Models,
    endpoint: &Endpoint,
    question: &Question<'_>,
    completion: &Completion,
    took: Duration,
) -> Result<Answer, Refusal> {
    let held = judged(endpoint, question, completion);
    let usage = completion.usage.unwrap_or_else(|| estimate(question, completion));
    let Spend { tokens, money } = usage.spend(endpoint.price.as_ref());
    let outcome = Outcome {
        name: format!("{}{}", ProviderName::HTTP, endpoint.name),
        model: completion.model.clone(),
        milliseconds: milliseconds(took),
        tokens,
        counted_by_endpoint: completion.usage.is_some(),
        money: money.map(|money| money.to_string()),
        currency: models.currency.clone(),
        schema_held: held.is_ok(),
    };
    match held {
        Ok(()) => {
            let page = page(&outcome, usage);
            Ok(Answer::new(outcome, page))
        }
        Err(why) => Err(Refusal::failed(format!("{} answered, but {why}", outcome.name)).with(outcome)),
    }
}

fn page(outcome: &Outcome, usage: Usage) -> String {
    let counted = if outcome.counted_by_endpoint {
        "counted by the endpoint"
    } else {
        "estimated: the endpoint counts none"
    };
    let price = match &outcome.money {
        Some(money) => format!("{money} {}", outcome.currency),
        None => "unknown: the endpoint has no `price`".to_owned(),
    };
    facts(&[
        ("endpoint", outcome.name.clone()),
        (
            "model",
            outcome.model.clone().unwrap_or_else(|| "it does not say".to_owned()),
        ),
        ("time", format!("{} ms", outcome.milliseconds)),
        (
            "tokens",
            format!("{} in, {} out ({counted})", usage.input, usage.output),
        ),
        ("price", price),
        ("schema", "held".to_owned()),
    ])
}

/// Whether the answer has the schema, read as an agent's answer is.
fn judged(endpoint: &Endpoint, question: &Question<'_>, completion: &Completion) -> Result<(), String> {
    match &completion.finish {
        Finish::Complete => {}
        Finish::Truncated => {
            return Err(format!(
                "it reached {} tokens before it had said everything; raise `max_output_tokens`, or choose a model that \
                 thinks less",
                endpoint.max_output_tokens.min(MOST_TOKENS)
            ));
        }
        Finish::Refused(words) if words.is_empty() => return Err("it would not do what was asked".to_owned()),
        Finish::Refused(words) => return Err(format!("it would not do what was asked: {words}")),
    }
    let advice = format!(
        "`structured_output` is {}; try another ({}), or another model",
        endpoint.structured_output.as_str(),
        "schema, object, tool or prompt"
    );
    let value = agents::json_in(&completion.text).map_err(|problem| format!("{problem}; {advice}"))?;
    let validator = jsonschema::validator_for(question.schema).map_err(|error| error.to_string())?;
    let first = validator
        .iter_errors(&value)
        .next()
        .map(|error| error.masked().to_string());
    match first {
        None => Ok(()),
        Some(error) => Err(format!("what it answered has not the schema: {error}; {advice}")),
    }
}

fn estimate(question: &Question<'_>, completion: &Completion) -> Usage {
    let turns = question.turns.iter().map(|turn| match turn {
        Turn::User(text) | Turn::Assistant(text) => estimated_tokens(text),
    });
    Usage {
        input: estimated_tokens(question.system) + turns.sum::<u64>(),
        cached: 0,
        output: estimated_tokens(&completion.text),
    }
}

/// A failure, and what to do about it.
fn advised(failure: &Failure, endpoint: &Endpoint) -> String {
    let Endpoint { model, base_url, .. } = endpoint;
    let advice = match failure {
        Failure::Busy {
            retry_after: Some(wait),
            ..
        } => format!("try again in {} seconds", wait.as_secs().max(1)),
        Failure::Busy { .. } => "try again later".to_owned(),
        Failure::Unreachable(_) => format!("check that a server answers at {base_url} (`base_url`)"),
        Failure::BrokenOff(_) => format!(
            "where it needs longer than {} seconds, raise `timeout_seconds`; the call may have been paid for",
            endpoint.timeout.as_secs()
        ),
        Failure::KeyRefused { .. } => match &endpoint.key_env {
            Some(variable) => format!("check the key in {variable}"),
            None => "name the variable that holds its key in `key_env`".to_owned(),
        },
        Failure::NotThere { .. } => format!("check the name {model} (`model`) and the address {base_url} (`base_url`)"),
        Failure::Refused { .. } => format!(
            "where it does not take `structured_output` {}, choose another: schema, object, tool or prompt",
            endpoint.structured_output.as_str()
        ),
        Failure::NotTheDialect(_) => format!(
            "check that {base_url} (`base_url`) speaks {}; what follows of the path is added",
            endpoint.dialect.as_str()
        ),
    };
    format!("{failure}; {advice}")
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
