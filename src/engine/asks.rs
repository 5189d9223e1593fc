//! What a person asks of an open workflow, in the core's terms.

use super::agent_run::{agent_of, beside, in_its_place, judge, propose, sentences};
use super::approvals::Unanswered;
use super::by_hand::{run_of, unanswered};
use super::card::{Beside, Found};
use super::change::Payload;
use super::commands::{Settled, Spoken, allowed};
use super::{Engine, Trouble};
use crate::agents::{self, Amendment, Inputs};
use crate::chat::request::{DigestPrefix, FieldChange, Request};
use crate::chat::say::replies as say;
use crate::chat::verbs::Verb;
use crate::store::runs::{Run, keep_run};
use crate::store::workflows::{Stored, keep_proposal, mark_card_stale};
use crate::store::{StoreError, Write};
use crate::workflow::artifact::{Proposal, Stage, Targets};
use crate::workflow::command::{Ask, Authority, Command, Named, Refusal, Verdict};
use crate::workflow::decide::{Facts, decide, no_open_gate};
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId, UserId};
use crate::workflow::plan::Intent;
use crate::workflow::unanswered::{Aim, Astray, OpenPrompt, named as named_phases};

/// A person's answer in an agent's place.
pub(super) struct Given<'a> {
    pub(super) by: UserId,
    /// What the run is kept under.
    pub(super) key: &'a str,
    pub(super) aim: &'a Aim,
    pub(super) text: &'a str,
}

/// Why a person's answer in an agent's place was not taken.
pub(super) enum NoAnswer {
    /// The core refuses it, whatever it says.
    Refused(Refusal),
    /// It is for no prompt that waits.
    Astray(Astray),
    /// What is wrong with it as an answer to this, a sentence each.
    Problems(OpenPrompt, Vec<String>),
}

/// Why a person's edit was not taken.
pub(super) enum Unamended {
    /// The core refuses it.
    Refused(Refusal),
    /// What is wrong with it; the digest that stays.
    Problem(String, Digest),
    /// It changes nothing.
    Nothing(Digest),
}

/// A request in the core's terms, or the answer where it has none.
pub(super) enum Asked {
    Core(Ask, Write),
    Refused(Refusal),
    No(String, Write),
}

impl Engine {
    pub(super) async fn ask(
        &self,
        spoken: &Spoken<'_>,
        verb: &'static Verb,
        request: &Request,
    ) -> Result<Settled, Trouble> {
        let requirement = spoken.dialect.requirement(verb);
        let by = self
            .authority(&spoken.repo, spoken.subject.topic(), &spoken.speech, requirement)
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
        if let Request::Prompt { of } = request {
            return self.prompt(&stored, of.as_deref()).await;
        }
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
        let state = &stored.state;
        let live = match (&ask, state.open_gate()) {
            (Ask::Approve { .. } | Ask::Choose { .. }, Some((phase, gate, _))) => {
                let asked = (phase, gate);
                let live = self.live(
                    &spoken.repo,
                    state,
                    asked,
                    Some((&spoken.speech, by.right)),
                    Unanswered::Stops,
                );
                Some(live.await?)
            }
            _ => None,
        };
        let facts = Facts {
            act_in_flight: self.store().act_in_flight(&state.id).await?,
            live: live.as_ref(),
        };
        match decide(Some(&stored.state), &Command::Person(by, ask), facts, self.now()) {
            Verdict::Events(events) => {
                let vote = events.iter().find_map(|event| match event {
                    Event::Voted { approval, .. } => Some(approval),
                    _ => None,
                });
                let said = match vote {
                    Some(vote) => self.voted(spoken, &stored.state, vote).await,
                    None => None,
                };
                Ok(Settled::Changed {
                    before: Ok(stored),
                    events,
                    extra,
                    said,
                })
            }
            // Neither yes nor no: it is asked again, and that is said.
            Verdict::Refused(Refusal::CouldNotCheck { why }) => Err(self.later(why)),
            Verdict::Refused(refusal) => self.refused(spoken, verb, &refusal, Some(&stored)).await,
            Verdict::Obsolete(_) => self.nothing_open(spoken).await,
        }
    }

