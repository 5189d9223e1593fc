//! The same operations, drawn at random from a seed, on both databases: the same answers and the same rows, until every
//! operation has succeeded at least once.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::calls::{Bounds, Call, CallEnd, NewCall, Opened, Turn};
use super::change::Change;
use super::conformance::Ground;
use super::definitions::{KeptDefinition, forget_definition, keep_definition};
use super::deliveries::{LeasedDelivery, NewDelivery};
use super::duties::{Duty, Gap, LeasedDuty};
use super::effects::{
    LeasedEffect, NewEffect, Pace, Priority, Sent, Which, cancel_planned, no_act_under_way, park_installation,
    taken_over,
};
use super::fork::Copied;
use super::mails::NewMail;
use super::missed::{Missed, forget_arrived, lose_before};
use super::repair::{RECONCILE, keep_heard, reconcile_at, reconcile_id};
use super::repositories::{OperatorCommand, forget_config_check, note_config, note_labels};
use super::restored::in_doubt;
use super::runs::{Run, keep_run};
use super::workflows::{
    Card, CommentRole, LinkedComment, Place, Scope, Stored, acted_on, forget_card, keep_card, keep_proposal,
    link_comment, link_opened, mark_card_stale, unlink_comment,
};
use super::{Statement, Store, StoreError, Write};
use crate::traces::TraceParent;
use crate::values;
use crate::workflow::apply::{apply, fold};
use crate::workflow::artifact::{Proposal, Stage, Targets};
use crate::workflow::budget::{Cap, Caps, Money, Spend};
use crate::workflow::definition::Definition;
use crate::workflow::event::{Event, HoldCause};
use crate::workflow::ids::{CommentId, InstallationId, IssueNumber, RepositoryId, UserId, WorkflowId};
use crate::workflow::right::Person;
use crate::workflow::state::{Subject, SubjectKind, Surface, Timestamp};
use crate::workflow::words::Words;

const INSTALLATION: InstallationId = InstallationId(5);

/// What can be done. Each is followed by what the store tells then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Accept,
    ClaimDelivery,
    EndDelivery,
    RetryDelivery,
    Plan,
    PlanSeveral,
    ClaimFree,
    ClaimPaced,
    EndEffect,
    RetryEffect,
    KeepMail,
    GiveBack,
    Park,
    CancelPlanned,
    NoAct,
    Start,
    Append,
    AppendToStale,
    Fork,
    Link,
    Propose,
    KeepCard,
    MeanOnce,
    Count,
    Repository,
    Definition,
    AskServer,
    Run,
    OpenCall,
    CloseCall,
    Duty,
    Miss,
    Reconcile,
    ClockWentBack,
    DoubtOpen,
    Forget,
    TakeOver,
}

const KINDS: [Kind; 37] = [
    Kind::Accept,
    Kind::ClaimDelivery,
    Kind::EndDelivery,
    Kind::RetryDelivery,
    Kind::Plan,
    Kind::PlanSeveral,
    Kind::ClaimFree,
    Kind::ClaimPaced,
    Kind::EndEffect,
    Kind::RetryEffect,
    Kind::KeepMail,
    Kind::GiveBack,
    Kind::Park,
    Kind::CancelPlanned,
    Kind::NoAct,
    Kind::Start,
    Kind::Append,
    Kind::AppendToStale,
    Kind::Fork,
    Kind::Link,
    Kind::Propose,
    Kind::KeepCard,
    Kind::MeanOnce,
    Kind::Count,
    Kind::Repository,
    Kind::Definition,
    Kind::AskServer,
    Kind::Run,
    Kind::OpenCall,
    Kind::CloseCall,
    Kind::Duty,
    Kind::Miss,
    Kind::Reconcile,
    Kind::ClockWentBack,
    Kind::DoubtOpen,
    Kind::Forget,
    Kind::TakeOver,
];

/// One operation: everything about it that is drawn.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    kind: Kind,
    /// What it is about, and how.
    which: usize,
    how: usize,
    now: Timestamp,
}

