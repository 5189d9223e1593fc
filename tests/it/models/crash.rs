//! The process stops while models are at work: what was paid for is kept, what was lost is counted, and it goes on.

use chrono::TimeDelta;
use countersign::sandbox::IssueNumber;
use countersign::sandbox::models::{Dialect, Fault, Gate, ModelServer, Reply};
use countersign::store::calls::CallEnd;

use super::{TALK, asks, calls, end, ends, server_file, world};
use crate::world::whole_story::{Course, Outcome, setup};
use crate::world::{Setup, World};

/// Stops the process once, after so many commits, and starts it again on the same database.
struct Stopped {
    after: Option<u64>,
}

impl Course for Stopped {
    async fn settle(&mut self, world: &mut World) {
        if let Some(commits) = self.after {
            world.house().engine.store().stop_after(commits);
        }
        if world.settle_unless_stopped().await.is_ok() {
            return;
        }
        self.after = None;
        world.restart().await;
        world.sweep().await;
        world.settle().await;
    }
}

/// A world whose agents ask a model. The first answer needs a repair.
fn thinking(models: &ModelServer) -> Setup {
    models.prepare(Reply::text("{\"tasks\": 5}"));
    setup()
        .server_file(&server_file(models, &[("local", Dialect::OpenAi, "")], "{}"))
        .config(&asks("http:local"))
}

/// From the discussion to the mail, and how it ended without the sums: a lost call makes them larger.
async fn told(world: &mut World, course: &mut impl Course) -> Outcome {
    let issue = world.issue("Release 1.4", TALK);
    course.settle(world).await;
    for approves in [false, true, true] {
        world.clock.advance(TimeDelta::seconds(20));
        let words = if approves {
            format!("/approve {}", world.digest(issue))
        } else {
            "/deliver".to_owned()
        };
        world.github.as_("alice").comment(issue, &words).unwrap();
        course.settle(world).await;
    }
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    Outcome::of(world).await.without_sums()
}

/// How many calls there were, and how many of them were lost.
async fn counted(world: &World) -> (usize, usize) {
    let store = world.house().engine.store();
    let mut counts = (0, 0);
    for summary in store.list_workflows(false, 100).await.unwrap() {
        let calls = store.calls_of_workflow(&summary.id.as_str().into()).await.unwrap();
        counts.0 += calls.len();
        counts.1 += calls.iter().filter(|call| call.end == CallEnd::Lost).count();
    }
    assert_eq!(store.audit_books().await.unwrap(), Vec::<String>::new());
    counts
}

/// Notes after which commits a model was asked in the step that followed, and when that step was over.
struct Watched<'a> {
    models: &'a ModelServer,
    asking: Vec<u64>,
}

impl Course for Watched<'_> {
    async fn settle(&mut self, world: &mut World) {
        let store = world.house().engine.store().clone();
        let (from, before) = (store.commits(), self.models.requests().len());
        world.settle().await;
        if self.models.requests().len() > before {
            // Every commit of the first such step, which holds a repair; later ones also open issues, which `crash.rs` has.
            let every = if self.asking.is_empty() { 1 } else { 3 };
            self.asking.extend((from + 1..=store.commits()).step_by(every));
        }
    }
}

/// Crash points of the steps in which models are asked; `crash.rs` has all others.
async fn sweep(part: usize) {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = thinking(&models).start().await;
    let mut watched = Watched {
        models: &models,
        asking: Vec::new(),
    };
    let expected = told(&mut world, &mut watched).await;
    assert_eq!(counted(&world).await, (3, 0));
    world.close().await;
    assert!(watched.asking.len() > 20, "{:?}", watched.asking);
    for after in watched.asking.into_iter().skip(part).step_by(PARTS) {
        let models = ModelServer::start(None).await.unwrap();
        let mut world = thinking(&models).start().await;
        let outcome = told(&mut world, &mut Stopped { after: Some(after) }).await;
        let when = format!("stopped after commit {after}");
        outcome.assert_is(&expected, &when);
        let (made, lost) = counted(&world).await;
        assert!(lost <= 1, "{when}: {lost} calls are lost");
        // The answer that needed a repair may be the one that was lost: then none needs it.
        let kept = made - lost;
        assert!((3 - lost..=3).contains(&kept), "{when}: {kept} answers were kept");
        // A call that is lost may have been made, or not yet.
        let requests = models.requests().len();
        assert!(
            (kept..=made).contains(&requests),
            "{when}: {requests} requests of {made} calls"
        );
        world.close().await;
    }
}

/// The sweep is cut into so many tests, which run beside each other.
const PARTS: usize = 4;

macro_rules! sweeps {
    ($($name:ident: $part:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            sweep($part).await;
        })+
    };
}

sweeps! {
    stopped_while_models_are_asked_first_part: 0,
    stopped_while_models_are_asked_second_part: 1,
    stopped_while_models_are_asked_third_part: 2,
    stopped_while_models_are_asked_fourth_part: 3,
}

/// A workflow whose model was asked and has not answered: the answer stands at the gate.
async fn asking(world: &World, models: &ModelServer) -> (IssueNumber, Gate) {
    let gate = Gate::default();
    models.prepare(Reply::fault(Fault::SlowFirstByte(gate.clone())));
    let issue = world.issue("Release 1.4", TALK);
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    tokio::select! {
        () = world.settle() => panic!("the answer stands at the gate"),
        () = gate.reached() => {}
    }
    (issue, gate)
}

#[tokio::test]
async fn a_process_that_ends_while_it_asks_loses_the_call_and_nothing_else() {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = world(&models, Dialect::Anthropic).await;
    let (issue, gate) = asking(&world, &models).await;
    let open = models.requests().len();
    assert_eq!(open, 1);
    world.restart().await;
    world.settle().await;
    assert_eq!(ends(&world, issue).await, "lost answered");
    let calls = calls(&world, issue).await;
    assert_eq!(calls[0].spent, calls[0].reserved, "it may have been paid for");
    assert!(calls[0].spent.tokens > 4_000);
    assert_eq!(models.requests().len(), 2);
    world.digest(issue);
    world.hear(issue);
    gate.open();
    end(world).await;
}

#[tokio::test]
async fn what_was_ended_while_the_process_was_away_is_not_asked_for_again() {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = world(&models, Dialect::Gemini).await;
    let (issue, gate) = asking(&world, &models).await;
    world.github.as_("alice").comment(issue, "/cancel not now").unwrap();
    world.github.deliver_all().await;
    world.restart().await;
    world.settle().await;
    world.hear(issue);
    gate.open();
    let card = world.card(issue);
    assert!(card.contains("cancelled"), "{card}");
    let requests = models.requests().len();
    let lost = ends(&world, issue).await;
    assert!(requests <= 2 && lost.starts_with("lost"), "{requests}: {lost}");
    end(world).await;
}
