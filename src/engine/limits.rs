//! How much is answered: commands of one person and answers to strangers, by the hour. Both are counted in the database,
//! in the transaction that keeps the answer, so that a command that is handled twice counts once and all replicas agree.

use super::commands::{Ends, From, Settled, Spoken};
use super::deliveries::{Told, key_of};
use super::{Engine, Trouble};
use crate::chat::say::replies as say;
use crate::chat::verbs::Verb;
use crate::github::{Account, Comment};
use crate::store::Write;
use crate::store::counters::Hourly;
use crate::workflow::right::Right;

/// What somebody always may who opened the issue: to stop.
const BRAKES: [&str; 2] = ["hold", "cancel"];

/// Whether a verb only stops something.
pub(super) fn is_brake(verb: &Verb) -> bool {
    BRAKES.contains(&verb.name)
}

impl Engine {
    fn commands_of(&self, person: &Account) -> Hourly {
        Hourly::at(format!("commands:{}", person.id), self.now())
    }

    /// Whether somebody has had all commands of this hour.
    pub(super) async fn is_over_limit(&self, person: &Account) -> Result<bool, Trouble> {
        let heard = self.store().counted(&self.commands_of(person)).await?;
        Ok(heard >= self.parts().allowance.commands)
    }

    /// Says once in the hour that somebody is not heard any more, and when again; from then on nothing.
    pub(super) async fn tell_of_limit(&self, told: Told<'_>, comment: &Comment) -> Result<(), Trouble> {
        let said = Hourly::at(format!("limit-told:{}", told.sender.id), self.now());
        if self.store().counted(&said).await? > 0 {
            return self
                .nothing_to_do(told.delivery, "over the limit of commands, and told so")
                .await;
        }
        let limit = self.parts().allowance.commands;
        let key = key_of(told.spot, comment);
        let (mut spoken, _) = self.spoken_in(told, comment, &key).await?;
        spoken.key = format!("{key}:limit");
        let settled = Settled::Refused(say::too_many_commands(limit, said.ends()), said.one_more());
        if !self.keep(&spoken, "limit", settled, Ends::Delivery).await? {
            return self.finish(&spoken, Ends::Delivery, "was handled before").await;
        }
        Ok(())
    }

    /// The answers that are given, and what is counted with them. A stranger who asks once too often gets the reaction
    /// alone: `None`.
    pub(super) async fn within_limits(
        &self,
        spoken: &Spoken<'_>,
        what: &str,
        answers: Vec<String>,
    ) -> Result<(Option<Vec<String>>, Write), Trouble> {
        if !matches!(spoken.from, From::Comment { .. }) {
            return Ok((Some(answers), Write::new()));
        }
        let by = &spoken.speech.by;
        let of_author = spoken.subject.author.id == by.id;
        let mut counted = match of_author && BRAKES.contains(&what) {
            true => Write::new(),
            false => self.commands_of(by).one_more(),
        };
        if answers.is_empty() || of_author || !self.is_stranger(spoken).await {
            return Ok((Some(answers), counted));
        }
        let given = Hourly::at(format!("strangers:{}", spoken.spot.repository), self.now());
        if self.store().counted(&given).await? >= self.parts().allowance.stranger_answers {
            return Ok((None, counted));
        }
        counted.append(given.one_more());
        Ok((Some(answers), counted))
    }

    /// Whether somebody has less than triage access: everybody may read a public repository. Whoever cannot be asked
    /// about is none.
    async fn is_stranger(&self, spoken: &Spoken<'_>) -> bool {
        match self.right_of(&spoken.repo, &spoken.speech.by).await {
            Ok(right) => right < Right::Triage,
            Err(_) => false,
        }
    }
}
