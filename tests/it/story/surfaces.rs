//! Pull requests, reviews, line comments, several commands, several subjects.

use countersign::sandbox::{FaultKind, FaultRule, ReviewState};

use super::says;
use crate::world::{CONFIG, CONFIG_PATH, Setup, World};

#[tokio::test]
async fn a_pull_request_is_a_subject_too() {
    let world = World::new().await;
    let pull = world
        .github
        .as_("bob")
        .open_pull("Faster checkout", "- [ ] Measure the checkout\n", "fast")
        .unwrap();
    world.say("alice", pull, "/deliver").await;
    world.is_called(pull);
    says(&world.card(pull), &["**t1** Measure the checkout", "/approve "]);
    world.wait(20).await;
    world.approve("bob", pull).await;
    world.is_called(pull);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_review_and_a_line_comment_are_heard() {
    let world = World::new().await;
    let pull = world
        .github
        .as_("bob")
        .open_pull("Faster checkout", "- [ ] Measure the checkout\n", "fast")
        .unwrap();
    world
        .github
        .as_("alice")
        .review(pull, ReviewState::Commented, "/deliver")
        .unwrap();
    world.settle().await;
    // Nothing can react to a review.
    let heard = world.hear(pull);
    assert!(
        heard.iter().any(|said| said.starts_with("Done: `/deliver`")),
        "{heard:#?}"
    );
    assert!(heard.iter().any(|said| said.contains("waits for you")), "{heard:#?}");
    assert_eq!(heard.len(), 2);
    world.clock.advance(chrono::TimeDelta::seconds(1));
    let line = world
        .github
        .as_("mallory")
        .line_comment(pull, "src/lib.rs", 1, "/status")
        .unwrap();
    world.settle().await;
    let replies = world.github.line_comments(pull);
    let bot = world.github.bot_login();
    let reply = replies
        .iter()
        .find(|comment| comment.author == bot)
        .expect("the line comment is answered beside it");
    says(&reply.body, &["waiting for approval"]);
    assert_eq!(world.reactions(line), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn what_was_said_in_reviews_and_on_lines_is_read() {
    let world = World::new().await;
    let pull = world
        .github
        .as_("bob")
        .open_pull("Faster checkout", "See the commits.\n", "fast")
        .unwrap();
    world
        .github
        .as_("alice")
        .review(
            pull,
            ReviewState::ChangesRequested,
            "Action: @bob will measure the checkout",
        )
        .unwrap();
    world
        .github
        .as_("alice")
        .line_comment(pull, "src/lib.rs", 1, "- [ ] Add an index to the orders table")
        .unwrap();
    world.say("alice", pull, "/deliver").await;
    world.is_called(pull);
    says(
        &world.card(pull),
        &["Measure the checkout", "Add an index to the orders table"],
    );
    world.end().await;
}

#[tokio::test]
async fn two_commands_in_one_comment_are_both_answered() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let asked = world.say("alice", issue, "/edit t1 est=S\n\n/status").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &["waiting for approval", &format!("`{}`", world.digest(issue))],
    );
    says(&world.card(issue), &["size S"]);
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn several_issues_have_workflows_of_their_own() {
    let world = World::new().await;
    let one = world.delivered().await;
    let two = world.issue("Another", "- [ ] Clean the cache\n");
    world.say("carol", two, "/deliver").await;
    world.is_called(two);
    let digest = world.digest(one);
    world.say("bob", two, &format!("/approve {digest}")).await;
    says(&world.answer(two), &["is not what is shown", &world.digest(two)]);
    assert!(world.opened().is_empty(), "an approval is valid in one place");
    world.wait(20).await;
    world.approve("bob", two).await;
    world.is_called(two);
    assert_eq!(world.github.sub_issues(two).len(), 1);
    says(&world.card(one), &["waiting for approval"]);
    world.end().await;
}

#[tokio::test]
async fn another_repository_has_its_own_configuration() {
    let world = Setup::new()
        .github(|github| github.file(CONFIG_PATH, CONFIG).repo("acme/blog"))
        .start()
        .await;
    let blog = world.github.at("acme/blog");
    let issue = blog.as_("alice").open_issue("Post", "- [ ] Write the post\n").unwrap();
    blog.as_("alice").comment(issue, "/deliver").unwrap();
    world.settle().await;
    let bot = world.github.bot_login();
    let card = blog
        .comments(issue)
        .into_iter()
        .find(|comment| comment.author == bot)
        .expect("a card");
    says(&card.body, &["`acme/blog`", "Write the post"]);
    assert!(world.github.comments(issue).is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_labels_are_made_with_the_first_workflow_and_deliver_by_label_starts_one() {
    let world = World::new().await;
    world.delivered().await;
    let labels = world.github.repo_labels();
    for own in ["deliver", "approve", "reject", "hold"] {
        assert!(labels.contains(&format!("countersign:{own}")), "{labels:?}");
    }
    let two = world.issue("Another", "- [ ] Clean the cache\n");
    world.label("carol", two, "countersign:deliver").await;
    world.is_called(two);
    assert!(world.github.labels(two).is_empty());
    says(&world.card(two), &["started by `carol`", "label `countersign:deliver`"]);
    world.end().await;
}

#[tokio::test]
async fn an_answer_on_a_line_whose_outcome_is_unknown_is_not_given_twice() {
    let world = World::new().await;
    let pull = world
        .github
        .as_("bob")
        .open_pull("Faster checkout", "", "fast")
        .unwrap();
    let replies = |method: &str, path: &str| method == "POST" && path.ends_with("/replies");
    world
        .github
        .fault(FaultRule::when(replies, FaultKind::ExecuteThenReset).times(1));
    let line = world
        .github
        .as_("rita")
        .line_comment(pull, "src/lib.rs", 1, "/status")
        .unwrap();
    world.settle().await;
    world.wait(120).await;
    let bot = world.github.bot_login();
    let answers = world.github.line_comments(pull);
    assert_eq!(answers.iter().filter(|answer| answer.author == bot).count(), 1);
    assert!(world.github.requests().iter().any(|request| request.fault.is_some()));
    assert_eq!(world.reactions(line), ["eyes", "rocket"]);
    world.end().await;
}
