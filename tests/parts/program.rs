//! The real program as a child process: how it is started, stopped, killed and frozen. It does not outlive the test.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use countersign::sandbox::APP_PRIVATE_KEY;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Nothing that these tests wait for takes so long; it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The webhook secret of every server.
pub const SECRET: &str = "a secret of thirty-two characters";

/// The program with its settings, before it starts.
pub struct Program {
    home: TempDir,
    environment: Vec<(String, String)>,
    /// The command that starts it, where it is not started directly.
    starter: Vec<String>,
    file: PathBuf,
}

/// What a program that did not go on left behind.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub errors: Vec<String>,
}

impl Program {
    pub fn new(api: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let program = Self {
            environment: Vec::new(),
            starter: Vec::new(),
            file: PathBuf::from(env!("CARGO_BIN_EXE_countersign")),
            home,
        };
        program
            .set("COUNTERSIGN_LISTEN", "127.0.0.1:0")
            .set("COUNTERSIGN_GITHUB_API_URL", api)
            .set("COUNTERSIGN_GITHUB_APP_ID", "4711")
            .set("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY)
            .set("COUNTERSIGN_WEBHOOK_SECRET", SECRET)
            .set("COUNTERSIGN_GITHUB_PACE", "off")
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(set, _)| set != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a setting.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(set, _)| set != name);
        self
    }

    /// Started by another command, which becomes the program: the same process.
    pub fn started_by(mut self, starter: &[&str]) -> Self {
        self.starter = starter.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Another version of it.
    pub fn of(mut self, file: &Path) -> Self {
        self.file = file.to_owned();
        self
    }

    /// Where it runs.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The SQLite file that it uses unless it is told otherwise.
    pub fn database(&self) -> PathBuf {
        self.home.path().join("countersign.sqlite")
    }

    /// The program with these words behind its name.
    pub fn command(&self, words: &[&str]) -> Command {
        let program = self.file.display().to_string();
        let mut line = self.starter.iter().cloned().chain([program]);
        let mut command = Command::new(line.next().unwrap());
        command
            .args(line)
            .args(words)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it where it must refuse.
    pub async fn refuse(&self) -> Refused {
        let child = self.command(&["serve"]).spawn().unwrap();
        let id = child.id();
        let output = finished(move || child.wait_with_output().unwrap()).await;
        let output: Output = output.unwrap_or_else(|| {
            signal(id, "-KILL");
            panic!("it did not refuse, it runs")
        });
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.stdout.is_empty(),
            "{:?}",
            String::from_utf8_lossy(&output.stdout)
        );
        for (name, value) in &self.environment {
            let secret = name.contains("SECRET") || name == "COUNTERSIGN_GITHUB_PRIVATE_KEY" || name.contains("MAIL");
            let tells = secret && !value.trim().is_empty() && said.contains(value.trim());
            assert!(!tells, "the value of {name} was printed:\n{said}");
        }
        Refused {
            code: output.status.code(),
            errors: said
                .lines()
                .map(|line| {
                    line.strip_prefix("error: ")
                        .unwrap_or_else(|| panic!("not an error: {line}"))
                        .to_owned()
                })
                .collect(),
        }
    }

    /// Starts it, whatever comes of it.
    pub fn spawn(&self) -> Running {
        let mut child = self.command(&["serve"]).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::unbounded_channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running {
            url: String::new(),
            child: Some(child),
            log,
        }
    }

    /// Starts it and waits until it listens.
    pub async fn start(&self) -> Running {
        let mut running = self.spawn();
        let mut said = Vec::new();
        while let Some(line) = running.line().await {
            if let Some((_, rest)) = line.split_once("listen=") {
                running.url = format!("http://{}", rest.split_whitespace().next().unwrap());
                return running;
            }
            said.push(line);
        }
        panic!("it did not start: {said:#?}");
    }
}

/// The result of what blocks, unless it takes longer than anything here should.
async fn finished<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread of its own, which the end of a test does not wait for.
    std::thread::spawn(move || sender.send(work()).is_ok());
    tokio::time::timeout(PATIENCE, receiver).await.ok()?.ok()
}

fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// The program as it runs.
pub struct Running {
    pub url: String,
    child: Option<Child>,
    log: mpsc::UnboundedReceiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let said = self.said();
            let last = said.len().saturating_sub(40);
            eprintln!("the last that {} said:\n{}", self.url, said[last..].join("\n"));
        }
    }
}

impl Running {
    /// Waits until it logs this.
    pub async fn says(&mut self, words: &str) {
        let mut said = Vec::new();
        while let Some(line) = self.line().await {
            if line.contains(words) {
                return;
            }
            said.push(line);
        }
        panic!("it ended without saying `{words}`: {said:#?}");
    }

    /// The next line of its log; nothing when it has ended.
    async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.log.recv())
            .await
            .expect("it says nothing and does not end")
    }

    /// What it said since it was last asked.
    pub fn said(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.log.try_recv().ok()).collect()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Where its webhooks go.
    pub fn webhook(&self) -> String {
        format!("{}/webhook", self.url)
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Kills it in the middle of whatever it does, and waits until it is gone.
    pub fn kill(mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it had ended by itself: {:#?}", self.said());
    }

    /// Stops it in order.
    pub async fn stop(self) {
        self.signal("-TERM");
        let (code, log) = self.end().await;
        assert_eq!(code, Some(0), "{log}");
    }

    /// Waits for its end, and tells its exit code and what it had still to say.
    pub async fn end(mut self) -> (Option<i32>, String) {
        let mut child = self.child.take().expect("it runs");
        let status = finished(move || child.wait().unwrap())
            .await
            .expect("it did not end in time");
        let mut rest = String::new();
        while let Some(line) = self.line().await {
            rest.push_str(&line);
            rest.push('\n');
        }
        (status.code(), rest)
    }
}

/// Refused with exactly one sentence, which has these parts.
pub fn one(refused: &Refused, parts: &[&str]) {
    assert_eq!((refused.code, refused.errors.len()), (Some(3), 1), "{refused:#?}");
    for part in parts {
        assert!(
            refused.errors[0].contains(part),
            "`{part}` is not in {}",
            refused.errors[0]
        );
    }
}
