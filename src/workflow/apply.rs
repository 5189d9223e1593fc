//! The fold: total, and for every event version ever written.

use std::sync::Arc;

use super::artifact::{ReviewVerdict, Stage};
use super::definition::Phase;
use super::event::{Event, HoldCause};
use super::ids::{Digest, PhaseId, UserId};
use super::judging::Decision;
use super::repair::Repair;
use super::state::{
    Entry, FoldVersion, Hold, Maker, Pending, PhaseState, PhaseStatus, State, Status, Timestamp, What, Why,
};

/// The state after the first event.
///
/// Returns `None` unless the event is [`Event::Started`]: a history begins with nothing else.
pub fn begin(event: &Event, at: Timestamp) -> Option<State> {
    let Event::Started {
        workflow,
        definition,
        subject,
        by,
        surface,
        said_at,
        given,
        parent,
    } = event
    else {
        return None;
    };
    let blocked = PhaseState {
        status: PhaseStatus::Blocked,
        since: at,
        iteration: 0,
        attempt: 0,
        pending: None,
        void: Vec::new(),
        approval: None,
        votes: Vec::new(),
        steer: Vec::new(),
        outcomes: Default::default(),
        why: None,
        ending: None,
        reminders: 0,
        prompt: None,
        output: None,
        rounds: None,
        verdict: None,
        rejections: 0,
        called: false,
        questions: Vec::new(),
        children: Default::default(),
        guidelines: None,
    };
    Some(State {
        id: workflow.clone(),
        fold: FoldVersion::CURRENT,
        version: 1,
        definition: Arc::clone(definition),
        subject: subject.clone(),
        starter: by.clone(),
        started_at: at,
        heard_at: *said_at,
        given: given.clone(),
        parent: parent.clone(),
        guidelines: None,
        status: Status::Open,
        hold: None,
        phases: definition
            .phases
            .iter()
            .map(|phase| (phase.id.clone(), blocked.clone()))
            .collect(),
        fates: Default::default(),
        record: vec![Entry {
            at,
            by: Some(by.clone()),
            what: What::Started(surface.clone()),
            overrode: None,
            surface: None,
        }],
    })
}

/// Folds a whole history; `None` when it does not begin with [`Event::Started`].
pub fn fold<'a>(history: impl IntoIterator<Item = (&'a Event, Timestamp)>) -> Option<State> {
    let mut history = history.into_iter();
    let (first, at) = history.next()?;
    let mut state = begin(first, at)?;
    for (event, at) in history {
        apply(&mut state, event, at);
    }
    Some(state)
}

/// The state after one more event. An event about a phase that does not exist changes nothing but the version.
pub fn apply(state: &mut State, event: &Event, at: Timestamp) {
    state.version += 1;
    if let Some(what) = entry(event) {
        state.record.push(Entry {
            at,
            by: event.actor().cloned(),
            what,
            overrode: overrode(state, event),
            surface: match event {
                Event::Approved { .. } | Event::Voted { .. } => None,
                _ => event.surface().cloned(),
            },
        });
    }
    if let Event::Revised { said_at, .. } | Event::Retried { said_at, .. } = event {
        state.heard_at = *said_at;
    }
    if let Some(guidelines) = event.guidelines() {
        state.guidelines = Some(guidelines.clone());
    }
    match event {
        Event::Held { by, reason, cause, .. } => {
            let own = state.hold.take().map(Box::new);
            state.hold = Some(Hold {
                by: by.clone(),
                reason: reason.clone(),
                since: at,
                cause: *cause,
                own: own.filter(|_| *cause == HoldCause::Parent),
            });
        }
        Event::Unheld { .. } => state.hold = state.hold.take().and_then(|hold| hold.own).map(|own| *own),
        Event::Cancelled { by, reason, .. } => {
            state.status = Status::Cancelled {
                by: by.clone(),
                reason: reason.clone(),
            };
        }
        Event::Completed => state.status = Status::Completed,
        Event::Repaired {
            repair: Repair::Opened { fates },
        } => state.fates.extend(fates.iter().copied()),
        Event::Forked { proposals, .. } => super::fork::reopen(state, proposals, at),
        Event::SentBack { phase, to } => send_back(state, phase, to, at),
        Event::Escalated { phase, to } => {
            // Nobody approved it: it is not what the phases behind it are given.
            if let Some(at) = state.phases.get_mut(phase) {
                at.retire_pending();
            }
            send_back(state, phase, to, at);
        }
        _ => apply_to_phase(state, event, at),
    }
}

