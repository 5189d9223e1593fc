//! Acts of an approved proposal: the approval is checked once more, then one thing is done outside.

use super::effects::{Ended, Work};
use super::{Engine, LEASE, Trouble, topic_of};
use crate::chat::say::{reasons, replies as say};
use crate::github::{GithubError, Label, Marker, NewIssue};
use crate::mail::{Letter, MailFailure, OutgoingMail, Reach, Refused, Repeat};
use crate::store::Write;
use crate::store::effects::{LeasedEffect, Sent};
use crate::store::mails::NewMail;
use crate::store::workflows::{Stored, link_opened};
use crate::workflow::act::{Act, ActKey, Deed, Mail};
use crate::workflow::command::Report;
use crate::workflow::ids::{Digest, IssueId, IssueNumber, PhaseId};
use crate::workflow::state::{ActOutcome, PhaseStatus, State};

/// From which attempt on a recipient that is still refused for now counts as refused, so that the others get the mail:
/// that is more than half an hour, and grey lists end before that.
const PATIENT_ATTEMPTS: u32 = 10;

/// How many attempts a mail gets that may have been sent, where the settings have it sent again.
const MOST_IN_DOUBT: u32 = 5;

impl Engine {
    /// Carries out one act, if all that its approval rests on still holds.
    pub(super) async fn act(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        source: &PhaseId,
        digest: &Digest,
        key: &ActKey,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        if !still_due(state, phase, source, digest, key) {
            return self.no_longer_due(work, stored, phase, digest, key).await;
        }
        let lost = |why: String| {
            let report = Report::ApprovalLost {
                phase: source.clone(),
                digest: *digest,
                why,
            };
            Ok(Ended::reported("the approval does not count any more", report))
        };
        let Some((proposal, _)) = self.store().proposal(&state.id, digest).await? else {
            return lost(reasons::NOT_STORED.to_owned());
        };
        if proposal.digest() != *digest || proposal.targets.subject != state.subject.number {
            return lost(reasons::NOT_WHAT_WAS_APPROVED.to_owned());
        }
        if let Some(why) = self.approval_lost(&work.repo, state, source, *digest).await? {
            return lost(why);
        }
        let Some(act) = proposal.targets.acts.iter().find(|act| act.key == *key) else {
            return lost(reasons::NOT_PART_OF_IT.to_owned());
        };
        let outcome = self.deed(work, stored, phase, act).await?;
        Ok(acted(state, phase, key, outcome))
    }

    /// An act that is not to be carried out any more. If an earlier attempt may have done it, that is looked for: what
    /// happened outside is recorded.
    async fn no_longer_due(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        digest: &Digest,
        key: &ActKey,
    ) -> Result<Ended, Trouble> {
        const NOT_DUE: &str = "it is not due any more";
        let (state, effect) = (&stored.state, work.effect);
        let known = state
            .phases
            .get(phase)
            .is_some_and(|phase| phase.outcomes.contains_key(key));
        if !effect.doubt || known {
            return Ok(Ended::Dropped(NOT_DUE));
        }
        let Some((proposal, _)) = self.store().proposal(&state.id, digest).await? else {
            return Ok(Ended::Dropped(NOT_DUE));
        };
        let Some(act) = proposal.targets.acts.into_iter().find(|act| act.key == *key) else {
            return Ok(Ended::Dropped(NOT_DUE));
        };
        let outcome = match act.deed {
            Deed::OpenIssue { title, .. } => self
                .find_opened(work)
                .await?
                .map(|issue| opened(issue, title, Vec::new())),
            Deed::SendMail(_) if self.store().mail_may_have_left(effect).await? => {
                Some(self.mail_in_doubt(effect, reasons::MAIL_STOPPED.to_owned()).await?)
            }
            // Never begun, to be repeated without harm, or of no weight by themselves.
            Deed::SendMail(_)
            | Deed::CreateLabel { .. }
            | Deed::LinkSubIssue { .. }
            | Deed::LinkBlockedBy { .. }
            | Deed::ListUnlinked => None,
        };
        Ok(match outcome {
            Some(outcome) => acted(state, phase, key, outcome),
            None => Ended::Dropped(NOT_DUE),
        })
    }

