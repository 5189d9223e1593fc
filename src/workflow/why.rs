//! Why a phase waits for a person, or failed.

use serde::{Deserialize, Serialize};

use super::budget::{Money, Scope};

/// Why a phase waits for a person, or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The manual provider was chosen: a person answers the prompt.
    ManualProvider,
    /// An answer did not hold what it must; the sentences say what.
    Unusable(Vec<String>),
    /// The prompt holds what must not leave; the sentence says which kind of thing.
    Withheld(String),
    /// It asked people something.
    Questions,
    /// Not every child completed.
    Children,
    /// More issues were opened than the phase may have children.
    TooManyItems {
        /// How many there are.
        items: u32,
        /// The most children.
        most: u32,
    },
    /// A cap on what may be spent is in the way.
    Cap(CapReached),
    /// A model could not be asked, or gave no answer to judge.
    Model {
        /// The endpoint's name.
        endpoint: String,
        /// What happened.
        trouble: ModelTrouble,
    },
    /// An act or a run failed for good.
    Failed(String),
}

/// Why a phase waits for a person, or failed, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyKind {
    /// The manual provider was chosen: a person answers the prompt.
    ManualProvider,
    /// An answer did not hold what it must.
    Unusable,
    /// The prompt holds what must not leave.
    Withheld,
    /// It asked people something.
    Questions,
    /// Not every child completed.
    Children,
    /// More issues were opened than the phase may have children.
    TooManyItems,
    /// A cap on what may be spent is in the way.
    Cap,
    /// A model could not be asked, or gave no answer to judge.
    Model,
    /// An act or a run failed for good.
    Failed,
}

impl Why {
    /// Which it is, without anybody's words.
    pub fn kind(&self) -> WhyKind {
        match self {
            Self::ManualProvider => WhyKind::ManualProvider,
            Self::Unusable(_) => WhyKind::Unusable,
            Self::Withheld(_) => WhyKind::Withheld,
            Self::Questions => WhyKind::Questions,
            Self::Children => WhyKind::Children,
            Self::TooManyItems { .. } => WhyKind::TooManyItems,
            Self::Cap(_) => WhyKind::Cap,
            Self::Model { .. } => WhyKind::Model,
            Self::Failed(_) => WhyKind::Failed,
        }
    }
}

/// Which cap is in the way, and by how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapReached {
    /// What the cap is on.
    pub scope: Scope,
    /// The figures.
    pub figures: Figures,
}

/// The figures of a cap, in its own unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figures {
    /// In tokens.
    Tokens {
        /// The cap.
        cap: u64,
        /// What is spent.
        spent: u64,
        /// What the next call may take.
        wanted: u64,
    },
    /// In money.
    Money {
        /// The cap.
        cap: Money,
        /// What is spent.
        spent: Money,
        /// What the next call may take.
        wanted: Money,
        /// What it is counted in.
        currency: String,
    },
}

/// Why a model gave no answer to judge. Its own words are shortened where they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelTrouble {
    /// The server's configuration has no such endpoint, or does not offer it to this repository.
    NotOffered,
    /// The variable that holds its key is not set.
    KeyMissing {
        /// The variable's name.
        variable: String,
    },
    /// It does not take the key.
    KeyRefused {
        /// The name of the variable that holds it, where one is configured.
        variable: Option<String>,
        /// Its words.
        said: String,
    },
    /// It does not know the model, or the address is wrong.
    NotThere {
        /// The model that it was asked for.
        model: String,
        /// Its words.
        said: String,
    },
    /// What answers there does not speak the configured dialect.
    NotTheDialect {
        /// What was found.
        found: String,
    },
    /// It does not take the request.
    RequestRefused {
        /// Its words.
        said: String,
    },
    /// The prompt and the answer do not fit.
    ContextTooSmall {
        /// Tokens that are needed.
        needed: u64,
        /// Tokens that it takes.
        takes: u64,
        /// What would have to be left out, the oldest first.
        without: Vec<String>,
    },
    /// It would not answer.
    Declined {
        /// Its words; empty where it gave none.
        said: String,
    },
    /// The answer was cut off at the most that it may write.
    Truncated {
        /// `max_output_tokens`.
        most: u32,
    },
    /// It could not be asked within the phase's time.
    GaveUp {
        /// How many calls were tried.
        calls: u32,
        /// What the last one ended with.
        said: String,
    },
}
