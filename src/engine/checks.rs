//! Checks of gates: read by the host itself, when something waits there, when GitHub tells of a change, from time to time,
//! and right before the gate opens.

use chrono::TimeDelta;

use super::approvals::Unanswered;
use super::change::Payload;
use super::effects::Ended;
use super::{Engine, Trouble};
use crate::agents;
use crate::github::{GithubError, Repo};
use crate::store::Write;
use crate::store::deliveries::LeasedDelivery;
use crate::store::workflows::{Scope, Stored};
use crate::workflow::approval::{Fact, checks_hold};
use crate::workflow::artifact::Proposal;
use crate::workflow::command::Report;
use crate::workflow::ids::{Digest, PhaseId, RepositoryId};
use crate::workflow::judging::{Check, CheckState, ChecksGate, HostCheck, Judged, Reading};
use crate::workflow::plan::{Intent, Look};
use crate::workflow::state::{State, SubjectKind};

/// How long checks that have not changed rest until they are read again.
const REST: TimeDelta = TimeDelta::minutes(5);

impl Engine {
    /// Reads the checks of a gate. Where nothing changed and they do not hold, the same look is taken again later.
    pub(super) async fn read_checks(
        &self,
        repo: Option<&Repo>,
        stored: &Stored,
        phase: &PhaseId,
        (digest, readings): (Digest, u32),
        because: Look,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let waits = state.gate_at(phase).filter(|_| state.is_open() && state.hold.is_none());
        let Some((gate, pending)) = waits.filter(|(_, pending)| pending.digest == digest) else {
            return Ok(Ended::Dropped("the gate waits for something else"));
        };
        let Some(checks) = &gate.checks else {
            return Ok(Ended::Dropped("the gate has no checks"));
        };
        if pending.judged.readings != readings {
            return Ok(Ended::Dropped("they were read meanwhile"));
        }
        let reading = match self.reading(repo, state, (phase, checks), Unanswered::IsShown).await? {
            Fact::Known(reading) => reading,
            Fact::CouldNotCheck(why) => return Err(rests(self.now(), why)),
        };
        let judged = Judged {
            reading: Some(reading.clone()),
            ..pending.judged.clone()
        };
        let changed = judged.reading != pending.judged.reading;
        if !changed && !checks_hold(checks, &judged) {
            return match because {
                Look::Due => Err(rests(self.now(), "the checks stand as they did".to_owned())),
                Look::Told => Ok(Ended::done("the checks stand as they did")),
            };
        }
        let report = Report::Checked {
            phase: phase.clone(),
            digest,
            reading,
        };
        Ok(Ended::reported("read", report))
    }

    /// How all that a gate's checks ask for stands now.
    pub(super) async fn reading(
        &self,
        repo: Option<&Repo>,
        state: &State,
        (phase, checks): (&PhaseId, &ChecksGate),
        unanswered: Unanswered,
    ) -> Result<Fact<Reading>, Trouble> {
        let mut reading = Reading::default();
        if let Some(pending) = &state.at(phase).pending
            && !checks.host.is_empty()
        {
            let stored = self.store().proposal(&state.id, &pending.digest).await?;
            let (proposal, _) = stored.ok_or_else(|| Trouble::Never("what is to be checked is gone".to_owned()))?;
            reading.host = checks.host.iter().map(|check| of_host(*check, &proposal)).collect();
        }
        if !checks.of_a_commit() {
            return Ok(Fact::Known(reading));
        }
        let Some(repo) = repo.filter(|_| state.subject.kind == SubjectKind::PullRequest) else {
            return Ok(Fact::CouldNotCheck(
                "this is no pull request, so it has no commit with checks".to_owned(),
            ));
        };
        let on_head = async {
            let head = repo.pull_head(state.subject.number).await?;
            let checks = repo.checks_of(&head.sha).await?;
            Ok::<_, GithubError>((head.sha, checks))
        };
        let read = on_head.await.map_err(|error| self.unchecked(&error));
        Ok(match unanswered.fact(read)? {
            Fact::Known((head, mut found)) => {
                found.sort_by(|one, other| one.name.cmp(&other.name));
                if !checks.all {
                    found.retain(|check| checks.named.contains(&check.name));
                }
                reading.head = Some(head);
                reading.commit = found;
                Fact::Known(reading)
            }
            Fact::CouldNotCheck(why) => Fact::CouldNotCheck(why),
        })
    }

    /// GitHub told that something changed on a commit of a repository: gates there that wait for checks, or rest on them,
    /// are looked at.
    pub(super) async fn look_at_checks(
        &self,
        delivery: &LeasedDelivery,
        repository: RepositoryId,
    ) -> Result<(), Trouble> {
        let mut write = Write::new();
        for stored in self.store().open_workflows(Scope::Repository(repository)).await? {
            let state = &stored.state;
            for phase in state.definition.phases.iter().map(|phase| &phase.id) {
                let Some((gate, pending)) = state.gate_at(phase) else {
                    continue;
                };
                if !gate.checks.as_ref().is_some_and(ChecksGate::of_a_commit) || state.hold.is_some() {
                    continue;
                }
                let look = Intent::ReadChecks {
                    phase: phase.clone(),
                    digest: pending.digest,
                    readings: pending.judged.readings,
                    at: self.now(),
                    because: Look::Told,
                };
                let id = format!("{}{}", crate::store::effects::timers_of(&state.id, phase), delivery.id);
                write.push(self.workflow_effect(&stored, id, &Payload::Step(look))?);
            }
        }
        if write.0.is_empty() {
            return self.nothing_to_do(delivery, "no gate waits for checks").await;
        }
        write.0.insert(0, delivery.done("the checks are read"));
        self.store().write(write).await?;
        self.wake();
        Ok(())
    }
}

fn rests(now: crate::workflow::state::Timestamp, why: String) -> Trouble {
    Trouble::Parked {
        until: now + REST,
        why,
        beside: Write::new(),
    }
}

/// A fact of what was made that the host finds out by itself.
fn of_host(check: HostCheck, proposal: &Proposal) -> Check {
    let found = match check {
        HostCheck::Paths => agents::unsafe_path(&proposal.artifact),
        HostCheck::Schema => agents::misshapen(&proposal.schema, &proposal.artifact),
        HostCheck::Secrets => agents::secret_in(&proposal.artifact),
    };
    Check {
        name: check.name().to_owned(),
        state: found.map_or(CheckState::Success, CheckState::Other),
    }
}
