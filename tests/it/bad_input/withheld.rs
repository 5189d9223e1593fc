//! What must not leave, and what must not be read.

use chrono::TimeDelta;

use super::{TASKS, approve, asked, holds};
use crate::world::World;

const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ456789";

#[tokio::test]
async fn a_secret_or_an_address_keeps_its_task_in_and_only_the_kind_is_named() {
    let world = World::new().await;
    let body = format!(
        "- [ ] Measure the checkout\n- [ ] Rotate the token {TOKEN}\n- [ ] Write to someone.private@customer.example\n"
    );
    let issue = asked(&world, &body).await;
    let card = world.card(issue);
    holds(
        &card,
        &["1 task", "Measure the checkout", "a GitHub token", "an e-mail address"],
    );
    approve(&world, issue).await;
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    let mut said = world.hear(issue);
    said.push(card);
    said.push(world.card(issue));
    said.extend(world.opened().into_iter().map(|opened| opened.body));
    said.extend(world.mails().into_iter().map(|mail| mail.raw));
    for text in said {
        assert!(!text.contains(&TOKEN[..20]), "the token in:\n{text}");
        assert!(!text.contains("someone.private"), "the address in:\n{text}");
    }
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_edit_that_brings_a_secret_is_refused() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let before = world.digest(issue);
    world
        .say("alice", issue, &format!("/edit t1 title=\"Use {TOKEN}\""))
        .await;
    let answer = world.answer(issue);
    holds(&answer, &["I changed nothing", "a GitHub token"]);
    assert!(!answer.contains(&TOKEN[..20]), "{answer}");
    assert_eq!(world.digest(issue), before);
    world.end().await;
}

#[tokio::test]
async fn text_that_was_edited_after_somebody_asked_is_left_out_and_named() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout");
    let changed = world
        .github
        .as_("mallory")
        .comment(issue, "- [ ] Add an index to orders")
        .unwrap();
    world
        .github
        .as_("mallory")
        .comment(issue, "TODO: write the runbook")
        .unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    // Nobody has looked at the comment yet when its author changes it.
    world
        .github
        .as_("mallory")
        .edit_comment(changed, "- [ ] Make mallory an owner")
        .unwrap();
    world
        .github
        .as_("mallory")
        .comment(issue, "- [ ] Delete the backups")
        .unwrap();
    world.settle().await;
    let card = world.card(issue);
    holds(
        &card,
        &[
            "2 tasks",
            "Measure the checkout",
            "rite the runbook",
            "mallory",
            "edited after somebody asked",
        ],
    );
    assert!(
        !card.contains("an owner") && !card.contains("Delete the backups"),
        "{card}"
    );
    world.hear(issue);
    world.end().await;
}
