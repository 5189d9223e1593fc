//! What a run of a model does next, from what became of its calls so far. Pure, so that a restart goes on where the last
//! process stopped, and a table can test every turn of it.

use crate::agents::{Draft, Problem};
use crate::config::Endpoint;
use crate::store::calls::{Answered, Call, CallEnd, Failed, FailureKind, Finish, Turn};
use crate::workflow::state::Timestamp;
use crate::workflow::why::{ModelTrouble, Why};

/// How often an endpoint may fail in one turn before another is asked in its place.
const FAILURES: usize = 2;

/// An endpoint that a run may ask: the one that the repository names, then those that the server lists in its place.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    /// The endpoint, or why it cannot be asked at all.
    pub(super) endpoint: Result<&'a Endpoint, ModelTrouble>,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Next<'a> {
    /// Ask this endpoint.
    Ask { endpoint: &'a Endpoint, turn: NextTurn },
    /// Nothing before this moment.
    Wait { until: Timestamp, why: String },
    /// An answer holds.
    Take(Box<Draft>),
    /// A person must look.
    NeedsPerson(Why),
}

/// What is said to the model.
#[derive(Debug, PartialEq)]
pub(super) enum NextTurn {
    /// The prompt.
    First,
    /// That this answer could not be used, and why.
    Repair { answer: String, problems: Vec<Problem> },
}

impl NextTurn {
    pub(super) fn kind(&self) -> Turn {
        match self {
            Self::First => Turn::First,
            Self::Repair { .. } => Turn::Repair,
        }
    }
}

/// The times of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    /// After it no call is begun but the first.
    pub(super) deadline: Timestamp,
}

/// What to do next, from the run's calls in their order.
pub(super) fn next<'a>(
    calls: &[Call],
    candidates: &[Candidate<'a>],
    times: Times,
    judge: impl Fn(&str) -> Result<Draft, Vec<Problem>>,
) -> Next<'a> {
    let mut turn = NextTurn::First;
    let mut answered_by = None;
    let mut tried: Vec<&Call> = Vec::new();
    for call in calls {
        let CallEnd::Answered(answered) = &call.end else {
            tried.push(call);
            continue;
        };
        tried.clear();
        match judged(call, answered, candidates, &judge) {
            Ok(draft) => return Next::Take(Box::new(draft)),
            Err(Rejected::ForGood(why)) => return Next::NeedsPerson(why),
            Err(Rejected::Repairable(problems)) => {
                answered_by = Some(call.endpoint.as_str());
                turn = NextTurn::Repair {
                    answer: answered.text.clone(),
                    problems,
                };
            }
        }
    }
    let so_far = SoFar {
        calls,
        tried,
        answered_by,
        times,
    };
    match so_far.choose(candidates) {
        Err(why) => Next::NeedsPerson(why),
        Ok(endpoint) => so_far.ask(endpoint, turn),
    }
}

/// What is known when somebody must be asked.
struct SoFar<'c> {
    /// All calls of the run.
    calls: &'c [Call],
    /// Those of this turn.
    tried: Vec<&'c Call>,
    /// Whose answer is to be corrected.
    answered_by: Option<&'c str>,
    times: Times,
}

enum Rejected {
    Repairable(Vec<Problem>),
    ForGood(Why),
}

