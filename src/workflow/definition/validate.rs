//! What no schema can say of a definition: names that exist, an order without circles, gates in front of what leaves.

mod gates;
mod labels;
mod order;
mod variants;

use std::collections::BTreeSet;

use super::given::{Input, InputType};
use super::{Definition, Known, MINUTES_OF_A_DAY, MOST_ITERATIONS, MOST_QUESTIONS, MOST_RETRIES, Mistake, Phase};
use crate::workflow::ids::PhaseId;

/// The longest name that anything in a definition may have, in characters: it stands in keys, cards and commands.
const LONGEST_NAME: usize = 40;

/// The schema of what a phase that asks people proposes.
const QUESTIONS: &str = "questions.v1";

const NO_TITLE: &str = "its title is empty; write what it is, in a line for people";

/// Mistakes are collected, so that one look at the file mends them all.
struct Check<'a> {
    definition: &'a Definition,
    known: &'a Known<'a>,
    mistakes: Vec<Mistake>,
}

/// Every mistake, each with its place.
pub(super) fn mistakes(definition: &Definition, known: &Known<'_>) -> Vec<Mistake> {
    let mut check = Check {
        definition,
        known,
        mistakes: Vec::new(),
    };
    if definition.phases.is_empty() {
        check.report(&["phases"], format!("{}: there are no phases", definition.name));
    }
    check.words();
    check.titles();
    check.inputs();
    check.roles();
    check.standards();
    let mut seen = BTreeSet::new();
    for (index, phase) in definition.phases.iter().enumerate() {
        if !seen.insert(&phase.id) {
            check.phase(index, &["id"], "the name is used twice".to_owned());
        }
        check.names(index, phase);
        check.work(index, phase);
        check.gates(index, phase);
        check.limits(index, phase);
        check.questions(index, phase);
        check.variants(index, phase);
        check.choice(index, phase);
        for (path, text) in super::each::mistakes(definition, phase) {
            check.phase(index, path, text);
        }
    }
    check.labels();
    check.order();
    check.mistakes
}

/// The name that was most likely meant, if any is near.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), *name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// `did you mean x?` or the list of what there is.
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    match (nearest(word, known), known) {
        (Some(name), _) => format!("did you mean {name}?"),
        (None, []) => "there is none".to_owned(),
        (None, [only]) => format!("there is {only}"),
        (None, _) => format!("there are {}", known.join(", ")),
    }
}

