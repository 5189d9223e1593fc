//! `countersign list`: workflows, the last changed first.

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{Ink, Table, moment};
use crate::store::workflows::WorkflowSummary;

/// Which workflows, and how many.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Also those that have ended
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

impl List {
    /// Answers with the list.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let workflows = store.list_workflows(!self.all, self.limit).await?;
        let page = match (workflows.is_empty(), self.all) {
            (true, false) => "No workflow is open; `--all` lists those that have ended.\n".to_owned(),
            (true, true) => "There has been no workflow yet.\n".to_owned(),
            (false, _) => table(&workflows).page(Ink::of_stdout()),
        };
        Ok(Answer::new(serde_json::json!({ "workflows": workflows }), page))
    }
}

fn table(workflows: &[WorkflowSummary]) -> Table<6> {
    let mut table = Table::new(["ID", "STATUS", "DEFINITION", "SUBJECT", "CHANGED (UTC)", "WAITS FOR"]);
    for workflow in workflows {
        table.row([
            workflow.id.clone(),
            standing(workflow).to_owned(),
            workflow.definition.clone(),
            format!("{}#{}", workflow.repository, workflow.subject),
            moment(workflow.updated_at),
            workflow.waits_for.clone(),
        ]);
    }
    table
}

/// The status in one word.
pub(super) fn standing(workflow: &WorkflowSummary) -> &str {
    match workflow.status.as_str() {
        "open" if workflow.held => "held",
        status => status,
    }
}
