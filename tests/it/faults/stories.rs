//! What people do so that the bot makes every call that it can: on an issue, a discussion and a pull request, and where
//! much is found otherwise than it should be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use countersign::github::Operation;
use countersign::inbox::sweep::EVERY;
use countersign::sandbox::{Access, FaultKind, FaultRule, IssueNumber, ReviewState, Role, Visibility};

use super::Patient;
use super::calls::Call;
use crate::bad_input::TASKS;
use crate::world::whole_story::{self, Course as _, Outcome, say, setup, step};
use crate::world::{CONFIG, CONFIG_PATH, Setup, World};

/// A story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// The main job on an issue.
    Issue,
    /// The same in a discussion.
    Discussion,
    /// On a pull request, with checks, a team, code owners, the owner's configuration, and a proposed one.
    Pull,
    /// A team of which GitHub lists only a part.
    Crowd,
    /// Much is otherwise than it should be, and is found so and mended: comments, issues, votes, names.
    Mended,
    /// The same in a discussion.
    MendedDiscussion,
    /// Deliveries that did not arrive.
    Missed,
    /// The App lacks a permission.
    Lacking,
}

/// What a story has go wrong by itself: the next call of an operation that says this, once.
#[derive(Clone, Default)]
pub struct Mishaps {
    late: Next,
    cut_off: Next,
}

type Next = Arc<Mutex<BTreeMap<Operation, &'static str>>>;

impl Mishaps {
    /// The rules, which come before all others.
    pub fn rules(&self) -> [FaultRule; 2] {
        let rule = |next: &Next, kind| {
            let next = Arc::clone(next);
            let is = move |method: &str, path: &str, body: &[u8]| {
                let mut next = next.lock().unwrap();
                let call = Call::of(method, path).map(|call| call.operation);
                let words = call.and_then(|call| next.get(&call));
                let says = words.is_some_and(|words| String::from_utf8_lossy(body).contains(words));
                says && call.is_some_and(|call| next.remove(&call).is_some())
            };
            FaultRule::saying(is, kind)
        };
        [
            rule(&self.late, FaultKind::ExecuteLate),
            rule(&self.cut_off, FaultKind::ExecuteThenReset),
        ]
    }

    /// It will be on its way for longer than anybody waits.
    fn is_late(&self, operation: Operation, words: &'static str) {
        self.late.lock().unwrap().insert(operation, words);
    }

    /// It will be carried out, and nobody will hear so.
    fn is_cut_off(&self, operation: Operation) {
        self.cut_off.lock().unwrap().insert(operation, "");
    }
}

/// What was late was sent again, stands there, and then arrives after all.
async fn arrives(world: &mut World, stands: impl Fn(&World) -> bool) {
    Patient.settle_until(world, &stands).await;
    assert!(stands(world), "it was not sent again");
    assert_eq!(world.github.carry_out_late(), 1);
    Patient.settle(world).await;
}

impl Story {
    pub fn setup(self) -> Setup {
        match self {
            Self::Issue | Self::Discussion | Self::Missed | Self::Lacking => setup(),
            Self::Pull => setup().github(|github| {
                github
                    .team("acme/security", &["bob", "mona"])
                    .file("CODEOWNERS", "src/ @acme/security\n")
                    .file(".github/countersign/guarded.yml", GUARDED)
            }),
            Self::Crowd => setup().github(|github| github.file(".github/countersign/crowded.yml", CROWDED)),
            Self::Mended | Self::MendedDiscussion => setup().config(&format!("{CONFIG}approval:\n  quorum: 2\n")),
        }
    }

    /// How many commands are given in it.
    pub fn commands(self) -> usize {
        match self {
            Self::Issue | Self::Discussion => 7,
            Self::Pull => 6,
            Self::Crowd => 2,
            Self::Mended => 6,
            Self::MendedDiscussion => 6,
            Self::Missed => 2,
            Self::Lacking => 3,
        }
    }

    /// How it ended, without what people are told of an answer that GitHub owes.
    pub fn forgiven(outcome: Outcome) -> Outcome {
        // Whoever is refused, or has approved as one of several, hears so at once, even when GitHub does not tell who else
        // could.
        outcome
            .without("I could not check")
            .reworded(
                "I could not find out who can.",
                "Who can: `alice`, `bob`, `mona` and `ada`.",
            )
            .cut_behind("Your approval counts")
    }

    pub async fn tell(self, world: &mut World, own: &Mishaps) -> Outcome {
        match self {
            Self::Issue => return whole_story::tell(world, &mut Patient).await,
            Self::Discussion => return whole_story::tell_in_a_discussion(world, &mut Patient).await,
            Self::Pull => pull(world, own).await,
            Self::Crowd => crowd(world).await,
            Self::Mended => mended(world, own).await,
            Self::MendedDiscussion => mended_discussion(world, own).await,
            Self::Missed => missed(world).await,
            Self::Lacking => lacking(world).await,
        }
        Outcome::of(world).await
    }
}

