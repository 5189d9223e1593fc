//! Questions that change nothing: how it stands, who may, why.

use super::commands::{Settled, Spoken};
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::verbs::VERBS;
use crate::workflow::right::Right;

/// How many deliveries an explanation looks back.
const LOOKED_BACK: u32 = 12;

impl Engine {
    /// `/status`: how it stands; a card that is gone or was changed is repaired on the way.
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
        let right = match stored.as_ref().and_then(|stored| stored.state.open_gate()) {
            Some((_, gate, _)) => gate.right,
            None => Right::Write,
        };
        let who = self.who_can(spoken, right).await;
        let verbs: Vec<_> = VERBS
            .iter()
            .map(|verb| (verb.name, spoken.dialect.requirement(verb)))
            .collect();
        Ok(Settled::Answered(vec![say::who(
            &verbs,
            stored.as_ref().map(|stored| &stored.state),
            &who,
        )]))
    }

    /// `/explain`: what happened here lately, and what came of it.
    pub(super) async fn explain(&self, spoken: &Spoken<'_>) -> Result<Settled, Trouble> {
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        let last = self.store().workflows_of(repository, number).await?.pop();
        let deliveries = self.store().deliveries_about(repository, number, LOOKED_BACK).await?;
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id.as_str().into()).collect();
        let names: Vec<String> = deliveries
            .iter()
            .map(|delivery| match &delivery.action {
                Some(action) => format!("{}.{action}", delivery.event),
                None => delivery.event.clone(),
            })
            .collect();
        let mut happenings: Vec<say::Happening<'_>> = Vec::new();
        for ((delivery, id), event) in deliveries.iter().zip(&ids).zip(&names) {
            // What was settled when it arrived (other people's talk, the bot's own writes) explains nothing.
            let settled_at_once = delivery.attempt == 0 && delivery.state == "done";
            if settled_at_once || delivery.id == spoken.delivery.id.as_str() {
                continue;
            }
            let outcome = match (delivery.state.as_str(), delivery.outcome.as_deref()) {
                ("new" | "leased", _) => say::Heard::Waiting,
                ("failed" | "dead", _) => say::Heard::Failed(&delivery.id),
                (_, Some(outcome)) if !outcome.ends_with(": done") => say::Heard::Nothing(outcome),
                _ => say::Heard::Acted,
            };
            happenings.push(say::Happening::Heard {
                at: delivery.received_at,
                delivery: id,
                event,
                outcome,
            });
        }
        let state = last.as_ref().map(|stored| &stored.state);
        if let Some(state) = state {
            happenings.extend(state.record.iter().map(say::Happening::Recorded));
        }
        happenings.sort_by_key(|happening| std::cmp::Reverse(happening.at()));
        Ok(Settled::Answered(vec![say::explain(state, &happenings)]))
    }
}
