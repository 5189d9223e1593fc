//! Runs of models: a call is reserved, made, kept and only then judged. What stands in the way is a state with a name.

mod course;

use chrono::TimeDelta;

use super::agent_run::{Judged, Task, judge};
use super::change::Payload;
use super::site::{Job, Site};
use super::{Engine, LEASE, Trouble, rest};
use crate::agents::{self, Inputs, Prompt};
use crate::chat::say::spending::occupied;
use crate::chat::say::view::{Asking, Spending};
use crate::config::{Endpoint, EndpointName, RepositoryConfig};
use crate::providers::http::{self, Completion, Failure, Question};
use crate::store::Write;
use crate::store::calls::{
    Answered, Bounds, Call, CallEnd, CountedBy, Failed, FailureKind, Finish, NewCall, Opened, total,
};
use crate::store::runs::{Run, keep_run};
use crate::workflow::budget::{Spend, Usage, estimated_tokens};
use crate::workflow::children::Parent;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::plan::Intent;
use crate::workflow::state::{PhaseStatus, State};
use crate::workflow::why::{ModelTrouble, Why};
use course::{Candidate, Next, NextTurn, Times};

/// How long a run rests when an endpoint has as many calls under way as it may.
const UNTIL_FREE: TimeDelta = TimeDelta::seconds(1);

/// No endpoint is waited for longer, whatever it asks: a longer time than any run has, and one that can be counted.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(366);

/// How many texts are named that would have to be left out.
const NAMED: usize = 5;

/// One run of an agent by a model.
pub(super) struct Errand<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) inputs: &'a Inputs,
    pub(super) prompt: &'a Prompt,
    /// The run as it stands when it begins.
    pub(super) run: &'a Run,
    /// For an approver: what it is shown, and which time it is asked.
    pub(super) of_gate: Option<(Digest, u32)>,
}

impl Engine {
    /// Goes on with a run where its calls stand.
    pub(super) async fn ask_model(&self, errand: &Errand<'_>, named: &EndpointName) -> Result<Judged, Trouble> {
        let candidates = self.candidates(errand, named);
        let minutes = errand
            .state()
            .definition
            .phase(errand.task.phase)
            .map_or(0, |phase| phase.limits.minutes);
        let deadline = errand.run.started_at + TimeDelta::minutes(i64::from(minutes));
        loop {
            let calls = self.calls_settled(errand.state(), &errand.run.id).await?;
            let site = &self.parts().site;
            let now = self.now();
            let times = Times {
                now,
                deadline: match site {
                    // Whoever waits at a terminal is told at once what is in the way, and tries again.
                    Site::Folder(_) => now,
                    Site::GitHub(_) => deadline,
                },
            };
            let judge = |text: &str| judge(site, &errand.task.agent, text, errand.inputs);
            match course::next(&calls, &candidates, times, judge) {
                Next::Take(draft) => {
                    let (answer, endpoint) = last_answer(&calls).unwrap_or_default();
                    let mut draft = *draft;
                    draft.notes.splice(0..0, passed_over(&calls, &candidates, &endpoint));
                    return Ok(Judged::Proposed {
                        draft: Box::new(draft),
                        answer,
                        provider: format!("http:{endpoint}"),
                    });
                }
                Next::NeedsPerson(why) => {
                    let answer = last_answer(&calls).map(|(answer, _)| answer);
                    return Ok(Judged::NeedsPerson { why, answer });
                }
                Next::Wait { until, why } => {
                    return Err(Trouble::Parked {
                        until,
                        why,
                        beside: Write::of(self.card_again(errand, &format!("waits:{}", calls.len()))?),
                    });
                }
                // A call may take minutes: people may have ended the workflow meanwhile.
                Next::Ask { .. } if !calls.is_empty() && !self.still_wanted(errand).await? => {
                    let told = self.card_again(errand, &format!("ends:{}", calls.len()))?;
                    self.store().write(Write::of(told)).await?;
                    return Ok(Judged::NotWanted);
                }
                Next::Ask { endpoint, turn } => {
                    if let Some(why) = self.call(errand, endpoint, &turn, &calls).await? {
                        let answer = last_answer(&calls).map(|(answer, _)| answer);
                        return Ok(Judged::NeedsPerson { why, answer });
                    }
                }
            }
        }
    }

