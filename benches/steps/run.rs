//! One round: clients that start workflows and approve, and a worker that does as the engine does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use countersign::store::change::Change;
use countersign::store::effects::LeasedEffect;
use countersign::store::workflows::{Place as Home, Stored, keep_proposal};
use countersign::store::{Store, Write};
use countersign::workflow::command::{Ask, Command, Named, Report, RunResult, Verdict};
use countersign::workflow::decide::{Facts, decide};
use countersign::workflow::definition::Definition;
use countersign::workflow::ids::{InstallationId, PhaseId, RepositoryId, WorkflowId};
use countersign::workflow::plan::Intent;
use countersign::workflow::state::{ActOutcome, State};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::flow::{after, alice, definition, effects, proposal, start};
use crate::shared::ground::Place;
use crate::shared::{Failure, within};

/// Start, two effects, signal, two effects.
pub const STEPS: u64 = 6;
/// As many as the engine claims at once.
const CLAIMED_AT_ONCE: u32 = 16;
const LEASE: TimeDelta = TimeDelta::seconds(90);

/// What one round showed.
pub struct Round {
    pub per_second: f64,
    pub per_commit: f64,
    /// From a signal to the claim of the effect that follows: half of them, and all but one in a hundred.
    pub half: Duration,
    pub most: Duration,
}

/// Everything that a round's tasks share.
struct Bench {
    store: Store,
    definition: Arc<Definition>,
    /// Something may be due.
    due: Notify,
    /// A client's workflow moved on.
    moved: Vec<Notify>,
    over: AtomicBool,
    steps: AtomicU64,
    /// Which signals were given and not followed by an effect yet, and how long the others took.
    signals: Mutex<Signals>,
}

#[derive(Default)]
struct Signals {
    given: HashMap<WorkflowId, Instant>,
    took: Vec<Duration>,
}

impl Bench {
    fn over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn signals(&self) -> std::sync::MutexGuard<'_, Signals> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One step is on disk.
    fn stepped(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.due.notify_one();
    }

    /// Decides and keeps what follows, joined with what caused it, in one write.
    async fn step(&self, before: Result<&Stored, &Home>, command: &Command, mut write: Write) -> Result<(), Failure> {
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
        for effect in effects(state, &after, &events)? {
            write.push(effect.planned(now));
        }
        self.store.write(write).await?;
        self.stepped();
        Ok(())
    }

    /// Starts a workflow, waits for its gate, approves, waits for its end; again and again.
    async fn client(&self, client: usize, first: u64) -> Result<(), Failure> {
        let home = Home {
            installation: InstallationId(1),
            repository: "acme/shop".to_owned(),
        };
        for run in first.. {
            if self.over() {
                break;
            }
            let id = WorkflowId(format!("w{client}x{run}"));
            let start = start(&id, &self.definition, client as u64 * 1_000_000_000 + run);
            self.step(Err(&home), &Command::Start(start), Write::new()).await?;
            let shown = |state: &State| state.open_gate().is_some_and(|(.., shown)| shown.shown_at.is_some());
            let Some(stored) = self.until(client, &id, shown).await? else {
                break;
            };
            let approve = Ask::Approve {
                verdict: None,
                named: Named::Prefix(proposal(&id).digest().short()),
                reason: None,
            };
            self.signals().given.insert(id.clone(), Instant::now());
            self.step(Ok(&stored), &Command::Person(alice(), approve), Write::new())
                .await?;
            if self.until(client, &id, |state| !state.is_open()).await?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The workflow once it is so far; nothing when the round is over.
    async fn until(
        &self,
        client: usize,
        id: &WorkflowId,
        far: impl Fn(&State) -> bool,
    ) -> Result<Option<Stored>, Failure> {
        while !self.over() {
            // Told before it waits, a client is woken all the same.
            self.moved[client].notified().await;
            if let Some(stored) = self.store.workflow(id).await?
                && far(&stored.state)
            {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    /// Claims effects and ends them side by side, as the engine does.
    async fn work(self: Arc<Self>) -> Result<(), Failure> {
        let mut under_way = JoinSet::new();
        while !self.over() {
            while let Some(ended) = under_way.try_join_next() {
                ended??;
            }
            let now = Utc::now();
            let claimed = self.store.claim_effects("bench", now, now + LEASE, CLAIMED_AT_ONCE);
            let claimed = claimed.await?;
            if claimed.is_empty() {
                // The round's end wakes it too.
                self.due.notified().await;
            }
            for effect in claimed {
                let bench = Arc::clone(&self);
                under_way.spawn(async move { bench.end(effect).await });
            }
        }
        while let Some(ended) = under_way.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Ends an effect and tells the client whose workflow it was.
    async fn end(&self, effect: LeasedEffect) -> Result<(), Failure> {
        let workflow = effect.workflow.as_ref().ok_or("an effect of no workflow")?;
        {
            let mut signals = self.signals();
            if let Some(given) = signals.given.remove(workflow) {
                signals.took.push(given.elapsed());
            }
        }
        self.outcome(workflow, &effect).await?;
        if let Some(moved) = client_of(workflow).and_then(|client| self.moved.get(client)) {
            moved.notify_one();
        }
        Ok(())
    }

    async fn outcome(&self, workflow: &WorkflowId, effect: &LeasedEffect) -> Result<(), Failure> {
        let intent: Intent = serde_json::from_str(&effect.payload)?;
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
                    guidelines: None,
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

/// Whose workflow it is.
fn client_of(id: &WorkflowId) -> Option<usize> {
    id.as_str().strip_prefix('w')?.split_once('x')?.0.parse().ok()
}

/// So many clients for so long.
pub async fn round(place: &Place, clients: usize, time: Duration) -> Result<Round, Failure> {
    // No id of another round on the same database.
    let first = u64::try_from(Utc::now().timestamp_millis())? % 1_000_000_000;
    let bench = Arc::new(Bench {
        store: Store::open(&place.url()?).await?,
        definition: definition()?,
        due: Notify::new(),
        moved: (0..clients).map(|_| Notify::new()).collect(),
        over: AtomicBool::new(false),
        steps: AtomicU64::new(0),
        signals: Mutex::default(),
    });
    let began = Instant::now();
    let worker = tokio::spawn(Arc::clone(&bench).work());
    let clients: Vec<_> = (0..clients)
        .map(|number| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.client(number, first).await })
        })
        .collect();
    tokio::time::sleep(time).await;
    let (steps, commits) = (bench.steps.load(Ordering::Relaxed), bench.store.commits());
    let took = began.elapsed();
    bench.over.store(true, Ordering::Relaxed);
    bench.due.notify_one();
    bench.moved.iter().for_each(Notify::notify_one);
    for client in clients {
        client.await??;
    }
    bench.due.notify_one();
    worker.await??;
    check(&bench.store).await?;
    bench.store.close().await;
    let mut signals = std::mem::take(&mut bench.signals().took);
    Ok(Round {
        per_second: steps as f64 / took.as_secs_f64(),
        per_commit: steps as f64 / commits as f64,
        half: within(&mut signals, 0.50),
        most: within(&mut signals, 0.99),
    })
}

/// Every workflow that ended has the history that it should have; a bench that measures a mistake says nothing.
pub async fn check(store: &Store) -> Result<(), Failure> {
    let ended = store.list_workflows(false, 200).await?;
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
