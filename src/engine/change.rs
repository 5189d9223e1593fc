//! From a verdict to one write: events, state, proposals, links, effects, and the end of what caused them.

use serde::{Deserialize, Serialize};

use super::repair::{self, Verification};
use super::{Engine, Pacing};
use crate::github::{CommentKind, CommentRef, Reaction, TopicKind};
use crate::store::change::Change;
use crate::store::effects::{
    LABELS, NOTIFY, NewEffect, Pace, Priority, cancel_planned, drop_labels, end_timers, no_act_under_way, timers_of,
};
use crate::store::repair::RECONCILE;
use crate::store::workflows::{OF_APPROVER, OF_CHECKS, OF_CHILDREN, Place, Stored};
use crate::store::{Statement, StoreError, Write};
use crate::workflow::apply::{apply, begin};
use crate::workflow::awaits::Awaits;
use crate::workflow::event::Event;
use crate::workflow::ids::{
    CommentId, Digest, EffectId, InstallationId, IssueNumber, PhaseId, RepositoryId, WorkflowId,
};
use crate::workflow::labels::Difference;
use crate::workflow::notification::Notification;
use crate::workflow::plan::{Intent, plan};
use crate::workflow::state::{State, SubjectKind, Timestamp};

/// What an effect does, as its row keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub(super) enum Payload {
    /// A reaction to a comment.
    React {
        comment: CommentId,
        kind: CommentKind,
        #[serde(default)]
        node_id: String,
        sign: Sign,
    },
    /// A comment that answers somebody.
    Reply {
        number: IssueNumber,
        #[serde(default)]
        on: TopicKind,
        /// In a discussion, the comment that is answered.
        #[serde(default)]
        to: Option<CommentRef>,
        to_line: Option<CommentId>,
        body: String,
    },
    /// A label is taken off again.
    RemoveLabel {
        number: IssueNumber,
        #[serde(default)]
        on: TopicKind,
        label: String,
    },
    /// One of the bot's own labels is created.
    MakeLabel {
        name: String,
        color: String,
        description: String,
    },
    /// One page of a proposal that does not fit the card.
    Page {
        phase: PhaseId,
        digest: Digest,
        page: usize,
    },
    /// A check run that says whether the configuration that a pull request proposes can be used.
    CheckConfiguration { number: IssueNumber, sha: String },
    /// A workflow is compared with GitHub: a timer that runs again and again.
    Reconcile { workflow: WorkflowId },
    /// What a write in doubt made is looked for once more: it may be there twice.
    Verify(Verification),
    /// Somebody outside of GitHub is told what happened to a workflow.
    Notify {
        /// The endpoint's name.
        endpoint: String,
        /// `owner/name` when it happened.
        repository: String,
        notification: Box<Notification>,
    },
    /// Labels are looked at once more: a write of them was in doubt, and may have arrived since.
    VerifyLabels { workflow: WorkflowId },
    /// Labels that mirror where a workflow stands and were found otherwise are set right.
    MendLabels { found: Difference },
    /// What is left of setting labels, in so many writes at most.
    Labels { left: usize },
    /// A step of a workflow.
    Step(Intent),
}

/// The three reactions that the bot gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sign {
    /// Seen.
    Seen,
    /// Done.
    Done,
    /// Not done; an answer says why.
    Refused,
}

impl Sign {
    pub(super) fn reaction(self) -> Reaction {
        match self {
            Self::Seen => Reaction::Eyes,
            Self::Done => Reaction::Rocket,
            Self::Refused => Reaction::MinusOne,
        }
    }
}

