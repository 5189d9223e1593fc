//! Deliveries: what GitHub tells, routed to whoever acts on it.

use super::authority::{Speech, person};
use super::change::{Payload, Sign, Spot};
use super::commands::{Ends, From, Spoken};
use super::definitions::is_definition_path;
use super::settings::{CONFIG_PATH, Settings};
use super::{Engine, FIRST_REST, MOST_ATTEMPTS, Trouble, limits, rest};
use crate::chat::reader::read;
use crate::chat::request::Request;
use crate::chat::say::replies as say;
use crate::chat::verbs::{self, Dialect, Reading, interpret};
use crate::github::{
    Account, AccountKind, Comment, CommentKind, Event, EventKind, InstallationChange, Issue, Parsed, Push, Repo,
    RepositoryChange, RepositoryRef, Topic, parse,
};
use crate::inbox::triage::{subject_of, triage};
use crate::store::deliveries::{Accepted, LeasedDelivery};
use crate::store::effects::park_installation;
use crate::store::repositories::{Repository, forget_config_check};
use crate::store::workflows::{Scope, Stored};
use crate::store::{StoreError, Write};
use crate::traces;
use crate::workflow::command::{Command, Report, Verdict};
use crate::workflow::decide::{Facts, decide};
use crate::workflow::ids::{CommentId, DeliveryId, RepositoryId};
use crate::workflow::state::{SubjectKind, Surface};

/// A delivery was not stored; GitHub must be told.
pub type NotStored = StoreError;

/// What a delivery tells about a repository by somebody, with what is needed to act on it.
pub(super) struct Told<'a> {
    pub(super) delivery: &'a LeasedDelivery,
    pub(super) spot: Spot,
    pub(super) repo: Repo,
    pub(super) known: Repository,
    /// The defaults where the configuration could not be had: nothing is decided under them.
    pub(super) settings: Settings,
    /// Why it could not be had.
    pub(super) unsettled: Option<Trouble>,
    pub(super) dialect: Dialect,
    pub(super) sender: Account,
}

/// What a comment is by its meaning, however often and by whichever hook it is told.
pub(super) fn key_of(spot: Spot, comment: &Comment) -> String {
    key_of_comment(spot.repository, comment.kind, comment.id)
}

/// The same for a comment that was listed.
pub(super) fn key_of_comment(repository: RepositoryId, kind: CommentKind, id: CommentId) -> String {
    format!("comment:{repository}:{kind:?}:{id}")
}

/// Where the database looks for a comment that a delivery tells of.
pub(super) fn place_of(comment: &Comment) -> (SubjectKind, CommentId) {
    (comment.subject.kind.into(), comment.id)
}

impl Engine {
    /// Stores a delivery, one commit, and wakes the engine when it has something to do.
    ///
    /// # Errors
    /// Whatever the store says: the delivery was not taken.
    pub async fn accept(&self, id: DeliveryId, event: &str, body: Vec<u8>) -> Result<Accepted, NotStored> {
        let mut delivery = triage(id, event, body);
        delivery.trace = traces::here();
        let settled = delivery.settled.is_some();
        let accepted = self.store().accept(delivery, self.now()).await?;
        if !settled || accepted == Accepted::Revived {
            self.wake();
        }
        Ok(accepted)
    }

    pub(super) async fn handle_delivery(&self, delivery: LeasedDelivery) {
        use tracing::Instrument;
        let span = tracing::info_span!(
            "delivery",
            delivery = %delivery.id,
            event = %delivery.event,
            attempt = delivery.attempt,
            installation = tracing::field::Empty,
            repository = tracing::field::Empty,
            subject = tracing::field::Empty
        );
        traces::follow(&span, delivery.trace.as_ref());
        async {
            let result = match self.route(&delivery).await {
                Ok(()) => Ok(()),
                Err(trouble) => {
                    traces::failed();
                    self.meet_delivery(&delivery, trouble).await
                }
            };
            match result {
                Ok(()) | Err(StoreError::Missed { .. }) => {}
                Err(error) => tracing::error!(%error, "a delivery's end could not be kept; it is taken up again"),
            }
        }
        .instrument(span)
        .await;
    }

