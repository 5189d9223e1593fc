//! The grammar: which sentences are work, whose it is, and which only look like it.

use super::attributes::is_login;
use super::words::{promising, verb};
use crate::agents::Thread;

/// The form in which work was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// `/task title="…"`.
    Explicit,
    /// `- [ ] Verb …`.
    Checkbox,
    /// `Action: …`.
    Action,
    /// `TODO: …`.
    Todo,
    /// An item under a heading such as “Next steps”.
    Section,
    /// `@name will …`.
    Mention,
    /// `Name to …`.
    NameTo,
    /// `I'll …`.
    Promise,
}

/// Work that somebody took on or was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// How it was said.
    pub rule: Rule,
    /// Whose it is.
    pub assignee: String,
    /// The work, beginning with its verb.
    pub work: String,
}

/// What a sentence is, once it looks like work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Work.
    Committed(Commitment),
    /// Nobody took it on.
    NobodyDoes,
    /// Work, but not said what.
    Unclear,
}

/// Reads one sentence: a mention, a name or a promise in front of a verb. `None`: ordinary talk.
pub fn sentence(text: &str, author: &str, thread: &Thread) -> Option<Verdict> {
    let text = text.trim();
    mention(text)
        .or_else(|| named(text, thread))
        .or_else(|| in_brackets(text, thread))
        .or_else(|| promise(text, author))
        .or_else(|| wish(text))
}

fn committed(rule: Rule, assignee: &str, work: &str) -> Verdict {
    let work = work.trim_end_matches(|c: char| c.is_whitespace() || ".!?".contains(c));
    if empty_handed(work) {
        return Verdict::Unclear;
    }
    Verdict::Committed(Commitment {
        rule,
        assignee: assignee.to_owned(),
        work: work.to_owned(),
    })
}

/// Whether the work names nothing: “fix it”, “take a look”, “review”.
fn empty_handed(work: &str) -> bool {
    const EMPTY: &[&str] = &[
        "it", "this", "that", "them", "these", "those", "too", "soon", "tomorrow", "today", "now", "then", "later",
        "a", "an", "the", "look", "one", "up", "on", "at", "into", "for", "as", "well", "again", "asap", "here",
        "there", "instead", "you", "me", "us", "so", "please", "thanks",
    ];
    let mut words = work
        .split_whitespace()
        .map(bare)
        .skip(1)
        .filter(|word| !word.is_empty());
    words.all(|word| EMPTY.contains(&word.to_lowercase().as_str()))
}

/// The word without punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// `@name [and @other] will/to/should/please … verb …`.
fn mention(text: &str) -> Option<Verdict> {
    let (first, mut rest) = word(text);
    let login = first.strip_prefix('@')?.trim_end_matches([',', ':', '-', '–', '—']);
    if !is_login(login) {
        return None;
    }
    rest = rest.trim_start_matches([',', ':', '-', '–', '—', ' ']);
    while let Some(other) = rest.strip_prefix("and @").or_else(|| rest.strip_prefix('@')) {
        rest = word(other).1;
    }
    let asked = after_request(rest);
    let work = asked.or_else(|| after_modal(rest))?;
    if asked.is_none() && text.ends_with('?') {
        return None;
    }
    starts_with_verb(work).then(|| committed(Rule::Mention, login, work))
}

/// What follows `please`, `can you`, `could you`.
fn after_request(text: &str) -> Option<&str> {
    ["please ", "pls ", "can you ", "could you "]
        .iter()
        .find_map(|start| strip(text, start))
        .map(adverbs)
}

/// What follows `will`, `to`, `should` and their like.
fn after_modal(text: &str) -> Option<&str> {
    [
        "will ",
        "to ",
        "should ",
        "shall ",
        "must ",
        "needs to ",
        "has to ",
        "is going to ",
        "is to ",
        "agreed to ",
        "’ll ",
        "'ll ",
    ]
    .iter()
    .find_map(|start| strip(text, start))
    .map(adverbs)
}

fn adverbs(mut text: &str) -> &str {
    const ADVERBS: &[&str] = &[
        "please", "also", "then", "kindly", "now", "just", "first", "try to", "quickly", "still",
    ];
    while let Some(rest) = ADVERBS.iter().find_map(|adverb| strip(text, &format!("{adverb} "))) {
        text = rest;
    }
    text
}

fn strip<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start)
        .then(|| text[start.len()..].trim_start())
}

fn starts_with_verb(text: &str) -> bool {
    verb(bare(word(text).0))
}

/// `Name to verb`, `Name: will verb`, `Name will verb`, for people of the thread.
fn named(text: &str, thread: &Thread) -> Option<Verdict> {
    let (first, rest) = word(text);
    let name = first.trim_end_matches([',', ':']);
    if name.len() < 2 || !is_login(name) || text.ends_with('?') {
        return None;
    }
    let login = thread.person(name)?;
    let work = after_modal(rest).or_else(|| after_request(rest).filter(|_| first.len() > name.len()))?;
    starts_with_verb(work).then(|| committed(Rule::NameTo, &login, work))
}

