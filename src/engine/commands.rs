//! What a person asked, from the facts to the one write that answers it.

use super::agent_run::{agent_of, beside, propose, sentences};
use super::authority::Speech;
use super::card::{Beside, Found};
use super::change::{Payload, Sign, Spot};
use super::settings::Settings;
use super::{Engine, MOST_ATTEMPTS, Trouble};
use crate::agents::{self, Amendment, Inputs};
use crate::chat::request::{FieldChange, Request};
use crate::chat::say::replies as say;
use crate::chat::verbs::{self, Dialect, Verb};
use crate::github::{CommentKind, Issue, Repo};
use crate::store::deliveries::LeasedDelivery;
use crate::store::repositories::{Repository, note_labels};
use crate::store::workflows::{Place, Run, Stored, acted_on, keep_proposal, keep_run, mark_card_stale};
use crate::store::{StoreError, Write};
use crate::workflow::command::{Ask, Authority, Command, Named, Refusal, Start, Verdict};
use crate::workflow::decide::{Facts, awaits_answer, decide, no_open_gate};
use crate::workflow::event::Event;
use crate::workflow::ids::{CommentId, Digest, PhaseId, WorkflowId};
use crate::workflow::plan::Intent;
use crate::workflow::right::Requirement;
use crate::workflow::state::{Subject, SubjectKind};

/// How often a request is decided anew when the workflow changed meanwhile.
const TRIES: usize = 8;

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

