//! `/help`: the verbs, or one of them, explained.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::Requirement;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "help",
    aliases: &[],
    requirement: Requirement::ANYONE,
    summary: "Lists the commands, or explains one.",
    usage: "/help [COMMAND]",
    details: "Works everywhere, with or without an open workflow.",
    examples: &[
        Example {
            comment: "/help",
            meaning: "lists the commands",
        },
        Example {
            comment: "/help approve",
            meaning: "explains `/approve`",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    // Whether there is such a verb is for the answer to say: it can offer the closest one.
    let first = addressed.rest.split_whitespace().next();
    let verb = first.map(|word| word.trim_matches('`').trim_start_matches('/').to_lowercase());
    Ok(Request::Help {
        verb: verb.filter(|verb| !verb.is_empty()),
    })
}
