//! `/respond`: give an agent's answer by hand.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "respond",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Gives the answer to the prompt that waits, by hand.",
    usage: "/respond, and below it a fenced block with the answer",
    details: "The answer goes through the same checks as any agent's. `/prompt` shows what is asked.",
    examples: &[Example {
        comment: "/respond\n```json\n{\"tasks\": [], \"rejected\": [], \"questions\": []}\n```",
        meaning: "hands in the answer",
    }],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    match &addressed.fenced {
        Some(text) if !text.trim().is_empty() => Ok(Request::Respond { text: text.clone() }),
        _ => Err(ArgumentProblem::Missing(
            "The answer has to stand below the command, between two lines of three backticks.",
        )),
    }
}