    /// Whether the run is still the one that its phase waits for.
    async fn still_wanted(&self, errand: &Errand<'_>) -> Result<bool, Trouble> {
        let Some(stored) = self.store().workflow(&errand.state().id).await? else {
            return Ok(false);
        };
        if let Some((digest, attempt)) = errand.of_gate {
            let goes_on = stored.state.hold.is_none();
            return Ok(goes_on && stored.state.awaits_ruling(errand.task.phase, digest, attempt));
        }
        let (run, at) = (errand.run, stored.state.at(errand.task.phase));
        let is_same = (at.iteration, at.attempt) == (run.iteration, run.attempt);
        let goes_on = stored.state.is_open() && stored.state.hold.is_none();
        Ok(goes_on && at.status == PhaseStatus::Running && is_same)
    }

    /// The calls of a run. One that is open was made by a process that is gone, or by nobody: only one process at a time
    /// has the lease of a run. It may have been paid for, so all that it reserved counts as spent.
    pub(super) async fn calls_settled(&self, state: &State, run: &str) -> Result<Vec<Call>, Trouble> {
        let mut calls = self.store().calls_of_run(run).await?;
        for call in calls.iter_mut().filter(|call| call.end == CallEnd::Open) {
            let now = self.now();
            call.above = above(state).map(|above| above.as_str().to_owned()).collect();
            self.store()
                .write(call.closed(&CallEnd::Lost, call.reserved, now)?)
                .await?;
            crate::figures::model_call(&call.endpoint, CallEnd::Lost.word(), call.reserved);
            tracing::warn!(call = %call.id, "a call was lost; what it reserved counts as spent");
            (call.end, call.spent, call.ended_at) = (CallEnd::Lost, call.reserved, Some(now));
        }
        Ok(calls)
    }

