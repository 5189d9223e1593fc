//! The effect runner: look when in doubt, guard, call, and complete in one fenced transaction.

use std::sync::Arc;
use std::time::Instant;

use super::change::Payload;
use super::mirror::Mirroring;
use super::notify::most_attempts;
use super::site::{Job, Source};
use super::{Engine, FIRST_REST, LEASE, REST_IN_DOUBT, Site, Trouble, rest, topic_of};
use crate::chat::say::replies as say;
use crate::github::{
    Certainty, Classifier, CommentKind, CommentRef, Created, GithubError, Guard, Installation, Label, Marker, Repo,
    Topic,
};
use crate::store::effects::{LeasedEffect, NOTIFY, Sent, park_installation};
use crate::store::workflows::{CommentRole, LinkedComment, Stored, link_comment, unlink_comment};
use crate::store::{Statement, StoreError, Write};
use crate::traces;
use crate::workflow::children::ChildStanding;
use crate::workflow::command::Verdict;
use crate::workflow::command::{Command, Report};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::plan::{CalledTo, Intent, Notice};
use crate::workflow::right::Right;
use crate::workflow::state::Timestamp;

/// How far GitHub's clock and ours may be apart, or ours from what it was before it was set. What lies so far back is
/// looked through only where something is in doubt.
pub(super) const CLOCKS_APART: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// How long an effect that this version does not know rests, so that one that knows it finds it before this one does.
const LEFT_TO_NEWER: chrono::TimeDelta = chrono::TimeDelta::seconds(15);

/// How an effect ended, and what is to be kept of it in the same transaction.
pub(super) enum Ended {
    /// It was done, or there was nothing to do.
    Done { result: String, extra: Write },
    /// It was done for this time, and runs again.
    Again { at: Timestamp },
    /// It is not needed any more.
    Dropped(&'static str),
    /// It is not needed while this holds; otherwise it is looked at again.
    DroppedWhile { why: &'static str, still: Statement },
    /// Another workflow must hear of it.
    Told { workflow: WorkflowId, report: Report },
    /// It was done, and the workflow must hear of it.
    Reported {
        result: String,
        report: Report,
        extra: Write,
    },
}

impl Ended {
    pub(super) fn done(result: impl Into<String>) -> Self {
        Self::Done {
            result: result.into(),
            extra: Write::new(),
        }
    }

    pub(super) fn reported(result: impl Into<String>, report: Report) -> Self {
        Self::Reported {
            result: result.into(),
            report,
            extra: Write::new(),
        }
    }
}

/// What an effect works with.
pub(super) struct Work<'a> {
    pub(super) effect: &'a LeasedEffect,
    pub(super) installation: Installation,
    pub(super) repo: Repo,
    pub(super) full_name: String,
    guard: Guard,
}

impl Work<'_> {
    /// Whether enough of the lease is left to begin a write that cannot be looked for.
    pub(super) fn in_time(&self) -> bool {
        (self.guard)()
    }

    /// The same for a run of an agent.
    fn job(&self) -> Job<'_> {
        Job {
            effect: self.effect,
            source: Source::Repository(&self.repo),
            full_name: &self.full_name,
        }
    }

    /// Since when what an earlier attempt may have written is looked for. GitHub's clock may be behind ours.
    pub(super) fn sought_since(&self) -> Timestamp {
        self.effect.first_sent_at - CLOCKS_APART
    }
}

impl Engine {
    pub(super) async fn run_effect(&self, effect: LeasedEffect) {
        use tracing::Instrument;
        let span = tracing::info_span!(
            "effect", id = %effect.id, kind = %effect.kind, attempt = effect.attempt, doubt = effect.doubt,
            installation = %effect.installation, repository = %effect.repository,
            workflow = effect.workflow.as_ref().map(tracing::field::display)
        );
        traces::follow(&span, effect.trace.as_ref());
        async {
            let outcome = self.carry_out(&effect).await;
            if let Ok(github) = self.github()
                && let Some(remaining) = github.installation(effect.installation).remaining()
            {
                crate::figures::github_remaining(effect.installation, remaining);
            }
            let result = match outcome {
                Ok(ended) => self.complete(&effect, ended).await,
                Err(trouble) => {
                    traces::failed();
                    self.meet(&effect, trouble).await
                }
            };
            if let Err(error) = result {
                // The lease runs out, and whoever takes the effect then finds it in doubt.
                tracing::error!(%error, "an effect's end could not be kept");
            }
        }
        .instrument(span)
        .await;
    }

