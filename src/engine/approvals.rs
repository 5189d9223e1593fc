//! What GitHub says of those who approved: asked for each `/approve`, and again right before anything that cannot be
//! taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::authority::Speech;
use super::commands::{Settled, Spoken};
use super::rosters::Rosters;
use super::settings::Settings;
use super::{Engine, Trouble, topic_of};
use crate::agents::touched;
use crate::chat::say::view::GateView;
use crate::chat::say::{approval as words, next, reasons, replies as say};
use crate::config::quorums::{self, Asked};
use crate::github::{Account, AccountKind, Members, Repo};
use crate::workflow::approval::{
    Candidates, Fact, Facts, Kind, Live, Node, Outcome, Owned, Standing, evaluate_gate, prospect,
};
use crate::workflow::definition::{Definition, Gate, PeopleGate};
use crate::workflow::gate::{Candidate, Excluded, Quorum, Team};
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::right::Right;
use crate::workflow::state::{Approval, State, SubjectKind};

/// How many people are looked at to find those whose approval could count.
const LOOKED_AT: usize = 300;

/// What becomes of an answer that GitHub did not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Nothing is decided without it: the error goes on.
    Stops,
    /// It is shown as what could not be checked.
    IsShown,
}

impl Unanswered {
    pub(super) fn fact<T>(self, answer: Result<T, Trouble>) -> Result<Fact<T>, Trouble> {
        match (self, answer) {
            (_, Ok(known)) => Ok(Fact::Known(known)),
            (Self::IsShown, Err(_)) => Ok(Fact::CouldNotCheck(reasons::NO_ANSWER.to_owned())),
            (Self::Stops, Err(trouble)) => Err(trouble),
        }
    }
}

/// Who is in each team that was asked for; nobody where the App sees none of that name.
type Rolls = BTreeMap<Team, Fact<Option<Members>>>;

/// What GitHub says of a gate, without its checks and people.
struct Ground {
    live: Live,
    rosters: Rolls,
}

/// The standing of somebody whom GitHub lists with this right.
fn listed_standing(account: &Account, right: Right, rosters: &Rolls) -> Standing {
    let teams = rosters.iter().map(|(team, members)| {
        let is = match members {
            Fact::CouldNotCheck(why) => Fact::CouldNotCheck(why.clone()),
            Fact::Known(None) => Fact::Known(false),
            Fact::Known(Some(members)) if members.has(account.id) => Fact::Known(true),
            Fact::Known(Some(members)) if members.more => Fact::CouldNotCheck(reasons::NOT_ALL_LISTED.to_owned()),
            Fact::Known(Some(_)) => Fact::Known(false),
        };
        (team.clone(), is)
    });
    Standing {
        kind: Kind::Human,
        login: account.login.clone(),
        right: Fact::Known(right),
        teams: teams.collect(),
    }
}

impl Engine {
    /// What GitHub says now of all that a phase's gate asks about. `speaker` is somebody who is about to
    /// approve, whose right was asked for that just now.
    pub(super) async fn live(
        &self,
        repo: &Repo,
        state: &State,
        (phase, gate): (&PhaseId, &PeopleGate),
        speaker: Option<(&Speech, Right)>,
        unanswered: Unanswered,
    ) -> Result<Live, Trouble> {
        let Ground { mut live, rosters } = self.ground(repo, state, (phase, gate), unanswered).await?;
        if let Some(checks) = state.gate_of(phase).and_then(|gate| gate.checks.as_ref()) {
            live.checks = self.reading(Some(repo), state, (phase, checks), unanswered).await?;
        }
        if let Some((speech, right)) = speaker {
            let asked = (speech.by.clone(), Some(right));
            let standing = self.standing(repo, asked, &rosters, unanswered).await?;
            live.people.insert(speech.by.id, standing);
        }
        let votes: Vec<&Approval> = state.at(phase).votes().collect();
        self.add_voters(repo, &mut live, (&votes, &rosters), unanswered).await?;
        Ok(live)
    }

