//! A change of a workflow: its events, the state that they lead to, and the gates that they open and close.

use super::deliveries::micros;
use super::history::chained;
use super::workflows::{Place, Stored, link_subject};
use super::{Statement, StoreError, Write};
use crate::values;
use crate::workflow::event::Event;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{State, Status, Timestamp};

/// A change of one workflow: the events, and the state that they lead to.
#[derive(Debug)]
pub struct Change<'a> {
    /// The workflow before, or the place of a new one.
    pub before: Result<&'a Stored, &'a Place>,
    /// What happened.
    pub events: &'a [Event],
    /// The state after.
    pub after: &'a State,
    /// What it waits for, in a few words.
    pub waits_for: &'a str,
    /// The delivery or effect that caused it.
    pub cause: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Change<'_> {
    /// The statements that keep it: refused as a whole when the workflow changed meanwhile.
    pub fn statements(&self) -> Result<Write, StoreError> {
        let (mut chain, version, installation, repository) = match self.before {
            Ok(stored) => (
                stored.chain.clone(),
                stored.state.version,
                stored.installation,
                stored.repository.as_str(),
            ),
            Err(place) => (String::new(), 0, place.installation, place.repository.as_str()),
        };
        let state = self.after;
        let mut events = Write::new();
        for (event, seq) in self.events.iter().zip(version + 1..) {
            let (row, hash) = event_row(state, seq, event, self.now, &chain, self.cause)?;
            events.push(row);
            chain = hash;
        }
        let row = match self.before {
            Err(_) => {
                "INSERT INTO workflows (id, version, definition, status, held, waits_for, installation_id,
                    repository_id, repository, subject, state, chain, started_at, updated_at)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13 WHERE $14 = 0"
            }
            Ok(_) => {
                "UPDATE workflows SET version = $2, definition = $3, status = $4, held = $5, waits_for = $6,
                    installation_id = $7, repository_id = $8, repository = $9, subject = $10, state = $11, chain = $12,
                    updated_at = $13
                WHERE id = $1 AND version = $14"
            }
        };
        let row = Statement::new(
            row,
            values![
                &state.id,
                state.version,
                &state.definition.name,
                status_name(&state.status),
                state.hold.is_some(),
                self.waits_for,
                installation,
                state.subject.repository,
                repository,
                state.subject.number,
                serde_json::to_string(state)?,
                chain,
                micros(self.now),
                version,
            ],
        )
        .exactly(1);
        let mut write = Write::of(row);
        write.append(events);
        if self.before.is_err() {
            write.push(link_subject(state));
        }
        write.append(self.gates());
        Ok(write)
    }

    /// Keeps the gates' table in step with the events.
    fn gates(&self) -> Write {
        let mut write = Write::new();
        let id = &self.after.id;
        for event in self.events {
            let (phase, answer) = match event {
                Event::Proposed { phase, .. } => (Some(phase), "replaced"),
                Event::Approved { phase, .. } => (Some(phase), "approved"),
                Event::Rejected { phase, .. } => (Some(phase), "rejected"),
                Event::Revised { phase, .. } => (Some(phase), "revised"),
                Event::Cancelled { .. } => (None, "cancelled"),
                Event::Unapproved { phase, .. } | Event::ApprovalLost { phase, .. } => {
                    write.push(self.opened(phase));
                    continue;
                }
                Event::Forked { proposals, .. } => {
                    for phase in proposals.keys() {
                        write.push(self.opened(phase));
                    }
                    continue;
                }
                _ => continue,
            };
            write.push(Statement::new(
                "UPDATE gates SET answer = $3, answered_by = $4, answered_at = $5
                WHERE workflow_id = $1 AND phase = COALESCE($2, phase) AND answered_at IS NULL",
                values![
                    id,
                    phase.map(PhaseId::as_str),
                    answer,
                    event.actor().map(|actor| actor.id),
                    micros(self.now),
                ],
            ));
            if let Event::Proposed { phase, .. } = event {
                write.push(self.opened(phase));
            }
        }
        write
    }

    fn opened(&self, phase: &PhaseId) -> Statement {
        let at = self.after.at(phase);
        Statement::new(
            "INSERT INTO gates (workflow_id, phase, iteration, digest, repository_id, opened_at)
            SELECT $1, $2, $3, $4, $5, $6 WHERE $4 <> '' ON CONFLICT DO NOTHING",
            values![
                &self.after.id,
                phase,
                at.iteration,
                at.pending
                    .as_ref()
                    .map(|pending| pending.digest.to_string())
                    .unwrap_or_default(),
                self.after.subject.repository,
                micros(self.now),
            ],
        )
    }
}

/// The statement that keeps one event, and its hash.
pub(super) fn event_row(
    state: &State,
    seq: u64,
    event: &Event,
    at: Timestamp,
    former: &str,
    cause: &str,
) -> Result<(Statement, String), StoreError> {
    let (data, hash) = chained(former, event, at)?;
    let row = Statement::new(
        "INSERT INTO events (workflow_id, seq, type, data, actor_id, cause, repository_id, at, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            &state.id,
            seq,
            event.name(),
            data,
            event.actor().map(|actor| actor.id),
            cause,
            state.subject.repository,
            micros(at),
            &hash,
        ],
    );
    Ok((row, hash))
}

/// A status as it is stored and listed.
pub(crate) fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Completed => "completed",
        Status::Cancelled { .. } => "cancelled",
    }
}
