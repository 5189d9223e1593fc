//! Workflows of a project's folder, run from a terminal: no GitHub, no account, no server.

mod orders;
mod request;
mod run;
mod validate;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub(super) use orders::{Answered, Approve, Cancel, Hold, Reject, Respond, Retry, Revise, Skip, Unhold};
pub(super) use request::Prompted;
pub(super) use run::Run;
pub(super) use validate::Validate;

use super::answer::{Answer, Refusal};
use super::database::{Database, Whose, project};
use super::house::machine_clock;
use super::page::{facts, harmless};
use super::providers::server_models;
use super::status::{unknown, words as status_words};
use crate::chat::say::why::why_words;
use crate::config::terminal::{Choices, read_project, read_user};
use crate::config::{DatabaseUrl, Models, ProviderName};
use crate::engine::{Allowance, Engine, Folder, Pacing, Parts, STATE_FOLDER, Site, WrittenFile, operator};
use crate::mail::Mailer;
use crate::providers::http::Client as ModelClient;
use crate::store::Store;
use crate::workflow::artifact::Stage;
use crate::workflow::decide::awaits_answer;
use crate::workflow::ids::WorkflowId;
use crate::workflow::right::Person;
use crate::workflow::state::{PhaseStatus, State, Status, Why};

/// What the folder's own `.gitignore` says: its state is a machine's, its settings may be shared.
const IGNORED: &str = "*\n!.gitignore\n!config.yml\n";

/// The longest that a run waits before it looks again whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// An open project: its engine, held alone, and what its commands are called from here.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) folder: Folder,
    pub(super) choices: Choices,
    pub(super) models: Models,
    /// ` --project-dir DIR` where that was said.
    suffix: String,
}

/// Whether a project may have no workflow yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entering {
    /// The first may be started.
    New,
    /// There must be one.
    Existing,
}

impl Desk {
    /// Opens a project. Only one process at a time does.
    pub(super) async fn open(root: &Path, named: &Database, entering: Entering) -> Result<Self, Refusal> {
        let root = project(root)?;
        let database = Folder::database(&root);
        if entering == Entering::Existing && !database.exists() {
            return Err(Refusal::configuration(vec![format!(
                "there is no workflow here: {} has no {STATE_FOLDER}; `countersign run DEFINITION` starts one, \
                 `--project-dir DIR` names another project",
                root.display()
            )]));
        }
        let (choices, models) = settings(&root, named.config.clone())?;
        if entering == Entering::New {
            prepare(&root)?;
        }
        let store = Store::serve(&database).map_err(|error| Refusal::configuration(vec![error.to_string()]))?;
        let folder = Folder::new(root.clone(), whoever_runs_this(&root));
        let engine = engine(&root, &folder, (store, models.clone()))?;
        engine.take_over().await?;
        let suffix = match named.named_project() {
            Some(dir) => format!(" --project-dir {}", quoted(&dir.display().to_string())),
            None => String::new(),
        };
        Ok(Self {
            engine,
            folder,
            choices,
            models,
            suffix,
        })
    }

    /// Does what is due until the workflow waits for a person, or for a time that is far away.
    pub(super) async fn settle(&self, id: &WorkflowId) -> Result<(), Refusal> {
        self.engine.pump().await?;
        self.engine.show_again(id).await?;
        loop {
            self.engine.pump().await?;
            let due = self.engine.store().open_effects(id).await?;
            let due = due.iter().filter(|effect| effect.kind != "expire_gate");
            let Some(next) = due.map(|effect| effect.run_at).min() else {
                return Ok(());
            };
            let rest = (next - self.engine.now()).to_std().unwrap_or_default();
            tokio::time::sleep(rest.clamp(Duration::from_millis(50), LOOK_AGAIN)).await;
        }
    }

