//! Cards, pages, questions, opened issues and approvals that are not as they should be.

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule, Role, Tick, Visibility};

use super::{changes_nothing_more, happened, history};
use crate::bad_input::{TASKS, approve, asked, holds};
use crate::world::{CONFIG, Setup, World};

#[tokio::test]
async fn a_card_that_is_gone_is_posted_anew() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    assert_ne!(world.card_comment(issue).unwrap().id, card);
    holds(&world.card(issue), &["found the card gone"]);
    changes_nothing_more(&world, issue).await;
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_somebody_changed_is_restored_and_they_are_named() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap();
    let changed = card.body.replace("Measure the checkout", "Delete the checkout");
    world.github.as_("mona").edit_comment(card.id, &changed).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    assert!(
        world.card(issue).contains("Delete the checkout"),
        "its delivery may be on its way"
    );
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    holds(
        &world.answer(issue),
        &["put the card back", "`mona`", "Delete the checkout"],
    );
    assert!(!world.card(issue).contains("Delete the checkout"));
    holds(&world.card(issue), &["found the card changed by `mona`"]);
    assert_eq!(happened(&world, "repaired").await, 1);
    changes_nothing_more(&world, issue).await;
    // And once more.
    let card = world.card_comment(issue).unwrap();
    let changed = card.body.replace("Measure the checkout", "Sell the checkout");
    world.github.as_("mona").edit_comment(card.id, &changed).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    holds(&world.answer(issue), &["put the card back", "Sell the checkout"]);
    assert_eq!(happened(&world, "repaired").await, 2);
    world.end().await;
}

#[tokio::test]
async fn ticks_that_nobody_told_of_are_drawn_back() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap();
    world.github.as_("bob").tick(card.id, 1, Tick::Off).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    holds(&world.answer(issue), &["boxes on the card were changed", "tick again"]);
    assert_eq!(world.card_comment(issue).unwrap().body, card.body);
    changes_nothing_more(&world, issue).await;
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_could_not_be_written_is_written_later() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let refused = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/issues/1/comments"),
        FaultKind::Status(403),
    );
    world.github.fault(refused);
    world.say("alice", issue, "/deliver").await;
    assert!(world.card_comment(issue).is_none());
    world.github.heal();
    world.reconcile().await;
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    world.end().await;
}

/// So many tasks that a card does not hold them.
fn many() -> String {
    let line = |number| {
        format!(
            "- [ ] Fix leak number {number} in the {} of the old building\n",
            "pipe ".repeat(10)
        )
    };
    (1..=300).map(line).collect()
}

