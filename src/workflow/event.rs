//! Facts about a workflow: past tense, append-only, foldable for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::artifact::{ReviewVerdict, Stage};
use super::children::{Child, ChildStanding, Parent};
use super::definition::Definition;
use super::guidelines::Guidelines;
use super::ids::{Digest, PhaseId, UserId, WorkflowId};
use super::judging::{Reading, Ruling};
use super::repair::{Duplicate, Repair};
use super::right::Person;
use super::state::{ActOutcome, Approval, Ending, Maker, Subject, Surface, Timestamp, Why};
use super::words::Words;

/// What held a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// Somebody asked.
    #[default]
    Asked,
    /// Its subject was closed.
    SubjectClosed,
    /// Its parent was held.
    Parent,
}

impl HoldCause {
    /// Whether somebody asked, which holds of old said nothing about.
    pub fn is_asked(&self) -> bool {
        *self == Self::Asked
    }
}

/// One fact. Holds ids and digests; what people wrote at length lives in artifacts, runs and deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The workflow began.
    Started {
        /// Its id.
        workflow: WorkflowId,
        /// The whole definition.
        definition: Arc<Definition>,
        /// What it is anchored to.
        subject: Subject,
        /// Who started it.
        by: Person,
        /// How they said so.
        surface: Surface,
        /// When they said so, by GitHub's clock.
        said_at: Timestamp,
        /// What was given for the definition's inputs.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        given: BTreeMap<String, String>,
        /// The workflow whose child it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Parent>,
    },
    /// A phase began an iteration, or a new attempt of one.
    PhaseStarted {
        /// The phase.
        phase: PhaseId,
        /// From 1.
        iteration: u32,
        /// From 1.
        attempt: u32,
    },
    /// A phase began, or began again, to have children.
    ChildrenStarted {
        /// The phase.
        phase: PhaseId,
        /// From 1.
        iteration: u32,
        /// From 1.
        attempt: u32,
        /// The children, by the act that opened their issue: all of them, or those that are tried again.
        children: BTreeMap<ActKey, Child>,
    },
    /// A child stands otherwise than before.
    ChildChanged {
        /// The phase.
        phase: PhaseId,
        /// The act that opened its issue.
        key: ActKey,
        /// Its workflow.
        child: WorkflowId,
        /// How it stands.
        standing: ChildStanding,
    },
    /// A phase began to carry out approved acts.
    ActsStarted {
        /// The phase.
        phase: PhaseId,
    },
    /// A proposal was made or changed.
    Proposed {
        /// The phase.
        phase: PhaseId,
        /// The new digest.
        digest: Digest,
        /// The keys of its acts, in order.
        acts: Vec<ActKey>,
        /// Who made it.
        by: Maker,
        /// What a person changed, in a few words.
        change: Option<Words>,
        /// Whether it is a prompt or an answer.
        #[serde(default, skip_serializing_if = "is_response")]
        stage: Stage,
        /// The verdict that it holds, where it holds one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<ReviewVerdict>,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
        /// The guidelines of the repository that the prompt was made with, where an agent made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guidelines: Option<Guidelines>,
    },
    /// A proposal holds questions that people are asked.
    Asked {
        /// The phase.
        phase: PhaseId,
        /// The proposal that holds them.
        digest: Digest,
        /// How many of them are asked: the first ones.
        questions: u32,
    },
    /// A question was answered.
    Answered {
        /// The phase that asked it.
        phase: PhaseId,
        /// Its number among all that the phase asked, from 1.
        question: u32,
        /// The answer.
        text: Words,
        /// Who.
        by: Person,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// The questions that were open are not going to be answered.
    Skipped {
        /// The phase that asked them.
        phase: PhaseId,
        /// Who.
        by: Person,
        /// Why.
        reason: Words,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// All of a proposal can be read on GitHub.
    Shown {
        /// The phase.
        phase: PhaseId,
        /// The digest.
        digest: Digest,
        /// GitHub's time of the write.
        at: Timestamp,
    },
    /// A person approved what is shown, and more approvals are needed.
    Voted {
        /// The phase.
        phase: PhaseId,
        /// The approval.
        approval: Approval,
    },
    /// An approval that had not opened the gate was taken back.
    VoteWithdrawn {
        /// The phase.
        phase: PhaseId,
        /// Whose it was.
        of: Person,
        /// Who took it back.
        by: Person,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// A gate opened by a person's word.
    Approved {
        /// The phase.
        phase: PhaseId,
        /// The approval.
        approval: Approval,
        /// The verdict that holds in place of the proposal's, where the person said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<ReviewVerdict>,
        /// Those who had approved the same, and whose approval did not count any more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uncounted: Vec<UserId>,
    },
    /// A verdict of *fail* counts: the phases from `to` to this one are run again.
    SentBack {
        /// The phase whose verdict it is.
        phase: PhaseId,
        /// The phase that begins its next iteration.
        to: PhaseId,
    },
    /// An approval was taken back, so that an open gate closed.
    Unapproved {
        /// The phase.
        phase: PhaseId,
        /// Whose it was; the one that opened the gate where nobody is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Person>,
        /// Who took it back.
        by: Person,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// An approval no longer counts.
    ApprovalLost {
        /// The phase.
        phase: PhaseId,
        /// Why, for people.
        reason: String,
    },
    /// An approval that had not opened the gate does not count any more.
    VoteLost {
        /// The phase.
        phase: PhaseId,
        /// Whose it was.
        of: Person,
        /// Why, for people.
        reason: String,
    },
    /// A person, or the expiry, said no.
    Rejected {
        /// The phase.
        phase: PhaseId,
        /// Who; nobody for the expiry.
        by: Option<Person>,
        /// Why.
        reason: Words,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// A person asked for another iteration.
    Revised {
        /// The phase.
        phase: PhaseId,
        /// Who.
        by: Person,
        /// What should be different.
        text: Words,
        /// When they said so, by GitHub's clock.
        said_at: Timestamp,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// A phase waits for a person's answer.
    WaitsForHuman {
        /// The phase.
        phase: PhaseId,
        /// Why.
        why: Why,
        /// The guidelines of the repository that the prompt was made with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guidelines: Option<Guidelines>,
    },
    /// A phase failed for good.
    Failed {
        /// The phase.
        phase: PhaseId,
        /// Why.
        why: Why,
    },
    /// A person asked for another try.
    Retried {
        /// The phase.
        phase: PhaseId,
        /// Who.
        by: Person,
        /// When they said so, by GitHub's clock.
        said_at: Timestamp,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// An act ended.
    ActEnded {
        /// The phase that carried it out.
        phase: PhaseId,
        /// The act.
        key: ActKey,
        /// How.
        outcome: ActOutcome,
    },
    /// A phase ended.
    PhaseCompleted {
        /// The phase.
        phase: PhaseId,
        /// How.
        ending: Ending,
    },
    /// An approver that is a model is asked.
    ApproverAsked {
        /// The phase.
        phase: PhaseId,
        /// What it is shown.
        digest: Digest,
        /// From 1.
        attempt: u32,
    },
    /// An approver decided.
    Ruled {
        /// The phase.
        phase: PhaseId,
        /// What it said, and of what.
        ruling: Ruling,
    },
    /// The checks of a gate were read, and stand otherwise than before.
    Checked {
        /// The phase.
        phase: PhaseId,
        /// What waits at the gate.
        digest: Digest,
        /// What was read.
        reading: Reading,
    },
    /// A gate that asks no people opened.
    Passed {
        /// The phase.
        phase: PhaseId,
        /// What waited there.
        digest: Digest,
    },
    /// Nobody answered in time: the phases from `to` to this one are run again.
    Escalated {
        /// The phase whose gate it was.
        phase: PhaseId,
        /// The phase that begins its next iteration.
        to: PhaseId,
    },
    /// Nobody answered an open gate in time; its people are named once more.
    Reminded {
        /// The phase.
        phase: PhaseId,
    },
    /// It was held.
    Held {
        /// Who; nobody for the bot.
        by: Option<Person>,
        /// Why.
        reason: Words,
        /// What made it so.
        cause: HoldCause,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// The hold was lifted.
    Unheld {
        /// Who.
        by: Person,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// It was ended.
    Cancelled {
        /// Who; nobody when its subject is gone.
        by: Option<Person>,
        /// Why.
        reason: Words,
        /// By which surface they said so; events of old do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surface: Option<Surface>,
    },
    /// Something was found otherwise than it should be, and mended.
    Repaired {
        /// What.
        repair: Repair,
    },
    /// What one write of the bot had made was there twice, and only one of it is left.
    DuplicateRepaired {
        /// What it was.
        duplicate: Duplicate,
        /// The id or number of the one that is left.
        kept: u64,
        /// Those of the others.
        removed: Vec<u64>,
    },
    /// Every phase is complete.
    Completed,
    /// What is before this was copied from the history of another workflow.
    Forked {
        /// That workflow.
        origin: WorkflowId,
        /// The last of its events that was copied.
        after: u64,
        /// That event's hash in its own chain.
        hash: Digest,
        /// What waits for approval here: proposals that were not approved there, and those whose approval opens
        /// something that is not done yet. A digest covers its workflow, so that each has another one here.
        proposals: BTreeMap<PhaseId, Digest>,
    },
}

// serde hands it a reference.
fn is_response(stage: &Stage) -> bool {
    *stage == Stage::Response
}

impl Event {
    /// The type's name, as stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::PhaseStarted { .. } => "phase_started",
            Self::ChildrenStarted { .. } => "children_started",
            Self::ChildChanged { .. } => "child_changed",
            Self::ActsStarted { .. } => "acts_started",
            Self::Proposed { .. } => "proposed",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::Skipped { .. } => "skipped",
            Self::Shown { .. } => "shown",
            Self::Voted { .. } => "voted",
            Self::VoteWithdrawn { .. } => "vote_withdrawn",
            Self::Approved { .. } => "approved",
            Self::SentBack { .. } => "sent_back",
            Self::Unapproved { .. } => "unapproved",
            Self::ApprovalLost { .. } => "approval_lost",
            Self::VoteLost { .. } => "vote_lost",
            Self::Rejected { .. } => "rejected",
            Self::Revised { .. } => "revised",
            Self::WaitsForHuman { .. } => "waits_for_human",
            Self::Failed { .. } => "failed",
            Self::Retried { .. } => "retried",
            Self::ActEnded { .. } => "act_ended",
            Self::PhaseCompleted { .. } => "phase_completed",
            Self::ApproverAsked { .. } => "approver_asked",
            Self::Ruled { .. } => "ruled",
            Self::Checked { .. } => "checked",
            Self::Passed { .. } => "passed",
            Self::Escalated { .. } => "escalated",
            Self::Reminded { .. } => "reminded",
            Self::Held { .. } => "held",
            Self::Unheld { .. } => "unheld",
            Self::Cancelled { .. } => "cancelled",
            Self::Repaired { .. } => "repaired",
            Self::DuplicateRepaired { .. } => "duplicate_repaired",
            Self::Completed => "completed",
            Self::Forked { .. } => "forked",
        }
    }

    /// The same, said by this surface.
    pub fn said_by(mut self, by: &Surface) -> Self {
        if let Self::Proposed { surface, .. }
        | Self::Answered { surface, .. }
        | Self::Skipped { surface, .. }
        | Self::Unapproved { surface, .. }
        | Self::VoteWithdrawn { surface, .. }
        | Self::Rejected { surface, .. }
        | Self::Revised { surface, .. }
        | Self::Retried { surface, .. }
        | Self::Held { surface, .. }
        | Self::Unheld { surface, .. }
        | Self::Cancelled { surface, .. } = &mut self
        {
            *surface = Some(by.clone());
        }
        self
    }

    /// The same, of a prompt that was made with these guidelines.
    #[must_use]
    pub fn made_with(mut self, guided: Option<Guidelines>) -> Self {
        if let Self::Proposed { guidelines, .. } | Self::WaitsForHuman { guidelines, .. } = &mut self {
            *guidelines = guided;
        }
        self
    }

    /// The guidelines of the repository that the prompt was made with which it tells of.
    pub fn guidelines(&self) -> Option<&Guidelines> {
        match self {
            Self::Proposed { guidelines, .. } | Self::WaitsForHuman { guidelines, .. } => guidelines.as_ref(),
            _ => None,
        }
    }

    /// By which surface a person caused it, where that is known.
    pub fn surface(&self) -> Option<&Surface> {
        match self {
            Self::Started { surface, .. } => Some(surface),
            Self::Approved { approval, .. } | Self::Voted { approval, .. } => Some(&approval.surface),
            Self::Proposed { surface, .. }
            | Self::Answered { surface, .. }
            | Self::Skipped { surface, .. }
            | Self::Unapproved { surface, .. }
            | Self::VoteWithdrawn { surface, .. }
            | Self::Rejected { surface, .. }
            | Self::Revised { surface, .. }
            | Self::Retried { surface, .. }
            | Self::Held { surface, .. }
            | Self::Unheld { surface, .. }
            | Self::Cancelled { surface, .. } => surface.as_ref(),
            _ => None,
        }
    }

    /// The person who caused it, where a person did.
    pub fn actor(&self) -> Option<&Person> {
        match self {
            Self::Started { by, .. }
            | Self::Unapproved { by, .. }
            | Self::VoteWithdrawn { by, .. }
            | Self::Revised { by, .. }
            | Self::Retried { by, .. }
            | Self::Unheld { by, .. }
            | Self::Answered { by, .. }
            | Self::Skipped { by, .. }
            | Self::Proposed {
                by: Maker::Person(by), ..
            } => Some(by),
            Self::Approved { approval, .. } | Self::Voted { approval, .. } => Some(&approval.by),
            Self::Rejected { by, .. } | Self::Held { by, .. } | Self::Cancelled { by, .. } => by.as_ref(),
            _ => None,
        }
    }
}