    async fn carry_out(&self, effect: &LeasedEffect) -> Result<Ended, Trouble> {
        let payload: Payload = serde_json::from_str(&effect.payload).map_err(|error| self.unknown(&error))?;
        if let Site::Folder(folder) = &self.parts().site {
            return self.carry_out_in(folder, effect, payload).await;
        }
        // It asks nothing of GitHub but what the repository lets be told, and goes out where GitHub is away.
        if let Payload::Notify {
            endpoint,
            repository,
            notification,
        } = &payload
        {
            return self.notify(effect, (endpoint, repository), notification).await;
        }
        let guard = self.guard(effect);
        let (repo, known) = self.repo(effect.repository).await?;
        let work = Work {
            effect,
            installation: self
                .github()?
                .installation(known.installation)
                .guarded(Arc::clone(&guard)),
            repo: repo.guarded(Arc::clone(&guard)),
            guard,
            full_name: format!("{}/{}", known.owner, known.name),
        };
        match payload {
            Payload::React {
                comment,
                kind,
                node_id,
                sign,
            } => {
                let to = CommentRef {
                    kind,
                    id: comment,
                    node_id,
                };
                // A reaction is a courtesy: what GitHub refuses for good is not worth an answer.
                match work.repo.react(&to, sign.reaction()).await {
                    Err(error) if !error.is_transient() => Ok(Ended::done(error.to_string())),
                    other => other
                        .map(|()| Ended::done("reacted"))
                        .map_err(|error| self.failed(&error, effect)),
                }
            }
            Payload::Reply {
                number,
                on,
                to,
                to_line,
                body,
            } => {
                let line = |id| CommentRef {
                    kind: CommentKind::Line,
                    id,
                    node_id: String::new(),
                };
                let to = to.or(to_line.map(line));
                self.reply(&work, Topic { kind: on, number }, to.as_ref(), &body).await
            }
            Payload::RemoveLabel { number, on, label } => {
                let thread = work.repo.thread(Topic { kind: on, number });
                thread
                    .take_label_off(&label)
                    .await
                    .map_err(|error| self.failed(&error, effect))?;
                Ok(Ended::done("taken off"))
            }
            Payload::MakeLabel {
                name,
                color,
                description,
            } => self
                .make_label(
                    &work,
                    &Label {
                        name,
                        color,
                        description,
                    },
                )
                .await
                .map(Ended::done),
            Payload::Page { phase, digest, page } => {
                let Some(stored) = self.of(effect).await? else {
                    return Ok(Ended::Dropped("no workflow"));
                };
                self.post_page(&work, &stored, &phase, &digest, page).await
            }
            Payload::CheckConfiguration { number, sha } => self.check_proposal(&work, &known, number, &sha).await,
            Payload::Reconcile { workflow } => self.reconcile(&work, &known, &workflow).await,
            Payload::Verify(verification) => self.verify(&work, &verification).await,
            Payload::Notify { .. } => Ok(Ended::Dropped("never written to GitHub")),
            Payload::VerifyLabels { workflow } => self.verify_labels(&work, &workflow).await,
            Payload::MendLabels { found } => {
                let mirroring = Mirroring {
                    found: Some(found),
                    left: None,
                };
                self.mirror_own(&work, mirroring).await
            }
            Payload::Labels { left } => {
                let mirroring = Mirroring {
                    found: None,
                    left: Some(left),
                };
                self.mirror_own(&work, mirroring).await
            }
            Payload::Step(intent) => {
                let Some(stored) = self.of(effect).await? else {
                    return Ok(Ended::Dropped("no workflow"));
                };
                self.step(&work, stored, intent).await
            }
        }
    }

