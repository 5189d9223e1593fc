//! A conversation as it is written: a world, then what people do in it and what must come of it, in order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{MessageFormatter as _, Spanned, UserMessageFormatter};

use super::model::{Asked, ModelAnswer};
use crate::sandbox::{Builder, FaultKind, FaultRule, Feature, Role};

/// A script that was read.
#[derive(Debug)]
pub struct Script {
    written: Written,
}

/// A script that cannot be read, with the line that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ScriptError {
    /// From 1; 1 also when no single line is to blame.
    pub line: u64,
    /// What is wrong there.
    pub what: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    #[serde(default)]
    draft: Draft,
    /// How long people take for each thing that they do.
    #[serde(default = "a_minute")]
    pace: Wait,
    #[serde(default)]
    world: World,
    steps: Vec<Spanned<Step>>,
}

/// Whether a script is still being written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Draft {
    /// A play ends where it comes out otherwise.
    #[default]
    No,
    /// A play goes on after that, so that one sees all of it, and fails at its end.
    Yes,
}

/// What there is before anybody acts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    repository: Option<String>,
    #[serde(default)]
    people: Vec<BTreeMap<String, RoleName>>,
    /// Who is in each team, by its name `org/slug`.
    #[serde(default)]
    teams: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    without: Vec<Part>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleName {
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    SubIssues,
    Dependencies,
    Graphql,
}

/// One line of the conversation. Acts come first, then what is expected.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// A stage direction, printed for who reads along.
    Note(String),
    Open(Open),
    Say(Say),
    /// Somebody changes their newest comment.
    Edit(Edit),
    /// Somebody with the right to it changes the card's text.
    Tamper(Tamper),
    /// Somebody deletes their newest comment.
    Delete(Act),
    Tick(Tick),
    Untick(Tick),
    Label(Label),
    Unlabel(Label),
    Close(Act),
    Reopen(Act),
    Lock(Act),
    Unlock(Act),
    /// Somebody opens a pull request.
    Pull(Open),
    /// Somebody starts a discussion.
    Discussion(Open),
    /// Somebody replies to somebody's newest comment in a discussion.
    Reply(Reply),
    /// Somebody pushes to a pull request's branch.
    Push(Act),
    /// How a check stands on a pull request's head.
    Check(Check),
    /// A commit status on a pull request's head.
    Status(CommitStatus),
    /// Somebody writes a file on the default branch.
    Write(WriteFile),
    /// Somebody's role changes.
    Role(NewRole),
    /// Time passes.
    Wait(Wait),
    /// GitHub misbehaves from now on.
    Fault(Fault),
    /// GitHub behaves again.
    Heal(Nothing),
    /// What is answered in a model's place the next time that it is asked.
    Model(ModelAnswer),
    /// The bot said or did this.
    Bot(Bot),
    Card(Card),
    Issue(Issue),
    Mail(MailExpected),
    /// A model was asked.
    Asked(Asked),
    /// The bot neither said nor did anything.
    Nothing(Nothing),
}

