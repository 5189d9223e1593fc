//! `/retry`: tries again what failed.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "retry",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Tries again what failed.",
    usage: "/retry",
    details: "Only what failed is done again; what succeeded is not repeated.",
    examples: &[Example {
        comment: "/retry",
        meaning: "tries the failed phase again",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Retry)
}
