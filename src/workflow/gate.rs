//! What a gate of people may ask for, beyond a right: how many, of which teams, and who does not count.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::definition::{HOURS_OF_A_YEAR, OnExpiry, PeopleGate};
use super::right::Right;

/// A team of an organisation, as `@org/team`. The slug is GitHub's name of it in addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Team {
    /// The organisation's login, lower case: GitHub's names ignore case.
    pub org: String,
    /// The team's slug, lower case.
    pub slug: String,
}

impl fmt::Display for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}/{}", self.org, self.slug)
    }
}

/// Whose approval counts: everybody of a team, or one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Candidate {
    /// Whoever is in this team.
    Team(Team),
    /// Whoever has this login, lower case.
    Person(String),
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(team) => team.fmt(f),
            Self::Person(login) => write!(f, "@{login}"),
        }
    }
}

impl From<Candidate> for String {
    fn from(candidate: Candidate) -> Self {
        candidate.to_string()
    }
}

impl TryFrom<String> for Candidate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Characters of the longest login or slug that is taken.
const LONGEST: usize = 100;

impl FromStr for Candidate {
    type Err = String;

    /// Reads `@org/team` or `@login`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a team nor a person; write `@org/team` or `@login`");
        let name = text.strip_prefix('@').ok_or_else(wrong)?;
        let is_name = |part: &str| {
            (1..=LONGEST).contains(&part.len())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
                && part != "."
                && part != ".."
        };
        let lower = |part: &str| part.to_ascii_lowercase();
        match name.split_once('/') {
            Some((org, slug)) if is_name(org) && is_name(slug) => Ok(Self::Team(Team {
                org: lower(org),
                slug: lower(slug),
            })),
            None if is_name(name) => Ok(Self::Person(lower(name))),
            _ => Err(wrong()),
        }
    }
}

/// Somebody whose approval does not count at a gate, whatever their right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Excluded {
    /// Whoever started the workflow.
    Starter,
    /// Whoever opened the issue or pull request.
    Author,
    /// Whoever shaped the proposal: by `/revise`, `/edit`, a tick, an answer of their own, or a `/reject` after which it is
    /// tried again with their reason.
    Steerers,
}

/// So many approvals of different people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// How many.
    pub quorum: u32,
    /// Whose; everybody with the gate's right when it is empty.
    #[schemars(with = "Vec<String>", extend("items" = candidates()))]
    pub of: Vec<Candidate>,
}

impl Quorum {
    /// Reads `2`, or `2 of @org/security, @mona`.
    ///
    /// # Errors
    /// A sentence that shows the form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no quorum; write a number, or `2 of @org/team`");
        let mut words = text.split_whitespace();
        let quorum = words.next().and_then(|count| count.parse().ok()).ok_or_else(wrong)?;
        let mut of = Vec::new();
        match words.next() {
            None => {}
            Some("of") => {
                let names = words.flat_map(|word| word.split(',')).filter(|name| !name.is_empty());
                for name in names.filter(|name| *name != "and") {
                    of.push(name.parse()?);
                }
                if of.is_empty() {
                    return Err(wrong());
                }
            }
            Some(_) => return Err(wrong()),
        }
        Ok(Self { quorum, of })
    }

    /// Why nobody could ever meet it, as far as that shows without asking GitHub: a sentence.
    pub fn mistake(&self) -> Option<String> {
        if self.quorum == 0 {
            return Some("a quorum must be at least 1".to_owned());
        }
        if self.quorum > MOST {
            return Some(format!("a quorum may be at most {MOST}"));
        }
        let people: BTreeSet<&Candidate> = self.of.iter().collect();
        let only_people = !people.is_empty() && people.iter().all(|one| matches!(one, Candidate::Person(_)));
        (only_people && self.quorum as usize > people.len()).then(|| {
            let all: Vec<String> = people.iter().map(ToString::to_string).collect();
            format!(
                "a quorum of {} cannot be met: only {} named ({})",
                self.quorum,
                if people.len() == 1 {
                    "one person is".to_owned()
                } else {
                    format!("{} people are", people.len())
                },
                all.join(", ")
            )
        })
    }
}

