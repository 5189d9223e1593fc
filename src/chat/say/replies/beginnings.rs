//! Why a workflow does not begin, or begins under an older configuration.

use std::collections::BTreeMap;

use crate::chat::label;
use crate::chat::say::markup::{code, list, name, sentence};
use crate::workflow::definition::{Definition, Misgiven, nearest};
use crate::workflow::labels::SPOKEN;

/// Somebody asked for a workflow on a closed issue or pull request.
pub fn subject_is_closed(verb: &str) -> String {
    format!(
        "This is closed, so I start nothing on it. Reopen it, then: {}",
        code(&format!("/{verb}"))
    )
}

/// Somebody, or the configuration, names a definition that does not exist.
pub fn unknown_definition(typed: &str, known: &[&str]) -> String {
    let close = nearest(typed, known);
    let known: Vec<String> = known.iter().map(|known| code(known)).collect();
    match close {
        Some(meant) => format!(
            "There is no definition {}. There are {}. Did you mean: {}",
            name(typed),
            list(&known, "and"),
            code(&format!("/run {meant}"))
        ),
        None => format!(
            "There is no definition {}. There are {}. More: {}",
            name(typed),
            list(&known, "and"),
            code("/help run")
        ),
    }
}

/// Somebody set a label of the bot's prefix that says nothing: the definitions here, and the verb of that name, if there is
/// one.
pub fn unknown_label(set: &str, definitions: &[&str], verb: Option<&str>) -> String {
    let nothing = format!("The label {} says nothing to me.", name(set));
    if let Some(verb) = verb {
        return format!("{nothing} In a comment I know that word: {}", code(&format!("/{verb}")));
    }
    let startable = definitions.iter().filter_map(|name| label::that_starts(name).ok());
    let others = label::VERBS.iter().filter(|verb| **verb != "deliver");
    let others = others.map(|verb| format!("{SPOKEN}{verb}"));
    let all: Vec<String> = startable.chain(others).map(|label| code(&label)).collect();
    let known = format!("{nothing} Those that I know are {}.", list(&all, "and"));
    match label::meant(set, definitions) {
        Some(meant) => format!("{known} Did you mean: {}", code(&meant)),
        None => format!("{known} More: {}", code("/help run")),
    }
}

/// A definition's children cannot be as it says, so nothing started.
pub fn cannot_have_children(definition: &str, why: &str) -> String {
    format!(
        "{} cannot start, because of its children: {} Nothing was started. The definitions here: {}",
        code(definition),
        sentence(why),
        code("/help run")
    )
}

/// What was given does not suffice, so nothing started: each mistake, and the command as it would be right, as far as that
/// is known.
pub fn misgiven(definition: &Definition, given: &BTreeMap<String, String>, wrong: &[Misgiven]) -> String {
    format!(
        "Nothing was started:\n\n{}\n\nThe command: {}",
        misgiven_lines(definition, wrong),
        code(&mended(definition, given, wrong))
    )
}

/// Each mistake of what was given, a line each.
pub fn misgiven_lines(definition: &Definition, wrong: &[Misgiven]) -> String {
    let lines = wrong.iter().map(|wrong| format!("- {}", mistake(definition, wrong)));
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands for a value that only the person knows.
const OPEN: &str = "\"…\"";

/// The command with what was given and is right, what was most likely meant, and gaps.
fn mended(definition: &Definition, given: &BTreeMap<String, String>, wrong: &[Misgiven]) -> String {
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for (name, input) in &definition.inputs {
        match given.get(name).filter(|value| !value.trim().is_empty()) {
            Some(value) => values.insert(name, quoted(value)),
            None if input.required => values.insert(name, OPEN.to_owned()),
            None => None,
        };
    }
    for wrong in wrong {
        match wrong {
            Misgiven::Unknown { name: typed } => {
                if let (Some(meant), Some(value)) = (input_meant(definition, typed), given.get(typed)) {
                    values.insert(meant, quoted(value));
                }
            }
            Misgiven::NoChoice { name, value, choices } => {
                let meant = choice_meant(value, choices).map_or_else(|| OPEN.to_owned(), quoted);
                values.insert(name, meant);
            }
            // There is a gap already, or what a near name was given.
            Misgiven::Missing { .. } => {}
            Misgiven::NoFile { name, .. } | Misgiven::NoPath { name, .. } | Misgiven::NotOfType { name, .. } => {
                values.insert(name, OPEN.to_owned());
            }
        }
    }
    let command = |values: &BTreeMap<&str, String>| {
        let values = values.iter().map(|(name, value)| format!(" {name}={value}"));
        format!("/run {}{}", definition.name, values.collect::<String>())
    };
    let whole = command(&values);
    match code(&whole) == format!("`{whole}`") {
        true => whole,
        // What inline code cannot hold is not repeated.
        false => command(&values.into_keys().map(|name| (name, OPEN.to_owned())).collect()),
    }
}

/// A value as a command takes it.
fn quoted(value: &(impl AsRef<str> + ?Sized)) -> String {
    let value = value.as_ref();
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | '“' | '”');
    match value.chars().all(plain) {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('"', "'")),
    }
}

