//! Workflows: the fold, the hash-chained events, the proposals, the links, the gates, the cards and the runs.

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError};
use crate::values;
use crate::workflow::apply::fold;
use crate::workflow::artifact::Proposal;
use crate::workflow::ids::{CommentId, Digest, InstallationId, IssueNumber, RepositoryId, WorkflowId};
use crate::workflow::state::{FoldVersion, State, SubjectKind, Timestamp};

/// A workflow as it is stored, with what a change of it must match.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The fold of its events.
    pub state: State,
    /// The installation that it acts through.
    pub installation: InstallationId,
    /// `owner/name` when it last changed.
    pub repository: String,
    /// The hash of its last event.
    pub(super) chain: String,
}

/// A new workflow's place.
#[derive(Debug, Clone)]
pub struct Place {
    /// The installation that it acts through.
    pub installation: InstallationId,
    /// `owner/name`.
    pub repository: String,
}

/// A workflow as the lists show it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct WorkflowSummary {
    /// Its id.
    pub id: String,
    /// Its definition's name.
    pub definition: String,
    /// `open`, `completed` or `cancelled`.
    pub status: String,
    /// Whether it is held.
    pub held: bool,
    /// What it waits for, in a few words.
    pub waits_for: String,
    /// `owner/name`.
    pub repository: String,
    /// The number of its subject.
    pub subject: u64,
    /// How many events it has.
    pub version: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a comment is to a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentRole {
    /// The card.
    Card,
    /// The comment that calls people to a gate.
    Call,
    /// A page of a proposal that did not fit the card.
    Page,
    /// The comment that holds the questions of a phase.
    Questions,
}

impl CommentRole {
    fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Call => "call",
            Self::Page => "page",
            Self::Questions => "questions",
        }
    }
}

/// The card as the bot last wrote it.
#[derive(Debug, Clone)]
pub struct Card {
    /// The comment.
    pub comment: CommentId,
    /// The comment's GraphQL id.
    pub node_id: String,
    /// Where it can be read.
    pub url: String,
    /// Its whole body.
    pub body: String,
    /// The proposal that it shows.
    pub digest: Option<Digest>,
    /// GitHub's time of the write.
    pub written_at: Timestamp,
    /// Whether it was found changed and is to be restored.
    pub stale: bool,
}

/// The statement that ties a workflow to its subject.
pub(super) fn link_subject(state: &State) -> Statement {
    let kind = match state.subject.kind {
        SubjectKind::Issue | SubjectKind::PullRequest | SubjectKind::Folder => "issue",
        SubjectKind::Discussion => "discussion",
    };
    Statement::new(
        "INSERT INTO links (repository_id, kind, number, role, workflow_id) VALUES ($1, $2, $3, 'subject', $4)
        ON CONFLICT DO NOTHING",
        values![state.subject.repository, kind, state.subject.number, &state.id],
    )
}

/// The statement that ties an issue that was opened to its workflow.
pub fn link_opened(state: &State, number: IssueNumber) -> Statement {
    Statement::new(
        "INSERT INTO links (repository_id, kind, number, role, workflow_id) VALUES ($1, 'issue', $2, 'opened', $3)
        ON CONFLICT DO NOTHING",
        values![state.subject.repository, number, &state.id],
    )
}

/// The statement that ties an issue to the parent of the workflow that is about it: the last child of its counts.
pub fn link_child(parent: &State, number: IssueNumber, child: &WorkflowId) -> Statement {
    Statement::new(
        "INSERT INTO links (repository_id, kind, number, role, workflow_id, detail)
        VALUES ($1, 'issue', $2, 'child', $3, $4)
        ON CONFLICT (repository_id, kind, number, role, workflow_id) DO UPDATE SET detail = $4",
        values![parent.subject.repository, number, &parent.id, child],
    )
}

/// The statement that holds only while a workflow is as it was read.
pub fn as_it_was(stored: &Stored) -> Statement {
    Statement::new(
        "UPDATE workflows SET updated_at = updated_at WHERE id = $1 AND version = $2",
        values![&stored.state.id, stored.state.version],
    )
    .exactly(1)
}

