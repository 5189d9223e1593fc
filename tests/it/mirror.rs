//! Labels that mirror on a subject where its workflow stands: they follow it, people's labels stay, and what stands
//! otherwise is set right.

use std::time::Duration;

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule, IssueNumber, RequestRecord};
use countersign::workflow::labels::{Difference, shown};
use serde_json::json;

use crate::bad_input::holds;
use crate::cli::run_with;
use crate::crash::{Side, StoppedAround};
use crate::faults::Patient;
use crate::world::whole_story::{Course, Plain};
use crate::world::{Setup, World};

const FAULT: &str = "It crashes when I press Pay twice.";

/// Two phases side by side and one behind them, all done by hand.
const SIDES: &str = "name: sides
version: 1
title: Two side by side
prompts: {ask: Ask}
phases:
  - {id: a, title: A, prompt: ask, schema: document.v1, provider: manual, gate: people, label: side:a}
  - id: b
    title: B
    prompt: ask
    schema: document.v1
    provider: manual
    gate: people
    label: {waiting_for_human: side:b, ready_for_review: side:review, rejected: side:rejected, completed: side:b-done}
  - id: c
    title: C
    prompt: ask
    schema: document.v1
    provider: manual
    needs: [a, b]
    label: {blocked: side:waits, waiting_for_human: side:c, completed: side:done}
";

fn sides() -> Setup {
    Setup::new().github(|github| github.file(".github/countersign/sides.yml", SIDES))
}

/// An answer by hand for a phase of [`SIDES`].
fn answer(phase: &str) -> String {
    format!(
        "/respond {phase}\n```json\n{}\n```",
        json!({"title": "Made", "sections": [{"heading": "H", "text": format!("By {phase}.")}]})
    )
}

fn solution() -> String {
    format!(
        "/respond\n```json\n{}\n```",
        json!({"content": "Hold the second press back.", "confidence": "medium", "rationale": "It is not held back.",
            "assumptions": []})
    )
}

/// The labels that stand on a subject, in order of their names.
fn labels(world: &World, issue: IssueNumber) -> Vec<String> {
    let mut labels = world.github.labels(issue);
    labels.sort();
    labels
}

/// Somebody speaks, and nothing is made of what the bot says.
async fn say(world: &World, who: &str, issue: IssueNumber, text: &str) {
    world.say(who, issue, text).await;
    world.hear(issue);
}

/// The labels of a subject are those that the state of its newest workflow asks for, of those that it names.
async fn stand_as_they_should(world: &World, when: &str) {
    let store = world.house().engine.store();
    let newest = store.workflow_ids().await.unwrap().pop().unwrap();
    let state = store.workflow(&newest).await.unwrap().unwrap().state;
    let present = world.github.labels(IssueNumber(state.subject.number.0));
    let difference = Difference::of(&state, &present, std::iter::empty());
    assert_eq!(
        difference,
        Difference::default(),
        "{when}: {present:?}, {:?}",
        shown(&state)
    );
}

/// How often this happened to the newest workflow.
async fn happened(world: &World, name: &str) -> usize {
    let store = world.house().engine.store();
    let newest = store.workflow_ids().await.unwrap().pop().unwrap();
    let history = store.history(&newest).await.unwrap();
    history.iter().filter(|stored| stored.event.name() == name).count()
}

/// The writes of labels, as GitHub took them.
fn writes(world: &World) -> Vec<String> {
    let is_label = |request: &RequestRecord| is_write(&request.method, &request.path);
    let all = world.github.requests().into_iter().filter(is_label);
    all.map(|request| {
        let body = request.body.map(|body| body.to_string()).unwrap_or_default();
        format!("{} {} {body}", request.method, request.path)
            .trim_end()
            .to_owned()
    })
    .filter(|line| !line.contains("countersign:"))
    .collect()
}

fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && path.contains("/labels")
}

