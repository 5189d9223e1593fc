//! The commands of the operator's shell: the real program against a world's database.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use countersign::sandbox::{FaultKind, FaultRule, IssueNumber, signature};
use serde_json::Value;

use crate::world::{SECRET, World};

/// How a run of the program ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The envelope, whose exit code is the program's.
    pub fn envelope(&self) -> Value {
        let envelope: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out));
        let keys: Vec<&str> = envelope.as_object().unwrap().keys().map(String::as_str).collect();
        for key in ["schema_version", "command", "exit_code", "error", "data"] {
            assert!(keys.contains(&key), "{key} is not in {keys:?}");
        }
        assert_eq!(keys.len(), 5, "{keys:?}");
        assert_eq!(envelope["schema_version"], 1);
        assert_eq!(envelope["exit_code"], self.code);
        assert_eq!(envelope["error"].is_null(), self.code == 0);
        envelope
    }

    pub fn page(&self) -> &str {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        assert!(!self.out.contains('\x1b'), "colours without a terminal: {:?}", self.out);
        &self.out
    }
}

/// Runs the program in a folder, with nothing in its environment but that folder's database.
pub fn run(home: &Path, arguments: &[&str]) -> Ran {
    let database = format!("sqlite:{}", home.join("bot.sqlite").display());
    run_with(home, &[("COUNTERSIGN_DATABASE_URL", &database)], arguments)
}

/// Runs the program beside a world's server.
pub fn run_beside(world: &World, arguments: &[&str]) -> Ran {
    let database = world.database_url();
    run_with(world.home(), &[("COUNTERSIGN_DATABASE_URL", &database)], arguments)
}

pub fn run_with(home: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(home)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A world in which a workflow waits for the approval of one task; the server runs.
async fn waiting() -> (World, IssueNumber) {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    (world, issue)
}

pub fn only_workflow(world: &World) -> String {
    let listed = run_beside(world, &["list", "--all", "--json"]).envelope();
    let workflows = listed["data"]["workflows"].as_array().unwrap();
    assert_eq!(workflows.len(), 1, "{listed}");
    workflows[0]["id"].as_str().unwrap().to_owned()
}

/// Posts a delivery as GitHub would, signed with the world's secret.
async fn deliver(world: &World, id: &str, event: &str, body: &str) {
    let response = reqwest::Client::new()
        .post(world.webhook_url())
        .header("content-type", "application/json")
        .header("x-github-delivery", id)
        .header("x-github-event", event)
        .header("x-hub-signature-256", signature(SECRET, body.as_bytes()))
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 202);
    world.settle().await;
}

#[tokio::test]
async fn list_shows_what_is_open_beside_a_running_server() {
    let (world, issue) = waiting().await;
    let listed = run(world.home(), &["list"]);
    let lines: Vec<&str> = listed.page().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let column = lines[0].find("WAITS FOR").unwrap();
    assert!(lines[1][column..].starts_with("approval of extract by somebody with write"));
    assert!(lines[1].contains(&format!("acme/shop#{issue}")), "{}", lines[1]);
    world.end().await;
}

#[tokio::test]
async fn list_shows_what_has_ended_only_when_asked() {
    let (world, issue) = waiting().await;
    world.say("alice", issue, "/cancel not now").await;
    world.hear(issue);
    let home = world.home();
    assert_eq!(
        run(home, &["list"]).page(),
        "No workflow is open; `--all` lists those that have ended.\n"
    );
    assert!(run(home, &["list", "--all"]).page().contains("cancelled"));
    let none = run(home, &["list", "--all", "--limit", "0", "--json"]).envelope();
    assert_eq!(none["data"]["workflows"], serde_json::json!([]));
    world.end().await;
}

#[tokio::test]
async fn status_shows_each_phase_with_the_digest_of_the_card() {
    let (world, issue) = waiting().await;
    let digest = world.digest(issue);
    let id = only_workflow(&world);
    let status = run(world.home(), &["status", &id]);
    for part in ["subject", "acme/shop#1", "by alice", "ready for review", &digest] {
        assert!(status.page().contains(part), "{part} is not in\n{}", status.out);
    }
    let data = run(world.home(), &["status", &id, "--json"]).envelope()["data"].take();
    assert_eq!(data["waits_for"], "approval of extract by somebody with write");
    assert_eq!(data["starter"], "alice");
    let phases: Vec<_> = data["phases"].as_array().unwrap().iter().collect();
    assert_eq!(phases[0]["id"], "extract");
    assert_eq!(phases[0]["status"], "ready_for_review");
    assert!(phases[0]["digest"].as_str().unwrap().starts_with(&digest));
    assert_eq!(phases[1]["status"], "blocked");
    let card = world.card_comment(issue).unwrap();
    assert!(
        data["card_url"].as_str().unwrap().contains(&card.id.to_string()),
        "{data}"
    );
    world.end().await;
}

