//! `countersign show WORKFLOW DIGEST`: what was proposed, asked, answered or mailed, whole.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{facts, harmless, moment};
use super::status::unknown;
use crate::agents::Inputs;
use crate::chat::say::guidelines::words;
use crate::store::history::StoredEvent;
use crate::store::kept::{Artifact, GateRecord, KeptRun};
use crate::store::mails::KeptMail;
use crate::store::runs::Run;
use crate::workflow::event::Event;
use crate::workflow::guidelines::Guidelines;
use crate::workflow::ids::WorkflowId;
use crate::workflow::state::{Approval, Maker, Surface};

/// The fewest digits that a digest may be named by.
const FEWEST: usize = 4;

/// Which artifact.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The workflow's id, as `list` shows it
    id: String,
    /// The digest of a proposal, of a prompt, of an answer or of a mail as it was sent, or its first digits
    digest: String,
    #[command(flatten)]
    database: Database,
}

/// What a digest can name.
enum Named<'a> {
    Proposal(&'a Artifact),
    Prompt(&'a KeptRun),
    Answer(&'a KeptRun),
    Mail(&'a KeptMail),
}

impl Show {
    /// Answers with the artifact and what is known of it.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let id = WorkflowId::from(self.id);
        if store.workflow_summary(&id).await?.is_none() {
            return Err(unknown(&id));
        }
        let artifacts = store.artifacts_of(&id).await?;
        let runs = store.kept_runs_of(&id).await?;
        let mails = store.mails_of(&id).await?;
        let all = artifacts
            .iter()
            .map(|artifact| (artifact.digest.as_str(), Named::Proposal(artifact)))
            .chain(runs.iter().map(|run| (run.prompt_digest.as_str(), Named::Prompt(run))))
            .chain(
                runs.iter()
                    .filter_map(|run| Some((run.answer_digest.as_deref()?, Named::Answer(run)))),
            )
            .chain(mails.iter().map(|mail| (mail.digest.as_str(), Named::Mail(mail))));
        let named = named(&id, &self.digest, all.collect())?;
        Ok(match named {
            Named::Proposal(artifact) => {
                let history = store.history(&id).await?;
                let gates = store.gates_of(&id).await?;
                proposal(&id, artifact, &history, &gates)
            }
            Named::Mail(kept) => mail(&id, kept),
            Named::Prompt(run) => text(&id, run, "prompt", &run.prompt_digest, &run.run.prompt),
            Named::Answer(run) => {
                let digest = run.answer_digest.as_deref().unwrap_or_default();
                text(
                    &id,
                    run,
                    "answer",
                    digest,
                    run.run.answer.as_deref().unwrap_or_default(),
                )
            }
        })
    }
}

/// The one thing that a digest, or its first digits, names. The same text twice is one thing.
fn named<T>(id: &WorkflowId, given: &str, all: Vec<(&str, T)>) -> Result<T, Refusal> {
    let prefix = given.to_ascii_lowercase();
    if prefix.len() < FEWEST || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::usage(format!(
            "{given} is no digest: give its hex digits, at least the first {FEWEST}"
        )));
    }
    let mut found = all.into_iter().filter(|(digest, _)| digest.starts_with(&prefix));
    let Some((first, named)) = found.next() else {
        return Err(Refusal::failed(format!(
            "{id} has no artifact, prompt, answer or mail {given}: `countersign history {id}` and `countersign runs {id}` \
             name those that there are"
        )));
    };
    let mut others: Vec<&str> = found
        .map(|(digest, _)| digest)
        .filter(|digest| *digest != first)
        .collect();
    others.dedup();
    match others.is_empty() {
        true => Ok(named),
        false => Err(Refusal::failed(format!(
            "{given} is the beginning of several: {first}, {}. Give more digits",
            others.join(", ")
        ))),
    }
}

