//! Phases in two stages, verdicts that go back, and agents that a definition makes: `generate` as people play it.

use countersign::sandbox::IssueNumber;
use serde_json::{Value, json};

use crate::world::World;

/// Starts it.
pub const GOAL: &str = "/run generate goal=\"A client for the billing API\"";

pub fn plan() -> Value {
    json!({
        "summary": "A small client", "approach": "One module",
        "alternatives": [{"name": "A generated one", "why_not": "Too much code"}],
        "steps": [{"id": "s1", "title": "Write it", "detail": "All of it", "files": ["src/client.rs"], "risk": "low",
            "verify": "It compiles"}],
        "files_to_create": ["src/client.rs"], "files_to_modify": [], "files_to_delete": [], "dependencies_added": [],
        "commands": [], "criteria_map": [], "out_of_scope": [], "open_questions": [],
    })
}

pub fn files(content: &str) -> Value {
    json!({"summary": "The client", "writes": [{"path": "src/client.rs", "content": content}], "unfinished": []})
}

/// A review with a finding of this severity, or none.
pub fn review(severity: Option<&str>) -> Value {
    let findings: Vec<Value> = severity
        .map(|severity| {
            json!({"id": "f1", "severity": severity, "category": "correctness", "file": "src/client.rs",
                "line_start": 1, "line_end": 1, "side": "RIGHT", "quote": "fn pay()", "message": "It never pays",
                "suggestion": null})
        })
        .into_iter()
        .collect();
    json!({"summary": "Read", "verdict": "pass", "findings": findings, "criteria": [], "missing_inputs": []})
}

/// What the card offers is approved.
pub async fn approve(world: &World, issue: IssueNumber) {
    let digest = world.digest(issue);
    world.say("alice", issue, &format!("/approve {digest}")).await;
    let heard = world.hear(issue);
    assert!(!heard.iter().any(|said| said.contains("To approve")), "{heard:#?}");
}

/// A person answers in the agent's place.
pub async fn respond(world: &World, issue: IssueNumber, answer: &Value) {
    let text = format!("/respond\n```json\n{answer}\n```");
    world.say("alice", issue, &text).await;
    world.hear(issue);
}

/// The prompt is approved, a person answers it, and the answer is approved.
pub async fn through(world: &World, issue: IssueNumber, answer: &Value) {
    approve(world, issue).await;
    respond(world, issue, answer).await;
    approve(world, issue).await;
}

