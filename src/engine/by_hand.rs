//! An agent's work by somebody else's hand: the complete request of a phase, and the operator's answer to it.

use serde::Serialize;
use serde_json::Value;

use super::agent_run::{agent_of, prompt_in_force, read, sentences};
use super::asks::{Given, NoAnswer};
use super::{Engine, TRIES, Trouble};
use crate::agents::{self, Prompt};
use crate::store::kept::Kept;
use crate::store::repositories::{OperatorCommand, command_done};
use crate::store::runs::Run;
use crate::store::workflows::Stored;
use crate::store::{Store, StoreError};
use crate::workflow::artifact::Stage;
use crate::workflow::command::{Authority, Command, Refusal, Verdict};
use crate::workflow::decide::{Facts, awaits_answer, decide};
use crate::workflow::ids::{Digest, PhaseId, WorkflowId};
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{PhaseStatus, State, Surface};
use crate::workflow::unanswered::{Aim, Astray, OpenPrompt, aimed, name_of, named};

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
    /// What names the prompt, where an answer to it is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Digest>,
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

/// The prompts that wait for a person's answer. A phase that never came to ask anything has none.
pub(super) async fn waiting(store: &Store, state: &State) -> Result<Vec<OpenPrompt>, StoreError> {
    let mut waiting = Vec::new();
    if !state.is_open() {
        return Ok(waiting);
    }
    for phase in awaiting(state) {
        let run = store.last_run(&state.id, phase).await?;
        waiting.extend(asked(state, phase, run.as_ref()));
    }
    Ok(waiting)
}

/// The same, from all that is kept of a workflow.
pub fn unanswered_in(state: &State, kept: &Kept) -> Vec<OpenPrompt> {
    let last = |phase: &PhaseId| {
        let mut runs = kept.runs.iter().map(|kept| &kept.run);
        runs.rfind(|run| run.phase == *phase && run.iteration == state.at(phase).iteration)
    };
    let phases = awaiting(state).filter(|_| state.is_open());
    phases.filter_map(|phase| asked(state, phase, last(phase))).collect()
}

fn awaiting(state: &State) -> impl Iterator<Item = &PhaseId> {
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    phases.filter(|phase| awaits_answer(state, phase))
}

fn asked(state: &State, phase: &PhaseId, run: Option<&Run>) -> Option<OpenPrompt> {
    let run = run.filter(|run| run.iteration == state.at(phase).iteration)?;
    Some(OpenPrompt::new(state, phase, &run.prompt))
}

/// The prompt that an answer is for, or why it is for none.
pub(super) async fn unanswered(
    store: &Store,
    state: &State,
    aim: &Aim,
) -> Result<Result<OpenPrompt, NoAnswer>, StoreError> {
    if !state.is_open() {
        return Ok(Err(NoAnswer::Refused(Refusal::Over)));
    }
    if let Some(hold) = &state.hold {
        return Ok(Err(NoAnswer::Refused(Refusal::Held(hold.clone()))));
    }
    let waiting = waiting(store, state).await?;
    if waiting.is_empty() && *aim == Aim::default() {
        return Ok(Err(NoAnswer::Refused(Refusal::NoAnswerAwaited)));
    }
    Ok(aimed(&state.definition, waiting, aim).map_err(NoAnswer::Astray))
}

/// The last run of a phase: what its agent was asked.
pub(super) async fn run_of(store: &Store, state: &State, phase: &PhaseId) -> Result<Run, Trouble> {
    let run = store.last_run(&state.id, phase).await?;
    run.ok_or_else(|| Trouble::Never("the agent was never asked".to_owned()))
}

/// The complete request of a phase that is asked now, of the only one where none is named; or why there is none.
///
/// # Errors
/// Whatever the database says.
pub async fn whole_request(
    store: &Store,
    id: &WorkflowId,
    phase: Option<&str>,
) -> Result<Result<WholeRequest, String>, StoreError> {
    plainly(try_whole_request(store, id, phase).await)
}

