//! A new workflow that goes on from a moment of another's history.

use countersign::sandbox::{FaultKind, FaultRule, IssueNumber};
use serde_json::Value;

use super::{completed, data, events, first};
use crate::cli::{only_workflow, run};
use crate::story::{says, says_not};
use crate::world::World;

/// Asks for a fork and lets the server make it.
async fn fork(world: &World, id: &str, after: usize) -> String {
    let asked = data(&run(
        world.home(),
        &["fork", id, "--from", &after.to_string(), "--json"],
    ));
    let into = asked["requested"]["into"].as_str().unwrap().to_owned();
    world.house().obey_once().await.unwrap();
    world.settle().await;
    into
}

fn status(world: &World, id: &str) -> Value {
    data(&run(world.home(), &["status", id, "--json"]))
}

/// Why the server made none.
async fn refused(world: &World, id: &str, after: usize) -> String {
    let into = fork(world, id, after).await;
    assert_eq!(run(world.home(), &["status", &into]).code, 1, "{into} is there");
    let file = world.home().join("bot.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    let last = "SELECT result FROM operator_commands ORDER BY seq DESC LIMIT 1";
    connection.query_row(last, [], |row| row.get(0)).unwrap()
}

async fn cancel(world: &World, issue: IssueNumber) {
    world.say("alice", issue, "/cancel another way").await;
    world.card(issue);
    world.hear(issue);
}

#[tokio::test]
async fn a_fork_from_a_gate_shows_the_proposal_again_and_takes_no_approval_of_the_origin() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let old = world.digest(issue);
    let origin = only_workflow(&world);
    let at_gate = events(&world, &origin).len();
    cancel(&world, issue).await;

    let into = fork(&world, &origin, at_gate).await;
    world.is_called(issue);
    let card = world.card(issue);
    let cited = format!("a fork of workflow `{origin}`, from after its event {at_gate}");
    says(&card, &["waiting for approval", "Measure the checkout", &cited]);
    let new = world.digest(issue);
    assert_ne!(new, old, "a digest covers its workflow");
    let copied = events(&world, &into);
    let theirs = events(&world, &origin);
    let cites = &copied[at_gate]["event"];
    assert_eq!(cites["type"], "forked");
    assert_eq!(cites["origin"], origin);
    assert_eq!(cites["after"], at_gate);
    assert_eq!(cites["hash"], theirs[at_gate - 1]["hash"]);
    assert_eq!(copied[0]["event"]["workflow"], into);
    assert_eq!(
        copied[1..at_gate].iter().map(|of| &of["event"]).collect::<Vec<_>>(),
        theirs[1..at_gate].iter().map(|of| &of["event"]).collect::<Vec<_>>()
    );
    assert_eq!(copied[1]["at"], theirs[1]["at"]);
    assert_ne!(copied[1]["hash"], theirs[1]["hash"], "the chain is its own");

    world.wait(20).await;
    world.say("bob", issue, &format!("/approve {old}")).await;
    says(&world.answer(issue), &[&new]);
    assert!(world.opened().is_empty());
    world.approve("bob", issue).await;
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3);
    let verified = run(world.home(), &["verify"]);
    assert!(verified.page().contains("All 2 workflows"), "{}", verified.out);
    run(world.home(), &["export", &into, "--output", "fork.tar"]).page();
    run(world.home(), &["export", "--verify", "fork.tar"]).page();
    world.end().await;
}

