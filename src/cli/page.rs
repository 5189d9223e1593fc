//! Pages for a terminal: columns that stand under each other, times in UTC, and nothing that a terminal would obey.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use crate::workflow::state::Timestamp;

/// How a heading looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// As any other line.
    Plain,
    /// Bold, for a terminal.
    Bold,
}

impl Ink {
    /// Bold where a person looks on, and did not ask for no colour (<https://no-color.org>).
    pub(super) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stdout().is_terminal() && !unwanted {
            Self::Bold
        } else {
            Self::Plain
        }
    }

    /// A heading.
    pub(super) fn heading(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Bold => format!("\x1b[1m{text}\x1b[0m"),
        }
    }
}

/// Rows under a heading, in columns as wide as they must be; the last one ends where its text ends.
#[derive(Debug)]
pub(super) struct Table<const COLUMNS: usize> {
    heading: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// Without rows yet.
    pub(super) fn new(heading: [&'static str; COLUMNS]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    /// Adds a row; text of several lines becomes one.
    pub(super) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells.map(|cell| one_line(&cell)));
    }

    /// As text.
    pub(super) fn page(&self, ink: Ink) -> String {
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.heading[column].len()]).max().unwrap_or_default()
        });
        let mut page = ink.heading(&line(&self.heading.map(str::to_owned), &widths));
        page.push('\n');
        for row in &self.rows {
            page.push_str(&line(row, &widths));
            page.push('\n');
        }
        page
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(line, "{cell:width$}  ");
    }
    line.trim_end().to_owned()
}

/// A name and a value under each other, aligned.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut page = String::new();
    for (name, value) in facts {
        let _ = writeln!(page, "{name:width$}  {}", one_line(value));
    }
    page
}

/// A moment to the second.
pub(super) fn moment(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The first line of a text, and a sign that there was more.
fn one_line(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default().trim_end();
    let more = if lines.next().is_some() { " …" } else { "" };
    harmless(&format!("{first}{more}"))
}

/// Text without what steers a terminal or turns the order of letters: people wrote it, and an operator reads it.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::new(["ID", "WHAT"]);
        table.row(["w1".to_owned(), "é is one letter".to_owned()]);
        table.row(["longer".to_owned(), "first\nsecond".to_owned()]);
        assert_eq!(
            table.page(Ink::Plain),
            "ID      WHAT\nw1      é is one letter\nlonger  first …\n"
        );
    }

    #[test]
    fn a_heading_is_bold_only_where_it_is_asked_for() {
        let table = Table::new(["ID"]);
        assert_eq!(table.page(Ink::Bold), "\x1b[1mID\x1b[0m\n");
        assert_eq!(table.page(Ink::Plain), "ID\n");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_people_wrote() {
        let page = facts(&[("title", "\x1b]0;owned\x07 \u{202e}txt".to_owned())]);
        assert_eq!(page, "title  \u{fffd}]0;owned\u{fffd} \u{fffd}txt\n");
    }
}