#[tokio::test]
async fn a_goal_becomes_reviewed_files_through_prompt_and_response_gates() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client for the billing API.");
    world.say("alice", issue, GOAL).await;
    let card = world.card(issue);
    assert!(card.contains("prompt waiting for approval"), "{card}");
    assert!(card.contains("You plan changes to a software project"), "{card}");
    assert!(card.contains("An approval asks the agent exactly this."), "{card}");
    assert!(!card.contains("/reject"), "a prompt is not rejected: {card}");
    assert!(card.contains("| Revise | only if it is sent back |"), "{card}");
    assert!(card.contains("| Review | waits for Generate |"), "{card}");
    world.hear(issue);
    world
        .say("bob", issue, "/edit\n```\nYou plan in one sentence.\n```")
        .await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(
        card.contains("You plan in one sentence.") && card.contains("is void"),
        "{card}"
    );
    approve(&world, issue).await;
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(
        prompt.contains("You plan in one sentence."),
        "what was approved is asked: {prompt}"
    );
    assert!(prompt.contains("We need a client for the billing API."), "{prompt}");

    respond(&world, issue, &plan()).await;
    assert!(
        world.card(issue).contains("An approval lets the next phases begin"),
        "{}",
        world.card(issue)
    );
    approve(&world, issue).await;
    through(&world, issue, &files("fn pay() {}\n")).await;

    approve(&world, issue).await;
    respond(&world, issue, &review(Some("major"))).await;
    let card = world.card(issue);
    assert!(
        card.contains("Its verdict is *fail*: an approval sends it back to *Revise*"),
        "{card}"
    );
    assert!(
        card.contains("by its findings it is a fail, which counts"),
        "the host counts: {card}"
    );
    approve(&world, issue).await;
    let card = world.card(issue);
    assert!(card.contains("Review did not pass, so Revise is done again"), "{card}");

    through(&world, issue, &files("fn pay() { pay_now() }\n")).await;
    let card = world.card(issue);
    assert!(card.contains("| Review | **prompt waiting for approval**"), "{card}");
    through(&world, issue, &review(None)).await;
    let card = world.card(issue);
    assert!(card.contains("· done"), "{card}");
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_verdict_is_overridden_by_those_who_may_approve_it() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, GOAL).await;
    world.hear(issue);
    through(&world, issue, &plan()).await;
    through(&world, issue, &files("fn pay() {}\n")).await;
    approve(&world, issue).await;
    respond(&world, issue, &review(Some("critical"))).await;
    world.say("bob", issue, "/approve complete").await;
    let answer = world.answer(issue);
    let onwards = format!(
        "`/approve {}`, and behind it `complete` or `revise`",
        world.digest(issue)
    );
    assert!(answer.contains(&onwards), "the word is not lost: {answer}");
    world.wait(11).await;
    world.say("bob", issue, "/approve complete").await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(card.contains("· done"), "{card}");
    assert!(card.contains("| Revise | not needed |"), "{card}");
    assert!(
        card.contains("; it counts as *pass*, whatever its own verdict was"),
        "the record names what was overridden: {card}"
    );
    assert_eq!(
        card.matches("it counts as").count(),
        1,
        "the other approvals took what was there: {card}"
    );
    assert!(card.contains("`/run generate goal=…` to start a new one"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn a_prompt_is_not_rejected_and_a_rejected_answer_is_tried_again_with_the_reason() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, GOAL).await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(
        card.contains("`/revise …`") && !card.contains("`/reject"),
        "what would be refused is not offered: {card}"
    );
    world.say("alice", issue, "/reject too long").await;
    let answer = world.answer(issue);
    assert!(answer.contains("What waits is a prompt"), "{answer}");
    approve(&world, issue).await;
    respond(&world, issue, &plan()).await;
    world.say("alice", issue, "/reject it names no tests").await;
    world.hear(issue);
    let card = world.card(issue);
    assert!(
        card.contains("needs a person"),
        "it is tried again, by a person: {card}"
    );
    assert!(
        card.contains("`/respond plan` to answer it in a fenced block"),
        "{card}"
    );
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(
        prompt.contains("it names no tests"),
        "the reason is among the wishes: {prompt}"
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_is_missing_or_unknown_starts_nothing() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    for (said, expected) in [
        ("/run", "Which definition?"),
        ("/run genrate", "Did you mean: `/run generate`"),
        ("/run generate", "`goal` is missing"),
        ("/run generate gaol=x", "`gaol` is not known"),
        ("/run deliver goal=x", "`deliver` takes nothing"),
    ] {
        world.say("alice", issue, said).await;
        let answer = world.answer(issue);
        assert!(answer.contains(expected), "{said}: {answer}");
    }
    assert!(world.card_comment(issue).is_none());
    world.end().await;
}

/// Two rounds each mend another file: the second review sees both, and what neither touched.
#[tokio::test]
async fn a_review_sees_every_file_as_it_stands_after_all_rounds() {
    let write = |files: &[(&str, &str)]| {
        let writes: Vec<Value> = files
            .iter()
            .map(|(path, content)| json!({"path": path, "content": content}))
            .collect();
        json!({"summary": "Files", "writes": writes, "unfinished": []})
    };
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, GOAL).await;
    world.hear(issue);
    through(&world, issue, &plan()).await;
    let first = [
        ("src/a.rs", "fn a_of_generate() {}"),
        ("src/b.rs", "fn b_of_generate() {}"),
        ("src/client.rs", "fn pay() {}"),
    ];
    through(&world, issue, &write(&first)).await;
    for mended in [
        ("src/a.rs", "fn a_of_round_1() {}"),
        ("src/b.rs", "fn b_of_round_2() {}"),
    ] {
        through(&world, issue, &review(Some("major"))).await;
        through(&world, issue, &write(&[mended])).await;
    }
    approve(&world, issue).await;
    world.say("alice", issue, "/prompt").await;
    let prompt = world.hear(issue).join("\n");
    for there in ["fn a_of_round_1", "fn b_of_round_2", "fn pay()"] {
        assert_eq!(prompt.matches(there).count(), 1, "{there}: {prompt}");
    }
    assert!(
        !prompt.contains("_of_generate"),
        "what was mended is not read any more: {prompt}"
    );
    let card = world.card(issue);
    let handed = card
        .lines()
        .find(|line| line.starts_with("Handed to *Review*: "))
        .unwrap_or_else(|| panic!("{card}"));
    assert_eq!(
        handed.matches("Revise `").count(),
        2,
        "each round by its digest: {handed}"
    );
    world.end().await;
}

#[tokio::test]
async fn what_a_verdict_sends_back_is_given_what_was_found() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, "/run roles goal=\"A client\"").await;
    world.hear(issue);
    let document = json!({"title": "What is wanted", "sections": [{"heading": "Requirements", "text": "It pays"}]});
    let report = |verdict: &str, findings: &[&str]| json!({"summary": "Read", "verdict": verdict, "findings": findings, "notes": "Look at the retries"});
    for answer in [
        document,
        plan(),
        files("fn pay() {}\n"),
        report("fail", &["Nothing is tested"]),
    ] {
        respond(&world, issue, &answer).await;
        approve(&world, issue).await;
    }
    let card = world.card(issue);
    assert!(
        card.contains("Testing did not pass, so Implementation is done again"),
        "{card}"
    );
    assert!(card.contains("Progress: 2 of 6."), "{card}");
    let handed = card
        .lines()
        .find(|line| line.starts_with("Handed to *Implementation*: "));
    let handed = handed.unwrap_or_else(|| panic!("{card}"));
    assert!(
        handed.contains("Implementation `") && handed.contains("Testing `") && !handed.contains("Verification"),
        "{handed}"
    );
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(prompt.contains("You are the code writer"), "its role is told: {prompt}");
    assert!(prompt.contains("Nothing is tested"), "and what was found: {prompt}");
    world.end().await;
}
