//! Questions and pauses on the way, and what happens when people ask for a second workflow.

use super::{says, says_not};
use crate::world::World;

#[tokio::test]
async fn a_gate_that_opens_says_so_in_one_comment_that_names_people_and_is_tidied() {
    let world = World::new().await;
    let issue = world.discussion().await;
    world.say("alice", issue, "/deliver").await;
    let call = world.answer(issue);
    says(&call, &["@alice", "@bob", "@mona", "@ada", "*Tasks*", "#issuecomment-"]);
    says_not(&call, &["@carol", "@rita", "@mallory"]);
    let bot = world.github.bot_login();
    let calls = |world: &World| -> Vec<Option<String>> {
        world
            .github
            .comments(issue)
            .into_iter()
            .filter(|comment| comment.author == bot && comment.body.contains("waits for you"))
            .map(|comment| comment.minimized)
            .collect()
    };
    assert_eq!(calls(&world), [None]);
    world.say("alice", issue, "/edit t1 est=S").await;
    assert_eq!(calls(&world), [None], "a change calls nobody again");
    world.wait(20).await;
    world.approve("bob", issue).await;
    world.is_called(issue);
    assert_eq!(calls(&world), [Some("resolved".to_owned()), None]);
    world.wait(20).await;
    world.approve("bob", issue).await;
    assert_eq!(
        calls(&world),
        [Some("resolved".to_owned()), Some("resolved".to_owned())]
    );
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn status_says_where_it_stands_and_what_next() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("mallory", issue, "/status").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "waiting for approval",
            "Waiting for `alice`",
            "*Tasks*",
            "#issuecomment-",
            "`/approve ",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn status_without_a_workflow_says_how_to_start_one() {
    let world = World::new().await;
    let issue = world.issue("Talk", "Hello");
    let asked = world.say("mallory", issue, "/status").await;
    let answer = world.answer(issue);
    says(&answer, &["No workflow is open here", "`/deliver`"]);
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn who_says_what_everything_needs_and_who_can_decide_now() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("mallory", issue, "/who").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "`/approve`",
            "write access",
            "triage access",
            "Who can decide now: `alice`, `bob`, `mona` and `ada`",
        ],
    );
    says_not(&answer, &["@alice"]);
    world.end().await;
}

#[tokio::test]
async fn explain_says_what_happened_and_what_came_of_it() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let refused = world.say("mallory", issue, "/approve").await;
    world.hear(issue);
    world.say("rita", issue, "/explain").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "`mallory`",
            "| refused: You may not: `/approve` needs write access",
            "started it",
        ],
    );
    says_not(&answer, &["nobody was addressed", "a bot did it", "issue_comment"]);
    assert_eq!(
        answer.matches("`alice`").count(),
        2,
        "what the record has stands there once: {answer}"
    );
    world.say("rita", issue, &format!("/explain {refused}")).await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "`mallory`",
            "I refused `/approve` with these words:\n\n> You may not: `/approve` needs write access",
        ],
    );
    says_not(&answer, &["started it"]);
    let both = world.say("bob", issue, "/hold wait\n/approve 000000000000").await;
    world.hear(issue);
    world.say("rita", issue, &format!("/explain {both}")).await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "[`/hold`](",
            "| done |",
            "I refused `/approve` with these words:\n\n> It is on hold",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_held_workflow_takes_no_approval_until_it_goes_on() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let digest = world.digest(issue);
    world.say("carol", issue, "/hold the release comes first").await;
    let card = world.card(issue);
    says(
        &card,
        &["on hold", "Held by `carol`", "the release comes first", "/unhold"],
    );
    says_not(&card, &["`/approve ", "- [x]"]);
    world.say("bob", issue, &format!("/approve {digest}")).await;
    let answer = world.answer(issue);
    says(&answer, &["on hold", "the release comes first", "/unhold"]);
    world.say("carol", issue, "/unhold").await;
    says(&world.answer(issue), &["You may not", "write access"]);
    world.say("bob", issue, "/unhold").await;
    world.is_called(issue);
    assert_eq!(world.digest(issue), digest);
    world.approve("bob", issue).await;
    assert_eq!(world.opened().len(), 3);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_cancelled_workflow_opens_nothing_and_says_who_and_why() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let digest = world.digest(issue);
    world.say("bob", issue, "/cancel we do it by hand").await;
    let card = world.card(issue);
    assert!(world.hear(issue).is_empty(), "the card says it");
    says(
        &card,
        &["cancelled", "Cancelled by `bob`", "we do it by hand", "Record"],
    );
    world.say("bob", issue, &format!("/approve {digest}")).await;
    let answer = world.answer(issue);
    says(&answer, &["No workflow is open here", "/deliver"]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_author_without_write_access_may_hold_and_cancel() {
    let world = World::new().await;
    let issue = world
        .github
        .as_("rita")
        .open_issue("Orders get lost", "- [ ] Measure the checkout\n")
        .unwrap();
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    world.say("rita", issue, "/approve").await;
    says(&world.answer(issue), &["You may not"]);
    let held = world.say("rita", issue, "/hold not yet").await;
    assert_eq!(world.reactions(held), ["eyes", "rocket"]);
    says(&world.card(issue), &["Held by `rita`"]);
    let cancelled = world.say("rita", issue, "/cancel never mind").await;
    assert_eq!(world.reactions(cancelled), ["eyes", "rocket"]);
    says(&world.card(issue), &["Cancelled by `rita`"]);
    world.end().await;
}

#[tokio::test]
async fn the_label_hold_holds() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.label("carol", issue, "countersign:hold").await;
    says(&world.card(issue), &["Held by `carol`"]);
    assert!(world.github.labels(issue).is_empty());
    world.end().await;
}

