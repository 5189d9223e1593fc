//! The archive of a workflow: a tar file whose bytes are the same for the same database.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::approved_files as approved;
use crate::store::calls::Call;
use crate::store::history::Record;
use crate::store::kept::{EffectRecord, GateRecord, Kept, KeptRun};
use crate::workflow::ids::Digest;

/// Raised when a file of the archive changes its meaning, or goes.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The list of everything, itself not in the list.
pub(super) const MANIFEST: &str = "manifest.json";

/// The events, one a line.
pub(super) const EVENTS: &str = "events.jsonl";

/// The fold of the events.
pub(super) const STATE: &str = "state.json";

/// The definition that the workflow runs by.
pub(super) const DEFINITION: &str = "definition.json";

/// Every answer of a person to a gate, from the events.
pub(super) const APPROVALS: &str = "approvals.json";

/// The list of mails; each is a file of its own.
pub(super) const MAILS: &str = "mails.json";

/// Where the files are that the workflow made and people approved.
pub(super) const FILES: &str = "files/";

/// Ids of runs come from GitHub or are made of others: as names of files they have no character of their own meaning.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// What is told of an archive in its own first file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) schema_version: u32,
    pub(super) program: String,
    pub(super) version: String,
    pub(super) workflow: String,
    pub(super) definition: String,
    pub(super) repository: String,
    pub(super) chain: String,
    pub(super) counts: Counts,
    pub(super) files: BTreeMap<String, FileEntry>,
}

/// How much of everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) events: usize,
    pub(super) artifacts: usize,
    pub(super) runs: usize,
    pub(super) calls: usize,
    pub(super) approvals: usize,
    pub(super) effects: usize,
    /// Archives of earlier versions have none.
    #[serde(default)]
    pub(super) mails: usize,
}

/// A file's size and checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) bytes: usize,
    pub(super) sha256: String,
}

impl FileEntry {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len(),
            sha256: Digest::of_bytes(bytes).to_string(),
        }
    }
}

/// What is kept beside what verifies itself.
pub(super) struct Beside {
    pub(super) calls: Vec<Call>,
    pub(super) effects: Vec<EffectRecord>,
    pub(super) gates: Vec<GateRecord>,
}

/// The archive's bytes and what its manifest says.
pub(super) fn written(kept: &Kept, beside: &Beside) -> Result<(Manifest, Vec<u8>), String> {
    let files = files(kept, beside).map_err(|error| format!("the archive could not be made: {error}"))?;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        program: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        workflow: kept.id.to_string(),
        definition: definition(&kept.records)["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        repository: kept.repository.clone(),
        chain: kept.chain.clone(),
        counts: Counts {
            events: kept.records.len(),
            artifacts: kept.artifacts.len(),
            runs: kept.runs.len(),
            calls: beside.calls.len(),
            approvals: approvals(&kept.records).len(),
            effects: beside.effects.len(),
            mails: kept.mails.len(),
        },
        files: files
            .iter()
            .map(|(path, bytes)| (path.clone(), FileEntry::of(bytes)))
            .collect(),
    };
    let mut tar = tar::Builder::new(Vec::new());
    let packed = pretty(&manifest).map_err(std::io::Error::other).and_then(|first| {
        append(&mut tar, MANIFEST, &first)?;
        for (path, bytes) in &files {
            append(&mut tar, path, bytes)?;
        }
        tar.into_inner()
    });
    let bytes = packed.map_err(|error| format!("the archive could not be made: {error}"))?;
    Ok((manifest, bytes))
}

/// Without a time, an owner or a machine's own rights: those are not the workflow's.
fn append(tar: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, bytes)
}

fn files(kept: &Kept, beside: &Beside) -> serde_json::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut events = Vec::new();
    for record in &kept.records {
        serde_json::to_writer(&mut events, record)?;
        events.push(b'\n');
    }
    files.insert(EVENTS.to_owned(), events);
    files.insert(STATE.to_owned(), pretty(&kept.state)?);
    files.insert(DEFINITION.to_owned(), pretty(&definition(&kept.records))?);
    files.insert(APPROVALS.to_owned(), pretty(&approvals(&kept.records))?);
    files.insert("gates.json".to_owned(), pretty(&beside.gates)?);
    files.insert("effects.json".to_owned(), pretty(&beside.effects)?);
    for artifact in &kept.artifacts {
        files.insert(format!("artifacts/{}.json", artifact.digest), pretty(artifact)?);
    }
    if !kept.mails.is_empty() {
        files.insert(MAILS.to_owned(), pretty(&kept.mails)?);
    }
    for mail in &kept.mails {
        files.insert(mail_file(&mail.digest), mail.raw.clone());
    }
    for (path, content) in approved(kept) {
        files.insert(format!("{FILES}{path}"), content.into_bytes());
    }
    for run in &kept.runs {
        let folder = folder(&run.run.id);
        let calls: Vec<&Call> = beside.calls.iter().filter(|call| call.run == run.run.id).collect();
        files.insert(format!("{folder}/run.json"), pretty(&run_file(run)?)?);
        files.insert(format!("{folder}/calls.json"), pretty(&calls)?);
        files.insert(format!("{folder}/prompt.md"), run.run.prompt.clone().into_bytes());
        if let Some(answer) = &run.run.answer {
            files.insert(format!("{folder}/answer.md"), answer.clone().into_bytes());
        }
    }
    Ok(files)
}

/// Where a mail is as it went out.
pub(super) fn mail_file(digest: &str) -> String {
    format!("mails/{digest}.eml")
}

/// Where a run's files are.
pub(super) fn folder(run: &str) -> String {
    format!("runs/{}", utf8_percent_encode(run, NAME))
}

/// A run without its texts, which are files of their own, and with their digests.
fn run_file(kept: &KeptRun) -> serde_json::Result<Value> {
    let mut run = serde_json::to_value(&kept.run)?;
    if let Some(run) = run.as_object_mut() {
        run.remove("prompt");
        run.remove("answer");
        run.insert("prompt_digest".to_owned(), json!(kept.prompt_digest));
        run.insert("answer_digest".to_owned(), json!(kept.answer_digest));
    }
    Ok(run)
}

/// The definition as the first event has it.
pub(super) fn definition(records: &[Record]) -> Value {
    let first = records.first();
    first.map(|first| first.event["definition"].clone()).unwrap_or_default()
}

/// What people, or the loss of what they rested on, decided about gates.
pub(super) fn approvals(records: &[Record]) -> Vec<&Record> {
    let decides = |record: &&Record| {
        let kind = record.event["type"].as_str();
        matches!(kind, Some("approved" | "unapproved" | "approval_lost" | "rejected"))
    };
    records.iter().filter(decides).collect()
}

/// JSON as people read it, with a line's end.
pub(super) fn pretty(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
