//! `countersign fork ID --from N`: leaves the request for a workflow that goes on from a moment of another's history.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::replay::beyond;
use super::status::unknown;
use crate::engine::fork_of;
use crate::store::fork::fork_id;
use crate::store::repositories::OperatorCommand;
use crate::workflow::ids::WorkflowId;

/// Which workflow, and from where.
#[derive(Debug, clap::Args)]
pub(super) struct Fork {
    /// The workflow's id, as `list --all` shows it
    id: String,
    /// The last event that is copied, as `history` numbers them
    #[arg(long, value_name = "EVENT", value_parser = clap::value_parser!(u32).range(1..))]
    from: u32,
    #[command(flatten)]
    database: Database,
}

impl Fork {
    /// Leaves the request, unless it can be seen from here that it would be refused.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.outside_writer().await?;
        let (id, after) = (WorkflowId::from(self.id), self.from);
        let kept = store.kept(&id).await?.ok_or_else(|| unknown(&id))?;
        if let Some(finding) = kept.findings().first() {
            return Err(Refusal::failed(format!(
                "{id} was changed outside of this program and cannot be forked: {finding}"
            )));
        }
        let count = kept.records.len();
        if after as usize > count {
            return Err(beyond(&id, after as usize, count));
        }
        let now = chrono::Utc::now();
        let into = fork_id(&id, after, now);
        fork_of(&kept, after, &into, now)?
            .map_err(|why| Refusal::failed(format!("{id} cannot be forked there: {why}")))?;
        if let Some(stored) = store.workflow(&id).await? {
            let subject = &stored.state.subject;
            if let Some(open) = store.open_workflow(subject.repository, subject.number).await? {
                return Err(Refusal::failed(format!(
                    "the workflow {} is open on {}#{}: one of a subject's workflows is open at a time, so end that first",
                    open.state.id, stored.repository, subject.number
                )));
            }
        }
        if store.act_in_flight(&id).await? {
            return Err(Refusal::failed(format!(
                "an act of {id} may be under way: once what came of it is known, ask for the fork again"
            )));
        }
        let command = OperatorCommand::Fork {
            workflow: id.as_str().to_owned(),
            after,
            into: into.as_str().to_owned(),
        };
        store.ask_server(&command, now).await?;
        store.close().await;
        Ok(Answer::new(
            json!({ "requested": command }),
            format!(
                "The server was asked for a fork of {id} after event {after}: one that runs makes it within seconds, else \
                 the next one that starts. It will be {into}; `countersign status {into}` shows it. Where it is not made, \
                 the server's log says why.\n"
            ),
        ))
    }
}
