//! One workflow compared with GitHub, from its repository to the issues that it opened.

use super::EVERY;
use super::whereabouts::{Here, Whereabouts};
use crate::chat::say::replies as say;
use crate::engine::card::Found;
use crate::engine::change::Payload;
use crate::engine::effects::{CLOCKS_APART, Ended, Work};
use crate::engine::{Bot, Engine, Trouble};
use crate::github::{Account, AccountKind, GithubError, SubjectState, ThreadComment};
use crate::store::repositories::Repository;
use crate::store::workflows::{Card, Stored, forget_card, mark_card_stale, unlink_comment};
use crate::store::{StoreError, Write};
use crate::workflow::command::{Command, Report, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::ids::{Digest, IssueNumber, WorkflowId};
use crate::workflow::labels::Difference;
use crate::workflow::plan::Intent;
use crate::workflow::repair::{self, Fate, Repair};
use crate::workflow::state::PhaseStatus;

/// A card that was changed is restored when whoever changed it has had time to be told of: their edit is a delivery, too.
const QUIET: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

impl Engine {
    /// Compares an open workflow with what GitHub shows, and mends what differs.
    pub(in crate::engine) async fn reconcile(
        &self,
        work: &Work<'_>,
        known: &Repository,
        workflow: &WorkflowId,
    ) -> Result<Ended, Trouble> {
        const ENDED: Ended = Ended::Dropped("the workflow has ended");
        let Some(stored) = self.open(workflow).await? else {
            return Ok(ENDED);
        };
        let cause = work.effect.id.as_str();
        let here = match self.whereabouts(work, known, &stored).await? {
            Whereabouts::Here(here) => here,
            Whereabouts::Gone(why) => {
                crate::figures::repaired("gone");
                tracing::warn!(%workflow, %why, "a workflow has lost its subject, and nothing had told so");
                self.tell(cause, stored, &Report::SubjectGone { why }).await?;
                return Ok(Ended::Dropped("its subject is gone"));
            }
        };
        let bot = self.bot(here.installation).await?;
        // Its repository may be somewhere else than it knew.
        let Some(stored) = self.open(workflow).await? else {
            return Ok(ENDED);
        };
        self.hear_the_unheard(&here, &stored, bot).await?;
        let Some(stored) = self.open(workflow).await? else {
            return Ok(ENDED);
        };
        self.mend_card(&here, &stored, cause).await?;
        self.mend_labels(&here, &stored).await?;
        self.mend_comments(&here, &stored).await?;
        self.look_at_opened(&here, &stored, bot).await?;
        self.look_at_approvals(&here, &stored, cause).await?;
        Ok(Ended::Again { at: self.now() + EVERY })
    }

    async fn open(&self, workflow: &WorkflowId) -> Result<Option<Stored>, StoreError> {
        let stored = self.store().workflow(workflow).await?;
        Ok(stored.filter(|stored| stored.state.is_open()))
    }

    /// The card: one that is gone is posted anew, one that somebody changed is restored, and both are said.
    async fn mend_card(&self, here: &Here, stored: &Stored, cause: &str) -> Result<(), Trouble> {
        let state = &stored.state;
        if self.store().card_is_due(&state.id).await? {
            return Ok(());
        }
        let Some(card) = self.store().card(&state.id).await? else {
            let id = format!("{}:card:{}", state.id, state.version);
            let again = self.workflow_effect(stored, id, &Payload::Step(Intent::Card))?;
            self.store().write(Write::of(again)).await?;
            return Ok(());
        };
        let topic = here.subject.topic();
        let at = topic.comment(card.comment, &card.node_id);
        let found = here.repo.thread(topic).comment(&at).await;
        let Some(found) = found.map_err(|error| self.trouble(&error, 1))? else {
            crate::figures::repaired("card");
            let mut forget = Write::of(forget_card(&state.id));
            forget.push(unlink_comment(state, card.comment));
            let repair = Repair::CardGone { comment: card.comment };
            return self.keep_repair(stored, repair, forget, cause).await;
        };
        // A delivery that is on its way again may tell by whom.
        let missed = self.store().missed_count().await?;
        if found.updated_at > self.now() - QUIET || missed.waiting > missed.late {
            return Ok(());
        }
        self.mend_changed_card(here, stored, &card, &found, cause).await
    }

    /// The labels that mirror where it stands: those that differ are set right by an effect, which tells the history of it
    /// once that is done.
    async fn mend_labels(&self, here: &Here, stored: &Stored) -> Result<(), Trouble> {
        let state = &stored.state;
        let amiss = |labels: &[String]| Difference::of(state, labels, std::iter::empty());
        // What was read before may have been set right since.
        if amiss(&here.subject.labels).is_empty() || self.store().labels_are_due(&state.id).await? {
            return Ok(());
        }
        let subject = here.repo.thread(here.subject.topic()).subject().await;
        let subject = subject.map_err(|error| self.trouble(&error, 1))?;
        let found = amiss(&subject.labels);
        if found.is_empty() {
            return Ok(());
        }
        tracing::warn!(workflow = %state.id, ?found, "labels that mirror where a workflow stands were found otherwise");
        let id = format!("{}:labels:{}", state.id, self.now().timestamp_micros());
        let mend = self.workflow_effect(stored, id, &Payload::MendLabels { found })?;
        self.store().write(Write::of(mend)).await?;
        Ok(())
    }

    async fn mend_changed_card(
        &self,
        here: &Here,
        stored: &Stored,
        card: &Card,
        found: &ThreadComment,
        cause: &str,
    ) -> Result<(), Trouble> {
        let state = &stored.state;
        let current = state.open_gate().map(|(_, _, pending)| pending.digest);
        let seen = Digest::of(&(&found.body, found.updated_at)).short();
        let (body, repair) = match self.compare_card(&here.repo, stored, found, card).await {
            Found::Intact | Found::Gone if !card.stale => return Ok(()),
            Found::Intact | Found::Gone | Found::Ours(_) => (None, None),
            Found::BoxesDiffer => (Some(say::ticks_unheard(current.as_ref())), None),
            Found::Changed(before, after, by) => {
                let said = say::card_restored(&say::Tampered {
                    before: &before,
                    after: &after,
                    editor: by.as_deref(),
                    current: current.as_ref(),
                });
                let (comment, at) = (card.comment, found.updated_at);
                (Some(said), Some(Repair::CardChanged { comment, by, at }))
            }
        };
        crate::figures::repaired("card");
        let mut restore = Write::of(mark_card_stale(&state.id));
        if let Some(body) = body {
            restore.push(self.said_on(stored, &format!("card:{}:{seen}", state.id), body)?);
        }
        match repair {
            // The card is planned with the event.
            Some(repair) => self.keep_repair(stored, repair, restore, cause).await,
            None => {
                let id = format!("{}:card:{seen}", state.id);
                restore.push(self.workflow_effect(stored, id, &Payload::Step(Intent::Card))?);
                self.store().write(restore).await?;
                Ok(())
            }
        }
    }

    /// Keeps a repair in the history, in one transaction with what mends it. If the workflow moved meanwhile nothing is
    /// kept, and the next comparison sees how it is then.
    async fn keep_repair(&self, stored: &Stored, repair: Repair, with: Write, cause: &str) -> Result<(), Trouble> {
        let command = Command::System(Report::Repaired(repair));
        let Verdict::Events(events) = decide(Some(&stored.state), &command, Facts::default(), self.now()) else {
            return Ok(());
        };
        let (mut write, _) = self.advance(Ok(stored), &events, cause)?;
        write.append(with);
        match self.store().write(write).await {
            Ok(_) | Err(StoreError::Missed { .. } | StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The issues that the workflow opened: what became of each is kept in the history, and what is gone is said.
    async fn look_at_opened(&self, here: &Here, stored: &Stored, bot: &Bot) -> Result<(), Trouble> {
        let state = &stored.state;
        let opened: Vec<IssueNumber> = repair::opened(state).collect();
        if opened.is_empty() {
            return Ok(());
        }
        let since = state.started_at - CLOCKS_APART;
        let trouble = |error: GithubError| self.trouble(&error, 1);
        // One list in place of a question for each.
        let listed = here
            .repo
            .issues_by(&bot.login, since, usize::MAX)
            .await
            .map_err(trouble)?;
        let mut fates = Vec::new();
        for number in opened {
            let fate = match listed.items.iter().find(|issue| issue.number == number) {
                Some(issue) if issue.state == SubjectState::Closed => Fate::Closed,
                Some(_) => Fate::Open,
                None => match here.repo.issue(number).await {
                    Ok(issue) => match issue.repository {
                        Some(name) if !name.eq_ignore_ascii_case(&here.repository.full_name()) => Fate::Transferred,
                        _ if issue.state == SubjectState::Closed => Fate::Closed,
                        _ => Fate::Open,
                    },
                    Err(GithubError::NotFound(_) | GithubError::Gone(_)) => Fate::Deleted,
                    Err(error) => return Err(trouble(error)),
                },
            };
            if fate != repair::fate(state, number) {
                fates.push((number, fate));
            }
        }
        if fates.is_empty() {
            return Ok(());
        }
        crate::figures::repaired("opened issue");
        let gone: Vec<(IssueNumber, Fate)> = fates
            .iter()
            .copied()
            .filter(|(_, fate)| matches!(fate, Fate::Deleted | Fate::Transferred))
            .collect();
        let mut said = Write::new();
        if !gone.is_empty() {
            let id = format!("gone:{}:{}", state.id, Digest::of(&gone).short());
            said.push(self.said_on(stored, &id, say::opened_gone(&gone))?);
        }
        let cause = format!("{}:opened", state.id);
        self.keep_repair(stored, Repair::Opened { fates }, said, &cause).await
    }

    /// Approvals that wait, for more of them or for what they approved to be done: those that do not count any more are
    /// lost aloud. What cannot be checked now is neither.
    async fn look_at_approvals(&self, here: &Here, stored: &Stored, cause: &str) -> Result<(), Trouble> {
        let state = &stored.state;
        if let Some((_, gate, _)) = state.open_gate() {
            for (phase, of) in repair::pending_votes(state) {
                let account = Account {
                    id: of.id,
                    login: of.login.clone(),
                    kind: AccountKind::User,
                };
                let right = match self.right_of(&here.repo, &account).await {
                    Ok(right) if right < gate.right => right,
                    Ok(_) | Err(_) => continue,
                };
                crate::figures::repaired("approval");
                let report = Report::VoteLost {
                    phase: phase.clone(),
                    of: of.clone(),
                    why: say::right_withdrawn(gate.right, right),
                };
                self.tell(cause, stored.clone(), &report).await?;
            }
        }
        for phase in &state.definition.phases {
            let Some(source) = &phase.executes else { continue };
            let approved = state.at(source).approval.as_ref();
            let (Some((_, digest)), Some(approved)) = (state.next_act(&phase.id), approved) else {
                continue;
            };
            let waits = state.at(&phase.id).status == PhaseStatus::Approved && approved.digest == digest;
            if !waits {
                continue;
            }
            if let Ok(Some(why)) = self.approval_lost(&here.repo, state, source, digest).await {
                crate::figures::repaired("approval");
                let report = Report::ApprovalLost {
                    phase: source.clone(),
                    digest,
                    why,
                };
                self.tell(cause, stored.clone(), &report).await?;
            }
        }
        Ok(())
    }
}
