//! Histories that the program once wrote. Old events fold for ever: these files are never changed, and every later
//! version must read them, find their chains whole, and come to the same standing.
//!
//! `UPDATE_GOLDEN=1` makes the histories that are missing, with the program as it is; it changes none that is there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign::sandbox::models::{Dialect, ModelServer};
use countersign::sandbox::{FaultKind, FaultRule, Role};
use countersign::store::history::{Record, first_broken_record};
use countersign::workflow::apply::fold;
use countersign::workflow::event::Event;
use countersign::workflow::ids::Digest;
use countersign::workflow::state::{FoldVersion, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::models::{TALK, asks, server_file};
use crate::stages;
use crate::world::{Setup, World, whole_story};

const STORIES: [&str; 22] = [
    "deliver",
    "held",
    "revised",
    "rejected",
    "cancelled",
    "responded",
    "reminded",
    "act_failed",
    "approval_lost",
    "unapproved",
    "cap_reached",
    "forked",
    "prompted",
    "sent_back",
    "solved",
    "skipped",
    "each",
    "gates",
    "variants",
    "repaired",
    "spoken",
    "guided",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/histories")
}

/// A history as it is kept: what it leads to, and its events as they were written.
#[derive(Deserialize)]
struct Golden {
    standing: Value,
    events: Vec<Record>,
}

impl Golden {
    /// The first line is the standing, every other an event.
    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        Self {
            standing: serde_json::from_str(lines.next().unwrap()).unwrap(),
            events: lines.map(|line| serde_json::from_str(line).unwrap()).collect(),
        }
    }

    fn written(standing: &Value, events: &[Record]) -> String {
        let events = events.iter().map(|event| serde_json::to_string(event).unwrap());
        let lines: Vec<String> = std::iter::once(standing.to_string()).chain(events).collect();
        lines.join("\n") + "\n"
    }
}

/// What a state means, in words that outlive its types: when a type changes, this function is adapted and the files
/// are not.
fn standing(state: &State) -> Value {
    let whole = serde_json::to_value(state).unwrap();
    let phases: Map<String, Value> = whole["phases"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, phase)| {
            let mut standing = json!({
                "status": phase["status"],
                "iteration": phase["iteration"],
                "attempt": phase["attempt"],
                "digest": phase["pending"]["digest"],
                "shown": !phase["pending"]["shown_at"].is_null(),
                "acts": phase["pending"]["acts"],
                "void": phase["void"],
                "approved": phase["approval"]["digest"],
                "approved_by": phase["approval"]["by"]["login"],
                "steer": texts(&phase["steer"]),
                "outcomes": phase["outcomes"],
                "waits": !phase["why"].is_null(),
                "ending": phase["ending"],
                "reminders": phase["reminders"],
            });
            // Histories of old have none.
            if let Some(guidelines) = phase.get("guidelines") {
                standing["guidelines"] = json!({ "path": guidelines["path"], "found": guidelines["found"] });
            }
            (id.clone(), standing)
        })
        .collect();
    let record: Vec<Value> = whole["record"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let what = match &entry["what"] {
                Value::String(word) => word.clone(),
                other => other.as_object().unwrap().keys().next().unwrap().clone(),
            };
            json!({ "at": entry["at"], "by": entry["by"]["login"], "what": what })
        })
        .collect();
    json!({
        "id": whole["id"],
        "version": whole["version"],
        "definition": state.definition.name,
        "subject": whole["subject"]["number"],
        "repository": whole["subject"]["repository"],
        "starter": whole["starter"]["login"],
        "status": whole["status"]["status"],
        "held": !whole["hold"].is_null(),
        "phases": phases,
        "record": record,
    })
}

fn texts(words: &Value) -> Vec<&Value> {
    words.as_array().unwrap().iter().map(|words| &words["text"]).collect()
}

