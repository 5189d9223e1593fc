//! Telling others than GitHub: a real receiver that checks signatures by its own code, and everything that can go wrong on
//! the way to it.

#[path = "../notify/receiver.rs"]
mod receiver;

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use countersign::sandbox::{Delivery, FaultKind, FaultRule, IssueNumber, Role, Sandbox, Visibility};
use countersign::store::effects::Which;
use countersign::store::{Statement, Write};
use countersign::values;
use serde_json::{Value, json};

use crate::bad_input::door::listen_to_the_log;
use crate::bad_input::{TASKS, approve, asked, figure, holds, opened, page};
use crate::cli::{only_workflow, run};
use crate::mail::scripted::{Does as MailDoes, Script, When};
use crate::start::{Program, one, until};
use crate::world::{Base, CONFIG, CONFIG_PATH, SECRET as WEBHOOK_SECRET, Setup, World};
use receiver::{Does, Receiver, SECRET, TOKEN, Taken};

/// A server's file with one endpoint, called `ops`.
fn file(receiver: &Receiver, more: &str) -> String {
    format!(
        "notifications:\n  endpoints:\n    ops: {{url: '{}', secret_env: OPS_SECRET, {more}}}\n",
        receiver.url
    )
}

fn told(receiver: &Receiver, more: &str) -> Setup {
    Setup::new()
        .server_file(&file(receiver, more))
        .set("OPS_SECRET", SECRET)
}

/// A world whose bot tells this receiver of all.
async fn world(receiver: &Receiver) -> World {
    told(receiver, "").start().await
}

/// Bob approves what the card shows, when it has rested.
async fn approved(world: &World, issue: IssueNumber) {
    world.clock.advance(TimeDelta::seconds(20));
    approve(world, issue).await;
}

/// The notifications of the outbox, by state.
async fn outbox(world: &World, state: &str) -> i64 {
    const COUNT: &str = "SELECT COUNT(*) AS number FROM effects WHERE kind = 'notify' AND state = $1";
    let rows = world.house().engine.store().read(COUNT, values![state]).await.unwrap();
    rows[0].int("number").unwrap()
}

fn validator() -> jsonschema::Validator {
    let schema = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/notification.schema.json"));
    jsonschema::validator_for(&serde_json::from_str(&schema.unwrap()).unwrap()).unwrap()
}

