use countersign::sandbox::models::{Dialect, ModelServer};

use super::{TALK, asks, server_file};
use crate::world::Setup;

#[tokio::test]
async fn a_cap_is_a_state_with_a_name_and_a_way_out() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [("local", Dialect::OpenAi, "")];
    let mut world = Setup::new()
        .server_file(&server_file(&models, &endpoints, "{run: {tokens: 100}}"))
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
    world.change_server_file(&server_file(&models, &endpoints, "{run: {tokens: 100000}}"));
    world.restart().await;
    world.say("alice", issue, "/retry").await;
    world.digest(issue);
    world.hear(issue);
    world.end().await;
}