    /// The endpoint that the repository names, and those that the server lists in its place.
    fn candidates<'a>(&'a self, errand: &Errand<'_>, named: &'a EndpointName) -> Vec<Candidate<'a>> {
        let models = &self.parts().models;
        let failover = models.endpoint(named.as_str()).map(|endpoint| endpoint.failover.iter());
        std::iter::once(named)
            .chain(failover.into_iter().flatten())
            .map(|name| Candidate {
                name: name.as_str(),
                endpoint: match models.endpoint(name.as_str()) {
                    Some(endpoint) => unusable(endpoint, errand).map_or(Ok(endpoint), Err),
                    None => Err(ModelTrouble::NotOffered),
                },
            })
            .collect()
    }

    /// Makes one call and keeps how it ended. `Some` when a cap is in its way.
    async fn call(
        &self,
        errand: &Errand<'_>,
        endpoint: &Endpoint,
        turn: &NextTurn,
        before: &[Call],
    ) -> Result<Option<Why>, Trouble> {
        let asked = match turn {
            NextTurn::First => String::new(),
            NextTurn::Repair { problems, .. } => {
                agents::repair(&errand.task.agent, problems).map_err(|error| Trouble::Never(error.to_string()))?
            }
        };
        let turns = turns(errand, turn, &asked);
        let schema = errand.task.agent.schema_value();
        let question = errand.question(&turns, &schema);
        let input = tokens(endpoint, &question);
        let most = Usage {
            input,
            cached: 0,
            output: u64::from(endpoint.max_output_tokens),
        };
        if let NextTurn::Repair { problems, .. } = turn
            && most.input + most.output > u64::from(endpoint.context_tokens)
        {
            // With its first answer in the talk there is no room for a second.
            let problems = problems.iter().map(ToString::to_string).collect();
            return Ok(Some(Why::Unusable(problems)));
        }
        let state = errand.state();
        let new = NewCall {
            run: errand.run.id.clone(),
            number: u32::try_from(before.len() + 1).unwrap_or(u32::MAX),
            workflow: state.id.clone(),
            above: above(state).cloned().collect(),
            repository: state.subject.repository,
            person: state.asked_by().id,
            endpoint: endpoint.name.to_string(),
            model: endpoint.model.clone(),
            currency: self.parts().models.currency.clone(),
            turn: turn.kind(),
            asked,
            reserved: most.spend(endpoint.price.as_ref()),
            started_at: self.now(),
        };
        let models = &self.parts().models;
        let bounds = Bounds {
            caps: &models.caps.tightened_by(&errand.task.config.caps),
            concurrency: endpoint.concurrency,
        };
        let mut beside = Write::of(keep_run(errand.run, &state.id, state.subject.repository));
        beside.push(self.card_again(errand, &format!("asks:{}", new.number))?);
        let fence = errand.task.job.effect.heartbeat(self.now() + LEASE);
        let call = match self.store().open_call(fence, &new, bounds, beside).await? {
            Opened::Open(call) => call,
            Opened::CapReached(reached) => return Ok(Some(Why::Cap(reached))),
            Opened::Occupied => {
                return Err(Trouble::Parked {
                    until: self.now() + UNTIL_FREE,
                    why: occupied(endpoint.name.as_str()),
                    beside: Write::of(self.card_again(errand, &format!("queued:{}", new.number))?),
                });
            }
            Opened::LeaseLost => return Err(lease_lost()),
        };
        self.wake();
        let said = self.ask_keeping_the_lease(errand.task.job, endpoint, &question).await?;
        let failed_before = before
            .iter()
            .filter(|call| call.endpoint == endpoint.name.as_str() && matches!(call.end, CallEnd::Failed(_)));
        let (end, spent) = self.ended(endpoint, input, said, failed_before.count());
        crate::figures::model_call(endpoint.name.as_str(), end.word(), spent);
        self.store().write(call.closed(&end, spent, self.now())?).await?;
        Ok(None)
    }

    /// Asks, and holds the run's lease meanwhile: a model may take longer than a lease lasts.
    async fn ask_keeping_the_lease(
        &self,
        job: &Job<'_>,
        endpoint: &Endpoint,
        question: &Question<'_>,
    ) -> Result<Result<Completion, Failure>, Trouble> {
        let every = (LEASE / 3).to_std().unwrap_or_default();
        let asking = self.parts().model_client.ask(endpoint, question);
        tokio::pin!(asking);
        loop {
            tokio::select! {
                said = &mut asking => return Ok(said),
                () = tokio::time::sleep(every) => {
                    let held = job.effect.heartbeat(self.now() + LEASE);
                    self.store().write(Write::of(held)).await?;
                }
            }
        }
    }

    /// How a call ended, and what it took.
    fn ended(
        &self,
        endpoint: &Endpoint,
        input: u64,
        said: Result<Completion, Failure>,
        failed_before: usize,
    ) -> (CallEnd, Spend) {
        match said {
            Ok(completion) => {
                let (usage, counted_by) = match completion.usage {
                    Some(usage) => (usage, CountedBy::Endpoint),
                    None => (
                        Usage {
                            input,
                            cached: 0,
                            output: estimated_tokens(&completion.text),
                        },
                        CountedBy::Us,
                    ),
                };
                let (finish, declined) = match completion.finish {
                    http::Finish::Complete => (Finish::Complete, String::new()),
                    http::Finish::Truncated => (Finish::Truncated, String::new()),
                    http::Finish::Refused(said) => (Finish::Declined, said),
                };
                let answered = Answered {
                    text: completion.text,
                    finish,
                    declined,
                    usage,
                    counted_by,
                    model: completion.model,
                };
                (CallEnd::Answered(answered), usage.spend(endpoint.price.as_ref()))
            }
            Err(failure) => {
                let rested = rest(u32::try_from(failed_before).unwrap_or(u32::MAX).saturating_add(1));
                let asked_for = retry_after(&failure);
                let spent = match failure {
                    // It may have been answered, and paid for, without our seeing it.
                    Failure::BrokenOff(_) => Usage {
                        input,
                        cached: 0,
                        output: u64::from(endpoint.max_output_tokens),
                    },
                    _ => Usage::default(),
                };
                let failed = Failed {
                    kind: kind(&failure),
                    said: failure.to_string(),
                    retry_at: self.now() + asked_for.map_or(rested, |asked_for| asked_for.max(rested)),
                };
                (CallEnd::Failed(failed), spent.spend(endpoint.price.as_ref()))
            }
        }
    }

    /// The statement that has the card say what the run does now.
    fn card_again(&self, errand: &Errand<'_>, what: &str) -> Result<crate::store::Statement, Trouble> {
        let id = format!("{}:{what}", errand.run.id);
        Ok(self.workflow_effect(errand.task.stored, id, &Payload::Step(Intent::Card))?)
    }
}

