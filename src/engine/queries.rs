//! Questions that change nothing: how it stands, who may, why.

use super::commands::{Settled, Spoken};
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::say::view::GateView;
use crate::chat::verbs::VERBS;
use crate::config::{Origin, Setter};
use crate::github::{EventKind, Parsed, parse};
use crate::store::deliveries::DeliverySummary;
use crate::workflow::state::State;

/// How many deliveries an explanation looks back.
const LOOKED_BACK: u32 = 100;

impl Engine {
    /// `/status`: how it stands. Then the workflow is compared with GitHub, and what differs is mended.
    pub(super) async fn status(&self, spoken: &Spoken<'_>) -> Result<Settled, Trouble> {
        let Some(stored) = self
            .store()
            .open_workflow(spoken.spot.repository, spoken.subject.number)
            .await?
        else {
            return Ok(match self.nothing_open(spoken).await? {
                Settled::Refused(text, _) => Settled::Answered(vec![text]),
                other => other,
            });
        };
        self.reconcile_soon(&stored).await?;
        let full_name = format!("{}/{}", spoken.known.owner, spoken.known.name);
        let parts = self.card_parts(&spoken.repo, &stored).await?;
        let url = self.card_url(spoken, &stored.state.id).await?;
        Ok(Settled::Answered(vec![say::status(
            &parts.view(&stored.state, &full_name),
            &url,
        )]))
    }

    /// `/who`: what each verb needs, and who can decide now.
    pub(super) async fn who(&self, spoken: &Spoken<'_>) -> Result<Settled, Trouble> {
        let stored = self
            .store()
            .open_workflow(spoken.spot.repository, spoken.subject.number)
            .await?;
        let state = stored.as_ref().map(|stored| &stored.state);
        let gate = match state {
            Some(state) => self.gate_for(spoken, state).await,
            None => None,
        };
        let verbs: Vec<_> = VERBS
            .iter()
            .map(|verb| (verb.name, spoken.dialect.requirement(verb)))
            .collect();
        let tree = match &stored {
            Some(stored) => self.tree(&spoken.repo, &stored.state).await?,
            None => None,
        };
        Ok(Settled::Answered(vec![say::who(
            &verbs,
            state,
            gate.as_ref(),
            tree.as_ref(),
        )]))
    }

    /// How far the open gate is, for somebody who asks; nothing where none is open or GitHub does not answer.
    pub(super) async fn gate_for(&self, spoken: &Spoken<'_>, state: &State) -> Option<GateView> {
        let (phase, gate, _) = state.open_gate().filter(|_| state.is_open())?;
        let least = spoken.approvers();
        let view = self.gate_view(&spoken.repo, state, (phase, gate), (None, least));
        view.await.ok()
    }

    /// `/explain`: what happened here lately and what came of it, or what came of one comment.
    pub(super) async fn explain(&self, spoken: &Spoken<'_>, about: Option<u64>) -> Result<Settled, Trouble> {
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        let last = self.store().workflows_of(repository, number).await?.pop();
        let deliveries = self.store().deliveries_about(repository, number, LOOKED_BACK).await?;
        let mut told = Vec::new();
        for delivery in deliveries {
            if delivery.id == spoken.delivery.id.as_str() {
                continue;
            }
            if let Some((_, body)) = self.store().delivery(&delivery.id.as_str().into()).await? {
                let told_of = ToldOf::read(delivery, &body);
                if told_of.matters(about) {
                    told.push(told_of);
                }
            }
        }
        let mut happenings: Vec<say::Happening<'_>> = told.iter().map(ToldOf::happening).collect();
        let state = last.as_ref().map(|stored| &stored.state);
        if let Some(state) = state
            && about.is_none()
        {
            happenings.extend(state.record.iter().map(say::Happening::Recorded));
        }
        happenings.sort_by_key(|happening| std::cmp::Reverse(happening.at()));
        let tree = match state {
            Some(state) if about.is_none() => self.tree(&spoken.repo, state).await?,
            _ => None,
        };
        let mut said = say::explain(state, &happenings, tree.as_ref());
        let settings = &spoken.settings;
        if let Some(above) = settings.above.as_ref().filter(|_| about.is_none()) {
            let origins: Vec<say::Setting<'_>> = settings.origins.iter().map(setting).collect();
            said = format!("{said}\n\n{}", say::settings(&above.name, &origins));
        }
        Ok(Settled::Answered(vec![said]))
    }
}

fn setting(origin: &Origin) -> say::Setting<'_> {
    say::Setting {
        key: &origin.key,
        value: &origin.value,
        by: match origin.by {
            Setter::Owner => say::SetBy::Owner,
            Setter::Repository => say::SetBy::Repository,
            Setter::Both => say::SetBy::Both,
        },
        without_effect: origin.without_effect.as_deref(),
    }
}

/// What GitHub told, as far as somebody may want it explained.
struct ToldOf {
    summary: DeliverySummary,
    event: String,
    by: Option<String>,
    comment: Option<(u64, String)>,
}

impl ToldOf {
    fn read(summary: DeliverySummary, body: &[u8]) -> Self {
        let parsed = match parse(&summary.event, body) {
            Parsed::Event(event) => Some(event),
            Parsed::Ignored(_) | Parsed::Broken(_) => None,
        };
        let comment = parsed.as_ref().and_then(|event| match &event.kind {
            EventKind::Comment(comment)
            | EventKind::CommentEdited { comment, .. }
            | EventKind::CommentDeleted { comment } => Some((comment.id.0, comment.html_url.clone())),
            _ => None,
        });
        Self {
            event: match &summary.action {
                Some(action) => format!("{}.{action}", summary.event),
                None => summary.event.clone(),
            },
            by: parsed.and_then(|event| event.sender).map(|sender| sender.login),
            comment,
            summary,
        }
    }

    /// Whether it belongs into an explanation: of one comment all of it, else what was asked of the bot or went wrong.
    fn matters(&self, about: Option<u64>) -> bool {
        if about.is_some() {
            return self.comment.as_ref().map(|(id, _)| *id) == about;
        }
        let asked = self
            .summary
            .outcome
            .as_deref()
            .is_some_and(|outcome| outcome.contains(": "));
        asked || self.summary.state != "done"
    }

    fn happening(&self) -> say::Happening<'_> {
        let outcome = match (self.summary.state.as_str(), self.summary.outcome.as_deref()) {
            ("new" | "leased", _) => say::Heard::Waiting,
            ("failed" | "dead", _) => say::Heard::Failed(&self.summary.id),
            (_, Some(outcome)) if !outcome.ends_with(": done") => say::Heard::Nothing(outcome),
            _ => say::Heard::Acted,
        };
        say::Happening::Heard {
            at: self.summary.received_at,
            by: self.by.as_deref(),
            event: &self.event,
            url: self.comment.as_ref().map(|(_, url)| url.as_str()),
            outcome,
        }
    }
}
