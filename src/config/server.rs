//! The server's settings: flags before environment before file before default.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::address::Mailbox;
use super::database::DatabaseUrl;
use super::document::{ConfigError, Document, Schema};
use super::github_api::{GithubApiUrl, Pace};
use super::mail_url::{InDoubt, MailUrl};
use super::models::Models;
use super::models_file::{self, FileModels};
use super::notifications::Notifications;
use super::notifications_file::{self, FileNotifications};
use super::repository::MOST_OF_GUIDELINES;
use super::secret::{AppId, PrivateKey, WebhookSecret};
use super::traces_url::TracesUrl;

/// Everything that `serve` needs, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where the store is.
    pub database: DatabaseUrl,
    /// What the App is known by at GitHub.
    pub app: AppSettings,
    /// What GitHub signs deliveries with.
    pub webhook_secret: WebhookSecret,
    /// What GitHub signed deliveries with before, accepted while the secret is changed.
    pub webhook_secret_previous: Option<WebhookSecret>,
    /// Where mail goes.
    pub mail_url: MailUrl,
    /// Whom mail comes from.
    pub mail_from: Mailbox,
    /// What becomes of a mail in doubt.
    pub mail_in_doubt: InDoubt,
    /// How fast the bot writes to GitHub.
    pub pace: Pace,
    /// For how long a server that is told to stop says so before it stops.
    pub linger: Duration,
    /// How long deliveries and workflows that have ended are kept; for ever where it does not say.
    pub retention: Option<TimeDelta>,
    /// How many commands of one person are heard in an hour.
    pub commands_per_hour: PerHour,
    /// How many answers strangers get in an hour, in one repository.
    pub stranger_answers_per_hour: PerHour,
    /// How much of a repository's guidelines a prompt is made with.
    pub guidelines: GuidelinesBytes,
    /// The model endpoints, and how much may be spent on them.
    pub models: Models,
    /// Whom else than GitHub is told what happens.
    pub notifications: Notifications,
    /// Where traces go; none are kept where it does not say.
    pub traces: Option<TracesUrl>,
    /// What holds in all repositories: a file in the language of a repository's, as it was read.
    pub policy: Option<PolicyFile>,
}

/// A file that is read with the settings, for the room that understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it stands.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// How often something may be done in an hour: 1 to 100000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerHour(pub u32);

impl FromStr for PerHour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number @ 1..=100_000) => Ok(Self(number)),
            _ => Err("is no number from 1 to 100000".to_owned()),
        }
    }
}

/// The most bytes of a repository's guidelines that a prompt is made with: 0, for none anywhere, to
/// [`MOST_OF_GUIDELINES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuidelinesBytes(pub u32);

impl FromStr for GuidelinesBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number @ 0..=MOST_OF_GUIDELINES) => Ok(Self(number)),
            _ => Err(format!("is no number of bytes from 0 to {MOST_OF_GUIDELINES}")),
        }
    }
}

/// What the command line said. It holds no secrets: every process on a machine can read the others' arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--github-api-url`
    pub github_api_url: Option<String>,
    /// `--github-app-id`
    pub github_app_id: Option<String>,
    /// `--github-private-key-file`
    pub github_private_key_file: Option<String>,
    /// `--mail-url`
    pub mail_url: Option<String>,
    /// `--mail-from`
    pub mail_from: Option<String>,
    /// `--mail-resend-in-doubt`
    pub mail_resend_in_doubt: Option<String>,
    /// `--linger-seconds`
    pub linger_seconds: Option<String>,
    /// `--retention-days`
    pub retention_days: Option<String>,
    /// `--commands-per-hour`
    pub commands_per_hour: Option<String>,
    /// `--stranger-answers-per-hour`
    pub stranger_answers_per_hour: Option<String>,
    /// `--guidelines-bytes`
    pub guidelines_bytes: Option<String>,
    /// `--otlp-endpoint`
    pub otlp_endpoint: Option<String>,
    /// `--policy-file`
    pub policy_file: Option<String>,
    /// `--github-pace`
    pub github_pace: Option<String>,
}