/// Every phase between the two will run again in its next iteration. What they proposed stays on record, and what they
/// completed stays at hand for those that are run again.
fn send_back(state: &mut State, from: &PhaseId, to: &PhaseId, at: Timestamp) {
    let between: Vec<PhaseId> = state.definition.between(to, from).into_iter().cloned().collect();
    for id in &between {
        let Some(phase) = state.phases.get_mut(id) else {
            continue;
        };
        if let Some(pending) = phase.pending.take() {
            phase.output = Some(pending.digest);
        }
        phase.votes.clear();
        phase.approval = None;
        phase.ending = None;
        phase.why = None;
        phase.enter(PhaseStatus::Blocked, at);
    }
    if let Some(phase) = state.phases.get_mut(to) {
        phase.called = true;
    }
}

fn apply_to_phase(state: &mut State, event: &Event, at: Timestamp) {
    let Some(id) = phase_of(event) else { return };
    if matches!(event, Event::PhaseStarted { .. } | Event::Proposed { .. }) {
        state.void_comparison_of(id, at);
    }
    let chosen = chosen_output(state, id);
    // Undoing an approval sends the phases that were to carry it out back to waiting.
    let reopened = matches!(event, Event::Unapproved { .. } | Event::ApprovalLost { .. });
    let executors: Vec<PhaseId> = if reopened {
        state.executors_of(id).cloned().collect()
    } else {
        Vec::new()
    };
    for executor in executors.iter().filter(|executor| *executor != id) {
        if let Some(phase) = state.phases.get_mut(executor) {
            phase.why = None;
            phase.enter(PhaseStatus::Blocked, at);
        }
    }
    let defined = state.definition.phase(id);
    let retries = defined.map_or(0, |phase| phase.limits.retries);
    let asks = defined.is_some_and(|phase| phase.asks);
    let varies = defined.is_some_and(|phase| phase.variant.is_some());
    let revises = defined.is_some_and(|phase| phase.revises(id));
    let makes_files = defined.is_some_and(Phase::makes_files);
    if matches!(event, Event::PhaseCompleted { .. }) && makes_files && !revises {
        state.void_revisions_of(id);
    }
    let Some(phase) = state.phases.get_mut(id) else { return };
    if let Some(guidelines) = event.guidelines() {
        phase.guidelines = Some(guidelines.clone());
    }
    match event {
        Event::PhaseStarted { iteration, attempt, .. } => {
            // Its approver said no, and it is tried again.
            if phase.status == PhaseStatus::ReadyForReview {
                phase.retire_pending();
            }
            if phase.iteration != *iteration {
                phase.prompt = None;
                phase.verdict = None;
                phase.rejections = 0;
                if asks {
                    // The questions of the last round are settled, and a person may answer for the agent again.
                    phase.pending = None;
                }
            }
            if varies {
                // What it made before is on record; it is not what will be compared.
                phase.retire_pending();
                phase.output = None;
            }
            phase.iteration = *iteration;
            phase.attempt = *attempt;
            phase.why = None;
            phase.guidelines = None;
            phase.enter(PhaseStatus::Running, at);
        }
        Event::ChildrenStarted {
            iteration,
            attempt,
            children,
            ..
        } => {
            if phase.iteration != *iteration {
                phase.children.clear();
            }
            phase.children.extend(children.clone());
            phase.iteration = *iteration;
            phase.attempt = *attempt;
            phase.why = None;
            phase.enter(PhaseStatus::Running, at);
        }
        Event::ChildChanged {
            key, child, standing, ..
        } => {
            if let Some(known) = phase.children.get_mut(key).filter(|known| known.workflow == *child) {
                known.standing = standing.clone();
            }
        }
        Event::ActsStarted { .. } => {
            phase.iteration = phase.iteration.max(1);
            phase.why = None;
            phase.enter(PhaseStatus::Approved, at);
        }
        Event::Proposed {
            digest,
            acts,
            by,
            stage,
            verdict,
            ..
        } => {
            phase.retire_pending();
            phase.void.retain(|void| void != digest);
            phase.pending = Some(Pending {
                digest: *digest,
                by: by.clone(),
                made_at: at,
                shown_at: None,
                acts: acts.clone(),
                stage: *stage,
                verdict: *verdict,
                judged: Default::default(),
            });
            phase.why = None;
            phase.reminders = 0;
            phase.enter(
                match stage {
                    Stage::Prompt => PhaseStatus::Draft,
                    Stage::Response => PhaseStatus::ReadyForReview,
                },
                at,
            );
        }
        Event::Asked { digest, questions, .. } => {
            phase.ask(*digest, *questions);
            phase.why = Some(Why::Questions);
            phase.enter(PhaseStatus::WaitingForHuman, at);
        }
        Event::Answered { question, text, by, .. } => phase.answered(*question, text, by, at),
        Event::Skipped { by, reason, .. } => phase.skipped(by, reason, at),
        Event::Shown { digest, at, .. } => {
            if let Some(pending) = phase.pending.as_mut().filter(|pending| pending.digest == *digest) {
                pending.shown_at = Some(*at);
            }
        }
        Event::Voted { approval, .. } => {
            phase.drop_vote(approval.by.id);
            phase.votes.push(approval.clone());
        }
        Event::VoteWithdrawn { of, .. } | Event::VoteLost { of, .. } => phase.drop_vote(of.id),
        Event::Approved { approval, .. } if phase.status == PhaseStatus::Draft => {
            phase.prompt = Some(approval.digest);
            phase.prompt_taken(at);
        }
        Event::Passed { digest, .. } if phase.status == PhaseStatus::Draft => {
            phase.prompt = Some(*digest);
            phase.prompt_taken(at);
        }
        Event::Passed { .. } => {
            phase.verdict = phase.pending.as_ref().and_then(|pending| pending.verdict);
            phase.enter(PhaseStatus::Approved, at);
        }
        Event::ApproverAsked { attempt, .. } => {
            let Some(pending) = &mut phase.pending else { return };
            pending.judged.asked = *attempt;
            pending.judged.ruling = None;
            let gate = pending.stage.gate();
            phase.why = None;
            if phase.status != gate {
                phase.enter(gate, at);
            }
        }
        Event::Ruled { ruling, .. } => {
            let Some(pending) = &mut phase.pending else { return };
            let (decision, stage) = (ruling.decision, pending.stage);
            pending.judged.ruling = Some(ruling.clone());
            if decision == Decision::Rejected {
                phase.rejections += 1;
                if stage == Stage::Response {
                    phase.steer.push(ruling.feedback.clone());
                }
            }
        }
        Event::Checked { reading, .. } => {
            let Some(pending) = &mut phase.pending else { return };
            let before = pending.judged.reading.as_ref().map(|reading| &reading.head);
            let pushed = before.is_some_and(|before| *before != reading.head);
            pending.judged.readings += 1;
            pending.judged.reading = Some(reading.clone());
            // Whoever approved before the push approved beside another head.
            if pushed {
                phase.votes.clear();
            }
        }
        Event::Approved {
            approval,
            verdict,
            uncounted,
            ..
        } => {
            phase.drop_vote(approval.by.id);
            phase.votes.retain(|vote| !uncounted.contains(&vote.by.id));
            phase.verdict = verdict.or(phase.pending.as_ref().and_then(|pending| pending.verdict));
            phase.approval = Some(approval.clone());
            phase.enter(PhaseStatus::Approved, at);
        }
        Event::Unapproved { .. } | Event::ApprovalLost { .. } => {
            phase.close_gate(event);
            phase.ending = None;
            phase.why = None;
            phase.reminders = 0;
            phase.enter(PhaseStatus::ReadyForReview, at);
        }
        Event::Rejected { by, reason, .. } => {
            phase.retire_pending();
            // Before there were such limits a reason was on record only, and those histories fold as they did.
            if by.is_some() && retries > 0 {
                phase.steer.push(reason.clone());
            }
            phase.rejections += 1;
            phase.enter(PhaseStatus::Rejected, at);
        }
        Event::Revised { text, .. } => {
            phase.retire_pending();
            phase.steer.push(text.clone());
        }
        Event::WaitsForHuman { why, .. } => {
            phase.why = Some(why.clone());
            phase.enter(PhaseStatus::WaitingForHuman, at);
        }
        Event::Failed { why, .. } => {
            phase.why = Some(why.clone());
            phase.enter(PhaseStatus::Error, at);
        }
        Event::ActEnded { key, outcome, .. } => {
            phase.outcomes.insert(key.clone(), outcome.clone());
        }
        Event::PhaseCompleted { ending, .. } => {
            phase.ending = Some(ending.clone());
            phase.output = chosen.or(phase.pending.as_ref().map(|pending| pending.digest));
            if let Some(made) = phase.output.filter(|_| revises) {
                phase.rounds.get_or_insert_default().insert(phase.iteration, made);
            }
            phase.enter(PhaseStatus::Completed, at);
        }
        Event::Reminded { .. } => phase.reminders += 1,
        Event::SentBack { .. }
        | Event::Escalated { .. }
        | Event::Retried { .. }
        | Event::Started { .. }
        | Event::Held { .. }
        | Event::Unheld { .. }
        | Event::Cancelled { .. }
        | Event::Completed
        | Event::Repaired { .. }
        | Event::DuplicateRepaired { .. }
        | Event::Forked { .. } => {}
    }
}