#[tokio::test]
async fn a_fork_from_between_acts_reopens_the_gate_and_does_nothing_twice() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let only_issues = FaultRule::when(
        |method, path| method == "POST" && path == "/repos/acme/shop/issues",
        FaultKind::Status(403),
    );
    world.github.fault(only_issues.after(2));
    world.approve("bob", issue).await;
    world.hear(issue);
    world.github.heal();
    assert_eq!(world.opened().len(), 2);
    cancel(&world, issue).await;
    let origin = only_workflow(&world);
    // The origin opened a second issue after the event that the fork leaves it at.
    let all = events(&world, &origin);
    let opened = all
        .iter()
        .position(|of| of["event"]["outcome"]["outcome"] == "issue_opened")
        .unwrap()
        + 1;

    let into = fork(&world, &origin, opened).await;
    world.is_called(issue);
    let stands = status(&world, &into);
    assert_eq!(stands["phases"][0]["status"], "ready_for_review");
    assert_eq!(stands["phases"][0]["approval"], Value::Null);
    assert_eq!(stands["phases"][1]["status"], "blocked");
    assert_eq!(world.opened().len(), 2, "nothing is done without a new approval");
    world.wait(20).await;
    world.approve("alice", issue).await;
    world.is_called(issue);
    let mut titles: Vec<String> = world.opened().into_iter().map(|issue| issue.title).collect();
    titles.sort();
    titles.dedup();
    assert_eq!((titles.len(), world.opened().len()), (3, 3), "{titles:?}");
    world.end().await;
}

#[tokio::test]
async fn a_fork_of_what_was_carried_out_since_goes_on_behind_it() {
    let (world, issue, origin) = completed().await;
    let approved = first(&world, &origin, "approved");
    let into = fork(&world, &origin, approved).await;
    world.is_called(issue);
    let card = world.card(issue);
    says(&card, &["`/approve "]);
    assert_eq!(world.opened().len(), 3, "what the approval opened was opened");
    assert_eq!(world.mails().len(), 1);
    let stands = status(&world, &into);
    assert_eq!(stands["phases"][1]["status"], "completed");
    assert_eq!(stands["phases"][2]["status"], "ready_for_review");
    world.end().await;
}

#[tokio::test]
async fn a_fork_runs_what_was_running_and_keeps_a_hold() {
    let (world, issue, origin) = completed().await;
    let started = first(&world, &origin, "phase_started");
    let into = fork(&world, &origin, started).await;
    world.is_called(issue);
    assert_eq!(status(&world, &into)["phases"][0]["status"], "ready_for_review");
    world.say("alice", issue, "/hold wait").await;
    let held = events(&world, &into).len();
    cancel(&world, issue).await;

    let second = fork(&world, &into, held).await;
    says(&world.card(issue), &["on hold", "/unhold"]);
    says_not(&world.card(issue), &["`/approve "]);
    assert_eq!(status(&world, &second)["held"], true);
    world.say("alice", issue, "/unhold").await;
    world.is_called(issue);
    says(&world.card(issue), &["`/approve "]);
    world.end().await;
}

#[tokio::test]
async fn a_fork_that_cannot_be_is_refused_with_the_reason() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let origin = only_workflow(&world);
    let open = run(world.home(), &["fork", &origin, "--from", "2"]);
    assert_eq!(open.code, 1);
    assert!(
        open.err
            .contains(&format!("the workflow {origin} is open on acme/shop#{issue}")),
        "{}",
        open.err
    );
    cancel(&world, issue).await;
    let count = events(&world, &origin).len();
    let beyond = run(world.home(), &["fork", &origin, "--from", &(count + 1).to_string()]);
    assert!(beyond.err.contains("has no event"), "{}", beyond.err);
    let unknown = run(world.home(), &["fork", "w0", "--from", "1"]);
    assert!(unknown.err.contains("there is no workflow w0"), "{}", unknown.err);
    let over = run(world.home(), &["fork", &origin, "--from", &count.to_string()]);
    assert_eq!(over.code, 1);
    let ended = format!("{origin} cannot be forked there: at event {count} it had ended, and nothing would follow");
    assert!(over.err.contains(&ended), "{}", over.err);

    world.github.as_("alice").close(issue).unwrap();
    world.settle().await;
    assert!(refused(&world, &origin, 2).await.contains("is closed"));
    world.github.as_("alice").reopen(issue).unwrap();
    world.settle().await;

    // Another was opened between the request and the server's look at it.
    let asked = run(world.home(), &["fork", &origin, "--from", "2"]);
    asked.page();
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    world.house().obey_once().await.unwrap();
    world.settle().await;
    world.card(issue);
    assert_eq!(
        data(&run(world.home(), &["list", "--all", "--json"]))["workflows"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    world.end().await;
}