#[tokio::test]
async fn status_shows_what_could_not_be_done_yet_and_why() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world
        .github
        .fault(FaultRule::on("GET", "/repos/acme/shop/labels", FaultKind::Status(502)));
    world.say("alice", issue, "/deliver").await;
    let id = only_workflow(&world);
    let status = run(world.home(), &["status", &id]);
    let line = status.page().lines().find(|line| line.starts_with("run agent"));
    assert!(line.is_some_and(|line| line.contains("502")), "{}", status.out);
    let data = run(world.home(), &["status", &id, "--json"]).envelope()["data"].take();
    assert_eq!(data["effects"][0]["kind"], "run_agent", "{data}");
    assert_eq!(data["effects"][0]["attempt"], 1, "{data}");
    world.github.heal();
    world.wait(600).await;
    world.card(issue);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn history_names_who_did_what_and_verifies_the_chain() {
    let (world, issue) = waiting().await;
    world.wait(20).await;
    let approve = format!("/approve {}", world.digest(issue));
    world.say("bob", issue, &approve).await;
    world.hear(issue);
    let id = only_workflow(&world);
    let history = run(world.home(), &["history", &id]);
    let page = history.page();
    let line = |what: &str| {
        page.lines()
            .find(|line| line.contains(what))
            .unwrap_or_else(|| panic!("no {what} in\n{page}"))
    };
    assert!(line("started").contains("alice"), "{page}");
    assert!(line(" approved ").contains("bob"), "{page}");
    assert!(line("opened #2").contains("act ended"), "{page}");
    assert!(page.lines().last().unwrap().contains(" events holds. "), "{page}");
    let data = run(world.home(), &["history", &id, "--json"]).envelope()["data"].take();
    assert_eq!(data["events"][0]["event"]["type"], "started");
    assert_eq!(data["first_broken"], Value::Null);
    world.end().await;
}

#[tokio::test]
async fn commands_that_read_work_without_a_server() {
    let (mut world, _) = waiting().await;
    world.stop().await;
    let id = only_workflow(&world);
    assert!(run(world.home(), &["status", &id]).page().contains("ready for review"));
    assert!(
        run(world.home(), &["deliveries"])
            .page()
            .contains("issue_comment.created")
    );
    world.restart().await;
    world.end().await;
}

