//! Runs of agents: facts in, an answer judged, a proposal out; every run is kept.

use super::card::{Beside, Forms};
use super::effects::{Ended, Work};
use super::model::Errand;
use super::readers::Readers;
use super::{Engine, Trouble};
use crate::agents::{self, Agent, Draft, Inputs, Problem, Prompt};
use crate::chat::say::why::why_words;
use crate::config::{ProviderName, RepositoryConfig};
use crate::providers::rules;
use crate::store::Write;
use crate::store::runs::{Run, UNDER_WAY, keep_run};
use crate::store::workflows::{Stored, keep_proposal};
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
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        iteration: u32,
        attempt: u32,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let id = work.effect.id.as_str();
        let at = state.at(phase);
        if !state.is_open() || at.status != PhaseStatus::Running || at.iteration != iteration || at.attempt != attempt {
            // What was paid for is on the books, whoever still wants it.
            self.calls_settled(id).await?;
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
        let begun = self.store().run(id).await?.map(|listed| listed.run);
        let (inputs, mut run) = match begun {
            // A model was asked already: it is asked on with what it was given then, whatever was written since.
            Some(run) => (read(&run.inputs)?, run),
            None => {
                let inputs = match self.given(work, stored, phase, agent, &settings.config).await? {
                    Given::Inputs(inputs) => *inputs,
                    Given::Nothing(ending) => {
                        return Ok(Ended::reported("nothing to ask", ran(RunResult::Ended(ending))));
                    }
                };
                let provider = provider_of(agent, &settings.config);
                // A prompt that a model or a person's tools will see leaves the repository's audience.
                let inputs = match provider {
                    ProviderName::Rules => inputs,
                    ProviderName::Manual | ProviderName::Http(_) => agents::outbound(inputs),
                };
                let prompt = prompt(agent, &inputs)?;
                let withheld = withheld(provider, agent, &inputs).is_some();
                let run = Run {
                    id: id.to_owned(),
                    phase: phase.clone(),
                    iteration,
                    attempt,
                    agent: agent.name.to_owned(),
                    provider: provider.to_string(),
                    inputs: serde_json::to_string(&inputs).map_err(|error| Trouble::Never(error.to_string()))?,
                    prompt: if withheld { prompt.system } else { prompt.whole() },
                    answer: None,
                    answered_by: None,
                    outcome: UNDER_WAY.to_owned(),
                    started_at: self.now(),
                    ended_at: self.now(),
                };
                (inputs, run)
            }
        };
        let provider = run.provider.parse().map_err(Trouble::Never)?;
        let judged = match (withheld(&provider, agent, &inputs), provider) {
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
                    work,
                    stored,
                    config: &settings.config,
                    agent,
                    inputs: &inputs,
                    prompt: &prompt(agent, &inputs)?,
                    run: &run,
                };
                self.ask_model(&errand, &endpoint).await?
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
                let mut beside = beside(&inputs, &mut draft);
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

fn provider_of<'a>(agent: &Agent, config: &'a RepositoryConfig) -> &'a ProviderName {
    match agent.works_from {
        agents::InputKind::Thread => &config.providers.extract,
        agents::InputKind::Mailing => &config.providers.email,
    }
}

/// Why these inputs may not be given to this provider, if they may not. The rules give nothing away.
fn withheld(provider: &ProviderName, agent: &Agent, inputs: &Inputs) -> Option<Problem> {
    match provider {
        ProviderName::Rules => None,
        ProviderName::Manual | ProviderName::Http(_) => agents::refused(agent, inputs),
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

fn prompt(agent: &Agent, inputs: &Inputs) -> Result<Prompt, Trouble> {
    agents::prompt(agent, inputs).map_err(|error| Trouble::Never(error.to_string()))
}

/// Inputs as a run kept them.
pub(super) fn read(inputs: &str) -> Result<Inputs, Trouble> {
    serde_json::from_str(inputs).map_err(|error| Trouble::Never(format!("its inputs cannot be read: {error}")))
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
