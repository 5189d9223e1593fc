//! What happens at an open gate: approvals, their withdrawal, rejections, and the time that runs out.

use chrono::TimeDelta;

use super::rounds::next_iteration;
use super::{Decision, Facts, SETTLED, UNAPPROVE_OTHERS, choice};
use crate::workflow::approval::{self, Live, Outcome};
use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::command::{Authority, Named, Refusal};
use crate::workflow::definition::OnExpiry;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::right::{Person, Requirement};
use crate::workflow::state::{Approval, PhaseStatus, State, Timestamp};
use crate::workflow::variants::Letter;

/// The open gate, unless part of what it shows was carried out already.
pub(super) fn gate_untouched(state: &State) -> Result<(&PhaseId, Digest), Refusal> {
    let (phase, _, pending) = state.open_gate().ok_or_else(|| no_open_gate(state))?;
    if partly_done(state, phase) {
        return Err(Refusal::PartlyDone);
    }
    Ok((phase, pending.digest))
}

/// Whether any act of what a phase proposed was carried out. Such a proposal is not changed or rejected any more: the
/// acts of another would be taken for these.
pub fn partly_done(state: &State, phase: &PhaseId) -> bool {
    state
        .executors_of(phase)
        .any(|executor| !state.at(executor).outcomes.is_empty())
}

/// Whether a phase's approval still opens something: acts of it are left to be carried out, or to be tried again.
pub(super) fn still_counts(state: &State, phase: &PhaseId) -> bool {
    state
        .executors_of(phase)
        .any(|executor| matches!(state.at(executor).status, PhaseStatus::Approved | PhaseStatus::Error))
}

/// Whether what somebody typed names this digest: at least the digits that a card shows, in either case.
fn names(given: &str, digest: &Digest) -> bool {
    given.len() >= Digest::SHORT && digest.to_string().starts_with(&given.to_ascii_lowercase())
}

/// The refusal when no gate is open: it says where the workflow stands instead.
pub fn no_open_gate(state: &State) -> Refusal {
    let at = state.first_at(&[
        PhaseStatus::Running,
        PhaseStatus::WaitingForHuman,
        PhaseStatus::Approved,
        PhaseStatus::Rejected,
        PhaseStatus::Error,
    ]);
    Refusal::NoOpenGate(at.map(|phase| (phase.clone(), state.at(phase).status)))
}

/// What an approval says.
pub(super) struct Word<'a> {
    /// Which digest it means.
    pub(super) named: &'a Named,
    /// What the person added.
    pub(super) reason: Option<&'a str>,
    /// The variant that it chooses.
    pub(super) choice: Option<Letter>,
}

pub(super) fn approve(
    state: &State,
    authority: &Authority,
    word: &Word<'_>,
    facts: Facts<'_>,
    now: Timestamp,
) -> Decision {
    let Word { named, reason, choice } = *word;
    choice::awaited(state, choice)?;
    let (phase, gate, pending) = state.open_gate().ok_or_else(|| no_open_gate(state))?;
    if authority.right < gate.right {
        let needs = Requirement::at_least(gate.right);
        return Err(Refusal::NotAllowed {
            needs,
            has: authority.right,
        });
    }
    choice::among(state, (phase, pending), choice)?;
    let current = pending.digest;
    if let Named::Prefix(given) = named
        && !names(given, &current)
    {
        let void = state.at(phase).void.iter().any(|void| names(given, void));
        return Err(Refusal::WrongDigest {
            given: given.clone(),
            current,
            void,
            choice,
        });
    }
    let Some(shown_at) = pending.shown_at else {
        return Err(Refusal::NotShownYet);
    };
    if let Named::OnTheCard(said_at) = named
        && *said_at - shown_at < SETTLED
    {
        return Err(Refusal::ChangedJustNow { current, choice });
    }
    let approval = Approval {
        by: authority.person.clone(),
        right: authority.right,
        surface: authority.surface.clone(),
        digest: current,
        at: now,
        reason: reason.map(Into::into),
        choice,
    };
    let live = with_the_asker(facts.live, authority);
    let (whole, _) = state.gate_at(phase).ok_or_else(|| no_open_gate(state))?;
    let tree = approval::evaluate_gate(
        whole,
        &approval::Facts::of(state, phase, &live).with(&approval),
        current,
    );
    if tree.is_blocked() {
        return Err(Refusal::GateSaysNo { tree: Box::new(tree) });
    }
    if let Some(why) = tree.unread_checks() {
        return Err(Refusal::CouldNotCheck { why: why.to_owned() });
    }
    let phase = phase.clone();
    match (tree.outcome, tree.vote_of(authority.person.id)) {
        (Outcome::Yes, _) => Ok(vec![Event::Approved {
            phase,
            approval,
            verdict: None,
            uncounted: tree.uncounted(),
        }]),
        (_, Some((Outcome::No, _))) => Err(Refusal::DoesNotCount {
            by: authority.person.clone(),
            tree: Box::new(tree),
        }),
        (Outcome::No, Some((Outcome::Yes, _))) => {
            let before = state
                .at(&phase)
                .votes
                .iter()
                .any(|vote| vote.by.id == authority.person.id && vote.choice == choice);
            match before {
                true => Err(Refusal::VotedBefore { tree: Box::new(tree) }),
                false => Ok(vec![Event::Voted { phase, approval }]),
            }
        }
        _ => Err(Refusal::CouldNotCheck {
            why: tree.unchecked().unwrap_or("GitHub did not answer").to_owned(),
        }),
    }
}