/// The surface, as far as answering needs it.
#[derive(Debug, Clone)]
pub(super) enum From {
    Comment { id: CommentId, kind: CommentKind },
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
        for _ in 0..TRIES {
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
        let why = match &trouble {
            Trouble::Later { why, .. } | Trouble::Limited { why, .. } => why,
            Trouble::Never(why) => return Ok(Settled::refused(why)),
            Trouble::Lacks(permission) => {
                let lacks = self.lacks(spoken.spot.installation, permission, verb.name).await;
                return Ok(Settled::refused(lacks));
            }
            Trouble::Gone(_) | Trouble::Store(_) => return Err(trouble),
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
        let number = spoken.subject.number;
        let (to_line, body) = match &spoken.from {
            From::Comment {
                id,
                kind: CommentKind::Line,
            } => (Some(*id), body),
            From::Comment { .. } => (None, body),
            From::Label { .. } | From::Boxes => {
                let to = super::authority::person(&spoken.speech.by);
                (None, say::addressed(&to, &spoken.speech.surface, &body))
            }
        };
        Payload::Reply { number, to_line, body }
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
            Settled::Changed { before, events, extra } => {
                let before = before.as_ref().map(|stored| &**stored);
                let (mut write, _) = self.advance(before, &events, spoken.delivery.id.as_str())?;
                write.append(extra);
                (Sign::Done, Vec::new(), write, format!("{what}: done"))
            }
            Settled::Answered(answers) => (Sign::Done, answers, Write::new(), format!("{what}: answered")),
            Settled::Refused(text, extra) => (Sign::Refused, vec![text], extra, format!("{what}: refused")),
        };
        let mut write = Write::new();
        if ends == Ends::Delivery {
            write.push(spoken.delivery.done(&outcome));
        }
        write.push(acted_on(&spoken.key, spoken.delivery.id.as_str(), &outcome, self.now()));
        write.append(Write(std::mem::take(&mut rest.0)));
        if let From::Comment { id, kind } = spoken.from {
            let react = Payload::React {
                comment: id,
                kind,
                sign,
            };
            write.push(self.answer(spoken.spot, number, &format!("{sign:?}:{}", spoken.key), &react)?);
        }
        for (at, body) in answers.into_iter().enumerate() {
            let reply = self.reply_to(spoken, body);
            write.push(self.answer(spoken.spot, number, &format!("reply:{}:{at}", spoken.key), &reply)?);
        }
        if let From::Label { name } = &spoken.from {
            let remove = Payload::RemoveLabel {
                number,
                label: name.clone(),
            };
            write.push(self.answer(spoken.spot, number, &format!("unlabel:{}", spoken.key), &remove)?);
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
                self.start(spoken, verb, &name).await
            }
            Request::Tasks => self.start(spoken, verb, "tasks").await,
            Request::Status => self.status(spoken).await,
            Request::Who => self.who(spoken).await,
            Request::Explain { about } => self.explain(spoken, *about).await,
            Request::Prompt => self.prompt(spoken, verb).await,
            _ => self.ask(spoken, verb, request).await,
        }
    }

    /// The refusal where a repository asks something for what anybody may do by default.
    async fn not_for_everybody(&self, spoken: &Spoken<'_>, verb: &'static Verb) -> Result<Option<Settled>, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let number = spoken.subject.number;
        let by = self
            .authority(&spoken.repo, number, &spoken.speech, requirement)
            .await?;
        match allowed(&by) {
            true => Ok(None),
            false => self.not_allowed(spoken, verb, &by).await.map(Some),
        }
    }

    async fn start(&self, spoken: &Spoken<'_>, verb: &'static Verb, name: &str) -> Result<Settled, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.number, &spoken.speech, requirement)
            .await?;
        if !allowed(&by) {
            return self.not_allowed(spoken, verb, &by).await;
        }
        let (repository, number) = (spoken.spot.repository, spoken.subject.number);
        if let Some(open) = self.store().open_workflow(repository, number).await? {
            let url = self.card_url(spoken, &open.state.id).await?;
            return Ok(Settled::refused(say::already_open(&open.state, &url)));
        }
        let issue = self.issue(&spoken.repo, number).await?;
        if issue.state == crate::github::SubjectState::Closed {
            return Ok(Settled::refused(say::subject_is_closed(verb.name)));
        }
        let Some(definition) = self.definition(name) else {
            return Ok(Settled::refused(say::unknown_definition(name)));
        };
        let start = Start {
            workflow: workflow_id(spoken),
            definition: definition.clone(),
            subject: Subject {
                repository,
                kind: if issue.is_pull {
                    SubjectKind::PullRequest
                } else {
                    SubjectKind::Issue
                },
                number,
                id: issue.id,
            },
            by,
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
                })
            }
            Verdict::Refused(refusal) => self.refused(spoken, verb, &refusal, None).await,
            Verdict::Obsolete(_) => Ok(Settled::refused(say::nothing_open(None))),
        }
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

    async fn ask(&self, spoken: &Spoken<'_>, verb: &'static Verb, request: &Request) -> Result<Settled, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.number, &spoken.speech, requirement)
            .await?;
        if !allowed(&by) {
            return self.not_allowed(spoken, verb, &by).await;
        }
        let Some(stored) = self
            .store()
            .open_workflow(spoken.spot.repository, spoken.subject.number)
            .await?
        else {
            return self.nothing_open(spoken).await;
        };
        let (ask, extra) = match self.asked(spoken, &stored, request).await? {
            Asked::Core(ask, extra) => (ask, extra),
            Asked::Refused(refusal) => return self.refused(spoken, verb, &refusal, Some(&stored)).await,
            Asked::No(text, extra) => return Ok(Settled::Refused(text, extra)),
        };
        self.decide_ask(spoken, verb, Box::new(stored), by, ask, extra).await
    }

    pub(super) async fn decide_ask(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        stored: Box<Stored>,
        by: Authority,
        ask: Ask,
        extra: Write,
    ) -> Result<Settled, Trouble> {
        let facts = Facts {
            act_in_flight: self.store().act_in_flight(&stored.state.id).await?,
        };
        match decide(Some(&stored.state), &Command::Person(by, ask), facts, self.now()) {
            Verdict::Events(events) => Ok(Settled::Changed {
                before: Ok(stored),
                events,
                extra,
            }),
            Verdict::Refused(refusal) => self.refused(spoken, verb, &refusal, Some(&stored)).await,
            Verdict::Obsolete(_) => self.nothing_open(spoken).await,
        }
    }

    /// A request in the core's terms, with what must be kept beside it.
    async fn asked(&self, spoken: &Spoken<'_>, stored: &Stored, request: &Request) -> Result<Asked, Trouble> {
        let said = |reason: &Option<String>| reason.clone().unwrap_or_default();
        let ask = match request {
            Request::Approve { digest, reason } => {
                if let Some(no) = self.card_is_not_intact(spoken, stored).await? {
                    return Ok(no);
                }
                let named = match digest {
                    Some(prefix) => Named::Prefix(prefix.as_str().to_owned()),
                    None => Named::OnTheCard(spoken.speech.said_at),
                };
                Ask::Approve {
                    named,
                    reason: reason.clone(),
                }
            }
            Request::Unapprove { of } => Ask::Unapprove {
                of: of.as_ref().map(|login| login.as_str().to_owned()),
            },
            Request::Reject { reason } => Ask::Reject { reason: reason.clone() },
            Request::Revise { text } => Ask::Revise { text: text.clone() },
            Request::Hold { reason } => Ask::Hold { reason: said(reason) },
            Request::Unhold => Ask::Unhold,
            Request::Retry => Ask::Retry,
            Request::Cancel { reason } => Ask::Cancel { reason: said(reason) },
            Request::Edit {
                item,
                changes,
                replacement,
            } => {
                let amendment = match replacement {
                    Some(text) => Amendment::Replace(text.clone()),
                    None => Amendment::Change {
                        key: item.as_ref().map(|key| key.as_str().to_owned()).unwrap_or_default(),
                        fields: fields(changes),
                    },
                };
                return self
                    .amended(stored, request.verb(), &[amendment], &request.hint())
                    .await;
            }
            Request::Task { fields: changes } => {
                let amendment = Amendment::Add {
                    fields: fields(changes),
                    by: spoken.speech.by.login.clone(),
                };
                return self
                    .amended(stored, request.verb(), &[amendment], &request.hint())
                    .await;
            }
            Request::Respond { text } => return self.responded(spoken, stored, text).await,
            Request::Help { .. }
            | Request::Deliver
            | Request::Tasks
            | Request::Status
            | Request::Who
            | Request::Explain { .. }
            | Request::Prompt => return Ok(Asked::No(say::nothing_open(None), Write::new())),
        };
        Ok(Asked::Core(ask, Write::new()))
    }

    /// Whoever can push can edit the bot's comments, so the card is read before an approval of it is taken.
    async fn card_is_not_intact(&self, spoken: &Spoken<'_>, stored: &Stored) -> Result<Option<Asked>, Trouble> {
        let Some(card) = self.store().card(&stored.state.id).await? else {
            return Ok(None);
        };
        let current = stored.state.open_gate().map(|(_, _, pending)| pending.digest);
        let text = match self.inspect_card(&spoken.repo, stored, &card).await? {
            Found::Intact => return Ok(None),
            Found::BoxesDiffer => say::boxes_differ(current.as_ref()),
            Found::Gone => say::card_was_deleted(current.as_ref()),
            Found::Changed(before, after, editor) => say::card_restored(&say::Tampered {
                before: &before,
                after: &after,
                editor: editor.as_deref(),
                current: current.as_ref(),
            }),
        };
        Ok(Some(Asked::No(text, self.restore_card(spoken, stored)?)))
    }

    /// The statements that have the card written again as it should be.
    pub(super) fn restore_card(&self, spoken: &Spoken<'_>, stored: &Stored) -> Result<Write, StoreError> {
        let id = format!("{}:restore:{}", stored.state.id, spoken.key);
        let mut write = Write::of(mark_card_stale(&stored.state.id));
        write.push(self.workflow_effect(stored, id, &Payload::Step(Intent::Card))?);
        Ok(write)
    }

    /// The proposal at the gate with amendments, as a new proposal.
    pub(super) async fn amended(
        &self,
        stored: &Stored,
        verb: &str,
        amendments: &[Amendment],
        change: &str,
    ) -> Result<Asked, Trouble> {
        let state = &stored.state;
        let Some((phase, _, pending)) = state.open_gate() else {
            return Ok(Asked::Refused(no_open_gate(state)));
        };
        let current = pending.digest;
        let agent = agent_of(state, phase)?;
        let Some((proposal, said)) = self.store().proposal(&state.id, &current).await? else {
            return Err(Trouble::Never("the proposal is not stored any more".to_owned()));
        };
        let inputs = self.inputs_of(stored, phase).await?;
        let mut artifact = proposal.artifact;
        let mut draft = None;
        for amendment in amendments {
            match agents::amend(agent, &artifact, amendment, &inputs) {
                Ok(amended) => {
                    artifact = amended.artifact.clone();
                    draft = Some(amended);
                }
                Err(problem) => {
                    return Ok(Asked::No(
                        say::amendment_refused(verb, &problem, &current),
                        Write::new(),
                    ));
                }
            }
        }
        let Some(mut draft) = draft else {
            return Ok(Asked::No(say::boxes_differ(Some(&current)), Write::new()));
        };
        let said = Beside {
            planned: std::mem::take(&mut draft.planned),
            ..Beside::of(said)
        };
        let proposal = propose(state, phase, state.at(phase).iteration, agent, draft);
        let repository = state.subject.repository;
        let kept = Write::of(keep_proposal(&proposal, &said.value(), repository, self.now())?);
        let change = change.lines().next().unwrap_or(change).to_owned();
        Ok(Asked::Core(
            Ask::Amend {
                base: current,
                proposal,
                change,
            },
            kept,
        ))
    }

    async fn inputs_of(&self, stored: &Stored, phase: &PhaseId) -> Result<Inputs, Trouble> {
        let run = self.store().last_run(&stored.state.id, phase).await?;
        let run = run.ok_or_else(|| Trouble::Never("the agent was never asked".to_owned()))?;
        serde_json::from_str(&run.inputs).map_err(|error| Trouble::Never(format!("its inputs cannot be read: {error}")))
    }

    /// A person's answer in the agent's place, through the same checks.
    async fn responded(&self, spoken: &Spoken<'_>, stored: &Stored, text: &str) -> Result<Asked, Trouble> {
        let state = &stored.state;
        let Some(phase) = awaiting(state) else {
            return Ok(Asked::Refused(Refusal::NoAnswerAwaited));
        };
        let agent = agent_of(state, &phase)?;
        let inputs = self.inputs_of(stored, &phase).await?;
        let at = state.at(&phase);
        let mut draft = match agents::judge(agent, text, &inputs) {
            Ok(draft) => draft,
            Err(problems) => return Ok(Asked::No(say::answer_rejected(&sentences(&problems)), Write::new())),
        };
        let said = beside(&inputs, &mut draft);
        let proposal = propose(state, &phase, at.iteration, agent, draft);
        let repository = state.subject.repository;
        let mut extra = Write::of(keep_proposal(&proposal, &said.value(), repository, self.now())?);
        let prompt = agents::prompt(agent, &inputs).map_err(|error| Trouble::Never(error.to_string()))?;
        let run = Run {
            id: spoken.key.clone(),
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt,
            agent: agent.name.to_owned(),
            provider: "manual".to_owned(),
            inputs: serde_json::to_string(&inputs).map_err(|error| Trouble::Never(error.to_string()))?,
            prompt,
            answer: Some(text.to_owned()),
            answered_by: Some(spoken.speech.by.id),
            outcome: "proposed".to_owned(),
            started_at: self.now(),
            ended_at: self.now(),
        };
        extra.push(keep_run(&run, &state.id, state.subject.repository));
        Ok(Asked::Core(Ask::Respond { proposal }, extra))
    }

    async fn prompt(&self, spoken: &Spoken<'_>, verb: &'static Verb) -> Result<Settled, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.number, &spoken.speech, requirement)
            .await?;
        if !allowed(&by) {
            return self.not_allowed(spoken, verb, &by).await;
        }
        let Some(stored) = self
            .store()
            .open_workflow(spoken.spot.repository, spoken.subject.number)
            .await?
        else {
            return self.nothing_open(spoken).await;
        };
        let state = &stored.state;
        let asked = awaiting(state).or_else(|| state.open_gate().map(|(phase, ..)| phase.clone()));
        let run = match &asked {
            Some(phase) => self.store().last_run(&state.id, phase).await?,
            None => None,
        };
        Ok(match (asked, run) {
            (Some(phase), Some(run)) => Settled::Answered(say::prompt(state, &phase, &run.prompt)),
            _ => Settled::refused(say::no_prompt(state)),
        })
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
        let card_url = match stored {
            Some(stored) => self.card_url(spoken, &stored.state.id).await?,
            None => spoken.subject.html_url.clone(),
        };
        let about = say::Refused {
            verb: verb.name,
            state: stored.map(|stored| &stored.state),
            card_url: &card_url,
            who: &who,
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
        self.refused(spoken, verb, &refusal, None).await
    }

    pub(super) async fn who_can(&self, spoken: &Spoken<'_>, right: crate::workflow::right::Right) -> say::WhoCan {
        // Whoever is refused hears so at once, even if nobody can be named.
        match self.people_with(&spoken.repo, right).await {
            Ok(people) if !people.is_empty() => say::WhoCan::Known(people),
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

/// Whether a request's write also ends its delivery: the last of a comment's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It does.
    Delivery,
    /// More follow.
    Nothing,
}

/// A request in the core's terms, or the answer where it has none.
pub(super) enum Asked {
    Core(Ask, Write),
    Refused(Refusal),
    No(String, Write),
}

fn allowed(by: &Authority) -> bool {
    by.requirement.met_by(by.right, &by.standings)
}

/// The phase whose agent's answer a person may give now.
fn awaiting(state: &crate::workflow::state::State) -> Option<PhaseId> {
    state
        .definition
        .phases
        .iter()
        .map(|phase| &phase.id)
        .find(|id| awaits_answer(state, id))
        .cloned()
}

fn fields(changes: &[FieldChange]) -> Vec<(String, String)> {
    changes
        .iter()
        .map(|change| (change.name().to_owned(), change.value()))
        .collect()
}

/// Derived from what started it, so that starting it again is the same workflow.
fn workflow_id(spoken: &Spoken<'_>) -> WorkflowId {
    let cause = format!("{}:{}", spoken.spot.repository, spoken.key);
    let name = data_encoding::BASE32_NOPAD.encode(Digest::of_bytes(cause.as_bytes()).as_bytes());
    WorkflowId(format!("w{}", name[..9].to_lowercase()))
}
