//! The *extract* agent: from a discussion to proposed tasks.

mod edit;
mod tasks;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

pub use edit::amend;
pub use tasks::{Confidence, Estimate, Omitted, Origin, Priority, Source, Task, Tasks};

use super::inputs::{Entry, Inputs, Thread};
use super::prompt::Brief;
use super::scan::scan;
use super::{Agent, Amendment, Draft, Problem, ProblemKind, WrongInputs, tickets};
use crate::text::clean::{clean, fold};
use crate::text::harmless::markdown::{Voice, cut, line, markdown, markdown_line};
use crate::text::visible::visible_characters;
use crate::workflow::labels::is_spoken;

/// Reads a thread, proposes tasks.
pub static AGENT: Agent = Agent {
    works_from: super::InputKind::Thread,
    name: Cow::Borrowed("extract"),
    schema_name: Cow::Borrowed("tasks.v1"),
    schema: Cow::Borrowed(include_str!("extract/tasks.v1.json")),
    role: Cow::Borrowed(""),
    standards: None,
    prompt_template: Cow::Borrowed(include_str!("../../templates/prompts/extract.md")),
    brief,
    check,
    amend: amend_value,
};

/// Characters of a title. GitHub takes 256; a list of them must stay readable.
pub const TITLE: usize = 120;
/// Characters of a body.
const BODY: usize = 8_000;
/// Characters of one criterion, and how many.
const CRITERION: usize = 300;
const CRITERIA: usize = 30;
/// How many sources, labels and dependencies a task keeps.
const SOURCES: usize = 10;
const LABELS: usize = 20;
/// Characters of a label's name, as GitHub takes them.
const LABEL: usize = 50;
const DEPENDENCIES: usize = 20;
/// How many tasks an answer may hold for each that the limit allows: those beyond cannot all be left out.
const EXCESS: usize = 20;
/// How many questions an agent may ask along the way, and how many remarks it may make.
const QUESTIONS: usize = 20;
const REMARKS: usize = 200;

/// `tasks.v1`, as a provider answers it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    tasks: Vec<Proposed>,
    rejected: Vec<Rejected>,
    questions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    key: String,
    title: String,
    body: String,
    acceptance_criteria: Vec<String>,
    assignee: Option<String>,
    labels: Vec<String>,
    priority: Option<Priority>,
    estimate: Option<Estimate>,
    due_date: Option<String>,
    depends_on: Vec<String>,
    sources: Vec<Quoted>,
    confidence: Confidence,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quoted {
    comment_id: u64,
    quote: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    comment_id: u64,
    quote: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    AlreadyDone,
    NoCommitment,
    Duplicate,
    OutOfScope,
    Unclear,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyDone => "already done",
            Self::NoCommitment => "nobody took it on",
            Self::Duplicate => "said twice",
            Self::OutOfScope => "not about this",
            Self::Unclear => "unclear",
        }
    }
}

fn thread(inputs: &Inputs) -> Result<&Thread, WrongInputs> {
    match inputs {
        Inputs::Thread(thread) => Ok(thread),
        other => Err(WrongInputs {
            agent: AGENT.name.to_string(),
            wanted: "thread",
            given: other.kind(),
        }),
    }
}

fn brief(inputs: &Inputs) -> Result<Brief, WrongInputs> {
    let thread = thread(inputs)?;
    let data = thread
        .visible()
        .into_iter()
        .map(|entry| {
            json!({
                "id": entry.comment_id,
                "author": entry.author,
                "created_at": entry.created_at.to_rfc3339(),
                "text": entry.text,
            })
        })
        .collect();
    let opened: Vec<Value> = thread
        .earlier
        .iter()
        .map(|earlier| json!({"comment_id": earlier.comment_id, "quote": clean(&earlier.quote)}))
        .collect();
    let people: std::collections::BTreeSet<&str> = thread.people().collect();
    Ok(Brief {
        facts: json!({
            "title": clean(&thread.title),
            "today": thread.today,
            "people": people,
            "labels": thread.labels,
            "at_most": thread.limits.tasks,
            "already_opened": opened,
            "wishes": thread.steer.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        }),
        data: Value::Array(data),
        guide: None,
    })
}

