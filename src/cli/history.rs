//! `countersign history ID`: all that happened in a workflow, and whether the chain of its events holds.

use super::answer::{Answer, Refusal};
use super::database::{Database, meant};
use super::page::{Ink, Table, moment};
use super::status::unknown;
use crate::chat::say::children::words as child_words;
use crate::chat::say::guidelines;
use crate::chat::say::why::why_words;
use crate::store::history::{Broken, StoredEvent, first_broken};
use crate::workflow::apply::{apply, begin};
use crate::workflow::event::Event;
use crate::workflow::ids::Digest;
use crate::workflow::judging::{CheckState, Decision};
use crate::workflow::repair::{Duplicate, Repair};
use crate::workflow::state::{ActOutcome, Approval, Ending, State};

/// Which workflow.
#[derive(Debug, clap::Args)]
pub(super) struct History {
    /// The workflow's id, as `list` shows it; left out, the one that is open, or the last
    id: Option<String>,
    #[command(flatten)]
    database: Database,
}

impl History {
    /// Answers with the events, oldest first.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let id = meant(&store, self.id, true).await?;
        let events = store.history(&id).await?;
        if events.is_empty() {
            return Err(unknown(&id));
        }
        let broken = first_broken(&events);
        let data = serde_json::json!({ "workflow": id, "events": events, "first_broken": broken.as_ref().map(|broken| broken.seq) });
        match broken {
            None => Ok(Answer::new(data, page(&events, Ink::of_stdout()))),
            Some(Broken { seq, wrong }) => Err(Refusal::failed(format!(
                "the history of {id} was changed outside of this program: event {seq}: {wrong} (--json shows the events \
                 as they are; `countersign verify {id}` tells more; restore a backup)"
            ))
            .with(data)),
        }
    }
}

fn page(events: &[StoredEvent], ink: Ink) -> String {
    let mut table = Table::new(["EVENT", "AT (UTC)", "WHAT", "BY", "DETAIL", "CAUSE"]);
    let mut state: Option<State> = None;
    for stored in events {
        match &mut state {
            None => state = begin(&stored.event, stored.at),
            Some(state) => apply(state, &stored.event, stored.at),
        }
        table.row([
            stored.seq.to_string(),
            moment(stored.at),
            stored.event.name().replace('_', " "),
            stored.event.actor().map(|by| by.login.clone()).unwrap_or_default(),
            detail(&stored.event) + &handed(&stored.event, state.as_ref()) + &guided(&stored.event),
            stored.cause.clone(),
        ]);
    }
    let count = events.len();
    format!(
        "{}\nThe chain of {count} events holds. It covers what happened, when and in which order; CAUSE is beside it.\n",
        table.page(ink)
    )
}

/// What a phase that begins is given by those before it.
fn handed(event: &Event, state: Option<&State>) -> String {
    let (Event::PhaseStarted { phase, .. }, Some(state)) = (event, state) else {
        return String::new();
    };
    let defined = state.definition.phase(phase);
    let handed = defined.into_iter().flat_map(|phase| state.handed(phase));
    let handed: Vec<String> = handed
        .map(|(from, digest)| format!("{from} {}", digest.short()))
        .collect();
    match handed.as_slice() {
        [] => String::new(),
        handed => format!(", given {}", handed.join(", ")),
    }
}

/// Which guidelines of the repository a prompt was made with.
fn guided(event: &Event) -> String {
    let of = event.guidelines();
    of.map(|of| format!(" (guidelines {})", guidelines::words(of)))
        .unwrap_or_default()
}