    /// How a workflow stands and what comes next, once everything was done that could be; files that were approved are in
    /// the project then.
    pub(super) async fn standing(&self, id: &WorkflowId, deliver: bool) -> Result<Answer, Refusal> {
        let store = self.engine.store();
        let stored = store.workflow(id).await?.ok_or_else(|| unknown(id))?;
        let kept = store.kept(id).await?.ok_or_else(|| unknown(id))?;
        let state = &stored.state;
        let unseen = state
            .open_gate()
            .is_some_and(|(_, _, pending)| pending.shown_at.is_none());
        if unseen {
            let effects = store.effects_of(id).await?;
            let failed = effects.into_iter().rev().find(|effect| effect.state == "failed");
            let why = failed
                .and_then(|effect| effect.last_error.or(effect.result))
                .unwrap_or_default();
            return Err(Refusal::failed(format!(
                "what waits in {id} could not be written to its file: {why}; put that right and run the command again"
            )));
        }
        let mut written = None;
        if deliver && state.status == Status::Completed {
            if let Some(finding) = kept.findings().first() {
                return Err(Refusal::failed(format!(
                    "{id} was changed outside of this program, and its files are not written: {finding}"
                )));
            }
            let files = self.folder.write_approved(&kept).map_err(|not| {
                let mut sentences = not.0;
                sentences.push(format!(
                    "{id} is complete and none of its files was written; `countersign files {id}{}` writes them once that \
                     is put right",
                    self.suffix
                ));
                Refusal::failed_for(sentences)
            })?;
            written = Some(files);
        }
        let several = store.list_workflows(true, u32::MAX).await?.len() > 1;
        let file = Folder::at_hand(state, &kept)?;
        let mut notes = notes(&kept, state);
        notes.extend(questions(&kept, state));
        let changed = self.folder.changed_papers(state, &kept)?.map_err(Refusal::failed)?;
        notes.extend(changed.iter().map(|path| words::changed(path)));
        let next = next(state, &Calls::new(&self.suffix, several.then_some(id)));
        let stands = Stands::of(state, (file, next), (notes, written));
        Ok(Answer::new(&stands, stands.page()))
    }
}

/// What a command tells of a workflow when it has done its part.
#[derive(Debug, Serialize)]
struct Stands<'a> {
    workflow: &'a str,
    definition: &'a str,
    status: &'a Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_status: Option<PhaseStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What the workflow met, apart from what this command met.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<WrittenFile>>,
}

impl<'a> Stands<'a> {
    fn of(
        state: &'a State,
        (file, next): (Option<String>, Vec<String>),
        (notes, files): (Vec<String>, Option<Vec<WrittenFile>>),
    ) -> Self {
        let phase = current(state);
        let at = phase.map(|phase| state.at(phase));
        Self {
            workflow: state.id.as_str(),
            definition: &state.definition.name,
            status: &state.status,
            phase: phase.map(crate::workflow::ids::PhaseId::as_str),
            phase_status: at.map(|at| at.status),
            iteration: at.map(|at| at.iteration),
            digest: at
                .and_then(|at| at.pending.as_ref())
                .map(|pending| pending.digest.to_string()),
            last_error: at.and_then(|at| at.why.as_ref()).map(why_words),
            file,
            next,
            notes,
            files,
        }
    }

    fn page(&self) -> String {
        let stands = match self.status {
            Status::Open => match (self.phase, self.phase_status) {
                (Some(phase), Some(status)) => format!("{phase}: {}", status_words(status)),
                _ => "at work".to_owned(),
            },
            Status::Completed => "completed".to_owned(),
            Status::Cancelled { .. } => "cancelled".to_owned(),
        };
        let mut about = vec![
            ("workflow", format!("{} ({})", self.workflow, self.definition)),
            ("stands", stands),
        ];
        about.extend(self.last_error.iter().map(|why| ("because", why.clone())));
        about.extend(self.file.iter().map(|file| ("file", file.clone())));
        about.extend(self.notes.iter().map(|note| ("note", note.clone())));
        about.extend(self.next.iter().map(|next| ("next", next.clone())));
        let mut page = facts(&about);
        for file in self.files.iter().flatten() {
            page.push_str(&format!("wrote {} ({} bytes)\n", harmless(&file.path), file.bytes));
        }
        page
    }
}

/// The phase that an open workflow stands at.
fn current(state: &State) -> Option<&crate::workflow::ids::PhaseId> {
    let stopped = [
        PhaseStatus::WaitingForHuman,
        PhaseStatus::Rejected,
        PhaseStatus::Error,
        PhaseStatus::Running,
    ];
    if !state.is_open() {
        return None;
    }
    state
        .open_gate()
        .map(|(phase, ..)| phase)
        .or_else(|| state.asking())
        .or_else(|| state.first_at(&stopped))
}

