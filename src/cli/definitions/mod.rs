//! `countersign definitions`: which workflows there are, and whether a file makes another: checked, drawn, walked.

mod costs;
mod graph;
mod simulate;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::check::mistaken;
use super::page::{Ink, Table};
use super::quorums::{Against, Looked};
use crate::chat::label;
use crate::config::{definition, quorums};
use crate::engine::{embedded_definitions, read_repository_config};
use crate::workflow::definition::Definition;

/// What to do with definitions; without a word, list them.
#[derive(Debug, clap::Args)]
pub(super) struct Definitions {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the definitions that come with the program
    List,
    /// Check a definition's file: every mistake, where it stands
    Check {
        /// A definition, such as .github/countersign/triage.yml
        file: PathBuf,
        #[command(flatten)]
        against: Against,
    },
    /// What each role takes of which model: a call, and a month
    Costs(costs::Costs),
    /// Draw a definition, as Mermaid and as text
    Graph {
        /// The name of a definition of the program, or a file
        #[arg(value_name = "NAME|FILE")]
        definition: String,
    },
    /// Walk a definition by a script, with nothing outside, and print every state
    Simulate {
        /// The name of a definition of the program, or a file
        #[arg(value_name = "NAME|FILE")]
        definition: String,
        /// What happens, step by step (YAML)
        #[arg(long)]
        script: PathBuf,
    },
    /// Print the JSON Schema of a definition, for editors
    Schema,
}

impl Definitions {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            None | Some(Action::List) => "definitions list",
            Some(Action::Check { .. }) => "definitions check",
            Some(Action::Costs(_)) => "definitions costs",
            Some(Action::Graph { .. }) => "definitions graph",
            Some(Action::Simulate { .. }) => "definitions simulate",
            Some(Action::Schema) => "definitions schema",
        }
    }

    /// Answers with what was asked for.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match self.action.unwrap_or(Action::List) {
            Action::List => list(),
            Action::Check { file, against } => check(&file, &against).await,
            Action::Costs(costs) => costs.run().await,
            Action::Graph { definition } => {
                let definition = find(&definition)?;
                let (mermaid, text) = (graph::mermaid(&definition), graph::text(&definition));
                let page = format!("{mermaid}\n{text}");
                Ok(Answer::new(
                    json!({ "name": definition.name, "mermaid": mermaid, "text": text }),
                    page,
                ))
            }
            Action::Simulate { definition, script } => simulate::run(&find(&definition)?, &script),
            Action::Schema => {
                let schema = definition::definition_schema();
                let page = format!("{schema:#}\n");
                Ok(Answer::new(schema, page))
            }
        }
    }
}

fn list() -> Result<Answer, Refusal> {
    let all = embedded_definitions().map_err(Refusal::failed)?;
    let mut table = Table::new(["NAME", "VERSION", "PHASES", "TITLE", "ASKS FOR"]);
    let mut rows = Vec::new();
    for definition in &all {
        let inputs: Vec<String> = definition
            .inputs
            .iter()
            .map(|(name, input)| match input.required {
                true => name.clone(),
                false => format!("[{name}]"),
            })
            .collect();
        let phases: Vec<&str> = definition.phases.iter().map(|phase| phase.id.as_str()).collect();
        table.row([
            definition.name.clone(),
            definition.version.to_string(),
            phases.len().to_string(),
            definition.title.clone(),
            inputs.join(", "),
        ]);
        rows.push(json!({
            "name": definition.name,
            "version": definition.version,
            "title": definition.title,
            "inputs": definition.inputs,
            "phases": phases,
        }));
    }
    Ok(Answer::new(
        json!({ "definitions": rows }),
        table.page(Ink::of_stdout()),
    ))
}

