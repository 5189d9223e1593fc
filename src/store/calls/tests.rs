use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::Hits;
use crate::store::conformance::{Ground, on_both};
use crate::workflow::budget::{Cap, Scope};
use crate::workflow::why::Figures;

on_both! {
    a_call_is_kept_as_it_ended,
    every_cap_is_in_the_way_by_its_name,
    money_is_capped_where_it_is_known,
    an_endpoint_has_only_so_many_calls_under_way,
    without_the_lease_nothing_is_reserved,
}

/// A lease that always holds.
fn held() -> Statement {
    let mut held = Statement::new("UPDATE budgets SET spent = spent WHERE account = ''", values![]);
    held.hits = Hits::Exactly(0);
    held
}

fn at() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn call(run: &str, number: u32, tokens: u64, money: Option<i64>) -> NewCall {
    NewCall {
        above: Vec::new(),
        run: run.to_owned(),
        number,
        workflow: WorkflowId::from("w1"),
        repository: RepositoryId(7),
        person: UserId(3),
        endpoint: "local".to_owned(),
        model: "m".to_owned(),
        currency: "USD".to_owned(),
        turn: Turn::First,
        asked: String::new(),
        reserved: Spend {
            tokens,
            money: money.map(Money),
        },
        started_at: at(),
    }
}

fn capped(scope: Scope, tokens: Option<u64>, money: Option<i64>) -> Caps {
    let mut caps = Caps::default();
    let cap = Cap {
        tokens,
        money: money.map(Money),
    };
    match scope {
        Scope::Run => caps.run = cap,
        Scope::Workflow => caps.workflow = cap,
        Scope::Repository => caps.repository = cap,
        Scope::Person => caps.person = cap,
        Scope::Day => caps.day = cap,
    }
    caps
}

async fn open(store: &Store, new: &NewCall, caps: &Caps, concurrency: u32) -> Opened {
    let bounds = Bounds { caps, concurrency };
    store.open_call(held(), new, bounds, Write::new()).await.unwrap()
}

fn answered(usage: Usage) -> CallEnd {
    CallEnd::Answered(Answered {
        text: "{}".to_owned(),
        finish: Finish::Complete,
        declined: String::new(),
        usage,
        counted_by: CountedBy::Endpoint,
        model: Some("m-1".to_owned()),
    })
}

async fn a_call_is_kept_as_it_ended(ground: Ground) {
    let store = ground.store().await;
    let ends = [
        answered(Usage {
            input: 10,
            cached: 4,
            output: 2,
        }),
        CallEnd::Answered(Answered {
            text: String::new(),
            finish: Finish::Declined,
            declined: "I will not".to_owned(),
            usage: Usage::default(),
            counted_by: CountedBy::Us,
            model: None,
        }),
        CallEnd::Failed(Failed {
            kind: FailureKind::Busy,
            said: "it answered 429: slow down".to_owned(),
            retry_at: at(),
        }),
        CallEnd::Lost,
    ];
    for (number, end) in (1..).zip(&ends) {
        let Opened::Open(opened) = open(&store, &call("r", number, 100, Some(5)), &Caps::default(), 9).await else {
            panic!("nothing is in the way");
        };
        let spent = Spend {
            tokens: 12,
            money: Some(Money(3)),
        };
        let write = opened.closed(end, spent, at()).unwrap();
        store.write(write.clone()).await.unwrap();
        let kept = store.calls_of_run("r").await.unwrap().pop().unwrap();
        assert_eq!((&kept.end, kept.spent), (end, spent));
        assert_eq!(kept.ended_at, Some(at()));
        let twice = store.write(write).await;
        assert_eq!(twice, Err(StoreError::Missed { statement: 0 }), "it ends once");
    }
    assert_eq!(store.audit_books().await.unwrap(), Vec::<String>::new());
}

