//! The files that a workflow made and people approved, and how they come into the project.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Folder, disk};
use crate::agents::made::files::{self, File};
use crate::engine::card::Beside;
use crate::store::kept::Kept;
use crate::workflow::apply::{apply, fold};
use crate::workflow::artifact::Proposal;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::state::State;

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Where, from the project's folder.
    pub path: String,
    /// How long it is.
    pub bytes: usize,
    /// SHA-256 of its text.
    pub sha256: String,
}

/// Why nothing was written: a sentence for each file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten(pub Vec<String>);

/// The files of a workflow's completed phases by their paths. A later phase, and a later round of a phase that revises,
/// writes over what was before; any other phase that is run again begins anew, and what revised it is void.
pub fn approved_files(kept: &Kept) -> BTreeMap<String, String> {
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
        if !defined.makes_files() {
            continue;
        }
        if !defined.revises(phase) {
            let revises = |id: &PhaseId| state.definition.phase(id).is_some_and(|other| other.revises(phase));
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

fn digest_of(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

/// What stands in the project at the paths of proposed files.
pub(super) fn base_of(folder: &Folder, proposal: &Proposal) -> BTreeMap<String, Option<Digest>> {
    if proposal.schema != files::SCHEMA {
        return BTreeMap::new();
    }
    let all = files::of(&proposal.artifact);
    let base = all.iter().map(|file| {
        // What cannot be read is refused when it is to be written over.
        let there = disk::read(&folder.root, file.path).ok().flatten();
        (file.path.to_owned(), there.as_deref().map(digest_of))
    });
    base.collect()
}

/// What stood at each path when files for it were first shown.
fn first_base(kept: &Kept) -> BTreeMap<String, Option<Digest>> {
    let mut base: BTreeMap<String, Option<Digest>> = BTreeMap::new();
    for artifact in &kept.artifacts {
        for (path, digest) in Beside::of(artifact.beside.clone()).base {
            base.entry(path).or_insert(digest);
        }
    }
    base
}

impl Folder {
    /// The paths of approved files that were never written: what stands there is still what stood there before.
    pub fn unwritten(&self, kept: &Kept) -> Vec<String> {
        let base = first_base(kept);
        let before = |path: &str| base.get(path).copied().flatten();
        let approved = approved_files(kept).into_iter();
        let missing = approved.filter(|(path, content)| match disk::read(&self.root, path) {
            Ok(Some(there)) => there != *content && before(path) == Some(digest_of(&there)),
            Ok(None) => before(path).is_none(),
            Err(_) => true,
        });
        missing.map(|(path, _)| path).collect()
    }

    /// Writes the approved files of a workflow into the project: all, or none where a path breaks a rule or where something
    /// else stands there than when the files were first shown.
    ///
    /// # Errors
    /// A sentence for each file in the way.
    pub fn write_approved(&self, kept: &Kept) -> Result<Vec<WrittenFile>, NotWritten> {
        let approved = approved_files(kept);
        let set: Vec<File<'_>> = approved.iter().map(|(path, content)| File { path, content }).collect();
        let sentences =
            |problems: Vec<crate::agents::Problem>| NotWritten(problems.iter().map(ToString::to_string).collect());
        files::check(&set).map_err(sentences)?;
        let base = first_base(kept);
        let mut wrong = Vec::new();
        let mut due = Vec::new();
        for file in &set {
            if let Err(why) = disk::judge(&self.root, file.path) {
                wrong.push(why);
                continue;
            }
            match disk::read(&self.root, file.path) {
                Err(error) => wrong.push(error.to_string()),
                Ok(Some(there)) if there == file.content => {}
                Ok(Some(there)) if base.get(file.path).copied().flatten() != Some(digest_of(&there)) => {
                    wrong.push(format!(
                        "`{}` changed since it was shown, and is not written over: move it away, then write the files \
                         again",
                        file.path
                    ));
                }
                Ok(_) => due.push(file),
            }
        }
        if !wrong.is_empty() {
            return Err(NotWritten(wrong));
        }
        for file in due {
            disk::write(&self.root, file.path, file.content).map_err(|error| NotWritten(vec![error.to_string()]))?;
        }
        let written = set.iter().map(|file| WrittenFile {
            path: file.path.to_owned(),
            bytes: file.content.len(),
            sha256: digest_of(file.content).to_string(),
        });
        Ok(written.collect())
    }
}
