//! What people said and nobody told: comments with commands, labels, the subject's closing. It becomes a delivery like
//! those that GitHub sends, so that it is acted on in the same way, in its turn and once.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::whereabouts::Here;
use crate::chat::reader::{BotName, quoted, read};
use crate::chat::say::replies as say;
use crate::engine::change::{Payload, Spot};
use crate::engine::deliveries::key_of_comment;
use crate::engine::labels::{EVENTS, SetInDiscussion, key_of_label, off_again};
use crate::engine::{Bot, Engine, Trouble};
use crate::github::{
    AccountKind, CommentKind, EventKind, LabelChange, LabelEvent, Parsed, Retold, SubjectState, ThreadComment,
    TopicKind, parse,
};
use crate::store::repair::keep_heard;
use crate::store::workflows::Stored;
use crate::store::{StoreError, Write};
use crate::workflow::command::Report;
use crate::workflow::ids::{CommentId, DeliveryId, Digest, EffectId};
use crate::workflow::labels::is_spoken;
use crate::workflow::repair::Repair;
use crate::workflow::state::Timestamp;

/// What is younger is probably on its way.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// How far two looks overlap, and how far GitHub's clock and ours may be apart.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// How long a discussion has rested when a label on it that nobody told of is asked about: a delivery of it was looked for
/// and asked for again by then.
const LABEL_GRACE: TimeDelta = TimeDelta::hours(1);

/// How many comments of a kind one look reads; the next goes on from there.
const COMMENTS: usize = 1000;

/// Something that was said and not told.
struct Unheard {
    at: Timestamp,
    /// Of the delivery that it becomes.
    id: DeliveryId,
    retold: Retold,
    what: What,
}

enum What {
    Comment(CommentId, String),
    Label(String, String),
    Closing,
}

impl Engine {
    /// Finds what was said on a workflow's subject and never told, and has it acted on.
    pub(super) async fn hear_the_unheard(&self, here: &Here, stored: &Stored, bot: &Bot) -> Result<(), Trouble> {
        let (comments, until) = self.silent_comments(here, stored, bot).await?;
        let labels = self.silent_labels(here, stored).await?;
        let closing = self.silent_closing(here, stored);
        let oldest = comments
            .iter()
            .map(|comment| comment.created_at)
            .chain(labels.iter().map(|label| label.created_at))
            .chain(closing)
            .min();
        if let Some(oldest) = oldest {
            // What is stored was told, whatever came of it.
            let told = self.told_since(stored, oldest - MARGIN).await?;
            let mut unheard = self.untold_comments(here, stored, comments, &told).await?;
            unheard.extend(untold_labels(here, stored, labels, &told));
            unheard.extend(untold_closing(here, stored, closing, &told));
            unheard.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
            self.tell_what_is_late(stored, &unheard).await?;
            for one in unheard {
                crate::figures::repaired(match one.what {
                    What::Comment(..) => "comment",
                    What::Label(..) => "label",
                    What::Closing => "closing",
                });
                tracing::warn!(delivery = %one.id, workflow = %stored.state.id, "GitHub never told of it; it was found");
                self.accept(one.id, one.retold.event, one.retold.body).await?;
            }
        }
        if let Some(until) = until {
            let heard = keep_heard(&stored.state.id, stored.state.subject.repository, until);
            self.store().write(Write::of(heard)).await?;
        }
        Ok(())
    }

