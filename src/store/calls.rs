//! Calls of models, and the books of what they may spend.
//!
//! A call is opened in one transaction that reserves the most that it may take from every account that it is on, and
//! closed in one that gives the reservation back and writes down what it took. So two calls that want the last of a cap
//! cannot both have it, and after a crash the books still say what is out: whoever finds a call open that nobody makes
//! any more closes it as lost, with all that was reserved as spent, because it may have been paid for.

mod books;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::budget::{Caps, Money, Spend, Usage};
use crate::workflow::ids::{RepositoryId, UserId, WorkflowId};
use crate::workflow::state::Timestamp;
use crate::workflow::why::CapReached;

use books::{OnBooks, reserve, settle};

/// A call to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// The run that it is part of.
    pub run: String,
    /// Which of the run's calls it is, from 1.
    pub number: u32,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The workflows above it, whose caps hold for it too.
    pub above: Vec<WorkflowId>,
    /// Its repository.
    pub repository: RepositoryId,
    /// Who asked for the run.
    pub person: UserId,
    /// The endpoint's name.
    pub endpoint: String,
    /// The model that is asked for.
    pub model: String,
    /// What its money is counted in.
    pub currency: String,
    /// Which turn it is.
    pub turn: Turn,
    /// What is said beyond the run's prompt.
    pub asked: String,
    /// The most that it may take.
    pub reserved: Spend,
    /// When it begins.
    pub started_at: Timestamp,
}

/// Which turn of a run a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The prompt.
    First,
    /// What was wrong with the first answer.
    Repair,
}

/// A call as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its id: the run's and its number.
    pub id: String,
    /// The run that it is part of.
    pub run: String,
    /// Which of the run's calls it is, from 1.
    pub number: u32,
    /// The workflow.
    pub workflow: String,
    /// The workflows above it, where they are known: what closes it must name them.
    #[serde(skip)]
    pub above: Vec<String>,
    /// The repository's id.
    pub repository: u64,
    /// The id of the person who asked for the run.
    pub person: u64,
    /// The day (UTC) whose caps it counts for.
    pub day: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The model that was asked for.
    pub model: String,
    /// What its money is counted in.
    pub currency: String,
    /// Which turn it is.
    pub turn: Turn,
    /// What was said beyond the run's prompt.
    pub asked: String,
    /// How it ended.
    pub end: CallEnd,
    /// The most that it could take.
    pub reserved: Spend,
    /// What counts as spent; nothing while it is open.
    pub spent: Spend,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CallEnd {
    /// It has not.
    Open,
    /// With an answer.
    Answered(Answered),
    /// Without one.
    Failed(Failed),
    /// Nobody knows: the process that made it is gone. It may have been paid for.
    Lost,
}

impl CallEnd {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered(_) => "answered",
            Self::Failed(_) => "failed",
            Self::Lost => "lost",
        }
    }
}

/// An answer that was paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The text as it came.
    pub text: String,
    /// Why the model stopped.
    pub finish: Finish,
    /// What it said where it would not answer.
    pub declined: String,
    /// The tokens.
    pub usage: Usage,
    /// Who counted them.
    pub counted_by: CountedBy,
    /// The model that the endpoint says answered.
    pub model: Option<String>,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything.
    Complete,
    /// It reached the most that it may write.
    Truncated,
    /// It would not answer.
    Declined,
}

/// Who counted the tokens of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// The endpoint.
    Endpoint,
    /// We did, by the length of the texts: the endpoint does not say.
    Us,
}

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// What happened, in one line, without the key.
    pub said: String,
    /// Not before this moment may the endpoint be asked again.
    pub retry_at: Timestamp,
}

/// What a failed call says of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It may work later.
    Busy,
    /// The key was refused.
    KeyRefused,
    /// No such model, or a wrong address.
    NotThere,
    /// It does not take the request.
    RequestRefused,
    /// What answered does not speak the dialect.
    NotTheDialect,
}

/// What opening a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It may be made now.
    Open(Box<Call>),
    /// A cap is in the way.
    CapReached(CapReached),
    /// The endpoint has as many calls under way as it may, or others have reserved the rest of a cap: it may be free soon.
    Occupied,
    /// The effect that wants it is not ours any more.
    LeaseLost,
}

