//! `/explain`: why something was or was not done.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::Requirement;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "explain",
    aliases: &[],
    requirement: Requirement::ANYONE,
    summary: "Says why something was or was not done.",
    usage: "/explain [COMMENT]",
    details: "COMMENT is the address of a comment (its menu has *Copy link*) or its number. Without it, what \
        happened last is explained.",
    examples: &[
        Example {
            comment: "/explain",
            meaning: "explains what happened last",
        },
        Example {
            comment: "/explain https://github.com/octo/app/issues/7#issuecomment-2081",
            meaning: "explains what became of that comment",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let Some(typed) = addressed.rest.split_whitespace().next() else {
        return Ok(Request::Explain { about: None });
    };
    // `123`, `#123`, `…/issues/7#issuecomment-123`, `…#discussion_r123`: the last number is the comment's.
    let last = typed
        .trim_matches(['<', '>'])
        .rsplit(|c: char| !c.is_ascii_digit())
        .next();
    match last.and_then(|digits| digits.parse().ok()) {
        Some(id) => Ok(Request::Explain { about: Some(id) }),
        None => Err(ArgumentProblem::BadValue {
            what: "comment",
            value: typed.to_owned(),
            expected: "the address of a comment, or its number",
        }),
    }
}
