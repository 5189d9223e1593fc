//! `countersign list`: workflows, the last changed first.

use std::path::Path;

use super::answer::{Answer, Refusal};
use super::database::{Database, Whose};
use super::page::{Ink, Table, moment};
use crate::config::definition::instead;
use crate::engine::{Folder, embedded_definitions};
use crate::store::Store;
use crate::store::workflows::WorkflowSummary;
use crate::workflow::ids::WorkflowId;
use crate::workflow::state::{PhaseStatus, State};

/// Which workflows, and how many.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Also those that have ended
    #[arg(long)]
    all: bool,
    /// Only those of this status, whether they have ended or not; `in_progress` and `success` are understood too
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
    #[value(alias = "in_progress")]
    Open,
    /// It goes on, and somebody stopped it for a while
    Held,
    /// It goes on once somebody puts right what failed in it
    #[value(alias = "failed")]
    Error,
    /// Every phase is complete
    #[value(alias = "success")]
    Completed,
    /// Somebody ended it
    Cancelled,
}

impl Only {
    fn takes(self, workflow: &WorkflowSummary, state: Option<&State>) -> bool {
        let failed = || state.is_some_and(|state| state.first_at(&[PhaseStatus::Error]).is_some());
        match self {
            Self::Open => standing(workflow) == "open",
            Self::Held => standing(workflow) == "held",
            Self::Error => workflow.status == "open" && failed(),
            Self::Completed => workflow.status == "completed",
            Self::Cancelled => workflow.status == "cancelled",
        }
    }
}

impl List {
    /// Answers with the list.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let whose = self.database.whose()?;
        let store = self.database.reader().await?;
        let open_only = !self.all && self.status.is_none();
        let mut workflows = match (self.status, &self.profile) {
            (None, None) => store.list_workflows(open_only, self.limit).await?,
            _ => store.list_workflows(open_only, u32::MAX).await?,
        };
        if let Some(profile) = &self.profile {
            workflows.retain(|workflow| workflow.definition == *profile);
            if workflows.is_empty() {
                known(&store, profile).await?;
            }
        }
        if let Some(only) = self.status {
            let mut taken = Vec::new();
            for workflow in workflows {
                let state = match only {
                    Only::Error => store.workflow(&workflow.id.as_str().into()).await?,
                    _ => None,
                };
                if only.takes(&workflow, state.as_ref().map(|stored| &stored.state)) {
                    taken.push(workflow);
                }
            }
            workflows = taken;
        }
        workflows.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        if let Whose::Projects(root) = &whose {
            for workflow in &mut workflows {
                forgotten(&store, root, workflow).await?;
            }
        }
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

/// Whether there is a definition of that name: of the program, or of a workflow that was ever started.
async fn known(store: &Store, profile: &str) -> Result<(), Refusal> {
    let mut names: Vec<String> = embedded_definitions()
        .map_err(Refusal::failed)?
        .into_iter()
        .map(|definition| definition.name)
        .collect();
    let all = store.list_workflows(false, u32::MAX).await?;
    names.extend(all.into_iter().map(|workflow| workflow.definition));
    names.sort();
    names.dedup();
    match names.iter().any(|name| name == profile) {
        true => Ok(()),
        false => Err(Refusal::failed(format!(
            "there is no definition {profile}; {}",
            instead(profile, names.iter().map(String::as_str))
        ))),
    }
}

/// A complete workflow of a project whose files were never written waits for that.
async fn forgotten(store: &Store, root: &Path, workflow: &mut WorkflowSummary) -> Result<(), Refusal> {
    if workflow.status != "completed" {
        return Ok(());
    }
    let id = WorkflowId::from(workflow.id.as_str());
    let (Some(kept), Some(stored)) = (store.kept(&id).await?, store.workflow(&id).await?) else {
        return Ok(());
    };
    let folder = Folder::new(root.to_owned(), stored.state.starter);
    if !folder.unwritten(&kept).is_empty() {
        workflow.waits_for = format!("countersign files {id}: its files are not written");
    }
    Ok(())
}

/// What a workflow is anchored to. In a project there is nothing but the project.
pub(super) fn subject(workflow: &WorkflowSummary) -> String {
    match workflow.repository.contains('/') {
        true => format!("{}#{}", workflow.repository, workflow.subject),
        false => workflow.repository.clone(),
    }
}

fn table(workflows: &[WorkflowSummary]) -> Table<6> {
    let mut table = Table::new(["ID", "STATUS", "DEFINITION", "SUBJECT", "CHANGED (UTC)", "WAITS FOR"]);
    for workflow in workflows {
        table.row([
            workflow.id.clone(),
            standing(workflow).to_owned(),
            workflow.definition.clone(),
            subject(workflow),
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