#[test]
fn old_histories_fold_to_what_they_once_did() {
    let mut read = 0;
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let golden = Golden::read(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(first_broken_record(&golden.events), None, "the chain of {name}");
        let events: Vec<_> = golden
            .events
            .iter()
            .map(|record| {
                let event = record.read();
                (
                    event.unwrap_or_else(|error| panic!("{name}, event {}: {error}", record.seq)),
                    record.at,
                )
            })
            .collect();
        let state = fold(events.iter().map(|(event, at)| (event, *at))).unwrap();
        assert_eq!(standing(&state), golden.standing, "{name}");
        read += 1;
    }
    assert!(read >= STORIES.len(), "only {read} histories are there");
}

/// What the histories lead to, whole, and the version of the fold that said so.
#[derive(Serialize, Deserialize, PartialEq)]
struct Folded {
    version: FoldVersion,
    /// The digest of each history's state.
    states: BTreeMap<String, Digest>,
}

/// A state that is stored is used as it is by programs of the same version of the fold, and folded again by others.
#[test]
fn another_fold_has_another_version() {
    let path = folder().with_file_name("folded.json");
    let mut now = Folded {
        version: FoldVersion::CURRENT,
        states: BTreeMap::new(),
    };
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let golden = Golden::read(&std::fs::read_to_string(&path).unwrap());
        let events: Vec<_> = golden.events.iter().map(|of| (of.read().unwrap(), of.at)).collect();
        let mut state = fold(events.iter().map(|(event, at)| (event, *at))).unwrap();
        state.fold = FoldVersion::default();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        now.states.insert(name, Digest::of(&state));
    }
    let before: Option<Folded> = std::fs::read_to_string(&path)
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap());
    if let Some(before) = before.as_ref().filter(|before| before.version == now.version) {
        for (name, digest) in &before.states {
            let same = now.states.get(name) == Some(digest);
            assert!(same, "{name} leads to another state: raise FoldVersion::CURRENT");
        }
    }
    if before.as_ref() != Some(&now) {
        let update = std::env::var_os("UPDATE_GOLDEN").is_some();
        assert!(update, "UPDATE_GOLDEN=1 writes what the histories lead to now");
        std::fs::write(&path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    }
}

/// The kinds of events that there are: those that the type says it takes.
fn every_kind() -> Vec<String> {
    let refused = serde_json::from_value::<Event>(json!({ "type": "" }))
        .unwrap_err()
        .to_string();
    let (_, kinds) = refused.split_once("expected one of ").expect("serde names all");
    kinds.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every kind of event that there is has been written once and is kept.
#[test]
fn every_kind_of_event_is_in_a_history() {
    let mut kinds = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let golden = Golden::read(&std::fs::read_to_string(file.unwrap().path()).unwrap());
        kinds.extend(
            golden
                .events
                .iter()
                .map(|record| record.event["type"].as_str().unwrap().to_owned()),
        );
    }
    let all = every_kind();
    assert!(all.len() > 30, "{all:?}");
    for kind in &all {
        assert!(kinds.contains(kind), "no history has the event {kind}");
    }
}

#[tokio::test]
async fn every_story_has_its_history() {
    for name in STORIES {
        let path = folder().join(format!("{name}.jsonl"));
        if path.exists() {
            continue;
        }
        assert!(
            std::env::var_os("UPDATE_GOLDEN").is_some(),
            "{name} has no history: UPDATE_GOLDEN=1 makes it"
        );
        let world = told(name).await;
        let store = world.house().engine.store();
        let mut ids = store.workflow_ids().await.unwrap();
        let id = match name {
            // The parent; its children came later.
            "each" => ids.remove(0),
            _ => ids.pop().unwrap(),
        };
        let stored = store.workflow(&id).await.unwrap().unwrap();
        let records = store.records(&id).await.unwrap();
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, Golden::written(&standing(&stored.state), &records)).unwrap();
        world.close().await;
    }
}

fn usual() -> Setup {
    whole_story::setup()
}

