//! Runs of agents: facts in, an answer judged, a proposal out; every run is kept.

use std::collections::BTreeMap;

use super::card::{Beside, Forms};
use super::comparison;
use super::effects::Ended;
use super::model::Errand;
use super::readers::Readers;
use super::roles::provider_of;
use super::site::{Job, Site, Source};
use super::{Engine, Trouble};
use crate::agents::made::files;
use crate::agents::{self, Agent, Draft, Guide, Handed, Inputs, Material, Problem, Prompt};
use crate::chat::say::reasons;
use crate::chat::say::why::why_words;
use crate::config::{ProviderName, RepositoryConfig};
use crate::providers::rules;
use crate::store::runs::{PROMPTED, Run, UNDER_WAY, keep_run};
use crate::store::workflows::{Stored, keep_proposal};
use crate::store::{Store, Write};
use crate::workflow::artifact::{Proposal, Stage, Targets};
use crate::workflow::command::{Report, RunResult};
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Ending, PhaseStatus, State, Why};

/// What an agent is given.
enum Given {
    Inputs(Box<Inputs>),
    /// There is nothing to ask the agent.
    Nothing(Ending),
}

/// One phase's work for an agent.
pub(super) struct Task<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) stored: &'a Stored,
    pub(super) phase: &'a PhaseId,
    pub(super) agent: Agent,
    pub(super) config: RepositoryConfig,
    /// Where the agent's text comes from, as it is configured now.
    pub(super) provider: ProviderName,
}

/// What a run works with.
enum Prepared {
    /// Its inputs, its prompt, and the run as it is kept.
    Ready(Box<(Inputs, Prompt, Run)>),
    /// There is nothing to ask the agent.
    Nothing(Ending),
}

/// What a provider answered, once it has been judged.
pub(super) enum Judged {
    /// A proposal.
    Proposed {
        draft: Box<Draft>,
        answer: String,
        provider: String,
    },
    /// A person must look.
    NeedsPerson { why: Why, answer: Option<String> },
    /// Nobody wants the answer any more.
    NotWanted,
}

impl Engine {
    pub(super) async fn run_agent(
        &self,
        job: &Job<'_>,
        stored: &Stored,
        phase: &PhaseId,
        iteration: u32,
        attempt: u32,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let id = job.effect.id.as_str();
        let at = state.at(phase);
        if !state.is_open() || at.status != PhaseStatus::Running || at.iteration != iteration || at.attempt != attempt {
            // What was paid for is on the books, whoever still wants it.
            self.calls_settled(state, id).await?;
            return Ok(Ended::Dropped("the phase has moved on"));
        }
        let agent = agent_of(state, phase)?;
        let config = self.config_for(job).await?;
        let ran = |result, guidelines| Report::Ran {
            phase: phase.clone(),
            iteration,
            attempt,
            result,
            guidelines,
        };
        let task = Task {
            provider: provider_of(&state.definition, phase, &agent, &config),
            config,
            job,
            stored,
            phase,
            agent,
        };
        let agent = &task.agent;
        let (inputs, prompt, mut run) = match self.prepare(&task).await? {
            Prepared::Ready(ready) => *ready,
            Prepared::Nothing(ending) => {
                return Ok(Ended::reported("nothing to ask", ran(RunResult::Ended(ending), None)));
            }
        };
        let guidelines = inputs.guide().map(|guide| guide.of.clone());
        if at.prompt.is_none() && waits_for_its_prompt(state, phase) {
            let proposal = prompt_proposal(state, phase, iteration, agent, &prompt);
            let hidden = inputs.guide().and_then(Guide::hidden);
            let standards = agent.standards.iter().map(agents::Standards::note);
            let beside = Beside {
                notes: hidden.into_iter().chain(standards).collect(),
                ..Beside::default()
            };
            let repository = state.subject.repository;
            let mut extra = Write::of(keep_proposal(&proposal, &beside.value(), repository, self.now())?);
            run.outcome = PROMPTED.to_owned();
            extra.push(keep_run(&run, &state.id, repository));
            let proposal = Box::new(proposal);
            return Ok(Ended::Reported {
                result: "its prompt waits".to_owned(),
                report: ran(RunResult::Prompted { proposal }, guidelines),
                extra,
            });
        }
        let provider = run.provider.parse().map_err(Trouble::Never)?;
        let judged = match (withheld(&provider, agent, &inputs), provider) {
            // A comparison leaves nothing out but scores: people choose without a model that gives none.
            (Some(problem), ProviderName::Http(_)) if is_choice(agent) => without_scores(agent, &inputs, &problem.text),
            (Some(problem), _) => Judged::NeedsPerson {
                why: Why::Withheld(problem.text),
                answer: None,
            },
            (None, ProviderName::Rules) => by_the_rules(agent, &inputs),
            (None, ProviderName::Manual) => Judged::NeedsPerson {
                why: Why::ManualProvider,
                answer: None,
            },
            (None, ProviderName::Http(endpoint)) => {
                let errand = Errand {
                    task: &task,
                    inputs: &inputs,
                    prompt: &prompt,
                    run: &run,
                    of_gate: None,
                };
                match self.ask_model(&errand, &endpoint).await? {
                    Judged::NeedsPerson { why, .. } if is_choice(agent) => {
                        without_scores(agent, &inputs, &why_words(&why))
                    }
                    judged => judged,
                }
            }
        };
        let mut extra = Write::new();
        let (outcome, result) = match judged {
            Judged::NotWanted => return Ok(Ended::Dropped("the phase has moved on")),
            Judged::NeedsPerson { why, answer } => {
                run.answer = answer;
                (
                    format!("a person is needed: {}", why_words(&why)),
                    RunResult::NeedsPerson(why),
                )
            }
            Judged::Proposed {
                mut draft,
                answer,
                provider,
            } => {
                run.answer = Some(answer);
                run.provider.clone_from(&provider);
                let mut beside = beside(agent, &inputs, &mut draft);
                if provider == ProviderName::Rules.to_string() && agent.works_from == agents::InputKind::Thread {
                    beside.forms = Forms::OfTheRules;
                }
                let proposal = propose(state, phase, iteration, agent, *draft);
                let repository = state.subject.repository;
                extra.push(keep_proposal(&proposal, &beside.value(), repository, self.now())?);
                let proposal = Box::new(proposal);
                ("proposed".to_owned(), RunResult::Proposed { proposal, provider })
            }
        };
        run.outcome.clone_from(&outcome);
        run.ended_at = self.now();
        extra.push(keep_run(&run, &state.id, state.subject.repository));
        Ok(Ended::Reported {
            result: outcome,
            report: ran(result, guidelines),
            extra,
        })
    }