impl Errand<'_> {
    fn state(&self) -> &State {
        &self.task.stored.state
    }

    fn question<'b>(&'b self, turns: &'b [http::Turn], schema: &'b serde_json::Value) -> Question<'b> {
        Question {
            system: &self.prompt.system,
            turns,
            schema_name: &self.task.agent.schema_name,
            schema,
        }
    }
}

fn lease_lost() -> Trouble {
    Trouble::Store(crate::store::StoreError::Missed { statement: 0 })
}

fn turns(errand: &Errand<'_>, turn: &NextTurn, asked: &str) -> Vec<http::Turn> {
    let prompt = errand.prompt.user.clone();
    match turn {
        NextTurn::First => vec![http::Turn::User(prompt)],
        // Vendors refuse an empty turn, so what was wrong with an empty answer is said behind the prompt.
        NextTurn::Repair { answer, .. } if answer.trim().is_empty() => {
            vec![http::Turn::User(format!("{prompt}\n\n{asked}"))]
        }
        NextTurn::Repair { answer, .. } => vec![
            http::Turn::User(prompt),
            http::Turn::Assistant(answer.clone()),
            http::Turn::User(asked.to_owned()),
        ],
    }
}

/// What a question will be counted as, by the length of all that is sent.
fn tokens(endpoint: &Endpoint, question: &Question<'_>) -> u64 {
    estimated_tokens(&http::body(endpoint, question).to_string())
}

fn retry_after(failure: &Failure) -> Option<TimeDelta> {
    match failure {
        Failure::Busy { retry_after, .. } => {
            retry_after.map(|after| TimeDelta::from_std(after).map_or(LONGEST_WAIT, |after| after.min(LONGEST_WAIT)))
        }
        _ => None,
    }
}

fn kind(failure: &Failure) -> FailureKind {
    match failure {
        Failure::Busy { .. } | Failure::Unreachable(_) | Failure::BrokenOff(_) => FailureKind::Busy,
        Failure::KeyRefused { .. } => FailureKind::KeyRefused,
        Failure::NotThere { .. } => FailureKind::NotThere,
        Failure::Refused { .. } => FailureKind::RequestRefused,
        Failure::NotTheDialect(_) => FailureKind::NotTheDialect,
    }
}

/// Why an endpoint cannot be asked for this run at all.
fn unusable(endpoint: &Endpoint, errand: &Errand<'_>) -> Option<ModelTrouble> {
    if !endpoint.allows(errand.task.job.full_name) {
        return Some(ModelTrouble::NotOffered);
    }
    if let Some(variable) = endpoint.missing_key() {
        return Some(ModelTrouble::KeyMissing {
            variable: variable.to_owned(),
        });
    }
    let turns = [http::Turn::User(errand.prompt.user.clone())];
    let schema = errand.task.agent.schema_value();
    let needed = tokens(endpoint, &errand.question(&turns, &schema)) + u64::from(endpoint.max_output_tokens);
    let takes = u64::from(endpoint.context_tokens);
    (needed > takes).then(|| ModelTrouble::ContextTooSmall {
        needed,
        takes,
        without: without(errand.inputs, needed - takes),
    })
}

