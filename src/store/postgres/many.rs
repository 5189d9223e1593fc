//! Several statements of one text as one, so that they share a round trip, a plan and a commit.
//!
//! The form for many is made from the statement's own text, so that the two cannot drift apart: what is in
//! `VALUES ($1, 'new', $2)` becomes `SELECT given.v1, 'new', given.v2 FROM unnest($1, $2) AS given`, and what stands around
//! it stays. A text has such a form when it inserts one row, names its values nowhere else (`excluded` says the same in
//! `DO UPDATE`), and tells the rows that it changes or returns apart by a key that it is given.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Either, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};

use super::run::{self, Failure, Text};
use super::text;
use crate::store::write::{Hits, Row, Statement, StoreError, Value};

/// The form for many of a statement's text.
#[derive(Debug)]
pub(super) struct Many {
    /// `INSERT INTO …`, up to its columns.
    head: String,
    /// What each column is given.
    row: Vec<String>,
    /// What follows the values.
    tail: String,
    /// How many values there are.
    values: usize,
    /// What tells rows apart: the column, and the position of its value. Empty where rows need not be told apart.
    key: Vec<(String, usize)>,
    /// Whether rows come back.
    returns: bool,
    /// The whole, once the database has told of which types the values are.
    typed: OnceLock<Typed>,
}

/// The whole text, and what its arrays hold.
#[derive(Debug, Clone)]
struct Typed {
    sql: Arc<str>,
    kinds: Arc<[Kind]>,
}

/// What statements that were done as one did.
#[derive(Debug)]
pub(super) struct Joined {
    /// The rows that each returned.
    pub(super) rows: Vec<Vec<Row>>,
    /// How many each hit; told only where they have a key.
    pub(super) hits: Vec<usize>,
    /// How many all of them changed.
    pub(super) changed: usize,
}

impl Joined {
    /// The first of them that hit another number of rows than it had to.
    pub(super) fn missed(&self, statements: &[&Statement]) -> Option<usize> {
        statements
            .iter()
            .zip(&self.hits)
            .position(|(statement, hits)| matches!(statement.hits, Hits::Exactly(wanted) if wanted != *hits))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
    Bytes,
}

impl Many {
    /// The form for many, where the text has one.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let (head, rest) = sql.split_once("VALUES (")?;
        let (given, tail) = rest.split_once(')')?;
        let columns: Vec<&str> = names(head.strip_prefix("INSERT INTO ")?.split_once('(')?.1.split_once(')')?.0);
        let given: Vec<Given> = given.split(',').map(Given::of).collect::<Option<_>>()?;
        if columns.len() != given.len() || tail.contains('$') {
            return None;
        }
        let returned = tail.split_once("RETURNING ").map(|(_, returned)| names(returned));
        let conflict = tail
            .split_once("ON CONFLICT (")
            .and_then(|(_, behind)| Some(names(behind.split_once(')')?.0)));
        let value_of = |name: &&str| match given.get(columns.iter().position(|column| column == name)?)? {
            Given::Value(at) => Some(((*name).to_owned(), *at)),
            Given::Literal(_) => None,
        };
        let key: Vec<_> = match &conflict {
            Some(conflict) => conflict.iter().map(value_of).collect::<Option<_>>()?,
            None if returned.is_some() || tail.contains("DO UPDATE") => return None,
            None => Vec::new(),
        };
        let tells = |returned: &Vec<&str>| key.iter().all(|(column, _)| returned.contains(&column.as_str()));
        if !returned.as_ref().is_none_or(tells) {
            return None;
        }
        let named = given.iter().filter_map(Given::value).max()? + 1;
        Some(Self {
            head: head.to_owned(),
            row: given.iter().map(Given::selected).collect(),
            tail: tail.to_owned(),
            values: named,
            key,
            returns: returned.is_some(),
            typed: OnceLock::new(),
        })
    }

    /// Whether these may be done as one: none depends on what another of them did, and where it matters how many rows each
    /// hit, that can be told.
    pub(super) fn takes(&self, statements: &[&Statement]) -> bool {
        let mut keys = HashSet::new();
        let counted = |statement: &Statement| match statement.hits {
            Hits::Any => true,
            Hits::Exactly(wanted) => wanted == 1 && !self.key.is_empty(),
        };
        statements.iter().all(|statement| {
            statement.values.len() == self.values
                && counted(statement)
                && (self.key.is_empty() || keys.insert(self.key_of(statement)))
        })
    }