    /// What it means that an effect cannot be read: while servers are replaced, an older one meets what a newer one
    /// planned. It is left to those that know it.
    fn unknown(&self, error: &serde_json::Error) -> Trouble {
        Trouble::Later {
            at: self.now() + LEFT_TO_NEWER,
            sent: Sent::No,
            why: format!("this version cannot read the effect ({error}); a newer one may"),
        }
    }

    /// Holds as long as half of an effect's lease is left, by the clock that leases are counted in and by one that nobody
    /// sets. A write that is begun then has its answer, or no hope of one, before somebody else may begin the same: also
    /// where this process slept in between.
    fn guard(&self, effect: &LeasedEffect) -> Guard {
        let (clock, until, began) = (Arc::clone(&self.parts().clock), effect.lease_until, Instant::now());
        let half = LEASE / 2;
        Arc::new(move || clock() + half <= until && began.elapsed() <= half.to_std().unwrap_or_default())
    }

    async fn step(&self, work: &Work<'_>, stored: Stored, intent: Intent) -> Result<Ended, Trouble> {
        match intent {
            Intent::RunAgent {
                phase,
                iteration,
                attempt,
            } => self.run_agent(&work.job(), &stored, &phase, iteration, attempt).await,
            Intent::Act {
                phase,
                source,
                digest,
                key,
            } => self.act(work, &stored, &phase, &source, &digest, &key).await,
            Intent::StartChild { phase, key, child } => self.start_child(work, &stored, &phase, &key, &child).await,
            Intent::TellChild { child } => self.tell_child(&stored, &child).await,
            Intent::TellParent => Ok(Self::tell_parent(&stored)),
            Intent::Card => self.write_card(work, &stored).await,
            Intent::Labels => self.mirror(work, &stored, Mirroring::default()).await,
            Intent::Questions { phase } => self.write_questions(work, &stored, &phase).await,
            Intent::CallPeople { phase, digest } => self.call_people(work, &stored, &phase, &digest).await,
            Intent::DismissCall { phase, to } => self.dismiss_call(work, &stored, &called_to(&phase, to)).await,
            Intent::ExpireGate {
                phase,
                digest,
                reminders,
                ..
            } => Ok(Ended::reported(
                "time ran out",
                Report::GateExpired {
                    phase,
                    digest,
                    reminders,
                },
            )),
            Intent::AskApprover { phase, digest, attempt } => {
                self.ask_approver(&work.job(), &stored, &phase, digest, attempt).await
            }
            Intent::ReadChecks {
                phase,
                digest,
                readings,
                because,
                ..
            } => {
                self.read_checks(Some(&work.repo), &stored, &phase, (digest, readings), because)
                    .await
            }
            Intent::EndTimers { .. } => Ok(Ended::Dropped("never a row")),
            Intent::Tell { notice } => self.tell_people(work, &stored, &notice).await,
            Intent::CancelPlanned => Ok(Ended::Dropped("never a row")),
        }
    }

    /// The workflow that an effect belongs to, as it is now.
    pub(super) async fn of(&self, effect: &LeasedEffect) -> Result<Option<Stored>, Trouble> {
        match &effect.workflow {
            Some(id) => Ok(self.store().workflow(id).await?),
            None => Ok(None),
        }
    }

    /// What an error of a writing call means. A write that may have been carried out is looked for, but not at once.
    pub(super) fn failed(&self, error: &GithubError, effect: &LeasedEffect) -> Trouble {
        match self.trouble(error, effect.attempt) {
            Trouble::Later { at, why, .. } if error.certainty() == Certainty::Maybe => Trouble::Later {
                at: at.max(self.now() + REST_IN_DOUBT),
                sent: Sent::Maybe,
                why,
            },
            other => other,
        }
    }

    async fn reply(
        &self,
        work: &Work<'_>,
        topic: Topic,
        to: Option<&CommentRef>,
        body: &str,
    ) -> Result<Ended, Trouble> {
        let created = self.write_once(work, topic, to, body).await;
        created
            .map(|created| Ended::done(created.html_url))
            .map_err(|error| self.failed(&error, work.effect))
    }