    async fn meet_delivery(&self, delivery: &LeasedDelivery, trouble: Trouble) -> Result<(), StoreError> {
        let end = match trouble {
            Trouble::Later { at, why, .. } if delivery.attempt < MOST_ATTEMPTS => {
                let at = at.max(self.now() + rest(delivery.attempt));
                tracing::info!(%why, until = %at, "a delivery is put off");
                delivery.put_off(at, &why)
            }
            Trouble::Later { why, .. } => delivery.dead(&why),
            Trouble::Limited { until, why } => {
                tracing::warn!(%why, %until, "GitHub limits our rate; a delivery waits");
                let mut parked = Write::of(delivery.parked(until, &why));
                if let Some(installation) = delivery.installation {
                    parked.push(park_installation(installation, until));
                }
                return self.store().write(parked).await.map(drop);
            }
            Trouble::Parked { until, why, beside } => {
                let mut parked = Write::of(delivery.parked(until, &why));
                parked.append(beside);
                return self.store().write(parked).await.map(drop);
            }
            Trouble::Never(why) => delivery.failed(&why),
            Trouble::Lacks(permission) => delivery.failed(&format!("the App lacks a permission: {permission}")),
            Trouble::Gone(why) => delivery.done(&format!("not reachable: {why}")),
            Trouble::Store(error) => delivery.put_off(self.now() + FIRST_REST, &error.to_string()),
        };
        self.store().write(Write::of(end)).await.map(drop)
    }

    pub(super) async fn nothing_to_do(&self, delivery: &LeasedDelivery, why: &str) -> Result<(), Trouble> {
        self.store().write(Write::of(delivery.done(why))).await?;
        Ok(())
    }

    async fn route(&self, delivery: &LeasedDelivery) -> Result<(), Trouble> {
        let event = match parse(&delivery.event, &delivery.body) {
            Parsed::Event(event) => *event,
            Parsed::Ignored(why) => return self.nothing_to_do(delivery, why).await,
            Parsed::Broken(why) => return Err(Trouble::Never(format!("it could not be read: {why}"))),
        };
        if let EventKind::Installation(change) = &event.kind {
            return self.installation_changed(delivery, &event, change).await;
        }
        let (Some(repository), Some(installation)) = (&event.repository, event.installation) else {
            return self
                .nothing_to_do(delivery, "it names no repository of an installation")
                .await;
        };
        let spot = Spot {
            installation,
            repository: repository.id,
        };
        let span = tracing::Span::current();
        span.record("installation", installation.0);
        span.record("repository", tracing::field::display(repository.full_name()));
        if let Some(subject) = subject_of(&event.kind) {
            span.record("subject", subject.0);
        }
        let known = self.note_repository(&event, spot).await?;
        match &event.kind {
            EventKind::SubjectClosed { subject } => {
                let by = event.sender.as_ref().map(person);
                self.report_on(delivery, spot, subject, Report::SubjectClosed { by })
                    .await
            }
            EventKind::SubjectDeleted { subject } => {
                let why = format!("its {} was deleted", say::topic(subject.kind.into()));
                self.report_on(delivery, spot, subject, Report::SubjectGone { why })
                    .await
            }
            EventKind::SubjectTransferred { subject, .. } => {
                let why = format!(
                    "its {} was transferred to another repository",
                    say::topic(subject.kind.into())
                );
                self.report_on(delivery, spot, subject, Report::SubjectGone { why })
                    .await
            }
            EventKind::RepositoryChanged(RepositoryChange::Deleted) => {
                let why = "its repository was deleted";
                self.all_gone(delivery, Scope::Repository(spot.repository), why).await
            }
            EventKind::CommentDeleted { comment } => self.comment_deleted(delivery, spot, comment).await,
            EventKind::Push(push) => self.pushed(delivery, spot, &known, push).await,
            EventKind::Comment(_) | EventKind::CommentEdited { .. } | EventKind::Labeled { .. } => {
                self.spoken(delivery, spot, known, &event).await
            }
            EventKind::PullOpened { subject } => {
                self.look_at_proposal(spot, &known, subject.number).await?;
                self.nothing_to_do(delivery, "looked at what it proposes").await
            }
            EventKind::PullSynchronize { subject, .. } => {
                self.look_at_proposal(spot, &known, subject.number).await?;
                self.look_at_checks(delivery, spot.repository).await
            }
            EventKind::ChecksChanged => self.look_at_checks(delivery, spot.repository).await,
            EventKind::Unlabeled { .. }
            | EventKind::SubjectReopened { .. }
            | EventKind::SubjectEdited { .. }
            | EventKind::SubjectLocked { .. }
            | EventKind::SubjectUnlocked { .. }
            | EventKind::RepositoryChanged(_)
            | EventKind::Installation(_)
            | EventKind::Ping => self.nothing_to_do(delivery, "nothing to do").await,
        }
    }

