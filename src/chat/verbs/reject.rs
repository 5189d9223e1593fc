//! `/reject`: refuses what the card shows, with a reason.

use super::{Example, Verb, free_text};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "reject",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Refuses what the card shows, with a reason.",
    usage: "/reject REASON",
    details: "The reason may follow on the line or below it, and stays in the record. The label \
        `countersign:reject` says the same without one.",
    examples: &[Example {
        comment: "/reject These were done last week.",
        meaning: "refuses, with the reason",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    match free_text(&addressed.rest, addressed) {
        Some(reason) => Ok(Request::Reject { reason }),
        None => Err(ArgumentProblem::Missing(
            "A rejection needs a reason, on the same line or below it.",
        )),
    }
}
