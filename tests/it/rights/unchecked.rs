//! What GitHub does not say is neither yes nor no: it is told once, and asked again.

use std::time::Duration;

use countersign::sandbox::{CommentId, FaultKind, FaultRule, IssueNumber, Role, Tick};

use super::{At, setup, staged};
use crate::world::{Setup, World};

/// A new issue on which Carol wants a workflow, and the comment in which she says so.
async fn carol_asks(world: &World) -> (IssueNumber, CommentId) {
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let asked = world.say("carol", issue, "/deliver").await;
    (issue, asked)
}

/// How often GitHub was asked what somebody may do.
fn asked_about(world: &World, login: &str) -> usize {
    let path = format!("/collaborators/{login}/permission");
    world
        .github
        .requests()
        .iter()
        .filter(|request| request.path.ends_with(&path))
        .count()
}

fn on_permission(fault: FaultKind) -> FaultRule {
    FaultRule::when(|_, path| path.ends_with("/permission"), fault)
}

/// GitHub fails in this way, three times, when it is asked about a right: that is said once, and then it is done.
async fn fails_and_heals(fault: FaultKind) {
    let world = World::new().await;
    world.github.fault(on_permission(fault).times(3));
    let (issue, asked) = carol_asks(&world).await;
    let told = world.answer(issue);
    assert!(told.contains("I could not check whether you may"), "{told}");
    assert!(
        told.contains("I will try again by myself and then act on `/deliver`"),
        "{told}"
    );
    assert_eq!(world.reactions(asked), ["eyes"]);
    for _ in 0..5 {
        world.wait(70).await;
    }
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    assert!(world.card(issue).contains("Measure the checkout"));
    let called = world.answer(issue);
    assert!(called.contains("waits for you"), "{called}");
    world.end().await;
}

macro_rules! heals_from {
    ($($name:ident: $fault:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                fails_and_heals($fault).await;
            }
        )*
    };
}

heals_from! {
    an_error_of_github_is_neither_yes_nor_no: FaultKind::Error500AfterExecute;
    a_limit_with_a_time_is_neither_yes_nor_no: FaultKind::TooManyRequests { retry_after: Some(30) };
    a_limit_without_a_time_is_neither_yes_nor_no: FaultKind::TooManyRequests { retry_after: None };
    a_secondary_limit_is_neither_yes_nor_no: FaultKind::Secondary403 { retry_after: Some(30) };
    a_secondary_limit_without_a_time_is_neither_yes_nor_no: FaultKind::Secondary403 { retry_after: None };
    a_refused_connection_is_neither_yes_nor_no: FaultKind::Refuse;
    a_broken_connection_is_neither_yes_nor_no: FaultKind::ExecuteThenReset;
    an_unreadable_answer_is_neither_yes_nor_no: FaultKind::WrongJson;
    a_forbidden_question_is_neither_yes_nor_no: FaultKind::Status(403);
    an_unauthorized_question_is_neither_yes_nor_no: FaultKind::Status(401);
    an_unknown_question_is_neither_yes_nor_no: FaultKind::Status(404);
    an_invalid_question_is_neither_yes_nor_no: FaultKind::Status(422);
    an_odd_status_is_neither_yes_nor_no: FaultKind::Status(418);
}

