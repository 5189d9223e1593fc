//! `countersign definitions costs`: what each role of a definition takes of which model, a call and a month.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;

use super::{find, text_of};
use crate::agents;
use crate::chat::say::grouped;
use crate::chat::say::spending::amount;
use crate::cli::answer::{Answer, Refusal};
use crate::cli::check::mistaken;
use crate::cli::database::Database;
use crate::cli::page::{Ink, Table};
use crate::cli::stats::role_of;
use crate::cli::terminal::models_from_here;
use crate::config::{GuidelinesFile, ProviderName, RepositoryConfig};
use crate::engine::{call_at_most, provider_of, read_repository_config, shortest_prompt, speaker};
use crate::store::Store;
use crate::store::spent::Spent;
use crate::workflow::budget::{Money, Spend, tokens_in};
use crate::workflow::definition::Definition;

/// How many days are counted, up to the last that has a call.
const DAYS: i64 = 30;

/// Of what, and for how many calls.
#[derive(Debug, clap::Args)]
pub(super) struct Costs {
    /// The name of a definition of the program, or a file
    #[arg(value_name = "NAME|FILE")]
    definition: String,
    /// The repository's configuration, which may give a role another provider
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How many calls of each role a month has [default: as many as the database knows of the last 30 days]
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    #[command(flatten)]
    database: Database,
}

/// A role, and what it takes.
#[derive(Debug, Serialize)]
struct Role {
    role: String,
    phases: Vec<String>,
    provider: String,
    model: Option<String>,
    /// One call at most, with the shortest prompt that there can be.
    at_most: Option<Spend>,
    /// What was asked in its name of this provider in the 30 days up to the last call.
    calls: u64,
    took: Spend,
    /// What a month takes, where it is known how many calls it has.
    month: Option<Spend>,
}

impl Costs {
    /// Answers with a line for each role.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let definition = find(&self.definition)?.expanded();
        let config = self.repository_settings()?;
        let models = models_from_here(self.database.config.clone())?;
        let (known, note) = match self.database.clone().reader().await {
            Ok(store) => (Known::read(&store, &definition).await?, None),
            Err(_) => (
                Known::default(),
                Some("There is no database here, so what was asked before is not known.".to_owned()),
            ),
        };
        let mut roles: Vec<Role> = Vec::new();
        for phase in &definition.phases {
            let Some(agent) = agents::of_phase(&definition, phase) else {
                continue;
            };
            let provider = provider_of(&definition, &phase.id, &agent, &config);
            let endpoint = match &provider {
                ProviderName::Http(name) => models.endpoint(name.as_str()),
                ProviderName::Rules | ProviderName::Manual => None,
            };
            let at_most = endpoint.map(|endpoint| call_at_most(shortest_prompt(&agent), endpoint));
            let name = speaker(&definition, phase).to_owned();
            let provider = provider.to_string();
            let same = |role: &&mut Role| role.role == name && role.provider == provider;
            if let Some(role) = roles.iter_mut().find(same) {
                role.phases.push(phase.id.to_string());
                role.at_most = dearer(role.at_most, at_most);
                continue;
            }
            let (calls, took) = known.of(&role_of(phase), &provider);
            roles.push(Role {
                role: name,
                phases: vec![phase.id.to_string()],
                provider,
                model: endpoint.map(|endpoint| endpoint.model.clone()),
                at_most,
                calls,
                took,
                month: None,
            });
        }
        for role in &mut roles {
            role.month = role.a_month(self.calls, known.days);
        }
        let takes = !definition.guidelines.is_empty() && config.guidelines != GuidelinesFile::Off;
        let guidelines = takes.then(|| tokens_in(config.limits.guidelines.into()));
        let page = page(&roles, &models.currency, guidelines, note.as_deref());
        let mut data = serde_json::json!({
            "definition": definition.name, "currency": models.currency, "roles": roles, "unknown": note,
        });
        if let Some(tokens) = guidelines {
            data["guidelines_at_most"] = serde_json::json!(tokens);
        }
        Ok(Answer::new(data, page))
    }

    fn repository_settings(&self) -> Result<RepositoryConfig, Refusal> {
        let Some(path) = &self.settings else {
            return Ok(RepositoryConfig::default());
        };
        read_repository_config(&text_of(path)?).map_err(|mistakes| mistaken(path, &mistakes))
    }
}

/// The greater of two, where both are known.
fn dearer(one: Option<Spend>, other: Option<Spend>) -> Option<Spend> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.tokens < other.tokens { other } else { one }),
        (one, other) => one.or(other),
    }
}

impl Role {
    /// What a month takes: so many calls, each as they were on average, or else as dear as one can be.
    fn a_month(&self, wanted: Option<u64>, days: i64) -> Option<Spend> {
        let at_most = self.at_most?;
        let calls = match (wanted, self.calls) {
            (Some(calls), _) => calls,
            (None, 0) => return None,
            (None, calls) => calls
                .saturating_mul(DAYS.unsigned_abs())
                .div_ceil(days.unsigned_abs().max(1)),
        };
        let times = |one: u64, of: u64| one.saturating_mul(calls).div_ceil(of);
        let money = |money: Money, of: u64| {
            let sum = i128::from(money.0) * i128::from(calls) / i128::from(of);
            Money(i64::try_from(sum).unwrap_or(i64::MAX))
        };
        let (one, of) = match self.calls {
            0 => (at_most, 1),
            calls => (self.took, calls),
        };
        Some(Spend {
            tokens: times(one.tokens, of),
            money: one.money.map(|sum| money(sum, of)),
        })
    }
}

