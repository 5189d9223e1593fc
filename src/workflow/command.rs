//! What is asked of a workflow, and why it may refuse.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::ActKey;
use super::approval::Node;
use super::artifact::{Proposal, ReviewVerdict};
use super::asking::Reply;
use super::children::{Above, ChildStanding, Parent};
use super::definition::Definition;
use super::guidelines::Guidelines;
use super::ids::{Digest, IssueNumber, PhaseId, WorkflowId};
use super::judging::{Reading, Ruling};
use super::repair::{Duplicate, Repair};
use super::right::{Person, Requirement, Right, Standing};
use super::state::{ActOutcome, Ending, Hold, PhaseStatus, Subject, Surface, Timestamp, Why};
use super::variants::Letter;
use super::words::Words;

/// Who asks, and what GitHub said of them just now. Only made from an answer of GitHub, never from a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Who.
    pub person: Person,
    /// Their right on the repository.
    pub right: Right,
    /// What they are to the subject.
    pub standings: Vec<Standing>,
    /// By which surface they spoke.
    pub surface: Surface,
    /// When they spoke, by GitHub's clock.
    pub said_at: Timestamp,
    /// What the verb asks, as the repository configured it.
    pub requirement: Requirement,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin.
    Start(Start),
    /// Somebody asks.
    Person(Authority, Ask),
    /// The engine reports.
    System(Report),
}

/// What is needed to begin a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Its id.
    pub workflow: WorkflowId,
    /// The definition.
    pub definition: Arc<Definition>,
    /// What it is anchored to.
    pub subject: Subject,
    /// What is given for the definition's inputs; all that are required are there.
    pub given: BTreeMap<String, String>,
    /// Who starts it.
    pub by: Authority,
    /// The workflow whose child it is.
    pub parent: Option<Parent>,
}

/// Which digest an approval means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The one whose hex begins with this.
    Prefix(String),
    /// The one on the card, said at this moment (a bare `/approve`, the label).
    OnTheCard(Timestamp),
}

/// What a person asks of an open workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Approve what was shown.
    Approve {
        /// Which.
        named: Named,
        /// What they added.
        reason: Option<String>,
        /// The verdict that is to hold in place of the proposal's.
        verdict: Option<ReviewVerdict>,
    },
    /// Choose a variant of those that were compared: an approval of the comparison that names one of them.
    Choose {
        /// Which variant.
        variant: Letter,
        /// By which comparison.
        named: Named,
        /// What they added.
        reason: Option<String>,
    },
    /// Take an approval back: one's own, or that of this login.
    Unapprove {
        /// Whose, when not one's own.
        of: Option<String>,
    },
    /// Say no.
    Reject {
        /// Why.
        reason: String,
    },
    /// Ask for another iteration.
    Revise {
        /// What should be different.
        text: String,
    },
    /// Put an edited proposal in the place of the one at the gate.
    Amend {
        /// The digest that was edited.
        base: Digest,
        /// The new proposal.
        proposal: Proposal,
        /// What was changed, in a few words.
        change: String,
    },
    /// Give the answer that the agent could not.
    Respond {
        /// The proposal made of it.
        proposal: Proposal,
    },
    /// Answer a question.
    Answer {
        /// Its number, from 1.
        question: u32,
        /// The answer; never blank.
        text: String,
    },
    /// Go on without answers to the questions that are open.
    Skip {
        /// Why.
        reason: String,
    },
    /// Stop it for a while.
    Hold {
        /// Why.
        reason: String,
    },
    /// Let it go on.
    Unhold,
    /// Try again what failed, or make one variant anew.
    Retry {
        /// Which variant, where one is meant.
        variant: Option<Letter>,
    },
    /// End it.
    Cancel {
        /// Why.
        reason: String,
    },
}