    /// The same without checks and people.
    async fn ground(
        &self,
        repo: &Repo,
        state: &State,
        (phase, gate): (&PhaseId, &PeopleGate),
        unanswered: Unanswered,
    ) -> Result<Ground, Trouble> {
        let owned = match gate.code_owners {
            true => unanswered.fact(self.owned(repo, state, phase).await)?,
            false => Fact::Known(Vec::new()),
        };
        let mut teams: BTreeSet<Team> = gate.teams();
        if let Fact::Known(owned) = &owned {
            let owners = owned.iter().flat_map(|path| &path.owners);
            teams.extend(owners.filter_map(|owner| match owner {
                Candidate::Team(team) => Some(team.clone()),
                Candidate::Person(_) => None,
            }));
        }
        let mut rosters = BTreeMap::new();
        for team in teams {
            let members = unanswered.fact(self.members(repo, &team).await)?;
            rosters.insert(team, members);
        }
        let author = match gate.exclude.contains(&Excluded::Author) {
            true => {
                let issue = self.subject(repo, topic_of(state)?).await;
                unanswered.fact(issue.map(|issue| issue.author.id))?
            }
            false => Live::default().author,
        };
        let live = Live {
            author,
            owned,
            ..Live::default()
        };
        Ok(Ground { live, rosters })
    }

    /// Asks about those who approved, where nothing is known of them yet.
    async fn add_voters(
        &self,
        repo: &Repo,
        live: &mut Live,
        (votes, rosters): (&[&Approval], &Rolls),
        unanswered: Unanswered,
    ) -> Result<(), Trouble> {
        for vote in votes {
            if live.people.contains_key(&vote.by.id) {
                continue;
            }
            let account = Account {
                id: vote.by.id,
                login: vote.by.login.clone(),
                // Only people's approvals are taken down.
                kind: AccountKind::User,
            };
            let standing = self.standing(repo, (account, None), rosters, unanswered).await?;
            live.people.insert(vote.by.id, standing);
        }
        Ok(())
    }

    /// How far an open gate is, and who brings it on of those who have the right that it asks for, or this one where it is
    /// greater; with one approval more, if it is given. For people to read: nothing is decided by it.
    pub(super) async fn gate_view(
        &self,
        repo: &Repo,
        state: &State,
        (phase, gate): (&PhaseId, &PeopleGate),
        (more, least): (Option<&Approval>, Right),
    ) -> Result<GateView, Trouble> {
        let least = least.max(gate.right);
        let ground = self.ground(repo, state, (phase, gate), Unanswered::IsShown).await?;
        let Ground { mut live, rosters } = ground;
        let listed = match repo.people_with(least, LOOKED_AT).await {
            Ok(listed) => Some(listed),
            Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
            Err(_) => None,
        };
        let all = listed.as_ref().is_some_and(|listed| listed.len() < LOOKED_AT);
        let people = listed.into_iter().flatten();
        let people: Vec<Account> = people.filter(|one| one.kind == AccountKind::User).collect();
        for account in &people {
            live.people
                .insert(account.id, listed_standing(account, least, &rosters));
        }
        let votes: Vec<&Approval> = state.at(phase).votes().chain(more).collect();
        self.add_voters(repo, &mut live, (&votes, &rosters), Unanswered::IsShown)
            .await?;
        let people = people.iter().map(super::authority::person).collect();
        let candidates = match all {
            true => Candidates::All(people),
            false => Candidates::Some(people),
        };
        let facts = Facts::of(state, phase, &live);
        let facts = match more {
            Some(vote) => facts.with(vote),
            None => facts,
        };
        let digest = state.at(phase).pending.as_ref().map(|pending| pending.digest);
        let digest = digest.ok_or_else(|| Trouble::Never(reasons::GONE.to_owned()))?;
        let prospect = prospect(gate, &facts, digest, &candidates);
        let admins = match prospect.is_stuck() {
            true => self.people_with(repo, Right::Admin).await?,
            false => Vec::new(),
        };
        let unseen = rosters.into_iter().filter(|(_, members)| *members == Fact::Known(None));
        Ok(GateView {
            prospect,
            right: least,
            admins,
            unseen: unseen.map(|(team, _)| team).collect(),
        })
    }

