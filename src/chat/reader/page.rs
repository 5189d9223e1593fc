//! A comment as its reader sees it: which lines are ordinary text, what is hidden, what is quoted.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::text::visible::{is_blank, is_hidden};

/// HTML elements whose content is somebody else's words, an illustration, or folded away. Markdown inside them is
/// rendered by GitHub, but a command in it is not a line of ordinary text.
const CLOSING_IN: &[&str] = &[
    "a",
    "blockquote",
    "code",
    "del",
    "details",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "kbd",
    "ol",
    "pre",
    "q",
    "s",
    "samp",
    "strike",
    "summary",
    "table",
    "template",
    "ul",
];

/// A parsed comment.
pub struct Page<'s> {
    source: &'s str,
    /// Paragraphs that stand at the top level.
    paragraphs: Vec<Range<usize>>,
    /// Text in which a command may begin.
    open: Vec<Range<usize>>,
    /// Block quotes and HTML comments: neither a reason nor an argument.
    dropped: Vec<Range<usize>>,
    fences: Vec<Fence>,
    /// The code spans of the top level, as long as nothing else is visible.
    only_code: Option<Vec<Range<usize>>>,
}

struct Fence {
    start: usize,
    content: String,
}

impl<'s> Page<'s> {
    /// Parses a comment whose lines end in `\n`.
    pub fn parse(source: &'s str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM;
        let mut walk = Walk::new(source);
        for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
            walk.step(event, range);
        }
        walk.page
    }

    /// The lines whose first visible character is ordinary text, without their line ends.
    pub fn open_lines(&self) -> impl Iterator<Item = Range<usize>> {
        self.paragraphs
            .iter()
            .flat_map(|paragraph| self.lines(paragraph.clone()))
            .filter(|line| {
                let text = &self.source[line.clone()];
                let first = text.find(|c| !is_blank(c) && !is_hidden(c));
                first.is_some_and(|first| contains(&self.open, line.start + first))
            })
    }

    fn lines(&self, paragraph: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mut start = paragraph.start;
        self.source[paragraph].split_inclusive('\n').map(move |line| {
            let from = start;
            start += line.len();
            let broken = line.strip_suffix("\\\n"); // a hard break's backslash is no part of the text
            from..from + broken.unwrap_or(line).trim_end_matches('\n').len()
        })
    }

    /// The source in this range without what is hidden or quoted.
    pub fn visible(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        let mut at = range.start;
        let first = self.dropped.partition_point(|dropped| dropped.end <= range.start);
        for dropped in &self.dropped[first..] {
            if dropped.start >= range.end {
                break;
            }
            text.push_str(&self.source[at..dropped.start.max(at)]);
            at = dropped.end.clamp(at, range.end);
        }
        text.push_str(&self.source[at..range.end]);
        text.retain(|c| !is_hidden(c));
        text
    }

    /// The content of the first fenced code block that begins in this range.
    pub fn first_fence(&self, range: &Range<usize>) -> Option<String> {
        let fence = self.fences.iter().find(|fence| range.contains(&fence.start))?;
        // The line break before the closing fence belongs to the fence.
        Some(fence.content.strip_suffix('\n').unwrap_or(&fence.content).to_owned())
    }

    /// The inside of a code span in single backticks that is all there is to see: a command copied with the
    /// backticks that it was shown in.
    pub fn pasted(&self) -> Option<Range<usize>> {
        let [span] = self.only_code.as_deref()? else {
            return None;
        };
        let inside = self.source[span.clone()].strip_prefix('`')?.strip_suffix('`')?;
        if inside.contains(['`', '\n']) {
            return None;
        }
        Some(span.start + 1..span.end - 1)
    }
}

fn contains(sorted: &[Range<usize>], offset: usize) -> bool {
    let after = sorted.partition_point(|range| range.start <= offset);
    after > 0 && sorted[after - 1].contains(&offset)
}

/// The state of a walk over a comment's events.
struct Walk<'s> {
    page: Page<'s>,
    /// How many elements are open in which no command may begin.
    closed: usize,
    /// Elements opened by HTML tags, of [`CLOSING_IN`].
    tags: Vec<String>,
    /// How many of them were open when the current paragraph began.
    tags_outside: usize,
    in_fence: bool,
}

