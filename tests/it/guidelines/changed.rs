//! The file changes while a workflow runs, or cannot be read.

use countersign::sandbox::{Entry, FaultKind, FaultRule};

use super::{GUIDE, generating, line, lines_of, run_of, short, told, with};
use crate::stages::{approve, files, plan, respond, through};
use crate::story::{says, says_not};
use crate::world::World;

const LATER: &str = "Indent with spaces.\n";

fn push(world: &World, path: &str, text: &str) {
    world.github.as_("bob").set_file(path, text).unwrap();
}

#[tokio::test]
async fn a_later_prompt_is_made_with_the_later_text_and_says_so() {
    let world = with("AGENTS.md", GUIDE).await;
    let issue = generating(&world).await;
    let offered = world.digest(issue);
    push(&world, "AGENTS.md", LATER);
    world.settle().await;
    // What waits is what was shown, and what is approved is asked.
    assert_eq!(world.digest(issue), offered);
    approve(&world, issue).await;
    let asked = run_of(&world, "plan").await.prompt;
    says(&asked, &["Indent with tabs."]);
    says_not(&asked, &["Indent with spaces."]);
    says(&line(&world, issue).unwrap(), &[&short(GUIDE)]);
    respond(&world, issue, &plan()).await;
    approve(&world, issue).await;

    let lines = lines_of(&run_of(&world, "generate").await.prompt);
    assert_eq!(lines, ["Indent with spaces."]);
    let before = format!(
        "Before, prompts of this workflow were made with another text of it, SHA-256 `{}`.",
        short(GUIDE)
    );
    says(&line(&world, issue).unwrap(), &[&short(LATER), &before]);
    let proposed = told(&world, "proposed").await;
    let last = proposed.last().unwrap();
    assert_eq!(last["instead_of"]["path"], "AGENTS.md");
    assert_ne!(last["commit"], proposed[0]["commit"]);
    approve(&world, issue).await;
    says(&line(&world, issue).unwrap(), &[&before]);
    respond(&world, issue, &files("fn pay() {}\n")).await;
    approve(&world, issue).await;

    // Nothing changed since: nothing is said.
    says_not(&line(&world, issue).unwrap(), &["Before"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_file_that_is_gone_or_another_is_told() {
    let world = with("AGENTS.md", GUIDE).await;
    let issue = generating(&world).await;
    through(&world, issue, &plan()).await;
    let bob = world.github.as_("bob");
    bob.delete_file("AGENTS.md").unwrap();
    world.settle().await;
    world.say("bob", issue, "/revise as we work now").await;
    world.hear(issue);
    says_not(&run_of(&world, "generate").await.prompt, &["Indent with"]);
    let gone = line(&world, issue).unwrap();
    says(
        &gone,
        &[
            "nothing of `AGENTS.md`",
            "there is no such file",
            "Before",
            &short(GUIDE),
            "`/revise …`",
        ],
    );

    push(&world, "CLAUDE.md", LATER);
    world.settle().await;
    world.say("bob", issue, "/revise once more").await;
    world.hear(issue);
    let other = line(&world, issue).unwrap();
    says(&other, &["`CLAUDE.md` at commit", &short(LATER)]);
    says_not(&other, &["Before"]);
    world.end().await;
}

#[tokio::test]
async fn what_github_does_not_tell_is_asked_again_and_never_left_out() {
    for path in ["/repos/acme/shop/commits", "/repos/acme/shop/contents/AGENTS.md"] {
        for kind in [
            FaultKind::Status(502),
            FaultKind::Refuse,
            FaultKind::TooManyRequests { retry_after: None },
        ] {
            let world = with("AGENTS.md", GUIDE).await;
            world.github.fault(FaultRule::on("GET", path, kind));
            let issue = generating(&world).await;
            let card = world.card(issue);
            says_not(&card, &["prompt waiting for approval", "/approve"]);
            says(&card, &["| Plan | "]);
            world.wait(20).await;
            assert!(
                told(&world, "proposed").await.is_empty(),
                "{path}: nothing is asked without"
            );
            world.github.heal();
            world.wait(600).await;
            world.hear(issue);
            says(&line(&world, issue).unwrap(), &["`AGENTS.md`", &short(GUIDE)]);
            world.end().await;
        }
    }
}

/// Between the two calls somebody pushes: what is read is what stood at the commit that is named.
#[tokio::test]
async fn the_text_is_the_one_of_the_commit_that_is_named() {
    let world = with("AGENTS.md", GUIDE).await;
    let contents = FaultRule::on("GET", "/repos/acme/shop/contents/AGENTS.md", FaultKind::Status(502));
    world.github.fault(contents.times(1));
    let issue = generating(&world).await;
    push(&world, "AGENTS.md", LATER);
    world
        .github
        .as_("bob")
        .set_entry("logo.png", Entry::Bytes(vec![0xff, 0xd8]))
        .unwrap();
    world.settle().await;
    world.wait(60).await;
    world.hear(issue);
    let made = &told(&world, "proposed").await[0];
    let commit = made["commit"].as_str().unwrap();
    let read = world
        .github
        .requests()
        .into_iter()
        .rfind(|request| request.path.ends_with("/contents/AGENTS.md"));
    assert_eq!(read.unwrap().query, [("ref".to_owned(), commit.to_owned())]);
    says(&line(&world, issue).unwrap(), &[&short(LATER)]);
    world.end().await;
}
