use countersign::sandbox::IssueNumber;
use countersign::sandbox::models::{Dialect, Fault, Gate, ModelServer, Reply, Wait};

use super::{TALK, asks, calls, end, ends, server_file, world};
use crate::world::{CONFIG_PATH, Setup, World};

const LOCAL: [(&str, Dialect, &str); 1] = [("local", Dialect::OpenAi, "")];

/// A world with these caps, and with this changed in the server's file.
async fn capped(models: &ModelServer, caps: &str, change: impl FnOnce(String) -> String) -> World {
    Setup::new()
        .server_file(&change(server_file(models, &LOCAL, caps)))
        .config(&asks("http:local"))
        .start()
        .await
}

/// What happens while an answer stands at the gate; then the gate opens and everything settles.
async fn while_asked(world: &World, gate: &Gate, meanwhile: impl Future<Output = ()>) {
    tokio::join!(world.settle(), async {
        gate.reached().await;
        meanwhile.await;
        gate.open();
    });
}

/// An answer that waits at a gate.
fn gated(models: &ModelServer, reply: Reply) -> Gate {
    let gate = Gate::default();
    models.prepare(reply.with_fault(Fault::SlowFirstByte(gate.clone())));
    gate
}

/// The operator changes the server's file and starts it anew, and Alice asks for another try.
async fn retried_with(world: &mut World, issue: IssueNumber, file: &str) {
    world.change_server_file(file);
    world.restart().await;
    world.say("alice", issue, "/retry").await;
}

#[tokio::test]
async fn a_cap_is_a_state_with_a_name_and_a_way_out() {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = Setup::new()
        .server_file(&server_file(&models, &LOCAL, "{run: {tokens: 100}}"))
        .config(&asks("http:local"))
        .start()
        .await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    assert!(
        card.contains("the cap of 100 tokens for one run is in the way"),
        "{card}"
    );
    assert!(card.contains("/retry"), "{card}");
    assert_eq!(models.requests().len(), 0, "nothing was asked");
    world.hear(issue);
    retried_with(
        &mut world,
        issue,
        &server_file(&models, &LOCAL, "{run: {tokens: 100000}}"),
    )
    .await;
    world.digest(issue);
    world.hear(issue);
    end(world).await;
}

#[tokio::test]
async fn every_cap_has_a_name_and_ends_with_a_retry() {
    let rows = [
        (
            "workflow: {tokens: 100}",
            "100 tokens for this workflow",
            "`models.caps.workflow`",
        ),
        (
            "repository: {tokens: 100}",
            "100 tokens for this repository on one day",
            "`caps.repository`",
        ),
        (
            "person: {tokens: 100}",
            "100 tokens for one person on one day",
            "`caps.person`",
        ),
        (
            "day: {tokens: 100}",
            "100 tokens for this server on one day",
            "`models.caps.day`",
        ),
        ("run: {money: 0.0001}", "0.0001 USD for one run", "`models.caps.run`"),
        (
            "day: {money: 0.0001}",
            "0.0001 USD for this server on one day",
            "`models.caps.day`",
        ),
    ];
    for (cap, name, key) in rows {
        let models = ModelServer::start(None).await.unwrap();
        let mut world = capped(&models, &format!("{{{cap}}}"), |file| file).await;
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        for words in [name, key, "then `/retry`", "`/prompt`", "`/respond extract`"] {
            assert!(card.contains(words), "{cap}: {words}: {card}");
        }
        assert_eq!(world.hear(issue).len(), 1, "{cap}: people are told");
        world.say("alice", issue, "/retry").await;
        assert!(
            world.card(issue).contains(name),
            "{cap}: it stands as long as it is not raised"
        );
        assert_eq!(models.requests().len(), 0, "{cap}");
        world.hear(issue);
        retried_with(&mut world, issue, &server_file(&models, &LOCAL, "{}")).await;
        world.digest(issue);
        world.hear(issue);
        end(world).await;
    }
}

#[tokio::test]
async fn a_repositorys_own_cap_below_the_servers_holds() {
    let models = ModelServer::start(None).await.unwrap();
    let world = capped(&models, "{run: {tokens: 100000}}", |file| file).await;
    let config = |cap: u32| format!("{}caps:\n  run: {{tokens: {cap}}}\n", asks("http:local"));
    world.github.as_("ada").set_file(CONFIG_PATH, &config(200)).unwrap();
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    assert!(
        world.card(issue).contains("the cap of 200 tokens for one run"),
        "{}",
        world.card(issue)
    );
    world.hear(issue);
    world.github.as_("ada").set_file(CONFIG_PATH, &config(90_000)).unwrap();
    world.say("alice", issue, "/retry").await;
    world.digest(issue);
    world.hear(issue);
    end(world).await;
}

