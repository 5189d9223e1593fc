//! Questions that change nothing: how it stands, who may.

use super::commands::{Settled, Spoken};
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::say::view::GateView;
use crate::chat::verbs::VERBS;
use crate::workflow::state::State;

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
}
