//! All that is kept of one workflow, as it was written, and whether it fits together.

use chrono::SubsecRound as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deliveries::moment;
use super::history::{Record, first_broken_record, wrong_words};
use super::mails::KeptMail;
use super::runs::Run;
use super::{Row, Store, StoreError};
use crate::values;
use crate::workflow::apply::fold;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, WorkflowId};
use crate::workflow::state::{State, Timestamp};
use crate::workflow::words::{WithoutWords, altered};

/// A workflow whole: what the events say, and everything that they name by digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its id.
    pub id: WorkflowId,
    /// `owner/name` when it last changed.
    pub repository: String,
    /// Its history.
    pub records: Vec<Record>,
    /// The fold as it is stored; a text where that is no JSON.
    pub state: Value,
    /// How many events the fold says it has.
    pub version: i64,
    /// The hash of the last event, as the workflow's row has it.
    pub chain: String,
    /// The proposals, by digest.
    pub artifacts: Vec<Artifact>,
    /// What agents were asked and answered, oldest first.
    pub runs: Vec<KeptRun>,
    /// The mails that went out, or may have.
    pub mails: Vec<KeptMail>,
}

/// A proposal as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its digest.
    pub digest: String,
    /// The proposal.
    pub body: Value,
    /// What is shown beside it and not covered by the digest.
    pub beside: Value,
    /// When it was made.
    pub at: Timestamp,
}

/// A run with the digests that were kept beside its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    /// The run.
    pub run: Run,
    /// The prompt's digest.
    pub prompt_digest: String,
    /// The answer's digest.
    pub answer_digest: Option<String>,
}

/// An effect, for the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectRecord {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What was to be done.
    pub payload: Value,
    /// `ready`, `inflight`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// How many times it was claimed.
    pub attempt: i64,
    /// Whether an attempt may have reached the outside without our knowing.
    pub doubt: bool,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was first claimed.
    pub first_sent_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What came of it.
    pub result: Option<String>,
    /// Why the last attempt was put off.
    pub last_error: Option<String>,
}

/// A gate as it was opened and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateRecord {
    /// The phase.
    pub phase: String,
    /// Its iteration.
    pub iteration: i64,
    /// What was shown.
    pub digest: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// How it was answered.
    pub answer: Option<String>,
    /// The id of the person who did.
    pub answered_by: Option<u64>,
    /// When.
    pub answered_at: Option<Timestamp>,
}

/// How often a workflow that changes meanwhile is read anew.
const TRIES: usize = 8;

impl Store {
    /// All that is kept of a workflow, as of one moment.
    ///
    /// # Errors
    /// Whatever the database says, and [`StoreError::Unavailable`] when the workflow keeps changing.
    pub async fn kept(&self, id: &WorkflowId) -> Result<Option<Kept>, StoreError> {
        for _ in 0..TRIES {
            let Some(kept) = self.kept_now(id).await? else {
                return Ok(None);
            };
            let after = self.head(id).await?;
            if after.is_some_and(|after| after == (kept.version, kept.chain.clone())) {
                return Ok(Some(kept));
            }
        }
        Err(StoreError::Unavailable(format!("the workflow {id} kept changing")))
    }

    async fn head(&self, id: &WorkflowId) -> Result<Option<(i64, String)>, StoreError> {
        const HEAD: &str = "SELECT version, chain FROM workflows WHERE id = $1";
        let rows = self.read(HEAD, values![id]).await?;
        rows.first()
            .map(|row| Ok((row.int("version")?, row.text("chain")?.to_owned())))
            .transpose()
    }

