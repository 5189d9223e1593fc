//! `countersign serve`: the webhook server.

use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::house::{self, House, figures, machine_clock};
use super::logging::Log;
use crate::config::{Overrides, ServerConfig, Sources};
use crate::engine::Engine;
use crate::store::Store;
use crate::traces::Exporter;
use crate::web;

/// Settings that win over the environment and the file. Secrets have no flags: a command line can be read by others.
#[derive(Debug, clap::Args)]
pub(super) struct Settings {
    /// The server's configuration file (YAML)
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Address and port to listen on
    #[arg(long)]
    listen: Option<String>,
    /// Where everything is kept, such as `sqlite:countersign.sqlite` or `postgres://bot@db.example/countersign`
    #[arg(long)]
    database_url: Option<String>,
    /// GitHub's API; an Enterprise Server's ends in `/api/v3`
    #[arg(long)]
    github_api_url: Option<String>,
    /// The App's numeric id
    #[arg(long)]
    github_app_id: Option<String>,
    /// The App's private key (PEM)
    #[arg(long)]
    github_private_key_file: Option<String>,
    /// `file:DIR`, `smtp://HOST` or `smtps://HOST`
    #[arg(long)]
    mail_url: Option<String>,
    /// The sender of mail
    #[arg(long)]
    mail_from: Option<String>,
    /// Whether a mail that may have been sent is sent again, and may come twice: `true` or `false`
    #[arg(long, value_name = "BOOL")]
    mail_resend_in_doubt: Option<String>,
    /// For how long a server that is told to stop says so before it stops
    #[arg(long, value_name = "SECONDS")]
    linger_seconds: Option<String>,
    /// After how many days deliveries and workflows that have ended are forgotten
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<String>,
    /// How many commands of one person are heard in an hour
    #[arg(long, value_name = "NUMBER")]
    commands_per_hour: Option<String>,
    /// How many answers strangers get in an hour, in one repository
    #[arg(long, value_name = "NUMBER")]
    stranger_answers_per_hour: Option<String>,
    /// How many bytes of a repository's guidelines a prompt is made with at most; 0 for none
    #[arg(long, value_name = "BYTES")]
    guidelines_bytes: Option<String>,
    /// The collector that traces go to, such as `http://127.0.0.1:4318`
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// What holds in all repositories: a file in the language of a repository's
    #[arg(long, value_name = "FILE")]
    policy_file: Option<String>,
    /// `off` stops the waiting between writes, where the API is on this machine
    #[arg(long, value_name = "PACE")]
    github_pace: Option<String>,
}

impl Settings {
    pub(super) fn overrides(self) -> Overrides {
        Overrides {
            config: self.config,
            listen: self.listen,
            database_url: self.database_url,
            github_api_url: self.github_api_url,
            github_app_id: self.github_app_id,
            github_private_key_file: self.github_private_key_file,
            mail_url: self.mail_url,
            mail_from: self.mail_from,
            mail_resend_in_doubt: self.mail_resend_in_doubt,
            linger_seconds: self.linger_seconds,
            retention_days: self.retention_days,
            commands_per_hour: self.commands_per_hour,
            stranger_answers_per_hour: self.stranger_answers_per_hour,
            guidelines_bytes: self.guidelines_bytes,
            otlp_endpoint: self.otlp_endpoint,
            policy_file: self.policy_file,
            github_pace: self.github_pace,
        }
    }
}

/// What is served.
#[derive(Debug, clap::Args)]
pub struct Serve {
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    /// Serves until it is told to stop.
    pub async fn run(self, log: Log) -> ExitCode {
        let overrides = self.settings.overrides();
        let sources = house::sources(&overrides);
        let config = match ServerConfig::load(&sources) {
            Ok(config) => config,
            Err(problems) => {
                let of_the_database = of_the_database(&sources).await;
                return refuse(&[problems.sentences(), &of_the_database].concat());
            }
        };
        let traces = match config.traces.as_ref().map(Exporter::to).transpose() {
            Ok(traces) => traces,
            Err(problem) => return refuse(&[problem]),
        };
        if let Err(error) = log.begin(traces.as_ref()) {
            return refuse(&[error.to_string()]);
        }
        let code = serve(&config).await;
        if let Some(traces) = traces {
            traces.end().await;
        }
        code
    }
}

/// From valid settings to a server that stopped.
async fn serve(config: &ServerConfig) -> ExitCode {
    let mut signals = match web::StopSignals::listen() {
        Ok(signals) => signals,
        Err(error) => return refuse(&[format!("signals cannot be listened to: {error}")]),
    };
    let listener = TcpListener::bind(config.listen).await.and_then(web::Listening::at);
    let listening = listener.map_err(|error| {
        format!(
            "COUNTERSIGN_LISTEN: {} cannot be listened on ({error}): stop what listens there, or choose another \
                 address",
            config.listen
        )
    });
    let house = tokio::select! {
        house = House::open(config, machine_clock(), figures()) => house,
        // Nothing was begun.
        () = signals.next() => {
            tracing::info!("told to stop before it served");
            return ExitCode::SUCCESS;
        }
    };
    let (listener, house) = match (listening, house) {
        (Ok(listening), Ok(house)) => (listening.listener().await, house),
        (listening, house) => {
            let problems = house.err().into_iter().flatten();
            return refuse(&problems.chain(listening.err()).collect::<Vec<_>>());
        }
    };
    // The port that was given, where the setting asked for any.
    let listen = listener.local_addr().unwrap_or(config.listen);
    tracing::info!(%listen, github = config.app.api.as_str(), "serving");
    let (stop_work, stop_listening) = (CancellationToken::new(), CancellationToken::new());
    tokio::spawn(until_told(
        signals,
        house.engine.clone(),
        config.linger,
        stop_work.clone(),
    ));
    // What comes while the last work ends is stored all the same, and is somebody's next work.
    let working = async {
        house.work(stop_work).await;
        stop_listening.cancel();
    };
    let (served, ()) = tokio::join!(
        web::serve(listener, house.router.clone(), stop_listening.clone()),
        working
    );
    house.engine.store().close().await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&[format!("serving stopped: {error}")]),
    }
}

/// Waits for the word to stop, says so to whoever asks whether this server is ready, and gives them time to ask. A second
/// word ends that.
async fn until_told(mut signals: web::StopSignals, engine: Engine, linger: Duration, stop: CancellationToken) {
    signals.next().await;
    engine.leave();
    tracing::info!(?linger, "told to stop");
    tokio::select! {
        () = tokio::time::sleep(linger) => {}
        () = signals.next() => {}
    }
    stop.cancel();
}

/// What stands in the way of the database, told in the same breath as the settings' own mistakes.
async fn of_the_database(sources: &Sources<'_>) -> Vec<String> {
    // A mistake in its setting is among those that were told already.
    let Ok(database) = sources.database() else {
        return Vec::new();
    };
    let tried = Store::try_open(&database).await;
    tried.err().map(|error| error.to_string()).into_iter().collect()
}

fn refuse(problems: &[String]) -> ExitCode {
    for problem in problems {
        eprintln!("error: {problem}");
    }
    ExitCode::from(super::exit::CONFIGURATION)
}
