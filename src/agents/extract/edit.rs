//! What people change in a list of tasks before they approve it. The same checks hold for them as for an agent, but a
//! field that does not fit is refused with a sentence instead of dropped.

use chrono::NaiveDate;

use super::super::{amend::Amendment, answer, did_you_mean};
use super::{
    BODY, Confidence, LABELS, Origin, TITLE, Task, Tasks, Thread, Voice, commands, criteria, cut, line, markdown, scan,
    within_limit,
};

/// Fields that people may change, with other names for them.
const FIELDS: &[(&str, &[&str])] = &[
    ("title", &[]),
    ("body", &["description"]),
    ("assign", &["assignee"]),
    ("labels", &["label"]),
    ("priority", &["prio"]),
    ("est", &["estimate"]),
    ("due", &["due_date"]),
    ("depends", &["depends_on"]),
    ("criteria", &["acceptance_criteria"]),
];

/// The tasks as they stand after the edit.
///
/// # Errors
/// A sentence for the person who edits; the tasks stay as they were.
pub fn amend(tasks: &Tasks, amendment: &Amendment, thread: &Thread) -> Result<Tasks, String> {
    let mut next = tasks.clone();
    match amendment {
        Amendment::Change { key, fields } => {
            let at = position(&next, key)?;
            let task = changed(next.tasks[at].clone(), fields, &next, thread)?;
            next.tasks[at] = task;
        }
        Amendment::Add { fields, by } => {
            within_limit(next.tasks.len() + 1, thread)?;
            let task = changed(blank(next.next_key(), by), fields, &next, thread)?;
            if task.title.is_empty() {
                return Err("a task needs a title: `/task title=\"…\"`".to_owned());
            }
            next.tasks.push(task);
        }
        Amendment::Select { key, on } => {
            let at = position(&next, key)?;
            next.tasks[at].selected = *on;
        }
        Amendment::Replace(text) => next = replaced(tasks, text, thread)?,
    }
    if let Some(circle) = next.cycle() {
        return Err(format!(
            "these tasks would wait for each other in a circle: {}",
            circle.join(", ")
        ));
    }
    Ok(next)
}

fn blank(key: String, by: &str) -> Task {
    Task {
        key,
        title: String::new(),
        body: String::new(),
        acceptance_criteria: Vec::new(),
        assignee: None,
        labels: Vec::new(),
        priority: None,
        estimate: None,
        due_date: None,
        depends_on: Vec::new(),
        sources: Vec::new(),
        confidence: Confidence::High,
        selected: true,
        origin: Origin::Person { login: by.to_owned() },
    }
}

fn position(tasks: &Tasks, key: &str) -> Result<usize, String> {
    let key = key.trim();
    let known = |task: &Task| task.key.eq_ignore_ascii_case(key);
    tasks.tasks.iter().position(known).ok_or_else(|| {
        let keys: Vec<&str> = tasks.tasks.iter().map(|task| task.key.as_str()).collect();
        match keys.as_slice() {
            [] => format!("there is no task `{}`: the list is empty", shown(key)),
            [only] => format!("there is no task `{}`; the only one is `{only}`", shown(key)),
            [first, .., last] => format!(
                "there is no task `{}`; they run from `{first}` to `{last}`{}",
                shown(key),
                did_you_mean(key, keys.iter().copied())
            ),
        }
    })
}

/// A word of the person's, short enough to be repeated inside a code span.
fn shown(word: &str) -> String {
    cut(&word.replace('`', "'"), 40)
}

fn field(name: &str) -> Result<&'static str, String> {
    let name = name.trim().to_lowercase().replace('-', "_");
    FIELDS
        .iter()
        .find(|(field, others)| *field == name || others.contains(&name.as_str()))
        .map(|(field, _)| *field)
        .ok_or_else(|| {
            let names = FIELDS
                .iter()
                .flat_map(|(field, others)| std::iter::once(*field).chain(others.iter().copied()));
            let hint = did_you_mean(&name, names);
            let fields: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
            format!(
                "a task has no field `{}`{hint} The fields are {}.",
                shown(&name),
                fields.join(", ")
            )
            .replacen("` The", "`. The", 1)
        })
}