    /// Keeps up with where a repository is now.
    async fn note_repository(&self, event: &Event, spot: Spot) -> Result<Repository, Trouble> {
        let Some(told) = &event.repository else {
            return Err(Trouble::Never("no repository".to_owned()));
        };
        let known = self.store().repository(spot.repository).await?;
        if let Some(known) = known
            && known.installation == spot.installation
            && known.owner == told.owner
            && known.name == told.name
        {
            return Ok(known);
        }
        self.store()
            .note_repository(spot.repository, spot.installation, &told.owner, &told.name)
            .await?;
        let known = self.store().repository(spot.repository).await?;
        known.ok_or_else(|| Trouble::Never("the repository could not be noted".to_owned()))
    }

    async fn spoken(
        &self,
        delivery: &LeasedDelivery,
        spot: Spot,
        known: Repository,
        event: &Event,
    ) -> Result<(), Trouble> {
        let Some(sender) = event.sender.clone() else {
            return self.nothing_to_do(delivery, "nobody sent it").await;
        };
        let bot = self.bot(spot.installation).await?;
        if sender.id == bot.id {
            return self.nothing_to_do(delivery, "the bot did it").await;
        }
        let name = bot.name.clone();
        if let EventKind::Comment(comment) = &event.kind
            && read(&comment.body, &name).is_empty()
        {
            let by_person = sender.kind == AccountKind::User;
            let quoted = match by_person {
                true => self.answered_by_quote(spot.repository, comment).await?,
                false => None,
            };
            if quoted.is_none() {
                return self.nothing_to_do(delivery, "nobody was addressed").await;
            }
        }
        let repo = self.repo_of(&known)?;
        let (settings, unsettled) = match self.settings(&repo, &known).await {
            Ok(settings) => (settings, None),
            Err(trouble) => (Settings::default(), Some(trouble)),
        };
        let dialect = self.dialect(&name, &settings);
        let told = Told {
            delivery,
            spot,
            repo,
            known,
            settings,
            unsettled,
            dialect,
            sender,
        };
        match &event.kind {
            EventKind::Comment(comment) => self.hear_comment(told, comment).await,
            EventKind::CommentEdited { comment, before } => self.hear_card_edit(told, comment, before.as_deref()).await,
            EventKind::Labeled { subject, label, at } => self.hear_label(told, subject, label, *at).await,
            _ => self.nothing_to_do(delivery, "nothing to do").await,
        }
    }

