//! `countersign deliveries`: what GitHub sent, what became of it, and another try for what failed.

use std::collections::BTreeMap;

use clap::Subcommand;

use super::again::{Again, asked};
use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{Ink, Table, facts, harmless, moment};
use crate::store::Store;
use crate::store::deliveries::DeliverySummary;
use crate::store::repositories::OperatorCommand;
use crate::workflow::ids::{DeliveryId, RepositoryId};

/// What to do with deliveries; without a word, list them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Deliveries {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, the newest first
    List(List),
    /// Show one delivery with its body
    Show(One),
    /// Ask the server to try a failed delivery again, or all of them
    Retry(Again),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those that are not done
    #[arg(long)]
    open: bool,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The delivery's id: GitHub's X-GitHub-Delivery
    id: String,
    #[command(flatten)]
    database: Database,
}

impl Deliveries {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            None | Some(Action::List(_)) => "deliveries list",
            Some(Action::Show(_)) => "deliveries show",
            Some(Action::Retry(_)) => "deliveries retry",
        }
    }

    /// Answers with the list or the delivery, or leaves the request.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match self.action {
            None => self.list.run().await,
            Some(Action::List(list)) => list.run().await,
            Some(Action::Show(one)) => one.show().await,
            Some(Action::Retry(again)) => retry(again).await,
        }
    }
}

impl List {
    async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let deliveries = store.deliveries(self.open, self.limit).await?;
        let page = match (deliveries.is_empty(), self.open) {
            (true, true) => "Every delivery is done.\n".to_owned(),
            (true, false) => "No delivery has come yet.\n".to_owned(),
            (false, _) => table(&store, &deliveries).await?.page(Ink::of_stdout()),
        };
        Ok(Answer::new(serde_json::json!({ "deliveries": deliveries }), page))
    }
}

impl One {
    async fn show(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let id = DeliveryId::from(self.id);
        let (delivery, body) = store.delivery(&id).await?.ok_or_else(|| unknown(&id))?;
        let about = about(&store, &delivery, &mut BTreeMap::new()).await?;
        let head = facts(&[
            ("delivery", delivery.id.clone()),
            ("event", event(&delivery)),
            ("about", about),
            ("received", format!("{} UTC", moment(delivery.received_at))),
            ("state", delivery.state.clone()),
            ("outcome", delivery.outcome.clone().unwrap_or_default()),
            ("attempts", delivery.attempt.to_string()),
            ("sent", format!("{} times", delivery.seen)),
        ]);
        let json = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let text = String::from_utf8_lossy(&body);
        let (shown, body) = match json {
            Some(json) => (format!("{json:#}"), json),
            None => (text.clone().into_owned(), text.into()),
        };
        let page = format!("{head}\n{}\n", harmless(&shown));
        Ok(Answer::new(
            serde_json::json!({ "delivery": delivery, "body": body }),
            page,
        ))
    }
}

async fn retry(again: Again) -> Result<Answer, Refusal> {
    let store = again.database.outside_writer().await?;
    let asked = match again.id {
        Some(id) => one_again(&store, DeliveryId::from(id)).await,
        None => all_again(&store).await,
    };
    store.close().await;
    asked
}

async fn all_again(store: &Store) -> Result<Answer, Refusal> {
    let given_up = store.deliveries_given_up(u32::MAX).await?;
    let mut requested = Vec::new();
    // In the order in which they came.
    for delivery in given_up.into_iter().rev() {
        let command = OperatorCommand::RetryDelivery { id: delivery.id };
        store.ask_server(&command, chrono::Utc::now()).await?;
        requested.push(command);
    }
    let page = match requested.len() {
        0 => "No delivery was given up.\n".to_owned(),
        count => format!(
            "{} `countersign deliveries --open` tells what came of it.\n",
            asked(format_args!("{count} deliveries"))
        ),
    };
    Ok(Answer::new(serde_json::json!({ "requested": requested }), page))
}

async fn one_again(store: &Store, id: DeliveryId) -> Result<Answer, Refusal> {
    let (delivery, _) = store.delivery(&id).await?.ok_or_else(|| unknown(&id))?;
    if !matches!(delivery.state.as_str(), "failed" | "dead" | "new") {
        return Err(Refusal::failed(format!(
            "the delivery {id} is {}: only one that failed can be tried again",
            delivery.state
        )));
    }
    let command = OperatorCommand::RetryDelivery {
        id: id.as_str().to_owned(),
    };
    store.ask_server(&command, chrono::Utc::now()).await?;
    Ok(Answer::new(
        serde_json::json!({ "requested": command }),
        format!(
            "{} `countersign deliveries show {id}` tells what came of it.\n",
            asked(&id)
        ),
    ))
}

fn unknown(id: &DeliveryId) -> Refusal {
    Refusal::failed(format!(
        "there is no delivery {id}: `countersign deliveries` lists their ids"
    ))
}

async fn table(store: &Store, deliveries: &[DeliverySummary]) -> Result<Table<6>, Refusal> {
    let mut table = Table::new(["ID", "RECEIVED (UTC)", "EVENT", "ABOUT", "STATE", "OUTCOME"]);
    let mut names = BTreeMap::new();
    for delivery in deliveries {
        table.row([
            delivery.id.clone(),
            moment(delivery.received_at),
            event(delivery),
            about(store, delivery, &mut names).await?,
            delivery.state.clone(),
            delivery.outcome.clone().unwrap_or_default(),
        ]);
    }
    Ok(table)
}

fn event(delivery: &DeliverySummary) -> String {
    match &delivery.action {
        Some(action) => format!("{}.{action}", delivery.event),
        None => delivery.event.clone(),
    }
}

/// The repository by name where it is known, and the issue or pull request.
async fn about(
    store: &Store,
    delivery: &DeliverySummary,
    names: &mut BTreeMap<u64, String>,
) -> Result<String, Refusal> {
    let Some(id) = delivery.repository_id else {
        return Ok(String::new());
    };
    if let std::collections::btree_map::Entry::Vacant(unknown) = names.entry(id) {
        let repository = store.repository(RepositoryId(id)).await?;
        unknown.insert(match repository {
            Some(repository) => format!("{}/{}", repository.owner, repository.name),
            None => id.to_string(),
        });
    }
    let name = &names[&id];
    Ok(match delivery.subject {
        Some(subject) => format!("{name}#{subject}"),
        None => name.clone(),
    })
}
