//! `countersign status ID`: how a workflow stands.

use std::collections::BTreeSet;

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::database::{Database, Whose, meant};
use super::list::{standing, subject};
use super::page::{Ink, Table, facts, moment};
use super::terminal::ruling;
use crate::chat::say::children::words as child_words;
use crate::chat::say::guidelines;
use crate::chat::say::spending::amount;
use crate::chat::say::why::why_words;
use crate::engine::Folder;
use crate::store::Store;
use crate::store::calls::{Call, CallEnd, total};
use crate::store::effects::EffectSummary;
use crate::store::workflows::WorkflowSummary;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::budget::Spend;
use crate::workflow::children::{Child, Parent};
use crate::workflow::definition::Phase;
use crate::workflow::guidelines::Guidelines;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::judging::Ruling;
use crate::workflow::labels::shown;
use crate::workflow::state::{Approval, Ending, PhaseState, PhaseStatus, State, Status as Standing, Timestamp, Why};

/// Which workflow.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// The workflow's id, as `list` shows it; left out, the one that is open, or the last
    id: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// A workflow as programs get it.
#[derive(Debug, Serialize)]
pub(super) struct Workflow<'a> {
    #[serde(flatten)]
    summary: &'a WorkflowSummary,
    starter: &'a str,
    card_url: Option<&'a str>,
    parent: Option<&'a Parent>,
    phases: Vec<PhaseRow<'a>>,
    children: Vec<&'a Child>,
    /// Those that mirror on the subject where it stands.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    labels: BTreeSet<&'a str>,
    effects: &'a [EffectSummary],
    models: Option<Models>,
    #[serde(flatten)]
    papers: Papers,
}

/// What is to be said of a workflow's files, where it lives in a project's folder.
#[derive(Debug, Default, Serialize)]
struct Papers {
    /// The one that waits for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Those that changed after they were approved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    /// Of a complete workflow, the files of the project that were approved and never written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unwritten: Vec<String>,
}

impl<'a> Workflow<'a> {
    /// How it stands by its state alone: without its card, what it has to do and what models took.
    pub(super) fn of_state(summary: &'a WorkflowSummary, state: &'a State) -> Self {
        Self {
            summary,
            starter: &state.starter.login,
            card_url: None,
            parent: state.parent.as_ref(),
            phases: phases(state),
            children: children(state),
            labels: shown(state),
            effects: &[],
            models: None,
            papers: Papers::default(),
        }
    }
}

#[derive(Debug, Serialize)]
struct PhaseRow<'a> {
    id: &'a str,
    title: &'a str,
    status: PhaseStatus,
    since: Timestamp,
    iteration: u32,
    attempt: u32,
    digest: Option<&'a Digest>,
    approval: Option<&'a Approval>,
    ending: Option<&'a Ending>,
    why: Option<&'a Why>,
    /// What an approval of the review that waits would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<ReviewVerdict>,
    /// What the gate's approver said of what waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruling: Option<&'a Ruling>,
    /// The guidelines of the repository that its prompt was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    guidelines: Option<&'a Guidelines>,
}

impl<'a> PhaseRow<'a> {
    fn new(phase: &'a Phase, state: &'a PhaseState) -> Self {
        let at_gate = state
            .pending
            .as_ref()
            .filter(|_| state.status == PhaseStatus::ReadyForReview);
        Self {
            id: phase.id.as_str(),
            title: &phase.title,
            status: state.status,
            since: state.since,
            iteration: state.iteration,
            attempt: state.attempt,
            digest: state.pending.as_ref().map(|pending| &pending.digest),
            approval: state.approval.as_ref(),
            ending: state.ending.as_ref(),
            why: state.why.as_ref(),
            verdict: at_gate.and_then(|pending| pending.verdict),
            ruling: at_gate.and_then(|pending| pending.judged.ruling.as_ref()),
            guidelines: state.guidelines.as_ref(),
        }
    }
}

