//! The tasks that write.
//!
//! Each has a connection of its own and takes what has gathered in the queue. Writes that are one statement of the same text
//! become one statement; the others share a transaction, and so its sync to disk. Each stands or falls alone all the same.
//! Nobody outside can drop them in the middle of a statement, so that no connection is ever left inside a transaction that
//! nobody ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use super::failure::Meaning;
use super::open::Way;
use super::run::{self, Failure, Text, Texts};
use crate::store::progress::Progress;
use crate::store::write::{Hits, Row, Statement, StoreError, Write};

/// Writes in one transaction at most: bounds how long its locks are held.
const GROUP: usize = 32;

/// How long a write is tried again while the database is away, starts, or has another transaction in the way. GitHub
/// waits ten seconds for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How a transaction waits for rows that another one has locked.
///
/// Two that lock rows in opposite orders wait for each other until the server finds out, which takes it a second. So
/// nothing waits long at first, and of what is tried again one at a time in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Briefly,
    Long,
}

impl Waits {
    fn begin(self) -> &'static str {
        match self {
            Self::Briefly => "BEGIN; SET LOCAL lock_timeout = '100ms'",
            Self::Long => "BEGIN",
        }
    }
}

/// The first rest between two attempts; it doubles up to [`LONGEST_REST`].
const FIRST_REST: Duration = Duration::from_millis(10);

const LONGEST_REST: Duration = Duration::from_millis(500);

/// A connection that rested longer is asked whether it still lives before something is entrusted to it.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long it may take to say so.
const LIVELY: Duration = Duration::from_secs(2);

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
    /// Held by the writer that tries something again.
    pub(super) again: Mutex<()>,
    /// Told when something was kept that others may wait for.
    pub(super) work: Arc<Notify>,
}

impl Writers {
    /// Works until nobody can ask any more and the queue is empty.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut session = Session::of(&self);
        loop {
            let mut jobs = Vec::new();
            if self.queue.lock().await.recv_many(&mut jobs, GROUP).await == 0 {
                break;
            }
            let _turn = match self.progress.limited() {
                true => Some(self.turn.lock().await),
                false => None,
            };
            session.perform(jobs).await;
        }
        session.leave().await;
    }

    /// What is done at once: writes of one statement each that can be joined, and all others. Where order counts, whoever
    /// asks waits for the first before asking for the second.
    fn portions(&self, jobs: Vec<Job>) -> Vec<Portion> {
        let (mut alike, mut others): (BTreeMap<_, Vec<Job>>, _) = (BTreeMap::new(), Vec::new());
        for job in jobs {
            match job.write.only() {
                Some(statement) => alike.entry(statement.sql).or_default().push(job),
                None => others.push(job),
            }
        }
        let mut portions = Vec::new();
        for (sql, jobs) in alike {
            let text = self.texts.of(sql);
            let statements: Vec<&Statement> = jobs.iter().filter_map(|job| job.write.only()).collect();
            match text.joins(&statements) {
                true => portions.push(Portion {
                    joined: Some(text),
                    jobs,
                }),
                false => others.extend(jobs),
            }
        }
        if !others.is_empty() {
            portions.push(Portion {
                joined: None,
                jobs: others,
            });
        }
        portions
    }
}

/// Writes that are done at once.
struct Portion {
    /// Their text, where all of them are one statement of it.
    joined: Option<Arc<Text>>,
    jobs: Vec<Job>,
}