/// What the engine reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// An agent's run ended.
    Ran {
        /// The phase.
        phase: PhaseId,
        /// The iteration that the run belongs to.
        iteration: u32,
        /// The attempt that the run belongs to.
        attempt: u32,
        /// How it ended.
        result: RunResult,
        /// The guidelines of the repository that its prompt was made with.
        guidelines: Option<Guidelines>,
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
    /// An act ended.
    ActEnded {
        /// The phase.
        phase: PhaseId,
        /// The act.
        key: ActKey,
        /// How.
        outcome: ActOutcome,
    },
    /// An act failed for good.
    ActFailed {
        /// The phase.
        phase: PhaseId,
        /// The act.
        key: ActKey,
        /// Why, for people.
        why: String,
    },
    /// The approver may not approve any more, or what would be executed is not what was approved.
    ApprovalLost {
        /// The phase that was approved.
        phase: PhaseId,
        /// The digest that was approved.
        digest: Digest,
        /// Why, for people.
        why: String,
    },
    /// Somebody's approval, which had not opened the gate, does not count any more.
    VoteLost {
        /// The phase.
        phase: PhaseId,
        /// Whose it is.
        of: Person,
        /// Why, for people.
        why: String,
    },
    /// An approver that is a model answered, or could not be asked.
    Ruled {
        /// The phase.
        phase: PhaseId,
        /// What it was shown.
        digest: Digest,
        /// Which time it was asked.
        attempt: u32,
        /// What came of it.
        result: RulingResult,
    },
    /// The checks of a gate were read.
    Checked {
        /// The phase.
        phase: PhaseId,
        /// What waited at the gate.
        digest: Digest,
        /// What was read.
        reading: Reading,
    },
    /// An open gate's time ran out.
    GateExpired {
        /// The phase.
        phase: PhaseId,
        /// The digest that was shown then.
        digest: Digest,
        /// Which time it is: 0 for the first.
        reminders: u32,
    },
    /// A child stands otherwise than before.
    Child {
        /// The phase whose child it is.
        phase: PhaseId,
        /// The act that opened its issue.
        key: ActKey,
        /// The child.
        child: WorkflowId,
        /// How it stands.
        standing: ChildStanding,
    },
    /// The parent was held, let go on, or ended.
    Parent(Above),
    /// Something was found otherwise than it should be, and is mended.
    Repaired(Repair),
    /// What one write of the bot had made was there twice, and only one of it is left.
    DuplicateRepaired {
        /// What it was.
        duplicate: Duplicate,
        /// The id or number of the one that is left.
        kept: u64,
        /// Those of the others.
        removed: Vec<u64>,
    },
    /// The subject was closed.
    SubjectClosed {
        /// Who closed it.
        by: Option<Person>,
    },
    /// The subject, its repository or the installation is gone.
    SubjectGone {
        /// Why, for the record.
        why: String,
    },
}

/// What came of asking an approver.
#[derive(Debug, Clone, PartialEq)]
pub enum RulingResult {
    /// It decided.
    Ruled {
        /// What.
        ruling: Ruling,
        /// The prompt in the words that it suggests instead.
        rewrite: Option<Box<Proposal>>,
    },
    /// It could not be asked.
    Failed(Why),
}

/// How an agent's run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RunResult {
    /// With a prompt that waits at its gate.
    Prompted {
        /// The prompt, as a proposal of its stage.
        proposal: Box<Proposal>,
    },
    /// With a proposal, through this provider.
    Proposed {
        /// The proposal.
        proposal: Box<Proposal>,
        /// The provider's name.
        provider: String,
    },
    /// A person must answer, or put right what is missing.
    NeedsPerson(Why),
    /// There is nothing to propose.
    Ended(Ending),
    /// It failed for good.
    Failed(Why),
}

