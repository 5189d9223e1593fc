//! The model client against a model server that takes only what the four dialects document: every way to JSON in every
//! dialect, and whatever goes wrong on the way.

mod faults;
mod requests;

use std::time::Duration;

use countersign::config::{ApiKey, Dialect, Endpoint, StructuredOutput};
use countersign::providers::http::{Client, Completion, Failure, Question, Turn};
use countersign::sandbox::models::{self, MODEL, ModelServer};
use serde_json::{Value, json};

const KEY: &str = "sk-test-0123456789abcdef";

const DIALECTS: [Dialect; 4] = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Ollama];

const MODES: [StructuredOutput; 4] = [
    StructuredOutput::Schema,
    StructuredOutput::Object,
    StructuredOutput::Tool,
    StructuredOutput::Prompt,
];

/// A server that asks for the key, and a client.
struct Pair {
    server: ModelServer,
    client: Client,
}

impl Pair {
    async fn start() -> Self {
        let server = ModelServer::start(None).await.unwrap();
        server.set_key(Some(KEY));
        Self {
            server,
            client: Client::new().unwrap(),
        }
    }

    fn endpoint(&self, dialect: Dialect, mode: StructuredOutput) -> Endpoint {
        let theirs = match dialect {
            Dialect::OpenAi => models::Dialect::OpenAi,
            Dialect::Anthropic => models::Dialect::Anthropic,
            Dialect::Gemini => models::Dialect::Gemini,
            Dialect::Ollama => models::Dialect::Ollama,
        };
        Endpoint {
            name: serde_json::from_value(json!("scripted")).unwrap(),
            dialect,
            base_url: self.server.base_url(theirs).parse().unwrap(),
            model: MODEL.to_owned(),
            key_env: Some("SCRIPT_KEY".to_owned()),
            key: ApiKey::parse(KEY),
            structured_output: mode,
            max_output_tokens: 500,
            // Far beyond what any of these tests takes; only an error in a test waits for it.
            timeout: Duration::from_secs(60),
            price: None,
            context_tokens: 8_000,
            concurrency: 1,
            failover: vec![],
            repositories: vec![],
        }
    }

    async fn ask(&self, endpoint: &Endpoint) -> Result<Completion, Failure> {
        let (schema, turns) = (schema(), [Turn::User("Hello, give JSON.".to_owned())]);
        self.client.ask(endpoint, &question(&schema, &turns)).await
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["a"],
        "properties": { "a": { "type": "integer" } },
    })
}

fn question<'a>(schema: &'a Value, turns: &'a [Turn]) -> Question<'a> {
    Question {
        system: "You give JSON.",
        turns,
        schema_name: "tasks.v1",
        schema,
    }
}