    async fn standing(
        &self,
        repo: &Repo,
        (account, asked): (Account, Option<Right>),
        rosters: &Rolls,
        unanswered: Unanswered,
    ) -> Result<Standing, Trouble> {
        let asked = match asked {
            Some(right) => Fact::Known((right, account.login.clone())),
            None => unanswered.fact(self.right_and_login(repo, &account).await)?,
        };
        let (right, login) = match asked {
            Fact::Known((right, login)) => (Fact::Known(right), login),
            Fact::CouldNotCheck(why) => (Fact::CouldNotCheck(why), account.login.clone()),
        };
        let mut teams = BTreeMap::new();
        for (team, members) in rosters {
            let is = match members {
                Fact::CouldNotCheck(why) => Fact::CouldNotCheck(why.clone()),
                Fact::Known(None) => Fact::Known(false),
                Fact::Known(Some(members)) if members.has(account.id) => Fact::Known(true),
                Fact::Known(Some(members)) if !members.more => Fact::Known(false),
                // The right was asked by this login and the answer bore the account's id.
                Fact::Known(Some(_)) => {
                    let is = repo.in_team(team, &login).await;
                    unanswered.fact(is.map_err(|error| self.unchecked(&error)))?
                }
            };
            teams.insert(team.clone(), is);
        }
        Ok(Standing {
            kind: match account.kind {
                AccountKind::User => Kind::Human,
                _ => Kind::Other,
            },
            login,
            right,
            teams,
        })
    }

    /// The members of a team; `None` where the App sees none of that name.
    pub(super) async fn members(&self, repo: &Repo, team: &Team) -> Result<Option<Members>, Trouble> {
        let members = repo.team_members(team).await;
        members.map_err(|error| self.unchecked(&error))
    }

    /// What a phase's proposal touches, with those who own it: the files that it writes, and the changed files of the
    /// pull request that the workflow is about.
    async fn owned(&self, repo: &Repo, state: &State, phase: &PhaseId) -> Result<Vec<Owned>, Trouble> {
        let mut paths = match &state.at(phase).pending {
            Some(pending) => {
                let stored = self.store().proposal(&state.id, &pending.digest).await?;
                let stored = stored.ok_or_else(|| Trouble::Never(reasons::GONE.to_owned()))?;
                touched(&stored.0.artifact)
            }
            None => Vec::new(),
        };
        if state.subject.kind == SubjectKind::PullRequest {
            let changed = repo.pull_files(state.subject.number).await;
            paths.extend(changed.map_err(|error| self.unchecked(&error))?);
        }
        paths.sort();
        paths.dedup();
        match paths.is_empty() {
            true => Ok(Vec::new()),
            false => self.owners_of(repo, &paths).await,
        }
    }

    /// The owners of paths by the repository's CODEOWNERS, read from its default branch.
    async fn owners_of(&self, repo: &Repo, paths: &[String]) -> Result<Vec<Owned>, Trouble> {
        let file = repo.code_owners().await.map_err(|error| self.unchecked(&error))?;
        let owned = paths.iter().map(|path| Owned {
            path: path.clone(),
            owners: file
                .as_ref()
                .map(|file| file.owners_of(path).to_vec())
                .unwrap_or_default(),
        });
        Ok(owned.collect())
    }

    /// A gate's tree as it stands now, with what could not be checked shown as such.
    pub(super) async fn tree(&self, repo: &Repo, state: &State) -> Result<Option<Node>, Trouble> {
        let Some((phase, gate, pending)) = state.open_gate().filter(|_| state.is_open()) else {
            return Ok(None);
        };
        let live = self.live(repo, state, (phase, gate), None, Unanswered::IsShown).await?;
        let Some((whole, _)) = state.gate_at(phase) else {
            return Ok(None);
        };
        let facts = Facts::of(state, phase, &live);
        Ok(Some(evaluate_gate(whole, &facts, pending.digest)))
    }

