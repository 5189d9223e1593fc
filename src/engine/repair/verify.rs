//! What a write in doubt made is looked for once more when whatever was still on its way has arrived: of two, one goes.

use serde::{Deserialize, Serialize};

use crate::chat::say::replies as say;
use crate::engine::card::card_mark;
use crate::engine::change::{Payload, Spot};
use crate::engine::effects::{CLOCKS_APART, Ended, Work};
use crate::engine::mirror::Mirroring;
use crate::engine::questions::questions_mark;
use crate::engine::repair::VERIFIED_AFTER;
use crate::engine::{Engine, Trouble};
use crate::github::{CommentRef, Marker, Topic, TopicKind};
use crate::store::effects::LeasedEffect;
use crate::store::{StoreError, Write};
use crate::workflow::command::Report;
use crate::workflow::ids::{CommentId, EffectId, IssueNumber, WorkflowId};
use crate::workflow::plan::Intent;
use crate::workflow::repair::{self, Duplicate};
use crate::workflow::state::{ActOutcome, Timestamp};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct Verification {
    /// What its marker is made of.
    mark: EffectId,
    /// The workflow that made it, where one did.
    workflow: Option<WorkflowId>,
    /// Where it stands, if it is a comment.
    number: IssueNumber,
    #[serde(default)]
    on: TopicKind,
    /// The comment of a discussion below which it stands.
    #[serde(default)]
    to: Option<CommentRef>,
    what: Sought,
    /// Not older than this.
    since: Timestamp,
    /// What was found twice. It is kept before anything is removed: of what is gone nothing could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    twice: Option<Twice>,
}

/// The one that stays, and those that go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Twice {
    kept: u64,
    removed: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sought {
    Comment,
    LineComment,
    Reply,
    Issue,
}

impl Verification {
    fn topic(&self) -> Topic {
        Topic {
            kind: self.on,
            number: self.number,
        }
    }
}

impl Engine {
    /// The statement, if any, that has what an effect made looked for once more: it was in doubt, so an earlier attempt of
    /// it may still arrive.
    pub(in crate::engine) async fn verified_later(
        &self,
        effect: &LeasedEffect,
        ended: &Ended,
    ) -> Result<Write, StoreError> {
        if !effect.doubt {
            return Ok(Write::new());
        }
        let Ok(payload) = serde_json::from_str(&effect.payload) else {
            return Ok(Write::new());
        };
        if matches!(
            payload,
            Payload::Step(Intent::Labels) | Payload::MendLabels { .. } | Payload::Labels { .. }
        ) {
            return self.labels_verified_later(effect);
        }
        let own = || effect.id.clone();
        let mut below = None;
        let (mark, what, place) = match (payload, ended) {
            (
                Payload::Reply {
                    number,
                    on,
                    to,
                    to_line,
                    ..
                },
                Ended::Done { .. },
            ) => {
                below = to;
                let what = match (&below, to_line) {
                    (Some(_), _) => Sought::Reply,
                    (None, Some(_)) => Sought::LineComment,
                    (None, None) => Sought::Comment,
                };
                (own(), what, Some(Topic { kind: on, number }))
            }
            (Payload::Page { .. }, Ended::Done { .. }) => (own(), Sought::Comment, None),
            (Payload::Step(intent), Ended::Done { .. } | Ended::Reported { .. }) => match (intent, &effect.workflow) {
                (Intent::Card, Some(workflow)) => (card_mark(workflow), Sought::Comment, None),
                (Intent::Questions { phase }, Some(workflow)) => {
                    (questions_mark(workflow, &phase), Sought::Comment, None)
                }
                (Intent::CallPeople { .. } | Intent::Tell { .. }, _) => (own(), Sought::Comment, None),
                (Intent::Act { .. }, _) => match made(ended) {
                    Some(what) => (own(), what, None),
                    None => return Ok(Write::new()),
                },
                _ => return Ok(Write::new()),
            },
            _ => return Ok(Write::new()),
        };
        let place = match (place, &effect.workflow) {
            (Some(topic), _) => Some(topic),
            (None, Some(workflow)) => {
                let stored = self.store().workflow(workflow).await?;
                stored.and_then(|stored| Topic::of(&stored.state.subject))
            }
            (None, None) => None,
        };
        let Some(topic) = place else {
            return Ok(Write::new());
        };
        let verification = Verification {
            mark,
            workflow: effect.workflow.clone(),
            number: topic.number,
            on: topic.kind,
            to: below,
            what,
            since: effect.first_sent_at,
            twice: None,
        };
        self.looked_at_later(effect, &Payload::Verify(verification))
    }

    /// The same for labels: a write that arrives late does what was right before.
    fn labels_verified_later(&self, effect: &LeasedEffect) -> Result<Write, StoreError> {
        match effect.workflow.clone() {
            Some(workflow) => self.looked_at_later(effect, &Payload::VerifyLabels { workflow }),
            None => Ok(Write::new()),
        }
    }

    fn looked_at_later(&self, effect: &LeasedEffect, payload: &Payload) -> Result<Write, StoreError> {
        let id = EffectId::from(format!("{}:verify", effect.id));
        let lane = id.to_string();
        let spot = Spot {
            installation: effect.installation,
            repository: effect.repository,
        };
        Ok(Write::of(self.effect(id, None, spot, lane, payload)?))
    }