#[tokio::test]
async fn the_labels_follow_a_whole_solve_and_cost_what_differs() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    world.label("alice", issue, "bug").await;
    world.label("carol", issue, "wf:other").await;
    say(&world, "alice", issue, "/run solve").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:collecting", "wf:other"]);
    say(&world, "alice", issue, "/hold Not now.").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:collecting", "wf:other"]);
    say(&world, "alice", issue, "/unhold").await;
    say(&world, "alice", issue, "/skip").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:other", "wf:solving"]);
    say(&world, "alice", issue, &solution()).await;
    assert_eq!(labels(&world, issue), ["bug", "wf:discussion", "wf:other"]);
    say(&world, "bob", issue, "/revise Say so to the customer.").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:other", "wf:solving"]);
    say(
        &world,
        "alice",
        issue,
        &solution().replace("back.", "back, and say so."),
    )
    .await;
    world.wait(20).await;
    say(&world, "bob", issue, "/approve").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:done", "wf:other"]);
    stand_as_they_should(&world, "at the end").await;
    let made = |name: &str, phase: &str| {
        let body = json!({"name": name, "color": "c5def5",
            "description": format!("Shows where solve stands: {phase}. Set by hand it does nothing")});
        format!("POST /repos/acme/shop/labels {body}")
    };
    let on = |name: &str| format!("POST /repos/acme/shop/issues/1/labels {}", json!({ "labels": [name] }));
    let off = |name: &str| format!("DELETE /repos/acme/shop/issues/1/labels/wf%3A{name}");
    assert_eq!(
        writes(&world),
        [
            made("wf:collecting", "collect"),
            on("wf:collecting"),
            made("wf:solving", "solve"),
            on("wf:solving"),
            off("collecting"),
            made("wf:discussion", "solve"),
            on("wf:discussion"),
            off("solving"),
            on("wf:solving"),
            off("discussion"),
            on("wf:discussion"),
            off("solving"),
            made("wf:done", "solve"),
            on("wf:done"),
            off("discussion"),
        ]
    );
    assert_eq!(happened(&world, "repaired").await, 0);
    // The next workflow of the same definition takes off what is left of this one.
    say(&world, "alice", issue, "/run solve").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:collecting", "wf:other"]);
    say(&world, "alice", issue, "/cancel").await;
    assert_eq!(labels(&world, issue), ["bug", "wf:other"]);
    world.end().await;
}

#[tokio::test]
async fn the_labels_follow_a_whole_solve_on_a_discussion() {
    let world = World::new().await;
    let talk = world.github.as_("alice").start_discussion("Pay", FAULT).unwrap();
    world.label("alice", talk, "bug").await;
    say(&world, "alice", talk, "/run solve").await;
    assert_eq!(labels(&world, talk), ["bug", "wf:collecting"]);
    say(&world, "alice", talk, "/skip").await;
    assert_eq!(labels(&world, talk), ["bug", "wf:solving"]);
    say(&world, "alice", talk, &solution()).await;
    assert_eq!(labels(&world, talk), ["bug", "wf:discussion"]);
    world.github.as_("mona").unlabel(talk, "wf:discussion").unwrap();
    world.reconcile().await;
    assert_eq!(labels(&world, talk), ["bug", "wf:discussion"]);
    let digest = world.digest(talk);
    say(&world, "bob", talk, &format!("/approve {digest}")).await;
    assert_eq!(labels(&world, talk), ["bug", "wf:done"]);
    assert_eq!(happened(&world, "repaired").await, 1);
    world.end().await;
}

