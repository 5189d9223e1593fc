//! What the operator's terminal is set to: flags before the project's file before the user's file before the defaults.
//!
//! A project's file comes with the project, perhaps from somebody else: it chooses among what the user has, and names no
//! address that a prompt could be sent to. Gates can only be added.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::{ConfigError, Document, Schema, suggest};
use super::models::Models;
use super::models_file::{self, FileModels};
use super::repository::{GuidelinesFile, Offer, ProviderName};
use crate::agents::{Names, has_rules};
use crate::workflow::definition::{Definition, Gate, MOST_RETRIES, Phase};
use crate::workflow::ids::PhaseId;

/// The key of what holds for every role that is not named.
const DEFAULT: &str = "default";

/// What one place says: the command line or a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Role, phase or `default`: where its text comes from.
    pub providers: BTreeMap<String, ProviderName>,
    /// How often a response that was rejected is tried again with what was said.
    pub retries: Option<u32>,
    /// Gates of people beyond those of the definition: phase and stage.
    pub gates: Vec<(String, GateStage)>,
    /// Where the project's guidelines are, for definitions that take some.
    pub guidelines: Option<GuidelinesFile>,
    /// The roles and phases that files name, and where.
    pub written: Vec<Written>,
}

/// A name of a role or a phase in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What is meant by it.
    pub what: Meant,
    /// The name.
    pub name: String,
    /// The file with line and column.
    pub place: String,
}

/// What a name in a file is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// A role, a phase or `default`.
    Speaker,
    /// A phase.
    Phase,
}

impl Meant {
    fn word(self) -> &'static str {
        match self {
            Self::Speaker => "role",
            Self::Phase => "phase",
        }
    }

    /// The names of a definition that can be meant.
    fn among(self, definition: &Definition) -> Vec<&str> {
        let phases = definition.phases.iter().map(|phase| phase.id.as_str());
        match self {
            Self::Phase => phases.collect(),
            Self::Speaker => {
                let roles = definition.roles.keys().map(String::as_str);
                roles.chain(phases).chain([DEFAULT]).collect()
            }
        }
    }
}

/// At which stage of a phase a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateStage {
    /// Before the prompt is sent.
    Prompt,
    /// Before the answer counts.
    Response,
}

impl Choices {
    /// These, and where they say nothing, those of the next place. Gates add up.
    #[must_use]
    pub fn over(mut self, next: Self) -> Self {
        for (role, provider) in next.providers {
            self.providers.entry(role).or_insert(provider);
        }
        self.retries = self.retries.or(next.retries);
        self.gates.extend(next.gates);
        self.guidelines = self.guidelines.or(next.guidelines);
        self.written.extend(next.written);
        self
    }