    async fn kept_now(&self, id: &WorkflowId) -> Result<Option<Kept>, StoreError> {
        const ROW: &str = "SELECT repository, state, version, chain FROM workflows WHERE id = $1";
        let rows = self.read(ROW, values![id]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Kept {
            id: id.clone(),
            repository: row.text("repository")?.to_owned(),
            records: self.records(id).await?,
            state: lenient(row.text("state")?),
            version: row.int("version")?,
            chain: row.text("chain")?.to_owned(),
            artifacts: self.artifacts_of(id).await?,
            runs: self.kept_runs_of(id).await?,
            mails: self.mails_of(id).await?,
        }))
    }

    /// The proposals of a workflow, in the order of their making.
    pub async fn artifacts_of(&self, workflow: &WorkflowId) -> Result<Vec<Artifact>, StoreError> {
        const ALL: &str = "SELECT digest, body, extra, at FROM artifacts WHERE workflow_id = $1 ORDER BY at, digest";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                Ok(Artifact {
                    digest: row.text("digest")?.to_owned(),
                    body: lenient(row.text("body")?),
                    beside: lenient(row.text("extra")?),
                    at: moment(row.int("at")?),
                })
            })
            .collect()
    }

    /// The runs of a workflow with the digests of their texts, oldest first.
    pub async fn kept_runs_of(&self, workflow: &WorkflowId) -> Result<Vec<KeptRun>, StoreError> {
        const ALL: &str = "SELECT * FROM runs WHERE workflow_id = $1 ORDER BY started_at, id";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                Ok(KeptRun {
                    run: super::runs::run(row)?,
                    prompt_digest: row.text("prompt_digest")?.to_owned(),
                    answer_digest: row.opt_text("answer_digest")?.map(str::to_owned),
                })
            })
            .collect()
    }

    /// Every effect of a workflow, in the order of planning.
    pub async fn effects_of(&self, workflow: &WorkflowId) -> Result<Vec<EffectRecord>, StoreError> {
        const ALL: &str =
            "SELECT id, kind, payload, state, attempt, doubt, created_at, first_sent_at, ended_at, result,
            last_error FROM effects WHERE workflow_id = $1 ORDER BY seq";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                Ok(EffectRecord {
                    id: row.text("id")?.to_owned(),
                    kind: row.text("kind")?.to_owned(),
                    payload: lenient(row.text("payload")?),
                    state: row.text("state")?.to_owned(),
                    attempt: row.int("attempt")?,
                    doubt: row.flag("doubt")?,
                    created_at: moment(row.int("created_at")?),
                    first_sent_at: opt_moment(row, "first_sent_at")?,
                    ended_at: opt_moment(row, "ended_at")?,
                    result: row.opt_text("result")?.map(str::to_owned),
                    last_error: row.opt_text("last_error")?.map(str::to_owned),
                })
            })
            .collect()
    }

    /// Every gate of a workflow, in the order of opening.
    pub async fn gates_of(&self, workflow: &WorkflowId) -> Result<Vec<GateRecord>, StoreError> {
        const ALL: &str = "SELECT phase, iteration, digest, opened_at, answer, answered_by, answered_at FROM gates
            WHERE workflow_id = $1 ORDER BY opened_at, phase, iteration, digest";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter()
            .map(|row| {
                Ok(GateRecord {
                    phase: row.text("phase")?.to_owned(),
                    iteration: row.int("iteration")?,
                    digest: row.text("digest")?.to_owned(),
                    opened_at: moment(row.int("opened_at")?),
                    answer: row.opt_text("answer")?.map(str::to_owned),
                    answered_by: row.opt_id("answered_by")?,
                    answered_at: opt_moment(row, "answered_at")?,
                })
            })
            .collect()
    }

    /// The ids of every workflow, the oldest first.
    pub async fn workflow_ids(&self) -> Result<Vec<WorkflowId>, StoreError> {
        let rows = self
            .read("SELECT id FROM workflows ORDER BY started_at, id", values![])
            .await?;
        rows.iter().map(|row| Ok(row.text("id")?.into())).collect()
    }
}

fn opt_moment(row: &Row, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.opt_int(column)?.map(moment))
}

/// What cannot be read stays as the text that it is: it is to be named, not to be in the way.
fn lenient(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about: `event 3`, `artifact 0123…`, `prompt of …`, `guidelines of …`, `answer of …`,
    /// `mail …` or `state`.
    pub what: String,
    /// What is wrong with it.
    pub wrong: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.wrong)
    }
}

