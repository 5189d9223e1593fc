//! Caps and money as both files write them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::{ConfigError, Document};
use crate::workflow::budget::{Cap, Caps, Money, Scope};

/// Far above any use, far below what cannot be counted exactly.
pub(super) const MOST_TOKENS: u64 = 1_000_000_000_000;
/// In units of the currency. Below it six decimals are told apart in a double.
pub(super) const MOST_MONEY: f64 = 1_000_000_000.0;

// The text on the fields is what editors show from the schema; `$comment` is what a mistake in the number adds.

/// The most that may be spent.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCap {
    /// In tokens, in and out together.
    #[serde(default)]
    #[schemars(
        with = "u64",
        range(min = 1, max = MOST_TOKENS),
        extend("$comment" = "give a positive cap, or remove it")
    )]
    tokens: Option<u64>,
    /// In money, with at most six decimals.
    #[serde(default)]
    #[schemars(
        with = "f64",
        extend(
            "exclusiveMinimum" = 0,
            "maximum" = MOST_MONEY,
            "$comment" = "give a positive cap, or remove it"
        )
    )]
    money: Option<f64>,
}

/// The most that may be spent by this server. What is left out keeps its default.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerCaps {
    /// One run of an agent, with its repair turn and its retries. Default: 200000 tokens
    #[serde(default)]
    run: FileCap,
    /// One workflow, whole. Default: 1000000 tokens
    #[serde(default)]
    workflow: FileCap,
    /// One repository on one day (UTC). Default: 5000000 tokens
    #[serde(default)]
    repository: FileCap,
    /// One person who asked, on one day (UTC), over all repositories. Default: 2000000 tokens
    #[serde(default)]
    person: FileCap,
    /// The whole server on one day (UTC). Default: 10000000 tokens
    #[serde(default)]
    day: FileCap,
}

/// The most that models may cost here. A repository can only lower what the server allows.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RepositoryCaps {
    /// One run of an agent, with its repair turn and its retries.
    #[serde(default)]
    run: FileCap,
    /// One workflow, whole.
    #[serde(default)]
    workflow: FileCap,
    /// This repository on one day (UTC).
    #[serde(default)]
    repository: FileCap,
    /// One person who asked here, on one day (UTC).
    #[serde(default)]
    person: FileCap,
}

impl ServerCaps {
    /// The caps, those that are left out from `default`. `above` is where they stand in the file.
    pub(super) fn read(&self, default: Caps, reader: &mut Amounts<'_>, above: &[&str]) -> Caps {
        let mut read = |file, scope: Scope| reader.cap(file, default.of(scope), above, scope);
        Caps {
            run: read(&self.run, Scope::Run),
            workflow: read(&self.workflow, Scope::Workflow),
            repository: read(&self.repository, Scope::Repository),
            person: read(&self.person, Scope::Person),
            day: read(&self.day, Scope::Day),
        }
    }
}

impl RepositoryCaps {
    /// The caps; what is left out is no cap. `above` is where they stand in the file.
    pub(super) fn read(&self, reader: &mut Amounts<'_>, above: &[&str]) -> Caps {
        let mut read = |file, scope: Scope| reader.cap(file, Cap::default(), above, scope);
        Caps {
            run: read(&self.run, Scope::Run),
            workflow: read(&self.workflow, Scope::Workflow),
            repository: read(&self.repository, Scope::Repository),
            person: read(&self.person, Scope::Person),
            day: Cap::default(),
        }
    }
}

/// Reads amounts of a file and keeps their mistakes.
pub(super) struct Amounts<'a> {
    pub(super) document: &'a Document,
    pub(super) mistakes: &'a mut Vec<ConfigError>,
}

impl Amounts<'_> {
    fn cap(&mut self, file: &FileCap, default: Cap, above: &[&str], scope: Scope) -> Cap {
        let path: Vec<&str> = above.iter().copied().chain([scope.as_str(), "money"]).collect();
        Cap {
            tokens: file.tokens.or(default.tokens),
            money: match file.money {
                Some(money) => self.money(money, &path),
                None => default.money,
            },
        }
    }

    /// An amount that the schema has found to be in range.
    pub(super) fn money(&mut self, written: f64, path: &[&str]) -> Option<Money> {
        let money = exact(written);
        if money.is_none() {
            self.mistakes.push(
                self.document
                    .at(path)
                    .error(format!("`{}` has more than six decimals; round it", path.join("."))),
            );
        }
        money
    }
}

/// The amount in millionths, where it is written with at most six decimals.
///
/// A double stands for the decimal that it was read from as long as that is short: the nearest count of millionths,
/// divided again, gives the same double exactly when that count is what was written.
fn exact(written: f64) -> Option<Money> {
    let parts = (written * 1e6).round();
    (parts.abs() <= MOST_MONEY * 1e6 && parts / 1e6 == written).then_some(Money(parts as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_of_six_decimals_is_read_exactly() {
        for (text, parts) in [
            ("0", 0),
            ("0.000001", 1),
            ("0.1", 100_000),
            ("0.25", 250_000),
            ("0.025", 25_000),
            ("1.005", 1_005_000),
            ("2.675", 2_675_000),
            ("0.285714", 285_714),
            ("99.999999", 99_999_999),
            ("123456789.123457", 123_456_789_123_457),
            ("1000000000", 1_000_000_000_000_000),
        ] {
            assert_eq!(exact(text.parse().unwrap()), Some(Money(parts)), "{text}");
        }
    }

    #[test]
    fn more_decimals_are_refused_and_not_rounded() {
        for text in ["0.0000001", "0.1234567", "1.0000005", "100.0000001", "1e-9", "1e12"] {
            assert_eq!(exact(text.parse().unwrap()), None, "{text}");
        }
    }
}

#[cfg(test)]
mod properties {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_written_is_what_is_read(parts in 0_i64..=1_000_000_000_000_000) {
            let written = format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000);
            proptest::prop_assert_eq!(exact(written.parse().unwrap()), Some(Money(parts)));
        }
    }
}
