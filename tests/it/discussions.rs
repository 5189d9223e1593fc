//! Discussions as subjects: the whole story, what goes wrong, and what is other than with an issue.

use chrono::TimeDelta;
use countersign::sandbox::{Access, CommentId, IssueNumber, Tick, signature};

use crate::world::whole_story::{Outcome, Plain, setup, tell_in_a_discussion};
use crate::world::{SECRET, Setup, World};

const TALK: &str =
    "Orders take ten seconds since Monday.\n\n- [ ] Measure the checkout\n- [ ] Add an index to orders\n";

/// Alice starts a discussion.
fn started(world: &World) -> IssueNumber {
    world
        .github
        .as_("alice")
        .start_discussion("Checkout is slow", TALK)
        .unwrap()
}

/// Somebody replies, a second after what was before; then everything settles.
async fn reply(world: &World, who: &str, to: CommentId, text: &str) -> CommentId {
    world.clock.advance(TimeDelta::seconds(1));
    let id = world.github.as_(who).reply(to, text).unwrap();
    world.settle().await;
    id
}

/// A world in which a discussion's proposal waits for approval.
async fn proposed() -> (World, IssueNumber) {
    let world = World::new().await;
    let talk = started(&world);
    world.say("alice", talk, "/deliver").await;
    world.digest(talk);
    world.hear(talk);
    (world, talk)
}

#[tokio::test]
async fn the_whole_story_opens_one_tracking_issue_and_the_others_under_it() {
    let mut world = setup().start().await;
    let outcome = tell_in_a_discussion(&mut world, &mut Plain).await;
    assert_eq!(outcome.count("issue by countersign[bot]"), 5, "{outcome:#?}");
    assert_eq!(outcome.count("mail"), 1, "{outcome:#?}");
    assert_eq!(outcome.count("workflow: completed"), 1, "{outcome:#?}");
    let opened = world.opened();
    let tracking = opened[0].number;
    assert_eq!(opened[0].title, "Checkout is slow");
    assert_eq!(world.github.sub_issues(tracking).len(), 4);
    for issue in &opened[1..] {
        assert_eq!(world.github.parent(issue.number), Some(tracking), "{}", issue.title);
    }
    for issue in world.github.issues() {
        world.card_comment(issue.number);
        world.hear(issue.number);
    }
    world.end().await;
}

async fn plain() -> Outcome {
    let mut world = setup().start().await;
    let outcome = tell_in_a_discussion(&mut world, &mut Plain).await;
    world.close().await;
    outcome
}

#[tokio::test]
async fn every_delivery_comes_twice_under_ids_of_its_own_and_in_any_order() {
    let mut world = setup().start().await;
    let outcome = tell_in_a_discussion(&mut world, &mut crate::once::Shuffled::new(7)).await;
    outcome.assert_is(&plain().await, "when deliveries are doubled and shuffled");
    world.close().await;
}

#[tokio::test]
async fn an_answer_stands_below_what_it_answers_also_below_a_reply() {
    let world = World::new().await;
    let talk = started(&world);
    let first = world.say("carol", talk, "What about search?").await;
    let asked = reply(&world, "mallory", first, "/approve").await;
    let answer = world.github.comments(talk).pop().unwrap();
    assert_eq!(
        (answer.author.as_str(), answer.reply_to),
        ("countersign[bot]", Some(first))
    );
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    assert!(world.answer(talk).starts_with("You may not"), "a stranger is told so");
    // Where the comment is gone, the answer is still given.
    world.clock.advance(TimeDelta::seconds(1));
    let gone = world.github.as_("rita").comment(talk, "/help").unwrap();
    world.github.as_("rita").delete_comment(gone).unwrap();
    world.settle().await;
    assert_eq!(world.github.comments(talk).pop().unwrap().reply_to, None);
    world.answer(talk);
    world.end().await;
}

