//! A parent and its children: what begins, what is waited for, and what each hears of the other.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::children::{Above, ChildStanding, Parent};
use super::super::definition::{Invalid, Wait};
use super::super::event::HoldCause;
use super::super::state::{PhaseStatus, Status, Why};
use super::*;

const PARENT: &str = "
name: parent
version: 1
title: Each on its own
phases:
  - {id: tasks, title: Tasks, agent: writer, gate: {people: {}}}
  - {id: issues, title: Issues, needs: [tasks], executes: tasks}
  - {id: work, title: Work, needs: [issues], for_each: {items: issues, definition: child, max: 3, wait: WAIT}}
  - {id: after, title: After, needs: [work], agent: writer}
";

const CHILD: &str = "
name: child
version: 1
title: One
phases:
  - {id: do, title: Do, agent: writer}
";

fn read(yaml: &str) -> Result<Definition, Invalid> {
    let known = Known {
        agents: &["writer"],
        ..Known::default()
    };
    Definition::parse(yaml, &known)
}

fn parent_of(wait: Wait) -> Definition {
    let wait = match wait {
        Wait::All => "all",
        Wait::Done => "done",
    };
    let child = |name: &str| (name == "child").then(|| read(CHILD).unwrap());
    let parent = read(&PARENT.replace("WAIT", wait)).unwrap();
    parent.with_children(&child).unwrap()
}

/// A parent whose items are these issues, at the moment when its children begin.
fn begun(wait: Wait, items: &[&str]) -> Run {
    let mut run = Run::start(&parent_of(wait));
    let tasks = proposal("tasks", 1, "tasks", items);
    run.proposes(&tasks);
    run.shown("tasks", tasks.digest());
    run.later(TimeDelta::hours(1));
    let named = prefix(tasks.digest());
    let ask = Ask::Approve {
        named,
        reason: None,
        verdict: None,
    };
    run.asks("bob", Right::Write, ask);
    for (at, item) in items.iter().enumerate() {
        run.act_ended("issues", item, opened(20 + at as u64));
    }
    run
}

fn children(run: &Run) -> BTreeMap<String, super::super::children::Child> {
    let children = run.state.at(&"work".into()).children.iter();
    children.map(|(key, child)| (key.0.clone(), child.clone())).collect()
}

fn told(run: &Run, item: &str, standing: ChildStanding) -> Command {
    Command::System(Report::Child {
        phase: "work".into(),
        key: key(item),
        child: children(run)[item].workflow.clone(),
        standing,
    })
}

fn tells(run: &mut Run, item: &str, standing: ChildStanding) -> String {
    let command = told(run, item, standing);
    cell(&run.step(&command))
}

fn cancelled() -> ChildStanding {
    ChildStanding::Cancelled { reason: "no".into() }
}

fn started(run: &Run) -> Vec<WorkflowId> {
    let intents = run.intents.iter().filter_map(|intent| match intent {
        Intent::StartChild { child, .. } => Some(child.clone()),
        _ => None,
    });
    intents.collect()
}

fn told_children(run: &Run) -> usize {
    let tells = |intent: &&Intent| matches!(intent, Intent::TellChild { .. });
    run.intents.iter().filter(tells).count()
}

#[test]
fn each_issue_gets_a_child_and_all_are_waited_for() {
    let mut run = begun(Wait::All, &["a", "b"]);
    assert_eq!(run.status("work"), PhaseStatus::Running);
    let ids: Vec<WorkflowId> = children(&run).into_values().map(|child| child.workflow).collect();
    assert_eq!(started(&run), ids);
    assert_eq!(tells(&mut run, "a", ChildStanding::Open), "child_changed");
    assert_eq!(tells(&mut run, "a", ChildStanding::Open), "obsolete");
    assert_eq!(tells(&mut run, "a", ChildStanding::Completed), "child_changed");
    assert_eq!(run.status("after"), PhaseStatus::Blocked);
    assert_eq!(
        tells(&mut run, "b", ChildStanding::Completed),
        "child_changed+phase_completed+phase_started"
    );
    assert_eq!(tells(&mut run, "b", cancelled()), "obsolete", "what has ended stays so");
}