impl Kept {
    /// Everything that does not fit together: the chain first, then the texts of people, the events, the fold, the
    /// artifacts, the runs, the mails.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Findings(Vec::new());
        self.chain(&mut findings);
        self.words(&mut findings);
        let events = self.events(&mut findings);
        self.fold(&events, &mut findings);
        self.artifacts(&events, &mut findings);
        self.runs(&mut findings);
        self.mails(&mut findings);
        findings.0
    }

    fn chain(&self, findings: &mut Findings) {
        if let Some(seq) = first_broken_record(&self.records) {
            findings.add(
                format!("event {seq}"),
                "it, or its place, was changed: its hash does not follow from what is written",
            );
            return;
        }
        let count = self.records.len();
        let last = self
            .records
            .last()
            .map(|record| record.hash.as_str())
            .unwrap_or_default();
        if last != self.chain || i64::try_from(count) != Ok(self.version) {
            let of = self.version;
            findings.add(
                format!(
                    "event {}",
                    count + usize::from(of > i64::try_from(count).unwrap_or(i64::MAX))
                ),
                format!("the workflow's row names another last event: it has {of} events there, and {count} are kept"),
            );
        }
    }

    /// The texts of people, of which the chain covers the digests alone, and the comparison of states nothing.
    fn words(&self, findings: &mut Findings) {
        for record in &self.records {
            if let Some(place) = altered(&record.event) {
                findings.add(format!("event {}", record.seq), wrong_words(&place));
            }
        }
        if let Some(place) = altered(&self.state) {
            findings.add("state", wrong_words(&place));
        }
    }

    fn events(&self, findings: &mut Findings) -> Vec<(Event, Timestamp)> {
        let mut events = Vec::new();
        for record in &self.records {
            match record.read() {
                Ok(event) => events.push((event, record.at)),
                Err(error) => findings.add(format!("event {}", record.seq), format!("it cannot be read: {error}")),
            }
        }
        events
    }

    fn fold(&self, events: &[(Event, Timestamp)], findings: &mut Findings) {
        if events.len() != self.records.len() {
            return;
        }
        let Some(folded) = fold(events.iter().map(|(event, at)| (event, *at))) else {
            return findings.add(
                "event 1",
                "a history begins with the start of its workflow, and this does not",
            );
        };
        if folded.id != self.id {
            findings.add("event 1", format!("it starts the workflow {}", folded.id));
        }
        match State::deserialize(&self.state) {
            Ok(stored) => {
                if let Some(place) = difference(&self.state, &stored, &folded) {
                    findings.add("state", format!("it is not what the events lead to: {place} differs"));
                }
            }
            Err(error) => findings.add("state", format!("it cannot be read: {error}")),
        }
    }

    fn artifacts(&self, events: &[(Event, Timestamp)], findings: &mut Findings) {
        for artifact in &self.artifacts {
            if Digest::of(&artifact.body).to_string() != artifact.digest {
                findings.add(
                    format!("artifact {}", artifact.digest),
                    "it was changed: it has another digest now",
                );
            }
        }
        for (event, seq) in events.iter().map(|(event, _)| event).zip(1..) {
            if let Event::Proposed { digest, .. } = event
                && !self
                    .artifacts
                    .iter()
                    .any(|artifact| artifact.digest == digest.to_string())
            {
                findings.add(
                    format!("artifact {digest}"),
                    format!("it is named by event {seq} and is not kept"),
                );
            }
        }
    }

    fn runs(&self, findings: &mut Findings) {
        let digest = |text: &str| Digest::of_bytes(text.as_bytes()).to_string();
        for kept in &self.runs {
            let run = &kept.run;
            if digest(&run.prompt) != kept.prompt_digest {
                findings.add(
                    format!("prompt of {}", run.id),
                    "it was changed: it has another digest now",
                );
            }
            if let Some(wrong) = altered_guidelines(&run.inputs) {
                findings.add(format!("guidelines of {}", run.id), wrong);
            }
            if run.answer.as_deref().map(digest) != kept.answer_digest {
                findings.add(
                    format!("answer of {}", run.id),
                    "it was changed: it has another digest now",
                );
            }
        }
    }

    fn mails(&self, findings: &mut Findings) {
        for mail in &self.mails {
            if Digest::of_bytes(&mail.raw).to_string() != mail.digest {
                findings.add(
                    format!("mail {}", mail.message_id),
                    "it was changed: it has another digest now",
                );
            }
        }
    }
}

