//! `/explain`: what happened and what came of it.

use std::collections::BTreeSet;

use super::change::Payload;
use super::commands::{Settled, Spoken, reply_id};
use super::deliveries::key_of_comment;
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::verbs;
use crate::config::{Origin, Setter};
use crate::github::{Comment, EventKind, Parsed, parse};
use crate::store::deliveries::DeliverySummary;
use crate::workflow::ids::RepositoryId;

/// How many deliveries an explanation looks back.
const LOOKED_BACK: u32 = 100;

impl Engine {
    /// `/explain`: what happened here lately and what came of it, or what came of one comment.
    pub(super) async fn explain(&self, spoken: &Spoken<'_>, about: Option<u64>) -> Result<Settled, Trouble> {
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        let last = self.store().workflows_of(repository, number).await?.pop();
        let deliveries = self.store().deliveries_about(repository, number, LOOKED_BACK).await?;
        let state = last.as_ref().map(|stored| &stored.state);
        // What the record has is not told twice.
        let recorded = match state.filter(|_| about.is_none()) {
            Some(state) => self.store().records(&state.id).await?,
            None => Vec::new(),
        };
        let recorded: BTreeSet<&str> = recorded.iter().map(|record| record.cause.as_str()).collect();
        let mut told = Vec::new();
        for delivery in deliveries {
            if delivery.id == spoken.delivery.id.as_str() {
                continue;
            }
            let Some((_, body)) = self.store().delivery(&delivery.id.as_str().into()).await? else {
                continue;
            };
            let mut told_of = ToldOf::read(delivery, &body);
            if told_of.matters(about) {
                told_of.acts = self.acts_of(repository, &told_of).await?;
                told_of.without(&recorded);
                told.push(told_of);
            }
        }
        let mut happenings: Vec<say::Happening<'_>> = told.iter().flat_map(ToldOf::happenings).collect();
        if let Some(state) = state
            && about.is_none()
        {
            happenings.extend(state.record.iter().map(say::Happening::Recorded));
        }
        happenings.sort_by_key(|happening| std::cmp::Reverse(happening.at()));
        // Of one comment the gate is told where it was refused.
        let tells_gate = about.is_none() || happenings.iter().any(say::Happening::is_refusal);
        let tree = match state.filter(|_| tells_gate) {
            Some(state) => self.tree(&spoken.repo, state).await?,
            None => None,
        };
        let mut said = match about {
            Some(_) => say::explain_comment(state, &happenings, tree.as_ref()),
            None => say::explain(state, &happenings, tree.as_ref()),
        };
        let settings = &spoken.settings;
        if about.is_none() && (settings.policy.is_some() || settings.owner.is_some()) {
            let owner = settings
                .owner
                .as_ref()
                .map(|owner| owner.name.as_str())
                .unwrap_or_default();
            let origins: Vec<say::Setting<'_>> = settings.origins.iter().map(|of| setting(of, owner)).collect();
            said = format!("{said}\n\n{}", say::settings(&origins));
        }
        Ok(Settled::Answered(vec![said]))
    }

    /// What was asked for in a comment, with what each refusal said. Of all else the delivery tells the last thing alone.
    async fn acts_of(&self, repository: RepositoryId, told: &ToldOf) -> Result<Vec<Act>, Trouble> {
        let (What::Comment, Some(comment)) = (&told.what, &told.comment) else {
            return Ok(told
                .summary
                .outcome
                .as_deref()
                .and_then(Act::read)
                .into_iter()
                .collect());
        };
        let key = key_of_comment(repository, comment.kind, comment.id);
        let mut acts = Vec::new();
        for (key, outcome) in self.store().acted_on_within(&key).await? {
            let Some(mut act) = Act::read(&outcome) else { continue };
            if act.end == End::Refused {
                act.said = self.replied(&key).await?;
            }
            acts.push(act);
        }
        Ok(acts)
    }

    /// The first comment in which something was answered, where it is kept.
    async fn replied(&self, key: &str) -> Result<Option<String>, Trouble> {
        let payload = self.store().payload_of(&reply_id(key, 0)).await?;
        let payload = payload.and_then(|payload| serde_json::from_str(&payload).ok());
        Ok(match payload {
            Some(Payload::Reply { body, .. }) => Some(body),
            _ => None,
        })
    }
}

fn setting<'a>(origin: &'a Origin, owner: &'a str) -> say::Setting<'a> {
    let by = |by: &Setter| match by {
        Setter::Server => say::SetBy::Server,
        Setter::Owner => say::SetBy::Owner(owner),
        Setter::Repository => say::SetBy::Repository,
    };
    say::Setting {
        key: &origin.key,
        value: &origin.value,
        by: origin.by.iter().map(by).collect(),
        without_effect: origin.without_effect.as_deref(),
    }
}

