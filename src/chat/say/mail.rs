//! A mail on the card and on its pages.

use super::markup::{fenced, name, paragraphs, pieces};
use super::pages::{Entry, PIECE};
use super::view::MailView;
use crate::text::harmless::literal;

/// The longest subject; a mail's header line has 998 characters at most (RFC 5322, 2.1.1).
const SUBJECT: usize = 998;

/// Recipients, subject and text.
pub fn full(view: &MailView) -> String {
    paragraphs(&[envelope(view), fenced(&view.text, "text")])
}

/// Recipients and subject; the text stands on the pages.
pub fn index(view: &MailView) -> String {
    envelope(view)
}

/// The same for pages.
pub fn entries(view: &MailView) -> Vec<Entry> {
    let mut parts = vec![envelope(view)];
    parts.extend(
        pieces(&view.text, PIECE)
            .into_iter()
            .map(|piece| fenced(piece.strip_suffix('\n').unwrap_or(piece), "text")),
    );
    vec![Entry {
        heading: "#### The mail".to_owned(),
        parts,
    }]
}

fn envelope(view: &MailView) -> String {
    let addresses = |all: &[String]| all.iter().map(|address| name(address)).collect::<Vec<_>>().join(", ");
    let mut lines = vec![format!("**To** {}", addresses(&view.to))];
    if !view.cc.is_empty() {
        lines.push(format!("**Cc** {}", addresses(&view.cc)));
    }
    lines.push(format!("**Subject** {}", literal::inline(&view.subject, SUBJECT)));
    lines.join("\n")
}
