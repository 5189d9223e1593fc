//! The same of a workflow on a discussion: what is missed is found, what differs is mended, and nothing of it happens twice.

use chrono::TimeDelta;
use countersign::sandbox::{CommentId, FaultKind, FaultRule, IssueNumber, Role, Tick, Visibility};

use super::{changes_nothing_more, happened, history, open};
use crate::bad_input::{TASKS, approve, holds};
use crate::world::{CONFIG, Setup, World};

/// How many issues are opened for [`TASKS`]: the one that tracks the discussion, and two.
const OPENED: usize = 3;

/// A discussion with this text on which alice asked for tasks. What the bot said until the gate opened is read.
async fn asked(world: &World, body: &str) -> IssueNumber {
    let talk = world
        .github
        .as_("alice")
        .start_discussion("Checkout is slow", body)
        .unwrap();
    world.say("alice", talk, "/deliver").await;
    world.hear(talk);
    talk
}

/// The comments of the bot that hold some words.
fn own(world: &World, talk: IssueNumber, words: &str) -> Vec<CommentId> {
    let bot = world.github.bot_login();
    let all = world.github.comments(talk).into_iter();
    let own = all.filter(|comment| comment.author == bot && comment.body.contains(words));
    own.map(|comment| comment.id).collect()
}

/// Compared as often as it takes to believe that something is gone.
async fn looked_for(world: &World) {
    assert!(world.github.drop_all() > 0, "something would have told of it");
    world.reconcile().await;
    assert_eq!(open(world).await.len(), 1, "GitHub's answer may pass");
    world.wait(301).await;
    world.wait(301).await;
}