impl State {
    /// Files were made anew: what revised the former ones lies over nothing.
    fn void_revisions_of(&mut self, phase: &PhaseId) {
        let definition = Arc::clone(&self.definition);
        for revising in definition.phases.iter().filter(|other| other.revises(phase)) {
            let at = self.phases.get_mut(&revising.id);
            if let Some(rounds) = at.and_then(|at| at.rounds.as_mut()) {
                rounds.clear();
            }
        }
    }
}

/// What the variant made that was chosen at a phase.
fn chosen_output(state: &State, phase: &PhaseId) -> Option<Digest> {
    let letter = state.phases.get(phase).and_then(|_| state.chosen(phase))?;
    let choices = state.choices(phase);
    choices
        .iter()
        .find(|(choice, _)| *choice == letter)
        .map(|(_, made)| *made)
}

impl PhaseState {
    pub(super) fn enter(&mut self, status: PhaseStatus, at: Timestamp) {
        self.status = status;
        self.since = at;
    }

    /// A prompt that was let through is used up: what comes back has a gate of its own.
    fn prompt_taken(&mut self, at: Timestamp) {
        self.pending = None;
        self.votes.clear();
        self.reminders = 0;
        self.rejections = 0;
        self.enter(PhaseStatus::Running, at);
    }

    fn drop_vote(&mut self, of: UserId) {
        self.votes.retain(|vote| vote.by.id != of);
    }

