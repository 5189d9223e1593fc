//! `/help` and `docs/commands.md`, written from the table.

use super::{Dialect, VERBS, Verb, by_name};
use crate::chat::reader::BotName;
use crate::text::harmless::literal;
use crate::workflow::right::{Requirement, Right, Standing};

/// What is told of labels by which people speak.
const LABELS: &str = "Labels speak, too: `countersign:deliver`, `countersign:approve`, `countersign:reject` and \
    `countersign:hold` as the commands of these names, and `countersign:NAME` as `/run NAME`. Each is taken off once it \
    was heard.";

/// Who meets a requirement, in words: `write, or the author`.
pub fn who_may(requirement: Requirement) -> String {
    if requirement.right == Right::None {
        return "anyone".to_owned();
    }
    let mut who = requirement.right.to_string();
    for standing in requirement.or {
        who.push_str(match standing {
            Standing::Author => ", or the author",
            Standing::Assignee => ", or an assignee",
        });
    }
    who
}

/// The answer to `/help` (no word) or `/help approve`, in Markdown.
pub fn help(about: Option<&str>, dialect: &Dialect) -> String {
    let Some(word) = about else { return overview(dialect) };
    if let Some(verb) = dialect.verb(word) {
        return section(verb, dialect, "###");
    }
    let shown = literal::inline(word, 40);
    match dialect
        .suggestion(word)
        .and_then(|near| Some((dialect.verb(&near)?, near)))
    {
        Some((verb, near)) => {
            format!(
                "There is no “{shown}”; this is `/{near}`.\n\n{}",
                section(verb, dialect, "###")
            )
        }
        None => format!("There is no “{shown}”.\n\n{}", overview(dialect)),
    }
}

/// The document of all commands: `docs/commands.md`.
pub fn reference() -> String {
    let dialect = Dialect::plain(BotName::new("countersign"));
    let mut page = String::from(
        "<!-- Written from the table of verbs in src/chat/verbs. \
         `UPDATE_DOCS=1 cargo test commands_document` writes it anew. -->\n\
         # Commands\n\n\
         A command is a line of a new comment that begins with `/command` or `@countersign command`. \
         A comment may hold \
         several, each on its own line; they are done in order. Lines below a command are its reason.\n\n\
         Commands are not read in quotes, code, lists, tables, headings, links, struck-out text and HTML, nor in text \
         that was edited, nor from bots. A comment that is nothing but a command in single backticks, as it is copied \
         from a card, is read.\n\n",
    );
    page.push_str(&table(&dialect));
    page.push_str(&format!("\n{LABELS}\n"));
    page.push_str(
        "\n“triage”, “write” and “maintain” are rights on the repository, and more always suffices. A repository's \
         configuration may ask for more, never for less.\n",
    );
    for verb in VERBS {
        page.push('\n');
        page.push_str(&section(verb, &dialect, "##"));
    }
    page
}

/// The forms of a verb and an example, for answers to malformed commands.
pub(super) fn usage(verb: &Verb) -> String {
    let forms: Vec<String> = verb.usage.lines().map(|form| format!("`{form}`")).collect();
    let mut text = format!("Usage: {}\n", forms.join(" or "));
    if let Some(example) = verb.examples.first() {
        text.push_str(&format!("\nFor example:\n\n{}", fenced(example.comment)));
    }
    text
}

fn overview(dialect: &Dialect) -> String {
    let bot = dialect.bot.as_str();
    format!(
        "{}\n`@{bot} help` works as well as `/help`. `/help approve` explains one command.\n\n{LABELS}\n",
        table(dialect)
    )
}

fn table(dialect: &Dialect) -> String {
    let mut table = String::from("| command | what it does | who may |\n| --- | --- | --- |\n");
    for verb in VERBS {
        let form = verb.usage.lines().next().unwrap_or(verb.name);
        let form = form.split(',').next().unwrap_or(form);
        let who = who_may(dialect.requirement(verb));
        table.push_str(&format!("| `{form}` | {} | {who} |\n", verb.summary));
    }
    table
}

fn section(verb: &Verb, dialect: &Dialect, heading: &str) -> String {
    let mut text = format!("{heading} `/{}`\n\n{} {}\n\n", verb.name, verb.summary, verb.details);
    text.push_str(&format!("Who may: {}.\n\n", who_may(dialect.requirement(verb))));
    let others = other_words(verb, dialect);
    if !others.is_empty() {
        text.push_str(&format!("Also: {}.\n\n", others.join(", ")));
    }
    text.push_str(&fenced(verb.usage));
    for example in verb.examples.iter().filter(|example| example.comment != verb.usage) {
        text.push_str(&format!("\nThis {}:\n\n{}", example.meaning, fenced(example.comment)));
    }
    text
}

fn other_words(verb: &Verb, dialect: &Dialect) -> Vec<String> {
    let configured = dialect
        .aliases
        .iter()
        .filter(|(word, name)| **name == verb.name && by_name(word).is_none());
    let words = verb
        .aliases
        .iter()
        .copied()
        .chain(configured.map(|(word, _)| word.as_str()));
    words
        .filter(|word| dialect.verb(word) == Some(verb))
        .map(|word| format!("`/{}`", word.replace('`', "")))
        .collect()
}

fn fenced(text: &str) -> String {
    let fence = if text.contains("```") { "````" } else { "```" };
    format!("{fence}text\n{text}\n{fence}\n")
}
