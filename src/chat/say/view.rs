//! What the card is made of: plain data that the engine gathers.

use std::collections::{BTreeMap, BTreeSet};

use crate::workflow::approval::Prospect;
use crate::workflow::budget::{Cap, Spend};
use crate::workflow::gate::Team;
use crate::workflow::ids::{Digest, PhaseId, WorkflowId};
use crate::workflow::right::Right;
use crate::workflow::state::{State, Timestamp};

/// All that a card shows.
#[derive(Debug, Clone, Copy)]
pub struct CardView<'a> {
    /// The workflow.
    pub state: &'a State,
    /// `owner/name`.
    pub repository: &'a str,
    /// The proposal to show: that of the open gate, or the last one that was approved or made.
    pub proposal: Option<&'a ProposalView>,
    /// The pages that stand on GitHub already, for a proposal that does not fit the card.
    pub pages_posted: Option<&'a PostedPages>,
    /// Logins of the people who are asked to decide; empty when it is not known.
    pub asked: &'a [String],
    /// How far the open gate is; nothing where none is open, or it is not known.
    pub gate: Option<&'a GateView>,
    /// Which provider each phase's agent speaks through.
    pub providers: &'a BTreeMap<PhaseId, String>,
    /// What a reader should know besides.
    pub notes: &'a [Note],
    /// What children wait for, those that wait for somebody.
    pub children: &'a BTreeMap<WorkflowId, String>,
    /// What models took; nothing where none was asked.
    pub spending: Option<&'a Spending>,
    /// What models are going to be asked.
    pub ahead: &'a [Ahead],
    /// What money is counted in.
    pub currency: &'a str,
}

/// How far an open gate of people is, and who brings it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateView {
    /// How it stands, and what it could come to.
    pub prospect: Prospect,
    /// The right that an approval needs.
    pub right: Right,
    /// Who could give somebody that right; asked for where it cannot open.
    pub admins: Vec<String>,
    /// Teams that it names and that the App does not see.
    pub unseen: BTreeSet<Team>,
}

impl GateView {
    /// The logins of those whose approval would bring it on.
    pub fn can(&self) -> Vec<String> {
        self.prospect.can.iter().map(|one| one.login.clone()).collect()
    }
}

/// A role in whose name a model is going to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// What people call it.
    pub role: String,
    /// The endpoint.
    pub endpoint: String,
    /// The most that one call takes.
    pub most: Spend,
}

/// What a workflow's models took, and what they do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// What its calls took.
    pub spent: Spend,
    /// What they may take together.
    pub cap: Cap,
    /// What money is counted in.
    pub currency: String,
    /// What goes on now.
    pub now: Option<Asking>,
}

/// What goes on between a workflow and a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asking {
    /// It is being asked.
    UnderWay {
        /// The endpoint.
        endpoint: String,
        /// The most that the call may take.
        most: Spend,
    },
    /// Other calls go first; the sentence says at which endpoint.
    Queued(String),
    /// It failed, and is asked again.
    Waits {
        /// The endpoint.
        endpoint: String,
        /// Not before this.
        until: Timestamp,
        /// What it failed with.
        said: String,
    },
}

/// A proposal as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalView {
    /// The phase that made it.
    pub phase: PhaseId,
    /// The digest of the whole proposal that `shown` was taken from. The approve line appears only while the open gate
    /// holds the same.
    pub digest: Digest,
    /// What it holds.
    pub shown: Shown,
}

/// What a proposal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Tasks that become issues.
    Tasks(TasksView),
    /// A mail.
    Mail(MailView),
    /// What an agent of a definition made, or what it will be asked.
    Document(DocumentView),
}

/// A text in parts, each letter of which is shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    /// What it is, in a word or two, such as `plan` or `prompt`.
    pub kind: String,
    /// Its parts, in order.
    pub parts: Vec<PartView>,
    /// What of it stands on the card itself where the whole does not fit; nothing for the headings alone.
    pub brief: Vec<PartView>,
}

/// One part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartView {
    /// What stands above it.
    pub heading: String,
    /// The text.
    pub text: String,
    /// Whether its line breaks and its spaces carry meaning, as those of a file do.
    pub form: PartForm,
}

/// How a part is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartForm {
    /// As words.
    Words,
    /// Letter by letter.
    Verbatim,
    /// As our own Markdown, in which what others wrote is harmless already.
    Markup,
}

/// Tasks as people see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TasksView {
    /// In order.
    pub tasks: Vec<TaskView>,
    /// Labels that would be created because the repository lacks them.
    pub new_labels: Vec<String>,
    /// The title of the issue that would be opened to track a discussion.
    pub tracking: Option<String>,
    /// What did not become a task, or was not read.
    pub left_out: Vec<LeftOut>,
    /// What the agent would like to know.
    pub questions: Vec<String>,
}

/// Whether a task is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// An approval opens it.
    On,
    /// It stands there and is not opened.
    Off,
}

/// One task. Texts are as the artifact holds them; the card makes them harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// `t1`, `t2` …
    pub key: String,
    /// Whether it is to be opened.
    pub selection: Selection,
    /// One line.
    pub title: String,
    /// Text.
    pub body: String,
    /// One line each.
    pub acceptance_criteria: Vec<String>,
    /// A login.
    pub assignee: Option<String>,
    /// Names.
    pub labels: Vec<String>,
    /// How urgent.
    pub priority: Option<String>,
    /// How large.
    pub estimate: Option<String>,
    /// An ISO date.
    pub due: Option<String>,
    /// Keys of tasks that must be done before.
    pub depends_on: Vec<String>,
    /// Where it was said.
    pub sources: Vec<Source>,
    /// How sure the agent was.
    pub confidence: Option<String>,
    /// Who added it, when it was not the agent.
    pub added_by: Option<String>,
}

/// A quote and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The login of who wrote it.
    pub author: String,
    /// Its page.
    pub url: String,
    /// The words.
    pub quote: String,
}

/// What did not become a task, or was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// A title, a quote, or whose comment.
    pub what: String,
    /// Why.
    pub why: String,
    /// Where it can be read.
    pub url: Option<String>,
}

/// A mail as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailView {
    /// Addresses.
    pub to: Vec<String>,
    /// Addresses.
    pub cc: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text part; the HTML part is rendered from the same.
    pub text: String,
}

/// Pages that were posted for one proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedPages {
    /// The proposal that they show.
    pub digest: Digest,
    /// Their addresses, first page first. Fewer than there are pages means that some are still being written.
    pub urls: Vec<String>,
}

/// What a reader of the card should know besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A sentence of an agent or a check.
    Said(String),
    /// The forms of work that were looked for, as Markdown of our own.
    Forms(&'static str),
}
