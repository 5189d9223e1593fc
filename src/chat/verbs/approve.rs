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
    usage: "/approve [DIGEST]\n/approve DIGEST REASON\n/approve because REASON\n/approve [DIGEST] complete\n\
        /approve [DIGEST] revise",
    details: "The digest on the card names what is approved: the whole text, its recipients, its targets. Without \
        it, the digest that the card shows is meant, and if that changed a moment ago, you are asked again. \
        Tasks are chosen by their boxes on the card, not here. A reason may stand on the lines below. On the line of \
        the command it stands behind the digest, or begins with “because”: other words there, such as “not yet”, “if …” \
        or “#1”, may mean the opposite, and nothing is approved. \
        At a review, `complete` goes on although its verdict is *fail*, and `revise` goes back although it is *pass*. \
        The label `countersign:approve` means what the card shows; it is taken off once it was heard.",
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
        Example {
            comment: "/approve because the people who are on call have checked it",
            meaning: "approves what the card shows, with a reason on the line",
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
    let (digest, words) = match is_meant_as_digest(typed) {
        true => (Some(DigestPrefix::new(typed)?), others),
        false => (None, rest),
    };
    let (verdict, words) = verdict_of(words.trim());
    let command = match &digest {
        Some(digest) => format!("/{} {digest}", VERB.name),
        None => format!("/{}", VERB.name),
    };
    let behind = digest.as_ref().map_or(Behind::TheVerb, |_| Behind::ADigest);
    refuse_second_thoughts(words, behind, &command)?;
    Ok(Request::Approve {
        digest,
        reason: free_text(words, addressed),
        verdict,
    })
}

/// The verdict that words begin with, where nothing but a reason that says so follows it, and the words behind it.
fn verdict_of(words: &str) -> (Option<ReviewVerdict>, &str) {
    let (first, others) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let others = others.trim();
    let verdict = [ReviewVerdict::Pass, ReviewVerdict::Fail]
        .into_iter()
        .find(|verdict| first.eq_ignore_ascii_case(word(*verdict)));
    match verdict {
        Some(verdict) if others.is_empty() || begins_with(others, BECAUSE) => (Some(verdict), others),
        _ => (None, words),
    }
}

/// What stands before the words on the line of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The verb, and the letter of a variant where one is chosen: what the card shows is meant.
    TheVerb,
    /// A digest: whoever copies it means it.
    ADigest,
}

/// What a reason begins with that is one for certain.
const BECAUSE: &[&str] = &["because"];

/// What words begin with that take an approval back, or make it depend on something.
const SECOND_THOUGHTS: &[&str] = &[
    "no", "not", "nope", "never", "don't", "don’t", "dont", "do not", "wait", "later", "cancel", "reject", "hold",
    "stop", "if", "unless", "once", "when", "after", "until", "till", "but", "except", "without", "only", "or",
    "complete", "revise",
];

/// Whether the first words are among these.
fn begins_with(words: &str, these: &[&str]) -> bool {
    let lower = words.to_lowercase();
    let mut rests = these.iter().filter_map(|one| lower.strip_prefix(one));
    rests.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
}

/// Words on the line of an approval may say that it is none (“not yet”, “#1”, “later?”): they must not become the reason
/// of one.
pub(super) fn refuse_second_thoughts(words: &str, behind: Behind, command: &str) -> Result<(), ArgumentProblem> {
    let words = words.trim();
    let doubtful = match behind {
        Behind::TheVerb => true,
        Behind::ADigest => begins_with(words, SECOND_THOUGHTS) || words.ends_with('?'),
    };
    match words.is_empty() || begins_with(words, BECAUSE) || !doubtful {
        true => Ok(()),
        false => Err(ArgumentProblem::SecondThoughts {
            said: words.to_owned(),
            command: command.to_owned(),
        }),
    }
}

/// What is written to have a review count so.
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

/// Whether somebody tried to name a digest: a misspelt or shortened one is answered as that.
pub(super) fn is_meant_as_digest(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_one_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_hex && word.len() >= 12)
        || (is_hex && digits > 0 && word.len() >= 4)
        || (is_one_word && digits > 1 && word.len() >= 10)
}