fn changed(mut task: Task, fields: &[(String, String)], tasks: &Tasks, thread: &Thread) -> Result<Task, String> {
    if fields.is_empty() {
        return Err("nothing to change: name a field, as in `title=\"…\"` or `due=2026-12-01`".to_owned());
    }
    for (name, value) in fields {
        set(&mut task, field(name)?, value, tasks, thread)?;
    }
    clear_of_secrets(&task)?;
    Ok(task)
}

fn set(task: &mut Task, field: &str, value: &str, tasks: &Tasks, thread: &Thread) -> Result<(), String> {
    let value = value.trim();
    let none = ["", "none", "-"].contains(&value.to_lowercase().as_str());
    match field {
        "title" => {
            task.title = line(value, Voice::Person, TITLE);
            if task.title.is_empty() {
                return Err("a title cannot be empty".to_owned());
            }
        }
        "body" => task.body = markdown(&cut(value, BODY), Voice::Person),
        "assign" => task.assignee = if none { None } else { Some(person(value, thread)?) },
        "labels" => {
            task.labels = if none {
                Vec::new()
            } else {
                labels(value.split(','), thread)?
            }
        }
        "priority" => task.priority = optional(none, value, "priority")?,
        "est" => task.estimate = optional(none, value, "est")?,
        "due" => task.due_date = if none { None } else { Some(date(value)?) },
        "depends" => {
            task.depends_on = if none {
                Vec::new()
            } else {
                depends(&task.key, value.split([',', ' ']), tasks)?
            }
        }
        "criteria" => {
            let texts: Vec<String> = value.split(['\n', ';']).map(|text| unmarked(text).to_owned()).collect();
            task.acceptance_criteria = if none {
                Vec::new()
            } else {
                criteria(&texts, Voice::Person)
            };
        }
        other => unreachable!("`field` returns names of the table alone, and `{other}` has no arm"),
    }
    Ok(())
}

/// A criterion without the list marker that people type before it.
fn unmarked(text: &str) -> &str {
    let text = text.trim();
    let text = text
        .strip_prefix("- ")
        .or_else(|| text.strip_prefix("* "))
        .unwrap_or(text);
    text.strip_prefix("[ ] ").unwrap_or(text)
}

fn optional<T: std::str::FromStr<Err = String>>(none: bool, value: &str, field: &str) -> Result<Option<T>, String> {
    if none {
        return Ok(None);
    }
    value
        .parse()
        .map(Some)
        .map_err(|known| format!("`{field}` is {known} or none, not `{}`", shown(value)))
}

fn date(value: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(value, "%Y-%m-%d")
        .ok()
        .filter(|_| value.len() == 10)
        .ok_or_else(|| format!("`due` is a date like 2026-12-01 or none, not `{}`", shown(value)))
}

fn person(value: &str, thread: &Thread) -> Result<String, String> {
    if let Some(person) = thread.person(value) {
        return Ok(person);
    }
    let login = value.trim_start_matches('@');
    Err(format!(
        "`{}` is neither in this thread nor assignable in {}{}",
        shown(login),
        thread.repository,
        did_you_mean(login, thread.people())
    ))
}

/// Labels as a person names them: known ones in the repository's spelling, new ones as they are.
fn labels<'a>(names: impl Iterator<Item = &'a str>, thread: &Thread) -> Result<Vec<String>, String> {
    let mut labels: Vec<String> = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        if commands(name) {
            return Err(format!("`{}` works the bot and cannot be put on a task", shown(name)));
        }
        if name.chars().count() > 50 || line(name, Voice::Agent, 50) != name {
            return Err(format!(
                "`{}` cannot be a label: one plain line of at most 50 characters",
                shown(name)
            ));
        }
        let label = thread.label(name).unwrap_or(name);
        if !labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            labels.push(label.to_owned());
        }
    }
    if labels.len() > LABELS {
        return Err(format!("a task takes at most {LABELS} labels"));
    }
    Ok(labels)
}

