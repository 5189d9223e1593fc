//! `/hold`: stops the workflow until somebody releases it.

use super::{Example, Verb, free_text, refuse_opposite};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right, Standing};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "hold",
    aliases: &["pause"],
    requirement: Requirement {
        right: Right::Triage,
        or: &[Standing::Author, Standing::Assignee],
    },
    summary: "Stops the workflow until somebody releases it.",
    usage: "/hold [REASON]",
    details: "Nothing leaves the system meanwhile. `/unhold` lets it go on. The label `countersign:hold` says the same \
        without a reason.",
    examples: &[
        Example {
            comment: "/hold",
            meaning: "stops it",
        },
        Example {
            comment: "/hold Waiting for the security review.",
            meaning: "stops it, with a reason",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    refuse_opposite(addressed, "; to let it go on: `/unhold`")?;
    Ok(Request::Hold {
        reason: free_text(&addressed.rest, addressed),
    })
}
