//! An archive read again: nothing is unpacked, and the first thing that differs is told.

use std::collections::BTreeMap;
use std::io::Read;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::archive::{
    APPROVALS, DEFINITION, EVENTS, FILES, FileEntry, MAILS, MANIFEST, Manifest, SCHEMA_VERSION, STATE, approvals,
    definition, folder, mail_file, pretty,
};
use crate::engine::approved_files as approved;
use crate::store::history::Record;
use crate::store::kept::{Artifact, Finding, Kept, KeptRun};
use crate::store::mails::KeptMail;

/// The most that is read of an archive.
const MOST_BYTES: u64 = 1 << 30;

/// The files of an archive by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// Verifies an archive: checksums, chain, fold, digests. Answers with its manifest.
pub(super) fn verified(archive: impl Read) -> Result<Manifest, Finding> {
    let mut files = read(archive)?;
    let manifest = files
        .remove(MANIFEST)
        .ok_or_else(|| wrong(MANIFEST, "it is missing: this is no archive of a workflow"))?;
    let manifest: Manifest = parsed(MANIFEST, &manifest)?;
    if manifest.schema_version > SCHEMA_VERSION {
        let written = manifest.schema_version;
        let known =
            format!("it has schema {written}, and this program knows schemas up to {SCHEMA_VERSION}: use a newer one");
        return Err(wrong(MANIFEST, known));
    }
    checksums(&manifest, &files)?;
    let kept = kept(&manifest, &files)?;
    if let Some(finding) = kept.findings().into_iter().next() {
        return Err(finding);
    }
    derived(DEFINITION, &definition(&kept.records), &files)?;
    derived(APPROVALS, &approvals(&kept.records), &files)?;
    made(&kept, &files)?;
    counts(&manifest, &kept)?;
    Ok(manifest)
}

fn wrong(what: impl Into<String>, wrong: impl Into<String>) -> Finding {
    Finding {
        what: what.into(),
        wrong: wrong.into(),
    }
}

fn read(archive: impl Read) -> Result<Files, Finding> {
    let broken = |error: std::io::Error| wrong("archive", format!("it cannot be read: {error}"));
    let mut files = Files::new();
    let mut archive = tar::Archive::new(archive.take(MOST_BYTES));
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            return Err(wrong(
                path,
                "it is not a file: an archive of a workflow has nothing else",
            ));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 != entry.size() {
            return Err(wrong(path, "the archive ends within it"));
        }
        if files.insert(path.clone(), bytes).is_some() {
            return Err(wrong(path, "it is there twice"));
        }
    }
    Ok(files)
}

fn parsed<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, Finding> {
    serde_json::from_slice(bytes).map_err(|error| wrong(path, format!("it cannot be read: {error}")))
}

fn checksums(manifest: &Manifest, files: &Files) -> Result<(), Finding> {
    for (path, entry) in &manifest.files {
        let bytes = files.get(path).ok_or_else(|| wrong(path, "it is missing"))?;
        if FileEntry::of(bytes) != *entry {
            return Err(wrong(path, "it was changed: it has another checksum"));
        }
    }
    match files.keys().find(|path| !manifest.files.contains_key(*path)) {
        Some(path) => Err(wrong(path, "the manifest does not list it")),
        None => Ok(()),
    }
}

