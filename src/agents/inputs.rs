//! The facts that agents work from. They are gathered by the engine, stored with the run, and all that an agent knows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::choice::Choice;
use super::extract::Priority;
use crate::text::clean::{Hidden, clean, clean_counted};
use crate::workflow::guidelines::{Found, Guidelines, Text, Unfit};
use crate::workflow::ids::Digest;
use crate::workflow::state::SubjectKind;

/// What one run of an agent is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "inputs", rename_all = "snake_case")]
pub enum Inputs {
    /// A discussion, for agents that read.
    Thread(Thread),
    /// Opened issues and recipients, for agents that write to people.
    Mailing(Mailing),
    /// A discussion and what earlier phases made of it, for agents that definitions make.
    Material(Box<Material>),
}

impl Inputs {
    /// The name of the kind, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Thread(_) => "thread",
            Self::Mailing(_) => "mailing",
            Self::Material(_) => "material",
        }
    }

    /// The guidelines of the repository that a prompt is made with, where it has a section for them.
    pub fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Material(material) => material.guide.as_ref(),
            Self::Thread(_) | Self::Mailing(_) => None,
        }
    }
}

/// A discussion as it stood when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// `owner/name`.
    pub repository: String,
    /// What is talked about.
    #[serde(default)]
    pub kind: SubjectKind,
    /// The number of the issue, pull request or discussion.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its page.
    pub url: String,
    /// Whether the repository is private.
    pub private: bool,
    /// What may be read, oldest first.
    pub entries: Vec<Entry>,
    /// What may not be read, and why; shown to people, never to the agent.
    pub left_out: Vec<LeftOut>,
    /// Logins of those who wrote or are assigned.
    pub participants: Vec<String>,
    /// Logins that GitHub takes as assignees; `None` when it was not asked.
    pub assignable: Option<BTreeSet<String>>,
    /// The repository's labels.
    pub labels: Vec<String>,
    /// The day of the run.
    pub today: NaiveDate,
    /// What earlier workflows of the same subject opened.
    pub earlier: Vec<Earlier>,
    /// The texts of `/revise`, oldest first.
    pub steer: Vec<String>,
    /// From the repository's configuration.
    pub limits: Limits,
    /// What could not be read, for people.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Thread {
    /// The entries as a reader of the page sees them. Agents and quote checks both work on these.
    pub fn visible(&self) -> Vec<Entry> {
        self.entries
            .iter()
            .map(|entry| Entry {
                text: clean(&entry.text),
                ..entry.clone()
            })
            .collect()
    }

    /// For people: what was hidden in the texts and is not read; `None` when nothing was.
    pub fn hidden(&self) -> Option<String> {
        let mut hidden = Hidden::default();
        let mut texts = 0;
        for entry in &self.entries {
            let found = clean_counted(&entry.text).hidden;
            texts += usize::from(!found.is_empty());
            hidden += found;
        }
        let places = if texts == 1 {
            "one comment".to_owned()
        } else {
            format!("{texts} comments")
        };
        (texts > 0).then(|| {
            format!(
                "Hidden text was removed before it was read: {}, in {places}.",
                hidden.words()
            )
        })
    }

    /// The login as the thread or the repository spells it, if `login` is somebody there. A leading `@` is ignored.
    pub fn person(&self, login: &str) -> Option<String> {
        let login = login.trim().trim_start_matches('@');
        self.people()
            .find(|known| known.eq_ignore_ascii_case(login))
            .map(str::to_owned)
    }

    /// Everybody who may be named as an assignee.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.participants
            .iter()
            .chain(self.assignable.iter().flatten())
            .map(String::as_str)
    }

    /// The repository's own spelling of a label, if it has it. GitHub compares labels without case.
    pub fn label(&self, name: &str) -> Option<&str> {
        let name = name.trim().to_lowercase();
        self.labels
            .iter()
            .map(String::as_str)
            .find(|known| known.to_lowercase() == name)
    }
}

/// One text of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The comment's id; 0 is the text of the issue itself.
    pub comment_id: u64,
    /// The author's login.
    pub author: String,
    /// The comment's page.
    pub url: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Markdown as it was written.
    pub text: String,
}

/// A text that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The author's login.
    pub author: String,
    /// Its page.
    pub url: String,
    /// For people: why it was not read.
    pub why: String,
}

