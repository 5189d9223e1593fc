//! Free text made harmless before it stands on GitHub: it notifies nobody, hides nothing, links nowhere and commands
//! no bot. Doing it twice changes nothing, so that an edited artifact can go through again.

use crate::text::clean::{clean, fold};
use crate::text::visible::visible_characters;

/// Whose text it is: people may link, agents may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A model or the rules.
    Agent,
    /// A person who edits.
    Person,
}

/// One line of plain text, for a title: no mention, no markup that hides, at most `limit` characters.
pub fn line(text: &str, voice: Voice, limit: usize) -> String {
    let text = fold(&clean(text));
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if mention(rest, plain.chars().next_back()).is_some() {
            rest = &rest[1..];
        } else if let (Voice::Agent, Some(length)) = (voice, url(rest, plain.chars().next_back())) {
            plain.push_str("(link left out)");
            rest = &rest[length..];
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    cut(plain.trim_start_matches(['/', ' ']), limit)
}

/// The first `limit` characters, with `…` in place of the last one when something was cut.
pub fn cut(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// Markdown that stays Markdown but holds no mention, HTML, image, entity or command, and from an agent no link.
///
/// Code is recognised more narrowly than GitHub does (fences at the start of a line, spans within one line and outside
/// tables), because what is wrongly taken for code would be live; code by GitHub's rules that is not recognised here
/// only shows a backslash too many.
pub fn markdown(text: &str, voice: Voice) -> String {
    let text = visible_characters(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut fence: Option<&str> = None;
    for (number, line) in text.trim_end().lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        match fence {
            Some(open) => {
                out.push_str(line);
                if closes(line, open) {
                    fence = None;
                }
            }
            None => {
                fence = opening(line);
                match fence {
                    Some(_) => out.push_str(line),
                    None => inline(line, voice, &mut out),
                }
            }
        }
    }
    if let Some(open) = fence {
        // An open fence would swallow what the host writes below.
        out.push('\n');
        out.push_str(open);
    }
    out
}

/// [`markdown`] on one line, where no fence can open: for quotes and list items.
pub fn markdown_line(text: &str, voice: Voice) -> String {
    let mut out = String::new();
    inline(&fold(&visible_characters(text)), voice, &mut out);
    out
}

/// The fence characters if the line opens a fenced block (CommonMark 0.31, 4.5).
pub(super) fn opening(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    let info = &line[length..];
    (length >= 3 && (mark == '~' || !info.contains('`'))).then_some(&line[..length])
}

pub(super) fn closes(line: &str, open: &str) -> bool {
    let body = line.trim_start_matches(' ');
    let mark = open.chars().next().unwrap_or('`');
    line.len() - body.len() <= 3 && body.trim_end().len() >= open.len() && body.trim_end().chars().all(|c| c == mark)
}

fn inline(line: &str, voice: Voice, out: &mut String) {
    let start = out.len();
    let indent = line.len() - line.trim_start().len();
    out.push_str(&line[..indent]);
    let mut rest = &line[indent..];
    if rest.starts_with('/') {
        out.push('\\');
    }
    while let Some(c) = rest.chars().next() {
        let before = out[start..].chars().next_back();
        let mut taken = c.len_utf8();
        match c {
            '`' => {
                let run = rest.len() - rest.trim_start_matches('`').len();
                match span(rest, run) {
                    Some(length) => {
                        out.push_str(&rest[..length]);
                        taken = length;
                    }
                    None => {
                        for _ in 0..run {
                            out.push_str("\\`");
                        }
                        taken = run;
                    }
                }
            }
            // What is escaped already stays so, but an escaped `@` still mentions once it is rendered.
            '\\' if rest[1..].starts_with('@') => {}
            '\\' if rest[1..].starts_with(|next: char| next.is_ascii_punctuation()) => {
                out.push_str(&rest[..2]);
                taken = 2;
            }
            '<' => out.push_str("\\<"),
            '&' if rest[1..].starts_with(|next: char| next == '#' || next.is_ascii_alphanumeric()) => {
                out.push_str("\\&");
            }
            '!' if rest[1..].starts_with('[') => out.push_str("\\!"),
            ']' if voice == Voice::Agent && rest[1..].starts_with(['(', '[', ':']) => out.push_str("]\\"),
            _ => {
                let live = mention(rest, before)
                    .or_else(|| foreign_reference(rest, before))
                    .or_else(|| closed_reference(rest, &out[start..]))
                    .or_else(|| {
                        let agents = || url(rest, before).or_else(|| own_reference(rest, before));
                        (voice == Voice::Agent).then(agents).flatten()
                    });
                match live {
                    Some(length) => {
                        as_code(&rest[..length], &rest[length..], out);
                        taken = length;
                    }
                    None => out.push(c),
                }
            }
        }
        rest = &rest[taken..];
    }
}

fn as_code(text: &str, after: &str, out: &mut String) {
    // A backtick or a backslash right before would change what ours means.
    if out.ends_with(['`', '\\']) {
        out.push(' ');
    }
    out.push('`');
    out.push_str(text);
    out.push('`');
    if after.starts_with('`') {
        out.push(' ');
    }
}

/// The length of a code span that opens here with `run` backticks, if it closes on this line. A `|` inside would end a
/// table's cell first, so such a span does not count.
pub(super) fn span(rest: &str, run: usize) -> Option<usize> {
    let mut at = run;
    loop {
        let next = at + rest[at..].find('`')?;
        let length = rest[next..].len() - rest[next..].trim_start_matches('`').len();
        if length == run {
            return (!rest[run..next].contains('|')).then_some(next + length);
        }
        at = next + length;
    }
}

/// The length of a mention (`@login`, `@org/team`) that starts here.
pub(super) fn mention(rest: &str, before: Option<char>) -> Option<usize> {
    let name = rest.strip_prefix('@')?;
    let free = !before.is_some_and(|c| c.is_ascii_alphanumeric());
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let length = length_of(name, |c| c.is_ascii_alphanumeric() || "-_/".contains(c));
    (free && starts).then(|| 1 + name[..length].trim_end_matches(['_', '-', '/']).len())
}

/// The length of a URL that GitHub would link (<https://github.github.com/gfm/#autolinks-extension->).
pub(super) fn url(rest: &str, before: Option<char>) -> Option<usize> {
    const LINKED: &[&str] = &["http://", "https://", "ftp://", "www.", "mailto:", "xmpp:"];
    if before.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let prefix = LINKED.iter().find(|prefix| {
        rest.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    })?;
    let tail = &rest[prefix.len()..];
    Some(prefix.len() + length_of(tail, |c| !c.is_whitespace() && !"<>`|)]\\\"".contains(c)))
}

/// The length of a reference to another repository's issue (`owner/name#1`), which would leave a trace there.
pub(super) fn foreign_reference(rest: &str, before: Option<char>) -> Option<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if before.is_some_and(|c| part(c) || c == '/') {
        return None;
    }
    let owner = length_of(rest, part);
    let after = rest[owner..].strip_prefix('/').filter(|_| owner > 0)?;
    let name = length_of(after, part);
    let number = after[name..].strip_prefix('#').filter(|_| name > 0)?;
    let digits = length_of(number, |c| c.is_ascii_digit());
    (digits > 0).then_some(owner + 1 + name + 1 + digits)
}

/// The length of a reference to an issue here (`#1`, `GH-1`), which would leave a trace on that issue.
pub(super) fn own_reference(rest: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let gh = rest.get(..3).filter(|start| start.eq_ignore_ascii_case("gh-"));
    let prefix = if rest.starts_with('#') { 1 } else { gh?.len() };
    let digits = length_of(&rest[prefix..], |c| c.is_ascii_digit());
    let ends = !rest[prefix + digits..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (digits > 0 && ends).then_some(prefix + digits)
}

/// The words before an issue's number that close it from a pull request or a commit message
/// (<https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue>).
const CLOSING: [&str; 9] = [
    "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved",
];

/// The length of an issue's number (`#1`) behind a word that closes it: a text may be copied to where that works.
fn closed_reference(rest: &str, said: &str) -> Option<usize> {
    let digits = length_of(rest.strip_prefix('#')?, |c| c.is_ascii_digit());
    let before = said.trim_end().trim_end_matches(':').trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next()?;
    let closes = before.len() < said.len() && CLOSING.iter().any(|closing| word.eq_ignore_ascii_case(closing));
    (closes && digits > 0).then_some(1 + digits)
}

pub(super) fn length_of(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};

    use super::*;
    use crate::text::clean::github_flavour;

    #[test]
    fn what_is_live_becomes_text() {
        for (raw, safe) in [
            ("ask @bob now", "ask `@bob` now"),
            ("_@bob_ and @org/team", "_`@bob`_ and `@org/team`"),
            ("\\@bob", "`@bob`"),
            ("&#64;bob", "\\&`#64`;bob"),
            ("`@bob` stays", "`@bob` stays"),
            ("a ` b @bob", "a \\` b `@bob`"),
            ("| ` | @bob ` |", "| \\` | `@bob` \\` |"),
            ("`x`@bob`y`", "`x` `@bob` `y`"),
            ("<img src=x>", "\\<img src=x>"),
            ("[a](https://evil.test/x)", "[a]\\(`https://evil.test/x`)"),
            ("![a](x)", "\\![a]\\(x)"),
            ("[a]: //evil.test", "[a]\\: //evil.test"),
            ("see WWW.evil.test", "see `WWW.evil.test`"),
            ("/approve 123", "\\/approve 123"),
            ("a\n  /approve", "a\n  \\/approve"),
            ("see other/repo#12 and #12", "see `other/repo#12` and `#12`"),
            ("GH-12 (#3), #3a and a#3", "`GH-12` (`#3`), #3a and a#3"),
            ("Fixes #12, resolved: #3", "Fixes `#12`, resolved: `#3`"),
            (
                "prefixes #12, fix#12, fixes it: #12",
                "prefixes `#12`, fix#12, fixes it: `#12`",
            ),
            ("- [ ] box", "- [ ] box"),
            ("a < b & c", "a \\< b & c"),
            ("```\n@bob <b>", "```\n@bob <b>\n```"),
            ("> ```\n> @bob", "> \\`\\`\\`\n> `@bob`"),
            ("- ```\n@bob", "- \\`\\`\\`\n`@bob`"),
            ("mail a@b", "mail a@b"),
        ] {
            assert_eq!(markdown(raw, Voice::Agent), safe, "{raw:?}");
        }
    }

    #[test]
    fn people_may_link_but_not_notify() {
        assert_eq!(
            markdown("[a](https://ok.test) @bob ![i](x)", Voice::Person),
            "[a](https://ok.test) `@bob` \\![i](x)"
        );
    }

    #[test]
    fn no_fence_opens_on_a_line_of_its_own() {
        assert_eq!(markdown_line("``` @bob\n~~~", Voice::Agent), "\\`\\`\\` `@bob` ~~~");
        assert_eq!(markdown("``` x", Voice::Agent), "``` x\n```");
    }

    #[test]
    fn titles_are_one_plain_line() {
        assert_eq!(line("  @bob\n writes  <b>it</b> ", Voice::Agent, 120), "bob writes it");
        assert_eq!(line("/approve it", Voice::Agent, 120), "approve it");
        assert_eq!(
            line("see https://evil.test/x now", Voice::Agent, 120),
            "see (link left out) now"
        );
        assert_eq!(
            line("see https://ok.test/x now", Voice::Person, 120),
            "see https://ok.test/x now"
        );
        assert_eq!(line(&"é".repeat(200), Voice::Agent, 120).chars().count(), 120);
        assert!(line(&"é".repeat(200), Voice::Agent, 120).ends_with('…'));
    }

    /// What a rendered text would still do.
    fn live(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut code = 0;
        let mut run = String::new();
        for event in Parser::new_ext(text, github_flavour()) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => code += 1,
                Event::End(TagEnd::CodeBlock) => code -= 1,
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) => found.push("link".to_owned()),
                Event::Html(html) | Event::InlineHtml(html) => found.push(html.to_string()),
                Event::Text(text) if code == 0 => {
                    run.push_str(&text);
                    continue;
                }
                _ => {}
            }
            found.extend(mentions(&run));
            run.clear();
        }
        found.extend(mentions(&run));
        found
    }

    fn mentions(text: &str) -> Vec<String> {
        text.match_indices('@')
            .filter(|(at, _)| {
                let before = text[..at.to_owned()].chars().next_back();
                let after = text[at + 1..].chars().next();
                !before.is_some_and(|c| c.is_ascii_alphanumeric()) && after.is_some_and(|c| c.is_ascii_alphanumeric())
            })
            .map(|_| text.to_owned())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_live_is_left(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "@bob", "@", "bob", "`", "``", "```", "~~~", "\n", "\n\n", " ", "    ", "|", "\\", "<", ">", "<b>", "</b>",
            "<!--", "-->", "[", "]", "(", ")", "[a]", "(b)", ":", "!", "&#64;", "&lt;", "&", "#", "- ", "> ", "1. ", "*",
            "**", "#1", "gh-2", "_", "~~", "https://x.test", "http:", "//", "a", "é", "/approve", "[^1]", "---", "| - |\n",
        ]), 0..24)) {
            let safe = markdown(&pieces.concat(), Voice::Agent);
            prop_assert_eq!(live(&safe), Vec::<String>::new(), "{:?}", safe);
            prop_assert_eq!(markdown(&safe, Voice::Agent), safe.clone(), "twice");
        }
    }
}
