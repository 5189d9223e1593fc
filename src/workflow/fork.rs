//! Forks: a new workflow that goes on from a moment of another's history.
//!
//! The events until then are copied under the new id; one event cites where they come from. Nothing is carried out again:
//! outcomes that the copied events record stay, and what the origin went on to do under an approval of before then is
//! recorded, too. No approval is carried over, because a digest covers its workflow: whatever an approval would still
//! open is proposed anew, and its gate is open again; a prompt that was approved and not answered yet is such a thing,
//! too. What was completed stays completed.

use std::collections::BTreeMap;

use super::apply::{apply, fold};
use super::artifact::{Proposal, Stage};
use super::children;
use super::decide::{PROMPT, with_consequences};
use super::event::Event;
use super::ids::{Digest, PhaseId, WorkflowId};
use super::state::{Maker, Pending, PhaseState, PhaseStatus, State, Timestamp};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The workflow that is copied.
    pub origin: &'a WorkflowId,
    /// Its history whole.
    pub history: &'a [(Event, Timestamp)],
    /// The last event that is copied, from 1.
    pub after: usize,
    /// That event's hash.
    pub hash: Digest,
    /// The new workflow's id.
    pub into: &'a WorkflowId,
}

/// A fork as it can be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// The events that are copied, and when they happened.
    pub copied: Vec<(Event, Timestamp)>,
    /// The state that they lead to.
    pub state: State,
    /// What happens now: first the fork itself.
    pub events: Vec<Event>,
    /// What waits for approval here, each with its digest in the origin.
    pub proposals: Vec<(Digest, Proposal)>,
}

/// Why there can be no such fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotFork {
    /// The history has no such event.
    #[error("its history has no event {after}: it ends with event {last}")]
    NoSuchEvent {
        /// What was asked for.
        after: usize,
        /// The last there is.
        last: usize,
    },
    /// It had ended by then.
    #[error("at event {0} it had ended, and nothing would follow: name an earlier event")]
    Over(usize),
    /// It is half of one step: a proposal is gone and what comes in its place has not begun.
    #[error("event {0} and the one after it are one step: name the one after it")]
    Between(usize),
    /// A proposal that would have to be shown again is not kept.
    #[error("the proposal {0} is not kept any more, so that nobody could approve it again")]
    Missing(Digest),
}

/// Makes a fork. `proposals` has those of the origin by digest.
///
/// # Errors
/// [`CannotFork`].
pub fn fork(request: Request<'_>, proposals: &BTreeMap<Digest, Proposal>, now: Timestamp) -> Result<Fork, CannotFork> {
    let Request { history, after, .. } = request;
    let missing = CannotFork::NoSuchEvent {
        after,
        last: history.len(),
    };
    let mut copied = history.get(..after).ok_or_else(|| missing.clone())?.to_vec();
    if let Some((Event::Started { workflow, .. }, _)) = copied.first_mut() {
        *workflow = request.into.clone();
    }
    let state = fold(copied.iter().map(|(event, at)| (event, *at))).ok_or(missing)?;
    if !state.is_open() {
        return Err(CannotFork::Over(after));
    }
    let at_a_gate = [PhaseStatus::Draft, PhaseStatus::ReadyForReview];
    let without = |phase: &PhaseState| at_a_gate.contains(&phase.status) && phase.pending.is_none();
    // What asks people proposes its questions and asks them in one step.
    let mut asks = state.definition.phases.iter().filter(|phase| phase.asks);
    let unasked = asks.any(|phase| state.at(&phase.id).status == PhaseStatus::ReadyForReview);
    if unasked || state.phases.values().any(without) {
        return Err(CannotFork::Between(after));
    }
    let done_since = done_since(&state, &history[after..]);
    let mut known = state.clone();
    for event in &done_since {
        apply(&mut known, event, now);
    }
    let orphans = children::left_to_the_origin(&known, request.origin);
    let mut reopened = Vec::new();
    for (phase, old) in open_or_unspent(&known) {
        let mut proposal = proposals.get(&old).cloned().ok_or(CannotFork::Missing(old))?;
        proposal.workflow = request.into.clone();
        reopened.push((phase.clone(), old, proposal));
    }
    let forked = Event::Forked {
        origin: request.origin.clone(),
        after: after as u64,
        hash: request.hash,
        proposals: reopened
            .iter()
            .map(|(phase, _, proposal)| (phase.clone(), proposal.digest()))
            .collect(),
    };
    let first = std::iter::once(forked).chain(done_since).chain(orphans).collect();
    Ok(Fork {
        events: with_consequences(state.clone(), first, now),
        copied,
        state,
        proposals: reopened.into_iter().map(|(_, old, proposal)| (old, proposal)).collect(),
    })
}

