//! The tasks that write.
//!
//! Each has a connection of its own and takes what has gathered in the queue: one write alone, or several in one
//! transaction, which share its sync to disk and stand or fall alone all the same. Nobody outside can drop them in the
//! middle of a statement, so that no connection is ever left inside a transaction that nobody ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use super::failure::Meaning;
use super::open::Way;
use super::run::{self, Failure, Texts};
use crate::store::progress::Progress;
use crate::store::write::{Hits, Row, Statement, StoreError, Write};

/// Writes in one transaction at most: bounds how long its locks are held.
const GROUP: usize = 32;

/// How long a write is tried again while the database is away, starts, or has another transaction in the way. GitHub
/// waits ten seconds for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The first rest between two attempts; it doubles up to [`LONGEST_REST`].
const FIRST_REST: Duration = Duration::from_millis(10);

const LONGEST_REST: Duration = Duration::from_millis(500);

/// A connection that rested longer is asked whether it still lives before something is entrusted to it.
const TRUSTED: Duration = Duration::from_secs(1);

pub(super) type Answer = Result<Vec<Vec<Row>>, StoreError>;

/// A write that waits.
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What the writers share.
pub(super) struct Writers {
    pub(super) way: Way,
    pub(super) texts: Arc<Texts>,
    pub(super) queue: Mutex<mpsc::Receiver<Job>>,
    pub(super) progress: Arc<Progress>,
    /// Held by one writer at a time while there is a crash point, so that none passes it.
    pub(super) turn: Mutex<()>,
    /// Told when something was kept that others may wait for.
    pub(super) work: Arc<Notify>,
}

impl Writers {
    /// Works until nobody can ask any more and the queue is empty.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut session = Session::of(&self);
        loop {
            let mut jobs = VecDeque::new();
            {
                let mut queue = self.queue.lock().await;
                match queue.recv().await {
                    Some(job) => jobs.push_back(job),
                    None => break,
                }
                while jobs.len() < GROUP
                    && let Ok(job) = queue.try_recv()
                {
                    jobs.push_back(job);
                }
            }
            let _turn = match self.progress.limited() {
                true => Some(self.turn.lock().await),
                false => None,
            };
            session.perform(jobs).await;
        }
        session.leave().await;
    }
}

/// One writer's connection, and what it works with.
struct Session<'a> {
    writers: &'a Writers,
    connection: Option<(PgConnection, Instant)>,
}

/// Why a transaction was not kept.
enum Stopped {
    /// A statement hit another number of rows than it had to.
    Missed(usize),
    /// The database did not do it; nothing was kept.
    Not(Meaning),
    /// The way was lost while the database was asked to keep it, and nobody could tell whether it did.
    Unknown(StoreError),
}

impl Stopped {
    fn of(failure: Failure) -> Self {
        Self::Not(Meaning::of(failure))
    }

    fn theirs(error: sqlx::Error) -> Self {
        Self::of(Failure::Theirs(error))
    }
}

impl<'a> Session<'a> {
    fn of(writers: &'a Writers) -> Self {
        Self {
            writers,
            connection: None,
        }
    }

    async fn perform(&mut self, mut jobs: VecDeque<Job>) {
        if jobs.len() > 1 && !self.writers.progress.stopped() {
            let writes: Vec<&Write> = jobs.iter().map(|job| &job.write).collect();
            if let Ok(answers) = self.transaction(&writes).await {
                for (job, answer) in jobs.drain(..).zip(answers) {
                    // Who asked may have left; what was done stays done.
                    let _ = job.answer.send(Ok(answer));
                }
            }
        }
        // One of them was not to be kept, or something was in the way: each alone, then.
        for job in jobs {
            let answer = self.alone(&job.write).await;
            let _ = job.answer.send(answer);
        }
    }

