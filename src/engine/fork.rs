//! A new workflow that goes on from a moment of another's history, for the operator's shell.

use std::collections::BTreeMap;

use serde::Deserialize as _;

use super::{Engine, Trouble, topic_of};
use crate::github::SubjectState;
use crate::store::fork::Copied;
use crate::store::kept::Kept;
use crate::store::repositories::command_done;
use crate::store::workflows::{Stored, keep_proposal};
use crate::store::{StoreError, Write};
use crate::workflow::artifact::Proposal;
use crate::workflow::fork::{CannotFork, Fork, Request, fork};
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::state::Timestamp;

/// What the operator asks for.
#[derive(Debug, Clone)]
pub struct ForkRequest {
    /// The workflow that is forked.
    pub origin: WorkflowId,
    /// The last of its events that is copied.
    pub after: u32,
    /// The new workflow's id.
    pub into: WorkflowId,
    /// The operator's command, which is ended in the same transaction.
    pub command: i64,
}

impl Engine {
    /// Makes a fork, or tells in a sentence why there is none.
    ///
    /// # Errors
    /// Whatever the database says; the request can be made again then.
    pub async fn fork(&self, asked: &ForkRequest) -> Result<Result<(), String>, StoreError> {
        match self.try_fork(asked).await {
            Ok(()) => Ok(Ok(())),
            Err(Trouble::Never(why) | Trouble::Gone(why)) => Ok(Err(why)),
            Err(Trouble::Store(StoreError::Conflict(_))) => Ok(Err(open_already(&asked.origin))),
            Err(Trouble::Store(error)) => Err(error),
            Err(Trouble::Lacks(permission)) => Ok(Err(format!("the App's installation lacks {permission}"))),
            Err(Trouble::Later { why, .. } | Trouble::Limited { why, .. } | Trouble::Parked { why, .. }) => Ok(Err(
                format!("GitHub could not be asked for the subject: {why}; ask for the fork again"),
            )),
        }
    }

    async fn try_fork(&self, asked: &ForkRequest) -> Result<(), Trouble> {
        let ForkRequest { origin, after, .. } = asked;
        let never = |why: String| Trouble::Never(why);
        let stored = self.store().workflow(origin).await?;
        let stored = stored.ok_or_else(|| never(format!("there is no workflow {origin}")))?;
        let kept = self.store().kept(origin).await?;
        let kept = kept.ok_or_else(|| never(format!("there is no workflow {origin}")))?;
        if let Some(finding) = kept.findings().first() {
            return Err(never(format!(
                "{origin} was changed outside of this program: {finding}"
            )));
        }
        self.may_fork(&stored).await?;
        let now = self.now();
        let made = fork_of(&kept, *after, &asked.into, now)?.map_err(|why| never(why.to_string()))?;
        let cause = format!("fork:{}", asked.command);
        let copied = Copied {
            origin: &stored,
            events: &made.copied,
            state: &made.state,
            cause: &cause,
            now,
        };
        let (mut write, before) = copied.statements()?;
        write.append(self.shown_beside(origin, &made.proposals, &stored).await?);
        let (rest, _) = self.advance(Ok(&before), &made.events, &cause)?;
        write.append(rest);
        write.push(command_done(asked.command, &format!("forked into {}", asked.into), now));
        self.store().write(write).await?;
        Ok(())
    }

    /// What is shown beside a proposal goes along with it.
    async fn shown_beside(
        &self,
        origin: &WorkflowId,
        proposals: &[(Digest, Proposal)],
        stored: &Stored,
    ) -> Result<Write, Trouble> {
        let mut write = Write::new();
        for (old, proposal) in proposals {
            let beside = self.store().proposal(origin, old).await?;
            let beside = beside.map(|(_, beside)| beside).unwrap_or_default();
            write.push(keep_proposal(
                proposal,
                &beside,
                stored.state.subject.repository,
                self.now(),
            )?);
        }
        Ok(write)
    }

    /// A fork acts on its origin's subject: only one of a subject's workflows is open, and what the origin did must be
    /// known.
    async fn may_fork(&self, origin: &Stored) -> Result<(), Trouble> {
        let (id, subject) = (&origin.state.id, &origin.state.subject);
        let open = self.store().open_workflow(subject.repository, subject.number).await?;
        if open.is_some() {
            return Err(Trouble::Never(open_already(id)));
        }
        if self.store().act_in_flight(id).await? {
            return Err(Trouble::Never(format!(
                "an act of {id} may be under way: once what came of it is known, ask for the fork again"
            )));
        }
        let (repo, _) = self.repo(subject.repository).await?;
        if self.subject(&repo, topic_of(&origin.state)?).await?.state == SubjectState::Closed {
            return Err(Trouble::Never(format!("the subject of {id} is closed")));
        }
        Ok(())
    }
}

/// The fork of a workflow as it is kept, of which nothing is written yet; or why there can be none.
///
/// # Errors
/// When an event or a proposal cannot be read.
pub fn fork_of(
    kept: &Kept,
    after: u32,
    into: &WorkflowId,
    now: Timestamp,
) -> Result<Result<Fork, CannotFork>, StoreError> {
    let mut history = Vec::new();
    for record in &kept.records {
        history.push((record.read()?, record.at));
    }
    let mut proposals: BTreeMap<Digest, Proposal> = BTreeMap::new();
    for artifact in &kept.artifacts {
        let proposal = Proposal::deserialize(&artifact.body)?;
        proposals.insert(proposal.digest(), proposal);
    }
    let after = after as usize;
    let cited = after.checked_sub(1).and_then(|at| kept.records.get(at));
    let hash: Option<Digest> = cited.and_then(|record| record.hash.parse().ok());
    let Some(hash) = hash else {
        let last = history.len();
        return Ok(Err(CannotFork::NoSuchEvent { after, last }));
    };
    let request = Request {
        origin: &kept.id,
        history: &history,
        after,
        hash,
        into,
    };
    Ok(fork(request, &proposals, now))
}

fn open_already(origin: &WorkflowId) -> String {
    format!("the subject of {origin} has an open workflow: end that first")
}