async fn every_cap_is_in_the_way_by_its_name(ground: Ground) {
    let store = ground.store().await;
    for scope in Scope::ALL {
        let wipe = Write::of(Statement::new("DELETE FROM budgets", values![]));
        store
            .write(wipe.then(Statement::new("DELETE FROM calls", values![])))
            .await
            .unwrap();
        let caps = capped(scope, Some(250), None);
        let Opened::Open(first) = open(&store, &call("r", 1, 200, None), &caps, 9).await else {
            panic!("the first call fits");
        };
        let second = call("r", 2, 100, None);
        assert_eq!(
            open(&store, &second, &caps, 9).await,
            Opened::Occupied,
            "the first may yet take less"
        );
        let spent = Spend {
            tokens: 180,
            money: None,
        };
        store
            .write(first.closed(&CallEnd::Lost, spent, at()).unwrap())
            .await
            .unwrap();
        let Opened::CapReached(reached) = open(&store, &second, &caps, 9).await else {
            panic!("{scope:?} is in the way");
        };
        assert_eq!(reached.scope, scope);
        let figures = Figures::Tokens {
            cap: 250,
            spent: 180,
            wanted: 100,
        };
        assert_eq!(reached.figures, figures);
        assert!(matches!(
            open(&store, &call("r", 2, 70, None), &caps, 9).await,
            Opened::Open(_)
        ));
    }
}

async fn money_is_capped_where_it_is_known(ground: Ground) {
    let store = ground.store().await;
    let caps = capped(Scope::Day, None, Some(10));
    let Opened::CapReached(reached) = open(&store, &call("r", 1, 1, Some(11)), &caps, 9).await else {
        panic!("alone it is too much");
    };
    assert!(matches!(reached.figures, Figures::Money { wanted: Money(11), .. }));
    assert!(
        matches!(open(&store, &call("r", 1, 1, None), &caps, 9).await, Opened::Open(_)),
        "without a price only tokens are held"
    );
}

async fn an_endpoint_has_only_so_many_calls_under_way(ground: Ground) {
    let store = ground.store().await;
    let caps = Caps::default();
    let Opened::Open(first) = open(&store, &call("a", 1, 1, None), &caps, 1).await else {
        panic!("it is free");
    };
    assert_eq!(open(&store, &call("b", 1, 1, None), &caps, 1).await, Opened::Occupied);
    store
        .write(first.closed(&CallEnd::Lost, Spend::default(), at()).unwrap())
        .await
        .unwrap();
    assert!(matches!(
        open(&store, &call("b", 1, 1, None), &caps, 1).await,
        Opened::Open(_)
    ));
}

async fn without_the_lease_nothing_is_reserved(ground: Ground) {
    let store = ground.store().await;
    let mut lost = held();
    lost.hits = Hits::Exactly(1);
    let bounds = Bounds {
        caps: &Caps::default(),
        concurrency: 9,
    };
    let opened = store
        .open_call(lost, &call("r", 1, 1, None), bounds, Write::new())
        .await;
    assert_eq!(opened, Ok(Opened::LeaseLost));
    assert!(store.calls_of_run("r").await.unwrap().is_empty());
}

/// One spender's life: how much it reserves, what the call takes of it in hundredths, and whether its process dies.
#[derive(Debug, Clone)]
struct Spender {
    run: usize,
    reserves: u64,
    takes: u64,
    dies: bool,
}

