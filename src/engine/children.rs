//! Children of a workflow: how one is started, and how parent and child hear of one another.
//!
//! Each message is an effect of whoever speaks, in a lane of the family, so that no write to GitHub holds it up. It reads
//! how its sender stands when it is delivered, so that the last one tells what counts; and what the receiver makes of it
//! is kept in the transaction that ends it. A child begins in the transaction in which its parent records that it did.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Spot;
use super::effects::{Ended, Work};
use super::{Engine, Trouble};
use crate::agents;
use crate::github::{GithubError, SubjectState};
use crate::store::Write;
use crate::store::workflows::{Place, Stored, as_it_was, link_child};
use crate::text::paths;
use crate::workflow::act::{ActKey, Deed};
use crate::workflow::artifact::Proposal;
use crate::workflow::children::{Above, Child, ChildStanding, Parent};
use crate::workflow::command::{Authority, Command, Report, Start, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::definition::{Definition, ForEach, ItemField, Misgiven, Mistake};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::right::{Requirement, Right};
use crate::workflow::state::{State, Subject, SubjectKind, Surface};

/// Why a child cannot begin; a sentence for people.
type NoStart = String;

impl Engine {
    /// Starts a child, or has its parent record why it cannot be.
    pub(super) async fn start_child(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        key: &ActKey,
        id: &WorkflowId,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let known = state.phases.get(phase).and_then(|at| at.children.get(key));
        let planned = |child: &&Child| child.workflow == *id && child.standing == ChildStanding::Planned;
        let Some(child) = known.filter(planned) else {
            return Ok(Ended::Dropped("it was started, or another try took its place"));
        };
        if !state.is_open() || state.hold.is_some() {
            // It is planned anew when the parent goes on: unless it does so just now.
            return Ok(Ended::DroppedWhile {
                why: "the parent does not go on",
                still: as_it_was(stored),
            });
        }
        let told = |standing| Report::Child {
            phase: phase.clone(),
            key: key.clone(),
            child: id.clone(),
            standing,
        };
        if let Some(there) = self.store().workflow(id).await? {
            return Ok(Ended::reported("it is there", told(ChildStanding::of(&there.state))));
        }
        match self.begin_child(work, stored, (phase, key), child).await? {
            Ok(extra) => Ok(Ended::Reported {
                result: format!("started {id}"),
                report: told(ChildStanding::Open),
                extra,
            }),
            Err(why) => Ok(Ended::reported("refused", told(ChildStanding::Refused { why }))),
        }
    }

    /// The write that begins a child.
    async fn begin_child(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        (phase, key): (&PhaseId, &ActKey),
        child: &Child,
    ) -> Result<Result<Write, NoStart>, Trouble> {
        let (state, number) = (&stored.state, child.issue);
        let repository = state.subject.repository;
        let each = state.definition.phase(phase).and_then(|phase| phase.for_each.as_ref());
        let definition = each.and_then(|each| state.definition.children.get(&each.definition));
        let (Some(each), Some(definition)) = (each, definition) else {
            return Ok(Err("the definition that it should have is not kept".to_owned()));
        };
        if let Some(open) = self.store().open_workflow(repository, number).await? {
            let (name, id) = (&open.state.definition.name, &open.state.id);
            return Ok(Err(format!(
                "its issue has an open workflow already ({name}, {id}): end that, then /retry here"
            )));
        }
        let issue = match work.repo.issue(number).await {
            Ok(issue) => issue,
            Err(GithubError::NotFound(_) | GithubError::Gone(_)) => return Ok(Err("its issue is gone".to_owned())),
            Err(error) => return Err(self.trouble(&error, work.effect.attempt)),
        };
        if issue.state == SubjectState::Closed {
            return Ok(Err("its issue is closed: reopen it, then /retry here".to_owned()));
        }
        let given = match self.given_to_child(work, state, each, (key, child), definition).await? {
            Ok(given) => given,
            Err(why) => return Ok(Err(why)),
        };
        let start = Start {
            workflow: child.workflow.clone(),
            definition: Arc::new(agents::whole(definition.clone())),
            subject: Subject {
                repository,
                kind: SubjectKind::Issue,
                number,
                id: issue.id,
            },
            given,
            by: Authority {
                person: state.starter.clone(),
                right: Right::None,
                standings: Vec::new(),
                surface: Surface::System,
                said_at: self.now(),
                requirement: Requirement::ANYONE,
            },
            parent: Some(Parent {
                workflow: state.id.clone(),
                subject: state.subject.number,
                phase: phase.clone(),
                key: key.clone(),
                above: state.parent.iter().flat_map(Parent::ancestors).cloned().collect(),
            }),
        };
        let Verdict::Events(events) = decide(None, &Command::Start(start), Facts::default(), self.now()) else {
            return Ok(Err("it could not begin".to_owned()));
        };
        let place = Place {
            installation: stored.installation,
            repository: stored.repository.clone(),
        };
        let (mut write, _) = self.advance(Err(&place), &events, work.effect.id.as_str())?;
        write.push(link_child(state, number, &child.workflow));
        let spot = Spot {
            installation: stored.installation,
            repository,
        };
        if let Some(known) = self.store().repository(repository).await? {
            write.append(self.own_labels(spot, &known)?);
        }
        Ok(Ok(write))
    }

    /// What a child is given, from what was approved of its issue.
    async fn given_to_child(
        &self,
        work: &Work<'_>,
        state: &State,
        each: &ForEach,
        (key, child): (&ActKey, &Child),
        definition: &Definition,
    ) -> Result<Result<BTreeMap<String, String>, NoStart>, Trouble> {
        let source = state
            .definition
            .phase(&each.items)
            .and_then(|items| items.executes.as_ref());
        let digest = source.and_then(|source| Some(state.at(source).pending.as_ref()?.digest));
        let proposal = match digest {
            Some(digest) => self.store().proposal(&state.id, &digest).await?,
            None => None,
        };
        let Some((proposal, _)) = proposal else {
            return Ok(Err("what was approved of its issue is not kept any more".to_owned()));
        };
        let fields = each.with.iter();
        let given: BTreeMap<String, String> = fields
            .map(|(input, field)| (input.clone(), value_of(*field, &proposal, key, child)))
            .collect();
        let given = match definition.resolve(&given) {
            Ok(given) => given,
            Err(wrong) => return Ok(Err(misgiven(definition, &wrong))),
        };
        for (name, path) in definition.files_among(&given) {
            if let Err(rule) = paths::check(path) {
                let (name, path, why) = (name.clone(), path.clone(), rule.to_string());
                return Ok(Err(misgiven(definition, &[Misgiven::NoPath { name, path, why }])));
            }
            let file = work.repo.file(path).await;
            let file = file.map_err(|error| self.trouble(&error, work.effect.attempt))?;
            if file.is_none() {
                let (name, path) = (name.clone(), path.clone());
                return Ok(Err(misgiven(definition, &[Misgiven::NoFile { name, path }])));
            }
        }
        Ok(Ok(given))
    }

    /// Tells a child how its parent stands.
    pub(super) async fn tell_child(&self, stored: &Stored, child: &WorkflowId) -> Result<Ended, Trouble> {
        let Some(above) = Above::of(&stored.state) else {
            return Ok(Ended::Dropped("nothing has to be told"));
        };
        if self.store().workflow(child).await?.is_none() {
            return Ok(Ended::Dropped("it was never started"));
        }
        Ok(Ended::Told {
            workflow: child.clone(),
            report: Report::Parent(above),
        })
    }

    /// Tells the parent how its child stands.
    pub(super) fn tell_parent(stored: &Stored) -> Ended {
        let state = &stored.state;
        let Some(parent) = &state.parent else {
            return Ended::Dropped("it has no parent");
        };
        Ended::Told {
            workflow: parent.workflow.clone(),
            report: Report::Child {
                phase: parent.phase.clone(),
                key: parent.key.clone(),
                child: state.id.clone(),
                standing: ChildStanding::of(state),
            },
        }
    }

    /// What each child of a workflow waits for, in a few words; only those that are open and wait for somebody.
    pub(super) async fn children_wait_for(&self, state: &State) -> Result<BTreeMap<WorkflowId, String>, Trouble> {
        let mut waits = BTreeMap::new();
        let children = state.phases.values().flat_map(|phase| phase.children.values());
        for child in children.filter(|child| !child.standing.is_over()) {
            if let Some(summary) = self.store().workflow_summary(&child.workflow).await?
                && !summary.waits_for.is_empty()
            {
                waits.insert(child.workflow.clone(), summary.waits_for);
            }
        }
        Ok(waits)
    }
}

/// The field of an item, as it was approved.
fn value_of(field: ItemField, proposal: &Proposal, key: &ActKey, child: &Child) -> String {
    let act = proposal.targets.acts.iter().find(|act| act.key == *key);
    let opened = act.and_then(|act| match &act.deed {
        Deed::OpenIssue {
            title,
            body,
            labels,
            assignees,
        } => Some((title, body, labels, assignees)),
        _ => None,
    });
    match (field, opened) {
        (ItemField::Number, _) => child.issue.to_string(),
        (ItemField::Url, _) => child.url.clone(),
        (_, None) => String::new(),
        (ItemField::Title, Some((title, ..))) => title.clone(),
        (ItemField::Body, Some((_, body, ..))) => body.clone(),
        (ItemField::Labels, Some((_, _, labels, _))) => labels.join(", "),
        (ItemField::Assignees, Some((.., assignees))) => assignees.join(", "),
    }
}

fn misgiven(definition: &Definition, wrong: &[Misgiven]) -> String {
    let words = wrong.iter().map(|wrong| match wrong {
        Misgiven::Unknown { name } => format!("{} has no input {name}", definition.name),
        Misgiven::Missing { name, title } => format!("its input {name} ({title}) would be empty"),
        Misgiven::NoFile { name, path } => format!("its input {name} names {path}, and there is no such file"),
        Misgiven::NoPath { name, path, why } => format!("its input {name} would be `{path}`: {why}"),
        Misgiven::NotOfType { name, value, kind } => {
            format!("its input {name} would be `{value}`, and must be {}", kind.words())
        }
        Misgiven::NoChoice { name, value, choices } => {
            format!(
                "its input {name} would be `{value}`, and may be {}",
                choices.join(" or ")
            )
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

/// The sentences of what is wrong with children.
pub(super) fn sentences(mistakes: &[Mistake]) -> String {
    let all: Vec<&str> = mistakes.iter().map(|mistake| mistake.text.as_str()).collect();
    all.join("; ")
}
