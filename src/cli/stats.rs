//! `countersign stats`: how many workflows there were, how long they took, and what models took by the month.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::database::Database;
use super::list::standing;
use super::page::{Ink, Table};
use crate::chat::say::spending::amount;
use crate::store::Store;
use crate::store::spent::Spent;
use crate::store::workflows::WorkflowSummary;
use crate::workflow::budget::{Money, Spend};
use crate::workflow::definition::{Definition, Phase};

/// Of which database.
#[derive(Debug, clap::Args)]
pub(super) struct Stats {
    #[command(flatten)]
    database: Database,
}

/// The workflows of one definition at one status.
#[derive(Debug, Serialize)]
struct Group {
    definition: String,
    /// `open`, `held`, `completed` or `cancelled`.
    status: String,
    count: usize,
    /// From its start to its last change, in seconds: half of them took no longer.
    median_seconds: i64,
    longest_seconds: i64,
}

/// What one role took of one endpoint in a month.
#[derive(Debug, Serialize)]
struct Month {
    /// `YYYY-MM`, in UTC.
    month: String,
    provider: String,
    /// A role of the definition; where the phase has none, the phase.
    role: String,
    currency: String,
    calls: u64,
    spent: Spend,
}

impl Stats {
    /// Answers with the figures.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let store = self.database.reader().await?;
        let groups = groups(&store.list_workflows(false, u32::MAX).await?);
        if groups.is_empty() {
            let none = json!({ "workflows": [], "spending": [] });
            return Ok(Answer::new(none, "There has been no workflow yet.\n".to_owned()));
        }
        let months = months(&store).await?;
        let ink = Ink::of_stdout();
        let mut table = Table::new(["DEFINITION", "STATUS", "COUNT", "MEDIAN", "LONGEST"]);
        for group in &groups {
            table.row([
                group.definition.clone(),
                group.status.clone(),
                group.count.to_string(),
                lasted(group.median_seconds),
                lasted(group.longest_seconds),
            ]);
        }
        let mut page = table.page(ink);
        page.push('\n');
        if months.is_empty() {
            page.push_str("No model was asked.\n");
        } else {
            let mut table = Table::new(["MONTH (UTC)", "PROVIDER", "ROLE", "CALLS", "SPENT"]);
            for month in &months {
                table.row([
                    month.month.clone(),
                    month.provider.clone(),
                    month.role.clone(),
                    month.calls.to_string(),
                    amount(&month.spent, &month.currency),
                ]);
            }
            page.push_str(&table.page(ink));
        }
        Ok(Answer::new(json!({ "workflows": groups, "spending": months }), page))
    }
}

fn groups(workflows: &[WorkflowSummary]) -> Vec<Group> {
    let mut all: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for workflow in workflows {
        let took = (workflow.updated_at - workflow.started_at).num_seconds();
        let key = (workflow.definition.as_str(), standing(workflow));
        all.entry(key).or_default().push(took);
    }
    let group = |((definition, status), mut took): ((&str, &str), Vec<i64>)| {
        took.sort_unstable();
        Group {
            definition: definition.to_owned(),
            status: status.to_owned(),
            count: took.len(),
            median_seconds: took
                .get((took.len().saturating_sub(1)) / 2)
                .copied()
                .unwrap_or_default(),
            longest_seconds: took.last().copied().unwrap_or_default(),
        }
    };
    all.into_iter().map(group).collect()
}

async fn months(store: &Store) -> Result<Vec<Month>, Refusal> {
    let mut definitions: BTreeMap<String, Option<Definition>> = BTreeMap::new();
    let mut months: BTreeMap<(String, String, String, String), (u64, Spend)> = BTreeMap::new();
    for spent in store.spent().await? {
        let id = spent.workflow.as_str().to_owned();
        if !definitions.contains_key(&id) {
            let stored = store.workflow(&spent.workflow).await?;
            let definition = stored.map(|stored| Definition::clone(&stored.state.definition));
            definitions.insert(id.clone(), definition);
        }
        let definition = definitions.get(&id).and_then(Option::as_ref);
        let key = (
            spent.day.chars().take("YYYY-MM".len()).collect(),
            format!("http:{}", spent.endpoint),
            role(&spent, definition),
            spent.currency.clone(),
        );
        let none = Spend {
            tokens: 0,
            money: Some(Money(0)),
        };
        let (calls, sum) = months.entry(key).or_insert((0, none));
        *calls += 1;
        sum.tokens = sum.tokens.saturating_add(spent.spend.tokens);
        sum.money = sum.money.zip(spent.spend.money).map(|(sum, more)| sum.plus(more));
    }
    let month = |((month, provider, role, currency), (calls, spent))| Month {
        month,
        provider,
        role,
        currency,
        calls,
        spent,
    };
    Ok(months.into_iter().map(month).collect())
}

/// In whose name it was asked.
fn role(spent: &Spent, definition: Option<&Definition>) -> String {
    let Some(id) = &spent.phase else {
        return "not kept".to_owned();
    };
    let phase = definition.and_then(|definition| definition.phase(id));
    phase.map_or_else(|| id.to_string(), role_of)
}

/// In whose name a phase speaks: its role; where it has none, itself.
pub(super) fn role_of(phase: &Phase) -> String {
    phase.role.clone().unwrap_or_else(|| phase.id.to_string())
}

/// A time as people say it: its two greatest units.
fn lasted(seconds: i64) -> String {
    let took = TimeDelta::seconds(seconds);
    let (days, hours, minutes) = (took.num_days(), took.num_hours() % 24, took.num_minutes() % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_two_greatest_units() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h 0 min"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(lasted(seconds), said);
        }
    }
}
