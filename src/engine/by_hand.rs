//! An agent's work by somebody else's hand: the complete request of a phase, and the operator's answer to it.

use serde::Serialize;
use serde_json::Value;

use super::agent_run::{agent_of, prompt_in_force, read, sentences};
use super::asks::{NoAnswer, awaiting};
use super::{Engine, TRIES, Trouble};
use crate::agents::{self, Prompt};
use crate::store::repositories::command_done;
use crate::store::workflows::Stored;
use crate::store::{Store, StoreError};
use crate::workflow::artifact::Stage;
use crate::workflow::command::{Authority, Command, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{PhaseStatus, State, Surface};

/// Everything that a phase's agent is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WholeRequest {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The phase.
    pub phase: PhaseId,
    /// Its iteration.
    pub iteration: u32,
    /// The attempt.
    pub attempt: u32,
    /// Whether the prompt still waits at its gate, and no answer is taken yet.
    pub waits_for_approval: bool,
    /// Where the answer comes from: `rules`, `manual` or `http:NAME`.
    pub provider: String,
    /// The instructions.
    pub system: String,
    /// The talk so far.
    pub messages: Vec<Message>,
    /// The name of the schema that an answer has.
    pub schema_name: String,
    /// The schema.
    pub schema: Value,
}

/// One turn of a talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: &'static str,
    /// What.
    pub content: String,
}

/// The answer that a workflow waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The phase.
    pub phase: PhaseId,
    /// Its iteration.
    pub iteration: u32,
    /// The attempt.
    pub attempt: u32,
}

/// An answer of the operator's, left for the server.
#[derive(Debug, Clone)]
pub struct HandIn {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The phase that it is for.
    pub phase: PhaseId,
    /// The phase's iteration.
    pub iteration: u32,
    /// The attempt.
    pub attempt: u32,
    /// The answer.
    pub text: String,
    /// Who gives it.
    pub by: Person,
    /// The operator's command, which is ended in the same transaction.
    pub command: i64,
}

/// The complete request of the phase that is asked now, or why there is none.
///
/// # Errors
/// Whatever the database says.
pub async fn whole_request(store: &Store, id: &WorkflowId) -> Result<Result<WholeRequest, String>, StoreError> {
    plainly(try_whole_request(store, id).await)
}

async fn try_whole_request(store: &Store, id: &WorkflowId) -> Result<WholeRequest, Trouble> {
    let stored = stored(store, id).await?;
    let state = &stored.state;
    let running = || state.first_at(&[PhaseStatus::Running]).cloned();
    let at_gate = || state.open_gate().map(|(phase, ..)| phase.clone());
    let phase = awaiting(state).or_else(at_gate).or_else(running);
    let phase = phase.filter(|_| state.is_open());
    let nothing = || Trouble::Never(format!("nobody is asked anything in {id} now: {}", standing(state)));
    let phase = phase.ok_or_else(nothing)?;
    let run = store.last_run(id, &phase).await?.ok_or_else(nothing)?;
    let agent = agent_of(state, &phase)?;
    let at = state.at(&phase);
    let draft = at.pending.as_ref().filter(|pending| pending.stage == Stage::Prompt);
    let proposed = match draft.filter(|_| at.status == PhaseStatus::Draft) {
        Some(pending) => store.proposal(id, &pending.digest).await?,
        None => None,
    };
    let waits_for_approval = proposed.is_some();
    let proposed = proposed.and_then(|(proposal, _)| serde_json::from_value::<Prompt>(proposal.artifact).ok());
    let prompt = match proposed {
        Some(prompt) => prompt,
        None => prompt_in_force(store, state, &phase, (&agent, &read(&run.inputs)?)).await?,
    };
    Ok(WholeRequest {
        workflow: id.clone(),
        iteration: at.iteration,
        attempt: at.attempt,
        waits_for_approval,
        provider: run.provider,
        system: prompt.system,
        messages: vec![Message {
            role: "user",
            content: prompt.user,
        }],
        schema_name: agent.schema_name.to_string(),
        schema: agent.schema_value(),
        phase,
    })
}