/// The proposal that follows from a list of tasks: what is shown, and what an approval opens.
pub fn draft(tasks: &Tasks, thread: &Thread, notes: Vec<String>) -> Draft {
    let plan = tickets::plan(tasks, thread);
    Draft {
        artifact: serde_json::to_value(tasks).expect("tasks are JSON: their maps have string keys"),
        acts: plan.acts,
        notes,
        planned: plan.notes,
    }
}

fn amend_value(_: &Agent, artifact: &Value, amendment: &Amendment, inputs: &Inputs) -> Result<Draft, String> {
    let thread = thread(inputs).map_err(|wrong| wrong.to_string())?;
    let tasks: Tasks = serde_json::from_value(artifact.clone())
        .map_err(|error| format!("the proposal on record is not a list of tasks: {error}"))?;
    Ok(draft(&amend(&tasks, amendment, thread)?, thread, Vec::new()))
}

fn check(value: Value, inputs: &Inputs) -> Result<Draft, Vec<Problem>> {
    let thread = thread(inputs).map_err(|wrong| vec![Problem::new(ProblemKind::Rule, "", wrong.to_string())])?;
    let answer: Answer = serde_json::from_value(value).map_err(|error| {
        vec![Problem::new(
            ProblemKind::Shape,
            "",
            format!("{error} ({})", AGENT.schema_name),
        )]
    })?;
    unique_keys(&answer)?;
    let beyond = |text| vec![Problem::new(ProblemKind::Limit, "", text)];
    if answer.tasks.len() / EXCESS > thread.limits.tasks {
        within_limit(answer.tasks.len(), thread).map_err(beyond)?;
    }
    let host = Host::new(thread);
    let mut notes = host.hidden.clone();
    let mut tasks = Tasks {
        left_out: unread(&thread.left_out),
        ..Tasks::default()
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut wanted: Vec<Vec<String>> = Vec::new();
    for proposed in answer.tasks {
        match host.admit(&proposed, &tasks, &mut notes) {
            Ok(task) => {
                let key = tasks.next_key();
                places.insert(proposed.key, tasks.tasks.len());
                wanted.push(proposed.depends_on);
                tasks.tasks.push(Task { key, ..task });
            }
            Err(omitted) => tasks.left_out.push(omitted),
        }
    }
    within_limit(tasks.tasks.len(), thread).map_err(beyond)?;
    connect(&mut tasks.tasks, &wanted, &places, &mut notes);
    host.remark(answer.rejected, &mut tasks, &mut notes);
    tasks.questions = answer
        .questions
        .iter()
        .filter(|question| scan(question).is_none())
        .take(QUESTIONS)
        .map(|question| line(question, Voice::Agent, CRITERION))
        .filter(|question| !question.is_empty())
        .collect();
    Ok(draft(&tasks, thread, notes))
}

/// How many texts that were not read for one reason are listed one by one, and how many authors are named of more.
const LISTED: usize = 3;
const NAMED: usize = 10;

/// What was not read; many of one reason in one line.
fn unread(left_out: &[super::LeftOut]) -> Vec<Omitted> {
    let mut reasons: Vec<(&str, Vec<&super::LeftOut>)> = Vec::new();
    for text in left_out {
        match reasons.iter_mut().find(|(why, _)| *why == text.why) {
            Some((_, texts)) => texts.push(text),
            None => reasons.push((&text.why, vec![text])),
        }
    }
    let mut lines = Vec::new();
    for (why, texts) in reasons {
        if texts.len() <= LISTED {
            lines.extend(texts.iter().map(|text| Omitted {
                what: format!("a comment by {}", text.author),
                why: why.to_owned(),
                url: Some(text.url.clone()),
            }));
            continue;
        }
        let authors: std::collections::BTreeSet<&str> = texts.iter().map(|text| text.author.as_str()).collect();
        let mut named: Vec<String> = authors.iter().take(NAMED).map(|author| (*author).to_owned()).collect();
        if authors.len() > NAMED {
            named.push(format!("{} more", authors.len() - NAMED));
        }
        lines.push(Omitted {
            what: format!("{} comments by {}", texts.len(), named.join(", ")),
            why: why.to_owned(),
            url: None,
        });
    }
    lines
}

fn unique_keys(answer: &Answer) -> Result<(), Vec<Problem>> {
    let mut seen = std::collections::BTreeSet::new();
    let problems: Vec<Problem> = answer
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| !seen.insert(task.key.as_str()))
        .map(|(number, _)| {
            let text = "this key stands on an earlier task already; give every task a key of its own";
            Problem::new(ProblemKind::Rule, format!("/tasks/{number}/key"), text)
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether so many tasks may stand in one proposal.
fn within_limit(count: usize, thread: &Thread) -> Result<(), String> {
    let limit = thread.limits.tasks;
    if count <= limit {
        return Ok(());
    }
    Err(format!(
        "there are {count} tasks and at most {limit} are allowed; raise `limits.tasks` in .github/countersign.yml on the default branch first"
    ))
}

/// Turns the agent's keys into the host's and drops what cannot be waited for.
fn connect(tasks: &mut [Task], wanted: &[Vec<String>], places: &BTreeMap<String, usize>, notes: &mut Vec<String>) {
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    for (waiting, wanted) in wanted.iter().enumerate() {
        for key in wanted.iter().take(DEPENDENCIES) {
            let own = &tasks[waiting].key;
            match places.get(key) {
                Some(awaited) if edges[waiting].contains(awaited) => {}
                Some(awaited) if waits(*awaited, waiting, &edges) => notes.push(format!(
                    "`{own}` does not wait for `{}`: that would run in a circle",
                    tasks[*awaited].key
                )),
                Some(awaited) => edges[waiting].push(*awaited),
                None => notes.push(format!(
                    "`{own}` was to wait for a task that is not in the list; that is dropped"
                )),
            }
        }
    }
    for (waiting, edges) in edges.iter().enumerate() {
        tasks[waiting].depends_on = edges.iter().map(|awaited| tasks[*awaited].key.clone()).collect();
    }
}

/// Whether the task at `waiting` is, or waits over any number of others for, the one at `awaited`.
fn waits(waiting: usize, awaited: usize, edges: &[Vec<usize>]) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut next = vec![waiting];
    while let Some(at) = next.pop() {
        if at == awaited {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            next.extend(&edges[at]);
        }
    }
    false
}

/// The thread, prepared for looking things up in it.
struct Host<'a> {
    thread: &'a Thread,
    /// Visible entries with their text folded.
    entries: Vec<(Entry, String)>,
    earlier: Vec<(u64, String)>,
    hidden: Vec<String>,
}

impl<'a> Host<'a> {
    fn new(thread: &'a Thread) -> Self {
        let entries: Vec<(Entry, String)> = thread
            .visible()
            .into_iter()
            .map(|entry| {
                let folded = fold(&entry.text);
                (entry, folded)
            })
            .collect();
        let hidden = thread.hidden().into_iter().collect();
        let earlier = thread
            .earlier
            .iter()
            .map(|earlier| (earlier.comment_id, folded(&earlier.quote)))
            .collect();
        Self {
            thread,
            entries,
            earlier,
            hidden,
        }
    }

    /// The host's own checks of one proposed task. What only spoils a field drops the field, with a note; what spoils
    /// the task leaves it out.
    fn admit(&self, proposed: &Proposed, before: &Tasks, notes: &mut Vec<String>) -> Result<Task, Omitted> {
        let url = proposed
            .sources
            .first()
            .and_then(|source| self.find(source))
            .map(|source| source.url);
        let everything = [proposed.title.as_str(), &proposed.body]
            .into_iter()
            .chain(proposed.acceptance_criteria.iter().map(String::as_str))
            .chain(proposed.labels.iter().map(String::as_str))
            .chain(proposed.sources.iter().map(|source| source.quote.as_str()))
            .collect::<Vec<_>>()
            .join("\n");
        if let Some(finding) = scan(&everything) {
            let what = "a task, not shown".to_owned();
            return Err(Omitted {
                what,
                why: format!("it holds {finding}"),
                url,
            });
        }
        let title = line(&proposed.title, Voice::Agent, TITLE);
        let omit = |why: String, url: Option<String>| Omitted {
            what: title.clone(),
            why,
            url,
        };
        if title.is_empty() {
            return Err(Omitted {
                what: "a task without a title".to_owned(),
                why: "it has no title".to_owned(),
                url,
            });
        }
        let sources = self
            .sources(&proposed.sources)
            .map_err(|why| omit(why.to_owned(), url.clone()))?;
        if let Some(earlier) = self.opened(&title, &sources) {
            return Err(omit(
                format!("opened already as “{}”", line(&earlier.title, Voice::Agent, TITLE)),
                Some(earlier.issue_url.clone()),
            ));
        }
        let assignee = self.assignee(proposed, &title, notes);
        let same = |task: &&Task| task.title.to_lowercase() == title.to_lowercase() && task.assignee == assignee;
        if let Some(twin) = before.tasks.iter().find(same) {
            return Err(omit(format!("the same as `{}`", twin.key), url));
        }
        Ok(Task {
            key: String::new(),
            body: markdown(&cut(&proposed.body, BODY), Voice::Agent),
            acceptance_criteria: criteria(&proposed.acceptance_criteria, Voice::Agent),
            assignee,
            labels: self.labels(proposed, &title, notes),
            priority: proposed.priority,
            estimate: proposed.estimate,
            due_date: due(proposed, &title, notes),
            depends_on: Vec::new(),
            sources,
            confidence: proposed.confidence,
            selected: true,
            origin: Origin::Agent,
            title,
        })
    }

    fn sources(&self, quoted: &[Quoted]) -> Result<Vec<Source>, &'static str> {
        if quoted.is_empty() {
            return Err("unsupported: nothing is quoted for it");
        }
        let mut sources = Vec::new();
        for quote in quoted {
            let source = self
                .find(quote)
                .ok_or("unsupported: its quote is not in the comment that it names")?;
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources.truncate(SOURCES);
        Ok(sources)
    }

    /// The quote, if it occurs in that comment as a reader sees it, white space folded.
    fn find(&self, quoted: &Quoted) -> Option<Source> {
        let quote = folded(&quoted.quote);
        // One letter is in every text; a quote must be able to be absent.
        if quote.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
            return None;
        }
        self.entries
            .iter()
            .find(|(entry, text)| entry.comment_id == quoted.comment_id && text.contains(&quote))
            .map(|(entry, _)| Source {
                comment_id: entry.comment_id,
                quote,
                author: entry.author.clone(),
                url: entry.url.clone(),
            })
    }

    /// What an earlier workflow opened out of the same words. A `/task` that it took as a command left no quote: there
    /// the title tells.
    fn opened(&self, title: &str, sources: &[Source]) -> Option<&super::Earlier> {
        let commanded = sources.iter().any(|source| source.quote.starts_with("/task "));
        let known = |(earlier, (id, quote)): &(&super::Earlier, &(u64, String))| {
            sources
                .iter()
                .any(|source| *id == source.comment_id && *quote == source.quote)
                || commanded && earlier.title.to_lowercase() == title.to_lowercase()
        };
        self.thread
            .earlier
            .iter()
            .zip(&self.earlier)
            .find(known)
            .map(|(earlier, _)| earlier)
    }

    fn assignee(&self, proposed: &Proposed, title: &str, notes: &mut Vec<String>) -> Option<String> {
        let login = proposed
            .assignee
            .as_deref()
            .map(str::trim)
            .filter(|login| !login.is_empty())?;
        let person = self.thread.person(login);
        if person.is_none() {
            notes.push(format!(
                "“{title}” has no assignee: the one proposed is not in this thread and not assignable"
            ));
        }
        person
    }

    fn labels(&self, proposed: &Proposed, title: &str, notes: &mut Vec<String>) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut unknown = 0;
        for name in &proposed.labels {
            let known = self.thread.label(name).map(str::to_owned);
            match known
                .or_else(|| asked_for(name, proposed))
                .filter(|label| !commands(label))
            {
                Some(label) if labels.iter().any(|known| known.eq_ignore_ascii_case(&label)) => {}
                Some(label) => labels.push(label),
                None => unknown += 1,
            }
        }
        labels.truncate(LABELS);
        match unknown {
            0 => {}
            1 => notes.push(format!(
                "“{title}”: one proposed label is dropped, the repository does not have it and nobody asked for it"
            )),
            _ => notes.push(format!(
                "“{title}”: {unknown} proposed labels are dropped, the repository does not have them and nobody asked \
                 for them"
            )),
        }
        labels
    }

    fn remark(&self, rejected: Vec<Rejected>, tasks: &mut Tasks, notes: &mut Vec<String>) {
        let mut unfounded = 0;
        let beyond = rejected.len().saturating_sub(REMARKS);
        if beyond > 0 {
            notes.push(format!("{beyond} more sentences were left out and are not listed."));
        }
        for remark in rejected.into_iter().take(REMARKS) {
            let quoted = Quoted {
                comment_id: remark.comment_id,
                quote: remark.quote,
            };
            match self.find(&quoted) {
                Some(source) => {
                    let what = match scan(&source.quote) {
                        Some(finding) => format!("a sentence with {finding}, not shown"),
                        None => line(&source.quote, Voice::Agent, TITLE),
                    };
                    tasks.left_out.push(Omitted {
                        what,
                        why: remark.reason.as_str().to_owned(),
                        url: Some(source.url),
                    });
                }
                None => unfounded += 1,
            }
        }
        if unfounded > 0 {
            notes.push(format!(
                "{unfounded} remark(s) of the agent quote nothing that was written and are not shown."
            ));
        }
    }
}