    /// Creates a comment with the effect's marker, unless an earlier attempt did.
    pub(super) async fn create_once(&self, work: &Work<'_>, topic: Topic, body: &str) -> Result<Created, GithubError> {
        self.write_once(work, topic, None, body).await
    }

    /// The same, beside another comment where one is answered.
    async fn write_once(
        &self,
        work: &Work<'_>,
        topic: Topic,
        to: Option<&CommentRef>,
        body: &str,
    ) -> Result<Created, GithubError> {
        let (effect, thread) = (work.effect, work.repo.thread(topic));
        let marker = Marker::of(&effect.id);
        if effect.doubt {
            let (own, since) = (
                self.bot(effect.installation).await.map_err(unready)?.id,
                work.sought_since(),
            );
            let found = match to {
                Some(to) => thread.find_reply(to, &marker, own, since).await,
                None => thread.find(&marker, own, since).await,
            };
            if let Some(first) = found?.into_iter().next() {
                return Ok(first);
            }
        }
        let body = marker.append_to(body);
        match to {
            Some(to) => thread.reply(to, &body).await,
            None => thread.post(&body).await,
        }
    }

    pub(super) async fn make_label(&self, work: &Work<'_>, label: &Label) -> Result<&'static str, Trouble> {
        match work.repo.create_label(label).await {
            Ok(()) => Ok("created"),
            Err(error) if error.says_already_exists() => Ok("was there"),
            Err(error) => Err(self.failed(&error, work.effect)),
        }
    }

    /// Ends an effect in one transaction with what follows from it.
    async fn complete(&self, effect: &LeasedEffect, ended: Ended) -> Result<(), StoreError> {
        let now = self.now();
        crate::figures::effect(kind_of(effect), "done");
        let verified = self.verified_later(effect, &ended).await?;
        match ended {
            Ended::Again { at } => self.store().write(Write::of(effect.again(at))).await.map(drop),
            Ended::Dropped(why) => self.store().write(Write::of(effect.dropped(why, now))).await.map(drop),
            Ended::DroppedWhile { why, still } => {
                let write = Write::of(effect.dropped(why, now)).then(still);
                match self.store().write(write).await {
                    // It may be needed after all.
                    Err(StoreError::Missed { statement: 1 }) => {
                        let put_off = effect.put_off(now, Sent::No, "the workflow changed meanwhile");
                        self.store().write(Write::of(put_off)).await.map(drop)
                    }
                    other => other.map(drop),
                }
            }
            Ended::Told { workflow, report } => {
                let end = effect.done("told", now);
                self.report(effect, Some(&workflow), &report, |write| {
                    let mut whole = Write::of(end.clone());
                    whole.append(write);
                    whole
                })
                .await
            }
            Ended::Done { result, extra } => {
                let mut write = Write::of(effect.done(&result, now));
                write.append(extra);
                write.append(verified);
                self.store().write(write).await.map(drop)
            }
            Ended::Reported { result, report, extra } => {
                self.report(effect, effect.workflow.as_ref(), &report, |write| {
                    // What was not carried out is planned again under the same id once it is approved again, and only
                    // what was dropped is taken up then.
                    let end = match &report {
                        Report::ApprovalLost { .. } => effect.dropped(&result, now),
                        _ => effect.done(&result, now),
                    };
                    let mut whole = Write::of(end);
                    whole.append(write);
                    whole.append(extra.clone());
                    whole.append(verified.clone());
                    whole
                })
                .await
            }
        }
    }

    /// Lets a workflow, the effect's own or another, hear a report; `around` joins the write that ends the effect with the
    /// one that keeps the events.
    async fn report(
        &self,
        effect: &LeasedEffect,
        workflow: Option<&WorkflowId>,
        report: &Report,
        around: impl Fn(Write) -> Write,
    ) -> Result<(), StoreError> {
        let mut last = StoreError::Unavailable("the workflow kept changing".to_owned());
        for _ in 0..super::TRIES {
            let stored = match workflow {
                Some(id) => self.store().workflow(id).await?,
                None => None,
            };
            let Some(stored) = stored else {
                return self.store().write(around(Write::new())).await.map(drop);
            };
            let verdict = decide(
                Some(&stored.state),
                &Command::System(report.clone()),
                Facts::default(),
                self.now(),
            );
            let write = match verdict {
                Verdict::Events(events) => self.advance(Ok(&stored), &events, effect.id.as_str())?.0,
                Verdict::Refused(_) | Verdict::Obsolete(_) => Write::new(),
            };
            match self.store().write(around(write)).await {
                Ok(_) => return Ok(()),
                // The first statement is the fence of the effect itself: somebody else has it now.
                Err(StoreError::Missed { statement: 0 }) => {
                    tracing::warn!("the effect was taken over meanwhile");
                    return Ok(());
                }
                Err(error @ StoreError::Missed { .. }) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// What becomes of an effect that could not be carried out.
    async fn meet(&self, effect: &LeasedEffect, trouble: Trouble) -> Result<(), StoreError> {
        let kind = kind_of(effect);
        let mut accept_url = String::new();
        let trouble = match trouble {
            Trouble::Lacks(permission) => match self.accept_url(effect.installation).await {
                Err(trouble) if effect.attempt < most_attempts(effect) => trouble,
                found => {
                    accept_url = found.unwrap_or_default();
                    Trouble::Lacks(permission)
                }
            },
            other => other,
        };
        match trouble {
            Trouble::Later { at, sent, why } => {
                if effect.attempt >= most_attempts(effect) {
                    crate::figures::effect(kind, "failed");
                    return self.give_up(effect, &why).await;
                }
                crate::figures::effect(kind, "put_off");
                // A read that failed does not know the effect's attempt; the rests grow all the same.
                let at = at.max(self.now() + rest(effect.attempt));
                tracing::info!(%why, until = %at, "an effect is put off");
                let mut write = Write::of(effect.put_off(at, sent, &why));
                write.append(self.shown_as_waiting(effect).await?);
                self.store().write(write).await.map(drop)
            }
            Trouble::Limited { until, why } => {
                crate::figures::effect(kind, "put_off");
                tracing::warn!(%why, %until, "GitHub limits our rate; the installation's writes wait");
                let mut write =
                    Write::of(effect.parked(until, &why)).then(park_installation(effect.installation, until));
                write.append(self.shown_as_waiting(effect).await?);
                self.store().write(write).await.map(drop)
            }
            Trouble::Parked { until, why, beside } => {
                crate::figures::effect(kind, "put_off");
                tracing::info!(%why, %until, "an effect waits");
                let mut write = Write::of(effect.parked(until, &why));
                write.append(beside);
                write.append(self.shown_as_waiting(effect).await?);
                self.store().write(write).await.map(drop)
            }
            Trouble::Never(why) | Trouble::Gone(why) => {
                crate::figures::effect(kind, "failed");
                tracing::warn!(%why, "an effect failed for good");
                self.give_up(effect, &why).await
            }
            Trouble::Lacks(permission) => {
                crate::figures::effect(kind, "failed");
                let why = say::why_app_lacks(&permission, &accept_url);
                tracing::warn!(%permission, "the App lacks a permission");
                self.give_up(effect, &why).await
            }
            Trouble::Store(error) => {
                let rest = self.now() + FIRST_REST;
                self.store()
                    .write(Write::of(effect.put_off(rest, Sent::Maybe, &error.to_string())))
                    .await
                    .map(drop)
            }
        }
    }

    /// Acts that are few are shown by one edit of the card, at their end. Where one has to wait, the end may be far: the
    /// first time that it does, the card is edited.
    async fn shown_as_waiting(&self, effect: &LeasedEffect) -> Result<Write, StoreError> {
        let stored = match &effect.workflow {
            Some(workflow) if kind_of(effect) == "act" => self.store().workflow(workflow).await?,
            _ => None,
        };
        let Some(stored) = stored else {
            return Ok(Write::new());
        };
        let card = self.card_beside_acts(&stored, format!("{}:waits", effect.id))?;
        Ok(Write::of(card))
    }

    async fn give_up(&self, effect: &LeasedEffect, why: &str) -> Result<(), StoreError> {
        let now = self.now();
        let report = match serde_json::from_str(&effect.payload) {
            Ok(Payload::Step(Intent::Act { phase, key, .. })) => Some(Report::ActFailed {
                phase,
                key,
                why: why.to_owned(),
            }),
            Ok(Payload::Step(Intent::RunAgent {
                phase,
                iteration,
                attempt,
            })) => Some(Report::Ran {
                phase,
                iteration,
                attempt,
                result: crate::workflow::command::RunResult::Failed(crate::workflow::state::Why::Failed(
                    why.to_owned(),
                )),
                guidelines: None,
            }),
            Ok(Payload::Step(Intent::StartChild { phase, key, child })) => Some(Report::Child {
                phase,
                key,
                child,
                standing: ChildStanding::Refused { why: why.to_owned() },
            }),
            Ok(Payload::Step(Intent::AskApprover { phase, digest, attempt })) => Some(Report::Ruled {
                phase,
                digest,
                attempt,
                result: crate::workflow::command::RulingResult::Failed(crate::workflow::state::Why::Failed(
                    why.to_owned(),
                )),
            }),
            // Without its card a workflow cannot be seen, let alone approved.
            Ok(Payload::Step(Intent::Card)) if self.subject_is_gone(effect).await => Some(Report::SubjectGone {
                why: format!("its subject cannot be reached: {why}"),
            }),
            _ => None,
        };
        match report {
            Some(report) => {
                self.report(effect, effect.workflow.as_ref(), &report, |write| {
                    let mut whole = Write::of(effect.failed(why, now));
                    whole.append(write);
                    whole
                })
                .await
            }
            None => self.store().write(Write::of(effect.failed(why, now))).await.map(drop),
        }
    }

    /// Whether the subject of an effect's workflow is not to be read any more.
    async fn subject_is_gone(&self, effect: &LeasedEffect) -> bool {
        let (Ok(Some(stored)), Ok((repo, _))) = (self.of(effect).await, self.repo(effect.repository).await) else {
            return false;
        };
        let Some(topic) = Topic::of(&stored.state.subject) else {
            return false;
        };
        matches!(
            repo.thread(topic).subject().await,
            Err(GithubError::NotFound(_) | GithubError::Gone(_) | GithubError::NotInstalled(_))
        )
    }

    async fn call_people(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        digest: &crate::workflow::ids::Digest,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let Some((open, gate, pending)) = state.open_gate() else {
            return Ok(Ended::Dropped("the gate is closed"));
        };
        if open != phase || pending.digest != *digest || state.hold.is_some() {
            return Ok(Ended::Dropped("the gate shows something else"));
        }
        let calls = self.store().comments_of(&state.id, CommentRole::Call).await?;
        if calls.iter().any(|call| call.detail == phase.as_str()) && state.at(phase).reminders == 0 {
            return Ok(Ended::Dropped("people were called already"));
        }
        let Some(card) = self.store().card(&state.id).await? else {
            return Ok(Ended::Dropped("there is no card"));
        };
        let view = self.gate_view(&work.repo, state, (phase, gate), (None, gate.right));
        let body = say::call_to(&view.await?, state, phase, &card.url);
        let created = self
            .create_once(work, topic_of(state)?, &body)
            .await
            .map_err(|error| self.failed(&error, work.effect))?;
        let call = linked(&created, phase.as_str());
        let extra = Write::of(link_comment(state, &call, CommentRole::Call));
        Ok(Ended::Done {
            result: created.html_url,
            extra,
        })
    }

    /// Tells people, in a comment, what an edited card would tell nobody.
    async fn tell_people(&self, work: &Work<'_>, stored: &Stored, notice: &Notice) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let card = self.store().card(&state.id).await?;
        let card_url = card.map(|card| card.url).unwrap_or_default();
        let body = match notice {
            Notice::Completed => {
                // Whoever was asked is told what came of it.
                let asked = state.definition.phases.iter().any(|phase| phase.asks);
                let people = match asked {
                    true => self.people_asked(&work.repo, state).await?,
                    false => Vec::new(),
                };
                say::ended(&people, state, &card_url)
            }
            Notice::Stopped { phase } => {
                let people = self.people_with(&work.repo, Right::Write).await?;
                say::stopped(&people, state, phase, &card_url)
            }
            Notice::AskedMore { phase } => {
                let Some(url) = self.questions_url(state, phase).await? else {
                    return Ok(Ended::Dropped("nothing is asked"));
                };
                let people = self.people_asked(&work.repo, state).await?;
                say::asked_more(&people, state, phase, &url)
            }
            Notice::ApprovalLost { phase, reason } => say::approval_lost(state, phase, reason, &card_url),
            Notice::VoteLost { phase, of, reason } => say::vote_lost(state, phase, of, reason, &card_url),
            Notice::Expired { phase } => say::gate_expired(state, phase),
            Notice::Escalated { phase, to } => say::gate_escalated(state, phase, to),
            Notice::Closed => say::subject_closed(state.hold.as_ref().and_then(|hold| hold.by.as_ref())),
        };
        let created = self.create_once(work, topic_of(state)?, &body).await;
        let created = created.map_err(|error| self.failed(&error, work.effect))?;
        let mut extra = Write::new();
        if let Notice::Stopped { phase } = notice {
            let call = linked(&created, &called_to(phase, CalledTo::Stop));
            extra.push(link_comment(state, &call, CommentRole::Call));
        }
        Ok(Ended::Done {
            result: created.html_url,
            extra,
        })
    }

    /// Hides the comments that called people, as answered. Where GitHub cannot hide them they stay.
    async fn dismiss_call(&self, work: &Work<'_>, stored: &Stored, to: &str) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let topic = topic_of(state)?;
        let mut extra = Write::new();
        for call in self.store().comments_of(&state.id, CommentRole::Call).await? {
            if call.detail != to {
                continue;
            }
            let at = topic.comment(call.id, &call.node_id);
            let found = work.repo.thread(topic).comment(&at).await;
            let found = found.map_err(|error| self.failed(&error, work.effect))?;
            if let Some(found) = found {
                match work
                    .installation
                    .minimize_comment(&found.node_id, Classifier::Resolved)
                    .await
                {
                    Ok(()) => {}
                    Err(error) if error.is_transient() => return Err(self.failed(&error, work.effect)),
                    Err(error) => tracing::info!(%error, "a comment could not be hidden and stays"),
                }
            }
            extra.push(unlink_comment(state, call.id));
        }
        Ok(Ended::Done {
            result: "tidied".to_owned(),
            extra,
        })
    }
}

/// The label of an effect's kind in the metrics: from our own table, whatever the row says.
fn kind_of(effect: &LeasedEffect) -> &'static str {
    const KINDS: [&str; 22] = [
        "react",
        "reply",
        "remove_label",
        "make_label",
        "page",
        "run_agent",
        "ask_approver",
        "read_checks",
        "act",
        "start_child",
        "tell_child",
        "tell_parent",
        "card",
        "labels",
        "questions",
        "call_people",
        "dismiss_call",
        "expire_gate",
        "tell",
        "reconcile",
        "verify",
        NOTIFY,
    ];
    KINDS.into_iter().find(|kind| *kind == effect.kind).unwrap_or("other")
}

/// By what a comment that called people is found again.
fn called_to(phase: &PhaseId, to: CalledTo) -> String {
    match to {
        CalledTo::Gate => phase.to_string(),
        CalledTo::Stop => format!("stopped:{phase}"),
    }
}

/// A comment that was posted, to be tied to its workflow.
pub(super) fn linked(posted: &Created, detail: &str) -> LinkedComment {
    LinkedComment {
        id: posted.id,
        node_id: posted.node_id.clone(),
        detail: detail.to_owned(),
    }
}

/// Why a look-up could not be made; the write behind it must wait.
fn unready(trouble: Trouble) -> GithubError {
    match trouble {
        Trouble::Later { why, .. }
        | Trouble::Limited { why, .. }
        | Trouble::Parked { why, .. }
        | Trouble::Never(why)
        | Trouble::Lacks(why)
        | Trouble::Gone(why) => GithubError::Unreachable(why),
        Trouble::Store(error) => GithubError::Unreachable(error.to_string()),
    }
}
