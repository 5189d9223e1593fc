//! The labels that mirror on a subject where its workflow stands. What should be there follows from the state; what is there
//! is read each time, and only the difference is written, so that people's labels stay and repeating it is harmless.

use super::change::Payload;
use super::effects::{Ended, Work};
use super::{Engine, Trouble, topic_of};
use crate::chat::say::replies as say;
use crate::github::{GithubError, Issue, Label, Thread};
use crate::store::workflows::Stored;
use crate::store::{StoreError, Write};
use crate::workflow::command::Report;
use crate::workflow::definition::Definition;
use crate::workflow::labels::Difference;
use crate::workflow::repair::Repair;

/// The colour of labels that mirror something: paler than that of those by which people speak.
const COLOR: &str = "c5def5";

/// One write to GitHub.
enum Change<'a> {
    /// The repository lacks the label.
    Make(&'a str),
    PutOn(Vec<&'a str>),
    TakeOff(&'a str),
}

/// Why labels are set, and how much of it is left.
#[derive(Default)]
pub(super) struct Mirroring {
    /// What a comparison with GitHub found wrong. The history tells of it with the first write.
    pub(super) found: Option<Difference>,
    /// How many writes are left of those that were needed first; nothing where that is this time. More are never made,
    /// whatever GitHub shows then.
    pub(super) left: Option<usize>,
}

impl Engine {
    /// Sets the labels of the effect's workflow right, see [`Engine::mirror`].
    pub(super) async fn mirror_own(&self, work: &Work<'_>, mirroring: Mirroring) -> Result<Ended, Trouble> {
        match self.of(work.effect).await? {
            Some(stored) => self.mirror(work, &stored, mirroring).await,
            None => Ok(Ended::Dropped("no workflow")),
        }
    }

    /// Sets a workflow's labels right as it stands now: makes one write, and plans the next, so that each waits for its turn
    /// among the installation's.
    pub(super) async fn mirror(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        mirroring: Mirroring,
    ) -> Result<Ended, Trouble> {
        let thread = work.repo.thread(topic_of(&stored.state)?);
        let read = |error: GithubError| self.trouble(&error, work.effect.attempt);
        let subject = match thread.subject().await {
            Ok(subject) => subject,
            Err(GithubError::NotFound(_) | GithubError::Gone(_)) => return Ok(Ended::Dropped("the subject is gone")),
            Err(error) => return Err(read(error)),
        };
        if is_elsewhere(work, &subject).await.map_err(read)? {
            return Ok(Ended::Dropped("the subject is in another repository"));
        }
        let difference = self.labels_amiss(stored, &subject.labels).await?;
        let changes = changes(work, &difference).await.map_err(read)?;
        let mut extra = Write::new();
        let result = match changes.first() {
            None => "they stand as they should".to_owned(),
            Some(change) => {
                self.change_labels(work, (thread, &stored.state.definition), change)
                    .await?
            }
        };
        let left = mirroring
            .left
            .unwrap_or(changes.len())
            .min(changes.len())
            .saturating_sub(1);
        if left > 0 {
            let id = format!("{}+{left}", work.effect.id);
            extra.push(self.workflow_effect(stored, id, &Payload::Labels { left })?);
        }
        // What was mended by an attempt of which nothing was kept is told, too.
        let mended = !changes.is_empty() || work.effect.doubt;
        let Some(Difference { missing, stray }) = mirroring.found.filter(|_| mended) else {
            return Ok(Ended::Done { result, extra });
        };
        crate::figures::repaired("mirrored label");
        let report = Report::Repaired(Repair::Labels { missing, stray });
        Ok(Ended::Reported { result, report, extra })
    }

    async fn change_labels(
        &self,
        work: &Work<'_>,
        (thread, definition): (Thread<'_>, &Definition),
        change: &Change<'_>,
    ) -> Result<String, Trouble> {
        let written = |error: GithubError| self.failed(&error, work.effect);
        match change {
            // GitHub would make one of its own kind. One that is there stays as people made it.
            Change::Make(name) => {
                let label = Label {
                    name: (*name).to_owned(),
                    color: COLOR.to_owned(),
                    description: say::mirroring_label(definition, name),
                };
                self.make_label(work, &label).await.map(str::to_owned)
            }
            Change::PutOn(names) => {
                thread.put_labels_on(names).await.map_err(written)?;
                Ok(format!("put on: {}", names.join(", ")))
            }
            Change::TakeOff(name) => {
                thread.take_label_off(name).await.map_err(written)?;
                Ok(format!("taken off: {name}"))
            }
        }
    }

    /// How the labels of a workflow's subject differ from what should stand there. Another workflow may have begun on it
    /// once this one had ended.
    async fn labels_amiss(&self, stored: &Stored, present: &[String]) -> Result<Difference, StoreError> {
        let state = &stored.state;
        let later = match state.is_open() {
            true => Vec::new(),
            false => self.later_on_subject(stored).await?,
        };
        let others = later.iter().map(|other| &*other.state.definition);
        Ok(Difference::of(state, present, others))
    }

    async fn later_on_subject(&self, stored: &Stored) -> Result<Vec<Stored>, StoreError> {
        let (id, subject) = (&stored.state.id, &stored.state.subject);
        let mut all = self.store().workflows_of(subject.repository, subject.number).await?;
        let own = all.iter().position(|other| other.state.id == *id);
        Ok(own.map(|own| all.split_off(own + 1)).unwrap_or_default())
    }
}

/// The writes that a difference takes, in their order: a subject is never without a label that it should have for long.
async fn changes<'a>(work: &Work<'_>, difference: &'a Difference) -> Result<Vec<Change<'a>>, GithubError> {
    let mut changes = Vec::new();
    for name in &difference.missing {
        if work.repo.label(name).await?.is_none() {
            changes.push(Change::Make(name));
        }
    }
    if !difference.missing.is_empty() {
        changes.push(Change::PutOn(difference.missing.iter().map(String::as_str).collect()));
    }
    changes.extend(difference.stray.iter().map(|name| Change::TakeOff(name)));
    Ok(changes)
}

/// Whether a subject was moved: GitHub tells of it in its new place then. A repository that has only another name now is the
/// same one.
async fn is_elsewhere(work: &Work<'_>, subject: &Issue) -> Result<bool, GithubError> {
    let Some(name) = &subject.repository else {
        return Ok(false);
    };
    if name.eq_ignore_ascii_case(&work.full_name) {
        return Ok(false);
    }
    let now = work.repo.repository().await?.reference.full_name();
    Ok(!name.eq_ignore_ascii_case(&now))
}