    /// Comments by people that ask something of the bot and were not acted on, and up to when all comments were read.
    async fn silent_comments(
        &self,
        here: &Here,
        stored: &Stored,
        bot: &Bot,
    ) -> Result<(Vec<ThreadComment>, Option<Timestamp>), Trouble> {
        let state = &stored.state;
        let number = state.subject.number;
        let heard = self.store().heard_until(&state.id).await?;
        let since = heard.map_or(state.started_at, |until| until.max(state.started_at)) - MARGIN;
        let trouble = |error| self.trouble(&error, 1);
        let listed = match here.subject.kind {
            TopicKind::Issue | TopicKind::Pull => here.repo.comments(number, Some(since), COMMENTS).await,
            // A list of a discussion has no beginning but its own.
            TopicKind::Discussion => here.repo.thread(here.subject.topic()).said(usize::MAX).await,
        };
        let mut lists = vec![listed.map_err(trouble)?];
        if here.subject.kind == TopicKind::Pull {
            let lines = here.repo.line_comments(number, Some(since), COMMENTS).await;
            lists.push(lines.map_err(trouble)?);
            let reviews = here.repo.reviews(number, usize::MAX).await;
            lists.push(reviews.map_err(trouble)?);
        }
        let mut read_until = self.now() - GRACE;
        let mut all = Vec::new();
        for list in lists {
            if let Some(last) = list.items.last().filter(|_| list.left_out > 0) {
                read_until = read_until.min(last.created_at);
            }
            all.extend(list.items);
        }
        // An old comment that was edited is listed, too.
        all.retain(|comment| comment.created_at > since && comment.created_at <= read_until);
        let until = all.iter().map(|comment| comment.created_at).max();
        let asking = state.asking().is_some();
        let mut silent = Vec::new();
        for comment in all {
            let by_person = comment.author.kind == AccountKind::User && comment.author.id != bot.id;
            if !by_person || !asks_something(&comment, &bot.name, asking) || comment.created_at < state.started_at {
                continue;
            }
            let key = key_of_comment(state.subject.repository, comment.kind, comment.id);
            if !self.store().was_acted_on_within(&key).await? {
                silent.push(comment);
            }
        }
        Ok((silent, until))
    }

    /// The bot's labels that are set and were not acted on, as they were set. One that was is taken off.
    async fn silent_labels(&self, here: &Here, stored: &Stored) -> Result<Vec<LabelEvent>, Trouble> {
        let set: Vec<&String> = here.subject.labels.iter().filter(|name| is_spoken(name)).collect();
        if here.subject.kind == TopicKind::Discussion {
            for label in set {
                self.look_at_discussion_label(here, stored, label).await?;
            }
            return Ok(Vec::new());
        }
        if set.is_empty() {
            return Ok(Vec::new());
        }
        let (number, repository) = (stored.state.subject.number, stored.state.subject.repository);
        let events = here.repo.label_events(number, EVENTS).await;
        let events = events.map_err(|error| self.trouble(&error, 1))?.items;
        let mut silent = Vec::new();
        for label in set {
            let added = events
                .iter()
                .filter(|event| event.change == LabelChange::Added && event.label.eq_ignore_ascii_case(label))
                .max_by_key(|event| (event.created_at, event.id));
            let Some(event) = added.filter(|event| event.created_at <= self.now() - GRACE) else {
                continue;
            };
            let key = key_of_label(repository, event.id);
            if self.store().was_acted_on(&key).await? {
                self.take_off_again(here, stored, label, &key).await?;
            } else if event.actor.kind == AccountKind::User {
                silent.push(event.clone());
            }
        }
        Ok(silent)
    }

    /// Has a label taken off that was heard. Planned under the same id as before: done again only if it had failed.
    async fn take_off_again(&self, here: &Here, stored: &Stored, label: &str, key: &str) -> Result<(), Trouble> {
        let subject = &stored.state.subject;
        let spot = Spot {
            installation: here.installation,
            repository: subject.repository,
        };
        let off = Payload::RemoveLabel {
            number: subject.number,
            on: here.subject.kind,
            label: label.to_owned(),
        };
        let off = self.answer(spot, subject.number, &off_again(key), &off)?;
        self.store().write(Write::of(off)).await?;
        Ok(())
    }