    /// Sets labels right once more, after all that is under way for them.
    pub(in crate::engine) async fn verify_labels(
        &self,
        work: &Work<'_>,
        workflow: &WorkflowId,
    ) -> Result<Ended, Trouble> {
        if self.store().labels_are_due(workflow).await? {
            let at = self.now() + VERIFIED_AFTER;
            return Ok(Ended::Again { at });
        }
        match self.store().workflow(workflow).await? {
            Some(stored) => self.mirror(work, &stored, Mirroring::default()).await,
            None => Ok(Ended::Dropped("no workflow")),
        }
    }

    /// Looks for what stands there twice. The one that the workflow knows stays, else the first; the others go.
    pub(in crate::engine) async fn verify(&self, work: &Work<'_>, sought: &Verification) -> Result<Ended, Trouble> {
        let bot = self.bot(work.effect.installation).await?;
        let marker = Marker::of(&sought.mark);
        // GitHub's clock may be behind ours.
        let since = sought.since - CLOCKS_APART;
        let repo = &work.repo;
        let thread = repo.thread(sought.topic());
        let comments = match (sought.what, &sought.to) {
            (Sought::Comment, _) => thread.find(&marker, bot.id, since).await,
            (Sought::LineComment, _) => repo.find_line_comment(sought.number, &marker, bot.id, since).await,
            (Sought::Reply, Some(to)) => thread.find_reply(to, &marker, bot.id, since).await,
            (Sought::Reply, None) | (Sought::Issue, _) => Ok(Vec::new()),
        };
        let comments = comments.map_err(|error| self.failed(&error, work.effect))?;
        let mut found: Vec<u64> = comments.iter().map(|comment| comment.id.0).collect();
        if sought.what == Sought::Issue {
            let issues = repo.find_issue(&marker, &bot.login, bot.id, since).await;
            let issues = issues.map_err(|error| self.failed(&error, work.effect))?;
            found = issues.into_iter().map(|issue| issue.number.0).collect();
        }
        let Some(twice) = &sought.twice else {
            let Some(first) = found.first().copied().filter(|_| found.len() > 1) else {
                return Ok(Ended::done("it is there once"));
            };
            let kept = self.known(sought, &found).await?.unwrap_or(first);
            found.retain(|other| *other != kept);
            let sought = Verification {
                twice: Some(Twice { kept, removed: found }),
                ..sought.clone()
            };
            let payload = serde_json::to_string(&Payload::Verify(sought));
            let payload = payload.map_err(|error| Trouble::Never(error.to_string()))?;
            return Err(Trouble::Parked {
                until: self.now(),
                why: "it is there twice, and the later go".to_owned(),
                beside: Write::of(work.effect.with_payload(&payload)),
            });
        };
        let kept = twice.kept;
        if !found.contains(&kept) {
            return Ok(Ended::done("the one that should stay is gone"));
        }
        found.retain(|other| twice.removed.contains(other));
        for other in &found {
            match comments.iter().find(|comment| comment.id.0 == *other) {
                Some(comment) => {
                    let removed = thread.delete(&comment.at()).await;
                    removed.map_err(|error| self.failed(&error, work.effect))?;
                }
                None => self.remove_issue(work, IssueNumber(*other), kept).await?,
            }
        }
        let (duplicate, figure) = match sought.what {
            Sought::Comment | Sought::LineComment | Sought::Reply => (Duplicate::Comment, "comment"),
            Sought::Issue => (Duplicate::Issue, "issue"),
        };
        let removed = twice.removed.clone();
        crate::figures::duplicate_repaired(figure, removed.len());
        tracing::warn!(
            kept,
            ?removed,
            kind = figure,
            "what a write in doubt had made was there twice"
        );
        let Some(workflow) = sought.workflow.clone() else {
            return Ok(Ended::done("the later ones are removed"));
        };
        let report = Report::DuplicateRepaired {
            duplicate,
            kept,
            removed,
        };
        Ok(Ended::Told { workflow, report })
    }

    /// The one that the workflow knows: its history, its card and its links name it, so it must stay.
    async fn known(&self, sought: &Verification, found: &[u64]) -> Result<Option<u64>, Trouble> {
        let Some(workflow) = &sought.workflow else {
            return Ok(None);
        };
        Ok(match sought.what {
            Sought::Comment | Sought::LineComment | Sought::Reply => {
                let comments: Vec<CommentId> = found.iter().copied().map(CommentId).collect();
                let known = self.store().known_comment(workflow, &comments).await?;
                known.map(|comment| comment.0)
            }
            Sought::Issue => {
                let stored = self.store().workflow(workflow).await?;
                let opened: Vec<u64> = stored
                    .iter()
                    .flat_map(|stored| repair::opened(&stored.state))
                    .map(|issue| issue.0)
                    .collect();
                found.iter().copied().find(|issue| opened.contains(issue))
            }
        })
    }

    async fn remove_issue(&self, work: &Work<'_>, number: IssueNumber, kept: u64) -> Result<(), Trouble> {
        let kind = TopicKind::Issue;
        let removed = match work.repo.close_as_duplicate(number).await {
            Ok(()) => {
                let said = say::duplicate_issue(kept);
                self.create_once(work, Topic { kind, number }, &said).await.map(drop)
            }
            Err(error) => Err(error),
        };
        removed.map_err(|error| self.failed(&error, work.effect))
    }
}

/// What an act made that could be there twice.
fn made(ended: &Ended) -> Option<Sought> {
    let Ended::Reported {
        report: Report::ActEnded { outcome, .. },
        ..
    } = ended
    else {
        return None;
    };
    match outcome {
        ActOutcome::IssueOpened { .. } => Some(Sought::Issue),
        ActOutcome::Listed { .. } => Some(Sought::Comment),
        _ => None,
    }
}
