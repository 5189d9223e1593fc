//! What must hold of a gate, and the names in it.

use super::{Check, instead};
use crate::workflow::definition::judges::{self, At};
use crate::workflow::definition::{Gate, HOURS_OF_A_YEAR, PeopleGate, Phase};

impl Check<'_> {
    pub(super) fn gates(&mut self, index: usize, phase: &Phase) {
        for (key, at, gate) in [
            ("gate", At::Response, &phase.gate),
            ("prompt_gate", At::Prompt, &phase.prompt_gate),
        ] {
            for (path, mistake) in judges::mistakes(phase, at, gate) {
                self.phase(index, &[&[key], path].concat(), mistake);
            }
            self.approver(index, key, gate);
            if let Some(people) = gate.people() {
                self.people(index, key, people);
            }
        }
        for (key, to) in phase.on_expiry() {
            if self.definition.phase(to).is_none() {
                let phases = self.phases_but(&phase.id);
                let all: Vec<&str> = ["remind", "reject"].into_iter().chain(phases).collect();
                let instead = instead(to.as_str(), &all);
                let path = [key, "people", "on_expiry"];
                self.phase(index, &path, format!("on_expiry: there is no phase {to}; {instead}"));
            }
        }
        if phase.on_fail.is_some() && phase.gate.people().is_none() {
            let text = "what goes back by a verdict needs a gate of people, who can end the loop".to_owned();
            self.phase(index, &["on_fail"], text);
        }
    }

    /// The names of a gate's approver.
    fn approver(&mut self, index: usize, key: &str, gate: &Gate) {
        let Some(ai) = &gate.ai else { return };
        if let Some(prompt) = ai.prompt.as_ref().filter(|prompt| !self.has_template(prompt)) {
            let instead = self.instead_of_template(prompt);
            let text = format!("there is no template {prompt}; {instead}");
            self.phase(index, &[key, "ai", "prompt"], text);
        }
        if let Some(role) = ai.role.as_ref().filter(|role| !self.has_role(role)) {
            let text = format!("there is no role {role}; {}", self.instead_of_role(role));
            self.phase(index, &[key, "ai", "role"], text);
        }
    }

    fn people(&mut self, index: usize, key: &str, gate: &PeopleGate) {
        for (number, quorum) in gate.quorums().enumerate() {
            let Some(mistake) = quorum.mistake() else { continue };
            // The first is the gate's own; the others stand in a list.
            match number.checked_sub(1).map(|number| number.to_string()) {
                None => self.phase(index, &[key, "people", "quorum"], mistake),
                Some(number) => self.phase(index, &[key, "people", "also", &number, "quorum"], mistake),
            }
        }
        let hours = gate.expires_after_hours;
        if hours.is_some_and(|hours| !(1..=HOURS_OF_A_YEAR).contains(&hours)) {
            let text = format!("expires_after_hours must be from 1 to {HOURS_OF_A_YEAR}");
            self.phase(index, &[key, "people", "expires_after_hours"], text);
        }
    }
}
