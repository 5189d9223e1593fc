//! The stage of a sandbox: the GitHub in memory, the bot that it talks to, and a folder that goes when it is struck.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::chat::say;
use crate::cli::house::{House, figures};
use crate::cli::status::words;
use crate::config::{Overrides, ServerConfig, Sources};
use crate::engine::Clock;
use crate::sandbox::models::{Dialect, MODEL, ModelServer};
use crate::sandbox::play::Mail;
use crate::sandbox::{APP_PRIVATE_KEY, Sandbox as Github};
use crate::store::{Store, StoreError};
use crate::web;
use crate::workflow::state::{State, Timestamp};

/// How many workflows the page shows, the last changed first.
const SHOWN: u32 = 20;

/// A clock that only a play moves. It begins on the same morning every time, so that a play prints the same every time.
#[derive(Debug, Clone)]
pub(super) struct PlayClock(Arc<AtomicI64>);

/// 2026-11-20, 09:00 in UTC.
const MORNING: Timestamp = chrono::NaiveDate::from_ymd_opt(2026, 11, 20)
    .expect("a day of the calendar")
    .and_hms_opt(9, 0, 0)
    .expect("a time of the day")
    .and_utc();

impl Default for PlayClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(MORNING.timestamp_micros())))
    }
}

impl PlayClock {
    /// What the bot and the sandbox look at.
    pub(super) fn hand(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_timestamp_micros(now.load(Ordering::SeqCst)).unwrap_or(MORNING))
    }

    /// Moves it on.
    pub(super) fn advance(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

/// A GitHub, a script in a model's place, and a bot that knows both.
pub(super) struct Stage {
    pub(super) github: Github,
    pub(super) models: ModelServer,
    pub(super) house: House,
    home: TempDir,
    stop: CancellationToken,
    web: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    /// Starts the script that answers in a model's place, and the bot, each on a free port of this machine, the bot with
    /// a database and a mailbox in a folder of its own, and has the sandbox's webhooks sent to it.
    ///
    /// # Errors
    /// One sentence each, joined.
    pub(super) async fn set(github: Github, clock: Clock) -> Result<Self, String> {
        let home = tempfile::Builder::new()
            .prefix("countersign-sandbox-")
            .tempdir()
            .map_err(|error| format!("no temporary folder could be made: {error}"))?;
        let models = ModelServer::start(None).await.map_err(|error| error.to_string())?;
        let config = config(&github, &models, home.path())?;
        let house = House::open(&config, clock, figures()).await;
        let house = house.map_err(|problems| problems.join("\n"))?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        github.set_hook_target(&format!("http://{address}/webhook"));
        let stop = CancellationToken::new();
        let web = tokio::spawn(web::serve(listener, house.router.clone(), stop.clone()));
        Ok(Self {
            github,
            models,
            house,
            home,
            stop,
            web,
        })
    }

    /// Where the mail lies, one `.eml` a message.
    pub(super) fn mail_directory(&self) -> PathBuf {
        mail_directory(self.home.path())
    }

    /// The bot's database, as the commands that read it want it named.
    pub(super) fn database_url(&self) -> String {
        database_url(self.home.path())
    }

    /// The server's file, with the endpoints that are the script.
    pub(super) fn server_file(&self) -> PathBuf {
        server_file(self.home.path())
    }

    /// Lets the sandbox's page show the mailbox and the workflows.
    pub(super) fn show_on_the_page(&self) {
        let directory = self.mail_directory();
        self.github.set_mailbox(Arc::new(move || mails(directory.clone())));
        let store = self.house.engine.store().clone();
        self.github.set_workflows(Arc::new(move || {
            let store = store.clone();
            Box::pin(async move {
                let shown = workflows(&store).await;
                shown.unwrap_or_else(|error| Value::String(error.to_string()))
            })
        }));
    }

    /// Ends the bot, the sandbox and the script, and removes the folder.
    pub(super) async fn strike(self) {
        self.stop.cancel();
        self.github.shutdown();
        self.models.shutdown();
        // Whatever it answers, it has ended.
        let _ = self.web.await;
        self.house.engine.store().close().await;
    }
}

fn database_url(home: &Path) -> String {
    format!("sqlite:{}", home.join("countersign.sqlite").display())
}

fn server_file(home: &Path) -> PathBuf {
    home.join("server.yml")
}

fn mail_directory(home: &Path) -> PathBuf {
    home.join("mail")
}

/// The server's file: endpoints that are the script, with prices so that costs are seen.
fn endpoints(models: &ModelServer) -> String {
    let rows = [
        ("script", "openai", "schema", Dialect::OpenAi),
        ("script-anthropic", "anthropic", "tool", Dialect::Anthropic),
    ];
    let mut file = "models:\n  endpoints:\n".to_owned();
    for (name, word, structured_output, dialect) in rows {
        file.push_str(&format!(
            "    {name}:\n      dialect: {word}\n      base_url: {}\n      model: {MODEL}\n      \
             structured_output: {structured_output}\n      context_tokens: 32000\n      max_output_tokens: 4000\n      \
             price: {{input: 3, output: 15}}\n",
            models.base_url(dialect)
        ));
    }
    file
}

/// The settings of a bot that knows only this sandbox. The process's own environment is not asked.
fn config(github: &Github, models: &ModelServer, home: &Path) -> Result<ServerConfig, String> {
    let file = server_file(home);
    std::fs::write(&file, endpoints(models))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    let environment = |name: &str| {
        Some(match name {
            "COUNTERSIGN_CONFIG" => file.display().to_string(),
            "COUNTERSIGN_LISTEN" => "127.0.0.1:0".to_owned(),
            "COUNTERSIGN_DATABASE_URL" => database_url(home),
            "COUNTERSIGN_MAIL_URL" => format!("file:{}", mail_directory(home).display()),
            "COUNTERSIGN_GITHUB_API_URL" => github.base_url(),
            "COUNTERSIGN_GITHUB_APP_ID" => github.app_id().to_string(),
            "COUNTERSIGN_GITHUB_PRIVATE_KEY" => APP_PRIVATE_KEY.to_owned(),
            "COUNTERSIGN_WEBHOOK_SECRET" => github.webhook_secret(),
            "COUNTERSIGN_GITHUB_PACE" => "off".to_owned(),
            // Whoever plays here plays everybody, and a script's whole day may be one hour.
            "COUNTERSIGN_COMMANDS_PER_HOUR" | "COUNTERSIGN_STRANGER_ANSWERS_PER_HOUR" => "100000".to_owned(),
            _ => return None,
        })
    };
    let sources = Sources {
        overrides: &Overrides::default(),
        environment: &environment,
        check_key: None,
    };
    ServerConfig::load(&sources).map_err(|problems| problems.to_string())
}

/// The mails of a folder, the oldest first. One that is just being written is not there yet.
pub(super) fn mails(directory: PathBuf) -> Vec<Mail> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut letters: Vec<(SystemTime, PathBuf, String)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.extension()? != "eml" {
                return None;
            }
            let written = path.metadata().and_then(|about| about.modified()).ok()?;
            let raw = std::fs::read(&path).ok()?;
            Some((written, path, String::from_utf8_lossy(&raw).into_owned()))
        })
        .collect();
    letters.sort();
    letters.iter().map(|(_, _, raw)| Mail::from_eml(raw)).collect()
}

