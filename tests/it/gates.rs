//! Gates that ask more than people: an approver that is a model, checks, the owners of what is touched, and an expiry that
//! goes back to a phase. Through the front door, with a model that is scripted.

use countersign::sandbox::IssueNumber;
use countersign::sandbox::models::{Dialect, Fault, ModelServer, Reply};
use serde_json::{Value, json};

use crate::models::server_file;
use crate::stages::{files, plan, respond};
use crate::world::{Setup, World};

const CONFIG: &str = "version: 1\nproviders: {default: manual}\n";

/// A definition with one phase that a person writes, and this gate.
fn definition(more: &str) -> String {
    format!(
        "name: judged\nversion: 1\ntitle: One judged step\nphases:\n  - {{id: work, title: Work, prompt: generate/plan, \
         schema: plan.v1, provider: manual, {more}}}\n"
    )
}

async fn world(models: &ModelServer, definition: &str) -> World {
    Setup::new()
        .server_file(&server_file(models, &[("judge", Dialect::OpenAi, "")], "{}"))
        .config(CONFIG)
        .github(|github| github.file(".github/countersign/judged.yml", definition))
        .start()
        .await
}

/// What a model answers as an approver.
fn says(decision: &str, feedback: &str) -> Reply {
    ruling(&json!({"decision": decision, "feedback": feedback, "rewrite": null}))
}

fn ruling(answer: &Value) -> Reply {
    Reply::text(answer.to_string())
}

const JUDGE: &str = "ai: {provider: 'http:judge'}";

async fn begins(world: &World) -> IssueNumber {
    let issue = world.issue("Billing", "We need a client for the billing API.");
    world.say("alice", issue, "/run judged").await;
    world.hear(issue);
    issue
}

#[track_caller]
fn shows(world: &World, issue: IssueNumber, words: &[&str]) {
    let card = world.card(issue);
    for word in words {
        assert!(card.contains(word), "“{word}” is missing in:\n{card}");
    }
}

async fn approves(world: &World, who: &str, issue: IssueNumber) -> Vec<String> {
    let digest = world.digest(issue);
    let said = world.say(who, issue, &format!("/approve {digest}")).await;
    world.reactions(said)
}

/// Bob changes what the plan says of itself.
async fn edits(world: &World, issue: IssueNumber, summary: &str) {
    let mut plan = plan();
    plan["summary"] = summary.into();
    world.say("bob", issue, &format!("/edit\n```json\n{plan}\n```")).await;
}

#[tokio::test]
async fn a_model_alone_says_yes_and_what_it_read_is_on_record() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition(&format!("gate: {{{JUDGE}}}"))).await;
    let issue = begins(&world).await;
    models.prepare(says("approve", "It does what was asked."));
    respond(&world, issue, &plan()).await;
    let asked = models.requests();
    assert_eq!(asked.len(), 1);
    let prompt = asked[0].body.to_string();
    assert!(
        prompt.contains("You decide whether") && prompt.contains("A small client"),
        "{prompt}"
    );
    shows(
        &world,
        issue,
        &[
            "· done",
            "the approver `http:judge` **approved** Work",
            "It does what was asked.",
        ],
    );
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_no_is_tried_again_with_its_reason_and_then_waits_for_a_person() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(
        &models,
        &definition(&format!("gate: {{{JUDGE}}}, limits: {{retries: 1}}")),
    )
    .await;
    let issue = begins(&world).await;
    models.prepare(says("reject", "It names no tests."));
    respond(&world, issue, &plan()).await;
    shows(&world, issue, &["needs a person", "**rejected** Work"]);
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(
        prompt.contains("It names no tests."),
        "the reason is given to whoever answers: {prompt}"
    );
    models.prepare(says("reject", "Still none."));
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &[
            "The approver `http:judge` rejects this: Still none.",
            "cannot be approved as it stands",
            "`/revise …`",
        ],
    );
    let card = world.card(issue);
    assert!(!card.contains("/approve "), "{card}");
    world.hear(issue);
    world.wait(11).await;
    world.say("alice", issue, "/approve").await;
    let answer = world.answer(issue);
    assert!(answer.contains("does not open by people's approvals alone"), "{answer}");
    // A person's edit is another proposal, which it is asked about anew.
    models.prepare(says("approve", ""));
    edits(&world, issue, "With tests").await;
    shows(&world, issue, &["· done"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_as_a_yes_is_a_no() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition(&format!("gate: {{{JUDGE}}}"))).await;
    let issue = begins(&world).await;
    models.prepare(Reply::text("Looks good to me!"));
    models.prepare(Reply::text("DECISION: APPROVED"));
    respond(&world, issue, &plan()).await;
    assert_eq!(models.requests().len(), 2, "it is asked to put it right once");
    shows(&world, issue, &["rejects this: its answer could not be read"]);
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_approver_that_is_down_is_a_state_and_never_a_yes() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition(&format!("gate: {{{JUDGE}}}"))).await;
    let issue = begins(&world).await;
    models.prepare(Reply::refusal("I cannot judge that."));
    respond(&world, issue, &plan()).await;
    shows(&world, issue, &["failed", "/retry", "I cannot judge that"]);
    models.prepare(says("approve", ""));
    world.say("alice", issue, "/retry").await;
    world.hear(issue);
    shows(&world, issue, &["· done"]);
    world.end().await;
}