#[tokio::test]
async fn a_page_that_is_gone_is_posted_anew_and_linked() {
    let config = format!("{CONFIG}limits: {{tasks: 300}}\n");
    let world = Setup::new().config(&config).start().await;
    let issue = asked(&world, &many()).await;
    let bot = world.github.bot_login();
    let card = world.card_comment(issue).unwrap().id;
    let pages = || {
        let all = world.github.comments(issue).into_iter();
        let pages = all.filter(|comment| comment.author == bot && comment.body.contains("#### **t1** "));
        pages
            .map(|comment| comment.id)
            .filter(|id| *id != card)
            .collect::<Vec<_>>()
    };
    let before = pages();
    assert_eq!(before.len(), 1, "the first page");
    world.github.as_("ada").delete_comment(before[0]).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    world.hear(issue);
    let after = pages();
    assert_eq!(after.len(), 1, "it stands there again");
    assert_ne!(after, before);
    holds(&world.card(issue), &[&format!("issuecomment-{}", after[0])]);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn questions_that_are_gone_are_asked_anew() {
    let world = World::new().await;
    let issue = world.issue("Pay", "It crashes when I press Pay twice.");
    world.say("alice", issue, "/run solve").await;
    world.hear(issue);
    let asked = || {
        let all = world.github.comments(issue).into_iter();
        let asked = all.filter(|comment| comment.body.contains("this has to be known before it goes on"));
        asked.map(|comment| comment.id).collect::<Vec<_>>()
    };
    let before = asked();
    world.github.as_("ada").delete_comment(before[0]).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    world.hear(issue);
    assert_eq!(asked().len(), 1);
    assert_ne!(asked(), before);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn what_became_of_opened_issues_is_kept_and_what_is_gone_is_said() {
    let world = World::new().await;
    let site = world.github.add_repo("acme/site", Visibility::Private);
    site.set_role("ada", Role::Admin);
    let issue = asked(
        &world,
        "- [ ] Measure the checkout\n- [ ] Add an index\n- [ ] Write it down\n",
    )
    .await;
    approve(&world, issue).await;
    world.hear(issue);
    let all: Vec<_> = world.opened().iter().map(|issue| issue.number).collect();
    world.github.as_("alice").close(all[0]).unwrap();
    world.github.as_("ada").delete_issue(all[1]).unwrap();
    world.github.as_("ada").transfer_issue(all[2], "acme/site").unwrap();
    world.github.drop_all();
    world.reconcile().await;
    let said = world.answer(issue);
    holds(
        &said,
        &[&format!("#{} was deleted", all[1]), &format!("#{} was moved", all[2])],
    );
    assert!(
        !said.contains(&format!("#{}", all[0])),
        "to close one is nobody's mistake: {said}"
    );
    holds(&world.card(issue), &[&format!("#{} closed", all[0])]);
    assert_eq!(happened(&world, "repaired").await, 1);
    changes_nothing_more(&world, issue).await;
    world.github.as_("alice").reopen(all[0]).unwrap();
    world.reconcile().await;
    holds(&world.card(issue), &[&format!("#{} open again", all[0])]);
    world.end().await;
}

#[tokio::test]
async fn a_vote_of_somebody_who_lost_the_right_is_lost_aloud() {
    let config = format!("{CONFIG}approval:\n  quorum: 2\n");
    let world = Setup::new().config(&config).start().await;
    let issue = asked(&world, TASKS).await;
    approve(&world, issue).await;
    holds(&world.answer(issue), &["1 of 2"]);
    world.github.set_role("bob", Role::Read);
    world.reconcile().await;
    holds(
        &world.hear(issue).join("\n"),
        &["approval of", "`bob`", "no longer counts", "write"],
    );
    assert_eq!(happened(&world, "vote_lost").await, 1);
    assert!(!world.card(issue).contains("1 of 2 approvals"), "{}", world.card(issue));
    changes_nothing_more(&world, issue).await;
    // Two others can.
    let line = format!("/approve {}", world.digest(issue));
    world.say("mona", issue, &line).await;
    world.say("alice", issue, &line).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn a_vote_that_cannot_be_checked_stays() {
    let config = format!("{CONFIG}approval:\n  quorum: 2\n");
    let world = Setup::new().config(&config).start().await;
    let issue = asked(&world, TASKS).await;
    approve(&world, issue).await;
    world.hear(issue);
    let asks = |method: &str, path: &str| method == "GET" && path.ends_with("/permission");
    world.github.fault(FaultRule::when(asks, FaultKind::Status(500)));
    world.reconcile().await;
    assert_eq!(happened(&world, "vote_lost").await, 0);
    world.github.heal();
    world.end().await;
}

#[tokio::test]
async fn an_approval_whose_acts_wait_is_lost_with_the_right() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    // It is held while its first act is put off.
    let labels = |method: &str, path: &str| method == "POST" && path.ends_with("/shop/labels");
    let wait = FaultKind::TooManyRequests {
        retry_after: Some(86_400),
    };
    world.github.fault(FaultRule::when(labels, wait));
    approve(&world, issue).await;
    world.say("alice", issue, "/hold Wait for the figures.").await;
    world.hear(issue);
    world.github.heal();
    world.github.set_role("bob", Role::Read);
    world.reconcile().await;
    assert_eq!(
        happened(&world, "approval_lost").await,
        1,
        "{:#?}",
        history(&world).await
    );
    world.wait(86_400).await;
    holds(&world.hear(issue).join("\n"), &["no longer counts"]);
    assert_eq!(world.opened(), []);
    world.end().await;
}

#[tokio::test]
async fn a_label_that_stayed_set_after_it_was_heard_is_taken_off() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.wait(20).await;
    let off = |method: &str, path: &str| method == "DELETE" && path.contains("/labels/");
    world.github.fault(FaultRule::when(off, FaultKind::Status(422)));
    world.label("bob", issue, "countersign:approve").await;
    world.hear(issue);
    assert_eq!(world.github.labels(issue), ["countersign:approve"]);
    assert_eq!(world.opened().len(), 2);
    world.github.heal();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    assert_eq!(world.github.labels(issue), Vec::<String>::new());
    assert_eq!(happened(&world, "approved").await, 1);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}