/// How often something stands that the bot said, on lines or not.
fn standing(world: &World, on: IssueNumber, words: &str) -> usize {
    let bot = world.github.bot_login();
    let all = [world.github.comments(on), world.github.line_comments(on)].concat();
    all.iter()
        .filter(|one| one.author == bot && one.body.contains(words))
        .count()
}

/// Every open workflow is compared with GitHub, as it is every hour. Nobody told of what happened before.
async fn compared(world: &mut World) {
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    for _ in 0..2 {
        world.house().engine.reconcile_all().await.unwrap();
        Patient.settle(world).await;
        world.clock.advance(TimeDelta::hours(1));
        Patient.settle(world).await;
    }
}

/// Somebody approves what the card offers.
async fn approve(world: &mut World, who: &str, on: IssueNumber) {
    let line = format!("/approve {}", world.digest(on));
    say(world, &mut Patient, who, on, &line).await;
}

const GUARDED: &str = "name: guarded\nversion: 1\ntitle: Tasks behind checks\nphases:\n  - id: extract\n    title: Tasks\n    \
                       agent: extract\n    gate:\n      checks: {named: [build]}\n      people: {quorum: 2 of @acme/security, \
                       code_owners: true}\n  - {id: tickets, title: Issues, needs: [extract], executes: extract}\n";

async fn pull(world: &mut World, own: &Mishaps) {
    let course = &mut Patient;
    let above = world.github.add_repo("acme/.github", Visibility::Public);
    above.set_role("ada", Role::Admin);
    let file = "version: 1\npermissions: {approve: write}\n";
    above.as_("ada").set_file(CONFIG_PATH, file).unwrap();
    let pull = step(world, course, |github| {
        let bob = github.as_("bob");
        let pull = bob
            .open_pull("Faster checkout", "- [ ] Measure the checkout\n", "fast")
            .unwrap();
        bob.changes(pull, &["src/pay.rs"]).unwrap();
        pull
    })
    .await;
    step(world, course, |github| {
        let carol = github.as_("carol");
        carol
            .review(pull, ReviewState::Commented, "Action: @bob will write it down")
            .unwrap();
        carol
            .line_comment(pull, "src/pay.rs", 1, "- [ ] Add an index to orders")
            .unwrap();
    })
    .await;
    // What is not green is read again every five minutes, for as long as it is not.
    step(world, course, |github| {
        github.as_("alice").check(pull, "build", Some("success")).unwrap();
        github.as_("alice").status(pull, "lint", "success").unwrap();
    })
    .await;
    step(world, course, |github| {
        github
            .as_("alice")
            .review(pull, ReviewState::Commented, "/run guarded")
            .unwrap();
    })
    .await;
    // The answer on a line is there twice for a while.
    own.is_late(Operation::ReplyToLine, "waiting for approval");
    world.clock.advance(TimeDelta::seconds(20));
    let rita = world.github.as_("rita");
    rita.line_comment(pull, "src/pay.rs", 2, "/status").unwrap();
    let words = "waiting for approval";
    arrives(world, |world| {
        let lines = world.github.line_comments(pull);
        lines
            .iter()
            .any(|line| line.author == world.github.bot_login() && line.body.contains(words))
    })
    .await;
    approve(world, "bob", pull).await;
    // Of these nobody tells.
    let line = format!("/approve {}", world.digest(pull));
    world.clock.advance(TimeDelta::seconds(20));
    world
        .github
        .as_("mona")
        .review(pull, ReviewState::Commented, &line)
        .unwrap();
    world
        .github
        .as_("rita")
        .line_comment(pull, "src/pay.rs", 3, "/help")
        .unwrap();
    compared(world).await;
    let proposal = step(world, course, |github| {
        github.as_("bob").open_pull("Change the rules", "", "rules").unwrap()
    })
    .await;
    step(world, course, |github| {
        let broken = "version: 1\nmail:\n  to: [nobody]\n";
        github.as_("bob").propose(proposal, CONFIG_PATH, Some(broken)).unwrap();
    })
    .await;
}

/// Nothing leaves: who may approve it is what matters.
const CROWDED: &str = "name: crowded\nversion: 1\ntitle: Tasks for a crowd\nphases:\n  - {id: extract, title: Tasks, agent: \
                       extract, gate: {people: {quorum: 1 of @acme/crowd}}}\n";

async fn crowd(world: &mut World) {
    let course = &mut Patient;
    // Zoe is the last that GitHub would list.
    let mut people: Vec<String> = (0..1000).map(|number| format!("member{number:04}")).collect();
    people.push("zoe".to_owned());
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    world.github.set_team("acme/crowd", &people);
    world.github.set_role("zoe", Role::Write);
    let issue = step(world, course, |github| {
        github
            .as_("alice")
            .open_issue("Checkout is slow", "- [ ] Measure the checkout\n")
            .unwrap()
    })
    .await;
    say(world, course, "alice", issue, "/run crowded").await;
    approve(world, "zoe", issue).await;
}