/// A store, and what this process holds of it.
struct Side {
    store: Store,
    deliveries: Vec<LeasedDelivery>,
    effects: Vec<LeasedEffect>,
    calls: Vec<Call>,
    duties: Vec<LeasedDuty>,
    /// A workflow as it was read a while ago.
    stale: Option<Stored>,
}

/// What was answered, and whether it was what was asked for.
type Told = (String, bool);

fn told<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Told {
    match answer {
        Ok(answer) => (format!("{answer:?}"), true),
        // The sentence is the database's own.
        Err(StoreError::Conflict(_)) => ("conflict".to_owned(), false),
        Err(error) => (error.to_string(), false),
    }
}

fn id_of(which: usize) -> WorkflowId {
    format!("w{}", which % 5).as_str().into()
}

fn effect(which: usize, how: usize, now: Timestamp) -> NewEffect {
    NewEffect {
        id: format!("e{}", which % 16).as_str().into(),
        workflow: (!how.is_multiple_of(4)).then(|| id_of(how)),
        installation: INSTALLATION,
        repository: RepositoryId(9),
        lane: format!("lane{}", how % 4),
        kind: ["act", "card", "run_agent", "expire_gate"][how % 4],
        payload: "{\"a\":\"\\u0000\"}".to_owned(),
        priority: [Priority::Answer, Priority::Step, Priority::Background][how % 3],
        pace: [Pace::Free, Pace::Write, Pace::Notifies][which % 3],
        run_at: now + TimeDelta::seconds(how as i64 % 30),
        trace: traced(how),
    }
}

fn person() -> Person {
    Person {
        id: UserId(u64::MAX),
        login: "alice".to_owned(),
    }
}

fn definition() -> Arc<Definition> {
    let text = include_str!("../../workflows/tasks.yml");
    Arc::new(serde_saphyr::from_str(text).unwrap())
}

impl Side {
    async fn of(ground: &Ground) -> Self {
        Self {
            store: ground.store().await,
            deliveries: Vec::new(),
            effects: Vec::new(),
            calls: Vec::new(),
            duties: Vec::new(),
            stale: None,
        }
    }

    async fn write(&self, write: Write) -> Told {
        told(
            self.store
                .write(write)
                .await
                .map(|rows| rows.iter().map(Vec::len).sum::<usize>()),
        )
    }

    async fn one(&self, statement: Statement) -> Told {
        self.write(Write::of(statement)).await
    }

    async fn perform(&mut self, drawn: Drawn) -> Told {
        match drawn.kind {
            Kind::Accept | Kind::ClaimDelivery | Kind::EndDelivery | Kind::RetryDelivery => self.delivery(drawn).await,
            Kind::Plan
            | Kind::PlanSeveral
            | Kind::ClaimFree
            | Kind::ClaimPaced
            | Kind::EndEffect
            | Kind::RetryEffect
            | Kind::KeepMail
            | Kind::GiveBack
            | Kind::Park => self.effect(drawn).await,
            Kind::CancelPlanned | Kind::NoAct | Kind::Start | Kind::Append | Kind::AppendToStale | Kind::Fork => {
                self.workflow(drawn).await
            }
            Kind::Link | Kind::Propose | Kind::KeepCard | Kind::MeanOnce | Kind::Count => self.beside(drawn).await,
            Kind::Repository | Kind::Definition | Kind::AskServer => self.repository(drawn).await,
            Kind::Run | Kind::OpenCall | Kind::CloseCall => self.model(drawn).await,
            Kind::Duty | Kind::Miss | Kind::Reconcile => self.repair(drawn).await,
            Kind::ClockWentBack | Kind::DoubtOpen | Kind::Forget | Kind::TakeOver => self.whole(drawn).await,
        }
    }

