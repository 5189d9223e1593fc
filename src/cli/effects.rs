//! `countersign effects`: what is to be written to the outside, what was given up, and another try for that.

use clap::Subcommand;

use super::again::{Again, asked};
use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{Ink, Table, moment};
use crate::store::Store;
use crate::store::effects::{EffectSummary, NOTIFY, Which};
use crate::store::repositories::OperatorCommand;
use crate::workflow::ids::EffectId;

/// What to do with effects; without a word, list them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Effects {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List writes to the outside that wait, the newest first
    List(List),
    /// Ask the server to try a write again that was given up, or all of them; a workflow's own steps are for `/retry`
    Retry(Again),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Those that were given up instead
    #[arg(long)]
    failed: bool,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

impl Effects {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            None | Some(Action::List(_)) => "effects list",
            Some(Action::Retry(_)) => "effects retry",
        }
    }

    /// Answers with the list, or leaves the request.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match self.action {
            None => self.list.run().await,
            Some(Action::List(list)) => list.run().await,
            Some(Action::Retry(again)) => retry(again).await,
        }
    }
}

impl List {
    async fn run(self) -> Result<Answer, Refusal> {
        let which = match self.failed {
            true => Which::Failed,
            false => Which::Open,
        };
        let store = self.database.reader().await?;
        let effects = store.effects(which, self.limit).await?;
        let page = match (effects.is_empty(), which) {
            (true, Which::Open) => "Nothing is to be written.\n".to_owned(),
            (true, Which::Failed) => "Nothing was given up.\n".to_owned(),
            (false, _) => table(&effects).page(Ink::of_stdout()),
        };
        Ok(Answer::new(serde_json::json!({ "effects": effects }), page))
    }
}

async fn retry(again: Again) -> Result<Answer, Refusal> {
    let store = again.database.outside_writer().await?;
    let asked = match again.id {
        Some(id) => one_again(&store, &EffectId::from(id)).await,
        None => all_again(&store).await,
    };
    store.close().await;
    asked
}

async fn one_again(store: &Store, id: &EffectId) -> Result<Answer, Refusal> {
    let effect = store.effect_summary(id).await?.ok_or_else(|| {
        Refusal::failed(format!(
            "there is no effect {id}: `countersign effects --failed` lists those that were given up"
        ))
    })?;
    if effect.state != "failed" {
        return Err(Refusal::failed(format!(
            "the effect {id} is {}: only one that was given up can be tried again",
            effect.state
        )));
    }
    if effect.is_the_workflows() {
        let workflow = effect.workflow.as_deref().unwrap_or_default();
        return Err(Refusal::failed(format!(
            "the effect {id} is a step of the workflow {workflow}, and that is tried again by somebody with the right to: \
             `/retry` on its issue. `countersign status {workflow}` names the issue"
        )));
    }
    let command = ask(store, &effect).await?;
    let then = match effect.kind.as_str() {
        NOTIFY => "It is told under the id that it had, by which its receiver knows a repeat.",
        _ => "What may have been written is looked for first.",
    };
    Ok(Answer::new(
        serde_json::json!({ "requested": command }),
        format!("{} {then}\n", asked(id)),
    ))
}

async fn all_again(store: &Store) -> Result<Answer, Refusal> {
    let (theirs, ours): (Vec<_>, Vec<_>) = store
        .effects(Which::Failed, u32::MAX)
        .await?
        .into_iter()
        .partition(EffectSummary::is_the_workflows);
    let mut requested = Vec::new();
    // In the order in which they were given up.
    for effect in ours.iter().rev() {
        requested.push(ask(store, effect).await?);
    }
    let mut page = match requested.len() {
        0 => "Nothing was given up that an operator may have done again.\n".to_owned(),
        count => format!("{}\n", asked(format_args!("{count} writes"))),
    };
    if !theirs.is_empty() {
        page.push_str(&format!(
            "{} more are steps of workflows: `/retry` on their issues.\n",
            theirs.len()
        ));
    }
    let data = serde_json::json!({ "requested": requested, "for_workflows": theirs });
    Ok(Answer::new(data, page))
}

async fn ask(store: &Store, effect: &EffectSummary) -> Result<OperatorCommand, Refusal> {
    let command = OperatorCommand::RetryEffect { id: effect.id.clone() };
    store.ask_server(&command, chrono::Utc::now()).await?;
    Ok(command)
}

fn table(effects: &[EffectSummary]) -> Table<7> {
    let mut table = Table::new(["ID", "KIND", "WORKFLOW", "STATE", "ATTEMPTS", "SINCE (UTC)", "WHY"]);
    for effect in effects {
        let state = match effect.doubt {
            true => format!("{}, in doubt", effect.state),
            false => effect.state.clone(),
        };
        table.row([
            effect.id.clone(),
            effect.kind.clone(),
            effect.workflow.clone().unwrap_or_default(),
            state,
            effect.attempt.to_string(),
            moment(effect.ended_at.unwrap_or(effect.run_at)),
            effect.last_error.clone().unwrap_or_default(),
        ]);
    }
    table
}
