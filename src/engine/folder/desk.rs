//! What the operator orders, and how the core decides it. Who runs the program may do everything with the folder's own
//! workflows, and nothing with those of GitHub.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::papers::{DATA_BELOW, Papers, papers, same};
use super::{Folder, INSTALLATION, REPOSITORY, REQUEST, Standing, disk};
use crate::agents::made::files;
use crate::agents::{self, Amendment, Prompt};
use crate::engine::asks::{NoAnswer, Unamended, awaiting};
use crate::engine::by_hand::plainly;
use crate::engine::change::Payload;
use crate::engine::{Engine, TRIES, Trouble};
use crate::store::kept::Kept;
use crate::store::workflows::{Place, Stored};
use crate::store::{StoreError, Write};
use crate::workflow::approval::{Fact, Kind, Live, Standing as Voter};
use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::command::{Ask, Authority, Command, Named, Refusal, Start, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::definition::{Definition, Gate, Misgiven, PeopleGate};
use crate::workflow::gate::Excluded;
use crate::workflow::ids::{IssueNumber, PhaseId, WorkflowId};
use crate::workflow::judging::ChecksGate;
use crate::workflow::plan::Intent;
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{Pending, State, Subject, SubjectKind, Surface};
use crate::workflow::variants::Letter;

/// What brought an event about, for the history.
const CAUSE: &str = "terminal";

/// What the operator orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Approve what waits, as it stands in its file; where an answer is waited for, take it from its file first.
    Approve {
        /// The digest that it must have, or the first digits of it.
        digest: Option<String>,
        /// What to add.
        reason: Option<String>,
        /// The verdict that is to hold in place of the review's.
        verdict: Option<ReviewVerdict>,
        /// The variant that is chosen, where variants wait.
        choice: Option<Letter>,
    },
    /// Say no to an answer.
    Reject {
        /// Why; an agent that tries again is told.
        feedback: String,
    },
    /// Ask for another iteration.
    Revise {
        /// What should be different.
        text: String,
    },
    /// Give the answer that is waited for.
    Respond {
        /// The answer.
        text: String,
    },
    /// Answer a question.
    Answer {
        /// Its number, from 1.
        question: u32,
        /// The answer.
        text: String,
    },
    /// Go on without answers.
    Skip {
        /// Why.
        reason: String,
    },
    /// Stop it for a while.
    Hold {
        /// Why.
        reason: String,
    },
    /// Let it go on.
    Unhold,
    /// Try again what failed.
    Retry {
        /// The variant that is made anew, where one is meant.
        variant: Option<Letter>,
    },
    /// End it.
    Cancel {
        /// Why.
        reason: String,
    },
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Not {
    /// There is no such workflow.
    Unknown,
    /// The workflow lives on GitHub: who may approve there is decided there.
    OnGitHub {
        /// `owner/name#number`.
        subject: String,
        /// Where its card is.
        card: Option<String>,
    },
    /// What was given does not fit what the definition asks for.
    Misgiven(Vec<Misgiven>),
    /// The core refuses it.
    Refused(Box<Refusal>),
    /// The answer, or an edit, is not usable: a sentence for each reason.
    Problems(Vec<String>),
    /// These files changed after they were approved.
    Changed(Vec<String>),
    /// The answer is waited for in this file, and nothing stands there.
    NoAnswerYet(String),
    /// Anything else, as a sentence.
    Said(String),
}

type Done<T> = Result<Result<T, Not>, Trouble>;

impl Engine {
    /// Starts a workflow of a definition in this folder. `request` is what a person asks for, where the definition's inputs
    /// do not say it all.
    ///
    /// # Errors
    /// Whatever the database says; within, why nothing was started.
    pub async fn begin(
        &self,
        definition: Definition,
        given: &BTreeMap<String, String>,
        request: Option<&str>,
    ) -> Result<Result<WorkflowId, Not>, StoreError> {
        settled(self.try_begin(definition, given, request).await)
    }

    /// Carries out an order, and all that follows from it at once.
    ///
    /// # Errors
    /// Whatever the database says; within, why nothing was changed.
    pub async fn obey(&self, id: &WorkflowId, order: &Order) -> Result<Result<(), Not>, StoreError> {
        settled(self.try_obey(id, order).await)
    }

    async fn try_begin(
        &self,
        definition: Definition,
        given: &BTreeMap<String, String>,
        request: Option<&str>,
    ) -> Done<WorkflowId> {
        let folder = self.folder()?;
        if let Some(why) = beyond_a_folder(&definition) {
            return Ok(Err(Not::Said(why)));
        }
        let (given, mut wrong) = definition.sorted_out(given);
        for (name, path) in definition.files_among(&given) {
            let (name, path) = (name.clone(), path.clone());
            match folder.text_of(&path) {
                Ok(Some(_)) => {}
                Ok(None) => wrong.push(Misgiven::NoFile { name, path }),
                Err(why) => wrong.push(Misgiven::NoPath { name, path, why }),
            }
        }
        if !wrong.is_empty() {
            return Ok(Err(Not::Misgiven(wrong)));
        }
        self.store()
            .note_repository(REPOSITORY, INSTALLATION, "", folder.name())
            .await?;
        let before = self.store().list_workflows(false, u32::MAX).await?;
        let number = before.iter().map(|workflow| workflow.subject).max().unwrap_or_default() + 1;
        let cause = format!("{}:{number}:{:016x}", folder.root.display(), rand::random::<u64>());
        let workflow = WorkflowId::derived(&cause);
        let start = Start {
            workflow: workflow.clone(),
            definition: Arc::new(agents::whole(definition)),
            subject: Subject {
                repository: REPOSITORY,
                kind: SubjectKind::Folder,
                number: IssueNumber(number),
                id: None,
            },
            given,
            by: self.operators_authority(folder.operator()),
            parent: None,
        };
        let events = match decide(None, &Command::Start(start), Facts::default(), self.now()) {
            Verdict::Events(events) => events,
            Verdict::Refused(refusal) => return Ok(Err(Not::Refused(Box::new(refusal)))),
            Verdict::Obsolete(_) => return Ok(Err(Not::Unknown)),
        };
        if let Some(request) = request {
            let path = format!("{}/{workflow}/{REQUEST}", super::STATE_FOLDER);
            disk::write(&folder.root, &path, request).map_err(|error| Trouble::Never(error.to_string()))?;
        }
        let place = Place {
            installation: INSTALLATION,
            repository: folder.name().to_owned(),
        };
        let (write, _) = self.advance(Err(&place), &events, CAUSE)?;
        self.store().write(write).await?;
        Ok(Ok(workflow))
    }

    async fn try_obey(&self, id: &WorkflowId, order: &Order) -> Done<()> {
        let Some(stored) = self.store().workflow(id).await? else {
            return Ok(Err(Not::Unknown));
        };
        if stored.state.subject.kind != SubjectKind::Folder {
            return Ok(Err(self.on_github(&stored).await?));
        }
        // What an earlier process left undone comes first, the papers among it.
        self.pump().await?;
        if let Order::Approve { .. } | Order::Respond { .. } = order {
            let taken = match self.prepare_paper(id, order).await? {
                Ok(taken) => taken,
                Err(not) => return Ok(Err(not)),
            };
            // Where no gate of people follows the answer, what waits now was never looked at.
            if let Some(phase) = taken
                && !self.waits_with_its_answer(id, &phase).await?
            {
                return Ok(Ok(()));
            }
        }
        let ask = match order {
            // Handed in above.
            Order::Respond { .. } => return Ok(Ok(())),
            Order::Approve {
                digest,
                reason,
                verdict,
                choice,
            } => {
                let Some(stored) = self.store().workflow(id).await? else {
                    return Ok(Err(Not::Unknown));
                };
                let at_gate = stored
                    .state
                    .open_gate()
                    .map(|(_, _, pending)| pending.digest.to_string());
                let named = Named::Prefix(digest.clone().or(at_gate).unwrap_or_default());
                match choice {
                    Some(variant) => Ask::Choose {
                        variant: *variant,
                        named,
                        reason: reason.clone(),
                    },
                    None => Ask::Approve {
                        named,
                        reason: reason.clone(),
                        verdict: *verdict,
                    },
                }
            }
            Order::Reject { feedback } => Ask::Reject {
                reason: feedback.clone(),
            },
            Order::Revise { text } => Ask::Revise { text: text.clone() },
            Order::Answer { question, text } => Ask::Answer {
                question: *question,
                text: text.clone(),
            },
            Order::Skip { reason } => Ask::Skip { reason: reason.clone() },
            Order::Hold { reason } => Ask::Hold { reason: reason.clone() },
            Order::Unhold => Ask::Unhold,
            Order::Retry { variant } => Ask::Retry { variant: *variant },
            Order::Cancel { reason } => Ask::Cancel { reason: reason.clone() },
        };
        self.put(id, ask, Write::new()).await
    }

    /// Takes what the operator wrote into the papers: the answer that is waited for, or edits of what waits at the gate.
    /// Tells the phase whose answer it took.
    async fn prepare_paper(&self, id: &WorkflowId, order: &Order) -> Done<Option<PhaseId>> {
        let folder = self.folder()?;
        let Some(stored) = self.store().workflow(id).await? else {
            return Ok(Err(Not::Unknown));
        };
        self.write_papers(folder, &stored).await?;
        let papers = self.papers(&stored).await?;
        let changed = changed(folder, &stored.state, &papers)?;
        if !changed.is_empty() {
            return Ok(Err(Not::Changed(changed)));
        }
        let text = match (order, papers.awaited()) {
            (Order::Respond { text }, _) => text.clone(),
            (_, Some(paper)) => {
                let whole = format!("{}/{}", Folder::papers_of(&stored.state), paper.path);
                match read(folder, &stored.state, &paper.path)? {
                    Some(text) if !text.trim().is_empty() => text,
                    _ => return Ok(Err(Not::NoAnswerYet(whole))),
                }
            }
            (_, None) => {
                let taken = self.take_edits(folder, &stored, &papers).await?;
                return Ok(taken.map(|()| None));
            }
        };
        let phase = awaiting(&stored.state);
        let taken = self.take_answer(&stored, &text).await?;
        Ok(taken.map(|()| phase))
    }

    async fn waits_with_its_answer(&self, id: &WorkflowId, phase: &PhaseId) -> Result<bool, Trouble> {
        let stored = self.store().workflow(id).await?;
        let open = stored.as_ref().and_then(|stored| stored.state.open_gate());
        Ok(open.is_some_and(|(open, _, pending)| open == phase && pending.stage == Stage::Response))
    }

    /// Has what waits at a gate shown again, where its papers could not be written before.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn show_again(&self, id: &WorkflowId) -> Result<(), StoreError> {
        let Some(stored) = self.store().workflow(id).await? else {
            return Ok(());
        };
        let unseen = |(_, _, pending): (_, _, &Pending)| pending.shown_at.is_none();
        let is_unseen = stored.state.open_gate().is_some_and(unseen);
        if !is_unseen || stored.state.subject.kind != SubjectKind::Folder {
            return Ok(());
        }
        let again = format!("{id}:again:{:016x}", rand::random::<u64>());
        let card = self.workflow_effect(&stored, again, &Payload::Step(Intent::Card))?;
        self.store().write(Write::of(card)).await.map(drop)
    }

    /// An answer of the operator's, through the checks that every answer goes through. It waits at its gate then.
    async fn take_answer(&self, stored: &Stored, text: &str) -> Done<()> {
        let (state, folder) = (&stored.state, self.folder()?);
        let Some(phase) = awaiting(state) else {
            return Ok(Err(Not::Refused(Box::new(Refusal::NoAnswerAwaited))));
        };
        let at = state.at(&phase);
        let key = format!("{}:by-hand:{phase}:{}:{}", state.id, at.iteration, state.version);
        let (ask, extra) = match self.hand_in(stored, (folder.operator().id, &key), text).await? {
            Ok(handed) => handed,
            Err(NoAnswer::NotAwaited) => return Ok(Err(Not::Refused(Box::new(Refusal::NoAnswerAwaited)))),
            Err(NoAnswer::Problems(sentences)) => return Ok(Err(Not::Problems(sentences))),
        };
        if let Ask::Respond { proposal } = &ask {
            let repeated = state.at(&phase).void.contains(&proposal.digest());
            if repeated && at.rejections > 0 {
                let said = "this is the answer that was rejected: give another one".to_owned();
                return Ok(Err(Not::Problems(vec![said])));
            }
            if proposal.schema == files::SCHEMA {
                let all = files::of(&proposal.artifact);
                let wrong = all.iter().filter_map(|file| disk::judge(&folder.root, file.path).err());
                let wrong: Vec<String> = wrong.collect();
                if !wrong.is_empty() {
                    return Ok(Err(Not::Problems(wrong)));
                }
            }
        }
        self.put(&state.id, ask, extra).await
    }

    /// The edits of what waits at the gate, as a new proposal: what is approved is what stands in the files.
    async fn take_edits(&self, folder: &Folder, stored: &Stored, papers: &Papers) -> Done<()> {
        let state = &stored.state;
        let Some((_, _, pending)) = state.open_gate() else {
            return Ok(Ok(()));
        };
        let mut replaced: Option<String> = None;
        let mut parts: Vec<(String, String)> = Vec::new();
        for paper in papers.0.iter().filter(|paper| paper.standing == Standing::Open) {
            let Some(there) = read(folder, state, &paper.path)? else {
                continue;
            };
            match &paper.part {
                _ if same(&there, &paper.text) => {}
                None => replaced = Some(there),
                Some(part) => parts.push((part.clone(), there)),
            }
        }
        let Some((proposal, _)) = self.store().proposal(&state.id, &pending.digest).await? else {
            return Ok(Err(Not::Said("what waits is not kept any more".to_owned())));
        };
        let (text, change) = match (replaced, parts.is_empty()) {
            (None, true) => return Ok(Ok(())),
            (Some(_), false) => {
                let said = "both the answer's file and files below code/ were edited: put one of them back";
                return Ok(Err(Not::Said(said.to_owned())));
            }
            (Some(text), true) if pending.stage == Stage::Prompt => match instructions(&text, &proposal.artifact) {
                Ok(text) => (text, "edited its file"),
                Err(why) => return Ok(Err(Not::Problems(vec![why]))),
            },
            (Some(text), true) => (text, "edited its file"),
            (None, false) => {
                let mut artifact = proposal.artifact.clone();
                for write in artifact["writes"].as_array_mut().into_iter().flatten() {
                    let edited = parts.iter().find(|(path, _)| write["path"] == json!(path));
                    if let Some((_, content)) = edited {
                        write["content"] = json!(content);
                    }
                }
                (artifact.to_string(), "edited its files")
            }
        };
        match self.amendment(stored, &[Amendment::Replace(text)], change).await? {
            Ok((ask, extra)) => match self.put(&state.id, ask, extra).await? {
                // Other spaces or line ends: it says the same.
                Err(Not::Refused(refusal)) if *refusal == Refusal::NoChange => Ok(Ok(())),
                done => Ok(done),
            },
            Err(Unamended::Refused(refusal)) => Ok(Err(Not::Refused(Box::new(refusal)))),
            Err(Unamended::Problem(why, _)) => Ok(Err(Not::Problems(vec![why]))),
            Err(Unamended::Nothing(_)) => Ok(Ok(())),
        }
    }

    /// Has the core decide, keeps what it decided, and does what follows at once.
    async fn put(&self, id: &WorkflowId, ask: Ask, extra: Write) -> Done<()> {
        let operator = self.folder()?.operator().clone();
        for _ in 0..TRIES {
            let Some(stored) = self.store().workflow(id).await? else {
                return Ok(Err(Not::Unknown));
            };
            let live = live(&stored.state, &operator);
            let facts = Facts {
                act_in_flight: false,
                live: Some(&live),
            };
            let by = self.operators_authority(&operator);
            let events = match decide(
                Some(&stored.state),
                &Command::Person(by, ask.clone()),
                facts,
                self.now(),
            ) {
                Verdict::Events(events) => events,
                Verdict::Refused(refusal) => return Ok(Err(Not::Refused(Box::new(refusal)))),
                Verdict::Obsolete(_) => return Ok(Err(Not::Refused(Box::new(Refusal::Over)))),
            };
            let (mut write, _) = self.advance(Ok(&stored), &events, CAUSE)?;
            write.append(extra.clone());
            match self.store().write(write).await {
                Ok(_) => {
                    self.pump().await?;
                    return Ok(Ok(()));
                }
                Err(StoreError::Missed { .. } | StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Trouble::Store(StoreError::Unavailable(
            "the workflow kept changing".to_owned(),
        )))
    }

    /// Who runs the program may do everything in the folder.
    fn operators_authority(&self, operator: &Person) -> Authority {
        Authority {
            person: operator.clone(),
            right: Right::Admin,
            standings: Vec::new(),
            surface: Surface::Terminal,
            said_at: self.now(),
            requirement: Requirement::at_least(Right::Write),
        }
    }

    async fn on_github(&self, stored: &Stored) -> Result<Not, Trouble> {
        let card = self.store().card(&stored.state.id).await?;
        Ok(Not::OnGitHub {
            subject: format!("{}#{}", stored.repository, stored.state.subject.number),
            card: card.map(|card| card.url),
        })
    }
}

/// What became of an order, without the engine's own kinds of trouble.
fn settled<T>(done: Done<T>) -> Result<Result<T, Not>, StoreError> {
    Ok(plainly(done)?.unwrap_or_else(|why| Err(Not::Said(why))))
}

fn read(folder: &Folder, state: &State, path: &str) -> Result<Option<String>, Trouble> {
    let path = format!("{}/{path}", Folder::papers_of(state));
    disk::read(&folder.root, &path).map_err(|error| Trouble::Never(error.to_string()))
}

impl Folder {
    /// The paper that waits for the operator: at a gate, or for an answer. Its path from the project's folder.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub fn at_hand(state: &State, kept: &Kept) -> Result<Option<String>, StoreError> {
        let papers = papers(state, kept)?;
        let paper = papers.open().or_else(|| papers.awaited());
        Ok(paper.map(|paper| format!("{}/{}", Self::papers_of(state), paper.path)))
    }

    /// The paths, from the project's folder, of the papers that changed after they were approved.
    ///
    /// # Errors
    /// When an event cannot be read; within, a paper that cannot be.
    pub fn changed_papers(&self, state: &State, kept: &Kept) -> Result<Result<Vec<String>, String>, StoreError> {
        match changed(self, state, &papers(state, kept)?) {
            Ok(changed) => Ok(Ok(changed)),
            Err(Trouble::Never(why)) => Ok(Err(why)),
            Err(Trouble::Store(error)) => Err(error),
            Err(_) => Ok(Err("a paper could not be read".to_owned())),
        }
    }
}

/// The papers that differ from what was approved. One that is missing is written anew.
fn changed(folder: &Folder, state: &State, papers: &Papers) -> Result<Vec<String>, Trouble> {
    let mut changed = Vec::new();
    for paper in papers.0.iter().filter(|paper| paper.standing == Standing::Locked) {
        let there = read(folder, state, &paper.path)?;
        if there.is_some_and(|there| !same(&there, &paper.text)) {
            changed.push(format!("{}/{}", Folder::papers_of(state), paper.path));
        }
    }
    Ok(changed)
}

/// The instructions of an edited prompt, where its data is as it was.
fn instructions(edited: &str, artifact: &serde_json::Value) -> Result<String, String> {
    let prompt: Prompt = serde_json::from_value(artifact.clone())
        .map_err(|error| format!("the prompt on record cannot be read: {error}"))?;
    let Some((above, below)) = edited.split_once(DATA_BELOW) else {
        return Err(format!(
            "the line `{DATA_BELOW}` is missing: put it back between the instructions and the data"
        ));
    };
    if !same(below.trim(), prompt.user.trim()) {
        return Err(format!(
            "what stands below the line `{DATA_BELOW}` was changed: only the instructions above it can be put differently"
        ));
    }
    if above.trim().is_empty() {
        return Err("the prompt has no instructions left".to_owned());
    }
    Ok(format!("{}\n", above.replace("\r\n", "\n").trim_end()))
}

/// What the operating system says of those who approved: whoever could, may.
fn live(state: &State, operator: &Person) -> Live {
    let gate = state.open_gate();
    let teams = gate.map(|(_, gate, _)| gate.teams()).unwrap_or_default();
    let voters = gate.into_iter().flat_map(|(phase, ..)| state.at(phase).votes());
    let people = voters.map(|vote| &vote.by).chain([operator]).map(|person| {
        let standing = Voter {
            kind: Kind::Human,
            login: person.login.clone(),
            right: Fact::Known(Right::Admin),
            teams: teams.iter().map(|team| (team.clone(), Fact::Known(false))).collect(),
        };
        (person.id, standing)
    });
    Live {
        people: people.collect(),
        author: Fact::Known(state.starter.id),
        owned: Fact::Known(Vec::new()),
        // What the host found out of exactly this: it does not change.
        checks: gate
            .and_then(|(_, _, pending)| pending.judged.reading.clone())
            .map_or_else(|| Live::default().checks, Fact::Known),
    }
}

/// Why a definition cannot run without GitHub, if it cannot.
fn beyond_a_folder(definition: &Definition) -> Option<String> {
    let name = &definition.name;
    if let Some(phase) = definition.phases.iter().find(|phase| {
        let mut gates = [&phase.prompt_gate, &phase.gate].into_iter();
        gates.any(|gate| gate.checks.as_ref().is_some_and(ChecksGate::of_a_commit))
    }) {
        return Some(format!(
            "the gate of {} in {name} looks at the checks of a pull request: start it there, with `/run {name}` in a comment",
            phase.id
        ));
    }
    if let Some(phase) = definition.phases.iter().find(|phase| phase.executes.is_some()) {
        return Some(format!(
            "{name} acts on GitHub or sends mail (phase {}): start it there, with `/run {name}` in a comment",
            phase.id
        ));
    }
    let asks_for_others = |gate: &PeopleGate| {
        let several = gate.quorums().any(|quorum| quorum.quorum > 1 || !quorum.of.is_empty());
        several || gate.exclude.contains(&Excluded::Starter) || gate.exclude.contains(&Excluded::Author)
    };
    let phase = definition.phases.iter().find(|phase| {
        let gates = [&phase.prompt_gate, &phase.gate];
        gates.into_iter().filter_map(Gate::people).any(asks_for_others)
    });
    phase.map(|phase| {
        format!(
            "the gate of {} in {name} asks for people beside the one who starts it, and only GitHub knows them: start it \
             there, with `/run {name}` in a comment",
            phase.id
        )
    })
}
