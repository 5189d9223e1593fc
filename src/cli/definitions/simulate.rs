//! A definition walked by a script: the core alone, with a clock of its own and nothing outside.

mod judged;
mod page;
mod script;

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use page::page;
pub(super) use page::status_word;
use script::{By, ChildStep, Choose, Outcome, Ran, Retry, SOMEBODY, Said, Script, Step, read};
use serde_json::json;

use crate::agents::has_verdict;
use crate::chat::say::replies as say;
use crate::cli::answer::{Answer, Refusal};
use crate::config::definition::instead;
use crate::workflow::act::{Act, ActKey, Deed};
use crate::workflow::apply::{apply, begin};
use crate::workflow::artifact::{Proposal, ReviewVerdict, Stage, Targets};
use crate::workflow::children::Child;
use crate::workflow::command::{Ask, Authority, Command, Named, Report, RunResult, Start, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::definition::{Definition, Phase};
use crate::workflow::event::Event;
use crate::workflow::ids::{IssueId, IssueNumber, PhaseId, RepositoryId, UserId, WorkflowId};
use crate::workflow::labels::shown;
use crate::workflow::plan::{Intent, plan};
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{
    ActOutcome, Ending, Pending, PhaseStatus, State, Status, Subject, SubjectKind, Surface, Timestamp, Why,
};

/// Walks a definition by the script in this file.
pub(super) fn run(definition: &Definition, script: &Path) -> Result<Answer, Refusal> {
    let file = script.display();
    let text =
        std::fs::read_to_string(script).map_err(|error| Refusal::failed(format!("{file} cannot be read: {error}")))?;
    let walked = read(&text)
        .and_then(|script| walk(definition, script))
        .map_err(|why| Refusal::failed(format!("{file}: {why}")))?;
    let page: String = walked.iter().map(page).collect();
    Ok(Answer::new(json!({ "steps": walked }), page))
}

/// What is printed of a walk.
#[cfg(test)]
pub(super) fn pages(definition: &Definition, script: &str) -> Result<String, String> {
    Ok(walk(definition, read(script)?)?.iter().map(page).collect())
}

/// Phases that a script names and the definition does not have: such a script is about another one.
fn unknown_phases(definition: &Definition, script: &Script) -> Result<(), String> {
    let definition = definition.expanded();
    let known: Vec<&str> = definition.phases.iter().map(|phase| phase.id.as_str()).collect();
    let named = script.steps.iter().enumerate();
    let named = named.filter_map(|(at, step)| Some((at + 1, step.phase()?)));
    let unknown = named.filter(|(_, phase)| definition.phase(phase).is_none());
    let lines: Vec<String> = unknown
        .map(|(at, phase)| {
            let instead = instead(phase.as_str(), known.iter().copied());
            format!("step {at}: {} has no phase {phase}; {instead}", definition.name)
        })
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(lines.join("\n"))
    }
}

/// What one step came to.
#[derive(Debug, serde::Serialize)]
struct Walked {
    step: String,
    refused: Option<String>,
    status: String,
    /// Those that should stand on the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    phases: Vec<Row>,
    intents: Vec<Intent>,
}

#[derive(Debug, serde::Serialize)]
struct Row {
    id: PhaseId,
    status: PhaseStatus,
    iteration: u32,
    attempt: u32,
    verdict: Option<ReviewVerdict>,
}

struct Walk {
    state: State,
    now: Timestamp,
    /// So that no two proposals are the same.
    made: u32,
}