#[tokio::test]
async fn phases_side_by_side_show_their_labels_at_once_and_all_go_when_it_is_cancelled() {
    let world = sides().start().await;
    let issue = world.issue("Sides", "Both of them.");
    world.label("alice", issue, "bug").await;
    say(&world, "alice", issue, "/run sides").await;
    assert_eq!(labels(&world, issue), ["bug", "side:a", "side:b", "side:waits"]);
    say(&world, "alice", issue, &answer("b")).await;
    assert_eq!(labels(&world, issue), ["bug", "side:a", "side:review", "side:waits"]);
    world.wait(20).await;
    say(&world, "bob", issue, "/reject Not so.").await;
    assert_eq!(labels(&world, issue), ["bug", "side:a", "side:rejected", "side:waits"]);
    say(&world, "alice", issue, &answer("a")).await;
    assert_eq!(labels(&world, issue), ["bug", "side:a", "side:rejected", "side:waits"]);
    say(&world, "alice", issue, "/retry").await;
    assert_eq!(labels(&world, issue), ["bug", "side:a", "side:b", "side:waits"]);
    say(&world, "alice", issue, "/hold For today.").await;
    say(&world, "alice", issue, "/cancel Not at all.").await;
    assert_eq!(labels(&world, issue), ["bug"]);
    world.end().await;
}

#[tokio::test]
async fn a_pull_request_shows_where_its_workflow_stands_too() {
    let world = sides().start().await;
    let pull = world.github.as_("bob").open_pull("Faster", "Much.", "fast").unwrap();
    say(&world, "alice", pull, "/run sides").await;
    assert_eq!(labels(&world, pull), ["side:a", "side:b", "side:waits"]);
    for phase in ["a", "b"] {
        say(&world, "alice", pull, &answer(phase)).await;
        let digest = world.digest(pull);
        say(&world, "bob", pull, &format!("/approve {digest}")).await;
    }
    assert_eq!(labels(&world, pull), ["side:b-done", "side:c"]);
    say(&world, "alice", pull, &answer("c")).await;
    assert_eq!(labels(&world, pull), ["side:b-done", "side:done"]);
    world.end().await;
}

#[tokio::test]
async fn a_label_that_people_change_starts_nothing_and_is_set_right_and_told_of_each_time() {
    let mut world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    say(&world, "alice", issue, "/run solve").await;
    let before = world.card(issue);
    world.github.as_("mona").unlabel(issue, "wf:collecting").unwrap();
    world.label("mona", issue, "wf:done").await;
    world.label("mona", issue, "WF:Solving").await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    assert_eq!(world.card(issue), before, "it is no way to speak");
    assert_eq!(labels(&world, issue), ["WF:Solving", "wf:done"]);
    world.reconcile().await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    let told = "found the labels otherwise and put back `wf:collecting` and took off `WF:Solving` and `wf:done`";
    holds(&world.card(issue), &[told]);
    assert_eq!(happened(&world, "repaired").await, 1);
    for _ in 0..2 {
        world.reconcile().await;
        world.wait(3600).await;
    }
    assert_eq!(happened(&world, "repaired").await, 1, "nothing is repaired twice");
    // The same once more: by /status, within the hour, and when a server starts.
    world.label("mona", issue, "wf:done").await;
    say(&world, "rita", issue, "/status").await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    assert_eq!(happened(&world, "repaired").await, 2);
    world.label("mona", issue, "wf:done").await;
    world.wait(3600).await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    world.label("mona", issue, "wf:done").await;
    world.restart().await;
    world.reconcile().await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    assert_eq!(happened(&world, "repaired").await, 4);
    assert_eq!(world.hear(issue), Vec::<String>::new(), "the card tells of it");
    world.end().await;
}

