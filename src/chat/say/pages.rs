//! Pages: what does not fit a card stands in full in numbered comments, because nobody approves what was not shown.

use super::markup::{code, digest, units};
use crate::workflow::ids::{Digest, WorkflowId};

/// How long a comment of ours may become, in UTF-16 units. GitHub takes 65,536 characters; the rest is left for the
/// hidden marker and for what an edit in the browser adds (`\r`).
pub const LONGEST: usize = 60_000;
/// Raw characters of one piece of a text. Escaped, they still fit a page.
pub const PIECE: usize = 6_000;
/// What a page's own heading may take.
const HEADING: usize = 200;

/// What stands together under one heading, in parts that may stand on different pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Repeated where the entry goes on on the next page.
    pub heading: String,
    /// Markdown; each part is whole in itself.
    pub parts: Vec<String>,
}

/// Puts entries on as few pages as reading in order allows.
pub fn bind(workflow: &WorkflowId, of: &Digest, entries: &[Entry]) -> Vec<String> {
    let mut pages = vec![String::new()];
    for entry in entries {
        let mut heading = entry.heading.clone();
        for (number, part) in entry.parts.iter().enumerate() {
            let text = if number == 0 {
                format!("{heading}\n\n{part}")
            } else {
                part.clone()
            };
            let page = pages.last_mut().expect("there is a first page");
            if page.is_empty() {
                *page = if number == 0 {
                    text
                } else {
                    format!("{heading}\n\n{part}")
                };
            } else if units(page) + units(&text) + 2 <= LONGEST - HEADING {
                page.push_str("\n\n");
                page.push_str(&text);
            } else {
                pages.push(format!("{heading}\n\n{part}"));
            }
            if number == 0 {
                heading.push_str(" (continued)");
            }
        }
    }
    let all = pages.len();
    let numbered = pages.iter().enumerate().map(|(at, page)| {
        let head = format!(
            "**Page {} of {all} of proposal {}** · workflow {}",
            at + 1,
            digest(of),
            code(workflow.as_str())
        );
        format!("{head}\n\n{page}")
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(heading: &str, parts: &[usize]) -> Entry {
        Entry {
            heading: heading.to_owned(),
            parts: parts.iter().map(|length| "x".repeat(*length)).collect(),
        }
    }

    #[test]
    fn entries_share_a_page_and_long_ones_go_on() {
        let of = Digest::of_bytes(b"p");
        let pages = bind(
            &"w1".into(),
            &of,
            &[
                entry("#### a", &[10]),
                entry("#### b", &[20]),
                entry("#### c", &[30_000, 40_000]),
            ],
        );
        assert_eq!(pages.len(), 2);
        assert!(pages[0].starts_with(&format!(
            "**Page 1 of 2 of proposal `{}`** · workflow `w1`\n\n#### a\n\nxxxxxxxxxx\n\n#### b\n\n",
            of.short()
        )));
        assert!(pages[1].contains("\n\n#### c (continued)\n\nxxx"));
        assert!(pages.iter().all(|page| units(page) <= LONGEST));
        assert_eq!(pages.concat().matches('x').count(), 70_030);
    }
}
