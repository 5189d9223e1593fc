//! The verbs: one file each, one table.
//!
//! The table feeds the reading of commands, `/help`, the permission check, the hints and `docs/commands.md`. To add a
//! verb, copy a file, write its help, and add it to [`VERBS`].

mod answer;
mod approve;
mod cancel;
mod choose;
mod deliver;
mod edit;
mod explain;
mod help;
mod hold;
mod pages;
mod prompt;
mod reject;
mod respond;
mod retry;
mod revise;
mod run;
mod skip;
mod status;
mod task;
mod tasks;
mod unapprove;
mod unhold;
mod who;

use std::collections::BTreeMap;

use crate::chat::args::ArgumentProblem;
use crate::chat::reader::{Addressed, BotName, Form};
use crate::chat::request::{ItemKey, Request};
use crate::text::arguments::{self, Argument};
use crate::workflow::right::{Requirement, Right};

pub use approve::word as verdict_word;
pub use pages::{help, reference, who_may};

/// Every verb, in the order in which help lists them.
pub static VERBS: &[&Verb] = &[
    &help::VERB,
    &deliver::VERB,
    &tasks::VERB,
    &run::VERB,
    &status::VERB,
    &who::VERB,
    &explain::VERB,
    &approve::VERB,
    &choose::VERB,
    &unapprove::VERB,
    &reject::VERB,
    &revise::VERB,
    &edit::VERB,
    &task::VERB,
    &answer::VERB,
    &skip::VERB,
    &hold::VERB,
    &unhold::VERB,
    &retry::VERB,
    &cancel::VERB,
    &prompt::VERB,
    &respond::VERB,
];

/// A verb: what it is called, who may use it, what it does, and how its arguments become a request.
#[derive(Debug)]
pub struct Verb {
    /// Lower case, without the slash. Unique among names and aliases.
    pub name: &'static str,
    /// Other words for it. Few, and none that another bot is known for.
    pub aliases: &'static [&'static str],
    /// Who may use it by default.
    pub requirement: Requirement,
    /// What it does: one sentence.
    pub summary: &'static str,
    /// The forms that it takes, one a line. `[…]` may be left out, capitals stand for something.
    pub usage: &'static str,
    /// What else its users should know; Markdown.
    pub details: &'static str,
    /// At least one. Each is a whole comment that is read as this verb.
    pub examples: &'static [Example],
    /// Makes the request.
    pub parse: fn(&Addressed) -> Result<Request, ArgumentProblem>,
}

/// An example and what it means.
#[derive(Debug)]
pub struct Example {
    /// The comment.
    pub comment: &'static str,
    /// What it asks for, as the end of a sentence.
    pub meaning: &'static str,
}

impl PartialEq for Verb {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Verb {}

/// How commands are spoken in one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Whom `@bot` names.
    pub bot: BotName,
    /// Further words for verbs: word to verb, both in lower case. A verb's own name cannot be given to another.
    pub aliases: BTreeMap<String, String>,
    /// The least right that the repository asks for, by verb's name, where that is more than the default.
    pub floors: BTreeMap<String, Right>,
}

impl Dialect {
    /// The dialect of a repository without configuration.
    pub fn plain(bot: BotName) -> Self {
        Self {
            bot,
            aliases: BTreeMap::new(),
            floors: BTreeMap::new(),
        }
    }

    /// The verb that a word names here: by its name, by the repository's alias, by its own alias, in this order.
    pub fn verb(&self, word: &str) -> Option<&'static Verb> {
        by_name(word)
            .or_else(|| self.aliases.get(word).and_then(|name| by_name(name)))
            .or_else(|| VERBS.iter().copied().find(|verb| verb.aliases.contains(&word)))
    }

    /// Who may use a verb here: the default, or more where the repository asks for more. A choice is an approval, so what
    /// is asked for that is asked for it, too.
    pub fn requirement(&self, verb: &Verb) -> Requirement {
        let approval = (*verb == choose::VERB)
            .then(|| self.floors.get(approve::VERB.name))
            .flatten();
        match self.floors.get(verb.name).max(approval) {
            Some(floor) => verb.requirement.raised_to(*floor),
            None => verb.requirement,
        }
    }

    /// The word of this dialect that was most likely meant.
    pub fn suggestion(&self, word: &str) -> Option<String> {
        let known = VERBS
            .iter()
            .flat_map(|verb| verb.aliases.iter().chain([&verb.name]))
            .copied();
        let words: Vec<&str> = known.chain(self.aliases.keys().map(String::as_str)).collect();
        let stem = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
        if words.contains(&stem) {
            return Some(stem.to_owned());
        }
        // In a short word two slips make another word: `/test` is not a misspelt `/task`.
        let slips = if stem.len() <= 4 { 1 } else { 2 };
        let close = |candidate: &&str| strsim::osa_distance(stem, candidate) <= slips;
        let begun = |candidate: &&str| stem.len() >= 3 && candidate.starts_with(stem);
        let by_distance = |candidate: &&str| (strsim::osa_distance(stem, candidate), candidate.len());
        let nearest = words.iter().copied().filter(|word| close(word)).min_by_key(by_distance);
        nearest
            .or_else(|| {
                words
                    .iter()
                    .copied()
                    .filter(|word| begun(word))
                    .min_by_key(|word| word.len())
            })
            .map(str::to_owned)
    }
}

/// The verb of this name.
pub fn by_name(name: &str) -> Option<&'static Verb> {
    VERBS.iter().copied().find(|verb| verb.name == name)
}

/// Words close to ours that belong to other bots or to GitHub's own slash menu: said with a slash, they are theirs.
const OTHERS: &[&str] = &[
    "retest",
    "test",
    "tests",
    "tide",
    "tasklist",
    "close",
    "deploy",
    "approvers",
    "reopen",
    "release",
];

