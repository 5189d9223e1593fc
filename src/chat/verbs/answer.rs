//! `/answer`: answer one of the questions that were asked.

use super::{Example, Verb, free_text};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::Request;
use crate::workflow::right::{Requirement, Right, Standing};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "answer",
    aliases: &[],
    requirement: Requirement {
        right: Right::Triage,
        or: &[Standing::Author, Standing::Assignee],
    },
    summary: "Answers one of the questions that were asked.",
    usage: "/answer NUMBER TEXT",
    details: "The questions stand, numbered, in one comment. An answer may go on below the line. A reply that quotes one \
        question and answers below the quote is taken for it, without any command. It is taken once and stays; once all questions are answered, the work goes on with the answers.",
    examples: &[
        Example {
            comment: "/answer 2 Version 1.4, on Windows.",
            meaning: "answers the second question",
        },
        Example {
            comment: "/answer 1\nOpen the cart.\nPress *Pay* twice.",
            meaning: "answers the first, in several lines",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let rest = addressed.rest.trim();
    let (first, others) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let digits = first.trim_start_matches('#').trim_end_matches(['.', ':', ')', ',']);
    if digits.is_empty() {
        return Err(ArgumentProblem::Missing(
            "Which question? Its number has to stand after the command.",
        ));
    }
    let number = digits.parse::<u32>().ok().filter(|number| *number > 0);
    let Some(question) = number.filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit())) else {
        return Err(ArgumentProblem::BadValue {
            what: "question",
            value: first.to_owned(),
            expected: "the number that it has in the comment of questions, such as 2",
        });
    };
    let text = free_text(others, addressed).or_else(|| addressed.fenced.clone());
    match text.filter(|text| !text.trim().is_empty()) {
        Some(text) => Ok(Request::Answer { question, text }),
        None => Err(ArgumentProblem::Missing(
            "The answer is empty: it has to stand after the number, or below.",
        )),
    }
}