#[test]
fn the_issue_that_tracks_a_discussion_gets_no_child() {
    let run = begun(Wait::All, &["tracking", "a", "b"]);
    assert_eq!(children(&run).into_keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_child_that_ends_without_being_complete_is_told_and_tried_again_as_another_workflow() {
    let mut run = begun(Wait::All, &["a", "b"]);
    let before = children(&run);
    assert_eq!(tells(&mut run, "a", cancelled()), "child_changed+failed");
    assert_eq!(run.state.at(&"work".into()).why, Some(Why::Children));
    assert!(matches!(
        run.refused("bob", Right::Write, Ask::Skip { reason: String::new() }),
        Refusal::WaitsForAll { .. }
    ));
    assert_eq!(tells(&mut run, "b", ChildStanding::Completed), "child_changed");
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+children_started"
    );
    let after = children(&run);
    assert_eq!(before["b"].workflow, after["b"].workflow);
    assert_ne!(before["a"].workflow, after["a"].workflow);
    assert_eq!(started(&run), [after["a"].workflow.clone()]);
    let late = Command::System(Report::Child {
        phase: "work".into(),
        key: key("a"),
        child: before["a"].workflow.clone(),
        standing: ChildStanding::Completed,
    });
    assert_eq!(
        cell(&run.step(&late)),
        "obsolete",
        "a try that is over says nothing any more"
    );
    assert_eq!(
        tells(&mut run, "a", ChildStanding::Completed),
        "child_changed+phase_completed+phase_started"
    );
}

#[test]
fn where_the_definition_says_so_it_goes_on_with_those_that_are_done() {
    let mut run = begun(Wait::Done, &["a", "b", "c", "d"]);
    assert_eq!(
        children(&run)["d"].standing,
        ChildStanding::LeftOut,
        "one beyond the maximum"
    );
    assert_eq!(started(&run).len(), 3);
    tells(&mut run, "a", ChildStanding::Completed);
    assert_eq!(tells(&mut run, "b", cancelled()), "child_changed");
    let mut early = run.clone();
    let refused = ChildStanding::Refused { why: "busy".into() };
    assert_eq!(
        tells(&mut run, "c", refused),
        "child_changed+phase_completed+phase_started"
    );
    let reason = "The rest can wait".to_owned();
    assert_eq!(
        early.asks("bob", Right::Write, Ask::Skip { reason }),
        "skipped+phase_completed+phase_started"
    );
    assert_eq!(
        tells(&mut early, "c", ChildStanding::Completed),
        "child_changed",
        "it is still recorded"
    );

    let mut none = begun(Wait::Done, &["a"]);
    assert_eq!(tells(&mut none, "a", cancelled()), "child_changed+failed");
}

#[test]
fn more_items_than_children_are_allowed_start_none_where_all_must_be_complete() {
    let mut run = begun(Wait::All, &["a", "b", "c", "d"]);
    assert_eq!(
        run.state.at(&"work".into()).why,
        Some(Why::TooManyItems { items: 4, most: 3 })
    );
    assert!(started(&run).is_empty());
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+failed"
    );
    run.asks("bob", Right::Write, Ask::Cancel { reason: String::new() });
}

#[test]
fn without_an_issue_there_is_nothing_to_do() {
    let run = begun(Wait::All, &[]);
    assert_eq!(run.status("work"), PhaseStatus::Completed);
    assert_eq!(run.status("after"), PhaseStatus::Running);
}

