//! Tasks out of a thread, by the grammar.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::attributes::{After, Attributes, take, tidy};
use super::grammar::{Rule, Verdict, abbreviated, action, actionable, sentence, sentences, todo};
use super::reading::{Kind, Line, lines};
use super::words::{Section, done, nothing, section, template};
use crate::agents::extract::{Estimate, Priority};
use crate::agents::{Entry, Thread};
use crate::text::arguments::{Argument, split};

/// The answer in `tasks.v1`.
pub fn answer(thread: &Thread) -> Value {
    let mut finds = Finds::default();
    for entry in thread.visible() {
        Reading::of(&entry, thread).run(&mut finds);
    }
    finds.connect();
    json!({
        "tasks": finds.hits.iter().enumerate().map(|(at, hit)| hit.json(at)).collect::<Vec<_>>(),
        "rejected": finds.refused,
        "questions": [],
    })
}

/// One find.
#[derive(Debug)]
struct Hit {
    rule: Rule,
    title: String,
    body: String,
    criteria: Vec<String>,
    assignee: Option<String>,
    about: Attributes,
    sources: Vec<(u64, String)>,
    depends_on: Vec<usize>,
}

impl Hit {
    fn json(&self, at: usize) -> Value {
        let confidence = match self.rule {
            Rule::Explicit | Rule::Checkbox | Rule::Action | Rule::Mention => "high",
            Rule::Section | Rule::NameTo | Rule::Todo => "medium",
            Rule::Promise => "low",
        };
        json!({
            "key": key(at),
            "title": self.title,
            "body": self.body,
            "acceptance_criteria": self.criteria,
            "assignee": self.assignee,
            "labels": self.about.labels,
            "priority": self.about.priority.map(Priority::as_str),
            "estimate": self.about.estimate.map(Estimate::as_str),
            "due_date": self.about.due.map(|date| date.to_string()),
            "depends_on": self.depends_on.iter().map(|at| key(*at)).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(|(id, quote)| json!({"comment_id": id, "quote": quote})).collect::<Vec<_>>(),
            "confidence": confidence,
        })
    }

    /// The title without the words about what it waits for.
    fn head(&self) -> String {
        self.about
            .after
            .iter()
            .fold(self.title.clone(), |title, after| without(&title, after))
            .to_lowercase()
    }
}

fn key(at: usize) -> String {
    format!("t{}", at + 1)
}

fn without(title: &str, after: &After) -> String {
    if after.phrase.is_empty() {
        return title.to_owned();
    }
    tidy(&title.replacen(&after.phrase, "", 1))
}

/// How many finds and refusals are kept: far more than any proposal may hold, so that the limit still speaks.
const KEPT: usize = 1_000;

#[derive(Debug, Default)]
struct Finds {
    hits: Vec<Hit>,
    /// The titles in lower case, hit by hit, to recognise what is said again.
    titles: Vec<String>,
    refused: Vec<Value>,
}

impl Finds {
    /// Adds a find and says where it stands. The same work said again supports the first find and fills in what that
    /// left open.
    fn add(&mut self, hit: Hit) -> usize {
        let title = hit.title.to_lowercase();
        let same = |(at, known): (usize, &String)| {
            let theirs = &self.hits[at].assignee;
            *known == title && (theirs.is_none() || hit.assignee.is_none() || *theirs == hit.assignee)
        };
        let known = self.titles.iter().enumerate().position(same);
        let Some(at) = known else {
            if self.hits.len() < KEPT {
                self.hits.push(hit);
                self.titles.push(title);
            }
            return self.hits.len() - 1;
        };
        let known = &mut self.hits[at];
        known.sources.extend(hit.sources);
        known.criteria.extend(hit.criteria);
        known.assignee = known.assignee.take().or(hit.assignee);
        known.about.due = known.about.due.or(hit.about.due);
        known.about.priority = known.about.priority.or(hit.about.priority);
        known.about.estimate = known.about.estimate.or(hit.about.estimate);
        known.about.labels.extend(hit.about.labels);
        known.about.after.extend(hit.about.after);
        if known.body.is_empty() {
            known.body = hit.body;
        }
        at
    }

    fn refuse(&mut self, entry: &Entry, quote: &str, reason: &str) {
        if self.refused.len() >= KEPT {
            return;
        }
        self.refused
            .push(json!({"comment_id": entry.comment_id, "quote": quote, "reason": reason}));
    }

