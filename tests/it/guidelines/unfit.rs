//! What cannot be given is left out with a word, and what is too long is cut.

use countersign::sandbox::{Builder, Entry, IssueNumber};
use serde_json::json;

use super::{GUIDE, SECTION, generating, line, lines_of, run_of, section, told};
use crate::stages::approve;
use crate::story::{says, says_not};
use crate::world::{Setup, World};

/// What stands in a repository, what is said of it, and what is on record.
type Case = (Box<dyn FnOnce(Builder) -> Builder>, &'static str, serde_json::Value);

async fn standing(change: impl FnOnce(Builder) -> Builder) -> (World, IssueNumber) {
    let world = Setup::new().github(change).start().await;
    let issue = generating(&world).await;
    (world, issue)
}

#[tokio::test]
async fn each_thing_that_is_no_text_has_its_word_and_the_prompt_goes_without() {
    let entry = |entry: Entry| move |github: Builder| github.entry("AGENTS.md", entry);
    let text = |text: &'static str| move |github: Builder| github.file("AGENTS.md", text);
    let large = vec![b'a'; 1024 * 1024 + 1];
    let all: Vec<Case> = vec![
        (
            Box::new(|github: Builder| github.file("AGENTS.md/part.md", GUIDE)),
            "it is a folder",
            json!("folder"),
        ),
        (
            Box::new(entry(Entry::Link("../outside.md".into()))),
            "leads to no file here",
            json!("link"),
        ),
        (
            Box::new(entry(Entry::Link("/etc/passwd".into()))),
            "leads to no file here",
            json!("link"),
        ),
        (
            Box::new(entry(Entry::Submodule("https://github.com/acme/rules".into()))),
            "it is a submodule",
            json!("submodule"),
        ),
        (
            Box::new(entry(Entry::Bytes(vec![0xff, 0xfe, 0x00]))),
            "it is not text in UTF-8",
            json!("not_text"),
        ),
        (
            Box::new(entry(Entry::Bytes(large))),
            "it is too large to be read",
            json!("too_large"),
        ),
        (Box::new(text("")), "there is nothing in it", json!("empty")),
        (
            Box::new(text(" \n<!-- for later -->\n")),
            "there is nothing in it",
            json!("empty"),
        ),
        (
            Box::new(text("Sign in with\npassword=hunter2 for now.\n")),
            "it holds a password or key (line 2), which must not leave",
            json!({"withheld": {"holds": "a password or key", "line": 2}}),
        ),
        (
            Box::new(text("Ask carol@example.org.\n")),
            "it holds an e-mail address (line 1), which must not leave",
            json!({"withheld": {"holds": "an e-mail address", "line": 1}}),
        ),
    ];
    for (change, said, why) in all {
        // Another file is there, but the first that is there counts.
        let (world, issue) = standing(|github| change(github.file("CLAUDE.md", "Use spaces.\n"))).await;
        let told = told(&world, "proposed").await;
        assert_eq!(told[0]["found"]["left_out"], why, "{told:?}");
        assert_eq!(told[0]["path"], "AGENTS.md");
        let line = line(&world, issue).unwrap();
        says(&line, &["nothing of `AGENTS.md` at commit `", said]);
        let run = run_of(&world, "plan").await;
        says_not(&run.prompt, &[SECTION, "Use spaces", "hunter2", "carol@"]);
        says_not(&run.inputs, &["hunter2", "carol@"]);
        world.end().await;
    }
}

#[tokio::test]
async fn a_link_to_another_file_of_the_repository_is_that_file() {
    let linked = |github: Builder| {
        let github = github.file("docs/agents.md", GUIDE);
        github.entry("AGENTS.md", Entry::Link("docs/../docs/agents.md".into()))
    };
    let (world, issue) = standing(linked).await;
    let lines = lines_of(&run_of(&world, "plan").await.prompt);
    assert_eq!(lines, GUIDE.lines().collect::<Vec<_>>());
    says(&line(&world, issue).unwrap(), &["`AGENTS.md` at commit"]);
    world.end().await;
}

#[tokio::test]
async fn an_address_of_git_is_nobodys_and_stays_in() {
    let (world, issue) = standing(|github| github.file("AGENTS.md", "Clone git@github.com:acme/shop.git\n")).await;
    says(&run_of(&world, "plan").await.prompt, &["git@github.com:acme/shop.git"]);
    world.hear(issue);
    world.end().await;
}

/// By default 32 KiB are given, or what the repository says, and never more than the server lets it.
#[tokio::test]
async fn what_is_too_long_is_cut_at_the_end_of_a_line_and_that_is_said() {
    let text: String = (0..5000).map(|number| format!("Rule {number}\n")).collect();
    for (config, server, most) in [
        ("version: 1\n", None, 32 * 1024),
        ("version: 1\nlimits: {guidelines: 100}\n", None, 100),
        ("version: 1\nlimits: {guidelines: 100}\n", Some("50"), 50),
        ("version: 1\nlimits: {guidelines: 131072}\n", None, text.len()),
    ] {
        let cut = text[..most].rfind('\n').unwrap() + 1;
        let mut setup = Setup::new()
            .config(config)
            .github(|github| github.file("AGENTS.md", &text));
        if let Some(server) = server {
            setup = setup.set("COUNTERSIGN_GUIDELINES_BYTES", server);
        }
        let world = setup.start().await;
        let issue = generating(&world).await;
        let prompt = run_of(&world, "plan").await.prompt;
        let (lines, _) = section(&prompt).unwrap();
        let card = line(&world, issue).unwrap();
        let given = &told(&world, "proposed").await[0]["found"]["given"];
        assert_eq!(given["bytes"], text.len());
        if cut == text.len() {
            assert_eq!(lines.len(), 5000);
            says(&card, &[&format!("{} bytes.", text.len())]);
            assert!(given.get("cut_at").is_none(), "{given}");
        } else {
            assert_eq!(lines, text[..cut].lines().collect::<Vec<_>>());
            let said = format!("cut: the first {cut} of {} bytes", text.len());
            says(&card, &[&said]);
            says(
                &prompt,
                &[&format!("(cut: its first {cut} of {} bytes stand here)", text.len())],
            );
            assert_eq!(given["cut_at"], cut);
        }
        world.hear(issue);
        world.end().await;
    }
}

#[tokio::test]
async fn a_line_that_is_longer_than_the_cap_is_cut_between_characters() {
    let text = "é".repeat(100);
    let setup = Setup::new().config("version: 1\nlimits: {guidelines: 51}\n");
    let world = setup.github(|github| github.file("AGENTS.md", &text)).start().await;
    let issue = generating(&world).await;
    let lines = lines_of(&run_of(&world, "plan").await.prompt);
    assert_eq!(lines, ["é".repeat(25)]);
    says(&line(&world, issue).unwrap(), &["the first 50 of 200 bytes"]);
    world.end().await;
}

/// A secret below the cut is in the file all the same, and what is given was looked at.
#[tokio::test]
async fn what_is_cut_off_is_not_given_and_what_is_given_is_looked_at() {
    let text = "Use tabs.\npassword=hunter2\n";
    let setup = Setup::new().config("version: 1\nlimits: {guidelines: 12}\n");
    let world = setup.github(|github| github.file("AGENTS.md", text)).start().await;
    let issue = generating(&world).await;
    approve(&world, issue).await;
    let run = run_of(&world, "plan").await;
    says(&run.prompt, &["Use tabs."]);
    says_not(&(run.prompt + &run.inputs), &["hunter2"]);
    world.hear(issue);
    world.end().await;
}