/// Holds what came to all that is promised of any of it.
fn hold_to_the_promise(taken: &[Taken]) {
    let validator = validator();
    for one in taken {
        assert!(one.is_signed_by(SECRET), "{one:?}");
        let body = one.json();
        let mistakes: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{mistakes:?}: {body:#}");
        let text = String::from_utf8(one.body.to_vec()).unwrap();
        for never in [
            "Checkout",
            "checkout",
            "Measure",
            "alice",
            "bob",
            "not now",
            "stakeholders",
        ] {
            assert!(!text.contains(never), "somebody's words were told: {never} in {text}");
        }
    }
    let ids: BTreeSet<&str> = taken.iter().map(Taken::id).collect();
    assert_eq!(ids.len(), taken.len(), "each has an id of its own");
}

async fn the_whole_story_on(base: Base) {
    let receiver = Receiver::start().await;
    let world = told(&receiver, "").on(base).start().await;
    let issue = asked(&world, TASKS).await;
    let first = world.digest(issue);
    // An edit of what waits calls nobody again, neither there nor here.
    world.say("bob", issue, "/edit t1 title=\"Measure the cart\"").await;
    world.hear(issue);
    let edited = world.digest(issue);
    approved(&world, issue).await;
    world.hear(issue);
    let mail = world.digest(issue);
    approved(&world, issue).await;
    holds(&world.card(issue), &["· done"]);
    world.hear(issue);

    let taken = receiver.taken();
    hold_to_the_promise(&taken);
    let id = world.house().engine.store().workflow_ids().await.unwrap().remove(0);
    let card = world.card_comment(issue).unwrap();
    let card = format!(
        "{}/acme/shop/issues/{issue}#issuecomment-{}",
        world.github.base_url(),
        card.id
    );
    let short: Vec<Value> = taken
        .iter()
        .map(|one| {
            let body = one.json();
            let data = &body["data"];
            assert_eq!(data["workflow"], id.as_str());
            assert_eq!(data["definition"], "deliver");
            assert_eq!(data["repository"]["name"], "acme/shop");
            assert_eq!(
                data["subject"],
                json!({
                    "kind": "issue",
                    "number": issue.0,
                    "url": format!("{}/acme/shop/issues/{issue}", world.github.base_url()),
                })
            );
            let at: DateTime<Utc> = body["timestamp"].as_str().unwrap().parse().unwrap();
            let sent = one.header("webhook-timestamp").parse::<i64>().unwrap();
            assert!((0..=2).contains(&(sent - at.timestamp())), "{sent} {at}");
            json!([
                body["type"],
                data["status"],
                data["phase"]["id"],
                data["phase"]["digest"],
                data["waits_for"]["what"],
                data["card"],
            ])
        })
        .collect();
    assert_eq!(
        short,
        [
            json!(["workflow.started", "open", null, null, null, null]),
            json!(["workflow.waiting", "open", "extract", first, "approval", card]),
            json!(["workflow.approved", "open", "extract", edited, null, card]),
            json!(["workflow.waiting", "open", "email", mail, "approval", card]),
            json!(["workflow.approved", "open", "email", mail, null, card]),
            json!(["workflow.completed", "completed", null, null, null, card]),
        ]
    );
    assert_eq!(
        taken[1].json()["data"]["waits_for"],
        json!({
            "what": "approval",
            "phase": "extract",
            "right": "write",
            "quorums": [{ "quorum": 1, "of": [] }],
            "code_owners": false,
        })
    );
    assert_eq!((outbox(&world, "done").await, outbox(&world, "ready").await), (6, 0));
    assert_eq!(
        figure(&world, r#"countersign_effects_total{kind="notify",outcome="done"}"#).await,
        6.0
    );
    let delivered = r#"countersign_notifications_total{endpoint="ops",outcome="delivered"}"#;
    assert_eq!(figure(&world, delivered).await, 6.0);
    world.end().await;
}

#[tokio::test]
async fn whom_a_workflow_waits_for_and_what_came_of_it_is_told_once() {
    the_whole_story_on(Base::Sqlite).await;
}

#[tokio::test]
async fn the_same_on_postgres() {
    the_whole_story_on(Base::Postgres).await;
}

#[tokio::test]
async fn where_nothing_is_configured_nothing_is_planned() {
    let world = World::new().await;
    let issue = opened(&world, TASKS).await;
    approved(&world, issue).await;
    world.card(issue);
    world.hear(issue);
    const PLANNED: &str = "SELECT id FROM effects WHERE kind = 'notify'";
    let rows = world.house().engine.store().read(PLANNED, values![]).await.unwrap();
    assert!(rows.is_empty());
    let queue = r#"countersign_queue_depth{queue="notifications"}"#;
    assert!(page(&world, "/metrics").await.text.contains(&format!("{queue} 0")));
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_is_told_of_what_it_asks_for_and_of_its_repositories() {
    let (ops, other) = (Receiver::start().await, Receiver::start().await);
    let rows = format!(
        "{}    other: {{url: '{}', secret_env: OPS_SECRET, repositories: [another/*]}}\n",
        file(&ops, "events: [waiting, cancelled], repositories: ['ACME/*']"),
        other.url
    );
    let setup = Setup::new().server_file(&rows).set("OPS_SECRET", SECRET);
    let world = setup.start().await;
    let issue = asked(&world, TASKS).await;
    approved(&world, issue).await;
    world.say("alice", issue, "/cancel not now").await;
    world.card(issue);
    world.hear(issue);
    assert_eq!(
        ops.kinds(),
        ["workflow.waiting", "workflow.waiting", "workflow.cancelled"]
    );
    assert_eq!(other.taken().len(), 0);
    assert_eq!(
        outbox(&world, "cancelled").await,
        0,
        "nothing is planned for who does not ask"
    );
    world.end().await;
}

#[tokio::test]
async fn holds_rejections_and_gates_that_open_again_are_told() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let issue = asked(&world, TASKS).await;
    world.say("alice", issue, "/hold not now").await;
    world.say("bob", issue, "/unhold").await;
    world.say("bob", issue, "/reject not now").await;
    world.hear(issue);
    world.card(issue);
    let taken = receiver.taken();
    hold_to_the_promise(&taken);
    let kinds: Vec<String> = taken.iter().map(Taken::kind).collect();
    assert_eq!(
        kinds,
        [
            "workflow.started",
            "workflow.waiting",
            "workflow.held",
            "workflow.unheld",
            "workflow.waiting",
            "workflow.rejected",
        ]
    );
    assert_eq!(taken[2].json()["data"]["waits_for"]["what"], "unhold");
    assert_eq!(
        taken[5].json()["data"]["waits_for"],
        json!({ "what": "revision", "phase": "extract" })
    );
    world.end().await;
}

#[tokio::test]
async fn reminders_questions_and_answers_in_the_agents_place_are_told() {
    let receiver = Receiver::start().await;
    let config = format!("{CONFIG}providers: {{extract: manual}}\n");
    let world = told(&receiver, "events: [waiting]").config(&config).start().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    let manual = receiver.taken();
    assert_eq!(manual.len(), 1);
    let data = manual[0].json()["data"].take();
    assert_eq!(data["phase"]["why"], "manual_provider");
    assert_eq!(data["waits_for"], json!({ "what": "answer", "phases": ["extract"] }));

    let asking = world.issue("Pay", "It crashes when I press Pay twice.");
    world.say("alice", asking, "/run solve").await;
    world.card(asking);
    world.hear(asking);
    let questions = receiver.taken();
    assert_eq!(questions.len(), 1);
    assert_eq!(
        questions[0].json()["data"]["waits_for"],
        json!({ "what": "answers", "phase": "collect", "questions": [1, 2, 3, 4] })
    );
    world.say("alice", asking, "/answer 1 Open the cart.").await;
    world.hear(asking);
    assert_eq!(receiver.taken().len(), 0, "one answer of four");
    world.say("alice", asking, "/cancel").await;
    world.hear(asking);
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);

    world.github.as_("alice").set_file(CONFIG_PATH, CONFIG).unwrap();
    world.settle().await;
    let waits = asked(&world, TASKS).await;
    world.wait(168 * 3600).await;
    world.card(waits);
    world.hear(waits);
    let reminded: Vec<Value> = receiver
        .taken()
        .iter()
        .map(|one| one.json()["data"]["phase"]["reminders"].take())
        .collect();
    assert_eq!(reminded, [json!(0), json!(1)]);
    world.end().await;
}

#[tokio::test]
async fn a_failure_a_mail_in_doubt_and_a_standstill_are_told() {
    let receiver = Receiver::start().await;
    let script = Script::new(When::Mail, MailDoes::HangsUp);
    let url = format!("smtp://{}", script.start().await);
    let setup = told(&receiver, "events: [failed, doubt, stuck]").set("COUNTERSIGN_MAIL_URL", &url);
    let world = setup.start().await;
    let issue = asked(&world, TASKS).await;
    let refused = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/issues"),
        FaultKind::Status(410),
    );
    world.github.fault(refused);
    approve(&world, issue).await;
    world.github.heal();
    let failed = receiver.taken();
    assert_eq!(failed.len(), 1);
    hold_to_the_promise(&failed);
    let data = failed[0].json()["data"].take();
    assert_eq!(
        (&data["phase"]["id"], &data["phase"]["why"]),
        (&json!("tickets"), &json!("failed"))
    );
    assert_eq!(data["waits_for"], json!({ "what": "retry", "phase": "tickets" }));

    world.say("alice", issue, "/retry").await;
    world.hear(issue);
    approved(&world, issue).await;
    world.wait(120).await;
    holds(&world.card(issue), &["may have been sent"]);
    world.hear(issue);
    assert_eq!(receiver.kinds(), ["workflow.doubt"]);

    // As if a mistake of the program had lost what it waits for; a notification that is due hides that no more than the
    // comparison with GitHub does.
    let still = asked(&world, TASKS).await;
    let store = world.house().engine.store().clone();
    receiver.always(Some(Does::Status(503)));
    let strand = Statement::new("UPDATE workflows SET waits_for = '' WHERE status = 'open'", values![]);
    let lose = Statement::new(
        "UPDATE effects SET state = 'cancelled' WHERE workflow_id IS NOT NULL AND state = 'ready'",
        values![],
    );
    store.write(Write::of(strand).then(lose)).await.unwrap();
    for _ in 0..2 {
        world.clock.advance(TimeDelta::minutes(1));
        let upkeep = world.house().engine.upkeep().await.unwrap().unwrap();
        assert_eq!(upkeep.stuck.len(), 1);
        world.settle().await;
    }
    receiver.always(None);
    world.wait(600).await;
    let stuck: BTreeSet<String> = receiver.taken().iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(stuck.len(), 1, "said once, however often it was found and tried");
    holds(&world.answer(still), &["stands still"]);
    world.say("alice", still, "/cancel").await;
    world.card(still);
    world.hear(still);
    world.end().await;
}