#[tokio::test]
async fn without_a_price_money_is_unknown_and_caps_in_tokens_hold() {
    let unpriced = |file: String| file.replace("      price: {input: 1, output: 2}\n", "");
    let models = ModelServer::start(None).await.unwrap();
    let world = capped(&models, "{run: {tokens: 100}, day: {money: 0.000001}}", unpriced).await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    assert!(
        world.card(issue).contains("the cap of 100 tokens for one run"),
        "{}",
        world.card(issue)
    );
    world.hear(issue);
    end(world).await;
    let world = capped(&models, "{day: {money: 0.000001}}", unpriced).await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    assert!(
        card.contains("tokens, money unknown (an endpoint has no price)"),
        "{card}"
    );
    assert!(!card.contains("0.00"), "{card}");
    let calls = calls(&world, issue).await;
    assert!(calls[0].spent.tokens > 0 && calls[0].spent.money.is_none(), "{calls:?}");
    world.hear(issue);
    end(world).await;
}

#[tokio::test]
async fn a_context_that_is_too_small_says_by_how_much_and_what_to_leave_out() {
    let models = ModelServer::start(None).await.unwrap();
    let takes =
        |tokens: u32| move |file: String| file.replace("context_tokens: 100000", &format!("context_tokens: {tokens}"));
    let mut world = capped(&models, "{}", takes(15_000)).await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("bob", issue, &"All that I know of it. ".repeat(1_800)).await;
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    for words in [
        "the context of `http:local` is too small by about ",
        "it takes 15,000; it would fit without the comment by bob of 2026-11-20 09:00",
        "`limits.comments`",
        "then `/retry`",
    ] {
        assert!(card.contains(words), "{words}: {card}");
    }
    world.hear(issue);
    retried_with(&mut world, issue, &takes(4_100)(server_file(&models, &LOCAL, "{}"))).await;
    assert!(
        world.card(issue).contains("even without any of the discussion"),
        "{}",
        world.card(issue)
    );
    assert_eq!(models.requests().len(), 0);
    world.hear(issue);
    retried_with(&mut world, issue, &server_file(&models, &LOCAL, "{}")).await;
    world.digest(issue);
    world.hear(issue);
    end(world).await;
}

/// What the first call of a workflow on such an issue reserves.
async fn reserved() -> u64 {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, Dialect::OpenAi).await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    let reserved = calls(&world, issue).await[0].reserved.tokens;
    world.close().await;
    reserved
}

#[tokio::test]
async fn of_two_workflows_that_want_the_last_of_a_day_exactly_one_has_it() {
    let cap = reserved().await * 3 / 2;
    let models = ModelServer::start(None).await.unwrap();
    let world = capped(&models, &format!("{{day: {{tokens: {cap}}}}}"), |file| file).await;
    let gate = gated(&models, Reply::default().with_usage(cap - 10, 0, 5));
    let issues = [world.issue("Release 1.4", TALK), world.issue("Release 1.5", TALK)];
    for issue in issues {
        world.github.as_("alice").comment(issue, "/deliver").unwrap();
    }
    while_asked(&world, &gate, async {
        world.settle().await;
        world.wait(1).await;
        assert_eq!(models.requests().len(), 1, "the other waits");
        for issue in issues {
            let card = world.card(issue);
            assert!(card.contains("at work") && !card.contains("is in the way"), "{card}");
        }
    })
    .await;
    world.wait(2).await;
    assert_eq!(models.requests().len(), 1);
    let mut cards = issues.map(|issue| (world.card(issue).contains("`/approve "), issue));
    cards.sort();
    let [(false, refused), (true, served)] = cards else {
        panic!("exactly one has it: {cards:?}");
    };
    let card = world.card(refused);
    assert!(
        card.contains("tokens for this server on one day is in the way"),
        "{card}"
    );
    world.hear(refused);
    world.hear(served);
    // Tomorrow there is a day's cap again.
    world.wait(24 * 3_600).await;
    world.say("alice", refused, "/retry").await;
    world.digest(refused);
    world.hear(refused);
    world.hear(served);
    end(world).await;
}

