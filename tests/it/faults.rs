//! Whatever goes wrong between the bot and GitHub: the story ends as it would have, and nothing is posted twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use countersign::sandbox::{Credential, FaultKind, FaultRule, IssueNumber, RequestRecord};
use countersign::store::{Statement, Write};
use countersign::values;

use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
use crate::world::{Base, Setup, World};

/// A kind of call, by method and path.
pub struct Call {
    name: &'static str,
    is: fn(&str, &str) -> bool,
}

pub const WRITES: [Call; 9] = [
    Call {
        name: "create a comment",
        is: |method, path| method == "POST" && path.contains("/issues/") && path.ends_with("/comments"),
    },
    Call {
        name: "update a comment",
        is: |method, path| method == "PATCH" && path.contains("/issues/comments/"),
    },
    Call {
        name: "open an issue",
        is: |method, path| method == "POST" && path.ends_with("/shop/issues"),
    },
    Call {
        name: "create a label",
        is: |method, path| method == "POST" && path.ends_with("/shop/labels"),
    },
    Call {
        name: "take a label off",
        is: |method, path| method == "DELETE" && path.contains("/labels/"),
    },
    Call {
        name: "react",
        is: |method, path| method == "POST" && path.ends_with("/reactions"),
    },
    Call {
        name: "link a sub-issue",
        is: |method, path| method == "POST" && path.ends_with("/sub_issues"),
    },
    Call {
        name: "link a dependency",
        is: |method, path| method == "POST" && path.ends_with("/blocked_by"),
    },
    // The first of them reads edit times, the others hide comments.
    Call {
        name: "GraphQL",
        is: |_, path| path == "/graphql",
    },
];

const READS: [Call; 12] = [
    Call {
        name: "who the App is",
        is: |_, path| path == "/app",
    },
    Call {
        name: "a token",
        is: |_, path| path.ends_with("/access_tokens"),
    },
    Call {
        name: "an account",
        is: |_, path| path.starts_with("/users/"),
    },
    Call {
        name: "the configuration",
        is: |_, path| path.contains("/contents/"),
    },
    Call {
        name: "a permission",
        is: |_, path| path.ends_with("/permission"),
    },
    Call {
        name: "people",
        is: |_, path| path.ends_with("/collaborators"),
    },
    Call {
        name: "an issue",
        is: |method, path| method == "GET" && path.ends_with("/issues/1"),
    },
    Call {
        name: "the discussion",
        is: |method, path| method == "GET" && path.ends_with("/issues/1/comments"),
    },
    Call {
        name: "a comment",
        is: |method, path| method == "GET" && path.contains("/issues/comments/"),
    },
    Call {
        name: "labels",
        is: |method, path| method == "GET" && path.ends_with("/shop/labels"),
    },
    Call {
        name: "label events",
        is: |method, path| method == "GET" && path.ends_with("/issues/1/events"),
    },
    Call {
        name: "the repository",
        is: |method, path| method == "GET" && path.ends_with("/acme/shop"),
    },
];

/// What is read beside the story, and goes wrong alone.
const BESIDE: [Call; 1] = [Call {
    name: "the owner's configuration",
    is: |_, path| path.contains("/acme/.github"),
}];

/// Every kind of call.
fn calls() -> impl Iterator<Item = &'static Call> {
    WRITES.iter().chain(&READS).chain(&BESIDE)
}

#[tokio::test]
async fn every_call_that_the_bot_makes_is_one_of_these() {
    let mut world = setup().start().await;
    tell(&mut world, &mut Plain).await;
    let requests = world.github.requests();
    for request in &requests {
        let kinds: Vec<_> = calls()
            .filter(|call| (call.is)(&request.method, &request.path))
            .map(|call| call.name)
            .collect();
        assert_eq!(kinds.len(), 1, "{} {} is {kinds:?}", request.method, request.path);
    }
    for call in calls() {
        let made = requests.iter().any(|request| (call.is)(&request.method, &request.path));
        assert!(made, "nobody calls {}", call.name);
    }
    world.close().await;
}

/// Every kind of fault.
const KINDS: [FaultKind; 10] = [
    FaultKind::Refuse,
    FaultKind::ExecuteThenTimeout,
    FaultKind::ExecuteThenReset,
    FaultKind::Error500AfterExecute,
    FaultKind::TooManyRequests { retry_after: Some(30) },
    FaultKind::TooManyRequests { retry_after: None },
    FaultKind::Secondary403 { retry_after: Some(30) },
    FaultKind::Secondary403 { retry_after: None },
    FaultKind::SlowThenOk(Duration::from_millis(50)),
    FaultKind::WrongJson,
];