#[tokio::test]
async fn an_id_that_nothing_has_is_said_to_be_unknown() {
    let world = World::new().await;
    for (arguments, command, sentence) in [
        (
            &["status", "w0"][..],
            "status",
            "there is no workflow w0: `countersign list --all`",
        ),
        (&["history", "w0"], "history", "there is no workflow w0"),
        (
            &["deliveries", "show", "d0"],
            "deliveries show",
            "there is no delivery d0: `countersign deliveries`",
        ),
        (
            &["deliveries", "retry", "d0"],
            "deliveries retry",
            "there is no delivery d0",
        ),
    ] {
        let ran = run(world.home(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ran.err.starts_with(&format!("error: {sentence}")), "{}", ran.err);
        let envelope = run(world.home(), &[arguments, &["--json"]].concat()).envelope();
        assert_eq!(envelope["command"], command);
        assert_eq!(envelope["error"]["reason"], "failed");
        assert!(
            envelope["error"]["messages"][0].as_str().unwrap().starts_with(sentence),
            "{envelope}"
        );
    }
    world.end().await;
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["list"][..], &["status", "w0"], &["deliveries", "retry", "d0"]] {
        let ran = run(home.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{arguments:?}");
        assert!(ran.err.starts_with("error: there is no database "), "{}", ran.err);
    }
    let envelope = run(home.path(), &["list", "--json"]).envelope();
    assert_eq!(envelope["error"]["reason"], "configuration");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_setting_that_cannot_be_used_is_named_and_the_flag_wins_over_it() {
    let home = tempfile::tempdir().unwrap();
    let ran = run_with(
        home.path(),
        &[("COUNTERSIGN_DATABASE_URL", "postgres://db/x")],
        &["list"],
    );
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("COUNTERSIGN_DATABASE_URL"), "{}", ran.err);
    let ran = run_with(
        home.path(),
        &[("COUNTERSIGN_DATABASE_URL", "postgres://db/x")],
        &["list", "--database-url", "sqlite:none.sqlite"],
    );
    assert!(ran.err.contains("there is no database none.sqlite"), "{}", ran.err);
}

#[tokio::test]
async fn what_failed_is_listed_shown_and_tried_again_by_the_server() {
    let world = World::new().await;
    deliver(&world, "broken-1", "issue_comment", "{not json").await;
    let home = world.home();
    let open = run(home, &["deliveries", "--open", "--json"]).envelope();
    assert_eq!(open["command"], "deliveries list");
    assert_eq!(open["data"]["deliveries"][0]["id"], "broken-1");
    assert_eq!(open["data"]["deliveries"][0]["state"], "failed");
    let shown = run(home, &["deliveries", "show", "broken-1"]);
    for part in ["failed", "it could not be read", "{not json"] {
        assert!(shown.page().contains(part), "{part} is not in\n{}", shown.out);
    }

    let asked = run(home, &["deliveries", "retry", "broken-1"]);
    assert!(
        asked.page().starts_with("The server was asked to try broken-1 again"),
        "{}",
        asked.out
    );
    let state = || run(home, &["deliveries", "show", "broken-1", "--json"]).envelope()["data"]["delivery"].take();
    assert_eq!(state()["state"], "failed", "only the server changes it");
    world.house().obey_once().await.unwrap();
    assert_eq!(state()["state"], "new");
    world.settle().await;
    assert_eq!(state()["state"], "failed");
    assert_eq!(state()["attempt"], 1);
    world.end().await;
}

#[tokio::test]
async fn what_is_done_is_not_tried_again() {
    let world = World::new().await;
    deliver(&world, "star-1", "star", r#"{"action":"created"}"#).await;
    assert_eq!(
        run(world.home(), &["deliveries", "list", "--open"]).page(),
        "Every delivery is done.\n"
    );
    let refused = run(world.home(), &["deliveries", "retry", "star-1"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .err
            .starts_with("error: the delivery star-1 is done: only one that failed"),
        "{}",
        refused.err
    );
    world.end().await;
}

#[tokio::test]
async fn what_others_wrote_does_not_steer_the_terminal() {
    let world = World::new().await;
    deliver(&world, "broken-1", "issue_comment", "{\u{1b}[2J\u{202e}gone").await;
    let shown = run(world.home(), &["deliveries", "show", "broken-1"]);
    assert!(shown.page().contains("{\u{fffd}[2J\u{fffd}gone"), "{}", shown.out);
    world.end().await;
}

#[test]
fn check_names_every_mistake_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("countersign.yml");
    std::fs::write(
        &file,
        "version: 1\nmail:\n  to: [nobody]\npermissions:\n  aprove: admin\n",
    )
    .unwrap();
    let checked = run(home.path(), &["check", "countersign.yml"]);
    assert_eq!((checked.code, checked.out.as_str()), (1, ""));
    let lines: Vec<&str> = checked.err.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("countersign.yml:3:8: "), "{}", lines[0]);
    assert!(lines[1].starts_with("countersign.yml:5:3: "), "{}", lines[1]);
    assert!(lines[1].contains("approve"), "{}", lines[1]);
    let envelope = run(home.path(), &["check", "countersign.yml", "--json"]).envelope();
    assert_eq!(envelope["error"]["reason"], "mistakes");
    assert_eq!(envelope["data"]["mistakes"][0]["line"], 3);
    assert_eq!(envelope["data"]["mistakes"][0]["column"], 8);
    assert_eq!(envelope["data"]["mistakes"][1]["line"], 5);
}

#[test]
fn check_names_the_mistakes_of_definitions_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let text = "version: 1\ndefinition: notes\ndefinitions:\n  - name: notes\n    version: 1\n    title: Notes\n    \
                phases:\n      - {id: notes, title: Notes, prompt: nowhere, schema: document.v1}\n  - name: deliver\n    version: \
                1\n    title: Mine\n    phases: [{id: a, title: A, agent: extract}]\n";
    std::fs::write(home.path().join("bad.yml"), text).unwrap();
    let checked = run(home.path(), &["check", "bad.yml"]);
    assert_eq!((checked.code, checked.out.as_str()), (1, ""));
    let lines: Vec<&str> = checked.err.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("bad.yml:8:43: ") && lines[0].contains("nowhere"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("bad.yml:9:11: the name deliver is taken"),
        "{}",
        lines[1]
    );
    let typo = text.replace("schema: document.v1", "shcema: document.v1");
    std::fs::write(home.path().join("typo.yml"), typo).unwrap();
    let checked = run(home.path(), &["check", "typo.yml"]);
    let unknown = "typo.yml:8:52: `shcema` is not known in `definitions.0.phases.0`; did you mean `schema`?";
    assert!(checked.err.lines().any(|line| line == unknown), "{}", checked.err);
    assert!(!checked.err.contains("there is no definition"), "{}", checked.err);
}