    /// A request in the core's terms, with what must be kept beside it.
    pub(super) async fn asked(
        &self,
        spoken: &Spoken<'_>,
        stored: &Stored,
        request: &Request,
    ) -> Result<Asked, Trouble> {
        let said = |reason: &Option<String>| reason.clone().unwrap_or_default();
        let ask = match request {
            Request::Approve {
                digest,
                reason,
                verdict,
            } => {
                if let Some(no) = self.card_is_not_intact(spoken, stored).await? {
                    return Ok(no);
                }
                Ask::Approve {
                    named: named(digest.as_ref(), spoken),
                    reason: reason.clone(),
                    verdict: *verdict,
                }
            }
            Request::Unapprove { of } => Ask::Unapprove {
                of: of.as_ref().map(|login| login.as_str().to_owned()),
            },
            Request::Reject { reason } => Ask::Reject { reason: reason.clone() },
            Request::Revise { text } => Ask::Revise { text: text.clone() },
            Request::Hold { reason } => Ask::Hold { reason: said(reason) },
            Request::Unhold => Ask::Unhold,
            Request::Answer { question, text } => Ask::Answer {
                question: *question,
                text: text.clone(),
            },
            Request::Skip { reason } => Ask::Skip { reason: said(reason) },
            Request::Choose {
                variant,
                digest,
                reason,
            } => {
                if let Some(no) = self.card_is_not_intact(spoken, stored).await? {
                    return Ok(no);
                }
                Ask::Choose {
                    variant: *variant,
                    named: named(digest.as_ref(), spoken),
                    reason: reason.clone(),
                }
            }
            Request::Retry { variant } => Ask::Retry { variant: *variant },
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
            Request::Respond { of, prompt, text } => {
                let aim = Aim {
                    phase: of.clone(),
                    prompt: prompt.as_ref().map(|prompt| prompt.as_str().to_owned()),
                };
                return self.responded(spoken, stored, (&aim, text)).await;
            }
            Request::Help { .. }
            | Request::Deliver
            | Request::Tasks
            | Request::Run { .. }
            | Request::Status
            | Request::Who
            | Request::Explain { .. }
            | Request::Prompt { .. } => return Ok(Asked::No(say::nothing_open(None), Write::new())),
        };
        Ok(Asked::Core(ask, Write::new()))
    }