/// Each call by each fault alone, on a database: what the tests below do with all calls at once.
async fn each_alone(base: Base) {
    for kind in KINDS {
        for call in calls() {
            ends_the_same(setup_for(kind).on(base), std::slice::from_ref(call), kind).await;
        }
    }
}

#[tokio::test]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_each_call_by_each_fault_on_sqlite() {
    each_alone(Base::Sqlite).await;
}

#[tokio::test]
#[ignore = "takes minutes: docs/reliability.md"]
async fn long_each_call_by_each_fault_on_postgres() {
    each_alone(Base::Postgres).await;
}

/// The calls of a kind that go wrong: the first ones, and some that come later.
fn now_and_then(call: &Call, kind: FaultKind) -> FaultRule {
    let (is, calls) = (call.is, AtomicU32::new(0));
    let strikes: &[u32] = match kind {
        // Each of them takes the whole of the client's patience.
        FaultKind::ExecuteThenTimeout => &[0, 3],
        _ => &[0, 2, 3, 7, 12],
    };
    FaultRule::when(
        move |method, path| is(method, path) && strikes.contains(&calls.fetch_add(1, Ordering::SeqCst)),
        kind,
    )
}

/// Time passes until nothing is due within the hour.
pub struct Patient;

impl Course for Patient {
    async fn settle(&mut self, world: &mut World) {
        world.settle().await;
        while let Some(due) = world.house().engine.store().next_due().await.unwrap() {
            let wait = due - world.clock.now();
            if wait > TimeDelta::hours(1) {
                return;
            }
            // What is due and was not done waits for its installation's pace.
            world.clock.advance(wait.max(TimeDelta::seconds(1)));
            world.settle().await;
        }
    }
}

async fn plain() -> Outcome {
    let mut world = setup().start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    world.close().await;
    outcome
}

/// Tells the story while calls of each of these kinds go wrong.
pub async fn ends_the_same(setup: Setup, calls: &[Call], kind: FaultKind) {
    let mut world = setup.start().await;
    for call in calls {
        world.github.fault(now_and_then(call, kind));
    }
    let outcome = tell(&mut world, &mut Patient).await;
    for call in calls {
        let struck = |request: &&RequestRecord| request.fault.is_some() && (call.is)(&request.method, &request.path);
        assert!(
            world.github.requests().iter().any(|request| struck(&request)),
            "no call to {} went wrong",
            call.name
        );
    }
    // Somebody who waits is told once for each of the seven commands that GitHub does not answer.
    let told = outcome.comments_with("I could not check");
    assert!(told <= 7, "{told} times somebody was told that it could not be checked");
    let when = format!("when calls go wrong by {kind:?}");
    // Whoever is refused hears so at once, even when GitHub does not tell who else could.
    let outcome = outcome.without("I could not check").reworded(
        "I could not find out who can.",
        "Who can: `alice`, `bob`, `mona` and `ada`.",
    );
    outcome.assert_is(&plain().await, &when);
    world.close().await;
}

macro_rules! faults {
    ($($name:ident: $kind:expr),+ $(,)?) => {
        mod writes {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                ends_the_same(setup_for($kind), &WRITES, $kind).await;
            })+
        }
        mod reads {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                ends_the_same(setup_for($kind), &READS, $kind).await;
            })+
        }
    };
}

faults! {
    refused: FaultKind::Refuse,
    carried_out_and_never_answered: FaultKind::ExecuteThenTimeout,
    carried_out_and_cut_off: FaultKind::ExecuteThenReset,
    carried_out_and_answered_500: FaultKind::Error500AfterExecute,
    too_many_with_a_time: FaultKind::TooManyRequests { retry_after: Some(30) },
    too_many_without_a_time: FaultKind::TooManyRequests { retry_after: None },
    secondary_limit_with_a_time: FaultKind::Secondary403 { retry_after: Some(30) },
    secondary_limit_without_a_time: FaultKind::Secondary403 { retry_after: None },
    slow: FaultKind::SlowThenOk(Duration::from_millis(50)),
    answered_with_something_else: FaultKind::WrongJson,
}

