use countersign::sandbox::models::{Dialect, Fault, ModelServer, Reply, Wait};

use super::{TALK, asks, server_file, world};
use crate::cli::{run, run_with};
use crate::world::Setup;

#[tokio::test]
async fn the_whole_story_in_every_dialect() {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Ollama] {
        let models = ModelServer::start(None).await.unwrap();
        let world = world(&models, dialect).await;
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        assert!(card.contains("http:local"), "{dialect:?}: {card}");
        assert!(card.contains("Models took "), "{dialect:?}: {card}");
        let digest = world.digest(issue);
        world.say("alice", issue, &format!("/approve {digest}")).await;
        let digest = world.digest(issue);
        world.say("alice", issue, &format!("/approve {digest}")).await;
        assert!(world.card(issue).contains("· done"), "{}", world.card(issue));
        assert_eq!(world.mails().len(), 1);
        assert_eq!(models.requests().len(), 2);
        world.hear(issue);
        world.end().await;
    }
}

#[tokio::test]
async fn what_models_took_is_counted_by_month_provider_and_role() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, Dialect::OpenAi).await;
    let none = run(world.home(), &["stats"]);
    assert_eq!(none.page(), "There has been no workflow yet.\n");
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    let told = run(world.home(), &["stats", "--json"]).envelope();
    let group = &told["data"]["workflows"][0];
    assert_eq!(
        (&group["definition"], &group["status"]),
        (&"deliver".into(), &"open".into())
    );
    assert_eq!(group["count"], 1);
    let month = &told["data"]["spending"][0];
    let today = world.clock.now().format("%Y-%m").to_string();
    assert_eq!((&month["month"], &month["calls"]), (&today.into(), &1.into()));
    assert_eq!(
        (&month["provider"], &month["role"]),
        (&"http:local".into(), &"extract".into())
    );
    assert!(month["spent"]["tokens"].as_u64().unwrap() > 0, "{month}");
    let page = run(world.home(), &["stats"]);
    for part in ["deliver", "open", "http:local", "extract", "tokens"] {
        assert!(page.page().contains(part), "{part}: {}", page.out);
    }
    world.end().await;
}

/// `countersign providers test script`, as whoever plays in the sandbox tries it first.
#[tokio::test]
async fn the_script_of_the_sandbox_passes_the_test_of_a_connection() {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Ollama] {
        let models = ModelServer::start(None).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let file = server_file(&models, &[("script", dialect, "")], "{}");
        std::fs::write(home.path().join("server.yml"), file).unwrap();
        let asked = tokio::task::spawn_blocking(move || {
            let environment = [("COUNTERSIGN_CONFIG", "server.yml")];
            run_with(home.path(), &environment, &["providers", "test", "script"])
        });
        let ran = asked.await.unwrap();
        assert!(ran.page().contains("held"), "{dialect:?}: {}{}", ran.out, ran.err);
        assert_eq!(models.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_limited_endpoint_is_asked_again_when_it_said() {
    let models = ModelServer::start(None).await.unwrap();
    models.prepare(Reply::fault(Fault::RateLimited(Some(Wait::Seconds(120)))));
    let mut world = world(&models, Dialect::OpenAi).await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    assert!(card.contains("could not be asked"), "{card}");
    world.restart().await;
    world.wait(60).await;
    assert_eq!(models.requests().len(), 1, "it is not asked before its time");
    world.wait(61).await;
    assert_eq!(models.requests().len(), 2);
    world.digest(issue);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_fails_gives_way_to_the_one_listed_for_it() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [
        ("first", Dialect::OpenAi, "failover: [second]"),
        ("second", Dialect::Anthropic, ""),
    ];
    let world = Setup::new()
        .server_file(&server_file(&models, &endpoints, "{}"))
        .config(&asks("http:first"))
        .start()
        .await;
    models.prepare(Reply::fault(Fault::UnknownModel));
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    assert!(card.contains("was asked in the place of"), "{card}");
    world.hear(issue);
    world.end().await;
}
