//! What must hold of variants and of the phase that chooses among them.

use std::collections::BTreeSet;

use super::{Check, LONGEST_NAME, is_provider, no_provider};
use crate::workflow::definition::Phase;
use crate::workflow::ids::PhaseId;
use crate::workflow::variants::{Criterion, FEWEST, Letter, MOST, Spec, variant_id};

/// The most things that variants are compared by: each is a row on the card.
const MOST_CRITERIA: usize = 12;

impl Check<'_> {
    /// Variants are of a prompt, stand side by side, and end in one choice.
    pub(super) fn variants(&mut self, index: usize, phase: &Phase) {
        if phase.variant.is_some() {
            self.phase(
                index,
                &["variant"],
                "this key is the program's own; name `variants`".to_owned(),
            );
        }
        let Some(variants) = &phase.variants else { return };
        let specs = variants.specs();
        if !(FEWEST..=MOST).contains(&specs.len()) {
            self.phase(
                index,
                &["variants"],
                format!("variants must be from {FEWEST} to {MOST}"),
            );
            return;
        }
        if phase.prompt.is_none() || phase.schema.is_none() {
            let text = "only what a `prompt` with its `schema` asks for can have variants".to_owned();
            self.phase(index, &["variants"], text);
        }
        for (key, stands) in [
            ("gate", !phase.gate.is_none()),
            ("on_fail", phase.on_fail.is_some()),
            ("on_demand", phase.on_demand),
            ("asks", phase.asks),
            ("executes", phase.executes.is_some()),
            ("chooses", phase.chooses.is_some()),
        ] {
            if stands {
                let text = format!("people decide about variants by choosing one, so `{key}` has no meaning");
                self.phase(index, &[key], text);
            }
        }
        for (at, spec) in specs.iter().enumerate() {
            self.spec((index, &at.to_string()), spec);
        }
        self.ids(index, phase, specs.len());
        self.chosen_once(index, phase);
    }

    fn spec(&mut self, (index, at): (usize, &str), spec: &Spec) {
        if let Some(role) = &spec.role
            && !self.has_role(role)
        {
            let text = format!("a variant: there is no role {role}; {}", self.instead_of_role(role));
            self.phase(index, &["variants", at, "role"], text);
        }
        if let Some(provider) = &spec.provider
            && !is_provider(provider)
        {
            let text = format!("a variant: {}", no_provider(provider));
            self.phase(index, &["variants", at, "provider"], text);
        }
    }

    /// Each variant becomes a phase with a name of its own.
    fn ids(&mut self, index: usize, phase: &Phase, count: usize) {
        let ids: Vec<PhaseId> = Letter::first(count)
            .map(|letter| variant_id(&phase.id, letter))
            .collect();
        if let Some(id) = ids.iter().find(|id| id.as_str().len() > LONGEST_NAME) {
            let text =
                format!("its variants are called {id} and so on, which is longer than {LONGEST_NAME} characters");
            self.phase(index, &["id"], text);
        }
        if let Some(id) = ids.iter().find(|id| self.definition.phase(id).is_some()) {
            self.phase(
                index,
                &["variants"],
                format!("one of its variants is called {id}, as a phase is"),
            );
        }
    }

    /// Exactly one phase chooses, and nobody else can know which variant would be meant.
    fn chosen_once(&mut self, index: usize, phase: &Phase) {
        let definition = self.definition;
        let choosing = definition
            .phases
            .iter()
            .filter(|other| other.chooses.as_ref() == Some(&phase.id));
        match choosing.count() {
            1 => {}
            0 => {
                let text = format!(
                    "nobody chooses among its variants: a later phase needs `chooses: {}`",
                    phase.id
                );
                self.phase(index, &["variants"], text);
            }
            _ => self.phase(
                index,
                &["variants"],
                "more than one phase chooses among its variants".to_owned(),
            ),
        }
        for (at, other) in definition.phases.iter().enumerate() {
            let own = other.chooses.as_ref() == Some(&phase.id);
            for (key, list) in [
                ("needs", other.needs.as_slice()),
                ("inputs", other.inputs.as_slice()),
                ("executes", other.executes.as_slice()),
                ("on_fail", other.on_fail.as_slice()),
            ] {
                let named = list.iter().position(|named| *named == phase.id);
                if let Some(named) = named.filter(|_| !(own && matches!(key, "needs" | "inputs"))) {
                    let text = format!(
                        "{} has variants; name the phase that chooses among them instead",
                        phase.id
                    );
                    self.phase(at, &[key, &named.to_string()], text);
                }
            }
        }
    }

    /// A choice is made by people, from what the host compared.
    pub(super) fn choice(&mut self, index: usize, phase: &Phase) {
        let Some(of) = &phase.chooses else {
            if !phase.rubric.is_empty() {
                self.phase(
                    index,
                    &["rubric"],
                    "variants are compared where a phase `chooses`".to_owned(),
                );
            }
            return;
        };
        let definition = self.definition;
        if definition.phase(of).is_some_and(|chosen| chosen.variants.is_none()) {
            self.phase(index, &["chooses"], format!("{of} has no variants"));
        }
        if phase.gate.is_none() {
            self.phase(
                index,
                &["chooses"],
                "people choose, so it needs a gate of people".to_owned(),
            );
        }
        for (key, stands) in [
            ("agent", phase.agent.is_some()),
            ("schema", phase.schema.is_some()),
            ("executes", phase.executes.is_some()),
            ("asks", phase.asks),
            ("on_fail", phase.on_fail.is_some()),
            ("on_demand", phase.on_demand),
            ("limits", phase.limits.retries > 0),
            ("prompt_gate", !phase.prompt_gate.is_none() && phase.prompt.is_none()),
        ] {
            if stands {
                let text = format!("it compares variants and waits for a choice, so `{key}` has no such meaning here");
                self.phase(index, &[key], text);
            }
        }
        let executing = definition
            .phases
            .iter()
            .position(|other| other.executes.as_ref() == Some(&phase.id));
        if let Some(at) = executing {
            let text = format!("{} is a choice, which says nothing that could be carried out", phase.id);
            self.phase(at, &["executes"], text);
        }
        self.rubric(index, phase);
    }

    fn rubric(&mut self, index: usize, phase: &Phase) {
        if phase.rubric.len() > MOST_CRITERIA {
            self.phase(
                index,
                &["rubric"],
                format!("a rubric has at most {MOST_CRITERIA} lines"),
            );
        }
        let mut titles = BTreeSet::new();
        for (
            at,
            Criterion {
                title,
                mentions,
                most_words,
            },
        ) in phase.rubric.iter().enumerate()
        {
            let wrong = match (mentions.is_empty(), most_words) {
                _ if title.trim().is_empty() => Some("a line of it has no title".to_owned()),
                _ if !titles.insert(title) => Some(format!("`{title}` stands there twice")),
                (false, Some(_)) => Some(format!("`{title}` has two rules; make two lines of it")),
                (true, Some(0)) => Some(format!("`{title}`: most_words must be at least 1")),
                (true, None) if phase.prompt.is_none() => Some(format!(
                    "nobody scores `{title}`: give it `mentions` or `most_words`, or the phase a `prompt` for a model"
                )),
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.phase(index, &["rubric", &at.to_string()], wrong);
            }
        }
    }
}
