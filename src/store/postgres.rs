//! PostgreSQL, 15 or later: a few tasks write, in groups; a pool reads. Several processes use one database as equals.
//!
//! A write is a transaction, at the level *read committed*: what it relies on it says in its statements (the version, the
//! fence, the state that a row must have), and the row is locked when that is looked at. Claims pass over rows that
//! another process has locked. Nothing is told to other processes but a hint that there may be work, which may be lost:
//! they look for themselves.

mod beside;
mod failure;
mod many;
mod open;
mod rights;
mod run;
mod text;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::progress::Progress;
use super::write::{Row, StoreError, Value, Write};
use crate::config::PostgresUrl;
use beside::Beside;
use failure::Meaning;
pub use open::OpenError;
use open::{SERVER, Schema, Way};
use run::Texts;
use writer::{Job, PATIENCE, Writers};

/// Connections that write.
const WRITERS: usize = 4;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// Writes that may wait before those who ask wait themselves.
const QUEUE: usize = 1024;

/// How long a server waits at its start for a database that may come.
const AWAITED: Duration = Duration::from_secs(60);

/// The longest rest between two looks for it.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The rest before a read is tried again.
const REST: Duration = Duration::from_millis(50);

/// A PostgreSQL database that is open.
#[derive(Debug)]
pub struct Postgres {
    texts: Arc<Texts>,
    readers: PgPool,
    writers: Option<WriterTasks>,
    beside: Option<Beside>,
}

#[derive(Debug)]
struct WriterTasks {
    /// Taken away when the store is closed.
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    progress: Arc<Progress>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Postgres {
    /// For one of the equal servers: migrates where that is needed. A database that is not there yet is waited for, a
    /// minute at most.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub async fn serve(url: &PostgresUrl) -> Result<Self, OpenError> {
        let began = Instant::now();
        let mut rest = Duration::from_millis(250);
        loop {
            match Self::serve_schema(url, &Schema::embedded()).await {
                Err(error) if error.may_pass() && began.elapsed() + rest < AWAITED => {
                    tracing::warn!(%error, "waiting for the database");
                    tokio::time::sleep(rest).await;
                    rest = (rest * 2).min(LONGEST_REST);
                }
                opened => return opened,
            }
        }
    }

    /// See [`super::Store::try_open`].
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub async fn try_serve(url: &PostgresUrl) -> Result<(), OpenError> {
        let mut way = Way::to(url)?;
        let mut connection = way.enter().await?;
        way.compare_clocks(&mut connection).await?;
        rights::to_write(&way, &mut connection).await?;
        Schema::embedded().try_out(&way, &mut connection).await?;
        rights::to_work(&way, &mut connection).await
    }