#[tokio::test]
async fn a_label_that_was_deleted_in_the_repository_is_made_again() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    say(&world, "alice", issue, "/run solve").await;
    world.github.as_("ada").delete_label("wf:collecting").unwrap();
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    world.reconcile().await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    let made = |line: &&String| line.starts_with("POST /repos/acme/shop/labels") && line.contains("c5def5");
    assert_eq!(writes(&world).iter().filter(made).count(), 2);
    // One that people have made in their own way stays as it is.
    world.github.as_("ada").label(issue, "wf:solving").unwrap();
    say(&world, "alice", issue, "/skip").await;
    assert_eq!(labels(&world, issue), ["wf:solving"]);
    assert_eq!(writes(&world).iter().filter(made).count(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_begun_gives_way_to_what_comes_later() {
    let mut world = Setup::new().set("COUNTERSIGN_GITHUB_PACE", "default").start().await;
    let issue = world.issue("Pay", FAULT);
    for text in ["/run solve", "/skip", &solution()] {
        say(&world, "alice", issue, text).await;
    }
    const PLANNED: &str = "SELECT state FROM effects WHERE kind = 'labels' ORDER BY seq";
    let planned = world.house().engine.store().read(PLANNED, Vec::new()).await.unwrap();
    let planned: Vec<&str> = planned.iter().map(|row| row.text("state").unwrap()).collect();
    assert_eq!(planned, ["cancelled", "cancelled", "ready"]);
    Patient.settle(&mut world).await;
    assert_eq!(labels(&world, issue), ["wf:discussion"]);
    assert_eq!(writes(&world).len(), 2, "{:#?}", writes(&world));
    // What is left of it takes its turn: each write is a second apart from the one before.
    say(&world, "alice", issue, "/cancel").await;
    say(&world, "alice", issue, "/run solve").await;
    Patient.settle(&mut world).await;
    let requests = world.github.requests().into_iter();
    let made: Vec<_> = requests.filter(|made| is_write(&made.method, &made.path)).collect();
    assert!(made.len() > 5, "{made:#?}");
    for pair in made.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart >= TimeDelta::seconds(1), "{apart}: {pair:#?}");
    }
    world.close().await;
}

#[tokio::test]
async fn labels_that_cannot_be_set_hold_up_nothing_and_come_later() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    let on = |method: &str, path: &str| method == "POST" && path.ends_with("/issues/1/labels");
    world.github.fault(FaultRule::when(on, FaultKind::Status(502)));
    for text in ["/run solve", "/skip", &solution()] {
        say(&world, "alice", issue, text).await;
    }
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    holds(&world.card(issue), &["### Clarify, then solve · waiting for approval"]);
    world.github.heal();
    world.wait(3600).await;
    assert_eq!(labels(&world, issue), ["wf:discussion"]);
    world.end().await;
}

