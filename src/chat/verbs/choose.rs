//! `/choose`: choose one of several variants.

use super::approve::{Behind, bare, is_meant_as_digest, refuse_second_thoughts};
use super::{Example, Verb, free_text, refuse_opposite};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{DigestPrefix, Request};
use crate::workflow::right::{Requirement, Right};
use crate::workflow::variants::Letter;

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "choose",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Chooses one of the variants that the card compares.",
    usage: "/choose LETTER [DIGEST]\n/choose LETTER DIGEST REASON\n/choose LETTER because REASON",
    details: "A choice is an approval: it goes through the same gate, and where several people must approve, they must \
        choose the same. The digest on the card names the comparison; without it, the one that the card shows is meant. \
        A reason stands on the lines below, behind the digest, or begins with “because”, as with `/approve`. \
        A variant that was not made cannot be chosen; `/retry B` has it made anew, and then there is a new comparison.",
    examples: &[
        Example {
            comment: "/choose B 3f9c0a417be2",
            meaning: "chooses variant B of the comparison that has this digest",
        },
        Example {
            comment: "/choose B\nIt can be taken back in a minute.",
            meaning: "chooses variant B of what the card shows, with a reason",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let rest = addressed.rest.trim();
    let (first, others) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if first.is_empty() {
        return Err(ArgumentProblem::Missing(
            "Which one? The letter of a variant has to stand after the command.",
        ));
    }
    refuse_opposite(addressed, "; to end the workflow: `/cancel`")?;
    let Some(variant) = Letter::read(bare(first)) else {
        return Err(ArgumentProblem::BadValue {
            what: "variant",
            value: first.to_owned(),
            expected: "the letter that it has on the card, such as B",
        });
    };
    let others = others.trim_start();
    let (second, reason) = others.split_once(char::is_whitespace).unwrap_or((others, ""));
    let (digest, reason) = match is_meant_as_digest(bare(second)) {
        true => (Some(DigestPrefix::new(bare(second))?), reason),
        false => (None, others),
    };
    let command = match &digest {
        Some(digest) => format!("/{} {variant} {digest}", VERB.name),
        None => format!("/{} {variant}", VERB.name),
    };
    let behind = digest.as_ref().map_or(Behind::TheVerb, |_| Behind::ADigest);
    refuse_second_thoughts(reason, behind, &command)?;
    Ok(Request::Choose {
        variant,
        digest,
        reason: free_text(reason, addressed),
    })
}
