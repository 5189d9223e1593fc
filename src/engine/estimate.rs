//! What a call may take before it is made, role by role.

use super::roles::provider_of;
use super::{Engine, Trouble};
use crate::agents::{self, Agent};
use crate::chat::say::view::Ahead;
use crate::config::{Endpoint, ProviderName, RepositoryConfig};
use crate::workflow::budget::{Spend, Usage, estimated_tokens, tokens_in};
use crate::workflow::definition::{Definition, Phase};
use crate::workflow::state::{PhaseState, PhaseStatus, State};

/// The most that one call takes at an endpoint: a prompt of so many tokens, and all that may be written.
pub fn call_at_most(prompt: u64, endpoint: &Endpoint) -> Spend {
    let usage = Usage {
        input: prompt,
        cached: 0,
        output: u64::from(endpoint.max_output_tokens),
    };
    usage.spend(endpoint.price.as_ref())
}

/// The tokens of the shortest prompt of an agent: all that it says of itself, with nothing to work from.
pub fn shortest_prompt(agent: &Agent) -> u64 {
    agents::shortest_prompt(agent).map_or(0, |prompt| estimated_tokens(&prompt.whole()))
}

/// The tokens of the guidelines that a prompt is going to be made with, by those of the workflow's last one.
fn guidelines_ahead(state: &State, phase: &Phase) -> u64 {
    let last = state.guidelines.as_ref().filter(|_| phase.takes_guidelines());
    let text = last.and_then(|last| last.text());
    text.map_or(0, |text| tokens_in(text.cut_at.unwrap_or(text.bytes)))
}

/// In whose name a phase speaks: its role, or else itself.
pub fn speaker<'a>(definition: &'a Definition, phase: &'a Phase) -> &'a str {
    let role = phase.role.as_ref().and_then(|role| definition.roles.get(role));
    role.map_or(&phase.title, |role| &role.title)
}

impl Engine {
    /// What models are going to be asked in this workflow as it stands, and what one call of each may take. A prompt that
    /// is written already counts by its length.
    pub(super) async fn ahead(&self, state: &State, config: &RepositoryConfig) -> Result<Vec<Ahead>, Trouble> {
        let mut all: Vec<Ahead> = Vec::new();
        let yet = [PhaseStatus::Blocked, PhaseStatus::Draft, PhaseStatus::Running];
        let due = |phase: &Phase, at: &PhaseState| {
            yet.contains(&at.status) && !state.is_passed_over(&phase.id) && (!phase.on_demand || at.called)
        };
        for phase in state
            .definition
            .phases
            .iter()
            .filter(|phase| state.is_open() && phase.has_agent())
        {
            let at = state.at(&phase.id);
            let Some(agent) = agents::of_phase(&state.definition, phase).filter(|_| due(phase, at)) else {
                continue;
            };
            let provider = provider_of(&state.definition, &phase.id, &agent, config);
            let ProviderName::Http(name) = provider else { continue };
            let Some(endpoint) = self.parts().models.endpoint(name.as_str()) else {
                continue;
            };
            let written = self.store().last_run(&state.id, &phase.id).await?;
            let written = written.filter(|run| run.iteration == at.iteration);
            let unwritten = || shortest_prompt(&agent) + guidelines_ahead(state, phase);
            let prompt = written.map_or_else(unwritten, |run| estimated_tokens(&run.prompt));
            let most = call_at_most(prompt, endpoint);
            let role = speaker(&state.definition, phase).to_owned();
            match all
                .iter_mut()
                .find(|other| other.role == role && other.endpoint == name.as_str())
            {
                // One line a role: by its dearest call.
                Some(other) if other.most.tokens < most.tokens => other.most = most,
                Some(_) => {}
                None => all.push(Ahead {
                    role,
                    endpoint: name.to_string(),
                    most,
                }),
            }
        }
        Ok(all)
    }
}