#[test]
fn check_accepts_a_good_file_and_names_one_that_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("good.yml"), crate::world::CONFIG).unwrap();
    assert_eq!(run(home.path(), &["check", "good.yml"]).page(), "good.yml is good.\n");
    let envelope = run(home.path(), &["--json", "check", "good.yml"]).envelope();
    assert_eq!(envelope["data"]["mistakes"], serde_json::json!([]));
    let missing = run(home.path(), &["check", "none.yml"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.starts_with("error: none.yml cannot be read"),
        "{}",
        missing.err
    );
}

#[test]
fn definitions_are_listed_checked_drawn_and_walked() {
    let home = tempfile::tempdir().unwrap();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let (triage, script) = (
        format!("{examples}/triage.yml"),
        format!("{examples}/triage.script.yml"),
    );
    assert!(run(home.path(), &["definitions"]).page().contains("deliver "));
    let good = run(home.path(), &["definitions", "check", &triage]);
    assert!(good.page().ends_with("is good: triage 1, 3 phases.\n"));
    let text = std::fs::read_to_string(&triage).unwrap();
    std::fs::write(
        home.path().join("bad.yml"),
        text.replace("role: sorter", "rôle: sorter"),
    )
    .unwrap();
    let bad = run(home.path(), &["definitions", "check", "bad.yml"]);
    assert_eq!((bad.code, bad.out.as_str(), bad.err.lines().count()), (1, "", 2));
    assert!(bad.err.starts_with("bad.yml:20:5: "), "{}", bad.err);
    let envelope = run(home.path(), &["--json", "definitions", "check", "bad.yml"]).envelope();
    assert_eq!(envelope["data"]["mistakes"][0]["line"], 20);
    std::fs::write(
        home.path().join("taken.yml"),
        text.replace("name: triage", "name: tasks"),
    )
    .unwrap();
    let taken = run(home.path(), &["definitions", "check", "taken.yml"]);
    assert!(taken.err.contains("the name tasks is taken"), "{}", taken.err);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows/deliver.yml");
    assert!(
        run(home.path(), &["definitions", "check", own])
            .page()
            .contains("is good: deliver 1")
    );
    for (command, option, value, says) in [
        (
            "definitions",
            "--config",
            "nowhere.yml",
            "nowhere.yml (--config, or COUNTERSIGN_CONFIG): there is no such file",
        ),
        ("definitions", "--repository", "shop", "write the owner and the name"),
        ("check", "--repository", "acme/", "write the owner and the name"),
    ] {
        let words: &[&str] = if command == "check" {
            &["check"]
        } else {
            &["definitions", "check"]
        };
        let slip = run(home.path(), &[words, &[&triage, option, value]].concat());
        assert!(slip.code == 2 && slip.err.contains(says), "{} {}", slip.code, slip.err);
    }
    let drawn = run(home.path(), &["definitions", "graph", &triage]);
    assert!(drawn.page().starts_with("flowchart TD\n"));
    let unknown = run(home.path(), &["definitions", "graph", "delvier"]);
    assert!(unknown.err.contains("did you mean `deliver`?"), "{}", unknown.err);
    let walk = ["definitions", "simulate", &triage, "--script", &script];
    assert!(run(home.path(), &walk).page().contains("[completed]"));
    let steps = run(home.path(), &[&["--json"][..], &walk].concat()).envelope();
    assert_eq!(steps["data"]["steps"][0]["phases"][0]["status"], "running");
    let schema = run(home.path(), &["definitions", "schema"]);
    assert!(serde_json::from_str::<Value>(schema.page()).unwrap()["properties"]["phases"].is_object());
}