/// What is wrong with the guidelines that a run was given, by the digest beside their text. A text that was cut is not the
/// one that was digested.
fn altered_guidelines(inputs: &str) -> Option<&'static str> {
    let inputs: Value = serde_json::from_str(inputs).ok()?;
    let guide = inputs.get("guide")?;
    let text = guide["of"]["found"].get("given")?;
    let whole = text.get("cut_at").is_none();
    let is = Digest::of_bytes(guide["text"].as_str().unwrap_or_default().as_bytes()).to_string();
    (whole && text["sha256"] != is).then_some("they were changed: they have another digest now")
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: impl Into<String>, wrong: impl Into<String>) {
        self.0.push(Finding {
            what: what.into(),
            wrong: wrong.into(),
        });
    }
}

/// The first place where a stored state is not what the events lead to. Texts of people do not count: those may be erased
/// from the events or from the state, and both still hold. What another version of the program wrote may lack what that
/// version did not know, and is none the worse: it is folded again before it is used.
fn difference(written: &Value, stored: &State, folded: &State) -> Option<String> {
    let meaning = |state: &State| {
        let whole = serde_json::to_value(state).unwrap_or_default();
        serde_json::to_value(WithoutWords(&whole)).unwrap_or_default()
    };
    let stored_by_another = stored.fold != folded.fold;
    let folded = State {
        fold: stored.fold,
        ..folded.clone()
    };
    let (mut stored, mut folded) = (meaning(stored), meaning(&folded));
    in_microseconds(&mut stored);
    in_microseconds(&mut folded);
    if stored_by_another {
        keep_written(&mut stored, written);
        keep_written(&mut folded, written);
    }
    let mut path = Vec::new();
    first_difference(&stored, &folded, &mut path);
    (stored != folded).then(|| path.join("."))
}

/// Cuts times to what the database keeps of an event's: earlier versions wrote states with the clock's finer digits.
fn in_microseconds(state: &mut Value) {
    match state {
        Value::String(text) => {
            if let Ok(time) = text.parse::<Timestamp>() {
                *state = serde_json::to_value(time.trunc_subsecs(6)).unwrap_or_default();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(in_microseconds),
        Value::Object(members) => members.values_mut().for_each(in_microseconds),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes out what the state as it was written does not have.
fn keep_written(state: &mut Value, written: &Value) {
    match (state, written) {
        (Value::Object(state), Value::Object(written)) => {
            state.retain(|key, _| written.contains_key(key));
            for (key, value) in state {
                if let Some(written) = written.get(key) {
                    keep_written(value, written);
                }
            }
        }
        (Value::Array(state), Value::Array(written)) => {
            for (value, written) in state.iter_mut().zip(written) {
                keep_written(value, written);
            }
        }
        _ => {}
    }
}

fn first_difference(one: &Value, other: &Value, path: &mut Vec<String>) {
    let pairs: Vec<(String, Option<&Value>, Option<&Value>)> = match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            keys.map(|key| (key.clone(), one.get(key), other.get(key))).collect()
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .map(|at| (at.to_string(), one.get(at), other.get(at)))
            .collect(),
        _ => return,
    };
    for (key, one, other) in pairs {
        if one != other {
            path.push(key);
            if let (Some(one), Some(other)) = (one, other) {
                first_difference(one, other, path);
            }
            return;
        }
    }
}
