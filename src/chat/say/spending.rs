//! What models took, and what they do now.

use super::markup::{grouped, sentence, when};
use super::view::{Ahead, Asking, Spending};
use crate::text::harmless::literal;
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
        Some(Asking::Queued(why)) => format!("It waits for its turn: {why}. {sum}"),
        Some(Asking::Waits { endpoint, until, said }) => format!(
            "`http:{endpoint}` could not be asked: {} It is asked again after {}. {sum}",
            sentence(said),
            when(*until)
        ),
    }
}

/// What may be asked yet, and what one call of each takes at most; empty where no model is going to be asked.
pub fn ahead(all: &[Ahead], currency: &str) -> String {
    let each = |ahead: &Ahead| {
        format!(
            "{} (`http:{}`) {}",
            literal::inline(&ahead.role, 80),
            ahead.endpoint,
            amount(&ahead.most, currency)
        )
    };
    let all: Vec<String> = all.iter().map(each).collect();
    match all.as_slice() {
        [] => String::new(),
        all => format!(
            "Ahead, for one call at most, by what is written so far: {}.",
            all.join(" · ")
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

/// Why a run waits that nothing is wrong with.
pub fn occupied(endpoint: &str) -> String {
    format!("`http:{endpoint}` has as many calls under way as it may, or they have reserved the rest of a cap")
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
    fn what_may_be_asked_stands_by_role() {
        let of = |role: &str, endpoint: &str, money: Option<Money>| Ahead {
            role: role.to_owned(),
            endpoint: endpoint.to_owned(),
            most: Spend { tokens: 9_000, money },
        };
        assert_eq!(ahead(&[], "EUR"), "");
        assert_eq!(
            ahead(
                &[of("Planner", "large", Some(Money(50_000))), of("Tester", "local", None)],
                "EUR"
            ),
            "Ahead, for one call at most, by what is written so far: Planner (`http:large`) 9,000 tokens, 0.05 EUR · Tester \
             (`http:local`) 9,000 tokens, money unknown (an endpoint has no price)."
        );
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