#[tokio::test]
async fn what_an_ended_workflow_left_undone_is_no_matter_once_another_has_begun() {
    let mut world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    say(&world, "alice", issue, "/run solve").await;
    let off = |method: &str, path: &str| method == "DELETE" && path.contains("/labels/wf");
    world.github.fault(FaultRule::when(off, FaultKind::Status(502)));
    say(&world, "alice", issue, "/cancel").await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    say(&world, "alice", issue, "/run solve").await;
    world.github.heal();
    Patient.settle(&mut world).await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    assert!(!writes(&world).iter().any(|line| line.contains("wf:done")));
    stand_as_they_should(&world, "after both").await;
    say(&world, "alice", issue, "/cancel").await;
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn a_subject_that_is_gone_or_somewhere_else_is_left_alone() {
    let world = Setup::new()
        .github(|github| {
            github
                .repo("acme/site")
                .person("ada", countersign::sandbox::Role::Admin)
                .repo("acme/shop")
        })
        .start()
        .await;
    let moved = world.issue("Pay", FAULT);
    say(&world, "alice", moved, "/run solve").await;
    let there = world.github.as_("ada").transfer_issue(moved, "acme/site").unwrap();
    world.settle().await;
    let site = world.github.at("acme/site");
    let off = |line: &&String| line.starts_with("DELETE");
    assert_eq!(writes(&world).iter().filter(off).count(), 0, "{:?}", site.labels(there));
    let gone = world.issue("Pay", FAULT);
    say(&world, "alice", gone, "/run solve").await;
    world.github.as_("ada").delete_issue(gone).unwrap();
    world.settle().await;
    assert_eq!(writes(&world).iter().filter(off).count(), 0);
    let store = world.house().engine.store();
    let failed = store
        .effects(countersign::store::effects::Which::Failed, 10)
        .await
        .unwrap();
    assert!(failed.iter().all(|effect| effect.kind != "labels"), "{failed:#?}");
    world.close().await;
}

#[tokio::test]
async fn a_wrong_label_is_told_with_its_place_and_what_to_do() {
    let wrong = SIDES.replace("label: side:a", "label: Countersign:a");
    let world = Setup::new()
        .github(|github| github.file(".github/countersign/sides.yml", &wrong))
        .start()
        .await;
    let issue = world.issue("Sides", "Both of them.");
    world.say("alice", issue, "/run sides").await;
    let heard = world.hear(issue).join("\n");
    holds(
        &heard,
        &[
            "`.github/countersign/sides.yml` cannot be used",
            "line 6, column 96",
            "by such labels people speak to the bot",
            "choose another beginning, such as `wf:`",
        ],
    );
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn the_operator_reads_which_labels_should_stand() {
    let world = World::new().await;
    if !world.house().engine.store().alone() {
        return world.end().await;
    }
    let issue = world.issue("Pay", FAULT);
    say(&world, "alice", issue, "/run solve").await;
    world.label("mona", issue, "wf:done").await;
    world.reconcile().await;
    let id = world
        .house()
        .engine
        .store()
        .workflow_ids()
        .await
        .unwrap()
        .pop()
        .unwrap();
    let home = world.home().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let database = [("COUNTERSIGN_DATABASE_URL", "sqlite:bot.sqlite")];
        ["status", "history"].map(|order| run_with(&home, &database, &[order, id.as_str()]).out)
    });
    let [status, history] = ran.await.unwrap();
    holds(&status, &["labels", "wf:collecting"]);
    holds(&history, &["labels: wf:done was too many"]);
    world.end().await;
}

/// Questions that are skipped, an answer in the agent's place, an approval; the labels that stand on the subject then.
async fn solved(world: &mut World, course: &mut impl Course) -> Vec<String> {
    let issue = world.issue("Pay", FAULT);
    course.settle(world).await;
    for (who, text) in [
        ("alice", "/run solve"),
        ("alice", "/skip"),
        ("alice", solution().as_str()),
        ("bob", "/approve"),
    ] {
        world.clock.advance(TimeDelta::seconds(20));
        world.github.as_(who).comment(issue, text).unwrap();
        course.settle(world).await;
        stand_as_they_should(world, text).await;
    }
    labels(world, issue)
}

/// Stopped on one side of each write of a label in turn.
async fn stopped(side: Side) {
    let mut world = World::new().await;
    solved(&mut world, &mut Plain).await;
    let requests = world.github.requests();
    let made = |request: &&RequestRecord| is_write(&request.method, &request.path);
    let count = requests.iter().filter(made).count();
    world.close().await;
    assert!(count > 10, "{count} writes");
    for number in 1..=count {
        let mut world = World::new().await;
        let mut course = StoppedAround::write(&world, is_write, number, side);
        let labels = solved(&mut world, &mut course).await;
        assert!(course.stopped, "write {number} of {count} was not made");
        assert_eq!(labels, ["wf:done"], "{side:?} write {number} of {count}");
        world.close().await;
    }
}

#[tokio::test]
async fn stopped_before_every_write_of_a_label_they_stand_as_they_should() {
    stopped(Side::Before).await;
}

#[tokio::test]
async fn stopped_behind_every_write_of_a_label_they_stand_as_they_should() {
    stopped(Side::Behind).await;
}

const KINDS: [FaultKind; 9] = [
    FaultKind::Refuse,
    FaultKind::ExecuteThenTimeout,
    FaultKind::ExecuteThenReset,
    FaultKind::Error500AfterExecute,
    FaultKind::TooManyRequests { retry_after: Some(30) },
    FaultKind::TooManyRequests { retry_after: None },
    FaultKind::Secondary403 { retry_after: Some(30) },
    FaultKind::SlowThenOk(Duration::from_millis(50)),
    FaultKind::WrongJson,
];

