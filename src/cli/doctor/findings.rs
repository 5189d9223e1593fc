//! What was found, for people and for programs.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::answer::{Answer, Refusal};

/// What was found, in the order in which it was looked at.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings(Vec<Finding>);

#[derive(Debug, Serialize)]
struct Finding {
    area: &'static str,
    verdict: Verdict,
    said: String,
    /// What to do about it.
    then: Option<Cow<'static, str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Fine,
    Doubtful,
    Wrong,
}

impl Findings {
    /// As it should be.
    pub(super) fn fine(&mut self, area: &'static str, said: impl ToString) {
        self.add(area, Verdict::Fine, said, None);
    }

    /// As it should be, and where more is to be had.
    pub(super) fn fine_then(&mut self, area: &'static str, said: impl ToString, then: impl Into<Cow<'static, str>>) {
        self.add(area, Verdict::Fine, said, Some(then.into()));
    }

    /// Somebody should look, though the server works.
    pub(super) fn doubtful(&mut self, area: &'static str, said: impl ToString, then: impl Into<Cow<'static, str>>) {
        self.add(area, Verdict::Doubtful, said, Some(then.into()));
    }

    /// Something will not work.
    pub(super) fn wrong(&mut self, area: &'static str, said: impl ToString, then: impl Into<Cow<'static, str>>) {
        self.add(area, Verdict::Wrong, said, Some(then.into()));
    }

    /// Something will not work, in a sentence that ends, behind its last colon, with what to do about it.
    pub(super) fn wrong_as_told(&mut self, area: &'static str, sentence: impl ToString) {
        let sentence = sentence.to_string();
        match sentence.rsplit_once(": ") {
            Some((said, then)) => self.wrong(area, said, then.to_owned()),
            None => self.wrong(area, sentence, "correct it, then look again"),
        }
    }

    fn add(&mut self, area: &'static str, verdict: Verdict, said: impl ToString, then: Option<Cow<'static, str>>) {
        let said = said.to_string();
        self.0.push(Finding {
            area,
            verdict,
            said,
            then,
        });
    }

    /// A refusal if anything is wrong.
    pub(super) fn answer(self) -> Result<Answer, Refusal> {
        let data = serde_json::json!({ "findings": self.0 });
        let wrong = self.0.iter().filter(|finding| finding.verdict == Verdict::Wrong);
        match wrong.count() {
            0 => Ok(Answer::new(data, self.page())),
            count => Err(
                Refusal::failed(format!("{count} of {} findings are wrong", self.0.len()))
                    .with(data)
                    .after(self.page()),
            ),
        }
    }

    fn page(&self) -> String {
        let mut page = String::new();
        for finding in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "{}", finding.line());
        }
        page
    }
}

impl Finding {
    fn line(&self) -> String {
        let mark = match self.verdict {
            Verdict::Fine => "ok  ",
            Verdict::Doubtful => "look",
            Verdict::Wrong => "no  ",
        };
        let then = self.then.as_ref().map(|then| format!(" → {then}")).unwrap_or_default();
        format!("{mark}  {:<13} {}{then}", self.area, self.said)
    }
}
