//! The two parts of the mail, from templates. The HTML part is escaped by the engine of the templates.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, UndefinedBehavior, context};

use super::super::inputs::{Mailing, OpenedTask};
use super::{Item, Letter};

/// Instructions that rendering may use up: hundreds of lines take some ten thousand.
const FUEL: u64 = 2_000_000;
const TEXT: &str = "opened.txt.j2";
const HTML: &str = "opened.html.j2";

/// The text part and the HTML part.
pub fn parts(letter: &Letter, mailing: &Mailing) -> Result<(String, String), Error> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template(TEXT, include_str!("../../../templates/email/opened.txt.j2"))?;
    environment.add_template(HTML, include_str!("../../../templates/email/opened.html.j2"))?;
    let text = environment.get_template(TEXT)?.render(values(letter, mailing))?;
    let html = environment.get_template(HTML)?.render(values(letter, mailing))?;
    Ok((text, html))
}

fn values(letter: &Letter, mailing: &Mailing) -> Value {
    let paragraphs: Vec<Value> = letter
        .intro
        .split("\n\n")
        .filter(|text| !text.is_empty())
        .map(Value::from)
        .collect();
    context! {
        subject => Value::from(letter.subject.as_str()),
        paragraphs => Value::from(paragraphs),
        items => Value::from(lines(&letter.items, mailing)),
        decisions => Value::from(lines(&letter.decisions, mailing)),
        repository => Value::from(mailing.repository.as_str()),
        number => Value::from(mailing.number),
        title => Value::from(super::plain(&mailing.title, super::ITEM)),
        url => Value::from(mailing.url.as_str()),
    }
}

fn lines(items: &[Item], mailing: &Mailing) -> Vec<Value> {
    items
        .iter()
        .filter_map(|item| {
            let task = mailing.tasks.iter().find(|task| task.key == item.key)?;
            Some(line(item, task))
        })
        .collect()
}

fn line(item: &Item, task: &OpenedTask) -> Value {
    let or_empty = |text: Option<String>| Value::from(text.unwrap_or_default());
    context! {
        text => Value::from(item.text.as_str()),
        number => Value::from(task.number),
        url => Value::from(task.url.as_str()),
        assignee => or_empty(task.assignee.clone()),
        due => or_empty(task.due_date.map(|date| date.to_string())),
        priority => or_empty(task.priority.map(|priority| priority.to_string())),
    }
}
