//! What models took, and what they do now.

use super::markup::{grouped, sentence, when};
use super::view::{Asking, Spending};
use crate::workflow::budget::Spend;

/// The card's line about models.
pub fn line(spending: &Spending) -> String {
    let sum = format!("Models took {} so far.", of_cap(spending));
    match &spending.now {
        None => sum,
        Some(Asking::UnderWay { endpoint, most }) => format!(
            "Asking `http:{endpoint}` now; this call may take up to {}. {sum}",
            amount(most, &spending.currency)
        ),
        Some(Asking::Waits { endpoint, until, said }) => format!(
            "`http:{endpoint}` could not be asked: {} It is asked again after {}. {sum}",
            sentence(said),
            when(*until)
        ),
    }
}

/// What was spent, each with its cap where it has one: `1,204 of 1,000,000 tokens, 0.02 of 5.00 USD`.
pub fn of_cap(spending: &Spending) -> String {
    let tokens = grouped(spending.spent.tokens);
    let tokens = match spending.cap.tokens {
        Some(cap) => format!("{tokens} of {} tokens", grouped(cap)),
        None => format!("{tokens} tokens"),
    };
    let currency = &spending.currency;
    let money = match (spending.spent.money, spending.cap.money) {
        (Some(money), Some(cap)) => format!("{money} of {cap} {currency}"),
        (Some(money), None) => format!("{money} {currency}"),
        (None, _) => UNKNOWN.to_owned(),
    };
    format!("{tokens}, {money}")
}

/// An amount: `1,204 tokens, 0.02 USD`.
pub fn amount(spend: &Spend, currency: &str) -> String {
    let money = spend
        .money
        .map_or_else(|| UNKNOWN.to_owned(), |money| format!("{money} {currency}"));
    format!("{} tokens, {money}", grouped(spend.tokens))
}

/// Where an endpoint has no price, nobody knows the sum: it is not nothing.
const UNKNOWN: &str = "money unknown (an endpoint has no price)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::budget::{Cap, Money};

    fn spending(money: Option<Money>, cap: Cap) -> Spending {
        Spending {
            spent: Spend { tokens: 1_204, money },
            cap,
            currency: "USD".to_owned(),
            now: None,
        }
    }

    #[test]
    fn what_was_spent_stands_beside_its_cap_and_unknown_is_never_zero() {
        let cap = Cap {
            tokens: Some(1_000_000),
            money: Some(Money(5_000_000)),
        };
        for (spending, expected) in [
            (
                spending(Some(Money(20_000)), cap),
                "Models took 1,204 of 1,000,000 tokens, 0.02 of 5.00 USD so far.",
            ),
            (
                spending(Some(Money(0)), Cap::default()),
                "Models took 1,204 tokens, 0.00 USD so far.",
            ),
            (
                spending(None, cap),
                "Models took 1,204 of 1,000,000 tokens, money unknown (an endpoint has no price) so far.",
            ),
        ] {
            assert_eq!(line(&spending), expected);
        }
    }
}
