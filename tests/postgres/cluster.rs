//! PostgreSQL for tests: one private cluster for all tests of a run, from the binaries that are installed.
//!
//! Every test is a process of its own. The first that needs the cluster starts it, each takes a database of its own, and
//! all of them hold a lock while they live. A watchman, which is this test binary started once more, waits until nobody
//! has held the lock for a while, and stops the cluster: also after tests that failed or were killed. It listens on a
//! socket in a temporary directory only, and never runs as root.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What the tests log in as.
const USER: &str = "bot";

/// How long a cluster that nobody uses is kept: the time between two tests of a run, and more.
const KEPT: Duration = Duration::from_secs(10);

/// Names the cluster to its watchman.
const WATCHED: &str = "COUNTERSIGN_TEST_CLUSTER";

/// What a cluster for tests gives up to be quick: nothing is asked of it after a power cut.
const QUICK: &str = "-c fsync=off -c wal_level=minimal -c max_wal_senders=0";

/// A cluster that runs.
pub struct Cluster {
    home: PathBuf,
    settings: &'static str,
    /// What its programs find in their environment beside what this process has.
    environment: Vec<(String, String)>,
    /// Held while this process uses it.
    _use: File,
    /// What outlives this process, where it is this one that started the cluster.
    _watchman: Option<Child>,
}