#[tokio::test]
async fn beside_people_its_yes_is_needed_and_an_edit_voids_it() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition(&format!("gate: {{{JUDGE}, people: {{}}}}"))).await;
    let issue = begins(&world).await;
    models.prepare(says("approve", "Fine."));
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &["approves this: Fine.", "people decide", "waiting for approval"],
    );
    world.hear(issue);
    models.prepare(says("reject", "Not that."));
    edits(&world, issue, "Another").await;
    world.hear(issue);
    shows(&world, issue, &["rejects this: Not that."]);
    world.wait(11).await;
    world.say("bob", issue, "/approve").await;
    let answer = world.answer(issue);
    assert!(
        answer.contains("the approver `http:judge` rejected it: Not that."),
        "{answer}"
    );
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    assert!(who.contains("- no: the approver `http:judge` rejected it"), "{who}");
    models.prepare(says("approve", ""));
    edits(&world, issue, "A third").await;
    world.wait(11).await;
    world.hear(issue);
    assert_eq!(approves(&world, "alice", issue).await, ["eyes", "rocket"]);
    shows(&world, issue, &["· done", "approved by `alice`"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_prompt_is_put_in_other_words_where_the_definition_lets_it() {
    let models = ModelServer::start(None).await.unwrap();
    let gate = "prompt_gate: {ai: {provider: 'http:judge', rewrite: true}}, limits: {retries: 1}";
    let world = world(&models, &definition(gate)).await;
    let issue = world.issue("Billing", "We need a client.");
    models.prepare(ruling(&json!({
        "decision": "reject", "feedback": "Too long.", "rewrite": "You plan in one sentence.",
    })));
    models.prepare(says("approve", ""));
    world.say("alice", issue, "/run judged").await;
    world.hear(issue);
    shows(&world, issue, &["needs a person"]);
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(prompt.contains("You plan in one sentence."), "{prompt}");
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn no_model_is_configured_and_that_is_said() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition("gate: ai")).await;
    let issue = begins(&world).await;
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &["failed", "its gate asks a model, and `manual` is none"],
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn the_hosts_own_checks_work_on_an_issue() {
    let models = ModelServer::start(None).await.unwrap();
    let gate = "gate: {checks: {host: [schema, secrets]}, people: {}}";
    let world = world(&models, &definition(gate)).await;
    let issue = begins(&world).await;
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &["- yes: `schema` succeeded", "- yes: `secrets` succeeded"],
    );
    world.wait(11).await;
    world.hear(issue);
    assert_eq!(approves(&world, "alice", issue).await, ["eyes", "rocket"]);
    shows(&world, issue, &["· done"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn checks_of_a_pull_request_are_refused_on_an_issue() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition("gate: {checks: {named: [build]}, people: {}}")).await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, "/run judged").await;
    let answer = world.answer(issue);
    assert!(
        answer.contains("checks on the head of a pull request, and this is an issue"),
        "{answer}"
    );
    world.end().await;
}

async fn pull(world: &World) -> IssueNumber {
    let pull = world
        .github
        .as_("alice")
        .open_pull("Billing client", "It pays.", "billing")
        .unwrap();
    world.settle().await;
    world.say("alice", pull, "/run judged").await;
    world.hear(pull);
    pull
}

async fn sets(world: &World, pull: IssueNumber, conclusion: Option<&str>) {
    world.github.as_("alice").check(pull, "build", conclusion).unwrap();
    world.settle().await;
}

#[tokio::test]
async fn only_a_green_check_of_the_present_head_lets_people_decide() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition("gate: {checks: {named: [build]}, people: {}}")).await;
    let pull = pull(&world).await;
    respond(&world, pull, &plan()).await;
    shows(&world, pull, &["waiting for checks", "`build` was not found"]);
    for (conclusion, said) in [
        (None, "`build` has not ended"),
        (Some("skipped"), "`build` is skipped"),
        (Some("neutral"), "`build` is neutral"),
        (Some("failure"), "`build` is failure"),
    ] {
        sets(&world, pull, conclusion).await;
        shows(&world, pull, &[said, "waiting for checks"]);
    }
    world.hear(pull);
    sets(&world, pull, Some("success")).await;
    shows(&world, pull, &["- yes: `build` succeeded", "waiting for approval"]);
    world.hear(pull);
    world.wait(11).await;
    // A push voids, whatever the checks said of the commit before.
    world.github.as_("alice").push(pull).unwrap();
    world.settle().await;
    shows(&world, pull, &["waiting for checks"]);
    sets(&world, pull, Some("success")).await;
    world.wait(11).await;
    world.hear(pull);
    assert_eq!(approves(&world, "bob", pull).await, ["eyes", "rocket"]);
    shows(&world, pull, &["· done"]);
    world.hear(pull);
    world.end().await;
}

