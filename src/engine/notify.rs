//! Telling others than GitHub: what is planned beside a change, and one attempt of it.
//!
//! A notification has nothing to do with the workflow's own writes. It stands in its endpoint's lane, one under way there and
//! in order, so a receiver that is down holds up nothing but what stands behind it there; the workflow does not wait for it.
//! No gate of people is in front of it, as there is none in front of the comment that calls them: it holds ids, states and
//! links, and goes to whom the server's operator named.

use std::time::Duration;

use chrono::TimeDelta;

use super::change::{Payload, Spot};
use super::effects::Ended;
use super::{Engine, MOST_ATTEMPTS, Trouble};
use crate::figures;
use crate::notify::{Failure, Told};
use crate::store::effects::{LeasedEffect, NOTIFY, Sent};
use crate::store::workflows::Stored;
use crate::store::{StoreError, Write};
use crate::workflow::event::Event;
use crate::workflow::ids::{EffectId, RepositoryId};
use crate::workflow::notification::{Kind, Notification, notifications, stuck};
use crate::workflow::plan::Intent;
use crate::workflow::state::State;

/// How many attempts a notification gets, with rests up to [`super::LONGEST_REST`]: about a day, more where the receiver asks
/// for longer rests.
const MOST: u32 = 150;

/// The longest rest that a receiver can ask for.
const LONGEST_ASKED: TimeDelta = TimeDelta::hours(1);

/// How long GitHub is waited for that is asked whether a repository's settings are still as they were.
const SETTINGS_WITHIN: Duration = Duration::from_secs(10);

/// How many attempts an effect gets before a person must look at it.
pub(super) fn most_attempts(effect: &LeasedEffect) -> u32 {
    match effect.kind == NOTIFY {
        true => MOST,
        false => MOST_ATTEMPTS,
    }
}

impl Engine {
    /// The statements that have a change told: one for each endpoint that is told of it, and none where there is none.
    pub(super) fn notified(
        &self,
        (after, events, intents): (&State, &[Event], &[Intent]),
        at: (Spot, &str),
    ) -> Result<Write, StoreError> {
        let mut write = Write::new();
        if self.parts().notifier.is_silent() {
            return Ok(write);
        }
        for notification in notifications(after, events, intents, self.now()) {
            write.append(self.planned(&notification, at)?);
        }
        Ok(write)
    }

    /// The statements that have it told that a workflow stands still.
    pub(super) fn told_stuck(&self, stored: &Stored) -> Result<Write, StoreError> {
        let spot = Spot {
            installation: stored.installation,
            repository: stored.state.subject.repository,
        };
        self.planned(&stuck(&stored.state, self.now()), (spot, &stored.repository))
    }

    fn planned(&self, notification: &Notification, (spot, repository): (Spot, &str)) -> Result<Write, StoreError> {
        let mut write = Write::new();
        for endpoint in self.parts().notifier.wanting(notification.kind, repository) {
            let Notification { workflow, key, .. } = notification;
            let payload = Payload::Notify {
                endpoint: endpoint.to_owned(),
                repository: repository.to_owned(),
                notification: Box::new(notification.clone()),
            };
            let id = EffectId::from(format!("{workflow}:{NOTIFY}:{endpoint}:{key}"));
            let lane = format!("{NOTIFY}:{endpoint}");
            write.push(self.effect(id, Some(workflow), spot, lane, &payload)?);
        }
        Ok(write)
    }

    /// Tells one endpoint, if it and the repository still want that. In doubt it is told again: under the same id.
    pub(super) async fn notify(
        &self,
        effect: &LeasedEffect,
        (endpoint, repository): (&str, &str),
        notification: &Notification,
    ) -> Result<Ended, Trouble> {
        let notifier = &self.parts().notifier;
        let Some(receiver) = notifier.receiver(endpoint, notification.kind, repository) else {
            return Ok(Ended::Dropped("the server's settings do not ask for it any more"));
        };
        if !self.lets_tell(effect.repository, notification.kind).await? {
            return Ok(Ended::Dropped("the repository's settings do not let it be told"));
        }
        // The card is written beside this. Of a start nobody should be told of it or not by chance.
        let card = match notification.kind {
            Kind::Started => None,
            _ => self.store().card(&notification.workflow).await?,
        };
        let told = Told {
            notification,
            repository,
            card: card.as_ref().map(|card| card.url.as_str()),
        };
        let answered = notifier.tell(receiver, told, self.now()).await;
        let over = effect.attempt >= MOST;
        let outcome = match &answered {
            Ok(()) => "delivered",
            Err(Failure::Refused(_)) => "dead",
            Err(_) if over => "dead",
            Err(_) => "put_off",
        };
        figures::notification(endpoint, outcome);
        let Err(failure) = answered else {
            return Ok(Ended::done("delivered"));
        };
        let why = format!("{endpoint}: {failure}");
        let later = |sent, asked: Option<Duration>| {
            let asked = asked.map(|asked| TimeDelta::from_std(asked).unwrap_or(LONGEST_ASKED).min(LONGEST_ASKED));
            Trouble::Later {
                at: self.now() + asked.unwrap_or_default(),
                sent,
                why: why.clone(),
            }
        };
        Err(match failure {
            Failure::Refused(_) => Trouble::Never(why),
            Failure::Busy { retry_after, .. } => later(Sent::No, retry_after),
            Failure::Unreachable(_) => later(Sent::No, None),
            Failure::BrokenOff(_) => later(Sent::Maybe, None),
        })
    }

    /// Whether the settings in force of a repository and its owner let this be told. Where GitHub does not answer, those
    /// that were read last hold.
    async fn lets_tell(&self, repository: RepositoryId, kind: Kind) -> Result<bool, Trouble> {
        let Some(known) = self.store().repository(repository).await? else {
            return Ok(true);
        };
        let repo = self.repo_of(&known)?;
        let newest = tokio::time::timeout(SETTINGS_WITHIN, self.settings(&repo, &known)).await;
        let settings = match newest {
            Ok(Ok(settings)) => settings,
            Ok(Err(Trouble::Store(error))) => return Err(error.into()),
            // They may say that nothing is told: it waits until they can be read.
            Ok(Err(_)) | Err(_) => self.settings_as_kept(&known).await.map_err(|trouble| match trouble {
                Trouble::Never(why) => Trouble::Later {
                    at: self.now(),
                    sent: Sent::No,
                    why,
                },
                other => other,
            })?,
        };
        Ok(settings.config.lets_tell(kind))
    }
}