#[test]
fn hold_and_cancel_go_down_and_what_was_planned_begins_when_it_goes_on() {
    let mut run = begun(Wait::All, &["a", "b", "c"]);
    tells(&mut run, "a", ChildStanding::Completed);
    tells(&mut run, "b", ChildStanding::Open);
    run.asks("bob", Right::Write, Ask::Hold { reason: "wait".into() });
    assert_eq!((told_children(&run), started(&run).len()), (2, 0));
    assert_eq!(
        Above::of(&run.state),
        Some(Above::Held {
            by: Some(person("bob")),
            reason: "wait".into()
        })
    );
    assert_eq!(
        tells(&mut run, "b", ChildStanding::Completed),
        "child_changed",
        "recorded while it is held"
    );
    run.asks("mona", Right::Maintain, Ask::Unhold);
    assert_eq!((told_children(&run), started(&run).len()), (1, 1));
    assert_eq!(Above::of(&run.state), Some(Above::GoesOn { by: person("mona") }));
    run.asks(
        "bob",
        Right::Write,
        Ask::Cancel {
            reason: "enough".into(),
        },
    );
    assert_eq!(told_children(&run), 1);
    assert_eq!(
        tells(&mut run, "c", cancelled()),
        "child_changed",
        "recorded after the end"
    );
}

/// A child of the parent of these tests.
fn child_run(id: &WorkflowId, key: &ActKey, issue: u64, now: Timestamp) -> Run {
    let start = Start {
        workflow: id.clone(),
        definition: read(CHILD).unwrap().into(),
        subject: Subject {
            repository: RepositoryId(11),
            kind: SubjectKind::Issue,
            number: IssueNumber(issue),
            id: None,
        },
        given: BTreeMap::new(),
        by: authority("alice", Right::Write, now),
        parent: Some(Parent {
            workflow: "w1".into(),
            subject: IssueNumber(7),
            phase: "work".into(),
            key: key.clone(),
            above: Vec::new(),
        }),
    };
    let Verdict::Events(events) = decide(None, &Command::Start(start), Facts::default(), now) else {
        panic!("a child begins");
    };
    let history: Vec<_> = events.iter().map(|event| (event.clone(), now)).collect();
    let state = fold(history.iter().map(|(event, at)| (event, *at))).unwrap();
    let intents = plan(None, &state, &events, now);
    Run {
        state,
        history,
        now,
        facts: Facts::default(),
        intents,
    }
}

#[test]
fn a_child_follows_its_parent_and_keeps_a_hold_of_its_own() {
    let mut child = child_run(&"w2".into(), &key("a"), 20, noon());
    let held = Above::Held {
        by: Some(person("bob")),
        reason: "wait".into(),
    };
    let goes_on = Above::GoesOn { by: person("bob") };
    assert_eq!(child.reports(Report::Parent(held.clone())), "held");
    assert!(child.intents.contains(&Intent::TellParent));
    let hold = child.state.hold.clone().unwrap();
    assert_eq!(
        (hold.cause, hold.reason.as_str()),
        (HoldCause::Parent, "its parent was held: wait")
    );
    assert_eq!(
        cell(&child.verdict(&Command::System(Report::Parent(held.clone())))),
        "obsolete"
    );
    let refusal = child.refused("ada", Right::Admin, Ask::Unhold);
    assert!(
        matches!(
            refusal,
            Refusal::HeldAbove {
                parent: IssueNumber(7),
                ..
            }
        ),
        "{refusal:?}"
    );
    assert_eq!(child.reports(Report::Parent(goes_on.clone())), "unheld");
    child.asks("bob", Right::Write, Ask::Hold { reason: "mine".into() });
    let goes_on = Command::System(Report::Parent(goes_on));
    assert_eq!(cell(&child.verdict(&goes_on)), "obsolete");
    assert_eq!(child.reports(Report::Parent(held)), "held");
    assert_eq!(cell(&child.step(&goes_on)), "unheld");
    let hold = child.state.hold.clone().unwrap();
    assert_eq!((hold.cause, hold.reason.as_str()), (HoldCause::Asked, "mine"));
    let ended = Above::Cancelled {
        by: None,
        reason: "enough".into(),
    };
    assert_eq!(child.reports(Report::Parent(ended)), "cancelled");
    let orphan = Run::start(&read(CHILD).unwrap());
    let above = Above::GoesOn { by: person("bob") };
    assert_eq!(
        cell(&orphan.verdict(&Command::System(Report::Parent(above)))),
        "obsolete"
    );
}

