//! What thinking costs: tokens, money, and the caps on both.
//!
//! Money is counted in millionths of the server's currency, so that a single token of a cheap model is still a number.
//! Where an endpoint has no price, money is unknown (`None`), which is never the same as zero.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in millionths of the server's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// How many parts make one unit of the currency.
    pub const PARTS: i64 = 1_000_000;

    /// What `tokens` cost at this price for a million of them, rounded up.
    pub fn for_tokens(self, tokens: u64) -> Self {
        let exact = i128::from(self.0) * i128::from(tokens);
        let rounded = exact.div_euclid(1_000_000) + i128::from(exact.rem_euclid(1_000_000) > 0);
        Self(i64::try_from(rounded).unwrap_or(i64::MAX))
    }

    /// The sum, at most what can be counted.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Money {
    /// At least two decimals, and more only as far as the amount needs them: `0.50`, `0.000125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, parts) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let unit = Self::PARTS.unsigned_abs();
        let decimals = format!("{:06}", parts % unit);
        let shown = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{}.{}", parts / unit, &decimals[..shown])
    }
}

/// What was used, or may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spend {
    /// Tokens, in and out together.
    pub tokens: u64,
    /// Money; `None` where a price is not known.
    pub money: Option<Money>,
}

/// What one endpoint asks for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// For what it is given.
    pub input: Money,
    /// For the part of what it is given that it had kept from before.
    pub cached: Money,
    /// For what it writes.
    pub output: Money,
}

/// The tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// What it was given, whole, the cached part included.
    pub input: u64,
    /// The part of `input` that the endpoint had kept from before.
    pub cached: u64,
    /// What it wrote, thoughts that are not shown included.
    pub output: u64,
}

impl Usage {
    /// What these tokens are at a price.
    pub fn spend(&self, price: Option<&Price>) -> Spend {
        let cached = self.cached.min(self.input);
        let money = price.map(|price| {
            let fresh = price.input.for_tokens(self.input - cached);
            fresh
                .plus(price.cached.for_tokens(cached))
                .plus(price.output.for_tokens(self.output))
        });
        Spend {
            tokens: self.input.saturating_add(self.output),
            money,
        }
    }
}

/// Tokens of a text, counted by us where no endpoint counts: bytes by 3.5, rounded up.
pub fn estimated_tokens(text: &str) -> u64 {
    tokens_in(u64::try_from(text.len()).unwrap_or(u64::MAX))
}

/// The same of a text of so many bytes.
pub fn tokens_in(bytes: u64) -> u64 {
    bytes.saturating_mul(2).div_ceil(7)
}

/// What a cap is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One run of an agent, its repair turn and its retries included.
    Run,
    /// One workflow, whole.
    Workflow,
    /// One repository on one day (UTC).
    Repository,
    /// One person who asked, on one day (UTC), over all repositories.
    Person,
    /// The whole server on one day (UTC).
    Day,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 5] = [Self::Run, Self::Workflow, Self::Repository, Self::Person, Self::Day];

    /// As configuration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Workflow => "workflow",
            Self::Repository => "repository",
            Self::Person => "person",
            Self::Day => "day",
        }
    }
}

/// The most that may be spent in one scope; `None` is no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cap {
    /// In tokens.
    pub tokens: Option<u64>,
    /// In money.
    pub money: Option<Money>,
}

/// The caps of every scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Caps {
    /// Of one run.
    pub run: Cap,
    /// Of one workflow.
    pub workflow: Cap,
    /// Of a repository on one day.
    pub repository: Cap,
    /// Of a person on one day.
    pub person: Cap,
    /// Of the server on one day.
    pub day: Cap,
}

impl Caps {
    /// The cap of a scope.
    pub fn of(&self, scope: Scope) -> Cap {
        match scope {
            Scope::Run => self.run,
            Scope::Workflow => self.workflow,
            Scope::Repository => self.repository,
            Scope::Person => self.person,
            Scope::Day => self.day,
        }
    }

    /// These caps and others together: of two caps on the same thing the lower one holds.
    #[must_use]
    pub fn tightened_by(&self, other: &Self) -> Self {
        Self {
            run: self.run.tightened_by(other.run),
            workflow: self.workflow.tightened_by(other.workflow),
            repository: self.repository.tightened_by(other.repository),
            person: self.person.tightened_by(other.person),
            day: self.day.tightened_by(other.day),
        }
    }
}

impl Cap {
    fn tightened_by(self, other: Self) -> Self {
        Self {
            tokens: lower(self.tokens, other.tokens),
            money: lower(self.money, other.money),
        }
    }
}

fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_as_many_decimals_as_it_needs() {
        for (parts, text) in [
            (0, "0.00"),
            (1, "0.000001"),
            (125, "0.000125"),
            (500_000, "0.50"),
            (1_234_500, "1.2345"),
            (-20_000, "-0.02"),
        ] {
            assert_eq!(Money(parts).to_string(), text);
        }
    }

    #[test]
    fn a_spend_counts_cached_tokens_once_and_rounds_up() {
        let price = Price {
            input: Money(3_000_000),
            cached: Money(300_000),
            output: Money(15_000_000),
        };
        let usage = Usage {
            input: 1_001,
            cached: 1_000,
            output: 10,
        };
        let spend = usage.spend(Some(&price));
        assert_eq!(spend.tokens, 1_011);
        assert_eq!(spend.money, Some(Money(3 + 300 + 150)));
        assert_eq!(usage.spend(None).money, None, "an unknown price is not zero");
        assert_eq!(Money(1).for_tokens(1), Money(1), "a part of a part counts whole");
        assert_eq!(Money(i64::MAX).for_tokens(u64::MAX), Money(i64::MAX));
    }

    #[test]
    fn of_two_caps_the_lower_holds() {
        let caps = |tokens| Caps {
            run: Cap { tokens, money: None },
            ..Caps::default()
        };
        assert_eq!(caps(Some(5)).tightened_by(&caps(Some(7))), caps(Some(5)));
        assert_eq!(caps(None).tightened_by(&caps(Some(7))), caps(Some(7)));
        assert_eq!(caps(Some(7)).tightened_by(&caps(None)), caps(Some(7)));
    }

    #[test]
    fn tokens_are_estimated_upwards() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("abcdefg"), 2);
        assert_eq!(estimated_tokens("abcdefgh"), 3);
    }
}