/// What is to be known of what waits at the gate.
fn notes(kept: &crate::store::kept::Kept, state: &State) -> Vec<String> {
    let digest = state.open_gate().map(|(_, _, pending)| pending.digest.to_string());
    let at_gate = kept
        .artifacts
        .iter()
        .find(|artifact| Some(&artifact.digest) == digest.as_ref());
    let Some(artifact) = at_gate else { return Vec::new() };
    let lists = ["notes", "planned"]
        .into_iter()
        .filter_map(|key| artifact.beside[key].as_array());
    lists
        .flatten()
        .filter_map(|note| note.as_str().map(str::to_owned))
        .collect()
}

/// What an open workflow asks, with the numbers that answers name.
fn questions(kept: &crate::store::kept::Kept, state: &State) -> Vec<String> {
    let Some(phase) = state.asking() else { return Vec::new() };
    let open = state.at(phase).open_questions();
    let texts = open.map(|(number, question)| {
        let of = question.of.to_string();
        let asked = kept.artifacts.iter().find(|artifact| artifact.digest == of);
        let text =
            asked.and_then(|asked| asked.body["artifact"]["questions"][question.item as usize]["question"].as_str());
        format!("question {number}: {}", text.unwrap_or("(not kept)"))
    });
    texts.collect()
}

/// How the next commands are written.
struct Calls<'a> {
    suffix: &'a str,
    id: Option<&'a WorkflowId>,
}

impl<'a> Calls<'a> {
    fn new(suffix: &'a str, id: Option<&'a WorkflowId>) -> Self {
        Self { suffix, id }
    }

    fn call(&self, words: &str) -> String {
        let id = self.id.map(|id| format!(" {id}")).unwrap_or_default();
        format!("countersign {words}{id}{}", self.suffix)
    }
}

/// The commands that go on from here.
fn next(state: &State, calls: &Calls<'_>) -> Vec<String> {
    if !state.is_open() {
        return Vec::new();
    }
    if state.hold.is_some() {
        return vec![calls.call("unhold")];
    }
    if let Some((phase, _, pending)) = state.open_gate() {
        let mut next = vec![calls.call("approve")];
        if pending.stage == Stage::Response {
            let way_back = state
                .definition
                .phase(phase)
                .is_some_and(|phase| phase.on_fail.is_some());
            if way_back {
                next.push(calls.call("approve complete"));
                next.push(calls.call("approve revise"));
            }
            next.push(calls.call("reject --feedback TEXT"));
        }
        return next;
    }
    if let Some(phase) = state.asking() {
        let open = state.at(phase).open_questions();
        let mut next: Vec<String> = open
            .map(|(number, _)| calls.call(&format!("answer {number} TEXT")))
            .collect();
        next.push(calls.call("skip"));
        return next;
    }
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    if let Some(phase) = phases.into_iter().find(|phase| awaits_answer(state, phase)) {
        let by_hand = state.at(phase).why == Some(Why::ManualProvider);
        let mut next = vec![
            calls.call("approve"),
            calls.call("respond --file FILE"),
            calls.call("prompt"),
        ];
        if !by_hand {
            next.insert(0, calls.call("retry"));
        }
        return next;
    }
    match state.first_at(&[PhaseStatus::Rejected, PhaseStatus::Error, PhaseStatus::WaitingForHuman]) {
        Some(phase) if state.at(phase).status == PhaseStatus::Rejected => {
            vec![calls.call("revise --feedback TEXT"), calls.call("cancel")]
        }
        Some(_) => vec![calls.call("retry"), calls.call("cancel")],
        None => Vec::new(),
    }
}

/// The project's settings and the user's, and the endpoints that can be used: the server's file's where one is named, else
/// the user's.
pub(super) fn settings(root: &Path, config: Option<PathBuf>) -> Result<(Choices, Models), Refusal> {
    let environment = |name: &str| std::env::var(name).ok();
    let projects = read_project(&root.join(STATE_FOLDER).join("config.yml"));
    let users = users(&environment);
    let (projects, (users, own)) = match (projects, users) {
        (Ok(projects), Ok(users)) => (projects, users),
        (projects, users) => {
            let all = projects.err().into_iter().chain(users.err()).flatten();
            return Err(Refusal::configuration(all.collect()));
        }
    };
    let models = match config {
        Some(config) => server_models(Some(config))?,
        None => own,
    };
    Ok((projects.over(users), models))
}

