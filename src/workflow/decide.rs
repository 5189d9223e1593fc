//! Decisions: a command becomes events, or a refusal that says what would be allowed.

use chrono::TimeDelta;

use super::apply::{apply, begin};
use super::approval::{self, Live, Outcome};
use super::artifact::{Proposal, ReviewVerdict, Stage};
use super::asking;
use super::command::{Ask, Authority, Command, Named, Obsolete, Refusal, Report, RunResult, Start, Verdict};
use super::definition::{Gate, OnExpiry, Phase};
use super::event::{Event, HoldCause};
use super::ids::{Digest, PhaseId};
use super::right::{Person, Right, Standing};
use super::state::{Approval, Ending, Maker, PhaseStatus, State, Status, Timestamp, Why};

/// How long a card must have stood unchanged before a bare `/approve` or the label means what it shows.
pub const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// What is said to have made a prompt: the definition's template, filled in.
pub(super) const PROMPT: &str = "template";

/// The right that taking back another person's approval needs.
const UNAPPROVE_OTHERS: Right = Right::Maintain;

/// What may be asked of the outside world's order before a command is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// Whether an act of this workflow may be under way right now.
    pub act_in_flight: bool,
    /// What GitHub says of those who approved; needed for `/approve` only. Without it nothing is known but the right of
    /// whoever asks.
    pub live: Option<&'a Live>,
}

pub(super) type Decision = Result<Vec<Event>, Refusal>;

/// Decides a command. `state` is `None` for [`Command::Start`] only.
///
/// The events include all that follows at once from the first: dependents that become unblocked in the same
/// transaction, and the end of the workflow.
pub fn decide(state: Option<&State>, command: &Command, facts: Facts<'_>, now: Timestamp) -> Verdict {
    match (state, command) {
        (None, Command::Start(start)) => verdict(start_workflow(start, now)),
        (Some(state), Command::Person(authority, ask)) => {
            let decision = asked(state, authority, ask, facts, now);
            verdict(decision.map(|first| with_consequences(state.clone(), first, now)))
        }
        (Some(state), Command::System(report)) => match reported(state, report, now) {
            Some(first) => Verdict::Events(with_consequences(state.clone(), first, now)),
            None => Verdict::Obsolete(Obsolete),
        },
        (None, _) | (Some(_), Command::Start(_)) => Verdict::Obsolete(Obsolete),
    }
}