fn depends<'a>(own: &str, keys: impl Iterator<Item = &'a str>, tasks: &Tasks) -> Result<Vec<String>, String> {
    let mut depends: Vec<String> = Vec::new();
    for key in keys.map(str::trim).filter(|key| !key.is_empty()) {
        let key = &tasks.tasks[position(tasks, key)?].key;
        if key == own {
            return Err(format!("`{key}` cannot wait for itself"));
        }
        if !depends.contains(key) {
            depends.push(key.clone());
        }
    }
    Ok(depends)
}

fn clear_of_secrets(task: &Task) -> Result<(), String> {
    let everything = [task.title.as_str(), &task.body]
        .into_iter()
        .chain(task.acceptance_criteria.iter().map(String::as_str))
        .chain(task.labels.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("\n");
    match scan(&everything) {
        Some(finding) => Err(format!(
            "that text holds {finding}, so it was not taken; say it without"
        )),
        None => Ok(()),
    }
}

/// The artifact as a person wrote it whole. Keys, sources and origins are evidence and stay.
fn replaced(old: &Tasks, text: &str, thread: &Thread) -> Result<Tasks, String> {
    let value = answer::value(text).map_err(|problem| problem.to_string())?;
    let wanted: Tasks =
        serde_json::from_value(value).map_err(|error| format!("that is not a list of tasks: {error}"))?;
    let mut next = Tasks {
        tasks: Vec::new(),
        left_out: old.left_out.clone(),
        questions: old.questions.clone(),
        last_key: old.last_key,
    };
    for task in wanted.tasks {
        let before =
            &old.tasks[position(old, &task.key).map_err(|sentence| format!("{sentence}; add one with `/task`"))?];
        if next.get(&before.key).is_some() {
            return Err(format!("`{}` stands there twice", before.key));
        }
        if task.sources != before.sources || task.origin != before.origin || task.confidence != before.confidence {
            return Err(format!(
                "the sources, origin and confidence of `{}` cannot be edited: they are evidence",
                before.key
            ));
        }
        next.tasks.push(checked(task, before, old, thread)?);
    }
    let gone: Vec<&Task> = old.tasks.iter().filter(|task| next.get(&task.key).is_none()).collect();
    for gone in gone {
        next.left_out.push(super::Omitted {
            what: gone.title.clone(),
            why: format!("`{}` was taken out by an edit", gone.key),
            url: gone.sources.first().map(|source| source.url.clone()),
        });
    }
    let keys: Vec<String> = next.tasks.iter().map(|task| task.key.clone()).collect();
    for task in &mut next.tasks {
        task.depends_on.retain(|key| keys.contains(key));
    }
    Ok(next)
}

/// One task of a replacement. A field that was not touched stays as it is, whatever the checks would say today.
fn checked(task: Task, before: &Task, old: &Tasks, thread: &Thread) -> Result<Task, String> {
    let mut checked = Task {
        key: before.key.clone(),
        ..task.clone()
    };
    if task.title != before.title {
        checked.title = line(&task.title, Voice::Person, TITLE);
        if checked.title.is_empty() {
            return Err(format!("`{}` has no title", before.key));
        }
    }
    if task.body != before.body {
        checked.body = markdown(&cut(&task.body, BODY), Voice::Person);
    }
    if task.acceptance_criteria != before.acceptance_criteria {
        checked.acceptance_criteria = criteria(&task.acceptance_criteria, Voice::Person);
    }
    if task.assignee != before.assignee {
        checked.assignee = task.assignee.map(|login| person(login.trim(), thread)).transpose()?;
    }
    if task.labels != before.labels {
        checked.labels = labels(task.labels.iter().map(String::as_str), thread)?;
    }
    if task.depends_on != before.depends_on {
        checked.depends_on = depends(&before.key, task.depends_on.iter().map(String::as_str), old)?;
    }
    clear_of_secrets(&checked)?;
    Ok(checked)
}
