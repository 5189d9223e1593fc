//! A repository's configuration may ask for more than the default, never for less.

use super::{At, Comes, Says, setup, staged, try_one};
use crate::world::{CONFIG_PATH, World};

async fn world_where(permissions: &str) -> World {
    let config = format!("version: 1\npermissions: {{{permissions}}}\n");
    setup().config(&config).start().await
}

#[tokio::test]
async fn more_is_asked_of_the_comment_and_of_the_label() {
    let world = world_where("approve: maintain").await;
    let issue = staged(&world, At::Gate, "bob").await;
    for says in [Says::Orders("/approve"), Says::Sets("countersign:approve")] {
        for who in ["carol", "bob", "sue"] {
            try_one(&world, says, issue, who, Comes::Refused("the maintain role")).await;
        }
    }
    try_one(&world, Says::Orders("/approve"), issue, "mona", Comes::Done).await;
    world.end().await;
}

#[tokio::test]
async fn more_is_asked_of_a_tick_and_the_box_is_drawn_again() {
    let world = world_where("edit: maintain").await;
    let issue = staged(&world, At::Gate, "bob").await;
    try_one(&world, Says::Unticks, issue, "bob", Comes::Refused("the maintain role")).await;
    assert!(world.card(issue).contains("- [x] **t1**"));
    try_one(&world, Says::Unticks, issue, "mona", Comes::Done).await;
    assert!(world.card(issue).contains("- [ ] **t1**"));
    world.end().await;
}

#[tokio::test]
async fn who_tells_what_the_repository_asks_for() {
    let world = world_where("approve: maintain, status: triage").await;
    let issue = staged(&world, At::Gate, "bob").await;
    world.say("rita", issue, "/who").await;
    let told = world.answer(issue);
    let row = told.lines().find(|line| line.contains("`/approve`")).unwrap();
    assert!(row.contains("the maintain role"), "{told}");
    let row = told.lines().find(|line| line.contains("`/status`")).unwrap();
    assert!(row.contains("triage access"), "{told}");
    try_one(
        &world,
        Says::Asks("/status"),
        issue,
        "rita",
        Comes::Refused("triage access"),
    )
    .await;
    try_one(&world, Says::Asks("/status"), issue, "carol", Comes::Done).await;
    world.end().await;
}

#[tokio::test]
async fn the_author_may_always_hold_and_cancel() {
    let world = world_where("hold: maintain, cancel: admin").await;
    let issue = staged(&world, At::Gate, "bob").await;
    try_one(
        &world,
        Says::Orders("/hold"),
        issue,
        "ian",
        Comes::Refused("the maintain role"),
    )
    .await;
    try_one(
        &world,
        Says::Orders("/hold"),
        issue,
        "bob",
        Comes::Refused("the maintain role"),
    )
    .await;
    try_one(&world, Says::Orders("/hold"), issue, "olga", Comes::Done).await;
    try_one(&world, Says::Orders("/cancel"), issue, "olga", Comes::Done).await;
    world.end().await;
}

#[tokio::test]
async fn less_is_no_configuration_and_the_default_stays() {
    let world = world_where("approve: triage").await;
    let issue = staged_aloud(&world).await;
    try_one(
        &world,
        Says::Orders("/approve"),
        issue,
        "carol",
        Comes::Refused("write access"),
    )
    .await;
    try_one(&world, Says::Orders("/approve"), issue, "bob", Comes::Done).await;
    world.end().await;
}

#[tokio::test]
async fn less_is_no_configuration_and_the_last_good_one_stays() {
    let world = world_where("approve: maintain").await;
    let before = staged(&world, At::Gate, "bob").await;
    try_one(
        &world,
        Says::Orders("/approve"),
        before,
        "bob",
        Comes::Refused("the maintain role"),
    )
    .await;
    let less = "version: 1\npermissions: {approve: read}\n";
    world.github.as_("ada").set_file(CONFIG_PATH, less).unwrap();
    world.settle().await;
    let after = staged_aloud(&world).await;
    try_one(
        &world,
        Says::Orders("/approve"),
        after,
        "bob",
        Comes::Refused("the maintain role"),
    )
    .await;
    try_one(&world, Says::Orders("/approve"), after, "mona", Comes::Done).await;
    world.end().await;
}

/// A workflow at its gate, on whose issue the bot says first that it cannot use the configuration.
async fn staged_aloud(world: &World) -> countersign::sandbox::IssueNumber {
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.wait(20).await;
    world.card(issue);
    let told = world.hear(issue);
    let broken = told
        .iter()
        .filter(|told| told.contains(CONFIG_PATH))
        .collect::<Vec<_>>();
    assert_eq!(broken.len(), 1, "{told:#?}");
    assert!(
        broken[0].contains("never for less") && broken[0].contains("line 2"),
        "{}",
        broken[0]
    );
    issue
}
