//! Shows a text in Markdown as it was typed.
//!
//! What comes out is seen as it was typed, but does nothing: it notifies nobody, refers to no issue (and so closes
//! none), links nowhere, renders no HTML, image, box or formatting, begins no command of any bot, and cannot be taken
//! for the bot's own hidden markers.
//!
//! Two means are used. What Markdown gives a meaning is escaped with a backslash. What GitHub finds in the *rendered*
//! text (mentions, references, bare addresses) survives a backslash, so an invisible [`WORD_JOINER`] parts it:
//! backticks would do as well but make names and titles look like code. Both are recognised when they come round
//! again, so that repeating a repetition changes nothing.

use crate::text::visible::{is_blank, is_hidden};

/// U+2060: invisible, takes no part in shaping, allows no line break, and is a letter of no login or number.
pub const WORD_JOINER: char = '\u{2060}';

/// Text for the middle of a line or a table cell: one line, at most `max` characters as displayed (escapes do not
/// count), cut with `…`. Safe at the beginning of a line too.
pub fn inline(text: &str, max: usize) -> String {
    let mut glyphs = glyphs(text);
    if glyphs.len() > max {
        glyphs.truncate(max.saturating_sub(1));
        while glyphs.last().is_some_and(|glyph| is_blank(glyph.c)) {
            glyphs.pop();
        }
        if max > 0 {
            glyphs.push(Glyph {
                c: '…', escaped: false
            });
        }
    }
    render(&glyphs)
}

/// Text of several lines. Line breaks, single empty lines and the bullets or numbers of lists stay; all other
/// formatting is shown as it was typed.
pub fn block(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<String> = Vec::new();
    let mut list = Outline::default();
    for line in text.split('\n') {
        let line: String = line.chars().filter(|c| !is_hidden(*c)).collect();
        let content = line.trim_start_matches(is_blank);
        if content.is_empty() {
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(String::new());
            }
            continue;
        }
        let Some(bullet) = Bullet::of(content) else {
            list = Outline::default();
            lines.push(render(&glyphs(content)));
            continue;
        };
        let indent = list.place(indentation(&line), bullet.marker.len());
        lines.push(format!(
            "{:indent$}{}{}",
            "",
            bullet.marker,
            render(&glyphs(bullet.content))
        ));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

/// Text of several lines as a block quote.
pub fn quote(text: &str) -> String {
    let quoted: Vec<String> = block(text)
        .split('\n')
        .map(|line| {
            if line.is_empty() {
                ">".to_owned()
            } else {
                format!("> {line}")
            }
        })
        .collect();
    quoted.join("\n")
}

/// A list item's beginning.
struct Bullet<'t> {
    marker: String,
    content: &'t str,
}

impl<'t> Bullet<'t> {
    fn of(line: &'t str) -> Option<Self> {
        let (head, content) = line.split_once(' ')?;
        let content = content.trim_matches(is_blank);
        if content.is_empty() {
            return None;
        }
        let marker = match head {
            "-" | "*" | "+" => "- ".to_owned(),
            // CommonMark takes at most nine digits.
            _ => {
                let digits = head.strip_suffix(['.', ')'])?;
                let number = (1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
                number.then(|| format!("{head} "))?
            }
        };
        Some(Self { marker, content })
    }
}

/// The open items of a list, outermost first. Items are set anew under their parents: an indentation of one's own
/// choice could make code of an item.
#[derive(Default)]
struct Outline {
    /// The columns in which an item's content begins, as typed and as written.
    contents: Vec<(usize, usize)>,
}

impl Outline {
    /// What is deeper than this stands beside its parent.
    const DEEPEST: usize = 6;

    /// The column for an item that was typed in a column.
    fn place(&mut self, typed: usize, marker: usize) -> usize {
        self.contents.retain(|(content, _)| *content <= typed);
        self.contents.truncate(Self::DEEPEST - 1);
        let column = self.contents.last().map_or(0, |(_, written)| *written);
        self.contents.push((typed + marker, column + marker));
        column
    }
}

fn indentation(line: &str) -> usize {
    let columns = line.chars().map_while(|c| match c {
        ' ' => Some(1),
        '\t' => Some(4),
        _ => None,
    });
    columns.sum()
}

/// A character as displayed.
#[derive(Clone, Copy)]
struct Glyph {
    c: char,
    /// Whether it was typed with a backslash before it.
    escaped: bool,
}

/// The visible characters of one line, with runs of white space as one space.
fn glyphs(text: &str) -> Vec<Glyph> {
    let mut glyphs: Vec<Glyph> = Vec::new();
    let mut characters = text.chars().filter(|c| !is_hidden(*c)).peekable();
    while let Some(c) = characters.next() {
        if c.is_whitespace() {
            if glyphs.last().is_some_and(|last| last.c != ' ') {
                glyphs.push(Glyph { c: ' ', escaped: false });
            }
        } else if let Some(escaped) = characters.next_if(|next| c == '\\' && next.is_ascii_punctuation()) {
            glyphs.push(Glyph {
                c: escaped,
                escaped: true,
            });
        } else if !(glyphs.is_empty() && is_blank(c)) {
            glyphs.push(Glyph { c, escaped: false });
        }
    }
    while glyphs.last().is_some_and(|last| is_blank(last.c)) {
        glyphs.pop();
    }
    glyphs
}

fn render(glyphs: &[Glyph]) -> String {
    let mut text = String::new();
    for (at, glyph) in glyphs.iter().enumerate() {
        if glyph.escaped || has_meaning(glyphs, at) {
            text.push('\\');
        }
        text.push(glyph.c);
        if is_joint(glyphs, at) {
            text.push(WORD_JOINER);
        }
    }
    text
}

/// Whether Markdown, or the bot's search for its own markers, could see more than a character here.
fn has_meaning(glyphs: &[Glyph], at: usize) -> bool {
    match glyphs[at].c {
        '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '$' => true,
        // A list's number.
        '.' | ')' if at > 0 && glyphs[..at].iter().all(|before| before.c.is_ascii_digit()) => true,
        // `<!--` must not stand in the raw text either.
        '!' => at == 0 || glyphs[at - 1].c == '<',
        // Bullets, underlines of headings, and the prefixes of all bots.
        c => at == 0 && c.is_ascii_punctuation(),
    }
}

/// Whether GitHub could make a mention, a reference or a link of the rendered text around the end of this character.
fn is_joint(glyphs: &[Glyph], at: usize) -> bool {
    let next = |by: usize| glyphs.get(at + by).map(|glyph| glyph.c);
    let number_follows = next(1).is_some_and(|c| c.is_ascii_digit());
    match glyphs[at].c {
        '@' => true,
        '#' => number_follows,
        '-' => number_follows && ends_with(&glyphs[..at], "gh"),
        ':' => next(1) == Some('/') && next(2) == Some('/'),
        '.' => ends_with(&glyphs[..at], "www"),
        _ => false,
    }
}

fn ends_with(glyphs: &[Glyph], word: &str) -> bool {
    let mut before = glyphs.iter().rev().map(|glyph| glyph.c.to_ascii_lowercase());
    word.chars().rev().all(|c| before.next() == Some(c))
}

#[cfg(test)]
mod tests;