    /// A definition with what was chosen, as the workflow keeps it from its start.
    ///
    /// # Errors
    /// Every choice that cannot be made, a sentence each.
    pub fn applied_to(
        &self,
        definition: &Definition,
        offer: Offer<'_>,
        names: &Names,
    ) -> Result<Definition, Vec<String>> {
        let mut definition = definition.clone();
        let mut problems: Vec<String> = Vec::new();
        for provider in self.providers.values() {
            problems.extend(provider.endpoint().and_then(|endpoint| offer.refusal(endpoint)));
        }
        let chosen = |name: &str| self.providers.get(name).map(ToString::to_string);
        // Rules for all are rules for those for whom there are any; the others are asked as if nobody had said anything.
        let for_all = |phases: &[&Phase]| {
            let default = self.providers.get(DEFAULT)?;
            let fits = *default != ProviderName::Rules || phases.iter().all(|phase| has_rules(phase));
            fits.then(|| default.to_string())
        };
        let phases = &definition.phases;
        for (name, role) in &mut definition.roles {
            let own = role.provider.take();
            let speaks = |phase: &&Phase| phase.role.as_ref() == Some(name);
            let spoken: Vec<&Phase> = phases.iter().filter(speaks).collect();
            role.provider = chosen(name).or(own).or_else(|| for_all(&spoken));
        }
        for phase in definition.phases.iter_mut().filter(|phase| phase.has_agent()) {
            // What the definition fixes for a phase stays: a phase of a person is one.
            if phase.provider.is_none() {
                let of_role = phase.role.as_ref().and_then(|role| definition.roles.get(role));
                phase.provider = chosen(phase.id.as_str()).or_else(|| match of_role {
                    Some(_) => None,
                    None => for_all(&[&*phase]),
                });
            }
            if let Some(retries) = self.retries {
                phase.limits.retries = retries;
            }
        }
        let roles = definition.roles.clone();
        for phase in &mut definition.phases {
            let id = phase.id.clone();
            for gate in [&mut phase.prompt_gate, &mut phase.gate] {
                let Some(ai) = &mut gate.ai else { continue };
                let of_role = ai.role.as_ref().and_then(|role| roles.get(role)?.provider.clone());
                let named = ai.provider.clone().or(of_role).or_else(|| chosen(DEFAULT));
                problems.extend(no_approver(&id, named.as_deref(), offer));
                if ai.provider.is_none() && ai.role.is_none() {
                    ai.provider = named;
                }
            }
        }
        for (name, stage) in &self.gates {
            let Some(phase) = definition.phases.iter_mut().find(|phase| phase.id.as_str() == name) else {
                continue;
            };
            let gate = match stage {
                GateStage::Prompt => &mut phase.prompt_gate,
                GateStage::Response => &mut phase.gate,
            };
            if gate.is_none() {
                *gate = of_people();
            }
        }
        match &self.guidelines {
            Some(GuidelinesFile::At(path)) if !definition.guidelines.is_empty() => {
                definition.guidelines = vec![path.clone()];
            }
            Some(GuidelinesFile::Off) => {
                definition.guidelines.clear();
                definition.phases.iter_mut().for_each(|phase| phase.guidelines = true);
            }
            _ => {}
        }
        let mistakes = names.mistakes(&definition);
        problems.extend(mistakes.into_iter().map(|mistake| mistake.text));
        if problems.is_empty() {
            Ok(definition)
        } else {
            Err(problems)
        }
    }

    /// What the command line names that this definition does not have: a sentence each, with the nearest name.
    pub fn strangers(&self, definition: &Definition) -> Vec<String> {
        let roles = self.providers.keys().map(|role| (Meant::Speaker, role));
        let gates = self.gates.iter().map(|(phase, _)| (Meant::Phase, phase));
        let unknown = roles.chain(gates).filter_map(|(what, named)| {
            let known = what.among(definition);
            let instead = || suggest(named, known.iter().copied());
            let (name, word) = (&definition.name, what.word());
            (!known.contains(&named.as_str())).then(|| format!("{name} has no {word} {named}; {}", instead()))
        });
        let guidelines = match &self.guidelines {
            Some(GuidelinesFile::At(path)) if definition.guidelines.is_empty() => Some(format!(
                "{} makes no prompt with guidelines, so {path} would be read by nobody; leave it out",
                definition.name
            )),
            _ => None,
        };
        unknown.chain(guidelines).collect()
    }

    /// What the files name that neither this definition has nor any of the others that may be run beside it: a sentence
    /// each with its place, and the nearest name of this one.
    pub fn strangers_in_files(&self, definition: &Definition, others: &[Definition]) -> Vec<String> {
        let known = |written: &&Written| {
            let has = |one: &Definition| written.what.among(one).contains(&written.name.as_str());
            has(definition) || others.iter().any(has)
        };
        let unknown = self.written.iter().filter(|written| !known(written));
        let sentence = |written: &Written| {
            let instead = suggest(&written.name, written.what.among(definition).into_iter());
            let (word, name) = (written.what.word(), &written.name);
            format!("{}: no definition here has a {word} `{name}`; {instead}", written.place)
        };
        unknown.map(sentence).collect()
    }
}