impl Status {
    /// Answers with the workflow's standing.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let whose = self.database.whose()?;
        let store = self.database.reader().await?;
        let id = meant(&store, self.id, true).await?;
        let (Some(summary), Some(stored)) = (store.workflow_summary(&id).await?, store.workflow(&id).await?) else {
            return Err(unknown(&id));
        };
        let card = store.card(&id).await?;
        let effects = store.open_effects(&id).await?;
        let calls = store.calls_of_workflow(&id).await?;
        let workflow = Workflow {
            summary: &summary,
            starter: &stored.state.starter.login,
            card_url: card.as_ref().map(|card| card.url.as_str()),
            parent: stored.state.parent.as_ref(),
            phases: phases(&stored.state),
            children: children(&stored.state),
            labels: shown(&stored.state),
            effects: &effects,
            models: calls.last().map(|last| Models::of(&calls, last)),
            papers: papers(&store, &stored.state, &whose).await?,
        };
        let page = page(&workflow, Ink::of_stdout());
        Ok(Answer::new(&workflow, page))
    }
}

/// What models took, and what an open call may take.
#[derive(Debug, Serialize)]
struct Models {
    calls: usize,
    spent: Spend,
    under_way: Option<Spend>,
    currency: String,
}

impl Models {
    fn of(calls: &[Call], last: &Call) -> Self {
        Self {
            calls: calls.len(),
            spent: total(calls),
            under_way: (last.end == CallEnd::Open).then_some(last.reserved),
            currency: last.currency.clone(),
        }
    }

    fn words(&self) -> String {
        let spent = amount(&self.spent, &self.currency);
        match &self.under_way {
            Some(most) => format!("{spent}; a call under way may take {}", amount(most, &self.currency)),
            None => spent,
        }
    }
}

async fn papers(store: &Store, state: &State, whose: &Whose) -> Result<Papers, Refusal> {
    let Whose::Projects(root) = whose else {
        return Ok(Papers::default());
    };
    let Some(kept) = store.kept(&state.id).await? else {
        return Ok(Papers::default());
    };
    let folder = Folder::new(root.clone(), state.starter.clone());
    Ok(Papers {
        file: Folder::at_hand(state, &kept)?,
        changed: folder.changed_papers(state, &kept)?.map_err(Refusal::failed)?,
        unwritten: match state.status {
            Standing::Completed => folder.unwritten(&kept),
            Standing::Open | Standing::Cancelled { .. } => Vec::new(),
        },
    })
}

/// There is no such workflow.
pub(super) fn unknown(id: &WorkflowId) -> Refusal {
    Refusal::failed(format!(
        "there is no workflow {id}: `countersign list --all` shows their ids"
    ))
}

fn phases(state: &State) -> Vec<PhaseRow<'_>> {
    let phases = state.definition.phases.iter();
    phases.map(|phase| PhaseRow::new(phase, state.at(&phase.id))).collect()
}

/// The children of all phases, in the order of their issues.
fn children(state: &State) -> Vec<&Child> {
    let all = state.phases.values().flat_map(|phase| phase.children.values());
    let mut all: Vec<&Child> = all.collect();
    all.sort_by_key(|child| child.issue);
    all
}

