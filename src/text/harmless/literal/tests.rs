use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::text::clean::github_flavour;

/// Shows joiners, which nobody sees.
fn shown(text: &str) -> String {
    text.replace(WORD_JOINER, "⁞")
}

#[test]
fn what_would_do_something_does_nothing() {
    let cases = [
        ("mention", "@alice and @org/team", r"\@⁞alice and @⁞org/team"),
        ("escaped mention", r"\@alice a\@bob", r"\@⁞alice a\@⁞bob"),
        ("mail address", "a@example.org", "a@⁞example.org"),
        ("closing keyword", "fixes #12", r"fixes \#⁞12"),
        (
            "closing keyword, elsewhere",
            "Closes octo/app#12",
            r"Closes octo/app\#⁞12",
        ),
        ("closing keyword, other form", "resolves GH-12", "resolves GH-⁞12"),
        ("closing keyword, escaped", r"fixes \#12", r"fixes \#⁞12"),
        (
            "closing keyword with an address",
            "fixes https://x.example/1",
            "fixes https:⁞//x.example/1",
        ),
        ("bare host", "see www.example.org", "see www.⁞example.org"),
        ("link", "[a](b)", r"\[a\](b)"),
        ("image", "see ![a](b)", r"see !\[a\](b)"),
        ("HTML", "a <img src=x>", r"a \<img src=x\>"),
        (
            "hidden marker",
            "a <!-- countersign:x -->",
            r"a \<\!-- countersign:x --\>",
        ),
        ("entity", "&#64;alice", r"\&\#⁞64;alice"),
        ("code", "`a`", r"\`a\`"),
        ("command", "/approve", r"\/approve"),
        ("another bot's command", ".deploy", r"\.deploy"),
        ("bullet", "- a", r"\- a"),
        ("number", "1. a", r"1\. a"),
        ("underline", "===", r"\==="),
        ("table", "a|b", r"a\|b"),
        ("lines", "a\r\n b\tc", "a b c"),
        ("hidden characters", "a\u{200b}b\u{202e}c\u{e0061}d\u{7}", "abcd"),
        ("backslash at the end", r"a\", r"a\\"),
        (
            "plain",
            "Write the runbook (v1.2), 50 % of it!",
            "Write the runbook (v1.2), 50 % of it!",
        ),
        ("emoji", "👩‍💻 كتابة", "👩‍💻 كتابة"),
    ];
    for (name, text, expected) in cases {
        assert_eq!(shown(&inline(text, 200)), expected, "{name}");
    }
}

#[test]
fn lengths_are_those_displayed() {
    assert_eq!(inline("abcdef", 6), "abcdef");
    assert_eq!(inline("abcdefg", 6), "abcde…");
    assert_eq!(inline("***", 3), r"\*\*\*");
    assert_eq!(inline("äöü👩‍💻", 4), "äöü…");
    assert_eq!(inline("ab cd", 4), "ab…");
    assert_eq!(inline("abc", 1), "…");
    assert_eq!(inline("abc", 0), "");
}

#[test]
fn a_block_keeps_lines_and_lists() {
    let text = "Do *this*:\r\n\r\n\r\n* one\n   1) two\n+ [ ] three\n# four\n/approve\n    code\n";
    let expected = "Do \\*this\\*:\n\n- one\n  1) two\n- \\[ \\] three\n\\# four\n\\/approve\ncode";
    assert_eq!(block(text), expected);
    assert_eq!(
        block("- a\n\n        - b\n   - c\n\t\t10. d\n- e"),
        "- a\n\n  - b\n  - c\n    10. d\n- e"
    );
    assert_eq!(quote("a\n\n@b"), format!("> a\n>\n> \\@{WORD_JOINER}b"));
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/approve",
        "@countersign approve",
        "@bob",
        "#1",
        "gh-1",
        "fixes ",
        "https://",
        "www.a.b",
        "\\",
        "`",
        "```\n",
        "*",
        "_",
        "~~",
        "[a](b)",
        "![",
        "<!--",
        "-->",
        "<b>",
        "&#64;",
        "|",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "    ",
        "\t",
        "- ",
        "* ",
        "1. ",
        "> ",
        "# ",
        "===",
        "---",
        "[ ] ",
        "\u{200b}",
        "\u{200d}",
        "\u{2028}",
        "\u{a0}",
        "\u{2060}",
        "$$",
        "é",
        "👩‍💻",
        "a",
        "7",
    ]);
    let built = prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat());
    prop_oneof![built, any::<String>()]
}

/// What Markdown makes of a text beyond paragraphs, lists and quotes.
fn effects(markdown: &str) -> Vec<String> {
    let options = github_flavour() | Options::ENABLE_MATH;
    let plain = |event: &Event<'_>| match event {
        Event::Start(tag) => matches!(tag, Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::BlockQuote(_)),
        Event::End(_) | Event::Text(_) | Event::SoftBreak => true,
        _ => false,
    };
    Parser::new_ext(markdown, options)
        .filter(|event| !plain(event))
        .map(|event| format!("{event:?}"))
        .collect()
}

fn rendered(markdown: &str) -> String {
    let pieces = Parser::new(markdown).filter_map(|event| match event {
        Event::Text(text) => Some(text.into_string()),
        Event::SoftBreak | Event::End(_) => Some("\n".to_owned()),
        _ => None,
    });
    pieces.collect()
}

fn check(output: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(effects(output), Vec::<String>::new());
    prop_assert!(!output.contains("<!--"));
    let seen = rendered(output).to_lowercase();
    for (at, _) in seen.match_indices('@') {
        prop_assert!(
            !seen[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric()),
            "{}",
            seen
        );
    }
    for (at, _) in seen.match_indices('#') {
        prop_assert!(!seen[at + 1..].starts_with(|c: char| c.is_ascii_digit()), "{}", seen);
    }
    for (at, _) in seen.match_indices("gh-") {
        prop_assert!(!seen[at + 3..].starts_with(|c: char| c.is_ascii_digit()), "{}", seen);
    }
    prop_assert!(!seen.contains("://"));
    let no_command = |line: &str| !line.trim_start().starts_with(['/', '.', '!', '@']);
    prop_assert!(output.lines().all(no_command));
    Ok(())
}

proptest! {
    #[test]
    fn a_line_does_nothing(text in text(), max in 0usize..80) {
        let output = inline(&text, max);
        check(&output)?;
        prop_assert!(!output.contains('\n'));
        prop_assert_eq!(inline(&output, max), output);
    }

    #[test]
    fn a_block_does_nothing(text in text()) {
        let output = block(&text);
        check(&output)?;
        check(&quote(&text))?;
        prop_assert_eq!(block(&output), output);
    }

    #[test]
    fn a_line_stays_in_its_cell(text in text()) {
        let table = format!("| a | b |\n| --- | --- |\n| {} | end |", inline(&text, 40));
        let cells = Parser::new_ext(&table, Options::ENABLE_TABLES)
            .filter(|event| matches!(event, Event::Start(Tag::TableCell)))
            .count();
        prop_assert_eq!(cells, 4);
        prop_assert!(table.ends_with("| end |"));
    }
}