fn proposal(id: &WorkflowId, artifact: &Artifact, history: &[StoredEvent], gates: &[GateRecord]) -> Answer {
    let of = |digest: &crate::workflow::ids::Digest| digest.to_string() == artifact.digest;
    let made = history.iter().find_map(|stored| match &stored.event {
        Event::Proposed {
            phase,
            digest,
            by,
            change,
            guidelines,
            ..
        } if of(digest) => Some((stored, phase, by, change, guidelines)),
        _ => None,
    });
    let shown = history.iter().find_map(|stored| match &stored.event {
        Event::Shown { digest, at, .. } if of(digest) => Some(*at),
        _ => None,
    });
    let approvals: Vec<&Approval> = history
        .iter()
        .filter_map(|stored| match &stored.event {
            Event::Approved { approval, .. } if of(&approval.digest) => Some(approval),
            _ => None,
        })
        .collect();
    let gates: Vec<&GateRecord> = gates.iter().filter(|gate| gate.digest == artifact.digest).collect();
    let mut about = vec![("artifact", artifact.digest.clone()), ("workflow", id.to_string())];
    if let Some((stored, phase, by, change, guidelines)) = made {
        about.push(("phase", phase.to_string()));
        let by = match by {
            Maker::Agent { provider } => format!("the agent, through {provider}"),
            Maker::Person(person) => person.login.clone(),
        };
        about.push(("made by", by));
        if let Some(change) = change {
            about.push(("change", change.as_str().to_owned()));
        }
        about.extend(guidelines.iter().map(|of| ("guidelines", words(of))));
        about.push(("made", format!("{} UTC, event {}", moment(stored.at), stored.seq)));
    }
    if let Some(at) = shown {
        about.push(("shown", format!("{} UTC", moment(at))));
    }
    for gate in &gates {
        let answer = match (&gate.answer, gate.answered_at) {
            (Some(answer), Some(at)) => format!(", {answer} {} UTC", moment(at)),
            _ => ", not answered".to_owned(),
        };
        let opened = moment(gate.opened_at);
        about.push((
            "gate",
            format!("{} {}, opened {opened} UTC{answer}", gate.phase, gate.iteration),
        ));
    }
    for approval in &approvals {
        about.push(("approved", approved(approval)));
    }
    let data = json!({
        "workflow": id,
        "kind": "proposal",
        "digest": artifact.digest,
        "made_by": made.map(|(_, _, by, ..)| by),
        "guidelines": made.and_then(|(.., guidelines)| guidelines.as_ref()),
        "event": made.map(|(stored, ..)| stored.seq),
        "at": artifact.at,
        "shown_at": shown,
        "gates": gates,
        "approvals": approvals,
        "proposal": artifact.body,
        "beside": artifact.beside,
    });
    let mut page = format!("{}\n{}\n", facts(&about), pretty(&artifact.body));
    if !is_empty(&artifact.beside) {
        page.push_str(&format!("\nShown beside it:\n{}\n", pretty(&artifact.beside)));
    }
    Answer::new(data, page)
}

/// The guidelines that a run's prompt was made with.
pub(super) fn guidelines_of(run: &Run) -> Option<Guidelines> {
    let inputs: Inputs = serde_json::from_str(&run.inputs).ok()?;
    Some(inputs.guide()?.of.clone())
}

fn approved(approval: &Approval) -> String {
    let how = match &approval.surface {
        Surface::Comment { url, .. } => format!(" in {url}"),
        Surface::Label { name, .. } => format!(" by the label {name}"),
        Surface::Box => " by a box on the card".to_owned(),
        Surface::Terminal => " in a terminal".to_owned(),
        Surface::System => String::new(),
    };
    let (by, right) = (&approval.by.login, approval.right);
    format!("{} UTC by {by} ({right}){how}", moment(approval.at))
}

fn text(id: &WorkflowId, kept: &KeptRun, kind: &str, digest: &str, text: &str) -> Answer {
    let run = &kept.run;
    let mut about = vec![
        (kind, digest.to_owned()),
        ("workflow", id.to_string()),
        ("run", run.id.clone()),
        (
            "phase",
            format!("{} {}, attempt {}", run.phase, run.iteration, run.attempt),
        ),
        ("agent", format!("{}, through {}", run.agent, run.provider)),
        ("began", format!("{} UTC", moment(run.started_at))),
    ];
    if let Some(person) = run.answered_by {
        about.push(("answered by", format!("the account {person}")));
    }
    let guidelines = guidelines_of(run);
    about.extend(guidelines.iter().map(|of| ("guidelines", words(of))));
    let shown: Vec<String> = text.lines().map(harmless).collect();
    let data = json!({
        "workflow": id,
        "kind": kind,
        "digest": digest,
        "run": run.id,
        "phase": run.phase,
        "iteration": run.iteration,
        "attempt": run.attempt,
        "agent": run.agent,
        "provider": run.provider,
        "answered_by": run.answered_by,
        "guidelines": guidelines,
        "at": run.started_at,
        "text": text,
    });
    Answer::new(data, format!("{}\n{}\n", facts(&about), shown.join("\n")))
}

/// The mail as it went out, or may have; the history says which.
fn mail(id: &WorkflowId, kept: &KeptMail) -> Answer {
    let about = [
        ("mail", kept.digest.clone()),
        ("workflow", id.to_string()),
        ("message", kept.message_id.clone()),
        ("written", format!("{} UTC", moment(kept.at))),
    ];
    let text = String::from_utf8_lossy(&kept.raw);
    let data = json!({
        "workflow": id,
        "kind": "mail",
        "digest": kept.digest,
        "message_id": kept.message_id,
        "at": kept.at,
        "text": text,
    });
    let shown: Vec<String> = text.lines().map(harmless).collect();
    Answer::new(data, format!("{}\n{}\n", facts(&about), shown.join("\n")))
}

fn pretty(value: &Value) -> String {
    let lines = format!("{value:#}");
    lines.lines().map(harmless).collect::<Vec<_>>().join("\n")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_begin_several_digests_name_none_and_all_are_told() {
        let id = WorkflowId::from("w1");
        let all = || vec![("abcd11", 1), ("abcd22", 2), ("ef0011", 3), ("ef0011", 4)];
        let refusal = format!("{:?}", named(&id, "abcd", all()).unwrap_err());
        assert!(refusal.contains("abcd11, abcd22"), "{refusal}");
        assert_eq!(named(&id, "ABCD2", all()).unwrap(), 2);
        assert_eq!(named(&id, "ef0011", all()).unwrap(), 3);
        assert!(named(&id, "abc", all()).is_err());
        assert!(named(&id, "zzzz", all()).is_err());
        assert!(named(&id, "1234", all()).is_err());
    }
}