    async fn delivery(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let id = format!("d{}", which % 12);
        match kind {
            Kind::Accept => {
                let delivery = NewDelivery {
                    id: id.as_str().into(),
                    event: "issue_comment".to_owned(),
                    action: (how % 2 == 0).then(|| "edited".to_owned()),
                    installation: (how % 3 > 0).then_some(INSTALLATION),
                    repository: (how % 5 > 0).then_some(RepositoryId(u64::MAX - 1)),
                    subject: (how % 7 > 1).then_some(IssueNumber(how as u64 % 3)),
                    body: vec![0, how as u8, 255],
                    settled: (how % 11 == 0).then(|| "nothing \0 to do".to_owned()),
                    trace: traced(how),
                };
                told(self.store.accept(delivery, now).await)
            }
            Kind::ClaimDelivery => {
                let until = now + TimeDelta::seconds(90);
                let limit = 1 + how as u32 % 3;
                let claimed = self.store.claim_deliveries("us", now, until, limit).await.unwrap();
                let shown: Vec<_> = claimed
                    .iter()
                    .map(|of| {
                        let LeasedDelivery {
                            id,
                            event,
                            body,
                            received_at,
                            attempt,
                            ..
                        } = of;
                        format!("{id:?} {event} {body:?} {received_at} {attempt}")
                    })
                    .collect();
                let some = !claimed.is_empty();
                self.deliveries.extend(claimed);
                (format!("{shown:?}"), some)
            }
            Kind::EndDelivery if self.deliveries.is_empty() => ("none is held".to_owned(), false),
            Kind::EndDelivery => {
                let leased = self.deliveries.remove(which % self.deliveries.len());
                let later = now + TimeDelta::seconds(how as i64 % 60);
                self.one(match how % 5 {
                    0 => leased.done("done"),
                    1 => leased.failed("failed"),
                    2 => leased.dead("dead"),
                    3 => leased.put_off(later, "later"),
                    _ => leased.parked(later, "limited"),
                })
                .await
            }
            _ => {
                let (text, _) = told(self.store.retry_delivery(&id.as_str().into(), now).await);
                (text.clone(), text == "true")
            }
        }
    }

    async fn effect(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let until = now + TimeDelta::seconds(90);
        match kind {
            Kind::Plan => self.one(effect(which, how, now).planned(now)).await,
            Kind::PlanSeveral => {
                // PostgreSQL does them as one where no two are the same, SQLite one by one.
                let several = (0..2 + how % 4).map(|more| effect(which + more * how, how + more, now).planned(now));
                self.write(Write(several.collect())).await
            }
            Kind::ClaimFree | Kind::ClaimPaced => {
                let claimed = match kind {
                    Kind::ClaimFree => self
                        .store
                        .claim_effects("us", now, until, 1 + how as u32 % 3)
                        .await
                        .unwrap(),
                    _ => self
                        .store
                        .claim_paced("us", now, until)
                        .await
                        .unwrap()
                        .into_iter()
                        .collect(),
                };
                let mut shown: Vec<String> = claimed
                    .iter()
                    .map(|of| {
                        let LeasedEffect {
                            id,
                            workflow,
                            kind,
                            attempt,
                            doubt,
                            first_sent_at,
                            lease_until,
                            trace,
                            ..
                        } = of;
                        format!("{id:?} {workflow:?} {kind} {attempt} {doubt} {first_sent_at} {lease_until} {trace:?}")
                    })
                    .collect();
                shown.sort();
                let some = !claimed.is_empty();
                self.effects.extend(claimed);
                self.effects.sort_by(|one, other| one.id.cmp(&other.id));
                (format!("{shown:?}"), some)
            }
            Kind::EndEffect if self.effects.is_empty() => ("none is held".to_owned(), false),
            Kind::EndEffect => {
                let leased = self.effects.remove(which % self.effects.len());
                let later = now + TimeDelta::seconds(how as i64 % 60);
                self.one(match how % 7 {
                    0 => leased.done("done", now),
                    1 => leased.failed("failed", now),
                    2 => leased.dropped("dropped", now),
                    3 => leased.put_off(later, Sent::Maybe, "may be \0"),
                    4 => leased.put_off(later, Sent::No, "not"),
                    5 => leased.parked(later, "limited"),
                    _ => leased.heartbeat(later),
                })
                .await
            }
            Kind::RetryEffect => {
                // One that failed where there is one, which plans that repeat an id soon take up; else any.
                let failed = self.store.effects(Which::Failed, 16).await.unwrap();
                let id = match failed.len() {
                    0 => format!("e{}", which % 16).as_str().into(),
                    of => failed[which % of].id.as_str().into(),
                };
                let retried = self.store.retry_effect(&id, now).await;
                let was_one = matches!(retried, Ok(true));
                (told(retried).0, was_one)
            }
            Kind::KeepMail if self.effects.is_empty() => ("none is held".to_owned(), false),
            Kind::KeepMail => {
                let effect = &self.effects[which % self.effects.len()];
                let workflow = id_of(how);
                let mail = NewMail {
                    effect: &effect.id,
                    workflow: &workflow,
                    repository: RepositoryId(9),
                    message_id: "<1@example.org>",
                    raw: &[0, how as u8, 255],
                };
                told(self.store.keep_mail(effect.heartbeat(until), mail, now).await)
            }
            Kind::GiveBack => {
                let given_back = self.store.give_back(["us", "them"][how % 2]).await;
                told(given_back)
            }
            _ => {
                self.one(park_installation(
                    INSTALLATION,
                    now + TimeDelta::seconds(how as i64 % 5),
                ))
                .await
            }
        }
    }