    /// The issue that an earlier attempt opened.
    async fn find_opened(&self, work: &Work<'_>) -> Result<Option<crate::github::CreatedIssue>, Trouble> {
        let effect = work.effect;
        let bot = self.bot(effect.installation).await?;
        let found = work
            .repo
            .find_issue(&Marker::of(&effect.id), &bot.login, bot.id, work.sought_since())
            .await;
        Ok(found.map_err(|error| self.failed(&error, effect))?.into_iter().next())
    }

    async fn deed(&self, work: &Work<'_>, stored: &Stored, phase: &PhaseId, act: &Act) -> Result<ActOutcome, Trouble> {
        let state = &stored.state;
        match &act.deed {
            Deed::CreateLabel {
                name,
                color,
                description,
            } => {
                let label = Label {
                    name: name.clone(),
                    color: color.clone(),
                    description: description.clone(),
                };
                self.make_label(work, &label).await?;
                Ok(ActOutcome::LabelReady)
            }
            Deed::OpenIssue {
                title,
                body,
                labels,
                assignees,
            } => {
                let issue = NewIssue {
                    title: title.clone(),
                    body: Marker::of(&work.effect.id).append_to(body),
                    labels: labels.clone(),
                    assignees: assignees.clone(),
                };
                self.open_issue(work, issue).await
            }
            Deed::LinkSubIssue { child, parent } => {
                self.link_sub_issue(work, state, phase, (child, parent.as_ref())).await
            }
            Deed::LinkBlockedBy { issue, blocked_by } => {
                self.link_blocked_by(work, state, phase, issue, blocked_by).await
            }
            Deed::ListUnlinked => self.list_unlinked(work, state, phase).await,
            Deed::SendMail(mail) => self.send_mail(work, state, mail).await,
        }
    }

    async fn open_issue(&self, work: &Work<'_>, mut issue: NewIssue) -> Result<ActOutcome, Trouble> {
        let effect = work.effect;
        let mut dropped = Vec::new();
        if effect.doubt
            && let Some(first) = self.find_opened(work).await?
        {
            return Ok(opened(first, issue.title, dropped));
        }
        let created = match work.repo.create_issue(&issue).await {
            Err(error) if error.blames("assignees") => {
                // GitHub names the field and not always the login: those who cannot be assigned are found one by one.
                let mut taken = Vec::new();
                for login in std::mem::take(&mut issue.assignees) {
                    match work.repo.assignable(&login).await {
                        Ok(true) => taken.push(login),
                        Ok(false) => dropped.push(say::dropped_assignee(&login)),
                        Err(error) => return Err(self.failed(&error, effect)),
                    }
                }
                issue.assignees = taken;
                work.repo.create_issue(&issue).await
            }
            other => other,
        };
        let created = created.map_err(|error| self.failed(&error, effect))?;
        Ok(opened(created, issue.title, dropped))
    }

    async fn link_sub_issue(
        &self,
        work: &Work<'_>,
        state: &State,
        phase: &PhaseId,
        (child, parent): (&ActKey, Option<&ActKey>),
    ) -> Result<ActOutcome, Trouble> {
        let parent = match parent {
            Some(parent) => issue_of(state, phase, parent).map(|(number, _)| number),
            None => Some(state.subject.number),
        };
        let (Some(parent), Some((_, child))) = (parent, issue_of(state, phase, child)) else {
            return Ok(never_opened());
        };
        match work.repo.add_sub_issue(parent, child).await {
            Ok(()) => Ok(ActOutcome::Linked),
            Err(error) => {
                let there = work.repo.sub_issues(parent).await;
                self.link_refused(
                    work,
                    error,
                    there.map(|all| all.iter().any(|issue| issue.id == Some(child))),
                )
                .await
            }
        }
    }

