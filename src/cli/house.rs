//! The house put together: database, GitHub, mail, engine and router from one valid configuration.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chrono::TimeDelta;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::config::{AppSettings, ConfigError, MailUrl, Mailbox, Overrides, Pace, PrivateKey, ServerConfig, Sources};
use crate::engine::{Allowance, Clock, Engine, ForkRequest, HandIn, Pacing, Parts, Policy, Site};
use crate::github::{GitHub, Limits, Settings};
use crate::inbox::signature::Secrets;
use crate::inbox::sweep::{Sweep, SweepError, Swept};
use crate::mail::Mailer;
use crate::notify::Notifier;
use crate::providers::http::Client as ModelClient;
use crate::store::repositories::OperatorCommand;
use crate::store::retention::Forgotten;
use crate::store::{Store, StoreError};
use crate::web;
use crate::workflow::ids::UserId;
use crate::workflow::right::Person;

/// How often missed deliveries, and workflows that stand still, are looked for. Which server does it is settled in the
/// database.
const REPAIR_EVERY: Duration = Duration::from_secs(60);

/// How often what is old enough is looked for.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// How many deliveries, and how many workflows, are forgotten before others have their turn.
const FORGOTTEN_AT_ONCE: u32 = 200;

/// How often the operator's commands are looked for.
const OPERATOR_EVERY: Duration = Duration::from_secs(1);

/// A server that is ready to listen.
pub struct House {
    /// The engine.
    pub engine: Engine,
    /// What answers HTTP.
    pub router: Router,
    github: GitHub,
    clock: Clock,
    retention: Option<TimeDelta>,
    owner: String,
    deliveries_kept: TimeDelta,
}

/// The clock of this machine.
pub fn machine_clock() -> Clock {
    Arc::new(chrono::Utc::now)
}

impl House {
    /// Opens the database, takes over what a dead process held where nobody else can, and puts everything together. Nothing is asked of GitHub:
    /// a GitHub that stumbles keeps no server from starting.
    ///
    /// # Errors
    /// Every problem at once, a sentence each.
    pub async fn open(config: &ServerConfig, clock: Clock, figures: PrometheusHandle) -> Result<Self, Vec<String>> {
        Self::open_within(config, clock, figures, Limits::default()).await
    }

