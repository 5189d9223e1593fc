//! Tasks on the card and on its pages.

use super::boxes::box_line;
use super::markup::{collapsed, count, indented, link, list, login, name, paragraphs, pieces, units, words};
use super::pages::{Entry, PIECE};
use super::view::{LeftOut, Selection, Source, TaskView, TasksView};
use crate::text::harmless::literal;

/// GitHub's limit for an issue's title.
const TITLE: usize = 256;
/// Details longer than this open with a click, in UTF-16 units.
const OPEN: usize = 400;
/// Of what was left out, what is said of one thing.
const LEFT_OUT: usize = 300;
/// Things left out that stand together in one part of a page.
const TOGETHER: usize = 10;

/// Whether ticking is accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticking {
    /// The gate is open: each task has a box.
    Accepted,
    /// The list is for reading.
    Closed,
}

/// How many of how many are selected.
pub fn tally(view: &TasksView) -> String {
    let on = view.tasks.iter().filter(|task| task.selection == Selection::On).count();
    if view.tasks.is_empty() {
        "no tasks".to_owned()
    } else if on == view.tasks.len() {
        count(on, "task", "tasks")
    } else {
        format!("{on} of {}", count(view.tasks.len(), "task", "tasks"))
    }
}

/// All tasks with all that belongs to them.
pub fn full(view: &TasksView, ticking: Ticking) -> String {
    let tasks: Vec<String> = view
        .tasks
        .iter()
        .map(|task| {
            let line = task_line(task, ticking, TITLE, Facts::Shown);
            let details = details(task);
            if details.is_empty() {
                return line;
            }
            let text = paragraphs(&details);
            let text = if units(&text) > OPEN {
                collapsed(&contents(task), &text)
            } else {
                text
            };
            format!("{line}\n\n{}", indented(&text, 2))
        })
        .collect();
    paragraphs(&[tasks.join("\n"), beside(view)])
}

/// The tasks' lines alone, cut until they fit `room`; all else stands on the pages.
pub fn index(view: &TasksView, ticking: Ticking, room: usize) -> String {
    for (title, facts) in [(TITLE, Facts::Shown), (80, Facts::OnThePages), (30, Facts::OnThePages)] {
        let lines: Vec<String> = view
            .tasks
            .iter()
            .map(|task| task_line(task, ticking, title, facts))
            .collect();
        let text = lines.join("\n");
        if units(&text) <= room {
            return text;
        }
    }
    let mut text = String::new();
    let mut shown = 0;
    for task in &view.tasks {
        let line = task_line(task, ticking, 30, Facts::OnThePages);
        if units(&text) + units(&line) + 100 > room {
            break;
        }
        text.push_str(&line);
        text.push('\n');
        shown += 1;
    }
    format!("{text}\n… and {} more on the pages.", view.tasks.len() - shown)
}

/// The same for pages.
pub fn entries(view: &TasksView) -> Vec<Entry> {
    let mut entries: Vec<Entry> = view
        .tasks
        .iter()
        .map(|task| {
            let selected = match task.selection {
                Selection::On => "",
                Selection::Off => " (not selected)",
            };
            let mut parts = vec![facts(task)];
            parts.extend(details(task));
            parts.retain(|part| !part.is_empty());
            if parts.is_empty() {
                parts.push("Nothing but its title.".to_owned());
            }
            Entry {
                heading: format!(
                    "#### {} {}{selected}",
                    key(&task.key),
                    literal::inline(&task.title, TITLE)
                ),
                parts,
            }
        })
        .collect();
    let lists = [
        ("#### Left out", left_out_lines(&view.left_out)),
        ("#### Open questions", question_lines(&view.questions)),
    ];
    for (heading, lines) in lists {
        if !lines.is_empty() {
            entries.push(Entry {
                heading: heading.to_owned(),
                parts: lines.chunks(TOGETHER).map(|lines| lines.join("\n")).collect(),
            });
        }
    }
    entries
}

#[derive(Debug, Clone, Copy)]
enum Facts {
    Shown,
    OnThePages,
}

fn task_line(task: &TaskView, ticking: Ticking, title: usize, shown: Facts) -> String {
    let mut text = literal::inline(&task.title, title);
    if let Facts::Shown = shown {
        let facts = facts(task);
        if !facts.is_empty() {
            text.push_str(" — ");
            text.push_str(&facts);
        }
    }
    match (ticking, task.selection) {
        (Ticking::Accepted, selection) => box_line(&task.key, selection == Selection::On, &text),
        (Ticking::Closed, Selection::On) => format!("- {} {text}", key(&task.key)),
        (Ticking::Closed, Selection::Off) => format!("- {} {text} *(not selected)*", key(&task.key)),
    }
}

