//! Ticks: the boxes of the card select tasks. What was ticked is taken from the difference inside the `edited` payload,
//! by its sender, and never from what the card says now.

use super::asks::Asked;
use super::authority::Speech;
use super::commands::{Ends, From, Settled, Spoken};
use super::deliveries::{Told, place_of};
use super::{Engine, Trouble};
use crate::agents::Amendment;
use crate::chat::say::boxes::{TickDiff, ticks};
use crate::chat::say::replies as say;
use crate::chat::verbs;
use crate::github::{Comment, CommentKind};
use crate::store::workflows::{CommentRole, Stored};
use crate::workflow::ids::Digest;
use crate::workflow::state::Surface;

/// What an edit is by its meaning. Comments of discussions are numbered apart from those of issues.
fn key_of_edit(told: &Told<'_>, comment: &Comment, edit: &str) -> String {
    let on = match comment.kind {
        CommentKind::Discussion => "discussion:",
        CommentKind::Issue | CommentKind::Review | CommentKind::Line => "",
    };
    format!("boxes:{on}{}:{}:{edit}", told.spot.repository, comment.id)
}

impl Engine {
    /// Hears that a comment of the bot was edited by somebody else.
    pub(super) async fn hear_card_edit(
        &self,
        told: Told<'_>,
        comment: &Comment,
        before: Option<&str>,
    ) -> Result<(), Trouble> {
        let workflow = self
            .store()
            .workflow_of_comment(told.spot.repository, place_of(comment), CommentRole::Card)
            .await?;
        let stored = match workflow {
            Some(id) => self.store().workflow(&id).await?,
            None => None,
        };
        let (Some(_), Some(before)) = (stored, before) else {
            return self.nothing_to_do(told.delivery, "no card was edited").await;
        };
        if let Some(trouble) = told.unsettled {
            return Err(trouble);
        }
        let edit = Digest::of(&(before, &comment.body, comment.updated_at, told.sender.id)).short();
        let spoken = Spoken {
            delivery: told.delivery,
            spot: told.spot,
            key: key_of_edit(&told, comment, &edit),
            speech: Speech {
                by: told.sender.clone(),
                surface: Surface::Box,
                said_at: comment.updated_at.unwrap_or(told.delivery.received_at),
            },
            from: From::Boxes,
            repo: told.repo,
            known: told.known,
            settings: told.settings,
            dialect: told.dialect,
            subject: &comment.subject,
        };
        for _ in 0..super::TRIES {
            if self.store().was_acted_on(&spoken.key).await? {
                return self.finish(&spoken, Ends::Delivery, "was handled before").await;
            }
            let workflow = self
                .store()
                .workflow_of_comment(spoken.spot.repository, place_of(comment), CommentRole::Card)
                .await?;
            let stored = match workflow {
                Some(id) => self.store().workflow(&id).await?,
                None => None,
            };
            let Some(stored) = stored else {
                return self.finish(&spoken, Ends::Delivery, "no card").await;
            };
            let settled = match ticks(before, &comment.body) {
                TickDiff::Same => return self.finish(&spoken, Ends::Delivery, "the card says the same").await,
                TickDiff::Ticked(ticked) => self.ticked(&spoken, stored, &ticked).await?,
                TickDiff::Other => self.tampered(&spoken, &stored, before, &comment.body)?,
            };
            if self.keep(&spoken, "boxes", settled, Ends::Delivery).await? {
                return Ok(());
            }
        }
        Err(Trouble::Store(crate::store::StoreError::Unavailable(
            "the workflow kept changing".to_owned(),
        )))
    }

    async fn ticked(&self, spoken: &Spoken<'_>, stored: Stored, ticked: &[(String, bool)]) -> Result<Settled, Trouble> {
        let Some(verb) = verbs::by_name("edit") else {
            return Err(Trouble::Never("there is no verb edit".to_owned()));
        };
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.topic(), &spoken.speech, requirement)
            .await;
        let by = match by {
            Ok(by) => by,
            Err(trouble) => return self.could_not(spoken, verb, trouble).await,
        };
        let settled = if !by.requirement.met_by(by.right, &by.standings) {
            self.not_allowed(spoken, verb, &by).await?
        } else if stored.state.is_open() {
            let amendments: Vec<Amendment> = ticked
                .iter()
                .map(|(key, on)| Amendment::Select {
                    key: key.clone(),
                    on: *on,
                })
                .collect();
            let words: Vec<String> = ticked
                .iter()
                .map(|(key, on)| format!("{} {key}", if *on { "ticked" } else { "unticked" }))
                .collect();
            match self.amended(&stored, verb.name, &amendments, &words.join(", ")).await? {
                Asked::Core(ask, extra) => {
                    self.decide_ask(spoken, verb, Box::new(stored.clone()), by, ask, extra)
                        .await?
                }
                Asked::Refused(refusal) => self.refused(spoken, verb, &refusal, Some(&stored)).await?,
                Asked::No(text, extra) => Settled::Refused(text, extra),
            }
        } else {
            self.nothing_open(spoken).await?
        };
        // A box that was refused is drawn again as it was.
        Ok(match settled {
            Settled::Refused(text, mut extra) => {
                extra.append(self.restore_card(spoken, &stored)?);
                Settled::Refused(text, extra)
            }
            other => other,
        })
    }

    /// More than boxes changed: the card is restored, and the change and its editor are named.
    fn tampered(&self, spoken: &Spoken<'_>, stored: &Stored, before: &str, after: &str) -> Result<Settled, Trouble> {
        let current = stored.state.open_gate().map(|(_, _, pending)| pending.digest);
        let text = say::card_restored(&say::Tampered {
            before,
            after,
            editor: Some(&spoken.speech.by.login),
            current: current.as_ref(),
        });
        Ok(Settled::Refused(text, self.restore_card(spoken, stored)?))
    }
}
