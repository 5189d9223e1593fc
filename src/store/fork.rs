//! The beginning of a fork: another workflow's events under a new id, in a chain of their own, with what they name.

use super::change::{event_row, status_name};
use super::deliveries::micros;
use super::workflows::{Stored, link_subject};
use super::{Statement, StoreError, Write};
use crate::values;
use crate::workflow::event::Event;
use crate::workflow::ids::WorkflowId;
use crate::workflow::state::{State, Timestamp};

/// What is copied.
#[derive(Debug)]
pub struct Copied<'a> {
    /// The workflow that is copied.
    pub origin: &'a Stored,
    /// Its events under the new id, and when they happened.
    pub events: &'a [(Event, Timestamp)],
    /// The state that they lead to, under the new id.
    pub state: &'a State,
    /// What asked for the fork.
    pub cause: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Copied<'_> {
    /// The statements that keep it, and the workflow as it is stored then. Refused as a whole when another workflow of
    /// the subject is open.
    ///
    /// # Errors
    /// When a state or an event cannot be written.
    pub fn statements(&self) -> Result<(Write, Stored), StoreError> {
        let (state, origin) = (self.state, self.origin);
        let mut chain = String::new();
        let mut events = Write::new();
        for ((event, at), seq) in self.events.iter().zip(1..) {
            let (row, hash) = event_row(state, seq, event, *at, &chain, self.cause)?;
            events.push(row);
            chain = hash;
        }
        let row = Statement::new(
            "INSERT INTO workflows (id, version, definition, status, held, waits_for, installation_id, repository_id,
                repository, subject, state, chain, started_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11, $12, $13)",
            values![
                &state.id,
                state.version,
                &state.definition.name,
                status_name(&state.status),
                state.hold.is_some(),
                origin.installation,
                state.subject.repository,
                &origin.repository,
                state.subject.number,
                serde_json::to_string(state)?,
                &chain,
                micros(self.now),
                micros(self.now),
            ],
        );
        let mut write = Write::of(row.exactly(1));
        write.append(events);
        write.push(link_subject(state));
        write.append(self.artifacts());
        write.push(self.runs());
        let stored = Stored {
            state: state.clone(),
            installation: origin.installation,
            repository: origin.repository.clone(),
            chain,
        };
        Ok((write, stored))
    }

    /// The proposals that these events name, under their own digests: they say what was, and are valid in their own
    /// workflow only.
    fn artifacts(&self) -> Write {
        let mut write = Write::new();
        for (event, _) in self.events {
            if let Event::Proposed { digest, .. } = event {
                write.push(Statement::new(
                    "INSERT INTO artifacts (workflow_id, digest, repository_id, body, extra, at)
                    SELECT $1, digest, repository_id, body, extra, at FROM artifacts
                    WHERE workflow_id = $2 AND digest = $3 ON CONFLICT DO NOTHING",
                    values![&self.state.id, &self.origin.state.id, digest],
                ));
            }
        }
        write
    }

    /// The runs that had begun by then; what ended later is as it was then, without an answer.
    fn runs(&self) -> Statement {
        Statement::new(
            "INSERT INTO runs (id, workflow_id, repository_id, phase, iteration, attempt, agent, provider, inputs,
                prompt, prompt_digest, answer, answer_digest, answered_by, outcome, started_at, ended_at)
            SELECT $1 || ':' || id, $1, repository_id, phase, iteration, attempt, agent, provider, inputs, prompt,
                prompt_digest,
                CASE WHEN ended_at <= $3 THEN answer END, CASE WHEN ended_at <= $3 THEN answer_digest END,
                CASE WHEN ended_at <= $3 THEN answered_by END,
                CASE WHEN ended_at <= $3 THEN outcome ELSE 'not ended when the fork leaves its origin' END,
                started_at, CASE WHEN ended_at <= $3 THEN ended_at ELSE started_at END
            FROM runs WHERE workflow_id = $2 AND started_at <= $3",
            values![&self.state.id, &self.origin.state.id, micros(self.until())],
        )
    }

    fn until(&self) -> Timestamp {
        self.events.last().map_or(self.now, |(_, at)| *at)
    }
}

/// The id of a fork, derived from what it is a fork of and when it was asked for.
pub fn fork_id(origin: &WorkflowId, after: u32, at: Timestamp) -> WorkflowId {
    let cause = format!("{origin}:{after}:{}", micros(at));
    WorkflowId::derived(&cause)
}
