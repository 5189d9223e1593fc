//! Pieces of Markdown that are safe whatever is put into them.

use crate::text::harmless::literal;
use crate::workflow::ids::Digest;
use crate::workflow::state::Timestamp;

/// The longest sentence of somebody else that is repeated within a line, in characters.
pub const SENTENCE: usize = 1_000;

/// The length that is held against GitHub's limit of 65,536 characters. UTF-16 units are counted because they are
/// never fewer than the characters, however GitHub counts an emoji.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A moment as people read it.
pub fn when(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A number with the word for it.
pub fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

/// `a, b and c`, with the last joined by `word`.
pub fn list(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

/// Somebody else's words within a line. Names in backticks stay code where they are simple enough; all else is shown
/// as it was typed.
pub fn words(text: &str) -> String {
    harmless(text, is_name)
}

/// A sentence of our own that may quote somebody else's words: commands in it stay code, too, where all that they name is
/// left open.
pub fn told(text: &str) -> String {
    full_stop(harmless(text, |name| is_name(name) || is_open_command(name)))
}

/// Whether a text is a command that says nothing yet: `/retry`, `/revise …`, `/task title="…"`.
fn is_open_command(text: &str) -> bool {
    let mut parts = text.split(' ');
    let verb = parts.next().and_then(|verb| verb.strip_prefix('/')).unwrap_or_default();
    let open =
        |part: &str| part == "…" || part.ends_with("=\"…\"") && part.starts_with(|c: char| c.is_ascii_lowercase());
    !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase()) && is_simple(text) && parts.all(open)
}

fn harmless(text: &str, is_code: fn(&str) -> bool) -> String {
    let text: String = match text.char_indices().nth(SENTENCE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, name, after)) = next_code(rest, is_code) {
        push_words(before, &mut out);
        if out.ends_with('`') {
            out.push(' ');
        }
        out.push_str(&format!("`{name}`"));
        rest = after;
    }
    push_words(rest, &mut out);
    out.trim().to_owned()
}

/// The first simple name in backticks, with what stands before and after it.
fn next_code(text: &str, is_code: fn(&str) -> bool) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('`')?;
        let close = open + 1 + text[open + 1..].find('`')?;
        let name = &text[open + 1..close];
        if is_code(name) && !text[..open].ends_with(['`', '\\']) && !text[close + 1..].starts_with('`') {
            return Some((&text[..open], name, &text[close + 1..]));
        }
        from = close;
    }
}

/// Harmless words with the spaces around them, which divide them from the code beside.
fn push_words(text: &str, out: &mut String) {
    if out.is_empty() {
        out.push_str(&literal::inline(text, usize::MAX));
    } else {
        // A letter before them, since they do not begin the line.
        out.push_str(&literal::inline(&format!("x{text}"), usize::MAX)[1..]);
    }
    if text.ends_with(char::is_whitespace) && !out.is_empty() {
        out.push(' ');
    }
}

/// The same as a sentence of its own: it ends with a full stop.
pub fn sentence(text: &str) -> String {
    full_stop(words(text.trim_end_matches('.')))
}

/// A text with a full stop, unless it ends as a sentence does, be it within quotation marks.
pub fn full_stop(mut text: String) -> String {
    let quoted = text.strip_suffix('”');
    let ends = match quoted {
        Some(quoted) => quoted.ends_with(['.', '!', '?', '…']),
        None => text.ends_with(['.', '!', '?', '…']),
    };
    if !ends {
        text.push('.');
    }
    text
}

/// A command or a word of our own as inline code; made harmless where inline code could not hold it.
pub fn code(text: &str) -> String {
    if is_simple(text) {
        format!("`{text}`")
    } else {
        literal::inline(text, 120)
    }
}

/// Somebody else's name for something as inline code, unless it would look like a command of ours.
pub fn name(text: &str) -> String {
    if is_name(text) {
        format!("`{text}`")
    } else {
        literal::inline(text, 120)
    }
}

fn is_name(text: &str) -> bool {
    is_simple(text) && !text.starts_with('/')
}

/// Whether inline code can hold a text, also in a table's cell.
fn is_simple(text: &str) -> bool {
    let plain = |c: char| c == ' ' || c == '…' || c.is_alphanumeric() || c.is_ascii_graphic() && !"`<>|\\".contains(c);
    !text.is_empty() && text.trim() == text && text.len() <= 256 && text.chars().all(plain)
}

/// A digest as a card shows it.
pub fn digest(digest: &Digest) -> String {
    format!("`{}`", digest.short())
}

/// Whether a login is made as GitHub makes them: letters, digits and hyphens; an underscore where an enterprise
/// manages its accounts (<https://docs.github.com/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication>).
pub fn is_login(login: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=100).contains(&login.len()) && !login.starts_with('-') && login.chars().all(inside)
}

/// A person, named without being notified.
pub fn login(login: &str) -> String {
    name(login)
}

/// Several of them.
pub fn logins(all: &[String]) -> Vec<String> {
    all.iter().map(|name| login(name)).collect()
}

/// A link with a text that is safe already; the text alone where the address is not one of the web.
pub fn link(text: &str, url: &str) -> String {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c);
    if web && url.len() <= 500 && url.chars().all(plain) {
        format!("[{text}]({url})")
    } else {
        text.to_owned()
    }
}