/// What GitHub told, as far as somebody may want it explained.
struct ToldOf {
    summary: DeliverySummary,
    what: What,
    by: Option<String>,
    comment: Option<Comment>,
    acts: Vec<Act>,
}

enum What {
    Comment,
    Edit,
    Deletion,
    Label(String),
    Closing,
    Other,
}

/// One thing that a delivery asked for, and what came of it.
struct Act {
    verb: String,
    end: End,
    /// What it was refused with.
    said: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Answered,
    Refused,
}

impl Act {
    /// An act as its outcome tells it; nothing where that tells of none.
    fn read(outcome: &str) -> Option<Self> {
        let (verb, end) = outcome.split_once(": ")?;
        let end = match end {
            "done" => End::Done,
            "answered" => End::Answered,
            "refused" => End::Refused,
            _ => return None,
        };
        Some(Self {
            verb: verb.to_owned(),
            end,
            said: None,
        })
    }

    fn outcome(&self) -> say::Heard<'_> {
        match self.end {
            End::Done => say::Heard::Done,
            End::Answered => say::Heard::Answered,
            End::Refused => say::Heard::Refused(self.said.as_deref()),
        }
    }
}

impl ToldOf {
    fn read(summary: DeliverySummary, body: &[u8]) -> Self {
        let parsed = match parse(&summary.event, body) {
            Parsed::Event(event) => Some(*event),
            Parsed::Ignored(_) | Parsed::Broken(_) => None,
        };
        let by = parsed.as_ref().and_then(|event| event.sender.as_ref());
        let by = by.map(|sender| sender.login.clone());
        let (what, comment) = match parsed.map(|event| event.kind) {
            Some(EventKind::Comment(comment)) => (What::Comment, Some(comment)),
            Some(EventKind::CommentEdited { comment, .. }) => (What::Edit, Some(comment)),
            Some(EventKind::CommentDeleted { comment }) => (What::Deletion, Some(comment)),
            Some(EventKind::Labeled { label, .. }) => (What::Label(label), None),
            Some(EventKind::SubjectClosed { .. }) => (What::Closing, None),
            _ => (What::Other, None),
        };
        Self {
            acts: Vec::new(),
            summary,
            what,
            by,
            comment,
        }
    }

    /// Whether it belongs into an explanation: of one comment all of it, else what was asked of the bot or went wrong.
    fn matters(&self, about: Option<u64>) -> bool {
        if about.is_some() {
            return self.comment.as_ref().map(|comment| comment.id.0) == about;
        }
        let asked = self
            .summary
            .outcome
            .as_deref()
            .is_some_and(|outcome| outcome.contains(": "));
        asked || self.summary.state != "done"
    }

    /// Leaves out what was done and stands in a record.
    fn without(&mut self, recorded: &BTreeSet<&str>) {
        if recorded.contains(self.summary.id.as_str()) {
            self.acts.retain(|act| act.end != End::Done);
        }
    }

    fn happenings(&self) -> Vec<say::Happening<'_>> {
        let came = match (self.summary.state.as_str(), self.summary.outcome.as_deref()) {
            ("new" | "leased", _) => Some(say::Heard::Waiting),
            ("failed" | "dead", _) => Some(say::Heard::Failed(&self.summary.id)),
            (_, Some(outcome)) if Act::read(outcome).is_none() => Some(say::Heard::Nothing(outcome)),
            _ => None,
        };
        let came = came.into_iter().map(|came| (self.what(), came));
        let acts = self.acts.iter().map(|act| match verbs::by_name(&act.verb) {
            Some(verb) if self.comment.is_some() => (say::Told::Command(verb.name), act.outcome()),
            _ => (self.what(), act.outcome()),
        });
        acts.chain(came)
            .map(|(what, outcome)| say::Happening::Heard {
                at: self.summary.received_at,
                by: self.by.as_deref(),
                what,
                url: self.comment.as_ref().map(|comment| comment.html_url.as_str()),
                outcome,
            })
            .collect()
    }

    fn what(&self) -> say::Told<'_> {
        match &self.what {
            What::Comment => say::Told::Comment,
            What::Edit => say::Told::Edit,
            What::Deletion => say::Told::Deletion,
            What::Label(label) => say::Told::Label(label),
            What::Closing => say::Told::Closing,
            What::Other => say::Told::Other,
        }
    }
}
