//! The books: for every account what is reserved and what is spent, in tokens, in money and in calls under way.

use super::{Bounds, Opened};
use crate::store::{Statement, Store, StoreError};
use crate::values;
use crate::workflow::budget::{Money, Scope, Spend};
use crate::workflow::why::{CapReached, Figures};

/// What an account is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    /// Tokens, in and out together.
    Tokens,
    /// Millionths of the server's currency.
    Money,
    /// Calls under way; only ever reserved.
    Calls,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Money => "money",
            Self::Calls => "calls",
        }
    }
}

/// Whose books a call is on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnBooks<'a> {
    pub(super) run: &'a str,
    pub(super) workflow: &'a str,
    /// The workflows above it, on whose account it is, too.
    pub(super) above: &'a [String],
    pub(super) repository: u64,
    pub(super) person: u64,
    pub(super) day: &'a str,
    pub(super) endpoint: &'a str,
}

impl OnBooks<'_> {
    fn account(&self, scope: Scope) -> String {
        match scope {
            Scope::Run => format!("run:{}", self.run),
            Scope::Workflow => format!("workflow:{}", self.workflow),
            Scope::Repository => format!("repository:{}:{}", self.repository, self.day),
            Scope::Person => format!("person:{}:{}", self.person, self.day),
            Scope::Day => format!("day:{}", self.day),
        }
    }

    /// The accounts of a scope: that of a workflow has those of its parents beside it.
    fn accounts(&self, scope: Scope) -> Vec<String> {
        let mut accounts = vec![self.account(scope)];
        if scope == Scope::Workflow {
            accounts.extend(self.above.iter().map(|above| format!("workflow:{above}")));
        }
        accounts
    }

    fn endpoint(&self) -> String {
        format!("endpoint:{}", self.endpoint)
    }
}

/// One reservation on one account.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    account: String,
    unit: Unit,
    /// Nothing for the calls of an endpoint.
    scope: Option<Scope>,
    amount: i64,
    cap: i64,
}

/// What a call reserves, and where. Accounts without a cap are kept too: what was spent is told, and a cap may come.
pub(super) fn reserve(books: &OnBooks<'_>, most: Spend, bounds: Bounds<'_>) -> Vec<Reservation> {
    let mut reservations = Vec::new();
    for scope in Scope::ALL {
        let cap = bounds.caps.of(scope);
        for account in books.accounts(scope) {
            let mut push = |unit, amount, cap: Option<i64>| {
                reservations.push(Reservation {
                    account: account.clone(),
                    unit,
                    scope: Some(scope),
                    amount,
                    cap: cap.unwrap_or(i64::MAX),
                });
            };
            push(Unit::Tokens, counted(most.tokens), cap.tokens.map(counted));
            if let Some(money) = most.money {
                push(Unit::Money, money.0, cap.money.map(|money| money.0));
            }
        }
    }
    reservations.push(Reservation {
        account: books.endpoint(),
        unit: Unit::Calls,
        scope: None,
        amount: 1,
        cap: i64::from(bounds.concurrency),
    });
    reservations
}

/// The statements that give a call's reservation back and write down what it took.
pub(super) fn settle(books: &OnBooks<'_>, reserved: Spend, spent: Spend) -> Vec<Statement> {
    let mut statements = Vec::new();
    for account in Scope::ALL.into_iter().flat_map(|scope| books.accounts(scope)) {
        statements.push(settled(
            &account,
            Unit::Tokens,
            counted(reserved.tokens),
            counted(spent.tokens),
        ));
        let (reserved, spent) = (reserved.money.unwrap_or_default(), spent.money.unwrap_or_default());
        if reserved != spent || reserved != Money(0) {
            statements.push(settled(&account, Unit::Money, reserved.0, spent.0));
        }
    }
    statements.push(settled(&books.endpoint(), Unit::Calls, 1, 0));
    statements
}

fn settled(account: &str, unit: Unit, reserved: i64, spent: i64) -> Statement {
    Statement::new(
        "INSERT INTO budgets (account, unit, reserved, spent) VALUES ($1, $2, 0 - $3, $4)
        ON CONFLICT (account, unit) DO UPDATE SET reserved = budgets.reserved - $3, spent = budgets.spent + $4",
        values![account, unit.as_str(), reserved, spent],
    )
    .exactly(1)
}

fn counted(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX / 2)
}