    /// [`House::open`] with limits of one's own for each call to GitHub.
    ///
    /// # Errors
    /// Every problem at once, a sentence each.
    pub async fn open_within(
        config: &ServerConfig,
        clock: Clock,
        figures: PrometheusHandle,
        limits: Limits,
    ) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let store = Store::open(&config.database)
            .await
            .map_err(|error| problems.push(error.to_string()));
        let github = github(&config.app, Arc::clone(&clock), limits).map_err(|problem| problems.push(problem));
        let mailer = mailer(&config.mail_url, config.mail_from.clone())
            .map(|mailer| mailer.in_doubt(config.mail_in_doubt))
            .map_err(|problem| problems.push(problem));
        let previous = config.webhook_secret_previous.as_ref().map(|secret| secret.expose());
        let secrets = Secrets::new(config.webhook_secret.expose(), previous)
            .map_err(|weak| problems.extend(weak.iter().map(ToString::to_string)));
        let model_client = ModelClient::new()
            .map_err(|error| problems.push(format!("connections to models cannot be prepared: {error}")));
        let policy = policy(config).map_err(|mistakes| problems.extend(mistakes));
        let notifier = Notifier::new(&config.notifications, &config.app.api.site())
            .map_err(|error| problems.push(format!("connections to receivers cannot be prepared: {error}")));
        let (Ok(store), Ok(github), Ok(mailer), Ok(secrets), Ok(model_client), Ok(policy), Ok(notifier)) =
            (store, github, mailer, secrets, model_client, policy, notifier)
        else {
            return Err(problems);
        };
        let owner = format!("{:016x}", rand::random::<u64>());
        let deliveries_kept = config.app.api.keeps_deliveries();
        let parts = Parts {
            store,
            site: Site::GitHub(github.clone()),
            mailer,
            notifier,
            clock: Arc::clone(&clock),
            pacing: match config.pace {
                Pace::Default => Pacing::AsGithubAsks,
                Pace::Off => Pacing::Off,
            },
            models: Arc::new(config.models.clone()),
            policy: policy.map(Arc::new),
            allowance: Allowance {
                commands: config.commands_per_hour.0,
                stranger_answers: config.stranger_answers_per_hour.0,
            },
            guidelines_bytes: config.guidelines.0,
            model_client,
            deliveries_kept,
            owner: owner.clone(),
        };
        let engine = Engine::new(parts).map_err(|invalid| vec![invalid.to_string()])?;
        engine.take_over().await.map_err(|error| vec![error.to_string()])?;
        let router = web::router(engine.clone(), secrets, figures);
        Ok(Self {
            engine,
            router,
            github,
            clock,
            retention: config.retention,
            owner,
            deliveries_kept,
        })
    }

    /// Works until it is told to stop: the engine, repair, the operator's commands, forgetting.
    pub async fn work(&self, stop: CancellationToken) {
        let engine = self.engine.run(stop.clone());
        let beside = async {
            tokio::join!(
                self.repair(stop.clone()),
                self.forget(stop.clone()),
                self.obey(stop.clone())
            )
        };
        // Each of their steps is whole or not at all, and a later one does what is left: the end waits for none of them.
        let beside = async {
            tokio::select! {
                _ = beside => {}
                () = stop.cancelled() => {}
            }
        };
        tokio::join!(engine, beside);
    }

    /// Looks for what GitHub could not deliver, and asks for it again. `None` when that was done lately, or another server
    /// does it. Where something may be lost for good, every open workflow is compared with GitHub.
    ///
    /// # Errors
    /// [`SweepError`].
    pub async fn sweep_once(&self) -> Result<Option<Swept>, SweepError> {
        let app = self.github.app();
        let sweep = Sweep {
            app: &app,
            store: self.engine.store(),
            owner: &self.owner,
            kept: self.deliveries_kept,
            now: (self.clock)(),
        };
        let swept = sweep.run().await?;
        if let Some(swept) = &swept {
            tell_of(swept);
            if swept.gap.is_some() || swept.lost > 0 {
                self.engine.reconcile_all().await?;
            }
        }
        Ok(swept)
    }

    /// At the start all open workflows are compared with GitHub; then what is missing or stands still is looked for.
    async fn repair(&self, stop: CancellationToken) {
        let mut begun = false;
        while !stop.is_cancelled() {
            if let Err(error) = self.sweep_once().await {
                tracing::warn!(%error, "missed deliveries could not be looked for; trying again");
            }
            if let Err(error) = self.engine.upkeep().await {
                tracing::warn!(%error, "open workflows could not be looked at; trying again");
            }
            if !begun {
                match self.engine.reconcile_all().await {
                    Ok(_) => begun = true,
                    Err(error) => tracing::warn!(%error, "open workflows could not be planned for; trying again"),
                }
            }
            pause(REPAIR_EVERY, &stop).await;
        }
    }

    /// Forgets all that ended longer ago than the settings say; nothing where they do not say.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn forget_once(&self) -> Result<Forgotten, StoreError> {
        let mut all = Forgotten::default();
        let Some(retention) = self.retention else {
            return Ok(all);
        };
        let before = (self.clock)() - retention;
        loop {
            let forgotten = self.engine.store().forget_before(before, FORGOTTEN_AT_ONCE).await?;
            if forgotten.is_nothing() {
                return Ok(all);
            }
            all.deliveries += forgotten.deliveries;
            all.workflows += forgotten.workflows;
        }
    }

    async fn forget(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.forget_once().await {
                Ok(forgotten) if forgotten.is_nothing() => {}
                Ok(Forgotten { deliveries, workflows }) => {
                    tracing::info!(deliveries, workflows, "forgot what is older than the settings keep");
                }
                Err(error) => tracing::warn!(%error, "what is old could not be forgotten; trying again in an hour"),
            }
            pause(FORGET_EVERY, &stop).await;
        }
    }

    async fn obey(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.obey_once().await {
                tracing::warn!(%error, "the operator's commands could not be looked for; trying again");
            }
            pause(OPERATOR_EVERY, &stop).await;
        }
    }

    /// Does what the operator's shell asked for since the last time.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn obey_once(&self) -> Result<(), StoreError> {
        let (store, now) = (self.engine.store(), (self.clock)());
        for (seq, command) in store.operator_commands().await? {
            let result = match command {
                OperatorCommand::RetryDelivery { id } => match store.retry_delivery(&id.as_str().into(), now).await? {
                    true => "taken up again",
                    false => "there is no such delivery that failed",
                },
                OperatorCommand::RetryEffect { id } => match store.retry_effect(&id.as_str().into(), now).await? {
                    true => "taken up again",
                    false => "there is no such effect that failed and is not its workflow's to retry",
                },
                OperatorCommand::Fork { workflow, after, into } => {
                    let asked = ForkRequest {
                        origin: workflow.as_str().into(),
                        after,
                        into: into.as_str().into(),
                        command: seq,
                    };
                    match self.engine.fork(&asked).await? {
                        Ok(()) => tracing::info!(%workflow, after, %into, "forked"),
                        Err(why) => {
                            tracing::warn!(%workflow, after, %why, "a fork was asked for and not made");
                            store.operator_command_done(seq, &why, now).await?;
                        }
                    }
                    self.engine.wake();
                    continue;
                }
                OperatorCommand::Respond {
                    workflow,
                    phase,
                    iteration,
                    attempt,
                    text,
                    by,
                    login,
                } => {
                    let asked = HandIn {
                        workflow: workflow.as_str().into(),
                        phase: phase.as_str().into(),
                        iteration,
                        attempt,
                        text,
                        by: Person { id: UserId(by), login },
                        command: seq,
                    };
                    match self.engine.take_from_operator(&asked).await? {
                        Ok(()) => tracing::info!(%workflow, %phase, "the operator's answer was taken"),
                        Err(why) => {
                            tracing::warn!(%workflow, %phase, %why, "the operator's answer was not taken");
                            store.operator_command_done(seq, &why, now).await?;
                        }
                    }
                    self.engine.wake();
                    continue;
                }
            };
            store.operator_command_done(seq, result, now).await?;
            self.engine.wake();
        }
        Ok(())
    }
}

