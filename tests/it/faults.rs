//! Whatever goes wrong between the bot and GitHub: each story ends as it would have, and nothing is posted twice.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `calls` | what the bot asks of GitHub, told from one another |
//! | `stories` | what people do, so that every call is made |
//! | `matrix` | every story while every call goes wrong in every way |
//! | `terminal` | the same for the commands that an operator types |

mod calls;
mod matrix;
mod stories;
mod terminal;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use countersign::sandbox::{Credential, FaultKind, FaultRule, IssueNumber, RequestRecord};
use countersign::store::{Statement, Write};
use countersign::values;

use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
use crate::world::{Setup, World};

/// Time passes until nothing is due but what is done every hour.
pub struct Patient;

/// What is done every hour is due later than this, and nothing that goes wrong rests longer.
const WITHIN: TimeDelta = TimeDelta::minutes(55);

/// More than any course takes.
const ROUNDS: usize = 5000;

impl Course for Patient {
    async fn settle(&mut self, world: &mut World) {
        self.settle_until(world, |_| false).await;
    }
}

impl Patient {
    /// The same, and no longer than until this holds.
    async fn settle_until(&self, world: &mut World, holds: impl Fn(&World) -> bool) {
        world.settle().await;
        for _ in 0..ROUNDS {
            if holds(world) {
                return;
            }
            let Some(due) = world.house().engine.store().next_due().await.unwrap() else {
                return;
            };
            let wait = due - world.clock.now();
            if wait > WITHIN {
                return;
            }
            // What is due and was not done waits for its installation's pace.
            world.clock.advance(wait.max(TimeDelta::seconds(1)));
            world.settle().await;
        }
        panic!("after {ROUNDS} rounds something is due still");
    }
}

async fn plain() -> Outcome {
    let mut world = setup().start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    world.close().await;
    outcome
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