impl Payload {
    fn kind(&self) -> &'static str {
        match self {
            Self::React { .. } => "react",
            Self::Reply { .. } => "reply",
            Self::RemoveLabel { .. } => "remove_label",
            Self::MakeLabel { .. } => "make_label",
            Self::Page { .. } => "page",
            Self::CheckConfiguration { .. } => "check_configuration",
            Self::Reconcile { .. } => RECONCILE,
            Self::Verify(_) | Self::VerifyLabels { .. } => "verify",
            Self::MendLabels { .. } | Self::Labels { .. } => LABELS,
            Self::Notify { .. } => NOTIFY,
            Self::Step(intent) => match intent {
                Intent::RunAgent { .. } => "run_agent",
                Intent::Act { .. } => "act",
                Intent::StartChild { .. } => "start_child",
                Intent::TellChild { .. } => "tell_child",
                Intent::TellParent => "tell_parent",
                Intent::Card => "card",
                Intent::Labels => LABELS,
                Intent::Questions { .. } => "questions",
                Intent::CallPeople { .. } => "call_people",
                Intent::DismissCall { .. } => "dismiss_call",
                Intent::ExpireGate { .. } => "expire_gate",
                Intent::Tell { .. } => "tell",
                Intent::CancelPlanned => "cancel_planned",
                Intent::AskApprover { .. } => "ask_approver",
                Intent::ReadChecks { .. } => "read_checks",
                Intent::EndTimers { .. } => "end_timers",
            },
        }
    }

    fn pace(&self) -> Pace {
        match self {
            Self::React { .. }
            | Self::RemoveLabel { .. }
            | Self::MakeLabel { .. }
            | Self::MendLabels { .. }
            | Self::Labels { .. }
            | Self::Verify(_)
            | Self::VerifyLabels { .. }
            | Self::CheckConfiguration { .. } => Pace::Write,
            Self::Reconcile { .. } | Self::Notify { .. } => Pace::Free,
            Self::Reply { .. } | Self::Page { .. } => Pace::Notifies,
            Self::Step(intent) => match intent {
                Intent::RunAgent { .. }
                | Intent::AskApprover { .. }
                | Intent::ReadChecks { .. }
                | Intent::ExpireGate { .. }
                | Intent::EndTimers { .. }
                | Intent::StartChild { .. }
                | Intent::TellChild { .. }
                | Intent::TellParent
                | Intent::CancelPlanned => Pace::Free,
                Intent::Card | Intent::Labels | Intent::DismissCall { .. } => Pace::Write,
                Intent::Act { .. } | Intent::Questions { .. } | Intent::CallPeople { .. } | Intent::Tell { .. } => {
                    Pace::Notifies
                }
            },
        }
    }

    fn priority(&self) -> Priority {
        match self {
            Self::React { .. } | Self::Reply { .. } => Priority::Answer,
            Self::RemoveLabel { .. } | Self::Page { .. } | Self::Labels { .. } | Self::Step(_) => Priority::Step,
            Self::MakeLabel { .. }
            | Self::MendLabels { .. }
            | Self::CheckConfiguration { .. }
            | Self::Reconcile { .. }
            | Self::Verify(_)
            | Self::VerifyLabels { .. }
            | Self::Notify { .. } => Priority::Background,
        }
    }
}

/// Where effects that belong to no workflow act.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) installation: InstallationId,
    pub(super) repository: RepositoryId,
}

impl Engine {
    /// The statement that plans an answer on a subject. The lane of answers is apart from the workflow's: whoever asks
    /// is answered while the workflow's own writes wait.
    pub(super) fn answer(
        &self,
        spot: Spot,
        subject: IssueNumber,
        id: &str,
        payload: &Payload,
    ) -> Result<Statement, StoreError> {
        self.effect(
            EffectId::from(id),
            None,
            spot,
            format!("say:{}#{subject}", spot.repository),
            payload,
        )
    }

    /// The statement that plans something that has time.
    pub(super) fn background(&self, spot: Spot, id: &str, payload: &Payload) -> Result<Statement, StoreError> {
        self.effect(
            EffectId::from(id),
            None,
            spot,
            format!("background:{}", spot.repository),
            payload,
        )
    }

