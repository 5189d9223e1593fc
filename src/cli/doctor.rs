//! `countersign doctor`: everything that a server relies on, looked at before it is relied on.
//!
//! Nothing is written, nothing is sent to anybody, and no model is asked.

mod app;
mod database;
mod findings;
mod listen;
mod missed;
mod secrets;
mod work;

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Answer, Refusal};
use super::house::{self, machine_clock};
use super::serve::Settings;
use crate::config::{Models, NotificationEndpoint, Notifications, ServerConfig, TracesUrl, is_loopback};
use crate::github::{App, GithubError, Limits};
use findings::Findings;

/// How far this machine's clock and GitHub's may differ. GitHub takes a token whose time is up to a minute ahead.
const SKEW: TimeDelta = TimeDelta::seconds(30);

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing is wrong; what only needs a look does not count
  1  something is wrong, the settings included: a server would refuse to start, or would not do its work";

/// What is looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Doctor {
    #[command(flatten)]
    settings: Settings,
}

impl Doctor {
    /// Looks at everything, also where something before it is wrong. Ends with 1 if anything is.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let mut findings = Findings::default();
        let overrides = self.settings.overrides();
        let sources = house::sources(&overrides);
        match ServerConfig::load(&sources) {
            Ok(config) => {
                findings.fine(
                    "settings",
                    "complete; the secrets are long enough and the private key signs",
                );
                secrets::look(&sources, &config, &mut findings);
                listen::look(config.listen, &mut findings).await;
                database::look(&config.database, &mut findings).await;
                github(&config, &mut findings).await;
                mail(&config, &mut findings).await;
                models(&config.models, &mut findings);
                policy(&config, &mut findings);
                notifications(&config.notifications, &mut findings).await;
                traces(config.traces.as_ref(), &mut findings).await;
            }
            Err(problems) => {
                for problem in problems.sentences() {
                    findings.wrong(
                        "settings",
                        problem,
                        "correct it; the rest is looked at as far as it can be",
                    );
                }
                if let Ok(url) = sources.database() {
                    database::look(&url, &mut findings).await;
                }
                if let Ok(endpoints) = sources.models() {
                    models(&endpoints, &mut findings);
                }
                if let Ok(endpoints) = sources.notifications() {
                    notifications(&endpoints, &mut findings).await;
                }
            }
        }
        findings.answer()
    }
}

async fn github(config: &ServerConfig, findings: &mut Findings) {
    const AREA: &str = "github";
    let github = match house::github(&config.app, machine_clock(), Limits::default()) {
        Ok(github) => github,
        Err(problem) => return findings.wrong(AREA, problem, "correct the setting that it names"),
    };
    let app = github.app();
    match app.identity().await {
        Ok(identity) => {
            findings.fine(AREA, format!("{} answers; the App is {}", config.app.api.as_str(), identity.slug));
            if let Some(theirs) = identity.answered_at {
                clocks(theirs, Utc::now(), findings);
            }
            app::compare(&identity, findings);
            installations(&app, findings).await;
            hook(&app, findings).await;
            deliveries(&app, findings).await;
        }
        // A number that is no App's is 404.
        Err(error @ (GithubError::Unauthorized(_) | GithubError::NotFound(_))) => findings.wrong(
            AREA,
            format!("the App's credentials are refused: {error}"),
            "compare COUNTERSIGN_GITHUB_APP_ID and the private key with the App's settings page, and this machine's clock",
        ),
        Err(error) => findings.wrong(
            AREA,
            format!("{} does not answer: {error}", config.app.api.as_str()),
            "let this machine reach it; a server starts all the same and waits",
        ),
    }
}

fn clocks(theirs: DateTime<Utc>, ours: DateTime<Utc>, findings: &mut Findings) {
    let ahead = ours - theirs;
    let said = format!("this machine's clock is {} s from GitHub's", ahead.num_seconds());
    if ahead.abs() > SKEW {
        findings.wrong("clock", said, "set it by NTP: GitHub refuses tokens from another time");
    } else {
        findings.fine("clock", said);
    }
}

async fn installations(app: &App, findings: &mut Findings) {
    const AREA: &str = "installations";
    let installations = match app.installations().await {
        Ok(installations) => installations,
        Err(error) => return findings.doubtful(AREA, format!("they cannot be listed: {error}"), "try again"),
    };
    if installations.is_empty() {
        findings.doubtful(
            AREA,
            "the App is installed nowhere",
            "install it from its settings page",
        );
    }
    for installation in installations {
        app::accepted(&installation, findings);
    }
}