/// `{}`: a step that has nothing to be said about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    pub by: String,
    pub title: String,
    #[serde(default)]
    pub body: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Say {
    pub by: String,
    pub text: String,
    /// The issue; without it the one that the conversation is about.
    pub on: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub by: String,
    /// Whose newest comment of the discussion is answered.
    pub to: String,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub by: String,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tamper {
    pub by: String,
    pub replace: String,
    pub with: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    pub by: String,
    pub on: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub by: String,
    pub on: Option<u64>,
    pub name: String,
    /// GitHub's word; left out while it runs.
    pub conclusion: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommitStatus {
    pub by: String,
    pub on: Option<u64>,
    pub context: String,
    /// GitHub's word: `error`, `failure`, `pending` or `success`.
    pub state: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tick {
    pub by: String,
    /// The key of the task, as the card shows it in bold.
    #[serde(rename = "box")]
    pub key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub by: String,
    pub name: String,
    pub on: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteFile {
    pub by: String,
    pub path: String,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    pub of: String,
    pub is: RoleName,
}

/// A time such as `15 s`, `20 min`, `2 h` or `7 d`.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    pub time: Duration,
    pub words: String,
}

fn a_minute() -> Wait {
    Wait {
        time: Duration::from_secs(60),
        words: "1 min".to_owned(),
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        let digits = words.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match words[digits..].trim() {
            "s" => Some(1),
            "min" => Some(60),
            "h" => Some(3_600),
            "d" => Some(86_400),
            _ => None,
        };
        let seconds = words[..digits].parse::<u64>().ok().zip(unit);
        let seconds = seconds.and_then(|(number, unit)| number.checked_mul(unit));
        let time = seconds.map(Duration::from_secs).ok_or_else(|| {
            de::Error::custom(format!(
                "{words:?} is no time; write one as in `15 s`, `20 min`, `2 h`, `7 d`"
            ))
        })?;
        Ok(Self { time, words })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    #[serde(default = "any_method")]
    method: String,
    path: String,
    /// What is answered instead.
    status: u16,
    times: Option<u32>,
}

fn any_method() -> String {
    "*".to_owned()
}

impl Fault {
    pub fn rule(&self) -> FaultRule {
        let rule = FaultRule::on(&self.method, &self.path, FaultKind::Status(self.status));
        match self.times {
            Some(times) => rule.times(times),
            None => rule,
        }
    }

    pub fn words(&self) -> String {
        let times = self.times.map(|times| format!(", {times} times")).unwrap_or_default();
        format!(
            "GitHub answers {} to {} {}…{times}",
            self.status, self.method, self.path
        )
    }
}

/// What the bot did in answer to the last thing that somebody said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bot {
    /// Exactly these reactions on the comment, in any order.
    pub reacts: Option<OneOrMore>,
    /// The oldest comment of the bot that was not read yet, word for word.
    pub says: Option<String>,
    /// That comment has these lines; for those that are long.
    pub says_among_others: Option<OneOrMore>,
    /// A comment of the bot that was read before and has this line is hidden now.
    pub hides: Option<String>,
}

/// A text, or a list of them.
#[derive(Debug, Clone)]
pub(super) struct OneOrMore(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(vec![text.to_owned()])
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

/// What the card says now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
    /// The issue; without it the one that the conversation is about.
    pub on: Option<u64>,
    /// The whole of it.
    pub golden: Option<String>,
    /// It has these lines, in this order.
    #[serde(default)]
    pub shows: Vec<String>,
    /// This stands nowhere on it.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// How an issue stands. What is not named is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    pub number: u64,
    pub title: Option<String>,
    /// Its text has these lines, in this order.
    #[serde(default)]
    pub body: Vec<String>,
    pub labels: Option<Vec<String>>,
    pub assignees: Option<Vec<String>>,
    pub parent: Option<u64>,
    pub blocked_by: Option<Vec<u64>>,
    pub sub_issues: Option<Vec<u64>>,
    pub open: Option<bool>,
}

/// The oldest mail that was not read yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailExpected {
    pub to: Option<OneOrMore>,
    pub cc: Option<OneOrMore>,
    pub subject: Option<String>,
    /// Its text has these lines, in this order.
    #[serde(default)]
    pub text: Vec<String>,
    /// These stand in its HTML.
    #[serde(default)]
    pub html: Vec<String>,
    /// Whether it continues the thread of an earlier mail of the play.
    pub thread: Option<Thread>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Thread {
    New,
    Continued,
}

impl RoleName {
    pub fn name(self) -> String {
        self.role().name().to_owned()
    }

    pub fn role(self) -> Role {
        match self {
            Self::None => Role::None,
            Self::Read => Role::Read,
            Self::Triage => Role::Triage,
            Self::Write => Role::Write,
            Self::Maintain => Role::Maintain,
            Self::Admin => Role::Admin,
        }
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Text that is not YAML, or keys and values that a script does not have.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        serde_saphyr::from_str_with_options(text, options)
            .map(|written| Self { written })
            .map_err(|error| ScriptError {
                line: error.location().map_or(1, |at| at.line().max(1)),
                what: UserMessageFormatter
                    .format_message(error.without_snippet())
                    .into_owned(),
            })
    }

    /// What is played, in a sentence.
    pub fn title(&self) -> &str {
        &self.written.title
    }

    pub(super) fn draft(&self) -> Draft {
        self.written.draft
    }

    pub(super) fn pace(&self) -> Duration {
        self.written.pace.time
    }

    /// Who takes part, and where.
    pub(super) fn cast(&self) -> String {
        let world = &self.written.world;
        let mut cast = vec![world.repository.as_deref().unwrap_or("acme/app").to_owned()];
        cast.extend(world.people.iter().flatten().map(|(login, role)| match role {
            RoleName::None => format!("{login} (a stranger)"),
            role => format!("{login} ({})", role.name()),
        }));
        let teams = world.teams.iter();
        cast.extend(teams.map(|(team, people)| format!("@{team} ({})", people.join(", "))));
        cast.join(" · ")
    }

    /// Puts the script's world into a sandbox that is being set up.
    pub fn set_up(&self, mut builder: Builder) -> Builder {
        let world = &self.written.world;
        builder = builder.repo(world.repository.as_deref().unwrap_or("acme/app"));
        for (path, text) in &world.files {
            builder = builder.file(path, text);
        }
        for (login, role) in world.people.iter().flatten() {
            builder = match role {
                RoleName::None => builder.stranger(login),
                role => builder.person(login, role.role()),
            };
        }
        for (team, people) in &world.teams {
            let people: Vec<&str> = people.iter().map(String::as_str).collect();
            builder = builder.team(team, &people);
        }
        for part in &world.without {
            builder = builder.without(match part {
                Part::SubIssues => Feature::SubIssues,
                Part::Dependencies => Feature::Dependencies,
                Part::Graphql => Feature::GraphQl,
            });
        }
        builder
    }

    /// The steps with the lines on which they stand.
    pub(super) fn steps(&self) -> impl Iterator<Item = (u64, &Step)> {
        self.written
            .steps
            .iter()
            .map(|step| (step.referenced.line(), &step.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_know_their_lines() {
        let text = "title: T\nsteps:\n- note: hello\n- say:\n    by: alice\n    text: /help\n- nothing: {}\n";
        let script = Script::parse(text).unwrap();
        let lines: Vec<u64> = script.steps().map(|(line, _)| line).collect();
        assert_eq!(lines, [3, 4, 7]);
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, line, word) in [
            (
                "title: T\nsteps:\n- say: {by: a, text: b}\n- shout: {by: a}\n",
                4,
                "shout",
            ),
            (
                "title: T\nsteps:\n- say:\n    by: a\n    text: b\n    loud: 1\n",
                6,
                "loud",
            ),
            ("title: T\nsteps:\n- wait: 5 years\n", 3, "5 years"),
            (
                "title: T\nsteps:\n- model: {fault: 500, retry_after: 1 min}\n",
                3,
                "`fault: 429`",
            ),
            (
                "title: T\nsteps:\n- model: {answer: a, fault: 429}\n",
                3,
                "one of these",
            ),
            ("title: T\nworld:\n  people:\n  - alice: boss\nsteps: []\n", 4, "boss"),
        ] {
            let error = Script::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.what.contains(word), "{error}");
        }
    }

    #[test]
    fn times_are_read_with_their_units() {
        for (text, seconds) in [("15 s", 15), ("20min", 1_200), ("2 h", 7_200), ("7 d", 604_800)] {
            let script = Script::parse(&format!("title: T\nsteps:\n- wait: {text}\n")).unwrap();
            let found = script.steps().next().map(|(_, step)| match step {
                Step::Wait(wait) => wait.time.as_secs(),
                other => panic!("{other:?} is no wait"),
            });
            assert_eq!(found, Some(seconds), "{text}");
        }
    }
}
