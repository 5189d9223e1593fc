//! Whether people could ever meet a quorum: GitHub is asked who is in its teams.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::say::replies as say;
use crate::github::{AccountKind, GithubError, Repo};
use crate::workflow::gate::{Candidate, Quorum, Team};
use crate::workflow::ids::UserId;

/// Who is in the teams that were asked for so far.
#[derive(Debug, Default)]
pub struct Rosters(BTreeMap<Team, Option<Roster>>);

/// Who is in a team.
#[derive(Debug, Clone)]
struct Roster {
    people: BTreeSet<UserId>,
    /// Whether there may be more.
    more: bool,
}

impl Rosters {
    /// Why nobody could ever meet a quorum, if that is so: a team that the App does not see, or more approvals than there
    /// are people.
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn refusal(&mut self, repo: &Repo, quorum: &Quorum) -> Result<Option<String>, GithubError> {
        let (mut members, mut named, mut more) = (BTreeSet::new(), 0, quorum.of.is_empty());
        for candidate in &quorum.of {
            let Candidate::Team(team) = candidate else {
                named += 1;
                continue;
            };
            let Some(roster) = self.roster(repo, team).await? else {
                return Ok(Some(say::no_such_team(team)));
            };
            more |= roster.more;
            members.extend(roster.people.iter().copied());
        }
        let most = members.len() + named;
        let too_great = !more && most < quorum.quorum as usize;
        Ok(too_great.then(|| say::quorum_too_great(quorum, most)))
    }

    async fn roster(&mut self, repo: &Repo, team: &Team) -> Result<Option<&Roster>, GithubError> {
        if !self.0.contains_key(team) {
            let members = repo.team_members(team).await?;
            let roster = members.map(|members| Roster {
                more: members.more,
                people: members
                    .known
                    .into_iter()
                    .filter(|one| one.kind == AccountKind::User)
                    .map(|one| one.id)
                    .collect(),
            });
            self.0.insert(team.clone(), roster);
        }
        Ok(self.0[team].as_ref())
    }
}
