//! Tests of the core as a whole: tables of what is answered where, the story of the built-in definitions, and
//! properties that hold whatever people and machines do in whatever order.

mod approval;
mod asks;
mod children;
mod digests;
mod expiry;
mod forks;
mod generate;
mod graphs;
mod guidelines;
mod judged;
mod labels;
mod notifications;
mod properties;
mod questions;
mod reports;
mod rights;
mod roles;
mod story;
mod variants;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::json;

use super::act::{Act, ActKey, Deed};
use super::apply::{apply, fold};
use super::artifact::{Proposal, Stage, Targets};
use super::command::{Ask, Authority, Command, Named, Refusal, Report, RunResult, Start, Verdict};
use super::decide::{Facts, decide};
use super::definition::{Definition, Known};
use super::event::Event;
use super::ids::{CommentId, Digest, IssueId, IssueNumber, PhaseId, RepositoryId, UserId, WorkflowId};
use super::plan::{Intent, plan};
use super::right::{Person, Requirement, Right};
use super::state::{ActOutcome, State, Subject, SubjectKind, Surface, Timestamp};

/// One workflow as a test drives it: every step is decided, folded in and planned.
#[derive(Clone)]
struct Run {
    state: State,
    history: Vec<(Event, Timestamp)>,
    now: Timestamp,
    facts: Facts<'static>,
    /// What the last step asked of the outside.
    intents: Vec<Intent>,
}

/// The names of events, in order.
fn names(events: &[Event]) -> String {
    events.iter().map(Event::name).collect::<Vec<_>>().join("+")
}

fn noon() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn person(login: &str) -> Person {
    let id = login.bytes().fold(7, |id, byte| id * 31 + u64::from(byte));
    Person {
        id: UserId(id),
        login: login.to_owned(),
    }
}

/// Somebody with a right who uses a verb that anybody may use.
fn authority(login: &str, right: Right, now: Timestamp) -> Authority {
    Authority {
        person: person(login),
        right,
        standings: Vec::new(),
        surface: Surface::Comment {
            id: CommentId(99),
            url: "https://github.test/o/r/issues/7#issuecomment-99".into(),
        },
        said_at: now,
        requirement: Requirement::ANYONE,
    }
}

fn key(name: &str) -> ActKey {
    ActKey(name.to_owned())
}

fn opened(number: u64) -> ActOutcome {
    ActOutcome::IssueOpened {
        number: IssueNumber(number),
        id: IssueId(1000 + number),
        url: format!("https://github.test/o/r/issues/{number}"),
        title: format!("Issue {number}"),
        dropped: Vec::new(),
    }
}

/// A proposal with an act for each name; the text tells versions apart.
fn proposal(phase: &str, iteration: u32, text: &str, acts: &[&str]) -> Proposal {
    Proposal {
        workflow: "w1".into(),
        phase: phase.into(),
        iteration,
        stage: Stage::Response,
        schema: "words.v1".into(),
        artifact: json!({ "text": text }),
        targets: Targets {
            repository: RepositoryId(11),
            subject: IssueNumber(7),
            acts: acts
                .iter()
                .map(|name| Act {
                    key: key(name),
                    deed: Deed::ListUnlinked,
                })
                .collect(),
        },
    }
}

fn prefix(digest: Digest) -> Named {
    Named::Prefix(digest.short())
}

/// What the start of a workflow on issue 7 is answered.
fn start(id: &str, definition: Definition, by: Authority, now: Timestamp) -> Verdict {
    let start = Start {
        given: Default::default(),
        parent: None,
        workflow: WorkflowId::from(id),
        definition: Arc::new(definition),
        subject: Subject {
            repository: RepositoryId(11),
            kind: SubjectKind::Issue,
            number: IssueNumber(7),
            id: Some(IssueId(70)),
        },
        by,
    };
    decide(None, &Command::Start(start), Facts::default(), now)
}

impl Run {
    fn start(definition: &Definition) -> Self {
        let now = noon();
        let by = authority("alice", Right::Write, now);
        let Verdict::Events(events) = start("w1", definition.clone(), by, now) else {
            panic!("somebody with the right may start");
        };
        let history: Vec<_> = events.iter().map(|event| (event.clone(), now)).collect();
        let state = fold(history.iter().map(|(event, at)| (event, *at))).expect("begins with Started");
        let intents = plan(None, &state, &events, now);
        Self {
            state,
            history,
            now,
            facts: Facts::default(),
            intents,
        }
    }

    fn later(&mut self, by: TimeDelta) {
        self.now += by;
    }