    async fn repair(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let later = now + TimeDelta::seconds(how as i64 % 60);
        match kind {
            Kind::Duty if how % 2 == 0 || self.duties.is_empty() => {
                let duty = [Duty::Sweep, Duty::Upkeep][which % 2];
                let claimed = self.store.claim_duty(duty, "us", now, later).await.unwrap();
                let (shown, some) = (format!("{claimed:?}"), claimed.is_some());
                self.duties.extend(claimed);
                (shown, some)
            }
            Kind::Duty => {
                let duty = self.duties.remove(which % self.duties.len());
                let gap = (how % 3 == 0).then_some(Gap {
                    from: now,
                    until: later,
                });
                self.one(duty.done(later, (how % 4 > 0).then_some(now), gap)).await
            }
            Kind::Miss => {
                let missed = Missed {
                    delivery: format!("d{}", which % 14).as_str().into(),
                    attempt: u64::from(u32::MAX) + how as u64,
                    event: "issues".to_owned(),
                    first_at: now,
                    asked: 0,
                    lost: false,
                };
                self.one(match how % 6 {
                    0 | 1 => missed.noted(now),
                    2 => missed.asked_for(later),
                    3 => missed.lost(now),
                    4 => forget_arrived(),
                    _ => lose_before(now - TimeDelta::hours(1), now),
                })
                .await
            }
            _ => {
                let id = id_of(which);
                let timer = NewEffect {
                    id: reconcile_id(&id),
                    workflow: None,
                    installation: INSTALLATION,
                    repository: RepositoryId(9),
                    lane: reconcile_id(&id).to_string(),
                    kind: RECONCILE,
                    payload: "{}".to_owned(),
                    priority: Priority::Background,
                    pace: Pace::Free,
                    run_at: later,
                    trace: None,
                };
                match how % 4 {
                    0 => told(self.store.reconcile_all(now, TimeDelta::seconds(1)).await),
                    1 => self.one(keep_heard(&id, RepositoryId(9), later)).await,
                    2 => self.one(reconcile_at(&id, now)).await,
                    _ => self.one(timer.planned(now)).await,
                }
            }
        }
    }

    /// What is done to all that is stored.
    async fn whole(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        match kind {
            Kind::ClockWentBack => {
                let before = now - TimeDelta::seconds(how as i64 * 20);
                let (rest, lease) = (TimeDelta::minutes(10), TimeDelta::seconds(90));
                told(self.store.clock_went_back(before, rest, lease).await)
            }
            // The command looks for servers first, and this is one.
            Kind::DoubtOpen => {
                let [doubt, newest] = in_doubt();
                let (text, _) = self.one(doubt).await;
                let (noted, _) = self.one(newest).await;
                (format!("{text} {noted}"), text != "0")
            }
            Kind::Forget => {
                // Every other time all that has ended is old.
                let before = now - TimeDelta::minutes(how as i64 * (how as i64 % 2));
                let forgotten = self.store.forget_before(before, 1 + which as u32 % 3).await;
                let some = forgotten.as_ref().is_ok_and(|forgotten| forgotten.workflows > 0);
                (told(forgotten).0, some)
            }
            // On PostgreSQL it is nobody's to do; the words are the same.
            _ => self.write(taken_over()).await,
        }
    }

