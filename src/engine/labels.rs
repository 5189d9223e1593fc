//! Labels by which people speak: a few of the bot's own, and one for each definition. One is taken off again once it was
//! heard.

use super::authority::Speech;
use super::change::Payload;
use super::commands::{Ends, From, Spoken};
use super::deliveries::Told;
use super::{Engine, Trouble};
use crate::chat::label;
use crate::chat::request::Request;
use crate::chat::say::replies as say;
use crate::chat::verbs;
use crate::github::{Issue, IssueEventId, LabelChange, LabelEvent, TopicKind};
use crate::workflow::ids::{EffectId, IssueNumber, RepositoryId};
use crate::workflow::state::{Surface, Timestamp};

/// How many label events of an issue are read.
pub(super) const EVENTS: usize = 1000;

/// One of the bot's own labels.
pub(super) struct OwnLabel {
    pub(super) name: &'static str,
    description: &'static str,
}

/// Those that a repository is given; people make one for a definition that they want to start by it.
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
}

/// What a label is by its meaning, however often and by whichever hook it is told: the event that set it.
pub(super) fn key_of_label(repository: RepositoryId, event: IssueEventId) -> String {
    format!("label:{repository}:{}", event.0)
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
        let request = label::request(label).and_then(|request| Some((verbs::by_name(request.verb())?, request)));
        let Some((verb, request)) = request else {
            return self.nothing_to_do(told.delivery, "a label of somebody else").await;
        };
        let found = match subject.kind {
            TopicKind::Issue | TopicKind::Pull => self.label_event(&told, subject, label, at).await?,
            TopicKind::Discussion => self.label_in_discussion(&told, subject, label, at).await?,
        };
        let act = match found {
            Ok(act) => act,
            Err(why) => return self.nothing_to_do(told.delivery, why).await,
        };
        let spoken = Spoken {
            delivery: told.delivery,
            spot: told.spot,
            key: act.key,
            speech: Speech {
                by: told.sender.clone(),
                surface: Surface::Label {
                    name: label.to_owned(),
                    event: act.event,
                },
                said_at: act.at,
            },
            from: From::Label { name: label.to_owned() },
            repo: told.repo,
            known: told.known,
            settings: told.settings,
            dialect: told.dialect,
            subject,
        };
        if let Some(trouble) = told.unsettled {
            return self.unsettled(&spoken, verb, trouble).await;
        }
        self.tell_of_broken_configuration(&spoken).await?;
        if let Some(unknown) = self.unknown_label(&spoken, label, &request) {
            return self.answer_problem(&spoken, unknown, Ends::Delivery).await;
        }
        self.settle(&spoken, verb, &request, Ends::Delivery).await
    }

    /// What is said of a label that says nothing: there is no definition of its name.
    fn unknown_label(&self, spoken: &Spoken<'_>, label: &str, request: &Request) -> Option<String> {
        let Request::Run { definition, .. } = request else {
            return None;
        };
        let known = self.definition_names(&spoken.settings);
        let word = spoken.dialect.verb(definition).map(|verb| verb.name);
        (!known.contains(&definition.as_str())).then(|| say::unknown_label(label, &known, word))
    }

    /// The issue event that set a label.
    async fn label_event(
        &self,
        told: &Told<'_>,
        subject: &Issue,
        label: &str,
        at: Option<Timestamp>,
    ) -> Result<Result<LabelAct, Nothing>, Trouble> {
        let events = told.repo.label_events(subject.number, EVENTS).await;
        let events = events.map_err(|error| self.trouble(&error, 1))?;
        let set = |event: &&LabelEvent| {
            event.change == LabelChange::Added
                && event.label.eq_ignore_ascii_case(label)
                && event.actor.id == told.sender.id
                && at.is_none_or(|at| event.created_at <= at)
        };
        let newest = events.items.iter().filter(set);
        let newest = newest.max_by_key(|event| (event.created_at, event.id));
        let act = newest.map(|event| LabelAct {
            key: key_of_label(told.spot.repository, event.id),
            event: Some(event.id.0),
            at: event.created_at,
        });
        Ok(act.ok_or("GitHub has no such label event"))
    }

    /// Whether a label that is set on a discussion was acted on.
    pub(super) async fn set_in_discussion(
        &self,
        repository: RepositoryId,
        number: IssueNumber,
        label: &str,
    ) -> Result<SetInDiscussion, Trouble> {
        let name = label.to_lowercase();
        let mut before = None;
        for time in 0_u32.. {
            let key = format!("label:{repository}:discussion:{number}:{name}:{time}");
            if !self.store().was_acted_on(&key).await? {
                return Ok(SetInDiscussion::Unheard { key, before });
            }
            if !self.store().has_ended(&EffectId::from(off_again(&key))).await? {
                break;
            }
            before = Some(key);
        }
        Ok(SetInDiscussion::Heard)
    }

    /// Which act a label on a discussion is. GitHub tells no events of a discussion's labels. But a label is set once
    /// until it is taken off, and the bot takes off what it heard: acts are told apart by that. What is told again before
    /// it was taken off is the same act; and what was taken off since is nobody's wish any more.
    ///
    /// Nor is there a time of the act. The discussion's last change before it stands for that: it can only be earlier, so
    /// a label never approves a card that changed after it.
    async fn label_in_discussion(
        &self,
        told: &Told<'_>,
        subject: &Issue,
        label: &str,
        at: Option<Timestamp>,
    ) -> Result<Result<LabelAct, Nothing>, Trouble> {
        let set = self
            .set_in_discussion(told.spot.repository, subject.number, label)
            .await?;
        let SetInDiscussion::Unheard { key, .. } = set else {
            return Ok(Err("was handled before"));
        };
        let now = self.subject(&told.repo, subject.topic()).await?;
        if !now.labels.iter().any(|there| there.eq_ignore_ascii_case(label)) {
            return Ok(Err("the label is not there any more"));
        }
        let at = at.or(subject.created_at).unwrap_or(told.delivery.received_at);
        Ok(Ok(LabelAct { key, event: None, at }))
    }
}

/// What is known of a label that is set on a discussion.
pub(super) enum SetInDiscussion {
    /// It was acted on, and is about to be taken off.
    Heard,
    /// It was not acted on since it was last taken off.
    Unheard {
        /// What it is by its meaning.
        key: String,
        /// The same of the time before, where it was heard before.
        before: Option<String>,
    },
}

/// Why a label asks for nothing.
type Nothing = &'static str;

/// One time that somebody set a label.
struct LabelAct {
    /// What it is by its meaning.
    key: String,
    event: Option<u64>,
    /// When, or something earlier.
    at: Timestamp,
}

/// The id of the effect that takes off the label by which something was said.
pub(super) fn off_again(key: &str) -> String {
    format!("unlabel:{key}")
}