fn key(key: &str) -> String {
    format!("**{}**", literal::inline(key, 40))
}

/// What is known of a task besides its text, for the end of a line.
fn facts(task: &TaskView) -> String {
    let mut facts = Vec::new();
    facts.extend(task.assignee.as_deref().map(login));
    facts.extend(
        task.priority
            .as_deref()
            .map(|priority| format!("{} priority", words(priority))),
    );
    facts.extend(
        task.estimate
            .as_deref()
            .map(|estimate| format!("size {}", words(estimate))),
    );
    facts.extend(task.due.as_deref().map(|due| format!("due {}", words(due))));
    if !task.depends_on.is_empty() {
        let keys: Vec<String> = task.depends_on.iter().map(|key| literal::inline(key, 40)).collect();
        facts.push(format!("after {}", list(&keys, "and")));
    }
    if !task.labels.is_empty() {
        let labels: Vec<String> = task.labels.iter().map(|label| name(label)).collect();
        facts.push(format!("labels {}", labels.join(" ")));
    }
    facts.extend(
        task.confidence
            .as_deref()
            .map(|confidence| format!("{} confidence", words(confidence))),
    );
    facts.extend(task.added_by.as_deref().map(|by| format!("added by {}", login(by))));
    facts.join(", ")
}

/// What a click opens.
fn contents(task: &TaskView) -> String {
    let mut contents = Vec::new();
    if !task.body.trim().is_empty() {
        contents.push("text".to_owned());
    }
    if !task.acceptance_criteria.is_empty() {
        contents.push(count(task.acceptance_criteria.len(), "criterion", "criteria"));
    }
    if !task.sources.is_empty() {
        contents.push(count(task.sources.len(), "source", "sources"));
    }
    list(&contents, "and")
}

/// Body, criteria and sources, in parts that are each whole in themselves.
fn details(task: &TaskView) -> Vec<String> {
    let mut parts: Vec<String> = pieces(&task.body, PIECE).into_iter().map(literal::quote).collect();
    parts.retain(|part| part != ">");
    let mut criteria = Vec::new();
    for criterion in &task.acceptance_criteria {
        criteria.extend(
            pieces(criterion, PIECE)
                .into_iter()
                .map(|piece| format!("- {}", literal::inline(piece, PIECE))),
        );
    }
    for (number, group) in grouped(criteria).into_iter().enumerate() {
        let head = if number == 0 {
            "Acceptance criteria:"
        } else {
            "More acceptance criteria:"
        };
        parts.push(format!("{head}\n\n{group}"));
    }
    for source in &task.sources {
        parts.extend(quoted(source));
    }
    parts
}

/// Lines in groups that fit a page.
fn grouped(lines: Vec<String>) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for line in lines {
        match groups.last_mut() {
            Some(group) if units(group) + units(&line) <= PIECE => {
                group.push('\n');
                group.push_str(&line);
            }
            _ => groups.push(line),
        }
    }
    groups
}

fn quoted(source: &Source) -> Vec<String> {
    let who = format!("{} {}:", login(&source.author), link("wrote", &source.url));
    let quotes = pieces(&source.quote, PIECE).into_iter().map(literal::quote);
    quotes.map(|quote| format!("{who}\n\n{quote}")).collect()
}

/// What stands below the tasks.
fn beside(view: &TasksView) -> String {
    let part = |title: &str, lines: Vec<String>| match lines.len() {
        0 => String::new(),
        1..=3 => format!("{title}:\n\n{}", lines.join("\n")),
        many => collapsed(&format!("{title}: {many}"), &lines.join("\n")),
    };
    paragraphs(&[
        part("Open questions", question_lines(&view.questions)),
        part("Left out", left_out_lines(&view.left_out)),
    ])
}

fn left_out_lines(all: &[LeftOut]) -> Vec<String> {
    all.iter()
        .map(|left| {
            let what = literal::inline(&left.what, LEFT_OUT);
            let there = left
                .url
                .as_deref()
                .map(|url| link("see", url))
                .filter(|there| there != "see");
            let there = there.map(|there| format!(" ({there})")).unwrap_or_default();
            format!("- {what} — {}{there}", literal::inline(&left.why, LEFT_OUT))
        })
        .collect()
}

fn question_lines(all: &[String]) -> Vec<String> {
    all.iter().map(|question| format!("- {}", words(question))).collect()
}
