//! What the App itself may not do: the answer names the permission, and where an owner accepts it.

use countersign::sandbox::Access;

use crate::world::{Setup, World};

const READ: Access = Access::Read;
const WRITE: Access = Access::Write;

/// Everything but what is named.
fn without(world: &World, lacking: &str) {
    let all = [
        ("contents", READ),
        ("issues", WRITE),
        ("metadata", READ),
        ("pull_requests", WRITE),
    ];
    let granted: Vec<_> = all.into_iter().filter(|(name, _)| *name != lacking).collect();
    world.github.set_app_permissions(&granted);
}

fn all(world: &World) {
    without(world, "nothing");
}

#[tokio::test]
async fn without_issues_a_pull_request_still_says_what_is_lacking() {
    let world = World::new().await;
    let body = "- [ ] Measure the checkout\n";
    let pull = world
        .github
        .as_("alice")
        .open_pull("Faster checkout", body, "faster")
        .unwrap();
    world.say("alice", pull, "/deliver").await;
    world.wait(20).await;
    world.hear(pull);
    without(&world, "issues");
    let approve = format!("/approve {}", world.digest(pull));
    world.say("alice", pull, &approve).await;
    world.wait(20).await;
    let told = world.hear(pull).join("\n");
    assert!(told.contains("lacks the permission `issues=write`"), "{told}");
    assert!(told.contains("/settings/installations/"), "{told}");
    assert!(told.contains("`/retry`"), "{told}");
    all(&world);
    world.say("alice", pull, "/retry").await;
    assert_eq!(world.opened().len(), 1, "{}", world.card(pull));
    world.hear(pull);
    world.end().await;
}

#[tokio::test]
async fn without_issues_nothing_can_be_said_and_after_acceptance_it_goes_on() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    without(&world, "issues");
    world.say("alice", issue, "/deliver").await;
    world.wait(20).await;
    assert_eq!(world.hear(issue), [""; 0]);
    all(&world);
    let asked = world.say("alice", issue, "/deliver").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    assert!(world.card(issue).contains("Measure the checkout"));
    assert!(world.answer(issue).contains("waits for you"));
    world.end().await;
}

#[tokio::test]
async fn without_contents_the_answer_names_it() {
    let world = Setup::new().github(|github| github.private()).start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    without(&world, "contents");
    let asked = world.say("alice", issue, "/deliver").await;
    let told = world.hear(issue).join("\n");
    assert_eq!(world.reactions(asked), ["-1", "eyes"]);
    assert!(told.contains("`contents=read`"), "{told}");
    world.end().await;
}
