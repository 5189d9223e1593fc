//! Decisions: a command becomes events, or a refusal that says what would be allowed.

mod choice;
mod consequences;
mod gates;
mod judged;
mod reports;
mod rounds;

use std::sync::Arc;

use chrono::TimeDelta;

use super::apply::begin;
use super::approval::Live;
use super::artifact::Proposal;
use super::asking;
use super::children;
use super::command::{Ask, Authority, Command, Obsolete, Refusal, Start, Verdict};
use super::definition::{Definition, Phase};
use super::event::{Event, HoldCause};
use super::ids::PhaseId;
use super::right::{Right, Standing};
use super::state::{Maker, PhaseStatus, State, Timestamp};
use consequences::consequences;
pub(super) use consequences::{done, with_consequences};
pub use gates::no_open_gate;
pub use gates::partly_done;
use gates::{Word, approve, gate_untouched, overridden, reject, unapprove};
use reports::reported;
use rounds::{retry, revise};

/// How long a card must have stood unchanged before a bare `/approve` or the label means what it shows.
pub const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// What is said to have made a prompt: the definition's template, filled in.
pub(super) const PROMPT: &str = "template";

/// The right that taking back another person's approval needs.
const UNAPPROVE_OTHERS: Right = Right::Maintain;

/// What may be asked of the outside world's order before a command is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// Whether an act of this workflow may be under way right now.
    pub act_in_flight: bool,
    /// What GitHub says of those who approved; needed for `/approve` only. Without it nothing is known but the right of
    /// whoever asks.
    pub live: Option<&'a Live>,
}

pub(super) type Decision = Result<Vec<Event>, Refusal>;

/// Decides a command. `state` is `None` for [`Command::Start`] only.
///
/// The events include all that follows at once from the first: dependents that become unblocked in the same
/// transaction, and the end of the workflow.
pub fn decide(state: Option<&State>, command: &Command, facts: Facts<'_>, now: Timestamp) -> Verdict {
    match (state, command) {
        (None, Command::Start(start)) => verdict(start_workflow(start, now)),
        (Some(state), Command::Person(authority, ask)) => {
            let decision = asked(state, authority, ask, facts, now);
            let said = |first: Vec<Event>| {
                first
                    .into_iter()
                    .map(|event| event.said_by(&authority.surface))
                    .collect()
            };
            verdict(decision.map(|first| with_consequences(state.clone(), said(first), now)))
        }
        (Some(state), Command::System(report)) => match reported(state, report, now) {
            Some(first) => Verdict::Events(with_consequences(state.clone(), first, now)),
            None => Verdict::Obsolete(Obsolete),
        },
        (None, _) | (Some(_), Command::Start(_)) => Verdict::Obsolete(Obsolete),
    }
}