/// What the origin went on to carry out of proposals that were approved by then.
fn done_since(state: &State, later: &[(Event, Timestamp)]) -> Vec<Event> {
    let approved = |source: &PhaseId| state.at(source).approval.is_some();
    let mut replaced = Vec::new();
    let mut done: Vec<Event> = Vec::new();
    for (event, _) in later {
        match event {
            // From here on its acts are others, whatever their keys are.
            Event::Proposed { phase, .. } => replaced.push(phase),
            Event::ActEnded { phase, key, .. } => {
                let source = state.definition.phase(phase).and_then(|phase| phase.executes.as_ref());
                let unknown = !state.at(phase).outcomes.contains_key(key);
                if unknown && source.is_some_and(|source| approved(source) && !replaced.contains(&source)) {
                    done.push(event.clone());
                }
            }
            // What became of children that were started by then.
            Event::ChildChanged { phase, key, child, .. } => {
                let known = state.at(phase).children.get(key);
                if known.is_some_and(|known| known.workflow == *child) {
                    done.push(event.clone());
                }
            }
            _ => {}
        }
    }
    done
}

/// Phases whose proposal waits for approval, or was approved for something that is not done yet, with its digest.
fn open_or_unspent(state: &State) -> Vec<(&PhaseId, Digest)> {
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    phases
        .filter_map(|phase| {
            let at = state.at(phase);
            let asking = [PhaseStatus::Running, PhaseStatus::WaitingForHuman, PhaseStatus::Error];
            if let (None, Some(prompt)) = (&at.pending, at.prompt)
                && asking.contains(&at.status)
            {
                return Some((phase, prompt));
            }
            let unspent = |executor: &PhaseId| {
                state.at(executor).status != PhaseStatus::Completed && state.next_act(executor).is_some()
            };
            let reopens = match at.approval {
                Some(_) => state.executors_of(phase).any(unspent),
                // Its approver could not be asked: it waits at its gate once more.
                None if at.status == PhaseStatus::Error => true,
                None => matches!(at.status, PhaseStatus::Draft | PhaseStatus::ReadyForReview),
            };
            let pending = at.pending.as_ref().filter(|_| reopens)?;
            Some((phase, pending.digest))
        })
        .collect()
}

/// The fold of a fork: each of these waits at its gate under its new digest, not shown yet, and what was to carry it out
/// waits for it.
pub(super) fn reopen(state: &mut State, proposals: &BTreeMap<PhaseId, Digest>, at: Timestamp) {
    for (source, digest) in proposals {
        let executors: Vec<PhaseId> = state.executors_of(source).cloned().collect();
        for executor in executors.iter().filter(|executor| *executor != source) {
            if let Some(phase) = state.phases.get_mut(executor) {
                phase.why = None;
                phase.enter(PhaseStatus::Blocked, at);
            }
        }
        let Some(phase) = state.phases.get_mut(source) else {
            continue;
        };
        let pending = match (phase.pending.take(), phase.prompt.take()) {
            (Some(pending), prompt) => {
                phase.prompt = prompt;
                pending
            }
            (None, Some(prompt)) => prompt_again(prompt, at),
            (None, None) => continue,
        };
        phase.void.push(pending.digest);
        let stage = pending.stage;
        phase.pending = Some(Pending {
            digest: *digest,
            made_at: at,
            shown_at: None,
            judged: Default::default(),
            ..pending
        });
        phase.approval = None;
        phase.ending = None;
        phase.why = None;
        phase.reminders = 0;
        phase.enter(stage.gate(), at);
    }
}

/// A prompt whose approval was used up, at its gate once more.
fn prompt_again(digest: Digest, at: Timestamp) -> Pending {
    Pending {
        digest,
        by: Maker::Agent {
            provider: PROMPT.to_owned(),
        },
        made_at: at,
        shown_at: None,
        acts: Vec::new(),
        stage: Stage::Prompt,
        verdict: None,
        judged: Default::default(),
    }
}
