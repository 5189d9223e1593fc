//! A walk as it is printed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Row, Walked};
use crate::cli::page::harmless;
use crate::workflow::plan::{CalledTo, Intent};
use crate::workflow::state::PhaseStatus;

/// A status as it is stored.
pub(in crate::cli::definitions) fn status_word(status: PhaseStatus) -> String {
    match json!(status) {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

/// One step.
pub(super) fn page(walked: &Walked) -> String {
    let mut page = format!("== {} [{}]\n", harmless(&walked.step), walked.status);
    if let Some(why) = &walked.refused {
        let _ = writeln!(page, "   refused: {}", harmless(why));
    }
    let width = |text: fn(&Row) -> String| {
        walked
            .phases
            .iter()
            .map(|row| text(row).len())
            .max()
            .unwrap_or_default()
    };
    let (names, states) = (width(|row| row.id.to_string()), width(|row| status_word(row.status)));
    for row in &walked.phases {
        let run = match (row.iteration, row.attempt) {
            (0, _) => String::new(),
            (iteration, 0 | 1) => format!("iteration {iteration}"),
            (iteration, attempt) => format!("iteration {iteration}, attempt {attempt}"),
        };
        let verdict = row.verdict.map(|verdict| format!(", {verdict}")).unwrap_or_default();
        let line = format!(
            "   {:names$}  {:states$}  {run}{verdict}",
            row.id.as_str(),
            status_word(row.status)
        );
        let _ = writeln!(page, "{}", line.trim_end());
    }
    if !walked.labels.is_empty() {
        let _ = writeln!(page, "   labels: {}", harmless(&walked.labels.join(", ")));
    }
    for intent in &walked.intents {
        let _ = writeln!(page, "   -> {}", intent_words(intent));
    }
    page.push('\n');
    page
}

fn intent_words(intent: &Intent) -> String {
    match intent {
        Intent::RunAgent {
            phase,
            iteration,
            attempt,
        } => format!("run the agent of {phase} (iteration {iteration}, attempt {attempt})"),
        Intent::Act { phase, key, .. } => format!("{phase} carries out {key}"),
        Intent::StartChild { phase, key, child } => format!("start the child {child} of {phase} for {key}"),
        Intent::TellChild { child } => format!("tell the child {child} how its parent stands"),
        Intent::TellParent => "tell the parent how it stands".to_owned(),
        Intent::Card => "write the card".to_owned(),
        Intent::Labels => "set the labels".to_owned(),
        Intent::Questions { phase } => format!("write the questions of {phase}"),
        Intent::CallPeople { phase, .. } => format!("call the people of the gate of {phase}"),
        Intent::DismissCall {
            phase,
            to: CalledTo::Gate,
        } => format!("take back the call of {phase}"),
        Intent::DismissCall {
            phase,
            to: CalledTo::Stop,
        } => format!("tidy away that {phase} stopped"),
        Intent::ExpireGate { phase, at, .. } => {
            format!(
                "set the timer of the gate of {phase} to {}",
                at.format("%Y-%m-%d %H:%M")
            )
        }
        Intent::Tell { notice } => {
            let notice = json!(notice);
            format!("tell people: {}", notice["notice"].as_str().unwrap_or_default())
        }
        Intent::AskApprover { phase, attempt, .. } => format!("ask the approver of {phase} (time {attempt})"),
        Intent::ReadChecks { phase, at, .. } => {
            format!("read the checks of {phase} at {}", at.format("%Y-%m-%d %H:%M"))
        }
        Intent::EndTimers { phase } => format!("drop the timers of the gate of {phase}"),
        Intent::CancelPlanned => "drop what was planned".to_owned(),
    }
}