/// How links name the comments of a subject's conversation: ids of different kinds are numbered apart.
fn comment_kind(subject: SubjectKind) -> &'static str {
    match subject {
        SubjectKind::Issue | SubjectKind::PullRequest | SubjectKind::Folder => "comment",
        SubjectKind::Discussion => "discussion_comment",
    }
}

/// A comment of the bot that is tied to a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedComment {
    /// Its id among the comments of its subject's kind.
    pub id: CommentId,
    /// Its GraphQL id; empty where an older version noted it.
    pub node_id: String,
    /// What tells it from others of its role.
    pub detail: String,
}

/// The statement that ties a comment of the bot to its workflow.
pub fn link_comment(state: &State, comment: &LinkedComment, role: CommentRole) -> Statement {
    Statement::new(
        "INSERT INTO links (repository_id, kind, number, role, workflow_id, detail, node_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        values![
            state.subject.repository,
            comment_kind(state.subject.kind),
            comment.id,
            role.as_str(),
            &state.id,
            &comment.detail,
            &comment.node_id,
        ],
    )
}

/// The statement that forgets a comment.
pub fn unlink_comment(state: &State, comment: CommentId) -> Statement {
    Statement::new(
        "DELETE FROM links WHERE workflow_id = $1 AND kind = $2 AND number = $3",
        values![&state.id, comment_kind(state.subject.kind), comment],
    )
}

/// The statement that keeps a proposal, and what is shown beside it, by its digest.
pub fn keep_proposal(
    proposal: &Proposal,
    extra: &serde_json::Value,
    repository: RepositoryId,
    now: Timestamp,
) -> Result<Statement, StoreError> {
    Ok(Statement::new(
        "INSERT INTO artifacts (workflow_id, digest, repository_id, body, extra, at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (workflow_id, digest) DO UPDATE SET extra = $5",
        values![
            &proposal.workflow,
            &proposal.digest(),
            repository,
            serde_json::to_string(proposal)?,
            extra.to_string(),
            micros(now),
        ],
    ))
}

/// The statement that keeps the card as it was written.
pub fn keep_card(workflow: &WorkflowId, card: &Card) -> Statement {
    Statement::new(
        "INSERT INTO cards (workflow_id, comment_id, node_id, url, body, digest, written_at, stale)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
        ON CONFLICT (workflow_id) DO UPDATE SET comment_id = $2, node_id = $3, url = $4, body = $5, digest = $6,
            written_at = $7, stale = 0",
        values![
            workflow,
            card.comment,
            &card.node_id,
            &card.url,
            &card.body,
            card.digest.as_ref().map(Digest::to_string),
            micros(card.written_at),
        ],
    )
}

/// The statement that says that the card must be written again whatever it says now.
pub fn mark_card_stale(workflow: &WorkflowId) -> Statement {
    Statement::new("UPDATE cards SET stale = 1 WHERE workflow_id = $1", values![workflow])
}

/// The statement that forgets a card whose comment is gone.
pub fn forget_card(workflow: &WorkflowId) -> Statement {
    Statement::new("DELETE FROM cards WHERE workflow_id = $1", values![workflow])
}

/// The statement that notes that something was acted on, by its meaning. A second time is a [`StoreError::Conflict`].
pub fn acted_on(key: &str, delivery: &str, outcome: &str, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO meanings (key, delivery_id, outcome, at) VALUES ($1, $2, $3, $4)",
        values![key, delivery, outcome, micros(now)],
    )
}

/// How what a workflow waits for begins when it waits for its children; the query of stuck workflows knows it.
pub const OF_CHILDREN: &str = "the children of ";

/// The same for the checks of a gate, which are nobody.
pub const OF_CHECKS: &str = "the checks of ";

/// The same for an approver that is a model.
pub const OF_APPROVER: &str = "the approver of ";

const STORED: &str = "SELECT state, installation_id, repository, chain FROM workflows WHERE id = $1";