/// What the user's own file says; nothing where there is none.
fn users(environment: &dyn Fn(&str) -> Option<String>) -> Result<(Choices, Models), Vec<String>> {
    match user_file() {
        Some(path) => read_user(&path, environment),
        None => Ok((Choices::default(), Models::default())),
    }
}

/// The endpoints that can be used from here: those of the server's file where one is named, else the user's.
pub(super) fn models_from_here(config: Option<PathBuf>) -> Result<Models, Refusal> {
    match config {
        Some(config) => server_models(Some(config)),
        None => {
            let users = users(&|name| std::env::var(name).ok());
            Ok(users.map_err(Refusal::configuration)?.1)
        }
    }
}

/// The user's own file, by the XDG Base Directory Specification.
fn user_file() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(base.join("countersign/config.yml"))
}

fn prepare(root: &Path) -> Result<(), Refusal> {
    let state = root.join(STATE_FOLDER);
    let refused =
        |error: std::io::Error| Refusal::configuration(vec![format!("{} cannot be used: {error}", state.display())]);
    if state.is_symlink() {
        return Err(Refusal::configuration(vec![format!(
            "{} is a symbolic link: put the folder itself there",
            state.display()
        )]));
    }
    std::fs::create_dir_all(&state).map_err(refused)?;
    let ignored = state.join(".gitignore");
    if !ignored.exists() {
        std::fs::write(&ignored, IGNORED).map_err(refused)?;
    }
    Ok(())
}

fn engine(root: &Path, folder: &Folder, (store, models): (Store, Models)) -> Result<Engine, Refusal> {
    // No definition that sends mail starts here.
    let mail = format!("file:{}", root.join(STATE_FOLDER).join("mail").display());
    let unusable = |error: String| Refusal::configuration(vec![error]);
    let mail = mail.parse().map_err(unusable)?;
    let from = "Countersign <countersign@localhost>"
        .parse()
        .map_err(|error: crate::config::AddressMistake| unusable(error.to_string()))?;
    let mailer = Mailer::new(&mail, from).map_err(|error| unusable(error.to_string()))?;
    let model_client =
        ModelClient::new().map_err(|error| unusable(format!("connections to models cannot be prepared: {error}")))?;
    let parts = Parts {
        store,
        site: Site::Folder(folder.clone()),
        mailer,
        clock: machine_clock(),
        model_client,
        pacing: Pacing::Off,
        models: Arc::new(models),
        // The one person here is the operator.
        allowance: Allowance {
            commands: u32::MAX,
            stranger_answers: u32::MAX,
        },
        deliveries_kept: chrono::TimeDelta::zero(),
        owner: format!("{:016x}", rand::random::<u64>()),
    };
    Engine::new(parts).map_err(Refusal::failed)
}

/// The user of the operating system, by the id that owns what this process makes: no variable can say another.
pub(super) fn whoever_runs_this(root: &Path) -> Person {
    let id = user_id(root);
    let passwords = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let by_id = passwords.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    let by_environment = || {
        ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
    };
    let name = by_id.or_else(by_environment).filter(|name| !name.is_empty());
    operator(id, name.unwrap_or_else(|| format!("user-{id}")))
}

#[cfg(unix)]
fn user_id(_: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let own = tempfile::tempfile().and_then(|file| file.metadata());
    own.map(|found| found.uid()).unwrap_or(u32::MAX)
}

#[cfg(not(unix))]
fn user_id(_: &Path) -> u32 {
    0
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/~+:@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// What a provider is called on the command line.
fn provider(text: &str) -> Result<ProviderName, String> {
    text.parse()
}

/// The project of a command that changes something; a server's workflows are changed on GitHub only.
fn root_of(database: &Database) -> Result<Option<PathBuf>, Refusal> {
    if let Some(named) = database.named_project() {
        return project(named).map(Some);
    }
    match database.whose()? {
        Whose::Projects(root) => Ok(Some(root)),
        Whose::Servers(_) if database.is_configured() => Ok(None),
        // Nothing is configured and nothing is here.
        Whose::Servers(DatabaseUrl::Sqlite(path)) if path.exists() => Ok(None),
        Whose::Servers(_) => project(Path::new(".")).map(Some),
    }
}