    /// A label of the bot that is set on a discussion. One that was heard is taken off. GitHub lists nowhere who set a
    /// discussion's label, so nobody's right can be asked for where no delivery told of it: that is said once, and the
    /// label stays, because the delivery may come yet.
    async fn look_at_discussion_label(&self, here: &Here, stored: &Stored, label: &str) -> Result<(), Trouble> {
        let subject = &stored.state.subject;
        let set = self
            .set_in_discussion(subject.repository, subject.number, label)
            .await?;
        let SetInDiscussion::Unheard { key, before } = set else {
            return Ok(());
        };
        if let Some(before) = before
            && self.store().has_failed(&EffectId::from(off_again(&before))).await?
        {
            return self.take_off_again(here, stored, label, &before).await;
        }
        let missed = self.store().missed_count().await?;
        let changed = here.subject.updated_at.filter(|at| *at <= self.now() - LABEL_GRACE);
        let Some(changed) = changed.filter(|_| missed.waiting <= missed.late) else {
            return Ok(());
        };
        let told = self.told_since(stored, changed - MARGIN).await?;
        let of_it = |kind: &EventKind| matches!(kind, EventKind::Labeled { label: told, .. } if told.eq_ignore_ascii_case(label));
        if told.iter().any(|(kind, _)| of_it(kind)) {
            return Ok(());
        }
        crate::figures::repaired("label");
        tracing::warn!(label, workflow = %stored.state.id, "GitHub never told who set a label on a discussion");
        let current = stored.state.open_gate().map(|(_, _, pending)| pending.digest);
        let body = say::label_unheard(label, current.as_ref());
        let said = self.said_on(stored, &format!("unheard:{key}"), body)?;
        self.store().write(Write::of(said)).await?;
        Ok(())
    }

    /// When the subject was closed, if the workflow goes on all the same.
    fn silent_closing(&self, here: &Here, stored: &Stored) -> Option<Timestamp> {
        let closed = here.subject.state == SubjectState::Closed && stored.state.hold.is_none();
        let at = here.subject.closed_at.filter(|_| closed)?;
        (at <= self.now() - GRACE).then_some(at)
    }

    /// What was delivered about a workflow's subject since a moment.
    async fn told_since(&self, stored: &Stored, since: Timestamp) -> Result<Vec<(EventKind, Timestamp)>, StoreError> {
        let subject = &stored.state.subject;
        let told = self
            .store()
            .told_since(subject.repository, subject.number, since)
            .await?;
        let events = told.iter().filter_map(|(event, body, at)| match parse(event, body) {
            Parsed::Event(event) => Some((event.kind, *at)),
            Parsed::Ignored(_) | Parsed::Broken(_) => None,
        });
        Ok(events.collect())
    }

    /// Those of the comments of which nothing was delivered. What was edited since is told of and not acted on: nobody
    /// knows what it said at first.
    async fn untold_comments(
        &self,
        here: &Here,
        stored: &Stored,
        comments: Vec<ThreadComment>,
        told: &[(EventKind, Timestamp)],
    ) -> Result<Vec<Unheard>, Trouble> {
        let told: BTreeSet<(CommentKind, CommentId)> = told
            .iter()
            .filter_map(|(kind, _)| match kind {
                EventKind::Comment(comment) => Some((comment.kind, comment.id)),
                _ => None,
            })
            .collect();
        let mut untold = comments;
        untold.retain(|comment| !told.contains(&(comment.kind, comment.id)));
        if untold.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = untold.iter().map(|comment| comment.node_id.clone()).collect();
        let times = here.repo.edit_times(&ids).await.ok();
        let is_edited = |comment: &ThreadComment| match times.as_ref().map(|times| times.get(&comment.node_id)) {
            Some(Some(time)) => time.last_edited_at.is_some(),
            // Where GitHub tells no edit times, any later change counts as an edit.
            Some(None) | None => comment.updated_at > comment.created_at,
        };
        let (edited, untold): (Vec<_>, Vec<_>) = untold.into_iter().partition(is_edited);
        self.tell_of_edited(stored, &edited).await?;
        let repository = stored.state.subject.repository;
        Ok(untold
            .into_iter()
            .map(|comment| Unheard {
                at: comment.created_at,
                id: found(&key_of_comment(repository, comment.kind, comment.id)),
                retold: Retold::comment(here.place(), &here.subject, &comment),
                what: What::Comment(comment.id, comment.html_url),
            })
            .collect())
    }

