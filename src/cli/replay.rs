//! `countersign replay ID --to N`: how a workflow stood after its N-th event.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::{Database, meant};
use super::page::Ink;
use super::status::{Workflow, page, unknown};
use crate::engine::waits_for;
use crate::store::change::status_name;
use crate::store::history::{Broken, StoredEvent, first_broken};
use crate::store::workflows::WorkflowSummary;
use crate::workflow::apply::fold;
use crate::workflow::ids::WorkflowId;
use crate::workflow::state::State;

/// Which workflow, and until when.
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// The workflow's id, as `list` shows it; left out, the one that is open, or the last
    id: Option<String>,
    /// The last event that counts, as `history` numbers them; without it, all do
    #[arg(long, value_name = "EVENT", value_parser = clap::value_parser!(u32).range(1..))]
    to: Option<u32>,
    #[command(flatten)]
    database: Database,
}

impl Replay {
    /// Answers with the state then, as `status` shows it.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let id = meant(&store, self.id, true).await?;
        let Some(now) = store.workflow_summary(&id).await? else {
            return Err(unknown(&id));
        };
        let history = store.history(&id).await?;
        let count = history.len();
        let to = self.to.map_or(count, |to| to as usize);
        let events = history.get(..to).ok_or_else(|| beyond(&id, to, count))?;
        if let Some(Broken { seq, .. }) = first_broken(events) {
            return Err(Refusal::failed(format!(
                "the history of {id} was changed outside of this program at event {seq}: what it leads to is not what \
                 was (`countersign verify {id}` tells more)"
            )));
        }
        let folded = fold(events.iter().map(|stored| (&stored.event, stored.at)));
        let (Some(state), Some(last)) = (folded, events.last()) else {
            return Err(Refusal::failed(format!(
                "the history of {id} does not begin with its start"
            )));
        };
        let summary = summary(&now, &state, last);
        let workflow = Workflow::of_state(&summary, &state);
        let data = json!({ "event": to, "events": count, "workflow": &workflow, "state": &state });
        let of = format!(
            "After event {to} of {count} ({}):\n\n",
            last.event.name().replace('_', " ")
        );
        Ok(Answer::new(data, of + &page(&workflow, Ink::of_stdout())))
    }
}

/// There is no such event.
pub(super) fn beyond(id: &WorkflowId, to: usize, count: usize) -> Refusal {
    Refusal::failed(format!(
        "{id} has no event {to}: its history ends with event {count} (`countersign history {id}` shows them)"
    ))
}

/// The workflow as a list would have shown it then. A repository's name is not part of the history: it is today's.
fn summary(now: &WorkflowSummary, state: &State, last: &StoredEvent) -> WorkflowSummary {
    WorkflowSummary {
        id: state.id.as_str().to_owned(),
        definition: state.definition.name.clone(),
        status: status_name(&state.status).to_owned(),
        held: state.hold.is_some(),
        waits_for: waits_for(state),
        repository: now.repository.clone(),
        subject: state.subject.number.0,
        version: last.seq,
        started_at: state.started_at,
        updated_at: last.at,
    }
}
