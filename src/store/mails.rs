//! Mails as they went out, byte for byte, kept before they are sent: what may have been taken is known even where the
//! process was killed in the middle of it.

use serde::{Deserialize, Serialize};

use super::deliveries::{micros, moment};
use super::effects::LeasedEffect;
use super::restored::NEWEST_RESTORED;
use super::{Row, Statement, Store, StoreError, Write};
use crate::values;
use crate::workflow::ids::{Digest, EffectId, RepositoryId, WorkflowId};
use crate::workflow::state::Timestamp;

/// A mail to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewMail<'a> {
    /// The effect that sends it.
    pub effect: &'a EffectId,
    /// The workflow that it belongs to.
    pub workflow: &'a WorkflowId,
    /// The workflow's repository.
    pub repository: RepositoryId,
    /// Its Message-ID.
    pub message_id: &'a str,
    /// The bytes.
    pub raw: &'a [u8],
}

/// A mail as it went out, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMail {
    /// Its Message-ID.
    pub message_id: String,
    /// SHA-256 of the bytes, as it was noted.
    pub digest: String,
    /// The bytes; in an archive they are a file of their own.
    #[serde(skip)]
    pub raw: Vec<u8>,
    /// When it was written down for the attempt that counts.
    pub at: Timestamp,
}

/// The statement that keeps a mail. An attempt that certainly failed leaves nothing behind that counts: the next one
/// writes over it.
pub fn keep_mail(mail: NewMail<'_>, now: Timestamp) -> Statement {
    let digest = Digest::of_bytes(mail.raw).to_string();
    Statement::new(
        "INSERT INTO mails (effect_id, workflow_id, repository_id, message_id, digest, raw, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (effect_id) DO UPDATE SET message_id = excluded.message_id, digest = excluded.digest,
            raw = excluded.raw, at = excluded.at",
        values![
            mail.effect,
            mail.workflow,
            mail.repository,
            mail.message_id,
            digest,
            mail.raw.to_vec(),
            micros(now),
        ],
    )
}

impl Store {
    /// The mail that an effect sent, or may have sent.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn mail_of_effect(&self, effect: &EffectId) -> Result<Option<KeptMail>, StoreError> {
        const ONE: &str = "SELECT message_id, digest, raw, at FROM mails WHERE effect_id = $1";
        let rows = self.read(ONE, values![effect]).await?;
        rows.first().map(kept).transpose()
    }

    /// Whether an earlier attempt may have handed a mail over: it was kept before that. What was done since a backup was
    /// taken is not in the database that was made of it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn mail_may_have_left(&self, effect: &LeasedEffect) -> Result<bool, StoreError> {
        const KEPT: &str = "SELECT 1 FROM mails WHERE effect_id = $1
            UNION ALL SELECT 1 FROM counters WHERE name = $2 AND value >= $3 LIMIT 1";
        let rows = match effect.doubt {
            true => {
                self.read(KEPT, values![&effect.id, NEWEST_RESTORED, effect.seq])
                    .await?
            }
            false => Vec::new(),
        };
        Ok(!rows.is_empty())
    }

    /// The mails of a workflow, in the order of their writing.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn mails_of(&self, workflow: &WorkflowId) -> Result<Vec<KeptMail>, StoreError> {
        const ALL: &str =
            "SELECT message_id, digest, raw, at FROM mails WHERE workflow_id = $1 ORDER BY at, message_id";
        let rows = self.read(ALL, values![workflow]).await?;
        rows.iter().map(kept).collect()
    }

    /// Keeps a mail that is about to be sent, while the effect that sends it is still ours.
    ///
    /// # Errors
    /// [`StoreError::Missed`] where another process has the effect now.
    pub async fn keep_mail(&self, ours: Statement, mail: NewMail<'_>, now: Timestamp) -> Result<(), StoreError> {
        self.write(Write::of(ours).then(keep_mail(mail, now))).await.map(drop)
    }
}

fn kept(row: &Row) -> Result<KeptMail, StoreError> {
    Ok(KeptMail {
        message_id: row.text("message_id")?.to_owned(),
        digest: row.text("digest")?.to_owned(),
        raw: row.blob("raw")?.to_vec(),
        at: moment(row.int("at")?),
    })
}