    async fn link_blocked_by(
        &self,
        work: &Work<'_>,
        state: &State,
        phase: &PhaseId,
        issue: &ActKey,
        blocked_by: &ActKey,
    ) -> Result<ActOutcome, Trouble> {
        let (Some((number, _)), Some((_, blocker))) =
            (issue_of(state, phase, issue), issue_of(state, phase, blocked_by))
        else {
            return Ok(never_opened());
        };
        match work.repo.add_blocked_by(number, blocker).await {
            Ok(()) => Ok(ActOutcome::Linked),
            Err(error) => {
                let there = work.repo.blocked_by(number).await;
                self.link_refused(
                    work,
                    error,
                    there.map(|all| all.iter().any(|issue| issue.id == Some(blocker))),
                )
                .await
            }
        }
    }

    /// What a refused link means: it was there already, it cannot be made (and is listed), or it has to wait.
    async fn link_refused(
        &self,
        work: &Work<'_>,
        error: GithubError,
        there: Result<bool, GithubError>,
    ) -> Result<ActOutcome, Trouble> {
        if there == Ok(true) {
            return Ok(ActOutcome::Linked);
        }
        match &error {
            GithubError::NotFound(_) | GithubError::Gone(_) => Ok(ActOutcome::NotLinked {
                reason: reasons::NOT_OFFERED.to_owned(),
            }),
            GithubError::Validation { .. } => Ok(ActOutcome::NotLinked {
                reason: error.to_string(),
            }),
            _ => Err(self.failed(&error, work.effect)),
        }
    }

    async fn list_unlinked(&self, work: &Work<'_>, state: &State, phase: &PhaseId) -> Result<ActOutcome, Trouble> {
        match super::answers::unlinked(state, phase) {
            None => Ok(ActOutcome::NotNeeded),
            Some(body) => {
                let created = self.create_once(work, topic_of(state)?, &body).await;
                let created = created.map_err(|error| self.failed(&error, work.effect))?;
                Ok(ActOutcome::Listed { url: created.html_url })
            }
        }
    }

    async fn send_mail(&self, work: &Work<'_>, state: &State, mail: &Mail) -> Result<ActOutcome, Trouble> {
        let (mailer, effect) = (&self.parts().mailer, work.effect);
        let leave = match mailer.repeat() {
            Repeat::Harmless => false,
            Repeat::MayDouble => effect.attempt > MOST_IN_DOUBT,
            Repeat::Never => true,
        };
        let doubt = self.store().mail_may_have_left(effect).await?;
        if doubt && leave {
            return self.mail_in_doubt(effect, reasons::MAIL_NOT_AGAIN.to_owned()).await;
        }
        let earlier = earlier_mails(state);
        let earlier: Vec<_> = earlier.iter().filter_map(|id| id.parse().ok()).collect();
        let outgoing = OutgoingMail {
            message_id: mailer.message_id(effect.id.as_str()),
            in_reply_to: earlier.last().cloned(),
            references: earlier,
            mail: mail.clone(),
            date: effect.first_sent_at,
        };
        let mut letter = mailer.write(&outgoing).map_err(refused_for_good)?;
        if doubt && let Some(kept) = self.store().mail_of_effect(&effect.id).await? {
            letter = letter.as_written(kept.raw);
        }
        let kept = NewMail {
            effect: &effect.id,
            workflow: &state.id,
            repository: state.subject.repository,
            message_id: letter.message_id().as_str(),
            raw: letter.raw(),
        };
        let ours = effect.heartbeat(self.now() + LEASE);
        self.store().keep_mail(ours, kept, self.now()).await?;
        if !work.in_time() {
            return Err(Trouble::Later {
                at: self.now(),
                sent: crate::store::effects::Sent::No,
                why: "too little of the lease is left to send a mail".to_owned(),
            });
        }
        match self.hand_over(effect, &letter).await? {
            Ok(refused) => Ok(ActOutcome::Mailed {
                message_id: letter.message_id().as_str().to_owned(),
                refused: refused
                    .iter()
                    .map(|refused| format!("{}: {}", refused.address, refused.answer))
                    .collect(),
                sent: Some(letter.digest()),
                again: doubt && mailer.repeat() == Repeat::MayDouble,
            }),
            Err(MailFailure::Doubt(why)) if mailer.repeat() != Repeat::Never && effect.attempt < MOST_IN_DOUBT => {
                Err(Trouble::Later {
                    at: self.now() + super::rest(effect.attempt),
                    sent: Sent::Maybe,
                    why,
                })
            }
            Err(MailFailure::Doubt(reason)) => self.mail_in_doubt(effect, reason).await,
            Err(MailFailure::Transient(why)) => Err(Trouble::Later {
                at: self.now() + super::rest(effect.attempt),
                sent: Sent::No,
                why,
            }),
            Err(failure @ MailFailure::Permanent(_)) => Err(refused_for_good(failure)),
        }
    }

