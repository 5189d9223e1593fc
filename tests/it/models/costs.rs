//! What models are going to take, by role: on the card before anything is asked, and from the shell by the month.

use countersign::sandbox::models::{Dialect, ModelServer, Reply};
use serde_json::json;

use super::server_file;
use crate::cli::run_with;
use crate::stages::{GOAL, approve, plan};
use crate::world::Setup;

const CONFIG: &str = "version: 1\nproviders:\n  roles: {planner: http:local, reviewer: http:free}\n";

#[tokio::test]
async fn what_a_role_takes_is_told_before_it_is_asked_and_by_the_month() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [("local", Dialect::OpenAi, ""), ("free", Dialect::Ollama, "")];
    // An endpoint without a price.
    let file = server_file(&models, &endpoints, "{}");
    let (priced, free) = file.rsplit_once("      price: ").unwrap();
    let file = format!("{priced}{}", free.split_once('\n').unwrap().1);
    let world = Setup::new().server_file(&file).config(CONFIG).start().await;
    std::fs::write(world.home().join("countersign.yml"), CONFIG).unwrap();

    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, GOAL).await;
    world.hear(issue);
    let card = world.card(issue);
    let ahead = card
        .lines()
        .find(|line| line.starts_with("Ahead, for one call at most"))
        .unwrap_or_else(|| panic!("{card}"));
    let words = [
        "Planner (`http:local`) ",
        " USD · Reviewer (`http:free`) ",
        "money unknown",
    ];
    assert!(words.iter().all(|word| ahead.contains(word)), "{ahead}");
    assert!(!ahead.contains("Generator"), "a person costs nothing: {ahead}");
    assert!(models.requests().is_empty(), "nothing was asked yet");

    let home = world.home().to_owned();
    let costs = |arguments: &[&str]| {
        let database = format!("sqlite:{}", home.join("bot.sqlite").display());
        let environment = [
            ("COUNTERSIGN_CONFIG", "server.yml"),
            ("COUNTERSIGN_DATABASE_URL", database.as_str()),
        ];
        let command = ["definitions", "costs", "generate", "--settings", "countersign.yml"];
        run_with(&home, &environment, &[&command[..], arguments].concat())
    };
    let before = costs(&["--json"]).envelope();
    let of = |envelope: &serde_json::Value, role: &str| {
        let roles = envelope["data"]["roles"].as_array().unwrap().clone();
        roles
            .into_iter()
            .find(|one| one["role"] == role)
            .unwrap_or_else(|| panic!("{role}: {envelope}"))
    };
    let planner = of(&before, "Planner");
    assert_eq!(
        (&planner["provider"], &planner["model"]),
        (&json!("http:local"), &json!("script"))
    );
    // 4000 tokens of an answer at 2 for a million are 0.008, and the prompt comes to it.
    let most = planner["at_most"]["money"].as_i64().unwrap();
    assert!(
        most > 8_000 && planner["at_most"]["tokens"].as_u64().unwrap() > 4_000,
        "{planner}"
    );
    assert_eq!((&planner["calls"], &planner["month"]), (&json!(0), &json!(null)));
    let generator = of(&before, "Generator");
    assert_eq!(
        (&generator["provider"], &generator["at_most"]),
        (&json!("manual"), &json!(null))
    );
    let wanted = costs(&["--json", "--calls", "100"]).envelope();
    assert_eq!(of(&wanted, "Planner")["month"]["money"], json!(most * 100));
    assert_eq!(
        of(&wanted, "Reviewer")["month"]["money"],
        json!(null),
        "without a price nobody knows"
    );

    models.prepare(Reply::text(plan().to_string()));
    approve(&world, issue).await;
    let card = world.card(issue);
    assert!(
        card.contains("Models took ") && card.contains("Ahead, for one call at most"),
        "{card}"
    );
    let after = of(&costs(&["--json"]).envelope(), "Planner");
    assert_eq!(after["calls"], 1, "{after}");
    let took = after["took"]["money"].as_i64().unwrap();
    assert!(took > 0 && took < most, "it wrote less than it might have: {after}");
    let page = costs(&[]);
    let page = page.page();
    for part in [
        "Planner",
        "http:local",
        "script",
        "1 calls, ",
        "manual",
        "money unknown",
        "A MONTH",
        "Where the repository has guidelines, a prompt holds them as well: at most 9,363 tokens.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let without = format!("{CONFIG}guidelines: off\n");
    std::fs::write(world.home().join("countersign.yml"), without).unwrap();
    assert!(!costs(&[]).page().contains("guidelines"));
    world.end().await;
}