fn judged(
    call: &Call,
    answered: &Answered,
    candidates: &[Candidate<'_>],
    judge: impl Fn(&str) -> Result<Draft, Vec<Problem>>,
) -> Result<Draft, Rejected> {
    let trouble = |trouble| {
        Rejected::ForGood(Why::Model {
            endpoint: call.endpoint.clone(),
            trouble,
        })
    };
    match answered.finish {
        Finish::Declined => Err(trouble(ModelTrouble::Declined {
            said: answered.declined.clone(),
        })),
        Finish::Truncated => {
            let endpoint = candidates.iter().find(|candidate| candidate.name == call.endpoint);
            let most = endpoint.and_then(|candidate| candidate.endpoint.as_ref().ok());
            Err(trouble(ModelTrouble::Truncated {
                most: most.map_or(0, |endpoint| endpoint.max_output_tokens),
            }))
        }
        Finish::Complete => judge(&answered.text).map_err(|problems| {
            if call.turn == Turn::First && problems.iter().all(Problem::is_repairable) {
                Rejected::Repairable(problems)
            } else {
                Rejected::ForGood(Why::Unusable(problems.iter().map(ToString::to_string).collect()))
            }
        }),
    }
}

impl SoFar<'_> {
    /// The first candidate that can be asked in time and has not failed too often in this turn, beginning with the one
    /// whose answer is to be corrected; if there is none, the one that failed least.
    fn choose<'a>(&self, candidates: &[Candidate<'a>]) -> Result<&'a Endpoint, Why> {
        let mut ordered: Vec<&Candidate<'a>> = candidates.iter().collect();
        ordered.sort_by_key(|candidate| self.answered_by != Some(candidate.name));
        let mut stumbling: Option<((bool, usize), &'a Endpoint)> = None;
        let mut first_trouble: Option<Why> = None;
        for candidate in ordered {
            // What is wrong for good with an endpoint was so before an answer of another, and is after it.
            let failed_for_good = || self.calls.iter().find_map(|call| for_good(call, candidate));
            let usable = match &candidate.endpoint {
                Ok(endpoint) => failed_for_good().map_or(Ok(*endpoint), Err),
                Err(trouble) => Err(trouble.clone()),
            };
            match usable {
                Err(trouble) => {
                    first_trouble.get_or_insert(Why::Model {
                        endpoint: candidate.name.to_owned(),
                        trouble,
                    });
                }
                Ok(endpoint) => {
                    let failures = self.failures(candidate.name).count();
                    let too_late = self.due(candidate.name) > self.times.deadline && !self.calls.is_empty();
                    if failures < FAILURES && !too_late {
                        return Ok(endpoint);
                    }
                    let rank = (too_late, failures);
                    if stumbling.is_none_or(|(least, _)| rank < least) {
                        stumbling = Some((rank, endpoint));
                    }
                }
            }
        }
        match (stumbling, first_trouble) {
            (Some((_, endpoint)), _) => Ok(endpoint),
            (None, Some(why)) => Err(why),
            (None, None) => Err(Why::Failed("no model endpoint is configured".to_owned())),
        }
    }

    fn ask<'a>(&self, endpoint: &'a Endpoint, turn: NextTurn) -> Next<'a> {
        let name = endpoint.name.as_str();
        let last = self.failures(name).last();
        let due = self.due(name);
        if !self.calls.is_empty() && due > self.times.deadline {
            return Next::NeedsPerson(Why::Model {
                endpoint: name.to_owned(),
                trouble: ModelTrouble::GaveUp {
                    calls: u32::try_from(self.calls.len()).unwrap_or(u32::MAX),
                    said: last.map_or_else(
                        || "the time for this run is over".to_owned(),
                        |failed| failed.said.clone(),
                    ),
                },
            });
        }
        if due > self.times.now {
            return Next::Wait {
                until: due,
                why: last.map_or_else(String::new, |failed| format!("http:{name}: {}", failed.said)),
            };
        }
        Next::Ask { endpoint, turn }
    }

    /// How an endpoint failed in this turn. A lost call says nothing of its endpoint: the process that made it ended.
    fn failures(&self, name: &str) -> impl Iterator<Item = &Failed> {
        let at = self.tried.iter().filter(move |call| call.endpoint == name);
        at.filter_map(|call| match &call.end {
            CallEnd::Failed(failed) => Some(failed),
            _ => None,
        })
    }

    /// The first moment at which an endpoint may be asked.
    fn due(&self, name: &str) -> Timestamp {
        let asked_for = self.failures(name).last().map(|failed| failed.retry_at);
        asked_for.unwrap_or(self.times.now).max(self.times.now)
    }
}

/// What a call showed to be wrong with an endpoint that no second try will change.
fn for_good(call: &Call, candidate: &Candidate<'_>) -> Option<ModelTrouble> {
    let CallEnd::Failed(failed) = &call.end else {
        return None;
    };
    let endpoint = candidate.endpoint.as_ref().ok()?;
    if call.endpoint != candidate.name {
        return None;
    }
    let said = failed.said.clone();
    match failed.kind {
        FailureKind::Busy => None,
        FailureKind::KeyRefused => Some(ModelTrouble::KeyRefused {
            variable: endpoint.key_env.clone(),
            said,
        }),
        FailureKind::NotThere => Some(ModelTrouble::NotThere {
            model: endpoint.model.clone(),
            said,
        }),
        FailureKind::RequestRefused => Some(ModelTrouble::RequestRefused { said }),
        FailureKind::NotTheDialect => Some(ModelTrouble::NotTheDialect { found: said }),
    }
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