    /// Hands a mail over and holds the effect's lease meanwhile: a server may look at a mail for minutes before it answers.
    async fn hand_over(
        &self,
        effect: &LeasedEffect,
        letter: &Letter,
    ) -> Result<Result<Vec<Refused>, MailFailure>, Trouble> {
        let reach = match effect.attempt {
            ..PATIENT_ATTEMPTS => Reach::Everybody,
            _ => Reach::WhoIsTaken,
        };
        let every = (LEASE / 3).to_std().unwrap_or_default();
        let sending = self.parts().mailer.send(letter, reach);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                sent = &mut sending => return Ok(sent),
                () = tokio::time::sleep(every) => {
                    let held = effect.heartbeat(self.now() + LEASE);
                    self.store().write(Write::of(held)).await?;
                }
            }
        }
    }

    async fn mail_in_doubt(&self, effect: &LeasedEffect, reason: String) -> Result<ActOutcome, Trouble> {
        let kept = self.store().mail_of_effect(&effect.id).await?;
        Ok(ActOutcome::MailInDoubt {
            message_id: self.parts().mailer.message_id(effect.id.as_str()).as_str().to_owned(),
            reason,
            sent: kept.map(|kept| Digest::of_bytes(&kept.raw)),
        })
    }
}

fn refused_for_good(failure: MailFailure) -> Trouble {
    match failure {
        MailFailure::Permanent(why) | MailFailure::Transient(why) | MailFailure::Doubt(why) => Trouble::Never(why),
    }
}

fn acted(state: &State, phase: &PhaseId, key: &ActKey, outcome: ActOutcome) -> Ended {
    let mut extra = Write::new();
    if let ActOutcome::IssueOpened { number, .. } = &outcome {
        extra.push(link_opened(state, *number));
    }
    let report = Report::ActEnded {
        phase: phase.clone(),
        key: key.clone(),
        outcome,
    };
    Ended::Reported {
        result: "done".to_owned(),
        report,
        extra,
    }
}

/// Whether an act is the next to be carried out, under an approval of just this.
fn still_due(state: &State, phase: &PhaseId, source: &PhaseId, digest: &Digest, key: &ActKey) -> bool {
    let approval = state.phases.get(source).and_then(|source| source.approval.as_ref());
    let next = state
        .next_act(phase)
        .is_some_and(|(next, of)| next == key && of == *digest);
    let going_on = state.is_open() && state.hold.is_none() && state.at(phase).status == PhaseStatus::Approved;
    next && going_on && approval.is_some_and(|approval| approval.digest == *digest)
}

fn opened(issue: crate::github::CreatedIssue, title: String, dropped: Vec<String>) -> ActOutcome {
    ActOutcome::IssueOpened {
        number: issue.number,
        id: issue.id,
        url: issue.html_url,
        title,
        dropped,
    }
}

fn never_opened() -> ActOutcome {
    ActOutcome::NotLinked {
        reason: reasons::NEVER_OPENED.to_owned(),
    }
}

fn issue_of(state: &State, phase: &PhaseId, key: &ActKey) -> Option<(IssueNumber, IssueId)> {
    match state.at(phase).outcomes.get(key)? {
        ActOutcome::IssueOpened { number, id, .. } => Some((*number, *id)),
        _ => None,
    }
}

/// The mails that this workflow sent before, in order: the later ones answer the first.
fn earlier_mails(state: &State) -> Vec<String> {
    let outcomes = state
        .definition
        .phases
        .iter()
        .flat_map(|phase| state.at(&phase.id).outcomes.values());
    outcomes
        .filter_map(|outcome| match outcome {
            ActOutcome::Mailed { message_id, .. } | ActOutcome::MailInDoubt { message_id, .. } => {
                Some(message_id.clone())
            }
            _ => None,
        })
        .collect()
}
