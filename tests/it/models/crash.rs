//! The process stops while models are at work: what was paid for is kept, what was lost is counted, and it goes on.

use countersign::sandbox::models::{Dialect, Fault, Gate, ModelServer, Reply};
use countersign::store::calls::CallEnd;

use super::{TALK, asks, calls, end, ends, server_file, world};
use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
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

/// The whole story with agents that ask a model. The first answer needs a repair.
fn thinking(models: &ModelServer) -> Setup {
    models.prepare(Reply::text("{\"tasks\": 5}"));
    setup()
        .server_file(&server_file(models, &[("local", Dialect::OpenAi, "")], "{}"))
        .config(&asks("http:local"))
}

/// How the story ended, without the sums: a lost call makes them larger.
async fn told(world: &mut World, course: &mut impl Course) -> Outcome {
    let outcome = tell(world, course).await;
    outcome.without_sums()
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

async fn sweep(first: u64, of: usize) {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = thinking(&models).start().await;
    let expected = told(&mut world, &mut Plain).await;
    let commits = world.house().engine.store().commits();
    assert_eq!(counted(&world).await, (3, 0));
    world.close().await;
    for after in (first..=commits).step_by(of) {
        let models = ModelServer::start(None).await.unwrap();
        let mut world = thinking(&models).start().await;
        let outcome = told(&mut world, &mut Stopped { after: Some(after) }).await;
        let when = format!("stopped after commit {after} of {commits}");
        outcome.assert_is(&expected, &when);
        let (made, lost) = counted(&world).await;
        assert!(lost <= 1, "{when}: {lost} calls are lost");
        assert_eq!(made - lost, 3, "{when}: an answer that was kept was asked for again");
        // A call that is lost may have been made, or not yet.
        let requests = models.requests().len();
        assert!(
            (3..=made).contains(&requests),
            "{when}: {requests} requests of {made} calls"
        );
        world.close().await;
    }
}

macro_rules! sweeps {
    ($($name:ident: $first:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            sweep($first, 4).await;
        })+
    };
}

sweeps! {
    models_stopped_after_commits_1_5_and_so_on: 1,
    models_stopped_after_commits_2_6_and_so_on: 2,
    models_stopped_after_commits_3_7_and_so_on: 3,
    models_stopped_after_commits_4_8_and_so_on: 4,
}

#[tokio::test]
async fn a_process_that_ends_while_it_asks_loses_the_call_and_nothing_else() {
    let models = ModelServer::start(None).await.unwrap();
    let mut world = world(&models, Dialect::Anthropic).await;
    let gate = Gate::default();
    models.prepare(Reply::fault(Fault::SlowFirstByte(gate.clone())));
    let issue = world.issue("Release 1.4", TALK);
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    tokio::select! {
        () = world.settle() => panic!("the answer stands at the gate"),
        () = gate.reached() => {}
    }
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
    let gate = Gate::default();
    models.prepare(Reply::fault(Fault::SlowFirstByte(gate.clone())));
    let issue = world.issue("Release 1.4", TALK);
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    tokio::select! {
        () = world.settle() => panic!("the answer stands at the gate"),
        () = gate.reached() => {}
    }
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
