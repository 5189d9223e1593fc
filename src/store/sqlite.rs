//! SQLite: one thread writes, in groups; a few connections read.
//!
//! The writer takes what has gathered while the last group was synced, does it in one transaction, and answers after the
//! commit. So an answer means "on disk", and sixty-four waiters share one sync instead of queueing for sixty-four.

mod backup;
mod open;
mod run;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::progress::Progress;
use super::write::{Row, StoreError, Value, Write};
pub use backup::{BackupError, Restored, Restoring};
pub use open::OpenError;
use open::Schema;
use writer::{Job, Message};

/// Connections that read at the same time; more would only wait for the same disk.
const READERS: usize = 3;

/// Writes that may wait before those who ask wait themselves.
const QUEUE: usize = 1024;

/// A SQLite database that is open.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Option<Writer>,
    /// Idle ones. A connection that is lost is opened anew by the next reader.
    readers: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct Writer {
    queue: mpsc::Sender<Message>,
    progress: Arc<Progress>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sqlite {
    /// For the one server: creates what is missing, migrates, and holds `<path>.lock` until it is closed or dropped.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub fn serve(path: &Path) -> Result<Self, OpenError> {
        Self::serve_schema(path, &Schema::embedded())
    }

    /// See [`super::Store::try_serve`].
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub fn try_serve(path: &Path) -> Result<(), OpenError> {
        open::try_lock(path)?;
        open::may_write(path)?;
        if !path.exists() {
            return Ok(());
        }
        let connection = open::read_only(path)?;
        match Schema::embedded().check(path, &connection) {
            Err(OpenError::Older { .. }) => Ok(()),
            checked => checked,
        }
    }

    /// For a command that only looks. The database must exist and have this program's schema.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub fn read_only(path: &Path) -> Result<Self, OpenError> {
        Self::read_only_schema(path, &Schema::embedded())
    }

    /// For a short command beside a server that runs or does not: it leaves a request for the server to take up.
    /// Takes no lock and migrates nothing.
    ///
    /// # Errors
    /// One sentence each: see [`OpenError`].
    pub fn outside_writer(path: &Path) -> Result<Self, OpenError> {
        Self::outside_writer_schema(path, &Schema::embedded())
    }

    /// See [`super::Store::back_up`].
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn back_up(path: &Path, into: &Path) -> Result<(), BackupError> {
        backup::back_up(path, into)
    }

    /// See [`super::Store::restore`].
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn restore(path: &Path, from: &Path) -> Result<Restoring, BackupError> {
        Restoring::of(path, from)
    }

    fn serve_schema(path: &Path, schema: &Schema) -> Result<Self, OpenError> {
        open::create_directory(path)?;
        let lock = open::lock(path)?;
        let mut connection = open::create(path)?;
        schema.migrate(path, &mut connection)?;
        Self::with_writer(path, connection, Some(lock))
    }

    fn outside_writer_schema(path: &Path, schema: &Schema) -> Result<Self, OpenError> {
        let connection = open::existing(path)?;
        schema.check(path, &connection)?;
        Self::with_writer(path, connection, None)
    }

    fn read_only_schema(path: &Path, schema: &Schema) -> Result<Self, OpenError> {
        let connection = open::read_only(path)?;
        schema.check(path, &connection)?;
        Ok(Self {
            path: path.to_owned(),
            writer: None,
            readers: Arc::new(Mutex::new(vec![connection])),
            turns: Arc::new(Semaphore::new(READERS)),
        })
    }

    fn with_writer(path: &Path, connection: Connection, lock: Option<std::fs::File>) -> Result<Self, OpenError> {
        let (queue, messages) = mpsc::channel(QUEUE);
        let progress = Arc::new(Progress::default());
        let thread = writer::spawn(connection, lock, messages, Arc::clone(&progress))
            .map_err(|error| OpenError::unwritable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Some(Writer {
                queue,
                progress,
                thread: Mutex::new(Some(thread)),
            }),
            readers: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// See [`super::Store::write`].
    pub async fn write(&self, write: Write) -> Result<Vec<Vec<Row>>, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::Broken("it was opened for reading only".to_owned()));
        };
        if write.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, outcome) = oneshot::channel();
        let job = Message::Job(Job { write, answer });
        writer.queue.send(job).await.map_err(|_| closed())?;
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    /// See [`super::Store::read`].
    pub async fn read(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| closed())?;
        let readers = Arc::clone(&self.readers);
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => open::read_only(&path).map_err(|error| StoreError::Unavailable(error.to_string()))?,
            };
            let answer = run::statement(&connection, sql, &values).map(|(rows, _)| rows);
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            answer
        });
        reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Broken(format!("the reader ended: {error}"))))
    }

    /// How many commits changed something since this was opened. A group of writes is one commit; a write that hit no
    /// row is none.
    pub fn commits(&self) -> u64 {
        self.writer.as_ref().map_or(0, |writer| writer.progress.commits())
    }

    /// Crash point for tests: once [`commits`](Self::commits) has reached this number every further write is answered
    /// with [`StoreError::Unavailable`] and not executed, as if the process had been stopped between two commits. Reads
    /// go on, so that what the process does between them is still done.
    pub fn stop_after(&self, commits: u64) {
        if let Some(writer) = &self.writer {
            writer.progress.stop_after(commits);
        }
    }

    /// See [`super::Store::close`].
    pub async fn close(&self) {
        if let Some(writer) = &self.writer {
            let (answer, closed) = oneshot::channel();
            // An error means that it is closed already.
            if writer.queue.send(Message::Close(answer)).await.is_ok() {
                let _ = closed.await;
            }
        }
        self.turns.close();
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Sqlite {
    /// Waits until the queue is done and the lock is given back, so that the file can be opened again at once.
    fn drop(&mut self) {
        let Some(Writer { queue, thread, .. }) = self.writer.take() else {
            return;
        };
        drop(queue);
        let thread = thread.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread {
            // It catches its own panics; there is nobody left to tell of another.
            let _ = thread.join();
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}
