//! `/prompt`: shows a prompt that waits for an answer by hand.

use super::approve::bare;
use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "prompt",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Shows a prompt that waits for an answer by hand.",
    usage: "/prompt [PHASE]",
    details: "Give the prompt to any model or person and hand in the answer with `/respond`. Where several prompts wait, \
        name the phase; of a variant its letter will do.",
    examples: &[
        Example {
            comment: "/prompt",
            meaning: "shows the prompt",
        },
        Example {
            comment: "/prompt B",
            meaning: "shows the prompt of variant B",
        },
    ],
    parse,
};

/// The longest name of a phase that is looked for.
const LONGEST: usize = 80;

/// A phase as people name it, in lower case.
pub(super) fn phase(word: &str) -> Result<String, ArgumentProblem> {
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if word.is_empty() || word.len() > LONGEST || !word.chars().all(is_name) {
        return Err(ArgumentProblem::BadValue {
            what: "phase",
            value: word.to_owned(),
            expected: "a phase's name, or a variant's letter, as it stands on the card",
        });
    }
    Ok(word.to_lowercase())
}

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let mut words = addressed.rest.split_whitespace();
    let of = words.next().map(|word| phase(bare(word))).transpose()?;
    match words.next() {
        None => Ok(Request::Prompt { of }),
        Some(more) => Err(ArgumentProblem::Unexpected {
            typed: more.to_owned(),
            hint: ": one phase may be named",
        }),
    }
}
