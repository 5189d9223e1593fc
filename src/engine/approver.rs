//! Approvers of gates: a model is asked by the same way as every agent, and its word is recorded with what it was shown.

use super::agent_run::{Judged, Task, read, withheld};
use super::effects::Ended;
use super::model::Errand;
use super::readers::Readers;
use super::roles::named_provider;
use super::site::Job;
use super::{Engine, Trouble};
use crate::agents::approver::{self, Answer};
use crate::agents::{self, Agent, Amendment, Guide, Handed, Inputs, Material};
use crate::chat::say::why::why_words;
use crate::config::{ProviderName, RepositoryConfig};
use crate::store::Write;
use crate::store::runs::{Run, UNDER_WAY, keep_run};
use crate::store::workflows::{Stored, keep_proposal};
use crate::workflow::artifact::{Proposal, Stage};
use crate::workflow::command::{Report, RulingResult};
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::judging::{AiGate, Decision, Ruling};
use crate::workflow::state::State;
use crate::workflow::why::Why;

/// What an approver works with.
struct Shown {
    proposal: Proposal,
    inputs: Inputs,
    /// What it is not shown.
    cut: Vec<String>,
}

impl Engine {
    pub(super) async fn ask_approver(
        &self,
        job: &Job<'_>,
        stored: &Stored,
        phase: &PhaseId,
        digest: Digest,
        attempt: u32,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let id = job.effect.id.as_str();
        let wanted = state.hold.is_none() && state.awaits_ruling(phase, digest, attempt);
        let gate = state.gate_at(phase).and_then(|(gate, _)| gate.ai.clone());
        let (true, Some(gate)) = (wanted, gate) else {
            // What was paid for is on the books, whoever still wants it.
            self.calls_settled(state, id).await?;
            return Ok(Ended::Dropped("the gate waits for something else"));
        };
        let agent = approver::agent(&state.definition, &gate)
            .ok_or_else(|| Trouble::Never(format!("this version of the program has no approver for {phase}")))?;
        let config = self.config_for(job).await?;
        let task = Task {
            provider: provider_of(state, &gate, &config),
            config,
            job,
            stored,
            phase,
            agent,
        };
        let report = |result| Report::Ruled {
            phase: phase.clone(),
            digest,
            attempt,
            result,
        };
        let ProviderName::Http(endpoint) = task.provider.clone() else {
            let why = format!(
                "its gate asks a model, and `{}` is none: name an endpoint in `ai: {{provider: http:NAME}}` of the definition \
                 or in `providers` of the repository",
                task.provider
            );
            return Ok(Ended::reported(
                "no model",
                report(RulingResult::Failed(Why::Failed(why))),
            ));
        };
        let begun = self.store().run(id).await?.map(|listed| listed.run);
        let shown = self.shown_to(&task, digest, begun.as_ref()).await?;
        let prompt = agents::prompt(&task.agent, &shown.inputs).map_err(|error| Trouble::Never(error.to_string()))?;
        let mut run = match begun {
            Some(begun) => begun,
            None => self.run_of(&task, &shown, prompt.whole(), attempt)?,
        };
        let judged = match withheld(&task.provider, &task.agent, &shown.inputs) {
            Some(problem) => {
                run.prompt.clone_from(&prompt.system);
                Judged::NeedsPerson {
                    why: Why::Withheld(problem.text),
                    answer: None,
                }
            }
            None => {
                let errand = Errand {
                    task: &task,
                    inputs: &shown.inputs,
                    prompt: &prompt,
                    run: &run,
                    of_gate: Some((digest, attempt)),
                };
                self.ask_model(&errand, &endpoint).await?
            }
        };
        let named = task.provider.to_string();
        let mut extra = Write::new();
        let result = match judged {
            Judged::NotWanted => return Ok(Ended::Dropped("the gate waits for something else")),
            Judged::Proposed {
                draft,
                answer,
                provider,
            } => {
                run.provider.clone_from(&provider);
                let said =
                    Answer::of(draft.artifact).ok_or_else(|| Trouble::Never("its answer is no ruling".to_owned()))?;
                let rewrite = rewritten(state, &gate, &shown.proposal, &task.agent, &said);
                if let Some(rewrite) = &rewrite {
                    extra.push(keep_proposal(
                        rewrite,
                        &serde_json::json!({}),
                        state.subject.repository,
                        self.now(),
                    )?);
                }
                let ruling = self.ruling(&shown, said.decision(), said.feedback, (&answer, provider), digest);
                run.answer = Some(answer);
                RulingResult::Ruled {
                    ruling,
                    rewrite: rewrite.map(Box::new),
                }
            }
            // What cannot be read as a yes is a no.
            Judged::NeedsPerson {
                why: Why::Unusable(problems),
                answer,
            } => {
                let feedback = format!("its answer could not be read: {}", problems.join("; "));
                let text = answer.clone().unwrap_or_default();
                run.answer = answer;
                let ruling = self.ruling(&shown, Decision::Rejected, feedback, (&text, named), digest);
                RulingResult::Ruled { ruling, rewrite: None }
            }
            Judged::NeedsPerson { why, answer } => {
                run.answer = answer;
                RulingResult::Failed(why)
            }
        };
        run.outcome = match &result {
            RulingResult::Ruled { ruling, .. } => match ruling.decision {
                Decision::Approved => "approved".to_owned(),
                Decision::Rejected => "rejected".to_owned(),
            },
            RulingResult::Failed(why) => format!("it could not be asked: {}", why_words(why)),
        };
        run.ended_at = self.now();
        extra.push(keep_run(&run, &state.id, state.subject.repository));
        Ok(Ended::Reported {
            result: run.outcome.clone(),
            report: report(result),
            extra,
        })
    }

