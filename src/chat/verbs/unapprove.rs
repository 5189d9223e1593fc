//! `/unapprove`: take an approval back.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{Login, Request};
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "unapprove",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Takes back an approval that was not used yet.",
    usage: "/unapprove [@LOGIN]",
    details: "Your own, unless somebody is named; for somebody else's it takes maintain.",
    examples: &[
        Example {
            comment: "/unapprove",
            meaning: "takes your approval back",
        },
        Example {
            comment: "/unapprove @bob",
            meaning: "takes Bob's approval back",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let mut words = addressed.rest.split_whitespace();
    let of = match (words.next(), words.next()) {
        (Some(first), _) if first.starts_with('@') => Some(Login::new(first)?),
        // A name without its `@` would otherwise take back one's own.
        (Some(only), None) => {
            let hint = "; to take somebody else's approval back, write their name with `@`";
            return Err(ArgumentProblem::Unexpected {
                typed: only.to_owned(),
                hint,
            });
        }
        _ => None,
    };
    Ok(Request::Unapprove { of })
}