    /// Finds out which tasks the words after “after” mean, and cuts them from the titles where they do.
    fn connect(&mut self) {
        let heads: Vec<String> = self.hits.iter().map(Hit::head).collect();
        for at in 0..self.hits.len() {
            let hit = &mut self.hits[at];
            for after in std::mem::take(&mut hit.about.after) {
                let meant: Vec<usize> = meant(&after.words, at, &heads);
                if !meant.is_empty() {
                    hit.title = without(&hit.title, &after);
                    hit.depends_on.extend(meant);
                }
            }
            hit.depends_on.sort_unstable();
            hit.depends_on.dedup();
        }
    }
}

/// The tasks that some words name: `t1`, `#1`, `t1 and t2`, a title, or a part of exactly one title.
fn meant(words: &str, own: usize, heads: &[String]) -> Vec<usize> {
    let quotes = ['"', '\'', '“', '”', '‘', '’', '`'];
    let numbers: Option<Vec<usize>> = words
        .replace(" and ", " ")
        .replace(" & ", " ")
        .split_whitespace()
        .map(|word| {
            let number: usize = word.trim_end_matches(',').strip_prefix(['t', 'T', '#'])?.parse().ok()?;
            (1..=heads.len()).contains(&number).then(|| number - 1)
        })
        .collect();
    if let Some(numbers) = numbers {
        return numbers.into_iter().filter(|number| *number != own).collect();
    }
    let words = words
        .trim_matches(|c: char| quotes.contains(&c) || c.is_whitespace())
        .to_lowercase();
    let words = words.strip_prefix("the ").unwrap_or(&words);
    if words.chars().count() < 4 {
        return Vec::new();
    }
    let others = || heads.iter().enumerate().filter(|(at, _)| *at != own);
    let exact: Vec<usize> = others().filter(|(_, head)| *head == words).map(|(at, _)| at).collect();
    let partly: Vec<usize> = others()
        .filter(|(_, head)| head.contains(words))
        .map(|(at, _)| at)
        .collect();
    match (exact.as_slice(), partly.as_slice()) {
        ([one], _) | ([], [one]) => vec![*one],
        _ => Vec::new(),
    }
}

/// What a line is.
enum Outcome<'t> {
    /// Work.
    Work(Form<'t>),
    /// It looks like work and is none, for this reason.
    Refused(&'static str),
    /// It says that there is nothing, or is to be passed over.
    Nothing,
    /// Talk, in which there may be work.
    Talk,
}

/// A line that is work.
struct Form<'t> {
    rule: Rule,
    /// Who is named beside the mark: `TODO(bob): …`.
    who: Option<String>,
    text: &'t str,
}

/// One entry, line by line.
struct Reading<'a> {
    entry: &'a Entry,
    thread: &'a Thread,
    written: NaiveDate,
    section: Section,
    /// The section came from a line such as “Next steps:” and lasts for one list.
    by_line: bool,
    /// The list item that became a task, whose lines below belong to it: its depth, and where it stands.
    parent: Option<(usize, usize)>,
}

impl<'a> Reading<'a> {
    fn of(entry: &'a Entry, thread: &'a Thread) -> Self {
        Self {
            entry,
            thread,
            written: entry.created_at.date_naive(),
            section: Section::Other,
            by_line: false,
            parent: None,
        }
    }

    fn run(mut self, finds: &mut Finds) {
        for line in lines(&self.entry.text) {
            self.line(&line, finds);
        }
    }

    fn line(&mut self, line: &Line, finds: &mut Finds) {
        if let Kind::Heading(_) = line.kind {
            self.section = section(&line.text);
            self.by_line = false;
            self.parent = None;
            return;
        }
        if self.heads_a_list(line) {
            return;
        }
        if line.kind == Kind::Plain && line.depth == 0 && line.source.starts_with('/') {
            self.explicit(line, finds);
            return;
        }
        if self.below_parent(line, finds) {
            return;
        }
        let outcome = match line.kind {
            Kind::Ticked => Outcome::Refused("already_done"),
            Kind::Open => self.checkbox(line),
            _ => self
                .marked(line)
                .or_else(|| self.in_section(line))
                .unwrap_or(Outcome::Talk),
        };
        let found = match outcome {
            Outcome::Work(form) => self.found(form, line, finds),
            Outcome::Refused(reason) => {
                finds.refuse(self.entry, &line.source, reason);
                None
            }
            Outcome::Nothing => None,
            Outcome::Talk => {
                self.talk(line, finds);
                None
            }
        };
        self.parent = found.filter(|_| line.depth > 0).map(|at| (line.depth, at));
    }