/// No act leaves while this holds, and GitHub says so: nothing is in doubt.
fn nothing_leaves(world: &World) {
    let wait = FaultKind::TooManyRequests { retry_after: Some(600) };
    world
        .github
        .fault(FaultRule::on("POST", "/repos/acme/shop/labels", wait));
}

async fn told(name: &str) -> World {
    match name {
        "cap_reached" => return cap_reached().await,
        "responded" => return responded().await,
        "prompted" => return prompted().await,
        "guided" => return guided().await,
        "sent_back" => return sent_back().await,
        "solved" | "skipped" => return solved(name).await,
        "each" => return crate::children::played().await,
        "gates" => return crate::gates::played().await,
        "variants" => return crate::variants::played().await,
        "repaired" => return crate::repair::played().await,
        _ => {}
    }
    let world = usual().start().await;
    let issue = world.delivered().await;
    match name {
        "deliver" => {
            world.approve("bob", issue).await;
            world.wait(20).await;
            world.approve("alice", issue).await;
        }
        "held" => {
            world.say("carol", issue, "/hold the release comes first").await;
            world.say("bob", issue, "/unhold").await;
        }
        "revised" => {
            world.say("bob", issue, "/edit t1 title=\"Measure the checkout\"").await;
            world.say("bob", issue, "/revise leave the index out").await;
        }
        "rejected" => {
            world.say("bob", issue, "/reject the index is there already").await;
            world.say("bob", issue, "/retry").await;
            world.say("alice", issue, "/reject still not").await;
        }
        "cancelled" => {
            world.approve("bob", issue).await;
            world.say("alice", issue, "/cancel no mail please").await;
        }
        // By whom and by which surface each was said.
        "spoken" => {
            world.say("bob", issue, "/edit t1 title=\"Measure the checkout\"").await;
            world.label("bob", issue, "countersign:hold").await;
            world.say("bob", issue, "/unhold").await;
            world.say("bob", issue, "/reject the index is there already").await;
            world.say("bob", issue, "/retry").await;
            nothing_leaves(&world);
            world.approve("bob", issue).await;
            world.say("bob", issue, "/unapprove").await;
            world.say("alice", issue, "/revise without the index").await;
            world.say("alice", issue, "/cancel another way").await;
        }
        "reminded" => {
            for _ in 0..4 {
                world.wait(168 * 3600).await;
            }
        }
        "act_failed" => {
            let opening = |method: &str, path: &str| method == "POST" && path == "/repos/acme/shop/issues";
            world
                .github
                .fault(FaultRule::when(opening, FaultKind::Status(403)).after(1));
            world.approve("bob", issue).await;
            world.github.heal();
            world.say("bob", issue, "/retry").await;
        }
        "approval_lost" => {
            nothing_leaves(&world);
            world.approve("bob", issue).await;
            world.github.set_role("bob", Role::Read);
            world.github.heal();
            world.wait(3600).await;
        }
        "unapproved" => {
            nothing_leaves(&world);
            world.approve("bob", issue).await;
            world.say("bob", issue, "/unapprove").await;
            world.github.heal();
            world.wait(3600).await;
        }
        "forked" => {
            let store = world.house().engine.store();
            let origin = store.workflow_ids().await.unwrap().remove(0);
            world.say("alice", issue, "/cancel another way").await;
            let history = store.history(&origin).await.unwrap();
            let shown = history
                .iter()
                .position(|of| matches!(of.event, Event::Shown { .. }))
                .unwrap()
                + 1;
            world.wait(60).await;
            let asked = countersign::engine::ForkRequest {
                origin,
                after: u32::try_from(shown).unwrap(),
                into: "wforked".into(),
                command: 1,
            };
            world.house().engine.fork(&asked).await.unwrap().unwrap();
            world.settle().await;
        }
        other => panic!("nobody tells {other}"),
    }
    world
}