/// The most approvals that a gate may ask for.
pub const MOST: u32 = 100;

/// What a repository asks of every gate of people, beyond what the definition does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tightening {
    /// How many, and of whom.
    pub quorum: Option<Quorum>,
    /// Whether the owners of touched paths must each be represented.
    #[serde(default)]
    pub code_owners: bool,
    /// Who does not count.
    #[serde(default)]
    pub exclude: BTreeSet<Excluded>,
    /// Whether people must approve too what a model or checks alone would let through.
    #[serde(default)]
    pub people: bool,
}

impl PeopleGate {
    /// The quorums that must all be met: the gate's own, and those that were added to it.
    pub fn quorums(&self) -> impl Iterator<Item = Quorum> {
        let own = Quorum {
            quorum: self.quorum,
            of: self.of.clone(),
        };
        std::iter::once(own).chain(self.also.iter().cloned())
    }

    /// Every team that the gate names.
    pub fn teams(&self) -> BTreeSet<Team> {
        self.quorums()
            .flat_map(|quorum| quorum.of)
            .filter_map(|candidate| match candidate {
                Candidate::Team(team) => Some(team),
                Candidate::Person(_) => None,
            })
            .collect()
    }

    /// Asks for more. Nothing that the gate asks for already is taken away.
    pub fn tighten(&mut self, more: &Tightening) {
        self.code_owners |= more.code_owners;
        self.exclude.extend(&more.exclude);
        let Some(asked) = &more.quorum else { return };
        if self.of == asked.of {
            self.quorum = self.quorum.max(asked.quorum);
        } else if self.of.is_empty() && self.quorum == 1 {
            (self.quorum, self.of) = (asked.quorum, asked.of.clone());
        } else if !self.also.contains(asked) {
            self.also.push(asked.clone());
        }
    }
}

/// People, and how many of them.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateFile {
    /// The least right that an approval needs; `write` or more in front of what leaves.
    #[serde(default = "write")]
    #[schemars(with = "String", extend("enum" = ["read", "triage", "write", "maintain", "admin"]))]
    right: Right,
    /// How many different people must approve: a number, or with names, such as `2 of @org/team`.
    #[serde(default)]
    #[schemars(with = "serde_json::Value", extend(
        "type" = ["integer", "string"],
        "default" = 1,
        "minimum" = 1,
        "maximum" = MOST,
        "pattern" = "^[0-9]+( of @.+)?$",
        "$comment" = "write a number, or `2 of @org/team`"
    ))]
    quorum: QuorumFile,
    /// Whose approval counts, as `@org/team` or `@login`; everybody's with the right when it is empty.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = candidates()))]
    of: Vec<Candidate>,
    /// Further quorums, each to be met too.
    #[serde(default)]
    also: Vec<Quorum>,
    /// Whether an owner of each touched path that has owners must be among those who approved.
    #[serde(default)]
    code_owners: bool,
    /// Who does not count: `starter` (of the workflow), `author` (of the issue), `steerers` (who shaped the proposal).
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = excluded()))]
    exclude: BTreeSet<Excluded>,
    /// After how many hours without an answer something happens; never, unless it is given.
    #[serde(default)]
    #[schemars(with = "u32", extend("minimum" = 1, "maximum" = HOURS_OF_A_YEAR))]
    expires_after_hours: Option<u32>,
    /// What happens then: `remind`, `reject`, or the phase before it that it goes back to. Silence is never consent.
    #[serde(default)]
    #[schemars(with = "String")]
    on_expiry: OnExpiry,
}

/// The schema of a [`Candidate`].
fn candidates() -> serde_json::Value {
    serde_json::json!({
        "type": "string",
        "pattern": "^@[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?$",
        "$comment": "write `@org/team` or `@login`",
    })
}