fn verdict(decision: Decision) -> Verdict {
    match decision {
        Ok(events) => Verdict::Events(events),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

fn start_workflow(start: &Start, now: Timestamp) -> Decision {
    allowed(&start.by)?;
    let started = Event::Started {
        workflow: start.workflow.clone(),
        definition: Box::new(start.definition.clone()),
        subject: start.subject.clone(),
        by: start.by.person.clone(),
        surface: start.by.surface.clone(),
        said_at: start.by.said_at,
        given: start.given.clone(),
    };
    let state = begin(&started, now).expect("the first event is Started");
    let mut events = vec![started];
    events.extend(consequences(state, now));
    Ok(events)
}

fn allowed(authority: &Authority) -> Result<(), Refusal> {
    if authority.requirement.met_by(authority.right, &authority.standings) {
        Ok(())
    } else {
        Err(Refusal::NotAllowed {
            needs: authority.requirement,
            has: authority.right,
        })
    }
}

fn asked(state: &State, authority: &Authority, ask: &Ask, facts: Facts<'_>, now: Timestamp) -> Decision {
    allowed(authority)?;
    if !state.is_open() {
        return Err(Refusal::Over);
    }
    let by = &authority.person;
    match ask {
        Ask::Cancel { reason } => {
            return Ok(vec![Event::Cancelled {
                by: Some(by.clone()),
                reason: reason.into(),
            }]);
        }
        Ask::Unhold => {
            return match state.hold {
                Some(_) => Ok(vec![Event::Unheld { by: by.clone() }]),
                None => Err(Refusal::NotHeld),
            };
        }
        Ask::Unapprove { of } => return unapprove(state, authority, of.as_deref(), facts),
        _ => {}
    }
    if let Some(hold) = &state.hold {
        return Err(Refusal::Held(hold.clone()));
    }
    match ask {
        Ask::Hold { reason } => Ok(vec![Event::Held {
            by: Some(by.clone()),
            reason: reason.into(),
            cause: HoldCause::Asked,
        }]),
        Ask::Approve { named, reason, verdict } => {
            let approved = approve(state, authority, (named, reason.as_deref()), facts, now)?;
            overridden(state, by, approved, *verdict)
        }
        Ask::Reject { reason } => reject(state, authority, reason),
        Ask::Revise { text } => revise(state, authority, text),
        Ask::Amend { base, proposal, change } => {
            let (phase, current) = gate_untouched(state)?;
            if current != *base || !belongs(state, phase, proposal) {
                return Err(Refusal::Stale { current });
            }
            let digest = proposal.digest();
            if digest == current {
                return Err(Refusal::NoChange);
            }
            Ok(vec![proposed(proposal, Maker::Person(by.clone()), Some(change))])
        }
        Ask::Respond { proposal } => {
            let phase = &proposal.phase;
            let awaited = |_| awaits_answer(state, phase) && belongs(state, phase, proposal);
            if !state.definition.phase(phase).is_some_and(awaited) {
                return Err(Refusal::NoAnswerAwaited);
            }
            let proposed = proposed(proposal, Maker::Person(by.clone()), None);
            Ok(asking::with_questions(state, proposal, proposed))
        }
        Ask::Answer { question, text } => asking::answer(state, by, *question, text),
        Ask::Skip { reason } => asking::skip(state, by, reason),
        Ask::Retry => retry(state, authority),
        Ask::Cancel { .. } | Ask::Unhold | Ask::Unapprove { .. } => unreachable!("answered above"),
    }
}

/// Whether a person's answer in the agent's place would be taken now.
pub fn awaits_answer(state: &State, phase: &PhaseId) -> bool {
    let at = state.at(phase);
    let has_agent = state.definition.phase(phase).is_some_and(Phase::has_agent);
    has_agent
        && at.iteration > 0
        && at.pending.is_none()
        && !at.is_asking()
        && matches!(at.status, PhaseStatus::WaitingForHuman | PhaseStatus::Error)
}

/// Whether a proposal was made for what the phase is at: an approval of it must be valid here and nowhere else.
fn belongs(state: &State, phase: &PhaseId, proposal: &Proposal) -> bool {
    let at = state.at(phase);
    let stage = at.pending.as_ref().map_or(proposal.stage, |pending| pending.stage);
    proposal.workflow == state.id
        && proposal.phase == *phase
        && proposal.iteration == at.iteration
        && proposal.stage == stage
}

/// The event of a new proposal, or of a changed one.
fn proposed(proposal: &Proposal, by: Maker, change: Option<&String>) -> Event {
    Event::Proposed {
        phase: proposal.phase.clone(),
        digest: proposal.digest(),
        acts: proposal.act_keys(),
        by,
        change: change.map(Into::into),
        stage: proposal.stage,
        verdict: proposal.verdict(),
    }
}

/// The open gate, unless part of what it shows was carried out already.
fn gate_untouched(state: &State) -> Result<(&PhaseId, Digest), Refusal> {
    let (phase, _, pending) = state.open_gate().ok_or_else(|| no_open_gate(state))?;
    if partly_done(state, phase) {
        return Err(Refusal::PartlyDone);
    }
    Ok((phase, pending.digest))
}

/// Whether any act of what a phase proposed was carried out. Such a proposal is not changed or rejected any more: the
/// acts of another would be taken for these.
pub(super) fn partly_done(state: &State, phase: &PhaseId) -> bool {
    state
        .executors_of(phase)
        .any(|executor| !state.at(executor).outcomes.is_empty())
}

/// Whether a phase's approval still opens something: acts of it are left to be carried out, or to be tried again.
fn still_counts(state: &State, phase: &PhaseId) -> bool {
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

fn approve(
    state: &State,
    authority: &Authority,
    (named, reason): (&Named, Option<&str>),
    facts: Facts<'_>,
    now: Timestamp,
) -> Decision {
    let (phase, gate, pending) = state.open_gate().ok_or_else(|| no_open_gate(state))?;
    if authority.right < gate.right {
        let needs = super::right::Requirement::at_least(gate.right);
        return Err(Refusal::NotAllowed {
            needs,
            has: authority.right,
        });
    }
    let current = pending.digest;
    if let Named::Prefix(given) = named
        && !names(given, &current)
    {
        let void = state.at(phase).void.iter().any(|void| names(given, void));
        return Err(Refusal::WrongDigest {
            given: given.clone(),
            current,
            void,
        });
    }
    let Some(shown_at) = pending.shown_at else {
        return Err(Refusal::NotShownYet);
    };
    if let Named::OnTheCard(said_at) = named
        && *said_at - shown_at < SETTLED
    {
        return Err(Refusal::ChangedJustNow { current });
    }
    let approval = Approval {
        by: authority.person.clone(),
        right: authority.right,
        surface: authority.surface.clone(),
        digest: current,
        at: now,
        reason: reason.map(Into::into),
    };
    let live = with_the_asker(facts.live, authority);
    let tree = approval::evaluate(gate, &approval::Facts::of(state, phase, &live).with(&approval), current);
    let phase = phase.clone();
    match (tree.outcome, tree.vote_of(authority.person.id)) {
        (Outcome::Yes, _) => Ok(vec![Event::Approved {
            phase,
            approval,
            verdict: None,
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
                .any(|vote| vote.by.id == authority.person.id);
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
fn overridden(state: &State, by: &Person, mut approved: Vec<Event>, wanted: Option<ReviewVerdict>) -> Decision {
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
fn reject(state: &State, authority: &Authority, reason: &str) -> Decision {
    let (phase, _) = gate_untouched(state)?;
    let at = state.at(phase);
    if at.status == PhaseStatus::Draft {
        return Err(Refusal::PromptAtTheGate);
    }
    let by = &authority.person;
    let mut events = vec![Event::Rejected {
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

fn unapprove(state: &State, authority: &Authority, of: Option<&str>, facts: Facts<'_>) -> Decision {
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
        return Ok(vec![Event::VoteWithdrawn { phase, of, by }]);
    }
    if partly_done(state, &phase) || facts.act_in_flight {
        return Err(Refusal::TooLate);
    }
    let of = Some(of);
    Ok(vec![Event::Unapproved { phase, of, by }])
}

fn revise(state: &State, authority: &Authority, text: &str) -> Decision {
    let phase = match state.open_gate() {
        Some(_) => gate_untouched(state)?.0,
        None => {
            let stopped = [PhaseStatus::Rejected, PhaseStatus::WaitingForHuman, PhaseStatus::Error];
            let has_agent = |id: &PhaseId| state.definition.phase(id).is_some_and(Phase::has_agent);
            state
                .first_at(&stopped)
                .filter(|id| has_agent(id) && state.at(id).approval.is_none() && !state.at(id).is_asking())
                .ok_or_else(|| no_open_gate(state))?
        }
    };
    let by = authority.person.clone();
    let revised = Event::Revised {
        phase: phase.clone(),
        by,
        text: text.into(),
        said_at: authority.said_at,
    };
    Ok(vec![revised, next_iteration(state, phase)?])
}

fn next_iteration(state: &State, phase: &PhaseId) -> Result<Event, Refusal> {
    let iterations = state.definition.phase(phase).map_or(1, |phase| phase.limits.iterations);
    let iteration = state.at(phase).iteration + 1;
    if iteration > iterations {
        return Err(Refusal::CapReached {
            phase: phase.clone(),
            iterations,
        });
    }
    Ok(Event::PhaseStarted {
        phase: phase.clone(),
        iteration,
        attempt: 1,
    })
}

fn retry(state: &State, authority: &Authority) -> Decision {
    let stopped = [PhaseStatus::Error, PhaseStatus::WaitingForHuman, PhaseStatus::Rejected];
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    let phase = phases
        .filter(|id| !state.at(id).is_asking())
        .find(|id| stopped.contains(&state.at(id).status))
        .ok_or(Refusal::NothingToRetry)?;
    let at = state.at(phase);
    let retried = Event::Retried {
        phase: phase.clone(),
        by: authority.person.clone(),
        said_at: authority.said_at,
    };
    let again = match at.status {
        PhaseStatus::Rejected => next_iteration(state, phase)?,
        _ if carries_out(state, phase) => Event::ActsStarted { phase: phase.clone() },
        _ => Event::PhaseStarted {
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt + 1,
        },
    };
    Ok(vec![retried, again])
}

/// Whether a phase has something approved to carry out.
fn carries_out(state: &State, phase: &PhaseId) -> bool {
    let source = state.definition.phase(phase).and_then(|phase| phase.executes.as_ref());
    source.is_some_and(|source| state.at(source).approval.is_some())
}

fn reported(state: &State, report: &Report, now: Timestamp) -> Option<Vec<Event>> {
    match report {
        Report::ActEnded { phase, key, outcome } => {
            // What happened outside is recorded even when the workflow was ended, or the approval lost, meanwhile.
            let source = state.definition.phase(phase)?.executes.as_ref()?;
            let proposed = state.at(source).pending.as_ref()?.acts.contains(key);
            (proposed && !state.at(phase).outcomes.contains_key(key)).then(|| {
                vec![Event::ActEnded {
                    phase: phase.clone(),
                    key: key.clone(),
                    outcome: outcome.clone(),
                }]
            })
        }
        _ if !state.is_open() => None,
        Report::Shown { phase, digest, at } => {
            let shown = state.phases.get(phase)?;
            let pending = shown.pending.as_ref()?;
            let at_a_gate = matches!(shown.status, PhaseStatus::Draft | PhaseStatus::ReadyForReview);
            let awaited = at_a_gate && pending.shown_at.is_none();
            (awaited && pending.digest == *digest).then(|| {
                vec![Event::Shown {
                    phase: phase.clone(),
                    digest: *digest,
                    at: *at,
                }]
            })
        }
        Report::Ran {
            phase,
            iteration,
            attempt,
            result,
        } => {
            let at = state.phases.get(phase)?;
            let current = at.status == PhaseStatus::Running && at.iteration == *iteration && at.attempt == *attempt;
            current.then(|| match (ran(state, phase, result), result) {
                (proposed @ Event::Proposed { .. }, RunResult::Proposed { proposal, .. }) => {
                    asking::with_questions(state, proposal, proposed)
                }
                (event, _) => vec![event],
            })
        }
        Report::ActFailed { phase, key, why } => {
            let due = state.next_act(phase).is_some_and(|(next, _)| next == key);
            (due && state.at(phase).status == PhaseStatus::Approved).then(|| {
                vec![Event::Failed {
                    phase: phase.clone(),
                    why: Why::Failed(why.clone()),
                }]
            })
        }
        Report::ApprovalLost { phase, digest, why } => {
            let approval = state.phases.get(phase)?.approval.as_ref()?;
            (approval.digest == *digest && still_counts(state, phase)).then(|| {
                vec![Event::ApprovalLost {
                    phase: phase.clone(),
                    reason: why.clone(),
                }]
            })
        }
        Report::GateExpired {
            phase,
            digest,
            reminders,
        } => expired(state, (phase, digest, *reminders), now),
        Report::SubjectClosed { by } => state.hold.is_none().then(|| {
            vec![Event::Held {
                by: by.clone(),
                reason: "the issue or pull request was closed".into(),
                cause: HoldCause::SubjectClosed,
            }]
        }),
        Report::SubjectGone { why } => Some(vec![Event::Cancelled {
            by: None,
            reason: why.as_str().into(),
        }]),
    }
}

fn ran(state: &State, phase: &PhaseId, result: &RunResult) -> Event {
    let astray = match result {
        RunResult::Proposed { proposal, .. } | RunResult::Prompted { proposal } => !belongs(state, phase, proposal),
        _ => false,
    };
    let phase = phase.clone();
    match result {
        _ if astray => Event::Failed {
            phase,
            why: Why::Failed("the answer belongs to another run; /retry asks anew".into()),
        },
        RunResult::Proposed { proposal, provider } => proposed(
            proposal,
            Maker::Agent {
                provider: provider.clone(),
            },
            None,
        ),
        RunResult::Prompted { proposal } => proposed(
            proposal,
            Maker::Agent {
                provider: PROMPT.to_owned(),
            },
            None,
        ),
        RunResult::NeedsPerson(why) => Event::WaitsForHuman {
            phase,
            why: why.clone(),
        },
        RunResult::Ended(ending) => Event::PhaseCompleted {
            phase,
            ending: ending.clone(),
        },
        RunResult::Failed(why) => Event::Failed {
            phase,
            why: why.clone(),
        },
    }
}

/// The time of a gate ran out: of this phase, with this digest shown, for the time after so many reminders.
fn expired(state: &State, of: (&PhaseId, &Digest, u32), now: Timestamp) -> Option<Vec<Event>> {
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
    Some(vec![match gate.on_expiry {
        OnExpiry::Reject if !partly_done(state, phase) => Event::Rejected {
            phase: phase.clone(),
            by: None,
            reason: "nobody answered in time".into(),
        },
        OnExpiry::Remind | OnExpiry::Reject => Event::Reminded { phase: phase.clone() },
    }])
}

/// The first events and all that follows from them at once.
pub(super) fn with_consequences(mut state: State, first: Vec<Event>, now: Timestamp) -> Vec<Event> {
    for event in &first {
        apply(&mut state, event, now);
    }
    let mut events = first;
    events.extend(consequences(state, now));
    events
}

fn consequences(mut state: State, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = consequence(&state) {
        apply(&mut state, &event, now);
        events.push(event);
    }
    events
}

/// The next thing that follows of itself, if any. Each makes a step forward, so their chain ends.
fn consequence(state: &State) -> Option<Event> {
    if !state.is_open() || state.hold.is_some() {
        return None;
    }
    let of_a_phase = state.definition.phases.iter().find_map(|phase| {
        let id = &phase.id;
        let at = state.at(id);
        match at.status {
            PhaseStatus::Blocked => {
                // What it carries out may be needed through others only, and its approval taken back meanwhile.
                let settled = |need: &PhaseId| state.definition.phase(need).is_some_and(|need| state.is_settled(need));
                let executed = phase.executes.iter().filter(|source| *source != id);
                let unblocked = phase.needs.iter().chain(executed).all(settled);
                let wanted = !phase.on_demand || at.called;
                (unblocked && wanted).then(|| match phase.has_agent() {
                    true => Event::PhaseStarted {
                        phase: id.clone(),
                        iteration: at.iteration + 1,
                        attempt: 1,
                    },
                    false => Event::ActsStarted { phase: id.clone() },
                })
            }
            // With no gate an artifact counts as soon as it is made.
            PhaseStatus::ReadyForReview if phase.gate == Gate::None => Some(done(id)),
            PhaseStatus::WaitingForHuman => asking::onwards(at, phase),
            PhaseStatus::Approved => {
                let acting = phase.executes.is_some() && state.next_act(id).is_some();
                match (&phase.on_fail, at.verdict) {
                    _ if acting => None,
                    (Some(to), Some(ReviewVerdict::Fail)) => Some(Event::SentBack {
                        phase: id.clone(),
                        to: to.clone(),
                    }),
                    _ => Some(done(id)),
                }
            }
            _ => None,
        }
    });
    of_a_phase.or_else(|| {
        let complete = state.definition.phases.iter().all(|phase| state.is_settled(phase));
        (complete && state.status == Status::Open).then_some(Event::Completed)
    })
}

pub(super) fn done(phase: &PhaseId) -> Event {
    Event::PhaseCompleted {
        phase: phase.clone(),
        ending: Ending::Done,
    }
}

/// The standings of somebody towards a subject.
pub fn standings(is_author: bool, is_assignee: bool) -> Vec<Standing> {
    let author = is_author.then_some(Standing::Author);
    let assignee = is_assignee.then_some(Standing::Assignee);
    author.into_iter().chain(assignee).collect()
}