/// As people read it.
pub(super) fn page(workflow: &Workflow<'_>, ink: Ink) -> String {
    let summary = workflow.summary;
    let started = format!("{} UTC by {}", moment(summary.started_at), workflow.starter);
    let mut about = vec![
        ("workflow", summary.id.clone()),
        ("definition", summary.definition.clone()),
        ("status", standing(summary).to_owned()),
        ("subject", subject(summary)),
        ("started", started),
        ("changed", format!("{} UTC", moment(summary.updated_at))),
    ];
    if let Some(parent) = workflow.parent {
        about.push((
            "parent",
            format!("{} on #{} ({})", parent.workflow, parent.subject, parent.phase),
        ));
    }
    if !summary.waits_for.is_empty() {
        about.push(("waits for", summary.waits_for.clone()));
    }
    if !workflow.labels.is_empty() {
        let labels: Vec<&str> = workflow.labels.iter().copied().collect();
        about.push(("labels", labels.join(", ")));
    }
    if let Some(file) = &workflow.papers.file {
        about.push(("file", file.clone()));
    }
    for path in &workflow.papers.changed {
        about.push(("changed", format!("{path}, after it was approved")));
    }
    if !workflow.papers.unwritten.is_empty() {
        let paths = workflow.papers.unwritten.join(", ");
        about.push((
            "not written",
            format!("{paths}: `countersign files {}` writes them", summary.id),
        ));
    }
    if let Some(url) = workflow.card_url {
        about.push(("card", url.to_owned()));
    }
    if let Some(models) = &workflow.models {
        about.push(("models", models.words()));
    }
    about.extend(guided(&workflow.phases).into_iter().map(|told| ("guidelines", told)));
    let mut table = Table::new(["PHASE", "STATUS", "SINCE (UTC)", "RUN", "DIGEST", "NOTE"]);
    for phase in &workflow.phases {
        table.row([
            phase.id.to_owned(),
            words(phase.status).to_owned(),
            moment(phase.since),
            run(phase),
            phase.digest.map(Digest::short).unwrap_or_default(),
            note(phase),
        ]);
    }
    let mut page = format!("{}\n{}", facts(&about), table.page(ink));
    if !workflow.children.is_empty() {
        let mut table = Table::new(["CHILD", "ISSUE", "TITLE", "STANDS"]);
        for child in &workflow.children {
            table.row([
                child.workflow.to_string(),
                format!("#{}", child.issue),
                child.title.clone(),
                child_words(&child.standing),
            ]);
        }
        page.push('\n');
        page.push_str(&table.page(ink));
    }
    if !workflow.effects.is_empty() {
        page.push('\n');
        page.push_str(&to_do(workflow.effects).page(ink));
    }
    page
}

/// Which guidelines of the repository prompts were made with, those of the same together.
fn guided(phases: &[PhaseRow<'_>]) -> Vec<String> {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for phase in phases {
        let Some(of) = phase.guidelines.map(guidelines::words) else {
            continue;
        };
        match told.iter_mut().find(|(known, _)| *known == of) {
            Some((_, phases)) => phases.push(phase.id),
            None => told.push((of, vec![phase.id])),
        }
    }
    let lines = told.into_iter();
    lines
        .map(|(of, phases)| format!("{of} ({})", phases.join(", ")))
        .collect()
}

/// What it has to do next, timers included, and why that has not been done yet.
fn to_do(effects: &[EffectSummary]) -> Table<4> {
    let mut table = Table::new(["TO DO", "NOT BEFORE (UTC)", "ATTEMPTS", "LAST TIME"]);
    for effect in effects {
        let doubt = if effect.doubt { "it may have been sent; " } else { "" };
        table.row([
            effect.kind.replace('_', " "),
            moment(effect.run_at),
            effect.attempt.to_string(),
            format!("{doubt}{}", effect.last_error.as_deref().unwrap_or_default()),
        ]);
    }
    table
}

/// A phase's status for a reader.
pub(super) fn words(status: PhaseStatus) -> &'static str {
    match status {
        PhaseStatus::Blocked => "blocked",
        PhaseStatus::Running => "running",
        PhaseStatus::WaitingForHuman => "waits for a person",
        PhaseStatus::Draft => "prompt ready",
        PhaseStatus::ReadyForReview => "ready for review",
        PhaseStatus::Approved => "approved",
        PhaseStatus::Rejected => "rejected",
        PhaseStatus::Error => "error",
        PhaseStatus::Completed => "completed",
    }
}

/// The iteration, and the attempt where it was not the first.
fn run(phase: &PhaseRow<'_>) -> String {
    match (phase.iteration, phase.attempt) {
        (0, _) => String::new(),
        (iteration, 0 | 1) => iteration.to_string(),
        (iteration, attempt) => format!("{iteration}, attempt {attempt}"),
    }
}

fn note(phase: &PhaseRow<'_>) -> String {
    let mut parts = Vec::new();
    parts.extend(phase.why.map(why_words));
    match phase.ending {
        Some(Ending::Nothing { reason }) => parts.push(reason.clone()),
        Some(Ending::NotConfigured { key }) => parts.push(format!("{key} is not configured")),
        Some(Ending::Done) | None => {}
    }
    parts.extend(phase.verdict.map(|verdict| format!("verdict {verdict}")));
    parts.extend(phase.ruling.map(ruling));
    if let Some(approval) = phase.approval {
        parts.push(format!("approved by {}", approval.by.login));
    }
    parts.join("; ")
}
