//! `countersign doctor`: everything that a server relies on, looked at before it is relied on.
//!
//! Nothing is written, nothing is sent to anybody, and no model is asked.

mod app;
mod findings;

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Answer, Refusal};
use super::house::{self, machine_clock};
use super::serve::Settings;
use crate::config::{DatabaseUrl, Models, PrivateKey, ServerConfig, Sources};
use crate::github::{App, GithubError, Limits};
use crate::store::missed::Missed;
use crate::store::{OpenError, SqliteError, Store};
use findings::Findings;

/// How far this machine's clock and GitHub's may differ. GitHub takes a token whose time is up to a minute ahead.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// How long a time in which nobody looked for deliveries is still told of.
const RECENT: TimeDelta = TimeDelta::days(30);

/// Where the database should not lie with less.
const FREE_BYTES: u64 = 1 << 30;

/// What is looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    settings: Settings,
}

impl Doctor {
    /// Looks at everything, also where something before it is wrong. Ends with 1 if anything is.
    pub(super) async fn run(self) -> Result<Answer, Refusal> {
        let mut findings = Findings::default();
        let overrides = self.settings.overrides();
        let environment = |name: &str| std::env::var(name).ok();
        let check_key = |key: &PrivateKey| crate::github::check_private_key(key.expose());
        let sources = Sources {
            overrides: &overrides,
            environment: &environment,
            check_key: Some(&check_key),
        };
        match ServerConfig::load(&sources) {
            Ok(config) => {
                findings.fine(
                    "settings",
                    "complete; the secrets are long enough and the private key signs",
                );
                database(&config.database, &mut findings).await;
                github(&config, &mut findings).await;
                mail(&config, &mut findings).await;
                models(&config.models, &mut findings);
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
                    database(&url, &mut findings).await;
                }
                if let Ok(endpoints) = sources.models() {
                    models(&endpoints, &mut findings);
                }
            }
        }
        findings.answer()
    }
}

async fn database(url: &DatabaseUrl, findings: &mut Findings) {
    const AREA: &str = "database";
    if let DatabaseUrl::Sqlite(path) = url {
        disk(directory_of(path), findings);
        if !path.exists() {
            return to_be_made(url, directory_of(path), findings);
        }
    }
    match Store::try_open(url).await {
        Ok(()) => findings.fine(AREA, format!("{url} can be served")),
        // A server that runs holds it; what it holds can be looked at all the same.
        Err(OpenError::Sqlite(SqliteError::InUse { process, .. })) => findings.fine(
            AREA,
            match process {
                Some(process) => format!("{url} is served by process {process}"),
                None => format!("{url} is served by another process"),
            },
        ),
        Err(error) => {
            findings.wrong(AREA, error, "the sentence says what helps");
            return;
        }
    }
    match Store::open_to_read(url).await {
        Ok(store) => {
            let looked = async {
                open_work(&store, findings).await?;
                missed(&store, findings).await
            };
            if let Err(error) = looked.await {
                findings.wrong(AREA, error, "see the server's log, then `countersign verify`");
            }
            store.close().await;
        }
        Err(OpenError::Sqlite(SqliteError::Older { .. })) => {
            findings.fine(AREA, "it is migrated by the next `countersign serve`");
        }
        Err(error) => findings.wrong(AREA, error, "the sentence says what helps"),
    }
}

fn directory_of(database: &Path) -> &Path {
    match database.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether a database that is not there yet can be made.
fn to_be_made(url: &DatabaseUrl, directory: &Path, findings: &mut Findings) {
    const AREA: &str = "database";
    // It has no name, so nothing is left of it.
    match tempfile::tempfile_in(directory) {
        Ok(_) => findings.fine(AREA, format!("{url} is made by the next `countersign serve`")),
        Err(error) => findings.wrong(
            AREA,
            format!("{url} cannot be made in {} ({error})", directory.display()),
            "make that a directory of this machine that this user may write to",
        ),
    }
}

fn disk(directory: &Path, findings: &mut Findings) {
    const AREA: &str = "disk";
    match rustix::fs::statvfs(directory) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let said = format!("{} MiB free where the database lies", free >> 20);
            if free < FREE_BYTES {
                findings.doubtful(
                    AREA,
                    said,
                    "make room: a full disk stops everything, though it loses nothing",
                );
            } else {
                findings.fine(AREA, said);
            }
        }
        Err(error) => findings.doubtful(
            AREA,
            format!("the free space cannot be told ({error})"),
            "look with `df`",
        ),
    }
}