    async fn workflow(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let id = id_of(which);
        match kind {
            Kind::CancelPlanned => self.one(cancel_planned(&id, now)).await,
            Kind::NoAct => self.one(no_act_under_way(&id)).await,
            Kind::Start => {
                let started = Event::Started {
                    workflow: id,
                    definition: definition(),
                    subject: Subject {
                        repository: RepositoryId(9),
                        kind: SubjectKind::Issue,
                        number: IssueNumber(how as u64 % 3),
                        id: None,
                    },
                    by: person(),
                    surface: Surface::Terminal,
                    said_at: now,
                    given: Default::default(),
                    parent: None,
                };
                let events = [started];
                let after = fold(events.iter().map(|event| (event, now))).unwrap();
                let place = Place {
                    installation: INSTALLATION,
                    repository: "acme/shop".to_owned(),
                };
                let change = Change {
                    before: Err(&place),
                    events: &events,
                    after: &after,
                    waits_for: "",
                    cause: "delivery",
                    now,
                };
                self.write(change.statements().unwrap()).await
            }
            Kind::Append | Kind::AppendToStale => {
                let read = self.store.workflow(&id).await.unwrap();
                let before = match kind {
                    Kind::Append => read.clone(),
                    _ => self.stale.take(),
                };
                if read.is_some() {
                    self.stale = read;
                }
                let Some(before) = before else {
                    return ("no workflow".to_owned(), false);
                };
                let event = match how % 9 {
                    0 => Event::Cancelled {
                        surface: None,
                        by: Some(person()),
                        reason: Words::new("enough"),
                    },
                    1 | 2 => Event::Unheld {
                        surface: None,
                        by: person(),
                    },
                    _ => Event::Held {
                        surface: None,
                        by: None,
                        reason: Words::new("wait \0"),
                        cause: HoldCause::Asked,
                    },
                };
                let mut after = before.state.clone();
                apply(&mut after, &event, now);
                let change = Change {
                    before: Ok(&before),
                    events: std::slice::from_ref(&event),
                    after: &after,
                    waits_for: "alice",
                    cause: "effect",
                    now,
                };
                let (text, kept) = self.write(change.statements().unwrap()).await;
                // What is stale is to be refused, and may be the newest nevertheless.
                (text, kept || kind == Kind::AppendToStale)
            }
            _ => {
                let Some(origin) = self.store.workflow(&id).await.unwrap() else {
                    return ("no workflow".to_owned(), false);
                };
                let history = self.store.history(&id).await.unwrap();
                let mut events: Vec<_> = history.into_iter().map(|of| (of.event, of.at)).collect();
                if let Some((Event::Started { workflow, .. }, _)) = events.first_mut() {
                    *workflow = format!("fork{}", how % 4).as_str().into();
                }
                let state = fold(events.iter().map(|(event, at)| (event, *at))).unwrap();
                let copied = Copied {
                    origin: &origin,
                    events: &events,
                    state: &state,
                    cause: "fork",
                    now,
                };
                let (write, _) = copied.statements().unwrap();
                self.write(write).await
            }
        }
    }