impl Check<'_> {
    fn report(&mut self, path: &[&str], text: String) {
        self.mistakes.push(Mistake::at(path, text));
    }

    /// A mistake of a phase, at what leads from the phase to it.
    fn phase(&mut self, index: usize, path: &[&str], text: String) {
        let id = self.definition.phases[index].id.clone();
        let index = index.to_string();
        self.report(
            &[&["phases", index.as_str()], path].concat(),
            format!("phase {id}: {text}"),
        );
    }

    /// The phases that can be meant where a phase names another.
    fn phases_but(&self, own: &PhaseId) -> Vec<&str> {
        let phases = self.definition.phases.iter().filter(|phase| phase.id != *own);
        phases.map(|phase| phase.id.as_str()).collect()
    }

    fn has_role(&self, role: &str) -> bool {
        self.definition.roles.contains_key(role)
    }

    fn instead_of_role(&self, role: &str) -> String {
        let roles: Vec<&str> = self.definition.roles.keys().map(String::as_str).collect();
        instead(role, &roles)
    }

    /// Whatever is named in a definition is named by a word.
    fn words(&mut self) {
        let definition = self.definition;
        if !is_word(&definition.name) {
            self.report(&["name"], no_word(&definition.name));
        }
        for (index, phase) in definition.phases.iter().enumerate() {
            if !is_word(phase.id.as_str()) {
                let index = index.to_string();
                self.report(&["phases", &index, "id"], no_word(phase.id.as_str()));
            }
        }
        for (key, names) in [
            ("inputs", definition.inputs.keys().collect::<Vec<_>>()),
            ("roles", definition.roles.keys().collect()),
            ("prompts", definition.prompts.keys().collect()),
        ] {
            for name in names.into_iter().filter(|name| !is_word(name)) {
                self.report(&[key, name], no_word(name));
            }
        }
    }

    /// Whatever people read has words.
    fn titles(&mut self) {
        let definition = self.definition;
        let empty = |title: &String| title.trim().is_empty();
        if empty(&definition.title) {
            self.report(&["title"], format!("{}: {NO_TITLE}", definition.name));
        }
        for (name, _) in definition.inputs.iter().filter(|(_, input)| empty(&input.title)) {
            self.report(&["inputs", name, "title"], format!("input {name}: {NO_TITLE}"));
        }
        for (name, _) in definition.roles.iter().filter(|(_, role)| empty(&role.title)) {
            self.report(&["roles", name, "title"], format!("role {name}: {NO_TITLE}"));
        }
        let phases = definition.phases.iter().enumerate();
        for (index, _) in phases.filter(|(_, phase)| empty(&phase.title)) {
            self.phase(index, &["title"], NO_TITLE.to_owned());
        }
    }

    fn has_template(&self, name: &str) -> bool {
        self.definition.prompts.contains_key(name) || self.known.prompts.contains(&name)
    }

    /// What templates there are instead: the definition's own, then the program's.
    fn instead_of_template(&self, name: &str) -> String {
        let own = self.definition.prompts.keys().map(String::as_str);
        let all: Vec<&str> = own.chain(self.known.prompts.iter().copied()).collect();
        instead(name, &all)
    }

    fn inputs(&mut self) {
        for (name, input) in &self.definition.inputs {
            let wrong = match &input.default {
                Some(_) if input.required => Some("it is required, so it needs no default".to_owned()),
                Some(default) if !input.choices.is_empty() && !input.choices.contains(default) => {
                    let choices: Vec<&str> = input.choices.iter().map(String::as_str).collect();
                    let instead = instead(default, &choices);
                    Some(format!("its default `{default}` is none of its choices: {instead}"))
                }
                Some(default) if !input.kind.takes(default) => {
                    Some(format!("its default `{default}` is not {}", input.kind.words()))
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.report(&["inputs", name, "default"], format!("input {name}: {wrong}"));
            }
            self.choices(name, input);
            if input.file && !matches!(input.kind, InputType::Text | InputType::File) {
                let text = format!(
                    "input {name}: it is {} by its `type`, so `file` has no meaning",
                    input.kind.words()
                );
                self.report(&["inputs", name, "file"], text);
            }
        }
    }

    fn choices(&mut self, name: &str, input: &Input) {
        if input.kind == InputType::Boolean && !input.choices.is_empty() {
            let text = format!("input {name}: it is true or false, so `choices` has no meaning");
            self.report(&["inputs", name, "choices"], text);
            return;
        }
        let mut seen = BTreeSet::new();
        for (at, choice) in input.choices.iter().enumerate() {
            let wrong = match (seen.insert(choice), input.kind.takes(choice)) {
                (false, _) => format!("`{choice}` stands there twice; keep one of them"),
                (true, false) => format!("its choice `{choice}` is not {}", input.kind.words()),
                (true, true) => continue,
            };
            let path = ["inputs", name, "choices", &at.to_string()];
            self.report(&path, format!("input {name}: {wrong}"));
        }
    }

    fn standards(&mut self) {
        if let Some(name) = &self.definition.standards
            && !self.has_template(name)
        {
            let text = format!(
                "standards: there is no template {name}; {}",
                self.instead_of_template(name)
            );
            self.report(&["standards"], text);
        }
    }

    fn roles(&mut self) {
        for (name, role) in &self.definition.roles {
            if let Some(prompt) = &role.prompt
                && !self.has_template(prompt)
            {
                let instead = self.instead_of_template(prompt);
                let text = format!("role {name}: there is no template {prompt}; {instead}");
                self.report(&["roles", name, "prompt"], text);
            }
            if let Some(provider) = &role.provider
                && !is_provider(provider)
            {
                self.report(
                    &["roles", name, "provider"],
                    format!("role {name}: {}", no_provider(provider)),
                );
            }
        }
    }

    /// Whatever a phase names must exist.
    fn names(&mut self, index: usize, phase: &Phase) {
        self.other_phases(index, phase);
        let known = self.known;
        for (key, word, names) in [
            ("agent", &phase.agent, known.agents),
            ("schema", &phase.schema, known.schemas),
        ] {
            if let Some(word) = word
                && !names.contains(&word.as_str())
            {
                let text = format!("there is no {key} {word}; {}", instead(word, names));
                self.phase(index, &[key], text);
            }
        }
        if let Some(prompt) = &phase.prompt
            && !self.has_template(prompt)
        {
            let instead = self.instead_of_template(prompt);
            self.phase(index, &["prompt"], format!("there is no template {prompt}; {instead}"));
        }
        if let Some(role) = &phase.role
            && !self.has_role(role)
        {
            let text = format!("there is no role {role}; {}", self.instead_of_role(role));
            self.phase(index, &["role"], text);
        }
        if let Some(provider) = &phase.provider
            && !is_provider(provider)
        {
            self.phase(index, &["provider"], no_provider(provider));
        }
    }

    fn other_phases(&mut self, index: usize, phase: &Phase) {
        let others = self.phases_but(&phase.id);
        let all: Vec<&str> = others.iter().copied().chain([phase.id.as_str()]).collect();
        let mut mistakes: Vec<(Vec<String>, String)> = Vec::new();
        let unknown = |other: &PhaseId| self.definition.phase(other).is_none();
        // What comes back is given what it made itself.
        for (key, list, names) in [("needs", &phase.needs, &others), ("inputs", &phase.inputs, &all)] {
            for (at, other) in list.iter().enumerate().filter(|(_, other)| unknown(other)) {
                let text = format!("there is no phase {other}; {}", instead(other.as_str(), names));
                mistakes.push((vec![key.to_owned(), at.to_string()], text));
            }
        }
        for (key, other, names) in [
            ("executes", &phase.executes, &all),
            ("on_fail", &phase.on_fail, &others),
            ("chooses", &phase.chooses, &others),
        ] {
            if let Some(other) = other.as_ref().filter(|other| unknown(other)) {
                let text = format!("there is no phase {other}; {}", instead(other.as_str(), names));
                mistakes.push((vec![key.to_owned()], text));
            }
        }
        for (path, text) in mistakes {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.phase(index, &path, text);
        }
    }

    /// A phase proposes, executes, or both.
    fn work(&mut self, index: usize, phase: &Phase) {
        if phase.for_each.is_some() {
            return;
        }
        match (&phase.agent, &phase.prompt, &phase.schema) {
            _ if phase.chooses.is_some() => {}
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            (None, None, None) => {
                if phase.executes.is_none() {
                    let text = "it has neither an agent (or a prompt) nor anything to execute".to_owned();
                    self.phase(index, &["agent"], text);
                }
                for (key, stands) in [
                    ("role", phase.role.is_some()),
                    ("provider", phase.provider.is_some()),
                    ("prompt_gate", !phase.prompt_gate.is_none()),
                ] {
                    if stands {
                        self.phase(index, &[key], format!("it asks nobody, so `{key}` has no meaning"));
                    }
                }
            }
            (None, Some(_), None) => {
                self.phase(
                    index,
                    &["schema"],
                    "a prompt needs the `schema` of its answer".to_owned(),
                );
            }
            (None, None, Some(_)) => self.phase(index, &["prompt"], "a schema needs a `prompt`".to_owned()),
            (Some(_), _, _) => self.phase(
                index,
                &["agent"],
                "an agent of the program brings its own prompt and schema; name one or the other".to_owned(),
            ),
        }
    }

    fn limits(&mut self, index: usize, phase: &Phase) {
        let limits = &phase.limits;
        for (key, number, least, most) in [
            ("iterations", limits.iterations, 1, MOST_ITERATIONS),
            ("minutes", limits.minutes, 1, MINUTES_OF_A_DAY),
            ("retries", limits.retries, 0, MOST_RETRIES),
            ("questions", limits.questions, 1, MOST_QUESTIONS),
        ] {
            if !(least..=most).contains(&number) {
                let text = format!("limits.{key} must be from {least} to {most}");
                self.phase(index, &["limits", key], text);
            }
        }
    }

    /// Who asks people proposes questions, and nothing else is decided there.
    fn questions(&mut self, index: usize, phase: &Phase) {
        if !phase.asks {
            return;
        }
        if phase.schema.as_deref() != Some(QUESTIONS) {
            let text = format!("it asks people, so its schema must be {QUESTIONS}");
            self.phase(index, &["schema"], text);
        }
        for (key, stands) in [
            ("gate", !phase.gate.is_none()),
            ("on_fail", phase.on_fail.is_some()),
            ("executes", phase.executes.is_some()),
        ] {
            if stands {
                let text = format!("it asks people and goes on with what they answer, so `{key}` has no meaning");
                self.phase(index, &[key], text);
            }
        }
    }
}

/// Lower-case letters, digits, `-` and `_`, a letter first.
fn is_word(name: &str) -> bool {
    let of_a_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(of_a_word) && name.len() <= LONGEST_NAME
}

fn no_word(name: &str) -> String {
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    format!(
        "{shown:?} cannot be a name; use up to {LONGEST_NAME} lower-case letters, digits, `-` and `_`, a letter first"
    )
}

fn is_provider(word: &str) -> bool {
    matches!(word, "rules" | "manual") || word.strip_prefix("http:").is_some_and(|name| !name.is_empty())
}

fn no_provider(word: &str) -> String {
    format!("`{word}` is no provider; there are `rules`, `manual` and the server's endpoints, `http:NAME`")
}