    /// What a run works with. A run that began, or whose prompt was approved, goes on with what it was given then,
    /// whatever was written since.
    async fn prepare(&self, task: &Task<'_>) -> Result<Prepared, Trouble> {
        let (state, id) = (&task.stored.state, task.job.effect.id.as_str());
        let (phase, agent, provider) = (task.phase, &task.agent, &task.provider);
        let at = state.at(phase);
        if let Some(begun) = self.store().run(id).await? {
            let inputs = read(&begun.run.inputs)?;
            let prompt = prompt_in_force(self.store(), state, phase, (agent, &inputs)).await?;
            return Ok(Prepared::Ready(Box::new((inputs, prompt, begun.run))));
        }
        let prompted = match at.prompt {
            Some(_) => self.store().last_run(&state.id, phase).await?,
            None => None,
        };
        let inputs = match prompted.filter(|run| run.iteration == at.iteration) {
            Some(run) => read(&run.inputs)?,
            None => match self.given(task).await? {
                Given::Inputs(inputs) => *inputs,
                Given::Nothing(ending) => return Ok(Prepared::Nothing(ending)),
            },
        };
        // A prompt that a model or a person's tools will see leaves the repository's audience.
        let inputs = match provider {
            ProviderName::Rules => inputs,
            ProviderName::Manual | ProviderName::Http(_) => agents::outbound(inputs),
        };
        let prompt = prompt_in_force(self.store(), state, phase, (agent, &inputs)).await?;
        let withheld = withheld(provider, agent, &inputs).is_some();
        let run = Run {
            id: id.to_owned(),
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt,
            agent: agent.name.to_string(),
            provider: provider.to_string(),
            inputs: serde_json::to_string(&inputs).map_err(|error| Trouble::Never(error.to_string()))?,
            prompt: if withheld {
                prompt.system.clone()
            } else {
                prompt.whole()
            },
            answer: None,
            answered_by: None,
            outcome: UNDER_WAY.to_owned(),
            started_at: self.now(),
            ended_at: self.now(),
        };
        Ok(Prepared::Ready(Box::new((inputs, prompt, run))))
    }

    /// The texts of the files that were named when the workflow started, as they are now.
    pub(super) async fn files_given(
        &self,
        source: Source<'_>,
        state: &State,
    ) -> Result<BTreeMap<String, String>, Trouble> {
        let mut files = BTreeMap::new();
        for (name, _) in state.definition.inputs.iter().filter(|(_, input)| input.is_file()) {
            let Some(path) = state.given.get(name) else { continue };
            let text = self.text_at(source, path).await?;
            let text = text.ok_or_else(|| Trouble::Never(reasons::file_is_gone(path, name)))?;
            files.insert(name.clone(), text);
        }
        Ok(files)
    }

