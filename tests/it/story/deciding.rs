//! Approving, and changing what is approved.

use countersign::sandbox::{FaultKind, FaultRule, Role, Tick};

use super::{says, says_not};
use crate::world::World;

impl World {
    /// Until GitHub is healed it asks to wait before any label is made, which is the first act of an approval.
    fn nothing_leaves(&self) {
        let wait = FaultKind::TooManyRequests { retry_after: Some(600) };
        self.github
            .fault(FaultRule::on("POST", "/repos/acme/shop/labels", wait));
    }
}

#[tokio::test]
async fn mallory_is_refused_and_told_what_is_needed_and_who_can() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let asked = world.say("mallory", issue, "/approve").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &[
            "You may not",
            "`/approve`",
            "write access",
            "alice",
            "bob",
            "mona",
            "ada",
        ],
    );
    says_not(&answer, &["@alice", "carol", "rita"]);
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn unticking_a_task_makes_a_new_digest_and_the_old_one_is_void() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    world.tick("alice", issue, "t2", Tick::Off).await;
    let card = world.card(issue);
    assert_ne!(world.digest(issue), old);
    says(
        &card,
        &[
            "- [ ] **t2**",
            "2 of 3 tasks",
            &format!("The former digest `{old}` is void."),
        ],
    );
    world.wait(20).await;
    world.approve("bob", issue).await;
    world.is_called(issue);
    let titles: Vec<String> = world.opened().into_iter().map(|issue| issue.title).collect();
    assert_eq!(titles, ["Measure the checkout under load", "Write the runbook"]);
    world.end().await;
}

#[tokio::test]
async fn an_edit_makes_a_new_digest_and_the_old_one_is_void() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    let asked = world
        .say("alice", issue, "/edit t3 title=\"Write the runbook for paging\" assign=@alice due=2026-12-24 priority=critical est=XL labels=docs,ops criteria=\"who to call; how to roll back\"")
        .await;
    let card = world.card(issue);
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    says(
        &card,
        &[
            "**t3** Write the runbook for paging — `alice`, critical priority, size XL, due 2026-12-24",
            "`docs`",
            "who to call",
            "how to roll back",
            &format!("The former digest `{old}` is void."),
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_task_can_be_added_and_the_old_digest_is_void() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    world.say("carol", issue, "/task Announce the change depends=t3").await;
    let card = world.card(issue);
    says(
        &card,
        &[
            "**t4** Announce the change — after t3",
            "added by `carol`",
            "4 tasks",
            &format!("`{old}` is void"),
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn three_changes_make_three_digests_and_the_first_is_refused_with_the_last() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let first = world.digest(issue);
    world.tick("alice", issue, "t2", Tick::Off).await;
    let second = world.digest(issue);
    world.say("alice", issue, "/edit t1 est=S").await;
    let third = world.digest(issue);
    world.say("alice", issue, "/task Announce the change").await;
    let fourth = world.digest(issue);
    let all = std::collections::BTreeSet::from([&first, &second, &third, &fourth]);
    assert_eq!(all.len(), 4);
    says(
        &world.card(issue),
        &[&format!("The former digest `{third}` is void"), "2 before it"],
    );

    let asked = world.say("bob", issue, &format!("/approve {first}")).await;
    let answer = world.answer(issue);
    says(&answer, &[&first, "void", &format!("`/approve {fourth}`")]);
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    assert!(world.opened().is_empty());

    world.approve("bob", issue).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_digest_that_was_never_shown_is_refused_with_the_one_that_is() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("bob", issue, "/approve 0123456789ab").await;
    let answer = world.answer(issue);
    says(&answer, &["0123456789ab", "is not what is shown", &world.digest(issue)]);
    world.end().await;
}

#[tokio::test]
async fn a_bare_approve_means_what_is_on_the_card() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("bob", issue, "/approve").await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_bare_approve_just_after_the_card_changed_is_refused_and_taken_later() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("alice", issue, "/edit t1 est=S").await;
    world.say("bob", issue, "/approve").await;
    let answer = world.answer(issue);
    says(
        &answer,
        &["ten seconds", &format!("`/approve {}`", world.digest(issue))],
    );
    assert!(world.opened().is_empty());
    world.wait(10).await;
    world.say("bob", issue, "/approve").await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn an_approval_can_be_taken_back_before_anything_was_opened() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.nothing_leaves();
    world.approve("bob", issue).await;
    // What is approved is shown before the act that waits is tried again.
    world.wait(601).await;
    says(&world.card(issue), &["approved by `bob`", "/unapprove"]);
    let asked = world.say("bob", issue, "/unapprove").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.github.heal();
    world.wait(3600).await;
    world.is_called(issue);
    assert!(world.opened().is_empty());
    says(&world.card(issue), &["waiting for approval", "/approve "]);
    world.end().await;
}

#[tokio::test]
async fn an_approval_cannot_be_taken_back_once_issues_are_being_opened() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    let asked = world.say("bob", issue, "/unapprove").await;
    let answer = world.answer(issue);
    says(&answer, &["no approval that could be taken back"]);
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.end().await;
}

#[tokio::test]
async fn taking_back_the_approval_of_somebody_else_needs_maintain() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.nothing_leaves();
    world.approve("bob", issue).await;
    world.say("alice", issue, "/unapprove @bob").await;
    let answer = world.answer(issue);
    says(&answer, &["bob", "maintain", "mona", "ada"]);
    let asked = world.say("mona", issue, "/unapprove @bob").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.github.heal();
    world.wait(3600).await;
    world.is_called(issue);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn an_approver_who_loses_the_right_before_the_acts_has_approved_nothing() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.nothing_leaves();
    world.approve("bob", issue).await;
    world.github.set_role("bob", Role::Read);
    world.github.heal();
    world.wait(3600).await;
    let heard = world.hear(issue);
    let said = heard.join("\n");
    says(
        &said,
        &["The approval of *Tasks* no longer counts", "bob", "write", "/approve "],
    );
    assert!(world.opened().is_empty());
    says(&world.card(issue), &["waiting for approval"]);
    world.end().await;
}

