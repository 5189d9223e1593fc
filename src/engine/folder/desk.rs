//! What the operator orders, and how the core decides it. Who runs the program may do everything with the folder's own
//! workflows, and nothing with those of GitHub.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::papers::papers;
use super::taking::changed;
use super::{Folder, INSTALLATION, REPOSITORY, REQUEST, disk};
use crate::agents;
use crate::chat::say::guidelines::unfit;
use crate::engine::by_hand::plainly;
use crate::engine::change::Payload;
use crate::engine::{Engine, TRIES, Trouble};
use crate::store::kept::Kept;
use crate::store::workflows::{Place, Stored};
use crate::store::{StoreError, Write};
use crate::workflow::approval::{Fact, Kind, Live, Standing as Voter};
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::command::{Ask, Authority, Command, Named, Refusal, Start, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::definition::{Definition, Gate, Misgiven, PeopleGate};
use crate::workflow::gate::Excluded;
use crate::workflow::guidelines::{Found, Unfit};
use crate::workflow::ids::{IssueNumber, PhaseId, WorkflowId};
use crate::workflow::judging::ChecksGate;
use crate::workflow::plan::Intent;
use crate::workflow::right::{Person, Requirement, Right};
use crate::workflow::state::{Pending, State, Subject, SubjectKind, Surface};
use crate::workflow::unanswered::Aim;
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
    /// Give an answer that is waited for.
    Respond {
        /// The answer.
        text: String,
        /// Which prompt it is for.
        aim: Aim,
        /// The file that it stands in: one of the workflow's papers says which prompt it is for.
        file: Option<PathBuf>,
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
    /// The answer, or an edit, is not usable: a sentence for each reason, and the file where one holds it.
    Problems(Vec<String>, Option<String>),
    /// These files changed after they were approved.
    Changed(Vec<String>),
    /// An answer is waited for in one of these files, and nothing stands there.
    NoAnswerYet(Vec<String>),
    /// The verdict of a review, as it stands in this file, is not the one that its findings come to.
    Recounted {
        /// The file.
        file: String,
        /// What it calls itself.
        given: ReviewVerdict,
        /// What counts.
        counts: ReviewVerdict,
    },
    /// Anything else, as a sentence.
    Said(String),
}

pub(super) type Done<T> = Result<Result<T, Not>, Trouble>;

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
        let given = match folder.admits(&definition, given) {
            Ok(given) => given,
            Err(not) => return Ok(Err(not)),
        };
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
            // Where no gate of people follows what was taken, what waits now was never looked at.
            if let Some(taken) = taken.filter(|_| matches!(order, Order::Approve { .. }))
                && let Some(ended) = self.goes_on_with(id, order, taken).await?
            {
                return Ok(ended);
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

    /// Has the core decide, keeps what it decided, and does what follows at once.
    pub(super) async fn put(&self, id: &WorkflowId, ask: Ask, extra: Write) -> Done<()> {
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

impl Folder {
    /// What a workflow of a definition would start with here.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn admits(
        &self,
        definition: &Definition,
        given: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Not> {
        if let Some(why) = beyond_a_folder(definition) {
            return Err(Not::Said(why));
        }
        let (given, mut wrong) = definition.sorted_out(given);
        for (name, path) in definition.files_among(&given) {
            let (name, path) = (name.clone(), path.clone());
            match self.text_of(&path) {
                Ok(Some(_)) => {}
                Ok(None) => wrong.push(Misgiven::NoFile { name, path }),
                Err(why) => wrong.push(Misgiven::NoPath { name, path, why }),
            }
        }
        if !wrong.is_empty() {
            return Err(Not::Misgiven(wrong));
        }
        // Whoever starts it is here and can mend it; what is found out later is told beside the prompt.
        for path in &definition.guidelines {
            let Some(guide) = self.guide(path).map_err(Not::Said)? else {
                continue;
            };
            match &guide.of.found {
                Found::LeftOut(why) if *why != Unfit::Empty => {
                    return Err(Not::Said(format!(
                        "{path}, the project's guidelines, cannot be given to the agents: {}. Mend it, name another file with \
                         `--guidelines PATH`, or go on without with `--guidelines off`",
                        unfit(why)
                    )));
                }
                _ => break,
            }
        }
        Ok(given)
    }

    /// The paper that waits for the operator: at a gate, or for an answer. Its path from the project's folder.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub fn at_hand(state: &State, kept: &Kept) -> Result<Option<String>, StoreError> {
        let papers = papers(state, kept)?;
        let paper = papers.open().or_else(|| papers.awaited().next());
        Ok(paper.map(|paper| format!("{}/{}", Self::papers_of(state), paper.path)))
    }

    /// Where the answers are waited for: each phase with its paper's path from the project's folder.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub fn awaited(state: &State, kept: &Kept) -> Result<Vec<(PhaseId, String)>, StoreError> {
        let papers = papers(state, kept)?;
        let awaited = papers.awaited().filter_map(|paper| {
            let path = format!("{}/{}", Self::papers_of(state), paper.path);
            Some((paper.phase.clone()?, path))
        });
        Ok(awaited.collect())
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
