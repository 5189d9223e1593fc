//! What a text would have done if it had been repeated as it is: counted, so that people can be told.

use std::ops::AddAssign;

use super::markdown::{closes, foreign_reference, length_of, mention, opening, own_reference, span, url};
use crate::text::visible::visible_counted;

/// Effects of a text, by kind. Code does nothing, and nothing in it is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Links, bare addresses and images.
    pub links: usize,
    /// Mentions of people, teams and bots.
    pub mentions: usize,
    /// Lines that begin as a command of a bot does, quoted or not.
    pub commands: usize,
    /// References to issues and pull requests.
    pub references: usize,
    /// HTML tags.
    pub tags: usize,
    /// HTML comments, as which bots hide their markers.
    pub markers: usize,
    /// Characters that nobody sees.
    pub characters: usize,
}

impl Attempts {
    /// What a text would have done.
    pub fn of(text: &str) -> Self {
        let (text, characters) = visible_counted(text);
        let mut attempts = Self {
            characters,
            ..Self::default()
        };
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            match fence {
                Some(open) if closes(line, open) => fence = None,
                Some(_) => {}
                None => {
                    fence = opening(line);
                    if fence.is_none() {
                        attempts.read(line);
                    }
                }
            }
        }
        attempts
    }

    /// "2 links, 1 mention and 1 command"; empty when there is nothing.
    pub fn words(&self) -> String {
        crate::text::counted(&[
            (self.links, "link", "links"),
            (self.mentions, "mention", "mentions"),
            (self.commands, "command", "commands"),
            (self.references, "reference to an issue", "references to issues"),
            (self.tags, "HTML tag", "HTML tags"),
            (self.markers, "hidden marker", "hidden markers"),
            (self.characters, "invisible character", "invisible characters"),
        ])
    }

    fn read(&mut self, line: &str) {
        let mut rest = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
        if let Some(word) = rest.strip_prefix('/') {
            let length = length_of(word, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            // `/usr/bin` is a path.
            self.commands += usize::from(length > 0 && !word[length..].starts_with(['/', '.']));
        }
        let mut before = None;
        while let Some(c) = rest.chars().next() {
            let taken = self.effect(rest, before).max(c.len_utf8());
            before = rest[..taken].chars().next_back();
            rest = &rest[taken..];
        }
    }

    /// Counts what begins here, and tells its length.
    fn effect(&mut self, rest: &str, before: Option<char>) -> usize {
        if rest.starts_with('`') {
            let run = length_of(rest, |c| c == '`');
            return span(rest, run).unwrap_or(run);
        }
        if rest.starts_with("&#") {
            return 2;
        }
        if rest.starts_with("<!--") {
            self.markers += 1;
            return rest.find("-->").map_or(rest.len(), |end| end + 3);
        }
        let tag = rest.strip_prefix('<').map(|tag| tag.strip_prefix('/').unwrap_or(tag));
        if let Some(tag) = tag.filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
            && url(tag, None).is_none()
        {
            self.tags += 1;
            return rest.find('>').map_or(rest.len(), |end| end + 1);
        }
        if rest.starts_with("](") || rest.starts_with("][") || rest.starts_with("]:") {
            self.links += 1;
            // The address that follows is the same link.
            let space = length_of(&rest[2..], |c| c == ' ');
            return 2 + space + length_of(&rest[2 + space..], |c| !c.is_whitespace() && !")]".contains(c));
        }
        if let Some(length) = url(rest, before) {
            self.links += 1;
            return length;
        }
        if let Some(length) = mention(rest, before) {
            self.mentions += 1;
            return length;
        }
        if let Some(length) = foreign_reference(rest, before).or_else(|| own_reference(rest, before)) {
            self.references += 1;
            return length;
        }
        0
    }
}

impl AddAssign for Attempts {
    fn add_assign(&mut self, more: Self) {
        self.links += more.links;
        self.mentions += more.mentions;
        self.commands += more.commands;
        self.references += more.references;
        self.tags += more.tags;
        self.markers += more.markers;
        self.characters += more.characters;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_would_do_is_told_by_kind() {
        for (text, words) in [
            ("plain, a/b, 5 < 6, mail a@b", ""),
            ("see https://x.test and [a](https://x.test/b) or ![i](//y)", "3 links"),
            (
                "<https://x.test> www.x.test [a][b]\n[b]: https://x.test \"t\"",
                "4 links",
            ),
            ("@bob @org/team, a@b", "2 mentions"),
            ("/approve abc\n> /approve\n/usr/bin and/or", "2 commands"),
            ("fixes #1, o/r#2, GH-3, a#b", "3 references to issues"),
            (
                "<img src=x> <b>a</b><!-- countersign fx=1 -->",
                "3 HTML tags and 1 hidden marker",
            ),
            ("a\u{202E}b", "1 invisible character"),
            ("`@bob` and\n```\n/approve https://x.test\n```\n", ""),
        ] {
            assert_eq!(Attempts::of(text).words(), words, "{text:?}");
        }
    }

    #[test]
    fn long_hostile_texts_take_no_time() {
        for piece in [
            "`", "``a", "@", "[", "](", "<", "<a", "<!--", "#1", "a/", "www.", "/a\n",
        ] {
            let _ = Attempts::of(&piece.repeat(65_000 / piece.len()));
        }
    }
}