/// A sentence out of which an earlier workflow opened an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The comment that was quoted.
    pub comment_id: u64,
    /// The quote.
    pub quote: String,
    /// The issue that was opened.
    pub issue_url: String,
    /// Its title.
    pub title: String,
}

/// Limits of a repository's configuration that bind agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How many tasks one proposal may hold (`limits.tasks`).
    pub tasks: usize,
}

/// What an agent of a definition works from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// The discussion, with the wishes of people and the notes for them.
    pub thread: Thread,
    /// What was given when the workflow started.
    pub given: BTreeMap<String, String>,
    /// The texts of the files that were named then: input to text.
    pub files: BTreeMap<String, String>,
    /// What the phases that it takes from made, in their order.
    pub artifacts: Vec<Handed>,
    /// The variants that are compared, where people are to choose among some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// What the repository asks of whoever works in it, where the prompt has a section for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<Guide>,
}

/// Guidelines of a repository, as a prompt is made with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// Which file it is, and what came of reading it.
    pub of: Guidelines,
    /// Its text as it was written, as far as it is given; empty where nothing of it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Guide {
    /// A file of which nothing is given.
    pub fn left_out(path: &str, commit: Option<&str>, why: Unfit) -> Self {
        Self {
            of: Guidelines {
                path: path.to_owned(),
                commit: commit.map(str::to_owned),
                found: Found::LeftOut(why),
                instead_of: None,
            },
            text: String::new(),
        }
    }

    /// A file whose text is given, at most so many bytes of it: up to the end of a line where there is one. One in which
    /// a reader sees nothing is left out.
    pub fn read(path: &str, commit: Option<&str>, (text, blob): (&str, Option<&str>), most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let given = match text.len() > most {
            true => {
                let given = &text[..text.floor_char_boundary(most)];
                given.rfind('\n').map_or(given, |end| &given[..=end])
            }
            false => text,
        };
        if clean(given).trim().is_empty() {
            return Self::left_out(path, commit, Unfit::Empty);
        }
        let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        Self {
            of: Guidelines {
                path: path.to_owned(),
                commit: commit.map(str::to_owned),
                found: Found::Given(Text {
                    sha256: Digest::of_bytes(text.as_bytes()),
                    bytes: length(text),
                    cut_at: (given.len() < text.len()).then(|| length(given)),
                    blob: blob.map(str::to_owned),
                }),
                instead_of: None,
            },
            text: given.to_owned(),
        }
    }

    /// The text as a reader of the file's page sees it.
    pub fn visible(&self) -> String {
        clean(&self.text)
    }

    /// For people: what was hidden in it and is not read; `None` when nothing was.
    pub fn hidden(&self) -> Option<String> {
        let hidden = clean_counted(&self.text).hidden;
        (!hidden.is_empty()).then(|| {
            format!(
                "Hidden text was removed from {} before it was read: {}.",
                self.of.path,
                hidden.words()
            )
        })
    }
}

/// What a phase hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// The phase that made it.
    pub phase: String,
    /// Its iteration.
    pub iteration: u32,
    /// The schema.
    pub schema: String,
    /// The artifact.
    pub artifact: Value,
}

/// What the mail is about and who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailing {
    /// `owner/name`.
    pub repository: String,
    /// The subject's number.
    pub number: u64,
    /// The subject's title.
    pub title: String,
    /// The subject's page.
    pub url: String,
    /// What was opened, in the order of opening.
    pub tasks: Vec<OpenedTask>,
    /// From configuration only.
    pub to: Vec<String>,
    /// From configuration only.
    pub cc: Vec<String>,
    /// The texts of `/revise`, oldest first.
    pub steer: Vec<String>,
    /// The day of the run.
    pub today: NaiveDate,
    /// Whether the repository is private.
    pub private: bool,
    /// What is not given to the agent, for people.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// An issue that the workflow opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedTask {
    /// The task's key, by which an agent refers to it.
    pub key: String,
    /// The issue's title.
    pub title: String,
    /// The issue's number.
    pub number: u64,
    /// The issue's page.
    pub url: String,
    /// The login of the assignee.
    pub assignee: Option<String>,
    /// When it is due.
    pub due_date: Option<NaiveDate>,
    /// How urgent it is.
    pub priority: Option<Priority>,
}