/// A block of code that shows `text` as it is. The fence is longer than any inside, and all stands two columns in: a
/// fence takes its own indentation off its lines (CommonMark 0.31, 4.5), so nothing changes for who reads, but no line
/// begins with what another bot may take for a command. A comment's opening `<!--` is parted, so that no marker can be
/// smuggled into a text of ours.
pub fn fenced(text: &str, language: &str) -> String {
    let text = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace("<!--", "<!\u{2060}--");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let body = indented(&text, 2);
    format!("  {fence}{language}\n{body}\n  {fence}")
}

/// Every line that is not empty, moved to the right.
pub fn indented(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{:columns$}{line}", "")
            }
        })
        .collect();
    lines.join("\n")
}

/// A part that opens with a click. `summary` is ours; `body` is Markdown.
pub fn collapsed(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}\n\n</details>")
}

/// A table; cells are safe already.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let titles: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let mut lines = vec![line(&titles), line(&rule)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Paragraphs with an empty line between; empty ones are left out.
pub fn paragraphs<T: AsRef<str>>(parts: &[T]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(AsRef::as_ref)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n\n")
}

/// The raw text in pieces of at most `max` characters, cut at a line's end where there is one, else at a space, else
/// anywhere. Made harmless, a piece grows to three times that at most.
pub fn pieces(text: &str, max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((end, _)) = rest.char_indices().nth(max) {
        let head = &rest[..end];
        let at = [head.rfind('\n'), head.rfind(' ')]
            .into_iter()
            .flatten()
            .find(|at| *at > end / 2);
        let cut = at.map_or(end, |at| at + 1);
        pieces.push(&rest[..cut]);
        rest = &rest[cut..];
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_any_inside_and_lines_begin_with_a_space() {
        assert_eq!(
            fenced("a\n```\n/approve x\n```", "json"),
            "  ````json\n  a\n  ```\n  /approve x\n  ```\n  ````"
        );
        assert!(!fenced("<!-- countersign fx=abc -->", "").contains("<!--"));
    }

    #[test]
    fn what_is_no_plain_word_is_not_shown_as_code() {
        assert_eq!(code("t2"), "`t2`");
        assert_eq!(code("élan"), "`élan`");
        for raw in ["a`b", "a|b", "a\nb", "<!--", " a", ""] {
            assert!(
                !code(raw).contains('`') || code(raw).contains("\\`"),
                "{raw:?}: {}",
                code(raw)
            );
        }
    }

    #[test]
    fn names_in_backticks_stay_code_and_nothing_else_does() {
        for (raw, safe) in [
            ("`t1` waits for `t2`, which", "`t1` waits for `t2`, which"),
            ("ask `@bob`", "ask `@bob`"),
            ("@bob `x", "\\@\u{2060}bob \\`x"),
            ("a ``b`` c", "a \\`\\`b\\`\\` c"),
            ("`<b>` and `a`", "\\`\\<b\\>\\` and `a`"),
            ("`a` `b`", "`a` `b`"),
        ] {
            assert_eq!(words(raw), safe, "{raw}");
        }
    }

    #[test]
    fn a_sentence_of_ours_keeps_commands_that_say_nothing_yet() {
        for (raw, safe) in [
            ("use `/edit`", "use `/edit`."),
            ("`/revise …` asks for another one.", "`/revise …` asks for another one."),
            ("a title: `/task title=\"…\"`", "a title: `/task title=\"…\"`."),
            ("no `/approve 1f2e`", "no \\`/approve 1f2e\\`."),
            ("no `/reject it=all`", "no \\`/reject it=all\\`."),
        ] {
            assert_eq!(told(raw), safe, "{raw}");
        }
    }

    #[test]
    fn a_sentence_ends_once() {
        for (raw, whole) in [
            ("It is", "It is."),
            ("It is.", "It is."),
            ("He said: “No”", "He said: “No”."),
            ("He said: “No.”", "He said: “No.”"),
            ("He said: “Why?”", "He said: “Why?”"),
        ] {
            assert_eq!(full_stop(raw.to_owned()), whole);
        }
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(
            link("here", "https://github.com/a/b/issues/1#c-2"),
            "[here](https://github.com/a/b/issues/1#c-2)"
        );
        for url in [
            "javascript:alert(1)",
            "https://a.test/x) ![y](z",
            "https://a.test/a b",
            "",
        ] {
            assert_eq!(link("here", url), "here");
        }
    }

    #[test]
    fn pieces_lose_nothing_and_prefer_the_end_of_a_line() {
        let text = format!("{}\n{}\n{}", "a".repeat(9), "é ".repeat(8), "😀".repeat(30));
        let cut = pieces(&text, 12);
        assert_eq!(cut.concat(), text);
        assert!(cut.iter().all(|piece| piece.chars().count() <= 12));
        assert_eq!(cut[0], "aaaaaaaaa\n");
        assert!(pieces("", 5).is_empty());
    }

    #[test]
    fn lists_read_as_sentences() {
        let all: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(list(&all, "and"), "a, b and c");
        assert_eq!(list(&all[..1], "or"), "a");
        assert_eq!(count(1, "issue", "issues"), "1 issue");
    }
}