fn input_meant<'a>(definition: &'a Definition, typed: &str) -> Option<&'a str> {
    let inputs: Vec<&str> = definition.inputs.keys().map(String::as_str).collect();
    nearest(typed, &inputs)
}

fn choice_meant<'a>(value: &str, choices: &'a [String]) -> Option<&'a str> {
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    nearest(value, &choices)
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(". Did you mean {}?", code(meant)))
}

fn mistake(definition: &Definition, wrong: &Misgiven) -> String {
    match wrong {
        Misgiven::Unknown { name: typed } => {
            let known: Vec<String> = definition.inputs.keys().map(|known| code(known)).collect();
            let what = match known.as_slice() {
                [] => {
                    return format!(
                        "{} takes nothing, and {} was given",
                        code(&definition.name),
                        name(typed)
                    );
                }
                [only] => format!("{} is not known; there is {only}", name(typed)),
                known => format!("{} is not known; there are {}", name(typed), list(known, "and")),
            };
            what + &did_you_mean(input_meant(definition, typed))
        }
        Misgiven::Missing { name, title } => format!("{} is missing: {}", code(name), sentence(title)),
        Misgiven::NoChoice {
            name: of,
            value,
            choices,
        } => {
            let all: Vec<String> = choices.iter().map(|choice| code(choice)).collect();
            let what = format!("{} is {}; it can be {}", code(of), name(value), list(&all, "or"));
            what + &did_you_mean(choice_meant(value, choices))
        }
        Misgiven::NoFile { name: of, path } => format!(
            "{} names {}, and there is no such file on the default branch",
            code(of),
            name(path)
        ),
        Misgiven::NoPath { name: of, path, why } => {
            format!("{} names {}, where no file can be: {why}", code(of), name(path))
        }
        Misgiven::NotOfType { name: of, value, kind } => {
            format!("{} is {}; it must be {}", code(of), name(value), kind.words())
        }
    }
}

/// The newest configuration cannot be used; said once on each subject where somebody speaks.
pub fn configuration_is_broken(path: &str, mistakes: &str) -> String {
    format!(
        "{} cannot be used: {} The last good configuration stays in force. Put it right on the default branch, and it \
         is read at once.",
        code(path),
        sentence(mistakes)
    )
}

/// The configuration in force was good for an earlier version of the program, and this one cannot read it.
pub fn configuration_is_unreadable(repository: &str, path: &str, mistakes: &str) -> String {
    format!(
        "I do nothing here for now: this version of me cannot read the {} of {} that is in force, and it may ask for \
         more than my defaults do. {} Put it right on the default branch, and it is read at once. To stop something meanwhile, \
         whoever opened this can: {} or {}",
        code(path),
        name(repository),
        sentence(mistakes),
        code("/hold"),
        code("/cancel")
    )
}

/// The newest of a repository's definitions cannot be used; said as [`configuration_is_broken`] is.
pub fn definition_is_broken(path: &str, mistakes: &str, earlier: bool) -> String {
    let in_force = match earlier {
        true => "The last good one stays in force, and workflows that run are not touched.",
        false => "Until it is put right there is no such definition.",
    };
    format!(
        "{} cannot be used: {} {in_force} Put it right on the default branch, and it is read at once; {} shows every \
         mistake.",
        code(path),
        sentence(mistakes),
        code("countersign definitions check FILE")
    )
}