/// What was asked of models lately, by role and provider.
#[derive(Debug, Default)]
struct Known {
    calls: BTreeMap<(String, String), (u64, Spend)>,
    /// Over how many of these days there are calls.
    days: i64,
}

impl Known {
    async fn read(store: &Store, definition: &Definition) -> Result<Self, Refusal> {
        let all = store.spent().await?;
        let day_of = |spent: &Spent| spent.day.parse::<NaiveDate>().ok();
        let mut known = Self::default();
        let Some(last) = all.iter().filter_map(day_of).max() else {
            return Ok(known);
        };
        let since = last - TimeDelta::days(DAYS - 1);
        for spent in &all {
            let Some(day) = day_of(spent).filter(|day| *day >= since) else {
                continue;
            };
            let Some(stored) = store.workflow(&spent.workflow).await? else {
                continue;
            };
            let phase = spent
                .phase
                .as_ref()
                .and_then(|phase| stored.state.definition.phase(phase));
            let Some(phase) = phase.filter(|_| stored.state.definition.name == definition.name) else {
                continue;
            };
            known.days = known.days.max((last - day).num_days() + 1);
            let none = Spend {
                tokens: 0,
                money: Some(Money(0)),
            };
            let key = (role_of(phase), format!("http:{}", spent.endpoint));
            let (calls, took) = known.calls.entry(key).or_insert((0, none));
            *calls += 1;
            took.tokens = took.tokens.saturating_add(spent.spend.tokens);
            took.money = took.money.zip(spent.spend.money).map(|(sum, more)| sum.plus(more));
        }
        Ok(known)
    }

    fn of(&self, role: &str, provider: &str) -> (u64, Spend) {
        let found = self.calls.get(&(role.to_owned(), provider.to_owned()));
        found.copied().unwrap_or_default()
    }
}

fn page(roles: &[Role], currency: &str, guidelines: Option<u64>, note: Option<&str>) -> String {
    let mut table = Table::new([
        "ROLE",
        "PROVIDER",
        "MODEL",
        "A CALL, AT MOST",
        "LAST 30 DAYS",
        "A MONTH",
    ]);
    let said = |spend: &Option<Spend>, otherwise: &str| match spend {
        Some(spend) => amount(spend, currency),
        None => otherwise.to_owned(),
    };
    for role in roles {
        let free = role.at_most.is_none() && !role.provider.starts_with(ProviderName::HTTP);
        let unknown = match (free, &role.at_most) {
            (true, _) => "-",
            (false, None) => "unknown: no such endpoint",
            (false, Some(_)) => "unknown: --calls N",
        };
        table.row([
            role.role.clone(),
            role.provider.clone(),
            role.model.clone().unwrap_or_else(|| "-".to_owned()),
            said(&role.at_most, unknown),
            match role.calls {
                0 => "-".to_owned(),
                calls => format!("{calls} calls, {}", amount(&role.took, currency)),
            },
            said(&role.month, unknown),
        ]);
    }
    let mut page = table.page(Ink::of_stdout());
    page.push_str(
        "A call at most: the shortest prompt and all that the model may write. A longer discussion takes more; the caps hold \
         all the same.\n",
    );
    if let Some(tokens) = guidelines {
        page.push_str(&format!(
            "Where the repository has guidelines, a prompt holds them as well: at most {} tokens.\n",
            grouped(tokens)
        ));
    }
    if let Some(note) = note {
        page.push_str(note);
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(calls: u64, took: Spend) -> Role {
        Role {
            role: "Planner".to_owned(),
            phases: Vec::new(),
            provider: "http:local".to_owned(),
            model: None,
            at_most: Some(Spend {
                tokens: 9_000,
                money: Some(Money(30_000)),
            }),
            calls,
            took,
            month: None,
        }
    }

    #[test]
    fn a_month_goes_by_what_calls_took_and_without_any_by_the_most() {
        let spend = |tokens, money| Spend {
            tokens,
            money: Some(Money(money)),
        };
        let never = role(0, Spend::default());
        assert_eq!(never.a_month(None, 30), None);
        assert_eq!(never.a_month(Some(10), 30), Some(spend(90_000, 300_000)));
        let known = role(4, spend(8_000, 20_000));
        assert_eq!(known.a_month(None, 30), Some(spend(8_000, 20_000)), "as the last month");
        assert_eq!(
            known.a_month(None, 10),
            Some(spend(24_000, 60_000)),
            "ten days are a third of it"
        );
        assert_eq!(known.a_month(Some(100), 30), Some(spend(200_000, 500_000)));
    }
}
