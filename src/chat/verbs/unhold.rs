//! `/unhold`: lets a held workflow go on.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "unhold",
    aliases: &["resume"],
    requirement: Requirement::at_least(Right::Write),
    summary: "Lets a held workflow go on.",
    usage: "/unhold",
    details: "What the hold kept back is done now.",
    examples: &[Example {
        comment: "/unhold",
        meaning: "lets the workflow go on",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Unhold)
}