async fn try_whole_request(store: &Store, id: &WorkflowId, of: Option<&str>) -> Result<WholeRequest, Trouble> {
    let stored = stored(store, id).await?;
    let state = &stored.state;
    let waiting = waiting(store, state).await?;
    let aim = Aim {
        phase: of.map(str::to_owned),
        prompt: None,
    };
    let is_meant = |phase: &&PhaseId| of.is_none_or(|of| named(&state.definition, of).contains(phase));
    let at_gate = state.open_gate().map(|(phase, ..)| phase).filter(is_meant);
    let running = state.first_at(&[PhaseStatus::Running]).filter(is_meant);
    let nothing = || Trouble::Never(format!("nobody is asked anything in {id} now: {}", standing(state)));
    let (phase, waits) = match (aimed(&state.definition, waiting, &aim), at_gate.or(running)) {
        (Ok(waits), _) => (waits.phase.clone(), Some(waits.prompt)),
        (Err(astray), Some(phase)) if astray.expected().is_empty() || of.is_some() => (phase.clone(), None),
        (Err(astray), _) if astray == Astray::Several(Vec::new()) => return Err(nothing()),
        (Err(astray), _) => return Err(Trouble::Never(astray_words(state, &astray))),
    };
    if !state.is_open() {
        return Err(nothing());
    }
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
        prompt: waits,
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

/// The prompt that this text would be taken for an answer to; else why it would not, a sentence for each reason.
///
/// # Errors
/// Whatever the database says.
pub async fn expected(
    store: &Store,
    id: &WorkflowId,
    (aim, text): (&Aim, &str),
) -> Result<Result<OpenPrompt, Vec<String>>, StoreError> {
    let judged = async {
        let stored = stored(store, id).await?;
        let state = &stored.state;
        let of = match unanswered(store, state, aim).await? {
            Ok(of) => of,
            Err(no) => return Ok(Err(no_answer_words(state, no))),
        };
        if let Some(before) = left_before(store, id, &of).await? {
            return Ok(Err(vec![before]));
        }
        let asked = run_of(store, state, &of.phase).await?;
        let judged = agents::judge(&agent_of(state, &of.phase)?, text, &read(&asked.inputs)?);
        Ok(match judged {
            Ok(_) => Ok(of),
            Err(problems) => {
                let asked = format!(
                    "nothing has changed: put it right and hand it in again; `countersign prompt {id} {}` prints what is asked",
                    name_of(&state.definition, &of.phase)
                );
                Err(sentences(&problems).into_iter().chain([asked]).collect())
            }
        })
    };
    match plainly(judged.await)? {
        Ok(judged) => Ok(judged),
        Err(why) => Ok(Err(vec![why])),
    }
}

/// That an answer to the same prompt was left for the server before, where one was and nobody took it up yet.
async fn left_before(store: &Store, id: &WorkflowId, of: &OpenPrompt) -> Result<Option<String>, StoreError> {
    let is_same = |command: &OperatorCommand| match command {
        OperatorCommand::Respond {
            workflow,
            phase,
            iteration,
            attempt,
            ..
        } => {
            workflow == id.as_str()
                && phase == of.phase.as_str()
                && (*iteration, *attempt) == (of.iteration, of.attempt)
        }
        _ => false,
    };
    let left = store.operator_commands().await?;
    let before = left.iter().any(|(_, command)| is_same(command));
    Ok(before.then(|| {
        format!(
            "an answer for {id} {}, iteration {}, was left for the server before, and it has not taken it up yet: one \
             that runs does so within seconds, and `countersign status {id}` shows what came of it",
            of.phase, of.iteration
        )
    }))
}

/// Why an answer is for no prompt that waits, and what is expected, for a terminal.
pub fn astray_words(state: &State, astray: &Astray) -> String {
    let definition = &state.definition;
    let why = match astray {
        Astray::Several(_) => "several prompts wait, so name the phase".to_owned(),
        Astray::NoSuchPhase(given, _) => {
            let phases: Vec<&str> = definition.phases.iter().map(|phase| phase.id.as_str()).collect();
            format!(
                "there is no phase {given} in {}: it has {}",
                state.id,
                phases.join(", ")
            )
        }
        Astray::NotAwaited(phase, _) => format!("{phase} waits for no answer"),
        Astray::OtherPrompt(given, _) => format!("no prompt {given} waits for an answer"),
    };
    let expected: Vec<String> = astray.expected().iter().map(|one| expected_words(state, one)).collect();
    match expected.as_slice() {
        [] => format!("{why}; no answer is waited for in {}: {}", state.id, standing(state)),
        some => format!("{why}; what is expected now: {}", some.join(" or ")),
    }
}

fn expected_words(state: &State, one: &OpenPrompt) -> String {
    let name = name_of(&state.definition, &one.phase);
    let called = match name == one.phase.as_str() {
        true => name,
        false => format!("{name} ({})", one.phase),
    };
    format!("{called}, iteration {}, prompt {}", one.iteration, one.prompt.short())
}

fn no_answer_words(state: &State, no: NoAnswer) -> Vec<String> {
    match no {
        NoAnswer::Astray(astray) => vec![astray_words(state, &astray)],
        NoAnswer::Problems(_, sentences) => sentences,
        NoAnswer::Refused(_) => vec![not_awaited(state)],
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
        if !is_same {
            return Err(Trouble::Never(not_awaited(state)));
        }
        let key = format!("operator:{}", asked.command);
        let given = Given {
            by: asked.by.id,
            key: &key,
            aim: &Aim::at(asked.phase.as_str()),
            text: &asked.text,
        };
        let (ask, extra) = match self.hand_in(&stored, &given).await? {
            Ok(handed) => handed,
            Err(no) => return Err(Trouble::Never(no_answer_words(state, no).join("; "))),
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