/// What is open, and what does not go on by itself.
async fn open_work(store: &Store, findings: &mut Findings) -> Result<(), crate::store::StoreError> {
    const AREA: &str = "work";
    const SHOWN: usize = 10;
    let open = store.list_workflows(true, u32::MAX).await?;
    findings.fine(AREA, format!("open workflows: {}", open.len()));
    for workflow in open.iter().take(SHOWN) {
        let waits = match (workflow.held, workflow.waits_for.as_str()) {
            (true, _) => "is held",
            (false, "") => "goes on by itself",
            (false, waits) => waits,
        };
        let subject = format!("{}#{}", workflow.repository, workflow.subject);
        findings.fine(
            AREA,
            format!("{} ({} on {subject}): {waits}", workflow.id, workflow.definition),
        );
    }
    for id in store.stuck_workflows().await? {
        findings.wrong(
            AREA,
            format!("{id} is open and nothing is due, no timer runs and nobody is waited for"),
            "that is a mistake of this program: keep `countersign export` of it and report it; `/retry` or `/cancel` ends it",
        );
    }
    let failed = store.deliveries(true, u32::MAX).await?;
    let dead = failed
        .iter()
        .filter(|delivery| matches!(delivery.state.as_str(), "failed" | "dead"));
    for delivery in dead.take(SHOWN) {
        findings.doubtful(
            AREA,
            format!(
                "the delivery {} was given up: {}",
                delivery.id,
                delivery.outcome.as_deref().unwrap_or("no reason kept")
            ),
            "`countersign deliveries retry ID` tries it again",
        );
    }
    for (queue, depth, oldest) in store.queues().await? {
        if let Some(oldest) = oldest {
            let age = (Utc::now() - oldest).num_seconds().max(0);
            findings.fine(AREA, format!("{depth} {queue} wait, the oldest for {age} s"));
        }
    }
    Ok(())
}

/// Deliveries that did not arrive, and the last time in which nobody looked for them.
async fn missed(store: &Store, findings: &mut Findings) -> Result<(), crate::store::StoreError> {
    const AREA: &str = "missed";
    const SHOWN: usize = 10;
    let count = store.missed_count().await?;
    if count.waiting > 0 {
        findings.fine(
            AREA,
            format!("deliveries that did not arrive and are asked for: {}", count.waiting),
        );
    }
    for missed in store.missed_in_vain().await?.iter().take(SHOWN) {
        let Missed {
            delivery,
            event,
            first_at,
            asked,
            lost,
            ..
        } = missed;
        let said = format!("the delivery {delivery} ({event}, {first_at}) did not come, asked for {asked} times");
        match lost {
            true => findings.doubtful(
                AREA,
                format!("{said}; GitHub does not keep it any more"),
                "what it told of open workflows was read from GitHub instead; anything else has to be said again",
            ),
            false => findings.wrong(
                AREA,
                said,
                "look at what GitHub got for an answer (the App's settings, *Advanced*) and at the server's log",
            ),
        }
    }
    if let Some(gap) = store.gap().await?.filter(|gap| Utc::now() - gap.until < RECENT) {
        findings.doubtful(
            AREA,
            format!(
                "from {} until {} nobody looked for deliveries, and GitHub does not keep them any more",
                gap.from, gap.until
            ),
            "open workflows were compared with GitHub instead; what was asked for elsewhere has to be said again",
        );
    }
    Ok(())
}

async fn github(config: &ServerConfig, findings: &mut Findings) {
    const AREA: &str = "github";
    let github = match house::github(config, machine_clock(), Limits::default()) {
        Ok(github) => github,
        Err(problem) => return findings.wrong(AREA, problem, "correct the setting that it names"),
    };
    let app = github.app();
    match app.identity().await {
        Ok(identity) => {
            findings.fine(AREA, format!("{} answers; the App is {}", config.github_api.as_str(), identity.slug));
            if let Some(theirs) = identity.answered_at {
                clocks(theirs, Utc::now(), findings);
            }
            app::compare(&identity, findings);
            installations(&app, findings).await;
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
            format!("{} does not answer: {error}", config.github_api.as_str()),
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
                findings.fine(AREA, format!("the last delivery arrived {} UTC", last.delivered_at))
            }
            Some(last) => findings.wrong(
                AREA,
                format!(
                    "the last delivery was answered {} ({} UTC)",
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
    let mailer = match house::mailer(&config.mail_url, config.mail_from.clone()) {
        Ok(mailer) => mailer,
        Err(problem) => return findings.wrong(AREA, problem, "correct the setting that it names"),
    };
    match mailer.probe().await {
        Ok(said) => findings.fine(AREA, said),
        Err(failure) => findings.wrong(
            AREA,
            failure,
            "correct COUNTERSIGN_MAIL_URL, or let this machine reach the server",
        ),
    }
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