    /// Takes away what opened a gate. An approval that was taken back leaves the others' standing; one that was lost
    /// takes all with it, because what they rested on was not so.
    fn close_gate(&mut self, event: &Event) {
        let opened = self.approval.take();
        match event {
            Event::Unapproved { of: Some(of), .. } => {
                self.votes.extend(opened);
                self.drop_vote(of.id);
            }
            Event::Unapproved { of: None, .. } => {}
            _ => self.votes.clear(),
        }
    }

    pub(super) fn retire_pending(&mut self) {
        self.votes.clear();
        if let Some(pending) = self.pending.take()
            && !self.void.contains(&pending.digest)
        {
            self.void.push(pending.digest);
        }
    }
}

fn phase_of(event: &Event) -> Option<&PhaseId> {
    match event {
        Event::PhaseStarted { phase, .. }
        | Event::ChildrenStarted { phase, .. }
        | Event::ChildChanged { phase, .. }
        | Event::ActsStarted { phase }
        | Event::Proposed { phase, .. }
        | Event::Asked { phase, .. }
        | Event::Answered { phase, .. }
        | Event::Skipped { phase, .. }
        | Event::Shown { phase, .. }
        | Event::Voted { phase, .. }
        | Event::VoteWithdrawn { phase, .. }
        | Event::VoteLost { phase, .. }
        | Event::Approved { phase, .. }
        | Event::SentBack { phase, .. }
        | Event::Escalated { phase, .. }
        | Event::ApproverAsked { phase, .. }
        | Event::Ruled { phase, .. }
        | Event::Checked { phase, .. }
        | Event::Passed { phase, .. }
        | Event::Unapproved { phase, .. }
        | Event::ApprovalLost { phase, .. }
        | Event::Rejected { phase, .. }
        | Event::Revised { phase, .. }
        | Event::WaitsForHuman { phase, .. }
        | Event::Failed { phase, .. }
        | Event::Retried { phase, .. }
        | Event::ActEnded { phase, .. }
        | Event::PhaseCompleted { phase, .. }
        | Event::Reminded { phase } => Some(phase),
        Event::Started { .. }
        | Event::Held { .. }
        | Event::Unheld { .. }
        | Event::Cancelled { .. }
        | Event::Completed
        | Event::Repaired { .. }
        | Event::DuplicateRepaired { .. }
        | Event::Forked { .. } => None,
    }
}