#[tokio::test]
async fn checks_are_read_again_from_time_to_time_and_right_before_an_approval() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition("gate: {checks: {named: [build]}, people: {}}")).await;
    let pull = pull(&world).await;
    respond(&world, pull, &plan()).await;
    world.github.as_("alice").check(pull, "build", Some("success")).unwrap();
    while world.github.lose_next().is_some() {}
    world.settle().await;
    shows(&world, pull, &["waiting for checks"]);
    world.wait(301).await;
    shows(&world, pull, &["waiting for approval"]);
    world.hear(pull);
    world.wait(11).await;
    // GitHub does not tell that it is red again.
    world.github.as_("alice").check(pull, "build", Some("failure")).unwrap();
    while world.github.lose_next().is_some() {}
    let digest = world.digest(pull);
    world.say("bob", pull, &format!("/approve {digest}")).await;
    let answer = world.answer(pull);
    assert!(answer.contains("the check `build` is failure"), "{answer}");
    world.say("alice", pull, "/cancel").await;
    world.hear(pull);
    world.end().await;
}

/// A world with these code owners, and files of theirs that wait at its gate.
async fn owned(owners: &'static str) -> (ModelServer, World, IssueNumber) {
    let models = ModelServer::start(None).await.unwrap();
    let definition = "name: judged\nversion: 1\ntitle: One judged step\nphases:\n  - {id: work, title: Work, prompt: \
                      generate/generate, schema: files.v1, provider: manual, gate: {people: {code_owners: true}}}\n";
    let world = Setup::new()
        .server_file(&server_file(&models, &[("judge", Dialect::OpenAi, "")], "{}"))
        .config(CONFIG)
        .github(|github| {
            github
                .file(".github/countersign/judged.yml", definition)
                .file("CODEOWNERS", owners)
        })
        .start()
        .await;
    let issue = begins(&world).await;
    respond(&world, issue, &files("fn pay() {}\n")).await;
    world.wait(11).await;
    world.hear(issue);
    (models, world, issue)
}