/// The schema of [`Excluded`].
fn excluded() -> serde_json::Value {
    serde_json::json!({ "type": "string", "enum": ["starter", "author", "steerers"] })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum QuorumFile {
    Count(u32),
    Words(String),
}

impl Default for QuorumFile {
    fn default() -> Self {
        Self::Count(1)
    }
}

fn write() -> Right {
    Right::Write
}

impl TryFrom<GateFile> for PeopleGate {
    type Error = String;

    fn try_from(file: GateFile) -> Result<Self, String> {
        let mut read = match file.quorum {
            QuorumFile::Count(quorum) => Quorum { quorum, of: Vec::new() },
            QuorumFile::Words(text) => Quorum::parse(&text)?,
        };
        read.of.extend(file.of);
        Ok(Self {
            right: file.right,
            quorum: read.quorum,
            of: read.of,
            also: file.also,
            code_owners: file.code_owners,
            exclude: file.exclude,
            expires_after_hours: file.expires_after_hours,
            on_expiry: file.on_expiry,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(yaml: &str) -> Result<PeopleGate, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_quorum_may_say_of_whom() {
        let short = gate("{quorum: 2 of @Acme/Security}").unwrap();
        assert_eq!(short, gate("{quorum: 2, of: ['@acme/security']}").unwrap());
        assert_eq!(short.teams().len(), 1);
        assert_eq!(gate("{}").unwrap().quorum, 1);
        for (wrong, says) in [
            ("{quorum: two}", "is no quorum"),
            ("{quorum: 2 of}", "is no quorum"),
            ("{quorum: 2 of security}", "neither a team nor a person"),
            ("{quorum: 2 of @a/b/c}", "neither a team nor a person"),
            ("{surprise: 1}", "surprise"),
        ] {
            let said = gate(wrong).unwrap_err();
            assert!(said.contains(says), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_gate_of_yesterday_reads_the_same_and_a_new_one_survives_its_record() {
        let old = r#"{"right":"write","expires_after_hours":168,"on_expiry":"remind"}"#;
        let read: PeopleGate = serde_json::from_str(old).unwrap();
        assert_eq!((read.quorum, read.of.len(), read.exclude.len()), (1, 0, 0));
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            old,
            "nothing is added to what was stored"
        );
        let mut new = read;
        new.tighten(&Tightening {
            quorum: Some(Quorum::parse("2 of @a/b @mona").unwrap()),
            code_owners: true,
            exclude: BTreeSet::from([Excluded::Steerers]),
            people: false,
        });
        let kept = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<PeopleGate>(&kept).unwrap(), new);
    }

    #[test]
    fn a_repository_can_only_tighten() {
        let tighten = |gate_yaml: &str, quorum: &str| {
            let mut gate = gate(gate_yaml).unwrap();
            gate.tighten(&Tightening {
                quorum: Some(Quorum::parse(quorum).unwrap()),
                ..Tightening::default()
            });
            let all: Vec<String> = gate
                .quorums()
                .map(|one| {
                    let of: Vec<String> = one.of.iter().map(ToString::to_string).collect();
                    format!("{} of [{}]", one.quorum, of.join(" "))
                })
                .collect();
            all.join(" + ")
        };
        assert_eq!(tighten("{}", "2 of @a/b"), "2 of [@a/b]");
        assert_eq!(tighten("{quorum: 3}", "2 of @a/b"), "3 of [] + 2 of [@a/b]");
        assert_eq!(tighten("{quorum: 1 of @a/b}", "2"), "1 of [@a/b] + 2 of []");
        assert_eq!(tighten("{quorum: 3}", "2"), "3 of []");
        assert_eq!(tighten("{quorum: 1 of @a/b}", "2 of @a/b"), "2 of [@a/b]");
        assert_eq!(tighten("{quorum: 1 of @a/b}", "2 of @a/c"), "1 of [@a/b] + 2 of [@a/c]");
    }

    #[test]
    fn a_quorum_that_nobody_can_meet_is_named() {
        assert!(
            Quorum::parse("3 of @a @b")
                .unwrap()
                .mistake()
                .unwrap()
                .contains("2 people")
        );
        assert!(Quorum::parse("0").unwrap().mistake().unwrap().contains("at least 1"));
        assert_eq!(Quorum::parse("3 of @a @b/c").unwrap().mistake(), None);
    }
}