    /// What the phases that another takes from made last.
    pub(super) async fn handed(&self, state: &State, phase: &PhaseId) -> Result<Vec<Handed>, Trouble> {
        let mut handed = Vec::new();
        let defined = state.definition.phase(phase);
        if defined.is_some_and(|phase| phase.asks) {
            handed.extend(self.answers(state, phase).await?);
        }
        let asking = |input: &PhaseId| state.definition.phase(input).is_some_and(|input| input.asks);
        let inputs = defined.map(|phase| phase.inputs.as_slice()).unwrap_or_default();
        for input in inputs.iter().filter(|input| asking(input)) {
            handed.extend(self.answers(state, input).await?);
        }
        let made = defined.into_iter().flat_map(|phase| state.handed(phase));
        for (_, digest) in made.filter(|(input, _)| !asking(input)) {
            if let Some((proposal, _)) = self.store().proposal(&state.id, &digest).await? {
                handed.push(Handed {
                    phase: proposal.phase.as_str().to_owned(),
                    iteration: proposal.iteration,
                    schema: proposal.schema,
                    artifact: proposal.artifact,
                });
            }
        }
        files::keep_last(&mut handed, |later, earlier| {
            let later = state.definition.phase(&PhaseId::from(later));
            later.is_some_and(|later| later.revises(&PhaseId::from(earlier)))
        });
        Ok(handed)
    }

    /// Gathers the facts that an agent works from.
    async fn given(&self, task: &Task<'_>) -> Result<Given, Trouble> {
        let (source, stored, phase, config) = (task.job.source, task.stored, task.phase, &task.config);
        let readers = Readers::of(&task.provider);
        match task.agent.works_from {
            agents::InputKind::Thread => {
                let thread = self.thread_for(source, stored, phase, (config, readers)).await?;
                Ok(Given::Inputs(Box::new(Inputs::Thread(thread))))
            }
            agents::InputKind::Material => {
                let material = Material {
                    thread: self.thread_for(source, stored, phase, (config, readers)).await?,
                    given: stored.state.given.clone(),
                    files: self.files_given(source, &stored.state).await?,
                    artifacts: self.handed(&stored.state, phase).await?,
                    choice: comparison::choice(&stored.state, phase),
                    guide: self.guide_for(task).await?,
                };
                Ok(Given::Inputs(Box::new(Inputs::Material(Box::new(material)))))
            }
            agents::InputKind::Mailing => {
                if config.mail.to.is_empty() && config.mail.cc.is_empty() {
                    return Ok(Given::Nothing(Ending::NotConfigured {
                        key: "mail.to".to_owned(),
                    }));
                }
                let Source::Repository(repo) = source else {
                    return Ok(Given::Nothing(Ending::NotConfigured {
                        key: "mail.to".to_owned(),
                    }));
                };
                let mailing = self.gather_mailing(repo, stored, phase, config).await?;
                if mailing.tasks.is_empty() {
                    return Ok(Given::Nothing(Ending::Nothing {
                        reason: reasons::NO_ISSUE.to_owned(),
                    }));
                }
                Ok(Given::Inputs(Box::new(Inputs::Mailing(mailing))))
            }
        }
    }
}

/// The prompt that was approved, exactly; else the one that the inputs make.
pub(super) async fn prompt_in_force(
    store: &Store,
    state: &State,
    phase: &PhaseId,
    (agent, inputs): (&Agent, &Inputs),
) -> Result<Prompt, Trouble> {
    let written = agents::prompt(agent, inputs).map_err(|error| Trouble::Never(error.to_string()))?;
    let Some(digest) = state.at(phase).prompt else {
        return Ok(written);
    };
    let approved = store.proposal(&state.id, &digest).await?;
    let approved = approved.and_then(|(proposal, _)| serde_json::from_value::<Prompt>(proposal.artifact).ok());
    let unread = || Trouble::Never(reasons::PROMPT_UNREAD.to_owned());
    Ok(approved.ok_or_else(unread)?.after_rejections(&feedback(state, phase)))
}

/// The agent of a phase.
pub(super) fn agent_of(state: &State, phase: &PhaseId) -> Result<Agent, Trouble> {
    let found = state.definition.phase(phase);
    let agent = found.and_then(|phase| agents::of_phase(&state.definition, phase));
    agent.ok_or_else(|| Trouble::Never(reasons::no_agent(phase)))
}

/// What people said when they rejected answers of this iteration, oldest first.
fn feedback(state: &State, phase: &PhaseId) -> Vec<String> {
    let at = state.at(phase);
    let rejections = usize::try_from(at.rejections).unwrap_or(usize::MAX);
    let said = at.steer.iter().rev().take(rejections);
    let mut said: Vec<String> = said.map(|words| words.as_str().to_owned()).collect();
    said.reverse();
    said
}

