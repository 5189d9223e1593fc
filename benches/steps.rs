//! Steps of workflows: *start, two effects, signal, two effects*, over the real store and the real core, with an
//! outside that answers at once.
//!
//! What is measured is the engine's protocol: every decision is one fenced write of events, state and effects; every
//! effect is claimed in one commit and ended in another together with the events that follow. Each is on disk before it
//! counts. `cargo bench --bench steps`; it ends within a minute.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use countersign::store::change::Change;
use countersign::store::effects::{LeasedEffect, NewEffect, Pace, Priority};
use countersign::store::workflows::{Place, Stored, keep_proposal};
use countersign::store::{Store, Write};
use countersign::workflow::act::{Act, ActKey, Deed};
use countersign::workflow::apply::{apply, begin};
use countersign::workflow::artifact::{Proposal, Stage, Targets};
use countersign::workflow::command::{Ask, Authority, Command, Named, Report, RunResult, Start, Verdict};
use countersign::workflow::decide::{Facts, decide};
use countersign::workflow::definition::{Definition, Known};
use countersign::workflow::event::Event;
use countersign::workflow::ids::{CommentId, InstallationId, IssueNumber, PhaseId, RepositoryId, UserId, WorkflowId};
use countersign::workflow::plan::{Intent, plan};
use countersign::workflow::right::{Person, Requirement, Right};
use countersign::workflow::state::{ActOutcome, State, Subject, SubjectKind, Surface};
use tokio::sync::Notify;

const CLIENTS: [usize; 2] = [1, 16];
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;
/// Start, two effects, signal, two effects.
const STEPS: u64 = 6;
/// As many as the engine claims at once.
const CLAIMED_AT_ONCE: u32 = 16;
const LEASE: TimeDelta = TimeDelta::seconds(90);

const DEFINITION: &str = "
name: bench
version: 1
title: Bench
phases:
  - id: propose
    title: Proposal
    agent: extract
    gate:
      people:
        right: write
  - id: act
    title: Act
    needs: [propose]
    executes: propose
";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Everything that a round's tasks share.
struct Bench {
    store: Store,
    definition: Arc<Definition>,
    /// Something may be due.
    due: Notify,
    /// Some workflow moved on.
    moved: Notify,
    over: AtomicBool,
    steps: AtomicU64,
}

