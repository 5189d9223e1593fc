//! `countersign verify [ID…]`: whether everything kept of workflows is as it was written.

use std::io::IsTerminal as _;

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{Ink, Table};
use super::status::unknown;
use crate::store::Store;
use crate::store::kept::{Finding, Kept};
use crate::workflow::event::Event;
use crate::workflow::ids::WorkflowId;

/// Which workflows.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Workflows' ids, as `list` shows them; without one, every workflow is verified
    ids: Vec<String>,
    #[command(flatten)]
    database: Database,
}

/// What was found of one workflow.
#[derive(Debug, Serialize)]
struct Verified {
    workflow: WorkflowId,
    events: usize,
    artifacts: usize,
    runs: usize,
    findings: Vec<Finding>,
}

impl Verify {
    /// Answers with what was verified; fails where anything was touched.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let ids = match self.ids.is_empty() {
            true => store.workflow_ids().await?,
            false => self.ids.into_iter().map(WorkflowId::from).collect(),
        };
        let mut verified = Vec::new();
        for id in ids {
            let kept = store.kept(&id).await?.ok_or_else(|| unknown(&id))?;
            verified.push(verify(&store, kept).await?);
        }
        let data = serde_json::json!({ "workflows": &verified });
        let touched: Vec<String> = verified
            .iter()
            .flat_map(|of| of.findings.iter().map(|finding| format!("{}: {finding}", of.workflow)))
            .collect();
        match touched.is_empty() {
            true => Ok(Answer::new(data, page(&verified))),
            false => Err(Refusal::failed_for(touched).with(data)),
        }
    }
}

/// What is not as it was written in a whole database. Somebody who waits at a terminal is told how far it is.
pub(super) async fn touched(store: &Store) -> Result<Vec<String>, Refusal> {
    let ids = store.workflow_ids().await?;
    let mut touched = Vec::new();
    for (done, id) in ids.iter().enumerate() {
        if done > 0 && done % 1_000 == 0 && std::io::stderr().is_terminal() {
            eprintln!("verified {done} of {} workflows", ids.len());
        }
        match store.kept(id).await {
            Ok(Some(kept)) => {
                let findings = verify(store, kept).await?.findings;
                touched.extend(findings.iter().map(|finding| format!("{id}: {finding}")));
            }
            Ok(None) => {}
            Err(error) => touched.push(format!("{id}: it cannot be read: {error}")),
        }
    }
    Ok(touched)
}

async fn verify(store: &Store, kept: Kept) -> Result<Verified, Refusal> {
    let mut findings = kept.findings();
    findings.extend(origin(store, &kept).await?);
    Ok(Verified {
        events: kept.records.len(),
        artifacts: kept.artifacts.len(),
        runs: kept.runs.len(),
        findings,
        workflow: kept.id,
    })
}

/// Whether a fork still cites what its origin's history says, where the origin is kept.
async fn origin(store: &Store, kept: &Kept) -> Result<Option<Finding>, Refusal> {
    let forked = kept.records.iter().find_map(|record| match record.read() {
        Ok(Event::Forked {
            origin, after, hash, ..
        }) => Some((record.seq, origin, after, hash)),
        _ => None,
    });
    let Some((seq, origin, after, hash)) = forked else {
        return Ok(None);
    };
    let records = store.records(&origin).await?;
    let cited = records.iter().find(|record| record.seq.cast_unsigned() == after);
    let holds = records.is_empty() || cited.is_some_and(|record| record.hash == hash.to_string());
    Ok((!holds).then(|| Finding {
        what: format!("event {seq}"),
        wrong: format!("it cites event {after} of {origin}, which has another hash there"),
    }))
}

fn page(verified: &[Verified]) -> String {
    if verified.is_empty() {
        return "There has been no workflow yet.\n".to_owned();
    }
    let mut table = Table::new(["WORKFLOW", "EVENTS", "ARTIFACTS", "RUNS"]);
    for of in verified {
        table.row([
            of.workflow.to_string(),
            of.events.to_string(),
            of.artifacts.to_string(),
            of.runs.to_string(),
        ]);
    }
    let heading = match verified.len() {
        1 => "The workflow is as it was written.".to_owned(),
        count => format!("All {count} workflows are as they were written."),
    };
    format!("{}\n{heading}\n", table.page(Ink::of_stdout()))
}
