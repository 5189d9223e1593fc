//! `/revise`: has what the card shows made again, with your text in mind.

use super::{Example, Verb, free_text};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "revise",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Has what the card shows made again, with your text in mind.",
    usage: "/revise TEXT",
    details: "The text may follow on the line or below it. The result is a new iteration with a new digest, and \
        approvals of the old one are void.",
    examples: &[
        Example {
            comment: "/revise Split the second task by service.",
            meaning: "has it made again",
        },
        Example {
            comment: "/revise\n- leave out the runbook\n- give Carol the migration",
            meaning: "has it made again, with several wishes",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    match free_text(&addressed.rest, addressed) {
        Some(text) => Ok(Request::Revise { text }),
        None => Err(ArgumentProblem::Missing(
            "Say what shall be different, on the same line or below it.",
        )),
    }
}