    fn verdict(&self, command: &Command) -> Verdict {
        decide(Some(&self.state), command, self.facts, self.now)
    }

    /// Decides a command and, when events come of it, folds them in and plans.
    fn step(&mut self, command: &Command) -> Verdict {
        let verdict = self.verdict(command);
        if let Verdict::Events(events) = &verdict {
            assert!(!events.is_empty(), "a decision has at least one event: {command:?}");
            let before = self.state.clone();
            for event in events {
                apply(&mut self.state, event, self.now);
                self.history.push((event.clone(), self.now));
            }
            self.intents = plan(Some(&before), &self.state, events, self.now);
        }
        verdict
    }

    fn asks(&mut self, login: &str, right: Right, ask: Ask) -> String {
        let command = Command::Person(authority(login, right, self.now), ask);
        match self.step(&command) {
            Verdict::Events(events) => names(&events),
            other => panic!("{command:?}: {other:?}"),
        }
    }

    fn refused(&mut self, login: &str, right: Right, ask: Ask) -> Refusal {
        let command = Command::Person(authority(login, right, self.now), ask);
        match self.step(&command) {
            Verdict::Refused(refusal) => refusal,
            other => panic!("{command:?}: {other:?}"),
        }
    }

    fn reports(&mut self, report: Report) -> String {
        match self.step(&Command::System(report.clone())) {
            Verdict::Events(events) => names(&events),
            other => panic!("{report:?}: {other:?}"),
        }
    }

    fn ran(&mut self, phase: &str, result: RunResult) -> String {
        let at = self.state.at(&PhaseId::from(phase));
        let (iteration, attempt) = (at.iteration, at.attempt);
        self.reports(Report::Ran {
            phase: phase.into(),
            iteration,
            attempt,
            result,
            guidelines: None,
        })
    }

    fn proposes(&mut self, proposal: &Proposal) -> String {
        let result = RunResult::Proposed {
            proposal: Box::new(proposal.clone()),
            provider: "rules".into(),
        };
        self.ran(&proposal.phase.0.clone(), result)
    }

    fn shown(&mut self, phase: &str, digest: Digest) -> String {
        self.reports(Report::Shown {
            phase: phase.into(),
            digest,
            at: self.now,
        })
    }

    fn act_ended(&mut self, phase: &str, name: &str, outcome: ActOutcome) -> String {
        self.reports(Report::ActEnded {
            phase: phase.into(),
            key: key(name),
            outcome,
        })
    }

    fn status(&self, phase: &str) -> super::state::PhaseStatus {
        self.state.at(&phase.into()).status
    }
}

/// What a table's cell says of a verdict: the events' names, the refusal's variant, or `obsolete`.
fn cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Events(events) => names(events),
        Verdict::Obsolete(_) => "obsolete".into(),
        Verdict::Refused(refusal) => match refusal {
            Refusal::NotAllowed { .. } => "NotAllowed",
            Refusal::Over => "Over",
            Refusal::Held(_) => "Held",
            Refusal::HeldAbove { .. } => "HeldAbove",
            Refusal::WaitsForAll { .. } => "WaitsForAll",
            Refusal::NotHeld => "NotHeld",
            Refusal::NoOpenGate(_) => "NoOpenGate",
            Refusal::WrongDigest { void: false, .. } => "WrongDigest",
            Refusal::WrongDigest { void: true, .. } => "WrongDigest(void)",
            Refusal::NotShownYet => "NotShownYet",
            Refusal::ChangedJustNow { .. } => "ChangedJustNow",
            Refusal::DoesNotCount { .. } => "DoesNotCount",
            Refusal::GateSaysNo { .. } => "GateSaysNo",
            Refusal::VotedBefore { .. } => "VotedBefore",
            Refusal::CouldNotCheck { .. } => "CouldNotCheck",
            Refusal::NothingApproved => "NothingApproved",
            Refusal::NotYours { .. } => "NotYours",
            Refusal::TooLate => "TooLate",
            Refusal::PartlyDone => "PartlyDone",
            Refusal::NothingToRetry => "NothingToRetry",
            Refusal::NoAnswerAwaited => "NoAnswerAwaited",
            Refusal::NothingAsked => "NothingAsked",
            Refusal::NoSuchQuestion { .. } => "NoSuchQuestion",
            Refusal::AnsweredBefore { .. } => "AnsweredBefore",
            Refusal::Stale { .. } => "Stale",
            Refusal::NoChange => "NoChange",
            Refusal::CapReached { .. } => "CapReached",
            Refusal::PromptAtTheGate => "PromptAtTheGate",
            Refusal::NotAlone => "NotAlone",
            Refusal::NoVerdict => "NoVerdict",
            Refusal::ChooseOne { .. } => "ChooseOne",
            Refusal::NothingToChoose(_) => "NothingToChoose",
            Refusal::NoSuchVariant { .. } => "NoSuchVariant",
            Refusal::NotMade { .. } => "NotMade",
            Refusal::VariantAtWork { .. } => "VariantAtWork",
            Refusal::NotRevised { .. } => "NotRevised",
        }
        .into(),
    }
}