#[tokio::test]
async fn a_card_that_is_gone_is_posted_anew() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    let card = world.card_comment(talk).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    assert_ne!(world.card_comment(talk).unwrap().id, card);
    holds(&world.card(talk), &["found the card gone"]);
    changes_nothing_more(&world, talk).await;
    approve(&world, talk).await;
    world.hear(talk);
    assert_eq!(world.opened().len(), OPENED);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_somebody_changed_is_restored_and_they_are_named() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    let card = world.card_comment(talk).unwrap();
    let changed = card.body.replace("Measure the checkout", "Delete the checkout");
    world.github.as_("mona").edit_comment(card.id, &changed).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    holds(
        &world.answer(talk),
        &["put the card back", "`mona`", "Delete the checkout"],
    );
    assert!(!world.card(talk).contains("Delete the checkout"));
    holds(&world.card(talk), &["found the card changed by `mona`"]);
    assert_eq!(happened(&world, "repaired").await, 1);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn ticks_that_nobody_told_of_are_drawn_back() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    let card = world.card_comment(talk).unwrap();
    world
        .github
        .as_("bob")
        .tick(card.id, "Add an index", Tick::Off)
        .unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.reconcile().await;
    holds(&world.answer(talk), &["boxes on the card were changed", "tick again"]);
    assert_eq!(world.card_comment(talk).unwrap().body, card.body);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_page_that_is_gone_is_posted_anew_and_linked() {
    let config = format!("{CONFIG}limits: {{tasks: 300}}\n");
    let world = Setup::new().config(&config).start().await;
    let line = |number| {
        format!(
            "- [ ] Fix leak number {number} in the {}of the old building\n",
            "pipe ".repeat(10)
        )
    };
    let talk = asked(&world, &(1..=300).map(line).collect::<String>()).await;
    let card = world.card_comment(talk).unwrap().id;
    let pages = || {
        let mut pages = own(&world, talk, "#### **t1** ");
        pages.retain(|page| *page != card);
        pages
    };
    let before = pages();
    assert_eq!(before.len(), 1, "the first page");
    world.github.as_("ada").delete_comment(before[0]).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    world.hear(talk);
    let after = pages();
    assert_eq!(after.len(), 1, "it stands there again");
    assert_ne!(after, before);
    holds(&world.card(talk), &[&format!("discussioncomment-{}", after[0])]);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn questions_that_are_gone_are_asked_anew() {
    let world = World::new().await;
    let talk = world
        .github
        .as_("alice")
        .start_discussion("Pay", "It crashes when I press Pay twice.")
        .unwrap();
    world.say("alice", talk, "/run solve").await;
    world.hear(talk);
    let questions = || own(&world, talk, "this has to be known before it goes on");
    let before = questions();
    world.github.as_("ada").delete_comment(before[0]).unwrap();
    world.github.drop_all();
    world.reconcile().await;
    world.hear(talk);
    assert_eq!(questions().len(), 1);
    assert_ne!(questions(), before);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn what_became_of_opened_issues_is_kept_and_what_is_gone_is_said() {
    let world = World::new().await;
    let site = world.github.add_repo("acme/site", Visibility::Private);
    site.set_role("ada", Role::Admin);
    let talk = asked(&world, TASKS).await;
    approve(&world, talk).await;
    world.hear(talk);
    let all: Vec<_> = world.opened().iter().map(|issue| issue.number).collect();
    assert_eq!(all.len(), OPENED);
    world.github.as_("alice").close(all[0]).unwrap();
    world.github.as_("ada").delete_issue(all[1]).unwrap();
    world.github.as_("ada").transfer_issue(all[2], "acme/site").unwrap();
    world.github.drop_all();
    world.reconcile().await;
    holds(
        &world.answer(talk),
        &[&format!("#{} was deleted", all[1]), &format!("#{} was moved", all[2])],
    );
    holds(&world.card(talk), &[&format!("#{} closed", all[0])]);
    assert_eq!(happened(&world, "repaired").await, 1);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_vote_of_somebody_who_lost_the_right_is_lost_aloud() {
    let config = format!("{CONFIG}approval:\n  quorum: 2\n");
    let world = Setup::new().config(&config).start().await;
    let talk = asked(&world, TASKS).await;
    approve(&world, talk).await;
    holds(&world.answer(talk), &["1 of 2"]);
    world.github.set_role("bob", Role::Read);
    world.reconcile().await;
    holds(
        &world.hear(talk).join("\n"),
        &["approval of", "`bob`", "no longer counts"],
    );
    assert_eq!(happened(&world, "vote_lost").await, 1);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_command_is_acted_on_once_as_if_it_had_been_told_also_in_a_reply() {
    for in_reply in [false, true] {
        let world = World::new().await;
        let talk = asked(&world, TASKS).await;
        let first = world.say("rita", talk, "Looks good to me.").await;
        let line = format!("/approve {}", world.digest(talk));
        world.clock.advance(TimeDelta::seconds(1));
        let bob = world.github.as_("bob");
        let typed = match in_reply {
            true => bob.reply(first, &line),
            false => bob.comment(talk, &line),
        };
        let typed = typed.unwrap();
        assert_eq!(world.github.drop_all(), 1);
        // What is that young is probably on its way.
        world.reconcile().await;
        assert_eq!(world.opened(), []);
        world.clock.advance(TimeDelta::minutes(2));
        world.reconcile().await;
        world.hear(talk);
        assert_eq!(world.opened().len(), OPENED, "{}", world.card(talk));
        assert_eq!(world.reactions(typed), ["eyes", "rocket"]);
        assert_eq!(happened(&world, "approved").await, 1);
        changes_nothing_more(&world, talk).await;
        world.end().await;
    }
}

#[tokio::test]
async fn strangers_and_edited_comments_approve_nothing() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(talk));
    world.clock.advance(TimeDelta::seconds(5));
    world.github.as_("mallory").comment(talk, &line).unwrap();
    let typed = world.github.as_("bob").comment(talk, "Looks good.").unwrap();
    world.clock.advance(TimeDelta::seconds(30));
    world.github.as_("bob").edit_comment(typed, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    let heard = world.hear(talk).join("\n");
    holds(&heard, &["You may not", "edited since", "nothing was done"]);
    assert_eq!(world.opened(), []);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_closed_discussion_holds_its_workflow_once() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.github.as_("alice").close(talk).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    holds(&world.answer(talk), &["This was closed", "on hold"]);
    assert!(open(&world).await[0].held);
    changes_nothing_more(&world, talk).await;
    world.say("alice", talk, "/unhold").await;
    world.hear(talk);
    world.reconcile().await;
    assert!(!open(&world).await[0].held);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_deleted_discussion_ends_its_workflow() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.github.as_("ada").delete_issue(talk).unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_transferred_discussion_ends_its_workflow() {
    let world = Setup::new().github(|github| github.repo("acme/site")).start().await;
    let talk = asked(&world, TASKS).await;
    world.github.as_("ada").transfer_issue(talk, "acme/site").unwrap();
    looked_for(&world).await;
    assert!(open(&world).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_server_that_was_down_for_two_hours_misses_nothing() {
    let mut world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.sweep().await;
    world.clock.advance(TimeDelta::seconds(20));
    world.stop().await;
    world.github.as_("bob").label(talk, "countersign:approve").unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::hours(2));
    world.restart().await;
    world.reconcile().await;
    let swept = world.sweep().await;
    assert_eq!((swept.missing, swept.gap), (1, None));
    world.settle().await;
    world.hear(talk);
    assert_eq!(world.opened().len(), OPENED, "who set a label is told by its delivery");
    assert_eq!(world.github.labels(talk), Vec::<String>::new());
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_server_that_was_down_for_five_days_reads_what_was_said_and_says_so() {
    let mut world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.sweep().await;
    let line = format!("/approve {}", world.digest(talk));
    world.stop().await;
    world.github.as_("bob").comment(talk, &line).unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::days(5));
    world.restart().await;
    assert!(world.sweep().await.gap.is_some());
    world.settle().await;
    let heard = world.hear(talk).join("\n");
    holds(&heard, &["GitHub never told me of [a comment]", "act on it now"]);
    assert_eq!(world.opened().len(), OPENED, "{}", world.card(talk));
    holds(&world.card(talk), &["of which GitHub had not told"]);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_label_of_which_nobody_told_acts_for_nobody_and_that_is_said_once() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.wait(20).await;
    world.github.as_("bob").label(talk, "countersign:approve").unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    assert_eq!(world.hear(talk), Vec::<String>::new(), "its delivery may be on its way");
    world.clock.advance(TimeDelta::hours(1));
    world.reconcile().await;
    let line = format!("/approve {}", world.digest(talk));
    holds(
        &world.answer(talk),
        &["`countersign:approve`", "by whom", &format!("`{line}`")],
    );
    assert_eq!(world.opened(), []);
    assert_eq!(world.github.labels(talk), ["countersign:approve"]);
    changes_nothing_more(&world, talk).await;
    // Set anew, it is heard.
    world.github.as_("bob").unlabel(talk, "countersign:approve").unwrap();
    world.settle().await;
    world.clock.advance(TimeDelta::seconds(20));
    world.label("bob", talk, "countersign:approve").await;
    world.hear(talk);
    assert_eq!(world.opened().len(), OPENED);
    assert_eq!(world.github.labels(talk), Vec::<String>::new());
    let history = history(&world).await;
    let approved = history.iter().find(|stored| stored.event.name() == "approved").unwrap();
    assert_eq!(approved.event.actor().unwrap().login, "bob");
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn a_label_that_stayed_set_after_it_was_heard_is_taken_off() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    world.clock.advance(TimeDelta::seconds(20));
    let refused = FaultRule::on("POST", "/graphql/removeLabelsFromLabelable", FaultKind::Status(422));
    world.github.fault(refused);
    world.label("bob", talk, "countersign:approve").await;
    world.hear(talk);
    assert_eq!(world.github.labels(talk), ["countersign:approve"]);
    assert_eq!(world.opened().len(), OPENED);
    world.github.heal();
    world.clock.advance(TimeDelta::minutes(2));
    world.reconcile().await;
    assert_eq!(world.github.labels(talk), Vec::<String>::new());
    assert_eq!(happened(&world, "approved").await, 1);
    changes_nothing_more(&world, talk).await;
    world.end().await;
}

#[tokio::test]
async fn asking_how_it_stands_compares_that_workflow_at_once() {
    let world = World::new().await;
    let talk = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(talk));
    world.github.as_("bob").comment(talk, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    world.say("rita", talk, "/status").await;
    world.hear(talk);
    assert_eq!(world.opened().len(), OPENED, "{}", world.card(talk));
    world.end().await;
}
