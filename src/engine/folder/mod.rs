//! Workflows of a project's folder: no GitHub, no account, no server. The operator's terminal is where people speak, files
//! below `.countersign` are what they read and edit, and the same core decides.

mod desk;
mod disk;
mod output;
mod papers;
mod taking;

use std::path::{Path, PathBuf};

use super::change::Payload;
use super::effects::Ended;
use super::guidelines::There;
use super::site::{Job, Source};
use super::{Engine, Site, Trouble};
use crate::agents::made::files;
use crate::agents::{self, Entry, Guide, Limits, Problem, ProblemKind, Thread};
use crate::config::RepositoryConfig;
use crate::store::Write;
use crate::store::effects::LeasedEffect;
use crate::store::workflows::{Stored, keep_proposal};
use crate::workflow::command::Report;
use crate::workflow::ids::{InstallationId, PhaseId, RepositoryId};
use crate::workflow::plan::Intent;
use crate::workflow::right::Person;
use crate::workflow::state::State;

pub use desk::{Not, Order};
pub use output::{NotWritten, WrittenFile, approved_files};
pub use papers::{Paper, Standing};

use super::card::Beside;

/// Where a project keeps its workflows, below its own folder.
pub const STATE_FOLDER: &str = ".countersign";

/// The database in there.
pub const STATE_FILE: &str = "state.sqlite";

/// What a person asked for when a workflow started, in the workflow's own folder: what an issue's text is on GitHub.
const REQUEST: &str = "request.md";

/// A folder stands for a repository; its database holds no other.
pub(super) const REPOSITORY: RepositoryId = RepositoryId(0);

/// No App is installed anywhere.
pub(super) const INSTALLATION: InstallationId = InstallationId(0);

/// A project's folder and who works in it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    name: String,
    operator: Person,
}

impl Folder {
    /// The folder of a project, in which this user of the operating system works.
    pub fn new(root: PathBuf, operator: Person) -> Self {
        let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
        // The record of a repository has two parts; people see the second.
        let name = name.unwrap_or_else(|| "project".to_owned());
        Self { root, name, operator }
    }

    /// What the project is called: its folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who works here.
    pub fn operator(&self) -> &Person {
        &self.operator
    }

    /// Where a project's database is.
    pub fn database(root: &Path) -> PathBuf {
        root.join(STATE_FOLDER).join(STATE_FILE)
    }

    /// Where a workflow's papers are, from the project's folder.
    pub fn papers_of(state: &State) -> String {
        format!("{STATE_FOLDER}/{}", state.id)
    }

    /// Judges the files of an answer by what is in the project.
    ///
    /// # Errors
    /// A problem for each path that cannot be written, with the rule's name.
    pub(super) fn judge(&self, artifact: &serde_json::Value) -> Result<(), Vec<Problem>> {
        let wrong = files::of(artifact).into_iter().enumerate().filter_map(|(at, file)| {
            let text = disk::judge(&self.root, file.path).err()?;
            Some(Problem {
                kind: ProblemKind::Rule,
                at: format!("/writes/{at}/path"),
                text,
            })
        });
        let wrong: Vec<Problem> = wrong.collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// The guidelines in a file of the project, as a prompt that leaves would be made with them; `None` where there is no
    /// such file.
    ///
    /// # Errors
    /// Why it cannot be looked at, for people.
    pub fn guide(&self, path: &str) -> Result<Option<Guide>, String> {
        let most = RepositoryConfig::default().limits.guidelines;
        Ok(self.there(path)?.map(|there| match there {
            There::Text(text, _) => agents::outbound_guide(Guide::read(path, None, (&text, None), most.into())),
            There::Unfit(why) => Guide::left_out(path, None, why),
        }))
    }

    /// What stands at a path of the project, a link to another file of it followed; `None` where nothing does.
    ///
    /// # Errors
    /// Why it cannot be looked at, for people.
    pub(super) fn there(&self, path: &str) -> Result<Option<There>, String> {
        disk::there(&self.root, path).map_err(|error| error.to_string())
    }

    /// The text of a file of the project; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be read, for people.
    pub(super) fn text_of(&self, path: &str) -> Result<Option<String>, String> {
        crate::text::paths::check(path).map_err(|rule| format!("`{path}`: {rule} ({})", rule.name()))?;
        disk::read(&self.root, path).map_err(|error| error.to_string())
    }
}

impl Engine {
    /// The folder that this engine works in.
    pub(super) fn folder(&self) -> Result<&Folder, Trouble> {
        match &self.parts().site {
            Site::Folder(folder) => Ok(folder),
            Site::GitHub(_) => Err(Trouble::Never("this workflow lives on GitHub".to_owned())),
        }
    }

