//! What a workflow is at one moment: the fold of its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::artifact::{ReviewVerdict, Stage};
use super::asking::Question;
use super::children::{Child, Parent};
use super::definition::{Definition, Gate, PeopleGate, Phase};
use super::event::HoldCause;
use super::guidelines::Guidelines;
use super::ids::{CommentId, Digest, IssueId, IssueNumber, PhaseId, RepositoryId, WorkflowId};
use super::judging::{Decision, Judged};
use super::repair::{Duplicate, Fate, Repair};
use super::right::{Person, Right};
use super::variants::Letter;
pub use super::why::Why;
use super::words::Words;

/// A moment, in UTC.
pub type Timestamp = DateTime<Utc>;

/// What kind of thing a workflow is anchored to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// An issue.
    #[default]
    Issue,
    /// A pull request.
    PullRequest,
    /// A discussion. Issues cannot stand under it: those that are opened stand under one that tracks it.
    Discussion,
    /// A project's folder on the operator's machine. Its number counts the workflows of that folder.
    Folder,
}

/// What a workflow is anchored to, by ids that survive renames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The repository.
    pub repository: RepositoryId,
    /// Issue, pull request or discussion.
    pub kind: SubjectKind,
    /// Its number; all three share the sequence of their repository.
    pub number: IssueNumber,
    /// The issue's database id, where known.
    pub id: Option<IssueId>,
}

/// The nine states of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStatus {
    /// Waits for the phases that it needs.
    Blocked,
    /// The prompt was written and waits at its gate.
    Draft,
    /// The agent is at work.
    Running,
    /// A person must give the answer.
    WaitingForHuman,
    /// The proposal waits at its gate.
    ReadyForReview,
    /// Approved; its acts are being carried out.
    Approved,
    /// A person said no; `/revise` or `/cancel` goes on.
    Rejected,
    /// Something failed for good; `/retry` goes on.
    Error,
    /// Done.
    Completed,
}

impl PhaseStatus {
    /// Every status, for tables.
    pub const ALL: [Self; 9] = [
        Self::Blocked,
        Self::Running,
        Self::WaitingForHuman,
        Self::ReadyForReview,
        Self::Approved,
        Self::Rejected,
        Self::Error,
        Self::Completed,
        Self::Draft,
    ];
}

/// By which surface somebody spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// A command in a comment.
    Comment {
        /// The comment.
        id: CommentId,
        /// Where it can be read.
        url: String,
    },
    /// A label that was set and taken off again.
    Label {
        /// The label's name.
        name: String,
        /// The issue event that set it; a discussion's label has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<u64>,
    },
    /// A box on the card.
    Box,
    /// A command in the operator's shell, by the user of the operating system.
    Terminal,
    /// The bot itself.
    System,
}

/// One approval: who, with which right, by which surface, of which digest, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: Person,
    /// The right that they had when it was decided.
    pub right: Right,
    /// How they said so.
    pub surface: Surface,
    /// Of what.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
    /// What they added.
    pub reason: Option<Words>,
    /// The variant that they chose, where there was a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Letter>,
}

/// Who made a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// An agent, through this provider.
    Agent {
        /// The provider's name.
        provider: String,
    },
    /// A person, by an edit, a tick or an answer of their own.
    Person(Person),
}