#[tokio::test]
async fn whatever_goes_wrong_with_a_label_they_stand_as_they_should() {
    let calls: [fn(&str, &str) -> bool; 4] = [
        |method, path| method == "POST" && path.ends_with("/shop/labels"),
        |method, path| method == "POST" && path.ends_with("/issues/1/labels"),
        |method, path| method == "DELETE" && path.contains("/labels/wf"),
        |method, path| method == "GET" && path.contains("/shop/labels/"),
    ];
    for kind in KINDS {
        let mut world = match kind {
            FaultKind::ExecuteThenTimeout => Setup::new().patience(Duration::from_millis(600)).start().await,
            _ => World::new().await,
        };
        for is in calls {
            world.github.fault(FaultRule::when(is, kind).after(1).times(1));
        }
        let labels = solved(&mut world, &mut Patient).await;
        assert_eq!(labels, ["wf:done"], "{kind:?}");
        let requests = world.github.requests();
        for (at, is) in calls.into_iter().enumerate() {
            let struck = |request: &RequestRecord| request.fault.is_some() && is(&request.method, &request.path);
            assert!(requests.iter().any(struck), "no call {at} went wrong by {kind:?}");
        }
        world.close().await;
    }
}

#[tokio::test]
async fn a_write_that_was_overtaken_is_taken_back() {
    let mut world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    let on = |method: &str, path: &str| method == "POST" && path.ends_with("/issues/1/labels");
    world.github.fault(FaultRule::when(on, FaultKind::ExecuteLate).times(1));
    say(&world, "alice", issue, "/run solve").await;
    world.wait(60).await;
    assert_eq!(labels(&world, issue), ["wf:collecting"]);
    say(&world, "alice", issue, "/cancel").await;
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    world.github.carry_out_late();
    assert_eq!(labels(&world, issue), ["wf:collecting"], "it was on its way");
    Patient.settle(&mut world).await;
    assert_eq!(labels(&world, issue), Vec::<String>::new());
    world.end().await;
}

/// Commands of all kinds, in an order by chance.
#[tokio::test]
async fn at_rest_the_labels_are_those_of_the_state_whatever_happened() {
    const WORDS: [&str; 15] = [
        "/run sides",
        "/run sides",
        "/respond a",
        "/respond a",
        "/respond b",
        "/respond b",
        "/respond c",
        "/respond c",
        "/approve",
        "/approve",
        "/approve",
        "/reject No.",
        "/revise Otherwise.",
        "/retry",
        "/hold",
    ];
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..4_u64 {
        let mut world = sides().start().await;
        let issue = world.issue("Sides", "Both of them.");
        world.github.as_("alice").label(issue, "bug").unwrap();
        let mut chance = seed;
        for step in 0..50 {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(chance >> 33).unwrap() % WORDS.len();
            let text = match WORDS[at].strip_prefix("/respond ") {
                Some(phase) => answer(phase).replace("Made", &format!("Made {step}")),
                None => WORDS[at].to_owned(),
            };
            let texts = match step {
                0 => vec!["/run sides"],
                24 => vec!["/cancel"],
                _ if text == "/hold" => vec!["/hold", "/unhold"],
                _ => vec![text.as_str()],
            };
            for text in texts {
                world.clock.advance(TimeDelta::seconds(20));
                say(&world, "alice", issue, text).await;
                stand_as_they_should(&world, &format!("{seed}.{step} {text}")).await;
            }
            let labels = labels(&world, issue);
            assert!(labels.contains(&"bug".to_owned()), "{labels:?}");
            seen.insert(labels);
        }
        Plain.settle(&mut world).await;
        world.end().await;
    }
    assert!(seen.len() > 6, "{seen:#?}");
}