/// Every standing that a parent may know of a child × every one that it may be told.
#[test]
fn what_a_parent_hears_at_every_standing() {
    let all = || {
        let held = ChildStanding::Stopped { phase: "Do".into() };
        let refused = ChildStanding::Refused { why: "busy".into() };
        [
            ChildStanding::Open,
            ChildStanding::Held,
            held,
            ChildStanding::Completed,
            cancelled(),
            refused,
        ]
    };
    for known in all() {
        for news in all() {
            let mut run = begun(Wait::Done, &["a", "b"]);
            tells(&mut run, "a", known.clone());
            let expected = match known.is_over() || known == news {
                true => "obsolete",
                false => "child_changed",
            };
            assert_eq!(tells(&mut run, "a", news.clone()), expected, "{known:?} then {news:?}");
        }
    }
}

#[test]
fn a_fork_leaves_the_children_to_its_origin() {
    use super::super::fork::{Request, fork};
    let mut run = begun(Wait::All, &["a", "b", "c"]);
    tells(&mut run, "a", ChildStanding::Completed);
    tells(&mut run, "b", ChildStanding::Open);
    let after = run.history.len();
    tells(&mut run, "b", ChildStanding::Completed);
    run.asks(
        "bob",
        Right::Write,
        Ask::Cancel {
            reason: "enough".into(),
        },
    );
    let tasks = proposal("tasks", 1, "tasks", &["a", "b", "c"]);
    let request = Request {
        origin: &"w1".into(),
        history: &run.history,
        after,
        hash: Digest::of_bytes(b"the last event"),
        into: &"w9".into(),
    };
    let made = fork(request, &BTreeMap::from([(tasks.digest(), tasks)]), run.now).unwrap();
    run.state = made.state.clone();
    for event in &made.events {
        apply(&mut run.state, event, run.now);
    }
    run.intents = plan(Some(&made.state), &run.state, &made.events, run.now);
    let standings = children(&run);
    assert_eq!(
        standings["b"].standing,
        ChildStanding::Completed,
        "what the origin went on to do"
    );
    assert!(matches!(standings["c"].standing, ChildStanding::Refused { .. }));
    assert!(started(&run).is_empty());
    assert_eq!(run.status("work"), PhaseStatus::Error);
    run.asks("bob", Right::Write, Ask::Retry { variant: None });
    assert_eq!(started(&run).len(), 1);
}