/// The proposal that waits at a gate or was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its digest; the whole is in the artifact store.
    pub digest: Digest,
    /// Who made it.
    pub by: Maker,
    /// When.
    pub made_at: Timestamp,
    /// Since when all of it can be read on GitHub. Nobody approves what was not shown.
    pub shown_at: Option<Timestamp>,
    /// The keys of its acts, in order.
    pub acts: Vec<ActKey>,
    /// Whether it is a prompt or an answer.
    #[serde(default)]
    pub stage: Stage,
    /// The verdict that it holds.
    #[serde(default)]
    pub verdict: Option<ReviewVerdict>,
    /// What its gate's approver and checks say of it.
    #[serde(default, skip_serializing_if = "Judged::is_empty")]
    pub judged: Judged,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ActOutcome {
    /// A label was created, or was there already.
    LabelReady,
    /// An issue was opened.
    IssueOpened {
        /// Its number.
        number: IssueNumber,
        /// Its database id.
        id: IssueId,
        /// Its page.
        url: String,
        /// Its title.
        title: String,
        /// What GitHub would not take, each with a word.
        dropped: Vec<String>,
    },
    /// A link was made, or was there already.
    Linked,
    /// A link was refused; the reason is GitHub's.
    NotLinked {
        /// Why.
        reason: String,
    },
    /// The issues that could not be linked stand in a comment.
    Listed {
        /// The comment.
        url: String,
    },
    /// Nothing had to be done.
    NotNeeded,
    /// The mail was handed over.
    Mailed {
        /// Its Message-ID.
        message_id: String,
        /// Addresses that were refused.
        refused: Vec<String>,
        /// SHA-256 of the bytes that went out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Digest>,
        /// Whether an earlier attempt may have been taken as well, and the mail was sent again all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// The mail may have been sent; it is not sent again.
    MailInDoubt {
        /// Its Message-ID.
        message_id: String,
        /// What happened.
        reason: String,
        /// SHA-256 of the bytes that may have gone out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Digest>,
    },
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As planned.
    Done,
    /// There was nothing to do.
    Nothing {
        /// Why.
        reason: String,
    },
    /// A setting is missing.
    NotConfigured {
        /// The key to set.
        key: String,
    },
}

/// One phase at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseState {
    /// Where it stands.
    pub status: PhaseStatus,
    /// Since when.
    pub since: Timestamp,
    /// First run 1, each revision one more; 0 before it started.
    pub iteration: u32,
    /// How many times this iteration was tried.
    pub attempt: u32,
    /// The proposal at its gate, or approved.
    pub pending: Option<Pending>,
    /// Digests that this gate showed before and that no longer count.
    pub void: Vec<Digest>,
    /// The approval that opened the gate: with it those before it were enough.
    pub approval: Option<Approval>,
    /// Approvals of what is shown that did not open the gate by themselves, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Approval>,
    /// What people said in `/revise`, oldest first.
    pub steer: Vec<Words>,
    /// Outcomes of acts that this phase carried out.
    pub outcomes: BTreeMap<ActKey, ActOutcome>,
    /// Why it waits for a person, or failed.
    pub why: Option<Why>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// How many times its open gate reminded.
    pub reminders: u32,
    /// The prompt that was approved in this iteration.
    #[serde(default)]
    pub prompt: Option<Digest>,
    /// The proposal of its last iteration that was completed: what phases behind it are given.
    #[serde(default)]
    pub output: Option<Digest>,
    /// What each iteration completed of a phase that revises files; empty again once what it revises was made anew.
    /// States of old have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<BTreeMap<u32, Digest>>,
    /// The verdict that counts, once it was approved.
    #[serde(default)]
    pub verdict: Option<ReviewVerdict>,
    /// How many responses of this iteration were rejected.
    #[serde(default)]
    pub rejections: u32,
    /// Whether a verdict ever went back to it.
    #[serde(default)]
    pub called: bool,
    /// What it asked people, in the order of the questions' numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Its children, by the act that opened their issue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<ActKey, Child>,
    /// The guidelines of the repository that the prompt of this attempt was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidelines: Option<Guidelines>,
}

/// Whose turn it is at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The checks do not hold yet.
    Checks,
    /// The approver has not decided.
    Approver,
    /// People, or nobody any more.
    People,
}

/// Where a workflow stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// It goes on.
    Open,
    /// Every phase is complete.
    Completed,
    /// Somebody, or the loss of its subject, ended it.
    Cancelled {
        /// Who; nobody when its subject is gone.
        by: Option<Person>,
        /// Why.
        reason: Words,
    },
}