impl Cluster {
    /// The one that all tests of this checkout share. It does not sync: nothing is asked of it after a power cut.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            let checkout = env!("CARGO_MANIFEST_DIR").bytes();
            let number = checkout.fold(5381_u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(byte));
            let home = std::env::temp_dir().join(format!("countersign-postgres-{number:08x}"));
            Self::at(home, QUICK, Vec::new())
        })
    }

    /// One of one's own, to be stopped and started.
    pub fn own() -> Self {
        Self::own_with(Vec::new())
    }

    /// The same, started with these variables in its environment.
    #[allow(dead_code, reason = "for the tests of faults")]
    pub fn own_with(environment: Vec<(String, String)>) -> Self {
        static OWN: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), OWN.fetch_add(1, Ordering::SeqCst));
        let home = std::env::temp_dir().join(format!("countersign-postgres-{process}-{number}"));
        Self::at(home, QUICK, environment)
    }

    /// One of one's own as an operator has it, in this directory: a commit is on disk when it is answered.
    #[allow(dead_code, reason = "for the benches")]
    pub fn synced(directory: &Path) -> Self {
        Self::at(
            directory.join(format!("postgres-{}", std::process::id())),
            "",
            Vec::new(),
        )
    }

    fn at(home: PathBuf, settings: &'static str, environment: Vec<(String, String)>) -> Self {
        let held = lock_file(&home, "users");
        // The watchman holds it alone while it stops the cluster.
        held.lock_shared().unwrap();
        let starting = lock_file(&home, "start");
        starting.lock().unwrap();
        let mut cluster = Self {
            home,
            settings,
            environment,
            _use: held,
            _watchman: None,
        };
        if !cluster.runs() {
            cluster.make();
            cluster.start();
            cluster._watchman = Some(cluster.watch());
        }
        cluster
    }

    /// An empty database.
    pub fn database(&'static self) -> Database {
        Database::of(&self.home)
    }

    /// An empty database of a cluster of one's own.
    pub fn only_database(&self) -> Database {
        Database::of(&self.home)
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn runs(&self) -> bool {
        let status = self.control(&["status"]).stderr(Stdio::null()).status().unwrap();
        status.success()
    }

    fn make(&self) {
        let _ = std::fs::remove_dir_all(&self.home);
        std::fs::create_dir_all(&self.home).unwrap();
        if let Some((user, group)) = unprivileged() {
            chown(&self.home, Some(user), Some(group)).unwrap();
        }
        let mut initdb = program("initdb");
        initdb.arg("-D").arg(self.data());
        run(initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]));
    }

    /// Starts it.
    pub fn start(&self) {
        let settings = format!(
            "-c listen_addresses='' -c unix_socket_directories={} -c max_connections=300 {}",
            self.home.display(),
            self.settings
        );
        let log = self.home.join("log");
        let mut start = self.control(&["-w", "-o", &settings, "-l"]);
        run(start.arg(log).arg("start"));
    }

    /// Stops it as a crash does.
    pub fn crash(&self) {
        run(&mut self.control(&["-m", "immediate", "-w", "stop"]));
    }

    fn control(&self, arguments: &[&str]) -> Command {
        let mut control = program("pg_ctl");
        control.arg("-D").arg(self.data()).args(arguments);
        control.envs(self.environment.iter().cloned());
        control
    }

    /// Starts the watchman.
    fn watch(&self) -> Child {
        let (_, here) = module_path!().split_once("::").unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("{here}::watchman"), "--ignored"])
            .env(WATCHED, &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // It outlives the test, also when that is killed with everything that it started.
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

/// No test: what stops a cluster that nobody uses any more.
#[test]
#[ignore = "started by the first test that needs a cluster"]
fn watchman() {
    watches();
}

/// Looks after a cluster, where this process was started for that; tells whether it was.
pub fn watches() -> bool {
    let Some(home) = std::env::var_os(WATCHED).map(PathBuf::from) else {
        return false;
    };
    let users = lock_file(&home, "users");
    loop {
        users.lock().unwrap();
        users.unlock().unwrap();
        std::thread::sleep(KEPT);
        if users.try_lock().is_ok() {
            let mut stop = program("pg_ctl");
            let _ = stop
                .arg("-D")
                .arg(home.join("data"))
                .args(["-m", "immediate", "-w", "stop"])
                .status();
            let _ = std::fs::remove_dir_all(&home);
            return true;
        }
    }
}

/// A database of one test, which goes with it.
pub struct Database {
    home: PathBuf,
    name: String,
}

impl Database {
    fn of(home: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let name = format!("test_{process}_{number}");
        // What a killed test of the same number left behind.
        run(client("dropdb", home).args(["--if-exists", "--force", &name]));
        run(client("createdb", home).arg(&name));
        Self {
            home: home.to_owned(),
            name,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("postgres:///{}?host={}&user={USER}", self.name, self.home.display())
    }

    /// What `psql` answers, a line for each row.
    pub fn ask(&self, sql: &str) -> String {
        run(client("psql", &self.home).args(["-X", "-q", "-A", "-t", "-d", &self.name, "-c", sql]))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A cluster that is down takes it along.
        let _ = client("dropdb", &self.home)
            .args(["--if-exists", "--force", &self.name])
            .stderr(Stdio::null())
            .status();
    }
}

fn client(name: &str, home: &Path) -> Command {
    let mut client = program(name);
    client
        .arg("-h")
        .arg(home)
        .args(["-U", USER])
        .env("PGOPTIONS", "-c client_min_messages=error");
    client
}

fn lock_file(home: &Path, what: &str) -> File {
    let path = home.with_extension(what);
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .unwrap()
}

/// A program of PostgreSQL, as a user that is not root.
fn program(name: &str) -> Command {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    let place = PLACE.get_or_init(|| {
        let in_path = std::env::var_os("PATH")
            .into_iter()
            .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
        let asked = Command::new("pg_config").arg("--bindir").output().ok();
        let asked = asked.map(|asked| PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim()));
        let mut usual: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .map(|version| version.unwrap().path().join("bin"))
            .collect();
        usual.sort();
        // Where they are links, what they link to: not every program need be linked.
        in_path
            .chain(asked)
            .chain(usual.into_iter().rev())
            .filter_map(|place| Some(place.join("initdb").canonicalize().ok()?.parent()?.to_owned()))
            .find(|place| {
                ["pg_ctl", "createdb", "dropdb", "psql"]
                    .iter()
                    .all(|name| place.join(name).exists())
            })
            .expect("the tests start PostgreSQL 15 or later: put its initdb and pg_ctl on the PATH")
    });
    let mut program = Command::new(place.join(name));
    // The user may not be allowed to look at ours.
    program.current_dir("/").stdin(Stdio::null());
    if let Some((user, group)) = unprivileged() {
        program.uid(user).gid(group);
    }
    program
}

/// Whom to run PostgreSQL as, when this is root, which it refuses.
fn unprivileged() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    Some(
        of("postgres")
            .or_else(|| of("nobody"))
            .expect("PostgreSQL does not run as root: add a user postgres or nobody"),
    )
}

fn run(command: &mut Command) -> String {
    // Into a file: what a server inherits would keep a pipe open.
    let mut said = tempfile::tempfile().unwrap();
    let clone = |file: &File| Stdio::from(file.try_clone().unwrap());
    let status = command.stdout(clone(&said)).stderr(clone(&said)).status();
    let mut text = String::new();
    std::io::Seek::rewind(&mut said).unwrap();
    std::io::Read::read_to_string(&mut said, &mut text).unwrap();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{command:?}: {status:?}: {text}"
    );
    text
}