/// One writer's connection, and what it works with.
struct Session<'a> {
    writers: &'a Writers,
    /// What its transactions are noted under, and the number of the last one.
    name: String,
    last: i64,
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
            name: format!("{:016x}", rand::random::<u64>()),
            last: 0,
            connection: None,
        }
    }

    async fn perform(&mut self, jobs: Vec<Job>) {
        for portion in self.writers.portions(jobs) {
            let answers = match portion.jobs.len() > 1 && !self.writers.progress.stopped() {
                true => self.together(&portion).await,
                false => None,
            };
            match answers {
                Some(answers) => {
                    for (job, answer) in portion.jobs.into_iter().zip(answers) {
                        // Who asked may have left; what was done stays done.
                        let _ = job.answer.send(answer);
                    }
                }
                // One of them was not to be kept, or something was in the way: each alone, then.
                None => {
                    for job in portion.jobs {
                        let answer = self.alone(&job.write).await;
                        let _ = job.answer.send(answer);
                    }
                }
            }
        }
    }

    /// Several writes in one transaction; nothing where each is to be done alone.
    async fn together(&mut self, Portion { joined, jobs }: &Portion) -> Option<Vec<Answer>> {
        let done = match joined {
            Some(text) => {
                let statements: Vec<&Statement> = jobs.iter().filter_map(|job| job.write.only()).collect();
                self.joined(text, &statements).await
            }
            None => {
                let writes: Vec<&Write> = jobs.iter().map(|job| &job.write).collect();
                let done = self.transaction(&writes, Waits::Briefly).await;
                done.map(|answers| answers.into_iter().map(Ok).collect())
            }
        };
        match done {
            Ok(answers) => Some(answers),
            // Nobody knows whether they were kept: none of them may be done again.
            Err(Stopped::Unknown(error)) => Some(vec![Err(error); jobs.len()]),
            Err(_) => None,
        }
    }

    /// Writes of one statement each, as one statement. One that hit nothing has nothing to undo.
    async fn joined(&mut self, text: &Text, statements: &[&Statement]) -> Result<Vec<Answer>, Stopped> {
        let connection = self.connection().await?;
        let joined = run::joined(connection, text, statements).await;
        let joined = joined.map_err(|failure| self.unanswered(failure))?;
        self.kept(statements, joined.changed);
        let each = statements.iter().zip(joined.hits).zip(joined.rows);
        Ok(each
            .map(|((statement, hits), rows)| match statement.hits {
                Hits::Exactly(wanted) if wanted != hits => Err(StoreError::Missed { statement: 0 }),
                Hits::Exactly(_) | Hits::Any => Ok(vec![rows]),
            })
            .collect())
    }

    /// One write, until it is kept or refused or its time is over.
    async fn alone(&mut self, write: &Write) -> Answer {
        let began = Instant::now();
        let (mut rest, mut waits) = (FIRST_REST, Waits::Briefly);
        loop {
            if self.writers.progress.stopped() {
                return Err(StoreError::Unavailable("it was stopped at a crash point".to_owned()));
            }
            // Others of this process that were in the way wait for their turn.
            let turn = match waits {
                Waits::Briefly => None,
                Waits::Long => Some(self.writers.again.lock().await),
            };
            let alone = write
                .only()
                .map(|statement| (self.writers.texts.of(statement.sql), statement));
            let stopped = match alone {
                Some((text, statement)) if text.stands_alone(statement) => self.statement(&text, statement).await,
                _ => self
                    .transaction(&[write], waits)
                    .await
                    .map(|mut answers| answers.pop().unwrap_or_default()),
            };
            let error = match stopped {
                Ok(rows) => return Ok(rows),
                Err(Stopped::Missed(statement)) => return Err(StoreError::Missed { statement }),
                Err(Stopped::Unknown(error) | Stopped::Not(Meaning::Final(error))) => return Err(error),
                Err(Stopped::Not(Meaning::Again(error) | Meaning::Reconnect(error))) => error,
            };
            drop(turn);
            if began.elapsed() + rest > PATIENCE {
                return Err(error);
            }
            waits = Waits::Long;
            tokio::time::sleep(rest).await;
            rest = (rest * 2).min(LONGEST_REST);
        }
    }

    /// A write that is one statement, which is a transaction by itself. When the way is lost before its answer came,
    /// nobody knows whether it was kept; it is not done again here.
    async fn statement(&mut self, text: &Text, statement: &Statement) -> Result<Vec<Vec<Row>>, Stopped> {
        let connection = self.connection().await?;
        match run::statement(connection, text, &statement.values).await {
            Ok(done) if matches!(statement.hits, Hits::Exactly(wanted) if wanted != done.hits) => {
                Err(Stopped::Missed(0))
            }
            Ok(done) => {
                self.kept(&[statement], done.changed);
                Ok(vec![done.rows])
            }
            Err(failure) => Err(self.unanswered(failure)),
        }
    }

    /// What it means when a statement that is a transaction by itself was not done, or nobody knows.
    fn unanswered(&mut self, failure: Failure) -> Stopped {
        let answered = matches!(&failure, Failure::Ours(_) | Failure::Theirs(sqlx::Error::Database(_)));
        match self.stopped(Stopped::of(failure)) {
            Stopped::Not(meaning) if !answered => Stopped::Unknown(meaning.answer()),
            stopped => stopped,
        }
    }

    /// All of these writes in one transaction, or none.
    async fn transaction(&mut self, writes: &[&Write], waits: Waits) -> Result<Vec<Vec<Vec<Row>>>, Stopped> {
        let texts = Arc::clone(&self.writers.texts);
        self.last += 1;
        let (name, last) = (self.name.clone(), self.last);
        let connection = self.connection().await?;
        let (answers, changed) = match fill(connection, &texts, writes, waits).await {
            Ok(filled) => filled,
            Err(stopped) => {
                self.roll_back().await;
                return Err(self.stopped(stopped));
            }
        };
        let committed = match &mut self.connection {
            Some((connection, _)) if changed > 0 => commit_noted(connection, &name, last).await,
            Some((connection, _)) => simple(connection, "COMMIT").await,
            None => Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into()),
        };
        if let Err(error) = committed {
            let answered = matches!(&error, sqlx::Error::Database(_));
            let stopped = self.stopped(Stopped::theirs(error));
            if answered {
                // It may be the note that failed.
                self.roll_back().await;
                return Err(stopped);
            }
            self.connection = None;
            // Where nothing changed there is nothing that could have been kept.
            if changed > 0 {
                self.was_kept().await?;
            }
        }
        let statements: Vec<&Statement> = writes.iter().flat_map(|write| &write.0).collect();
        self.kept(&statements, changed);
        Ok(answers)
    }

    /// Asks what became of the last transaction, whose end was not told: `Ok` when it was kept.
    async fn was_kept(&mut self) -> Result<(), Stopped> {
        let lost = "the connection was lost during a commit";
        let (name, last) = (self.name.clone(), self.last);
        let began = Instant::now();
        loop {
            let asked = match self.connection().await {
                Ok(connection) => last_kept(connection, &name).await.map_err(Stopped::theirs),
                Err(stopped) => Err(stopped),
            };
            match asked.map_err(|stopped| self.stopped(stopped)) {
                Ok(kept) if kept == last => return Ok(()),
                Ok(_) => {
                    return Err(Stopped::Not(Meaning::Reconnect(StoreError::Unavailable(
                        lost.to_owned(),
                    ))));
                }
                Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(LONGEST_REST / 10).await,
                Err(_) => {
                    let unknown = format!("{lost}, and its outcome is not known: the database is away");
                    return Err(Stopped::Unknown(StoreError::Unavailable(unknown)));
                }
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
            && !matches!(tokio::time::timeout(LIVELY, connection.ping()).await, Ok(Ok(())))
        {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some((connection, _)) => connection,
            // Whatever stands in the way of connecting may pass.
            None => self.connect().await.map_err(|error| {
                let reason = match Meaning::of_theirs(&error).answer() {
                    StoreError::Unavailable(reason) | StoreError::Broken(reason) => reason,
                    other => other.to_string(),
                };
                Stopped::Not(Meaning::Reconnect(StoreError::Unavailable(reason)))
            })?,
        };
        let (connection, _) = self.connection.insert((connection, Instant::now()));
        Ok(connection)
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.writers.way.connect().await?;
        prepare_note(&mut connection).await?;
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
        let Some((mut connection, _)) = self.connection.take() else {
            return;
        };
        let gone = sqlx::query("DELETE FROM countersign_writers WHERE id = $1").bind(self.name.clone());
        // Whoever starts later clears what is left behind.
        let _ = run::in_time(gone.execute(&mut connection)).await;
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "a connection to the database did not close cleanly");
        }
    }
}

