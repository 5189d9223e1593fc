//! Comments of the bot that are gone: the card, the questions and the pages of what is proposed are posted anew.

use super::whereabouts::Here;
use crate::engine::change::Payload;
use crate::engine::{Engine, Trouble};
use crate::store::workflows::{CommentRole, Stored, forget_card, unlink_comment};
use crate::store::{StoreError, Write};
use crate::workflow::ids::{CommentId, Digest, PhaseId, RepositoryId};
use crate::workflow::plan::Intent;
use crate::workflow::state::{State, SubjectKind};

/// A comment that is gone, by what it was.
pub(in crate::engine) struct Lost {
    comment: CommentId,
    what: What,
}

enum What {
    Card,
    Questions(PhaseId),
    Page(PhaseId, Digest, usize),
}

impl Engine {
    /// What a comment was to the workflow that needs it, if one does.
    pub(in crate::engine) async fn lost_comment(
        &self,
        repository: RepositoryId,
        (on, comment): (SubjectKind, CommentId),
    ) -> Result<Option<(Stored, Lost)>, Trouble> {
        for role in [CommentRole::Card, CommentRole::Questions, CommentRole::Page] {
            let at = (on, comment);
            let Some(id) = self.store().workflow_of_comment(repository, at, role).await? else {
                continue;
            };
            let Some(stored) = self.store().workflow(&id).await? else {
                continue;
            };
            let what = match role {
                CommentRole::Card => Some(What::Card),
                _ => {
                    let all = self.store().comments_of(&id, role).await?;
                    let own = all.into_iter().find(|own| own.id == comment);
                    own.and_then(|own| What::needed(&stored.state, role, &own.detail))
                }
            };
            if let Some(what) = what {
                return Ok(Some((stored, Lost { comment, what })));
            }
        }
        Ok(None)
    }

    /// The statements that have it posted anew.
    pub(in crate::engine) fn repost(&self, stored: &Stored, lost: &Lost) -> Result<Write, StoreError> {
        let (workflow, comment) = (&stored.state.id, lost.comment);
        let mut write = Write::of(unlink_comment(&stored.state, comment));
        let card = || {
            let id = format!("{workflow}:deleted:{comment}");
            self.workflow_effect(stored, id, &Payload::Step(Intent::Card))
        };
        match &lost.what {
            What::Card => {
                write.push(forget_card(workflow));
                write.push(card()?);
            }
            What::Questions(phase) => {
                let again = Payload::Step(Intent::Questions { phase: phase.clone() });
                let id = format!("{workflow}:questions:deleted:{comment}");
                write.push(self.workflow_effect(stored, id, &again)?);
            }
            What::Page(phase, digest, page) => {
                let again = Payload::Page {
                    phase: phase.clone(),
                    digest: *digest,
                    page: *page,
                };
                let id = format!("{workflow}:page:deleted:{comment}");
                write.push(self.workflow_effect(stored, id, &again)?);
                // It links the page.
                write.push(card()?);
            }
        }
        Ok(write)
    }

    /// Has the questions and pages posted anew that are not there any more.
    pub(super) async fn mend_comments(&self, here: &Here, stored: &Stored) -> Result<(), Trouble> {
        let state = &stored.state;
        for role in [CommentRole::Questions, CommentRole::Page] {
            for own in self.store().comments_of(&state.id, role).await? {
                let Some(what) = What::needed(state, role, &own.detail) else {
                    continue;
                };
                let (topic, comment) = (here.subject.topic(), own.id);
                let at = topic.comment(comment, &own.node_id);
                let found = here.repo.thread(topic).comment(&at).await;
                if found.map_err(|error| self.trouble(&error, 1))?.is_none() {
                    tracing::warn!(workflow = %state.id, %comment, "a comment of the bot is gone; it is posted anew");
                    crate::figures::repaired("own comment");
                    let write = self.repost(stored, &Lost { comment, what })?;
                    self.store().write(write).await?;
                }
            }
        }
        Ok(())
    }
}

impl What {
    /// What a linked comment is to its workflow now, if it is needed: questions that are asked, pages of what is shown.
    fn needed(state: &State, role: CommentRole, detail: &str) -> Option<Self> {
        match role {
            CommentRole::Card => Some(Self::Card),
            CommentRole::Questions => {
                let (phase, _) = detail.split_once(' ')?;
                let asking = state.asking().filter(|asking| asking.as_str() == phase)?;
                Some(Self::Questions(asking.clone()))
            }
            CommentRole::Page => {
                let (digest, rest) = detail.split_once(':')?;
                let (page, _) = rest.split_once(':')?;
                let (phase, _, pending) = state.open_gate()?;
                let shown = digest.parse::<Digest>().ok()? == pending.digest;
                let page = page.parse().ok()?;
                shown.then(|| Self::Page(phase.clone(), pending.digest, page))
            }
            CommentRole::Call => None,
        }
    }
}