impl Store {
    /// One workflow.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Option<Stored>, StoreError> {
        let rows = self.read(STORED, values![id]).await?;
        Ok(self.stored(&rows).await?.pop())
    }

    /// The open workflow of a subject.
    pub async fn open_workflow(
        &self,
        repository: RepositoryId,
        subject: IssueNumber,
    ) -> Result<Option<Stored>, StoreError> {
        const OPEN: &str = "SELECT state, installation_id, repository, chain FROM workflows
            WHERE repository_id = $1 AND subject = $2 AND status = 'open'";
        let rows = self.read(OPEN, values![repository, subject]).await?;
        Ok(self.stored(&rows).await?.pop())
    }

    /// Every workflow of a subject, oldest first.
    pub async fn workflows_of(
        &self,
        repository: RepositoryId,
        subject: IssueNumber,
    ) -> Result<Vec<Stored>, StoreError> {
        const ALL: &str = "SELECT state, installation_id, repository, chain FROM workflows
            WHERE repository_id = $1 AND subject = $2 ORDER BY started_at, id";
        let rows = self.read(ALL, values![repository, subject]).await?;
        self.stored(&rows).await
    }

    /// Every open workflow of a repository, or of all of an installation's.
    pub async fn open_workflows(&self, scope: Scope) -> Result<Vec<Stored>, StoreError> {
        const REPOSITORY: &str = "SELECT state, installation_id, repository, chain FROM workflows
            WHERE repository_id = $1 AND status = 'open' ORDER BY started_at, id";
        const INSTALLATION: &str = "SELECT state, installation_id, repository, chain FROM workflows
            WHERE installation_id = $1 AND status = 'open' ORDER BY started_at, id";
        let rows = match scope {
            Scope::Repository(id) => self.read(REPOSITORY, values![id]).await?,
            Scope::Installation(id) => self.read(INSTALLATION, values![id]).await?,
        };
        self.stored(&rows).await
    }

    /// The workflow that a comment of the bot on a subject of this kind belongs to, in that role.
    pub async fn workflow_of_comment(
        &self,
        repository: RepositoryId,
        (subject, comment): (SubjectKind, CommentId),
        role: CommentRole,
    ) -> Result<Option<WorkflowId>, StoreError> {
        const OF: &str = "SELECT workflow_id FROM links
            WHERE repository_id = $1 AND kind = $2 AND number = $3 AND role = $4 ORDER BY workflow_id";
        let kind = comment_kind(subject);
        let rows = self.read(OF, values![repository, kind, comment, role.as_str()]).await?;
        rows.first().map(|row| Ok(row.text("workflow_id")?.into())).transpose()
    }

    /// The comments of a workflow in one role.
    pub async fn comments_of(
        &self,
        workflow: &WorkflowId,
        role: CommentRole,
    ) -> Result<Vec<LinkedComment>, StoreError> {
        const OF: &str =
            "SELECT number, node_id, detail FROM links WHERE workflow_id = $1 AND role = $2 ORDER BY number";
        let rows = self.read(OF, values![workflow, role.as_str()]).await?;
        rows.iter()
            .map(|row| {
                Ok(LinkedComment {
                    id: CommentId(row.id("number")?),
                    node_id: row.text("node_id")?.to_owned(),
                    detail: row.text("detail")?.to_owned(),
                })
            })
            .collect()
    }

    /// A proposal by its digest, and what is shown beside it.
    pub async fn proposal(
        &self,
        workflow: &WorkflowId,
        digest: &Digest,
    ) -> Result<Option<(Proposal, serde_json::Value)>, StoreError> {
        const ONE: &str = "SELECT body, extra FROM artifacts WHERE workflow_id = $1 AND digest = $2";
        let rows = self.read(ONE, values![workflow, digest]).await?;
        rows.first()
            .map(|row| Ok((row.json("body")?, row.json("extra")?)))
            .transpose()
    }

    /// The card of a workflow.
    pub async fn card(&self, workflow: &WorkflowId) -> Result<Option<Card>, StoreError> {
        const ONE: &str =
            "SELECT comment_id, node_id, url, body, digest, written_at, stale FROM cards WHERE workflow_id = $1";
        let rows = self.read(ONE, values![workflow]).await?;
        rows.first()
            .map(|row| {
                Ok(Card {
                    comment: CommentId(row.id("comment_id")?),
                    node_id: row.text("node_id")?.to_owned(),
                    url: row.text("url")?.to_owned(),
                    body: row.text("body")?.to_owned(),
                    digest: row.opt_text("digest")?.map(|_| row.parsed("digest")).transpose()?,
                    written_at: moment(row.int("written_at")?),
                    stale: row.flag("stale")?,
                })
            })
            .transpose()
    }

    /// Whether something was acted on already.
    pub async fn was_acted_on(&self, key: &str) -> Result<bool, StoreError> {
        Ok(!self
            .read("SELECT at FROM meanings WHERE key = $1", values![key])
            .await?
            .is_empty())
    }

    /// Newest first.
    pub async fn list_workflows(&self, open: bool, limit: u32) -> Result<Vec<WorkflowSummary>, StoreError> {
        const ALL: &str = "SELECT id, definition, status, held, waits_for, repository, subject, version, started_at,
            updated_at FROM workflows ORDER BY updated_at DESC, id LIMIT $1";
        const OPEN: &str = "SELECT id, definition, status, held, waits_for, repository, subject, version, started_at,
            updated_at FROM workflows WHERE status = 'open' ORDER BY updated_at DESC, id LIMIT $1";
        let rows = self.read(if open { OPEN } else { ALL }, values![limit]).await?;
        rows.iter().map(workflow_summary).collect()
    }

    /// One workflow as the lists show it.
    pub async fn workflow_summary(&self, id: &WorkflowId) -> Result<Option<WorkflowSummary>, StoreError> {
        const ONE: &str = "SELECT id, definition, status, held, waits_for, repository, subject, version, started_at,
            updated_at FROM workflows WHERE id = $1";
        let rows = self.read(ONE, values![id]).await?;
        rows.first().map(workflow_summary).transpose()
    }
}

