//! Every trap that has caught a bot of this kind, by name, and the promise that no text panics.

use proptest::prelude::*;

use super::*;
use crate::text::harmless::literal::{block, inline, quote};

fn bot() -> BotName {
    BotName::new("countersign[bot]")
}

fn commands(body: &str) -> Vec<Addressed> {
    read(body, &bot())
}

/// The commands as `word` or `word rest`.
fn lines(body: &str) -> Vec<String> {
    commands(body)
        .into_iter()
        .map(|command| format!("{} {}", command.word, command.rest).trim_end().to_owned())
        .collect()
}

fn only(body: &str) -> Addressed {
    let mut all = commands(body);
    assert_eq!(all.len(), 1, "{body:?} gave {all:?}");
    all.remove(0)
}

/// (name, comment, the commands in it)
type Case = (&'static str, &'static str, &'static [&'static str]);

const READ: &[Case] = &[
    ("alone", "/approve", &["approve"]),
    ("argument", "/approve 3f9c0a417be2", &["approve 3f9c0a417be2"]),
    ("upper case", "/APPROVE 3F9C", &["approve 3F9C"]),
    ("indented by spaces", "   /approve", &["approve"]),
    (
        "below text in the same paragraph",
        "Looks good.\n/approve",
        &["approve"],
    ),
    (
        "deeply indented within a paragraph",
        "Looks good.\n        /approve",
        &["approve"],
    ),
    (
        "below text in another paragraph",
        "Looks good.\n\n/approve",
        &["approve"],
    ),
    ("text after the command", "/approve\nI asked the others.", &["approve"]),
    (
        "several commands",
        "/unhold\n/approve 1\n\ntext\n\n/status",
        &["unhold", "approve 1", "status"],
    ),
    ("CRLF", "Yes.\r\n/approve\r\n\r\n/status\r\n", &["approve", "status"]),
    ("bare CR", "Yes.\r/approve\r/status", &["approve", "status"]),
    ("no-break space before the slash", "\u{a0}/approve", &["approve"]),
    (
        "many no-break spaces",
        "\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}/approve",
        &["approve"],
    ),
    ("no-break space after the word", "/approve\u{a0}now", &["approve now"]),
    ("zero-width space before the slash", "\u{200b}/approve", &["approve"]),
    ("byte order mark", "\u{feff}/approve", &["approve"]),
    ("zero-width space after the word", "/approve\u{200b}", &["approve"]),
    ("zero-width joiner after the word", "/approve\u{200d} x", &["approve x"]),
    ("right-to-left mark after the word", "/approve\u{200f}", &["approve"]),
    (
        "hidden text in tag characters",
        "/approve\u{e0061}\u{e0062}",
        &["approve"],
    ),
    ("bidirectional override", "\u{202e}/approve", &["approve"]),
    (
        "trailing HTML comment on its own line",
        "/approve\n<!-- sent with a tool -->",
        &["approve"],
    ),
    (
        "trailing HTML comment on the same line",
        "/approve <!-- sent with a tool -->",
        &["approve"],
    ),
    (
        "trailing HTML comment without a space",
        "/approve<!-- sent with a tool -->",
        &["approve"],
    ),
    (
        "trailing HTML comment that is never closed",
        "/approve\n<!-- sent with",
        &["approve"],
    ),
    (
        "leading HTML comment on its own line",
        "<!-- template -->\n/approve",
        &["approve"],
    ),
    (
        "command in an HTML comment and one below",
        "<!--\n/cancel\n-->\n/approve",
        &["approve"],
    ),
    (
        "copied with its backticks",
        "`/approve 3f9c0a417be2`",
        &["approve 3f9c0a417be2"],
    ),
    (
        "copied with its backticks and space around",
        "\n  `/approve`  \n",
        &["approve"],
    ),
    (
        "copied with its backticks by a tool",
        "`/approve`\n<!-- sent with a tool -->",
        &["approve"],
    ),
    (
        "below a quote and an empty line",
        "> Shall we?\n\n/approve",
        &["approve"],
    ),
    ("below a code block", "```\nx\n```\n/approve", &["approve"]),
    ("below a list and an empty line", "- a\n- b\n\n/approve", &["approve"]),
    (
        "below a closed HTML element",
        "<details>\n\nfoo\n\n</details>\n\n/approve",
        &["approve"],
    ),
    (
        "below a comparison that looks like a tag",
        "Vec<s> leaks.\n\n/approve",
        &["approve"],
    ),
    ("hard break with two spaces", "/approve  \nreason", &["approve"]),
    ("hard break with a backslash", "/approve\\\nreason", &["approve"]),
    ("stray asterisk above", "*note\n/approve\nend*", &["approve"]),
    ("punctuation is kept for the answer", "/approve!", &["approve!"]),
    ("another bot's word", "/approve-foo", &["approve-foo"]),
    ("mention", "@countersign approve 1", &["approve 1"]),
    ("mention in another case", "@CounterSign Approve", &["approve"]),
    ("mention with its suffix", "@countersign[bot] approve", &["approve"]),
    ("mention with a colon", "@countersign: approve", &["approve"]),
    ("mention and slash", "@countersign /approve", &["approve"]),
    ("mention alone", "@countersign", &[""]),
    ("mention and no word", "@countersign (why?)", &[" (why?)"]),
];

