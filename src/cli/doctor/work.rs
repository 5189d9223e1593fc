//! What is open, for whom it waits and since when, and what does not go on by itself.

use chrono::{TimeDelta, Utc};

use super::findings::Findings;
use crate::cli::page::moment;
use crate::store::effects::{EffectSummary, Which};
use crate::store::workflows::WorkflowSummary;
use crate::store::{Store, StoreError};

const AREA: &str = "work";

/// How many of each kind are named.
const SHOWN: usize = 10;

/// How long what is due may lie before it is said that nobody takes it.
const SOON: TimeDelta = TimeDelta::minutes(1);

/// How long writes that were given up are worth a look, where no workflow waits for them.
const LATELY: TimeDelta = TimeDelta::days(7);

/// Looks at all of it.
pub(super) async fn look(store: &Store, findings: &mut Findings) -> Result<(), StoreError> {
    let open = store.list_workflows(true, u32::MAX).await?;
    workflows(store, &open, findings).await?;
    deliveries(store, findings).await?;
    effects(store, &open, findings).await?;
    queues(store, findings).await
}

async fn workflows(store: &Store, open: &[WorkflowSummary], findings: &mut Findings) -> Result<(), StoreError> {
    findings.fine(AREA, format!("open workflows: {}", open.len()));
    for workflow in open.iter().take(SHOWN) {
        let waits = match (workflow.held, workflow.waits_for.as_str()) {
            (true, _) => "is held".to_owned(),
            (false, "") => "goes on by itself".to_owned(),
            (false, waits) => format!("waits for {waits}"),
        };
        let since = moment(workflow.updated_at);
        findings.fine_then(
            AREA,
            format!(
                "{} ({} on {}#{}) {waits}, since {since} UTC",
                workflow.id, workflow.definition, workflow.repository, workflow.subject
            ),
            format!("`countersign status {}` says more", workflow.id),
        );
    }
    if open.len() > SHOWN {
        findings.fine_then(
            AREA,
            format!("and {} more", open.len() - SHOWN),
            "`countersign list` names them",
        );
    }
    for id in store.stuck_workflows().await? {
        findings.wrong(
            AREA,
            format!("{id} is open and nothing is due, no timer runs and nobody is waited for"),
            "that is a mistake of this program: keep `countersign export` of it and report it; `/retry` or `/cancel` ends it",
        );
    }
    Ok(())
}

async fn deliveries(store: &Store, findings: &mut Findings) -> Result<(), StoreError> {
    let given_up = store.deliveries_given_up(u32::MAX).await?;
    for delivery in given_up.iter().take(SHOWN) {
        findings.doubtful(
            AREA,
            format!(
                "the delivery {} ({}, {} UTC) was given up: {}",
                delivery.id,
                delivery.event,
                moment(delivery.received_at),
                delivery.outcome.as_deref().unwrap_or("no reason kept")
            ),
            format!("`countersign deliveries retry {}` tries it again", delivery.id),
        );
    }
    if given_up.len() > SHOWN {
        findings.doubtful(
            AREA,
            format!("{} more deliveries were given up", given_up.len() - SHOWN),
            "`countersign deliveries --open` names them, `deliveries retry --all` tries all again",
        );
    }
    Ok(())
}

/// Writes that were given up: those of open workflows, and the others for a week.
async fn effects(store: &Store, open: &[WorkflowSummary], findings: &mut Findings) -> Result<(), StoreError> {
    let lately = Utc::now() - LATELY;
    let matters = |effect: &EffectSummary| {
        let of_open = open
            .iter()
            .any(|workflow| Some(&workflow.id) == effect.workflow.as_ref());
        of_open || effect.ended_at.is_some_and(|ended| ended > lately)
    };
    let failed = store.effects(Which::Failed, u32::MAX).await?;
    let failed: Vec<_> = failed.into_iter().filter(matters).collect();
    for effect in failed.iter().take(SHOWN) {
        let then = match effect.is_the_workflows() {
            true => "`/retry` on the workflow's issue, by somebody with the right to".to_owned(),
            false => format!("`countersign effects retry '{}'` tries it again", effect.id),
        };
        findings.doubtful(
            AREA,
            format!(
                "the write {} ({}) was given up: {}",
                effect.id,
                effect.kind,
                effect.last_error.as_deref().unwrap_or("no reason kept")
            ),
            then,
        );
    }
    if failed.len() > SHOWN {
        findings.doubtful(
            AREA,
            format!("{} more writes were given up", failed.len() - SHOWN),
            "`countersign effects --failed` names them",
        );
    }
    Ok(())
}

async fn queues(store: &Store, findings: &mut Findings) -> Result<(), StoreError> {
    for (queue, depth, oldest) in store.queues().await? {
        if let Some(oldest) = oldest {
            let age = (Utc::now() - oldest).num_seconds().max(0);
            findings.fine(AREA, format!("{depth} {queue} wait, the oldest for {age} s"));
        }
    }
    let (untaken, since) = store.untaken(Utc::now() - SOON).await?;
    if untaken > 0 {
        let since = since.map(|since| format!(" since {} UTC", moment(since)));
        findings.doubtful(
            AREA,
            format!(
                "pieces of work that are due{} and that nobody takes: {untaken}",
                since.unwrap_or_default()
            ),
            "start `countersign serve`; if one runs, its log says what keeps it",
        );
    }
    Ok(())
}
