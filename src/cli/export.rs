//! `countersign export ID`: all that is kept of a workflow in one archive, and `export --verify FILE`.

mod archive;
mod reading;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::page::facts;
use super::status::unknown;
use crate::workflow::ids::{Digest, WorkflowId};

/// Which workflow, or which archive.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The workflow's id, as `list` shows it
    #[arg(required_unless_present = "verify")]
    id: Option<String>,
    /// Where the archive is written, a file that is not there yet [default: the id with .tar]
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    output: Option<PathBuf>,
    /// Verify an archive instead; no database is needed
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    verify: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

impl Export {
    /// What the envelope calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.verify {
            Some(_) => "export --verify",
            None => "export",
        }
    }

    /// Writes or verifies an archive.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        match (self.verify, self.id) {
            (Some(file), _) => verify(&file),
            (None, Some(id)) => export(&WorkflowId::from(id), self.output, self.database).await,
            (None, None) => Err(Refusal::usage("name a workflow, or an archive with --verify")),
        }
    }
}

async fn export(id: &WorkflowId, output: Option<PathBuf>, database: Database) -> Result<Answer, Refusal> {
    let store = database.reader().await?;
    let kept = store.kept(id).await?.ok_or_else(|| unknown(id))?;
    if let Some(finding) = kept.findings().first() {
        return Err(Refusal::failed(format!(
            "{id} was changed outside of this program, and an archive of it would not verify: {finding}"
        )));
    }
    let beside = archive::Beside {
        calls: store.calls_of_workflow(id).await?,
        effects: store.effects_of(id).await?,
        gates: store.gates_of(id).await?,
    };
    let (manifest, bytes) = archive::written(&kept, &beside).map_err(Refusal::failed)?;
    let output = output.unwrap_or_else(|| PathBuf::from(format!("{id}.tar")));
    write_new(&output, &bytes).map_err(|error| not_written(&output, &error))?;
    let sha256 = Digest::of_bytes(&bytes).to_string();
    let page = facts(&[
        ("archive", output.display().to_string()),
        ("workflow", id.to_string()),
        ("files", manifest.files.len().to_string()),
        ("bytes", bytes.len().to_string()),
        ("sha256", sha256.clone()),
    ]);
    let data = json!({ "file": output, "bytes": bytes.len(), "sha256": sha256, "manifest": manifest });
    Ok(Answer::new(data, page))
}

/// The archive has what people wrote: nobody else on the machine is let in.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn not_written(output: &Path, error: &std::io::Error) -> Refusal {
    let output = output.display();
    Refusal::failed(match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{output} is there already, and nothing is written over: name another file with --output")
        }
        _ => format!("{output} could not be written: {error}"),
    })
}

fn verify(path: &Path) -> Result<Answer, Refusal> {
    let name = path.display();
    let file =
        std::fs::File::open(path).map_err(|error| Refusal::failed(format!("{name} could not be opened: {error}")))?;
    let manifest = reading::verified(file).map_err(|wrong| {
        Refusal::failed(format!("{name}: {wrong}"))
            .with(json!({ "file": path, "what": wrong.what, "wrong": wrong.wrong }))
    })?;
    let counts = &manifest.counts;
    let page = format!(
        "{name} is whole: {} files with their checksums, a chain of {} events whose fold is the state of {}, {} artifacts \
         and {} runs with their digests.\n",
        manifest.files.len(),
        counts.events,
        manifest.workflow,
        counts.artifacts,
        counts.runs
    );
    Ok(Answer::new(json!({ "file": path, "manifest": manifest }), page))
}
