//! Agents that think with a model: the whole way from a comment to a card, over HTTP, with what goes wrong on it.

mod caps;
mod story;

use countersign::sandbox::models::{Dialect, ModelServer};

use crate::world::{Setup, World};

/// A server's file with these endpoints, each a name, a dialect and more keys.
pub fn server_file(models: &ModelServer, endpoints: &[(&str, Dialect, &str)], caps: &str) -> String {
    let mut file = format!("models:\n  caps: {caps}\n  endpoints:\n");
    for (name, dialect, more) in endpoints {
        let word = match dialect {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
            Dialect::Ollama => "ollama",
        };
        file.push_str(&format!(
            "    {name}:\n      dialect: {word}\n      base_url: {}\n      model: script\n      context_tokens: 100000\n      \
             max_output_tokens: 4000\n      price: {{input: 1, output: 2}}\n",
            models.base_url(*dialect)
        ));
        for line in more.lines() {
            file.push_str(&format!("      {line}\n"));
        }
    }
    file
}

/// A repository whose agents ask this provider.
pub fn asks(provider: &str) -> String {
    format!(
        "version: 1\nmail:\n  to: [stakeholders@acme.example]\nproviders:\n  extract: {provider}\n  email: {provider}\n"
    )
}

/// A world in which both agents ask `http:local`, an endpoint of the dialect.
pub async fn world(models: &ModelServer, dialect: Dialect) -> World {
    Setup::new()
        .server_file(&server_file(models, &[("local", dialect, "")], "{}"))
        .config(&asks("http:local"))
        .start()
        .await
}

/// The text that most stories begin with.
pub const TALK: &str = "I will write the release notes.\n@bob will fix the login page.";