    /// What the approver is given: what is judged, what it was made from, and the discussion. A run that began goes on
    /// with what it was given then.
    async fn shown_to(&self, task: &Task<'_>, digest: Digest, begun: Option<&Run>) -> Result<Shown, Trouble> {
        let (state, phase) = (&task.stored.state, task.phase);
        let stored = self.store().proposal(&state.id, &digest).await?;
        let (proposal, _) = stored.ok_or_else(|| Trouble::Never("what it is to judge is gone".to_owned()))?;
        if let Some(begun) = begun {
            let inputs = read(&begun.inputs)?;
            return Ok(Shown {
                cut: cut_again(&inputs),
                proposal,
                inputs,
            });
        }
        let reading = (&task.config, Readers::of(&task.provider));
        let material = Material {
            thread: self.thread_for(task.job.source, task.stored, phase, reading).await?,
            given: state.given.clone(),
            files: self.files_given(task.job.source, state).await?,
            artifacts: self.handed(state, phase).await?,
            choice: None,
            // Those that it was made with, whatever the file says by now. A prompt has them within itself.
            guide: match proposal.stage {
                Stage::Response => self.guide_of(state, phase).await?,
                Stage::Prompt => None,
            },
        };
        let judged = Handed {
            phase: phase.as_str().to_owned(),
            iteration: proposal.iteration,
            schema: proposal.schema.clone(),
            artifact: proposal.artifact.clone(),
        };
        let (material, cut) = approver::material(material, judged);
        Ok(Shown {
            inputs: agents::outbound(Inputs::Material(Box::new(material))),
            proposal,
            cut,
        })
    }

    /// The guidelines that a phase's last prompt was made with.
    async fn guide_of(&self, state: &State, phase: &PhaseId) -> Result<Option<Guide>, Trouble> {
        let Some(run) = self.store().last_run(&state.id, phase).await? else {
            return Ok(None);
        };
        Ok(read(&run.inputs)?.guide().cloned())
    }

    /// The run as it is kept; an approver's is not one of its phase's.
    fn run_of(&self, task: &Task<'_>, shown: &Shown, prompt: String, attempt: u32) -> Result<Run, Trouble> {
        Ok(Run {
            id: task.job.effect.id.as_str().to_owned(),
            phase: format!("{}:approver", task.phase).into(),
            iteration: shown.proposal.iteration,
            attempt,
            agent: task.agent.name.to_string(),
            provider: task.provider.to_string(),
            inputs: serde_json::to_string(&shown.inputs).map_err(|error| Trouble::Never(error.to_string()))?,
            prompt,
            answer: None,
            answered_by: None,
            outcome: UNDER_WAY.to_owned(),
            started_at: self.now(),
            ended_at: self.now(),
        })
    }

    fn ruling(
        &self,
        shown: &Shown,
        decision: Decision,
        feedback: String,
        (answer, by): (&str, String),
        of: Digest,
    ) -> Ruling {
        Ruling {
            decision,
            feedback: feedback.into(),
            by,
            of,
            answer: Digest::of_bytes(answer.as_bytes()),
            at: self.now(),
            cut: shown.cut.clone(),
        }
    }
}

/// What a run that began before was not shown.
fn cut_again(inputs: &Inputs) -> Vec<String> {
    match inputs {
        Inputs::Material(material) => material
            .artifacts
            .iter()
            .filter(|handed| handed.artifact.to_string().contains("(cut here)"))
            .map(|handed| format!("parts of {}", handed.phase))
            .collect(),
        _ => Vec::new(),
    }
}

/// Which model is asked: the gate's, the repository's or the definition's for the role, the repository's for everything.
fn provider_of(state: &State, gate: &AiGate, config: &RepositoryConfig) -> ProviderName {
    let named = (gate.provider.as_deref(), gate.role.as_deref());
    named_provider(&state.definition, named, config).unwrap_or_else(|| config.providers.default.clone())
}

/// The prompt in the words that the approver suggests, where the gate takes them.
fn rewritten(state: &State, gate: &AiGate, judged: &Proposal, agent: &Agent, said: &Answer) -> Option<Proposal> {
    let suggested = said.rewrite.as_deref().filter(|text| !text.trim().is_empty())?;
    if !gate.rewrite || judged.stage != Stage::Prompt || said.decision() == Decision::Approved {
        return None;
    }
    let draft = agents::amend_prompt(&judged.artifact, &Amendment::Replace(suggested.to_owned())).ok()?;
    tracing::debug!(workflow = %state.id, approver = %agent.name, "a prompt is put in other words");
    Some(Proposal {
        artifact: draft.artifact,
        ..judged.clone()
    })
}
