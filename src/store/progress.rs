//! How far a store is, and how far it may go: the crash point of tests.

use std::sync::atomic::{AtomicU64, Ordering};

/// Commits that changed something, and after how many of them nothing more is written.
#[derive(Debug)]
pub(super) struct Progress {
    commits: AtomicU64,
    limit: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            commits: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
        }
    }
}

impl Progress {
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Notes a commit that changed something.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn stop_after(&self, commits: u64) {
        self.limit.store(commits, Ordering::SeqCst);
    }

    /// Whether there is a crash point.
    pub(super) fn limited(&self) -> bool {
        self.limit.load(Ordering::SeqCst) != u64::MAX
    }

    /// Whether it is reached.
    pub(super) fn stopped(&self) -> bool {
        self.commits() >= self.limit.load(Ordering::SeqCst)
    }
}
