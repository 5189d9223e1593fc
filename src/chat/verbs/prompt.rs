//! `/prompt`: shows the prompt that waits for an answer by hand.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "prompt",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Shows the prompt that waits for an answer by hand.",
    usage: "/prompt",
    details: "Give the prompt to any model or person and hand in the answer with `/respond`.",
    examples: &[Example {
        comment: "/prompt",
        meaning: "shows the prompt",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Prompt)
}