/// Why a command was refused. Chat words it; every variant says what would be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The right is missing.
    NotAllowed {
        /// What is needed.
        needs: Requirement,
        /// What they have.
        has: Right,
    },
    /// The workflow is over.
    Over,
    /// It is held.
    Held(Hold),
    /// It is held because its parent is.
    HeldAbove {
        /// What the parent is anchored to.
        parent: IssueNumber,
        /// Why.
        reason: Words,
    },
    /// It is not held.
    NotHeld,
    /// No gate is open; the phase that it stands at, and where that stands.
    NoOpenGate(Option<(PhaseId, PhaseStatus)>),
    /// Another digest is shown now.
    WrongDigest {
        /// What was named.
        given: String,
        /// What is shown.
        current: Digest,
        /// Whether the one named was shown before.
        void: bool,
        /// The variant that was to be chosen by it.
        choice: Option<Letter>,
    },
    /// The proposal does not stand on GitHub in full yet.
    NotShownYet,
    /// The card changed less than ten seconds before the approval.
    ChangedJustNow {
        /// What is shown.
        current: Digest,
        /// The variant that was to be chosen of it.
        choice: Option<Letter>,
    },
    /// The person's own approval does not count at this gate; the tree says why.
    DoesNotCount {
        /// Who.
        by: Person,
        /// The gate, with their approval.
        tree: Box<Node>,
    },
    /// The gate's checks or its approver do not say yes, and people's approvals do not replace them.
    GateSaysNo {
        /// The gate.
        tree: Box<Node>,
    },
    /// They approved exactly this before, and others are still missing.
    VotedBefore {
        /// The gate.
        tree: Box<Node>,
    },
    /// What the gate rests on could not be checked: neither yes nor no, and to be asked again.
    CouldNotCheck {
        /// Why.
        why: String,
    },
    /// Nothing was approved that could be taken back.
    NothingApproved,
    /// It was somebody else's approval, and taking it back needs this right.
    NotYours {
        /// Whose it is.
        of: Person,
        /// What taking it back needs.
        needs: Right,
    },
    /// What was approved is being carried out.
    TooLate,
    /// Part of the proposal has been carried out, so it can only be approved again or cancelled.
    PartlyDone,
    /// What is at the gate is a prompt: it is changed, not rejected.
    PromptAtTheGate,
    /// It has no verdict that could be overridden.
    NoVerdict,
    /// The gate needs several approvals, and one of them alone cannot override the verdict.
    NotAlone,
    /// Nothing failed.
    NothingToRetry,
    /// There are variants to choose from, and an approval must say which.
    ChooseOne {
        /// Those that were made.
        variants: Vec<Letter>,
        /// The comparison that is shown.
        current: Digest,
    },
    /// No variants wait to be chosen from; the phase that it stands at, and where that stands.
    NothingToChoose(Option<(PhaseId, PhaseStatus)>),
    /// There is no variant of that letter, or none that can be chosen.
    NoSuchVariant {
        /// What was given.
        variant: Letter,
        /// Those that there are; none where a definition has no variants, or somebody chose.
        variants: Vec<Letter>,
    },
    /// That variant was not made.
    NotMade {
        /// What was given.
        variant: Letter,
        /// Those that were made.
        variants: Vec<Letter>,
    },
    /// That variant has not ended yet.
    VariantAtWork {
        /// The variant's phase.
        phase: PhaseId,
        /// Where it stands.
        status: PhaseStatus,
    },
    /// Variants are not revised: one is made anew, or chosen.
    NotRevised {
        /// Those that were made.
        variants: Vec<Letter>,
    },
    /// Nothing waits for a person's answer.
    NoAnswerAwaited,
    /// Nobody is asked anything.
    NothingAsked,
    /// The definition waits for every child of the phase.
    WaitsForAll {
        /// The phase.
        phase: PhaseId,
    },
    /// There is no question of that number.
    NoSuchQuestion {
        /// What was given.
        question: u32,
        /// How many there are.
        asked: u32,
    },
    /// The question was answered, or skipped.
    AnsweredBefore {
        /// Its number.
        question: u32,
        /// How it was settled.
        reply: Reply,
    },
    /// The proposal changed meanwhile.
    Stale {
        /// What is shown now.
        current: Digest,
    },
    /// The edit changes nothing.
    NoChange,
    /// A cap was reached.
    CapReached {
        /// The phase.
        phase: PhaseId,
        /// How many iterations there may be.
        iterations: u32,
    },
}

/// Why a report of the engine had no effect: it came too late or twice. Nothing is said to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obsolete;

/// What a decision was.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// These events happened; at least one.
    Events(Vec<super::event::Event>),
    /// A person is refused.
    Refused(Refusal),
    /// A report that no longer matters.
    Obsolete(Obsolete),
}