impl Store {
    /// Workflows as they stand in rows with their state, installation, repository and chain.
    async fn stored(&self, rows: &[Row]) -> Result<Vec<Stored>, StoreError> {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let mut state: State = row.json("state")?;
            if state.fold != FoldVersion::CURRENT {
                state = self.folded_again(state).await?;
            }
            state.definition = self.definition_of(&state.id).await?;
            all.push(Stored {
                state,
                installation: InstallationId(row.id("installation_id")?),
                repository: row.text("repository")?.to_owned(),
                chain: row.text("chain")?.to_owned(),
            });
        }
        Ok(all)
    }
}

impl Store {
    /// A state that another version of the program wrote, as this one makes it of the same events. The next change keeps
    /// it. Where it was made with events that this program does not know, it stays as it is.
    async fn folded_again(&self, state: State) -> Result<State, StoreError> {
        let records = self.records(&state.id).await?;
        let made_of = records
            .iter()
            .take_while(|record| record.seq.unsigned_abs() <= state.version);
        let events: Result<Vec<_>, StoreError> = made_of.map(|record| Ok((record.read()?, record.at))).collect();
        let folded = events.map(|events| fold(events.iter().map(|(event, at)| (event, *at))));
        match folded {
            Ok(Some(folded)) if folded.version == state.version => return Ok(folded),
            Ok(_) => tracing::warn!(workflow = %state.id, "a state has not as many events as it says"),
            Err(error) => tracing::warn!(workflow = %state.id, %error, "a state has events of another version"),
        }
        Ok(state)
    }
}

/// Which workflows.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// Those of one repository.
    Repository(RepositoryId),
    /// Those of every repository of one installation.
    Installation(InstallationId),
}

fn workflow_summary(row: &Row) -> Result<WorkflowSummary, StoreError> {
    Ok(WorkflowSummary {
        id: row.text("id")?.to_owned(),
        definition: row.text("definition")?.to_owned(),
        status: row.text("status")?.to_owned(),
        held: row.flag("held")?,
        waits_for: row.text("waits_for")?.to_owned(),
        repository: row.text("repository")?.to_owned(),
        subject: row.id("subject")?,
        version: row.int("version")?,
        started_at: moment(row.int("started_at")?),
        updated_at: moment(row.int("updated_at")?),
    })
}
