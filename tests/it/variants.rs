//! Variants of one phase as people see them: side by side, compared in one place, one of them chosen.

use std::fmt::Write as _;

use countersign::sandbox::IssueNumber;
use countersign::sandbox::models::{Dialect, Fault, ModelServer, Reply};
use serde_json::{Value, json};

use crate::world::{Setup, World};

const RUN: &str = "/run ways";
const CONFIG: &str = "version: 1\n";

/// A definition with a variant for each provider.
fn ways(providers: &[&str]) -> String {
    let mut variants = String::new();
    for (number, provider) in providers.iter().enumerate() {
        let _ = writeln!(
            variants,
            "      - {{title: way {number}, instruction: Go way {number}., provider: {provider}}}"
        );
    }
    format!(
        "name: ways\nversion: 1\ntitle: Ways\nprompts: {{write: Write it.}}\nphases:\n  - id: draft\n    title: Draft\n    \
         prompt: write\n    schema: solution.v1\n    variants:\n{variants}  - id: choose\n    title: Choice\n    chooses: \
         draft\n    rubric: [{{title: Names risks, mentions: [risk, roll back]}}]\n    gate: {{people: {{right: write}}}}\n  - \
         id: merge\n    title: Merge\n    needs: [choose]\n    inputs: [choose]\n    prompt: write\n    schema: \
         document.v1\n    provider: manual\n    gate: {{people: {{right: write}}}}\n"
    )
}

/// A server that offers each model under a name of its own.
fn server_file(models: &[(&str, &ModelServer)]) -> String {
    let mut file = "models:\n  endpoints:\n".to_owned();
    for (name, server) in models {
        let _ = write!(
            file,
            "    {name}:\n      dialect: openai\n      base_url: {}\n      model: script\n      context_tokens: 100000\n      \
             max_output_tokens: 4000\n      price: {{input: 1, output: 2}}\n",
            server.base_url(Dialect::OpenAi)
        );
    }
    file
}

async fn world(definition: &str, models: &[(&str, &ModelServer)]) -> World {
    let mut setup = Setup::new()
        .config(CONFIG)
        .github(|github| github.file(".github/countersign/ways.yml", definition));
    if !models.is_empty() {
        setup = setup.server_file(&server_file(models));
    }
    setup.start().await
}

fn solution(content: &str) -> Value {
    json!({"content": content, "confidence": "medium", "rationale": "It is one way.", "assumptions": []})
}

async fn model() -> ModelServer {
    ModelServer::start(None).await.unwrap()
}

fn answers(models: &ModelServer, content: &str) {
    models.prepare(Reply::text(solution(content).to_string()));
}

/// The digest of the comparison that the card offers a choice from.
fn comparison(world: &World, issue: IssueNumber) -> String {
    const OFFERED: &str = "**Choose one of exactly these:** `/choose ";
    let card = world.card(issue);
    let at = card
        .find(OFFERED)
        .unwrap_or_else(|| panic!("no choice is offered:\n{card}"));
    card[at + OFFERED.len() + 2..][..12].to_owned()
}

async fn begun(world: &World) -> IssueNumber {
    let issue = world.issue("Rate limits", "We need rate limits.");
    world.say("alice", issue, RUN).await;
    issue
}

