//! Why a workflow does not begin, or begins under an older configuration.

use crate::chat::say::markup::{code, name, sentence};

/// Somebody asked for a workflow on a closed issue or pull request.
pub fn subject_is_closed(verb: &str) -> String {
    format!(
        "This is closed, so I start nothing on it. Reopen it, then: {}",
        code(&format!("/{verb}"))
    )
}

/// The configuration names a definition that does not exist.
pub fn unknown_definition(typed: &str) -> String {
    format!(
        "There is no definition {}. Put {} in {} right; what I understand: {}",
        name(typed),
        code("definition"),
        code(".github/countersign.yml"),
        code("/help deliver")
    )
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
