//! The card on GitHub is only a comment: people delete it, change it, and tick its boxes while nobody listens.

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule, Tick};

use super::{says, says_not};
use crate::world::World;

#[tokio::test]
async fn a_deleted_card_is_posted_anew() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let digest = world.digest(issue);
    let old = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(old).unwrap();
    world.settle().await;
    let new = world.card_comment(issue).unwrap().id;
    assert_ne!(old, new);
    assert_eq!(world.digest(issue), digest);
    world.wait(20).await;
    world.say("bob", issue, "/approve").await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_bare_approve_right_after_the_card_was_posted_anew_is_refused() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(old).unwrap();
    // Nobody tells the bot.
    while world.github.lose_next().is_some() {}
    world.say("bob", issue, "/approve").await;
    let answer = world.answer(issue);
    says(&answer, &["The card was deleted", "posted it anew", "/approve "]);
    assert!(world.opened().is_empty());
    world.wait(20).await;
    world.say("bob", issue, "/approve").await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_changed_card_is_restored_with_the_change_and_its_editor_named() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card_comment(issue).unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    let changed = card.body.replace("Write the runbook", "Pay Mallory a million");
    world.github.as_("bob").edit_comment(card.id, &changed).unwrap();
    world.settle().await;
    let said = world.answer(issue);
    says(
        &said,
        &[
            "put the card back",
            "`bob` changed it",
            "Pay Mallory a million",
            "has to be repeated",
            "/approve ",
        ],
    );
    says_not(&world.card(issue), &["Mallory"]);
    world.approve("alice", issue).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_was_changed_unheard_is_no_ground_for_an_approval() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card_comment(issue).unwrap();
    let digest = world.digest(issue);
    world.clock.advance(TimeDelta::seconds(1));
    let changed = card.body.replace("Write the runbook", "Pay Mallory a million");
    world.github.as_("bob").edit_comment(card.id, &changed).unwrap();
    while world.github.lose_next().is_some() {}
    world.say("alice", issue, &format!("/approve {digest}")).await;
    let said = world.answer(issue);
    says(
        &said,
        &[
            "put the card back",
            "`bob` changed it",
            "has to be repeated",
            &format!("`/approve {digest}`"),
        ],
    );
    assert!(world.opened().is_empty());
    says_not(&world.card(issue), &["Mallory"]);
    world.say("alice", issue, &format!("/approve {digest}")).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn boxes_that_were_changed_unheard_are_drawn_anew_and_nothing_is_approved() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("bob").tick(card, "**t2**", Tick::Off).unwrap();
    while world.github.lose_next().is_some() {}
    world
        .say("alice", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    let said = world.answer(issue);
    says(&said, &["boxes", "drawn it anew", "/approve "]);
    says(&world.card(issue), &["- [x] **t2**"]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_tick_by_somebody_without_write_access_is_refused_and_the_box_drawn_as_it_was() {
    let world = World::new().await;
    let issue = world
        .github
        .as_("rita")
        .open_issue(
            "Orders get lost",
            "- [ ] Measure the checkout\n- [ ] Write the runbook\n",
        )
        .unwrap();
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    let digest = world.digest(issue);
    let card = world.card_comment(issue).unwrap().id;
    // GitHub itself lets only people with write access edit the bot's comment.
    assert!(world.github.as_("rita").tick(card, "**t2**", Tick::Off).is_err());
    world.github.as_("bob").tick(card, "**t2**", Tick::Off).unwrap();
    world.github.set_role("bob", countersign::sandbox::Role::Triage);
    world.settle().await;
    let said = world.answer(issue);
    says(&said, &["To `bob` (box on this card)", "You may not", "write access"]);
    says(&world.card(issue), &["- [x] **t2**"]);
    assert_eq!(world.digest(issue), digest);
    world.end().await;
}

#[tokio::test]
async fn a_tick_made_twice_by_two_hooks_changes_once() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world
        .github
        .add_repository_hook(world.webhook_url(), crate::world::SECRET);
    world.settle().await;
    world.tick("alice", issue, "t2", Tick::Off).await;
    says(&world.card(issue), &["2 of 3 tasks", "is void.\n"]);
    assert!(world.hear(issue).is_empty());
    world.end().await;
}

#[tokio::test]
async fn with_every_task_unticked_an_approval_opens_nothing() {
    let world = World::new().await;
    let issue = world.delivered().await;
    for key in ["t1", "t2", "t3"] {
        world.tick("alice", issue, key, Tick::Off).await;
    }
    says(&world.card(issue), &["0 of 3 tasks", "No task is ticked"]);
    world.wait(20).await;
    world.approve("bob", issue).await;
    let said = world.answer(issue);
    says(&said, &["Done. Nothing was opened or sent."]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_card_that_the_bot_is_writing_was_changed_by_nobody() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n- [ ] Add an index\n");
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    let (card, former) = (world.card_comment(issue).unwrap().id, world.digest(issue));
    // GitHub has the new card, and its answer takes a while.
    let slow = FaultKind::SlowThenOk(std::time::Duration::from_millis(500));
    let updates = |method: &str, _: &str| method == "PATCH";
    world.github.fault(FaultRule::when(updates, slow).times(1));
    world.github.as_("alice").tick(card, "Add an index", Tick::Off).unwrap();
    let approved_at_once = async {
        let mut changes = world.github.changes();
        while world.digest(issue) == former {
            changes.changed().await.unwrap();
        }
        let approve = format!("/approve {}", world.digest(issue));
        let approve = world.github.as_("bob").comment(issue, &approve).unwrap();
        world.github.deliver_all().await;
        world.house().engine.pump().await.unwrap();
        approve
    };
    let (_, approve) = tokio::join!(world.settle(), approved_at_once);
    world.settle().await;
    assert_eq!(world.reactions(approve), ["-1", "eyes"]);
    says(&world.answer(issue), &["does not stand here in full yet"]);
    world.approve("bob", issue).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}