#[tokio::test]
async fn one_command_that_cannot_be_checked_for_two_reasons_is_told_of_once() {
    let world = World::new().await;
    let configuration = |_: &str, path: &str| path.ends_with("/contents/.github/countersign.yml");
    let cut_off = FaultKind::ExecuteThenReset;
    world.github.fault(FaultRule::when(configuration, cut_off).times(1));
    world.github.fault(on_permission(cut_off).times(1));
    let (issue, asked) = carol_asks(&world).await;
    for _ in 0..5 {
        world.wait(70).await;
    }
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.card(issue);
    let heard = world.hear(issue);
    let unchecked = heard.iter().filter(|said| said.contains("I could not check"));
    assert_eq!(unchecked.count(), 1, "{heard:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let world = World::new().await;
    world
        .github
        .fault(on_permission(FaultKind::SlowThenOk(Duration::from_millis(900))));
    let (issue, asked) = carol_asks(&world).await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    assert!(world.card(issue).contains("Measure the checkout"));
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn github_is_not_asked_again_before_the_time_that_it_names() {
    let world = World::new().await;
    world
        .github
        .fault(on_permission(FaultKind::TooManyRequests { retry_after: Some(300) }).times(1));
    let (issue, asked) = carol_asks(&world).await;
    assert!(world.answer(issue).contains("could not check"));
    world.wait(290).await;
    assert_eq!(asked_about(&world, "carol"), 1);
    world.wait(15).await;
    assert_eq!(asked_about(&world, "carol"), 2);
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.hear(issue);
    world.card(issue);
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_checked_for_hours_is_given_up_aloud() {
    let world = World::new().await;
    world.github.fault(on_permission(FaultKind::Refuse));
    let (issue, asked) = carol_asks(&world).await;
    assert!(world.answer(issue).contains("I will try again"));
    world.wait(3600).await;
    world.wait(3600).await;
    assert_eq!(world.hear(issue), [""; 0], "two hours of silence are not given up");
    for _ in 0..40 {
        world.wait(601).await;
    }
    let told = world.answer(issue);
    assert!(
        told.contains("have stopped trying") && told.contains("Nothing was done"),
        "{told}"
    );
    assert!(told.contains("Please comment `/deliver` again"), "{told}");
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.github.heal();
    let again = world.say("carol", issue, "/deliver").await;
    assert_eq!(world.reactions(again), ["eyes", "rocket"]);
    world.card(issue);
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn two_commands_that_cannot_be_checked_are_each_done_once_in_their_order() {
    let world = setup().start().await;
    let issue = staged(&world, At::Gate, "bob").await;
    world
        .github
        .fault(on_permission(FaultKind::Error500AfterExecute).times(2));
    let both = world.say("bob", issue, "/hold\n/unhold").await;
    assert!(world.answer(issue).contains("act on `/hold`"));
    world.wait(70).await;
    world.wait(70).await;
    let record = world.card(issue);
    assert_eq!(world.reactions(both), ["eyes", "rocket"], "{record}");
    assert!(!record.contains("on hold"), "{record}");
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn a_label_whose_setter_cannot_be_checked_is_told_and_then_heard() {
    let world = setup().start().await;
    let issue = staged(&world, At::Gate, "bob").await;
    world
        .github
        .fault(on_permission(FaultKind::Error500AfterExecute).times(2));
    world.label("bob", issue, "countersign:hold").await;
    let told = world.answer(issue);
    assert!(
        told.starts_with("To `bob` (label `countersign:hold`): I could not check"),
        "{told}"
    );
    assert!(world.github.labels(issue).contains(&"countersign:hold".to_owned()));
    world.wait(70).await;
    world.wait(70).await;
    assert!(world.card(issue).contains("on hold"));
    assert!(!world.github.labels(issue).contains(&"countersign:hold".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn a_box_whose_ticker_cannot_be_checked_is_told_and_then_counts() {
    let world = setup().start().await;
    let issue = staged(&world, At::Gate, "bob").await;
    let before = world.digest(issue);
    world
        .github
        .fault(on_permission(FaultKind::Error500AfterExecute).times(2));
    let card = world.card_comment(issue).unwrap();
    world.github.as_("bob").tick(card.id, 1, Tick::Off).unwrap();
    world.settle().await;
    let told = world.answer(issue);
    assert!(
        told.starts_with("To `bob` (box on this card): I could not check"),
        "{told}"
    );
    assert_eq!(world.digest(issue), before);
    world.wait(70).await;
    world.wait(70).await;
    assert_ne!(world.digest(issue), before);
    assert_eq!(world.hear(issue), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_waited_for() {
    let world = Setup::new()
        .config("version: 1\npermissions:\n  deliver: write\n")
        .start()
        .await;
    world
        .github
        .fault(FaultRule::when(|_, path| path.contains("/contents/"), FaultKind::Error500AfterExecute).times(3));
    let (issue, asked) = carol_asks(&world).await;
    let told = world.answer(issue);
    assert!(
        told.contains("could not check") && told.contains("`/deliver`"),
        "{told}"
    );
    assert_eq!(world.reactions(asked), ["eyes"]);
    for _ in 0..4 {
        world.wait(70).await;
    }
    assert!(
        world
            .answer(issue)
            .contains("You may not: `/deliver` needs write access")
    );
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.end().await;
}

#[tokio::test]
async fn a_renamed_account_keeps_its_right() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let asked = world.github.as_("carol").comment(issue, "/deliver").unwrap();
    world.github.rename_account("carol", "caroline");
    world.settle().await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.card(issue);
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn a_login_that_changed_hands_carries_no_right_over() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let asked = world.github.as_("mallory").comment(issue, "/deliver").unwrap();
    world.github.rename_account("mallory", "trudy");
    world.github.set_role("mallory", Role::Admin);
    world.settle().await;
    let told = world.answer(issue);
    assert!(told.contains("You may not: `/deliver` needs triage access"), "{told}");
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.end().await;
}

#[tokio::test]
async fn an_answer_about_another_account_is_neither_yes_nor_no() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let asked = world.github.as_("carol").comment(issue, "/deliver").unwrap();
    world.github.rename_account("carol", "caroline");
    world.github.set_role("carol", Role::None);
    let by_id = FaultRule::on("GET", "/user/", FaultKind::Error500AfterExecute);
    world.github.fault(by_id.times(2));
    world.settle().await;
    assert!(world.answer(issue).contains("could not check"));
    assert_eq!(world.reactions(asked), ["eyes"]);
    world.wait(70).await;
    world.wait(70).await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.card(issue);
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn a_removed_account_has_no_right() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    let asked = world.github.as_("bob").comment(issue, "/deliver").unwrap();
    world.github.remove_account("bob");
    world.settle().await;
    let told = world.answer(issue);
    assert!(told.contains("You have no access beyond what everybody has"), "{told}");
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    world.end().await;
}
