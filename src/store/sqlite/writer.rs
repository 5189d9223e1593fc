//! The thread that writes.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::run;
use crate::store::progress::Progress;
use crate::store::write::{Hits, Row, StoreError, Write};

/// Jobs in one transaction at most: bounds how long the first of them waits.
const GROUP: usize = 256;

type Answer = Result<Vec<Vec<Row>>, StoreError>;

pub(super) struct Job {
    pub(super) write: Write,
    pub(super) answer: oneshot::Sender<Answer>,
}

pub(super) enum Message {
    Job(Job),
    /// Finish what was queued before this, then end.
    Close(oneshot::Sender<()>),
}

/// The thread keeps the lock until the connection is closed, so that nobody enters between the two.
pub(super) fn spawn(
    connection: Connection,
    lock: Option<File>,
    messages: mpsc::Receiver<Message>,
    progress: Arc<Progress>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || {
            let close = serve(&connection, messages, &progress);
            if let Err((_, error)) = connection.close() {
                tracing::warn!(%error, "the database did not close cleanly; its log is replayed at the next start");
            }
            drop(lock);
            for waiter in close {
                // Who asked may have left.
                let _ = waiter.send(());
            }
        })
}

/// Works until it is closed or nobody can ask any more; returns who waits for the end.
fn serve(connection: &Connection, messages: mpsc::Receiver<Message>, progress: &Progress) -> Vec<oneshot::Sender<()>> {
    let mut queue = Queue {
        messages,
        jobs: Vec::with_capacity(GROUP),
        close: Vec::new(),
    };
    while let Some(first) = queue.messages.blocking_recv() {
        queue.take(first);
        group(connection, &mut queue, progress);
    }
    queue.close
}

/// What waits, and what is in the transaction that is under way.
struct Queue {
    messages: mpsc::Receiver<Message>,
    jobs: Vec<Job>,
    /// Who waits for the end.
    close: Vec<oneshot::Sender<()>>,
}

impl Queue {
    fn take(&mut self, message: Message) {
        match message {
            Message::Job(job) => self.jobs.push(job),
            Message::Close(waiter) => {
                self.messages.close();
                self.close.push(waiter);
            }
        }
    }
}

/// The writes of one transaction. More may come until one is asked for in vain.
trait Writes {
    /// The write at a position, from 0.
    fn at(&mut self, position: usize) -> Option<&Write>;

    /// All that were asked for.
    fn all(&self) -> Vec<&Write>;
}

impl Writes for Queue {
    fn at(&mut self, position: usize) -> Option<&Write> {
        while self.jobs.len() <= position && self.jobs.len() < GROUP {
            let message = self.messages.try_recv().ok()?;
            self.take(message);
        }
        self.jobs.get(position).map(|job| &job.write)
    }

    fn all(&self) -> Vec<&Write> {
        self.jobs.iter().map(|job| &job.write).collect()
    }
}

/// Does the jobs in one transaction and answers them.
fn group(connection: &Connection, queue: &mut Queue, progress: &Progress) {
    let answers = if progress.stopped() {
        Err(StoreError::Unavailable("it was stopped at a crash point".to_owned()))
    } else {
        transaction(connection, queue, progress)
    };
    let answers = answers.unwrap_or_else(|error| queue.jobs.iter().map(|_| Err(error.clone())).collect());
    for (job, answer) in queue.jobs.drain(..).zip(answers) {
        // Who asked may have left; what was done stays done.
        let _ = job.answer.send(answer);
    }
}

/// One answer a write, all of them kept by one commit; or the error that none of them survived.
///
/// Undoing one write among others takes a savepoint, and a savepoint takes a copy of every page that is changed after it.
/// Hardly any group holds a write to undo, so a group is tried without, and done again with savepoints where one was
/// needed.
fn transaction(
    connection: &Connection,
    writes: &mut impl Writes,
    progress: &Progress,
) -> Result<Vec<Answer>, StoreError> {
    let done = match committed(connection, || plain(connection, writes))? {
        Some(done) => done,
        None => committed(connection, || each_apart(connection, &writes.all()).map(Some))?.unwrap_or_default(),
    };
    if done.changes > 0 {
        progress.committed();
    }
    Ok(done.answers)
}

/// What a group did.
#[derive(Default)]
struct Done {
    answers: Vec<Answer>,
    /// How many rows those that stand have changed.
    changes: u64,
}

/// Keeps what was done; undoes it when that cannot be kept, or is not to be.
fn committed(
    connection: &Connection,
    fill: impl FnOnce() -> Result<Option<Done>, StoreError>,
) -> Result<Option<Done>, StoreError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let kept = fill().and_then(|done| match done {
        Some(done) => execute(connection, "COMMIT").map(|()| Some(done)),
        None => Ok(None),
    });
    if !matches!(kept, Ok(Some(_))) {
        roll_back(connection);
    }
    kept
}

