//! `countersign files WORKFLOW --output DIR`: the files that a workflow made and people approved, as files.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::{facts, harmless};
use super::status::unknown;
use crate::agents::made::files::{self, File};
use crate::store::kept::Kept;
use crate::workflow::apply::{apply, fold};
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId, WorkflowId};
use crate::workflow::state::State;

/// Which workflow, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// The workflow's id, as `list` shows it
    id: String,
    /// The directory that the files are written to; it is empty or not there yet
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// A file as it was written.
#[derive(Debug, Serialize)]
struct Written<'a> {
    path: &'a str,
    bytes: usize,
    sha256: String,
}

impl Files {
    /// Writes them. Every path is judged once more, because here it is opened.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let id = WorkflowId::from(self.id);
        let kept = store.kept(&id).await?.ok_or_else(|| unknown(&id))?;
        if let Some(finding) = kept.findings().first() {
            return Err(Refusal::failed(format!(
                "{id} was changed outside of this program, and its files are not written: {finding}"
            )));
        }
        let approved = approved(&kept);
        if approved.is_empty() {
            return Err(Refusal::failed(format!(
                "{id} has no approved files: `countersign status {id}` says what it waits for"
            )));
        }
        let set: Vec<File<'_>> = approved.iter().map(|(path, content)| File { path, content }).collect();
        files::check(&set).map_err(|problems| {
            let problems = problems.iter().map(|problem| harmless(&problem.to_string()));
            Refusal::failed_for(problems.collect())
        })?;
        write(&self.output, &set)
            .map_err(|(at, error)| Refusal::failed(format!("{} could not be written: {error}", at.display())))?;
        let written: Vec<Written<'_>> = set
            .iter()
            .map(|file| Written {
                path: file.path,
                bytes: file.content.len(),
                sha256: Digest::of_bytes(file.content.as_bytes()).to_string(),
            })
            .collect();
        let mut page = facts(&[
            ("workflow", id.to_string()),
            ("directory", self.output.display().to_string()),
            ("files", written.len().to_string()),
        ]);
        for file in &written {
            page.push_str(&format!("{} ({} bytes)\n", file.path, file.bytes));
        }
        Ok(Answer::new(
            json!({ "workflow": id, "directory": self.output, "files": written }),
            page,
        ))
    }
}

/// The files of a workflow's completed phases by their paths. A later phase, and a later round of a phase that revises,
/// writes over what was before; any other phase that is run again begins anew, and what revised it is void.
pub(super) fn approved(kept: &Kept) -> BTreeMap<String, String> {
    let mut rounds: Vec<(PhaseId, &serde_json::Value)> = Vec::new();
    let mut state: Option<State> = None;
    for record in &kept.records {
        let Ok(event) = record.read() else { continue };
        match &mut state {
            None => state = fold([(&event, record.at)]),
            Some(state) => apply(state, &event, record.at),
        }
        let (Event::PhaseCompleted { phase, .. }, Some(state)) = (&event, &state) else {
            continue;
        };
        let (Some(defined), Some(digest)) = (state.definition.phase(phase), state.at(phase).output) else {
            continue;
        };
        if defined.schema.as_deref() != Some(files::SCHEMA) {
            continue;
        }
        if !defined.on_demand {
            let revises = |id: &PhaseId| {
                let other = state.definition.phase(id);
                other.is_some_and(|other| other.on_demand && other.needs.contains(phase))
            };
            rounds.retain(|(of, _)| of != phase && !revises(of));
        }
        let digest = digest.to_string();
        let artifact = kept.artifacts.iter().find(|artifact| artifact.digest == digest);
        rounds.extend(artifact.map(|artifact| (phase.clone(), &artifact.body["artifact"])));
    }
    let files = rounds.iter().flat_map(|(_, artifact)| files::of(artifact));
    files
        .map(|file| (file.path.to_owned(), file.content.to_owned()))
        .collect()
}

/// Nothing that is there is written over or joined.
fn write(into: &Path, files: &[File<'_>]) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        |error| (path, error)
    };
    fs::create_dir_all(into).map_err(at(into))?;
    if fs::read_dir(into).map_err(at(into))?.next().is_some() {
        let error = io::Error::new(
            io::ErrorKind::DirectoryNotEmpty,
            "it is not empty; name a new directory",
        );
        return Err((into.to_owned(), error));
    }
    for file in files {
        let path = into.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let written = OpenOptions::new().write(true).create_new(true).open(&path);
        written
            .and_then(|mut opened| opened.write_all(file.content.as_bytes()))
            .map_err(at(&path))?;
    }
    Ok(())
}