impl Reservation {
    /// Whether it would pass the cap if nothing at all were spent.
    pub(super) fn exceeds_alone(&self) -> bool {
        self.amount > self.cap
    }

    pub(super) fn statement(&self) -> Statement {
        Statement::new(
            "INSERT INTO budgets (account, unit, reserved, spent) VALUES ($1, $2, $3, 0)
            ON CONFLICT (account, unit) DO UPDATE SET reserved = budgets.reserved + $3
                WHERE budgets.spent + budgets.reserved + $3 <= $4",
            values![&self.account, self.unit.as_str(), self.amount, self.cap],
        )
        .exactly(1)
    }

    /// What stands in its way, as the books say now: the cap itself, or only what others have reserved for a while.
    pub(super) async fn refused(&self, store: &Store, currency: &str) -> Result<Opened, StoreError> {
        let Some(scope) = self.scope else {
            return Ok(Opened::Occupied);
        };
        let account = Account::of(store, &self.account, self.unit).await?;
        if account.spent.saturating_add(self.amount) <= self.cap {
            return Ok(Opened::Occupied);
        }
        let figures = match self.unit {
            Unit::Money => Figures::Money {
                cap: Money(self.cap),
                spent: Money(account.spent),
                wanted: Money(self.amount),
                currency: currency.to_owned(),
            },
            Unit::Tokens | Unit::Calls => Figures::Tokens {
                cap: self.cap.unsigned_abs(),
                spent: account.spent.unsigned_abs(),
                wanted: self.amount.unsigned_abs(),
            },
        };
        Ok(Opened::CapReached(CapReached { scope, figures }))
    }
}

/// One account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Account {
    /// What open calls may take.
    reserved: i64,
    /// What calls that ended took.
    spent: i64,
}

impl Account {
    async fn of(store: &Store, account: &str, unit: Unit) -> Result<Self, StoreError> {
        const ONE: &str = "SELECT reserved, spent FROM budgets WHERE account = $1 AND unit = $2";
        let rows = store.read(ONE, values![account, unit.as_str()]).await?;
        rows.first().map_or(Ok(Self::default()), |row| {
            Ok(Self {
                reserved: row.int("reserved")?,
                spent: row.int("spent")?,
            })
        })
    }
}

impl Store {
    /// Audits the books: sums up every call and compares. Accounts that differ, each as a line for the operator; none
    /// when they balance.
    pub async fn audit_books(&self) -> Result<Vec<String>, StoreError> {
        const SUMS: &str = "WITH entries AS (
            SELECT 'run:' || run_id AS account, c.* FROM calls c
            UNION ALL SELECT 'workflow:' || workflow_id, c.* FROM calls c
            UNION ALL SELECT 'repository:' || repository_id || ':' || day, c.* FROM calls c
            UNION ALL SELECT 'person:' || person_id || ':' || day, c.* FROM calls c
            UNION ALL SELECT 'day:' || day, c.* FROM calls c),
        sums AS (
            SELECT account, 'tokens' AS unit, SUM(CASE WHEN state = 'open' THEN reserved_tokens ELSE 0 END) AS reserved,
                SUM(tokens) AS spent FROM entries GROUP BY account
            UNION ALL
            SELECT account, 'money', SUM(CASE WHEN state = 'open' THEN COALESCE(reserved_money, 0) ELSE 0 END),
                SUM(COALESCE(money, 0)) FROM entries GROUP BY account
            UNION ALL
            SELECT 'endpoint:' || endpoint, 'calls', SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0
                FROM calls GROUP BY endpoint),
        both_sides AS (
            SELECT account, unit, reserved, spent FROM sums
            UNION ALL SELECT account, unit, 0 - reserved, 0 - spent FROM budgets)
        SELECT account, unit, CAST(SUM(reserved) AS BIGINT) AS reserved, CAST(SUM(spent) AS BIGINT) AS spent
            FROM both_sides
            GROUP BY account, unit HAVING SUM(reserved) <> 0 OR SUM(spent) <> 0 ORDER BY account, unit";
        let rows = self.read(SUMS, values![]).await?;
        rows.iter()
            .map(|row| {
                Ok(format!(
                    "{} in {}: the calls say {} more reserved and {} more spent",
                    row.text("account")?,
                    row.text("unit")?,
                    row.int("reserved")?,
                    row.int("spent")?
                ))
            })
            .collect()
    }
}
