//! What is known of repositories, and what the operator's shell asks of the running server.

use super::deliveries::{micros, moment};
use super::{Row, Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::ids::{InstallationId, RepositoryId};
use crate::workflow::state::Timestamp;

/// A repository as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// The installation that reaches it.
    pub installation: InstallationId,
    /// Its owner's login.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// The last good configuration, as it was written.
    pub config: Option<String>,
    /// When the configuration was last read; `None` to read it anew.
    pub config_checked: Option<Timestamp>,
    /// What is wrong with the newest configuration.
    pub config_error: Option<String>,
    /// Whether the bot's labels were made.
    pub labels_made: bool,
}

/// What the operator's shell asks of the running server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum OperatorCommand {
    /// Handle a delivery once more.
    RetryDelivery {
        /// Its id.
        id: String,
    },
    /// Do a write to the outside once more that was given up.
    RetryEffect {
        /// Its id.
        id: String,
    },
    /// Go on from a moment of a workflow's history in a new one.
    Fork {
        /// The workflow.
        workflow: String,
        /// The last event that is copied.
        after: u32,
        /// The new workflow's id.
        into: String,
    },
    /// Take an answer in an agent's place, as the operator's.
    Respond {
        /// The workflow.
        workflow: String,
        /// The phase that it is for.
        phase: String,
        /// The phase's iteration.
        iteration: u32,
        /// The attempt.
        attempt: u32,
        /// The answer.
        text: String,
        /// The id that the record keeps of the user of the operating system.
        by: u64,
        /// Their name there.
        login: String,
    },
}

impl Store {
    /// What is known of a repository.
    pub async fn repository(&self, id: RepositoryId) -> Result<Option<Repository>, StoreError> {
        const ONE: &str = "SELECT id, installation_id, owner, name, config, config_checked, config_error, labels_made
            FROM repositories WHERE id = $1";
        let rows = self.read(ONE, values![id]).await?;
        rows.first().map(repository).transpose()
    }

    /// The `.github` repository of an owner, as far as its installation is known to reach one.
    pub async fn owners_repository(
        &self,
        installation: InstallationId,
        owner: &str,
    ) -> Result<Option<Repository>, StoreError> {
        const ONE: &str = "SELECT id, installation_id, owner, name, config, config_checked, config_error, labels_made
            FROM repositories WHERE installation_id = $1 AND lower(name) = '.github' AND lower(owner) = lower($2)
            ORDER BY config_checked DESC, id";
        let rows = self.read(ONE, values![installation, owner]).await?;
        rows.first().map(repository).transpose()
    }

    /// Notes where a repository is now: its installation, owner and name change, its id does not. Its open workflows and
    /// what they have planned go along.
    pub async fn note_repository(
        &self,
        id: RepositoryId,
        installation: InstallationId,
        owner: &str,
        name: &str,
    ) -> Result<(), StoreError> {
        let note = Statement::new(
            "INSERT INTO repositories (id, installation_id, owner, name) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET installation_id = $2, owner = $3, name = $4",
            values![id, installation, owner, name],
        );
        let workflows = Statement::new(
            "UPDATE workflows SET installation_id = $2 WHERE repository_id = $1 AND status = 'open'
            AND installation_id <> $2",
            values![id, installation],
        );
        let effects = Statement::new(
            "UPDATE effects SET installation_id = $2 WHERE repository_id = $1 AND state IN ('ready', 'inflight')
            AND installation_id <> $2",
            values![id, installation],
        );
        self.write(Write::of(note).then(workflows).then(effects))
            .await
            .map(drop)
    }

    /// The newest commands of the operator that nobody has taken up.
    pub async fn operator_commands(&self) -> Result<Vec<(i64, OperatorCommand)>, StoreError> {
        const OPEN: &str = "SELECT seq, command FROM operator_commands WHERE done_at IS NULL ORDER BY seq LIMIT 100";
        let rows = self.read(OPEN, values![]).await?;
        rows.iter()
            .map(|row| Ok((row.int("seq")?, row.json("command")?)))
            .collect()
    }

    /// Leaves a command for the running server.
    pub async fn ask_server(&self, command: &OperatorCommand, now: Timestamp) -> Result<(), StoreError> {
        let command = serde_json::to_string(command)?;
        let insert = Statement::new(
            "INSERT INTO operator_commands (command, at) VALUES ($1, $2)",
            values![command, micros(now)],
        );
        self.write(Write::of(insert)).await.map(drop)
    }

    /// Notes what became of an operator's command.
    pub async fn operator_command_done(&self, seq: i64, result: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(Write::of(command_done(seq, result, now))).await.map(drop)
    }
}

/// The statement that notes what became of an operator's command.
pub fn command_done(seq: i64, result: &str, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE operator_commands SET done_at = $2, result = $3 WHERE seq = $1 AND done_at IS NULL",
        values![seq, micros(now), result],
    )
}

/// The statement that notes a configuration that was read: the last good text, and what is wrong with the newest.
pub fn note_config(id: RepositoryId, good: Option<&str>, error: Option<&str>, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE repositories SET config = $2, config_error = $3, config_checked = $4 WHERE id = $1",
        values![id, good, error, micros(now)],
    )
}

/// The statement that has a configuration read anew.
pub fn forget_config_check(id: RepositoryId) -> Statement {
    Statement::new("UPDATE repositories SET config_checked = 0 WHERE id = $1", values![id])
}

/// The statement that notes that the bot's labels are made, or on their way.
pub fn note_labels(id: RepositoryId) -> Statement {
    Statement::new("UPDATE repositories SET labels_made = 1 WHERE id = $1", values![id])
}

fn repository(row: &Row) -> Result<Repository, StoreError> {
    let checked = row.int("config_checked")?;
    Ok(Repository {
        id: RepositoryId(row.id("id")?),
        installation: InstallationId(row.id("installation_id")?),
        owner: row.text("owner")?.to_owned(),
        name: row.text("name")?.to_owned(),
        config: row.opt_text("config")?.map(str::to_owned),
        config_checked: (checked != 0).then(|| moment(checked)),
        config_error: row.opt_text("config_error")?.map(str::to_owned),
        labels_made: row.flag("labels_made")?,
    })
}