#[tokio::test]
async fn a_receiver_that_stumbles_is_told_later_under_the_same_id_and_holds_nothing_up() {
    let receiver = Receiver::start().await;
    receiver.next([Does::Status(503), Does::RetryAfter(429, 120), Does::Status(500)]);
    let world = told(&receiver, "events: [waiting]").start().await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    let first = receiver.taken();
    assert_eq!(first.len(), 1);
    assert_eq!(outbox(&world, "ready").await, 1);
    assert!(
        page(&world, "/metrics")
            .await
            .text
            .contains(r#"countersign_queue_depth{queue="notifications"} 1"#)
    );
    let listed = run(world.home(), &["effects", "--json"]).envelope();
    let waiting: Vec<&Value> = listed["data"]["effects"].as_array().unwrap().iter().collect();
    let waiting = waiting.iter().find(|effect| effect["kind"] == "notify").unwrap();
    assert_eq!(waiting["last_error"], "ops: it answered 503");
    assert_eq!(waiting["doubt"], false);

    // People go on meanwhile, and so does the bot.
    approve(&world, issue).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    assert_eq!(receiver.taken().len(), 0, "the next one stands behind the first");
    world.wait(6).await;
    let second = receiver.taken();
    assert_eq!(second.len(), 1);
    world.wait(110).await;
    assert_eq!(receiver.taken().len(), 0, "it asked for two minutes");
    world.wait(10).await;
    let third = receiver.taken();
    assert_eq!(third.len(), 1);
    world.wait(60).await;
    let rest = receiver.taken();
    assert_eq!(rest.len(), 2, "the one that stumbled, and the one behind it");
    let times = [&first[0], &second[0], &third[0], &rest[0]];
    for again in &times[1..] {
        assert_eq!((again.id(), &again.body), (first[0].id(), &first[0].body));
        assert!(again.is_signed_by(SECRET));
    }
    let stamps: BTreeSet<&str> = times.iter().map(|one| one.header("webhook-timestamp")).collect();
    assert_eq!(stamps.len(), 4, "each attempt bears its own time");
    assert_ne!(rest[1].id(), first[0].id());
    let put_off = r#"countersign_notifications_total{endpoint="ops",outcome="put_off"}"#;
    assert_eq!(figure(&world, put_off).await, 3.0);
    world.card(issue);
    world.end().await;
}

#[tokio::test]
async fn what_is_refused_is_dead_at_once_and_told_again_when_the_operator_asks() {
    let receiver = Receiver::start().await;
    receiver.next([Does::Status(410), Does::Redirects, Does::Status(401)]);
    let world = told(&receiver, "events: [started, waiting, cancelled]").start().await;
    let issue = asked(&world, TASKS).await;
    world.say("alice", issue, "/cancel not now").await;
    world.card(issue);
    world.hear(issue);
    let refused = receiver.taken();
    let kinds: Vec<String> = refused.iter().map(Taken::kind).collect();
    assert_eq!(kinds, ["workflow.started", "workflow.waiting", "workflow.cancelled"]);
    assert!(
        refused.iter().all(|one| one.path.ends_with(TOKEN)),
        "no redirect is followed"
    );
    assert_eq!(outbox(&world, "failed").await, 3);
    let dead = r#"countersign_notifications_total{endpoint="ops",outcome="dead"}"#;
    assert_eq!(figure(&world, dead).await, 3.0);

    let listed = run(world.home(), &["effects", "--failed"]);
    holds(
        listed.page(),
        &[
            "notify",
            "ops: it answered 410, it wants no more",
            "ops: it redirects with 307, which is not followed",
            "ops: it answered 401",
        ],
    );
    assert!(!listed.page().contains("the-words-of-the-receiver"), "{}", listed.out);
    let failed = world.house().engine.store().effects(Which::Failed, 10).await.unwrap();
    let first = failed.last().unwrap().id.clone();
    let asked_for = run(world.home(), &["effects", "retry", &first]);
    holds(asked_for.page(), &["It is told under the id that it had"]);
    world.house().obey_once().await.unwrap();
    world.settle().await;
    let first = receiver.taken();
    assert_eq!((first.len(), first[0].id()), (1, refused[0].id()));

    receiver.next([Does::Status(410)]);
    let asked_for = run(world.home(), &["effects", "retry", "--all", "--json"]).envelope();
    let requested = asked_for["data"]["requested"].as_array().unwrap();
    assert_eq!(requested.len(), 2, "{asked_for}");
    world.house().obey_once().await.unwrap();
    world.settle().await;
    let again = receiver.taken();
    let ids = |taken: &[Taken]| taken.iter().map(|one| one.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&refused[1..]));
    assert_eq!(outbox(&world, "failed").await, 1, "the answer counts anew");
    world.end().await;
}

