//! What people type wrongly, may not, or mean ill; and a GitHub that does not answer.

use countersign::sandbox::{FaultKind, FaultRule};

use super::{TASKS, approve, asked, holds, opened};
use crate::world::{Setup, World};

#[tokio::test]
async fn an_unknown_verb_is_answered_with_the_one_that_was_meant() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "It is.");
    let typed = world.say("alice", issue, "/delivr").await;
    holds(&world.answer(issue), &["`/delivr`", "`/deliver`"]);
    assert_eq!(world.reactions(typed), ["-1", "eyes"]);
    world.say("alice", issue, "@countersign make it fast").await;
    holds(&world.answer(issue), &["`/help`"]);
    world.end().await;
}

#[tokio::test]
async fn a_verb_without_the_right_is_answered_with_what_is_needed_and_who_can() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let typed = world.say("mallory", issue, "/deliver").await;
    holds(
        &world.answer(issue),
        &["You may not", "`/deliver` needs triage", "`alice`", "`carol`", "`/who`"],
    );
    assert_eq!(world.reactions(typed), ["-1", "eyes"]);
    assert!(world.card_comment(issue).is_none());
    world.end().await;
}

#[tokio::test]
async fn while_github_does_not_say_who_somebody_is_nothing_is_decided_and_then_it_is() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let who = |method: &str, path: &str| method == "GET" && path.contains("/collaborators/alice");
    world.github.fault(FaultRule::when(who, FaultKind::Status(502)));
    let typed = world.say("alice", issue, "/deliver").await;
    holds(
        &world.answer(issue),
        &["could not check", "neither yes nor no", "try again by myself"],
    );
    assert_eq!(world.reactions(typed), ["eyes"]);
    world.wait(30).await;
    world.wait(60).await;
    // It is said once, however often it is tried.
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert!(world.card_comment(issue).is_none());
    world.github.heal();
    world.wait(600).await;
    holds(&world.card(issue), &["waiting for approval", "Measure the checkout"]);
    world.hear(issue);
    assert_eq!(world.reactions(typed), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn while_the_configuration_cannot_be_read_for_the_first_time_that_is_said_too() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let file = |method: &str, path: &str| method == "GET" && path.contains("/contents/");
    world.github.fault(FaultRule::when(file, FaultKind::Refuse));
    world.say("alice", issue, "/deliver").await;
    holds(&world.answer(issue), &["could not check", "`/deliver`"]);
    world.github.heal();
    world.wait(600).await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_outage_of_an_hour_loses_no_command() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.github.fault(FaultRule::on("*", "/", FaultKind::Refuse));
    world.say("alice", issue, "/deliver").await;
    for _ in 0..60 {
        world.wait(60).await;
    }
    assert_eq!(world.hear(issue), Vec::<String>::new());
    world.github.heal();
    world.wait(600).await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_outage_while_issues_are_opened_opens_each_once() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.github.fault(FaultRule::on(
        "POST",
        "/repos/acme/shop/issues",
        FaultKind::ExecuteThenReset,
    ));
    approve(&world, issue).await;
    for _ in 0..10 {
        world.wait(120).await;
    }
    world.github.heal();
    for _ in 0..10 {
        world.wait(600).await;
    }
    let titles: Vec<_> = world.opened().into_iter().map(|opened| opened.title).collect();
    assert_eq!(titles, ["Measure the checkout", "Add an index to orders"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_people_mean_ill_is_echoed_harmlessly() {
    let world = Setup::new()
        .github(|github| github.stranger("victim").stranger("security"))
        .start()
        .await;
    let title = "Fix @victim's <img src=x onerror=alert(1)> `code` closes #1 /approve";
    let body = "- [ ] Ask @acme/security and @victim, fixes #1 ![x](http://evil.example/x.png) <script>alert(1)</script>\n\
                - [ ] /approve everything\n\
                - [ ] [Click](javascript:alert(1)) to win\n";
    let issue = world.github.as_("mallory").open_issue(title, body).unwrap();
    world
        .say(
            "mallory",
            issue,
            "- [ ] Rotate the `@victim` key\n- [ ] closes acme/shop#1",
        )
        .await;
    world.say("alice", issue, "/deliver").await;
    world
        .say(
            "mallory",
            issue,
            "/explain <b>@victim</b> ![x](http://evil.example/y.png)",
        )
        .await;
    let mut said = world.hear(issue);
    said.push(world.card(issue));
    approve(&world, issue).await;
    said.push(world.card(issue));
    said.extend(world.hear(issue));
    for opened in world.opened() {
        said.push(opened.body.clone());
        // A title is no Markdown: GitHub links and closes nothing from it.
        assert!(!opened.title.contains(['@', '<']), "{}", opened.title);
    }
    assert!(world.opened().len() > 1, "{:#?}", world.card(issue));
    for text in &said {
        let shown = without_code(text);
        for never in [
            "@victim",
            "@acme/security",
            "<script",
            "<img",
            "[Click](javascript",
            "![x]",
            "fixes #1",
            "closes #1",
            "closes acme/shop#1",
        ] {
            assert!(!shown.contains(never), "`{never}` in:\n{text}");
        }
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("/approve everything")),
            "{text}"
        );
    }
    // Nobody was made to answer for what a stranger wrote.
    assert!(world.github.issue(issue).unwrap().open);
    world.end().await;
}

/// A text without what stands in backticks, which GitHub neither links nor runs.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

#[tokio::test]
async fn a_mail_of_hostile_titles_is_one_mail() {
    let world = World::new().await;
    let body = "- [ ] Write Subject: hello\\r\\nBcc: everybody\n- [ ] Make <b>bold</b> & \"quoted\" text\n";
    let issue = opened(&world, body).await;
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    world.hear(issue);
    let mails = world.mails();
    assert_eq!(mails.len(), 1, "{}", world.card(issue));
    assert_eq!(mails[0].header("Bcc"), None, "{}", mails[0].raw);
    assert_eq!(mails[0].header("To").as_deref(), Some("stakeholders@acme.example"));
    assert!(!mails[0].raw.contains("<b>bold"), "{}", mails[0].raw);
    world.end().await;
}
