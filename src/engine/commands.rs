//! What a person asked, from the facts to the one write that answers it.

use tracing::Instrument as _;

use super::authority::Speech;
use super::change::{Payload, Sign, Spot};
use super::settings::Settings;
use super::{Engine, MOST_ATTEMPTS, Trouble};
use crate::chat::request::Request;
use crate::chat::say::replies as say;
use crate::chat::verbs::{self, Dialect, Verb};
use crate::github::{CommentKind, CommentRef, Issue, Repo, Topic};
use crate::store::deliveries::LeasedDelivery;
use crate::store::repositories::Repository;
use crate::store::workflows::{Place, Stored, acted_on};
use crate::store::{StoreError, Write};
use crate::workflow::command::{Authority, Refusal};
use crate::workflow::event::Event;
use crate::workflow::ids::{EffectId, WorkflowId};
use crate::workflow::right::{Requirement, Right};

/// What somebody said, where, and under which settings.
pub(super) struct Spoken<'a> {
    pub(super) delivery: &'a LeasedDelivery,
    pub(super) spot: Spot,
    pub(super) repo: Repo,
    pub(super) known: Repository,
    pub(super) settings: Settings,
    pub(super) dialect: Dialect,
    pub(super) subject: &'a Issue,
    pub(super) speech: Speech,
    pub(super) from: From,
    /// What this is by its meaning: the same thing told twice is done once.
    pub(super) key: String,
}

impl Spoken<'_> {
    /// The least right that this repository asks of whoever approves.
    pub(super) fn approvers(&self) -> Right {
        let approve = verbs::by_name("approve");
        approve.map_or(Right::None, |verb| self.dialect.requirement(verb).right)
    }
}

/// The surface, as far as answering needs it.
#[derive(Debug, Clone)]
pub(super) enum From {
    Comment(CommentRef),
    Label { name: String },
    Boxes,
}

/// How a request was settled.
pub(super) enum Settled {
    /// The workflow changed.
    Changed {
        before: Result<Box<Stored>, Place>,
        events: Vec<Event>,
        extra: Write,
        /// What has to be said besides what the card shows.
        said: Option<String>,
    },
    /// It was answered, in so many comments.
    Answered(Vec<String>),
    /// It was refused; the text says why and what next. Beside the answer this is kept.
    Refused(String, Write),
}

impl Settled {
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into(), Write::new())
    }
}

impl Engine {
    /// Settles one request for good, however often its meaning was told. `ends` joins the end of the delivery.
    pub(super) async fn settle(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        request: &Request,
        ends: Ends,
    ) -> Result<(), Trouble> {
        let span = tracing::debug_span!("command", verb = verb.name, workflow = tracing::field::Empty);
        self.settle_within(spoken, verb, request, ends).instrument(span).await
    }

    async fn settle_within(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        request: &Request,
        ends: Ends,
    ) -> Result<(), Trouble> {
        for _ in 0..super::TRIES {
            if self.store().was_acted_on(&spoken.key).await? {
                return self.finish(spoken, ends, "was handled before").await;
            }
            let settled = match self.answer_to(spoken, verb, request).await {
                Ok(settled) => settled,
                Err(trouble) => self.could_not(spoken, verb, trouble).await?,
            };
            if self.keep(spoken, verb.name, settled, ends).await? {
                return Ok(());
            }
        }
        Err(Trouble::Store(StoreError::Unavailable(
            "the workflow kept changing".to_owned(),
        )))
    }

    /// What somebody is told when their request cannot be decided. What can be asked again is: that is said once, and
    /// the error goes on to the delivery, which is put off.
    pub(super) async fn could_not(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        trouble: Trouble,
    ) -> Result<Settled, Trouble> {
        let trouble = match trouble {
            Trouble::Lacks(permission) => match self.lacks(spoken.spot.installation, &permission, verb.name).await {
                Ok(lacks) => return Ok(Settled::refused(lacks)),
                Err(trouble) => trouble,
            },
            other => other,
        };
        let why = match &trouble {
            Trouble::Later { why, .. } | Trouble::Limited { why, .. } | Trouble::Parked { why, .. } => why,
            Trouble::Never(why) => return Ok(Settled::refused(why)),
            Trouble::Lacks(_) | Trouble::Gone(_) | Trouble::Store(_) => return Err(trouble),
        };
        tracing::warn!(%why, verb = verb.name, "the facts for a command could not be had");
        let id = spoken.delivery.id.as_str();
        if spoken.delivery.attempt >= MOST_ATTEMPTS {
            return Ok(Settled::refused(say::could_not_check(
                verb.name,
                id,
                say::Again::GaveUp,
            )));
        }
        let body = say::could_not_check(verb.name, id, say::Again::WillTry);
        let reply = self.reply_to(spoken, body);
        let id = format!("unchecked:{}", spoken.key);
        let said = self.answer(spoken.spot, spoken.subject.number, &id, &reply)?;
        self.store().write(Write::of(said)).await?;
        Err(trouble)
    }