/// What to make of an addressed line.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// Do this.
    Command(Command),
    /// Answer this.
    Answer(Problem),
    /// Another bot is meant.
    Ignore,
}

impl Reading {
    /// The verb of a command.
    pub fn verb(&self) -> Option<&'static Verb> {
        match self {
            Self::Command(command) => Some(command.verb),
            Self::Answer(_) | Self::Ignore => None,
        }
    }
}

/// A command, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// [`Addressed::index`]
    pub index: usize,
    /// The verb, which knows who may use it.
    pub verb: &'static Verb,
    /// What is asked.
    pub request: Request,
}

/// Why an addressed line is no command. Its text is what the person reads; harmless in Markdown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bot was mentioned at the beginning of a line, and nothing like a word follows.
    #[error("I was addressed, but no command follows. `/help` lists what I understand.")]
    NoWord,
    /// No verb is called this.
    #[error("I do not know `{typed}`{}", suggested(.suggestion))]
    Unknown {
        /// The word, with its slash if it had one.
        typed: String,
        /// The closest word of the dialect.
        suggestion: Option<String>,
    },
    /// Two commands on a line.
    #[error("One line holds one command: put `{0}` on a line of its own. Nothing of this line was done.")]
    SecondCommand(String),
    /// The arguments cannot be taken.
    #[error("{problem}")]
    Malformed {
        /// The verb.
        verb: &'static Verb,
        /// What is wrong.
        problem: ArgumentProblem,
    },
}

fn suggested(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(word) => format!("; did you mean `/{word}`?"),
        None => ". `/help` lists what I understand.".to_owned(),
    }
}

impl Problem {
    /// The verb whose usage and example help here.
    pub fn verb(&self) -> Option<&'static Verb> {
        match self {
            Self::Malformed { verb, .. } => Some(verb),
            Self::NoWord | Self::Unknown { .. } | Self::SecondCommand(_) => None,
        }
    }

    /// The sentence and, where a verb is known, its usage and an example, as Markdown.
    pub fn answer(&self) -> String {
        match self.verb() {
            Some(verb) => format!("{self}\n\n{}", pages::usage(verb)),
            None => self.to_string(),
        }
    }
}

/// Reads an addressed line in a repository's dialect.
///
/// The slash is shared: an unknown word after it is answered only when it is close to one of ours. After a mention
/// everything is answered.
pub fn interpret(addressed: &Addressed, dialect: &Dialect) -> Reading {
    if addressed.word.is_empty() {
        return Reading::Answer(Problem::NoWord);
    }
    let Some(verb) = dialect.verb(&addressed.word) else {
        return unknown(addressed, dialect);
    };
    if let Some(second) = second_command(addressed, dialect)
        && *verb != help::VERB
    {
        return Reading::Answer(Problem::SecondCommand(second));
    }
    match (verb.parse)(addressed) {
        Ok(request) => Reading::Command(Command {
            index: addressed.index,
            verb,
            request,
        }),
        Err(problem) => Reading::Answer(Problem::Malformed { verb, problem }),
    }
}

fn unknown(addressed: &Addressed, dialect: &Dialect) -> Reading {
    let word = &addressed.word;
    let suggestion = dialect.suggestion(word);
    match addressed.form {
        Form::Slash if suggestion.is_none() || OTHERS.contains(&word.as_str()) => Reading::Ignore,
        Form::Slash => Reading::Answer(Problem::Unknown {
            typed: format!("/{word}"),
            suggestion,
        }),
        Form::Mention => Reading::Answer(Problem::Unknown {
            typed: word.clone(),
            suggestion,
        }),
    }
}

/// `/approve /hold`: nobody wants the second to be the reason of the first.
fn second_command(addressed: &Addressed, dialect: &Dialect) -> Option<String> {
    let first = addressed.rest.split_whitespace().next()?;
    let word = first.strip_prefix('/')?.to_ascii_lowercase();
    dialect.verb(&word).map(|_| format!("/{word}"))
}

/// The person's words: the rest of the line and the lines below.
fn free_text(rest: &str, addressed: &Addressed) -> Option<String> {
    let parts = [rest.trim(), addressed.following.trim()];
    let text = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    (!text.is_empty()).then_some(text)
}

/// `/approve cancel`, `/hold cancel`: other bots take them as the opposite of the verb, so they must not be its reason.
fn refuse_opposite(addressed: &Addressed, hint: &'static str) -> Result<(), ArgumentProblem> {
    let rest = addressed.rest.trim();
    if !rest.eq_ignore_ascii_case("cancel") {
        return Ok(());
    }
    Err(ArgumentProblem::Unexpected {
        typed: rest.to_owned(),
        hint,
    })
}

/// For verbs without arguments. Words are taken as a remark; what looks like an argument is refused, since the person
/// would think that it was obeyed.
fn no_arguments(addressed: &Addressed) -> Result<(), ArgumentProblem> {
    let Ok(arguments) = arguments::split(&addressed.rest) else {
        return Ok(());
    };
    let is_argument = |argument: &&Argument<'_>| match argument {
        Argument::Named { .. } => true,
        Argument::Positional { raw, .. } => raw.starts_with(['-', '#']) || ItemKey::is_meant_by(raw),
    };
    match arguments.iter().find(is_argument) {
        None => Ok(()),
        Some(Argument::Named { key, .. }) => Err(unexpected(format!("{key}="))),
        Some(Argument::Positional { raw, .. }) => Err(unexpected((*raw).to_owned())),
    }
}

fn unexpected(typed: String) -> ArgumentProblem {
    ArgumentProblem::Unexpected {
        typed,
        hint: ": it takes no arguments",
    }
}

#[cfg(test)]
mod tests;
