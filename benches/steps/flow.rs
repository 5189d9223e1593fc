//! The workflow that is measured: a proposal, an approval, an act.

use std::sync::Arc;

use chrono::Utc;
use countersign::store::effects::{NewEffect, Pace, Priority};
use countersign::workflow::act::{Act, ActKey, Deed};
use countersign::workflow::apply::{apply, begin};
use countersign::workflow::artifact::{Proposal, Stage, Targets};
use countersign::workflow::command::{Authority, Start};
use countersign::workflow::definition::{Definition, Known};
use countersign::workflow::event::Event;
use countersign::workflow::ids::{CommentId, InstallationId, IssueNumber, PhaseId, RepositoryId, UserId, WorkflowId};
use countersign::workflow::plan::{Intent, plan};
use countersign::workflow::right::{Person, Requirement, Right};
use countersign::workflow::state::{State, Subject, SubjectKind, Surface};

use crate::shared::Failure;

const DEFINITION: &str = "
name: bench
version: 1
title: Bench
phases:
  - id: propose
    title: Proposal
    agent: extract
    gate:
      people:
        right: write
  - id: act
    title: Act
    needs: [propose]
    executes: propose
";

pub fn definition() -> Result<Arc<Definition>, Failure> {
    let known = Known {
        agents: &["extract"],
        ..Known::default()
    };
    Ok(Arc::new(Definition::parse(DEFINITION, &known)?))
}

/// The start of a workflow on an issue of its own.
pub fn start(id: &WorkflowId, definition: &Arc<Definition>, issue: u64) -> Start {
    Start {
        given: Default::default(),
        parent: None,
        workflow: id.clone(),
        definition: Arc::clone(definition),
        subject: Subject {
            repository: RepositoryId(1),
            kind: SubjectKind::Issue,
            number: IssueNumber(issue),
            id: None,
        },
        by: alice(),
    }
}

pub fn after(before: Option<&State>, events: &[Event]) -> Result<State, Failure> {
    let now = Utc::now();
    let (mut state, rest) = match (before, events) {
        (Some(state), events) => (state.clone(), events),
        (None, [first, rest @ ..]) => (begin(first, now).ok_or("it does not begin")?, rest),
        (None, []) => return Err("nothing happened".into()),
    };
    for event in rest {
        apply(&mut state, event, now);
    }
    Ok(state)
}

/// The two effects of a start and of an approval. The card is written once, after the run, and calls nobody.
pub fn effects(before: Option<&State>, after: &State, events: &[Event]) -> Result<Vec<NewEffect>, Failure> {
    let mut wanted: Vec<Intent> = plan(before, after, events, Utc::now());
    let runs = wanted.iter().any(|intent| matches!(intent, Intent::RunAgent { .. }));
    wanted.retain(|intent| match intent {
        Intent::RunAgent { .. } | Intent::Act { .. } | Intent::DismissCall { .. } => true,
        Intent::Card => runs,
        _ => false,
    });
    // A lane keeps its order, and there is nothing to show before the run.
    wanted.sort_by_key(|intent| matches!(intent, Intent::Card));
    let effects = wanted.into_iter().enumerate().map(|(ordinal, intent)| {
        Ok(NewEffect {
            id: format!("{}:{}:{ordinal}", after.id, after.version).into(),
            workflow: Some(after.id.clone()),
            installation: InstallationId(1),
            repository: RepositoryId(1),
            lane: format!("workflow:{}", after.id),
            kind: "bench",
            payload: serde_json::to_string(&intent)?,
            priority: Priority::Step,
            pace: Pace::Free,
            run_at: Utc::now(),
            trace: None,
        })
    });
    effects.collect()
}

pub fn proposal(workflow: &WorkflowId) -> Proposal {
    Proposal {
        workflow: workflow.clone(),
        phase: PhaseId::from("propose"),
        iteration: 1,
        stage: Stage::Response,
        schema: "words.v1".to_owned(),
        artifact: serde_json::json!({ "text": "What would be done, as people read it." }),
        targets: Targets {
            repository: RepositoryId(1),
            subject: IssueNumber(1),
            acts: vec![Act {
                key: ActKey("list".to_owned()),
                deed: Deed::ListUnlinked,
            }],
        },
    }
}

pub fn alice() -> Authority {
    Authority {
        person: Person {
            id: UserId(7),
            login: "alice".to_owned(),
        },
        right: Right::Write,
        standings: Vec::new(),
        surface: Surface::Comment {
            id: CommentId(9),
            url: "https://github.example/acme/shop/issues/1#issuecomment-9".to_owned(),
        },
        said_at: Utc::now(),
        requirement: Requirement::ANYONE,
    }
}