    async fn hear_comment(&self, told: Told<'_>, comment: &Comment) -> Result<(), Trouble> {
        let addressed = read(&comment.body, &told.dialect.bot);
        if addressed.is_empty() {
            return self.hear_quote(told, comment).await;
        }
        let mut readings: Vec<(usize, Reading)> = addressed
            .iter()
            .map(|addressed| (addressed.index, interpret(addressed, &told.dialect)))
            .filter(|(_, reading)| *reading != Reading::Ignore)
            .collect();
        if !readings.is_empty() && self.is_over_limit(&told.sender).await? {
            let by_author = comment.subject.author.id == told.sender.id;
            readings.retain(|(_, reading)| by_author && reading.verb().is_some_and(limits::is_brake));
            if readings.is_empty() {
                return self.tell_of_limit(told, comment).await;
            }
        }
        let Some((last_index, last)) = readings.pop() else {
            // The repository may have words of its own for verbs.
            return match told.unsettled {
                Some(trouble) => Err(trouble),
                None => self.nothing_to_do(told.delivery, "another bot was addressed").await,
            };
        };
        let key = key_of(told.spot, comment);
        let (mut spoken, unsettled) = self.spoken_in(told, comment, &key).await?;
        let by_author = spoken.speech.by.id == comment.subject.author.id;
        let is_brake = |reading: &Reading| reading.verb().is_none_or(limits::is_brake);
        let stops = by_author && is_brake(&last) && readings.iter().all(|(_, reading)| is_brake(reading));
        // Whoever opened the subject can stop it whatever the configuration may say.
        let unsettled = unsettled.filter(|trouble| !stops || !matches!(trouble, Trouble::Never(_)));
        if let Some(trouble) = unsettled {
            let last = (last_index, last);
            let mut all = readings.iter().chain([&last]);
            let Some((index, verb)) = all.find_map(|(index, reading)| Some((index, reading.verb()?))) else {
                return Err(trouble);
            };
            // What is said of it now is not said again where the command itself cannot be checked later.
            spoken.key = format!("{key}:{index}");
            return self.unsettled(&spoken, verb, trouble).await;
        }
        self.tell_of_broken_configuration(&spoken).await?;
        let ends = std::iter::repeat_n(Ends::Nothing, readings.len()).chain([Ends::Delivery]);
        for ((index, reading), ends) in readings.into_iter().chain([(last_index, last)]).zip(ends) {
            spoken.key = format!("{key}:{index}");
            let result = match &reading {
                Reading::Command(command) => self.settle(&spoken, command.verb, &command.request, ends).await,
                Reading::Answer(problem) => self.answer_problem(&spoken, problem.answer(), ends).await,
                Reading::Ignore => Ok(()),
            };
            result?;
        }
        Ok(())
    }

    /// An answer by quote: one question is answered, several are asked about.
    async fn hear_quote(&self, told: Told<'_>, comment: &Comment) -> Result<(), Trouble> {
        let quoted = self.answered_by_quote(told.spot.repository, comment).await?;
        let Some((numbers, text)) = quoted else {
            return self.nothing_to_do(told.delivery, "nobody is asked any more").await;
        };
        let key = key_of(told.spot, comment);
        let (mut spoken, unsettled) = self.spoken_in(told, comment, &key).await?;
        let verb = verbs::by_name("answer").expect("the bot has this verb; a test of the verbs reads it");
        spoken.key = format!("{key}:quote");
        if let Some(trouble) = unsettled {
            return self.unsettled(&spoken, verb, trouble).await;
        }
        match numbers.as_slice() {
            [question] => {
                let request = Request::Answer {
                    question: *question,
                    text,
                };
                self.settle(&spoken, verb, &request, Ends::Delivery).await
            }
            several => {
                self.answer_problem(&spoken, say::quoted_several(several), Ends::Delivery)
                    .await
            }
        }
    }