    /// One write, until it is kept or refused or its time is over.
    async fn alone(&mut self, write: &Write) -> Answer {
        let began = Instant::now();
        let mut rest = FIRST_REST;
        loop {
            if self.writers.progress.stopped() {
                return Err(StoreError::Unavailable("it was stopped at a crash point".to_owned()));
            }
            let stopped = match write.0.as_slice() {
                [statement] if statement.hits == Hits::Any => self.statement(statement).await,
                _ => self
                    .transaction(&[write])
                    .await
                    .map(|mut answers| answers.pop().unwrap_or_default()),
            };
            let error = match stopped {
                Ok(rows) => return Ok(rows),
                Err(Stopped::Missed(statement)) => return Err(StoreError::Missed { statement }),
                Err(Stopped::Unknown(error) | Stopped::Not(Meaning::Final(error))) => return Err(error),
                Err(Stopped::Not(Meaning::Again(error) | Meaning::Reconnect(error))) => error,
            };
            if began.elapsed() + rest > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(rest).await;
            rest = (rest * 2).min(LONGEST_REST);
        }
    }

    /// A write that is one statement, which is a transaction by itself. When the way is lost before its answer came,
    /// nobody knows whether it was kept; it is not done again here.
    async fn statement(&mut self, statement: &Statement) -> Result<Vec<Vec<Row>>, Stopped> {
        let text = self.writers.texts.of(statement.sql);
        let connection = self.connection().await?;
        match run::statement(connection, &text, &statement.values).await {
            Ok(done) => {
                self.kept(&[statement], done.changed);
                Ok(vec![done.rows])
            }
            Err(failure) => {
                let answered = matches!(&failure, Failure::Ours(_) | Failure::Theirs(sqlx::Error::Database(_)));
                match self.stopped(Stopped::of(failure)) {
                    Stopped::Not(meaning) if !answered => Err(Stopped::Unknown(meaning.answer())),
                    stopped => Err(stopped),
                }
            }
        }
    }

    /// All of these writes in one transaction, or none.
    async fn transaction(&mut self, writes: &[&Write]) -> Result<Vec<Vec<Vec<Row>>>, Stopped> {
        let texts = Arc::clone(&self.writers.texts);
        let connection = self.connection().await?;
        let filled = fill(connection, &texts, writes).await;
        let (answers, changed, transaction) = match filled {
            Ok(filled) => filled,
            Err(stopped) => {
                self.roll_back().await;
                return Err(self.stopped(stopped));
            }
        };
        let connection = self.connection().await?;
        if let Err(error) = simple(connection, "COMMIT").await {
            let answered = matches!(&error, sqlx::Error::Database(_));
            let stopped = self.stopped(Stopped::theirs(error));
            if answered {
                return Err(stopped);
            }
            self.connection = None;
            self.was_kept(transaction).await?;
        }
        let statements: Vec<&Statement> = writes.iter().flat_map(|write| &write.0).collect();
        self.kept(&statements, changed);
        Ok(answers)
    }

    /// Asks what became of a transaction whose end was not told: `Ok` when it was kept.
    async fn was_kept(&mut self, transaction: Option<String>) -> Result<(), Stopped> {
        // It changed nothing: there is nothing that could have been kept.
        let Some(transaction) = transaction else { return Ok(()) };
        let unknown = |why: &str| {
            let text = format!("the connection was lost during a commit, and its outcome is not known: {why}");
            Stopped::Unknown(StoreError::Unavailable(text))
        };
        let began = Instant::now();
        loop {
            let asked = match self.connection().await {
                Ok(connection) => status(connection, &transaction).await.map_err(Stopped::theirs),
                Err(stopped) => Err(stopped),
            };
            match asked.map_err(|stopped| self.stopped(stopped)) {
                Ok(Some(status)) if status == "committed" => return Ok(()),
                Ok(Some(status)) if status == "aborted" => {
                    let error = StoreError::Unavailable("the connection was lost during a commit".to_owned());
                    return Err(Stopped::Not(Meaning::Reconnect(error)));
                }
                Ok(None) => return Err(unknown("the database does not remember it")),
                Ok(Some(_)) | Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(LONGEST_REST / 10).await,
                Ok(Some(_)) => return Err(unknown("it is still under way")),
                Err(_) => return Err(unknown("the database is away")),
            }
        }
    }

