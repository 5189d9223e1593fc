//! What is counted, by which name. Every room may count; `web` shows the figures on `/metrics`.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::workflow::budget::Spend;
use crate::workflow::ids::InstallationId;

const DELIVERIES: &str = "countersign_deliveries_total";
const QUEUE_DEPTH: &str = "countersign_queue_depth";
const OLDEST: &str = "countersign_oldest_seconds";
const EFFECTS: &str = "countersign_effects_total";
const MODEL_CALLS: &str = "countersign_model_calls_total";
const MODEL_TOKENS: &str = "countersign_model_tokens_total";
const MODEL_MONEY: &str = "countersign_model_money_millionths_total";
const GITHUB_REMAINING: &str = "countersign_github_remaining";

/// Says what each figure means. Once, after a recorder is installed.
pub fn describe() {
    describe_counter!(
        DELIVERIES,
        "Webhook deliveries by outcome, at the door and after it was handled"
    );
    describe_gauge!(QUEUE_DEPTH, "Rows that wait, by queue");
    describe_gauge!(OLDEST, Unit::Seconds, "Age of the oldest row that waits, by queue");
    describe_counter!(EFFECTS, "Writes to the outside by kind and outcome");
    describe_counter!(MODEL_CALLS, "Calls of model endpoints by outcome");
    describe_counter!(MODEL_TOKENS, "Tokens that model endpoints took, in and out together");
    describe_counter!(
        MODEL_MONEY,
        "Money that model endpoints took where they have a price, in millionths of the server's currency"
    );
    describe_gauge!(
        GITHUB_REMAINING,
        "Requests that GitHub still allows this hour, by installation"
    );
}

/// One more delivery with this outcome.
pub fn delivery(outcome: &'static str) {
    counter!(DELIVERIES, "outcome" => outcome).increment(1);
}

/// One more effect of this kind with this outcome.
pub fn effect(kind: &'static str, outcome: &'static str) {
    counter!(EFFECTS, "kind" => kind, "outcome" => outcome).increment(1);
}

/// One more call of a model: how it ended, and what it took.
pub fn model_call(endpoint: &str, outcome: &'static str, spent: Spend) {
    counter!(MODEL_CALLS, "endpoint" => endpoint.to_owned(), "outcome" => outcome).increment(1);
    counter!(MODEL_TOKENS, "endpoint" => endpoint.to_owned()).increment(spent.tokens);
    if let Some(money) = spent.money {
        counter!(MODEL_MONEY, "endpoint" => endpoint.to_owned()).increment(money.0.unsigned_abs());
    }
}

/// How a queue stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Its name, such as `deliveries` or `effects`.
    pub name: &'static str,
    /// Rows that wait.
    pub depth: u64,
    /// Age of the oldest of them, in seconds; 0 when none waits.
    pub oldest_seconds: u64,
}

/// How a queue stands now, as its gauges.
pub fn queue(queue: Queue) {
    gauge!(QUEUE_DEPTH, "queue" => queue.name).set(float(queue.depth));
    gauge!(OLDEST, "queue" => queue.name).set(float(queue.oldest_seconds));
}

/// What GitHub said in its last answer to this installation.
pub fn github_remaining(installation: InstallationId, remaining: u64) {
    gauge!(GITHUB_REMAINING, "installation" => installation.to_string()).set(float(remaining));
}

/// Gauges are floats; beyond 2^32 rows the exact number is not the news.
fn float(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
