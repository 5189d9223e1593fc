use super::super::{MailUrl, Security};
use super::*;

/// The shape of a key and nothing more; it opens nothing.
const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A process: its arguments, its environment and a directory for files.
struct Process {
    overrides: Overrides,
    environment: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

impl Process {
    fn bare() -> Self {
        Self {
            overrides: Overrides::default(),
            environment: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// With what has no default, and nothing else.
    fn ready() -> Self {
        Self::bare()
            .with("GITHUB_APP_ID", "12345")
            .with("GITHUB_PRIVATE_KEY", KEY)
            .with("WEBHOOK_SECRET", SECRET)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let name = format!("COUNTERSIGN_{name}");
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.environment
            .retain(|(known, _)| *known != format!("COUNTERSIGN_{name}"));
        self
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn with_file(self, text: &str) -> Self {
        let path = self.file("server.yml", text);
        self.with("CONFIG", &path)
    }

    fn try_load(&self) -> Result<ServerConfig, Problems> {
        self.try_load_with(None)
    }

    fn try_load_with(&self, check_key: Option<KeyCheck<'_>>) -> Result<ServerConfig, Problems> {
        ServerConfig::load(&Sources {
            overrides: &self.overrides,
            environment: &|name| {
                self.environment
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            },
            check_key,
        })
    }

    fn load(&self) -> ServerConfig {
        self.try_load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn problems(&self) -> Vec<String> {
        match self.try_load() {
            Ok(config) => panic!("loaded {config:?}"),
            Err(problems) => {
                let shown = problems.to_string();
                assert!(!shown.contains("MAA=") && !shown.contains("hunter2"), "{shown}");
                assert_eq!(
                    shown.lines().count(),
                    problems.sentences().len(),
                    "one line each: {shown}"
                );
                problems.sentences().to_vec()
            }
        }
    }

    /// The only problem, which holds these words.
    fn problem(&self, wanted: &str) {
        let problems = self.problems();
        assert!(
            problems.len() == 1 && problems[0].contains(wanted),
            "wanted {wanted:?}: {problems:#?}"
        );
    }
}

#[test]
fn three_settings_are_enough() {
    let config = Process::ready().load();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.to_string(), "sqlite:countersign.sqlite");
    assert_eq!(config.app.api.as_str(), "https://api.github.com");
    assert_eq!(config.app.id, AppId(12345));
    assert_eq!(config.app.private_key.expose(), KEY);
    assert_eq!(config.webhook_secret.expose(), SECRET);
    assert_eq!(config.webhook_secret_previous, None);
    assert_eq!(config.mail_url, MailUrl::File("mail".into()));
    assert_eq!(config.mail_from.to_string(), "Countersign <countersign@localhost>");
    assert_eq!(config.pace, Pace::Default);
}

#[test]
fn a_printed_configuration_holds_no_secret() {
    let config = Process::ready()
        .with("WEBHOOK_SECRET_PREVIOUS", "fedcba9876543210fedcba9876543210")
        .with("MAIL_URL", "smtps://bot:hunter2@mx.example")
        .load();
    let shown = format!("{config:?}");
    for secret in ["MAA=", SECRET, "fedcba98", "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn nothing_set_lists_all_that_is_missing() {
    let problems = Process::bare().problems();
    assert_eq!(
        problems,
        [
            "COUNTERSIGN_GITHUB_APP_ID is not set; use the App ID from the App's settings page",
            "Neither COUNTERSIGN_GITHUB_PRIVATE_KEY nor COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE is set; use the .pem file that GitHub made for the App",
            "COUNTERSIGN_WEBHOOK_SECRET is not set; use at least 32 random characters (openssl rand -hex 32), the same as in the App's settings",
        ]
    );
}

#[test]
fn every_mistake_is_listed_at_once() {
    let problems = Process::bare()
        .with("LISTEN", "localhost")
        .with("DATABASE_URL", "mysql://u:hunter2@db/x")
        .with("GITHUB_API_URL", "https://github.com")
        .with("GITHUB_APP_ID", "Iv1.abc")
        .with("GITHUB_PRIVATE_KEY", "hunter2")
        .with("WEBHOOK_SECRET", "hunter2")
        .with("WEBHOOK_SECRET_PREVIOUS", " ")
        .with("MAIL_URL", "pop3://u:hunter2@mx")
        .with("MAIL_FROM", "nobody")
        .with("GITHUB_PACE", "fast")
        .problems();
    let starts: Vec<_> = problems.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "COUNTERSIGN_LISTEN",
            "COUNTERSIGN_DATABASE_URL",
            "COUNTERSIGN_GITHUB_API_URL",
            "COUNTERSIGN_GITHUB_APP_ID",
            "COUNTERSIGN_GITHUB_PRIVATE_KEY",
            "COUNTERSIGN_WEBHOOK_SECRET",
            "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS",
            "COUNTERSIGN_MAIL_URL",
            "COUNTERSIGN_MAIL_FROM",
            "COUNTERSIGN_GITHUB_PACE",
        ],
        "{problems:#?}"
    );
}

#[test]
fn one_mistake_each() {
    for (name, value, wanted) in [
        ("LISTEN", "8080", "COUNTERSIGN_LISTEN is not an address with a port"),
        (
            "LISTEN",
            "",
            "COUNTERSIGN_LISTEN is blank; give it a value or remove it",
        ),
        ("DATABASE_URL", "  ", "COUNTERSIGN_DATABASE_URL is blank"),
        ("DATABASE_URL", "mysql://db", "which this version cannot use"),
        ("GITHUB_APP_ID", "-5", "COUNTERSIGN_GITHUB_APP_ID is not a number"),
        ("WEBHOOK_SECRET", "", "COUNTERSIGN_WEBHOOK_SECRET is blank; "),
        (
            "WEBHOOK_SECRET",
            "short",
            "COUNTERSIGN_WEBHOOK_SECRET has 5 characters; it needs at least 32",
        ),
        (
            "WEBHOOK_SECRET_PREVIOUS",
            "",
            "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS is blank",
        ),
        (
            "WEBHOOK_SECRET_PREVIOUS",
            "short",
            "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS has 5",
        ),
        ("GITHUB_PRIVATE_KEY", "", "COUNTERSIGN_GITHUB_PRIVATE_KEY is blank"),
        ("GITHUB_PRIVATE_KEY", "x", "COUNTERSIGN_GITHUB_PRIVATE_KEY is not PEM"),
        (
            "MAIL_FROM",
            "a@b.example\nBcc: c@d.example",
            "COUNTERSIGN_MAIL_FROM holds a line break",
        ),
        (
            "MAIL_URL",
            "smtp://u:hunter2@mx.example?tls=none",
            "COUNTERSIGN_MAIL_URL would send the password unencrypted",
        ),
        (
            "GITHUB_PACE",
            "off",
            "COUNTERSIGN_GITHUB_PACE is off, but https://api.github.com is not on this machine",
        ),
        ("GITHUB_PACE", "", "COUNTERSIGN_GITHUB_PACE is blank"),
    ] {
        Process::ready().with(name, value).problem(wanted);
    }
}

#[test]
fn pace_may_be_off_on_this_machine_only() {
    let loopback = Process::ready()
        .with("GITHUB_API_URL", "http://127.0.0.1:9000")
        .with("GITHUB_PACE", "off")
        .load();
    assert_eq!(loopback.pace, Pace::Off);
    Process::ready()
        .with("GITHUB_API_URL", "https://ghe.example/api/v3")
        .with("GITHUB_PACE", "off")
        .problem("not on this machine");
}

#[test]
fn a_key_in_a_file_of_its_own() {
    let process = Process::ready().without("GITHUB_PRIVATE_KEY");
    let path = process.file("app.pem", KEY);
    let process = process.with("GITHUB_PRIVATE_KEY_FILE", &path);
    assert_eq!(process.load().app.private_key.expose(), KEY);
    process.file("app.pem", "hunter2");
    process.problem(&format!(
        "The key in {path}, named by COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE, is not PEM"
    ));
    let process = process.with("GITHUB_PRIVATE_KEY_FILE", "/nowhere/app.pem");
    process.problem(
        "COUNTERSIGN_GITHUB_PRIVATE_KEY_FILE names /nowhere/app.pem, which cannot be read (no such file or directory)",
    );
    process
        .with("GITHUB_PRIVATE_KEY", KEY)
        .problem("are both set; remove one of them");
}

#[test]
fn the_one_who_signs_has_the_last_word_on_the_key() {
    let process = Process::ready();
    let check = |_: &PrivateKey| Err("is no RSA key; use the .pem file that GitHub made for the App".to_owned());
    let problems = process.try_load_with(Some(&check)).unwrap_err();
    assert_eq!(
        problems.sentences(),
        ["COUNTERSIGN_GITHUB_PRIVATE_KEY is no RSA key; use the .pem file that GitHub made for the App"]
    );
    assert!(
        process
            .try_load_with(Some(&|key| {
                assert_eq!(key.expose(), KEY);
                Ok(())
            }))
            .is_ok()
    );
}

#[test]
fn flags_before_environment_before_file() {
    let file = format!(
        "listen: 127.0.0.1:1\nmail_from: file@example.org\ngithub_app_id: 1\nwebhook_secret: {SECRET}\ndatabase_url: sqlite:file.sqlite\n"
    );
    let mut process = Process::bare()
        .with_file(&file)
        .with("GITHUB_PRIVATE_KEY", KEY)
        .with("LISTEN", "127.0.0.1:2")
        .with("MAIL_FROM", "environment@example.org");
    process.overrides.listen = Some("127.0.0.1:3".to_owned());
    let config = process.load();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.mail_from.to_string(), "environment@example.org");
    assert_eq!(config.database.to_string(), "sqlite:file.sqlite");
    assert_eq!(config.app.id, AppId(1));
}

#[test]
fn the_nearest_place_that_names_a_key_counts() {
    let process = Process::ready().with_file("github_private_key_file: /nowhere/app.pem\n");
    assert_eq!(process.load().app.private_key.expose(), KEY);
    let mut process = Process::ready();
    process.overrides.github_private_key_file = Some("/nowhere/app.pem".to_owned());
    process.problem("--github-private-key-file names /nowhere/app.pem, which cannot be read");
}

#[test]
fn every_flag_is_read() {
    let mut process = Process::ready().without("GITHUB_APP_ID").without("GITHUB_PRIVATE_KEY");
    let key = process.file("app.pem", KEY);
    let policy = process.file("policy.yml", "version: 1\n");
    process.overrides = Overrides {
        config: Some(process.file("empty.yml", "# nothing\n").into()),
        listen: Some("[::1]:80".into()),
        database_url: Some("sqlite:x".into()),
        github_api_url: Some("http://localhost:1".into()),
        github_app_id: Some("7".into()),
        github_private_key_file: Some(key),
        mail_url: Some("smtp://mx.example".into()),
        mail_from: Some("Bot <bot@example.org>".into()),
        mail_resend_in_doubt: Some("true".into()),
        linger_seconds: Some("7".into()),
        retention_days: Some("30".into()),
        commands_per_hour: Some("8".into()),
        stranger_answers_per_hour: Some("9".into()),
        guidelines_bytes: Some("1000".into()),
        otlp_endpoint: Some("http://127.0.0.1:4318".into()),
        policy_file: Some(policy),
        github_pace: Some("off".into()),
    };
    let config = process.load();
    assert_eq!(config.listen.to_string(), "[::1]:80");
    assert_eq!(config.database.to_string(), "sqlite:x");
    assert_eq!(config.app.api.as_str(), "http://localhost:1");
    assert_eq!(config.app.id, AppId(7));
    assert_eq!(config.mail_from.address(), "bot@example.org");
    assert_eq!(config.pace, Pace::Off);
    assert_eq!(config.mail_in_doubt, InDoubt::SendAgain);
    assert_eq!(config.linger, Duration::from_secs(7));
    assert_eq!(config.retention, Some(TimeDelta::days(30)));
    assert_eq!(
        (config.commands_per_hour, config.stranger_answers_per_hour),
        (PerHour(8), PerHour(9))
    );
    assert_eq!(config.guidelines, GuidelinesBytes(1000));
    assert_eq!(config.traces.unwrap().as_str(), "http://127.0.0.1:4318/v1/traces");
    assert_eq!(config.policy.unwrap().text, "version: 1\n");
    match config.mail_url {
        MailUrl::Smtp(url) => assert_eq!((url.port, url.security), (587, Security::StartTls)),
        MailUrl::File(path) => panic!("{path:?}"),
    }
}

#[test]
fn a_password_does_not_belong_on_the_command_line() {
    let mut process = Process::ready();
    process.overrides.mail_url = Some("smtps://bot:hunter2@mx.example".to_owned());
    process
        .problem("--mail-url holds a password, which every process on this machine can read; use COUNTERSIGN_MAIL_URL");
}

#[test]
fn a_mistake_in_the_file_names_its_line() {
    let process = Process::ready().with_file("# mine\nlisten: here\n");
    let path = process.directory.path().join("server.yml");
    process.problem(&format!(
        "listen ({}, line 2, column 9) is not an address with a port",
        path.display()
    ));
}

#[test]
fn mistakes_in_the_file_stand_beside_those_elsewhere() {
    let process = Process::bare()
        .with_file("listen: [1]\nwebhook_secert: hunter2\ngithub_app_id: twelve\nmail_from: nobody\n")
        .with("LISTEN", "here");
    let problems = process.problems();
    let path = process.directory.path().join("server.yml").display().to_string();
    // What the file would have set is not called missing.
    assert_eq!(
        problems,
        [
            format!("{path}, line 1, column 9: `listen` must be text"),
            format!("{path}, line 2, column 1: `webhook_secert` is not known; did you mean `webhook_secret`?"),
            format!("{path}, line 3, column 16: `github_app_id` must be a whole number"),
            "COUNTERSIGN_LISTEN is not an address with a port; write for example 127.0.0.1:8080".to_owned(),
            format!("mail_from ({path}, line 4, column 12) has no @; write name@host or Name <name@host>"),
        ]
    );
    Process::ready()
        .with("CONFIG", "/nowhere/x.yml")
        .problem("COUNTERSIGN_CONFIG names /nowhere/x.yml, which cannot be read");
    // The command line gives the variable on as if it were the flag.
    let mut process = Process::ready().with("CONFIG", "/nowhere/x.yml");
    process.overrides.config = Some("/nowhere/x.yml".into());
    process.problem("COUNTERSIGN_CONFIG names /nowhere/x.yml, which cannot be read");
    process.overrides.config = Some("/nowhere/y.yml".into());
    process.problem("--config names /nowhere/y.yml, which cannot be read");
    Process::ready()
        .with("CONFIG", "")
        .problem("COUNTERSIGN_CONFIG is blank");
}

#[test]
fn a_reading_command_needs_the_database_alone() {
    let process = Process::bare()
        .with("DATABASE_URL", "sqlite:/srv/cs.sqlite")
        .with("LISTEN", "nonsense");
    let environment = |name: &str| {
        process
            .environment
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let sources = Sources {
        overrides: &process.overrides,
        environment: &environment,
        check_key: None,
    };
    assert_eq!(sources.database().unwrap().to_string(), "sqlite:/srv/cs.sqlite");
    let wrong = Sources {
        environment: &|_| Some("mysql:x".to_owned()),
        ..sources
    };
    // COUNTERSIGN_CONFIG is answered with the same words and cannot be read either.
    assert_eq!(wrong.database().unwrap_err().sentences().len(), 2);
}
