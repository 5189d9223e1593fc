//! Questions that a phase asks people: some in each round, answered one by one or skipped together.
//!
//! A phase that asks proposes questions and waits. Once all are answered it runs again, with the answers, until it knows
//! enough, people skip the rest, or a cap is reached. The questions' texts are in the proposals; here stands which of
//! them are settled, and how.

use serde::{Deserialize, Serialize};

use super::artifact::{Proposal, Stage};
use super::command::Refusal;
use super::decide::{Decision, done};
use super::definition::Phase;
use super::event::Event;
use super::ids::{Digest, PhaseId};
use super::right::Person;
use super::state::{PhaseState, PhaseStatus, State, Timestamp, Why};
use super::words::Words;

/// A question that people were asked. Its number is its place among all of its phase, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The proposal that holds it.
    pub of: Digest,
    /// Its place among the questions of that proposal, from 0.
    pub item: u32,
    /// How it was settled; nothing while it is open.
    pub reply: Option<Reply>,
}

/// How a question was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Who settled it.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// The answer, or why there is none.
    pub text: Words,
    /// Whether it went on without an answer.
    pub skipped: bool,
}

impl State {
    /// The phase that waits for answers: the first in the definition's order.
    pub fn asking(&self) -> Option<&PhaseId> {
        let mut phases = self.definition.phases.iter().map(|phase| &phase.id);
        phases.find(|id| self.at(id).is_asking())
    }
}

impl PhaseState {
    /// Whether it waits for answers to its questions.
    pub fn is_asking(&self) -> bool {
        self.status == PhaseStatus::WaitingForHuman && self.why == Some(Why::Questions)
    }

    /// The questions that are open, with their numbers.
    pub fn open_questions(&self) -> impl Iterator<Item = (u32, &Question)> {
        let numbered = (1..).zip(&self.questions);
        numbered.filter(|(_, question)| question.reply.is_none())
    }

    pub(super) fn ask(&mut self, of: Digest, count: u32) {
        self.questions
            .extend((0..count).map(|item| Question { of, item, reply: None }));
    }

    pub(super) fn answered(&mut self, number: u32, text: &Words, by: &Person, at: Timestamp) {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(question) = index.and_then(|index| self.questions.get_mut(index)) {
            question.reply = Some(Reply {
                by: by.clone(),
                at,
                text: text.clone(),
                skipped: false,
            });
        }
    }

    pub(super) fn skipped(&mut self, by: &Person, reason: &Words, at: Timestamp) {
        for question in self.questions.iter_mut().filter(|question| question.reply.is_none()) {
            question.reply = Some(Reply {
                by: by.clone(),
                at,
                text: reason.clone(),
                skipped: true,
            });
        }
    }
}

/// What follows a proposal of a phase that asks: as many of its questions as the cap leaves room for are asked.
pub(super) fn with_questions(state: &State, proposal: &Proposal, proposed: Event) -> Vec<Event> {
    let mut events = vec![proposed];
    let phase = state.definition.phase(&proposal.phase).filter(|phase| phase.asks);
    if let Some(phase) = phase.filter(|_| proposal.stage == Stage::Response) {
        let asked = u32::try_from(state.at(&phase.id).questions.len()).unwrap_or(u32::MAX);
        let room = phase.limits.questions.saturating_sub(asked);
        let questions = proposal.questions().min(room);
        if questions > 0 {
            events.push(Event::Asked {
                phase: phase.id.clone(),
                digest: proposal.digest(),
                questions,
            });
        }
    }
    events
}

/// Where a phase goes on whose questions are all settled; nothing while one is open.
pub(super) fn onwards(at: &PhaseState, phase: &Phase) -> Option<Event> {
    if !at.is_asking() || at.open_questions().next().is_some() {
        return None;
    }
    let round = at.pending.as_ref().map(|pending| pending.digest);
    let skipped = |question: &Question| {
        let reply = question.reply.as_ref();
        Some(question.of) == round && reply.is_some_and(|reply| reply.skipped)
    };
    let all_asked = at.questions.len() >= usize::try_from(phase.limits.questions).unwrap_or(usize::MAX);
    let enough = all_asked || at.iteration >= phase.limits.iterations || at.questions.iter().any(skipped);
    Some(match enough {
        true => done(&phase.id),
        false => Event::PhaseStarted {
            phase: phase.id.clone(),
            iteration: at.iteration + 1,
            attempt: 1,
        },
    })
}

pub(super) fn answer(state: &State, by: &Person, number: u32, text: &str) -> Decision {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let of = |phase: &PhaseId| index.and_then(|index| state.at(phase).questions.get(index));
    let Some(phase) = state.asking() else {
        // Whoever comes late hears what was answered.
        let ids = state.definition.phases.iter().map(|phase| &phase.id);
        let settled = ids.filter_map(of).find_map(|question| question.reply.clone());
        return Err(settled.map_or(Refusal::NothingAsked, |reply| Refusal::AnsweredBefore {
            question: number,
            reply,
        }));
    };
    match of(phase) {
        None => Err(Refusal::NoSuchQuestion {
            question: number,
            asked: u32::try_from(state.at(phase).questions.len()).unwrap_or(u32::MAX),
        }),
        Some(Question { reply: Some(reply), .. }) => Err(Refusal::AnsweredBefore {
            question: number,
            reply: reply.clone(),
        }),
        Some(Question { reply: None, .. }) => Ok(vec![Event::Answered {
            surface: None,
            phase: phase.clone(),
            question: number,
            text: text.into(),
            by: by.clone(),
        }]),
    }
}

pub(super) fn skip(state: &State, by: &Person, reason: &str) -> Decision {
    let phase = state.asking().ok_or(Refusal::NothingAsked)?;
    Ok(vec![Event::Skipped {
        surface: None,
        phase: phase.clone(),
        by: by.clone(),
        reason: reason.into(),
    }])
}
