//! `/tasks`: extracts the tasks from the conversation and shows them, nothing else.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "tasks",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Extracts the tasks from the conversation and shows them, nothing else.",
    usage: "/tasks",
    details: "Nothing is opened or sent, and nothing waits for an approval.",
    examples: &[Example {
        comment: "/tasks",
        meaning: "shows the tasks",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Tasks)
}
