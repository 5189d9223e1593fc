//! `countersign files WORKFLOW --output DIR`: the files that a workflow made and people approved, as files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize as _, Serialize};
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::{Database, Whose, meant};
use super::page::{facts, harmless};
use super::status::unknown;
use crate::agents::made::files::{self, File};
use crate::engine::{Folder, approved_files};
use crate::store::kept::Kept;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::state::{State, Status};

/// Which workflow, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// The workflow's id, as `list` shows it; left out, the one that is open, or the last
    id: Option<String>,
    /// The directory that the files are written to; it is empty or not there yet [default: the project, where the workflow
    /// is of one]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
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
        let whose = self.database.whose()?;
        let store = self.database.reader().await?;
        let id = meant(&store, self.id, true).await?;
        let kept = store.kept(&id).await?.ok_or_else(|| unknown(&id))?;
        if let Some(finding) = kept.findings().first() {
            return Err(Refusal::failed(format!(
                "{id} was changed outside of this program, and its files are not written: {finding}"
            )));
        }
        let approved = approved_files(&kept);
        if approved.is_empty() {
            return Err(Refusal::failed(format!(
                "{id} has no approved files: `countersign status {id}` says what it waits for"
            )));
        }
        let output = match (self.output, whose) {
            (Some(output), _) => output,
            (None, Whose::Projects(root)) => return into_project(&id, &kept, root),
            (None, Whose::Servers(_)) => return Err(Refusal::usage("name a directory with --output")),
        };
        let set: Vec<File<'_>> = approved.iter().map(|(path, content)| File { path, content }).collect();
        files::check(&set).map_err(|problems| {
            let problems = problems.iter().map(|problem| harmless(&problem.to_string()));
            Refusal::failed_for(problems.collect())
        })?;
        write(&output, &set)
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
            ("directory", output.display().to_string()),
            ("files", written.len().to_string()),
        ]);
        for file in &written {
            page.push_str(&format!("{} ({} bytes)\n", file.path, file.bytes));
        }
        Ok(Answer::new(
            json!({ "workflow": id, "directory": output, "files": written }),
            page,
        ))
    }
}

/// Writes them where the workflow was run, over nothing that changed since they were shown.
fn into_project(id: &WorkflowId, kept: &Kept, root: PathBuf) -> Result<Answer, Refusal> {
    let state = State::deserialize(&kept.state).map_err(Refusal::failed)?;
    if state.status != Status::Completed {
        return Err(Refusal::failed(format!(
            "{id} is not complete, and its files come into the project then: --output DIR writes what is approved so far \
             elsewhere"
        )));
    }
    let folder = Folder::new(root.clone(), state.starter);
    let written = folder.write_approved(kept).map_err(|not| Refusal::failed_for(not.0))?;
    let mut page = facts(&[
        ("workflow", id.to_string()),
        ("directory", root.display().to_string()),
        ("files", written.len().to_string()),
    ]);
    for file in &written {
        page.push_str(&format!("{} ({} bytes)\n", harmless(&file.path), file.bytes));
    }
    Ok(Answer::new(
        json!({ "workflow": id, "directory": root, "files": written }),
        page,
    ))
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
