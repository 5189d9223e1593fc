//! What is read as a command, through the front door: a comment is written, GitHub sends its signed webhook, and what
//! the bot did is looked at. Every line is somebody's bug with a bot of this kind.

mod models;

use countersign::sandbox::{CommentId, IssueNumber, ReviewState, Role};

use crate::world::{Setup, World};

/// A name and a comment.
type Case = (&'static str, &'static str);

/// What comes of one comment.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    reactions: Vec<String>,
    answers: Vec<String>,
}

async fn outcome(world: &World, who: &str, issue: IssueNumber, text: &str) -> Outcome {
    let comment = world.say(who, issue, text).await;
    Outcome {
        reactions: world.reactions(comment),
        answers: world.hear(issue),
    }
}

fn nothing() -> Outcome {
    Outcome {
        reactions: Vec::new(),
        answers: Vec::new(),
    }
}

async fn world_with_issue() -> (World, IssueNumber) {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n- [ ] Add an index\n");
    (world, issue)
}

/// A workflow waits at its gate.
async fn at_the_gate() -> (World, IssueNumber) {
    let (world, issue) = world_with_issue().await;
    world.say("alice", issue, "/deliver").await;
    world.wait(20).await;
    world.hear(issue);
    (world, issue)
}

/// Each of these asks for help once.
async fn help_is_read(cases: &[Case]) {
    let (world, issue) = world_with_issue().await;
    for (name, text) in cases {
        let came = outcome(&world, "mallory", issue, text).await;
        assert_eq!(came.reactions, ["eyes", "rocket"], "{name}: {text:?} {came:#?}");
        assert_eq!(came.answers.len(), 1, "{name}: {text:?} {came:#?}");
        assert!(came.answers[0].contains("`/approve"), "{name}: {came:#?}");
    }
    world.end().await;
}

/// Nobody is addressed by any of these.
async fn nothing_is_read(cases: &[Case]) {
    let (world, issue) = world_with_issue().await;
    for (name, text) in cases {
        assert_eq!(
            outcome(&world, "alice", issue, text).await,
            nothing(),
            "{name}: {text:?}"
        );
    }
    world.end().await;
}