fn verdict(decision: Decision) -> Verdict {
    match decision {
        Ok(events) => Verdict::Events(events),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// A definition as it runs.
fn ready(definition: &Arc<Definition>) -> Arc<Definition> {
    match definition.phases.iter().any(|phase| phase.variants.is_some()) {
        true => Arc::new(definition.expanded()),
        false => Arc::clone(definition),
    }
}

fn start_workflow(start: &Start, now: Timestamp) -> Decision {
    allowed(&start.by)?;
    let started = Event::Started {
        workflow: start.workflow.clone(),
        definition: ready(&start.definition),
        subject: start.subject.clone(),
        by: start.by.person.clone(),
        surface: start.by.surface.clone(),
        said_at: start.by.said_at,
        given: start.given.clone(),
        parent: start.parent.clone(),
    };
    let state = begin(&started, now).expect("the first event is Started");
    let mut events = vec![started];
    events.extend(consequences(state, now));
    Ok(events)
}

fn allowed(authority: &Authority) -> Result<(), Refusal> {
    if authority.requirement.met_by(authority.right, &authority.standings) {
        Ok(())
    } else {
        Err(Refusal::NotAllowed {
            needs: authority.requirement,
            has: authority.right,
        })
    }
}

fn asked(state: &State, authority: &Authority, ask: &Ask, facts: Facts<'_>, now: Timestamp) -> Decision {
    allowed(authority)?;
    if !state.is_open() {
        return Err(Refusal::Over);
    }
    let by = &authority.person;
    match ask {
        Ask::Cancel { reason } => {
            return Ok(vec![Event::Cancelled {
                surface: None,
                by: Some(by.clone()),
                reason: reason.into(),
            }]);
        }
        Ask::Unhold => {
            if let Some(refusal) = children::held_above(state) {
                return Err(refusal);
            }
            return match state.hold {
                Some(_) => Ok(vec![Event::Unheld {
                    surface: None,
                    by: by.clone(),
                }]),
                None => Err(Refusal::NotHeld),
            };
        }
        Ask::Unapprove { of } => return unapprove(state, authority, of.as_deref(), facts),
        _ => {}
    }
    if let Some(hold) = &state.hold {
        return Err(Refusal::Held(hold.clone()));
    }
    match ask {
        Ask::Hold { reason } => Ok(vec![Event::Held {
            surface: None,
            by: Some(by.clone()),
            reason: reason.into(),
            cause: HoldCause::Asked,
        }]),
        Ask::Approve { named, reason, verdict } => {
            let word = Word {
                named,
                reason: reason.as_deref(),
                choice: None,
            };
            let approved = approve(state, authority, &word, facts, now)?;
            overridden(state, by, approved, *verdict)
        }
        Ask::Choose { variant, named, reason } => {
            let word = Word {
                named,
                reason: reason.as_deref(),
                choice: Some(*variant),
            };
            approve(state, authority, &word, facts, now)
        }
        Ask::Reject { reason } => reject(state, authority, reason),
        Ask::Revise { text } => revise(state, authority, text),
        Ask::Amend { base, proposal, change } => {
            let (phase, current) = gate_untouched(state)?;
            if current != *base || !belongs(state, phase, proposal) {
                return Err(Refusal::Stale { current });
            }
            let digest = proposal.digest();
            if digest == current {
                return Err(Refusal::NoChange);
            }
            Ok(vec![proposed(proposal, Maker::Person(by.clone()), Some(change))])
        }
        Ask::Respond { proposal } => {
            let phase = &proposal.phase;
            let awaited = |_| awaits_answer(state, phase) && belongs(state, phase, proposal);
            if !state.definition.phase(phase).is_some_and(awaited) {
                return Err(Refusal::NoAnswerAwaited);
            }
            let proposed = proposed(proposal, Maker::Person(by.clone()), None);
            Ok(asking::with_questions(state, proposal, proposed))
        }
        Ask::Answer { question, text } => asking::answer(state, by, *question, text),
        Ask::Skip { reason } => match (state.asking(), children::skip(state, by, reason)) {
            (None, Some(decision)) => decision,
            _ => asking::skip(state, by, reason),
        },
        Ask::Retry { variant: None } => retry(state, authority),
        Ask::Retry { variant: Some(variant) } => choice::retry_one(state, authority, *variant),
        Ask::Cancel { .. } | Ask::Unhold | Ask::Unapprove { .. } => unreachable!("answered above"),
    }
}

/// Whether a person's answer in the agent's place would be taken now.
pub fn awaits_answer(state: &State, phase: &PhaseId) -> bool {
    let at = state.at(phase);
    let has_agent = state.definition.phase(phase).is_some_and(Phase::has_agent);
    has_agent
        && at.iteration > 0
        && at.pending.is_none()
        && !at.is_asking()
        && !state.is_passed_over(phase)
        && matches!(at.status, PhaseStatus::WaitingForHuman | PhaseStatus::Error)
}

/// Whether a proposal was made for what the phase is at: an approval of it must be valid here and nowhere else.
fn belongs(state: &State, phase: &PhaseId, proposal: &Proposal) -> bool {
    let at = state.at(phase);
    let stage = at.pending.as_ref().map_or(proposal.stage, |pending| pending.stage);
    proposal.workflow == state.id
        && proposal.phase == *phase
        && proposal.iteration == at.iteration
        && proposal.stage == stage
}

/// The event of a new proposal, or of a changed one.
fn proposed(proposal: &Proposal, by: Maker, change: Option<&String>) -> Event {
    Event::Proposed {
        surface: None,
        phase: proposal.phase.clone(),
        digest: proposal.digest(),
        acts: proposal.act_keys(),
        by,
        change: change.map(Into::into),
        stage: proposal.stage,
        verdict: proposal.verdict(),
        guidelines: None,
    }
}

/// The standings of somebody towards a subject.
pub fn standings(is_author: bool, is_assignee: bool) -> Vec<Standing> {
    let author = is_author.then_some(Standing::Author);
    let assignee = is_assignee.then_some(Standing::Assignee);
    author.into_iter().chain(assignee).collect()
}
