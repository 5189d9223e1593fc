//! What no schema can say of a definition: names that exist, an order without circles, gates in front of what leaves.

mod variants;

use std::collections::{BTreeMap, BTreeSet};

use super::judges;
use super::{Definition, HOURS_OF_A_YEAR, Known, Mistake, PeopleGate, Phase};
use crate::workflow::ids::PhaseId;
use crate::workflow::right::Right;

/// The most iterations of a phase: a loop that has not ended by then is one that people must look at.
const MOST_ITERATIONS: u32 = 100;

/// The longest name that anything in a definition may have, in characters: it stands in keys, cards and commands.
const LONGEST_NAME: usize = 40;

/// The longest that one run of an agent may take, in minutes: a day.
const MINUTES_OF_A_DAY: u32 = 1440;

/// The schema of what a phase that asks people proposes.
const QUESTIONS: &str = "questions.v1";
/// More than fit one comment that people read to its end.
const MOST_QUESTIONS: u32 = 20;

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
    check.inputs();
    check.roles();
    check.standards();
    let mut seen = BTreeSet::new();
    for (index, phase) in definition.phases.iter().enumerate() {
        if !seen.insert(&phase.id) {
            check.phase(index, "id", "the name is used twice".to_owned());
        }
        check.names(index, phase);
        check.work(index, phase);
        check.gates(index, phase);
        check.limits(index, phase);
        check.questions(index, phase);
        check.variants(index, phase);
        check.choice(index, phase);
        for (key, text) in super::each::mistakes(definition, phase) {
            check.phase(index, key, text);
        }
    }
    if check.mistakes.is_empty() {
        check.order();
    }
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

/// `; did you mean x?` or the list of what there is.
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(name) => format!("did you mean {name}?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("there are {}", known.join(", ")),
    }
}