    /// A comment as something said, once it was marked as seen; and why the repository's settings are not known.
    pub(super) async fn spoken_in<'a>(
        &self,
        told: Told<'a>,
        comment: &'a Comment,
        key: &str,
    ) -> Result<(Spoken<'a>, Option<Trouble>), Trouble> {
        let number = comment.subject.number;
        let seen = Payload::React {
            comment: comment.id,
            kind: comment.kind,
            node_id: comment.node_id.clone(),
            sign: Sign::Seen,
        };
        self.store()
            .write(Write::of(self.answer(
                told.spot,
                number,
                &format!("seen:{key}"),
                &seen,
            )?))
            .await?;
        let spoken = Spoken {
            delivery: told.delivery,
            spot: told.spot,
            key: String::new(),
            speech: Speech {
                by: told.sender.clone(),
                surface: Surface::Comment {
                    id: comment.id,
                    url: comment.html_url.clone(),
                },
                said_at: comment.created_at,
            },
            from: From::Comment(comment.at()),
            repo: told.repo,
            known: told.known,
            settings: told.settings,
            dialect: told.dialect,
            subject: &comment.subject,
        };
        Ok((spoken, told.unsettled))
    }

    /// Says once, on the subject where somebody speaks, that the newest configuration cannot be used.
    pub(super) async fn tell_of_broken_configuration(&self, spoken: &Spoken<'_>) -> Result<(), Trouble> {
        let settings = &spoken.settings;
        let configuration = settings
            .broken
            .iter()
            .map(|broken| (CONFIG_PATH, broken, say::configuration_is_broken(CONFIG_PATH, broken)));
        let definitions = settings.definitions.iter().filter_map(|file| {
            let broken = file.error.as_ref()?;
            let said = say::definition_is_broken(&file.path, broken, file.good.is_some());
            Some((file.path.as_str(), broken, said))
        });
        let above = settings.owner.as_ref().and_then(|owner| {
            let broken = owner.broken.as_ref()?;
            let path = format!("{}/{CONFIG_PATH}", owner.name);
            Some((path, broken))
        });
        let above = above.as_ref().map(|(path, broken)| {
            let said = say::configuration_is_broken(path, broken);
            (path.as_str(), *broken, said)
        });
        let mut write = Write::new();
        let Topic { kind: on, number } = spoken.subject.topic();
        for (path, broken, body) in configuration.chain(above).chain(definitions) {
            let what = match path {
                CONFIG_PATH => broken.clone(),
                path => format!("{path}\n{broken}"),
            };
            let digest = crate::workflow::ids::Digest::of_bytes(what.as_bytes()).short();
            let reply = Payload::Reply {
                number,
                on,
                to: None,
                to_line: None,
                body,
            };
            let id = format!("config:{}:{number}:{digest}", spoken.spot.repository);
            write.push(self.answer(spoken.spot, number, &id, &reply)?);
        }
        if !write.0.is_empty() {
            self.store().write(write).await?;
        }
        Ok(())
    }

    async fn report_on(
        &self,
        delivery: &LeasedDelivery,
        spot: Spot,
        subject: &Issue,
        report: Report,
    ) -> Result<(), Trouble> {
        match self.store().open_workflow(spot.repository, subject.number).await? {
            None => self.nothing_to_do(delivery, "no workflow is open there").await,
            Some(stored) => {
                self.tell(delivery.id.as_str(), stored, &report).await?;
                self.nothing_to_do(delivery, "told the workflow").await
            }
        }
    }

    /// Lets a workflow hear a report; `cause` is what the history names for it.
    pub(super) async fn tell(&self, cause: &str, stored: Stored, report: &Report) -> Result<(), Trouble> {
        self.tell_with(cause, stored, report, &Write::new()).await
    }

    /// The same with what is kept in the same transaction, if the report has an effect.
    pub(super) async fn tell_with(
        &self,
        cause: &str,
        mut stored: Stored,
        report: &Report,
        with: &Write,
    ) -> Result<(), Trouble> {
        for _ in 0..super::TRIES {
            let command = Command::System(report.clone());
            let Verdict::Events(events) = decide(Some(&stored.state), &command, Facts::default(), self.now()) else {
                return Ok(());
            };
            let (mut write, _) = self.advance(Ok(&stored), &events, cause)?;
            write.append(with.clone());
            match self.store().write(write).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Missed { .. } | StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            match self.store().workflow(&stored.state.id).await? {
                Some(again) => stored = again,
                None => return Ok(()),
            }
        }
        Err(Trouble::Store(StoreError::Unavailable(
            "the workflow kept changing".to_owned(),
        )))
    }

    async fn all_gone(&self, delivery: &LeasedDelivery, scope: Scope, why: &str) -> Result<(), Trouble> {
        for stored in self.store().open_workflows(scope).await? {
            let report = Report::SubjectGone { why: why.to_owned() };
            self.tell(delivery.id.as_str(), stored, &report).await?;
        }
        self.nothing_to_do(delivery, "told the workflows").await
    }

    async fn installation_changed(
        &self,
        delivery: &LeasedDelivery,
        event: &Event,
        change: &InstallationChange,
    ) -> Result<(), Trouble> {
        let Some(installation) = event.installation else {
            return self.nothing_to_do(delivery, "it names no installation").await;
        };
        match change {
            InstallationChange::Deleted => {
                self.all_gone(delivery, Scope::Installation(installation), "the App was uninstalled")
                    .await
            }
            InstallationChange::RepositoriesRemoved(repositories) => {
                for repository in repositories {
                    let open = self.store().open_workflows(Scope::Repository(repository.id)).await?;
                    if open.is_empty() || self.still_covered(repository).await? {
                        continue;
                    }
                    for stored in open {
                        let why = "the App was taken off the repository".to_owned();
                        let report = Report::SubjectGone { why };
                        self.tell(delivery.id.as_str(), stored, &report).await?;
                    }
                }
                self.nothing_to_do(delivery, "told the workflows").await
            }
            _ => self.nothing_to_do(delivery, "nothing to do").await,
        }
    }

    /// Whether an installation of the App covers a repository that another one lost: its new owner may have one.
    async fn still_covered(&self, repository: &RepositoryRef) -> Result<bool, Trouble> {
        let known = self.store().repository(repository.id).await?;
        let (owner, name) = match &known {
            Some(known) => (known.owner.as_str(), known.name.as_str()),
            None => (repository.owner.as_str(), repository.name.as_str()),
        };
        let covering = self.github()?.app().installation_of(owner, name).await;
        let covering = covering.map_err(|error| self.trouble(&error, 1))?;
        if let (Some(covering), Some(known)) = (&covering, &known)
            && covering.id != known.installation
        {
            self.store().note_repository(known.id, covering.id, owner, name).await?;
        }
        Ok(covering.is_some())
    }

    /// A comment of the bot that was deleted is posted anew, where it still matters.
    async fn comment_deleted(&self, delivery: &LeasedDelivery, spot: Spot, comment: &Comment) -> Result<(), Trouble> {
        let Some((stored, lost)) = self.lost_comment(spot.repository, place_of(comment)).await? else {
            return self
                .nothing_to_do(delivery, "no comment that is needed was deleted")
                .await;
        };
        let mut write = Write::of(delivery.done("it is posted anew"));
        write.append(self.repost(&stored, &lost)?);
        self.store().write(write).await?;
        Ok(())
    }

    /// A push that touches the configuration has it read at once; where it first appears the labels are made.
    async fn pushed(
        &self,
        delivery: &LeasedDelivery,
        spot: Spot,
        known: &Repository,
        push: &Push,
    ) -> Result<(), Trouble> {
        let touches = push.touches(CONFIG_PATH) || push.touched.iter().any(|path| is_definition_path(path));
        if !push.default_branch || !touches {
            return self
                .nothing_to_do(delivery, "it does not touch the configuration")
                .await;
        }
        self.store().write(Write::of(forget_config_check(known.id))).await?;
        let known = Repository {
            config_checked: None,
            ..known.clone()
        };
        let broken = match self.settings(&self.repo_of(&known)?, &known).await {
            Ok(settings) => settings.broken.is_some(),
            Err(Trouble::Never(_)) => true,
            Err(trouble) => return Err(trouble),
        };
        let mut write = Write::of(delivery.done("the configuration was read"));
        if !broken {
            write.append(self.own_labels(spot, &known)?);
        }
        self.store().write(write).await?;
        Ok(())
    }
}