/// Whether people approve a phase's prompt before it is sent.
fn waits_for_its_prompt(state: &State, phase: &PhaseId) -> bool {
    let defined = state.definition.phase(phase);
    defined.is_some_and(|phase| !phase.prompt_gate.is_none())
}

/// A prompt as people approve it.
fn prompt_proposal(state: &State, phase: &PhaseId, iteration: u32, agent: &Agent, prompt: &Prompt) -> Proposal {
    Proposal {
        stage: Stage::Prompt,
        schema: agents::PROMPT_SCHEMA.to_owned(),
        ..propose(state, phase, iteration, agent, prompt.draft())
    }
}

/// Why these inputs may not be given to this provider, if they may not. The rules give nothing away.
pub(super) fn withheld(provider: &ProviderName, agent: &Agent, inputs: &Inputs) -> Option<Problem> {
    match provider {
        ProviderName::Rules => None,
        ProviderName::Manual | ProviderName::Http(_) => agents::refused(agent, inputs),
    }
}

fn is_choice(agent: &Agent) -> bool {
    agent.schema_name == agents::choice::SCHEMA
}

/// The comparison without a model's scores, with a note of why.
fn without_scores(agent: &Agent, inputs: &Inputs, why: &str) -> Judged {
    match by_the_rules(agent, inputs) {
        Judged::Proposed {
            mut draft,
            answer,
            provider,
        } => {
            draft.notes.push(reasons::not_scored(why));
            Judged::Proposed {
                draft,
                answer,
                provider,
            }
        }
        other => other,
    }
}

/// Judges an answer as every one is, wherever it came from.
pub(super) fn judge(site: &Site, agent: &Agent, answer: &str, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let draft = agents::judge(agent, answer, inputs)?;
    in_its_place(site, agent, &draft).map(|()| draft)
}

/// Judges files by what is in the project that they are for; elsewhere a push does.
pub(super) fn in_its_place(site: &Site, agent: &Agent, draft: &Draft) -> Result<(), Vec<Problem>> {
    match site {
        Site::Folder(folder) if agent.schema_name == files::SCHEMA => folder.judge(&draft.artifact),
        Site::Folder(_) | Site::GitHub(_) => Ok(()),
    }
}

fn by_the_rules(agent: &Agent, inputs: &Inputs) -> Judged {
    let Some(answer) = rules::answer(agent, inputs) else {
        return Judged::NeedsPerson {
            why: Why::ManualProvider,
            answer: None,
        };
    };
    match agents::judge(agent, &answer, inputs) {
        Ok(draft) => Judged::Proposed {
            draft: Box::new(draft),
            answer,
            provider: ProviderName::Rules.to_string(),
        },
        Err(problems) => Judged::NeedsPerson {
            why: Why::Unusable(sentences(&problems)),
            answer: Some(answer),
        },
    }
}

/// Inputs as a run kept them.
pub(super) fn read(inputs: &str) -> Result<Inputs, Trouble> {
    serde_json::from_str(inputs).map_err(|error| Trouble::Never(reasons::inputs_unread(&error)))
}

/// The whole that a digest covers: the artifact, and all that would be done.
pub(super) fn propose(state: &State, phase: &PhaseId, iteration: u32, agent: &Agent, draft: Draft) -> Proposal {
    Proposal {
        workflow: state.id.clone(),
        phase: phase.clone(),
        iteration,
        stage: Stage::Response,
        schema: agent.schema_name.to_string(),
        artifact: draft.artifact,
        targets: Targets {
            repository: state.subject.repository,
            subject: state.subject.number,
            acts: draft.acts,
        },
    }
}

/// What the card says beside a proposal: what was not read, what the check dropped, what the acts leave out.
pub(super) fn beside(agent: &Agent, inputs: &Inputs, draft: &mut Draft) -> Beside {
    let mut notes = match inputs {
        Inputs::Thread(thread) => thread.notes.clone(),
        Inputs::Mailing(mailing) => mailing.notes.clone(),
        Inputs::Material(material) => {
            let assumed = material.artifacts.iter().flat_map(super::questions::assumed);
            let hidden = material.guide.as_ref().and_then(Guide::hidden);
            let notes = material.thread.notes.iter().cloned();
            notes.chain(hidden).chain(assumed).collect()
        }
    };
    notes.append(&mut draft.notes);
    notes.extend(agent.standards.iter().map(agents::Standards::note));
    Beside {
        notes,
        planned: std::mem::take(&mut draft.planned),
        ..Beside::default()
    }
}

/// Problems as people read them.
pub(super) fn sentences(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