    /// Ends what cannot be decided because the configuration could not be had: it may ask for more than the defaults.
    pub(super) async fn unsettled(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        trouble: Trouble,
    ) -> Result<(), Trouble> {
        let settled = self.could_not(spoken, verb, trouble).await?;
        if !self.keep(spoken, verb.name, settled, Ends::Delivery).await? {
            return self.finish(spoken, Ends::Delivery, "was handled before").await;
        }
        Ok(())
    }

    /// An answer where people look for it.
    fn reply_to(&self, spoken: &Spoken<'_>, body: String) -> Payload {
        let Topic { kind: on, number } = spoken.subject.topic();
        let (mut to, mut to_line) = (None, None);
        let body = match &spoken.from {
            From::Comment(said) => {
                match said.kind {
                    CommentKind::Line => to_line = Some(said.id),
                    CommentKind::Discussion => to = Some(said.clone()),
                    CommentKind::Issue | CommentKind::Review => {}
                }
                body
            }
            From::Label { .. } | From::Boxes => {
                let to = super::authority::person(&spoken.speech.by);
                say::addressed(&to, &spoken.speech.surface, &body)
            }
        };
        Payload::Reply {
            number,
            on,
            to,
            to_line,
            body,
        }
    }

    /// Answers what could not be read as a command.
    pub(super) async fn answer_problem(&self, spoken: &Spoken<'_>, answer: String, ends: Ends) -> Result<(), Trouble> {
        if !self.keep(spoken, "unread", Settled::refused(answer), ends).await? {
            return self.finish(spoken, ends, "was handled before").await;
        }
        Ok(())
    }

    pub(super) async fn finish(&self, spoken: &Spoken<'_>, ends: Ends, outcome: &str) -> Result<(), Trouble> {
        if ends == Ends::Delivery {
            self.store().write(Write::of(spoken.delivery.done(outcome))).await?;
        }
        Ok(())
    }

