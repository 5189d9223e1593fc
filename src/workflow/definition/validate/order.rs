//! What must hold of the order of phases: no circles, what is taken is there, what leaves has people in front of it.
//! Names that do not exist are told elsewhere, and are passed over here.

use std::collections::BTreeSet;

use super::Check;
use crate::workflow::definition::Phase;
use crate::workflow::definition::graph::Before;
use crate::workflow::ids::PhaseId;
use crate::workflow::right::Right;

impl Check<'_> {
    pub(super) fn order(&mut self) {
        let definition = self.definition;
        let before = match definition.ancestors() {
            Ok(before) => before,
            Err(cycle) => {
                let index = definition.phases.iter().position(|phase| phase.id == *cycle);
                self.phase(
                    index.unwrap_or_default(),
                    &["needs"],
                    "it needs itself, directly or through others; what repeats goes back by `on_fail`".to_owned(),
                );
                return;
            }
        };
        for (index, phase) in definition.phases.iter().enumerate() {
            for (at, input) in phase.inputs.iter().enumerate() {
                let comes_back = phase.on_demand || self.comes_back(&phase.id, input, &before);
                if before.contains_key(input) && self.lacks(phase, input, &before) && !comes_back {
                    let text = format!("it takes from {input} but does not need it");
                    self.phase(index, &["inputs", &at.to_string()], text);
                }
            }
            if let Some(each) = &phase.for_each
                && before.contains_key(&each.items)
                && self.lacks(phase, &each.items, &before)
            {
                let text = format!("its items come from {}, so it must need it", each.items);
                self.phase(index, &["for_each", "items"], text);
            }
            if let Some(source) = &phase.executes {
                self.execution(index, source, &before);
            }
            if let Some(to) = &phase.on_fail {
                self.way_back((index, &["on_fail"]), to, &before);
            }
            for (gate, to) in phase.on_expiry() {
                self.way_back((index, &[gate, "people", "on_expiry"]), to, &before);
            }
        }
        self.reachable();
    }

    /// Whether a phase does not need another. Where something before it needs what does not exist, nobody knows.
    fn lacks(&self, phase: &Phase, other: &PhaseId, before: &Before<'_>) -> bool {
        let known = |phase: &Phase| phase.needs.iter().all(|need| before.contains_key(need));
        let mut earlier = before[&phase.id].iter().filter_map(|id| self.definition.phase(id));
        !before[&phase.id].contains(other) && known(phase) && earlier.all(known)
    }

    /// A phase that begins only when a verdict goes back to it must lie on some way back.
    fn reachable(&mut self) {
        let definition = self.definition;
        if definition.ways_back().any(|(_, _, to)| definition.phase(to).is_none()) {
            return;
        }
        let waiting: Vec<(usize, &Phase)> = definition
            .phases
            .iter()
            .enumerate()
            .filter(|(_, phase)| phase.on_demand)
            .collect();
        if waiting.is_empty() {
            return;
        }
        let reached: BTreeSet<&PhaseId> = definition
            .ways_back()
            .flat_map(|(_, from, to)| definition.between(to, &from.id))
            .collect();
        for (index, phase) in waiting {
            if !reached.contains(&phase.id) {
                let text =
                    "it never begins: it is `on_demand`, and no `on_fail` or `on_expiry` goes back to it".to_owned();
                self.phase(index, &["on_demand"], text);
            }
        }
    }

    fn execution(&mut self, index: usize, source: &PhaseId, before: &Before<'_>) {
        let definition = self.definition;
        let phase = &definition.phases[index];
        let Some(from) = definition.phases.iter().position(|other| other.id == *source) else {
            return;
        };
        let proposing = &definition.phases[from];
        let mut earlier = definition.phases[..index].iter();
        if let Some(other) = earlier.find(|other| other.executes.as_ref() == Some(source)) {
            let text = format!("{} carries out what {source} proposed already", other.id);
            self.phase(index, &["executes"], text);
        }
        if !proposing.has_agent() {
            let text = format!("it executes {source}, which proposes nothing");
            self.phase(index, &["executes"], text);
        } else if let Some(schema) = &proposing.schema
            && !self.known.acting.contains(&schema.as_str())
        {
            let text = format!("{source} proposes {schema}, which says nothing that could be carried out");
            self.phase(index, &["executes"], text);
        } else {
            self.in_front_of_what_leaves(from, phase);
        }
        if *source != phase.id {
            if self.lacks(phase, source, before) {
                self.phase(
                    index,
                    &["executes"],
                    format!("it executes {source} but does not need it"),
                );
            }
            if phase.has_agent() {
                let text = format!("it has an agent and executes what {source} proposed; make two");
                self.phase(index, &["executes"], text);
            }
        }
    }

    /// A mistake of the gate, told where the gate is to be mended.
    fn in_front_of_what_leaves(&mut self, from: usize, executing: &Phase) {
        let proposing = &self.definition.phases[from];
        let what = match executing.id == proposing.id {
            true => "what it executes".to_owned(),
            false => format!("what {} executes of it", executing.id),
        };
        match proposing.gate.people() {
            None => {
                let text = format!("{what} leaves, so {} needs a gate of people", proposing.id);
                self.phase(from, &["gate"], text);
            }
            Some(gate) if gate.right < Right::Write => {
                let text = format!(
                    "{what} leaves, so the gate of {} needs people with `write` or more, not `{}`",
                    proposing.id, gate.right
                );
                self.phase(from, &["gate", "people", "right"], text);
            }
            Some(_) => {}
        }
    }

    /// Whether a verdict sends a phase back from, or past, another that comes after it, or past itself: then the other
    /// has said something the next time. One that runs beside it may or may not have, so it does not count.
    fn comes_back(&self, phase: &PhaseId, other: &PhaseId, before: &Before<'_>) -> bool {
        let after = other == phase || before.get(other).is_some_and(|before| before.contains(phase));
        let ways = self.definition.ways_back();
        let mut ways = ways.map(|(_, last, to)| self.definition.between(to, &last.id));
        after && ways.any(|way| way.contains(&phase) && way.contains(&other))
    }

    fn way_back(&mut self, (index, path): (usize, &[&str]), to: &PhaseId, before: &Before<'_>) {
        let phase = &self.definition.phases[index];
        if !before.contains_key(to) {
            return;
        }
        if self.lacks(phase, to, before) {
            let text = format!("it goes back to {to} but does not need it: only what lies before can be run again");
            self.phase(index, path, text);
            return;
        }
        let executing = self.definition.between(to, &phase.id);
        let executing = executing.iter().find(|id| {
            let phase = self.definition.phase(id);
            phase.is_some_and(|phase| phase.executes.is_some())
        });
        if let Some(id) = executing {
            let text = format!("{id} lies on the way back and carries out what leaves, which is not done twice");
            self.phase(index, path, text);
        }
    }
}