    async fn beside(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let id = id_of(which);
        match kind {
            Kind::MeanOnce => {
                self.one(acted_on(&format!("comment:{}", which % 9), "d1", "done", now))
                    .await
            }
            Kind::Count => told(self.store.count(["seen", "done"][which % 2], how as i64 - 8).await),
            Kind::Propose => {
                let proposal = Proposal {
                    workflow: id,
                    phase: "tasks".into(),
                    iteration: 1,
                    stage: Stage::Response,
                    schema: "tasks.v1".to_owned(),
                    artifact: serde_json::json!({ "text": how % 3 }),
                    targets: Targets {
                        repository: RepositoryId(9),
                        subject: IssueNumber(1),
                        acts: Vec::new(),
                    },
                };
                let beside = serde_json::json!({ "how": how });
                self.one(keep_proposal(&proposal, &beside, RepositoryId(9), now).unwrap())
                    .await
            }
            Kind::KeepCard => {
                let card = Card {
                    comment: CommentId(how as u64),
                    node_id: "IC_1".to_owned(),
                    url: "https://github.test".to_owned(),
                    body: format!("card \0 {how}"),
                    digest: None,
                    written_at: now,
                    stale: false,
                };
                self.one(match how % 5 {
                    0 => mark_card_stale(&id),
                    1 => forget_card(&id),
                    _ => keep_card(&id, &card),
                })
                .await
            }
            _ => {
                let comment = CommentId(how as u64 % 4);
                let Some(stored) = self.store.workflow(&id).await.unwrap() else {
                    return self.one(forget_card(&id)).await;
                };
                let role = [CommentRole::Card, CommentRole::Call, CommentRole::Page][how % 3];
                self.one(match how % 4 {
                    0 => link_opened(&stored.state, IssueNumber(how as u64)),
                    1 => unlink_comment(&stored.state, comment),
                    _ => {
                        let linked = LinkedComment {
                            id: comment,
                            node_id: format!("IC_{how}"),
                            detail: "detail".to_owned(),
                        };
                        link_comment(&stored.state, &linked, role)
                    }
                })
                .await
            }
        }
    }

    async fn repository(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        let id = RepositoryId([9, u64::MAX - 1][which % 2]);
        match kind {
            Kind::Repository => match how % 6 {
                0 => self.one(note_labels(id)).await,
                1 => self.one(forget_config_check(id)).await,
                2 => self.one(note_config(id, Some("version: 1"), None, now)).await,
                3 => self.one(note_config(id, None, Some("line 1"), now)).await,
                _ => {
                    let installation = InstallationId(5 + how as u64 % 2);
                    told(
                        self.store
                            .note_repository(id, installation, "acme", &format!("shop{how}"))
                            .await,
                    )
                }
            },
            Kind::Definition => {
                let path = format!(".github/countersign/{}.yml", ["a", "B", "_"][which % 3]);
                let file = KeptDefinition {
                    path: path.clone(),
                    good: (how % 2 == 0).then(|| ("name".to_owned(), "text".to_owned())),
                    sha: format!("{how}"),
                    error: (how % 2 == 1).then(|| "line 1".to_owned()),
                };
                self.one(match how % 5 {
                    0 => forget_definition(id, &path),
                    _ => keep_definition(id, &file, now),
                })
                .await
            }
            _ => {
                let open = self.store.operator_commands().await.unwrap();
                if let Some((seq, command)) = open.get(which % 3) {
                    let done = told(self.store.operator_command_done(*seq, "done", now).await);
                    return (format!("{command:?} {}", done.0), done.1);
                }
                let command = OperatorCommand::RetryDelivery { id: format!("d{how}") };
                told(self.store.ask_server(&command, now).await)
            }
        }
    }

