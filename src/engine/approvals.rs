//! What GitHub says of those who approved: asked for each `/approve`, and again right before anything that cannot be
//! taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::authority::{NAMED, Speech};
use super::commands::{Settled, Spoken};
use super::rosters::Rosters;
use super::settings::Settings;
use super::{Engine, Trouble, topic_of};
use crate::agents::touched;
use crate::chat::say::{approval as words, reasons, replies as say};
use crate::config::RepositoryConfig;
use crate::config::quorums::{self, Asked};
use crate::github::{Account, AccountKind, Members, Repo};
use crate::workflow::approval::{Fact, Facts, Kind, Live, Node, Outcome, Owned, Standing, evaluate_gate, steerers};
use crate::workflow::definition::{Definition, Gate, PeopleGate};
use crate::workflow::gate::{Candidate, Excluded, Quorum, Team};
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::right::Right;
use crate::workflow::state::{State, SubjectKind};

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
        let owned = match gate.code_owners {
            true => unanswered.fact(self.owned(repo, state, phase).await)?,
            false => Fact::Known(Vec::new()),
        };
        let checks = match state.gate_of(phase).and_then(|gate| gate.checks.as_ref()) {
            Some(checks) => self.reading(Some(repo), state, (phase, checks), unanswered).await?,
            None => Live::default().checks,
        };
        let mut teams: BTreeSet<Team> = gate.teams();
        if let Fact::Known(owned) = &owned {
            teams.extend(
                owned
                    .iter()
                    .flat_map(|path| &path.owners)
                    .filter_map(|owner| match owner {
                        Candidate::Team(team) => Some(team.clone()),
                        Candidate::Person(_) => None,
                    }),
            );
        }
        let mut rosters = BTreeMap::new();
        for team in teams {
            let members = unanswered.fact(self.members(repo, &team).await)?;
            rosters.insert(team, members);
        }
        let mut accounts: Vec<Account> = Vec::new();
        if let Some((speech, _)) = speaker {
            accounts.push(speech.by.clone());
        }
        for vote in state.at(phase).votes() {
            if accounts.iter().all(|account| account.id != vote.by.id) {
                accounts.push(Account {
                    id: vote.by.id,
                    login: vote.by.login.clone(),
                    // Only people's approvals are taken down.
                    kind: AccountKind::User,
                });
            }
        }
        let mut people = BTreeMap::new();
        for account in accounts {
            let id = account.id;
            let asked = speaker.filter(|(speech, _)| speech.by.id == id).map(|(_, right)| right);
            let standing = self.standing(repo, (account, asked), &rosters, unanswered).await?;
            people.insert(id, standing);
        }
        let author = match gate.exclude.contains(&Excluded::Author) {
            true => {
                let issue = self.subject(repo, topic_of(state)?).await;
                unanswered.fact(issue.map(|issue| issue.author.id))?
            }
            false => Live::default().author,
        };
        Ok(Live {
            people,
            author,
            owned,
            checks,
        })
    }

    /// The logins of people whose approval could count at a gate now, those who gave theirs left out; empty where GitHub
    /// does not list them to us. A hint for people: nothing is decided by it.
    pub(super) async fn people_for(
        &self,
        repo: &Repo,
        state: &State,
        (phase, gate): (&PhaseId, &PeopleGate),
    ) -> Result<Vec<String>, Trouble> {
        let wide = gate.quorums().all(|quorum| quorum.of.is_empty()) && gate.exclude.is_empty();
        if wide && state.at(phase).votes().next().is_none() {
            return self.people_with(repo, gate.right).await;
        }
        let all = match repo.people_with(gate.right, LOOKED_AT).await {
            Ok(all) => all,
            Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
            Err(_) => return Ok(Vec::new()),
        };
        let mut rosters = BTreeMap::new();
        for team in gate.teams() {
            let members = repo.team_members(&team).await.ok().flatten();
            rosters.insert(team, members);
        }
        let steerers = steerers(state, phase);
        let could = |account: &&Account| {
            let excluded = gate.exclude.iter().any(|excluded| match excluded {
                Excluded::Starter => account.id == state.starter.id,
                Excluded::Steerers => steerers.contains(&account.id),
                Excluded::Author => false,
            });
            let voted = state.at(phase).votes().any(|vote| vote.by.id == account.id);
            let among = gate.quorums().any(|quorum| {
                quorum.of.is_empty()
                    || quorum.of.iter().any(|candidate| match candidate {
                        Candidate::Person(login) => account.login.eq_ignore_ascii_case(login),
                        Candidate::Team(team) => {
                            let roster = rosters.get(team).and_then(Option::as_ref);
                            roster.is_some_and(|roster| roster.has(account.id))
                        }
                    })
            });
            account.kind == AccountKind::User && !excluded && !voted && among
        };
        let could = all.iter().filter(could).take(NAMED);
        Ok(could.map(|account| account.login.clone()).collect())
    }

    async fn standing(
        &self,
        repo: &Repo,
        (account, asked): (Account, Option<Right>),
        rosters: &BTreeMap<Team, Fact<Option<Members>>>,
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
        let facts = Facts::of(state, phase, &live).of_the_leading_choice();
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
        let above = spoken.settings.above.as_ref().map(|above| &above.approval);
        let more = || above.into_iter().chain([&spoken.settings.config.approval]);
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
                return Ok(Err(Settled::refused(say::cannot_be_approved(&said))));
            }
        }
        Ok(Ok(definition))
    }

    /// Why nobody could open a gate, with the place in the repository's files, or its owner's, that asks for it.
    fn impossible(&self, settings: &Settings, quorum: &Quorum, mistake: String) -> String {
        let path = super::settings::CONFIG_PATH;
        let mut files: Vec<(String, Vec<Asked>)> = Vec::new();
        if let Some(text) = &settings.text {
            files.push((path.to_owned(), quorums::in_configuration(text, &settings.config)));
        }
        if let Some(above) = &settings.above {
            let config = RepositoryConfig {
                approval: above.approval.clone(),
                ..RepositoryConfig::default()
            };
            let asked = quorums::in_configuration(&above.text, &config);
            files.push((format!("{}/{path}", above.name), asked));
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
    pub(super) fn voted(&self, state: &State, live: &Live, vote: &crate::workflow::state::Approval) -> Option<String> {
        let (phase, _, pending) = state.open_gate()?;
        let (gate, _) = state.gate_at(phase)?;
        let tree = evaluate_gate(gate, &Facts::of(state, phase, live).with(vote), pending.digest);
        Some(say::voted(&tree))
    }
}