impl<'s> Walk<'s> {
    fn new(source: &'s str) -> Self {
        let page = Page {
            source,
            paragraphs: Vec::new(),
            open: Vec::new(),
            dropped: Vec::new(),
            fences: Vec::new(),
            only_code: Some(Vec::new()),
        };
        Self {
            page,
            closed: 0,
            tags: Vec::new(),
            tags_outside: 0,
            in_fence: false,
        }
    }

    fn step(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(TagEnd::Paragraph) => {
                // The paragraph's end closes what was opened in it, as a browser does.
                self.tags.truncate(self.tags_outside);
            }
            Event::End(TagEnd::Emphasis | TagEnd::Strong) => {}
            Event::End(tag) => {
                self.closed = self.closed.saturating_sub(1);
                self.in_fence &= tag != TagEnd::CodeBlock;
            }
            Event::Text(text) => self.text(&text, range),
            Event::Code(_) => match &mut self.page.only_code {
                Some(spans) if self.closed == 0 => spans.push(range),
                _ => {}
            },
            Event::InlineHtml(_) => self.html(range),
            Event::SoftBreak | Event::HardBreak | Event::Html(_) => {}
            Event::Rule
            | Event::TaskListMarker(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => self.page.only_code = None,
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => {
                self.tags_outside = self.tags.len();
                if self.closed == 0 {
                    self.page.paragraphs.push(range);
                }
                return;
            }
            Tag::HtmlBlock => self.html(range),
            Tag::BlockQuote(_) => {
                self.page.only_code = None;
                self.drop(range);
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) if self.closed == 0 => {
                self.page.only_code = None;
                self.page.fences.push(Fence {
                    start: range.start,
                    content: String::new(),
                });
                self.in_fence = true;
            }
            _ => self.page.only_code = None,
        }
        // Emphasis is part of ordinary text: a stray asterisk above a command must not hide it.
        if !matches!(tag, Tag::Emphasis | Tag::Strong) {
            self.closed += 1;
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.in_fence
            && let Some(fence) = self.page.fences.last_mut()
        {
            fence.content.push_str(text);
        }
        if self.closed > 0 {
            return;
        }
        if !text.chars().all(|c| is_blank(c) || is_hidden(c)) {
            self.page.only_code = None;
        }
        if self.tags.is_empty() {
            self.page.open.push(range);
        }
    }

    /// Takes note of the comments and tags in a piece of HTML.
    fn html(&mut self, range: Range<usize>) {
        let mut at = range.start;
        let mut seen = false;
        while let Some(found) = self.page.source[at..range.end].find('<') {
            let start = at + found;
            let html = &self.page.source[start..range.end];
            seen |= !self.page.source[at..start].trim().is_empty();
            if html.starts_with("<!--") {
                // `<!-->` is a whole comment, so the search begins within the opening.
                let end = html[2..].find("-->").map_or(range.end, |end| start + 2 + end + 3);
                self.drop(start..end);
                at = end;
            } else {
                seen = true;
                self.tag(html);
                at = start + 1;
            }
        }
        if seen || !self.page.source[at..range.end].trim().is_empty() {
            self.page.only_code = None;
        }
    }

    /// Ranges come in the order of their beginnings; one within another adds nothing.
    fn drop(&mut self, range: Range<usize>) {
        if self.page.dropped.last().is_none_or(|last| last.end <= range.start) {
            self.page.dropped.push(range);
        }
    }

    fn tag(&mut self, html: &str) {
        // What is opened within a quote or an item ends with it.
        if self.closed > 0 {
            return;
        }
        let inside = &html[1..];
        let (closing, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let end = inside
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(inside.len());
        let name = inside[..end].to_ascii_lowercase();
        if closing {
            if let Some(open) = self.tags.iter().rposition(|tag| *tag == name) {
                self.tags.truncate(open);
            }
        } else if CLOSING_IN.contains(&name.as_str()) {
            self.tags.push(name);
        }
    }
}
