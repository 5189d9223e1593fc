//! What is kept of a workflow: shown, replayed, verified, exported, and gone on from in a fork.

pub mod archive;
mod forks;

use countersign::sandbox::IssueNumber;
use rusqlite::Connection;
use serde_json::Value;

use crate::cli::{Ran, only_workflow, run};
use crate::world::World;

/// A world whose one workflow went through from the first words to the mail.
pub async fn completed() -> (World, IssueNumber, String) {
    let world = World::new().await;
    let issue = world.opened_all().await;
    world.approve("alice", issue).await;
    world.hear(issue);
    let id = only_workflow(&world);
    (world, issue, id)
}

/// The workflow's events, as `history --json` shows them.
pub fn events(world: &World, id: &str) -> Vec<Value> {
    let shown = run(world.home(), &["history", id, "--json"]).envelope()["data"].take();
    shown["events"].as_array().unwrap().clone()
}

/// The number of the first event of a type, from 1.
pub fn first(world: &World, id: &str, kind: &str) -> usize {
    let events = events(world, id);
    let at = events.iter().position(|of| of["event"]["type"] == kind);
    at.unwrap_or_else(|| panic!("no {kind} in {events:#?}")) + 1
}

fn data(ran: &Ran) -> Value {
    ran.envelope()["data"].take()
}

