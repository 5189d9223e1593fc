//! What only the agents can say of a definition: which names there are, whether its templates can be filled in, and
//! whether its schemas and providers do what it asks of them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{AGENTS, Agent, approver, choice, made, prompt, standards_of};
use crate::text::paths;
use crate::workflow::definition::{Definition, Gate, Invalid, Known, MOST_GUIDELINES, Mistake, Phase, nearest};
use crate::workflow::judging::AiGate;
use crate::workflow::variants::Variants;

/// The schemas of [`made`] whose artifacts say what is done outside. None does: such acts are an agent's of the program.
const ACTING: &[&str] = &[];

/// The provider that answers by fixed rules.
const RULES: &str = "rules";

/// The program's templates that the rules provider answers, beside the program's own agents.
pub const RULED_PROMPTS: &[&str] = &["solve/collect"];

/// The names that definitions may use.
#[derive(Debug)]
pub struct Names {
    agents: Vec<&'static str>,
    prompts: Vec<String>,
    schemas: Vec<&'static str>,
}

/// The names of what this program brings.
pub fn names() -> Names {
    Names {
        agents: AGENTS.iter().map(|agent| agent.name.as_ref()).collect(),
        prompts: prompt::templates(),
        schemas: made::SCHEMAS.iter().map(|schema| schema.name).collect(),
    }
}

impl Names {
    /// Reads a definition and validates it against them.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn parse(&self, yaml: &str) -> Result<Definition, Invalid> {
        self.with(|known| Definition::parse(yaml, known))
    }

    /// What is wrong with a definition.
    pub fn mistakes(&self, definition: &Definition) -> Vec<Mistake> {
        let mut mistakes = self.with(|known| definition.mistakes(known));
        mistakes.extend(failing_templates(definition));
        mistakes.extend(verdicts(definition));
        mistakes.extend(unruled(definition));
        mistakes.extend(paths_of_files(definition));
        mistakes.extend(guidelines(definition));
        mistakes
    }

    /// The definition's own templates that nothing asks for: nobody tries them, and most likely they are meant for
    /// something. One that is near to a name that does not exist is told of there.
    pub fn unused_templates(&self, definition: &Definition) -> Vec<Mistake> {
        let used = used_templates(definition);
        let exists =
            |name: &&&str| self.prompts.iter().any(|known| known == *name) || definition.prompts.contains_key(**name);
        let own: Vec<&str> = definition.prompts.keys().map(String::as_str).collect();
        let missing = used.iter().filter(|name| !exists(name));
        let meant: BTreeSet<&str> = missing.filter_map(|name| nearest(name, &own)).collect();
        let unused = own
            .iter()
            .filter(|name| !used.contains(*name) && !meant.contains(*name));
        let text = |name: &str| {
            format!("nothing uses the template {name}; name it in a phase, a role, a gate or `standards`, or remove it")
        };
        unused.map(|name| Mistake::at(&["prompts", name], text(name))).collect()
    }

    fn with<T>(&self, check: impl FnOnce(&Known<'_>) -> T) -> T {
        let prompts: Vec<&str> = self.prompts.iter().map(String::as_str).collect();
        check(&Known {
            agents: &self.agents,
            prompts: &prompts,
            schemas: &self.schemas,
            acting: ACTING,
        })
    }
}

/// The definition with the texts of the program's templates that it and its children use. The first event of a workflow
/// holds it so: what another version of the program says in them changes nothing of what runs.
#[must_use]
pub fn whole(mut definition: Definition) -> Definition {
    definition.each_mut(&mut |one| {
        let own_agents = one.phases.iter().filter_map(|phase| phase.agent.clone());
        let names = used_templates(one);
        let names = names.into_iter().filter(|name| !one.prompts.contains_key(*name));
        let names: BTreeSet<String> = names.map(str::to_owned).chain(own_agents).collect();
        for name in names {
            if let Some(text) = prompt::template(&name) {
                one.templates.entry(name).or_insert_with(|| text.into_owned());
            }
        }
    });
    definition
}