/// Says in the log what a sweep found.
fn tell_of(swept: &Swept) {
    crate::figures::deliveries_asked(swept.asked);
    if swept.asked > 0 {
        tracing::warn!(
            missing = swept.missing,
            asked = swept.asked,
            "deliveries never came; asked for them"
        );
    }
    if swept.late > 0 {
        tracing::error!(
            late = swept.late,
            "deliveries were asked for again and again and do not come: `countersign doctor` names them"
        );
    }
    if swept.lost > 0 {
        tracing::error!(
            lost = swept.lost,
            "deliveries cannot be had any more: open workflows are compared with GitHub instead"
        );
    }
    if let Some(gap) = swept.gap {
        tracing::error!(
            from = %gap.from,
            until = %gap.until,
            "nobody looked for deliveries while GitHub kept them: open workflows are compared with GitHub instead"
        );
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Where this process looks for its settings: the flags that it was given, its environment, and the file that they name.
/// A private key must sign.
pub(super) fn sources(overrides: &Overrides) -> Sources<'_> {
    Sources {
        overrides,
        environment: &variable,
        check_key: Some(&signs),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn signs(key: &PrivateKey) -> Result<(), String> {
    crate::github::check_private_key(key.expose())
}

/// GitHub, asked as the App.
pub(super) fn github(app: &AppSettings, clock: Clock, limits: Limits) -> Result<GitHub, String> {
    let graphql = app.api.graphql_url();
    let graphql_url = graphql
        .parse()
        .map_err(|error| format!("{graphql} is no URL: {error}"))?;
    let settings = Settings {
        api_url: app.api.url().clone(),
        graphql_url,
        app_id: app.id.0,
        private_key_pem: app.private_key.expose(),
        clock,
    };
    GitHub::with_limits(settings, limits).map_err(|error| error.to_string())
}

pub(super) fn mailer(url: &MailUrl, from: Mailbox) -> Result<Mailer, String> {
    Mailer::new(url, from).map_err(|error| error.to_string())
}

/// The figures of this process. Only the first call of a process counts what the program reports.
pub fn figures() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        crate::figures::describe();
    }
    handle
}

/// What holds in all repositories, as the settings say.
///
/// # Errors
/// Every mistake of its file, a sentence each.
pub(super) fn policy(config: &ServerConfig) -> Result<Option<Policy>, Vec<String>> {
    let Some(file) = &config.policy else { return Ok(None) };
    let read = Policy::read(file.text.clone(), &config.models).map_err(|invalid| vec![invalid.to_string()])?;
    let of_file = |mistake: ConfigError| format!("{}, {mistake}", file.path.display());
    read.map(Some)
        .map_err(|mistakes| mistakes.into_iter().map(of_file).collect())
}