/// A hold: nothing is started and no gate opens until it is lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who; nobody when the bot did it.
    pub by: Option<Person>,
    /// Why.
    pub reason: Words,
    /// Since when.
    pub since: Timestamp,
    /// What made it so.
    #[serde(default, skip_serializing_if = "HoldCause::is_asked")]
    pub cause: HoldCause,
    /// The hold of its own that it had before its parent was held, and has again when the parent goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Box<Hold>>,
}

/// One line of the record that a card ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who; nobody for the bot.
    pub by: Option<Person>,
    /// What.
    pub what: What,
    /// The verdict that an approval put in the place of the one that was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrode: Option<ReviewVerdict>,
    /// By which surface, where what it says does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
}

/// What a line of the record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Started the workflow.
    Started(Surface),
    /// Approved a digest.
    Approved(PhaseId, Digest, Surface),
    /// Chose a variant by the comparison of this digest.
    Chose(PhaseId, Letter, Digest, Surface),
    /// Chose a variant where more approvals of it are needed.
    ChoseToo(PhaseId, Letter, Digest, Surface),
    /// Answered a question, by its number.
    Answered(PhaseId, u32, Words),
    /// Went on without answers to the questions that were open.
    Skipped(PhaseId, Words),
    /// Took an approval back.
    Unapproved(PhaseId),
    /// Approved a digest that needs more approvals.
    Voted(PhaseId, Digest, Surface),
    /// Took back an approval that had not opened the gate: whose it was.
    VoteWithdrawn(PhaseId, Person),
    /// An approval that had not opened the gate no longer counted: whose it was, and why.
    VoteLost(PhaseId, Person, String),
    /// An approval no longer counted; the sentence says why.
    ApprovalLost(PhaseId, String),
    /// Said no.
    Rejected(PhaseId, Words),
    /// Asked for another iteration.
    Revised(PhaseId, Words),
    /// A verdict went back to another phase.
    SentBack(PhaseId, PhaseId),
    /// Changed the proposal.
    Amended(PhaseId, Words, Digest),
    /// Answered in the agent's place.
    Responded(PhaseId, Digest),
    /// Stopped it for a while.
    Held(Words),
    /// Let it go on.
    Unheld,
    /// Asked for another try.
    Retried(PhaseId),
    /// Ended it.
    Cancelled(Words),
    /// The time of its gate ran out before enough people approved.
    Expired(PhaseId),
    /// The time of its gate ran out before enough people approved, and it went back to that phase.
    Escalated(PhaseId, PhaseId),
    /// An approver that is a model decided: by whom, and why.
    Ruled(PhaseId, Decision, String, Words),
    /// Something was found otherwise than it should be, and mended.
    Repaired(Repair),
    /// Something was there twice: which is left, and which are gone.
    DuplicateRepaired(Duplicate, u64, Vec<u64>),
    /// It goes on from here in the place of that workflow, from after that event of it.
    Forked(WorkflowId, u64),
}

/// Which version of the fold made a state. A stored state is only as good as the fold that made it: a former program
/// leaves out what it does not know, and so drops this mark, too. Whoever reads a state of another version folds the
/// events again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FoldVersion(u32);

impl FoldVersion {
    /// That of this program: one more whenever old events come to lead to another state. A test compares what they lead
    /// to with what they led to.
    pub const CURRENT: Self = Self(1);
}

/// A workflow at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its id.
    pub id: WorkflowId,
    /// What made it.
    #[serde(default)]
    pub fold: FoldVersion,
    /// How many events made it.
    pub version: u64,
    /// The definition that it started with. It stands whole in the first event and is not written again with every
    /// state: whoever reads a state puts it back.
    #[serde(skip)]
    pub definition: Arc<Definition>,
    /// What it is anchored to.
    pub subject: Subject,
    /// Who started it.
    pub starter: Person,
    /// When.
    pub started_at: Timestamp,
    /// When somebody last asked for a run, by GitHub's clock: an agent reads no text that is newer.
    pub heard_at: Timestamp,
    /// What was given for the definition's inputs.
    #[serde(default)]
    pub given: BTreeMap<String, String>,
    /// The workflow whose child it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The guidelines of the repository that its last prompt was made with, of whichever phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidelines: Option<Guidelines>,
    /// Where it stands.
    pub status: Status,
    /// Whether it is held.
    pub hold: Option<Hold>,
    /// Its phases.
    pub phases: BTreeMap<PhaseId, PhaseState>,
    /// What became of the issues that it opened, where they are not as they were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fates: BTreeMap<IssueNumber, Fate>,
    /// The record.
    pub record: Vec<Entry>,
}

