//! The definitions that workflows began with, read from their first events and kept in memory: a state is stored without
//! its definition, which never changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::{Store, StoreError};
use crate::values;
use crate::workflow::definition::Definition;
use crate::workflow::ids::WorkflowId;

/// Workflows whose definitions are remembered. They share what is equal, so that one costs little more than its id.
const REMEMBERED: usize = 10_000;

/// Definitions by workflow.
#[derive(Debug, Default)]
pub(super) struct Begun(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    of: HashMap<WorkflowId, Arc<Definition>>,
    different: Vec<Arc<Definition>>,
}

/// What is read of a first event.
#[derive(Deserialize)]
struct First {
    definition: Definition,
}

impl Begun {
    fn get(&self, id: &WorkflowId) -> Option<Arc<Definition>> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.of.get(id).cloned()
    }

    /// Remembers it, as the one that is remembered already where there is an equal one.
    fn keep(&self, id: &WorkflowId, definition: Definition) -> Arc<Definition> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.of.len() >= REMEMBERED {
            *memory = Memory::default();
        }
        let known = memory.different.iter().find(|known| ***known == definition).cloned();
        let definition = known.unwrap_or_else(|| {
            let new = Arc::new(definition);
            memory.different.push(Arc::clone(&new));
            new
        });
        memory.of.insert(id.clone(), Arc::clone(&definition));
        definition
    }
}

impl Store {
    /// The definition that a workflow began with.
    pub(super) async fn definition_of(&self, id: &WorkflowId) -> Result<Arc<Definition>, StoreError> {
        const FIRST: &str = "SELECT data FROM events WHERE workflow_id = $1 AND seq = 1";
        if let Some(known) = self.begun.get(id) {
            return Ok(known);
        }
        let rows = self.read(FIRST, values![id]).await?;
        let first = rows
            .first()
            .ok_or_else(|| StoreError::Broken(format!("workflow {id} has no first event")))?;
        Ok(self.begun.keep(id, first.json::<First>("data")?.definition))
    }
}