    /// Why the approval of a phase does not hold any more, if it does not.
    pub(super) async fn approval_lost(
        &self,
        repo: &Repo,
        state: &State,
        source: &PhaseId,
        digest: Digest,
    ) -> Result<Option<String>, Trouble> {
        let whole = state.definition.phase(source).map(|phase| &phase.gate);
        let Some((whole, gate)) = whole.and_then(|whole| Some((whole, whole.people()?))) else {
            return Ok(Some(reasons::NOBODY_IS_ASKED.to_owned()));
        };
        let live = self.live(repo, state, (source, gate), None, Unanswered::Stops).await?;
        let tree = evaluate_gate(whole, &Facts::of(state, source, &live), digest);
        match tree.outcome {
            Outcome::Yes => Ok(None),
            Outcome::No => Ok(Some(words::lost(&tree))),
            Outcome::Unknown => Err(self.later(tree.unchecked().unwrap_or(reasons::NO_ANSWER).to_owned())),
        }
    }

    /// The definition with all that the repository asks for beyond it, or why nobody could ever open one of its gates:
    /// that is asked of GitHub.
    pub(super) async fn tightened(
        &self,
        spoken: &Spoken<'_>,
        definition: &Definition,
    ) -> Result<Result<Definition, Settled>, Trouble> {
        let mut definition = definition.clone();
        let more = || spoken.settings.approvals();
        for gate in definition
            .family_mut()
            .into_iter()
            .flatten()
            .flat_map(|phase| [&mut phase.gate, &mut phase.prompt_gate])
        {
            // People first: what else is asked is asked of them.
            for more in more().filter(|more| more.people).chain(more()) {
                gate.tighten(more);
            }
        }
        let family = definition.family();
        let gates = family.iter().flat_map(|phase| [&phase.gate, &phase.prompt_gate]);
        let gates = gates.filter_map(Gate::people);
        let mut rosters = Rosters::default();
        for quorum in gates.flat_map(PeopleGate::quorums) {
            let refusal = rosters.refusal(&spoken.repo, &quorum).await;
            if let Some(mistake) = refusal.map_err(|error| self.unchecked(&error))? {
                let said = self.impossible(&spoken.settings, &quorum, mistake);
                let again = next::start(&definition);
                return Ok(Err(Settled::refused(say::cannot_be_approved(&said, &again))));
            }
        }
        Ok(Ok(definition))
    }

    /// Why nobody could open a gate, with the place in the repository's files, its owner's, or the server's policy that
    /// asks for it.
    fn impossible(&self, settings: &Settings, quorum: &Quorum, mistake: String) -> String {
        let path = super::settings::CONFIG_PATH;
        let mut files: Vec<(String, Vec<Asked>)> = Vec::new();
        if let Some(text) = &settings.text {
            files.push((path.to_owned(), quorums::in_configuration(text, &settings.config)));
        }
        if let Some(owner) = &settings.owner {
            let asked = quorums::in_configuration(&owner.text, &owner.level.config);
            files.push((format!("{}/{path}", owner.name), asked));
        }
        if let Some(policy) = &settings.policy {
            let asked = quorums::in_configuration(&policy.text, &policy.level.config);
            files.push((say::THE_POLICY.to_owned(), asked));
        }
        for file in &settings.definitions {
            let read = file.good.as_ref().zip(self.read_kept(file));
            files.extend(read.map(|((_, text), read)| (file.path.clone(), quorums::in_definition(text, &read))));
        }
        let place = files.iter().find_map(|(path, asked)| {
            let asked = asked.iter().find(|asked| asked.quorum == *quorum)?;
            Some(format!("{path}, {}", asked.mistake(mistake.clone())))
        });
        place.unwrap_or(mistake)
    }

    /// What is said of an approval that was taken down and did not open the gate.
    pub(super) async fn voted(&self, spoken: &Spoken<'_>, state: &State, vote: &Approval) -> Option<String> {
        let (phase, gate, _) = state.open_gate()?;
        let least = spoken.approvers();
        let view = self.gate_view(&spoken.repo, state, (phase, gate), (Some(vote), least));
        // It was taken down, whether or not it can be said who is missing.
        Some(match view.await {
            Ok(view) => say::voted(state, phase, &view, vote),
            Err(_) => say::taken_down(),
        })
    }
}