#[tokio::test]
async fn an_endpoint_of_one_call_at_a_time_serves_one_after_the_other() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [("local", Dialect::Anthropic, "concurrency: 1")];
    let world = Setup::new()
        .server_file(&server_file(&models, &endpoints, "{}"))
        .config(&asks("http:local"))
        .start()
        .await;
    let gate = gated(&models, Reply::default());
    let issues = [world.issue("Release 1.4", TALK), world.issue("Release 1.5", TALK)];
    for issue in issues {
        world.github.as_("alice").comment(issue, "/deliver").unwrap();
    }
    while_asked(&world, &gate, async {
        world.settle().await;
        world.wait(1).await;
        assert_eq!(models.requests().len(), 1, "one at a time");
        let waits = issues.map(|issue| {
            world
                .card(issue)
                .contains("It waits for its turn: `http:local` has as many")
        });
        assert_eq!(
            waits.iter().filter(|waits| **waits).count(),
            1,
            "the card of the other one says so"
        );
    })
    .await;
    world.wait(2).await;
    assert_eq!(models.requests().len(), 2);
    for issue in issues {
        world.digest(issue);
        assert!(!world.card(issue).contains("It waits for its turn"));
        world.hear(issue);
        assert_eq!(ends(&world, issue).await, "answered");
    }
    end(world).await;
}

#[tokio::test]
async fn a_run_that_waits_holds_nobody_else_and_can_be_held_or_ended() {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = world(&models, Dialect::Ollama).await;
    let mut issues = Vec::new();
    for title in ["One", "Two", "Three"] {
        models.prepare(Reply::fault(Fault::RateLimited(Some(Wait::Seconds(600)))));
        let issue = world.issue(title, TALK);
        world.say("alice", issue, "/deliver").await;
        issues.push(issue);
    }
    let other = world.issue("Four", TALK);
    world.say("alice", other, "/deliver").await;
    world.digest(other);
    world.hear(other);
    let asked = models.requests().len();
    world.say("alice", issues[1], "/hold until Monday").await;
    world.say("alice", issues[2], "/cancel never mind").await;
    world.restart().await;
    world.wait(590).await;
    assert_eq!(models.requests().len(), asked, "nobody is asked before the time");
    world.wait(10).await;
    assert_eq!(models.requests().len(), asked + 1, "only the first goes on");
    world.digest(issues[0]);
    world.wait(600).await;
    world.say("alice", issues[1], "/unhold").await;
    world.digest(issues[1]);
    assert_eq!(models.requests().len(), asked + 2);
    let card = world.card(issues[2]);
    assert!(
        card.contains("cancelled") && !card.contains("It is asked again"),
        "{card}"
    );
    for issue in issues {
        world.hear(issue);
    }
    end(world).await;
}

#[tokio::test]
async fn what_is_held_or_ended_while_a_model_is_asked_is_paid_and_kept_and_no_more_is_asked() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, Dialect::Gemini).await;
    let issue = world.issue("Release 1.4", TALK);
    let gate = gated(&models, Reply::text("{\"tasks\": 5}"));
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    while_asked(&world, &gate, async {
        world.settle().await;
        assert!(
            world.card(issue).contains("Asking `http:local` now"),
            "{}",
            world.card(issue)
        );
        world.say("alice", issue, "/cancel never mind").await;
    })
    .await;
    assert_eq!(models.requests().len(), 1, "nobody wants a better answer");
    assert_eq!(ends(&world, issue).await, "answered");
    let card = world.card(issue);
    assert!(card.contains("cancelled") && !card.contains("Asking"), "{card}");
    assert!(!card.contains("Models took 0 "), "{card}");
    world.hear(issue);
    let issue = world.issue("Release 1.5", TALK);
    let gate = gated(&models, Reply::default());
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    while_asked(&world, &gate, async {
        world.say("alice", issue, "/hold until Monday").await;
    })
    .await;
    assert!(
        !world.card(issue).contains("`/approve "),
        "a hold holds: {}",
        world.card(issue)
    );
    world.say("alice", issue, "/unhold").await;
    world.digest(issue);
    assert_eq!(ends(&world, issue).await, "answered", "what was paid for is used");
    world.hear(issue);
    // An answer that would have to be mended: while it is on hold nobody asks for that.
    let issue = world.issue("Release 1.6", TALK);
    let gate = gated(&models, Reply::text("{\"tasks\": 5}"));
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    while_asked(&world, &gate, async {
        world.settle().await;
        world.say("alice", issue, "/hold until Monday").await;
    })
    .await;
    let asked = models.requests().len();
    world.wait(3_600).await;
    assert_eq!(models.requests().len(), asked, "a hold holds the repair, too");
    assert_eq!(ends(&world, issue).await, "answered");
    world.say("alice", issue, "/unhold").await;
    world.digest(issue);
    assert_eq!(models.requests().len(), asked + 1);
    world.hear(issue);
    end(world).await;
}