/// What the App is known by at GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    /// Where GitHub's API is.
    pub api: GithubApiUrl,
    /// Its number.
    pub id: AppId,
    /// What it signs with.
    pub private_key: PrivateKey,
}

/// The same, as far as it could be read.
struct AppParts {
    api: Option<GithubApiUrl>,
    id: Option<AppId>,
    private_key: Option<PrivateKey>,
}

impl AppParts {
    fn whole(self) -> Option<AppSettings> {
        Some(AppSettings {
            api: self.api?,
            id: self.id?,
            private_key: self.private_key?,
        })
    }
}

/// Says whether a key signs, for the room that knows how; an error is the end of a sentence.
pub type KeyCheck<'a> = &'a dyn Fn(&PrivateKey) -> Result<(), String>;

/// Where settings are looked for.
pub struct Sources<'a> {
    /// The command line.
    pub overrides: &'a Overrides,
    /// The environment: a variable's name to its value.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Tries the private key; without it only its form is checked.
    pub check_key: Option<KeyCheck<'a>>,
}

/// All that is wrong with the settings, one sentence each: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    /// The sentences.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, sentence) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(sentence)?;
        }
        Ok(())
    }
}

impl ServerConfig {
    /// Reads and checks all settings. The files that they name (the configuration, the private key) are read here.
    ///
    /// # Errors
    /// Every problem, in the order of the settings.
    pub fn load(sources: &Sources<'_>) -> Result<Self, Problems> {
        let mut reader = Reader::new(sources);
        let listen = reader.required("listen", |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "is not an address with a port; write for example 127.0.0.1:8080".to_owned())
        });
        let database = reader.database_url();
        let app = reader.app();
        let webhook_secret = reader.required("webhook_secret", WebhookSecret::parse);
        let webhook_secret_previous = reader.optional("webhook_secret_previous", WebhookSecret::parse);
        let mail_url = reader.mail_url();
        let mail_from = reader.required("mail_from", |text| {
            text.parse::<Mailbox>().map_err(|mistake| mistake.to_string())
        });
        let mail_in_doubt = reader.required("mail_resend_in_doubt", parse);
        let linger = reader.required("linger_seconds", linger);
        let retention = reader.optional("retention_days", retention);
        let pace = reader.pace(app.api.as_ref());
        let commands_per_hour = reader.required("commands_per_hour", parse);
        let stranger_answers_per_hour = reader.required("stranger_answers_per_hour", parse);
        let guidelines = reader.required("guidelines_bytes", parse);
        let models = reader.models();
        let notifications = reader.notifications();
        let traces = reader.traces();
        let policy = reader.policy();
        let problems = reader.problems;
        match (
            listen,
            database,
            app.whole(),
            webhook_secret,
            mail_url,
            mail_from,
            mail_in_doubt,
            pace,
            linger,
            commands_per_hour,
            stranger_answers_per_hour,
            guidelines,
            models,
            notifications,
        ) {
            (
                Some(listen),
                Some(database),
                Some(app),
                Some(webhook_secret),
                Some(mail_url),
                Some(mail_from),
                Some(mail_in_doubt),
                Some(pace),
                Some(linger),
                Some(commands_per_hour),
                Some(stranger_answers_per_hour),
                Some(guidelines),
                Some(models),
                Some(notifications),
            ) if problems.is_empty() => Ok(Self {
                listen,
                database,
                app,
                webhook_secret,
                webhook_secret_previous,
                mail_url,
                mail_from,
                mail_in_doubt,
                pace,
                linger,
                retention,
                commands_per_hour,
                stranger_answers_per_hour,
                guidelines,
                models,
                notifications,
                traces,
                policy,
            }),
            _ => Err(Problems(problems)),
        }
    }
}