    async fn model(&mut self, Drawn { kind, which, how, now }: Drawn) -> Told {
        match kind {
            Kind::Run => {
                let run = Run {
                    id: format!("r{}", which % 6),
                    phase: "tasks".into(),
                    iteration: 1,
                    attempt: how as u32 % 3,
                    agent: "extract".to_owned(),
                    provider: "rules".to_owned(),
                    inputs: "{}".to_owned(),
                    prompt: "what \0 is to be done?".to_owned(),
                    answer: (how % 2 == 0).then(|| "nothing \0 \u{FDD0}".to_owned()),
                    answered_by: (how % 3 == 0).then_some(UserId(3)),
                    outcome: "done".to_owned(),
                    started_at: now,
                    ended_at: now,
                };
                self.one(keep_run(&run, &id_of(how), RepositoryId(9))).await
            }
            Kind::OpenCall => {
                let caps = Caps {
                    workflow: Cap {
                        tokens: Some(1_000),
                        money: Some(Money(2_000)),
                    },
                    ..Caps::default()
                };
                let call = NewCall {
                    run: format!("r{}", which % 6),
                    number: how as u32,
                    workflow: id_of(which),
                    repository: RepositoryId(9),
                    person: UserId(3),
                    above: Default::default(),
                    endpoint: "local".to_owned(),
                    model: "m".to_owned(),
                    currency: "USD".to_owned(),
                    turn: Turn::First,
                    asked: String::new(),
                    reserved: Spend {
                        tokens: 40 * (1 + how as u64),
                        money: (how % 3 > 0).then_some(Money(how as i64)),
                    },
                    started_at: now,
                };
                let bounds = Bounds {
                    caps: &caps,
                    concurrency: 3,
                };
                let fence = Statement::new("UPDATE counters SET value = value WHERE name = $1", values!["lease"]);
                let opened = self.store.open_call(fence, &call, bounds, Write::new()).await;
                if let Ok(Opened::Open(call)) = &opened {
                    self.calls.push(Call::clone(call));
                }
                let open = matches!(opened, Ok(Opened::Open(_)));
                (told(opened).0, open)
            }
            _ if self.calls.is_empty() => ("none is open".to_owned(), false),
            _ => {
                let call = self.calls.remove(which % self.calls.len());
                let spent = Spend {
                    tokens: how as u64,
                    money: call.reserved.money,
                };
                self.write(call.closed(&CallEnd::Lost, spent, now).unwrap()).await
            }
        }
    }

    /// What the store tells of itself.
    async fn asked(&self, Drawn { which, now, .. }: Drawn) -> String {
        let (store, id) = (&self.store, id_of(which));
        match which % 16 {
            12 => format!(
                "{:?} {:?} {:?}",
                store.effects(Which::Open, 5).await,
                store.effects(Which::Failed, 5).await,
                store.effect_summary(&"e1".into()).await
            ),
            13 => format!(
                "{:?} {:?} {:?} {:?}",
                store.untaken(now).await,
                store.deliveries_given_up(5).await,
                store.mails_of(&id).await,
                store.mail_of_effect(&"e1".into()).await
            ),
            11 => format!(
                "{:?} {:?} {:?}",
                store.gap().await,
                store.missed_count().await,
                store.missed_in_vain().await
            ),
            14 => format!(
                "{:?} {:?} {:?} {:?}",
                store
                    .missed_due(Timestamp::MAX_UTC - TimeDelta::days(1), 3)
                    .await
                    .map(|due| due.len()),
                store.without_reconcile().await,
                store.reconcile_timers().await,
                store.heard_until(&id).await
            ),
            0 => format!("{:?}", store.next_due().await),
            1 => format!("{:?}", store.deliveries(which % 2 == 0, 5).await),
            2 => format!("{:?}", store.queues().await),
            3 => format!("{:?}", store.list_workflows(which % 5 == 0, 5).await),
            4 => format!("{:?}", store.stuck_workflows().await),
            5 => format!("{:?}", store.audit_books().await),
            6 => format!("{:?}", store.open_effects(&id).await),
            7 => format!("{:?} {:?}", store.kept(&id).await, store.effects_of(&id).await),
            8 => format!("{:?} {:?}", store.act_in_flight(&id).await, store.gates_of(&id).await),
            9 => format!("{:?}", store.runs(4).await),
            10 => format!("{:?}", store.calls_of_workflow(&id).await),
            _ => {
                let workflows = store.open_workflows(Scope::Repository(RepositoryId(9))).await.unwrap();
                let ids: Vec<_> = workflows.iter().map(|of| of.state.id.clone()).collect();
                format!("{ids:?} {:?}", store.definitions_of(RepositoryId(9)).await)
            }
        }
    }