    /// Says once of each comment that was edited before anybody told of it that nothing was done.
    async fn tell_of_edited(&self, stored: &Stored, edited: &[ThreadComment]) -> Result<(), Trouble> {
        for comment in edited {
            let key = key_of_comment(stored.state.subject.repository, comment.kind, comment.id);
            let body = say::edited_unheard(&comment.html_url);
            let said = self.said_on(stored, &format!("edited:{key}"), body)?;
            self.store().write(Write::of(said)).await?;
        }
        Ok(())
    }

    /// Says of what is so old that GitHub does not tell of it any more that it is acted on only now; on the subject and in
    /// the history.
    async fn tell_what_is_late(&self, stored: &Stored, unheard: &[Unheard]) -> Result<(), Trouble> {
        let horizon = self.now() - self.parts().deliveries_kept;
        let late: Vec<&Unheard> = unheard.iter().filter(|one| one.at < horizon).collect();
        let mut comments = BTreeSet::new();
        let mut labels = BTreeSet::new();
        let mut named = Vec::new();
        for one in &late {
            match &one.what {
                What::Comment(id, url) => {
                    comments.insert(*id);
                    named.push(say::Unheard::Comment(url.clone()));
                }
                What::Label(label, by) => {
                    labels.insert(label.clone());
                    named.push(say::Unheard::Label(label.clone(), by.clone()));
                }
                // That holds the workflow, which says why.
                What::Closing => {}
            }
        }
        let Some(since) = late.first().map(|one| one.at).filter(|_| !named.is_empty()) else {
            return Ok(());
        };
        let ids: Vec<&str> = late.iter().map(|one| one.id.as_str()).collect();
        let key = format!("late:{}:{}", stored.state.id, Digest::of(&ids).short());
        let report = Report::Repaired(Repair::Unheard {
            comments,
            labels,
            since,
        });
        let said = self.said_on(stored, &key, say::heard_late(&named))?;
        self.tell_with(&key, stored.clone(), &report, &Write::of(said)).await
    }
}

/// The id of the delivery that something becomes which was found.
fn found(key: &str) -> DeliveryId {
    DeliveryId::from(format!("found:{key}"))
}

/// Whether a comment asks something of the bot, or may answer what it asked.
fn asks_something(comment: &ThreadComment, bot: &BotName, asking: bool) -> bool {
    !read(&comment.body, bot).is_empty() || asking && quoted(&comment.body).is_some()
}

/// Those of the labels of which nothing was delivered since they were set.
fn untold_labels(
    here: &Here,
    stored: &Stored,
    labels: Vec<LabelEvent>,
    told: &[(EventKind, Timestamp)],
) -> Vec<Unheard> {
    let is_told = |set: &LabelEvent| {
        told.iter().any(|(kind, _)| match kind {
            EventKind::Labeled { label, at, .. } => {
                label.eq_ignore_ascii_case(&set.label) && at.is_none_or(|at| at >= set.created_at)
            }
            _ => false,
        })
    };
    let untold = labels.into_iter().filter(|set| !is_told(set));
    untold
        .map(|set| Unheard {
            at: set.created_at,
            id: found(&key_of_label(stored.state.subject.repository, set.id)),
            retold: Retold::labeled(here.place(), &here.subject, &set),
            what: What::Label(set.label, set.actor.login),
        })
        .collect()
}

/// The closing of a subject, if nothing was delivered of it since: whoever lets a workflow go on with its subject closed
/// knows what they do.
fn untold_closing(
    here: &Here,
    stored: &Stored,
    closing: Option<Timestamp>,
    told: &[(EventKind, Timestamp)],
) -> Option<Unheard> {
    let at = closing?;
    let is_told = told
        .iter()
        .any(|(kind, told_at)| matches!(kind, EventKind::SubjectClosed { .. }) && *told_at >= at - MARGIN);
    let subject = &stored.state.subject;
    let key = format!("closed:{}:{}:{}", subject.repository, subject.number, at.timestamp());
    (!is_told).then(|| Unheard {
        at,
        id: found(&key),
        retold: Retold::closed(here.place(), &here.subject),
        what: What::Closing,
    })
}