#[test]
fn check_knows_the_definitions_in_the_folder_beside_the_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("countersign.yml");
    std::fs::write(&file, "version: 1\ndefinition: triage\n").unwrap();
    assert_eq!(run(home.path(), &["check", "countersign.yml"]).code, 1);
    std::fs::create_dir(home.path().join("countersign")).unwrap();
    let triage = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/triage.yml");
    std::fs::copy(triage, home.path().join("countersign/triage.yml")).unwrap();
    assert_eq!(
        run(home.path(), &["check", "countersign.yml"]).page(),
        "countersign.yml is good.\n"
    );
}

#[test]
fn completions_are_a_script_for_the_shell() {
    let home = tempfile::tempdir().unwrap();
    assert!(
        run(home.path(), &["completions", "bash"])
            .page()
            .contains("_countersign()")
    );
    let envelope = run(home.path(), &["completions", "zsh", "--json"]).envelope();
    assert!(
        envelope["data"]["script"]
            .as_str()
            .unwrap()
            .starts_with("#compdef countersign")
    );
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_two() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["lst"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("list"), "{}", ran.err);
    let envelope = run(home.path(), &["lst", "--json"]).envelope();
    assert_eq!(envelope["error"]["reason"], "usage");
    let served = run(home.path(), &["serve", "--json"]);
    assert_eq!(served.envelope()["exit_code"], 2);
}

#[test]
fn help_tells_the_exit_codes() {
    let home = tempfile::tempdir().unwrap();
    let help = run(home.path(), &["--help"]);
    for line in [
        "  0  it did",
        "  1  it failed",
        "  2  the command line",
        "  3  the configuration",
    ] {
        assert!(help.page().contains(line), "{line} is not in\n{}", help.out);
    }
}

/// A conversation of one question, and what the bot is expected to react with.
fn script(home: &Path, reaction: &str) {
    let text = format!(
        "title: Somebody asks\nworld:\n  repository: acme/shop\n  people:\n    - alice: write\nsteps:\n  \
         - open: {{by: alice, title: Checkout is slow}}\n  - say: {{by: alice, text: /help}}\n  \
         - bot:\n      reacts: [{reaction}, rocket]\n      says_among_others: /approve\n"
    );
    std::fs::write(home.join("play.yml"), text).unwrap();
}

#[test]
fn a_play_prints_the_conversation() {
    let home = tempfile::tempdir().unwrap();
    script(home.path(), "eyes");
    let played = run_with(home.path(), &[], &["sandbox", "--play", "play.yml"]);
    for part in [
        "Somebody asks",
        "alice opens #1 “Checkout is slow”",
        "│ /help",
        "/approve",
    ] {
        assert!(played.page().contains(part), "{part} is not in\n{}", played.out);
    }
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        1,
        "a play leaves nothing behind"
    );
}

#[test]
fn a_play_that_comes_out_otherwise_fails_and_names_the_line() {
    let home = tempfile::tempdir().unwrap();
    script(home.path(), "heart");
    let played = run_with(home.path(), &[], &["sandbox", "--play", "play.yml"]);
    assert_eq!(played.code, 1, "{}", played.out);
    assert!(played.err.starts_with("error: play.yml, line 9: "), "{}", played.err);
}

#[test]
fn a_script_that_cannot_be_read_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("play.yml"),
        "title: T\nsteps:\n  - shout: {by: alice}\n",
    )
    .unwrap();
    let played = run_with(home.path(), &[], &["sandbox", "--play", "play.yml"]);
    assert_eq!(played.code, 1, "{}", played.out);
    assert!(played.err.starts_with("error: play.yml, line 3: "), "{}", played.err);
    let missing = run_with(home.path(), &[], &["sandbox", "--play", "none.yml"]);
    assert!(
        missing.err.starts_with("error: none.yml cannot be read"),
        "{}",
        missing.err
    );
}

