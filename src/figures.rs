//! What is counted, by which name. Every room may count; `web` shows the figures on `/metrics`.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::workflow::budget::Spend;
use crate::workflow::ids::InstallationId;

const DELIVERIES: &str = "countersign_deliveries_total";
const QUEUE_DEPTH: &str = "countersign_queue_depth";
const OLDEST: &str = "countersign_oldest_seconds";
const EFFECTS: &str = "countersign_effects_total";
const NOTIFICATIONS: &str = "countersign_notifications_total";
const MODEL_CALLS: &str = "countersign_model_calls_total";
const MODEL_TOKENS: &str = "countersign_model_tokens_total";
const MODEL_MONEY: &str = "countersign_model_money_millionths_total";
const GITHUB_REMAINING: &str = "countersign_github_remaining";
const ASKED_AGAIN: &str = "countersign_deliveries_asked_again_total";
const MISSED: &str = "countersign_deliveries_missed";
const GAP: &str = "countersign_deliveries_gap_seconds";
const REPAIRS: &str = "countersign_repairs_total";
const DUPLICATES: &str = "countersign_duplicates_repaired_total";
const STUCK: &str = "countersign_workflows_stuck";

/// Says what each figure means. Once, after a recorder is installed.
pub fn describe() {
    describe_counter!(
        DELIVERIES,
        "Webhook deliveries by outcome, at the door and after it was handled"
    );
    describe_gauge!(QUEUE_DEPTH, "Rows that wait, by queue");
    describe_gauge!(OLDEST, Unit::Seconds, "Age of the oldest row that waits, by queue");
    describe_counter!(EFFECTS, "Writes to the outside by kind and outcome");
    describe_counter!(NOTIFICATIONS, "Attempts to tell an endpoint what happened, by outcome");
    describe_counter!(MODEL_CALLS, "Calls of model endpoints by outcome");
    describe_counter!(MODEL_TOKENS, "Tokens that model endpoints took, in and out together");
    describe_counter!(
        MODEL_MONEY,
        "Money that model endpoints took where they have a price, in millionths of the server's currency"
    );
    describe_counter!(
        ASKED_AGAIN,
        "Deliveries that did not arrive and that GitHub was asked for"
    );
    describe_gauge!(
        MISSED,
        "Deliveries that did not arrive: asked for, asked for in vain, not to be had any more"
    );
    describe_gauge!(
        GAP,
        Unit::Seconds,
        "The last time in which nobody looked for deliveries while GitHub kept them"
    );
    describe_counter!(REPAIRS, "What was found otherwise than it should be, and mended");
    describe_counter!(
        DUPLICATES,
        "What a write in doubt had made twice, and of which one was removed"
    );
    describe_gauge!(
        STUCK,
        "Open workflows of which nothing is due and that wait for nobody: a mistake of the program"
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

/// One more attempt to tell an endpoint what happened, with this outcome.
pub fn notification(endpoint: &str, outcome: &'static str) {
    counter!(NOTIFICATIONS, "endpoint" => endpoint.to_owned(), "outcome" => outcome).increment(1);
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

/// So many more deliveries were asked for.
pub fn deliveries_asked(number: usize) {
    counter!(ASKED_AGAIN).increment(number as u64);
}

/// One more thing of this kind was mended.
pub fn repaired(what: &'static str) {
    counter!(REPAIRS, "what" => what).increment(1);
}

/// So many more duplicates of this kind were removed.
pub fn duplicate_repaired(kind: &'static str, number: usize) {
    counter!(DUPLICATES, "kind" => kind).increment(number as u64);
}

/// What is not as it should be now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amiss {
    /// Deliveries that were asked for and have not come yet.
    pub asked: u64,
    /// Deliveries that were asked for again and again and do not come.
    pub late: u64,
    /// Deliveries that cannot be had any more.
    pub lost: u64,
    /// The length of the last time in which nobody looked for deliveries, in seconds.
    pub gap_seconds: u64,
    /// Open workflows that stand still.
    pub stuck: u64,
}

/// What is not as it should be now, as its gauges.
pub fn amiss(amiss: Amiss) {
    gauge!(MISSED, "state" => "asked").set(float(amiss.asked));
    gauge!(MISSED, "state" => "late").set(float(amiss.late));
    gauge!(MISSED, "state" => "lost").set(float(amiss.lost));
    gauge!(GAP).set(float(amiss.gap_seconds));
    gauge!(STUCK).set(float(amiss.stuck));
}

/// Gauges are floats; beyond 2^32 rows the exact number is not the news.
fn float(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