fn detail(event: &Event) -> String {
    match event {
        Event::Started {
            definition,
            subject,
            parent,
            ..
        } => match parent {
            Some(parent) => format!(
                "{} on #{}, a child of {} (#{}, {})",
                definition.name, subject.number, parent.workflow, parent.subject, parent.phase
            ),
            None => format!("{} on #{}", definition.name, subject.number),
        },
        Event::ChildrenStarted {
            phase,
            iteration,
            attempt,
            children,
        } => {
            let children: Vec<String> = children
                .values()
                .map(|child| format!("{} on #{}", child.workflow, child.issue))
                .collect();
            format!(
                "{phase}, iteration {iteration}, attempt {attempt}: {}",
                children.join(", ")
            )
        }
        Event::ChildChanged {
            phase,
            key,
            child,
            standing,
        } => format!("{phase} {key}: {child} {}", child_words(standing)),
        Event::PhaseStarted {
            phase,
            iteration,
            attempt,
        } => format!("{phase}, iteration {iteration}, attempt {attempt}"),
        Event::ActsStarted { phase }
        | Event::Unapproved { phase, .. }
        | Event::Retried { phase, .. }
        | Event::Reminded { phase } => phase.to_string(),
        Event::Proposed {
            phase, digest, change, ..
        } => match change {
            Some(change) => format!("{phase} {}: {}", digest.short(), change.as_str()),
            None => format!("{phase} {}", digest.short()),
        },
        Event::Asked {
            phase,
            digest,
            questions,
        } => format!("{phase} {}: {questions}", digest.short()),
        Event::Answered {
            phase, question, text, ..
        } => format!("{phase} {question}: {}", text.as_str()),
        Event::Skipped { phase, reason, .. } => format!("{phase}: {}", reason.as_str()),
        Event::Shown { phase, digest, .. } => format!("{phase} {}", digest.short()),
        Event::Voted { phase, approval } => format!("{phase} {}", of_what(approval)),
        Event::VoteWithdrawn { phase, of, .. } => format!("{phase}: that of {}", of.login),
        Event::VoteLost { phase, of, reason } => format!("{phase}: that of {}: {reason}", of.login),
        Event::Repaired { repair } => repair_words(repair),
        Event::DuplicateRepaired {
            duplicate,
            kept,
            removed,
        } => {
            let what = match duplicate {
                Duplicate::Comment => "comment",
                Duplicate::Issue => "issue",
            };
            let removed: Vec<String> = removed.iter().map(u64::to_string).collect();
            format!("{what} {kept} stays, {} removed", removed.join(", "))
        }
        Event::Approved {
            phase,
            approval,
            verdict,
            ..
        } => match verdict {
            Some(verdict) => format!("{phase} {}, counted as {verdict}", of_what(approval)),
            None => format!("{phase} {}", of_what(approval)),
        },
        Event::SentBack { phase, to } | Event::Escalated { phase, to } => format!("{phase} to {to}"),
        Event::ApproverAsked { phase, digest, attempt } => format!("{phase} {}, time {attempt}", digest.short()),
        Event::Ruled { phase, ruling } => format!(
            "{phase} {} by {}: {} (answer {}): {}",
            ruling.of.short(),
            ruling.by,
            match ruling.decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
            },
            ruling.answer.short(),
            ruling.feedback.as_str()
        ),
        Event::Checked { phase, digest, reading } => {
            let head = reading
                .head
                .as_deref()
                .map(|head| format!(" on {head}"))
                .unwrap_or_default();
            let checks = reading.host.iter().chain(&reading.commit);
            let checks: Vec<String> = checks
                .map(|check| {
                    let state = match &check.state {
                        CheckState::Success => "success",
                        CheckState::Pending => "pending",
                        CheckState::Other(found) => found,
                    };
                    format!("{} {state}", check.name)
                })
                .collect();
            format!("{phase} {}{head}: {}", digest.short(), checks.join(", "))
        }
        Event::Passed { phase, digest } => format!("{phase} {}", digest.short()),
        Event::ApprovalLost { phase, reason } => format!("{phase}: {reason}"),
        Event::Rejected { phase, reason, .. } => format!("{phase}: {}", reason.as_str()),
        Event::Revised { phase, text, .. } => format!("{phase}: {}", text.as_str()),
        Event::WaitsForHuman { phase, why, .. } | Event::Failed { phase, why } => {
            format!("{phase}: {}", why_words(why))
        }
        Event::ActEnded { phase, key, outcome } => format!("{phase} {key}: {}", outcome_words(outcome)),
        Event::PhaseCompleted { phase, ending } => match ending {
            Ending::Done => phase.to_string(),
            Ending::Nothing { reason } => format!("{phase}: {reason}"),
            Ending::NotConfigured { key } => format!("{phase}: {key} is not configured"),
        },
        Event::Held { reason, .. } | Event::Cancelled { reason, .. } => reason.as_str().to_owned(),
        Event::Forked { origin, after, .. } => format!("of {origin} after event {after}"),
        Event::Unheld { .. } | Event::Completed => String::new(),
    }
}

fn repair_words(repair: &Repair) -> String {
    match repair {
        Repair::Unheard {
            comments,
            labels,
            since,
        } => {
            let comments = comments.iter().map(|comment| format!("comment {comment}"));
            let labels = labels.iter().map(|label| format!("label {label}"));
            let all: Vec<String> = comments.chain(labels).collect();
            format!("never told, since {since}: {}", all.join(", "))
        }
        Repair::CardGone { comment } => format!("the card {comment} was gone"),
        Repair::CardChanged { comment, by, .. } => match by {
            Some(by) => format!("the card {comment} was changed by {by}"),
            None => format!("the card {comment} was changed"),
        },
        Repair::Labels { missing, stray } => {
            let missing = missing.iter().map(|name| format!("{name} was missing"));
            let stray = stray.iter().map(|name| format!("{name} was too many"));
            let all: Vec<String> = missing.chain(stray).collect();
            format!("labels: {}", all.join(", "))
        }
        Repair::Opened { fates } => {
            let all: Vec<String> = fates
                .iter()
                .map(|(issue, fate)| format!("#{issue} {}", fate.as_str()))
                .collect();
            all.join(", ")
        }
    }
}

fn outcome_words(outcome: &ActOutcome) -> String {
    match outcome {
        ActOutcome::LabelReady => "label ready".to_owned(),
        ActOutcome::IssueOpened { number, .. } => format!("opened #{number}"),
        ActOutcome::Linked => "linked".to_owned(),
        ActOutcome::NotLinked { reason } => format!("not linked: {reason}"),
        ActOutcome::Listed { url } => format!("listed at {url}"),
        ActOutcome::NotNeeded => "not needed".to_owned(),
        ActOutcome::Mailed { message_id, sent, .. } => format!("mailed {message_id}{}", digest_of(sent.as_ref())),
        ActOutcome::MailInDoubt {
            message_id,
            reason,
            sent,
        } => format!("mail in doubt {message_id}{}: {reason}", digest_of(sent.as_ref())),
    }
}

fn digest_of(sent: Option<&Digest>) -> String {
    sent.map(|digest| format!(" ({})", digest.short())).unwrap_or_default()
}

/// What somebody approved, and which variant they chose.
fn of_what(approval: &Approval) -> String {
    match approval.choice {
        Some(letter) => format!("{}, chose {letter}", approval.digest.short()),
        None => approval.digest.short(),
    }
}
