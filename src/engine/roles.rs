//! Where the text of a role comes from.

use crate::agents::{Agent, InputKind};
use crate::config::{ProviderName, RepositoryConfig};
use crate::workflow::definition::Definition;
use crate::workflow::ids::PhaseId;

/// Where a phase's text comes from: the definition's word for the phase, the repository's for the role or the agent, the
/// definition's for the role, the repository's for everything else.
pub fn provider_of(definition: &Definition, phase: &PhaseId, agent: &Agent, config: &RepositoryConfig) -> ProviderName {
    let defined = definition.phase(phase);
    let fixed = defined.and_then(|phase| phase.provider.as_deref());
    let role = defined.and_then(|phase| phase.role.as_deref());
    let by_default = || match agent.works_from {
        // Without a prompt of its own nobody is asked for scores.
        _ if defined.is_some_and(|phase| phase.chooses.is_some() && phase.prompt.is_none()) => ProviderName::Rules,
        InputKind::Thread => config.providers.extract.clone(),
        InputKind::Mailing => config.providers.email.clone(),
        InputKind::Material => config.providers.default.clone(),
    };
    named_provider(definition, (fixed, role), config).unwrap_or_else(by_default)
}

/// The provider that is fixed, else the repository's for the role, else the definition's for it.
pub(super) fn named_provider(
    definition: &Definition,
    (fixed, role): (Option<&str>, Option<&str>),
    config: &RepositoryConfig,
) -> Option<ProviderName> {
    let parsed = |text: &str| text.parse().ok();
    let of_role = || config.providers.roles.get(role?).cloned();
    let by_definition = || definition.roles.get(role?)?.provider.as_deref().and_then(parsed);
    fixed.and_then(parsed).or_else(of_role).or_else(by_definition)
}