fn walk(definition: &Definition, script: Script) -> Result<Vec<Walked>, String> {
    let given = definition
        .resolve(&script.given)
        .map_err(|wrong| format!("`given` does not fit:\n{}", say::misgiven_lines(definition, &wrong)))?;
    unknown_phases(definition, &script)?;
    let now = Timestamp::UNIX_EPOCH;
    let start = Start {
        workflow: WorkflowId::from("simulated"),
        definition: Arc::new(definition.clone()),
        subject: Subject {
            repository: RepositoryId(1),
            kind: SubjectKind::Issue,
            number: IssueNumber(1),
            id: None,
        },
        given,
        by: authority(SOMEBODY, Right::Admin, now),
        parent: None,
    };
    let Verdict::Events(events) = decide(None, &Command::Start(start), Facts::default(), now) else {
        return Err("the workflow does not begin".to_owned());
    };
    let state = events.first().and_then(|first| begin(first, now));
    let state = state.ok_or_else(|| "the workflow does not begin".to_owned())?;
    let mut walk = Walk { state, now, made: 0 };
    walk.keep(&events[1..]);
    let intents = plan(None, &walk.state, &events, now);
    let mut walked = vec![walk.standing("start".to_owned(), None, intents)];
    for step in &script.steps {
        walk.now += TimeDelta::minutes(1);
        let (words, command) = walk.command(step);
        let (refused, intents) = match command {
            Err(why) => (Some(why), Vec::new()),
            Ok(command) => walk.take(&command, step.verb()),
        };
        walked.push(walk.standing(words, refused, intents));
    }
    Ok(walked)
}

impl Walk {
    /// Keeps events, and tells what they ask for.
    fn keep(&mut self, events: &[Event]) -> Vec<Intent> {
        let before = self.state.clone();
        for event in events {
            apply(&mut self.state, event, self.now);
        }
        plan(Some(&before), &self.state, events, self.now)
    }

    fn take(&mut self, command: &Command, verb: &str) -> (Option<String>, Vec<Intent>) {
        let live = judged::live(&self.state);
        let facts = Facts {
            live: Some(&live),
            ..Facts::default()
        };
        let mut intents = match decide(Some(&self.state), command, facts, self.now) {
            Verdict::Events(events) => self.keep(&events),
            Verdict::Refused(refusal) => {
                let about = say::Refused {
                    verb,
                    state: Some(&self.state),
                    card_url: "the card",
                    who: &say::WhoCan::Unknown,
                    gate: None,
                };
                return (Some(say::refusal(&refusal, &about)), Vec::new());
            }
            Verdict::Obsolete(_) => return (Some("nothing waits for that now".to_owned()), Vec::new()),
        };
        // The card is written at once, so that people can approve what it shows.
        let unseen: Vec<Report> = self.unseen().collect();
        for shown in unseen {
            if let Verdict::Events(events) =
                decide(Some(&self.state), &Command::System(shown), Facts::default(), self.now)
            {
                intents.extend(self.keep(&events));
            }
        }
        let mut said: Vec<Intent> = Vec::new();
        for intent in intents {
            if !said.contains(&intent) {
                said.push(intent);
            }
        }
        (None, said)
    }

