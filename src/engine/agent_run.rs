//! Runs of agents: facts in, an answer judged, a proposal out; every run is kept.

use super::card::{Beside, Forms};
use super::effects::{Ended, Work};
use super::readers::Readers;
use super::{Engine, Trouble};
use crate::agents::{self, Agent, Draft, Inputs, Problem};
use crate::config::{ProviderName, RepositoryConfig};
use crate::providers::{self, Answer, Provider};
use crate::store::Write;
use crate::store::workflows::{Run, Stored, keep_proposal, keep_run};
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

impl Engine {
    pub(super) async fn run_agent(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        iteration: u32,
        attempt: u32,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let at = state.at(phase);
        if at.status != PhaseStatus::Running || at.iteration != iteration || at.attempt != attempt {
            return Ok(Ended::Dropped("the phase has moved on"));
        }
        let agent = agent_of(state, phase)?;
        let (_, known) = self.repo(work.effect.repository).await?;
        let settings = self.settings(&work.repo, &known).await?;
        let ran = |result| Report::Ran {
            phase: phase.clone(),
            iteration,
            attempt,
            result,
        };
        let inputs = match self.given(work, stored, phase, agent, &settings.config).await? {
            Given::Inputs(inputs) => *inputs,
            Given::Nothing(ending) => return Ok(Ended::reported("nothing to ask", ran(RunResult::Ended(ending)))),
        };
        let started_at = self.now();
        let provider = provider_of(agent, &settings.config);
        // A prompt that a model or a person's tools will see leaves the repository's audience.
        let leaves = provider != Provider::Rules;
        let inputs = if leaves { agents::outbound(inputs) } else { inputs };
        let refused = if leaves { agents::refused(agent, &inputs) } else { None };
        let prompt = agents::prompt(agent, &inputs).map_err(|error| Trouble::Never(error.to_string()))?;
        let answer = match providers::ask(provider, agent, &inputs) {
            Answer::Given(answer) if refused.is_none() => Some(answer),
            _ => None,
        };
        let judged = match &refused {
            Some(problem) => Some(Err(vec![problem.clone()])),
            None => answer.as_deref().map(|answer| agents::judge(agent, answer, &inputs)),
        };
        let mut extra = Write::new();
        let (outcome, result) = match judged {
            None => (
                "waits for a person".to_owned(),
                RunResult::NeedsPerson(Why::ManualProvider),
            ),
            Some(Err(problems)) => {
                let problems = sentences(&problems);
                (
                    format!("refused: {}", problems.join("; ")),
                    RunResult::NeedsPerson(Why::Unusable(problems)),
                )
            }
            Some(Ok(mut draft)) => {
                let mut beside = beside(&inputs, &mut draft);
                if provider == Provider::Rules && agent.works_from == agents::InputKind::Thread {
                    beside.forms = Forms::OfTheRules;
                }
                let proposal = propose(state, phase, iteration, agent, draft);
                let repository = state.subject.repository;
                extra.push(keep_proposal(&proposal, &beside.value(), repository, self.now())?);
                let provider = provider.to_string();
                (
                    "proposed".to_owned(),
                    RunResult::Proposed {
                        proposal: Box::new(proposal),
                        provider,
                    },
                )
            }
        };
        let run = Run {
            id: work.effect.id.as_str().to_owned(),
            phase: phase.clone(),
            iteration,
            attempt,
            agent: agent.name.to_owned(),
            provider: provider.to_string(),
            inputs: serde_json::to_string(&inputs).map_err(|error| Trouble::Never(error.to_string()))?,
            prompt: if refused.is_some() {
                prompt.system
            } else {
                prompt.whole()
            },
            answer,
            answered_by: None,
            outcome: outcome.clone(),
            started_at,
            ended_at: self.now(),
        };
        extra.push(keep_run(&run, &state.id, state.subject.repository));
        Ok(Ended::Reported {
            result: outcome,
            report: ran(result),
            extra,
        })
    }

    /// Gathers the facts that an agent works from.
    async fn given(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        agent: &Agent,
        config: &RepositoryConfig,
    ) -> Result<Given, Trouble> {
        match agent.works_from {
            agents::InputKind::Thread => {
                let readers = Readers::of(&config.providers.extract);
                let thread = self.gather_thread(&work.repo, stored, phase, config, readers).await?;
                Ok(Given::Inputs(Box::new(Inputs::Thread(thread))))
            }
            agents::InputKind::Mailing => {
                if config.mail.to.is_empty() && config.mail.cc.is_empty() {
                    return Ok(Given::Nothing(Ending::NotConfigured {
                        key: "mail.to".to_owned(),
                    }));
                }
                let mailing = self.gather_mailing(&work.repo, stored, phase, config).await?;
                if mailing.tasks.is_empty() {
                    return Ok(Given::Nothing(Ending::Nothing {
                        reason: "no issue was opened".to_owned(),
                    }));
                }
                Ok(Given::Inputs(Box::new(Inputs::Mailing(mailing))))
            }
        }
    }
}

/// The agent of a phase.
pub(super) fn agent_of(state: &State, phase: &PhaseId) -> Result<&'static Agent, Trouble> {
    let name = state
        .definition
        .phase(phase)
        .and_then(|phase| phase.agent.as_deref())
        .unwrap_or_default();
    agents::find(name).ok_or_else(|| Trouble::Never(format!("this version of the program has no agent {name}")))
}

fn provider_of(agent: &Agent, config: &RepositoryConfig) -> Provider {
    let named = match agent.works_from {
        agents::InputKind::Thread => config.providers.extract,
        agents::InputKind::Mailing => config.providers.email,
    };
    match named {
        ProviderName::Rules => Provider::Rules,
        ProviderName::Manual => Provider::Manual,
    }
}

/// The whole that a digest covers: the artifact, and all that would be done.
pub(super) fn propose(state: &State, phase: &PhaseId, iteration: u32, agent: &Agent, draft: Draft) -> Proposal {
    Proposal {
        workflow: state.id.clone(),
        phase: phase.clone(),
        iteration,
        stage: Stage::Response,
        schema: agent.schema_name.to_owned(),
        artifact: draft.artifact,
        targets: Targets {
            repository: state.subject.repository,
            subject: state.subject.number,
            acts: draft.acts,
        },
    }
}

/// What the card says beside a proposal: what was not read, what the check dropped, what the acts leave out.
pub(super) fn beside(inputs: &Inputs, draft: &mut Draft) -> Beside {
    let mut notes = match inputs {
        Inputs::Thread(thread) => thread.notes.clone(),
        Inputs::Mailing(mailing) => mailing.notes.clone(),
    };
    notes.append(&mut draft.notes);
    Beside {
        notes,
        planned: std::mem::take(&mut draft.planned),
        forms: Forms::default(),
    }
}

/// Problems as people read them.
pub(super) fn sentences(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
