//! `countersign runs [ID]`: what agents were asked, what was answered, and what it cost.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{Ink, Table, facts, harmless, moment};
use super::show::guidelines_of;
use crate::chat::say::guidelines::words;
use crate::chat::say::spending::amount;
use crate::store::Store;
use crate::store::calls::{Call, CallEnd, CountedBy, total};
use crate::store::runs::Listed;
use crate::workflow::ids::{Digest, WorkflowId};

/// Which runs.
#[derive(Debug, clap::Args)]
pub(super) struct Runs {
    /// A workflow's id for its runs, or a run's id for all of it: prompt, answer, every call
    id: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

impl Runs {
    /// Answers with the list, or with one run whole.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let Some(id) = self.id else {
            return list(&store, store.runs(self.limit).await?, "No agent has been asked yet.").await;
        };
        if let Some(run) = store.run(&id).await? {
            return one(&store, &run).await;
        }
        let workflow = WorkflowId::from(id.as_str());
        if store.workflow_summary(&workflow).await?.is_none() {
            return Err(Refusal::failed(format!(
                "there is no run and no workflow {id}: `countersign runs` shows the ids of runs"
            )));
        }
        let runs = store.runs_of(&workflow, self.limit).await?;
        list(&store, runs, "None of its agents has been asked yet.").await
    }
}

async fn list(store: &Store, runs: Vec<Listed>, none: &str) -> Result<Answer, Refusal> {
    let mut table = Table::new([
        "RUN",
        "WORKFLOW",
        "PHASE",
        "PROVIDER",
        "BEGAN (UTC)",
        "CALLS",
        "COST",
        "OUTCOME",
    ]);
    let mut rows = Vec::new();
    for listed in &runs {
        let calls = store.calls_of_run(&listed.run.id).await?;
        table.row([
            listed.run.id.clone(),
            listed.workflow.clone(),
            phase(listed),
            listed.run.provider.clone(),
            moment(listed.run.started_at),
            calls.len().to_string(),
            cost(&calls),
            harmless(&listed.run.outcome),
        ]);
        rows.push(json!({ "workflow": listed.workflow, "run": listed.run, "calls": calls }));
    }
    let page = match runs.is_empty() {
        true => format!("{none}\n"),
        false => table.page(Ink::of_stdout()),
    };
    Ok(Answer::new(json!({ "runs": rows }), page))
}

async fn one(store: &Store, listed: &Listed) -> Result<Answer, Refusal> {
    let calls = store.calls_of_run(&listed.run.id).await?;
    let run = &listed.run;
    let ink = Ink::of_stdout();
    let digest = |text: &str| Digest::of_bytes(text.as_bytes()).to_string();
    let mut about = vec![
        ("run", run.id.clone()),
        ("workflow", listed.workflow.clone()),
        ("phase", phase(listed)),
        ("agent", run.agent.clone()),
        ("provider", run.provider.clone()),
        ("began", format!("{} UTC", moment(run.started_at))),
        ("ended", format!("{} UTC", moment(run.ended_at))),
        ("outcome", harmless(&run.outcome)),
        ("cost", cost(&calls)),
        ("prompt", digest(&run.prompt)),
    ];
    about.extend(guidelines_of(run).map(|of| ("guidelines", words(&of))));
    if let Some(answer) = &run.answer {
        about.push(("answer", digest(answer)));
    }
    let mut page = facts(&about);
    if !calls.is_empty() {
        page.push('\n');
        page.push_str(&table(&calls).page(ink));
    }
    let mut part = |title: &str, text: &str| {
        page.push_str(&format!("\n{}\n{}\n", ink.heading(title), harmless_lines(text)));
    };
    part("Prompt", &run.prompt);
    for call in &calls {
        if !call.asked.is_empty() {
            part(&format!("Call {}: what was said then", call.number), &call.asked);
        }
        if let CallEnd::Answered(answered) = &call.end {
            part(&format!("Call {}: the answer", call.number), &answered.text);
        }
    }
    if let (true, Some(answer)) = (calls.is_empty(), &run.answer) {
        part("Answer", answer);
    }
    Ok(Answer::new(
        json!({ "workflow": listed.workflow, "run": run, "calls": calls }),
        page,
    ))
}

fn table(calls: &[Call]) -> Table<8> {
    let mut table = Table::new([
        "CALL",
        "ENDPOINT",
        "MODEL",
        "BEGAN (UTC)",
        "TOOK",
        "TOKENS",
        "COST",
        "END",
    ]);
    for call in calls {
        let (tokens, end) = match &call.end {
            CallEnd::Open => (String::new(), "under way".to_owned()),
            CallEnd::Lost => (String::new(), "lost: it may have been paid for".to_owned()),
            CallEnd::Failed(failed) => (String::new(), harmless(&failed.said)),
            CallEnd::Answered(answered) => {
                let by = match answered.counted_by {
                    CountedBy::Endpoint => "",
                    CountedBy::Us => ", counted by us",
                };
                let usage = answered.usage;
                (
                    format!("{} in ({} cached), {} out{by}", usage.input, usage.cached, usage.output),
                    "answered".to_owned(),
                )
            }
        };
        table.row([
            call.number.to_string(),
            format!("http:{}", call.endpoint),
            call.model.clone(),
            moment(call.started_at),
            call.took()
                .map(|took| format!("{:.1} s", took.as_secs_f64()))
                .unwrap_or_default(),
            tokens,
            amount(&call.spent, &call.currency),
            end,
        ]);
    }
    table
}

fn phase(listed: &Listed) -> String {
    let run = &listed.run;
    match (run.iteration, run.attempt) {
        (iteration, 0 | 1) => format!("{} {iteration}", run.phase),
        (iteration, attempt) => format!("{} {iteration}, attempt {attempt}", run.phase),
    }
}

fn cost(calls: &[Call]) -> String {
    match calls.last() {
        None => String::new(),
        Some(last) => amount(&total(calls), &last.currency),
    }
}

/// A text as a terminal may show it, its lines kept.
fn harmless_lines(text: &str) -> String {
    text.lines().map(harmless).collect::<Vec<_>>().join("\n")
}