#[tokio::test]
async fn show_tells_what_a_digest_names_who_made_it_and_who_approved_it() {
    let (world, _, id) = completed().await;
    let proposed = first(&world, &id, "proposed");
    let digest = events(&world, &id)[proposed - 1]["event"]["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = run(world.home(), &["show", &id, &digest[..12]]);
    let made = format!("event {proposed}");
    for part in [
        &digest,
        "extract",
        "through rules",
        "by bob (write)",
        &made,
        "Measure the checkout",
    ] {
        assert!(shown.page().contains(part), "{part} is not in\n{}", shown.out);
    }
    let told = data(&run(world.home(), &["show", &id, &digest.to_uppercase(), "--json"]));
    assert_eq!(told["kind"], "proposal");
    assert_eq!(told["digest"], digest);
    assert_eq!(told["proposal"]["workflow"], id);
    assert_eq!(told["approvals"][0]["by"]["login"], "bob");
    assert_eq!(told["gates"][0]["answer"], "approved");

    let runs = data(&run(world.home(), &["runs", &id, "--json"]));
    let run_id = runs["runs"][0]["run"]["id"].as_str().unwrap();
    let page = run(world.home(), &["runs", run_id]);
    let prompt = page
        .page()
        .lines()
        .find_map(|line| line.strip_prefix("prompt"))
        .unwrap()
        .trim()
        .to_owned();
    let told = data(&run(world.home(), &["show", &id, &prompt, "--json"]));
    assert_eq!(told["kind"], "prompt");
    assert_eq!(told["run"], run_id);
    assert_eq!(told["text"], runs["runs"][0]["run"]["prompt"]);

    for (digest, code, sentence) in [
        (
            "000000000000",
            1,
            "has no artifact, prompt, answer or mail 000000000000",
        ),
        ("xyz", 2, "xyz is no digest"),
    ] {
        let refused = run(world.home(), &["show", &id, digest]);
        assert_eq!(refused.code, code);
        assert!(refused.err.contains(sentence), "{}", refused.err);
    }
    world.end().await;
}

#[tokio::test]
async fn replay_shows_any_past_state_as_status_shows_todays() {
    let (world, _, id) = completed().await;
    let approved = first(&world, &id, "approved");
    let before = (approved - 1).to_string();
    let told = data(&run(world.home(), &["replay", &id, "--to", &before, "--json"]));
    assert_eq!(told["event"], approved - 1);
    assert_eq!(told["workflow"]["status"], "open");
    assert_eq!(
        told["workflow"]["waits_for"],
        "approval of extract by somebody with write"
    );
    assert_eq!(told["workflow"]["phases"][0]["status"], "ready_for_review");
    assert_eq!(told["workflow"]["phases"][1]["status"], "blocked");
    assert_eq!(told["state"]["version"], approved - 1);
    let page = run(world.home(), &["replay", &id, "--to", &before]);
    assert!(page.page().contains("ready for review"), "{}", page.out);

    let last = run(world.home(), &["replay", &id]);
    let (_, replayed) = last.page().split_once("\n\n").unwrap();
    let today = run(world.home(), &["status", &id]);
    // What is still to be done is not told of the past.
    let today = today.page().split("\nTO DO").next().unwrap();
    let without_card: String = today
        .lines()
        .filter(|line| !line.starts_with("card"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(replayed, without_card);

    let beyond = run(world.home(), &["replay", &id, "--to", "999"]);
    assert_eq!(beyond.code, 1);
    assert!(beyond.err.contains("has no event 999"), "{}", beyond.err);
    assert_eq!(run(world.home(), &["replay", &id, "--to", "0"]).code, 2);
    world.end().await;
}

/// A copy of the database that was changed behind the program's back.
fn changed(world: &World, sql: &str) -> tempfile::TempDir {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("bot.sqlite");
    let connection = Connection::open(world.home().join("bot.sqlite")).unwrap();
    connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let connection = Connection::open(&copy).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
    elsewhere
}

/// What `verify` says of a database that was changed behind the program's back.
fn touched(world: &World, id: &str, sql: &str) -> String {
    let elsewhere = changed(world, sql);
    let verified = run(elsewhere.path(), &["verify", "--json"]);
    let envelope = verified.envelope();
    assert_eq!(verified.code, run(elsewhere.path(), &["verify", id]).code);
    let messages = envelope["error"]["messages"].as_array().cloned().unwrap_or_default();
    let messages: Vec<&str> = messages.iter().filter_map(Value::as_str).collect();
    messages.join("\n")
}

/// The world's clock has nanoseconds, as a machine's; the database keeps microseconds.
#[tokio::test]
async fn finer_times_than_the_database_keeps_are_no_finding() {
    let (world, _, id) = completed().await;
    assert_eq!(run(world.home(), &["verify"]).code, 0);
    // As earlier versions kept it.
    let finer = "UPDATE workflows SET state =
        json_set(state, '$.started_at', replace(json_extract(state, '$.started_at'), 'Z', '.000000789Z'))";
    assert_eq!(touched(&world, &id, finer), "");
    let other = finer.replace(".000000789Z", ".000789Z");
    assert!(touched(&world, &id, &other).contains("started_at differs"));
    world.end().await;
}

/// A former program that changes a workflow, while servers are replaced, keeps of its state what it knows and no more.
#[tokio::test]
async fn what_a_former_program_left_out_of_a_state_is_folded_again() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("carol", issue, "/hold the release comes first").await;
    world.card(issue);
    let id = only_workflow(&world);
    let whole = stored_state(&world, &id);
    let spoken = "json_remove(state, '$.record[1].surface', '$.record[2].surface', '$.record[3].surface')";
    let left_out = format!("UPDATE workflows SET state = {spoken}");
    let said = touched(&world, &id, &left_out);
    assert!(said.contains("it is not what the events lead to: record."), "{said}");

    let former = format!("UPDATE workflows SET state = json_remove({spoken}, '$.fold')");
    let ended = format!(
        "UPDATE workflows SET state = json_set(json_remove({spoken}, '$.fold'), '$.status.status', 'completed')"
    );
    assert!(touched(&world, &id, &ended).contains("status.status differs"));
    assert_eq!(touched(&world, &id, &former), "");
    let file = Connection::open(world.home().join("bot.sqlite")).unwrap();
    file.execute_batch(&former).unwrap();
    let former = stored_state(&world, &id);
    assert_ne!(former, whole);
    assert!(former["record"].to_string().len() < whole["record"].to_string().len());

    world.say("bob", issue, "/unhold").await;
    world.hear(issue);
    let again = stored_state(&world, &id);
    assert_eq!(again["fold"], whole["fold"]);
    let record = |state: &Value| state["record"].as_array().unwrap().clone();
    assert!(record(&again).starts_with(&record(&whole)), "{again:#}");
    assert_eq!(run(world.home(), &["verify"]).code, 0);
    world.end().await;
}

fn stored_state(world: &World, id: &str) -> Value {
    let file = Connection::open(world.home().join("bot.sqlite")).unwrap();
    let state = "SELECT state FROM workflows WHERE id = ?1";
    let state: String = file.query_row(state, [id], |row| row.get(0)).unwrap();
    serde_json::from_str(&state).unwrap()
}

#[tokio::test]
async fn verify_says_what_was_touched() {
    let (world, issue, id) = completed().await;
    let verified = run(world.home(), &["verify"]);
    assert!(
        verified.page().ends_with("The workflow is as it was written.\n"),
        "{}",
        verified.out
    );
    let approved = first(&world, &id, "approved");
    let count = events(&world, &id).len();
    for (sql, says) in [
        (
            format!("UPDATE events SET data = replace(data, '\"bob\"', '\"eve\"') WHERE seq = {approved}"),
            format!("{id}: event {approved}: it, or its place, was changed"),
        ),
        (
            format!("UPDATE events SET data = json_insert(data, '$.more', 1) WHERE seq = {approved}"),
            format!("{id}: event {approved}: it, or its place, was changed"),
        ),
        (
            format!("UPDATE events SET data = 'nothing' WHERE seq = {approved}"),
            format!("{id}: event {approved}: it cannot be read"),
        ),
        (
            format!("UPDATE events SET at = at + 1 WHERE seq = {approved}"),
            format!("{id}: event {approved}: it, or its place, was changed"),
        ),
        (
            "DELETE FROM events WHERE seq = 2".to_owned(),
            format!("{id}: event 2: it, or its place, was changed"),
        ),
        (
            format!("DELETE FROM events WHERE seq = {count}"),
            format!("{id}: event {count}: the workflow's row names another last event"),
        ),
        (
            "UPDATE workflows SET state = json_set(state, '$.phases.extract.approval.by.login', 'eve')".to_owned(),
            format!("{id}: state: it is not what the events lead to: phases.extract.approval.by.login differs"),
        ),
        (
            "UPDATE artifacts SET body = replace(body, 'Measure', 'Forget') WHERE rowid = (SELECT MIN(rowid) FROM artifacts)".to_owned(),
            ": it was changed: it has another digest now".to_owned(),
        ),
        (
            "DELETE FROM artifacts WHERE rowid = (SELECT MIN(rowid) FROM artifacts)".to_owned(),
            "and is not kept".to_owned(),
        ),
        (
            "UPDATE runs SET prompt = prompt || ' and more' WHERE rowid = (SELECT MIN(rowid) FROM runs)".to_owned(),
            format!("{id}: prompt of "),
        ),
        (
            "UPDATE runs SET answer = 'another' WHERE rowid = (SELECT MIN(rowid) FROM runs)".to_owned(),
            format!("{id}: answer of "),
        ),
    ] {
        let said = touched(&world, &id, &sql);
        assert!(said.contains(&says), "{sql}: {said}");
    }
    world.card(issue);
    world.end().await;
}

/// A workflow of which a person wrote something that is theirs: it, and the event that holds it.
pub async fn rejected_with_a_number() -> (World, IssueNumber, String, usize) {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("bob", issue, "/reject call me on 555-0199").await;
    world.card(issue);
    let id = only_workflow(&world);
    let seq = first(&world, &id, "rejected");
    (world, issue, id, seq)
}

#[tokio::test]
async fn what_a_person_wrote_can_be_erased_and_all_still_verifies() {
    let (world, issue, id, seq) = rejected_with_a_number().await;
    let erase = format!("UPDATE events SET data = json_set(data, '$.reason.text', NULL) WHERE seq = {seq}");
    assert_eq!(touched(&world, &id, &erase), "");
    let change = format!("UPDATE events SET data = json_set(data, '$.reason.sha256', 'x') WHERE seq = {seq}");
    assert!(touched(&world, &id, &change).contains(&format!("event {seq}")));
    world.card(issue);
    world.end().await;
}

#[tokio::test]
async fn what_a_person_wrote_cannot_be_rewritten_unnoticed() {
    let (world, _, id, seq) = rejected_with_a_number().await;
    let of_event = format!("UPDATE events SET data = replace(data, '0199', '0100') WHERE seq = {seq}");
    let wrong = format!("event {seq}: what a person wrote was changed: its reason has another digest now");
    assert_eq!(touched(&world, &id, &of_event), format!("{id}: {wrong}"));
    let of_state = "UPDATE workflows SET state = replace(state, '0199', '0100')";
    let said = touched(&world, &id, of_state);
    assert!(
        said.starts_with(&format!("{id}: state: what a person wrote was changed: its ")),
        "{said}"
    );

    let elsewhere = changed(&world, &of_event);
    for command in ["history", "export", "verify"] {
        let ran = run(elsewhere.path(), &[command, &id]);
        assert!(
            ran.code == 1 && ran.err.contains(&wrong),
            "{command}: {}{}",
            ran.out,
            ran.err
        );
    }
    let replayed = run(elsewhere.path(), &["replay", &id]);
    assert!(replayed.err.contains(&format!("at event {seq}")), "{}", replayed.err);
    let told = data(&run(elsewhere.path(), &["history", &id, "--json"]));
    assert_eq!(told["first_broken"], seq);

    let whole = run(world.home(), &["history", &id]);
    assert!(
        whole.page().ends_with("in which order; CAUSE is beside it.\n"),
        "{}",
        whole.out
    );
    world.end().await;
}