    /// Whether a row is inserted or found there, so that doing it twice is the same as once.
    pub(super) fn finds(&self) -> bool {
        !self.key.is_empty()
    }

    fn key_of<'a>(&self, statement: &'a Statement) -> Vec<&'a Value> {
        self.key
            .iter()
            .filter_map(|(_, at)| statement.values.get(*at))
            .collect()
    }

    /// Does them all, or none.
    pub(super) async fn run(
        &self,
        connection: &mut PgConnection,
        text: &Text,
        statements: &[&Statement],
    ) -> Result<Joined, Failure> {
        let Typed { sql, kinds } = self.typed(connection, text).await?;
        let mut arguments = PgArguments::default();
        for (at, kind) in kinds.iter().enumerate() {
            let column = statements.iter().map(|statement| &statement.values[at]);
            kind.add(column, &mut arguments).map_err(Failure::Ours)?;
        }
        let done = run::query(connection, sql, arguments).await?;
        let mut joined = Joined {
            rows: vec![Vec::new(); statements.len()],
            hits: vec![0; statements.len()],
            changed: done.hits,
        };
        let keys: HashMap<_, _> = statements.iter().map(|of| self.key_of(of)).zip(0..).collect();
        for row in done.rows {
            let key = self.key.iter().map(|(column, _)| row.value(column.as_str()));
            let key: Vec<&Value> = key.collect::<Result<_, _>>().map_err(Failure::Ours)?;
            let of: usize = *keys
                .get(&key)
                .ok_or_else(|| Failure::Ours(StoreError::Broken("a row came back that nobody asked for".to_owned())))?;
            joined.hits[of] += 1;
            if self.returns {
                joined.rows[of].push(row);
            }
        }
        Ok(joined)
    }

    /// What has the database tell which of them hit a row, where the text does not.
    fn told(&self) -> String {
        let columns: Vec<&str> = self.key.iter().map(|(column, _)| column.as_str()).collect();
        match self.returns || columns.is_empty() {
            true => String::new(),
            false => format!("RETURNING {}", columns.join(", ")),
        }
    }

    /// The whole text. The database knows which types the values have: it is asked once.
    async fn typed(&self, connection: &mut PgConnection, text: &Text) -> Result<Typed, Failure> {
        if let Some(known) = self.typed.get() {
            return Ok(known.clone());
        }
        let one = AssertSqlSafe(Arc::clone(text.sql())).into_sql_str();
        let one = run::in_time(connection.prepare(one)).await.map_err(Failure::Theirs)?;
        let types = match one.parameters() {
            Some(Either::Left(types)) => types.iter().map(|of| of.name().to_owned()).collect(),
            _ => Vec::new(),
        };
        let kinds: Option<Vec<Kind>> = types.iter().map(|name| Kind::of(name)).collect();
        let kinds = kinds.filter(|kinds| kinds.len() == self.values).ok_or_else(|| {
            let types = types.join(", ");
            Failure::Ours(StoreError::Broken(format!(
                "values of the types {types} cannot be sent together"
            )))
        })?;
        let list = |of: &dyn Fn(usize) -> String| (1..=self.values).map(of).collect::<Vec<_>>().join(", ");
        let arrays = list(&|number| format!("${number}::{}[]", types[number - 1]));
        let names = list(&|number| format!("v{number}"));
        // In their order: what numbers the rows counts as it would one by one.
        let sql = format!(
            "{head}SELECT {row} FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, place) ORDER BY given.place{tail}
            {told}",
            head = self.head,
            row = self.row.join(", "),
            tail = self.tail,
            told = self.told(),
        );
        let typed = Typed {
            sql: sql.into(),
            kinds: kinds.into(),
        };
        Ok(self.typed.get_or_init(|| typed).clone())
    }
}

/// What a column is given.
enum Given {
    /// The value at this position, from 0.
    Value(usize),
    /// What stands in the text.
    Literal(String),
}

impl Given {
    fn of(written: &str) -> Option<Self> {
        let written = written.trim();
        if let Some(number) = written.strip_prefix('$') {
            return Some(Self::Value(number.parse::<usize>().ok()?.checked_sub(1)?));
        }
        let word = written
            .strip_prefix('\'')
            .and_then(|word| word.strip_suffix('\''))
            .unwrap_or(written);
        let plain = !word.is_empty() && word.chars().all(|of| of.is_ascii_alphanumeric() || of == '_');
        plain.then(|| Self::Literal(written.to_owned()))
    }

