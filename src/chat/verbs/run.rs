//! `/run`: starts a workflow of a definition by its name.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::text::arguments::{self, Argument};
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "run",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Starts a workflow of a definition by its name.",
    usage: "/run DEFINITION [INPUT=VALUE …]",
    details: "What a definition asks for is given by name; a value with spaces goes in quotes. If something is missing \
        or wrong, nothing starts and the answer says what. One workflow is open at a time. What asks for nothing is started \
        by a label as well: `countersign:NAME`, which is taken off once it was heard.",
    examples: &[
        Example {
            comment: "/run tasks",
            meaning: "starts the definition `tasks`",
        },
        Example {
            comment: "/run generate goal=\"A client for the billing API\"",
            meaning: "starts the definition `generate` with what it asks for",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let mut definition = None;
    let mut given = Vec::new();
    for argument in arguments::split(&addressed.rest)? {
        match argument {
            Argument::Named { key, value } => given.push((key, value)),
            Argument::Positional { value, .. } if definition.is_none() => definition = Some(value.to_lowercase()),
            Argument::Positional { raw, .. } => {
                return Err(ArgumentProblem::Unexpected {
                    typed: raw.to_owned(),
                    hint: "; what is given has a name, as in `goal=\"…\"`",
                });
            }
        }
    }
    let definition = definition.ok_or(ArgumentProblem::Missing("Which definition?"))?;
    Ok(Request::Run { definition, given })
}
