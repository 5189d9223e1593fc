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
    /// Only those of this status, whether they have ended or not
    #[arg(long, value_enum, conflicts_with = "all")]
    status: Option<Only>,
    /// Only those of this definition
    #[arg(long, visible_alias = "definition", value_name = "DEFINITION")]
    profile: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

/// A status to choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// It goes on
    Open,
    /// It goes on, and somebody stopped it for a while
    Held,
    /// Every phase is complete
    Completed,
    /// Somebody ended it
    Cancelled,
}

impl Only {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl List {
    /// Answers with the list.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let open_only = !self.all && self.status.is_none();
        let mut workflows = match (self.status, &self.profile) {
            (None, None) => store.list_workflows(open_only, self.limit).await?,
            _ => store.list_workflows(open_only, u32::MAX).await?,
        };
        workflows.retain(|workflow| {
            let of_status = self.status.is_none_or(|only| standing(workflow) == only.word());
            of_status
                && self
                    .profile
                    .as_ref()
                    .is_none_or(|profile| workflow.definition == *profile)
        });
        workflows.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let chosen = self.status.is_some() || self.profile.is_some();
        let page = match (workflows.is_empty(), self.all) {
            (true, _) if chosen => "There is no such workflow.\n".to_owned(),
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