#[test]
fn the_sandbox_is_not_offered_to_other_machines() {
    let home = tempfile::tempdir().unwrap();
    let refused = run_with(home.path(), &[], &["sandbox", "--listen", "0.0.0.0:8090"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("others could reach it"), "{}", refused.err);
}

#[tokio::test]
async fn the_sandbox_serves_its_page_without_any_setting_and_ends_when_it_is_interrupted() {
    let home = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .env_clear()
        .env("TMPDIR", home.path())
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let page = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.trim().strip_prefix("page ").map(|url| url.trim().to_owned()))
        .unwrap();
    let runs = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.trim().strip_prefix("countersign ").map(str::to_owned))
        .unwrap();
    let client = reqwest::Client::new();
    let shown = client.get(&page).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    assert!(shown.text().await.unwrap().contains("<!DOCTYPE html>"));

    let act = |wish: Value| {
        let asked = client.post(format!("{page}/sandbox/acts")).json(&wish).send();
        async { assert_eq!(asked.await.unwrap().status(), 200) }
    };
    let state: Value = client
        .get(format!("{page}/sandbox/state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let file = &state["files"][0];
    let text = "version: 1\nproviders: {extract: http:script}\n";
    let write = serde_json::json!({ "path": file["path"], "version": file["version"], "text": text });
    act(serde_json::json!({ "as": "mona", "act": { "write": write } })).await;
    act(serde_json::json!({ "as": "alice", "act": { "open": { "title": "Move", "body": "- [ ] Export the data" } } }))
        .await;
    act(serde_json::json!({ "as": "alice", "act": { "comment": { "issue": 1, "body": "/deliver" } } })).await;
    // The page asks again and again, too; the bot works by itself.
    let flow = loop {
        let state: Value = client
            .get(format!("{page}/sandbox/state"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let flow = state["workflows"][0].clone();
        if flow["status"]
            .as_str()
            .is_some_and(|status| status.starts_with("waiting for"))
        {
            break flow;
        }
    };
    assert_eq!(
        flow["status"],
        "waiting for approval: Tasks, by somebody with write access"
    );
    let stands: Vec<&Value> = flow["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| &phase["stands"])
        .collect();
    assert_eq!(stands, ["waiting for approval", "waits for Tasks", "waits for Issues"]);

    // As the sandbox says at its start.
    let arguments: Vec<&str> = runs.split_whitespace().collect();
    let asked = run_with(home.path(), &[], &arguments);
    assert_eq!(asked.code, 0, "{runs}: {}", asked.err);
    assert!(asked.out.contains("http:script"), "{}", asked.out);

    let interrupted = Command::new("kill")
        .args(["-INT", &program.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    assert!(program.wait().unwrap().success());
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "the sandbox keeps nothing"
    );
}

/// A line without what is different in every play: the sandbox's port, and the digests that cover it.
fn without_chance(line: &str) -> String {
    let hex = |word: &str| word.len() == 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(
            |word| match word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()) {
                digest if hex(digest) => word.replace(digest, "DIGEST"),
                _ => word.to_owned(),
            },
        )
        .collect()
}

#[test]
fn the_readme_shows_what_its_first_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let excerpt = readme
        .split("## What one sees")
        .nth(1)
        .and_then(|section| section.split("```text\n").nth(1)?.split("```").next())
        .unwrap();
    let played = run_with(root, &[], &["sandbox", "--play", "conversations/deliver.yml"]);
    assert_eq!(played.code, 0, "{}\n{}", played.out, played.err);
    let mut printed = played.out.lines().map(without_chance);
    let shown = excerpt.lines().filter(|line| line.trim() != "…");
    for line in shown.map(without_chance) {
        let found = match line.strip_suffix('…') {
            Some(start) => printed.any(|printed| printed.starts_with(start)),
            None => printed.any(|printed| printed == line),
        };
        assert!(found, "the play does not print, or not here:\n{line}");
    }
}

#[test]
fn every_conversation_comes_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut played = 0;
    for entry in std::fs::read_dir(root.join("conversations")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yml") {
            let play = run_with(root, &[], &["sandbox", "--play", &path.to_string_lossy()]);
            assert_eq!(play.code, 0, "{}: {}\n{}", path.display(), play.out, play.err);
            played += 1;
        }
    }
    assert!(played >= 6, "only {played} conversations were found");
}