/// Begins a transaction and does everything in it: the answers, and how many rows changed.
async fn fill(
    connection: &mut PgConnection,
    texts: &Texts,
    writes: &[&Write],
    waits: Waits,
) -> Result<(Vec<Vec<Vec<Row>>>, usize), Stopped> {
    simple(connection, waits.begin()).await.map_err(Stopped::theirs)?;
    let (mut answers, mut changed) = (Vec::with_capacity(writes.len()), 0);
    for write in writes {
        let mut answer = Vec::with_capacity(write.0.len());
        for alike in write.0.chunk_by(|one, next| one.sql == next.sql) {
            let text = texts.of(alike[0].sql);
            let statements: Vec<&Statement> = alike.iter().collect();
            if text.joins(&statements) {
                let joined = run::joined(connection, &text, &statements).await.map_err(Stopped::of)?;
                if let Some(at) = joined.missed(&statements) {
                    return Err(Stopped::Missed(answer.len() + at));
                }
                changed += joined.changed;
                answer.extend(joined.rows);
                continue;
            }
            for statement in alike {
                let done = run::statement(connection, &text, &statement.values).await;
                let done = done.map_err(Stopped::of)?;
                match statement.hits {
                    Hits::Exactly(wanted) if wanted != done.hits => return Err(Stopped::Missed(answer.len())),
                    Hits::Exactly(_) | Hits::Any => {}
                }
                changed += done.changed;
                answer.push(done.rows);
            }
        }
        answers.push(answer);
    }
    Ok((answers, changed))
}

async fn simple(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    run::in_time(sqlx::raw_sql(sql).execute(connection)).await.map(drop)
}

/// Notes with a transaction which it is, so that its end can be asked for, and ends it. A number that the server gives is no
/// proof: one that was lost in a crash is given again.
async fn commit_noted(connection: &mut PgConnection, writer: &str, last: i64) -> Result<(), sqlx::Error> {
    // In one round trip. The name is of hexadecimal digits.
    let noted = format!("EXECUTE countersign_note('{writer}', {last}); COMMIT");
    let committed = sqlx::raw_sql(AssertSqlSafe(noted));
    run::in_time(committed.execute(connection)).await.map(drop)
}

/// Makes the note ready on a new connection.
async fn prepare_note(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let prepared = "PREPARE countersign_note (TEXT, BIGINT) AS INSERT INTO countersign_writers (id, last, used)
        VALUES ($1, $2, now()) ON CONFLICT (id) DO UPDATE SET last = $2, used = now()";
    simple(connection, prepared).await
}

/// The last transaction of a writer that was kept. One that is under way yet is waited for.
async fn last_kept(connection: &mut PgConnection, writer: &str) -> Result<i64, sqlx::Error> {
    const LAST: &str = "INSERT INTO countersign_writers (id, last, used) VALUES ($1, 0, now())
        ON CONFLICT (id) DO UPDATE SET used = now() RETURNING last";
    let asked = sqlx::query(LAST).bind(writer.to_owned());
    run::in_time(asked.fetch_one(connection)).await?.try_get(0)
}