fn setup_for(kind: FaultKind) -> Setup {
    match kind {
        FaultKind::ExecuteThenTimeout => setup().patience(Duration::from_millis(600)),
        _ => setup(),
    }
}

#[tokio::test]
async fn a_write_in_doubt_holds_up_no_other_workflow() {
    let mut world = setup().start().await;
    let (first, second) = (
        world.issue("Checkout is slow", "- [ ] Measure the checkout\n"),
        world.issue("Search is slow", "- [ ] Measure the search\n"),
    );
    let lost = |method: &str, path: &str| method == "POST" && path.ends_with("/issues/1/comments");
    world
        .github
        .fault(FaultRule::when(lost, FaultKind::ExecuteThenReset).times(1));
    world.github.fault(FaultRule::when(lost, FaultKind::Refuse));
    world.say("alice", first, "/deliver").await;
    world.say("alice", second, "/deliver").await;
    assert_eq!(
        world.card_comment(second).map(|card| card.author),
        Some(world.github.bot_login())
    );
    let approve = format!("/approve {}", world.digest(second));
    world.wait(20).await;
    world.say("bob", second, &approve).await;
    assert_eq!(world.opened().len(), 1, "the second workflow went on");
    world.github.heal();
    Patient.settle(&mut world).await;
    for issue in [first, second] {
        let all = world.github.comments(issue);
        let cards = all.iter().filter(|comment| comment.body.starts_with("### Deliver"));
        assert_eq!(cards.count(), 1, "{all:#?}");
    }
    world.close().await;
}

/// A world whose writes are paced as GitHub asks.
fn paced() -> Setup {
    setup().set("COUNTERSIGN_GITHUB_PACE", "default")
}

/// The writes of the installation, in their order.
fn writes(world: &World) -> Vec<RequestRecord> {
    let reads = |request: &RequestRecord| {
        let query = request.body.as_ref().and_then(|body| body["query"].as_str());
        request.method == "GET" || query.is_some_and(|query| !query.trim_start().starts_with("mutation"))
    };
    let requests = world.github.requests().into_iter();
    let ours = requests.filter(|request| matches!(request.credential, Credential::Installation(_)));
    ours.filter(|request| !reads(request)).collect()
}

#[tokio::test]
async fn writes_of_an_installation_are_a_second_apart() {
    let mut world = paced().start().await;
    let outcome = tell(&mut world, &mut Patient).await;
    outcome.assert_is(&plain().await, "when writes are paced");
    let writes = writes(&world);
    assert!(writes.len() > 40, "{} writes", writes.len());
    for pair in writes.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(
            apart >= TimeDelta::seconds(1),
            "{} {} came {apart} after {} {}",
            pair[1].method,
            pair[1].path,
            pair[0].method,
            pair[0].path
        );
    }
    world.close().await;
}

#[tokio::test]
async fn answers_go_before_background_work() {
    let mut world = paced().start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    let asked = world.say("mallory", issue, "/help").await;
    Patient.settle(&mut world).await;
    let writes = writes(&world);
    let at = |what: &dyn Fn(&RequestRecord) -> bool| writes.iter().position(what).unwrap();
    let answer = at(&|write| {
        write
            .body
            .as_ref()
            .is_some_and(|body| body.to_string().contains("/who"))
    });
    let done = writes
        .iter()
        .rposition(|write| write.path.contains(&format!("{asked}/reactions")))
        .unwrap();
    let label = at(&|write| write.path.ends_with("/labels"));
    assert!(
        answer < label && done < label,
        "answer {answer}, reaction {done}, label {label}"
    );
    world.close().await;
}

#[tokio::test]
async fn no_more_than_four_hundred_writes_an_hour_notify_people() {
    let mut world = paced().start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("mallory", issue, "/help").await;
    Patient.settle(&mut world).await;
    let so_many = "UPDATE pace SET hour_count = 399";
    let store = world.house().engine.store().clone();
    store
        .write(Write::of(Statement::new(so_many, values![]).exactly(1)))
        .await
        .unwrap();
    let asked = [
        world.say("mallory", issue, "/who").await,
        world.say("mallory", issue, "/who").await,
    ];
    for _ in 0..60 {
        world.wait(10).await;
    }
    assert_eq!(spoken(&world, issue), 2, "the second answer is the 401st of the hour");
    assert_eq!(
        world.reactions(asked[1]),
        ["eyes", "rocket"],
        "a reaction notifies nobody"
    );
    world.wait(3600).await;
    assert_eq!(spoken(&world, issue), 3);
    world.close().await;
}