    fn unseen(&self) -> impl Iterator<Item = Report> + '_ {
        let at_gates = self.state.phases.iter().filter(|(_, at)| {
            matches!(at.status, PhaseStatus::Draft | PhaseStatus::ReadyForReview)
                && at.pending.as_ref().is_some_and(|pending| pending.shown_at.is_none())
        });
        at_gates.filter_map(|(id, at)| {
            let Pending { digest, .. } = at.pending.as_ref()?;
            Some(Report::Shown {
                phase: id.clone(),
                digest: *digest,
                at: self.now,
            })
        })
    }

    /// The step in a few words, and what it is to the core; or why it cannot be.
    fn command(&mut self, step: &Step) -> (String, Result<Command, String>) {
        let now = self.now;
        let person = |by: &str, right: Right, ask: Ask| Ok(Command::Person(authority(by, right, now), ask));
        match step {
            Step::Ran(ran) => {
                let phase = self.meant(ran.phase.as_ref(), PhaseStatus::Running);
                let words = |phase: &str| format!("ran {phase}: {}", ran.result.word());
                match phase.and_then(|phase| self.judges(phase, ran.verdict)) {
                    Ok(phase) => (words(phase.as_str()), Ok(self.ran(&phase, ran))),
                    Err(why) => (words("nothing"), Err(why)),
                }
            }
            Step::Ruled(ruled) => self.ruled(ruled),
            Step::Checked(checked) => self.checked(checked),
            Step::Acted(acted) => match self.meant(acted.phase.as_ref(), PhaseStatus::Approved) {
                Ok(phase) => {
                    if acted.all {
                        while self.acts_left(&phase) > 1 {
                            let Some(command) = self.act_ended(&phase) else { break };
                            self.take(&command, "");
                        }
                    }
                    let command = self.act_ended(&phase);
                    let none = || format!("{phase} has nothing to carry out");
                    (format!("acted {phase}"), command.ok_or_else(none))
                }
                Err(why) => ("acted".to_owned(), Err(why)),
            },
            Step::ActFailed(of) => match self.meant(of.phase.as_ref(), PhaseStatus::Approved) {
                Ok(phase) => {
                    let failed = self.state.next_act(&phase).map(|(key, _)| {
                        Command::System(Report::ActFailed {
                            phase: phase.clone(),
                            key: key.clone(),
                            why: "the script says so".to_owned(),
                        })
                    });
                    let none = || format!("{phase} has nothing to carry out");
                    (format!("act of {phase} failed"), failed.ok_or_else(none))
                }
                Err(why) => ("act failed".to_owned(), Err(why)),
            },
            Step::Approve(approve) => {
                let ask = Ask::Approve {
                    named: Named::OnTheCard(now),
                    reason: None,
                    verdict: approve.verdict,
                };
                let words = format!("{} ({}) approves", approve.by, approve.right);
                (words, person(&approve.by, approve.right, ask))
            }
            Step::Respond(respond) => {
                let words = format!("{} ({}) answers", respond.by, respond.right);
                let waiting = self.meant(respond.phase.as_ref(), PhaseStatus::WaitingForHuman);
                let waiting = waiting.and_then(|phase| self.judges(phase, respond.verdict));
                let command = waiting.and_then(|phase| {
                    let proposal = self.proposal(&phase, Stage::Response, respond.verdict, None);
                    person(&respond.by, respond.right, Ask::Respond { proposal })
                });
                (words, command)
            }
            Step::Reject(said) => asks(said, "rejects", now, |reason| Ask::Reject { reason }),
            Step::Revise(said) => asks(said, "asks for another", now, |text| Ask::Revise { text }),
            Step::Hold(said) => asks(said, "holds", now, |reason| Ask::Hold { reason }),
            Step::Cancel(said) => asks(said, "cancels", now, |reason| Ask::Cancel { reason }),
            Step::Unapprove(By { by, right }) => (
                format!("{by} ({right}) takes the approval back"),
                person(by, *right, Ask::Unapprove { of: None }),
            ),
            Step::Unhold(By { by, right }) => {
                (format!("{by} ({right}) lets it go on"), person(by, *right, Ask::Unhold))
            }
            Step::Choose(Choose { by, right, variant }) => {
                let ask = Ask::Choose {
                    variant: *variant,
                    named: Named::OnTheCard(now),
                    reason: None,
                };
                (format!("{by} ({right}) chooses {variant}"), person(by, *right, ask))
            }
            Step::Retry(Retry { by, right, variant }) => {
                let what = match variant {
                    Some(variant) => format!("variant {variant} made anew"),
                    None => "it tried again".to_owned(),
                };
                (
                    format!("{by} ({right}) has {what}"),
                    person(by, *right, Ask::Retry { variant: *variant }),
                )
            }
            Step::WaitHours(hours) => {
                self.now += TimeDelta::hours(i64::from(*hours));
                (format!("{hours} hours pass"), self.expired(*hours))
            }
            Step::Skip(said) => asks(said, "goes on with what is done", now, |reason| Ask::Skip { reason }),
            Step::Child(step) => self.child(step),
            Step::Closed => (
                "the subject is closed".to_owned(),
                Ok(Command::System(Report::SubjectClosed { by: None })),
            ),
        }
    }

    /// The phase that was named, or the first that stands there.
    fn meant(&self, named: Option<&PhaseId>, at: PhaseStatus) -> Result<PhaseId, String> {
        match named {
            Some(phase) if self.state.definition.phase(phase).is_none() => Err(format!("there is no phase {phase}")),
            Some(phase) => Ok(phase.clone()),
            None => {
                let first = self.state.first_at(&[at]).cloned();
                first.ok_or_else(|| format!("no phase is {}", status_word(at)))
            }
        }
    }

    /// The phase, if what it makes can hold the verdict that it is to have.
    fn judges(&self, phase: PhaseId, verdict: Option<ReviewVerdict>) -> Result<PhaseId, String> {
        let schema = self
            .state
            .definition
            .phase(&phase)
            .and_then(|phase| phase.schema.as_deref());
        match verdict {
            Some(_) if !schema.is_some_and(has_verdict) => Err(format!("what {phase} makes has no verdict")),
            _ => Ok(phase),
        }
    }

    /// A child of the phase that was named, or of the first that has children at work.
    fn child(&self, step: &ChildStep) -> (String, Result<Command, String>) {
        let of = |phase: &&PhaseId| step.phase.as_ref().is_none_or(|named| named == *phase);
        let phases = self.state.definition.phases.iter().map(|phase| &phase.id);
        let found = phases.filter(of).find_map(|phase| {
            let mut children = self.state.at(phase).children.iter();
            let meant = |(key, child): &(&ActKey, &Child)| match &step.key {
                Some(named) => named == *key,
                None => !child.standing.is_over(),
            };
            children.find(meant).map(|(key, child)| (phase, key, child))
        });
        let Some((phase, key, child)) = found else {
            return ("a child".to_owned(), Err("there is no such child".to_owned()));
        };
        let report = Report::Child {
            phase: phase.clone(),
            key: key.clone(),
            child: child.workflow.clone(),
            standing: step.standing.standing(),
        };
        let words = format!("the child for {key} {}", step.standing.word());
        (words, Ok(Command::System(report)))
    }

    fn ran(&mut self, phase: &PhaseId, ran: &Ran) -> Command {
        let at = self.state.at(phase);
        let (iteration, attempt) = (at.iteration, at.attempt);
        let said = || Why::Failed("the script says so".to_owned());
        let result = match ran.result {
            Outcome::Proposed => RunResult::Proposed {
                proposal: Box::new(self.proposal(phase, Stage::Response, ran.verdict, ran.acts)),
                provider: "script".to_owned(),
            },
            Outcome::Prompted => RunResult::Prompted {
                proposal: Box::new(self.proposal(phase, Stage::Prompt, None, Some(0))),
            },
            Outcome::Failed => RunResult::Failed(said()),
            Outcome::NeedsPerson => RunResult::NeedsPerson(Why::ManualProvider),
            Outcome::Nothing => RunResult::Ended(Ending::Nothing {
                reason: "the script says so".to_owned(),
            }),
        };
        Command::System(Report::Ran {
            phase: phase.clone(),
            iteration,
            attempt,
            result,
            guidelines: None,
        })
    }

    fn proposal(
        &mut self,
        phase: &PhaseId,
        stage: Stage,
        verdict: Option<ReviewVerdict>,
        acts: Option<usize>,
    ) -> Proposal {
        self.made += 1;
        let defined = self.state.definition.phase(phase);
        let executed = self.state.executors_of(phase).next().is_some();
        let acts = (1..=acts.unwrap_or(usize::from(executed))).map(|number| Act {
            key: ActKey(format!("act-{number}")),
            deed: Deed::ListUnlinked,
        });
        let schema = defined.and_then(|phase: &Phase| phase.schema.clone());
        Proposal {
            workflow: self.state.id.clone(),
            phase: phase.clone(),
            iteration: self.state.at(phase).iteration,
            stage,
            schema: schema.unwrap_or_else(|| "simulated".to_owned()),
            artifact: match verdict {
                Some(verdict) => json!({ "made": self.made, "verdict": verdict }),
                None => json!({ "made": self.made }),
            },
            targets: Targets {
                repository: self.state.subject.repository,
                subject: self.state.subject.number,
                acts: acts.collect(),
            },
        }
    }

    fn acts_left(&self, phase: &PhaseId) -> usize {
        let source = self
            .state
            .definition
            .phase(phase)
            .and_then(|phase| phase.executes.as_ref());
        let pending = source.and_then(|source| self.state.at(source).pending.as_ref());
        let done = self.state.at(phase).outcomes.len();
        pending.map_or(0, |pending| pending.acts.len().saturating_sub(done))
    }

    fn act_ended(&self, phase: &PhaseId) -> Option<Command> {
        let (key, _) = self.state.next_act(phase)?;
        Some(Command::System(Report::ActEnded {
            phase: phase.clone(),
            key: key.clone(),
            outcome: self.outcome(phase),
        }))
    }

    /// What an act comes to: where children wait for issues, each opens one.
    fn outcome(&self, phase: &PhaseId) -> ActOutcome {
        let each = |other: &Phase| other.for_each.as_ref().is_some_and(|each| each.items == *phase);
        if !self.state.definition.phases.iter().any(each) {
            return ActOutcome::Linked;
        }
        let number = self.state.at(phase).outcomes.len() as u64 + 2;
        ActOutcome::IssueOpened {
            number: IssueNumber(number),
            id: IssueId(number),
            url: format!("https://github.com/o/r/issues/{number}"),
            title: format!("Issue {number}"),
            dropped: Vec::new(),
        }
    }

    /// The report of the open gate's timer, if that many hours are its time.
    fn expired(&self, hours: u32) -> Result<Command, String> {
        let (phase, gate, pending) = self.state.open_gate().ok_or("no gate is open")?;
        let after = gate.expires_after_hours.ok_or("the open gate has no timer")?;
        if hours < after {
            return Err(format!("the open gate waits {after} hours"));
        }
        Ok(Command::System(Report::GateExpired {
            phase: phase.clone(),
            digest: pending.digest,
            reminders: self.state.at(phase).reminders,
        }))
    }

    fn standing(&self, step: String, refused: Option<String>, intents: Vec<Intent>) -> Walked {
        let status = match (&self.state.status, &self.state.hold) {
            (Status::Open, Some(_)) => "held",
            (Status::Open, None) => "open",
            (Status::Completed, _) => "completed",
            (Status::Cancelled { .. }, _) => "cancelled",
        };
        let rows = self.state.definition.phases.iter().map(|phase| {
            let at = self.state.at(&phase.id);
            Row {
                id: phase.id.clone(),
                status: at.status,
                iteration: at.iteration,
                attempt: at.attempt,
                verdict: at.verdict,
            }
        });
        Walked {
            step,
            refused,
            status: status.to_owned(),
            labels: shown(&self.state).into_iter().map(str::to_owned).collect(),
            phases: rows.collect(),
            intents,
        }
    }
}

fn asks(said: &Said, does: &str, now: Timestamp, ask: impl FnOnce(String) -> Ask) -> (String, Result<Command, String>) {
    let by = authority(&said.by, said.right, now);
    let words = format!("{} ({}) {does}: {}", said.by, said.right, said.text);
    (words, Ok(Command::Person(by, ask(said.text.clone()))))
}

/// A person of the script. Verbs ask nothing here: gates do.
fn authority(login: &str, right: Right, now: Timestamp) -> Authority {
    // The same login is the same account.
    let id = login
        .bytes()
        .fold(7, |id: u64, byte| id.wrapping_mul(31).wrapping_add(byte.into()));
    Authority {
        person: Person {
            id: UserId(id),
            login: login.to_owned(),
        },
        right,
        standings: Vec::new(),
        surface: Surface::System,
        said_at: now,
        requirement: Requirement::ANYONE,
    }
}