    /// Keeps how a request was settled, in one transaction. `false` when the world moved and it must be decided anew.
    pub(super) async fn keep(
        &self,
        spoken: &Spoken<'_>,
        what: &str,
        settled: Settled,
        ends: Ends,
    ) -> Result<bool, Trouble> {
        let number = spoken.subject.number;
        let (sign, answers, mut rest, outcome) = match settled {
            Settled::Changed {
                before,
                events,
                extra,
                said,
            } => {
                let before = before.as_ref().map(|stored| &**stored);
                let (mut write, after) = self.advance(before, &events, spoken.delivery.id.as_str())?;
                tracing::Span::current().record("workflow", tracing::field::display(&after.id));
                write.append(extra);
                let answers = match (said, &spoken.from) {
                    (Some(said), _) => vec![said],
                    (None, From::Comment(said)) if said.kind == CommentKind::Review => vec![say::review_done(what)],
                    (None, _) => Vec::new(),
                };
                (Sign::Done, answers, write, format!("{what}: done"))
            }
            Settled::Answered(answers) => (Sign::Done, answers, Write::new(), format!("{what}: answered")),
            Settled::Refused(text, extra) => (Sign::Refused, vec![text], extra, format!("{what}: refused")),
        };
        let (answers, counted) = self.within_limits(spoken, what, answers).await?;
        // An answer that is withheld is no success.
        let sign = if answers.is_some() { sign } else { Sign::Refused };
        let mut write = Write::new();
        if ends == Ends::Delivery {
            write.push(spoken.delivery.done(&outcome));
        }
        write.push(acted_on(&spoken.key, spoken.delivery.id.as_str(), &outcome, self.now()));
        write.append(Write(std::mem::take(&mut rest.0)));
        write.append(counted);
        if let From::Comment(said) = &spoken.from {
            let react = Payload::React {
                comment: said.id,
                kind: said.kind,
                node_id: said.node_id.clone(),
                sign,
            };
            write.push(self.answer(spoken.spot, number, &format!("{sign:?}:{}", spoken.key), &react)?);
        }
        for (at, body) in answers.into_iter().flatten().enumerate() {
            let reply = self.reply_to(spoken, body);
            let id = reply_id(&spoken.key, at);
            write.push(self.answer(spoken.spot, number, id.as_str(), &reply)?);
        }
        if let From::Label { name } = &spoken.from {
            let remove = Payload::RemoveLabel {
                number,
                on: spoken.subject.kind,
                label: name.clone(),
            };
            write.push(self.answer(spoken.spot, number, &super::labels::off_again(&spoken.key), &remove)?);
        }
        match self.store().write(write).await {
            Ok(_) => Ok(true),
            // The delivery's own fence: another process has it now, and answers.
            Err(StoreError::Missed { statement: 0 }) if ends == Ends::Delivery => Ok(true),
            Err(StoreError::Missed { .. } | StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn answer_to(&self, spoken: &Spoken<'_>, verb: &'static Verb, request: &Request) -> Result<Settled, Trouble> {
        if verb.requirement == Requirement::ANYONE
            && let Some(refused) = self.not_for_everybody(spoken, verb).await?
        {
            return Ok(refused);
        }
        match request {
            Request::Help { verb } => Ok(Settled::Answered(vec![verbs::help(verb.as_deref(), &spoken.dialect)])),
            Request::Deliver => {
                let name = spoken.settings.config.definition.clone();
                self.start(spoken, verb, &name, &[]).await
            }
            Request::Tasks => self.start(spoken, verb, "tasks", &[]).await,
            Request::Run { definition, given } => self.start(spoken, verb, definition, given).await,
            Request::Status => self.status(spoken).await,
            Request::Who => self.who(spoken).await,
            Request::Explain { about } => self.explain(spoken, *about).await,
            _ => self.ask(spoken, verb, request).await,
        }
    }

    /// The refusal where a repository asks something for what anybody may do by default.
    async fn not_for_everybody(&self, spoken: &Spoken<'_>, verb: &'static Verb) -> Result<Option<Settled>, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.topic(), &spoken.speech, requirement)
            .await?;
        match allowed(&by) {
            true => Ok(None),
            false => self.not_allowed(spoken, verb, &by).await.map(Some),
        }
    }

    pub(super) async fn refused(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        refusal: &Refusal,
        stored: Option<&Stored>,
    ) -> Result<Settled, Trouble> {
        let who = match refusal {
            Refusal::NotAllowed { needs, .. } => self.who_can(spoken, needs.right).await,
            Refusal::NotYours { needs, .. } => self.who_can(spoken, *needs).await,
            _ => say::WhoCan::Unknown,
        };
        let decides = ["approve", "choose"].contains(&verb.name);
        let gate = match stored.filter(|_| decides) {
            Some(stored) => self.gate_for(spoken, &stored.state).await,
            None => None,
        };
        let card_url = match stored {
            Some(stored) => self.card_url(spoken, &stored.state.id).await?,
            None => spoken.subject.html_url.clone(),
        };
        let about = say::Refused {
            verb: verb.name,
            state: stored.map(|stored| &stored.state),
            card_url: &card_url,
            who: &who,
            gate: gate.as_ref(),
        };
        Ok(Settled::refused(say::refusal(refusal, &about)))
    }

    pub(super) async fn not_allowed(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        by: &Authority,
    ) -> Result<Settled, Trouble> {
        let refusal = Refusal::NotAllowed {
            needs: by.requirement,
            has: by.right,
        };
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        let stored = self.store().open_workflow(repository, number).await?;
        self.refused(spoken, verb, &refusal, stored.as_ref()).await
    }

    pub(super) async fn who_can(&self, spoken: &Spoken<'_>, right: Right) -> say::WhoCan {
        // Whoever is refused hears so at once, even if nobody can be named.
        match self.people_with(&spoken.repo, right).await {
            Ok(people) if !people.is_empty() => say::WhoCan::Known(people),
            // Nobody is listed where the App may not see who is there.
            Ok(_) | Err(_) => say::WhoCan::Unknown,
        }
    }

    pub(super) async fn nothing_open(&self, spoken: &Spoken<'_>) -> Result<Settled, Trouble> {
        let all = self
            .store()
            .workflows_of(spoken.spot.repository, spoken.subject.number)
            .await?;
        let Some(last) = all.last() else {
            return Ok(Settled::refused(say::nothing_open(None)));
        };
        let url = self.card_url(spoken, &last.state.id).await?;
        Ok(Settled::refused(say::nothing_open(Some((&last.state.id, &url)))))
    }

    /// Where a workflow's card is; the subject's page until there is one.
    pub(super) async fn card_url(&self, spoken: &Spoken<'_>, workflow: &WorkflowId) -> Result<String, Trouble> {
        let card = self.store().card(workflow).await?;
        Ok(card.map_or_else(|| spoken.subject.html_url.clone(), |card| card.url))
    }
}

/// The id of the effect that posts one of the comments by which something was answered.
pub(super) fn reply_id(key: &str, at: usize) -> EffectId {
    EffectId::from(format!("reply:{key}:{at}"))
}

/// Whether a request's write also ends its delivery: the last of a comment's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It does.
    Delivery,
    /// More follow.
    Nothing,
}

pub(super) fn allowed(by: &Authority) -> bool {
    by.requirement.met_by(by.right, &by.standings)
}
