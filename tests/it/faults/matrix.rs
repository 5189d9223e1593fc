//! Every story while every call goes wrong in every way, on both databases.
//!
//! The calls are those that the program can make ([`Operation::ALL`]), and a story goes on as it would have without any
//! fault: what GitHub and the mailbox hold is compared as a whole, and the database is held to its invariants. In the
//! short form all calls go wrong at once, each with a count of its own; in the long one each goes wrong alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use countersign::github::Operation;
use countersign::sandbox::{FaultKind, FaultRule};

use super::calls::Call;
use super::stories::{Mishaps, Story};
use super::terminal;
use crate::world::whole_story::Outcome;
use crate::world::{Base, World};

/// A kind for each of those that are told apart behind the calls: what may have been done, what GitHub limits, and what
/// cannot be read. On PostgreSQL the short form has these.
const TOLD_APART: [FaultKind; 3] = [
    FaultKind::ExecuteThenReset,
    FaultKind::Secondary403 { retry_after: Some(30) },
    FaultKind::WrongJson,
];

/// Every kind of fault.
pub const KINDS: [FaultKind; 10] = [
    FaultKind::Refuse,
    FaultKind::ExecuteThenTimeout,
    FaultKind::ExecuteThenReset,
    FaultKind::Error500AfterExecute,
    FaultKind::TooManyRequests { retry_after: Some(30) },
    FaultKind::TooManyRequests { retry_after: None },
    FaultKind::Secondary403 { retry_after: Some(30) },
    FaultKind::Secondary403 { retry_after: None },
    FaultKind::SlowThenOk(Duration::from_millis(20)),
    FaultKind::WrongJson,
];

/// How long a call waits for its answer. Where a machine is busy, more of them wait in vain than should, which changes
/// nothing either.
const PATIENCE: Duration = Duration::from_millis(250);

/// Which calls go wrong.
#[derive(Debug, Clone)]
enum Struck {
    All,
    Only(Call),
}

impl Struck {
    fn is(&self, call: &Call) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => call == only,
        }
    }

    /// Which of the calls of a kind go wrong: the first ones, and some that come later. An attempt at something makes
    /// several calls, and somebody is called after thirty.
    fn strikes(&self, kind: FaultKind) -> &'static [u32] {
        match (self, kind) {
            // Each of them takes the whole of the client's patience.
            (Self::All, FaultKind::ExecuteThenTimeout) => &[0],
            (Self::Only(_), FaultKind::ExecuteThenTimeout) => &[0, 3],
            (Self::All, _) => &[0, 2, 12],
            (Self::Only(_), _) => &[0, 2, 3, 7, 12],
        }
    }

    /// Each kind of call is counted for itself.
    fn rule(self, kind: FaultKind) -> FaultRule {
        let counted: Mutex<BTreeMap<Call, u32>> = Mutex::default();
        let now = move |method: &str, path: &str| {
            let Some(call) = Call::of(method, path).filter(|call| self.is(call)) else {
                return false;
            };
            let mut counted = counted.lock().unwrap();
            let count = counted.entry(call).or_default();
            *count += 1;
            self.strikes(kind).contains(&(*count - 1))
        };
        FaultRule::when(now, kind)
    }
}

/// How a story ends, and what was asked of GitHub meanwhile.
struct Told {
    outcome: Outcome,
    calls: BTreeSet<Call>,
    /// Those that went wrong, and how often.
    struck: BTreeMap<Call, u32>,
}

async fn tell(story: Story, base: Base, fault: Option<(Struck, FaultKind)>) -> Told {
    let mut setup = story.setup().on(base);
    if let Some((_, FaultKind::ExecuteThenTimeout)) = fault {
        setup = setup.patience(PATIENCE);
    }
    let mut world: World = setup.start().await;
    // What a story has go wrong by itself comes first.
    let own = Mishaps::default();
    for rule in own.rules() {
        world.github.fault(rule);
    }
    if let Some((struck, kind)) = fault {
        world.github.fault(struck.rule(kind));
    }
    let outcome = story.tell(&mut world, &own).await;
    let requests = world.github.requests();
    world.close().await;
    let mut struck = BTreeMap::new();
    for request in requests.iter().filter(|request| request.fault.is_some()) {
        // What was on its way for long is the story's own.
        if request.fault != Some(FaultKind::ExecuteLate) {
            *struck.entry(Call::made(request)).or_default() += 1;
        }
    }
    Told {
        outcome,
        calls: requests.iter().map(Call::made).collect(),
        struck,
    }
}