async fn check(file: &Path, against: &Against) -> Result<Answer, Refusal> {
    against.usable()?;
    // A name of the program's, of another file or of the configuration is taken; the program's own file has its own.
    let mut others = embedded_definitions().map_err(Refusal::failed)?;
    let text = text_of(file)?;
    if let Ok(own) = definition::read(&text, &crate::agents::names(), &[]) {
        others.retain(|other| *other != own);
    }
    let (configured, mut notes) = configured(file);
    others.extend(beside(file));
    others.extend(configured);
    let taken: Vec<&str> = others.iter().map(|definition| definition.name.as_str()).collect();
    let definition = read(file, &taken, Some(&others))?;
    let asked = quorums::in_definition(&text, &definition);
    match against.look(&asked).await {
        Looked::Good => {}
        Looked::NotChecked(note) => notes.push(note),
        Looked::Wrong(mistakes) => return Err(mistaken(file, &mistakes)),
    }
    let shown = file.display();
    let note = (!notes.is_empty()).then(|| notes.join(" "));
    let label = label::that_starts(&definition.name);
    let no_label = label.as_ref().err().map(|why| format!("{} {why}.", definition.name));
    let said: String = note.iter().chain(&no_label).map(|note| format!(" {note}")).collect();
    Ok(Answer::new(
        json!({ "file": shown.to_string(), "name": definition.name, "mistakes": [], "unchecked": note, "label": label.ok() }),
        format!(
            "{shown} is good: {} {}, {} phases.{said}\n",
            definition.name,
            definition.version,
            definition.phases.len()
        ),
    ))
}

/// The definitions in the repository's configuration, where the file lies in the folder beside it, with what could not be
/// looked at.
fn configured(file: &Path) -> (Vec<Definition>, Vec<String>) {
    let folder = file.parent().filter(|folder| folder.ends_with("countersign"));
    let path = folder.map(|folder| folder.with_file_name("countersign.yml"));
    let Some((path, text)) = path.and_then(|path| Some((path.clone(), std::fs::read_to_string(path).ok()?))) else {
        return (Vec::new(), Vec::new());
    };
    match read_repository_config(&text) {
        Ok(config) => (config.definitions, Vec::new()),
        Err(_) => {
            let path = path.display();
            let note = format!(
                "Names in {path} were not looked at, because it has mistakes: `countersign check {path}` tells them."
            );
            (Vec::new(), vec![note])
        }
    }
}

fn text_of(path: &Path) -> Result<String, Refusal> {
    std::fs::read_to_string(path)
        .map_err(|error| Refusal::failed(format!("{} cannot be read: {error}", path.display())))
}

/// A definition of the program's by its name, or else a file.
pub(super) fn find(wanted: &str) -> Result<Definition, Refusal> {
    let program = embedded_definitions().map_err(Refusal::failed)?;
    if let Some(found) = program.iter().find(|definition| definition.name == wanted) {
        return Ok(found.clone());
    }
    let path = Path::new(wanted);
    if path.exists() {
        return read(path, &[], None);
    }
    let known = program.iter().map(|definition| definition.name.as_str());
    let instead = definition::instead(wanted, known);
    Err(Refusal::failed(format!(
        "{wanted} is neither a definition of the program nor a file; {instead}"
    )))
}

/// The definitions beside one that is named: the program's, and where it is a file, those of its folder.
pub(super) fn neighbours(wanted: &str) -> Result<Vec<Definition>, Refusal> {
    let mut all = embedded_definitions().map_err(Refusal::failed)?;
    let path = Path::new(wanted);
    if path.is_file() {
        all.extend(beside(path));
    }
    Ok(all)
}

/// The definitions in the other files of a folder, as far as they are good: children may be among them.
fn beside(file: &Path) -> Vec<Definition> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let is_definition = |path: &&PathBuf| {
        let ends = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
        ends && path.file_name() != file.file_name()
    };
    let good = |path: &PathBuf| read(path, &[], None).ok();
    paths.iter().filter(is_definition).filter_map(good).collect()
}

fn read(path: &Path, taken: &[&str], others: Option<&[Definition]>) -> Result<Definition, Refusal> {
    let text = text_of(path)?;
    let names = crate::agents::names();
    let read = match others {
        Some(others) => definition::read_among(&text, &names, taken, others),
        None => definition::read(&text, &names, taken),
    };
    read.map_err(|mistakes| mistaken(path, &mistakes))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
