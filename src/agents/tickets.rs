//! The *tickets* agent: from approved tasks to the issues that stand for them. It asks no provider: what it opens
//! follows from the tasks alone, so that the acts can be approved together with them.

use super::extract::{Origin, Task, Tasks};
use super::inputs::Thread;
use crate::text::harmless::markdown::{Voice, cut, line, markdown, markdown_line};
use crate::workflow::act::{Act, ActKey, Deed};
use crate::workflow::state::SubjectKind;

/// The label that every opened issue bears.
const LABEL: &str = "countersign";
/// Characters of an issue's body. GitHub takes 65,536; the hidden marker comes on top.
const BODY: usize = 60_000;
/// Characters of an issue's title, as GitHub takes them.
const TITLE: usize = 256;
/// Characters of one quote.
const QUOTE: usize = 1_500;

/// What an approval of tasks sets off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In order; none when nothing is selected.
    pub acts: Vec<Act>,
    /// What people should know about them.
    pub notes: Vec<String>,
}

/// Everything that approving these tasks does: labels, for a discussion the issue that tracks it, issues in the order of
/// their dependencies, links.
pub fn plan(tasks: &Tasks, thread: &Thread) -> Plan {
    let ordered = tasks.in_order();
    let mut notes = Vec::new();
    if ordered.is_empty() {
        let acts = Vec::new();
        return Plan { acts, notes };
    }
    let own = thread.label(LABEL).unwrap_or(LABEL);
    let mut acts = missing_labels(&ordered, thread, own);
    let tracking = tracking(thread, own);
    let parent = tracking.as_ref().map(|act| act.key.clone());
    acts.extend(tracking);
    for task in &ordered {
        let issue = issue_key(&task.key);
        acts.push(Act {
            key: issue.clone(),
            deed: Deed::OpenIssue {
                title: task.title.clone(),
                body: body(task, thread),
                labels: task.labels.iter().cloned().chain([own.to_owned()]).collect(),
                assignees: task.assignee.iter().cloned().collect(),
            },
        });
        acts.push(act(
            format!("link:{}", task.key),
            Deed::LinkSubIssue {
                child: issue.clone(),
                parent: parent.clone(),
            },
        ));
        for key in &task.depends_on {
            if ordered.iter().any(|other| other.key == *key) {
                let deed = Deed::LinkBlockedBy {
                    issue: issue.clone(),
                    blocked_by: issue_key(key),
                };
                acts.push(act(format!("blocked:{}:{key}", task.key), deed));
            } else {
                notes.push(format!(
                    "`{}` waits for `{key}`, which is not selected: it is opened without that link",
                    task.key
                ));
            }
        }
    }
    acts.push(act("unlinked".to_owned(), Deed::ListUnlinked));
    Plan { acts, notes }
}

/// The acts of [`plan`].
pub fn acts(tasks: &Tasks, thread: &Thread) -> Vec<Act> {
    plan(tasks, thread).acts
}

/// The key of the act that opens a task's issue.
pub fn issue_key(task: &str) -> ActKey {
    ActKey(format!("issue:{task}"))
}

/// The issue that stands for a discussion, so that others can stand under it; nothing where the subject is an issue
/// itself.
fn tracking(thread: &Thread, own: &str) -> Option<Act> {
    if thread.kind != SubjectKind::Discussion {
        return None;
    }
    // Whoever may start a discussion gave it its title.
    let title = line(&thread.title, Voice::Agent, TITLE);
    Some(Act {
        key: ActKey::tracking(),
        deed: Deed::OpenIssue {
            body: format!(
                "Tracks what came of the discussion [{}#{}]({}): the issues below this one, which people there approved.",
                thread.repository, thread.number, thread.url
            ),
            title: match title.is_empty() {
                true => format!("Discussion #{}", thread.number),
                false => title,
            },
            labels: vec![own.to_owned()],
            assignees: Vec::new(),
        },
    })
}

fn act(key: String, deed: Deed) -> Act {
    Act { key: ActKey(key), deed }
}

fn missing_labels(tasks: &[&Task], thread: &Thread, own: &str) -> Vec<Act> {
    let mut names: Vec<(&str, &str, &str)> = vec![(own, "5319e7", "Opened by Countersign after people approved it")];
    for label in tasks.iter().flat_map(|task| &task.labels) {
        if !names
            .iter()
            .any(|(name, ..)| name.to_lowercase() == label.to_lowercase())
        {
            names.push((label, "ededed", ""));
        }
    }
    names
        .into_iter()
        .filter(|(name, ..)| thread.label(name).is_none())
        .map(|(name, color, description)| {
            act(
                format!("label:{name}"),
                Deed::CreateLabel {
                    name: name.to_owned(),
                    color: color.to_owned(),
                    description: description.to_owned(),
                },
            )
        })
        .collect()
}

/// The issue's text. Everything that people or agents wrote in it is harmless; the links are the host's own.
fn body(task: &Task, thread: &Thread) -> String {
    let mut text = String::new();
    let mut add = |part: String| {
        if !part.is_empty() {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&part);
        }
    };
    add(task.body.clone());
    if !task.acceptance_criteria.is_empty() {
        let boxes: Vec<String> = task
            .acceptance_criteria
            .iter()
            .map(|criterion| format!("- [ ] {criterion}"))
            .collect();
        add(format!("### Acceptance criteria\n\n{}", boxes.join("\n")));
    }
    add(facts(task));
    if !task.sources.is_empty() {
        add(format!("### From the discussion\n\n{}", quotes(task)));
    }
    let by = match &task.origin {
        Origin::Agent => "Proposed by Countersign".to_owned(),
        Origin::Person { login } => format!("Added by {login}"),
    };
    let footer = format!(
        "{by} in [{}#{}]({}), approved by people there.",
        thread.repository, thread.number, thread.url
    );
    if text.chars().count() > BODY {
        text = markdown(&cut(&text, BODY), Voice::Person);
    }
    format!("{}\n\n---\n{footer}", text).trim_start_matches('\n').to_owned()
}

fn facts(task: &Task) -> String {
    let rows: Vec<(&str, String)> = [
        ("Priority", task.priority.map(|priority| priority.to_string())),
        ("Estimate", task.estimate.map(|estimate| estimate.to_string())),
        ("Due", task.due_date.map(|date| date.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect();
    if rows.is_empty() {
        return String::new();
    }
    let row = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
    [
        row(rows.iter().map(|(name, _)| *name).collect()),
        row(rows.iter().map(|_| "---").collect()),
        row(rows.iter().map(|(_, value)| value.as_str()).collect()),
    ]
    .join("\n")
}

fn quotes(task: &Task) -> String {
    let mut text = String::new();
    for source in &task.sources {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let quote = markdown_line(&cut(&source.quote, QUOTE), Voice::Agent);
        let place = if source.comment_id == 0 {
            "the first text"
        } else {
            "this comment"
        };
        text.push_str(&format!("> {quote}\n\n{} in [{place}]({})", source.author, source.url));
    }
    text
}

#[cfg(test)]
mod tests;