    /// For a command that only looks. The database must have this program's schema.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub async fn read_only(url: &PostgresUrl) -> Result<Self, OpenError> {
        Self::read_only_schema(url, &Schema::embedded()).await
    }

    /// For a short command beside servers that run or do not: it leaves a request for them to take up. Migrates nothing.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub async fn outside_writer(url: &PostgresUrl) -> Result<Self, OpenError> {
        Self::outside_writer_schema(url, &Schema::embedded()).await
    }

    async fn serve_schema(url: &PostgresUrl, schema: &Schema) -> Result<Self, OpenError> {
        let mut way = Way::to(url)?.for_a_server();
        let mut connection = way.enter().await?;
        way.compare_clocks(&mut connection).await?;
        rights::to_write(&way, &mut connection).await?;
        schema.migrate(&way, &mut connection).await?;
        rights::to_work(&way, &mut connection).await?;
        Schema::clear(&way, &mut connection).await?;
        let work = Arc::new(Notify::new());
        let mut store = Self::reading(&way).with_writers(&way, WRITERS, Arc::clone(&work));
        store.beside = Some(Beside::start(&way, work));
        Ok(store)
    }

    async fn read_only_schema(url: &PostgresUrl, schema: &Schema) -> Result<Self, OpenError> {
        let mut way = Way::to(url)?;
        let mut connection = way.enter().await?;
        schema.check(&way, &mut connection).await?;
        Ok(Self::reading(&way))
    }

    async fn outside_writer_schema(url: &PostgresUrl, schema: &Schema) -> Result<Self, OpenError> {
        let mut way = Way::to(url)?;
        let mut connection = way.enter().await?;
        schema.check(&way, &mut connection).await?;
        Ok(Self::reading(&way).with_writers(&way, 1, Arc::default()))
    }

    /// Whether a server of this program is connected to the database, whatever it does there.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn is_served(&self) -> Result<bool, StoreError> {
        const SERVED: &str = "SELECT COUNT(*) AS servers FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = $1";
        let rows = self.read(SERVED, vec![Value::from(SERVER)]).await?;
        Ok(rows
            .first()
            .is_some_and(|row| row.int("servers").is_ok_and(|servers| servers > 0)))
    }

    fn reading(way: &Way) -> Self {
        let options = way.options().clone().options([("default_transaction_read_only", "on")]);
        let readers = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Self {
            texts: Arc::default(),
            readers,
            writers: None,
            beside: None,
        }
    }

    fn with_writers(mut self, way: &Way, count: usize, work: Arc<Notify>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let progress = Arc::new(Progress::default());
        let writers = Arc::new(Writers {
            way: way.clone(),
            texts: Arc::clone(&self.texts),
            queue: tokio::sync::Mutex::new(jobs),
            progress: Arc::clone(&progress),
            turn: tokio::sync::Mutex::default(),
            again: tokio::sync::Mutex::default(),
            work,
        });
        let tasks = (0..count).map(|_| tokio::spawn(Arc::clone(&writers).serve())).collect();
        self.writers = Some(WriterTasks {
            queue: Mutex::new(Some(queue)),
            progress,
            tasks: Mutex::new(tasks),
        });
        self
    }

    /// See [`super::Store::write`].
    pub async fn write(&self, write: Write) -> Result<Vec<Vec<Row>>, StoreError> {
        let Some(writers) = &self.writers else {
            return Err(StoreError::Broken("it was opened for reading only".to_owned()));
        };
        if write.is_empty() {
            return Ok(Vec::new());
        }
        let queue = writers.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or_else(closed)?;
        let (answer, outcome) = oneshot::channel();
        queue.send(Job { write, answer }).await.map_err(|_| closed())?;
        drop(queue);
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    /// See [`super::Store::read`].
    pub async fn read(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        if self.readers.is_closed() {
            return Err(closed());
        }
        let (readers, text) = (self.readers.clone(), self.texts.of(sql));
        // In a task of its own: whoever asked may leave, and the connection is given back in order.
        let reading = tokio::spawn(async move {
            let began = Instant::now();
            loop {
                let meaning = match readers.acquire().await {
                    Err(error) => Meaning::of_theirs(&error),
                    Ok(mut connection) => match run::statement(&mut connection, &text, &values).await {
                        Ok(done) => return Ok(done.rows),
                        Err(failure) => {
                            let meaning = Meaning::of(failure);
                            if let Meaning::Reconnect(_) = meaning {
                                // It is not given back.
                                drop(connection.detach());
                            }
                            meaning
                        }
                    },
                };
                let again = !matches!(meaning, Meaning::Final(_)) && !readers.is_closed();
                if !again || began.elapsed() > PATIENCE {
                    return Err(meaning.answer());
                }
                tokio::time::sleep(REST).await;
            }
        });
        reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Broken(format!("the reader ended: {error}"))))
    }

    /// How many commits changed something since this was opened. A group of writes is one commit.
    pub fn commits(&self) -> u64 {
        self.writers.as_ref().map_or(0, |writers| writers.progress.commits())
    }

    /// See [`super::Store::stop_after`].
    pub fn stop_after(&self, commits: u64) {
        if let Some(writers) = &self.writers {
            writers.progress.stop_after(commits);
        }
    }

    /// See [`super::Store::may_claim`].
    pub fn may_claim(&self) -> Result<(), StoreError> {
        self.beside.as_ref().map_or(Ok(()), |beside| beside.clock.holds())
    }

    /// See [`super::Store::hinted`].
    pub async fn hinted(&self) {
        match &self.beside {
            Some(beside) => beside.hinted().await,
            None => std::future::pending().await,
        }
    }

    /// See [`super::Store::close`].
    pub async fn close(&self) {
        if let Some(writers) = &self.writers {
            drop(writers.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
            let tasks = std::mem::take(&mut *writers.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            for task in tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a writer of the database ended by itself");
                }
            }
        }
        if let Some(beside) = &self.beside {
            beside.stop();
        }
        self.readers.close().await;
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}