impl Bench {
    fn open(directory: &Path) -> Result<Self, Failure> {
        Ok(Self {
            store: Store::serve(&directory.join("steps.sqlite"))?,
            definition: Arc::new(Definition::parse(
                DEFINITION,
                &Known {
                    agents: &["extract"],
                    ..Known::default()
                },
            )?),
            due: Notify::new(),
            moved: Notify::new(),
            over: AtomicBool::new(false),
            steps: AtomicU64::new(0),
        })
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// One step is on disk.
    fn stepped(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.due.notify_one();
        self.moved.notify_waiters();
    }

    /// Decides and keeps what follows, joined with what caused it, in one write.
    async fn step(&self, before: Result<&Stored, &Place>, command: &Command, mut write: Write) -> Result<(), Failure> {
        let now = Utc::now();
        let state = before.ok().map(|stored| &stored.state);
        let Verdict::Events(events) = decide(state, command, Facts::default(), now) else {
            return Err(format!("{command:?} is refused").into());
        };
        let after = after(state, &events)?;
        let change = Change {
            before,
            events: &events,
            after: &after,
            waits_for: "",
            cause: "bench",
            now,
        };
        write.append(change.statements()?);
        for effect in effects(&after, &events)? {
            write.push(effect.planned(now));
        }
        self.store.write(write).await?;
        self.stepped();
        Ok(())
    }

    /// Starts a workflow, waits for its gate, approves, waits for its end; again and again.
    async fn client(&self, number: u64) -> Result<(), Failure> {
        let mut run = 0;
        while !self.over() {
            run += 1;
            let id = WorkflowId(format!("w{number}x{run}"));
            let place = Place {
                installation: InstallationId(1),
                repository: "acme/shop".to_owned(),
            };
            let start = Start {
                given: Default::default(),
                parent: None,
                workflow: id.clone(),
                definition: Arc::clone(&self.definition),
                subject: Subject {
                    repository: RepositoryId(1),
                    kind: SubjectKind::Issue,
                    number: IssueNumber(number * 1_000_000 + run),
                    id: None,
                },
                by: alice(),
            };
            self.step(Err(&place), &Command::Start(start), Write::new()).await?;
            let Some(stored) = self
                .until(&id, |state| {
                    state.open_gate().is_some_and(|(.., shown)| shown.shown_at.is_some())
                })
                .await?
            else {
                return Ok(());
            };
            let approve = Ask::Approve {
                verdict: None,
                named: Named::Prefix(proposal(&id).digest().short()),
                reason: None,
            };
            self.step(Ok(&stored), &Command::Person(alice(), approve), Write::new())
                .await?;
            if self.until(&id, |state| !state.is_open()).await?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The workflow once it is so far; nothing when the round is over.
    async fn until(&self, id: &WorkflowId, far: impl Fn(&State) -> bool) -> Result<Option<Stored>, Failure> {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Listening begins before looking, so that what happens in between is not missed.
            moved.as_mut().enable();
            if let Some(stored) = self.store.workflow(id).await?
                && far(&stored.state)
            {
                return Ok(Some(stored));
            }
            if self.over() {
                return Ok(None);
            }
            moved.await;
        }
    }

    /// Claims and ends effects as the engine does.
    async fn work(&self) -> Result<(), Failure> {
        while !self.over() {
            let now = Utc::now();
            let claimed = self
                .store
                .claim_effects("bench", now, now + LEASE, CLAIMED_AT_ONCE)
                .await?;
            if claimed.is_empty() {
                // The round's end wakes it too.
                self.due.notified().await;
                continue;
            }
            let ends = claimed.into_iter().map(|effect| self.end(effect));
            for ended in futures::future::join_all(ends).await {
                ended?;
            }
        }
        Ok(())
    }

    async fn end(&self, effect: LeasedEffect) -> Result<(), Failure> {
        let intent: Intent = serde_json::from_str(&effect.payload)?;
        let workflow = effect.workflow.as_ref().ok_or("an effect of no workflow")?;
        let mut write = Write::of(effect.done("done", Utc::now()));
        let report = match intent {
            Intent::RunAgent {
                phase,
                iteration,
                attempt,
            } => {
                let proposal = proposal(workflow);
                write.push(keep_proposal(
                    &proposal,
                    &serde_json::Value::Null,
                    RepositoryId(1),
                    Utc::now(),
                )?);
                let result = RunResult::Proposed {
                    proposal: Box::new(proposal),
                    provider: "bench".to_owned(),
                };
                Report::Ran {
                    phase,
                    iteration,
                    attempt,
                    result,
                }
            }
            Intent::Card => Report::Shown {
                phase: PhaseId::from("propose"),
                digest: proposal(workflow).digest(),
                at: Utc::now(),
            },
            Intent::Act { phase, key, .. } => Report::ActEnded {
                phase,
                key,
                outcome: ActOutcome::NotNeeded,
            },
            _ => {
                self.store.write(write).await?;
                self.stepped();
                return Ok(());
            }
        };
        let stored = self.store.workflow(workflow).await?.ok_or("its workflow is gone")?;
        self.step(Ok(&stored), &Command::System(report), write).await
    }
}

fn after(before: Option<&State>, events: &[Event]) -> Result<State, Failure> {
    let now = Utc::now();
    let (mut state, rest) = match (before, events) {
        (Some(state), events) => (state.clone(), events),
        (None, [first, rest @ ..]) => (begin(first, now).ok_or("it does not begin")?, rest),
        (None, []) => return Err("nothing happened".into()),
    };
    for event in rest {
        apply(&mut state, event, now);
    }
    Ok(state)
}

/// The two effects of a start and of an approval. The card is written once, after the run, and calls nobody.
fn effects(after: &State, events: &[Event]) -> Result<Vec<NewEffect>, Failure> {
    let mut wanted: Vec<Intent> = plan(after, events, Utc::now());
    let runs = wanted.iter().any(|intent| matches!(intent, Intent::RunAgent { .. }));
    wanted.retain(|intent| match intent {
        Intent::RunAgent { .. } | Intent::Act { .. } | Intent::DismissCall { .. } => true,
        Intent::Card => runs,
        _ => false,
    });
    // A lane keeps its order, and there is nothing to show before the run.
    wanted.sort_by_key(|intent| matches!(intent, Intent::Card));
    let effects = wanted.into_iter().enumerate().map(|(ordinal, intent)| {
        Ok(NewEffect {
            id: format!("{}:{}:{ordinal}", after.id, after.version).into(),
            workflow: Some(after.id.clone()),
            installation: InstallationId(1),
            repository: RepositoryId(1),
            lane: format!("workflow:{}", after.id),
            kind: "bench",
            payload: serde_json::to_string(&intent)?,
            priority: Priority::Step,
            pace: Pace::Free,
            run_at: Utc::now(),
            trace: None,
        })
    });
    effects.collect()
}

fn proposal(workflow: &WorkflowId) -> Proposal {
    Proposal {
        workflow: workflow.clone(),
        phase: PhaseId::from("propose"),
        iteration: 1,
        stage: Stage::Response,
        schema: "words.v1".to_owned(),
        artifact: serde_json::json!({ "text": "What would be done, as people read it." }),
        targets: Targets {
            repository: RepositoryId(1),
            subject: IssueNumber(1),
            acts: vec![Act {
                key: ActKey("list".to_owned()),
                deed: Deed::ListUnlinked,
            }],
        },
    }
}

fn alice() -> Authority {
    Authority {
        person: Person {
            id: UserId(7),
            login: "alice".to_owned(),
        },
        right: Right::Write,
        standings: Vec::new(),
        surface: Surface::Comment {
            id: CommentId(9),
            url: "https://github.example/acme/shop/issues/1#issuecomment-9".to_owned(),
        },
        said_at: Utc::now(),
        requirement: Requirement::ANYONE,
    }
}

/// What one round showed.
struct Round {
    per_second: f64,
    per_commit: f64,
}

async fn round(directory: &Path, clients: usize) -> Result<Round, Failure> {
    let bench = Arc::new(Bench::open(directory)?);
    let began = Instant::now();
    let worker = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.work().await }
    });
    let clients: Vec<_> = (1..=clients as u64)
        .map(|number| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.client(number).await })
        })
        .collect();
    tokio::time::sleep(ROUND).await;
    let (steps, commits, took) = (
        bench.steps.load(Ordering::Relaxed),
        bench.store.commits(),
        began.elapsed(),
    );
    bench.over.store(true, Ordering::Relaxed);
    bench.moved.notify_waiters();
    bench.due.notify_one();
    for client in clients {
        // Whoever began to listen after the end was told is told again.
        while !client.is_finished() {
            bench.moved.notify_waiters();
            bench.due.notify_one();
            tokio::task::yield_now().await;
        }
        client.await??;
    }
    worker.await??;
    check(&bench.store).await?;
    bench.store.close().await;
    Ok(Round {
        per_second: steps as f64 / took.as_secs_f64(),
        per_commit: steps as f64 / commits as f64,
    })
}