impl Sources<'_> {
    /// Only where the store is, for commands that need nothing else.
    ///
    /// # Errors
    /// What is wrong with that setting, or with the configuration file.
    pub fn database(&self) -> Result<DatabaseUrl, Problems> {
        let mut reader = Reader::new(self);
        match reader.database_url() {
            Some(database) if reader.problems.is_empty() => Ok(database),
            _ => Err(Problems(reader.problems)),
        }
    }

    /// The files that the settings name and that may hold a secret.
    pub fn files_with_secrets(&self) -> Vec<PathBuf> {
        let reader = Reader::new(self);
        let config = reader.file.as_ref().map(|file| file.path.clone());
        let key = reader
            .find("github_private_key_file")
            .map(|found| PathBuf::from(found.text.trim()));
        config.into_iter().chain(key).collect()
    }

    /// Only what the App is known by at GitHub, for commands that need nothing else.
    ///
    /// # Errors
    /// What is wrong with those settings, or with the configuration file.
    pub fn app(&self) -> Result<AppSettings, Problems> {
        let mut reader = Reader::new(self);
        match reader.app().whole() {
            Some(app) if reader.problems.is_empty() => Ok(app),
            _ => Err(Problems(reader.problems)),
        }
    }

    /// Only the receivers of notifications, for commands that need nothing else.
    ///
    /// # Errors
    /// What is wrong with that section, or with the configuration file.
    pub fn notifications(&self) -> Result<Notifications, Problems> {
        let mut reader = Reader::new(self);
        match reader.notifications() {
            Some(notifications) if reader.problems.is_empty() => Ok(notifications),
            _ => Err(Problems(reader.problems)),
        }
    }

    /// Only the model endpoints and the caps, for commands that need nothing else.
    ///
    /// # Errors
    /// What is wrong with that section, or with the configuration file.
    pub fn models(&self) -> Result<Models, Problems> {
        let mut reader = Reader::new(self);
        match reader.models() {
            Some(models) if reader.problems.is_empty() => Ok(models),
            _ => Err(Problems(reader.problems)),
        }
    }
}

// ---- names: one key gives the file's key, the variable and the flag

fn variable(key: &str) -> String {
    format!("COUNTERSIGN_{}", key.to_uppercase())
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// What holds when nobody says anything.
fn default(key: &str) -> Option<&'static str> {
    match key {
        "listen" => Some("127.0.0.1:8080"),
        "database_url" => Some("sqlite:countersign.sqlite"),
        "github_api_url" => Some("https://api.github.com"),
        "mail_url" => Some("file:mail"),
        "mail_from" => Some("Countersign <countersign@localhost>"),
        "mail_resend_in_doubt" => Some("false"),
        "linger_seconds" => Some("0"),
        "github_pace" => Some("default"),
        "commands_per_hour" => Some("60"),
        "stranger_answers_per_hour" => Some("20"),
        "guidelines_bytes" => Some("131072"),
        _ => None,
    }
}

/// What to do about a setting that is missing.
fn advice(key: &str) -> &'static str {
    match key {
        "github_app_id" => "use the App ID from the App's settings page",
        "webhook_secret" => {
            "use at least 32 random characters (openssl rand -hex 32), the same as in the App's settings"
        }
        _ => "give it a value",
    }
}

impl Overrides {
    fn get(&self, key: &str) -> Option<&String> {
        match key {
            "listen" => self.listen.as_ref(),
            "database_url" => self.database_url.as_ref(),
            "github_api_url" => self.github_api_url.as_ref(),
            "github_app_id" => self.github_app_id.as_ref(),
            "github_private_key_file" => self.github_private_key_file.as_ref(),
            "mail_url" => self.mail_url.as_ref(),
            "mail_from" => self.mail_from.as_ref(),
            "mail_resend_in_doubt" => self.mail_resend_in_doubt.as_ref(),
            "linger_seconds" => self.linger_seconds.as_ref(),
            "retention_days" => self.retention_days.as_ref(),
            "commands_per_hour" => self.commands_per_hour.as_ref(),
            "stranger_answers_per_hour" => self.stranger_answers_per_hour.as_ref(),
            "guidelines_bytes" => self.guidelines_bytes.as_ref(),
            "otlp_endpoint" => self.otlp_endpoint.as_ref(),
            "policy_file" => self.policy_file.as_ref(),
            "github_pace" => self.github_pace.as_ref(),
            _ => None,
        }
    }
}

