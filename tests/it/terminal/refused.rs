//! Bad input, and workflows that live on GitHub.

use serde_json::json;

use super::{GIVEN, Project};
use crate::cli::{only_workflow, run};
use crate::jpa::{DOMAIN, plan, written};
use crate::stages::{GOAL, approve, plan as plan_of_generate};
use crate::world::World;

#[test]
fn what_cannot_be_started_starts_nothing() {
    let project = Project::new();
    let started = |more: &[&str]| project.refused(&[&["run"], more].concat());
    let given = GIVEN.as_slice();
    for (arguments, code, says) in [
        (vec!["jpa-mtt"], 1, "did you mean `jpa-mt`? There are `deliver`, "),
        (vec!["zzz"], 1, "there are `deliver`, `generate`, "),
        (vec!["jpa-mt"], 1, "Give it with -c entity="),
        (vec!["jpa-mt", "-c", "entity"], 2, "write NAME=VALUE"),
        (
            [&["jpa-mt"], given, &["-c", "entty=x"]].concat(),
            1,
            "did you mean `entity`?",
        ),
        (
            [&["jpa-mt"], given, &["-c", "scope=domian"]].concat(),
            1,
            "did you mean `domain`? There are `domain`, `vertical`",
        ),
        ([&["jpa-mt"], given, &["-c", "entity=Other"]].concat(), 2, "given twice"),
        (
            [&["jpa-mt"], &given[..6], &["-c", "schema=db/none.sql"]].concat(),
            1,
            "the project has no file db/none.sql",
        ),
        (
            [&["jpa-mt"], &given[..6], &["-c", "schema=../secret"]].concat(),
            1,
            "(dot-segment)",
        ),
        (
            [&["jpa-mt"], given, &["--planner", "robot"]].concat(),
            2,
            "is no provider",
        ),
        (
            [&["jpa-mt"], given, &["--planner", "http:nowhere"]].concat(),
            3,
            "`http:nowhere` is no provider here",
        ),
        (
            [&["jpa-mt"], given, &["--provider", "planer=rules"]].concat(),
            1,
            "did you mean `planner`?",
        ),
        (
            [&["jpa-mt"], given, &["--gate", "plan.answer"]].concat(),
            2,
            "plan.prompt",
        ),
        (vec!["deliver"], 1, "start it there, with `/run deliver`"),
    ] {
        let (found, said) = started(&arguments);
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert_eq!(found, code, "{arguments:?}: {said}");
    }
    let none = project.run(&["list", "--all", "--project-dir", "."]);
    assert!(
        none.out.contains("There has been no workflow yet") || none.code == 3,
        "{}",
        none.out
    );
    let (code, said) = project.refused(&["run", "jpa-mt", "--project-dir", "nowhere", "-c", "entity=x"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = started(&[&["jpa-mt", "--project-dir", "nowhere"], given].concat());
    assert!(code == 3 && said.contains("does not exist"), "{said}");
    let (code, said) = started(&[&["jpa-mt", "--project-dir", "db/schema.sql"], given].concat());
    assert!(code == 3 && said.contains("is not a directory"), "{said}");
}

#[test]
fn of_several_open_workflows_one_must_be_named() {
    let project = Project::new();
    let (one, two) = (project.started(&[]), project.started(&[]));
    assert_ne!(one, two);
    let (code, said) = project.refused(&["approve"]);
    assert!(
        code == 1 && said.contains("2 workflows are open, so name one"),
        "{said}"
    );
    assert!(said.contains(&one) && said.contains(&two), "{said}");
    let after = project.told(&["approve", &two]);
    assert_eq!(after["next"][0], format!("countersign approve {two}"));
    let (_, said) = project.refused(&["approve", "w0"]);
    assert!(said.contains("there is no workflow w0"), "{said}");
    assert!(
        project
            .refused(&["approve", "compelte", &one])
            .1
            .contains("did you mean `complete`?")
    );
}

#[test]
fn an_answer_that_breaks_a_rule_is_refused_by_its_name_and_changes_nothing() {
    let project = Project::new();
    project.started(&[]);
    project.told(&["approve"]);
    project.put(&project.at_hand(), "I could not do it.\n");
    assert!(project.refused(&["approve"]).1.contains("holds no JSON object"));
    project.put(&project.at_hand(), &plan(&DOMAIN).to_string());
    project.told(&["approve"]);
    project.told(&["approve"]);
    for (path, rule) in [
        ("../Product.java", "dot-segment"),
        (".git/config", "git-directory"),
        (".countersign/state.sqlite", "protected"),
        ("DB/schema.sql/x", "below-file"),
    ] {
        let mut answer = written(&DOMAIN[..1]);
        answer["writes"][0]["path"] = json!(path);
        project.put(&project.at_hand(), &answer.to_string());
        let (code, said) = project.refused(&["approve"]);
        assert!(code == 1 && said.contains(&format!("({rule})")), "{path}: {said}");
    }
    assert_eq!(project.told(&["status"])["phases"][1]["status"], "waiting_for_human");
    assert_eq!(project.tree(), ["db/schema.sql"]);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let project = Project::new();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), project.root().join("src")).unwrap();
    project.started(&[]);
    project.through(&plan(&DOMAIN));
    project.told(&["approve"]);
    project.put(&project.at_hand(), &written(&DOMAIN).to_string());
    let (_, said) = project.refused(&["approve"]);
    assert!(said.contains("(below-symlink)"), "{said}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_state_of_a_newer_program_is_left_alone() {
    let project = Project::new();
    project.started(&[]);
    let state = project.root().join(".countersign/state.sqlite");
    let database = rusqlite::Connection::open(&state).unwrap();
    database.pragma_update(None, "user_version", 9999).unwrap();
    drop(database);
    for arguments in [["approve"].as_slice(), &["status"], &["list"]] {
        let (code, said) = project.refused(arguments);
        assert!(
            code == 3 && said.contains("use the newer program"),
            "{arguments:?}: {said}"
        );
    }
}

#[tokio::test]
async fn on_github_the_shell_approves_nothing_and_its_answer_meets_its_gate() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client for the billing API.");
    world.say("alice", issue, GOAL).await;
    world.hear(issue);
    let id = only_workflow(&world);
    let asked = run(world.home(), &["prompt", &id, "--json"]).envelope()["data"].take();
    assert_eq!(asked["waits_for_approval"], true);
    for arguments in [
        ["approve", id.as_str()].as_slice(),
        &["reject", &id, "--feedback", "no"],
        &["cancel", &id],
        &["approve", "complete", &id],
    ] {
        let ran = run(world.home(), arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("lives on GitHub, on acme/shop#1"), "{}", ran.err);
        assert!(ran.err.contains("/approve DIGEST"), "{}", ran.err);
    }
    std::fs::write(world.home().join("plan.json"), plan_of_generate().to_string()).unwrap();
    std::fs::write(world.home().join("none.json"), "none").unwrap();
    let respond = |file: &str| run(world.home(), &["respond", &id, "--file", file]);
    let of = |words: &[&str]| {
        run(
            world.home(),
            &[&["respond", "--file", "plan.json", &id], words].concat(),
        )
        .err
    };
    let early = respond("plan.json");
    assert!(early.err.contains("it waits for approval of plan"), "{}", early.err);
    approve(&world, issue).await;
    let request = run(world.home(), &["prompt", &id, "--json"]).envelope()["data"].take();
    assert_eq!(request["waits_for_approval"], false);
    assert_eq!(request["schema_name"], "plan.v1");
    let said = of(&["review"]);
    assert!(
        said.contains("review waits for no answer; what is expected now: plan, iteration 1, prompt "),
        "{said}"
    );
    let said = of(&["--prompt", "3f9c0a417be2"]);
    assert!(said.contains("no prompt 3f9c0a417be2 waits"), "{said}");
    assert!(of(&["plam"]).contains("there is no phase plam"));
    assert!(respond("none.json").err.contains("holds no JSON object"));
    let taken = respond("plan.json");
    assert!(
        taken.page().contains("The server was asked to take the answer"),
        "{}",
        taken.out
    );
    let twice = respond("plan.json");
    assert_eq!(twice.code, 1, "{}", twice.out);
    assert!(twice.err.contains("was left for the server before"), "{}", twice.err);
    world.house().obey_once().await.unwrap();
    world.settle().await;
    let card = world.card(issue);
    assert!(card.contains("waiting for approval"), "it meets its gate: {card}");
    assert!(
        card.contains("by the operator `") && card.contains("| the operator's terminal |"),
        "{card}"
    );
    world.hear(issue);
    let late = respond("plan.json");
    assert!(late.err.contains("no answer is waited for"), "{}", late.err);
    let history = run(world.home(), &["history", &id, "--json"]).envelope()["data"].take();
    let proposed = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"]["type"] == "proposed");
    assert_eq!(proposed.count(), 2, "the prompt, and the answer once");
    world.end().await;
}