    pub(super) fn effect(
        &self,
        id: EffectId,
        workflow: Option<&WorkflowId>,
        spot: Spot,
        lane: String,
        payload: &Payload,
    ) -> Result<Statement, StoreError> {
        let now = self.now();
        let pace = match self.parts().pacing {
            Pacing::AsGithubAsks => payload.pace(),
            Pacing::Off => Pace::Free,
        };
        let run_at = match payload {
            Payload::Step(Intent::ExpireGate { at, .. } | Intent::ReadChecks { at, .. }) => *at,
            Payload::Reconcile { .. } => now + repair::EVERY,
            Payload::Verify(_) | Payload::VerifyLabels { .. } => now + repair::VERIFIED_AFTER,
            _ => now,
        };
        let effect = NewEffect {
            id,
            workflow: workflow.cloned(),
            installation: spot.installation,
            repository: spot.repository,
            lane,
            kind: payload.kind(),
            payload: serde_json::to_string(payload)?,
            priority: payload.priority(),
            pace,
            run_at,
            trace: crate::traces::here(),
        };
        Ok(effect.planned(now))
    }

    /// The statement that plans one of the workflow's own writes, apart from what its events ask for.
    pub(super) fn workflow_effect(
        &self,
        stored: &Stored,
        id: String,
        payload: &Payload,
    ) -> Result<Statement, StoreError> {
        let lane = lane_of(&stored.state, &id, payload);
        self.effect_in(stored, id, lane, payload)
    }

    /// The statement that has the card edited while an act, which is before it in the workflow's lane, waits.
    pub(super) fn card_beside_acts(&self, stored: &Stored, id: String) -> Result<Statement, StoreError> {
        let lane = format!("card:{}", stored.state.id);
        self.effect_in(stored, id, lane, &Payload::Step(Intent::Card))
    }

    fn effect_in(&self, stored: &Stored, id: String, lane: String, payload: &Payload) -> Result<Statement, StoreError> {
        let spot = Spot {
            installation: stored.installation,
            repository: stored.state.subject.repository,
        };
        self.effect(EffectId::from(id), Some(&stored.state.id), spot, lane, payload)
    }

    /// The write that keeps what happened to a workflow and plans what follows.
    pub(super) fn advance(
        &self,
        before: Result<&Stored, &Place>,
        events: &[Event],
        cause: &str,
    ) -> Result<(Write, State), StoreError> {
        let now = self.now();
        let after = after(before.ok().map(|stored| &stored.state), events, now)?;
        let waits_for = waits_for(&after);
        let change = Change {
            before,
            events,
            after: &after,
            waits_for: &waits_for,
            cause,
            now,
        };
        let mut write = change.statements()?;
        let spot = Spot {
            installation: before.map_or_else(|place| place.installation, |stored| stored.installation),
            repository: after.subject.repository,
        };
        if events.iter().any(|event| matches!(event, Event::Unapproved { .. })) {
            write.push(no_act_under_way(&after.id));
        }
        let earlier = before.ok().map(|stored| &stored.state);
        let intents = plan(earlier, &after, events, now);
        let repository = before.map_or_else(|place| &place.repository, |stored| &stored.repository);
        let told = self.notified((&after, events, &intents), (spot, repository))?;
        for (ordinal, intent) in intents.into_iter().enumerate() {
            if intent == Intent::CancelPlanned {
                write.push(cancel_planned(&after.id, now));
                continue;
            }
            if let Intent::EndTimers { phase } = &intent {
                write.push(end_timers(&after.id, phase, cause, now));
                continue;
            }
            if intent == Intent::Labels {
                // It looks at what should be so when its turn comes.
                write.push(drop_labels(&after.id, now));
            }
            let id = effect_id(&after, ordinal, &intent);
            let payload = Payload::Step(intent);
            let lane = lane_of(&after, &id, &payload);
            write.push(self.effect(EffectId::from(id), Some(&after.id), spot, lane, &payload)?);
        }
        write.append(told);
        Ok((write, after))
    }
}

/// Derived from the change that asks for it. An act's is the same however often it is planned, so that every attempt of
/// it bears the same marker and is found by the next.
fn effect_id(after: &State, ordinal: usize, intent: &Intent) -> String {
    match intent {
        Intent::Act { phase, digest, key, .. } => format!("{}:act:{phase}:{}:{key}", after.id, digest.short()),
        Intent::StartChild { child, .. } => format!("{}:child:{child}", after.id),
        // By its phase, so that it ends when the phase's gate closes.
        // The same however often it is planned for one proposal: an approver is asked once for each attempt.
        Intent::AskApprover { phase, digest, attempt } => {
            let made_at = after
                .at(phase)
                .pending
                .as_ref()
                .map(|pending| pending.made_at.timestamp_micros());
            let (timers, made_at) = (timers_of(&after.id, phase), made_at.unwrap_or_default());
            format!("{timers}{}:{made_at}:{attempt}", digest.short())
        }
        Intent::ExpireGate { phase, .. } | Intent::ReadChecks { phase, .. } => {
            format!("{}{}:{ordinal}", timers_of(&after.id, phase), after.version)
        }
        _ => format!("{}:{}:{ordinal}", after.id, after.version),
    }
}