    /// “Next steps:” on a line of its own heads the list below it.
    fn heads_a_list(&mut self, line: &Line) -> bool {
        if line.depth > 0 || line.kind != Kind::Plain {
            return false;
        }
        let found = section(&line.text);
        if found != Section::Other
            && (line.text.ends_with(':') || line.source.starts_with("**") || line.source.starts_with("__"))
        {
            self.section = found;
            self.by_line = true;
            self.parent = None;
            return true;
        }
        if self.by_line {
            self.section = Section::Other;
            self.by_line = false;
        }
        false
    }

    /// Lines inside a list item that became a task: items are criteria, other lines describe it.
    fn below_parent(&mut self, line: &Line, finds: &mut Finds) -> bool {
        let Some((depth, at)) = self.parent else { return false };
        let deeper = line.depth > depth;
        if deeper && matches!(line.kind, Kind::Item | Kind::Open) {
            finds.hits[at].criteria.push(line.text.clone());
            return true;
        }
        let continues = line.kind == Kind::Plain && line.depth >= depth;
        if continues && action(&line.text).is_none() && todo(&line.text).is_none() {
            let body = &mut finds.hits[at].body;
            if !body.is_empty() {
                body.push('\n');
            }
            body.push_str(&line.text);
            return true;
        }
        deeper
    }

    /// `/task title="…" …`; other commands are not talk.
    fn explicit(&self, line: &Line, finds: &mut Finds) {
        let Some(fields) = line
            .source
            .strip_prefix("/task")
            .filter(|rest| rest.starts_with(char::is_whitespace))
        else {
            return;
        };
        match split(fields).ok().and_then(|fields| explicit(&fields)) {
            Some(hit) => {
                let sources = vec![(self.entry.comment_id, line.source.clone())];
                finds.add(Hit { sources, ..hit });
            }
            None => finds.refuse(self.entry, &line.source, "unclear"),
        }
    }

