//! `/who`: lists who may do what here.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::Requirement;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "who",
    aliases: &[],
    requirement: Requirement::ANYONE,
    summary: "Lists who may do what here.",
    usage: "/who",
    details: "With the rights that this repository asks for.",
    examples: &[Example {
        comment: "/who",
        meaning: "lists who may do what",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Who)
}
