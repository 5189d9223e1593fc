use proptest::prelude::*;

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
    assert!(
        without_hidden(&cleaned, &mut Hidden::default()) == cleaned,
        "nothing is left to take out"
    );
    let images = format!("{}{}", "!".repeat(100), "[](a)".repeat(100));
    assert_eq!(clean(&clean(&images)), clean(&images));
}

#[test]
fn what_was_hidden_is_counted() {
    for (raw, words) in [
        ("plain **text** <b>bold</b>\r\n", ""),
        (
            "<!-- a --> <!-- b --> z\u{200B}w\u{202E}&#x2060;\n\n[c]: d\n",
            "2 HTML comments, 3 invisible characters and 1 link definition or footnote",
        ),
        (
            "![alt](a) <b title=\"x\">",
            "1 HTML tag with attributes and 1 text of an image or link",
        ),
        ("a <script>x</script>", "1 script or style"),
    ] {
        assert_eq!(clean_counted(raw).hidden.words(), words, "{raw:?}");
    }
}

#[test]
fn many_definitions_of_one_name_are_defused() {
    let text = "[a]: b \"obey\"\n".repeat(5_000);
    let cleaned = clean(&text);
    assert!(
        !Parser::new_ext(&cleaned, github_flavour())
            .reference_definitions()
            .iter()
            .any(|_| true)
    );
    assert_eq!(clean(&cleaned), cleaned);
}

#[test]
fn long_hostile_texts_take_no_time() {
    for piece in [
        "<template>",
        "<script>",
        "[a](b \"",
        "[^1]: [^2] ",
        "[](",
        "&#x200b;",
        "[a]:",
        "<style></script>",
    ] {
        let text = piece.repeat(65_000 / piece.len());
        let cleaned = clean(&text);
        assert_eq!(clean(&cleaned), cleaned, "{piece}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_stays_is_stable(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "<b>", "</b>", "<!--", "-->", "<script>", "</script>", "<template>", "</template>", "[", "]", "(", ")", "[a]",
        "[^1]", ":", "](", " \"t\"", "!", "&#x200b;", "&", "<", ">", "=", "\n", "\n\n", " ", "> ", "- ", "`", "```",
        "a", "\u{200B}", "\u{FE0F}", "é", "\\", "x.test",
    ]), 0..20)) {
        let cleaned = clean(&pieces.concat());
        prop_assert_eq!(clean(&cleaned), cleaned.clone());
    }
}

#[test]
fn folding_joins_lines() {
    assert_eq!(fold("  a\n\n b\t c "), "a b c");
    assert_eq!(fold(" \n "), "");
}