fn kept(manifest: &Manifest, files: &Files) -> Result<Kept, Finding> {
    let file = |path: &str| files.get(path).ok_or_else(|| wrong(path, "it is missing"));
    let mut records = Vec::new();
    for (line, number) in file(EVENTS)?.split(|byte| *byte == b'\n').zip(1..) {
        if !line.is_empty() {
            records.push(parsed::<Record>(&format!("{EVENTS}:{number}"), line)?);
        }
    }
    let mut artifacts = Vec::new();
    let mut runs = Vec::new();
    for (path, bytes) in files {
        if path.starts_with("artifacts/") {
            let artifact: Artifact = parsed(path, bytes)?;
            if *path != format!("artifacts/{}.json", artifact.digest) {
                return Err(wrong(path, "it has another artifact's digest"));
            }
            artifacts.push(artifact);
        } else if path.starts_with("runs/")
            && let Some(folder) = path.strip_suffix("/run.json")
        {
            runs.push(run(folder, parsed(path, bytes)?, files)?);
        }
    }
    let mut mails: Vec<KeptMail> = match files.get(MAILS) {
        Some(listed) => parsed(MAILS, listed)?,
        None => Vec::new(),
    };
    for mail in &mut mails {
        mail.raw.clone_from(file(&mail_file(&mail.digest))?);
    }
    Ok(Kept {
        id: manifest.workflow.as_str().into(),
        repository: manifest.repository.clone(),
        version: i64::try_from(manifest.counts.events).unwrap_or(i64::MAX),
        chain: manifest.chain.clone(),
        state: parsed(STATE, file(STATE)?)?,
        records,
        artifacts,
        runs,
        mails,
    })
}

fn run(at: &str, mut run: Map<String, Value>, files: &Files) -> Result<KeptRun, Finding> {
    let text = |name: &str| {
        let path = format!("{at}/{name}");
        let text = files.get(&path).map(|bytes| String::from_utf8(bytes.clone()));
        text.transpose().map_err(|_| wrong(path, "it is no text"))
    };
    let unreadable = |error: serde_json::Error| wrong(format!("{at}/run.json"), format!("it cannot be read: {error}"));
    for (field, file) in [("prompt", "prompt.md"), ("answer", "answer.md")] {
        run.insert(field.to_owned(), text(file)?.map(Value::String).unwrap_or_default());
    }
    let mut digest = |field: &str| run.remove(field).unwrap_or_default();
    let digests = (digest("prompt_digest"), digest("answer_digest"));
    let (prompt_digest, answer_digest) = (
        serde_json::from_value(digests.0).map_err(unreadable)?,
        serde_json::from_value(digests.1).map_err(unreadable)?,
    );
    let kept = KeptRun {
        run: serde_json::from_value(Value::Object(run)).map_err(unreadable)?,
        prompt_digest,
        answer_digest,
    };
    match folder(&kept.run.id) == at {
        true => Ok(kept),
        false => Err(wrong(format!("{at}/run.json"), "it has another run's id")),
    }
}

fn derived(path: &str, value: &impl serde::Serialize, files: &Files) -> Result<(), Finding> {
    let expected: Option<Value> = pretty(value).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let found: Value = parsed(path, files.get(path).map(Vec::as_slice).unwrap_or_default())?;
    match expected.as_ref() == Some(&found) {
        true => Ok(()),
        false => Err(wrong(path, "it is not what the events say")),
    }
}

/// The files that were made are those of the approved artifacts, no more and no other.
fn made(kept: &Kept, files: &Files) -> Result<(), Finding> {
    let mut approved = approved(kept);
    for (path, bytes) in files {
        let Some(made) = path.strip_prefix(FILES) else { continue };
        if approved.remove(made).map(String::into_bytes).as_ref() != Some(bytes) {
            return Err(wrong(path, "it is not what was approved"));
        }
    }
    match approved.keys().next() {
        Some(path) => Err(wrong(format!("{FILES}{path}"), "it was approved and is missing")),
        None => Ok(()),
    }
}

fn counts(manifest: &Manifest, kept: &Kept) -> Result<(), Finding> {
    let counts = &manifest.counts;
    let approvals = approvals(&kept.records).len();
    let found = (kept.artifacts.len(), kept.runs.len(), approvals, kept.mails.len());
    match found == (counts.artifacts, counts.runs, counts.approvals, counts.mails) {
        true => Ok(()),
        false => Err(wrong(MANIFEST, "its counts are not those of the files")),
    }
}