impl PhaseState {
    /// Every approval of what is shown that was not taken back, oldest first.
    pub fn votes(&self) -> impl Iterator<Item = &Approval> {
        self.votes.iter().chain(&self.approval)
    }
}

impl State {
    /// Whether it still goes on (held or not).
    pub fn is_open(&self) -> bool {
        self.status == Status::Open
    }

    /// A phase's state.
    ///
    /// # Panics
    /// If the definition has no such phase: every phase has a state from the first event on.
    pub fn at(&self, phase: &PhaseId) -> &PhaseState {
        &self.phases[phase]
    }

    /// Who last asked for a run: what agents spend is on their account.
    pub fn asked_by(&self) -> &Person {
        let asks = |entry: &&Entry| matches!(entry.what, What::Started(_) | What::Revised(..) | What::Retried(_));
        let last = self.record.iter().rev().find(asks);
        last.and_then(|entry| entry.by.as_ref()).unwrap_or(&self.starter)
    }

    /// The phase whose gate is open, and the people who can act there: at most one is shown at a time, the first in the
    /// definition's order of those at which it is people's turn, else of all.
    pub fn open_gate(&self) -> Option<(&PhaseId, &PeopleGate, &Pending)> {
        let open = |phase: &'_ Phase| self.gate_at(&phase.id).is_some_and(|(gate, _)| gate.asked().is_some());
        let phases = || self.definition.phases.iter().filter(|phase| open(phase));
        let phase = phases()
            .find(|phase| self.is_peoples_turn(&phase.id))
            .or_else(|| phases().next())?;
        let (gate, pending) = self.gate_at(&phase.id)?;
        Some((&phase.id, gate.asked()?, pending))
    }

    /// The gate at which a phase stands, with what waits there.
    pub fn gate_at(&self, phase: &PhaseId) -> Option<(&Gate, &Pending)> {
        let (defined, at) = (self.definition.phase(phase)?, self.phases.get(phase)?);
        let gate = match at.status {
            PhaseStatus::Draft => &defined.prompt_gate,
            PhaseStatus::ReadyForReview => &defined.gate,
            _ => return None,
        };
        Some((gate, at.pending.as_ref()?))
    }

    /// Whether this answer of an approver is still wanted: of this digest, asked for this time.
    pub fn awaits_ruling(&self, phase: &PhaseId, digest: Digest, attempt: u32) -> bool {
        self.is_open()
            && self.gate_at(phase).is_some_and(|(gate, pending)| {
                let judged = &pending.judged;
                let asked = judged.asked > 0 && judged.asked == attempt;
                let asked = asked && gate.ai.is_some() && judged.ruling.is_none();
                asked && pending.digest == digest
            })
    }

    /// The gate of what a phase made, whether it stands there or not.
    pub fn gate_of(&self, phase: &PhaseId) -> Option<&Gate> {
        let (defined, at) = (self.definition.phase(phase)?, self.phases.get(phase)?);
        Some(match at.pending.as_ref()?.stage {
            Stage::Prompt => &defined.prompt_gate,
            Stage::Response => &defined.gate,
        })
    }

    /// What the gate of a phase waits for, if it stands at one.
    pub fn gate_waits_for(&self, phase: &PhaseId) -> Option<Awaited> {
        let (gate, pending) = self.gate_at(phase)?;
        let checked = match &gate.checks {
            Some(checks) => super::approval::checks_hold(checks, &pending.judged),
            None => true,
        };
        Some(match (checked, &gate.ai, pending.judged.decision()) {
            (false, ..) => Awaited::Checks,
            (true, Some(_), None) => Awaited::Approver,
            _ => Awaited::People,
        })
    }

