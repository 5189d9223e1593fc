//! An answer that is given by quoting: GitHub's quote reply puts `> ` before each line, and what is said stands below.

/// What somebody quoted, and what they said to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    lines: Vec<String>,
    /// What stands outside of the quotes; never blank.
    pub text: String,
}

/// The fewest letters and digits by which part of a question is recognised.
const RECOGNISED: usize = 8;

/// Reads a comment that begins with a quote and says something below it.
pub fn quoted(body: &str) -> Option<Quoted> {
    let mut lines = Vec::new();
    let mut text = Vec::new();
    for line in body.lines() {
        match line.trim_start().strip_prefix('>') {
            // What is quoted within a quote was said by somebody else.
            Some(quote) if !quote.trim_start().starts_with('>') => lines.push(quote.trim().to_owned()),
            Some(_) => {}
            None if lines.is_empty() && !line.trim().is_empty() => return None,
            None => text.push(line),
        }
    }
    let text = text.join("\n").trim().to_owned();
    (!lines.is_empty() && !text.is_empty()).then_some(Quoted { lines, text })
}

impl Quoted {
    /// The numbers of the questions, from 1, that stand in the quote: whole, or their number with how they begin.
    pub fn of<'q>(&self, questions: impl Iterator<Item = &'q str>) -> Vec<u32> {
        let questions = (1..).zip(questions.map(plain));
        questions
            .filter(|(number, question)| self.lines.iter().any(|line| is_of(line, *number, question)))
            .map(|(number, _)| number)
            .collect()
    }
}

fn is_of(line: &str, number: u32, question: &str) -> bool {
    let (given, rest) = numbered(line);
    let rest = plain(rest);
    match given {
        _ if rest == question => given.is_none_or(|given| given == number),
        Some(given) => given == number && rest.len() >= RECOGNISED && question.starts_with(&rest),
        None => false,
    }
}

/// The number that a line begins with, and the rest.
fn numbered(line: &str) -> (Option<u32>, &str) {
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    let (number, rest) = line.split_at(digits);
    match (number.parse(), rest.strip_prefix(['.', ')'])) {
        (Ok(number), Some(rest)) => (Some(number), rest),
        _ => (None, line),
    }
}

/// Letters and digits alone: Markdown that was rendered and quoted again is written otherwise.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTIONS: [&str; 3] = ["Which steps lead to it?", "What did you `expect`?", "In which version?"];

    fn numbers(body: &str) -> Option<(Vec<u32>, String)> {
        let quoted = quoted(body)?;
        Some((quoted.of(QUESTIONS.into_iter()), quoted.text))
    }

    #[test]
    fn a_question_is_known_by_its_words_and_its_number() {
        for (body, expected) in [
            (
                "> 2. What did you expect?\n\nOne payment.",
                Some((vec![2], "One payment.")),
            ),
            (
                "> What did you `expect`?\r\n\r\nOne.\r\nOnly one.",
                Some((vec![2], "One.\nOnly one.")),
            ),
            ("> 1. Which steps\n\nPress Pay.", Some((vec![1], "Press Pay."))),
            (
                "> 1. Which steps lead to it?\n>    Why: it matters\n\nPay",
                Some((vec![1], "Pay")),
            ),
            (
                "> 1. Which steps lead to it?\n> 3. In which version?\n\n1.4",
                Some((vec![1, 3], "1.4")),
            ),
            (
                "> 2. Which steps lead to it?\n\nanother's number",
                Some((vec![], "another's number")),
            ),
            ("> 2. Pay\n\nanother list", Some((vec![], "another list"))),
            ("> > 2. What did you expect?\n\nquoted twice", None),
            ("I say\n> 2. What did you expect?\nsomething", None),
            ("> 2. What did you expect?\n\n", None),
            ("no quote", None),
        ] {
            let expected = expected.map(|(numbers, text): (Vec<u32>, &str)| (numbers, text.to_owned()));
            assert_eq!(numbers(body), expected, "{body}");
        }
    }
}