#[tokio::test]
async fn a_receiver_that_is_away_for_a_day_gets_what_happened_after_it() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let text = format!(
        "notifications:\n  endpoints:\n    ops: {{url: 'http://{address}/{TOKEN}', secret_env: OPS_SECRET, events: [waiting]}}\n"
    );
    let world = Setup::new().server_file(&text).set("OPS_SECRET", SECRET).start().await;
    let issue = asked(&world, TASKS).await;
    approve(&world, issue).await;
    world.card(issue);
    world.hear(issue);
    let mut hours = 0;
    while outbox(&world, "failed").await == 0 {
        for _ in 0..6 {
            world.wait(600).await;
        }
        hours += 1;
        assert!(hours < 30, "it is never given up");
    }
    assert!((23..=26).contains(&hours), "it was given up after {hours} hours");
    let failed = world.house().engine.store().effects(Which::Failed, 10).await.unwrap();
    let why = failed[0].last_error.as_deref().unwrap();
    assert!(why.starts_with("ops: no connection: ") && !why.contains(TOKEN), "{why}");
    assert!(!failed[0].doubt, "nothing was sent");
    assert_eq!(outbox(&world, "ready").await, 1, "the next one has its own day");
    world.end().await;
}

#[tokio::test]
async fn killed_between_sending_and_noting_it_the_repeat_is_known_by_its_id() {
    for base in [Base::Sqlite, Base::Postgres] {
        let receiver = Receiver::start().await;
        let mut world = told(&receiver, "events: [waiting]").on(base).start().await;
        let store = world.house().engine.store().clone();
        // Whatever would be kept from here on is not.
        receiver.on_request(move || store.stop_after(0));
        let issue = world.issue("Checkout is slow", TASKS);
        world.clock.advance(TimeDelta::seconds(1));
        world.github.as_("alice").comment(issue, "/deliver").unwrap();
        assert!(world.settle_unless_stopped().await.is_err(), "it was not stopped");
        receiver.on_request(|| {});
        world.restart().await;
        world.sweep().await;
        world.wait(120).await;
        world.card(issue);
        world.hear(issue);
        let taken = receiver.taken();
        assert_eq!(taken.len(), 2);
        assert_eq!((taken[0].id(), &taken[0].body), (taken[1].id(), &taken[1].body));
        assert!(taken.iter().all(|one| one.is_signed_by(SECRET)));
        assert_eq!((outbox(&world, "done").await, outbox(&world, "ready").await), (1, 0));
        world.end().await;
    }
}

