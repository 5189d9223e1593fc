//! `/status`: says where the workflow stands, what it waits for and for whom.

use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::Requirement;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "status",
    aliases: &[],
    requirement: Requirement::ANYONE,
    summary: "Says where the workflow stands, what it waits for and for whom.",
    usage: "/status",
    details: "Then the workflow is compared with GitHub: what was said and never told is acted on, and a card that is gone or was changed is put right.",
    examples: &[Example {
        comment: "/status",
        meaning: "says where the workflow stands",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    no_arguments(addressed)?;
    Ok(Request::Status)
}
