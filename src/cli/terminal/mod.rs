//! Workflows of a project's folder, run from a terminal: no GitHub, no account, no server.

mod next;
mod orders;
mod phase;
mod request;
mod run;
mod validate;
mod watch;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub(super) use orders::{Answered, Approve, Cancel, Hold, Reject, Respond, Retry, Revise, Skip, Unhold};
pub(super) use request::Prompted;
pub(super) use run::Run;
pub(super) use validate::Validate;
pub(super) use words::ruling;

use super::answer::{Answer, Refusal};
use super::database::{Database, Whose, project};
use super::house::machine_clock;
use super::page::{facts, harmless};
use super::providers::server_models;
use super::status::{unknown, words as status_words};
use crate::agents;
use crate::chat::say::guidelines;
use crate::config::terminal::{Choices, read_project, read_user};
use crate::config::{DatabaseUrl, MOST_OF_GUIDELINES, Models, ProviderName};
use crate::engine::{Allowance, Engine, Folder, Pacing, Parts, STATE_FOLDER, Site, WrittenFile, unanswered_in};
use crate::mail::Mailer;
use crate::notify::Notifier;
use crate::providers::http::Client as ModelClient;
use crate::store::Store;
use crate::store::kept::Kept;
use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::guidelines::Guidelines;
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::right::Person;
use crate::workflow::state::{PhaseStatus, State, Status};
use crate::workflow::unanswered::OpenPrompt;
use next::{Calls, next};

/// What the folder's own `.gitignore` says: its state is a machine's, its settings may be shared.
const IGNORED: &str = "*\n!.gitignore\n!config.yml\n";

/// The longest that a run waits before it looks again whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// An open project: its engine, held alone, and what its commands are called from here.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) folder: Folder,
    /// ` --project-dir DIR` and ` --config FILE` where the next command needs them to find what this one found.
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
        let (_, models) = settings(&root, named.config.clone())?;
        if entering == Entering::New {
            prepare(&root)?;
        }
        let store = Store::serve(&database).map_err(|error| Refusal::configuration(vec![error.to_string()]))?;
        let folder = Folder::new(root.clone(), whoever_runs_this(&root));
        let engine = engine(&root, &folder, (store, models))?;
        engine.take_over().await?;
        Ok(Self {
            engine,
            folder,
            suffix: suffix(named),
        })
    }

    /// Does what is due until the workflow waits for a person, or for a time that is far away.
    pub(super) async fn settle(&self, id: &WorkflowId) -> Result<(), Refusal> {
        watch::watched(self.engine.store(), id, self.settle_quietly(id)).await
    }

    async fn settle_quietly(&self, id: &WorkflowId) -> Result<(), Refusal> {
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
    pub(super) async fn standing(&self, id: &WorkflowId) -> Result<Answer, Refusal> {
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
        if state.status == Status::Completed {
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
        let mut notes: Vec<String> = guided(state).into_iter().chain(notes(&kept, state)).collect();
        notes.extend(questions(&kept, state));
        let changed = self.folder.changed_papers(state, &kept)?.map_err(Refusal::failed)?;
        notes.extend(changed.iter().map(|path| words::changed(path)));
        let waiting = unanswered_in(state, &kept);
        let awaited = Folder::awaited(state, &kept)?;
        let answers = waiting.iter().filter_map(|of| {
            let (_, file) = awaited.iter().find(|(phase, _)| *phase == of.phase)?;
            Some(Wanted {
                of: of.clone(),
                file: file.clone(),
            })
        });
        let stands = Stands {
            file: Folder::at_hand(state, &kept)?,
            answers: answers.collect(),
            next: next(state, &waiting, &Calls::new(&self.suffix, several.then_some(id))),
            notes,
            files: written,
            ..Stands::of(state)
        };
        Ok(Answer::new(&stands, stands.page()))
    }
}

/// What the next commands need to be said to find what this one found.
fn suffix(named: &Database) -> String {
    let mut suffix = match named.named_project() {
        Some(dir) => format!(" --project-dir {}", quoted(&dir.display().to_string())),
        // Else they would look into the server's database.
        None if named.is_configured() => " --project-dir .".to_owned(),
        None => String::new(),
    };
    let of_environment = std::env::var_os("COUNTERSIGN_CONFIG").map(PathBuf::from);
    if let Some(config) = named
        .config
        .as_ref()
        .filter(|config| Some(*config) != of_environment.as_ref())
    {
        suffix.push_str(&format!(" --config {}", quoted(&config.display().to_string())));
    }
    suffix
}

/// An answer that is waited for, and where it belongs.
#[derive(Debug, Serialize)]
struct Wanted {
    #[serde(flatten)]
    of: OpenPrompt,
    file: String,
}

/// What a command tells of a workflow when it has done its part.
#[derive(Debug, Serialize)]
struct Stands<'a> {
    workflow: &'a str,
    definition: &'a str,
    status: &'a Status,
    /// Who held it, and why, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_status: Option<PhaseStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// How many attempts the iteration may have before a rejection is for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The verdict that an approval of what waits would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<ReviewVerdict>,
    /// What the gate's approver said of what waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<String>,
    /// What the workflow met, apart from what this command met.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Who said no last, and why, where that is where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The answers that are waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Wanted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// The guidelines that the prompt was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    guidelines: Option<&'a Guidelines>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<WrittenFile>>,
}