    /// What an agent is told in the place of a discussion: what the operator asked for, and said since.
    pub(super) fn thread_in(&self, folder: &Folder, state: &State, phase: &PhaseId) -> Result<Thread, Trouble> {
        let request = format!("{}/{REQUEST}", Folder::papers_of(state));
        let request = disk::read(&folder.root, &request).map_err(|error| Trouble::Never(error.to_string()))?;
        let entry = request.map(|text| Entry {
            comment_id: 0,
            author: state.starter.login.clone(),
            url: String::new(),
            created_at: state.started_at,
            text,
        });
        let steer = state.at(phase).steer.iter().map(|words| words.as_str().to_owned());
        Ok(Thread {
            repository: folder.name.clone(),
            kind: state.subject.kind,
            number: state.subject.number.0,
            title: state.definition.title.clone(),
            url: String::new(),
            private: true,
            entries: entry.into_iter().collect(),
            left_out: Vec::new(),
            participants: vec![state.starter.login.clone()],
            assignable: None,
            labels: Vec::new(),
            today: self.now().date_naive(),
            earlier: Vec::new(),
            steer: steer.collect(),
            limits: Limits {
                tasks: usize::try_from(RepositoryConfig::default().limits.tasks).unwrap_or(usize::MAX),
            },
            notes: Vec::new(),
        })
    }

    /// Carries out an effect of a workflow of this folder. Nobody is called and nothing is commented here: whoever runs the
    /// command is told by it.
    pub(super) async fn carry_out_in(
        &self,
        folder: &Folder,
        effect: &LeasedEffect,
        payload: Payload,
    ) -> Result<Ended, Trouble> {
        let Payload::Step(intent) = payload else {
            return Ok(Ended::Dropped("nobody is answered here"));
        };
        let Some(stored) = self.of(effect).await? else {
            return Ok(Ended::Dropped("no workflow"));
        };
        match intent {
            Intent::RunAgent {
                phase,
                iteration,
                attempt,
            } => {
                let job = Job {
                    effect,
                    source: Source::Folder(folder),
                    full_name: &folder.name,
                };
                self.run_agent(&job, &stored, &phase, iteration, attempt).await
            }
            Intent::AskApprover { phase, digest, attempt } => {
                let job = Job {
                    effect,
                    source: Source::Folder(folder),
                    full_name: &folder.name,
                };
                self.ask_approver(&job, &stored, &phase, digest, attempt).await
            }
            Intent::ReadChecks {
                phase,
                digest,
                readings,
                because,
                ..
            } => {
                self.read_checks(None, &stored, &phase, (digest, readings), because)
                    .await
            }
            Intent::Card => self.lay_out(folder, &stored).await,
            Intent::ExpireGate {
                phase,
                digest,
                reminders,
                ..
            } => Ok(Ended::reported(
                "time ran out",
                Report::GateExpired {
                    phase,
                    digest,
                    reminders,
                },
            )),
            Intent::Act { .. } => Err(Trouble::Never(
                "it would act on GitHub, and this workflow lives in a folder".to_owned(),
            )),
            _ => Ok(Ended::Dropped("the terminal tells it")),
        }
    }

    /// Brings the papers of a workflow up to date, and reports that what waits at a gate can be read.
    async fn lay_out(&self, folder: &Folder, stored: &Stored) -> Result<Ended, Trouble> {
        let state = &stored.state;
        self.write_papers(folder, stored).await?;
        let Some((phase, _, pending)) = state.open_gate() else {
            return Ok(Ended::done(Folder::papers_of(state)));
        };
        let report = Report::Shown {
            phase: phase.clone(),
            digest: pending.digest,
            at: self.now(),
        };
        let extra = self.note_base(folder, state, pending.digest).await?;
        Ok(Ended::Reported {
            result: Folder::papers_of(state),
            report,
            extra,
        })
    }

    /// Notes beside files that are shown what stood in their places, so that nothing is written over that changed since.
    async fn note_base(
        &self,
        folder: &Folder,
        state: &State,
        digest: crate::workflow::ids::Digest,
    ) -> Result<Write, Trouble> {
        let Some((proposal, beside)) = self.store().proposal(&state.id, &digest).await? else {
            return Ok(Write::new());
        };
        let mut beside = Beside::of(beside);
        let base = output::base_of(folder, &proposal);
        let new: Vec<_> = base
            .into_iter()
            .filter(|(path, _)| !beside.base.contains_key(path))
            .collect();
        if new.is_empty() {
            return Ok(Write::new());
        }
        let replaced = new.iter().filter(|(_, base)| base.is_some());
        let replaced = replaced.map(|(path, _)| format!("It replaces {path}, which is there."));
        beside.planned.extend(replaced);
        beside.base.extend(new);
        Ok(Write::of(keep_proposal(
            &proposal,
            &beside.value(),
            state.subject.repository,
            self.now(),
        )?))
    }
}
