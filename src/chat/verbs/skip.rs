//! `/skip`: go on without answers to the questions that are open.

use super::{Example, Verb, free_text, refuse_opposite};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "skip",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Goes on without answers to the questions that are open.",
    usage: "/skip [REASON]",
    details: "What would have been answered is assumed instead, and each assumption is recorded and shown. Nothing more \
        is asked. What was answered already stays. Where a phase waits for children and its definition lets it go on with \
        those that are done, this is what lets it.",
    examples: &[
        Example {
            comment: "/skip",
            meaning: "goes on without the answers",
        },
        Example {
            comment: "/skip The reporter is away until May.",
            meaning: "goes on, with a reason",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    refuse_opposite(addressed, "; to answer one after all: `/answer`")?;
    Ok(Request::Skip {
        reason: free_text(&addressed.rest, addressed),
    })
}
