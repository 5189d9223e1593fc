//! `/deliver`: starts the workflow on this issue or pull request.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "deliver",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Starts the workflow on this issue, pull request or discussion.",
    usage: "/deliver",
    details: "One workflow is open at a time; while one is, the answer says which. Nothing leaves the system \
        before it was approved. The label `countersign:deliver` says the same.",
    examples: &[Example {
        comment: "/deliver",
        meaning: "starts the workflow",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Deliver)
}