    fn checkbox<'t>(&self, line: &'t Line) -> Outcome<'t> {
        let text = line.text.as_str();
        let work = Outcome::Work(Form {
            rule: Rule::Checkbox,
            who: None,
            text,
        });
        if nothing(text) {
            Outcome::Nothing
        } else if line.bare || template(text) || self.section == Section::Agenda {
            Outcome::Refused("out_of_scope")
        } else if done(text) {
            Outcome::Refused("already_done")
        } else {
            match self.verdict(text) {
                Some(Verdict::Committed(_)) => work,
                Some(Verdict::NobodyDoes) => Outcome::Refused("no_commitment"),
                _ if actionable(text) => work,
                _ => Outcome::Refused("unclear"),
            }
        }
    }

    /// `Action: …` and `TODO: …`.
    fn marked<'t>(&self, line: &'t Line) -> Option<Outcome<'t>> {
        let short = || abbreviated(&line.text).filter(|(_, work)| self.is_work(work));
        let found = action(&line.text).or_else(short).map(|found| (Rule::Action, found));
        let (rule, (who, text)) = found.or_else(|| todo(&line.text).map(|found| (Rule::Todo, found)))?;
        Some(if nothing(text) {
            // “Action: none” says that there is nothing to see.
            Outcome::Nothing
        } else if done(text) {
            Outcome::Refused("already_done")
        } else if line.bare || (text.split_whitespace().count() < 2 && text.is_ascii()) {
            Outcome::Refused("unclear")
        } else {
            Outcome::Work(Form { rule, who, text })
        })
    }

    /// Top-level items and plain lines under “Next steps”.
    fn in_section<'t>(&self, line: &'t Line) -> Option<Outcome<'t>> {
        let text = line.text.as_str();
        if self.section != Section::Work {
            return None;
        }
        if line.depth > 1 || line.bare || nothing(text) {
            return Some(Outcome::Nothing);
        }
        let work = Outcome::Work(Form {
            rule: Rule::Section,
            who: None,
            text,
        });
        match self.verdict(text) {
            Some(Verdict::Committed(_)) => Some(work),
            _ if done(text) => Some(Outcome::Refused("already_done")),
            Some(Verdict::NobodyDoes) => Some(Outcome::Refused("no_commitment")),
            _ if template(text) => Some(Outcome::Refused("out_of_scope")),
            _ if actionable(text) => Some(work),
            _ => (line.kind == Kind::Item).then_some(Outcome::Refused("unclear")),
        }
    }

    /// Sentences of ordinary talk: mentions, names, promises.
    fn talk(&self, line: &Line, finds: &mut Finds) {
        if line.bare {
            return;
        }
        for text in sentences(&line.text) {
            let quote = if line.source.contains(text) {
                text
            } else {
                line.source.as_str()
            };
            match self.verdict(text) {
                Some(Verdict::Committed(commitment)) => {
                    let (title, about) = take(&commitment.work, self.written);
                    finds.add(Hit {
                        rule: commitment.rule,
                        title: headline(&title),
                        body: String::new(),
                        criteria: Vec::new(),
                        assignee: Some(commitment.assignee),
                        about,
                        sources: vec![(self.entry.comment_id, quote.to_owned())],
                        depends_on: Vec::new(),
                    });
                }
                Some(Verdict::NobodyDoes) => finds.refuse(self.entry, quote, "no_commitment"),
                Some(Verdict::Unclear) => finds.refuse(self.entry, quote, "unclear"),
                None => {}
            }
        }
    }

    fn is_work(&self, text: &str) -> bool {
        actionable(text) || matches!(self.verdict(text), Some(Verdict::Committed(_)))
    }

    fn verdict(&self, text: &str) -> Option<Verdict> {
        sentence(text, &self.entry.author, self.thread)
    }

    /// A whole line that is work: its first sentence is the title, the others describe it. Says where it stands.
    fn found(&self, form: Form<'_>, line: &Line, finds: &mut Finds) -> Option<usize> {
        let (rest, mut about) = take(form.text, self.written);
        let parts = sentences(&rest);
        let first = parts.first().copied().unwrap_or_default();
        let (assignee, title) = match self.verdict(first) {
            Some(Verdict::Committed(commitment)) => (Some(commitment.assignee), commitment.work),
            _ => (None, first.to_owned()),
        };
        let title = headline(&title);
        if title.is_empty() {
            finds.refuse(self.entry, &line.source, "unclear");
            return None;
        }
        Some(finds.add(Hit {
            rule: form.rule,
            title,
            body: parts.get(1..).unwrap_or_default().join(" "),
            criteria: Vec::new(),
            assignee: assignee.or(form.who).or(about.assignee.take()),
            about,
            sources: vec![(self.entry.comment_id, line.source.clone())],
            depends_on: Vec::new(),
        }))
    }
}

/// What `/task` says; nothing when a field is unknown or does not fit.
fn explicit(fields: &[Argument<'_>]) -> Option<Hit> {
    let mut hit = Hit {
        rule: Rule::Explicit,
        title: String::new(),
        body: String::new(),
        criteria: Vec::new(),
        assignee: None,
        about: Attributes::default(),
        sources: Vec::new(),
        depends_on: Vec::new(),
    };
    for field in fields {
        let Argument::Named { key, value } = field else {
            return None;
        };
        match key.as_str() {
            "title" => hit.title = value.clone(),
            "body" | "description" => hit.body = value.clone(),
            "assign" | "assignee" => hit.assignee = Some(value.trim_start_matches('@').to_owned()),
            "label" | "labels" => hit.about.labels = value.split(',').map(|label| label.trim().to_owned()).collect(),
            "priority" | "prio" => hit.about.priority = Some(value.parse().ok()?),
            "est" | "estimate" => hit.about.estimate = Some(value.parse().ok()?),
            "due" | "due_date" => hit.about.due = Some(value.parse().ok()?),
            "depends" | "depends_on" => {
                hit.about.after = value
                    .split(',')
                    .map(|words| After {
                        words: words.trim().to_owned(),
                        phrase: String::new(),
                    })
                    .collect();
            }
            "criteria" | "acceptance_criteria" => {
                hit.criteria = value.split([';', '\n']).map(|text| text.trim().to_owned()).collect()
            }
            _ => return None,
        }
    }
    (!hit.title.trim().is_empty()).then_some(hit)
}

/// With a capital letter and without a full stop.
fn headline(text: &str) -> String {
    let text = tidy(text);
    let text = text.trim_end_matches(['.', '!', ' ']);
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
