//! How much is answered in an hour, to one person and to strangers.

use crate::world::{Setup, World};

const LIST: &str = "- [ ] Label the drawers\n";

async fn world(commands: &str, strangers: &str) -> World {
    Setup::new()
        .set("COUNTERSIGN_COMMANDS_PER_HOUR", commands)
        .set("COUNTERSIGN_STRANGER_ANSWERS_PER_HOUR", strangers)
        .start()
        .await
}

#[tokio::test]
async fn a_person_above_the_limit_hears_once_when_it_goes_on() {
    let mut world = world("2", "100").await;
    let issue = world.issue("Sort the drawers", LIST);
    // Two commands in one comment are two.
    world.say("bob", issue, "/status\n\n/who").await;
    assert_eq!(world.hear(issue).len(), 2);
    let above = world.say("bob", issue, "/status").await;
    assert_eq!(
        world.answer(issue),
        "I hear 2 commands of one person in an hour. I go on with yours at 2026-11-20 10:00 UTC, and say nothing until \
         then. To stop something now, whoever opened this can still: `/hold` or `/cancel`"
    );
    assert_eq!(world.reactions(above), ["-1", "eyes"]);
    let silent = world.say("bob", issue, "/status").await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(world.reactions(silent), Vec::<String>::new());

    // It is one person's limit, wherever they speak, and a restart forgets nothing.
    let other = world.issue("Another", LIST);
    world.restart().await;
    world.say("bob", other, "/status").await;
    assert_eq!(world.hear(other), Vec::<String>::new());
    world.say("carol", other, "/status").await;
    assert_eq!(world.hear(other).len(), 1);

    world.wait(3600).await;
    world.say("bob", issue, "/status").await;
    assert_eq!(world.hear(issue).len(), 1, "the next hour has begun");
    world.end().await;
}

#[tokio::test]
async fn whoever_opened_the_issue_may_always_stop() {
    let world = world("1", "100").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    world.say("alice", issue, "/status").await;
    assert!(
        world
            .answer(issue)
            .starts_with("I hear 1 command of one person in an hour.")
    );
    world.say("alice", issue, "/hold Wait for the figures.").await;
    assert!(world.card(issue).contains("Wait for the figures."));
    world.say("alice", issue, "/unhold").await;
    assert!(
        world.card(issue).contains("Wait for the figures."),
        "only stopping is free"
    );
    world.say("alice", issue, "/cancel Enough.").await;
    world.hear(issue);
    assert!(world.card(issue).contains("ancelled"), "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn strangers_share_the_answers_of_a_repository() {
    let world = world("100", "2").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("mallory", issue, "/deliver").await;
    world.say("rita", issue, "/help").await;
    assert_eq!(world.hear(issue).len(), 2);
    let third = world.say("mallory", issue, "/deliver").await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(world.reactions(third), ["-1", "eyes"]);
    // What would be answered to somebody else is not shown as done.
    let fourth = world.say("mallory", issue, "/help").await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(world.reactions(fourth), ["-1", "eyes"]);
    // Who belongs here is answered all the same.
    world.say("carol", issue, "/status").await;
    assert_eq!(world.hear(issue).len(), 1);
    world.wait(3600).await;
    world.say("mallory", issue, "/help").await;
    assert_eq!(world.hear(issue).len(), 1);
    world.end().await;
}