/// The verdict of an approval that is not the one of what it approves.
fn overrode(state: &State, event: &Event) -> Option<ReviewVerdict> {
    let Event::Approved { phase, verdict, .. } = event else {
        return None;
    };
    let own = state.phases.get(phase)?.pending.as_ref()?.verdict;
    verdict.filter(|verdict| Some(*verdict) != own)
}

/// The line that an event adds to the record.
fn entry(event: &Event) -> Option<What> {
    Some(match event {
        Event::Voted { phase, approval } if let Some(letter) = approval.choice => {
            What::ChoseToo(phase.clone(), letter, approval.digest, approval.surface.clone())
        }
        Event::Approved { phase, approval, .. } if let Some(letter) = approval.choice => {
            What::Chose(phase.clone(), letter, approval.digest, approval.surface.clone())
        }
        Event::Voted { phase, approval } => What::Voted(phase.clone(), approval.digest, approval.surface.clone()),
        Event::Answered {
            phase, question, text, ..
        } => What::Answered(phase.clone(), *question, text.clone()),
        Event::Skipped { phase, reason, .. } => What::Skipped(phase.clone(), reason.clone()),
        Event::VoteWithdrawn { phase, of, .. } => What::VoteWithdrawn(phase.clone(), of.clone()),
        Event::VoteLost { phase, of, reason } => What::VoteLost(phase.clone(), of.clone(), reason.clone()),
        Event::Repaired { repair } => What::Repaired(repair.clone()),
        Event::DuplicateRepaired {
            duplicate,
            kept,
            removed,
        } => What::DuplicateRepaired(*duplicate, *kept, removed.clone()),
        Event::SentBack { phase, to } => What::SentBack(phase.clone(), to.clone()),
        Event::Escalated { phase, to } => What::Escalated(phase.clone(), to.clone()),
        Event::Ruled { phase, ruling } => What::Ruled(
            phase.clone(),
            ruling.decision,
            ruling.by.clone(),
            ruling.feedback.clone(),
        ),
        Event::Approved { phase, approval, .. } => {
            What::Approved(phase.clone(), approval.digest, approval.surface.clone())
        }
        Event::Unapproved { phase, .. } => What::Unapproved(phase.clone()),
        Event::ApprovalLost { phase, reason } => What::ApprovalLost(phase.clone(), reason.clone()),
        Event::Rejected {
            phase,
            by: Some(_),
            reason,
            ..
        } => What::Rejected(phase.clone(), reason.clone()),
        Event::Rejected { phase, by: None, .. } => What::Expired(phase.clone()),
        Event::Revised { phase, text, .. } => What::Revised(phase.clone(), text.clone()),
        Event::Proposed {
            phase,
            digest,
            by: Maker::Person(_),
            change,
            ..
        } => match change {
            Some(change) => What::Amended(phase.clone(), change.clone(), *digest),
            None => What::Responded(phase.clone(), *digest),
        },
        Event::Held { reason, .. } => What::Held(reason.clone()),
        Event::Unheld { .. } => What::Unheld,
        Event::Retried { phase, .. } => What::Retried(phase.clone()),
        Event::Cancelled { reason, .. } => What::Cancelled(reason.clone()),
        Event::Forked { origin, after, .. } => What::Forked(origin.clone(), *after),
        _ => return None,
    })
}