    /// Whoever can push can edit the bot's comments, so the card is read before an approval of it is taken.
    pub(super) async fn card_is_not_intact(
        &self,
        spoken: &Spoken<'_>,
        stored: &Stored,
    ) -> Result<Option<Asked>, Trouble> {
        let Some(card) = self.store().card(&stored.state.id).await? else {
            return Ok(None);
        };
        // What is not known to be shown is refused for that.
        let gate = stored.state.open_gate();
        if gate.is_some_and(|(_, _, pending)| pending.shown_at.is_none()) {
            return Ok(None);
        }
        let current = gate.map(|(_, _, pending)| pending.digest);
        let text = match self.inspect_card(&spoken.repo, stored, &card).await? {
            Found::Intact => return Ok(None),
            Found::Ours(body) if self.is_being_written(stored, &body).await? => return Ok(None),
            Found::Ours(_) => say::card_was_behind(current.as_ref()),
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

    /// Whether what stands on the card is the bot's own write of this moment, and shows what could be approved. A database
    /// that was restored knows of no such write: what was decided since its backup may be on the card.
    async fn is_being_written(&self, stored: &Stored, body: &str) -> Result<bool, StoreError> {
        let gate = stored.state.open_gate();
        if gate.is_some_and(|(_, _, pending)| !body.contains(&pending.digest.short())) {
            return Ok(false);
        }
        if self.store().card_in_flight(&stored.state.id).await? {
            return Ok(true);
        }
        // Or it has just been kept.
        let card = self.store().card(&stored.state.id).await?;
        Ok(card.is_some_and(|card| super::card::same(&card.body, body)))
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
        Ok(match self.amendment(stored, amendments, change).await? {
            Ok((ask, kept)) => Asked::Core(ask, kept),
            Err(Unamended::Refused(refusal)) => Asked::Refused(refusal),
            Err(Unamended::Problem(problem, current)) => {
                Asked::No(say::amendment_refused(verb, &problem, &current), Write::new())
            }
            Err(Unamended::Nothing(current)) => Asked::No(say::boxes_differ(Some(&current)), Write::new()),
        })
    }

    /// The same in the core's terms, with what must be kept beside it.
    pub(super) async fn amendment(
        &self,
        stored: &Stored,
        amendments: &[Amendment],
        change: &str,
    ) -> Result<Result<(Ask, Write), Unamended>, Trouble> {
        let state = &stored.state;
        let Some((phase, _, pending)) = state.open_gate() else {
            return Ok(Err(Unamended::Refused(no_open_gate(state))));
        };
        let current = pending.digest;
        let agent = agent_of(state, phase)?;
        let Some((proposal, said)) = self.store().proposal(&state.id, &current).await? else {
            return Err(Trouble::Never("the proposal is not stored any more".to_owned()));
        };
        let inputs = self.inputs_of(stored, phase).await?;
        let mut artifact = proposal.artifact.clone();
        let mut draft = None;
        for amendment in amendments {
            let amended = match proposal.stage {
                Stage::Prompt => agents::amend_prompt(&artifact, amendment),
                Stage::Response => agents::amend(&agent, &artifact, amendment, &inputs),
            };
            match amended {
                Ok(amended) => {
                    artifact = amended.artifact.clone();
                    draft = Some(amended);
                }
                Err(problem) => return Ok(Err(Unamended::Problem(problem, current))),
            }
        }
        let Some(mut draft) = draft else {
            return Ok(Err(Unamended::Nothing(current)));
        };
        if let Err(problems) = in_its_place(&self.parts().site, &agent, &draft) {
            return Ok(Err(Unamended::Problem(sentences(&problems).join("; "), current)));
        }
        let said = Beside {
            planned: std::mem::take(&mut draft.planned),
            ..Beside::of(said)
        };
        let proposal = Proposal {
            artifact: draft.artifact,
            targets: Targets {
                acts: draft.acts,
                ..proposal.targets
            },
            ..proposal
        };
        let repository = state.subject.repository;
        let kept = Write::of(keep_proposal(&proposal, &said.value(), repository, self.now())?);
        let change = change.lines().next().unwrap_or(change).to_owned();
        let base = current;
        let ask = Ask::Amend { base, proposal, change };
        Ok(Ok((ask, kept)))
    }

    pub(super) async fn inputs_of(&self, stored: &Stored, phase: &PhaseId) -> Result<Inputs, Trouble> {
        super::agent_run::read(&run_of(self.store(), &stored.state, phase).await?.inputs)
    }

    /// A person's answer in the agent's place, through the same checks.
    async fn responded(
        &self,
        spoken: &Spoken<'_>,
        stored: &Stored,
        (aim, text): (&Aim, &str),
    ) -> Result<Asked, Trouble> {
        let given = Given {
            by: spoken.speech.by.id,
            key: &spoken.key,
            aim,
            text,
        };
        let state = &stored.state;
        Ok(match self.hand_in(stored, &given).await? {
            Ok((ask, extra)) => Asked::Core(ask, extra),
            Err(NoAnswer::Refused(refusal)) => Asked::Refused(refusal),
            Err(NoAnswer::Astray(astray)) => Asked::No(say::answer_astray(state, &astray), Write::new()),
            Err(NoAnswer::Problems(of, sentences)) => {
                Asked::No(say::answer_rejected(state, &of, &sentences), Write::new())
            }
        })
    }

    /// The same in the core's terms, with what must be kept beside it.
    pub(super) async fn hand_in(
        &self,
        stored: &Stored,
        given: &Given<'_>,
    ) -> Result<Result<(Ask, Write), NoAnswer>, Trouble> {
        let state = &stored.state;
        let of = match unanswered(self.store(), state, given.aim).await? {
            Ok(of) => of,
            Err(no) => return Ok(Err(no)),
        };
        let phase = &of.phase;
        let agent = agent_of(state, phase)?;
        let asked = run_of(self.store(), state, phase).await?;
        let inputs = super::agent_run::read(&asked.inputs)?;
        let mut draft = match judge(&self.parts().site, &agent, given.text, &inputs) {
            Ok(draft) => draft,
            Err(problems) => return Ok(Err(NoAnswer::Problems(of, sentences(&problems)))),
        };
        let said = beside(&agent, &inputs, &mut draft);
        let proposal = propose(state, phase, of.iteration, &agent, draft);
        let repository = state.subject.repository;
        let mut extra = Write::of(keep_proposal(&proposal, &said.value(), repository, self.now())?);
        let run = Run {
            id: given.key.to_owned(),
            phase: phase.clone(),
            iteration: of.iteration,
            attempt: of.attempt,
            agent: agent.name.to_string(),
            provider: "manual".to_owned(),
            answer: Some(given.text.to_owned()),
            answered_by: Some(given.by),
            outcome: "proposed".to_owned(),
            started_at: self.now(),
            ended_at: self.now(),
            ..asked
        };
        extra.push(keep_run(&run, &state.id, state.subject.repository));
        Ok(Ok((Ask::Respond { proposal }, extra)))
    }

    async fn prompt(&self, stored: &Stored, of: Option<&str>) -> Result<Settled, Trouble> {
        let state = &stored.state;
        let aim = Aim {
            phase: of.map(str::to_owned),
            prompt: None,
        };
        let waits = unanswered(self.store(), state, &aim).await?;
        let at_gate = state.open_gate().map(|(phase, ..)| phase);
        let (phase, prompt) = match (waits, at_gate) {
            (Ok(waits), _) => (waits.phase.clone(), Some(waits.prompt)),
            // What waits for approval can be read as well, and is not answered yet.
            (Err(_), Some(phase)) if of.is_none_or(|of| named_phases(&state.definition, of).contains(&phase)) => {
                (phase.clone(), None)
            }
            (Err(NoAnswer::Astray(astray)), _) => {
                return Ok(Settled::refused(say::prompt_astray(state, &astray)));
            }
            (Err(_), _) => return Ok(Settled::refused(say::no_prompt(state))),
        };
        Ok(match self.store().last_run(&state.id, &phase).await? {
            Some(run) => Settled::Answered(say::prompt(state, (&phase, prompt.as_ref()), &run.prompt)),
            None => Settled::refused(say::no_prompt(state)),
        })
    }
}

/// Which digest an approval means.
fn named(digest: Option<&DigestPrefix>, spoken: &Spoken<'_>) -> Named {
    match digest {
        Some(prefix) => Named::Prefix(prefix.as_str().to_owned()),
        None => Named::OnTheCard(spoken.speech.said_at),
    }
}

fn fields(changes: &[FieldChange]) -> Vec<(String, String)> {
    changes
        .iter()
        .map(|change| (change.name().to_owned(), change.value()))
        .collect()
}
