//! Why the arguments of a command cannot be taken, in words.

use crate::chat::say::code;
use crate::text::arguments::Unsplit;
use crate::text::harmless::literal;

/// Why a command's arguments cannot be taken. Its text is the sentence that the person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentProblem {
    /// A quoted value has no end on its line.
    #[error("The quote {0} is never closed on that line.")]
    UnclosedQuote(char),
    /// `"a"b`
    #[error("There has to be a space after the closing quote of “{}”.", shown(.0))]
    TextAfterQuote(String),
    /// `a=1 a=2`
    #[error("`{0}=` is given twice.")]
    DuplicateField(String),
    /// A name before `=` that is no field.
    #[error("There is no field `{key}`{}", did_you_mean(.suggestion))]
    UnknownField {
        /// As typed, in lower case.
        key: String,
        /// The closest field.
        suggestion: Option<&'static str>,
    },
    /// A value that its field does not take.
    #[error("“{}” is no {what}: it has to be {expected}.", shown(.value))]
    BadValue {
        /// What was expected, as a noun.
        what: &'static str,
        /// As typed.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// Something that the verb cannot do without.
    #[error("{0}")]
    Missing(&'static str),
    /// Words on the line of an approval that may say otherwise.
    #[error("{}", second_thoughts(.said, .command))]
    SecondThoughts {
        /// As typed.
        said: String,
        /// What stands before them, as it is understood.
        command: String,
    },
    /// Something that the verb does not take.
    #[error("“{}” is more than this command takes{hint}.", shown(.typed))]
    Unexpected {
        /// As typed.
        typed: String,
        /// What to do instead, beginning with punctuation; may be empty.
        hint: &'static str,
    },
}

fn shown(typed: &str) -> String {
    literal::inline(typed, 60)
}

fn second_thoughts(said: &str, command: &str) -> String {
    format!(
        "Nothing was approved: “{}” on the line of the command may mean that it should not be. If it is the reason: {}. \
         If it is a no: {}. If it is to wait: {}.",
        shown(said),
        code(&format!("{command} because {said}")),
        code(&format!("/reject {said}")),
        code(&format!("/hold {said}"))
    )
}

fn did_you_mean(field: &Option<&'static str>) -> String {
    match field {
        Some(name) => format!("; did you mean `{name}=`?"),
        None => ".".to_owned(),
    }
}

impl From<Unsplit> for ArgumentProblem {
    fn from(problem: Unsplit) -> Self {
        match problem {
            Unsplit::UnclosedQuote(quote) => Self::UnclosedQuote(quote),
            Unsplit::TextAfterQuote(value) => Self::TextAfterQuote(value),
            Unsplit::DuplicateName(name) => Self::DuplicateField(name),
            Unsplit::UnquotedList(value) => Self::BadValue {
                what: "list",
                value,
                expected: "in quotes when there are spaces in it, as in \"a, b\"",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::arguments::split;

    #[test]
    fn mistakes_have_sentences() {
        let sentence = |line| ArgumentProblem::from(split(line).unwrap_err()).to_string();
        assert_eq!(
            sentence("title=\"Write it"),
            "The quote \" is never closed on that line."
        );
        assert_eq!(sentence("title=“Write it"), "The quote “ is never closed on that line.");
        assert_eq!(sentence("a=1 A=2"), "`a=` is given twice.");
        assert_eq!(
            sentence("a=\"x\"b=\"y\""),
            "There has to be a space after the closing quote of “x”."
        );
        assert!(sentence("depends=t1, t3").contains("in quotes"));
    }
}
