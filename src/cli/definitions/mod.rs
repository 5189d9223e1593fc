//! `countersign definitions`: which workflows there are, and whether a file makes another: checked, drawn, walked.

mod graph;
mod simulate;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::page::{Ink, Table};
use crate::config::ConfigError;
use crate::config::definition;
use crate::engine::embedded_definitions;
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
    },
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
            Some(Action::Graph { .. }) => "definitions graph",
            Some(Action::Simulate { .. }) => "definitions simulate",
            Some(Action::Schema) => "definitions schema",
        }
    }

    /// Answers with what was asked for.
    pub(super) fn run(self) -> Result<Answer, Refusal> {
        match self.action.unwrap_or(Action::List) {
            Action::List => list(),
            Action::Check { file } => check(&file),
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

fn check(file: &Path) -> Result<Answer, Refusal> {
    // A name of the program's is taken: a repository cannot bring another of that name.
    let program = embedded_definitions().map_err(Refusal::failed)?;
    let taken: Vec<&str> = program.iter().map(|definition| definition.name.as_str()).collect();
    let others: Vec<Definition> = program.iter().cloned().chain(beside(file)).collect();
    let definition = read(file, &taken, Some(&others))?;
    let shown = file.display();
    Ok(Answer::new(
        json!({ "file": shown.to_string(), "name": definition.name, "mistakes": [] }),
        format!(
            "{shown} is good: {} {}, {} phases.\n",
            definition.name,
            definition.version,
            definition.phases.len()
        ),
    ))
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
    let file = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| Refusal::failed(format!("{file} cannot be read: {error}")))?;
    let names = crate::agents::names();
    let read = match others {
        Some(others) => definition::read_among(&text, &names, taken, others),
        None => definition::read(&text, &names, taken),
    };
    read.map_err(|mistakes| {
        let place = |mistake: &ConfigError| format!("{file}:{}:{}: {}", mistake.line, mistake.column, mistake.message);
        let data = json!({ "file": file.to_string(), "mistakes": mistakes });
        Refusal::mistakes(mistakes.iter().map(place).collect(), data)
    })
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
