//! The artifact: tasks as the host keeps them, shows them and lets people edit them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

macro_rules! scale {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every step, least first.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|step| step.as_str().eq_ignore_ascii_case(text.trim()))
                    .ok_or_else(|| format!("one of {}", Self::ALL.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ")))
            }
        }
    };
}

scale! {
    /// How urgent a task is.
    Priority {
        /// Whenever.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Before others.
        High = "high",
        /// Now.
        Critical = "critical",
    }
}

scale! {
    /// How large a task is.
    Estimate {
        /// Hours.
        Xs = "XS",
        /// A day.
        S = "S",
        /// Some days.
        M = "M",
        /// A week.
        L = "L",
        /// More than a week.
        Xl = "XL",
    }
}

scale! {
    /// How sure an agent is.
    Confidence {
        /// A guess.
        Low = "low",
        /// Likely.
        Medium = "medium",
        /// Said in so many words.
        High = "high",
    }
}

/// What the extract agent proposes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// In the order in which they are shown.
    pub tasks: Vec<Task>,
    /// What did not become a task, and why.
    pub left_out: Vec<Omitted>,
    /// What the agent would like to know.
    pub questions: Vec<String>,
    /// The highest number that a key ever had here: keys are never given twice.
    pub last_key: u32,
}

impl Tasks {
    /// The next unused key.
    pub(super) fn next_key(&mut self) -> String {
        self.last_key += 1;
        format!("t{}", self.last_key)
    }

    /// The task with that key. Keys are compared without case.
    pub fn get(&self, key: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.key.eq_ignore_ascii_case(key.trim()))
    }

    /// Selected tasks, each after those that it depends on, otherwise as shown.
    pub fn in_order(&self) -> Vec<&Task> {
        let mut waiting: Vec<&Task> = self.tasks.iter().filter(|task| task.selected).collect();
        let mut open: BTreeSet<&str> = waiting.iter().map(|task| task.key.as_str()).collect();
        let mut ordered: Vec<&Task> = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let free = waiting
                .iter()
                .position(|task| !task.depends_on.iter().any(|key| open.contains(key.as_str())))
                // A cycle is refused when the artifact is made; if one got in, the order shown is as good as any.
                .unwrap_or(0);
            let task = waiting.remove(free);
            open.remove(task.key.as_str());
            ordered.push(task);
        }
        ordered
    }

    /// Keys along which the dependencies run in a circle, if they do.
    pub(super) fn cycle(&self) -> Option<Vec<String>> {
        let tasks: BTreeMap<&str, &Task> = self.tasks.iter().map(|task| (task.key.as_str(), task)).collect();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        self.tasks.iter().find_map(|task| circle(&task.key, &tasks, &mut done))
    }
}

/// Walks depth first with a stack of its own: hundreds of tasks may wait for each other in a row.
fn circle<'a>(start: &'a str, tasks: &BTreeMap<&str, &'a Task>, done: &mut BTreeSet<&'a str>) -> Option<Vec<String>> {
    let mut path = vec![(start, 0_usize)];
    while let Some((key, next)) = path.last_mut() {
        let waits_for = tasks.get(key).map_or(&[][..], |task| &task.depends_on);
        let Some(dependency) = waits_for.get(*next) else {
            done.insert(key);
            path.pop();
            continue;
        };
        *next += 1;
        if let Some(at) = path.iter().position(|(key, _)| key == dependency) {
            return Some(path[at..].iter().map(|(key, _)| (*key).to_owned()).collect());
        }
        if !done.contains(dependency.as_str()) {
            path.push((dependency, 0));
        }
    }
    None
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// `t1`, `t2` … Never changes and is never given again.
    pub key: String,
    /// One plain line.
    pub title: String,
    /// Markdown, made harmless.
    pub body: String,
    /// One line of Markdown each, made harmless.
    pub acceptance_criteria: Vec<String>,
    /// A login of the thread or of the repository.
    pub assignee: Option<String>,
    /// Names; an agent's exist, a person's are created when missing.
    pub labels: Vec<String>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// How large.
    pub estimate: Option<Estimate>,
    /// By when.
    pub due_date: Option<NaiveDate>,
    /// Keys of tasks that must be done before.
    pub depends_on: Vec<String>,
    /// Where it was said. Empty for what a person added.
    pub sources: Vec<Source>,
    /// How sure the agent was.
    pub confidence: Confidence,
    /// Whether an approval opens it.
    pub selected: bool,
    /// Who proposed it.
    pub origin: Origin,
}

/// A quote that the host found in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The comment; 0 is the text of the issue itself.
    pub comment_id: u64,
    /// The words, as they are found there but for white space.
    pub quote: String,
    /// Who wrote them.
    pub author: String,
    /// The comment's page.
    pub url: String,
}

/// Who proposed a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The agent.
    Agent,
    /// A person, with `/task`.
    Person {
        /// Their login.
        login: String,
    },
}

/// What did not become a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// A title or a quote, made harmless.
    pub what: String,
    /// For people: why.
    pub why: String,
    /// Where it can be read.
    pub url: Option<String>,
}