/// Where GitHub delivers to, and how.
async fn hook(app: &App, findings: &mut Findings) {
    const AREA: &str = "webhook";
    let hook = match app.hook().await {
        Ok(hook) => hook,
        Err(error) => return findings.doubtful(AREA, format!("its settings cannot be read: {error}"), "try again"),
    };
    let Some(address) = hook.url.as_deref().and_then(|url| url.parse::<url::Url>().ok()) else {
        return findings.wrong(
            AREA,
            "the App has no webhook address",
            "enter https://YOUR-HOST/webhook on the App's page, and make the webhook active",
        );
    };
    let mut told = false;
    let mut tell = |wrong: &str, then: &'static str| {
        told = true;
        findings.doubtful(AREA, format!("GitHub delivers to {address} {wrong}"), then);
    };
    if !address.path().ends_with("/webhook") {
        tell(
            "and this server takes deliveries at /webhook",
            "correct the address, unless a proxy changes the path",
        );
    }
    if address.scheme() != "https" && !is_loopback(&address) {
        tell(
            "without TLS",
            "put whatever ends TLS in front of the server, and write https",
        );
    }
    if !hook.verifies_tls {
        tell(
            "and does not check the certificate there",
            "turn on “SSL verification” on the App's page",
        );
    }
    if hook.content_type != "json" {
        tell(
            "as a form, and this server reads JSON",
            "choose application/json on the App's page",
        );
    }
    if !told {
        findings.fine(AREA, format!("GitHub delivers to {address}"));
    }
}

/// What GitHub's last attempts to deliver were answered.
async fn deliveries(app: &App, findings: &mut Findings) {
    const AREA: &str = "webhook";
    match app.deliveries(None).await {
        Err(error) => findings.doubtful(AREA, format!("the deliveries cannot be listed: {error}"), "try again"),
        Ok(page) => match page.deliveries.first() {
            None => findings.doubtful(
                AREA,
                "GitHub has delivered nothing in the days that it keeps",
                "compare the webhook's address in the App's settings, and say something in an issue",
            ),
            Some(last) if last.arrived() => {
                findings.fine(AREA, format!("the last delivery arrived {}", last.delivered_at))
            }
            Some(last) => findings.wrong(
                AREA,
                format!(
                    "the last delivery was answered {} ({})",
                    last.status_code, last.delivered_at
                ),
                match last.status_code {
                    401 => "the secret here is not the one in the App's settings",
                    0 => "GitHub cannot reach the webhook's address: look at the proxy in front of the server",
                    _ => "look at the server's log and its `/readyz`",
                },
            ),
        },
    }
}

async fn mail(config: &ServerConfig, findings: &mut Findings) {
    const AREA: &str = "mail";
    match crate::mail::probe(&config.mail_url, &config.mail_from).await {
        Ok(said) => findings.fine(AREA, said),
        Err(why) => findings.wrong(
            AREA,
            why,
            "correct COUNTERSIGN_MAIL_URL, or let this machine reach the server",
        ),
    }
}

async fn traces(url: Option<&TracesUrl>, findings: &mut Findings) {
    const AREA: &str = "traces";
    let Some(url) = url else {
        return findings.fine(AREA, "none are kept: no endpoint is configured");
    };
    match crate::traces::probe(url).await {
        Ok(()) => findings.fine(AREA, format!("{url} takes them")),
        Err(why) => findings.doubtful(
            AREA,
            format!("{url} does not take them: {why}"),
            "start the collector or correct the endpoint; a server works all the same",
        ),
    }
}

fn policy(config: &ServerConfig, findings: &mut Findings) {
    const AREA: &str = "policy";
    match house::policy(config) {
        Ok(None) => {}
        Ok(Some(_)) => findings.fine(AREA, "it can be read; `/explain` shows what it changes in a repository"),
        Err(mistakes) => {
            for mistake in mistakes {
                findings.wrong(AREA, mistake, "correct it; a server does not start with it");
            }
        }
    }
}

/// Receivers are asked whether they are there, and told nothing.
async fn notifications(notifications: &Notifications, findings: &mut Findings) {
    const AREA: &str = "notifications";
    for endpoint in &notifications.endpoints {
        let at = endpoint.channel.host().map(|host| format!(" at {host}"));
        let NotificationEndpoint { name, channel, .. } = endpoint;
        let who = format!("{name} ({}{})", channel.as_str(), at.unwrap_or_default());
        match crate::notify::probe(endpoint).await {
            Ok(()) => findings.fine(AREA, format!("{who} answers, and is told of {}", told_of(endpoint))),
            Err(why) => findings.doubtful(
                AREA,
                format!("{who} does not answer: {why}"),
                "let this machine reach it, or correct its address; meanwhile notifications wait, and nothing else does",
            ),
        }
    }
    if notifications.endpoints.is_empty() {
        findings.fine(AREA, "nobody is told but by GitHub and mail: no endpoint is configured");
    }
}

/// What an endpoint is told of, and of which repositories.
fn told_of(endpoint: &NotificationEndpoint) -> String {
    let events: Vec<&str> = endpoint.events.iter().map(|kind| kind.as_str()).collect();
    let of = match endpoint.repositories.is_empty() {
        true => "every repository".to_owned(),
        false => endpoint.repositories.join(", "),
    };
    format!("{} in {of}", events.join(", "))
}

fn models(models: &Models, findings: &mut Findings) {
    const AREA: &str = "models";
    for endpoint in &models.endpoints {
        match endpoint.obstacle() {
            None => findings.fine(
                AREA,
                format!(
                    "{} has what it needs; `countersign providers test {}` asks it",
                    endpoint.name, endpoint.name
                ),
            ),
            Some(why) => findings.wrong(
                AREA,
                format!("{} cannot be asked: {why}", endpoint.name),
                "set it and restart",
            ),
        }
    }
    if models.endpoints.is_empty() {
        findings.fine(AREA, "none is configured: agents are `rules` and `manual`");
    }
}