/// The answer that a workflow waits for, once this text would be taken for it; else why not, a sentence for each reason.
///
/// # Errors
/// Whatever the database says.
pub async fn expected(store: &Store, id: &WorkflowId, text: &str) -> Result<Result<Expected, Vec<String>>, StoreError> {
    let judged = async {
        let stored = stored(store, id).await?;
        let state = &stored.state;
        let Some(phase) = awaiting(state).filter(|_| state.is_open() && state.hold.is_none()) else {
            return Ok(Err(vec![not_awaited(state)]));
        };
        let run = store.last_run(id, &phase).await?;
        let run = run.ok_or_else(|| Trouble::Never("the agent was never asked".to_owned()))?;
        let judged = agents::judge(&agent_of(state, &phase)?, text, &read(&run.inputs)?);
        if let Err(problems) = judged {
            return Ok(Err(sentences(&problems)));
        }
        let at = state.at(&phase);
        Ok(Ok(Expected {
            iteration: at.iteration,
            attempt: at.attempt,
            phase,
        }))
    };
    match plainly(judged.await)? {
        Ok(judged) => Ok(judged),
        Err(why) => Ok(Err(vec![why])),
    }
}

impl Engine {
    /// Takes an answer of the operator's, or tells in a sentence why not. It waits at its gate like any other.
    ///
    /// # Errors
    /// Whatever the database says; it can be asked again then.
    pub async fn take_from_operator(&self, asked: &HandIn) -> Result<Result<(), String>, StoreError> {
        for _ in 0..TRIES {
            match self.try_take(asked).await {
                Err(Trouble::Store(StoreError::Missed { .. } | StoreError::Conflict(_))) => {}
                done => return plainly(done),
            }
        }
        Ok(Err("the workflow kept changing".to_owned()))
    }

    async fn try_take(&self, asked: &HandIn) -> Result<(), Trouble> {
        let stored = stored(self.store(), &asked.workflow).await?;
        let state = &stored.state;
        let at = state.phases.get(&asked.phase);
        let is_same = at.is_some_and(|at| (at.iteration, at.attempt) == (asked.iteration, asked.attempt));
        if awaiting(state).as_ref() != Some(&asked.phase) || !is_same {
            return Err(Trouble::Never(not_awaited(state)));
        }
        let key = format!("operator:{}", asked.command);
        let (ask, extra) = match self.hand_in(&stored, (asked.by.id, &key), &asked.text).await? {
            Ok(handed) => handed,
            Err(NoAnswer::NotAwaited) => return Err(Trouble::Never(not_awaited(state))),
            Err(NoAnswer::Problems(sentences)) => return Err(Trouble::Never(sentences.join("; "))),
        };
        let by = Authority {
            person: asked.by.clone(),
            right: Right::Admin,
            standings: Vec::new(),
            surface: Surface::Terminal,
            said_at: self.now(),
            requirement: Requirement::at_least(Right::Write),
        };
        let events = match decide(Some(state), &Command::Person(by, ask), Facts::default(), self.now()) {
            Verdict::Events(events) => events,
            Verdict::Refused(_) | Verdict::Obsolete(_) => return Err(Trouble::Never(not_awaited(state))),
        };
        let (mut write, _) = self.advance(Ok(&stored), &events, &key)?;
        write.append(extra);
        write.push(command_done(asked.command, "taken", self.now()));
        self.store().write(write).await?;
        Ok(())
    }
}

async fn stored(store: &Store, id: &WorkflowId) -> Result<Stored, Trouble> {
    let stored = store.workflow(id).await?;
    stored.ok_or_else(|| Trouble::Never(format!("there is no workflow {id}")))
}

fn not_awaited(state: &State) -> String {
    format!("no answer is waited for in {}: {}", state.id, standing(state))
}

/// Where a workflow stands, in the rest of a sentence.
fn standing(state: &State) -> String {
    match super::waits_for(state) {
        _ if !state.is_open() => "it has ended".to_owned(),
        waits if waits.is_empty() => "an agent is at work".to_owned(),
        waits => format!("it waits for {waits}"),
    }
}

pub(super) fn plainly<T>(done: Result<T, Trouble>) -> Result<Result<T, String>, StoreError> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Trouble::Store(error)) => Err(error),
        Err(
            Trouble::Never(why)
            | Trouble::Gone(why)
            | Trouble::Lacks(why)
            | Trouble::Later { why, .. }
            | Trouble::Limited { why, .. }
            | Trouble::Parked { why, .. },
        ) => Ok(Err(why)),
    }
}
