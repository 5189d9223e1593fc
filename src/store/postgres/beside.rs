//! What a server does beside reading and writing: it tells the others that there may be work, hears when they do, and
//! watches its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::open::{CLOCKS_APART, Way, ahead};
use crate::store::write::StoreError;

/// Where hints are told.
const CHANNEL: &str = "countersign_work";

/// Between two hints of one process: a hint is at most so late, and a storm of deliveries is not a storm of hints.
const BETWEEN_HINTS: Duration = Duration::from_millis(50);

/// Between two looks at the database's clock.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// The rest after something failed.
const REST: Duration = Duration::from_secs(2);

/// The tasks of one server.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) clock: Arc<ClockWatch>,
    heard: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl Beside {
    /// Starts them; `work` is told when something was kept that others may wait for.
    pub(super) fn start(way: &Way, work: Arc<Notify>) -> Self {
        let clock = Arc::new(ClockWatch::default());
        let heard = Arc::new(Notify::new());
        // Of their own: the pool for reading cannot be closed while a listener holds a connection of it.
        let pool = || {
            let pool = PgPoolOptions::new().max_connections(1);
            pool.acquire_timeout(Duration::from_secs(10))
                .connect_lazy_with(way.options().clone())
        };
        let us = format!("{:016x}", rand::random::<u64>());
        let told = pool();
        let tasks = vec![
            tokio::spawn(listen(pool(), us.clone(), Arc::clone(&heard))),
            tokio::spawn(tell(told.clone(), us, work)),
            tokio::spawn(watch(told, Arc::clone(&clock))),
        ];
        Self { clock, heard, tasks }
    }

    /// Waits until another process says that there may be work.
    pub(super) async fn hinted(&self) {
        self.heard.notified().await;
    }

    pub(super) fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(pool: PgPool, us: String, heard: Arc<Notify>) {
    loop {
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            // What was told before is not heard: a look does no harm.
            heard.notify_one();
            loop {
                // It connects again by itself, and what was told meanwhile is lost.
                match listener.try_recv().await? {
                    Some(told) if told.payload() == us => {}
                    Some(_) | None => heard.notify_one(),
                }
            }
        };
        let Err::<(), sqlx::Error>(error) = listening.await else {
            return;
        };
        tracing::debug!(%error, "hints of other processes are not heard; looking for work goes on");
        tokio::time::sleep(REST).await;
    }
}

async fn tell(pool: PgPool, us: String, work: Arc<Notify>) {
    loop {
        work.notified().await;
        let told = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(us.clone());
        if let Err(error) = told.execute(&pool).await {
            tracing::debug!(%error, "other processes were not told of work; they look for themselves");
        }
        tokio::time::sleep(BETWEEN_HINTS).await;
    }
}

async fn watch(pool: PgPool, clock: Arc<ClockWatch>) {
    loop {
        let looked = async { ahead(&mut *pool.acquire().await?).await };
        match looked.await {
            Ok(ahead) => clock.compared(ahead),
            Err::<_, sqlx::Error>(error) => {
                tracing::debug!(%error, "the clock could not be compared with the database's");
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// How far this machine's clock is from the database's.
///
/// Leases are times of the machines' clocks, so that all of them must agree. A clock that is wrong takes no work: it
/// would find everybody's leases ended, or give out some that have ended already.
#[derive(Debug)]
pub(super) struct ClockWatch {
    /// In microseconds, when it was last looked at.
    ahead: AtomicI64,
    /// Two clocks of this machine at that moment, as microseconds since `began`.
    steady: AtomicI64,
    wall: AtomicI64,
    began: (Instant, SystemTime),
}

impl Default for ClockWatch {
    fn default() -> Self {
        Self {
            ahead: AtomicI64::new(0),
            steady: AtomicI64::new(0),
            wall: AtomicI64::new(0),
            began: (Instant::now(), SystemTime::now()),
        }
    }
}

impl ClockWatch {
    fn compared(&self, ahead: i64) {
        let (steady, wall) = self.clocks();
        self.ahead.store(ahead, Ordering::SeqCst);
        self.steady.store(steady, Ordering::SeqCst);
        self.wall.store(wall, Ordering::SeqCst);
    }

    fn clocks(&self) -> (i64, i64) {
        let (steady, wall) = self.began;
        let wall = match SystemTime::now().duration_since(wall) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        };
        (micros(steady.elapsed()), wall)
    }

    /// Whether work may be taken: the clock agreed with the database's when it was last compared, and was not set since.
    pub(super) fn holds(&self) -> Result<(), StoreError> {
        let (steady, wall) = self.clocks();
        self.judge(steady, wall)
    }

    fn judge(&self, steady: i64, wall: i64) -> Result<(), StoreError> {
        let set = (wall - self.wall.load(Ordering::SeqCst)) - (steady - self.steady.load(Ordering::SeqCst));
        let ahead = self.ahead.load(Ordering::SeqCst) + set;
        if ahead.unsigned_abs() <= CLOCKS_APART.as_micros().try_into().unwrap_or(u64::MAX) {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "this machine's clock is {} s away from the database's, and leases depend on it: set it right",
            ahead / 1_000_000
        )))
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_clock_that_was_set_takes_no_work_until_it_agrees() {
        let clock = ClockWatch::default();
        assert_eq!(clock.judge(30 * SECOND, 31 * SECOND), Ok(()));
        for set in [3600, -3600, 6] {
            let judged = clock.judge(30 * SECOND, (30 + set) * SECOND);
            assert!(matches!(judged, Err(StoreError::Unavailable(_))), "{set}: {judged:?}");
        }
        clock.compared(6 * SECOND);
        assert!(clock.holds().is_err());
        clock.compared(-2 * SECOND);
        assert_eq!(clock.holds(), Ok(()));
    }
}