#[tokio::test]
async fn what_was_open_in_a_backup_is_told_again_under_its_id() {
    let receiver = Receiver::start().await;
    receiver.always(Some(Does::Status(503)));
    let mut world = told(&receiver, "events: [waiting]").on(Base::Sqlite).start().await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    assert_eq!(run(world.home(), &["backup", "kept.sqlite"]).code, 0);
    receiver.always(None);
    world.wait(10).await;
    assert_eq!(outbox(&world, "done").await, 1);
    world.stop().await;
    let restored = run(world.home(), &["restore", "kept.sqlite", "--json"]).envelope();
    assert!(restored["data"]["in_doubt"].as_u64().unwrap() > 0, "{restored}");
    world.restart().await;
    world.wait(60).await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 3);
    assert!(
        taken
            .iter()
            .all(|one| one.id() == taken[0].id() && one.body == taken[0].body)
    );
    let verified = run(world.home(), &["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    // Whoever reads the archive sees who was told what.
    let id = only_workflow(&world);
    assert_eq!(run(world.home(), &["export", &id, "--output", "all.tar"]).code, 0);
    let mut archive = tar::Archive::new(std::fs::File::open(world.home().join("all.tar")).unwrap());
    let effects = archive.entries().unwrap().map(Result::unwrap).find_map(|mut entry| {
        let is = entry.path().unwrap().ends_with("effects.json");
        is.then(|| serde_json::from_reader::<_, Value>(&mut entry).unwrap())
    });
    let effects = effects.unwrap();
    let notified = effects
        .as_array()
        .unwrap()
        .iter()
        .find(|effect| effect["kind"] == "notify");
    let notified = notified.unwrap();
    assert_eq!(
        (&notified["payload"]["endpoint"], &notified["state"]),
        (&json!("ops"), &json!("done"))
    );
    assert!(!effects.to_string().contains(TOKEN), "{effects}");
    world.close().await;
}

#[tokio::test]
async fn while_a_secret_is_changed_both_sign() {
    const NEW: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let receiver = Receiver::start().await;
    let setup = Setup::new()
        .server_file(&file(&receiver, "secret_previous_env: OLD, events: [started]"))
        .set("OPS_SECRET", NEW)
        .set("OLD", SECRET);
    let world = setup.start().await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].is_signed_by(SECRET) && taken[0].is_signed_by(NEW));
    assert!(!taken[0].is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"));
    world.end().await;
}

