//! `countersign providers`: where agents' text can come from, whether each can be used, and what may be spent.

mod trial;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::house;
use super::page::{Ink, Table};
use super::terminal::models_from_here;
use crate::config::{Dialect, Endpoint, Models, Overrides, ProviderName, StructuredOutput};
use crate::workflow::budget::{Cap, Money, Price, Scope};

/// What to do with providers; without a word, list them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Providers {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List providers
    List(Server),
    /// Ask a model endpoint one small question: time, tokens, price, and whether it holds to a schema
    Test(trial::Trial),
}

/// The flag that names the server's file.
#[derive(Debug, clap::Args)]
struct Server {
    /// The server's configuration file (YAML) [default: the user's own, ~/.config/countersign/config.yml]
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Providers {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            None | Some(Action::List(_)) => "providers list",
            Some(Action::Test(_)) => "providers test",
        }
    }

    /// Answers with the list, or with what came of a call.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match self.action {
            None => self.server.list(),
            Some(Action::List(server)) => server.list(),
            Some(Action::Test(trial)) => trial.run().await,
        }
    }
}

impl Server {
    fn list(self) -> Result<Answer, Refusal> {
        let models = models_from_here(self.config)?;
        let page = page(&models, Ink::of_stdout());
        Ok(Answer::new(data(&models), page))
    }
}

/// What the server's file says of models, with the keys of this process's environment.
pub(super) fn server_models(config: Option<PathBuf>) -> Result<Models, Refusal> {
    let overrides = Overrides {
        config,
        ..Overrides::default()
    };
    let sources = house::sources(&overrides);
    let models = sources.models();
    models.map_err(|problems| Refusal::configuration(problems.sentences().to_vec()))
}

/// A provider as programs get it. Amounts of money are decimals in text, so that none is changed on the way.
#[derive(Debug, Serialize)]
struct Provider {
    name: String,
    usable: bool,
    why_not: Option<String>,
    endpoint: Option<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    dialect: Dialect,
    model: String,
    base_url: String,
    key_env: Option<String>,
    structured_output: StructuredOutput,
    max_output_tokens: u32,
    timeout_seconds: u64,
    context_tokens: u32,
    concurrency: u32,
    /// None where it is not known.
    price: Option<RowPrice>,
    failover: Vec<String>,
    /// Empty means all.
    repositories: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RowPrice {
    input: String,
    cached: String,
    output: String,
}

#[derive(Debug, Serialize)]
struct RowCap {
    tokens: Option<u64>,
    money: Option<String>,
}

#[derive(Debug, Serialize)]
struct Data {
    currency: String,
    providers: Vec<Provider>,
    caps: BTreeMap<&'static str, RowCap>,
}

fn data(models: &Models) -> Data {
    let built_in = [ProviderName::Rules, ProviderName::Manual].map(|name| Provider {
        name: name.to_string(),
        usable: true,
        why_not: None,
        endpoint: None,
    });
    let endpoints = models.endpoints.iter().map(|endpoint| {
        let why_not = endpoint.obstacle();
        Provider {
            name: name(endpoint),
            usable: why_not.is_none(),
            why_not,
            endpoint: Some(row(endpoint)),
        }
    });
    let caps = Scope::ALL.map(|scope| {
        let Cap { tokens, money } = models.caps.of(scope);
        let money = money.map(|money| money.to_string());
        (scope.as_str(), RowCap { tokens, money })
    });
    Data {
        currency: models.currency.clone(),
        providers: built_in.into_iter().chain(endpoints).collect(),
        caps: caps.into(),
    }
}

fn name(endpoint: &Endpoint) -> String {
    ProviderName::Http(endpoint.name.clone()).to_string()
}

fn row(endpoint: &Endpoint) -> Row {
    Row {
        dialect: endpoint.dialect,
        model: endpoint.model.clone(),
        base_url: endpoint.base_url.to_string(),
        key_env: endpoint.key_env.clone(),
        structured_output: endpoint.structured_output,
        max_output_tokens: endpoint.max_output_tokens,
        timeout_seconds: endpoint.timeout.as_secs(),
        context_tokens: endpoint.context_tokens,
        concurrency: endpoint.concurrency,
        price: endpoint.price.map(|Price { input, cached, output }| RowPrice {
            input: input.to_string(),
            cached: cached.to_string(),
            output: output.to_string(),
        }),
        failover: endpoint.failover.iter().map(ToString::to_string).collect(),
        repositories: endpoint.repositories.clone(),
    }
}

fn page(models: &Models, ink: Ink) -> String {
    let mut table = Table::new([
        "NAME",
        "DIALECT",
        "MODEL",
        "WHERE",
        "OUTPUT",
        "PRICE IN/CACHED/OUT",
        "CONTEXT",
        "STATE",
    ]);
    let built_in = |name: ProviderName, what: &str| {
        let mut row = [const { String::new() }; 8].map(|_| "-".to_owned());
        row[0] = name.to_string();
        row[7] = format!("usable: {what}");
        row
    };
    table.row(built_in(ProviderName::Rules, "a grammar, no model"));
    table.row(built_in(ProviderName::Manual, "a person pastes the answer"));
    for endpoint in &models.endpoints {
        table.row([
            name(endpoint),
            endpoint.dialect.as_str().to_owned(),
            endpoint.model.clone(),
            endpoint.base_url.origin().ascii_serialization(),
            endpoint.structured_output.as_str().to_owned(),
            price(endpoint.price.as_ref()),
            endpoint.context_tokens.to_string(),
            state(endpoint),
        ]);
    }
    let mut caps = Table::new(["CAP", "TOKENS", "MONEY"]);
    for scope in Scope::ALL {
        let Cap { tokens, money } = models.caps.of(scope);
        caps.row([
            words(scope).to_owned(),
            tokens.map_or("no cap".to_owned(), |tokens| tokens.to_string()),
            money.map_or("no cap".to_owned(), |money| with_currency(money, models)),
        ]);
    }
    let mut page = table.page(ink);
    if models.endpoints.is_empty() {
        page.push_str("No model endpoint is configured: they are rows of the server's file, under models.endpoints.\n");
    } else {
        page.push_str(&format!("Prices are in {} for a million tokens.\n", models.currency));
    }
    format!("{page}\n{}", caps.page(ink))
}

fn with_currency(money: Money, models: &Models) -> String {
    format!("{money} {}", models.currency)
}

fn price(price: Option<&Price>) -> String {
    price.map_or("unknown".to_owned(), |Price { input, cached, output }| {
        format!("{input}/{cached}/{output}")
    })
}

fn state(endpoint: &Endpoint) -> String {
    match endpoint.obstacle() {
        Some(why_not) => why_not,
        None if endpoint.repositories.is_empty() => "usable".to_owned(),
        None => format!("usable in {}", endpoint.repositories.join(", ")),
    }
}

/// What a cap is on, for a reader.
fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::Run => "run",
        Scope::Workflow => "workflow",
        Scope::Repository => "repository, a day",
        Scope::Person => "person, a day",
        Scope::Day => "server, a day",
    }
}