/// Why the approver of a phase's gate cannot be asked, where it cannot.
fn no_approver(phase: &PhaseId, named: Option<&str>, offer: Offer<'_>) -> Option<String> {
    let provider: ProviderName = named
        .and_then(|named| named.parse().ok())
        .unwrap_or(ProviderName::Manual);
    match provider.endpoint() {
        Some(endpoint) => offer.refusal(endpoint),
        None => Some(format!(
            "the gate of {phase} asks a model, and `{provider}` is none: name an endpoint with `--provider \
             default=http:NAME`, or in the definition, `ai: {{provider: http:NAME}}`"
        )),
    }
}

/// One approval by the operator.
fn of_people() -> Gate {
    serde_json::from_value(serde_json::json!({ "people": { "right": "write" } }))
        .expect("a gate of people has this form")
}

/// Reads `plan.prompt` or `plan.response`.
///
/// # Errors
/// A sentence that shows the form.
pub fn parse_gate(text: &str) -> Result<(String, GateStage), String> {
    let wrong = || format!("{text:?} names no gate; write a phase and `prompt` or `response`, such as plan.prompt");
    let (phase, stage) = text.split_once('.').ok_or_else(wrong)?;
    match stage {
        "prompt" => Ok((phase.to_owned(), GateStage::Prompt)),
        "response" => Ok((phase.to_owned(), GateStage::Response)),
        _ => Err(wrong()),
    }
}

// ---- the files as they are written

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileGate {
    People,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FileGates {
    /// Before the prompt is sent.
    #[schemars(with = "FileGate")]
    prompt: Option<FileGate>,
    /// Before the answer counts.
    #[schemars(with = "FileGate")]
    response: Option<FileGate>,
}

/// Settings of Countersign in a project, `.countersign/config.yml`: what workflows start with that are run from a
/// terminal.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Countersign: a project's settings for the terminal")]
struct ProjectFile {
    /// Where text comes from: role, phase or default, and rules, manual or http:NAME.
    providers: BTreeMap<String, String>,
    /// How often a response that was rejected is tried again with what was said.
    #[schemars(with = "u32", extend("maximum" = MOST_RETRIES))]
    retries: Option<u32>,
    /// Gates beyond those of the definition, by phase: people. They can only be added.
    gates: BTreeMap<String, FileGates>,
    /// The file with the project's guidelines, a path in the project, or off for none; for definitions that take some.
    #[schemars(with = "String", extend("examples" = ["AGENTS.md", "off"]))]
    guidelines: Option<String>,
}

/// A user's settings of Countersign, `~/.config/countersign/config.yml`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Countersign: a user's settings for the terminal")]
struct UserFile {
    /// Where text comes from: role, phase or default, and rules, manual or http:NAME.
    providers: BTreeMap<String, String>,
    /// How often a response that was rejected is tried again with what was said.
    #[schemars(with = "u32", extend("maximum" = MOST_RETRIES))]
    retries: Option<u32>,
    /// Gates beyond those of the definition, by phase: people. They can only be added.
    gates: BTreeMap<String, FileGates>,
    /// The file with a project's guidelines, a path in the project, or off for none; for definitions that take some.
    #[schemars(with = "String", extend("examples" = ["AGENTS.md", "off"]))]
    guidelines: Option<String>,
    /// Model endpoints, as in the server's file. A project's file has none: it could come from anybody.
    models: FileModels,
}

static PROJECT: LazyLock<Schema> = LazyLock::new(Schema::of::<ProjectFile>);
static USER: LazyLock<Schema> = LazyLock::new(|| Schema::of::<UserFile>().with_parts(models_file::PARTS));

/// The JSON Schema of a project's file; published as `schema/terminal-project.schema.json`.
pub fn project_schema() -> serde_json::Value {
    PROJECT.json().clone()
}

/// The JSON Schema of a user's file; published as `schema/terminal-user.schema.json`.
pub fn user_schema() -> serde_json::Value {
    USER.json().clone()
}

/// What a project's file says; nothing where there is none.
///
/// # Errors
/// Every mistake, as a sentence with its place.
pub fn read_project(path: &Path) -> Result<Choices, Vec<String>> {
    let Some(document) = document(path)? else {
        return Ok(Choices::default());
    };
    let (file, mistakes) = document.fill::<ProjectFile>(&PROJECT);
    let file = held(path, file, mistakes)?;
    let guidelines = file.guidelines.as_deref();
    choices(path, &document, (file.providers, file.retries, file.gates), guidelines)
}

/// What a user's file says, and the endpoints that it names; nothing where there is none. Keys of endpoints are looked
/// for in the environment.
///
/// # Errors
/// Every mistake, as a sentence with its place.
pub fn read_user(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<(Choices, Models), Vec<String>> {
    let Some(document) = document(path)? else {
        return Ok((Choices::default(), Models::default()));
    };
    let (file, mistakes) = document.fill::<UserFile>(&USER);
    let file = held(path, file, mistakes)?;
    let models = file.models.check(&document, environment);
    let models = models.map_err(|mistakes| placed(path, mistakes))?;
    let guidelines = file.guidelines.as_deref();
    let choices = choices(path, &document, (file.providers, file.retries, file.gates), guidelines)?;
    Ok((choices, models))
}

fn document(path: &Path) -> Result<Option<Document>, Vec<String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(vec![format!("{} cannot be read: {error}", path.display())]),
    };
    let document = Document::parse(&text).map_err(|mistake| placed(path, vec![mistake]))?;
    Ok(Some(document))
}

