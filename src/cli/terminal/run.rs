//! `countersign run DEFINITION`: a workflow of a project's folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::answer::{Answer, Refusal};
use super::super::database::{Database, Whose, project};
use super::super::definitions::{find, neighbours};
use super::{Desk, Entering, provider, settings, whoever_runs_this, words};
use crate::config::terminal::{Choices, GateStage, parse_gate};
use crate::config::{GuidelinesFile, Offer, ProviderName};
use crate::engine::{Folder, Not};

/// What to start.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Run {
    /// The name of a definition of the program, or a definition's file
    #[arg(value_name = "DEFINITION|FILE")]
    definition: String,
    /// What the definition asks for, by name; `countersign definitions graph NAME` says what each is
    #[arg(short, long = "context", value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// What is wanted, in your own words, where the inputs do not say it all; `-` reads standard input
    #[arg(long, value_name = "TEXT")]
    request: Option<String>,
    /// Where the planner's text comes from: rules, manual or http:NAME
    #[arg(long, value_name = "PROVIDER", value_parser = provider)]
    planner: Option<ProviderName>,
    /// Where the generator's text comes from
    #[arg(long, value_name = "PROVIDER", value_parser = provider)]
    generator: Option<ProviderName>,
    /// Where the reviewer's text comes from
    #[arg(long, value_name = "PROVIDER", value_parser = provider)]
    reviewer: Option<ProviderName>,
    /// Where the reviser's text comes from
    #[arg(long, value_name = "PROVIDER", value_parser = provider)]
    reviser: Option<ProviderName>,
    /// Where the text of a role, of a phase, or of all (`default`) comes from
    #[arg(long = "provider", value_name = "ROLE=PROVIDER", value_parser = role)]
    providers: Vec<(String, ProviderName)>,
    /// How often a response that was rejected is tried again with what was said
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=10))]
    retries: Option<u32>,
    /// A gate beyond those of the definition, such as plan.prompt; gates can only be added
    #[arg(long = "gate", value_name = "PHASE.STAGE", value_parser = parse_gate)]
    gates: Vec<(String, GateStage)>,
    /// The file with the project's guidelines, in the place of the definition's (AGENTS.md, CLAUDE.md); `off` for none
    #[arg(long, value_name = "PATH|off", value_parser = GuidelinesFile::parse)]
    guidelines: Option<GuidelinesFile>,
    #[command(flatten)]
    database: Database,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    let (name, value) = pair.ok_or_else(|| format!("{text:?} has no value; write NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn role(text: &str) -> Result<(String, ProviderName), String> {
    let (role, name) = pair(text)?;
    Ok((role, name.parse()?))
}

impl Run {
    /// Starts it, does what can be done, and tells what comes next.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let definition = find(&self.definition)?;
        let mut given: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self.context {
            if given.contains_key(&name) {
                return Err(Refusal::usage(format!("-c {name}=… is given twice")));
            }
            given.insert(name, value);
        }
        let roles = [
            ("planner", self.planner),
            ("generator", self.generator),
            ("reviewer", self.reviewer),
            ("reviser", self.reviser),
        ];
        let named = roles
            .into_iter()
            .filter_map(|(role, provider)| Some((role.to_owned(), provider?)));
        let flags = Choices {
            providers: named.chain(self.providers).collect(),
            retries: self.retries,
            gates: self.gates,
            guidelines: self.guidelines,
            ..Choices::default()
        };
        let strangers = flags.strangers(&definition);
        if !strangers.is_empty() {
            return Err(Refusal::failed_for(strangers));
        }
        // What is wrong with what was given needs no folder to be told.
        if let Err(wrong) = definition.resolve(&given) {
            return Err(Refusal::failed_for(words::misgiven(&definition, &wrong)));
        }
        let request = match self.request.as_deref() {
            Some("-") => Some(std::io::read_to_string(std::io::stdin()).map_err(Refusal::failed)?),
            other => other.map(str::to_owned),
        };
        let root = match (self.database.named_project(), self.database.whose()) {
            (Some(root), _) => root.to_owned(),
            (None, Ok(Whose::Projects(root))) => root,
            (None, _) => PathBuf::from("."),
        };
        // Whatever is refused leaves nothing behind.
        let whole = project(&root)?;
        let (settings, models) = settings(&whole, self.database.config.clone())?;
        let strangers = settings.strangers_in_files(&definition, &neighbours(&self.definition)?);
        if !strangers.is_empty() {
            return Err(Refusal::configuration(strangers));
        }
        let folder = Folder::new(whole.clone(), whoever_runs_this(&whole));
        let offer = Offer {
            models: &models,
            repository: Some(folder.name()),
        };
        let chosen = flags.over(settings);
        let names = crate::agents::names();
        let adapted = chosen.applied_to(&definition, offer, &names);
        let adapted = adapted.map_err(Refusal::configuration)?;
        let refused = |not: Not| match not {
            Not::Misgiven(wrong) => Refusal::failed_for(words::misgiven(&definition, &wrong)),
            not => words::refusal(&definition.name.as_str().into(), &not, (None, "")),
        };
        folder.admits(&adapted, &given).map_err(refused)?;
        if let Some(GuidelinesFile::At(path)) = chosen.guidelines.filter(|_| !adapted.guidelines.is_empty())
            && folder.guide(&path).map_err(Refusal::failed)?.is_none()
        {
            return Err(Refusal::failed(format!(
                "the project has no file {path} with guidelines; give its path from the project's folder, or `--guidelines off`"
            )));
        }
        let desk = Desk::open(&root, &self.database, Entering::New).await?;
        let begun = desk.engine.begin(adapted, &given, request.as_deref()).await?;
        let id = begun.map_err(refused)?;
        desk.settle(&id).await?;
        desk.standing(&id).await
    }
}