#[tokio::test]
async fn what_was_made_is_compared_what_failed_is_named_and_one_is_chosen() {
    let (one, two, three) = (model().await, model().await, model().await);
    answers(&one, "Count in memory.\nThe risk is a restart.");
    two.prepare(Reply::fault(Fault::Status(400)));
    answers(
        &three,
        "Count in the database.\nThe risk is load; roll back with a switch.",
    );
    let models = [("one", &one), ("two", &two), ("three", &three)];
    let world = world(&ways(&["http:one", "http:two", "http:three"]), &models).await;
    let issue = begun(&world).await;
    let heard = world.hear(issue).join("\n");
    assert!(
        heard.contains("*Draft B: way 1*") && heard.contains("@"),
        "one failed: {heard}"
    );
    let card = world.card(issue);
    for part in [
        "### Ways · waiting for a choice",
        "| Criterion | A | C |",
        "| Names risks | **5** by rule (1 of 2, without roll back) | **10** by rule (2 of 2) |",
        "##### Not made\n\n- B: ",
        "Count in memory.",
        "##### What C changes of A",
        "+ Count in the database.",
        "A choice hands the chosen variant on to the next phases; nothing leaves by it.",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    let told = one.requests()[0].body.to_string();
    assert!(told.contains("way 0. Go way 0."), "each is told its own way: {told}");

    for (says, answer) in [
        (
            "/choose B",
            "Variant B was not made, so there is nothing of it to choose. A and C can be chosen; `/retry B`",
        ),
        ("/choose Z", "There is no variant Z: there are A and C."),
        (
            "/choose 2",
            "“2” is no variant: it has to be the letter that it has on the card, such as B.",
        ),
        (
            "/choose",
            "Which one? The letter of a variant has to stand after the command.",
        ),
        (
            "/approve",
            "There are variants here: an approval has to say which one, so choose one.",
        ),
        (
            "/revise shorter",
            "A comparison is not revised: choose one, or have one made anew with `/retry B`.",
        ),
    ] {
        world.clock.advance(chrono::TimeDelta::seconds(20));
        world.say("bob", issue, says).await;
        let said = world.answer(issue);
        assert!(said.contains(answer), "{says}: {said}");
    }
    world.say("carol", issue, "/choose A").await;
    assert!(
        world.answer(issue).contains("`/choose` needs write access"),
        "a choice is an approval"
    );
    world.say("bob", issue, "/who").await;
    assert!(world.answer(issue).contains("choose"));
    world.say("bob", issue, "/status").await;
    assert!(world.answer(issue).contains("waiting for a choice"));

    let digest = comparison(&world, issue);
    // A letter may be small.
    world
        .say("bob", issue, &format!("/choose c {digest}\nIt survives a restart."))
        .await;
    let heard = world.hear(issue).join("\n");
    assert!(heard.contains("*Merge*"), "a person merges: {heard}");
    let card = world.card(issue);
    for part in [
        "**chose C** at Choice",
        "C chosen by `bob`",
        "| Draft B: way 1 | not made |",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    world.say("bob", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(
        prompt.contains("Count in the database.") && !prompt.contains("Count in memory."),
        "{prompt}"
    );
    world.say("bob", issue, "/choose A").await;
    assert!(
        world
            .answer(issue)
            .contains("Nothing is to be chosen now: *Merge* needs a person's answer first.")
    );
    world.say("bob", issue, "/retry B").await;
    assert!(
        world
            .answer(issue)
            .contains("There is no variant B: no variants wait here.")
    );
    world.say("bob", issue, "/explain").await;
    assert!(world.answer(issue).contains("chose C"));
    let merged = json!({"title": "Limits", "sections": [{"heading": "One", "text": "Count."}]});
    world
        .say("bob", issue, &format!("/respond\n```json\n{merged}\n```"))
        .await;
    world.hear(issue);
    world
        .say("bob", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    world.hear(issue);
    assert!(world.card(issue).contains("· done"), "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn a_choice_needs_the_right_that_the_repository_asks_for_an_approval() {
    let (one, two) = (model().await, model().await);
    answers(&one, "Count in memory.");
    answers(&two, "Count in the database.");
    let world = Setup::new()
        .config("version: 1\npermissions: {approve: maintain}\n")
        .github(|github| github.file(".github/countersign/ways.yml", &ways(&["http:one", "http:two"])))
        .server_file(&server_file(&[("one", &one), ("two", &two)]))
        .start()
        .await;
    let issue = begun(&world).await;
    world.hear(issue);
    let digest = comparison(&world, issue);
    world.say("bob", issue, &format!("/choose B {digest}")).await;
    let refused = world.answer(issue);
    assert!(refused.contains("`/choose` needs the maintain role"), "{refused}");
    assert!(
        !world.card(issue).contains("B chosen by"),
        "nothing was chosen: {}",
        world.card(issue)
    );
    world.say("mona", issue, &format!("/choose B {digest}")).await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(card.contains("B chosen by `mona`"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn all_failed_is_an_error_and_one_made_anew_is_enough() {
    let (one, two) = (model().await, model().await);
    one.prepare(Reply::fault(Fault::Status(400)));
    two.prepare(Reply::fault(Fault::Status(400)));
    let world = world(&ways(&["http:one", "http:two"]), &[("one", &one), ("two", &two)]).await;
    let issue = begun(&world).await;
    let heard = world.hear(issue).join("\n");
    assert!(heard.contains("*Choice*"), "{heard}");
    let card = world.card(issue);
    assert!(card.contains("| Choice | **failed** |"), "{card}");
    assert!(!card.contains("Choose one of"), "{card}");
    world.say("bob", issue, "/choose A").await;
    assert!(world.answer(issue).contains("Nothing is to be chosen now"));
    answers(&two, "The second try.");
    world.say("bob", issue, "/retry B").await;
    world.hear(issue);
    let digest = comparison(&world, issue);
    world.say("bob", issue, &format!("/choose B {digest}")).await;
    world.hear(issue);
    assert!(world.card(issue).contains("B chosen by `bob`"), "{}", world.card(issue));
    world.end().await;
}

#[tokio::test]
async fn a_variant_made_anew_makes_the_comparison_void_and_there_is_a_new_one() {
    let (one, two) = (model().await, model().await);
    answers(&one, "First of one.");
    answers(&two, "First of two.");
    let world = world(&ways(&["http:one", "http:two"]), &[("one", &one), ("two", &two)]).await;
    let issue = begun(&world).await;
    let called = world.answer(issue);
    assert!(called.contains("*Choice* waits for you"), "{called}");
    let old = comparison(&world, issue);
    answers(&two, "Second of two.");
    world.say("bob", issue, "/retry B").await;
    let called = world.answer(issue);
    assert!(
        called.contains("*Choice* waits for you"),
        "people are called to the new one: {called}"
    );
    let card = world.card(issue);
    for part in ["First of one.", "Second of two.", "is void.", "round 2"] {
        assert!(card.contains(part), "{part}: {card}");
    }
    assert_eq!(one.requests().len(), 1, "the other is not made again");
    let told = |at: usize| two.requests()[at].body["messages"][0].clone();
    assert_eq!(told(0), told(1), "it keeps its specification");
    let new = comparison(&world, issue);
    assert_ne!(old, new);
    world.say("bob", issue, &format!("/choose B {old}")).await;
    let refused = world.answer(issue);
    assert!(
        refused.contains("is void") && refused.contains(&format!("/choose B {new}")),
        "{refused}"
    );
    world.say("bob", issue, &format!("/choose B {new}")).await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn eight_that_finish_in_the_same_instant_make_one_comparison_with_all_of_them_in_full() {
    let models = model().await;
    let long = "Do this carefully, and mind the risk of it.\n".repeat(1350);
    assert!(long.len() > 59_000);
    for _ in 0..8 {
        answers(&models, &long);
    }
    let world = world(&ways(&["http:one"; 8]), &[("one", &models)]).await;
    let issue = begun(&world).await;
    assert_eq!(models.requests().len(), 8);
    let heard = world.hear(issue);
    let pages = heard.iter().filter(|said| said.contains("Do this carefully")).count();
    assert!(
        pages >= 8,
        "what fits no card stands in full before the choice is offered: {pages}"
    );
    let card = world.card(issue);
    for part in [
        "| Criterion | A | B | C | D | E | F | G | H |",
        "Variant H: Draft H: way 7, as it begins",
        "All of it stands on",
        "`/choose H ",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    assert!(!card.contains("The former digest"), "there was one comparison: {card}");
    let digest = comparison(&world, issue);
    world.say("bob", issue, &format!("/choose H {digest}")).await;
    world.hear(issue);
    assert!(world.card(issue).contains("H chosen by `bob`"));
    world.end().await;
}

#[tokio::test]
async fn a_worker_that_dies_at_any_moment_loses_no_variant_and_compares_once() {
    let mut after = 1;
    loop {
        let models = model().await;
        for _ in 0..6 {
            answers(&models, "One way, with its risk.");
        }
        let mut world = world(&ways(&["http:one", "http:one"]), &[("one", &models)]).await;
        let issue = world.issue("Rate limits", "We need rate limits.");
        world.settle().await;
        world.github.as_("alice").comment(issue, RUN).unwrap();
        world.house().engine.store().stop_after(after);
        let whole = world.settle_unless_stopped().await.is_ok();
        if !whole {
            world.restart().await;
            world.sweep().await;
            world.settle().await;
        }
        let at = format!("stopped after {after} commits");
        let card = world.card(issue);
        assert!(card.contains("| Criterion | A | B |"), "{at}: {card}");
        assert!(!card.contains("The former digest"), "{at}: {card}");
        assert!(!card.contains("Not made"), "{at}: {card}");
        let said = world.hear(issue);
        assert_eq!(
            said.iter().filter(|said| said.contains("*Choice* waits for")).count(),
            1,
            "{at}: {said:?}"
        );
        world.close().await;
        if whole {
            break;
        }
        after += 3;
    }
    assert!(after > 15, "it was stopped on the way: {after}");
}

#[tokio::test]
async fn a_model_scores_what_people_choose_from_and_they_choose_without_it_where_it_fails() {
    let (writer, judge) = (model().await, model().await);
    let definition = ways(&["http:writer", "http:writer"]).replace(
        "    rubric: [",
        "    prompt: choice/compare\n    provider: http:judge\n    rubric: [{title: Clear}, ",
    );
    for _ in 0..4 {
        answers(&writer, "One way, with its risk.");
    }
    let scores = json!({"summary": "They say the same.", "scores": [
        {"variant": "A", "criterion": "Clear", "score": 7, "reason": "It is short."},
        {"variant": "B", "criterion": "Clear", "score": 8, "reason": "It is shorter."}]});
    judge.prepare(Reply::text(scores.to_string()));
    judge.prepare(Reply::fault(Fault::Status(400)));
    let world = world(&definition, &[("writer", &writer), ("judge", &judge)]).await;
    let issue = begun(&world).await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(
        card.contains("| Clear | **7** by model (It is short.) | **8** by model (It is shorter.) |"),
        "{card}"
    );
    assert!(card.contains("They say the same."), "{card}");
    world.say("bob", issue, "/retry B").await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(card.contains("| Clear | not scored | not scored |"), "{card}");
    assert!(card.contains("No model scored the variants:"), "{card}");
    comparison(&world, issue);
    world.end().await;
}

#[tokio::test]
async fn a_label_and_a_hasty_word_choose_nothing() {
    let models = model().await;
    for _ in 0..3 {
        answers(&models, "One way.");
    }
    let world = world(&ways(&["http:one", "http:one"]), &[("one", &models)]).await;
    let issue = begun(&world).await;
    world.hear(issue);
    world.clock.advance(chrono::TimeDelta::seconds(20));
    world.label("bob", issue, "countersign:approve").await;
    let said = world.answer(issue);
    assert!(
        said.contains("There are variants here") && said.contains("`/choose A "),
        "{said}"
    );
    world.say("bob", issue, "/retry A").await;
    world.hear(issue);
    world.say("bob", issue, "/choose A").await;
    assert!(
        world.answer(issue).contains("less than ten seconds before"),
        "the same rule as for an approval"
    );
    world.end().await;
}

/// One variant failed, one was made anew, one was chosen and worked out: for the histories.
pub async fn played() -> World {
    let (one, two, three) = (model().await, model().await, model().await);
    answers(&one, "First of one.");
    two.prepare(Reply::fault(Fault::Status(400)));
    answers(&three, "First of three.");
    let models = [("one", &one), ("two", &two), ("three", &three)];
    let world = world(&ways(&["http:one", "http:two", "http:three"]), &models).await;
    let issue = begun(&world).await;
    answers(&three, "Second of three.");
    world.say("bob", issue, "/retry C").await;
    let choose = format!("/choose C {}", comparison(&world, issue));
    world.say("bob", issue, &choose).await;
    let merged = json!({"title": "Limits", "sections": [{"heading": "What", "text": "All of it."}]});
    crate::stages::respond(&world, issue, &merged).await;
    world
        .say("alice", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    world
}

#[tokio::test]
async fn a_split_choice_says_that_all_must_choose_the_same() {
    let (one, two) = (model().await, model().await);
    answers(&one, "Count in memory.");
    answers(&two, "Count in the database.");
    let definition = ways(&["http:one", "http:two"]).replacen("{right: write}", "{right: write, quorum: 2}", 1);
    let world = world(&definition, &[("one", &one), ("two", &two)]).await;
    let issue = begun(&world).await;
    world.hear(issue);
    let digest = comparison(&world, issue);
    world.say("bob", issue, "/choose B 000000000000").await;
    let refused = world.answer(issue);
    assert!(refused.contains(&format!("`/choose B {digest}`")), "{refused}");
    world.say("bob", issue, &format!("/choose A {digest}")).await;
    world.answer(issue);
    world.say("alice", issue, &format!("/choose B {digest}")).await;
    let answer = world.answer(issue);
    assert!(
        answer.contains("Your choice of B counts. `bob` chose A, and all must choose the same. Still missing: 1 of 2"),
        "{answer}"
    );
    let card = world.card(issue);
    assert!(
        card.contains("Chosen so far: A by `bob` and B by `alice`. All must choose the same"),
        "{card}"
    );
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    for part in ["`bob`: does not count, `bob` chose A", "`alice`: counts", "`ada`"] {
        assert!(who.contains(part), "{part}: {who}");
    }
    world.say("bob", issue, &format!("/choose B {digest}")).await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(card.contains("B chosen by `alice` and `bob`"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn a_rejected_comparison_is_what_is_waited_for() {
    let (one, two) = (model().await, model().await);
    answers(&one, "Count in memory.");
    two.prepare(Reply::fault(Fault::Status(400)));
    let world = world(&ways(&["http:one", "http:two"]), &[("one", &one), ("two", &two)]).await;
    let issue = begun(&world).await;
    let heard = world.hear(issue).join("\n");
    assert!(heard.contains("`/retry B`") && !heard.contains("`/retry A`"), "{heard}");
    let card = world.card(issue);
    assert!(card.contains("`/retry B`") && !card.contains("`/retry A`"), "{card}");
    assert!(!card.contains("Handed to *Draft B"), "{card}");
    world.say("bob", issue, "/reject Neither.").await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(card.contains("### Ways · rejected"), "{card}");
    assert!(
        card.contains("Rejected by `bob`: “Neither.”.") || card.contains("Rejected by `bob`"),
        "{card}"
    );
    assert!(card.contains("at *Choice* since"), "{card}");
    answers(&two, "Count once.");
    world.say("bob", issue, "/retry").await;
    world.hear(issue);
    let card = world.card(issue);
    for part in ["Count in memory.", "Count once.", "waiting for a choice"] {
        assert!(card.contains(part), "{part}: {card}");
    }
    world.end().await;
}