/// A workflow's writes share one lane; an agent's run and a timer hold none up, and what parent and children say to one
/// another waits for no write to GitHub. Labels hold up nothing either, and are set one after the other on a subject, also
/// where one workflow follows another there.
fn lane_of(state: &State, id: &str, payload: &Payload) -> String {
    let workflow = &state.id;
    match payload {
        Payload::Step(Intent::Labels) | Payload::MendLabels { .. } | Payload::Labels { .. } => {
            format!("{LABELS}:{}#{}", state.subject.repository, state.subject.number)
        }
        Payload::Step(Intent::RunAgent { .. }) => format!("run:{workflow}"),
        Payload::Step(Intent::ExpireGate { .. } | Intent::ReadChecks { .. }) => format!("timer:{id}"),
        Payload::Step(Intent::AskApprover { .. }) => format!("approver:{id}"),
        Payload::Step(Intent::StartChild { .. } | Intent::TellChild { .. } | Intent::TellParent) => {
            format!("family:{workflow}")
        }
        _ => format!("workflow:{workflow}"),
    }
}

fn after(before: Option<&State>, events: &[Event], now: Timestamp) -> Result<State, StoreError> {
    let nothing = || StoreError::Broken("a change without events".to_owned());
    let (mut state, rest) = match before {
        Some(state) => (state.clone(), events),
        None => {
            let (first, rest) = events.split_first().ok_or_else(nothing)?;
            (begin(first, now).ok_or_else(nothing)?, rest)
        }
    };
    for event in rest {
        apply(&mut state, event, now);
    }
    Ok(state)
}

/// What an open workflow waits for, in a few words for lists; empty when it waits for no person.
pub(crate) fn waits_for(state: &State) -> String {
    // In a folder there is nobody but the operator, and a command has no slash.
    let of_folder = state.subject.kind == SubjectKind::Folder;
    let slash = if of_folder { "" } else { "/" };
    match state.awaits() {
        None => String::new(),
        Some(Awaits::Unhold) => {
            let by = state.hold.as_ref().and_then(|hold| hold.by.as_ref());
            format!("{slash}unhold (held by {})", by.map_or("the bot", |by| &by.login))
        }
        Some(Awaits::Checks { phase }) => format!("{OF_CHECKS}{phase}"),
        Some(Awaits::Approver { phase }) => format!("{OF_APPROVER}{phase}"),
        Some(Awaits::Edit { phase }) => format!("{slash}revise or an edit of {phase}, which its approver rejected"),
        Some(Awaits::Approval { phase, .. }) if of_folder => format!("approval of {phase}"),
        Some(Awaits::Approval { phase, right, .. }) => format!("approval of {phase} by somebody with {right}"),
        Some(Awaits::Answers { phase, questions }) => format!("answers for {phase} (open: {})", listed(&questions)),
        Some(Awaits::Answer { phases }) => format!("an answer for {}", listed(&phases)),
        Some(Awaits::Revision { phase }) if of_folder => format!("revise, retry or cancel of {phase}"),
        Some(Awaits::Revision { phase }) => format!("/revise or /cancel of {phase}"),
        Some(Awaits::Retry { phase }) => format!("{slash}retry or {slash}cancel of {phase}"),
        Some(Awaits::Children { phase, issues }) => {
            let issues: Vec<String> = issues.iter().map(|issue| format!("#{issue}")).collect();
            format!("{OF_CHILDREN}{phase} ({})", issues.join(", "))
        }
    }
}

fn listed<T: ToString>(things: &[T]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
