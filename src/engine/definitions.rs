//! The definitions that workflows may start with: the program's, and those that a repository brings on its default
//! branch. A workflow keeps the one that it started with, whatever becomes of the file.

use rust_embed::RustEmbed;

use super::settings::Settings;
use super::{Engine, sentence};
use crate::agents::{self, Names};
use crate::config::definition;
use crate::github::{GithubError, Repo};
use crate::store::Write;
use crate::store::definitions::{KeptDefinition, forget_definition, keep_definition};
use crate::store::repositories::Repository;
use crate::workflow::definition::{Definition, Invalid, Mistake};

/// Where a repository's definitions stand.
pub(super) const DEFINITIONS_PATH: &str = ".github/countersign";

/// How many of its files are read.
const MOST_FILES: usize = 50;

#[derive(RustEmbed)]
#[folder = "workflows/"]
struct Workflows;

/// The definitions that come with the program.
///
/// # Errors
/// Every mistake of the first file that is not good, each with its place.
pub fn embedded_definitions() -> Result<Vec<Definition>, Invalid> {
    let names = agents::names();
    let mut all: Vec<Definition> = Vec::new();
    for path in Workflows::iter().filter(|path| path.ends_with(".yml")) {
        let Some(file) = Workflows::get(&path) else { continue };
        let taken: Vec<&str> = all.iter().map(|definition| definition.name.as_str()).collect();
        let read = definition::read(&String::from_utf8_lossy(&file.data), &names, &taken);
        all.push(read.map_err(|mistakes| {
            let mistakes = mistakes.iter();
            let mistakes = mistakes.map(|mistake| Mistake::at(&[], format!("workflows/{path}: {mistake}")));
            Invalid(mistakes.collect())
        })?);
    }
    Ok(all)
}