impl Check<'_> {
    fn report(&mut self, path: &[&str], text: String) {
        self.mistakes.push(Mistake {
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            text,
        });
    }

    fn phase(&mut self, index: usize, key: &str, text: String) {
        let id = self.definition.phases[index].id.clone();
        let index = index.to_string();
        self.report(&["phases", &index, key], format!("phase {id}: {text}"));
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
                    Some(format!(
                        "its default `{default}` is none of its choices: {}",
                        instead(default, &choices)
                    ))
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.report(&["inputs", name, "default"], format!("input {name}: {wrong}"));
            }
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
        let others = [
            ("needs", phase.needs.as_slice()),
            ("inputs", phase.inputs.as_slice()),
            ("executes", phase.executes.as_slice()),
            ("on_fail", phase.on_fail.as_slice()),
            ("chooses", phase.chooses.as_slice()),
        ];
        let ids: Vec<&str> = self.definition.phases.iter().map(|phase| phase.id.as_str()).collect();
        for (key, list) in others {
            for other in list.iter().filter(|other| self.definition.phase(other).is_none()) {
                self.phase(
                    index,
                    key,
                    format!("there is no phase {other}; {}", instead(other.as_str(), &ids)),
                );
            }
        }
        let known = self.known;
        for (key, word, names) in [
            ("agent", &phase.agent, known.agents),
            ("schema", &phase.schema, known.schemas),
        ] {
            if let Some(word) = word
                && !names.contains(&word.as_str())
            {
                self.phase(
                    index,
                    key,
                    format!("there is no {key} {word}; {}", instead(word, names)),
                );
            }
        }
        if let Some(prompt) = &phase.prompt
            && !self.has_template(prompt)
        {
            let instead = self.instead_of_template(prompt);
            self.phase(index, "prompt", format!("there is no template {prompt}; {instead}"));
        }
        if let Some(role) = &phase.role
            && !self.definition.roles.contains_key(role)
        {
            let roles: Vec<&str> = self.definition.roles.keys().map(String::as_str).collect();
            self.phase(
                index,
                "role",
                format!("there is no role {role}; {}", instead(role, &roles)),
            );
        }
        if let Some(provider) = &phase.provider
            && !is_provider(provider)
        {
            self.phase(index, "provider", no_provider(provider));
        }
        for (key, to) in phase.on_expiry() {
            if self.definition.phase(to).is_none() {
                let all: Vec<&str> = ["remind", "reject"].into_iter().chain(ids.iter().copied()).collect();
                let instead = instead(to.as_str(), &all);
                self.phase(index, key, format!("on_expiry: there is no phase {to}; {instead}"));
            }
        }
        for (key, gate) in [("gate", &phase.gate), ("prompt_gate", &phase.prompt_gate)] {
            let Some(ai) = &gate.ai else { continue };
            if let Some(prompt) = ai.prompt.as_ref().filter(|prompt| !self.has_template(prompt)) {
                let instead = self.instead_of_template(prompt);
                self.phase(index, key, format!("there is no template {prompt}; {instead}"));
            }
            if let Some(role) = ai
                .role
                .as_ref()
                .filter(|role| !self.definition.roles.contains_key(*role))
            {
                let roles: Vec<&str> = self.definition.roles.keys().map(String::as_str).collect();
                let instead = instead(role, &roles);
                self.phase(index, key, format!("there is no role {role}; {instead}"));
            }
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
                    self.phase(
                        index,
                        "id",
                        "it has neither an agent (or a prompt) nor anything to execute".to_owned(),
                    );
                }
                for (key, stands) in [
                    ("role", phase.role.is_some()),
                    ("provider", phase.provider.is_some()),
                    ("prompt_gate", !phase.prompt_gate.is_none()),
                ] {
                    if stands {
                        self.phase(index, key, format!("it asks nobody, so `{key}` has no meaning"));
                    }
                }
            }
            (None, Some(_), None) => {
                self.phase(index, "prompt", "a prompt needs the `schema` of its answer".to_owned());
            }
            (None, None, Some(_)) => self.phase(index, "schema", "a schema needs a `prompt`".to_owned()),
            (Some(_), _, _) => self.phase(
                index,
                "agent",
                "an agent of the program brings its own prompt and schema; name one or the other".to_owned(),
            ),
        }
    }

    fn gates(&mut self, index: usize, phase: &Phase) {
        for (key, at, gate) in [
            ("gate", judges::At::Response, &phase.gate),
            ("prompt_gate", judges::At::Prompt, &phase.prompt_gate),
        ] {
            for mistake in judges::mistakes(phase, at, gate) {
                self.phase(index, key, mistake);
            }
            for mistake in gate.people().map(PeopleGate::mistakes).unwrap_or_default() {
                self.phase(index, key, mistake);
            }
            let hours = gate.people().and_then(|gate| gate.expires_after_hours);
            if hours.is_some_and(|hours| !(1..=HOURS_OF_A_YEAR).contains(&hours)) {
                self.phase(
                    index,
                    key,
                    format!("expires_after_hours must be from 1 to {HOURS_OF_A_YEAR}"),
                );
            }
        }
        if phase.on_fail.is_some() && phase.gate.people().is_none() {
            let text = "what goes back by a verdict needs a gate of people, who can end the loop".to_owned();
            self.phase(index, "on_fail", text);
        }
    }

    fn limits(&mut self, index: usize, phase: &Phase) {
        if phase.limits.iterations == 0 {
            self.phase(index, "limits", "limits.iterations must be at least 1".to_owned());
        }
        if phase.limits.iterations > MOST_ITERATIONS {
            self.phase(
                index,
                "limits",
                format!("limits.iterations must be at most {MOST_ITERATIONS}"),
            );
        }
        if !(1..=MINUTES_OF_A_DAY).contains(&phase.limits.minutes) {
            self.phase(
                index,
                "limits",
                format!("limits.minutes must be from 1 to {MINUTES_OF_A_DAY}"),
            );
        }
    }

    /// Who asks people proposes questions, and nothing else is decided there.
    fn questions(&mut self, index: usize, phase: &Phase) {
        if !(1..=MOST_QUESTIONS).contains(&phase.limits.questions) {
            let text = format!("limits.questions must be from 1 to {MOST_QUESTIONS}");
            self.phase(index, "limits", text);
        }
        if !phase.asks {
            return;
        }
        if phase.schema.as_deref() != Some(QUESTIONS) {
            let text = format!("it asks people, so its schema must be {QUESTIONS}");
            self.phase(index, "asks", text);
        }
        for (key, stands) in [
            ("gate", !phase.gate.is_none()),
            ("on_fail", phase.on_fail.is_some()),
            ("executes", phase.executes.is_some()),
        ] {
            if stands {
                let text = format!("it asks people and goes on with what they answer, so `{key}` has no meaning");
                self.phase(index, key, text);
            }
        }
    }

    /// Mistakes that can be looked for once every name is known to exist.
    fn order(&mut self) {
        let definition = self.definition;
        let before = match definition.ancestors() {
            Ok(before) => before,
            Err(cycle) => {
                let index = definition.phases.iter().position(|phase| phase.id == *cycle);
                self.phase(
                    index.unwrap_or_default(),
                    "needs",
                    "it needs itself, directly or through others; what repeats goes back by `on_fail`".to_owned(),
                );
                return;
            }
        };
        for (index, phase) in definition.phases.iter().enumerate() {
            for input in &phase.inputs {
                let comes_back = phase.on_demand || self.comes_back(&phase.id, input, &before);
                if !before[&phase.id].contains(input) && !comes_back {
                    self.phase(index, "inputs", format!("it takes from {input} but does not need it"));
                }
            }
            if let Some(each) = &phase.for_each
                && !before[&phase.id].contains(&each.items)
            {
                let text = format!("its items come from {}, so it must need it", each.items);
                self.phase(index, "for_each", text);
            }
            if let Some(source) = &phase.executes {
                self.execution(index, phase, source, &before);
            }
            if let Some(to) = &phase.on_fail {
                self.way_back((index, "on_fail"), phase, to, &before);
            }
            for (key, to) in phase.on_expiry() {
                self.way_back((index, key), phase, to, &before);
            }
        }
        self.reachable();
    }

    /// A phase that begins only when a verdict goes back to it must lie on some way back.
    fn reachable(&mut self) {
        let definition = self.definition;
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
                self.phase(index, "on_demand", text);
            }
        }
    }

    fn execution(
        &mut self,
        index: usize,
        phase: &Phase,
        source: &PhaseId,
        before: &BTreeMap<&PhaseId, BTreeSet<&PhaseId>>,
    ) {
        let definition = self.definition;
        let mut earlier = definition.phases[..index].iter();
        if let Some(other) = earlier.find(|other| other.executes.as_ref() == Some(source)) {
            let text = format!("{} carries out what {source} proposed already", other.id);
            self.phase(index, "executes", text);
        }
        let proposes = definition.phase(source).is_some_and(Phase::has_agent);
        let gate = definition.phase(source).and_then(|source| source.gate.people());
        let schema = definition.phase(source).and_then(|source| source.schema.as_deref());
        if !proposes {
            self.phase(
                index,
                "executes",
                format!("it executes {source}, which proposes nothing"),
            );
        } else if let Some(schema) = schema.filter(|schema| !self.known.acting.contains(schema)) {
            let text = format!("{source} proposes {schema}, which says nothing that could be carried out");
            self.phase(index, "executes", text);
        }
        match gate {
            None if proposes => {
                let text = format!("what it executes leaves, so {source} needs a gate of people");
                self.phase(index, "executes", text);
            }
            Some(gate) if gate.right < Right::Write => {
                let text = format!(
                    "what it executes leaves, so the gate of {source} needs people with `write` or more, not `{}`",
                    gate.right
                );
                self.phase(index, "executes", text);
            }
            _ => {}
        }
        if *source != phase.id {
            if !before[&phase.id].contains(source) {
                self.phase(index, "executes", format!("it executes {source} but does not need it"));
            }
            if phase.has_agent() {
                let text = format!("it has an agent and executes what {source} proposed; make two");
                self.phase(index, "executes", text);
            }
        }
    }

    /// Whether a verdict sends a phase back from, or past, another that comes after it, or past itself: then the other
    /// has said something the next time. One that runs beside it may or may not have, so it does not count.
    fn comes_back(&self, phase: &PhaseId, other: &PhaseId, before: &BTreeMap<&PhaseId, BTreeSet<&PhaseId>>) -> bool {
        let after = other == phase || before[other].contains(phase);
        let ways = self.definition.ways_back();
        let mut ways = ways.map(|(_, last, to)| self.definition.between(to, &last.id));
        after && ways.any(|way| way.contains(&phase) && way.contains(&other))
    }

    fn way_back(
        &mut self,
        (index, key): (usize, &str),
        phase: &Phase,
        to: &PhaseId,
        before: &BTreeMap<&PhaseId, BTreeSet<&PhaseId>>,
    ) {
        if !before[&phase.id].contains(to) {
            self.phase(
                index,
                key,
                format!("it goes back to {to} but does not need it: only what lies before can be run again"),
            );
            return;
        }
        let executing = self.definition.between(to, &phase.id);
        let executing = executing.iter().find(|id| {
            let phase = self.definition.phase(id);
            phase.is_some_and(|phase| phase.executes.is_some())
        });
        if let Some(id) = executing {
            let text = format!("{id} lies on the way back and carries out what leaves, which is not done twice");
            self.phase(index, key, text);
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

impl Definition {
    /// All that lies before each phase, or a phase on a cycle.
    fn ancestors(&self) -> Result<BTreeMap<&PhaseId, BTreeSet<&PhaseId>>, &PhaseId> {
        let mut before: BTreeMap<&PhaseId, BTreeSet<&PhaseId>> = BTreeMap::new();
        let mut open: Vec<&Phase> = self.phases.iter().collect();
        while !open.is_empty() {
            let (ready, waiting): (Vec<&Phase>, Vec<&Phase>) = open
                .iter()
                .partition(|phase| self.follows(phase).all(|need| before.contains_key(need)));
            if ready.is_empty() {
                return Err(&waiting[0].id);
            }
            for phase in ready {
                let mut all: BTreeSet<&PhaseId> = self.follows(phase).collect();
                for need in self.follows(phase) {
                    all.extend(before[need].iter().copied());
                }
                before.insert(&phase.id, all);
            }
            open = waiting;
        }
        Ok(before)
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
