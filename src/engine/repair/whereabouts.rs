//! Where a workflow's subject is now: repositories are renamed, change hands and are deleted, the App is taken off and
//! comes back, and issues move.

use crate::chat::say::replies as say;
use crate::engine::effects::Work;
use crate::engine::{Engine, Trouble, topic_of};
use crate::github::{GithubError, Issue, Place, Repo, RepositoryRef};
use crate::store::repositories::Repository;
use crate::store::workflows::Stored;
use crate::workflow::ids::InstallationId;

/// So many looks in a row must find nothing before it is taken for gone: GitHub's 404 may pass.
const LOOKS: u32 = 3;

/// How long between them.
const BETWEEN_LOOKS: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// Where it is.
pub(super) enum Whereabouts {
    /// There.
    Here(Box<Here>),
    /// Nowhere: the sentence is for the record.
    Gone(String),
}

/// A subject, and how it is reached.
pub(super) struct Here {
    pub(super) repository: RepositoryRef,
    pub(super) installation: InstallationId,
    pub(super) repo: Repo,
    pub(super) subject: Issue,
}

impl Here {
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            repository: &self.repository,
            installation: self.installation,
        }
    }
}

impl Engine {
    /// Finds a workflow's subject, and notes where its repository is now.
    pub(super) async fn whereabouts(
        &self,
        work: &Work<'_>,
        known: &Repository,
        stored: &Stored,
    ) -> Result<Whereabouts, Trouble> {
        let Some((repository, installation)) = self.find_repository(work, known).await? else {
            let why = "the App does not reach its repository any more";
            return self.gone(work, why);
        };
        if (&repository.owner, &repository.name, installation) != (&known.owner, &known.name, known.installation) {
            tracing::info!(repository = %repository.full_name(), %installation, "the repository is somewhere else now");
            self.store()
                .note_repository(known.id, installation, &repository.owner, &repository.name)
                .await?;
        }
        let repo = self.github()?.installation(installation).repository(&repository);
        let topic = topic_of(&stored.state)?;
        let what = say::topic(stored.state.subject.kind);
        let subject = match repo.thread(topic).subject().await {
            Ok(subject) => subject,
            Err(GithubError::NotFound(_) | GithubError::Gone(_)) => {
                return self.gone(work, &format!("its {what} was deleted"));
            }
            Err(error) => return Err(self.trouble(&error, work.effect.attempt)),
        };
        let elsewhere = |name: &String| !name.eq_ignore_ascii_case(&repository.full_name());
        if subject.repository.as_ref().is_some_and(elsewhere) {
            return self.gone(work, &format!("its {what} was transferred to another repository"));
        }
        Ok(Whereabouts::Here(Box::new(Here {
            repository,
            installation,
            repo,
            subject,
        })))
    }

    /// What is not there is looked for again before that is believed.
    fn gone(&self, work: &Work<'_>, why: &str) -> Result<Whereabouts, Trouble> {
        if work.effect.attempt >= LOOKS {
            return Ok(Whereabouts::Gone(why.to_owned()));
        }
        Err(Trouble::Later {
            at: self.now() + BETWEEN_LOOKS,
            sent: crate::store::effects::Sent::No,
            why: format!("{why}, as it seems: it is looked for again"),
        })
    }

    /// The repository as it is now, and by which installation it is reached.
    async fn find_repository(
        &self,
        work: &Work<'_>,
        known: &Repository,
    ) -> Result<Option<(RepositoryRef, InstallationId)>, Trouble> {
        let trouble = |error: &GithubError| self.trouble(error, work.effect.attempt);
        match work.repo.repository().await {
            Ok(found) if found.reference.id == known.id => {
                let found = found.reference;
                if found.owner.eq_ignore_ascii_case(&known.owner) {
                    return Ok(Some((found, known.installation)));
                }
                let covering = self.github()?.app().installation_of(&found.owner, &found.name).await;
                let covering = covering.map_err(|error| trouble(&error))?;
                return Ok(covering.map(|covering| (found, covering.id)));
            }
            // Another repository has its name now, or it is not reached as it was.
            Ok(_) | Err(GithubError::NotFound(_) | GithubError::Gone(_) | GithubError::NotInstalled(_)) => {}
            Err(error) => return Err(trouble(&error)),
        }
        let covering = self.github()?.app().installation_of(&known.owner, &known.name).await;
        let covering = covering.map_err(|error| trouble(&error))?.map(|covering| covering.id);
        let mut installations = vec![known.installation];
        installations.extend(covering.filter(|covering| *covering != known.installation));
        for installation in installations {
            match self.github()?.installation(installation).repositories().await {
                Ok(all) => {
                    if let Some(found) = all.into_iter().find(|found| found.id == known.id) {
                        return Ok(Some((found, installation)));
                    }
                }
                Err(GithubError::NotFound(_) | GithubError::Gone(_) | GithubError::NotInstalled(_)) => {}
                Err(error) => return Err(trouble(&error)),
            }
        }
        Ok(None)
    }
}