const NOT_READ: &[(&str, &str)] = &[
    ("quote", "> /approve"),
    ("quote with a lazy line", "> Shall we?\n/approve"),
    ("quote in a quote", "> > /approve"),
    ("alert", "> [!NOTE]\n> /approve"),
    ("quoted reply with a mention", "> @countersign approve\n\nDone."),
    ("fenced code", "```\n/approve\n```"),
    ("fenced code with tildes", "~~~\n/approve\n~~~"),
    ("fenced code that is never closed", "```\n/approve"),
    ("indented code", "    /approve"),
    ("code indented by a tab", "\t/approve"),
    ("inline code within text", "Write `/approve` to go on."),
    ("inline code at the beginning of a line", "`/approve` is what you want"),
    ("inline code over two lines", "`a\n/approve\nb`"),
    ("two pasted commands", "`/approve`\n`/status`"),
    ("pasted in double backticks", "``/approve``"),
    ("pasted in bold", "**`/approve`**"),
    ("pasted below a quote", "> x\n\n`/approve`"),
    ("pasted above a list", "`/approve`\n\n- x"),
    ("HTML comment", "<!-- /approve -->"),
    ("HTML comment over lines", "<!--\n/approve\n-->"),
    ("HTML comment within a paragraph", "a <!--\n/approve\n-->"),
    ("HTML comment, then the command on the same line", "<!-- x --> /approve"),
    ("HTML block", "<div>\n/approve\n</div>"),
    ("HTML quote", "<blockquote>\n\n/approve\n\n</blockquote>"),
    (
        "folded away",
        "<details>\n<summary>x</summary>\n\n/approve\n\n</details>",
    ),
    ("folded away and never closed", "<details>\n\n/approve"),
    ("preformatted HTML", "<pre>\n/approve\n</pre>"),
    ("inline HTML", "<b>/approve</b>"),
    ("struck-out HTML over lines", "a <del>\n/approve</del>"),
    ("link", "[/approve](https://example.org)"),
    ("link whose text is broken", "[a\n/approve](https://example.org)"),
    ("link definition", "[a]:\n/approve"),
    ("image", "![/approve](https://example.org/x.png)"),
    (
        "image whose text is broken",
        "![a\n/approve](https://example.org/x.png)",
    ),
    ("autolink", "</approve>"),
    ("heading", "# /approve"),
    ("underlined heading", "/approve\n======="),
    ("underlined by a signature's dashes", "/approve\n-- \nAlice"),
    ("table", "| /approve | b |\n| --- | --- |\n| /approve | c |"),
    ("line that a table swallows", "a | b\n--|--\n/approve"),
    ("list item", "- /approve"),
    ("numbered item", "1. /approve"),
    ("task", "- [ ] /approve"),
    ("lazy line of a list item", "- do this\n/approve"),
    ("paragraph in a list item", "- do this\n\n  /approve"),
    ("footnote", "x[^1]\n\n[^1]: a\n/approve"),
    ("struck out", "~~/approve~~"),
    ("struck out over lines", "~~a\n/approve~~"),
    ("bold", "**/approve**"),
    ("escaped", "\\/approve"),
    ("entity", "&#47;approve"),
    (
        "written in tag characters",
        "\u{e002f}\u{e0061}\u{e0070}\u{e0070}\u{e0072}\u{e006f}\u{e0076}\u{e0065}",
    ),
    ("full-width slash", "／approve"),
    ("look-alike letters", "/аpprove"),
    ("joiner within the word", "/app\u{200d}rove"),
    ("not first on its line", "please /approve"),
    ("dot", ".approve"),
    ("dot, glued", ".deployX"),
    ("exclamation mark", "!approve"),
    ("space after the slash", "/ approve"),
    ("two slashes", "//approve"),
    ("path", "/usr/bin/approve is broken"),
    ("glued to an argument", "/approve=1"),
    ("digit first", "/1approve"),
    ("mention not first", "ask @countersign approve"),
    ("longer login", "@countersign-dev approve"),
    ("longer login without a dash", "@countersignx approve"),
    ("team", "@countersign/team approve"),
    ("other bot", "@othersign approve"),
    ("mention in a quote", "> @countersign approve"),
    ("mention in code", "`a` `@countersign approve`"),
    ("nothing", ""),
    ("blank", " \n\t\n\u{200b}"),
];

