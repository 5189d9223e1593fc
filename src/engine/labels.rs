//! The bot's own labels: setting one is a way to speak, and it is taken off again once it was heard.

use super::authority::Speech;
use super::change::Payload;
use super::commands::{Ends, From, Spoken};
use super::deliveries::Told;
use super::{Engine, Trouble};
use crate::chat::request::Request;
use crate::chat::verbs;
use crate::github::{Issue, IssueEventId, LabelChange, LabelEvent};
use crate::workflow::ids::RepositoryId;
use crate::workflow::state::{Surface, Timestamp};

/// How many label events of an issue are read.
pub(super) const EVENTS: usize = 1000;

/// What stands before the verb in the names of the bot's labels.
pub(super) const PREFIX: &str = "countersign:";

/// One of the bot's own labels.
pub(super) struct OwnLabel {
    pub(super) name: &'static str,
    description: &'static str,
}

/// All of them.
pub(super) const OWN: [OwnLabel; 4] = [
    OwnLabel {
        name: "countersign:deliver",
        description: "Start a workflow on this; taken off once it was heard",
    },
    OwnLabel {
        name: "countersign:approve",
        description: "Approve what the card shows; taken off once it was heard",
    },
    OwnLabel {
        name: "countersign:reject",
        description: "Reject what the card shows; taken off once it was heard",
    },
    OwnLabel {
        name: "countersign:hold",
        description: "Hold the workflow; taken off once it was heard",
    },
];

const COLOR: &str = "5319e7";

impl OwnLabel {
    pub(super) fn payload(&self) -> Payload {
        Payload::MakeLabel {
            name: self.name.to_owned(),
            color: COLOR.to_owned(),
            description: self.description.to_owned(),
        }
    }

    fn request(name: &str) -> Option<Request> {
        Some(match name.strip_prefix(PREFIX)? {
            "deliver" => Request::Deliver,
            "approve" => Request::Approve {
                verdict: None,
                digest: None,
                reason: None,
            },
            "reject" => Request::Reject {
                reason: "said by label".to_owned(),
            },
            "hold" => Request::Hold {
                reason: Some("said by label".to_owned()),
            },
            _ => return None,
        })
    }
}

/// What a label is by its meaning, however often and by whichever hook it is told: the event that set it.
pub(super) fn key_of_label(repository: RepositoryId, event: IssueEventId) -> String {
    format!("label:{repository}:{}", event.0)
}

/// Whether setting a label of this name is a way to speak.
pub(super) fn of_the_bot(name: &str) -> bool {
    OwnLabel::request(name).is_some()
}

impl Engine {
    /// Hears a label. Which issue event set it is asked of GitHub: that event names the act, so that one label told by
    /// two hooks acts once.
    pub(super) async fn hear_label(
        &self,
        told: Told<'_>,
        subject: &Issue,
        label: &str,
        at: Option<Timestamp>,
    ) -> Result<(), Trouble> {
        let Some((request, verb)) = OwnLabel::request(label)
            .and_then(|request| Some((verbs::by_name(request.verb())?, request)))
            .map(|(v, r)| (r, v))
        else {
            return self.nothing_to_do(told.delivery, "a label of somebody else").await;
        };
        let events = told
            .repo
            .label_events(subject.number, EVENTS)
            .await
            .map_err(|error| self.trouble(&error, 1))?;
        let set = |event: &&LabelEvent| {
            event.change == LabelChange::Added
                && event.label.eq_ignore_ascii_case(label)
                && event.actor.id == told.sender.id
                && at.is_none_or(|at| event.created_at <= at)
        };
        let Some(event) = events
            .items
            .iter()
            .filter(set)
            .max_by_key(|event| (event.created_at, event.id))
        else {
            return self
                .nothing_to_do(told.delivery, "GitHub has no such label event")
                .await;
        };
        let spoken = Spoken {
            delivery: told.delivery,
            spot: told.spot,
            key: key_of_label(told.spot.repository, event.id),
            speech: Speech {
                by: told.sender.clone(),
                surface: Surface::Label {
                    name: label.to_owned(),
                    event: event.id.0,
                },
                said_at: event.created_at,
            },
            from: From::Label { name: label.to_owned() },
            repo: told.repo,
            known: told.known,
            settings: told.settings,
            dialect: told.dialect,
            subject,
        };
        match told.unsettled {
            Some(trouble) => self.unsettled(&spoken, verb, trouble).await,
            None => self.settle(&spoken, verb, &request, Ends::Delivery).await,
        }
    }
}
