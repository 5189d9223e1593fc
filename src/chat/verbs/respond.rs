//! `/respond`: give an agent's answer by hand.

use super::approve::{bare, is_meant_as_digest};
use super::prompt::phase;
use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{DigestPrefix, Request};
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "respond",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Gives the answer to a prompt that waits, by hand.",
    usage: "/respond [PHASE] [DIGEST], and below it a fenced block with the answer",
    details: "The answer goes through the same checks as any agent's. `/prompt` shows what is asked, and the line to answer \
        it with: the phase (of a variant its letter will do) and the prompt's digest. Where several prompts wait, one must \
        be named. An answer to another prompt than one that waits is refused, with what is expected now.",
    examples: &[
        Example {
            comment: "/respond\n```json\n{\"tasks\": [], \"rejected\": [], \"questions\": []}\n```",
            meaning: "hands in the answer to the only prompt that waits",
        },
        Example {
            comment: "/respond B 3f9c0a417be2\n```json\n{\"content\": \"…\"}\n```",
            meaning: "hands in the answer of variant B to the prompt that has this digest, and to no other",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let Some(text) = addressed.fenced.as_ref().filter(|text| !text.trim().is_empty()) else {
        return Err(ArgumentProblem::Missing(
            "The answer has to stand below the command, between two lines of three backticks.",
        ));
    };
    let mut words = addressed.rest.split_whitespace().map(bare).peekable();
    let of = words.next_if(|word| !is_meant_as_digest(word)).map(phase).transpose()?;
    let prompt = words.next().map(DigestPrefix::new).transpose()?;
    if let Some(more) = words.next() {
        return Err(ArgumentProblem::Unexpected {
            typed: more.to_owned(),
            hint: ": a phase and its prompt's digest may stand there, and the answer below",
        });
    }
    Ok(Request::Respond {
        of,
        prompt,
        text: text.clone(),
    })
}