/// Whether a path is where a repository's definition may stand.
pub(super) fn is_definition_path(path: &str) -> bool {
    let below = path
        .strip_prefix(DEFINITIONS_PATH)
        .and_then(|path| path.strip_prefix('/'));
    below.is_some_and(|name| !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml")))
}

impl Engine {
    /// The definition of that name: the program's, or the repository's.
    pub(super) fn definition(&self, settings: &Settings, name: &str) -> Option<Definition> {
        let all = self.definitions_of(settings);
        all.into_iter().find(|definition| definition.name == name)
    }

    /// All definitions that a workflow may start with here: the program's, then the repository's files, then those in its
    /// configuration.
    pub(super) fn definitions_of(&self, settings: &Settings) -> Vec<Definition> {
        let mut all = self.definitions_in_files(&settings.definitions);
        all.extend(settings.config.definitions.iter().cloned());
        all
    }

    /// The definitions that are not in the configuration: the program's, then those of these files.
    pub(super) fn definitions_in_files(&self, files: &[KeptDefinition]) -> Vec<Definition> {
        let brought = files.iter().filter_map(|file| self.read_kept(file));
        self.0.definitions.iter().cloned().chain(brought).collect()
    }

    /// The names of all definitions that a workflow may start with here.
    pub(super) fn definition_names<'a>(&'a self, settings: &'a Settings) -> Vec<&'a str> {
        let own = settings.config.definitions.iter();
        let mut names = self.names_in_files(&settings.definitions);
        names.extend(own.map(|definition| definition.name.as_str()));
        names
    }

    /// The names of the definitions that are not in the configuration.
    pub(super) fn names_in_files<'a>(&'a self, brought: &'a [KeptDefinition]) -> Vec<&'a str> {
        let brought = brought
            .iter()
            .filter_map(|file| file.good.as_ref())
            .map(|(name, _)| name.as_str());
        self.program_names().into_iter().chain(brought).collect()
    }

    fn program_names(&self) -> Vec<&str> {
        let names = self.0.definitions.iter();
        names.map(|definition| definition.name.as_str()).collect()
    }

    /// A definition that was good when it was read. Another version of the program may not think so.
    pub(super) fn read_kept(&self, file: &KeptDefinition) -> Option<Definition> {
        let (_, text) = file.good.as_ref()?;
        definition::read(text, &agents::names(), &self.program_names())
            .map_err(|mistakes| tracing::warn!(path = %file.path, mistakes = %sentence(&mistakes), "no longer good"))
            .ok()
    }

    /// Reads the files with the repository's definitions anew, and the statements that keep them. `own` are the
    /// definitions in its configuration.
    pub(super) async fn read_definitions(
        &self,
        repo: &Repo,
        known: &Repository,
        (kept, own): (&[KeptDefinition], &[Definition]),
    ) -> Result<(Vec<KeptDefinition>, Write), GithubError> {
        let mut listed = repo.files_in(DEFINITIONS_PATH).await?;
        listed.retain(|file| is_definition_path(&file.path));
        listed.sort_by(|one, other| one.path.cmp(&other.path));
        listed.truncate(MOST_FILES);
        let mut write = Write::new();
        let gone = |file: &&KeptDefinition| !listed.iter().any(|listed| listed.path == file.path);
        for file in kept.iter().filter(gone) {
            write.push(forget_definition(known.id, &file.path));
        }
        // A name stays with the file that has it in force.
        let mut files: Vec<KeptDefinition> = listed
            .iter()
            .map(|listed| KeptDefinition {
                path: listed.path.clone(),
                good: kept
                    .iter()
                    .find(|kept| kept.path == listed.path)
                    .and_then(|kept| kept.good.clone()),
                sha: listed.sha.clone(),
                error: None,
            })
            .collect();
        let names = agents::names();
        let in_force = |name: &str| {
            kept.iter()
                .any(|file| file.good.as_ref().is_some_and(|(good, _)| good == name))
        };
        let own_names = own.iter().map(|definition| definition.name.as_str());
        let own_names: Vec<&str> = own_names.filter(|name| !in_force(name)).collect();
        for at in 0..files.len() {
            let before = kept.iter().find(|kept| kept.path == files[at].path);
            let unchanged = before.filter(|before| before.sha == files[at].sha && before.error.is_none());
            let newest = match unchanged.and_then(|before| before.good.as_ref()) {
                Some((_, text)) => Ok(text.clone()),
                None => match repo.file(&files[at].path).await {
                    Ok(Some(file)) => Ok(file.text),
                    Ok(None) => Err("it was there and is gone; the next push reads it anew".to_owned()),
                    Err(GithubError::Unusable(why)) => Err(why),
                    Err(error) => return Err(error),
                },
            };
            let judged = newest.and_then(|text| self.judge_definition(text, (&names, &own_names), &files, at));
            match judged {
                Ok(good) => files[at].good = Some(good),
                Err(error) => files[at].error = Some(error),
            }
        }
        self.judge_children((&names, own), &mut files, kept);
        for file in &files {
            if kept.iter().find(|kept| kept.path == file.path) != Some(file) {
                write.push(keep_definition(known.id, file, self.now()));
            }
        }
        Ok((files, write))
    }

    /// A definition whose children cannot be is not taken: what stood in force before stays.
    fn judge_children(
        &self,
        (names, own): (&Names, &[Definition]),
        files: &mut [KeptDefinition],
        kept: &[KeptDefinition],
    ) {
        let good: Vec<Option<Definition>> = files.iter().map(|file| self.read_kept(file)).collect();
        let all: Vec<Definition> = self
            .0
            .definitions
            .iter()
            .chain(good.iter().flatten())
            .chain(own)
            .cloned()
            .collect();
        for (file, good) in files.iter_mut().zip(&good) {
            let has_children = good.as_ref().is_some_and(Definition::has_children);
            let Some((_, text)) = file.good.as_ref().filter(|_| has_children && file.error.is_none()) else {
                continue;
            };
            if let Err(mistakes) = definition::read_among(text, names, &[], &all) {
                file.error = Some(sentence(&mistakes));
                let before = kept.iter().find(|kept| kept.path == file.path);
                file.good = before.and_then(|before| before.good.clone());
            }
        }
    }

    /// The name of a definition beside its text, if nothing is wrong with it.
    fn judge_definition(
        &self,
        text: String,
        (names, own_names): (&Names, &[&str]),
        files: &[KeptDefinition],
        at: usize,
    ) -> Result<(String, String), String> {
        let others = files.iter().enumerate().filter(|(other, _)| *other != at);
        let others = others.filter_map(|(_, file)| file.good.as_ref());
        let mut taken = self.program_names();
        taken.extend(own_names);
        taken.extend(others.map(|(name, _)| name.as_str()));
        match definition::read(&text, names, &taken) {
            Ok(definition) => Ok((definition.name, text)),
            Err(mistakes) => Err(sentence(&mistakes)),
        }
    }
}
