//! How a workflow begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Spot;
use super::commands::{Settled, Spoken, allowed};
use super::{Engine, Trouble};
use crate::agents;
use crate::chat::say::replies as say;
use crate::chat::verbs::Verb;
use crate::github::{SubjectState, TopicKind};
use crate::store::repositories::{Repository, note_labels};
use crate::store::workflows::Place;
use crate::store::{StoreError, Write};
use crate::text::paths;
use crate::workflow::command::{Command, Start, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::definition::{Definition, Gate, Misgiven, Phase};
use crate::workflow::ids::WorkflowId;
use crate::workflow::judging::ChecksGate;
use crate::workflow::state::Subject;

impl Engine {
    pub(super) async fn start(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        name: &str,
        given: &[(String, String)],
    ) -> Result<Settled, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.topic(), &spoken.speech, requirement)
            .await?;
        if !allowed(&by) {
            return self.not_allowed(spoken, verb, &by).await;
        }
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        if let Some(open) = self.store().open_workflow(repository, number).await? {
            let url = self.card_url(spoken, &open.state.id).await?;
            return Ok(Settled::refused(say::already_open(&open.state, &url)));
        }
        let issue = self.subject(&spoken.repo, spoken.subject.topic()).await?;
        if issue.state == SubjectState::Closed {
            let again = match verb.name {
                "run" => format!("run {name}"),
                other => other.to_owned(),
            };
            return Ok(Settled::refused(say::subject_is_closed(&again)));
        }
        let Some(definition) = self.definition(&spoken.settings, name) else {
            let known = self.definition_names(&spoken.settings);
            return Ok(Settled::refused(say::unknown_definition(name, &known)));
        };
        if issue.kind != TopicKind::Pull
            && let Some(phase) = looks_at_a_commit(&definition)
        {
            return Ok(Settled::refused(say::no_commit_to_check(
                name,
                phase,
                issue.kind.into(),
            )));
        }
        let typed: BTreeMap<String, String> = given.iter().cloned().collect();
        let given = match self.given_to(spoken, &definition, &typed).await? {
            Ok(given) => given,
            Err(wrong) => return Ok(Settled::refused(say::misgiven(&definition, &typed, &wrong))),
        };
        let find = |name: &str| self.definition(&spoken.settings, name);
        let definition = match definition.with_children(&find) {
            Ok(definition) => definition,
            Err(mistakes) => {
                let why = super::children::sentences(&mistakes);
                return Ok(Settled::refused(say::cannot_have_children(name, &why)));
            }
        };
        let definition = match self.tightened(spoken, &definition).await? {
            Ok(definition) => definition,
            Err(refused) => return Ok(refused),
        };
        let start = Start {
            workflow: workflow_id(spoken),
            definition: Arc::new(agents::whole(definition)),
            subject: Subject {
                repository,
                kind: issue.kind.into(),
                number,
                id: issue.id,
            },
            given,
            by,
            parent: None,
        };
        match decide(None, &Command::Start(start), Facts::default(), self.now()) {
            Verdict::Events(events) => {
                let place = Place {
                    installation: spoken.spot.installation,
                    repository: format!("{}/{}", spoken.known.owner, spoken.known.name),
                };
                let extra = self.own_labels(spoken.spot, &spoken.known)?;
                Ok(Settled::Changed {
                    before: Err(place),
                    events,
                    extra,
                    said: None,
                })
            }
            Verdict::Refused(refusal) => self.refused(spoken, verb, &refusal, None).await,
            Verdict::Obsolete(_) => Ok(Settled::refused(say::nothing_open(None))),
        }
    }

    /// What a workflow starts with, or everything that is wrong with it. Files that are named must be there.
    async fn given_to(
        &self,
        spoken: &Spoken<'_>,
        definition: &Definition,
        given: &BTreeMap<String, String>,
    ) -> Result<Result<BTreeMap<String, String>, Vec<Misgiven>>, Trouble> {
        let (given, mut wrong) = definition.sorted_out(given);
        for (name, path) in definition.files_among(&given) {
            let (name, path) = (name.clone(), path.clone());
            if let Err(rule) = paths::check(&path) {
                let why = rule.to_string();
                wrong.push(Misgiven::NoPath { name, path, why });
                continue;
            }
            let file = spoken.repo.file(&path).await.map_err(|error| self.trouble(&error, 1))?;
            if file.is_none() {
                wrong.push(Misgiven::NoFile { name, path });
            }
        }
        Ok(if wrong.is_empty() { Ok(given) } else { Err(wrong) })
    }

    /// Plans the bot's own labels, once for a repository.
    pub(super) fn own_labels(&self, spot: Spot, known: &Repository) -> Result<Write, StoreError> {
        if known.labels_made {
            return Ok(Write::new());
        }
        let mut write = Write::of(note_labels(known.id));
        for label in super::labels::OWN {
            write.push(self.background(spot, &format!("label:{}:{}", known.id, label.name), &label.payload())?);
        }
        Ok(write)
    }
}

/// The phase that has a gate with checks of a pull request's head, if there is one.
fn looks_at_a_commit(definition: &Definition) -> Option<&Phase> {
    let looks = |gate: &Gate| gate.checks.as_ref().is_some_and(ChecksGate::of_a_commit);
    let mut phases = definition.phases.iter();
    phases.find(|phase| looks(&phase.gate) || looks(&phase.prompt_gate))
}

/// Derived from what started it, so that starting it again is the same workflow.
fn workflow_id(spoken: &Spoken<'_>) -> WorkflowId {
    let cause = format!("{}:{}", spoken.spot.repository, spoken.key);
    WorkflowId::derived(&cause)
}