#[tokio::test]
async fn deliver_while_one_is_open_says_which() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card_comment(issue).unwrap().id;
    let asked = world.say("bob", issue, "/deliver").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &["One is open here already", &format!("#issuecomment-{card}"), "/cancel"],
    );
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.end().await;
}

#[tokio::test]
async fn a_second_workflow_leaves_out_what_the_first_opened_and_lists_it() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    world.approve("bob", issue).await;
    world.hear(issue);
    let first = world.card_comment(issue).unwrap().id;
    world.say("carol", issue, "Action: @carol will clean the cache").await;
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    let second = world.card_comment(issue).unwrap();
    assert_ne!(first, second.id);
    let card = world.card(issue);
    says(&card, &["**t1** Clean the cache", "1 task", "opened"]);
    for opened in world.opened() {
        says(&card, &[&opened.title, &format!("/issues/{}", opened.number)]);
    }
    world.wait(20).await;
    world.approve("bob", issue).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 4);
    world.wait(20).await;
    world.approve("bob", issue).await;
    world.hear(issue);
    let mails = world.mails();
    assert_eq!(mails.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn nobody_answers_so_people_are_reminded_a_few_times_and_then_left_alone() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let mut reminded = 0;
    let mut last = String::new();
    for _ in 0..8 {
        world.wait(168 * 3600).await;
        let heard = world.hear(issue);
        reminded += heard.len();
        last = heard.into_iter().last().unwrap_or(last);
    }
    assert_eq!(reminded, 3);
    says(
        &last,
        &["still waits for you, since 2026-11-20", "I will not ask again"],
    );
    says(&world.card(issue), &["waiting for approval", "/approve "]);
    assert!(world.opened().is_empty(), "silence approves nothing");
    world.approve("bob", issue).await;
    world.is_called(issue);
    world.end().await;
}

#[tokio::test]
async fn a_closed_issue_holds_its_workflow_and_says_so() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    world.github.as_("bob").close(issue).unwrap();
    world.settle().await;
    let said = world.answer(issue);
    says(&said, &["closed", "bob", "hold", "/unhold", "/cancel"]);
    says(&world.card(issue), &["on hold", "closed"]);
    world.say("bob", issue, "/deliver").await;
    says(&world.answer(issue), &["One is open here already"]);
    world.github.as_("bob").reopen(issue).unwrap();
    world.say("bob", issue, "/unhold").await;
    says(&world.card(issue), &["waiting for approval"]);
    world.is_called(issue);
    world.end().await;
}

#[tokio::test]
async fn nothing_starts_on_a_closed_issue() {
    let world = World::new().await;
    let issue = world.issue("Talk", "- [ ] Measure the checkout\n");
    world.github.as_("alice").close(issue).unwrap();
    world.say("alice", issue, "/deliver").await;
    says(&world.answer(issue), &["closed", "Reopen it"]);
    world.end().await;
}
