//! `/cancel`: ends the workflow; what was already done stays.

use super::{Example, Verb, free_text};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right, Standing};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "cancel",
    aliases: &["stop"],
    requirement: Requirement {
        right: Right::Write,
        or: &[Standing::Author],
    },
    summary: "Ends the workflow; what was already done stays.",
    usage: "/cancel [REASON]",
    details: "A cancelled workflow cannot be taken up again, but a new one can be started.",
    examples: &[
        Example {
            comment: "/cancel",
            meaning: "ends it",
        },
        Example {
            comment: "/cancel We do this by hand.",
            meaning: "ends it, with a reason",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    Ok(Request::Cancel {
        reason: free_text(&addressed.rest, addressed),
    })
}