/// A definition in which one phase, `work`, can stand at each status while the workflow is open.
const LINE: &str = "
name: line
version: 1
title: One gate between two runs
phases:
  - {id: before, title: Before, agent: writer}
  - id: work
    title: Work
    needs: [before]
    agent: writer
    gate: {people: {right: write, expires_after_hours: 24}}
    executes: work
    limits: {iterations: 3}
  - {id: after, title: After, needs: [work], agent: writer}
";

fn line() -> Definition {
    Definition::parse(
        LINE,
        &Known {
            agents: &["writer"],
            ..Known::default()
        },
    )
    .expect("valid")
}

/// Where `work` stands in a table: each status, and the ways of being at one that answer differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Blocked,
    Running,
    WaitingForHuman,
    /// Shown in full long ago.
    ReadyForReview,
    Approved,
    Rejected,
    /// Its run failed.
    Error,
    Completed,
    /// Its prompt was shown in full long ago. In [`prompted_line`].
    Draft,
    /// At its gate, and not all of it stands on GitHub.
    Unshown,
    /// At its gate again after one of two acts, because the approval was lost.
    PartlyDone,
    /// Approved, its first act under way.
    ActInFlight,
    /// Approved, one of two acts done.
    HalfDone,
    /// Its first act failed.
    ActFailed,
    /// Rejected in its last iteration.
    AtTheCap,
    /// It asked two questions. In [`questions::asking_line`].
    Asking,
}

/// The same with a gate in front of `work`'s prompt.
fn prompted_line() -> Definition {
    let mut definition = line();
    let work = &mut definition.phases[1];
    work.prompt_gate = work.gate.clone();
    definition
}

/// The proposal that `work`'s gate showed first, the one that it shows now, and one that it could show next.
fn versions(iteration: u32) -> [Proposal; 3] {
    ["first", "second", "third"].map(|text| proposal("work", iteration, text, &["one", "two"]))
}

/// The same where a prompt is at the gate.
fn versions_of(run: &Run) -> [Proposal; 3] {
    let work = run.state.at(&"work".into());
    let versions = versions(work.iteration);
    match &work.pending {
        Some(pending) if pending.stage == Stage::Prompt => versions.map(prompt),
        _ => versions,
    }
}

/// A proposal as one of a prompt.
fn prompt(proposal: Proposal) -> Proposal {
    Proposal {
        stage: Stage::Prompt,
        targets: Targets {
            acts: Vec::new(),
            ..proposal.targets
        },
        ..proposal
    }
}