#[test]
fn commands_are_read() {
    for (name, body, expected) in READ {
        assert_eq!(lines(body), *expected, "{name}");
    }
}

#[test]
fn what_only_looks_like_a_command_is_not_read() {
    for (name, body) in NOT_READ {
        assert_eq!(lines(body), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_lines_below_are_the_reason() {
    let body = "Before.\n/reject\nIt was done last week,\nsee **there**.\n\n- one\n- two\n\n/status\nthanks";
    let all = commands(body);
    assert_eq!(
        all[0].following,
        "It was done last week,\nsee **there**.\n\n- one\n- two"
    );
    assert_eq!(all[1].following, "thanks");
    assert_eq!((all[0].index, all[1].index), (0, 1));
}

#[test]
fn other_peoples_words_and_hidden_text_are_no_reason() {
    let body = "/reject Not now.\n> Mallory wrote:\n> ignore it\n\nLater.<!-- hidden -->\u{e0061}\n<!-- marker -->";
    assert_eq!(only(body).rest, "Not now.");
    assert_eq!(only(body).following, "Later.");
    assert_eq!(
        only("/revise\n- one <!-- two -->\n- three").following,
        "- one \n- three"
    );
}

#[test]
fn the_first_fenced_block_below_is_kept_and_never_executed() {
    let body = "```\nabove\n```\n/respond\n```json\n{\"a\": 1}\n/cancel\n```\n\n```\nsecond\n```\n/status";
    let all = commands(body);
    assert_eq!(lines(body), ["respond", "status"]);
    assert_eq!(all[0].fenced.as_deref(), Some("{\"a\": 1}\n/cancel"));
    assert_eq!(all[1].fenced, None);
}

#[test]
fn arguments_stay_as_they_were_typed() {
    let rest = r#"t2 title="*Write* `it` <b>now</b> \"soon\"" assign=@bob"#;
    assert_eq!(only(&format!("/edit {rest}")).rest, rest);
}

#[test]
fn an_emoji_or_a_right_to_left_text_survives() {
    assert_eq!(only("/task 👩‍💻 كتابة الدليل").rest, "👩‍💻 كتابة الدليل");
}

#[test]
fn a_bot_without_a_name_is_not_mentioned_by_an_at_sign() {
    assert_eq!(read("@ approve", &BotName::new("")), []);
}

#[test]
fn the_longest_comment_of_anything_is_read() {
    for piece in [
        "/hold\n",
        "> ",
        "- ",
        "`",
        "[",
        "![",
        "](",
        "<",
        "<!--",
        "<details>",
        "<b>",
        "*",
        "_",
        "~~",
        "|",
        "&",
        "\\",
        "[^1]",
        "\u{200b}",
        "a\n\n",
        "> a\n\n/hold\n<!-- -->\n",
    ] {
        commands(&piece.repeat(65_536 / piece.len()));
    }
}

/// Pieces of which traps are made.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/approve",
        "/hold",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        "> ",
        "- ",
        "1. ",
        "    ",
        "\t",
        "`",
        "```\n",
        "~~",
        "*",
        "_",
        "#",
        "<!--",
        "-->",
        "<details>",
        "</details>",
        "<div>",
        "<b>",
        "[",
        "](x)",
        "![",
        "|",
        "--|--",
        "===",
        "---",
        "\\",
        "&#47;",
        "[^1]",
        "[^1]: ",
        "@countersign ",
        "[bot]",
        "\u{200b}",
        "\u{a0}",
        "\u{e0061}",
        "é",
        "👩‍💻",
        "a",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read(body in any::<String>()) {
        commands(&body);
    }

    #[test]
    fn any_markdown_is_read(body in pieces()) {
        for (place, command) in commands(&body).iter().enumerate() {
            prop_assert_eq!(command.index, place);
            prop_assert!(!command.rest.contains('\n'));
        }
    }

    #[test]
    fn nothing_is_read_in_a_fence(body in pieces()) {
        prop_assert_eq!(lines(&format!("``````\n{}\n``````", body)), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_read_in_a_quote(body in pieces()) {
        let body = body.replace("\r\n", "\n");
        let quoted: Vec<String> = body.split('\n').map(|line| format!("> {line}")).collect();
        prop_assert_eq!(lines(&quoted.join("\n")), Vec::<String>::new());
    }
    #[test]
    fn nothing_is_read_in_what_is_repeated(body in prop_oneof![pieces(), any::<String>()], most in 0_usize..80) {
        for repeated in [inline(&body, most), block(&body), quote(&body)] {
            prop_assert_eq!(lines(&repeated), Vec::<String>::new(), "{:?}", repeated);
        }
    }
}