async fn responded() -> World {
    let config = "version: 1\nproviders: {extract: manual}\n";
    let world = usual().config(config).start().await;
    let issue = world.discussion().await;
    world.say("alice", issue, "/deliver").await;
    let comment = world.github.comments(issue)[0].id;
    let answer = json!({
        "tasks": [{
            "key": "a", "title": "Write the runbook", "body": "", "acceptance_criteria": [], "assignee": "bob",
            "labels": [], "priority": null, "estimate": null, "due_date": null, "depends_on": [],
            "sources": [{ "comment_id": comment, "quote": "@bob will write the runbook" }], "confidence": "high",
        }],
        "rejected": [],
        "questions": [],
    });
    world
        .say("bob", issue, &format!("/respond\n```json\n{answer}\n```"))
        .await;
    world.wait(20).await;
    world.approve("alice", issue).await;
    world
}

/// A prompt was changed and approved, and its first answer rejected.
async fn prompted() -> World {
    let world = usual().start().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, stages::GOAL).await;
    world
        .say("bob", issue, "/edit\n```\nYou plan in one sentence.\n```")
        .await;
    stages::approve(&world, issue).await;
    stages::respond(&world, issue, &stages::plan()).await;
    world.say("bob", issue, "/reject it names no tests").await;
    stages::respond(&world, issue, &stages::plan()).await;
    world
}

/// A plan is made with guidelines, then with others, and then with none that could be given.
async fn guided() -> World {
    let setup = usual().github(|github| github.file("AGENTS.md", "Every plan names its tests.\n"));
    let world = setup.start().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, stages::GOAL).await;
    world
        .github
        .as_("bob")
        .set_file("AGENTS.md", "Every plan names its risks.\n")
        .unwrap();
    stages::through(&world, issue, &stages::plan()).await;
    world
        .github
        .as_("bob")
        .set_file("AGENTS.md", "password=hunter2\n")
        .unwrap();
    world.settle().await;
    world.say("bob", issue, "/revise with tests").await;
    stages::through(&world, issue, &stages::files("fn pay() {}\n")).await;
    world
}

/// A review fails, the verdict goes back, and the next review is overridden.
async fn sent_back() -> World {
    let world = usual().start().await;
    let issue = world.issue("Billing", "We need a client.");
    world.say("alice", issue, stages::GOAL).await;
    for answer in [
        stages::plan(),
        stages::files("fn pay() {}\n"),
        stages::review(Some("major")),
        stages::files("fn pay() { pay_now() }\n"),
    ] {
        stages::through(&world, issue, &answer).await;
    }
    stages::approve(&world, issue).await;
    stages::respond(&world, issue, &stages::review(Some("critical"))).await;
    world.wait(20).await;
    world.say("bob", issue, "/approve complete").await;
    world
}

/// An issue says too little; its questions are answered, or skipped, and a person solves it.
async fn solved(name: &str) -> World {
    let world = World::new().await;
    let issue = world.issue("Pay", "It crashes in 1.4 when I press Pay twice. It should not.");
    world.say("alice", issue, "/run solve").await;
    world.say("alice", issue, "/answer 1 Press Pay twice.").await;
    match name {
        "skipped" => world.say("bob", issue, "/skip the customer is away").await,
        _ => world.say("bob", issue, "/answer 2 Two payments.").await,
    };
    let answer = json!({
        "content": "Hold the second press back.", "confidence": "low", "rationale": "It is enough.", "assumptions": [],
    });
    let text = format!("/respond\n```json\n{answer}\n```");
    world.say("bob", issue, &text).await;
    let approve = format!("/approve {}", world.digest(issue));
    world.say("alice", issue, &approve).await;
    world
}

/// A cap is in the way of a model, is raised, and it goes on.
async fn cap_reached() -> World {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [("local", Dialect::OpenAi, "")];
    let mut world = usual()
        .server_file(&server_file(&models, &endpoints, "{run: {tokens: 100}}"))
        .config(&asks("http:local"))
        .start()
        .await;
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    world.change_server_file(&server_file(&models, &endpoints, "{run: {tokens: 100000}}"));
    world.restart().await;
    world.say("alice", issue, "/retry").await;
    world
}