    /// Every row, but for the numbers that the databases give.
    async fn rows(&self) -> Vec<String> {
        const ALL: [&str; 21] = [
            "SELECT * FROM mails ORDER BY effect_id",
            "SELECT id, event, action, installation_id, repository_id, subject, lane, body, received_at, state, outcome,
                run_at, attempt, seen, fence, lease_owner, lease_until, trace FROM deliveries ORDER BY seq",
            "SELECT id, workflow_id, installation_id, repository_id, lane, kind, payload, state, priority, paced, run_at,
                attempt, fence, doubt, first_sent_at, lease_owner, lease_until, result, last_error, created_at, ended_at,
                trace
                FROM effects ORDER BY seq",
            "SELECT command, at, done_at, result FROM operator_commands ORDER BY seq",
            "SELECT * FROM meanings ORDER BY key",
            "SELECT * FROM workflows ORDER BY id",
            "SELECT * FROM links ORDER BY repository_id, kind, number, role, workflow_id",
            "SELECT * FROM events ORDER BY workflow_id, seq",
            "SELECT * FROM artifacts ORDER BY workflow_id, digest",
            "SELECT * FROM gates ORDER BY workflow_id, phase, iteration, digest, opened_at",
            "SELECT * FROM runs ORDER BY id",
            "SELECT * FROM cards ORDER BY workflow_id",
            "SELECT * FROM pace ORDER BY installation_id",
            "SELECT * FROM repositories ORDER BY id",
            "SELECT * FROM counters ORDER BY name",
            "SELECT * FROM calls ORDER BY id",
            "SELECT * FROM budgets ORDER BY account, unit",
            "SELECT * FROM definitions ORDER BY repository_id, path",
            "SELECT * FROM duties ORDER BY name",
            "SELECT * FROM missed ORDER BY delivery_id",
            "SELECT * FROM heard ORDER BY workflow_id",
        ];
        let mut all = Vec::new();
        for sql in ALL {
            let rows = self.store.read(sql, Vec::new()).await.unwrap();
            all.extend(rows.iter().map(|row| format!("{row:?}")));
        }
        all
    }
}

async fn same(seed: u64) {
    let (ground, other_ground) = (Ground::sqlite(), Ground::postgres());
    let (mut one, mut other) = (Side::of(&ground).await, Side::of(&other_ground).await);
    let mut random = StdRng::seed_from_u64(seed);
    let mut now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let mut succeeded = BTreeSet::new();
    for step in 0_u32.. {
        assert!(
            step < 5_000,
            "never succeeded: {:?}",
            KINDS
                .iter()
                .filter(|kind| !succeeded.contains(*kind))
                .collect::<Vec<_>>()
        );
        if step >= 250 && succeeded.len() == KINDS.len() {
            break;
        }
        now += TimeDelta::seconds(random.random_range(0..20));
        let drawn = Drawn {
            kind: KINDS[random.random_range(0..KINDS.len())],
            which: random.random_range(0..1_000),
            how: random.random_range(0..16),
            now,
        };
        let (told, done) = one.perform(drawn).await;
        let (told_by_other, _) = other.perform(drawn).await;
        assert_eq!(told, told_by_other, "seed {seed}, step {step}: {drawn:?}");
        assert_eq!(
            one.asked(drawn).await,
            other.asked(drawn).await,
            "seed {seed}, after step {step}: {drawn:?}"
        );
        if done {
            succeeded.insert(drawn.kind);
        }
    }
    for (row, other) in one.rows().await.iter().zip(other.rows().await.iter()) {
        assert_eq!(row, other, "seed {seed}");
    }
    assert_eq!(one.rows().await.len(), other.rows().await.len(), "seed {seed}");
    one.store.close().await;
    other.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_give_the_same_answers_and_keep_the_same_rows() {
    for seed in seeds() {
        same(seed).await;
    }
}

/// Four that are always the same, or the one in `COUNTERSIGN_TEST_SEED`.
fn seeds() -> Vec<u64> {
    match std::env::var("COUNTERSIGN_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("COUNTERSIGN_TEST_SEED is a number")],
        Err(_) => (0..4).collect(),
    }
}

/// Where in a trace something came, now and then.
fn traced(how: usize) -> Option<TraceParent> {
    let trace = || TraceParent::from(format!("00-{how:032x}-{how:016x}-01").as_str());
    how.is_multiple_of(3).then(trace)
}