async fn mended(world: &mut World, own: &Mishaps) {
    let course = &mut Patient;
    let text = format!("{TASKS}- [ ] Tell support (after t1)\n");
    let issue = step(world, course, |github| {
        github.as_("alice").open_issue("Checkout is slow", &text).unwrap()
    })
    .await;
    say(world, course, "mallory", issue, "Count me in!").await;
    // The card is there twice for a while.
    own.is_late(Operation::CreateComment, "### Deliver");
    world.clock.advance(TimeDelta::seconds(20));
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    arrives(world, |world| standing(world, issue, "### Deliver") > 0).await;
    say(world, course, "alice", issue, "/edit t3 assign=@mallory").await;
    own.is_cut_off(Operation::AddSubIssue);
    own.is_cut_off(Operation::AddBlockedBy);
    approve(world, "bob", issue).await;
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    compared(world).await;
    let card = world.card_comment(issue).unwrap();
    let changed = card.body.replace("Measure the checkout", "Sell the checkout");
    world.github.as_("mona").edit_comment(card.id, &changed).unwrap();
    compared(world).await;
    // Whoever approved has another name now, and of whoever approves next nobody tells.
    world.github.rename_account("bob", "robert");
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("mona").comment(issue, &line).unwrap();
    own.is_late(Operation::CreateIssue, "");
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(11));
    world.house().engine.reconcile_all().await.unwrap();
    arrives(world, |world| !world.opened().is_empty()).await;
    compared(world).await;
    let opened = world.opened()[0].number;
    world.github.as_("ada").delete_issue(opened).unwrap();
    compared(world).await;
    // The repository has another name, and another repository has its own.
    world.github.as_("ada").rename_repo("store").unwrap();
    world.github.add_repo("acme/shop", Visibility::Private);
    compared(world).await;
    world.github.as_("alice").label(issue, "countersign:approve").unwrap();
    compared(world).await;
    approve(world, "mona", issue).await;
}

async fn mended_discussion(world: &mut World, own: &Mishaps) {
    let course = &mut Patient;
    let talk = step(world, course, |github| {
        github.as_("alice").start_discussion("Checkout is slow", TASKS).unwrap()
    })
    .await;
    own.is_late(Operation::AddDiscussionComment, "### Deliver");
    world.clock.advance(TimeDelta::seconds(20));
    world.github.as_("alice").comment(talk, "/deliver").unwrap();
    arrives(world, |world| standing(world, talk, "### Deliver") > 0).await;
    let first = step(world, course, |github| {
        github.as_("rita").comment(talk, "Is there news?").unwrap()
    })
    .await;
    // The answer below a comment is there twice for a while.
    own.is_late(Operation::AddDiscussionComment, "/who");
    world.clock.advance(TimeDelta::seconds(20));
    world.github.as_("mallory").reply(first, "/help").unwrap();
    arrives(world, |world| standing(world, talk, "/who") > 0).await;
    let card = world.card_comment(talk).unwrap().id;
    world.github.as_("ada").delete_comment(card).unwrap();
    compared(world).await;
    let line = format!("/approve {}", world.digest(talk));
    world.github.as_("bob").reply(first, &line).unwrap();
    compared(world).await;
    let line = format!("/approve {}", world.digest(talk));
    say(world, course, "mona", talk, &line).await;
    world.github.as_("alice").label(talk, "countersign:approve").unwrap();
    compared(world).await;
    let opened = world.opened()[0].number;
    world.github.as_("ada").delete_issue(opened).unwrap();
    compared(world).await;
    approve(world, "bob", talk).await;
    approve(world, "mona", talk).await;
}

async fn missed(world: &mut World) {
    let course = &mut Patient;
    let issue = step(world, course, |github| {
        github.as_("alice").open_issue("Checkout is slow", TASKS).unwrap()
    })
    .await;
    swept(world).await;
    world.stop().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.as_("rita").comment(issue, "Is there news?").unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::hours(2));
    world.restart().await;
    swept(world).await;
    approve(world, "bob", issue).await;
}

/// The server looks for missed deliveries every minute, until it found none.
async fn swept(world: &mut World) {
    for _ in 0..100 {
        world.clock.advance(EVERY);
        let looked = world.house().sweep_once().await;
        Patient.settle(world).await;
        if looked.is_ok_and(|swept| swept.is_some_and(|swept| swept.missing == 0)) {
            return;
        }
    }
    panic!("deliveries are missing still");
}

async fn lacking(world: &mut World) {
    let course = &mut Patient;
    let pull = step(world, course, |github| {
        let alice = github.as_("alice");
        alice
            .open_pull("Faster checkout", "- [ ] Measure the checkout\n", "fast")
            .unwrap()
    })
    .await;
    say(world, course, "alice", pull, "/deliver").await;
    let (read, write) = (Access::Read, Access::Write);
    let granted = [
        ("contents", read),
        ("issues", write),
        ("metadata", read),
        ("pull_requests", write),
    ];
    let without: Vec<_> = granted.iter().filter(|(name, _)| *name != "issues").copied().collect();
    world.github.set_app_permissions(&without);
    approve(world, "alice", pull).await;
    world.github.set_app_permissions(&granted);
    say(world, course, "alice", pull, "/retry").await;
}