#[tokio::test]
async fn a_repository_and_its_owner_let_less_be_told_and_never_more() {
    let receiver = Receiver::start().await;
    let narrow = format!("{CONFIG}notifications: [waiting, started, completed]\n");
    let world = told(&receiver, "events: [waiting, started, approved, cancelled]")
        .config(&narrow)
        .start()
        .await;
    let issue = asked(&world, TASKS).await;
    approved(&world, issue).await;
    world.card(issue);
    world.hear(issue);
    assert_eq!(
        receiver.kinds(),
        ["workflow.started", "workflow.waiting", "workflow.waiting"]
    );
    assert_eq!(outbox(&world, "cancelled").await, 1, "the approval is not told");

    let above = world.github.add_repo("acme/.github", Visibility::Public);
    above.set_role("ada", Role::Admin);
    let owners = "version: 1\nnotifications: [started, cancelled]\n";
    above.as_("ada").set_file(CONFIG_PATH, owners).unwrap();
    world.settle().await;
    world.say("alice", issue, "/cancel not now").await;
    world.hear(issue);
    let second = asked(&world, TASKS).await;
    world.card(second);
    assert_eq!(receiver.kinds(), ["workflow.started"], "what both let be told");
    world.say("alice", second, "/explain").await;
    holds(
        &world.answer(second),
        &["| `notifications` | `started` | `acme/.github` and this repository | `waiting, completed` |"],
    );

    let nothing = format!("{CONFIG}notifications: []\n");
    world.github.as_("alice").set_file(CONFIG_PATH, &nothing).unwrap();
    world.settle().await;
    // What waits for a receiver that was away is not told either.
    world.say("alice", second, "/cancel not now").await;
    world.hear(second);
    let third = asked(&world, TASKS).await;
    world.card(third);
    assert_eq!(receiver.taken().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn while_github_is_away_the_settings_that_were_read_last_hold() {
    let receiver = Receiver::start().await;
    receiver.next([Does::Status(503)]);
    let narrow = format!("{CONFIG}notifications: [started]\n");
    let world = told(&receiver, "events: [waiting, started]")
        .config(&narrow)
        .start()
        .await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    assert_eq!(receiver.taken().len(), 1);
    world.github.fault(FaultRule::when(|_, _| true, FaultKind::Refuse));
    world.wait(600).await;
    world.github.heal();
    assert_eq!(
        receiver.kinds(),
        ["workflow.started"],
        "GitHub is not needed to tell it"
    );
    assert_eq!(outbox(&world, "cancelled").await, 1);
    world.wait(600).await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_configured_any_more_is_not_told() {
    let receiver = Receiver::start().await;
    receiver.next([Does::Status(503)]);
    let mut world = told(&receiver, "events: [waiting]").start().await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    assert_eq!(receiver.taken().len(), 1);
    world.change_server_file("notifications: {endpoints: {}}\n");
    world.restart().await;
    world.wait(60).await;
    assert_eq!(receiver.taken().len(), 0);
    assert_eq!(outbox(&world, "cancelled").await, 1);
    world.end().await;
}

#[tokio::test]
async fn slack_and_discord_get_one_line_and_a_link() {
    let (slack, discord) = (Receiver::start().await, Receiver::start().await);
    let setup = Setup::new()
        .server_file(
            "notifications:\n  endpoints:\n    team: {format: slack, url_env: TEAM_URL, events: [waiting]}\n    \
             chat: {format: discord, url_env: CHAT_URL, events: [waiting]}\n",
        )
        .set("TEAM_URL", &slack.url)
        .set("CHAT_URL", &discord.url);
    let world = setup.start().await;
    let issue = asked(&world, TASKS).await;
    let card = world.card_comment(issue).unwrap();
    let card = format!(
        "{}/acme/shop/issues/{issue}#issuecomment-{}",
        world.github.base_url(),
        card.id
    );
    let line = format!("acme/shop #{issue}: `deliver` waits for approval of `extract` by people with write access");
    let (slack, discord) = (slack.taken(), discord.taken());
    assert_eq!((slack.len(), discord.len()), (1, 1));
    assert_eq!(slack[0].json(), json!({ "text": format!("{line}\n{card}") }));
    assert_eq!(
        discord[0].json(),
        json!({ "content": format!("{line}\n<{card}>"), "allowed_mentions": { "parse": [] } })
    );
    for one in slack.iter().chain(&discord) {
        assert!(one.headers.get("webhook-signature").is_none(), "they check none");
    }
    world.end().await;
}

#[tokio::test]
async fn no_secret_is_logged_kept_or_shown() {
    let log = listen_to_the_log();
    let (ops, team) = (Receiver::start().await, Receiver::start().await);
    let rows = format!(
        "{}    team: {{format: slack, url_env: TEAM_URL}}\n    gone: {{format: discord, url_env: GONE_URL}}\n",
        file(&ops, "")
    );
    for receiver in [&ops, &team] {
        receiver.next([Does::Status(503), Does::Status(404)]);
    }
    let setup = Setup::new()
        .server_file(&rows)
        .set("OPS_SECRET", SECRET)
        .set("TEAM_URL", &team.url)
        .set("GONE_URL", &format!("http://127.0.0.1:9/{TOKEN}"));
    let world = setup.start().await;
    let issue = asked(&world, TASKS).await;
    world.card(issue);
    for _ in 0..4 {
        world.wait(60).await;
    }
    assert!(!team.taken().is_empty() && !ops.taken().is_empty());
    let effects = [
        run(world.home(), &["effects", "--json"]).out,
        run(world.home(), &["effects", "--failed", "--json"]).out,
        run(world.home(), &["status", &only_workflow(&world), "--json"]).out,
        page(&world, "/metrics").await.text,
    ]
    .join("\n");
    let database = std::fs::read(world.home().join("bot.sqlite")).unwrap();
    let log = log.text();
    assert!(
        log.contains("kind=notify") && effects.contains("team: it answered 404"),
        "{effects}"
    );
    let key = &SECRET["whsec_".len()..];
    for never in [TOKEN, key, "the-words-of-the-receiver"] {
        // The address of a standard receiver stands in the file, so that of the others is looked for.
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(never)).collect();
        assert!(lines.is_empty(), "{never} was logged: {lines:#?}");
        assert!(!effects.contains(never), "{never} is shown: {effects}");
        let kept = database.windows(never.len()).any(|part| part == never.as_bytes());
        assert!(!kept, "{never} is in the database");
    }
    world.end().await;
}

#[tokio::test]
async fn settings_that_tell_nobody_refuse_to_start_and_each_endpoint_can_be_looked_at_and_tested() {
    let receiver = Receiver::start().await;
    let github = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(WEBHOOK_SECRET);
    let github = github.start().await.unwrap();
    let program = Program::new(&github.base_url()).set("COUNTERSIGN_CONFIG", "server.yml");
    std::fs::write(program.home().join("server.yml"), file(&receiver, "")).unwrap();
    one(
        &program.refuse().await,
        &[
            "server.yml, line 3, column",
            "`notifications.endpoints.ops.secret_env` names OPS_SECRET, which is not set",
        ],
    );
    let program = program.set("OPS_SECRET", "hunter2 and not a secret");
    one(
        &program.refuse().await,
        &["names OPS_SECRET, which is not whsec_ and Base64"],
    );

    let rows = format!(
        "{}    team: {{format: slack, url_env: TEAM_URL, events: [waiting, stuck], repositories: [acme/*]}}\n",
        file(&receiver, "events: [failed]")
    );
    std::fs::write(program.home().join("server.yml"), rows).unwrap();
    let program = program
        .set("OPS_SECRET", SECRET)
        .set("TEAM_URL", &format!("http://127.0.0.1:9/{TOKEN}"));
    let mut command = program.command(&["doctor"]);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    for words in [
        "ok    notifications ops (standard at 127.0.0.1) answers, and is told of failed in every repository",
        "look  notifications team (slack) does not answer: no connection: ",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    for never in [TOKEN, SECRET] {
        assert!(!said.contains(never), "{said}");
    }
    assert_eq!(receiver.taken().len(), 0, "nobody is told by looking");

    let ran = |words: &'static [&'static str]| {
        let mut command = program.command(words);
        async move {
            let ran = tokio::task::spawn_blocking(move || command.output().unwrap())
                .await
                .unwrap();
            let said = [ran.stdout, ran.stderr]
                .map(|said| String::from_utf8(said).unwrap())
                .concat();
            for never in [TOKEN, SECRET] {
                assert!(!said.contains(never), "{said}");
            }
            (ran.status.code().unwrap(), said)
        }
    };
    let (code, listed) = ran(&["notifications"]).await;
    assert_eq!(code, 0);
    holds(
        &listed,
        &[
            "ops   standard  127.0.0.1  all           failed",
            "team  slack     not shown  acme/*        waiting, stuck",
        ],
    );
    let (code, said) = ran(&["notifications", "test", "ops"]).await;
    assert_eq!((code, said.as_str()), (0, "ops took the test.\n"));
    let test = receiver.taken();
    assert_eq!(test.len(), 1);
    assert!(test[0].is_signed_by(SECRET) && validator().is_valid(&test[0].json()));
    assert_eq!(
        (test[0].kind().as_str(), &test[0].json()["data"]),
        ("endpoint.test", &Value::Null)
    );
    receiver.next([Does::Status(403)]);
    let (code, said) = ran(&["notifications", "test", "ops"]).await;
    assert_eq!(code, 1);
    holds(&said, &["ops did not take the test: it answered 403"]);
    assert_ne!(receiver.taken()[0].id(), test[0].id());
    let (code, said) = ran(&["notifications", "test", "team"]).await;
    assert_eq!(code, 1);
    holds(&said, &["team did not take the test: no connection: "]);
    let (code, said) = ran(&["notifications", "test", "opps"]).await;
    assert_eq!(code, 1);
    holds(&said, &["there is no endpoint \"opps\": there are ops, team"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_says_nothing_keeps_no_work_waiting() {
    let receiver = Receiver::start().await;
    receiver.always(Some(Does::Hangs));
    let github = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(WEBHOOK_SECRET)
        .person("alice", Role::Write)
        .person("bob", Role::Write)
        .delivery(Delivery::Automatic);
    let github = github.start().await.unwrap();
    let issue = github.as_("alice").open_issue("Checkout is slow", TASKS).unwrap();
    let program = Program::new(&github.base_url())
        .set("COUNTERSIGN_CONFIG", "server.yml")
        .set("OPS_SECRET", SECRET);
    std::fs::write(program.home().join("server.yml"), file(&receiver, "")).unwrap();
    let running = program.start().await;
    github.set_hook_target(&running.webhook());
    github.as_("alice").comment(issue, "/deliver").unwrap();
    // It holds the first notification, and the workflow goes through its gate to its end.
    receiver.until(1).await;
    let offered = |github: &Sandbox| {
        github.comments(issue).into_iter().find_map(|comment| {
            let (_, digest) = comment.body.split_once("`/approve ")?;
            digest.get(..12).map(str::to_owned)
        })
    };
    until(&github, "the tasks are offered", |github| offered(github).is_some()).await;
    let digest = offered(&github).unwrap();
    github.as_("bob").comment(issue, &format!("/approve {digest}")).unwrap();
    until(&github, "the issues are open", |github| github.issues().len() == 3).await;
    until(&github, "the card says that it is complete", |github| {
        github
            .comments(issue)
            .iter()
            .any(|comment| comment.body.contains("· done"))
    })
    .await;
    assert_eq!(receiver.taken().len(), 1, "one under way, the others behind it");
    // Stopped in the middle of it, the next one tells it again, under its id.
    running.kill();
    receiver.always(None);
    let again = program.start().await;
    github.set_hook_target(&again.webhook());
    receiver.until(5).await;
    assert_eq!(
        receiver.kinds(),
        [
            "workflow.started",
            "workflow.waiting",
            "workflow.approved",
            "workflow.completed"
        ]
    );
    again.stop().await;
}
