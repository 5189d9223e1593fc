//! Acts of an approved proposal: the approval is checked once more, then one thing is done outside.

use super::effects::{Ended, Work};
use super::{Engine, Trouble};
use crate::github::{Account, AccountKind, GithubError, Label, Marker, NewIssue, Refusal};
use crate::mail::{MailFailure, OutgoingMail};
use crate::store::Write;
use crate::store::workflows::{Stored, link_opened};
use crate::workflow::act::{Act, ActKey, Deed, Mail};
use crate::workflow::command::Report;
use crate::workflow::definition::Gate;
use crate::workflow::ids::{Digest, IssueId, IssueNumber, PhaseId};
use crate::workflow::state::{ActOutcome, Approval, PhaseStatus, State};

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
        let Some(approval) = still_due(state, phase, source, digest, key) else {
            return Ok(Ended::Dropped("it is not due any more"));
        };
        let lost = |why: String| {
            let report = Report::ApprovalLost {
                phase: source.clone(),
                digest: *digest,
                why,
            };
            Ok(Ended::reported("the approval does not count any more", report))
        };
        let Some((proposal, _)) = self.store().proposal(&state.id, digest).await? else {
            return lost("what was approved is not stored any more".to_owned());
        };
        if proposal.digest() != *digest || proposal.targets.subject != state.subject.number {
            return lost("what would be executed is not what was approved".to_owned());
        }
        let approver = Account {
            id: approval.by.id,
            login: approval.by.login.clone(),
            kind: AccountKind::User,
        };
        let needs = match state.definition.phase(source).map(|phase| &phase.gate) {
            Some(Gate::People(gate)) => gate.right,
            _ => return lost("its gate asks for nobody".to_owned()),
        };
        if self.right_of(&work.repo, &approver).await? < needs {
            return lost(format!(
                "{} does not have the right to {needs} any more",
                approval.by.login
            ));
        }
        let Some(act) = proposal.targets.acts.iter().find(|act| act.key == *key) else {
            return lost("the act is not part of what was approved".to_owned());
        };
        let outcome = self.deed(work, stored, phase, act).await?;
        let mut extra = Write::new();
        if let ActOutcome::IssueOpened { number, .. } = &outcome {
            extra.push(link_opened(state, *number));
        }
        let report = Report::ActEnded {
            phase: phase.clone(),
            key: key.clone(),
            outcome,
        };
        Ok(Ended::Reported {
            result: "done".to_owned(),
            report,
            extra,
        })
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
            Deed::LinkSubIssue { child } => self.link_sub_issue(work, state, phase, child).await,
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
        if effect.doubt {
            let bot = self.bot(effect.installation).await?;
            let since = effect.first_sent_at - chrono::TimeDelta::minutes(5);
            let marker = Marker::of(&effect.id);
            let found = work.repo.find_issue(&marker, &bot.login, bot.id, since).await;
            if let Some(first) = found.map_err(|error| self.failed(&error, effect))?.into_iter().next() {
                return Ok(opened(first, issue.title, dropped));
            }
        }
        let created = match work.repo.create_issue(&issue).await {
            Err(error) if error.blames("assignees") => {
                // GitHub names the field and not always the login: those who cannot be assigned are found one by one.
                let mut taken = Vec::new();
                for login in std::mem::take(&mut issue.assignees) {
                    match work.repo.assignable(&login).await {
                        Ok(true) => taken.push(login),
                        Ok(false) => dropped.push(format!("{login} cannot be assigned here")),
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
        child: &ActKey,
    ) -> Result<ActOutcome, Trouble> {
        let Some((_, child)) = issue_of(state, phase, child) else {
            return Ok(never_opened());
        };
        let parent = state.subject.number;
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
                reason: "this GitHub does not offer it".to_owned(),
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
                let created = self.create_once(work, state.subject.number, &body).await;
                let created = created.map_err(|error| self.failed(&error, work.effect))?;
                Ok(ActOutcome::Listed { url: created.html_url })
            }
        }
    }

    async fn send_mail(&self, work: &Work<'_>, state: &State, mail: &Mail) -> Result<ActOutcome, Trouble> {
        let mailer = &self.parts().mailer;
        let id = mailer.message_id(work.effect.id.as_str());
        // A server cannot be asked what it took. A message written to a folder under its own name is never doubled.
        if work.effect.doubt && !mailer.repeats_harmlessly() {
            let reason = "an earlier attempt may have been taken; it is not sent again".to_owned();
            return Ok(ActOutcome::MailInDoubt {
                message_id: id.as_str().to_owned(),
                reason,
            });
        }
        let earlier = earlier_mails(state);
        let earlier: Vec<_> = earlier.iter().filter_map(|id| id.parse().ok()).collect();
        let outgoing = OutgoingMail {
            message_id: id.clone(),
            in_reply_to: earlier.last().cloned(),
            references: earlier,
            mail: mail.clone(),
            date: self.now(),
        };
        match mailer.send(&outgoing).await {
            Ok(sent) => Ok(ActOutcome::Mailed {
                message_id: sent.message_id.as_str().to_owned(),
                refused: sent
                    .refused
                    .iter()
                    .map(|refused| format!("{}: {}", refused.address, refused.answer))
                    .collect(),
            }),
            Err(MailFailure::Permanent(why)) => Err(Trouble::Never(why)),
            Err(MailFailure::Transient(why)) => Err(Trouble::Later {
                at: self.now() + super::rest(work.effect.attempt),
                sent: crate::store::effects::Sent::No,
                why,
            }),
            Err(MailFailure::Doubt(reason)) => Ok(ActOutcome::MailInDoubt {
                message_id: id.as_str().to_owned(),
                reason,
            }),
        }
    }
}

/// The approval under which an act may still be carried out.
fn still_due<'a>(
    state: &'a State,
    phase: &PhaseId,
    source: &PhaseId,
    digest: &Digest,
    key: &ActKey,
) -> Option<&'a Approval> {
    let approval = state.phases.get(source)?.approval.as_ref()?;
    let next = state
        .next_act(phase)
        .is_some_and(|(next, of)| next == key && of == *digest);
    let going_on = state.is_open() && state.hold.is_none() && state.at(phase).status == PhaseStatus::Approved;
    (next && going_on && approval.digest == *digest).then_some(approval)
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
        reason: "one of the two issues was not opened".to_owned(),
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

impl Trouble {
    /// The sentence for a permission that the App itself lacks.
    pub(super) fn lacks(error: &GithubError) -> Option<Option<&str>> {
        match error {
            GithubError::Forbidden {
                reason: Refusal::MissingPermission { needed },
                ..
            } => Some(needed.as_deref()),
            _ => None,
        }
    }
}
