//! `[ID] [PHASE]`: which workflow, and which of its phases.

use super::super::answer::Refusal;
use super::super::database::meant;
use super::super::status::unknown;
use super::words::nearest;
use crate::store::Store;
use crate::workflow::ids::WorkflowId;
use crate::workflow::unanswered::named;

/// A workflow and one of its phases. Either may be left out where there is only one that can be meant.
#[derive(Debug, clap::Args)]
pub(super) struct Phased {
    /// The workflow's id; left out, the one that is open
    id: Option<String>,
    /// The phase, or the letter of a variant, where several are asked
    phase: Option<String>,
}

impl Phased {
    /// What was meant: a single word is a workflow's id, or a phase of the only one that is open.
    pub(super) async fn meant(self, store: &Store) -> Result<(WorkflowId, Option<String>), Refusal> {
        match (self.id, self.phase) {
            (Some(id), Some(phase)) => Ok((WorkflowId::from(id), Some(phase))),
            (Some(word), None) => {
                let id = WorkflowId::from(word.as_str());
                if store.workflow_summary(&id).await?.is_some() {
                    return Ok((id, None));
                }
                let open = store.list_workflows(true, 2).await?;
                let [only] = open.as_slice() else {
                    return Err(unknown(&id));
                };
                let only = WorkflowId::from(only.id.as_str());
                let stored = store.workflow(&only).await?.ok_or_else(|| unknown(&only))?;
                let definition = &stored.state.definition;
                if !named(definition, &word).is_empty() {
                    return Ok((only, Some(word)));
                }
                let phases: Vec<&str> = definition.phases.iter().map(|phase| phase.id.as_str()).collect();
                Err(Refusal::failed(format!(
                    "there is no workflow {word}, and {only} has no phase of that name; {}",
                    nearest(&word, &phases)
                )))
            }
            (None, _) => Ok((meant(store, None, false).await?, None)),
        }
    }
}