#[tokio::test]
async fn the_owners_of_what_is_written_must_be_among_those_who_approve() {
    let (_models, world, issue) = owned("src/ @mona\n").await;
    approves(&world, "bob", issue).await;
    let answer = world.answer(issue);
    assert!(answer.contains("an owner of `src/client.rs`: `mona`"), "{answer}");
    assert_eq!(approves(&world, "mona", issue).await, ["eyes", "rocket"]);
    shows(&world, issue, &["· done"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn nobody_answers_and_it_goes_back_to_a_phase() {
    let models = ModelServer::start(None).await.unwrap();
    let definition = "name: judged\nversion: 1\ntitle: One judged step\nphases:\n  - {id: lead, title: Lead, prompt: \
                      generate/plan, schema: plan.v1, provider: manual, on_demand: true}\n  - {id: work, title: Work, \
                      needs: [lead], inputs: [lead], prompt: generate/plan, schema: plan.v1, provider: manual, gate: \
                      {people: {expires_after_hours: 2, on_expiry: lead}}}\n";
    let world = world(&models, definition).await;
    let issue = begins(&world).await;
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &["Not approved within 2 hours, it goes back to *Lead*. Silence approves nothing."],
    );
    world.hear(issue);
    world.wait(2 * 3600 + 60).await;
    shows(
        &world,
        issue,
        &[
            "the time of Work ran out before it was approved, so Lead is done again",
            "needs a person",
        ],
    );
    let heard = world.hear(issue).join("\n");
    assert!(
        heard.contains("The time of *Work* ran out before it was approved, so *Lead* is done again."),
        "{heard}"
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_is_too_long_for_the_approver_is_cut_and_that_is_said() {
    let models = ModelServer::start(None).await.unwrap();
    let definition = "name: judged\nversion: 1\ntitle: One judged step\nphases:\n  - {id: work, title: Work, prompt: \
                      generate/generate, schema: files.v1, provider: manual, gate: {ai: {provider: 'http:judge'}, people: {}}}\n";
    let world = world(&models, definition).await;
    let issue = begins(&world).await;
    models.prepare(says("approve", ""));
    let long = "let x = 1;\n".repeat(5_000);
    respond(&world, issue, &files(&long)).await;
    shows(
        &world,
        issue,
        &["It was not shown everything: src/client.rs: 50000 of 55000 bytes."],
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_model_that_is_busy_is_asked_again_and_nothing_is_approved_meanwhile() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition(&format!("gate: {{{JUDGE}}}"))).await;
    let issue = begins(&world).await;
    models.prepare(Reply::fault(Fault::Status(503)));
    respond(&world, issue, &plan()).await;
    shows(&world, issue, &["waiting for the approver"]);
    models.prepare(says("approve", ""));
    world.wait(120).await;
    shows(&world, issue, &["· done"]);
    world.hear(issue);
    world.end().await;
}

/// A model alone says no and then yes; beside checks and two people it says yes, and nobody else does in time, so it goes
/// back; a person's approval is taken back, and then two open the gate: for the histories.
pub async fn played() -> World {
    let models = ModelServer::start(None).await.unwrap();
    let definition = format!(
        "name: judged\nversion: 1\ntitle: Two judged steps\nphases:\n  - {{id: work, title: Work, prompt: generate/plan, \
         schema: plan.v1, provider: manual, gate: {{{JUDGE}}}, limits: {{retries: 1, iterations: 3}}}}\n  - \
         {{id: more, title: More, needs: [work], inputs: [work], prompt: generate/plan, schema: plan.v1, provider: manual, \
         gate: {{{JUDGE}, checks: {{host: [schema, secrets]}}, people: {{quorum: 2, expires_after_hours: 2, \
         on_expiry: work}}}}}}\n"
    );
    let world = world(&models, &definition).await;
    let issue = begins(&world).await;
    models.prepare(says("reject", "It names no tests."));
    respond(&world, issue, &plan()).await;
    models.prepare(says("approve", "It does."));
    respond(&world, issue, &plan()).await;
    models.prepare(says("approve", "Fine."));
    respond(&world, issue, &plan()).await;
    world.wait(2 * 3600 + 60).await;
    for _ in 0..2 {
        models.prepare(says("approve", "Fine again."));
        respond(&world, issue, &plan()).await;
    }
    world.wait(20).await;
    approves(&world, "bob", issue).await;
    world.say("bob", issue, "/unapprove").await;
    approves(&world, "bob", issue).await;
    approves(&world, "alice", issue).await;
    world
}

#[tokio::test]
async fn a_commit_status_counts_like_a_check() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, &definition("gate: {checks: {named: [ci]}, people: {}}")).await;
    let pull = pull(&world).await;
    respond(&world, pull, &plan()).await;
    shows(&world, pull, &["waiting for checks", "`ci` was not found"]);
    for (state, said) in [
        ("pending", "`ci` has not ended"),
        ("failure", "`ci` is failure"),
        ("error", "`ci` is error"),
    ] {
        world.github.as_("alice").status(pull, "ci", state).unwrap();
        world.settle().await;
        shows(&world, pull, &[said, "waiting for checks"]);
    }
    world.github.as_("alice").status(pull, "other", "success").unwrap();
    world.settle().await;
    shows(&world, pull, &["`ci` is error", "waiting for checks"]);
    world.github.as_("alice").status(pull, "ci", "success").unwrap();
    world.settle().await;
    shows(&world, pull, &["- yes: `ci` succeeded", "waiting for approval"]);
    world.hear(pull);
    world.wait(11).await;
    assert_eq!(approves(&world, "bob", pull).await, ["eyes", "rocket"]);
    shows(&world, pull, &["· done"]);
    world.hear(pull);
    world.end().await;
}

#[tokio::test]
async fn a_repository_may_want_people_where_a_definition_has_a_model_alone() {
    let models = ModelServer::start(None).await.unwrap();
    let world = Setup::new()
        .server_file(&server_file(&models, &[("judge", Dialect::OpenAi, "")], "{}"))
        .config(&format!(
            "{CONFIG}approval: {{quorum: 1, people: true, exclude: [starter, steerers]}}\n"
        ))
        .github(|github| {
            github.file(
                ".github/countersign/judged.yml",
                &definition(&format!("gate: {{{JUDGE}}}")),
            )
        })
        .start()
        .await;
    let issue = begins(&world).await;
    models.prepare(says("approve", "It does what was asked."));
    respond(&world, issue, &plan()).await;
    shows(
        &world,
        issue,
        &["approves this: It does what was asked.", "waiting for approval"],
    );
    world.hear(issue);
    world.wait(11).await;
    approves(&world, "alice", issue).await;
    world.hear(issue);
    shows(&world, issue, &["waiting for approval"]);
    assert_eq!(approves(&world, "bob", issue).await, ["eyes", "rocket"]);
    shows(&world, issue, &["· done", "approved by `bob`"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn at_the_last_round_nobody_is_sent_in_a_circle() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(
        &models,
        &definition("gate: people, limits: {retries: 0, iterations: 2}"),
    )
    .await;
    let issue = begins(&world).await;
    for round in ["/retry", ""] {
        respond(&world, issue, &plan()).await;
        world.wait(11).await;
        world.hear(issue);
        world.say("bob", issue, "/reject It is not enough.").await;
        world.hear(issue);
        if !round.is_empty() {
            shows(&world, issue, &["`/retry` to try again"]);
            world.say("bob", issue, round).await;
            world.hear(issue);
        }
    }
    let card = world.card(issue);
    assert!(card.contains("*Work* had 2 rounds, which is the limit."), "{card}");
    assert!(!card.contains("/retry") && !card.contains("/revise"), "{card}");
    for said in ["/retry", "/revise Again."] {
        world.say("bob", issue, said).await;
        let answer = world.answer(issue);
        assert!(answer.contains("had 2 rounds, which is the limit."), "{answer}");
        assert!(answer.contains("`/cancel …`"), "{answer}");
        assert!(!answer.contains("`/retry") && !answer.contains("`/revise"), "{answer}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_team_of_owners_that_is_not_there_is_named() {
    let (_models, world, issue) = owned("src/ @acme/ghost\n").await;
    let stuck = "`src/client.rs` belongs to `@acme/ghost`, and I see no team `@acme/ghost`.";
    shows(
        &world,
        issue,
        &[stuck, "Still missing of the owners: `@acme/ghost` for `src/client.rs`."],
    );
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    assert!(who.contains(stuck) && !who.contains("Who can decide now"), "{who}");
    // It opens once the file names somebody who can.
    world
        .github
        .as_("alice")
        .set_file("CODEOWNERS", "src/ @mona\n")
        .unwrap();
    world.settle().await;
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    assert!(who.contains("Who can decide now: `mona`."), "{who}");
    approves(&world, "bob", issue).await;
    world.hear(issue);
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    assert!(
        who.contains("one approval: 1 of 1") && who.contains("`bob`: does not own it"),
        "{who}"
    );
    assert_eq!(approves(&world, "mona", issue).await, ["eyes", "rocket"]);
    shows(&world, issue, &["· done"]);
    world.hear(issue);
    world.end().await;
}
