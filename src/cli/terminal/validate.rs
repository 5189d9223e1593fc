//! `countersign validate ai|standards|guidelines|all [KEY]`: whether what workflows are run with can be used.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::database::{Database, project};
use super::super::page::{Ink, Table};
use super::{settings, whoever_runs_this, words as said};
use crate::agents;
use crate::chat::say::guidelines::{unfit, words};
use crate::config::{GuidelinesFile, Models, ProviderName};
use crate::engine::{Folder, embedded_definitions};
use crate::workflow::guidelines::{Found, Unfit};

/// What is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Where agents' text can come from
    Ai,
    /// The standards that definitions hold answers to
    Standards,
    /// The project's guidelines, which prompts are made with
    Guidelines,
    /// All of them
    All,
}

/// What to validate.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Validate {
    what: What,
    /// One of them: a provider (`rules`, `manual`, `http:NAME`), a standard's name or a file with guidelines
    key: Option<String>,
    #[command(flatten)]
    database: Database,
}

struct Checked {
    kind: &'static str,
    name: String,
    /// What is wrong with it; nothing else is of interest then.
    wrong: Option<String>,
    detail: String,
}

impl Validate {
    /// Answers with what was validated; fails where anything cannot be used.
    pub(in crate::cli) fn run(self) -> Result<Answer, Refusal> {
        let root = project(self.database.named_project().unwrap_or(Path::new(".")))?;
        let (choices, models) = settings(&root, self.database.config.clone())?;
        let mut all = Vec::new();
        if let What::Ai | What::All = self.what {
            all.extend(providers(&models));
        }
        if let What::Standards | What::All = self.what {
            all.extend(standards()?);
        }
        if let What::Guidelines | What::All = self.what {
            let folder = Folder::new(root.clone(), whoever_runs_this(&root));
            all.extend(guidelines(&folder, choices.guidelines.as_ref())?);
        }
        if let Some(key) = &self.key {
            let known: Vec<String> = all.iter().map(|checked| checked.name.clone()).collect();
            all.retain(|checked| checked.name == *key);
            if all.is_empty() {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(Refusal::failed(format!(
                    "there is no {key} to validate; {}",
                    said::nearest(key, &known)
                )));
            }
        }
        let rows: Vec<Value> = all
            .iter()
            .map(|checked| {
                let mut row = json!({
                    "kind": checked.kind, "name": checked.name, "usable": checked.wrong.is_none(), "detail": checked.detail,
                });
                if let Some(wrong) = &checked.wrong {
                    row["why_not"] = json!(wrong);
                }
                row
            })
            .collect();
        let data = json!({ "validated": rows });
        let wrong: Vec<String> = all
            .iter()
            .filter_map(|checked| Some(format!("{}: {}", checked.name, checked.wrong.as_ref()?)))
            .collect();
        if !wrong.is_empty() {
            return Err(Refusal::failed_for(wrong).with(data));
        }
        let mut table = Table::new(["KIND", "NAME", "DETAIL"]);
        for checked in all {
            table.row([checked.kind.to_owned(), checked.name, checked.detail]);
        }
        Ok(Answer::new(data, table.page(Ink::of_stdout())))
    }
}

fn providers(models: &Models) -> Vec<Checked> {
    let own = [
        (ProviderName::Rules, "fixed rules of this program"),
        (ProviderName::Manual, "a person gives the answer"),
    ];
    let own = own.into_iter().map(|(name, detail)| Checked {
        kind: "provider",
        name: name.to_string(),
        wrong: None,
        detail: detail.to_owned(),
    });
    let endpoints = models.endpoints.iter().map(|endpoint| Checked {
        kind: "provider",
        name: ProviderName::Http(endpoint.name.clone()).to_string(),
        wrong: endpoint.obstacle(),
        detail: format!("{} at {}", endpoint.model, endpoint.base_url),
    });
    own.chain(endpoints).collect()
}

/// The files with guidelines that are there, or that the settings name.
fn guidelines(folder: &Folder, chosen: Option<&GuidelinesFile>) -> Result<Vec<Checked>, Refusal> {
    let definitions = embedded_definitions().map_err(Refusal::failed)?;
    let mut paths: Vec<&str> = Vec::new();
    match chosen {
        Some(GuidelinesFile::At(path)) => paths.push(path),
        Some(GuidelinesFile::Off) => {}
        Some(GuidelinesFile::AsDefined) | None => {
            for path in definitions.iter().flat_map(|definition| &definition.guidelines) {
                if !paths.contains(&path.as_str()) {
                    paths.push(path);
                }
            }
        }
    }
    let mut all = Vec::new();
    for path in paths {
        let found = folder.guide(path).map_err(Refusal::failed)?;
        let named = chosen.is_some();
        let checked = |wrong: Option<String>, detail: String| Checked {
            kind: "guidelines",
            name: path.to_owned(),
            wrong,
            detail,
        };
        all.extend(match found.map(|guide| guide.of) {
            Some(of) => Some(match &of.found {
                Found::Given(_) => checked(None, words(&of)),
                Found::LeftOut(Unfit::Empty) => checked(None, unfit(&Unfit::Empty)),
                Found::LeftOut(why) => checked(Some(unfit(why)), String::new()),
            }),
            None if named => Some(checked(Some(unfit(&Unfit::Missing)), String::new())),
            None => None,
        });
    }
    Ok(all)
}

fn standards() -> Result<Vec<Checked>, Refusal> {
    let definitions = embedded_definitions().map_err(Refusal::failed)?;
    let mut all: Vec<Checked> = Vec::new();
    for definition in &definitions {
        let Some(name) = &definition.standards else { continue };
        if all.iter().any(|checked| checked.name == *name) {
            continue;
        }
        let phase = definition.phases.iter().find(|phase| phase.has_agent());
        let found = phase.and_then(|phase| agents::of_phase(definition, phase)?.standards);
        let (wrong, detail) = match found {
            Some(standards) => (None, format!("SHA-256 {}, of {}", standards.digest(), definition.name)),
            None => (
                Some("there is no such template".to_owned()),
                format!("of {}", definition.name),
            ),
        };
        all.push(Checked {
            kind: "standards",
            name: name.clone(),
            wrong,
            detail,
        });
    }
    Ok(all)
}