fn spenders() -> impl Strategy<Value = Vec<Spender>> {
    let one =
        (0..4_usize, 1..400_u64, 0..150_u64, prop::bool::weighted(0.2)).prop_map(|(run, reserves, takes, dies)| {
            Spender {
                run,
                reserves,
                takes,
                dies,
            }
        });
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn caps_hold_and_the_books_balance(spenders in spenders(), cap in 200..2_000_u64, slots in 1..6_u32) {
        runtime().block_on(caps_hold(Ground::sqlite(), spenders, cap, slots));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn caps_hold_and_the_books_balance_on_postgres(spenders in spenders(), cap in 200..2_000_u64, slots in 1..6_u32) {
        runtime().block_on(caps_hold(Ground::postgres(), spenders, cap, slots));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().unwrap()
}

/// Whoever spends at once, and whoever dies: what is spent passes no cap by more than calls in flight took beyond what
/// they reserved, nobody is refused who would have fitted, and the books balance at every moment.
async fn caps_hold(ground: Ground, spenders: Vec<Spender>, cap: u64, slots: u32) {
    let store = ground.store().await;
    let caps = Arc::new(Caps {
        workflow: Cap {
            tokens: Some(cap),
            money: Some(Money(i64::try_from(cap * 3).unwrap())),
        },
        run: Cap {
            tokens: Some(cap / 2),
            money: None,
        },
        ..Caps::default()
    });
    let tasks: Vec<_> = spenders
        .into_iter()
        .enumerate()
        .map(|(number, spender)| {
            let (store, caps) = (store.clone(), Arc::clone(&caps));
            tokio::spawn(async move { spend(&store, &caps, slots, number, &spender).await })
        })
        .collect();
    let mut beyond: BTreeMap<usize, u64> = BTreeMap::new();
    for task in tasks {
        if let Some((run, over)) = task.await.unwrap() {
            *beyond.entry(run).or_default() += over;
        }
    }
    // Processes that died left their calls open: whoever comes next closes them as lost.
    for run in 0..4 {
        for call in store.calls_of_run(&format!("run{run}")).await.unwrap() {
            if call.end == CallEnd::Open {
                store
                    .write(call.closed(&CallEnd::Lost, call.reserved, at()).unwrap())
                    .await
                    .unwrap();
            }
        }
    }
    assert_eq!(store.audit_books().await.unwrap(), Vec::<String>::new());
    let calls = store.calls_of_workflow(&WorkflowId::from("w1")).await.unwrap();
    let spent: u64 = calls.iter().map(|call| call.spent.tokens).sum();
    let over: u64 = beyond.values().sum();
    assert!(spent <= cap + over, "{spent} of {cap}, {over} beyond what was reserved");
    for run in 0..4 {
        let of_run = calls.iter().filter(|call| call.run == format!("run{run}"));
        let spent: u64 = of_run.map(|call| call.spent.tokens).sum();
        let over = beyond.get(&run).copied().unwrap_or_default();
        assert!(spent <= cap / 2 + over, "run {run}: {spent} of {}", cap / 2);
    }
    store.close().await;
}

/// Tries until the call is made or refused for good. Tells what it took beyond its reservation.
async fn spend(store: &Store, caps: &Caps, slots: u32, number: usize, spender: &Spender) -> Option<(usize, u64)> {
    let money = i64::try_from(spender.reserves * 2).unwrap();
    let mut new = call(&format!("run{}", spender.run), 0, spender.reserves, Some(money));
    new.number = u32::try_from(number).unwrap();
    for _ in 0..200 {
        match open(store, &new, caps, slots).await {
            Opened::Open(_) if spender.dies => return None,
            Opened::Open(opened) => {
                assert_eq!(store.audit_books().await.unwrap().len(), 0, "while it is open");
                let tokens = spender.reserves * spender.takes / 100;
                let spent = Spend {
                    tokens,
                    money: Some(Money(i64::try_from(tokens * 2).unwrap())),
                };
                let write = opened.closed(&answered(Usage::default()), spent, at()).unwrap();
                store.write(write).await.unwrap();
                return Some((spender.run, tokens.saturating_sub(spender.reserves)));
            }
            Opened::Occupied => tokio::task::yield_now().await,
            Opened::CapReached(reached) => {
                let Figures::Tokens { cap, spent, wanted } = reached.figures else {
                    return None;
                };
                assert!(
                    spent + wanted > cap,
                    "it would have fitted: {spent} + {wanted} <= {cap}"
                );
                return None;
            }
            Opened::LeaseLost => panic!("the lease holds"),
        }
    }
    None
}
