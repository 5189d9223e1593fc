//! A pull request that touches the configuration: a check run on its head says whether it could be used.

use countersign::sandbox::{Access, CheckView, FaultKind, FaultRule, IssueNumber};

use crate::world::{CONFIG_PATH, Setup, World};

const BROKEN: &str = "version: 1\nmail:\n  to: [nobody]\n";
const GOOD: &str = "version: 1\npermissions: {approve: maintain}\n";

fn ours(world: &World, pull: IssueNumber) -> Vec<CheckView> {
    let mut checks = world.github.checks(pull);
    checks.retain(|check| check.name == "Countersign configuration");
    checks
}

fn pull(world: &World) -> IssueNumber {
    let bob = world.github.as_("bob");
    bob.open_pull("Change the rules", "", "rules").unwrap()
}

#[tokio::test]
async fn a_mistake_is_shown_at_its_line_and_its_repair_is_seen() {
    let world = World::new().await;
    let pull = pull(&world);
    let bob = world.github.as_("bob");
    world.settle().await;
    bob.propose(pull, "src/main.rs", Some("fn main() {}")).unwrap();
    world.settle().await;
    assert_eq!(ours(&world, pull), [], "nothing of the configuration is touched");

    let head = bob.propose(pull, CONFIG_PATH, Some(BROKEN)).unwrap();
    world.settle().await;
    let checks = ours(&world, pull);
    assert_eq!(checks.len(), 1);
    assert_eq!(
        (checks[0].commit.as_str(), checks[0].conclusion.as_deref()),
        (head.as_str(), Some("failure"))
    );
    assert_eq!(checks[0].title.as_deref(), Some("1 mistake in the configuration"));
    let annotation = &checks[0].annotations[0];
    assert_eq!((annotation.path.as_str(), annotation.line), (CONFIG_PATH, 3));
    assert!(annotation.message.contains("nobody"), "{}", annotation.message);

    bob.propose(pull, CONFIG_PATH, Some(GOOD)).unwrap();
    world.settle().await;
    let checks = ours(&world, pull);
    assert_eq!(checks.len(), 2);
    assert_eq!(checks[1].conclusion.as_deref(), Some("success"));

    // Nothing of it is in force: the default branch asks for write access, and bob has that.
    let issue = world.issue("Sort the drawers", "- [ ] Label the drawers\n");
    world.say("carol", issue, "/deliver").await;
    world.hear(issue);
    let digest = world.digest(issue);
    world.say("bob", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn definitions_are_judged_with_what_names_them() {
    let world = World::new().await;
    let pull = pull(&world);
    let bob = world.github.as_("bob");
    let own = std::fs::read_to_string("workflows/tasks.yml")
        .unwrap()
        .replace("name: tasks", "name: own");
    bob.propose(pull, CONFIG_PATH, Some("version: 1\ndefinition: own\n"))
        .unwrap();
    world.settle().await;
    assert_eq!(
        ours(&world, pull)[0].annotations[0].line,
        2,
        "there is no such definition yet"
    );
    bob.propose(pull, ".github/countersign/own.yml", Some(&own)).unwrap();
    world.settle().await;
    let last = ours(&world, pull).pop().unwrap();
    assert_eq!(last.conclusion.as_deref(), Some("success"), "{last:#?}");
    bob.propose(
        pull,
        ".github/countersign/own.yml",
        Some("name: own\nphases: everything\n"),
    )
    .unwrap();
    world.settle().await;
    let last = ours(&world, pull).pop().unwrap();
    assert_eq!(last.conclusion.as_deref(), Some("failure"));
    let paths: Vec<&str> = last.annotations.iter().map(|one| one.path.as_str()).collect();
    assert!(paths.contains(&".github/countersign/own.yml"), "{paths:?}");
    assert!(paths.contains(&CONFIG_PATH), "its name went with it: {paths:?}");
    world.end().await;
}

#[tokio::test]
async fn a_check_run_that_may_have_been_made_is_looked_for_first() {
    let world = World::new().await;
    let pull = pull(&world);
    world.settle().await;
    let rule = FaultRule::on("POST", "/repos/acme/shop/check-runs", FaultKind::ExecuteThenReset);
    world.github.fault(rule.times(1));
    world
        .github
        .as_("bob")
        .propose(pull, CONFIG_PATH, Some(BROKEN))
        .unwrap();
    world.settle().await;
    world.wait(3600).await;
    assert_eq!(ours(&world, pull).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn files_that_could_not_be_read_are_read_later() {
    let world = World::new().await;
    let pull = pull(&world);
    world.settle().await;
    let rule = FaultRule::on("GET", "/repos/acme/shop/pulls/1/files", FaultKind::WrongJson);
    world.github.fault(rule.times(1));
    world
        .github
        .as_("bob")
        .propose(pull, CONFIG_PATH, Some(BROKEN))
        .unwrap();
    world.settle().await;
    world.wait(60).await;
    assert_eq!(ours(&world, pull).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_installation_that_does_not_let_the_app_write_checks_is_left_without() {
    let setup = Setup::new().github(|github| {
        github.app_permissions(&[
            ("checks", Access::Read),
            ("contents", Access::Read),
            ("issues", Access::Write),
            ("metadata", Access::Read),
            ("pull_requests", Access::Write),
        ])
    });
    let world = setup.start().await;
    let pull = pull(&world);
    world
        .github
        .as_("bob")
        .propose(pull, CONFIG_PATH, Some(BROKEN))
        .unwrap();
    world.settle().await;
    assert_eq!(ours(&world, pull), []);
    assert_eq!(world.hear(pull), Vec::<String>::new());
    world.end().await;
}
