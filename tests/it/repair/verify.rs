//! A write that was in doubt, done again, and then arrived after all: one of the two goes.

use countersign::sandbox::{FaultKind, FaultRule, IssueNumber};

use super::{changes_nothing_more, happened};
use crate::bad_input::{TASKS, approve, asked, figure, holds, opened};
use crate::world::World;

/// The next request of this kind is on its way for longer than anybody waits.
fn delayed(world: &World, is: fn(&str, &str) -> bool) {
    world.github.fault(FaultRule::when(is, FaultKind::ExecuteLate).times(1));
}

fn comments(method: &str, path: &str) -> bool {
    method == "POST" && path.ends_with("/issues/1/comments")
}

fn issues(method: &str, path: &str) -> bool {
    method == "POST" && path.ends_with("/shop/issues")
}

/// How many comments of the bot hold this.
fn standing(world: &World, issue: IssueNumber, words: &str) -> usize {
    let all = world.github.comments(issue);
    all.iter().filter(|comment| comment.body.contains(words)).count()
}

#[tokio::test]
async fn an_answer_that_arrives_late_stands_there_once() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    delayed(&world, comments);
    world.say("mallory", issue, "/help").await;
    world.wait(61).await;
    assert_eq!(
        standing(&world, issue, "/approve"),
        1,
        "it was looked for, and sent again"
    );
    assert_eq!(world.github.carry_out_late(), 1);
    assert_eq!(standing(&world, issue, "/approve"), 2);
    let before = figure(&world, "countersign_duplicates_repaired_total{kind=\"comment\"}").await;
    world.wait(121).await;
    assert_eq!(standing(&world, issue, "/approve"), 1);
    let after = figure(&world, "countersign_duplicates_repaired_total{kind=\"comment\"}").await;
    assert!(after > before, "{before} {after}");
    world.hear(issue);
    world.wait(3600).await;
    assert_eq!(standing(&world, issue, "/approve"), 1);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_arrives_late_leaves_the_one_that_is_known() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    delayed(&world, comments);
    world.say("alice", issue, "/deliver").await;
    world.wait(61).await;
    let known = world.card_comment(issue).unwrap().id;
    assert_eq!(world.github.carry_out_late(), 1);
    assert_eq!(standing(&world, issue, "### Deliver"), 2);
    world.wait(121).await;
    assert_eq!(standing(&world, issue, "### Deliver"), 1);
    assert_eq!(world.card_comment(issue).unwrap().id, known);
    assert_eq!(happened(&world, "duplicate_repaired").await, 1);
    holds(&world.card(issue), &["found a comment twice"]);
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn what_was_deleted_and_not_heard_of_is_told_of() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    delayed(&world, comments);
    world.say("alice", issue, "/deliver").await;
    world.wait(61).await;
    assert_eq!(world.github.carry_out_late(), 1);
    let deletes = |method: &str, path: &str| method == "DELETE" && path.contains("/issues/comments/");
    let cut_off = FaultRule::when(deletes, FaultKind::ExecuteThenReset);
    world.github.fault(cut_off.times(1));
    world.wait(121).await;
    assert_eq!(standing(&world, issue, "### Deliver"), 1);
    world.wait(121).await;
    assert_eq!(happened(&world, "duplicate_repaired").await, 1);
    holds(&world.card(issue), &["found a comment twice"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_issue_that_arrives_late_is_closed_as_a_duplicate() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    delayed(&world, issues);
    approve(&world, issue).await;
    world.wait(61).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    assert_eq!(world.github.carry_out_late(), 1);
    assert_eq!(world.opened().len(), 3);
    world.wait(121).await;
    let all = world.opened();
    let closed: Vec<_> = all.iter().filter(|issue| !issue.open).collect();
    assert_eq!(closed.len(), 1, "{all:#?}");
    assert_eq!(closed[0].number, all[2].number, "the workflow knows the first");
    let said = world.answer(closed[0].number);
    holds(&said, &[&format!("the same as #{}", all[0].number)]);
    assert_eq!(happened(&world, "duplicate_repaired").await, 1);
    holds(&world.card(issue), &[&format!("closed #{}", all[2].number)]);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn what_did_not_arrive_twice_is_left_alone() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world
        .github
        .fault(FaultRule::when(issues, FaultKind::ExecuteThenReset).times(1));
    approve(&world, issue).await;
    world.wait(61).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.wait(121).await;
    assert!(world.opened().iter().all(|issue| issue.open));
    assert_eq!(happened(&world, "duplicate_repaired").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_copy_of_the_marker_by_somebody_else_is_not_the_bots() {
    let world = World::new().await;
    let issue = opened(&world, TASKS).await;
    delayed(&world, comments);
    world.say("mallory", issue, "/help").await;
    world.wait(61).await;
    let bot = world.github.bot_login();
    let comments = world.github.comments(issue);
    let ours = comments.iter().rfind(|comment| comment.author == bot).unwrap();
    let copy = world.github.as_("mallory").comment(issue, &ours.body).unwrap();
    world.wait(121).await;
    let comments = world.github.comments(issue);
    assert!(comments.iter().any(|comment| comment.id == copy));
    assert!(comments.iter().any(|comment| comment.id == ours.id));
    world.hear(issue);
    world.end().await;
}
