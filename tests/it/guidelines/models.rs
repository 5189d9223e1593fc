//! A model is given the guidelines, and so is a model that judges what was made with them.

use countersign::sandbox::models::{Dialect, ModelServer, Reply};
use serde_json::json;

use super::{GUIDE, SECTION, line, short, told};
use crate::models::{calls, server_file};
use crate::stages::{GOAL, approve, plan};
use crate::story::{says, says_not};
use crate::world::{Setup, World};

const CONFIG: &str = "version: 1\nproviders: {default: 'http:local'}\n";

async fn world(models: &ModelServer, more: impl FnOnce(Setup) -> Setup) -> World {
    let setup = Setup::new()
        .server_file(&server_file(models, &[("local", Dialect::OpenAi, "")], "{}"))
        .config(CONFIG);
    more(setup).start().await
}

#[tokio::test]
async fn a_model_is_asked_with_them_in_every_turn_and_their_tokens_are_counted() {
    let models = ModelServer::start(None).await.unwrap();
    let long: String = (0..500)
        .map(|number| format!("Rule {number}: indent with tabs.\n"))
        .collect();
    let mut reserved = Vec::new();
    for text in [GUIDE, &long] {
        let world = world(&models, |setup| setup.github(|github| github.file("AGENTS.md", text))).await;
        let issue = world.issue("Billing", "We need a client.");
        world.say("alice", issue, GOAL).await;
        world.hear(issue);
        models.prepare(Reply::text("no JSON at all"));
        models.prepare(Reply::text(plan().to_string()));
        let before = models.requests().len();
        approve(&world, issue).await;
        let asked = models.requests().split_off(before);
        assert_eq!(asked.len(), 2, "what was wrong with the first was told to it");
        for request in &asked {
            let messages = request.body["messages"].as_array().unwrap();
            assert!(
                !messages[0]["content"].as_str().unwrap().contains(SECTION),
                "the instructions are ours alone"
            );
            let user = messages[1]["content"].as_str().unwrap();
            says(user, &[SECTION, "ndent with tabs."]);
        }
        reserved.push(calls(&world, issue).await[0].reserved.tokens);
        says(&line(&world, issue).unwrap(), &[&short(text)]);
        let proposed = told(&world, "proposed").await;
        assert_eq!(proposed[0], proposed[1], "said of the prompt and of its answer");
        world.hear(issue);
        world.end().await;
    }
    let more = u64::try_from(long.len() - GUIDE.len()).unwrap();
    assert!(
        reserved[1] - reserved[0] >= more * 2 / 7,
        "{reserved:?} for {more} bytes more"
    );
}

/// What is ahead counts what the next prompt will hold, as far as it is known.
#[tokio::test]
async fn what_is_ahead_counts_the_guidelines_that_are_known() {
    let models = ModelServer::start(None).await.unwrap();
    let long: String = (0..800)
        .map(|number| format!("Rule {number}: indent with tabs.\n"))
        .collect();
    let mut ahead = Vec::new();
    for text in ["Indent with tabs.\n", &long] {
        let world = world(&models, |setup| setup.github(|github| github.file("AGENTS.md", text))).await;
        let issue = world.issue("Billing", "We need a client.");
        world.say("alice", issue, GOAL).await;
        world.hear(issue);
        let card = world.card(issue);
        let of_reviewer = card.split("Reviewer").nth(1).unwrap_or_else(|| panic!("{card}"));
        let figures: String = of_reviewer.chars().take(120).collect();
        ahead.push(figures);
        world.end().await;
    }
    assert_ne!(
        ahead[0], ahead[1],
        "a prompt that is not written yet is counted with them"
    );
}

#[tokio::test]
async fn whoever_judges_an_answer_is_given_the_guidelines_that_it_was_made_with() {
    let models = ModelServer::start(None).await.unwrap();
    let definition = "name: judged\nversion: 1\ntitle: One step\nguidelines: [AGENTS.md]\nphases:\n  - {id: work, title: Work, \
                      prompt: generate/plan, schema: plan.v1, gate: {ai: {provider: 'http:local'}}}\n";
    let files = |github: countersign::sandbox::Builder| {
        github
            .file("AGENTS.md", GUIDE)
            .file(".github/countersign/judged.yml", definition)
    };
    let world = world(&models, |setup| setup.github(files).config("version: 1\n")).await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, "/run judged").await;
    world.hear(issue);
    world
        .github
        .as_("bob")
        .set_file("AGENTS.md", "Indent with spaces.\n")
        .unwrap();
    world.settle().await;
    let ruling = json!({"decision": "approve", "feedback": "", "rewrite": null});
    models.prepare(Reply::text(ruling.to_string()));
    crate::stages::respond(&world, issue, &plan()).await;
    let asked = models.requests().pop().unwrap().body.to_string();
    says(&asked, &[SECTION, "Indent with tabs.", "hold that to it"]);
    says_not(&asked, &["Indent with spaces."]);
    assert!(world.card(issue).contains("· done"), "{}", world.card(issue));
    world.hear(issue);
    world.end().await;
}
