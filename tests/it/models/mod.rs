//! Agents that think with a model: the whole way from a comment to a card, over HTTP, with what goes wrong on it.

mod caps;
mod costs;
mod crash;
mod faults;
mod story;

use countersign::sandbox::IssueNumber;
use countersign::sandbox::models::{Dialect, ModelServer};
use countersign::store::calls::Call;

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

/// What people answer in a model's place.
pub const NOTHING: &str = "/respond\n```json\n{\"tasks\": [], \"rejected\": [], \"questions\": []}\n```";

/// The calls of the workflow on an issue, in order.
pub async fn calls(world: &World, issue: IssueNumber) -> Vec<Call> {
    let card = world.card(issue);
    let (_, id) = card.split_once("\nWorkflow `").unwrap();
    let id = id.split('`').next().unwrap().into();
    world.house().engine.store().calls_of_workflow(&id).await.unwrap()
}

/// How they ended, a word each.
pub async fn ends(world: &World, issue: IssueNumber) -> String {
    let calls = calls(world, issue).await;
    let words: Vec<&str> = calls.iter().map(|call| call.end.word()).collect();
    words.join(" ")
}

/// Ends a world whose books must balance.
pub async fn end(world: World) {
    let store = world.house().engine.store().clone();
    assert_eq!(store.audit_books().await.unwrap(), Vec::<String>::new());
    world.end().await;
}
