//! `/retry`: tries again what failed.

use super::approve::bare;
use super::{Example, Verb, no_arguments};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right};
use crate::workflow::variants::Letter;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "retry",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Tries again what failed.",
    usage: "/retry\n/retry LETTER",
    details: "Only what failed is done again; what succeeded is not repeated. With the letter of a variant, that one is \
        made anew, as it is specified; a comparison that shows it is void then, and there is a new one. After all \
        variants were rejected, `/retry` has every one of them made anew.",
    examples: &[
        Example {
            comment: "/retry",
            meaning: "tries the failed phase again",
        },
        Example {
            comment: "/retry B",
            meaning: "has variant B made anew",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    // A letter among other words is no variant's: people write “I” and “a”.
    let variant = Letter::read(bare(addressed.rest.trim()));
    if variant.is_none() {
        no_arguments(addressed)?;
    }
    Ok(Request::Retry { variant })
}
