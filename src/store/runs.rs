//! Runs: what an agent was asked, what was answered, and what became of it.

use serde::{Deserialize, Serialize};

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError};
use crate::values;
use crate::workflow::ids::{Digest, PhaseId, RepositoryId, UserId, WorkflowId};
use crate::workflow::state::Timestamp;

/// A run of an agent, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The effect or delivery that it was made for.
    pub id: String,
    /// The phase.
    pub phase: PhaseId,
    /// The iteration.
    pub iteration: u32,
    /// The attempt.
    pub attempt: u32,
    /// The agent.
    pub agent: String,
    /// The provider.
    pub provider: String,
    /// What it was given, as JSON.
    pub inputs: String,
    /// The prompt whole.
    pub prompt: String,
    /// The answer whole, where there is one.
    pub answer: Option<String>,
    /// The person who answered, where one did.
    pub answered_by: Option<UserId>,
    /// What became of it, in a few words.
    pub outcome: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; when it began while it is under way.
    pub ended_at: Timestamp,
}

/// The outcome of a run that has begun and not ended: a model is being asked.
pub const UNDER_WAY: &str = "under way";

/// The outcome of a run that made a prompt which waits at its gate.
pub const PROMPTED: &str = "its prompt waits at the gate";

/// A run, and the workflow that it belongs to, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The workflow.
    pub workflow: String,
    /// The run.
    pub run: Run,
}

/// The statement that keeps a run. What a run was given and asked stays as it was first kept.
pub fn keep_run(run: &Run, workflow: &WorkflowId, repository: RepositoryId) -> Statement {
    let answer_digest = run
        .answer
        .as_ref()
        .map(|answer| Digest::of_bytes(answer.as_bytes()).to_string());
    Statement::new(
        "INSERT INTO runs (id, workflow_id, repository_id, phase, iteration, attempt, agent, provider, inputs, prompt,
            prompt_digest, answer, answer_digest, answered_by, outcome, started_at, ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (id) DO UPDATE SET provider = $8, answer = $12, answer_digest = $13, answered_by = $14, outcome = $15,
            ended_at = $17",
        values![
            &run.id,
            workflow,
            repository,
            &run.phase,
            run.iteration,
            run.attempt,
            &run.agent,
            &run.provider,
            &run.inputs,
            &run.prompt,
            &Digest::of_bytes(run.prompt.as_bytes()),
            run.answer.as_ref(),
            answer_digest,
            run.answered_by,
            &run.outcome,
            micros(run.started_at),
            micros(run.ended_at),
        ],
    )
}

impl Store {
    /// The newest run of a phase's iteration: inputs, prompt and provider.
    pub async fn last_run(&self, workflow: &WorkflowId, phase: &PhaseId) -> Result<Option<Run>, StoreError> {
        const LAST: &str = "SELECT * FROM runs WHERE workflow_id = $1 AND phase = $2
            ORDER BY iteration DESC, attempt DESC, started_at DESC, LENGTH(id) DESC, id DESC LIMIT 1";
        let rows = self.read(LAST, values![workflow, phase]).await?;
        rows.first().map(run).transpose()
    }

    /// One run, by its id.
    pub async fn run(&self, id: &str) -> Result<Option<Listed>, StoreError> {
        let rows = self.read("SELECT * FROM runs WHERE id = $1", values![id]).await?;
        rows.first().map(listed).transpose()
    }

    /// The runs of every workflow, newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Listed>, StoreError> {
        const NEWEST: &str = "SELECT * FROM runs ORDER BY started_at DESC, id DESC LIMIT $1";
        self.read(NEWEST, values![limit]).await?.iter().map(listed).collect()
    }

    /// The runs of one workflow, newest first.
    pub async fn runs_of(&self, workflow: &WorkflowId, limit: u32) -> Result<Vec<Listed>, StoreError> {
        const NEWEST: &str = "SELECT * FROM runs WHERE workflow_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
        let rows = self.read(NEWEST, values![workflow, limit]).await?;
        rows.iter().map(listed).collect()
    }
}

fn listed(row: &Row) -> Result<Listed, StoreError> {
    Ok(Listed {
        workflow: row.text("workflow_id")?.to_owned(),
        run: run(row)?,
    })
}

pub(super) fn run(row: &Row) -> Result<Run, StoreError> {
    let count = |column| Ok::<_, StoreError>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
    Ok(Run {
        id: row.text("id")?.to_owned(),
        phase: row.text("phase")?.into(),
        iteration: count("iteration")?,
        attempt: count("attempt")?,
        agent: row.text("agent")?.to_owned(),
        provider: row.text("provider")?.to_owned(),
        inputs: row.text("inputs")?.to_owned(),
        prompt: row.text("prompt")?.to_owned(),
        answer: row.opt_text("answer")?.map(str::to_owned),
        answered_by: row.opt_id("answered_by")?.map(UserId),
        outcome: row.text("outcome")?.to_owned(),
        started_at: moment(row.int("started_at")?),
        ended_at: moment(row.int("ended_at")?),
    })
}
