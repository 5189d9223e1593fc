//! A wall clock that the test steps, for the sandbox, for the real program and for PostgreSQL alike.
//!
//! A lease lasts 90 seconds and a write in doubt rests for one minute. The programs under test keep these times: what is
//! changed is the time that they are told, by a few lines of C that are preloaded before the C library (`clock.c`). What
//! measures time (timers, time limits) is left alone.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use countersign::sandbox::Clock;
use tempfile::TempDir;

/// The clock of one stage. It starts with the machine's time.
pub struct SteppedClock {
    home: TempDir,
    offset: Arc<AtomicI64>,
    file: File,
}

impl SteppedClock {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user.
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let file = File::create(home.path().join("offset")).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/clock.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(home.path().join("clock.so"))
            .arg(source)
            .arg("-ldl")
            .output()
            .expect("the C compiler that builds SQLite builds the test's clock, too");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let clock = Self {
            home,
            offset: Arc::default(),
            file,
        };
        clock.step(TimeDelta::zero());
        clock
    }

    /// Steps it, forwards or back, for everybody who looks at it.
    pub fn step(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap();
        let offset = self.offset.fetch_add(micros, Ordering::SeqCst) + micros;
        self.file.write_all_at(&offset.to_ne_bytes(), 0).unwrap();
    }

    /// What a process needs in its environment to be told this time.
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| -> PathBuf { self.home.path().join(name) };
        vec![
            ("LD_PRELOAD".to_owned(), path("clock.so").display().to_string()),
            (
                "COUNTERSIGN_TEST_CLOCK".to_owned(),
                path("offset").display().to_string(),
            ),
        ]
    }

    /// The same time for the sandbox.
    pub fn hand(&self) -> Clock {
        let offset = Arc::clone(&self.offset);
        Arc::new(move || -> DateTime<Utc> { Utc::now() + TimeDelta::microseconds(offset.load(Ordering::SeqCst)) })
    }
}