/// A workflow of [`line`] in which `work` stands there.
fn at(place: Place) -> Run {
    if place == Place::Asking {
        return questions::at_two_questions();
    }
    if place == Place::Draft {
        return at_its_prompt();
    }
    let mut run = Run::start(&line());
    if place == Place::Blocked {
        return run;
    }
    run.proposes(&proposal("before", 1, "before", &[]));
    match place {
        Place::Running => return run,
        Place::WaitingForHuman => {
            run.ran("work", RunResult::NeedsPerson(super::state::Why::ManualProvider));
            return run;
        }
        Place::Error => {
            run.ran("work", RunResult::Failed(super::state::Why::Failed("broken".into())));
            return run;
        }
        Place::AtTheCap => {
            for iteration in 1..=3 {
                run.proposes(&proposal("work", iteration, "again", &[]));
                let reason = "no".to_owned();
                run.asks("bob", Right::Write, Ask::Reject { reason });
                if iteration < 3 {
                    run.asks("bob", Right::Write, Ask::Retry { variant: None });
                }
            }
            return run;
        }
        _ => {}
    }
    let [first, second, _] = versions(1);
    run.proposes(&first);
    run.shown("work", first.digest());
    run.asks(
        "alice",
        Right::Write,
        Ask::Amend {
            base: first.digest(),
            proposal: second.clone(),
            change: "the second version".into(),
        },
    );
    if place == Place::Unshown {
        return run;
    }
    run.shown("work", second.digest());
    run.later(TimeDelta::hours(30));
    if place == Place::ReadyForReview {
        return run;
    }
    if place == Place::Rejected {
        let reason = "no".to_owned();
        run.asks("bob", Right::Write, Ask::Reject { reason });
        return run;
    }
    let named = prefix(second.digest());
    run.asks(
        "bob",
        Right::Write,
        Ask::Approve {
            named,
            reason: None,
            verdict: None,
        },
    );
    match place {
        Place::ActInFlight => run.facts.act_in_flight = true,
        Place::HalfDone => {
            run.act_ended("work", "one", ActOutcome::NotNeeded);
        }
        Place::PartlyDone => {
            run.act_ended("work", "one", ActOutcome::NotNeeded);
            run.reports(Report::ApprovalLost {
                phase: "work".into(),
                digest: second.digest(),
                why: "bob left".into(),
            });
            run.later(TimeDelta::hours(30));
        }
        Place::ActFailed => {
            run.reports(Report::ActFailed {
                phase: "work".into(),
                key: key("one"),
                why: "refused".into(),
            });
        }
        Place::Completed => {
            run.act_ended("work", "one", ActOutcome::NotNeeded);
            run.act_ended("work", "two", ActOutcome::NotNeeded);
        }
        _ => assert_eq!(place, Place::Approved),
    }
    run
}

fn at_its_prompt() -> Run {
    let mut run = Run::start(&prompted_line());
    run.proposes(&proposal("before", 1, "before", &[]));
    let [first, second, _] = versions(1).map(prompt);
    let base = first.digest();
    run.ran(
        "work",
        RunResult::Prompted {
            proposal: Box::new(first),
        },
    );
    run.shown("work", base);
    let change = "the second version".to_owned();
    let shown = second.digest();
    let proposal = second;
    run.asks("alice", Right::Write, Ask::Amend { base, proposal, change });
    run.shown("work", shown);
    run.later(TimeDelta::hours(30));
    run
}

/// In which condition the workflow as a whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Open,
    Held,
    Over,
}

impl Condition {
    fn impose(self, run: &mut Run) {
        match self {
            Self::Open => {}
            Self::Held => {
                let reason = "wait".to_owned();
                run.asks("alice", Right::Write, Ask::Hold { reason });
            }
            Self::Over if run.status("after") == super::state::PhaseStatus::Running => {
                let end = run.proposes(&proposal("after", 1, "the end", &[]));
                assert_eq!(end, "proposed+phase_completed+completed");
            }
            Self::Over => {
                let reason = "enough".to_owned();
                run.asks("alice", Right::Write, Ask::Cancel { reason });
            }
        }
    }
}

/// A table as text: columns are places, rows are what is asked, cells are [`cell`]s.
struct Table {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
            let mut cells = line.split('|').map(|cell| cell.trim().to_owned());
            let head = cells.next().expect("split gives one part at least");
            (head, cells.collect::<Vec<_>>())
        });
        let (_, columns) = lines.next().expect("a table has a head");
        let rows: Vec<_> = lines.collect();
        for (row, cells) in &rows {
            assert_eq!(cells.len(), columns.len(), "row {row}: a cell for each column");
        }
        Self { columns, rows }
    }

    /// Each column as wide as its widest cell.
    fn render(&self) -> String {
        let head = std::iter::once(("", &self.columns));
        let rows: Vec<(&str, &Vec<String>)> = head
            .chain(self.rows.iter().map(|(row, cells)| (row.as_str(), cells)))
            .collect();
        let first = rows.iter().map(|(row, _)| row.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (row, cells) in &rows {
            let mut line = format!("{row:first$}");
            for (column, cell) in cells.iter().enumerate() {
                let width = rows.iter().map(|(_, cells)| cells[column].len()).max().unwrap_or(0);
                line += &format!(" | {cell:width$}");
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// Holds the table to what `answer` says of each (row, column).
    fn check(&self, rows: &[&str], columns: &[&str], answer: impl Fn(&str, usize) -> String) {
        let actual = Self {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: rows
                .iter()
                .map(|row| {
                    let cells = (0..columns.len()).map(|column| answer(row, column)).collect();
                    ((*row).to_owned(), cells)
                })
                .collect(),
        };
        let (expected, actual) = (self.render(), actual.render());
        assert!(expected == actual, "\nexpected:\n{expected}\nactual:\n{actual}");
    }
}