/// How many comments of the bot stand on an issue.
fn spoken(world: &World, issue: IssueNumber) -> usize {
    let bot = world.github.bot_login();
    world
        .github
        .comments(issue)
        .iter()
        .filter(|comment| comment.author == bot)
        .count()
}

#[tokio::test]
async fn a_limit_parks_all_writes_of_the_installation() {
    let mut world = paced().start().await;
    let (first, second) = (world.issue("One", "Text"), world.issue("Two", "Text"));
    let limit = FaultKind::TooManyRequests { retry_after: Some(120) };
    world.github.fault(FaultRule::on("POST", "/repos", limit).times(1));
    world.say("mallory", first, "/help").await;
    let asked = world.clock.now();
    world.say("rita", second, "/help").await;
    for _ in 0..20 {
        world.wait(5).await;
    }
    assert_eq!(writes(&world).len(), 1, "nothing is written for two minutes");
    Patient.settle(&mut world).await;
    let writes = writes(&world);
    assert_eq!(writes.len(), 1 + 2 * 3, "all is written then, once");
    assert!(
        writes[1].at >= asked + TimeDelta::seconds(119),
        "{} after {asked}",
        writes[1].at
    );
    world.close().await;
}

#[tokio::test]
async fn a_limit_fails_nothing_however_long_it_lasts() {
    let mut world = setup().start().await;
    let issue = world.issue("One", "Text");
    let limit = FaultKind::Secondary403 { retry_after: Some(60) };
    world.github.fault(FaultRule::on("*", "/repos", limit));
    let asked = world.say("mallory", issue, "/help").await;
    for _ in 0..50 {
        world.wait(61).await;
    }
    world.github.heal();
    Patient.settle(&mut world).await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    assert_eq!(spoken(&world, issue), 2, "that it could not be checked, and the answer");
    world.close().await;
}

/// While servers are replaced, an older one meets what a newer one planned.
#[tokio::test]
async fn an_effect_that_this_version_does_not_know_is_left_to_one_that_does() {
    let world = setup().start().await;
    let issue = world.issue("One", "Text");
    world.say("mallory", issue, "/help").await;
    let store = world.house().engine.store().clone();
    let newer = "UPDATE effects SET state = 'ready', attempt = 0, payload = '{\"from\":\"a newer version\"}'
        WHERE kind = 'reply'";
    store
        .write(Write::of(Statement::new(newer, values![]).exactly(1)))
        .await
        .unwrap();
    for _ in 0..5 {
        world.wait(60).await;
    }
    let left = "SELECT state, last_error FROM effects WHERE kind = 'reply'";
    let left = store.read(left, values![]).await.unwrap();
    assert_eq!(left[0].text("state"), Ok("ready"));
    assert!(left[0].text("last_error").unwrap().contains("a newer one may"));
    world.close().await;
}

/// Counts the mails that a server took.
#[derive(Clone, Default)]
struct Postbox(Arc<AtomicU32>);

impl mailin_embedded::Handler for Postbox {
    fn data_end(&mut self) -> mailin_embedded::Response {
        self.0.fetch_add(1, Ordering::SeqCst);
        mailin_embedded::response::OK
    }
}

#[tokio::test]
async fn a_read_that_fails_before_the_mail_leaves_no_doubt_about_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let postbox = Postbox::default();
    let taken = Arc::clone(&postbox.0);
    // It has no way to stop, and ends with the test's process.
    std::thread::spawn(move || {
        let mut server = mailin_embedded::Server::new(postbox);
        server.with_name("mx.example.org").with_tcp_listener(listener);
        server.serve().unwrap();
    });
    let mut world = setup().set("COUNTERSIGN_MAIL_URL", &url).start().await;
    let asked = AtomicU32::new(0);
    let every_other = move |_: &str, path: &str| {
        path.ends_with("/permission") && asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
    };
    world
        .github
        .fault(FaultRule::when(every_other, FaultKind::Error500AfterExecute));
    let outcome = tell(&mut world, &mut Patient).await;
    assert_eq!(taken.load(Ordering::SeqCst), 1, "the mail went out once");
    assert_eq!(outcome.comments_with("The mail was sent"), 1, "{outcome:#?}");
    world.close().await;
}
