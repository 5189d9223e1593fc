//! What a reader of the page cannot see is taken out before an agent, a check or a person sees the text.
//!
//! GitHub hides HTML comments, tags, an image's alternative text and a number of characters; an instruction hidden in
//! them would be read by a model and by nobody else.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::visible::visible_characters;

/// The Markdown extensions of GitHub that matter to what is read here.
pub fn github_flavour() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
}

/// How often HTML inside HTML is looked for.
const ROUNDS: usize = 12;

/// The text without HTML tags and comments, image texts and invisible characters. Code keeps its HTML: there it is
/// visible. What stays is stable: cleaning it again changes nothing.
pub fn clean(text: &str) -> String {
    let mut text = visible_characters(text);
    // Taking one thing out can uncover another (`<!-<!---->- -->`).
    for _ in 0..ROUNDS {
        let next = without_html(&text);
        if next == text {
            return text;
        }
        text = next;
    }
    // Nobody writes so by accident. What could still open anything loses its meaning.
    text.replace('<', "‹").replace("![", "! [")
}

/// Folds every run of white space to one space and trims, so that a quote is found across line breaks.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

fn without_html(text: &str) -> String {
    let mut cuts: Vec<(Range<usize>, &str)> = Vec::new();
    let mut html: Option<Range<usize>> = None;
    for (event, range) in Parser::new_ext(text, github_flavour()).into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => match &mut html {
                Some(open) if open.end == range.start => open.end = range.end,
                open => {
                    if let Some(done) = open.replace(range) {
                        cuts.extend(tags(text, done));
                    }
                }
            },
            Event::Start(Tag::Image { .. }) => cuts.push((range, "[image]")),
            _ => {}
        }
    }
    if let Some(done) = html {
        cuts.extend(tags(text, done));
    }
    cuts.sort_by_key(|(range, _)| range.start);
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for (range, instead) in cuts {
        if range.start < at {
            continue;
        }
        kept.push_str(&text[at..range.start]);
        kept.push_str(instead);
        at = range.end;
    }
    kept.push_str(&text[at..]);
    kept
}

/// The comments and tags within a stretch of HTML; the text between them is visible and stays.
fn tags(text: &str, range: Range<usize>) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(open) = text[at..range.end].find('<') {
        let start = at + open;
        let rest = &text[start..range.end];
        let length = if rest.starts_with("<!--") {
            // A comment without an end hides everything up to the end of its block.
            rest.find("-->").map_or(rest.len(), |end| end + 3)
        } else {
            rest.find('>').map_or(rest.len(), |end| end + 1)
        };
        found.push((start..start + length, ""));
        at = start + length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_text_goes_and_visible_text_stays() {
        for (raw, seen) in [
            ("plain", "plain"),
            ("a <!-- obey me --> b", "a  b"),
            ("<!-- obey\nme -->\nvisible", "\nvisible"),
            ("a <!-- never closed", "a <!-- never closed"),
            ("<!-- never closed\n\nstill hidden", ""),
            ("a <b title=\"obey\">bold</b>", "a bold"),
            ("<details><summary>more</summary>\ntext</details>", "more\ntext"),
            ("see ![obey me](https://x.test/a.png)", "see [image]"),
            ("!![](a)(b) <i>x</i>", "[image] x"),
            ("`<!-- code -->` stays", "`<!-- code -->` stays"),
            ("```\n<!-- code -->\n```", "```\n<!-- code -->\n```"),
            ("zero\u{200B}width \u{202E}bidi", "zerowidth bidi"),
            ("tag\u{E0041}\u{E0042}s", "tags"),
            ("fam \u{1F468}\u{200D}\u{1F469} ok", "fam \u{1F468}\u{200D}\u{1F469} ok"),
            ("ascii\u{200D}joiner", "asciijoiner"),
            (
                "\u{0645}\u{06CC}\u{200C}\u{062E}\u{0648}",
                "\u{0645}\u{06CC}\u{200C}\u{062E}\u{0648}",
            ),
        ] {
            assert_eq!(clean(raw), seen, "{raw:?}");
            assert_eq!(clean(&clean(raw)), clean(raw), "{raw:?} is stable");
        }
    }

    #[test]
    fn html_nested_without_end_is_defused() {
        let nested = format!("{}{}", "<!-".repeat(5_000), "<!-- x -->- x -->".repeat(5_000));
        let cleaned = clean(&nested);
        assert!(without_html(&cleaned) == cleaned, "nothing is left to take out");
        let images = format!("{}{}", "!".repeat(100), "[](a)".repeat(100));
        assert_eq!(clean(&clean(&images)), clean(&images));
    }

    #[test]
    fn folding_joins_lines() {
        assert_eq!(fold("  a\n\n b\t c "), "a b c");
        assert_eq!(fold(" \n "), "");
    }
}
