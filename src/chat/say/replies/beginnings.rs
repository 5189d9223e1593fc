//! Why a workflow does not begin, or begins under an older configuration.

use crate::chat::say::markup::{code, list, name, sentence};
use crate::workflow::definition::{Definition, Misgiven, nearest};

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

/// A definition's children cannot be as it says, so nothing started.
pub fn cannot_have_children(definition: &str, why: &str) -> String {
    format!(
        "{} cannot start, because of its children: {} Nothing was started. The definitions here: {}",
        code(definition),
        sentence(why),
        code("/help run")
    )
}

/// What was given does not suffice, so nothing started: each mistake, and the command as it would be right.
pub fn misgiven(definition: &Definition, wrong: &[Misgiven]) -> String {
    let lines: Vec<String> = wrong
        .iter()
        .map(|wrong| format!("- {}", mistake(definition, wrong)))
        .collect();
    let wanted = definition.inputs.iter().filter(|(_, input)| input.required);
    let wanted: Vec<String> = wanted.map(|(name, _)| format!("{name}=\"…\"")).collect();
    let command = format!("/run {} {}", definition.name, wanted.join(" "));
    format!(
        "Nothing was started:\n\n{}\n\nThe command: {}",
        lines.join("\n"),
        code(command.trim_end())
    )
}

fn mistake(definition: &Definition, wrong: &Misgiven) -> String {
    match wrong {
        Misgiven::Unknown { name: typed } => {
            let known: Vec<String> = definition.inputs.keys().map(|known| code(known)).collect();
            match known.as_slice() {
                [] => format!(
                    "{} takes nothing, and {} was given",
                    code(&definition.name),
                    name(typed)
                ),
                known => format!("{} is not known; there are {}", name(typed), list(known, "and")),
            }
        }
        Misgiven::Missing { name, title } => format!("{} is missing: {}", code(name), sentence(title)),
        Misgiven::NoChoice {
            name: of,
            value,
            choices,
        } => {
            let choices: Vec<String> = choices.iter().map(|choice| code(choice)).collect();
            format!("{} is {}; it can be {}", code(of), name(value), list(&choices, "or"))
        }
        Misgiven::NoFile { name: of, path } => format!(
            "{} names {}, and there is no such file on the default branch",
            code(of),
            name(path)
        ),
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