/// What binds a call that is opened.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The caps that hold.
    pub caps: &'a Caps,
    /// How many calls the endpoint may have under way.
    pub concurrency: u32,
}

impl Store {
    /// Opens a call: `fence` must hold, and every account must have room for what it reserves. `beside` is kept with it.
    ///
    /// # Errors
    /// Whatever the database says; a cap, a full endpoint and a lost lease are answers.
    pub async fn open_call(
        &self,
        fence: Statement,
        call: &NewCall,
        bounds: Bounds<'_>,
        beside: Write,
    ) -> Result<Opened, StoreError> {
        let call = call.opened();
        let reservation = reserve(&call.books(), call.reserved, bounds);
        let mut write = Write::of(fence);
        let first = write.0.len();
        for account in &reservation {
            if account.exceeds_alone() {
                return account.refused(self, &call.currency).await;
            }
            write.push(account.statement());
        }
        write.push(call.insert());
        write.append(beside);
        match self.write(write).await {
            Ok(_) => Ok(Opened::Open(Box::new(call))),
            Err(StoreError::Missed { statement: 0 }) => Ok(Opened::LeaseLost),
            Err(StoreError::Missed { statement }) => match reservation.get(statement.wrapping_sub(first)) {
                Some(account) => account.refused(self, &call.currency).await,
                None => Err(StoreError::Missed { statement }),
            },
            Err(error) => Err(error),
        }
    }

    /// The calls of a run, in order.
    pub async fn calls_of_run(&self, run: &str) -> Result<Vec<Call>, StoreError> {
        const OF_RUN: &str = "SELECT * FROM calls WHERE run_id = $1 ORDER BY number";
        self.read(OF_RUN, values![run]).await?.iter().map(call).collect()
    }

    /// The calls of a workflow, in order.
    pub async fn calls_of_workflow(&self, workflow: &WorkflowId) -> Result<Vec<Call>, StoreError> {
        const OF_WORKFLOW: &str = "SELECT * FROM calls WHERE workflow_id = $1 ORDER BY started_at, id";
        let rows = self.read(OF_WORKFLOW, values![workflow]).await?;
        rows.iter().map(call).collect()
    }
}

impl NewCall {
    /// The call as it is while it is under way.
    fn opened(&self) -> Call {
        Call {
            id: format!("{}:{}", self.run, self.number),
            run: self.run.clone(),
            number: self.number,
            workflow: self.workflow.as_str().to_owned(),
            above: self.above.iter().map(|above| above.as_str().to_owned()).collect(),
            repository: self.repository.0,
            person: self.person.0,
            day: self.started_at.date_naive().to_string(),
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            currency: self.currency.clone(),
            turn: self.turn,
            asked: self.asked.clone(),
            end: CallEnd::Open,
            reserved: self.reserved,
            spent: Spend::default(),
            started_at: self.started_at,
            ended_at: None,
        }
    }
}