#[tokio::test]
async fn replies_are_read_and_what_was_edited_after_the_command_is_not() {
    let world = World::new().await;
    let talk = started(&world);
    let first = world.say("bob", talk, "Action: @bob will write the runbook").await;
    let late = reply(&world, "carol", first, "Action: @carol will tell support").await;
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("alice").comment(talk, "/deliver").unwrap();
    world.clock.advance(TimeDelta::seconds(5));
    world
        .github
        .as_("carol")
        .edit_comment(late, "Action: @carol will buy a yacht")
        .unwrap();
    world.settle().await;
    let card = world.card(talk);
    assert!(card.contains("Write the runbook — `bob`"), "{card}");
    assert!(!card.contains("yacht") && !card.contains("support"), "{card}");
    assert!(card.contains("it was edited after somebody asked"), "{card}");
    world.hear(talk);
    world.end().await;
}

#[tokio::test]
async fn a_tick_is_the_difference_of_an_edit_and_more_than_a_tick_is_undone() {
    let (world, talk) = proposed().await;
    let before = world.digest(talk);
    let card = world.card_comment(talk).unwrap().id;
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("bob").tick(card, "Add an index", Tick::Off).unwrap();
    world.settle().await;
    let after = world.digest(talk);
    assert_ne!(before, after);
    assert!(world.card(talk).contains("1 of 2 tasks"));
    let body = world.github.comment(card).unwrap().body;
    world.clock.advance(TimeDelta::seconds(1));
    let changed = body.replace("Measure the checkout", "Delete the checkout");
    world.github.as_("bob").edit_comment(card, &changed).unwrap();
    world.settle().await;
    assert!(!world.card(talk).contains("Delete the checkout"));
    let said = world.answer(talk);
    assert!(said.contains("bob"), "{said}");
    assert_eq!(world.digest(talk), after, "the proposal is the same");
    world.end().await;
}

#[tokio::test]
async fn a_card_that_was_deleted_is_posted_anew() {
    let (world, talk) = proposed().await;
    let card = world.card_comment(talk).unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("ada").delete_comment(card.id).unwrap();
    world.settle().await;
    let anew = world.card_comment(talk).unwrap();
    assert_ne!(anew.id, card.id);
    assert_eq!(anew.body, card.body);
    world.end().await;
}

#[tokio::test]
async fn a_label_approves_once_and_only_a_card_that_stood_before_it() {
    let (world, talk) = proposed().await;
    world.clock.advance(TimeDelta::seconds(20));
    world.github.as_("bob").label(talk, "countersign:approve").unwrap();
    // GitHub may not count a label as a change of the discussion: then all that is known is when it changed before.
    let mut packet = loop {
        let packet = world.github.take_next().expect("a webhook about the label");
        if packet.action.as_deref() == Some("labeled") {
            break packet;
        }
    };
    let mut payload: serde_json::Value = serde_json::from_slice(&packet.body).unwrap();
    let card = world.card_comment(talk).unwrap();
    payload["discussion"]["updated_at"] = card.updated_at.to_rfc3339().into();
    let original = packet.clone();
    packet.body = payload.to_string().into_bytes();
    for (name, value) in &mut packet.headers {
        if name == "X-Hub-Signature-256" {
            *value = signature(SECRET, &packet.body);
        }
    }
    world.github.deliver(packet).await;
    world.settle().await;
    assert!(
        world.opened().is_empty(),
        "nothing is approved that may not have been seen"
    );
    let said = world.answer(talk);
    assert!(said.contains("/approve"), "the next command is told: {said}");
    assert_eq!(world.github.labels(talk), Vec::<String>::new());
    // Told again after it was taken off, it is nobody's wish any more.
    let mut again = original;
    for (name, value) in &mut again.headers {
        if name == "X-GitHub-Delivery" {
            "11111111-2222-4333-a444-555555555555".clone_into(value);
        }
    }
    world.github.deliver(again).await;
    world.settle().await;
    assert!(world.opened().is_empty() && world.hear(talk).is_empty());
    // Set anew, it is heard anew.
    world.clock.advance(TimeDelta::seconds(20));
    world.label("bob", talk, "countersign:approve").await;
    assert_eq!(world.opened().len(), 3, "the tracking issue and two tasks");
    world.hear(talk);
    world.end().await;
}

