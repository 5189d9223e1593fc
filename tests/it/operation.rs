//! What an operator does with a server that runs: stop it, and have done again what was given up.

use countersign::sandbox::{Delivery, FaultKind, FaultRule, Role, Sandbox};
use countersign::store::Store;

use crate::bad_input::{Forged, TASKS, approve, asked, delivery, holds};
use crate::cli::{only_workflow, run};
use crate::postgres::cluster::Cluster;
use crate::start::{NOBODY, Program, until};
use crate::world::{SECRET, World};

#[tokio::test]
async fn a_server_that_is_told_to_stop_says_so_and_stores_what_still_comes() {
    let program = Program::new(NOBODY).set("COUNTERSIGN_LINGER_SECONDS", "300");
    let mut running = program.start().await;
    assert_eq!(running.get("/readyz").await.0, 200);
    running.signal("-TERM");
    running.says("told to stop").await;
    let (status, body) = running.get("/readyz").await;
    assert_eq!(status, 503);
    holds(&body, &["about to stop"]);
    assert_eq!(running.get("/livez").await.0, 200);
    let ping = Forged::signed(
        "ping",
        "d-late",
        r#"{"zen":"Half measures are as bad as nothing at all."}"#,
    );
    assert_eq!(ping.post_to(&running.webhook()).await.status, 202);
    // A second word ends the waiting.
    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    let store = Store::read_only(&program.database()).unwrap();
    assert_eq!(store.deliveries(false, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_does_not_end_is_given_to_the_next_server_at_once_also_on_postgres() {
    let database = Cluster::shared().database();
    let github = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .person("alice", Role::Write)
        .delivery(Delivery::Automatic);
    let github = github.start().await.unwrap();
    let issue = github.as_("alice").open_issue("Checkout is slow", TASKS).unwrap();
    let program = Program::new(&github.base_url()).set("COUNTERSIGN_DATABASE_URL", &database.url());
    let first = program.start().await;
    github.set_hook_target(&format!("{}/webhook", first.url));
    // GitHub takes the answer and says nothing for longer than a server may take to stop.
    let silent = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        FaultKind::ExecuteThenTimeout,
    );
    github.fault(silent.times(1));
    github.as_("alice").comment(issue, "/help").unwrap();
    until(&github, "the answer is posted", |github| {
        github.comments(issue).len() == 2
    })
    .await;
    first.signal("-TERM");
    let (code, log) = first.end().await;
    assert_eq!(code, Some(0), "{log}");
    holds(&log, &["work that did not end in time is left to whoever takes it up"]);
    github.heal();
    // A lease lasts 90 s, and nothing here is waited for so long.
    let second = program.start().await;
    github.set_hook_target(&format!("{}/webhook", second.url));
    github.as_("alice").comment(issue, "/help").unwrap();
    until(
        &github,
        "the second answer is posted behind the first, which is known to be there",
        |github| github.comments(issue).len() == 4,
    )
    .await;
    second.signal("-TERM");
    assert_eq!(second.end().await.0, Some(0));
    assert_eq!(github.comments(issue).len(), 4);
    assert_eq!(
        database
            .ask("SELECT COUNT(*) FROM effects WHERE state = 'inflight'")
            .trim(),
        "0"
    );
}

#[tokio::test]
async fn a_write_that_was_given_up_is_listed_and_done_again_when_the_operator_asks() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    let gone = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        FaultKind::Status(404),
    );
    world.github.fault(gone);
    world.say("alice", issue, "/help").await;
    world.github.heal();
    assert_eq!(world.hear(issue), Vec::<String>::new());

    let listed = run(world.home(), &["effects", "--failed", "--json"]).envelope();
    let effects = listed["data"]["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 1, "{listed}");
    assert_eq!(
        (effects[0]["kind"].as_str(), effects[0]["state"].as_str()),
        (Some("reply"), Some("failed"))
    );
    assert!(!effects[0]["last_error"].as_str().unwrap().is_empty());
    let id = effects[0]["id"].as_str().unwrap().to_owned();
    holds(run(world.home(), &["effects", "--failed"]).page(), &[&id, "reply"]);

    let asked = run(world.home(), &["effects", "retry", &id]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    world.house().obey_once().await.unwrap();
    world.settle().await;
    holds(&world.answer(issue), &["/deliver"]);
    let listed = run(world.home(), &["effects", "--failed"]);
    assert_eq!(listed.page(), "Nothing was given up.\n");
    let again = run(world.home(), &["effects", "retry", &id]);
    assert_eq!(again.code, 1);
    holds(&again.err, &["is done", "only one that was given up"]);
    let unknown = run(world.home(), &["effects", "retry", "nothing"]);
    assert_eq!(unknown.code, 1);
    holds(&unknown.err, &["there is no effect nothing", "effects --failed"]);
    world.end().await;
}

#[tokio::test]
async fn a_workflows_own_step_is_retried_by_people_and_not_by_the_operator() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let refused = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/issues"),
        FaultKind::Status(410),
    );
    world.github.fault(refused);
    approve(&world, issue).await;
    holds(&world.hear(issue).join("\n"), &["failed", "/retry"]);
    world.card(issue);
    world.github.heal();
    let listed = run(world.home(), &["effects", "--failed", "--json"]).envelope();
    let act = listed["data"]["effects"][0]["id"].as_str().unwrap().to_owned();
    let refused = run(world.home(), &["effects", "retry", &act]);
    assert_eq!(refused.code, 1);
    holds(
        &refused.err,
        &[
            "is a step of the workflow",
            &only_workflow(&world),
            "`/retry` on its issue",
        ],
    );
    let all = run(world.home(), &["effects", "retry", "--all", "--json"]).envelope();
    assert_eq!(all["data"]["requested"].as_array().unwrap().len(), 0, "{all}");
    assert_eq!(all["data"]["for_workflows"][0]["id"], act.as_str());
    // The request does not get past the server either.
    let store = world.house().engine.store();
    assert!(
        !store
            .retry_effect(&act.as_str().into(), world.clock.now())
            .await
            .unwrap()
    );
    world.say("alice", issue, "/retry").await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn all_deliveries_that_were_given_up_are_tried_again() {
    let world = World::new().await;
    for id in ["broken-1", "broken-2"] {
        assert_eq!(
            Forged::signed("issue_comment", id, r#"{"action":"created"}"#)
                .post(&world)
                .await
                .status,
            202
        );
    }
    world.settle().await;
    assert_eq!(delivery(&world, "broken-1").await.unwrap().state, "failed");
    let asked = run(world.home(), &["deliveries", "retry", "--all", "--json"]).envelope();
    let requested = asked["data"]["requested"].as_array().unwrap();
    let ids: Vec<_> = requested
        .iter()
        .map(|request| request["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["broken-1", "broken-2"]);
    world.house().obey_once().await.unwrap();
    for id in ids {
        assert_eq!(delivery(&world, id).await.unwrap().state, "new");
    }
    world.settle().await;
    assert_eq!(delivery(&world, "broken-2").await.unwrap().state, "failed");
    let usage = run(world.home(), &["deliveries", "retry"]);
    assert_eq!(usage.code, 2, "{}", usage.err);
    world.end().await;
}