#[test]
fn what_is_wrong_with_children_is_named() {
    let own = |yaml: &str| {
        read(yaml)
            .map_err(|invalid| invalid.to_string())
            .err()
            .unwrap_or_default()
    };
    for (change, expected) in [
        (("max: 3", "max: 0"), "for_each.max must be from 1 to 100"),
        ((", max: 3", ""), "max"),
        (
            ("items: issues", "items: isues"),
            "there is no phase isues; did you mean issues?",
        ),
        (("items: issues", "items: tasks"), "tasks opens no issues"),
        (
            ("needs: [issues], for_each", "needs: [tasks], for_each"),
            "so it must need it",
        ),
        (("for_each", "agent: writer, for_each"), "`agent` has no meaning"),
        (("wait: WAIT", "wait: some"), "some"),
    ] {
        let yaml = PARENT.replace(change.0, change.1).replace("WAIT", "all");
        let said = own(&yaml);
        assert!(said.contains(expected), "{change:?}: {said}");
    }
    let asking = CHILD.replace(
        "title: One",
        "title: One\ninputs: {goal: {title: The goal, required: true}}",
    );
    let parent = || read(&PARENT.replace("WAIT", "all")).unwrap();
    let wrong = |find: &dyn Fn(&str) -> Option<Definition>, parent: Definition| {
        let mistakes = parent.with_children(find).unwrap_err();
        mistakes
            .into_iter()
            .map(|mistake| mistake.text)
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(wrong(&|_| None, parent()).contains("there is no definition child"));
    assert!(wrong(&|_| read(&asking).ok(), parent()).contains("needs the input goal"));
    let itself = PARENT.replace("WAIT", "all").replace("name: parent", "name: child");
    let said = wrong(&|_| read(&itself).ok(), parent());
    assert!(
        said.contains("a definition cannot be a child of itself: parent → child → child"),
        "{said}"
    );
    let deep = |name: &str| {
        let (_, depth) = name.split_at(5);
        let below = depth.parse::<u32>().unwrap_or_default() + 1;
        let yaml = PARENT
            .replace("WAIT", "all")
            .replace("name: parent", &format!("name: {name}"));
        read(&yaml.replace("definition: child", &format!("definition: child{below}"))).ok()
    };
    let text = wrong(&deep, parent());
    assert!(text.contains("children stand at most 3 deep"), "{text}");
    let unknown = PARENT
        .replace("WAIT", "all")
        .replace("max: 3", "max: 3, with: {gaol: title}");
    let said = wrong(&|_| read(&asking).ok(), read(&unknown).unwrap());
    assert!(said.contains("child has no input gaol; did you mean goal?"), "{said}");
}

/// One thing that may happen to a parent and its children.
#[derive(Debug, Clone)]
enum Happening {
    Parent(Ask),
    Child(usize, Ask),
    /// A child's agent ends: whether well.
    Ran(usize, bool),
    /// The next message of the parent, or of a child, is delivered.
    Delivered(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    let asks = || {
        let why = String::new;
        prop_oneof![
            3 => Just(Ask::Hold { reason: why() }),
            4 => Just(Ask::Unhold),
            1 => Just(Ask::Cancel { reason: why() }),
            2 => Just(Ask::Retry { variant: None }),
            1 => Just(Ask::Skip { reason: why() }),
        ]
    };
    prop_oneof![
        3 => asks().prop_map(Happening::Parent),
        3 => (0..3usize, asks()).prop_map(|(at, ask)| Happening::Child(at, ask)),
        3 => (0..3usize, any::<bool>()).prop_map(|(at, well)| Happening::Ran(at, well)),
        8 => (0..4usize).prop_map(Happening::Delivered),
    ]
}

/// A parent, its children, and what they have to say to one another, each in its own order.
struct Family {
    parent: Run,
    children: BTreeMap<WorkflowId, Run>,
    queues: BTreeMap<WorkflowId, VecDeque<Intent>>,
}

impl Family {
    fn new(wait: Wait) -> Self {
        let parent = begun(wait, &["a", "b", "c"]);
        let mut family = Self {
            parent,
            children: BTreeMap::new(),
            queues: BTreeMap::new(),
        };
        family.said(&"w1".into());
        family
    }

    /// What a step asked of the outside is queued; a hold or an end drops starts that were not begun.
    fn said(&mut self, speaker: &WorkflowId) {
        let run = match self.children.get(speaker) {
            Some(child) => child,
            None => &self.parent,
        };
        let queue = self.queues.entry(speaker.clone()).or_default();
        if run.intents.contains(&Intent::CancelPlanned) {
            queue.retain(|intent| !matches!(intent, Intent::StartChild { .. }));
        }
        for intent in &run.intents {
            let speaks = matches!(
                intent,
                Intent::StartChild { .. } | Intent::TellChild { .. } | Intent::TellParent
            );
            if speaks && !(queue.contains(intent) && matches!(intent, Intent::StartChild { .. })) {
                queue.push_back(intent.clone());
            }
        }
    }

    fn step(&mut self, of: &WorkflowId, command: &Command) {
        let run = match self.children.get_mut(of) {
            Some(child) => child,
            None => &mut self.parent,
        };
        run.later(TimeDelta::minutes(1));
        if let Verdict::Events(_) = run.step(command) {
            self.said(of);
        }
    }

    fn nth(&self, at: usize) -> Option<WorkflowId> {
        self.children.keys().nth(at).cloned()
    }

    fn happens(&mut self, happening: &Happening) {
        let asked = |ask: &Ask| Command::Person(authority("bob", Right::Admin, noon()), ask.clone());
        match happening {
            Happening::Parent(ask) => self.step(&"w1".into(), &asked(ask)),
            Happening::Child(at, ask) => {
                if let Some(child) = self.nth(*at) {
                    self.step(&child, &asked(ask));
                }
            }
            Happening::Ran(at, well) => {
                let Some(child) = self.nth(*at) else { return };
                let at = self.children[&child].state.at(&"do".into());
                let result = match well {
                    true => RunResult::Ended(super::super::state::Ending::Done),
                    false => RunResult::Failed(Why::Failed("broken".into())),
                };
                let report = Report::Ran {
                    phase: "do".into(),
                    iteration: at.iteration,
                    attempt: at.attempt,
                    result,
                    guidelines: None,
                };
                self.step(&child, &Command::System(report));
            }
            Happening::Delivered(at) => {
                let speakers: Vec<WorkflowId> = self.queues.keys().cloned().collect();
                if let Some(speaker) = speakers.get(*at % speakers.len()) {
                    self.deliver(&speaker.clone());
                }
            }
        }
    }

    fn deliver(&mut self, speaker: &WorkflowId) -> bool {
        let Some(intent) = self.queues.get_mut(speaker).and_then(VecDeque::pop_front) else {
            return false;
        };
        match intent {
            Intent::StartChild { phase, key, child } => {
                let known = self.parent.state.at(&phase).children[&key].clone();
                let goes_on = self.parent.state.is_open() && self.parent.state.hold.is_none();
                if known.workflow == child && known.standing == ChildStanding::Planned && goes_on {
                    let run = child_run(&child, &key, known.issue.0, self.parent.now);
                    assert!(
                        self.children.insert(child.clone(), run).is_none(),
                        "a child begins once"
                    );
                    let standing = ChildStanding::Open;
                    let report = Report::Child {
                        phase,
                        key,
                        child,
                        standing,
                    };
                    self.step(&"w1".into(), &Command::System(report));
                }
            }
            Intent::TellChild { child } => {
                if let (Some(above), true) = (Above::of(&self.parent.state), self.children.contains_key(&child)) {
                    self.step(&child, &Command::System(Report::Parent(above)));
                }
            }
            _ => {
                let state = &self.children[speaker].state;
                let parent = state.parent.clone().unwrap();
                let report = Report::Child {
                    phase: parent.phase,
                    key: parent.key,
                    child: state.id.clone(),
                    standing: ChildStanding::of(state),
                };
                self.step(&"w1".into(), &Command::System(report));
            }
        }
        true
    }

    fn settle(&mut self) {
        loop {
            let speakers: Vec<WorkflowId> = self.queues.keys().cloned().collect();
            let delivered = speakers.iter().filter(|speaker| self.deliver(speaker)).count();
            if delivered == 0 {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// In whatever order ends, holds and cancels happen and are heard: once all is heard, parent and children agree.
    #[test]
    fn parent_and_children_agree_once_all_is_heard(
        all in any::<bool>(),
        happenings in proptest::collection::vec(happening(), 0..60),
    ) {
        let mut family = Family::new(if all { Wait::All } else { Wait::Done });
        for happening in &happenings {
            family.happens(happening);
        }
        family.settle();
        let parent = &family.parent;
        let folded = fold(parent.history.iter().map(|(event, at)| (event, *at))).unwrap();
        prop_assert_eq!(&folded, &parent.state);
        for child in parent.state.at(&"work".into()).children.values() {
            match family.children.get(&child.workflow) {
                Some(run) => {
                    let stands = ChildStanding::of(&run.state);
                    prop_assert_eq!(&child.standing, &stands);
                    if matches!(parent.state.status, Status::Cancelled { .. }) {
                        prop_assert!(stands.is_over());
                    }
                    if parent.state.is_open() {
                        let cause = run.state.hold.as_ref().map(|hold| hold.cause);
                        let over = stands.is_over();
                        prop_assert!(over || parent.state.hold.is_none() || cause.is_some());
                        prop_assert!(over || parent.state.hold.is_some() || cause != Some(HoldCause::Parent));
                    }
                }
                None => {
                    let goes_on = parent.state.is_open() && parent.state.hold.is_none();
                    prop_assert!(!goes_on || child.standing != ChildStanding::Planned, "it was never started");
                }
            }
        }
        let work = parent.state.at(&"work".into());
        if parent.state.is_open() && parent.state.hold.is_none() && work.status == PhaseStatus::Running {
            let open = work.children.values().filter(|child| !child.standing.is_over()).count();
            prop_assert!(open > 0, "somebody is waited for");
        }
    }
}