/// Runs the writes one after another, those too that come meanwhile: the more of them share a commit, the less each waits
/// for the disk. Nothing is told when one failed that must be undone alone.
fn plain(connection: &Connection, writes: &mut impl Writes) -> Result<Option<Done>, StoreError> {
    let mut done = Done::default();
    while let Some(write) = writes.at(done.answers.len()) {
        let before = connection.total_changes();
        let answer = guarded(|| perform(connection, write));
        still_open(connection, &answer)?;
        let changed = connection.total_changes() - before;
        match answer {
            // The whole transaction is its own.
            Err(error) if done.answers.is_empty() && writes.at(1).is_none() => return Err(error),
            Err(_) if changed > 0 => return Ok(None),
            answer => {
                done.changes += changed;
                done.answers.push(answer);
            }
        }
    }
    Ok(Some(done))
}

/// Runs each write so that it stands or falls alone.
fn each_apart(connection: &Connection, writes: &[&Write]) -> Result<Done, StoreError> {
    let mut done = Done::default();
    for write in writes {
        let before = connection.total_changes();
        let answer = apart(connection, || perform(connection, write))?;
        if answer.is_ok() {
            done.changes += connection.total_changes() - before;
        }
        done.answers.push(answer);
    }
    Ok(done)
}

/// Runs a job within a savepoint. The outer error is the end of the whole transaction.
fn apart(connection: &Connection, job: impl FnOnce() -> Answer) -> Result<Answer, StoreError> {
    execute(connection, "SAVEPOINT job")?;
    let answer = guarded(job);
    still_open(connection, &answer)?;
    if answer.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    Ok(answer)
}

/// A full disk and its like undo the whole transaction behind our back: then nobody's write stands.
fn still_open(connection: &Connection, answer: &Answer) -> Result<(), StoreError> {
    match (connection.is_autocommit(), answer) {
        (false, _) => Ok(()),
        (true, Err(error)) => Err(error.clone()),
        (true, Ok(_)) => Err(StoreError::Broken("the transaction ended before its commit".to_owned())),
    }
}

fn perform(connection: &Connection, write: &Write) -> Answer {
    let mut answer = Vec::with_capacity(write.0.len());
    for (at, statement) in write.0.iter().enumerate() {
        let (rows, hits) = run::statement(connection, statement.sql, &statement.values)?;
        match statement.hits {
            Hits::Exactly(wanted) if wanted != hits => return Err(StoreError::Missed { statement: at }),
            Hits::Exactly(_) | Hits::Any => answer.push(rows),
        }
    }
    Ok(answer)
}

/// A write is data and should not be able to panic; if one does, its neighbours and the thread live on.
fn guarded(job: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(job))
        .unwrap_or_else(|_| Err(StoreError::Broken("the write panicked; see the log".to_owned())))
}

fn execute(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    run::statement(connection, sql, &[]).map(|_| ())
}

fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = execute(connection, "ROLLBACK") {
        tracing::error!(%error, "the failed transaction could not be rolled back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Statement;
    use crate::values;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, seen BIGINT NOT NULL)")
            .unwrap();
        connection
    }

    fn insert(id: &'static str) -> Statement {
        Statement::new("INSERT INTO notes (id, seen) VALUES ($1, 0)", values![id]).exactly(1)
    }

    fn touch_all() -> Statement {
        Statement::new("UPDATE notes SET seen = seen + 1", values![])
    }

    fn kept(connection: &Connection) -> Vec<(String, i64)> {
        let mut all = connection.prepare("SELECT id, seen FROM notes ORDER BY id").unwrap();
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    impl Writes for &[Write] {
        fn at(&mut self, position: usize) -> Option<&Write> {
            self.get(position)
        }

        fn all(&self) -> Vec<&Write> {
            self.iter().collect()
        }
    }

    fn run_group(
        connection: &Connection,
        mut writes: &[Write],
        progress: &Progress,
    ) -> Result<Vec<Answer>, StoreError> {
        transaction(connection, &mut writes, progress)
    }

    fn job(write: Write) -> (Message, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        (Message::Job(Job { write, answer }), receiver)
    }

    #[test]
    fn what_comes_before_the_commit_is_in_it() {
        let connection = database();
        let progress = Progress::default();
        let (sender, messages) = mpsc::channel(8);
        let (first, _first) = job(Write::of(insert("a")));
        let mut queue = Queue {
            messages,
            jobs: Vec::new(),
            close: Vec::new(),
        };
        queue.take(first);
        let (second, mut answer) = job(Write::of(insert("b")));
        sender.try_send(second).ok().unwrap();
        let (end, _end) = oneshot::channel();
        sender.try_send(Message::Close(end)).ok().unwrap();
        group(&connection, &mut queue, &progress);
        assert_eq!(answer.try_recv().unwrap(), Ok(vec![vec![]]));
        assert_eq!((kept(&connection).len(), progress.commits()), (2, 1));
        assert_eq!(queue.close.len(), 1);
    }

    #[test]
    fn a_failed_write_leaves_its_neighbours_whole() {
        let connection = database();
        let progress = Progress::default();
        let answers = run_group(
            &connection,
            &[
                Write::of(insert("a")),
                Write::of(insert("b")).then(insert("a")),
                Write::of(insert("c")).then(touch_all().exactly(7)),
                Write::of(insert("d")).then(Statement::new("SELECT nonsense", values![])),
                Write::of(insert("e")).then(Statement::new(
                    "INSERT INTO notes (id, seen) VALUES ($1, $2)",
                    values!["null", None::<i64>],
                )),
                Write::of(insert("f")).then(touch_all().exactly(2)),
            ],
            &progress,
        )
        .unwrap();
        assert_eq!(answers[0], Ok(vec![vec![]]));
        assert!(matches!(answers[1], Err(StoreError::Conflict(_))), "{:?}", answers[1]);
        assert_eq!(answers[2], Err(StoreError::Missed { statement: 1 }));
        assert!(matches!(answers[3], Err(StoreError::Broken(_))), "{:?}", answers[3]);
        assert!(matches!(answers[4], Err(StoreError::Broken(_))), "{:?}", answers[4]);
        assert_eq!(answers[5], Ok(vec![vec![], vec![]]));
        assert_eq!(kept(&connection), [("a".to_owned(), 1), ("f".to_owned(), 1)]);
        assert_eq!(progress.commits(), 1);
    }

    #[test]
    fn a_write_that_fails_before_it_changes_anything_needs_no_undoing() {
        let connection = database();
        let writes = [Write::of(insert("a")), Write::of(insert("a")), Write::of(insert("b"))];
        execute(&connection, "BEGIN IMMEDIATE").unwrap();
        let done = plain(&connection, &mut writes.as_slice()).unwrap().unwrap();
        execute(&connection, "COMMIT").unwrap();
        assert!(
            matches!(done.answers[1], Err(StoreError::Conflict(_))),
            "{:?}",
            done.answers
        );
        assert_eq!(done.changes, 2);
        assert_eq!(kept(&connection), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
    }

    #[test]
    fn a_failed_write_alone_leaves_nothing_and_is_no_commit() {
        let connection = database();
        let progress = Progress::default();
        let missed = run_group(
            &connection,
            &[Write::of(insert("a")).then(touch_all().exactly(2))],
            &progress,
        );
        assert_eq!(missed, Err(StoreError::Missed { statement: 1 }));
        assert!(connection.is_autocommit());
        assert_eq!(kept(&connection), []);
        assert_eq!(progress.commits(), 0);
    }

    #[test]
    fn rows_returned_are_the_hits_of_a_statement_that_returns_rows() {
        let connection = database();
        let progress = Progress::default();
        let returning = |hits| {
            Write::of(insert("a")).then(insert("b")).then(
                Statement::new("UPDATE notes SET seen = 1 WHERE id < $1 RETURNING id", values!["z"]).exactly(hits),
            )
        };
        assert_eq!(
            run_group(&connection, &[returning(1)], &progress),
            Err(StoreError::Missed { statement: 2 })
        );
        let answers = run_group(&connection, &[returning(2)], &progress).unwrap();
        assert_eq!(answers[0].as_ref().unwrap()[2].len(), 2);
    }

    #[test]
    fn a_job_that_panics_leaves_its_neighbours_whole() {
        let connection = database();
        execute(&connection, "BEGIN IMMEDIATE").unwrap();
        let first = apart(&connection, || perform(&connection, &Write::of(insert("a"))));
        let panics = apart(&connection, || {
            perform(&connection, &Write::of(insert("b")))?;
            panic!("expected by the test")
        });
        let last = apart(&connection, || perform(&connection, &Write::of(insert("c"))));
        execute(&connection, "COMMIT").unwrap();
        assert!(matches!(first, Ok(Ok(_))));
        assert!(matches!(panics, Ok(Err(StoreError::Broken(_)))), "{panics:?}");
        assert!(matches!(last, Ok(Ok(_))));
        assert_eq!(kept(&connection), [("a".to_owned(), 0), ("c".to_owned(), 0)]);
    }

    #[test]
    fn a_transaction_that_ends_early_is_nobodys_success() {
        let connection = database();
        let progress = Progress::default();
        // As SQLite does by itself when the disk is full.
        let rolled_back = Write::of(insert("b")).then(Statement::new("ROLLBACK", values![]));
        let outcome = run_group(&connection, &[Write::of(insert("a")), rolled_back], &progress);
        assert!(matches!(outcome, Err(StoreError::Broken(_))), "{outcome:?}");
        assert_eq!(kept(&connection), []);
        run_group(&connection, &[Write::of(insert("c"))], &progress).unwrap();
        assert_eq!(kept(&connection).len(), 1);
    }

    #[test]
    fn a_commit_that_fails_is_everybodys_failure() {
        let connection = database();
        let progress = Progress::default();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE replies (note TEXT REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)",
            )
            .unwrap();
        let orphan = Write::of(Statement::new(
            "INSERT INTO replies (note) VALUES ($1)",
            values!["nobody"],
        ));
        let outcome = run_group(&connection, &[Write::of(insert("a")), orphan], &progress);
        assert!(matches!(outcome, Err(StoreError::Broken(_))), "{outcome:?}");
        assert_eq!(kept(&connection), []);
        assert_eq!(progress.commits(), 0);
    }
}
