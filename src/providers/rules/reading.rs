//! From Markdown to lines that people said: without code blocks, quotes, tables, HTML and struck text.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::text::clean::github_flavour;

/// One line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As it is read, code spans in backticks.
    pub text: String,
    /// As it stands in the entry.
    pub source: String,
    /// What it is.
    pub kind: Kind,
    /// How deep in lists: 0 outside, 1 in a list, and so on.
    pub depth: usize,
    /// Nothing but a link, an image or code.
    pub bare: bool,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A heading of that level.
    Heading(HeadingLevel),
    /// A list item with an empty box.
    Open,
    /// A list item with a ticked box.
    Ticked,
    /// The first line of another list item.
    Item,
    /// Any other line.
    Plain,
}

/// The lines of a text, in order.
pub fn lines(text: &str) -> Vec<Line> {
    let mut reader = Reader {
        text,
        lines: Vec::new(),
        open: None,
        depth: 0,
        skipped: 0,
        silent: 0,
        kind: Kind::Plain,
    };
    for (event, range) in Parser::new_ext(text, github_flavour()).into_offset_iter() {
        reader.read(event, range);
    }
    reader.flush();
    reader.lines
}

struct Open {
    text: String,
    start: usize,
    end: usize,
    /// Anything outside links, images and code.
    words: bool,
}

struct Reader<'a> {
    text: &'a str,
    lines: Vec<Line>,
    open: Option<Open>,
    depth: usize,
    /// How many blocks that are not read enclose this.
    skipped: usize,
    /// How many links or images enclose this.
    silent: usize,
    kind: Kind,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>, range: std::ops::Range<usize>) {
        match event {
            Event::Start(tag) if unread(&tag) => {
                self.flush();
                self.skipped += 1;
            }
            Event::End(end) if unread_end(end) => self.skipped = self.skipped.saturating_sub(1),
            Event::Start(Tag::Strikethrough) => self.skipped += 1,
            Event::End(TagEnd::Strikethrough) => self.skipped = self.skipped.saturating_sub(1),
            Event::Start(Tag::List(_)) => {
                self.flush();
                self.depth += 1;
            }
            Event::End(TagEnd::List(_)) => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
            }
            Event::Start(Tag::Item) => {
                self.flush();
                self.kind = Kind::Item;
            }
            Event::Start(Tag::Heading { level, .. }) => {
                self.flush();
                self.kind = Kind::Heading(level);
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                self.silent += 1;
                self.push("", range, false);
            }
            Event::End(TagEnd::Link | TagEnd::Image) => self.silent = self.silent.saturating_sub(1),
            Event::Start(Tag::Emphasis | Tag::Strong) => self.push("", range, false),
            Event::TaskListMarker(ticked) => self.kind = if ticked { Kind::Ticked } else { Kind::Open },
            Event::Text(text) => {
                let words = self.silent == 0 && text.chars().any(char::is_alphanumeric) && !url(&text);
                self.push(&text, range, words);
            }
            Event::Code(code) => self.push(&format!("`{code}`"), range, false),
            Event::SoftBreak | Event::HardBreak => {
                self.flush();
                self.kind = Kind::Plain;
            }
            Event::Start(Tag::Paragraph) => {}
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => {
                self.flush();
                self.kind = Kind::Plain;
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str, range: std::ops::Range<usize>, words: bool) {
        if self.skipped > 0 {
            return;
        }
        let open = self.open.get_or_insert(Open {
            text: String::new(),
            start: range.start,
            end: range.end,
            words: false,
        });
        open.text.push_str(text);
        open.start = open.start.min(range.start);
        open.end = open.end.max(range.end);
        open.words |= words;
    }

    fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        let text = open.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return;
        }
        self.lines.push(Line {
            text,
            source: self.text[open.start..open.end].trim().to_owned(),
            kind: self.kind,
            depth: self.depth,
            bare: !open.words,
        });
    }
}

fn url(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.all(|word| word.starts_with("http://") || word.starts_with("https://"))
}

fn unread(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::BlockQuote(_) | Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_) | Tag::FootnoteDefinition(_)
    )
}

fn unread_end(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::BlockQuote(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Table | TagEnd::FootnoteDefinition
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Kind, usize)> {
        lines(text)
            .into_iter()
            .map(|line| (line.text, line.kind, line.depth))
            .collect()
    }

    #[test]
    fn only_what_was_said_is_read() {
        let text = "Hello\nthere\n\n> quoted\n> - [ ] Quoted box\n\n```\n- [ ] Code\n```\n\n<div>\n- [ ] Html\n</div>\n\n| a | b |\n| - | - |\n| c | d |\n";
        assert_eq!(
            read(text),
            [
                ("Hello".to_owned(), Kind::Plain, 0),
                ("there".to_owned(), Kind::Plain, 0)
            ]
        );
    }

    #[test]
    fn lists_keep_their_boxes_and_depth() {
        let text = "# Next steps\n\n- [ ] Write `x`\n  - sub\n- [x] Done\n- plain\n  more\n\n1. [ ] Two\n";
        assert_eq!(
            read(text),
            [
                ("Next steps".to_owned(), Kind::Heading(HeadingLevel::H1), 0),
                ("Write `x`".to_owned(), Kind::Open, 1),
                ("sub".to_owned(), Kind::Item, 2),
                ("Done".to_owned(), Kind::Ticked, 1),
                ("plain".to_owned(), Kind::Item, 1),
                ("more".to_owned(), Kind::Plain, 1),
                ("Two".to_owned(), Kind::Open, 1),
            ]
        );
    }

    #[test]
    fn the_source_is_exact_and_bare_lines_are_marked() {
        let text = "**Action:** *@bob* will [write](https://x.test) it\n\n- [ ] https://x.test/1\n- [ ] [Add it](https://x.test)\n- [ ] ~~Struck~~\n";
        let lines = lines(text);
        assert_eq!(lines[0].text, "Action: @bob will write it");
        assert_eq!(lines[0].source, "**Action:** *@bob* will [write](https://x.test) it");
        assert_eq!(
            lines.iter().map(|line| line.bare).collect::<Vec<_>>(),
            [false, true, true]
        );
    }
}