    /// Whether a gate waits for nobody but people: for those who open it, or, where its approver said no, for whoever
    /// may send it back.
    pub fn is_peoples_turn(&self, phase: &PhaseId) -> bool {
        let opened = |gate: &Gate, pending: &Pending| {
            gate.people.is_some() || pending.judged.decision() == Some(Decision::Rejected)
        };
        let people = self.gate_at(phase).is_some_and(|(gate, pending)| opened(gate, pending));
        people && self.gate_waits_for(phase) == Some(Awaited::People)
    }

    /// Whether nobody has to wait for this phase: it is complete, or nothing ever went back to it.
    pub fn is_settled(&self, phase: &Phase) -> bool {
        let at = self.at(&phase.id);
        at.status == PhaseStatus::Completed || phase.on_demand && !at.called || self.is_passed_over(&phase.id)
    }

    /// What a phase that begins now is given: the phases that it takes from, each with the digest of what it made last;
    /// of one that revises files, what it made in every round, the earlier ones first. One that made nothing yet is left
    /// out.
    pub fn handed<'a>(&'a self, phase: &'a Phase) -> impl Iterator<Item = (&'a PhaseId, Digest)> {
        phase.inputs.iter().flat_map(|input| {
            let at = self.at(input);
            let last = at.output.filter(|_| at.rounds.is_none());
            let rounds = at.rounds.iter().flat_map(|rounds| rounds.values().copied());
            rounds.chain(last).map(move |made| (input, made))
        })
    }

    /// How many phases are complete, of how many: one that begins on demand counts once it was called.
    pub fn progress(&self) -> (usize, usize) {
        let phases = self.definition.phases.iter();
        let counted = phases.filter(|phase| !phase.on_demand || self.at(&phase.id).called);
        let counted = counted.filter(|phase| self.at(&phase.id).was_made() || !self.is_passed_over(&phase.id));
        let at = |phase: &Phase| self.at(&phase.id).status;
        counted.fold((0, 0), |(done, all), phase| {
            (done + usize::from(at(phase) == PhaseStatus::Completed), all + 1)
        })
    }

    /// The first phase, in the definition's order, that stands at one of these. Nobody asks how a variant stands once
    /// somebody chose, or while the choice stands at one of these itself.
    pub fn first_at(&self, statuses: &[PhaseStatus]) -> Option<&PhaseId> {
        self.definition
            .phases
            .iter()
            .map(|phase| &phase.id)
            .filter(|id| !self.is_passed_over(id) && !self.is_compared_at(id, statuses))
            .find(|id| statuses.contains(&self.at(id).status))
    }

    /// The next act that a phase has to carry out, with the digest of the proposal that it is part of.
    pub fn next_act(&self, phase: &PhaseId) -> Option<(&ActKey, Digest)> {
        self.acts_to_come(phase).next()
    }

    /// The acts that a phase has still to carry out, each with the digest of the proposal that it is part of.
    pub fn acts_to_come(&self, phase: &PhaseId) -> impl Iterator<Item = (&ActKey, Digest)> {
        let executes = self.definition.phase(phase).and_then(|phase| phase.executes.as_ref());
        let pending = executes.and_then(|source| self.at(source).pending.as_ref());
        let acts = pending.into_iter().flat_map(|pending| {
            let digest = pending.digest;
            pending.acts.iter().map(move |key| (key, digest))
        });
        acts.filter(move |(key, _)| !self.at(phase).outcomes.contains_key(key))
    }

    /// Phases that carry out what `source` proposed.
    pub fn executors_of<'a>(&'a self, source: &'a PhaseId) -> impl Iterator<Item = &'a PhaseId> {
        self.definition
            .phases
            .iter()
            .filter(move |phase| phase.executes.as_ref() == Some(source))
            .map(|phase| &phase.id)
    }
}
