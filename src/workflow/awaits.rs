//! What an open workflow waits for, as data: lists say it in words, and whoever is told elsewhere gets it as it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::children;
use super::decide::awaits_answer;
use super::gate::Quorum;
use super::ids::{IssueNumber, PhaseId};
use super::judging::Decision;
use super::right::Right;
use super::state::{Awaited, PhaseStatus, State};

/// What an open workflow waits for, where it waits for more than an agent or an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Awaits {
    /// That somebody lifts its hold.
    Unhold,
    /// That people open a gate.
    Approval {
        /// Whose gate.
        phase: PhaseId,
        /// The least right that an approval needs by the definition.
        right: Right,
        /// How many different people must approve, and whose approval counts (everybody's with the right where `of` is
        /// empty). Each of them must be met.
        quorums: Vec<Quorum>,
        /// Whether an owner of each touched path that has owners must be among them.
        code_owners: bool,
    },
    /// An edit, or another iteration, of what the approver of its gate rejected.
    Edit {
        /// Whose gate.
        phase: PhaseId,
    },
    /// The checks of a gate.
    Checks {
        /// Whose gate.
        phase: PhaseId,
    },
    /// The approver of a gate, which is a model.
    Approver {
        /// Whose gate.
        phase: PhaseId,
    },
    /// Answers to questions.
    Answers {
        /// The phase that asks.
        phase: PhaseId,
        /// The numbers of those that are open.
        questions: Vec<u32>,
    },
    /// An answer in the agent's place.
    Answer {
        /// The phases that need one; any of them may be answered first.
        phases: Vec<PhaseId>,
    },
    /// Another iteration, another try, or the end, of what people rejected.
    Revision {
        /// The phase.
        phase: PhaseId,
    },
    /// Another try of what failed, or the end.
    Retry {
        /// The phase.
        phase: PhaseId,
    },
    /// Its children.
    Children {
        /// The phase whose children they are.
        phase: PhaseId,
        /// The issues of those that are not over.
        #[schemars(with = "Vec<u64>")]
        issues: Vec<IssueNumber>,
    },
}

impl State {
    /// What it waits for; nothing where it has ended, or an agent or an act is at work.
    pub fn awaits(&self) -> Option<Awaits> {
        if !self.is_open() {
            return None;
        }
        if self.hold.is_some() {
            return Some(Awaits::Unhold);
        }
        if let Some((phase, ..)) = self.open_gate() {
            return self.awaits_at_gate(phase);
        }
        if let Some(phase) = self.asking() {
            return Some(self.awaits_answers(phase));
        }
        let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Rejected, PhaseStatus::Error];
        match self.first_at(&stopped) {
            Some(phase) => self.awaits_where_it_stopped(phase),
            None => self.awaits_children(),
        }
    }

    /// What it waits for at this phase; nothing where the phase waits for nobody.
    pub fn awaits_at(&self, phase: &PhaseId) -> Option<Awaits> {
        if !self.is_open() || self.hold.is_some() {
            return self.awaits();
        }
        if self.gate_at(phase).is_some() {
            return self.awaits_at_gate(phase);
        }
        match self.at(phase).is_asking() {
            true => Some(self.awaits_answers(phase)),
            false => self.awaits_where_it_stopped(phase),
        }
    }

    /// Whether an approval of a person would be taken: people open the gate, and nothing else is in the way.
    pub fn people_may_approve(&self, phase: &PhaseId) -> bool {
        let Some((gate, pending)) = self.gate_at(phase) else {
            return false;
        };
        let said_no = pending.judged.decision() == Some(Decision::Rejected);
        match said_no {
            true => gate.may_be_overruled() && self.is_peoples_turn(phase),
            false => gate.people.is_some() && self.is_peoples_turn(phase),
        }
    }

    fn awaits_at_gate(&self, phase: &PhaseId) -> Option<Awaits> {
        let (gate, _) = self.gate_at(phase)?;
        let gate = gate.asked()?;
        let phase = phase.clone();
        Some(match self.gate_waits_for(&phase)? {
            Awaited::Checks => Awaits::Checks { phase },
            Awaited::Approver => Awaits::Approver { phase },
            Awaited::People if !self.people_may_approve(&phase) => Awaits::Edit { phase },
            Awaited::People => Awaits::Approval {
                phase,
                right: gate.right,
                quorums: gate.quorums().collect(),
                code_owners: gate.code_owners,
            },
        })
    }

    fn awaits_answers(&self, phase: &PhaseId) -> Awaits {
        Awaits::Answers {
            phase: phase.clone(),
            questions: self.at(phase).open_questions().map(|(number, _)| number).collect(),
        }
    }

    fn awaits_where_it_stopped(&self, phase: &PhaseId) -> Option<Awaits> {
        Some(match self.at(phase).status {
            PhaseStatus::WaitingForHuman => Awaits::Answer {
                phases: self.unanswered_beside(phase),
            },
            PhaseStatus::Rejected => Awaits::Revision { phase: phase.clone() },
            PhaseStatus::Error => Awaits::Retry { phase: phase.clone() },
            _ => return None,
        })
    }

    /// The phases that wait for a person's answer beside this one, and it.
    fn unanswered_beside(&self, phase: &PhaseId) -> Vec<PhaseId> {
        let phases = self.definition.phases.iter().map(|phase| &phase.id);
        let waits =
            |other: &PhaseId| self.at(other).status == PhaseStatus::WaitingForHuman && awaits_answer(self, other);
        phases
            .filter(|other| *other == phase || waits(other))
            .cloned()
            .collect()
    }

    fn awaits_children(&self) -> Option<Awaits> {
        let (phase, _) = children::waiting(self)?;
        let children = self.at(&phase.id).children.values();
        let open = children.filter(|child| !child.standing.is_over());
        Some(Awaits::Children {
            phase: phase.id.clone(),
            issues: open.map(|child| child.issue).collect(),
        })
    }
}
