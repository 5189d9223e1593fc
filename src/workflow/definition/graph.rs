//! What a definition's order says: what lies before each phase, and what lies between two.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, Phase};
use crate::workflow::ids::PhaseId;

/// All that lies before each phase.
pub(super) type Before<'a> = BTreeMap<&'a PhaseId, BTreeSet<&'a PhaseId>>;

impl Definition {
    /// All that lies before each phase, or a phase on a cycle. A phase that does not exist lies nowhere.
    pub(super) fn ancestors(&self) -> Result<Before<'_>, &PhaseId> {
        let ids: BTreeSet<&PhaseId> = self.phases.iter().map(|phase| &phase.id).collect();
        let mut before = Before::new();
        let mut open: Vec<&Phase> = self.phases.iter().collect();
        while !open.is_empty() {
            let follows = |phase| self.follows(phase).filter(|need| ids.contains(need));
            let (ready, waiting): (Vec<&Phase>, Vec<&Phase>) = open
                .iter()
                .partition(|phase| follows(phase).all(|need| before.contains_key(need)));
            if ready.is_empty() {
                return Err(self.on_a_cycle(&waiting));
            }
            for phase in ready {
                let mut all: BTreeSet<&PhaseId> = follows(phase).collect();
                for need in follows(phase) {
                    all.extend(before[need].iter().copied());
                }
                before.insert(&phase.id, all);
            }
            open = waiting;
        }
        Ok(before)
    }

    /// One of the phases that wait for one another: whoever goes from what waits to what it waits for comes round to it.
    fn on_a_cycle<'a>(&'a self, waiting: &[&'a Phase]) -> &'a PhaseId {
        let mut seen = BTreeSet::new();
        let mut at = waiting[0];
        while seen.insert(&at.id) {
            let next = self
                .follows(at)
                .find_map(|need| waiting.iter().find(|phase| phase.id == *need));
            at = next.expect("what waits needs something that waits");
        }
        &at.id
    }

    /// What a phase comes after: what it needs, and what it chooses among. What a definition that runs chooses among has
    /// been spread out, and is needed by name.
    pub fn follows<'a>(&'a self, phase: &'a Phase) -> impl Iterator<Item = &'a PhaseId> {
        let chosen = phase.chooses.iter().filter(|chosen| self.phase(chosen).is_some());
        phase.needs.iter().chain(chosen)
    }

    /// The phases on every way from one to a later one, both included, in the definition's order.
    pub fn between<'a>(&'a self, from: &PhaseId, to: &PhaseId) -> Vec<&'a PhaseId> {
        let Ok(before) = self.ancestors() else {
            return Vec::new();
        };
        let on_the_way = |id: &&PhaseId| {
            let after_from = *id == from || before[*id].contains(from);
            let before_to = *id == to || before.get(to).is_some_and(|before| before.contains(*id));
            after_from && before_to
        };
        self.phases.iter().map(|phase| &phase.id).filter(on_the_way).collect()
    }
}
