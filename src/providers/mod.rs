//! Providers: where an agent's text comes from. Whatever it is, the agent's checks judge its answer alike.

pub mod http;
pub mod rules;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::agents::{Agent, Inputs};

/// Where an agent's text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Fixed rules: offline, free, the same answer every time.
    Rules,
    /// A person: `/prompt` shows the prompt, `/respond` gives the answer.
    Manual,
}

impl Provider {
    /// Every provider.
    pub const ALL: &[Self] = &[Self::Rules, Self::Manual];

    /// As configuration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no provider; there are `rules` and `manual`"))
    }
}

/// What a provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Text to be judged.
    Given(String),
    /// A person must answer.
    NeedsPerson,
}

/// Asks a provider. The prompt is what a person is shown; the rules work from the inputs themselves.
pub fn ask(provider: Provider, agent: &Agent, inputs: &Inputs) -> Answer {
    match provider {
        Provider::Rules => rules::answer(agent, inputs).map_or(Answer::NeedsPerson, Answer::Given),
        Provider::Manual => Answer::NeedsPerson,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::{AGENTS, fixtures};

    #[test]
    fn names_are_read_back_and_others_refused() {
        for provider in Provider::ALL {
            assert_eq!(provider.to_string().parse(), Ok(*provider));
        }
        assert!("gpt".parse::<Provider>().unwrap_err().contains("`rules` and `manual`"));
    }

    #[test]
    fn the_rules_answer_what_they_know_and_a_person_answers_the_rest() {
        let thread = Inputs::Thread(fixtures::thread(&[("alice", "hello")]));
        for agent in AGENTS {
            assert_eq!(ask(Provider::Manual, agent, &thread), Answer::NeedsPerson);
            let given = matches!(ask(Provider::Rules, agent, &thread), Answer::Given(_));
            assert_eq!(given, agent.name == "extract", "{}", agent.name);
        }
    }
}
