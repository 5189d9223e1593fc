//! Questions that change nothing: how it stands, who may.

use super::commands::{Settled, Spoken};
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::verbs::VERBS;
use crate::workflow::right::Right;

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
        let who = match state.and_then(|state| Some((state, state.open_gate()?))) {
            Some((state, (phase, gate, _))) => {
                let people = self.people_for(&spoken.repo, state, (phase, gate)).await;
                match people {
                    Ok(people) if !people.is_empty() => say::WhoCan::Known(people),
                    Ok(_) | Err(_) => say::WhoCan::Unknown,
                }
            }
            None => self.who_can(spoken, Right::Write).await,
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
            stored.as_ref().map(|stored| &stored.state),
            &who,
            tree.as_ref(),
        )]))
    }
}