/// `… (Name to verb …)`.
fn in_brackets(text: &str, thread: &Thread) -> Option<Verdict> {
    let open = text.find('(')?;
    let close = open + text[open..].find(')')?;
    let inner = text[open + 1..close].trim_start_matches('@');
    let (name, rest) = word(inner);
    let login = thread.person(name)?;
    let work = strip(rest, "to ")?;
    starts_with_verb(work).then(|| committed(Rule::NameTo, &login, work))
}

/// `I'll verb …`, `I will verb …`.
fn promise(text: &str, author: &str) -> Option<Verdict> {
    let mut text = text;
    loop {
        let (first, rest) = word(text);
        let opener = bare(first).to_lowercase();
        let opens = [
            "ok", "okay", "sure", "yes", "yep", "fine", "then", "and", "so", "thanks", "also", "great", "right",
            "agreed",
        ];
        if !opens.contains(&opener.as_str()) || rest.is_empty() {
            break;
        }
        text = rest;
    }
    let work = [
        "I'll ",
        "I’ll ",
        "I will ",
        "I am going to ",
        "I'm going to ",
        "I’m going to ",
    ]
    .iter()
    .find_map(|start| strip(text, start))
    .map(adverbs)?;
    if text.ends_with('?') || !promising(bare(word(work).0)) {
        return None;
    }
    let conditional = work
        .split_whitespace()
        .any(|word| ["if", "unless", "maybe", "perhaps", "otherwise"].contains(&bare(word).to_lowercase().as_str()));
    Some(if conditional {
        Verdict::Unclear
    } else {
        committed(Rule::Promise, author, work)
    })
}

/// `We should …`: one in eight of them becomes work, so none is taken.
fn wish(text: &str) -> Option<Verdict> {
    let text = strip(text, "maybe ")
        .or_else(|| strip(text, "perhaps "))
        .unwrap_or(text);
    let after = ["we ", "somebody ", "someone ", "one "]
        .iter()
        .find_map(|start| strip(text, start))?;
    let work = [
        "should ",
        "could ",
        "need to ",
        "ought to ",
        "must ",
        "might ",
        "have to ",
    ]
    .iter()
    .find_map(|start| strip(after, start))?;
    (starts_with_verb(adverbs(work)) && !text.ends_with('?')).then_some(Verdict::NobodyDoes)
}

/// Whether a list item reads like work: it begins with a verb, after an emoji or a short `scope:` if need be. Of scripts
/// in which the verbs are not known everything does.
pub fn actionable(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '@');
    if text.starts_with(|c: char| c.is_alphabetic() && !c.is_ascii()) {
        return true;
    }
    let ends = text.ends_with('?');
    if starts_with_verb(text) && !ends {
        return true;
    }
    text.split_once(": ")
        .is_some_and(|(scope, rest)| scope.split_whitespace().count() <= 3 && starts_with_verb(rest) && !ends)
}

/// What follows `Action:`, `Action item:`, `Next step:`, and who is named with it.
pub fn action(text: &str) -> Option<(Option<String>, &str)> {
    const STARTS: &[&str] = &[
        "action items",
        "action item",
        "action points",
        "action point",
        "actions",
        "action",
        "next steps",
        "next step",
    ];
    let rest = STARTS.iter().find_map(|start| {
        let head = text.get(..start.len())?;
        head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
    })?;
    labelled(rest)
}

/// What follows `AI:`. The two letters mean something else more often, so that only work counts behind them.
pub fn abbreviated(text: &str) -> Option<(Option<String>, &str)> {
    labelled(text.strip_prefix("AI")?)
}

/// What follows `TODO:`, `FIXME:`, `TODO(name):`.
pub fn todo(text: &str) -> Option<(Option<String>, &str)> {
    let rest = ["todo", "fixme"].iter().find_map(|start| {
        let head = text.get(..start.len())?;
        head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
    })?;
    labelled(rest)
}

/// The rest after `:`, `(name):` or ` @name:`.
fn labelled(rest: &str) -> Option<(Option<String>, &str)> {
    let rest = rest.trim_start();
    if let Some(work) = rest.strip_prefix([':', '：']) {
        return Some((None, work.trim_start()));
    }
    let (who, work) = match rest.strip_prefix('(') {
        Some(inner) => {
            let (who, work) = inner.split_once(')')?;
            (who, work.trim_start().strip_prefix(':')?)
        }
        None => rest.strip_prefix('@')?.split_once(':')?,
    };
    let who = who.trim().trim_start_matches('@');
    is_login(who).then(|| (Some(who.to_owned()), work.trim_start()))
}

/// Splits at the ends of sentences.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, mark) in text.match_indices(['.', '!', '?', ';']) {
        let end = at + mark.len();
        if text[end..].starts_with(' ') && !(mark == "." && abbreviation(&text[start..at])) {
            parts.push(text[start..end].trim());
            start = end;
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether a full stop after this belongs to its last word.
fn abbreviation(text: &str) -> bool {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let last = last.trim_start_matches('(').to_lowercase();
    ["e.g", "i.e", "etc", "vs", "cf", "approx", "no", "st"].contains(&last.as_str())
}