/// What is known of those who approved, with whoever asks now: their right was asked of GitHub for this very command.
fn with_the_asker(live: Option<&Live>, authority: &Authority) -> Live {
    let mut live = live.cloned().unwrap_or_default();
    live.people
        .entry(authority.person.id)
        .or_insert_with(|| approval::Standing {
            kind: approval::Kind::Human,
            login: authority.person.login.clone(),
            right: approval::Fact::Known(authority.right),
            teams: Default::default(),
        });
    live
}

/// An approval with the verdict that its giver wants to hold, and with what follows if it goes back.
pub(super) fn overridden(
    state: &State,
    by: &Person,
    mut approved: Vec<Event>,
    wanted: Option<ReviewVerdict>,
) -> Decision {
    let Some(Event::Approved { phase, verdict, .. }) = approved.first_mut() else {
        // What the others approve must be what this person approved.
        return match wanted {
            Some(_) => Err(Refusal::NotAlone),
            None => Ok(approved),
        };
    };
    let phase = phase.clone();
    let others = state.at(&phase).votes.iter().any(|vote| vote.by.id != by.id);
    if wanted.is_some() && others {
        return Err(Refusal::NotAlone);
    }
    let way_back = state.definition.phase(&phase).and_then(|phase| phase.on_fail.as_ref());
    let pending = state.at(&phase).pending.as_ref();
    let answered = pending.is_some_and(|pending| pending.stage == Stage::Response);
    if wanted.is_some() && (way_back.is_none() || !answered) {
        return Err(Refusal::NoVerdict);
    }
    *verdict = wanted;
    let counts = wanted.or(pending.and_then(|pending| pending.verdict));
    match way_back.filter(|_| answered && counts == Some(ReviewVerdict::Fail)) {
        // Whether the next iteration may be, which decides whether this approval may be.
        Some(to) => next_iteration(state, to).map(|_| approved),
        None => Ok(approved),
    }
}

/// A rejected response is tried again with the reason as long as the definition says.
pub(super) fn reject(state: &State, authority: &Authority, reason: &str) -> Decision {
    let (phase, _) = gate_untouched(state)?;
    let at = state.at(phase);
    if at.status == PhaseStatus::Draft {
        return Err(Refusal::PromptAtTheGate);
    }
    let by = &authority.person;
    let mut events = vec![Event::Rejected {
        surface: None,
        phase: phase.clone(),
        by: Some(by.clone()),
        reason: reason.into(),
    }];
    let retries = state.definition.phase(phase).map_or(0, |phase| phase.limits.retries);
    if at.rejections < retries {
        events.push(Event::PhaseStarted {
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt + 1,
        });
    }
    Ok(events)
}

pub(super) fn unapprove(state: &State, authority: &Authority, of: Option<&str>, facts: Facts<'_>) -> Decision {
    let is_meant = |vote: &Approval| match of {
        Some(login) => login.eq_ignore_ascii_case(&vote.by.login),
        None => vote.by.id == authority.person.id,
    };
    let found = state.definition.phases.iter().rev().find_map(|phase| {
        let at = state.at(&phase.id);
        let opened = at.approval.is_some() && still_counts(state, &phase.id);
        let at_a_gate = matches!(at.status, PhaseStatus::Draft | PhaseStatus::ReadyForReview);
        let waits = at.approval.is_none() && at_a_gate;
        if !opened && !waits {
            return None;
        }
        // Whoever names nobody and gave none means the last one.
        let vote = at.votes().find(|vote| is_meant(vote));
        let vote = vote.or_else(|| at.votes().last().filter(|_| of.is_none()))?;
        Some((&phase.id, vote, opened))
    });
    let Some((phase, vote, opened)) = found else {
        return Err(Refusal::NothingApproved);
    };
    if vote.by.id != authority.person.id && authority.right < UNAPPROVE_OTHERS {
        return Err(Refusal::NotYours {
            of: vote.by.clone(),
            needs: UNAPPROVE_OTHERS,
        });
    }
    let (phase, of, by) = (phase.clone(), vote.by.clone(), authority.person.clone());
    if !opened {
        return Ok(vec![Event::VoteWithdrawn {
            surface: None,
            phase,
            of,
            by,
        }]);
    }
    if partly_done(state, &phase) || facts.act_in_flight {
        return Err(Refusal::TooLate);
    }
    let of = Some(of);
    Ok(vec![Event::Unapproved {
        surface: None,
        phase,
        of,
        by,
    }])
}

/// The time of a gate ran out: of this phase, with this digest shown, for the time after so many reminders.
pub(super) fn expired(state: &State, of: (&PhaseId, &Digest, u32), now: Timestamp) -> Option<Vec<Event>> {
    let (phase, gate, pending) = state.open_gate()?;
    let current = (phase, &pending.digest, state.at(phase).reminders);
    if of != current || pending.shown_at.is_none() || state.hold.is_some() {
        return None;
    }
    // A proposal can be changed and changed back: the timer that it had before does not count for it now.
    let hours = TimeDelta::hours(i64::from(gate.expires_after_hours?));
    if now < pending.made_at + hours {
        return None;
    }
    let rejected = |reason: &str| Event::Rejected {
        surface: None,
        phase: phase.clone(),
        by: None,
        reason: reason.into(),
    };
    Some(vec![match &gate.on_expiry {
        _ if partly_done(state, phase) => Event::Reminded { phase: phase.clone() },
        OnExpiry::Remind => Event::Reminded { phase: phase.clone() },
        OnExpiry::Reject => rejected("its time ran out before it was approved"),
        OnExpiry::Phase(to) => match next_iteration(state, to) {
            Ok(_) => Event::Escalated {
                phase: phase.clone(),
                to: to.clone(),
            },
            Err(_) => {
                rejected("its time ran out before it was approved, and what it goes back to has run as often as it may")
            }
        },
    }])
}