fn folded(quote: &str) -> String {
    fold(&visible_characters(quote))
}

/// A label that the repository lacks, if somebody wrote `label: name` or `labels: …, name` in the quoted words: an
/// approval creates it. An agent may not think one up.
fn asked_for(name: &str, proposed: &Proposed) -> Option<String> {
    let name = line(name, Voice::Agent, LABEL);
    let asked = |quote: &Quoted| {
        let quote = quote.quote.to_lowercase();
        let lists = ["label:", "labels:", "label=", "labels="];
        let mut lists = lists.iter().flat_map(|start| quote.split(start).skip(1));
        lists.any(|list| {
            list.split([',', ')', ';', ' '])
                .any(|word| word.trim() == name.to_lowercase())
        })
    };
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.:/".contains(c));
    (plain && proposed.sources.iter().any(asked)).then_some(name)
}

/// A label that works the bot must not come with a task.
fn commands(label: &str) -> bool {
    is_spoken(label)
}

fn criteria(texts: &[String], voice: Voice) -> Vec<String> {
    texts
        .iter()
        .map(|text| markdown_line(&cut(text, CRITERION), voice))
        .filter(|text| !text.is_empty())
        .take(CRITERIA)
        .collect()
}

fn due(proposed: &Proposed, title: &str, notes: &mut Vec<String>) -> Option<NaiveDate> {
    let text = proposed
        .due_date
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())?;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|_| text.len() == 10);
    if date.is_none() {
        notes.push(format!(
            "“{title}” has no due date: the one proposed is not a date like 2026-12-01"
        ));
    }
    date
}

#[cfg(test)]
mod tests;