impl Call {
    /// Whose books it is on.
    fn books(&self) -> OnBooks<'_> {
        OnBooks {
            run: &self.run,
            workflow: &self.workflow,
            above: &self.above,
            repository: self.repository,
            person: self.person,
            day: &self.day,
            endpoint: &self.endpoint,
        }
    }

    fn insert(&self) -> Statement {
        Statement::new(
            "INSERT INTO calls (id, run_id, number, workflow_id, repository_id, person_id, day, endpoint, model,
                currency, turn, asked, state, reserved_tokens, reserved_money, started_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            values![
                &self.id,
                &self.run,
                self.number,
                &self.workflow,
                self.repository,
                self.person,
                &self.day,
                &self.endpoint,
                &self.model,
                &self.currency,
                word(&self.turn),
                &self.asked,
                self.end.word(),
                self.reserved.tokens,
                self.reserved.money.map(|money| money.0),
                micros(self.started_at),
            ],
        )
        .exactly(1)
    }

    /// The write that closes it: how it ended, and what it took. It holds once; who comes second misses.
    pub fn closed(&self, end: &CallEnd, spent: Spend, now: Timestamp) -> Result<Write, StoreError> {
        let (answered, failed) = match end {
            CallEnd::Open => return Err(StoreError::Broken("a call cannot end open".to_owned())),
            CallEnd::Answered(answered) => (Some(answered), None),
            CallEnd::Failed(failed) => (None, Some(failed)),
            CallEnd::Lost => (None, None),
        };
        let usage = answered.map(|answered| answered.usage);
        let failure = match (failed, answered.map(|answered| answered.declined.as_str())) {
            (Some(failed), _) => Some(serde_json::to_string(failed)?),
            (None, Some(declined)) if !declined.is_empty() => Some(serde_json::to_string(declined)?),
            _ => None,
        };
        let close = Statement::new(
            "UPDATE calls SET state = $2, input_tokens = $3, cached_tokens = $4, output_tokens = $5, counted_by = $6,
                tokens = $7, money = $8, answer = $9, finish = $10, answered_model = $11, failure = $12, ended_at = $13
            WHERE id = $1 AND state = 'open'",
            values![
                &self.id,
                end.word(),
                usage.map(|usage| usage.input),
                usage.map(|usage| usage.cached),
                usage.map(|usage| usage.output),
                answered.map(|answered| word(&answered.counted_by)),
                spent.tokens,
                spent.money.map(|money| money.0),
                answered.map(|answered| answered.text.as_str()),
                answered.map(|answered| word(&answered.finish)),
                answered.and_then(|answered| answered.model.as_deref()),
                failure,
                micros(now),
            ],
        )
        .exactly(1);
        let mut write = Write::of(close);
        for statement in settle(&self.books(), self.reserved, spent) {
            write.push(statement);
        }
        Ok(write)
    }

    /// How long it took, once it has ended.
    pub fn took(&self) -> Option<Duration> {
        (self.ended_at? - self.started_at).to_std().ok()
    }
}

/// What calls took together. Money is unknown as soon as one of them has no price.
pub fn total<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Spend {
    let ended = calls.into_iter().filter(|call| call.end != CallEnd::Open);
    ended.fold(
        Spend {
            tokens: 0,
            money: Some(Money(0)),
        },
        |sum, call| Spend {
            tokens: sum.tokens.saturating_add(call.spent.tokens),
            money: sum.money.zip(call.spent.money).map(|(sum, more)| sum.plus(more)),
        },
    )
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn named<T: for<'de> Deserialize<'de>>(word: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_value(serde_json::Value::String(word.to_owned()))?)
}

fn call(row: &Row) -> Result<Call, StoreError> {
    let money = |column| Ok::<_, StoreError>(row.opt_int(column)?.map(Money));
    let count = |column| Ok::<_, StoreError>(row.opt_id(column)?.unwrap_or_default());
    let end = match row.text("state")? {
        "open" => CallEnd::Open,
        "lost" => CallEnd::Lost,
        "failed" => CallEnd::Failed(row.json("failure")?),
        _ => CallEnd::Answered(Answered {
            text: row.opt_text("answer")?.unwrap_or_default().to_owned(),
            finish: named(row.text("finish")?)?,
            declined: match row.opt_text("failure")? {
                Some(_) => row.json("failure")?,
                None => String::new(),
            },
            usage: Usage {
                input: count("input_tokens")?,
                cached: count("cached_tokens")?,
                output: count("output_tokens")?,
            },
            counted_by: named(row.text("counted_by")?)?,
            model: row.opt_text("answered_model")?.map(str::to_owned),
        }),
    };
    Ok(Call {
        id: row.text("id")?.to_owned(),
        run: row.text("run_id")?.to_owned(),
        number: u32::try_from(row.int("number")?).unwrap_or(u32::MAX),
        workflow: row.text("workflow_id")?.to_owned(),
        above: Vec::new(),
        repository: row.id("repository_id")?,
        person: row.id("person_id")?,
        day: row.text("day")?.to_owned(),
        endpoint: row.text("endpoint")?.to_owned(),
        model: row.text("model")?.to_owned(),
        currency: row.text("currency")?.to_owned(),
        turn: named(row.text("turn")?)?,
        asked: row.text("asked")?.to_owned(),
        end,
        reserved: Spend {
            tokens: row.id("reserved_tokens")?,
            money: money("reserved_money")?,
        },
        spent: Spend {
            tokens: row.id("tokens")?,
            money: money("money")?,
        },
        started_at: moment(row.int("started_at")?),
        ended_at: row.opt_int("ended_at")?.map(moment),
    })
}

#[cfg(test)]
mod tests;