    fn value(&self) -> Option<usize> {
        match self {
            Self::Value(at) => Some(*at),
            Self::Literal(_) => None,
        }
    }

    fn selected(&self) -> String {
        match self {
            Self::Value(at) => format!("given.v{}", at + 1),
            Self::Literal(written) => written.clone(),
        }
    }
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "INT8" => Self::Int,
            "TEXT" => Self::Text,
            "BYTEA" => Self::Bytes,
            _ => return None,
        })
    }

    /// One value of each statement, as an array.
    fn add<'a>(self, values: impl Iterator<Item = &'a Value>, arguments: &mut PgArguments) -> Result<(), StoreError> {
        let unfit = || StoreError::Broken("a value is of another type than its column".to_owned());
        let added = match self {
            Self::Int => arguments.add(
                every(values, |value| match value {
                    Value::Int(number) => Some(*number),
                    _ => None,
                })
                .ok_or_else(unfit)?,
            ),
            Self::Text => arguments.add(
                every::<Cow<'_, str>>(values, |value| match value {
                    Value::Text(written) => Some(text::written(written)),
                    _ => None,
                })
                .ok_or_else(unfit)?,
            ),
            Self::Bytes => arguments.add(
                every::<&[u8]>(values, |value| match value {
                    Value::Blob(bytes) => Some(bytes.as_slice()),
                    _ => None,
                })
                .ok_or_else(unfit)?,
            ),
        };
        added.map_err(|error| StoreError::Broken(format!("values cannot be sent together: {error}")))
    }
}

/// Each value, read so; nothing where one cannot be.
fn every<'a, T>(
    values: impl Iterator<Item = &'a Value>,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Option<Vec<Option<T>>> {
    values
        .map(|value| match value {
            Value::Null => Some(None),
            other => read(other).map(Some),
        })
        .collect()
}

fn names(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values;

    #[test]
    fn a_text_for_one_row_has_a_form_for_many() {
        let many = Many::of(
            "INSERT INTO notes (id, state, at) VALUES ($1, 'new', $2)
            ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING at, id",
        )
        .unwrap();
        assert_eq!(many.row, ["given.v1", "'new'", "given.v2"]);
        assert_eq!((many.values, many.returns), (2, true));
        assert_eq!(many.key, [("id".to_owned(), 0)]);
    }

    #[test]
    fn a_text_that_does_not_tell_its_rows_apart_has_none() {
        for sql in [
            "UPDATE notes SET at = $2 WHERE id = $1",
            "INSERT INTO notes (id) SELECT $1",
            "INSERT INTO notes (id) VALUES (lower($1))",
            "INSERT INTO notes (id) VALUES ('new')",
            "INSERT INTO notes (id, at) VALUES ($1)",
            "INSERT INTO notes (id, at) VALUES ($1, $2) RETURNING at",
            "INSERT INTO notes (id, at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET at = $2",
            "INSERT INTO notes (id, at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET at = 1 RETURNING at",
            "INSERT INTO notes (id, at) VALUES ('a', $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        ] {
            assert!(Many::of(sql).is_none(), "{sql}");
        }
    }

    #[test]
    fn the_same_row_twice_is_not_done_as_one() {
        const KEPT: &str = "INSERT INTO notes (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id";
        const NEW: &str = "INSERT INTO notes (id) VALUES ($1) ON CONFLICT DO NOTHING";
        let of = |sql, id: &str| Statement::new(sql, values![id]);
        let takes = |sql, ids: [&str; 2]| {
            let statements = ids.map(|id| of(sql, id));
            Many::of(sql).unwrap().takes(&statements.iter().collect::<Vec<_>>())
        };
        assert!(takes(KEPT, ["a", "b"]));
        assert!(!takes(KEPT, ["a", "a"]));
        assert!(takes(NEW, ["a", "a"]));
    }

    #[test]
    fn what_each_must_hit_is_told_by_the_key() {
        const KNOWN: &str = "INSERT INTO notes (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
        const NOT: &str = "INSERT INTO notes (id) VALUES ($1) ON CONFLICT DO NOTHING";
        for (sql, told, taken) in [(KNOWN, "RETURNING id", true), (NOT, "", false)] {
            let many = Many::of(sql).unwrap();
            let [one, other] = ["a", "b"].map(|id| Statement::new(sql, values![id]).exactly(1));
            assert_eq!(many.told(), told);
            assert_eq!(many.takes(&[&one, &other]), taken, "{sql}");
            assert!(!many.takes(&[&one, &other.clone().exactly(2)]));
        }
    }
}