fn placed(path: &Path, mistakes: Vec<ConfigError>) -> Vec<String> {
    let at = path.display();
    let mistakes = mistakes.into_iter();
    mistakes.map(|mistake| format!("{at}, {mistake}")).collect()
}

fn held<T: Default>(path: &Path, file: Option<T>, mistakes: Vec<ConfigError>) -> Result<T, Vec<String>> {
    match mistakes.is_empty() {
        true => Ok(file.unwrap_or_default()),
        false => Err(placed(path, mistakes)),
    }
}

fn choices(
    path: &Path,
    document: &Document,
    (providers, retries, gates): (BTreeMap<String, String>, Option<u32>, BTreeMap<String, FileGates>),
    guidelines: Option<&str>,
) -> Result<Choices, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut read = Choices {
        retries,
        ..Choices::default()
    };
    let written = |what, name: &str, key: &str| Written {
        what,
        name: name.to_owned(),
        place: {
            let at = document.key_at(&[key, name]);
            format!("{}, line {}, column {}", path.display(), at.line, at.column)
        },
    };
    for (role, provider) in providers {
        read.written.push(written(Meant::Speaker, &role, "providers"));
        match provider.parse() {
            Ok(provider) => {
                read.providers.insert(role, provider);
            }
            Err(sentence) => mistakes.push(document.at(&["providers", &role]).error(sentence)),
        }
    }
    match guidelines.map(GuidelinesFile::parse) {
        Some(Ok(file)) => read.guidelines = Some(file),
        Some(Err(sentence)) => mistakes.push(document.at(&["guidelines"]).error(sentence)),
        None => {}
    }
    for (phase, gates) in gates {
        read.written.push(written(Meant::Phase, &phase, "gates"));
        let stages = [(gates.prompt, GateStage::Prompt), (gates.response, GateStage::Response)];
        let wanted = stages.into_iter().filter(|(gate, _)| gate.is_some());
        read.gates.extend(wanted.map(|(_, stage)| (phase.clone(), stage)));
    }
    match mistakes.is_empty() {
        true => Ok(read),
        false => Err(placed(path, mistakes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.yml");
        std::fs::write(&path, text).unwrap();
        (home, path)
    }

    fn generate() -> Definition {
        let all = crate::engine::embedded_definitions().unwrap();
        all.into_iter().find(|one| one.name == "generate").unwrap()
    }

    #[test]
    fn the_nearer_place_counts_and_gates_add_up() {
        let (_one, project) = written("providers: {planner: rules}\ngates: {plan: {prompt: people}}\n");
        let (_two, user) = written("providers: {planner: manual, reviewer: rules}\nretries: 3\n");
        let flags = Choices {
            providers: BTreeMap::from([("reviewer".to_owned(), ProviderName::Manual)]),
            ..Choices::default()
        };
        let (user, models) = read_user(&user, &|_| None).unwrap();
        assert_eq!(models, Models::default());
        let all = flags.over(read_project(&project).unwrap()).over(user);
        assert_eq!(
            all.providers["planner"],
            ProviderName::Rules,
            "the project's before the user's"
        );
        assert_eq!(all.providers["reviewer"], ProviderName::Manual, "flags before files");
        assert_eq!(all.retries, Some(3));
        assert_eq!(all.gates, [("plan".to_owned(), GateStage::Prompt)]);
    }

    #[test]
    fn what_was_chosen_stands_in_the_definition() {
        let choices = Choices {
            providers: BTreeMap::from([
                ("planner".to_owned(), ProviderName::Manual),
                ("default".to_owned(), ProviderName::Rules),
            ]),
            retries: Some(2),
            gates: vec![("plan".to_owned(), GateStage::Prompt)],
            ..Choices::default()
        };
        let models = Models::default();
        let offer = Offer {
            models: &models,
            repository: None,
        };
        let definition = choices.applied_to(&generate(), offer, &crate::agents::names()).unwrap();
        assert_eq!(definition.roles["planner"].provider.as_deref(), Some("manual"));
        assert_eq!(
            definition.roles["reviewer"].provider, None,
            "the rules have no grammar for it"
        );
        let ruled = Choices {
            providers: BTreeMap::from([("planner".to_owned(), ProviderName::Rules)]),
            ..Choices::default()
        };
        let refused = ruled
            .applied_to(&generate(), offer, &crate::agents::names())
            .unwrap_err();
        assert!(
            refused[0].contains("the rules have no grammar for the prompt of plan"),
            "{refused:?}"
        );
        assert!(definition.phases.iter().all(|phase| phase.limits.retries == 2));
        let stranger = Choices {
            providers: BTreeMap::from([("planer".to_owned(), ProviderName::Rules)]),
            ..Choices::default()
        };
        let said = stranger.strangers(&generate());
        assert_eq!(said, ["generate has no role planer; did you mean `planner`?"]);
        let nowhere = Choices {
            providers: BTreeMap::from([("planner".to_owned(), "http:nowhere".parse().unwrap())]),
            ..Choices::default()
        };
        assert!(
            nowhere
                .applied_to(&generate(), offer, &crate::agents::names())
                .unwrap_err()[0]
                .contains("`http:nowhere` is no provider here")
        );
    }

    #[test]
    fn a_name_that_no_definition_has_is_told_with_its_place() {
        let (_home, path) = written(
            "providers: {plannr: manual, drafter: manual, default: manual}\ngates:\n  plna: {prompt: people}\n  draft: \
             {response: people}\n",
        );
        let choices = read_project(&path).unwrap();
        let others = crate::engine::embedded_definitions().unwrap();
        let said = choices.strangers_in_files(&generate(), &others);
        let said: Vec<&str> = said.iter().filter_map(|said| Some(said.split_once(", ")?.1)).collect();
        assert_eq!(
            said,
            [
                "line 1, column 13: no definition here has a role `plannr`; did you mean `planner`?",
                "line 3, column 3: no definition here has a phase `plna`; did you mean `plan`?",
            ]
        );
    }

    #[test]
    fn mistakes_have_their_place_and_a_project_names_no_address() {
        for (text, expected) in [
            (
                "providers: {planner: rulez}\n",
                "line 1, column 22: \"rulez\" is no provider",
            ),
            (
                "gates: {plan: {prompt: skip}}\n",
                "`gates.plan.prompt` must be one of `people`",
            ),
            ("models: {}\n", "`models` is not known"),
            ("retries: 99\n", "at most 10"),
        ] {
            let (_home, path) = written(text);
            let said = read_project(&path).unwrap_err();
            assert!(said[0].contains(expected), "{text}: {said:?}");
        }
    }
}
