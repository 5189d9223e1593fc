//! `/approve`: approve what is shown.

use super::{Example, Verb, free_text, refuse_opposite};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{DigestPrefix, ItemKey, Request};
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "approve",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Approves exactly what the card shows.",
    usage: "/approve [DIGEST] [REASON]\n/approve [DIGEST] complete\n/approve [DIGEST] revise",
    details: "The digest on the card names what is approved: the whole text, its recipients, its targets. Without \
        it, the digest that the card shows is meant, and if that changed a moment ago, you are asked again. \
        Tasks are chosen by their boxes on the card, not here. A reason may follow on the line or below it. \
        At a review, `complete` goes on although its verdict is *fail*, and `revise` goes back although it is *pass*.",
    examples: &[
        Example {
            comment: "/approve 3f9c0a417be2",
            meaning: "approves what has this digest",
        },
        Example {
            comment: "/approve",
            meaning: "approves what the card shows",
        },
        Example {
            comment: "/approve complete",
            meaning: "approves a review, and goes on whatever its verdict is",
        },
        Example {
            comment: "/approve 3f9c0a417be2\nChecked with the people who are on call.",
            meaning: "approves, with a reason",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let rest = addressed.rest.as_str();
    let (first, others) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let typed = bare(first);
    if ItemKey::is_meant_by(typed) {
        let hint = ": an approval is for everything that is ticked on the card, so tick or untick there";
        return Err(ArgumentProblem::Unexpected {
            typed: first.to_owned(),
            hint,
        });
    }
    refuse_opposite(addressed, "; to take an approval back: `/unapprove`")?;
    let is_flag = first
        .strip_prefix('-')
        .is_some_and(|flag| !flag.trim_start_matches('-').is_empty());
    if first.contains('=') || is_flag {
        return Err(ArgumentProblem::Unexpected {
            typed: first.to_owned(),
            hint: "",
        });
    }
    let (digest, reason) = match is_meant_as_digest(typed) {
        true => (Some(DigestPrefix::new(typed)?), others),
        false => (None, rest),
    };
    let verdict = [ReviewVerdict::Pass, ReviewVerdict::Fail]
        .into_iter()
        .find(|verdict| reason.trim().eq_ignore_ascii_case(word(*verdict)));
    let reason = if verdict.is_some() { "" } else { reason };
    Ok(Request::Approve {
        digest,
        reason: free_text(reason, addressed),
        verdict,
    })
}

/// What is written to have a review count so. As the first word of a longer reason it is only a word.
pub fn word(verdict: ReviewVerdict) -> &'static str {
    match verdict {
        ReviewVerdict::Pass => "complete",
        ReviewVerdict::Fail => "revise",
    }
}

/// Without what people copy or type around a digest.
pub(super) fn bare(word: &str) -> &str {
    let around = |c: char| {
        matches!(
            c,
            '`' | '"' | '\'' | '<' | '>' | '[' | ']' | '(' | ')' | '.' | ',' | ':' | ';' | '…'
        )
    };
    let word = word.trim_matches(around);
    match word.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &word[7..],
        _ => word,
    }
}

/// Whether somebody tried to name a digest: a misspelt or shortened one must not turn into the reason of an approval
/// of whatever is on the card.
pub(super) fn is_meant_as_digest(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_one_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_hex && word.len() >= 12)
        || (is_hex && digits > 0 && word.len() >= 6)
        || (is_one_word && digits > 1 && word.len() >= 10)
}