// The fields, each of which can be given in other places, too; and the sections that only the file has.
macro_rules! file {
    (
        $(#[$outer:meta])*
        struct $name:ident { $($(#[$doc:meta])* $field:ident: $of:ty,)+ }
        sections { $($(#[$section_doc:meta])* $section:ident: $section_of:ty,)+ }
    ) => {
        $(#[$outer])*
        struct $name {
            $($(#[$doc])* #[serde(default)] $field: Option<$of>,)+
            $($(#[$section_doc])* #[serde(default)] $section: $section_of,)+
        }

        impl $name {
            fn get(&self, key: &str) -> Option<String> {
                match key {
                    $(stringify!($field) => self.$field.as_ref().map(ToString::to_string),)+
                    _ => None,
                }
            }
        }
    };
}

file! {
    /// Settings of Countersign's server, named by COUNTERSIGN_CONFIG. Each but models and notifications can be given as an
    /// environment variable instead (COUNTERSIGN_ and the key in capitals), which then counts.
    #[derive(Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[schemars(title = "Countersign: server configuration")]
    struct File {
        /// Address and port to listen on. Default: 127.0.0.1:8080
        #[schemars(with = "String")]
        listen: String,
        /// Where the store is: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE. Default: sqlite:countersign.sqlite
        #[schemars(with = "String")]
        database_url: String,
        /// GitHub's API. GitHub Enterprise Server: https://HOST/api/v3. Default: https://api.github.com
        #[schemars(with = "String")]
        github_api_url: String,
        /// The App's number, from its settings page.
        #[schemars(with = "u64")]
        github_app_id: u64,
        /// The App's private key in PEM. Better kept in a file of its own.
        #[schemars(with = "String")]
        github_private_key: String,
        /// The file that holds the App's private key in PEM.
        #[schemars(with = "String")]
        github_private_key_file: String,
        /// What GitHub signs deliveries with: at least 32 characters.
        #[schemars(with = "String")]
        webhook_secret: String,
        /// The secret before, accepted while the secret is changed: at least 32 characters.
        #[schemars(with = "String")]
        webhook_secret_previous: String,
        /// Where mail goes: file:DIR, smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT. Default: file:mail
        #[schemars(with = "String")]
        mail_url: String,
        /// Whom mail comes from. Default: Countersign <countersign@localhost>
        #[schemars(with = "String")]
        mail_from: String,
        /// Whether a mail of which nobody knows whether the server took it is sent again, and may come twice. Default: false
        #[schemars(with = "bool")]
        mail_resend_in_doubt: bool,
        /// For how many seconds a server that is told to stop answers 503 to /readyz and goes on, so that a load balancer
        /// sees it before it is gone: 0 to 300. Default: 0
        #[schemars(with = "u32", range(min = 0, max = 300))]
        linger_seconds: u32,
        /// After how many days deliveries and workflows that have ended are forgotten: 8 at least. Default: never.
        #[schemars(with = "u64")]
        retention_days: u64,
        /// How fast the bot writes to GitHub: default, or off where the API is on this machine.
        #[schemars(with = "String", extend("enum" = ["default", "off"]))]
        github_pace: String,
        /// How many commands of one person are heard in an hour, 1 to 100000. Default: 60
        #[schemars(with = "u32", range(min = 1, max = 100_000))]
        commands_per_hour: u32,
        /// How many answers strangers (less than triage access) get in an hour, in one repository, 1 to 100000.
        /// Default: 20
        #[schemars(with = "u32", range(min = 1, max = 100_000))]
        stranger_answers_per_hour: u32,
        /// The most bytes of a repository's guidelines that a prompt is made with, 0 to 131072; 0: none anywhere. Default:
        /// 131072
        #[schemars(with = "u32", range(min = 0, max = MOST_OF_GUIDELINES))]
        guidelines_bytes: u32,
        /// Where traces go, a collector that speaks OTLP over HTTP: http://HOST:4318. The standard variables
        /// OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT say it as well. Default: none are kept
        #[schemars(with = "String")]
        otlp_endpoint: String,
        /// What holds in all repositories: a file in the language of a repository's .github/countersign.yml, under
        /// which a repository can only ask for more. Default: none
        #[schemars(with = "String")]
        policy_file: String,
    }
    sections {
        models: FileModels,
        notifications: FileNotifications,
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::of::<File>().with_parts(models_file::PARTS);
    schema.with_parts(notifications_file::PARTS)
});

/// The JSON Schema of the server's file, for editors; published as `schema/server.schema.json`.
pub fn server_schema() -> serde_json::Value {
    SCHEMA.json().clone()
}

// ---- reading

/// A value, and how a sentence about it begins.
struct Found {
    place: String,
    text: String,
    by_flag: bool,
}

struct ReadFile {
    path: PathBuf,
    document: Document,
    file: File,
}

struct Reader<'a> {
    sources: &'a Sources<'a>,
    file: Option<ReadFile>,
    /// Something in the file could not be understood, so that nothing can be called missing.
    file_is_broken: bool,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a Sources<'a>) -> Self {
        let mut problems = Vec::new();
        let in_environment = (sources.environment)(&variable("config")).map(PathBuf::from);
        let named = match &sources.overrides.config {
            // The command line takes the variable for the flag where only that is given.
            Some(path) if in_environment.as_ref() != Some(path) => Some((flag("config"), path.clone())),
            _ => in_environment.map(|path| (variable("config"), path)),
        };
        let file = named.and_then(|(name, path)| read_file(&name, path, &mut problems));
        Self {
            sources,
            file,
            file_is_broken: !problems.is_empty(),
            problems,
        }
    }

    fn in_flags(&self, key: &str) -> Option<Found> {
        self.sources.overrides.get(key).map(|text| Found {
            place: flag(key),
            text: text.clone(),
            by_flag: true,
        })
    }

    fn in_environment(&self, key: &str) -> Option<Found> {
        (self.sources.environment)(&variable(key)).map(|text| Found {
            place: variable(key),
            text,
            by_flag: false,
        })
    }

    fn in_file(&self, key: &str) -> Option<Found> {
        let ReadFile { path, document, file } = self.file.as_ref()?;
        let at = document.at(&[key]);
        file.get(key).map(|text| Found {
            place: format!("{key} ({}, line {}, column {})", path.display(), at.line, at.column),
            text,
            by_flag: false,
        })
    }

    fn find(&self, key: &str) -> Option<Found> {
        self.in_flags(key)
            .or_else(|| self.in_environment(key))
            .or_else(|| self.in_file(key))
    }

    fn missing(&mut self, sentence: String) {
        if !self.file_is_broken {
            self.problems.push(sentence);
        }
    }

    fn take<T>(&mut self, found: &Found, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(&found.text) {
            Ok(value) => Some(value),
            Err(_) if found.text.trim().is_empty() => {
                self.problems
                    .push(format!("{} is blank; give it a value or remove it", found.place));
                None
            }
            Err(why) => {
                self.problems.push(format!("{} {why}", found.place));
                None
            }
        }
    }

    fn optional<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let found = self.find(key)?;
        self.take(&found, parse)
    }

    fn required<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if let Some(found) = self.find(key) {
            return self.take(&found, parse);
        }
        match default(key) {
            Some(text) => Some(parse(text).expect("the defaults are valid; a test loads them")),
            None => {
                self.missing(format!("{} is not set; {}", variable(key), advice(key)));
                None
            }
        }
    }

    /// The key itself or the file that holds it, from the first place that says either.
    fn app(&mut self) -> AppParts {
        AppParts {
            api: self.required("github_api_url", parse),
            id: self.required("github_app_id", parse),
            private_key: self.private_key(),
        }
    }

    fn private_key(&mut self) -> Option<PrivateKey> {
        const KEY: &str = "github_private_key";
        const KEY_FILE: &str = "github_private_key_file";
        let layers = [
            (None, self.in_flags(KEY_FILE)),
            (self.in_environment(KEY), self.in_environment(KEY_FILE)),
            (self.in_file(KEY), self.in_file(KEY_FILE)),
        ];
        let found = match layers.into_iter().find(|(key, file)| key.is_some() || file.is_some()) {
            None => {
                self.missing(format!(
                    "Neither {} nor {} is set; use the .pem file that GitHub made for the App",
                    variable(KEY),
                    variable(KEY_FILE)
                ));
                return None;
            }
            Some((Some(key), Some(file))) => {
                self.problems.push(format!(
                    "{} and {} are both set; remove one of them",
                    key.place, file.place
                ));
                return None;
            }
            Some((Some(key), None)) => key,
            Some((None, Some(file))) => self.key_file(&file)?,
            Some((None, None)) => return None,
        };
        let check_key = self.sources.check_key;
        self.take(&found, |text| {
            let key = PrivateKey::parse(text)?;
            check_key.map_or(Ok(()), |check| check(&key))?;
            Ok(key)
        })
    }

    fn key_file(&mut self, named: &Found) -> Option<Found> {
        let text = self.text_of(named)?;
        Some(Found {
            place: format!("The key in {}, named by {},", named.text.trim(), named.place),
            text,
            by_flag: false,
        })
    }

    /// What stands in the file that a setting names.
    fn text_of(&mut self, named: &Found) -> Option<String> {
        let path = named.text.trim();
        if path.is_empty() {
            self.problems
                .push(format!("{} is blank; give it a value or remove it", named.place));
            return None;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.problems.push(format!(
                    "{} names {path}, which cannot be read ({}); check the path and who may read it",
                    named.place,
                    plainly(&error)
                ));
                None
            }
        }
    }

    fn policy(&mut self) -> Option<PolicyFile> {
        let named = self.find("policy_file")?;
        let text = self.text_of(&named)?;
        let path = PathBuf::from(named.text.trim());
        Some(PolicyFile { path, text })
    }

    fn database_url(&mut self) -> Option<DatabaseUrl> {
        let by_flag = self.find("database_url").is_some_and(|found| found.by_flag);
        self.required("database_url", |text| match parse::<DatabaseUrl>(text)? {
            url if by_flag && url.holds_password() => Err(format!(
                "holds a password, which every process on this machine can read; use {} instead",
                variable("database_url")
            )),
            url => Ok(url),
        })
    }

    fn mail_url(&mut self) -> Option<MailUrl> {
        let by_flag = self.find("mail_url").is_some_and(|found| found.by_flag);
        self.required("mail_url", |text| match parse::<MailUrl>(text)? {
            url if by_flag && url.holds_password() => Err(format!(
                "holds a password, which every process on this machine can read; use {} instead",
                variable("mail_url")
            )),
            url => Ok(url),
        })
    }

    fn models(&mut self) -> Option<Models> {
        let Some(ReadFile { path, document, file }) = &self.file else {
            return Some(Models::default());
        };
        match file.models.check(document, self.sources.environment) {
            Ok(models) => Some(models),
            Err(mistakes) => {
                let sentences = mistakes.into_iter().map(|mistake| in_file(path, &mistake));
                self.problems.extend(sentences);
                None
            }
        }
    }

    fn notifications(&mut self) -> Option<Notifications> {
        let Some(ReadFile { path, document, file }) = &self.file else {
            return Some(Notifications::default());
        };
        match file.notifications.check(document, self.sources.environment) {
            Ok(notifications) => Some(notifications),
            Err(mistakes) => {
                let sentences = mistakes.into_iter().map(|mistake| in_file(path, &mistake));
                self.problems.extend(sentences);
                None
            }
        }
    }

    /// Ours, which is the more particular, before the standard's variables
    /// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).
    fn traces(&mut self) -> Option<TracesUrl> {
        const DISABLED: &str = "OTEL_SDK_DISABLED";
        const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
        let is = |name: &str, value: &str| self.standard(name).is_some_and(|found| found.text.trim() == value);
        if is(DISABLED, "true") || is(EXPORTER, "none") {
            return None;
        }
        let exactly = self.standard("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let below = self.standard("OTEL_EXPORTER_OTLP_ENDPOINT");
        let url = match (self.find("otlp_endpoint"), exactly, below) {
            (Some(found), ..) | (None, None, Some(found)) => self.take(&found, TracesUrl::below)?,
            (None, Some(found), _) => self.take(&found, TracesUrl::exactly)?,
            (None, None, None) => return None,
        };
        let protocol = self
            .standard("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| self.standard("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(protocol) = protocol {
            self.take(&protocol, |text| match text.trim() {
                "http/protobuf" => Ok(()),
                other => Err(format!(
                    "is {other}, and this program speaks http/protobuf: set that, and the endpoint to the collector's port \
                     for HTTP (4318)"
                )),
            })?;
        }
        Some(url)
    }

    /// A variable of the OpenTelemetry standard, for which blank is as good as not set.
    fn standard(&self, name: &str) -> Option<Found> {
        let text = (self.sources.environment)(name).filter(|text| !text.trim().is_empty())?;
        Some(Found {
            place: name.to_owned(),
            text,
            by_flag: false,
        })
    }

    fn pace(&mut self, api: Option<&GithubApiUrl>) -> Option<Pace> {
        self.required("github_pace", |text| match (parse(text)?, api) {
            (Pace::Off, Some(api)) if !api.is_loopback() => Err(format!(
                "is off, but {api} is not on this machine: GitHub would block the App; remove the setting"
            )),
            (pace, _) => Ok(pace),
        })
    }
}

/// GitHub repeats a delivery for as long as a week; whoever forgot it would take it for new.
fn retention(text: &str) -> Result<TimeDelta, String> {
    match text.trim().parse::<u32>() {
        Ok(days @ 8..=36_500) => Ok(TimeDelta::days(days.into())),
        _ => Err("is not a number of days from 8 to 36500: GitHub may repeat what it delivered for a week".to_owned()),
    }
}

fn linger(text: &str) -> Result<Duration, String> {
    match text.trim().parse() {
        Ok(seconds @ 0..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err("is no number of seconds from 0 to 300".to_owned()),
    }
}

fn parse<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

/// Reads the file as far as it can be understood.
fn read_file(name: &str, path: PathBuf, problems: &mut Vec<String>) -> Option<ReadFile> {
    if path.as_os_str().is_empty() {
        problems.push(format!("{name} is blank; name a file or remove it"));
        return None;
    }
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(format!(
                "{name} names {}, which cannot be read ({}); check the path and who may read it",
                path.display(),
                plainly(&error)
            ));
            return None;
        }
    };
    let place = |error: ConfigError| in_file(&path, &error);
    let document = Document::parse(&text)
        .map_err(|error| problems.push(place(error)))
        .ok()?;
    let (file, mistakes) = document.fill(&SCHEMA);
    problems.extend(mistakes.into_iter().map(place));
    file.map(|file| ReadFile { path, document, file })
}

fn in_file(path: &std::path::Path, mistake: &ConfigError) -> String {
    format!("{}, {mistake}", path.display())
}

/// The system's words without its number.
fn plainly(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