/// Every workflow that ended has the history that it should have; a bench that measures a mistake says nothing.
async fn check(store: &Store) -> Result<(), Failure> {
    let ended = store.list_workflows(false, 1_000).await?;
    let ended: Vec<_> = ended.iter().filter(|summary| summary.status == "completed").collect();
    if ended.is_empty() {
        return Err("no workflow came to its end".into());
    }
    for summary in ended {
        let history = store.history(&WorkflowId::from(summary.id.as_str())).await?;
        let names: Vec<_> = history.iter().map(|stored| stored.event.name()).collect();
        if history.len() as i64 != summary.version || !names.contains(&"approved") {
            return Err(format!("{} went another way: {names:?}", summary.id).into());
        }
    }
    Ok(())
}

/// Commits a second of the same disk that do nothing else: what a step can be at best without sharing.
async fn bare(directory: &Path) -> Result<f64, Failure> {
    let store = Store::serve(&directory.join("bare.sqlite"))?;
    let began = Instant::now();
    let mut commits = 0_u64;
    while began.elapsed() < ROUND {
        store.count("bench", 1).await?;
        commits += 1;
    }
    let rate = commits as f64 / began.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // On the disk of the build: a directory in memory would make syncing free.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("steps of start, two effects, signal, two effects ({STEPS} a workflow), median of {ROUNDS} rounds each");
    let (mut bares, mut rounds) = (Vec::new(), CLIENTS.map(|clients| (clients, Vec::new())));
    for at in 0..ROUNDS {
        bares.push(bare(&directory.path().join(format!("bare-{at}"))).await?);
        for (clients, results) in &mut rounds {
            results.push(round(&directory.path().join(format!("{clients}-{at}")), *clients).await?);
        }
    }
    let bare = median(bares);
    println!("  bare commits  {bare:>9.0}/s");
    for (clients, results) in rounds {
        let rate = median(results.iter().map(|round| round.per_second).collect());
        let shared = median(results.iter().map(|round| round.per_commit).collect());
        let ratio = rate / bare;
        println!("  {clients:>2} clients    {rate:>9.0}/s   {shared:.2} steps a commit   {ratio:.2} of bare commits");
    }
    Ok(())
}