/// How the workflows stand, in the form that the sandbox's page asks for.
async fn workflows(store: &Store) -> Result<Value, StoreError> {
    let mut shown = Vec::new();
    for summary in store.list_workflows(false, SHOWN).await? {
        let Some(stored) = store.workflow(&summary.id.as_str().into()).await? else {
            continue;
        };
        shown.push(json!({
            "id": summary.id,
            "title": stored.state.definition.title,
            "status": standing(&stored.state),
            "subject": summary.subject,
            "phases": phases(&stored.state),
        }));
    }
    Ok(Value::Array(shown))
}

/// How a workflow stands, in the words of its card, and whom it waits for.
fn standing(state: &State) -> String {
    let headline = say::card::headline(state);
    match state.open_gate() {
        Some((phase, gate, _)) if state.hold.is_none() && state.is_peoples_turn(phase) => format!(
            "{headline}: {}, by somebody with {}",
            state.definition.phase(phase).map_or("", |phase| &phase.title),
            say::right(gate.right)
        ),
        _ => headline.to_owned(),
    }
}

fn phases(state: &State) -> Vec<Value> {
    let phases = state.definition.phases.iter();
    phases
        .map(|phase| {
            let stands = say::standing(state, phase, None).replace(['*', '`', '\\'], "");
            json!({ "title": phase.title, "status": words(state.at(&phase.id).status), "stands": stands })
        })
        .collect()
}