#[tokio::test]
async fn closed_deleted_and_moved_discussions() {
    let (world, talk) = proposed().await;
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("alice").close(talk).unwrap();
    world.settle().await;
    assert!(world.card(talk).contains("held"), "{}", world.card(talk));
    world.hear(talk);
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("ada").delete_issue(talk).unwrap();
    world.settle().await;
    let summary = &world.house().engine.store().list_workflows(false, 9).await.unwrap()[0];
    assert_eq!(summary.status, "cancelled");
    world.end().await;

    let (world, talk) = proposed().await;
    world
        .github
        .add_repo("acme/attic", countersign::sandbox::Visibility::Public);
    world
        .github
        .at("acme/attic")
        .set_role("ada", countersign::sandbox::Role::Admin);
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_("ada").transfer_issue(talk, "acme/attic").unwrap();
    world.settle().await;
    let store = world.house().engine.store();
    let summary = &store.list_workflows(false, 9).await.unwrap()[0];
    assert_eq!(summary.status, "cancelled");
    let stored = store.workflow(&summary.id.as_str().into()).await.unwrap().unwrap();
    let status = format!("{:?}", stored.state.status);
    assert!(status.contains("its discussion was transferred"), "{status}");
    world.end().await;
}

#[tokio::test]
async fn a_locked_discussion_goes_on() {
    let (world, talk) = proposed().await;
    world.github.as_("mona").lock(talk).unwrap();
    world.settle().await;
    let approve = format!("/approve {}", world.digest(talk));
    world.say("bob", talk, &approve).await;
    assert_eq!(world.opened().len(), 3);
    world.hear(talk);
    world.end().await;
}

#[tokio::test]
async fn without_the_permission_it_is_said_which_is_missing() {
    let permissions = [
        ("contents", Access::Read),
        ("issues", Access::Write),
        ("members", Access::Read),
        ("metadata", Access::Read),
        ("discussions", Access::Read),
    ];
    let world = Setup::new()
        .github(|github| github.app_permissions(&permissions))
        .start()
        .await;
    let talk = started(&world);
    let asked = world.say("alice", talk, "/deliver").await;
    assert_eq!(world.reactions(asked), Vec::<String>::new());
    assert!(world.github.comments(talk).len() == 1, "nothing can be said there");
    let store = world.house().engine.store();
    let summary = &store.list_workflows(false, 9).await.unwrap()[0];
    assert_eq!(summary.status, "open", "nothing is lost");
    world.close().await;
}

#[tokio::test]
async fn numbers_are_shared_with_issues_and_each_is_what_it_is() {
    let world = World::new().await;
    let issue = world.issue("Search is slow", "- [ ] Measure the search\n");
    let talk = started(&world);
    assert_eq!((issue.0, talk.0), (1, 2));
    world.say("alice", issue, "/deliver").await;
    world.say("alice", talk, "/deliver").await;
    assert!(world.card(issue).contains("Measure the search") && world.card(talk).contains("Measure the checkout"));
    assert!(world.card(issue).contains("under #1"));
    assert!(world.card(talk).contains("to track this discussion"));
    world.hear(issue);
    world.hear(talk);
    world.end().await;
}

#[tokio::test]
async fn what_the_bot_writes_itself_is_not_heard() {
    let (world, talk) = proposed().await;
    let bot = world.github.bot_login();
    world.clock.advance(TimeDelta::seconds(1));
    world.github.as_(&bot).comment(talk, "/cancel").unwrap();
    world.settle().await;
    assert_eq!(world.hear(talk), ["/cancel"]);
    let summary = &world.house().engine.store().list_workflows(true, 9).await.unwrap()[0];
    assert_eq!(summary.status, "open");
    world.end().await;
}