    fn kept(&self, statements: &[&Statement], changed: usize) {
        if changed == 0 {
            return;
        }
        self.writers.progress.committed();
        let work = |sql: &str| sql.starts_with("INSERT INTO deliveries") || sql.starts_with("INSERT INTO effects");
        if statements.iter().any(|statement| work(statement.sql)) {
            self.writers.work.notify_one();
        }
    }

    /// The connection, made anew where it was lost.
    async fn connection(&mut self) -> Result<&mut PgConnection, Stopped> {
        if let Some((connection, used)) = &mut self.connection
            && used.elapsed() > TRUSTED
            && connection.ping().await.is_err()
        {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some((connection, _)) => connection,
            // Whatever stands in the way of connecting may pass.
            None => self.writers.way.connect().await.map_err(|error| {
                let answer = Meaning::of_theirs(&error).answer();
                Stopped::Not(Meaning::Reconnect(StoreError::Unavailable(answer.to_string())))
            })?,
        };
        let (connection, _) = self.connection.insert((connection, Instant::now()));
        Ok(connection)
    }

    /// Gives the connection up where it is of no use any more.
    fn stopped(&mut self, stopped: Stopped) -> Stopped {
        if let Stopped::Not(Meaning::Reconnect(_)) = &stopped {
            self.connection = None;
        }
        stopped
    }

    async fn roll_back(&mut self) {
        if let Some((connection, _)) = &mut self.connection
            && simple(connection, "ROLLBACK").await.is_err()
        {
            // The server rolls back what a lost connection had begun.
            self.connection = None;
        }
    }

    async fn leave(&mut self) {
        if let Some((connection, _)) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "a connection to the database did not close cleanly");
        }
    }
}

type Filled = (Vec<Vec<Vec<Row>>>, usize, Option<String>);

/// Begins a transaction and does everything in it: the answers, how many rows changed, and its number where any did.
async fn fill(connection: &mut PgConnection, texts: &Texts, writes: &[&Write]) -> Result<Filled, Stopped> {
    simple(connection, "BEGIN").await.map_err(Stopped::theirs)?;
    let (mut answers, mut changed) = (Vec::with_capacity(writes.len()), 0);
    for write in writes {
        let mut answer = Vec::with_capacity(write.0.len());
        for (at, statement) in write.0.iter().enumerate() {
            let text = texts.of(statement.sql);
            let done = run::statement(connection, &text, &statement.values).await;
            let done = done.map_err(Stopped::of)?;
            match statement.hits {
                Hits::Exactly(wanted) if wanted != done.hits => return Err(Stopped::Missed(at)),
                Hits::Exactly(_) | Hits::Any => {}
            }
            changed += done.changed;
            answer.push(done.rows);
        }
        answers.push(answer);
    }
    let transaction = match changed {
        0 => None,
        _ => Some(number(connection).await.map_err(Stopped::theirs)?),
    };
    Ok((answers, changed, transaction))
}

async fn simple(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    run::in_time(sqlx::raw_sql(sql).execute(connection)).await.map(drop)
}

/// The number of the transaction that is open, by which its end can be asked for.
async fn number(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let asked = sqlx::query("SELECT CAST(pg_current_xact_id() AS TEXT)");
    asked.fetch_one(connection).await?.try_get(0)
}

async fn status(connection: &mut PgConnection, transaction: &str) -> Result<Option<String>, sqlx::Error> {
    let asked = sqlx::query("SELECT pg_xact_status(CAST(CAST($1 AS TEXT) AS xid8))").bind(transaction.to_owned());
    asked.fetch_one(connection).await?.try_get(0)
}
