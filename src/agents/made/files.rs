//! `files.v1`: files that are written whole and together. What a path may be is decided in [`paths`].

use std::collections::BTreeSet;

use serde_json::Value;

use crate::agents::{Handed, Problem, ProblemKind};
use crate::text::paths::{self, PathRule, Verdict};

/// The schema's name.
pub const SCHEMA: &str = "files.v1";

/// The most files of one set.
pub const MOST_FILES: usize = 100;

/// The most bytes of one file.
pub const MOST_BYTES_OF_ONE: usize = 1 << 20;

/// The most bytes of all files of a set.
pub const MOST_BYTES: usize = 4 << 20;

/// The most problems that one answer is told of.
const MOST_PROBLEMS: usize = 10;

/// Letters of a path in a problem.
const LETTERS: usize = 80;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Where, from the repository's root.
    pub path: &'a str,
    /// Its whole text.
    pub content: &'a str,
}

/// The files of an artifact of [`SCHEMA`], in its order.
pub fn of(artifact: &Value) -> Vec<File<'_>> {
    let writes = artifact["writes"].as_array().map(Vec::as_slice).unwrap_or_default();
    writes
        .iter()
        .map(|write| File {
            path: write["path"].as_str().unwrap_or_default(),
            content: write["content"].as_str().unwrap_or_default(),
        })
        .collect()
}

/// Takes out of each artifact the files that a later one writes anew, so that each stands there once, as it is now.
/// `revises` says whether a phase, named first, lays its files over those of another.
pub fn keep_last(handed: &mut [Handed], revises: impl Fn(&str, &str) -> bool) {
    for at in 0..handed.len() {
        let (before, after) = handed.split_at_mut(at + 1);
        let Some(earlier) = before.last_mut().filter(|earlier| earlier.schema == SCHEMA) else {
            continue;
        };
        let over = after
            .iter()
            .filter(|later| later.schema == SCHEMA && revises(&later.phase, &earlier.phase));
        let anew: BTreeSet<&str> = over
            .flat_map(|later| of(&later.artifact))
            .map(|file| file.path)
            .collect();
        if let Some(writes) = earlier.artifact["writes"].as_array_mut() {
            writes.retain(|write| !anew.contains(write["path"].as_str().unwrap_or_default()));
        }
    }
}

/// Judges files that are written together: each path, the paths with each other, and how much it is. Answers with what
/// people should know of paths that decide more than a source file does.
///
/// # Errors
/// What breaks a rule: each names the place in the set, the path and the rule.
pub fn check(files: &[File<'_>]) -> Result<Vec<String>, Vec<Problem>> {
    if files.len() > MOST_FILES {
        let text = format!(
            "there are {} files; at most {MOST_FILES} are written together",
            files.len()
        );
        return Err(vec![Problem::new(ProblemKind::Rule, "/writes", text)]);
    }
    let mut problems: Vec<Problem> = Vec::new();
    let mut notes = Vec::new();
    for (at, file) in files.iter().enumerate() {
        match paths::check(file.path).and_then(|verdict| attributes(file).map(|()| verdict)) {
            Ok(Verdict::Plain) => {}
            Ok(Verdict::Ask(care)) => notes.push(format!("{} is {care}: read it closely.", named(file.path))),
            Err(rule) => problems.push(broken(at, file.path, &rule)),
        }
        problems.extend(content(at, file));
    }
    if problems.is_empty() {
        problems.extend(together(files));
    }
    problems.truncate(MOST_PROBLEMS);
    if problems.is_empty() { Ok(notes) } else { Err(problems) }
}

/// The most paths that a note names.
const NAMED: usize = 5;

/// For people: that an answer writes nothing, and what it writes that the plan does not name.
pub(super) fn beside_the_plan(files: &[File<'_>], handed: &[Handed]) -> Vec<String> {
    if files.is_empty() {
        return vec!["It writes no file.".to_owned()];
    }
    let Some(plan) = handed.iter().rfind(|handed| handed.schema == "plan.v1") else {
        return Vec::new();
    };
    let lists = ["files_to_create", "files_to_modify", "files_to_delete"];
    let lists = lists.iter().filter_map(|list| plan.artifact[list].as_array());
    let planned: BTreeSet<&str> = lists.flatten().filter_map(Value::as_str).collect();
    let beside = files
        .iter()
        .map(|file| file.path)
        .filter(|path| !planned.contains(path));
    listed(beside.collect(), "The plan does not name")
}

/// For people: the files of a review's findings that are not among those that it was given.
pub(super) fn not_among(findings: &Value, handed: &[Handed]) -> Vec<String> {
    let files = handed.iter().filter(|handed| handed.schema == SCHEMA);
    let given: BTreeSet<&str> = files
        .flat_map(|handed| of(&handed.artifact))
        .map(|file| file.path)
        .collect();
    if given.is_empty() {
        return Vec::new();
    }
    let findings = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = findings.iter().filter_map(|finding| finding["file"].as_str());
    let strange: BTreeSet<&str> = named.filter(|file| !given.contains(file)).collect();
    listed(
        strange.into_iter().collect(),
        "Findings name files that are not among those reviewed:",
    )
}

fn listed(paths: Vec<&str>, what: &str) -> Vec<String> {
    let some: Vec<String> = paths.iter().take(NAMED).map(|path| named(path)).collect();
    match (paths.len(), paths.len().saturating_sub(NAMED)) {
        (0, _) => Vec::new(),
        (_, 0) => vec![format!("{what} {}.", some.join(", "))],
        (_, more) => vec![format!("{what} {} and {more} more.", some.join(", "))],
    }
}

/// A `.gitattributes` may not name a program.
fn attributes(file: &File<'_>) -> Result<(), PathRule> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    match name.eq_ignore_ascii_case(".gitattributes") {
        true => paths::check_attributes(file.content),
        false => Ok(()),
    }
}

fn content(at: usize, file: &File<'_>) -> Option<Problem> {
    let wrong = if file.content.contains('\0') {
        "the text has a NUL: files are text".to_owned()
    } else if file.content.len() > MOST_BYTES_OF_ONE {
        let bytes = file.content.len();
        format!("the text has {bytes} bytes; at most {MOST_BYTES_OF_ONE} are written to one file")
    } else {
        return None;
    };
    let text = format!("{}: {wrong}", named(file.path));
    Some(Problem::new(ProblemKind::Rule, format!("/writes/{at}/content"), text))
}

/// What is wrong with files of which each by itself is right.
fn together(files: &[File<'_>]) -> Option<Problem> {
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    if bytes > MOST_BYTES {
        let text = format!("the files have {bytes} bytes; at most {MOST_BYTES} are written together");
        return Some(Problem::new(ProblemKind::Rule, "/writes", text));
    }
    let (path, rule) = paths::check_all(files.iter().map(|file| file.path)).err()?;
    let at = files.iter().rposition(|file| file.path == path)?;
    Some(broken(at, path, &rule))
}

fn broken(at: usize, path: &str, rule: &PathRule) -> Problem {
    let text = format!("{}: {rule} ({})", named(path), rule.name());
    Problem::new(ProblemKind::Rule, format!("/writes/{at}/path"), text)
}

/// A path as problems name it: one word without a hidden or a turning letter, because people and models read it.
fn named(path: &str) -> String {
    let mut name: String = path.chars().take(LETTERS).flat_map(char::escape_default).collect();
    name = name.replace(' ', "\\u{20}").replace('`', "\\u{60}");
    match path.chars().count() > LETTERS {
        true => format!("`{name}…`"),
        false => format!("`{name}`"),
    }
}