/// Each of these is answered once, refused, in these words.
async fn these_are_answered(cases: &[(Case, &str)]) {
    let (world, issue) = world_with_issue().await;
    for ((name, text), words) in cases {
        let came = outcome(&world, "alice", issue, text).await;
        assert_eq!(came.reactions, ["-1", "eyes"], "{name}: {text:?} {came:#?}");
        assert_eq!(came.answers.len(), 1, "{name}: {text:?} {came:#?}");
        assert!(came.answers[0].contains(words), "{name}: {came:#?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_command_is_read_where_it_stands_first_on_its_line() {
    help_is_read(&[
        ("alone", "/help"),
        ("in capitals", "/HELP"),
        ("with words behind it", "/who please"),
        ("indented by spaces", "   /help"),
        ("below text", "Looks good.\n/help"),
        ("below a paragraph", "Looks good.\n\n/help"),
        ("above text", "/help\n\nThanks!"),
        ("with Windows' line ends", "Yes.\r\n/help\r\nThanks.\r\n"),
        ("below an answered quote", "> Shall we?\n\n/help"),
        ("below a code block", "```\nx\n```\n/help"),
        ("below a list", "- a\n- b\n\n/help"),
        ("two spaces at the end of its line", "/help  \nplease"),
    ])
    .await;
}

#[tokio::test]
async fn what_tools_and_copying_add_does_not_hide_a_command() {
    help_is_read(&[
        ("an HTML comment behind it", "/help <!-- sent with a tool -->"),
        ("an HTML comment glued to it", "/help<!-- sent with a tool -->"),
        ("an HTML comment below it", "/help\n\n<!-- sent with a tool -->"),
        ("an HTML comment above it", "<!-- template -->\n/help"),
        ("the backticks that it was shown in", "`/help`"),
        (
            "these backticks and a tool's comment",
            "`/help`\n<!-- sent with a tool -->",
        ),
        ("a zero-width space before it", "\u{200b}/help"),
        ("a zero-width space behind it", "/help\u{200b}"),
        ("a byte order mark", "\u{feff}/help"),
        ("a right-to-left mark", "/help\u{200f}"),
        ("a no-break space before it", "\u{a0}/help"),
        ("a no-break space behind it", "/who\u{a0}please"),
        ("an emoji behind it", "/help 🙏🏽"),
    ])
    .await;
}

#[tokio::test]
async fn the_bot_can_be_mentioned_instead() {
    help_is_read(&[
        ("mention", "@countersign help"),
        ("mention in another case", "@Countersign Help"),
        ("mention with its suffix", "@countersign[bot] help"),
        ("mention with a colon", "@countersign: help"),
        ("mention with a comma", "@countersign, help"),
        ("mention and slash", "@countersign /help"),
    ])
    .await;
}

#[tokio::test]
async fn other_peoples_words_are_no_command() {
    nothing_is_read(&[
        ("quote", "> /deliver"),
        ("quote that goes on without its mark", "> Shall we?\n/deliver"),
        ("quote in a quote", "> > /deliver"),
        ("quoted reply", "> /deliver\n\nI would not."),
        ("alert", "> [!NOTE]\n> /deliver"),
        ("quoted mention", "> @countersign deliver"),
        ("HTML quote", "<blockquote>\n\n/deliver\n\n</blockquote>"),
    ])
    .await;
}

#[tokio::test]
async fn what_only_shows_a_command_is_none() {
    nothing_is_read(&[
        ("fenced code", "```\n/deliver\n```"),
        ("code fenced by tildes", "~~~\n/deliver\n~~~"),
        ("code that is never closed", "```\n/deliver"),
        ("indented code", "    /deliver"),
        ("code indented by a tab", "\t/deliver"),
        ("inline code", "Write `/deliver` to begin."),
        ("inline code at the beginning", "`/deliver` is what you want"),
        ("inline code over lines", "`a\n/deliver\nb`"),
        ("two in backticks", "`/deliver`\n`/status`"),
        ("preformatted HTML", "<pre>\n/deliver\n</pre>"),
        ("heading", "# /deliver"),
        ("underlined heading", "/deliver\n========"),
        ("list item", "- /deliver"),
        ("numbered item", "1. /deliver"),
        ("task", "- [ ] /deliver"),
        ("line of a list item", "- do this\n/deliver"),
        ("table", "| /deliver | b |\n| --- | --- |\n| /deliver | c |"),
        ("footnote", "x[^1]\n\n[^1]: a\n/deliver"),
        ("bold", "**/deliver**"),
        ("struck out", "~~/deliver~~"),
        ("escaped", "\\/deliver"),
    ])
    .await;
}

#[tokio::test]
async fn what_nobody_sees_is_no_command() {
    nothing_is_read(&[
        ("HTML comment", "<!-- /deliver -->"),
        ("HTML comment over lines", "<!--\n/deliver\n-->"),
        ("HTML comment in a paragraph", "Thanks. <!--\n/deliver\n-->"),
        ("HTML comment that is never closed", "Thanks.\n\n<!--\n/deliver"),
        (
            "folded away",
            "<details>\n<summary>x</summary>\n\n/deliver\n\n</details>",
        ),
        ("HTML block", "<div>\n/deliver\n</div>"),
        ("inline HTML", "<b>/deliver</b>"),
        (
            "tag characters",
            "\u{e002f}\u{e0064}\u{e0065}\u{e006c}\u{e0069}\u{e0076}\u{e0065}\u{e0072}",
        ),
    ])
    .await;
}

#[tokio::test]
async fn links_pictures_and_paths_are_no_command() {
    nothing_is_read(&[
        ("link", "[/deliver](https://example.org)"),
        ("link over lines", "[a\n/deliver](https://example.org)"),
        ("link definition", "[a]:\n/deliver"),
        ("autolink", "<https://example.org/deliver>"),
        ("address", "https://example.org/deliver"),
        ("picture", "![/deliver](https://example.org/x.png)"),
        ("path", "/usr/bin/deliver is broken"),
        ("two slashes", "//deliver"),
        ("space behind the slash", "/ deliver"),
        ("not first on its line", "please /deliver"),
        ("mention that is not first", "ask @countersign deliver"),
        ("another's longer name", "@countersign-dev deliver"),
        ("a team", "@countersign/team deliver"),
        ("a dot for a slash", ".deliver"),
        ("a full-width slash", "／deliver"),
        ("letters that look alike", "/dеliver"),
        ("nothing but a slash", "/"),
        ("chatter", "I'd deliver this by Friday, and/or later 🚀"),
    ])
    .await;
}

#[tokio::test]
async fn the_words_of_other_bots_are_theirs() {
    nothing_is_read(&[
        ("lgtm", "/lgtm"),
        ("lgtm with text", "/lgtm nice work"),
        ("lgtm taken back", "/lgtm cancel"),
        ("test", "/test all"),
        ("retest", "/retest"),
        ("assign", "/assign @bob"),
        ("close", "/close"),
        ("label", "/kind bug"),
        ("tide", "/tide status"),
        ("deploy", "/deploy production"),
        ("a longer word that begins like ours", "/approve-foo"),
        ("a longer word that begins like ours, by an underscore", "/deliver_all"),
        ("GitHub's own menu", "/tasklist"),
        ("another bot", "@dependabot rebase"),
        ("mention of nobody", "@ help"),
    ])
    .await;
}

#[tokio::test]
async fn what_was_meant_for_us_and_is_wrong_is_answered_once() {
    these_are_answered(&[
        (("misspelt", "/hlep"), "did you mean `/help`?"),
        (("misspelt verb", "/aprove"), "did you mean `/approve`?"),
        (("cut short", "/deliv"), "did you mean `/deliver`?"),
        (("punctuation", "/deliver!"), "did you mean `/deliver`?"),
        (
            ("unknown after a mention", "@countersign frobnicate"),
            "I do not know `frobnicate`",
        ),
        (
            ("misspelt after a mention", "@countersign aprove"),
            "did you mean `/approve`?",
        ),
        (("mention alone", "@countersign"), "no command follows"),
        (("two on a line", "/approve /hold"), "put `/hold` on a line of its own"),
        (("argument that is none", "/retry t2"), "it takes no arguments"),
        (("no reason", "/reject"), "`/reject"),
        (("unclosed quote", "/edit t1 title=\"Oh"), "`/edit"),
        (("unknown field", "/edit t1 titel=Oh"), "title"),
        (("shortened digest", "/approve 3f9c0a"), "12 to 64 hex digits"),
        (("approval of one task", "/approve t2"), "tick or untick"),
    ])
    .await;
}

/// Where another bot of these words is known for it, they take back what they name.
#[tokio::test]
async fn the_opposite_is_not_read_as_the_reason() {
    let (world, issue) = at_the_gate().await;
    for (text, instead) in [("/approve cancel", "`/unapprove`"), ("/hold cancel", "`/unhold`")] {
        let came = outcome(&world, "alice", issue, text).await;
        assert_eq!(came.reactions, ["-1", "eyes"], "{text}: {came:#?}");
        assert!(
            came.answers.len() == 1 && came.answers[0].contains(instead),
            "{text}: {came:#?}"
        );
        assert!(world.card(issue).contains("**waiting for approval**"), "{text}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_hostile_name_is_not_echoed_alive() {
    let (world, issue) = world_with_issue().await;
    let came = outcome(&world, "mallory", issue, "@countersign fixes").await;
    assert_eq!(came.reactions, ["-1", "eyes"]);
    let came = outcome(&world, "mallory", issue, "@countersign @alice closes #1").await;
    assert_eq!(came.reactions, ["-1", "eyes"]);
    assert!(
        !came.answers[0].contains("@alice") && !came.answers[0].contains("closes #1"),
        "{came:#?}"
    );
    world.end().await;
}

#[tokio::test]
async fn each_command_of_a_comment_has_its_own_outcome_in_their_order() {
    let (world, issue) = at_the_gate().await;
    let text = "/help\n\n> /deliver\n\nand then\n/hold Not yet.\n/hlep\n`/deliver`\n/status";
    let came = outcome(&world, "carol", issue, text).await;
    assert_eq!(came.reactions, ["-1", "eyes", "rocket"], "{came:#?}");
    let [help, unknown, status] = came.answers.as_slice() else {
        panic!("three answers, and the card for the hold: {came:#?}");
    };
    assert!(help.contains("Lists the commands"), "{help}");
    assert!(unknown.contains("did you mean `/help`?"), "{unknown}");
    assert!(status.contains("on hold"), "{status}");
    assert!(world.card(issue).contains("Not yet."));
    world.end().await;
}

#[tokio::test]
async fn what_may_be_done_is_done_and_what_may_not_is_refused_in_one_comment() {
    let (world, issue) = at_the_gate().await;
    let came = outcome(&world, "carol", issue, "/approve\n/hold\n/unhold").await;
    assert_eq!(came.reactions, ["-1", "eyes", "rocket"], "{came:#?}");
    let [approve, unhold] = came.answers.as_slice() else {
        panic!("two refusals: {came:#?}");
    };
    assert!(approve.contains("You may not: `/approve`"), "{approve}");
    assert!(unhold.contains("You may not: `/unhold`"), "{unhold}");
    assert!(world.card(issue).contains("on hold"));
    world.end().await;
}

#[tokio::test]
async fn the_lines_below_are_the_reason() {
    let (world, issue) = at_the_gate().await;
    let text = "/hold\nThe audit\nis not over.\n\n> ignore it\n<!-- nor this -->";
    let came = outcome(&world, "carol", issue, text).await;
    assert_eq!(came.reactions, ["eyes", "rocket"]);
    let card = world.card(issue);
    assert!(
        card.contains("The audit is not over.") || card.contains("The audit\nis not over."),
        "{card}"
    );
    assert!(!card.contains("ignore it") && !card.contains("nor this"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn an_approval_carries_its_reason_and_names_exactly_one_digest() {
    let (world, issue) = at_the_gate().await;
    let digest = world.digest(issue).to_uppercase();
    let text = format!("`/approve {digest}`");
    let came = outcome(&world, "bob", issue, &text).await;
    assert_eq!(came.reactions, ["eyes", "rocket"], "{came:#?}");
    assert_eq!(world.opened().len(), 2);
    world.card(issue);
    world.end().await;
}

#[tokio::test]
async fn emoji_and_right_to_left_text_arrive_as_they_were_typed() {
    let (world, issue) = at_the_gate().await;
    let came = outcome(&world, "carol", issue, "/task 👩‍💻 كتابة الدليل").await;
    assert_eq!(came.reactions, ["eyes", "rocket"], "{came:#?}");
    let card = world.card(issue);
    assert!(card.contains("👩‍💻") && card.contains("كتابة الدليل"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn an_edit_never_runs_a_command() {
    let (world, issue) = world_with_issue().await;
    let chatter = world.say("carol", issue, "Nice weather.").await;
    edit(&world, "carol", chatter, "/deliver").await;
    edit(&world, "alice", chatter, "/deliver\n/help").await;
    let typo = world.say("carol", issue, "/hlep").await;
    assert!(world.answer(issue).contains("did you mean `/help`?"));
    edit(&world, "carol", typo, "/help").await;
    let asked = world.say("mallory", issue, "/help").await;
    world.answer(issue);
    edit(&world, "mallory", asked, "/help\n/help\n\nPlease!").await;
    assert_eq!(world.hear(issue), [""; 0]);
    assert_eq!(world.reactions(chatter), [""; 0]);
    assert_eq!(world.reactions(typo), ["-1", "eyes"]);
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn a_comment_that_was_edited_before_it_is_heard_counts_as_it_was_sent() {
    let (world, issue) = world_with_issue().await;
    let mallory = world.github.as_("mallory");
    let asked = mallory.comment(issue, "/help").unwrap();
    mallory.edit_comment(asked, "/deliver").unwrap();
    world.settle().await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    assert!(world.answer(issue).contains("Lists the commands"));
    world.end().await;
}

#[tokio::test]
async fn a_deletion_runs_nothing() {
    let (world, issue) = world_with_issue().await;
    let asked = world.say("mallory", issue, "/help").await;
    world.answer(issue);
    let bot = world.github.bot_login();
    let help = world
        .github
        .comments(issue)
        .into_iter()
        .find(|comment| comment.author == bot);
    world.github.as_("alice").delete_comment(help.unwrap().id).unwrap();
    world.github.as_("mallory").delete_comment(asked).unwrap();
    world.settle().await;
    assert_eq!(world.hear(issue), [""; 0]);
    assert_eq!(world.github.comments(issue).len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_comment_that_is_deleted_before_it_is_heard_is_still_answered_once() {
    let (world, issue) = world_with_issue().await;
    let mallory = world.github.as_("mallory");
    let asked = mallory.comment(issue, "/help").unwrap();
    mallory.delete_comment(asked).unwrap();
    world.settle().await;
    assert!(world.answer(issue).contains("Lists the commands"));
    world.end().await;
}

#[tokio::test]
async fn bots_are_never_read_and_least_of_all_ourselves() {
    let (world, issue) = world_with_issue().await;
    let ourselves = world.github.bot_login();
    world.github.set_role("renovate[bot]", Role::Admin);
    for bot in ["renovate[bot]", &ourselves] {
        for text in ["/help", "@countersign help", "/deliver", "/hlep"] {
            let said = world.say(bot, issue, text).await;
            assert_eq!(world.reactions(said), [""; 0], "{bot} {text}");
        }
    }
    let said: Vec<String> = world.hear(issue);
    assert_eq!(
        said,
        ["/help", "@countersign help", "/deliver", "/hlep"],
        "nothing but what was put into its mouth"
    );
    world.end().await;
}

#[tokio::test]
async fn an_edit_of_our_own_answer_runs_nothing() {
    let (world, issue) = world_with_issue().await;
    world.say("mallory", issue, "/help").await;
    world.answer(issue);
    let bot = world.github.bot_login();
    let help = world
        .github
        .comments(issue)
        .into_iter()
        .find(|comment| comment.author == bot);
    edit(&world, "alice", help.unwrap().id, "/deliver").await;
    assert_eq!(world.hear(issue), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_review_and_a_comment_on_a_line_are_read_as_well() {
    let (world, _) = world_with_issue().await;
    let alice = world.github.as_("alice");
    let pull = alice.open_pull("Faster checkout", "It is.", "faster").unwrap();
    let rita = world.github.as_("rita");
    rita.review(pull, ReviewState::Commented, "Nice.\n\n/help").unwrap();
    world.settle().await;
    assert!(
        world.answer(pull).contains("Lists the commands"),
        "a review cannot be reacted to, but answered"
    );
    let line = rita.line_comment(pull, "src/checkout.rs", 3, "/help").unwrap();
    world.settle().await;
    assert_eq!(world.reactions(line), ["eyes", "rocket"]);
    let bot = world.github.bot_login();
    let replies: Vec<_> = world
        .github
        .line_comments(pull)
        .into_iter()
        .filter(|reply| reply.author == bot)
        .collect();
    assert_eq!(replies.len(), 1);
    assert!(replies[0].body.contains("Lists the commands"));
    let silent = rita.line_comment(pull, "src/checkout.rs", 4, "> /help").unwrap();
    world.settle().await;
    assert_eq!(world.reactions(silent), [""; 0]);
    assert_eq!(world.hear(pull), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_repository_may_have_words_of_its_own() {
    let config = "version: 1\naliases:\n  ship: deliver\n";
    let world = Setup::new().config(config).start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let came = outcome(&world, "mallory", issue, "/ship").await;
    assert!(
        came.answers[0].contains("You may not: `/deliver` needs triage access"),
        "{came:#?}"
    );
    let came = outcome(&world, "mallory", issue, "/shp").await;
    assert!(came.answers[0].contains("did you mean `/ship`?"), "{came:#?}");
    world.end().await;
}

async fn edit(world: &World, who: &str, comment: CommentId, text: &str) {
    world.github.as_(who).edit_comment(comment, text).unwrap();
    world.settle().await;
}