/// The texts, oldest first, without which so many tokens fewer are needed; none when all of them would not do.
fn without(inputs: &Inputs, over: u64) -> Vec<String> {
    let thread = match inputs {
        Inputs::Thread(thread) => thread,
        Inputs::Material(material) => &material.thread,
        Inputs::Mailing(_) => return Vec::new(),
    };
    let mut freed = 0;
    let mut names = Vec::new();
    for entry in thread.visible().iter().filter(|entry| entry.comment_id != 0) {
        if freed >= over {
            break;
        }
        freed += estimated_tokens(&entry.text);
        names.push(format!(
            "the comment by {} of {}",
            entry.author,
            entry.created_at.format("%Y-%m-%d %H:%M")
        ));
    }
    if freed < over {
        return Vec::new();
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names
}

/// The text and the endpoint of the last answer.
fn last_answer(calls: &[Call]) -> Option<(String, String)> {
    calls.iter().rev().find_map(|call| match &call.end {
        CallEnd::Answered(answered) => Some((answered.text.clone(), call.endpoint.clone())),
        _ => None,
    })
}

/// For the card: who was to be asked first, and why somebody else was.
fn passed_over(calls: &[Call], candidates: &[Candidate<'_>], answered_by: &str) -> Vec<String> {
    candidates
        .iter()
        .take_while(|candidate| candidate.name != answered_by)
        .map(|candidate| {
            let failed = calls.iter().rev().find_map(|call| match &call.end {
                CallEnd::Failed(failed) if call.endpoint == candidate.name => Some(failed.said.clone()),
                _ => None,
            });
            let why = match (&candidate.endpoint, failed) {
                (Err(trouble), _) => crate::chat::say::why::model_trouble(candidate.name, trouble),
                (Ok(_), Some(said)) => said,
                (Ok(_), None) => "it was not reached".to_owned(),
            };
            format!(
                "`http:{answered_by}` was asked in the place of `http:{}`: {why}",
                candidate.name
            )
        })
        .collect()
}

/// The workflows above one, on whose account its calls are too.
fn above(state: &State) -> impl Iterator<Item = &WorkflowId> {
    state.parent.iter().flat_map(Parent::ancestors)
}

impl Engine {
    /// The calls of a workflow's children and of theirs, which count for its cap.
    async fn calls_below(&self, state: &State) -> Result<Vec<Call>, Trouble> {
        let children = |state: &State| -> Vec<WorkflowId> {
            let all = state.phases.values().flat_map(|phase| phase.children.values());
            all.map(|child| child.workflow.clone()).collect()
        };
        let mut open = children(state);
        let mut calls = Vec::new();
        while let Some(child) = open.pop() {
            calls.extend(self.store().calls_of_workflow(&child).await?);
            if let Some(stored) = self.store().workflow(&child).await? {
                open.extend(children(&stored.state));
            }
        }
        Ok(calls)
    }

    /// Why an agent's run, or an approver's, waits until other calls have ended.
    async fn queued(&self, state: &State) -> Result<Option<String>, Trouble> {
        if !state.is_open() {
            return Ok(None);
        }
        let endpoints = &self.parts().models.endpoints;
        let occupied: Vec<String> = endpoints
            .iter()
            .map(|endpoint| occupied(endpoint.name.as_str()))
            .collect();
        let due = self.store().open_effects(&state.id).await?;
        let mut reasons = due.into_iter().filter_map(|effect| effect.last_error);
        Ok(reasons.find(|reason| occupied.contains(reason)))
    }

    /// What a workflow's models took so far and do now; nothing where none was ever asked.
    /// `config` is the repository's, where it can be read.
    pub(super) async fn spending(
        &self,
        config: Option<&RepositoryConfig>,
        state: &State,
    ) -> Result<Option<Spending>, Trouble> {
        let calls = self.store().calls_of_workflow(&state.id).await?;
        let below = self.calls_below(state).await?;
        let queued = self.queued(state).await?;
        if calls.is_empty() && below.is_empty() && queued.is_none() {
            return Ok(None);
        }
        let models = &self.parts().models;
        let caps = config.map_or(models.caps, |config| models.caps.tightened_by(&config.caps));
        let at_work = state.first_at(&[PhaseStatus::Running]).is_some();
        let now = calls.last().and_then(|last| match &last.end {
            CallEnd::Open if at_work && state.is_open() => Some(Asking::UnderWay {
                endpoint: last.endpoint.clone(),
                most: last.reserved,
            }),
            CallEnd::Failed(failed) if at_work && state.is_open() => Some(Asking::Waits {
                endpoint: last.endpoint.clone(),
                until: failed.retry_at,
                said: failed.said.clone(),
            }),
            _ => None,
        });
        let now = now.or(queued.map(Asking::Queued));
        Ok(Some(Spending {
            spent: total(calls.iter().chain(&below)),
            cap: caps.workflow,
            currency: models.currency.clone(),
            now,
        }))
    }
}
