//! The main job, one test for each sentence of it.

use crate::world::World;

#[tokio::test]
async fn help_lists_the_commands() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "It is.");
    let asked = world.say("mallory", issue, "/help").await;
    assert!(world.answer(issue).contains("/approve"));
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.end().await;
}

#[tokio::test]
async fn deliver_posts_a_card() {
    let world = World::new().await;
    let issue = world.issue(
        "Checkout is slow",
        "- [ ] Measure the checkout\n- [ ] Add an index to orders\n",
    );
    world.say("bob", issue, "Action: @bob will write the runbook").await;
    let asked = world.say("alice", issue, "/deliver").await;
    println!("{}", world.card(issue));
    println!("{:#?}", world.hear(issue));
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.wait(20).await;
    let approve = format!("/approve {}", world.digest(issue));
    world.say("bob", issue, &approve).await;
    println!("{}", world.card(issue));
    println!("{:#?}", world.hear(issue));
    println!("{:#?}", world.opened());
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    println!("{}", world.card(issue));
    println!("{:#?}", world.hear(issue));
    println!("{:#?}", world.mails());
    world.end().await;
}