impl<'a> Stands<'a> {
    fn of(state: &'a State) -> Self {
        let phase = current(state);
        let at = phase.map(|phase| state.at(phase));
        let pending = at.and_then(|at| at.pending.as_ref());
        let limits = phase
            .and_then(|phase| state.definition.phase(phase))
            .map(|phase| &phase.limits);
        Self {
            workflow: state.id.as_str(),
            definition: &state.definition.name,
            status: &state.status,
            held: state.hold.as_ref().map(words::held),
            phase: phase.map(PhaseId::as_str),
            phase_status: at.map(|at| at.status),
            iteration: at.map(|at| at.iteration),
            attempt: at.map(|at| at.attempt),
            attempts: limits
                .filter(|limits| limits.retries > 0)
                .map(|limits| limits.retries + 1),
            digest: pending.map(|pending| pending.digest.to_string()),
            verdict: pending.and_then(|pending| pending.verdict),
            approver: pending.and_then(|pending| pending.judged.ruling.as_ref()).map(ruling),
            last_error: at.and_then(|at| at.why.as_ref()).map(words::why),
            rejected: phase.and_then(|phase| words::rejection(state, phase)),
            file: None,
            answers: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
            guidelines: at.and_then(|at| at.guidelines.as_ref()),
            files: None,
        }
    }

    fn page(&self) -> String {
        let stands = match self.status {
            Status::Open => match (self.phase, self.phase_status) {
                (Some(phase), Some(status)) => format!("{phase}: {}{}", status_words(status), self.tries()),
                _ => "at work".to_owned(),
            },
            Status::Completed => "completed".to_owned(),
            Status::Cancelled { .. } => "cancelled".to_owned(),
        };
        let mut about = vec![
            ("workflow", format!("{} ({})", self.workflow, self.definition)),
            ("stands", stands),
        ];
        about.extend(self.held.iter().map(|held| ("held", held.clone())));
        about.extend(self.verdict.map(|verdict| ("verdict", verdict.to_string())));
        about.extend(self.approver.iter().map(|said| ("approver", said.clone())));
        about.extend(self.rejected.iter().map(|why| ("because", why.clone())));
        about.extend(self.last_error.iter().map(|why| ("because", why.clone())));
        match self.answers.as_slice() {
            [] | [_] => about.extend(self.file.iter().map(|file| ("file", file.clone()))),
            several => about.extend(
                several
                    .iter()
                    .map(|one| ("file", format!("{} ({})", one.file, one.of.phase))),
            ),
        }
        about.extend(self.notes.iter().map(|note| ("note", note.clone())));
        about.extend(self.next.iter().map(|next| ("next", next.clone())));
        let mut page = facts(&about);
        for file in self.files.iter().flatten() {
            page.push_str(&format!("wrote {} ({} bytes)\n", harmless(&file.path), file.bytes));
        }
        page
    }

    /// Which attempt it is, where it is not the first.
    fn tries(&self) -> String {
        match (self.attempt, self.attempts) {
            (None | Some(0 | 1), _) => String::new(),
            (Some(attempt), Some(attempts)) if attempt <= attempts => format!(", attempt {attempt} of {attempts}"),
            (Some(attempt), _) => format!(", attempt {attempt}"),
        }
    }
}

/// The phase that an open workflow stands at.
fn current(state: &State) -> Option<&PhaseId> {
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

/// Which guidelines the prompt was made with that waits, or whose answer does.
fn guided(state: &State) -> Option<String> {
    let of = state.at(current(state)?).guidelines.as_ref()?;
    Some(format!("guidelines: {}", guidelines::words(of)))
}

/// What is to be known of what waits at the gate.
fn notes(kept: &Kept, state: &State) -> Vec<String> {
    let Some((phase, _, pending)) = state.open_gate().filter(|_| state.is_open()) else {
        return Vec::new();
    };
    let digest = pending.digest.to_string();
    let at_gate = kept.artifacts.iter().find(|artifact| artifact.digest == digest);
    let Some(artifact) = at_gate else { return Vec::new() };
    // Whose standards they are is told once; their file stays.
    let told = state.definition.phases.first().map(|first| &first.id) != Some(phase) || pending.stage != Stage::Prompt;
    let defined = state.definition.phase(phase).filter(|_| told);
    let standards = defined.and_then(|phase| agents::of_phase(&state.definition, phase)?.standards);
    let standards = standards.map(|standards| standards.note());
    let lists = ["notes", "planned"]
        .into_iter()
        .filter_map(|key| artifact.beside[key].as_array());
    lists
        .flatten()
        .filter_map(|note| note.as_str().map(str::to_owned))
        .filter(|note| Some(note) != standards.as_ref())
        .collect()
}

/// What an open workflow asks, with the numbers that answers name.
fn questions(kept: &Kept, state: &State) -> Vec<String> {
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
        notifier: Notifier::silent(),
        clock: machine_clock(),
        model_client,
        pacing: Pacing::Off,
        models: Arc::new(models),
        policy: None,
        // The one person here is the operator.
        allowance: Allowance {
            commands: u32::MAX,
            stranger_answers: u32::MAX,
        },
        guidelines_bytes: MOST_OF_GUIDELINES,
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
    Person::operator(id, name.unwrap_or_else(|| format!("user-{id}")))
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