/// How it ends where nothing goes wrong.
async fn plain(story: Story) -> Told {
    tell(story, Base::Sqlite, None).await
}

/// Tells a story while calls go wrong, and tells how many did.
async fn ends_the_same(story: Story, base: Base, expected: &Told, struck: Struck, kind: FaultKind) -> u32 {
    let when = format!("when {struck:?} of {story:?} went wrong by {kind:?}");
    println!("{when}");
    let told = tell(story, base, Some((struck.clone(), kind))).await;
    for call in expected.calls.iter().filter(|call| struck.is(call)) {
        assert!(told.struck.contains_key(call), "{when}, no {call} did");
    }
    let unchecked = told.outcome.comments_with("I could not check");
    let most = story.commands();
    assert!(
        unchecked <= most,
        "{when}, {unchecked} times somebody was told that it could not be checked:\n{:#?}",
        told.outcome
    );
    Story::forgiven(told.outcome).assert_is(&Story::forgiven(expected.outcome.clone()), &when);
    told.struck.values().sum()
}

/// All calls at once by each of these faults.
async fn each_fault(story: Story, base: Base, kinds: &[FaultKind]) {
    let began = Instant::now();
    let expected = plain(story).await;
    if base != Base::Sqlite {
        let here = tell(story, base, None).await.outcome;
        here.assert_is(&expected.outcome, &format!("on {base:?}, where nothing went wrong"));
    }
    let mut faults = 0;
    for kind in kinds {
        faults += ends_the_same(story, base, &expected, Struck::All, *kind).await;
    }
    println!("{story:?} on {base:?}: {faults} faults in {:?}", began.elapsed());
}

/// Each call by each fault alone.
async fn each_alone(story: Story, base: Base) {
    let began = Instant::now();
    let expected = plain(story).await;
    let mut faults = 0;
    for call in &expected.calls {
        for kind in KINDS {
            faults += ends_the_same(story, base, &expected, Struck::Only(call.clone()), kind).await;
        }
    }
    println!(
        "{story:?} on {base:?}: {} calls by {} faults, {faults} of them struck, in {:?}",
        expected.calls.len(),
        KINDS.len(),
        began.elapsed()
    );
}

macro_rules! stories {
    ($($name:ident: $story:expr),+ $(,)?) => {
        const STORIES: &[Story] = &[$($story),+];

        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn by_each_fault_on_sqlite() {
                each_fault($story, Base::Sqlite, &KINDS).await;
            }

            #[tokio::test]
            async fn by_faults_that_are_told_apart_on_postgres() {
                each_fault($story, Base::Postgres, &TOLD_APART).await;
            }
        })+

        mod long_each_call_by_each_fault_on_sqlite {
            use super::*;
            $(#[tokio::test]
            #[ignore = "takes minutes: docs/reliability.md"]
            async fn $name() {
                each_alone($story, Base::Sqlite).await;
            })+
        }

        mod long_each_call_by_each_fault_on_postgres {
            use super::*;
            $(#[tokio::test]
            #[ignore = "takes minutes: docs/reliability.md"]
            async fn $name() {
                each_alone($story, Base::Postgres).await;
            })+
        }
    };
}

stories! {
    issue: Story::Issue,
    discussion: Story::Discussion,
    pull: Story::Pull,
    crowd: Story::Crowd,
    mended: Story::Mended,
    mended_discussion: Story::MendedDiscussion,
    missed: Story::Missed,
    lacking: Story::Lacking,
}

/// A call that is added to the program is told of in a story, or this fails.
#[tokio::test]
async fn every_call_that_the_program_can_make_is_made_in_a_story() {
    let mut made: BTreeSet<Operation> = terminal::operations().await;
    for story in STORIES {
        let calls = plain(*story).await.calls;
        println!(
            "{story:?}: {}",
            calls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        );
        made.extend(calls.iter().map(|call| call.operation));
    }
    let never: Vec<&Operation> = Operation::ALL
        .iter()
        .filter(|operation| !made.contains(operation))
        .collect();
    assert!(never.is_empty(), "no story makes {never:?}");
}
