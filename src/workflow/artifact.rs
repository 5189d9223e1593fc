//! What is proposed, and the digest that an approval names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::act::{Act, ActKey};
use super::ids::{Digest, IssueNumber, PhaseId, RepositoryId, WorkflowId};
use super::state::PhaseStatus;

/// A stage of a phase: what will be asked, or what came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// What will be asked.
    Prompt,
    /// What came back.
    #[default]
    Response,
}

impl Stage {
    /// The status of a phase whose proposal of this stage waits at its gate.
    pub fn gate(self) -> PhaseStatus {
        match self {
            Self::Prompt => PhaseStatus::Draft,
            Self::Response => PhaseStatus::ReadyForReview,
        }
    }
}

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewVerdict {
    /// It can go on.
    Pass,
    /// It goes back.
    Fail,
}

impl std::fmt::Display for ReviewVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        })
    }
}

/// Where a proposal's acts reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// The repository that is written to.
    pub repository: RepositoryId,
    /// The issue or pull request that the workflow is about.
    pub subject: IssueNumber,
    /// All that will be done, in order, spelt out.
    pub acts: Vec<Act>,
}

/// A proposal whole: everything that its digest covers. Stored by its digest, shown on the card, and executed from
/// this record only, so that nothing else can be executed under an approval of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The workflow that it belongs to: an approval is valid in no other.
    pub workflow: WorkflowId,
    /// The phase that made it.
    pub phase: PhaseId,
    /// The phase's iteration.
    pub iteration: u32,
    /// The stage.
    pub stage: Stage,
    /// The artifact's schema, such as `tasks.v1`.
    pub schema: String,
    /// The artifact.
    pub artifact: Value,
    /// What it would do, and where.
    pub targets: Targets,
}

impl Proposal {
    /// The keys of its acts, in order.
    pub fn act_keys(&self) -> Vec<ActKey> {
        self.targets.acts.iter().map(|act| act.key.clone()).collect()
    }

    /// The verdict that its artifact holds, where its schema has one. Agents put the host's own there.
    pub fn verdict(&self) -> Option<ReviewVerdict> {
        serde_json::from_value(self.artifact.get("verdict")?.clone()).ok()
    }

    /// How many questions its artifact asks people: none where it says that it knows enough.
    pub fn questions(&self) -> u32 {
        let enough = self.artifact["enough_information"].as_bool() == Some(true);
        let count = self.artifact["questions"].as_array().map_or(0, Vec::len);
        match enough {
            true => 0,
            false => u32::try_from(count).unwrap_or(u32::MAX),
        }
    }

    /// The digest that people approve: SHA-256 over the canonical JSON (RFC 8785) of the whole.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}