#[tokio::test]
async fn a_rejection_says_why_and_what_next_and_a_revision_goes_on() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    world.say("bob", issue, "/reject the index is there already").await;
    let card = world.card(issue);
    says(&card, &["rejected", "the index is there already", "/revise", "/retry"]);
    says_not(&card, &["`/approve "]);
    world.say("bob", issue, &format!("/approve {old}")).await;
    let answer = world.answer(issue);
    says(&answer, &["was rejected", "/revise"]);
    world.say("alice", issue, "/revise leave the index out").await;
    world.is_called(issue);
    says(&world.card(issue), &["round 2", "/approve "]);
    assert_ne!(world.digest(issue), old, "an approval is valid in one round");
    world.end().await;
}

#[tokio::test]
async fn a_rejection_without_a_reason_is_refused() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("bob", issue, "/reject").await;
    let answer = world.answer(issue);
    says(&answer, &["needs a reason", "/reject"]);
    says(&world.card(issue), &["waiting for approval"]);
    world.end().await;
}

#[tokio::test]
async fn a_rejected_proposal_can_be_tried_again() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("bob", issue, "/reject not now").await;
    world.say("bob", issue, "- [ ] Clean the cache").await;
    world.say("bob", issue, "/retry").await;
    world.is_called(issue);
    says(&world.card(issue), &["round 2", "Clean the cache"]);
    world.end().await;
}

#[tokio::test]
async fn a_revision_at_the_gate_reads_what_was_said_since() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    world.say("bob", issue, "Action: @alice will clean the cache").await;
    world.say("bob", issue, "/revise with the cache").await;
    says(
        &world.card(issue),
        &["round 2", "Clean the cache", &format!("`{old}` is void")],
    );
    world.is_called(issue);
    world.end().await;
}
