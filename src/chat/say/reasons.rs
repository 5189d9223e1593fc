//! Reasons that stand on a card or in an answer as the end of a sentence: why an approval does not count, why an act was
//! not carried out, why an agent's run failed.

use crate::workflow::ids::PhaseId;

/// The proposal was erased.
pub const NOT_STORED: &str = "what was approved is not stored any more";
/// Something else would be carried out.
pub const NOT_WHAT_WAS_APPROVED: &str = "what would be executed is not what was approved";
/// The proposal has no such act.
pub const NOT_PART_OF_IT: &str = "the act is not part of what was approved";
/// Its gate has no people.
pub const NOBODY_IS_ASKED: &str = "its gate asks for nobody";
/// What somebody approves cannot be read.
pub const GONE: &str = "what is to be approved is gone";
/// No answer came, for a reason that nobody told.
pub const NO_ANSWER: &str = "GitHub did not answer";
/// A mail that was stopped while it was sent.
pub const MAIL_STOPPED: &str = "an attempt may have been taken before it was stopped";
/// A mail of which an earlier attempt is in doubt.
pub const MAIL_NOT_AGAIN: &str = "an earlier attempt may have been taken; it is not sent again";
/// A mail whose server was silent.
pub const MAIL_SILENT: &str = "the mail server did not answer in time";
/// A GitHub without sub-issues or dependencies.
pub const NOT_OFFERED: &str = "this GitHub does not offer it";
/// A link between issues, one of which there is not.
pub const NEVER_OPENED: &str = "one of the two issues was not opened";
/// A mail about nothing.
pub const NO_ISSUE: &str = "no issue was opened";
/// A prompt on record that this program cannot read.
pub const PROMPT_UNREAD: &str = "the prompt that was approved cannot be read";

/// A file that was named when the workflow started is not there any more.
pub fn file_is_gone(path: &str, input: &str) -> String {
    format!("{path}, given for {input}, is gone")
}

/// A definition of a later program names an agent that this one has not.
pub fn no_agent(phase: &PhaseId) -> String {
    format!("this version of the program has no agent for {phase}")
}

/// What a run was given was kept by another program.
pub fn inputs_unread(error: &serde_json::Error) -> String {
    format!("its inputs cannot be read: {error}")
}

/// Beside a comparison: why it has no scores by a model.
pub fn not_scored(why: &str) -> String {
    format!("No model scored the variants: {why}")
}
