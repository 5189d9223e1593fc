//! `countersign notifications`: whom else than GitHub a server tells what happens, and a test of one of them.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::house;
use super::page::{Ink, Table};
use crate::config::{NotificationEndpoint, Notifications, Overrides};

/// What to do with them; without a word, list them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Notified {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the endpoints, and what each is told of
    List(Server),
    /// Tell an endpoint that this is a test: of no workflow, and nobody's words
    Test(Trial),
}

/// The flag that names the server's file.
#[derive(Debug, clap::Args)]
struct Server {
    /// The server's configuration file (YAML)
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Which endpoint.
#[derive(Debug, clap::Args)]
struct Trial {
    /// The endpoint's name
    name: String,
    #[command(flatten)]
    server: Server,
}

/// An endpoint as programs get it: without an address that is a secret.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    format: &'static str,
    host: Option<&'a str>,
    events: Vec<&'static str>,
    /// Empty means all.
    repositories: &'a [String],
}

impl Notified {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            None | Some(Action::List(_)) => "notifications list",
            Some(Action::Test(_)) => "notifications test",
        }
    }

    /// Answers with the list, or with what came of a test.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match self.action {
            None => self.server.list(),
            Some(Action::List(server)) => server.list(),
            Some(Action::Test(trial)) => trial.run().await,
        }
    }
}

impl Server {
    fn read(self) -> Result<Notifications, Refusal> {
        let overrides = Overrides {
            config: self.config,
            ..Overrides::default()
        };
        let sources = house::sources(&overrides);
        let read = sources.notifications();
        read.map_err(|problems| Refusal::configuration(problems.sentences().to_vec()))
    }

    fn list(self) -> Result<Answer, Refusal> {
        let notifications = self.read()?;
        let rows: Vec<Row<'_>> = notifications.endpoints.iter().map(row).collect();
        Ok(Answer::new(
            serde_json::json!({ "endpoints": &rows }),
            page(&rows, Ink::of_stdout()),
        ))
    }
}

impl Trial {
    async fn run(self) -> Result<Answer, Refusal> {
        let notifications = self.server.read()?;
        let endpoint = notifications.endpoint(&self.name).ok_or_else(|| {
            let known: Vec<&str> = notifications
                .endpoints
                .iter()
                .map(|known| known.name.as_str())
                .collect();
            let known = match known.is_empty() {
                true => "none is configured".to_owned(),
                false => format!("there are {}", known.join(", ")),
            };
            Refusal::failed(format!("there is no endpoint {:?}: {known}", self.name))
        })?;
        match crate::notify::test(endpoint, chrono::Utc::now()).await {
            Ok(()) => Ok(Answer::new(
                serde_json::json!({ "endpoint": &endpoint.name }),
                format!("{} took the test.\n", endpoint.name),
            )),
            Err(failure) => Err(
                Refusal::failed(format!("{} did not take the test: {failure}", endpoint.name))
                    .with(serde_json::json!({ "endpoint": &endpoint.name })),
            ),
        }
    }
}

fn row(endpoint: &NotificationEndpoint) -> Row<'_> {
    Row {
        name: endpoint.name.as_str(),
        format: endpoint.channel.as_str(),
        host: endpoint.channel.host(),
        events: endpoint.events.iter().map(|kind| kind.as_str()).collect(),
        repositories: &endpoint.repositories,
    }
}

fn page(rows: &[Row<'_>], ink: Ink) -> String {
    if rows.is_empty() {
        return "No endpoint is configured: they are rows of the server's file, under notifications.endpoints.\n"
            .to_owned();
    }
    let mut table = Table::new(["NAME", "FORMAT", "HOST", "REPOSITORIES", "EVENTS"]);
    for row in rows {
        let repositories = match row.repositories.is_empty() {
            true => "all".to_owned(),
            false => row.repositories.join(", "),
        };
        table.row([
            row.name.to_owned(),
            row.format.to_owned(),
            row.host.unwrap_or("not shown").to_owned(),
            repositories,
            row.events.join(", "),
        ]);
    }
    table.page(ink)
}
