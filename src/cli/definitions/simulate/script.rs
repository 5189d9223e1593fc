//! What a script of a walk says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{MessageFormatter as _, UserMessageFormatter};

use super::judged;
use crate::workflow::act::ActKey;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::children::ChildStanding;
use crate::workflow::ids::PhaseId;
use crate::workflow::right::Right;
use crate::workflow::variants::Letter;

/// What happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// What is given for the definition's inputs.
    #[serde(default)]
    pub(super) given: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// An agent's run ended.
    Ran(Ran),
    /// The approver of a gate decided, or could not be asked.
    Ruled(judged::Ruled),
    /// The checks of a gate were read.
    Checked(judged::Checked),
    /// One act, or all that are left, were carried out.
    Acted(Acted),
    /// An act failed for good.
    ActFailed(OfPhase),
    /// Somebody approves what is shown.
    Approve(Approve),
    /// Somebody says no.
    Reject(Said),
    /// Somebody asks for another iteration.
    Revise(Said),
    /// Somebody answers in the agent's place.
    Respond(Respond),
    /// Somebody takes an approval back.
    Unapprove(By),
    /// Somebody stops it.
    Hold(Said),
    /// Somebody lets it go on.
    Unhold(By),
    /// Somebody chooses a variant.
    Choose(Choose),
    /// Somebody has it tried again, or a variant made anew.
    Retry(Retry),
    /// Somebody ends it.
    Cancel(Said),
    /// Time passes; the open gate's timer fires where it is due.
    WaitHours(u32),
    /// A child stands otherwise than before.
    Child(ChildStep),
    /// Somebody goes on without what is not done.
    Skip(Said),
    /// The subject was closed.
    Closed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ran {
    pub(super) phase: Option<PhaseId>,
    pub(super) result: Outcome,
    pub(super) verdict: Option<ReviewVerdict>,
    /// How many acts the proposal has; by default one where a phase carries them out.
    pub(super) acts: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    #[default]
    Proposed,
    Prompted,
    Failed,
    NeedsPerson,
    Nothing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Acted {
    pub(super) phase: Option<PhaseId>,
    pub(super) all: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfPhase {
    pub(super) phase: Option<PhaseId>,
}

/// A child by the act that opened its issue; without one, the first that has not ended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChildStep {
    pub(super) phase: Option<PhaseId>,
    pub(super) key: Option<ActKey>,
    pub(super) standing: ChildEnd,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChildEnd {
    Open,
    Stopped,
    Completed,
    Cancelled,
    Refused,
}

impl ChildEnd {
    pub(super) fn standing(self) -> ChildStanding {
        let said = || "the script says so".to_owned();
        match self {
            Self::Open => ChildStanding::Open,
            Self::Stopped => ChildStanding::Stopped { phase: said() },
            Self::Completed => ChildStanding::Completed,
            Self::Cancelled => ChildStanding::Cancelled { reason: said().into() },
            Self::Refused => ChildStanding::Refused { why: said() },
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "goes on",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
            Self::Cancelled => "was cancelled",
            Self::Refused => "could not be started",
        }
    }
}

/// Who, and with which right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct By {
    pub(super) by: String,
    pub(super) right: Right,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Approve {
    pub(super) by: String,
    pub(super) right: Right,
    pub(super) verdict: Option<ReviewVerdict>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Said {
    pub(super) by: String,
    pub(super) right: Right,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Respond {
    pub(super) by: String,
    pub(super) right: Right,
    pub(super) phase: Option<PhaseId>,
    pub(super) verdict: Option<ReviewVerdict>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choose {
    #[serde(default = "somebody")]
    pub(super) by: String,
    #[serde(default = "admin")]
    pub(super) right: Right,
    pub(super) variant: Letter,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {
    #[serde(default = "somebody")]
    pub(super) by: String,
    #[serde(default = "admin")]
    pub(super) right: Right,
    pub(super) variant: Option<Letter>,
}

fn somebody() -> String {
    SOMEBODY.to_owned()
}

fn admin() -> Right {
    Right::Admin
}

/// Who speaks where a step names nobody.
pub(super) const SOMEBODY: &str = "alice";

impl Default for By {
    fn default() -> Self {
        Self {
            by: SOMEBODY.to_owned(),
            right: Right::Admin,
        }
    }
}

impl Default for Approve {
    fn default() -> Self {
        let By { by, right } = By::default();
        Self {
            by,
            right,
            verdict: None,
        }
    }
}

impl Default for Said {
    fn default() -> Self {
        let By { by, right } = By::default();
        Self {
            by,
            right,
            text: "because the script says so".to_owned(),
        }
    }
}

impl Default for Respond {
    fn default() -> Self {
        let By { by, right } = By::default();
        Self {
            by,
            right,
            phase: None,
            verdict: None,
        }
    }
}

impl Step {
    /// The command that a step is to a person on GitHub.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve",
            Self::Reject(_) => "reject",
            Self::Revise(_) => "revise",
            Self::Respond(_) => "respond",
            Self::Unapprove(_) => "unapprove",
            Self::Hold(_) => "hold",
            Self::Unhold(_) => "unhold",
            Self::Choose(_) => "choose",
            Self::Retry(_) => "retry",
            Self::Cancel(_) => "cancel",
            Self::Skip(_) => "skip",
            Self::Ran(_)
            | Self::Ruled(_)
            | Self::Checked(_)
            | Self::Acted(_)
            | Self::ActFailed(_)
            | Self::WaitHours(_)
            | Self::Child(_)
            | Self::Closed => "status",
        }
    }
}

impl Step {
    /// The phase that a step names, where it names one.
    pub(super) fn phase(&self) -> Option<&PhaseId> {
        match self {
            Self::Ran(ran) => ran.phase.as_ref(),
            Self::Ruled(ruled) => ruled.phase.as_ref(),
            Self::Checked(checked) => checked.phase.as_ref(),
            Self::Acted(acted) => acted.phase.as_ref(),
            Self::ActFailed(of) => of.phase.as_ref(),
            Self::Respond(respond) => respond.phase.as_ref(),
            Self::Child(child) => child.phase.as_ref(),
            _ => None,
        }
    }
}

impl Outcome {
    /// In a word or two.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Prompted => "prompted",
            Self::Failed => "failed",
            Self::NeedsPerson => "needs a person",
            Self::Nothing => "nothing to propose",
        }
    }
}

/// Reads a script.
pub(super) fn read(script: &str) -> Result<Script, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(script, options).map_err(|error| {
        let at = error.location();
        let place = at.map(|at| format!("line {}, column {}: ", at.line(), at.column()));
        let what = UserMessageFormatter
            .format_message(error.without_snippet())
            .into_owned();
        format!("not a script: {}{what}", place.unwrap_or_default())
    })
}
