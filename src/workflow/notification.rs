//! What people and systems outside of GitHub may be told of a workflow: that something happened, by ids and states.
//! Nobody's words are among it, so that nothing has to be erased elsewhere and nothing of it can steer whoever reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::awaits::Awaits;
use super::event::Event;
use super::ids::{PhaseId, WorkflowId};
use super::plan::Intent;
use super::state::{ActOutcome, Entry, PhaseStatus, State, Status, Subject, Timestamp, What};
use super::why::WhyKind;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It began.
    Started,
    /// It began to wait for people: a gate opened, questions were asked, or a phase needs an answer. Told again when
    /// people are reminded.
    Waiting,
    /// People opened a gate.
    Approved,
    /// Somebody, or the expiry of a gate, said no.
    Rejected,
    /// It was held.
    Held,
    /// A hold was lifted.
    Unheld,
    /// A phase failed and does not go on by itself.
    Failed,
    /// Nobody knows whether a mail was sent, and it is not sent again.
    Doubt,
    /// It is open, nothing of it is due and nobody is waited for: a mistake of the program.
    Stuck,
    /// Every phase is complete.
    Completed,
    /// It was ended before that.
    Cancelled,
}

impl Kind {
    /// Every kind, in the order of a workflow's life.
    pub const ALL: [Self; 11] = [
        Self::Started,
        Self::Waiting,
        Self::Approved,
        Self::Rejected,
        Self::Held,
        Self::Unheld,
        Self::Failed,
        Self::Doubt,
        Self::Stuck,
        Self::Completed,
        Self::Cancelled,
    ];

    /// As configuration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Unheld => "unheld",
            Self::Failed => "failed",
            Self::Doubt => "doubt",
            Self::Stuck => "stuck",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a workflow stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It goes on.
    Open,
    /// It is open, and nothing is begun until its hold is lifted.
    Held,
    /// Every phase is complete.
    Completed,
    /// It was ended before that.
    Cancelled,
}

/// The phase that something happened to, as it stood then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseThen {
    /// Its name in the definition.
    #[schemars(with = "String")]
    pub id: PhaseId,
    /// Where it stands.
    pub status: PhaseStatus,
    /// Which iteration, from 1; 0 before it began.
    pub iteration: u32,
    /// The first twelve hex digits of the digest that is shown, was approved or was rejected: what `/approve` takes.
    pub digest: Option<String>,
    /// Why it waits for a person, or failed.
    pub why: Option<WhyKind>,
    /// How many times the people of its open gate were reminded.
    pub reminders: u32,
}

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Tells it from all others of its workflow; the same however often it is planned.
    pub key: String,
    /// What happened.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its definition's name.
    pub definition: String,
    /// What it is anchored to.
    pub subject: Subject,
    /// Where it stands.
    pub standing: Standing,
    /// The phase that it happened to, where it happened to one.
    pub phase: Option<PhaseThen>,
    /// What the workflow waits for; of a phase that waits, what that does.
    pub waits_for: Option<Awaits>,
}

/// What is to be told of events that led to `state`, in their order. Whom the bot calls to a gate in a comment
/// (`intents` holds that) is told here as well, and no more often: not for each change of what waits there.
pub fn notifications(state: &State, events: &[Event], intents: &[Intent], now: Timestamp) -> Vec<Notification> {
    let first = state.version + 1 - events.len() as u64;
    let of_events = (first..).zip(events).filter_map(|(seq, event)| {
        let (kind, phase) = told(event)?;
        let digest = match event {
            Event::Approved { approval, .. } => Some(approval.digest.short()),
            Event::Rejected { phase, .. } => state.at(phase).void.last().map(|digest| digest.short()),
            _ => None,
        };
        let mut told = notification(state, (kind, phase), seq.to_string(), now);
        if let (Some(phase), Some(digest)) = (&mut told.phase, digest) {
            phase.digest = Some(digest);
        }
        Some(told)
    });
    let reminds = |of: &PhaseId| {
        let mut events = (first..).zip(events);
        events.find_map(|(seq, event)| matches!(event, Event::Reminded { phase } if phase == of).then_some(seq))
    };
    let of_gates = intents.iter().filter_map(|intent| match intent {
        Intent::CallPeople { phase, .. } => {
            let key = match reminds(phase) {
                Some(seq) => seq.to_string(),
                None => opening(state, phase),
            };
            Some(notification(state, (Kind::Waiting, Some(phase)), key, now))
        }
        _ => None,
    });
    of_events.chain(of_gates).collect()
}

/// That a workflow stands still, once for each standing.
pub fn stuck(state: &State, now: Timestamp) -> Notification {
    notification(state, (Kind::Stuck, None), format!("stuck:{}", state.version), now)
}

/// What an event tells, and of which phase.
fn told(event: &Event) -> Option<(Kind, Option<&PhaseId>)> {
    Some(match event {
        Event::Started { .. } | Event::Forked { .. } => (Kind::Started, None),
        Event::Asked { phase, .. } | Event::WaitsForHuman { phase, .. } => (Kind::Waiting, Some(phase)),
        Event::Approved { phase, .. } => (Kind::Approved, Some(phase)),
        Event::Rejected { phase, .. } => (Kind::Rejected, Some(phase)),
        Event::Held { .. } => (Kind::Held, None),
        Event::Unheld { .. } => (Kind::Unheld, None),
        Event::Failed { phase, .. } => (Kind::Failed, Some(phase)),
        Event::ActEnded {
            phase,
            outcome: ActOutcome::MailInDoubt { .. },
            ..
        } => (Kind::Doubt, Some(phase)),
        Event::Completed => (Kind::Completed, None),
        Event::Cancelled { .. } => (Kind::Cancelled, None),
        _ => return None,
    })
}

fn notification(state: &State, (kind, phase): (Kind, Option<&PhaseId>), key: String, now: Timestamp) -> Notification {
    Notification {
        key,
        kind,
        at: now,
        workflow: state.id.clone(),
        definition: state.definition.name.clone(),
        subject: state.subject.clone(),
        standing: match (&state.status, &state.hold) {
            (Status::Open, None) => Standing::Open,
            (Status::Open, Some(_)) => Standing::Held,
            (Status::Completed, _) => Standing::Completed,
            (Status::Cancelled { .. }, _) => Standing::Cancelled,
        },
        phase: phase.map(|phase| then(state, phase)),
        waits_for: phase
            .and_then(|phase| state.awaits_at(phase))
            .or_else(|| state.awaits()),
    }
}

fn then(state: &State, phase: &PhaseId) -> PhaseThen {
    let at = state.at(phase);
    PhaseThen {
        id: phase.clone(),
        status: at.status,
        iteration: at.iteration,
        digest: at.pending.as_ref().map(|pending| pending.digest.short()),
        why: at.why.as_ref().map(super::why::Why::kind),
        reminders: at.reminders,
    }
}

/// Which opening of a phase's gate it is. People who change what waits there open nothing anew; a gate that is open again
/// after an approval was taken back, or after a hold, is another.
fn opening(state: &State, phase: &PhaseId) -> String {
    let reopens = |entry: &&Entry| match &entry.what {
        What::Unapproved(of) | What::ApprovalLost(of, _) | What::Responded(of, _) => of == phase,
        What::Unheld | What::Forked(..) => true,
        _ => false,
    };
    let (at, reopened) = (state.at(phase), state.record.iter().filter(reopens).count());
    let stage = match at.status {
        PhaseStatus::Draft => "prompt",
        _ => "response",
    };
    format!("gate:{phase}:{stage}:{}.{}.{reopened}", at.iteration, at.attempt)
}