/// The approvers of a phase's gates, each with the key of its gate.
fn approvers(phase: &Phase) -> impl Iterator<Item = (&'static str, &AiGate)> {
    let gates: [(&'static str, &Gate); 2] = [("gate", &phase.gate), ("prompt_gate", &phase.prompt_gate)];
    gates
        .into_iter()
        .filter_map(|(key, gate)| Some((key, gate.ai.as_ref()?)))
}

/// The templates that a definition names, or asks for by what it leaves out. Agents of the program bring their own.
fn used_templates(definition: &Definition) -> BTreeSet<&str> {
    let of_phases = definition.phases.iter().flat_map(|phase| {
        let compares = phase.chooses.as_ref().map(|_| choice::PROMPT);
        let approvers = approvers(phase).map(|(_, ai)| approver::template_name(ai));
        phase.prompt.as_deref().or(compares).into_iter().chain(approvers)
    });
    let of_roles = definition.roles.values().filter_map(|role| role.prompt.as_deref());
    of_phases
        .chain(of_roles)
        .chain(definition.standards.as_deref())
        .collect()
}

/// The definition's own templates that cannot be filled in: each is tried here, so that no workflow is the first to.
fn failing_templates(definition: &Definition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for phase in &definition.phases {
        if let (Some(agent), Some(name)) = (own_agent(definition, phase), &phase.prompt) {
            mistakes.extend(failing(name, &agent, &format!("of phase {}", phase.id)));
        }
        for (key, ai) in approvers(phase) {
            let name = approver::template_name(ai);
            if definition.prompts.contains_key(name)
                && let Some(agent) = approver::agent(definition, ai)
            {
                mistakes.extend(failing(name, &agent, &format!("of the {key} of phase {}", phase.id)));
            }
        }
    }
    mistakes
}

/// The agent that a phase makes of a template of the definition's own.
fn own_agent(definition: &Definition, phase: &Phase) -> Option<Agent> {
    let name = phase.prompt.as_ref()?;
    let own = Cow::Owned(definition.prompts.get(name)?.clone());
    let agent = match &phase.schema {
        Some(schema) => made::agent(name, own, schema)?,
        None => phase.chooses.as_ref().map(|_| choice::agent(name, own))?,
    };
    Some(Agent {
        standards: standards_of(definition),
        ..agent
    })
}

fn failing(name: &str, agent: &Agent, whose: &str) -> Option<Mistake> {
    let flaw = prompt::trial(agent).err()?;
    let text = format!("the template {name} {whose} cannot be filled in: {}", flaw.text);
    Some(Mistake {
        line: flaw.line,
        ..Mistake::at(&["prompts", name], text)
    })
}

/// Whether answers of the schema of this name hold a verdict.
pub fn has_verdict(name: &str) -> bool {
    let schema = made::SCHEMAS.iter().find(|schema| schema.name == name);
    let schema = schema.and_then(|schema| serde_json::from_str::<Value>(schema.json).ok());
    schema.is_some_and(|schema| schema["properties"]["verdict"].is_object())
}

/// What goes back by a verdict must have one.
fn verdicts(definition: &Definition) -> Vec<Mistake> {
    let names = made::SCHEMAS.iter().map(|schema| schema.name);
    let judging: Vec<&str> = names.filter(|name| has_verdict(name)).collect();
    let without = |phase: &Phase| match (&phase.agent, &phase.schema) {
        (Some(_), _) => true,
        (None, Some(schema)) => {
            !judging.contains(&schema.as_str()) && made::SCHEMAS.iter().any(|known| known.name == *schema)
        }
        (None, None) => false,
    };
    let phases = definition.phases.iter().enumerate();
    let wrong = phases.filter(|(_, phase)| phase.on_fail.is_some() && !phase.asks && without(phase));
    let mistake = |(index, phase): (usize, &Phase)| {
        let text = format!(
            "phase {}: what it makes has no verdict, so it never goes back by `on_fail`; the schemas with one are {}",
            phase.id,
            judging.join(" and ")
        );
        Mistake::at(&["phases", &index.to_string(), "on_fail"], text)
    };
    wrong.map(mistake).collect()
}

/// Whether the rules provider has a grammar for what a phase asks. Scores it leaves to people.
pub fn has_rules(phase: &Phase) -> bool {
    let ruled = |prompt: &String| RULED_PROMPTS.contains(&prompt.as_str());
    phase.agent.is_some() || phase.chooses.is_some() || phase.prompt.as_ref().is_some_and(ruled)
}

/// Where the rules are to answer what they have no grammar for: a person would have to.
fn unruled(definition: &Definition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let instead = "so a person would have to answer; write `manual` or `http:NAME`";
    let phases = definition.phases.iter().enumerate();
    for (index, phase) in phases.filter(|(_, phase)| phase.prompt.is_some() && !has_rules(phase)) {
        let text = format!(
            "phase {}: the rules have no grammar for its prompt, {instead}",
            phase.id
        );
        let index = index.to_string();
        let role = phase.role.as_ref();
        let of_role = || definition.roles.get(role?)?.provider.as_deref();
        match (&phase.provider, role) {
            (Some(provider), _) if provider == RULES => {
                mistakes.push(Mistake::at(&["phases", &index, "provider"], text.clone()));
            }
            (None, Some(role)) if of_role() == Some(RULES) => {
                let text = format!(
                    "role {role}: the rules have no grammar for the prompt of {}, {instead}",
                    phase.id
                );
                mistakes.push(Mistake::at(&["roles", role, "provider"], text));
            }
            _ => {}
        }
        if let Some(Variants::Listed(specs)) = &phase.variants {
            let ruled = |spec: &crate::workflow::variants::Spec| spec.provider.as_deref() == Some(RULES);
            for (at, _) in specs.iter().enumerate().filter(|(_, spec)| ruled(spec)) {
                let path = ["phases", &index, "variants", &at.to_string(), "provider"];
                mistakes.push(Mistake::at(&path, text.clone()));
            }
        }
    }
    mistakes
}

/// Files of guidelines that cannot be, that stand there twice, or that no prompt would be made with.
fn guidelines(definition: &Definition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let named = &definition.guidelines;
    for (at, path) in named.iter().enumerate() {
        let mut wrong = |text: String| mistakes.push(Mistake::at(&["guidelines", &at.to_string()], text));
        if let Err(rule) = paths::check(path) {
            wrong(format!("`{path}` cannot be a file of the repository: {rule}"));
        } else if named[..at].contains(path) {
            wrong(format!("`{path}` stands here twice; keep one of them"));
        }
    }
    if named.len() > MOST_GUIDELINES {
        let text = format!(
            "guidelines are looked for in at most {MOST_GUIDELINES} files, and {} are named",
            named.len()
        );
        mistakes.push(Mistake::at(&["guidelines"], text));
    }
    let takes = |phase: &Phase| phase.takes_guidelines();
    if !named.is_empty() && !definition.phases.iter().any(takes) {
        let text =
            "no prompt is made with guidelines: they are for phases with a `prompt` and a `schema`; remove the key";
        mistakes.push(Mistake::at(&["guidelines"], text.to_owned()));
    }
    for (index, phase) in definition
        .phases
        .iter()
        .enumerate()
        .filter(|(_, phase)| !phase.guidelines)
    {
        let with = Phase {
            guidelines: true,
            ..phase.clone()
        };
        if named.is_empty() || !takes(&with) {
            let text = format!(
                "phase {}: its prompt is made without guidelines anyway; remove the key",
                phase.id
            );
            mistakes.push(Mistake::at(&["phases", &index.to_string(), "guidelines"], text));
        }
    }
    mistakes
}

/// A file that is named must be able to lie in a repository.
fn paths_of_files(definition: &Definition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (name, input) in definition.inputs.iter().filter(|(_, input)| input.is_file()) {
        let default = input.default.iter().map(|path| (vec!["default".to_owned()], path));
        let choices = input.choices.iter().enumerate();
        let choices = choices.map(|(at, path)| (vec!["choices".to_owned(), at.to_string()], path));
        for (below, path) in default.chain(choices) {
            if let Err(rule) = paths::check(path) {
                let below: Vec<&str> = below.iter().map(String::as_str).collect();
                let text = format!("input {name}: `{path}` cannot be a file of the repository: {rule}");
                mistakes.push(Mistake::at(
                    &[&["inputs", name.as_str()], below.as_slice()].concat(),
                    text,
                ));
            }
        }
    }
    mistakes
}
